//! What one function ran and what came of it (contract, `functions.N`).

use super::asynchronous::{self, AsynchronousStats};
use super::bill::{Bill, Usage};
use super::gauge::Gauge;
use super::histogram::Coarse;
use super::provisioned::{self, ProvisionedStats};
use super::series::{Recorder, Schedule};
use super::summary::{Environments, Flow, FunctionSummary, Keeps, Limits};
use crate::aws::fact::{Capacity, InitPhase, Origin, RunOutcome, ThrottleReason};
use crate::aws::ids::FunctionId;
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::{PriceOptions, Scenario};

/// Counts of one function. Those without a word to the contrary are of events submitted at or after the warm-up.
#[derive(Clone, Debug)]
pub(super) struct FunctionStats {
    running: Gauge,
    pub(super) invocations: u64,
    pub(super) cold_starts: u64,
    duration: Coarse,
    bill: Bill,
    /// Starts and ends of runs of the warm-up's events, for the conservation.
    pub(super) started_before: u64,
    pub(super) ended_before: u64,
    rare: Box<Rare>,
    provisioned: Option<Box<ProvisionedStats>>,
    /// From the first event in the internal queue on.
    asynchronous: Option<Box<AsynchronousStats>>,
}

/// What does not happen at each run.
#[derive(Clone, Debug)]
struct Rare {
    from: SimTime,
    keeps: Keeps,
    errors: u64,
    timeouts: u64,
    throttles: [u64; ThrottleReason::ALL.len()],
    init: Coarse,
    init_failures: u64,
    suppressed_inits: u64,
    abandoned_runs: u64,
    abandoned_ns: u128,
    environments_created: u64,
    environments_ended: u64,
    environments_reset: u64,
    environments: Gauge,
    /// For provisioned concurrency that comes later.
    schedule: Option<Schedule>,
}

/// How a run went, for the bill and the distributions.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) started: SimTime,
    pub(super) duration: SimDuration,
    pub(super) init: Option<InitPhase>,
    pub(super) suppressed_init: Option<InitPhase>,
    pub(super) outcome: RunOutcome,
    pub(super) capacity: Capacity,
    pub(super) abandoned: Option<SimTime>,
}

impl FunctionStats {
    pub(super) fn new(scenario: &Scenario, id: FunctionId) -> Self {
        let from = scenario.warmup;
        Self {
            running: Gauge::new(from),
            invocations: 0,
            cold_starts: 0,
            duration: Coarse::new(),
            bill: Bill::new(scenario, id),
            started_before: 0,
            ended_before: 0,
            rare: Box::new(Rare {
                from,
                keeps: asynchronous::keeps(scenario, id),
                errors: 0,
                timeouts: 0,
                throttles: [0; _],
                init: Coarse::new(),
                init_failures: 0,
                suppressed_inits: 0,
                abandoned_runs: 0,
                abandoned_ns: 0,
                environments_created: 0,
                environments_ended: 0,
                environments_reset: 0,
                environments: Gauge::new(from),
                schedule: None,
            }),
            provisioned: None,
            asynchronous: None,
        }
    }

    /// A run was placed; what every run does, measured or not.
    #[inline(always)]
    pub(super) fn start(&mut self, now: SimTime) {
        self.running.increment(now);
    }

    /// A measured run was placed; it may end an event's wait.
    #[inline(always)]
    pub(super) fn start_event(&mut self, now: SimTime, origin: &Origin) {
        if let Some(asynchronous) = &mut self.asynchronous {
            asynchronous.started(now, origin);
        }
    }

    /// What is counted of events.
    pub(super) fn asynchronous(&mut self) -> &mut AsynchronousStats {
        let keeps = self.rare.keeps;
        self.asynchronous.get_or_insert_with(|| Box::new(AsynchronousStats::new(keeps)))
    }

    /// A run ended; what every run does, measured or not.
    #[inline(always)]
    pub(super) fn end(&mut self, now: SimTime) {
        self.running.decrement(now);
    }

    /// A run on a provisioned unit, or on demand beside some, was placed.
    #[inline(never)]
    pub(super) fn start_provisioned(&mut self, now: SimTime, capacity: Capacity, measured: bool) {
        let provisioned = self.provisioned();
        if capacity == Capacity::Provisioned {
            provisioned.start(now);
            provisioned.invocations += u64::from(measured);
        } else {
            provisioned.spillover += u64::from(measured);
        }
    }

    /// INV-4.4: a measured run at the edge was placed.
    #[cold]
    pub(super) fn start_at_edge(&mut self) {
        self.bill.edge_request();
    }

    /// A run on a provisioned unit ended.
    #[inline(never)]
    pub(super) fn end_provisioned(&mut self, now: SimTime) {
        self.provisioned().end(now);
    }

    /// A measured run ended at `now`.
    #[inline(always)]
    pub(super) fn ended(&mut self, now: SimTime, run: Run, prices: PriceOptions) {
        self.duration.record(run.duration);
        let mut billed = run.duration;
        if let Some(init) = run.init {
            billed = billed.plus(self.rare.initialized(init, prices));
        }
        if let Some(init) = run.suppressed_init {
            self.rare.initialized_again(init);
        }
        // INV-$1, INV-$2: the sum is rounded once, up to whole milliseconds, and at least one.
        let billed_ms = billed.as_millis_ceil().max(1);
        self.bill.run(run.started, billed_ms, run.capacity);
        if run.outcome != RunOutcome::Success {
            self.rare.failed(run.outcome);
        }
        if let Some(since) = run.abandoned {
            self.rare.abandoned(now.saturating_since(since));
        }
    }

    #[cold]
    pub(super) fn throttled(&mut self, reason: ThrottleReason) {
        self.rare.throttles[reason as usize] += 1;
    }

    #[inline(never)]
    pub(super) fn environment_created(&mut self, now: SimTime) {
        let rare = &mut *self.rare;
        rare.environments.increment(now);
        rare.environments_created += u64::from(now >= rare.from);
    }

    #[inline(never)]
    pub(super) fn environment_ended(&mut self, at: SimTime) {
        let rare = &mut *self.rare;
        rare.environments.decrement(at);
        rare.environments_ended += u64::from(at >= rare.from);
    }

    #[cold]
    pub(super) fn environment_reset(&mut self, now: SimTime) {
        self.rare.environments_reset += u64::from(now >= self.rare.from);
    }

    fn provisioned(&mut self) -> &mut ProvisionedStats {
        let (from, schedule) = (self.rare.from, self.rare.schedule);
        self.provisioned.get_or_insert_with(|| Box::new(ProvisionedStats::new(from, schedule)))
    }

    #[cold]
    pub(super) fn provisioned_requested(&mut self, now: SimTime, units: u32) {
        let (from, schedule) = (self.rare.from, self.rare.schedule);
        let provisioned = self.provisioned.get_or_insert_with(|| Box::new(ProvisionedStats::new(from, schedule)));
        provisioned.standing.request(now, units, |paid| self.bill.stood(paid));
    }

    #[cold]
    pub(super) fn provisioned_allocated(&mut self, now: SimTime, units: u32) {
        self.provisioned().allocate(now, units);
    }

    /// INV-$5: the Init of a provisioned environment is billed, even if it never serves.
    #[cold]
    pub(super) fn provisioned_initialized(&mut self, now: SimTime, init: SimDuration) {
        if now >= self.rare.from {
            let billed_ms = init.as_millis_ceil();
            self.bill.run(now, billed_ms, Capacity::Provisioned);
        }
    }

    #[cold]
    pub(super) fn provisioned_failed(&mut self, now: SimTime) {
        let measured = now >= self.rare.from;
        self.provisioned().failed += u64::from(measured);
    }

    /// What it comes to when the run ends at `ended`, and what is to be paid.
    pub(super) fn summary(&mut self, name: &str, limits: Limits, ended: SimTime) -> (FunctionSummary, Usage) {
        self.provisioned_end(ended);
        let provisioned = self.provisioned.as_deref_mut();
        let (invocations, spillover, failed) =
            provisioned.as_ref().map_or((0, 0, 0), |p| (p.invocations, p.spillover, p.failed));
        let from = self.rare.from;
        let (executions, utilization, allocated) =
            provisioned.map_or_else(|| provisioned::none(from, ended), |provisioned| provisioned.figures(ended));
        let keeps = self.rare.keeps;
        let asynchronous = match &mut self.asynchronous {
            Some(asynchronous) => asynchronous.summary(),
            None => AsynchronousStats::new(keeps).summary(),
        };
        let rare = &mut *self.rare;
        let reasons = ThrottleReason::ALL.into_iter().zip(rare.throttles);
        let (duration_ms, duration_curve) = self.duration.report();
        let (init_ms, init_curve) = rare.init.report();
        let summary = FunctionSummary {
            name: name.to_owned(),
            invocations: self.invocations,
            errors: rare.errors,
            timeouts: rare.timeouts,
            throttles: rare.throttles.iter().sum(),
            throttles_by_reason: reasons
                .filter(|&(_, count)| count > 0)
                .map(|(reason, count)| (reason.as_str().to_owned(), count))
                .collect(),
            cold_starts: self.cold_starts,
            duration_ms,
            init_ms,
            concurrent_executions: self.running.figures(ended),
            environments: Environments {
                created: rare.environments_created,
                expired: rare.environments_ended,
                reset: rare.environments_reset,
                alive: rare.environments.figures(ended),
            },
            billed_ms: self.bill.milliseconds(),
            provisioned_concurrency_invocations: invocations,
            provisioned_concurrency_spillover_invocations: spillover,
            provisioned_concurrency_utilization: utilization,
            provisioned_concurrent_executions: executions,
            provisioned_concurrency_allocated: allocated,
            suppressed_inits: rare.suppressed_inits,
            init_failures: rare.init_failures + failed,
            abandoned_runs: rare.abandoned_runs,
            abandoned_ms: rare.abandoned_ns as f64 / 1e6,
            asynchronous,
            duration_curve,
            init_curve,
            limits,
        };
        (summary, self.bill.usage(self.invocations))
    }

    /// What a time series says.
    pub(super) fn series(&mut self, to: &mut Recorder) {
        let rare = &mut *self.rare;
        rare.schedule = to.schedule().or(rare.schedule);
        let provisioned = self.provisioned.as_deref();
        for (key, total) in [
            ("invocations", self.invocations),
            ("errors", rare.errors),
            ("timeouts", rare.timeouts),
            ("throttles", rare.throttles.iter().sum()),
            ("cold_starts", self.cold_starts),
            ("billed_ms", self.bill.milliseconds()),
            ("suppressed_inits", rare.suppressed_inits),
            ("init_failures", rare.init_failures + provisioned.map_or(0, |provisioned| provisioned.failed)),
            ("abandoned_runs", rare.abandoned_runs),
            ("environments.created", rare.environments_created),
            ("environments.expired", rare.environments_ended),
            ("environments.reset", rare.environments_reset),
            ("provisioned_concurrency_invocations", provisioned.map_or(0, |provisioned| provisioned.invocations)),
            (
                "provisioned_concurrency_spillover_invocations",
                provisioned.map_or(0, |provisioned| provisioned.spillover),
            ),
        ] {
            to.count(key, total);
        }
        to.counts("throttles_by_reason", ThrottleReason::ALL.iter().map(|reason| reason.as_str()).zip(rare.throttles));
        to.lengths("duration_ms", Some(&mut self.duration));
        to.lengths("init_ms", Some(&mut rare.init));
        to.gauge("concurrent_executions", &mut self.running);
        to.gauge("environments.alive", &mut rare.environments);
        provisioned::series(self.provisioned.as_deref_mut(), to);
        asynchronous::series(self.asynchronous.as_deref_mut(), to);
    }

    /// The end of the run ends what is paid for by time.
    fn provisioned_end(&mut self, ended: SimTime) {
        if self.provisioned.is_some() {
            self.provisioned_requested(ended, 0);
        }
    }

    /// Everything that ran, the warm-up included.
    pub(super) fn flow(&self) -> Flow {
        let entered = self.invocations + self.started_before;
        let out = self.duration.count() + self.ended_before;
        Flow::new(entered, out, u64::from(self.running.level()))
    }

    /// Every event that was accepted, the warm-up's included.
    pub(super) fn flow_of_events(&self) -> Flow {
        self.asynchronous.as_ref().map_or(Flow::new(0, 0, 0), |asynchronous| asynchronous.flow())
    }
}

impl Rare {
    /// A run had an Init phase; returns what of it is billed (INV-E19, INV-E3, INV-D14).
    #[cold]
    #[inline(never)]
    fn initialized(&mut self, init: InitPhase, prices: PriceOptions) -> SimDuration {
        self.init.record(init.length);
        self.init_failures += u64::from(init.failed);
        let billed = prices.init_billed && (prices.failed_init_billed || !init.failed);
        if billed { init.length } else { SimDuration::ZERO }
    }

    /// Init ran inside the invocation, as part of its duration (INV-E3, E4, E6).
    #[cold]
    #[inline(never)]
    fn initialized_again(&mut self, init: InitPhase) {
        self.suppressed_inits += 1;
        self.init_failures += u64::from(init.failed);
    }

    #[inline(never)]
    fn failed(&mut self, outcome: RunOutcome) {
        self.errors += 1;
        self.timeouts += u64::from(outcome == RunOutcome::Timeout);
    }

    #[inline(never)]
    fn abandoned(&mut self, length: SimDuration) {
        self.abandoned_runs += 1;
        self.abandoned_ns += u128::from(length.as_nanos());
    }
}
