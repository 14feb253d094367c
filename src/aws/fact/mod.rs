//! Everything that can be observed: what happened, in the past tense, complete.
//!
//! Machines count nothing for reports; they state facts, and whoever listens counts.

mod asynchronous;
mod calls;
mod executions;
mod fronts;
mod messages;
mod places;
mod streams;
mod words;

pub use asynchronous::{Condition, DeliveryError, DeliveryKind, Record, Response, ReturnCause};
pub use calls::{DependencyFact, OutgoingFact, Rejection};
pub use executions::{ExecutionFact, ExecutionStatus, TransitionCause};
pub use fronts::FrontFact;
pub use messages::{Complete, Levels, MappingFact, MessageFact, MessageState};
pub use places::{PlaceDelivery, PlaceFact, PlaceFailure, Undelivered};
pub use streams::{BrokerFact, DiscardCondition, Notice, ReaderFact, RecordFate, StreamFact, WindowEnd};
pub use words::{Answer, Capacity, InitPhase, Outcome, RunOutcome, ThrottleReason};

use super::config::Target;
use super::ids::{CallerId, ErrorId, FunctionId};
use crate::kernel::rng::StreamKey;
use crate::kernel::time::{SimDuration, SimTime};

/// Listens to a run. Resolved at compile time: what it does not look at costs nothing.
pub trait Observer {
    /// `fact` happened at `now`. Facts of one function, and of one caller, come in order of time;
    /// the end of idle environments is noticed when the function is next looked at and carries its own moment.
    fn observe(&mut self, now: SimTime, fact: &Fact);

    /// The next moment at which it wants to look at what it knows: [`pause`](Self::pause) is called when everything
    /// before that moment has happened. Facts that carry an earlier moment of their own may still come.
    fn pauses_at(&self) -> SimTime {
        SimTime::MAX
    }

    /// Everything before the moment of the pause has happened.
    fn pause(&mut self) {}
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

    fn pauses_at(&self) -> SimTime {
        self.0.pauses_at().min(self.1.pauses_at())
    }

    fn pause(&mut self) {
        let at = self.pauses_at();
        if self.0.pauses_at() == at {
            self.0.pause();
        }
        if self.1.pauses_at() == at {
            self.1.pause();
        }
    }
}

/// The submission that a fact belongs to, and which of the events that came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whose.
    pub caller: CallerId,
    /// 0 for the submission itself; another number for each event that follows from it, such as one sent by a
    /// destination. It depends on the way to the event alone.
    pub branch: u32,
    /// Which of the caller's, 1 = first.
    pub submission: u64,
    /// When it was submitted: decides whether it is measured.
    pub submitted: SimTime,
}

impl Origin {
    /// What a service sends on when it gives up: an event of its own, of the same submission.
    pub(crate) fn following(self) -> Self {
        const FOLLOWING: u64 = 0xf0;
        let branch = StreamKey::from_word(u64::from(self.branch)).half_word(FOLLOWING);
        Self { branch: branch.max(1), ..self }
    }
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
        /// The name of its error, where the scenario gives one.
        error: Option<ErrorId>,
        /// What it ran on, by the settings at its end (INV-C11).
        capacity: Capacity,
        /// When its client gave up waiting, if it did.
        abandoned: Option<SimTime>,
    },
    /// An event was accepted into a function's internal queue (INV-Q1).
    EventAccepted {
        /// Which event.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// The branch of the event whose record it is, for an event that a destination sent.
        parent: Option<u32>,
        /// Size of the event, bytes.
        payload_bytes: u64,
    },
    /// The internal queue asks for a run of an event; what comes of it is the next fact of the event.
    EventDispatched {
        /// Which event.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// When it was accepted: from here its age counts (INV-Q11).
        accepted: SimTime,
        /// Since when it waits in the queue: its acceptance, or the end of its last run.
        queued: SimTime,
    },
    /// A dispatch was refused by a fault of the service.
    DispatchRefused {
        /// Which event.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// HTTP status of the refusal.
        status: u16,
    },
    /// A run of the event started a second time (INV-Q6); the result of that second run decides nothing.
    EventDuplicated {
        /// Which event.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// Which run of the event.
        run: u32,
    },
    /// The event went back to the queue and will be dispatched again.
    EventReturned {
        /// Which event.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// Why.
        cause: ReturnCause,
        /// When it is due.
        due: SimTime,
    },
    /// An event ended: it has its fate.
    EventEnded {
        /// Which event.
        origin: Origin,
        /// The function.
        function: FunctionId,
        /// When it was accepted.
        accepted: SimTime,
        /// How.
        condition: Condition,
        /// Runs of the handler.
        runs: u32,
    },
    /// A dead-letter queue or destination has received an event.
    Delivered {
        /// What was delivered.
        record: Record,
        /// To whom.
        to: Target,
    },
    /// A delivery was refused and will be tried again.
    DeliveryRetried {
        /// What is delivered.
        record: Record,
        /// To whom.
        to: Target,
        /// Why it was refused.
        error: DeliveryError,
        /// When it is tried again.
        due: SimTime,
    },
    /// A delivery failed for good (INV-O4): what was to be delivered is gone.
    DeliveryFailed {
        /// What was to be delivered.
        record: Record,
        /// To whom.
        to: Target,
        /// Why.
        error: DeliveryError,
    },
    /// Something happened to a message in a queue.
    Message(MessageFact),
    /// A mapping did something.
    Mapping(MappingFact),
    /// Something happened to a stream or a record of it.
    Stream(StreamFact),
    /// Something happened to a message at a broker.
    Broker(BrokerFact),
    /// A mapping of a stream, a Kafka topic or a broker did something.
    Reader(ReaderFact),
    /// A service before a function did something.
    Front(FrontFact),
    /// Something happened in a topic, an event bus or a bucket.
    Place(PlaceFact),
    /// Something happened in an execution of a state machine.
    Execution(ExecutionFact),
    /// A call that a run makes did something.
    Outgoing(OutgoingFact),
    /// Something happened at a dependency.
    Dependency(DependencyFact),
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
