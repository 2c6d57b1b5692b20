//! Routing as plays: RFC 6120 §10, RFC 6121 §4 and §8.

use std::sync::Arc;

use router::check::{Stage, check};
use router::{
    AccountStanza, Flow, HostFold, HostStanza, IqAnswer, Module, OnFault, OwnedIq, Phase, Plan,
    PlanError, SenderFold, SenderStanza, To,
};
use xmpp::{Condition, Kind, StanzaError};

fn perform(play: &str) {
    Stage::perform(|stage| stage, play);
}

#[test]
fn a_message_to_a_full_jid_goes_to_that_resource_alone() {
    perform(
        "
        Phone is juliet@capulet.lit/phone
        Juliet: <presence><priority>5</priority></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>5</priority></presence>
        Romeo: <message type='chat' id='m1' to='juliet@capulet.lit/phone'><body>Soft!</body><x xmlns='a:b' y='1'/></message>
        Phone gets:
          <message type='chat' id='m1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/phone'>
            <body>Soft!</body><x xmlns='a:b' y='1'/>
          </message>
        Juliet gets nothing
        ",
    );
}

#[test]
fn a_message_to_a_bare_jid_goes_to_the_most_available() {
    perform(
        "
        Phone is juliet@capulet.lit/phone
        Tablet is juliet@capulet.lit/tablet
        Juliet: <presence><priority>5</priority></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>5</priority></presence>
        Phone: <presence><priority>-1</priority></presence>
        Phone gets all of:
          <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'><priority>-1</priority></presence>
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><priority>5</priority></presence>
        Juliet gets: <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'><priority>-1</priority></presence>
        Romeo: <message type='chat' to='juliet@capulet.lit'><body>But soft</body></message>
        Juliet gets: <message type='chat' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'><body>But soft</body></message>
        Phone gets nothing
        Tablet gets nothing
        Juliet: <presence type='unavailable'/>
        Juliet gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Phone gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo: <message type='chat' id='m2' to='juliet@capulet.lit'><body>Speak again</body></message>
        Romeo gets:
          <message type='error' id='m2' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>Speak again</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message type='headline' to='juliet@capulet.lit'><body>News</body></message>
        Romeo gets nothing
        ",
    );
}

#[test]
fn an_account_that_is_not_there_answers_as_one_that_is_away() {
    perform(
        "
        Romeo: <message type='chat' id='m1' to='rosaline@capulet.lit'><body>?</body></message>
        Romeo gets:
          <message type='error' id='m1' from='rosaline@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>?</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <iq type='get' id='q1' to='rosaline@capulet.lit/x'><q xmlns='a:b'/></iq>
        Romeo gets:
          <iq type='error' id='q1' from='rosaline@capulet.lit/x' to='romeo@montague.lit/orchard'>
            <q xmlns='a:b'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        Romeo: <message type='groupchat' id='m2' to='rosaline@capulet.lit'><body>?</body></message>
        Romeo gets:
          <message type='error' id='m2' from='rosaline@capulet.lit' to='romeo@montague.lit/orchard'>
            <body>?</body>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        ",
    );
}

#[test]
fn a_domain_that_is_not_served_is_not_found() {
    perform(
        "
        Romeo: <message id='m1' to='nurse@verona.lit'><body>?</body></message>
        Romeo gets:
          <message type='error' id='m1' from='nurse@verona.lit' to='romeo@montague.lit/orchard'>
            <body>?</body>
            <error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message type='error' id='m2' to='nurse@verona.lit'><body>?</body></message>
        Romeo gets nothing
        ",
    );
}

#[test]
fn iqs_go_both_ways_between_clients() {
    perform(
        "
        Juliet connects
        Romeo: <iq type='get' id='q1' to='juliet@capulet.lit/balcony'><query xmlns='jabber:iq:version'/></iq>
        Juliet gets: <iq type='get' id='q1' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'><query xmlns='jabber:iq:version'/></iq>
        Juliet: <iq type='result' id='q1' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:version'><name>Quill</name></query></iq>
        Romeo gets: <iq type='result' id='q1' from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard'><query xmlns='jabber:iq:version'><name>Quill</name></query></iq>
        ",
    );
}

#[test]
fn a_session_that_is_cut_off_is_seen_to_leave() {
    perform(
        "
        Phone is juliet@capulet.lit/phone
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Phone: <presence/>
        Phone gets all of:
          <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet gets: <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
        Phone is cut off
        Juliet gets: <presence type='unavailable' from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
        ",
    );
}

#[test]
fn a_session_that_crashes_is_seen_to_leave_too() {
    perform(
        "
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo connects
        Romeo: <presence to='juliet@capulet.lit'/>
        Juliet gets: <presence from='romeo@montague.lit/orchard' to='juliet@capulet.lit'/>
        Romeo crashes
        Juliet gets: <presence type='unavailable' from='romeo@montague.lit/orchard' to='juliet@capulet.lit'/>
        ",
    );
}

#[test]
fn the_newer_session_replaces_the_older() {
    perform(
        "
        Phone is juliet@capulet.lit/phone
        Phone: <presence/>
        Phone gets: <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
        Old is juliet@capulet.lit/balcony
        Old: <presence/>
        Old gets all of:
          <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
          <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
        Phone gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet connects
        Old gets: <stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        Phone gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Juliet: <presence/>
        Phone gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Old closes
        Phone gets nothing
        ",
    );
}

#[test]
fn bad_presence_is_answered() {
    perform(
        "
        Romeo: <presence id='p1'><priority>1000</priority></presence>
        Romeo gets:
          <presence type='error' id='p1' to='romeo@montague.lit/orchard' *>
            <priority>1000</priority>
            <error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </presence>
        Romeo: <presence type='subscribe' id='p2'/>
        Romeo gets:
          <presence type='error' id='p2' to='romeo@montague.lit' *>
            <error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </presence>
        ",
    );
}

config::settings! {
    /// The tests' own modules have nothing to set.
    pub struct NoSettings {}
}

/// A guard and an observer that panic at what they are told to panic at.
struct Faulty;

impl Module for Faulty {
    const NAME: &'static str = "faulty";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.on::<SenderStanza>(Phase::Guard, OnFault::Refuse, |_, fold| {
            panic_at("guard", fold)
        });
        plan.on::<SenderStanza>(Phase::Observe, OnFault::Skip, |_, fold| {
            panic_at("observer", fold)
        });
        plan.on::<AccountStanza>(Phase::Guard, OnFault::Refuse, |_, fold| {
            match fold.stanza.id() {
                // The error that comes back has the same id.
                _ if fold.stanza.stanza_error().is_some() => Flow::Continue,
                Some("blocked") => Flow::Refuse(StanzaError::new(Condition::NotAcceptable)),
                Some("eaten") => Flow::Stop,
                _ => Flow::Continue,
            }
        });
        Ok(Self)
    }
}

fn panic_at(what: &str, fold: &mut SenderFold<'_>) -> Flow {
    assert!(fold.stanza.id() != Some(what), "told to");
    Flow::Continue
}

#[test]
fn a_crashed_guard_lets_nobody_through_and_a_crashed_observer_is_not_noticed() {
    check::<Faulty>(
        NoSettings::default(),
        "
        Juliet connects
        Romeo: <message id='guard' to='juliet@capulet.lit/balcony'><body>a</body></message>
        Romeo gets:
          <message type='error' id='guard' from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard'>
            <body>a</body>
            <error type='cancel'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Juliet gets nothing
        Romeo: <message id='observer' to='juliet@capulet.lit/balcony'><body>b</body></message>
        Juliet gets: <message id='observer' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'><body>b</body></message>
        Romeo: <message id='eaten' to='juliet@capulet.lit/balcony'><body>c</body></message>
        Romeo: <message id='blocked' to='juliet@capulet.lit/balcony'><body>d</body></message>
        Romeo gets:
          <message type='error' id='blocked' from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard'>
            <body>d</body>
            <error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Juliet gets nothing
        ",
    );
}

/// Answers after a second for `slow`, at once for `quick`, and panics for `broken`.
struct Slow;

impl Module for Slow {
    const NAME: &'static str = "slow";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.iq_async(To::Host, "test:slow", Self::answer);
        Ok(Self)
    }
}

impl Slow {
    async fn answer(self: Arc<Self>, iq: OwnedIq) -> IqAnswer {
        match iq.stanza.id() {
            Some("slow") => tokio::time::sleep(std::time::Duration::from_secs(1)).await,
            Some("broken") => panic!("told to"),
            _ => {}
        }
        Ok(None)
    }
}

#[test]
fn slow_answers_keep_their_clients_order_and_hold_up_nobody_else() {
    check::<Slow>(
        NoSettings::default(),
        "
        Juliet connects
        Romeo: <iq type='get' id='slow' to='montague.lit'><q xmlns='test:slow'/></iq>
        Romeo: <iq type='get' id='quick' to='montague.lit'><q xmlns='test:slow'/></iq>
        Romeo: <message id='m' to='juliet@capulet.lit/balcony'/>
        Juliet gets: <message id='m' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'/>
        Juliet: <iq type='get' id='quick' to='montague.lit'><q xmlns='test:slow'/></iq>
        Juliet gets: <iq type='result' id='quick' from='montague.lit' to='juliet@capulet.lit/balcony'/>
        Romeo gets nothing
        T: 1s
        Romeo gets:
          <iq type='result' id='slow' from='montague.lit' to='romeo@montague.lit/orchard'/>
          <iq type='result' id='quick' from='montague.lit' to='romeo@montague.lit/orchard'/>
        Romeo: <iq type='get' id='broken' to='montague.lit'><q xmlns='test:slow'/></iq>
        Romeo gets:
          <iq type='error' id='broken' from='montague.lit' to='romeo@montague.lit/orchard'>
            <q xmlns='test:slow'/>
            <error type='cancel'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// A service below the host's domain, as a directory of users is one.
struct Clock;

impl Module for Clock {
    const NAME: &'static str = "clock";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.service("clock");
        plan.iq(To::Service("clock"), "test:time", |_, iq| -> IqAnswer {
            assert_eq!((iq.to, iq.account.is_none()), (To::Service("clock"), true));
            Ok(None)
        });
        plan.iq(To::Services, "test:what", |_, _| -> IqAnswer { Ok(None) });
        plan.iq(To::Host, "test:host", |_, _| -> IqAnswer { Ok(None) });
        Ok(Self)
    }
}

#[test]
fn a_service_answers_at_its_own_address() {
    check::<Clock>(
        NoSettings::default(),
        "
        Romeo: <iq type='get' id='1' to='clock.montague.lit'><t xmlns='test:time'/></iq>
        Romeo gets: <iq type='result' id='1' from='clock.montague.lit' to='romeo@montague.lit/orchard'/>
        Romeo: <iq type='get' id='2' to='clock.capulet.lit'><t xmlns='test:what'/></iq>
        Romeo gets: <iq type='result' id='2' from='clock.capulet.lit' to='*'/>
        Romeo: <presence to='clock.montague.lit'/>
        Romeo: <message type='headline' to='clock.montague.lit'><body>x</body></message>
        Romeo: <message type='error' to='clock.montague.lit'><body>x</body></message>
        Romeo gets nothing
        ",
    );
    for (to, payload, condition) in [
        ("clock.montague.lit", "test:host", "service-unavailable"),
        ("montague.lit", "test:time", "service-unavailable"),
        (
            "somebody@clock.montague.lit",
            "test:time",
            "service-unavailable",
        ),
        ("clock.montague.lit/x", "test:time", "service-unavailable"),
        (
            "x.clock.montague.lit",
            "test:time",
            "remote-server-not-found",
        ),
        ("o.montague.lit", "test:time", "remote-server-not-found"),
        ("clock.verona.lit", "test:time", "remote-server-not-found"),
    ] {
        check::<Clock>(
            NoSettings::default(),
            &format!(
                "
                Romeo: <iq type='get' id='1' to='{to}'><t xmlns='{payload}'/></iq>
                Romeo gets:
                  <iq type='error' id='1' from='{to}' to='*'>
                    <t xmlns='{payload}'/>
                    <error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
                  </iq>
                "
            ),
        );
    }
}

/// Takes what is sent to `/lost-and-found`, refuses what is sent to `/vault`, and looks at nothing
/// that is for an account.
struct Porter;

impl Module for Porter {
    const NAME: &'static str = "porter";
    type Config = NoSettings;

    fn plan(_: Arc<NoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.on::<HostStanza>(Phase::Act, OnFault::Skip, Self::take);
        Ok(Self)
    }
}

impl Porter {
    fn take(&self, fold: &mut HostFold<'_>) -> Flow {
        match fold.stanza.to().and_then(|to| to.resource()) {
            Some("lost-and-found") => Flow::Stop,
            Some("vault") => Flow::Refuse(StanzaError::new(Condition::Forbidden)),
            None if matches!(fold.stanza.kind(), Kind::Iq(_)) => {
                Flow::Refuse(StanzaError::new(Condition::NotAllowed))
            }
            _ => Flow::Continue,
        }
    }
}

/// RFC 6120 §10.5.1 and §10.5.2: stanzas to the domain pass by the modules before anything else
/// becomes of them.
#[test]
fn a_module_takes_or_refuses_what_is_for_the_domain() {
    check::<Porter>(
        NoSettings::default(),
        "
        Romeo: <message id='m1' to='montague.lit/lost-and-found'><body>A glove</body></message>
        Romeo gets nothing
        Romeo: <message id='m2' to='montague.lit/vault'/>
        Romeo gets:
          <message type='error' id='m2' from='montague.lit/vault' to='romeo@montague.lit/orchard'>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Romeo: <message type='error' id='m3' to='montague.lit/vault'/>
        Romeo gets nothing
        Romeo: <iq type='get' id='q1' to='montague.lit'><q xmlns='a:b'/></iq>
        Romeo gets:
          <iq type='error' id='q1' from='montague.lit' to='romeo@montague.lit/orchard'>
            <q xmlns='a:b'/>
            <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        Romeo: <message id='m4' to='montague.lit/elsewhere'/>
        Romeo gets:
          <message type='error' id='m4' from='montague.lit/elsewhere' to='romeo@montague.lit/orchard'>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </message>
        Juliet connects
        Romeo: <message id='m5' to='juliet@capulet.lit/balcony'/>
        Juliet gets: <message id='m5' from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'/>
        ",
    );
}
