//! How many pollers a mapping of an SQS queue has: the default mode (ESM-1.2) and the provisioned one (ESM-1.9). Passive.

use crate::aws::config::{Growth, ProvisionedPollers, SqsPolling};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// One poller, in the parts in which they are counted.
const ONE: u64 = 1_000_000;

/// The number of pollers of one mapping.
#[derive(Clone, Debug)]
pub(crate) struct Pollers {
    config: SqsPolling,
    /// Parts of concurrent batches in the default mode, of pollers in the provisioned one.
    parts: u64,
    /// Since when less than the share of the provisioned pollers is in use, or the last one was given back.
    low_since: Option<SimTime>,
}

impl Pollers {
    /// The pollers at the start.
    pub(crate) fn new(config: &SqsPolling) -> Self {
        let mut pollers = Self { config: config.clone(), parts: 0, low_since: None };
        pollers.parts = pollers.least() * ONE;
        pollers
    }

    /// Other settings.
    pub(crate) fn reconfigure(&mut self, config: &SqsPolling) {
        if self.config.provisioned.is_some() == config.provisioned.is_some() {
            self.config = config.clone();
            self.parts = self.parts.min(self.most() * ONE);
            if self.config.provisioned.is_some() {
                self.parts = self.parts.max(self.least() * ONE);
            }
        } else {
            *self = Self::new(config);
        }
    }

    /// Batches that may be in work or waited for.
    pub(crate) fn slots(&self) -> u32 {
        let slots = match self.config.provisioned {
            None => self.parts / ONE,
            Some(provisioned) => self.parts.div_ceil(ONE) * u64::from(provisioned.invocations),
        };
        u32::try_from(slots).unwrap_or(u32::MAX)
    }

    /// Pollers as AWS counts them: provisioned ones, or concurrent batches.
    pub(crate) fn count(&self) -> u32 {
        match self.config.provisioned {
            None => self.slots(),
            Some(_) => u32::try_from(self.parts.div_ceil(ONE)).unwrap_or(u32::MAX),
        }
    }

    /// What they are not lowered below while messages come.
    fn least(&self) -> u64 {
        match self.config.provisioned {
            None => u64::from(self.config.pollers.initial).min(self.most()),
            Some(provisioned) => u64::from(provisioned.minimum),
        }
    }

    fn most(&self) -> u64 {
        match self.config.provisioned {
            None => {
                let most = self.config.pollers.maximum;
                u64::from(self.config.maximum_concurrency.map_or(most, |limit| limit.min(most)))
            }
            Some(provisioned) => u64::from(provisioned.maximum),
        }
    }

    /// How often the number is looked at.
    pub(crate) fn every(&self) -> SimDuration {
        match (self.config.provisioned, self.config.pollers.growth) {
            (Some(provisioned), _) => provisioned.every,
            (None, Growth::Linear) => SimDuration::from_secs(1),
            (None, Growth::Step) => SimDuration::from_secs(60),
        }
    }

    /// ESM-1.2, 1.9: messages wait and nobody is idle.
    pub(crate) fn grow(&mut self) {
        let (per_minute, minimum) = match self.config.provisioned {
            None => (self.config.pollers.per_minute, self.least()),
            Some(provisioned) => (provisioned.per_minute, self.least()),
        };
        let step = u128::from(per_minute) * u128::from(ONE) * u128::from(self.every().as_nanos());
        let step = u64::try_from(step / 60_000_000_000).unwrap_or(u64::MAX);
        self.parts = (self.parts.saturating_add(step)).max(minimum * ONE).min(self.most() * ONE);
        self.low_since = None;
    }

    /// ESM-S25: gives provisioned pollers back that are not used; whether there may be more to give back.
    pub(crate) fn shrink(&mut self, now: SimTime, busy: u32) -> bool {
        let Some(provisioned) = self.config.provisioned else { return false };
        let ProvisionedPollers { invocations, down_below, down_after, down_every, .. } = provisioned;
        if self.parts <= self.least() * ONE {
            return false;
        }
        let capacity = u64::from(self.count()) * u64::from(invocations);
        let low = u128::from(busy) * u128::from(Ratio::PARTS) < u128::from(capacity) * u128::from(down_below.parts());
        match (low, self.low_since) {
            (false, _) => self.low_since = None,
            (true, None) => self.low_since = Some(now.plus(down_after)),
            (true, Some(due)) if now >= due => {
                self.parts = (self.parts.div_ceil(ONE) - 1).max(self.least()) * ONE;
                self.low_since = Some(now.plus(down_every));
            }
            (true, Some(_)) => {}
        }
        true
    }

    /// ESM-S5, S6: a failed invocation or a throttled batch lowers the number.
    pub(crate) fn back_off(&mut self, left: Ratio) {
        if self.config.provisioned.is_none() {
            let lowered = u128::from(self.parts) * u128::from(left.parts()) / u128::from(Ratio::PARTS);
            let lowered = u64::try_from(lowered).unwrap_or(u64::MAX);
            self.parts = lowered.max(self.least() * ONE).min(self.parts);
        }
    }

    /// ESM-S3, S4: an idle poller retires, if that is allowed; `quiet` says that it was quiet for `floor_after`.
    pub(crate) fn retire(&mut self, quiet: bool) -> bool {
        let floor = self.floor(quiet);
        if self.config.provisioned.is_some() || self.parts / ONE <= floor {
            return false;
        }
        self.parts = (self.parts / ONE - 1).max(floor) * ONE;
        true
    }

    /// Whether an idle poller may retire now or after a time.
    pub(crate) fn may_retire(&self) -> bool {
        self.config.provisioned.is_none() && self.parts / ONE > self.floor(true)
    }

    fn floor(&self, quiet: bool) -> u64 {
        let floor = u64::from(self.config.pollers.floor);
        // ESM-1.8: with a maximum concurrency the last step down is not taken.
        if quiet && self.config.maximum_concurrency.is_none() { floor.min(self.least()) } else { self.least() }
    }

    /// ESM-S4: the first message after a quiet time.
    pub(crate) fn wake(&mut self) {
        self.parts = self.parts.max(self.least() * ONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config;

    fn polling(provisioned: Option<(u32, u32)>) -> SqsPolling {
        let share = |percent: u64| Ratio::from_parts(Ratio::PARTS / 100 * percent).expect("a share");
        SqsPolling {
            maximum_concurrency: None,
            pollers: config::Pollers {
                initial: 5,
                per_minute: 300,
                maximum: 1_250,
                growth: Growth::Linear,
                floor: 5,
                floor_after: SimDuration::from_secs(300),
                retire_after: 1,
                error_backoff: share(95),
                throttle_backoff: share(95),
            },
            provisioned: provisioned.map(|(minimum, maximum)| ProvisionedPollers {
                minimum,
                maximum,
                invocations: 10,
                receives: crate::kernel::quantity::Rate { events: 10, per: SimDuration::from_secs(1) },
                throughput: 1_000_000,
                per_minute: 100,
                every: SimDuration::from_secs(1),
                down_below: share(50),
                down_after: SimDuration::from_secs(60),
                down_every: SimDuration::from_secs(6),
            }),
            long_poll: SimDuration::from_secs(20),
            low_traffic_wait: SimDuration::from_secs(20),
            fifo_single_group_batches: false,
        }
    }

    /// ESM-A1, A2: 5, then 300 (or 60) more a minute, up to 1,250.
    #[test]
    fn esm_a1_a2_the_default_mode_grows_each_second() {
        for (per_minute, at) in [
            (300, [(0, 5), (60, 305), (240, 1_205), (249, 1_250), (300, 1_250)]),
            (60, [(0, 5), (60, 65), (600, 605), (995, 1_000), (1_245, 1_250)]),
        ] {
            let mut config = polling(None);
            config.pollers.per_minute = per_minute;
            let mut pollers = Pollers::new(&config);
            let mut second = 0;
            for (moment, slots) in at {
                while second < moment {
                    pollers.grow();
                    second += 1;
                }
                assert_eq!(pollers.slots(), slots, "{per_minute} a minute at {moment} s");
            }
        }
    }

    /// ESM-A7: 20 concurrent batches at once, 2,000 after 118.8 s, which whole seconds make 119.
    #[test]
    fn esm_a7_the_provisioned_mode() {
        let mut pollers = Pollers::new(&polling(Some((2, 200))));
        assert_eq!((pollers.count(), pollers.slots()), (2, 20));
        (0..118).for_each(|_| pollers.grow());
        assert_eq!(pollers.slots(), 1_990);
        pollers.grow();
        assert_eq!(pollers.slots(), 2_000);
        pollers.grow();
        assert_eq!(pollers.slots(), 2_000);
    }

    /// ESM-S5: 0.95 of what there was, and never below the first five.
    #[test]
    fn esm_s5_failures_lower_the_number() {
        let mut pollers = Pollers::new(&polling(None));
        (0..19).for_each(|_| pollers.grow());
        assert_eq!(pollers.slots(), 100);
        pollers.back_off(polling(None).pollers.error_backoff);
        assert_eq!(pollers.slots(), 95);
        (0..100).for_each(|_| pollers.back_off(polling(None).pollers.error_backoff));
        assert_eq!(pollers.slots(), 5);
    }

    /// ESM-S4: the floor of two is reached only when it was quiet, and left at the first message.
    #[test]
    fn esm_s4_the_floor() {
        let mut config = polling(None);
        config.pollers.floor = 2;
        let mut pollers = Pollers::new(&config);
        pollers.grow();
        assert_eq!((0..9).filter(|_| pollers.retire(false)).count(), 5);
        assert_eq!((0..9).filter(|_| pollers.retire(true)).count(), 3);
        assert_eq!(pollers.slots(), 2);
        pollers.wake();
        assert_eq!(pollers.slots(), 5);
    }

    /// ESM-S25: a poller less every 6 s once use was below one half for 60 s.
    #[test]
    fn esm_s25_provisioned_pollers_are_given_back() {
        let mut pollers = Pollers::new(&polling(Some((2, 200))));
        (0..3).for_each(|_| pollers.grow());
        assert_eq!(pollers.count(), 7);
        let at = |second: u64| SimTime::from_nanos(second * 1_000_000_000);
        let counts: Vec<u32> = (0..=72)
            .map(|second| {
                pollers.shrink(at(second), 34);
                pollers.count()
            })
            .collect();
        assert_eq!((counts[59], counts[60], counts[65], counts[66]), (7, 6, 6, 6));
        // 34 of 60 is more than one half: it ends there.
        assert_eq!(counts[72], 6);
    }
}
