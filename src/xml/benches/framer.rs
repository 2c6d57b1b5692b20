//! What framing costs: finding the end of each element, checking it, indexing its children.

use std::hint::black_box;

use bytes::BytesMut;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use xml::{Framer, Limits};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";
const PRESENCE: &str = "<presence><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/client' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>";
const LIMITS: Limits = Limits {
    stanza: 256 * 1024,
    header: 4096,
    depth: 64,
    attributes: 64,
    namespaces: 32,
};

fn main() {
    divan::main();
}

/// A message as the load tool writes it, with a body of so many bytes.
fn message(body: usize) -> String {
    let body = "x".repeat(body);
    format!("<message to='u1@localhost/load' type='chat' id='c1234'><body>{body}</body></message>")
}

/// Frames what one read gave.
fn frames(bencher: Bencher<'_, '_>, read: &str, frames: usize) {
    let mut framer = Framer::new(LIMITS);
    let mut buffer = BytesMut::from(HEADER);
    framer.next(&mut buffer).expect("a header");
    bencher
        .counter(ItemsCount::new(frames))
        .counter(BytesCount::of_str(read))
        .bench_local(|| {
            buffer.extend_from_slice(read.as_bytes());
            while let Ok(Some(event)) = framer.next(&mut buffer) {
                black_box(event);
            }
        });
}

/// Messages with bodies of 100 bytes, by how many one read gave.
#[divan::bench(args = [1, 8, 20])]
fn messages(bencher: Bencher<'_, '_>, count: usize) {
    frames(bencher, &message(100).repeat(count), count);
}

/// One message, by the bytes of its body.
#[divan::bench(args = [0, 1_000, 100_000])]
fn body(bencher: Bencher<'_, '_>, bytes: usize) {
    frames(bencher, &message(bytes), 1);
}

#[divan::bench]
fn presence(bencher: Bencher<'_, '_>) {
    frames(bencher, PRESENCE, 1);
}
