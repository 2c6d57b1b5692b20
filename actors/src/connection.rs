//! One client connection, from its first byte to the hand-over to its session's actor.
//!
//! [`stream::C2s`] decides, this drives: it reads and frames, does the handshakes, asks for
//! keys, waits out the throttle and the deadline, and opens the session. All of it is one future
//! that is gone when the resource is bound; what stays is the small reader.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::BytesMut;
use ractor::{Actor, SpawnErr};
use router::{ConnectionFacts, SessionEntry};
use stream::{Action, C2s, ConnectionInfo, Input, TlsInfo, TlsMode};
use tokio::sync::oneshot;
use tokio::time::sleep;
use xml::Framer;
use xmpp::{BareJid, Condition, FullJid, StanzaError, StreamCondition, StreamError};

use crate::figures::ClientFigure;
use crate::inbox::SessionInbox;
use crate::io::{Io, Source};
use crate::limits::Pass;
use crate::outlet::Outlet;
use crate::reader::{Link, Reader};
use crate::service::{ClientPort, ClientService, Here};
use crate::session::{Refused, SessionActor, SessionArgs, SessionMsg};
use crate::wire::Wire;

/// Serves a client connection until it ends. `pass` is given back once a resource is bound.
pub fn serve(
    service: Arc<ClientService>,
    port: Arc<ClientPort>,
    io: Io,
    peer: IpAddr,
    pass: Option<Pass>,
) -> impl Future<Output = ()> + Send {
    // Boxed with all that goes into it, so that an idle connection holds none of it.
    let negotiation = Box::pin(async move {
        let mut here = service.stopping.here();
        let reader = Negotiation::new(service, port, io, peer).run(&mut here);
        let reader = reader.await;
        drop(pass);
        reader.map(|reader| (reader, here))
    });
    async move {
        // Who stops the node waits for this one as long as it is here.
        if let Some((reader, _here)) = negotiation.await {
            reader.run().await;
        }
    }
}

/// How negotiation went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The next input is awaited.
    On,
    /// A resource is bound, the client has been told.
    Established,
    /// The connection is closing.
    Over,
}

struct Negotiation {
    service: Arc<ClientService>,
    port: Arc<ClientPort>,
    peer: IpAddr,
    wire: Arc<Wire>,
    source: Source,
    framer: Framer,
    /// What came and is no whole frame yet.
    rest: BytesMut,
    machine: C2s,
    session: Option<(Link, Arc<SessionEntry>)>,
}

impl Negotiation {
    fn new(service: Arc<ClientService>, port: Arc<ClientPort>, io: Io, peer: IpAddr) -> Self {
        let (source, sink) = io.split();
        let wire = Wire::new(sink, service.wire);
        let framer = Framer::new(port.c2s.limits_before);
        let machine = C2s::new(port.c2s.clone(), ConnectionInfo { tls: None, peer });
        let rest = BytesMut::new();
        Self {
            service,
            port,
            peer,
            wire,
            source,
            framer,
            rest,
            machine,
            session: None,
        }
    }

    /// Negotiates within the time that a client has for it; the reader of the established
    /// stream, or nothing when the connection has ended.
    async fn run(mut self, here: &mut Here) -> Option<Reader> {
        let service = self.service.clone();
        let step = tokio::select! {
            step = self.negotiate() => step,
            () = sleep(service.login_timeout) => {
                service.figures.count(ClientFigure::TimedOut);
                self.close(StreamCondition::ConnectionTimeout)
            }
            () = here.stopped() => self.close(StreamCondition::SystemShutdown),
        };
        self.wire.flush();
        if step == Step::Established
            && let Some((link, entry)) = self.session.take()
            && link.0.tell(SessionMsg::Start).is_ok()
        {
            return Some(Reader {
                wire: self.wire,
                source: self.source,
                framer: self.framer,
                rest: self.rest,
                link,
                entry,
                clock: self.service.router.clock().clone(),
                turns: self.service.turns.clone(),
            });
        }
        drop(self.session.take());
        self.wire.hang_up();
        self.wire.drain(&mut self.source).await;
        self.wire.read_out();
        None
    }

    async fn negotiate(&mut self) -> Step {
        if self.port.c2s.tls == TlsMode::Direct {
            let Some(tls) = self.handshake().await else {
                return Step::Over;
            };
            let info = ConnectionInfo {
                tls: Some(tls),
                peer: self.peer,
            };
            self.machine = C2s::new(self.port.c2s.clone(), info);
        }
        loop {
            let input = match self.framer.next(&mut self.rest) {
                Ok(Some(event)) => Input::Event(event),
                Err(error) => Input::BadXml(error),
                Ok(None) => {
                    self.wire.flush();
                    match self.wire.read(&mut self.source, &mut self.rest).await {
                        Ok(1..) => continue,
                        Ok(0) | Err(_) => return Step::Over,
                    }
                }
            };
            match self.act(input).await {
                Step::On => {}
                end => return end,
            }
        }
    }

    /// Ends the stream from our side: a deadline has passed, the node stops.
    fn close(&mut self, condition: StreamCondition) -> Step {
        let mut actions = Vec::new();
        self.machine
            .handle(Input::Close(StreamError::new(condition)), &mut actions);
        for action in actions {
            if let Action::Send(bytes) = action {
                self.wire.push(|out| out.extend_from_slice(&bytes));
            }
        }
        Step::Over
    }

    /// Hands `input` to the machine and carries out what it asks for, until it asks for nothing
    /// more.
    async fn act(&mut self, input: Input) -> Step {
        let mut actions = VecDeque::new();
        self.hand(input, &mut actions);
        while let Some(action) = actions.pop_front() {
            let answer = match action {
                Action::Send(bytes) => {
                    self.wire.push(|out| out.extend_from_slice(&bytes));
                    continue;
                }
                Action::RestartFramer => {
                    self.framer.restart();
                    continue;
                }
                Action::SetLimits(limits) => {
                    self.framer.set_limits(limits);
                    continue;
                }
                Action::AuthFailed { account } => {
                    self.service.figures.count(ClientFigure::LoginFailed);
                    let wait = self
                        .service
                        .auth
                        .throttle()
                        .failed(account.as_ref(), self.peer);
                    tracing::info!(
                        what = "login_failed", account = account.map(tracing::field::display),
                        peer = %self.peer
                    );
                    self.wait(wait).await;
                    continue;
                }
                Action::Authenticated { account } => {
                    self.service.figures.count(ClientFigure::LoggedIn);
                    self.service.auth.throttle().succeeded(&account);
                    continue;
                }
                Action::StartTls => match self.starttls().await {
                    Some(answer) => answer,
                    None => return Step::Over,
                },
                Action::FetchKeys { account, hash } => {
                    self.slow_down().await;
                    match self.service.auth.keys(&account, hash).await {
                        Ok(keys) => Input::Keys(keys),
                        Err(error) => self.unavailable(&error),
                    }
                }
                Action::CheckPassword { account, password } => {
                    self.slow_down().await;
                    match self.service.auth.check_password(&account, password).await {
                        Ok(right) => Input::PasswordChecked(right),
                        Err(error) => self.unavailable(&error),
                    }
                }
                Action::Bind { account, resource } => {
                    Input::Bound(self.bind(account, resource).await)
                }
                Action::AskStranger { domain, request } => {
                    let router = &self.service.router;
                    Input::Answered(router.answer_stranger(&domain, request, self.peer).await)
                }
                Action::Established(_) => return Step::Established,
                Action::Close => return Step::Over,
            };
            self.hand(answer, &mut actions);
        }
        Step::On
    }

    fn hand(&mut self, input: Input, actions: &mut VecDeque<Action>) {
        let mut more = Vec::new();
        self.machine.handle(input, &mut more);
        actions.extend(more);
    }

    /// Who guesses from one address waits before each try, so that hanging up early gains him
    /// nothing.
    async fn slow_down(&self) {
        self.wait(self.service.auth.throttle().delay_for(None, self.peer))
            .await;
    }

    async fn wait(&self, time: std::time::Duration) {
        if !time.is_zero() {
            self.wire.flush();
            sleep(time).await;
        }
    }

    /// Goes over to TLS after STARTTLS; the answer for the machine, nothing when the connection
    /// is lost.
    async fn starttls(&mut self) -> Option<Input> {
        // What was sent before the handshake must not count after it (CVE-2011-0411). White
        // space means nothing to anybody and is left out silently.
        if !self.rest.iter().all(u8::is_ascii_whitespace) {
            tracing::info!(what = "starttls_injection", peer = %self.peer, "bytes came before the handshake");
            return Some(Input::Close(StreamError::new(
                StreamCondition::NotWellFormed,
            )));
        }
        self.rest.clear();
        // The permission to begin goes out in the clear, all of it.
        self.wire.written().await.ok()?;
        self.handshake().await.map(Input::TlsDone)
    }

    async fn handshake(&mut self) -> Option<TlsInfo> {
        // Boot gives certificates to every port that offers TLS.
        let set = self.port.certificates.as_ref()?.current();
        let config = match self.port.c2s.tls {
            TlsMode::Direct => set.direct(),
            _ => set.starttls(),
        };
        if let Err(error) = self.wire.handshake(&mut self.source, config).await {
            self.service.figures.count(ClientFigure::HandshakeFailed);
            tracing::debug!(what = "tls_handshake_failed", peer = %self.peer, %error);
            self.wire.cut();
            return None;
        }
        self.wire.with_tls(|connection| set.info(connection))
    }

    /// Opens the session: its actor is started under one of the session supervisors.
    async fn bind(
        &mut self,
        account: BareJid,
        resource: Option<String>,
    ) -> Result<FullJid, StanzaError> {
        let unavailable = || StanzaError::new(Condition::InternalServerError);
        let Some(supervisor) = self.service.shards.next() else {
            tracing::error!(
                what = "no_session_supervisor",
                "sessions cannot be started at the moment"
            );
            return Err(unavailable());
        };
        let tls = self.machine.connection().tls.is_some();
        let outlet = Outlet::Wire(self.wire.clone());
        let inbox = SessionInbox::new(
            outlet.clone(),
            self.service.inbox,
            self.service.figures.clone(),
        );
        let (bound, entry) = oneshot::channel();
        let args = SessionArgs {
            router: self.service.router.clone(),
            account,
            resource,
            facts: ConnectionFacts {
                peer: self.peer,
                encrypted: tls,
                transport: if tls { "tls" } else { "tcp" },
            },
            inbox: inbox.clone(),
            outlet,
            roll: self.service.roll.clone(),
            bound,
            guests: self.service.guests.get().cloned(),
            hosted: None,
        };
        match Actor::spawn_linked(None, SessionActor, args, supervisor).await {
            Ok(_) => {}
            Err(SpawnErr::StartupFailed(error)) => {
                return Err(match error.downcast::<Refused>() {
                    Ok(refused) => refused.error(),
                    Err(error) => {
                        tracing::error!(what = "session_not_started", %error);
                        unavailable()
                    }
                });
            }
            Err(error) => {
                tracing::error!(what = "session_not_started", %error);
                return Err(unavailable());
            }
        }
        // From here on the session learns when this connection ends.
        let link = Link(inbox);
        let entry = entry.await.map_err(|_| unavailable())?;
        let jid = entry.jid.clone();
        self.session = Some((link, entry));
        Ok(jid)
    }

    fn unavailable(&self, error: &store::StoreError) -> Input {
        self.service.figures.count(ClientFigure::LoginUnavailable);
        tracing::error!(what = "accounts_unavailable", %error, "nobody can log in while this lasts");
        Input::AuthUnavailable
    }
}
