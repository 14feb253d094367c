//! What is said of executions of state machines.

use super::Origin;
use crate::aws::config::ErrorName;
use crate::aws::ids::{FunctionId, StateMachineId, StateNameId};
use crate::kernel::time::SimTime;

/// Something happened in an execution.
///
/// `origin` is the execution's; where it is about one visit of a task, it is that task's: its runs have that branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionFact {
    /// An execution began.
    Started {
        /// Of which machine.
        machine: StateMachineId,
        /// Which execution.
        origin: Origin,
        /// The branch of what started it, where that was no caller.
        parent: Option<u32>,
    },
    /// A state transition (INV-SF4).
    Transition {
        /// Of which machine.
        machine: StateMachineId,
        /// Which execution.
        origin: Origin,
        /// The state.
        state: StateNameId,
        /// Which branch or item it is in, 0 = first; 0 in the machine's own flow.
        index: u32,
        /// What it is.
        cause: TransitionCause,
    },
    /// INV-SF11: a transition waits, as there are too many in a second.
    TransitionDelayed {
        /// Of which machine.
        machine: StateMachineId,
        /// Which execution.
        origin: Origin,
        /// The state.
        state: StateNameId,
        /// Until when.
        until: SimTime,
    },
    /// A task asks for a run of its function.
    TaskSubmitted {
        /// Of which machine.
        machine: StateMachineId,
        /// Which task.
        origin: Origin,
        /// The branch of its execution.
        execution: u32,
        /// The state.
        state: StateNameId,
        /// Which branch or item it is in, 0 = first; 0 in the machine's own flow.
        index: u32,
        /// The function.
        function: FunctionId,
        /// Which attempt of this visit of the state, 1 = first.
        attempt: u32,
    },
    /// A task's function answered with success.
    TaskSucceeded {
        /// Of which machine.
        machine: StateMachineId,
        /// Which task.
        origin: Origin,
        /// The state.
        state: StateNameId,
    },
    /// INV-SF10: a task that waits for its function is stopped with its branch or execution; the run goes on.
    TaskStopped {
        /// Of which machine.
        machine: StateMachineId,
        /// Which task.
        origin: Origin,
        /// The state.
        state: StateNameId,
    },
    /// A state failed: its function, one of its branches or items, its time-out.
    StateFailed {
        /// Of which machine.
        machine: StateMachineId,
        /// Which task; the execution for other states.
        origin: Origin,
        /// The state.
        state: StateNameId,
        /// With which error.
        error: ErrorName,
    },
    /// INV-SF2: the state will be tried again.
    RetryScheduled {
        /// Of which machine.
        machine: StateMachineId,
        /// Which task; the execution for other states.
        origin: Origin,
        /// The state.
        state: StateNameId,
        /// Which of its retriers, 0 = first.
        retrier: u32,
        /// Which retry of that retrier, 1 = first.
        retry: u32,
        /// When.
        due: SimTime,
    },
    /// A catcher took the error.
    Caught {
        /// Of which machine.
        machine: StateMachineId,
        /// Which task; the execution for other states.
        origin: Origin,
        /// The state that failed.
        state: StateNameId,
        /// Where it goes on.
        next: StateNameId,
    },
    /// An execution ended.
    Ended {
        /// Of which machine.
        machine: StateMachineId,
        /// Which execution.
        origin: Origin,
        /// How.
        status: ExecutionStatus,
        /// The error of one that did not succeed.
        error: Option<ErrorName>,
        /// When it began.
        started: SimTime,
    },
}

impl ExecutionFact {
    /// Which execution or task it is about, and of which machine.
    pub const fn about(&self) -> (StateMachineId, &Origin) {
        match self {
            Self::Started { machine, origin, .. }
            | Self::Transition { machine, origin, .. }
            | Self::TransitionDelayed { machine, origin, .. }
            | Self::TaskSubmitted { machine, origin, .. }
            | Self::TaskSucceeded { machine, origin, .. }
            | Self::TaskStopped { machine, origin, .. }
            | Self::StateFailed { machine, origin, .. }
            | Self::RetryScheduled { machine, origin, .. }
            | Self::Caught { machine, origin, .. }
            | Self::Ended { machine, origin, .. } => (*machine, origin),
        }
    }
}

/// What a state transition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionCause {
    /// The state was entered.
    Entered,
    /// INV-SF4: it is tried again, for this time; 1 = first.
    Retried(u32),
    /// An item of a distributed map begins, in an execution of its own.
    ItemStarted,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// `SUCCEEDED`.
    Succeeded,
    /// `FAILED`.
    Failed,
    /// `TIMED_OUT`.
    TimedOut,
}

impl ExecutionStatus {
    /// AWS's own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}
