//! What a level came to in each interval of a time series.

use super::schedule::Schedule;

/// A level over one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lap {
    /// Time-weighted mean.
    pub(crate) mean: f64,
    /// The highest, even if only for an instant.
    pub(crate) max: u64,
    /// At the end of the interval.
    pub(crate) last: u64,
}

/// The intervals of one level that are over, and where the present one began.
///
/// Whoever moves the level asks whether the interval is over before the level moves, as a level may be told late what
/// happened before.
#[derive(Clone, Debug)]
pub(crate) struct Laps {
    schedule: Schedule,
    began: u64,
    ends: u64,
    /// Level x time up to where the present interval began.
    weighted: u128,
    over: Vec<Lap>,
}

impl Laps {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self { schedule, began: schedule.start(), ends: schedule.end_of(0), weighted: 0, over: Vec::new() }
    }

    /// When the present interval ends.
    pub(crate) const fn ends(&self) -> u64 {
        self.ends
    }

    /// All intervals that end at or before `now` are over. `weighted` is level x time up to `since`, and from then on it
    /// stood at `level`; in the present interval `max` was the highest.
    #[cold]
    #[inline(never)]
    pub(crate) fn pass(&mut self, now: u64, since: u64, weighted: u128, level: u64, max: u64) {
        let mut max = max.max(level);
        while self.ends <= now {
            let rest = u128::from(level) * u128::from(self.ends.saturating_sub(since));
            self.close(self.ends, weighted + rest, level, max);
            self.ends = self.schedule.end_of(self.over.len() as u64);
            max = level;
        }
    }

    fn close(&mut self, end: u64, weighted: u128, last: u64, max: u64) {
        let length = end - self.began;
        let mean = if length == 0 { last as f64 } else { (weighted - self.weighted) as f64 / length as f64 };
        self.over.push(Lap { mean, max, last });
        (self.began, self.weighted) = (end, weighted);
    }

    /// The run ends: the present interval ends with it. Gives all of them.
    pub(crate) fn finish(mut self, ended: u64, weighted: u128, level: u64, max: u64) -> Vec<Lap> {
        if ended > self.began {
            self.close(ended, weighted, level, max.max(level));
        } else if let Some(lap) = self.over.last_mut() {
            // What happened at the very end of the last interval belongs to it.
            (lap.max, lap.last) = (lap.max.max(max).max(level), level);
        }
        self.over
    }
}
