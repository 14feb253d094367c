//! The keys of a scenario: one table per block, from which everything that knows keys is made.
//!
//! Unknown keys, required keys, defaults, the JSON Schema, the reference and the resolved scenario all read these
//! tables; a default is written here and nowhere else. Reading order: this file, then [`tables`].

mod asynchronous;
mod caller;
mod calls;
mod client;
mod common;
mod distribution;
mod fault;
mod function;
mod mapping;
mod message;
mod places;
mod queue;
mod retry;
mod state_machine;
mod stream;
pub(crate) mod tables;
mod via;

pub(crate) use self::mapping::BY_SOURCE;
pub(crate) use self::via::{ASYNCHRONOUS, service_text};
use super::units;

/// A mapping with fixed keys.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its name in the schema and the reference.
    pub(crate) name: &'static str,
    /// One line on what it is.
    pub(crate) doc: &'static str,
    /// A key and word that choose this block among others.
    pub(crate) case: Option<(&'static str, &'static str)>,
    /// Its keys, in the order of the reference.
    pub(crate) keys: &'static [Key],
}

/// A key of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// How it is written.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) shape: &'static Shape,
    /// What holds where it is not written.
    pub(crate) default: Default,
    /// One line on what it does.
    pub(crate) doc: &'static str,
    /// The rules it sets, such as `INV-E5`.
    pub(crate) rule: &'static str,
}

/// What holds where a key is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// It must be written.
    Required,
    /// Nothing.
    Absent,
    /// The defaults of its own keys.
    Keys,
    /// This, as the scenario would write it.
    Is(&'static str),
    /// The first under `model.timing: ideal`, the second under `typical`.
    Timing(&'static str, &'static str),
    /// The first where another key has this word, else the second: nothing, if there is none.
    With((&'static str, &'static str), &'static str, Option<&'static str>),
    /// The first where another key has one of these words, or one of them as its key, or where the resource's `target` is
    /// a state machine; else the second.
    WithAny((&'static str, &'static [&'static str]), &'static str, &'static str),
    /// The name of the resource.
    OwnName,
    /// What another key of this shape says.
    As(&'static str),
}

/// What a key takes.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A duration between two bounds, in nanoseconds.
    Duration(u64, u64),
    /// Happenings per time.
    Rate,
    /// A size in bytes between two bounds.
    Size(u64, u64),
    /// Bytes a second, above zero.
    Throughput,
    /// Memory in MB of 2^20 bytes between two bounds.
    Memory(u64, u64),
    /// A share between two bounds, in parts of 10^12.
    Ratio(u64, u64),
    /// A whole number between two bounds.
    Whole(u64, u64),
    /// A whole number between two bounds, with or without what it counts: `3 receives`.
    Counted(u64, u64, &'static str),
    /// A number between two bounds.
    Real(f64, f64),
    /// A decimal number above zero that multiplies times.
    Scale,
    /// on or off.
    Switch,
    /// Any text that is not empty.
    Text,
    /// The name of the scenario.
    Name,
    /// The name of a resource of one of these kinds.
    Target(&'static [ResourceKind]),
    /// A submission: `4`, or `shoppers#4`.
    Event,
    /// The path of a file beside the scenario.
    File,
    /// One of these words.
    Words(&'static [Word]),
    /// A word for "no such thing": `none`, `off` or `unlimited`, with what it means.
    Without(&'static str, &'static str),
    /// A list.
    List(&'static Shape),
    /// A mapping with fixed keys.
    Block(&'static Block),
    /// A block, or in its place the value of one of its keys.
    Short(&'static str, &'static Shape, &'static Block),
    /// A mapping from names to blocks of this shape.
    Named(&'static Shape),
    /// A mapping with one of these keys.
    Tagged(&'static Union),
    /// The same, or one of the keys as a word, for its defaults.
    Variant(&'static Union),
    /// A mapping from `p0`..`p100` to values.
    Quantiles(&'static Shape),
    /// One of several.
    Either(&'static [Shape]),
    /// One of several blocks, chosen by the type of what the key `source` names.
    BySource(&'static [(SourceType, &'static Block)]),
    /// The first where another key of the block names one of these, else the second.
    When((&'static str, &'static [&'static str]), &'static Shape, &'static Shape),
    /// Any of the scenario's keys by their paths.
    Settings,
}

/// What the name of a resource can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    Function,
    Queue,
    Stream,
    Broker,
    Topic,
    EventBus,
    Bucket,
    StateMachine,
    Dependency,
    Mapping,
    Caller,
}

/// The types of sources: event source mappings of each have keys of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceType {
    Sqs,
    Kinesis,
    DynamoDb,
    Kafka,
    Mq,
    DocumentDb,
}

/// A mapping with one of several keys.
#[derive(Debug)]
pub(crate) struct Union {
    /// Its name in the schema and the reference.
    pub(crate) name: &'static str,
    /// One line on what it is.
    pub(crate) doc: &'static str,
    /// The keys to choose from.
    pub(crate) tags: &'static [Tag],
}

/// A key of a [`Union`].
#[derive(Debug)]
pub(crate) struct Tag {
    /// How it is written.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) shape: &'static Shape,
    /// One line on what it means.
    pub(crate) doc: &'static str,
}

/// A word and its meaning.
#[derive(Debug)]
pub(crate) struct Word {
    /// How it is written.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
}

impl ResourceKind {
    /// All kinds, in the order of the scenario's keys.
    pub(crate) const ALL: [Self; 11] = [
        Self::Function,
        Self::Queue,
        Self::Stream,
        Self::Broker,
        Self::Mapping,
        Self::Topic,
        Self::EventBus,
        Self::Bucket,
        Self::StateMachine,
        Self::Dependency,
        Self::Caller,
    ];

    /// What one of them is called.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Queue => "queue",
            Self::Stream => "stream",
            Self::Broker => "broker",
            Self::Topic => "topic",
            Self::EventBus => "event bus",
            Self::Bucket => "bucket",
            Self::StateMachine => "state machine",
            Self::Dependency => "dependency",
            Self::Mapping => "event source mapping",
            Self::Caller => "caller",
        }
    }

    /// The shortest description of one.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Function => "{duration: 100ms}",
            Self::Queue | Self::Stream | Self::Broker | Self::Topic | Self::EventBus | Self::Bucket => "{}",
            Self::StateMachine => "{start_at: .., states: {..}}",
            Self::Dependency => "{service_time: 20ms}",
            Self::Mapping => "{source: .., function: ..}",
            Self::Caller => "{target: .., arrivals: {..}}",
        }
    }

    /// The key of the scenario that holds them.
    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Function => "functions",
            Self::Queue => "queues",
            Self::Stream => "streams",
            Self::Broker => "brokers",
            Self::Topic => "topics",
            Self::EventBus => "event_buses",
            Self::Bucket => "buckets",
            Self::StateMachine => "state_machines",
            Self::Dependency => "dependencies",
            Self::Mapping => "event_source_mappings",
            Self::Caller => "callers",
        }
    }
}

impl SourceType {
    /// What its service is called.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::Sqs => "SQS",
            Self::Kinesis => "Kinesis",
            Self::DynamoDb => "DynamoDB",
            Self::Kafka => "Kafka",
            Self::Mq => "MQ",
            Self::DocumentDb => "DocumentDB",
        }
    }
}

/// Blocks are the same where they are the same table.
impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Block {
    /// The key of this name. YAML 1.1 writers turn `on` and `off` into `true` and `false`.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        let find = |name: &str| self.keys.iter().find(|key| key.name == name);
        find(name).or_else(|| match units::switch(name) {
            Ok(true) => find("on"),
            Ok(false) => find("off"),
            Err(_) => None,
        })
    }
}

impl Key {
    pub(crate) const fn new(name: &'static str, shape: &'static Shape, doc: &'static str) -> Self {
        Self { name, shape, default: Default::Absent, doc, rule: "" }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.default = Default::Required;
        self
    }

    pub(crate) const fn is(mut self, default: &'static str) -> Self {
        self.default = Default::Is(default);
        self
    }

    pub(crate) const fn timing(mut self, ideal: &'static str, typical: &'static str) -> Self {
        self.default = Default::Timing(ideal, typical);
        self
    }

    pub(crate) const fn keys(mut self) -> Self {
        self.default = Default::Keys;
        self
    }

    /// `then` where another key has a word, else `otherwise`.
    pub(crate) const fn with(
        mut self,
        other: (&'static str, &'static str),
        then: &'static str,
        otherwise: Option<&'static str>,
    ) -> Self {
        self.default = Default::With(other, then, otherwise);
        self
    }

    /// `then` where another key names one of these, else `otherwise`.
    pub(crate) const fn with_any(
        mut self,
        other: (&'static str, &'static [&'static str]),
        then: &'static str,
        otherwise: &'static str,
    ) -> Self {
        self.default = Default::WithAny(other, then, otherwise);
        self
    }

    pub(crate) const fn as_key(mut self, other: &'static str) -> Self {
        self.default = Default::As(other);
        self
    }

    pub(crate) const fn own_name(mut self) -> Self {
        self.default = Default::OwnName;
        self
    }

    pub(crate) const fn takes(mut self, shape: &'static Shape) -> Self {
        self.shape = shape;
        self
    }

    pub(crate) const fn says(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    pub(crate) const fn rule(mut self, rule: &'static str) -> Self {
        self.rule = rule;
        self
    }

    /// Whether `none` takes the setting away.
    pub(crate) fn removable(&self) -> bool {
        matches!(self.default, Default::Absent | Default::Is("[]" | "0") | Default::With(_, _, None) | Default::OwnName)
    }
}
