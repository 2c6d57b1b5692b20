//! What comes from other nodes: letters, and what becomes of theirs.

use std::collections::{HashMap, HashSet};

use xmpp::{FullJid, PresenceType, Stanza};

use super::{Letter, OthersTold, Peer};
use crate::Router;
use crate::hooks::{PeersChanged, PeersFold};
use crate::iq::Cx;
use crate::route::dispatch_after;

/// Accounts that are looked at before others get their turn.
const AT_A_TIME: usize = 64;

/// Accounts that were available on a node that is gone, with the sessions of each that were.
pub type Vanished = HashMap<Box<str>, Vec<FullJid>>;

impl Router {
    /// Deals with a letter from another node. One of guests is given back: it is for their actors.
    pub fn receive(&self, from: &Peer, letter: Letter) -> Option<Letter> {
        match letter {
            Letter::Stanza { hops, stanza } => {
                if let Some(reply) = dispatch_after(self, stanza, hops) {
                    self.route(reply);
                }
            }
            Letter::Claim { number, account } => self.claimed_by(from, number, account),
            Letter::Claimed { number, home } => self.0.claims.answered(number, home),
            guests => return Some(guests),
        }
        None
    }

    /// Another node has become the home of these accounts, or has left them.
    pub fn homes_changed<'a>(&self, accounts: impl IntoIterator<Item = &'a str>) {
        for account in accounts {
            self.0.claims.settled(account);
            if let Some(there) = self.directory().account(account)
                && !there.is_home()
            {
                // What was loaded here for stanzas may be outdated now.
                self.directory().forget(&there);
            }
        }
    }

    /// A node is gone for good. What it had not taken is to be received here; nobody is told yet who
    /// vanished with it ([`peers_changed`](Self::peers_changed)).
    pub fn peer_gone(&self, peer: &Peer) {
        self.0.claims.gone(peer);
    }

    /// Tells accounts here of those that vanished with their node, and tells those who have `come` in
    /// sight, after nodes could not see each other, who is here.
    pub async fn peers_changed(&self, vanished: Vanished, come: HashSet<Box<str>>) {
        if vanished.is_empty() && come.is_empty() {
            return;
        }
        for (met, account) in self.directory().accounts().into_iter().enumerate() {
            if met % AT_A_TIME == AT_A_TIME - 1 {
                tokio::task::yield_now().await;
            }
            let Some(host) = self.host(account.jid().domain()) else {
                continue;
            };
            let mut fold = PeersFold {
                cx: Cx {
                    router: self,
                    host: &host,
                },
                account: &account,
                vanished: &vanished,
                come: &come,
            };
            host.run::<PeersChanged>(&mut fold);
        }
    }

    /// Tells the sessions of an account here that `gone`, a session elsewhere that they saw, has ended without a
    /// word; unless it is back by now.
    pub fn report_vanished(&self, account: &crate::Account, gone: &FullJid) {
        if !self.available(gone.bare_str()).contains(gone) {
            self.route(
                Stanza::presence(PresenceType::Unavailable)
                    .from(gone.clone())
                    .to(account.jid().clone())
                    .build(),
            );
        }
    }

    /// The sessions of `account`, a bare JID, that are available, here or at another node.
    #[must_use]
    pub fn available(&self, account: &str) -> Vec<FullJid> {
        if let Some(there) = self
            .directory()
            .account(account)
            .filter(|there| there.is_home())
        {
            let sessions = there.sessions();
            let available = sessions
                .iter()
                .filter(|session| session.priority().is_some());
            return available.map(|session| session.jid.clone()).collect();
        }
        let elsewhere = self.elsewhere();
        elsewhere.map_or_else(Vec::new, |elsewhere| elsewhere.available(account))
    }

    /// Resolves when every other node knows of the sessions that are here now. Nothing when there is
    /// no other.
    #[must_use]
    pub fn others_told(&self) -> Option<OthersTold> {
        self.elsewhere()?.told()
    }
}
