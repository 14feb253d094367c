//! Everything that can be observed: what happened, in the past tense, complete.
//!
//! Machines count nothing for reports; they state facts, and whoever listens counts.

use super::ids::{CallerId, FunctionId};
use crate::kernel::time::{SimDuration, SimTime};

/// Listens to a run. Resolved at compile time: what it does not look at costs nothing.
pub trait Observer {
    /// `fact` happened at `now`. Facts of one function, and of one caller, come in order of time;
    /// the end of idle environments is noticed when the function is next looked at and carries its own moment.
    fn observe(&mut self, now: SimTime, fact: &Fact);
}

/// An observer that looks at nothing.
impl Observer for () {
    #[inline(always)]
    fn observe(&mut self, _: SimTime, _: &Fact) {}
}

/// Two observers side by side.
impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline(always)]
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        self.0.observe(now, fact);
        self.1.observe(now, fact);
    }
}

/// The submission that a fact belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whose.
    pub caller: CallerId,
    /// Which of the caller's, 1 = first.
    pub submission: u64,
    /// When it was submitted: decides whether it is measured.
    pub submitted: SimTime,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A caller submitted a call.
    CallSubmitted {
        /// Which call.
        origin: Origin,
    },
    /// The client sent an attempt.
    AttemptSent {
        /// Which call.
        origin: Origin,
        /// 1 = first.
        attempt: u32,
    },
    /// An attempt was answered.
    AttemptAnswered {
        /// Which call.
        origin: Origin,
        /// 1 = first.
        attempt: u32,
        /// What the answer says.
        answer: Answer,
        /// HTTP status of the answer.
        status: u16,
    },
    /// The client gave up waiting for an attempt; a run that it started goes on.
    AttemptTimedOut {
        /// Which call.
        origin: Origin,
        /// 1 = first.
        attempt: u32,
    },
    /// The client will try again.
    RetryScheduled {
        /// Which call.
        origin: Origin,
        /// The attempt to come.
        attempt: u32,
        /// When it is due.
        due: SimTime,
    },
    /// The client would have tried again, but its retry budget was used up.
    RetryQuotaExhausted {
        /// Which call.
        origin: Origin,
    },
    /// The circuit breaker was open, so an attempt was not sent.
    CircuitOpen {
        /// Which call.
        origin: Origin,
    },
    /// A call ended.
    CallFinished {
        /// Which call.
        origin: Origin,
        /// How.
        outcome: Outcome,
        /// Attempts sent.
        attempts: u32,
        /// Runs that the call started.
        runs: u32,
    },
    /// Lambda refused to run a function (INV-T1).
    Throttled {
        /// Which call.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// Why.
        reason: ThrottleReason,
    },
    /// A run was placed on an environment; concurrency is taken from here.
    RunStarted {
        /// Which call.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// Which run of the event, 1 = first.
        run: u32,
        /// Number of the environment, in order of creation over all functions.
        environment: u64,
        /// Whether the environment was new.
        cold: bool,
        /// What it runs on.
        capacity: Capacity,
    },
    /// A run ended; concurrency is free from here.
    RunEnded {
        /// Which call.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// Which run of the event.
        run: u32,
        /// Number of the environment.
        environment: u64,
        /// When it was placed.
        started: SimTime,
        /// INV-5.8 `Duration`: handler and extensions, a suppressed Init inside, the Init phase not.
        duration: SimDuration,
        /// Time of the Init phase, where there was one.
        init: Option<InitPhase>,
        /// INV-E3, E6: an Init inside the invocation, part of `duration`; whether it failed.
        suppressed_init: Option<InitPhase>,
        /// How it ended.
        outcome: RunOutcome,
        /// What it ran on, by the settings at its end (INV-C11).
        capacity: Capacity,
        /// When its client gave up waiting, if it did.
        abandoned: Option<SimTime>,
    },
    /// An environment was created.
    EnvironmentCreated {
        /// Its function.
        function: FunctionId,
        /// Its number.
        environment: u64,
    },
    /// An environment ended: idle too long, too old, of old code, given back, or useless after a failed restore.
    EnvironmentEnded {
        /// Its function.
        function: FunctionId,
        /// Its number.
        environment: u64,
        /// When; at or before the moment it was noticed.
        at: SimTime,
    },
    /// An environment was reset after a time-out or a crash (INV-E6).
    EnvironmentReset {
        /// Its function.
        function: FunctionId,
        /// Its number.
        environment: u64,
    },
    /// Units of provisioned concurrency were requested; this many from now on are paid for and leave the account's pool.
    ProvisionedRequested {
        /// The function.
        function: FunctionId,
        /// All units requested.
        units: u32,
    },
    /// Units of provisioned concurrency are usable; this many from now on.
    ProvisionedAllocated {
        /// The function.
        function: FunctionId,
        /// All units allocated.
        units: u32,
    },
    /// An environment of provisioned concurrency was initialised (INV-$5: billed).
    ProvisionedInitialized {
        /// The function.
        function: FunctionId,
        /// How long it took.
        init: SimDuration,
    },
    /// INV-P4: an allocation failed; nothing of it is usable.
    ProvisionedFailed {
        /// The function.
        function: FunctionId,
    },
    /// INV-C9: units of the account's limit that are allocated to reserved and provisioned concurrency, used or not.
    ///
    /// Said at the start and whenever settings change; INV-C11: running calls change their pool with the settings.
    AccountAllocated {
        /// From now on.
        units: u32,
        /// On-demand executions of functions without reserved concurrency, as they stand after the change.
        unreserved_in_flight: u32,
    },
}

/// A run of Init (INV-E1..E4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitPhase {
    /// How long it took.
    pub length: SimDuration,
    /// Whether it crashed or was cut at its limit.
    pub failed: bool,
}

/// What a run runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// A unit of provisioned concurrency.
    Provisioned,
    /// On demand, while the function has provisioned concurrency.
    Spillover,
    /// On demand, from the function's reserved concurrency.
    Reserved,
    /// On demand, from the account's unreserved pool.
    Unreserved,
    /// On demand, from the function's reserved concurrency, while it has provisioned concurrency.
    ReservedSpillover,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The function's result.
    Success,
    /// The function failed (HTTP 200 with `X-Amz-Function-Error`, INV-T6).
    FunctionError,
    /// 429.
    Throttled,
    /// 5xx or 408 of the service.
    ServiceError,
    /// 4xx: the request itself was refused and trying again is no use.
    Rejected,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function's result arrived.
    Success,
    /// The function failed.
    FunctionError,
    /// The last attempt was throttled.
    Throttled,
    /// The client gave up waiting.
    Timeout,
    /// The service failed.
    ServiceError,
    /// Refused without an attempt that could have worked: too large, or the circuit breaker was open.
    Rejected,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// With a result.
    Success,
    /// The handler raised, or its answer was too large.
    Error,
    /// The function's time-out cut it.
    Timeout,
    /// The process died.
    Crash,
}

/// Why Lambda refused (INV-T2), in AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThrottleReason {
    /// The account's pool is full, or environments cannot be added fast enough.
    ConcurrentInvocationLimitExceeded,
    /// The account's request rate.
    FunctionInvocationRateLimitExceeded,
    /// The function's reserved concurrency is full, or zero.
    ReservedFunctionConcurrentInvocationLimitExceeded,
    /// Ten times the function's reserved concurrency a second.
    ReservedFunctionInvocationRateLimitExceeded,
    /// The callers' rate limit.
    CallerRateLimitExceeded,
}

impl ThrottleReason {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::ConcurrentInvocationLimitExceeded,
        Self::FunctionInvocationRateLimitExceeded,
        Self::ReservedFunctionConcurrentInvocationLimitExceeded,
        Self::ReservedFunctionInvocationRateLimitExceeded,
        Self::CallerRateLimitExceeded,
    ];

    /// The reason in AWS's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::FunctionInvocationRateLimitExceeded => "FunctionInvocationRateLimitExceeded",
            Self::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
            Self::ReservedFunctionInvocationRateLimitExceeded => "ReservedFunctionInvocationRateLimitExceeded",
            Self::CallerRateLimitExceeded => "CallerRateLimitExceeded",
        }
    }
}
