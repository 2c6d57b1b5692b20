use std::sync::Arc;

use super::*;
use crate::settings::TlsMode;

fn settings() -> C2sSettings {
    C2sSettings::new("localhost", xml::Limits::OWN, Arc::new(|_| {}), [0; 32])
}

fn tls(exporter: bool) -> TlsInfo {
    TlsInfo {
        exporter: exporter.then_some([7; 32]),
        server_end_point: Some(vec![1; 32]),
        version: "TLSv1.3".to_owned(),
    }
}

fn names(offer: &Offer) -> String {
    let mechanisms: Vec<_> = offer.mechanisms.iter().map(|m| m.name()).collect();
    let bindings: Vec<_> = offer.bindings.iter().map(|b| b.name()).collect();
    format!("{} | {}", mechanisms.join(" "), bindings.join(" "))
}

#[test]
fn every_name_is_read_back() {
    for mechanism in Mechanism::ALL {
        assert_eq!(mechanism.name().parse(), Ok(mechanism));
    }
    for unknown in ["", "plain", "SCRAM-SHA-384", "SCRAM-SHA-1-PLUS "] {
        assert_eq!(
            unknown.parse::<Mechanism>(),
            Err(UnknownMechanism(unknown.to_owned()))
        );
    }
}

#[test]
fn what_is_offered_depends_on_tls() {
    let mut settings = settings();
    assert_eq!(names(&Offer::new(&settings, None)), " | ");
    settings.tls = TlsMode::StartTls;
    let scram = "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1";
    let plus = "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS";
    let offer = |settings: &C2sSettings, tls: Option<&TlsInfo>| names(&Offer::new(settings, tls));
    assert_eq!(offer(&settings, None), format!("{scram} | "));
    assert_eq!(
        offer(&settings, Some(&tls(true))),
        format!("{plus} {scram} PLAIN | tls-server-end-point tls-exporter")
    );
    assert_eq!(
        offer(&settings, Some(&tls(false))),
        format!("{plus} {scram} PLAIN | tls-server-end-point")
    );
    let bare = TlsInfo {
        server_end_point: None,
        ..tls(false)
    };
    assert_eq!(
        offer(&settings, Some(&bare)),
        format!("{scram} PLAIN | "),
        "nothing to bind to"
    );
    settings.plain_without_tls = true;
    assert_eq!(offer(&settings, None), format!("{scram} PLAIN | "));
    settings.mechanisms = vec![Mechanism::Plain];
    assert_eq!(
        offer(&settings, Some(&tls(true))),
        "PLAIN | ",
        "types of channel binding alone mean nothing"
    );
}

/// XEP-0474 §5.3.
#[test]
fn the_downgrade_hash_of_the_xep() {
    let offer = Offer {
        mechanisms: vec![
            Mechanism::ScramPlus(ScramHash::Sha1),
            Mechanism::Scram(ScramHash::Sha1),
        ],
        bindings: ChannelBinding::ALL.to_vec(),
    };
    assert_eq!(
        offer.downgrade_string(),
        "SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point"
    );
    assert_eq!(
        offer.downgrade_hash(ScramHash::Sha1),
        "G6k/rBLDqgOhRRaCuuatSDFkJ08="
    );
    let unbound = Offer {
        mechanisms: vec![Mechanism::Scram(ScramHash::Sha1)],
        bindings: Vec::new(),
    };
    assert_eq!(unbound.downgrade_string(), "SCRAM-SHA-1");
}

#[test]
fn user_names_become_accounts_of_the_domain() {
    let account = |name| account_of(name, "localhost").map(|jid| jid.to_string());
    assert_eq!(account("Romeo").as_deref(), Some("romeo@localhost"));
    assert_eq!(account("ro\u{AD}meo").as_deref(), Some("romeo@localhost"));
    assert_eq!(
        account("J\u{FC}rgen").as_deref(),
        Some("j\u{FC}rgen@localhost")
    );
    for nobody in [
        "",
        "romeo@localhost",
        "romeo@elsewhere",
        "romeo/x",
        "a b",
        "a\u{7}",
        "a:b",
        "<a>",
    ] {
        assert_eq!(account(nobody), None, "{nobody:?}");
    }
    assert_eq!(account(&"x".repeat(1024)), None);
}
