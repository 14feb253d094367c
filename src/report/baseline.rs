//! Numbers that differ from a baseline, as a table.

use std::fmt::Write as _;

use super::numbers::{separate, significant};
use super::style::Style;
use crate::study::baseline::{Difference, Found};

/// The columns of a table of differences.
pub const DIFFERENCE_COLUMNS: [&str; 5] = ["metric", "baseline", "now", "change", "tolerance"];

/// Digits that numbers have at least.
const DIGITS: usize = 4;

/// The cells of a difference, in the order of [`DIFFERENCE_COLUMNS`]; numbers have as many digits as tell them apart.
pub fn difference_cells(difference: &Difference) -> [String; 5] {
    let Difference { metric, was, is, tolerance } = difference;
    let (before, after) = pair(was, is);
    let tolerance = tolerance.clone().unwrap_or_else(|| "-".to_owned());
    [metric.clone(), before, after, change(was, is), tolerance]
}

/// The first `most` differences for people, each line after `indent`, and how many more there are.
pub fn render_differences(differences: &[Difference], most: usize, indent: &str, style: Style) -> String {
    let rows: Vec<_> = differences.iter().take(most).map(difference_cells).collect();
    let header = DIFFERENCE_COLUMNS.map(str::to_owned);
    let width =
        |column: usize| rows.iter().chain([&header]).map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3, 4].map(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).enumerate();
        let cell = |(column, (cell, width)): (usize, (&String, usize))| {
            if column == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        };
        cells.map(cell).collect::<Vec<_>>().join("  ")
    };
    let mut text = format!("{indent}{}\n", style.heading(&line(&header)));
    for row in &rows {
        let _ = writeln!(text, "{indent}{}", line(row));
    }
    if let Some(more) = differences.len().checked_sub(most).filter(|more| *more > 0) {
        let _ = writeln!(text, "{indent}and {more} more; --format json and csv have them all");
    }
    text
}

fn pair(was: &Found, is: &Found) -> (String, String) {
    if let Some((was, is)) = was.number().zip(is.number()) {
        let texts = |digits| (number(was, digits), number(is, digits));
        let differs = |digits: &usize| texts(*digits).0 != texts(*digits).1;
        return texts((DIGITS..=17).find(differs).unwrap_or(17));
    }
    (plain(was, "-", "-"), plain(is, "gone", "new"))
}

fn plain(found: &Found, nothing: &str, group: &str) -> String {
    match found {
        Found::Nothing => nothing.to_owned(),
        Found::Group => group.to_owned(),
        Found::Leaf(value) => value.as_f64().map_or_else(|| value.to_string(), |value| number(value, DIGITS)),
    }
}

fn number(number: f64, digits: usize) -> String {
    if number.fract() == 0.0 { separate(&format!("{number}")) } else { significant(number, digits) }
}

/// `+11 %`, or how much where there was nothing.
fn change(was: &Found, is: &Found) -> String {
    let Some((was, is)) = was.number().zip(is.number()) else { return "-".to_owned() };
    let change = is - was;
    let sign = if change < 0.0 { "-" } else { "+" };
    let size = if was == 0.0 { change.abs() } else { (change / was).abs() * 100.0 };
    let unit = if was == 0.0 { "" } else { " %" };
    format!("{sign}{}{unit}", significant(size, 2))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn differences_are_a_table() {
        let leaf = |value: Value| Found::Leaf(value);
        let row = |metric: &str, was, is, tolerance: Option<&str>| Difference {
            metric: metric.to_owned(),
            was,
            is,
            tolerance: tolerance.map(str::to_owned),
        };
        let rows = [
            row("callers.buyers.latency_ms.p99", leaf(json!(812.345_678)), leaf(json!(903.1)), Some("5%")),
            row("callers.buyers.latency_ms.mean", leaf(json!(100.123_456_7)), leaf(json!(100.123_456_8)), None),
            row("callers.buyers.throttled", leaf(json!(0)), leaf(json!(1234)), None),
            row("callers.buyers.retries", leaf(json!(200)), leaf(json!(150)), None),
            row("callers.buyers.goodput_per_s", leaf(json!(null)), leaf(json!(1.5)), None),
            row("functions.audit", Found::Nothing, Found::Group, None),
            row("functions.old", Found::Group, Found::Nothing, None),
            row("left.out", leaf(json!(1)), leaf(json!(2)), None),
        ];
        insta::assert_snapshot!(render_differences(&rows, 7, "  ", Style::Plain));
    }
}
