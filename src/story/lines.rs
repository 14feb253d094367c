//! The batch that a shard was kept busy with last. Passive.
//!
//! A record that waits is told of nothing until it is in a batch. Then this says what it waited for.

use std::collections::BTreeMap;

use crate::aws::fact::{Fact, MappingFact, ReaderFact};
use crate::aws::ids::MappingId;
use crate::kernel::time::SimTime;

/// The last batch of each shard, for each mapping.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    last: BTreeMap<(MappingId, u32), Line>,
    /// Where these batches are from.
    of: BTreeMap<u64, (MappingId, u32)>,
}

/// A batch that has, or had, its shard to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) batch: u64,
    pub(super) runs: u32,
    /// Attempts to run it that were throttled, or failed on the side of the service.
    pub(super) refusals: u32,
    /// The last that is known of it.
    pub(super) until: SimTime,
}

impl Lines {
    /// A fact.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few facts are about batches")]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::Reader(ReaderFact::Sent { mapping, shard, batch, .. }) => {
                let line = Line { batch, runs: 0, refusals: 0, until: now };
                let last = self.last.entry((mapping, shard)).or_insert(line);
                if last.batch != batch {
                    self.of.remove(&last.batch);
                    *last = line;
                }
                self.of.insert(batch, (mapping, shard));
            }
            Fact::Reader(ReaderFact::RecordEnded { mapping, shard, .. }) => {
                if let Some(line) = self.last.get_mut(&(mapping, shard)) {
                    line.until = now;
                }
            }
            Fact::Mapping(MappingFact::BatchInvoked { batch, .. }) => self.with(batch, |line| line.runs += 1),
            Fact::Mapping(MappingFact::BatchRefused { batch, .. }) => self.with(batch, |line| line.refusals += 1),
            Fact::Mapping(MappingFact::BatchEnded { batch, .. }) => self.with(batch, |line| line.until = now),
            _ => {}
        }
    }

    fn with(&mut self, batch: u64, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.of.get(&batch).and_then(|place| self.last.get_mut(place)) {
            change(line);
        }
    }

    /// For a record that joins a batch: the batch before it in its shard, if that was in work when the record was
    /// written or later.
    pub(super) fn before(&self, mapping: MappingId, shard: u32, batch: u64, written: SimTime) -> Option<Line> {
        let line = self.last.get(&(mapping, shard))?;
        (line.batch != batch && line.until > written).then_some(*line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fact::{Origin, RecordFate};
    use crate::aws::ids::{CallerId, Id};
    use crate::kernel::time::SimDuration;

    #[test]
    fn a_record_waits_for_the_batch_that_had_its_shard() {
        let mapping = MappingId::from_index(0);
        let at = |seconds| SimTime::ZERO.plus(SimDuration::from_secs(seconds));
        let origin = Origin { caller: CallerId::from_index(0), branch: 0, submission: 1, submitted: at(0) };
        let (batch, shard, records, repeated) = (7, 3, 1, 0);
        let sent = ReaderFact::Sent { origin, mapping, batch, shard, records, last_arrived: at(0) };
        let mut lines = Lines::default();
        for second in [1, 2] {
            lines.note(at(second), &Fact::Reader(sent));
            lines.note(
                at(second),
                &Fact::Mapping(MappingFact::BatchInvoked { origin, mapping, batch, records, repeated }),
            );
        }
        let fate = RecordFate::Succeeded;
        lines.note(at(5), &Fact::Reader(ReaderFact::RecordEnded { origin, mapping, shard, fate, runs: 2 }));
        let line = Line { batch, runs: 2, refusals: 0, until: at(5) };
        for (shard, batch, written, expected) in [
            (3, 8, at(4), Some(line)),
            // It came later, is of that batch, or of another shard.
            (3, 8, at(5), None),
            (3, 7, at(0), None),
            (2, 8, at(4), None),
        ] {
            assert_eq!(lines.before(mapping, shard, batch, written), expected, "{shard} {batch} {written:?}");
        }
    }
}
