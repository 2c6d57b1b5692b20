//! What the node hands over from its configuration.

use crate::PasswordFault;
use std::{fmt, sync::Arc, time::Duration};
use stream::scram::ScramHash;

/// How accounts are made and checked.
#[derive(Clone)]
pub struct AuthSettings {
    /// The hashes that keys are derived for, which is what accounts can log in with. Empty means
    /// SHA-256 alone.
    pub hashes: Vec<ScramHash>,
    /// Rounds of PBKDF2 for new keys; keys that are stored keep theirs.
    pub iterations: u32,
    /// What new passwords have to be like.
    pub passwords: PasswordRules,
    /// How failed logins are slowed down.
    pub throttle: ThrottleSettings,
    /// Whether a domain is served here, so that accounts of it may be made.
    pub serves: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        AuthSettings {
            hashes: ScramHash::ALL.to_vec(),
            iterations: 10_000,
            passwords: PasswordRules::default(),
            throttle: ThrottleSettings::default(),
            serves: Arc::new(|domain| domain == "localhost"),
        }
    }
}

impl fmt::Debug for AuthSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSettings")
            .field("hashes", &self.hashes)
            .field("iterations", &self.iterations)
            .field("passwords", &self.passwords)
            .field("throttle", &self.throttle)
            .finish_non_exhaustive()
    }
}

/// What new passwords have to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// In characters.
    pub min_length: usize,
    /// In bytes.
    pub max_length: usize,
}

impl Default for PasswordRules {
    fn default() -> Self {
        PasswordRules {
            min_length: 8,
            max_length: 1023,
        }
    }
}

impl PasswordRules {
    /// For passwords that are in use already.
    pub(crate) const IMPORTED: PasswordRules = PasswordRules {
        min_length: 1,
        max_length: 1023,
    };

    /// Whether a password keeps the rules. Which characters may be in one is SASLprep's business.
    pub(crate) fn check(&self, password: &str) -> Result<(), PasswordFault> {
        let length = password.chars().count();
        if length < self.min_length.max(1) {
            Err(PasswordFault::TooShort {
                length,
                min: self.min_length.max(1),
            })
        } else if password.len() > self.max_length {
            Err(PasswordFault::TooLong {
                length: password.len(),
                max: self.max_length,
            })
        } else {
            Ok(())
        }
    }
}

/// How failed logins are slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// So many failures of an account cost nothing. An address, which many people may share, has
    /// four times as many.
    pub free: u32,
    /// The wait after the first failure that costs; each one more doubles it.
    pub first_delay: Duration,
    /// No wait is longer.
    pub max_delay: Duration,
    /// Failures are forgotten when so much time has gone by without another.
    pub forget_after: Duration,
    /// So many accounts, and as many addresses, are remembered; the one whose last failure is
    /// oldest makes room for another. About 100 bytes each.
    pub capacity: usize,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        ThrottleSettings {
            free: 3,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            forget_after: Duration::from_secs(15 * 60),
            capacity: 10_000,
        }
    }
}
