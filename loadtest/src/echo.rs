//! `echo`: the least of a server that scenarios of chat can be played on, to see what this program itself
//! can do. Whoever knows the password logs in; a message goes to whom it is for as it came, a question is
//! answered with an empty result, and nothing else is done or kept. It has one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use xml::{Element, Event, Framer, Limits};

use crate::arguments::EchoPlan;
use crate::crowd;
use crate::failure::Failure;
use crate::scenario::Mechanism;
use crate::scram::{Challenged, Keys};

/// What is read at once.
const READ: usize = 64 * 1024;
/// Who lets more than this wait for them is gone.
const WAITING: usize = 8 << 20;
/// Files that may be open, if the system lets us.
const SESSIONS: u32 = 19_900;
const LIMITS: Limits = Limits {
    stanza: 1 << 18,
    header: 1 << 12,
    depth: 32,
    attributes: 32,
    namespaces: 32,
};
const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='echo' from='echo'>";
const MECHANISMS: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>";
const FEATURES: &str =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";

/// Who is there, and the keys of their password.
struct Hall {
    keys: Keys,
    there: RefCell<HashMap<Box<str>, Rc<Outbox>>>,
    /// What everybody reads into.
    room: RefCell<Box<[u8]>>,
}

/// What waits to be written to somebody.
#[derive(Default)]
struct Outbox {
    bytes: RefCell<BytesMut>,
    /// Their task, if it waits for something to write.
    waker: Cell<Option<Waker>>,
    /// They do not read.
    full: Cell<bool>,
}

impl Outbox {
    fn push(&self, bytes: &[u8]) {
        let mut waiting = self.bytes.borrow_mut();
        match waiting.len() + bytes.len() > WAITING {
            true => self.full.set(true),
            false => waiting.extend_from_slice(bytes),
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Somebody on their connection.
struct Session {
    hall: Rc<Hall>,
    socket: TcpStream,
    framer: Framer,
    partial: BytesMut,
    outbox: Rc<Outbox>,
    step: Step,
}

/// How far the login is.
enum Step {
    /// Nothing was said of it.
    Stranger,
    Challenged(Box<Challenged>),
    /// Logged in, by this name.
    There(Box<str>),
}

/// Serves until Ctrl-C.
///
/// # Errors
/// It can't listen there.
pub(crate) async fn serve(plan: &EchoPlan) -> Result<(), Failure> {
    // With fewer it serves fewer.
    let _ = crowd::raise_file_limit(SESSIONS);
    let listener = TcpListener::bind(&plan.listen).await?;
    let local = listener.local_addr()?;
    writeln!(io::stdout(), "mungo-loadtest answers at {local}")?;
    let hall = Rc::new(Hall {
        keys: Keys::new(Mechanism::ScramSha1, &plan.password),
        there: RefCell::default(),
        room: RefCell::new(vec![0; READ].into()),
    });
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            interrupt = &mut interrupted => return Ok(interrupt?),
        };
        match accepted {
            Ok((socket, _)) => {
                socket.set_nodelay(true)?;
                let mut session = Session::new(&hall, socket);
                tokio::task::spawn_local(async move {
                    // Whatever went wrong: they are gone, and see it themselves.
                    let _ = std::future::poll_fn(|cx| session.poll(cx)).await;
                });
            }
            // The next one may find a file again.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

impl Session {
    fn new(hall: &Rc<Hall>, socket: TcpStream) -> Session {
        Session {
            hall: Rc::clone(hall),
            socket,
            framer: Framer::new(LIMITS),
            partial: BytesMut::new(),
            outbox: Rc::default(),
            step: Step::Stranger,
        }
    }

    /// Writes what waits and reads what comes, until they go.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        loop {
            let blocked = self.poll_write(cx)?.is_pending();
            match self.poll_read(cx) {
                Poll::Ready(read) => read?,
                Poll::Pending if blocked || self.outbox.bytes.borrow().is_empty() => {
                    self.outbox.waker.set(Some(cx.waker().clone()));
                    return Poll::Pending;
                }
                // It was said in answer to what was read.
                Poll::Pending => {}
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let mut bytes = self.outbox.bytes.borrow_mut();
        while !bytes.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &bytes))?;
            bytes.advance(written);
        }
        // Who is there and idle holds no buffer.
        *bytes = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if self.outbox.full.get() {
            return Poll::Ready(Err(Failure::Closed));
        }
        let hall = Rc::clone(&self.hall);
        let mut room = hall.room.borrow_mut();
        let mut room = ReadBuf::new(&mut room);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut room))?;
        if room.filled().is_empty() {
            return Poll::Ready(Err(Failure::Closed));
        }
        let mut bytes = std::mem::take(&mut self.partial);
        bytes.extend_from_slice(room.filled());
        while let Some(event) = self.framer.next(&mut bytes)? {
            match event {
                Event::Header(_) => {
                    self.outbox.push(HEADER.as_bytes());
                    self.outbox.push(match self.step {
                        Step::There(_) => FEATURES.as_bytes(),
                        _ => MECHANISMS.as_bytes(),
                    });
                }
                Event::Element(element) => self.hear(&element)?,
                Event::Close => return Poll::Ready(Err(Failure::Closed)),
            }
        }
        if !bytes.is_empty() {
            self.partial = bytes;
        }
        Poll::Ready(Ok(()))
    }

    fn hear(&mut self, element: &Element) -> Result<(), Failure> {
        match &self.step {
            Step::There(_) => self.relay(element),
            _ => self.log_in(element)?,
        }
        Ok(())
    }

    /// Does what somebody says who is logged in.
    fn relay(&self, element: &Element) {
        match element.name() {
            "message" => {
                let to = element.plain_attr("to").unwrap_or_default();
                let localpart = to.split('@').next().unwrap_or_default();
                if let Some(outbox) = self.hall.there.borrow().get(localpart) {
                    outbox.push(element.bytes());
                }
            }
            "iq" if matches!(element.plain_attr("type"), Some("get" | "set")) => {
                let id = element.attr("id").unwrap_or_default();
                let id = xml::escape_attr(&id);
                let answer = format!("<iq type='result' id='{id}'/>");
                self.outbox.push(answer.as_bytes());
            }
            _ => {}
        }
    }

    fn log_in(&mut self, element: &Element) -> Result<(), Failure> {
        let text = BASE64_STANDARD.decode(element.text().as_bytes());
        let text = text.ok().and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or(Failure::Scram("a message is not text in Base64"))?;
        let say = |name: &str, text: &str| {
            let text = BASE64_STANDARD.encode(text);
            let xml = format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>");
            self.outbox.push(xml.as_bytes());
        };
        self.step = match std::mem::replace(&mut self.step, Step::Stranger) {
            Step::Stranger => {
                let (first, challenged) = self.hall.keys.challenge(&text)?;
                say("challenge", &first);
                Step::Challenged(Box::new(challenged))
            }
            Step::Challenged(challenged) => match challenged.verify(&self.hall.keys, &text) {
                Ok((localpart, last)) => {
                    say("success", &last);
                    self.framer.restart();
                    let mut there = self.hall.there.borrow_mut();
                    there.insert(localpart.clone(), Rc::clone(&self.outbox));
                    Step::There(localpart)
                }
                Err(_) => {
                    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                                   <not-authorized/></failure>";
                    self.outbox.push(failure.as_bytes());
                    Step::Stranger
                }
            },
            there @ Step::There(_) => there,
        };
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Step::There(localpart) = &self.step {
            let mut there = self.hall.there.borrow_mut();
            // Somebody else may be there by this name by now.
            let ours = there.get(localpart);
            if ours.is_some_and(|outbox| Rc::ptr_eq(outbox, &self.outbox)) {
                there.remove(localpart);
            }
        }
    }
}
