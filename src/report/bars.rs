//! Times drawn as bars.

use std::fmt::Write as _;

use super::numbers::{milliseconds, some_milliseconds, wrap};
use super::style::Style;
use crate::stats::histogram::Figures;

/// How many are drawn of a kind: of callers, of functions with events, of queues, of readers.
pub(super) const DRAWN: usize = 3;

/// Characters of the longest bar.
const BAR_WIDTH: f64 = 54.0;

/// The first few of these times, each below its heading. `always` begins the sentence for times that are all the same.
pub(super) fn drawn<'a>(
    times: impl IntoIterator<Item = (String, &'a Figures<f64>)>,
    always: &str,
    style: Style,
) -> String {
    let mut text = String::new();
    for (heading, figures) in times.into_iter().take(DRAWN) {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", style.heading(wrap(&heading, 2).trim_end()));
        text += &bars(figures, always);
    }
    text
}

fn bars(times: &Figures<f64>, always: &str) -> String {
    if times.min == times.max {
        return format!("  {always} {}\n", some_milliseconds(times.max));
    }
    let rows = [
        ("mean", times.mean),
        ("p50", times.p50),
        ("p90", times.p90),
        ("p95", times.p95),
        ("p99", times.p99),
        ("p99.9", times.p999),
        ("max", times.max),
    ];
    let longest = times.max.unwrap_or(0.0);
    let mut text = String::new();
    for (label, value) in rows {
        let Some(value) = value else { continue };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the bar's width")]
        let length = if longest > 0.0 { (value / longest * BAR_WIDTH).round() as usize } else { 0 };
        let bar = "█".repeat(length.max(1));
        let _ = writeln!(text, "  {label:<6}{:>10}  {bar}", milliseconds(value));
    }
    text
}
