//! The migrations of the database, embedded in the binary and run at start.
//!
//! One that has landed is never edited (`tests/landed.rs` compares hashes): what is wrong with it
//! is mended by the next one. Every table begins with a domain column, and no statement here is
//! for one back end only.

// `async_trait` wants the lifetimes elided where the trait elides them.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

mod m0001_account;
mod m0002_secret;
mod m0003_roster;
mod m0004_offline;
mod m0005_last;
mod m0006_privacy;
mod m0007_vcard;
mod m0008_private;
mod m0009_motd;
mod m0010_node;

/// Brings a database to the schema of this binary.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_account::Migration),
            Box::new(m0002_secret::Migration),
            Box::new(m0003_roster::Migration),
            Box::new(m0004_offline::Migration),
            Box::new(m0005_last::Migration),
            Box::new(m0006_privacy::Migration),
            Box::new(m0007_vcard::Migration),
            Box::new(m0008_private::Migration),
            Box::new(m0009_motd::Migration),
            Box::new(m0010_node::Migration),
        ]
    }
}

/// The names of all migrations this binary knows, oldest first.
pub fn names() -> Vec<String> {
    Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}
