//! A migration that has landed is never edited: databases out there have already run it.

use sha2::{Digest, Sha256};
use std::path::Path;

/// Name and SHA-256 of every migration that has landed. Lines are only ever added.
const LANDED: &[(&str, &str)] = &[
    (
        "m0001_account",
        "2c267383333e2ee4ebee3f83a7e25bc531d27a821970532dd8465b5225667163",
    ),
    (
        "m0002_secret",
        "da58e938f3ec32aa558a5bce081917a34baa04c093ad97c87c2e7f285643a113",
    ),
    (
        "m0003_roster",
        "397047914821b67ef6901f8f7a20e7888187ddf21f9491e17d57543395f05e35",
    ),
    (
        "m0004_offline",
        "703041d8cdaea59d1d9d3fdeecf5d70b2386bca413e4509582c858ed242cc507",
    ),
    (
        "m0005_last",
        "c765be89a4a08de14e0ff58e4ca544f4ae3f1f5c1f96c2a0b737da2a522a53ad",
    ),
    (
        "m0006_privacy",
        "af2d641565e709d7f4510f5dd3541741ca42bf7bc83580e17e866cccbd5970d8",
    ),
    (
        "m0007_vcard",
        "10c843c613a66d64ab37eceeeae75dad1c587bdfa86e548895225154e66a9e15",
    ),
    (
        "m0008_private",
        "b52da0bcd8230ac2018739be5fdcada573a3ab7d4686527431df61e532681776",
    ),
    (
        "m0009_motd",
        "19ad6fa5a39fa4bcbe1bcbb80cadf209949ae29fd300bac09d8ed435ea4a42ea",
    ),
    (
        "m0010_node",
        "a67f42f18dd9030e5586c19ae226a9bf8c2f9b47872905131567881cf88c0b63",
    ),
];

#[test]
fn landed_migrations_are_as_they_landed() {
    let names: Vec<&str> = LANDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        migrations::names(),
        "add a new migration to LANDED, at its end; never remove or reorder one"
    );
    for (name, landed) in LANDED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{name}.rs"));
        let source = std::fs::read(&path).expect("every migration has a file of its name");
        let hash: String = Sha256::digest(&source)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            &hash, landed,
            "{name} has landed; undo the edit and write a new migration that mends it"
        );
    }
}
