//! Measuring: what users of a run note down, second by second and phase by phase.
//!
//! Whoever plays writes into a [`Recorder`], one for each process: it costs a few nanoseconds and takes
//! no memory of its own. Once a second, and wherever a phase begins or ends, what came in since then is
//! closed off as an [`Interval`] ([`pulse`] does so, and looks at the processes at the same time). At the
//! end all of it is a [`Recorded`], and those of several workers are merged into one, their histograms
//! exactly.

mod counter;
mod interval;
mod pulse;
mod recorded;
mod recorder;
mod times;

pub(crate) use counter::{Counter, Counters};
pub(crate) use interval::{Interval, Passage};
pub(crate) use pulse::{Pulse, Sample};
pub(crate) use recorded::{Phase, Recorded, Total};
pub(crate) use recorder::{Recorder, Since};
pub(crate) use times::Times;
