//! The actor of a connection between two nodes. It ends with the connection, and the connection
//! with it; what was to be said stays with whoever keeps it.

use std::sync::Arc;

use bytes::BytesMut;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::connection::Connection;
use super::talk::{Ended, Talk, talk};
use crate::vitals::{Roll, RollEntry, Vitals};

/// Told once, when the connection is over, however it came to that.
pub(super) type Over = Box<dyn FnOnce(&Ended) + Send>;

/// What a link is made of.
pub(super) struct LinkArgs<T> {
    /// The node at the other end.
    pub(super) peer: Arc<str>,
    pub(super) connection: Connection,
    /// What came behind the greeting.
    pub(super) said: BytesMut,
    pub(super) talk: T,
    /// Notified when there is something to say.
    pub(super) wake: Arc<Notify>,
    pub(super) over: Over,
    pub(super) roll: Roll,
}

/// See the [module](self).
pub(super) struct Link<T>(std::marker::PhantomData<fn(T)>);

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

/// What a link is told.
#[derive(RactorMessage)]
pub(super) enum LinkMsg {
    /// The connection is over.
    Over,
}

/// A link at work.
pub(super) struct Linking {
    talking: JoinHandle<()>,
    _on_the_roll: RollEntry,
}

impl Drop for Linking {
    fn drop(&mut self) {
        self.talking.abort();
    }
}

/// Tells the end even when the task is aborted, as it is when the actor is killed.
struct Tell {
    over: Option<Over>,
    myself: ActorRef<LinkMsg>,
}

impl Tell {
    fn tell(&mut self, ended: &Ended) {
        if let Some(over) = self.over.take() {
            over(ended);
            // An actor that is gone needn't know.
            let _ = self.myself.cast(LinkMsg::Over);
        }
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        self.tell(&Ended::Stopped);
    }
}

impl<T: Talk + 'static> Actor for Link<T> {
    type Msg = LinkMsg;
    type State = Linking;
    type Arguments = LinkArgs<T>;

    async fn pre_start(
        &self,
        myself: ActorRef<LinkMsg>,
        args: LinkArgs<T>,
    ) -> Result<Linking, ActorProcessingErr> {
        let port = u64::from(args.connection.remote.port());
        let vitals = Vitals::new("link", &*args.peer).with_figures(move || vec![("port", port)]);
        let vitals = Arc::new(vitals);
        let on_the_roll = args.roll.enter(myself.get_id(), vitals.clone());
        let mut tell = Tell {
            over: Some(args.over),
            myself,
        };
        let talking = tokio::spawn(async move {
            let ended = talk(args.connection, args.said, &args.talk, &args.wake).await;
            vitals.note_error(&ended);
            tell.tell(&ended);
        });
        Ok(Linking {
            talking,
            _on_the_roll: on_the_roll,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<LinkMsg>,
        LinkMsg::Over: LinkMsg,
        _: &mut Linking,
    ) -> Result<(), ActorProcessingErr> {
        // The network, not a fault of ours: whoever called before calls again.
        myself.stop(None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

    /// Has nothing to say, and bears any silence.
    struct Quiet;

    impl Talk for Quiet {
        fn received(&self, _: Instant, bytes: &mut BytesMut) -> Result<(), String> {
            bytes.clear();
            Ok(())
        }

        fn write(&self, _: Instant, _: usize, _: &mut BytesMut) -> Result<(), String> {
            Ok(())
        }

        fn due(&self) -> Instant {
            self.deadline()
        }

        fn deadline(&self) -> Instant {
            Instant::now() + std::time::Duration::from_secs(3_600)
        }
    }

    struct Started {
        actor: ActorRef<LinkMsg>,
        stopped: JoinHandle<()>,
        over: oneshot::Receiver<String>,
        peer: tokio::io::DuplexStream,
    }

    async fn start() -> Started {
        let (ours, peer) = duplex(64);
        let (reader, writer) = tokio::io::split(ours);
        let (tell, over) = oneshot::channel();
        let args = LinkArgs {
            peer: "b".into(),
            connection: Connection {
                reader: Box::new(reader),
                writer: Box::new(writer),
                remote: ([127, 0, 0, 1], 1).into(),
                binding: None,
            },
            said: BytesMut::new(),
            talk: Quiet,
            wake: Arc::default(),
            over: Box::new(|ended| {
                let _ = tell.send(ended.to_string());
            }),
            roll: Roll::default(),
        };
        let (actor, stopped) = Actor::spawn(None, Link::default(), args)
            .await
            .expect("started");
        Started {
            actor,
            stopped,
            over,
            peer,
        }
    }

    #[tokio::test]
    async fn it_stops_in_order_when_the_other_node_closes() {
        let link = start().await;
        drop(link.peer);
        assert_eq!(
            link.over.await.as_deref(),
            Ok("the other node closed the connection")
        );
        link.stopped.await.expect("no panic");
    }

    #[tokio::test]
    async fn a_killed_link_closes_its_connection_and_says_so() {
        use tokio::io::AsyncReadExt;
        let mut link = start().await;
        link.actor.kill();
        assert_eq!(link.over.await.as_deref(), Ok("the link was stopped"));
        let mut nothing = Vec::new();
        let read = link.peer.read_to_end(&mut nothing).await;
        assert_eq!(read.expect("closed"), 0);
    }
}
