//! Amounts of memory as an operator writes them: `"64KiB"`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::{Setting, Shape, setting::quote};

/// An amount of bytes, written as `"512B"`, `"64KiB"`, `"1MiB"` or `"2GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(usize);

const UNITS: [(&str, usize); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl Size {
    /// So many bytes.
    pub const fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// So many times 1 024 bytes.
    pub const fn kib(kib: usize) -> Self {
        Self(kib << 10)
    }

    /// So many times 1 024 KiB.
    pub const fn mib(mib: usize) -> Self {
        Self(mib << 20)
    }

    /// In bytes.
    pub const fn bytes(self) -> usize {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim_start();
        if number.is_empty() {
            return Err(format!("\"{text}\" is not a size"));
        }
        if unit.is_empty() {
            return Err(format!("\"{text}\" has no unit"));
        }
        let Some((_, factor)) = UNITS.iter().find(|(known, _)| *known == unit) else {
            return Err(format!("\"{unit}\" is not a unit of size"));
        };
        let bytes = number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_mul(*factor));
        bytes
            .map(Self)
            .ok_or_else(|| format!("\"{text}\" is too much"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = UNITS
            .iter()
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        let (unit, factor) = fits.unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsSize;
        impl Visitor<'_> for AsSize {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(AsSize)
    }
}

impl Setting for Size {
    fn expects() -> String {
        "a size in double quotes, such as \"512B\", \"64KiB\", \"1MiB\" or \"2GiB\"".into()
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
        for (size, text) in [
            (Size::of(0), "0B"),
            (Size::of(10_000), "10000B"),
            (Size::kib(64), "64KiB"),
            (Size::kib(1024), "1MiB"),
            (Size::mib(2048), "2GiB"),
        ] {
            assert_eq!(size.to_string(), text);
            assert_eq!(text.parse(), Ok(size));
        }
        assert_eq!("64 KiB".parse(), Ok(Size::kib(64)));
    }

    #[test]
    fn says_what_it_does_not_understand() {
        assert_eq!("64".parse::<Size>(), Err("\"64\" has no unit".into()));
        assert_eq!(
            "64KB".parse::<Size>(),
            Err("\"KB\" is not a unit of size".into())
        );
        assert_eq!("big".parse::<Size>(), Err("\"big\" is not a size".into()));
        assert_eq!(
            "99999999999999999999GiB".parse::<Size>(),
            Err("\"99999999999999999999GiB\" is too much".into())
        );
    }
}
