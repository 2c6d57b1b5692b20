//! Sessions as programs: steps in brackets become jumps, names become numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::scenario::{
    Addressee, Ask, CLOSED, MESSAGE, Message, PRESENCE, Presence, Scenario, Session, Show, Step,
    Think, WaitFor,
};

/// What a user does, one after the other, unless it says otherwise.
pub(crate) type Program = Vec<Op>;

/// One thing to do. Phases, transactions and boards are numbers; places in the program are the number
/// of an op.
#[derive(Debug)]
pub(crate) enum Op {
    Connect,
    Register,
    Authenticate,
    Roster,
    Show(Presence),
    Ping,
    ContactsCame,
    Message(Message),
    Ask(Ask),
    Send(String),
    Think(Think),
    /// Is settled until the phase begins.
    WaitFor(usize),
    Befriend(usize),
    ChatClosed {
        window: u32,
        bytes: u32,
        board: usize,
        until: usize,
    },
    ChatOpen {
        to: Addressee,
        per_second: f64,
        bytes: u32,
        until: usize,
    },
    Flood {
        to: String,
        bytes: u32,
        until: usize,
    },
    NeverRead(usize),
    PresenceClosed {
        board: usize,
        until: usize,
    },
    Disconnect,
    Cut,
    /// Begins a transaction.
    Begin(u16),
    /// Ends the one that began last.
    End,
    /// Enters a loop.
    Enter {
        times: Option<u32>,
        lasts: Option<Duration>,
    },
    /// Leaves the loop that was entered last if it is over; the phase is the one it ends with.
    Leave {
        until: Option<usize>,
        behind: usize,
    },
    /// Goes there unless the variable has this value; without one, any.
    Unless {
        variable: String,
        is: Option<String>,
        to: usize,
    },
    /// Goes there so many of a hundred times.
    Mostly {
        percent: f64,
        to: usize,
    },
    Goto(usize),
}

/// All sessions of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    /// In the order of the scenario.
    pub(crate) programs: Vec<Program>,
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Their weights.
    pub(crate) weights: Vec<u32>,
    /// The names of the transactions.
    pub(crate) transactions: Vec<String>,
    /// Those that messages, loops of presences, and ends of those who never read count as.
    pub(crate) message: u16,
    pub(crate) presence: u16,
    pub(crate) closed: u16,
    /// The phases with which the closed loops end, by board.
    pub(crate) boards: Vec<usize>,
    /// The phases with which open loops end.
    pub(crate) open: Vec<usize>,
    phases: BTreeMap<String, usize>,
}

impl Programs {
    /// Makes them of a scenario that was checked.
    pub(crate) fn of(scenario: &Scenario) -> Programs {
        let phases = scenario.phases.iter().enumerate();
        let mut programs = Programs {
            phases: phases.map(|(n, phase)| (phase.name.clone(), n)).collect(),
            ..Programs::default()
        };
        for session in &scenario.sessions {
            programs.add(session);
        }
        programs.message = programs.transaction(MESSAGE);
        programs.presence = programs.transaction(PRESENCE);
        programs.closed = programs.transaction(CLOSED);
        programs
    }

    fn add(&mut self, session: &Session) {
        let mut ops = Vec::new();
        self.steps(&session.steps, &mut ops);
        self.programs.push(ops);
        self.names.push(session.name.clone());
        self.weights.push(session.weight);
    }

    /// The number of a transaction.
    fn transaction(&mut self, name: &str) -> u16 {
        let known = self.transactions.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            self.transactions.push(name.to_owned());
            self.transactions.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }

    /// Names that lead nowhere were refused when the scenario was checked.
    fn phase(&self, name: &str) -> usize {
        self.phases.get(name).copied().unwrap_or_default()
    }

    fn board(&mut self, until: usize) -> usize {
        self.boards.push(until);
        self.boards.len() - 1
    }

    fn steps(&mut self, steps: &[Step], ops: &mut Vec<Op>) {
        for step in steps {
            self.step(step, ops);
        }
    }

    fn step(&mut self, step: &Step, ops: &mut Vec<Op>) {
        let op = match step {
            Step::Connect => Op::Connect,
            Step::Register => Op::Register,
            Step::Authenticate => Op::Authenticate,
            Step::Roster => Op::Roster,
            Step::Presence => Op::Show(Presence::Available),
            Step::Show(Show(presence)) => Op::Show(*presence),
            Step::Ping => Op::Ping,
            Step::ContactsCame => Op::ContactsCame,
            Step::Message(message) => Op::Message(message.clone()),
            Step::Ask(ask) => Op::Ask(ask.clone()),
            Step::Send(send) => Op::Send(send.xml.clone()),
            Step::Think(think) => Op::Think(*think),
            Step::WaitFor(WaitFor(phase)) => Op::WaitFor(self.phase(phase)),
            Step::Befriend(befriend) => Op::Befriend(self.phase(&befriend.until)),
            Step::ChatClosed(chat) => {
                let until = self.phase(&chat.until);
                Op::ChatClosed {
                    window: chat.window,
                    bytes: chat.bytes,
                    board: self.board(until),
                    until,
                }
            }
            Step::ChatOpen(chat) => {
                let until = self.phase(&chat.until);
                self.open.push(until);
                Op::ChatOpen {
                    to: chat.to.clone(),
                    per_second: chat.per_second,
                    bytes: chat.bytes,
                    until,
                }
            }
            Step::Flood(flood) => Op::Flood {
                to: flood.to.clone(),
                bytes: flood.bytes,
                until: self.phase(&flood.until),
            },
            Step::NeverRead(never) => Op::NeverRead(self.phase(&never.until)),
            Step::PresenceClosed(presence) => {
                let until = self.phase(&presence.until);
                Op::PresenceClosed {
                    board: self.board(until),
                    until,
                }
            }
            Step::Disconnect => Op::Disconnect,
            Step::Cut => Op::Cut,
            Step::Transaction(transaction) => {
                ops.push(Op::Begin(self.transaction(&transaction.name)));
                self.steps(&transaction.steps, ops);
                Op::End
            }
            Step::Repeat(repeat) => {
                ops.push(Op::Enter {
                    times: repeat.times,
                    lasts: repeat.lasts.map(config::Span::get),
                });
                let leave = ops.len();
                ops.push(Op::Goto(leave));
                self.steps(&repeat.steps, ops);
                ops[leave] = Op::Leave {
                    until: repeat.until.as_deref().map(|name| self.phase(name)),
                    behind: ops.len() + 1,
                };
                Op::Goto(leave)
            }
            Step::When(when) => {
                let jump = |to| Op::Unless {
                    variable: when.variable.clone(),
                    is: when.is.clone(),
                    to,
                };
                return self.branch(&when.steps, &when.otherwise, jump, ops);
            }
            Step::Chance(chance) => {
                let jump = |to| Op::Mostly {
                    percent: 100.0 - chance.percent,
                    to,
                };
                return self.branch(&chance.steps, &chance.otherwise, jump, ops);
            }
        };
        ops.push(op);
    }

    fn branch(
        &mut self,
        then: &[Step],
        otherwise: &[Step],
        jump: impl Fn(usize) -> Op,
        ops: &mut Vec<Op>,
    ) {
        let fork = ops.len();
        ops.push(jump(fork));
        self.steps(then, ops);
        if otherwise.is_empty() {
            ops[fork] = jump(ops.len());
            return;
        }
        let end = ops.len();
        ops.push(Op::Goto(end));
        ops[fork] = jump(ops.len());
        self.steps(otherwise, ops);
        ops[end] = Op::Goto(ops.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn ops(steps: &str) -> String {
        let text = format!(
            "(targets: [()], users: (), sessions: [(name: \"s\", steps: [{steps}])], \
             phases: [(name: \"p\", lasts: \"1s\", come: at_once(), measured: true)])"
        );
        let read = scenario::parse(&text, "s.ron".as_ref(), &BTreeMap::new());
        let scenario = read.unwrap_or_else(|error| panic!("{error}")).value;
        let ops = Programs::of(&scenario).programs.remove(0);
        let lines = ops.iter().map(|op| format!("{op:?}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn loops_and_branches_are_jumps() {
        let got = ops(
            "transaction(name: \"login\", steps: [connect, authenticate]), \
             repeat(times: 3, until: \"p\", steps: [ping]), \
             chance(percent: 25, steps: [roster], otherwise: [presence, ping]), \
             when(variable: \"user\", is: \"u1\", steps: [cut])",
        );
        let wanted = "\
Begin(0)
Connect
Authenticate
End
Enter { times: Some(3), lasts: None }
Leave { until: Some(0), behind: 8 }
Ping
Goto(5)
Mostly { percent: 75.0, to: 11 }
Roster
Goto(13)
Show(Available)
Ping
Unless { variable: \"user\", is: Some(\"u1\"), to: 15 }
Cut";
        assert_eq!(got, wanted);
    }
}
