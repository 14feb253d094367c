//! A sweep: one tidy table for programs, and one with a row for each point for people.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::csv::Table as Csv;
use super::numbers::{count, in_unit, plural, wrap};
use super::style::Style;
use super::{Format, WIDTH};
use crate::expect::{Unit, whole_as_integer};
use crate::study::estimate::Estimate;
use crate::study::seed as seed_of;
use crate::study::sweep::table::{Point, Sweep};

/// Characters of a name on one line of the head.
const NAME_WIDTH: usize = 14;

/// What a sweep came to. `shown` are patterns of the numbers that people see; without any, those that the scenario
/// expects something of, or else some that usually matter.
pub fn render_sweep(format: Format, sweep: &Sweep, shown: &[String], style: Style) -> String {
    match format {
        Format::Text => text(sweep, shown, style),
        Format::Json => json(sweep),
        Format::Csv => csv(sweep),
    }
}

/// `3 of 10 points meet all 2 expectations.`
pub fn sweep_sentence(sweep: &Sweep) -> String {
    let points = sweep.points.len() as u64;
    let runs = if sweep.grid.replicas() > 1 { " in every run" } else { "" };
    let mut text = match (sweep.expectations.len(), sweep.first_that_meets()) {
        (0, _) => format!("{}.", plural(points, "point", "points")),
        (expected, None) => {
            let all = if expected == 1 { "the expectation" } else { "all expectations" };
            format!("None of {} meets {all}{runs}.", plural(points, "point", "points"))
        }
        (expected, Some(first)) => {
            let met = sweep.points.iter().filter(|point| point.meets()).count() as u64;
            let all = if expected == 1 { "the expectation".to_owned() } else { format!("all {expected} expectations") };
            let verb = if met == 1 { "meets" } else { "meet" };
            let settings = sweep.grid.overrides(first as u64).join(", ");
            let of = plural(points, "point", "points");
            format!("{} of {of} {verb} {all}{runs}; the first: {settings}.", count(met))
        }
    };
    let failed = sweep.points.iter().filter(|point| point.failed_runs > 0).count() as u64;
    if failed > 0 {
        let _ = write!(text, " {} used up the event budget of a run.", plural(failed, "point", "points"));
    }
    if sweep.points.iter().any(|point| !point.conserved) {
        text += " Conservation does not hold, which is an error of lambdasim: please report it.";
    }
    text
}

/// Every row of the tidy table: the point, the metric, and what is known of it.
fn rows(sweep: &Sweep, visit: &mut impl FnMut(usize, &str, &Estimate)) {
    let plain = |mean: f64, runs: u64| {
        let (min, max) = (mean.floor(), mean.ceil());
        Estimate { mean, low: None, high: None, standard_deviation: None, min, max, runs }
    };
    for (place, point) in sweep.points.iter().enumerate() {
        for (metric, estimate) in &point.estimates {
            visit(place, metric, estimate);
        }
        if point.runs > 0 {
            for (index, passed) in point.passed_runs.iter().enumerate() {
                let share = *passed as f64 / point.runs as f64;
                visit(place, &format!("expectations[{index}].pass"), &plain(share, point.runs));
            }
        }
        if point.failed_runs > 0 {
            let share = point.failed_runs as f64 / (point.runs + point.failed_runs) as f64;
            visit(place, "event_budget_exhausted", &plain(share, point.runs + point.failed_runs));
        }
    }
}

fn csv(sweep: &Sweep) -> String {
    let paths = sweep.grid.axes().iter().map(|axis| axis.path.as_str());
    let figures = ["metric", "mean", "low", "high", "standard_deviation", "min", "max", "runs"];
    let header: Vec<&str> = std::iter::once("point").chain(paths).chain(figures).collect();
    let mut table = Csv::of(&header);
    let some = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    rows(sweep, &mut |place, metric, estimate| {
        let Estimate { mean, low, high, standard_deviation, min, max, runs } = estimate;
        let mut cells = vec![(place + 1).to_string()];
        cells.extend(sweep.grid.values(place as u64).into_iter().map(str::to_owned));
        cells.push(metric.to_owned());
        cells.extend([Some(*mean), *low, *high, *standard_deviation, Some(*min), Some(*max)].map(some));
        cells.push(runs.to_string());
        table.cells(&cells);
    });
    table.finish()
}

/// A value of an axis: a number where it is one.
fn setting(text: &str) -> Value {
    serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| json!(text), Value::Number)
}

fn settings(sweep: &Sweep, place: usize) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("point".to_owned(), json!(place + 1));
    for (axis, value) in sweep.grid.axes().iter().zip(sweep.grid.values(place as u64)) {
        row.insert(axis.path.clone(), setting(value));
    }
    row
}

/// Indented, but each point and each row on a line of its own.
fn json(sweep: &Sweep) -> String {
    let Sweep { version, name, sha256, overrides, seed, grid, expectations, confidence, points, description: _ } =
        sweep;
    let mut text = String::from("{\n");
    let mut line = |key: &str, value: Value| {
        let _ = writeln!(text, "  {}: {value},", json!(key));
    };
    line("lambdasim", json!(version));
    line("scenario", json!({ "name": name, "sha256": sha256, "overrides": overrides }));
    line("seed", json!(seed));
    line("replicas", json!(grid.replicas()));
    line("confidence", json!(confidence.share()));
    line("axes", json!(grid.axes()));
    line("expectations", json!(expectations));
    let mut lines = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let mut row = settings(sweep, place);
        row.insert("runs".to_owned(), json!(point.runs));
        row.insert("failed_runs".to_owned(), json!(point.failed_runs));
        row.insert("passed_runs".to_owned(), json!(point.passed_runs));
        row.insert("pass".to_owned(), json!(point.meets()));
        lines.push(Value::Object(row).to_string());
    }
    let _ = write!(text, "  \"points\": [\n    {}\n  ],\n", lines.join(",\n    "));
    lines.clear();
    rows(sweep, &mut |place, metric, estimate| {
        let Estimate { mean, low, high, standard_deviation, min, max, runs } = estimate;
        let mut row = settings(sweep, place);
        row.insert("metric".to_owned(), json!(metric));
        let figures = [
            ("mean", Some(*mean)),
            ("low", *low),
            ("high", *high),
            ("standard_deviation", *standard_deviation),
            ("min", Some(*min)),
            ("max", Some(*max)),
        ];
        for (key, value) in figures {
            let value = whole_as_integer(&value, serde_json::value::Serializer).unwrap_or(Value::Null);
            row.insert(key.to_owned(), value);
        }
        row.insert("runs".to_owned(), json!(runs));
        lines.push(Value::Object(row).to_string());
    });
    let _ = write!(text, "  \"rows\": [\n    {}\n  ]\n}}\n", lines.join(",\n    "));
    text
}

fn text(sweep: &Sweep, shown: &[String], style: Style) -> String {
    let sentence = wrap(&sweep_sentence(sweep), 2);
    let sentence = sentence.trim_end();
    let failed = sweep.points.iter().any(|point| point.failed_runs > 0 || !point.conserved);
    let mut text = match (sweep.expectations.is_empty(), sweep.first_that_meets()) {
        _ if failed => style.bad(sentence),
        (true, _) => style.heading(sentence),
        (false, None) => style.bad(sentence),
        (false, Some(_)) => style.good(sentence),
    };
    text += "\n\n";
    let title = match &sweep.description {
        Some(description) => format!("{}: {description}", sweep.name),
        None => sweep.name.clone(),
    };
    text += &wrap(&title, 2);
    let (replicas, seed) = (sweep.grid.replicas(), sweep.seed);
    let seeds = match replicas {
        1 => format!("seed {seed}"),
        _ => format!("{replicas} seeds at each ({seed} to {})", seed_of(seed, replicas - 1)),
    };
    text += &wrap(&format!("{}, {seeds}", plural(sweep.points.len() as u64, "point", "points")), 2);
    if !sweep.overrides.is_empty() {
        text += &wrap(&format!("Changed with --set: {}", sweep.overrides.join(", ")), 2);
    }
    text.push('\n');
    text += &table(sweep, shown, style);
    text
}

/// The columns: where in its group's name each one begins is said once.
struct Column {
    head: Vec<String>,
    cells: Vec<String>,
}

impl Column {
    fn new(name: &str, cells: Vec<String>) -> Self {
        Self { head: head(name), cells }
    }

    fn width(&self) -> usize {
        self.head.iter().chain(&self.cells).map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

/// A path in lines of at most [`NAME_WIDTH`] characters, where its parts allow.
fn head(path: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in path.split_inclusive(['.', '_']) {
        match lines.last_mut() {
            Some(line) if line.len() + part.len() <= NAME_WIDTH => line.push_str(part),
            Some(_) | None => lines.push(part.to_owned()),
        }
    }
    lines
}

fn table(sweep: &Sweep, shown: &[String], style: Style) -> String {
    let mut columns = vec![Column::new("point", (1..=sweep.points.len()).map(|point| point.to_string()).collect())];
    for (place, axis) in sweep.grid.axes().iter().enumerate() {
        let cells = (0..sweep.points.len()).map(|point| sweep.grid.values(point as u64)[place].to_owned());
        columns.push(Column::new(&axis.path, cells.collect()));
    }
    let verdict = Column::new("met", sweep.points.iter().map(|point| met(sweep, point)).collect());
    let judged = verdict.cells.iter().any(|cell| !cell.is_empty());
    let asked = !shown.is_empty();
    let paths: Vec<String> =
        if asked { shown.iter().flat_map(|pattern| sweep.matching(pattern)).collect() } else { sweep.telling() };
    let mut width: usize = columns.iter().chain(judged.then_some(&verdict)).map(|column| column.width() + 2).sum();
    let mut left = 0;
    for path in &paths {
        let cells = sweep.points.iter().map(|point| cell(path, point.estimate(path)));
        let column = Column::new(path, cells.collect());
        width += column.width() + 2;
        // What somebody asked for is shown, however wide.
        if !asked && width > WIDTH && left < paths.len() - 1 {
            left += 1;
            width -= column.width() + 2;
        } else {
            columns.push(column);
        }
    }
    if judged {
        columns.push(verdict);
    }
    // Where something is expected, that says where enough is.
    let knee = paths.first().filter(|_| sweep.expectations.is_empty()).and_then(|path| sweep.knee(path));
    let mark = sweep.first_that_meets().map(|place| (place, "first")).or(knee.map(|place| (place, "knee")));
    let mut text = lay_out(sweep, &columns, judged, mark, style);
    text.push('\n');
    if let (Some(_), Some(path)) = (knee, paths.first()) {
        text += &wrap(&format!("The knee is where {path} bends most."), 0);
    }
    if sweep.grid.replicas() > 1 {
        let percent = sweep.confidence.share() * 100.0;
        text += &wrap(&format!("± is half of the {percent} % interval of the mean."), 0);
    }
    let more = if left > 0 { format!("{} more here with --metrics; a", count(left as u64)) } else { "A".to_owned() };
    text += &wrap(&format!("{more}ll numbers of all points are in the CSV and JSON."), 0);
    text
}

/// Whether a point meets what is expected, for people.
fn met(sweep: &Sweep, point: &Point) -> String {
    let Point { runs, failed_runs, met_runs, .. } = point;
    if *failed_runs > 0 {
        return "budget used up".to_owned();
    }
    match (sweep.expectations.is_empty(), point.meets()) {
        (true, _) => String::new(),
        (false, true) => "yes".to_owned(),
        (false, false) if *runs == 1 => "no".to_owned(),
        (false, false) => format!("{met_runs} of {runs}"),
    }
}

fn cell(path: &str, estimate: Option<&Estimate>) -> String {
    let Some(Estimate { mean, high, .. }) = estimate else { return "-".to_owned() };
    let unit = match Unit::of(path) {
        // It is in the name.
        Unit::Usd => Unit::None,
        unit @ (Unit::None | Unit::Milliseconds | Unit::Bytes | Unit::Share) => unit,
    };
    let mean_text = in_unit(*mean, unit, 3);
    let Some(half) = high.map(|high| high - mean).filter(|half| *half > 0.0) else { return mean_text };
    let half = in_unit(half, unit, 2);
    // `351 ± 27 ms`, but `1.2 s ± 27 ms`.
    match (mean_text.split_once(' '), half.split_once(' ')) {
        (Some((mean, unit)), Some((_, same))) if unit == same => format!("{mean} ± {half}"),
        _ => format!("{mean_text} ± {half}"),
    }
}

fn lay_out(sweep: &Sweep, columns: &[Column], judged: bool, mark: Option<(usize, &str)>, style: Style) -> String {
    let height = columns.iter().map(|column| column.head.len()).max().unwrap_or(0);
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let mut text = String::new();
    for line in 0..height {
        let mut row = String::new();
        for (column, width) in columns.iter().zip(&widths) {
            let above = height - column.head.len();
            let part = line.checked_sub(above).and_then(|line| column.head.get(line)).map_or("", |part| part);
            let _ = write!(row, "{part:>width$}  ");
        }
        let _ = writeln!(text, "{}", style.heading(row.trim_end()));
    }
    for place in 0..sweep.points.len() {
        for (index, (column, width)) in columns.iter().zip(&widths).enumerate() {
            let cell = format!("{:>width$}", column.cells[place]);
            let last = index + 1 == columns.len();
            let cell = match sweep.points[place].meets() {
                true if last && judged => style.good(&cell),
                false if last && judged => style.bad(&cell),
                true | false => cell,
            };
            text += if index == 0 { "" } else { "  " };
            text += &cell;
        }
        if let Some((_, word)) = mark.filter(|(marked, _)| *marked == place) {
            let _ = write!(text, "  <- {word}");
        }
        text.push('\n');
    }
    text
}
