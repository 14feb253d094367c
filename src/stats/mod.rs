//! Facts in, numbers out. Statistics listen to a run and change nothing.
//!
//! Everything is kept as integers in tables of bounded size; nothing grows with the length of the run, and no fact
//! allocates but the first of its kind. Facts that every invocation states are straight code in the caller's body;
//! the others are calls.
//!
//! Reading order: [`summary`] (what comes out), [`Statistics`] (what goes where), [`histogram`], [`gauge`], [`cost`].

mod account;
mod asynchronous;
mod bill;
mod buckets;
mod caller;
mod context;
pub mod cost;
pub mod curve;
mod dependencies;
pub mod digest;
mod executions;
mod function;
pub mod gauge;
pub mod histogram;
mod messages;
mod places;
mod provisioned;
pub mod series;
mod streams;
pub mod summary;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use account::AccountStats;
use caller::CallerStats;
use context::Context;
use cost::Usages;
use dependencies::Dependencies;
use executions::Executions;
use function::{FunctionStats, Run};
use messages::Messages;
use places::{PlaceFigures, PlaceFlows, Places};
use series::{Interval, Recorder, Schedule, TimeSeries};
use streams::Streams;
use summary::{AccountSummary, Conservation, Flow, Named, Summary, Window};

use crate::aws::fact::{Answer, Capacity, Fact, FrontFact, Observer, Origin, Outcome, ThrottleReason};
use crate::aws::ids::{CallerId, FunctionId, Id, MappingId, Table};
use crate::kernel::time::SimTime;
use crate::scenario::{PriceOptions, Scenario};

/// Counts what a run states, by the contract's rules of what is measured.
#[derive(Clone, Debug)]
pub struct Statistics {
    warmup: SimTime,
    prices: PriceOptions,
    account: AccountStats,
    callers: Table<CallerId, CallerStats>,
    functions: Table<FunctionId, FunctionStats>,
    places: Box<Places>,
    messages: Box<Messages>,
    streams: Box<Streams>,
    executions: Box<Executions>,
    dependencies: Box<Dependencies>,
    context: Box<Context>,
    recorder: Option<Box<Recorder>>,
}

impl Statistics {
    /// Statistics of a run of `scenario`, before its first fact.
    pub fn new(scenario: &Scenario) -> Self {
        let system = &scenario.system;
        Self {
            warmup: scenario.warmup,
            prices: scenario.prices,
            account: AccountStats::new(scenario.warmup),
            callers: system.callers.rows().iter().map(CallerStats::new).collect(),
            functions: system.functions.ids().map(|id| FunctionStats::new(scenario, id)).collect(),
            places: Box::new(Places::new(system, scenario.warmup)),
            messages: Box::new(Messages::new(system, scenario.warmup)),
            streams: Box::new(Streams::new(system, scenario.warmup)),
            executions: Box::new(Executions::new(system, scenario.warmup)),
            dependencies: Box::new(Dependencies::new(scenario)),
            context: Box::new(Context::new(scenario)),
            recorder: None,
        }
    }

    /// The same, which keep figures over time too.
    pub fn over_time(scenario: &Scenario, interval: Interval) -> Self {
        let mut statistics = Self::new(scenario);
        let schedule = Schedule::new(interval, scenario.warmup, scenario.duration);
        statistics.recorder = Some(Box::new(Recorder::new(schedule)));
        statistics.look();
        statistics
    }

    /// Shows everything to the recorder, always in the same order.
    fn look(&mut self) {
        let Some(mut recorder) = self.recorder.take() else { return };
        let to = &mut *recorder;
        self.account.series(to);
        for ((_, caller), name) in self.callers.iter_mut().zip(&self.context.callers) {
            to.of("callers", name);
            caller.series(to);
        }
        for ((_, function), (name, _)) in self.functions.iter_mut().zip(&self.context.functions) {
            to.of("functions", name);
            function.series(to);
        }
        self.messages.series(to);
        self.streams.series(to);
        for mapping in (0..self.context.mappings).map(MappingId::from_index) {
            self.messages.mapping_series(mapping, to);
            self.streams.mapping_series(mapping, to);
        }
        self.dependencies.series(to);
        self.places.series(to);
        self.executions.series(to);
        to.looked();
        self.recorder = Some(recorder);
    }

    /// Everything, and the figures over time if they were kept, when the run ended at `ended`.
    pub fn finish_over_time(mut self, ended: SimTime) -> (Summary, Option<TimeSeries>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.end(ended);
            self.look();
        }
        let series = self.recorder.take().map(|recorder| recorder.finish(ended));
        (self.finish(ended), series)
    }

    /// Everything, when the run ended at `ended`.
    ///
    /// `events`, `digest` and `expectations` are left empty.
    pub fn finish(mut self, ended: SimTime) -> Summary {
        let context = &self.context;
        let account = self.account.figures(ended);
        let mut functions = Vec::with_capacity(self.functions.len());
        let mut usages = Vec::with_capacity(self.functions.len());
        for ((_, stats), (name, limits)) in self.functions.iter_mut().zip(&context.functions) {
            let (summary, usage) = stats.summary(name, *limits, ended);
            functions.push((name.clone(), summary));
            usages.push((name.clone(), usage));
        }
        let measured = ended.saturating_since(self.warmup);
        let named = |stats: &mut CallerStats, name: &String| (name.clone(), stats.summary(measured));
        let callers = self.callers.iter_mut().zip(&context.callers);
        let callers = callers.map(|((_, stats), name)| named(stats, name)).collect();
        let PlaceFigures { topics, event_buses, buckets } = self.places.figures();
        let (queues, mut event_source_mappings) = (self.messages.queues(ended), self.messages.mappings(ended));
        self.streams.complete(&mut event_source_mappings, ended);
        let usage = Usages {
            functions: usages,
            queues: self.messages.queue_usage(&queues),
            streams: self.streams.usage(ended),
            poller_seconds: self.messages.poller_seconds(ended),
            units: self.streams.units(ended),
            callers: context.callers.iter().cloned().zip(self.callers.rows().iter().map(CallerStats::usage)).collect(),
            state_machines: self.executions.usage(),
            places: self.places.usage(),
        };
        let milliseconds = |time: SimTime| histogram::milliseconds(time.as_nanos());
        Summary {
            lambdasim: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: context.scenario.clone(),
            seed: context.seed,
            window: Window {
                warmup_ms: milliseconds(self.warmup),
                duration_ms: milliseconds(context.duration),
                ended_ms: milliseconds(ended),
            },
            events: 0,
            digest: String::new(),
            account: AccountSummary {
                concurrent_executions: account.concurrent,
                unreserved_concurrent_executions: account.unreserved,
                claimed_account_concurrency: account.claimed,
                throttles: self.account.throttles,
                concurrency_limit: context.concurrency_limit,
            },
            callers,
            functions: Named(functions),
            queues,
            streams: self.streams.streams(),
            event_source_mappings,
            dependencies: self.dependencies.summaries(ended),
            topics,
            event_buses,
            buckets,
            brokers: self.streams.brokers(),
            state_machines: self.executions.summaries(),
            cost: cost::bill(usage, self.prices),
            expectations: Vec::new(),
            conservation: self.conservation(),
            advice: self.context.advice.clone(),
        }
    }

    fn conservation(&self) -> Conservation {
        let Context { callers, functions, .. } = &*self.context;
        let callers: Named<_> =
            self.callers.rows().iter().zip(callers).map(|(c, name)| (name.clone(), c.flow())).collect();
        let of_functions = |flow: fn(&FunctionStats) -> Flow| -> Named<Flow> {
            self.functions.rows().iter().zip(functions).map(|(f, (name, _))| (name.clone(), flow(f))).collect()
        };
        let PlaceFlows { topics, event_buses, buckets } = self.places.flows();
        let [streams, event_source_mappings, brokers] = self.streams.flows();
        let mut conservation = Conservation {
            callers,
            functions: of_functions(FunctionStats::flow),
            async_events: of_functions(FunctionStats::flow_of_events),
            queues: self.messages.flows(),
            streams,
            event_source_mappings,
            dependencies: self.dependencies.flows(),
            topics,
            event_buses,
            buckets,
            brokers,
            state_machines: self.executions.flows(),
            holds: true,
        };
        let holds = conservation.flows().all(|(_, flow)| flow.holds);
        conservation.holds = holds;
        conservation
    }

    #[inline(always)]
    fn measures(&self, origin: &Origin) -> bool {
        origin.submitted >= self.warmup
    }
}

impl Observer for Statistics {
    #[inline(always)]
    #[allow(clippy::too_many_lines, reason = "one short arm for each fact")]
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::CallSubmitted { origin } => self.call_submitted(&origin),
            Fact::AttemptSent { origin, attempt } => self.attempt_sent(&origin, attempt),
            Fact::AttemptAnswered { origin, answer, status, .. } => self.attempt_answered(&origin, answer, status),
            Fact::CallFinished { origin, outcome, runs, .. } => self.call_finished(now, &origin, outcome, runs),
            Fact::RunStarted { origin, function, cold, capacity, .. } => {
                self.run_started(now, &origin, function, cold, capacity);
            }
            Fact::RunEnded {
                origin,
                function,
                started,
                duration,
                init,
                suppressed_init,
                outcome,
                capacity,
                abandoned,
                ..
            } => {
                let run = Run { started, duration, init, suppressed_init, outcome, capacity, abandoned };
                self.run_ended(now, &origin, function, run);
            }
            Fact::AttemptTimedOut { origin, .. } => self.attempt_timed_out(&origin),
            Fact::RetryScheduled { .. }
            | Fact::DispatchRefused { .. }
            | Fact::EventDuplicated { .. }
            | Fact::DeliveryRetried { .. }
            | Fact::Outgoing(_) => {}
            Fact::Dependency(ref fact) => self.dependencies.observe(now, fact),
            Fact::Front(ref fact) => self.front(fact),
            Fact::RetryQuotaExhausted { origin } => self.retry_quota_exhausted(&origin),
            Fact::CircuitOpen { origin } => self.circuit_open(&origin),
            Fact::Throttled { origin, function, reason } => self.throttled(&origin, function, reason),
            Fact::EventAccepted { origin, function, .. } => self.event_accepted(&origin, function),
            Fact::EventDispatched { origin, function, accepted, queued } => {
                self.event_dispatched(now, origin, function, (accepted, queued));
            }
            Fact::EventReturned { origin, function, cause, .. } => self.event_returned(&origin, function, cause),
            Fact::EventEnded { origin, function, accepted, condition, .. } => {
                self.event_ended(now, &origin, function, accepted, condition);
            }
            Fact::Delivered { ref record, .. } => self.delivered(record),
            Fact::DeliveryFailed { ref record, .. } => self.delivery_failed(record),
            Fact::Message(ref fact) => self.messages.message(now, fact),
            Fact::Mapping(ref fact) => {
                self.messages.mapping(now, fact);
                if self.streams.any() {
                    self.streams.mapping(now, fact);
                }
            }
            Fact::Stream(ref fact) => self.streams.stream(now, fact),
            Fact::Broker(ref fact) => self.streams.broker(now, fact),
            Fact::Reader(ref fact) => self.streams.reader(now, fact),
            Fact::Execution(ref fact) => self.executions.execution(now, fact),
            Fact::Place(ref fact) => self.places.add(fact),
            Fact::EnvironmentCreated { function, .. } => self.functions[function].environment_created(now),
            Fact::EnvironmentEnded { function, at, .. } => self.functions[function].environment_ended(at),
            Fact::EnvironmentReset { function, .. } => self.functions[function].environment_reset(now),
            Fact::ProvisionedRequested { function, units } => {
                self.functions[function].provisioned_requested(now, units);
            }
            Fact::ProvisionedAllocated { function, units } => {
                self.functions[function].provisioned_allocated(now, units);
            }
            Fact::ProvisionedInitialized { function, init } => {
                self.functions[function].provisioned_initialized(now, init);
            }
            Fact::ProvisionedFailed { function } => self.functions[function].provisioned_failed(now),
            Fact::AccountAllocated { units, unreserved_in_flight } => {
                self.account.allocate(now, units, unreserved_in_flight);
            }
        }
    }

    fn pauses_at(&self) -> SimTime {
        self.recorder.as_ref().map_or(SimTime::MAX, |recorder| recorder.ends())
    }

    fn pause(&mut self) {
        self.look();
    }
}

/// What each fact does, in the order of the facts.
impl Statistics {
    #[inline(always)]
    fn call_submitted(&mut self, origin: &Origin) {
        let measured = self.measures(origin);
        let caller = &mut self.callers[origin.caller];
        if measured {
            caller.submitted += 1;
        } else {
            caller.submitted_before += 1;
        }
    }

    #[inline(always)]
    fn attempt_sent(&mut self, origin: &Origin, attempt: u32) {
        if self.measures(origin) {
            let caller = &mut self.callers[origin.caller];
            caller.attempts += 1;
            caller.retries += u64::from(attempt > 1);
        }
    }

    #[inline(always)]
    fn attempt_answered(&mut self, origin: &Origin, answer: Answer, status: u16) {
        if self.measures(origin) {
            self.callers[origin.caller].answered(status, answer == Answer::Throttled);
        }
    }

    #[inline(always)]
    fn call_finished(&mut self, now: SimTime, origin: &Origin, outcome: Outcome, runs: u32) {
        let measured = self.measures(origin);
        let caller = &mut self.callers[origin.caller];
        if measured {
            caller.finished(now.since(origin.submitted), outcome, runs);
        } else {
            caller.finished_before += 1;
        }
    }

    #[inline(always)]
    fn run_started(&mut self, now: SimTime, origin: &Origin, function: FunctionId, cold: bool, capacity: Capacity) {
        let measured = self.measures(origin);
        if capacity != Capacity::Edge {
            self.account.start(now, is_unreserved(capacity));
        }
        let stats = &mut self.functions[function];
        stats.start(now);
        if measured {
            stats.invocations += 1;
            stats.cold_starts += u64::from(cold && capacity != Capacity::Provisioned);
            stats.start_event(now, origin);
        } else {
            stats.started_before += 1;
        }
        if capacity == Capacity::Edge && measured {
            stats.start_at_edge();
        }
        if is_beside_provisioned(capacity) {
            stats.start_provisioned(now, capacity, measured);
        }
    }

    #[inline(always)]
    fn run_ended(&mut self, now: SimTime, origin: &Origin, function: FunctionId, run: Run) {
        let measured = self.measures(origin);
        if run.capacity != Capacity::Edge {
            self.account.end(now, is_unreserved(run.capacity));
        }
        let stats = &mut self.functions[function];
        stats.end(now);
        if run.capacity == Capacity::Provisioned {
            stats.end_provisioned(now);
        }
        if measured {
            stats.ended(now, run, self.prices);
        } else {
            stats.ended_before += 1;
        }
    }

    #[inline(never)]
    fn attempt_timed_out(&mut self, origin: &Origin) {
        if self.measures(origin) {
            self.callers[origin.caller].client_timeouts += 1;
        }
    }

    #[cold]
    #[inline(never)]
    fn retry_quota_exhausted(&mut self, origin: &Origin) {
        if self.measures(origin) {
            self.callers[origin.caller].retry_quota_exhausted += 1;
        }
    }

    #[cold]
    #[inline(never)]
    fn circuit_open(&mut self, origin: &Origin) {
        if self.measures(origin) {
            self.callers[origin.caller].circuit_open += 1;
        }
    }

    #[cold]
    #[inline(never)]
    fn front(&mut self, fact: &FrontFact) {
        match fact {
            FrontFact::Limited { origin, concurrency: false, .. } if self.measures(origin) => {
                self.callers[origin.caller].limited += 1;
            }
            FrontFact::DeadLettered { origin, refused: None, .. } if self.measures(origin) => {
                self.callers[origin.caller].dead_letters += 1;
            }
            FrontFact::Limited { .. }
            | FrontFact::DeadLettered { .. }
            | FrontFact::TimedOut { .. }
            | FrontFact::Translated { .. }
            | FrontFact::Delayed { .. }
            | FrontFact::CallbackAwaited { .. }
            | FrontFact::CalledBack { .. }
            | FrontFact::CallbackTimedOut { .. }
            | FrontFact::BufferClosed { .. }
            | FrontFact::ProcessingFailed { .. } => {}
        }
    }

    #[inline(never)]
    fn throttled(&mut self, origin: &Origin, function: FunctionId, reason: ThrottleReason) {
        if self.measures(origin) {
            self.account.throttles += 1;
            self.functions[function].throttled(reason);
        }
    }
}

/// INV-5.8: on demand, of a function without reserved concurrency.
#[inline(always)]
const fn is_unreserved(capacity: Capacity) -> bool {
    matches!(capacity, Capacity::Unreserved | Capacity::Spillover)
}

/// Whether the function has provisioned concurrency.
#[inline(always)]
const fn is_beside_provisioned(capacity: Capacity) -> bool {
    matches!(capacity, Capacity::Provisioned | Capacity::Spillover | Capacity::ReservedSpillover)
}
