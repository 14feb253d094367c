//! The catalogue of sources: everything that can invoke a function, one row each.
//!
//! Every number comes from the settings that a scenario has in which nothing is written: `defaults` reads such
//! scenarios, and the rows are made of what the simulation would run on. Only words that no setting holds stand here,
//! beside the rules that say so.
//!
//! Reading order: the types of this file, `defaults`, `retries` (how far retries go), then the rows by how they invoke:
//! `services` with `doors` and `events`, `places`, `polled`; and `select` (rows by name).

mod defaults;
mod doors;
mod events;
mod places;
mod polled;
mod retries;
mod select;
mod services;

use crate::aws::config::Extent;
use crate::kernel::quantity::Rate;
use crate::kernel::time::SimDuration;
use crate::story::rules::{self, Rule};

pub use self::select::{Unknown, select};

/// One thing that can invoke a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name, for people to choose it by.
    pub source: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is.
    pub what: &'static str,
    /// How a scenario says it.
    pub key: String,
    /// How it invokes.
    pub model: Model,
    /// How long it waits for a run.
    pub waits: Wait,
    /// What becomes of a throttle by Lambda.
    pub throttle: String,
    /// What becomes of an error of the function.
    pub error: String,
    /// Who tries again, until the function has run without an error.
    pub retries: Vec<Retries>,
    /// Where what failed ends.
    pub failures: String,
    /// What it takes and does at most.
    pub limits: Vec<Limit>,
    /// The rules that say so, beside those of its model.
    pub rules: Vec<&'static Rule>,
}

/// How a function is invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// The source waits for the answer of the run.
    Synchronous,
    /// Lambda accepts an event and runs the function later.
    Asynchronous,
    /// Lambda fetches from the source, and runs the function for what it found.
    Polled,
}

/// How long a source waits for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It does not.
    No,
    /// As long as the run takes.
    Run,
    /// So long, for each attempt; the run goes on.
    AtMost(SimDuration),
    /// So long for the function to call back.
    CallBack(SimDuration),
}

/// How often something is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Who does it.
    pub who: String,
    /// Whether it is Lambda, for an event that it has accepted.
    pub is_queued: bool,
    /// After what.
    pub after: Vec<Cause>,
    /// How far they go.
    pub reach: Reach,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Lambda had no concurrency, or too many requests.
    Throttle,
    /// Lambda itself failed.
    ServiceError,
    /// Nobody answered in time.
    Timeout,
    /// The function failed.
    FunctionError,
}

/// How far retries go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// So many attempts, and how long it is from the first to the last. What is refused is refused at once; an attempt
    /// that nobody answers takes the whole time-out.
    Attempts(Extent),
    /// Any number of attempts until so long has passed; `None` is without end.
    Until(Option<SimDuration>),
}

/// What a source takes or does at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Of what.
    pub what: &'static str,
    /// How much.
    pub amount: Amount,
}

/// An amount with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A number of something.
    Count(u64),
    /// Bytes.
    Bytes(u64),
    /// A time.
    Time(SimDuration),
    /// So many in a time.
    PerTime(Rate),
    /// There is no limit.
    Unlimited,
}

/// All rows: by how they invoke, services in the order of the contract.
pub fn rows() -> Vec<Row> {
    let mut rows = services::rows();
    rows.extend(places::rows());
    rows.extend(polled::rows());
    // Stable: each part keeps its order.
    rows.sort_by_key(|row| row.model);
    rows
}

impl Row {
    /// A row of which only this much is known.
    fn new(source: &'static str, what: &'static str, key: impl Into<String>, model: Model) -> Self {
        Self {
            source,
            aliases: &[],
            what,
            key: key.into(),
            model,
            waits: Wait::Run,
            throttle: String::new(),
            error: String::new(),
            retries: Vec::new(),
            failures: String::new(),
            limits: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The row with one more limit.
    fn limit(&mut self, what: &'static str, amount: Amount) {
        self.limits.push(Limit { what, amount });
    }
}

impl Model {
    /// All of them, in the order of the rows.
    pub const ALL: [Self; 3] = [Self::Synchronous, Self::Asynchronous, Self::Polled];

    /// For people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synchronous => "synchronous",
            Self::Asynchronous => "asynchronous",
            Self::Polled => "polled",
        }
    }

    /// The rules that hold for all rows of it.
    pub fn rules(self) -> Vec<&'static Rule> {
        match self {
            Self::Synchronous => vec![&rules::CLIENT_LEAVES],
            Self::Asynchronous => vec![
                &rules::ASYNC_ACCEPTANCE,
                &rules::ASYNC_PAYLOAD,
                &rules::RETRY_ATTEMPTS,
                &rules::RETRY_DELAYS,
                &rules::BACKOFF,
                &rules::EVENT_AGE,
                &rules::LOOKAHEAD,
                &rules::DESTINATIONS,
                &rules::DEAD_LETTERS,
            ],
            Self::Polled => vec![&rules::BATCH_INVOKED],
        }
    }

    /// What it means, in a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Synchronous => "The source waits for the answer of the run. Lambda tries nothing again.",
            Self::Asynchronous => {
                "Until Lambda has accepted the event (202) the source tries again. From then on the event is Lambda's, and \
                 all sources are alike: Lambda tries again, and what fails goes to the function's dead-letter queue and its \
                 `on_failure` destination, or is lost."
            }
            Self::Polled => {
                "Lambda fetches batches from the source and invokes the function synchronously; what failed stays in the \
                 source, or is read again."
            }
        }
    }
}

impl Cause {
    /// For people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Throttle => "throttles",
            Self::ServiceError => "failures of Lambda",
            Self::Timeout => "time-outs",
            Self::FunctionError => "errors of the function",
        }
    }
}

impl Reach {
    /// Attempts at most, the first included.
    pub const fn attempts(self) -> Option<u32> {
        match self {
            Self::Attempts(extent) => Some(extent.attempts),
            Self::Until(_) => None,
        }
    }

    /// From the first attempt to the last.
    pub const fn over(self) -> Option<SimDuration> {
        match self {
            Self::Attempts(extent) => Some(extent.over),
            Self::Until(end) => end,
        }
    }
}
