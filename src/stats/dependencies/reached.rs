//! Which submissions have reached a place: a bit for each, in order of the callers' numbers.

use std::collections::VecDeque;

use crate::aws::ids::{CallerId, Id};

/// A set of submissions. Those before the first that is missing take no room.
#[derive(Clone, Debug)]
pub(super) struct Reached {
    callers: Vec<Submissions>,
    count: u64,
}

#[derive(Clone, Debug, Default)]
struct Submissions {
    /// Words that were full.
    full: u64,
    words: VecDeque<u64>,
}

impl Reached {
    /// Nobody's.
    pub(super) fn new(callers: usize) -> Self {
        Self { callers: vec![Submissions::default(); callers], count: 0 }
    }

    /// How many.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// One of them, perhaps again.
    pub(super) fn add(&mut self, caller: CallerId, submission: u64) {
        self.count += u64::from(self.callers[caller.index()].add(submission));
    }
}

impl Submissions {
    /// Whether it is new.
    fn add(&mut self, submission: u64) -> bool {
        let Some(place) = (submission / 64).checked_sub(self.full) else { return false };
        let place = usize::try_from(place).expect("fewer than 2^64 words");
        if place >= self.words.len() {
            self.words.resize(place + 1, 0);
        }
        let bit = 1 << (submission % 64);
        let is_new = self.words[place] & bit == 0;
        self.words[place] |= bit;
        while self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            self.full += 1;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_submission_counts_once_and_full_words_take_no_room() {
        let mut reached = Reached::new(2);
        let callers = [0, 1].map(CallerId::from_index);
        for submission in [5, 3, 5, 1_000, 3] {
            reached.add(callers[0], submission);
        }
        reached.add(callers[1], 5);
        assert_eq!(reached.count(), 4);
        let mut submissions = Submissions::default();
        assert_eq!((0..10_000).filter(|submission| submissions.add(*submission)).count(), 10_000);
        assert!(submissions.words.len() <= 1, "{} words", submissions.words.len());
        assert!((0..10_000).all(|submission| !submissions.add(submission) || submission >= 9_984));
    }
}
