//! From resolved values to the typed [`Scenario`]: names bound, combinations checked.
//!
//! Every reader gives `None` where a problem has been noted already; what needs several values is checked where all
//! of them are there. Reading order: this file, then [`names`], [`function`], [`asynchronous`], [`queue`], [`stream`],
//! [`mapping`], [`retry`], [`places`], [`state_machine`], [`fault`], [`caller`], [`message`], [`calls`], [`called`],
//! [`client`], [`distribution`], [`table`], [`checks`], [`timeouts`], [`changes`].

mod asynchronous;
mod called;
mod caller;
mod calls;
pub(crate) mod changes;
mod checks;
pub(crate) mod client;
mod distribution;
mod fault;
mod function;
mod mapping;
mod message;
mod names;
mod passage;
mod places;
mod queue;
mod retry;
mod state_machine;
mod stream;
mod table;
mod timeouts;
mod via;

use std::collections::BTreeSet;
use std::path::Path as FilePath;

pub(crate) use self::names::{ErrorNames, Names, StateNames, groups};
use super::error::{Problem, ProblemKind, Problems};
use super::resolve::{Named, Resolved, Value};
use super::scalar::Leaf;
use super::tree::Entry;
use super::{Drain, PriceOptions, Scenario};
use crate::aws::config::{Account, Refill, Scaling, System};
use crate::aws::ids::Table;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::{SimDuration, SimTime};

/// Builds typed values and notes what does not go together.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    /// What the names are.
    pub(crate) names: Names,
    /// What errors are called.
    pub(crate) errors: ErrorNames,
    /// What states are called.
    pub(crate) states: StateNames,
    /// Where files are looked up.
    pub(crate) base: &'a FilePath,
    /// Files that have been read.
    pub(crate) files: BTreeSet<String>,
    /// What is wrong.
    pub(crate) problems: &'a mut Problems,
}

impl Builder<'_> {
    /// The whole scenario, but for what the caller of [`super::parse`] knows better.
    #[allow(clippy::too_many_lines, reason = "a line or two for each group of resources")]
    pub(crate) fn scenario(&mut self, root: &Resolved) -> Option<Scenario> {
        let duration = root.field("duration").duration();
        let warmup = root.field("warmup").duration();
        if let (Some(duration), Some(warmup)) = (duration, warmup)
            && warmup >= duration
        {
            self.contradiction(root.field("warmup"), "`warmup` is not shorter than `duration`", |problem| {
                problem.with_expected("less than `duration`").with_help("nothing would be measured")
            });
        }
        let account = account(root.field("account"));
        let prices = prices(root.field("prices"));
        let functions = root.field("functions").named().iter().enumerate();
        let functions = functions.map(|(index, named)| self.function(index, named)).collect::<Vec<_>>();
        let callers = root.field("callers").named().iter().enumerate();
        let callers = callers.map(|(index, named)| self.caller(index, named)).collect::<Vec<_>>();
        let queues = root.field("queues").named().iter().enumerate();
        let queues = queues.map(|(index, named)| self.queue(index, named)).collect::<Vec<_>>();
        let streams = root.field("streams").named().iter().enumerate();
        let streams = streams.map(|(index, named)| self.stream(index, named)).collect::<Vec<_>>();
        let brokers = root.field("brokers").named().iter().enumerate();
        let brokers = brokers.map(|(index, named)| self.broker(index, named)).collect::<Vec<_>>();
        let dependencies = root.field("dependencies").named().iter().enumerate();
        let dependencies = dependencies.map(|(index, named)| self.dependency(index, named)).collect::<Vec<_>>();
        let mappings = root.field("event_source_mappings").named().iter().enumerate();
        let mappings = mappings.map(|(index, named)| self.mapping(index, named)).collect::<Vec<_>>();
        let machines = root.field("state_machines").named().iter().enumerate();
        let machines = machines.map(|(index, named)| self.state_machine(index, named)).collect::<Vec<_>>();
        let topics = root.field("topics").named().iter().enumerate();
        let topics = topics.map(|(index, named)| self.topic(index, named)).collect::<Vec<_>>();
        let event_buses = root.field("event_buses").named().iter().enumerate();
        let event_buses = event_buses.map(|(index, named)| self.event_bus(index, named)).collect::<Vec<_>>();
        let buckets = root.field("buckets").named().iter().enumerate();
        let buckets = buckets.map(|(index, named)| self.bucket(index, named)).collect::<Vec<_>>();
        let faults = root.field("faults").list().iter().map(|fault| self.fault(fault)).collect::<Vec<_>>();
        let drain = root.field("drain");
        let drain = match drain.word() {
            Some(_) => Some(Drain::Settle),
            None => drain.duration().map(Drain::AtMost),
        };
        let expectations = root.field("expect").list().iter().map(Resolved::text);
        Some(Scenario {
            expectations: expectations.collect::<Option<_>>()?,
            name: root.field("name").text()?,
            description: root.field("description").optional(Resolved::text)?,
            sha256: String::new(),
            overrides: Vec::new(),
            files: Vec::new(),
            seed: root.field("seed").whole()?,
            duration: SimTime::from_nanos(duration?.as_nanos()),
            warmup: SimTime::from_nanos(warmup?.as_nanos()),
            drain: drain?,
            event_budget: root.field("model").field("event_budget").whole()?,
            prices: prices?,
            system: System {
                account: account?,
                functions: functions.into_iter().collect::<Option<_>>()?,
                callers: callers.into_iter().collect::<Option<_>>()?,
                queues: queues.into_iter().collect::<Option<_>>()?,
                streams: streams.into_iter().collect::<Option<_>>()?,
                brokers: brokers.into_iter().collect::<Option<_>>()?,
                event_source_mappings: mappings.into_iter().collect::<Option<_>>()?,
                topics: topics.into_iter().collect::<Option<_>>()?,
                event_buses: event_buses.into_iter().collect::<Option<_>>()?,
                buckets: buckets.into_iter().collect::<Option<_>>()?,
                state_machines: machines.into_iter().collect::<Option<_>>()?,
                dependencies: dependencies.into_iter().collect::<Option<_>>()?,
                errors: Table::new(),
                state_names: Table::new(),
                faults: faults.into_iter().collect::<Option<_>>()?,
                changes: Vec::new(),
            },
        })
    }

    /// `from` and `until`.
    fn window(&mut self, block: &Resolved) -> Option<(Option<SimTime>, Option<SimTime>)> {
        let from = block.field("from").optional(Resolved::moment)?;
        let until = block.field("until").optional(Resolved::moment)?;
        if let (Some(start), Some(end)) = (from, until)
            && start >= end
        {
            self.contradiction(block.field("until"), "`until` is not later than `from`", |problem| {
                problem.with_expected("a moment after `from`")
            });
            return None;
        }
        Some((from, until))
    }

    /// Notes that values do not go together.
    fn contradiction(&mut self, value: &Resolved, message: impl Into<String>, more: impl FnOnce(Problem) -> Problem) {
        let problem = Problem::new(ProblemKind::Contradiction, value.place, message).at_key(&value.path);
        self.problems.push(more(problem));
    }
}

/// The account's limits.
pub(crate) fn account(block: &Resolved) -> Option<Account> {
    let scaling = block.field("scaling");
    let scaling = if scaling.is_without() {
        Scaling::Off
    } else if scaling.field("model").word()? == "per_function" {
        Scaling::PerFunction {
            environments: scaling.field("environments").count()?,
            every: scaling.field("every").duration()?,
            refill: if scaling.field("refill").word()? == "lump" { Refill::Lump } else { Refill::Continuous },
            request_rate: scaling.field("request_rate").switch()?,
        }
    } else {
        Scaling::LegacyBurst {
            burst: scaling.field("burst").count()?,
            per_minute: scaling.field("per_minute").count()?,
        }
    };
    Some(Account {
        concurrency_limit: block.field("concurrency_limit").count()?,
        scaling,
        request_rate_limit: block.field("request_rate_limit").switch()?,
        request_rate_bucket: block.field("request_rate_bucket").duration()?,
        caller_rate_limit: block.field("caller_rate_limit").optional(Resolved::rate)?,
        configuration_propagation: block.field("configuration_propagation").duration()?,
    })
}

fn prices(block: &Resolved) -> Option<PriceOptions> {
    Some(PriceOptions {
        free_tier: block.field("free_tier").switch()?,
        savings_plan: block.field("savings_plan").ratio()?,
        init_billed: block.field("init").word()? == "billed",
        failed_init_billed: block.field("failed_init").word()? == "billed",
    })
}

/// Readers of resolved values. The shapes of the tables say what a value is; a reader that asks for something else is
/// a mistake of this program, but for values that are bad and have been reported.
impl Resolved {
    /// The value of a key of this block.
    pub(crate) fn field(&self, name: &str) -> &Self {
        // What is inside a bad value is bad.
        let Value::Block(block, fields) = &self.value else { return self };
        let index = block.keys.iter().position(|key| key.name == name);
        &fields[index.unwrap_or_else(|| unreachable!("{} has no key {name}", block.name))]
    }

    /// The block has this key.
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(&self.value, Value::Block(block, _) if block.key(name).is_some())
    }

    /// The value of a key that not all blocks of this sort have; `None` of a bad block too.
    pub(crate) fn if_has(&self, name: &str) -> Option<&Self> {
        self.has(name).then(|| self.field(name))
    }

    fn leaf(&self) -> Option<&Leaf> {
        if let Value::Leaf(leaf, _) = &self.value { Some(leaf) } else { None }
    }

    /// A duration.
    pub(crate) fn duration(&self) -> Option<SimDuration> {
        if let Leaf::Duration(value) = self.leaf()? { Some(*value) } else { None }
    }

    /// A moment, counted from the start of the run.
    pub(crate) fn moment(&self) -> Option<SimTime> {
        self.duration().map(|since| SimTime::from_nanos(since.as_nanos()))
    }

    /// A rate.
    pub(crate) fn rate(&self) -> Option<Rate> {
        if let Leaf::Rate(value) = self.leaf()? { Some(*value) } else { None }
    }

    /// A share.
    pub(crate) fn ratio(&self) -> Option<Ratio> {
        if let Leaf::Ratio(value) = self.leaf()? { Some(*value) } else { None }
    }

    /// A whole number, or a size.
    pub(crate) fn whole(&self) -> Option<u64> {
        if let Leaf::Whole(value) | Leaf::Size(value) = self.leaf()? { Some(*value) } else { None }
    }

    /// A whole number that the tables bound to 32 bits.
    pub(crate) fn count(&self) -> Option<u32> {
        self.whole().and_then(|value| u32::try_from(value).ok())
    }

    /// A number.
    pub(crate) fn real(&self) -> Option<f64> {
        if let Leaf::Real(value) = self.leaf()? { Some(*value) } else { None }
    }

    /// A number that the table bounds to 1000, as parts of 10^12.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the tables bound it from 0 to 1000")]
    pub(crate) fn factor_parts(&self) -> Option<u64> {
        self.real().map(|factor| (factor * Ratio::PARTS as f64).round() as u64)
    }

    /// on or off.
    pub(crate) fn switch(&self) -> Option<bool> {
        if let Leaf::Switch(value) = self.leaf()? { Some(*value) } else { None }
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<String> {
        if let Value::Leaf(Leaf::Text | Leaf::Target(_), text) = &self.value { Some(text.to_string()) } else { None }
    }

    /// A word of the key.
    pub(crate) fn word(&self) -> Option<&'static str> {
        if let Value::Word(word) = self.value { Some(word) } else { None }
    }

    /// The items of a list; none of a bad one.
    pub(crate) fn list(&self) -> &[Self] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The resources of a group; none of a bad one.
    pub(crate) fn named(&self) -> &[Named] {
        if let Value::Named(items) = &self.value { items } else { &[] }
    }

    /// The settings of a change.
    pub(crate) fn settings(&self) -> &[Entry] {
        if let Value::Settings(entries) = &self.value { entries } else { &[] }
    }

    /// Whether it is not there.
    pub(crate) fn is_without(&self) -> bool {
        matches!(self.value, Value::Without(_))
    }

    /// Whether a problem has been noted.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self.value, Value::Bad)
    }

    /// What is there, or nothing; `None` where it is bad.
    #[allow(clippy::option_option, reason = "the outer one is for values that cannot be read")]
    pub(crate) fn optional<T>(&self, read: impl FnOnce(&Self) -> Option<T>) -> Option<Option<T>> {
        if self.is_without() { Some(None) } else { read(self).map(Some) }
    }
}
