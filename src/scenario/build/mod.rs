//! From resolved values to the typed [`Scenario`]: names bound, combinations checked.
//!
//! Every reader gives `None` where a problem has been noted already; what needs several values is checked where all
//! of them are there. Reading order: this file, then [`function`], [`caller`], [`client`], [`distribution`],
//! [`table`], [`checks`], [`changes`].

mod caller;
pub(crate) mod changes;
mod checks;
pub(crate) mod client;
mod distribution;
mod function;
mod table;

use std::path::Path as FilePath;
use std::sync::Arc;

use super::error::{Place, Problem, ProblemKind, Problems, did_you_mean, quote};
use super::resolve::{Named, Resolved, Value};
use super::scalar::Leaf;
use super::tree::Entry;
use super::{Drain, PriceOptions, Scenario};
use crate::aws::config::{Account, Fault, Refill, Scaling, System};
use crate::aws::ids::{CallerId, FunctionId, Id};
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::{SimDuration, SimTime};

/// The names that other values refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Functions by id, with their places and order.
    pub(crate) functions: Vec<Name>,
    /// Callers by id, with their places and order.
    pub(crate) callers: Vec<Name>,
}

/// A resource's name.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    place: Place,
    order: u32,
}

/// Builds typed values and notes what does not go together.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    /// What the names are.
    pub(crate) names: Names,
    /// Where files are looked up.
    pub(crate) base: &'a FilePath,
    /// What is wrong.
    pub(crate) problems: &'a mut Problems,
}

impl Names {
    /// The names of a resolved file; a name that is used twice is a problem.
    pub(crate) fn of(root: &Resolved, problems: &mut Problems) -> Self {
        let mut names = Self::default();
        let mut seen: Vec<(&Named, &str)> = Vec::new();
        let mut order = 0;
        for group in groups(root) {
            for named in group.named() {
                let group = group.path.to_string();
                if let Some((first, other)) = seen.iter().find(|(other, _)| other.name == named.name) {
                    let message = format!("{} names two things", quote(&named.name));
                    problems.push(
                        Problem::new(ProblemKind::Duplicate, named.place, message)
                            .at_key(&named.block.path)
                            .with_expected("a name that nothing else has")
                            .with_related(first.place, format!("also in `{other}`"))
                            .with_help("targets are plain names, so each name stands for one thing"),
                    );
                }
                let functions = group == "functions";
                seen.push((named, if functions { "functions" } else { "callers" }));
                let name = Name { text: named.name.clone(), place: named.place, order };
                order += 1;
                if functions { names.functions.push(name) } else { names.callers.push(name) }
            }
        }
        names
    }
}

/// The groups of resources, in file order.
pub(crate) fn groups(root: &Resolved) -> Vec<&Resolved> {
    let mut groups = vec![root.field("functions"), root.field("callers")];
    // A group that is not written has no name, and its place does not matter.
    groups.sort_by_key(|group| (group.place.source, group.place.start));
    groups
}

impl Builder<'_> {
    /// The whole scenario, but for what the caller of [`super::parse`] knows better.
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
        let faults = root.field("faults").list().iter().map(|fault| self.fault(fault)).collect::<Vec<_>>();
        let drain = root.field("drain");
        let drain = match &drain.value {
            Value::Word(_) => Some(Drain::Settle),
            _ => drain.duration().map(Drain::AtMost),
        };
        let expectations = root.field("expect").list().iter().map(Resolved::text);
        Some(Scenario {
            expectations: expectations.collect::<Option<_>>()?,
            name: root.field("name").text()?,
            description: root.field("description").optional(Resolved::text)?,
            sha256: String::new(),
            overrides: Vec::new(),
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
                faults: faults.into_iter().collect::<Option<_>>()?,
                changes: Vec::new(),
            },
        })
    }

    fn fault(&mut self, fault: &Resolved) -> Option<Fault> {
        let function = self.function_id(fault.field("function"));
        let window = self.window(fault);
        let (from, until) = window?;
        Some(Fault {
            function: function?,
            status: u16::try_from(fault.field("status").whole()?).ok()?,
            probability: fault.field("probability").ratio()?,
            from,
            until,
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

    /// The function that a value names.
    fn function_id(&mut self, value: &Resolved) -> Option<FunctionId> {
        let text = value.text()?;
        let names = &self.names;
        if let Some(index) = names.functions.iter().position(|name| *name.text == *text) {
            return Some(FunctionId::from_index(index));
        }
        let message = format!("there is no function {}", quote(&text));
        let candidates = names.functions.iter().map(|name| &*name.text);
        let list = candidates.clone().take(10).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let known = if list.is_empty() { "the scenario has none".to_owned() } else { format!("there are {list}") };
        let help = did_you_mean(&text, candidates).unwrap_or(known);
        let mut problem = Problem::new(ProblemKind::UnknownName, value.place, message)
            .at_key(&value.path)
            .with_expected("the name of a function")
            .with_help(help);
        if let Some(caller) = names.callers.iter().find(|name| *name.text == *text) {
            problem = problem.with_related(caller.place, "this is a caller");
        }
        self.problems.push(problem);
        None
    }

    /// The caller of this name.
    fn caller_id(&mut self, value: &Resolved, text: &str) -> Option<CallerId> {
        if let Some(index) = self.names.callers.iter().position(|name| *name.text == *text) {
            return Some(CallerId::from_index(index));
        }
        let help = did_you_mean(text, self.names.callers.iter().map(|name| &*name.text));
        self.problems.push(
            Problem::new(ProblemKind::UnknownName, value.place, format!("there is no caller {}", quote(text)))
                .at_key(&value.path)
                .with_expected("the name of a caller before the `#`")
                .with_help_if(help),
        );
        None
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
    let scaling = match &scaling.value {
        Value::Without(_) => Scaling::Off,
        Value::Bad => return None,
        _ if scaling.field("model").word()? == "per_function" => Scaling::PerFunction {
            environments: scaling.field("environments").count()?,
            every: scaling.field("every").duration()?,
            refill: if scaling.field("refill").word()? == "lump" { Refill::Lump } else { Refill::Continuous },
            request_rate: scaling.field("request_rate").switch()?,
        },
        _ => Scaling::LegacyBurst {
            burst: scaling.field("burst").count()?,
            per_minute: scaling.field("per_minute").count()?,
        },
    };
    Some(Account {
        concurrency_limit: block.field("concurrency_limit").count()?,
        scaling,
        request_rate_limit: block.field("request_rate_limit").switch()?,
        request_rate_bucket: block.field("request_rate_bucket").duration()?,
        caller_rate_limit: block.field("caller_rate_limit").optional(Resolved::rate)?,
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
        match &self.value {
            Value::Block(block, fields) => {
                let index = block.keys.iter().position(|key| key.name == name);
                &fields[index.unwrap_or_else(|| unreachable!("{} has no key {name}", block.name))]
            }
            // What is inside a bad value is bad.
            _ => self,
        }
    }

    /// The block has this key.
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(&self.value, Value::Block(block, _) if block.key(name).is_some())
    }

    fn leaf(&self) -> Option<&Leaf> {
        match &self.value {
            Value::Leaf(leaf, _) => Some(leaf),
            _ => None,
        }
    }

    /// A duration.
    pub(crate) fn duration(&self) -> Option<SimDuration> {
        match self.leaf()? {
            Leaf::Duration(value) => Some(*value),
            _ => None,
        }
    }

    /// A moment, counted from the start of the run.
    pub(crate) fn moment(&self) -> Option<SimTime> {
        self.duration().map(|since| SimTime::from_nanos(since.as_nanos()))
    }

    /// A rate.
    pub(crate) fn rate(&self) -> Option<Rate> {
        match self.leaf()? {
            Leaf::Rate(value) => Some(*value),
            _ => None,
        }
    }

    /// A share.
    pub(crate) fn ratio(&self) -> Option<Ratio> {
        match self.leaf()? {
            Leaf::Ratio(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number, or a size.
    pub(crate) fn whole(&self) -> Option<u64> {
        match self.leaf()? {
            Leaf::Whole(value) | Leaf::Size(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number that the tables bound to 32 bits.
    pub(crate) fn count(&self) -> Option<u32> {
        self.whole().and_then(|value| u32::try_from(value).ok())
    }

    /// A number.
    pub(crate) fn real(&self) -> Option<f64> {
        match self.leaf()? {
            Leaf::Real(value) => Some(*value),
            _ => None,
        }
    }

    /// on or off.
    pub(crate) fn switch(&self) -> Option<bool> {
        match self.leaf()? {
            Leaf::Switch(value) => Some(*value),
            _ => None,
        }
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.value {
            Value::Leaf(Leaf::Text, text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// A word of the key.
    pub(crate) fn word(&self) -> Option<&'static str> {
        match self.value {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The items of a list; none of a bad one.
    pub(crate) fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The resources of a group; none of a bad one.
    pub(crate) fn named(&self) -> &[Named] {
        match &self.value {
            Value::Named(items) => items,
            _ => &[],
        }
    }

    /// The settings of a change.
    pub(crate) fn settings(&self) -> &[Entry] {
        match &self.value {
            Value::Settings(entries) => entries,
            _ => &[],
        }
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
    pub(crate) fn optional<T>(&self, read: impl FnOnce(&Self) -> Option<T>) -> Option<Option<T>> {
        if self.is_without() { Some(None) } else { read(self).map(Some) }
    }
}
