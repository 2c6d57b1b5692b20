//! What nodes write to each other about accounts and sessions, as bytes.
//!
//! Numbers are big-endian; a text or a run of bytes has its length in front, in four bytes. Nodes of one
//! protocol version understand each other's letters; what is to be added gets a new first byte.

use std::net::IpAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use xml::Element;
use xmpp::{BareJid, FullJid, Stanza, StanzaError};

use super::Peer;
use crate::session::{ConnectionFacts, Ending};

/// The number of a guest, given by the node it is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuestId(pub u64);

/// One thing that a node tells another.
#[derive(Debug, Clone)]
pub enum Letter {
    /// A stanza on its way, both addresses set.
    Stanza {
        /// How many nodes have passed it on.
        hops: u8,
        /// It.
        stanza: Stanza,
    },
    /// To the arbiter: a client of `account` logs in here. May this node be its home?
    Claim {
        /// Comes back in the answer.
        number: u64,
        /// Whose client.
        account: BareJid,
    },
    /// From the arbiter.
    Claimed {
        /// That of the claim.
        number: u64,
        /// Who has the account; nothing: it is yours.
        home: Option<Peer>,
    },
    /// From the node a guest is connected to, to the home of its account.
    ToHome {
        /// Which guest of the node that sends this.
        guest: GuestId,
        /// What of it.
        word: ToHome,
    },
    /// From the home of an account to the node that a client of it is connected to.
    ToGuest {
        /// Which guest of the node that gets this.
        guest: GuestId,
        /// What it gets.
        word: ToGuest,
    },
}

/// What the home of an account is told of a client that is connected to another node.
#[derive(Debug, Clone)]
pub enum ToHome {
    /// It wants a session.
    Open(Box<GuestOpen>),
    /// It has said these. The next ones come when the home says [`ToGuest::Ready`].
    Said(Vec<Stanza>),
    /// Its socket has taken all that was written before [`ToGuest::Ask`] of this number.
    Taken(u64),
    /// It is gone.
    Ended(Ending),
}

/// A client that wants a session at the home of its account.
#[derive(Debug, Clone)]
pub struct GuestOpen {
    /// Whose it is.
    pub account: BareJid,
    /// The resource that it asks for.
    pub resource: Option<String>,
    /// What is known of its connection.
    pub facts: ConnectionFacts,
}

/// What a client that is connected to another node gets from the home of its account.
#[derive(Debug, Clone)]
pub enum ToGuest {
    /// It has a session with this address.
    Opened(FullJid),
    /// It gets none.
    Refused(StanzaError),
    /// Another node is the home.
    Moved(Peer),
    /// What it said last was dealt with.
    Ready,
    /// Whole frames for its stream.
    Write(Bytes),
    /// Say when its socket has taken what was written until now.
    Ask(u64),
    /// Its stream ends: these are the last bytes before the closing tag.
    Finish(Bytes),
    /// The home closes, or is not the home any more: its session is to be opened anew.
    Leave,
}

/// What is no letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a letter between nodes: {0}")]
pub struct BadLetter(&'static str);

impl Letter {
    /// As it goes to the other node.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Stanza { hops, stanza } => {
                out.reserve(stanza.size() + 64);
                out.put_u8(0);
                out.put_u8(*hops);
                stanza.write_to(&mut out);
            }
            Self::Claim { number, account } => {
                out.put_u8(1);
                out.put_u64(*number);
                put(&mut out, account.as_ref());
            }
            Self::Claimed { number, home } => {
                out.put_u8(2);
                out.put_u64(*number);
                put(&mut out, home.as_ref().map_or("", |peer| &peer.0));
            }
            Self::ToHome { guest, word } => {
                out.put_u8(3);
                out.put_u64(guest.0);
                word.put(&mut out);
            }
            Self::ToGuest { guest, word } => {
                out.put_u8(4);
                out.put_u64(guest.0);
                word.put(&mut out);
            }
        }
        out.freeze()
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none, or none of this version.
    pub fn read(bytes: Bytes) -> Result<Self, BadLetter> {
        let mut rest = Rest(bytes);
        let letter = match rest.u8()? {
            0 => {
                let hops = rest.u8()?;
                let stanza = stanza(std::mem::take(&mut rest.0))?;
                Self::Stanza { hops, stanza }
            }
            1 => Self::Claim {
                number: rest.u64()?,
                account: rest.bare()?,
            },
            2 => Self::Claimed {
                number: rest.u64()?,
                home: match rest.text()? {
                    none if none.is_empty() => None,
                    name => Some(Peer(name.into())),
                },
            },
            3 => Self::ToHome {
                guest: GuestId(rest.u64()?),
                word: ToHome::read(&mut rest)?,
            },
            4 => Self::ToGuest {
                guest: GuestId(rest.u64()?),
                word: ToGuest::read(&mut rest)?,
            },
            _ => return Err(BadLetter("of an unknown kind")),
        };
        match rest.0.is_empty() {
            true => Ok(letter),
            false => Err(BadLetter("something behind it")),
        }
    }
}

impl ToHome {
    fn put(&self, out: &mut BytesMut) {
        match self {
            Self::Open(open) => {
                out.put_u8(0);
                put(out, open.account.as_ref());
                out.put_u8(u8::from(open.resource.is_some()));
                put(out, open.resource.as_deref().unwrap_or_default());
                put(out, &open.facts.peer.to_string());
                out.put_u8(u8::from(open.facts.encrypted));
                put(out, open.facts.transport);
            }
            Self::Said(stanzas) => {
                out.put_u8(1);
                for stanza in stanzas {
                    put_bytes(out, &stanza.to_bytes());
                }
            }
            Self::Taken(number) => {
                out.put_u8(2);
                out.put_u64(*number);
            }
            Self::Ended(ending) => {
                out.put_u8(3);
                out.put_u8(u8::from(*ending == Ending::Closed));
            }
        }
    }

    fn read(rest: &mut Rest) -> Result<Self, BadLetter> {
        Ok(match rest.u8()? {
            0 => {
                let account = rest.bare()?;
                let asked = rest.u8()? == 1;
                let resource = rest.text()?;
                let peer: IpAddr = rest
                    .text()?
                    .parse()
                    .map_err(|_| BadLetter("without the client's address"))?;
                let encrypted = rest.u8()? == 1;
                let transport = transport(&rest.text()?);
                Self::Open(Box::new(GuestOpen {
                    account,
                    resource: asked.then_some(resource),
                    facts: ConnectionFacts {
                        peer,
                        encrypted,
                        transport,
                    },
                }))
            }
            1 => {
                let mut stanzas = Vec::new();
                while !rest.0.is_empty() {
                    stanzas.push(stanza(rest.bytes()?)?);
                }
                Self::Said(stanzas)
            }
            2 => Self::Taken(rest.u64()?),
            3 => Self::Ended(match rest.u8()? {
                1 => Ending::Closed,
                _ => Ending::Lost,
            }),
            _ => return Err(BadLetter("of an unknown word of a guest")),
        })
    }
}

impl ToGuest {
    fn put(&self, out: &mut BytesMut) {
        match self {
            Self::Opened(jid) => {
                out.put_u8(0);
                put(out, jid.as_str());
            }
            Self::Refused(error) => {
                out.put_u8(1);
                put_bytes(out, &error.to_bytes());
            }
            Self::Moved(peer) => {
                out.put_u8(2);
                put(out, &peer.0);
            }
            Self::Ready => out.put_u8(3),
            Self::Write(frames) => {
                out.put_u8(4);
                put_bytes(out, frames);
            }
            Self::Ask(number) => {
                out.put_u8(5);
                out.put_u64(*number);
            }
            Self::Finish(last) => {
                out.put_u8(6);
                put_bytes(out, last);
            }
            Self::Leave => out.put_u8(7),
        }
    }

    fn read(rest: &mut Rest) -> Result<Self, BadLetter> {
        Ok(match rest.u8()? {
            0 => Self::Opened(
                FullJid::new(&rest.text()?).map_err(|_| BadLetter("without a full JID"))?,
            ),
            1 => {
                let error = Element::parse_bytes(rest.bytes()?)
                    .map_err(|_| BadLetter("whose error is no XML"))?;
                Self::Refused(StanzaError::read(error.as_child()))
            }
            2 => Self::Moved(Peer(rest.text()?.into())),
            3 => Self::Ready,
            4 => Self::Write(rest.bytes()?),
            5 => Self::Ask(rest.u64()?),
            6 => Self::Finish(rest.bytes()?),
            7 => Self::Leave,
            _ => return Err(BadLetter("of an unknown word of a home")),
        })
    }
}

fn put(out: &mut BytesMut, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    // A stanza is far smaller: the framer saw to it.
    out.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.put_slice(bytes);
}

/// What a letter has not been read of yet.
struct Rest(Bytes);

const SHORT: BadLetter = BadLetter("too short");

impl Rest {
    fn u8(&mut self) -> Result<u8, BadLetter> {
        self.0.try_get_u8().map_err(|_| SHORT)
    }

    fn u64(&mut self) -> Result<u64, BadLetter> {
        self.0.try_get_u64().map_err(|_| SHORT)
    }

    fn bytes(&mut self) -> Result<Bytes, BadLetter> {
        let length = self.0.try_get_u32().map_err(|_| SHORT)? as usize;
        match length <= self.0.len() {
            true => Ok(self.0.split_to(length)),
            false => Err(SHORT),
        }
    }

    fn text(&mut self) -> Result<String, BadLetter> {
        String::from_utf8(self.bytes()?.into()).map_err(|_| BadLetter("whose text is no UTF-8"))
    }

    fn bare(&mut self) -> Result<BareJid, BadLetter> {
        self.text()?
            .parse()
            .map_err(|_| BadLetter("without a bare JID"))
    }
}

fn stanza(bytes: Bytes) -> Result<Stanza, BadLetter> {
    let element = Element::parse_bytes(bytes).map_err(|_| BadLetter("whose stanza is no XML"))?;
    Stanza::read(element, None).map_err(|_| BadLetter("whose stanza is none"))
}

/// The transports there are; what a newer node calls otherwise is shown as such.
fn transport(name: &str) -> &'static str {
    match name {
        "tcp" => "tcp",
        "tls" => "tls",
        "play" => "play",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;
    use xmpp::{Condition, MessageType};

    use super::*;

    fn message(body: &str) -> Stanza {
        let romeo: FullJid = "romeo@montague.lit/orchard".parse().expect("a JID");
        Stanza::message(MessageType::Chat)
            .from(romeo)
            .to("juliet@capulet.lit".parse::<BareJid>().expect("a JID"))
            .leaf("body", body)
            .build()
    }

    fn there_and_back(letter: &Letter) {
        let read = Letter::read(letter.to_bytes()).expect("a letter");
        let kind = std::mem::discriminant(letter);
        assert_eq!(std::mem::discriminant(&read), kind, "{letter:?}");
        assert_eq!(read.to_bytes(), letter.to_bytes());
    }

    #[test]
    fn every_letter_is_read_as_it_was_written() {
        let guest = GuestId(7);
        let to_home = |word| Letter::ToHome { guest, word };
        let to_guest = |word| Letter::ToGuest { guest, word };
        let juliet: FullJid = "juliet@capulet.lit/balcony".parse().expect("a JID");
        let open = |resource| GuestOpen {
            account: juliet.bare(),
            resource,
            facts: ConnectionFacts {
                peer: Ipv4Addr::LOCALHOST.into(),
                encrypted: true,
                transport: "tls",
            },
        };
        let peer = Peer("b".into());
        for letter in [
            Letter::Stanza {
                hops: 1,
                stanza: message("Art thou not Romeo?"),
            },
            Letter::Claim {
                number: 1,
                account: juliet.bare(),
            },
            Letter::Claimed {
                number: 1,
                home: None,
            },
            Letter::Claimed {
                number: 2,
                home: Some(peer.clone()),
            },
            to_home(ToHome::Open(Box::new(open(None)))),
            to_home(ToHome::Open(Box::new(open(Some("balcony".into()))))),
            to_home(ToHome::Said(vec![message("1"), message("2")])),
            to_home(ToHome::Taken(3)),
            to_home(ToHome::Ended(Ending::Closed)),
            to_home(ToHome::Ended(Ending::Lost)),
            to_guest(ToGuest::Opened(juliet.clone())),
            to_guest(ToGuest::Refused(
                StanzaError::new(Condition::Conflict).with_text("taken"),
            )),
            to_guest(ToGuest::Moved(peer)),
            to_guest(ToGuest::Ready),
            to_guest(ToGuest::Write(Bytes::from_static(b"<message/>"))),
            to_guest(ToGuest::Ask(4)),
            to_guest(ToGuest::Finish(Bytes::new())),
            to_guest(ToGuest::Leave),
        ] {
            there_and_back(&letter);
        }
    }

    #[test]
    fn a_letter_that_is_cut_off_or_goes_on_is_refused() {
        let whole = Letter::Claim {
            number: 1,
            account: "juliet@capulet.lit".parse().expect("a JID"),
        }
        .to_bytes();
        for end in 0..whole.len() {
            assert!(Letter::read(whole.slice(..end)).is_err(), "{end} bytes");
        }
        let mut more = BytesMut::from(&whole[..]);
        more.put_u8(0);
        assert!(Letter::read(more.freeze()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            let _ = Letter::read(bytes.into());
        }
    }
}
