//! Guesses are slowed down, by account and by address.

use crate::ThrottleSettings;
use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use xmpp::BareJid;

/// An address has so many times the free failures of an account.
const SHARED_BY: u32 = 4;

/// Remembers failed logins and says how long the next answer waits.
///
/// Its memory is bounded and full of what strangers made up, so it keeps hashes (by a random key)
/// in place of names. Accounts and addresses have a table each: who makes up accounts cannot push
/// his address out.
#[derive(Debug)]
pub struct Throttle {
    settings: ThrottleSettings,
    names: RandomState,
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    accounts: Table,
    addresses: Table,
}

impl Throttle {
    /// Remembers nothing yet.
    pub fn new(settings: ThrottleSettings) -> Self {
        Throttle {
            settings,
            names: RandomState::new(),
            tables: Mutex::default(),
        }
    }

    /// How long a login waits as things stand: the longer one of what the account and the address
    /// have earned. Before a try is checked, ask with the address alone, so that a guesser who
    /// hangs up early gains nothing and nobody can shut others out of their accounts.
    pub fn delay_for(&self, account: Option<&BareJid>, address: IpAddr) -> Duration {
        let now = Instant::now();
        let address = self.name(prefix(address));
        let account = account.map(|account| self.name(account));
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = tables.addresses.failures(address, now, &self.settings);
        let of_account = account.map_or(0, |account| {
            tables.accounts.failures(account, now, &self.settings)
        });
        self.delay(of_account, 1)
            .max(self.delay(of_address, SHARED_BY))
    }

    /// Counts a failed login; says how long its answer waits.
    pub fn failed(&self, account: Option<&BareJid>, address: IpAddr) -> Duration {
        let now = Instant::now();
        let address = self.name(prefix(address));
        let account = account.map(|account| self.name(account));
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = tables.addresses.count(address, now, &self.settings);
        let of_account = account.map_or(0, |account| {
            tables.accounts.count(account, now, &self.settings)
        });
        self.delay(of_account, 1)
            .max(self.delay(of_address, SHARED_BY))
    }

    /// Forgets the failures of an account that has logged in. Those of the address stay: a guesser
    /// may have an account of his own.
    pub fn succeeded(&self, account: &BareJid) {
        let account = self.name(account);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.accounts.forget(account);
    }

    fn name(&self, of: impl Hash) -> u64 {
        self.names.hash_one(of)
    }

    fn delay(&self, failures: u32, shared_by: u32) -> Duration {
        let free = self.settings.free.saturating_mul(shared_by);
        let Some(costly) = failures.checked_sub(free).filter(|costly| *costly > 0) else {
            return Duration::ZERO;
        };
        let factor = 2_u32.saturating_pow(costly - 1);
        self.settings
            .first_delay
            .saturating_mul(factor)
            .min(self.settings.max_delay)
    }
}

/// What counts as one address: who has one of IPv6 has a /64.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

/// Failures by name, with the order of the last ones.
#[derive(Debug, Default)]
struct Table {
    entries: HashMap<u64, Entry>,
    /// Serial number of the last failure to name: the first one goes first.
    order: BTreeMap<u64, u64>,
    serial: u64,
}

#[derive(Debug)]
struct Entry {
    failures: u32,
    last: Instant,
    serial: u64,
}

impl Table {
    fn failures(&self, name: u64, now: Instant, settings: &ThrottleSettings) -> u32 {
        match self.entries.get(&name) {
            Some(entry) if now.duration_since(entry.last) < settings.forget_after => entry.failures,
            _ => 0,
        }
    }

    fn count(&mut self, name: u64, now: Instant, settings: &ThrottleSettings) -> u32 {
        let failures = self.failures(name, now, settings).saturating_add(1);
        self.forget(name);
        while self.entries.len() >= settings.capacity.max(1) {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            self.entries.remove(&oldest);
        }
        self.serial += 1;
        self.order.insert(self.serial, name);
        let entry = Entry {
            failures,
            last: now,
            serial: self.serial,
        };
        self.entries.insert(name, entry);
        failures
    }

    fn forget(&mut self, name: u64) {
        if let Some(entry) = self.entries.remove(&name) {
            self.order.remove(&entry.serial);
        }
    }
}

#[cfg(test)]
mod tests;
