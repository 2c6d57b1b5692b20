//! Plots: lines over time or over shares, drawn as SVG that needs nothing from outside.

use crate::text::put;

/// The picture's width and height, in units of its own.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 270.0;
/// What is left for labels on each side.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 30.0;

/// What a value is, which says how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A number of things.
    Count,
    /// A number of things in a second.
    Rate,
    /// Bytes in a second.
    ByteRate,
    /// Milliseconds; drawn on a logarithmic axis.
    Millis,
    /// Bytes.
    Bytes,
    /// Processors; 1 is written as 100 %.
    Processors,
}

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Where it is, from left to right; with gaps where nothing is known.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A part of the axis from left to right, with a name.
#[derive(Debug, Clone)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) from: f64,
    pub(super) to: f64,
    /// Whether it stands out.
    pub(super) measured: bool,
}

/// A plot.
#[derive(Debug)]
pub(super) struct Chart<'a> {
    pub(super) title: String,
    /// What it shows, for those who can't see it and those who wonder.
    pub(super) about: &'static str,
    pub(super) unit: Unit,
    pub(super) lines: Vec<Line>,
    /// The ends of the axis from left to right.
    pub(super) across: (f64, f64),
    /// Its labels.
    pub(super) ticks: &'a [(f64, String)],
    /// What a place on that axis is called.
    pub(super) place: fn(f64) -> String,
    pub(super) bands: &'a [Band],
}

impl Chart<'_> {
    /// Draws it, with its title and legend, as a piece of a page.
    pub(super) fn draw(&self, page: &mut String) {
        let values = || {
            self.lines
                .iter()
                .flat_map(|line| &line.points)
                .filter_map(|(_, y)| *y)
        };
        let scale = match self.unit {
            Unit::Millis => Scale::logarithmic(values()),
            _ => Scale::linear(values(), self.unit),
        };
        put(
            page,
            format_args!(
                "<figure>\n<figcaption><h3>{}</h3><ul class=\"legend\">",
                text(&self.title)
            ),
        );
        for (number, line) in self.lines.iter().enumerate() {
            put(
                page,
                format_args!(
                    "<li class=\"{}\"><i></i>{}</li>",
                    look(number),
                    text(&line.name)
                ),
            );
        }
        put(
            page,
            format_args!(
                "</ul></figcaption>\n<p class=\"dim\">{}</p>\n",
                text(self.about)
            ),
        );
        put(
            page,
            format_args!(
                "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
                attribute(&self.title)
            ),
        );
        self.draw_bands(page);
        self.draw_axes(&scale, page);
        for (number, line) in self.lines.iter().enumerate() {
            let path = self.path(line, &scale);
            put(
                page,
                format_args!("<path class=\"line {}\" d=\"{path}\"/>\n", look(number)),
            );
        }
        self.draw_tips(page);
        page.push_str("</svg>\n</figure>\n");
    }

    fn draw_bands(&self, page: &mut String) {
        let (top, height) = (TOP, HEIGHT - TOP - BOTTOM);
        for band in self.bands {
            let (from, to) = (self.x(band.from), self.x(band.to));
            let kind = if band.measured {
                "band measured"
            } else {
                "band"
            };
            put(
                page,
                format_args!(
                    "<rect class=\"{kind}\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\"/>\n",
                    (to - from).max(0.0)
                ),
            );
            put(
                page,
                format_args!(
                    "<line class=\"edge\" x1=\"{from:.1}\" x2=\"{from:.1}\" y1=\"{top}\" y2=\"{:.1}\"/>\n",
                    TOP + height
                ),
            );
            // A name that does not fit is in the tips.
            if to - from > 7.0 * band.name.chars().count() as f64 + 8.0 {
                put(
                    page,
                    format_args!(
                        "<text class=\"phase\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                        from + 4.0,
                        TOP - 7.0,
                        text(&band.name)
                    ),
                );
            }
        }
    }

    fn draw_axes(&self, scale: &Scale, page: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for value in &scale.ticks {
            let y = scale.y(*value);
            put(
                page,
                format_args!(
                    "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                    LEFT - 8.0,
                    y + 4.0,
                    text(&self.unit.say(*value))
                ),
            );
        }
        for (value, label) in self.ticks {
            let x = self.x(*value);
            put(
                page,
                format_args!(
                    "<line class=\"notch\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{:.1}\"/>\
                 <text class=\"tick x\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>\n",
                    bottom + 4.0,
                    bottom + 17.0,
                    text(label)
                ),
            );
        }
        put(
            page,
            format_args!(
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\n"
            ),
        );
    }

    /// What is seen by who points at a moment.
    fn draw_tips(&self, page: &mut String) {
        let Some(longest) = self.lines.iter().max_by_key(|line| line.points.len()) else {
            return;
        };
        let all: Vec<f64> = longest.points.iter().map(|(x, _)| *x).collect();
        for (number, at) in all.iter().enumerate() {
            let before = number
                .checked_sub(1)
                .map_or(self.across.0, |n| f64::midpoint(all[n], *at));
            let behind = all
                .get(number + 1)
                .map_or(self.across.1, |next| f64::midpoint(*next, *at));
            let (from, to) = (self.x(before), self.x(behind));
            let mut tip = self.say_across(*at);
            for line in &self.lines {
                let value = line.points.get(number).and_then(|(_, y)| *y);
                let value = value.map_or_else(|| "–".to_owned(), |value| self.unit.say(value));
                put(&mut tip, format_args!("\n{}: {value}", line.name));
            }
            put(
                page,
                format_args!(
                    "<rect class=\"tip\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>{}</title></rect>\n",
                    (to - from).max(0.5),
                    HEIGHT - TOP - BOTTOM,
                    text(&tip)
                ),
            );
        }
    }

    fn say_across(&self, at: f64) -> String {
        let mut bands = self.bands.iter();
        match bands.find(|band| at >= band.from && at <= band.to) {
            Some(band) => format!("{}, {}", (self.place)(at), band.name),
            None => (self.place)(at),
        }
    }

    fn path(&self, line: &Line, scale: &Scale) -> String {
        let mut path = String::new();
        let mut pen_down = false;
        for (number, (x, y)) in line.points.iter().enumerate() {
            let Some(y) = y else {
                pen_down = false;
                continue;
            };
            let (x, y) = (self.x(*x), scale.y(*y));
            put(
                &mut path,
                format_args!("{}{x:.1} {y:.1}", if pen_down { "L" } else { "M" }),
            );
            let alone = line
                .points
                .get(number + 1)
                .is_none_or(|(_, next)| next.is_none());
            if !pen_down && alone {
                // A dot, since its ends are round.
                path.push_str("h0");
            }
            pen_down = true;
        }
        path
    }

    fn x(&self, value: f64) -> f64 {
        let (from, to) = self.across;
        let share = (value - from) / (to - from).max(f64::MIN_POSITIVE);
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }
}

impl Unit {
    /// A value in words.
    pub(crate) fn say(self, value: f64) -> String {
        match self {
            Unit::Count => short(value),
            Unit::Rate => format!("{}/s", short(value)),
            Unit::ByteRate => format!("{}/s", bytes(value)),
            Unit::Bytes => bytes(value),
            Unit::Processors => format!("{} %", trimmed(value * 100.0)),
            Unit::Millis if value >= 1_000.0 => format!("{} s", trimmed(value / 1e3)),
            Unit::Millis if value < 1.0 => format!("{} µs", trimmed(value * 1e3)),
            Unit::Millis => format!("{} ms", trimmed(value)),
        }
    }
}

/// Where values are between bottom and top.
#[derive(Debug)]
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
}

impl Scale {
    /// From zero to a round number above all of them.
    fn linear(values: impl Iterator<Item = f64>, unit: Unit) -> Scale {
        let least = if unit == Unit::Processors { 0.1 } else { 1.0 };
        let most = values.fold(least, f64::max);
        // Memory is divided by powers of two.
        let base = match unit {
            Unit::Bytes | Unit::ByteRate => {
                1024_f64.powf((most / 2.0).log(1024.0).floor().max(0.0))
            }
            _ => 1.0,
        };
        let step = round_step(most / base / 4.0) * base;
        let steps = (most / step).ceil().max(1.0);
        Scale {
            low: 0.0,
            high: steps * step,
            logarithmic: false,
            ticks: (0..=steps as u32)
                .map(|number| f64::from(number) * step)
                .collect(),
        }
    }

    /// Powers of ten around all of them.
    fn logarithmic(values: impl Iterator<Item = f64>) -> Scale {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        if high == 0.0 {
            (low, high) = (0.1, 1.0);
        }
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let last = if last > first { last } else { first + 1.0 };
        let decades = (last - first) as i32;
        let between: &[f64] = match decades {
            ..=2 => &[1.0, 2.0, 5.0],
            3 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let top = 10_f64.powf(last);
        let mut ticks: Vec<f64> = (0..decades)
            .flat_map(|decade| {
                let unit = 10_f64.powf(first + f64::from(decade));
                between.iter().map(move |part| part * unit)
            })
            .collect();
        ticks.push(top);
        // What is above all and below all is left away.
        let high = ticks
            .iter()
            .copied()
            .find(|tick| *tick >= high * 0.9999)
            .unwrap_or(top);
        let low = ticks
            .iter()
            .copied()
            .rfind(|tick| *tick <= low * 1.0001)
            .unwrap_or(low);
        let high = if high > low { high } else { top };
        ticks.retain(|tick| *tick >= low * 0.9999 && *tick <= high * 1.0001);
        Scale {
            low,
            high,
            logarithmic: true,
            ticks,
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The next of 1, 2, 5, 10, 20 …, and so below.
pub(super) fn round_step(least: f64) -> f64 {
    let unit = 10_f64.powf(least.log10().floor());
    let parts = [1.0, 2.0, 5.0, 10.0];
    let part = parts.into_iter().find(|part| part * unit >= least * 0.9999);
    part.unwrap_or(10.0) * unit
}

/// Three digits, with the letter of a power of a thousand.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{} G", trimmed(v / 1e9)),
        v if v >= 1e6 => format!("{} M", trimmed(v / 1e6)),
        v if v >= 1e4 => format!("{} k", trimmed(v / 1e3)),
        v => trimmed(v),
    }
}

fn bytes(value: f64) -> String {
    let (mut value, mut names) = (value, ["B", "KiB", "MiB", "GiB"].into_iter());
    let mut name = names.next().unwrap_or_default();
    while value >= 1024.0
        && let Some(next) = names.next()
    {
        (value, name) = (value / 1024.0, next);
    }
    format!("{} {name}", trimmed(value))
}

/// Three digits at least, without zeros at the end.
fn trimmed(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// What can stand between tags.
pub(super) fn text(text: &str) -> String {
    xml::escape_text(&printable(text)).into_owned()
}

/// What can stand in an attribute.
pub(super) fn attribute(text: &str) -> String {
    xml::escape_attr(&printable(text)).into_owned()
}

/// XML 1.0 has no place for most control characters, however they are written.
fn printable(text: &str) -> String {
    let fits = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars()
        .map(|c| {
            if fits(c) && c != '\u{fffe}' && c != '\u{ffff}' {
                c
            } else {
                '\u{fffd}'
            }
        })
        .collect()
}

/// The classes of a line: six colours, and for those behind them the same colours dashed, then dotted.
fn look(number: usize) -> String {
    format!("l{} s{}", number % 6, number / 6 % 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_with_their_units() {
        for (unit, value, said) in [
            (Unit::Count, 200.0, "200"),
            (Unit::Rate, 123_456.0, "123 k/s"),
            (Unit::Rate, 0.0, "0/s"),
            (Unit::Millis, 0.25, "250 µs"),
            (Unit::Millis, 12.0, "12 ms"),
            (Unit::Millis, 60_000.0, "60 s"),
            (Unit::Bytes, 1536.0, "1.5 KiB"),
            (Unit::Bytes, 300.0 * 1048576.0, "300 MiB"),
            (Unit::Processors, 1.25, "125 %"),
        ] {
            assert_eq!(unit.say(value), said);
        }
    }

    #[test]
    fn axes_have_few_round_labels_and_hold_everything() {
        for most in [0.3, 1.0, 7.0, 99.0, 101.0, 34_567.0, 5e8] {
            let scale = Scale::linear([most].into_iter(), Unit::Rate);
            assert!(scale.high >= most, "{scale:?}");
            assert!((2..=6).contains(&scale.ticks.len()), "{scale:?}");
        }
        let scale = Scale::linear([300.0 * 1048576.0].into_iter(), Unit::Bytes);
        let said: Vec<_> = scale
            .ticks
            .iter()
            .map(|tick| Unit::Bytes.say(*tick))
            .collect();
        assert_eq!(said, ["0 B", "100 MiB", "200 MiB", "300 MiB"]);
        for (low, high) in [
            (0.05, 0.05),
            (0.1, 1.0),
            (0.2, 7.0),
            (0.01, 60_000.0),
            (3.0, 3.1),
        ] {
            let scale = Scale::logarithmic([low, high].into_iter());
            assert!(
                scale.low <= low * 1.001 && scale.high >= high * 0.999,
                "{scale:?}"
            );
            assert!((2..=8).contains(&scale.ticks.len()), "{scale:?}");
            assert!(scale.y(low) >= scale.y(high));
        }
        assert!(Scale::logarithmic(std::iter::empty()).high > 0.0);
    }

    #[test]
    fn gaps_stay_gaps_and_single_points_are_seen() {
        let chart = Chart {
            title: "t".to_owned(),
            about: "",
            unit: Unit::Count,
            lines: vec![],
            across: (0.0, 10.0),
            ticks: &[],
            place: |at| at.to_string(),
            bands: &[],
        };
        let points = [Some(0.0), Some(1.0), None, Some(1.0), None];
        let line = Line {
            name: "n".to_owned(),
            points: points
                .into_iter()
                .enumerate()
                .map(|(n, y)| (n as f64, y))
                .collect(),
        };
        let path = chart.path(&line, &Scale::linear([1.0].into_iter(), Unit::Count));
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(path.matches('L').count(), 1);
        assert!(path.ends_with("h0"), "{path}");
    }

    /// No two of a chart look alike, and each has its rules in the style sheet.
    #[test]
    fn every_line_is_seen() {
        let style = include_str!("style.css");
        let looks: std::collections::BTreeSet<String> = (0..18).map(look).collect();
        assert_eq!(looks.len(), 18);
        for look in looks {
            let (colour, dashes) = look.split_once(' ').unwrap();
            assert!(style.contains(&format!(".{colour} {{ --line")), "{colour}");
            assert!(
                dashes == "s0" || style.contains(&format!(".{dashes}.line")),
                "{dashes}"
            );
        }
    }
}
