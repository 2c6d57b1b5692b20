//! What happens to what lives and does not work.

use crate::{Span, settings};

settings! {
    /// What happens to actors that live and do not work.
    pub struct Watchdog {
        /// An actor that had a message in hand all this time and is done with none is stuck: the
        /// log, `mungoctl actor show` and the figures name it.
        stuck_after: Span = Span::seconds(5),
        /// One that does nothing for so long is killed, and its supervisor starts it again; a
        /// session is closed. Supervisors are left alone. One that blocks a thread dies when it
        /// lets go of it. None: nobody is killed.
        kill_after: Option<Span> = None,
        /// When no thread has run anything for so long, the process aborts, for whatever has
        /// started it to start it again (systemd: `Restart=on-failure`). None: it never does.
        abort_after: Option<Span> = Some(Span::seconds(60)),
    }
    check |watchdog, problems| {
        problems.at_least("stuck_after", watchdog.stuck_after, Span::seconds(1));
        // Sooner again and again, and its supervisor gives up.
        if let Some(kill) = watchdog.kill_after {
            problems.at_least("kill_after", kill, Span::seconds(10));
            if kill < watchdog.stuck_after {
                problems.error("kill_after", format!("{kill} is less than stuck_after, {}", watchdog.stuck_after),
                    format!("write \"{}\" or more", watchdog.stuck_after));
            }
        }
        if let Some(abort) = watchdog.abort_after {
            problems.at_least("abort_after", abort, Span::seconds(5));
        }
    }
}
