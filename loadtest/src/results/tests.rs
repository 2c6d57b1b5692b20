use std::time::{Duration, Instant};

use quick_xml::events::Event;

use super::*;
use crate::measure::{Counter, Recorder, Since};
use crate::process::Usage;

/// A run of two phases, the second of which is measured, with names that nobody should take for tags.
fn results(long: u64) -> Results {
    let kinds = [("login", Since::Due), ("<message> & 'more'", Since::Begun)];
    let kinds = kinds.map(|(name, since)| (name.to_owned(), since));
    let recorder = Recorder::new(Instant::now(), kinds);
    recorder.begin("come", false, 0);
    recorder.count(Counter::Logins, 2);
    recorder.sessions(2);
    recorder.took(0, 3_000_000);
    recorder.begin("chat", true, 1_000);
    for second in 1..=long {
        for number in 1..=100 {
            recorder.took(1, number * 10_000);
        }
        recorder.count(Counter::Received, 100);
        recorder.count(Counter::BytesIn, 20_000);
        recorder.cut(1_000 + second * 1_000);
    }
    recorder.problem("the server \u{1} said </p>", 3);
    recorder.count(Counter::Lost, 1);
    recorder.end(1_000 + long * 1_000);
    let sample = |second: u64| {
        let worked = Duration::from_millis(second * 100);
        let usage = Usage {
            user: worked,
            system: worked,
            memory: (second + 1) << 20,
            anonymous: second << 20,
        };
        Sample {
            at: second * 1_000,
            server: Some(usage),
            tcp: Some(4_096),
            own: usage,
            busiest: 0.95,
            machine: worked * 7,
        }
    };
    let samples: Vec<Sample> = (0..=long + 1).map(sample).collect();
    let about = About {
        name: "chat & <more>".to_owned(),
        about: "shows \"everything\"".to_owned(),
        settings: BTreeMap::from([("users".to_owned(), "<2>".to_owned())]),
        scenario: "(about: \"a < b && c\")".to_owned(),
        began: OffsetDateTime::UNIX_EPOCH,
    };
    Results::of(about, &recorder.finish(), &samples)
}

#[test]
fn figures_are_those_of_the_measured_phases() {
    let results = results(5);
    let json = results.json();
    let figure = |name: &str| json["figures"][name].as_f64();
    assert_eq!(figure("sessions"), Some(2.0));
    assert_eq!(figure("logins"), Some(2.0));
    assert_eq!(figure("login_count"), Some(0.0), "it was not measured");
    assert_eq!(figure("<message> & 'more'_count"), Some(500.0));
    assert_eq!(figure("<message> & 'more'_rate"), Some(100.0));
    let p99 = figure("<message> & 'more'_p99").expect("a time");
    assert!((0.98..1.0).contains(&p99), "{p99}");
    // Two tenths of each of five seconds, for 500.
    assert_eq!(figure("cpu_per_<message> & 'more'"), Some(2_000.0));
    assert_eq!(figure("memory_per_session"), Some(3.0 * 1024.0));
    assert_eq!(figure("server_cpu"), Some(20.0));
    let others = figure("others_cpu").expect("known");
    assert!((others - 30.0).abs() < 1e-6, "{others}");
    assert_eq!(json["problems"]["a delivery was lost"], 1);
    assert_eq!(json["notes"].as_array().map(Vec::len), Some(2), "{json:#}");
    assert_eq!(json["schema"], SCHEMA);
    assert_eq!(json["began"], "1970-01-01T00:00:00Z");
    assert_eq!(json["phases"][1]["transactions"][0]["since"], "begun");
    assert_eq!(json["seconds"][1]["server_user"], 0.1);
}

#[test]
fn the_page_is_well_formed_and_needs_nothing_from_outside() {
    // The longest has more seconds than points.
    for long in [1, 30, 700] {
        let page = page::html(&results(long));
        let mut reader = quick_xml::Reader::from_str(&page);
        let (mut figures, mut titles) = (0, 0);
        loop {
            match reader
                .read_event()
                .unwrap_or_else(|error| panic!("{error}: {page}"))
            {
                Event::Start(tag) | Event::Empty(tag) => {
                    figures += usize::from(tag.name().as_ref() == "figure");
                    titles += usize::from(tag.name().as_ref() == "title");
                    for attribute in tag.attributes() {
                        let attribute = attribute.expect("quoted, and only once");
                        assert!(
                            !matches!(attribute.key.as_ref(), "src" | "href" | "onclick"),
                            "{attribute:?}"
                        );
                    }
                    assert_ne!(tag.name().as_ref(), "script");
                }
                Event::GeneralRef(name) => {
                    let known = ["lt", "gt", "amp", "apos", "quot"];
                    assert!(known.iter().any(|known| **known == *name), "{name:?}");
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(figures, 10);
        assert!(titles > 10, "{titles}");
        assert!(page.contains("3×"), "failures by kind");
        assert!(page.len() < 2_000_000, "{}", page.len());
    }
}

#[test]
fn what_was_never_begun_has_a_report_too() {
    let recorder = Recorder::new(Instant::now(), []);
    let about = About {
        name: "nothing".to_owned(),
        about: String::new(),
        settings: BTreeMap::new(),
        scenario: String::new(),
        began: OffsetDateTime::UNIX_EPOCH,
    };
    let results = Results::of(about, &recorder.finish(), &[]);
    assert!(!results.report().is_clean());
    assert!(page::html(&results).contains("nothing was measured"));
}

#[test]
fn a_folder_has_everything_in_it() {
    let place = tempfile::tempdir().expect("a place");
    let folder = place.path().join("a/b");
    let results = results(3);
    assert_eq!(write(&results, Some(&folder)).expect("written"), folder);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("it is there");
    let json: Value = serde_json::from_str(&read("report.json")).expect("JSON");
    assert_eq!(json, results.json());
    assert!(read("report.html").ends_with("</html>\n"));
    assert_eq!(read("scenario.ron"), results.about.scenario);
    let file = place.path().join("a/b/scenario.ron");
    assert!(write(&results, Some(&file)).is_err());
}
