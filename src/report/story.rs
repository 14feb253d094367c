//! The story of one event: as a timeline for people, as data, and as the table of `events.csv`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Format;
use super::numbers::{cut, plural, wrap};
use super::style::Style;
use crate::story::explain::Story;
use crate::story::rules::Rule;
use crate::story::step::Step;
use crate::story::{events, moment};

/// Names of actors are cut to this width.
const NAME_WIDTH: usize = 16;

/// The story in a format. `style` is for text only.
pub fn render_story(format: Format, story: &Story, style: Style) -> String {
    match format {
        Format::Text => text(story, style),
        Format::Json => format!("{:#}\n", value(story)),
        Format::Csv => table(story),
    }
}

/// What the event was and how it ended.
pub fn story_headline(story: &Story, style: Style) -> String {
    let Story { headline, good, .. } = story;
    let lines = wrap(&headline.join(" "), 0);
    let lines = lines.trim_end();
    let painted = match good {
        Some(true) => style.good(lines),
        Some(false) => style.bad(lines),
        None => style.warning(lines),
    };
    painted + "\n"
}

fn text(story: &Story, style: Style) -> String {
    let mut text = story_headline(story, style);
    text.push('\n');
    text += &timeline(story, style);
    if story.more > 0 {
        let more = plural(story.more, "more step", "more steps");
        let _ = writeln!(text, "and {more}, see `lambdasim run --events`");
    }
    let rules = story.rules();
    if !rules.is_empty() {
        text.push('\n');
        text += &style.heading("Rules");
        text.push('\n');
    }
    for Rule { id, text: sentence, source, mark } in rules {
        text += &wrap(&format!("[{id}] {sentence} ({}: {source})", mark.as_str()), 2);
    }
    if story.by_default {
        text.push('\n');
        text += &style.dim("Another one: --event CALLER#N, --first FATE, --slowest; see explain --help.");
        text.push('\n');
    }
    text
}

/// Time, event, who, what; the longest words decide the widths.
fn timeline(story: &Story, style: Style) -> String {
    let times: Vec<String> = story.steps.iter().map(|step| moment(step.at)).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>, header: &str| texts.max().unwrap_or(0).max(header.len());
    let time = width(&mut times.iter().map(String::len), "Time");
    let who = width(&mut story.steps.iter().map(|step| step.actor.chars().count().min(NAME_WIDTH)), "Who");
    let part =
        if story.has_parts { width(&mut story.steps.iter().map(|step| tag(step).len()), "Event") + 2 } else { 0 };
    let header = if story.has_parts { "Event" } else { "" };
    let mut text = style.heading(&format!("{:>time$}  {header:part$}{:who$}  What", "Time", "Who"));
    text.push('\n');
    let indent = time + 2 + part + who + 2;
    for (step, at) in story.steps.iter().zip(&times) {
        let Step { actor, kind, rule, detail, .. } = step;
        let rule = rule.map_or_else(String::new, |rule| format!(" [{}]", rule.id));
        let (tag, actor) = (tag(step), cut(actor, NAME_WIDTH));
        let line = format!("{at:>time$}  {tag:part$}{actor:who$}  {} {detail}{rule}", kind.verb());
        text += &wrap(&line, indent);
    }
    text
}

/// `/1` for what came of the event.
fn tag(step: &Step) -> String {
    if step.part == 0 { String::new() } else { format!("/{}", step.part) }
}

fn value(story: &Story) -> Value {
    let steps: Vec<Value> = story.steps.iter().map(step_value).collect();
    let rules: Vec<Value> = story
        .rules()
        .into_iter()
        .map(|Rule { id, text, source, mark }| json!({ "id": id, "text": text, "source": source, "mark": mark.as_str() }))
        .collect();
    json!({
        "event": story.event,
        "headline": story.headline.join(" "),
        "steps": steps,
        "steps_left_out": story.more,
        "rules": rules,
    })
}

fn step_value(step: &Step) -> Value {
    let [time_ms, event, _, actor, kind, rule, detail] = events::cells(step);
    let time_ms: serde_json::Number = time_ms.parse().expect("a decimal number");
    let rule = if rule.is_empty() { Value::Null } else { rule.into() };
    json!({
        "time_ms": time_ms,
        "event": event,
        "run": step.run,
        "actor": actor,
        "step": kind,
        "rule": rule,
        "detail": detail,
    })
}

fn table(story: &Story) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(events::COLUMNS).expect("writing to memory");
    for step in &story.steps {
        table.write_record(events::cells(step)).expect("writing to memory");
    }
    let bytes = table.into_inner().expect("writing to memory");
    String::from_utf8(bytes).expect("cells are text")
}
