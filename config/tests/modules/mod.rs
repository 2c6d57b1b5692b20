//! A `modules` section as a node would make it.

use config::{Span, module_sections, settings};

settings! {
    /// Asks quiet clients whether they are still there (XEP-0199).
    pub struct Ping {
        /// A client that was quiet for so long is asked. None: nobody is asked.
        interval: Option<Span> = Some(Span::minutes(4)),
        /// It has so long to answer.
        timeout: Span = Span::seconds(30),
    }
    check |ping, problems| {
        if ping.interval.is_some_and(|interval| ping.timeout >= interval) {
            problems.error("timeout", format!("{} is not below the interval", ping.timeout), "write less than the interval");
        }
    }
}

settings! {
    /// Tells name and version of the server (XEP-0092).
    pub struct Version {
        /// Whether the operating system is told too.
        os: bool = false,
    }
}

settings! {
    /// Tells the server's time (XEP-0202).
    pub struct Time {}
}

settings! {
    /// Sends back what comes.
    pub struct Echo {
        /// So often.
        times: usize = 1,
        /// As loud.
        volume: usize = 11,
    }
}

settings! {
    /// Keeps silent.
    pub struct Mute {}
}

module_sections! {
    /// What the server offers.
    pub struct Modules {
        ping: Ping,
        version: Version,
        time: Time,
        echo: Echo = off,
        mute: Mute = off,
    }
}
