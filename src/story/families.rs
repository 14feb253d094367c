//! Which events belong together: a submission and everything that came of it. Passive.
//!
//! Kept only while something of it is under way, and a little longer where deliveries may still come.

use std::collections::{BTreeMap, VecDeque};

use super::calls::{dependency_origin, outgoing_origin};
use super::front::front_origin;
use super::message::{Progress, message_origin};
use super::place::place_origin;
use super::record::{Written, broker_origin, reader_origin, stream_origin};
use super::words::Settings;
use crate::aws::config::{Source, Target};
use crate::aws::fact::{
    BrokerFact, DependencyFact, ExecutionFact, Fact, MappingFact, MessageFact, Origin, OutgoingFact, PlaceFact,
    ReaderFact, ReturnCause, RunOutcome, StreamFact,
};
use crate::aws::ids::{CallerId, Id as _};
use crate::kernel::time::{SimDuration, SimTime};

/// A caller and which of its submissions.
pub(crate) type Key = (CallerId, u64);

/// The submission of a fact that belongs to one.
pub(crate) fn origin(fact: &Fact) -> Option<&Origin> {
    match fact {
        Fact::CallSubmitted { origin }
        | Fact::AttemptSent { origin, .. }
        | Fact::AttemptAnswered { origin, .. }
        | Fact::AttemptTimedOut { origin, .. }
        | Fact::RetryScheduled { origin, .. }
        | Fact::RetryQuotaExhausted { origin }
        | Fact::CircuitOpen { origin }
        | Fact::CallFinished { origin, .. }
        | Fact::Throttled { origin, .. }
        | Fact::RunStarted { origin, .. }
        | Fact::RunEnded { origin, .. }
        | Fact::EventAccepted { origin, .. }
        | Fact::EventDispatched { origin, .. }
        | Fact::DispatchRefused { origin, .. }
        | Fact::EventDuplicated { origin, .. }
        | Fact::EventReturned { origin, .. }
        | Fact::EventEnded { origin, .. } => Some(origin),
        Fact::Delivered { record, .. } | Fact::DeliveryRetried { record, .. } | Fact::DeliveryFailed { record, .. } => {
            Some(&record.origin)
        }
        Fact::Message(fact) => message_origin(fact),
        Fact::Mapping(fact) => mapping_origin(fact),
        Fact::Stream(fact) => stream_origin(fact),
        Fact::Broker(fact) => Some(broker_origin(fact)),
        Fact::Reader(fact) => reader_origin(fact),
        Fact::Front(fact) => Some(front_origin(fact)),
        Fact::Execution(fact) => Some(fact.about().1),
        Fact::Place(fact) => Some(place_origin(fact)),
        Fact::Outgoing(fact) => Some(outgoing_origin(fact)),
        Fact::Dependency(fact) => dependency_origin(fact),
        Fact::EnvironmentCreated { .. }
        | Fact::EnvironmentEnded { .. }
        | Fact::EnvironmentReset { .. }
        | Fact::ProvisionedRequested { .. }
        | Fact::ProvisionedAllocated { .. }
        | Fact::ProvisionedInitialized { .. }
        | Fact::ProvisionedFailed { .. }
        | Fact::AccountAllocated { .. } => None,
    }
}

/// The record that a fact about a mapping is about; the first of its batch for a fact about a batch.
fn mapping_origin(fact: &MappingFact) -> Option<&Origin> {
    match fact {
        MappingFact::FilteredOut { origin, .. }
        | MappingFact::Batched { origin, .. }
        | MappingFact::BatchFormed { origin, .. }
        | MappingFact::BatchInvoked { origin, .. }
        | MappingFact::BatchRefused { origin, .. }
        | MappingFact::BatchEnded { origin, .. } => Some(origin),
        MappingFact::Polled { .. } | MappingFact::PolledEmpty { .. } | MappingFact::Pollers { .. } => None,
    }
}

/// The submission that an origin names.
pub(crate) fn key(origin: &Origin) -> Key {
    (origin.caller, origin.submission)
}

/// What is remembered of an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Event<T> {
    /// 0 for the submission itself, then in order of acceptance.
    pub(super) number: u32,
    /// Times that the internal queue asked for a run.
    pub(super) dispatches: u32,
    /// Times that it went back to the queue for a function error.
    pub(super) retries: u32,
    /// Whether two of its runs have one number.
    pub(super) is_duplicated: bool,
    /// Its message, where it is or became one.
    pub(super) message: Progress,
    /// Its record, where it is or became one.
    pub(super) written: Written,
    /// The topic, event bus or bucket that has it.
    pub(super) place: Option<Target>,
    /// Time-out that cut its last run that was cut.
    pub(super) timed_out: Option<SimDuration>,
    /// What an observer keeps with it.
    pub(super) extra: T,
}

/// A submission and everything that came of it.
#[derive(Clone, Debug)]
struct Family<T> {
    /// By branch.
    events: BTreeMap<u32, Event<T>>,
    /// Calls, executions, events, messages, receives, runs, and records times those who read them, under way.
    open: u32,
    /// The last number given to an event.
    last: u32,
    /// Its last fact.
    touched: SimTime,
}

/// How many are under way from a fact on, and how many no more.
#[allow(clippy::wildcard_enum_match_arm, reason = "a few facts begin or end something")]
fn change(fact: &Fact, readers: &Readers, is_record: bool) -> (u32, u32) {
    match *fact {
        Fact::CallSubmitted { .. }
        | Fact::RunStarted { .. }
        | Fact::EventAccepted { .. }
        | Fact::Execution(ExecutionFact::Started { .. })
        | Fact::Outgoing(OutgoingFact::Submitted { .. })
        | Fact::Dependency(DependencyFact::Arrived { .. })
        | Fact::Message(MessageFact::Sent { .. } | MessageFact::Received { .. })
        // The last run of a window, also when it is tried again.
        | Fact::Reader(ReaderFact::WindowEnded { .. } | ReaderFact::RetryScheduled { records: 0, .. }) => (1, 0),
        Fact::Stream(StreamFact::Put { stream, .. }) => (readers.of(Source::Stream(stream)), 0),
        Fact::Broker(BrokerFact::Received { broker, .. }) => (readers.of(Source::Broker(broker)), 0),
        Fact::Place(PlaceFact::Received { deliveries, .. }) => (deliveries, 0),
        Fact::CallFinished { .. }
        | Fact::RunEnded { .. }
        | Fact::EventEnded { .. }
        | Fact::Execution(ExecutionFact::Ended { .. })
        | Fact::Outgoing(OutgoingFact::Finished { .. })
        | Fact::Dependency(DependencyFact::Served { .. } | DependencyFact::Abandoned { gone: true, silent: false, .. })
        | Fact::Place(PlaceFact::Delivered { .. } | PlaceFact::DeliveryFailed { .. })
        | Fact::Message(MessageFact::Deleted { .. } | MessageFact::Expired { .. })
        // What was received is held until then.
        | Fact::Mapping(MappingFact::FilteredOut { .. } | MappingFact::BatchRefused { due: None, .. })
        | Fact::Stream(StreamFact::Expired { .. })
        | Fact::Broker(BrokerFact::Expired { .. })
        | Fact::Reader(ReaderFact::RecordEnded { .. }) => (0, 1),
        Fact::Mapping(MappingFact::BatchEnded { records, .. }) => (0, u32::from(!is_record || records == 0)),
        _ => (0, 0),
    }
}

/// How many read each stream and each broker; a record without readers ends with its retention.
#[derive(Clone, Debug, Default)]
struct Readers {
    streams: Vec<u32>,
    brokers: Vec<u32>,
}

impl Readers {
    fn new(settings: Settings<'_>) -> Self {
        let count = |source| u32::try_from(settings.groups_of(source).len()).unwrap_or(u32::MAX);
        Self {
            streams: settings.0.streams.ids().map(|id| count(Source::Stream(id))).collect(),
            brokers: settings.0.brokers.ids().map(|id| count(Source::Broker(id))).collect(),
        }
    }

    fn of(&self, source: Source) -> u32 {
        let count = match source {
            Source::Stream(id) => self.streams.get(id.index()),
            Source::Broker(id) => self.brokers.get(id.index()),
            Source::Queue(_) => None,
        };
        count.copied().unwrap_or(1).max(1)
    }
}

/// The submissions under way.
#[derive(Clone, Debug)]
pub(super) struct Families<'a, T> {
    settings: Option<Settings<'a>>,
    readers: Readers,
    open: BTreeMap<Key, Family<T>>,
    /// Submissions that may be over, in order of time.
    closing: VecDeque<(SimTime, Key)>,
    /// How long deliveries may still come.
    grace: SimDuration,
}

impl<'a, T: Default> Families<'a, T> {
    /// Before the first fact. After the end of all events, deliveries may come for `grace`.
    pub(super) fn new(grace: SimDuration) -> Self {
        let readers = Readers::default();
        Self { settings: None, readers, open: BTreeMap::new(), closing: VecDeque::new(), grace }
    }

    /// Before the first fact of a run with these settings.
    pub(super) fn of(settings: Settings<'a>) -> Self {
        let readers = Readers::new(settings);
        Self { settings: Some(settings), readers, ..Self::new(settings.grace()) }
    }

    /// A fact about a submission; gives what is known of its event.
    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts begin or end something")]
    pub(super) fn note(&mut self, now: SimTime, origin: &Origin, fact: &Fact) -> &mut Event<T> {
        self.forget(now);
        let key = key(origin);
        let new = || Family { events: BTreeMap::new(), open: 0, last: 0, touched: now };
        let family = self.open.entry(key).or_insert_with(new);
        family.touched = now;
        let is_record = family.events.get(&origin.branch).is_some_and(|event| event.written.is_one());
        let (more, fewer) = change(fact, &self.readers, is_record);
        family.open = family.open.saturating_add(more).saturating_sub(fewer);
        if family.open == 0 {
            self.closing.push_back((now, key));
        }
        let last = &mut family.last;
        let event = family.events.entry(origin.branch).or_insert_with(|| {
            let number = if origin.branch == 0 { 0 } else { *last + 1 };
            *last = number.max(*last);
            Event { number, ..Event::default() }
        });
        // ESM-C9: the same run of a message a second time.
        event.is_duplicated |= matches!(fact, Fact::RunStarted { run, .. } if event.message.has_begun(*run));
        event.message.note(now, fact);
        let settings = self.settings;
        event.written.note(now, fact, |mapping| {
            let polling = settings.map(|settings| &settings.mapping_at(mapping, now).stream);
            polling.map_or((false, false), |polling| {
                (polling.bisect_batch_on_function_error, polling.bisect_resets_retries)
            })
        });
        match *fact {
            Fact::Place(PlaceFact::Received { place, .. }) => event.place = Some(place),
            Fact::EventDispatched { .. } => event.dispatches += 1,
            Fact::EventDuplicated { .. } => event.is_duplicated = true,
            Fact::EventReturned { cause: ReturnCause::FunctionError, .. } => event.retries += 1,
            Fact::RunEnded { duration, outcome: RunOutcome::Timeout, .. } => event.timed_out = Some(duration),
            _ => {}
        }
        event
    }

    /// What is known of an event of a submission.
    pub(super) fn event(&mut self, key: Key, branch: u32) -> Option<&mut Event<T>> {
        self.open.get_mut(&key)?.events.get_mut(&branch)
    }

    /// Whether something of the submission may still come.
    pub(super) fn is_open(&self, key: Key) -> bool {
        self.open.contains_key(&key)
    }

    /// Forgets what is over by `now`.
    pub(super) fn forget(&mut self, now: SimTime) {
        while let Some(&(at, key)) = self.closing.front()
            && at.plus(self.grace) < now
        {
            self.closing.pop_front();
            if self.open.get(&key).is_some_and(|family| family.open == 0 && family.touched == at) {
                self.open.remove(&key);
            }
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}
