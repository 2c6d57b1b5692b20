//! The plots of `report.html`: what is drawn of a run, and how.

use super::Results;
use super::chart::{Band, Chart, Line, Unit, round_step};
use super::series::{Moment, Second};

/// More points than this nobody can tell apart.
const POINTS: usize = 600;
/// The share of all that ends the axis of percentiles, in nines.
const NINES: f64 = 5.0;

/// How several seconds are drawn as one point.
#[derive(Clone, Copy)]
enum Together {
    Mean,
    /// What is worst must not vanish.
    Most,
}

/// The charts that have time from left to right.
struct OverTime<'a> {
    seconds: &'a [Second],
    bands: Vec<Band>,
    ticks: Vec<(f64, String)>,
    end: f64,
}

/// Draws what happened second by second.
pub(super) fn over_time(results: &Results, page: &mut String) {
    let seconds = &results.seconds[..];
    let ends = seconds.iter().map(|second| second.to);
    let end = ends
        .chain(results.phases.iter().map(|phase| phase.to))
        .fold(1.0, f64::max);
    let over = OverTime {
        seconds,
        bands: results
            .phases
            .iter()
            .map(|phase| Band {
                name: phase.name.clone(),
                from: phase.from,
                to: phase.to,
                measured: phase.measured,
            })
            .collect(),
        ticks: time_ticks(end),
        end,
    };
    let names: Vec<&str> = match seconds.first() {
        Some(second) => second
            .transactions
            .iter()
            .map(|moment| moment.name.as_str())
            .collect(),
        None => Vec::new(),
    };
    let happened: Vec<(usize, &str)> = names
        .iter()
        .copied()
        .enumerate()
        .filter(|(number, _)| {
            seconds
                .iter()
                .any(|second| second.transactions[*number].p50.is_some())
        })
        .collect();

    let mut lines: Vec<Line> = happened
        .iter()
        .map(|(number, name)| {
            over.line(name, Together::Mean, |second| {
                Some(second.transactions[*number].done)
            })
        })
        .collect();
    for (name, one, rate) in RATES {
        let known = happened.iter().any(|(_, name)| *name == one);
        if !known && seconds.iter().any(|second| rate(second) > 0.0) {
            lines.push(over.line(name, Together::Mean, |second| Some(rate(second))));
        }
    }
    over.draw(
        page,
        "Throughput",
        "What ended well, each second.",
        Unit::Rate,
        lines,
    );
    for (number, name) in &happened {
        let percentile = |label: &str, time: fn(&Moment) -> Option<f64>| {
            over.line(label, Together::Most, |second| {
                time(&second.transactions[*number])
            })
        };
        let lines = vec![
            percentile("p50", |moment| moment.p50),
            percentile("p90", |moment| moment.p90),
            percentile("p99", |moment| moment.p99),
            percentile("p99.9", |moment| moment.p999),
            percentile("longest", |moment| moment.longest),
        ];
        over.draw(
            page,
            &format!("Latency: {name}"),
            "Percentiles of each second, on a logarithmic axis.",
            Unit::Millis,
            lines,
        );
    }
    errors(&over, &names, page);
    let lines = vec![over.line("sessions", Together::Mean, |second| {
        Some(second.sessions as f64)
    })];
    over.draw(
        page,
        "Sessions",
        "Users who were there.",
        Unit::Count,
        lines,
    );

    if seconds.iter().any(|second| second.server_memory.is_some()) {
        let lines = vec![
            over.line("user", Together::Mean, |second| second.server_user),
            over.line("system", Together::Mean, |second| second.server_system),
        ];
        over.draw(
            page,
            "Server: processors",
            "Time on processors, of the program and of the kernel for it; 100 % is one processor.",
            Unit::Processors,
            lines,
        );
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
        let lines = vec![
            over.line("resident", Together::Most, |second| {
                bytes(second.server_memory)
            }),
            over.line("of it anonymous", Together::Most, |second| {
                bytes(second.server_anonymous)
            }),
            over.line("TCP, whole machine", Together::Most, |second| {
                bytes(second.tcp_memory)
            }),
        ];
        over.draw(
            page,
            "Server: memory",
            "Resident memory of the process, and the kernel's for TCP.",
            Unit::Bytes,
            lines,
        );
    }
    if seconds
        .iter()
        .any(|second| second.bytes_in + second.bytes_out > 0.0)
    {
        let lines = vec![
            over.line("to the server", Together::Mean, |second| {
                Some(second.bytes_out)
            }),
            over.line("from the server", Together::Mean, |second| {
                Some(second.bytes_in)
            }),
        ];
        over.draw(
            page,
            "Bytes",
            "What went over sockets, without TLS.",
            Unit::ByteRate,
            lines,
        );
    }
    let lines = vec![
        over.line("this generator", Together::Mean, |second| second.own),
        over.line("its busiest thread", Together::Mean, |second| {
            second.own_busiest
        }),
        over.line("others", Together::Mean, |second| second.others),
    ];
    over.draw(
        page,
        "Generator and others: processors",
        "A thread near 100 % is a generator at its limit; others spoil what is measured.",
        Unit::Processors,
        lines,
    );
}

fn errors(over: &OverTime<'_>, names: &[&str], page: &mut String) {
    let seconds = over.seconds;
    if seconds.iter().all(|second| second.errors == 0.0) {
        page.push_str("<figure><figcaption><h3>Errors</h3></figcaption><p class=\"dim\">There were none.</p></figure>\n");
        return;
    }
    let mut lines = vec![over.line("all errors", Together::Most, |second| Some(second.errors))];
    for (number, name) in names.iter().enumerate() {
        if seconds
            .iter()
            .any(|second| second.transactions[number].failed > 0.0)
        {
            let failed = format!("{name} failed");
            lines.push(over.line(&failed, Together::Most, |second| {
                Some(second.transactions[number].failed)
            }));
        }
    }
    over.draw(
        page,
        "Errors",
        "What went wrong, each second; the kinds are at the top.",
        Unit::Rate,
        lines,
    );
}

/// A rate of a second.
type RateOf = fn(&Second) -> f64;

/// What is counted, and the transaction that it would only repeat.
const RATES: [(&str, &str, RateOf); 3] = [
    ("messages received", "message", |second| {
        second.messages_received
    }),
    ("presences received", "presence", |second| second.presences),
    ("logins", "login", |second| second.logins),
];

impl OverTime<'_> {
    fn line(&self, name: &str, together: Together, value: impl Fn(&Second) -> Option<f64>) -> Line {
        let many = self.seconds.len().div_ceil(POINTS).max(1);
        let points = self.seconds.chunks(many).map(|seconds| {
            let from = seconds.first().map_or(0.0, |second| second.from);
            let to = seconds.last().map_or(from, |second| second.to);
            let known: Vec<f64> = seconds.iter().filter_map(&value).collect();
            let one = match together {
                Together::Mean => known.iter().sum::<f64>() / known.len().max(1) as f64,
                Together::Most => known.iter().copied().fold(0.0, f64::max),
            };
            (f64::midpoint(from, to), (!known.is_empty()).then_some(one))
        });
        Line {
            name: name.to_owned(),
            points: points.collect(),
        }
    }

    fn draw(
        &self,
        page: &mut String,
        title: &str,
        about: &'static str,
        unit: Unit,
        lines: Vec<Line>,
    ) {
        Chart {
            title: title.to_owned(),
            about,
            unit,
            lines,
            across: (0.0, self.end),
            ticks: &self.ticks,
            place: |at| format!("second {at:.1}"),
            bands: &self.bands,
        }
        .draw(page);
    }
}

fn time_ticks(end: f64) -> Vec<(f64, String)> {
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
    ];
    let step = steps.into_iter().find(|step| end / step <= 12.0);
    let step = step.unwrap_or_else(|| round_step(end / 10.0));
    (0..=(end / step) as u32)
        .map(|number| {
            let at = f64::from(number) * step;
            let label = match step >= 60.0 {
                true => format!("{} min", at / 60.0),
                false => format!("{at} s"),
            };
            (at, label)
        })
        .collect()
}

/// Draws how many took how long, over the whole of the measured phases.
pub(super) fn shares(results: &Results, page: &mut String) {
    let times = results.times.iter().filter(|(_, pairs)| !pairs.is_empty());
    let lines: Vec<Line> = times
        .map(|(name, pairs)| {
            let all: u64 = pairs.iter().map(|(_, count)| count).sum();
            let (mut sum, mut place) = (0, pairs.iter());
            let mut time = 0;
            let steps = (NINES * 20.0) as u32;
            let points = (0..=steps).map(|step| {
                let nines = f64::from(step) / 20.0;
                let rank = (all as f64 * (1.0 - 10_f64.powf(-nines))).ceil() as u64;
                while sum < rank.max(1)
                    && let Some((nanoseconds, count)) = place.next()
                {
                    (sum, time) = (sum + count, *nanoseconds);
                }
                // A share that less than one of them is beyond says nothing new.
                let known = 10_f64.powf(nines) <= all as f64 * 1.0001 || step == 0;
                (nines, known.then_some(super::millis(time)))
            });
            Line {
                name: name.clone(),
                points: points.collect(),
            }
        })
        .collect();
    if lines.is_empty() {
        return;
    }
    let ticks: Vec<(f64, String)> = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999]
        .into_iter()
        .map(|percent: f64| (-(1.0 - percent / 100.0).log10(), format!("{percent} %")))
        .collect();
    page.push_str("<h2>Over all that was measured</h2>\n");
    Chart {
        title: "Latency by share".to_owned(),
        about: "So many per cent of all in the measured phases took no longer than this.",
        unit: Unit::Millis,
        lines,
        across: (0.0, NINES),
        ticks: &ticks,
        place: |nines| format!("{:.4} %", (1.0 - 10_f64.powf(-nines)) * 100.0),
        bands: &[],
    }
    .draw(page);
}
