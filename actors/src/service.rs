//! What all client connections of a node share, and what those of one port do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth::Auth;
use ractor::ActorCell;
use router::Router;
use stream::C2sSettings;
use tokio::sync::watch;

use crate::figures::ClientFigures;
use crate::guests::Guests;
use crate::inbox::InboxLimits;
use crate::limits::Door;
use crate::seat::Seat;
use crate::tls::Certificates;
use crate::turns::Turns;
use crate::vitals::Roll;
use crate::wire::WireLimits;

/// What all client connections of a node share.
pub struct ClientService {
    /// Who gets a stanza.
    pub router: Router,
    /// Who may log in.
    pub auth: Auth,
    /// Where session actors are entered.
    pub roll: Roll,
    /// The supervisors of sessions: each session is started under one of them.
    pub shards: Shards,
    /// Who is not logged in yet.
    pub door: Arc<Door>,
    /// What a connection's outbox bears.
    pub wire: WireLimits,
    /// What a session's mailbox bears.
    pub inbox: InboxLimits,
    /// Who has their turn of those that send without a pause.
    pub turns: Turns,
    /// How long a client may take to bind a resource.
    pub login_timeout: Duration,
    /// Turned when the node stops.
    pub stopping: Stopping,
    /// Clients whose account has its home at another node; set when the node joins a cluster.
    pub guests: Arc<OnceLock<Arc<Guests>>>,
    /// What is counted of its clients.
    pub figures: Arc<ClientFigures>,
}

/// What the connections of one port have in common.
pub struct ClientPort {
    /// How their streams are negotiated.
    pub c2s: Arc<C2sSettings>,
    /// The certificates, where TLS is offered.
    pub certificates: Option<Arc<Certificates>>,
    /// No more connections than this at a time.
    pub max_connections: usize,
    /// How many there are.
    pub open: Arc<AtomicUsize>,
}

/// The seats of the session supervisors, taken in turns.
#[derive(Clone)]
pub struct Shards(Arc<(Box<[Seat]>, AtomicUsize)>);

impl Shards {
    /// So many seats, at least one, all of them free.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let seats = (0..count.max(1)).map(|_| Seat::default()).collect();
        Self(Arc::new((seats, AtomicUsize::new(0))))
    }

    /// The seats in their order.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.0.0
    }

    /// The next supervisor that runs; `None` while all of them are being restarted.
    #[must_use]
    pub fn next(&self) -> Option<ActorCell> {
        let (seats, turn) = &*self.0;
        let first = turn.fetch_add(1, Ordering::Relaxed);
        (0..seats.len()).find_map(|next| seats[(first.wrapping_add(next)) % seats.len()].current())
    }
}

/// Says that the node stops (no stream is begun any more, those under negotiation end), and
/// knows when the last connection is gone.
#[derive(Clone)]
pub struct Stopping(watch::Sender<bool>);

impl Default for Stopping {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopping {
    /// Says so.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Waits until no connection is left.
    pub async fn all_gone(&self) {
        self.0.closed().await;
    }

    /// Counts a connection, as long as what is returned lives.
    pub(crate) fn here(&self) -> Here {
        Here(self.0.subscribe())
    }
}

/// A connection among those of the node.
pub(crate) struct Here(watch::Receiver<bool>);

impl Here {
    /// Waits until the node stops.
    pub(crate) async fn stopped(&mut self) {
        // Without anybody left who could say so, the node has stopped.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}
