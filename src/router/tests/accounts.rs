//! Accounts that are loaded before anything of theirs is dealt with, messages that find nobody,
//! and what modules keep (DESIGN: the way of a stanza).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use router::check::Stage;
use router::{
    AccountAnswer, AccountAway, AccountService, AccountStanza, Accounts, Answering, Flow, IqAnswer,
    Module, OnFault, Outbound, Phase, Plan, PlanError, PresenceChanged, To, Undelivered,
};
use tokio::sync::Semaphore;
use xmpp::{BareJid, Condition, IqType, Stanza, StanzaError};

/// What the tests' module shares with the test.
struct Shared {
    /// Loads wait for a permit each.
    loads: Semaphore,
    loaded: AtomicUsize,
    /// So many loads fail.
    fail: AtomicUsize,
    removed: Mutex<Vec<String>>,
}

impl Shared {
    fn new(loads: usize) -> Arc<Self> {
        Arc::new(Self {
            loads: Semaphore::new(loads),
            loaded: AtomicUsize::new(0),
            fail: AtomicUsize::new(0),
            removed: Mutex::default(),
        })
    }
}

/// Keeps messages for accounts that are away, in their slot.
struct Keeper {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Kept(Mutex<Vec<Stanza>>);

config::settings! {
    /// None.
    pub struct NoSettings {}
}

impl Module for Keeper {
    const NAME: &'static str = "keeper";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.account_slot(|keeper: Arc<Self>, _| async move {
            let shared = &keeper.shared;
            if let Ok(permit) = shared.loads.acquire().await {
                permit.forget();
            }
            if shared.fail.load(Ordering::Relaxed) > 0 {
                shared.fail.fetch_sub(1, Ordering::Relaxed);
                return Err(StanzaError::new(Condition::RecipientUnavailable));
            }
            shared.loaded.fetch_add(1, Ordering::Relaxed);
            Ok(Kept::default())
        });
        plan.on::<AccountAway>(Phase::Act, OnFault::Refuse, |_, fold| {
            match fold.account.slot::<Kept>() {
                Some(kept) => kept.0.lock().push(fold.stanza.clone()),
                None => return Flow::Continue,
            }
            Flow::Stop
        });
        plan.on::<PresenceChanged>(Phase::Act, OnFault::Skip, |_, fold| {
            if fold.before.is_none() && fold.is_available() {
                let hold = fold.hold();
                let account = fold.account.clone();
                tokio::spawn(async move {
                    let kept = account.slot::<Kept>().map(|kept| {
                        let mut kept = kept.0.lock();
                        std::mem::take(&mut *kept)
                    });
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    assert_ne!(
                        hold.deliver(kept.unwrap_or_default()).await,
                        Err(Undelivered::Full)
                    );
                });
            }
            Flow::Continue
        });
        plan.account_removed(|keeper: Arc<Self>, account: BareJid| async move {
            keeper.shared.removed.lock().push(account.to_string());
            Ok(())
        });
        plan.iq_async(To::Account, "urn:test:remove", |_, iq| async move {
            let account = iq.account.as_ref().map(|account| account.jid().clone());
            let account = account.ok_or(StanzaError::new(Condition::BadRequest))?;
            let removed = iq.router.remove_account(&account).await;
            removed.map(|()| None).map_err(|failed| failed.error)
        });
        let shared = plan.uses::<Shared>();
        Ok(Self {
            shared: shared.unwrap_or_else(|| Shared::new(Semaphore::MAX_PERMITS)),
        })
    }
}

fn keeper(shared: &Arc<Shared>) -> impl FnOnce(Stage) -> Stage + use<> {
    let shared = shared.clone();
    |stage| stage.offering(shared).with::<Keeper>(NoSettings::default())
}

#[test]
fn messages_for_who_is_away_wait_and_come_before_newer_ones() {
    Stage::perform_alone(
        keeper(&Shared::new(Semaphore::MAX_PERMITS)),
        "
        Romeo: <message type='chat' to='juliet@capulet.lit'><body>1</body></message>
        Romeo: <message type='chat' to='juliet@capulet.lit/gone'><body>2</body></message>
        Romeo gets nothing
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo: <message type='chat' to='juliet@capulet.lit'><body>3</body></message>
        Juliet gets nothing
        T: 1s
        Juliet gets: <message type='chat' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>1</body></message>
        Juliet gets: <message type='chat' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/gone'><body>2</body></message>
        Juliet gets: <message type='chat' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>3</body></message>
        ",
    );
}

#[test]
fn stanzas_wait_for_an_account_that_is_loaded_and_keep_their_order() {
    // Enough for Romeo, who logs in.
    let shared = Shared::new(1);
    let later = shared.clone();
    Stage::perform_alone(
        |stage| {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                later.loads.add_permits(1);
            });
            keeper(&shared)(stage)
        },
        "
        Romeo: <message type='chat' to='juliet@capulet.lit'><body>1</body></message>
        Romeo: <iq type='get' id='q' to='juliet@capulet.lit'><q xmlns='a:b'/></iq>
        Romeo gets nothing
        T: 6s
        Romeo gets:
          <iq type='error' id='q' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <q xmlns='a:b'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
    assert_eq!(shared.loaded.load(Ordering::Relaxed), 2);
}

#[test]
fn what_waits_for_an_account_that_cannot_be_loaded_is_refused() {
    let shared = Shared::new(Semaphore::MAX_PERMITS);
    let failing = shared.clone();
    Stage::perform_alone(
        |stage| {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                failing.fail.store(1, Ordering::Relaxed);
            });
            keeper(&shared)(stage)
        },
        "
        Romeo connects
        T: 2s
        Romeo: <message type='chat' id='m1' to='juliet@capulet.lit'><body>1</body></message>
        Romeo gets:
          <message type='error' id='m1' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>1</body>
            <error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message type='chat' id='m2' to='juliet@capulet.lit'><body>2</body></message>
        Romeo gets nothing
        ",
    );
}

#[test]
fn nobody_is_loaded_for_what_means_nothing_to_who_is_away() {
    let shared = Shared::new(Semaphore::MAX_PERMITS);
    Stage::perform_alone(
        keeper(&shared),
        "
        Romeo: <presence to='juliet@capulet.lit'/>
        Romeo: <message type='headline' to='juliet@capulet.lit'><body>news</body></message>
        Romeo: <iq type='result' id='x' to='juliet@capulet.lit/gone'/>
        Romeo gets nothing
        ",
    );
    assert_eq!(shared.loaded.load(Ordering::Relaxed), 1, "Romeo alone");
}

#[test]
fn an_account_stays_loaded_for_a_while_and_then_goes() {
    let shared = Shared::new(Semaphore::MAX_PERMITS);
    Stage::perform_alone(
        keeper(&shared),
        "
        Romeo: <iq type='get' id='a' to='juliet@capulet.lit'><q xmlns='a:b'/></iq>
        Romeo gets: <iq type='error' id='a' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><**/></iq>
        Romeo: <iq type='get' id='b' to='juliet@capulet.lit'><q xmlns='a:b'/></iq>
        Romeo gets: <iq type='error' id='b' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><**/></iq>
        T: 60s
        Romeo: <iq type='get' id='c' to='juliet@capulet.lit'><q xmlns='a:b'/></iq>
        Romeo gets: <iq type='error' id='c' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'><**/></iq>
        ",
    );
    assert_eq!(
        shared.loaded.load(Ordering::Relaxed),
        3,
        "Romeo once, Juliet twice"
    );
}

/// Everybody but Rosaline has an account.
struct NoRosaline;

impl Accounts for NoRosaline {
    fn exists(&self, account: BareJid) -> AccountAnswer<bool> {
        Box::pin(async move { Ok(account.localpart() != Some("rosaline")) })
    }

    fn register(&self, _: BareJid, _: String) -> AccountAnswer<()> {
        Box::pin(async { Err(StanzaError::new(Condition::NotAllowed)) })
    }

    fn change_password(&self, _: BareJid, _: String) -> AccountAnswer<()> {
        Box::pin(async { Err(StanzaError::new(Condition::NotAllowed)) })
    }

    fn unregister(&self, _: BareJid) -> AccountAnswer<()> {
        Box::pin(async { Err(StanzaError::new(Condition::NotAllowed)) })
    }
}

#[test]
fn nothing_is_kept_for_an_account_that_does_not_exist() {
    let nobody = AccountService(Arc::new(NoRosaline));
    Stage::perform_alone(
        |stage| {
            keeper(&Shared::new(Semaphore::MAX_PERMITS))(stage.offering(Arc::new(nobody)))
        },
        "
        Romeo: <message type='chat' id='m1' to='rosaline@capulet.lit'><body>?</body></message>
        Romeo gets:
          <message type='error' id='m1' from='rosaline@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>?</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message type='chat' id='m2' to='juliet@capulet.lit'><body>kept</body></message>
        Romeo gets nothing
        ",
    );
}

/// Refuses whatever leaves for the nurse, and tells how many came to an account.
struct Guard;

impl Module for Guard {
    const NAME: &'static str = "guard";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.account_slot(|_, _| async { Ok(AtomicUsize::new(0)) });
        plan.on::<Outbound>(Phase::Guard, OnFault::Refuse, |_, fold| {
            match fold.stanza.to().and_then(|to| to.localpart()) {
                Some("nurse") => Flow::Refuse(StanzaError::new(Condition::NotAcceptable)),
                _ => Flow::Continue,
            }
        });
        plan.on::<AccountStanza>(Phase::Observe, OnFault::Skip, |_, fold| {
            if let Some(came) = fold.account.slot::<AtomicUsize>() {
                came.fetch_add(1, Ordering::Relaxed);
            }
            Flow::Continue
        });
        plan.iq(To::Account, "urn:test:came", |_, iq| -> IqAnswer {
            let came = iq.account.and_then(|account| account.slot::<AtomicUsize>());
            let came = came.map_or(0, |came| came.load(Ordering::Relaxed));
            Ok(Some(
                format!("<came xmlns='urn:test:came' n='{came}'/>").into(),
            ))
        });
        Ok(Self)
    }
}

#[test]
fn a_guard_sees_what_leaves_and_not_what_goes_to_ones_own() {
    Stage::perform_alone(
        |stage| stage.with::<Guard>(NoSettings::default()),
        "
        Nurse is nurse@capulet.lit/kitchen
        Romeo: <message type='chat' id='m' to='nurse@capulet.lit'><body>x</body></message>
        Romeo gets:
          <message type='error' id='m' from='nurse@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>x</body>
            <error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Nurse gets nothing
        Nurse: <iq type='get' id='i'><came xmlns='urn:test:came'/></iq>
        Nurse gets: <iq type='result' id='i' from='nurse@capulet.lit' to='nurse@capulet.lit/kitchen'><came xmlns='urn:test:came' n='1'/></iq>
        ",
    );
}

#[test]
fn an_account_that_is_removed_is_removed_by_every_module() {
    let shared = Shared::new(Semaphore::MAX_PERMITS);
    Stage::perform_alone(
        keeper(&shared),
        "
        Juliet connects
        Romeo: <iq type='set' id='r' to='juliet@capulet.lit'><remove xmlns='urn:test:remove'/></iq>
        T: 6s
        Juliet gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        Romeo gets: <iq type='result' id='r' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'/>
        ",
    );
    assert_eq!(*shared.removed.lock(), ["juliet@capulet.lit"]);
}

/// Notes what it is told at once, and says so a second later.
struct Scribe(Mutex<Vec<String>>);

impl Module for Scribe {
    const NAME: &'static str = "scribe";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq_later(To::Host, "urn:test:note", |scribe, iq| {
            let mut noted = scribe.0.lock();
            if iq.set {
                noted.push(iq.payload.text().into_owned());
                return Answering::later(async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok(None)
                });
            }
            let noted = noted.join(" ");
            Ok(Some(format!("<n xmlns='urn:test:note'>{noted}</n>").into())).into()
        });
        Ok(Self(Mutex::default()))
    }
}

#[test]
fn what_is_answered_later_is_done_at_once_and_in_order() {
    Stage::perform_alone(
        |stage| stage.with::<Scribe>(NoSettings::default()),
        "
        Romeo: <iq type='set' id='a' to='capulet.lit'><n xmlns='urn:test:note'>one</n></iq>
        Romeo: <iq type='set' id='b' to='capulet.lit'><n xmlns='urn:test:note'>two</n></iq>
        Romeo: <iq type='get' id='c' to='capulet.lit'><n xmlns='urn:test:note'/></iq>
        Romeo gets: <iq type='result' id='c' from='capulet.lit' to='romeo@montague.lit/orchard'><n xmlns='urn:test:note'>one two</n></iq>
        Romeo gets nothing
        T: 3s
        Romeo gets: <iq type='result' id='a' from='capulet.lit' to='romeo@montague.lit/orchard'/>
        Romeo gets: <iq type='result' id='b' from='capulet.lit' to='romeo@montague.lit/orchard'/>
        ",
    );
}

/// Panics when a stranger asks.
struct Brittle;

impl Module for Brittle {
    const NAME: &'static str = "brittle";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq_async(To::Stranger, "urn:test:brittle", |_, _| async {
            panic!("as told")
        });
        Ok(Self)
    }
}

#[test]
fn a_stranger_is_answered_by_a_handler_that_panics_too() {
    Stage::perform_alone(
        |stage| {
            let stage = stage.with::<Brittle>(NoSettings::default());
            let router = stage.router().clone();
            tokio::spawn(async move {
                let ask = Stanza::iq(IqType::Get)
                    .id("q")
                    .payload("<q xmlns='urn:test:brittle'/>".into())
                    .build();
                let peer = std::net::IpAddr::from([127, 0, 0, 1]);
                let answer = router.answer_stranger("capulet.lit", ask, peer).await;
                let error = answer.stanza_error().map(|error| error.condition);
                ANSWERED.store(
                    error == Some(Condition::InternalServerError),
                    Ordering::Relaxed,
                );
            });
            stage
        },
        "Romeo gets nothing",
    );
    assert!(ANSWERED.load(Ordering::Relaxed));
}

/// Whether the stranger got the error.
static ANSWERED: AtomicBool = AtomicBool::new(false);
