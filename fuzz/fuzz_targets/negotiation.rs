//! Any bytes from the first on: no panic, bounded memory, and nobody gets in without a password.
//!
//! The first line says how the listener is set up (`required plain`, see `fuzz::peer`); each
//! further line is one read, less its line feed. Lines that begin with `!` are the weather:
//! `!store`, `!bind` (the next question fails), `!close` (the node shuts down).
#![no_main]

use fuzz::peer::Peer;
use libfuzzer_sys::fuzz_target;
use stream::Input;
use xmpp::StreamCondition;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|b| *b == b'\n');
    let words = lines.next().unwrap_or_default();
    let mut peer = Peer::new(&String::from_utf8_lossy(words));
    for line in lines {
        match line {
            b"!store" => peer.weather.store_fails = true,
            b"!bind" => peer.weather.bind_fails = true,
            b"!close" if !peer.closed => {
                peer.input(Input::Close(StreamCondition::SystemShutdown.into()));
                assert!(peer.closed, "the end is the end");
            }
            bytes => peer.receive(bytes),
        }
    }
    assert!(!peer.established || peer.authenticated.is_some());
});
