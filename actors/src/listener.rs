//! The actor of a port: it accepts connections and hands each to a task of its own.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::connection::serve;
use crate::figures::ClientFigure;
use crate::io::Io;
use crate::limits::{Pass, Rate};
use crate::service::{ClientPort, ClientService};
use crate::vitals::{Roll, RollEntry, Vitals, lock};

/// Connections that the system may hold ready for us.
const BACKLOG: i32 = 1024;

/// A bound port. It belongs to the node, not to the actor that accepts from it: when that is
/// killed, the port stays ours and those who knock meanwhile wait.
pub struct Bound {
    address: SocketAddr,
    socket: Mutex<Option<StdListener>>,
}

impl Bound {
    /// Binds a port and listens: from now on the system accepts connections for us.
    ///
    /// # Errors
    /// The system's: the port is taken, not ours to take, or the address is not here.
    pub fn bind(address: SocketAddr) -> io::Result<Arc<Self>> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // Connections of an earlier run that linger keep nobody from listening.
        socket.set_reuse_address(true)?;
        prepare(&socket)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let socket = StdListener::from(socket);
        let address = socket.local_addr()?;
        Ok(Arc::new(Self {
            address,
            socket: Mutex::new(Some(socket)),
        }))
    }

    /// The address, with the port that the system chose if it was asked to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the port back: who knocks is refused from now on.
    pub fn close(&self) {
        lock(&self.socket).take();
    }

    /// Another handle of the same socket, to accept from.
    ///
    /// # Errors
    /// `NotConnected` after [`close`](Self::close), else the system's.
    pub fn open(&self) -> io::Result<TcpListener> {
        match &*lock(&self.socket) {
            Some(socket) => TcpListener::from_std(socket.try_clone()?),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// What is done with an accepted connection.
pub type Serve = Arc<dyn Fn(TcpStream, SocketAddr) + Send + Sync>;

/// What a [`Listener`] is made of.
#[derive(Clone)]
pub struct ListenerArgs {
    /// Its name, one segment of a path.
    pub name: Arc<str>,
    /// Where it accepts.
    pub bound: Arc<Bound>,
    /// Connections accepted in a second; more wait in the system's queue.
    pub accept_rate: u32,
    /// What is done with them.
    pub serve: Serve,
    /// Where it is entered.
    pub roll: Roll,
}

/// What is done with connections of clients: limits first, then negotiation in a task.
#[must_use]
pub fn serve_clients(service: Arc<ClientService>, port: Arc<ClientPort>) -> Serve {
    Arc::new(move |tcp, peer| {
        let Some(admitted) = Admitted::at(&service, &port, peer.ip()) else {
            return;
        };
        admitted.serve(Io::Tcp(tcp));
    })
}

/// A client that may connect: it is within the limits of the node and of the port, and counts
/// there until its connection is gone.
pub struct Admitted {
    service: Arc<ClientService>,
    port: Arc<ClientPort>,
    peer: IpAddr,
    pass: Pass,
    place: Place,
}

impl Admitted {
    /// Admits a client from `peer`; `None` when too many are there.
    #[must_use]
    pub fn at(
        service: &Arc<ClientService>,
        port: &Arc<ClientPort>,
        peer: IpAddr,
    ) -> Option<Admitted> {
        let pass = service.door.enter(peer)?;
        let Some(place) = Place::take(&port.open, port.max_connections) else {
            service.figures.count(ClientFigure::PortFull);
            return None;
        };
        service.figures.count(ClientFigure::Accepted);
        Some(Admitted {
            service: service.clone(),
            port: port.clone(),
            peer,
            pass,
            place,
        })
    }

    /// Serves its connection in a task.
    pub fn serve(self, io: Io) {
        let Admitted {
            service,
            port,
            peer,
            pass,
            place,
        } = self;
        let served = serve(service, port, io, peer, Some(pass));
        tokio::spawn(async move {
            served.await;
            drop(place);
        });
    }
}

/// A connection among those of a port.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(here: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(here.clone());
        // A place that is too many is given back at once.
        (here.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Sets what every connection of a client needs. They take it over from the socket that listens, which
/// saves each of them five system calls.
fn prepare(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    // The kernel notices clients that vanished without a word, at no cost to us.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(300))
        .with_interval(Duration::from_secs(30))
        .with_retries(4);
    socket.set_tcp_keepalive(&keepalive)
}

/// See the [module](self).
pub struct Listener;

/// What a listener is told.
#[derive(RactorMessage)]
pub enum ListenerMsg {
    /// Its accepting task is gone, which is a fault of ours.
    AcceptingEnded,
}

/// A listener at work.
pub struct Listening {
    accepting: JoinHandle<()>,
    _on_the_roll: RollEntry,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Actor for Listener {
    type Msg = ListenerMsg;
    type State = Listening;
    type Arguments = ListenerArgs;

    async fn pre_start(
        &self,
        myself: ActorRef<ListenerMsg>,
        args: ListenerArgs,
    ) -> Result<Listening, ActorProcessingErr> {
        let socket = args.bound.open()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let (count, port) = (accepted.clone(), u64::from(args.bound.address().port()));
        let vitals = Arc::new(Vitals::new("listener", &*args.name).with_figures(move || {
            vec![("accepted", count.load(Ordering::Relaxed)), ("port", port)]
        }));
        let on_the_roll = args.roll.enter(myself.get_id(), vitals.clone());
        let rate = Rate::new(args.accept_rate);
        let fallen = Fallen(myself);
        let accepting = tokio::spawn(async move {
            let _fallen = fallen;
            accept(socket, rate, &args.serve, &accepted, &vitals).await;
        });
        Ok(Listening {
            accepting,
            _on_the_roll: on_the_roll,
        })
    }

    async fn handle(
        &self,
        _: ActorRef<ListenerMsg>,
        message: ListenerMsg,
        _: &mut Listening,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ListenerMsg::AcceptingEnded => Err("the accepting task ended".into()),
        }
    }
}

/// Tells the actor when its task ends, by a panic that is.
struct Fallen(ActorRef<ListenerMsg>);

impl Drop for Fallen {
    fn drop(&mut self) {
        // An actor that is gone has aborted the task itself.
        let _ = self.0.send_message(ListenerMsg::AcceptingEnded);
    }
}

/// Where connections come from.
trait Accept: Send {
    fn next(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.accept().await
    }
}

/// Accepts for ever.
async fn accept(
    mut from: impl Accept,
    mut rate: Rate,
    serve: &Serve,
    accepted: &AtomicU64,
    vitals: &Vitals,
) {
    let mut trouble = Duration::ZERO;
    loop {
        rate.pass().await;
        match from.next().await {
            Ok((tcp, peer)) => {
                trouble = Duration::ZERO;
                accepted.fetch_add(1, Ordering::Relaxed);
                vitals.count_sent();
                vitals.count_handled();
                serve(tcp, peer);
            }
            // The peer was gone before we came: its own affair.
            Err(error) if is_of_the_peer(&error) => {}
            // No files left, no memory: waiting is all that helps, and those who knock wait too.
            Err(error) => {
                if trouble.is_zero() {
                    tracing::error!(what = "accept_failed", %error, "connections wait until this is over");
                }
                vitals.note_error(&error);
                trouble = (trouble * 2).clamp(Duration::from_millis(20), Duration::from_secs(1));
                sleep(trouble).await;
            }
        }
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, TimedOut};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::Status;
    use tokio::time::{Instant, timeout};

    /// A system without files left.
    struct NoFiles(Instant, Vec<u128>);

    impl Accept for &mut NoFiles {
        async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
            self.1.push(self.0.elapsed().as_millis());
            match self.1.len() {
                // One that the peer reset costs nothing.
                1 => Err(ErrorKind::ConnectionAborted.into()),
                _ => Err(io::Error::from_raw_os_error(24)),
            }
        }
    }

    #[tokio::test]
    async fn a_connection_has_what_was_set_where_it_came_to() {
        let bound = Bound::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = TcpStream::connect(bound.address()).await.unwrap();
        let socket = lock(&bound.socket).take().unwrap();
        let mut listener = TcpListener::from_std(socket).unwrap();
        let (tcp, _) = Accept::next(&mut listener).await.unwrap();
        assert!(tcp.nodelay().unwrap());
        let socket = socket2::SockRef::from(&tcp);
        assert!(socket.keepalive().unwrap());
        assert_eq!(
            socket.tcp_keepalive_time().unwrap(),
            Duration::from_secs(300)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_accept_that_fails_is_tried_again_ever_more_slowly() {
        let mut system = NoFiles(Instant::now(), Vec::new());
        let vitals = Vitals::new("listener", "test");
        let serve: Serve = Arc::new(|_, _| panic!("nobody came"));
        let (rate, accepted) = (Rate::new(1_000), AtomicU64::new(0));
        let accepting = accept(&mut system, rate, &serve, &accepted, &vitals);
        timeout(Duration::from_secs(5), accepting)
            .await
            .expect_err("it goes on");
        assert_eq!(
            system.1,
            [0, 0, 20, 60, 140, 300, 620, 1_260, 2_260, 3_260, 4_260]
        );
        assert!(
            vitals
                .last_error()
                .is_some_and(|error| error.contains("open files"))
        );
    }
}
