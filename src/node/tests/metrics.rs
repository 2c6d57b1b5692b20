//! What monitoring asks a node for, while people chat.

mod stage;

use std::collections::BTreeMap;

use stage::{Node, NodeStage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Asks without the secret: status and body.
async fn get(node: &Node, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut socket = TcpStream::connect(node.admin).await.expect("connects");
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a header");
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// The figures of a node, by their names with labels.
struct Figures(BTreeMap<String, f64>);

impl Figures {
    async fn of(node: &Node) -> Self {
        let (status, text) = get(node, "/metrics").await;
        assert_eq!(status, 200, "{text}");
        Self::parse(&text)
    }

    /// Reads the text format of Prometheus, strictly: every line must be right, every figure
    /// belong to the family that was announced before it, no figure come twice.
    fn parse(text: &str) -> Self {
        let mut figures = BTreeMap::new();
        let mut families = Vec::new();
        let (mut family, mut kind) = (String::new(), String::new());
        assert!(text.ends_with('\n'), "the last line ends");
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(is_name(name) && !help.is_empty(), "{line}");
                assert!(!families.contains(&name.to_owned()), "twice: {line}");
                families.push(name.to_owned());
                family = name.to_owned();
                continue;
            }
            if let Some(of_kind) = line.strip_prefix("# TYPE ") {
                let (name, of_kind) = of_kind.split_once(' ').expect(line);
                assert_eq!(name, family, "{line}");
                assert!(
                    ["counter", "gauge", "histogram"].contains(&of_kind),
                    "{line}"
                );
                assert_eq!(of_kind == "counter", name.ends_with("_total"), "{line}");
                kind = of_kind.to_owned();
                continue;
            }
            let (figure, value) = line.rsplit_once(' ').expect(line);
            let value: f64 = value.parse().expect(line);
            assert!(value >= 0.0, "{line}");
            let name = match figure.split_once('{') {
                Some((name, labels)) => {
                    labels_are_right(labels.strip_suffix('}').expect(line), line);
                    name
                }
                None => figure,
            };
            let base = match kind.as_str() {
                "histogram" => ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end))
                    .expect(line),
                _ => name,
            };
            assert_eq!(base, family, "{line}");
            let twice = figures.insert(figure.to_owned(), value);
            assert!(twice.is_none(), "twice: {line}");
        }
        Self(figures)
    }

    fn get(&self, figure: &str) -> f64 {
        let known = || {
            self.0
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join("\n")
        };
        *self
            .0
            .get(figure)
            .unwrap_or_else(|| panic!("{figure} is not among\n{}", known()))
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits)
}

fn labels_are_right(labels: &str, line: &str) {
    let mut rest = labels;
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").expect(line);
        assert!(is_name(name), "{line}");
        let mut escaped = false;
        let end = behind.find(|c| match (escaped, c) {
            (true, c) => {
                assert!(['\\', '"', 'n'].contains(&c), "{line}");
                escaped = false;
                false
            }
            (false, '\\') => {
                escaped = true;
                false
            }
            (false, c) => c == '"',
        });
        rest = &behind[end.expect(line) + 1..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').expect(line);
            assert!(!rest.is_empty(), "{line}");
        }
    }
}

#[tokio::test]
async fn the_figures_move_when_people_chat() {
    let mut stage = NodeStage::perform("Romeo logs in\nJuliet logs in").await;
    let before = Figures::of(&stage.node).await;
    assert_eq!(before.get("mungo_sessions"), 2.0);
    assert_eq!(before.get("mungo_logins_total{result=\"success\"}"), 2.0);
    assert_eq!(before.get("mungo_logins_total{result=\"failure\"}"), 0.0);
    assert!(before.get("mungo_connections_accepted_total") >= 2.0);
    let port = format!("mungo_connections{{listener=\"{}\"}}", stage.node.c2s_tls);
    assert_eq!(before.get(&port), 2.0);
    assert_eq!(before.get("mungo_actors{kind=\"session\"}"), 2.0);
    assert_eq!(
        before.get("mungo_actors_started_total{kind=\"session\"}"),
        2.0
    );
    assert_eq!(before.get("mungo_actors_restarted_total"), 0.0);
    for figure in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_threads",
        "mungo_runtime_tasks",
        "mungo_allocator_allocated_bytes",
        "mungo_allocator_arenas",
    ] {
        assert!(before.get(figure) > 0.0, "{figure}");
    }

    // What is in RAM and no file is what the allocator has, but for stacks and static data.
    let held = before.get("mungo_allocator_allocated_bytes")
        + before.get("mungo_allocator_retained_bytes");
    let others = before.get("process_threads") * f64::from(256 << 10) + f64::from(8 << 20);
    let anonymous = before.get("process_anonymous_memory_bytes");
    assert!(anonymous < held + others, "{anonymous} in RAM, {held} held");

    // So many that some of them are among those whose times are measured.
    let messages = 200;
    let line = "
        Romeo: <message type='chat' id='m' to='juliet@localhost/play'><body>Good morrow</body></message>
        Juliet gets: <message type='chat' id='m' from='romeo@localhost/play' to='juliet@localhost/play'><body>Good morrow</body></message>
        ";
    stage.act(&line.repeat(messages)).await;
    stage
        .act(
            "
            Romeo: <iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            Romeo gets: <iq type='result' id='p' from='localhost' to='romeo@localhost/play'/>
            Romeo: <message id='x' to='nobody@localhost'><body>Anybody?</body></message>
            Romeo gets: <message type='error' id='x' from='nobody@localhost' to='romeo@localhost/play'><**/></message>
            ",
        )
        .await;
    let after = Figures::of(&stage.node).await;
    let grown = |figure: &str| after.get(figure) - before.get(figure);
    let stanzas = |kind: &str, direction: &str| {
        grown(&format!(
            "mungo_stanzas_total{{kind=\"{kind}\",direction=\"{direction}\"}}"
        ))
    };
    assert_eq!(stanzas("message", "in"), messages as f64 + 1.0);
    assert_eq!(stanzas("message", "out"), messages as f64);
    assert_eq!(stanzas("error", "out"), 1.0);
    assert_eq!((stanzas("iq", "in"), stanzas("iq", "out")), (1.0, 1.0));
    assert_eq!(grown("mungo_module_answers_total{module=\"ping\"}"), 1.0);
    assert!(grown("mungo_route_seconds_count") >= 1.0);
    assert!(grown("mungo_route_seconds_sum") > 0.0);
    assert_eq!(
        after.get("mungo_route_seconds_bucket{le=\"+Inf\"}"),
        after.get("mungo_route_seconds_count")
    );
    assert!(grown("process_cpu_seconds_total") > 0.0);

    // All went well: nothing waits, nobody is stuck.
    assert_eq!(after.get("mungo_mailbox_bytes"), 0.0);
    assert_eq!(after.get("mungo_actors_failed_total"), 0.0);
    assert!(!after.0.keys().any(|figure| figure.contains("in_trouble")));
    // What concerns people by name is no figure.
    assert!(!after.0.keys().any(|figure| figure.contains("romeo")));

    stage
        .act("Romeo: </stream:stream>\nRomeo gets: </stream:stream>\nRomeo gets the end")
        .await;
    let end = Figures::of(&stage.node).await;
    assert_eq!(end.get("mungo_sessions"), 1.0);
}

#[tokio::test]
async fn actors_that_fall_are_counted_and_missing_stages_are_told() {
    let stage = NodeStage::perform("Romeo logs in").await;
    let node = &stage.node;
    assert_eq!(get(node, "/healthz").await.0, 200);
    assert_eq!(
        get(node, "/readyz").await,
        (200, "The node is ready.\n".to_owned())
    );
    // Each time it falls it waits longer for its restart, at last long enough to be seen.
    let mut unready = None;
    for _ in 0..8 {
        let killed = node
            .graphql(r#"mutation { actor { kill(path: "node/pools/sqlite") { path } } }"#)
            .await
            .expect("an answer");
        // It may be down still.
        assert!(killed.contains("node/pools/sqlite"), "{killed}");
        let (status, said) = get(node, "/readyz").await;
        if status == 503 {
            unready = Some(said);
            break;
        }
    }
    let unready = unready.expect("it is not ready for a while");
    assert_eq!(unready, "node/pools/sqlite is waiting.\n");
    assert_eq!(get(node, "/healthz").await.0, 200);
    let ready = async {
        while get(node, "/readyz").await.0 != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), ready)
        .await
        .expect("it is ready again");
    let figures = Figures::of(node).await;
    assert!(figures.get("mungo_actors_failed_total") >= 1.0);
    assert!(figures.get("mungo_actors_restarted_total") >= 1.0);
    assert!(figures.get("mungo_actors_started_total{kind=\"pool\"}") >= 2.0);
    assert_eq!(figures.get("mungo_actors{kind=\"pool\"}"), 1.0);
}
