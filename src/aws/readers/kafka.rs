//! How many consumers, or provisioned pollers, a Kafka topic has, and which partitions are whose (ESM-4.1, 4.2, F1 to F7).

use super::group::{Kind, Member};
use super::worker::{State, Worker};
use super::{Readers, Surroundings};
use crate::aws::config::{Consumers, EventSourceMapping, KafkaPollers};
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::Observer;
use crate::aws::ids::{MappingId, ReaderGroupId};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};

/// How a mapping of a topic scales.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    /// Consumers of the default mode, or pollers of the provisioned one.
    count: u32,
    /// Consumers that are on their way.
    ordered: Option<u32>,
    /// When it is looked at next.
    due: Option<SimTime>,
    /// Since it was looked at last: records and bytes that came, runs and how long they took, and whether one was throttled.
    arrived: u64,
    bytes: u64,
    runs: u64,
    ran: u128,
    throttled: bool,
    /// The lag when it was looked at last.
    lag: u64,
    /// How often in a row there was none.
    calm: u32,
    /// When the bytes that provisioned pollers have read are paid for.
    pub(super) paid: SimTime,
}

impl Scaling {
    /// The consumers or pollers at the start.
    pub(super) fn new(config: &EventSourceMapping) -> Self {
        let polling = &config.stream;
        Self {
            count: polling.provisioned.as_ref().map_or(polling.consumers.initial, |pollers| pollers.minimum),
            ordered: None,
            due: None,
            arrived: 0,
            bytes: 0,
            runs: 0,
            ran: 0,
            throttled: false,
            lag: 0,
            calm: 0,
            paid: SimTime::ZERO,
        }
    }

    /// Other settings.
    pub(super) fn reconfigure(&mut self, config: &EventSourceMapping) {
        if let Some(pollers) = &config.stream.provisioned {
            self.count = self.count.clamp(pollers.minimum, pollers.maximum);
        }
    }

    /// Consumers or pollers, as AWS counts them.
    pub(super) fn pollers(&self) -> u32 {
        self.count
    }

    /// A batch ran so long.
    pub(super) fn ran(&mut self, length: SimDuration) {
        self.runs += 1;
        self.ran += u128::from(length.as_nanos());
    }

    /// A batch was throttled.
    pub(super) fn throttled(&mut self) {
        self.throttled = true;
    }

    /// ESM-F2: what the default mode does at a look; how many consumers are to come.
    fn look(&mut self, config: &Consumers, partitions: u32, lag: u64, busy: bool) -> Option<u32> {
        let grew = lag > self.lag;
        (self.lag, self.arrived, self.bytes, self.runs, self.ran) = (lag, 0, 0, 0, 0);
        if std::mem::take(&mut self.throttled) {
            // ESM-4.1: fewer pollers.
            (self.count, self.calm) = ((self.count - 1).max(1), 0);
        } else if lag == 0 {
            self.calm += 1;
            if self.calm >= config.shrink_after {
                (self.count, self.calm) = ((self.count - 1).max(1), 0);
            }
        } else {
            self.calm = 0;
            let more = (u128::from(self.count) * u128::from(config.factor_parts)).div_ceil(u128::from(Ratio::PARTS));
            let wanted = u32::try_from(more).unwrap_or(u32::MAX).min(partitions);
            if grew && busy && self.ordered.is_none() && wanted > self.count {
                self.ordered = Some(wanted);
                return Some(wanted);
            }
        }
        None
    }

    /// ESM-4.2, F4: pollers for what came since the last look, by what one can do.
    fn wanted(&mut self, config: &KafkaPollers, batch: u32, partitions: u32) -> u32 {
        let (arrived, bytes) = (u128::from(self.arrived), u128::from(self.bytes));
        let every = u128::from(config.every.as_nanos().max(1));
        // By bytes, and by concurrent batches of the size and duration that were seen.
        let by_bytes = (bytes * 1_000_000_000).div_ceil(every * u128::from(config.throughput.max(1)));
        let by_runs = match self.runs {
            0 => 0,
            runs => {
                let at_once = u128::from(config.invocations) * u128::from(batch) * u128::from(runs) * every;
                (arrived * self.ran).div_ceil(at_once.max(1))
            }
        };
        (self.arrived, self.bytes, self.runs, self.ran) = (0, 0, 0, 0);
        let most = config.maximum.min(partitions).max(1);
        u32::try_from(by_bytes.max(by_runs)).unwrap_or(u32::MAX).clamp(config.minimum.min(most), most)
    }
}

impl Member {
    /// It begins to read so much later.
    pub(super) fn begin_after<O: Observer>(&mut self, length: SimDuration, context: &mut Context<'_, O>) {
        let at = context.now.plus(length);
        self.begins = Some(at);
        let event = Event::Service(ServiceEvent::ReadingEnabled(self.id));
        context.schedule(at, Class::Change, self.config.order, event);
    }

    /// ESM-4.1, 4.2: never more consumers or pollers than partitions.
    pub(super) fn limit_pollers(&mut self, partitions: u32) {
        if self.kind == Kind::Topic {
            self.scaling.count = self.scaling.count.min(partitions.max(1));
        }
    }

    /// ESM-F3: whether all provisioned pollers have as many batches as they may.
    pub(super) fn is_at_capacity(&self) -> bool {
        self.provisioned()
            .is_some_and(|pollers| self.running >= pollers.invocations.saturating_mul(self.scaling.pollers()))
    }
}

impl Readers {
    /// A record came: it counts to the rate, and there is something to be looked at.
    pub(super) fn count_arrival<O: Observer>(&mut self, id: ReaderGroupId, bytes: u64, context: &mut Context<'_, O>) {
        if self.groups[id].kind != Kind::Topic {
            return;
        }
        for place in 0..self.groups[id].members.len() {
            let mapping = self.groups[id].members[place];
            let scaling = &mut self.members[mapping].scaling;
            (scaling.arrived, scaling.bytes) = (scaling.arrived + 1, scaling.bytes + bytes);
            self.watch_scaling(mapping, context);
        }
    }

    fn watch_scaling<O: Observer>(&mut self, id: MappingId, context: &mut Context<'_, O>) {
        let member = &mut self.members[id];
        if member.scaling.due.is_some() || !member.polls {
            return;
        }
        let every = member.provisioned().map_or(member.config.stream.consumers.every, |pollers| pollers.every);
        let every = every.as_nanos().max(1);
        let at = SimTime::from_nanos((context.now.as_nanos() / every + 1).saturating_mul(every));
        member.scaling.due = Some(at);
        let event = Event::Service(ServiceEvent::ConsumersLookedAt(id));
        context.schedule(at, Class::Scaling, member.config.order, event);
    }

    /// The number of consumers or pollers is looked at.
    pub(crate) fn on_scaling_due<O: Observer>(
        &mut self,
        id: MappingId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let member = &mut self.members[id];
        member.scaling.due = None;
        if !member.polls {
            return;
        }
        let group = &self.groups[member.group];
        let partitions = around.streams.open_shards(group.log);
        let lag = around.streams.unread(group.log, group.slot) + group.held;
        let (before, batch) = (member.scaling.count, member.config.batch_size);
        if let Some(pollers) = member.provisioned().cloned() {
            member.scaling.count = member.scaling.wanted(&pollers, batch, partitions);
        } else {
            let workers = &self.workers;
            let active = member.workers.iter().take(before as usize);
            // Busy: all have a batch in work, and more is waiting than they will take next.
            let works = |state| !matches!(state, State::Idle | State::Filling);
            let waits = lag > 2 * u64::from(before) * u64::from(batch);
            let busy = waits && active.clone().all(|worker| works(workers[*worker].state));
            let consumers = member.config.stream.consumers;
            if member.scaling.look(&consumers, partitions, lag, busy).is_some() {
                let at = context.now.plus(consumers.effective_after);
                let event = Event::Service(ServiceEvent::ConsumersDue(id));
                context.schedule(at, Class::Scaling, member.config.order, event);
            }
        }
        let least = member.provisioned().map_or(1, |pollers| pollers.minimum);
        if lag > 0 || member.scaling.count > least {
            self.watch_scaling(id, context);
        }
        self.changed(id, before, around, context);
    }

    /// Consumers that were asked for are there.
    pub(crate) fn on_consumers_due<O: Observer>(
        &mut self,
        id: MappingId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let scaling = &mut self.members[id].scaling;
        let before = scaling.count;
        if let Some(wanted) = scaling.ordered.take() {
            scaling.count = scaling.count.max(wanted);
        }
        self.changed(id, before, around, context);
    }

    /// A mapping has another number of consumers or pollers.
    fn changed<O: Observer>(
        &mut self,
        id: MappingId,
        before: u32,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let member = &mut self.members[id];
        if member.scaling.count == before {
            return;
        }
        let group = member.group;
        if member.provisioned().is_some() {
            while !self.members[id].is_at_capacity() {
                let Some(worker) = self.members[id].queued.pop_front() else { break };
                self.workers[worker].state = State::Waiting;
                self.send(worker, around, context);
            }
        } else {
            self.assign(group);
            self.offer_all(group, around, context);
        }
        self.say_pollers(id, context);
    }

    /// The partitions of a topic, to those mappings of the group that read. ESM-F6: consumers of the default mode have
    /// contiguous ranges, equal but for one, in their order; ESM-F3: in the provisioned mode each partition has a worker of
    /// its own, of each mapping in turn.
    pub(super) fn assign(&mut self, id: ReaderGroupId) {
        let group = &mut self.groups[id];
        if group.kind != Kind::Topic {
            return;
        }
        let reads: Vec<MappingId> = group.members.iter().copied().filter(|id| self.members[*id].polls).collect();
        let (provisioned, shared): (Vec<MappingId>, Vec<MappingId>) =
            reads.into_iter().partition(|id| self.members[*id].provisioned().is_some());
        let partitions = u32::try_from(group.lines.len()).expect("fewer than 2^32 partitions");
        // Partitions of the two modes in proportion to the mappings that have them.
        let modes = u32::try_from(provisioned.len() + shared.len()).expect("few mappings");
        let ranged = partitions * u32::try_from(shared.len()).expect("few mappings");
        let first = ranged.checked_div(modes).unwrap_or(0);
        let all: u32 = shared.iter().map(|id| self.members[*id].scaling.count).sum();
        let mut next = 0;
        for mapping in shared {
            let member = &mut self.members[mapping];
            while member.workers.len() < member.scaling.count as usize {
                member.workers.push(self.workers.push(Worker::new(id, mapping, 0..0)));
            }
            for (place, worker) in (0..).zip(&member.workers) {
                let lines = if place < member.scaling.count { share(next, all, first) } else { 0..0 };
                next += u32::from(place < member.scaling.count);
                for line in lines.clone() {
                    group.lines[line as usize].worker = Some(*worker);
                }
                let row = &mut self.workers[*worker];
                (row.next_line, row.lines) = (lines.start, lines);
            }
        }
        for line in first..partitions {
            let Some(mapping) = provisioned.get(line as usize % provisioned.len().max(1)) else { break };
            let member = &mut self.members[*mapping];
            // One for each partition, whether it is this mapping's now or was before.
            while member.workers.len() <= line as usize {
                member.workers.push(self.workers.push(Worker::new(id, *mapping, 0..0)));
            }
            let worker = member.workers[line as usize];
            let row = &mut self.workers[worker];
            (row.next_line, row.lines) = (line, line..line + 1);
            group.lines[line as usize].worker = Some(worker);
        }
    }
}

/// The partitions of consumer `place` of `all`.
fn share(place: u32, all: u32, partitions: u32) -> std::ops::Range<u32> {
    let first = |place: u32| {
        let first = u64::from(place) * u64::from(partitions) / u64::from(all);
        u32::try_from(first).expect("at most the partitions")
    };
    first(place)..first(place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::config::StreamPolling;

    fn scaling(count: u32) -> Scaling {
        Scaling {
            count,
            ordered: None,
            due: None,
            arrived: 0,
            bytes: 0,
            runs: 0,
            ran: 0,
            throttled: false,
            lag: 0,
            calm: 0,
            paid: SimTime::ZERO,
        }
    }

    /// ESM-F6: equal contiguous ranges; more consumers than partitions get none.
    #[test]
    fn esm_f6_partitions_are_shared_in_ranges() {
        let shares = |all, partitions| (0..all).map(|place| share(place, all, partitions)).collect::<Vec<_>>();
        assert_eq!(shares(3, 12), [0..4, 4..8, 8..12]);
        assert_eq!(shares(2, 5), [0..2, 2..5]);
        assert_eq!(shares(3, 1).iter().filter(|share| !share.is_empty()).count(), 1);
    }

    /// ESM-A25: 20,000 records a second with 2,000 for each poller are ten; never more than 12 partitions.
    #[test]
    fn esm_a25_pollers_by_rate() {
        let pollers = KafkaPollers {
            minimum: 1,
            maximum: 200,
            invocations: 5,
            throughput: 5_000_000,
            every: SimDuration::from_secs(60),
            group: None,
        };
        for (rate, bytes, partitions, expected) in [
            (20_000, 100, 12, 10),
            (20_001, 100, 12, 11),
            (40_000, 100, 12, 12),
            (2_000, 100, 12, 1),
            (0, 100, 12, 1),
            (2_000, 10_000, 12, 4),
        ] {
            let mut scaling = scaling(1);
            (scaling.arrived, scaling.bytes) = (rate * 60, rate * 60 * bytes);
            (scaling.runs, scaling.ran) = (100, 100 * 50_000_000);
            assert_eq!(scaling.wanted(&pollers, 20, partitions), expected, "{rate} records of {bytes} bytes");
        }
    }

    /// ESM-F2: twice as many while the lag grows and all are busy, one less after three looks without lag.
    #[test]
    fn esm_f2_consumers_follow_the_lag() {
        let config = StreamPolling::default().consumers;
        let mut scaling = scaling(2);
        assert_eq!(scaling.look(&config, 8, 100, true), Some(4));
        assert_eq!(scaling.look(&config, 8, 200, true), None, "they are on their way");
        scaling.ordered = None;
        assert_eq!(scaling.look(&config, 3, 300, true), Some(3), "never more than partitions");
        scaling.ordered = None;
        assert_eq!(scaling.look(&config, 8, 300, true), None, "the lag did not grow");
        assert_eq!(scaling.look(&config, 8, 400, false), None, "not all are busy");
        let counts: Vec<u32> = (0..7)
            .map(|_| {
                scaling.look(&config, 8, 0, false);
                scaling.count
            })
            .collect();
        assert_eq!(counts, [2, 2, 1, 1, 1, 1, 1]);
        scaling.count = 4;
        scaling.throttled();
        assert_eq!((scaling.look(&config, 8, 50, true), scaling.count), (None, 3));
    }
}
