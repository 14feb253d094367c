//! Callers and their clients.

use std::sync::Arc;

use super::{DeliveryPolicy, Target, Via};
use crate::kernel::arrival::ArrivalProcess;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimDuration;

/// A source of calls with its client.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// What it calls or sends to.
    pub target: Target,
    /// The service between it and its function.
    pub via: Via,
    /// How it calls.
    pub invocation: Invocation,
    /// When it calls.
    pub load: Load,
    /// It stops after this many submissions.
    pub max_events: Option<u64>,
    /// Who retries, and how long it waits.
    pub client: Client,
    /// Size of the request, bytes.
    pub payload_bytes: Distribution,
    /// The message group of each message, where there is one.
    pub keys: Keys,
    /// ESM-1.1: delay of each message, in the place of the queue's.
    pub delay: Option<Distribution>,
    /// ESM-1.10: deduplication ids of messages to a FIFO queue.
    pub deduplication: Deduplication,
    /// Messages of one call, each a submission of its own.
    pub messages_per_call: u32,
    /// Duration of the n-th submission's runs from a trace file, in the place of the function's draw.
    pub durations: Option<Arc<[SimDuration]>>,
}

/// Keys of messages and records: partition keys and message groups.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// Each has a key of its own.
    Even,
    /// One of the texts `1`, `2`, .. up to this number, with equal probability.
    Uniform(u64),
    /// One of the texts `1`, `2`, .. with the probability of Zipf's law.
    Zipf {
        /// How many keys.
        count: u64,
        /// Exponent of the law.
        exponent: f64,
    },
    /// These texts in turn; one alone is a constant.
    List(Vec<String>),
    /// These explicit hash keys in turn.
    Hash(Vec<u128>),
}

/// Deduplication ids (ESM-1.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deduplication {
    /// Each message has an id of its own.
    None,
    /// All have this one.
    Constant(String),
    /// One of so many, with equal probability.
    Uniform(u64),
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// `RequestResponse`: the caller waits for the answer.
    Sync,
    /// `Event`: the caller waits until the event is accepted (INV-Q1).
    Async,
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
    /// INV-6: retries of a service that delivers events, in the place of attempts and waits above.
    pub policy: Option<Arc<DeliveryPolicy>>,
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
