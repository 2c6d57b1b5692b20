//! Whether the node can serve, and its figures: read from the counters of those who count.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use actors::figures::{ClientFigure, ClientFigures};
use actors::limits::Door;
use actors::vitals::{Roll, Trouble};
use admin::api::FigureKind::{Counter, Gauge, Histogram};
use admin::api::{Family, FigureValue, Health};
use router::{Counted, Router, Timed, Times};
use supervisors::snapshot::{ActorView, Extent, Snapshot};

use super::control::Listening;
use super::{heap, process};

/// How this node does.
pub(crate) struct NodeHealth {
    /// What it has routed.
    pub(crate) router: Router,
    /// What its clients did.
    pub(crate) clients: Arc<ClientFigures>,
    /// Who was let in.
    pub(crate) door: Arc<Door>,
    /// Its actors.
    pub(crate) roll: Roll,
    /// The tree; set as soon as it stands.
    pub(crate) snapshot: Arc<OnceLock<Snapshot>>,
    /// Where it listens.
    pub(crate) listening: Arc<[Listening]>,
}

type Labels = Vec<(&'static str, Cow<'static, str>)>;

impl Health for NodeHealth {
    fn missing(&self) -> Vec<String> {
        let Some(snapshot) = self.snapshot.get() else {
            return vec!["The node is still starting".to_owned()];
        };
        // The stages and what stands in them. A module that is started again is no reason to send
        // clients elsewhere.
        let stages = Extent {
            levels: 2,
            page: 0,
            after: None,
        };
        let mut missing = Vec::new();
        match snapshot.view(snapshot.root(), stages) {
            Some(tree) => not_running(&tree, &mut missing),
            None => missing.push("The supervision tree is gone".to_owned()),
        }
        self.roll.for_each(|_, status| {
            let away = || status.figures().contains(&("away", 1));
            if status.kind() == "pool" && away() {
                missing.push(format!("The database {} does not answer", status.name()));
            }
        });
        missing
    }

    fn figures(&self) -> Vec<Family> {
        let mut all = self.connections();
        all.extend(self.stanzas());
        all.extend(self.actors());
        all.extend(process::figures());
        all.extend(heap::figures());
        all
    }
}

/// Names what of the tree is to run and does not.
fn not_running(actor: &ActorView, missing: &mut Vec<String>) {
    for child in &actor.children {
        if child.state == "running" {
            not_running(child, missing);
        } else {
            missing.push(format!("{} is {}", child.path, child.state));
        }
    }
}

impl NodeHealth {
    fn connections(&self) -> Vec<Family> {
        let count = |figure| FigureValue::Count(self.clients.get(figure));
        let labelled = |name, of: &[(&'static str, FigureValue)]| -> Vec<(Labels, FigureValue)> {
            of.iter()
                .map(|(label, value)| (vec![(name, (*label).into())], value.clone()))
                .collect()
        };
        let open = self
            .listening
            .iter()
            .filter(|place| place.kind == "c2s")
            .map(|place| {
                let address = place.address.to_string().into();
                let open = FigureValue::Count((place.connections)());
                (vec![("listener", address)], open)
            });
        vec![
            Family::one(
                "mungo_connections_accepted",
                "Connections of clients that were let in",
                Counter,
                count(ClientFigure::Accepted),
            ),
            Family::of(
                "mungo_connections_refused",
                "Connections of clients that were over a limit: of those not logged in, or of the port",
                Counter,
                labelled(
                    "limit",
                    &[
                        ("unauthenticated", FigureValue::Count(self.door.refused())),
                        ("port", count(ClientFigure::PortFull)),
                    ],
                ),
            ),
            Family::of(
                "mungo_connections",
                "Connections of clients that are open",
                Gauge,
                open,
            ),
            Family::one(
                "mungo_connections_unauthenticated",
                "Connections of clients that have not bound a resource yet",
                Gauge,
                FigureValue::Count(self.door.inside().into()),
            ),
            Family::one(
                "mungo_sessions",
                "Sessions that are bound",
                Gauge,
                FigureValue::Count(count_of(self.router.directory().len())),
            ),
            Family::of(
                "mungo_logins",
                "Logins by their result; unavailable are those that nobody could check",
                Counter,
                labelled(
                    "result",
                    &[
                        ("success", count(ClientFigure::LoggedIn)),
                        ("failure", count(ClientFigure::LoginFailed)),
                        ("unavailable", count(ClientFigure::LoginUnavailable)),
                    ],
                ),
            ),
            Family::of(
                "mungo_connections_lost",
                "Connections that ended before a resource was bound, by us",
                Counter,
                labelled(
                    "why",
                    &[
                        ("timeout", count(ClientFigure::TimedOut)),
                        ("tls", count(ClientFigure::HandshakeFailed)),
                    ],
                ),
            ),
            Family::of(
                "mungo_sessions_closed_at_mark",
                "Sessions that were closed as more waited for them than is kept, in their mailbox or for their socket",
                Counter,
                labelled(
                    "mark",
                    &[
                        ("mailbox", count(ClientFigure::Overflowed)),
                        ("socket", count(ClientFigure::NotReading)),
                    ],
                ),
            ),
        ]
    }

    fn stanzas(&self) -> Vec<Family> {
        let figures = self.router.figures();
        let stanzas = Counted::ALL.into_iter().flat_map(|kind| {
            let both = [
                ("in", figures.received(kind)),
                ("out", figures.delivered(kind)),
            ];
            both.map(|(direction, count)| {
                let labels: Labels = vec![
                    ("kind", kind.name().into()),
                    ("direction", direction.into()),
                ];
                (labels, FigureValue::Count(count))
            })
        });
        let hooks = [
            ("sender", Timed::SenderStanza),
            ("session", Timed::SessionStanza),
        ];
        let hooks =
            hooks.map(|(fold, what)| (vec![("fold", fold.into())], histogram(figures.times(what))));
        vec![
            Family::of(
                "mungo_stanzas",
                "Stanzas that clients have sent (in) and that were written for clients (out)",
                Counter,
                stanzas,
            ),
            Family::one(
                "mungo_route_seconds",
                "How long one stanza in 61 took to be routed, account hooks and IQ handlers included",
                Histogram,
                histogram(figures.times(Timed::Route)),
            ),
            Family::of(
                "mungo_hooks_seconds",
                "How long the hooks of a fold took, for one stanza in 61",
                Histogram,
                hooks,
            ),
        ]
    }

    fn actors(&self) -> Vec<Family> {
        let mut living = BTreeMap::<&'static str, u64>::new();
        let (mut waiting, mut bytes) = (0, 0);
        let mut modules = BTreeMap::<String, [u64; 2]>::new();
        self.roll.for_each(|_, status| {
            *living.entry(status.kind()).or_default() += 1;
            waiting += status.in_hand();
            bytes += status.mailbox_bytes();
            if status.kind() == "module" {
                // One module serves several host types.
                let sums = modules.entry(status.name().into_owned()).or_default();
                for (name, value) in status.figures() {
                    match name {
                        "answered" => sums[0] += value,
                        "faults" => sums[1] += value,
                        _ => {}
                    }
                }
            }
        });
        let by_kind = |counts: BTreeMap<&'static str, u64>| {
            let labelled = |(kind, count)| -> (Labels, FigureValue) {
                (
                    vec![("kind", Cow::Borrowed(kind))],
                    FigureValue::Count(count),
                )
            };
            counts.into_iter().map(labelled).collect::<Vec<_>>()
        };
        let by_module = |at: usize| {
            let labelled = |(name, sums): (&String, &[u64; 2])| -> (Labels, FigureValue) {
                let name = Cow::Owned(name.clone());
                (vec![("module", name)], FigureValue::Count(sums[at]))
            };
            modules.iter().map(labelled).collect::<Vec<_>>()
        };
        let falls = self.roll.falls();
        let one =
            |name, help, kind, count| Family::one(name, help, kind, FigureValue::Count(count));
        vec![
            Family::of("mungo_actors", "Actors that live", Gauge, by_kind(living)),
            Family::of(
                "mungo_actors_started",
                "Actors that were started, for the first time or again",
                Counter,
                by_kind(self.roll.entered()),
            ),
            one(
                "mungo_actors_restarted",
                "Actors that were started again",
                Counter,
                falls.restarted,
            ),
            one(
                "mungo_actors_failed",
                "Actors that failed or were killed",
                Counter,
                falls.failed,
            ),
            one(
                "mungo_supervisors_gave_up",
                "Supervisors that had too many restarts",
                Counter,
                falls.gave_up,
            ),
            Family::of(
                "mungo_actors_in_trouble",
                "Actors that handle nothing (stuck) or get more than they handle (behind); the log names them",
                Gauge,
                self.troubles(),
            ),
            one(
                "mungo_mailbox_messages",
                "Messages that wait in mailboxes or are in hand",
                Gauge,
                waiting,
            ),
            one(
                "mungo_mailbox_bytes",
                "Bytes of stanzas in the mailboxes of sessions: their credit in use",
                Gauge,
                bytes,
            ),
            Family::of(
                "mungo_module_answers",
                "IQs that a module has answered",
                Counter,
                by_module(0),
            ),
            Family::of(
                "mungo_module_faults",
                "Panics of a module's handlers",
                Counter,
                by_module(1),
            ),
        ]
    }

    /// How many are in trouble, by kind; the name of a session or an account is somebody's address and stays out.
    fn troubles(&self) -> Vec<(Labels, FigureValue)> {
        let mut counts = BTreeMap::<[Cow<'static, str>; 3], u64>::new();
        for (id, trouble) in self.roll.troubles() {
            let Some(status) = self.roll.get(id) else {
                continue;
            };
            let trouble = match trouble {
                Trouble::Stuck(_) => "stuck",
                Trouble::Grows(_) => "behind",
            };
            let actor = match status.kind() {
                "session" | "account" => Cow::Borrowed(""),
                _ => Cow::Owned(status.name().into_owned()),
            };
            *counts
                .entry([trouble.into(), status.kind().into(), actor])
                .or_default() += 1;
        }
        let labelled = |(names, count): ([Cow<'static, str>; 3], u64)| -> (Labels, FigureValue) {
            let [trouble, kind, actor] = names;
            let labels = vec![("trouble", trouble), ("kind", kind), ("actor", actor)];
            (labels, FigureValue::Count(count))
        };
        counts.into_iter().map(labelled).collect()
    }
}

fn histogram(times: &Times) -> FigureValue {
    let counts = times.counts();
    let seconds = |nanos: &u64| std::time::Duration::from_nanos(*nanos).as_secs_f64();
    let bounds = Times::BOUNDS.iter().map(seconds);
    FigureValue::Histogram(
        bounds.zip(counts).collect(),
        counts[Times::BOUNDS.len()],
        times.sum().as_secs_f64(),
    )
}

fn count_of(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(path: &str, state: &'static str, children: Vec<ActorView>) -> ActorView {
        ActorView {
            name: path.rsplit('/').next().unwrap_or_default().into(),
            path: path.to_owned(),
            kind: "supervisor",
            state,
            depth: 0,
            handled: 0,
            restarts: 0,
            last_error: None,
            figures: Vec::new(),
            child_count: children.len(),
            children,
        }
    }

    #[test]
    fn what_does_not_run_is_named() {
        let tree = actor(
            "node",
            "running",
            vec![
                actor("node/pools", "waiting", vec![]),
                actor(
                    "node/hosts",
                    "running",
                    vec![actor("node/hosts/default", "ended", vec![])],
                ),
            ],
        );
        let mut missing = Vec::new();
        not_running(&tree, &mut missing);
        assert_eq!(
            missing,
            ["node/pools is waiting", "node/hosts/default is ended"]
        );
    }
}
