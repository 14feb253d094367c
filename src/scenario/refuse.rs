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
const OTHER_WORDS: [(&str, &str, &str); 14] = [
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
    ("max_connections", "connection_limit", "it bounds the connections of all environments"),
    ("latency", "service_time", "time in the queue comes on top"),
];

/// Words for keys that other blocks have: where they are looked for, the word, and what is said.
const ELSEWHERE: [(&str, &str, &str); 15] = [
    ("fault", "dependency", "a dependency has `failures` of its own: `dependencies: {NAME: {failures: [..]}}`"),
    ("dependency", "timeout", WHO_WAITS),
    ("dependency", "client", WHO_WAITS),
    ("dependency", "retry", WHO_WAITS),
    ("dependency", "retries", WHO_WAITS),
    ("dependency", "circuit_breaker", WHO_WAITS),
    ("call", "caller", "a caller calls, and nobody calls it"),
    ("call", "event_source_mapping", "a mapping polls: write the `queue`, `stream` or `broker` that it reads"),
    ("parallel calls", "times", IN_EACH),
    ("parallel calls", "timeout", IN_EACH),
    ("parallel calls", "client", IN_EACH),
    ("parallel calls", "on_failure", IN_EACH),
    ("parallel calls", "payload", IN_EACH),
    ("parallel calls", "keys", IN_EACH),
    ("parallel calls", "invocation", IN_EACH),
];
const IN_EACH: &str = "each of the calls in `parallel` has its own";
/// Keys of blocks in whose place their value alone is often written.
const LEADING: [&str; 3] = ["max_attempts", "per_call", "ratio"];
const WHO_WAITS: &str =
    "who calls says how long it waits and when it tries again: `calls: [{dependency: .., timeout: .., client: {..}}]`";

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
        if let Some(help) = of_other_sources(block, &entry.name).or_else(|| elsewhere(block, &entry.name)) {
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
            } else if let Some(help) = Some(()).filter(|()| meant.is_none()).and_then(|()| within(block, &entry.name)) {
                problem = problem.with_help(help);
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
            Kind::Scalar(_) => scalar::explain(node, shape).with_help_if(longer(node, shape, at)),
            Kind::Null => return self.empty(shape, false, at),
            Kind::List(_) | Kind::Map(_) => {
                let problem = Problem::new(ProblemKind::WrongType, place, format!("{} does not fit here", node.what()));
                problem.with_help_if(longer(node, shape, at))
            }
        };
        self.problems.push(problem.at_key(&at.path).with_expected(scalar::describe(shape)));
        resolved(node.place, at, Value::Bad)
    }

    /// Notes that a key has no value.
    pub(super) fn empty(&mut self, shape: &'static Shape, required: bool, at: &At) -> Resolved {
        let problem = Problem::new(ProblemKind::WrongType, at.label, format!("`{}` has no value", at.path));
        let helps = empty(shape, at.path.name()).into_iter().filter(|help| !required || help != LEAVE_OUT);
        let problem = helps.fold(problem, Problem::with_help);
        self.problems.push(problem.at_key(&at.path).with_expected(scalar::describe(shape)));
        resolved(at.label, at, Value::Bad)
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

/// What a key belongs to that others of the alternatives have.
fn goes_with(name: &str, among: &'static [Shape]) -> Option<String> {
    let owners = among.iter().filter_map(block_of).filter(|block| block.key(name).is_some());
    let cases = owners.map(|block| block.case).collect::<Vec<_>>();
    let cases = match cases.first()? {
        Some((key, "")) if *key == name => return None,
        Some((_, "")) => cases.into_iter().flatten().map(|(key, _)| format!("`{key}`")).collect(),
        Some((key, word)) => vec![format!("`{key}: {word}`")],
        None => {
            let owner = among.iter().filter_map(block_of).find(|block| block.key(name).is_some())?;
            return Some(format!("`{name}` is a key of {}: {}", a(owner.name), owner.doc));
        }
    };
    Some(format!("`{name}` goes with {}", either_of(&cases)))
}

/// What is said of keys that are found in other blocks.
fn elsewhere(block: &'static Block, name: &str) -> Option<String> {
    let found = ELSEWHERE.iter().find(|(noun, word, _)| *noun == block.name && *word == name);
    found.map(|(.., help)| (*help).to_owned())
}

/// What is said of a key that a block inside this one has.
fn within(block: &'static Block, name: &str) -> Option<String> {
    let blocks = |key: &Key| inner(key.shape).into_iter().map(|block| (key.name, block)).collect::<Vec<_>>();
    let near = block.keys.iter().flat_map(blocks).map(|(key, block)| (vec![key], block)).collect::<Vec<_>>();
    let far = near.iter().flat_map(|(path, block)| {
        let below = block.keys.iter().flat_map(blocks);
        below.map(|(key, block)| ([path.clone(), vec![key]].concat(), block))
    });
    let mut places = near.iter().cloned().chain(far.collect::<Vec<_>>());
    let word = |block: &'static Block| {
        let others = OTHER_WORDS.iter().filter(|(word, ..)| *word == name).map(|(_, key, differs)| (*key, *differs));
        let mut words =
            block.keys.iter().map(|key| key.name).filter(|key| *key == name).map(|key| (key, "")).chain(others);
        words.find(|(key, _)| block.key(key).is_some())
    };
    let found = places.find_map(|(path, block)| word(block).map(|word| (path, word)));
    found.map(|(path, (key, differs))| {
        let (open, close) = (path.join(": {"), "}".repeat(path.len()));
        let differs = if differs.is_empty() { String::new() } else { format!("; {differs}") };
        format!("write `{open}: {{{key}: ..{close}`{differs}")
    })
}

/// The blocks that a shape may be.
fn inner(shape: &'static Shape) -> Vec<&'static Block> {
    match shape {
        Shape::Either(shapes) => shapes.iter().filter_map(block_of).collect(),
        _ => block_of(shape).into_iter().collect(),
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

/// The keys of a block, after the keys that choose one of the alternatives.
fn names(block: &'static Block, among: &'static [Shape]) -> Vec<&'static str> {
    let mut names = Vec::new();
    let cases = among.iter().filter_map(block_of).filter_map(|block| block.case.map(|(key, _)| key));
    for name in cases.chain(block.keys.iter().map(|key| key.name)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn block_of(shape: &'static Shape) -> Option<&'static Block> {
    match shape {
        Shape::Block(block) | Shape::Short(_, _, block) => Some(block),
        _ => None,
    }
}

const LEAVE_OUT: &str = "leave the key out where its default will do";

/// What helps where a key has no value.
fn empty(shape: &'static Shape, name: Option<&str>) -> Vec<String> {
    let leave_out = LEAVE_OUT.to_owned();
    // An entry of a list has no default.
    let Some(name) = name else { return Vec::new() };
    if !takes_mapping(shape) {
        return vec![leave_out];
    }
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

/// What helps where a value stands in the place of a list or mapping that it belongs into.
fn longer(node: &Node, shape: &'static Shape, at: &At) -> Option<String> {
    let key = at.path.name();
    match (shape, &node.kind) {
        (Shape::List(of), Kind::Scalar(text)) => scalar::fits(node, of).then(|| format!("write a list: `[{text}]`")),
        (Shape::List(of), Kind::Map(entries)) if takes_mapping(of) && !entries.is_empty() => {
            Some("write a list: begin each of its entries with `- `, or write `[{..}]`".to_owned())
        }
        (Shape::List(_), Kind::Map(_)) => Some("an empty list is `[]`".to_owned()),
        (Shape::Whole(..), Kind::List(_)) if key == Some("parallel") => {
            Some("calls in `parallel` are side by side already: write all of them in one list".to_owned())
        }
        (Shape::Either(shapes), Kind::Scalar(text)) => {
            let block = shapes.iter().find_map(block_of)?;
            let defaults = block.keys.iter().all(|key| key.default != Default::Required);
            let on = defaults && matches!(&**text, "on" | "true" | "yes" | "default");
            let first = block_of(shapes.last()?)?.keys.iter().find(|key| LEADING.contains(&key.name));
            let key = key.unwrap_or("..");
            match first {
                Some(first) if scalar::fits(node, first.shape) => {
                    Some(format!("write `{key}: {{{}: {text}}}`", first.name))
                }
                _ => on.then(|| format!("write `{key}: {{}}` for its defaults")),
            }
        }
        (Shape::Block(block), Kind::Scalar(text)) => {
            let mut keys = block.keys.iter().filter(|key| scalar::has_word(key.shape, text));
            let only = keys.next().filter(|_| keys.next().is_none())?;
            Some(format!("write `{}: {{{}: {text}}}`", key.unwrap_or(".."), only.name))
        }
        _ => None,
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
