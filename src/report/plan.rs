//! The answer to "what shall I set it to?": the value, how sure it is, and what was seen around it.

use serde_json::{Value, json};

use super::csv::{Table as Csv, some};
use super::numbers::{count, in_unit, plural, significant, wrap};
use super::style::Style;
use crate::expect::Unit;
use crate::stats::summary::ScenarioInfo;
use crate::study::plan::{Found, Point, Verdict};

/// A search and what came of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was simulated.
    pub scenario: ScenarioInfo,
    /// The key path.
    pub key: String,
    /// The values of the range, those first that are wanted most.
    pub values: Vec<String>,
    /// What was tried.
    pub found: Found,
    /// The place of the value to take: the first that meets the goal, or the cheapest; `None` where none meets it.
    pub place: Option<usize>,
    /// How sure the answer is, as a share.
    pub confidence: f64,
    /// The value at which it was looked for what binds.
    pub binds_at: Option<usize>,
    /// Capacities whose doubling helps there, and by how much; most first.
    pub binding: Vec<(String, f64)>,
    /// A value of another key, where two are looked for.
    pub other: Option<(String, String)>,
}

impl Plan {
    /// The value to take.
    pub fn value(&self) -> Option<&str> {
        self.place.map(|place| self.values[place].as_str())
    }

    fn point(&self) -> Option<&Point> {
        self.found.point(self.place?)
    }

    /// By how much the goal is met at the value, as a share of the tightest bound.
    pub fn margin(&self) -> Option<f64> {
        self.point()?.tightest().map(|(_, margin)| margin)
    }

    /// The ends of the interval that holds the true answer.
    fn interval(&self) -> [Option<&str>; 2] {
        let ends = [self.found.earliest, self.found.answer];
        ends.map(|place| place.map(|place| self.values[place].as_str()))
    }

    /// Everything, as data.
    pub fn to_json(&self) -> Value {
        let mut all = json!({
            "key": self.key,
            "value": self.value().map(data),
            "interval": self.interval().map(|end| end.map(data)),
            "margin": self.margin(),
            "binding": self.binding.first().map(|(key, _)| key),
            "runs": self.found.runs,
            "met": self.place.is_some(),
            "confidence": self.confidence,
            "cost_usd": self.point().map(|point| point.cost_usd),
            "monotone": self.found.is_monotone(),
            "also_binding": self.binding.iter().skip(1).map(|(key, _)| key).collect::<Vec<_>>(),
            "points": self.found.points.iter().map(|point| self.point_json(point)).collect::<Vec<_>>(),
        });
        if let Some((key, value)) = &self.other {
            all["with"] = json!({ key: data(value) });
        }
        all
    }

    fn point_json(&self, point: &Point) -> Value {
        let judged = |judged: &crate::study::plan::Judged| {
            json!({
                "expression": judged.expression,
                "actual": judged.actual,
                "margin": judged.margin,
                "verdict": judged.verdict,
            })
        };
        json!({
            "value": data(&self.values[point.place]),
            "verdict": point.verdict,
            "runs": point.runs,
            "cost_usd": point.cost_usd,
            "expectations": point.judged.iter().map(judged).collect::<Vec<_>>(),
        })
    }

    /// The answer in one sentence.
    pub fn sentence(&self) -> String {
        let percent = significant(self.confidence * 100.0, 2);
        let with = self.other.as_ref().map_or_else(String::new, |(key, value)| format!(" with {key} = {value}"));
        if let Some(value) = self.value() {
            return format!("{} = {value}{with} meets the goal with {percent} % confidence.", self.key);
        }
        let (first, last) = (&self.values[0], &self.values[self.values.len() - 1]);
        format!("No value of {} from {first} to {last}{with} surely meets the goal.", self.key)
    }
}

/// A value as JSON has it: a number, or the text with its unit.
fn data(value: &str) -> Value {
    value
        .parse::<u64>()
        .map(Value::from)
        .or_else(|_| value.parse::<f64>().map(Value::from))
        .unwrap_or_else(|_| json!(value))
}

/// One answer as text.
pub fn render_plan(plan: &Plan, style: Style) -> String {
    let sentence = wrap(&plan.sentence(), 2);
    let sentence = sentence.trim_end();
    let mut text = if plan.place.is_some() { style.good(sentence) } else { style.bad(sentence) };
    text += "\n\n";
    text += &wrap(&title(&plan.scenario), 2);
    for line in remarks(plan) {
        text += &wrap(&line, 2);
    }
    text.push('\n');
    text += &table(plan, style);
    text.push('\n');
    if let Some(point) = plan.found.points.first() {
        for (place, judged) in point.judged.iter().enumerate() {
            text += &wrap(&format!("({}) {}", place + 1, judged.expression), 4);
        }
    }
    text
}

fn title(scenario: &ScenarioInfo) -> String {
    let description = scenario.description.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    format!("{}{description}", scenario.name)
}

fn remarks(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if let [Some(low), Some(high)] = plan.interval() {
        let runs = plural(plan.found.runs, "run", "runs");
        let tried = plural(plan.found.points.len() as u64, "value", "values");
        lines.push(if low == high {
            format!("The answer is {high}: {runs} of {tried}.")
        } else {
            format!("The true answer is from {low} to {high}: {runs} of {tried}. More --replicas narrow it.")
        });
    }
    if let Some((judged, margin)) = plan.point().and_then(Point::tightest) {
        let spare = significant(margin * 100.0, 2);
        lines.push(format!("Margin: {spare} % to spare ({}).", judged.expression));
    }
    if let (Some(at), Some((first, _))) = (plan.binds_at, plan.binding.first()) {
        let next: Vec<&str> = plan.binding.iter().skip(1).take(2).map(|(key, _)| key.as_str()).collect();
        let mut line = format!("What binds at {}: {first} (doubled, it helps most)", plan.values[at]);
        if !next.is_empty() {
            line.push_str("; next: ");
            line.push_str(&next.join(", "));
        }
        lines.push(line + ".");
    } else if let Some(at) = plan.binds_at {
        lines.push(format!(
            "At {} no capacity is seen to bind: doubling any one of them does not surely help in ten runs.",
            plan.values[at]
        ));
    }
    if !plan.found.is_monotone() {
        lines.push(
            "A value meets the goal and one further on misses it: more does not always help. Look at all of them with `sweep`."
                .to_owned(),
        );
    }
    lines
}

fn table(plan: &Plan, style: Style) -> String {
    let expectations = plan.found.points.first().map_or(0, |point| point.judged.len());
    let mut rows: Vec<Vec<String>> = vec![["value", "goal", "runs"].map(str::to_owned).to_vec()];
    rows[0].extend((1..=expectations).map(|number| format!("({number})")));
    rows[0].push("cost, USD".to_owned());
    for point in &plan.found.points {
        let mark = if plan.place == Some(point.place) { "> " } else { "  " };
        let mut row =
            vec![format!("{mark}{}", plan.values[point.place]), word(point.verdict).to_owned(), count(point.runs)];
        row.extend(point.judged.iter().map(|judged| {
            judged.actual.map_or_else(
                || "null".to_owned(),
                |actual| {
                    let half = actual.high.map(|high| high - actual.mean).filter(|half| *half > 0.0);
                    let mean = in_unit(actual.mean, judged.unit, 3);
                    half.map_or_else(|| mean.clone(), |half| format!("{mean} ± {}", in_unit(half, judged.unit, 2)))
                },
            )
        }));
        row.push(in_unit(point.cost_usd, Unit::None, 3));
        rows.push(row);
    }
    let widths: Vec<usize> =
        (0..rows[0].len()).map(|place| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        let line = cells.join("  ");
        text += &if place == 0 { style.heading(&line) } else { line };
        text.push('\n');
    }
    text
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Missed => "missed",
        Verdict::Unsure => "unsure",
    }
}

/// A row for each value that was tried and each expectation.
pub fn render_plans_csv(plans: &[Plan]) -> String {
    let mut table = Csv::new([
        "key",
        "value",
        "with",
        "verdict",
        "runs",
        "cost_usd",
        "expression",
        "actual",
        "low",
        "high",
        "margin",
    ]);
    for plan in plans {
        let with = plan.other.as_ref().map_or_else(String::new, |(key, value)| format!("{key}={value}"));
        for point in &plan.found.points {
            for judged in &point.judged {
                let actual = some(judged.actual.map(|actual| actual.mean));
                let low = some(judged.actual.and_then(|actual| actual.low));
                let high = some(judged.actual.and_then(|actual| actual.high));
                let (runs, cost, margin) = (point.runs.to_string(), point.cost_usd.to_string(), some(judged.margin));
                let value = &plan.values[point.place];
                table.row([
                    &plan.key,
                    value,
                    &with,
                    word(judged.verdict),
                    &runs,
                    &cost,
                    &judged.expression,
                    &actual,
                    &low,
                    &high,
                    &margin,
                ]);
            }
        }
    }
    table.finish()
}

/// Answers for several values of another key, one line each, and which of them is best.
pub fn render_plans(plans: &[Plan], best: Option<usize>, style: Style) -> String {
    let mut text = String::new();
    let sentence = match best {
        Some(best) => plans[best].sentence(),
        None => "No pair of values surely meets the goal.".to_owned(),
    };
    let sentence = wrap(&sentence, 2);
    let sentence = sentence.trim_end();
    text += &if best.is_some() { style.good(sentence) } else { style.bad(sentence) };
    text += "\n\n";
    text += &wrap(&title(&plans[0].scenario), 2);
    text.push('\n');
    for (place, plan) in plans.iter().enumerate() {
        let mark = if best == Some(place) { "> " } else { "  " };
        let (key, value) = plan.other.as_ref().map_or(("", ""), |(key, value)| (key.as_str(), value.as_str()));
        let answer = match plan.value() {
            Some(answer) => format!("{} = {answer}", plan.key),
            None => "no value".to_owned(),
        };
        let cost = plan
            .point()
            .map_or_else(String::new, |point| format!(", {} USD a run", in_unit(point.cost_usd, Unit::None, 3)));
        let margin =
            plan.margin().map_or_else(String::new, |margin| format!(", {} % to spare", significant(margin * 100.0, 2)));
        text += &wrap(&format!("{mark}{key} = {value}: {answer}{margin}{cost}"), 6);
    }
    text
}
