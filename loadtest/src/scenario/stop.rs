//! When to give up.

use config::{Span, settings};

settings! {
    /// When a run is over before its last phase has ended. It is looked each second.
    pub(crate) struct Stop {
        /// So many of a hundred transactions of the last ten seconds went wrong (of twenty at least).
        errors_percent: Option<f64>,
        /// A transaction takes too long.
        slow: Vec<Slow>,
    }
    check |stop, problems| {
        if stop.errors_percent.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
            problems.error("errors_percent", "this is no share of a hundred", "write a number above 0, up to 100");
        }
    }
}

settings! {
    /// What takes too long.
    pub(crate) struct Slow {
        /// The transaction.
        transaction: String,
        /// So many of a hundred of the last ten seconds are looked at, the fastest first.
        percent: f64 = 99.0,
        /// None of them may take longer than this.
        above: Span = Span::seconds(5),
    }
    check |slow, problems| {
        if !(slow.percent > 0.0 && slow.percent <= 100.0) {
            problems.error("percent", "this is no share of a hundred", "write a number above 0, up to 100");
        }
        if slow.above.is_zero() {
            problems.error("above", "everything takes longer than no time", "write a length of time, as in \"2s\"");
        }
    }
}
