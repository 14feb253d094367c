//! The words in which facts about calls and runs are said.

use crate::kernel::time::SimDuration;

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
    /// On demand at an edge location: Lambda@Edge has a pool of its own in each Region (INV-4.4).
    Edge,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The function's result.
    Success,
    /// The function failed (HTTP 200 with `X-Amz-Function-Error`, INV-T6).
    FunctionError,
    /// The event was accepted (202).
    Accepted,
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
    /// The event was accepted to run later (INV-Q1).
    Accepted,
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
