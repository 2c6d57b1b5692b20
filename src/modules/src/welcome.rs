//! A message for those who are new.

use std::sync::Arc;

use router::{Module, Plan, PlanError, Router};
use xmpp::{BareJid, MessageType, Stanza};

config::settings! {
    /// Welcome: each account that is made, by its user (XEP-0077) or an administrator, finds a message
    /// from the server at its first login. Imported accounts are not new. Off unless it is configured.
    pub struct WelcomeSettings {
        /// Its subject; without one it has none.
        subject: String = String::new(),
        /// What it says.
        text: String = "Welcome!".into(),
    }
    check |welcome, problems| {
        if welcome.text.is_empty() {
            problems.error("text", "a welcome without words", "write what it says, or `welcome: off`");
        }
    }
}

/// Welcomes new accounts.
pub struct Welcome {
    settings: Arc<WelcomeSettings>,
}

impl Module for Welcome {
    const NAME: &'static str = "welcome";
    type Config = WelcomeSettings;

    fn plan(settings: Arc<WelcomeSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.account_registered(Self::welcome);
        Ok(Self { settings })
    }
}

impl Welcome {
    /// It is away still: the message waits among those for who is offline.
    fn welcome(&self, router: &Router, account: &BareJid) {
        let Some(host) = router.host(account.domain()) else {
            return;
        };
        let mut message = Stanza::message(MessageType::Normal)
            .from(host.domain().clone())
            .to(account.clone())
            .id(&router::random_id());
        if !self.settings.subject.is_empty() {
            message = message.leaf("subject", &self.settings.subject);
        }
        router.route(message.leaf("body", &self.settings.text).build());
    }
}
