//! The other nodes: who lives, and the link to each.
//!
//! Of two nodes the one with the smaller name *decides* about connections between them: the other says on
//! each new connection which link it knows ([`Resume`]) and takes nothing more from its old connection; the
//! decider goes on with that link or begins a new one ([`Go`]). So however many connections there are at
//! once, both sides use the same one, and both know which letters have arrived.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::handshake::Refusal;
use crate::link::{Connection, Link, LinkLimits};
use crate::node::{Boot, Millis, NodeId, NodeName};

/// A link, from its beginning until one of its sides gives it up; chosen anew for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(pub u64);

/// What the node that does not decide says of a new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// Counts what this node has said of this kind: an older one that arrives later is void.
    pub attempt: u64,
    /// The link it has, and how many parcels have come over it.
    pub link: Option<(LinkId, u64)>,
}

/// What the decider says to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Go {
    /// The link that this connection carries.
    pub link: LinkId,
    /// How many parcels have come over it; nothing: it is new, and what was before is void.
    pub received: Option<u64>,
}

/// What the driver has to do about a peer, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The link was given up: its letters that were not confirmed are routed anew. What is known of the peer stays.
    Returned {
        /// Whose.
        peer: NodeId,
        /// In order.
        untaken: Vec<Bytes>,
    },
    /// This life of a peer is over: [`Registry::sweep`](crate::Registry::sweep).
    Gone {
        /// Whose.
        peer: NodeId,
    },
    /// A new link: [`Registry::joined`](crate::Registry::joined).
    Joined {
        /// With whom.
        peer: NodeId,
    },
}

/// How a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is heard.
    Alive,
    /// Its connection is lost and it is not dead yet.
    Unreachable,
    /// It has died or left.
    Gone,
}

/// What is known of another node.
#[derive(Debug)]
pub struct Member {
    /// Its last life.
    boot: Boot,
    /// There while it is not given up.
    link: Option<Arc<Mutex<Link>>>,
    /// The last [`Resume::attempt`] of this life.
    attempt: u64,
    /// What we have said ourselves and await an answer to.
    offered: u64,
    since: Millis,
}

impl Member {
    /// Its last life.
    #[must_use]
    pub fn boot(&self) -> Boot {
        self.boot
    }

    /// Its link, while it is not given up.
    #[must_use]
    pub fn link(&self) -> Option<&Arc<Mutex<Link>>> {
        self.link.as_ref()
    }

    /// How it is.
    #[must_use]
    pub fn life(&self) -> Life {
        match &self.link {
            None => Life::Gone,
            Some(link) if link.lock().is_attached() => Life::Alive,
            Some(_) => Life::Unreachable,
        }
    }

    /// When it came or, if it is gone, went.
    #[must_use]
    pub fn since(&self) -> Millis {
        self.since
    }
}

/// The other nodes, as this one knows them.
#[derive(Debug)]
pub struct Members {
    us: NodeId,
    limits: LinkLimits,
    /// A node that is gone is forgotten after so long.
    forget_after: Millis,
    members: BTreeMap<NodeName, Member>,
    /// Lives that have said that they leave: what they began to say before that brings them back no more.
    leavers: BTreeMap<NodeName, Boot>,
    attempts: u64,
    events: Vec<Event>,
}

impl Members {
    /// Nobody yet.
    #[must_use]
    pub fn new(us: NodeId, limits: LinkLimits, forget_after: Millis) -> Self {
        Self {
            us,
            limits,
            forget_after,
            members: BTreeMap::new(),
            leavers: BTreeMap::new(),
            attempts: 0,
            events: Vec::new(),
        }
    }

    /// This node.
    #[must_use]
    pub fn us(&self) -> &NodeId {
        &self.us
    }

    /// The others, by name.
    pub fn members(&self) -> impl Iterator<Item = (&NodeName, &Member)> {
        self.members.iter()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, name: &NodeName) -> Option<&Member> {
        self.members.get(name)
    }

    /// The names of the nodes that are not given up, this one among them.
    pub fn living(&self) -> impl Iterator<Item = &str> {
        let others = self.members.iter().filter(|(_, m)| m.link.is_some());
        let others = others.map(|(name, _)| name.as_str());
        others.chain([self.us.name.as_str()])
    }

    /// Whether more than half of `expected` nodes are here; a smaller part of a cluster that keeps a
    /// quorum lets nobody log in.
    #[must_use]
    pub fn has_quorum(&self, expected: usize) -> bool {
        self.living().count() * 2 > expected
    }

    /// What has to be done since the last time.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether this node decides about connections with `peer`.
    pub(crate) fn decides(&self, peer: &NodeId) -> bool {
        self.us.name < peer.name
    }

    /// To be said to `peer`, which decides, on a new connection. The old one, if there is one, is void from now on.
    pub(crate) fn offer(&mut self, now: Millis, peer: &NodeId) -> Result<Resume, Refusal> {
        self.meet(now, peer)?;
        self.attempts += 1;
        let attempt = self.attempts;
        let Some(member) = self.members.get_mut(&peer.name) else {
            return Err(Refusal::Replaced);
        };
        member.offered = attempt;
        let link = member.link.as_ref().map(|link| {
            let mut link = link.lock();
            link.detach();
            (link.id(), link.received_count())
        });
        Ok(Resume { attempt, link })
    }

    /// The decider has answered the offer of this attempt.
    pub(crate) fn accept(
        &mut self,
        now: Millis,
        peer: &NodeId,
        attempt: u64,
        go: Go,
    ) -> Result<(Arc<Mutex<Link>>, Connection), Refusal> {
        // Since the offer, another life of the peer may have come, or a later offer have been made.
        let current = |m: &Member| m.boot == peer.boot && m.offered == attempt;
        if !self.members.get(&peer.name).is_some_and(current) {
            return Err(Refusal::Replaced);
        }
        self.attach(now, peer, go.link, go.received)
    }

    /// Decides about a connection on which `peer` has said this; `fresh` is for a new link.
    pub(crate) fn decide(
        &mut self,
        now: Millis,
        peer: &NodeId,
        resume: Resume,
        fresh: LinkId,
    ) -> Result<(Go, Arc<Mutex<Link>>, Connection), Refusal> {
        self.meet(now, peer)?;
        let Some(member) = self.members.get_mut(&peer.name) else {
            return Err(Refusal::Replaced);
        };
        if resume.attempt <= member.attempt {
            return Err(Refusal::Replaced);
        }
        member.attempt = resume.attempt;
        let link = member.link.as_ref().zip(resume.link);
        let known = link.and_then(|(ours, (id, received))| {
            let mut ours = ours.lock();
            // Nothing comes in between what we say now and the new connection.
            ours.detach();
            let goes_on = ours.id() == id && ours.can_resume(received);
            goes_on.then(|| (received, ours.received_count()))
        });
        let (go, theirs) = match known.zip(resume.link) {
            Some(((theirs, ours), (link, _))) => {
                let received = Some(ours);
                (Go { link, received }, Some(theirs))
            }
            None => {
                let (link, received) = (fresh, None);
                (Go { link, received }, None)
            }
        };
        let (link, connection) = self.attach(now, peer, go.link, theirs)?;
        Ok((go, link, connection))
    }

    /// A node of this name and life has proven that it is one of us.
    fn meet(&mut self, now: Millis, peer: &NodeId) -> Result<(), Refusal> {
        match self.leavers.get(&peer.name) {
            Some(boot) if *boot == peer.boot => return Err(Refusal::Leaves),
            Some(_) => _ = self.leavers.remove(&peer.name),
            None => {}
        }
        if let Some(member) = self.members.get(&peer.name)
            && member.boot != peer.boot
        {
            if let Some(link) = &member.link {
                let link = link.lock();
                if link.is_attached() && link.deadline() > now {
                    return Err(Refusal::NameTaken);
                }
            }
            self.give_up(now, &peer.name, true);
            self.members.remove(&peer.name);
        }
        let new = || Member {
            boot: peer.boot,
            link: None,
            attempt: 0,
            offered: 0,
            since: now,
        };
        self.members.entry(peer.name.clone()).or_insert_with(new);
        Ok(())
    }

    /// The connection carries the link `id` from where the peer has `received` so many, or as a new one.
    fn attach(
        &mut self,
        now: Millis,
        peer: &NodeId,
        id: LinkId,
        received: Option<u64>,
    ) -> Result<(Arc<Mutex<Link>>, Connection), Refusal> {
        if let Some(received) = received {
            let link = self.members.get(&peer.name).and_then(|m| m.link.as_ref());
            let link = link.filter(|link| link.lock().id() == id);
            let link = link.ok_or(Refusal::Confused)?.clone();
            let attached = link.lock().attach(now, received);
            let connection = attached.map_err(|_| Refusal::Confused)?;
            return Ok((link, connection));
        }
        self.give_up(now, &peer.name, false);
        let mut link = Link::new(id, self.limits, now);
        let attached = link.attach(now, 0);
        let connection = attached.map_err(|_| Refusal::Confused)?;
        let link = Arc::new(Mutex::new(link));
        if let Some(member) = self.members.get_mut(&peer.name) {
            member.link = Some(link.clone());
            member.since = now;
        }
        self.events.push(Event::Joined { peer: peer.clone() });
        Ok((link, connection))
    }

    /// Ends the link to a peer, and its life too if it is `over`.
    fn give_up(&mut self, now: Millis, name: &NodeName, over: bool) {
        let Some(member) = self.members.get_mut(name) else {
            return;
        };
        let Some(link) = member.link.take() else {
            return;
        };
        member.since = now;
        let peer = NodeId {
            name: name.clone(),
            boot: member.boot,
        };
        let untaken = link.lock().give_up();
        // Swept first: what is routed anew must not go there.
        if over {
            self.events.push(Event::Gone { peer: peer.clone() });
        }
        self.events.push(Event::Returned { peer, untaken });
    }

    /// Declares dead who was not heard for too long, and forgets who was gone for long. Call it at
    /// [`due`](Self::due).
    pub fn tick(&mut self, now: Millis) {
        let silent = |m: &Member| m.link.as_ref().is_some_and(|l| l.lock().deadline() <= now);
        let dead = self.members.iter().filter(|(_, m)| silent(m));
        let dead: Vec<_> = dead.map(|(name, _)| name.clone()).collect();
        for name in dead {
            self.give_up(now, &name, true);
        }
        let forget_after = self.forget_after;
        self.members
            .retain(|_, m| m.link.is_some() || m.since + forget_after > now);
    }

    /// When [`tick`](Self::tick) has something to do, if nothing is heard until then.
    #[must_use]
    pub fn due(&self) -> Option<Millis> {
        let due = |m: &Member| match &m.link {
            Some(link) => link.lock().deadline(),
            None => m.since + self.forget_after,
        };
        self.members.values().map(due).min()
    }

    /// A peer has said that it leaves.
    pub fn left(&mut self, now: Millis, peer: &NodeId) {
        if self.get(&peer.name).is_some_and(|m| m.boot == peer.boot) {
            self.give_up(now, &peer.name, true);
            self.members.remove(&peer.name);
            self.leavers.insert(peer.name.clone(), peer.boot);
        }
    }

    /// Forgets a node that is gone.
    ///
    /// # Errors
    /// It is not known, or it lives.
    pub fn forget(&mut self, name: &NodeName) -> Result<(), NotForgotten> {
        match self.members.get(name) {
            None => Err(NotForgotten::Unknown),
            Some(member) if member.link.is_some() => Err(NotForgotten::Lives),
            Some(_) => {
                self.members.remove(name);
                Ok(())
            }
        }
    }
}

/// Why a node is not forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForgotten {
    /// Nobody knows it.
    #[error("no node of this name is known; `cluster nodes` lists those that are")]
    Unknown,
    /// It is a member.
    #[error("the node lives: stop it first, or let it leave with `cluster leave`")]
    Lives,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, boot: u64) -> NodeId {
        NodeId {
            name: NodeName::new(name).expect("a name"),
            boot: Boot(boot),
        }
    }

    #[test]
    fn who_leaves_comes_back_in_its_next_life_only() {
        let limits = LinkLimits {
            bytes: 1 << 20,
            letters: 100,
            dead_after: Millis(5_000),
        };
        let mut members = Members::new(node("a", 1), limits, Millis(60_000));
        assert_eq!(members.meet(Millis(0), &node("b", 7)), Ok(()));
        members.left(Millis(1), &node("b", 7));
        assert_eq!(members.meet(Millis(2), &node("b", 7)), Err(Refusal::Leaves));
        assert_eq!(members.meet(Millis(3), &node("b", 8)), Ok(()));
    }
}
