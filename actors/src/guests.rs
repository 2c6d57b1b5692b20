//! Clients that are connected to another node than the home of their account.
//!
//! The actor of such a client's session keeps the connection and passes on; a second session actor, at
//! the home, is the one that everybody else deals with. This is where the two find each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use ractor::{Actor, SpawnErr};
use router::{
    Elsewhere, Ending, GuestId, GuestOpen, Letter, Peer, Router, ToGuest, ToHome, Unsent,
};
use tokio::sync::oneshot;
use xmpp::{Condition, FullJid, Stanza, StanzaError};

use crate::figures::ClientFigures;
use crate::inbox::{InboxLimits, SessionInbox};
use crate::outlet::{GuestWire, Outlet};
use crate::service::Shards;
use crate::session::{Refused, SessionActor, SessionArgs, SessionMsg};
use crate::vitals::Roll;

/// The guests of a node: its own clients at other nodes, and those of other nodes here.
pub struct Guests {
    router: Router,
    elsewhere: Arc<dyn Elsewhere>,
    shards: Shards,
    roll: Roll,
    limits: InboxLimits,
    figures: Arc<ClientFigures>,
    last: AtomicU64,
    /// Clients here whose account has its home elsewhere.
    away: Mutex<HashMap<GuestId, Away>>,
    /// Sessions here whose client is connected elsewhere.
    hosted: Mutex<HashMap<(Peer, GuestId), Host>>,
}

struct Away {
    home: Peer,
    inbox: Arc<SessionInbox>,
    /// Told how it was received, once.
    opening: Option<oneshot::Sender<Received>>,
}

struct Host {
    inbox: Arc<SessionInbox>,
    wire: Arc<GuestWire>,
}

/// How a node has received a guest.
pub(crate) enum Received {
    Opened(FullJid),
    Refused(StanzaError),
    /// Not there, but at this node.
    Moved(Peer),
    /// Not there any more: the node stops.
    Leaving,
}

impl Guests {
    /// Nobody yet.
    #[must_use]
    pub fn new(
        router: Router,
        elsewhere: Arc<dyn Elsewhere>,
        shards: Shards,
        roll: Roll,
        limits: InboxLimits,
        figures: Arc<ClientFigures>,
    ) -> Arc<Self> {
        Arc::new(Self {
            router,
            elsewhere,
            shards,
            roll,
            limits,
            figures,
            last: AtomicU64::new(0),
            away: Mutex::default(),
            hosted: Mutex::default(),
        })
    }

    /// Clients here whose account has its home at another node, and sessions here whose client is
    /// connected to another node.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.away.lock().len(), self.hosted.lock().len())
    }

    /// Asks `home` for a session of a client that is connected here. Without an answer the node is gone.
    pub(crate) fn visit(
        self: &Arc<Self>,
        home: Peer,
        open: GuestOpen,
        inbox: Arc<SessionInbox>,
    ) -> (Visiting, oneshot::Receiver<Received>) {
        let guest = GuestId(self.last.fetch_add(1, Ordering::Relaxed));
        let (opening, received) = oneshot::channel();
        let away = Away {
            home: home.clone(),
            inbox,
            opening: Some(opening),
        };
        self.away.lock().insert(guest, away);
        let visiting = Visiting {
            guests: self.clone(),
            home,
            guest,
            over: false,
        };
        if visiting.say(ToHome::Open(Box::new(open))).is_err() {
            // Drops the sender: nobody answers.
            self.away.lock().remove(&guest);
        }
        (visiting, received)
    }

    /// Deals with a letter of guests or for guests.
    pub fn letter(self: &Arc<Self>, from: &Peer, letter: Letter) {
        match letter {
            Letter::ToGuest { guest, word } => self.to_guest(from, guest, word),
            Letter::ToHome {
                guest,
                word: ToHome::Open(open),
            } => self.host(from.clone(), guest, *open),
            Letter::ToHome { guest, word } => {
                let hosted = self.hosted.lock();
                let Some(host) = hosted.get(&(from.clone(), guest)) else {
                    return;
                };
                match word {
                    ToHome::Taken(number) => host.wire.taken(number),
                    // A session that has ended hears no more.
                    word => _ = host.inbox.tell(SessionMsg::FromGuest(word)),
                }
            }
            // All others are the router's.
            _ => {}
        }
    }

    fn to_guest(&self, from: &Peer, guest: GuestId, word: ToGuest) {
        let mut away = self.away.lock();
        let Some(there) = away.get_mut(&guest).filter(|away| away.home == *from) else {
            return;
        };
        let received = match word {
            ToGuest::Opened(jid) => Received::Opened(jid),
            ToGuest::Refused(error) => Received::Refused(error),
            ToGuest::Moved(peer) => Received::Moved(peer),
            ToGuest::Leave if there.opening.is_some() => Received::Leaving,
            word => {
                // Gone, it has told its home by itself.
                let _ = there.inbox.tell(SessionMsg::FromHome(word));
                return;
            }
        };
        if let Some(opening) = there.opening.take() {
            // Who has stopped waiting says so to the home as it goes.
            let _ = opening.send(received);
        }
    }

    /// Opens a session here for a client that is connected to `peer`.
    fn host(self: &Arc<Self>, peer: Peer, guest: GuestId, open: GuestOpen) {
        let wire = GuestWire::new(self.elsewhere.clone(), peer.clone(), guest);
        let outlet = Outlet::Guest(wire.clone());
        let inbox = SessionInbox::new(outlet.clone(), self.limits, self.figures.clone());
        let Some(supervisor) = self.shards.next() else {
            wire.tell(ToGuest::Leave);
            return;
        };
        let key = (peer, guest);
        let host = Host {
            inbox: inbox.clone(),
            wire: wire.clone(),
        };
        self.hosted.lock().insert(key.clone(), host);
        let (bound, entry) = oneshot::channel();
        let args = SessionArgs {
            router: self.router.clone(),
            account: open.account,
            resource: open.resource,
            facts: open.facts,
            inbox: inbox.clone(),
            outlet,
            roll: self.roll.clone(),
            bound,
            guests: None,
            hosted: Some(Hosted {
                guests: self.clone(),
                key,
            }),
        };
        tokio::spawn(async move {
            let spawned = Actor::spawn_linked(None, SessionActor, args, supervisor).await;
            let answer = match (spawned, entry.await) {
                (Ok(_), Ok(entry)) => ToGuest::Opened(entry.jid.clone()),
                (Err(SpawnErr::StartupFailed(error)), _) => match error.downcast::<Refused>() {
                    Ok(refused) => match *refused {
                        Refused::Error(error) => ToGuest::Refused(error),
                        Refused::Elsewhere(peer) => ToGuest::Moved(peer),
                    },
                    Err(error) => {
                        tracing::error!(what = "session_not_started", %error);
                        ToGuest::Refused(StanzaError::new(Condition::InternalServerError))
                    }
                },
                _ => ToGuest::Refused(StanzaError::new(Condition::InternalServerError)),
            };
            let opened = matches!(answer, ToGuest::Opened(_));
            wire.tell(answer);
            if opened {
                // What came for it meanwhile goes out behind the answer.
                let _ = inbox.tell(SessionMsg::Start);
            }
        });
    }

    /// A node is gone: its clients' sessions here end, and clients here whose sessions were there open new
    /// ones. `untaken` is what it had not taken.
    pub fn peer_gone(&self, peer: &Peer, untaken: Vec<Letter>) {
        let mut unsaid: HashMap<GuestId, Vec<Stanza>> = HashMap::new();
        for letter in untaken {
            if let Letter::ToHome {
                guest,
                word: ToHome::Said(stanzas),
            } = letter
            {
                unsaid.entry(guest).or_default().extend(stanzas);
            }
        }
        let hosted = self.hosted.lock();
        for (_, host) in hosted.iter().filter(|((at, _), _)| at == peer) {
            let _ = host
                .inbox
                .tell(SessionMsg::FromGuest(ToHome::Ended(Ending::Lost)));
        }
        drop(hosted);
        self.away.lock().retain(|guest, away| {
            if away.home != *peer {
                return true;
            }
            if away.opening.is_none() {
                let unsaid = unsaid.remove(guest).unwrap_or_default();
                let _ = away.inbox.tell(SessionMsg::HomeGone { unsaid });
            }
            // One that was being received learns of it as the sender is dropped.
            false
        });
    }
}

/// The tie of a client that is connected here to its session at another node. Dropping it ends the
/// session there.
pub(crate) struct Visiting {
    guests: Arc<Guests>,
    home: Peer,
    guest: GuestId,
    over: bool,
}

impl Visiting {
    /// Tells the home something.
    pub(crate) fn say(&self, word: ToHome) -> Result<(), Unsent> {
        let letter = Letter::ToHome {
            guest: self.guest,
            word,
        };
        self.guests.elsewhere.send(&self.home, letter.to_bytes())
    }

    pub(crate) fn taken(&self, number: u64) -> impl FnOnce() + Send + 'static {
        let (elsewhere, home, guest) =
            (self.guests.elsewhere.clone(), self.home.clone(), self.guest);
        move || {
            let word = ToHome::Taken(number);
            // A home that is gone does not wait.
            let _ = elsewhere.send(&home, Letter::ToHome { guest, word }.to_bytes());
        }
    }

    /// Says so when the client has gone, and how; once.
    pub(crate) fn end(&mut self, ending: Ending) {
        if !std::mem::replace(&mut self.over, true) {
            // A home that is gone needs not know.
            let _ = self.say(ToHome::Ended(ending));
        }
    }

    /// The session there is no more: there is nobody to tell.
    pub(crate) fn is_over(&mut self) {
        self.over = true;
    }
}

impl Drop for Visiting {
    fn drop(&mut self) {
        self.end(Ending::Lost);
        self.guests.away.lock().remove(&self.guest);
    }
}

/// The entry of a session whose client is connected elsewhere, as long as it lives.
pub(crate) struct Hosted {
    guests: Arc<Guests>,
    key: (Peer, GuestId),
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.guests.hosted.lock().remove(&self.key);
    }
}
