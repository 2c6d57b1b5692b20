//! XEP-0202: Entity Time.

use std::sync::Arc;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use router::{IqAnswer, IqRequest, Module, Plan, PlanError, To, Xep};
use xml::Writer;
use xmpp::{Condition, StanzaError, ns};

config::settings! {
    /// Entity Time (XEP-0202): tells who asks what time it is here, in UTC.
    pub struct TimeSettings {}
}

/// Answers what time it is.
pub struct Time;

impl Module for Time {
    const NAME: &'static str = "time";
    const XEPS: &'static [Xep] = &[Xep::new(202, "Entity Time", "2.0")];
    type Config = TimeSettings;

    fn plan(_: Arc<TimeSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::TIME);
        plan.iq(To::Host, ns::TIME, Self::answer);
        Ok(Self)
    }
}

impl Time {
    fn answer(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if iq.set {
            return Err(IqRequest::not_allowed());
        }
        let now = OffsetDateTime::from(iq.cx.router.clock().now()).truncate_to_second();
        let utc = now
            .format(&Rfc3339)
            .map_err(|_| StanzaError::new(Condition::InternalServerError))?;
        let mut w = Writer::new();
        w.start("time", ns::TIME);
        w.start("tzo", ns::TIME).text("+00:00").end();
        w.start("utc", ns::TIME).text(&utc).end();
        w.end();
        Ok(Some(w.finish()))
    }
}

#[cfg(test)]
mod tests {
    use router::check::check;

    use super::*;

    #[test]
    fn a_client_asks_for_the_time_and_asks_again() {
        check::<Time>(
            TimeSettings::default(),
            "
            Romeo: <iq type='get' to='montague.lit' id='t1'><time xmlns='urn:xmpp:time'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='romeo@montague.lit/orchard' id='t1'>
                <time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2026-02-14T12:00:00Z</utc></time>
              </iq>
            T: 90s
            Romeo: <iq type='get' to='montague.lit' id='t2'><time xmlns='urn:xmpp:time'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='*' id='t2'>
                <time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2026-02-14T12:01:30Z</utc></time>
              </iq>
            ",
        );
    }
}
