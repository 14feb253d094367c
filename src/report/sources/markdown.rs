//! For pages.

use std::fmt::Write as _;

use super::cells::Cells;
use super::{by_model, queued};
use crate::catalogue::Row;
use crate::report::numbers::wrap;
use crate::story::rules::Rule;

const HEADER: [&str; 10] = [
    "source",
    "waits",
    "a throttle becomes",
    "an error becomes",
    "tried again by, after",
    "attempts",
    "over",
    "failures go to",
    "limits",
    "rules",
];

const INTRODUCTION: &str = "\
# Sources: everything that can invoke a function

Made by `lambdasim sources --format markdown`. All numbers are those that a scenario has where it says nothing; the code
below the name of a source is how a scenario has it. *Over* is from the first attempt to the last, where each is refused at
once, or waits for its time-out.

";

pub(super) fn render(rows: &[Row]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (model, rows) in by_model(rows) {
        let name = model.as_str();
        let mut sentences = vec![model.text().to_owned()];
        sentences.extend(queued(&rows));
        let heading = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let _ = write!(text, "## {heading}\n\n{}\n", wrap(&sentences.join(" "), 0));
        text += &table(&HEADER, rows.iter().map(|row| cells(row)));
    }
    text += "## Rules\n\n";
    let rules = rules(rows);
    let lines = rules.iter().map(|rule| [rule.id, rule.text, rule.mark.as_str(), rule.source].map(str::to_owned));
    text += &table(&["rule", "what it says", "known", "source"], lines);
    text.pop();
    text
}

fn cells(row: &Row) -> [String; 10] {
    let cells = Cells::of(row, false);
    [
        format!("`{}`<br>{}<br>`{}`", row.source, row.what, row.key),
        cells.waits,
        row.throttle.clone(),
        row.error.clone(),
        cells.who.join("<br>"),
        cells.attempts.join("<br>"),
        cells.over.join("<br>"),
        row.failures.clone(),
        cells.limits.join("<br>"),
        cells.rules.join(" "),
    ]
}

/// A table and an empty line.
fn table<const N: usize>(header: &[&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let mut text = format!("| {} |\n|{}\n", header.join(" | "), " --- |".repeat(N));
    for line in lines {
        let _ = writeln!(text, "| {} |", line.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text + "\n"
}

/// The rules of all rows, each once, in the order in which they come.
pub(super) fn rules(rows: &[Row]) -> Vec<&'static Rule> {
    let mut all: Vec<&'static Rule> = Vec::new();
    for (model, rows) in by_model(rows) {
        for rule in model.rules().into_iter().chain(rows.iter().flat_map(|row| row.rules.iter().copied())) {
            if !all.contains(&rule) {
                all.push(rule);
            }
        }
    }
    all
}
