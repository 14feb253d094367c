//! Scenarios and facts for tests.

use crate::aws::config::{
    Account, Architecture, Backoff, Budget, Caller, Client, Function, Jitter, Load, ProvisionedConcurrency, RetryOn,
    Scaling, System, WarmSelection,
};
use crate::aws::fact::{Answer, Capacity, Fact, InitPhase, Observer, Origin, Outcome, RunOutcome};
use crate::aws::ids::{CallerId, FunctionId, Id, Table};
use crate::kernel::arrival::ArrivalProcess;
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::{Drain, PriceOptions, Scenario};

/// The moment `milliseconds` after the start.
pub(crate) fn ms(milliseconds: u64) -> SimTime {
    SimTime::ZERO.plus(SimDuration::from_millis(milliseconds))
}

/// A scenario of one hour with these functions, each with a caller of its own name and `-caller`.
pub(crate) fn scenario(functions: &[&str]) -> Scenario {
    let caller = |(name, function): (&&str, FunctionId)| Caller {
        name: format!("{name}-caller"),
        order: 0,
        target: function,
        load: Load::Open(ArrivalProcess::Never),
        max_events: None,
        client: client(),
        payload_bytes: Distribution::Constant(1_000),
        durations: None,
    };
    let table: Table<FunctionId, Function> = functions.iter().map(|name| function(name)).collect();
    let callers = functions.iter().zip(table.ids()).map(caller).collect();
    Scenario {
        name: "test".to_owned(),
        description: None,
        sha256: "0".repeat(64),
        overrides: Vec::new(),
        seed: 1,
        duration: ms(3_600_000),
        warmup: SimTime::ZERO,
        drain: Drain::Settle,
        event_budget: 10_000_000_000,
        prices: PriceOptions {
            free_tier: false,
            savings_plan: Ratio::ZERO,
            init_billed: true,
            failed_init_billed: true,
        },
        system: System { account: account(), functions: table, callers, faults: Vec::new(), changes: Vec::new() },
        expectations: Vec::new(),
    }
}

fn account() -> Account {
    Account {
        concurrency_limit: 1_000,
        scaling: Scaling::Off,
        request_rate_limit: false,
        request_rate_bucket: SimDuration::from_secs(1),
        caller_rate_limit: None,
    }
}

pub(crate) fn function(name: &str) -> Function {
    Function {
        name: name.to_owned(),
        order: 0,
        memory_mb: 1_024,
        architecture: Architecture::X86_64,
        ephemeral_storage_mb: 512,
        timeout: SimDuration::from_secs(3),
        duration: Distribution::Constant(100_000_000),
        init: Distribution::Constant(0),
        init_limit: SimDuration::from_secs(10),
        init_failures: Vec::new(),
        platform_start: Distribution::Constant(0),
        snapstart: None,
        idle_timeout: Distribution::Constant(600_000_000_000),
        maximum_environment_age: None,
        warm_selection: WarmSelection::Mru,
        extension_tail: SimDuration::ZERO,
        cpu_scaling: false,
        reserved_concurrency: None,
        provisioned_concurrency: ProvisionedConcurrency {
            initial: 0,
            schedule: Vec::new(),
            tracking: None,
            preparation: SimDuration::from_secs(60),
            per_minute: 6_000,
        },
        failures: Vec::new(),
        response_bytes: Distribution::Constant(1_000),
    }
}

fn client() -> Client {
    let backoff = Backoff { base: SimDuration::from_secs(1), factor: 2.0, cap: None, jitter: Jitter::None };
    Client {
        max_attempts: 1,
        backoff,
        throttle_backoff: backoff,
        budget: Budget::None,
        adaptive: false,
        retry_on: RetryOn { throttle: true, service_error: true, timeout: true, function_error: false },
        timeout: None,
        total_timeout: None,
        circuit_breaker: None,
    }
}

/// The first function, which is called by the first caller.
pub(crate) fn first() -> FunctionId {
    FunctionId::from_index(0)
}

/// A submission of the `caller`-th caller.
pub(crate) fn origin(caller: usize, submission: u64, submitted: SimTime) -> Origin {
    Origin { caller: CallerId::from_index(caller), submission, submitted }
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
