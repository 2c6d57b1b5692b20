//! What happens one after the other.

use config::{Problems, Setting, Span, settings};
use serde::Deserialize;

/// The most users that may come in a second.
const FASTEST: f64 = 100_000.0;

settings! {
    /// A time in which users come, or in which those who are there do something.
    pub(crate) struct Phase {
        /// What it is called, here and in the report.
        name: String,
        /// How long it lasts; if it ends when all are settled, how long it may last.
        lasts: Span = Span::seconds(0),
        /// Who comes.
        come: Arrivals = Arrivals::Nobody,
        /// The session that those who come play; without it, each one by its weight.
        plays: Option<String>,
        /// It ends as soon as everybody who has come waits for a later phase, or is gone.
        until_settled: bool = false,
        /// Whether it is for the sake of this phase that the scenario is played: what happens in
        /// others is no figure.
        measured: bool = false,
    }
    check |phase, problems| {
        if phase.name.is_empty() {
            problems.error("name", "a phase has no name", "write name: \"…\"");
        }
        if phase.lasts.is_zero() {
            problems.error("lasts", "a phase of no length", "write how long it lasts, as in \"10s\"");
        }
    }
}

/// Who comes in a phase.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrivals {
    /// Nobody new.
    #[default]
    Nobody,
    /// So many, a few at a time: the next comes when one of those few is settled or gone. A closed
    /// loop: who is slow makes the others wait.
    AtOnce(AtOnce),
    /// So many are kept there: who goes is followed by another. A closed loop.
    Keep(Keep),
    /// So many, evenly over the phase. An open loop: each has a time to come and is measured from it.
    Evenly(Evenly),
    /// So many in a second, at random distances (a Poisson process). An open loop.
    Rate(Rate),
}

settings! {
    /// A closed loop of arrivals.
    pub(crate) struct AtOnce {
        /// How many come.
        users: u32 = 1,
        /// How many of them are on their way at a time.
        limit: u32 = 32,
    }
    check |plan, problems| {
        problems.at_least("users", plan.users, 1);
        problems.at_least("limit", plan.limit, 1);
    }
}

settings! {
    /// A constant crowd.
    pub(crate) struct Keep {
        /// How many are there.
        users: u32 = 1,
    }
    check |plan, problems| {
        problems.at_least("users", plan.users, 1);
    }
}

settings! {
    /// An open loop of so many.
    pub(crate) struct Evenly {
        /// How many come.
        users: u32 = 1,
    }
    check |plan, problems| {
        problems.at_least("users", plan.users, 1);
    }
}

settings! {
    /// An open loop at a rate.
    pub(crate) struct Rate {
        /// Users in a second, when the phase begins.
        per_second: f64 = 1.0,
        /// And when it ends, if that is another: a ramp.
        up_to: Option<f64>,
    }
    check |rate, problems| {
        let fits = |rate: f64| (0.0..=FASTEST).contains(&rate);
        if !fits(rate.per_second) {
            problems.error("per_second", format!("{} is no rate", rate.per_second),
                format!("write a number from 0 to {FASTEST}"));
        }
        if rate.up_to.is_some_and(|rate| !fits(rate)) {
            problems.error("up_to", "this is no rate", format!("write a number from 0 to {FASTEST}"));
        }
        if rate.per_second == 0.0 && rate.up_to.unwrap_or(0.0) == 0.0 {
            problems.error("", "nobody ever comes at this rate", "write per_second: …, or come: nobody");
        }
    }
}

impl Setting for Arrivals {
    fn expects() -> String {
        "nobody, at_once(users: …), keep(users: …), evenly(users: …) or rate(per_second: …)".into()
    }
    fn shape(&self) -> config::Shape {
        config::Shape::Value {
            text: "nobody".into(),
            expects: Self::expects(),
        }
    }
    fn check(&self, problems: &mut Problems) {
        match self {
            Arrivals::Nobody => {}
            Arrivals::AtOnce(plan) => plan.check(problems),
            Arrivals::Keep(plan) => plan.check(problems),
            Arrivals::Evenly(plan) => plan.check(problems),
            Arrivals::Rate(plan) => plan.check(problems),
        }
    }
}
