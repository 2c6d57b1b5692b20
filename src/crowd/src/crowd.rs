//! The crowd: it comes, and it chats.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use actors::io::Io;
use actors::listener::Admitted;
use actors::pipe::pipe;
use actors::service::{ClientPort, ClientService};
use rustix::time::{ClockId, clock_gettime};
use xml::Event;

use crate::bell::{Bell, Bells};
use crate::chat::{Chat, ChatPlan, Chatted};
use crate::client::{self, Client, Step};
use crate::listen::Listening;
use crate::problem::{Problem, Problems};

/// Bytes that a pipe holds each way, as a socket's buffers would.
const PIPE: usize = 64 * 1024;
/// So long nothing comes, then nothing will.
const PATIENCE: Duration = Duration::from_secs(60);
/// A crowd that loses more clients than this while it comes is not measured any further.
const MOST_LOST: u64 = 100;
/// One end of a pipe, with its count of those who hold it.
const END: usize = 4 * size_of::<usize>();

/// Where a crowd comes in: what a node does with clients, and a port of it without TLS, which offers
/// PLAIN.
#[derive(Clone)]
pub struct Entrance {
    /// What all client connections of the node share.
    pub service: Arc<ClientService>,
    /// The port.
    pub port: Arc<ClientPort>,
}

/// Who comes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// To which domain.
    pub domain: String,
    /// How many.
    pub users: u32,
    /// How many log in at a time.
    pub under_way: u32,
}

/// How the crowd came.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    /// Clients that are online.
    pub online: u32,
    /// From the first who came to the last who was online.
    pub took: Duration,
    /// Processor time of the crowd itself.
    pub own_cpu: Duration,
}

/// A crowd of clients. All its calls come from the thread that made it.
pub struct Crowd {
    entrance: Entrance,
    plan: Plan,
    clients: Vec<Client>,
    /// Of those in the middle of something.
    listening: HashMap<u32, Listening>,
    /// For all others.
    between: Option<Listening>,
    bells: Arc<Bells>,
    rung: Vec<u32>,
    scratch: Box<[u8]>,
    out: String,
    under_way: u32,
    online: u32,
    problems: Problems,
}

impl Crowd {
    /// Nobody yet.
    #[must_use]
    pub fn new(entrance: Entrance, plan: Plan) -> Crowd {
        Crowd {
            clients: Vec::with_capacity(plan.users as usize),
            entrance,
            plan,
            listening: HashMap::new(),
            between: None,
            bells: Bells::new(),
            rung: Vec::new(),
            scratch: vec![0; 16 * 1024].into(),
            out: String::new(),
            under_way: 0,
            online: 0,
            problems: Problems::default(),
        }
    }

    /// What an idle client takes by itself, its end of the pipe included, in bytes. What lies between
    /// the two ends is the socket of the node's side.
    #[must_use]
    pub const fn bytes_per_client() -> usize {
        let counts = 2 * size_of::<usize>();
        size_of::<Client>() + size_of::<Bell>() + counts + END
    }

    /// What went wrong so far.
    #[must_use]
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Everybody comes: connects, logs in, binds, loads the roster, is there. `progress` is told how
    /// many are, at each tenth. Needs the context of the node's runtime.
    pub fn gather(&mut self, mut progress: impl FnMut(u32)) -> Came {
        let (start, cpu) = (Instant::now(), own_cpu());
        let mut tenth = 1;
        loop {
            while self.under_way < self.plan.under_way && self.has_more() {
                self.enter();
            }
            if self.under_way == 0 {
                break;
            }
            if !self.hear_all(Instant::now() + PATIENCE, None) {
                let times = std::mem::take(&mut self.under_way).into();
                self.problems.count(Problem::NoAnswer, times);
                break;
            }
            while self.online / tenth > self.plan.users / 10 && tenth < 10 {
                progress(self.online);
                tenth += 1;
            }
        }
        Came {
            online: self.online,
            took: start.elapsed(),
            own_cpu: own_cpu() - cpu,
        }
    }

    /// Some of the crowd chat.
    pub fn chat(&mut self, plan: ChatPlan) -> Chatted {
        let (start, cpu) = (Instant::now(), own_cpu());
        let end = start + plan.lasts + PATIENCE;
        let mut chat = Chat::new(plan, self.plan.users, start);
        while !chat.is_over() && Instant::now() < end {
            let mut until = end;
            while let Some(due) = chat.next_due() {
                if due > Instant::now() {
                    until = due;
                    break;
                }
                self.out.clear();
                let writer = chat.write(&self.plan.domain, &mut self.out);
                self.say(writer);
            }
            self.hear_all(until, Some(&mut chat));
        }
        let chatted = chat.end(Instant::now(), own_cpu() - cpu);
        self.problems.count("a message did not come", chatted.lost);
        self.problems.count("a message came twice", chatted.twice);
        chatted
    }

    /// Everybody is cut off.
    pub fn cut(&mut self) {
        self.clients.clear();
        self.listening.clear();
        self.online = 0;
    }

    fn has_more(&self) -> bool {
        (self.clients.len() as u64) < self.plan.users.into() && self.problems.total() < MOST_LOST
    }

    /// The next one comes, from an address of its own, as others do.
    fn enter(&mut self) {
        let number = u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        let peer = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + number % (1 << 23));
        let (ours, theirs) = pipe(PIPE);
        self.clients.push(Client {
            pipe: Some(ours),
            bell: self.bells.bell(number),
            step: Step::Greeting,
        });
        let Entrance { service, port } = &self.entrance;
        self.under_way += 1;
        let Some(admitted) = Admitted::at(service, port, IpAddr::V4(peer)) else {
            return self.lose(number, &Problem::NotAdmitted);
        };
        admitted.serve(Io::Pipe(theirs));
        self.listening.insert(number, Listening::new());
        self.out = client::header(&self.plan.domain);
        self.say(number);
        self.hear(number, None);
    }

    /// Waits until something has come, no longer than `until`, and hears it. Whether something came.
    fn hear_all(&mut self, until: Instant, mut chat: Option<&mut Chat>) -> bool {
        let mut rung = std::mem::take(&mut self.rung);
        let some = self.bells.wait(until, &mut rung);
        for number in rung.drain(..) {
            self.hear(number, chat.as_deref_mut());
        }
        self.rung = rung;
        some
    }

    /// Hears what has come for a client.
    fn hear(&mut self, number: u32, chat: Option<&mut Chat>) {
        let own = self.listening.remove(&number);
        let listening = match own.or_else(|| self.between.take()) {
            Some(listening) => Ok(listening),
            None => Listening::online(),
        };
        let heard = listening.and_then(|mut listening| {
            self.listen(number, &mut listening, chat)?;
            Ok(listening)
        });
        match heard {
            Err(problem) => self.lose(number, &problem),
            Ok(listening) => match self.step(number) {
                // It was lost while it answered.
                None => {}
                Some(Step::Online) if !listening.framer.is_within() => {
                    self.between = Some(listening);
                }
                Some(_) => drop(self.listening.insert(number, listening)),
            },
        }
    }

    fn listen(
        &mut self,
        number: u32,
        listening: &mut Listening,
        mut chat: Option<&mut Chat>,
    ) -> Result<(), Problem> {
        let Some(client) = self.clients.get(number as usize) else {
            return Ok(());
        };
        let Some(pipe) = client.pipe.clone() else {
            return Ok(());
        };
        let bell = Waker::from(client.bell.clone());
        let mut cx = Context::from_waker(&bell);
        loop {
            let read = match pipe.poll_read_into(&mut cx, &mut self.scratch) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0) | Err(_)) => return Err(Problem::Closed),
                Poll::Ready(Ok(read)) => read,
            };
            listening.unread.extend_from_slice(&self.scratch[..read]);
            while let Some(event) = listening.next()? {
                self.take(number, &event, listening, chat.as_deref_mut())?;
            }
        }
    }

    fn take(
        &mut self,
        number: u32,
        event: &Event,
        listening: &mut Listening,
        chat: Option<&mut Chat>,
    ) -> Result<(), Problem> {
        let element = match event {
            Event::Header(_) => return Ok(()),
            Event::Close => return Err(Problem::Closed),
            Event::Element(element) => element,
        };
        let Some(step) = self.step(number) else {
            return Ok(());
        };
        if step == Step::Online && element.name() == "message" {
            self.message(element, chat);
            return Ok(());
        }
        self.out.clear();
        let next = client::answer(step, element, number, &self.plan.domain, &mut self.out)?;
        if next != step {
            self.clients[number as usize].step = next;
        }
        match (step, next) {
            (Step::Verdict, Step::Features) => listening.framer.restart(),
            (Step::Presence, Step::Online) => {
                self.online += 1;
                self.under_way -= 1;
            }
            _ => {}
        }
        self.say(number);
        Ok(())
    }

    fn message(&mut self, element: &xml::Element, chat: Option<&mut Chat>) {
        if element.plain_attr("type") == Some("error") {
            let condition = client::condition(element);
            return self
                .problems
                .count(format!("a message came back: {condition}"), 1);
        }
        if let (Some(chat), Some(id)) = (chat, element.plain_attr("id")) {
            chat.came(id, Instant::now());
        }
    }

    fn step(&self, number: u32) -> Option<Step> {
        let client = self.clients.get(number as usize)?;
        client.pipe.as_ref().map(|_| client.step)
    }

    /// A client says what is in `out`.
    fn say(&mut self, number: u32) {
        let bytes = self.out.as_bytes();
        let Some(pipe) = self
            .clients
            .get(number as usize)
            .and_then(|c| c.pipe.as_ref())
        else {
            return;
        };
        // A socket whose buffers are full would make a client wait; this many bytes behind, the node
        // has been away for seconds.
        match bytes.is_empty() || pipe.try_write(bytes).is_ok_and(|n| n == bytes.len()) {
            true => {}
            false => self.lose(number, &Problem::NotRead),
        }
    }

    fn lose(&mut self, number: u32, problem: &Problem) {
        self.problems.count(problem, 1);
        self.listening.remove(&number);
        let Some(client) = self.clients.get_mut(number as usize) else {
            return;
        };
        if client.pipe.take().is_some() {
            match client.step {
                Step::Online => self.online -= 1,
                _ => self.under_way -= 1,
            }
        }
    }
}

/// Processor time of this thread.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}
