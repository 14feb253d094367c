//! How a service tries again what it could not deliver.

use super::{Backoff, Jitter};
use crate::kernel::time::SimDuration;

/// Retries of a service that delivers to Lambda or to another service (INV-6).
///
/// Retries go through the phases in order. One that would come at or after the maximum age is not made: the delivery ends
/// as soon as that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryPolicy {
    /// Waits, phase by phase.
    pub phases: Vec<RetryPhase>,
    /// Retries in all, where there is such a limit beside the phases.
    pub maximum_retry_attempts: Option<u32>,
    /// Longest age, from when the service received what it delivers.
    pub maximum_event_age: Option<SimDuration>,
}

/// A number of retries whose waits follow one formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPhase {
    /// How many; `u32::MAX` is without end.
    pub times: u32,
    /// The waits before them.
    pub backoff: Backoff,
}

/// How far retries go where every attempt is refused at once, and every wait is as long as it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Attempts, the first included.
    pub attempts: u32,
    /// From the first to the last.
    pub over: SimDuration,
}

impl DeliveryPolicy {
    /// Each delivery is tried once.
    pub const NONE: Self = Self { phases: Vec::new(), maximum_retry_attempts: None, maximum_event_age: None };
}

impl RetryPhase {
    /// So many waits that grow evenly by factors: the first is `from`, the last `to`, at least as long (INV-D31).
    pub fn geometric(times: u32, from: SimDuration, to: SimDuration, jitter: Jitter) -> Self {
        let steps = f64::from(times.saturating_sub(1).max(1));
        let growth = to.as_nanos() as f64 / from.as_nanos().max(1) as f64;
        let backoff = Backoff { base: from, factor: libm::pow(growth, 1.0 / steps), cap: Some(to), jitter };
        Self { times, backoff }
    }

    /// So many waits of one length.
    pub const fn constant(times: u32, every: SimDuration, jitter: Jitter) -> Self {
        Self { times, backoff: Backoff { base: every, factor: 1.0, cap: Some(every), jitter } }
    }
}
