//! One client: what it says, step by step, until it is online, and then when it is asked.

use std::fmt::Write;
use std::sync::Arc;

use actors::pipe::Pipe;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use xml::Element;

use crate::accounts::{PASSWORD, localpart};
use crate::bell::Bell;
use crate::problem::Problem;

const CLIENT: &str = "jabber:client";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const STREAM: &str = "http://etherx.jabber.org/streams";
const PING: &str = "urn:xmpp:ping";
/// The resource of everybody.
pub(crate) const RESOURCE: &str = "crowd";

/// A client: all that there is of it while it is idle.
pub(crate) struct Client {
    /// Gone when the client is lost.
    pub(crate) pipe: Option<Pipe>,
    pub(crate) bell: Arc<Bell>,
    pub(crate) step: Step,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first features.
    Greeting,
    /// That its password is right.
    Verdict,
    /// The features behind the login.
    Features,
    /// The answer to its bind.
    Bind,
    /// Its roster.
    Roster,
    /// That the node has dealt with its presence.
    Presence,
    /// Nothing.
    Online,
}

/// The opening of a stream to `domain`.
pub(crate) fn header(domain: &str) -> String {
    format!("<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}' version='1.0' to='{domain}'>")
}

/// Takes an element that came for client `number` while it waited for `step`, appends to `out` what
/// it says to that, and gives what it waits for now.
pub(crate) fn answer(
    step: Step,
    element: &Element,
    number: u32,
    domain: &str,
    out: &mut String,
) -> Result<Step, Problem> {
    if element.is("error", STREAM) {
        return Err(Problem::Ended(condition(element)));
    }
    let wanted = |name: &str, ns: &str, step: &'static str| match element.is(name, ns) {
        true => Ok(()),
        false => Err(refused(step, element)),
    };
    let next = match step {
        Step::Greeting => {
            wanted("features", STREAM, "greeting")?;
            let plain = format!("\0{}\0{PASSWORD}", localpart(number));
            say(
                out,
                format_args!(
                    "<auth xmlns='{SASL}' mechanism='PLAIN'>{}</auth>",
                    BASE64_STANDARD.encode(plain)
                ),
            );
            Step::Verdict
        }
        Step::Verdict => {
            wanted("success", SASL, "login")?;
            out.push_str(&header(domain));
            Step::Features
        }
        Step::Features => {
            wanted("features", STREAM, "greeting after login")?;
            say(
                out,
                format_args!(
                    "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>{RESOURCE}</resource></bind></iq>"
                ),
            );
            Step::Bind
        }
        Step::Bind => {
            if !is_result(element, "bind") {
                return Err(refused("binding", element));
            }
            out.push_str("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
            Step::Roster
        }
        Step::Roster if element.plain_attr("id") == Some("roster") => {
            if !is_result(element, "roster") {
                return Err(refused("asking for the roster", element));
            }
            // Stanzas are dealt with in order: the ping's answer, whatever it is, is behind all that
            // the presence brings about for us.
            say(
                out,
                format_args!(
                    "<presence/><iq type='get' id='there' to='{domain}'><ping xmlns='{PING}'/></iq>"
                ),
            );
            Step::Presence
        }
        Step::Presence if element.plain_attr("id") == Some("there") => Step::Online,
        // The node asks whether we are still there.
        step if element.child("ping", PING).is_some() => {
            if let (Some(id), Some(from)) = (element.plain_attr("id"), element.plain_attr("from")) {
                say(
                    out,
                    format_args!("<iq type='result' id='{id}' to='{from}'/>"),
                );
            }
            step
        }
        step => step,
    };
    Ok(next)
}

/// The defined condition of a stream, SASL or stanza error.
pub(crate) fn condition(element: &Element) -> String {
    let found = match element.child("error", CLIENT).map(|error| error.tree()) {
        Some(Ok(error)) => error.children().next().map(|child| child.name.clone()),
        _ => element
            .children()
            .next()
            .map(|child| child.name().to_owned()),
    };
    found.unwrap_or_else(|| format!("<{}/> came", element.name()))
}

fn refused(step: &'static str, element: &Element) -> Problem {
    let condition = condition(element);
    Problem::Refused { step, condition }
}

fn is_result(element: &Element, id: &str) -> bool {
    element.plain_attr("type") == Some("result") && element.plain_attr("id") == Some(id)
}

fn say(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What client 5 says when this comes while it waits for `step`, and what it waits for then.
    fn hear(step: Step, text: &str) -> (Result<Step, String>, String) {
        let element = Element::parse_in(text.as_bytes(), CLIENT).expect("XML");
        let mut out = String::new();
        let next = answer(step, &element, 5, "localhost", &mut out);
        (next.map_err(|problem| problem.to_string()), out)
    }

    #[test]
    fn a_client_is_online_when_its_presence_is_dealt_with() {
        let features = format!("<s:features xmlns:s='{STREAM}'/>");
        let success = format!("<success xmlns='{SASL}'/>");
        let mut step = Step::Greeting;
        for (text, said, next) in [
            (&*features, ">AGM1AGNyb3dk</auth>", Step::Verdict),
            (&success, "<stream:stream ", Step::Features),
            (&features, "<resource>crowd<", Step::Bind),
            (
                "<iq type='result' id='bind'/>",
                "jabber:iq:roster",
                Step::Roster,
            ),
            ("<message><body>early</body></message>", "", Step::Roster),
            (
                "<iq type='result' id='roster'/>",
                "<presence/><iq",
                Step::Presence,
            ),
            ("<presence from='c5@localhost/crowd'/>", "", Step::Presence),
            ("<iq type='error' id='there'/>", "", Step::Online),
        ] {
            let (now, out) = hear(step, text);
            assert!(
                out.contains(said) && out.is_empty() == said.is_empty(),
                "{text}: {out}"
            );
            assert_eq!(now.as_ref(), Ok(&next), "{text}");
            step = next;
        }
    }

    #[test]
    fn an_idle_client_answers_pings() {
        let ping = format!("<iq type='get' id='7' from='localhost'><ping xmlns='{PING}'/></iq>");
        let (step, out) = hear(Step::Online, &ping);
        assert_eq!(step, Ok(Step::Online));
        assert_eq!(out, "<iq type='result' id='7' to='localhost'/>");
    }

    #[test]
    fn what_is_refused_is_told_with_its_reason() {
        let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
        for (step, text, told) in [
            (
                Step::Verdict,
                format!("<failure xmlns='{SASL}'><not-authorized/></failure>"),
                "login failed: not-authorized",
            ),
            (
                Step::Roster,
                format!(
                    "<iq type='error' id='roster'><error type='cancel'><service-unavailable xmlns='{stanzas}'/></error></iq>"
                ),
                "asking for the roster failed: service-unavailable",
            ),
            (
                Step::Online,
                format!(
                    "<s:error xmlns:s='{STREAM}'><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></s:error>"
                ),
                "the node ended the stream: system-shutdown",
            ),
        ] {
            assert_eq!(hear(step, &text).0, Err(told.to_owned()));
        }
    }
}
