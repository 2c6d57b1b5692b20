//! Servers, accounts and phases.

use std::time::Duration;

use super::Missing;
use super::tree::Node;

/// How long users have who are still there when no more come, if the file does not say it.
const REST: Duration = Duration::from_secs(600);

/// All but the sessions.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) servers: Vec<Server>,
    pub(super) domain: String,
    /// The patterns of names and passwords.
    pub(super) user: String,
    pub(super) password: String,
    pub(super) accounts: u32,
    pub(super) phases: Vec<Phase>,
    /// For those who are still there then.
    pub(super) rest: Duration,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: String,
    pub(super) tls: &'static str,
    pub(super) weight: u32,
}

#[derive(Debug)]
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) lasts: Duration,
    pub(super) per_second: f64,
}

impl Load {
    /// What the file says of them.
    pub(super) fn of(top: &Node, missing: &mut Vec<Missing>) -> Load {
        let option = |name: &str| {
            top.below("options", "option")
                .find(|option| option.get("name") == Some(name))
                .and_then(|option| option.get("value"))
        };
        let number = |name: &str| option(name).and_then(|value| value.parse::<u32>().ok());
        for option in top.below("options", "option") {
            let name = option.get("name").unwrap_or_default();
            if !KNOWN.contains(&name) {
                missing.push(Missing {
                    line: option.line,
                    what: match name {
                        "file_server" | "userdb" => {
                            "accounts of a file; write csv: \"…\" into users, with \
                                          the columns jid and password"
                                .to_owned()
                        }
                        name => format!("the option {name}"),
                    },
                });
            }
        }
        let prefix = |name: &str, default: &str| {
            // The number of an account stands behind both in Tsung.
            format!("{}%d", option(name).unwrap_or(default))
        };
        let phases = phases(top, missing);
        let planned: Duration = phases.iter().map(|phase| phase.lasts).sum();
        let load = top.all("load").next();
        let whole = load.and_then(|load| Some(time(load.number("duration")?, load.get("unit"))));
        Load {
            servers: servers(top, missing),
            domain: option("domain").unwrap_or("localhost").to_owned(),
            user: prefix("username", "tsunguser"),
            password: prefix("passwd", "sesame"),
            // None at all means that they are in a file.
            accounts: number("userid_max")
                .filter(|most| *most > 0)
                .unwrap_or(10_000),
            phases,
            rest: whole
                .and_then(|whole| whole.checked_sub(planned))
                .filter(|rest| !rest.is_zero())
                .unwrap_or(REST),
        }
    }
}

/// Options that are taken over, or have no meaning here.
const KNOWN: &[&str] = &[
    "domain",
    "username",
    "passwd",
    "userid_max",
    // A gate behind which all go on together once so many are there: phases do that.
    "global_number",
];

fn servers(top: &Node, missing: &mut Vec<Missing>) -> Vec<Server> {
    // A step of a session there, a property of the server here.
    let starttls = top.any(&|node| node.name == "jabber" && node.get("type") == Some("starttls"));
    let mut servers = Vec::new();
    for server in top.below("servers", "server") {
        let kind = server.get("type").unwrap_or("tcp");
        let tls = match kind {
            "tcp" | "tcp6" if starttls => "starttls",
            "tcp" | "tcp6" => "off",
            "ssl" | "ssl6" => "direct",
            other => {
                let what = format!("a server over {other}; it is spoken to over TCP");
                missing.push(Missing {
                    line: server.line,
                    what,
                });
                "off"
            }
        };
        let host = server.get("host").unwrap_or("localhost");
        let host = match host.contains(':') && !host.starts_with('[') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        servers.push(Server {
            address: format!("{host}:{}", server.get("port").unwrap_or("5222")),
            tls,
            weight: server.number("weight").map_or(1, |weight| weight as u32),
        });
    }
    if servers.is_empty() {
        servers.push(Server {
            address: "127.0.0.1:5222".to_owned(),
            tls: "off",
            weight: 1,
        });
    }
    servers
}

fn phases(top: &Node, missing: &mut Vec<Missing>) -> Vec<Phase> {
    let mut phases = Vec::new();
    for phase in top.below("load", "arrivalphase") {
        let lasts = time(phase.number("duration").unwrap_or(0.0), phase.get("unit"));
        let mut per_second = 0.0;
        for users in phase.all("users") {
            let unit = time(1.0, users.get("unit")).as_secs_f64();
            let rate = match (users.number("interarrival"), users.number("arrivalrate")) {
                (Some(between), _) if between > 0.0 => 1.0 / between,
                (_, Some(rate)) => rate,
                _ => 0.0,
            };
            per_second += rate / unit;
            if let Some(most) = users.get("maxnumber") {
                missing.push(Missing {
                    line: users.line,
                    what: format!("no more than {most} users in the phase; they come at their rate until it ends"),
                });
            }
        }
        if lasts.is_zero() || per_second == 0.0 {
            let what = "a phase in which nobody comes".to_owned();
            missing.push(Missing {
                line: phase.line,
                what,
            });
            continue;
        }
        let number = phase.get("phase").map(str::to_owned);
        phases.push(Phase {
            name: number.unwrap_or_else(|| (phases.len() + 1).to_string()),
            lasts,
            per_second,
        });
    }
    for user in top.below("load", "user") {
        let what = "a user who comes at a time of their own".to_owned();
        missing.push(Missing {
            line: user.line,
            what,
        });
    }
    if phases.is_empty() {
        phases.push(Phase {
            name: "1".to_owned(),
            lasts: Duration::from_secs(60),
            per_second: 1.0,
        });
        let what = "there is no arrivalphase; one user a second comes for a minute".to_owned();
        missing.push(Missing {
            line: top.line,
            what,
        });
    }
    phases
}

/// So many of a unit of Tsung's; without one, seconds.
pub(super) fn time(number: f64, unit: Option<&str>) -> Duration {
    let seconds = match unit.unwrap_or("second") {
        "hour" => 3_600.0,
        "minute" => 60.0,
        "millisecond" => 0.001,
        _ => 1.0,
    };
    Duration::try_from_secs_f64(number * seconds).unwrap_or_default()
}
