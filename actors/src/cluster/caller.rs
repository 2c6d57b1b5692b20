//! Calls every node that was found and isn't linked, for as long as the node runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::calls::{Calls, Who};
use super::discovery::Candidates;
use super::gate::{Gate, Greet};
use crate::background::BackgroundArgs;
use crate::vitals::Roll;

/// With nothing to do, it looks again after this time: nobody is waited for then.
const RARELY: Duration = Duration::from_secs(60);

/// Who is linked at the moment.
pub(super) trait Linked: Send + Sync + 'static {
    /// Whether there is a connection to that node.
    fn is_linked(&self, node: &str) -> bool;

    /// Notified when a link goes down.
    fn down(&self) -> &Notify;
}

/// What a caller is made of.
pub(super) struct Caller<G, L> {
    pub(super) gate: Arc<Gate<G>>,
    pub(super) candidates: Arc<Candidates>,
    pub(super) linked: Arc<L>,
}

impl<G, L> Clone for Caller<G, L> {
    fn clone(&self) -> Self {
        Self {
            gate: self.gate.clone(),
            candidates: self.candidates.clone(),
            linked: self.linked.clone(),
        }
    }
}

impl<G: Greet<Met = Who>, L: Linked> Caller<G, L> {
    /// Its actor.
    pub(super) fn into_args(self, roll: Roll) -> BackgroundArgs {
        BackgroundArgs {
            kind: "caller",
            name: "caller".into(),
            run: Arc::new(move |told| {
                let caller = self.clone();
                Box::pin(async move { caller.call(told).await })
            }),
            patience: Duration::from_secs(1),
            roll,
        }
    }

    async fn call(self, mut told: oneshot::Receiver<()>) {
        let mut calls = Calls::default();
        let mut under_way = JoinSet::new();
        loop {
            let now = Instant::now();
            let linked = |node: &str| self.linked.is_linked(node);
            let (due, next) = calls.due(now, &self.candidates.all(), linked);
            for address in due {
                let gate = self.gate.clone();
                under_way.spawn(async move { (address, gate.call(address).await) });
            }
            tokio::select! {
                Some(called) = under_way.join_next() => {
                    // A call that panicked is a fault of ours: its actor falls with it.
                    let (address, met) = called.expect("a call ends");
                    answered(&mut calls, address, met);
                }
                () = self.candidates.changed() => {}
                () = self.linked.down().notified() => {}
                () = sleep_until(next.unwrap_or(now + RARELY)) => {}
                _ = &mut told => break,
            }
        }
    }
}

fn answered(calls: &mut Calls, address: SocketAddr, met: Result<Who, String>) {
    match met {
        Ok(who) => calls.met(address, who, Instant::now()),
        Err(error) => {
            if calls.failed(address, Instant::now()) {
                tracing::warn!(what = "node_not_reached", %address, "{error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::super::connection::Connection;
    use super::super::gate::Side;
    use super::*;
    use crate::vitals::lock;

    /// Names of one byte; who hears its own has called itself.
    struct Byte(u8);

    impl Greet for Byte {
        type Met = Who;

        async fn greet(&self, mut connection: Connection, _: Side) -> Result<Who, String> {
            let heard = async {
                connection.writer.write_u8(self.0).await?;
                connection.reader.read_u8().await
            };
            let heard = heard.await.map_err(|error| error.to_string())?;
            Ok(match heard == self.0 {
                true => Who::Ourselves,
                false => Who::Node(char::from(heard).to_string().into()),
            })
        }
    }

    #[derive(Default)]
    struct Links {
        up: Mutex<BTreeSet<String>>,
        down: Notify,
        asked: Mutex<Option<mpsc::UnboundedSender<String>>>,
    }

    impl Linked for Links {
        fn is_linked(&self, node: &str) -> bool {
            if let Some(asked) = &*lock(&self.asked) {
                let _ = asked.send(node.to_owned());
            }
            lock(&self.up).contains(node)
        }

        fn down(&self) -> &Notify {
            &self.down
        }
    }

    /// Answers calls with a byte, and tells of each.
    async fn answer(byte: u8) -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (tell, calls) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let _ = tell.send(());
                let _ = tcp.write_u8(byte).await;
                let _ = tcp.read_u8().await;
            }
        });
        (address, calls)
    }

    #[tokio::test]
    async fn those_who_are_found_are_called_and_again_when_their_link_is_down() {
        let (ourselves, mut own_calls) = answer(b'a').await;
        let (other, mut other_calls) = answer(b'b').await;
        let candidates = Arc::new(Candidates::default());
        let links = Arc::new(Links::default());
        lock(&links.up).insert("b".to_owned());
        let (asked, mut is_asked) = mpsc::unbounded_channel();
        *lock(&links.asked) = Some(asked);
        let caller = Caller {
            gate: Gate::new(Byte(b'a'), None, Duration::from_secs(600)),
            candidates: candidates.clone(),
            linked: links.clone(),
        };
        let (_stays, told) = oneshot::channel();
        tokio::spawn(caller.call(told));

        candidates.found(&[ourselves, other]);
        own_calls.recv().await.expect("called");
        other_calls.recv().await.expect("called");
        // It knows who is there as soon as it asks whether that node is linked.
        assert_eq!(is_asked.recv().await.as_deref(), Some("b"));

        lock(&links.up).clear();
        links.down.notify_one();
        other_calls.recv().await.expect("called again");
        assert!(own_calls.try_recv().is_err(), "never itself");
    }
}
