//! How nodes find each other and become one server.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::domain::{check_tls_files, reason, resolve};
use crate::setting::quote;
use crate::{Problems, Setting, Shape, Size, Span, settings};

/// The longest name of a cluster or a node, in bytes.
const MAX_NAME: usize = 64;
/// A cookie with fewer bytes than this is guessed.
const MIN_COOKIE: usize = 16;
/// The largest stanza and what goes with it must fit behind each other.
const MIN_QUEUE: Size = Size::mib(1);

settings! {
    /// Other nodes that are one server with this one. They need the same `name`, the same cookie,
    /// one database and one way to find each other: any of `seeds`, `dns`, `file` and `database`.
    pub struct Cluster {
        /// The name of the cluster. Nodes of another one are refused.
        name: String = "mungo".into(),
        /// The name of this node, which no other one has: up to 64 of a-z, 0-9, `.` and `-`.
        /// None: one is made at the first start and kept in the data folder.
        node: Option<String>,
        /// The file with the secret that all nodes have, 16 bytes or more. None: `cluster.cookie`
        /// in the data folder, made at the first start if it is missing; copy it to the others.
        cookie: Option<PathBuf>,
        /// The address and port where other nodes connect.
        listen: SocketAddr = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), Cluster::PORT),
        /// Where others reach this node, if it isn't `listen`: "10.0.0.5:25269".
        advertise: Option<Endpoint>,
        /// Nodes that are tried at start and again while they aren't there: ["10.0.0.5:25269"].
        seeds: Vec<Endpoint>,
        dns: Option<DnsDiscovery>,
        file: Option<FileDiscovery>,
        database: Option<DatabaseDiscovery>,
        tls: Option<ClusterTls>,
        /// A node from which nothing was heard for so long is dead: its sessions are gone for the
        /// others, and what it had not confirmed is routed again.
        dead_after: Span = Span::seconds(5),
        /// Two nodes have so long to find out who the other one is.
        handshake_timeout: Span = Span::seconds(5),
        /// A node that was not there for so long is no longer shown as missing.
        forget_after: Span = Span::hours(1),
        /// How much may wait for another node. Those who write to its users wait at this mark.
        queue: Size = Size::mib(8),
        /// Whether nodes that are cut off from most of the others refuse new logins.
        quorum: bool = false,
    }
    check |cluster, problems| {
        check_name("name", &cluster.name, problems);
        if let Some(node) = &cluster.node {
            check_name("node", node, problems);
        }
        if let Some(cookie) = &cluster.cookie {
            check_cookie(cookie, problems);
        }
        cluster.check_addresses(problems);
        problems.at_least("dead_after", cluster.dead_after, Span::seconds(1));
        problems.at_least("handshake_timeout", cluster.handshake_timeout, Span::millis(100));
        problems.at_least("forget_after", cluster.forget_after, Span::minutes(1));
        problems.at_least("queue", cluster.queue, MIN_QUEUE);
    }
}

settings! {
    /// Finds nodes by a name that has the address of each: all A and AAAA records of it.
    pub struct DnsDiscovery {
        /// The name and the port: "mungo.internal:25269".
        name: Endpoint = Endpoint(format!("mungo.internal:{}", Cluster::PORT)),
        /// It is looked up so often.
        every: Span = Span::seconds(10),
    }
    check |dns, problems| {
        problems.at_least("every", dns.every, Span::millis(100));
    }
}

settings! {
    /// Finds nodes by a file with an address in each line, such as 10.0.0.5:25269; what follows a
    /// `#` is a comment.
    pub struct FileDiscovery {
        /// The file. A relative path starts at the folder of the configuration file.
        path: PathBuf = PathBuf::from("nodes.txt"),
        /// It is looked at so often, and read when it has changed.
        every: Span = Span::seconds(2),
    }
    check |file, problems| {
        problems.at_least("every", file.every, Span::millis(100));
        if let Err(error) = std::fs::metadata(&file.path) {
            problems.warn("path", format!("cannot read {}: {}", file.path.display(), reason(&error)),
                "create it; it may be empty, and is read when it changes");
        }
    }
}

settings! {
    /// Finds nodes by a table of the database, in which each says where it is.
    pub struct DatabaseDiscovery {
        /// Each node says so often that it is there.
        every: Span = Span::seconds(2),
        /// The row of a node that was silent for so long is deleted.
        forget_after: Span = Span::minutes(10),
    }
    check |database, problems| {
        problems.at_least("every", database.every, Span::millis(100));
        if database.forget_after.get() < database.every.get() * 5 {
            problems.error("forget_after", format!("{} is less than five times `every`, {}", database.forget_after, database.every),
                "write more, or nodes that are there would be deleted");
        }
    }
}

settings! {
    /// TLS between nodes, on both sides with a certificate of an authority of your own. Without
    /// it the cookie still keeps strangers out, but everybody on the way can read along.
    pub struct ClusterTls {
        /// PEM file with the certificate of the authority that has signed all nodes' certificates.
        ca: Option<PathBuf>,
        /// PEM file with this node's certificate and its chain.
        certificate: Option<PathBuf>,
        /// PEM file with the private key of the certificate.
        key: Option<PathBuf>,
    }
    check |tls, problems| {
        for (field, path) in [("ca", &tls.ca), ("certificate", &tls.certificate)] {
            if path.is_none() {
                problems.error(field, format!("`{field}` is missing"), format!("add `{field}: \"…\"` with a PEM file"));
            }
        }
        check_tls_files(tls.certificate.as_deref(), tls.key.as_deref(), problems);
        if let Some(ca) = &tls.ca {
            problems.within("ca", |problems| match std::fs::read(ca) {
                Err(error) => problems.error("", format!("cannot read {}: {}", ca.display(), reason(&error)),
                    "write the path of a PEM file that the node may read"),
                Ok(bytes) if !String::from_utf8_lossy(&bytes).contains("CERTIFICATE-----") => {
                    problems.error("", format!("{} has no block \"BEGIN CERTIFICATE\"", ca.display()), "write the path of a PEM file");
                }
                Ok(_) => {}
            });
        }
    }
}

impl Cluster {
    /// The port where nodes usually listen for each other.
    pub const PORT: u16 = 25_269;

    /// Where others reach this node.
    #[must_use]
    pub fn advertised(&self) -> Endpoint {
        let listen = || Endpoint(self.listen.to_string());
        self.advertise.clone().unwrap_or_else(listen)
    }

    /// Makes relative paths start at `folder`.
    pub(crate) fn resolve(&mut self, folder: &Path) {
        resolve(&mut self.cookie, folder);
        if let Some(file) = &mut self.file {
            file.path = folder.join(&file.path);
        }
        if let Some(tls) = &mut self.tls {
            resolve(&mut tls.ca, folder);
            resolve(&mut tls.certificate, folder);
            resolve(&mut tls.key, folder);
        }
    }

    fn check_addresses(&self, problems: &mut Problems) {
        if self.listen.port() == 0 {
            problems.error(
                "listen",
                "port 0 means any free port, which nobody would find",
                format!(
                    "write a port from 1 to 65535, such as \"{}:{}\"",
                    self.listen.ip(),
                    Self::PORT
                ),
            );
        }
        if self.listen.ip().is_unspecified() && self.advertise.is_none() {
            problems.error(
                "listen",
                format!("others can't be told to connect to {}", self.listen.ip()),
                format!(
                    "write an address of this machine, or add `advertise: \"10.0.0.5:{}\"` with one",
                    self.listen.port()
                ),
            );
        }
        if !self.listen.ip().is_loopback() && self.tls.is_none() {
            problems.warn(
                "listen",
                format!(
                    "what nodes tell each other can be read on the way to {}",
                    self.listen.ip()
                ),
                "add `tls: (ca: \"…\", certificate: \"…\", key: \"…\")` unless the network between is trusted",
            );
        }
        let finds_nobody = self.seeds.is_empty()
            && self.dns.is_none()
            && self.file.is_none()
            && self.database.is_none();
        if finds_nobody {
            problems.warn(
                "",
                "this node looks for no other one",
                "add `seeds`, `dns`, `file` or `database`; one node may go without if all others find it",
            );
        }
    }
}

/// Names travel between nodes, stand in paths of actors and in metrics.
fn check_name(field: &str, name: &str, problems: &mut Problems) {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    let what = if name.is_empty() {
        "the name is empty".to_owned()
    } else if name.len() > MAX_NAME {
        format!("the name has {} bytes, more than {MAX_NAME}", name.len())
    } else if let Some(c) = name.chars().find(|c| !known(*c)) {
        format!("\"{name}\" has the character '{}'", c.escape_debug())
    } else {
        return;
    };
    problems.error(field, what, "write a name of a-z, 0-9, `.` and `-`");
}

fn check_cookie(path: &Path, problems: &mut Problems) {
    match std::fs::read(path) {
        Err(error) => problems.error(
            "cookie",
            format!("cannot read {}: {}", path.display(), reason(&error)),
            "copy the cookie of another node there, or leave `cookie` out to have one made",
        ),
        Ok(bytes) if bytes.trim_ascii().len() < MIN_COOKIE => problems.error(
            "cookie",
            format!(
                "the cookie in {} has fewer than {MIN_COOKIE} bytes",
                path.display()
            ),
            "write a longer one that nobody can guess, the same for all nodes",
        ),
        Ok(_) => {}
    }
}

/// A host and a port: `"10.0.0.5:25269"`, `"node-a.internal:25269"` or `"[2001:db8::1]:25269"`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(String);

impl Endpoint {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("\"{text}\" {why}");
        if text.parse::<SocketAddr>().is_ok_and(|it| it.port() != 0) {
            return Ok(Self(text.to_owned()));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(bad("has no port"));
        };
        if port.parse::<u16>().ok().filter(|port| *port != 0).is_none() {
            return Err(bad("has no port from 1 to 65535"));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
            return Err(bad("is no host and port"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsEndpoint;
        impl Visitor<'_> for AsEndpoint {
            type Value = Endpoint;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a host and a port")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Endpoint, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(AsEndpoint)
    }
}

impl Setting for Endpoint {
    fn expects() -> String {
        "a host and a port in double quotes, such as \"10.0.0.5:25269\"".into()
    }
    fn shape(&self) -> Shape {
        Shape::Value {
            text: quote(&self.0),
            expects: Self::expects(),
        }
    }
}
