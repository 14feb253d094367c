//! Processes of which exactly one event is pending each, such as arrivals: their next moments, and which comes first.
//!
//! A tree of winners over a fixed number of sources: changing one moment replays the matches on its way to the top.
//! With a single source there is none, which makes an arrival cheaper than an event in a [`Calendar`], and with
//! thousands it costs no more.
//!
//! [`Calendar`]: super::calendar::Calendar

use super::time::SimTime;

/// Sources by number, each with its next moment.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Moment and rank of each source, as one number that compares like the pair; padded to a power of two.
    keys: Vec<u128>,
    /// The winner below each inner node; node 1 is the top, and the children of n are 2n and 2n + 1.
    winners: Vec<u32>,
    /// The winner of all and its key.
    first: (u128, u32),
}

/// No event pending.
const NEVER: u128 = u128::MAX;

impl Sources {
    /// `count` sources without an event.
    pub fn new(count: usize) -> Self {
        let leaves = count.max(1).next_power_of_two();
        // All keys are equal; the leftmost leaf below a node wins.
        let leftmost = |node: usize| (node << (leaves.ilog2() - node.ilog2())) - leaves;
        let winner = |node: usize| if node == 0 { 0 } else { number(leftmost(node)) };
        Self { keys: vec![NEVER; leaves], winners: (0..leaves).map(winner).collect(), first: (NEVER, 0) }
    }

    /// The earliest moment, its rank and its source; [`SimTime::MAX`] while none is pending.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "moment and rank are taken out of the key")]
    pub fn first(&self) -> (SimTime, u32, u32) {
        let (key, source) = self.first;
        (SimTime::from_nanos((key >> 32) as u64), key as u32, source)
    }

    /// The next moment of a source, which replaces the one before; `rank` orders sources at one moment.
    #[inline(always)]
    pub fn set(&mut self, source: u32, at: SimTime, rank: u32) {
        self.replace(source, u128::from(at.as_nanos()) << 32 | u128::from(rank));
    }

    /// Nothing is pending for a source any more.
    #[inline(always)]
    pub fn clear(&mut self, source: u32) {
        self.replace(source, NEVER);
    }

    #[inline(always)]
    fn replace(&mut self, source: u32, key: u128) {
        if self.winners.len() == 1 {
            self.first = (key, 0);
        } else {
            self.replay(source, key);
        }
    }

    /// Plays the matches above a leaf again, with its new key.
    fn replay(&mut self, source: u32, key: u128) {
        let leaves = self.keys.len();
        self.keys[source as usize] = key;
        // The first match is against the other leaf of the pair.
        let mut rival = source ^ 1;
        let (mut winner, mut best) = (source, key);
        let mut node = (source as usize + leaves) >> 1;
        loop {
            let rival_key = self.keys[rival as usize];
            if rival_key < best {
                (winner, best) = (rival, rival_key);
            }
            self.winners[node] = winner;
            if node == 1 {
                break;
            }
            rival = self.winners[node ^ 1];
            node /= 2;
        }
        self.first = (best, winner);
    }
}

fn number(source: usize) -> u32 {
    u32::try_from(source).expect("fewer than 2^32 sources")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanoseconds: u64) -> SimTime {
        SimTime::from_nanos(nanoseconds)
    }

    #[test]
    fn the_earliest_comes_first_and_ranks_settle_ties() {
        let mut sources = Sources::new(3);
        assert_eq!(sources.first().0, SimTime::MAX);
        sources.set(0, at(7), 5);
        sources.set(1, at(7), 4);
        sources.set(2, at(9), 0);
        assert_eq!(sources.first(), (at(7), 4, 1));
        sources.set(1, at(20), 4);
        assert_eq!(sources.first(), (at(7), 5, 0));
        sources.clear(0);
        assert_eq!(sources.first(), (at(9), 0, 2));
        sources.clear(2);
        sources.clear(1);
        assert_eq!(sources.first().0, SimTime::MAX);
    }

    proptest! {
        /// Against a search of all sources.
        #[test]
        fn any_sequence_of_changes(count in 1usize..40, changes in prop::collection::vec((0u32..40, 0u64..50), 0..200)) {
            let mut sources = Sources::new(count);
            let mut moments = vec![u64::MAX; count];
            for (source, moment) in changes {
                let source = source % number(count);
                if moment == 0 {
                    sources.clear(source);
                    moments[source as usize] = u64::MAX;
                } else {
                    sources.set(source, at(moment), source);
                    moments[source as usize] = moment;
                }
                let least = moments.iter().copied().min().unwrap();
                prop_assert_eq!(sources.first().0, at(least));
                if least != u64::MAX {
                    let first = moments.iter().position(|moment| *moment == least).unwrap();
                    prop_assert_eq!(sources.first().2 as usize, first);
                }
            }
        }
    }
}
