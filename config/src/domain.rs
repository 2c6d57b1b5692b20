//! The domains that the node serves.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::{Problems, Setting, Shape, settings};

settings! {
    /// The long form of a domain.
    pub struct DomainKeys {
        /// Its name, as it stands behind the `@` of its accounts. A domain that has nothing but
        /// a name is written as that name alone: `"example.org"`.
        name: String = "localhost".into(),
        /// PEM file with the certificate of this domain and its chain. Without one the node makes
        /// a self-signed one and keeps it in its data folder. A relative path starts at the folder
        /// of the configuration file.
        certificate: Option<PathBuf>,
        /// PEM file with the private key of the certificate.
        key: Option<PathBuf>,
    }
}

/// A domain that the node serves: `"example.org"`, or
/// `(name: "example.org", certificate: "chain.pem", key: "key.pem")`.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// Its name as written; whoever uses it prepares it as RFC 7622 asks.
    pub name: String,
    /// PEM file with its certificate and chain.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of the certificate.
    pub key: Option<PathBuf>,
}

impl Domain {
    /// A domain with the node's self-signed certificate.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            certificate: None,
            key: None,
        }
    }

    /// The certificate and its key if both are given.
    pub fn tls_files(&self) -> Option<(&Path, &Path)> {
        self.certificate.as_deref().zip(self.key.as_deref())
    }

    pub(crate) fn resolve(&mut self, folder: &Path) {
        resolve(&mut self.certificate, folder);
        resolve(&mut self.key, folder);
    }
}

impl From<DomainKeys> for Domain {
    fn from(keys: DomainKeys) -> Self {
        Self {
            name: keys.name,
            certificate: keys.certificate,
            key: keys.key,
        }
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrKeys;
        impl<'de> Visitor<'de> for NameOrKeys {
            type Value = Domain;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a domain, or its keys in parentheses")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Domain, E> {
                Ok(Domain::new(name))
            }
            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Domain, A::Error> {
                DomainKeys::deserialize(MapAccessDeserializer::new(keys)).map(Domain::from)
            }
        }
        deserializer.deserialize_any(NameOrKeys)
    }
}

impl Setting for Domain {
    fn expects() -> String {
        "the name of a domain in double quotes, or its keys in parentheses".into()
    }

    fn shape(&self) -> Shape {
        let Self {
            name,
            certificate,
            key,
        } = self.clone();
        DomainKeys {
            name,
            certificate,
            key,
        }
        .shape()
    }

    fn blank() -> Shape {
        DomainKeys::blank().or("\"example.org\"")
    }

    fn check(&self, problems: &mut Problems) {
        if let Some(what) = bad_name(&self.name) {
            problems.error("name", what, "write a host name such as \"example.org\"");
        }
        check_tls_files(self.certificate.as_deref(), self.key.as_deref(), problems);
    }
}

/// What is wrong with the name of a domain, as far as one can tell without its preparation.
fn bad_name(name: &str) -> Option<String> {
    let label = |label: &str| {
        (label.len() > 63 && label.is_ascii()) || label.starts_with('-') || label.ends_with('-')
    };
    let forbidden = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || (c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_'))
    };
    if name.is_empty() {
        return Some("the name of the domain is empty".into());
    }
    if name.len() > 1023 {
        return Some(format!(
            "the name of the domain has {} bytes, more than the 1023 of RFC 7622",
            name.len()
        ));
    }
    if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') {
        return Some(format!(
            "\"{name}\" is an address, not the name of a domain"
        ));
    }
    if let Some(c) = name.chars().find(|c| forbidden(*c)) {
        return Some(format!(
            "\"{name}\" is not the name of a domain: it has the character '{}'",
            c.escape_debug()
        ));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.split('.').any(|part| part.is_empty() || label(part)) {
        return Some(format!("\"{name}\" is not the name of a domain"));
    }
    None
}

/// Relative paths of a configuration start at the folder of its file.
pub(crate) fn resolve(path: &mut Option<PathBuf>, folder: &Path) {
    if let Some(path) = path {
        *path = folder.join(&*path);
    }
}

/// A certificate needs a key, a key a certificate, and both must be readable files.
pub(crate) fn check_tls_files(
    certificate: Option<&Path>,
    key: Option<&Path>,
    problems: &mut Problems,
) {
    match (certificate, key) {
        (Some(_), None) => problems.error(
            "certificate",
            "a certificate without its private key",
            "add `key: \"…\"` with the PEM file of the private key",
        ),
        (None, Some(_)) => problems.error(
            "key",
            "a private key without its certificate",
            "add `certificate: \"…\"` with the PEM file of the certificate and its chain",
        ),
        _ => {}
    }
    for (field, label, path) in [
        ("certificate", "CERTIFICATE", certificate),
        ("key", "PRIVATE KEY", key),
    ] {
        let Some(path) = path else { continue };
        match std::fs::read(path) {
            Err(error) => problems.error(
                field,
                format!("cannot read {}: {}", path.display(), reason(&error)),
                "write the path of a PEM file that the node may read",
            ),
            Ok(bytes) if !String::from_utf8_lossy(&bytes).contains(&format!("{label}-----")) => {
                problems.error(
                    field,
                    format!("{} has no block \"BEGIN {label}\"", path.display()),
                    "write the path of a PEM file",
                )
            }
            Ok(_) => {}
        }
    }
}

/// An I/O error in words, without the number of the operating system.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or(&text)
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_domains() {
        for good in [
            "localhost",
            "example.org",
            "example.org.",
            "xn--bcher-kva.example",
            "bücher.example",
            "a-b.c_d",
        ] {
            assert_eq!(bad_name(good), None, "{good}");
        }
        for bad in [
            "",
            "a b",
            "alice@example.org",
            "example.org/x",
            "a..b",
            "-a.b",
            "127.0.0.1",
            "::1",
            "[::1]",
            "http://a",
        ] {
            assert!(bad_name(bad).is_some(), "{bad}");
        }
        assert!(bad_name(&"a".repeat(64)).is_some());
        assert!(bad_name(&"ab.".repeat(400)).is_some());
    }
}
