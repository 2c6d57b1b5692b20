//! The door: who gets in, what is refused with which sentence, how it closes.

mod memory;

use std::net::SocketAddr;

use memory::{Memory, SECRET};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends one request as it stands and reads the answer to its end: status and body.
async fn send(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a header");
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    (status.expect("a status"), body.to_owned())
}

fn post(authorization: Option<&str>, body: &str) -> String {
    let authorization = authorization.map_or(String::new(), |a| format!("Authorization: {a}\r\n"));
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const STATUS: &str = r#"{"query": "{ status { version } }"}"#;

#[tokio::test]
async fn only_the_secret_opens() {
    let served = Memory::default().serve().await;
    let right = format!("Bearer {SECRET}");
    let (status, body) = send(served.address, &post(Some(&right), STATUS)).await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"data":{"status":{"version":"0.0.0"}}}"#)
    );
    for wrong in [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer correct-horse"),
        Some("Basic correct-horse-battery-staple"),
        Some("correct-horse-battery-staple"),
        Some("Bearer correct-horse-battery-staple2"),
        Some("Bearer \u{e9}"),
    ] {
        let (status, body) = send(served.address, &post(wrong, STATUS)).await;
        assert_eq!(status, 401, "{wrong:?}");
        assert!(body.contains("admin.secret"), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_a_sentence() {
    let served = Memory::default().serve().await;
    let right = format!("Bearer {SECRET}");
    let (status, body) = send(served.address, &post(Some(&right), "{")).await;
    assert_eq!(status, 400);
    assert!(
        body.starts_with("The body is no GraphQL request in JSON: "),
        "{body}"
    );
    let get = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(send(served.address, get).await.0, 405);
    let elsewhere = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(send(served.address, elsewhere).await.0, 404);
    let endless = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {right}\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    assert_eq!(send(served.address, &endless).await.0, 411);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let served = Memory::default().serve().await;
    // Only the header is sent: the answer does not wait for the body.
    let huge = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {SECRET}\r\n\
         Content-Length: {}\r\n\r\n",
        admin::BODY_LIMIT + 1
    );
    let (status, body) = send(served.address, &huge).await;
    assert_eq!(
        (status, body.as_str()),
        (413, "A request has at most 4194304 bytes.\n")
    );
}

#[tokio::test]
async fn it_closes_idle_connections_and_the_port_when_told_to() {
    let mut served = Memory::default().serve().await;
    let mut idle = TcpStream::connect(served.address).await.expect("connects");
    let request =
        post(Some(&format!("Bearer {SECRET}")), STATUS).replace("Connection: close\r\n", "");
    idle.write_all(request.as_bytes()).await.expect("sends");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    drop(served.stop.take());
    served.task.await.expect("no panic");
    idle.read_to_end(&mut Vec::new()).await.expect("the end");
    let refused = TcpStream::connect(served.address)
        .await
        .expect_err("a closed port");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

fn get(path: &str, authorization: Option<&str>) -> String {
    let authorization = authorization.map_or(String::new(), |a| format!("Authorization: {a}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\r\n")
}

#[tokio::test]
async fn whoever_watches_over_the_node_asks_without_the_secret() {
    let node = Memory::default();
    let served = node.serve().await;
    let address = served.address;
    let asked = |path| async move { send(address, &get(path, None)).await };
    assert_eq!(
        asked("/healthz").await,
        (200, "The node answers.\n".to_owned())
    );
    assert_eq!(
        asked("/readyz").await,
        (200, "The node is ready.\n".to_owned())
    );
    node.lock().missing = vec![
        "node/pools is waiting".to_owned(),
        "The database sqlite does not answer".to_owned(),
    ];
    let reasons = "node/pools is waiting.\nThe database sqlite does not answer.\n";
    assert_eq!(asked("/readyz").await, (503, reasons.to_owned()));
    // It lives all the same.
    assert_eq!(asked("/healthz").await.0, 200);
    let (status, figures) = asked("/metrics").await;
    assert_eq!(status, 200);
    assert!(figures.contains("\nmungo_sessions 0\n"), "{figures}");
    for path in ["/healthz/", "/healthz/x", "/metrics/x"] {
        let (status, _) = asked(path).await;
        assert!([200, 404].contains(&status), "{path}: {status}");
    }
    let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(send(served.address, post).await.0, 405);
}

#[tokio::test]
async fn figures_are_behind_the_secret_where_others_can_ask() {
    let everywhere = tokio::net::TcpListener::bind(("0.0.0.0", 0))
        .await
        .expect("a free port");
    let mut served = Memory::default().serve_on(everywhere);
    served.address.set_ip([127, 0, 0, 1].into());
    let (status, said) = send(served.address, &get("/metrics", None)).await;
    assert_eq!(status, 401);
    assert!(!said.contains("mungo_sessions"), "{said}");
    let right = format!("Bearer {SECRET}");
    let shown = get("/metrics", Some(&right));
    assert_eq!(send(served.address, &shown).await.0, 200);
    // A word says nothing about anybody.
    assert_eq!(send(served.address, &get("/readyz", None)).await.0, 200);
}
