//! What a message costs from one actor to another, without what it is about: to put it into the mailbox
//! and to take it out, alone and with others, and to wake who sleeps.

use divan::Bencher;
use divan::counter::ItemsCount;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use ractor_cluster_derive::RactorMessage;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

fn main() {
    divan::main();
}

#[derive(RactorMessage)]
enum Word {
    /// One of many; as large as what sessions are told.
    Say(#[expect(dead_code, reason = "its size counts")] [usize; 4]),
    /// The last of them.
    Done,
}

/// Hears, and tells when it has heard the last.
struct Listener(UnboundedSender<()>);

impl Actor for Listener {
    type Msg = Word;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Word>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Word>,
        word: Word,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if matches!(word, Word::Done) {
            self.0.send(())?;
        }
        Ok(())
    }
}

fn listener(runtime: &Runtime) -> (ActorRef<Word>, UnboundedReceiver<()>) {
    let (tell, told) = unbounded_channel();
    let spawned = runtime.block_on(Actor::spawn(None, Listener(tell), ()));
    (spawned.expect("it starts").0, told)
}

/// On the same thread: so many messages, and one more with the answer that all are heard.
#[divan::bench(args = [1, 8, 1000])]
fn one_thread(bencher: Bencher<'_, '_>, count: usize) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let (listener, mut told) = listener(&runtime);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        runtime.block_on(async {
            for number in 0..count - 1 {
                let said = listener.send_message(Word::Say([number; 4]));
                said.expect("it lives");
            }
            listener.send_message(Word::Done).expect("it lives");
            told.recv().await
        })
    });
}

/// To a thread that sleeps, which answers to one that sleeps by then.
#[divan::bench]
fn there_and_back_between_threads(bencher: Bencher<'_, '_>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let (listener, mut told) = listener(&runtime);
    bencher.bench_local(|| {
        listener.send_message(Word::Done).expect("it lives");
        told.blocking_recv()
    });
}
