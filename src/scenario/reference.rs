//! The reference of all keys, made from the key tables.
#![allow(clippy::wildcard_enum_match_arm, reason = "shapes that are not named are scalars, or have nothing inside")]

use std::fmt::Write as _;

use super::build::client::{Retry, preset};
use super::keys::{Block, Default, Key, Shape, Union, tables};
use super::resolve::a;
use super::scalar;
use crate::aws::config::{Budget, Jitter};

const INTRODUCTION: &str = "\
# The keys of a scenario

<!-- Made from the key tables of `src/scenario/keys/`. A test keeps it current: after a change of the tables run
     `UPDATE_DOCS=1 cargo test --test it reference` and commit the result. -->

A scenario is one YAML file. Keys that are not listed here are errors, and so are values without their unit: every
problem is reported at once, with its place. Anchors, aliases and merge keys (`<<: *base`) work.

| value | how it is written |
| --- | --- |
| duration, moment | `250us`, `20ms`, `1.5s`, `15m`, `6h`, `4d`, `1h30m`; zero is `0s` |
| rate | `50/s`, `3000/min`, `1e6/day`; also `/h` and `/ms` |
| size | `512B`, `2KB` and `6MB` (powers of 10), `1KiB` and `1MiB` (powers of 2) |
| memory | `1024MB`, `2GB`, as Lambda counts it (powers of 2) |
| bytes a second | `1MB/s` |
| share, probability | `0.5%` or `0.005` |
| whole number | `3000`, `1_000_000`, `1e10` |
| switch | `on` or `off`; `true` and `false` are the same |
| name | letters, digits, `-` and `_`; unique over all resources of the file |
| no limit | `unlimited`; AWS's `-1` is the same |
| no setting | `none` takes an optional setting away, in `changes` and `--set` too |

`a ~ b` reads: `a` under `model.timing: ideal`, `b` under `typical`. `--set path=value` replaces the value of a key, or
adds one: `--set functions.resize.failures[0].probability=5%`. The resolved scenario in the results shows every default
with the rule that it comes from; the rules are in `docs/semantics`.
";

/// The text of `docs/scenario.md`.
pub fn reference_markdown() -> String {
    let mut writer =
        Writer { text: INTRODUCTION.to_owned(), blocks: Vec::new(), unions: Vec::new(), headings: Vec::new() };
    writer.block(&tables::SCENARIO, "");
    writer.presets();
    writer.text
}

struct Writer {
    text: String,
    blocks: Vec<&'static Block>,
    unions: Vec<&'static Union>,
    headings: Vec<String>,
}

impl Writer {
    fn block(&mut self, block: &'static Block, path: &str) {
        if self.blocks.contains(&block) {
            return;
        }
        self.blocks.push(block);
        let again = self.headings.iter().any(|heading| heading == path);
        self.headings.push(path.to_owned());
        let heading = match (path, again) {
            ("", _) => "The file".to_owned(),
            (path, false) => format!("`{path}`"),
            (path, true) => format!("`{path}`, as {}", a(block.name)),
        };
        let _ = write!(self.text, "\n## {heading}\n\n{}.\n\n", sentence(block.doc));
        if block.keys.is_empty() {
            self.text.push_str("It has no keys: `{}`.\n");
            return;
        }
        self.text.push_str("| key | takes | default | what it does |\n| --- | --- | --- | --- |\n");
        for key in block.keys {
            self.text.push_str(&row(key));
        }
        for key in block.keys {
            let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            self.below(key.shape, &path);
        }
    }

    /// The blocks that a shape leads to.
    fn below(&mut self, shape: &'static Shape, path: &str) {
        match shape {
            Shape::Block(block) | Shape::Short(_, _, block) => self.block(block, path),
            Shape::When(_, then, otherwise) => {
                self.below(otherwise, path);
                self.below(then, path);
            }
            Shape::Named(of) => self.below(of, &format!("{path}.NAME")),
            Shape::List(of) => self.below(of, &format!("{path}[]")),
            Shape::Either(shapes) => shapes.iter().for_each(|shape| self.below(shape, path)),
            Shape::BySource(blocks) => blocks.iter().for_each(|(_, block)| self.block(block, path)),
            Shape::Tagged(union) | Shape::Variant(union) => self.union(union, path),
            _ => {}
        }
    }

    fn union(&mut self, union: &'static Union, path: &str) {
        if self.unions.iter().any(|known| std::ptr::eq(*known, union)) {
            return;
        }
        self.unions.push(union);
        let drawn = union.name.ends_with("distribution");
        let heading = if drawn { sentence(union.name) } else { format!("`{path}`") };
        let _ = write!(self.text, "\n## {heading}\n\n{}. One of:\n\n", sentence(union.doc));
        self.text.push_str("| key | takes | what it means |\n| --- | --- | --- |\n");
        for tag in union.tags {
            let _ = writeln!(self.text, "| `{}` | {} | {} |", tag.name, cell(&takes(tag.shape)), cell(tag.doc));
        }
        for tag in union.tags {
            // The parameters of distributions stand in the table; times and sizes have the same.
            if !drawn {
                self.below(tag.shape, &format!("{path}.{}", tag.name));
            }
        }
    }

    fn presets(&mut self) {
        self.text.push_str(
            "\n## Retry presets\n\nWait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter. The quota is \
             a bucket of tokens: a retry takes some after a service error, a throttle or a client time-out; a \
             success after a retry gives back what that retry took, and one at the first attempt gives one token \
             back (INV-3.2, INV-N1 to N3).\n\n\
             | preset | attempts | base (throttle) | factor | cap | jitter | quota | limiter |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for name in ["none", "boto3_legacy", "standard_v2", "standard_2026", "adaptive"] {
            self.text.push_str(&preset_row(name, preset(name)));
        }
    }
}

fn preset_row(name: &str, retry: Retry) -> String {
    if retry.max_attempts == 1 {
        return format!("| `{name}` | 1 | - | - | - | - | - | - |\n");
    }
    let jitter = if retry.backoff.jitter == Jitter::Full { "full" } else { "other" };
    let cap = retry.backoff.cap.map_or("unlimited".to_owned(), |cap| cap.to_string());
    let quota = match retry.budget {
        Budget::Tokens { tokens, transient, throttle, timeout, .. } => {
            format!("{tokens}: {transient} / {throttle} / {timeout}")
        }
        Budget::None | Budget::Ratio { .. } => "none".to_owned(),
    };
    format!(
        "| `{name}` | {} | {} ({}) | {} | {cap} | {jitter} | {quota} | {} |\n",
        retry.max_attempts,
        retry.backoff.base,
        retry.throttle_backoff.base,
        retry.backoff.factor,
        if retry.adaptive { "INV-3.4" } else { "-" },
    )
}

fn row(key: &Key) -> String {
    let default = match key.default {
        Default::Required => "required".to_owned(),
        Default::Absent => "none".to_owned(),
        Default::Keys => "its keys'".to_owned(),
        Default::Is(text) => format!("`{text}`"),
        Default::Timing(ideal, typical) => format!("`{ideal}` ~ `{typical}`"),
        Default::With((other, word), then, otherwise) => {
            let otherwise = otherwise.map_or("none".to_owned(), |text| format!("`{text}`"));
            let then = if then == "{}" { "its keys'".to_owned() } else { format!("`{then}`") };
            format!("{otherwise}; with `{other}: {word}` {then}")
        }
        Default::WithAny((other, _), then, otherwise) => {
            format!("`{otherwise}`, or `{then}` by `{other}` and for a state machine")
        }
        Default::As(other) => format!("as `{other}`"),
        Default::OwnName => "its own name".to_owned(),
    };
    let rule = if key.rule.is_empty() { String::new() } else { format!(" ({})", key.rule) };
    format!("| `{}` | {} | {default} | {}{rule} |\n", key.name, cell(&takes(key.shape)), cell(key.doc))
}

/// What a key takes, with the meaning of its words.
fn takes(shape: &'static Shape) -> String {
    match shape {
        Shape::Words(words) => {
            words.iter().map(|word| format!("`{}` ({})", word.name, word.doc)).collect::<Vec<_>>().join(", ")
        }
        Shape::Without(word, doc) => format!("`{word}` ({doc})"),
        Shape::Either(shapes) => {
            let mut parts = shapes.iter().map(takes).collect::<Vec<_>>();
            parts.dedup();
            parts.join(" or ")
        }
        Shape::List(of) => format!("a list of: {}", takes(of)),
        Shape::Block(block) => mapping(block),
        Shape::Short(_, of, block) => format!("{} or {}", takes(of), mapping(block)),
        Shape::Tagged(union) => format!("one of the {}, below", plural(union.name)),
        Shape::Variant(_) => "one of the names below, alone or with settings".to_owned(),
        Shape::Duration(0, u64::MAX) => "a duration".to_owned(),
        Shape::Rate => "a rate".to_owned(),
        Shape::Size(0, _) => "a size".to_owned(),
        Shape::BySource(_) => "a mapping, below".to_owned(),
        Shape::When(_, _, of) => takes(of),
        Shape::Ratio(..) | Shape::Quantiles(_) | Shape::Named(_) => {
            scalar::describe(shape).replace(" such as `0.5%` or `0.005`", "")
        }
        _ => scalar::describe(shape),
    }
}

fn mapping(block: &Block) -> String {
    let names = block.keys.iter().map(|key| key.name).collect::<Vec<_>>();
    if names.len() > 4 { "a mapping, below".to_owned() } else { format!("`{{{}}}`", names.join(", ")) }
}

fn plural(noun: &str) -> String {
    if noun.ends_with('s') { noun.to_owned() } else { format!("{noun}s") }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// With a capital.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
