//! Lengths of time as an operator writes them: `"60s"`, `"5m"`, `"1h30m"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::{Setting, Shape, setting::quote};

/// A length of time, written as `"250ms"`, `"60s"`, `"5m"`, `"2h"`, `"7d"` or `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Span {
    /// So many milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    /// As the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut millis = 0u64;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("a length of time is empty".into());
        }
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let (number, behind) = rest.split_at(digits);
            let letters = behind
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(behind.len());
            let (unit, behind) = behind.split_at(letters);
            let unit = unit.trim();
            if number.is_empty() {
                return Err(format!("\"{text}\" is not a length of time"));
            }
            if unit.is_empty() {
                return Err(format!("\"{text}\" has no unit"));
            }
            let Some((_, factor)) = UNITS.iter().find(|(known, _)| *known == unit) else {
                return Err(format!("\"{unit}\" is not a unit of time"));
            };
            let part = number
                .parse::<u64>()
                .ok()
                .and_then(|number| number.checked_mul(*factor));
            millis = part
                .and_then(|part| millis.checked_add(part))
                .ok_or_else(|| format!("\"{text}\" is too long"))?;
            rest = behind.trim_start();
        }
        Ok(Self::millis(millis))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        for (unit, factor) in UNITS {
            let whole = millis / factor;
            // "90s" reads as what was meant more often than "1m30s".
            let last = millis.is_multiple_of(factor) || unit == "ms";
            if whole > 0 && last {
                return write!(f, "{whole}{unit}");
            }
            if whole > 0 && unit != "m" && unit != "s" {
                write!(f, "{whole}{unit}")?;
                millis %= factor;
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsSpan;
        impl Visitor<'_> for AsSpan {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(AsSpan)
    }
}

impl Setting for Span {
    fn expects() -> String {
        "a length of time in double quotes, such as \"500ms\", \"60s\", \"5m\", \"2h\" or \"7d\""
            .into()
    }
    fn shape(&self) -> Shape {
        Shape::Value {
            text: quote(&self.to_string()),
            expects: Self::expects(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "0s", "1ms", "1500ms", "90s", "4m", "90m", "2h", "1h30s", "1d", "1d2h", "7d",
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string().parse::<Span>(), Ok(span), "{text}");
        }
        assert_eq!(Span::seconds(90).to_string(), "90s");
        assert_eq!(Span::minutes(5).to_string(), "5m");
        assert_eq!(Span::hours(24).to_string(), "1d");
        assert_eq!("1h 30m".parse(), Ok(Span::minutes(90)));
    }

    #[test]
    fn says_what_it_does_not_understand() {
        assert_eq!("60".parse::<Span>(), Err("\"60\" has no unit".into()));
        assert_eq!(
            "60 parsecs".parse::<Span>(),
            Err("\"parsecs\" is not a unit of time".into())
        );
        assert_eq!(
            "-5s".parse::<Span>(),
            Err("\"-5s\" is not a length of time".into())
        );
        assert_eq!("".parse::<Span>(), Err("a length of time is empty".into()));
        assert_eq!(
            "99999999999999999d".parse::<Span>(),
            Err("\"99999999999999999d\" is too long".into())
        );
    }
}
