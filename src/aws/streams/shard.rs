//! One shard: its records in order, and how far each group of readers is. Passive.

use std::collections::VecDeque;
use std::ops::Range;

use super::throughput::{ReadLimit, WriteLimit};
use crate::aws::fact::Origin;
use crate::kernel::time::{SimDuration, SimTime};

/// A record in a shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogRecord {
    pub(crate) origin: Origin,
    /// When it was written.
    pub(crate) arrived: SimTime,
    pub(crate) bytes: u32,
    /// Its lane is the remainder by the parallelization factor (ESM-K3).
    pub(crate) lane: u16,
}

/// A shard or a partition.
#[derive(Debug)]
pub(super) struct Shard {
    /// Records that somebody has not read.
    records: VecDeque<LogRecord>,
    /// Place of the first of them.
    first: u64,
    /// Records that were written and are not here yet: see [`super::Log`].
    coming: u64,
    /// How far each group has read: the place of its next record.
    cursors: Vec<u64>,
    /// Whether it takes no more records.
    pub(super) closed: bool,
    /// Shards that must be read to their end before this one (ESM-K10).
    pub(super) parents: Range<u32>,
    /// Shards that this one must be read to its end before.
    pub(super) children: Range<u32>,
    pub(super) writes: Option<WriteLimit>,
    pub(super) reads: Option<ReadLimit>,
}

/// What one read gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) records: u32,
    pub(crate) bytes: u64,
    /// When the next record can be read; `None` if there is none.
    pub(crate) next: Option<SimTime>,
}

impl Shard {
    /// An open shard without records, for so many groups of readers.
    pub(super) fn new(groups: usize, writes: Option<WriteLimit>, reads: Option<ReadLimit>) -> Self {
        let (records, cursors) = (VecDeque::new(), vec![0; groups]);
        let (parents, children) = (0..0, 0..0);
        Self { records, first: 0, coming: 0, cursors, closed: false, parents, children, writes, reads }
    }

    /// The place of the next record to be written.
    pub(super) fn end(&self) -> u64 {
        self.first + self.records.len() as u64 + self.coming
    }

    /// Records that somebody has not read.
    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.records.len() as u64
    }

    pub(super) fn append(&mut self, record: LogRecord) -> u64 {
        self.records.push_back(record);
        self.end() - 1
    }

    /// A record is written, and [arrives](Self::arrives) later, before anybody looks.
    pub(super) fn announce(&mut self) -> u64 {
        self.coming += 1;
        self.end() - 1
    }

    /// A record that was announced is here.
    #[inline(always)]
    pub(super) fn arrives(&mut self, record: &LogRecord) {
        self.coming -= 1;
        self.records.push_back(*record);
    }

    /// Whether a group has read all of it.
    pub(super) fn is_read(&self, group: usize) -> bool {
        self.cursors[group] == self.end()
    }

    /// How many records a group has not read.
    pub(super) fn unread(&self, group: usize) -> u64 {
        self.end() - self.cursors[group]
    }

    /// A group begins after the records that were written before `from`; how many it passes over.
    pub(super) fn begin_at(&mut self, group: usize, from: SimTime) -> u64 {
        let passed = self.records.partition_point(|record| record.arrived < from) as u64;
        let place = self.cursors[group].max(self.first + passed);
        let skipped = place - self.cursors[group];
        self.cursors[group] = place;
        self.trim();
        skipped
    }

    /// Reads up to so many records and bytes, at least one if there is one; they can be read `late` after their arrival.
    /// Each is given to `take` with its place.
    pub(super) fn read(
        &mut self,
        group: usize,
        (most_records, most_bytes): (u32, u64),
        (now, late): (SimTime, SimDuration),
        mut take: impl FnMut(u64, &LogRecord),
    ) -> Read {
        let mut read = Read::default();
        let start = self.cursors[group] - self.first;
        let unread = usize::try_from(start).map_or(self.records.len(), |start| start.min(self.records.len()));
        for record in self.records.range(unread..) {
            let visible = record.arrived.plus(late);
            let bytes = read.bytes.saturating_add(u64::from(record.bytes));
            if visible > now || read.records >= most_records || (read.records > 0 && bytes > most_bytes) {
                read.next = Some(visible.max(now));
                break;
            }
            take(self.cursors[group] + u64::from(read.records), record);
            (read.records, read.bytes) = (read.records + 1, bytes);
        }
        self.cursors[group] += u64::from(read.records);
        self.trim();
        read
    }

    /// When the first record that a group has not read can be read.
    pub(super) fn next_visible(&self, group: usize, late: SimDuration) -> Option<SimTime> {
        let start = usize::try_from(self.cursors[group] - self.first).ok()?;
        self.records.get(start).map(|record| record.arrived.plus(late))
    }

    /// The first record, if it was written before `until`, is gone; and which groups had not read it.
    pub(super) fn expire(&mut self, until: SimTime, mut lost: impl FnMut(&LogRecord, Option<usize>)) {
        while let Some(record) = self.records.front().filter(|record| record.arrived <= until).copied() {
            for (group, cursor) in self.cursors.iter_mut().enumerate() {
                if *cursor == self.first {
                    *cursor += 1;
                    lost(&record, Some(group));
                }
            }
            if self.cursors.is_empty() {
                lost(&record, None);
            }
            self.records.pop_front();
            self.first += 1;
        }
    }

    /// What every group has read is not kept: nobody asks for it again.
    fn trim(&mut self) {
        let Some(read) = self.cursors.iter().min() else { return };
        let gone = usize::try_from(read - self.first).unwrap_or(usize::MAX).min(self.records.len());
        self.records.drain(..gone);
        self.first += gone as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::{CallerId, Id};

    fn at(nanoseconds: u64) -> SimTime {
        SimTime::from_nanos(nanoseconds)
    }

    fn record(arrived: u64) -> LogRecord {
        let origin =
            Origin { caller: CallerId::from_index(0), branch: 0, submission: arrived + 1, submitted: at(arrived) };
        LogRecord { origin, arrived: at(arrived), bytes: 100, lane: 0 }
    }

    fn shard(groups: usize, records: u64) -> Shard {
        let mut shard = Shard::new(groups, None, None);
        (0..records).for_each(|arrived| assert_eq!(shard.append(record(arrived)), arrived));
        shard
    }

    fn read(shard: &mut Shard, group: usize, limits: (u32, u64), now: u64, late: u64) -> (Vec<u64>, Read) {
        let mut places = Vec::new();
        let late = SimDuration::from_nanos(late);
        let read = shard.read(group, limits, (at(now), late), |place, record| {
            assert_eq!(record.arrived.as_nanos(), place);
            places.push(place);
        });
        (places, read)
    }

    /// Limits of records and bytes just at and below; a record that is too large by itself is given alone.
    #[test]
    fn a_read_is_bounded() {
        for (limits, expected) in [((10, 1_000), 6), ((5, 1_000), 5), ((10, 300), 3), ((10, 299), 2), ((10, 50), 1)] {
            let mut shard = shard(1, 6);
            let (places, read) = read(&mut shard, 0, limits, 10, 0);
            assert_eq!(places, (0..expected).collect::<Vec<_>>(), "{limits:?}");
            assert_eq!(read.bytes, 100 * expected);
            assert_eq!(read.next, (expected < 6).then_some(at(10)));
        }
    }

    /// A record that is announced is written, though it is not here yet.
    #[test]
    fn announced_records_count() {
        let mut shard = shard(1, 2);
        assert_eq!((shard.announce(), shard.announce()), (2, 3));
        assert_eq!((shard.unread(0), shard.len(), shard.is_read(0)), (4, 2, false));
        for arrived in [2, 3] {
            shard.arrives(&record(arrived));
        }
        assert_eq!(read(&mut shard, 0, (9, 1_000), 10, 0).0, [0, 1, 2, 3]);
        assert_eq!(shard.announce(), 4);
    }

    #[test]
    fn records_are_read_after_their_propagation() {
        let mut shard = shard(1, 6);
        let (places, seen) = read(&mut shard, 0, (10, 1_000), 7, 4);
        assert_eq!((places, seen.next), (vec![0, 1, 2, 3], Some(at(8))));
        assert_eq!(shard.next_visible(0, SimDuration::from_nanos(4)), Some(at(8)));
    }

    /// What all groups have read is forgotten; what one has not stays for it.
    #[test]
    fn groups_read_by_themselves() {
        let mut shard = shard(2, 6);
        assert_eq!(read(&mut shard, 0, (4, 1_000), 10, 0).0, [0, 1, 2, 3]);
        assert_eq!((shard.len(), shard.unread(0), shard.unread(1)), (6, 2, 6));
        assert_eq!(read(&mut shard, 1, (2, 1_000), 10, 0).0, [0, 1]);
        assert_eq!(shard.len(), 4);
        assert_eq!(read(&mut shard, 0, (9, 1_000), 10, 0).0, [4, 5]);
        assert!(shard.is_read(0) && !shard.is_read(1));
    }

    #[test]
    fn a_group_begins_at_a_moment() {
        let mut shard = shard(1, 6);
        assert_eq!(shard.begin_at(0, at(4)), 4);
        assert_eq!(read(&mut shard, 0, (9, 1_000), 10, 0).0, [4, 5]);
        assert_eq!(shard.begin_at(0, at(100)), 0);
    }

    /// A record that one of two groups had not read is lost to it alone; without groups it is lost to nobody.
    #[test]
    fn records_expire_for_those_who_had_not_read_them() {
        let mut seen = Vec::new();
        let mut two = shard(2, 3);
        read(&mut two, 0, (1, 1_000), 10, 0);
        two.expire(at(1), |record, group| seen.push((record.arrived.as_nanos(), group)));
        assert_eq!(seen, [(0, Some(1)), (1, Some(0)), (1, Some(1))]);
        assert_eq!((two.unread(0), two.unread(1)), (1, 1));
        seen.clear();
        let mut none = shard(0, 2);
        none.expire(at(0), |record, group| seen.push((record.arrived.as_nanos(), group)));
        assert_eq!((seen, none.len()), (vec![(0, None)], 1));
    }
}
