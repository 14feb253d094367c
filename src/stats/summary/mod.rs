//! The report as data: every number of `summary.json`, in its order and under its names (contract, section 3).

mod conservation;
mod curves;
mod dependencies;
mod executions;
mod messages;
mod streams;

pub use conservation::{Conservation, Flow};
pub use dependencies::DependencySummary;
pub use executions::StateMachineSummary;
pub use messages::{MappingSummary, QueueRole, QueueSummary};
pub use streams::{BrokerSummary, Discards, ShardReading, ShardSummary, SourceKind, StreamSummary};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::aws::config::Service;
use crate::expect::{Expectation, Judgement};
use crate::lint::Finding;
use crate::stats::cost::CostSummary;
use crate::stats::curve::Curve;
use crate::stats::gauge::GaugeFigures;
use crate::stats::histogram::Figures;

/// What a run came to.
///
/// [`Statistics::finish`](crate::stats::Statistics::finish) fills everything but `events`, `digest` and `expectations`, which
/// whoever puts the run together knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Version of this program.
    pub lambdasim: String,
    /// What was simulated.
    pub scenario: ScenarioInfo,
    /// The seed.
    pub seed: u64,
    /// The times that were simulated and measured.
    pub window: Window,
    /// Events that the kernel handled; informative, a faster kernel has fewer.
    pub events: u64,
    /// Hash over what happened, 16 hex digits.
    pub digest: String,
    /// Over all functions.
    pub account: AccountSummary,
    /// By caller, in file order.
    pub callers: Named<CallerSummary>,
    /// By function, in file order.
    pub functions: Named<FunctionSummary>,
    /// By queue, in file order.
    pub queues: Named<QueueSummary>,
    /// By stream or Kafka topic, in file order.
    pub streams: Named<StreamSummary>,
    /// By event source mapping, in file order.
    pub event_source_mappings: Named<MappingSummary>,
    /// By dependency, in file order.
    pub dependencies: Named<DependencySummary>,
    /// By topic, in file order.
    pub topics: Named<PlaceSummary>,
    /// By event bus, in file order.
    pub event_buses: Named<PlaceSummary>,
    /// By bucket, in file order.
    pub buckets: Named<PlaceSummary>,
    /// By broker, in file order.
    pub brokers: Named<BrokerSummary>,
    /// By state machine, in file order.
    pub state_machines: Named<StateMachineSummary>,
    /// Money.
    pub cost: CostSummary,
    /// What the scenario expected, and whether it holds.
    pub expectations: Vec<Judgement>,
    /// Whether everything that entered has exactly one fate.
    pub conservation: Conservation,
    /// What is known about the scenario's settings, for the text report.
    #[serde(skip)]
    pub advice: Vec<Finding>,
}

/// The scenario of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScenarioInfo {
    /// Its name.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// `--set` overrides.
    pub overrides: Vec<String>,
    /// For the text report.
    #[serde(skip)]
    pub description: Option<String>,
}

/// Times of a run, in milliseconds since its start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// What was submitted before is not measured.
    pub warmup_ms: f64,
    /// Callers submit until here.
    pub duration_ms: f64,
    /// The last fate, and at least `duration_ms`.
    pub ended_ms: f64,
}

/// The account (INV-5.8).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountSummary {
    /// Executions in flight over all functions.
    pub concurrent_executions: GaugeFigures<u64>,
    /// On demand, of functions without reserved concurrency.
    pub unreserved_concurrent_executions: GaugeFigures<u64>,
    /// The unreserved ones and all units that are allocated to reserved and provisioned concurrency.
    pub claimed_account_concurrency: GaugeFigures<u64>,
    /// Requests refused.
    pub throttles: u64,
    /// For the text report.
    #[serde(skip)]
    pub concurrency_limit: Limit,
}

/// One caller. Counts are of calls submitted at or after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallerSummary {
    /// Calls submitted.
    pub submitted: u64,
    /// Calls that ended with the function's result, or whose event was accepted to run later.
    pub succeeded: u64,
    /// Calls that ended otherwise.
    pub failed: u64,
    /// Calls still open at the end.
    pub unfinished: u64,
    /// Attempts sent.
    pub attempts: u64,
    /// Attempts after a call's first.
    pub retries: u64,
    /// Attempts answered 429, or refused by a stream that takes no more at this rate.
    pub throttled: u64,
    /// Attempts that the client gave up waiting for.
    pub client_timeouts: u64,
    /// Submission to end of every finished call, retries and waits included.
    pub latency_ms: Figures<f64>,
    /// How the finished calls ended.
    pub outcomes: Outcomes,
    /// Answers by HTTP status.
    pub status_codes: Named<u64>,
    /// Runs of the function that a finished synchronous call started.
    pub runs_per_call: Figures<u64>,
    /// Retries that were not made because the retry quota was empty.
    pub retry_quota_exhausted: u64,
    /// Attempts that the circuit breaker stopped.
    pub circuit_open: u64,
    /// Successes a second of measured time; `None` without time.
    pub goodput_per_s: Option<f64>,
    /// Events that a service could not deliver and that its dead-letter queue received.
    pub dead_letters: u64,
    /// The latency's whole curve, for `latency.csv`.
    #[serde(skip)]
    pub latency_curve: Curve,
    /// For the text report: whether the calls send messages to a queue or a broker, or records to a stream, or start
    /// executions without waiting for their end.
    #[serde(skip)]
    pub sends: bool,
    /// For the text report: the service through which it calls.
    #[serde(skip)]
    pub via: Service,
}

/// Calls by how they ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// With the function's result.
    pub success: u64,
    /// With the function's failure.
    pub function_error: u64,
    /// Refused with 429 at the last attempt.
    pub throttled: u64,
    /// The client gave up.
    pub timeout: u64,
    /// With a failure of the service.
    pub service_error: u64,
    /// Accepted to run later (asynchronous).
    pub accepted: u64,
    /// Refused for good: too large, or stopped by the circuit breaker.
    pub rejected: u64,
}

/// One function. Counts are of events submitted at or after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionSummary {
    /// For the text report.
    #[serde(skip)]
    pub name: String,
    /// Runs of the handler, failed ones included (INV-5.8).
    pub invocations: u64,
    /// Runs that ended in an error, a time-out or a crash.
    pub errors: u64,
    /// Runs that the function's time-out cut.
    pub timeouts: u64,
    /// Requests refused.
    pub throttles: u64,
    /// Those by reason, in AWS's words.
    pub throttles_by_reason: Named<u64>,
    /// Runs on demand in a new environment.
    pub cold_starts: u64,
    /// INV-5.8 `Duration`.
    pub duration_ms: Figures<f64>,
    /// Init phases of cold runs.
    pub init_ms: Figures<f64>,
    /// Executions in flight.
    pub concurrent_executions: GaugeFigures<u64>,
    /// Execution environments, on demand and provisioned.
    pub environments: Environments,
    /// Milliseconds billed: runs, and Inits of provisioned environments.
    pub billed_ms: u64,
    /// Runs on provisioned units.
    pub provisioned_concurrency_invocations: u64,
    /// Runs on demand while there is provisioned concurrency.
    pub provisioned_concurrency_spillover_invocations: u64,
    /// Executions on provisioned units over units, while there are executions.
    pub provisioned_concurrency_utilization: GaugeFigures<f64>,
    /// Executions on provisioned units.
    pub provisioned_concurrent_executions: GaugeFigures<u64>,
    /// Usable units.
    pub provisioned_concurrency_allocated: GaugeFigures<u64>,
    /// Inits inside an invocation: after a failed Init, and after a reset (INV-E3, E4, E6).
    pub suppressed_inits: u64,
    /// Inits of runs that failed or were cut, suppressed ones too, and allocations that failed (INV-P4).
    pub init_failures: u64,
    /// Runs whose client had left before they ended.
    pub abandoned_runs: u64,
    /// How long those went on after that.
    pub abandoned_ms: f64,
    /// Events in the internal queue.
    #[serde(flatten)]
    pub asynchronous: AsynchronousSummary,
    /// The duration's whole curve, for `latency.csv`.
    #[serde(skip)]
    pub duration_curve: Curve,
    /// The same of Init.
    #[serde(skip)]
    pub init_curve: Curve,
    /// For the text report.
    #[serde(skip)]
    pub limits: Limits,
}

/// Events in a function's internal queue (INV-5.8). Counts are of what was submitted at or after the warm-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AsynchronousSummary {
    /// Events that were stopped because they ran in a loop (INV-5.7).
    pub recursive_invocations_dropped: u64,
    /// Of each run: from acceptance, or from the end of the last run, to its start.
    pub async_queue_time_ms: Figures<f64>,
    /// Events accepted.
    pub async_events_received: u64,
    /// Events that ended with the function's result.
    pub async_events_succeeded: u64,
    /// Events that ended otherwise, kept or not.
    pub async_events_dropped: u64,
    /// Those by how they ended, in AWS's words.
    pub async_events_dropped_by_condition: Named<u64>,
    /// Events that have not ended.
    pub async_events_pending: u64,
    /// Of each dispatch that asked for a run, throttled ones too: since acceptance.
    pub async_event_age_ms: Figures<f64>,
    /// Acceptance to end of events that succeeded.
    pub async_latency_ms: Figures<f64>,
    /// Times that an event was put back after an error of the function.
    pub async_retries: u64,
    /// Times that an event was put back after a throttle or a failure of the service.
    pub async_throttle_retries: u64,
    /// Events that the dead-letter queue received.
    pub dead_letters: u64,
    /// Records that destinations received.
    pub destination_deliveries: DestinationDeliveries,
    /// Events that the dead-letter queue did not receive.
    pub dead_letter_errors: u64,
    /// Records that a destination did not receive.
    pub destination_delivery_failures: u64,
    /// For the text report.
    #[serde(skip)]
    pub keeps: Keeps,
    /// Events dropped that are nowhere: nobody was to keep them, or nobody could.
    #[serde(skip)]
    pub lost: u64,
    /// The whole curve of the time in the queue, for `latency.csv`.
    #[serde(skip)]
    pub queue_time_curve: Curve,
    /// The same of the age.
    #[serde(skip)]
    pub age_curve: Curve,
    /// The same of the latency.
    #[serde(skip)]
    pub latency_curve: Curve,
}

/// Records that destinations received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DestinationDeliveries {
    /// Of successes.
    pub on_success: u64,
    /// Of failures.
    pub on_failure: u64,
}

/// Who is told of events that end without success, at any time of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeps {
    /// A dead-letter queue.
    pub dead_letter_queue: bool,
    /// A destination.
    pub on_failure: bool,
}

/// One topic, event bus or bucket. Counts are of what was submitted at or after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlaceSummary {
    /// What came in.
    pub received: u64,
    /// Deliveries that it made.
    pub delivered: u64,
    /// Refused deliveries that it tried again.
    pub retries: u64,
    /// Deliveries that it gave up.
    pub failed: u64,
    /// Those that a dead-letter queue received.
    pub dead_letters: u64,
    /// For the text report: whether it passes anything on.
    #[serde(skip)]
    pub passes_on: bool,
    /// For the text report: deliveries that had no end.
    #[serde(skip)]
    pub waiting: u64,
}

/// What a function may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// Reserved concurrency; `None` where it was not set all the time.
    pub reserved_concurrency: Option<Limit>,
}

/// The values of a setting that limits; they differ where it changed during the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The lowest.
    pub lowest: u32,
    /// The highest.
    pub highest: u32,
}

/// Execution environments of one function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Environments {
    /// Created at or after the warm-up.
    pub created: u64,
    /// Ended: idle too long, too old, replaced or given back.
    pub expired: u64,
    /// Reset after a time-out or a crash.
    pub reset: u64,
    /// Alive, busy or not.
    pub alive: GaugeFigures<u64>,
}

/// Rows with their names, in order: a map in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl Limit {
    /// A limit that does not change.
    pub const fn fixed(value: u32) -> Self {
        Self { lowest: value, highest: value }
    }

    /// The same limit, which was also `value` for a time.
    pub(in crate::stats) fn and(self, value: u32) -> Self {
        Self { lowest: self.lowest.min(value), highest: self.highest.max(value) }
    }
}

impl Keeps {
    /// A function without either.
    pub const NOWHERE: Self = Self { dead_letter_queue: false, on_failure: false };
    /// A function with both.
    pub const BOTH: Self = Self { dead_letter_queue: true, on_failure: true };
}

impl Summary {
    /// The summary as it is printed and as expectations see it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("names are strings and numbers are finite")
    }

    /// Judges the scenario's expectations and keeps what comes of them.
    pub fn judge(&mut self, expectations: &[Expectation]) {
        let json = self.to_json();
        self.expectations = expectations.iter().map(|expectation| expectation.judge(&json)).collect();
    }
}

impl<T> Named<T> {
    /// Names and rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, row)| (name.as_str(), row))
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &T> {
        self.0.iter().map(|(_, row)| row)
    }

    /// The row of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, row)| row)
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, row) in &self.0 {
            map.serialize_entry(name, row)?;
        }
        map.end()
    }
}
