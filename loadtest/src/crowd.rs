//! Many clients at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::arguments::Crowd;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::report::Report;
use crate::tls;

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

/// What came of logging in a crowd.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    /// Who is online, with the number of the account; in the order of the numbers.
    pub(crate) online: Vec<(u32, Connection)>,
    /// Who is not, by reason.
    pub(crate) failures: Failures,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Failures by their text.
#[derive(Debug, Default)]
pub(crate) struct Failures(BTreeMap<String, u64>);

impl Failures {
    /// Counts one.
    pub(crate) fn count(&mut self, failure: &Failure) {
        *self.0.entry(failure.to_string()).or_default() += 1;
    }

    /// Whether there was none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes them all into the report.
    pub(crate) fn report(&self, report: &mut Report) {
        for (reason, count) in &self.0 {
            report.problem(reason, *count);
        }
    }
}

/// Logs in everybody of the crowd, so many at a time as its plan says.
///
/// # Errors
/// TLS can't be set up at all. A client that fails is counted, not an error.
pub(crate) async fn log_in(crowd: &Arc<Crowd>) -> Result<LoggedIn, Failure> {
    let connector = match crowd.tls {
        true => Some(tls::connector().map_err(std::io::Error::other)?),
        false => None,
    };
    let began = Instant::now();
    let mut numbers = 0..crowd.count;
    let mut under_way = JoinSet::new();
    let mut online = Vec::with_capacity(crowd.count as usize);
    let mut failures = Failures::default();
    loop {
        while under_way.len() < crowd.at_once as usize
            && let Some(number) = numbers.next()
        {
            let (crowd, connector) = (Arc::clone(crowd), connector.clone());
            under_way.spawn_local(async move {
                (
                    number,
                    Connection::log_in(&crowd, number, connector.as_ref()).await,
                )
            });
        }
        match under_way.join_next().await {
            None => break,
            Some(Ok((number, Ok(connection)))) => online.push((number, connection)),
            Some(Ok((_, Err(failure)))) => failures.count(&failure),
            Some(Err(broken)) => std::panic::resume_unwind(broken.into_panic()),
        }
    }
    online.sort_by_key(|(number, _)| *number);
    Ok(LoggedIn {
        online,
        failures,
        took: began.elapsed(),
    })
}
