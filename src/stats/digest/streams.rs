//! What of streams, brokers and the mappings that read them enters the digest.
//!
//! | fact | what of it |
//! | --- | --- |
//! | `Put` | now, caller, submission, stream, shard, sequence, size |
//! | `WriteThrottled` | now, caller, submission, stream, shard |
//! | `Expired` of a stream or a broker | its own moment `at`, caller, submission, stream or broker |
//! | `Shards` | now, stream, how many |
//! | `Received` | now, caller, submission, broker, size |
//! | `DeadLettered` | now, caller, submission, broker, target |
//! | `Started` | now, mapping, records skipped |
//! | `ReadThrottled` | now, mapping, shard |
//! | `Sent` | now, caller, submission, mapping, shard, records, when the last of them arrived |
//! | `Split` | now, caller, submission, mapping, records, those of the first half |
//! | `RetryScheduled` | now, caller, submission, mapping, records, due |
//! | `RecordEnded` | now, caller, submission, mapping, shard, fate, runs |
//! | `Discarded` | now, caller, submission, mapping, shard, records, condition, invoke count, notice and its target and error |
//! | `WindowEnded` | now, caller, submission, mapping, shard, when the window began, records |
//!
//! What a reader states of its batches as a mapping of a queue does stands beside it. Numbers of batches are labels. Why
//! a window ends follows from the rest; what a run waits for changes nothing (`Awaited`).

use super::{caller, error_number, kind, submission, target_number};
use crate::aws::fact::{BrokerFact, DiscardCondition, Notice, Origin, ReaderFact, RecordFate, StreamFact};
use crate::aws::ids::{Id, MappingId};
use crate::kernel::digest::Digest;
use crate::kernel::time::SimTime;

/// Adds a fact about a stream.
#[inline]
pub(super) fn add_stream(digest: &mut Digest, now: SimTime, fact: &StreamFact) {
    match *fact {
        StreamFact::Put { origin, stream, shard, sequence, bytes } => {
            let place = pair(stream.index(), shard);
            digest.add6([
                kind::RECORD_PUT | caller(&origin),
                submission(&origin),
                now.as_nanos(),
                place,
                sequence,
                bytes,
            ]);
        }
        StreamFact::WriteThrottled { origin, stream, shard } => {
            let first = kind::WRITE_THROTTLED | caller(&origin);
            digest.add4([first, submission(&origin), now.as_nanos(), pair(stream.index(), shard)]);
        }
        StreamFact::Expired { origin, stream, at } => {
            let first = kind::RECORD_EXPIRED | caller(&origin);
            digest.add4([first, submission(&origin), at.as_nanos(), pair(stream.index(), 0)]);
        }
        StreamFact::Shards { stream, open } => {
            digest.add4([kind::SHARDS, 0, now.as_nanos(), pair(stream.index(), open)]);
        }
    }
}

/// Adds a fact about a broker.
pub(super) fn add_broker(digest: &mut Digest, now: SimTime, fact: &BrokerFact) {
    match *fact {
        BrokerFact::Received { origin, broker, bytes } => {
            let first = kind::BROKER_RECEIVED | caller(&origin);
            digest.add6([first, submission(&origin), now.as_nanos(), pair(broker.index(), 0), bytes, 0]);
        }
        BrokerFact::Expired { origin, broker, at } => {
            let first = kind::BROKER_EXPIRED | caller(&origin);
            digest.add4([first, submission(&origin), at.as_nanos(), pair(broker.index(), 0)]);
        }
        BrokerFact::DeadLettered { origin, broker, to } => {
            let first = kind::BROKER_DEAD_LETTERED | caller(&origin);
            let to = to.map_or(u64::MAX, target_number);
            digest.add6([first, submission(&origin), now.as_nanos(), pair(broker.index(), 0), to, 0]);
        }
    }
}

/// Adds a fact about a mapping that reads.
#[inline]
pub(super) fn add_reader(digest: &mut Digest, now: SimTime, fact: &ReaderFact) {
    let now = now.as_nanos();
    let words = |kind: u64, origin: &Origin, mapping: MappingId, shard: u32, a: u64, b: u64| {
        [kind | caller(origin), submission(origin), now, pair(mapping.index(), shard), a, b]
    };
    match *fact {
        ReaderFact::Started { mapping, skipped } => {
            digest.add4([kind::READER_STARTED, skipped, now, pair(mapping.index(), 0)]);
        }
        // What a run waits for is no part of what happens.
        ReaderFact::Awaited { .. } => {}
        ReaderFact::ReadThrottled { mapping, shard } => {
            digest.add4([kind::READ_THROTTLED, 0, now, pair(mapping.index(), shard)]);
        }
        ReaderFact::Sent { origin, mapping, shard, records, last_arrived, batch: _ } => {
            let last = last_arrived.as_nanos();
            digest.add6(words(kind::BATCH_SENT, &origin, mapping, shard, u64::from(records), last));
        }
        ReaderFact::Split { origin, mapping, records, left, batch: _ } => {
            digest.add6(words(kind::BATCH_SPLIT, &origin, mapping, 0, u64::from(records), u64::from(left)));
        }
        ReaderFact::RetryScheduled { origin, mapping, records, due, batch: _ } => {
            digest.add6(words(kind::BATCH_RETRIED, &origin, mapping, 0, u64::from(records), due.as_nanos()));
        }
        ReaderFact::RecordEnded { origin, mapping, shard, fate, runs } => {
            digest.add6(words(kind::RECORD_ENDED, &origin, mapping, shard, fate_number(fate), u64::from(runs)));
        }
        ReaderFact::Discarded { origin, mapping, shard, records, condition, invoke_count, notice } => {
            let kind = kind::RECORDS_DISCARDED | condition_number(condition) << 8 | notice_number(notice) << 12;
            let counts = u64::from(records) | u64::from(invoke_count) << 32;
            let to = match notice {
                Notice::None => u64::MAX,
                Notice::Delivered(to) | Notice::Failed(to, _) => target_number(to),
            };
            digest.add6(words(kind, &origin, mapping, shard, counts, to));
        }
        ReaderFact::WindowEnded { origin, mapping, shard, began, records, batch: _, why: _ } => {
            digest.add6(words(kind::WINDOW_ENDED, &origin, mapping, shard, began.as_nanos(), records));
        }
    }
}

/// A place in the scenario in the high half, a small number in the low one.
fn pair(index: usize, number: u32) -> u64 {
    (index as u64) << 32 | u64::from(number)
}

/// Numbers of fates. They are part of the digest, as all below: never change one.
const fn fate_number(fate: RecordFate) -> u64 {
    match fate {
        RecordFate::Succeeded => 0,
        RecordFate::Discarded(condition) => 1 + condition_number(condition),
        RecordFate::Expired => 4,
        RecordFate::Oversized => 5,
        RecordFate::DeadLettered => 6,
    }
}

const fn condition_number(condition: DiscardCondition) -> u64 {
    match condition {
        DiscardCondition::RetryAttemptsExhausted => 0,
        DiscardCondition::RetriesExhausted => 1,
        DiscardCondition::RecordAgeExceeded => 2,
    }
}

/// What became of a notice, and why: less than 2^18.
const fn notice_number(notice: Notice) -> u64 {
    match notice {
        Notice::None => 0,
        Notice::Delivered(_) => 1,
        Notice::Failed(_, error) => 2 | error_number(error) << 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::Target;
    use crate::aws::fact::{DeliveryError, Fact, Observer, WindowEnd};
    use crate::aws::ids::{BrokerId, StreamId};
    use crate::stats::digest::DigestObserver;
    use crate::stats::testing::{ms, origin};

    fn id<I: Id>(index: usize) -> I {
        I::from_index(index)
    }

    fn put(submission: u64, stream: usize, shard: u32, sequence: u64, bytes: u64) -> Fact {
        let origin = origin(0, submission, ms(1));
        Fact::Stream(StreamFact::Put { origin, stream: id(stream), shard, sequence, bytes })
    }

    fn ended(shard: u32, fate: RecordFate, runs: u32) -> Fact {
        Fact::Reader(ReaderFact::RecordEnded { origin: origin(0, 7, ms(1)), mapping: id(0), shard, fate, runs })
    }

    fn discarded(condition: DiscardCondition, invoke_count: u32, notice: Notice) -> Fact {
        let (origin, mapping) = (origin(0, 7, ms(1)), id(0));
        Fact::Reader(ReaderFact::Discarded { origin, mapping, shard: 0, records: 5, condition, invoke_count, notice })
    }

    fn sent(records: u32, last_arrived: u64) -> Fact {
        let (origin, mapping, last_arrived) = (origin(0, 7, ms(1)), id(0), ms(last_arrived));
        Fact::Reader(ReaderFact::Sent { origin, mapping, batch: 1, shard: 0, records, last_arrived })
    }

    fn of_services() -> Vec<Fact> {
        let origin = origin(0, 7, ms(1));
        let (stream, broker): (StreamId, BrokerId) = (id(0), id(0));
        vec![
            put(7, 0, 0, 0, 1),
            put(8, 0, 0, 0, 1),
            put(7, 1, 0, 0, 1),
            put(7, 0, 1, 0, 1),
            put(7, 0, 0, 1, 1),
            put(7, 0, 0, 0, 2),
            Fact::Stream(StreamFact::WriteThrottled { origin, stream, shard: 0 }),
            Fact::Stream(StreamFact::WriteThrottled { origin, stream, shard: 1 }),
            Fact::Stream(StreamFact::Expired { origin, stream, at: ms(3) }),
            Fact::Stream(StreamFact::Shards { stream, open: 1 }),
            Fact::Stream(StreamFact::Shards { stream, open: 2 }),
            Fact::Broker(BrokerFact::Received { origin, broker, bytes: 1 }),
            Fact::Broker(BrokerFact::Received { origin, broker, bytes: 2 }),
            Fact::Broker(BrokerFact::Expired { origin, broker, at: ms(3) }),
            Fact::Broker(BrokerFact::DeadLettered { origin, broker, to: None }),
            Fact::Broker(BrokerFact::DeadLettered { origin, broker, to: Some(Target::Queue(id(0))) }),
            Fact::Broker(BrokerFact::DeadLettered { origin, broker, to: Some(Target::Broker(id(0))) }),
        ]
    }

    fn of_readers() -> Vec<Fact> {
        let (origin, mapping, batch, shard) = (origin(0, 7, ms(1)), id(0), 1, 0);
        let (condition, queue) = (DiscardCondition::RecordAgeExceeded, Target::Queue(id(0)));
        let failed = |error| discarded(condition, 1, Notice::Failed(queue, error));
        let window = |records| ReaderFact::WindowEnded {
            origin,
            mapping,
            shard,
            batch,
            began: ms(0),
            records,
            why: WindowEnd::Grace,
        };
        vec![
            Fact::Reader(ReaderFact::Started { mapping, skipped: 0 }),
            Fact::Reader(ReaderFact::Started { mapping, skipped: 1 }),
            Fact::Reader(ReaderFact::ReadThrottled { mapping, shard: 0 }),
            Fact::Reader(ReaderFact::ReadThrottled { mapping, shard: 1 }),
            sent(1, 0),
            sent(2, 0),
            sent(1, 1),
            Fact::Reader(ReaderFact::Split { origin, mapping, batch, records: 4, left: 2 }),
            Fact::Reader(ReaderFact::Split { origin, mapping, batch, records: 4, left: 3 }),
            Fact::Reader(ReaderFact::RetryScheduled { origin, mapping, batch, records: 4, due: ms(9) }),
            Fact::Reader(ReaderFact::RetryScheduled { origin, mapping, batch, records: 4, due: ms(8) }),
            ended(0, RecordFate::Succeeded, 1),
            ended(1, RecordFate::Succeeded, 1),
            ended(0, RecordFate::Succeeded, 2),
            ended(0, RecordFate::Discarded(DiscardCondition::RetryAttemptsExhausted), 1),
            ended(0, RecordFate::Discarded(DiscardCondition::RetriesExhausted), 1),
            ended(0, RecordFate::Discarded(DiscardCondition::RecordAgeExceeded), 1),
            ended(0, RecordFate::Expired, 1),
            ended(0, RecordFate::Oversized, 1),
            ended(0, RecordFate::DeadLettered, 1),
            discarded(condition, 1, Notice::None),
            discarded(condition, 2, Notice::None),
            discarded(DiscardCondition::RetriesExhausted, 1, Notice::None),
            discarded(condition, 1, Notice::Delivered(queue)),
            discarded(condition, 1, Notice::Delivered(Target::Bucket(id(0)))),
            failed(DeliveryError::TooLarge),
            failed(DeliveryError::Refused(500)),
            Fact::Reader(window(3)),
            Fact::Reader(window(4)),
        ]
    }

    fn digest(at: u64, facts: &[Fact]) -> Digest {
        let mut observer = DigestObserver::new();
        for fact in facts {
            observer.observe(ms(at), fact);
        }
        observer.digest()
    }

    fn facts() -> Vec<Fact> {
        [of_services(), of_readers()].concat()
    }

    #[test]
    fn different_facts_have_different_digests() {
        let mut digests: Vec<_> = facts().into_iter().map(|fact| digest(5, &[fact]).value()).collect();
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
        assert!(digests[0] > 0, "each of them counts");
    }

    /// What is noticed late has its own moment.
    #[test]
    fn the_time_of_facts_matters_and_that_of_noticing_does_not() {
        for fact in facts() {
            let noticed =
                matches!(fact, Fact::Stream(StreamFact::Expired { .. }) | Fact::Broker(BrokerFact::Expired { .. }));
            assert_eq!(digest(5, &[fact]) == digest(6, &[fact]), noticed, "{fact:?}");
        }
    }

    /// A change here changes the digest of every scenario with streams, and must be meant.
    #[test]
    fn the_digest_is_pinned() {
        insta::assert_snapshot!(digest(5, &facts()), @"cd0771a07763e039");
    }
}
