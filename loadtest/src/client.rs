//! One client as a state machine: bytes in, bytes out, no socket.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use xml::{Element, Event, Framer, Limits};

use crate::arguments::Crowd;
use crate::failure::Failure;
use crate::scram::{Proven, Scram};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const STREAM: &str = "http://etherx.jabber.org/streams";
pub(crate) const CLIENT: &str = "jabber:client";
const PING: &str = "urn:xmpp:ping";
/// Asks for the roster (RFC 6121 §2.2).
const ROSTER_GET: &str = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";
/// The resource of everybody.
const RESOURCE: &str = "load";
/// What any server may send us.
const LIMITS: Limits = Limits {
    stanza: 1 << 20,
    header: 1 << 16,
    depth: 64,
    attributes: 64,
    namespaces: 64,
};

/// A client of the server that is loaded.
#[derive(Debug)]
pub(crate) struct Client {
    crowd: Arc<Crowd>,
    localpart: Box<str>,
    step: Step,
    framer: Framer,
    /// Available presences of others that came.
    presences: u32,
}

/// What it waits for.
#[derive(Debug)]
enum Step {
    /// The first features.
    Mechanisms,
    /// The server's first SCRAM message.
    Challenge(Scram),
    /// Its second.
    Verdict(Proven),
    /// The features behind the login.
    Features,
    /// The answer to our bind.
    Bind,
    /// The answer to a ping behind our presence: then the presence was dealt with.
    Pong,
    /// Nothing: it is there.
    Online,
}

impl Client {
    /// Opens the stream of the account with this number.
    pub(crate) fn new(crowd: &Arc<Crowd>, number: u32, out: &mut BytesMut) -> Client {
        let client = Client {
            crowd: Arc::clone(crowd),
            localpart: crowd.localpart(number).into(),
            step: Step::Mechanisms,
            framer: Framer::new(LIMITS),
            presences: 0,
        };
        client.open(out);
        client
    }

    /// How often others told it that they are there, since it connected.
    pub(crate) fn presences(&self) -> u32 {
        self.presences
    }

    /// Whether it has logged in and its presence is known.
    pub(crate) fn is_online(&self) -> bool {
        matches!(self.step, Step::Online)
    }

    /// The full JID of the account with this number.
    pub(crate) fn jid(crowd: &Crowd, number: u32) -> String {
        format!("{}/{RESOURCE}", Client::bare_jid(crowd, number))
    }

    /// Its bare JID.
    pub(crate) fn bare_jid(crowd: &Crowd, number: u32) -> String {
        format!("{}@{}", crowd.localpart(number), crowd.domain)
    }

    /// Takes what came, writes to `out` what is to be sent, and shows the stanzas that it got once
    /// it is online, all but pings. A piece of an element stays in `bytes` until the rest comes.
    ///
    /// # Errors
    /// The session is over.
    pub(crate) fn receive(
        &mut self,
        bytes: &mut BytesMut,
        out: &mut BytesMut,
        mut on_stanza: impl FnMut(&Element, &mut BytesMut),
    ) -> Result<(), Failure> {
        while let Some(event) = self.framer.next(bytes)? {
            match event {
                Event::Header(_) => {}
                Event::Close => return Err(Failure::Closed),
                Event::Element(element) if element.is("error", STREAM) => {
                    return Err(Failure::Stream(condition(&element)));
                }
                Event::Element(element) => {
                    self.hear_presence(&element);
                    if !self.is_online() {
                        self.advance(&element, out)?;
                    } else if !answer_ping(&element, out) {
                        on_stanza(&element, out);
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts it if somebody else is there; that we are is no news.
    fn hear_presence(&mut self, element: &Element) {
        if element.name() != "presence" || element.plain_attr("type").is_some() {
            return;
        }
        let from = element.plain_attr("from").unwrap_or_default();
        let own = from
            .strip_prefix(&*self.localpart)
            .is_some_and(|rest| rest.starts_with('@'));
        self.presences += u32::from(!own);
    }

    fn advance(&mut self, element: &Element, out: &mut BytesMut) -> Result<(), Failure> {
        if element.is("failure", SASL) {
            return Err(Failure::Refused(condition(element)));
        }
        self.step = match std::mem::replace(&mut self.step, Step::Online) {
            Step::Mechanisms => Step::Challenge(self.authenticate(element, out)?),
            Step::Challenge(scram) => {
                expect(element, "challenge", SASL)?;
                let (answer, proven) = scram.answer(&self.crowd.password, &decoded(element)?)?;
                let answer = BASE64_STANDARD.encode(answer);
                say(
                    out,
                    &["<response xmlns='", SASL, "'>", &answer, "</response>"],
                );
                Step::Verdict(proven)
            }
            Step::Verdict(proven) => {
                expect(element, "success", SASL)?;
                proven.check(&decoded(element)?)?;
                self.framer.restart();
                self.open(out);
                Step::Features
            }
            Step::Features => {
                expect(element, "features", STREAM)?;
                say(
                    out,
                    &[
                        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>",
                        RESOURCE,
                        "</resource></bind></iq>",
                    ],
                );
                Step::Bind
            }
            Step::Bind => {
                expect(element, "iq", CLIENT)?;
                if element.attr("type").as_deref() != Some("result") {
                    return Err(Failure::NotBound(condition(element)));
                }
                let domain = &self.crowd.domain;
                if self.crowd.with_roster {
                    say(out, &[ROSTER_GET]);
                }
                say(
                    out,
                    &[
                        "<presence/><iq type='get' id='here' to='",
                        domain,
                        "'><ping xmlns='",
                        PING,
                        "'/></iq>",
                    ],
                );
                Step::Pong
            }
            // A server without XEP-0199 answers with an error, and that is an answer.
            Step::Pong
                if element.name() == "iq" && element.attr("id").as_deref() == Some("here") =>
            {
                Step::Online
            }
            step => {
                answer_ping(element, out);
                step
            }
        };
        Ok(())
    }

    fn authenticate(&self, features: &Element, out: &mut BytesMut) -> Result<Scram, Failure> {
        expect(features, "features", STREAM)?;
        let mechanism = self.crowd.mechanism;
        let offered = features
            .child("mechanisms", SASL)
            .and_then(|mechanisms| mechanisms.tree().ok());
        let is_offered = offered.is_some_and(|mechanisms| {
            mechanisms
                .children()
                .any(|offer| offer.text() == mechanism.name())
        });
        if !is_offered {
            return Err(Failure::NotOffered(mechanism.name()));
        }
        let mut random = [0; 18];
        getrandom::fill(&mut random)
            .map_err(|_| Failure::Scram("the system has no random numbers"))?;
        let scram = Scram::new(mechanism, &self.localpart, BASE64_STANDARD.encode(random));
        let first = BASE64_STANDARD.encode(scram.first_message());
        say(
            out,
            &[
                "<auth xmlns='",
                SASL,
                "' mechanism='",
                mechanism.name(),
                "'>",
                &first,
                "</auth>",
            ],
        );
        Ok(scram)
    }

    fn open(&self, out: &mut BytesMut) {
        say(
            out,
            &[
                "<stream:stream xmlns='jabber:client' xmlns:stream='",
                STREAM,
                "' version='1.0' to='",
                &self.crowd.domain,
                "'>",
            ],
        );
    }
}

/// Servers may ask whether a client is still there. Whether this is such a question.
fn answer_ping(element: &Element, out: &mut BytesMut) -> bool {
    if element.name() != "iq" || element.child("ping", PING).is_none() {
        return false;
    }
    if let (Some(id), Some(from)) = (element.attr("id"), element.attr("from")) {
        let (id, from) = (xml::escape_attr(&id), xml::escape_attr(&from));
        say(
            out,
            &["<iq type='result' id='", &id, "' to='", &from, "'/>"],
        );
    }
    true
}

fn say(out: &mut BytesMut, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn expect(element: &Element, name: &'static str, ns: &str) -> Result<(), Failure> {
    if element.is(name, ns) {
        return Ok(());
    }
    Err(Failure::Unexpected {
        wanted: name,
        came: element.name().to_owned(),
    })
}

/// The text of a SASL element.
fn decoded(element: &Element) -> Result<String, Failure> {
    BASE64_STANDARD
        .decode(element.text().as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(Failure::Scram("a message is not text in Base64"))
}

/// The defined condition of a stream, SASL or stanza error.
pub(crate) fn condition(element: &Element) -> String {
    let first = element.child("error", CLIENT).map_or_else(
        || {
            element
                .children()
                .next()
                .map(|child| child.name().to_owned())
        },
        |error| {
            let tree = error.tree().ok()?;
            tree.children().next().map(|child| child.name.clone())
        },
    );
    first.unwrap_or_else(|| "no reason given".to_owned())
}

#[cfg(test)]
mod tests;
