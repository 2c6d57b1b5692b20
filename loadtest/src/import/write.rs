//! How the scenario is written.

use std::fmt::Write;
use std::time::Duration;

use super::load::Load;
use super::sessions::{Line, Session};

/// The text of a scenario.
pub(super) fn scenario(name: &str, load: &Load, sessions: &[Session]) -> String {
    let mut out = String::new();
    // A buffer that grows takes all that is written to it.
    let _ = write(&mut out, name, load, sessions);
    out
}

fn write(
    out: &mut String,
    name: &str,
    load: &Load,
    sessions: &[Session],
) -> Result<(), std::fmt::Error> {
    // A name with a line break in it must not end the comment.
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    writeln!(out, "// Made of the Tsung scenario {name}.")?;
    writeln!(out, "(\n    about: {},", quoted(&format!("made of {name}")))?;
    writeln!(
        out,
        "    parameters: {{ \"domain\": {}, \"accounts\": {} }},",
        quoted(&load.domain),
        load.accounts
    )?;
    writeln!(out, "    targets: [")?;
    for server in &load.servers {
        writeln!(
            out,
            "        (address: {}, domain: \"$domain\", tls: {}, weight: {}),",
            quoted(&server.address),
            quoted(server.tls),
            server.weight
        )?;
    }
    writeln!(out, "    ],")?;
    writeln!(
        out,
        "    // Tsung counts from 1 and puts the number behind passwords, too."
    )?;
    writeln!(
        out,
        "    users: (pattern: {}, password: {}, first: 1, count: \"$accounts\"),\n",
        quoted(&load.user),
        quoted(&load.password)
    )?;
    writeln!(out, "    phases: [")?;
    for phase in &load.phases {
        writeln!(
            out,
            "        (name: {}, lasts: {}, come: rate(per_second: {}), measured: true),",
            quoted(&phase.name),
            span(phase.lasts),
            phase.per_second
        )?;
    }
    writeln!(
        out,
        "        // For those who are still there.\n        \
         (name: \"rest\", lasts: {}, until_settled: true, measured: true),\n    ],",
        span(load.rest)
    )?;
    writeln!(out, "    sessions: [")?;
    for session in sessions {
        writeln!(
            out,
            "        (name: {}, weight: {}, steps: [",
            quoted(&session.name),
            session.weight
        )?;
        let mut depth = 3;
        for line in &session.steps {
            depth -= usize::from(*line == Line::Close);
            let indent = "    ".repeat(depth);
            match line {
                Line::Step(step) => writeln!(out, "{indent}{step},")?,
                Line::Open(open) => writeln!(out, "{indent}{open}, steps: [")?,
                Line::Close => writeln!(out, "{indent}]),")?,
                Line::Comment(what) => writeln!(out, "{indent}// missing: {what}")?,
            }
            depth += usize::from(matches!(line, Line::Open(_)));
        }
        writeln!(out, "        ]),")?;
    }
    writeln!(out, "    ],\n)")
}

/// A string of RON whose dollars are no parameters.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '$' => out.push_str("$$"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// A length of time, to the millisecond; one of no length is the shortest.
pub(super) fn span(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    quoted(&config::Span::millis(millis).to_string())
}
