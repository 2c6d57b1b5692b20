//! The first words on a connection between nodes, as a value: bytes in, bytes out.
//!
//! Each word has its length in front, in two bytes, and then its kind. Both sides say *hello*: who they are, in
//! which cluster, which versions they speak. Then the caller, and only then the called one, *proves* that it
//! knows the cookie: HMAC-SHA-256 over both hellos, with their nonces, and over what binds the proof to the TLS
//! connection. At last both agree upon the link ([`Members`]). Whoever refuses says why.

mod proof;
mod words;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use crate::frame::Garbage;
use crate::link::{Connection, Link};
use crate::members::{LinkId, Members, Resume};
use crate::node::{Millis, NodeId};

pub use proof::Cookie;
pub use words::Refusal;

use proof::Proof;
use words::{Hello, Word};

/// Clocks that differ by more are worth a warning.
const CLOCKS_APART: u64 = 60_000;

/// Which side of a connection a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It has connected.
    Caller,
    /// The other one has.
    Called,
}

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// Of the cluster; other clusters are refused. At most 255 bytes are said.
    pub cluster: Box<str>,
    /// This node in this life.
    pub us: NodeId,
    /// What all nodes of the cluster know and nobody else does.
    pub cookie: Cookie,
    /// The oldest and the newest version of the protocol that it speaks.
    pub versions: (u16, u16),
    /// What it can do beyond its version; what both can is in [`Met::features`].
    pub features: u64,
    /// Its clock: milliseconds since 1970.
    pub clock: Millis,
    /// Random, never used before.
    pub nonce: [u8; 32],
    /// What binds the proof to this very TLS connection, if it is one.
    pub binding: Option<[u8; 32]>,
}

/// A peer that has proven what it is, and the way to it.
#[derive(Debug)]
pub struct Met {
    /// Who.
    pub peer: NodeId,
    /// The newest version that both speak.
    pub version: u16,
    /// What both can do.
    pub features: u64,
    /// The link that this connection carries. Bytes that are left belong to it.
    pub link: Arc<Mutex<Link>>,
    /// Which of its connections this is.
    pub connection: Connection,
    /// Worth a warning: by how many milliseconds the clocks differ.
    pub clocks_apart: Option<Millis>,
}

/// The first words of one side.
#[derive(Debug)]
pub struct Handshake {
    side: Side,
    ours: Greeting,
    our_hello: Bytes,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The peer's hello must come.
    Hello,
    /// Its proof.
    Proof(Peer),
    /// Which link it knows; we decide.
    Resume(Peer, LinkId),
    /// What it decides about our offer.
    Go(Peer, Resume),
    Over,
}

/// What is known of the peer from its hello on.
#[derive(Debug)]
struct Peer {
    hello: Hello,
    version: u16,
    proof: Proof,
}

impl Handshake {
    /// A connection on which nothing was said yet. Our hello is put into `out`.
    pub fn new(side: Side, ours: Greeting, out: &mut BytesMut) -> Self {
        let our_hello = Hello::of(&ours).to_bytes();
        words::put(out, words::HELLO, &our_hello);
        Self {
            side,
            ours,
            our_hello,
            state: State::Hello,
        }
    }

    /// Bytes have come: takes whole words from their front, and puts into `out` what is to be said. `None`:
    /// more must come.
    ///
    /// # Errors
    /// Why the connection is of no use. What is in `out` is still to be written, then it ends.
    pub fn received(
        &mut self,
        now: Millis,
        bytes: &mut BytesMut,
        out: &mut BytesMut,
        members: &mut Members,
    ) -> Result<Option<Met>, Refusal> {
        let step = self.step(now, bytes, out, members);
        if let Err(refusal) = &step {
            self.state = State::Over;
            if let Some(code) = refusal.code() {
                words::put(out, words::REFUSED, &[code]);
            }
        }
        step
    }

    fn step(
        &mut self,
        now: Millis,
        bytes: &mut BytesMut,
        out: &mut BytesMut,
        members: &mut Members,
    ) -> Result<Option<Met>, Refusal> {
        while let Some(word) = words::next(bytes)? {
            match (std::mem::replace(&mut self.state, State::Over), word) {
                (_, Word::Refused(code)) => return Err(Refusal::by_peer(code)),
                (State::Hello, Word::Hello(hello, raw)) => self.hello(hello, &raw, out)?,
                (State::Proof(peer), Word::Proof(said)) => {
                    self.proof(now, peer, &said, out, members)?;
                }
                (State::Resume(peer, fresh), Word::Resume(resume)) => {
                    let id = &peer.hello.node;
                    let (go, link, connection) = members.decide(now, id, resume, fresh)?;
                    words::put_go(out, go);
                    return Ok(Some(self.met(peer, link, connection)));
                }
                (State::Go(peer, offered), Word::Go(go)) => {
                    let id = &peer.hello.node;
                    let (link, connection) = members.accept(now, id, offered.attempt, go)?;
                    return Ok(Some(self.met(peer, link, connection)));
                }
                _ => return Err(Garbage::Order.into()),
            }
        }
        Ok(None)
    }

    fn hello(&mut self, hello: Hello, raw: &Bytes, out: &mut BytesMut) -> Result<(), Refusal> {
        let (lowest, highest) = self.ours.versions;
        let version = highest.min(hello.versions.1);
        if version < lowest.max(hello.versions.0) {
            return Err(Refusal::Version {
                ours: self.ours.versions,
                theirs: hello.versions,
            });
        }
        if *hello.cluster != *self.ours.cluster {
            return Err(Refusal::Cluster(hello.cluster));
        }
        if hello.node == self.ours.us {
            return Err(Refusal::Ourselves);
        }
        if hello.node.name == self.ours.us.name {
            return Err(Refusal::OurName);
        }
        let (caller, called) = match self.side {
            Side::Caller => (&self.our_hello, raw),
            Side::Called => (raw, &self.our_hello),
        };
        let proof = Proof::new(
            &self.ours.cookie,
            caller,
            called,
            self.ours.binding.as_ref(),
        );
        if self.side == Side::Caller {
            words::put(out, words::PROOF, &proof.of(Side::Caller));
        }
        self.state = State::Proof(Peer {
            hello,
            version,
            proof,
        });
        Ok(())
    }

    fn proof(
        &mut self,
        now: Millis,
        peer: Peer,
        said: &[u8; 32],
        out: &mut BytesMut,
        members: &mut Members,
    ) -> Result<(), Refusal> {
        let theirs = match self.side {
            Side::Caller => Side::Called,
            Side::Called => Side::Caller,
        };
        if !peer.proof.is(theirs, said) {
            return Err(Refusal::Cookie);
        }
        if self.side == Side::Called {
            words::put(out, words::PROOF, &peer.proof.of(Side::Called));
        }
        let id = &peer.hello.node;
        if members.decides(id) {
            let fresh = peer.proof.link();
            self.state = State::Resume(peer, fresh);
        } else {
            let resume = members.offer(now, id)?;
            words::put_resume(out, resume);
            self.state = State::Go(peer, resume);
        }
        Ok(())
    }

    fn met(&self, peer: Peer, link: Arc<Mutex<Link>>, connection: Connection) -> Met {
        let apart = self.ours.clock.0.abs_diff(peer.hello.clock.0);
        Met {
            version: peer.version,
            features: peer.hello.features & self.ours.features,
            peer: peer.hello.node,
            link,
            connection,
            clocks_apart: (apart > CLOCKS_APART).then_some(Millis(apart)),
        }
    }
}

#[cfg(test)]
mod tests;
