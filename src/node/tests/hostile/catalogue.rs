//! Reads `ci/hostile/`: plays under names, each with a comment that says where the answer is defined.
//!
//! Some lines stand for several:
//!
//! | line | stands for |
//! |---|---|
//! | `Mallory opens a stream` | direct TLS, both headers, the features |
//! | `Mallory opens a stream in the clear` | the same on the STARTTLS port, before TLS |
//! | `Mallory authenticates` | all up to the features after login, as `mallory@localhost` |
//! | `Mallory is turned away with X` | our header, then as below |
//! | `Mallory is sent off with X` | the stream error X, the end of stream and connection |
//! | `Mallory is refused with X` | the SASL failure X |
//! | `Mallory gets the error X` | the stanza error X as an answer to an iq |

use std::fs;
use std::path::Path;

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";

/// A hostile input.
pub(crate) struct Input {
    group: String,
    name: String,
    /// The play, comments included.
    text: String,
}

impl Input {
    /// Group and name.
    pub(crate) fn title(&self) -> String {
        format!("{}: {}", self.group, self.name)
    }

    /// Whether it says who defines the answer, before it begins.
    pub(crate) fn is_defined(&self) -> bool {
        let mut comments = self.text.lines().take_while(|line| line.starts_with("# "));
        comments.any(|line| {
            ["RFC ", "XEP-", "XML 1.0", "Ours"]
                .iter()
                .any(|by| line.contains(by))
        })
    }

    /// The play with all that its short lines stand for.
    pub(crate) fn play(&self) -> String {
        self.text.lines().map(expand).collect()
    }
}

/// All inputs, in the order of the files' names.
pub(crate) fn read() -> Vec<Input> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/hostile");
    let entries = fs::read_dir(folder).expect("the catalogue");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "play"));
    files.sort();
    let mut inputs = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a text");
        let group = file.file_stem().unwrap_or_default().to_string_lossy();
        // What stands before the first name is about the file.
        for play in text.split("\n## ").skip(1) {
            let (name, text) = play.split_once('\n').unwrap_or((play, ""));
            inputs.push(Input {
                group: group.to_string(),
                name: name.to_owned(),
                text: text.to_owned(),
            });
        }
    }
    inputs
}

fn expand(line: &str) -> String {
    let said = |who: &str, words: &str| {
        line.strip_suffix(words)
            .filter(|rest| *rest == who)
            .is_some()
    };
    let who = line.split_whitespace().next().unwrap_or_default();
    let opened = format!(
        "{who}: {HEADER}\n{who} gets: <stream:stream *>\n{who} gets: <stream:features><**/></stream:features>\n"
    );
    if said(who, " opens a stream") {
        return format!("{who} connects with TLS\n{opened}");
    }
    if said(who, " opens a stream in the clear") {
        return format!("{who} connects\n{opened}");
    }
    if said(who, " authenticates") {
        return format!(
            "{who} connects with TLS\n{opened}{who} tries PLAIN: \\0mallory\\0wherefore art thou\n\
             {who} gets: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>\n{opened}"
        );
    }
    let condition = |words: &str| {
        line.strip_prefix(who)
            .and_then(|rest| rest.strip_prefix(words))
    };
    if let Some(error) = condition(" is turned away with ") {
        return format!("{who} gets: <stream:stream *>\n{}", sent_off(who, error));
    }
    if let Some(error) = condition(" is sent off with ") {
        return sent_off(who, error);
    }
    if let Some(failure) = condition(" is refused with ") {
        return format!(
            "{who} gets: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{failure}/></failure>\n"
        );
    }
    if let Some(error) = condition(" gets the error ") {
        return format!(
            "{who} gets: <iq type='error' *><**/><error *><{error} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>\n"
        );
    }
    format!("{line}\n")
}

fn sent_off(who: &str, error: &str) -> String {
    format!(
        "{who} gets: <stream:error><{error} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><**/></stream:error>\n\
         {who} gets: </stream:stream>\n{who} gets the end\n"
    )
}
