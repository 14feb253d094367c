//! Records of the internal queue: one of each event, one of each function. Passive.

use std::collections::VecDeque;

use super::config::{self, Asynchronous, RecursiveLoop};
use super::fact::{Condition, Origin, Response, RunOutcome};
use super::ids::{ErrorId, EventId, LineageId};
use super::limits;
use super::lineage::Lineages;
use crate::kernel::time::{SimDuration, SimTime};

/// An event from its acceptance to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueuedEvent {
    pub(super) origin: Origin,
    pub(super) accepted: SimTime,
    /// Since when it waits; while it runs, the start of the run.
    pub(super) since: SimTime,
    /// The last back-off, for decorrelated jitter.
    pub(super) last_wait: SimDuration,
    /// The last answer.
    pub(super) answer: LastAnswer,
    /// The chain of requests that it belongs to, which also says its function.
    pub(super) lineage: LineageId,
    pub(super) payload_bytes: u32,
    /// Dispatches so far.
    pub(super) dispatches: u32,
    /// Refusals since the last run of the handler.
    pub(super) refusals: u32,
    /// Runs that were started.
    pub(super) starts: u16,
    /// Runs that ended in a function error.
    pub(super) errors: u8,
}

/// The last answer that an event got.
#[derive(Clone, Copy, Debug)]
pub(super) enum LastAnswer {
    None,
    Refused(u16),
    Failed { outcome: RunOutcome, error: Option<ErrorId> },
}

/// The queue of one function.
#[derive(Debug)]
pub(super) struct FunctionQueue {
    pub(super) config: Asynchronous,
    /// The change that made these settings: when, and its place among the changes.
    pub(super) change: Option<(SimTime, u32)>,
    pub(super) recursive_loop: RecursiveLoop,
    pub(super) order: u32,
    /// Events that wait.
    pub(super) backlog: u64,
    /// Events that run.
    pub(super) running: u32,
    /// Events that are due and wait for others to end.
    pub(super) ready: VecDeque<EventId>,
}

impl QueuedEvent {
    /// INV-5.5: what a record says of the last answer.
    pub(super) fn response(&self, condition: Condition, success_bytes: u64) -> Response {
        match condition {
            Condition::Success => Response::Success(success_bytes),
            Condition::ZeroReservedConcurrency => Response::None,
            Condition::RecursiveInvocation => Response::Refused(limits::RECURSION_STATUS),
            Condition::RetriesExhausted | Condition::EventAgeExceeded => match self.answer {
                LastAnswer::None => Response::None,
                LastAnswer::Refused(status) => Response::Refused(status),
                LastAnswer::Failed { outcome, error } => Response::FunctionError { outcome, error },
            },
        }
    }
}

impl FunctionQueue {
    pub(super) fn new(function: &config::Function) -> Self {
        Self {
            config: function.asynchronous.clone(),
            change: None,
            recursive_loop: function.recursive_loop,
            order: function.order,
            backlog: 0,
            running: 0,
            ready: VecDeque::new(),
        }
    }

    /// Whether an event ends in the place of its dispatch, and why (INV-T4's order, then age).
    #[inline(always)]
    pub(super) fn stops(
        &self,
        event: &QueuedEvent,
        lineages: &Lineages,
        is_off: bool,
        now: SimTime,
    ) -> Option<Condition> {
        if lineages.is_loop(event.lineage) && self.recursive_loop == RecursiveLoop::Terminate {
            Some(Condition::RecursiveInvocation)
        } else if is_off {
            Some(Condition::ZeroReservedConcurrency)
        } else if now >= event.accepted.plus(self.config.maximum_event_age) {
            Some(Condition::EventAgeExceeded)
        } else {
            None
        }
    }

    /// INV-D23.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.config.maximum_parallel_dispatch.is_some_and(|limit| self.running >= limit)
    }

    /// INV-Q17: a wait, longer by the other events that wait.
    pub(super) fn under_pressure(&self, wait: SimDuration) -> SimDuration {
        let Some(per) = self.config.backpressure else { return wait };
        let others = u128::from(self.backlog - 1);
        let longer = u128::from(wait.as_nanos()) * (u128::from(per) + others) / u128::from(per);
        SimDuration::from_nanos(u64::try_from(longer).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A waiting event takes its record, a node of the calendar (32 bytes) and nothing else.
    #[test]
    fn records_stay_small() {
        assert_eq!(size_of::<QueuedEvent>(), 80);
    }
}
