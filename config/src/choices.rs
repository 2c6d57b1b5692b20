//! Keys whose value is one of a few words.

use std::fmt;

use serde::de::{Deserializer, EnumAccess, Error, VariantAccess, Visitor};

use crate::setting::Word;

/// Declares the words that may stand behind a key: bare ones (`Direct = direct`) or, where the
/// word is not an identifier, quoted ones (`ScramSha1 = "SCRAM-SHA-1"`).
///
/// Makes the enum, `Deserialize`, [`Setting`](crate::Setting), `ALL` and `as_str`.
#[macro_export]
macro_rules! choices {
    ($(#[doc = $doc:literal])* $vis:vis enum $name:ident {
        $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:ident ),* $(,)?
    }) => {
        $crate::choices!(@enum word, |word: &str| ::std::string::String::from(word),
            $(#[doc = $doc])* $vis enum $name { $( $(#[doc = $variant_doc])* $variant = ::core::stringify!($word) ),* });
    };
    ($(#[doc = $doc:literal])* $vis:vis enum $name:ident {
        $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:literal ),* $(,)?
    }) => {
        $crate::choices!(@enum quoted, |word: &str| ::std::format!("\"{word}\""),
            $(#[doc = $doc])* $vis enum $name { $( $(#[doc = $variant_doc])* $variant = $word ),* });
    };
    (@enum $read:ident, $write:expr, $(#[doc = $doc:literal])* $vis:vis enum $name:ident {
        $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:expr ),*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name { $( $(#[doc = $variant_doc])* $variant, )* }

        impl $name {
            /// Every choice, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// The word that stands for it in the file.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> $crate::macro_support::Deserialize<'de> for $name {
            fn deserialize<D: $crate::macro_support::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                const WORDS: &[&str] = &[$( $word ),*];
                let position = $crate::macro_support::$read(deserializer, ::core::stringify!($name), WORDS)?;
                Ok(Self::ALL[position])
            }
        }

        impl $crate::Setting for $name {
            fn expects() -> ::std::string::String {
                let words: ::std::vec::Vec<_> = Self::ALL.iter().map(|choice| $write(choice.as_str())).collect();
                match words.split_last() {
                    Some((last, rest)) if !rest.is_empty() => ::std::format!("{} or {last}", rest.join(", ")),
                    _ => words.concat(),
                }
            }
            fn shape(&self) -> $crate::Shape {
                $crate::Shape::Value { text: $write(self.as_str()), expects: Self::expects() }
            }
        }
    };
}

/// Reads one of `words`, written bare. Its position.
#[doc(hidden)]
pub fn word<'de, D: Deserializer<'de>>(
    deserializer: D,
    name: &'static str,
    words: &'static [&'static str],
) -> Result<usize, D::Error> {
    struct OneOf(&'static [&'static str]);
    impl<'de> Visitor<'de> for OneOf {
        type Value = usize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "one of the words {}", self.0.join(", "))
        }
        fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<usize, A::Error> {
            let (Word(word), rest) = data.variant()?;
            let position = self.0.iter().position(|known| *known == word);
            let position = position.ok_or_else(|| Error::unknown_variant(&word, self.0))?;
            rest.unit_variant()?;
            Ok(position)
        }
    }
    deserializer.deserialize_enum(name, words, OneOf(words))
}

/// Reads one of `words`, written in double quotes. Its position.
#[doc(hidden)]
pub fn quoted<'de, D: Deserializer<'de>>(
    deserializer: D,
    _name: &'static str,
    words: &'static [&'static str],
) -> Result<usize, D::Error> {
    struct OneOf(&'static [&'static str]);
    impl Visitor<'_> for OneOf {
        type Value = usize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "one of \"{}\"", self.0.join("\", \""))
        }
        fn visit_str<E: Error>(self, word: &str) -> Result<usize, E> {
            let position = self.0.iter().position(|known| *known == word);
            position.ok_or_else(|| Error::unknown_variant(word, self.0))
        }
    }
    deserializer.deserialize_str(OneOf(words))
}
