//! What a configuration looks like: its keys with their defaults and their comments, as data.
//! `full.ron` is drawn from it, and errors look here for what may stand in a place.

use crate::{Path, Step};

/// What stands in one place of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A single value.
    Value {
        /// The value as RON.
        text: String,
        /// What may stand here, as the end of the sentence "write …".
        expects: String,
    },
    /// Keys in parentheses.
    Section(Section),
    /// A list.
    List {
        /// What one item looks like with its own defaults.
        blank: Box<Shape>,
        /// The items that are there.
        items: Vec<Shape>,
    },
    /// Names chosen by the operator, each with a value.
    Map {
        /// What one value looks like.
        blank: Box<Shape>,
        /// The entries that are there, names as RON strings without quotes.
        entries: Vec<(String, Shape)>,
    },
}

/// The keys of a section in the order of their declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The lines of the section's doc comment.
    pub doc: Vec<String>,
    /// Its keys.
    pub keys: Vec<Key>,
    /// What may be written in place of the parentheses, such as `off`.
    pub instead: Option<&'static str>,
    /// Whether that is what stands there.
    pub away: bool,
}

/// One key of a section.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As it is written in the file.
    pub name: &'static str,
    /// The lines of the key's doc comment.
    pub doc: Vec<String>,
    /// What stands behind it by default.
    pub shape: Shape,
}

impl Shape {
    /// What may stand at `path` below this place. `None`: the path leads nowhere.
    pub fn find(&self, path: &Path) -> Option<&Shape> {
        path.0
            .iter()
            .try_fold(self, |shape, step| match (shape, step) {
                (Shape::Section(section), Step::Key(key)) => section
                    .keys
                    .iter()
                    .find(|known| known.name == key)
                    .map(|known| &known.shape),
                (Shape::List { blank, .. }, Step::Item(_))
                | (Shape::Map { blank, .. }, Step::Key(_)) => Some(&**blank),
                _ => None,
            })
    }

    /// This shape, if it is a section with something that may be written in its place.
    pub(crate) fn or(self, instead: &'static str) -> Shape {
        match self {
            Shape::Section(section) => Shape::Section(Section {
                instead: Some(instead),
                ..section
            }),
            other => other,
        }
    }

    /// The same, with what may be written in place of a section standing there.
    pub(crate) fn away(self) -> Shape {
        match self {
            Shape::Section(section) => Shape::Section(Section {
                away: section.instead.is_some(),
                ..section
            }),
            other => other,
        }
    }

    /// Every section below this place that knows a key of this name, by its path.
    pub(crate) fn sections_with(&self, key: &str) -> Vec<Path> {
        let mut found = Vec::new();
        self.visit(&Path::default(), &mut |path, section| {
            if section.keys.iter().any(|known| known.name == key) {
                found.push(path.clone());
            }
        });
        found
    }

    fn visit(&self, path: &Path, see: &mut dyn FnMut(&Path, &Section)) {
        match self {
            Shape::Value { .. } => {}
            Shape::Section(section) => {
                see(path, section);
                for key in &section.keys {
                    key.shape.visit(&path.key(key.name), see);
                }
            }
            Shape::List { blank, .. } | Shape::Map { blank, .. } => blank.visit(path, see),
        }
    }
}
