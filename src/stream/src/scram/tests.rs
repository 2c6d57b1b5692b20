use super::exchange::{Opened, ScramError};
use super::message::{BindingFlag, ClientFinal, ClientFirst, MessageError};
use super::*;
use crate::base64;
use crate::binding::TlsInfo;

/// One conversation with everything that is random fixed.
struct Vector {
    hash: ScramHash,
    salt: &'static str,
    client_first: &'static str,
    server_nonce: &'static str,
    server_first: &'static str,
    client_final: &'static str,
    server_final: &'static str,
}

/// RFC 5802 §5.
const SHA_1: Vector = Vector {
    hash: ScramHash::Sha1,
    salt: "QSXCR+Q6sek8bf92",
    client_first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    server_nonce: "3rfcNHYJY1ZVvWVs7j",
    server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
};

/// RFC 7677 §3.
const SHA_256: Vector = Vector {
    hash: ScramHash::Sha256,
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    server_nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

/// The conversation of RFC 7677 with SHA-512, worked out by another implementation of HMAC and PBKDF2.
const SHA_512: Vector = Vector {
    hash: ScramHash::Sha512,
    client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
    server_final: "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    ..SHA_256
};

fn keys(vector: &Vector) -> ScramKeys {
    let salt = base64::decode(vector.salt).unwrap();
    derive(vector.hash, "pencil", &salt, 4096).unwrap()
}

fn converse(
    vector: &Vector,
    keys: ScramKeys,
    known: bool,
    last: &str,
) -> Result<String, ScramError> {
    let opened = Opened::new(
        vector.hash,
        false,
        false,
        None,
        vector.client_first.as_bytes(),
    )?;
    assert_eq!(opened.username(), "user");
    let (first, challenged) = opened.challenge(keys, known, vector.server_nonce, None);
    assert_eq!(first, vector.server_first);
    challenged.finish(last.as_bytes())
}

#[test]
fn the_vectors_of_the_rfcs() {
    for vector in [SHA_1, SHA_256, SHA_512] {
        let answer = converse(&vector, keys(&vector), true, vector.client_final);
        assert_eq!(
            answer.as_deref(),
            Ok(vector.server_final),
            "{}",
            vector.hash
        );
    }
}

#[test]
fn the_right_proof_does_not_help_an_account_that_does_not_exist() {
    let answer = converse(&SHA_1, keys(&SHA_1), false, SHA_1.client_final);
    assert_eq!(answer, Err(ScramError::Refused));
}

#[test]
fn what_was_said_before_is_part_of_the_proof() {
    for (what, last) in [
        ("proof", SHA_1.client_final.replace("p=v0X8", "p=w0X8")),
        ("nonce", SHA_1.client_final.replace("WVs7j", "WVs7k")),
        ("header", SHA_1.client_final.replace("c=biws", "c=eSws")),
        ("header cut", SHA_1.client_final.replace("c=biws", "c=biw=")),
        ("extension", SHA_1.client_final.replace(",p=", ",x=y,p=")),
    ] {
        let answer = converse(&SHA_1, keys(&SHA_1), true, &last);
        assert_eq!(answer, Err(ScramError::Refused), "{what}");
    }
    let short = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI";
    assert_eq!(
        converse(&SHA_1, keys(&SHA_1), true, short),
        Err(ScramError::Malformed)
    );
}

fn tls() -> TlsInfo {
    TlsInfo {
        exporter: Some([7; 32]),
        server_end_point: Some(b"certificate".to_vec()),
        version: "TLSv1.3".to_owned(),
    }
}

#[test]
fn channel_binding_must_fit_mechanism_offer_and_connection() {
    use ScramError::{Malformed, Refused, Unbound};
    let full = tls();
    let weak = TlsInfo {
        exporter: None,
        ..tls()
    };
    let rest = ",,n=user,r=abc";
    for (flag, plus, offered, tls, wanted) in [
        ("n", false, true, Some(&full), Ok(())),
        ("y", false, false, Some(&full), Ok(())),
        ("y", false, true, Some(&full), Err(Refused)),
        ("n", true, true, Some(&full), Err(Malformed)),
        ("y", true, true, Some(&full), Err(Malformed)),
        ("p=tls-exporter", false, true, Some(&full), Err(Malformed)),
        ("p=tls-exporter", true, true, Some(&full), Ok(())),
        ("p=tls-server-end-point", true, true, Some(&full), Ok(())),
        ("p=tls-unique", true, true, Some(&full), Err(Unbound)),
        ("p=tls-exporter", true, true, Some(&weak), Err(Unbound)),
        ("p=tls-server-end-point", true, true, Some(&weak), Ok(())),
        ("p=tls-exporter", true, true, None, Err(Unbound)),
        ("p=", true, true, Some(&full), Err(Malformed)),
        ("p=tls_exporter", true, true, Some(&full), Err(Malformed)),
        ("P=tls-exporter", true, true, Some(&full), Err(Malformed)),
        ("", false, false, None, Err(Malformed)),
        ("q", false, false, None, Err(Malformed)),
    ] {
        let message = format!("{flag}{rest}");
        let opened = Opened::new(ScramHash::Sha1, plus, offered, tls, message.as_bytes());
        assert_eq!(
            opened.map(drop),
            wanted,
            "{flag} plus={plus} offered={offered}"
        );
    }
}

#[test]
fn first_messages_that_break_the_grammar() {
    let parse = |message: &[u8]| ClientFirst::parse(message).map(drop);
    for bad in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=,r=abc",
        "n,,r=abc,n=user",
        "n,,n=us=er,r=abc",
        "n,,n=us=2cer,r=abc",
        "n,,n=user,r=",
        "n,,n=user,r=a b",
        "n,,n=user,r=\u{e9}",
        "n,a,n=user,r=abc",
        "n,a=,n=user,r=abc",
        "n,,n=user,r=abc,",
        "n,,n=user,r=abc,xy",
        "n,,n=user,r=abc,x=",
        "n,,n=user,r=abc,1=a",
        "n,,n=user,r=abc,xy=a",
        "n,,n=us\0er,r=abc",
        "n,,n=user,r=abc,x=\0",
        " n,,n=user,r=abc",
        "n, ,n=user,r=abc",
    ] {
        assert_eq!(
            parse(bad.as_bytes()),
            Err(MessageError::Malformed),
            "{bad:?}"
        );
    }
    assert_eq!(parse(b"n,,n=us\xFFer,r=abc"), Err(MessageError::Malformed));
    for extended in ["n,,m=x,n=user,r=abc", "n,,n=user,r=abc,m=x"] {
        assert_eq!(parse(extended.as_bytes()), Err(MessageError::Extension));
    }
}

#[test]
fn escaped_names_and_unknown_extensions() {
    let first =
        ClientFirst::parse(b"p=tls-exporter,a=a=2Cb=3Dc@d,n==3D=2C=2C2C,r=abc,x=y,z=a=b").unwrap();
    assert_eq!(first.flag, BindingFlag::Used("tls-exporter".to_owned()));
    assert_eq!(first.authzid.as_deref(), Some("a,b=c@d"));
    assert_eq!(first.username, "=,,2C");
    assert_eq!(first.gs2_header, "p=tls-exporter,a=a=2Cb=3Dc@d,");
    assert_eq!(first.bare, "n==3D=2C=2C2C,r=abc,x=y,z=a=b");
}

#[test]
fn last_messages_that_break_the_grammar() {
    for bad in [
        "",
        "c=biws",
        "c=biws,r=abc",
        "c=biws,p=biws",
        "r=abc,c=biws,p=biws",
        "c=biws,r=,p=biws",
        "c=bi ws,r=abc,p=biws",
        "c=biws,r=abc,p=biw",
        "c=biws,r=abc,p=biws,x=y",
        "c=biws,r=abc,,p=biws",
        "c=bi!s,r=abc,p=biws",
    ] {
        let parsed = ClientFinal::parse(bad.as_bytes()).map(drop);
        assert_eq!(parsed, Err(MessageError::Malformed), "{bad:?}");
    }
    let parsed = ClientFinal::parse(b"c=biws,r=abc,m=x,p=biws").map(drop);
    assert_eq!(parsed, Err(MessageError::Extension));
}

#[test]
fn a_password_is_verified_against_its_keys_alone() {
    for hash in ScramHash::ALL {
        let keys = derive(hash, "pass\u{AD}word \u{2168}", b"salt", 3).unwrap();
        assert_eq!(keys.hash(), Some(hash));
        assert!(verify("password IX", &keys), "prepared before it is hashed");
        assert!(!verify("password ix", &keys));
        assert!(!verify("", &keys));
        let damaged = ScramKeys {
            server_key: Vec::new(),
            ..keys.clone()
        };
        assert!(!verify("password IX", &damaged));
    }
    assert_eq!(
        derive(ScramHash::Sha1, "", b"salt", 1),
        Err(SaslPrepError::Empty)
    );
    assert_eq!(
        derive(ScramHash::Sha1, "a\u{7}", b"salt", 1),
        Err(SaslPrepError::Prohibited('\u{7}'))
    );
}

#[test]
fn fake_keys_are_steady_and_look_like_real_ones() {
    let fake =
        |secret: u8, account| ScramKeys::fake(ScramHash::Sha256, &[secret; 32], account, 10_000);
    let one = fake(1, "nobody@localhost");
    assert_eq!(one, fake(1, "nobody@localhost"));
    assert_ne!(one.salt, fake(1, "nobodz@localhost").salt);
    assert_ne!(one.salt, fake(2, "nobody@localhost").salt);
    assert_eq!(one.salt.len(), SALT_LEN);
    assert_eq!(one.hash(), Some(ScramHash::Sha256));
    let other = ScramKeys::fake(ScramHash::Sha1, &[1; 32], "nobody@localhost", 10_000);
    assert_ne!(
        other.salt, one.salt,
        "real accounts have a salt for each hash"
    );
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", keys(&SHA_1));
    assert_eq!(
        shown,
        "ScramKeys { hash: Some(Sha1), iterations: 4096, .. }"
    );
}
