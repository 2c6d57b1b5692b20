//! Certificates and keys in PEM files, and what can be wrong with them.

use std::io;
use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The files of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those that vouch for it, PEM, the server's own first.
    pub chain: PathBuf,
    /// Its private key, PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// Why a certificate can't be used: what, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read.
    #[error(
        "cannot read {path}: {source}. Check that the file is there and that this user may read it"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file can't be written.
    #[error(
        "cannot write {path}: {source}. Check that the folder is there and that this user may write to it"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file isn't what it should be.
    #[error("{path} is damaged: {what}. {mend}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        mend: &'static str,
    },
    /// The certificate has another key.
    #[error(
        "the key in {key} is not the one of the certificate in {chain}. \
         Give the two files that were made together"
    )]
    Mismatch {
        /// The certificate's file.
        chain: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate for {names}: {what}")]
    Make {
        /// The names it was to have.
        names: String,
        /// What the library says.
        what: String,
    },
}

const MEND: &str =
    "Put the PEM file there again, or remove the setting to use a certificate made by the server";

impl CertificateFiles {
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = read_chain(&self.chain)?;
        let key = read_key(&self.key)?;
        let damaged = |path: &Path, what: String| TlsError::Damaged {
            path: path.to_owned(),
            what,
            mend: MEND,
        };
        let Some(leaf) = chain.first() else {
            return Err(damaged(
                &self.chain,
                "there is no certificate in it".to_owned(),
            ));
        };
        let (_, leaf) = X509Certificate::from_der(leaf)
            .map_err(|error| damaged(&self.chain, error.to_string()))?;
        if !leaf.validity().is_valid() {
            tracing::warn!(
                what = "certificate_not_valid",
                file = %self.chain.display(),
                from = %leaf.validity().not_before,
                until = %leaf.validity().not_after,
                "the certificate is not valid today; clients will refuse it"
            );
        }
        CertifiedKey::from_der(chain.clone(), key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
                chain: self.chain.clone(),
                key: self.key.clone(),
            },
            rustls::Error::InvalidCertificate(error) => damaged(&self.chain, format!("{error:?}")),
            error => damaged(&self.key, error.to_string()),
        })
    }
}

pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad_pem(path, &error))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::Damaged {
            path: path.to_owned(),
            what: "there is no private key in it (one that is encrypted can't be used)".to_owned(),
            mend: MEND,
        },
        error => bad_pem(path, &error),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn bad_pem(path: &Path, error: &pem::Error) -> TlsError {
    TlsError::Damaged {
        path: path.to_owned(),
        what: format!("it is no PEM file ({error})"),
        mend: MEND,
    }
}
