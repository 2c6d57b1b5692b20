//! A router with the modules that most nodes have, and sessions without sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use router::{
    Clock, ConnectionFacts, Control, Host, HostType, Inbox, Installed, Module, Planned, Router,
    RouterSettings, Session, Undelivered,
};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use xml::Element;
use xmpp::{BareJid, Jid, Stanza, ns};

pub(crate) struct Stage {
    pub(crate) router: Router,
    host_type: Arc<HostType>,
    runtime: Runtime,
    installed: Vec<Installed>,
    // Tasks of modules live as long as these.
    stops: Vec<oneshot::Sender<()>>,
}

/// Counts what comes.
#[derive(Default)]
struct Counter(AtomicU64);

impl Inbox for Counter {
    fn deliver(&self, _: Stanza) -> Result<(), Undelivered> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn control(&self, _: Control) {}
}

/// Somebody who is there.
pub(crate) struct Person {
    pub(crate) session: Session,
    came: Arc<Counter>,
}

impl Person {
    /// Says something; what comes straight back.
    pub(crate) fn say(&mut self, text: &str) -> Vec<Stanza> {
        let mut out = Vec::new();
        let stanza = stanza(&self.session, text);
        self.session.handle(stanza, &mut out);
        out
    }

    /// How many stanzas came from others.
    pub(crate) fn came(&self) -> u64 {
        self.came.0.load(Ordering::Relaxed)
    }
}

/// What `text` is when a session sends it.
pub(crate) fn stanza(session: &Session, text: &str) -> Stanza {
    let element = Element::parse_in(text.as_bytes(), ns::CLIENT).expect("XML");
    Stanza::read(element, Some(session.jid())).unwrap_or_else(|why| panic!("{text}: {why:?}"))
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let router = Router::new(RouterSettings::default(), Clock::system());
        let host_type = HostType::new("bench");
        let domain: BareJid = "localhost".parse().expect("a domain");
        router.serve(Host::new(domain, host_type.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let stage = Stage {
            router,
            host_type,
            runtime: runtime.expect("a runtime"),
            installed: Vec::new(),
            stops: Vec::new(),
        };
        // In the order of the node's registry.
        stage
            .with::<modules::caps::Caps>()
            .with::<modules::disco::Disco>()
            .with::<modules::last::Last>()
            .with::<modules::offline::Offline>()
            .with::<modules::ping::Ping>()
            .with::<modules::privacy::Privacy>()
            .with::<modules::private::Private>()
            .with::<modules::roster::Roster>()
            .with::<modules::vcard::Vcard>()
    }

    fn with<M: Module>(mut self) -> Stage
    where
        M::Config: Default,
    {
        let planned = Planned::new::<M>(Arc::default(), &self.router).expect("a plan");
        for task in planned.tasks() {
            let (stop, stopped) = oneshot::channel();
            self.stops.push(stop);
            self.runtime.spawn((task.run)(stopped));
        }
        let order = self.installed.len();
        let installed = self.host_type.install(planned, order);
        self.installed.push(installed.expect("no conflict"));
        self
    }

    /// Somebody comes.
    pub(crate) fn open(&self, jid: &str) -> Person {
        let jid: Jid = jid.parse().expect("an address");
        let came = Arc::new(Counter::default());
        let facts = ConnectionFacts {
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            encrypted: false,
            transport: "bench",
        };
        let (account, inbox) = (jid.to_bare(), came.clone());
        let opening = Session::open(&self.router, &account, jid.resource(), facts, inbox);
        let session = self.runtime.block_on(opening).expect("it is bound");
        Person { session, came }
    }

    /// Romeo and so many others who are there and see each other's presence.
    pub(crate) fn contacts(&self, count: u32) -> (Person, Vec<Person>) {
        let mut romeo = self.open("romeo@localhost/orchard");
        romeo.say("<presence/>");
        let friends = (0..count).map(|number| {
            let address = format!("friend{number}@localhost");
            let mut friend = self.open(&format!("{address}/there"));
            friend.say("<presence/>");
            friend.say("<presence type='subscribe' to='romeo@localhost'/>");
            romeo.say(&format!("<presence type='subscribed' to='{address}'/>"));
            romeo.say(&format!("<presence type='subscribe' to='{address}'/>"));
            friend.say("<presence type='subscribed' to='romeo@localhost'/>");
            friend
        });
        let friends = friends.collect();
        (romeo, friends)
    }
}
