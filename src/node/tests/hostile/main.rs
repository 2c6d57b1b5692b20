//! Hostile input against one real node: the catalogue of `ci/hostile/`, and the floods that only
//! code can make. After each input somebody who was logged in all the time is still served, and the
//! node's memory stays within 1.5 times what it was before plus 20 MiB.

#[path = "../stage/mod.rs"]
mod stage;

mod attacker;
mod catalogue;
mod cuts;
mod floods;
mod loris;
mod memory;
mod scram;

use std::time::Instant;

use attacker::HostileStage;
use catalogue::Input;
use memory::Memory;
use stage::{Client, Node, NodeStage};

/// Waits are short, so that nothing here sleeps for long. Guesses are slowed down, but not by much.
const SETTINGS: &str = r#"
    stream: (login_timeout: "4s", closing_timeout: "200ms", idle_timeout: "20s"),
    auth: (iterations: 4096, failed_logins: (first_delay: "1ms", max_delay: "10ms")),
"#;

/// Inputs that the catalogue has at least.
const AT_LEAST: usize = 120;

#[test]
fn every_input_says_where_its_answer_is_defined() {
    let inputs = catalogue::read();
    assert!(inputs.len() >= AT_LEAST, "only {} inputs", inputs.len());
    for input in &inputs {
        assert!(
            input.is_defined(),
            "{}: which RFC or XEP defines the answer, or is it ours?",
            input.title()
        );
    }
    let mut names: Vec<String> = inputs.iter().map(Input::title).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), inputs.len(), "two inputs have one name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_serves_whatever_others_send() {
    let mut watch = Watch::start().await;
    let half_a_stanza = loris::half_a_stanza(&watch.stage.actors.node).await;
    let mut failures = Vec::new();
    for input in catalogue::read() {
        failures.extend(watch.stage.perform(&input).await.err());
        watch.control(&input.title()).await;
    }
    assert!(
        failures.is_empty(),
        "{}\n{} inputs were not answered as they should be; the node said:\n{}",
        failures.join("\n"),
        failures.len(),
        watch.stage.actors.node.log(),
    );
    watch.report("the catalogue");
    for (name, flood) in floods::all() {
        let node = &watch.stage.actors.node;
        if let Err(why) = flood(node).await {
            panic!("{name}: {why}\nthe node said:\n{}", node.log());
        }
        watch.control(name).await;
        watch.report(name);
    }
    loris::is_sent_off(half_a_stanza)
        .await
        .expect("half a stanza is no sign of life");
    watch.end().await;
}

/// The node, somebody who is served by it all the time, and what was measured at the start.
struct Watch {
    stage: HostileStage,
    control: Client,
    before: Memory,
    begun: Instant,
}

impl Watch {
    async fn start() -> Watch {
        floods::raise_file_limit();
        let node = Node::start_with(SETTINGS).await;
        for account in ["romeo", "juliet", "mallory", "control"] {
            node.register(&format!("{account}@localhost"))
                .await
                .expect("an account");
        }
        let mut control = Client::log_in(&node, "control@localhost/watch")
            .await
            .expect("logged in");
        control.settle().await.expect("served");
        let before = Memory::of(node.pid());
        let stage = HostileStage::new(NodeStage::new(node));
        let begun = Instant::now();
        Watch {
            stage,
            control,
            before,
            begun,
        }
    }

    /// Whether the control client is served.
    async fn control(&mut self, after: &str) {
        let served = self.control.settle().await;
        let log = || self.stage.actors.node.log();
        assert!(
            served.is_ok(),
            "after {after}: {served:?}\nthe node said:\n{}",
            log()
        );
        assert!(
            !self.control.has_ended(),
            "after {after}: cut off\nthe node said:\n{}",
            log()
        );
    }

    #[expect(clippy::print_stdout, reason = "the figures are what is asked for")]
    fn report(&self, what: &str) {
        let now = Memory::of(self.stage.actors.node.pid());
        let most = self.before.resident + self.before.resident / 2 + (20 << 10);
        println!(
            "{what}: {} KiB before, {} KiB at the peak (at most {most}), {} KiB after, {:.1} s so far",
            self.before.resident,
            now.peak,
            now.resident,
            self.begun.elapsed().as_secs_f32(),
        );
        assert!(now.peak <= most, "{what}: {} KiB are too much", now.peak);
    }

    async fn end(mut self) {
        self.control("everything").await;
        let log = self.stage.actors.node.log();
        for word in ["ERROR", "panicked"] {
            let line = log.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "the node said:\n{log}");
        }
    }
}
