//! Where an account is: here, or on which other node.

use std::sync::Arc;
use std::time::Duration;

use xmpp::{BareJid, Condition, FullJid, Stanza};

use super::{Elsewhere, Letter, Peer, Unsent};
use crate::Router;
use crate::account::Account;
use crate::directory::SessionEntry;
use crate::host::Host;
use crate::inbox::Inbox;
use crate::route::bounce;
use crate::session::ConnectionFacts;
use crate::visit::needs_account;

/// Nodes that may pass a stanza on, one after another. The last one takes it for its own.
const MOST_HOPS: u8 = 3;
/// How long a login waits for the arbiter of its account. Without an answer it goes on: should two
/// nodes become the home of one account, one of them gives way as soon as they know of each other.
const ARBITER: Duration = Duration::from_millis(100);

/// Where the home of an account is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this node.
    Here,
    /// On another.
    At(Peer),
}

impl Router {
    /// Makes this router that of a node in a cluster. Once, before anybody has logged in.
    pub fn join(&self, elsewhere: Arc<dyn Elsewhere>) {
        // The node starts once.
        let _ = self.0.elsewhere.set(elsewhere);
    }

    /// What is known of a client here whose session is at another node; it is not in the directory.
    #[must_use]
    pub fn guest(
        &self,
        jid: FullJid,
        inbox: Arc<dyn Inbox>,
        facts: ConnectionFacts,
    ) -> Arc<SessionEntry> {
        let (clock, id) = (self.clock(), self.directory().next_id());
        let entry = SessionEntry::new(id, jid, inbox, facts, clock.now(), clock.millis());
        Arc::new(entry)
    }

    pub(crate) fn elsewhere(&self) -> Option<&Arc<dyn Elsewhere>> {
        self.0.elsewhere.get()
    }

    /// The other node that a stanza for `account` goes to: its home or, for what means something to an
    /// account without sessions, its arbiter. `found` is the account, if it is loaded here.
    pub(crate) fn other_place(
        &self,
        found: Option<&Account>,
        account: &str,
        stanza: &Stanza,
        hops: u8,
    ) -> Option<Peer> {
        let elsewhere = self.elsewhere()?;
        if hops >= MOST_HOPS || found.is_some_and(Account::is_home) {
            return None;
        }
        if let Some(home) = elsewhere.home(account) {
            return Some(home);
        }
        if !needs_account(stanza) {
            return None;
        }
        let granted = self.0.claims.granted(account, self.clock().millis());
        granted.or_else(|| elsewhere.arbiter(account))
    }

    /// Hands `stanza` to another node. What can't be handed over comes back as an error for its sender.
    pub(crate) fn pass_on(&self, to: &Peer, stanza: Stanza, hops: u8) -> Option<Stanza> {
        let elsewhere = self.elsewhere()?;
        let letter = Letter::Stanza {
            hops: hops + 1,
            stanza,
        };
        let sent = elsewhere.send(to, letter.to_bytes());
        let Letter::Stanza { stanza, .. } = letter else {
            return None;
        };
        match sent {
            Ok(()) => None,
            // RFC 6120 §8.3.3.18: try again later.
            Err(Unsent::Full) => bounce(&stanza, Condition::ResourceConstraint),
            Err(Unsent::Gone) => bounce(&stanza, Condition::RemoteServerTimeout),
        }
    }

    /// A client of `account` logs in here, which becomes its home unless another node is it.
    pub(crate) async fn claim(&self, account: &BareJid) -> Place {
        let Some(elsewhere) = self.elsewhere() else {
            return Place::Here;
        };
        if let Some(home) = elsewhere.home(account.as_ref()) {
            return Place::At(home);
        }
        let Some(arbiter) = elsewhere.arbiter(account.as_ref()) else {
            let now = self.clock().millis();
            return match self.0.claims.grant(account.as_ref(), None, now) {
                Err(Some(home)) => Place::At(home),
                Ok(()) | Err(None) => Place::Here,
            };
        };
        let (number, answer) = self.0.claims.ask();
        let claim = Letter::Claim {
            number,
            account: account.clone(),
        };
        let asked = elsewhere.send(&arbiter, claim.to_bytes()).is_ok();
        let answer = match asked {
            true => tokio::time::timeout(ARBITER, answer).await.ok(),
            false => None,
        };
        match answer {
            Some(Ok(Some(home))) => Place::At(home),
            Some(Ok(None)) => Place::Here,
            _ => {
                self.0.claims.forget(number);
                tracing::info!(what = "arbiter_silent", %account, node = %arbiter);
                Place::Here
            }
        }
    }

    /// Another node asks for `account`, whose arbiter this is.
    pub(crate) fn claimed_by(&self, peer: &Peer, number: u64, account: BareJid) {
        let Some(elsewhere) = self.elsewhere().cloned() else {
            return;
        };
        let bare = account.as_ref();
        let there = self.directory().account(bare);
        let held = if there.as_ref().is_some_and(|there| there.is_home()) {
            Some(elsewhere.name())
        } else if let Some(home) = elsewhere.home(bare) {
            Some(home)
        } else {
            match self.0.claims.grant(bare, Some(peer), self.clock().millis()) {
                Ok(()) => None,
                Err(home) => Some(home.unwrap_or_else(|| elsewhere.name())),
            }
        };
        let claimed = Letter::Claimed {
            number,
            home: held.filter(|home| home != peer),
        };
        let (router, peer) = (self.clone(), peer.clone());
        let answer = move || {
            // A node that is gone needs no answer.
            let _ = elsewhere.send(&peer, claimed.to_bytes());
        };
        let Some(host) = self.host(account.domain()) else {
            return answer();
        };
        tokio::spawn(async move {
            // What was changed while it was loaded here for stanzas is on disk before it is loaded there.
            router.write_out(&host).await;
            router.end_visit(&account);
            answer();
        });
    }

    /// Ends the visit of an account that has its home elsewhere from now on.
    pub(crate) fn end_visit(&self, account: &BareJid) {
        if let Some(there) = self.directory().account(account.as_ref())
            && !there.is_home()
        {
            self.directory().forget(&there);
        }
    }

    /// This node was the home of `account`, which nobody holds any more.
    pub(crate) fn leave(&self, account: &Arc<Account>) {
        let Some(elsewhere) = self.elsewhere().cloned() else {
            return;
        };
        let (Some(host), Ok(runtime)) = (
            self.host(account.jid().domain()),
            tokio::runtime::Handle::try_current(),
        ) else {
            return;
        };
        let (router, account) = (self.clone(), account.jid().clone());
        runtime.spawn(async move {
            router.write_out(&host).await;
            let bare = account.as_ref();
            router
                .directory()
                .unless_home(&account, || elsewhere.left(bare));
        });
    }

    /// Waits until what modules have changed of accounts is on disk, or was given up.
    async fn write_out(&self, host: &Arc<Host>) {
        let written = host.host_type().tables().written.clone();
        for written in written {
            written().await;
        }
    }

    /// Tells the other nodes of the sessions of an account whose home this is.
    pub(crate) fn sessions_changed(&self, account: &Account) {
        if let Some(elsewhere) = self.elsewhere() {
            elsewhere.changed(account);
        }
    }
}
