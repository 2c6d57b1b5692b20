//! What is measured.

use crate::arguments::BenchPlan;
use crate::failure::Failure;

/// One run of a scenario, and what is read of its report.
#[derive(Debug)]
pub(super) struct Run {
    /// Its name, by which it is chosen.
    pub(super) name: &'static str,
    /// The included scenario.
    pub(super) scenario: &'static str,
    /// Its parameters.
    pub(super) settings: Vec<(&'static str, String)>,
    /// The lines of the table; none if it only prepares others.
    pub(super) rows: Vec<Row>,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What it says in front.
    pub(super) what: String,
    /// The figure of the report.
    pub(super) figure: &'static str,
    /// Its unit there.
    pub(super) unit: &'static str,
}

/// Messages that all users together write in a second of the open loop.
const OPEN_LOOP: f64 = 2_000.0;
/// Contacts who see each other's presence.
const GROUP: u32 = 10;

/// All runs that are asked for, in the order in which a fresh server is to see them: memory first, while
/// nothing else has grown.
///
/// # Errors
/// A name that is none of theirs.
pub(super) fn runs(plan: &BenchPlan) -> Result<Vec<Run>, Failure> {
    let all = all(plan);
    let known: Vec<&str> = all
        .iter()
        .filter(|run| !run.rows.is_empty())
        .map(|run| run.name)
        .collect();
    if let Some(other) = plan
        .only
        .iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        let known = known.join(", ");
        return Err(Failure::Peer(format!(
            "there is no bench {other}: known are {known}"
        )));
    }
    let asked = |name: &str| plan.only.is_empty() || plan.only.iter().any(|only| only == name);
    Ok(all
        .into_iter()
        // Contacts are made for those who tell them of their presence.
        .filter(|run| {
            asked(if run.rows.is_empty() {
                "presence"
            } else {
                run.name
            })
        })
        .collect())
}

fn all(plan: &BenchPlan) -> Vec<Run> {
    let users = plan.users;
    let chat = |window: u32| {
        vec![
            ("users", users.to_string()),
            ("window", window.to_string()),
            ("chat", format!("{}s", plan.seconds)),
        ]
    };
    let row = |what: String, figure, unit| Row { what, figure, unit };
    let closed = |window: u32| format!("chat, {users} users, closed loop, window {window}");
    let open = format!("chat, {users} users, open loop, {OPEN_LOOP}/s");
    let presence = format!("presence, {users} users in groups of {GROUP}, closed loop");
    vec![
        Run {
            name: "idle",
            scenario: "idle",
            settings: vec![
                ("users", plan.idle.to_string()),
                ("idle", format!("{}s", plan.seconds)),
            ],
            rows: vec![
                row(
                    format!("login, {} users, SCRAM-SHA-1: CPU a login", plan.idle),
                    "cpu_per_login",
                    "µs",
                ),
                row("logins in a second".to_owned(), "login_rate", "/s"),
                row(
                    format!("memory a session, {} idle ones", plan.idle),
                    "memory_per_session",
                    "KiB",
                ),
            ],
        },
        Run {
            name: "chat-8",
            scenario: "chat-closed",
            settings: chat(8),
            rows: vec![
                row(
                    format!("{}: CPU a message", closed(8)),
                    "cpu_per_message",
                    "µs",
                ),
                row("messages in a second".to_owned(), "message_rate", "/s"),
            ],
        },
        Run {
            name: "chat-1",
            scenario: "chat-closed",
            settings: chat(1),
            rows: vec![
                row(
                    format!("{}: CPU a message", closed(1)),
                    "cpu_per_message",
                    "µs",
                ),
                row("messages in a second".to_owned(), "message_rate", "/s"),
            ],
        },
        Run {
            name: "open",
            scenario: "chat-open",
            settings: vec![
                ("users", users.to_string()),
                (
                    "each_per_second",
                    (OPEN_LOOP / f64::from(users)).to_string(),
                ),
                ("chat", format!("{}s", plan.seconds)),
            ],
            rows: vec![
                row(format!("{open}: CPU a message"), "cpu_per_message", "µs"),
                row("p50 from when it was due".to_owned(), "message_p50", "ms"),
                row("p99 from when it was due".to_owned(), "message_p99", "ms"),
            ],
        },
        Run {
            name: "contacts",
            scenario: "contacts",
            settings: vec![
                ("users", users.to_string()),
                ("shape", "group".to_owned()),
                ("size", GROUP.to_string()),
            ],
            rows: vec![],
        },
        Run {
            name: "presence",
            scenario: "presence",
            settings: vec![
                ("users", users.to_string()),
                ("group", GROUP.to_string()),
                ("rounds", format!("{}s", plan.seconds)),
            ],
            rows: vec![
                row(
                    format!("{presence}: CPU a delivery"),
                    "cpu_per_presence",
                    "µs",
                ),
                row("deliveries in a second".to_owned(), "presence_rate", "/s"),
            ],
        },
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{included, parse};

    fn plan(only: &[&str]) -> BenchPlan {
        BenchPlan {
            only: only.iter().map(|name| (*name).to_owned()).collect(),
            ..BenchPlan::default()
        }
    }

    #[test]
    fn every_run_is_of_a_scenario_that_comes_along_and_knows_its_parameters() {
        for run in runs(&plan(&[])).expect("all") {
            let text = included(run.scenario).expect("it comes along");
            let set = run
                .settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            if let Err(error) = parse(text, Path::new(run.scenario), &set.collect()) {
                panic!("{}: {error}", run.name);
            }
        }
    }

    #[test]
    fn some_are_chosen_and_what_they_need_too() {
        let names = |only: &[&str]| -> Vec<&str> {
            let runs = runs(&plan(only)).expect("known");
            runs.iter().map(|run| run.name).collect()
        };
        assert_eq!(
            names(&["open", "presence"]),
            ["open", "contacts", "presence"]
        );
        assert_eq!(names(&["chat-1"]), ["chat-1"]);
        let failure = runs(&plan(&["chat-9"])).expect_err("none").to_string();
        assert!(
            failure.contains("chat-9") && failure.contains("chat-8, chat-1"),
            "{failure}"
        );
    }
}
