//! XEP-0199: XMPP Ping, from both sides.
//!
//! The server pings clients that have been silent for a while, so that a connection whose other
//! end is gone does not stay for good. One timer looks at all sessions: an idle session costs
//! nothing.

use std::sync::Arc;

use config::Span;
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
    /// Silence after which it is gone, milliseconds.
    gone: u64,
    /// How often it is looked, milliseconds.
    every: u64,
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
        let interval = millis(config.interval);
        Ok(Self {
            interval,
            gone: interval.saturating_add(millis(config.timeout)),
            every: u64::try_from(every.as_millis()).unwrap_or(u64::MAX),
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
        let now = router.clock().millis();
        let mut w = Writer::new();
        w.start("ping", ns::PING).end();
        let ping = w.finish();
        router.directory().for_each(|session| {
            let silent = now.saturating_sub(session.heard());
            if silent >= self.gone {
                let gone = StreamError::new(StreamCondition::ConnectionTimeout);
                session.inbox.control(Control::Close(gone));
            } else if silent >= self.interval && silent < self.interval + self.every {
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
        });
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
