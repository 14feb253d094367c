//! `summary.json`.

use serde_json::Value;

use crate::stats::summary::Summary;

/// One run as an object, several as an array; indented, with a line end.
pub(super) fn render(summaries: &[Summary]) -> String {
    let value = match summaries {
        [one] => one.to_json(),
        several => Value::Array(several.iter().map(Summary::to_json).collect()),
    };
    json_text(&value)
}

/// A value as it is printed and written: indented, with a line end.
pub fn json_text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("keys are strings");
    text.push('\n');
    text
}
