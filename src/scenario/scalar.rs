//! Scalars of the key tables: how a text becomes a value, and what to say where it does not.
#![allow(clippy::wildcard_enum_match_arm, reason = "shapes that are not named are scalars, or have nothing inside")]

use std::sync::Arc;

use super::decimal::Decimal;
use super::error::{Problem, ProblemKind, did_you_mean, either_of, quote};
use super::keys::{Block, ResourceKind, Shape, Word};
use super::resolve::{Value, a};
use super::tree::{Kind, Node};
use super::units::{self, UnitError};
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::SimDuration;

/// What names are made of.
pub(crate) const NAMES: &str = "1 to 64 letters, digits, `-` and `_`";

/// A scalar that a table accepts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leaf {
    /// A duration.
    Duration(SimDuration),
    /// A rate.
    Rate(Rate),
    /// Bytes, or MB of memory.
    Size(u64),
    /// A share.
    Ratio(Ratio),
    /// A whole number.
    Whole(u64),
    /// A number.
    Real(f64),
    /// A factor for times.
    Scale(Decimal),
    /// on or off.
    Switch(bool),
    /// A text, a name, or the path of a file.
    Text,
    /// The name of a resource of one of these kinds.
    Target(&'static [ResourceKind]),
    /// A submission of a caller, or of each.
    Event(Option<Arc<str>>, u64),
}

/// The value of a scalar.
pub(crate) fn read(node: &Node, shape: &'static Shape) -> Result<Value, UnitError> {
    let Kind::Scalar(text) = &node.kind else {
        return Err(plain_error(String::new()));
    };
    let leaf = match shape {
        Shape::Words(words) => return read_word(text, words),
        Shape::Variant(union) => {
            let tag = union.tags.iter().find(|tag| *tag.name == **text);
            let unknown = || plain_error(format!("{} is not a value of this key", quote(text)));
            return tag.map(|tag| Value::Word(tag.name)).ok_or_else(unknown);
        }
        Shape::Without(word, _) => return read_without(text, word),
        Shape::Either(shapes) => {
            let mut errors = shapes.iter().map(|shape| read(node, shape));
            return errors.find(Result::is_ok).unwrap_or_else(|| Err(plain_error(String::new())));
        }
        Shape::Short(_, of, _) | Shape::When(_, _, of) => return read(node, of),
        Shape::Duration(min, max) => {
            let value = units::duration(text)?;
            range(text, value.as_nanos(), *min, *max)?;
            Leaf::Duration(value)
        }
        Shape::Rate => Leaf::Rate(units::rate(text)?),
        Shape::Size(min, max) => Leaf::Size(range(text, units::size(text)?, *min, *max)?),
        Shape::Throughput => Leaf::Size(range(text, units::throughput(text)?, 1, u64::MAX)?),
        Shape::Memory(min, max) => Leaf::Size(range(text, units::memory(text)?, *min, *max)?),
        Shape::Ratio(min, max) => {
            let value = units::ratio(text)?;
            range(text, value.parts(), *min, *max)?;
            Leaf::Ratio(value)
        }
        Shape::Whole(min, max) => Leaf::Whole(range(text, units::whole(text)?, *min, *max)?),
        Shape::Counted(min, max, noun) => Leaf::Whole(range(text, units::counted(text, noun)?, *min, *max)?),
        Shape::Real(min, max) => {
            let value = units::real(text)?;
            if !(*min..=*max).contains(&value) {
                return Err(out_of_range(text));
            }
            Leaf::Real(value)
        }
        Shape::Scale => {
            units::real(text)?;
            let value = Decimal::parse(text).filter(|value| !value.is_zero());
            Leaf::Scale(value.ok_or_else(|| out_of_range(text))?)
        }
        Shape::Switch => Leaf::Switch(units::switch(text)?),
        Shape::Text | Shape::File if text.trim().is_empty() => {
            return Err(plain_error("the text is empty".to_owned()));
        }
        Shape::Text | Shape::File => Leaf::Text,
        Shape::Name => {
            check_name(text).map_err(plain_error)?;
            Leaf::Text
        }
        Shape::Target(kinds) => {
            check_name(text).map_err(plain_error)?;
            Leaf::Target(kinds)
        }
        Shape::Event => event(text)?,
        Shape::List(_)
        | Shape::Block(_)
        | Shape::Named(_)
        | Shape::Tagged(_)
        | Shape::Quantiles(_)
        | Shape::BySource(_)
        | Shape::Settings => return Err(plain_error(format!("{} does not fit here", quote(text)))),
    };
    Ok(Value::Leaf(leaf, text.clone()))
}

/// Whether a scalar is a value of this shape.
pub(crate) fn fits(node: &Node, shape: &'static Shape) -> bool {
    read(node, shape).is_ok()
}

fn plain_error(message: String) -> UnitError {
    UnitError { message, help: None, out_of_range: false }
}

fn out_of_range(text: &str) -> UnitError {
    UnitError { message: format!("{} is out of range", quote(text)), help: None, out_of_range: true }
}

fn range(text: &str, value: u64, min: u64, max: u64) -> Result<u64, UnitError> {
    let side = if value < min {
        "too small".to_owned()
    } else if value > max && max == u64::from(u32::MAX) {
        format!("too large: at most {max}")
    } else if value > max {
        "too large".to_owned()
    } else {
        return Ok(value);
    };
    Err(UnitError { message: format!("{} is {side}", quote(text)), help: None, out_of_range: true })
}

fn read_word(text: &Arc<str>, words: &'static [Word]) -> Result<Value, UnitError> {
    match words.iter().find(|word| word.name == &**text) {
        Some(word) => Ok(Value::Word(word.name)),
        None => Err(UnitError {
            message: format!("{} is not one of the words for this key", quote(text)),
            help: did_you_mean(text, words.iter().map(|word| word.name)),
            out_of_range: false,
        }),
    }
}

/// `none`, `off` or `unlimited`; AWS writes -1 for unlimited, YAML writers `false` for off.
fn read_without(text: &str, word: &'static str) -> Result<Value, UnitError> {
    let means = match word {
        "off" => units::switch(text) == Ok(false),
        "unlimited" => matches!(text, "unlimited" | "-1"),
        _ => text == word,
    };
    if means { Ok(Value::Without(word)) } else { Err(plain_error(format!("{} is not `{word}`", quote(text)))) }
}

/// Checks a name; the error says what is wrong.
pub(crate) fn check_name(text: &str) -> Result<(), String> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if text.is_empty() {
        return Err("the name is empty".to_owned());
    }
    if let Some(bad) = text.chars().find(|letter| !good(*letter)) {
        return Err(format!("the name {} holds {}", quote(text), quote(&bad.to_string())));
    }
    if text.len() > 64 {
        return Err(format!("the name {} has {} characters", quote(text), text.len()));
    }
    Ok(())
}

fn event(text: &str) -> Result<Leaf, UnitError> {
    let (caller, number) = match text.split_once('#') {
        Some((caller, number)) => (Some(caller), number),
        None => (None, text),
    };
    if let Some(caller) = caller {
        check_name(caller).map_err(plain_error)?;
    }
    let number = range(text, units::whole(number)?, 1, u64::MAX)?;
    Ok(Leaf::Event(caller.map(Into::into), number))
}

/// `p99.9` as 0.999.
pub(crate) fn quantile(name: &str) -> Option<Ratio> {
    units::ratio(&format!("{}%", name.strip_prefix('p')?)).ok()
}

/// What is wrong with a scalar that does not fit.
pub(crate) fn explain(node: &Node, shape: &'static Shape) -> Problem {
    let text = node.text().unwrap_or("");
    let mut options = Vec::new();
    scalars(shape, &mut options);
    let word = |shape: &&Shape| matches!(shape, Shape::Words(_) | Shape::Without(..));
    let names = options.iter().flat_map(|shape| words_of(shape)).collect::<Vec<_>>();
    let near = did_you_mean(text, names.iter().copied()).or_else(|| {
        let nothing =
            matches!(text, "none" | "off" | "unlimited" | "never" | "false" | "no" | "inf" | "infinite" | "-1");
        options.iter().find_map(|shape| match shape {
            Shape::Without(word, doc) if nothing => Some(format!("write `{word}`: {doc}")),
            _ => None,
        })
    });
    let values = options.iter().filter(|shape| !word(shape)).map(|shape| read(node, shape).err());
    let mut errors = values.flatten().collect::<Vec<_>>();
    // A number out of range says more than a number of another kind.
    errors.sort_by_key(|error| !error.out_of_range);
    if let [first, second, ..] = errors.as_mut_slice()
        && first.out_of_range
        && second.out_of_range
    {
        first.message = format!("{} is out of range", quote(text));
    }
    let error = match errors.into_iter().next() {
        Some(error) if near.is_none() || error.out_of_range => error,
        Some(_) | None if !names.is_empty() => plain_error(format!("{} is not a value of this key", quote(text))),
        Some(error) => error,
        None => plain_error(format!("{} does not fit here", quote(text))),
    };
    let kind = if error.out_of_range {
        ProblemKind::OutOfRange
    } else if options.is_empty() {
        ProblemKind::WrongType
    } else {
        ProblemKind::InvalidValue
    };
    let problem = Problem::new(kind, node.place, error.message);
    if error.out_of_range { problem.with_help_if(error.help) } else { problem.with_help_if(near.or(error.help)) }
}

/// The alternatives that a scalar can be.
fn scalars(shape: &'static Shape, into: &mut Vec<&'static Shape>) {
    match shape {
        Shape::Either(shapes) => shapes.iter().for_each(|shape| scalars(shape, into)),
        Shape::Short(_, of, _) | Shape::When(_, _, of) => scalars(of, into),
        Shape::List(_)
        | Shape::Block(_)
        | Shape::Named(_)
        | Shape::Tagged(_)
        | Shape::Quantiles(_)
        | Shape::BySource(_)
        | Shape::Settings => {}
        _ => into.push(shape),
    }
}

fn words_of(shape: &'static Shape) -> Vec<&'static str> {
    match shape {
        Shape::Words(words) => words.iter().map(|word| word.name).collect(),
        Shape::Variant(union) => union.tags.iter().map(|tag| tag.name).collect(),
        Shape::Without(word, _) => vec![*word],
        _ => Vec::new(),
    }
}

/// Whether a word is a value of its own for this shape.
pub(crate) fn has_word(shape: &'static Shape, word: &str) -> bool {
    let mut options = Vec::new();
    scalars(shape, &mut options);
    options.iter().any(|shape| words_of(shape).contains(&word))
}

/// What a key takes, in words.
pub(crate) fn describe(shape: &'static Shape) -> String {
    let mut parts = Vec::new();
    collect(shape, &mut parts);
    parts.dedup();
    either_of(&parts)
}

fn collect(shape: &'static Shape, parts: &mut Vec<String>) {
    let bounds = |min: String, max: Option<String>| match max {
        Some(max) if min == max => format!("`{min}`"),
        Some(max) => format!("from {min} to {max}"),
        None => format!("of at least {min}"),
    };
    let length = |nanoseconds: u64| SimDuration::from_nanos(nanoseconds).to_string();
    let mut push = |text: String| parts.push(text);
    match shape {
        Shape::Duration(0, u64::MAX) => push("a duration such as `250ms`, `30s` or `1h30m`".to_owned()),
        Shape::Duration(1, u64::MAX) => push("a duration above `0s`".to_owned()),
        Shape::Duration(min, max) if min == max => push(format!("`{}`", length(*min))),
        Shape::Duration(min, max) => push(format!("a duration from {} to {}", length(*min), length(*max))),
        Shape::Rate => push("a rate such as `50/s`, `3000/min` or `1e6/day`".to_owned()),
        Shape::Size(0, _) => push("a size such as `512B`, `6MB` or `1MiB`".to_owned()),
        Shape::Size(min, max) => push(format!("a size from {min}B to {max}B")),
        Shape::Throughput => push("bytes a second such as `1MB/s`".to_owned()),
        Shape::Memory(min, max) => push(format!("memory from {min}MB to {max}MB")),
        Shape::Ratio(0, Ratio::PARTS) => push("a share such as `0.5%` or `0.005`".to_owned()),
        Shape::Ratio(1, Ratio::PARTS) => push("a share above 0% and at most 100%".to_owned()),
        Shape::Ratio(min, max) => push(format!("a share from {} to {}", percent(*min), percent(*max))),
        Shape::Whole(min, max) if min == max => push(format!("`{min}`")),
        Shape::Whole(min, max) => {
            let max = (*max < u64::from(u32::MAX)).then(|| max.to_string());
            push(format!("a whole number {}", bounds(min.to_string(), max)));
        }
        Shape::Counted(1, _, noun) => push(format!("a number of {noun}s such as `3 {noun}s`")),
        Shape::Counted(min, _, noun) => push(format!("a number of {noun}s, at least {min}")),
        Shape::Real(min, max) => {
            let max = (*max < f64::MAX).then(|| max.to_string());
            push(format!("a number {}", bounds(min.to_string(), max)));
        }
        Shape::Scale => push("a number above 0".to_owned()),
        Shape::Switch => push("`on` or `off`".to_owned()),
        Shape::Text => push("a text".to_owned()),
        Shape::Name => push(format!("a name: {NAMES}")),
        Shape::Target(kinds) => push(format!("the name of {}", a(&nouns(kinds)))),
        Shape::Event => push("a submission: `4` of each caller, `shoppers#4` of one".to_owned()),
        Shape::File => push("the path of a file".to_owned()),
        Shape::Words(words) => words.iter().for_each(|word| push(format!("`{}`", word.name))),
        Shape::Without(word, _) => push(format!("`{word}`")),
        Shape::List(_) => push("a list".to_owned()),
        Shape::Block(block) | Shape::BySource([(_, block), ..]) => push(mapping(block)),
        Shape::BySource([]) => {}
        Shape::Short(_, of, block) => {
            collect(of, parts);
            parts.push(mapping(block));
        }
        Shape::Named(of) => match of {
            Shape::Block(block) | Shape::Either([Shape::Block(block), ..]) => {
                push(format!("a mapping from names to {}", plural(block.name)));
            }
            Shape::BySource(_) => push("a mapping from names to event source mappings".to_owned()),
            _ => push("a mapping from names".to_owned()),
        },
        Shape::Tagged(union) => push(format!("{} such as `{{{}: ..}}`", a(union.name), union.tags[1].name)),
        Shape::Variant(union) => union.tags.iter().for_each(|tag| push(format!("`{}`", tag.name))),
        Shape::Quantiles(_) => push("a mapping such as `{p0: .., p50: .., p100: ..}`".to_owned()),
        Shape::Either(shapes) if cases(shapes).len() > 2 => {
            let names = cases(shapes).iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            push(format!("a mapping with {}", either_of(&names)));
        }
        Shape::Either(shapes) => shapes.iter().for_each(|shape| collect(shape, parts)),
        Shape::When(_, _, of) => collect(of, parts),
        Shape::Settings => push("a mapping from key paths to values".to_owned()),
    }
}

/// The keys of which a mapping has one, where each of the alternatives has its own.
fn cases(shapes: &'static [Shape]) -> Vec<&'static str> {
    let case = |shape: &'static Shape| match shape {
        Shape::Block(Block { case: Some((key, "")), .. }) => Some(*key),
        _ => None,
    };
    shapes.iter().map(case).collect::<Option<_>>().unwrap_or_default()
}

fn mapping(block: &Block) -> String {
    let keys = block.keys.iter().take(4).map(|key| key.name).collect::<Vec<_>>().join(", ");
    let more = if block.keys.len() > 4 { ", .." } else { "" };
    format!("a mapping `{{{keys}{more}}}`")
}

/// `queue or topic`.
pub(crate) fn nouns(kinds: &[ResourceKind]) -> String {
    either_of(&kinds.iter().map(|kind| kind.noun().to_owned()).collect::<Vec<_>>())
}

/// `queues`, `dependencies`, `buses`.
fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}{}", if noun.ends_with('s') { "es" } else { "s" }),
    }
}

/// Parts of 10^12 as percent.
fn percent(parts: u64) -> String {
    format!("{}%", parts as f64 * 100.0 / Ratio::PARTS as f64)
}
