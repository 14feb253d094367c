//! Provisioned concurrency of one function: executions on it, how well it is used, and how long it is paid for.

use super::gauge::{Gauge, GaugeFigures, LevelTimes};
use super::series::{Recorder, Schedule};
use crate::kernel::time::{SimDuration, SimTime};

/// Levels and counts of a function's provisioned concurrency.
#[derive(Clone, Debug)]
pub(super) struct ProvisionedStats {
    /// Time at each level of executions since the units last changed.
    present: LevelTimes<{ 1 << 16 }>,
    from: u64,
    since: u64,
    running: u32,
    running_max: u32,
    present_max: u32,
    allocated: Gauge,
    past: LevelTimes<{ 1 << 16 }>,
    utilization: Utilization,
    /// The executions once more, for a time series.
    over_time: Option<Gauge>,
    /// Units that are paid for.
    pub(super) standing: Standing,
    /// Runs on provisioned units; and on demand while there are some.
    pub(super) invocations: u64,
    pub(super) spillover: u64,
    /// INV-P4.
    pub(super) failed: u64,
}

/// Executions over units, while there are executions.
#[derive(Clone, Debug, Default)]
struct Utilization {
    /// Time at each millionth.
    times: LevelTimes<4_096>,
    /// Billionths x time.
    weighted: u128,
    max: Option<f64>,
}

impl ProvisionedStats {
    /// Measured from `from` on; with a time series of this schedule.
    pub(super) fn new(from: SimTime, schedule: Option<Schedule>) -> Self {
        let gauge = || {
            let mut gauge = Gauge::new(from);
            if let Some(schedule) = schedule {
                gauge.keep_laps(schedule);
            }
            gauge
        };
        Self {
            present: LevelTimes::default(),
            from: from.as_nanos(),
            since: from.as_nanos(),
            running: 0,
            running_max: 0,
            present_max: 0,
            allocated: gauge(),
            past: LevelTimes::default(),
            utilization: Utilization::default(),
            over_time: schedule.map(|_| gauge()),
            standing: Standing::new(from),
            invocations: 0,
            spillover: 0,
            failed: 0,
        }
    }

    /// A run began on a provisioned unit.
    pub(super) fn start(&mut self, now: SimTime) {
        self.settle(now);
        self.over_time.iter_mut().for_each(|gauge| gauge.increment(now));
        self.running += 1;
        if now.as_nanos() >= self.from {
            self.present_max = self.present_max.max(self.running);
        }
    }

    /// A run on a provisioned unit ended.
    pub(super) fn end(&mut self, now: SimTime) {
        self.settle(now);
        self.over_time.iter_mut().for_each(|gauge| gauge.decrement(now));
        self.running -= 1;
    }

    fn settle(&mut self, now: SimTime) {
        let now = now.as_nanos();
        self.present.add(u64::from(self.running), now.saturating_sub(self.since));
        self.since = self.since.max(now);
    }

    /// Other units are usable from now on.
    pub(super) fn allocate(&mut self, now: SimTime, units: u32) {
        self.settle(now);
        self.close();
        self.allocated.set(now, units);
        self.present_max = if now.as_nanos() >= self.from { self.running } else { 0 };
    }

    /// Moves the table of the present units to the past.
    fn close(&mut self) {
        let units = self.allocated.level();
        let highest = self.present.rows().last().map_or(0, |(level, _)| level).max(u64::from(self.present_max));
        if units > 0 {
            let Utilization { times, weighted, max } = &mut self.utilization;
            for (level, time) in self.present.rows().filter(|&(level, _)| level > 0) {
                times.add((level * 1_000_000 + u64::from(units) / 2) / u64::from(units), time);
                *weighted += u128::from(level) * u128::from(time) * BILLION / u128::from(units);
            }
            if highest > 0 {
                *max = Some(max.unwrap_or(0.0).max(highest as f64 / f64::from(units)));
            }
        }
        self.running_max = self.running_max.max(self.present_max);
        self.past.absorb(&self.present, 0);
        self.present.clear();
    }

    /// Executions, utilization and units when the run ends at `ended`.
    pub(super) fn figures(&mut self, ended: SimTime) -> (GaugeFigures<u64>, GaugeFigures<f64>, GaugeFigures<u64>) {
        self.settle(ended);
        self.close();
        let executions = self.past.figures(u64::from(self.running_max), u64::from(self.running));
        (executions, self.utilization.figures(self.running, self.allocated.level()), self.allocated.figures(ended))
    }
}

const BILLION: u128 = 1_000_000_000;

impl Utilization {
    fn figures(&self, running: u32, units: u32) -> GaugeFigures<f64> {
        let busy = self.times.time();
        // Rounded to a millionth or a billionth, a figure may pass the largest, which is exact.
        let at_most = |share: f64| self.max.map_or(share, |max| share.min(max));
        let share = |ten_thousandths| {
            self.times.quantile(busy, ten_thousandths).map(|millionths| at_most(millionths as f64 / 1e6))
        };
        let mean = |busy| at_most(((self.weighted + u128::from(busy) / 2) / u128::from(busy)) as f64 / 1e9);
        let mean = (busy > 0).then(|| mean(busy));
        let last = (running > 0 && units > 0).then(|| f64::from(running) / f64::from(units));
        GaugeFigures { mean, p95: share(9_500), p99: share(9_900), max: self.max, last }
    }
}

/// What utilization and its kin come to without any provisioned concurrency.
pub(super) fn none(from: SimTime, ended: SimTime) -> (GaugeFigures<u64>, GaugeFigures<f64>, GaugeFigures<u64>) {
    ProvisionedStats::new(from, None).figures(ended)
}

/// Units from their request to their return, each rounded up to five minutes (INV-V41).
///
/// The units that were requested last are returned first.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    from: SimTime,
    /// Units and when they were requested, oldest first.
    units: Vec<(u32, SimTime)>,
}

/// Units that were paid for during a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paid {
    pub(super) units: u32,
    pub(super) since: SimTime,
    pub(super) until: SimTime,
}

impl Standing {
    const STEP: u64 = 300_000_000_000;

    const fn new(from: SimTime) -> Self {
        Self { from, units: Vec::new() }
    }

    /// All units requested from `now` on are `requested`; hands what was given back to `paid`.
    pub(super) fn request(&mut self, now: SimTime, requested: u32, mut paid: impl FnMut(Paid)) {
        let held: u32 = self.units.iter().map(|&(units, _)| units).sum();
        if requested > held {
            self.units.push((requested - held, now));
            return;
        }
        let mut returned = held - requested;
        while returned > 0 {
            let Some((units, since)) = self.units.last_mut() else { break };
            let part = returned.min(*units);
            *units -= part;
            returned -= part;
            let (left, since) = (*units, *since);
            if left == 0 {
                self.units.pop();
            }
            if let Some(part) = self.paid(part, since, now) {
                paid(part);
            }
        }
    }

    /// The time of `units` within the measured time, rounded up.
    fn paid(&self, units: u32, since: SimTime, until: SimTime) -> Option<Paid> {
        let since = since.max(self.from);
        let length = until.saturating_since(since).as_nanos().next_multiple_of(Self::STEP);
        (length > 0).then(|| Paid { units, since, until: since.plus(SimDuration::from_nanos(length)) })
    }
}

/// What a time series says; before there is any provisioned concurrency too.
pub(super) fn series(stats: Option<&mut ProvisionedStats>, to: &mut Recorder) {
    let mut over = [Vec::new(), Vec::new()];
    if let (Some(ended), Some(stats)) = (to.ended(), stats) {
        let executions = stats.over_time.as_mut().map(|gauge| gauge.finish_laps(ended));
        over = [executions.unwrap_or_default(), stats.allocated.finish_laps(ended)];
    }
    let [executions, allocated] = over;
    to.laps("provisioned_concurrent_executions", executions);
    to.laps("provisioned_concurrency_allocated", allocated);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> SimTime {
        SimTime::ZERO.plus(SimDuration::from_secs(60 * minutes))
    }

    /// INV-V42: 10 units, 7 in flight.
    #[test]
    fn inv_v42_utilization_is_executions_over_units_while_there_are_some() {
        let mut stats = ProvisionedStats::new(SimTime::ZERO, None);
        stats.allocate(minutes(0), 10);
        for _ in 0..7 {
            stats.start(minutes(10));
        }
        for _ in 0..7 {
            stats.end(minutes(20));
        }
        let (executions, utilization, allocated) = stats.figures(minutes(30));
        assert_eq!(
            utilization,
            GaugeFigures { mean: Some(0.7), p95: Some(0.7), p99: Some(0.7), max: Some(0.7), last: None }
        );
        assert_eq!((executions.mean, executions.max), (Some(7.0 / 3.0), Some(7)));
        assert_eq!((allocated.mean, allocated.last), (Some(10.0), Some(10)));
    }

    #[test]
    fn utilization_follows_the_units() {
        let mut stats = ProvisionedStats::new(SimTime::ZERO, None);
        stats.allocate(minutes(0), 4);
        stats.start(minutes(0));
        stats.allocate(minutes(30), 2);
        let (_, utilization, _) = stats.figures(minutes(60));
        assert_eq!(
            utilization,
            GaugeFigures { mean: Some(0.375), p95: Some(0.5), p99: Some(0.5), max: Some(0.5), last: Some(0.5) }
        );
    }

    #[test]
    fn without_units_there_is_no_utilization() {
        let (executions, utilization, allocated) = none(SimTime::ZERO, minutes(1));
        assert_eq!(utilization, GaugeFigures { mean: None, p95: None, p99: None, max: None, last: None });
        assert_eq!((executions.mean, allocated.max), (Some(0.0), Some(0)));
    }

    #[test]
    fn inv_v41_units_are_paid_in_steps_of_five_minutes_and_the_last_go_first() {
        let mut standing = Standing::new(minutes(10));
        let mut bill = Vec::new();
        for (at, units) in [(0, 100), (20, 130), (81, 90), (81, 90), (90, 0)] {
            standing.request(minutes(at), units, |paid| bill.push(paid));
        }
        let paid = |units, since, until| Paid { units, since: minutes(since), until: minutes(until) };
        assert_eq!(bill, [paid(30, 20, 85), paid(10, 10, 85), paid(90, 10, 90)]);
    }

    #[test]
    fn what_ends_before_the_measured_time_is_not_paid() {
        let mut standing = Standing::new(minutes(10));
        standing.request(minutes(0), 100, |_| unreachable!());
        standing.request(minutes(10), 0, |_| unreachable!("nothing was paid"));
    }
}
