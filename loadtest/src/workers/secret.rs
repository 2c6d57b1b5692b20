//! How worker and coordinator prove to each other that they know the same secret, which itself is never
//! sent: each answers the other's random challenge with an HMAC of both (RFC 2104, FIPS 198-1).
//!
//! Who has proved nothing is heard for a few messages of a few bytes, and a few seconds.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wire::{PROTOCOL, hear, say};
use crate::failure::Failure;

/// The longest message before the other side has proved to know the secret.
const LONGEST: u32 = 1024;
/// How long all of it may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);
/// A secret that is shorter can be guessed.
const SHORTEST: usize = 16;
const PROGRAM: &str = concat!("mungo-loadtest ", env!("CARGO_PKG_VERSION"));
const WORKER: &str = "worker";
const COORDINATOR: &str = "coordinator";

/// What workers and coordinator know and nobody else.
pub(super) struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What a worker says first. Later versions have these fields too.
#[derive(Debug, Serialize, Deserialize)]
struct Greeting {
    program: String,
    protocol: u32,
    challenge: String,
}

/// What a coordinator says to that.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    program: String,
    protocol: u32,
    challenge: String,
    proof: String,
}

/// What the worker says to that.
#[derive(Debug, Serialize, Deserialize)]
enum Verdict {
    Welcome { proof: String },
    Refused { reason: String },
}

impl Secret {
    /// The secret in a file that nobody else may read.
    ///
    /// # Errors
    /// There is none, it is too short, or others may read it.
    pub(super) fn read(file: &Path) -> Result<Secret, Failure> {
        let wrong = |what: String| Failure::Secret(format!("{}: {what}", file.display()));
        let unreadable = |error: io::Error| wrong(error.to_string());
        let mode = fs::metadata(file).map_err(unreadable)?.mode();
        if mode & 0o077 != 0 {
            return Err(wrong("others may read it: chmod 600 it".to_owned()));
        }
        let text = fs::read_to_string(file).map_err(unreadable)?;
        let secret = text.trim();
        if secret.len() < SHORTEST {
            let mend = "write another: head -c 24 /dev/urandom | base64";
            return Err(wrong(format!("fewer than {SHORTEST} characters; {mend}")));
        }
        Ok(Secret(secret.as_bytes().to_vec()))
    }

    /// What proves that this side knows it: nobody's proof serves the other side, or another time.
    fn proof(&self, side: &str, greeting: &str, claim: &str) -> String {
        BASE64_STANDARD.encode(self.mac(side, greeting, claim).finalize().into_bytes())
    }

    fn is_proved(&self, proof: &str, side: &str, greeting: &str, claim: &str) -> bool {
        let proof = BASE64_STANDARD.decode(proof).unwrap_or_default();
        let mac = self.mac(side, greeting, claim);
        // In constant time.
        mac.verify_slice(&proof).is_ok()
    }

    fn mac(&self, side: &str, greeting: &str, claim: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [side, greeting, claim] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// The worker's side: who comes knows the secret and speaks as we do.
///
/// # Errors
/// Not so, or not in time.
pub(super) async fn admit(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    secret: &Secret,
) -> Result<(), Failure> {
    in_time(async {
        let greeting = Greeting {
            program: PROGRAM.to_owned(),
            protocol: PROTOCOL,
            challenge: challenge()?,
        };
        say(stream, &greeting).await?;
        let claim: Claim = hear(stream, LONGEST).await?;
        let proved = secret.is_proved(
            &claim.proof,
            COORDINATOR,
            &greeting.challenge,
            &claim.challenge,
        );
        let reason = match (claim.protocol == PROTOCOL, proved) {
            (false, _) => other_version(&greeting.program, &claim.program, claim.protocol),
            (true, false) => "the secrets are not the same".to_owned(),
            (true, true) => {
                let proof = secret.proof(WORKER, &greeting.challenge, &claim.challenge);
                say(stream, &Verdict::Welcome { proof }).await?;
                return Ok(());
            }
        };
        let refused = Verdict::Refused {
            reason: reason.clone(),
        };
        say(stream, &refused).await?;
        Err(Failure::Handshake(reason))
    })
    .await
}

/// The coordinator's side: the worker knows the secret and speaks as we do.
///
/// # Errors
/// Not so, or not in time.
pub(super) async fn apply(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    secret: &Secret,
) -> Result<(), Failure> {
    in_time(async {
        let greeting: Greeting = hear(stream, LONGEST).await?;
        if greeting.protocol != PROTOCOL {
            let reason = other_version(PROGRAM, &greeting.program, greeting.protocol);
            return Err(Failure::Handshake(reason));
        }
        let mine = challenge()?;
        let claim = Claim {
            program: PROGRAM.to_owned(),
            protocol: PROTOCOL,
            proof: secret.proof(COORDINATOR, &greeting.challenge, &mine),
            challenge: mine.clone(),
        };
        say(stream, &claim).await?;
        match hear(stream, LONGEST).await? {
            Verdict::Welcome { proof }
                if secret.is_proved(&proof, WORKER, &greeting.challenge, &mine) =>
            {
                Ok(())
            }
            Verdict::Welcome { .. } => Err(Failure::Handshake(
                "it did not prove that it knows the secret".to_owned(),
            )),
            Verdict::Refused { reason } => Err(Failure::Handshake(reason)),
        }
    })
    .await
}

async fn in_time(doing: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let late = || Failure::Handshake(format!("no answer within {} s", DEADLINE.as_secs()));
    let done = tokio::time::timeout(DEADLINE, doing).await;
    done.unwrap_or_else(|_| Err(late()))
}

fn other_version(ours: &str, theirs: &str, protocol: u32) -> String {
    format!(
        "one side is {ours} and speaks version {PROTOCOL}, the other {theirs} and version {protocol}: \
         install the same build on all machines"
    )
}

fn challenge() -> Result<String, Failure> {
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|_| Failure::Handshake("the system has no random numbers".to_owned()))?;
    Ok(BASE64_STANDARD.encode(random))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret(text.as_bytes().to_vec())
    }

    async fn meet(worker: &str, coordinator: &str) -> (Option<String>, Option<String>) {
        let (mut here, mut there) = tokio::io::duplex(4096);
        let (worker, coordinator) = (secret(worker), secret(coordinator));
        let (admitted, applied) =
            tokio::join!(admit(&mut here, &worker), apply(&mut there, &coordinator));
        let text = |end: Result<(), Failure>| end.err().map(|failure| failure.to_string());
        (text(admitted), text(applied))
    }

    #[tokio::test]
    async fn who_knows_the_secret_is_let_in_and_nobody_else() {
        assert_eq!(meet("a secret", "a secret").await, (None, None));
        let (worker, coordinator) = meet("a secret", "another one").await;
        for said in [worker, coordinator] {
            let said = said.expect("refused");
            assert!(said.contains("the secrets are not the same"), "{said}");
        }
    }

    /// Who says the other's words back knows nothing.
    #[tokio::test]
    async fn a_proof_serves_one_side_and_once() {
        let secret = secret("a secret");
        let proof = secret.proof(COORDINATOR, "a", "b");
        assert!(secret.is_proved(&proof, COORDINATOR, "a", "b"));
        for (side, greeting, claim) in [
            (WORKER, "a", "b"),
            (COORDINATOR, "b", "a"),
            (COORDINATOR, "ab", ""),
            (COORDINATOR, "c", "b"),
        ] {
            assert!(!secret.is_proved(&proof, side, greeting, claim));
        }
        assert!(!secret.is_proved("", COORDINATOR, "a", "b"));
    }

    #[tokio::test]
    async fn other_versions_are_told_so() {
        let (mut here, mut there) = tokio::io::duplex(4096);
        let old = Greeting {
            program: "mungo-loadtest 9".to_owned(),
            protocol: 9,
            challenge: "x".to_owned(),
        };
        say(&mut here, &old).await.expect("said");
        let failure = apply(&mut there, &secret("a secret")).await;
        let failure = failure.expect_err("refused").to_string();
        assert!(
            failure.contains("mungo-loadtest 9 and version 9"),
            "{failure}"
        );

        let (mut here, mut there) = tokio::io::duplex(4096);
        let claim = Claim {
            program: "mungo-loadtest 9".to_owned(),
            protocol: 9,
            challenge: "x".to_owned(),
            proof: String::new(),
        };
        say(&mut there, &claim).await.expect("said");
        let failure = admit(&mut here, &secret("a secret")).await;
        let failure = failure.expect_err("refused").to_string();
        assert!(failure.contains("the same build"), "{failure}");
        let _: Greeting = hear(&mut there, LONGEST).await.expect("greeted");
        let told: Verdict = hear(&mut there, LONGEST).await.expect("told");
        assert!(matches!(told, Verdict::Refused { reason } if reason.contains("version 9")));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_long() {
        let (mut here, _there) = tokio::io::duplex(4096);
        let failure = admit(&mut here, &secret("a secret")).await;
        let failure = failure.expect_err("too late").to_string();
        assert!(failure.contains("no answer within 10 s"), "{failure}");
    }

    #[test]
    fn a_secret_is_long_and_kept() {
        let folder = tempfile::tempdir().expect("a place");
        let file = folder.path().join("secret");
        let read = |text: &str, mode: u32| {
            fs::write(&file, text).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            Secret::read(&file).map(|secret| secret.0)
        };
        let text = "0123456789abcdef";
        let secret = read(&format!("{text}\n"), 0o600).expect("fine");
        assert_eq!(secret, text.as_bytes());
        for (text, mode, wanted) in [("short", 0o600, "urandom"), (text, 0o640, "chmod 600")] {
            let failure = read(text, mode).expect_err("refused").to_string();
            assert!(failure.contains(wanted), "{failure}");
        }
    }
}
