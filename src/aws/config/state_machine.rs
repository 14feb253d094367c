//! State machines of Step Functions (INV-4.5).

use crate::aws::ids::{ErrorId, FlowId, FunctionId, StateId, StateNameId, Table};
use crate::aws::limits;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::SimDuration;

use super::Backoff;

/// A state machine.
#[derive(Clone, Debug, PartialEq)]
pub struct StateMachine {
    /// Its name in the scenario.
    pub name: String,
    /// Its place in the file.
    pub order: u32,
    /// Its type.
    pub kind: StateMachineKind,
    /// Longest execution.
    pub timeout: Option<SimDuration>,
    /// INV-SF11: state transitions a second; a transition beyond waits.
    pub transitions: Option<TransitionLimit>,
    /// Where each flow begins: the machine's own first, then those of branches and map items.
    pub flows: Table<FlowId, StateId>,
    /// The states of all flows.
    pub states: Table<StateId, State>,
}

/// The type of a state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateMachineKind {
    /// Up to a year; each state transition is paid for.
    Standard,
    /// Up to five minutes; requests and time are paid for.
    Express,
}

/// INV-SF11: a token bucket; it starts full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransitionLimit {
    /// Transitions that come back.
    pub rate: Rate,
    /// The most that can be saved up.
    pub burst: u32,
}

/// One state.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its name; of a branch or an item with the path to it, such as `ship/0/label`.
    pub name: StateNameId,
    /// What it does.
    pub kind: StateKind,
    /// The next state of the same flow; none: the flow ends.
    pub next: Option<StateId>,
    /// INV-SF3: in order; the first that matches an error decides.
    pub retry: Vec<Retrier>,
    /// In order; the first that matches an error that is not tried again decides.
    pub catch: Vec<Catcher>,
    /// INV-SF8: longest attempt of a task.
    pub timeout: Option<SimDuration>,
}

/// What a state does.
#[derive(Clone, Debug, PartialEq)]
pub enum StateKind {
    /// It invokes a function and waits for the answer.
    Task(FunctionId),
    /// INV-SF10: these flows side by side.
    Parallel(Vec<FlowId>),
    /// INV-SF9: the same flow for each item.
    Map {
        /// How many items.
        items: u32,
        /// Items at once, at most; none: as many as the mode allows.
        max_concurrency: Option<u32>,
        /// What is done with an item.
        item: FlowId,
        /// Where items run.
        mode: MapMode,
    },
    /// It waits.
    Wait(Distribution),
    /// It goes on with one of these states, or with the last one.
    Choice {
        /// Probability and state, in order.
        choices: Vec<(Ratio, StateId)>,
        /// Where none of them is chosen; none: `States.NoChoiceMatched`.
        default: Option<StateId>,
    },
    /// It passes on at once.
    Pass,
    /// The flow ends well.
    Succeed,
    /// The flow ends with an error.
    Fail(ErrorId),
}

/// Where the items of a map run (INV-SF9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapMode {
    /// In the execution itself, 40 at once at most.
    Inline,
    /// In executions of their own, 10,000 at once at most.
    Distributed,
}

/// INV-SF2, SF3: how often and when an error is tried again; each retrier counts by itself while the state lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Retrier {
    /// Which errors.
    pub errors: Vec<ErrorMatch>,
    /// Retries, the first attempt not included.
    pub max_attempts: u32,
    /// The waits.
    pub backoff: Backoff,
}

/// Where an execution goes on after an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Catcher {
    /// Which errors.
    pub errors: Vec<ErrorMatch>,
    /// The state.
    pub next: StateId,
}

/// Which errors a retrier or catcher means (INV-SF3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorMatch {
    /// `States.ALL`.
    All,
    /// `States.TaskFailed`: all but `States.Timeout`.
    TaskFailed,
    /// This one.
    Named(ErrorName),
}

/// The name of an error in an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorName {
    /// `Lambda.TooManyRequestsException`: throttled (INV-SF7).
    TooManyRequests,
    /// `Lambda.ServiceException`: Lambda answered 500.
    ServiceException,
    /// `Lambda.AWSLambdaException`: Lambda answered another 5xx.
    AwsLambdaException,
    /// `Lambda.SdkClientException`: Lambda could not be reached; never happens here.
    SdkClientException,
    /// `Lambda.ClientExecutionTimeoutException`; never happens here.
    ClientExecutionTimeout,
    /// `Lambda.Unknown`: the process of the function died.
    LambdaUnknown,
    /// `Sandbox.Timedout`: the function's own time-out cut it (INV-SF7).
    SandboxTimedout,
    /// `States.Timeout`: the state's or the execution's time-out.
    StatesTimeout,
    /// `States.BranchFailed`.
    BranchFailed,
    /// `States.NoChoiceMatched`.
    NoChoiceMatched,
    /// `States.ExceedToleratedFailureThreshold`: an item of a distributed map failed.
    ToleratedFailuresExceeded,
    /// A name of the scenario: an error that a function raises, or that a state `fail` gives.
    Custom(ErrorId),
    /// An error that a function raises and to which the scenario gives no name.
    Unnamed,
}

impl ErrorName {
    /// All names that are AWS's own.
    pub const OWN: [Self; 11] = [
        Self::TooManyRequests,
        Self::ServiceException,
        Self::AwsLambdaException,
        Self::SdkClientException,
        Self::ClientExecutionTimeout,
        Self::LambdaUnknown,
        Self::SandboxTimedout,
        Self::StatesTimeout,
        Self::BranchFailed,
        Self::NoChoiceMatched,
        Self::ToleratedFailuresExceeded,
    ];

    /// The error that a function raises under a name of the scenario.
    pub fn of_function(id: ErrorId, name: &str) -> Self {
        Self::OWN.into_iter().find(|own| own.own() == Some(name)).unwrap_or(Self::Custom(id))
    }

    /// The name for people.
    pub fn shown(self, errors: &Table<ErrorId, String>) -> &str {
        match (self, self.own()) {
            (_, Some(own)) => own,
            (Self::Custom(id), None) => &errors[id],
            (_, None) => "an error without a name",
        }
    }

    /// AWS's own name; none for an error of the scenario.
    pub const fn own(self) -> Option<&'static str> {
        match self {
            Self::TooManyRequests => Some("Lambda.TooManyRequestsException"),
            Self::ServiceException => Some("Lambda.ServiceException"),
            Self::AwsLambdaException => Some("Lambda.AWSLambdaException"),
            Self::SdkClientException => Some("Lambda.SdkClientException"),
            Self::ClientExecutionTimeout => Some("Lambda.ClientExecutionTimeoutException"),
            Self::LambdaUnknown => Some("Lambda.Unknown"),
            Self::SandboxTimedout => Some("Sandbox.Timedout"),
            Self::StatesTimeout => Some("States.Timeout"),
            Self::BranchFailed => Some("States.BranchFailed"),
            Self::NoChoiceMatched => Some("States.NoChoiceMatched"),
            Self::ToleratedFailuresExceeded => Some("States.ExceedToleratedFailureThreshold"),
            Self::Custom(_) | Self::Unnamed => None,
        }
    }
}

impl StateMachine {
    /// How many retriers its states have at most.
    pub fn most_retriers(&self) -> usize {
        self.states.rows().iter().map(|state| state.retry.len()).max().unwrap_or(0)
    }
}

impl MapMode {
    /// INV-SF9: the most items at once.
    pub const fn concurrency(self) -> u32 {
        match self {
            Self::Inline => limits::INLINE_MAP_ITEMS,
            Self::Distributed => limits::DISTRIBUTED_MAP_ITEMS,
        }
    }

    /// The error of a map with an item that failed.
    pub const fn error(self) -> ErrorName {
        match self {
            Self::Inline => ErrorName::BranchFailed,
            Self::Distributed => ErrorName::ToleratedFailuresExceeded,
        }
    }
}

impl ErrorMatch {
    /// Whether an error is meant.
    pub fn matches(self, error: ErrorName) -> bool {
        match self {
            Self::All => true,
            Self::TaskFailed => error != ErrorName::StatesTimeout,
            Self::Named(name) => name == error,
        }
    }
}
