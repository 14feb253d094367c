//! Random state machines: every execution ends once, every task gets one answer, retries and their waits are those of a
//! retrier, and the numbers of the summary are those of the facts (INV-4.5).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lambdasim::aws::config::{ErrorName, Jitter, State, StateKind, StateMachine};
use lambdasim::aws::fact::{Answer, ExecutionFact, ExecutionStatus, Fact, Origin, TransitionCause};
use lambdasim::aws::ids::{Id, StateNameId};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::scenario::Scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::common::{Facts, number, same, summary};

type Text = BoxedStrategy<String>;

fn one_of(texts: &'static [&'static str]) -> Text {
    proptest::sample::select(texts).prop_map(str::to_owned).boxed()
}

/// `retry` and `catch` of a state that may fail; `Z` is caught by the last state of its flow.
fn handlers() -> Text {
    let retry = one_of(&[
        "",
        "",
        "retry: sfn_studio, ",
        "retry: sfn_classic, ",
        "retry: [{ errors: [States.ALL], interval: 100ms, max_attempts: 2 }], ",
        "retry: [{ errors: [A], max_attempts: 5, max_delay: 2s }, { errors: [States.Timeout, B], interval: 500ms, jitter: full }], ",
        "retry: [{ errors: [A, B], interval: 50ms, max_attempts: 1 }, { errors: [States.TaskFailed], backoff_rate: 1 }], ",
        "retry: [{ errors: [States.BranchFailed, States.ExceedToleratedFailureThreshold], max_attempts: 1 }], ",
    ]);
    let catch = one_of(&[
        "",
        "",
        "catch: [{ errors: [States.ALL], next: z }], ",
        "catch: [{ errors: [A], next: z }, { errors: [States.TaskFailed], next: z }], ",
        "catch: [{ errors: [States.ALL], next: a }], ",
    ]);
    (retry, catch).prop_map(|(retry, catch)| retry + &catch).boxed()
}

/// A state without its `next`; `inner` are flows that it may hold.
fn kind(inner: Option<Text>) -> Text {
    let task = (one_of(&["f", "g"]), one_of(&["", "timeout: 300ms, ", "timeout: 2s, "]), handlers())
        .prop_map(|(function, timeout, handlers)| format!("task: {function}, {timeout}{handlers}"));
    let plain = one_of(&["wait: 200ms, ", "wait: { exponential: { mean: 1s } }, ", "pass: {}, ", "wait: 0s, "]);
    let Some(inner) = inner else { return prop_oneof![3 => task, 1 => plain].boxed() };
    let parallel = (proptest::collection::vec(inner.clone(), 1..4), handlers())
        .prop_map(|(branches, handlers)| format!("parallel: [{}], {handlers}", branches.join(", ")));
    let map = (
        inner,
        one_of(&["0", "1", "3", "50"]),
        one_of(&["", "max_concurrency: 1, ", "max_concurrency: 4, "]),
        one_of(&["", "mode: distributed, "]),
        handlers(),
    )
        .prop_map(|(item, items, most, mode, handlers)| {
            format!("map: {{ items: {items}, {most}{mode}item: {item} }}, {handlers}")
        });
    prop_oneof![3 => task, 1 => plain, 1 => parallel, 1 => map].boxed()
}

/// Two states and a choice between the end, a failure and another round; `z` is where errors are caught.
fn flow(inner: Option<Text>) -> Text {
    let round = one_of(&["next: z", "next: choose", "end: true"]);
    (kind(inner.clone()), kind(inner), round, one_of(&["60%", "100%"]))
        .prop_map(|(first, second, round, ends)| {
            let choose = if round.contains("choose") {
                format!(
                    ", choose: {{ choice: [{{ probability: {ends}, next: z }}, {{ probability: 0%, next: bad }}, \
                     {{ probability: 0%, next: rest }}], default: rest }}, bad: {{ fail: {{ error: B }} }}, \
                     rest: {{ wait: 1s, next: a }}"
                )
            } else {
                String::new()
            };
            // Everything is reached: `z` by the choice or by the pass.
            let pass = "p: { choice: [{ probability: 0%, next: z }], default: b }";
            format!(
                "{{ start_at: a, states: {{ a: {{ {first}next: p }}, {pass}, b: {{ {second}{round} }}, z: {{ succeed: {{}} }}{choose} }} }}"
            )
        })
        .boxed()
}

/// A scenario with one machine and two callers of it.
fn yaml() -> impl Strategy<Value = String> {
    let item = prop_oneof![1 => one_of(&["f", "g"]), 2 => flow(None)].boxed();
    let inner = prop_oneof![1 => one_of(&["f", "g"]), 2 => flow(Some(item))].boxed();
    let machine = (
        flow(Some(inner)),
        one_of(&[
            "",
            "",
            "timeout: 3s, ",
            "type: express, ",
            "transitions: { rate: 20/s, burst: 10 }, ",
            "timeout: 200ms, ",
        ]),
    );
    let functions = (
        one_of(&["duration: 0s", "duration: 150ms", "duration: { exponential: { mean: 400ms } }, timeout: 1s"]),
        one_of(&["", ", reserved_concurrency: 2", ", reserved_concurrency: 0"]),
        one_of(&[
            "",
            ", failures: [{ probability: 30%, error: A }]",
            ", failures: [{ first_attempts: 1, error: B }, { probability: 5% }]",
            ", failures: [{ probability: 20%, kind: crash }, { probability: 20%, kind: timeout }]",
        ]),
        one_of(&[
            "",
            "faults: [{ function: g, status: 500, probability: 30% }, { function: g, status: 502, probability: 20% }]",
        ]),
    );
    let callers = (
        one_of(&["poisson: 3/s", "burst: { size: 6, every: 2s, times: 3 }", "at: [0s]"]),
        one_of(&[
            "",
            ", client: { timeout: 1s, retry: { max_attempts: 2, base: 0s } }",
            ", client: { total_timeout: 3s }",
        ]),
        0_u32..1_000,
    );
    let changes = one_of(&[
        "",
        "",
        "changes: [{ at: 2s, set: { state_machines.m.timeout: 1s } }]",
        "changes: [{ at: 2s, set: { state_machines.m.states.a: { task: g, retry: sfn_studio, next: p } } }]",
    ]);
    (machine, functions, callers, changes).prop_map(|(machine, functions, callers, changes)| {
        let ((flow, settings), (duration, concurrency, failures, faults), (arrivals, client, seed)) =
            (machine, functions, callers);
        let machine = flow.replacen("{ ", &format!("{{ {settings}"), 1);
        format!(
            "duration: 6s
seed: {seed}
drain: 30s
model: {{ event_budget: 1e6 }}
functions:
  f: {{ {duration}{concurrency} }}
  g: {{ duration: 100ms, timeout: 2s{failures} }}
{faults}
state_machines: {{ m: {machine} }}
callers:
  c: {{ target: m, arrivals: {{ {arrivals} }} }}
  s: {{ target: m, invocation: sync, arrivals: {{ at: [0s, 1s, 1s, 2500ms] }}{client} }}
{changes}"
        )
    })
}

#[test]
fn executions_are_conserved_and_keep_their_rules() {
    let config = Config {
        cases: Config::default().cases.max(300),
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = RefCell::new(BTreeSet::new());
    let rejected = RefCell::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(&yaml(), |text| {
        match crate::common::try_scenario(std::path::Path::new("."), &text, &[]) {
            Ok(scenario) => {
                // What goes round without taking time ends with the budget, and has a test of its own.
                if lambdasim::run::run(&scenario).is_ok() {
                    seen.borrow_mut().extend(check(&scenario));
                    return Ok(());
                }
            }
            Err(problems) => prop_assert!(problems.contains("five minutes"), "unexpected: {problems}"),
        }
        *rejected.borrow_mut() += 1;
        Err(TestCaseError::reject("refused, or without end"))
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    assert!(*rejected.borrow() < 150, "{} of 300 rejected", rejected.borrow());
    let words = [
        "succeeded",
        "failed",
        "timed out",
        "open",
        "retried",
        "caught",
        "stopped",
        "task timed out",
        "item",
        "delayed",
        "throttled",
        "branch failed",
        "answered",
        "given up",
    ];
    let missing: Vec<_> = words.into_iter().filter(|word| !seen.borrow().contains(word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// A submission and a branch of it.
type Which = (usize, u64, u32);

fn which(origin: &Origin) -> Which {
    (origin.caller.index(), origin.submission, origin.branch)
}

/// What is known of one visit of a task.
#[derive(Debug, Default)]
struct Task {
    state: Option<StateNameId>,
    execution: Option<Which>,
    attempts: u32,
    runs: u32,
    /// An attempt is out: when it was sent, and whether it runs.
    open: Option<(SimTime, bool)>,
    /// When it is to be tried again.
    due: Option<SimTime>,
    /// Retries by retrier.
    retries: BTreeMap<u32, u32>,
    failed: Option<ErrorName>,
    over: bool,
}

struct Checker<'a> {
    scenario: &'a Scenario,
    executions: BTreeMap<Which, (SimTime, bool)>,
    tasks: BTreeMap<Which, Task>,
    /// Runs that nobody waits for any more.
    left: BTreeSet<Which>,
    transitions: Vec<SimTime>,
    counts: BTreeMap<&'static str, u64>,
    /// Executions that callers wait for.
    ends: BTreeMap<(usize, u64), (SimTime, ExecutionStatus)>,
    words: BTreeSet<&'static str>,
}

/// All that must hold of a run; what happened.
fn check(scenario: &Scenario) -> BTreeSet<&'static str> {
    let first = summary(scenario);
    assert_eq!(first.to_string(), summary(scenario).to_string(), "two runs differ");
    let facts = Facts::of_scenario(scenario);
    facts.runs();
    let mut checker = Checker {
        scenario,
        executions: BTreeMap::new(),
        tasks: BTreeMap::new(),
        left: BTreeSet::new(),
        transitions: Vec::new(),
        counts: BTreeMap::new(),
        ends: BTreeMap::new(),
        words: BTreeSet::new(),
    };
    for (now, fact) in &facts.list {
        match fact {
            Fact::Execution(execution) => checker.execution(*now, execution),
            fact => checker.other(*now, fact),
        }
    }
    checker.finish(&first);
    checker.words
}

/// A state of the machine, under any of its definitions.
fn states(scenario: &Scenario, name: StateNameId) -> Vec<&State> {
    let changed = scenario.system.changes.iter().filter_map(|change| change.action.state_machine());
    let all: Vec<&StateMachine> =
        scenario.system.state_machines.rows().iter().chain(changed.map(|(_, machine)| machine)).collect();
    all.into_iter().flat_map(|machine| machine.states.rows()).filter(|state| state.name == name).collect()
}

impl Checker<'_> {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        self.words.insert(what);
    }

    /// The task of a fact, which belongs to an execution that is under way.
    fn task(&mut self, origin: &Origin, state: StateNameId) -> &mut Task {
        let task = self.tasks.get_mut(&which(origin)).expect("a task that was submitted");
        assert_eq!(task.state, Some(state), "a branch of two states");
        let execution = self.executions.get(&task.execution.unwrap());
        assert!(execution.is_some_and(|(_, over)| !over), "{origin:?}: its execution is over");
        task
    }

    fn execution(&mut self, now: SimTime, fact: &ExecutionFact) {
        match *fact {
            ExecutionFact::Started { origin, parent, .. } => {
                assert_eq!(parent, None);
                assert!(self.executions.insert(which(&origin), (now, false)).is_none(), "{fact:?} twice");
                self.count("started");
            }
            ExecutionFact::Transition { origin, cause, .. } => {
                assert!(!self.executions[&which(&origin)].1, "{fact:?} after its end");
                self.transitions.push(now);
                self.count(match cause {
                    TransitionCause::Entered => "entered",
                    TransitionCause::Retried(_) => "retried",
                    TransitionCause::ItemStarted => "item",
                });
            }
            ExecutionFact::TransitionDelayed { until, .. } => {
                assert!(until > now, "{fact:?}");
                self.count("delayed");
            }
            ExecutionFact::TaskSubmitted { origin, execution, state, attempt, .. } => {
                let execution = (origin.caller.index(), origin.submission, execution);
                let task = self.tasks.entry(which(&origin)).or_default();
                assert!(task.attempts == 0 || task.execution == Some(execution), "a branch of two executions");
                (task.state, task.execution) = (Some(state), Some(execution));
                assert!(!task.over && task.open.is_none() && attempt == task.attempts + 1, "{fact:?} {task:?}");
                // A retry may wait for its state transition.
                assert!(task.due.is_none_or(|due| due <= now), "{fact:?} before {:?}", task.due);
                (task.attempts, task.open, task.failed) = (attempt, Some((now, false)), None);
            }
            ExecutionFact::TaskSucceeded { origin, state, .. } => {
                let task = self.task(&origin, state);
                assert!(matches!(task.open, Some((_, true))), "{fact:?}");
                (task.open, task.over) = (None, true);
            }
            ExecutionFact::TaskStopped { origin, state, .. } => {
                let task = self.task(&origin, state);
                assert!(matches!(task.open, Some((_, true))), "{fact:?}");
                (task.open, task.over) = (None, true);
                self.left.insert(which(&origin));
                self.words.insert("stopped");
            }
            ExecutionFact::StateFailed { origin, state, error, .. } => self.failed(now, &origin, state, error),
            ExecutionFact::RetryScheduled { origin, state, retrier, retry, due, .. } => {
                self.retried(now, &origin, state, (retrier, retry, due));
            }
            ExecutionFact::Caught { origin, state, .. } => {
                if let Some(task) = self.tasks.get_mut(&which(&origin)).filter(|task| task.state == Some(state)) {
                    assert!(task.failed.is_some() && !task.over);
                    task.over = true;
                }
                self.words.insert("caught");
            }
            ExecutionFact::Ended { origin, status, error, started, .. } => {
                let (began, over) = self.executions.get_mut(&which(&origin)).expect("it began");
                assert!(!*over && *began == started, "{fact:?}");
                *over = true;
                assert_eq!(error.is_none(), status == ExecutionStatus::Succeeded, "{fact:?}");
                self.ends.insert((origin.caller.index(), origin.submission), (now, status));
                self.count(match status {
                    ExecutionStatus::Succeeded => "succeeded",
                    ExecutionStatus::Failed => "failed",
                    ExecutionStatus::TimedOut => "timed out",
                });
                self.ended_in_time(now.since(started), status);
            }
        }
    }

    fn ended_in_time(&self, took: SimDuration, status: ExecutionStatus) {
        let limits = self.scenario.system.state_machines.rows().iter().map(|machine| machine.timeout);
        let changed = self.scenario.system.changes.iter().filter_map(|change| change.action.state_machine());
        let mut limits = limits.chain(changed.map(|(_, machine)| machine.timeout));
        let fits = limits.clone().any(|limit| limit.is_none_or(|limit| took <= limit));
        assert!(fits && (status != ExecutionStatus::TimedOut || limits.any(|limit| limit == Some(took))), "{took}");
    }

    fn failed(&mut self, now: SimTime, origin: &Origin, state: StateNameId, error: ErrorName) {
        let rows = states(self.scenario, state);
        if error == ErrorName::BranchFailed || error == ErrorName::ToleratedFailuresExceeded {
            assert!(rows.iter().any(|row| matches!(row.kind, StateKind::Parallel(_) | StateKind::Map { .. })));
            self.words.insert("branch failed");
        }
        // Before and after a change a state may be of another kind.
        let is_task = self.tasks.get(&which(origin)).is_some_and(|task| task.state == Some(state));
        if !is_task {
            assert!(rows.iter().any(|row| !matches!(row.kind, StateKind::Task(_))), "{error:?} of no task");
            return;
        }
        let limits: Vec<_> = rows.iter().filter_map(|row| row.timeout).collect();
        let task = self.task(origin, state);
        let (sent, runs) = task.open.take().expect("an attempt is out");
        task.failed = Some(error);
        task.due = None;
        let refused =
            matches!(error, ErrorName::TooManyRequests | ErrorName::ServiceException | ErrorName::AwsLambdaException);
        assert_eq!(refused, !runs, "{error:?}");
        assert!(!refused || sent == now);
        if error == ErrorName::StatesTimeout {
            assert!(limits.contains(&now.since(sent)), "{limits:?}");
            self.left.insert(which(origin));
            self.words.insert("task timed out");
        }
    }

    fn retried(&mut self, now: SimTime, origin: &Origin, state: StateNameId, (index, retry, due): (u32, u32, SimTime)) {
        let wait = due.since(now).as_nanos() as f64;
        let fits = |state: &&State| {
            let Some(retrier) = state.retry.get(index as usize) else { return false };
            let backoff = &retrier.backoff;
            let grown = (1..retry).fold(backoff.base.as_nanos() as f64, |wait, _| wait * backoff.factor);
            let longest = backoff.cap.map_or(grown, |cap| grown.min(cap.as_nanos() as f64));
            let fits =
                if backoff.jitter == Jitter::Full { wait <= longest + 1.0 } else { (wait - longest).abs() <= 1.0 };
            fits && retry <= retrier.max_attempts
        };
        assert!(states(self.scenario, state).iter().any(fits), "retry {retry} after {wait} ns");
        if let Some(task) = self.tasks.get_mut(&which(origin)).filter(|task| task.state == Some(state)) {
            let used = task.retries.entry(index).or_default();
            assert_eq!(retry, *used + 1);
            *used = retry;
            let error = task.failed.expect("it failed");
            let means = |state: &&State| {
                let first = state.retry.iter().position(|row| row.errors.iter().any(|name| name.matches(error)));
                first == Some(index as usize)
            };
            assert!(states(self.scenario, state).iter().any(means), "{error:?} by retrier {index}");
            task.due = Some(due);
        }
    }

    fn other(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::RunStarted { origin, run, .. } => {
                let task = self.tasks.get_mut(&which(&origin)).expect("only tasks run");
                assert!(matches!(task.open, Some((sent, false)) if sent == now), "{fact:?} {task:?}");
                task.runs += 1;
                assert_eq!(run, task.runs, "{fact:?}");
                task.open = Some((now, true));
            }
            Fact::RunEnded { origin, abandoned, .. } => {
                assert_eq!(abandoned.is_some(), self.left.contains(&which(&origin)) && abandoned.is_some(), "{fact:?}");
                let waited = self.tasks[&which(&origin)].open.is_some();
                assert!(waited || abandoned.is_some(), "{fact:?}: nobody waits");
            }
            Fact::Throttled { origin, .. } => {
                assert!(matches!(self.tasks[&which(&origin)].open, Some((_, false))), "{fact:?}");
                self.words.insert("throttled");
            }
            Fact::AttemptAnswered { origin, answer, status, .. } => {
                assert_eq!(status, 200);
                if answer != Answer::Accepted {
                    let (at, end) = self.ends[&(origin.caller.index(), origin.submission)];
                    assert_eq!((at, end == ExecutionStatus::Succeeded), (now, answer == Answer::Success));
                    self.words.insert("answered");
                }
            }
            Fact::AttemptTimedOut { .. } => {
                self.words.insert("given up");
            }
            _ => {}
        }
    }

    fn finish(&mut self, summary: &Value) {
        let count = |what: &str| self.counts.get(what).copied().unwrap_or(0) as f64;
        for (path, expected) in [
            ("executions", count("started")),
            ("succeeded", count("succeeded")),
            ("failed", count("failed")),
            ("timed_out", count("timed out")),
            ("transitions", self.transitions.len() as f64),
            ("delayed_transitions", count("delayed")),
            ("retries", count("retried")),
        ] {
            assert!(same(number(summary, &format!("state_machines.m.{path}")), expected), "{path}: {expected}");
        }
        let open = self.executions.values().filter(|(_, over)| !over).count();
        assert!(same(number(summary, "conservation.state_machines.m.left"), open as f64));
        if open > 0 {
            self.words.insert("open");
        }
        let standard = self.scenario.system.state_machines.rows()[0].transitions;
        let Some(limit) = standard else { return };
        // INV-SF11: no stretch of time has more than the bucket and what came back.
        for (first, from) in self.transitions.iter().enumerate().step_by(7) {
            for (place, until) in self.transitions.iter().enumerate().skip(first) {
                let came = limit.rate.per_second_f64() * until.since(*from).as_nanos() as f64 / 1e9;
                assert!((place - first) as f64 <= f64::from(limit.burst) + came + 1e-6, "{first} to {place}");
            }
        }
    }
}
