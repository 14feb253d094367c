//! Streams, brokers and the mappings that read them: which fact counts where (contract, `streams.N`, `brokers.N` and what
//! only their mappings have in `event_source_mappings.N`).
//!
//! What is said of batches and runs of any mapping is counted beside the messages of queues.

mod broker;
mod meter;
mod position;
mod reader;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod units;

use super::cost::{StreamUsage, UnitUsage};
use super::gauge::Gauge;
use super::series::Recorder;
use super::summary::{BrokerSummary, Flow, MappingSummary, Named, SourceKind, StreamSummary};
use crate::aws::config::{EventSourceMapping, Source, System};
use crate::aws::fact::{BrokerFact, MappingFact, Origin, ReaderFact, RecordFate, StreamFact};
use crate::aws::ids::{BrokerId, MappingId, StreamId, Table};
use crate::kernel::time::SimTime;
use broker::BrokerStats;
use position::{Position, Records};
use reader::{ReaderStats, Sent};
use stream::StreamStats;
use units::Units;

/// Counts of all streams and brokers and of their readers.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    warmup: SimTime,
    logs: Table<StreamId, StreamStats>,
    brokers: Table<BrokerId, BrokerStats>,
    readers: Table<MappingId, Option<Box<ReaderStats>>>,
    /// Of mappings, consumer groups and brokers.
    positions: Vec<Position>,
    units: Vec<Units>,
}

impl Streams {
    pub(super) fn new(system: &System, warmup: SimTime) -> Self {
        let mut streams = Self {
            warmup,
            logs: system.streams.ids().map(|id| StreamStats::new(system, id, warmup)).collect(),
            brokers: (0..).zip(system.brokers.rows()).map(|(place, broker)| BrokerStats::new(broker, place)).collect(),
            readers: system.event_source_mappings.rows().iter().map(|_| None).collect(),
            positions: vec![Position::new(None); system.brokers.rows().len()],
            units: Vec::new(),
        };
        let mut groups: Vec<(StreamId, &str, usize)> = Vec::new();
        for (id, settings) in system.event_source_mappings.iter() {
            let (kind, place) = match settings.source {
                Source::Queue(_) => continue,
                Source::Broker(broker) => {
                    let broker = &mut streams.brokers[broker];
                    broker.is_read = true;
                    (broker.kind, broker.place)
                }
                Source::Stream(stream) => {
                    let kind = streams.logs[stream].kind;
                    let group = (kind == SourceKind::Kafka).then(|| consumer_group(settings));
                    let known = groups.iter().find(|(of, name, _)| *of == stream && Some(*name) == group);
                    let place = known.map_or_else(|| streams.new_position(stream), |(.., place)| *place);
                    groups.extend(group.map(|group| (stream, group, place)));
                    (kind, place)
                }
            };
            let mut reader = ReaderStats::new(settings.name.clone(), settings.source, kind, place);
            reader.units = (kind == SourceKind::Kafka).then(|| streams.join_units(system, id));
            streams.readers[id] = Some(Box::new(reader));
        }
        streams
    }

    fn new_position(&mut self, stream: StreamId) -> usize {
        let place = self.positions.len();
        let stream = &mut self.logs[stream];
        let lag = (stream.kind == SourceKind::Kafka).then(|| Gauge::new(self.warmup));
        self.positions.push(Position::new(lag));
        stream.read_at(place);
        place
    }

    fn join_units(&mut self, system: &System, id: MappingId) -> usize {
        let changed = system.changes.iter().filter_map(|change| change.action.mapping().filter(|(of, _)| *of == id));
        let mut settings =
            std::iter::once(&system.event_source_mappings[id]).chain(changed.map(|(_, settings)| settings));
        let group = settings.find_map(|settings| settings.stream.provisioned.as_ref()?.group.clone());
        let known = self.units.iter().position(|units| units.group.is_some() && units.group == group);
        let place = known.unwrap_or(self.units.len());
        if known.is_none() {
            self.units.push(Units::new(group, self.warmup));
        }
        self.units[place].join(system, id);
        place
    }

    /// Whether there is anything to count.
    #[inline(always)]
    pub(super) fn any(&self) -> bool {
        !self.positions.is_empty()
    }

    #[inline(always)]
    fn measures(&self, origin: &Origin) -> bool {
        origin.submitted >= self.warmup
    }

    /// Something happened to a stream.
    #[inline(always)]
    pub(super) fn stream(&mut self, now: SimTime, fact: &StreamFact) {
        match *fact {
            StreamFact::Put { origin, stream, shard, sequence, bytes } => {
                let measured = self.measures(&origin);
                self.logs[stream].put(now, &origin, (shard, sequence, bytes), measured, &mut self.positions);
            }
            StreamFact::WriteThrottled { origin, stream, shard } => {
                let measured = self.measures(&origin);
                self.logs[stream].throttled(shard, measured);
            }
            StreamFact::Expired { origin, stream, .. } => {
                let measured = self.measures(&origin);
                self.logs[stream].expired_unread(measured);
            }
            StreamFact::Shards { stream, open } => self.logs[stream].open(now, open),
        }
    }

    /// Something happened at a broker.
    #[inline(never)]
    pub(super) fn broker(&mut self, now: SimTime, fact: &BrokerFact) {
        match *fact {
            BrokerFact::Received { origin, broker, .. } => {
                let measured = self.measures(&origin);
                let broker = &mut self.brokers[broker];
                broker.records.add(&origin);
                broker.received += u64::from(measured);
            }
            BrokerFact::Expired { origin, broker, .. } => {
                let measured = self.measures(&origin);
                let broker = &mut self.brokers[broker];
                broker.failed += u64::from(measured);
                self.positions[broker.place].ended(now, &origin, &broker.records);
            }
            BrokerFact::DeadLettered { origin, broker, to } => {
                if self.measures(&origin) {
                    let broker = &mut self.brokers[broker];
                    *(if to.is_some() { &mut broker.dead_letters } else { &mut broker.failed }) += 1;
                }
            }
        }
    }

    /// A mapping did something that concerns its source.
    #[inline(never)]
    pub(super) fn mapping(&mut self, now: SimTime, fact: &MappingFact) {
        match *fact {
            MappingFact::Polled { mapping, messages } => self.polled(now, mapping, messages),
            MappingFact::FilteredOut { origin, mapping } => self.filtered_out(now, &origin, mapping),
            MappingFact::Batched { origin, mapping, .. } => {
                let measured = self.measures(&origin);
                self.with(mapping, |reader| reader.went_on(measured));
            }
            MappingFact::BatchFormed { mapping, batch, .. } => self.with(mapping, |reader| reader.formed(batch)),
            MappingFact::BatchEnded { mapping, .. } => self.with(mapping, |reader| reader.ended(now)),
            MappingFact::Pollers { mapping, pollers } => {
                if let Some(units) = self.readers[mapping].as_ref().and_then(|reader| reader.units) {
                    self.units[units].pollers(now, mapping, pollers);
                }
            }
            MappingFact::PolledEmpty { .. } | MappingFact::BatchInvoked { .. } | MappingFact::BatchRefused { .. } => {}
        }
    }

    #[inline(always)]
    fn with(&mut self, mapping: MappingId, then: impl FnOnce(&mut ReaderStats)) {
        if let Some(reader) = &mut self.readers[mapping] {
            then(reader);
        }
    }

    fn polled(&mut self, now: SimTime, mapping: MappingId, messages: u32) {
        let Some(reader) = &mut self.readers[mapping] else { return };
        reader.polled(messages);
        let Source::Stream(stream) = reader.source else { return };
        let stream = &mut self.logs[stream];
        if let Some(meter) = stream.meter() {
            meter.read(now, mapping, messages);
        }
        if let Some(units) = reader.units {
            self.units[units].polled(now, mapping, stream.mean_bytes(messages));
        }
    }

    fn filtered_out(&mut self, now: SimTime, origin: &Origin, mapping: MappingId) {
        let measured = self.measures(origin);
        let Some(reader) = &mut self.readers[mapping] else { return };
        reader.went_on(measured);
        reader.committed += u64::from(measured);
        if let Source::Broker(broker) = reader.source {
            self.brokers[broker].delivered += u64::from(measured);
        }
        let (place, source) = (reader.place, reader.source);
        self.ended(now, origin, place, source);
    }

    /// A record ended for those who read at this place.
    #[inline(always)]
    fn ended(&mut self, now: SimTime, origin: &Origin, place: usize, source: Source) {
        let came: &Records = match source {
            Source::Stream(stream) => &self.logs[stream].records,
            Source::Broker(broker) => &self.brokers[broker].records,
            Source::Queue(_) => return,
        };
        self.positions[place].ended(now, origin, came);
    }

    /// A mapping that reads did something.
    #[inline(always)]
    pub(super) fn reader(&mut self, now: SimTime, fact: &ReaderFact) {
        match *fact {
            ReaderFact::Started { mapping, skipped } => self.started(now, mapping, skipped),
            ReaderFact::Awaited { mapping, awaited } => self.with(mapping, |reader| reader.awaited = awaited),
            ReaderFact::ReadThrottled { mapping, .. } => {
                let measured = now >= self.warmup;
                self.with(mapping, |reader| reader.read_throttles += u64::from(measured));
            }
            ReaderFact::Sent { origin, mapping, batch, shard, records, last_arrived } => {
                let measured = self.measures(&origin);
                self.sent(now, mapping, Sent { batch, shard, records, last_arrived, measured });
            }
            ReaderFact::Split { origin, mapping, .. } => {
                let measured = self.measures(&origin);
                self.with(mapping, |reader| reader.bisections += u64::from(measured));
            }
            ReaderFact::RetryScheduled { .. } => {}
            ReaderFact::RecordEnded { origin, mapping, fate, runs, .. } => {
                self.record_ended(now, &origin, mapping, fate, runs);
            }
            ReaderFact::Discarded { origin, mapping, notice, .. } => {
                let measured = self.measures(&origin);
                self.with(mapping, |reader| reader.discarded(notice, measured));
            }
            // The last run of a window is a batch of its own, which nothing forms.
            ReaderFact::WindowEnded { mapping, batch, .. } => self.with(mapping, |reader| reader.formed(batch)),
        }
    }

    fn started(&mut self, now: SimTime, mapping: MappingId, skipped: u64) {
        if let Some(reader) = &self.readers[mapping]
            && let Source::Stream(stream) = reader.source
        {
            self.positions[reader.place].start(now, skipped, &self.logs[stream].records);
        }
    }

    #[inline(never)]
    fn sent(&mut self, now: SimTime, mapping: MappingId, sent: Sent) {
        let Some(reader) = &mut self.readers[mapping] else { return };
        let again = reader.sent(now, sent);
        if let (true, true, Source::Broker(broker)) = (again, sent.measured, reader.source) {
            self.brokers[broker].retries += u64::from(sent.records);
        }
    }

    #[inline(never)]
    fn record_ended(&mut self, now: SimTime, origin: &Origin, mapping: MappingId, fate: RecordFate, runs: u32) {
        let measured = self.measures(origin);
        let Some(reader) = &mut self.readers[mapping] else { return };
        let (place, source) = (reader.place, reader.source);
        self.positions_of(now, origin, place, source, fate, measured);
        let Some(reader) = &mut self.readers[mapping] else { return };
        if fate == RecordFate::Oversized {
            reader.went_on(measured);
        }
        if !measured {
            return;
        }
        reader.record_ended(runs);
        match fate {
            RecordFate::Succeeded => reader.committed += 1,
            RecordFate::Discarded(condition) => {
                reader.committed += 1;
                reader.discard(condition);
            }
            RecordFate::Expired => reader.expired += 1,
            RecordFate::Oversized => reader.oversized += 1,
            RecordFate::DeadLettered => {}
        }
    }

    /// The end of a record, as its source sees it.
    fn positions_of(
        &mut self,
        now: SimTime,
        origin: &Origin,
        place: usize,
        source: Source,
        fate: RecordFate,
        measured: bool,
    ) {
        self.ended(now, origin, place, source);
        match (source, fate) {
            (Source::Stream(stream), RecordFate::Expired) => self.logs[stream].expired += u64::from(measured),
            (Source::Broker(broker), RecordFate::Succeeded) => self.brokers[broker].delivered += u64::from(measured),
            (Source::Broker(broker), RecordFate::Expired | RecordFate::Oversized | RecordFate::Discarded(_)) => {
                self.brokers[broker].failed += u64::from(measured);
            }
            (Source::Broker(_), RecordFate::DeadLettered) | (Source::Stream(_) | Source::Queue(_), _) => {}
        }
    }

    /// What a time series says of streams and brokers.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        self.logs.rows().iter().for_each(|stream| stream.series(to));
        self.brokers.rows().iter().for_each(|broker| broker.series(to));
    }

    /// What a time series says of a mapping that not every mapping has.
    pub(super) fn mapping_series(&mut self, mapping: MappingId, to: &mut Recorder) {
        let Some(reader) = &mut self.readers[mapping] else { return };
        reader.series(to);
        self.positions[reader.place].series(to);
    }

    /// What the streams come to.
    pub(super) fn streams(&self) -> Named<StreamSummary> {
        self.logs.rows().iter().map(|stream| (stream.name.clone(), stream.summary())).collect()
    }

    /// What the brokers come to.
    pub(super) fn brokers(&self) -> Named<BrokerSummary> {
        self.brokers.rows().iter().map(|broker| (broker.name.clone(), broker.summary())).collect()
    }

    /// Adds what the mappings that read come to when the run ends at `ended`.
    pub(super) fn complete(&mut self, mappings: &mut Named<MappingSummary>, ended: SimTime) {
        for ((_, reader), (_, summary)) in self.readers.iter_mut().zip(&mut mappings.0) {
            let Some(reader) = reader else { continue };
            let (name, shards) = match reader.source {
                Source::Stream(id) => (&self.logs[id].name, self.logs[id].shards()),
                Source::Broker(id) => (&self.brokers[id].name, 0),
                Source::Queue(_) => continue,
            };
            let lag = self.positions[reader.place].lag(ended);
            reader.complete(summary, name, shards, lag);
        }
    }

    /// What the streams are billed for.
    pub(super) fn usage(&mut self, ended: SimTime) -> Vec<(String, StreamUsage)> {
        self.logs.iter_mut().map(|(_, stream)| (stream.name.clone(), stream.usage(ended))).collect()
    }

    /// What provisioned pollers of Kafka are billed for.
    pub(super) fn units(&mut self, ended: SimTime) -> Vec<UnitUsage> {
        self.units.iter_mut().map(|units| units.finish(ended)).collect()
    }

    /// Everything that was in the streams, went to their mappings, and was at the brokers, the warm-up included.
    pub(super) fn flows(&self) -> [Named<Flow>; 3] {
        let streams = self.logs.rows().iter().map(|stream| (stream.name.clone(), stream.flow(&self.positions)));
        let brokers = self.brokers.rows().iter().map(|broker| (broker.name.clone(), broker.flow(&self.positions)));
        let of_mapping = |reader: &ReaderStats| {
            let came = match reader.source {
                Source::Stream(stream) => &self.logs[stream].records,
                Source::Broker(broker) => &self.brokers[broker].records,
                Source::Queue(_) => return None,
            };
            Some((reader.name.clone(), self.positions[reader.place].flow(came)))
        };
        let mappings = self.readers.rows().iter().flatten().filter_map(|reader| of_mapping(reader));
        [streams.collect(), mappings.collect(), brokers.collect()]
    }
}

/// ESM-4: a group of its own where none is given.
fn consumer_group(settings: &EventSourceMapping) -> &str {
    let group = settings.stream.consumer_group.as_str();
    if group.is_empty() { &settings.name } else { group }
}
