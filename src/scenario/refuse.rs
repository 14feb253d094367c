//! What does not fit the key tables: unknown keys and unfitting values, and what helps.
#![allow(clippy::wildcard_enum_match_arm, reason = "shapes that are not named take no mapping")]

use super::error::{Problem, ProblemKind, did_you_mean, either_of, nearest, quote};
use super::keys::{BY_SOURCE, Block, Default, Key, ResourceKind, Shape};
use super::resolve::{At, Path, Resolved, Resolver, Value, a, lacks, resolved};
use super::scalar;
use super::tree::{Entry, Kind, Node};

/// What is said of a source that nothing polls.
pub(super) const WHAT_IS_POLLED: &str = "mappings poll queues, streams, Kafka topics and brokers";

/// Words for a key that are not near it, the key, and how it differs.
const OTHER_WORDS: [(&str, &str, &str); 12] = [
    ("max_retries", "max_attempts", "it counts the first attempt too"),
    ("retries", "max_attempts", "it counts the first attempt too"),
    ("maximum_retry_attempts", "max_attempts", "it counts the first attempt too"),
    ("max_attempts", "maximum_retry_attempts", "it does not count the first attempt"),
    ("max_retries", "maximum_retry_attempts", "it does not count the first attempt"),
    ("retries", "maximum_retry_attempts", "it does not count the first attempt"),
    ("dlq", "dead_letter_queue", "it takes the name of what gets the events or messages"),
    ("dlq", "redrive", "it holds `dead_letter_queue` and `max_receive_count`"),
    ("dead_letter_queue", "redrive", "it holds `dead_letter_queue` and `max_receive_count`"),
    ("shards", "partitions", "a Kafka topic has partitions"),
    ("partitions", "shards", "a stream has shards"),
    ("max_receive_count", "redrive", "it holds `dead_letter_queue` and `max_receive_count`"),
];

impl Resolver<'_> {
    /// Notes an unknown key; gives the key that is probably meant.
    pub(super) fn unknown_key(
        &mut self,
        entry: &Entry,
        entries: &[Entry],
        block: &'static Block,
        at: &At,
    ) -> Option<&'static str> {
        if self.problems.is_full() {
            return None;
        }
        let choices = choices(block, at.among);
        let chosen = entries.iter().find(|entry| block.key(&entry.name).is_some_and(|key| choices.contains(&key.name)));
        if let Some(chosen) = chosen
            && choices.contains(&&*entry.name)
        {
            let problem = exclude_each_other(chosen, entry, at);
            self.problems.push(problem.with_expected(one_of(&choices)));
            return None;
        }
        let names = names(block, at.among);
        let of = if at.path == Path::ROOT { "a scenario".to_owned() } else { a(block.name) };
        let mut problem =
            Problem::new(ProblemKind::UnknownKey, entry.place, format!("unknown key {}", quote(&entry.name)))
                .at_key(at.path.key(&entry.name))
                .with_expected(format!("a key of {of}"));
        let mut meant = None;
        let other = OTHER_WORDS.iter().find(|(word, key, _)| *word == &*entry.name && names.contains(key));
        if let Some(help) = of_other_sources(block, &entry.name) {
            problem = problem.with_help(help);
        } else if let Some(goes_with) = goes_with(&entry.name, at.among)
            && other.is_none()
        {
            problem = problem.with_help(goes_with);
        } else {
            meant = other.map(|(_, key, _)| *key).or_else(|| nearest(&entry.name, names.iter().copied()));
            let differs = other.map_or(String::new(), |(_, _, differs)| format!(" {differs}"));
            problem = problem.with_help_if(meant.map(|name| format!("did you mean `{name}`?{differs}")));
            if names.is_empty() {
                problem = problem.with_help("it takes no keys: `{}`");
            } else if meant.is_none() || other.is_some() {
                let known = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                problem = problem.with_help(format!("the keys are {known}"));
            }
        }
        self.problems.push(problem);
        meant
    }

    /// Notes that a key which must be written is not.
    pub(super) fn missing_key(&mut self, key: &'static Key, block: &'static Block, at: &At) {
        let choices = choices(block, at.among);
        let (what, expected) = if choices.len() > 1 && choices.contains(&key.name) {
            (either_of(&quoted(&choices)), "one of these keys".to_owned())
        } else {
            (format!("`{}`", key.name), format!("the key `{}`: {}", key.name, key.doc))
        };
        // Without its source a mapping is of no type.
        let who = if key.name == "source" { "event source mapping" } else { block.name };
        let problem = Problem::new(ProblemKind::MissingKey, at.label, format!("{} {what}", lacks(who)));
        let choosing = block.case.filter(|(case, word)| *case == key.name && !word.is_empty());
        let choosing =
            choosing.map(|(_, word)| format!("write `{}: {word}` where {} is meant", key.name, a(block.name)));
        self.problems.push(problem.at_key(&at.path).with_expected(expected).with_help_if(choosing));
    }

    /// Whether a `--set` names a resource that does not exist and does not define it either.
    pub(super) fn dangling_override(&mut self, entry: &Entry, all: &[Entry], of: &'static Shape, path: &Path) -> bool {
        let blocks: Vec<&'static Block> = match of {
            Shape::Block(block) | Shape::BySource([(_, block), ..]) => vec![block],
            Shape::Either(shapes) => shapes.iter().filter_map(block_of).collect(),
            _ => Vec::new(),
        };
        let Some(block) = blocks.first() else { return false };
        // Of several alternatives one is enough.
        let lacks = |block: &&'static Block| {
            let required = block.keys.iter().filter(|key| key.default == Default::Required);
            required.map(|key| key.name).find(|name| entry.value.get(name).is_none())
        };
        let missing = blocks.iter().map(lacks).min_by_key(Option::is_some).flatten();
        // A longer path made the resource on its way, so that a misspelt name would go unnoticed.
        let on_the_way = entry.value.place == entry.place;
        let kind = ResourceKind::ALL.iter().find(|kind| Some(kind.group()) == path.parent_name());
        let noun = kind.map_or(block.name, |kind| kind.noun());
        let new = match missing {
            Some(missing) => format!("a new {noun} needs `{missing}`"),
            None if on_the_way => format!("write `--set {path}={{..}}` for a new {noun}"),
            None => return false,
        };
        let others = all.iter().filter(|other| other.place.in_file()).map(|other| &*other.name);
        self.problems.push(
            Problem::new(
                ProblemKind::UnknownName,
                entry.place,
                format!("the scenario has no {noun} {}", quote(&entry.name)),
            )
            .at_key(path)
            .with_expected(format!("the name of {}", a(noun)))
            .with_help_if(did_you_mean(&entry.name, others))
            .with_help(new),
        );
        true
    }

    /// Notes that a value does not fit.
    pub(super) fn wrong(&mut self, node: &Node, shape: &'static Shape, at: &At) -> Resolved {
        if self.problems.is_full() {
            return resolved(node.place, at, Value::Bad);
        }
        let place = if matches!(node.kind, Kind::Scalar(_)) { node.place } else { at.label };
        let problem = match &node.kind {
            Kind::Scalar(_) => scalar::explain(node, shape),
            Kind::Null => {
                let problem = Problem::new(ProblemKind::WrongType, place, format!("`{}` has no value", at.path));
                empty(shape, at.path.name()).into_iter().fold(problem, Problem::with_help)
            }
            Kind::List(_) | Kind::Map(_) => {
                Problem::new(ProblemKind::WrongType, place, format!("{} does not fit here", node.what()))
            }
        };
        self.problems.push(problem.at_key(&at.path).with_expected(scalar::describe(shape)));
        resolved(node.place, at, Value::Bad)
    }
}

/// Notes two keys of which only one can be written.
pub(super) fn exclude_each_other(chosen: &Entry, other: &Entry, at: &At) -> Problem {
    let message = format!("`{}` and `{}` exclude each other", chosen.name, other.name);
    Problem::new(ProblemKind::Contradiction, other.place, message)
        .at_key(at.path.key(&other.name))
        .with_related(chosen.place, "chosen here")
}

/// The keys of which one must be written, where each alternative has its own.
pub(super) fn choices(block: &'static Block, among: &'static [Shape]) -> Vec<&'static str> {
    let choice = |block: &'static Block| block.case.filter(|(_, word)| word.is_empty()).map(|(key, _)| key);
    if choice(block).is_none() {
        return Vec::new();
    }
    among.iter().filter_map(block_of).filter_map(choice).collect()
}

/// What a key belongs to that another of the alternatives has.
fn goes_with(name: &str, among: &'static [Shape]) -> Option<String> {
    let owner = among.iter().filter_map(block_of).find(|block| block.key(name).is_some())?;
    match owner.case? {
        (key, _) if key == name => None,
        (key, "") => Some(format!("`{name}` goes with `{key}`")),
        (key, word) => Some(format!("`{name}` goes with `{key}: {word}`")),
    }
}

/// What is said of a key that mappings of other sources have, itself or in a block like this one.
fn of_other_sources(block: &'static Block, name: &str) -> Option<String> {
    let inner = |mapping: &'static Block, key: &str| match mapping.key(key).map(|key| key.shape) {
        Some(Shape::Block(inner)) => Some(*inner),
        _ => None,
    };
    let place = BY_SOURCE.iter().find_map(|(source, mapping)| {
        let key = mapping.keys.iter().find(|key| inner(mapping, key.name) == Some(block));
        if *mapping == block { Some((*source, None)) } else { key.map(|key| (*source, Some(key.name))) }
    });
    let (own, place) = place?;
    let owners = BY_SOURCE.iter().filter(|(_, mapping)| {
        let like = place.map_or(Some(*mapping), |key| inner(mapping, key));
        like.is_some_and(|block| block.key(name).is_some())
    });
    let owners = owners.map(|(source, _)| source.service().to_owned()).collect::<Vec<_>>();
    let mapping = a(&format!("{} mapping", own.service()));
    (!owners.is_empty()).then(|| format!("{mapping} has no `{name}`; mappings of {} have it", all_of(&owners)))
}

/// `a, b and c`.
fn all_of(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
        [] => String::new(),
    }
}

fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

/// ``one of `a` or `b` ``.
pub(super) fn one_of(names: &[&str]) -> String {
    format!("one of {}", either_of(&quoted(names)))
}

/// The keys of a block, after the keys that would have chosen another of the alternatives.
fn names(block: &'static Block, among: &'static [Shape]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for other in among.iter().filter_map(block_of) {
        if let Some((key, _)) = other.case
            && block.key(key).is_none()
            && !names.contains(&key)
        {
            names.push(key);
        }
    }
    names.extend(block.keys.iter().map(|key| key.name));
    names
}

fn block_of(shape: &'static Shape) -> Option<&'static Block> {
    match shape {
        Shape::Block(block) | Shape::Short(_, _, block) => Some(block),
        _ => None,
    }
}

/// What helps where a key has no value.
fn empty(shape: &'static Shape, name: Option<&str>) -> Vec<String> {
    let leave_out = "leave the key out where its default will do".to_owned();
    let Some(name) = name.filter(|_| takes_mapping(shape)) else { return vec![leave_out] };
    let indent = format!("indent the keys of `{name}` further than `{name}` itself");
    match shape {
        Shape::Block(block) if block.keys.is_empty() => vec![format!("write `{name}: {{}}`")],
        Shape::BySource(_) => vec![indent],
        Shape::Block(block) if block.keys.iter().any(|key| key.default == Default::Required) => vec![indent],
        Shape::Block(_) => vec![format!("{indent}, or write `{name}: {{}}` for its defaults")],
        Shape::Either([first @ Shape::Block(_), ..]) => empty(first, Some(name)),
        Shape::Named(_) => vec![format!("{indent}, or write `{name}: {{}}` for none")],
        _ => vec![indent, leave_out],
    }
}

fn takes_mapping(shape: &'static Shape) -> bool {
    match shape {
        Shape::Either(shapes) => shapes.iter().any(takes_mapping),
        Shape::Block(_)
        | Shape::BySource(_)
        | Shape::Short(..)
        | Shape::Named(_)
        | Shape::Tagged(_)
        | Shape::Variant(_)
        | Shape::When(..)
        | Shape::Quantiles(_)
        | Shape::Settings => true,
        _ => false,
    }
}
