//! State machines, rule by rule: retries, errors, branches, items, time-outs and state transitions (INV-SF1 to SF11).

use lambdasim::aws::fact::{ExecutionFact, Fact, TransitionCause};
use lambdasim::run::{self, Stopped};
use lambdasim::scenario::Scenario;

use crate::common::{Facts, check, check_run, ms, near, number, same, scenario, simulate};

/// What happens in all executions, each with its moment in seconds: `1 retry a`.
fn steps(scenario: &Scenario) -> Vec<String> {
    let name = |state| &scenario.system.state_names[state];
    let errors = &scenario.system.errors;
    let step = |now: f64, fact: &Fact| {
        let Fact::Execution(fact) = fact else { return None };
        let words = match *fact {
            ExecutionFact::Started { .. } => "start".to_owned(),
            ExecutionFact::Transition { state, cause, .. } => match cause {
                TransitionCause::Entered => format!("enter {}", name(state)),
                TransitionCause::Retried(_) => format!("retry {}", name(state)),
                TransitionCause::ItemStarted => format!("item {}", name(state)),
            },
            ExecutionFact::TransitionDelayed { state, .. } => format!("delay {}", name(state)),
            ExecutionFact::TaskSubmitted { .. } | ExecutionFact::RetryScheduled { .. } => return None,
            ExecutionFact::TaskSucceeded { state, .. } => format!("ok {}", name(state)),
            ExecutionFact::TaskStopped { state, .. } => format!("stop {}", name(state)),
            ExecutionFact::StateFailed { state, error, .. } => format!("fail {} {}", name(state), error.shown(errors)),
            ExecutionFact::Caught { next, .. } => format!("catch {}", name(next)),
            ExecutionFact::Ended { status, error, .. } => {
                let error = error.map(|error| format!(" {}", error.shown(errors)));
                format!("end {}{}", status.as_str(), error.unwrap_or_default())
            }
        };
        Some(format!("{} {words}", now / 1000.0))
    };
    Facts::of_scenario(scenario).pick(step)
}

/// One execution of a machine `m` with these states, the first of them `a`; `functions` besides.
fn machine(functions: &str, states: &str) -> String {
    format!(
        "duration: 1s
functions: {{ {functions} }}
state_machines: {{ m: {{ start_at: a, states: {{ {states} }} }} }}
callers: {{ c: {{ target: m, arrivals: {{ at: [0s] }} }} }}"
    )
}

/// What happens in one execution of such a machine.
fn story(functions: &str, states: &str) -> Vec<String> {
    steps(&scenario(&machine(functions, states)))
}

#[track_caller]
fn tells(case: &str, functions: &str, states: &str, expected: &[&str]) {
    assert_eq!(story(functions, states), expected, "{case}");
}

/// Moments of the attempts of `a`, in seconds.
fn attempts(functions: &str, states: &str) -> Vec<f64> {
    let facts = Facts::of(&machine(functions, states));
    facts.pick(|now, fact| match fact {
        Fact::Execution(ExecutionFact::TaskSubmitted { .. }) => Some(now / 1000.0),
        _ => None,
    })
}

/// How the one execution of such a machine ended.
fn end(functions: &str, states: &str) -> String {
    let steps = story(functions, states);
    let last = steps.last().unwrap();
    last.split_once(' ').unwrap().1.to_owned()
}

/// A function that always fails.
const FAILS: &str = "f: { duration: 0s, failures: [{ probability: 100%, error: E }] }";

/// INV-V35: the sheet's waits are 3, 6, 12, and 3, 5, 5 with a longest delay of 5.
#[test]
fn v35_waits_of_a_retrier() {
    for (retrier, expected) in [
        ("interval: 3s, max_attempts: 3, backoff_rate: 2", vec![0.0, 3.0, 9.0, 21.0]),
        ("interval: 3s, max_attempts: 3, backoff_rate: 2, max_delay: 5s", vec![0.0, 3.0, 8.0, 13.0]),
        ("interval: 1s", vec![0.0, 1.0, 3.0, 7.0]),
        ("interval: 2s, backoff_rate: 1, max_attempts: 2", vec![0.0, 2.0, 4.0]),
        ("max_attempts: 0", vec![0.0]),
    ] {
        let states = format!("a: {{ task: f, retry: [{{ errors: [E], {retrier} }}], end: true }}");
        assert_eq!(attempts(FAILS, &states), expected, "{retrier}");
        assert_eq!(end(FAILS, &states), "end FAILED E", "{retrier}");
    }
}

/// INV-V35: with full jitter and an interval of 2 s the waits are uniform in [0,2], [0,4], [0,8].
///
/// 2,000 executions: the mean of a uniform on [0,w] has a standard error of w / sqrt(12 x 2000) = 0.65 % of w; 3.3 % of w
/// are five of them. None of 2,000 in the lowest or highest hundredth has a probability of 0.99^2000 = 2e-9.
#[test]
fn v35_waits_with_full_jitter() {
    let yaml = "duration: 1s
functions: { f: { duration: 0s, failures: [{ probability: 100%, error: E }] } }
state_machines:
  m:
    start_at: a
    transitions: unlimited
    states:
      a: { task: f, retry: [{ errors: [E], interval: 2s, jitter: full }], end: true }
callers: { c: { target: m, arrivals: { burst: { size: 2000 } } } }
account: { concurrency_limit: 3000, scaling: off }";
    let waits = Facts::of(yaml).pick(|now, fact| match fact {
        Fact::Execution(ExecutionFact::RetryScheduled { retry, due, .. }) => Some((*retry, (ms(*due) - now) / 1000.0)),
        _ => None,
    });
    for (retry, longest) in [(1, 2.0), (2, 4.0), (3, 8.0)] {
        let waits: Vec<f64> = waits.iter().filter(|(of, _)| *of == retry).map(|(_, wait)| *wait).collect();
        assert_eq!(waits.len(), 2_000);
        let mean = waits.iter().sum::<f64>() / 2_000.0;
        near(&format!("retry {retry}"), mean, longest / 2.0, 0.033 * longest);
        let share = |of: f64| waits.iter().filter(|wait| **wait <= of * longest).count();
        assert!(share(0.01) > 0 && share(0.99) < 2_000 && share(1.0) == 2_000, "retry {retry}");
    }
}

/// INV-V36: the sheet's waits are 1, 2, 5; the fourth error goes to the catcher.
#[test]
fn v36_each_retrier_counts_by_itself() {
    let function = "f: { duration: 0s, failures: [{ attempts: [1], error: A }, { attempts: [2, 4], error: B }, \
                    { attempts: [3], error: C }] }";
    let states = "a: { task: f, end: true,
        retry: [{ errors: [A, B], interval: 1s, backoff_rate: 2, max_attempts: 2 }, { errors: [C], interval: 5s }],
        catch: [{ errors: [States.ALL], next: z }] },
      z: { pass: {}, end: true }";
    tells(
        "V36",
        function,
        states,
        &[
            "0 start",
            "0 enter a",
            "0 fail a A",
            "1 retry a",
            "1 fail a B",
            "3 retry a",
            "3 fail a C",
            "8 retry a",
            "8 fail a B",
            "8 catch z",
            "8 enter z",
            "8 end SUCCEEDED",
        ],
    );
}

/// Errors, how they come about, and their names (the sheet's row SF7).
const ERRORS: [(&str, &str, &str); 8] = [
    ("throttle", "f: { duration: 1s, reserved_concurrency: 0 }", "Lambda.TooManyRequestsException"),
    ("time-out", "f: { duration: 5s, timeout: 1s }", "Sandbox.Timedout"),
    ("crash", "f: { duration: 1s, failures: [{ probability: 100%, kind: crash }] }", "Lambda.Unknown"),
    (
        "named crash",
        "f: { duration: 1s, failures: [{ probability: 100%, kind: crash, error: Runtime.ExitError }] }",
        "Runtime.ExitError",
    ),
    ("error", "f: { duration: 1s, failures: [{ probability: 100% }] }", "an error without a name"),
    ("named error", "f: { duration: 1s, failures: [{ probability: 100%, error: CardDeclined }] }", "CardDeclined"),
    (
        "500",
        "f: { duration: 1s } }\nfaults: [{ function: f, status: 500 }]\nqueues: { q: {}",
        "Lambda.ServiceException",
    ),
    (
        "503",
        "f: { duration: 1s } }\nfaults: [{ function: f, status: 503 }]\nqueues: { q: {}",
        "Lambda.AWSLambdaException",
    ),
];

/// INV-SF1, SF7: without `retry` and `catch` each error fails the execution at once, under its name.
#[test]
fn inv_sf1_sf7_an_error_fails_the_execution() {
    for (case, function, name) in ERRORS {
        let states = "a: { task: f, next: b }, b: { pass: {}, end: true }";
        assert_eq!(end(function, states), format!("end FAILED {name}"), "{case}");
        assert_eq!(attempts(function, states), [0.0], "{case}");
    }
}

/// INV-SF3: `States.ALL` means every error, `States.TaskFailed` all but `States.Timeout`, another name itself alone.
#[test]
fn inv_sf3_names_of_errors() {
    let timeout = ("task time-out", "f: { duration: 5s, timeout: 10s }", "States.Timeout");
    for (case, function, name) in ERRORS.into_iter().chain([timeout]) {
        for (errors, caught) in [
            ("States.ALL".to_owned(), true),
            ("States.TaskFailed".to_owned(), name != "States.Timeout"),
            ("Other, Lambda.SdkClientException".to_owned(), false),
            (format!("Other, {name}"), !name.contains(' ')),
        ] {
            let limit = if case == "task time-out" { "timeout: 2s, " } else { "" };
            let states = format!(
                "a: {{ task: f, {limit}catch: [{{ errors: [\"{}\"], next: b }}], end: true }}, b: {{ pass: {{}}, end: true }}",
                errors.replace(", ", "\", \"")
            );
            let expected = if caught { "end SUCCEEDED".to_owned() } else { format!("end FAILED {name}") };
            assert_eq!(end(function, &states), expected, "{case}: {errors}");
        }
    }
}

/// INV-SF3: the first that means an error decides, also when its retries are used up.
#[test]
fn inv_sf3_the_first_retrier_and_catcher_decide() {
    for (retry, moments) in [
        ("[{ errors: [E], interval: 1s, max_attempts: 1 }, { errors: [States.ALL], interval: 7s }]", vec![0.0, 1.0]),
        (
            "[{ errors: [X], interval: 1s }, { errors: [States.TaskFailed], interval: 7s, max_attempts: 1 }]",
            vec![0.0, 7.0],
        ),
        ("[{ errors: [X, E], interval: 2s, max_attempts: 1 }, { errors: [E] }]", vec![0.0, 2.0]),
    ] {
        let states = format!(
            "a: {{ task: f, retry: {retry}, end: true,
                   catch: [{{ errors: [X], next: x }}, {{ errors: [E], next: y }}, {{ errors: [States.ALL], next: x }}] }},
             x: {{ fail: {{ error: Wrong }} }}, y: {{ succeed: {{}} }}"
        );
        assert_eq!(attempts(FAILS, &states), moments, "{retry}");
        assert_eq!(end(FAILS, &states), "end SUCCEEDED", "{retry}");
    }
}

/// INV-SF3: the counters begin again with each visit of the state.
#[test]
fn inv_sf3_counters_belong_to_a_visit() {
    let states =
        "a: { task: f, retry: [{ errors: [E], max_attempts: 1 }], catch: [{ errors: [E], next: b }], end: true },
      b: { choice: [{ probability: 100%, next: c }] },
      c: { task: f, retry: [{ errors: [E], max_attempts: 1 }], end: true }";
    assert_eq!(attempts(FAILS, states), [0.0, 1.0, 1.0, 2.0]);
    // The same state again: two attempts in each visit, and the machine's time-out ends it.
    let looped = "a: { task: f, retry: [{ errors: [E], interval: 4s, max_attempts: 1 }],
        catch: [{ errors: [E], next: b }], end: true }, b: { wait: 1s, next: a }";
    let yaml = machine(FAILS, looped).replace("start_at", "timeout: 12s, start_at");
    let steps = steps(&scenario(&yaml));
    let retries: Vec<_> = steps.iter().filter(|step| step.contains("retry")).map(String::as_str).collect();
    assert_eq!(retries, ["4 retry a", "9 retry a"]);
    assert_eq!(steps.last().unwrap(), "12 end TIMED_OUT States.Timeout");
}

/// INV-SF4: each state that is entered and each retry is a transition, 25 USD a million.
#[test]
fn inv_sf4_transitions() {
    let yaml = machine(
        "f: { duration: 0s, failures: [{ first_attempts: 2, error: E }] }",
        "a: { task: f, retry: [{ errors: [E] }], next: b }, b: { parallel: [f2, f2], next: c }, c: { pass: {}, end: true }",
    )
    .replace("functions: {", "functions: { f2: { duration: 0s },");
    // a, two retries, b, its two branches, c.
    check_run(
        "transitions",
        &yaml,
        &[
            ("state_machines.m.executions", 1.0),
            ("state_machines.m.succeeded", 1.0),
            ("state_machines.m.transitions", 7.0),
            ("state_machines.m.retries", 2.0),
            ("state_machines.m.duration_ms.max", 3_000.0),
            ("cost.state_machines.m.total_usd", 0.000_175),
        ],
    );
}

/// INV-SF5, SF6: which errors the presets try again, and when; without jitter the waits are 2, 4, .., 64 s.
#[test]
fn inv_sf5_sf6_presets() {
    for (case, function, name) in ERRORS {
        let studio = matches!(case, "throttle" | "500" | "503");
        let classic = matches!(case, "500" | "503");
        for (preset, retries) in
            [("sfn_studio", if studio { 3 } else { 0 }), ("sfn_classic", if classic { 6 } else { 0 })]
        {
            let states = format!("a: {{ task: f, retry: {preset}, end: true }}");
            let moments = attempts(function, &states);
            assert_eq!(moments.len(), retries + 1, "{case} {preset}");
            assert_eq!(end(function, &states), format!("end FAILED {name}"), "{case} {preset}");
            let waits: Vec<f64> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
            for (wait, longest) in
                waits.iter().zip([1.0, 2.0, 4.0].map(|wait| wait + 1e-9)).filter(|_| preset == "sfn_studio")
            {
                assert!(*wait <= longest, "{case} {preset}: {waits:?}");
            }
            if preset == "sfn_classic" && classic {
                assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0, 64.0], "{case}");
            }
        }
    }
}

/// INV-SF8: a task waits for its time-out and no longer; the function goes on. An answer at that very moment is in time.
#[test]
fn inv_sf8_time_outs() {
    for (timeout, expected, abandoned) in [
        ("9999ms", "9.999 end FAILED States.Timeout", 1.0),
        ("10s", "10 end SUCCEEDED", 0.0),
        ("unlimited", "10 end SUCCEEDED", 0.0),
    ] {
        let yaml =
            machine("f: { duration: 10s, timeout: 60s }", &format!("a: {{ task: f, timeout: {timeout}, end: true }}"));
        assert_eq!(steps(&scenario(&yaml)).last().unwrap(), expected, "{timeout}");
        let summary = simulate(&yaml);
        check(
            timeout,
            &summary,
            &[("functions.f.abandoned_runs", abandoned), ("functions.f.duration_ms.max", 10_000.0)],
        );
    }
    // Each attempt has the whole time-out.
    let states =
        "a: { task: f, timeout: 2s, retry: [{ errors: [States.Timeout], interval: 1s, max_attempts: 1 }], end: true }";
    tells(
        "retried",
        "f: { duration: 10s, timeout: 60s }",
        states,
        &[
            "0 start",
            "0 enter a",
            "2 fail a States.Timeout",
            "3 retry a",
            "5 fail a States.Timeout",
            "5 end FAILED States.Timeout",
        ],
    );
}

/// The time-out of the machine ends everything in the execution; nothing catches it. Express machines have five minutes.
#[test]
fn inv_4_5_execution_time_outs() {
    let states = "a: { parallel: [f, { start_at: w, states: { w: { wait: 1h, end: true } } }],
        catch: [{ errors: [States.ALL], next: b }], next: b }, b: { pass: {}, end: true }";
    for (settings, moment) in [("timeout: 7s", 7.0), ("type: express", 300.0), ("type: express, timeout: 2s", 2.0)] {
        let yaml = machine("f: { duration: 20s, timeout: 15m }", states)
            .replace("start_at: a", &format!("{settings}, start_at: a"));
        let steps = steps(&scenario(&yaml));
        let f = if moment < 20.0 { "stop a/0/f" } else { "ok a/0/f" };
        assert!(steps.iter().any(|step| step.ends_with(f)), "{settings}: {steps:?}");
        assert_eq!(steps.last().unwrap(), &format!("{moment} end TIMED_OUT States.Timeout"), "{settings}");
        check_run(settings, &yaml, &[("state_machines.m.timed_out", 1.0), ("functions.f.invocations", 1.0)]);
    }
}

/// INV-SF9: so many items at once, and how long all take: each takes 1 s.
#[test]
fn inv_sf9_items_at_once() {
    for (map, most, seconds, transitions) in [
        ("items: 100", 40.0, 3.0, 101.0),
        ("items: 40", 40.0, 1.0, 41.0),
        ("items: 41", 40.0, 2.0, 42.0),
        ("items: 100, max_concurrency: 0", 40.0, 3.0, 101.0),
        ("items: 100, max_concurrency: 100", 40.0, 3.0, 101.0),
        ("items: 100, max_concurrency: 10", 10.0, 10.0, 101.0),
        ("items: 3, max_concurrency: 1", 1.0, 3.0, 4.0),
        ("items: 0", 0.0, 0.0, 1.0),
        ("items: 100, mode: distributed", 100.0, 1.0, 201.0),
        ("items: 10001, mode: distributed", 10_000.0, 2.0, 20_003.0),
    ] {
        let yaml = machine("f: { duration: 1s }", &format!("a: {{ map: {{ {map}, item: f }}, end: true }}"))
            .replace("start_at: a", "transitions: unlimited, start_at: a")
            + "\naccount: { concurrency_limit: 20000, scaling: off }";
        let summary = simulate(&yaml);
        check(
            map,
            &summary,
            &[
                ("account.concurrent_executions.max", most),
                ("state_machines.m.duration_ms.max", seconds * 1000.0),
                ("state_machines.m.transitions", transitions),
                ("state_machines.m.succeeded", 1.0),
            ],
        );
    }
}

/// INV-SF9: an item that fails ends the map; the others are stopped, and no more begin.
#[test]
fn inv_sf9_an_item_fails() {
    for (mode, error) in [("inline", "States.BranchFailed"), ("distributed", "States.ExceedToleratedFailureThreshold")]
    {
        let function = "f: { duration: 2s, failures: [{ probability: 30%, after: 50% }] }";
        let map = format!("a: {{ map: {{ items: 1000, max_concurrency: 20, mode: {mode}, item: f }}, end: true }}");
        let yaml = machine(function, &map);
        let steps = steps(&scenario(&yaml));
        assert_eq!(steps.last().unwrap(), &format!("1 end FAILED {error}"), "{mode}");
        let summary = simulate(&yaml);
        check(mode, &summary, &[("functions.f.invocations", 20.0)]);
        let stopped = steps.iter().filter(|step| step.starts_with("1 stop")).count();
        assert_eq!(stopped, 19, "{mode}");
    }
}

/// INV-SF10: all branches end before the state does; one that fails stops the others, whose runs go on.
#[test]
fn inv_sf10_branches() {
    let functions = "f: { duration: 1s }, slow: { duration: 5s, timeout: 10s }, bad: { duration: 2s, failures: [{ probability: 100%, error: E }] }";
    tells(
        "all succeed",
        functions,
        "a: { parallel: [f, { start_at: x, states: { x: { wait: 4s, next: y }, y: { task: f, end: true } } }], end: true }",
        &[
            "0 start",
            "0 enter a",
            "0 enter a/0/f",
            "0 enter a/1/x",
            "1 ok a/0/f",
            "4 enter a/1/y",
            "5 ok a/1/y",
            "5 end SUCCEEDED",
        ],
    );
    let fails = "a: { parallel: [slow, bad], retry: [{ errors: [States.BranchFailed], interval: 3s, max_attempts: 1 }],
        catch: [{ errors: [States.TaskFailed], next: b }], end: true }, b: { succeed: {} }";
    tells(
        "one fails",
        functions,
        fails,
        &[
            "0 start",
            "0 enter a",
            "0 enter a/0/slow",
            "0 enter a/1/bad",
            "2 fail a/1/bad E",
            "2 stop a/0/slow",
            "2 fail a States.BranchFailed",
            "5 retry a",
            "5 enter a/0/slow",
            "5 enter a/1/bad",
            "7 fail a/1/bad E",
            "7 stop a/0/slow",
            "7 fail a States.BranchFailed",
            "7 catch b",
            "7 enter b",
            "7 end SUCCEEDED",
        ],
    );
    let summary = simulate(&machine(functions, fails));
    let expected = [("functions.slow.invocations", 2.0), ("functions.slow.abandoned_runs", 2.0)];
    check("runs go on", &summary, &expected);
    assert!(same(number(&summary, "functions.slow.abandoned_ms"), 6_000.0));
    // A branch that handles its own error does not fail.
    let handled = "a: { parallel: [f, { start_at: x, states: {
        x: { task: bad, catch: [{ errors: [E], next: y }], end: true }, y: { pass: {}, end: true } } }], end: true }";
    assert_eq!(end(functions, handled), "end SUCCEEDED");
    // A branch that fails at once stops those that have not begun.
    let at_once = "a: { parallel: [{ start_at: x, states: { x: { fail: { error: X } } } }, f], end: true }";
    tells(
        "at once",
        functions,
        at_once,
        &[
            "0 start",
            "0 enter a",
            "0 enter a/0/x",
            "0 fail a/0/x X",
            "0 fail a States.BranchFailed",
            "0 end FAILED States.BranchFailed",
        ],
    );
}

/// INV-SF11: a bucket of 3 that gets 2 a second; what finds it empty waits, in order. Express machines never wait.
#[test]
fn inv_sf11_transition_limit() {
    let states = "a: { pass: {}, next: b }, b: { pass: {}, end: true }";
    let yaml = |settings: &str| {
        machine("f: { duration: 1s }", states)
            .replace("start_at: a", &format!("{settings}, start_at: a"))
            .replace("at: [0s]", "at: [0s, 0s, 0s]")
    };
    let limited = yaml("transitions: { rate: 2/s, burst: 3 }");
    let entered: Vec<String> = steps(&scenario(&limited)).into_iter().filter(|step| step.contains("enter")).collect();
    assert_eq!(entered, ["0 enter a", "0 enter b", "0 enter a", "0.5 enter b", "1 enter a", "1.5 enter b"]);
    for (settings, delayed, seconds) in [
        ("transitions: { rate: 2/s, burst: 3 }", 3.0, 1.5),
        ("transitions: { rate: 2/s, burst: 6 }", 0.0, 0.0),
        ("transitions: { rate: 2/s, burst: 5 }", 1.0, 0.5),
        ("transitions: unlimited", 0.0, 0.0),
        ("type: express", 0.0, 0.0),
    ] {
        let expected = [
            ("state_machines.m.delayed_transitions", delayed),
            ("state_machines.m.transitions", 6.0),
            ("state_machines.m.duration_ms.max", seconds * 1000.0),
            ("state_machines.m.succeeded", 3.0),
        ];
        check_run(settings, &yaml(settings), &expected);
    }
}

/// INV-SF11: by default 5,000 at once and 1,500 a second: 6,500 executions of one state take a second.
#[test]
fn inv_sf11_default_limit() {
    let yaml = "duration: 1s
state_machines: { m: { start_at: a, states: { a: { pass: {}, end: true } } } }
callers: { c: { target: m, arrivals: { burst: { size: 6500 } } } }";
    let summary = simulate(yaml);
    check(
        "6,500",
        &summary,
        &[("state_machines.m.delayed_transitions", 1_500.0), ("state_machines.m.succeeded", 6_500.0)],
    );
    near("the last", number(&summary, "state_machines.m.duration_ms.max"), 1_000.0, 0.001);
}

/// Waits, passes, and ways by probability: of 4,000 executions 30 % and 50 % take the first two, the rest the default.
/// Five standard errors of the shares are 3.6 and 4 points.
#[test]
fn inv_4_5_choices_and_waits() {
    let yaml = "duration: 1s
state_machines:
  m:
    start_at: a
    transitions: unlimited
    states:
      a: { choice: [{ probability: 30%, next: x }, { probability: 50%, next: y }], default: z }
      x: { wait: 1s, end: true }
      y: { wait: { constant: 2s }, next: e }
      e: { pass: {}, next: s }
      s: { succeed: {} }
      z: { fail: { error: Chance } }
callers: { c: { target: m, arrivals: { burst: { size: 4000 } } } }";
    let summary = simulate(yaml);
    let failed = number(&summary, "state_machines.m.failed") / 4_000.0;
    near("default", failed, 0.2, 0.032);
    let mean = number(&summary, "state_machines.m.duration_ms.mean");
    near("0.3 x 1 s + 0.5 x 2 s", mean, 1_300.0, 70.0);
    for (choice, expected) in [
        ("choice: [{ probability: 100%, next: b }]", "end SUCCEEDED"),
        ("choice: [{ probability: 0%, next: b }], default: c", "end FAILED C"),
        ("choice: [{ probability: 0%, next: b }, { probability: 0%, next: c }]", "end FAILED States.NoChoiceMatched"),
    ] {
        let states = format!("a: {{ {choice} }}, b: {{ succeed: {{}} }}, c: {{ fail: {{ error: C }} }}");
        let states = if choice.contains("next: c") || choice.contains("default") {
            states
        } else {
            states.replace(", c: { fail: { error: C } }", "")
        };
        assert_eq!(end(FAILS, &states), expected, "{choice}");
    }
}

/// A caller is answered at once, or with `invocation: sync` at the end: with 200 either way.
#[test]
fn inv_4_5_callers() {
    let states = "a: { task: f, end: true }";
    for (invocation, function, outcome, latency) in [
        ("", "f: { duration: 2s }", "accepted", 0.0),
        ("invocation: async, ", "f: { duration: 2s, failures: [{ probability: 100%, error: E }] }", "accepted", 0.0),
        ("invocation: sync, ", "f: { duration: 2s }", "success", 2_000.0),
        (
            "invocation: sync, ",
            "f: { duration: 2s, failures: [{ probability: 100%, error: E }] }",
            "function_error",
            2_000.0,
        ),
    ] {
        let yaml = machine(function, states).replace("target: m", &format!("{invocation}target: m"));
        let path = format!("callers.c.outcomes.{outcome}");
        check_run(
            &format!("{invocation}{function}"),
            &yaml,
            &[
                (path.as_str(), 1.0),
                ("callers.c.latency_ms.max", latency),
                ("callers.c.status_codes.200", 1.0),
                ("callers.c.attempts", 1.0),
                ("state_machines.m.duration_ms.max", 2_000.0),
            ],
        );
    }
}

/// A client that gives up leaves the execution going, and starts another one with its next attempt; both have draws of
/// their own.
#[test]
fn inv_4_5_a_client_gives_up() {
    let yaml = machine(
        "f: { duration: { uniform: { min: 10s, max: 20s } }, timeout: 1m }",
        "a: { task: f, end: true }",
    )
    .replace(
        "target: m",
        "target: m, invocation: sync, client: { timeout: 3s, retry: { max_attempts: 2, base: 1s, jitter: none } }",
    );
    let summary = simulate(&yaml);
    check(
        "given up",
        &summary,
        &[
            ("callers.c.outcomes.timeout", 1.0),
            ("callers.c.client_timeouts", 2.0),
            ("callers.c.latency_ms.max", 7_000.0),
            ("state_machines.m.executions", 2.0),
            ("state_machines.m.succeeded", 2.0),
        ],
    );
    let [shortest, longest] = ["min", "max"].map(|of| number(&summary, &format!("functions.f.duration_ms.{of}")));
    assert!(longest - shortest > 1.0, "{shortest} {longest}");
}

/// Executions go on with the definition with which they began; its limit on transitions changes at once.
#[test]
fn inv_4_5_changes() {
    let yaml = machine(FAILS, "a: { wait: 2s, next: b }, b: { wait: 2s, end: true }")
        .replace("at: [0s]", "at: [0s, 500ms]")
        + "\nchanges: [{ at: 300ms, set: { state_machines.m.states.b: { fail: { error: New } } } }]";
    let steps = steps(&scenario(&yaml));
    let ends: Vec<_> = steps.iter().filter(|step| step.contains("end")).map(String::as_str).collect();
    assert_eq!(ends, ["2.5 end FAILED New", "4 end SUCCEEDED"]);
    let yaml = "duration: 3s
state_machines: { m: { start_at: a, transitions: { rate: 1/s, burst: 1 }, states: { a: { pass: {}, end: true } } } }
callers: { c: { target: m, arrivals: { at: [0s, 0s, 0s, 2500ms, 2500ms, 2500ms] } } }
changes: [{ at: 2400ms, set: { state_machines.m.transitions: unlimited } }]";
    check_run("limit", yaml, &[("state_machines.m.delayed_transitions", 2.0), ("state_machines.m.succeeded", 6.0)]);
}

/// What takes no time and goes round without end is stopped by the event budget, which says who was busy.
#[test]
fn inv_4_5_loops_without_time_end() {
    for states in [
        "a: { pass: {}, next: a }",
        "a: { pass: {}, next: b }, b: { choice: [{ probability: 100%, next: a }] }",
        "a: { task: f, catch: [{ errors: [States.ALL], next: a }], end: true }",
        "a: { map: { items: 10, item: { start_at: x, states: { x: { pass: {}, next: x } } } }, end: true }",
        "a: { map: { items: 100000000, item: { start_at: x, states: { x: { pass: {}, end: true } } } }, end: true }",
    ] {
        let yaml = machine(FAILS, states).replace("start_at: a", "transitions: unlimited, start_at: a")
            + "\nmodel: { event_budget: 10000 }";
        let Err(Stopped::BudgetExhausted { busy, .. }) = run::run(&scenario(&yaml)) else {
            panic!("{states} came to an end")
        };
        assert!(busy.contains(&("state machine m".to_owned(), 1)), "{states}: {busy:?}");
    }
}

/// Runs of tasks are numbered from 1 in each visit, and draw by the way to it: other states and other retries move none.
#[test]
fn inv_4_5_draws_by_the_way() {
    let runs = |states: &str| {
        let functions = "f: { duration: { uniform: { min: 1s, max: 2s } }, timeout: 1m }, bad: { duration: 1s, failures: [{ probability: 100%, error: E }] }";
        let facts = Facts::of(&machine(functions, states));
        facts.runs().into_iter().filter(|run| run.function == 0).map(|run| run.ended().duration).collect::<Vec<_>>()
    };
    let plain = runs("a: { map: { items: 3, item: f }, next: b }, b: { task: f, end: true }");
    assert_eq!(plain.len(), 4);
    let mut sorted = plain.clone();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    assert_eq!(sorted.len(), 4, "each run has its own draw");
    let retried = runs(
        "a: { map: { items: 3, item: f }, next: c }, b: { task: f, end: true },
         c: { task: bad, retry: [{ errors: [E] }], catch: [{ errors: [E], next: d }], next: d }, d: { wait: 9s, next: e },
         e: { choice: [{ probability: 100%, next: b }] }",
    );
    assert_eq!(plain[..3], retried[..3]);
}

/// The prices of express machines: 1.00 USD a million executions and 0.00001667 a GB-second, with 64 MB and whole 100 ms.
#[test]
fn inv_4_5_cost_of_express_machines() {
    let yaml = "duration: 1s
state_machines: { m: { type: express, start_at: a, states: { a: { wait: 250ms, end: true } } } }
callers: { c: { target: m, arrivals: { burst: { size: 1000 } } } }";
    // 1,000 x 0.3 s x 0.0625 GB = 18.75 GB-s.
    check_run("express", yaml, &[("cost.state_machines.m.total_usd", 0.001 + 18.75 * 0.000_016_67)]);
}

/// Executions of the warm-up are simulated and not measured.
#[test]
fn inv_4_5_warm_up() {
    let yaml = machine("f: { duration: 1s }", "a: { task: f, end: true }")
        .replace("duration: 1s\n", "duration: 3s\nwarmup: 2s\n")
        .replace("at: [0s]", "at: [1s, 2s]");
    check_run(
        "warm-up",
        &yaml,
        &[
            ("state_machines.m.executions", 1.0),
            ("state_machines.m.transitions", 1.0),
            ("state_machines.m.duration_ms.count", 1.0),
            ("conservation.state_machines.m.in", 2.0),
            ("conservation.state_machines.m.out", 2.0),
        ],
    );
}
