//! Everything that can fall due, and the order of what falls due at one instant.
//!
//! Arrivals of open loops are not among the events: each caller is a source of the agenda.

use super::fact::{Fact, Observer};
use super::ids::{
    BatchId, BufferId, CallId, CallerId, ChainId, DeliveryId, EnvironmentId, EventId, ExecutionId, FunctionId, Id,
    MappingId, OutgoingId, QueueId, ReaderId, RelayId, RequestId, StreamId, ThreadId, UserId, WorkerId,
};
use crate::kernel::engine::Agenda;
use crate::kernel::time::SimTime;

/// What falls due. An event carries the id of what it concerns; the rest stands in that one's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The next settings change.
    Change(u32),
    /// A run ends and its environment is free.
    RunEnded(EnvironmentId),
    /// The answer leaves while extensions still hold the environment (INV-E9).
    Replied(EnvironmentId),
    /// A user of a closed loop has thought enough.
    UserReady(UserId),
    /// A client tries again.
    RetryDue(CallId),
    /// The adaptive limiter may have a token.
    LimiterDue(CallerId),
    /// A client gives up waiting.
    TimedOut(CallId),
    /// An event of the internal queue is dispatched.
    DispatchDue(EventId),
    /// An event of the internal queue reaches its maximum age.
    EventExpired(EventId),
    /// The next attempt of a delivery.
    DeliveryDue(DeliveryId),
    /// The settings of asynchronous invocation in a settings change take effect (INV-E22).
    Propagated(u32),
    /// Something inside the services. One variant for all of it: with a second enum inside, an event would take 12 bytes.
    Service(ServiceEvent),
}

/// What falls due at queues, streams and mappings, and of provisioned concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceEvent {
    /// Long polls that wait at a queue may have messages.
    MessagesReady(QueueId),
    /// A mapping begins to poll.
    MappingEnabled(MappingId),
    /// The next message of a redrive task.
    RedriveDue(QueueId),
    /// What a batch waits for.
    BatchDue(BatchId),
    /// A mapping may need more pollers, or fewer.
    ScalingDue(MappingId),
    /// Provisioned pollers of a mapping that were held back.
    PaceDue(MappingId),
    /// Idle pollers of a mapping may retire.
    IdleDue(MappingId),
    /// A mapping begins to read a stream or a broker.
    ReadingEnabled(MappingId),
    /// A shard is read.
    ReaderDue(ReaderId),
    /// What a batch of a stream's records waits for.
    WorkerDue(WorkerId),
    /// A Kafka mapping may need more consumers or pollers, or fewer.
    ConsumersLookedAt(MappingId),
    /// Consumers that were asked for are there.
    ConsumersDue(MappingId),
    /// A stream on demand has its new shards.
    CapacityDue(StreamId),
    /// The interval of a buffer of Firehose is over.
    BufferIntervalOver(CallerId),
    /// A closed buffer of Firehose is tried again.
    BufferPauseOver(BufferId),
    /// Firehose gives up waiting for a function.
    BufferTimedOut(BufferId),
    /// What an execution waits for: a wait, a retry, a state transition.
    ThreadDue(ThreadId),
    /// A task waits for its function no longer.
    TaskTimedOut(ThreadId),
    /// An execution has taken as long as it may.
    ExecutionTimedOut(ExecutionId),
    /// The next attempt of a delivery of a topic, an event bus or a bucket.
    RelayDue(RelayId),
    /// A request leaves service at a dependency.
    RequestServed(RequestId),
    /// What a call of a run waits for.
    CallDue(OutgoingId),
    /// The function's time-out cuts a run that waits for its calls.
    CallsTimedOut(ChainId),
    /// Idle environments of a function may be given up.
    EnvironmentsIdle(FunctionId),
    /// Something about provisioned concurrency.
    Provisioned(Provisioned),
}

/// What falls due in provisioned concurrency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioned {
    /// The next step of a schedule.
    Scheduled(FunctionId),
    /// Units are ready.
    Ready(FunctionId),
    /// A unit is initialised again.
    Recovered(EnvironmentId),
    /// A minute of the metrics is over.
    Minute(FunctionId),
}

impl Event {
    /// Something about provisioned concurrency.
    pub(crate) const fn provisioned(event: Provisioned) -> Self {
        Self::Service(ServiceEvent::Provisioned(event))
    }
}

/// The order of events at one instant, before their order in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Configuration changes.
    Change = 0,
    /// Ends and replies, which free concurrency.
    End = 1,
    /// Arrivals, retries and dispatches falling due.
    Arrival = 2,
    /// Time-outs.
    Timer = 3,
    /// Scaling decisions.
    Scaling = 4,
}

/// What a machine needs of the world to act: the moment, what is due, and who listens.
#[derive(Debug)]
pub(crate) struct Context<'a, O> {
    pub(crate) now: SimTime,
    pub(crate) agenda: &'a mut Agenda<Event>,
    pub(crate) observer: &'a mut O,
}

impl<O: Observer> Context<'_, O> {
    /// Something will fall due. `order` is the resource's place in the file.
    #[inline(never)]
    pub(crate) fn schedule(&mut self, at: SimTime, class: Class, order: u32, event: Event) {
        self.schedule_inline(at, class, order, event);
    }

    /// As [`Context::schedule`], for the one place that every run passes.
    #[inline(always)]
    pub(crate) fn schedule_inline(&mut self, at: SimTime, class: Class, order: u32, event: Event) {
        // Odd: an arrival of the same class and place in the file goes before.
        self.agenda.calendar.push(at, rank(class, order) | 1, event);
    }

    /// Takes the next of what falls due at this moment in this class and for the same resource.
    pub(crate) fn also_due(&mut self, class: Class, order: u32) -> Option<Event> {
        self.agenda.calendar.pop_before_rank(self.now, (rank(class, order) | 1) + 1).map(|(_, event)| event)
    }

    /// An open loop submits next at this moment, or never again.
    #[inline(always)]
    pub(crate) fn schedule_arrival(&mut self, caller: CallerId, order: u32, at: Option<SimTime>) {
        #[allow(clippy::cast_possible_truncation, reason = "ids are 32 bits")]
        let source = caller.index() as u32;
        match at {
            Some(at) => self.agenda.sources.set(source, at, rank(Class::Arrival, order)),
            None => self.agenda.sources.clear(source),
        }
    }

    /// Something happened.
    #[inline(always)]
    pub(crate) fn state(&mut self, fact: &Fact) {
        self.observer.observe(self.now, fact);
    }
}

/// Class, then place in the file; even.
#[inline(always)]
const fn rank(class: Class, order: u32) -> u32 {
    (class as u32) << 28 | order << 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calendar copies events with everything that it does; more bytes slow down every scenario.
    #[test]
    fn events_stay_small() {
        assert_eq!(size_of::<Event>(), 8);
    }
}
