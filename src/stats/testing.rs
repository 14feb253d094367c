//! Scenarios and facts for tests.

use std::fmt::Write as _;
use std::path::Path;

use crate::aws::config::Function;
use crate::aws::fact::{Answer, Capacity, Fact, InitPhase, Observer, Origin, Outcome, RunOutcome};
use crate::aws::ids::{CallerId, FunctionId, Id};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::{self, Scenario};

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
