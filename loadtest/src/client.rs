//! One client as a state machine: bytes in, bytes out, no socket.

use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use xml::{Element, Event, Framer, Limits};

use crate::failure::Failure;
use crate::place::Place;
use crate::scram::{Proven, Scram};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const STREAM: &str = "http://etherx.jabber.org/streams";
pub(crate) const CLIENT: &str = "jabber:client";
const PING: &str = "urn:xmpp:ping";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
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
    place: Rc<Place>,
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
    Greeting,
    /// Nothing: it may log in.
    Greeted(Offered),
    /// That TLS may begin.
    Proceed,
    /// Nothing: TLS may begin.
    Secure,
    /// The answer to a registration.
    Registered(Offered),
    /// The server's first SCRAM message.
    Challenge(Box<(Scram, Box<str>)>),
    /// Its second.
    Verdict(Box<Proven>),
    /// The features behind the login.
    Features,
    /// The answer to our bind.
    Bind,
    /// Nothing: it is there.
    Online,
}

/// What the first features offer of what we know.
#[derive(Debug, Clone, Copy)]
struct Offered {
    /// The mechanism of this place.
    mechanism: bool,
    starttls: bool,
}

impl Client {
    /// Opens the stream of an account.
    pub(crate) fn new(place: &Rc<Place>, localpart: &str, out: &mut BytesMut) -> Client {
        let client = Client {
            place: Rc::clone(place),
            localpart: localpart.into(),
            step: Step::Greeting,
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

    /// Whether it has logged in.
    pub(crate) fn is_online(&self) -> bool {
        matches!(self.step, Step::Online)
    }

    /// Whether it waits for an answer to what it did last, of all that is done before it is online.
    pub(crate) fn is_waiting(&self) -> bool {
        !matches!(self.step, Step::Greeted(_) | Step::Secure | Step::Online)
    }

    /// The full JID of an account at a place.
    pub(crate) fn jid(place: &Place, localpart: &str) -> String {
        format!("{localpart}@{}/{RESOURCE}", place.domain)
    }

    /// Asks for TLS (RFC 6120 §5.4.2).
    ///
    /// # Errors
    /// It is not offered.
    pub(crate) fn ask_for_tls(&mut self, out: &mut BytesMut) -> Result<(), Failure> {
        match self.step {
            Step::Greeted(offered) if offered.starttls => {
                say(out, &["<starttls xmlns='", TLS, "'/>"]);
                self.step = Step::Proceed;
                Ok(())
            }
            _ => Err(Failure::NotOffered("STARTTLS")),
        }
    }

    /// Opens the stream anew: TLS is there now.
    pub(crate) fn is_secure(&mut self, out: &mut BytesMut) {
        self.framer.restart();
        self.step = Step::Greeting;
        self.open(out);
    }

    /// Makes the account (XEP-0077 §3.1).
    ///
    /// # Errors
    /// It is too late or too early for that.
    pub(crate) fn register(&mut self, password: &str, out: &mut BytesMut) -> Result<(), Failure> {
        let Step::Greeted(offered) = self.step else {
            return Err(Failure::NotOffered("registration"));
        };
        let (user, password) = (
            xml::escape_text(&self.localpart),
            xml::escape_text(password),
        );
        say(
            out,
            &[
                "<iq type='set' id='register'><query xmlns='jabber:iq:register'><username>",
                &user,
                "</username><password>",
                &password,
                "</password></query></iq>",
            ],
        );
        self.step = Step::Registered(offered);
        Ok(())
    }

    /// Begins to log in.
    ///
    /// # Errors
    /// The mechanism is not offered.
    pub(crate) fn authenticate(
        &mut self,
        password: &str,
        out: &mut BytesMut,
    ) -> Result<(), Failure> {
        let mechanism = self.place.mechanism;
        if !matches!(
            self.step,
            Step::Greeted(Offered {
                mechanism: true,
                ..
            })
        ) {
            return Err(Failure::NotOffered(mechanism.as_str()));
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
                mechanism.as_str(),
                "'>",
                &first,
                "</auth>",
            ],
        );
        self.step = Step::Challenge(Box::new((scram, password.into())));
        Ok(())
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
            Step::Greeting => Step::Greeted(self.greeted(element)?),
            Step::Proceed => {
                expect(element, "proceed", TLS)?;
                Step::Secure
            }
            Step::Registered(offered) => {
                expect(element, "iq", CLIENT)?;
                match element.plain_attr("type") {
                    Some("result") => {}
                    // The account is there.
                    _ if condition(element) == "conflict" => {}
                    _ => return Err(Failure::NotRegistered(condition(element))),
                }
                Step::Greeted(offered)
            }
            Step::Challenge(begun) => {
                expect(element, "challenge", SASL)?;
                let (scram, password) = *begun;
                let (answer, proven) = scram.answer(&password, &decoded(element)?)?;
                let answer = BASE64_STANDARD.encode(answer);
                say(
                    out,
                    &["<response xmlns='", SASL, "'>", &answer, "</response>"],
                );
                Step::Verdict(Box::new(proven))
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
                Step::Online
            }
            // Nothing was asked, so this is none of our business.
            step @ (Step::Greeted(_) | Step::Secure | Step::Online) => step,
        };
        Ok(())
    }

    fn greeted(&self, features: &Element) -> Result<Offered, Failure> {
        expect(features, "features", STREAM)?;
        let mechanism = self.place.mechanism;
        let offered = features
            .child("mechanisms", SASL)
            .and_then(|mechanisms| mechanisms.tree().ok());
        Ok(Offered {
            mechanism: offered.is_some_and(|mechanisms| {
                mechanisms
                    .children()
                    .any(|offer| offer.text() == mechanism.as_str())
            }),
            starttls: features.child("starttls", TLS).is_some(),
        })
    }

    fn open(&self, out: &mut BytesMut) {
        say(
            out,
            &[
                "<stream:stream xmlns='jabber:client' xmlns:stream='",
                STREAM,
                "' version='1.0' to='",
                &self.place.domain,
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
