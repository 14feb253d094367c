//! Scenarios and facts for tests.

use std::fmt::Write as _;
use std::path::Path;

use crate::aws::config::{Bucket, EventBus, Function, Target, Topic};
use crate::aws::fact::{
    Answer, Capacity, Condition, DeliveryError, DeliveryKind, Fact, InitPhase, MessageFact, Observer, Origin, Outcome,
    PlaceFact, Record, Response, ReturnCause, RunOutcome,
};
use crate::aws::ids::{CallerId, FunctionId, Id, QueueId};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::{self, Scenario};

pub(crate) use super::streams::testing::{TestReader, add_mapping, scenario_with_broker, scenario_with_stream};

/// The moment `milliseconds` after the start.
pub(crate) fn ms(milliseconds: u64) -> SimTime {
    SimTime::ZERO.plus(SimDuration::from_millis(milliseconds))
}

/// A scenario of one hour with these functions of 1 GB, each with a caller of its own name and `-caller`.
pub(crate) fn scenario(functions: &[&str]) -> Scenario {
    let mut yaml = "name: test\nduration: 1h\nfunctions:\n".to_owned();
    for name in functions {
        let _ = writeln!(yaml, "  {name}: {{ memory: 1024MB, duration: 100ms }}");
    }
    yaml += "callers:\n";
    for name in functions {
        let _ = writeln!(yaml, "  {name}-caller: {{ target: {name}, arrivals: {{ poisson: 1/s }} }}");
    }
    parse(&yaml)
}

fn parse(yaml: &str) -> Scenario {
    let loaded = scenario::parse("test.yaml", yaml.as_bytes(), Path::new("."), &[]).expect("a valid scenario");
    Scenario { sha256: "0".repeat(64), ..loaded.scenario }
}

/// A function of 1 GB, for changes.
pub(crate) fn function(name: &str) -> Function {
    scenario(&[name]).system.functions[first()].clone()
}

/// The first function, which is called by the first caller.
pub(crate) fn first() -> FunctionId {
    FunctionId::from_index(0)
}

/// A submission of the `caller`-th caller.
pub(crate) fn origin(caller: usize, submission: u64, submitted: SimTime) -> Origin {
    Origin { caller: CallerId::from_index(caller), branch: 0, submission, submitted }
}

/// A run on a warm environment that ends well; change what differs.
pub(crate) fn run_ended(origin: Origin, function: FunctionId, started: SimTime, duration: SimDuration) -> Fact {
    Fact::RunEnded {
        origin,
        function,
        run: 1,
        environment: 1,
        started,
        duration,
        init: None,
        suppressed_init: None,
        outcome: RunOutcome::Success,
        error: None,
        capacity: Capacity::Unreserved,
        abandoned: None,
    }
}

/// A run with all that is said about it.
#[derive(Clone, Copy)]
pub(crate) struct TestRun {
    pub(crate) function: usize,
    pub(crate) number: u32,
    pub(crate) environment: u64,
    pub(crate) cold: bool,
    pub(crate) init: Option<InitPhase>,
    pub(crate) suppressed_init: Option<InitPhase>,
    pub(crate) outcome: RunOutcome,
    pub(crate) capacity: Capacity,
    pub(crate) abandoned: Option<SimTime>,
}

impl Default for TestRun {
    fn default() -> Self {
        Self {
            function: 0,
            number: 1,
            environment: 1,
            cold: false,
            init: None,
            suppressed_init: None,
            outcome: RunOutcome::Success,
            capacity: Capacity::Unreserved,
            abandoned: None,
        }
    }
}

impl TestRun {
    /// States that it starts at `start`.
    pub(crate) fn start(self, to: &mut impl Observer, origin: Origin, start: SimTime) {
        let Self { function, number: run, environment, cold, capacity, .. } = self;
        let function = FunctionId::from_index(function);
        to.observe(start, &Fact::RunStarted { origin, function, run, environment, cold, capacity });
    }

    /// States that it ends at `end`, after an Invoke phase of `duration`.
    pub(crate) fn end(
        self,
        to: &mut impl Observer,
        origin: Origin,
        (start, end): (SimTime, SimTime),
        duration: SimDuration,
    ) {
        let Self { function, number: run, environment, init, suppressed_init, outcome, capacity, abandoned, .. } = self;
        let fact = Fact::RunEnded {
            origin,
            function: FunctionId::from_index(function),
            run,
            environment,
            started: start,
            duration,
            init,
            suppressed_init,
            outcome,
            error: None,
            capacity,
            abandoned,
        };
        to.observe(end, &fact);
    }

    /// States that it runs from `start` to `end`.
    pub(crate) fn whole(self, to: &mut impl Observer, origin: Origin, start: SimTime, end: SimTime) {
        self.start(to, origin, start);
        let init = self.init.map_or(SimDuration::ZERO, |phase| phase.length);
        self.end(to, origin, (start, end), end.since(start).saturating_sub(init));
    }
}

/// States a call that succeeds at its first attempt.
pub(crate) fn call(to: &mut impl Observer, origin: Origin, run: TestRun, end: SimTime) {
    let start = origin.submitted;
    to.observe(start, &Fact::CallSubmitted { origin });
    to.observe(start, &Fact::AttemptSent { origin, attempt: 1 });
    run.whole(to, origin, start, end);
    to.observe(end, &Fact::AttemptAnswered { origin, attempt: 1, answer: Answer::Success, status: 200 });
    to.observe(end, &Fact::CallFinished { origin, outcome: Outcome::Success, attempts: 1, runs: 1 });
}

/// [`scenario`] with a queue `dead`, a topic `alerts`, an event bus `bus` and a bucket `archive`.
pub(crate) fn scenario_with_places(functions: &[&str]) -> Scenario {
    let mut scenario = scenario(functions);
    let system = &mut scenario.system;
    system.queues.push(scenario_with_mapping().system.queues[QueueId::from_index(1)].clone());
    system.topics.push(Topic {
        name: "alerts".to_owned(),
        order: 1,
        maximum_message_size: 262_144,
        routes: Vec::new(),
    });
    system.event_buses.push(EventBus { name: "bus".to_owned(), order: 2, routes: Vec::new() });
    system.buckets.push(Bucket { name: "archive".to_owned(), order: 3, delay: None, routes: Vec::new() });
    scenario
}

/// A function `worker` that a mapping `orders-worker` feeds from a queue `orders`, to which the caller `worker-caller`
/// sends and whose dead letters go to `dead`; all as AWS advises.
pub(crate) fn scenario_with_mapping() -> Scenario {
    parse(
        "name: test
duration: 1h
functions: { worker: { memory: 1024MB, duration: 100ms } }
queues:
  orders: { redrive: { dead_letter_queue: dead, max_receive_count: 5 } }
  dead: { message_retention: 14d }
event_source_mappings: { orders-worker: { source: orders, function: worker } }
callers: { worker-caller: { target: orders, arrivals: { poisson: 1/s } } }
",
    )
}

/// An event in the internal queue of a function; each method states what happened.
#[derive(Clone, Copy)]
pub(crate) struct TestEvent {
    pub(crate) origin: Origin,
    pub(crate) function: FunctionId,
    pub(crate) accepted: SimTime,
}

impl TestEvent {
    /// A submission of the first caller to the first function that is accepted at once, as the client sees it.
    pub(crate) fn submit(to: &mut impl Observer, submission: u64, now: SimTime) -> Self {
        let event = Self { origin: origin(0, submission, now), function: first(), accepted: now };
        let origin = event.origin;
        to.observe(now, &Fact::CallSubmitted { origin });
        to.observe(now, &Fact::AttemptSent { origin, attempt: 1 });
        event.accept(to);
        to.observe(now, &Fact::AttemptAnswered { origin, attempt: 1, answer: Answer::Accepted, status: 202 });
        to.observe(now, &Fact::CallFinished { origin, outcome: Outcome::Accepted, attempts: 1, runs: 0 });
        event
    }

    pub(crate) fn accept(self, to: &mut impl Observer) {
        let Self { origin, function, accepted } = self;
        to.observe(accepted, &Fact::EventAccepted { origin, function, parent: None, payload_bytes: 100 });
    }

    pub(crate) fn dispatch(self, to: &mut impl Observer, queued: SimTime, now: SimTime) {
        let Self { origin, function, accepted } = self;
        to.observe(now, &Fact::EventDispatched { origin, function, accepted, queued });
    }

    /// It runs, as the `number`-th run, and ends as `outcome` says.
    pub(crate) fn run(
        self,
        to: &mut impl Observer,
        number: u32,
        outcome: RunOutcome,
        (start, end): (SimTime, SimTime),
    ) {
        let run = TestRun { function: self.function.index(), number, outcome, ..TestRun::default() };
        run.whole(to, self.origin, start, end);
    }

    pub(crate) fn returned(self, to: &mut impl Observer, cause: ReturnCause, (now, due): (SimTime, SimTime)) {
        let Self { origin, function, .. } = self;
        to.observe(now, &Fact::EventReturned { origin, function, cause, due });
    }

    pub(crate) fn end(self, to: &mut impl Observer, condition: Condition, now: SimTime) {
        let Self { origin, function, accepted } = self;
        to.observe(now, &Fact::EventEnded { origin, function, accepted, condition, runs: 1 });
    }

    /// The record of its end.
    pub(crate) fn record(self, kind: DeliveryKind, condition: Condition, ended: SimTime) -> Record {
        let Self { origin, function, .. } = self;
        let response = Response::None;
        Record { origin, function, kind, ended, condition, invoke_count: 1, response, payload_bytes: 100 }
    }

    /// A delivery of a failure to `target` succeeds, or fails for good.
    pub(crate) fn deliver(
        self,
        to: &mut impl Observer,
        kind: DeliveryKind,
        target: Target,
        error: Option<DeliveryError>,
        now: SimTime,
    ) {
        let condition = if kind == DeliveryKind::OnSuccess { Condition::Success } else { Condition::RetriesExhausted };
        let record = self.record(kind, condition, now);
        let fact = match error {
            None => Fact::Delivered { record, to: target },
            Some(error) => Fact::DeliveryFailed { record, to: target, error },
        };
        to.observe(now, &fact);
        if let (Target::Queue(queue), None) = (target, error) {
            let sent = MessageFact::Sent { origin: self.origin, queue, visible_at: now, bytes: 100 };
            to.observe(now, &Fact::Message(sent));
        }
        if let (Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_), None) = (target, error) {
            to.observe(now, &received(target, self.origin));
        }
    }
}

/// A place received something that is for nobody.
pub(crate) fn received(place: Target, origin: Origin) -> Fact {
    Fact::Place(PlaceFact::Received { place, origin, parent: Some(0), bytes: 100, deliveries: 0 })
}
