//! Included scenarios are fine, and what is wrong with others is told with its place and its mend.

use super::*;

/// What is said about a text; nothing if it is fine.
fn said(text: &str) -> String {
    match parse(text, Path::new("mine.ron"), &BTreeMap::new()) {
        Ok(document) => {
            let warnings: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
            warnings.join("\n\n")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn included_scenarios_are_fine() {
    for (name, text) in INCLUDED {
        assert_eq!(said(text), "", "{name}");
    }
}

#[test]
fn every_scenario_of_the_folder_is_included() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".ron").map(str::to_owned)
        })
        .collect();
    names.sort();
    let included: Vec<&str> = INCLUDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, included);
}

/// A scenario that is fine, one thing a line.
const FINE: &str = r#"(
    about: "a test",
    parameters: {"users": 20},
    targets: [(address: "127.0.0.1:5222", domain: "localhost", weight: 2)],
    users: (count: "$users", contacts: (shape: "group", size: 5)),
    phases: [
        (name: "come", lasts: "9s", come: evenly(users: 20)),
        (name: "talk", lasts: "9s", measured: true),
    ],
    sessions: [(name: "all", steps: [
        transaction(name: "login", steps: [connect, authenticate, presence]),
        ask(xml: "<iq type='get' id='{id}'><query xmlns='a'/></iq>", keep: {"what": "query@x"}),
        when(variable: "what", steps: [think(uniform("1s", "2s"))]),
        repeat(times: 3, steps: [message(to: offline, bytes: 20), show("away"), think(exponential("1s"))]),
        chance(percent: 10, steps: [ping], otherwise: [send(xml: "<presence/>")]),
        wait_for("talk"),
        presence_closed(until: "talk"),
        disconnect,
    ])],
    stop: (errors_percent: 5, slow: [(transaction: "login", percent: 99, above: "2s")]),
)"#;

#[test]
fn a_scenario_with_all_that_there_is_is_fine() {
    assert_eq!(said(FINE), "");
}

#[test]
fn who_comes_plays_a_session_that_is_there() {
    let plays = |name: &str| {
        let phase = format!("measured: true, plays: \"{name}\"");
        said(&FINE.replace("measured: true", &phase))
    };
    assert_eq!(plays("all"), "");
    let wrong = plays("none");
    for wanted in ["there is no session \"none\"", "known here: \"all\""] {
        assert!(wrong.contains(wanted), "{wrong}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_its_mend() {
    let mut bad = Vec::new();
    for (right, wrong, place, what, mend) in [
        ("about", "abuot", "2:5", "no key `abuot`", "write `about`"),
        (
            "weight: 2",
            "wieght: 2",
            "4:64",
            "no key `wieght`",
            "write `weight`",
        ),
        (
            "weight: 2",
            "weight: 0",
            "4:14",
            "weights of the targets add up to nothing",
            "1 or more",
        ),
        (
            "name: \"all\"",
            "name: \"all\", weight: 0",
            "10:15",
            "weights of the sessions add up to nothing",
            "1 or more",
        ),
        (
            "127.0.0.1:5222",
            "127.0.0.1",
            "4:25",
            "has no port",
            "as in \"127.0.0.1:5222\"",
        ),
        (
            "\"users\": 20",
            "\"usres\": 20",
            "5:20",
            "no parameter `users`",
            "write `$usres`",
        ),
        (
            "\"users\": 20",
            "\"users\": 0",
            "5:20",
            "0 users",
            "from 1 to",
        ),
        (
            "lasts: \"9s\", come",
            "lasts: \"0s\", come",
            "7:31",
            "a phase of no length",
            "as in \"10s\"",
        ),
        (
            "lasts: \"9s\", come",
            "lasts: 9, come",
            "7:31",
            "does not fit",
            "a length of time in double quotes",
        ),
        (
            "evenly(users: 20)",
            "evenly(users: 21)",
            "7:57",
            "21 users come and there are 20 accounts",
            "let fewer come",
        ),
        (
            "evenly(users: 20)",
            "evnly(users: 20)",
            "7:43",
            "`evnly` is not known",
            "write `evenly`",
        ),
        (
            "evenly(users: 20)",
            "rate(per_second: 0)",
            "7:43",
            "nobody ever comes at this rate",
            "per_second",
        ),
        (
            "evenly(users: 20)",
            "nobody",
            "6:13",
            "nobody ever comes",
            "come: at_once",
        ),
        (
            "measured: true",
            "measured: false",
            "6:13",
            "no phase is measured",
            "measured: true",
        ),
        (
            "wait_for(\"talk\")",
            "wait_for(\"tlak\")",
            "16:9",
            "no phase \"tlak\"",
            "\"talk\"",
        ),
        (
            "until: \"talk\"",
            "until: \"tlak\"",
            "17:32",
            "no phase \"tlak\"",
            "\"come\", \"talk\"",
        ),
        (
            "connect, authenticate,",
            "conect, authenticate,",
            "11:44",
            "`conect` is not known",
            "write `connect`",
        ),
        (
            "[connect, authenticate,",
            "[authenticate,",
            "11:44",
            "not connected",
            "write connect before it",
        ),
        (
            "authenticate, presence",
            "presence",
            "11:53",
            "not logged in",
            "write authenticate before it",
        ),
        ("id='{id}'", "id='1'", "12:18", "without {id}", "id='{id}'"),
        (
            "<query xmlns='a'/>",
            "<query>",
            "12:18",
            "this is no stanza",
            "well-formed",
        ),
        (
            "variable: \"what\"",
            "variable: \"waht\"",
            "13:24",
            "nobody ever sets the variable \"waht\"",
            "keep",
        ),
        (
            "uniform(\"1s\", \"2s\")",
            "uniform(\"3s\", \"2s\")",
            "13:40",
            "3s is not below 2s",
            "the shorter time first",
        ),
        (
            "repeat(times: 3, ",
            "repeat(",
            "14:9",
            "a loop without an end",
            "times",
        ),
        ("bytes: 20", "bytes: 0", "14:62", "0 bytes", "from 1 to"),
        (
            "to: offline",
            "to: oflfine",
            "14:46",
            "`oflfine` is not known",
            "write `offline`",
        ),
        (
            "percent: 10",
            "percent: 101",
            "15:25",
            "101 of a hundred",
            "0 to 100",
        ),
        (
            "shape: \"group\"",
            "shape: \"nobody\"",
            "17:9",
            "there are none",
            "shape: \"group\"",
        ),
        (
            "errors_percent: 5",
            "errors_percent: 0",
            "20:28",
            "no share",
            "up to 100",
        ),
        (
            "transaction: \"login\"",
            "transaction: \"logon\"",
            "20:52",
            "no transaction \"logon\"",
            "\"login\"",
        ),
        (
            "users: (count",
            "users: (password: \"\", count",
            "5:23",
            "no password",
            "write one",
        ),
        (
            "users: (count",
            "users: (pattern: \"u\", count",
            "5:22",
            "\"u\" is no pattern",
            "%d",
        ),
    ] {
        assert!(FINE.contains(right), "{right}");
        let said = said(&FINE.replacen(right, wrong, 1));
        let told = [what, mend, &format!("mine.ron:{place}, field ")];
        if !told.iter().all(|part| said.contains(part)) {
            bad.push(format!("{wrong}: {told:?}\n{said}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}

#[test]
fn who_is_not_there_is_told_what_is() {
    let error = read("chat-clsoed", &BTreeMap::new()).expect_err("no such scenario");
    assert!(
        error
            .to_string()
            .contains("included are chat-closed, chat-open"),
        "{error}"
    );
    let set = BTreeMap::from([("usres".to_owned(), "5".to_owned())]);
    let error = read("idle", &set).expect_err("no such parameter");
    assert!(error.to_string().contains("write `users`"), "{error}");
}

#[test]
fn the_example_of_the_manual_is_fine() {
    let manual = include_str!("../../README.md");
    let (_, example) = manual.split_once("```ron\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    assert_eq!(said(example), "");
}

/// What is said about the steps of a session.
fn said_of(steps: &str) -> String {
    said(&format!(
        "(targets: [()], users: (), sessions: [(name: \"s\", steps: [{steps}])], \
         phases: [(name: \"p\", lasts: \"1s\", come: at_once(), measured: true)])"
    ))
}

#[test]
fn who_may_be_there_or_not_may_do_both() {
    for fine in [
        "connect, authenticate, chance(steps: [cut], otherwise: [disconnect])",
        "connect, authenticate, chance(steps: [disconnect, connect, authenticate]), roster, cut",
        "connect, chance(steps: [authenticate]), disconnect",
        "repeat(times: 3, steps: [connect, authenticate, think(constant(\"1s\")), cut])",
        "connect, authenticate, repeat(until: \"p\", steps: [ping, cut, connect, authenticate])",
    ] {
        assert_eq!(said_of(fine), "", "{fine}");
    }
    for (bad, what) in [
        ("chance(steps: [roster])", "not logged in"),
        (
            "connect, authenticate, chance(steps: [cut, ping])",
            "not logged in",
        ),
        (
            "repeat(times: 2, steps: [connect, authenticate])",
            "can't be done a second time",
        ),
        ("connect, connect", "who is connected can't connect"),
        ("cut", "can't go"),
    ] {
        assert!(said_of(bad).contains(what), "{bad}: {}", said_of(bad));
    }
}

#[test]
fn names_in_braces_are_those_of_variables() {
    let message = |text: &str| {
        said_of(&format!(
            "connect, authenticate, message(to: random, text: \"{text}\")"
        ))
    };
    for fine in ["{user} at {domain}: {number}", "{}", "{ x }", "a { b", "}{"] {
        assert_eq!(message(fine), "", "{fine}");
    }
    assert!(message("{usre}").contains("nobody ever sets the variable \"usre\""));
}
