//! Formats of standard output.

use serde_json::Value;

/// A value as it is printed.
pub(super) fn json(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value can be printed");
    text.push('\n');
    text
}
