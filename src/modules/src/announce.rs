//! Announcements: what an administrator says to everybody who is online.
//!
//! A message to `DOMAIN/announce/online` reaches the users of that domain, one to
//! `DOMAIN/announce/all-hosts/online` those of all domains: the addresses that administrators of
//! other servers are used to. XEP-0133 §4.23 describes the same as a command.

use std::sync::Arc;

use config::Problems;
use router::{
    Flow, HostFold, HostStanza, Module, OnFault, Phase, Plan, PlanError, Router, random_id,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use xmpp::{BareJid, Condition, Kind, MessageType, Stanza, StanzaError, ns};

/// Announcements that wait until those before are out; for one more its sender is told
/// `resource-constraint`.
const WAITING: usize = 16;
/// Users who are sent an announcement before others get their turn.
const AT_A_TIME: usize = 64;

config::settings! {
    /// Announcements: a message to `DOMAIN/announce/online` reaches everybody of the domain who is
    /// online, one to `DOMAIN/announce/all-hosts/online` everybody of all domains. Off unless it is
    /// configured.
    pub struct AnnounceSettings {
        /// Who may announce, as addresses: ["admin@example.org"]. Others are told `forbidden`.
        admins: Vec<String> = Vec::new(),
    }
    check |announce, problems| {
        problems.within("admins", |problems| each_is_an_account(&announce.admins, problems));
    }
}

fn each_is_an_account(admins: &[String], problems: &mut Problems) {
    for (index, admin) in admins.iter().enumerate() {
        if account(admin).is_none() {
            problems.within_item(index, |problems| {
                problems.error(
                    "",
                    format!("\"{admin}\" is not the address of an account"),
                    "write it without a resource, such as \"admin@example.org\"",
                );
            });
        }
    }
}

fn account(text: &str) -> Option<BareJid> {
    let jid: BareJid = text.parse().ok()?;
    jid.localpart().is_some().then_some(jid)
}

/// Says to everybody what an administrator says.
pub struct Announce {
    admins: Vec<BareJid>,
    queue: Arc<Queue>,
    router: Router,
}

/// Announcements on their way to the task that sends them. It outlives the module.
struct Queue {
    put: mpsc::Sender<Announcement>,
    take: Mutex<mpsc::Receiver<Announcement>>,
}

impl Queue {
    fn new() -> Self {
        let (put, take) = mpsc::channel(WAITING);
        Self {
            put,
            take: Mutex::new(take),
        }
    }
}

/// What is said to whom.
struct Announcement {
    audience: Audience,
    /// Without addresses.
    message: Stanza,
}

enum Audience {
    /// Everybody who is online at this domain.
    Domain(BareJid),
    /// Everybody who is online.
    All,
}

impl Module for Announce {
    const NAME: &'static str = "announce";
    type Config = AnnounceSettings;

    fn plan(config: Arc<AnnounceSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.on::<HostStanza>(Phase::Act, OnFault::Refuse, Self::hear);
        plan.task("crier", |announce: Arc<Self>, stop| async move {
            announce.cry(stop).await;
        });
        Ok(Self {
            // What is no address was refused with the configuration.
            admins: config.admins.iter().filter_map(|a| account(a)).collect(),
            queue: plan.lasting(Queue::new),
            router: plan.node().clone(),
        })
    }
}

impl Announce {
    fn hear(&self, fold: &mut HostFold<'_>) -> Flow {
        let stanza = &fold.stanza;
        let kind = match stanza.kind() {
            Kind::Message(MessageType::Headline) => MessageType::Headline,
            // Clients send from chat windows what no chat shall follow.
            Kind::Message(MessageType::Normal | MessageType::Chat) => MessageType::Normal,
            _ => return Flow::Continue,
        };
        let audience = match stanza.to().and_then(|to| to.resource()) {
            Some("announce/online") => Audience::Domain(fold.cx.host.domain().clone()),
            Some("announce/all-hosts/online") => Audience::All,
            _ => return Flow::Continue,
        };
        let from = stanza.from().map(|from| from.bare_str());
        if !self.admins.iter().any(|admin| Some(admin.as_ref()) == from) {
            return Flow::Refuse(StanzaError::new(Condition::Forbidden));
        }
        let Some(message) = texts(stanza, kind) else {
            // Its sender begins to write, or wants to know nothing but that it was received.
            return Flow::Stop;
        };
        match self.queue.put.try_send(Announcement { audience, message }) {
            Ok(()) => Flow::Stop,
            Err(_) => Flow::Refuse(StanzaError::new(Condition::ResourceConstraint)),
        }
    }

    /// Sends what is announced, one after another.
    async fn cry(&self, mut stop: oneshot::Receiver<()>) {
        let mut queue = self.queue.take.lock().await;
        loop {
            tokio::select! {
                _ = &mut stop => return,
                announcement = queue.recv() => match announcement {
                    Some(announcement) => self.send(&announcement).await,
                    // The other end is in the same hand.
                    None => return,
                },
            }
        }
    }

    /// Sends it to the account of everybody who is online, as a message to its bare JID: to the
    /// sessions that RFC 6121 §8.5.2.1 says, and past those who have blocked the domain.
    async fn send(&self, Announcement { audience, message }: &Announcement) {
        for (told, account) in self.online(audience).into_iter().enumerate() {
            if told % AT_A_TIME == AT_A_TIME - 1 {
                tokio::task::yield_now().await;
            }
            // Each hears it from its own server.
            if let Some(host) = self.router.host(account.domain()) {
                let message = message.with_from(host.domain().clone());
                self.router.route(message.with_to(account));
            }
        }
    }

    fn online(&self, audience: &Audience) -> Vec<BareJid> {
        let mut online: Vec<BareJid> = Vec::new();
        self.router.directory().for_each(|session| {
            let meant = match audience {
                Audience::Domain(domain) => session.jid.domain() == domain.domain(),
                Audience::All => true,
            };
            let there = session.priority().is_some_and(|priority| priority >= 0);
            if meant && there {
                let account = session.jid.bare();
                // The sessions of an account come one after another.
                if online.last() != Some(&account) {
                    online.push(account);
                }
            }
        });
        online
    }
}

/// The texts of a message, in a message of its own; nothing else of it is for everybody.
fn texts(stanza: &Stanza, kind: MessageType) -> Option<Stanza> {
    let mut message = Stanza::message(kind).id(&random_id());
    if let Some(lang) = stanza.lang() {
        message = message.lang(lang);
    }
    let mut says = false;
    for child in stanza.children() {
        if child.is("subject", ns::CLIENT) || child.is("body", ns::CLIENT) {
            let text = child.element().ok()?;
            message = message.payload(text.standing_in(ns::CLIENT));
            says = true;
        }
    }
    says.then(|| message.build())
}

#[cfg(test)]
mod tests {
    use router::check::check;

    use super::*;

    fn perform(play: &str) {
        let settings = AnnounceSettings {
            admins: vec!["Friar@verona.lit".into(), "romeo@montague.lit".into()],
        };
        check::<Announce>(settings, play);
    }

    #[test]
    fn administrators_are_accounts() {
        let settings = AnnounceSettings {
            admins: vec![
                "admin@example.org".into(),
                "example.org".into(),
                "admin@example.org/home".into(),
            ],
        };
        let mut problems = Problems::default();
        config::Setting::check(&settings, &mut problems);
        let mend = "write it without a resource, such as \"admin@example.org\"";
        let wrong = ["example.org", "admin@example.org/home"]
            .map(|admin| format!("\"{admin}\" is not the address of an account: {mend}"));
        assert_eq!(problems.lines().len(), 2);
        for (line, wrong) in problems.lines().iter().zip(wrong) {
            assert!(line.ends_with(&wrong), "{line}");
        }
    }

    const ALL_ARE_HERE: &str = "
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
            Phone is romeo@montague.lit/phone
            Phone: <presence><priority>-1</priority></presence>
            Phone gets all of:
              <presence from='romeo@montague.lit/phone' to='*'><priority>-1</priority></presence>
              <presence from='romeo@montague.lit/orchard' to='*'/>
            Romeo gets: <presence from='romeo@montague.lit/phone' to='*'><priority>-1</priority></presence>
            Benvolio is benvolio@montague.lit/street
            Benvolio: <presence/>
            Benvolio gets: <presence from='benvolio@montague.lit/street' to='*'/>
            Mercutio is mercutio@montague.lit/street
            Juliet: <presence/>
            Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'/>
        ";

    #[test]
    fn an_administrator_tells_everybody_of_a_domain_who_is_online() {
        perform(&format!(
            "{ALL_ARE_HERE}
            Romeo: <message type='chat' id='a1' to='montague.lit/announce/online' xml:lang='en'>
                <subject>Tonight</subject><body>The server rests</body><body xml:lang='it'>Il server riposa</body>
                <request xmlns='urn:xmpp:receipts'/>
              </message>
            Romeo gets:
              <message from='montague.lit' to='romeo@montague.lit' id='{{a}}' xml:lang='en'>
                <subject>Tonight</subject><body>The server rests</body><body xml:lang='it'>Il server riposa</body>
              </message>
            Benvolio gets:
              <message from='montague.lit' to='benvolio@montague.lit' id='{{a}}' xml:lang='en'>
                <subject>Tonight</subject><body>The server rests</body><body xml:lang='it'>Il server riposa</body>
              </message>
            # Not for messages, not available, of another domain.
            Phone gets nothing
            Mercutio gets nothing
            Juliet gets nothing
            "
        ));
    }

    #[test]
    fn a_headline_stays_one_and_reaches_all_domains() {
        perform(&format!(
            "{ALL_ARE_HERE}
            Romeo: <message type='headline' to='capulet.lit/announce/all-hosts/online'><body>Down at noon</body></message>
            Romeo gets: <message type='headline' from='montague.lit' to='romeo@montague.lit' id='*'><body>Down at noon</body></message>
            Benvolio gets: <message type='headline' from='montague.lit' to='benvolio@montague.lit' id='*'><body>Down at noon</body></message>
            Juliet gets: <message type='headline' from='capulet.lit' to='juliet@capulet.lit' id='*'><body>Down at noon</body></message>
            Mercutio gets nothing
            "
        ));
    }

    #[test]
    fn nobody_else_announces_and_nothing_else_is_announced() {
        perform(&format!(
            "{ALL_ARE_HERE}
            Juliet: <message id='a1' to='montague.lit/announce/online'><body>Romeo!</body></message>
            Juliet gets:
              <message type='error' id='a1' from='montague.lit/announce/online' to='juliet@capulet.lit/balcony'>
                <body>Romeo!</body>
                <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </message>
            Juliet: <message id='a2' to='montague.lit/announce/all-hosts/online'/>
            Juliet gets:
              <message type='error' id='a2' from='montague.lit/announce/all-hosts/online' to='*'>
                <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </message>
            # He is writing.
            Romeo: <message type='chat' to='montague.lit/announce/online'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>
            Romeo gets nothing
            Romeo: <message id='a3' to='montague.lit/announce/nothing'><body>?</body></message>
            Romeo gets:
              <message type='error' id='a3' from='montague.lit/announce/nothing' to='*'>
                <body>?</body>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </message>
            Romeo: <message id='a4' type='groupchat' to='montague.lit/announce/online'><body>?</body></message>
            Romeo gets:
              <message type='error' id='a4' from='montague.lit/announce/online' to='*'>
                <body>?</body>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </message>
            Benvolio gets nothing
            "
        ));
    }

    /// What does not fit is refused: the first is out before the others, which wait.
    #[test]
    fn announcements_do_not_pile_up() {
        let say = "
            Romeo: <message to='capulet.lit/announce/online'><body>Hear!</body></message>"
            .repeat(WAITING);
        perform(&format!(
            "{ALL_ARE_HERE}{say}
            Romeo: <message id='a2' to='capulet.lit/announce/online'><body>Hear!</body></message>
            Romeo gets:
              <message type='error' id='a2' from='capulet.lit/announce/online' to='*'>
                <body>Hear!</body>
                <error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </message>
            Romeo gets nothing
            Romeo: <message to='montague.lit/announce/online'><body>Hear!</body></message>
            Benvolio gets: <message from='montague.lit' to='*' id='*'><body>Hear!</body></message>
            "
        ));
    }
}
