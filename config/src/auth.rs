//! How accounts prove who they are.

use crate::{Span, choices, settings};

choices! {
    /// A SASL mechanism by its registered name.
    pub enum Mechanism {
        /// RFC 5802's construction over SHA-512, bound to the TLS channel.
        ScramSha512Plus = "SCRAM-SHA-512-PLUS",
        /// The same without channel binding.
        ScramSha512 = "SCRAM-SHA-512",
        /// RFC 7677, bound to the TLS channel.
        ScramSha256Plus = "SCRAM-SHA-256-PLUS",
        /// RFC 7677.
        ScramSha256 = "SCRAM-SHA-256",
        /// RFC 5802, bound to the TLS channel.
        ScramSha1Plus = "SCRAM-SHA-1-PLUS",
        /// RFC 5802.
        ScramSha1 = "SCRAM-SHA-1",
        /// RFC 4616: the password itself.
        Plain = "PLAIN",
    }
}

settings! {
    /// How accounts log in.
    pub struct Auth {
        /// The SASL mechanisms that are offered, in this order. The -PLUS forms bind the login to
        /// the TLS connection and are offered only inside TLS.
        mechanisms: Vec<Mechanism> = Mechanism::ALL.to_vec(),
        /// Whether PLAIN is offered on a connection without TLS, where everybody on the way reads
        /// the password.
        plain_without_tls: bool = false,
        /// How many rounds of PBKDF2 are between a new password and its stored keys. More cost an
        /// attacker who stole the keys more, and each client at login. 4096 to 1000000; passwords
        /// that are stored keep their rounds.
        iterations: u32 = 10_000,
        /// How often a client may try on one connection before that is closed. 1 to 20.
        max_tries: u8 = 3,
        /// What new passwords have to be like.
        passwords: PasswordRules,
        /// How failed logins are slowed down, by account and by address.
        failed_logins: FailedLogins,
    }
    check |auth, problems| {
        if auth.mechanisms.is_empty() {
            problems.error("mechanisms", "no mechanism is offered, nobody could log in",
                "write at least one, such as \"SCRAM-SHA-256\"");
        }
        for (position, mechanism) in auth.mechanisms.iter().enumerate() {
            if auth.mechanisms[..position].contains(mechanism) {
                problems.error(&format!("mechanisms[{position}]"), format!("{mechanism} is there twice"), "leave one out");
            }
        }
        if auth.plain_without_tls && !auth.mechanisms.contains(&Mechanism::Plain) {
            problems.warn("plain_without_tls", "PLAIN is not among the mechanisms, so this does nothing", "leave it out");
        }
        if !(4_096..=1_000_000).contains(&auth.iterations) {
            problems.error("iterations", format!("{} is out of range", auth.iterations), "write a number from 4096 to 1000000");
        }
        if !(1..=20).contains(&auth.max_tries) {
            problems.error("max_tries", format!("{} is out of range", auth.max_tries), "write a number from 1 to 20");
        }
    }
}

settings! {
    /// What new passwords have to be like. Passwords that are stored stay as they are.
    pub struct PasswordRules {
        /// In characters.
        min_length: usize = 8,
        /// In bytes, 1023 at most.
        max_length: usize = 1023,
    }
    check |rules, problems| {
        problems.at_least("min_length", rules.min_length, 1);
        if rules.max_length > 1023 {
            problems.error("max_length", format!("{} is too much", rules.max_length), "write 1023 or less");
        }
        if rules.min_length > rules.max_length {
            problems.error("min_length", format!("{} is more than max_length, {}", rules.min_length, rules.max_length),
                format!("write {} or less, or a larger max_length", rules.max_length));
        }
    }
}

settings! {
    /// How failed logins are slowed down. Each failure past the free ones doubles the wait.
    pub struct FailedLogins {
        /// So many failures cost nothing.
        free: u32 = 3,
        /// The wait after the first failure that costs.
        first_delay: Span = Span::millis(500),
        /// No wait is longer.
        max_delay: Span = Span::seconds(30),
        /// A failure is forgotten after this time.
        forget_after: Span = Span::minutes(15),
    }
    check |failed, problems| {
        if failed.first_delay > failed.max_delay {
            problems.error("first_delay", format!("{} is more than max_delay, {}", failed.first_delay, failed.max_delay),
                format!("write \"{}\" or less, or a longer max_delay", failed.max_delay));
        }
        if failed.max_delay > Span::minutes(5) {
            problems.error("max_delay", format!("{} is too long: connections would pile up", failed.max_delay), "write \"5m\" or less");
        }
    }
}
