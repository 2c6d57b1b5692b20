//! `idle`: users log in, say that they are there, and then nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::arguments::IdlePlan;
use crate::connection::Connection;
use crate::crowd::{self, Failures};
use crate::failure::Failure;
use crate::process::Watch;
use crate::report::Report;

/// Plays it.
///
/// # Errors
/// The server can't be watched, or nobody can log in.
pub(crate) async fn run(plan: &IdlePlan) -> Result<Report, Failure> {
    let crowd = Arc::new(plan.crowd.clone());
    let watch = Watch::new(crowd.pid)?;
    let before = watch.look()?;
    let crowd::LoggedIn {
        online,
        failures,
        took,
    } = crowd::log_in(&crowd).await?;
    let logged_in = watch.look()?;
    let count = online.len() as u64;

    let (staying, lost) = stay(online, Duration::from_secs(plan.seconds)).await;
    let after = watch.look()?;
    for (_, connection) in staying {
        connection.close().await;
    }

    let transport = if crowd.tls { "TLS 1.3" } else { "TCP" };
    let mut report = Report::new(format!(
        "idle: {} users over {transport}, {} s",
        crowd.count, plan.seconds
    ));
    report
        .count("sessions", count)
        .figure("logins", count as f64 / took.as_secs_f64(), "/s")
        .cost("cpu_per_login", logged_in.cpu_since(&before), count)
        .memory(&before, &after)
        .memory_each(&before, &after, count);
    if let Some(cpu) = after.cpu_since(&logged_in) {
        let share = cpu.as_secs_f64() / plan.seconds as f64 * 100.0;
        report.figure("idle_cpu", share, "%");
    }
    report.disturbances(&before, &logged_in);
    failures.report(&mut report);
    lost.report(&mut report);
    Ok(report)
}

/// Lets so much time go by, in which all that may come is a ping. Gives those who are still there.
pub(crate) async fn stay(
    online: Vec<(u32, Connection)>,
    time: Duration,
) -> (Vec<(u32, Connection)>, Failures) {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for (number, mut connection) in online {
        tasks.spawn_local(async move {
            let listen = async {
                loop {
                    if let Err(failure) = connection.turn(|_, _| {}).await {
                        break failure;
                    }
                }
            };
            match timeout_at(end, listen).await {
                Ok(failure) => Err(failure),
                Err(_) => Ok((number, connection)),
            }
        });
    }
    let mut staying = Vec::with_capacity(tasks.len());
    let mut lost = Failures::default();
    while let Some(end) = tasks.join_next().await {
        match end {
            Ok(Ok(still)) => staying.push(still),
            Ok(Err(failure)) => lost.count(&failure),
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    }
    (staying, lost)
}
