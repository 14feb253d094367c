//! What a shard takes and gives: the write and read limits of Kinesis and `DynamoDB` (ESM-2.1, 3). Passive.

use std::collections::VecDeque;

use crate::aws::config::{Stream, StreamKind};
use crate::kernel::quantity::Rate;
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::token_bucket::TokenBucket;

const MIB: u64 = 1_048_576;

/// ESM-2.1: what a Kinesis shard takes.
pub(super) const WRITE_RECORDS: Rate = Rate::per_second(1_000);
/// See [`WRITE_RECORDS`].
pub(super) const WRITE_BYTES: Rate = Rate::per_second(MIB);

/// What may be written to one shard.
#[derive(Clone, Debug)]
pub(super) struct WriteLimit {
    records: TokenBucket,
    bytes: TokenBucket,
    depth: u64,
}

impl WriteLimit {
    /// Full buckets, where the stream has limits (ESM-K15).
    pub(super) fn new(config: &Stream) -> Option<Self> {
        if config.kind != StreamKind::Kinesis {
            return None;
        }
        let deep = |rate: Rate| {
            let tokens = u128::from(rate.events) * u128::from(config.write_bucket.as_nanos());
            u64::try_from(tokens / u128::from(rate.per.as_nanos())).unwrap_or(u64::MAX).max(1)
        };
        // ESM-2.1: a large record empties the bucket.
        let depth = deep(WRITE_BYTES).max(config.maximum_record_size);
        Some(Self {
            records: TokenBucket::new(WRITE_RECORDS, deep(WRITE_RECORDS)),
            bytes: TokenBucket::new(WRITE_BYTES, depth),
            depth,
        })
    }

    /// Takes a record, if both limits allow it.
    pub(super) fn take(&mut self, bytes: u64, now: SimTime) -> bool {
        self.records.has_token(now)
            && self.bytes.try_take_many(now, bytes.min(self.depth))
            && self.records.try_take(now)
    }
}

/// What may be read of one shard by all standard readers together.
#[derive(Clone, Debug)]
pub(crate) struct ReadLimit {
    calls: TokenBucket,
    /// Bytes a second, and when those that were read are paid for.
    bytes: Rate,
    paid: SimTime,
    /// Until when all calls are refused, since one gave more than a second's worth.
    blocked: SimTime,
    /// Groups that were refused, longest first: each has its turn (ESM-K9).
    refused: VecDeque<usize>,
}

impl ReadLimit {
    /// ESM-2.1: five calls and 2 MiB a second. `readers` of `all` readers are ours, and have an equal share (ESM-K9).
    ///
    /// ESM-3: a shard of `DynamoDB` has room for two readers; the model gives each the calls and bytes of Kinesis.
    pub(super) fn new(kind: StreamKind, readers: u32, all: u32) -> Self {
        let rooms = if kind == StreamKind::DynamoDb { DYNAMODB_READERS } else { 1 };
        let share = |events: u64| Rate {
            events: events * rooms * u64::from(readers.max(1)),
            per: SimDuration::from_secs(u64::from(all.max(1))),
        };
        Self {
            calls: TokenBucket::new(share(READ_CALLS), READ_CALLS * rooms),
            bytes: share(2 * MIB),
            paid: SimTime::ZERO,
            blocked: SimTime::ZERO,
            refused: VecDeque::new(),
        }
    }

    /// A call of a group; whether it is answered.
    pub(crate) fn take(&mut self, group: usize, now: SimTime) -> bool {
        let turn = self.refused.front().is_none_or(|first| *first == group);
        if turn && self.bytes_at() <= now && self.calls.try_take(now) {
            self.leave(group);
            return true;
        }
        if !self.refused.contains(&group) {
            self.refused.push_back(group);
        }
        false
    }

    /// A group that was refused does not come back.
    pub(crate) fn leave(&mut self, group: usize) {
        self.refused.retain(|other| *other != group);
    }

    /// A call gave so many bytes.
    pub(crate) fn gave(&mut self, bytes: u64, now: SimTime) {
        self.paid = self.paid.max(now).plus(self.bytes.time_of(bytes));
        if self.paid > now.plus(SECOND) {
            self.blocked = self.paid;
        }
    }

    /// From when on the bytes allow a call: while less than a second's worth is to be paid for.
    fn bytes_at(&self) -> SimTime {
        let less = (self.paid.as_nanos() + 1).saturating_sub(SECOND.as_nanos());
        SimTime::from_nanos(less).max(self.blocked)
    }

    /// When the next call would be answered.
    pub(crate) fn next_at(&self, now: SimTime) -> SimTime {
        self.calls.next_at(now).unwrap_or(SimTime::MAX).max(self.bytes_at())
    }
}

const SECOND: SimDuration = SimDuration::from_secs(1);

/// Calls a second.
const READ_CALLS: u64 = 5;

/// ESM-3: readers of a shard of `DynamoDB`.
const DYNAMODB_READERS: u64 = 2;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::aws::config::CapacityMode;

    /// A stream with AWS's defaults.
    pub(crate) fn stream(kind: StreamKind, shards: u32) -> Stream {
        Stream {
            name: "s".into(),
            order: 0,
            kind,
            shards,
            retention: Some(SimDuration::from_secs(86_400)),
            capacity_mode: CapacityMode::Provisioned,
            maximum_record_size: MIB,
            write_bucket: SimDuration::from_secs(1),
            other_readers: 0,
            propagation: SimDuration::ZERO,
        }
    }

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// ESM-A21: the sixth call of a second is refused, and after 10 MiB all calls for five seconds.
    #[test]
    fn esm_a21_calls_and_bytes_of_a_shard() {
        let mut limit = ReadLimit::new(StreamKind::Kinesis, 1, 1);
        let calls = [(); 6].map(|()| limit.take(0, SimTime::ZERO));
        assert_eq!(calls, [true, true, true, true, true, false]);
        let mut limit = ReadLimit::new(StreamKind::Kinesis, 1, 1);
        assert!(limit.take(0, SimTime::ZERO));
        limit.gave(10 * MIB, SimTime::ZERO);
        let calls = [0, 1, 2, 3, 4, 5].map(|second| limit.take(0, seconds(second)));
        assert_eq!(calls, [false, false, false, false, false, true]);
        assert_eq!(limit.next_at(seconds(5)), seconds(5));
    }

    /// ESM-A22: 1,000 of 1,001 small records at one instant; then 1,000 each second.
    #[test]
    fn esm_a22_records_of_a_shard() {
        let mut limit = WriteLimit::new(&stream(StreamKind::Kinesis, 1)).expect("Kinesis has one");
        let accepted = |limit: &mut WriteLimit, now| (0..1_001).filter(|_| limit.take(100, now)).count();
        assert_eq!(accepted(&mut limit, SimTime::ZERO), 1_000);
        assert_eq!(accepted(&mut limit, seconds(1)), 1_000);
        for (bytes, expected) in [(MIB / 2, 2), (MIB / 2 + 1, 1), (MIB, 1)] {
            let mut limit = WriteLimit::new(&stream(StreamKind::Kinesis, 1)).expect("Kinesis has one");
            assert_eq!((0..3).filter(|_| limit.take(bytes, SimTime::ZERO)).count(), expected, "{bytes} bytes");
        }
        assert!(WriteLimit::new(&stream(StreamKind::Kafka, 1)).is_none());
    }

    /// ESM-2.1: up to 2 MiB of a second, in whatever parts; what is above is paid for before the next call.
    #[test]
    fn esm_2_1_2_bytes_of_a_second() {
        for (bytes, second, expected) in
            [(MIB, 0, true), (2 * MIB - 1, 0, true), (2 * MIB, 0, false), (3 * MIB, 1, false)]
        {
            let mut limit = ReadLimit::new(StreamKind::Kinesis, 2, 2);
            assert!(limit.take(0, SimTime::ZERO));
            limit.gave(bytes, SimTime::ZERO);
            assert_eq!(limit.take(1, seconds(second)), expected, "{bytes} bytes, {second} s");
        }
    }

    /// ESM-K9: who was refused goes before who was not.
    #[test]
    fn esm_k9_readers_have_their_turns() {
        let mut limit = ReadLimit::new(StreamKind::Kinesis, 3, 3);
        assert!(limit.take(0, SimTime::ZERO));
        limit.gave(2 * MIB, SimTime::ZERO);
        assert!(!limit.take(1, SimTime::ZERO) && !limit.take(2, SimTime::ZERO));
        let calls = [0, 1, 2, 0].map(|group| limit.take(group, seconds(1)));
        assert_eq!(calls, [false, true, true, true]);
        limit.gave(10 * MIB, seconds(1));
        assert!(!limit.take(2, seconds(2)));
        assert!(!limit.take(0, seconds(6)), "it is another's turn");
        limit.leave(2);
        assert!(limit.take(0, seconds(6)));
    }

    /// ESM-K9: one of two readers has half of it.
    #[test]
    fn esm_k9_readers_share_equally() {
        let mut limit = ReadLimit::new(StreamKind::Kinesis, 1, 2);
        assert!(limit.take(0, SimTime::ZERO));
        limit.gave(10 * MIB, SimTime::ZERO);
        assert_eq!(limit.next_at(SimTime::ZERO), seconds(10));
    }
}
