//! Random small scenarios over the whole language: what must hold in every one of them.
//!
//! The same cases come in every run; `PROPTEST_CASES=5000 cargo test --test it conservation` tries more.

use std::collections::BTreeMap;
use std::fmt;

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

/// A scenario's text; printed as it is when a case fails.
#[derive(Clone)]
struct Yaml(String);

impl fmt::Debug for Yaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.0)
    }
}

type Text = BoxedStrategy<String>;

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> Text {
    prop::sample::select(texts).prop_map(str::to_owned).boxed()
}

/// `key: value, ` or, half of the time, nothing.
fn maybe(key: &'static str, value: impl Strategy<Value = String> + 'static) -> Text {
    prop::option::of(value).prop_map(move |value| value.map_or(String::new(), |v| format!("{key}: {v}, "))).boxed()
}

/// `key: value, `.
fn always(key: &'static str, value: impl Strategy<Value = String> + 'static) -> Text {
    value.prop_map(move |value| format!("{key}: {value}, ")).boxed()
}

/// A block of these keys.
fn block(keys: Vec<Text>) -> Text {
    keys.prop_map(|keys| format!("{{ {} }}", keys.concat().trim_end_matches(", "))).boxed()
}

fn list(item: impl Strategy<Value = String> + 'static, most: usize) -> Text {
    prop::collection::vec(item, 0..=most).prop_map(|items| format!("[{}]", items.join(", "))).boxed()
}

/// A time around `ms` milliseconds, by one of the laws.
fn time(ms: u32) -> Text {
    (0..9_u32, 1..=4_u32)
        .prop_map(move |(law, quarter)| {
            let t = ms * quarter / 4 + 1;
            match law {
                0 | 1 => format!("{t}ms"),
                2 => format!("{{ exponential: {{ mean: {t}ms }} }}"),
                3 => format!("{{ uniform: {{ min: 0s, max: {}ms }} }}", 2 * t),
                4 => format!("{{ lognormal: {{ median: {t}ms, p99: {}ms }} }}", 6 * t),
                5 => format!("{{ gamma: {{ mean: {t}ms, cv: 1.5 }} }}"),
                6 => format!("{{ weibull: {{ scale: {t}ms, shape: 0.8 }} }}"),
                7 => format!("{{ quantiles: {{ p0: 0s, p50: {t}ms, p100: {}ms }} }}", 5 * t),
                _ => format!("{{ mixture: [{{ weight: 90%, of: {t}ms }}, {{ weight: 10%, of: {}ms }}] }}", 8 * t),
            }
        })
        .boxed()
}

fn failure() -> Text {
    let condition = prop_oneof![
        3 => one_of(&["probability: 5%", "probability: 40%", "probability: 100%"]),
        1 => one_of(&["poison: 10%", "first_attempts: 1", "first_attempts: 2", "attempts: [1, 3]"]),
        1 => one_of(&["events: [1, 4, 9]", "events: [c0#3]", "above_concurrency: 3"]),
    ];
    let window = one_of(&["", "", "from: 3s, ", "until: 12s, ", "from: 5s, until: 9s, "]);
    let kind =
        one_of(&["", "kind: error, ", "kind: timeout, ", "kind: crash, ", "after: 30%, ", "kind: crash, after: 0%, "]);
    (condition, window, kind)
        .prop_map(|(condition, window, kind)| {
            format!("{{ {condition}, {window}{kind} }}").replace(",  }", " }").replace(", }", " }")
        })
        .boxed()
}

/// Reserved and provisioned concurrency that go together, or `SnapStart`.
fn capacity() -> Text {
    let schedule = |units: u32| {
        format!("{{ initial: {units}, preparation: 2s, schedule: [{{ at: 4s, to: 2 }}, {{ at: 11s, to: 4 }}] }}")
    };
    let tracking = |units: u32| {
        format!(
            "{{ initial: {units}, min: 1, max: 5, target_utilization: 50%, preparation: 1s, scale_out_datapoints: 1, scale_in_datapoints: 1 }}"
        )
    };
    prop_oneof![
        3 => Just(String::new()),
        2 => (0..12_u32).prop_map(|units| format!("reserved_concurrency: {units}, ")),
        1 => (1..5_u32).prop_map(|units| format!("provisioned_concurrency: {units}, ")),
        1 => (0..5_u32).prop_map(move |units| format!("provisioned_concurrency: {}, ", schedule(units))),
        1 => (1..5_u32).prop_map(move |units| format!("provisioned_concurrency: {}, ", tracking(units))),
        1 => (0..5_u32, 5..9_u32).prop_map(move |(units, reserved)| {
            format!("provisioned_concurrency: {}, reserved_concurrency: {reserved}, ", schedule(units))
        }),
        1 => one_of(&["snapstart: { restore: 300ms }, ", "snapstart: { restore: { uniform: { min: 0s, max: 12s } } }, "]),
    ]
    .boxed()
}

fn function() -> Text {
    block(vec![
        always("duration", prop_oneof![time(40), time(400), time(3_000), Just("0s".to_owned())]),
        maybe("timeout", one_of(&["1s", "3s", "30s"])),
        maybe("init", prop_oneof![4 => time(300), 1 => one_of(&["10s", "11s"])]),
        maybe("init_limit", one_of(&["250ms", "1s", "10s"])),
        maybe("platform_start", time(50)),
        maybe("idle_timeout", prop_oneof![time(1_000), time(20_000)]),
        maybe("maximum_environment_age", one_of(&["2s", "10s", "unlimited"])),
        maybe("warm_selection", one_of(&["mru", "lru", "fifo", "random"])),
        maybe("extension_tail", one_of(&["0s", "100ms", "2s"])),
        maybe("cpu_scaling", one_of(&["on", "off"])),
        maybe("memory", one_of(&["128MB", "1024MB", "3008MB"])),
        maybe("architecture", one_of(&["x86_64", "arm64"])),
        maybe("response", one_of(&["1KB", "7MB", "{ uniform: { min: 1KB, max: 8MB } }"])),
        maybe("failures", list(failure(), 2)),
        maybe("init_failures", list(failure(), 1)),
        capacity(),
    ])
}

fn arrivals() -> Text {
    prop_oneof![
        2 => one_of(&["{ poisson: 2/s }", "{ poisson: 20/s }", "{ constant: 10/s }", "{ constant: 100/min }"]),
        1 => one_of(&["{ at: [0s, 0s, 1s, 1s, 4s, 10s] }", "{ at: [] }", "{ at: [12s] }"]),
        1 => one_of(&["{ burst: { size: 30 } }", "{ burst: { size: 12, at: 1s, every: 3s, times: 4 } }"]),
        1 => one_of(&[
            "{ profile: { points: [{ at: 0s, rate: 1/s }, { at: 10s, rate: 20/s }] } }",
            "{ profile: { shape: step, process: constant, points: [{ at: 2s, rate: 5/s }, { at: 8s, rate: 0/s }] } }",
            "{ daily: { mean: 8/s, peak: 12/s, peak_at: 0s } }",
            "{ on_off: { on: 1s, off: { exponential: { mean: 2s } }, rate: 25/s } }",
        ]),
    ]
    .boxed()
}

fn client() -> Text {
    let own = block(vec![
        maybe("max_attempts", one_of(&["1", "2", "6"])),
        maybe("base", one_of(&["0s", "50ms", "2s"])),
        maybe("factor", one_of(&["1", "1.5", "3"])),
        maybe("cap", one_of(&["0s", "1s", "unlimited"])),
        maybe("jitter", one_of(&["none", "full", "equal", "decorrelated", "25%"])),
        maybe("budget", one_of(&["none", "{ tokens: 20 }", "{ tokens: 0 }", "{ ratio: 20%, burst: 2 }"])),
    ])
    // An empty block is no policy.
    .prop_map(|own| if own == "{  }" { "{ max_attempts: 2 }".to_owned() } else { own });
    block(vec![
        maybe(
            "retry",
            prop_oneof![
                one_of(&["none", "boto3_legacy", "standard_v2", "standard_2026", "adaptive"]),
                one_of(&["{ preset: adaptive, jitter: none, max_attempts: 5 }"]),
                own,
            ],
        ),
        maybe(
            "retry_on",
            one_of(&["[]", "[any]", "[throttle]", "[function_error, timeout]", "[service_error, throttle]"]),
        ),
        maybe("timeout", one_of(&["1ms", "300ms", "1s", "5s", "unlimited"])),
        maybe("total_timeout", one_of(&["5s", "7s", "unlimited"])),
        maybe(
            "circuit_breaker",
            one_of(&[
                "none",
                "{ window: 2s, minimum_calls: 3, open: 1s, probes: 2 }",
                "{ failures: 10%, minimum_calls: 1, open: 3s }",
            ]),
        ),
    ])
}

fn caller(functions: usize) -> Text {
    let load = prop_oneof![
        3 => always("arrivals", arrivals()),
        1 => always(
            "users",
            block(vec![
                always("count", one_of(&["1", "4", "15"])),
                always("think", one_of(&["10ms", "1s", "{ exponential: { mean: 500ms } }"])),
                maybe("start", one_of(&["think", "at_once"])),
            ])
            // A pause of nothing after a refusal that takes no time would stop the clock.
            .prop_map(|users| users.replace("exponential: { mean: 500ms }", "uniform: { min: 1ms, max: 1s }")),
        ),
    ];
    block(vec![
        always("target", (0..functions).prop_map(|index| format!("f{index}"))),
        load.boxed(),
        maybe("max_events", one_of(&["0", "1", "25"])),
        maybe("payload", one_of(&["1KB", "7MB", "{ uniform: { min: 5MB, max: 7MB } }"])),
        always("client", client()),
    ])
}

fn change(functions: usize, callers: usize) -> Text {
    let set = prop_oneof![
        (
            0..functions,
            one_of(&[
                "reserved_concurrency: 9",
                "reserved_concurrency: 20",
                "reserved_concurrency: none",
                "idle_timeout: 500ms",
                "idle_timeout: { uniform: { min: 1s, max: 2s } }",
                "warm_selection: random",
                "warm_selection: lru",
                "timeout: 2s",
                "duration: 20ms",
                "duration: { exponential: { mean: 700ms } }",
                "init: 2s",
                "memory: 512MB",
                "maximum_environment_age: 1s",
                "extension_tail: 300ms",
                "failures: [{ probability: 50%, kind: crash }]",
                "failures: []",
                "cpu_scaling: on",
            ])
        )
            .prop_map(|(index, setting)| format!("set: {{ functions.f{index}.{setting} }}")),
        (
            0..functions,
            prop_oneof![Just("3".to_owned()), Just("0".to_owned()), Just("{ initial: 6, preparation: 1s }".to_owned())]
        )
            .prop_map(|(index, units)| format!("set: {{ functions.f{index}.provisioned_concurrency: {units} }}")),
        (
            0..callers,
            one_of(&[
                "retry: none",
                "retry: adaptive",
                "retry: { max_attempts: 3, base: 10ms, budget: { tokens: 5 } }",
                "timeout: 200ms",
                "timeout: unlimited",
                "circuit_breaker: { minimum_calls: 2 }",
                "circuit_breaker: none",
            ])
        )
            .prop_map(|(index, setting)| format!("set: {{ callers.c{index}.client.{setting} }}")),
        one_of(&[
            "set: { account.concurrency_limit: 200 }",
            "set: { account.concurrency_limit: 1000 }",
            "set: { account.scaling: off }",
            "set: { account.scaling: { model: legacy_burst, burst: 5, per_minute: 60 } }",
            "set: { account.scaling: { environments: 3, every: 2s, refill: lump } }",
            "set: { account.request_rate_limit: off }",
            "set: { account.request_rate_bucket: 10ms }",
        ]),
        (0..functions).prop_map(|index| format!("deploy: f{index}")),
    ];
    (one_of(&["0s", "1s", "3s", "6500ms", "10s", "14s"]), set)
        .prop_map(|(at, set)| format!("{{ at: {at}, {set} }}"))
        .boxed()
}

fn account() -> Text {
    block(vec![
        always("concurrency_limit", one_of(&["160", "200", "1000"])),
        maybe(
            "scaling",
            one_of(&[
                "off",
                "{ environments: 2, every: 1s }",
                "{ environments: 5, every: 2s, refill: lump }",
                "{ request_rate: on }",
                "{ model: legacy_burst, burst: 4, per_minute: 30 }",
            ]),
        ),
        maybe("request_rate_limit", one_of(&["on", "off"])),
        maybe("request_rate_bucket", one_of(&["1ms", "10ms", "1s"])),
        maybe("caller_rate_limit", one_of(&["off", "15/s", "100/min"])),
    ])
}

fn fault(functions: usize) -> Text {
    let fault =
        (0..functions, one_of(&["429", "500", "503"]), one_of(&["", ", probability: 30%", ", from: 2s, until: 5s"]));
    fault.prop_map(|(index, status, rest)| format!("{{ function: f{index}, status: {status}{rest} }}")).boxed()
}

fn yaml() -> impl Strategy<Value = Yaml> {
    (1..=3_usize, 1..=3_usize)
        .prop_flat_map(|(functions, callers)| {
            (
                account(),
                prop::collection::vec(function(), functions),
                prop::collection::vec(caller(functions), callers),
                list(fault(functions), 2),
                list(change(functions, callers), 4),
                one_of(&["", "", "drain: 0s\n", "drain: 3s\n", "drain: settle\n"]),
                one_of(&["", "", "warmup: 5s\n", "warmup: 1ms\n"]),
                0..1_000_u32,
                one_of(&["", "", "prices: { free_tier: on, init: free }\n", "model: { timing: typical }\n"]),
            )
        })
        .prop_map(|(account, functions, callers, faults, changes, drain, warmup, seed, rest)| {
            let named = |letter: char, blocks: Vec<String>| -> String {
                blocks.into_iter().enumerate().map(|(index, text)| format!("  {letter}{index}: {text}\n")).collect()
            };
            Yaml(format!(
                "name: random\nduration: 15s\nseed: {seed}\n{drain}{warmup}{rest}account: {account}\nfunctions:\n{}callers:\n{}faults: {faults}\nchanges: {changes}\n",
                named('f', functions),
                named('c', callers),
            ))
        })
}

#[test]
fn every_scenario_keeps_its_promises() {
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 2_000,
        max_global_rejects: u32::MAX,
        ..Config::default()
    };
    // The same cases in every run: a failure that others cannot repeat helps nobody.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&yaml(), |Yaml(text)| {
        // Combinations that AWS refuses are somebody else's business.
        let read = crate::common::try_scenario(std::path::Path::new("."), &text, &[]);
        if let Err(problems) = &read {
            let refused = problems.contains("INV-") || problems.contains("shorter than `timeout`");
            prop_assert!(refused, "unexpected: {problems}");
            return Err(TestCaseError::reject("refused"));
        }
        check_scenario(&text);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
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

/// All that must hold of a scenario's run.
fn check_scenario(text: &str) {
    let scenario = scenario(text);
    let first = run::run(&scenario).unwrap_or_else(|stopped| panic!("{stopped:?}")).to_json();
    let second = run::run(&scenario).unwrap_or_else(|stopped| panic!("{stopped:?}")).to_json();
    assert_eq!(first.to_string(), second.to_string(), "two runs differ");
    let facts = Facts::of_scenario(&scenario);
    facts.runs();
    Checker::new(&scenario).check(&facts);
    check_summary(&scenario, &first, &facts);
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

    fn lambda_fact(&mut self, fact: &Fact) {
        let now = self.now;
        match *fact {
            Fact::RunStarted { origin, function, run, environment, capacity, .. } => {
                let call = self.call(&origin);
                call.runs += 1;
                assert!(!call.finished && call.open && run == call.runs, "{fact:?}");
                let idle_since = self.environments.get(&environment).copied();
                assert!(
                    idle_since.is_some_and(|since| since <= now),
                    "{fact:?} on an environment that is gone or busy"
                );
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
                let call = self.call(&origin);
                assert!(!call.finished && call.open, "{fact:?}");
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
    let total: f64 =
        summary["cost"]["functions"].as_object().unwrap().values().map(|cost| number(cost, "total_usd")).sum();
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
