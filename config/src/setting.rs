//! What can stand behind a key.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, Visitor};

use crate::{Problems, Shape};

/// A type whose values can stand behind a key of the configuration.
pub trait Setting: DeserializeOwned {
    /// What may be written, as the end of the sentence "write …".
    fn expects() -> String;

    /// This value, drawn.
    fn shape(&self) -> Shape;

    /// What the type looks like when nothing is known of the value.
    fn blank() -> Shape {
        Shape::Value {
            text: String::new(),
            expects: Self::expects(),
        }
    }

    /// Says what is wrong with a value that was read well.
    fn check(&self, problems: &mut Problems) {
        let _ = problems;
    }
}

/// A section: keys in parentheses, all of which have defaults. Made by [`settings!`](crate::settings).
pub trait Settings: Setting + Default {}

/// A bare word: the name of a key or of a choice.
#[doc(hidden)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsWord;
        impl Visitor<'_> for AsWord {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<Word, E> {
                Ok(Word(word.to_owned()))
            }
        }
        deserializer.deserialize_identifier(AsWord)
    }
}

/// A string as RON.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

macro_rules! plain {
    ($($ty:ty: $expects:expr, |$value:ident| $text:expr;)*) => {$(
        impl Setting for $ty {
            fn expects() -> String {
                $expects.into()
            }
            fn shape(&self) -> Shape {
                let $value = self;
                Shape::Value { text: $text, expects: Self::expects() }
            }
        }
    )*};
}

plain! {
    bool: "true or false", |value| value.to_string();
    u8: format!("a whole number from 0 to {}", u8::MAX), |value| value.to_string();
    u16: format!("a whole number from 0 to {}", u16::MAX), |value| value.to_string();
    u32: format!("a whole number from 0 to {}", u32::MAX), |value| value.to_string();
    u64: "a whole number", |value| value.to_string();
    usize: "a whole number", |value| value.to_string();
    f64: "a number", |value| value.to_string();
    String: "a string in double quotes", |value| quote(value);
    PathBuf: "the path of a file, in double quotes", |value| quote(&value.to_string_lossy());
    SocketAddr: "an IP address and a port in double quotes, such as \"127.0.0.1:25269\" or \"[::1]:25269\"", |value| quote(&value.to_string());
    IpAddr: "an IP address in double quotes, such as \"127.0.0.1\" or \"::1\"", |value| quote(&value.to_string());
}

impl<T: Setting> Setting for Option<T> {
    fn expects() -> String {
        format!("{}, or None", T::expects())
    }
    fn shape(&self) -> Shape {
        match self {
            Some(value) => value.shape().or("None"),
            None => Self::blank().away(),
        }
    }
    fn blank() -> Shape {
        match T::blank() {
            // What its keys are is shown all the same.
            section @ Shape::Section(_) => section.or("None"),
            _ => Shape::Value {
                text: "None".into(),
                expects: Self::expects(),
            },
        }
    }
    fn check(&self, problems: &mut Problems) {
        if let Some(value) = self {
            value.check(problems);
        }
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn expects() -> String {
        format!("a list in square brackets: [{}, …]", T::expects())
    }
    fn shape(&self) -> Shape {
        Shape::List {
            blank: Box::new(T::blank()),
            items: self.iter().map(T::shape).collect(),
        }
    }
    fn blank() -> Shape {
        Vec::<T>::new().shape()
    }
    fn check(&self, problems: &mut Problems) {
        for (index, value) in self.iter().enumerate() {
            problems.within_item(index, |problems| value.check(problems));
        }
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn expects() -> String {
        format!("entries in braces: {{ \"name\": {}, … }}", T::expects())
    }
    fn shape(&self) -> Shape {
        Shape::Map {
            blank: Box::new(T::blank()),
            entries: self
                .iter()
                .map(|(name, value)| (name.clone(), value.shape()))
                .collect(),
        }
    }
    fn blank() -> Shape {
        BTreeMap::<String, T>::new().shape()
    }
    fn check(&self, problems: &mut Problems) {
        for (name, value) in self {
            problems.within(name, |problems| value.check(problems));
        }
    }
}
