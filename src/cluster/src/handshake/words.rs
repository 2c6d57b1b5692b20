//! What is said in a handshake, as bytes, and why one fails.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::Greeting;
use crate::frame::Garbage;
use crate::members::{Go, LinkId, Resume};
use crate::node::{Boot, Millis, NodeId, NodeName};
use crate::wire;

/// The longest word, its length not counted.
const LONGEST: usize = 1_024;
/// A hello begins with it.
const MAGIC: [u8; 8] = *b"mungo-cl";

pub(super) const HELLO: u8 = 1;
pub(super) const PROOF: u8 = 2;
const RESUME: u8 = 3;
const GO: u8 = 4;
pub(super) const REFUSED: u8 = 5;

/// Why a connection between nodes is of no use, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What came is no handshake.
    #[error(
        "it doesn't speak as a node of this version does ({0}): is the address that of a cluster port?"
    )]
    Garbage(#[from] Garbage),
    /// Another program.
    #[error("whoever answers is no node: is the address that of a cluster port?")]
    NoNode,
    /// No version in common.
    #[error(
        "it speaks versions {} to {} of the protocol and this node {} to {}: upgrade the older node by way of a release that speaks both", theirs.0, theirs.1, ours.0, ours.1
    )]
    Version {
        /// The oldest and newest that we speak.
        ours: (u16, u16),
        /// The same of the peer.
        theirs: (u16, u16),
    },
    /// Another cluster.
    #[error(
        "it belongs to the cluster \"{0}\": set the same `cluster: (name)` on both nodes, or remove its address here"
    )]
    Cluster(Box<str>),
    /// It does not know the cookie.
    #[error("it has another cookie: set the same `cluster: (cookie)` on all nodes")]
    Cookie,
    /// We have called ourselves.
    #[error("the address is that of this very node")]
    Ourselves,
    /// Its name is ours.
    #[error("it has the name of this node: give each node a name of its own in `cluster: (node)`")]
    OurName,
    /// Its name is that of another node that lives.
    #[error(
        "another node of this name is alive: give each node a name of its own in `cluster: (node)`; after a restart this ends by itself within seconds"
    )]
    NameTaken,
    /// A later connection took its place.
    #[error("a later connection between the two took its place")]
    Replaced,
    /// The two remember different things; the next connection begins anew.
    #[error(
        "the two nodes remember different things of their link: the next connection begins a new one"
    )]
    Confused,
    /// It has said that it leaves.
    #[error("it leaves: it comes back when it is started again")]
    Leaves,
    /// The other side refuses, for this reason.
    #[error("the other node refuses: {0}")]
    ByPeer(&'static str),
}

/// Reasons as they are said, each with what the one who hears it should know.
const REASONS: [&str; 10] = [
    "this node doesn't speak as one of its version does",
    "the two have no version of the protocol in common: upgrade the older one by way of a release that speaks both",
    "it belongs to another cluster: set the same `cluster: (name)` on both nodes, or remove its address here",
    "it has another cookie: set the same `cluster: (cookie)` on all nodes",
    "the address is that of this very node",
    "it has the name of this node: give each node a name of its own in `cluster: (node)`",
    "a node of this name is alive there: give each node a name of its own in `cluster: (node)`; after a restart this ends by itself within seconds",
    "a later connection between the two took the place of this one",
    "the two remember different things of their link: the next connection begins a new one",
    "this node has said that it leaves",
];

impl Refusal {
    /// As it is said; a refusal is not answered with one.
    pub(super) fn code(&self) -> Option<u8> {
        match self {
            // A stranger learns nothing of us.
            Self::NoNode | Self::ByPeer(_) => None,
            Self::Garbage(_) => Some(0),
            Self::Version { .. } => Some(1),
            Self::Cluster(_) => Some(2),
            Self::Cookie => Some(3),
            Self::Ourselves => Some(4),
            Self::OurName => Some(5),
            Self::NameTaken => Some(6),
            Self::Replaced => Some(7),
            Self::Confused => Some(8),
            Self::Leaves => Some(9),
        }
    }

    pub(super) fn by_peer(code: u8) -> Self {
        let reason = REASONS.get(usize::from(code)).copied();
        Self::ByPeer(reason.unwrap_or("its reason is one that this version does not know"))
    }
}

/// One word.
#[derive(Debug)]
pub(super) enum Word {
    /// With its bytes, which are proven.
    Hello(Hello, Bytes),
    Proof([u8; 32]),
    Resume(Resume),
    Go(Go),
    Refused(u8),
}

/// Who somebody claims to be.
#[derive(Debug, Clone)]
pub(super) struct Hello {
    pub(super) versions: (u16, u16),
    pub(super) features: u64,
    pub(super) cluster: Box<str>,
    pub(super) node: NodeId,
    pub(super) clock: Millis,
    nonce: [u8; 32],
}

impl Hello {
    pub(super) fn of(greeting: &Greeting) -> Self {
        let mut cluster = &*greeting.cluster;
        while cluster.len() > 255 {
            cluster = &cluster[..cluster.floor_char_boundary(255)];
        }
        Self {
            versions: greeting.versions,
            features: greeting.features,
            cluster: cluster.into(),
            node: greeting.us.clone(),
            clock: greeting.clock,
            nonce: greeting.nonce,
        }
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_slice(&MAGIC);
        out.put_u16(self.versions.0);
        out.put_u16(self.versions.1);
        out.put_u64(self.features);
        wire::put_text(&mut out, &self.cluster);
        wire::put_text(&mut out, self.node.name.as_str());
        out.put_u64(self.node.boot.0);
        out.put_u64(self.clock.0);
        out.put_slice(&self.nonce);
        out.freeze()
    }

    /// What follows the nonce is of later versions.
    fn read(mut from: Bytes) -> Result<Self, Refusal> {
        if wire::run(&mut from, MAGIC.len())? != MAGIC[..] {
            return Err(Refusal::NoNode);
        }
        let versions = (wire::u16(&mut from)?, wire::u16(&mut from)?);
        let features = wire::u64(&mut from)?;
        let cluster = wire::text(&mut from)?;
        let name = NodeName::new(&wire::text(&mut from)?).map_err(|_| Garbage::Text)?;
        let boot = Boot(wire::u64(&mut from)?);
        Ok(Self {
            versions,
            features,
            cluster,
            node: NodeId { name, boot },
            clock: Millis(wire::u64(&mut from)?),
            nonce: array(&mut from)?,
        })
    }
}

/// Takes a word from the front of what came.
pub(super) fn next(bytes: &mut BytesMut) -> Result<Option<Word>, Refusal> {
    let Some(head) = bytes.first_chunk::<2>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes(*head));
    // What other programs say first, as text, is longer than any word.
    if len > LONGEST || len == 0 {
        return Err(Refusal::NoNode);
    }
    if bytes.len() < 2 + len {
        return Ok(None);
    }
    bytes.advance(2);
    let mut word = bytes.split_to(len).freeze();
    let read = match wire::u8(&mut word)? {
        HELLO => return Ok(Some(Word::Hello(Hello::read(word.clone())?, word))),
        PROOF => Word::Proof(array(&mut word)?),
        RESUME => {
            let attempt = wire::u64(&mut word)?;
            let link = match wire::u8(&mut word)? {
                0 => None,
                1 => Some((LinkId(wire::u64(&mut word)?), wire::u64(&mut word)?)),
                kind => return Err(Garbage::Kind(kind).into()),
            };
            Word::Resume(Resume { attempt, link })
        }
        GO => {
            let link = LinkId(wire::u64(&mut word)?);
            let received = match wire::u8(&mut word)? {
                0 => None,
                1 => Some(wire::u64(&mut word)?),
                kind => return Err(Garbage::Kind(kind).into()),
            };
            Word::Go(Go { link, received })
        }
        REFUSED => Word::Refused(wire::u8(&mut word)?),
        kind => return Err(Garbage::Kind(kind).into()),
    };
    if word.is_empty() {
        Ok(Some(read))
    } else {
        Err(Garbage::Trailing.into())
    }
}

fn array(from: &mut Bytes) -> Result<[u8; 32], Garbage> {
    let bytes = wire::run(from, 32)?;
    bytes[..].try_into().map_err(|_| Garbage::Short)
}

/// Puts a word of these bytes.
pub(super) fn put(out: &mut BytesMut, kind: u8, bytes: &[u8]) {
    // No word of ours comes near to what two bytes can count.
    out.put_u16(u16::try_from(1 + bytes.len()).unwrap_or(u16::MAX));
    out.put_u8(kind);
    out.put_slice(bytes);
}

pub(super) fn put_resume(out: &mut BytesMut, resume: Resume) {
    let mut bytes = BytesMut::new();
    bytes.put_u64(resume.attempt);
    match resume.link {
        None => bytes.put_u8(0),
        Some((link, received)) => {
            bytes.put_u8(1);
            bytes.put_u64(link.0);
            bytes.put_u64(received);
        }
    }
    put(out, RESUME, &bytes);
}

pub(super) fn put_go(out: &mut BytesMut, go: Go) {
    let mut bytes = BytesMut::new();
    bytes.put_u64(go.link.0);
    match go.received {
        None => bytes.put_u8(0),
        Some(received) => {
            bytes.put_u8(1);
            bytes.put_u64(received);
        }
    }
    put(out, GO, &bytes);
}
