//! The age of the oldest message: a ramp, looked at each whole minute (ESM-1.13).

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::gauge::GaugeFigures;
use crate::stats::histogram::{Coarse, milliseconds, nearest_rank};
use crate::stats::series::{Recorder, Schedule};

/// The age of the oldest message of one queue at whole minutes after the warm-up.
///
/// A change costs a comparison; the minutes that went by since the last one are looked at together, and those in which
/// the queue was empty are only counted.
#[derive(Clone, Debug)]
pub(super) struct OldestAge {
    from: SimTime,
    since: Option<SimTime>,
    /// The next minute to look at, ns.
    next: u64,
    /// Minutes at which there was no message, or a new one.
    zeros: u64,
    ages: Coarse,
    sum: u128,
    max: u64,
    /// When the present interval of a time series ends.
    interval_ends: u64,
    over_time: Option<Box<OverTime>>,
}

/// The age at the end of each interval of a time series, ns.
#[derive(Clone, Debug)]
struct OverTime {
    schedule: Schedule,
    ages: Vec<u64>,
}

const MINUTE: u64 = 60_000_000_000;

impl OldestAge {
    /// An empty queue that is measured from `from` on.
    pub(super) fn new(from: SimTime) -> Self {
        let next = (from.as_nanos() / MINUTE + 1).saturating_mul(MINUTE);
        Self {
            from,
            since: None,
            next,
            zeros: 0,
            ages: Coarse::new(),
            sum: 0,
            max: 0,
            interval_ends: u64::MAX,
            over_time: None,
        }
    }

    /// From `at` on the oldest message is in the queue since then. What happens at a minute comes after that minute.
    #[inline(always)]
    pub(super) fn change(&mut self, at: SimTime, since: Option<SimTime>) {
        if at.as_nanos() >= self.next {
            self.look(at);
        }
        if at.as_nanos() >= self.interval_ends {
            self.pass(at.as_nanos());
        }
        self.since = since;
    }

    /// Intervals of the time series are over.
    #[cold]
    #[inline(never)]
    fn pass(&mut self, until: u64) {
        let Some(over) = &mut self.over_time else { return };
        while self.interval_ends <= until {
            let since = self.since.map_or(u64::MAX, SimTime::as_nanos);
            over.ages.push(self.interval_ends.saturating_sub(since));
            self.interval_ends = over.schedule.end_of(over.ages.len() as u64);
        }
    }

    /// What a time series says: the age at the end of each interval.
    pub(super) fn series(&mut self, key: &str, to: &mut Recorder) {
        if let Some(schedule) = to.schedule() {
            self.interval_ends = schedule.end_of(0);
            self.over_time = Some(Box::new(OverTime { schedule, ages: Vec::new() }));
        }
        let mut ages = Vec::new();
        if let Some(ended) = to.ended() {
            self.pass(ended.as_nanos());
            self.interval_ends = u64::MAX;
            let last = self.since.map_or(0, |since| ended.saturating_since(since).as_nanos());
            ages = self.over_time.take().map_or_else(Vec::new, |over| over.ages);
            // The last interval ends with the run, at the latest.
            ages.truncate(to.over());
            ages.push(last);
        }
        to.numbers(&format!("{key}.last"), ages.into_iter().map(|age| Some(milliseconds(age))).collect());
    }

    /// Looks at all minutes up to `until`.
    #[cold]
    #[inline(never)]
    fn look(&mut self, until: SimTime) {
        let minutes = until.as_nanos().saturating_sub(self.next) / MINUTE + 1;
        let next = self.next.saturating_add(minutes.saturating_mul(MINUTE));
        match self.since {
            None => self.zeros += minutes,
            Some(since) => {
                let first = self.next;
                (0..minutes).for_each(|minute| self.record((first + minute * MINUTE).saturating_sub(since.as_nanos())));
            }
        }
        self.next = next;
    }

    fn record(&mut self, age: u64) {
        if age == 0 {
            self.zeros += 1;
            return;
        }
        self.ages.record(SimDuration::from_nanos(age));
        self.sum += u128::from(age);
        self.max = self.max.max(age);
    }

    /// What it comes to when the run ends at `ended`.
    pub(super) fn figures(&mut self, ended: SimTime) -> GaugeFigures<f64> {
        if ended.as_nanos() >= self.next {
            self.look(ended);
        }
        if self.zeros + self.ages.count() == 0 && ended > self.from {
            // There was no whole minute.
            self.record(self.since.map_or(0, |since| ended.saturating_since(since).as_nanos()));
        }
        let last = self.since.map_or(0, |since| ended.saturating_since(since).as_nanos());
        let minutes = self.zeros + self.ages.count();
        let [p95, p99] = [9_500, 9_900].map(|share| self.quantile(minutes, share));
        let mean = (minutes > 0).then(|| self.sum as f64 / minutes as f64 / 1e6);
        let max = Some(milliseconds(self.max.max(last)));
        GaugeFigures { mean, p95, p99, max, last: Some(milliseconds(last)) }
    }

    fn quantile(&mut self, minutes: u64, ten_thousandths: u32) -> Option<f64> {
        if minutes == 0 {
            return None;
        }
        let rank = nearest_rank(minutes, ten_thousandths);
        if rank <= self.zeros {
            return Some(0.0);
        }
        let ages = self.ages.histogram();
        let mut below = self.zeros;
        let found = ages.iter_recorded().find(|age| {
            below += age.count_at_value();
            below >= rank
        });
        found.map(|age| milliseconds(ages.median_equivalent(age.value_iterated_to()).min(self.max)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "figures come from integers and are exact")]
    use super::*;

    fn minutes(minutes: u64) -> SimTime {
        SimTime::from_nanos(minutes * MINUTE)
    }

    #[test]
    fn esm_1_13_the_age_is_looked_at_each_whole_minute() {
        let mut age = OldestAge::new(SimTime::ZERO);
        age.change(minutes(1).plus(SimDuration::from_secs(30)), Some(minutes(1)));
        age.change(minutes(4), None);
        // 0 at minute 1; 1, 2 and 3 minutes at 2, 3 and 4; 0 from then on.
        let figures = age.figures(minutes(10));
        assert_eq!(
            (figures.mean, figures.max, figures.last),
            (Some(6.0 * 60_000.0 / 10.0), Some(180_000.0), Some(0.0))
        );
        let p95 = figures.p95.unwrap();
        assert!((p95 / 180_000.0 - 1.0).abs() < 0.01, "{p95}");
    }

    #[test]
    fn the_warm_up_is_not_looked_at_and_what_it_leaves_is() {
        let mut age = OldestAge::new(minutes(10));
        age.change(minutes(0), Some(minutes(0)));
        let figures = age.figures(minutes(11).plus(SimDuration::from_secs(1)));
        assert_eq!((figures.mean, figures.last), (Some(660_000.0), Some(661_000.0)));
        assert_eq!(figures.max, Some(661_000.0));
    }

    #[test]
    fn less_than_a_minute_has_only_its_end() {
        let mut age = OldestAge::new(SimTime::ZERO);
        age.change(SimTime::ZERO, Some(SimTime::ZERO));
        let figures = age.figures(SimTime::from_nanos(5_000_000_000));
        assert_eq!((figures.mean, figures.last), (Some(5_000.0), Some(5_000.0)));
        let figures = OldestAge::new(minutes(1)).figures(minutes(1));
        assert_eq!((figures.mean, figures.p95, figures.last), (None, None, Some(0.0)));
    }

    /// A month without messages is one step.
    #[test]
    fn an_empty_queue_costs_nothing() {
        let mut age = OldestAge::new(SimTime::ZERO);
        let figures = age.figures(minutes(30 * 24 * 60));
        assert_eq!((figures.mean, figures.p99, age.zeros), (Some(0.0), Some(0.0), 43_200));
        assert_eq!(age.ages.count(), 0);
    }
}
