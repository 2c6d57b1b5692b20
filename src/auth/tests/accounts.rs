//! Registration, change, check, import.

use auth::{
    Auth, AuthError, AuthSettings, ImportedAccount, ImportedSecret, KeyFault, PasswordFault,
};
use std::sync::Arc;
use store::{AccountStore, MemAccounts};
use stream::{
    Secret,
    scram::{self, ScramHash, ScramKeys},
};
use xmpp::BareJid;

fn settings() -> AuthSettings {
    AuthSettings {
        iterations: 2,
        ..AuthSettings::default()
    }
}

fn auth() -> Auth {
    Auth::new(Arc::new(MemAccounts::default()), settings())
}

fn jid(text: &str) -> BareJid {
    text.parse().unwrap()
}

fn with_password(account: &str, password: &str) -> ImportedAccount {
    ImportedAccount {
        account: jid(account),
        secret: ImportedSecret::Password(password.into()),
    }
}

fn with_keys(account: &str, keys: Vec<(ScramHash, ScramKeys)>) -> ImportedAccount {
    ImportedAccount {
        account: jid(account),
        secret: ImportedSecret::Keys(keys),
    }
}

async fn register(auth: &Auth, account: &str, password: &str) -> Result<(), AuthError> {
    let made = auth.register(&jid(account), password.into()).await;
    made.map(|made| assert_eq!(made.jid, jid(account)))
}

async fn change(auth: &Auth, account: &str, password: &str) -> Result<(), AuthError> {
    auth.change_password(&jid(account), password.into()).await
}

async fn logs_in(auth: &Auth, account: &str, password: &str) -> bool {
    let checked = auth.check_password(&jid(account), password.into()).await;
    checked.unwrap()
}

#[tokio::test]
async fn who_registers_logs_in() {
    let auth = auth();
    let romeo = jid("romeo@localhost");
    let password = || Secret::from("juliet-juliet");
    let account = auth.register(&romeo, password()).await.unwrap();
    assert_eq!(account.jid, romeo);
    assert_eq!(auth.list(None, None, 9).await.unwrap(), [account]);
    assert!(logs_in(&auth, "romeo@localhost", "juliet-juliet").await);
    assert!(!logs_in(&auth, "romeo@localhost", "rosaline-rosaline").await);
    assert!(!logs_in(&auth, "tybalt@localhost", "juliet-juliet").await);
    for hash in ScramHash::ALL {
        let keys = auth.keys(&romeo, hash).await.unwrap().unwrap();
        assert_eq!(keys.iterations, 2);
        assert_eq!(keys.hash(), Some(hash));
        assert!(scram::verify("juliet-juliet", &keys));
    }
    let nobody = jid("tybalt@localhost");
    assert_eq!(auth.keys(&nobody, ScramHash::Sha1).await.unwrap(), None);
}

#[tokio::test]
async fn a_name_is_given_once() {
    let auth = auth();
    let (one, other) = tokio::join!(
        register(&auth, "romeo@localhost", "juliet-juliet"),
        register(&auth, "romeo@localhost", "rosaline-rosaline"),
    );
    assert!(one.is_ok() != other.is_ok());
    let again = register(&auth, "romeo@localhost", "mercutio-mercutio").await;
    assert!(matches!(again, Err(AuthError::AlreadyExists(_))));
    assert!(!logs_in(&auth, "romeo@localhost", "mercutio-mercutio").await);
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused() {
    let auth = auth();
    let error = register(&auth, "localhost", "juliet-juliet").await;
    let error = error.unwrap_err();
    assert!(matches!(error, AuthError::NoLocalpart(_)));
    assert!(error.to_string().contains("NAME@localhost"), "{error}");
    let error = register(&auth, "romeo@verona.example", "juliet-juliet").await;
    let error = error.unwrap_err();
    assert!(matches!(error, AuthError::NotServed(_)));
    assert!(error.to_string().starts_with("verona.example"), "{error}");
    assert_eq!(auth.count(None).await.unwrap(), 0);
}

#[tokio::test]
async fn password_rules_say_what_to_do() {
    let auth = auth();
    for (password, fault) in [
        ("", "0 characters; take at least 8"),
        ("sieben7", "7 characters; take at least 8"),
        (&"x".repeat(1024), "1024 bytes; take at most 1023"),
        ("with\u{7}bell-", "leave such characters out"),
    ] {
        let error = register(&auth, "romeo@localhost", password).await;
        let error = error.unwrap_err();
        assert!(matches!(error, AuthError::Password(_)));
        let text = error.to_string();
        assert!(text.contains(fault), "{text}");
        assert!(password.is_empty() || !text.contains(password), "{text}");
    }
    // Eight characters, sixteen bytes; and 1023 bytes.
    register(&auth, "a@localhost", "ääääääää").await.unwrap();
    let longest = "x".repeat(1023);
    register(&auth, "b@localhost", &longest).await.unwrap();
}

#[tokio::test]
async fn a_change_takes_the_old_password_away() {
    let auth = auth();
    let error = change(&auth, "romeo@localhost", "rosaline-rosaline").await;
    assert!(matches!(error, Err(AuthError::NoSuchAccount(_))));
    let made = register(&auth, "romeo@localhost", "rosaline-rosaline").await;
    made.unwrap();
    let changed = change(&auth, "romeo@localhost", "juliet-juliet").await;
    changed.unwrap();
    assert!(logs_in(&auth, "romeo@localhost", "juliet-juliet").await);
    assert!(!logs_in(&auth, "romeo@localhost", "rosaline-rosaline").await);
    let error = change(&auth, "romeo@localhost", "short").await;
    assert!(matches!(
        error,
        Err(AuthError::Password(PasswordFault::TooShort { .. }))
    ));
    assert!(logs_in(&auth, "romeo@localhost", "juliet-juliet").await);
}

#[tokio::test]
async fn who_unregisters_is_gone() {
    let auth = auth();
    let romeo = jid("romeo@localhost");
    let made = register(&auth, "romeo@localhost", "juliet-juliet").await;
    made.unwrap();
    auth.unregister(&romeo).await.unwrap();
    assert!(!auth.exists(&romeo).await.unwrap());
    assert!(!logs_in(&auth, "romeo@localhost", "juliet-juliet").await);
    let error = auth.unregister(&romeo).await;
    assert!(matches!(error, Err(AuthError::NoSuchAccount(_))));
}

#[tokio::test]
async fn keys_outlive_new_settings() {
    let accounts: Arc<dyn AccountStore> = Arc::new(MemAccounts::default());
    let old = Auth::new(accounts.clone(), settings());
    let made = register(&old, "romeo@localhost", "juliet-juliet").await;
    made.unwrap();
    let changed = AuthSettings {
        iterations: 3,
        hashes: vec![ScramHash::Sha512],
        ..settings()
    };
    let new = Auth::new(accounts, changed);
    let keys = async |hash| new.keys(&jid("romeo@localhost"), hash).await.unwrap();
    assert!(logs_in(&new, "romeo@localhost", "juliet-juliet").await);
    assert_eq!(keys(ScramHash::Sha1).await.unwrap().iterations, 2);

    let changed = change(&new, "romeo@localhost", "rosaline-rosaline").await;
    changed.unwrap();
    assert_eq!(keys(ScramHash::Sha1).await, None);
    assert_eq!(keys(ScramHash::Sha512).await.unwrap().iterations, 3);
    assert!(logs_in(&new, "romeo@localhost", "rosaline-rosaline").await);
}

#[tokio::test]
async fn without_configured_hashes_accounts_still_log_in() {
    let settings = AuthSettings {
        hashes: vec![],
        ..settings()
    };
    let auth = Auth::new(Arc::new(MemAccounts::default()), settings);
    let made = register(&auth, "romeo@localhost", "juliet-juliet").await;
    made.unwrap();
    assert!(logs_in(&auth, "romeo@localhost", "juliet-juliet").await);
    assert!(!logs_in(&auth, "tybalt@localhost", "juliet-juliet").await);
}

#[tokio::test]
async fn an_import_answers_for_each() {
    let auth = auth();
    let made = register(&auth, "there@localhost", "juliet-juliet").await;
    made.unwrap();
    let batch = vec![
        with_password("a@localhost", "same"),
        with_password("there@localhost", "same"),
        with_password("b@localhost", "same"),
        with_password("c@elsewhere.example", "same"),
        with_password("d@localhost", ""),
        with_password("e@localhost", "other"),
        with_password("a@localhost", "twice"),
        with_password("f@localhost", "with\u{7}bell"),
    ];
    let results = auth.import(batch).await.unwrap();
    let [
        Ok(()),
        Err(AuthError::AlreadyExists(there)),
        Ok(()),
        Err(AuthError::NotServed(_)),
        Err(AuthError::Password(PasswordFault::TooShort { length: 0, min: 1 })),
        Ok(()),
        Err(AuthError::AlreadyExists(twice)),
        Err(AuthError::Password(PasswordFault::Characters(_))),
    ] = &results[..]
    else {
        panic!("{results:?}");
    };
    assert_eq!(*there, jid("there@localhost"));
    assert_eq!(*twice, jid("a@localhost"));
    assert_eq!(auth.count(None).await.unwrap(), 4);
    assert!(logs_in(&auth, "a@localhost", "same").await);
    assert!(logs_in(&auth, "b@localhost", "same").await);
    assert!(logs_in(&auth, "e@localhost", "other").await);
    assert!(logs_in(&auth, "there@localhost", "juliet-juliet").await);
}

#[tokio::test]
async fn equal_passwords_of_a_batch_are_derived_once() {
    let auth = auth();
    let batch = ["a@localhost", "b@localhost"].map(|account| with_password(account, "same"));
    auth.import(batch.into()).await.unwrap();
    let batch = vec![with_password("c@localhost", "same")];
    auth.import(batch).await.unwrap();
    let salt = async |account| {
        let keys = auth.keys(&jid(account), ScramHash::Sha1).await;
        keys.unwrap().unwrap().salt
    };
    assert_eq!(salt("a@localhost").await, salt("b@localhost").await);
    assert_ne!(salt("a@localhost").await, salt("c@localhost").await);
}

#[tokio::test]
async fn many_different_passwords_are_all_derived() {
    let auth = auth();
    let batch = (0..200).map(|n| with_password(&format!("u{n}@localhost"), &format!("pass {n}")));
    let results = auth.import(batch.collect()).await.unwrap();
    assert!(results.len() == 200 && results.iter().all(Result::is_ok));
    assert!(logs_in(&auth, "u0@localhost", "pass 0").await);
    assert!(logs_in(&auth, "u199@localhost", "pass 199").await);
    assert!(!logs_in(&auth, "u199@localhost", "pass 0").await);
}

#[tokio::test]
async fn ready_keys_are_taken_as_they_are() {
    let auth = auth();
    let keys = |hash| (hash, scram::derive(hash, "juliet", b"salt", 7).unwrap());
    let some = vec![keys(ScramHash::Sha1), keys(ScramHash::Sha512)];
    let results = auth.import(vec![with_keys("romeo@localhost", some)]).await;
    assert!(matches!(results.unwrap()[..], [Ok(())]));
    let stored = auth.keys(&jid("romeo@localhost"), ScramHash::Sha1).await;
    assert_eq!(stored.unwrap(), Some(keys(ScramHash::Sha1).1));
    let none = auth.keys(&jid("romeo@localhost"), ScramHash::Sha256).await;
    assert_eq!(none.unwrap(), None);
    assert!(logs_in(&auth, "romeo@localhost", "juliet").await);
}

#[tokio::test]
async fn keys_that_nobody_could_use_are_refused() {
    let auth = auth();
    let hash = ScramHash::Sha256;
    let good = scram::derive(hash, "juliet", b"salt", 7).unwrap();
    let edit = |edit: fn(&mut ScramKeys)| {
        let mut keys = good.clone();
        edit(&mut keys);
        vec![(hash, keys)]
    };
    let rounds = |iterations| KeyFault::Iterations {
        hash,
        iterations,
        max: 10_000_000,
    };
    let twice = vec![(hash, good.clone()), (hash, good.clone())];
    let sha1 = ScramHash::Sha1;
    for (keys, fault) in [
        (vec![], KeyFault::None),
        (twice, KeyFault::Twice(hash)),
        (vec![(sha1, good.clone())], KeyFault::Length(sha1)),
        (
            edit(|keys| keys.server_key.truncate(31)),
            KeyFault::Length(hash),
        ),
        (edit(|keys| keys.salt.clear()), KeyFault::Salt(hash)),
        (edit(|keys| keys.iterations = 0), rounds(0)),
        (edit(|keys| keys.iterations = u32::MAX), rounds(u32::MAX)),
    ] {
        let results = auth.import(vec![with_keys("romeo@localhost", keys)]).await;
        match &results.unwrap()[..] {
            [Err(AuthError::Keys(found))] => assert_eq!(*found, fault),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
    assert_eq!(auth.count(None).await.unwrap(), 0);
}
