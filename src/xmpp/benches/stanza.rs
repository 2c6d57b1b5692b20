//! What addresses cost, the check of a stanza, and its new opening tag.

use std::hint::black_box;

use bytes::BytesMut;
use divan::Bencher;
use xml::Element;
use xmpp::{FullJid, Jid, Stanza};

const MESSAGE: &str = "<message to='u1@localhost/load' type='chat' id='c1234'><body>The quick brown fox jumps over the lazy dog, and then it does so once more, since it was that nice.</body></message>";

fn main() {
    divan::main();
}

#[divan::bench(args = ["u1@localhost/load", "juliet.capulet@example.org", "JULIET@Example.ORG/Balcony", "j\u{fc}rgen@m\u{fc}nchen.example/B\u{fc}ro \u{2660}"])]
fn jid(bencher: Bencher<'_, '_>, text: &str) {
    bencher.bench(|| black_box(text).parse::<Jid>());
}

fn sender() -> FullJid {
    let jid: Jid = "u0@localhost/load".parse().expect("an address");
    jid.as_full().expect("it has a resource")
}

fn element() -> Element {
    Element::parse_in(MESSAGE.as_bytes(), xmpp::ns::CLIENT).expect("it is well-formed")
}

/// From an element to a stanza: kind, type, addresses, `from` stamped.
#[divan::bench]
fn head(bencher: Bencher<'_, '_>) {
    let sender = sender();
    bencher
        .with_inputs(element)
        .bench_local_values(|element| Stanza::read(element, Some(&sender)));
}

/// The new opening tag, and the children as they came.
#[divan::bench]
fn write(bencher: Bencher<'_, '_>) {
    let Ok(stanza) = Stanza::read(element(), Some(&sender())) else {
        unreachable!("it is a stanza");
    };
    let mut out = BytesMut::with_capacity(4096);
    bencher.bench_local(|| {
        out.clear();
        black_box(&stanza).write_to(&mut out);
    });
}
