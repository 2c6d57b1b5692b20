//! How the node does, for those who watch over it: no GraphQL, but what monitoring asks for.

use std::borrow::Cow;

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// Only grows, as long as the node runs.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// The value of one figure.
#[derive(Clone, Debug, PartialEq)]
pub enum FigureValue {
    /// A whole number.
    Count(u64),
    /// Any number.
    Number(f64),
    /// Of a histogram: how many there are up to each bound that are in no bucket before; what is
    /// above the last bound; the sum of all.
    Histogram(Vec<(f64, u64)>, u64, f64),
}

/// One figure of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What tells it from the others of its family.
    pub labels: Vec<(&'static str, Cow<'static, str>)>,
    /// What it is now.
    pub value: FigureValue,
}

/// Figures of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name, in snake case with its unit at the end; counters without `_total`.
    pub name: &'static str,
    /// What it is, in a sentence without its full stop.
    pub help: &'static str,
    /// What sort of figure.
    pub kind: FigureKind,
    /// The figures.
    pub samples: Vec<Sample>,
}

impl Family {
    /// A family that is one figure.
    #[must_use]
    pub fn one(
        name: &'static str,
        help: &'static str,
        kind: FigureKind,
        value: FigureValue,
    ) -> Self {
        Self::of(name, help, kind, [(Vec::new(), value)])
    }

    /// A family of figures, each with its labels.
    #[must_use]
    pub fn of(
        name: &'static str,
        help: &'static str,
        kind: FigureKind,
        samples: impl IntoIterator<Item = (Vec<(&'static str, Cow<'static, str>)>, FigureValue)>,
    ) -> Self {
        let samples = samples
            .into_iter()
            .map(|(labels, value)| Sample { labels, value });
        Self {
            name,
            help,
            kind,
            samples: samples.collect(),
        }
    }
}

/// How the node does. Both are asked often and must be cheap.
pub trait Health: Send + Sync {
    /// Whether the node can serve: nothing, or what is missing, each in a sentence without its
    /// full stop. Strangers may read it.
    fn missing(&self) -> Vec<String>;

    /// All figures. There is nobody's address among them.
    fn figures(&self) -> Vec<Family>;
}
