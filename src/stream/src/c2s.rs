//! The order of things on a client's stream: header, STARTTLS, login, header again, binding.
//!
//! What each of them says is elsewhere: `header`, `features`, `sasl`, `scram`.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use xml::{Element, Event};
use xmpp::{
    BareJid, Condition, FullJid, IqType, Kind, Rejected, Stanza, StanzaError, StreamCondition,
    StreamError, ns,
};

use crate::action::{Action, Input};
use crate::base64;
use crate::features;
use crate::header::{self, STREAM_END};
use crate::sasl::{Attempt, Context, Offer, Refusal, SaslFailure, Step};
use crate::settings::{C2sSettings, ConnectionInfo};

/// How often a client may fail to bind a resource (RFC 6120 §7.7.3: at least 5 times, at most 10).
const BIND_TRIES: u8 = 10;

/// The server's side of a client's stream, until a resource is bound.
///
/// Hand it what happens, one [`Input`] at a time, and carry out the actions that it adds. After
/// [`Action::Close`] it stays silent; after [`Action::Established`] it only knows how to close.
#[derive(Debug)]
pub struct C2s {
    settings: Arc<C2sSettings>,
    connection: ConnectionInfo,
    state: State,
    /// Whether our header has been sent on the present stream: errors can only follow it.
    opened: bool,
    /// The domain that the present stream was opened to; empty before its header.
    domain: String,
    lang: Option<String>,
    account: Option<BareJid>,
    /// Failed attempts to log in, then to bind.
    tries: u8,
    /// Attempts with a mechanism that can't be used.
    detours: u8,
    /// What was asked before login.
    questions: u8,
}

/// Clients may try every mechanism that they know of, once, before one that both sides have: some know
/// no channel binding but `tls-unique`, and try each `-PLUS` with it first. Such attempts guess at no
/// password, so they have a bound of their own.
const MOST_DETOURS: u8 = 8;

/// How much somebody may ask who does not log in; so much closes the stream.
const MOST_QUESTIONS: u8 = 10;

#[derive(Debug)]
enum State {
    /// A stream header must come.
    Header,
    /// The client may start TLS or an attempt to log in.
    Login(Offer),
    /// An attempt to log in is under way; it waits for the client or for the driver.
    Attempt(Offer, Attempt),
    /// The driver has a question of somebody who has not logged in answered.
    Asking(Offer),
    /// The driver does the handshake.
    Handshake,
    /// The client has logged in and must bind a resource.
    Bind,
    /// The driver opens a session for this request.
    Binding(Stanza),
    Established,
    Closed,
}

impl C2s {
    /// A connection on which nothing has been received yet.
    pub fn new(settings: Arc<C2sSettings>, connection: ConnectionInfo) -> Self {
        Self {
            settings,
            connection,
            state: State::Header,
            opened: false,
            domain: String::new(),
            lang: None,
            account: None,
            tries: 0,
            detours: 0,
            questions: 0,
        }
    }

    /// The `xml:lang` of the client's last header: the language of all its stanzas that name none.
    pub fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }

    /// Who has logged in, if anybody has.
    pub fn account(&self) -> Option<&BareJid> {
        self.account.as_ref()
    }

    /// Where the connection comes from and what TLS it has.
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// Takes in what happened and adds what is to be done to `out`.
    ///
    /// An answer to a question that was not asked, and an event that comes while a question is
    /// open, mean that the driver is broken; the client gets `internal-server-error`.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Action>) {
        if matches!(self.state, State::Closed) {
            return;
        }
        match input {
            Input::Event(event) => self.event(event, out),
            Input::BadXml(error) => self.fail(error.into(), out),
            Input::Close(error) => self.fail(error, out),
            Input::TlsDone(tls) if matches!(self.state, State::Handshake) => {
                // Nothing of what was said before is believed any more (RFC 6120 §5.4.3.3).
                self.connection.tls = Some(tls);
                self.tries = 0;
                self.restart(out);
            }
            Input::Keys(keys) => self.resume(out, |attempt, cx| attempt.keys(cx, keys).map(Ok)),
            Input::PasswordChecked(right) => self.resume(out, |attempt, _| attempt.password(right)),
            Input::AuthUnavailable => self.resume(out, |attempt, _| {
                let open = attempt.is_open_question();
                open.then(|| Err(SaslFailure::TemporaryAuthFailure.into()))
            }),
            Input::Answered(answer) => match mem::replace(&mut self.state, State::Closed) {
                State::Asking(offer) => {
                    send(out, answer.to_bytes());
                    self.state = State::Login(offer);
                }
                _ => self.fail(StreamCondition::InternalServerError.into(), out),
            },
            Input::Bound(result) => self.bound(result, out),
            Input::TlsDone(_) => self.fail(StreamCondition::InternalServerError.into(), out),
        }
    }

    fn event(&mut self, event: Event, out: &mut Vec<Action>) {
        match (mem::replace(&mut self.state, State::Closed), event) {
            (State::Header, Event::Header(header)) => self.header(&header, out),
            // Bytes from before the handshake, which the driver should have noticed.
            (State::Handshake, _) => out.push(Action::Close),
            (State::Header | State::Established | State::Asking(_) | State::Binding(_), _) => {
                self.fail(StreamCondition::InternalServerError.into(), out);
            }
            (State::Attempt(_, attempt), _) if attempt.is_open_question() => {
                self.fail(StreamCondition::InternalServerError.into(), out);
            }
            (_, Event::Header(_)) => self.fail(StreamCondition::BadFormat.into(), out),
            (_, Event::Close) => self.end(out),
            (_, Event::Element(element)) if element.is("error", ns::STREAM) => self.end(out),
            (State::Login(offer), Event::Element(element)) => {
                self.login(offer, None, &element, out);
            }
            (State::Attempt(offer, attempt), Event::Element(element)) => {
                self.login(offer, Some(attempt), &element, out);
            }
            (State::Bind, Event::Element(element)) => self.bind(element, out),
            (State::Closed, _) => {}
        }
    }

    fn header(&mut self, header: &xml::Header, out: &mut Vec<Action>) {
        let checked = header::check(header, &self.settings, self.account.as_ref());
        let from = checked.as_deref().unwrap_or(match &self.account {
            Some(account) => account.domain(),
            None => &self.settings.host,
        });
        let mut bytes = header::write(&self.settings, from, Some(header)).into_bytes();
        self.opened = true;
        match checked {
            Ok(domain) => self.domain = domain,
            Err(error) => {
                send(out, bytes);
                return self.fail(error, out);
            }
        }
        self.lang = header.lang().map(|lang| lang.into_owned());
        if let Some(account) = &self.account {
            let extra = (self.settings.features)(account.domain());
            bytes.extend_from_slice(&features::after_login(&extra));
            self.state = State::Bind;
        } else {
            let tls = self.connection.tls.as_ref();
            let offer = Offer::new(&self.settings, tls);
            let extra = match self.bears_passwords() {
                true => (self.settings.login_features)(&self.domain),
                false => Bytes::new(),
            };
            bytes.extend_from_slice(&features::before_login(self.starttls(), &offer, &extra));
            self.state = State::Login(offer);
        }
        send(out, bytes);
    }

    /// Whether a password may be sent on this connection.
    fn bears_passwords(&self) -> bool {
        self.connection.tls.is_some()
            || (self.settings.plain_without_tls && !self.settings.tls.is_required())
    }

    /// How STARTTLS is offered now.
    fn starttls(&self) -> Option<features::StartTls> {
        let offered = self.settings.tls.offers_starttls() && self.connection.tls.is_none();
        offered.then(|| match self.settings.tls.is_required() {
            true => features::StartTls::Required,
            false => features::StartTls::Optional,
        })
    }

    /// An element before login.
    fn login(
        &mut self,
        offer: Offer,
        attempt: Option<Attempt>,
        element: &Element,
        out: &mut Vec<Action>,
    ) {
        match (element.name(), element.ns(), attempt) {
            ("starttls", ns::TLS, None) if self.starttls().is_some() => {
                send(out, format!("<proceed xmlns='{}'/>", ns::TLS));
                out.push(Action::StartTls);
                self.opened = false;
                self.state = State::Handshake;
            }
            ("starttls", ns::TLS, _) => self.refuse_tls(out),
            ("auth", ns::SASL, None) => {
                let cx = self.context(&offer);
                let step = auth(cx, element);
                self.step(offer, step, out);
            }
            ("response", ns::SASL, Some(attempt)) => {
                let step = match payload(element) {
                    Ok(message) => {
                        attempt.respond(self.context(&offer), &message.unwrap_or_default())
                    }
                    Err(failure) => Err(failure.into()),
                };
                self.step(offer, step, out);
            }
            ("abort", ns::SASL, _) => self.step(offer, Err(SaslFailure::Aborted.into()), out),
            // The right words at the wrong time.
            ("auth" | "response", ns::SASL, _) => {
                self.step(offer, Err(SaslFailure::MalformedRequest.into()), out);
            }
            ("iq", ns::CLIENT, None) if self.may_ask(element) => {
                self.ask(offer, element.clone(), out)
            }
            // RFC 6120 §4.9.3.12: nothing else goes before login.
            _ => self.fail(StreamCondition::NotAuthorized.into(), out),
        }
    }

    /// Whether this may be asked before login.
    fn may_ask(&self, element: &Element) -> bool {
        self.bears_passwords()
            && element.children().next().is_some_and(|payload| {
                (self.settings.strangers_may_ask)(&self.domain, payload.ns())
            })
    }

    fn ask(&mut self, offer: Offer, element: Element, out: &mut Vec<Action>) {
        let request = match Stanza::read(element, None) {
            Ok(request) => request,
            Err(Rejected::Stream(error)) => return self.fail(error, out),
            Err(Rejected::Reply(_) | Rejected::Drop(_)) => {
                return self.fail(StreamCondition::NotAuthorized.into(), out);
            }
        };
        let to_us = request.to().is_none_or(|to| to.as_ref() == self.domain);
        let asks = matches!(request.kind(), Kind::Iq(IqType::Get | IqType::Set));
        if !to_us || !asks {
            return self.fail(StreamCondition::NotAuthorized.into(), out);
        }
        self.questions = self.questions.saturating_add(1);
        if self.closes_unless(self.questions < MOST_QUESTIONS, out) {
            out.push(Action::AskStranger {
                domain: self.domain.clone(),
                request,
            });
            self.state = State::Asking(offer);
        }
    }

    fn context<'a>(&'a self, offer: &'a Offer) -> Context<'a> {
        Context {
            settings: &self.settings,
            offer,
            tls: self.connection.tls.as_ref(),
            domain: &self.domain,
        }
    }

    /// The driver has answered a question of an attempt to log in; `next` gives `None` when the
    /// attempt asked no such question.
    fn resume(
        &mut self,
        out: &mut Vec<Action>,
        next: impl FnOnce(Attempt, Context<'_>) -> Option<Result<Step, Refusal>>,
    ) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Attempt(offer, attempt) => match next(attempt, self.context(&offer)) {
                Some(step) => self.step(offer, step, out),
                None => self.fail(StreamCondition::InternalServerError.into(), out),
            },
            _ => self.fail(StreamCondition::InternalServerError.into(), out),
        }
    }

    fn step(&mut self, offer: Offer, step: Result<Step, Refusal>, out: &mut Vec<Action>) {
        let attempt = match step {
            Ok(Step::Challenge(message, attempt)) => {
                send(out, sasl_element("challenge", &base64::encode(message)));
                attempt
            }
            Ok(Step::FetchKeys {
                account,
                hash,
                attempt,
            }) => {
                out.push(Action::FetchKeys { account, hash });
                attempt
            }
            Ok(Step::CheckPassword {
                account,
                password,
                attempt,
            }) => {
                out.push(Action::CheckPassword { account, password });
                attempt
            }
            Ok(Step::Success { account, data }) => return self.logged_in(account, data, out),
            Err(refusal) => return self.refuse(offer, refusal, out),
        };
        self.state = State::Attempt(offer, attempt);
    }

    fn logged_in(&mut self, account: BareJid, data: Option<String>, out: &mut Vec<Action>) {
        self.account = Some(account.clone());
        self.tries = 0;
        out.push(Action::Authenticated { account });
        let data = data.map(base64::encode).unwrap_or_default();
        send(out, sasl_element("success", &data));
        self.restart(out);
        out.push(Action::SetLimits(self.settings.limits_after));
    }

    fn refuse(&mut self, offer: Offer, refusal: Refusal, out: &mut Vec<Action>) {
        if refusal.failure == SaslFailure::NotAuthorized {
            out.push(Action::AuthFailed {
                account: refusal.account,
            });
        }
        send(
            out,
            format!(
                "<failure xmlns='{}'><{}/></failure>",
                ns::SASL,
                refusal.failure.name()
            ),
        );
        let goes_on = match refusal.failure {
            SaslFailure::InvalidMechanism => {
                self.detours = self.detours.saturating_add(1);
                self.closes_unless(self.detours < MOST_DETOURS, out)
            }
            _ => self.one_try_less(self.settings.max_auth_tries, out),
        };
        if goes_on {
            self.state = State::Login(offer);
        }
    }

    /// Counts a failed try of `most`; false if it was the last, and the stream is closed.
    fn one_try_less(&mut self, most: u8, out: &mut Vec<Action>) -> bool {
        self.tries = self.tries.saturating_add(1);
        self.closes_unless(self.tries < most, out)
    }

    fn closes_unless(&mut self, left: bool, out: &mut Vec<Action>) -> bool {
        if !left {
            self.fail(StreamCondition::PolicyViolation.into(), out);
        }
        left
    }

    /// RFC 6120 §5.4.2.2: TLS that can't be had ends the stream.
    fn refuse_tls(&mut self, out: &mut Vec<Action>) {
        send(out, format!("<failure xmlns='{}'/>", ns::TLS));
        self.end(out);
    }

    /// An element after login: the request to bind a resource (RFC 6120 §7), or too early.
    fn bind(&mut self, element: Element, out: &mut Vec<Action>) {
        let is_request = element.is("iq", ns::CLIENT)
            && element.attr("type").as_deref() == Some("set")
            && element.child("bind", ns::BIND).is_some();
        if !is_request {
            return match element.ns() {
                ns::TLS if element.name() == "starttls" => self.refuse_tls(out),
                // TLS and login are behind us.
                ns::TLS | ns::SASL => self.fail(StreamCondition::PolicyViolation.into(), out),
                // RFC 6120 §7.1: no stanzas before a resource is bound.
                _ => self.fail(StreamCondition::NotAuthorized.into(), out),
            };
        }
        let resource = requested_resource(&element);
        let request = match Stanza::read(element, None) {
            Ok(request) => request,
            Err(Rejected::Reply(reply)) => return self.answer_bind(reply.to_bytes(), out),
            Err(Rejected::Stream(error)) => return self.fail(error, out),
            Err(Rejected::Drop(_)) => {
                return self.fail(StreamCondition::NotAuthorized.into(), out);
            }
        };
        let Some(account) = self.account.clone() else {
            return self.fail(StreamCondition::InternalServerError.into(), out);
        };
        if let Some(resource) = &resource
            && account.with_resource(resource).is_err()
        {
            // RFC 6120 §7.7.2.1
            return self.bind_failed(&request, StanzaError::new(Condition::BadRequest), out);
        }
        out.push(Action::Bind { account, resource });
        self.state = State::Binding(request);
    }

    fn bound(&mut self, result: Result<FullJid, StanzaError>, out: &mut Vec<Action>) {
        let State::Binding(request) = mem::replace(&mut self.state, State::Closed) else {
            return self.fail(StreamCondition::InternalServerError.into(), out);
        };
        match result {
            Ok(jid) => {
                let mut payload = xml::Writer::new();
                payload.start("bind", ns::BIND).leaf("jid", jid.as_ref());
                send(out, request.iq_result(payload.finish()).to_bytes());
                out.push(Action::Established(jid));
                self.state = State::Established;
            }
            Err(error) => self.bind_failed(&request, error, out),
        }
    }

    fn bind_failed(&mut self, request: &Stanza, error: StanzaError, out: &mut Vec<Action>) {
        match request.error(error) {
            Some(answer) => self.answer_bind(answer.to_bytes(), out),
            None => self.fail(StreamCondition::InternalServerError.into(), out),
        }
    }

    /// A request to bind failed with this answer; the client may try again.
    fn answer_bind(&mut self, answer: Bytes, out: &mut Vec<Action>) {
        send(out, answer);
        if self.one_try_less(BIND_TRIES, out) {
            self.state = State::Bind;
        }
    }

    /// The stream begins anew on the same connection (RFC 6120 §4.3.3).
    fn restart(&mut self, out: &mut Vec<Action>) {
        out.push(Action::RestartFramer);
        self.opened = false;
        self.domain.clear();
        self.state = State::Header;
    }

    /// The client closes the stream, or nothing is left to say: closes our side.
    fn end(&mut self, out: &mut Vec<Action>) {
        send(out, STREAM_END);
        self.close(out);
    }

    /// Ends the stream with an error, after our header if that is still missing (RFC 6120 §4.9.1.2).
    fn fail(&mut self, error: StreamError, out: &mut Vec<Action>) {
        if matches!(self.state, State::Handshake) {
            // The client expects TLS: what we would say in the clear makes no sense to it.
            return self.close(out);
        }
        let mut bytes = Vec::new();
        if !self.opened {
            let host = match &self.account {
                Some(account) => account.domain(),
                None => &self.settings.host,
            };
            bytes.extend_from_slice(header::write(&self.settings, host, None).as_bytes());
        }
        bytes.extend_from_slice(&error.to_bytes());
        bytes.extend_from_slice(STREAM_END);
        send(out, bytes);
        self.close(out);
    }

    fn close(&mut self, out: &mut Vec<Action>) {
        out.push(Action::Close);
        self.state = State::Closed;
    }
}

fn send(out: &mut Vec<Action>, bytes: impl Into<Bytes>) {
    out.push(Action::Send(bytes.into()));
}

fn sasl_element(name: &str, text: &str) -> String {
    match text {
        "" => format!("<{name} xmlns='{}'/>", ns::SASL),
        _ => format!("<{name} xmlns='{}'>{text}</{name}>", ns::SASL),
    }
}

fn auth(cx: Context<'_>, element: &Element) -> Result<Step, Refusal> {
    let mechanism = Attempt::choose(cx, &element.attr("mechanism").unwrap_or_default())?;
    Attempt::begin(cx, mechanism, payload(element)?.as_deref())
}

/// The message in a SASL element: `None` if there is none, an empty one for `=` (RFC 6120 §6.4.2).
fn payload(element: &Element) -> Result<Option<Vec<u8>>, SaslFailure> {
    if element.children().len() > 0 {
        return Err(SaslFailure::MalformedRequest);
    }
    match &*element.text() {
        "" => Ok(None),
        "=" => Ok(Some(Vec::new())),
        text => base64::decode(text)
            .map(Some)
            .map_err(|_| SaslFailure::IncorrectEncoding),
    }
}

/// The resource that a request to bind asks for; an empty one counts as none.
fn requested_resource(element: &Element) -> Option<String> {
    let bind = element.child("bind", ns::BIND)?.element().ok()?;
    let resource = bind.child("resource", ns::BIND)?.text().into_owned();
    Some(resource).filter(|resource| !resource.is_empty())
}
