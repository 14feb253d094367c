//! The tree as the key tables read it: every value checked, every default filled in, every problem noted.

use std::sync::Arc;

use super::error::{Place, Problem, ProblemKind, Problems, did_you_mean, quote};
use super::keys::{Block, Default, Key, Shape, Union};
pub(crate) use super::path::Path;
use super::refuse;
use super::scalar::{self, Leaf};
use super::sources::Sources;
use super::tree::{Entry, Kind, Node};

/// Most resources of a kind, and most changes: far beyond use, but a file of nothing else is answered quickly.
pub(crate) const NAMED_MAX: usize = 10_000;

/// A value that the tables accept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolved {
    /// What to underline when something is wrong with it.
    pub(crate) place: Place,
    /// Its key path.
    pub(crate) path: Path,
    /// Who wrote it.
    pub(crate) origin: Origin,
    /// What it is.
    pub(crate) value: Value,
}

/// Who wrote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The scenario file.
    File,
    /// A `--set`.
    Override,
    /// The key table, by this rule.
    Default(&'static str),
    /// The key table, under `model.timing: typical`.
    Typical(&'static str),
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A problem has been noted.
    Bad,
    /// Not there: `none`, `off`, `unlimited`, or an optional key that is not written.
    Without(&'static str),
    /// A scalar and its text.
    Leaf(Leaf, Arc<str>),
    /// One of a key's words.
    Word(&'static str),
    /// A list.
    List(Vec<Resolved>),
    /// A block with all of its keys, in the order of the table.
    Block(&'static Block, Vec<Resolved>),
    /// Names and blocks, in the order of the file.
    Named(Vec<Named>),
    /// The chosen key of a union.
    Tagged(&'static str, Box<Resolved>),
    /// Quantiles in percent, rising.
    Quantiles(Vec<(Arc<str>, Resolved)>),
    /// Paths and values that a change sets.
    Settings(Vec<Entry>),
}

/// A resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Where the name is written.
    pub(crate) place: Place,
    /// Its block.
    pub(crate) block: Resolved,
}

/// Where a value stands, for messages about it.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) path: Path,
    /// The place for problems of a whole list or mapping: its key.
    pub(super) label: Place,
    pub(super) origin: Origin,
    /// The alternatives that the value's shape was chosen from.
    pub(super) among: &'static [Shape],
}

/// Walks the tree.
#[derive(Debug)]
pub(crate) struct Resolver<'p> {
    /// Whether `model.timing` is `typical`.
    pub(crate) typical: bool,
    /// What the sources of mappings are.
    pub(crate) sources: &'p Sources,
    /// What is wrong.
    pub(crate) problems: &'p mut Problems,
}

impl Resolver<'_> {
    /// The whole file.
    pub(crate) fn root(&mut self, node: &Node, block: &'static Block) -> Resolved {
        let at = At {
            path: Path::ROOT,
            label: Place { end: node.place.start, ..node.place },
            origin: Origin::File,
            among: &[],
        };
        self.block(node, block, &at)
    }

    /// The value of one key, for a part of the file that is read again.
    pub(crate) fn value(&mut self, entry: &Entry, shape: &'static Shape, path: Path) -> Resolved {
        let label = if entry.value.place.source == entry.place.source { entry.place } else { entry.value.place };
        self.any(&entry.value, shape, &At { path, label, origin: written(entry.value.place), among: &[] })
    }

    fn any(&mut self, node: &Node, shape: &'static Shape, at: &At) -> Resolved {
        match (shape, &node.kind) {
            (Shape::Either(shapes), _) => self.either(node, shapes, shape, at),
            (Shape::When(_, _, otherwise), _) => self.any(node, otherwise, at),
            (Shape::Short(key, of, block), Kind::Scalar(_)) => match scalar::read(node, of) {
                Ok(_) => {
                    let place = node.place;
                    let entry = Entry { name: (*key).into(), place, value: node.clone() };
                    self.block(&Node { place, kind: Kind::Map(vec![entry]) }, block, at)
                }
                Err(_) => self.wrong(node, shape, at),
            },
            (Shape::Block(block) | Shape::Short(_, _, block), Kind::Map(_)) => self.block(node, block, at),
            (Shape::BySource(blocks), Kind::Map(_)) => self.by_source(node, blocks, at),
            (Shape::Named(of), Kind::Map(entries)) => self.named(entries, of, at),
            (Shape::Tagged(union) | Shape::Variant(union), Kind::Map(entries)) => self.tagged(entries, union, at),
            (Shape::Variant(union), Kind::Scalar(_)) if scalar::fits(node, shape) => self.variant(node, union, at),
            (Shape::Quantiles(of), Kind::Map(entries)) => self.quantiles(entries, of, at),
            (Shape::Settings, Kind::Map(entries)) => resolved(node.place, at, Value::Settings(entries.clone())),
            (Shape::List(of), Kind::List(items)) => self.list(node.place, items, of, at),
            (_, Kind::Scalar(_)) => match scalar::read(node, shape) {
                Ok(value) => resolved(node.place, at, value),
                Err(_) => self.wrong(node, shape, at),
            },
            (_, Kind::Null | Kind::List(_) | Kind::Map(_)) => self.wrong(node, shape, at),
        }
    }

    /// The alternative that fits the form of what is written.
    fn either(&mut self, node: &Node, shapes: &'static [Shape], whole: &'static Shape, at: &At) -> Resolved {
        match &node.kind {
            Kind::Scalar(_) => {
                let fits = shapes.iter().find(|shape| scalar::fits(node, shape));
                match fits {
                    Some(shape) => self.any(node, shape, at),
                    None => self.wrong(node, whole, at),
                }
            }
            Kind::Map(entries) => {
                let mut best: Option<(i64, &'static Shape)> = None;
                for shape in shapes {
                    if let Some(score) = affinity(shape, entries)
                        && best.is_none_or(|(most, _)| score > most)
                    {
                        best = Some((score, shape));
                    }
                }
                match best {
                    Some((_, shape)) => self.any(node, shape, &At { among: shapes, ..at.clone() }),
                    None => self.wrong(node, whole, at),
                }
            }
            Kind::List(_) => {
                let fits = shapes.iter().find(|shape| matches!(shape, Shape::List(_)));
                match fits {
                    Some(shape) => self.any(node, shape, at),
                    None => self.wrong(node, whole, at),
                }
            }
            Kind::Null => self.wrong(node, whole, at),
        }
    }

    fn list(&mut self, place: Place, items: &[Node], of: &'static Shape, at: &At) -> Resolved {
        let items = items.iter().enumerate().map(|(index, item)| {
            let at = At {
                path: at.path.index(index),
                label: item.place,
                origin: inherit(at.origin, item.place),
                among: &[],
            };
            self.any(item, of, &at)
        });
        let items = items.collect();
        resolved(place, at, Value::List(items))
    }

    pub(super) fn block(&mut self, node: &Node, block: &'static Block, at: &At) -> Resolved {
        let Kind::Map(entries) = &node.kind else { return self.wrong(node, &Shape::Settings, at) };
        let found = entries.iter().map(|entry| block.key(&entry.name)).collect::<Vec<_>>();
        let mut misspelt = Vec::new();
        for (entry, _) in entries.iter().zip(&found).filter(|(_, key)| key.is_none()) {
            misspelt.extend(self.unknown_key(entry, entries, block, at));
        }
        let choices = refuse::choices(block, at.among);
        // An unknown key may be meant for any of those of which one must be written.
        let unclear = |name: &str| choices.len() > 1 && choices.contains(&name) && found.iter().any(Option::is_none);
        let fields = block.keys.iter().map(|key| {
            let index = found.iter().position(|found| found.is_some_and(|found| found.name == key.name));
            let meant = misspelt.contains(&key.name) || unclear(key.name);
            if index.is_none() && key.default == Default::Required && meant {
                return resolved(at.label, at, Value::Bad);
            }
            self.field(index.map(|index| &entries[index]), key, block, entries, at)
        });
        let fields = fields.collect();
        resolved(at.label, at, Value::Block(block, fields))
    }

    /// The value of a key; `entries` are all of the block.
    fn field(
        &mut self,
        entry: Option<&Entry>,
        key: &'static Key,
        block: &'static Block,
        entries: &[Entry],
        at: &At,
    ) -> Resolved {
        let path = at.path.key(key.name);
        if let Some(entry) = entry {
            let origin = inherit(at.origin, entry.value.place);
            let crossed = entry.value.place.source != entry.place.source;
            let label = if crossed { entry.value.place } else { entry.place };
            let at = At { path, label, origin, among: &[] };
            if key.removable() && entry.value.text() == Some("none") && !scalar::has_word(key.shape, "none") {
                return self.default(key, block, entries, &At { origin, ..at }).written_at(entry.value.place, origin);
            }
            if matches!(entry.value.kind, Kind::Null) {
                return self.empty(chosen(key.shape, entries), key.default == Default::Required, &at);
            }
            return self.any(&entry.value, chosen(key.shape, entries), &at);
        }
        self.default(key, block, entries, &At { path, origin: Origin::Default(key.rule), ..at.clone() })
    }

    fn default(&mut self, key: &'static Key, block: &'static Block, entries: &[Entry], at: &At) -> Resolved {
        let typical = self.typical;
        let has = |(other, word): (&str, &str)| {
            entries.iter().any(|entry| &*entry.name == other && entry.value.text() == Some(word))
        };
        let (text, origin) = match key.default {
            Default::Required => {
                self.missing_key(key, block, at);
                return resolved(at.label, at, Value::Bad);
            }
            Default::WithAny((other, words), then, otherwise) => {
                let then_holds = names(entries, other, words) || self.targets_machine(entries);
                (if then_holds { then } else { otherwise }, Origin::Default(key.rule))
            }
            Default::With(other, text, _) if has(other) => (text, Origin::Default(key.rule)),
            Default::Absent | Default::With(_, _, None) => return resolved(at.label, at, Value::Without("none")),
            Default::OwnName => {
                let name = at.path.parent_name().unwrap_or_default();
                return resolved(at.label, at, Value::Leaf(Leaf::Text, name.into()));
            }
            Default::Keys => ("{}", Origin::Default(key.rule)),
            Default::As(other) => match entries.iter().find(|entry| &*entry.name == other) {
                Some(entry) => return self.same_as(entry, key, at),
                None => ("{}", Origin::Default(key.rule)),
            },
            Default::Timing(_, text) if typical => (text, Origin::Typical(key.rule)),
            Default::Is(text) | Default::Timing(text, _) | Default::With(_, _, Some(text)) => {
                (text, Origin::Default(key.rule))
            }
        };
        let mut unused = Problems::default();
        match super::tree::read(text, 0, 0, &mut unused) {
            Ok(node) => {
                self.any(&node.moved_to(at.label), chosen(key.shape, entries), &At { origin, among: &[], ..at.clone() })
            }
            Err(problem) => unreachable!("the default of {} is not YAML: {problem:?}", key.name),
        }
    }

    /// What another key says, for a key of the same shape; what is wrong with it is noted there.
    fn same_as(&mut self, other: &Entry, key: &'static Key, at: &At) -> Resolved {
        let mut noted = Problems::default();
        let mut resolver = Resolver { typical: self.typical, sources: self.sources, problems: &mut noted };
        let at = At { origin: Origin::Default(key.rule), among: &[], ..at.clone() };
        let value = resolver.any(&other.value, key.shape, &at);
        if noted.is_empty() { value } else { resolved(at.label, &at, Value::Bad) }
    }

    fn named(&mut self, entries: &[Entry], of: &'static Shape, at: &At) -> Resolved {
        if entries.len() > NAMED_MAX {
            let message = format!("`{}` has {} entries", at.path, entries.len());
            let problem = Problem::new(ProblemKind::Limit, at.label, message).at_key(&at.path);
            self.problems.push(problem.with_expected(format!("at most {NAMED_MAX}")));
            return resolved(at.label, at, Value::Bad);
        }
        let mut items = Vec::new();
        for entry in entries {
            let path = at.path.key(&entry.name);
            if let Err(problem) = scalar::check_name(&entry.name) {
                let problem = Problem::new(ProblemKind::InvalidValue, entry.place, problem);
                self.problems.push(problem.at_key(&path).with_expected(scalar::NAMES));
                continue;
            }
            if !entry.place.in_file() && self.dangling_override(entry, entries, of, &path) {
                continue;
            }
            let resolved = self.value(entry, of, path);
            items.push(Named { name: entry.name.clone(), place: entry.place, block: resolved });
        }
        resolved(at.label, at, Value::Named(items))
    }

    fn tagged(&mut self, entries: &[Entry], union: &'static Union, at: &At) -> Resolved {
        let find = |entry: &Entry| union.tags.iter().find(|tag| tag.name == &*entry.name);
        let expected = refuse::one_of(&union.tags.iter().map(|tag| tag.name).collect::<Vec<_>>());
        let before = self.problems.len();
        for entry in entries.iter().filter(|entry| find(entry).is_none()) {
            self.problems.push(
                Problem::new(ProblemKind::UnknownKey, entry.place, format!("unknown key {}", quote(&entry.name)))
                    .at_key(at.path.key(&entry.name))
                    .with_expected(expected.clone())
                    .with_help_if(did_you_mean(&entry.name, union.tags.iter().map(|tag| tag.name))),
            );
        }
        let mut chosen = entries.iter().filter_map(|entry| find(entry).map(|tag| (entry, tag)));
        let Some((entry, tag)) = chosen.next() else {
            if self.problems.len() == before {
                let message = format!("{} says nothing", quote(&at.path.to_string()));
                let problem = Problem::new(ProblemKind::MissingKey, at.label, message).at_key(&at.path);
                self.problems.push(problem.with_expected(expected));
            }
            return resolved(at.label, at, Value::Bad);
        };
        for (other, _) in chosen {
            let problem = refuse::exclude_each_other(entry, other, at);
            self.problems.push(problem.with_expected(expected.clone()));
        }
        let label = if entry.value.place.source == entry.place.source { entry.place } else { entry.value.place };
        let origin = inherit(at.origin, entry.value.place);
        let inner = At { path: at.path.key(tag.name), label, origin, among: &[] };
        let inner = self.any(&entry.value, tag.shape, &inner);
        resolved(at.label, at, Value::Tagged(tag.name, Box::new(inner)))
    }

    /// A key of a union as a word: with its defaults, or itself where it has nothing to set.
    fn variant(&mut self, node: &Node, union: &'static Union, at: &At) -> Resolved {
        let text = node.text().unwrap_or_default();
        let tag = union.tags.iter().find(|tag| tag.name == text);
        match tag {
            Some(tag) if matches!(tag.shape, Shape::Block(Block { keys: [], .. })) => {
                resolved(node.place, at, Value::Word(tag.name))
            }
            _ => {
                let value = Node { place: node.place, kind: Kind::Map(Vec::new()) };
                let at = At { label: node.place, ..at.clone() };
                self.tagged(&[Entry { name: text.into(), place: node.place, value }], union, &at)
            }
        }
    }

    fn quantiles(&mut self, entries: &[Entry], of: &'static Shape, at: &At) -> Resolved {
        let mut points = Vec::new();
        for entry in entries {
            let path = at.path.key(&entry.name);
            if scalar::quantile(&entry.name).is_none() {
                self.problems.push(
                    Problem::new(
                        ProblemKind::UnknownKey,
                        entry.place,
                        format!("{} is no quantile", quote(&entry.name)),
                    )
                    .at_key(path)
                    .with_expected("`p0` to `p100`, such as `p50` or `p99.9`"),
                );
                continue;
            }
            let origin = inherit(at.origin, entry.value.place);
            let inner = At { path, label: entry.place, origin, among: &[] };
            points.push((entry.name.clone(), self.any(&entry.value, of, &inner)));
        }
        resolved(at.label, at, Value::Quantiles(points))
    }
}

impl Resolved {
    fn written_at(self, place: Place, origin: Origin) -> Self {
        Self { place, origin, ..self }
    }

    /// What one step of a key path leads to.
    pub(crate) fn step(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Block(block, fields) => fields.get(block.keys.iter().position(|key| key.name == name)?),
            Value::List(items) => items.get(name.parse::<usize>().ok()?),
            Value::Named(items) => items.iter().find(|item| &*item.name == name).map(|item| &item.block),
            Value::Tagged(tag, inner) => Some(&**inner).filter(|_| *tag == name),
            Value::Quantiles(points) => points.iter().find(|(point, _)| &**point == name).map(|(_, value)| value),
            Value::Bad | Value::Without(_) | Value::Leaf(..) | Value::Word(_) | Value::Settings(_) => None,
        }
    }

    /// Whether the scenario or a `--set` wrote it.
    pub(crate) fn is_written(&self) -> bool {
        matches!(self.origin, Origin::File | Origin::Override)
    }
}

pub(super) fn resolved(place: Place, at: &At, value: Value) -> Resolved {
    Resolved { place, path: at.path.clone(), origin: at.origin, value }
}

/// The shape that a key has beside these.
#[allow(clippy::wildcard_enum_match_arm, reason = "no other shape is chosen by another key")]
fn chosen(shape: &'static Shape, entries: &[Entry]) -> &'static Shape {
    match shape {
        Shape::When((other, words), then, otherwise) => {
            if names(entries, other, words) {
                then
            } else {
                otherwise
            }
        }
        _ => shape,
    }
}

/// Whether a key names one of these words.
fn names(entries: &[Entry], key: &str, words: &[&str]) -> bool {
    let entry = entries.iter().find(|entry| &*entry.name == key);
    entry.is_some_and(|entry| words.iter().any(|word| entry.value.names(word)))
}

/// The file or a `--set`, by the place.
fn written(place: Place) -> Origin {
    if place.in_file() { Origin::File } else { Origin::Override }
}

/// What is inside a default is a default.
fn inherit(outer: Origin, place: Place) -> Origin {
    match outer {
        Origin::File | Origin::Override => written(place),
        Origin::Default(_) | Origin::Typical(_) => outer,
    }
}

/// How well a mapping fits a shape; `None` where it cannot.
#[allow(clippy::wildcard_enum_match_arm, reason = "no other shape takes a mapping")]
fn affinity(shape: &Shape, entries: &[Entry]) -> Option<i64> {
    let block = match shape {
        Shape::Block(block) | Shape::Short(_, _, block) => block,
        Shape::Tagged(_) | Shape::Variant(_) | Shape::Named(_) | Shape::Quantiles(_) | Shape::Settings => {
            return Some(0);
        }
        _ => return None,
    };
    let known = entries.iter().filter(|entry| block.key(&entry.name).is_some()).count();
    let case = block.case.map_or(0, |(key, word)| {
        let entry = entries.iter().find(|entry| &*entry.name == key);
        match entry {
            Some(entry) if word.is_empty() || entry.value.text() == Some(word) => 100,
            Some(_) | None => -1,
        }
    });
    Some(2 * i64::try_from(known).unwrap_or(i64::MAX / 4) + case)
}

/// `a function`, `an account`.
pub(crate) fn a(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o']) || noun.starts_with("SQS") || noun.starts_with("MQ");
    let article = if vowel { "an" } else { "a" };
    let plural = noun.ends_with('s') && !noun.ends_with("ss") && !noun.ends_with("us");
    if plural { noun.to_owned() } else { format!("{article} {noun}") }
}

/// `a function lacks`, `users lack`.
pub(super) fn lacks(noun: &str) -> String {
    let who = a(noun);
    if who == noun { format!("{who} lack") } else { format!("{who} lacks") }
}
