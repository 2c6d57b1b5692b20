//! `roster`: users with contacts log in, ask for their roster, say that they are there, and then
//! nothing.
//!
//! They stand in a ring, each with contacts on both sides, and come one behind the other: whoever
//! comes finds those on one side. In the end everybody was told of all their contacts once.

use std::sync::Arc;
use std::time::Duration;

use crate::arguments::RosterPlan;
use crate::contacts;
use crate::crowd;
use crate::failure::Failure;
use crate::idle::stay;
use crate::process::Watch;
use crate::report::Report;

/// How long the last presences may take.
const SETTLE: Duration = Duration::from_secs(2);

/// Plays it.
///
/// # Errors
/// The server can't be watched, or nobody can log in.
pub(crate) async fn run(plan: &RosterPlan) -> Result<Report, Failure> {
    let mut crowd = plan.crowd.clone();
    crowd.with_roster = true;
    let crowd = Arc::new(crowd);
    let contacts_of = |number| contacts::in_ring(crowd.count, plan.beside, number);
    let watch = Watch::new(crowd.pid)?;
    let transport = if crowd.tls { "TLS 1.3" } else { "TCP" };
    let mut report = Report::new(format!(
        "roster: {} users with {} contacts over {transport}, {} s",
        crowd.count,
        contacts_of(0).len(),
        plan.seconds
    ));
    if plan.prepare {
        contacts::make(&crowd, contacts_of)
            .await?
            .report(&mut report);
    }
    if !report.is_clean() {
        return Ok(report);
    }
    let before = watch.look()?;
    let crowd::LoggedIn {
        online,
        failures,
        took,
    } = crowd::log_in(&crowd).await?;
    let count = online.len() as u64;
    let (settled, lost) = stay(online, SETTLE).await;
    let told = settled
        .iter()
        .map(|(_, connection)| u64::from(connection.presences()))
        .sum();
    // Who was told of fewer than all of theirs.
    let missing = settled
        .iter()
        .map(|(number, connection)| {
            let contacts = contacts_of(*number).len() as u64;
            contacts.saturating_sub(connection.presences().into())
        })
        .sum();
    let logged_in = watch.look()?;
    let (staying, lost_later) = stay(settled, Duration::from_secs(plan.seconds)).await;
    let after = watch.look()?;
    for (_, connection) in staying {
        connection.close().await;
    }

    report
        .count("sessions", count)
        .count("presences", told)
        .figure("logins", count as f64 / took.as_secs_f64(), "/s")
        .cost("cpu_per_login", logged_in.cpu_since(&before), count)
        .memory(&before, &after)
        .memory_each(&before, &after, count)
        .disturbances(&before, &logged_in);
    failures.report(&mut report);
    lost.report(&mut report);
    lost_later.report(&mut report);
    report.problem("a contact's presence did not come", missing);
    Ok(report)
}
