//! `summary.json`.

use serde_json::Value;

use crate::stats::summary::Summary;

/// One run as an object, several as an array; indented, with a line end.
pub(super) fn render(summaries: &[Summary]) -> String {
    let value = match summaries {
        [one] => one.to_json(),
        several => Value::Array(several.iter().map(Summary::to_json).collect()),
    };
    let mut text = serde_json::to_string_pretty(&value).expect("keys are strings");
    text.push('\n');
    text
}
