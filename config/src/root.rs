//! The whole configuration.

use std::net::SocketAddr;
use std::path::Path;

use crate::{
    Auth, Cluster, Domain, Listener, ListenerKind, Log, OnConflict, Problems, Sessions, Shutdown,
    Store, StreamLimits, Watchdog, settings,
};

settings! {
    /// The whole configuration. `M` is the `modules` section, made from the node's list of modules.
    pub struct Config<M> {
        /// The domains that the node serves: `["example.org"]`.
        domains: Vec<Domain> = vec![Domain::new("localhost")],
        /// Where the node listens.
        listeners: Vec<Listener> = Listener::defaults(),
        auth: Auth,
        sessions: Sessions,
        stream: StreamLimits,
        store: Store,
        cluster: Option<Cluster>,
        log: Log,
        watchdog: Watchdog,
        shutdown: Shutdown,
        /// What the server offers. A module that is not named runs with its defaults;
        /// `ping: (interval: "10m")` changes them, `ping: off` switches the module off.
        modules: M,
    }
    check |config, problems| {
        check_domains(&config.domains, problems);
        check_listeners(&config.listeners, problems);
        if let Some(cluster) = &config.cluster {
            check_cluster(cluster, config, problems);
        }
    }
}

impl<M> Config<M> {
    /// Makes relative paths start at `folder`.
    pub(crate) fn resolve(&mut self, folder: &Path) {
        for domain in &mut self.domains {
            domain.resolve(folder);
        }
        for listener in &mut self.listeners {
            listener.resolve(folder);
        }
        self.store.resolve(folder);
        if let Some(cluster) = &mut self.cluster {
            cluster.resolve(folder);
        }
    }
}

fn check_domains(domains: &[Domain], problems: &mut Problems) {
    if domains.is_empty() {
        problems.error(
            "domains",
            "the node serves no domain",
            "write at least one: [\"example.org\"]",
        );
    }
    let plain = |domain: &Domain| domain.name.trim_end_matches('.').to_lowercase();
    for (index, domain) in domains.iter().enumerate() {
        if domains[..index]
            .iter()
            .any(|earlier| plain(earlier) == plain(domain))
        {
            problems.error(
                &format!("domains[{index}]"),
                format!("\"{}\" is there twice", domain.name),
                "leave one out",
            );
        }
    }
}

fn check_listeners(listeners: &[Listener], problems: &mut Problems) {
    if !listeners
        .iter()
        .any(|listener| listener.kind == ListenerKind::C2s)
    {
        problems.warn(
            "listeners",
            "no listener is for clients",
            "add one: (kind: c2s)",
        );
    }
    if !listeners
        .iter()
        .any(|listener| listener.kind == ListenerKind::Admin)
    {
        problems.warn(
            "listeners",
            "no listener is for administration, mungoctl can't reach the node",
            "add one: (kind: admin)",
        );
    }
    for (index, listener) in listeners.iter().enumerate() {
        let address = listener.socket_addr();
        let earlier = listeners[..index]
            .iter()
            .position(|earlier| overlap(earlier.socket_addr(), address));
        if let Some(earlier) = earlier {
            let field = if listener.port.is_some() {
                format!("listeners[{index}].port")
            } else {
                format!("listeners[{index}]")
            };
            problems.error(
                &field,
                format!(
                    "port {} is taken by listeners[{earlier}] at {}",
                    address.port(),
                    listeners[earlier].socket_addr()
                ),
                "write another port or another address",
            );
        }
    }
}

/// What nodes of one server can't each decide for themselves.
fn check_cluster<M>(cluster: &Cluster, config: &Config<M>, problems: &mut Problems) {
    if config.sessions.on_conflict == OnConflict::Refuse {
        problems.error(
            "sessions.on_conflict",
            "in a cluster the older session can't be kept: two nodes may each have one",
            "write replace or rename",
        );
    }
    if config.store.url.is_none() {
        problems.warn(
            "cluster",
            "the database is this node's own: other nodes would have other accounts",
            "name one database for all nodes: `store: (url: \"sqlite:/srv/mungo/mungo.sqlite\")`",
        );
    }
    let taken = |listener: &Listener| overlap(listener.socket_addr(), cluster.listen);
    if let Some(index) = config.listeners.iter().position(taken) {
        problems.error(
            "cluster.listen",
            format!(
                "port {} is taken by listeners[{index}] at {}",
                cluster.listen.port(),
                config.listeners[index].socket_addr()
            ),
            "write another port or another address",
        );
    }
}

/// Whether the system would refuse to listen on both.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let same_family = one.is_ipv4() == other.is_ipv4();
    let any = |address: SocketAddr| address.ip().is_unspecified();
    // "::" takes IPv4 too on most systems.
    let any_v6 = |address: SocketAddr| any(address) && address.is_ipv6();
    one.port() == other.port()
        && (one.ip() == other.ip()
            || (same_family && (any(one) || any(other)))
            || any_v6(one)
            || any_v6(other))
}
