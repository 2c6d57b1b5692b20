//! What the server says to everybody who is online.

use xmpp::{BareJid, Stanza};

use crate::Router;

/// Accounts that are told before others get their turn.
const AT_A_TIME: usize = 64;

impl Router {
    /// Says `message`, which has no addresses, to the account of everybody who is online, at
    /// `domain` or anywhere here, and says how many these were. Each hears it from its own server,
    /// as a message to its bare JID: in the sessions that RFC 6121 §8.5.2.1 says, and past those
    /// who have blocked the domain.
    ///
    /// Those whom `wanted` does not want are left out; it is asked right before each is told.
    pub async fn say_to_online(
        &self,
        domain: Option<&str>,
        message: &Stanza,
        wanted: impl Fn(&BareJid) -> bool + Send,
    ) -> usize {
        let mut told = 0;
        for (met, account) in self.online(domain).into_iter().enumerate() {
            if met % AT_A_TIME == AT_A_TIME - 1 {
                tokio::task::yield_now().await;
            }
            if let Some(host) = self.host(account.domain())
                && wanted(&account)
            {
                let message = message.with_from(host.domain().clone());
                self.route(message.with_to(account));
                told += 1;
            }
        }
        told
    }

    /// The accounts that have a session which takes messages.
    fn online(&self, domain: Option<&str>) -> Vec<BareJid> {
        let mut online: Vec<BareJid> = Vec::new();
        self.directory().for_each(|session| {
            let meant = domain.is_none_or(|domain| session.jid.domain() == domain);
            let there = session.priority().is_some_and(|priority| priority >= 0);
            if meant && there {
                let account = session.jid.bare();
                // The sessions of an account come one after another.
                if online.last() != Some(&account) {
                    online.push(account);
                }
            }
        });
        online
    }
}
