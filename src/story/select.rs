//! Which event a story is told of.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::batches::Batches;
use super::families::{Key, key, origin};
use super::step::caller_named;
use crate::aws::fact::{
    BrokerFact, Condition, DeliveryKind, ExecutionFact, ExecutionStatus, Fact, FrontFact, MappingFact, MessageFact,
    Notice, Observer, Origin, Outcome, PlaceFact, ReaderFact, RecordFate, StreamFact, Undelivered,
};
use crate::aws::ids::{CallerId, Id as _, MappingId};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

/// What picks an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The first event of the first caller.
    Default,
    /// A submission of a caller, 1 = first.
    Event(CallerId, u64),
    /// The first with this fate.
    First(Fate),
    /// The longest from its submission to its last fate.
    Slowest,
}

impl Selection {
    /// What is said when there is no such event.
    pub const fn nothing(self) -> &'static str {
        match self {
            Self::First(fate) => fate.nothing(),
            Self::Slowest => "no call and no event came to an end",
            Self::Default | Self::Event(..) => "there is no such event",
        }
    }
}

/// What can happen to an event, or to one that came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A dead-letter queue received it, or part of it, or the on-failure destination of a mapping received word of it.
    DeadLettered,
    /// It was accepted and ended without success, as an event or an execution. A message does so in a dead-letter queue, or with its retention; a
    /// record when a mapping gives it up, or with its retention.
    Dropped,
    /// It was refused for want of concurrency or rate.
    Throttled,
    /// It ended without success: a call, an event, or an execution.
    Failed,
    /// It was run once more although no run of it had failed.
    Duplicated,
}

impl Fate {
    /// What is said when nothing had this fate.
    const fn nothing(self) -> &'static str {
        match self {
            Self::DeadLettered => "no event was dead-lettered",
            Self::Dropped => "no event was dropped",
            Self::Throttled => "nothing was throttled",
            Self::Failed => "no call and no event failed",
            Self::Duplicated => "no event was duplicated",
        }
    }

    /// Whether a fact gives an event this fate.
    #[allow(clippy::wildcard_enum_match_arm, reason = "each fate is met by few facts")]
    fn is_met(self, fact: &Fact) -> bool {
        match (self, fact) {
            (Self::DeadLettered, Fact::Delivered { record, .. }) => record.kind == DeliveryKind::DeadLetterQueue,
            (Self::DeadLettered, Fact::Front(FrontFact::DeadLettered { refused, .. })) => refused.is_none(),
            (Self::DeadLettered, Fact::Place(PlaceFact::DeliveryFailed { fate, .. })) => {
                matches!(fate, Undelivered::DeadLettered(_))
            }
            (Self::DeadLettered, Fact::Broker(BrokerFact::DeadLettered { to, .. })) => to.is_some(),
            (Self::DeadLettered, Fact::Reader(ReaderFact::Discarded { notice, records, .. })) => {
                *records > 0 && matches!(notice, Notice::Delivered(_))
            }
            (Self::Dropped | Self::Failed, Fact::Reader(ReaderFact::RecordEnded { fate, .. })) => {
                *fate != RecordFate::Succeeded
            }
            (Self::Dropped | Self::Failed, Fact::EventEnded { condition, .. }) => *condition != Condition::Success,
            (Self::Dropped | Self::Failed, Fact::Execution(ExecutionFact::Ended { status, .. })) => {
                *status != ExecutionStatus::Succeeded
            }
            (Self::Failed, Fact::CallFinished { outcome, .. }) => {
                !matches!(outcome, Outcome::Success | Outcome::Accepted)
            }
            (Self::DeadLettered | Self::Dropped | Self::Failed, Fact::Message(MessageFact::Moved { .. }))
            | (
                Self::Dropped | Self::Failed,
                Fact::Message(MessageFact::Expired { .. })
                | Fact::Place(PlaceFact::DeliveryFailed { .. })
                | Fact::Stream(StreamFact::Expired { .. })
                | Fact::Broker(BrokerFact::Expired { .. }),
            )
            | (
                Self::Throttled,
                Fact::Throttled { .. }
                | Fact::Stream(StreamFact::WriteThrottled { .. })
                | Fact::Front(FrontFact::Limited { .. }),
            )
            | (Self::Duplicated, Fact::EventDuplicated { .. }) => true,
            _ => false,
        }
    }
}

/// Why a name names no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Lower case, without a full stop.
    pub message: String,
    /// What helps.
    pub help: Option<String>,
}

/// Reads `CALLER#N`, also with the `/K` of an event that came of it.
///
/// # Errors
/// Where it has another form, or the scenario has no such caller.
pub fn event_named(scenario: &Scenario, text: &str) -> Result<Selection, Unknown> {
    let form = |message: String| Unknown { message, help: Some("write CALLER#N, for example buyers#1".to_owned()) };
    let Some((name, number)) = text.rsplit_once('#') else {
        return Err(form(format!("`{text}` names no event")));
    };
    let Some(caller) = caller_named(scenario, name) else {
        let names = || scenario.system.callers.rows().iter().map(|caller| caller.name.as_str());
        let near = names().min_by_key(|known| strsim::damerau_levenshtein(known, name));
        let near = near.filter(|known| strsim::damerau_levenshtein(known, name) <= (known.len().max(3)) / 3);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its callers: {}", names().take(10).collect::<Vec<_>>().join(", ")),
        };
        return Err(Unknown { message: format!("there is no caller `{name}`"), help: Some(help) });
    };
    let (submission, part) = number.split_once('/').unwrap_or((number, "1"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match submission.parse() {
        Ok(0) => Err(form(format!("`{text}`: a caller's first event has the number 1"))),
        Ok(submission) if is_number(number.split('/').next().unwrap_or_default()) && is_number(part) => {
            Ok(Selection::Event(caller, submission))
        }
        _ => Err(form(format!("`{text}`: `{number}` is no number of an event"))),
    }
}

/// Finds the event that a selection picks.
#[derive(Clone, Debug)]
pub struct Finder {
    fate: Option<Fate>,
    found: Option<Key>,
    longest: Option<SimDuration>,
    twice: Twice,
}

/// Looks for messages and records that run again although no run of them has failed.
#[derive(Clone, Debug, Default)]
struct Twice {
    batches: Batches,
    /// Those whose last run goes on or succeeded: by caller, submission and branch, a record for each mapping.
    ran: BTreeSet<(Key, u32, Option<MappingId>)>,
}

impl Twice {
    /// The first that a fact lets run once more.
    fn observe(&mut self, fact: &Fact) -> Option<Key> {
        // ESM-C9.
        if self.batches.is_repeated(fact) {
            return origin(fact).map(key);
        }
        let others = self.batches.others(fact, |_| 1);
        [fact].into_iter().chain(&others).find_map(|fact| self.note(fact, origin(fact)?))
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "few facts tell whether a message runs")]
    fn note(&mut self, fact: &Fact, origin: &Origin) -> Option<Key> {
        let of = |mapping| (key(origin), origin.branch, mapping);
        match *fact {
            Fact::Mapping(MappingFact::BatchInvoked { batch, mapping, records: 1.., .. }) => {
                let ran = of(self.batches.is_read(batch).then_some(mapping));
                return (!self.ran.insert(ran)).then_some(ran.0);
            }
            Fact::Message(
                MessageFact::Sent { .. }
                | MessageFact::Deleted { .. }
                | MessageFact::Moved { .. }
                | MessageFact::Expired { .. },
            ) => {
                self.ran.remove(&of(None));
            }
            Fact::Mapping(MappingFact::BatchEnded { failed, mapping, .. }) if failed > 0 => {
                self.ran.remove(&of(None));
                self.ran.remove(&of(Some(mapping)));
            }
            Fact::Mapping(MappingFact::BatchRefused { mapping, .. })
            | Fact::Reader(ReaderFact::RecordEnded { mapping, .. }) => {
                self.ran.remove(&of(Some(mapping)));
            }
            _ => {}
        }
        None
    }
}

impl Finder {
    /// For a selection that needs a run to be known; the event itself where it does not.
    ///
    /// # Errors
    /// Never; the event stands in the place of the error.
    pub fn new(selection: Selection) -> Result<Self, Key> {
        let finder = |fate| Self { fate, found: None, longest: None, twice: Twice::default() };
        match selection {
            Selection::Default => Err((CallerId::from_index(0), 1)),
            Selection::Event(caller, submission) => Err((caller, submission)),
            Selection::First(fate) => Ok(finder(Some(fate))),
            Selection::Slowest => Ok(finder(None)),
        }
    }

    /// The event that was found so far.
    pub fn found(&self) -> Option<Key> {
        self.found
    }

    /// Whether nothing to come can change what was found.
    pub fn is_certain(&self) -> bool {
        self.fate.is_some() && self.found.is_some()
    }
}

impl Observer for Finder {
    #[allow(clippy::wildcard_enum_match_arm, reason = "few facts are a last fate")]
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if let Some(fate) = self.fate {
            if self.found.is_none() && fate.is_met(fact) {
                self.found = origin(fact).map(key);
            }
            if self.found.is_none() && fate == Fate::Duplicated {
                self.found = self.twice.observe(fact);
            }
            return;
        }
        let (origin, at) = match fact {
            Fact::CallFinished { origin, .. }
            | Fact::EventEnded { origin, .. }
            | Fact::Execution(ExecutionFact::Ended { origin, .. })
            | Fact::Message(MessageFact::Deleted { origin, .. } | MessageFact::Moved { origin, .. })
            | Fact::Mapping(MappingFact::FilteredOut { origin, .. })
            | Fact::Reader(ReaderFact::RecordEnded { origin, .. }) => (origin, now),
            Fact::Message(MessageFact::Expired { origin, at, .. })
            | Fact::Stream(StreamFact::Expired { origin, at, .. })
            | Fact::Broker(BrokerFact::Expired { origin, at, .. }) => (origin, *at),
            Fact::Place(PlaceFact::Delivered { delivery, .. } | PlaceFact::DeliveryFailed { delivery, .. }) => {
                (&delivery.origin, now)
            }
            _ => return,
        };
        let took = at.since(origin.submitted);
        if self.longest.is_none_or(|longest| took > longest) {
            (self.longest, self.found) = (Some(took), Some(key(origin)));
        }
    }
}

/// An observer that can be looked at while it listens.
#[derive(Debug)]
pub struct Shared<'a, O>(pub &'a RefCell<O>);

impl<O: Observer> Observer for Shared<'_, O> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        self.0.borrow_mut().observe(now, fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fact::RunOutcome;
    use crate::aws::ids::QueueId;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO.plus(SimDuration::from_secs(seconds))
    }

    fn origin(submission: u64) -> Origin {
        Origin { caller: CallerId::from_index(0), branch: 0, submission, submitted: SimTime::ZERO }
    }

    fn queue() -> QueueId {
        QueueId::from_index(0)
    }

    /// A batch of these messages runs.
    fn invoked(batch: u64, messages: &[u64]) -> Vec<Fact> {
        let mapping = MappingId::from_index(0);
        let batched = |message: &u64| Fact::Mapping(MappingFact::Batched { origin: origin(*message), mapping, batch });
        let mut facts: Vec<_> = messages.iter().map(batched).collect();
        let (origin, records) = (origin(messages[0]), u32::try_from(messages.len()).unwrap());
        facts.push(Fact::Mapping(MappingFact::BatchInvoked { origin, mapping, batch, records, repeated: 0 }));
        facts
    }

    /// Its run ends.
    fn ended(batch: u64, first: u64, records: u32, failed: u32) -> Fact {
        let (origin, mapping) = (origin(first), MappingId::from_index(0));
        let outcome = if failed == records { RunOutcome::Error } else { RunOutcome::Success };
        let unreadable = false;
        Fact::Mapping(MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, unreadable })
    }

    fn found(selection: Selection, facts: &[(u64, Fact)]) -> Option<u64> {
        let mut finder = Finder::new(selection).unwrap();
        for (seconds, fact) in facts {
            finder.observe(at(*seconds), fact);
        }
        finder.found().map(|(_, submission)| submission)
    }

    #[test]
    fn a_message_that_runs_again_without_a_failure_is_duplicated() {
        let twice = |facts: Vec<Fact>| {
            let facts: Vec<_> = facts.into_iter().map(|fact| (0, fact)).collect();
            found(Selection::First(Fate::Duplicated), &facts)
        };
        let first = invoked(1, &[1, 2]);
        // While its run goes on, also if it was not the first of its batch.
        assert_eq!(twice([first.clone(), invoked(2, &[3, 2])].concat()), Some(2));
        // After a success that did not delete it.
        assert_eq!(twice([first.clone(), vec![ended(1, 1, 2, 0)], invoked(2, &[2])].concat()), Some(2));
        // Not after a failure.
        assert_eq!(twice([first, vec![ended(1, 1, 2, 2)], invoked(2, &[1, 2])].concat()), None);
    }

    #[test]
    fn fates_of_messages() {
        let (queue, to, mapping) = (queue(), QueueId::from_index(1), MappingId::from_index(0));
        let moved = Fact::Message(MessageFact::Moved { origin: origin(2), queue, to, mapping, receives: 1, runs: 0 });
        let state = crate::aws::fact::MessageState::Visible;
        let expired = Fact::Message(MessageFact::Expired { origin: origin(3), queue, at: at(40), state });
        let (enqueued, receives, visible) = (SimTime::ZERO, 1, false);
        let deleted = Fact::Message(MessageFact::Deleted {
            origin: origin(1),
            queue,
            mapping,
            enqueued,
            receives,
            runs: 1,
            visible,
        });
        // The end by retention was noticed late.
        let facts = [(30, deleted), (35, moved), (90, expired)];
        for (selection, expected) in [
            (Selection::First(Fate::DeadLettered), Some(2)),
            (Selection::First(Fate::Dropped), Some(2)),
            (Selection::First(Fate::Failed), Some(2)),
            (Selection::First(Fate::Duplicated), None),
            (Selection::Slowest, Some(3)),
        ] {
            assert_eq!(found(selection, &facts), expected, "{selection:?}");
        }
        assert_eq!(found(Selection::First(Fate::Failed), &facts[2..]), Some(3));
        assert_eq!(found(Selection::Slowest, &facts[..2]), Some(2));
    }
}
