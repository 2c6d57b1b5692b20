//! The session request of RFC 3921 §3, which RFC 6121 made a formality: old clients send it.

use std::sync::Arc;

use router::{IqAnswer, IqRequest, Module, Plan, PlanError, To};
use xmpp::ns;

config::settings! {
    /// The old session request (RFC 3921), answered for clients that still send it.
    pub struct SessionRequestSettings {}
}

/// Answers the session request.
pub struct SessionRequest;

impl Module for SessionRequest {
    const NAME: &'static str = "session_request";
    type Config = SessionRequestSettings;

    fn plan(_: Arc<SessionRequestSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq(To::Host, ns::SESSION, Self::answer);
        plan.iq(To::Account, ns::SESSION, Self::answer);
        Ok(Self)
    }
}

impl SessionRequest {
    fn answer(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if iq.set && (iq.account.is_none() || iq.own()) {
            Ok(None)
        } else {
            Err(IqRequest::not_allowed())
        }
    }
}

#[cfg(test)]
mod tests {
    use router::check::check;

    use super::*;

    #[test]
    fn an_old_client_asks_for_its_session() {
        check::<SessionRequest>(
            SessionRequestSettings::default(),
            "
            Romeo: <iq type='set' id='s1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
            Romeo gets: <iq type='result' id='s1' from='*' to='romeo@montague.lit/orchard'/>
            Romeo: <iq type='set' to='montague.lit' id='s2'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
            Romeo gets: <iq type='result' id='s2' from='montague.lit' to='romeo@montague.lit/orchard'/>
            ",
        );
    }
}
