//! What provisioned pollers cost: each by the second, and at least a minute (ESM-1.9).

use crate::aws::config::{EventSourceMapping, System};
use crate::aws::ids::MappingId;
use crate::kernel::time::SimTime;

/// Provisioned pollers of one mapping. Those that came last go first.
#[derive(Clone, Debug)]
pub(super) struct PollerBill {
    from: SimTime,
    provisioned: bool,
    /// Changes between the modes to come, the next one last.
    switches: Vec<(SimTime, bool)>,
    /// All pollers, of either mode.
    pollers: u32,
    /// Provisioned pollers and since when there are, oldest first.
    standing: Vec<(u32, SimTime)>,
    seconds: u128,
}

const SECOND: u64 = 1_000_000_000;

/// ESM-1.9: the least that is paid for a poller.
const LEAST_SECONDS: u64 = 60;

impl PollerBill {
    /// Before the first poller; what stands before `from` is not paid.
    pub(super) fn new(system: &System, id: MappingId, from: SimTime) -> Self {
        let is_provisioned = |mapping: &EventSourceMapping| mapping.sqs.provisioned.is_some();
        let mut switches: Vec<_> = changes(system, id).map(|(at, mapping)| (at, is_provisioned(mapping))).collect();
        switches.sort_by_key(|(at, _)| *at);
        switches.reverse();
        let provisioned = is_provisioned(&system.event_source_mappings[id]);
        Self { from, provisioned, switches, pollers: 0, standing: Vec::new(), seconds: 0 }
    }

    /// There are so many pollers from `now` on.
    pub(super) fn change(&mut self, now: SimTime, pollers: u32) {
        self.catch_up(now);
        self.pollers = pollers;
        if self.provisioned {
            self.stand(now, pollers);
        }
    }

    fn catch_up(&mut self, now: SimTime) {
        while let Some((at, provisioned)) = self.switches.pop_if(|(at, _)| *at <= now) {
            self.provisioned = provisioned;
            self.stand(at, if provisioned { self.pollers } else { 0 });
        }
    }

    /// So many provisioned pollers stand from `now` on.
    fn stand(&mut self, now: SimTime, pollers: u32) {
        let held: u32 = self.standing.iter().map(|(pollers, _)| pollers).sum();
        if pollers > held {
            self.standing.push((pollers - held, now));
        }
        let mut gone = held.saturating_sub(pollers);
        while gone > 0
            && let Some((last, since)) = self.standing.last_mut()
        {
            let part = gone.min(*last);
            let length = now.saturating_since(self.from.max(*since)).as_nanos();
            let seconds = if length == 0 { 0 } else { length.div_ceil(SECOND).max(LEAST_SECONDS) };
            self.seconds += u128::from(seconds) * u128::from(part);
            *last -= part;
            gone -= part;
            self.standing.pop_if(|(left, _)| *left == 0);
        }
    }

    /// Seconds of pollers when the run ends at `ended`.
    pub(super) fn finish(&mut self, ended: SimTime) -> u128 {
        self.catch_up(ended);
        self.stand(ended, 0);
        self.seconds
    }
}

/// The settings that a mapping changes to.
pub(super) fn changes(system: &System, id: MappingId) -> impl Iterator<Item = (SimTime, &EventSourceMapping)> {
    system.changes.iter().filter_map(move |change| {
        let (_, settings) = change.action.mapping().filter(|(of, _)| *of == id)?;
        Some((change.at, settings))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * SECOND)
    }

    fn bill(from: u64) -> PollerBill {
        let (from, provisioned, switches, standing) = (seconds(from), true, Vec::new(), Vec::new());
        PollerBill { from, provisioned, switches, pollers: 0, standing, seconds: 0 }
    }

    /// ESM-A8: one poller that is alive for 10 s is billed 60 s.
    #[test]
    fn esm_a8_a_poller_is_paid_for_a_minute_at_least() {
        let mut pollers = bill(0);
        for (at, number) in [(0, 2), (100, 3), (110, 2)] {
            pollers.change(seconds(at), number);
        }
        assert_eq!(pollers.finish(seconds(3_600)), 60 + 2 * 3_600);
        let mut pollers = bill(100);
        pollers.change(seconds(0), 2);
        pollers.change(SimTime::from_nanos(200 * SECOND + 1), 0);
        assert_eq!(pollers.finish(seconds(3_600)), 2 * 101);
    }

    #[test]
    fn the_default_mode_is_free() {
        let mut pollers = bill(0);
        pollers.switches = vec![(seconds(200), true), (seconds(100), false)];
        pollers.change(seconds(0), 2);
        pollers.change(seconds(150), 5);
        assert_eq!(pollers.finish(seconds(300)), 2 * 100 + 5 * 100);
    }
}
