//! Where it was measured.

use std::fs;

use serde::Serialize;

/// The machine of a run; what it does not tell is empty or zero.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// What its processors are called.
    pub(super) processor: String,
    /// How many of them we may use.
    pub(super) processors: usize,
    /// Its memory, in bytes.
    pub(super) memory: u64,
    /// The system's name and version.
    pub(super) system: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kib: u64 = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|value| value.strip_suffix(" kB")?.trim().parse().ok())
            .unwrap_or_default();
        Machine {
            processor: field(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_default()
                .to_owned(),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory: kib * 1024,
            system: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        }
    }
}

impl Machine {
    /// All of it in a line.
    pub(crate) fn in_words(&self) -> String {
        let processor = match self.processor.as_str() {
            "" => "processors",
            known => known,
        };
        format!(
            "{} × {processor}, {:.1} GiB, {}",
            self.processors,
            self.memory as f64 / f64::from(1 << 30),
            self.system
        )
    }
}

/// The value of the first line with this name.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = values.filter(|(known, _)| known.trim() == name);
    values.next().map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model\t\t: 6\nmodel name\t: A: B\nMemTotal:  12 kB\n";
        assert_eq!(field(text, "model name"), Some("A: B"));
        assert_eq!(field(text, "MemTotal"), Some("12 kB"));
        assert_eq!(field(text, "mem"), None);
        assert!(Machine::here().processors > 0);
    }
}
