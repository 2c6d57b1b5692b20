//! A walk along the steps of a session, as a user takes it: what can't be done where it stands.

use config::Problems;

use super::checks::{BUILT_IN, list};
use super::step::any;
use super::{Addressee, Scenario, Shape, Step};

/// Looks at all steps of a session.
pub(super) fn along(scenario: &Scenario, steps: &[Step], problems: &mut Problems) {
    let mut walk = Walk {
        scenario,
        state: State::Away,
    };
    walk.steps(steps, problems);
}

/// How far a user has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Away,
    Connected,
    Online,
    /// That depends on what is known during the run only.
    Unsure,
}

struct Walk<'a> {
    scenario: &'a Scenario,
    state: State,
}

impl Walk<'_> {
    fn steps(&mut self, steps: &[Step], problems: &mut Problems) {
        for (index, step) in steps.iter().enumerate() {
            problems.within_item(index, |problems| self.step(step, problems));
        }
    }

    fn step(&mut self, step: &Step, problems: &mut Problems) {
        self.place(step, problems);
        self.details(step, problems);
        self.state = match step {
            Step::Connect => State::Connected,
            Step::Authenticate => State::Online,
            Step::Disconnect | Step::Cut | Step::NeverRead(_) => State::Away,
            _ => self.state,
        };
        let [inside, otherwise] = step.inside();
        let (before, known) = (self.state, problems.lines().len());
        problems.within("steps", |problems| self.steps(inside, problems));
        match step {
            Step::When(_) | Step::Chance(_) => {
                let after = std::mem::replace(&mut self.state, before);
                problems.within("otherwise", |problems| self.steps(otherwise, problems));
                self.join(after);
            }
            Step::Repeat(repeat) => {
                if repeat.times != Some(1) && problems.lines().len() == known {
                    self.again(inside, problems);
                }
                // There may be no time for it at all.
                if repeat.until.is_some() || repeat.lasts.is_some() {
                    self.join(before);
                }
            }
            _ => {}
        }
    }

    /// Steps of a loop are done from where they have led, too.
    fn again(&mut self, steps: &[Step], problems: &mut Problems) {
        let after = self.state;
        let mut second = Problems::default();
        self.steps(steps, &mut second);
        self.state = after;
        if !second.lines().is_empty() {
            let mend =
                "let the loop leave its users as it finds them: away, connected or logged in";
            problems.error("steps", "this can't be done a second time", mend);
        }
    }

    fn join(&mut self, other: State) {
        if self.state != other {
            self.state = State::Unsure;
        }
    }

    /// Whether the user is where the step needs them.
    fn place(&self, step: &Step, problems: &mut Problems) {
        let wrong = match (step, self.state) {
            (_, State::Unsure) => None,
            (Step::Connect, State::Connected | State::Online) => Some((
                "who is connected can't connect",
                "write disconnect or cut before it",
            )),
            (Step::Register | Step::Authenticate, State::Away) => Some((
                "who is not connected can't log in",
                "write connect before it",
            )),
            (Step::Register | Step::Authenticate, State::Online) => {
                Some(("who is logged in can't do this", "leave it out"))
            }
            (Step::Disconnect | Step::Cut, State::Away) => {
                Some(("who is not connected can't go", "leave it out"))
            }
            (step, State::Away | State::Connected) if needs_login(step) => Some((
                "who is not logged in can't do this",
                "write authenticate before it",
            )),
            _ => None,
        };
        if let Some((what, mend)) = wrong {
            problems.error("", what, mend);
        }
    }

    fn details(&self, step: &Step, problems: &mut Problems) {
        match step {
            Step::WaitFor(wait) => self.phase(&wait.0, "", problems),
            Step::Befriend(step) => {
                self.phase(&step.until, "until", problems);
                if self.scenario.users.contacts.shape == Shape::Nobody {
                    let mend = "write contacts: (shape: \"ring\", size: 25) into users";
                    problems.error("", "nobody has contacts to make", mend);
                }
            }
            Step::ChatClosed(step) => self.phase(&step.until, "until", problems),
            Step::ChatOpen(step) => self.phase(&step.until, "until", problems),
            Step::Flood(step) => {
                self.phase(&step.until, "until", problems);
                self.variables(&step.to, "to", problems);
            }
            Step::NeverRead(step) => self.phase(&step.until, "until", problems),
            Step::PresenceClosed(step) => {
                self.phase(&step.until, "until", problems);
                if self.scenario.users.contacts.shape != Shape::Group {
                    let mend = "write contacts: (shape: \"group\", size: 10) into users";
                    problems.error(
                        "",
                        "presence goes round in groups of contacts, and there are none",
                        mend,
                    );
                }
            }
            Step::Repeat(repeat) => {
                if let Some(until) = &repeat.until {
                    self.phase(until, "until", problems);
                }
            }
            Step::When(when) => self.variable(&when.variable, "variable", problems),
            Step::Ask(ask) => self.variables(&ask.xml, "xml", problems),
            Step::Send(send) => self.variables(&send.xml, "xml", problems),
            Step::Message(message) => {
                let text = message.text.as_deref().unwrap_or_default();
                self.variables(text, "text", problems);
                if let Addressee::Address(address) = &message.to
                    && !address.contains('{')
                    && !address.contains('@')
                {
                    let mend = "write an address, as in address(\"romeo@example.org\")";
                    problems.error("to", format!("\"{address}\" is nobody's address"), mend);
                }
            }
            _ => {}
        }
    }

    /// Looks for names in braces. What is in braces and no name is not meant.
    fn variables(&self, text: &str, field: &str, problems: &mut Problems) {
        let mut rest = text;
        while let Some((_, behind)) = rest.split_once('{') {
            rest = behind;
            let name = behind.split_once('}').map_or("", |(name, _)| name);
            if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                self.variable(name, field, problems);
            }
        }
    }

    fn variable(&self, name: &str, field: &str, problems: &mut Problems) {
        let kept = |step: &Step| matches!(step, Step::Ask(ask) if ask.keep.contains_key(name));
        let mut sessions = self.scenario.sessions.iter();
        if !BUILT_IN.contains(&name) && !sessions.any(|session| any(&session.steps, &kept)) {
            problems.error(
                field,
                format!("nobody ever sets the variable \"{name}\""),
                format!(
                    "known everywhere: {}; others come from keep: {{…}} of an ask",
                    list(BUILT_IN.iter().copied())
                ),
            );
        }
    }

    fn phase(&self, name: &str, field: &str, problems: &mut Problems) {
        let phases = &self.scenario.phases;
        if !phases.iter().any(|phase| phase.name == name) {
            let known = phases.iter().map(|phase| phase.name.as_str());
            problems.error(
                field,
                format!("there is no phase \"{name}\""),
                format!("known here: {}", list(known)),
            );
        }
    }
}

fn needs_login(step: &Step) -> bool {
    matches!(
        step,
        Step::Roster
            | Step::Presence
            | Step::Show(_)
            | Step::Ping
            | Step::ContactsCame
            | Step::Message(_)
            | Step::Ask(_)
            | Step::Send(_)
            | Step::Befriend(_)
            | Step::ChatClosed(_)
            | Step::ChatOpen(_)
            | Step::Flood(_)
            | Step::NeverRead(_)
            | Step::PresenceClosed(_)
    )
}
