use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn plan(fallback: CertificateFiles) -> CertificatePlan {
    CertificatePlan {
        fallback,
        domains: HashMap::new(),
    }
}

fn made(folder: &Path, domains: &[&str]) -> CertificateFiles {
    self_signed(folder, domains).expect("a certificate is made")
}

fn load_error(files: CertificateFiles) -> String {
    match Certificates::load(plan(files)) {
        Ok(_) => panic!("it must not load"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_certificate_is_made_once_and_its_key_is_for_the_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = made(folder.path(), &["one.example", "two.example"]);
    let mode = fs::metadata(&files.key)
        .expect("is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = fs::read(&files.chain).expect("is there");
    made(folder.path(), &["two.example"]);
    assert_eq!(
        fs::read(&files.chain).expect("is there"),
        first,
        "nothing to do"
    );
    Certificates::load(plan(files)).expect("it is in order");
}

#[test]
fn a_new_domain_gets_into_the_certificate_and_the_key_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = made(folder.path(), &["one.example"]);
    let key = fs::read(&files.key).expect("is there");
    let chain = fs::read(&files.chain).expect("is there");
    made(folder.path(), &["one.example", "xn--mnchen-3ya.example"]);
    assert_ne!(fs::read(&files.chain).expect("is there"), chain);
    assert_eq!(fs::read(&files.key).expect("is there"), key);
    let again = fs::read(&files.chain).expect("is there");
    made(folder.path(), &["münchen.example"]);
    assert_eq!(
        fs::read(&files.chain).expect("is there"),
        again,
        "the same name, written otherwise"
    );
    Certificates::load(plan(files)).expect("they still belong together");
}

#[test]
fn what_is_wrong_is_said_with_the_file_and_the_mend() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = made(folder.path(), &["one.example"]);
    let other_folder = tempfile::tempdir().expect("a folder");
    let other = made(other_folder.path(), &["one.example"]);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writes");
        path
    };

    let missing = folder.path().join("missing.pem");
    let message = load_error(CertificateFiles {
        chain: missing,
        key: good.key.clone(),
    });
    assert!(
        message.contains("missing.pem") && message.contains("cannot read"),
        "{message}"
    );

    let message = load_error(CertificateFiles {
        chain: good.chain.clone(),
        key: other.key,
    });
    assert!(
        message.contains("not the one of the certificate"),
        "{message}"
    );

    let message = load_error(CertificateFiles {
        chain: file("empty.pem", ""),
        key: good.key.clone(),
    });
    assert!(
        message.contains("empty.pem is damaged: there is no certificate"),
        "{message}"
    );

    let message = load_error(CertificateFiles {
        chain: good.chain.clone(),
        key: file("k.pem", "hello"),
    });
    assert!(
        message.contains("k.pem is damaged: there is no private key"),
        "{message}"
    );

    let half = fs::read_to_string(&good.chain).expect("is there");
    let half = &half[..half.len() / 2];
    let message = load_error(CertificateFiles {
        chain: file("half.pem", half),
        key: good.key.clone(),
    });
    assert!(message.contains("half.pem is damaged"), "{message}");

    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let message = load_error(CertificateFiles {
        chain: file("nonsense.pem", nonsense),
        key: good.key,
    });
    assert!(message.contains("nonsense.pem is damaged"), "{message}");
}

#[test]
fn a_damaged_key_of_ours_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = made(folder.path(), &["one.example"]);
    fs::write(&files.key, "scribble").expect("writes");
    fs::remove_file(&files.chain).expect("is there");
    let error = self_signed(folder.path(), &["one.example"])
        .expect_err("damaged")
        .to_string();
    assert!(
        error.contains("self-signed.key is damaged") && error.contains("Remove it"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(&files.key).expect("is there"),
        "scribble"
    );
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = made(folder.path(), &["one.example"]);
    let certificates = Certificates::load(plan(files.clone())).expect("in order");
    let before = certificates.current();
    fs::write(&files.chain, "scribble").expect("writes");
    certificates.reload().expect_err("damaged");
    assert!(Arc::ptr_eq(&before, &certificates.current()));
    fs::remove_file(&files.chain).expect("is there");
    made(folder.path(), &["one.example"]);
    certificates.reload().expect("in order again");
    assert!(!Arc::ptr_eq(&before, &certificates.current()));
}

#[test]
fn the_name_asked_for_chooses_the_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let fallback = made(folder.path(), &["one.example"]);
    let own_folder = tempfile::tempdir().expect("a folder");
    let own = made(own_folder.path(), &["two.example"]);
    let set = TlsSet::load(&CertificatePlan {
        fallback,
        domains: HashMap::from([("two.example".to_owned(), own)]),
    })
    .expect("in order");
    let end_point = |name| set.keys.identity(name).end_point.clone();
    assert_ne!(end_point(Some("two.example")), end_point(None));
    assert_eq!(
        end_point(Some("TWO.example")),
        end_point(Some("two.example"))
    );
    assert_eq!(end_point(Some("three.example")), end_point(None));
}
