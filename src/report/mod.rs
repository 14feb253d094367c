//! Numbers in, bytes out: the results of runs for people and for programs, one format per file.
//!
//! Nothing here reads a clock, a terminal or a file; whoever calls knows where the bytes go and whether colour shows.

mod advice;
mod bars;
mod baseline;
mod compare;
mod csv;
mod dependencies;
mod events;
mod executions;
mod json;
mod lint;
mod messages;
mod numbers;
mod places;
mod plan;
mod replicas;
mod shown;
mod sources;
mod story;
mod streams;
mod style;
mod sweep;
mod table;
mod text;
mod verdict;

pub use baseline::{DIFFERENCE_COLUMNS, difference_cells, render_differences};
pub use compare::{ComparisonFormat, comparison_sentence, render_comparison};
pub use csv::{latency_csv, timeseries_csv};
pub use json::json_text;
pub use lint::Findings;
pub use numbers::actual;
pub use plan::{Plan, render_plan, render_plans, render_plans_csv};
pub use replicas::{render_replicas, replicas_latency_csv, replicas_sentence};
pub use sources::{SourcesFormat, render_sources};
pub use story::{render_story, story_headline};
pub use style::Style;
pub use sweep::{render_sweep, sweep_sentence};
pub use verdict::{Mood, Verdict};

use crate::stats::summary::Summary;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: a verdict, then tables.
    Text,
    /// For programs: `summary.json`; an array for several runs.
    Json,
    /// For plots: one tidy table of scenario, metric and value.
    Csv,
}

/// Columns of a terminal that text is written for.
const WIDTH: usize = 80;

/// The results of `summaries`, in their order. `style` is for text only.
pub fn render(format: Format, summaries: &[Summary], style: Style) -> String {
    match format {
        Format::Text => text::render(summaries, style),
        Format::Json => json::render(summaries),
        Format::Csv => csv::render(summaries),
    }
}

#[cfg(test)]
mod tests;
