//! Several runs of one scenario: what they say together, and how sure they are.

use std::fmt::Write as _;

use super::Format;
use super::csv::{Table as Csv, curves_csv, some};
use super::json::json_text;
use super::numbers::{in_unit, plural, wrap};
use super::shown::{Shown, lay_out, shown, unit};
use super::style::Style;
use crate::expect::Unit;
use crate::study::estimate::Estimate;
use crate::study::replicas::{Joined, Judged};

/// The results of several runs of one scenario.
pub fn render_replicas(format: Format, joined: &Joined, style: Style) -> String {
    match format {
        Format::Text => text(joined, style),
        Format::Json => json_text(&joined.to_json()),
        Format::Csv => csv(joined),
    }
}

/// `latency.csv` of several runs: their distributions, put together.
pub fn replicas_latency_csv(joined: &Joined) -> String {
    curves_csv(joined.curves.iter().map(|(metric, curve)| (metric.as_str(), curve)))
}

fn csv(joined: &Joined) -> String {
    let mut table = Csv::new(["scenario", "metric", "mean", "low", "high", "standard_deviation", "min", "max", "runs"]);
    for (path, Estimate { mean, low, high, standard_deviation, min, max, runs }) in &joined.estimates {
        let cells = [some(Some(*mean)), some(*low), some(*high), some(*standard_deviation)];
        let [mean, low, high, deviation] = &cells;
        let (min, max, runs) = (min.to_string(), max.to_string(), runs.to_string());
        table.row([&joined.scenario.name, path, mean, low, high, deviation, &min, &max, &runs]);
    }
    table.finish()
}

/// What the runs say, in one sentence: `20 runs: all 2 expectations hold in every run.`
pub fn replicas_sentence(joined: &Joined) -> String {
    let runs = joined.runs() as u64;
    let mut text = match joined.expectations.iter().min_by_key(|judged| judged.passed_runs) {
        None => format!("{}.", plural(runs, "run", "runs")),
        Some(worst) if !worst.pass => {
            let Judged { expression, passed_runs, .. } = worst;
            format!("`{expression}` holds in {passed_runs} of {}.", plural(runs, "run", "runs"))
        }
        Some(_) if joined.expectations.len() == 1 => {
            format!("The expectation holds in {}.", plural(runs, "run", "runs"))
        }
        Some(_) => {
            let count = joined.expectations.len();
            format!("All {count} expectations hold in {}.", plural(runs, "run", "runs"))
        }
    };
    if !joined.conserved {
        text += " Conservation does not hold, which is an error of lambdasim: please report it.";
    }
    text
}

fn text(joined: &Joined, style: Style) -> String {
    let sentence = wrap(&replicas_sentence(joined), 2);
    let sentence = sentence.trim_end();
    let mut text = if joined.holds() { style.good(sentence) } else { style.bad(sentence) };
    text += "\n\n";
    let mut title = joined.scenario.name.clone();
    if let Some(description) = &joined.scenario.description {
        let _ = write!(title, ": {description}");
    }
    text += &wrap(&title, 2);
    let (first, last) = (joined.seeds[0], joined.seeds[joined.seeds.len() - 1]);
    text += &wrap(&format!("{}, seeds {first} to {last}", plural(joined.runs() as u64, "run", "runs")), 2);
    if !joined.scenario.overrides.is_empty() {
        text += &wrap(&format!("Changed with --set: {}", joined.scenario.overrides.join(", ")), 2);
    }
    if !joined.expectations.is_empty() {
        text.push('\n');
    }
    for Judged { expression, pass, passed_runs, .. } in &joined.expectations {
        let mark = if *pass { style.good("ok  ") } else { style.bad("FAIL") };
        let line = wrap(&format!("{expression}  (in {passed_runs} of {} runs)", joined.runs()), 6);
        let _ = write!(text, "{mark}  {line}");
    }
    text.push('\n');
    text += &table(joined, style);
    text.push('\n');
    text += &wrap(
        "Each number is the mean over the runs, with the interval that holds the true mean with the stated confidence, and the extremes of single runs.",
        0,
    );
    text
}

fn table(joined: &Joined, style: Style) -> String {
    let percent = joined.confidence.share() * 100.0;
    let header = ["mean".to_owned(), format!("{percent} % interval"), "lowest".to_owned(), "highest".to_owned()];
    let mut rows: Vec<(String, Option<[String; 4]>)> = vec![(String::new(), Some(header))];
    let paths = joined.estimates.iter().map(|(path, _)| path.as_str());
    for Shown { title, keys } in shown(&paths) {
        let of = keys.iter().filter_map(|key| {
            let estimate = joined.estimate(&format!("{title}.{key}"))?;
            let never = estimate.min == 0.0 && estimate.max == 0.0;
            (!never).then(|| (format!("  {key}"), Some(cells(unit(key), estimate))))
        });
        let of: Vec<_> = of.collect();
        if !of.is_empty() {
            rows.push((title, None));
            rows.extend(of);
        }
    }
    lay_out(&rows, style)
}

fn cells(unit: Unit, estimate: &Estimate) -> [String; 4] {
    let number = |value: f64| in_unit(value, unit, 3);
    let interval = estimate.low.zip(estimate.high).map_or_else(|| "-".to_owned(), |ends| interval(unit, ends));
    let mean = if estimate.mean.fract() == 0.0 { number(estimate.mean) } else { in_unit(estimate.mean, unit, 4) };
    [mean, interval, number(estimate.min), number(estimate.max)]
}

/// `421 to 469 ms`, with as many digits as it takes to tell the ends apart.
pub(super) fn interval(unit: Unit, (low, high): (f64, f64)) -> String {
    let ends = |digits: usize| (in_unit(low, unit, digits), in_unit(high, unit, digits));
    let (low, high) = (3..8).map(ends).find(|(low, high)| low != high).unwrap_or_else(|| ends(3));
    if low == high {
        return "exact".to_owned();
    }
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((low, unit)), Some((high, same))) if unit == same => format!("{low} to {high} {unit}"),
        _ => format!("{low} to {high}"),
    }
}
