//! The exported schema, from which `mungoctl` makes its commands, is the schema of the code.

use std::{env, fs, path::Path};

#[test]
fn schema_file_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let now = admin::sdl();
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, &now).expect("the schema file can be written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == now,
        "schema.graphql is out of date; UPDATE_EXPECT=1 cargo test -p admin writes it anew"
    );
}
