//! The servers.

use config::{choices, settings};

settings! {
    /// A server, and how it is spoken to.
    pub(crate) struct Target {
        /// Address and port, as `"127.0.0.1:5222"`, `"[::1]:5222"` or `"localhost:5222"`.
        address: String = "127.0.0.1:5222".into(),
        /// The domain of the accounts.
        domain: String = "localhost".into(),
        /// Whether and how the stream is encrypted. Any certificate will do.
        tls: Tls = Tls::Off,
        /// How users log in.
        mechanism: Mechanism = Mechanism::ScramSha1,
        /// How many of all users come here, in proportion to the others.
        weight: u32 = 1,
    }
    check |target, problems| {
        if target.domain.is_empty() {
            problems.error("domain", "there is no domain", "write the domain of the accounts");
        }
        let port = target.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if !matches!(port, Some(1..)) {
            problems.error(
                "address",
                format!("\"{}\" has no port", target.address),
                "write address and port, as in \"127.0.0.1:5222\"",
            );
        }
    }
}

choices! {
    /// How a stream is encrypted.
    pub(crate) enum Tls {
        /// Not at all.
        Off = "off",
        /// From the first byte (XEP-0368).
        Direct = "direct",
        /// Within the stream (RFC 6120 §5).
        Starttls = "starttls",
    }
}

choices! {
    /// A SASL mechanism.
    pub(crate) enum Mechanism {
        /// RFC 5802.
        ScramSha1 = "SCRAM-SHA-1",
        /// RFC 7677.
        ScramSha256 = "SCRAM-SHA-256",
    }
}
