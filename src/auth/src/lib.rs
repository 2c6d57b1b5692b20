//! Accounts and passwords: registration, import, checks, and the slowing of guesses.
//!
//! Only derived keys are kept. A derivation takes milliseconds of a core, so it runs on blocking
//! threads and no more of them at a time than there are cores. What was answered with `Ok` is
//! durable.

mod accounts;
mod deriving;
mod error;
mod import;
mod settings;
mod throttle;

pub use accounts::Auth;
pub use error::{AuthError, KeyFault, PasswordFault};
pub use import::{ImportedAccount, ImportedSecret};
pub use settings::{AuthSettings, PasswordRules, ThrottleSettings};
pub use throttle::Throttle;
