//! Event poller units of Kafka's provisioned mode (ESM-4.2): one for each ten pollers or 20 MB/s, whichever is more.
//!
//! Mappings of one poller group share their units. Pollers count at each moment, the bytes by whole minutes: those of
//! the records that were polled, each as large as the mean of its topic.

use crate::aws::config::{EventSourceMapping, System};
use crate::aws::ids::MappingId;
use crate::kernel::time::SimTime;
use crate::stats::cost::UnitUsage;

/// The units of one group, or of a mapping that is in none.
#[derive(Clone, Debug)]
pub(super) struct Units {
    pub(super) group: Option<String>,
    members: Vec<Member>,
    since: u64,
    /// The minute that is being counted.
    minute: u64,
    /// Units that pollers ask for in this minute, and how long.
    asked: Vec<(u64, u64)>,
    /// Bytes polled in this minute.
    bytes: u64,
    unit_ns: u128,
}

#[derive(Clone, Debug)]
struct Member {
    mapping: MappingId,
    provisioned: bool,
    /// Changes between the modes to come, the next one last.
    switches: Vec<(SimTime, bool)>,
    pollers: u32,
    poller_ns: u128,
}

/// Pollers of a unit.
const POLLERS: u64 = 10;

/// Bytes of a unit in a minute.
const BYTES: u64 = 60 * 20_000_000;

const MINUTE: u64 = 60_000_000_000;

impl Units {
    /// Units that count from `from` on, without members.
    pub(super) fn new(group: Option<String>, from: SimTime) -> Self {
        let since = from.as_nanos();
        let (members, asked) = (Vec::new(), Vec::new());
        Self { group, members, since, minute: since / MINUTE, asked, bytes: 0, unit_ns: 0 }
    }

    pub(super) fn join(&mut self, system: &System, mapping: MappingId) {
        let is_provisioned = |settings: &EventSourceMapping| settings.stream.provisioned.is_some();
        let mut switches: Vec<_> = system
            .changes
            .iter()
            .filter_map(|change| {
                change.action.mapping().filter(|(of, _)| *of == mapping).map(|(_, new)| (change.at, new))
            })
            .map(|(at, settings)| (at, is_provisioned(settings)))
            .collect();
        switches.sort_by_key(|(at, _)| *at);
        switches.reverse();
        let provisioned = is_provisioned(&system.event_source_mappings[mapping]);
        self.members.push(Member { mapping, provisioned, switches, pollers: 0, poller_ns: 0 });
    }

    /// A mapping has so many pollers or consumers from `now` on.
    pub(super) fn pollers(&mut self, now: SimTime, mapping: MappingId, pollers: u32) {
        self.at(now);
        for member in self.members.iter_mut().filter(|member| member.mapping == mapping) {
            member.pollers = pollers;
        }
    }

    /// A mapping has polled so many bytes.
    #[inline(never)]
    pub(super) fn polled(&mut self, now: SimTime, mapping: MappingId, bytes: u64) {
        self.at(now);
        if now.as_nanos() >= self.since
            && self.members.iter().any(|member| member.mapping == mapping && member.provisioned)
        {
            self.bytes += bytes;
        }
    }

    /// Counts everything until `now`.
    fn at(&mut self, now: SimTime) {
        while let Some((at, place)) = self.next_switch().filter(|(at, _)| *at <= now) {
            self.settle(at.as_nanos());
            let member = &mut self.members[place];
            member.provisioned = member.switches.pop().is_some_and(|(_, provisioned)| provisioned);
        }
        self.settle(now.as_nanos());
    }

    fn next_switch(&self) -> Option<(SimTime, usize)> {
        let next = |(place, member): (usize, &Member)| member.switches.last().map(|(at, _)| (*at, place));
        self.members.iter().enumerate().filter_map(next).min()
    }

    fn settle(&mut self, now: u64) {
        if now / MINUTE > self.minute && now > self.since {
            let end = (self.minute + 1) * MINUTE;
            self.stand(end);
            self.close();
            self.minute = now / MINUTE;
            // Whole minutes without a poll.
            self.stand(self.minute * MINUTE);
            self.close();
        }
        self.stand(now);
    }

    /// What stands until `now` stands as it is.
    fn stand(&mut self, now: u64) {
        let Some(length) = now.checked_sub(self.since).filter(|length| *length > 0) else { return };
        self.since = now;
        let mut pollers = 0;
        for member in self.members.iter_mut().filter(|member| member.provisioned) {
            pollers += u64::from(member.pollers);
            member.poller_ns += u128::from(member.pollers) * u128::from(length);
        }
        self.asked.push((pollers.div_ceil(POLLERS), length));
    }

    /// The minute is over.
    fn close(&mut self) {
        let least = std::mem::take(&mut self.bytes).div_ceil(BYTES);
        let units = self.asked.drain(..).map(|(units, length)| u128::from(units.max(least)) * u128::from(length));
        self.unit_ns += units.sum::<u128>();
    }

    /// Units until the run ends at `ended`, and whose they are.
    pub(super) fn finish(&mut self, ended: SimTime) -> UnitUsage {
        self.at(ended);
        self.close();
        let shares = self.members.iter().map(|member| (member.mapping, member.poller_ns)).collect();
        UnitUsage { unit_ns: self.unit_ns, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ids::Id;

    const SECOND: u64 = 1_000_000_000;

    fn seconds(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * SECOND)
    }

    fn id(index: usize) -> MappingId {
        MappingId::from_index(index)
    }

    fn units(from: u64, members: usize) -> Units {
        let member =
            |index| Member { mapping: id(index), provisioned: true, switches: Vec::new(), pollers: 0, poller_ns: 0 };
        Units { members: (0..members).map(member).collect(), ..Units::new(None, seconds(from)) }
    }

    fn unit_seconds(units: &mut Units, ended: u64) -> u128 {
        units.finish(seconds(ended)).unit_ns / u128::from(SECOND)
    }

    /// ESM-4.2: ten pollers are a unit, also where they are of several mappings.
    #[test]
    fn esm_4_2_ten_pollers_are_a_unit() {
        for (pollers, expected) in [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3)] {
            let mut units = units(0, 1);
            units.pollers(seconds(0), id(0), pollers);
            assert_eq!(unit_seconds(&mut units, 3_600), expected * 3_600, "{pollers}");
        }
        let mut units = units(100, 10);
        for index in 0..10 {
            units.pollers(seconds(0), id(index), 1);
        }
        units.pollers(seconds(200), id(9), 2);
        assert_eq!(unit_seconds(&mut units, 300), 100 + 2 * 100);
    }

    /// ESM-4.2: a unit is 20 MB/s, over a minute.
    #[test]
    fn esm_4_2_twenty_megabytes_a_second_are_a_unit() {
        let mut units = units(0, 1);
        units.pollers(seconds(0), id(0), 4);
        units.polled(seconds(59), id(0), 60 * 20_000_000);
        units.polled(seconds(60), id(0), 60 * 20_000_000 + 1);
        units.polled(seconds(250), id(0), 1);
        assert_eq!(unit_seconds(&mut units, 300), 60 + 2 * 60 + 3 * 60);
    }

    #[test]
    fn esm_4_2_the_default_mode_costs_nothing() {
        let mut units = units(0, 1);
        units.members[0].switches = vec![(seconds(200), true), (seconds(100), false)];
        units.pollers(seconds(0), id(0), 1);
        units.polled(seconds(150), id(0), 60 * 20_000_000 * 9);
        let usage = units.finish(seconds(300));
        assert_eq!(usage.unit_ns / u128::from(SECOND), 200);
        assert_eq!(usage.shares, [(id(0), 200 * u128::from(SECOND))]);
    }
}
