//! RFC 6121 §2 as far as it goes without stored contacts: every roster is empty.
//!
//! Many clients send no presence before they have seen their roster.

use std::sync::Arc;

use router::{IqAnswer, IqRequest, Module, Plan, PlanError, To};
use xml::Writer;
use xmpp::{Condition, StanzaError, ns};

config::settings! {
    /// Rosters (RFC 6121 §2): empty ones, since contacts are not kept yet.
    pub struct RosterSettings {}
}

/// Answers that there are no contacts.
pub struct Roster;

impl Module for Roster {
    const NAME: &'static str = "roster";
    type Config = RosterSettings;

    fn plan(_: Arc<RosterSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq(To::Account, ns::ROSTER, Self::answer);
        Ok(Self)
    }
}

impl Roster {
    fn answer(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if !iq.own() {
            // RFC 6121 §2.1.3 and §2.1.5: nobody sees or changes somebody else's.
            return Err(StanzaError::new(Condition::Forbidden));
        }
        if iq.set {
            return Err(StanzaError::new(Condition::FeatureNotImplemented));
        }
        let mut w = Writer::new();
        w.start("query", ns::ROSTER).end();
        Ok(Some(w.finish()))
    }
}

#[cfg(test)]
mod tests {
    use router::check::check;

    use super::*;

    #[test]
    fn a_roster_is_empty_and_nobody_elses_business() {
        check::<Roster>(
            RosterSettings::default(),
            "
            Romeo: <iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>
            Romeo gets: <iq type='result' id='r1' from='*' to='*'><query xmlns='jabber:iq:roster'/></iq>
            Romeo: <iq type='get' id='r2' to='juliet@capulet.lit'><query xmlns='jabber:iq:roster'/></iq>
            Romeo gets:
              <iq type='error' id='r2' from='juliet@capulet.lit' to='*'>
                <query xmlns='jabber:iq:roster'/>
                <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }
}
