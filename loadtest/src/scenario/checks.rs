//! What makes sense by itself and not together: names that lead nowhere, weights that add to nothing.

use std::collections::BTreeSet;

use config::Problems;

use super::{Arrivals, Scenario, Step, walk};

/// Looks at the whole.
pub(super) fn run(scenario: &Scenario, problems: &mut Problems) {
    weights(scenario, problems);
    names(scenario, problems);
    arrivals(scenario, problems);
    for (index, session) in scenario.sessions.iter().enumerate() {
        problems.within("sessions", |problems| {
            problems.within_item(index, |problems| {
                problems.within("steps", |problems| {
                    walk::along(scenario, &session.steps, problems);
                });
            });
        });
    }
}

fn weights(scenario: &Scenario, problems: &mut Problems) {
    if scenario.targets.is_empty() {
        let mend = "write targets: [(address: \"127.0.0.1:5222\", domain: \"localhost\")]";
        problems.error("targets", "there is no target", mend);
    } else if scenario.targets.iter().all(|target| target.weight == 0) {
        let mend = "write a weight of 1 or more for one of them";
        problems.error(
            "targets",
            "the weights of the targets add up to nothing",
            mend,
        );
    }
    if scenario.sessions.is_empty() {
        let mend = "write sessions: [(name: \"…\", steps: [connect, …])]";
        problems.error("sessions", "there is no session", mend);
    } else if scenario.sessions.iter().all(|session| session.weight == 0) {
        let mend = "write a weight of 1 or more for one of them";
        problems.error(
            "sessions",
            "the weights of the sessions add up to nothing",
            mend,
        );
    }
}

fn names(scenario: &Scenario, problems: &mut Problems) {
    let mut sessions = BTreeSet::new();
    for (index, session) in scenario.sessions.iter().enumerate() {
        if !sessions.insert(&session.name) {
            let what = format!("two sessions are called \"{}\"", session.name);
            problems.error(
                &format!("sessions[{index}].name"),
                what,
                "give one another name",
            );
        }
    }
    let mut phases = BTreeSet::new();
    for (index, phase) in scenario.phases.iter().enumerate() {
        if !phases.insert(&phase.name) {
            let what = format!("two phases are called \"{}\"", phase.name);
            problems.error(
                &format!("phases[{index}].name"),
                what,
                "give one another name",
            );
        }
    }
    for (index, phase) in scenario.phases.iter().enumerate() {
        if let Some(plays) = phase
            .plays
            .as_ref()
            .filter(|plays| !sessions.contains(plays))
        {
            let known = scenario
                .sessions
                .iter()
                .map(|session| session.name.as_str());
            problems.error(
                &format!("phases[{index}].plays"),
                format!("there is no session \"{plays}\""),
                format!("known here: {}", list(known)),
            );
        }
    }
    let known = transactions(scenario);
    for (index, slow) in scenario.stop.slow.iter().enumerate() {
        if !known.contains(slow.transaction.as_str()) {
            problems.error(
                &format!("stop.slow[{index}].transaction"),
                format!("there is no transaction \"{}\"", slow.transaction),
                format!("known here: {}", list(known.iter().copied())),
            );
        }
    }
}

/// What is measured, by name; what loops measure is there too.
fn transactions(scenario: &Scenario) -> BTreeSet<&str> {
    fn walk<'a>(steps: &'a [Step], names: &mut BTreeSet<&'a str>) {
        for step in steps {
            match step {
                Step::Transaction(transaction) => {
                    names.insert(transaction.name.as_str());
                }
                Step::Message(_) | Step::ChatClosed(_) | Step::ChatOpen(_) => {
                    names.insert(super::MESSAGE);
                }
                Step::PresenceClosed(_) => {
                    names.insert(super::PRESENCE);
                }
                Step::NeverRead(_) => {
                    names.insert(super::CLOSED);
                }
                _ => {}
            }
            for inside in step.inside() {
                walk(inside, names);
            }
        }
    }
    let mut names = BTreeSet::new();
    for session in &scenario.sessions {
        walk(&session.steps, &mut names);
    }
    names
}

fn arrivals(scenario: &Scenario, problems: &mut Problems) {
    if scenario.phases.is_empty() {
        let mend = "write phases: [(name: \"…\", lasts: \"10s\", come: evenly(users: 10))]";
        return problems.error("phases", "there is no phase", mend);
    }
    if scenario
        .phases
        .iter()
        .all(|phase| phase.come == Arrivals::Nobody)
    {
        let mend = "write come: at_once(users: …) or the like into a phase";
        problems.error("phases", "nobody ever comes", mend);
    }
    if !scenario.phases.iter().any(|phase| phase.measured) {
        let mend = "write measured: true into the phase that matters";
        problems.error("phases", "no phase is measured", mend);
    }
    if scenario.users.csv.is_some() {
        return;
    }
    let mut coming: u64 = 0;
    for (index, phase) in scenario.phases.iter().enumerate() {
        let (users, field) = match &phase.come {
            Arrivals::AtOnce(plan) => (plan.users, "users"),
            Arrivals::Keep(plan) => (plan.users, "users"),
            Arrivals::Evenly(plan) => (plan.users, "users"),
            // Whose account is free again may come again.
            Arrivals::Nobody | Arrivals::Rate(_) => continue,
        };
        coming = coming.max(u64::from(users));
        if coming > u64::from(scenario.users.count) {
            problems.error(
                &format!("phases[{index}].come.{field}"),
                format!(
                    "{users} users come and there are {} accounts",
                    scenario.users.count
                ),
                "write more into the count of users, or let fewer come",
            );
        }
    }
}

/// Variables that everybody has.
pub(crate) const BUILT_IN: &[&str] = &["user", "domain", "jid", "number", "id"];

/// Names as one reads them.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    }
}
