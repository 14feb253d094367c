//! What is known about the settings of a scenario, in the report for people: one sentence each. `lambdasim lint` says
//! the rest.

use super::numbers::wrap;
use super::style::Style;
use crate::stats::summary::Summary;

/// Columns of the rule.
const RULE: usize = 10;

/// What is to be said of the settings.
pub(super) fn advice(summary: &Summary, style: Style) -> String {
    if summary.advice.is_empty() {
        return String::new();
    }
    let mut text =
        format!("{}\n", style.heading("Advice on these settings (`lambdasim lint` says why, and what helps)"));
    for finding in &summary.advice {
        text += &wrap(&format!("  {:<RULE$}  {}", finding.check.rule(), finding.message), RULE + 4);
    }
    text
}
