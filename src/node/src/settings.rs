//! From the configuration to what each part is told.

use std::sync::Arc;
use std::time::Duration;

use actors::InboxLimits;
use actors::wire::WireLimits;
use auth::{AuthSettings, ThrottleSettings};
use bytes::Bytes;
use config::{Auth, Config, Listener, OnConflict, StreamLimits, TlsMode};
use router::{ResourceConflict, Router, RouterSettings};
use stream::sasl::Mechanism;
use stream::scram::ScramHash;
use stream::{C2sSettings, Serves};
use supervisors::watchdog::WatchdogSettings;

use crate::registry::Modules;

/// What the router is told.
pub(crate) fn router(config: &Config<Modules>) -> RouterSettings {
    RouterSettings {
        resource_conflict: match config.sessions.on_conflict {
            OnConflict::Replace => ResourceConflict::Replace,
            OnConflict::Rename => ResourceConflict::Rename,
            OnConflict::Refuse => ResourceConflict::Refuse,
        },
        max_sessions: usize::try_from(config.sessions.max_per_account).unwrap_or(usize::MAX),
        max_directed: usize::try_from(config.sessions.max_directed).unwrap_or(usize::MAX),
    }
}

/// What accounts are told: keys are kept for each hash that a mechanism needs. Only PLAIN leaves
/// the choice, and takes the strongest.
pub(crate) fn auth(auth: &Auth, serves: Serves) -> AuthSettings {
    let needed = |hash: ScramHash| {
        auth.mechanisms.iter().any(|mechanism| match mechanism {
            config::Mechanism::ScramSha1 | config::Mechanism::ScramSha1Plus => {
                hash == ScramHash::Sha1
            }
            config::Mechanism::ScramSha256 | config::Mechanism::ScramSha256Plus => {
                hash == ScramHash::Sha256
            }
            config::Mechanism::ScramSha512 | config::Mechanism::ScramSha512Plus => {
                hash == ScramHash::Sha512
            }
            config::Mechanism::Plain => false,
        })
    };
    let mut hashes: Vec<ScramHash> = ScramHash::ALL
        .into_iter()
        .filter(|hash| needed(*hash))
        .collect();
    if hashes.is_empty() {
        hashes.push(ScramHash::Sha256);
    }
    let failed = &auth.failed_logins;
    AuthSettings {
        hashes,
        iterations: auth.iterations,
        passwords: auth::PasswordRules {
            min_length: auth.passwords.min_length,
            max_length: auth.passwords.max_length,
        },
        throttle: ThrottleSettings {
            free: failed.free,
            first_delay: failed.first_delay.get(),
            max_delay: failed.max_delay.get(),
            forget_after: failed.forget_after.get(),
            ..ThrottleSettings::default()
        },
        serves,
    }
}

/// How client streams of a port are negotiated.
pub(crate) fn c2s(
    config: &Config<Modules>,
    listener: &Listener,
    serves: Serves,
    router: &Router,
    host: &str,
    fake_key_secret: [u8; 32],
) -> Arc<C2sSettings> {
    let random: stream::Random = Arc::new(|bytes| {
        // Without it nothing secret can be done.
        getrandom::fill(bytes).expect("the operating system gives randomness");
    });
    let mut settings =
        C2sSettings::new(host, limits(&config.stream, false), random, fake_key_secret);
    settings.domains = serves;
    let host_type = |router: &Router, domain: &str| {
        let host = router.host(domain)?;
        Some(host.host_type().clone())
    };
    let of = router.clone();
    settings.features = Arc::new(move |domain| match host_type(&of, domain) {
        Some(host_type) => host_type.stream_features(),
        None => Bytes::new(),
    });
    let of = router.clone();
    settings.login_features = Arc::new(move |domain| match host_type(&of, domain) {
        Some(host_type) => host_type.login_features(),
        None => Bytes::new(),
    });
    let of = router.clone();
    settings.strangers_may_ask = Arc::new(move |domain, ns| of.strangers_may_ask(domain, ns));
    settings.mechanisms = config
        .auth
        .mechanisms
        .iter()
        .map(|m| mechanism(*m))
        .collect();
    settings.plain_without_tls = config.auth.plain_without_tls;
    settings.tls = match listener.tls() {
        TlsMode::Off => stream::TlsMode::Off,
        TlsMode::StartTls => stream::TlsMode::StartTls,
        TlsMode::Required => stream::TlsMode::Required,
        TlsMode::Direct => stream::TlsMode::Direct,
    };
    settings.limits_after = limits(&config.stream, true);
    settings.max_auth_tries = config.auth.max_tries;
    settings.scram_iterations = config.auth.iterations;
    Arc::new(settings)
}

fn mechanism(mechanism: config::Mechanism) -> Mechanism {
    use config::Mechanism as Configured;
    match mechanism {
        Configured::Plain => Mechanism::Plain,
        Configured::ScramSha1 => Mechanism::Scram(ScramHash::Sha1),
        Configured::ScramSha1Plus => Mechanism::ScramPlus(ScramHash::Sha1),
        Configured::ScramSha256 => Mechanism::Scram(ScramHash::Sha256),
        Configured::ScramSha256Plus => Mechanism::ScramPlus(ScramHash::Sha256),
        Configured::ScramSha512 => Mechanism::Scram(ScramHash::Sha512),
        Configured::ScramSha512Plus => Mechanism::ScramPlus(ScramHash::Sha512),
    }
}

fn limits(stream: &StreamLimits, logged_in: bool) -> xml::Limits {
    let stanza = if logged_in {
        stream.max_stanza
    } else {
        stream.max_stanza_before_login
    };
    xml::Limits {
        stanza: stanza.bytes(),
        header: stream.max_header.bytes(),
        depth: stream.max_depth,
        attributes: stream.max_attributes,
        namespaces: stream.max_namespaces,
    }
}

/// What a connection's outbox bears.
pub(crate) fn wire(stream: &StreamLimits) -> WireLimits {
    WireLimits {
        high_water: stream.max_outbox.bytes(),
        stall: Duration::from_secs(60),
        close: stream.closing_timeout.get(),
    }
}

/// What a session's mailbox bears.
pub(crate) fn inbox(stream: &StreamLimits) -> InboxLimits {
    InboxLimits {
        bytes: stream.max_mailbox.bytes(),
        stanzas: usize::try_from(stream.max_mailbox_stanzas).unwrap_or(usize::MAX),
    }
}

/// What happens to what lives and does not work. The watchdog counts in looks.
pub(crate) fn watchdog(watchdog: &config::Watchdog) -> WatchdogSettings {
    let usual = WatchdogSettings::default();
    let looks = |time: config::Span| {
        let looks = time.get().as_millis().div_ceil(usual.every.as_millis());
        u32::try_from(looks).unwrap_or(u32::MAX)
    };
    WatchdogSettings {
        stuck: looks(watchdog.stuck_after),
        kill: watchdog.kill_after.map(looks),
        abort: watchdog.abort_after.map(looks),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use config::Span;

    use super::*;

    #[test]
    fn the_watchdog_looks_at_least_as_long_as_it_is_told() {
        let told = config::Watchdog {
            stuck_after: Span::millis(2_500),
            kill_after: Some(Span::seconds(10)),
            abort_after: Some(Span::minutes(1)),
        };
        let settings = watchdog(&told);
        let times = [Some(settings.stuck), settings.kill, settings.abort]
            .map(|looks| looks.map(|looks| settings.every * looks));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(times, [seconds(3), seconds(10), seconds(60)]);
        assert_eq!(
            watchdog(&config::Watchdog::default()),
            WatchdogSettings::default()
        );
    }
}
