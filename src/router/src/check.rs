//! The stage for the plays of modules: the router and its sessions, no socket, no actor, a clock
//! that goes by when the play says so.
//!
//! Each play is performed twice: by people at one node, and by people spread over three.

pub mod mesh;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use play::{Play, Received, StageError};
use tokio::sync::oneshot;
use xml::Element;
use xmpp::{BareJid, FullJid, Jid, Rejected, Stanza};

use crate::inbox::{Control, Inbox, Undelivered};
use crate::session::{ConnectionFacts, Ending, NotOpened, Session};
use crate::{Clock, Host, HostType, Installed, Module, Planned, Router, RouterSettings, Services};

/// Noon of 14 February 2026, UTC: when every play begins.
pub const BEGINS: Duration = Duration::from_secs(1_771_070_400);

/// Performs `play` on a stage with the module `M` alone.
///
/// Romeo is `romeo@montague.lit/orchard` and Juliet `juliet@capulet.lit/balcony`; both domains
/// are served here. Others are introduced: `Nurse is nurse@capulet.lit/kitchen`. A name has its
/// session from its first line on, until it `closes` or `is cut off`.
///
/// # Panics
/// When a step fails, with what came instead.
pub fn check<M: Module<Config: Clone>>(settings: M::Config, play: &str) {
    Stage::perform(|stage| stage.with::<M>(settings.clone()), play);
}

/// Nodes with the modules of a test, and the people of its play.
pub struct Stage {
    nodes: Vec<Node>,
    people: HashMap<String, Person>,
    /// How many have come.
    came: usize,
}

struct Node {
    router: Router,
    host_type: Arc<HostType>,
    installed: Vec<Installed>,
    stops: Vec<oneshot::Sender<()>>,
}

struct Person {
    session: Session,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    came: Mutex<VecDeque<Came>>,
    /// Holds that are gone.
    released: AtomicUsize,
    /// Whether its session has ended.
    over: AtomicBool,
}

impl Drop for Person {
    fn drop(&mut self) {
        self.queue.over.store(true, Ordering::Relaxed);
        // Who waits for something in it learns that it won't be written.
        self.queue.came.lock().clear();
    }
}

enum Came {
    /// What was stored, ahead of what is kept back.
    Ahead(Vec<Stanza>, oneshot::Sender<()>),
    /// From the server to this session, not yet through the session's fold.
    Stanza(Stanza),
    /// Written to the client.
    Text(String),
}

impl Inbox for Queue {
    fn deliver(&self, stanza: Stanza) -> Result<(), Undelivered> {
        if self.over.load(Ordering::Relaxed) {
            return Err(Undelivered::Gone);
        }
        self.came.lock().push_back(Came::Stanza(stanza));
        Ok(())
    }

    fn control(&self, control: Control) {
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        match control {
            Control::Close(error) => {
                let error = String::from_utf8_lossy(&error.to_bytes()).into_owned();
                self.came.lock().push_back(Came::Text(error));
            }
            Control::Ahead { stanzas, taken } => {
                // Ahead of what is kept back, behind what was written before: see `next`.
                self.came.lock().push_back(Came::Ahead(stanzas, taken));
            }
            Control::Release => _ = self.released.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Queue {
    /// What comes next. While the session is held that is no stanza.
    fn next(&self, session: &mut Session) -> Option<Came> {
        for _ in 0..self.released.swap(0, Ordering::Relaxed) {
            session.release();
        }
        let mut came = self.came.lock();
        let next = match session.is_held() {
            true => came
                .iter()
                .position(|came| !matches!(came, Came::Stanza(_))),
            false => Some(0),
        };
        came.remove(next?)
    }
}

impl Stage {
    /// Sets up a stage and performs `play` on it: with one node, then with three nodes of a cluster at
    /// which people are in turns.
    ///
    /// # Panics
    /// When a step fails.
    pub fn perform(set_up: impl Fn(Stage) -> Stage, play: &str) {
        Self::perform_at(1, &set_up, play);
        Self::perform_at(3, &set_up, play);
    }

    /// The same with one node only: for what is about the node itself.
    ///
    /// # Panics
    /// When a step fails.
    pub fn perform_alone(set_up: impl FnOnce(Stage) -> Stage, play: &str) {
        Self::perform_at(1, set_up, play);
    }

    fn perform_at(nodes: usize, set_up: impl FnOnce(Stage) -> Stage, play: &str) {
        let play = Play::parse(play).unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.expect("a runtime for the play").block_on(async {
            let mut stage = set_up(Stage::new(nodes));
            let (performed, spread) = match nodes {
                1 => (play::perform(&play, &mut stage).await, ""),
                _ => (
                    play::perform_spread(&play, &mut stage).await,
                    "spread over nodes: ",
                ),
            };
            if let Err(failure) = performed {
                panic!("{spread}{failure}");
            }
        });
    }

    fn new(nodes: usize) -> Self {
        let services = Services::default();
        let nodes: Vec<Node> = (0..nodes).map(|_| Node::new(&services)).collect();
        if nodes.len() > 1 {
            let routers: Vec<Router> = nodes.iter().map(|node| node.router.clone()).collect();
            mesh::tie(&routers);
        }
        Self {
            nodes,
            people: HashMap::new(),
            came: 0,
        }
    }

    /// Offers something to the modules that come after.
    #[must_use]
    pub fn offering<T: Send + Sync + 'static>(self, service: Arc<T>) -> Self {
        for node in &self.nodes {
            node.router.services().offer(service.clone());
        }
        self
    }

    /// The router of the play, the first one if there are several.
    #[must_use]
    pub fn router(&self) -> &Router {
        &self.nodes[0].router
    }

    /// Puts the module `M` on the stage.
    ///
    /// # Panics
    /// When its plan fails.
    #[must_use]
    pub fn with<M: Module>(mut self, settings: M::Config) -> Self {
        let settings = Arc::new(settings);
        for node in &mut self.nodes {
            node.install::<M>(settings.clone());
        }
        self
    }

    async fn open(&mut self, who: &str, jid: &FullJid) -> Result<(), StageError> {
        let queue = Arc::new(Queue::default());
        let facts = ConnectionFacts {
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            encrypted: true,
            transport: "play",
        };
        let resource = Some(jid.resource());
        let mut at = self.came % self.nodes.len();
        self.came += 1;
        let session = loop {
            let router = &self.nodes[at].router;
            match Session::open(router, &jid.bare(), resource, facts, queue.clone()).await {
                Ok(session) => break session,
                Err(NotOpened::Elsewhere(peer)) => {
                    let is =
                        |node: &Node| node.router.elsewhere().is_some_and(|e| e.name() == peer);
                    at = self
                        .nodes
                        .iter()
                        .position(is)
                        .ok_or("a node of the stage")?;
                }
                Err(NotOpened::Refused(error)) => {
                    return Err(format!("{who} can't bind: {error:?}").into());
                }
            }
        };
        self.people
            .insert(who.to_owned(), Person { session, queue });
        if self.nodes.len() > 1 {
            // Whom clients write to they have heard of, and so have their nodes.
            self.let_others_act().await;
        }
        Ok(())
    }

    async fn person(&mut self, who: &str) -> Result<&mut Person, StageError> {
        if !self.people.contains_key(who) {
            let jid = match who {
                "Romeo" => "romeo@montague.lit/orchard",
                "Juliet" => "juliet@capulet.lit/balcony",
                _ => {
                    return Err(format!(
                        "who is {who}? Write `{who} is localpart@capulet.lit/resource`"
                    )
                    .into());
                }
            };
            let jid: Jid = jid.parse().map_err(|error| format!("{error}"))?;
            self.open(who, &jid.as_full().ok_or("a full JID")?).await?;
        }
        self.people
            .get_mut(who)
            .ok_or_else(|| StageError::from("nobody"))
    }
}

impl Node {
    fn new(services: &Services) -> Self {
        let router = Router::new(
            RouterSettings::default(),
            Clock::set_to(SystemTime::UNIX_EPOCH + BEGINS),
        );
        router.services().share_memory_of(services);
        let host_type = HostType::new("check");
        for domain in ["montague.lit", "capulet.lit"] {
            let domain: BareJid = domain.parse().expect("a domain");
            router.serve(Host::new(domain, host_type.clone()));
        }
        Self {
            router,
            host_type,
            installed: Vec::new(),
            stops: Vec::new(),
        }
    }

    fn install<M: Module>(&mut self, settings: Arc<M::Config>) {
        let planned = Planned::new::<M>(settings, &self.router).expect("the module's plan");
        for timer in planned.timers().to_vec() {
            let router = self.router.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(timer.every).await;
                    (timer.run)(&router);
                }
            });
        }
        for task in planned.tasks() {
            // Dropped at the end of the play, with the runtime.
            let (tell, told) = oneshot::channel();
            self.stops.push(tell);
            tokio::spawn((task.run)(told));
        }
        let order = self.installed.len();
        self.installed
            .push(self.host_type.install(planned, order).expect("no conflict"));
    }
}

impl play::Stage for Stage {
    async fn send(&mut self, who: &str, text: &str) -> Result<(), StageError> {
        let person = self.person(who).await?;
        let element =
            Element::parse(text.as_bytes()).map_err(|error| format!("not XML: {error}"))?;
        let mut out = Vec::new();
        person.session.hear();
        let before = person.queue.came.lock().len();
        match Stanza::read(element, Some(person.session.jid())) {
            Ok(stanza) => person.session.handle(stanza, &mut out),
            Err(Rejected::Reply(reply)) => out.push(reply),
            Err(Rejected::Drop(_)) => {}
            Err(Rejected::Stream(error)) => {
                return Err(format!("the stream ends: {error:?}").into());
            }
        }
        // What goes straight back is written before what came to the inbox meanwhile.
        {
            let mut came = person.queue.came.lock();
            let later = came.split_off(before);
            came.extend(out.iter().map(|stanza| Came::Text(text_of(stanza))));
            came.extend(later);
        }
        if self.nodes.len() > 1 {
            // What it brings about at other nodes comes before what people do next.
            self.let_others_act().await;
        }
        Ok(())
    }

    async fn receive(&mut self, who: &str) -> Result<Received, StageError> {
        self.person(who).await?;
        // Answers that take time run as tasks: let them come to their end.
        self.let_others_act().await;
        let person = self.person(who).await?;
        loop {
            let Person { session, queue } = &mut *person;
            match queue.next(session) {
                None => return Ok(Received::Nothing),
                Some(Came::Ahead(stanzas, taken)) => {
                    let written: Vec<_> = stanzas
                        .into_iter()
                        .filter_map(|stanza| session.deliver(stanza))
                        .map(|stanza| Came::Text(text_of(&stanza)))
                        .collect();
                    let mut came = queue.came.lock();
                    written
                        .into_iter()
                        .rev()
                        .for_each(|text| came.push_front(text));
                    // Nobody may wait for it.
                    let _ = taken.send(());
                }
                Some(Came::Text(text)) => return Ok(Received::Text(text)),
                Some(Came::Stanza(stanza)) => {
                    if let Some(stanza) = session.deliver(stanza) {
                        return Ok(Received::Text(text_of(&stanza)));
                    }
                }
            }
        }
    }

    async fn advance(&mut self, by: Duration) -> Result<(), StageError> {
        tokio::time::sleep(by).await;
        Ok(())
    }

    async fn direct(&mut self, who: &str, words: &str) -> Result<(), StageError> {
        let mut words = words.split_whitespace();
        match (words.next(), words.next()) {
            (Some("is"), Some("cut")) => self.end(who, Ending::Lost).await,
            (Some("closes"), None) => self.end(who, Ending::Closed).await,
            (Some("crashes"), None) => {
                self.people.remove(who);
                Ok(())
            }
            (Some("connects"), None) => self.person(who).await.map(drop),
            (Some("is"), Some(jid)) => {
                let jid: Jid = jid.parse().map_err(|error| format!("{jid}: {error}"))?;
                self.open(who, &jid.as_full().ok_or("a full JID is needed")?)
                    .await
            }
            _ => Err(format!(
                "{who} can `connects`, `closes`, `is cut off`, `crashes` or `is JID`"
            )
            .into()),
        }
    }
}

impl Stage {
    /// Lets tasks and other nodes do what there is to do.
    async fn let_others_act(&self) {
        for _ in 0..32 * self.nodes.len() {
            tokio::task::yield_now().await;
        }
    }

    async fn end(&mut self, who: &str, ending: Ending) -> Result<(), StageError> {
        self.person(who).await?;
        if let Some(mut person) = self.people.remove(who) {
            person.session.close(ending);
        }
        Ok(())
    }
}

fn text_of(stanza: &Stanza) -> String {
    String::from_utf8_lossy(&stanza.to_bytes()).into_owned()
}
