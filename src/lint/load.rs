//! What mean rates and mean times come to: Little's law, concurrency = rate x duration (INV-C2).
//!
//! First tries only, full batches, no cold starts and no queueing: what is needed at least, on average. Traffic that is
//! not steady (a burst, a trace, a few events), executions of state machines and what Firehose collects count as
//! nothing, and where something goes round in a circle nothing is said.

use crate::aws::config::{
    Call, CallTarget, Caller, EventSourceMapping, Function, Invocation, Load as Traffic, Passage, Route, Service,
    Source, System, Target,
};
use crate::aws::ids::{DependencyId, FunctionId, Id, QueueId, StreamId};
use crate::aws::limits;
use crate::kernel::arrival::{ArrivalProcess, ProfileShape, RatePoint};
use crate::kernel::dist::Distribution;
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

/// How many steps things are followed.
const STEPS: usize = 32;
/// A caller that stops before so many seconds makes no steady traffic.
const STEADY: f64 = 60.0;
/// How deep functions that call functions are looked into.
const DEEPEST: usize = 8;

/// Mean rates, a second.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rates {
    requests: Vec<f64>,
    events: Vec<f64>,
    queues: Vec<f64>,
    streams: Vec<f64>,
    topics: Vec<f64>,
    event_buses: Vec<f64>,
    buckets: Vec<f64>,
    dependencies: Vec<f64>,
}

/// What a scenario's mean rates and times come to.
#[derive(Clone, Debug)]
pub(super) struct Load {
    rates: Rates,
    /// Mappings that poll each queue.
    readers: Vec<u32>,
    /// The mean time of each function's run without records, its calls included and its time-out not; seconds.
    times: Vec<f64>,
    functions: Vec<FunctionLoad>,
    record_bytes: (Vec<f64>, Vec<f64>),
}

/// What a function has to do on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FunctionLoad {
    /// Runs a second.
    pub(super) rate: f64,
    /// Those of them that somebody waits for.
    pub(super) requests: f64,
    /// Runs at once.
    pub(super) concurrency: f64,
}

impl Load {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let system = &scenario.system;
        let seconds = seconds(scenario.duration.since(SimTime::ZERO));
        let mut readers = vec![0_u32; system.queues.len()];
        for mapping in polling(system) {
            if let Source::Queue(id) = mapping.source {
                readers[id.index()] = readers[id.index()].saturating_add(1);
            }
        }
        let mut load = Self {
            rates: Rates::none(system),
            readers,
            times: run_times(system),
            functions: vec![FunctionLoad::default(); system.functions.len()],
            record_bytes: record_bytes(system),
        };
        if let Some(rates) = load.steady(system, seconds) {
            load.rates = rates;
        }
        load.add_up(system, seconds);
        load
    }

    fn add_up(&mut self, system: &System, seconds: f64) {
        for (id, function) in system.functions.iter() {
            let requests = self.rates.requests[id.index()];
            let rate = requests + self.rates.events[id.index()];
            let concurrency = rate * self.run_seconds(id, function, 0.0).min(seconds);
            self.functions[id.index()] = FunctionLoad { rate, requests, concurrency };
        }
        for mapping in polling(system) {
            let function = &system.functions[mapping.function];
            let runs = self.rates.batches(mapping, &self.readers);
            let time = self.run_seconds(mapping.function, function, f64::from(mapping.batch_size));
            let load = &mut self.functions[mapping.function.index()];
            load.rate += runs;
            load.requests += runs;
            load.concurrency += runs * time.min(seconds);
        }
    }

    /// The mean time of a run with so many records, its calls included and its time-out not; seconds.
    pub(super) fn wanted_seconds(&self, id: FunctionId, function: &Function, records: f64) -> f64 {
        self.times[id.index()] + records * mean_seconds(&function.duration_per_record)
    }

    /// The same, up to its time-out.
    fn run_seconds(&self, id: FunctionId, function: &Function, records: f64) -> f64 {
        self.wanted_seconds(id, function, records).min(seconds(function.timeout))
    }

    /// The rates that settle in; `None` where they do not.
    fn steady(&self, system: &System, duration: f64) -> Option<Rates> {
        let mut outside = Rates::none(system);
        for caller in system.callers.rows() {
            let rate = self.caller_rate(system, caller, duration);
            match (caller.target, caller.invocation) {
                (Target::Function(id), Invocation::Sync) => outside.requests[id.index()] += rate,
                (to, _) => outside.send(to, rate),
            }
        }
        let mut rates = outside.clone();
        for _ in 0..STEPS {
            let next = rates.next(system, &outside, &self.readers);
            if next == rates {
                return Some(rates);
            }
            rates = next;
        }
        None
    }

    /// Submissions a second.
    fn caller_rate(&self, system: &System, caller: &Caller, duration: f64) -> f64 {
        let apart = caller.via.service == Service::Cloudfront || matches!(caller.via.passage, Passage::Firehose(_));
        let rate = match &caller.load {
            Traffic::Open(process) => mean_rate(process, duration),
            Traffic::Closed { count, think, .. } => {
                let run = match (caller.target, caller.invocation) {
                    (Target::Function(id), Invocation::Sync) => self.run_seconds(id, &system.functions[id], 0.0),
                    _ => 0.0,
                };
                let round = mean_seconds(think) + run;
                if round > 0.0 { f64::from(*count) / round } else { 0.0 }
            }
        };
        let stops = caller.max_events.is_some_and(|events| (events as f64) < rate * STEADY);
        if apart || stops { 0.0 } else { rate }
    }

    pub(super) fn function(&self, id: FunctionId) -> FunctionLoad {
        self.functions[id.index()]
    }

    /// Batches of a mapping at once.
    pub(super) fn batches(&self, system: &System, mapping: &EventSourceMapping) -> f64 {
        let function = &system.functions[mapping.function];
        let time = self.run_seconds(mapping.function, function, f64::from(mapping.batch_size));
        self.rates.batches(mapping, &self.readers) * time
    }

    /// Messages a second.
    pub(super) fn queue(&self, id: QueueId) -> f64 {
        self.rates.queues[id.index()]
    }

    /// Records a second.
    pub(super) fn stream(&self, id: StreamId) -> f64 {
        self.rates.streams[id.index()]
    }

    /// Requests a second.
    pub(super) fn dependency(&self, id: DependencyId) -> f64 {
        self.rates.dependencies[id.index()]
    }

    /// The mean size of what is sent to a source, bytes: of those who send to it the largest.
    pub(super) fn bytes(&self, source: Source) -> f64 {
        match source {
            Source::Queue(id) => self.record_bytes.0[id.index()],
            Source::Stream(id) => self.record_bytes.1[id.index()],
            Source::Broker(_) => 0.0,
        }
    }
}

impl Rates {
    fn none(system: &System) -> Self {
        let zeros = |rows: usize| vec![0.0; rows];
        Self {
            requests: zeros(system.functions.len()),
            events: zeros(system.functions.len()),
            queues: zeros(system.queues.len()),
            streams: zeros(system.streams.len()),
            topics: zeros(system.topics.len()),
            event_buses: zeros(system.event_buses.len()),
            buckets: zeros(system.buckets.len()),
            dependencies: zeros(system.dependencies.len()),
        }
    }

    fn send(&mut self, to: Target, rate: f64) {
        match to {
            Target::Queue(id) => self.queues[id.index()] += rate,
            Target::Topic(id) => self.topics[id.index()] += rate,
            Target::EventBus(id) => self.event_buses[id.index()] += rate,
            Target::Bucket(id) => self.buckets[id.index()] += rate,
            Target::Function(id) => self.events[id.index()] += rate,
            Target::Stream(id) => self.streams[id.index()] += rate,
            Target::Broker(_) | Target::StateMachine(_) => {}
        }
    }

    fn call(&mut self, call: &Call, rate: f64) {
        let rate = rate * f64::from(call.times);
        match call.to {
            CallTarget::Dependency(id) => self.dependencies[id.index()] += rate,
            CallTarget::Function(id, Invocation::Sync) => self.requests[id.index()] += rate,
            CallTarget::Function(id, Invocation::Async) => self.events[id.index()] += rate,
            CallTarget::Send(to) => self.send(to, rate),
        }
    }

    fn pass_on(&mut self, routes: &[Route], rate: f64) {
        for route in routes {
            self.send(route.to, rate * route.matches.as_f64());
        }
    }

    /// Full batches of a mapping a second.
    fn batches(&self, mapping: &EventSourceMapping, readers: &[u32]) -> f64 {
        let records = match mapping.source {
            Source::Queue(id) => self.queues[id.index()] / f64::from(readers[id.index()].max(1)),
            Source::Stream(id) => self.streams[id.index()],
            Source::Broker(_) => 0.0,
        };
        records * mapping.filter.as_f64() / f64::from(mapping.batch_size.max(1))
    }

    /// What follows from these rates, beside what callers send.
    fn next(&self, system: &System, outside: &Self, readers: &[u32]) -> Self {
        let mut next = outside.clone();
        let mut batches = vec![0.0; system.functions.len()];
        for mapping in polling(system) {
            batches[mapping.function.index()] += self.batches(mapping, readers);
        }
        for (id, function) in system.functions.iter() {
            let runs = self.requests[id.index()] + self.events[id.index()] + batches[id.index()];
            for call in function.calls.iter().flat_map(|step| &step.calls) {
                next.call(call, runs);
            }
            if let Some(to) = function.asynchronous.on_success {
                next.send(to, self.events[id.index()]);
            }
        }
        for (id, topic) in system.topics.iter() {
            next.pass_on(&topic.routes, self.topics[id.index()]);
        }
        for (id, bus) in system.event_buses.iter() {
            next.pass_on(&bus.routes, self.event_buses[id.index()]);
        }
        for (id, bucket) in system.buckets.iter() {
            next.pass_on(&bucket.routes, self.buckets[id.index()]);
        }
        next
    }
}

fn polling(system: &System) -> impl Iterator<Item = &EventSourceMapping> {
    system.event_source_mappings.rows().iter().filter(|mapping| mapping.enabled)
}

/// The mean rate of a process that is steady, or changes slowly; of others 0.
fn mean_rate(process: &ArrivalProcess, duration: f64) -> f64 {
    match process {
        ArrivalProcess::Poisson { rate } | ArrivalProcess::Constant { rate } => rate.per_second_f64(),
        ArrivalProcess::Daily { mean, .. } => mean.per_second_f64(),
        ArrivalProcess::Profile { points, shape, .. } => profile_mean(points, *shape, duration),
        ArrivalProcess::OnOff { on, off, rate } => {
            let (on, off) = (mean_seconds(on), mean_seconds(off));
            if on + off > 0.0 { rate.per_second_f64() * on / (on + off) } else { 0.0 }
        }
        ArrivalProcess::At(_) | ArrivalProcess::Burst { .. } | ArrivalProcess::Counts { .. } => 0.0,
    }
}

/// The highest rate over the mean rate of a process whose rate changes as known.
pub(super) fn peak_over_mean(process: &ArrivalProcess, duration: SimTime) -> Option<f64> {
    let mean = mean_rate(process, seconds(duration.since(SimTime::ZERO)));
    let peak = match process {
        ArrivalProcess::Daily { peak, .. } => peak.per_second_f64(),
        ArrivalProcess::Profile { points, .. } => {
            let reached = points.iter().filter(|point| point.at < duration);
            reached.map(|point| point.rate.per_second_f64()).fold(0.0, f64::max)
        }
        ArrivalProcess::OnOff { rate, .. } => rate.per_second_f64(),
        ArrivalProcess::Poisson { .. }
        | ArrivalProcess::Constant { .. }
        | ArrivalProcess::At(_)
        | ArrivalProcess::Burst { .. }
        | ArrivalProcess::Counts { .. } => return None,
    };
    (mean > 0.0).then(|| peak / mean)
}

fn profile_mean(points: &[RatePoint], shape: ProfileShape, duration: f64) -> f64 {
    let at = |point: &RatePoint| (seconds(point.at.since(SimTime::ZERO)).min(duration), point.rate.per_second_f64());
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return 0.0 };
    let ((first_at, first_rate), (last_at, last_rate)) = (at(first), at(last));
    let mut events = first_at * first_rate + (duration - last_at) * last_rate;
    for pair in points.windows(2) {
        let ((from, rate), (to, next)) = (at(&pair[0]), at(&pair[1]));
        let whole = seconds(pair[1].at.since(pair[0].at));
        // Where the run ends on the way to the next point.
        let reached = if whole > 0.0 { rate + (next - rate) * ((to - from) / whole) } else { next };
        events += (to - from)
            * match shape {
                ProfileShape::Step => rate,
                ProfileShape::Linear => f64::midpoint(rate, reached),
            };
    }
    if duration > 0.0 { events / duration } else { 0.0 }
}

/// The mean times of runs without records, calls of functions followed as deep as [`DEEPEST`]; seconds.
fn run_times(system: &System) -> Vec<f64> {
    let own = system.functions.rows().iter().map(|function| {
        let little = function.cpu_scaling && function.memory_mb < limits::FULL_CPU_MEMORY_MB;
        let slower = f64::from(limits::FULL_CPU_MEMORY_MB) / f64::from(function.memory_mb.max(1));
        mean_seconds(&function.duration) * if little { slower } else { 1.0 }
    });
    let own: Vec<f64> = own.collect();
    let mut times = own.clone();
    for _ in 0..DEEPEST {
        let all = system.functions.rows().iter().zip(&own).map(|(function, own)| {
            let steps = function.calls.iter().map(|step| {
                let calls = step.calls.iter().map(|call| call_seconds(system, call, &times));
                calls.fold(0.0, f64::max)
            });
            own + steps.sum::<f64>()
        });
        times = all.collect();
    }
    times
}

fn call_seconds(system: &System, call: &Call, times: &[f64]) -> f64 {
    let once = match call.to {
        CallTarget::Dependency(id) => mean_seconds(&system.dependencies[id].service_time),
        CallTarget::Function(id, Invocation::Sync) => times[id.index()].min(seconds(system.functions[id].timeout)),
        CallTarget::Function(_, Invocation::Async) | CallTarget::Send(_) => 0.0,
    };
    let once = call.client.timeout.map_or(once, |timeout| once.min(seconds(timeout)));
    once * f64::from(call.times.div_ceil(call.parallel.max(1)))
}

/// What is sent to each queue and stream, bytes.
fn record_bytes(system: &System) -> (Vec<f64>, Vec<f64>) {
    let (mut queues, mut streams) = (vec![0.0_f64; system.queues.len()], vec![0.0_f64; system.streams.len()]);
    let mut sent = |to: Target, bytes: &Distribution| {
        let place = match to {
            Target::Queue(id) => &mut queues[id.index()],
            Target::Stream(id) => &mut streams[id.index()],
            Target::Topic(_)
            | Target::EventBus(_)
            | Target::Bucket(_)
            | Target::Function(_)
            | Target::Broker(_)
            | Target::StateMachine(_) => return,
        };
        *place = place.max(bytes.mean());
    };
    system.callers.rows().iter().for_each(|caller| sent(caller.target, &caller.payload_bytes));
    for call in system.functions.rows().iter().flat_map(|function| function.calls.iter()).flat_map(|step| &step.calls) {
        if let CallTarget::Send(to) = call.to {
            sent(to, &call.payload_bytes);
        }
    }
    (queues, streams)
}

/// Seconds of a length.
pub(super) fn seconds(length: SimDuration) -> f64 {
    length.as_nanos() as f64 / 1e9
}

/// The mean of a distribution of times, in seconds.
pub(super) fn mean_seconds(times: &Distribution) -> f64 {
    times.mean() / 1e9
}
