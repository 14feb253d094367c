//! Which events belong together: a submission and everything that came of it. Passive.
//!
//! Kept only while something of it is under way, and a little longer where deliveries may still come.

use std::collections::{BTreeMap, VecDeque};

use super::message::{Progress, message_origin};
use crate::aws::fact::{Fact, MappingFact, MessageFact, Origin, ReturnCause, RunOutcome};
use crate::aws::ids::CallerId;
use crate::kernel::time::{SimDuration, SimTime};

/// A caller and which of its submissions.
pub(super) type Key = (CallerId, u64);

/// The submission of a fact that belongs to one.
pub(super) fn origin(fact: &Fact) -> Option<&Origin> {
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
pub(super) fn key(origin: &Origin) -> Key {
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
    /// Calls, events, messages, receives and runs under way.
    open: u32,
    /// The last number given to an event.
    last: u32,
    /// Its last fact.
    touched: SimTime,
}

/// What a fact says of what is under way.
enum Change {
    Begins,
    Ends,
    Neither,
}

#[allow(clippy::wildcard_enum_match_arm, reason = "a few facts begin or end something")]
fn change(fact: &Fact) -> Change {
    match fact {
        Fact::CallSubmitted { .. }
        | Fact::RunStarted { .. }
        | Fact::EventAccepted { .. }
        | Fact::Message(MessageFact::Sent { .. } | MessageFact::Received { .. }) => Change::Begins,
        Fact::CallFinished { .. }
        | Fact::RunEnded { .. }
        | Fact::EventEnded { .. }
        | Fact::Message(MessageFact::Deleted { .. } | MessageFact::Expired { .. })
        // What was received is held until then.
        | Fact::Mapping(
            MappingFact::FilteredOut { .. }
            | MappingFact::BatchEnded { .. }
            | MappingFact::BatchRefused { due: None, .. },
        ) => Change::Ends,
        _ => Change::Neither,
    }
}

/// The submissions under way.
#[derive(Clone, Debug)]
pub(super) struct Families<T> {
    open: BTreeMap<Key, Family<T>>,
    /// Submissions that may be over, in order of time.
    closing: VecDeque<(SimTime, Key)>,
    /// How long deliveries may still come.
    grace: SimDuration,
}

impl<T: Default> Families<T> {
    /// Before the first fact. After the end of all events, deliveries may come for `grace`.
    pub(super) fn new(grace: SimDuration) -> Self {
        Self { open: BTreeMap::new(), closing: VecDeque::new(), grace }
    }

    /// A fact about a submission; gives what is known of its event.
    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts begin or end something")]
    pub(super) fn note(&mut self, now: SimTime, origin: &Origin, fact: &Fact) -> &mut Event<T> {
        self.forget(now);
        let key = key(origin);
        let new = || Family { events: BTreeMap::new(), open: 0, last: 0, touched: now };
        let family = self.open.entry(key).or_insert_with(new);
        family.touched = now;
        match change(fact) {
            Change::Begins => family.open += 1,
            Change::Ends => family.open = family.open.saturating_sub(1),
            Change::Neither => {}
        }
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
        match *fact {
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
