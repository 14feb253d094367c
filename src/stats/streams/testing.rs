//! Scenarios and facts about streams for tests.

use crate::aws::config::{
    Broker, BrokerKind, CapacityMode, EventSourceMapping, Source, Stream, StreamKind, StreamPolling, Target,
};
use crate::aws::fact::{
    Answer, BrokerFact, Complete, DiscardCondition, Fact, MappingFact, Notice, Observer, Origin, Outcome, ReaderFact,
    RecordFate, RunOutcome, StreamFact,
};
use crate::aws::ids::{BrokerId, CallerId, Id, MappingId, StreamId};
use crate::kernel::time::SimDuration;
use crate::scenario::Scenario;
use crate::stats::Statistics;
use crate::stats::testing::{ms, origin, scenario_with_mapping};

/// A function `worker` that a mapping `clicks-worker` feeds from a stream `clicks` of four shards, to which the caller
/// `worker-caller` sends. There are queues `orders` and `dead` too.
pub(crate) fn scenario_with_stream(kind: StreamKind) -> Scenario {
    let mut scenario = scenario_with_mapping();
    let system = &mut scenario.system;
    let stream = system.streams.push(Stream {
        name: "clicks".to_owned(),
        order: 10,
        kind,
        shards: if kind == StreamKind::DocumentDb { 1 } else { 4 },
        retention: Some(SimDuration::from_secs(86_400)),
        capacity_mode: CapacityMode::Provisioned,
        maximum_record_size: 1 << 20,
        write_bucket: SimDuration::from_secs(1),
        other_readers: 0,
        propagation: SimDuration::ZERO,
    });
    let mapping = &mut system.event_source_mappings[MappingId::from_index(0)];
    mapping.name = "clicks-worker".to_owned();
    mapping.source = Source::Stream(stream);
    mapping.batch_size = 100;
    mapping.stream = StreamPolling { consumer_group: "clicks-worker".to_owned(), ..StreamPolling::default() };
    system.callers[CallerId::from_index(0)].target = Target::Stream(stream);
    scenario
}

/// The same with a broker `jobs` in the place of the stream, and the mapping `jobs-worker`.
pub(crate) fn scenario_with_broker(kind: BrokerKind) -> Scenario {
    let mut scenario = scenario_with_mapping();
    let system = &mut scenario.system;
    let broker = system.brokers.push(Broker {
        name: "jobs".to_owned(),
        order: 10,
        kind,
        message_retention: None,
        maximum_redeliveries: None,
        dead_letter_queue: None,
    });
    let mapping = &mut system.event_source_mappings[MappingId::from_index(0)];
    mapping.name = "jobs-worker".to_owned();
    mapping.source = Source::Broker(broker);
    system.callers[CallerId::from_index(0)].target = Target::Broker(broker);
    scenario
}

/// One more mapping, as the first with these differences.
pub(crate) fn add_mapping(scenario: &mut Scenario, name: &str, change: impl FnOnce(&mut EventSourceMapping)) {
    let mappings = &mut scenario.system.event_source_mappings;
    let mut mapping = EventSourceMapping { name: name.to_owned(), ..mappings[MappingId::from_index(0)].clone() };
    change(&mut mapping);
    mappings.push(mapping);
}

/// The first stream or broker and a mapping that reads it; each method states what happened at a millisecond. Records are
/// written at that of their submission.
pub(crate) struct TestReader {
    pub(crate) to: Statistics,
    pub(crate) mapping: usize,
    /// Next sequence number by shard.
    next: Vec<u64>,
}

/// A submission of the first caller.
pub(crate) fn record(submission: u64) -> Origin {
    origin(0, submission, ms(submission))
}

impl TestReader {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self { to: Statistics::new(scenario), mapping: 0, next: vec![0; 16] }
    }

    fn id(&self) -> MappingId {
        MappingId::from_index(self.mapping)
    }

    pub(crate) fn fact(&mut self, at: u64, fact: Fact) {
        self.to.observe(ms(at), &fact);
    }

    pub(crate) fn stream(&mut self, at: u64, fact: StreamFact) {
        self.fact(at, Fact::Stream(fact));
    }

    pub(crate) fn broker(&mut self, at: u64, fact: BrokerFact) {
        self.fact(at, Fact::Broker(fact));
    }

    pub(crate) fn reader(&mut self, at: u64, fact: ReaderFact) {
        self.fact(at, Fact::Reader(fact));
    }

    pub(crate) fn mapping(&mut self, at: u64, fact: MappingFact) {
        self.fact(at, Fact::Mapping(fact));
    }

    /// The caller's side of a put that is accepted.
    fn call(&mut self, submission: u64) {
        let origin = record(submission);
        self.fact(submission, Fact::CallSubmitted { origin });
        self.fact(submission, Fact::AttemptSent { origin, attempt: 1 });
    }

    fn accepted(&mut self, submission: u64) {
        let origin = record(submission);
        self.fact(submission, Fact::AttemptAnswered { origin, attempt: 1, answer: Answer::Success, status: 200 });
        self.fact(submission, Fact::CallFinished { origin, outcome: Outcome::Success, attempts: 1, runs: 0 });
    }

    /// Records of 1,000 bytes are written to a shard.
    pub(crate) fn put(&mut self, shard: u32, submissions: impl IntoIterator<Item = u64>) {
        for submission in submissions {
            let sequence = self.next[shard as usize];
            self.next[shard as usize] += 1;
            self.call(submission);
            let (origin, stream) = (record(submission), StreamId::from_index(0));
            self.stream(submission, StreamFact::Put { origin, stream, shard, sequence, bytes: 1_000 });
            self.accepted(submission);
        }
    }

    /// A put is refused and not tried again.
    pub(crate) fn refuse_put(&mut self, shard: u32, submission: u64) {
        self.call(submission);
        let (origin, stream) = (record(submission), StreamId::from_index(0));
        self.stream(submission, StreamFact::WriteThrottled { origin, stream, shard });
        self.fact(submission, Fact::AttemptAnswered { origin, attempt: 1, answer: Answer::Throttled, status: 400 });
        self.fact(submission, Fact::CallFinished { origin, outcome: Outcome::Throttled, attempts: 1, runs: 0 });
    }

    /// Messages of 1,000 bytes come to the broker.
    pub(crate) fn send(&mut self, submissions: impl IntoIterator<Item = u64>) {
        for submission in submissions {
            self.call(submission);
            let (origin, broker) = (record(submission), BrokerId::from_index(0));
            self.broker(submission, BrokerFact::Received { origin, broker, bytes: 1_000 });
            self.accepted(submission);
        }
    }

    pub(crate) fn start(&mut self, at: u64, skipped: u64) {
        self.reader(at, ReaderFact::Started { mapping: self.id(), skipped });
    }

    pub(crate) fn pollers(&mut self, at: u64, pollers: u32) {
        self.mapping(at, MappingFact::Pollers { mapping: self.id(), pollers });
    }

    pub(crate) fn poll(&mut self, at: u64, messages: u32) {
        self.mapping(at, MappingFact::Polled { mapping: self.id(), messages });
    }

    pub(crate) fn filter_out(&mut self, at: u64, submission: u64) {
        self.mapping(at, MappingFact::FilteredOut { origin: record(submission), mapping: self.id() });
    }

    /// These records are read and become a batch.
    pub(crate) fn form(&mut self, at: u64, batch: u64, submissions: &[u64]) {
        let (mapping, records) = (self.id(), u32::try_from(submissions.len()).unwrap());
        self.poll(at, records);
        for &submission in submissions {
            self.mapping(at, MappingFact::Batched { origin: record(submission), mapping, batch });
        }
        let (origin, complete) = (record(submissions[0]), Complete::AtOnce);
        self.mapping(at, MappingFact::BatchFormed { origin, mapping, batch, records, complete });
    }

    /// The batch, or what is left of it, is sent to the function.
    pub(crate) fn send_batch(&mut self, at: u64, batch: u64, shard: u32, submissions: &[u64]) {
        let (origin, last_arrived) = (record(submissions[0]), ms(*submissions.last().unwrap()));
        let (mapping, records) = (self.id(), u32::try_from(submissions.len()).unwrap());
        self.reader(at, ReaderFact::Sent { origin, mapping, batch, shard, records, last_arrived });
    }

    /// The batch is sent and runs from one moment to the other; how many of its records fail.
    pub(crate) fn run(
        &mut self,
        (from, until): (u64, u64),
        batch: u64,
        shard: u32,
        submissions: &[u64],
        failed: u32,
        outcome: RunOutcome,
    ) {
        self.send_batch(from, batch, shard, submissions);
        let (origin, mapping) = (record(submissions[0]), self.id());
        let records = u32::try_from(submissions.len()).unwrap();
        self.mapping(from, MappingFact::BatchInvoked { origin, mapping, batch, records, repeated: 0 });
        let unreadable = false;
        self.mapping(until, MappingFact::BatchEnded { origin, mapping, batch, records, failed, outcome, unreadable });
    }

    /// All records of a run fail.
    pub(crate) fn fail(&mut self, times: (u64, u64), batch: u64, shard: u32, submissions: &[u64]) {
        let failed = u32::try_from(submissions.len()).unwrap();
        self.run(times, batch, shard, submissions, failed, RunOutcome::Error);
    }

    /// A batch runs once and succeeds.
    pub(crate) fn succeed(&mut self, times: (u64, u64), batch: u64, shard: u32, submissions: &[u64]) {
        self.form(times.0, batch, submissions);
        self.run(times, batch, shard, submissions, 0, RunOutcome::Success);
        self.end(times.1, shard, submissions, RecordFate::Succeeded, 1);
    }

    pub(crate) fn throttle(&mut self, at: u64, batch: u64, shard: u32, submissions: &[u64], due: u64) {
        self.send_batch(at, batch, shard, submissions);
        let (origin, mapping, due) = (record(submissions[0]), self.id(), Some(ms(due)));
        self.mapping(at, MappingFact::BatchRefused { origin, mapping, batch, status: 429, due });
    }

    pub(crate) fn split(&mut self, at: u64, batch: u64, submissions: &[u64]) {
        let (origin, mapping, records) = (record(submissions[0]), self.id(), u32::try_from(submissions.len()).unwrap());
        self.reader(at, ReaderFact::Split { origin, mapping, batch, records, left: records / 2 });
    }

    pub(crate) fn end(&mut self, at: u64, shard: u32, submissions: &[u64], fate: RecordFate, runs: u32) {
        for &submission in submissions {
            let (origin, mapping) = (record(submission), self.id());
            self.reader(at, ReaderFact::RecordEnded { origin, mapping, shard, fate, runs });
        }
    }

    /// Records are discarded together, after so many runs.
    pub(crate) fn discard(
        &mut self,
        at: u64,
        submissions: &[u64],
        condition: DiscardCondition,
        runs: u32,
        notice: Notice,
    ) {
        self.end(at, 0, submissions, RecordFate::Discarded(condition), runs);
        let (origin, mapping, records) = (record(submissions[0]), self.id(), u32::try_from(submissions.len()).unwrap());
        let fact = ReaderFact::Discarded { origin, mapping, shard: 0, records, condition, invoke_count: runs, notice };
        self.reader(at, fact);
    }
}
