//! A run by many processes: workers play, a coordinator leads.
//!
//! Workers are processes of this program, on this machine (`crew.rs` starts them, with a socket for a
//! standard input) or on others (where they listen, and prove with those who come that both know the same
//! secret: `secret.rs`). The same messages go to and fro in both cases (`wire.rs`). Each worker plays its
//! share of the users (`run::Share`) by its own clock (`worker.rs`); the coordinator lets all of them
//! begin and end phases together, looks at the server's process, shows how it goes, and makes one report
//! of what they wrote down (`coordinator.rs`, `gathered.rs`).

mod coordinator;
mod crew;
mod gathered;
mod secret;
mod wire;
mod worker;

pub(crate) use coordinator::play;
pub(crate) use crew::Crew;
pub(crate) use worker::{listen, serve_parent};
