//! What a user can do.

use std::collections::BTreeMap;

use config::{Problems, Setting, Span, choices, settings};
use serde::Deserialize;

/// The longest text of a message, in bytes.
const LONGEST: u32 = 65_536;

/// One thing that a user does. It has begun when the one before has ended.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Connects, with TLS if the target has it, and opens a stream.
    Connect,
    /// Makes the account on this stream (XEP-0077); that it is there already is fine.
    Register,
    /// Logs in and binds a resource.
    Authenticate,
    /// Asks for the roster.
    Roster,
    /// Says that they are there, and waits until the server has dealt with it.
    Presence,
    /// Changes their presence, and waits until the server has dealt with it.
    Show(Show),
    /// Asks whether the server is there (XEP-0199).
    Ping,
    /// Writes a message to somebody. When it arrives is seen by that one.
    Message(Message),
    /// Asks something and waits for the answer.
    Ask(Ask),
    /// Sends something to which there is no answer.
    Send(Send),
    /// Does nothing for a while.
    Think(Think),
    /// Is settled, and does nothing until a phase begins.
    WaitFor(WaitFor),
    /// Makes the contacts that `users` says, is settled, and does nothing until a phase begins.
    Befriend(Befriend),
    /// Looks whether everybody's first presence has come of all contacts that `users` says; those
    /// that are missing are a problem in the report.
    ContactsCame,
    /// Chats with the partner, the other one of two neighbours, in a closed loop: each message is
    /// answered by one.
    ChatClosed(ChatClosed),
    /// Writes messages in an open loop: each has its time, whatever became of those before.
    ChatOpen(ChatOpen),
    /// Writes messages to an address as fast as the server takes them.
    Flood(Flood),
    /// Reads nothing; logs in again when the server has ended the stream for that.
    NeverRead(NeverRead),
    /// Changes their presence in a closed loop: as soon as the last change of all contacts has come.
    PresenceClosed(PresenceClosed),
    /// Does some things, and how long that takes is measured.
    Transaction(Transaction),
    /// Does some things again and again.
    Repeat(Repeat),
    /// Does some things if a variable has a value.
    When(When),
    /// Does some things now and then.
    Chance(Chance),
    /// Ends the stream and goes.
    Disconnect,
    /// Is gone without a word.
    Cut,
}

choices! {
    /// What a presence shows (RFC 6121 §4.7.2.1).
    pub(crate) enum Presence {
        /// There.
        Available = "available",
        /// Away.
        Away = "away",
        /// Eager to chat.
        Chat = "chat",
        /// Not to be disturbed.
        Dnd = "dnd",
        /// Away for long.
        Xa = "xa",
        /// Not there, though connected.
        Unavailable = "unavailable",
    }
}

/// Other presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Show(pub(crate) Presence);

settings! {
    /// One message.
    pub(crate) struct Message {
        /// To whom.
        to: Addressee = Addressee::Online,
        /// The length of its text in bytes.
        bytes: u32 = 100,
        /// Its text, in place of one of that length; `{name}` is a variable.
        text: Option<String>,
    }
    check |message, problems| {
        check_bytes(message.bytes, problems);
    }
}

/// Who gets a message.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Addressee {
    /// The other one of two neighbours.
    Partner,
    /// Somebody who is there.
    Online,
    /// Somebody who is not there.
    Offline,
    /// Anybody.
    Random,
    /// This address; `{name}` is a variable.
    Address(String),
}

settings! {
    /// A question of any kind.
    pub(crate) struct Ask {
        /// The iq; `{name}` is a variable, and `{id}` an id that was not there before.
        xml: String,
        /// What is kept of the answer: names of variables, and where their values stand. `"query/item@jid"`
        /// is the attribute `jid` of the first `item` in the first `query`, `"query/title"` a text.
        keep: BTreeMap<String, String>,
        /// Whether an answer of the type `error` is fine.
        may_fail: bool = false,
    }
    check |ask, problems| {
        if !ask.xml.contains("{id}") {
            problems.error("xml", "a question without {id} has no answer that can be told from others",
                "write id='{id}' into the iq");
        }
        check_xml(&ask.xml, problems);
    }
}

settings! {
    /// A stanza of any kind.
    pub(crate) struct Send {
        /// The stanza; `{name}` is a variable.
        xml: String,
    }
    check |send, problems| {
        check_xml(&send.xml, problems);
    }
}

/// How long a user thinks.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Think {
    /// Always this long.
    Constant(Span),
    /// Between these.
    Uniform(Span, Span),
    /// This long on average, with the distances of a Poisson process.
    Exponential(Span),
}

/// The phase that has to begin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct WaitFor(pub(crate) String);

settings! {
    /// How contacts are made.
    pub(crate) struct Befriend {
        /// The phase that has to begin; who has no contacts any more to make waits for it.
        until: String,
    }
}

settings! {
    /// A closed loop of messages.
    pub(crate) struct ChatClosed {
        /// Messages that each user has under way at a time.
        window: u32 = 8,
        /// The length of their texts in bytes.
        bytes: u32 = 100,
        /// It ends with this phase.
        until: String,
    }
    check |chat, problems| {
        if !(1..=1_000).contains(&chat.window) {
            problems.error("window", format!("a window of {}", chat.window), "write a number from 1 to 1000");
        }
        check_bytes(chat.bytes, problems);
    }
}

settings! {
    /// An open loop of messages.
    pub(crate) struct ChatOpen {
        /// To whom.
        to: Addressee = Addressee::Partner,
        /// How many each user writes in a second.
        per_second: f64 = 1.0,
        /// The length of their texts in bytes.
        bytes: u32 = 100,
        /// It ends with this phase.
        until: String,
    }
    check |chat, problems| {
        if !(chat.per_second > 0.0 && chat.per_second <= 100_000.0) {
            problems.error("per_second", format!("{} is no rate", chat.per_second),
                "write a number above 0, up to 100000");
        }
        check_bytes(chat.bytes, problems);
    }
}

settings! {
    /// Messages as fast as can be.
    pub(crate) struct Flood {
        /// The address that they go to; `{name}` is a variable.
        to: String,
        /// The length of their texts in bytes.
        bytes: u32 = 100,
        /// It ends with this phase.
        until: String,
    }
    check |flood, problems| {
        if !flood.to.contains(['@', '{']) {
            problems.error("to", format!("\"{}\" is nobody's address", flood.to),
                "write an address, as in \"romeo@example.org/load\"");
        }
        check_bytes(flood.bytes, problems);
    }
}

settings! {
    /// Somebody who reads nothing.
    pub(crate) struct NeverRead {
        /// It ends with this phase.
        until: String,
    }
}

settings! {
    /// A closed loop of presences.
    pub(crate) struct PresenceClosed {
        /// It ends with this phase.
        until: String,
    }
}

settings! {
    /// What is measured.
    pub(crate) struct Transaction {
        /// What it is called in the report.
        name: String,
        /// What is done.
        steps: Vec<Step>,
    }
    check |transaction, problems| {
        if transaction.name.is_empty() {
            problems.error("name", "a transaction has no name", "write name: \"…\"");
        }
        check_steps(&transaction.steps, problems);
    }
}

settings! {
    /// Steps again and again. With more than one end, until the first of them.
    pub(crate) struct Repeat {
        /// So many times.
        times: Option<u32>,
        /// Begun as long as this has not gone by.
        lasts: Option<Span>,
        /// Begun as long as this phase has not ended.
        until: Option<String>,
        /// What is done.
        steps: Vec<Step>,
    }
    check |repeat, problems| {
        if repeat.times.is_none() && repeat.lasts.is_none() && repeat.until.is_none() {
            problems.error("", "a loop without an end", "write times: …, lasts: \"…\" or until: \"a phase\"");
        }
        check_steps(&repeat.steps, problems);
        let waits = |step: &Step| !matches!(step, Step::Send(_) | Step::Message(_));
        if repeat.times.is_none() && !repeat.steps.is_empty() && !any(&repeat.steps, &waits) {
            problems.error("steps", "nothing in this loop ever waits", "write a think(…) into it");
        }
    }
}

settings! {
    /// Steps under a condition.
    pub(crate) struct When {
        /// The variable.
        variable: String,
        /// It must have this value; without it, any.
        is: Option<String>,
        /// What is done then.
        steps: Vec<Step>,
        /// And otherwise.
        otherwise: Vec<Step>,
    }
    check |when, problems| {
        check_steps(&when.steps, problems);
    }
}

settings! {
    /// Steps that only some do.
    pub(crate) struct Chance {
        /// So many of a hundred times.
        percent: f64 = 50.0,
        /// What is done then.
        steps: Vec<Step>,
        /// And otherwise.
        otherwise: Vec<Step>,
    }
    check |chance, problems| {
        if !(0.0..=100.0).contains(&chance.percent) {
            problems.error("percent", format!("{} of a hundred", chance.percent), "write a number from 0 to 100");
        }
        check_steps(&chance.steps, problems);
    }
}

fn check_bytes(bytes: u32, problems: &mut Problems) {
    if !(1..=LONGEST).contains(&bytes) {
        problems.error(
            "bytes",
            format!("a text of {bytes} bytes"),
            format!("write a number from 1 to {LONGEST}"),
        );
    }
}

fn check_steps(steps: &[Step], problems: &mut Problems) {
    if steps.is_empty() {
        problems.error("steps", "there is nothing to do", "write steps: […]");
    }
}

/// What is sent has to be one element; else the server ends the stream, and that is no load.
fn check_xml(text: &str, problems: &mut Problems) {
    let filled = text.replace(['{', '}'], "");
    if let Err(error) = xml::Element::parse_in(filled.as_bytes(), crate::client::CLIENT) {
        problems.error(
            "xml",
            format!("this is no stanza: {error}"),
            "write one element, well-formed",
        );
    }
}

/// Whether one of these steps or of those inside is such a one.
pub(crate) fn any(steps: &[Step], is: &impl Fn(&Step) -> bool) -> bool {
    steps.iter().any(|step| {
        let inside = step.inside();
        match inside.iter().all(|steps| steps.is_empty()) {
            true => is(step),
            false => inside.iter().any(|steps| any(steps, is)),
        }
    })
}

impl Step {
    /// The steps that it is made of.
    pub(crate) fn inside(&self) -> [&[Step]; 2] {
        match self {
            Step::Transaction(transaction) => [&transaction.steps, &[]],
            Step::Repeat(repeat) => [&repeat.steps, &[]],
            Step::When(when) => [&when.steps, &when.otherwise],
            Step::Chance(chance) => [&chance.steps, &chance.otherwise],
            _ => [&[], &[]],
        }
    }
}

impl Setting for Step {
    fn expects() -> String {
        "a step, such as connect, authenticate or think(constant(\"1s\"))".into()
    }
    fn shape(&self) -> config::Shape {
        config::Shape::Value {
            text: String::new(),
            expects: Self::expects(),
        }
    }
    fn check(&self, problems: &mut Problems) {
        match self {
            Step::Connect
            | Step::Register
            | Step::Authenticate
            | Step::Roster
            | Step::Presence
            | Step::Show(_)
            | Step::Ping
            | Step::ContactsCame
            | Step::Disconnect
            | Step::Cut
            | Step::WaitFor(_) => {}
            Step::Message(step) => step.check(problems),
            Step::Ask(step) => step.check(problems),
            Step::Send(step) => step.check(problems),
            Step::Think(Think::Uniform(least, most)) if least > most => {
                problems.error(
                    "",
                    format!("{least} is not below {most}"),
                    "write the shorter time first",
                );
            }
            Step::Think(_) => {}
            Step::Befriend(step) => step.check(problems),
            Step::ChatClosed(step) => step.check(problems),
            Step::ChatOpen(step) => step.check(problems),
            Step::Flood(step) => step.check(problems),
            Step::NeverRead(step) => step.check(problems),
            Step::PresenceClosed(step) => step.check(problems),
            Step::Transaction(step) => step.check(problems),
            Step::Repeat(step) => step.check(problems),
            Step::When(step) => step.check(problems),
            Step::Chance(step) => step.check(problems),
        }
    }
}

impl Setting for Addressee {
    fn expects() -> String {
        "partner, online, offline, random or address(\"romeo@example.org\")".into()
    }
    fn shape(&self) -> config::Shape {
        config::Shape::Value {
            text: "online".into(),
            expects: Self::expects(),
        }
    }
}
