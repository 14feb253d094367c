//! The resolved scenario as YAML: every default written out, with its source beside it.
//!
//! The text reads back to the same scenario. Files that the scenario names are kept as they are written: they are
//! still looked up beside the original.

use std::fmt::Write as _;

use super::build::groups;
use super::keys::{Block, Default, ResourceKind};
use super::resolve::{Origin, Resolved, Value};
use super::scalar::{self, Leaf};
use super::tree::{Kind, Node};

const HEADER: &str = "\
# The scenario as it was run: every default is written out, with the rule it comes from.
# Files are named as in the original scenario and are looked up beside that one.
";

/// A line without its indentation.
struct Line {
    indent: usize,
    text: String,
    comment: String,
}

/// The text for a resolved file.
pub(super) fn yaml(root: &Resolved) -> String {
    let mut lines = Vec::new();
    if let Value::Block(block, fields) = &root.value {
        // The order of resources settles equal times: it stays.
        let mut groups = groups(root).into_iter().peekable();
        for (key, field) in block.keys.iter().zip(fields) {
            let is_group = ResourceKind::ALL.iter().any(|kind| kind.group() == key.name);
            match groups.next_if(|_| is_group) {
                Some((kind, group)) => entry(&mut lines, 0, kind.group(), group),
                None => entry(&mut lines, 0, key.name, field),
            }
        }
    }
    let mut text = HEADER.to_owned();
    for line in lines {
        text.extend(std::iter::repeat_n(' ', line.indent));
        text.push_str(&line.text);
        text.push_str(&line.comment);
        text.push('\n');
    }
    text
}

/// A key with its value.
fn entry(lines: &mut Vec<Line>, indent: usize, name: &str, value: &Resolved) {
    let comment = source(value.origin);
    let mut push =
        |text: String, comment: String| lines.push(Line { indent, text: format!("{name}: {text}"), comment });
    match &value.value {
        Value::Bad => {}
        Value::Without(word) | Value::Word(word) => push((*word).to_owned(), comment),
        Value::Leaf(leaf, text) => push(leaf_text(leaf, text, false), comment),
        Value::List(items) if items.iter().all(|item| is_scalar(item) && item.text().is_none()) => {
            let items = items.iter().map(flow_scalar).collect::<Vec<_>>().join(", ");
            push(format!("[{items}]"), comment);
        }
        Value::Named(items) if items.is_empty() => push("{}".to_owned(), comment),
        Value::Settings(entries) if entries.is_empty() => push("{}".to_owned(), comment),
        Value::List(_)
        | Value::Block(..)
        | Value::Named(_)
        | Value::Tagged(..)
        | Value::Quantiles(_)
        | Value::Settings(_) => {
            let first = lines.len();
            lines.push(Line { indent, text: format!("{name}:"), comment });
            inside(lines, indent + 2, value);
            if lines.len() == first + 1 {
                lines[first].text.push_str(" {}");
            }
        }
    }
}

/// The lines of a collection.
fn inside(lines: &mut Vec<Line>, indent: usize, value: &Resolved) {
    match &value.value {
        Value::Block(block, fields) => fields_of(lines, indent, block, fields),
        Value::Named(items) => items.iter().for_each(|item| entry(lines, indent, &item.name, &item.block)),
        Value::Tagged(tag, inner) => entry(lines, indent, tag, inner),
        Value::Quantiles(points) => points.iter().for_each(|(name, point)| entry(lines, indent, name, point)),
        Value::Settings(entries) => {
            for setting in entries {
                let text = format!("{}: {}", plain(&setting.name, false), flow(&setting.value));
                lines.push(Line { indent, text, comment: String::new() });
            }
        }
        Value::List(items) => {
            for item in items {
                let first = lines.len();
                if is_scalar(item) {
                    lines.push(Line { indent, text: flow_scalar(item), comment: source(item.origin) });
                } else {
                    inside(lines, indent + 2, item);
                }
                if let Some(line) = lines.get_mut(first) {
                    line.indent = indent;
                    line.text.insert_str(0, "- ");
                }
            }
        }
        Value::Bad | Value::Without(_) | Value::Leaf(..) | Value::Word(_) => {}
    }
}

fn fields_of(lines: &mut Vec<Line>, indent: usize, block: &'static Block, fields: &[Resolved]) {
    for (key, field) in block.keys.iter().zip(fields) {
        // Where `none` is a value of its own, an absent key cannot be written; beside a preset it would mislead.
        let silent = field.is_without() && !field.is_written() && key.default == Default::Absent;
        let replaces = block.case == Some(("preset", ""));
        if !(silent && (replaces || scalar::has_word(key.shape, "none"))) {
            entry(lines, indent, key.name, field);
        }
    }
}

/// Where a value comes from.
fn source(origin: Origin) -> String {
    match origin {
        Origin::File => String::new(),
        Origin::Override => "  # --set".to_owned(),
        Origin::Default("") => "  # default".to_owned(),
        Origin::Default(rule) => format!("  # default, {rule}"),
        Origin::Typical("") => "  # default of typical timing".to_owned(),
        Origin::Typical(rule) => format!("  # default of typical timing, {rule}"),
    }
}

fn is_scalar(value: &Resolved) -> bool {
    matches!(value.value, Value::Leaf(..) | Value::Word(_) | Value::Without(_))
}

fn flow_scalar(value: &Resolved) -> String {
    if let Value::Leaf(leaf, text) = &value.value {
        return leaf_text(leaf, text, true);
    }
    if let Value::Word(word) | Value::Without(word) = value.value { word.to_owned() } else { String::new() }
}

fn leaf_text(leaf: &Leaf, text: &str, flow: bool) -> String {
    if let Leaf::Switch(on) = leaf { if *on { "on" } else { "off" }.to_owned() } else { plain(text, flow) }
}

/// A text as a scalar, quoted where it must be.
fn plain(text: &str, flow: bool) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "_./%#+-[]".contains(letter);
    let bare = text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(safe)
        && !(flow && text.contains(['[', ']']))
        && !matches!(text, "null" | "Null" | "NULL");
    if bare {
        return text.to_owned();
    }
    if flow {
        return quoted(text);
    }
    match serde_yaml::to_string(text) {
        Ok(written) if written.trim_end().lines().count() == 1 => written.trim_end().to_owned(),
        Ok(_) | Err(_) => quoted(text),
    }
}

/// Between double quotes: as JSON, which YAML reads too but for a few characters.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.chars().fold(String::new(), |mut quoted, letter| {
        if matches!(letter, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}') {
            let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
        } else {
            quoted.push(letter);
        }
        quoted
    })
}

/// A value of the file in one line.
fn flow(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Scalar(text) => plain(text, true),
        Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|entry| format!("{}: {}", plain(&entry.name, true), flow(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
