//! Random small scenarios over the whole language: what must hold in every one of them.
//!
//! The same cases come in every run; `PROPTEST_CASES=5000 cargo test --test it conservation` tries more.

mod asynchronous;
mod calls;
mod executions;
mod fair;
mod fronts;
mod generate;
mod places;
mod queues;
mod streams;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lambdasim::aws::config::{ChangeAction, Function};
use lambdasim::aws::fact::{Answer, Capacity, Fact, Origin};
use lambdasim::aws::ids::{FunctionId, Id};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::run;
use lambdasim::scenario::{Drain, Scenario};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::common::{Facts, number, same, scenario};
use generate::{Yaml, yaml};

#[test]
fn every_scenario_keeps_its_promises() {
    let config = Config {
        cases: Config::default().cases.max(400),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        max_global_rejects: u32::MAX,
        ..Config::default()
    };
    // The same cases in every run: a failure that others cannot repeat helps nobody.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let seen = RefCell::new(BTreeSet::new());
    let result = runner.run(&yaml(), |Yaml(text)| {
        // Combinations that AWS refuses are somebody else's business.
        let read = crate::common::try_scenario(std::path::Path::new("."), &text, &[]);
        if let Err(problems) = &read {
            let refused = problems.contains("INV-") || problems.contains("shorter than `timeout`");
            prop_assert!(refused, "unexpected: {problems}");
            return Err(TestCaseError::reject("refused"));
        }
        seen.borrow_mut().extend(check_scenario(&text));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let missing: Vec<_> = asynchronous::WORDS.iter().filter(|word| !seen.borrow().contains(**word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// The rejected share of the cases would hide a generator that makes nothing but nonsense.
#[test]
fn most_random_scenarios_are_accepted() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let accepted = (0..200)
        .filter(|_| {
            let Yaml(text) = yaml().new_tree(&mut runner).unwrap().current();
            crate::common::try_scenario(std::path::Path::new("."), &text, &[]).is_ok()
        })
        .count();
    assert!(accepted >= 100, "{accepted} of 200");
}

/// All that must hold of a scenario's run; what happened to its events.
fn check_scenario(text: &str) -> BTreeSet<&'static str> {
    let scenario = scenario(text);
    let first = run::run(&scenario).unwrap_or_else(|stopped| panic!("{stopped:?}")).to_json();
    let second = run::run(&scenario).unwrap_or_else(|stopped| panic!("{stopped:?}")).to_json();
    assert_eq!(first.to_string(), second.to_string(), "two runs differ");
    let facts = Facts::of_scenario(&scenario);
    facts.runs();
    Checker::new(&scenario).check(&facts);
    asynchronous::check(&scenario, &facts, &first);
    check_summary(&scenario, &first, &facts);
    asynchronous::words(&facts)
}

/// What is known of a call from its facts.
#[derive(Default)]
struct CallState {
    submitted: Option<SimTime>,
    attempts: u32,
    /// An attempt is out and has no answer.
    open: bool,
    runs: u32,
    finished: bool,
}

/// What is known of a function from its facts.
struct FunctionState {
    in_flight: u32,
    provisioned: u32,
    units: u32,
    started: u64,
    ended: u64,
    /// The last moment at which an environment came or went.
    environments: SimTime,
}

impl Default for FunctionState {
    fn default() -> Self {
        let environments = SimTime::ZERO;
        Self { in_flight: 0, provisioned: 0, units: 0, started: 0, ended: 0, environments }
    }
}

struct Checker<'a> {
    scenario: &'a Scenario,
    now: SimTime,
    calls: BTreeMap<(usize, u64), CallState>,
    /// Submissions that were accepted as events: from there on, runs and throttles are theirs.
    accepted: BTreeSet<(usize, u64)>,
    functions: Vec<FunctionState>,
    /// Environments that live, and when their last run ended.
    environments: BTreeMap<u64, SimTime>,
    allocated: u32,
    unreserved: u32,
}

impl<'a> Checker<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            now: SimTime::ZERO,
            calls: BTreeMap::new(),
            accepted: BTreeSet::new(),
            functions: scenario.system.functions.rows().iter().map(|_| FunctionState::default()).collect(),
            environments: BTreeMap::new(),
            allocated: 0,
            unreserved: 0,
        }
    }

    /// Settings of a function at a moment: a change applies before anything else of its instant.
    fn settings(&self, function: FunctionId, at: SimTime) -> &Function {
        let mut changes: Vec<_> = self.scenario.system.changes.iter().filter(|change| change.at <= at).collect();
        changes.sort_by_key(|change| change.at);
        let last = changes.into_iter().rev().find_map(|change| match &change.action {
            ChangeAction::Function(id, settings) if *id == function => Some(&**settings),
            _ => None,
        });
        last.unwrap_or(&self.scenario.system.functions[function])
    }

    fn limit(&self, at: SimTime) -> u32 {
        let mut changes: Vec<_> = self.scenario.system.changes.iter().filter(|change| change.at <= at).collect();
        changes.sort_by_key(|change| change.at);
        let last = changes.into_iter().rev().find_map(|change| match &change.action {
            ChangeAction::Account(account) => Some(account.concurrency_limit),
            _ => None,
        });
        last.unwrap_or(self.scenario.system.account.concurrency_limit)
    }

    fn call(&mut self, origin: &Origin) -> &mut CallState {
        let call = self.calls.entry((origin.caller.index(), origin.submission)).or_default();
        assert_eq!(call.submitted, Some(origin.submitted), "{origin:?} was submitted at another time");
        call
    }

    fn is_event(&self, origin: &Origin) -> bool {
        self.accepted.contains(&(origin.caller.index(), origin.submission))
    }

    fn check(mut self, facts: &Facts) {
        for (now, fact) in &facts.list {
            assert!(*now >= self.now, "time ran back from {:?} to {now:?}", self.now);
            self.now = *now;
            self.call_fact(fact);
            self.lambda_fact(fact);
        }
        assert!(self.now <= facts.ended, "a fact after the end");
        for ((caller, submission), call) in &self.calls {
            let settled = self.scenario.drain != Drain::Settle || call.finished;
            assert!(settled, "call {submission} of caller {caller} never ended");
        }
        for function in &self.functions {
            assert_eq!(function.started, function.ended + u64::from(function.in_flight));
            assert!(self.scenario.drain != Drain::Settle || function.in_flight == 0, "a run never ended");
        }
        let end = self.scenario.duration;
        match self.scenario.drain {
            Drain::Settle => assert!(facts.ended >= end),
            Drain::AtMost(drain) => assert!(facts.ended >= end && facts.ended <= end.plus(drain)),
        }
    }

    /// Environments of a function come and go in order of time, though an end is noticed late.
    fn environment_moves(&mut self, function: FunctionId, at: SimTime, fact: &Fact) {
        let last = &mut self.functions[function.index()].environments;
        assert!(at >= *last, "{fact:?} after {last:?}");
        *last = at;
    }

    fn call_fact(&mut self, fact: &Fact) {
        let (now, until) = (self.now, self.scenario.duration);
        match *fact {
            Fact::CallSubmitted { origin } => {
                assert!(now < until && origin.submitted == now);
                let key = (origin.caller.index(), origin.submission);
                assert!(origin.submission == 1 || self.calls.contains_key(&(key.0, key.1 - 1)));
                let call = CallState { submitted: Some(now), ..CallState::default() };
                assert!(self.calls.insert(key, call).is_none(), "{origin:?} twice");
            }
            Fact::AttemptSent { origin, attempt } => {
                let call = self.call(&origin);
                assert!(!call.finished && !call.open && attempt == call.attempts + 1, "{fact:?}");
                (call.attempts, call.open) = (attempt, true);
            }
            Fact::AttemptAnswered { origin, attempt, answer, status } => {
                let call = self.call(&origin);
                assert!(!call.finished && call.open && attempt == call.attempts, "{fact:?}");
                call.open = false;
                let fits = match answer {
                    Answer::Success | Answer::FunctionError => status == 200,
                    Answer::Accepted => status == 202,
                    Answer::Throttled => status == 429,
                    Answer::ServiceError => status >= 500 || status == 408,
                    Answer::Rejected => status == 413,
                };
                assert!(fits, "{fact:?}");
            }
            Fact::AttemptTimedOut { origin, attempt } => {
                let call = self.call(&origin);
                assert!(!call.finished && call.open && attempt == call.attempts, "{fact:?}");
                call.open = false;
            }
            Fact::RetryScheduled { origin, attempt, due } => {
                let call = self.call(&origin);
                assert!(!call.finished && !call.open && attempt == call.attempts + 1 && due >= now, "{fact:?}");
            }
            Fact::CallFinished { origin, attempts, runs, .. } => {
                let call = self.call(&origin);
                assert!(!call.finished && !call.open && attempts == call.attempts && runs == call.runs, "{fact:?}");
                call.finished = true;
            }
            Fact::RetryQuotaExhausted { origin } | Fact::CircuitOpen { origin } => {
                assert!(!self.call(&origin).finished, "{fact:?}");
            }
            _ => {}
        }
    }

    fn run_started(&mut self, fact: &Fact) {
        let now = self.now;
        let Fact::RunStarted { origin, function, run, environment, capacity, .. } = *fact else { return };
        if !self.is_event(&origin) {
            let call = self.call(&origin);
            call.runs += 1;
            assert!(!call.finished && call.open && run == call.runs, "{fact:?}");
        }
        let idle_since = self.environments.get(&environment).copied();
        assert!(idle_since.is_some_and(|since| since <= now), "{fact:?} on an environment that is gone or busy");
        self.environments.insert(environment, SimTime::MAX);
        let reserved = self.settings(function, now).reserved_concurrency;
        let state = &mut self.functions[function.index()];
        state.in_flight += 1;
        state.started += 1;
        assert!(reserved.is_none_or(|reserved| state.in_flight <= reserved), "{fact:?} beyond {reserved:?}");
        let is_unreserved = matches!(capacity, Capacity::Unreserved | Capacity::Spillover);
        assert!(capacity == Capacity::Provisioned || is_unreserved == reserved.is_none(), "{fact:?}");
        if capacity == Capacity::Provisioned {
            state.provisioned += 1;
            assert!(state.provisioned <= state.units, "{fact:?} with {} units", state.units);
        }
        if is_unreserved {
            self.unreserved += 1;
            let room = self.limit(now).saturating_sub(self.allocated);
            assert!(self.unreserved <= room, "{fact:?}: {} in flight, {room} allowed", self.unreserved);
        }
    }

    fn lambda_fact(&mut self, fact: &Fact) {
        let now = self.now;
        match *fact {
            Fact::RunStarted { .. } => self.run_started(fact),
            Fact::RunEnded { origin, function, environment, started, duration, init, capacity, abandoned, .. } => {
                assert_eq!(self.environments.insert(environment, now), Some(SimTime::MAX), "{fact:?} on an idle one");
                let timeout = self.settings(function, started).timeout;
                assert!(duration <= timeout, "{fact:?}: longer than {timeout}");
                let init = init.map_or(SimDuration::ZERO, |init| init.length);
                assert!(now >= started.plus(init).plus(duration), "{fact:?} is too short");
                assert!(abandoned.is_none_or(|at| at >= started && at <= now) && started >= origin.submitted);
                let state = &mut self.functions[function.index()];
                state.in_flight -= 1;
                state.ended += 1;
                state.provisioned -= u32::from(capacity == Capacity::Provisioned);
                self.unreserved -= u32::from(matches!(capacity, Capacity::Unreserved | Capacity::Spillover));
            }
            Fact::Throttled { origin, .. } => {
                let is_event = self.is_event(&origin);
                let call = self.call(&origin);
                assert!(is_event || !call.finished && call.open, "{fact:?}");
            }
            Fact::EventAccepted { origin, parent: None, .. } => {
                let call = self.call(&origin);
                assert!(!call.finished && call.open && call.runs == 0, "{fact:?}");
                self.accepted.insert((origin.caller.index(), origin.submission));
            }
            Fact::EnvironmentCreated { function, environment } => {
                self.environment_moves(function, now, fact);
                assert!(self.environments.insert(environment, now).is_none(), "{fact:?} twice");
            }
            Fact::EnvironmentEnded { function, environment, at } => {
                self.environment_moves(function, at, fact);
                let since = self.environments.remove(&environment);
                assert!(since.is_some_and(|since| since <= at) && at <= now, "{fact:?}, idle since {since:?}");
            }
            Fact::EnvironmentReset { environment, .. } => {
                assert!(self.environments.contains_key(&environment), "{fact:?}");
            }
            Fact::ProvisionedAllocated { function, units } => self.functions[function.index()].units = units,
            Fact::AccountAllocated { units, unreserved_in_flight } => {
                (self.allocated, self.unreserved) = (units, unreserved_in_flight);
                let in_flight: u32 = self.functions.iter().map(|state| state.in_flight - state.provisioned).sum();
                assert!(unreserved_in_flight <= in_flight, "{fact:?}: {in_flight} on demand");
            }
            _ => {}
        }
    }
}

/// What must hold between the numbers of a summary.
fn check_summary(scenario: &Scenario, summary: &Value, facts: &Facts) {
    assert_eq!(summary["conservation"]["holds"], Value::Bool(true), "{}", summary["conservation"]);
    check_figures("", summary);
    for (name, caller) in summary["callers"].as_object().unwrap() {
        let get = |path: &str| number(caller, path);
        assert!(same(get("submitted"), get("succeeded") + get("failed") + get("unfinished")), "{name}: {caller}");
        let outcomes: f64 = caller["outcomes"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
        assert!(
            same(outcomes, get("succeeded") + get("failed")) && same(outcomes, get("latency_ms.count")),
            "{name}: {caller}"
        );
        let first = get("attempts") - get("retries");
        assert!(
            first <= get("submitted") && (first >= get("submitted") || may_not_send(scenario, name)),
            "{name}: {caller}"
        );
        let answers: f64 = caller["status_codes"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
        let closed = answers + get("client_timeouts");
        assert!(
            closed <= get("attempts") && (get("unfinished") > 0.0 || same(closed, get("attempts"))),
            "{name}: {caller}"
        );
        if scenario.drain == Drain::Settle {
            assert!(same(get("unfinished"), 0.0), "{name}: {caller}");
        }
    }
    for (name, function) in summary["functions"].as_object().unwrap() {
        let get = |path: &str| number(function, path);
        let reasons: f64 =
            function["throttles_by_reason"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
        assert!(same(reasons, get("throttles")), "{name}: {function}");
        assert!(get("timeouts") <= get("errors") && get("errors") <= get("duration_ms.count"), "{name}: {function}");
        assert!(get("duration_ms.count") <= get("invocations") && get("cold_starts") <= get("invocations"), "{name}");
        let provisioned =
            get("provisioned_concurrency_invocations") + get("provisioned_concurrency_spillover_invocations");
        assert!(provisioned <= get("invocations") && get("billed_ms") >= 0.0, "{name}: {function}");
        assert!(get("abandoned_runs") <= get("invocations"), "{name}: {function}");
    }
    let groups = summary["cost"].as_object().unwrap().values().filter_map(Value::as_object);
    let total: f64 = groups.flat_map(|group| group.values()).map(|cost| number(cost, "total_usd")).sum();
    assert!((total - number(summary, "cost.total_usd")).abs() < 1e-9, "{}", summary["cost"]);
    if scenario.warmup == SimTime::ZERO {
        let counted = facts.pick(|_, fact| matches!(fact, Fact::RunStarted { .. }).then_some(())).len() as f64;
        let shown: f64 =
            summary["functions"].as_object().unwrap().values().map(|function| number(function, "invocations")).sum();
        assert!(same(counted, shown), "{counted} runs, {shown} invocations");
    }
}

/// Whether a call of this caller may end before its first attempt is sent, or be cut there.
fn may_not_send(scenario: &Scenario, name: &str) -> bool {
    let (id, caller) = scenario.system.callers.iter().find(|(_, caller)| caller.name == name).unwrap();
    let holds_back = |client: &lambdasim::aws::config::Client| client.adaptive || client.circuit_breaker.is_some();
    holds_back(&caller.client)
        || scenario.system.changes.iter().any(|change| match &change.action {
            ChangeAction::Client(changed, client) => *changed == id && holds_back(client),
            _ => false,
        })
}

/// Every distribution and gauge: complete where there is data, and in order.
fn check_figures(path: &str, value: &Value) {
    let Value::Object(fields) = value else {
        assert!(value.as_f64().is_none_or(f64::is_finite), "{path}: {value}");
        return;
    };
    let keys: Vec<&str> = fields.keys().map(String::as_str).collect();
    let figure = |key: &str| fields[key].as_f64().unwrap_or_else(|| panic!("{path}.{key}: {value}"));
    // Shares of units are kept in millionths.
    let slack = if path.ends_with("utilization") { 1e-6 } else { 1e-9 };
    let rises = |keys: &[&str]| keys.windows(2).all(|pair| figure(pair[0]) <= figure(pair[1]) + slack);
    if keys == ["count", "mean", "min", "p50", "p90", "p95", "p99", "p999", "max"] {
        if fields["count"] == 0 {
            assert!(keys[1..].iter().all(|key| fields[*key].is_null()), "{path}: {value}");
        } else {
            assert!(rises(&["min", "p50", "p90", "p95", "p99", "p999", "max"]), "{path}: {value}");
            assert!(rises(&["min", "mean", "max"]), "{path}: {value}");
        }
    } else if keys == ["mean", "p95", "p99", "max", "last"] {
        // Utilization exists only while there are executions.
        if !(path.ends_with("utilization") && fields["max"].is_null()) {
            let last_missing = fields["last"].is_null() && path.ends_with("utilization");
            let mean_missing = fields["mean"].is_null() && path.ends_with("utilization");
            assert!(mean_missing || rises(&["mean", "max"]) && rises(&["p95", "p99", "max"]), "{path}: {value}");
            assert!(last_missing || rises(&["last", "max"]), "{path}: {value}");
        }
    } else {
        for (key, inner) in fields {
            check_figures(&format!("{path}.{key}"), inner);
        }
    }
}
