//! Where a value stands in the configuration: `listeners[1].port`.

use std::fmt;

/// One step down from the top of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into the value of a key.
    Key(String),
    /// Into an item of a list, counted from 0.
    Item(usize),
}

/// The way from the top of the file to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// This path, one key further down.
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    /// This path, one item further down.
    pub fn item(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Item(index));
        Self(steps)
    }

    /// Reads a path as it is displayed. Only for paths written in our own checks.
    pub(crate) fn join(&self, relative: &str) -> Self {
        let mut steps = self.0.clone();
        for part in relative.split('.').filter(|part| !part.is_empty()) {
            let (name, items) = part.split_once('[').unwrap_or((part, ""));
            if !name.is_empty() {
                steps.push(Step::Key(name.to_owned()));
            }
            for item in items.split('[') {
                if let Ok(index) = item.trim_end_matches(']').parse() {
                    steps.push(Step::Item(index));
                }
            }
        }
        Self(steps)
    }

    /// The path of what contains this value; the top contains itself.
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_an_operator_would_write_it() {
        let path = Path::default().key("listeners").item(1).key("port");
        assert_eq!(path.to_string(), "listeners[1].port");
        assert_eq!(Path::default().join("listeners[1].port"), path);
        assert_eq!(path.parent().to_string(), "listeners[1]");
    }
}
