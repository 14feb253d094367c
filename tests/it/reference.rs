//! What is made from the key tables is current: the reference and the schema.

use std::path::Path;

use lambdasim::lint;
use lambdasim::scenario::{json_schema, reference_markdown};

/// Renew with `UPDATE_DOCS=1 cargo test --test it reference`.
#[test]
#[allow(clippy::disallowed_methods, reason = "asks whether to renew the file")]
fn the_reference_is_current() {
    for (file, text) in [("docs/scenario.md", reference_markdown()), ("docs/lint.md", lint::reference_markdown())] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var("UPDATE_DOCS").is_ok() {
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == text, "{file} is stale: run `UPDATE_DOCS=1 cargo test --test it reference`");
    }
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::meta::is_valid(&json_schema()));
}
