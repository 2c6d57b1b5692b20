//! Whose accounts are used.

use std::path::{Path, PathBuf};

use config::{choices, settings};

/// As many as one machine's ports and memory bear.
const MOST: u32 = 1_000_000;

settings! {
    /// The accounts: a pattern with numbers in it, or a file.
    pub(crate) struct Users {
        /// Their localparts; `%d` is a number.
        pattern: String = "u%d".into(),
        /// Their passwords; `%d` is the number.
        password: String = "pw".into(),
        /// The number of the first.
        first: u32 = 0,
        /// How many there are.
        count: u32 = 1,
        /// A CSV file in place of all this, with the columns `jid` and `password`, as `mungoctl account
        /// import` takes it; the domain is that of the target. A relative path starts at the folder of
        /// the scenario.
        csv: Option<PathBuf>,
        /// Who is whose contact.
        contacts: Contacts,
    }
    check |users, problems| {
        if users.csv.is_none() {
            if !(1..=MOST).contains(&users.count) {
                problems.error("count", format!("{} users are none that we can be", users.count),
                    format!("write a number from 1 to {MOST}"));
            }
            if !is_pattern(&users.pattern) {
                problems.error("pattern", format!("\"{}\" is no pattern", users.pattern),
                    "write a localpart of ASCII letters, digits, `.`, `_` and `-` with one %d in it, as in \"u%d\"");
            }
        }
        // Other passwords need SASLprep, which is the server's business to get right and not ours.
        if users.password.is_empty() || !users.password.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            problems.error("password", "this is no password of ASCII characters", "write one");
        }
    }
}

settings! {
    /// Who is whose contact, of users that stand in a row.
    pub(crate) struct Contacts {
        /// How they know each other.
        shape: Shape = Shape::Nobody,
        /// Ring: contacts on either side. Group: members.
        size: u32 = 10,
    }
    check |contacts, problems| {
        let (least, most) = match contacts.shape {
            Shape::Nobody => (0, u32::MAX),
            Shape::Ring => (1, 500),
            Shape::Group => (2, 100),
        };
        if !(least..=most).contains(&contacts.size) {
            problems.error("size", format!("a {} can't have the size {}", contacts.shape, contacts.size),
                format!("write a number from {least} to {most}"));
        }
    }
}

choices! {
    /// How users know each other.
    pub(crate) enum Shape {
        /// They do not.
        Nobody = "nobody",
        /// They stand in a ring, and each knows so many on either side.
        Ring = "ring",
        /// They are in groups of so many, in which everybody knows everybody.
        Group = "group",
    }
}

impl Users {
    /// Makes relative paths start at this folder.
    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Some(csv) = &mut self.csv {
            *csv = folder.join(&*csv);
        }
    }
}

fn is_pattern(text: &str) -> bool {
    text.matches("%d").count() == 1
        && text
            .replace("%d", "")
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
