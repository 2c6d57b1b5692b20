//! A user who plays a session.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use xml::Element;

use super::chance::Chance;
use super::closed;
use super::contacts;
use super::ears::Ears;
use super::flood;
use super::open;
use super::program::Op;
use super::rounds::Rounds;
use super::talk::Talk;
use super::variables;
use super::world::World;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::measure::Counter;
use crate::scenario::{Ask, Presence, Think};

/// One user, from coming to going.
#[derive(Debug)]
pub(crate) struct Player {
    world: Rc<World>,
    /// The account.
    number: u32,
    session: usize,
    connection: Option<Connection>,
    chance: Chance,
    /// When what comes next was due, if it had a time: a transaction is measured from then.
    due: Option<Instant>,
    /// Transactions that have begun and not ended.
    open: Vec<(u16, Instant)>,
    loops: Vec<Round>,
    variables: BTreeMap<String, String>,
}

/// A user who is gone.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The account, which is free again.
    pub(crate) number: u32,
    /// Whether the session went wrong.
    pub(crate) failed: bool,
}

/// A loop that was entered.
#[derive(Debug)]
struct Round {
    left: Option<u32>,
    until: Option<Instant>,
}

impl Player {
    /// A user who comes now and was due then.
    pub(crate) fn new(world: &Rc<World>, number: u32, session: usize, due: Instant) -> Player {
        world.stage.come();
        Player {
            world: Rc::clone(world),
            number,
            session,
            connection: None,
            chance: Chance::new(world.at(due) ^ u64::from(number)),
            due: Some(due),
            open: Vec::new(),
            loops: Vec::new(),
            variables: BTreeMap::new(),
        }
    }

    /// Plays the session.
    pub(crate) async fn run(mut self) -> Gone {
        let end = self.play().await;
        if let Err(failure) = &end {
            let open = self.open.iter().map(|(transaction, _)| *transaction);
            self.world.ledger.failed(open, failure);
        }
        self.leave();
        self.world.stage.go();
        Gone {
            number: self.number,
            failed: end.is_err(),
        }
    }

    async fn play(&mut self) -> Result<(), Failure> {
        let world = Rc::clone(&self.world);
        let ops = &world.programs[self.session];
        let mut at = 0;
        while let Some(op) = ops.get(at) {
            at += 1;
            match op {
                Op::Goto(to) => {
                    // A loop in which nothing waits must not keep the others from playing.
                    if *to < at {
                        tokio::task::yield_now().await;
                    }
                    at = *to;
                }
                Op::Leave { until, behind } => {
                    if self.is_over(*until) {
                        self.loops.pop();
                        at = *behind;
                    }
                }
                Op::Unless { variable, is, to } => {
                    let value = self.variable(variable);
                    let fits = match is {
                        Some(is) => value.as_deref() == Some(is),
                        None => value.is_some(),
                    };
                    at = if fits { at } else { *to };
                }
                Op::Mostly { percent, to } => {
                    if self.chance.share() * 100.0 < *percent {
                        at = *to;
                    }
                }
                op => self.perform(op, &world).await?,
            }
        }
        Ok(())
    }

    async fn perform(&mut self, op: &Op, world: &Rc<World>) -> Result<(), Failure> {
        // Ours is not the only user: what has a time may begin late, and that counts.
        let due = self.due.take();
        match op {
            Op::Begin(transaction) => {
                self.open
                    .push((*transaction, due.unwrap_or_else(Instant::now)));
                // What is measured inside of it begins with it.
                self.due = due;
            }
            Op::End => {
                if let Some((transaction, began)) = self.open.pop() {
                    let took = began.elapsed().as_nanos();
                    let took = u64::try_from(took).unwrap_or(u64::MAX);
                    world.ledger.took(transaction, took);
                }
            }
            Op::Enter { times, lasts } => {
                self.loops.push(Round {
                    left: *times,
                    until: lasts.map(|lasts| Instant::now() + lasts),
                });
                self.due = due;
            }
            Op::Connect => {
                drop(self.leave());
                let localpart = world.accounts.localpart(self.number);
                let open = Connection::open(world.place(self.number), &localpart);
                self.connection = Some(in_time(world.patience, open).await?);
            }
            Op::Register => {
                let password = world.accounts.password(self.number);
                let register = self.connection()?.register(&password);
                in_time(world.patience, register).await?;
            }
            Op::Authenticate => {
                let password = world.accounts.password(self.number);
                let authenticate = self.connection()?.authenticate(&password);
                in_time(world.patience, authenticate).await?;
                world.ledger.count(Counter::Logins, 1);
                world.online.borrow_mut().come(self.number);
                world.ledger.there(world.online.borrow().count());
            }
            Op::Roster => {
                let id = world.ask();
                let get =
                    format!("<iq type='get' id='q{id}'><query xmlns='jabber:iq:roster'/></iq>");
                Box::pin(self.ask("the roster", get.as_bytes(), id, false)).await?;
            }
            Op::Show(presence) => Box::pin(self.show(*presence)).await?,
            Op::Ping => {
                let ping = self.ping("");
                Box::pin(self.ask("a ping", ping.1.as_bytes(), ping.0, true)).await?;
            }
            Op::ContactsCame => {
                let came = self.connection()?.presences();
                let missing = world.contacts_of(self.number).len() as u64;
                let missing = missing.saturating_sub(came.into());
                world
                    .ledger
                    .problem("a contact's presence did not come", missing);
            }
            Op::Message(message) => {
                let text = message.text.as_ref().map(|text| self.filled(text, 0));
                let to = match &message.to {
                    crate::scenario::Addressee::Address(address) => {
                        &crate::scenario::Addressee::Address(self.filled(address, 0))
                    }
                    to => to,
                };
                let mut out = BytesMut::new();
                let now = world.now();
                let (number, bytes) = (self.number, message.bytes);
                open::write(world, number, to, bytes, text.as_deref(), now, &mut out)?;
                in_time(world.patience, self.connection()?.send(&out)).await?;
            }
            Op::Ask(ask) => Box::pin(self.ask_anything(ask)).await?,
            Op::Send(xml) => {
                let xml = variables::fill(xml, |name| self.variable_escaped(name, world.ask()));
                in_time(world.patience, self.connection()?.send(xml.as_bytes())).await?;
            }
            Op::Think(think) => {
                // Who comes late does not think the longer for it.
                let until = due.unwrap_or_else(Instant::now) + self.thinks(*think);
                self.listen(world.clock.until(until)).await?;
                self.due = Some(until);
            }
            Op::WaitFor(phase) => {
                if world.stage.settle(*phase) {
                    let waited = self.listen(world.stage.at(*phase)).await;
                    if waited.is_err() {
                        world.stage.lose(*phase);
                    }
                    waited?;
                }
            }
            Op::Befriend(until) => {
                let number = self.number;
                Box::pin(contacts::befriend(
                    self.connection()?,
                    number,
                    *until,
                    world,
                ))
                .await?;
            }
            Op::ChatClosed {
                window,
                bytes,
                board,
                until,
            } => {
                let partner = self.number ^ 1;
                if partner >= world.accounts.count() {
                    // The last of an odd crowd has nobody to talk to.
                    return self.listen(world.stage.behind(*until)).await;
                }
                let talk = Talk::new(&world.jid(partner), *bytes);
                let game = closed::Part {
                    first: *window,
                    board: &world.boards[*board],
                    transaction: world.message,
                    until: *until,
                };
                Box::pin(closed::play(self.connection()?, talk, game, world)).await?;
            }
            Op::ChatOpen {
                to,
                per_second,
                bytes,
                until,
            } => {
                let part = open::Part {
                    number: self.number,
                    to,
                    per_second: *per_second,
                    bytes: *bytes,
                    until: *until,
                };
                Box::pin(open::play(self.connection()?, part, world)).await?;
            }
            Op::Flood { to, bytes, until } => {
                let (to, until) = (self.filled(to, 0), *until);
                Box::pin(flood::write(self.connection()?, &to, *bytes, until, world)).await?;
            }
            Op::NeverRead(until) => {
                // The same user is there again and again.
                let connection = self.connection.take().ok_or(Failure::NotOnline)?;
                Box::pin(flood::never_read(connection, self.number, *until, world)).await?;
            }
            Op::PresenceClosed { board, until } => {
                let others = world.contacts_of(self.number).len();
                if others == 0 {
                    // The last one may be alone.
                    return self.listen(world.stage.behind(*until)).await;
                }
                let others = u32::try_from(others).unwrap_or(u32::MAX);
                let rounds = Rounds::new(&world.jid(self.number), others);
                let game = closed::Part {
                    first: 1,
                    board: &world.boards[*board],
                    transaction: world.presence,
                    until: *until,
                };
                Box::pin(closed::play(self.connection()?, rounds, game, world)).await?;
            }
            Op::Disconnect => {
                if let Some(connection) = self.leave() {
                    in_time(world.patience, async {
                        connection.close().await;
                        Ok(())
                    })
                    .await?;
                }
            }
            Op::Cut => drop(self.leave()),
            Op::Goto(_) | Op::Leave { .. } | Op::Unless { .. } | Op::Mostly { .. } => {}
        }
        Ok(())
    }

    fn connection(&mut self) -> Result<&mut Connection, Failure> {
        self.connection.as_mut().ok_or(Failure::NotOnline)
    }

    /// The user is not there any more.
    fn leave(&mut self) -> Option<Connection> {
        let connection = self.connection.take()?;
        self.world.online.borrow_mut().go(self.number);
        self.world.ledger.there(self.world.online.borrow().count());
        self.world.post.gone(self.number);
        Some(connection)
    }

    fn is_over(&mut self, until: Option<usize>) -> bool {
        if until.is_some_and(|phase| self.world.stage.phase() > phase) {
            return true;
        }
        let Some(round) = self.loops.last_mut() else {
            return true;
        };
        if round.until.is_some_and(|until| Instant::now() >= until) {
            return true;
        }
        match &mut round.left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    fn thinks(&mut self, think: Think) -> Duration {
        match think {
            Think::Constant(time) => time.get(),
            Think::Uniform(least, most) => {
                let range = most.get().saturating_sub(least.get());
                least.get() + range.mul_f64(self.chance.share())
            }
            Think::Exponential(average) => average.get().mul_f64(self.chance.distance()),
        }
    }

    /// Hears what comes until something has happened.
    async fn listen(&mut self, until: impl Future<Output = ()>) -> Result<(), Failure> {
        let ears = Ears(&self.world);
        let Some(connection) = &mut self.connection else {
            until.await;
            return Ok(());
        };
        tokio::pin!(until);
        loop {
            tokio::select! {
                // What comes once it has happened is for the next step.
                biased;
                () = &mut until => return Ok(()),
                turned = connection.turn(|stanza, _| ears.hear(stanza)) => turned?,
            }
        }
    }

    /// A ping behind `before`, and its number: when it is answered, what is before was dealt with.
    fn ping(&self, before: &str) -> (u64, String) {
        let id = self.world.ask();
        let domain = &self.world.place(self.number).domain;
        let ping = format!(
            "{before}<iq type='get' id='q{id}' to='{domain}'><ping xmlns='urn:xmpp:ping'/></iq>"
        );
        (id, ping)
    }

    async fn show(&mut self, presence: Presence) -> Result<(), Failure> {
        let presence = match presence {
            Presence::Available => "<presence/>".to_owned(),
            Presence::Unavailable => "<presence type='unavailable'/>".to_owned(),
            other => format!("<presence><show>{other}</show></presence>"),
        };
        let (id, said) = self.ping(&presence);
        // A server without XEP-0199 answers with an error, and that is an answer.
        self.ask("a presence", said.as_bytes(), id, true).await
    }

    async fn ask(
        &mut self,
        what: &'static str,
        xml: &[u8],
        id: u64,
        may_fail: bool,
    ) -> Result<(), Failure> {
        self.exchange(what, xml, &format!("q{id}"), may_fail, |_| {})
            .await
    }

    async fn ask_anything(&mut self, ask: &Ask) -> Result<(), Failure> {
        let id = self.world.ask();
        let xml = variables::fill(&ask.xml, |name| self.variable_escaped(name, id));
        let mut kept = Vec::new();
        self.exchange(
            "a question",
            xml.as_bytes(),
            &format!("q{id}"),
            ask.may_fail,
            |answer| {
                for (name, path) in &ask.keep {
                    kept.push((name.clone(), variables::find(answer, path)));
                }
            },
        )
        .await?;
        for (name, value) in kept {
            match value {
                Some(value) => self.variables.insert(name, value),
                None => self.variables.remove(&name),
            };
        }
        Ok(())
    }

    /// Sends something and waits for the iq that answers it.
    async fn exchange(
        &mut self,
        what: &'static str,
        xml: &[u8],
        id: &str,
        may_fail: bool,
        mut read: impl FnMut(&Element),
    ) -> Result<(), Failure> {
        let world = Rc::clone(&self.world);
        let ears = Ears(&world);
        let connection = self.connection()?;
        let mut answered = None;
        let exchange = async {
            connection.send(xml).await?;
            while answered.is_none() {
                connection
                    .turn(|stanza, _| match answer(stanza, id) {
                        None => ears.hear(stanza),
                        Some(fine) => {
                            let refused = !fine && !may_fail;
                            answered = Some(match refused {
                                true => Err(crate::client::condition(stanza)),
                                false => Ok(()),
                            });
                            read(stanza);
                        }
                    })
                    .await?;
            }
            Ok(())
        };
        in_time(world.patience, exchange).await?;
        match answered {
            Some(Err(condition)) => Err(Failure::Declined { what, condition }),
            _ => Ok(()),
        }
    }

    fn filled(&self, text: &str, id: u64) -> String {
        variables::fill(text, |name| match name {
            "id" => Some(format!("q{id}")),
            name => self.variable(name),
        })
    }

    fn variable_escaped(&self, name: &str, id: u64) -> Option<String> {
        match name {
            "id" => Some(format!("q{id}")),
            name => Some(xml::escape_attr(&self.variable(name)?).into_owned()),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let world = &self.world;
        match name {
            "user" => Some(world.accounts.localpart(self.number)),
            "domain" => Some(world.place(self.number).domain.to_string()),
            "jid" => Some(world.jid(self.number)),
            "number" => Some(self.number.to_string()),
            "id" => Some(format!("q{}", world.ask())),
            name => self.variables.get(name).cloned(),
        }
    }
}

/// Whether it is the answer to the question with this id, and a good one.
fn answer(stanza: &Element, id: &str) -> Option<bool> {
    if stanza.name() != "iq" || stanza.plain_attr("id") != Some(id) {
        return None;
    }
    match stanza.plain_attr("type") {
        Some("result") => Some(true),
        Some("error") => Some(false),
        _ => None,
    }
}

/// Does something that must not take longer. It has memory of its own while it is done, so that users who
/// do nothing need little.
fn in_time<'a, T: 'a>(
    patience: Duration,
    doing: impl Future<Output = Result<T, Failure>> + 'a,
) -> Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>> {
    let timed = tokio::time::timeout(patience, doing);
    Box::pin(async move {
        match timed.await {
            Ok(done) => done,
            Err(_) => Err(Failure::TooSlow(patience.as_secs_f64())),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_needs_little_memory() {
        fn size<T>(_: impl Fn(Player) -> T) -> usize {
            std::mem::size_of::<T>()
        }
        // What is done seldom has memory of its own while it is done: 19 000 users are to fit into 4 KiB
        // each, with their sockets.
        let bytes = size(Player::run);
        assert!(bytes < 1_536, "{bytes}");
    }
}
