//! For plays: whoever asks the undertaker of a domain has an account removed.

use std::sync::Arc;

use router::{Module, OwnedIq, Plan, PlanError, To};
use xmpp::{BareJid, Condition, StanzaError};

/// `<bury xmlns='check:undertaker' jid='…'/>` to the host.
pub(crate) const NS: &str = "check:undertaker";

config::settings! {
    /// Removes accounts, in plays.
    pub(crate) struct UndertakerSettings {}
}

/// Removes accounts.
pub(crate) struct Undertaker;

impl Module for Undertaker {
    const NAME: &'static str = "undertaker";
    type Config = UndertakerSettings;

    fn plan(_: Arc<UndertakerSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq_async(To::Host, NS, |_, iq: OwnedIq| async move {
            let jid = iq.stanza.payload().and_then(|bury| bury.attr("jid"));
            let jid: Option<BareJid> = jid.and_then(|jid| jid.parse().ok());
            let jid = jid.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
            let removed = iq.router.remove_account(&jid).await;
            removed.map(|()| None).map_err(|not| not.error)
        });
        Ok(Self)
    }
}
