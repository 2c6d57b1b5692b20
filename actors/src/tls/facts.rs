//! What a certificate says of itself, for those who look after it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Certificates, Identity};

/// A certificate in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The domain that it is shown for; `None` for the one that is shown to everybody else.
    pub domain: Option<String>,
    /// The names it vouches for.
    pub names: Vec<String>,
    /// When it expires.
    pub expires: Option<SystemTime>,
    /// Whether nobody but its owner vouches for it.
    pub self_signed: bool,
    /// The file it was read from.
    pub file: PathBuf,
}

impl Certificates {
    /// The certificates that new connections get: first the one for everybody, then those of
    /// domains.
    #[must_use]
    pub fn facts(&self) -> Vec<CertificateFacts> {
        let keys = &self.current().keys;
        let mut domains: Vec<_> = self.plan.domains.iter().collect();
        domains.sort_unstable_by_key(|(domain, _)| domain.as_str());
        let fallback = std::iter::once((None, &self.plan.fallback.chain, &keys.fallback));
        let domains = domains.into_iter().filter_map(|(domain, files)| {
            Some((
                Some(domain.clone()),
                &files.chain,
                keys.domains.get(domain)?,
            ))
        });
        fallback
            .chain(domains)
            .filter_map(|(domain, file, identity)| facts(domain, file.clone(), identity))
            .collect()
    }
}

fn facts(domain: Option<String>, file: PathBuf, identity: &Identity) -> Option<CertificateFacts> {
    let leaf = identity.key.cert.first()?;
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let names = leaf.subject_alternative_name().ok().flatten();
    let names = names
        .map(|names| &names.value.general_names)
        .into_iter()
        .flatten();
    let expires = u64::try_from(leaf.validity().not_after.timestamp()).ok();
    Some(CertificateFacts {
        domain,
        names: names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
            .collect(),
        expires: expires
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
        self_signed: leaf.issuer() == leaf.subject(),
        file,
    })
}

#[cfg(test)]
mod tests {
    use crate::tls::{CertificatePlan, Certificates, self_signed};

    #[test]
    fn a_certificate_of_our_own_making_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let files = self_signed(folder.path(), &["localhost", "chat.example"]).unwrap();
        let plan = CertificatePlan {
            fallback: files.clone(),
            domains: [("chat.example".into(), files.clone())].into(),
        };
        let facts = Certificates::load(plan).unwrap().facts();
        assert_eq!(facts.len(), 2);
        assert_eq!(facts[0].domain, None);
        assert_eq!(facts[1].domain.as_deref(), Some("chat.example"));
        assert_eq!(facts[0].names, ["localhost", "chat.example"]);
        assert!(facts[0].self_signed && facts[0].expires.is_some());
        assert_eq!(facts[0].file, files.chain);
    }
}
