//! Execution environments: what each one is doing, and their numbers.
//!
//! ```text
//! Busy --(run ends)--> Idle --(chosen)--> Busy
//! Busy --(time-out or crash, on demand)--> Idle, needs Init (INV-E6)
//! Busy --(time-out or crash, provisioned)--> Recovering --(initialised)--> Idle (INV-P5)
//! Idle --(idle too long, new code, given back)--> gone
//! Busy --(run ends; too old, old code, given back, restore failed)--> gone
//! ```

use std::collections::VecDeque;

use super::fact::{InitPhase, Origin, RunOutcome};
use super::ids::{
    BatchId, BufferId, CallId, EnvironmentId, ErrorId, EventId, FunctionId, Id, OutgoingId, ThreadId, WorkerId,
};
use crate::kernel::time::{SimDuration, SimTime};

/// One environment: what every run touches, in one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Environment {
    pub(crate) function: FunctionId,
    /// Number in order of creation over all functions: what people see.
    pub(crate) number: u32,
    /// Whether it is a unit of provisioned concurrency; never changes (INV-C10).
    pub(crate) provisioned: bool,
    /// INV-E6: it was reset, and its next run pays for an Init.
    pub(crate) needs_init: bool,
    /// INV-E15: number of the code it runs.
    pub(crate) code: u16,
    pub(crate) state: State,
}

impl Environment {
    /// Whether its [`Details`] say something about its run.
    #[inline(always)]
    pub(crate) fn has_details(&self) -> bool {
        match &self.state {
            State::Busy(run) => run.has_details | run.abandoned,
            State::Idle(_) | State::Recovering => false,
        }
    }
}

/// What an environment is doing.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// Serving a run.
    Busy(Run),
    /// Waiting for the next; where it stands in its pool.
    Idle(Place),
    /// Neither: a unit of provisioned concurrency that is free or being initialised again (INV-P5), or an environment
    /// that is about to serve its first run.
    Recovering,
}

/// A run under way, with its end already decided unless it makes calls.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) origin: Origin,
    /// Which run of the event it is, 1 = first.
    pub(crate) number: u32,
    pub(crate) waiter: Waiter,
    pub(crate) started: SimTime,
    pub(crate) outcome: RunOutcome,
    pub(crate) restore_timed_out: bool,
    /// Whether there was an Init, or an error has a name; its [`Details`] have it.
    pub(crate) has_details: bool,
    /// Whether the client gave up; its [`Details`] say when.
    pub(crate) abandoned: bool,
}

/// Who waits for the answer of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// Nobody: the client gave up, or was answered.
    Nobody,
    /// The first attempt of a call that has needed no record so far; the run's origin says which call.
    FirstAttempt,
    /// The attempt of a call with a record.
    Call(CallId),
    /// An event of the internal queue.
    Event(EventId),
    /// A batch of a mapping of a queue.
    Batch(BatchId),
    /// A worker of a mapping of a stream or broker.
    Worker(WorkerId),
    /// A buffer of Firehose.
    Buffer(BufferId),
    /// A task of an execution.
    Thread(ThreadId),
    /// A call of a run.
    Outgoing(OutgoingId),
}

/// What is looked at rarely.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Details {
    pub(crate) created: SimTime,
    /// The Inits of a run that has any, and when its Invoke phase began.
    pub(crate) init: Option<InitPhase>,
    pub(crate) suppressed_init: Option<InitPhase>,
    pub(crate) invoked: SimTime,
    /// The name of its error, where the scenario gives one.
    pub(crate) error: Option<ErrorId>,
    /// The calls that the run makes when its handler is done.
    pub(crate) calls: Option<CallsToMake>,
    /// When the client gave up.
    pub(crate) abandoned: SimTime,
}

/// What a run that makes calls keeps of the settings that it began with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallsToMake {
    /// Which of the lists of calls that its function has had, 0 = first.
    pub(crate) version: u32,
    /// When the function's time-out cuts it.
    pub(crate) deadline: SimTime,
    /// How long extensions hold its environment after its answer.
    pub(crate) tail: SimDuration,
}

/// Where an idle environment stands in its pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// When it is given up.
    pub(crate) deadline: SimTime,
    /// Its key or position in the order of choice.
    pub(crate) key: u64,
}

/// All environments that live, by id; ids of ended ones are used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environments {
    rows: Vec<Environment>,
    details: Vec<Details>,
    free: Vec<EnvironmentId>,
    created: u32,
    /// Those that have ended or lost their memory, where somebody wants to know.
    closed: Option<VecDeque<EnvironmentId>>,
}

impl Environments {
    /// None so far. `closes` says that somebody wants to know which have ended.
    pub(crate) fn new(closes: bool) -> Self {
        Self { closed: closes.then(VecDeque::new), ..Self::default() }
    }

    /// An environment has ended, or has lost its memory.
    pub(crate) fn close(&mut self, id: EnvironmentId) {
        if let Some(closed) = &mut self.closed {
            closed.push_back(id);
        }
    }

    /// Whether any has.
    #[inline]
    pub(crate) fn has_closed(&self) -> bool {
        self.closed.as_ref().is_some_and(|closed| !closed.is_empty())
    }

    /// One that has, in order.
    #[inline]
    pub(crate) fn next_closed(&mut self) -> Option<EnvironmentId> {
        self.closed.as_mut()?.pop_front()
    }

    /// A new environment in `state`.
    pub(crate) fn create(
        &mut self,
        now: SimTime,
        function: FunctionId,
        provisioned: bool,
        state: State,
    ) -> EnvironmentId {
        self.created = self.created.checked_add(1).expect("fewer than 2^32 environments");
        let environment =
            Environment { function, number: self.created, provisioned, needs_init: false, code: 0, state };
        let (invoked, abandoned) = (SimTime::ZERO, SimTime::ZERO);
        let details =
            Details { created: now, init: None, suppressed_init: None, invoked, error: None, calls: None, abandoned };
        if let Some(id) = self.free.pop() {
            self.rows[id.index()] = environment;
            self.details[id.index()] = details;
            return id;
        }
        self.rows.push(environment);
        self.details.push(details);
        EnvironmentId::from_index(self.rows.len() - 1)
    }

    /// All runs under way. An ended environment has none: it ends when it is idle, or at the end of its run, when nobody
    /// waits any more.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.rows.iter().filter_map(|row| match &row.state {
            State::Busy(run) => Some(run),
            State::Idle(_) | State::Recovering => None,
        })
    }

    /// What is looked at rarely.
    pub(crate) fn details(&mut self, id: EnvironmentId) -> &mut Details {
        &mut self.details[id.index()]
    }

    /// The name of the error of its run, where the scenario gives one.
    pub(crate) fn error(&self, id: EnvironmentId) -> Option<ErrorId> {
        match &self.rows[id.index()].state {
            State::Busy(run) if run.has_details => self.details[id.index()].error,
            State::Busy(_) | State::Idle(_) | State::Recovering => None,
        }
    }

    /// The environment is gone.
    pub(crate) fn end(&mut self, id: EnvironmentId) {
        self.close(id);
        self.free.push(id);
    }
}

impl std::ops::Index<EnvironmentId> for Environments {
    type Output = Environment;

    #[inline]
    fn index(&self, id: EnvironmentId) -> &Environment {
        &self.rows[id.index()]
    }
}

impl std::ops::IndexMut<EnvironmentId> for Environments {
    #[inline]
    fn index_mut(&mut self, id: EnvironmentId) -> &mut Environment {
        &mut self.rows[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run under way takes a record of its environment and one of its call: a cache line each.
    #[test]
    fn records_stay_small() {
        assert_eq!(size_of::<Environment>(), 64);
        assert_eq!(size_of::<super::super::call::Call>(), 64);
    }
}
