//! What users do.

use super::Missing;
use super::load::time;
use super::tree::Node;
use super::write::{quoted, span};

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) weight: u32,
    pub(super) steps: Vec<Line>,
}

/// A line of the steps.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A step.
    Step(String),
    /// A step with steps inside: what stands before them.
    Open(String),
    /// Its end.
    Close,
    /// What could not be taken over.
    Comment(String),
}

/// All sessions for `ts_jabber`.
pub(super) fn sessions(top: &Node, missing: &mut Vec<Missing>) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for session in top.below("sessions", "session") {
        if session.get("type") != Some("ts_jabber") {
            let kind = session.get("type").unwrap_or("no type");
            let what = format!("a session for {kind}");
            missing.push(Missing {
                line: session.line,
                what,
            });
            continue;
        }
        let mut walk = Walk {
            missing,
            steps: Vec::new(),
            connected: false,
            online: false,
        };
        walk.children(session);
        if walk.connected {
            // Tsung closes the connection of who has come to the end.
            walk.steps.push(Line::Step("disconnect".to_owned()));
        }
        let steps = walk.steps;
        if !steps.iter().any(|step| matches!(step, Line::Step(_))) {
            let what = "a session of which nothing is left".to_owned();
            missing.push(Missing {
                line: session.line,
                what,
            });
            continue;
        }
        let number = sessions.len() + 1;
        let name = session.get("name").map(str::to_owned).unwrap_or_default();
        let taken = sessions.iter().any(|other| other.name == name);
        sessions.push(Session {
            name: match name.is_empty() || taken {
                true => format!("{name} {number}").trim().to_owned(),
                false => name,
            },
            weight: weight(session),
            steps,
        });
    }
    sessions
}

/// Shares may be as fine as a hundredth of a hundredth.
fn weight(session: &Node) -> u32 {
    match (session.number("weight"), session.number("probability")) {
        (Some(weight), _) => weight as u32,
        (None, Some(percent)) => (percent * 100.0).round() as u32,
        (None, None) => 1,
    }
}

/// A walk along the steps of a session.
struct Walk<'a> {
    missing: &'a mut Vec<Missing>,
    steps: Vec<Line>,
    connected: bool,
    online: bool,
}

impl Walk<'_> {
    fn children(&mut self, node: &Node) {
        for child in &node.children {
            self.node(child);
        }
    }

    fn node(&mut self, node: &Node) {
        match node.name.as_str() {
            "request" => {
                for inside in &node.children {
                    match inside.name.as_str() {
                        "jabber" => self.request(inside),
                        // Who asks whether an answer is as it should be, and what to keep of it.
                        other => self.miss(inside, &format!("<{other}> of an answer")),
                    }
                }
            }
            "thinktime" => self.think(node),
            "transaction" => {
                let name = node.get("name").unwrap_or("transaction");
                self.inside(node, format!("transaction(name: {}", quoted(name)));
            }
            "for" => {
                let (from, to) = (node.number("from"), node.number("to"));
                match (from, to) {
                    (Some(from), Some(to)) if to >= from => {
                        let step = node
                            .number("incr")
                            .filter(|step| *step >= 1.0)
                            .unwrap_or(1.0);
                        let times = ((to - from) / step).floor() as u64 + 1;
                        self.inside(node, format!("repeat(times: {times}"));
                    }
                    _ => self.miss(node, "a loop with ends that are no numbers"),
                }
            }
            "repeat" => {
                let times = node.number("max_repeat").unwrap_or(20.0) as u64;
                self.miss(
                    node,
                    &format!("the condition of a loop; it is gone through {times} times"),
                );
                self.inside(node, format!("repeat(times: {times}"));
            }
            other => self.miss(node, &format!("<{other}>")),
        }
    }

    /// A step with others inside; without any it says nothing.
    fn inside(&mut self, node: &Node, open: String) {
        let before = self.steps.len();
        self.steps.push(Line::Open(open));
        self.children(node);
        if self.steps[before + 1..]
            .iter()
            .any(|line| matches!(line, Line::Step(_)))
        {
            self.steps.push(Line::Close);
        } else {
            // Comments stay.
            self.steps.remove(before);
        }
    }

    fn think(&mut self, node: &Node) {
        let seconds = |name: &str| node.number(name).map(|number| span(time(number, None)));
        let random = node.get("random") == Some("true");
        let think = match (seconds("min"), seconds("max"), seconds("value")) {
            (Some(min), Some(max), _) if node.number("min") <= node.number("max") => {
                format!("uniform({min}, {max})")
            }
            (_, _, Some(value)) if random => format!("exponential({value})"),
            (_, _, Some(value)) => format!("constant({value})"),
            _ => return self.miss(node, "a time to think without a value"),
        };
        self.step(format!("think({think})"));
    }

    fn request(&mut self, jabber: &Node) {
        for inside in &jabber.children {
            self.miss(inside, &format!("<{}> in a request", inside.name));
        }
        let kind = jabber.get("type").unwrap_or("chat");
        match kind {
            "connect" | "stream" if self.connected => {
                // Behind the login Tsung opens the stream anew by itself; so does `authenticate`.
            }
            "connect" => {
                self.step("connect".to_owned());
                (self.connected, self.online) = (true, false);
            }
            // The target says it.
            "starttls" => self.connect(),
            // Of a login with several steps, the one that proves the password is the login.
            "auth_get" | "auth_sasl_bind" | "auth_sasl_session" => {}
            "authenticate" | "auth_set_plain" | "auth_set_digest" | "auth_set_sip"
            | "auth_sasl" => {
                if !self.online {
                    self.connect();
                    self.step("authenticate".to_owned());
                    self.online = true;
                }
            }
            "register" if !self.online => {
                self.connect();
                self.step("register".to_owned());
            }
            "presence" | "presence:initial" => self.when_online(jabber, "presence".to_owned()),
            "presence:final" => self.when_online(jabber, "show(\"unavailable\")".to_owned()),
            "presence:broadcast" => {
                let show = jabber.get("show").unwrap_or("chat");
                let known = ["away", "chat", "dnd", "xa", "available"].contains(&show);
                if !known {
                    self.miss(jabber, &format!("a presence that shows {show}"));
                }
                let show = if known { show } else { "available" };
                if jabber.get("status").is_some() {
                    self.miss(jabber, "the status of a presence");
                }
                self.when_online(jabber, format!("show({})", quoted(show)));
            }
            "iq:roster:get" => self.when_online(jabber, "roster".to_owned()),
            "chat" => self.chat(jabber),
            "raw" => self.raw(jabber),
            "close" if self.connected => {
                self.step("disconnect".to_owned());
                (self.connected, self.online) = (false, false);
            }
            "close" => {}
            other => self.miss(jabber, &format!("the request {other}")),
        }
    }

    fn chat(&mut self, jabber: &Node) {
        let to = match jabber.get("destination").unwrap_or("random") {
            "online" => "online".to_owned(),
            "offline" => "offline".to_owned(),
            "random" => "random".to_owned(),
            other @ ("unique" | "previous") => {
                self.miss(
                    jabber,
                    &format!("the destination {other}; it goes to anybody"),
                );
                "random".to_owned()
            }
            address if address.contains('@') => format!("address({})", quoted(address)),
            other => {
                self.miss(
                    jabber,
                    &format!("the destination {other}; it goes to anybody"),
                );
                "random".to_owned()
            }
        };
        let text = match jabber.get("data") {
            Some(text) if text.contains("%%") => {
                self.miss(jabber, "a text with variables; it has a length instead");
                String::new()
            }
            Some(text) => format!(", text: {}", quoted(text)),
            None => String::new(),
        };
        let size = jabber.number("size").unwrap_or(0.0).clamp(1.0, 65_536.0) as u32;
        self.when_online(jabber, format!("message(to: {to}, bytes: {size}{text})"));
    }

    fn raw(&mut self, jabber: &Node) {
        let data = jabber.get("data").unwrap_or_default();
        if data.contains("%%") {
            return self.miss(jabber, "raw data with variables");
        }
        if let Err(error) = xml::Element::parse_in(data.as_bytes(), crate::client::CLIENT) {
            return self.miss(jabber, &format!("raw data that is no stanza ({error})"));
        }
        if !matches!(jabber.get("ack"), None | Some("no_ack")) {
            self.miss(jabber, "waiting for something to come behind raw data; write an ask(xml: …) if there is an answer");
        }
        // Braces stand for variables here; where nobody knows the name they stay as they are.
        self.when_online(jabber, format!("send(xml: {})", quoted(data)));
    }

    fn connect(&mut self) {
        if !self.connected {
            self.step("connect".to_owned());
            self.connected = true;
        }
    }

    fn when_online(&mut self, node: &Node, step: String) {
        if self.online {
            self.step(step);
        } else {
            self.miss(node, "something that only who is logged in can do");
        }
    }

    fn step(&mut self, step: String) {
        self.steps.push(Line::Step(step));
    }

    fn miss(&mut self, node: &Node, what: &str) {
        let missing = Missing {
            line: node.line,
            what: what.to_owned(),
        };
        self.steps.push(Line::Comment(missing.to_string()));
        self.missing.push(missing);
    }
}
