//! Tables for plots: every number of a summary, and the latency curves.

use serde_json::Value;

use crate::kernel::time::SimTime;
use crate::stats::curve::{Curve, Rung};
use crate::stats::histogram::milliseconds;
use crate::stats::series::TimeSeries;
use crate::stats::summary::Summary;
use crate::study::metrics::leaves;

/// `scenario,metric,value`: one row for each leaf of `summary.json`; null is empty.
pub(super) fn render(summaries: &[Summary]) -> String {
    let mut table = Table::new(["scenario", "metric", "value"]);
    for summary in summaries {
        leaves(&summary.to_json(), &mut |metric, value| {
            table.row([summary.scenario.name.as_str(), metric, &plain(value)]);
        });
    }
    table.finish()
}

/// `latency.csv`, `metric,quantile,value_ms,count`: the whole curve of every distribution of times that has values.
///
/// `count` is how many values are at or below `value_ms`.
pub fn latency_csv(summary: &Summary) -> String {
    let curves = summary.curves();
    curves_csv(curves.iter().map(|(metric, curve)| (metric.as_str(), *curve)))
}

/// Every rung of some curves.
pub(super) fn curves_csv<'a>(curves: impl Iterator<Item = (&'a str, &'a Curve)>) -> String {
    let mut table = Table::new(["metric", "quantile", "value_ms", "count"]);
    for (metric, curve) in curves {
        for Rung { quantile, value, count } in curve.rungs() {
            table.row([metric, &quantile.to_string(), &value.to_string(), &count.to_string()]);
        }
    }
    table.finish()
}

/// A number that there may be; else an empty cell.
pub(super) fn some(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// `timeseries.csv`, `start_ms,end_ms,metric,value`: every figure in each interval where it has a value.
pub fn timeseries_csv(series: &TimeSeries) -> String {
    let mut table = Table::new(["start_ms", "end_ms", "metric", "value"]);
    let text = |moment: SimTime| milliseconds(moment.as_nanos()).to_string();
    let intervals: Vec<_> = series.intervals.iter().map(|(start, end)| (text(*start), text(*end))).collect();
    for metric in &series.metrics {
        for ((start, end), value) in intervals.iter().zip(&metric.values) {
            if let Some(value) = value {
                table.row([start, end, &metric.name, &value.to_string()]);
            }
        }
    }
    table.finish()
}

/// A CSV table in memory.
pub(super) struct Table(csv::Writer<Vec<u8>>);

impl Table {
    pub(super) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self::of(&header)
    }

    /// With as many columns as somebody asks for.
    pub(super) fn of(header: &[&str]) -> Self {
        let mut table = Self(csv::Writer::from_writer(Vec::new()));
        table.cells(header);
        table
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.cells(&cells);
    }

    pub(super) fn cells(&mut self, cells: &[impl AsRef<[u8]>]) {
        self.0.write_record(cells).expect("as many cells as the header, and memory takes them");
    }

    pub(super) fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("writing to memory");
        String::from_utf8(bytes).expect("cells are text")
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
