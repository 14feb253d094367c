//! What is known about the settings of a scenario, with its places in the file.

use serde_json::{Value, json};

use super::Format;
use super::csv::Table;
use super::json::json_text;
use super::style::Style;
use crate::lint::{self, Finding};
use crate::scenario::{Loaded, Position, Remark};

/// The columns of the table.
const HEADER: [&str; 13] = [
    "scenario", "check", "key", "file", "line", "column", "message", "reason", "advice", "basis", "rule", "source",
    "change",
];

/// Findings in the order of the file; those of `--set` come after it.
#[derive(Clone, Debug)]
pub struct Findings<'a> {
    loaded: &'a Loaded,
    rows: Vec<(Position, Finding)>,
}

impl<'a> Findings<'a> {
    /// Puts what was found in a scenario in order.
    pub fn new(loaded: &'a Loaded, findings: Vec<Finding>) -> Self {
        let first = loaded.source.position("").file;
        let place = |finding: Finding| (loaded.source.position(&finding.key), finding);
        let mut rows: Vec<_> = findings.into_iter().map(place).collect();
        rows.sort_by_key(|(at, _)| (at.file != first, at.file.clone(), at.line, at.column));
        Self { loaded, rows }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// `shop.yaml: 2 findings: few-receives, loop`, in one line.
    pub fn headline(&self, style: Style) -> String {
        let file = self.loaded.source.position("").file;
        let mut checks: Vec<_> = self.rows.iter().map(|(_, finding)| finding.check).collect();
        checks.sort_unstable();
        checks.dedup();
        let names: Vec<_> = checks.into_iter().map(lint::Check::id).collect();
        match self.rows.len() {
            0 => format!("{file}: {}\n", style.good("no findings")),
            1 => format!("{file}: {}: {}\n", style.warning("1 finding"), names.join(", ")),
            count => format!("{file}: {}: {}\n", style.warning(&format!("{count} findings")), names.join(", ")),
        }
    }

    /// In one of the formats. `style` is for text only.
    pub fn render(&self, format: Format, style: Style) -> String {
        match format {
            Format::Text => self.text(style),
            Format::Json => json_text(&self.json()),
            Format::Csv => self.csv(),
        }
    }

    fn text(&self, style: Style) -> String {
        let mut text = String::new();
        for (_, finding) in &self.rows {
            text += &self.loaded.source.render(&remark(finding), style == Style::Ansi);
            text += "\n\n";
        }
        text + &self.headline(style)
    }

    fn json(&self) -> Value {
        let scenario = &self.loaded.scenario;
        json!({
            "lambdasim": env!("CARGO_PKG_VERSION"),
            "scenario": { "name": scenario.name, "sha256": scenario.sha256, "overrides": scenario.overrides },
            "rows": self.rows.iter().map(|(at, finding)| row(at, finding)).collect::<Vec<_>>(),
        })
    }

    fn csv(&self) -> String {
        let mut table = Table::new(HEADER);
        for (at, finding) in &self.rows {
            let check = finding.check;
            table.row([
                self.loaded.scenario.name.as_str(),
                check.id(),
                &finding.key,
                &at.file,
                &at.line.to_string(),
                &at.column.to_string(),
                &finding.message,
                check.reason(),
                check.advice(),
                check.basis().as_str(),
                check.rule(),
                check.source(),
                &finding.command(),
            ]);
        }
        table.finish()
    }
}

fn row(at: &Position, finding: &Finding) -> Value {
    let check = finding.check;
    let changes = finding.changes.iter().map(|change| json!({ "key": change.key, "value": change.value }));
    json!({
        "check": check.id(),
        "key": finding.key,
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "message": finding.message,
        "reason": check.reason(),
        "advice": check.advice(),
        "basis": check.basis().as_str(),
        "rule": check.rule(),
        "source": check.source(),
        "changes": changes.collect::<Vec<_>>(),
        "set": finding.changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn remark(finding: &Finding) -> Remark {
    let check = finding.check;
    let command = finding.command();
    let mut help = vec![check.advice().to_owned()];
    help.extend(Some(command).filter(|command| !command.is_empty()));
    Remark {
        id: check.id().to_owned(),
        message: finding.message.clone(),
        key: finding.key.clone(),
        notes: vec![
            ("reason", check.reason().to_owned()),
            ("source", format!("{} ({}), {}", check.rule(), check.basis().as_str(), check.source())),
        ],
        help,
    }
}
