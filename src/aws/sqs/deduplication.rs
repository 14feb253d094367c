//! Deduplication ids of a FIFO queue, each remembered for a time (ESM-1.10). Passive.

use std::collections::{BTreeMap, VecDeque};

use crate::kernel::time::{SimDuration, SimTime};

/// A group, where ids are looked for within one, and an id.
type Key = (Option<u64>, u64);

/// The ids of one queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Deduplication {
    /// When each was first seen.
    seen: BTreeMap<Key, SimTime>,
    /// The same in order of time.
    order: VecDeque<(SimTime, Key)>,
}

impl Deduplication {
    /// Whether the id came less than `window` ago; if not, it is remembered from now on.
    pub(super) fn repeats(&mut self, group: Option<u64>, id: u64, now: SimTime, window: SimDuration) -> bool {
        while let Some((seen, key)) = self.order.front().copied()
            && seen.plus(window) <= now
        {
            self.seen.remove(&key);
            self.order.pop_front();
        }
        let key = (group, id);
        if self.seen.contains_key(&key) {
            return true;
        }
        self.seen.insert(key, now);
        self.order.push_back((now, key));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ESM-A43: the same id at 0, 299 and 301 s: accepted, dropped, accepted. At 300 s the window is over.
    #[test]
    fn esm_a43_an_id_is_remembered_for_five_minutes() {
        let at = |second: u64| SimTime::from_nanos(second * 1_000_000_000);
        for (second, repeats) in [(299, true), (300, false), (301, false)] {
            let mut ids = Deduplication::default();
            let window = SimDuration::from_secs(300);
            assert!(!ids.repeats(None, 7, at(0), window));
            assert!(!ids.repeats(None, 8, at(0), window), "another id");
            assert!(!ids.repeats(Some(1), 7, at(0), window), "within another group");
            assert_eq!(ids.repeats(None, 7, at(second), window), repeats, "{second}");
        }
    }
}
