//! A store that is away, and comes back.

use std::future::ready;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use ::store::{Apply, Pending, StoreErrorKind};
use router::{
    Clock, ConnectionFacts, Control, Host, HostType, Inbox, Planned, RouterSettings, Session,
    Undelivered,
};
use xmpp::PresenceType;

use super::*;
use crate::announce::store::{MotdStore, MotdWrite};

/// It fails while it is away, and after a write that is said to `slip` through all the same.
#[derive(Default)]
struct Failing {
    kept: MemMotd,
    away: AtomicBool,
    slips: AtomicBool,
    /// How often it was asked for what accounts have seen.
    asked: AtomicUsize,
}

fn away<T: Send + 'static>() -> Pending<'static, T> {
    let away = StoreError::new(StoreErrorKind::Unavailable, "away");
    Box::pin(ready(Err(away)))
}

impl Apply<MotdWrite> for Failing {
    fn apply<'a>(&'a self, batch: &'a [MotdWrite]) -> Pending<'a, ()> {
        match (
            self.away.load(Ordering::Relaxed),
            self.slips.load(Ordering::Relaxed),
        ) {
            (false, _) => self.kept.apply(batch),
            (true, false) => away(),
            (true, true) => Box::pin(async move {
                self.kept.apply(batch).await?;
                away().await
            }),
        }
    }
}

impl MotdStore for Failing {
    fn motds(&self) -> Pending<'_, Vec<Motd>> {
        match self.away.load(Ordering::Relaxed) {
            true => away(),
            false => self.kept.motds(),
        }
    }

    fn seen<'a>(&'a self, account: &'a BareJid) -> Pending<'a, Option<String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.kept.seen(account)
    }
}

fn announce(store: Arc<Failing>) -> Announce {
    Announce {
        admins: Vec::new(),
        queue: Arc::new(Queue::new()),
        board: Arc::default(),
        store,
        writer: Arc::new(Writer::new(QUEUE)),
        router: Router::new(
            RouterSettings::default(),
            Clock::set_to(SystemTime::UNIX_EPOCH),
        ),
    }
}

fn montague() -> Audience {
    Audience::Domain("montague.lit".parse().expect("a domain"))
}

fn message(text: &str) -> Stanza {
    Stanza::message(MessageType::Normal)
        .leaf("body", text)
        .build()
}

fn posted(announce: &Announce) -> Option<String> {
    let posted = announce.board.of("montague.lit")?;
    let body = posted.message.child("body", ns::CLIENT)?;
    Some(body.text().into_owned())
}

/// What could not be written is not said, and what was written nevertheless is found out.
#[tokio::test]
async fn what_is_on_disk_is_what_is_said() {
    let store = Arc::new(Failing::default());
    let announce = announce(store.clone());
    let mercutio: BareJid = "mercutio@montague.lit".parse().expect("an account");
    announce
        .post(&montague(), &message("1"))
        .await
        .expect("posted");
    assert_eq!(posted(&announce).as_deref(), Some("1"));
    for (slips, then) in [(false, "1"), (true, "2")] {
        store.slips.store(slips, Ordering::Relaxed);
        store.away.store(true, Ordering::Relaxed);
        let error = announce.post(&montague(), &message("2")).await;
        assert_eq!(
            error.expect_err("it is away").kind,
            StoreErrorKind::Unavailable
        );
        assert_eq!(posted(&announce).as_deref(), Some("1"));
        // Nobody can know what holds: those who come now have to wait.
        announce.load(&mercutio).await.err().expect("it is away");
        store.away.store(false, Ordering::Relaxed);
        announce.load(&mercutio).await.expect("it is back");
        assert_eq!(posted(&announce).as_deref(), Some(then));
    }
    announce.delete(&montague()).await.expect("deleted");
    assert_eq!(posted(&announce), None);
}

/// A login costs a query only when there is something to tell.
#[tokio::test]
async fn nothing_is_asked_where_there_is_nothing_to_tell() {
    let store = Arc::new(Failing::default());
    let announce = announce(store.clone());
    let mercutio: BareJid = "mercutio@montague.lit".parse().expect("an account");
    let juliet: BareJid = "juliet@capulet.lit".parse().expect("an account");
    announce.load(&mercutio).await.expect("loaded");
    assert_eq!(store.asked.load(Ordering::Relaxed), 0);
    announce
        .replace(&montague(), &message("1"))
        .await
        .expect("kept");
    announce.load(&mercutio).await.expect("loaded");
    announce.load(&juliet).await.expect("loaded");
    assert_eq!(store.asked.load(Ordering::Relaxed), 1);
}

/// What comes to a session.
#[derive(Default)]
struct Came(parking_lot::Mutex<Vec<Stanza>>);

impl Inbox for Came {
    fn deliver(&self, stanza: Stanza) -> Result<(), Undelivered> {
        self.0.lock().push(stanza);
        Ok(())
    }

    fn control(&self, _: Control) {}
}

config::settings! {
    /// Keeps of accounts what the module does.
    struct SlotSettings {}
}

/// What the module keeps of accounts, for one that is not installed.
struct Slots;

impl Module for Slots {
    const NAME: &'static str = "slots";
    type Config = SlotSettings;

    fn plan(_: Arc<SlotSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.account_slot(|_, _| async { Ok(Seen::new(None)) });
        Ok(Self)
    }
}

/// Whoever asks for something that can't be done is told, and nobody else hears of it.
#[tokio::test]
async fn what_is_not_kept_is_not_said() {
    let store = Arc::new(Failing::default());
    store.away.store(true, Ordering::Relaxed);
    let announce = announce(store.clone());
    let domain: BareJid = "montague.lit".parse().expect("a domain");
    let host_type = HostType::new("check");
    let slots = Planned::new::<Slots>(Arc::default(), &announce.router).expect("a plan");
    let _installed = host_type.install(slots, 0).expect("no conflict");
    let host = Host::new(domain.clone(), host_type);
    announce.router.serve(host);
    let romeo: BareJid = "romeo@montague.lit".parse().expect("an account");
    let facts = ConnectionFacts {
        peer: Ipv4Addr::LOCALHOST.into(),
        encrypted: true,
        transport: "play",
    };
    let came = Arc::new(Came::default());
    let session = Session::open(
        &announce.router,
        &romeo,
        Some("orchard"),
        facts,
        came.clone(),
    );
    let mut session = session.await.expect("bound");
    let online = Stanza::presence(PresenceType::Available).from(session.jid().clone());
    session.handle(online.build(), &mut Vec::new());
    for deed in [Deed::Post, Deed::Replace, Deed::Delete] {
        let asked = message("1").with_from(session.jid().clone());
        let order = Order {
            deed,
            audience: Audience::Domain(domain.clone()),
            message: message("1"),
            asker: Asker::Sender(asked.with_to(domain.clone())),
        };
        announce.carry_out(order).await;
        let told = came.0.lock().pop().expect("an answer");
        let error = told.stanza_error().expect("an error");
        assert_eq!(error.condition, Condition::ResourceConstraint, "{deed:?}");
        assert!(came.0.lock().is_empty(), "nobody hears what is not kept");
    }
    store.away.store(false, Ordering::Relaxed);
    let posted = announce.post(&Audience::All, &message("1")).await;
    assert_eq!(posted.expect("posted"), 1);
    assert_eq!(came.0.lock().len(), 1);
}

/// Of an account that is no more nothing is noted.
#[test]
fn a_removal_and_an_announcement_may_cross() {
    let id: Arc<str> = "1".into();
    let other: Arc<str> = "2".into();
    let noted = std::cell::Cell::new(0);
    let note = || noted.set(noted.get() + 1);
    let seen = Seen::new(Some(id.clone()));
    assert!(!seen.tell(&id, note));
    assert!(seen.tell(&other, note));
    assert!(!seen.tell(&other, note));
    seen.remove();
    assert!(!seen.tell(&id, note));
    assert_eq!(noted.get(), 1);
}
