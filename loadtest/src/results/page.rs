//! `report.html`: a page that needs nothing from outside. It is XHTML, so that whatever checks XML can
//! check it.

use super::chart::{Unit, text};
use super::phases::TransactionResult;
use super::{Results, plots, stamp};
use crate::measure::Since;
use crate::report::digits;
use crate::text::put;

/// Makes it.
pub(super) fn html(results: &Results) -> String {
    let mut page = String::new();
    let title = text(&results.about.name);
    put(
        &mut page,
        format_args!(
            "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n\
         <meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title} – load test</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
            include_str!("style.css")
        ),
    );
    head(results, &mut page);
    tiles(results, &mut page);
    page.push_str("<h2>Over time</h2>\n");
    plots::over_time(results, &mut page);
    plots::shares(results, &mut page);
    page.push_str("<h2>By phase</h2>\n");
    phases(results, &mut page);
    details(results, &mut page);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn head(results: &Results, page: &mut String) {
    let (about, report) = (&results.about, &results.report);
    put(
        page,
        format_args!(
            "<h1>{}</h1>\n<p>{}</p>\n<p class=\"dim\">{} · {} · mungo-loadtest {}</p>\n",
            text(&about.name),
            text(&about.about),
            stamp(about.began).replace('T', " ").replace('Z', " UTC"),
            text(&results.machine.in_words()),
            env!("CARGO_PKG_VERSION"),
        ),
    );
    let (class, verdict) = match report.problems().len() {
        0 => ("good", "Everything went as it should".to_owned()),
        1 => ("bad", "One problem".to_owned()),
        more => ("bad", format!("{more} problems")),
    };
    put(
        page,
        format_args!("<p class=\"verdict {class}\">{verdict}</p>\n"),
    );
    if !report.problems().is_empty() {
        page.push_str("<ul class=\"problems\">");
        for (what, times) in report.problems() {
            put(page, format_args!("<li>{} ({times}×)</li>", text(what)));
        }
        page.push_str("</ul>\n");
    }
    if !report.notes().is_empty() {
        page.push_str("<ul class=\"notes\">");
        for note in report.notes() {
            put(page, format_args!("<li>{}</li>", text(note)));
        }
        page.push_str("</ul>\n");
    }
}

/// The figures that most people come for.
fn tiles(results: &Results, page: &mut String) {
    let first = |name: &str| {
        let ends = ["_rate", "_p50", "_p99"];
        let whole = [
            "sessions",
            "memory_per_session",
            "memory_after",
            "server_cpu",
            "generator_cpu",
        ];
        whole.contains(&name)
            || name.starts_with("cpu_per_")
            || ends.iter().any(|end| name.ends_with(end))
    };
    page.push_str("<div class=\"tiles\">\n");
    for (name, value, unit) in results.report.figures().filter(|(name, ..)| first(name)) {
        put(
            page,
            format_args!(
                "<div class=\"tile\"><b>{} <small>{unit}</small></b><span>{}</span></div>\n",
                digits(value),
                text(&name.replace('_', " "))
            ),
        );
    }
    page.push_str("</div>\n");
}

fn phases(results: &Results, page: &mut String) {
    for phase in &results.phases {
        let measured = if phase.measured { " · measured" } else { "" };
        put(
            page,
            format_args!(
                "<div class=\"card scroll\"><h3>{}</h3>\n<p class=\"dim\">{:.1} s to {:.1} s{measured}",
                text(&phase.name),
                phase.from,
                phase.to
            ),
        );
        if let (Some(user), Some(system)) = (phase.server_user, phase.server_system) {
            put(
                page,
                format_args!(" · server: {user:.2} s user, {system:.2} s system"),
            );
        }
        for (name, value) in &phase.counters {
            let value = value.as_f64().unwrap_or_default();
            let value = match name.starts_with("bytes") {
                true => Unit::Bytes.say(value),
                false => digits(value),
            };
            put(
                page,
                format_args!(" · {}: {value}", text(&name.replace('_', " "))),
            );
        }
        page.push_str("</p>\n");
        if !phase.transactions.is_empty() {
            page.push_str(
                "<table><thead><tr><th>transaction</th><th>done</th><th>failed</th><th>rate</th><th>p50</th>\
                 <th>p90</th><th>p99</th><th>p99.9</th><th>p99.99</th><th>mean</th><th>longest</th>\
                 <th class=\"left\">counts from</th></tr></thead><tbody>\n",
            );
            phase
                .transactions
                .iter()
                .for_each(|transaction| row(transaction, page));
            page.push_str("</tbody></table>\n");
        }
        page.push_str("</div>\n");
    }
}

fn row(transaction: &TransactionResult, page: &mut String) {
    put(
        page,
        format_args!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td>",
            text(&transaction.name),
            digits(transaction.done as f64),
            digits(transaction.failed as f64),
            Unit::Rate.say(transaction.rate)
        ),
    );
    for name in ["p50", "p90", "p99", "p99.9", "p99.99", "mean", "longest"] {
        let time = transaction
            .times
            .get(name)
            .and_then(serde_json::Value::as_f64);
        let time = time.map_or_else(|| "–".to_owned(), |time| Unit::Millis.say(time));
        put(page, format_args!("<td>{time}</td>"));
    }
    let since = match transaction.since {
        Since::Due => "when it was due",
        Since::Begun => "its beginning",
    };
    put(page, format_args!("<td class=\"left\">{since}</td></tr>\n"));
}

fn details(results: &Results, page: &mut String) {
    page.push_str("<h2>Details</h2>\n<details><summary>All figures</summary><div class=\"card\"><table><tbody>\n");
    for (name, value, unit) in results.report.figures() {
        put(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td class=\"left\">{unit}</td></tr>\n",
                text(&name.replace('_', " ")),
                digits(value)
            ),
        );
    }
    page.push_str("</tbody></table></div></details>\n");
    if !results.about.settings.is_empty() {
        page.push_str("<details><summary>Parameters</summary><div class=\"card\"><table><tbody>\n");
        for (name, value) in &results.about.settings {
            put(
                page,
                format_args!(
                    "<tr><td>{}</td><td class=\"left\">{}</td></tr>\n",
                    text(name),
                    text(value)
                ),
            );
        }
        page.push_str("</tbody></table></div></details>\n");
    }
    if !results.about.scenario.is_empty() {
        put(
            page,
            format_args!(
                "<details><summary>Scenario</summary><pre>{}</pre></details>\n",
                text(&results.about.scenario)
            ),
        );
    }
}
