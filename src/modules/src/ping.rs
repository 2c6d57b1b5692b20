//! XEP-0199: XMPP Ping, from both sides.
//!
//! The server pings clients that have been silent for a while, so that a connection whose other
//! end is gone does not stay for good. One timer looks at all sessions: an idle session costs
//! nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use config::Span;
use parking_lot::Mutex;
use router::{Control, IqAnswer, IqRequest, Module, Plan, PlanError, Router, To, Xep, random_id};
use xml::Writer;
use xmpp::{BareJid, IqType, Stanza, StreamCondition, StreamError, ns};

config::settings! {
    /// XMPP Ping (XEP-0199): answers pings, and finds clients that are gone.
    pub struct PingSettings {
        /// How long a client is silent before the server pings it.
        interval: Span = Span::minutes(4),
        /// How long it then has to show a sign of life before its stream is closed with
        /// `connection-timeout`.
        timeout: Span = Span::seconds(32),
    }
    check |ping, problems| {
        problems.at_least("interval", ping.interval, Span::seconds(1));
        problems.at_least("timeout", ping.timeout, Span::seconds(1));
    }
}

/// Answers pings and sends them.
pub struct Ping {
    /// Silence after which a client is pinged, milliseconds.
    interval: u64,
    /// How long it then has, milliseconds.
    timeout: u64,
    looks: Mutex<Looks>,
}

impl Module for Ping {
    const NAME: &'static str = "ping";
    const XEPS: &'static [Xep] = &[Xep::new(199, "XMPP Ping", "2.0.1")];
    type Config = PingSettings;

    fn plan(config: Arc<PingSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        let every = config.interval.min(config.timeout).get() / 4;
        for to in [To::Host, To::Account] {
            plan.feature(to, ns::PING);
            plan.iq(to, ns::PING, Self::answer);
        }
        plan.every(every, Self::look);
        let millis = |span: Span| u64::try_from(span.get().as_millis()).unwrap_or(u64::MAX);
        Ok(Self {
            interval: millis(config.interval),
            timeout: millis(config.timeout),
            looks: Mutex::default(),
        })
    }
}

impl Ping {
    fn answer(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if iq.set || (iq.account.is_some() && !iq.own()) {
            return Err(IqRequest::not_allowed());
        }
        Ok(None)
    }

    /// Pings who has been silent, and closes who stayed so.
    fn look(&self, router: &Router) {
        let look = self
            .looks
            .lock()
            .look(router.clock().millis(), self.timeout);
        let mut w = Writer::new();
        w.start("ping", ns::PING).end();
        let ping = w.finish();
        router.directory().for_each(|session| {
            match look.at(session.heard().saturating_add(self.interval)) {
                Silence::Short | Silence::Asked => {}
                Silence::Ask => {
                    let Ok(domain) = session.jid.domain().parse::<BareJid>() else {
                        return;
                    };
                    let iq = Stanza::iq(IqType::Get)
                        .from(domain)
                        .to(session.jid.clone())
                        .id(&random_id())
                        .payload(ping.clone())
                        .build();
                    // One that can't take it is about to be closed for that.
                    let _ = session.inbox.deliver(iq);
                }
                Silence::Gone => {
                    let gone = StreamError::new(StreamCondition::ConnectionTimeout);
                    session.inbox.control(Control::Close(gone));
                }
            }
        });
    }
}

/// When it was looked. A busy node may look late: who was silent for long enough is then asked late,
/// and has its time from then on.
#[derive(Default)]
struct Looks {
    /// Milliseconds, the latest last; the first is the latest of those whose clients had their time.
    times: VecDeque<u64>,
}

/// A look at all sessions.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    now: u64,
    /// The one before.
    before: Option<u64>,
    /// The latest whose clients had their time to answer.
    answered: Option<u64>,
}

/// What is done about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    Short,
    Ask,
    Asked,
    Gone,
}

impl Looks {
    fn look(&mut self, now: u64, timeout: u64) -> Look {
        let had_time = |look: &u64| look.saturating_add(timeout) <= now;
        while self.times.get(1).is_some_and(had_time) {
            self.times.pop_front();
        }
        let look = Look {
            now,
            before: self.times.back().copied(),
            answered: self.times.front().copied().filter(had_time),
        };
        self.times.push_back(now);
        look
    }
}

impl Look {
    /// What is done about a session that is to be asked from `due` on: the first look behind that
    /// asks.
    fn at(&self, due: u64) -> Silence {
        if due > self.now {
            Silence::Short
        } else if self.before.is_none_or(|before| due > before) {
            Silence::Ask
        } else if self.answered.is_none_or(|answered| due > answered) {
            Silence::Asked
        } else {
            Silence::Gone
        }
    }
}

#[cfg(test)]
mod tests {
    use router::check::check;

    use super::*;

    #[test]
    fn a_timer_that_never_waits_is_refused() {
        let settings = PingSettings {
            interval: Span::seconds(0),
            timeout: Span::millis(5),
        };
        let mut problems = config::Problems::default();
        config::Setting::check(&settings, &mut problems);
        assert_eq!(
            problems.lines(),
            [
                "interval: 0s is too little: write 1s or more",
                "timeout: 5ms is too little: write 1s or more"
            ]
        );
    }

    #[test]
    fn who_is_asked_late_has_its_time_all_the_same() {
        let mut looks = Looks::default();
        // One was to be asked at 240 s, and the node was too busy to look for half a minute.
        let seen = [232, 264, 272, 280, 296, 304]
            .map(|seconds| looks.look(seconds * 1000, 32_000).at(240_000));
        assert_eq!(
            seen,
            [
                Silence::Short,
                Silence::Ask,
                Silence::Asked,
                Silence::Asked,
                Silence::Gone,
                Silence::Gone
            ]
        );
        assert!(looks.times.len() <= 5, "old looks are forgotten");
    }

    #[test]
    fn a_client_pings_its_server_and_its_account() {
        check::<Ping>(
            PingSettings::default(),
            "
            Romeo: <iq to='montague.lit' id='c2s1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>
            Romeo gets: <iq from='montague.lit' to='romeo@montague.lit/orchard' id='c2s1' type='result'/>
            Romeo: <iq id='c2s2' type='get'><ping xmlns='urn:xmpp:ping'/></iq>
            Romeo gets: <iq from='romeo@montague.lit' to='*' id='c2s2' type='result'/>
            Romeo: <iq to='juliet@capulet.lit' id='c2c1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>
            Romeo gets:
              <iq from='juliet@capulet.lit' to='*' id='c2c1' type='error'>
                <ping xmlns='urn:xmpp:ping'/>
                <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }

    #[test]
    fn a_silent_client_is_pinged_and_one_that_answers_stays() {
        check::<Ping>(
            PingSettings { interval: Span::minutes(1), timeout: Span::seconds(20) },
            "
            Romeo connects
            Juliet connects
            T: 59s
            Romeo gets nothing
            T: 7s
            Romeo gets: <iq from='montague.lit' to='romeo@montague.lit/orchard' type='get' id='{p}'>
                <ping xmlns='urn:xmpp:ping'/>
              </iq>
            Romeo: <iq to='montague.lit' id='{p}' type='result'/>
            Juliet gets: <iq from='capulet.lit' to='*' type='get' id='*'><ping xmlns='urn:xmpp:ping'/></iq>
            T: 20s
            Romeo gets nothing
            Juliet gets: <stream:error><connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
            ",
        );
    }
}
