//! Target tracking of provisioned concurrency (INV-P7..P12): two alarms on the utilization of whole minutes. Passive.

use super::config::TargetTracking;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimTime;

/// The metric of the current minute and the state of both alarms.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    config: TargetTracking,
    /// Executions and units, integrated over the minute so far.
    busy_ns: u128,
    allocated_ns: u128,
    since: SimTime,
    /// Minutes in a row beyond each threshold.
    high: u32,
    low: u32,
}

impl Tracker {
    /// A tracker whose first minute begins at `now`.
    pub(crate) fn new(config: TargetTracking, now: SimTime) -> Self {
        Self { config, busy_ns: 0, allocated_ns: 0, since: now, high: 0, low: 0 }
    }

    /// `busy` executions on `allocated` units have been in flight since the last call.
    #[inline]
    pub(crate) fn integrate(&mut self, now: SimTime, busy: u32, allocated: u32) {
        let length = u128::from(now.since(self.since).as_nanos());
        self.busy_ns += length * u128::from(busy);
        self.allocated_ns += length * u128::from(allocated);
        self.since = now;
    }

    /// The minute is over: the units wanted now, if an alarm rings. Call [`Tracker::integrate`] first.
    pub(crate) fn minute_over(&mut self, allocated: u32) -> Option<u32> {
        let (busy, whole) = (std::mem::take(&mut self.busy_ns), std::mem::take(&mut self.allocated_ns));
        if busy == 0 || whole == 0 {
            // INV-P12: no data; neither alarm can ring.
            (self.high, self.low) = (0, 0);
            return None;
        }
        let (parts, target) = (u128::from(Ratio::PARTS), u128::from(self.config.target.parts()));
        let above = busy * parts > whole * target;
        let below = busy * parts * 10 < whole * target * 9;
        self.high = if above { self.high + 1 } else { 0 };
        self.low = if below { self.low + 1 } else { 0 };
        // INV-P11: ceil(current x utilization / target).
        let wanted = (u128::from(allocated) * busy * parts).div_ceil(whole * target);
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(self.config.min, self.config.max);
        if self.high >= self.config.scale_out_datapoints {
            return (wanted > allocated).then_some(wanted);
        }
        if self.low >= self.config.scale_in_datapoints {
            let step = u64::from(allocated) * self.config.scale_in_step.parts() / Ratio::PARTS;
            let least = allocated.saturating_sub(u32::try_from(step).unwrap_or(u32::MAX).max(1));
            let wanted = wanted.max(least).max(self.config.min);
            return (wanted < allocated).then_some(wanted);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: TargetTracking = TargetTracking {
        min: 1,
        max: 100,
        target: match Ratio::from_parts(700_000_000_000) {
            Some(target) => target,
            None => panic!("a share"),
        },
        scale_out_datapoints: 3,
        scale_in_datapoints: 15,
        scale_in_step: match Ratio::from_parts(100_000_000_000) {
            Some(step) => step,
            None => panic!("a share"),
        },
    };

    fn minutes(tracker: &mut Tracker, count: u64, busy: u32, allocated: u32) -> Vec<Option<u32>> {
        let minute = 60_000_000_000;
        (0..count)
            .map(|_| {
                let end = tracker.since.as_nanos() + minute;
                tracker.integrate(SimTime::from_nanos(end), busy, allocated);
                tracker.minute_over(allocated)
            })
            .collect()
    }

    /// INV-V42: 7 of 10 is the target itself: neither alarm rings.
    #[test]
    fn v42_the_target_itself_rings_no_alarm() {
        let mut tracker = Tracker::new(CONFIG, SimTime::ZERO);
        assert!(minutes(&mut tracker, 60, 7, 10).iter().all(Option::is_none));
    }

    /// INV-P8, P9, P11: three minutes above 0.70 scale out, fifteen below 0.63 scale in by a tenth.
    #[test]
    fn p8_p9_alarms_need_their_minutes() {
        let mut tracker = Tracker::new(CONFIG, SimTime::ZERO);
        // ceil(10 x 0.8 / 0.7) = 12
        assert_eq!(minutes(&mut tracker, 3, 8, 10), [None, None, Some(12)]);
        let mut tracker = Tracker::new(CONFIG, SimTime::ZERO);
        let seen = minutes(&mut tracker, 15, 12, 20);
        assert!(seen[..14].iter().all(Option::is_none));
        // ceil(20 x 0.6 / 0.7) = 18 and at most a tenth of 20 less: 18.
        assert_eq!(seen[14], Some(18));
        let mut tracker = Tracker::new(CONFIG, SimTime::ZERO);
        // 0.63 exactly is not below nine tenths of the target.
        assert!(minutes(&mut tracker, 30, 63, 100).iter().all(Option::is_none));
    }

    /// INV-P12: a minute without traffic is missing data, so scale-in starts anew.
    #[test]
    fn p12_no_traffic_keeps_the_units() {
        let mut tracker = Tracker::new(CONFIG, SimTime::ZERO);
        assert!(minutes(&mut tracker, 60, 0, 10).iter().all(Option::is_none));
        minutes(&mut tracker, 14, 1, 10);
        minutes(&mut tracker, 1, 0, 10);
        assert!(minutes(&mut tracker, 14, 1, 10).iter().all(Option::is_none));
    }

    #[test]
    fn the_wanted_units_stay_between_min_and_max() {
        let mut tracker = Tracker::new(CONFIG, SimTime::ZERO);
        assert_eq!(minutes(&mut tracker, 3, 90, 90)[2], Some(100));
        let mut tracker = Tracker::new(TargetTracking { min: 5, ..CONFIG }, SimTime::ZERO);
        assert!(minutes(&mut tracker, 60, 1, 5).iter().all(Option::is_none));
    }
}
