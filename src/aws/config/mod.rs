//! What a scenario sets, in typed form: everything the simulation is built from and what `changes` replace.
//!
//! Values are checked where they are made (the scenario's resolve step); here they are only held.
//! Durations, sizes and rates are exact integers; `order` is a resource's place in the file, which settles equal times.

pub(super) mod asynchronous;
mod caller;
mod calls;
mod dependency;
mod function;
mod mapping;
mod places;
mod policy;
mod queue;
mod state_machine;
mod stream;
mod via;

pub use asynchronous::{Asynchronous, Delivery, Expiry, RecursiveLoop, RetryFrom, Target};
pub use caller::{
    Backoff, Budget, Caller, CircuitBreaker, Client, Deduplication, Invocation, Jitter, Keys, Load, RetryOn, UserStart,
};
pub use calls::{Call, CallStep, CallTarget};
pub use dependency::{AbandonedCalls, Dependency, Discipline, Slowdown};
pub use function::{
    Architecture, EventSelector, Failure, FailureKind, Function, ProvisionedConcurrency, TargetTracking, WarmSelection,
};
pub use mapping::{
    Consumers, EventSourceMapping, Growth, KafkaPollers, PollPhase, Pollers, ProvisionedPollers, Source, SqsPolling,
    StartingPosition, StreamPolling, WindowOpens,
};
pub use places::{Bucket, EventBus, Route, Topic};
pub use policy::{DeliveryPolicy, Extent, RetryPhase};
pub use queue::{DeduplicationScope, Fairness, Queue, QueueKind, Redrive, StaleDelete};
pub use state_machine::{
    Catcher, ErrorMatch, ErrorName, MapMode, Retrier, State, StateKind, StateMachine, StateMachineKind, TransitionLimit,
};
pub use stream::{Broker, BrokerKind, CapacityMode, Stream, StreamKind};
pub use via::{DoorRate, DoorStatuses, EventService, Firehose, FrontDoor, Passage, Service, Via};

use super::ids::{
    BrokerId, BucketId, CallerId, DependencyId, ErrorId, EventBusId, FunctionId, MappingId, QueueId, StateMachineId,
    StateNameId, StreamId, Table, TopicId,
};
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
    /// The queues, in file order.
    pub queues: Table<QueueId, Queue>,
    /// The streams and Kafka topics, in file order.
    pub streams: Table<StreamId, Stream>,
    /// The queues of message brokers, in file order.
    pub brokers: Table<BrokerId, Broker>,
    /// The event source mappings, in file order.
    pub event_source_mappings: Table<MappingId, EventSourceMapping>,
    /// The topics, in file order.
    pub topics: Table<TopicId, Topic>,
    /// The event buses, in file order.
    pub event_buses: Table<EventBusId, EventBus>,
    /// The buckets, in file order.
    pub buckets: Table<BucketId, Bucket>,
    /// The dependencies, in file order.
    pub dependencies: Table<DependencyId, Dependency>,
    /// The state machines, in file order.
    pub state_machines: Table<StateMachineId, StateMachine>,
    /// Names of errors, in order of appearance.
    pub errors: Table<ErrorId, String>,
    /// Names of states, in order of appearance.
    pub state_names: Table<StateNameId, String>,
    /// Faults of the services themselves, in file order.
    pub faults: Vec<Fault>,
    /// Settings that change while it runs, in file order.
    pub changes: Vec<Change>,
}

impl System {
    /// The settings of all functions: at the start, and after each change.
    pub(crate) fn functions_over_time(&self) -> impl Iterator<Item = (FunctionId, &Function)> {
        self.functions.iter().chain(self.changes.iter().filter_map(|change| change.action.function()))
    }

    /// Whether a function makes calls at some time.
    pub(crate) fn has_calls(&self) -> bool {
        self.functions_over_time().any(|(_, function)| !function.calls.is_empty())
    }
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
    /// INV-E22: how late changed settings of asynchronous invocation take effect.
    pub configuration_propagation: SimDuration,
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

/// A fault of a service itself: it refuses requests with `status` (INV-T5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub at: FaultAt,
    /// 429 or a 5xx.
    pub status: u16,
    /// Judged for each request.
    pub probability: Ratio,
    /// From this moment on.
    pub from: Option<SimTime>,
    /// Before this moment.
    pub until: Option<SimTime>,
}

/// Which requests a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAt {
    /// Calls of the Invoke API for this function.
    Invoke(FunctionId),
    /// Attempts of the internal queue to run this function.
    Dispatch(FunctionId),
    /// What is sent or delivered to a queue, stream, topic, event bus or bucket.
    Send(Target),
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
    /// All settings of a queue.
    Queue(QueueId, Box<Queue>),
    /// All settings of a stream.
    Stream(StreamId, Box<Stream>),
    /// All settings of an event source mapping.
    Mapping(MappingId, Box<EventSourceMapping>),
    /// ESM-1.5: messages of a queue are moved on, at most so many a second.
    Redrive {
        /// From where.
        queue: QueueId,
        /// Where to.
        to: QueueId,
        /// How fast.
        rate: Rate,
    },
    /// All settings of a state machine; executions under way keep theirs.
    StateMachine(StateMachineId, Box<StateMachine>),
    /// All settings of a dependency.
    Dependency(DependencyId, Box<Dependency>),
    /// A caller's client.
    Client(CallerId, Box<Client>),
    /// INV-E15: new code; idle environments of the old are gone.
    Deploy(FunctionId),
}

impl ChangeAction {
    /// A function and its settings from now on.
    pub fn function(&self) -> Option<(FunctionId, &Function)> {
        if let Self::Function(id, settings) = self { Some((*id, settings)) } else { None }
    }

    /// A queue and its settings from now on.
    pub fn queue(&self) -> Option<(QueueId, &Queue)> {
        if let Self::Queue(id, settings) = self { Some((*id, settings)) } else { None }
    }

    /// A stream and its settings from now on.
    pub fn stream(&self) -> Option<(StreamId, &Stream)> {
        if let Self::Stream(id, settings) = self { Some((*id, settings)) } else { None }
    }

    /// A mapping and its settings from now on.
    pub fn mapping(&self) -> Option<(MappingId, &EventSourceMapping)> {
        if let Self::Mapping(id, settings) = self { Some((*id, settings)) } else { None }
    }

    /// A state machine and its settings from now on.
    pub fn state_machine(&self) -> Option<(StateMachineId, &StateMachine)> {
        if let Self::StateMachine(id, settings) = self { Some((*id, settings)) } else { None }
    }

    /// A dependency and its settings from now on.
    pub fn dependency(&self) -> Option<(DependencyId, &Dependency)> {
        if let Self::Dependency(id, settings) = self { Some((*id, settings)) } else { None }
    }

    /// A caller and its client from now on.
    pub fn client(&self) -> Option<(CallerId, &Client)> {
        if let Self::Client(id, settings) = self { Some((*id, settings)) } else { None }
    }
}
