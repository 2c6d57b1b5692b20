//! What the times of transactions count from.

use crate::measure::Since;
use crate::scenario::{Arrivals, CLOSED, MESSAGE, PRESENCE, Scenario, Step};

/// What the times of this one count from. Who comes at a rate is due at a time, and so is the
/// transaction that they begin with; what else they do begins when they get to it.
pub(crate) fn since(scenario: &Scenario, name: &str) -> Since {
    let due = match name {
        PRESENCE | CLOSED => false,
        MESSAGE => !scenario.sessions.iter().any(|session| {
            crate::scenario::any(&session.steps, &|step| matches!(step, Step::ChatClosed(_)))
        }),
        name => {
            let at_a_rate =
                |come: &Arrivals| matches!(come, Arrivals::Rate(_) | Arrivals::Evenly(_));
            let first = |steps: &[Step]| matches!(steps.first(), Some(Step::Transaction(transaction)) if transaction.name == name);
            scenario.phases.iter().any(|phase| at_a_rate(&phase.come))
                && scenario
                    .sessions
                    .iter()
                    .any(|session| first(&session.steps))
        }
    };
    if due { Since::Due } else { Since::Begun }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::scenario::{included, parse};

    #[test]
    fn loops_say_whether_they_are_open() {
        for (scenario, transaction, wanted) in [
            ("chat-open", MESSAGE, Since::Due),
            ("chat-closed", MESSAGE, Since::Begun),
            ("presence", PRESENCE, Since::Begun),
            ("login-storm", "login", Since::Due),
            ("idle", "login", Since::Begun),
        ] {
            let text = included(scenario).expect("it comes with the program");
            let document = parse(text, Path::new(scenario), &BTreeMap::new()).expect("fine");
            assert_eq!(since(&document.value, transaction), wanted, "{scenario}");
        }
    }
}
