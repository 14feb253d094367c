//! The time that messages were in flight in the last five minutes, of a group and of all (ESM-1.11, S24). Passive.
//!
//! It is exact: what is in flight now and what was in flight five minutes ago are summed up over time, and the
//! difference of both sums is what lies between. The changes of the last five minutes are kept for that.

use std::collections::VecDeque;

use crate::aws::ids::GroupId;
use crate::kernel::time::{SimDuration, SimTime};

/// ESM-S24: how far back it looks.
const WINDOW: SimDuration = SimDuration::from_secs(300);

/// Changes of what is in flight in one queue.
#[derive(Debug, Default)]
pub(super) struct Processing {
    changes: VecDeque<Change>,
    pub(super) all: Spent,
}

/// A message is in flight, or ceases to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    at: SimTime,
    /// Its group, if it has one.
    pub(super) group: Option<GroupId>,
    begins: bool,
}

impl Processing {
    /// A message begins or ceases to be in flight.
    pub(super) fn note(&mut self, at: SimTime, group: Option<GroupId>, begins: bool) -> Change {
        let change = Change { at, group, begins };
        self.changes.push_back(change);
        self.all.note(change);
        change
    }

    /// The next change that was five minutes ago or more.
    pub(super) fn past(&mut self, now: SimTime) -> Option<Change> {
        let change = *self.changes.front().filter(|change| change.at.plus(WINDOW) <= now)?;
        self.changes.pop_front();
        self.all.forget(change);
        Some(change)
    }
}

/// The time of some messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Up to now.
    now: Area,
    /// Up to five minutes ago.
    then: Area,
    /// Changes of the last five minutes.
    pub(super) recent: u64,
}

impl Spent {
    /// A change that happens now.
    pub(super) fn note(&mut self, change: Change) {
        self.now.change(change.at, change.begins);
        self.recent += 1;
    }

    /// A change that is five minutes old.
    pub(super) fn forget(&mut self, change: Change) {
        self.then.change(change.at, change.begins);
        self.recent -= 1;
    }

    /// Message-nanoseconds of the five minutes before `now`; the changes before them are forgotten.
    pub(super) fn within(&self, now: SimTime) -> u128 {
        let from = SimTime::from_nanos(now.as_nanos().saturating_sub(WINDOW.as_nanos()));
        self.now.until(now) - self.then.until(from)
    }
}

/// A level, summed up over time.
#[derive(Clone, Copy, Debug)]
struct Area {
    level: u32,
    since: SimTime,
    sum: u128,
}

impl Default for Area {
    fn default() -> Self {
        Self { level: 0, since: SimTime::ZERO, sum: 0 }
    }
}

impl Area {
    fn change(&mut self, at: SimTime, begins: bool) {
        self.sum = self.until(at);
        self.since = self.since.max(at);
        self.level = if begins { self.level + 1 } else { self.level - 1 };
    }

    fn until(&self, at: SimTime) -> u128 {
        self.sum + u128::from(self.level) * u128::from(at.saturating_since(self.since).as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::Id;

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// One message in flight from 100 to 400 s, another one of a group from 200 to 250 s; by hand.
    #[test]
    fn esm_s24_time_in_flight_of_five_minutes() {
        let group = Some(GroupId::from_index(0));
        let (mut processing, mut spent) = (Processing::default(), Spent::default());
        let mut changes = [(100, None, true), (200, group, true), (250, group, false), (400, None, false)].into_iter();
        let mut next = changes.next();
        for (now, all, of_group) in
            [(150, 50, 0), (220, 140, 20), (300, 250, 50), (400, 350, 50), (450, 300, 50), (520, 210, 30), (700, 0, 0)]
        {
            while let Some((at, group, begins)) = next.filter(|(at, ..)| *at <= now) {
                let change = processing.note(seconds(at), group, begins);
                if group.is_some() {
                    spent.note(change);
                }
                next = changes.next();
            }
            while let Some(change) = processing.past(seconds(now)) {
                if change.group.is_some() {
                    spent.forget(change);
                }
            }
            let found = (processing.all.within(seconds(now)), spent.within(seconds(now)));
            assert_eq!(found, (all * 1_000_000_000, of_group * 1_000_000_000), "{now} s");
        }
        assert_eq!((processing.all.recent, spent.recent), (0, 0));
    }
}
