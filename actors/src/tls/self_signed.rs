//! The certificate that the server makes for itself when it is given none.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::{Duration, OffsetDateTime};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{CertificateFiles, TlsError};

/// How long such a certificate is valid. Nobody but its owner vouches for it, so there is no
/// gain in a short life.
const LIFE: Duration = Duration::days(3650);

/// Gives the certificate for `domains` in `folder` (`self-signed.crt`, and `self-signed.key`
/// for this user alone). It is made when it isn't there, or has not all the names; the key
/// stays the same for good, so that clients may pin it.
///
/// # Errors
/// When a file can't be written, or the key that is there is damaged.
pub fn self_signed(folder: &Path, domains: &[&str]) -> Result<CertificateFiles, TlsError> {
    let files = CertificateFiles {
        chain: folder.join("self-signed.crt"),
        key: folder.join("self-signed.key"),
    };
    let names: Vec<String> = domains
        .iter()
        .map(|domain| idna::domain_to_ascii(domain).unwrap_or_else(|_| (*domain).to_owned()))
        .collect();
    let make = |what: rcgen::Error| TlsError::Make {
        names: names.join(", "),
        what: what.to_string(),
    };
    if files.key.exists() && covers(&files.chain, &names) {
        return Ok(files);
    }

    let key = match fs::read_to_string(&files.key) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(|error| TlsError::Damaged {
            path: files.key.clone(),
            what: error.to_string(),
            mend: "Remove it and the certificate beside it to have new ones made; clients that \
                   trusted the old ones will ask again",
        })?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = KeyPair::generate().map_err(make)?;
            write(&files.key, &key.serialize_pem(), 0o600)?;
            key
        }
        Err(source) => {
            return Err(TlsError::Read {
                path: files.key.clone(),
                source,
            });
        }
    };
    let mut params = CertificateParams::new(names.clone()).map_err(make)?;
    let mut subject = DistinguishedName::new();
    subject.push(
        DnType::CommonName,
        names.first().map_or("localhost", String::as_str),
    );
    params.distinguished_name = subject;
    let now = OffsetDateTime::now_utc();
    // A client's clock may be a little behind.
    params.not_before = now - Duration::days(1);
    params.not_after = now + LIFE;
    let certificate = params.self_signed(&key).map_err(make)?;
    write(&files.chain, &certificate.pem(), 0o644)?;
    Ok(files)
}

/// Whether the certificate in `path` has all the names.
fn covers(path: &Path, names: &[String]) -> bool {
    // One that can't be read now is judged, with a good message, when it is loaded.
    if !path.exists() {
        return false;
    }
    let Ok(leaf) = CertificateDer::from_pem_file(path) else {
        return true;
    };
    let Ok((_, leaf)) = X509Certificate::from_der(&leaf) else {
        return true;
    };
    let Ok(Some(alternatives)) = leaf.subject_alternative_name() else {
        return false;
    };
    names.iter().all(|name| {
        alternatives
            .value
            .general_names
            .iter()
            .any(|general| match general {
                GeneralName::DNSName(dns) => dns.eq_ignore_ascii_case(name),
                GeneralName::IPAddress(bytes) => {
                    name.parse().is_ok_and(|ip: std::net::IpAddr| match ip {
                        std::net::IpAddr::V4(ip) => ip.octets() == *bytes,
                        std::net::IpAddr::V6(ip) => ip.octets() == *bytes,
                    })
                }
                _ => false,
            })
    })
}

/// Writes a file as a whole: after a power cut it is there or it isn't.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let fail = |source: io::Error| TlsError::Write {
        path: path.to_owned(),
        source,
    };
    let mut fresh = path.to_owned();
    fresh.as_mut_os_string().push(".new");
    // Left over from a start that was cut off, perhaps with other rights.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)
        .map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    fs::rename(&fresh, path).map_err(fail)
}
