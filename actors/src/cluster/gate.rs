//! The port where other nodes connect, and the calls to those that were found: what stands between
//! a socket and a greeting, with a deadline for everybody.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Connection, Tls};
use crate::limits::Door;
use crate::listener::Serve;

/// Connections of one address that may not have said who they are yet.
const STRANGERS_PER_ADDRESS: u32 = 16;
/// The same of all addresses.
const STRANGERS: u32 = 128;

/// Which side of a connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// We have connected.
    Caller,
    /// The other one has.
    Called,
}

/// Finds out who is at the other end, and what is to become of the connection.
pub(super) trait Greet: Send + Sync + 'static {
    /// Who was found.
    type Met: Send;

    /// Says and hears the first words.
    ///
    /// # Errors
    /// Why the connection is of no use, for the log.
    fn greet(
        &self,
        connection: Connection,
        side: Side,
    ) -> impl Future<Output = Result<Self::Met, String>> + Send;
}

/// How connections come to be.
pub(super) struct Gate<G> {
    greet: G,
    tls: Tls,
    patience: Duration,
    door: Arc<Door>,
}

impl<G: Greet> Gate<G> {
    /// A gate at which nobody stays longer than `patience` without saying who they are.
    pub(super) fn new(greet: G, tls: Tls, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            greet,
            tls,
            patience,
            door: Door::new(STRANGERS_PER_ADDRESS, STRANGERS),
        })
    }

    /// What is done with those who connect: each has a task of its own, so that one that is silent
    /// keeps nobody else waiting.
    pub(super) fn serve(self: &Arc<Self>) -> Serve {
        let gate = self.clone();
        Arc::new(move |tcp, remote| {
            let Some(pass) = gate.door.enter(remote.ip()) else {
                tracing::warn!(what = "node_refused", %remote,
                    "too many connections that do not say who they are");
                return;
            };
            let gate = gate.clone();
            tokio::spawn(async move {
                let met = async {
                    let connection = Connection::accept(tcp, remote, &gate.tls);
                    let connection = connection.await.map_err(|error| error.to_string())?;
                    gate.greet.greet(connection, Side::Called).await
                };
                if let Err(error) = gate.in_time(met).await {
                    tracing::warn!(what = "node_refused", %remote, "{error}");
                }
                drop(pass);
            });
        })
    }

    /// Calls a node.
    ///
    /// # Errors
    /// Why it came to nothing, for the log.
    pub(super) async fn call(&self, address: SocketAddr) -> Result<G::Met, String> {
        let met = async {
            let connection = Connection::dial(address, &self.tls);
            let connection = connection.await.map_err(|error| error.to_string())?;
            self.greet.greet(connection, Side::Caller).await
        };
        self.in_time(met).await
    }

    async fn in_time<T>(
        &self,
        met: impl Future<Output = Result<T, String>> + Send,
    ) -> Result<T, String> {
        timeout(self.patience, met)
            .await
            .unwrap_or_else(|_| Err("it did not say in time who it is".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;

    /// Says one byte and hears one.
    struct OneByte(u8, mpsc::UnboundedSender<(Side, u8)>);

    impl Greet for OneByte {
        type Met = u8;

        async fn greet(&self, mut connection: Connection, side: Side) -> Result<u8, String> {
            let say = connection.writer.write_u8(self.0).await;
            say.map_err(|error| error.to_string())?;
            let heard = connection.reader.read_u8().await;
            let heard = heard.map_err(|error| error.to_string())?;
            let _ = self.1.send((side, heard));
            Ok(heard)
        }
    }

    fn gate(
        byte: u8,
        patience: Duration,
    ) -> (Arc<Gate<OneByte>>, mpsc::UnboundedReceiver<(Side, u8)>) {
        let (met, all) = mpsc::unbounded_channel();
        (Gate::new(OneByte(byte, met), None, patience), all)
    }

    /// Accepts for `gate`.
    async fn listen(gate: &Arc<Gate<OneByte>>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let serve = gate.serve();
        tokio::spawn(async move {
            while let Ok((tcp, remote)) = listener.accept().await {
                serve(tcp, remote);
            }
        });
        address
    }

    #[tokio::test]
    async fn those_who_are_silent_keep_nobody_waiting() {
        // Longer than any test takes.
        let patience = Duration::from_secs(600);
        let (called, mut met) = gate(1, patience);
        let address = listen(&called).await;
        let mut silent = Vec::new();
        for _ in 0..STRANGERS_PER_ADDRESS - 1 {
            silent.push(TcpStream::connect(address).await.expect("connected"));
        }
        let (caller, _) = gate(2, patience);
        assert_eq!(caller.call(address).await, Ok(1));
        assert_eq!(met.recv().await, Some((Side::Called, 2)));
        assert_eq!(silent.len(), 15);
    }

    #[tokio::test]
    async fn those_who_are_silent_are_few_and_go() {
        let (called, _) = gate(1, Duration::ZERO);
        let address = listen(&called).await;
        let mut silent = TcpStream::connect(address).await.expect("connected");
        // The byte may have been said before it was over.
        let mut heard = Vec::new();
        silent.read_to_end(&mut heard).await.expect("it is closed");

        let (called, _) = gate(1, Duration::from_secs(600));
        let address = listen(&called).await;
        let mut inside = Vec::new();
        for _ in 0..STRANGERS_PER_ADDRESS {
            let mut stranger = TcpStream::connect(address).await.expect("connected");
            assert_eq!(stranger.read_u8().await.expect("greeted"), 1);
            inside.push(stranger);
        }
        let mut one_more = TcpStream::connect(address).await.expect("connected");
        let refused = one_more.read_u8().await;
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(called.door.refused(), 1);
    }

    #[tokio::test]
    async fn a_call_to_nobody_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let (caller, _) = gate(1, Duration::from_secs(600));
        let error = caller.call(address).await.expect_err("nobody is there");
        assert!(error.contains("refused"), "{error}");
    }
}
