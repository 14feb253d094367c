//! For terminals: a table for each way to invoke where there is room, else a paragraph for each source.

use std::fmt::Write as _;

use comfy_table::{ColumnConstraint, ContentArrangement, Row as Line, Table as Layout, Width, presets};

use super::cells::Cells;
use super::{by_model, queued};
use crate::catalogue::{Model, Row};
use crate::report::numbers::wrap;
use crate::report::style::Style;
use crate::story::rules::Rule;

/// The last line of a table without rules.
const MORE: &str =
    "`lambdasim sources NAME` tells the rules of a source: what they say, where AWS says so, how it is known.";

/// Spaces between columns.
const GAP: u16 = 2;

/// Which column says who tries again.
const AGAIN: usize = 4;

/// The header, and how wide the columns are at least.
const COLUMNS: [(&str, usize); 9] = [
    ("Source", 23),
    ("waits", 9),
    ("a throttle becomes", 18),
    ("an error becomes", 18),
    ("tried again by, after", 22),
    ("attempts", 8),
    ("over", 8),
    ("failures go to", 24),
    ("limits", 24),
];

/// More columns than these only pull the table apart.
const WIDEST: usize = 200;

pub(super) fn render(rows: &[Row], width: usize, rules: bool, style: Style) -> String {
    let mut text = String::new();
    for (model, rows) in by_model(rows) {
        text += &heading(model, &rows, style);
        text += &if width >= room() { table(&rows, width, style) } else { paragraphs(&rows, style) };
    }
    if rules {
        text += &told(rows, style);
    } else {
        text += &wrap(MORE, 0);
    }
    text
}

fn heading(model: Model, rows: &[&Row], style: Style) -> String {
    let mut sentences = vec![model.text().to_owned()];
    sentences.extend(queued(rows));
    let name = model.as_str();
    let name = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    format!("{}\n{}\n", style.heading(&name), wrap(&sentences.join(" "), 0))
}

/// Columns from which on there is room for a table.
fn room() -> usize {
    let gaps = usize::from(GAP) * (COLUMNS.len() - 1);
    COLUMNS.iter().map(|(_, least)| least).sum::<usize>() + gaps
}

fn table(rows: &[&Row], width: usize, style: Style) -> String {
    let more = width.clamp(room(), WIDEST) - room();
    let own = COLUMNS.map(|(_, least)| least + more * least / room());
    let mut layout = Layout::new();
    layout.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    layout.set_header(COLUMNS.map(|(name, _)| name));
    layout.add_rows(rows.iter().map(|row| line(row, own[AGAIN])));
    for (place, column) in layout.column_iter_mut().enumerate() {
        let gap = if place == COLUMNS.len() - 1 { 0 } else { GAP };
        column.set_padding((0, gap));
        let width = u16::try_from(own[place]).unwrap_or(u16::MAX).saturating_add(gap);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    let mut text = String::new();
    for (place, line) in layout.lines().enumerate() {
        let line = line.trim_end();
        text += &if place == 0 { style.heading(line) } else { line.to_owned() };
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n\n"
}

/// `again`: columns for who tries again.
fn line(row: &Row, again: usize) -> Line {
    let cells = Cells::of(row, false);
    let (mut who, mut attempts, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for (place, text) in cells.who.iter().enumerate() {
        let lines = broken(text, again);
        // The numbers stand beside the first line.
        let below = "\n".repeat(lines.len() - 1);
        who.extend(lines);
        attempts.push(format!("{}{below}", cells.attempts[place]));
        over.push(format!("{}{below}", cells.over[place]));
    }
    let columns = [
        format!("{}\n{}\n({})", row.source, row.what, cells.evidence.join(", ")),
        cells.waits,
        row.throttle.clone(),
        row.error.clone(),
        who.join("\n"),
        attempts.join("\n"),
        over.join("\n"),
        row.failures.clone(),
        cells.limits.join("\n"),
    ];
    // An empty line between two sources.
    Line::from(columns.map(|cell| cell + "\n "))
}

/// A text in lines of at most so many columns, where no word is longer.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn paragraphs(rows: &[&Row], style: Style) -> String {
    const INDENT: usize = 22;
    let mut text = String::new();
    for row in rows {
        let cells = Cells::of(row, false);
        let _ = writeln!(text, "{}: {}", style.heading(row.source), row.what);
        let mut say = |name: &str, what: &str| text += &wrap(&format!("  {name:<20}{what}"), INDENT);
        say("in a scenario", &row.key);
        say("waits", &cells.waits);
        say("a throttle becomes", &row.throttle);
        say("an error becomes", &row.error);
        for ((who, attempts), over) in cells.who.iter().zip(&cells.attempts).zip(&cells.over) {
            say("tried again by", &format!("{who}; attempts {attempts}, over {over}"));
        }
        say("failures go to", &row.failures);
        say("limits", &cells.limits.join("; "));
        say("known", &cells.evidence.join(", "));
        text.push('\n');
    }
    text
}

/// The rules of all rows, each once.
fn told(rows: &[Row], style: Style) -> String {
    let mut text = format!("{}\n", style.heading("Rules"));
    for rule in super::markdown::rules(rows) {
        let Rule { id, text: says, source, mark } = rule;
        text += &wrap(&format!("{id:<12}{says} ({}: {source})", mark.as_str()), 12);
    }
    text
}
