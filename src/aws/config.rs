//! What a scenario sets, in typed form: everything the simulation is built from and what `changes` replace.
//!
//! Values are checked where they are made (the scenario's resolve step); here they are only held.
//! Durations, sizes and rates are exact integers; `order` is a resource's place in the file, which settles equal times.

use std::sync::Arc;

use super::ids::{CallerId, FunctionId, Table};
use crate::kernel::arrival::ArrivalProcess;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::{SimDuration, SimTime};

/// Everything that exists when the run starts, and what happens to its settings.
#[derive(Clone, Debug)]
pub struct System {
    /// The account and its limits.
    pub account: Account,
    /// The functions, in file order.
    pub functions: Table<FunctionId, Function>,
    /// The callers, in file order.
    pub callers: Table<CallerId, Caller>,
    /// Faults of the Lambda service itself.
    pub faults: Vec<Fault>,
    /// Settings that change while it runs, in file order.
    pub changes: Vec<Change>,
}

/// Limits of the account in one Region.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// INV-C1: in-flight executions over all functions.
    pub concurrency_limit: u32,
    /// INV-S1..S8: how fast environments may be added.
    pub scaling: Scaling,
    /// INV-R1, R2: requests a second are limited to ten times the concurrency.
    pub request_rate_limit: bool,
    /// INV-R7: depth of the request buckets, as the time they take to fill.
    pub request_rate_bucket: SimDuration,
    /// INV-D36: a rate over all callers above which `CallerRateLimitExceeded` is answered.
    pub caller_rate_limit: Option<Rate>,
}

/// How fast environments may be added (INV-S1..S8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Without limit.
    Off,
    /// Since November 2023: each function by itself.
    PerFunction {
        /// New environments in each period, and the most that can be saved up.
        environments: u32,
        /// The period.
        every: SimDuration,
        /// How the allowance comes back.
        refill: Refill,
        /// INV-S7: whether the requests-a-second half of the limit applies too.
        request_rate: bool,
    },
    /// Before November 2023: one allowance for the whole account.
    LegacyBurst {
        /// The initial burst.
        burst: u32,
        /// New environments a minute afterwards.
        per_minute: u32,
    },
}

/// How a scaling allowance comes back (INV-S2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    /// Evenly over the period.
    Continuous,
    /// All at once at the end of the period.
    Lump,
}

/// A function and its execution environments.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Memory in MB as Lambda counts them (2^20 bytes).
    pub memory_mb: u32,
    /// Cost only.
    pub architecture: Architecture,
    /// INV-E20, cost only.
    pub ephemeral_storage_mb: u32,
    /// INV-E5: limit of the Invoke phase.
    pub timeout: SimDuration,
    /// Time of one run of the handler.
    pub duration: Distribution,
    /// INV-E1: time of the Init phase.
    pub init: Distribution,
    /// INV-E2: limit of an on-demand Init phase.
    pub init_limit: SimDuration,
    /// INV-E4: causes judged at each Init.
    pub init_failures: Vec<Failure>,
    /// INV-D13: platform's part of a cold start, before Init.
    pub platform_start: Distribution,
    /// INV-E18: restore time of a snapshot, in the place of Init.
    pub snapstart: Option<Distribution>,
    /// INV-E12: how long an idle environment is kept.
    pub idle_timeout: Distribution,
    /// INV-E13: age at which an environment is retired when it next becomes idle.
    pub maximum_environment_age: Option<SimDuration>,
    /// INV-E11: which idle environment serves next.
    pub warm_selection: WarmSelection,
    /// INV-E9: extensions hold the environment after the reply.
    pub extension_tail: SimDuration,
    /// INV-E16: `duration` is meant for 1,769 MB; with less memory the handler takes longer.
    pub cpu_scaling: bool,
    /// INV-C3.
    pub reserved_concurrency: Option<u32>,
    /// INV-P1..P14.
    pub provisioned_concurrency: ProvisionedConcurrency,
    /// Independent causes of failure; the first that applies decides how the run fails.
    pub failures: Vec<Failure>,
    /// INV-Y2: size of the answer, bytes.
    pub response_bytes: Distribution,
}

/// Instruction set of a function; decides its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm (Graviton).
    Arm64,
}

/// Which idle environment serves the next request (INV-E11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmSelection {
    /// The most recently used.
    Mru,
    /// The least recently used.
    Lru,
    /// The one created first.
    Fifo,
    /// Any, with equal probability.
    Random,
}

/// Provisioned concurrency of a function (INV-P1..P14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedConcurrency {
    /// Units ready at the start of the run.
    pub initial: u32,
    /// INV-P13: units requested at given moments, in order of time.
    pub schedule: Vec<(SimTime, u32)>,
    /// INV-P7..P12: target tracking.
    pub tracking: Option<TargetTracking>,
    /// INV-P1: preparation before the first unit is allocated.
    pub preparation: SimDuration,
    /// INV-P2: units allocated a minute.
    pub per_minute: u32,
}

/// Target tracking of provisioned concurrency (INV-P7..P12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetTracking {
    /// Fewest units.
    pub min: u32,
    /// Most units.
    pub max: u32,
    /// Utilization aimed at.
    pub target: Ratio,
    /// Minutes above the target before scaling out.
    pub scale_out_datapoints: u32,
    /// Minutes below nine tenths of the target before scaling in.
    pub scale_in_datapoints: u32,
    /// Largest share of the current units given back at once.
    pub scale_in_step: Ratio,
}

/// One independent cause of failure. All conditions that are set must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Judged once a run.
    pub probability: Option<Ratio>,
    /// A property of the event: judged once, holds at every attempt.
    pub poison: Option<Ratio>,
    /// The event's first attempts.
    pub first_attempts: Option<u32>,
    /// These attempts of the event; empty means any. 1 is the first.
    pub attempts: Vec<u32>,
    /// These submissions only; empty means any.
    pub events: Vec<EventSelector>,
    /// Runs that start at or after this moment.
    pub from: Option<SimTime>,
    /// Runs that start before this moment.
    pub until: Option<SimTime>,
    /// Runs that start while more than this many executions of the function are in flight, the run itself included.
    pub above_concurrency: Option<u32>,
    /// How the run fails.
    pub kind: FailureKind,
    /// The error's name, for those who retry by name.
    pub error: Option<String>,
    /// Share of the drawn duration that is used up when an error or a crash strikes.
    pub after: Ratio,
}

/// Names submissions of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSelector {
    /// This caller's only; `None` is every caller's.
    pub caller: Option<CallerId>,
    /// Submission number, 1 = first.
    pub number: u64,
}

/// How a run fails (INV-E6..E8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The handler raises: the environment stays warm.
    Error,
    /// The run hangs until the function's time-out: the environment is reset.
    Timeout,
    /// The process dies: the environment is reset.
    Crash,
}

/// A fault of the service itself: Invoke answers `status` without running the function (INV-T5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Calls of this function.
    pub function: FunctionId,
    /// 429 or a 5xx.
    pub status: u16,
    /// Judged for each attempt to invoke.
    pub probability: Ratio,
    /// From this moment on.
    pub from: Option<SimTime>,
    /// Before this moment.
    pub until: Option<SimTime>,
}

/// A source of synchronous calls with its client.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// The function it calls.
    pub target: FunctionId,
    /// When it calls.
    pub load: Load,
    /// It stops after this many submissions.
    pub max_events: Option<u64>,
    /// Who retries, and how long it waits.
    pub client: Client,
    /// Size of the request, bytes.
    pub payload_bytes: Distribution,
    /// Duration of the n-th submission's runs from a trace file, in the place of the function's draw.
    pub durations: Option<Arc<[SimDuration]>>,
}

/// When a caller submits.
#[derive(Clone, Debug)]
pub enum Load {
    /// At moments that do not depend on the answers.
    Open(ArrivalProcess),
    /// A number of users who each think, call, and wait for the answer.
    Closed {
        /// How many users.
        count: u32,
        /// Pause before each call.
        think: Distribution,
        /// Whether the first call comes after a pause or at once.
        start: UserStart,
    },
}

/// How the users of a closed loop begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStart {
    /// With a pause.
    Think,
    /// With a call at time 0.
    AtOnce,
}

/// A client's retries, time-outs and protections (INV-3).
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Attempts of one call, the first included.
    pub max_attempts: u32,
    /// Waits after service errors and time-outs.
    pub backoff: Backoff,
    /// Waits after throttles.
    pub throttle_backoff: Backoff,
    /// What retries may cost in all.
    pub budget: Budget,
    /// INV-3.4: the adaptive mode's rate limiter.
    pub adaptive: bool,
    /// What is tried again.
    pub retry_on: RetryOn,
    /// Longest wait for the answer to one attempt.
    pub timeout: Option<SimDuration>,
    /// Longest time for the whole call.
    pub total_timeout: Option<SimDuration>,
    /// Stops calling while most calls fail.
    pub circuit_breaker: Option<CircuitBreaker>,
}

/// Waits between attempts: wait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The first wait.
    pub base: SimDuration,
    /// Growth from wait to wait, at least 1.
    pub factor: f64,
    /// The longest wait before jitter.
    pub cap: Option<SimDuration>,
    /// How chance changes the wait.
    pub jitter: Jitter,
}

/// How chance changes a wait of w.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// w.
    None,
    /// Uniform between 0 and w.
    Full,
    /// w/2 and uniform between 0 and w/2.
    Equal,
    /// Uniform between the base and three times the last wait, at most the cap.
    Decorrelated,
    /// w and uniform between 0 and this share of w.
    Share(Ratio),
}

/// What retries may cost in all (INV-3.2, INV-N3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// No limit.
    None,
    /// The SDKs' retry quota: a bucket of tokens.
    Tokens {
        /// Size of the bucket; it starts full.
        tokens: u32,
        /// Cost of a retry after a service error.
        transient: u32,
        /// Cost of a retry after a throttle.
        throttle: u32,
        /// Cost of a retry after a client time-out.
        timeout: u32,
        /// Given back by a success at the first attempt.
        success: u32,
    },
    /// Retries as a share of first attempts.
    Ratio {
        /// Retries earned by each first attempt.
        ratio: Ratio,
        /// The most that can be saved up; it starts full.
        burst: u32,
    },
}

/// What a client tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a set of four independent causes")]
pub struct RetryOn {
    /// 429.
    pub throttle: bool,
    /// 5xx of the service.
    pub service_error: bool,
    /// Its own time-out.
    pub timeout: bool,
    /// An error of the function (HTTP 200).
    pub function_error: bool,
}

/// A circuit breaker around each attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// The attempts it looks back on.
    pub window: SimDuration,
    /// Share of failures that opens it.
    pub failures: Ratio,
    /// Attempts in the window before it judges.
    pub minimum_calls: u32,
    /// How long it stays open.
    pub open: SimDuration,
    /// Attempts let through to find out whether it may close.
    pub probes: u32,
}

/// A change of settings while it runs.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub at: SimTime,
    /// What.
    pub action: ChangeAction,
}

/// What a change does.
#[derive(Clone, Debug)]
pub enum ChangeAction {
    /// The account's limits.
    Account(Account),
    /// All settings of a function.
    Function(FunctionId, Box<Function>),
    /// A caller's client.
    Client(CallerId, Box<Client>),
    /// INV-E15: new code; idle environments of the old are gone.
    Deploy(FunctionId),
}
