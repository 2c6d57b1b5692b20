//! Whom an account keeps away: the blocking command (XEP-0191) and privacy lists (XEP-0016), over
//! one store and one check.
//!
//! The block list is a view of the default privacy list (XEP-0191 §5), so there is one thing to
//! keep ([`Lists`]) and one question to ask ([`Rules::check`]).

mod change;
mod command;
mod contacts;
mod effects;
mod entity;
mod guard;
mod index;
mod lists;
mod mem;
mod module;
mod packed;
mod push;
mod query;
mod rule;
mod rules;
mod slots;
mod sql;
mod store;
mod table;

pub use change::{Bounds, OtherSessions};
pub use command::{Command, blocked, write_block, write_block_list, write_unblock};
pub use lists::{List, Lists, UnknownList};
pub use mem::MemPrivacy;
pub use module::{Privacy, PrivacySettings};
pub use query::{Query, write_list, write_names, write_push};
pub use rule::{Action, Contacts, Item, Kinds, Strangers, Subject, Subscription, Traffic};
pub use rules::{BadRules, Rules};
pub use sql::SqlPrivacy;
pub use store::{PrivacyStore, PrivacyWrite};
