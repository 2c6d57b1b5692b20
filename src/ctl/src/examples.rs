//! Examples for `--help`: the one thing about a command that its schema can't tell.
//!
//! A test parses every one of them, so that they stay true.

/// By command as it is typed: lines of arguments and what they do.
pub(crate) const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "account register",
        &[
            ("alice@localhost", "asks for the password"),
            (
                "alice@localhost --password-stdin < secret.txt",
                "takes the first line of a file",
            ),
        ],
    ),
    ("account unregister", &[("alice@localhost", "")]),
    (
        "account change-password",
        &[("alice@localhost", "asks for the new password")],
    ),
    (
        "account check-password",
        &[(
            "alice@localhost --password-stdin < secret.txt",
            "exit code 0 if it is right, 1 if not",
        )],
    ),
    (
        "account list",
        &[
            ("", "all accounts"),
            (
                "--domain example.org --limit 20",
                "the first 20 of a domain",
            ),
            ("--json", "for programs"),
        ],
    ),
    (
        "account import",
        &[
            ("accounts.csv", "goes on after lines that fail"),
            ("accounts.csv --stop-on-error", "stops at the first"),
            ("accounts.csv --skip-existing", "a second time"),
        ],
    ),
    (
        "session list",
        &[
            ("", "all sessions"),
            ("--of alice@localhost", "those of one account"),
        ],
    ),
    (
        "session kick",
        &[
            ("alice@localhost/desk", "one session"),
            (
                "alice@localhost --reason maintenance",
                "all sessions of an account",
            ),
        ],
    ),
    (
        "announce online",
        &[
            ("maintenance-at-noon", "to everybody"),
            (
                "maintenance-at-noon --domain example.org",
                "to those of a domain",
            ),
        ],
    ),
    (
        "announce set-motd",
        &[
            (
                "be-merry --subject today",
                "now, and to those who come online later",
            ),
            ("be-merry --later", "to those who come online alone"),
        ],
    ),
    ("announce motd", &[("", "of all domains")]),
    (
        "announce delete-motd",
        &[("", ""), ("--domain example.org", "that of a domain")],
    ),
    ("cluster status", &[("", ""), ("--json", "for programs")]),
    ("cluster nodes", &[("", "who is there")]),
    ("cluster links", &[("", "round trips, what waits")]),
    (
        "cluster forget",
        &[("node-c", "one that does not come back")],
    ),
    (
        "actor tree",
        &[
            ("", "the whole tree"),
            ("--path node/sessions --limit 100", "a part of it"),
        ],
    ),
    ("actor show", &[("node/pools/db", "")]),
    ("actor kill", &[("node/pools/db", "")]),
    (
        "tls reload",
        &[("", "after the certificate files have changed")],
    ),
    ("status", &[("", ""), ("--json", "for programs")]),
];

/// The help text with the examples of a command; empty when it has none.
pub(crate) fn of(command: &str) -> String {
    let Some((_, lines)) = EXAMPLES.iter().find(|(name, _)| *name == command) else {
        return String::new();
    };
    let calls = |arguments: &str| {
        format!("mungoctl {command} {arguments}")
            .trim_end()
            .to_owned()
    };
    let calls: Vec<(String, &str)> = lines.iter().map(|(a, what)| (calls(a), *what)).collect();
    let width = calls.iter().map(|(call, _)| call.len()).max().unwrap_or(0);
    let mut out = String::from("Examples:");
    for (call, what) in calls {
        match what {
            "" => out.push_str(&format!("\n  {call}")),
            what => out.push_str(&format!("\n  {call:<width$}  # {what}")),
        }
    }
    out
}
