//! Two variants side by side: what changed, how sure that is, and whether it is good.

use std::fmt::Write as _;

use super::csv::{Table as Csv, some};
use super::json::json_text;
use super::numbers::{in_unit, plural, significant, wrap};
use super::shown::{Shown, lay_out, shown, unit};
use super::style::Style;
use crate::expect::Unit;
use crate::study::compare::{Comparison, Difference, Expected, Verdict};

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For spreadsheets and plots: a row for each number.
    Csv,
    /// For a pull request.
    Markdown,
}

/// A comparison of two variants. `style` is for text only.
pub fn render_comparison(format: ComparisonFormat, comparison: &Comparison, style: Style) -> String {
    match format {
        ComparisonFormat::Text => text(comparison, style),
        ComparisonFormat::Json => json_text(&comparison.to_json()),
        ComparisonFormat::Csv => csv(comparison),
        ComparisonFormat::Markdown => markdown(comparison),
    }
}

/// What changed, in one sentence.
pub fn comparison_sentence(comparison: &Comparison) -> String {
    let shown = key_rows(comparison);
    let count = |verdict: Verdict| shown.iter().filter(|(_, row)| row.verdict == verdict).count() as u64;
    let (better, worse) = (count(Verdict::Better), count(Verdict::Worse));
    let runs = plural(comparison.seeds.len() as u64, "pair of runs", "pairs of runs");
    let mut text = match (better, worse) {
        (0, 0) => format!("No difference seen in {runs}"),
        (_, 0) => format!("B is better: {better} of {} numbers, and none is worse, in {runs}", shown.len()),
        (0, _) => format!("B is worse: {worse} of {} numbers, and none is better, in {runs}", shown.len()),
        _ => format!("B is better in {better} and worse in {worse} of {} numbers, in {runs}", shown.len()),
    };
    text.push('.');
    if comparison.seeds.len() == 1 {
        text += " One pair says nothing about chance: ask for more with --replicas.";
    }
    if !comparison.conserved {
        text += " Conservation does not hold, which is an error of lambdasim: please report it.";
    }
    text
}

/// `The first event that differs, with seed 1: buyers#17 at 12.3 s: was throttled, is started`.
fn first_difference(comparison: &Comparison) -> Option<String> {
    let first = comparison.first_difference.as_ref()?;
    Some(format!("The first event that differs, with seed {}: {}", comparison.seeds[0], first.sentence()))
}

/// The numbers that are shown: those of the report of several runs, unless they are 0 in both.
fn key_rows(comparison: &Comparison) -> Vec<(String, &Difference)> {
    let paths = comparison.rows.iter().map(|row| row.metric.as_str());
    let mut rows = Vec::new();
    for Shown { title, keys } in shown(&paths) {
        for key in keys {
            let Some(row) = comparison.row(&format!("{title}.{key}")) else { continue };
            let nothing = |value: Option<f64>| value.is_none_or(|value| value == 0.0);
            if !(nothing(row.a) && nothing(row.b)) {
                rows.push((title.clone(), row));
            }
        }
    }
    rows
}

fn text(comparison: &Comparison, style: Style) -> String {
    let sentence = wrap(&comparison_sentence(comparison), 2);
    let rows = key_rows(comparison);
    let any = |verdict: Verdict| rows.iter().any(|(_, row)| row.verdict == verdict);
    let sentence = sentence.trim_end();
    let mut text = match (any(Verdict::Worse), any(Verdict::Better)) {
        (true, false) => style.bad(sentence),
        (true, true) => style.warning(sentence),
        (false, true) => style.good(sentence),
        (false, false) => sentence.to_owned(),
    };
    text += "\n\n";
    for (name, variant) in ["A", "B"].into_iter().zip(variants(comparison)) {
        text += &wrap(&format!("{name}: {variant}"), 3);
    }
    if !comparison.expectations.is_empty() {
        text.push('\n');
        let runs = comparison.seeds.len();
        for Expected { expression, passed_runs_a, passed_runs_b } in &comparison.expectations {
            let holds =
                |passed: Option<u64>| passed.map_or_else(|| "not expected".to_owned(), |n| format!("{n} of {runs}"));
            let (a, b) = (holds(*passed_runs_a), holds(*passed_runs_b));
            text += &wrap(&format!("expect {expression}  (holds in A: {a}, in B: {b})"), 7);
        }
    }
    if let Some(first) = first_difference(comparison) {
        text.push('\n');
        text += &wrap(&first, 2);
    }
    text.push('\n');
    text += &table(&rows, style);
    let others = comparison.rows.iter().filter(|row| is_change(row.verdict)).count();
    let among = rows.iter().filter(|(_, row)| is_change(row.verdict)).count();
    text.push('\n');
    let percent = comparison.confidence.share() * 100.0;
    text += &wrap(
        &format!(
            "Means over the runs; a change stands with half of its {percent} % interval, and counts as one if the interval \
             does not hold 0. {} in --format json or csv.",
            match others.saturating_sub(among) {
                0 => "All other numbers are".to_owned(),
                1 => "One more number changed, and all are".to_owned(),
                more => format!("{more} more numbers changed, and all are"),
            }
        ),
        0,
    );
    text
}

const fn is_change(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Same | Verdict::NoDifferenceSeen)
}

/// `shop --set functions.f.timeout=3s`.
fn variants(comparison: &Comparison) -> [String; 2] {
    [0, 1].map(|side: usize| {
        let scenario = &comparison.scenarios[side];
        let sets = scenario.overrides.iter().fold(String::new(), |mut text, set| {
            let _ = write!(text, " --set {set}");
            text
        });
        format!("{}{sets}", scenario.name)
    })
}

fn table(rows: &[(String, &Difference)], style: Style) -> String {
    let mut lines: Vec<(String, Option<[String; 4]>)> =
        vec![(String::new(), Some(["A", "B", "change", ""].map(str::to_owned)))];
    let mut title = "";
    for (of, row) in rows {
        if of != title {
            lines.push((of.clone(), None));
            title = of;
        }
        let key = row.metric.strip_prefix(of.as_str()).unwrap_or(&row.metric);
        let [a, b] = sides(row);
        lines.push((
            format!("  {}", key.trim_start_matches('.')),
            Some([a, b, change(row), word(row.verdict).to_owned()]),
        ));
    }
    lay_out(&lines, style)
}

fn sides(row: &Difference) -> [String; 2] {
    [row.a, row.b].map(|value| value.map_or_else(|| "-".to_owned(), |value| in_unit(value, unit(&row.metric), 3)))
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Higher => "higher",
        Verdict::Lower => "lower",
        Verdict::Same => "same",
        Verdict::NoDifferenceSeen => "no diff. seen",
        Verdict::OnlyInA => "only in A",
        Verdict::OnlyInB => "only in B",
    }
}

/// `+15 % ± 3 %`, or in the number's own unit where A has nothing.
fn change(row: &Difference) -> String {
    let Some(difference) = row.difference else { return String::new() };
    if row.verdict == Verdict::Same {
        return "0".to_owned();
    }
    let half = row.low.zip(row.high).map(|(low, high)| (high - low) / 2.0);
    let base = row.a.filter(|a| *a != 0.0).map(f64::abs);
    let (scale, unit) = base.map_or((1.0, unit(&row.metric)), |base| (base, Unit::Share));
    let number = |value: f64| match unit {
        Unit::Share => format!("{} %", significant(value * 100.0, 2)),
        Unit::None | Unit::Milliseconds | Unit::Bytes | Unit::Usd => in_unit(value, unit, 2),
    };
    let sign = if difference >= 0.0 { "+" } else { "" };
    let mut text = format!("{sign}{}", number(difference / scale));
    if let Some(half) = half {
        let _ = write!(text, " ± {}", number(half / scale));
    }
    text
}

fn csv(comparison: &Comparison) -> String {
    let mut table = Csv::new(["metric", "a", "b", "difference", "low", "high", "runs", "verdict"]);
    for row in &comparison.rows {
        let Difference { metric, a, b, difference, low, high, runs, verdict } = row;
        let verdict = serde_json::to_value(verdict).expect("a name");
        let verdict = verdict.as_str().unwrap_or_default();
        let [a, b, difference, low, high] = [a, b, difference, low, high].map(|value| some(*value));
        table.row([metric, &a, &b, &difference, &low, &high, &runs.to_string(), verdict]);
    }
    table.finish()
}

/// A heading, the sentence, and a table of what is shown; what did not change is folded away.
fn markdown(comparison: &Comparison) -> String {
    let [a, b] = variants(comparison);
    let mut text = format!("### lambdasim: `{}` against `{}`\n\n", escaped(&b), escaped(&a));
    let _ = writeln!(text, "**{}**\n", comparison_sentence(comparison));
    let rows = key_rows(comparison);
    let (changed, rest): (Vec<_>, Vec<_>) =
        rows.into_iter().map(|(_, row)| row).partition(|row| is_change(row.verdict));
    markdown_table(&mut text, &changed);
    if let Some(first) = first_difference(comparison) {
        let _ = writeln!(text, "{first}\n");
    }
    let runs = comparison.seeds.len();
    if !comparison.expectations.is_empty() {
        text += "| expectation | holds in A | holds in B |\n| --- | --- | --- |\n";
        for Expected { expression, passed_runs_a, passed_runs_b } in &comparison.expectations {
            let holds = |passed: Option<u64>| passed.map_or_else(|| "-".to_owned(), |n| format!("{n} of {runs}"));
            let (a, b) = (holds(*passed_runs_a), holds(*passed_runs_b));
            let _ = writeln!(text, "| `{}` | {a} | {b} |", escaped(expression));
        }
        text.push('\n');
    }
    if !rest.is_empty() {
        let _ = writeln!(
            text,
            "<details><summary>{} without a difference seen</summary>\n",
            plural(rest.len() as u64, "number", "numbers")
        );
        markdown_table(&mut text, &rest);
        text += "</details>\n";
    }
    text
}

fn markdown_table(text: &mut String, rows: &[&Difference]) {
    if rows.is_empty() {
        return;
    }
    *text += "| metric | A | B | change | |\n| --- | ---: | ---: | ---: | --- |\n";
    for row in rows {
        let [a, b] = sides(row);
        let _ = writeln!(text, "| `{}` | {a} | {b} | {} | {} |", row.metric, change(row), word(row.verdict));
    }
    text.push('\n');
}

/// A pipe ends a cell, and a backtick what stands in code.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('`', "'")
}
