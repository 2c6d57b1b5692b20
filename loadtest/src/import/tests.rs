//! Scenarios as Tsung's manual has them.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::scenario;

const HEAD: &str = r#"<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd" []>
<tsung loglevel="notice" version="1.0">
  <clients><client host="localhost" use_controller_vm="true"/></clients>
  <servers><server host="127.0.0.1" port="5222" type="tcp" weight="2"/><server host="::1" port="5223" type="ssl"/></servers>
  <load duration="10" unit="minute">
    <arrivalphase phase="1" duration="2" unit="minute"><users interarrival="0.5" unit="second"/></arrivalphase>
    <arrivalphase phase="2" duration="30" unit="second"><users arrivalrate="120" unit="minute" maxnumber="50"/></arrivalphase>
  </load>
  <options>
    <option type="ts_jabber" name="userid_max" value="500"/>
    <option type="ts_jabber" name="domain" value="jabber.example"/>
    <option type="ts_jabber" name="username" value="tester"/>
    <option type="ts_jabber" name="passwd" value="se$ame"/>
    <option type="ts_jabber" name="muc_service" value="conference.jabber.example"/>
  </options>
  <sessions>
"#;

/// Imports sessions behind a head, and checks that what came out is a scenario without a warning.
fn imported(sessions: &str) -> Imported {
    let text = format!("{HEAD}{sessions}</sessions></tsung>");
    let imported = import("tsung.xml", &text).unwrap_or_else(|error| panic!("{error}"));
    let read = scenario::parse(&imported.text, Path::new("s.ron"), &BTreeMap::new());
    let read = read.unwrap_or_else(|error| panic!("{error}\n{}", imported.text));
    assert_eq!(read.warnings, [], "{}", imported.text);
    imported
}

fn missing(imported: &Imported) -> Vec<String> {
    imported.missing.iter().map(ToString::to_string).collect()
}

#[test]
fn a_chat_becomes_a_story() {
    let imported = imported(
        r#"<session probability="70.5" name="chat" type="ts_jabber">
          <request><jabber type="connect" ack="local"/></request>
          <thinktime value="2"/>
          <transaction name="authenticate">
            <request><jabber type="auth_get" ack="local"/></request>
            <request><jabber type="auth_set_plain" ack="local"/></request>
          </transaction>
          <request><jabber type="presence:initial" ack="no_ack"/></request>
          <request><jabber type="iq:roster:get" ack="local"/></request>
          <for from="1" to="10" incr="2" var="n">
            <request><jabber type="chat" ack="no_ack" size="16" destination="online"/></request>
            <thinktime value="30" random="true"/>
          </for>
          <thinktime min="0.5" max="1.5"/>
          <request><jabber type="presence:broadcast" ack="no_ack" show="away"/></request>
          <request><jabber type="raw" ack="no_ack" data="&lt;message to='a@b'&gt;&lt;body&gt;&quot;$5&quot;&lt;/body&gt;&lt;/message&gt;"/></request>
          <request><jabber type="close" ack="local"/></request>
        </session>
        <session probability="29.5" name="sasl" type="ts_jabber">
          <request><jabber type="connect" ack="local"/></request>
          <request><jabber type="auth_sasl" ack="local"/></request>
          <request><jabber type="connect" ack="local"/></request>
          <request><jabber type="auth_sasl_bind" ack="local"/></request>
          <request><jabber type="auth_sasl_session" ack="local"/></request>
          <request><jabber type="chat" ack="no_ack" data="so long" destination="offline"/></request>
        </session>"#,
    );
    assert_eq!(
        imported.text,
        r#"// Made of the Tsung scenario tsung.xml.
(
    about: "made of tsung.xml",
    parameters: { "domain": "jabber.example", "accounts": 500 },
    targets: [
        (address: "127.0.0.1:5222", domain: "$domain", tls: "off", weight: 2),
        (address: "[::1]:5223", domain: "$domain", tls: "direct", weight: 1),
    ],
    // Tsung counts from 1 and puts the number behind passwords, too.
    users: (pattern: "tester%d", password: "se$$ame%d", first: 1, count: "$accounts"),

    phases: [
        (name: "1", lasts: "2m", come: rate(per_second: 2), measured: true),
        (name: "2", lasts: "30s", come: rate(per_second: 2), measured: true),
        // For those who are still there.
        (name: "rest", lasts: "450s", until_settled: true, measured: true),
    ],
    sessions: [
        (name: "chat", weight: 7050, steps: [
            connect,
            think(constant("2s")),
            transaction(name: "authenticate", steps: [
                authenticate,
            ]),
            presence,
            roster,
            repeat(times: 5, steps: [
                message(to: online, bytes: 16),
                think(exponential("30s")),
            ]),
            think(uniform("500ms", "1500ms")),
            show("away"),
            send(xml: "<message to='a@b'><body>\"$$5\"</body></message>"),
            disconnect,
        ]),
        (name: "sasl", weight: 2950, steps: [
            connect,
            authenticate,
            message(to: offline, bytes: 1, text: "so long"),
            disconnect,
        ]),
    ],
)
"#
    );
    assert_eq!(
        missing(&imported),
        [
            "line 8: no more than 50 users in the phase; they come at their rate until it ends",
            "line 15: the option muc_service",
        ]
    );
}

#[test]
fn what_has_no_counterpart_is_told_and_stands_in_its_place() {
    let imported = imported(
        r#"<session probability="100" name="x" type="ts_jabber">
          <setdynvars sourcetype="random_number" start="3" end="32"><var name="n"/></setdynvars>
          <transaction name="enter">
            <request><jabber type="muc:join" ack="local" room="r" nick="n"/></request>
          </transaction>
          <request><jabber type="presence:initial" ack="no_ack"/></request>
          <request><jabber type="auth_set_digest" ack="local"/></request>
          <request subst="true"><jabber type="raw" ack="no_ack" data="&lt;a b='%%_n%%'/&gt;"/></request>
          <request><jabber type="raw" ack="local" data="&lt;presence/&gt;"/></request>
          <request><jabber type="raw" ack="no_ack" data="&lt;/stream:stream&gt;"/></request>
          <repeat name="r" max_repeat="3">
            <request><match do="continue" when="match">x</match><jabber type="chat" ack="no_ack" size="9" destination="unique"/></request>
            <while var="n" eq="1"/>
          </repeat>
        </session>
        <session probability="0" name="web" type="ts_http"/>"#,
    );
    let expected = [
        "line 19: <setdynvars>",
        "line 21: the request muc:join",
        "line 23: something that only who is logged in can do",
        "line 25: raw data with variables",
        "line 26: waiting for something to come behind raw data; write an ask(xml: …) if there is an answer",
        "line 27: raw data that is no stanza",
        "line 28: the condition of a loop; it is gone through 3 times",
        "line 29: <match> of an answer",
        "line 29: the destination unique; it goes to anybody",
        "line 30: <while>",
        "line 33: a session for ts_http",
    ];
    let missing = missing(&imported);
    for expected in expected {
        assert!(
            missing.iter().any(|told| told.starts_with(expected)),
            "{expected}: {missing:#?}"
        );
    }
    // The two of the head, too.
    assert_eq!(missing.len(), expected.len() + 2, "{missing:#?}");
    let comments = imported.text.matches("// missing: ").count();
    assert_eq!(comments, expected.len() - 1, "{}", imported.text);
    // A transaction of which nothing is left is none.
    assert!(!imported.text.contains("enter"), "{}", imported.text);
    assert!(
        imported
            .text
            .contains("            connect,\n            authenticate,\n"),
        "{}",
        imported.text
    );
}

#[test]
fn a_stream_that_is_encrypted_later_is_a_property_of_the_target() {
    let imported = imported(
        r#"<session probability="100" name="x" type="ts_jabber">
          <request><jabber type="connect" ack="local"><xmpp_authenticate username="a" passwd="b"/></jabber></request>
          <request><jabber type="starttls" ack="bidi_ack"/></request>
          <request><jabber type="connect" ack="local"/></request>
          <request><jabber type="authenticate" ack="local"/></request>
          <request><jabber type="presence:broadcast" ack="no_ack"/></request>
        </session>"#,
    );
    let steps =
        "connect,\n            authenticate,\n            show(\"chat\"),\n            disconnect,";
    assert!(imported.text.contains(steps), "{}", imported.text);
    let target = "127.0.0.1:5222\", domain: \"$domain\", tls: \"starttls\"";
    assert!(imported.text.contains(target), "{}", imported.text);
    let told = missing(&imported);
    assert!(
        told.iter().any(|told| told.contains("<xmpp_authenticate>")),
        "{told:?}"
    );
}

#[test]
fn nothing_is_made_of_nothing() {
    for bad in [
        "",
        "<tsung/>",
        "<tsung><sessions><session type='ts_http'/></sessions></tsung>",
        "<tsung",
    ] {
        assert!(
            matches!(import("t.xml", bad), Err(Failure::NoTsung(_))),
            "{bad}"
        );
    }
}
