//! What whoever runs the node asks for.

use std::time::SystemTime;

use router::{Clock, Host, HostType, Installed, Planned, RouterSettings};

use super::*;

fn message(text: &str) -> Stanza {
    Stanza::message(MessageType::Normal)
        .leaf("body", text)
        .build()
}

/// A node of two domains with the module, whose tasks do not run.
fn node() -> (Router, Arc<HostType>, Installed) {
    let router = Router::new(
        RouterSettings::default(),
        Clock::set_to(SystemTime::UNIX_EPOCH),
    );
    let host_type = HostType::new("check");
    for domain in ["montague.lit", "capulet.lit"] {
        let domain: BareJid = domain.parse().expect("a domain");
        router.serve(Host::new(domain, host_type.clone()));
    }
    let installed = install(&router, &host_type);
    (router, host_type, installed)
}

fn install(router: &Router, host_type: &Arc<HostType>) -> Installed {
    let planned = Planned::new::<Announce>(Arc::default(), router).expect("its plan");
    host_type.install(planned, 0).expect("no conflict")
}

fn service(host_type: &HostType) -> Arc<MotdService> {
    host_type.offered().expect("it is offered")
}

/// Runs the task that does what is asked for as long as the rest of the test.
fn run_crier(installed: &Installed) -> oneshot::Sender<()> {
    let (stop, stopped) = oneshot::channel();
    let tasks = installed.planned().tasks();
    let crier = tasks.iter().find(|task| task.name == "crier");
    tokio::spawn((crier.expect("the crier").run)(stopped));
    stop
}

#[tokio::test]
async fn an_operator_posts_sees_and_deletes() {
    let (_router, host_type, installed) = node();
    let desk = service(&host_type);
    let _stop = run_crier(&installed);
    let capulet: BareJid = "capulet.lit".parse().expect("a domain");
    let told = desk.0.post(None, message("Peace"), false).await;
    assert_eq!(told, Ok(0));
    let told = desk.0.post(Some(capulet.clone()), message("War"), true);
    assert_eq!(told.await, Ok(0));
    let list = async |domain: Option<BareJid>| -> Vec<(String, String)> {
        let list = desk.0.list(domain).await.expect("a list").into_iter();
        let text = |stanza: &Stanza| {
            let body = stanza.child("body", ns::CLIENT);
            body.map_or_else(String::new, |body| body.text().into_owned())
        };
        list.map(|motd| (motd.domain.to_string(), text(&motd.message)))
            .collect()
    };
    let war = ("capulet.lit".to_owned(), "War".to_owned());
    let peace = ("montague.lit".to_owned(), "Peace".to_owned());
    assert_eq!(list(None).await, [war.clone(), peace.clone()]);
    assert_eq!(list(Some(capulet.clone())).await, [war]);
    assert_eq!(desk.0.delete(Some(capulet.clone())).await, Ok(()));
    assert_eq!(list(None).await, [peace]);
    assert_eq!(desk.0.delete(None).await, Ok(()));
    assert_eq!(list(None).await, []);
}

#[tokio::test]
async fn what_is_too_long_or_too_much_is_refused() {
    let (_router, host_type, _installed) = node();
    let desk = service(&host_type);
    let refused = desk.0.post(None, message(&"x".repeat(LONGEST)), true).await;
    assert_eq!(
        refused.expect_err("too long").condition,
        Condition::NotAcceptable
    );
    // Nobody does what is asked for.
    let waiting: Vec<_> = (0..WAITING).map(|_| desk.0.delete(None)).collect();
    let refused = desk.0.delete(None).await.expect_err("too much");
    assert_eq!(refused.condition, Condition::ResourceConstraint);
    drop(waiting);
}

#[test]
fn it_is_offered_as_long_as_somebody_does_it() {
    let (router, host_type, installed) = node();
    assert!(host_type.offered::<MotdService>().is_some());
    // As when its actor dies.
    drop(installed);
    assert!(host_type.offered::<MotdService>().is_none());
    let installed = install(&router, &host_type);
    assert!(host_type.offered::<MotdService>().is_some());
    installed.withdraw();
    assert!(host_type.offered::<MotdService>().is_none());
}
