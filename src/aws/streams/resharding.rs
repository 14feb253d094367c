//! Shards are opened and closed (ESM-K10).

use std::ops::Range;

use super::shard::Shard;
use super::throughput::{ReadLimit, WriteLimit};
use super::{Log, Source};
use crate::aws::config::{self, StreamKind};
use crate::aws::event::Context;
use crate::aws::fact::Observer;

impl Log {
    /// Adds so many open shards.
    pub(super) fn open_shards(&mut self, count: u32) {
        let begin = u32::try_from(self.shards.len()).expect("fewer than 2^32 shards");
        for _ in 0..count {
            let (writes, reads) = match &self.of {
                Source::Stream(_, config) => (WriteLimit::new(config), self.read_limit(config)),
                Source::Broker(_) => (None, None),
            };
            self.shards.push(Shard::new(self.groups.len(), writes, reads));
        }
        self.open = begin..begin + count;
    }

    /// The limits that standard readers share, where the service has some (ESM-2.1, 3).
    fn read_limit(&self, config: &config::Stream) -> Option<ReadLimit> {
        let ours = self.groups.iter().map(|group| u32::from(group.standard)).sum::<u32>();
        match config.kind {
            StreamKind::Kinesis | StreamKind::DynamoDb => {
                Some(ReadLimit::new(config.kind, ours, ours.saturating_add(config.other_readers)))
            }
            StreamKind::Kafka | StreamKind::DocumentDb => None,
        }
    }

    /// ESM-K10: the open shards are closed, and so many new ones take their ranges; a topic only gets more partitions.
    pub(super) fn reshard<O: Observer>(&mut self, count: u32, context: &mut Context<'_, O>) {
        let old = self.open.clone();
        let before = old.end - old.start;
        if matches!(&self.of, Source::Stream(_, config) if config.kind == StreamKind::Kafka) {
            self.open_shards(count.saturating_sub(before));
            self.open.start = old.start;
        } else {
            self.open_shards(count);
            let (parents, children) = self.shards[old.start as usize..].split_at_mut(before as usize);
            for (place, shard) in (0..).zip(parents) {
                shard.closed = true;
                shard.children = from(old.end, overlapping(place, before, count));
            }
            for (place, shard) in (0..).zip(children) {
                shard.parents = from(old.start, overlapping(place, count, before));
            }
        }
        self.say_shards(context);
    }
}

fn from(first: u32, places: Range<u32>) -> Range<u32> {
    first + places.start..first + places.end
}

/// Which of `others` equal ranges of hashes have a hash in common with range `place` of `of`.
fn overlapping(place: u32, of: u32, others: u32) -> Range<u32> {
    let at = |place: u32| u64::from(place) * u64::from(others);
    let below = |place: u64| u32::try_from(place).expect("no more than the others");
    below(at(place) / u64::from(of))..below(at(place + 1).div_ceil(u64::from(of)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ESM-K10: two shards of four are one of two; thirds and halves overlap in part.
    #[test]
    fn esm_k10_ranges_overlap() {
        let rows: [(u32, u32, u32, Range<u32>); 6] =
            [(0, 4, 2, 0..1), (3, 4, 2, 1..2), (1, 2, 4, 2..4), (1, 3, 2, 0..2), (2, 3, 2, 1..2), (0, 1, 1, 0..1)];
        for (place, of, others, expected) in rows {
            assert_eq!(overlapping(place, of, others), expected, "{place} of {of} over {others}");
        }
    }

    /// A shard is a child of its parents, and of no others: by the definition of ranges that have a hash in common.
    #[test]
    fn esm_k10_parents_and_children_are_the_same_pairs() {
        for (of, others) in (1..20).flat_map(|of| (1..20).map(move |others| (of, others))) {
            for (place, other) in (0..of).flat_map(|place| (0..others).map(move |other| (place, other))) {
                let common = place * others < (other + 1) * of && other * of < (place + 1) * others;
                assert_eq!(overlapping(place, of, others).contains(&other), common, "{place}/{of}, {other}/{others}");
                assert_eq!(overlapping(other, others, of).contains(&place), common, "{other}/{others}, {place}/{of}");
            }
        }
    }
}
