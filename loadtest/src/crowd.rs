//! What many clients at once need.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// Files that are open besides the sockets.
const OTHER_FILES: u64 = 64;

/// Lets this process have as many sockets as it needs.
///
/// # Errors
/// The system's hard limit is lower.
pub(crate) fn raise_file_limit(clients: u32) -> Result<(), Failure> {
    let wanted = u64::from(clients) + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if enough(limit.current) {
        return Ok(());
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if enough(limit.maximum) && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    Err(Failure::Files {
        wanted,
        allowed: limit.maximum.or(limit.current).unwrap_or_default(),
    })
}
