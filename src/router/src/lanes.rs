//! Where asynchronous IQs run: a lane for each client, under the bound of their module.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use xmpp::{Condition, Jid, Stanza, StanzaError};

use crate::Router;
use crate::iq::{AsyncIq, IqAnswer, OwnedIq, reply};
use crate::module::ModuleFigures;

/// Answers that one module works on at a time.
const AT_A_TIME: usize = 256;
/// Questions of one client that wait for their turn; one more is answered with
/// `resource-constraint`.
const WAITING: usize = 64;

/// The lanes of a module. Questions of one client are answered in their order, those of
/// different clients side by side.
pub struct Lanes {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The clients with an answer under way, and what they asked since.
    waiting: HashMap<Jid, VecDeque<Job>>,
    running: JoinSet<()>,
    closed: bool,
}

impl State {
    fn room_for(&self, client: &Jid) -> Result<(), StanzaError> {
        if self.closed {
            return Err(StanzaError::new(Condition::ServiceUnavailable));
        }
        match self.waiting.get(client) {
            Some(lane) if lane.len() >= WAITING => {
                Err(StanzaError::new(Condition::ResourceConstraint))
            }
            _ => Ok(()),
        }
    }
}

struct Job {
    call: AsyncIq,
    request: OwnedIq,
    figures: Arc<ModuleFigures>,
    owed: Owed,
}

/// An answer that is owed: given up without one, the client gets `internal-server-error`.
struct Owed {
    router: Router,
    request: Stanza,
    /// Shared with the question: its handler may have answered it already.
    paid: Arc<AtomicBool>,
}

impl Owed {
    fn pay(&self, answer: IqAnswer) {
        if self.paid.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(stanza) = reply(&self.request, answer) {
            self.router.route(stanza);
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.pay(Err(StanzaError::new(Condition::InternalServerError)));
    }
}

impl Lanes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(AT_A_TIME),
            state: Mutex::default(),
        })
    }

    /// Answers under way, over all lanes.
    #[must_use]
    pub fn busy(&self) -> usize {
        AT_A_TIME - self.permits.available_permits()
    }

    /// Whether one more question of the client who sent `request` would be taken in.
    pub(crate) fn has_room(&self, request: &Stanza) -> Result<(), StanzaError> {
        let client = request.from();
        let client = client.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        self.state.lock().room_for(client)
    }

    pub(crate) fn submit(
        self: &Arc<Self>,
        request: OwnedIq,
        call: AsyncIq,
        figures: Arc<ModuleFigures>,
    ) -> Result<(), StanzaError> {
        let Some(client) = request.stanza.from().cloned() else {
            return Err(StanzaError::new(Condition::BadRequest));
        };
        let mut state = self.state.lock();
        state.room_for(&client)?;
        let owed = Owed {
            router: request.router.clone(),
            request: request.stanza.clone(),
            paid: request.answered.clone(),
        };
        let job = Job {
            call,
            request,
            figures,
            owed,
        };
        match state.waiting.get_mut(&client) {
            Some(lane) => lane.push_back(job),
            None => {
                state.waiting.insert(client.clone(), VecDeque::new());
                while state.running.try_join_next().is_some() {}
                state.running.spawn(self.clone().run(client, job));
            }
        }
        Ok(())
    }

    async fn run(self: Arc<Self>, client: Jid, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            let Ok(_permit) = self.permits.acquire().await else {
                return;
            };
            job.run().await;
            let mut state = self.state.lock();
            next = state.waiting.get_mut(&client).and_then(VecDeque::pop_front);
            if next.is_none() {
                state.waiting.remove(&client);
            }
        }
    }

    /// Ends all that is under way; what was asked is answered with `internal-server-error`.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.closed = true;
            state.running.abort_all();
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
    }
}

impl Job {
    async fn run(self) {
        let Self {
            call,
            request,
            figures,
            owed,
        } = self;
        owed.pay(answered(&call, request, &figures).await);
    }
}

/// What a handler answers. A panic of it is a fault of its module and an error for who asked.
pub(crate) async fn answered(
    call: &AsyncIq,
    request: OwnedIq,
    figures: &ModuleFigures,
) -> IqAnswer {
    let answered = match catch_unwind(AssertUnwindSafe(|| call(request))) {
        Err(panic) => Err(panic),
        Ok(mut future) => {
            poll_fn(
                move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
                    Err(panic) => Poll::Ready(Err(panic)),
                },
            )
            .await
        }
    };
    figures.answer();
    answered.unwrap_or_else(|panic| {
        figures.fault("iq", &panic);
        Err(StanzaError::new(Condition::InternalServerError))
    })
}
