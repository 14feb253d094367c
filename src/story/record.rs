//! The steps of a record in its stream, and of a message at its broker; what is remembered of them.

use super::rules;
use super::step::{StepKind, Told};
use super::words::{Settings, length};
use crate::aws::config::{Keys, StreamKind};
use crate::aws::fact::{BrokerFact, Fact, MappingFact, Origin, ReaderFact, RunOutcome, StreamFact};
use crate::aws::ids::{MappingId, StreamId};
use crate::kernel::time::SimTime;

/// What is remembered of a record: where it was written, and how far each mapping is with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    place: Option<Place>,
    readings: Vec<(MappingId, Reading)>,
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// When it was written.
    pub(super) at: SimTime,
    pub(super) shard: u32,
    /// Which record of the shard it is, 0 = first.
    pub(super) sequence: u64,
    pub(super) bytes: u64,
}

/// How far a mapping is with a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// When the record was written, and to which shard.
    pub(super) written: SimTime,
    pub(super) shard: u32,
    /// Records of its batch when that was formed.
    pub(super) size: u32,
    /// Records that were sent with it last.
    pub(super) sent: u32,
    /// Times that its part of the batch was kept for a retry that counts.
    pub(super) retries: u32,
    pub(super) last: Last,
    /// What was the last before that.
    pub(super) before: Last,
    /// How its last run ended.
    pub(super) outcome: Option<RunOutcome>,
}

/// What happened last to the part of a batch that a record is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// It has not been sent.
    New,
    /// It was sent; nothing is known of a run.
    Sent,
    /// It runs.
    Running,
    /// It could not run.
    Refused,
    /// It ran: how the run ended, and how many records failed.
    Ended(RunOutcome, u32),
    /// It was split.
    Split,
    /// It waits for its next try.
    Waiting,
}

impl Written {
    /// Whether it is a record, or a message at a broker.
    pub(super) fn is_one(&self) -> bool {
        self.place.is_some()
    }

    /// Where it is.
    pub(super) fn place(&self) -> Option<Place> {
        self.place
    }

    /// How far the mapping is that a fact names.
    pub(super) fn reading(&self, fact: &Fact) -> Reading {
        let found = mapping_of(fact).and_then(|of| self.readings.iter().find(|(mapping, _)| *mapping == of));
        found.map_or_else(|| self.unread(), |(_, reading)| *reading)
    }

    fn unread(&self) -> Reading {
        let (written, shard) = self.place.map_or((SimTime::ZERO, 0), |place| (place.at, place.shard));
        let (last, before) = (Last::New, Last::New);
        Reading { written, shard, size: 0, sent: 0, retries: 0, last, before, outcome: None }
    }

    /// A fact about it. `halves` tells of a mapping whether it splits batches, and whether halves have all retries again.
    #[allow(clippy::wildcard_enum_match_arm, reason = "two facts say that it is a record")]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact, halves: impl FnOnce(MappingId) -> (bool, bool)) {
        match fact {
            Fact::Stream(StreamFact::Put { shard, sequence, bytes, .. }) => {
                self.place = Some(Place { at: now, shard: *shard, sequence: *sequence, bytes: *bytes });
            }
            Fact::Broker(BrokerFact::Received { bytes, .. }) => {
                self.place = Some(Place { at: now, shard: 0, sequence: 0, bytes: *bytes });
            }
            _ => {}
        }
        let Some(mapping) = mapping_of(fact).filter(|_| self.is_one()) else { return };
        let place = self.readings.iter().position(|(of, _)| *of == mapping).unwrap_or_else(|| {
            self.readings.push((mapping, self.unread()));
            self.readings.len() - 1
        });
        self.readings[place].1.note(fact, || halves(mapping));
    }
}

impl Reading {
    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts tell how far it is")]
    fn note(&mut self, fact: &Fact, halves: impl FnOnce() -> (bool, bool)) {
        self.before = self.last;
        match *fact {
            Fact::Mapping(MappingFact::BatchFormed { records, .. }) => self.size = records,
            Fact::Mapping(MappingFact::BatchInvoked { .. }) => self.last = Last::Running,
            Fact::Mapping(MappingFact::BatchRefused { .. }) => self.last = Last::Refused,
            Fact::Mapping(MappingFact::BatchEnded { failed, outcome, .. }) => {
                (self.last, self.outcome) = (Last::Ended(outcome, failed), Some(outcome));
            }
            Fact::Reader(ReaderFact::Sent { records, .. }) => (self.sent, self.last) = (records, Last::Sent),
            Fact::Reader(ReaderFact::Split { .. }) => {
                let (_, anew) = halves();
                self.retries = if anew { 0 } else { self.retries };
                self.last = Last::Split;
            }
            Fact::Reader(ReaderFact::RetryScheduled { records, .. }) => {
                // ESM-2.3.6, 2.3.9: what splits a batch uses no retry.
                let was_split = self.last == Last::Split || records < self.sent && halves().0;
                self.retries += u32::from(!was_split);
                self.last = Last::Waiting;
            }
            _ => {}
        }
    }
}

/// The mapping that a fact is about.
#[allow(clippy::wildcard_enum_match_arm, reason = "few facts name a mapping")]
fn mapping_of(fact: &Fact) -> Option<MappingId> {
    match *fact {
        Fact::Mapping(
            MappingFact::FilteredOut { mapping, .. }
            | MappingFact::Batched { mapping, .. }
            | MappingFact::BatchFormed { mapping, .. }
            | MappingFact::BatchInvoked { mapping, .. }
            | MappingFact::BatchRefused { mapping, .. }
            | MappingFact::BatchEnded { mapping, .. },
        )
        | Fact::Reader(
            ReaderFact::Sent { mapping, .. }
            | ReaderFact::Split { mapping, .. }
            | ReaderFact::RetryScheduled { mapping, .. }
            | ReaderFact::RecordEnded { mapping, .. }
            | ReaderFact::Discarded { mapping, .. }
            | ReaderFact::WindowEnded { mapping, .. },
        ) => Some(mapping),
        _ => None,
    }
}

/// The record that a fact is about.
pub(super) fn stream_origin(fact: &StreamFact) -> Option<&Origin> {
    match fact {
        StreamFact::Put { origin, .. }
        | StreamFact::WriteThrottled { origin, .. }
        | StreamFact::Expired { origin, .. } => Some(origin),
        StreamFact::Shards { .. } => None,
    }
}

/// The message that a fact is about.
pub(super) fn broker_origin(fact: &BrokerFact) -> &Origin {
    match fact {
        BrokerFact::Received { origin, .. }
        | BrokerFact::Expired { origin, .. }
        | BrokerFact::DeadLettered { origin, .. } => origin,
    }
}

/// The record that a fact is about; the first of its batch for a fact about a batch.
pub(super) fn reader_origin(fact: &ReaderFact) -> Option<&Origin> {
    match fact {
        ReaderFact::Sent { origin, .. }
        | ReaderFact::Split { origin, .. }
        | ReaderFact::RetryScheduled { origin, .. }
        | ReaderFact::RecordEnded { origin, .. }
        | ReaderFact::Discarded { origin, .. }
        | ReaderFact::WindowEnded { origin, .. } => Some(origin),
        ReaderFact::Started { .. } | ReaderFact::Awaited { .. } | ReaderFact::ReadThrottled { .. } => None,
    }
}

/// What a shard is called.
pub(super) const fn shard_word(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Kinesis | StreamKind::DynamoDb => "shard",
        StreamKind::Kafka => "partition",
        StreamKind::DocumentDb => "change stream",
    }
}

/// What happens to a record in its stream.
pub(super) fn tell<'a>(settings: Settings<'a>, fact: &StreamFact) -> Option<Told<'a>> {
    let by = |stream: StreamId, kind, rule, detail| {
        let actor = settings.0.streams[stream].name.as_str();
        Some(Told { actor, kind, run: None, rule, detail })
    };
    match *fact {
        StreamFact::Put { ref origin, stream, shard, sequence, bytes, .. } => {
            let has_key = settings.0.callers[origin.caller].keys != Keys::Even;
            let into = if has_key { "by its key into" } else { "into" };
            let (rule, place) = match settings.0.streams[stream].kind {
                StreamKind::Kinesis => (has_key.then_some(&rules::SHARD_OF_KEY), format!("{into} shard {shard}")),
                StreamKind::DynamoDb => (has_key.then_some(&rules::ITEM_ORDER), format!("{into} shard {shard}")),
                StreamKind::Kafka => (None, format!("into partition {shard}, offset {sequence}")),
                StreamKind::DocumentDb => (None, "into the change stream".to_owned()),
            };
            by(stream, StepKind::Put, rule, format!("{bytes} bytes, {place}"))
        }
        StreamFact::WriteThrottled { stream, shard, .. } => {
            let detail = format!("shard {shard} takes no more at this rate (ProvisionedThroughputExceededException)");
            by(stream, StepKind::WriteThrottled, Some(&rules::WRITE_LIMIT), detail)
        }
        StreamFact::Expired { stream, at, .. } => {
            let retention = settings.stream_at(stream, at).retention.map(length).unwrap_or_default();
            let detail = format!("its retention of {retention} is over, and no mapping reads it");
            by(stream, StepKind::Expired, Some(&rules::STREAM_RETENTION), detail)
        }
        StreamFact::Shards { .. } => None,
    }
}

/// What happens to a message at its broker.
pub(super) fn tell_broker<'a>(settings: Settings<'a>, fact: &BrokerFact) -> Told<'a> {
    let by = |broker, kind, rule, detail| {
        let actor = settings.broker(broker).name.as_str();
        Told { actor, kind, run: None, rule, detail }
    };
    match *fact {
        BrokerFact::Received { broker, bytes, .. } => by(broker, StepKind::Sent, None, format!("{bytes} bytes")),
        BrokerFact::Expired { broker, .. } => {
            let retention = settings.broker(broker).message_retention.map(length).unwrap_or_default();
            let detail = format!("its retention of {retention} is over, and no mapping reads it");
            by(broker, StepKind::Expired, Some(&rules::BROKER_ERRORS), detail)
        }
        BrokerFact::DeadLettered { broker, to, .. } => {
            let most = settings.broker(broker).maximum_redeliveries.unwrap_or_default();
            let to = to.map_or_else(
                || "it has no dead-letter queue, and the message is lost".to_owned(),
                |to| format!("it goes to the dead-letter queue {}", settings.target(to)),
            );
            let detail = format!("it was redelivered {most} times; {to}");
            by(broker, StepKind::DeadLettered, Some(&rules::BROKER_DEAD_LETTERS), detail)
        }
    }
}
