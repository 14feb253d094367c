//! The catalogue of sources, one format per file.

mod cells;
mod markdown;
mod text;

use serde_json::{Value, json};

use self::cells::Cells;
use super::csv::Table;
use super::json::json_text;
use super::style::Style;
use crate::catalogue::{Amount, Limit, Model, Retries, Row, Wait};
use crate::kernel::time::SimDuration;

/// How the catalogue is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourcesFormat {
    /// For people: tables, or one paragraph for each source where the terminal is narrow.
    Text {
        /// Columns of the terminal.
        width: usize,
        /// Whether the rules are told in full.
        rules: bool,
    },
    /// For programs.
    Json,
    /// For spreadsheets: one table.
    Csv,
    /// For pages: one table for each way to invoke, and one of the rules.
    Markdown,
}

/// Rows of the catalogue. `style` is for text only.
pub fn render_sources(format: SourcesFormat, rows: &[Row], style: Style) -> String {
    match format {
        SourcesFormat::Text { width, rules } => text::render(rows, width, rules, style),
        SourcesFormat::Json => rows_json(rows),
        SourcesFormat::Csv => csv(rows),
        SourcesFormat::Markdown => markdown::render(rows),
    }
}

/// The models of which there are rows, each with its rows.
fn by_model(rows: &[Row]) -> impl Iterator<Item = (Model, Vec<&Row>)> {
    let of = |model: Model| rows.iter().filter(move |row| row.model == model).collect::<Vec<_>>();
    Model::ALL.into_iter().map(move |model| (model, of(model))).filter(|(_, rows)| !rows.is_empty())
}

/// What Lambda does with each event that it has accepted: the same for all rows.
fn queued(rows: &[&Row]) -> Vec<String> {
    let all = rows.first().into_iter().flat_map(|row| &row.retries).filter(|retries| retries.is_queued);
    all.map(|retries| {
        let (attempts, over) = (cells::attempts(retries.reach), cells::over(retries.reach));
        format!("After {} it makes {attempts} attempts over {over}.", cells::causes(&retries.after))
    })
    .collect()
}

/// `{rows: [..]}`, lengths in milliseconds.
fn rows_json(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows.iter().map(row_json).collect();
    json_text(&json!({ "rows": rows }))
}

fn row_json(row: &Row) -> Value {
    let rules = row.rules.iter().copied().chain(row.model.rules());
    let rules = rules
        .map(|rule| json!({ "id": rule.id, "evidence": rule.mark.as_str(), "source": rule.source, "text": rule.text }));
    json!({
        "source": row.source,
        "what": row.what,
        "scenario": row.key,
        "model": row.model.as_str(),
        "waits": wait_json(row.waits),
        "throttle": row.throttle,
        "function_error": row.error,
        "retries": row.retries.iter().map(retries_json).collect::<Vec<_>>(),
        "failures": row.failures,
        "limits": row.limits.iter().map(limit_json).collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
    })
}

fn wait_json(wait: Wait) -> Value {
    let (kind, timeout) = match wait {
        Wait::No => ("no", None),
        Wait::Run => ("run", None),
        Wait::AtMost(timeout) => ("run", Some(timeout)),
        Wait::CallBack(timeout) => ("call back", Some(timeout)),
    };
    json!({ "for": kind, "timeout_ms": timeout.map(milliseconds) })
}

fn retries_json(retries: &Retries) -> Value {
    json!({
        "who": retries.who,
        "once_accepted": retries.is_queued,
        "after": retries.after.iter().map(|cause| cause.as_str()).collect::<Vec<_>>(),
        "attempts": retries.reach.attempts(),
        "over_ms": retries.reach.over().map(milliseconds),
    })
}

fn limit_json(limit: &Limit) -> Value {
    let (amount, unit) = match limit.amount {
        Amount::Count(count) => (json!(count), "count"),
        Amount::Bytes(bytes) => (json!(bytes), "bytes"),
        Amount::Time(length) => (milliseconds(length), "ms"),
        Amount::PerTime(rate) => (json!(rate.per_second_f64()), "per_s"),
        Amount::Unlimited => (Value::Null, "none"),
    };
    json!({ "what": limit.what, "amount": amount, "unit": unit })
}

fn milliseconds(length: SimDuration) -> Value {
    let nanos = length.as_nanos();
    if nanos.is_multiple_of(1_000_000) { json!(nanos / 1_000_000) } else { json!(nanos as f64 / 1e6) }
}

/// One row for each source; the cells are those of the text.
fn csv(rows: &[Row]) -> String {
    let mut table = Table::new([
        "source",
        "what",
        "scenario",
        "model",
        "waits",
        "throttle",
        "function_error",
        "tried_again_by",
        "attempts",
        "over",
        "failures",
        "limits",
        "evidence",
        "rules",
    ]);
    for row in rows {
        let cells = Cells::of(row, true);
        table.row([
            row.source,
            row.what,
            &row.key,
            row.model.as_str(),
            &cells.waits,
            &row.throttle,
            &row.error,
            &cells.who.join("; "),
            &cells.attempts.join("; "),
            &cells.over.join("; "),
            &row.failures,
            &cells.limits.join("; "),
            &cells.evidence.join("; "),
            &cells.rules.join(" "),
        ]);
    }
    table.finish()
}
