//! The nodes, and the connections between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::BytesMut;
use cluster::{Connection, Handshake, Link, Millis, NodeId, Severed, Side};
use parking_lot::Mutex;

use crate::node::{Letter, Node};
use crate::random::Random;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const ACCOUNTS: u64 = 6;

/// One end of a connection.
struct End {
    node: usize,
    boot: u64,
    handshake: Option<Handshake>,
    met: Option<(NodeId, Arc<Mutex<Link>>, Connection)>,
    /// What has come and was not taken, and what is on its way here.
    buffer: BytesMut,
    coming: BytesMut,
    /// Nothing follows what is coming.
    closed: bool,
}

struct Wire {
    ends: [End; 2],
}

pub(crate) struct World {
    random: Random,
    now: Millis,
    boots: u64,
    letters: u64,
    nodes: Vec<Node>,
    up: Vec<bool>,
    wires: Vec<Wire>,
    /// Pairs that can't reach each other; connections between them are silent.
    split: BTreeSet<(usize, usize)>,
    sent: BTreeMap<u64, Letter>,
    /// Received in lives that are over.
    buried: Vec<Vec<Letter>>,
    /// Held by lives that are over.
    lost: BTreeSet<u64>,
}

impl World {
    pub(crate) fn new(random: Random, nodes: u64) -> Self {
        let mut world = Self {
            random,
            now: Millis(1_000_000),
            boots: 0,
            letters: 0,
            nodes: Vec::new(),
            up: Vec::new(),
            wires: Vec::new(),
            split: BTreeSet::new(),
            sent: BTreeMap::new(),
            buried: Vec::new(),
            lost: BTreeSet::new(),
        };
        for name in &NAMES[..usize::try_from(nodes).unwrap()] {
            let node = world.boot(name);
            world.nodes.push(node);
            world.up.push(true);
        }
        world
    }

    fn boot(&mut self, name: &str) -> Node {
        self.boots += 1;
        let clock = self.random.below(10_000);
        Node::new(name, self.boots, clock)
    }

    fn any(&mut self) -> usize {
        let len = self.nodes.len() as u64;
        usize::try_from(self.random.below(len)).unwrap()
    }

    fn pair(&mut self) -> (usize, usize) {
        let (a, b) = (self.any(), self.any());
        if a == b { self.pair() } else { (a, b) }
    }

    pub(crate) fn mishap(&mut self) {
        match self.random.below(20) {
            0 => {
                let node = self.any();
                self.die(node);
            }
            1 | 2 => {
                let node = self.any();
                self.start(node);
            }
            3 => {
                let (a, b) = self.pair();
                self.split.insert((a.min(b), a.max(b)));
            }
            4 => self.split.clear(),
            5 | 6 if !self.wires.is_empty() => {
                let len = self.wires.len() as u64;
                let wire = usize::try_from(self.random.below(len)).unwrap();
                self.cut(wire);
            }
            7 => self.pass(Millis(6_000)),
            8 => {
                // The clock steps back.
                let node = self.any();
                self.nodes[node].clock = 0;
            }
            9..12 => {
                let (a, b) = self.pair();
                self.dial(a, b);
            }
            12..15 => {
                let node = self.any();
                let account = format!("user{}@verona.lit", self.random.below(ACCOUNTS));
                let resource = format!("r{}", self.random.below(3));
                if !self.up[node] {
                } else if self.random.below(3) == 0 {
                    let kind = cluster::KeyKind::Account;
                    self.nodes[node].registry.remove(kind, &account);
                } else {
                    let now = self.now;
                    self.nodes[node].login(now, &account, &resource);
                }
            }
            _ => {
                for _ in 0..5 {
                    let (a, b) = self.pair();
                    self.send(a, b);
                }
            }
        }
        for _ in 0..self.random.below(30) {
            self.step();
        }
    }

    fn send(&mut self, from: usize, to: usize) {
        let name = self.nodes[to].id.name.clone();
        if !self.up[from] {
            return;
        }
        let Some(link) = self.nodes[from].members.get(&name).and_then(|m| m.link()) else {
            return;
        };
        let letter = Letter {
            from: self.nodes[from].id.boot.0,
            to: to as u64,
            number: self.letters,
        };
        if link.lock().push(letter.to_bytes()).is_ok() {
            self.sent.insert(self.letters, letter);
            self.letters += 1;
        }
    }

    fn die(&mut self, node: usize) {
        if !std::mem::replace(&mut self.up[node], false) {
            return;
        }
        let boot = self.nodes[node].id.boot.0;
        let mine = |l: &&Letter| l.from == boot;
        self.lost
            .extend(self.sent.values().filter(mine).map(|l| l.number));
        let received = std::mem::take(&mut self.nodes[node].received);
        self.buried.push(received);
        for at in 0..self.wires.len() {
            if self.wires[at].ends.iter().any(|end| end.node == node) {
                self.cut(at);
            }
        }
    }

    fn start(&mut self, node: usize) {
        if self.up[node] {
            self.die(node);
        }
        self.nodes[node] = self.boot(NAMES[node]);
        self.up[node] = true;
    }

    /// Some of what is on its way is lost, and each end learns it after what is not.
    fn cut(&mut self, wire: usize) {
        for end in &mut self.wires[wire].ends {
            let kept = self.random.below(end.coming.len() as u64 + 1);
            end.coming.truncate(usize::try_from(kept).unwrap());
            end.closed = true;
        }
    }

    fn dial(&mut self, from: usize, to: usize) {
        if !self.up[from] || !self.up[to] || self.is_split(from, to) {
            return;
        }
        let mut said = [BytesMut::new(), BytesMut::new()];
        let mut end = |node: usize, side, out: &mut BytesMut| {
            let greeting = self.nodes[node].greeting(self.random.next());
            End {
                node,
                boot: self.nodes[node].id.boot.0,
                handshake: Some(Handshake::new(side, greeting, out)),
                met: None,
                buffer: BytesMut::new(),
                coming: BytesMut::new(),
                closed: false,
            }
        };
        let mut ends = [
            end(from, Side::Caller, &mut said[0]),
            end(to, Side::Called, &mut said[1]),
        ];
        let [caller, called] = said;
        ends[1].coming = caller;
        ends[0].coming = called;
        self.wires.push(Wire { ends });
    }

    fn is_split(&self, a: usize, b: usize) -> bool {
        self.split.contains(&(a.min(b), a.max(b)))
    }

    fn pass(&mut self, time: Millis) {
        self.now = self.now + time;
        for (node, up) in self.nodes.iter_mut().zip(&self.up) {
            if *up {
                node.members.tick(self.now);
                node.events();
            }
        }
    }

    /// Something small happens at one end of one connection.
    fn step(&mut self) {
        let ms = self.random.below(40);
        self.pass(Millis(ms));
        if self.wires.is_empty() {
            return;
        }
        let len = self.wires.len() as u64;
        let wire = usize::try_from(self.random.below(len)).unwrap();
        let side = usize::try_from(self.random.below(2)).unwrap();
        let whole = self.random.below(2) == 0;
        self.work(wire, side, whole);
        self.wires
            .retain(|w| !w.ends.iter().all(|e| e.closed && e.coming.is_empty()));
    }

    /// One end takes some of what has come, and says something.
    fn work(&mut self, wire: usize, side: usize, whole: bool) {
        let split = {
            let [a, b] = &self.wires[wire].ends;
            self.is_split(a.node, b.node)
        };
        let end = &mut self.wires[wire].ends[side];
        let node = &mut self.nodes[end.node];
        let alive = self.up[end.node] && end.boot == node.id.boot.0;
        if split && !end.closed {
            return;
        }
        let take = end.coming.len() as u64;
        let take = if whole {
            take
        } else {
            self.random.below(take + 1)
        };
        let came = end.coming.split_to(usize::try_from(take).unwrap());
        if !alive {
            return self.cut(wire);
        }
        end.buffer.unsplit(came);
        let mut out = BytesMut::new();
        let mut over = false;
        if let Some(handshake) = &mut end.handshake {
            let members = &mut node.members;
            match handshake.received(self.now, &mut end.buffer, &mut out, members) {
                Ok(None) => {}
                Ok(Some(met)) => {
                    end.handshake = None;
                    end.met = Some((met.peer, met.link, met.connection));
                }
                Err(_) => over = true,
            }
            node.events();
        }
        if let Some((peer, link, connection)) = &end.met {
            let mut link = link.lock();
            let mut parcels = Vec::new();
            let taken = link.received(*connection, self.now, &mut end.buffer, &mut parcels);
            node.parcels(peer, parcels);
            match taken {
                Ok(()) => {}
                Err(Severed::Replaced) => over = true,
                Err(severed) => panic!("{severed}"),
            }
            let index = node.registry.peer_index(&peer.name);
            if !over
                && link.delta_room() > 0
                && let Some(delta) = node.registry.take(index, 100)
            {
                link.push_delta(delta).unwrap();
            }
            let most = usize::try_from(self.random.below(300)).unwrap();
            over |= link.write(*connection, self.now, most, &mut out).is_err();
            if end.closed && end.coming.is_empty() {
                link.disconnected(*connection);
            }
        }
        let gone = end.closed && end.coming.is_empty();
        if !end.closed {
            self.wires[wire].ends[1 - side].coming.unsplit(out);
        }
        if over || gone {
            // The other end still gets what was said before.
            self.wires[wire].ends[side].coming.clear();
            for end in &mut self.wires[wire].ends {
                end.closed = true;
            }
        }
    }

    /// All is well again: everybody runs and reaches everybody, for long enough.
    pub(crate) fn heal(&mut self) {
        self.split.clear();
        for node in 0..self.nodes.len() {
            if !self.up[node] {
                self.start(node);
            }
        }
        for _ in 0..12 {
            for a in 0..self.nodes.len() {
                for b in 0..self.nodes.len() {
                    let name = &self.nodes[b].id.name;
                    let member = self.nodes[a].members.get(name);
                    if a != b && member.is_none_or(|m| m.life() != cluster::Life::Alive) {
                        self.dial(a, b);
                        for _ in 0..8 {
                            let last = self.wires.len() - 1;
                            self.work(last, 0, true);
                            self.work(last, 1, true);
                        }
                    }
                }
            }
            for _ in 0..3 {
                for wire in 0..self.wires.len() {
                    self.work(wire, 0, true);
                    self.work(wire, 1, true);
                }
                self.pass(Millis(500));
            }
            self.wires
                .retain(|w| !w.ends.iter().all(|e| e.closed && e.coming.is_empty()));
        }
    }

    pub(crate) fn check(&self) {
        for a in &self.nodes {
            for b in &self.nodes {
                if a.id != b.id {
                    assert_eq!(a.of(&b.id.name), b.own(), "{} of {}", a.id, b.id);
                    let member = a.members.get(&b.id.name).expect("known");
                    assert_eq!(member.boot(), b.id.boot, "{} of {}", a.id, b.id);
                }
            }
        }
        let mut homes = BTreeSet::new();
        for (account, _, _) in self.nodes.iter().flat_map(Node::own) {
            assert!(homes.insert(account.clone()), "{account} has two homes");
        }
        self.check_letters();
    }

    fn check_letters(&self) {
        let mut received = BTreeSet::new();
        let lives = self.nodes.iter().map(|node| &node.received);
        for life in lives.chain(&self.buried) {
            let mut last = BTreeMap::new();
            for letter in life {
                assert!(received.insert(letter.number), "{letter:?} came twice");
                let before = last.insert(letter.from, letter.number);
                assert!(before < Some(letter.number), "{letter:?} out of order");
            }
        }
        let returned = self.nodes.iter().flat_map(|node| &node.returned);
        let returned: BTreeSet<_> = returned.map(|letter| letter.number).collect();
        for letter in self.sent.values() {
            let number = letter.number;
            assert!(
                received.contains(&number)
                    || returned.contains(&number)
                    || self.lost.contains(&number),
                "{letter:?} is lost"
            );
        }
    }
}
