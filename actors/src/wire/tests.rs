use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::io::Io;
use crate::pipe::{Pipe, pipe};

const LIMITS: WireLimits = WireLimits {
    high_water: 32,
    stall: Duration::from_secs(60),
    close: Duration::from_secs(5),
};

fn wire(room: usize) -> (Arc<Wire>, Source, Pipe) {
    let (server, client) = pipe(room);
    let (source, sink) = Io::Pipe(server).split();
    (Wire::new(sink, LIMITS), source, client)
}

fn text(bytes: &'static [u8]) -> impl FnOnce(&mut BytesMut) {
    |out| out.extend_from_slice(bytes)
}

/// Reads until the server closes its side.
async fn rest(client: &mut Pipe) -> String {
    let mut got = String::new();
    client.read_to_string(&mut got).await.expect("utf-8");
    got
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_before_the_flush_and_no_buffer_is_held_after_it() {
    let (wire, _source, mut client) = wire(64);
    assert_eq!(wire.push(text(b"<a/>")), Pushed::Taken);
    assert_eq!(wire.push(text(b"<b/>")), Pushed::Taken);
    assert_eq!(wire.waiting(), 8);
    wire.flush();
    let mut got = [0; 8];
    client.read_exact(&mut got).await.expect("written");
    assert_eq!(&got, b"<a/><b/>");
    assert_eq!(lock(&wire.out).outbox.capacity(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_socket_does_not_take_follows_in_order() {
    let (wire, source, mut client) = wire(3);
    wire.push(text(b"<first/>"));
    wire.flush();
    wire.push(text(b"<second/>"));
    wire.flush();
    wire.finish(b"");
    wire.read_out();
    drop(source);
    assert_eq!(rest(&mut client).await, "<first/><second/></stream:stream>");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_full_at_the_mark_and_cut_after_a_while() {
    let (wire, mut source, mut client) = wire(4);
    assert_eq!(wire.push(text(&[b'x'; 36])), Pushed::Full);
    wire.flush();
    assert_eq!(wire.waiting(), 32, "four bytes fit into the socket");
    let start = Instant::now();
    wire.drain(&mut source).await;
    assert!(
        start.elapsed() >= LIMITS.stall,
        "cut after {:?}",
        start.elapsed()
    );
    assert_eq!(wire.push(text(b"<late/>")), Pushed::Closed);
    assert_eq!(rest(&mut client).await, "xxxx");
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_was_not_written() {
    let (wire, _source, _client) = wire(4);
    wire.push(text(b"<stored/>"));
    wire.flush();
    let written = tokio::spawn({
        let wire = wire.clone();
        async move { wire.written().await }
    });
    tokio::task::yield_now().await;
    assert!(!written.is_finished(), "four bytes fit into the socket");
    wire.cut();
    assert!(written.await.expect("no panic").is_err());
    assert!(wire.written().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_closing_handshake_waits_for_the_peer() {
    let (wire, mut source, mut client) = wire(64);
    wire.push(text(b"<a/>"));
    wire.finish(b"<error/>");
    wire.finish(b"<another/>");
    assert_eq!(wire.push(text(b"<late/>")), Pushed::Closed);
    let start = Instant::now();
    assert_eq!(rest(&mut client).await, "<a/><error/></stream:stream>");
    client
        .write_all(b"<what the client still says/></stream:stream>")
        .await
        .expect("still open");
    client.shutdown(Shutdown::Write);
    wire.drain(&mut source).await;
    wire.read_out();
    tokio::task::yield_now().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_closing_handshake_has_a_deadline() {
    let (wire, mut source, mut client) = wire(64);
    wire.finish(b"");
    let start = Instant::now();
    wire.drain(&mut source).await;
    assert_eq!(start.elapsed(), LIMITS.close);
    assert_eq!(rest(&mut client).await, "</stream:stream>");
    client.write_all(b"x").await.expect_err("shut");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_middle_of_a_frame_leaves_no_trace() {
    let (wire, _source, mut client) = wire(64);
    wire.push(text(b"<a/>"));
    let pushing = wire.clone();
    let panicked = tokio::spawn(async move {
        pushing.push(|out| {
            out.extend_from_slice(b"<half");
            panic!("in the middle");
        });
    });
    panicked.await.expect_err("it panicked");
    wire.push(text(b"<b/>"));
    wire.finish(b"");
    wire.read_out();
    assert_eq!(rest(&mut client).await, "<a/><b/></stream:stream>");
}
