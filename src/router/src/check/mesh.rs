//! Other nodes for tests: routers of one process that pass letters on through queues.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use xmpp::FullJid;

use crate::{Account, Elsewhere, Letter, OthersTold, Peer, Router, Unsent};

/// One node among others, as its router sees them.
pub struct MeshNode {
    name: Peer,
    /// All nodes, this one too, in an order that all agree upon.
    all: Arc<[Peer]>,
    links: OnceLock<HashMap<Peer, UnboundedSender<(Peer, Word)>>>,
    /// What the others have said of their accounts: home, and the sessions that are available.
    homes: RwLock<Homes>,
    guests: OnceLock<OnGuests>,
    dead: AtomicBool,
}

type Homes = HashMap<Box<str>, (Peer, Vec<FullJid>)>;
type OnGuests = Box<dyn Fn(GuestNews) + Send + Sync>;

/// What the actors of guests are told.
pub enum GuestNews {
    /// A letter of theirs, from this node.
    Letter(Peer, Letter),
    /// This node is gone.
    Gone(Peer),
}

/// What goes over a link.
enum Word {
    Letter(Bytes),
    Home(Box<str>, Vec<FullJid>),
    Left(Box<str>),
    /// Answered when it is this one's turn.
    Told(oneshot::Sender<()>),
    /// The sender is dead.
    Dead,
}

/// Makes these routers those of the nodes `node-0`, `node-1`, … of one cluster.
pub fn tie(routers: &[Router]) -> Vec<Arc<MeshNode>> {
    let all: Arc<[Peer]> = (0..routers.len())
        .map(|node| Peer(format!("node-{node}").into()))
        .collect();
    let mut inboxes = HashMap::new();
    let nodes: Vec<_> = routers
        .iter()
        .zip(all.iter())
        .map(|(router, name)| {
            let node = Arc::new(MeshNode {
                name: name.clone(),
                all: all.clone(),
                links: OnceLock::new(),
                homes: RwLock::default(),
                guests: OnceLock::new(),
                dead: AtomicBool::new(false),
            });
            let (inbox, came) = unbounded_channel();
            inboxes.insert(name.clone(), inbox);
            tokio::spawn(receive(Arc::downgrade(&node), router.clone(), came));
            node
        })
        .collect();
    for (node, router) in nodes.iter().zip(routers) {
        let mut links = inboxes.clone();
        links.remove(&node.name);
        // They are tied once.
        let _ = node.links.set(links);
        router.join(node.clone());
    }
    nodes
}

/// Deals with what comes over the links of a node.
async fn receive(node: Weak<MeshNode>, router: Router, mut came: UnboundedReceiver<(Peer, Word)>) {
    while let Some((from, word)) = came.recv().await {
        let Some(node) = node.upgrade().filter(|node| !node.is_dead()) else {
            return;
        };
        match word {
            Word::Letter(letter) => {
                let letter = Letter::read(letter).expect("nodes write what nodes read");
                if let Some(guests) = router.receive(&from, letter) {
                    node.guest_news(GuestNews::Letter(from, guests));
                }
            }
            Word::Home(account, available) => {
                let home = (from, available);
                node.homes.write().insert(account.clone(), home);
                router.homes_changed([&*account]);
            }
            Word::Left(account) => {
                let mut homes = node.homes.write();
                if homes.get(&account).is_some_and(|(home, _)| *home == from) {
                    homes.remove(&account);
                }
                drop(homes);
                router.homes_changed([&*account]);
            }
            // Nobody may wait for it any more.
            Word::Told(told) => _ = told.send(()),
            Word::Dead => node.bury(&router, from).await,
        }
    }
}

impl MeshNode {
    /// Who deals with what concerns guests.
    pub fn on_guests(&self, told: impl Fn(GuestNews) + Send + Sync + 'static) {
        // Set once.
        let _ = self.guests.set(Box::new(told));
    }

    /// From now on it neither says nor hears anything, and the others know.
    pub fn die(&self) {
        self.tell_all(|| Word::Dead);
        self.dead.store(true, Ordering::Relaxed);
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    fn guest_news(&self, news: GuestNews) {
        if let Some(guests) = self.guests.get() {
            guests(news);
        }
    }

    /// Another node is dead.
    async fn bury(&self, router: &Router, dead: Peer) {
        let mut vanished = HashMap::new();
        self.homes.write().retain(|account, (home, available)| {
            let gone = *home == dead;
            if gone && !available.is_empty() {
                vanished.insert(account.clone(), std::mem::take(available));
            }
            !gone
        });
        router.peer_gone(&dead);
        self.guest_news(GuestNews::Gone(dead));
        router.peers_changed(vanished, HashSet::new()).await;
    }

    fn tell_all(&self, word: impl Fn() -> Word) {
        if self.is_dead() {
            return;
        }
        for link in self.links.get().into_iter().flat_map(HashMap::values) {
            // At the end of a test the others may be gone already.
            let _ = link.send((self.name.clone(), word()));
        }
    }

    /// Any rule that all nodes share.
    fn rule(&self, account: &str) -> &Peer {
        let sum: usize = account.bytes().map(usize::from).sum();
        &self.all[sum % self.all.len()]
    }
}

impl Elsewhere for MeshNode {
    fn home(&self, account: &str) -> Option<Peer> {
        let homes = self.homes.read();
        homes.get(account).map(|(home, _)| home.clone())
    }

    fn name(&self) -> Peer {
        self.name.clone()
    }

    fn serves(&self) -> bool {
        true
    }

    fn available(&self, account: &str) -> Vec<FullJid> {
        let homes = self.homes.read();
        let home = homes.get(account);
        home.map_or_else(Vec::new, |(_, available)| available.clone())
    }

    fn arbiter(&self, account: &str) -> Option<Peer> {
        let arbiter = self.rule(account);
        (*arbiter != self.name).then(|| arbiter.clone())
    }

    fn send(&self, to: &Peer, letter: Bytes) -> Result<(), Unsent> {
        let link = self.links.get().and_then(|links| links.get(to));
        let sent = link
            .filter(|_| !self.is_dead())
            .map(|link| link.send((self.name.clone(), Word::Letter(letter))));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(Unsent::Gone),
        }
    }

    fn changed(&self, account: &Account) {
        let available: Vec<FullJid> = account
            .sessions()
            .iter()
            .filter(|session| session.priority().is_some())
            .map(|session| session.jid.clone())
            .collect();
        self.tell_all(|| Word::Home(account.jid().as_ref().into(), available.clone()));
    }

    fn left(&self, account: &str) {
        self.tell_all(|| Word::Left(account.into()));
    }

    fn told(&self) -> Option<OthersTold> {
        let mut answers = Vec::new();
        for link in self.links.get()?.values() {
            let (told, answer) = oneshot::channel();
            // One that is gone needs not be told.
            let _ = link.send((self.name.clone(), Word::Told(told)));
            answers.push(answer);
        }
        Some(Box::pin(async move {
            for answer in answers {
                let _ = answer.await;
            }
        }))
    }
}
