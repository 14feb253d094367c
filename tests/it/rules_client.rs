//! Clients: retries, quotas, time-outs, circuit breakers, faults of the service (INV-3, vectors V15..V18).

use lambdasim::aws::fact::{Fact, Outcome};

use crate::common::{Facts, check, check_run, near, number, same, simulate};

/// A function whose every call is refused by the service with this status.
fn refused(status: u16, client: &str) -> String {
    format!(
        "duration: 1s\nfunctions: {{ f: {{ duration: 0s }} }}\nfaults: [{{ function: f, status: {status} }}]\n\
         callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ {client} }} }} }}"
    )
}

/// V17: when each policy's attempts are sent, without jitter, when each is refused at once.
#[test]
fn v17_moments_of_the_attempts() {
    let rows: [(u16, &str, &[f64]); 11] = [
        (429, "retry: { preset: standard_v2, jitter: none }", &[0.0, 1_000.0, 3_000.0]),
        (429, "retry: { preset: standard_2026, jitter: none }", &[0.0, 1_000.0, 3_000.0]),
        (429, "retry: { preset: boto3_legacy, jitter: none }", &[0.0, 1_000.0, 3_000.0, 7_000.0, 15_000.0]),
        (500, "retry: { preset: boto3_legacy, jitter: none }", &[0.0, 1_000.0, 3_000.0, 7_000.0, 15_000.0]),
        (500, "retry: { preset: standard_2026, jitter: none }", &[0.0, 50.0, 150.0]),
        (500, "retry: { preset: standard_v2, jitter: none }", &[0.0, 1_000.0, 3_000.0]),
        (500, "retry: none", &[0.0]),
        (429, "retry: none", &[0.0]),
        // The contract's own policy: wait k is min(cap, base x factor^k).
        (500, "retry: { jitter: none }", &[0.0, 100.0, 300.0]),
        (
            503,
            "retry: { max_attempts: 6, base: 1s, factor: 3, cap: 5s, jitter: none }",
            &[0.0, 1_000.0, 4_000.0, 9_000.0, 14_000.0, 19_000.0],
        ),
        (
            500,
            "retry: { preset: standard_2026, jitter: none, max_attempts: 4, base: 10s }",
            &[0.0, 10_000.0, 30_000.0, 50_000.0],
        ),
    ];
    for (status, client, expected) in rows {
        let yaml = refused(status, client);
        assert_eq!(Facts::of(&yaml).attempt_times(0), expected, "{status}, {client}");
        let attempts = number(&simulate(&yaml), "callers.c.attempts");
        assert!(same(attempts, expected.len() as f64), "{client}");
    }
}

/// INV-3.5: the default is the mode of 2026 with a time-out of a minute.
#[test]
fn n01_default_client() {
    check_run("default", &refused(500, ""), &[("callers.c.attempts", 3.0), ("callers.c.status_codes.500", 3.0)]);
}

/// V16: how many retries a fresh client makes when everything fails. Attempts are far apart so that each call makes
/// all of its retries before the next.
#[test]
fn v16_an_outage_empties_the_quota() {
    let faults = |status| format!("faults: [{{ function: f, status: {status} }}]\n");
    let rows = [
        ("standard_2026", faults(500), "", 35.0),
        ("standard_2026", faults(429), "", 100.0),
        ("standard_v2", faults(500), "", 100.0),
        ("standard_v2", faults(429), "", 100.0),
        ("standard_v2", String::new(), "timeout: 100ms", 50.0),
        ("standard_2026", String::new(), "timeout: 100ms", 35.0),
        ("boto3_legacy", faults(429), "", 400.0),
    ];
    for (preset, faults, timeout, retries) in rows {
        let summary = simulate(&format!(
            "duration: 100m\n{faults}functions: {{ f: {{ duration: 1s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: 1/min }}, client: {{ retry: {preset}, {timeout} }} }} }}"
        ));
        let case = format!("{preset} {faults} {timeout}");
        check(&case, &summary, &[("callers.c.retries", retries), ("callers.c.submitted", 100.0)]);
        let exhausted = number(&summary, "callers.c.retry_quota_exhausted");
        assert_eq!(exhausted > 0.0, preset != "boto3_legacy", "{case}");
    }
}

/// INV-N3: a success gives the last retry's cost back, or one token after a first attempt; never above the size.
#[test]
fn n03_refunds() {
    // A bucket of 28 pays two transient retries. Calls: three that fail once; they succeed at the second attempt and
    // get their 14 back; so the quota is never empty. Without success the third retry would not be paid.
    for (first_attempts, retries, exhausted) in [(1, 6.0, 0.0), (3, 2.0, 3.0)] {
        let yaml = format!(
            "duration: 1m
functions: {{ f: {{ duration: 1s, timeout: 10s, failures: [{{ first_attempts: {first_attempts} }}] }} }}
callers:
  c:
    target: f
    arrivals: {{ constant: 1/min }}
    client: {{ retry: {{ preset: standard_2026, budget: {{ tokens: 28 }} }}, retry_on: [function_error] }}"
        );
        let yaml = yaml.replace("duration: 1m", "duration: 6m");
        let summary = simulate(&yaml);
        if first_attempts == 1 {
            check(
                "refunded",
                &summary,
                &[
                    ("callers.c.retries", retries),
                    ("callers.c.succeeded", 6.0),
                    ("callers.c.retry_quota_exhausted", exhausted),
                ],
            );
        } else {
            // The first call pays both retries and fails; nobody pays any more.
            check(
                "not refunded",
                &summary,
                &[
                    ("callers.c.retries", retries),
                    ("callers.c.succeeded", 0.0),
                    ("callers.c.retry_quota_exhausted", 5.0),
                ],
            );
        }
    }
}

/// V15, N6: the quota drains when attempts fail with more than 21.49 % (service errors) or 32.07 % (throttles), and
/// not below: (1-p) - c p^2 (1-p) - 2 c p^3 is the change of the level for each call, zero at those two.
///
/// 100,000 calls one after another. About 1.5 points above the limit the change is -0.11 to -0.19 tokens a call, so
/// the 500 tokens last some 4,000 calls, and from then on retries are refused. As much below it is +0.11 to +0.17 and
/// the level falls to nothing with a probability of about exp(-2 x 0.11 / 5 x 500) = 3e-10 to e^-13 for each of some
/// thousand independent excursions. So the test needs no tolerance.
#[test]
fn v15_failure_probability_that_drains_the_quota() {
    for (status, p, drains) in [(500, "19.5%", false), (500, "23.5%", true), (429, "30%", false), (429, "34%", true)] {
        let yaml = format!(
            "duration: 100000s
functions: {{ f: {{ duration: 1ms }} }}
faults: [{{ function: f, status: {status}, probability: {p} }}]
callers:
  c:
    target: f
    arrivals: {{ constant: 1/s }}
    client: {{ retry: {{ preset: standard_2026, base: 1us, jitter: none }} }}"
        );
        let exhausted = number(&simulate(&yaml), "callers.c.retry_quota_exhausted");
        if drains {
            assert!(exhausted > 1_000.0, "{status} at {p}: {exhausted}");
        } else {
            assert!(same(exhausted, 0.0), "{status} at {p}: {exhausted}");
        }
    }
}

/// V18, INV-3.4: the adaptive mode's limiter holds first attempts back, once it has been throttled.
///
/// At a measured 10 a second five attempts are throttled, at 10.0 to 10.4 s. Each cuts the rate to 0.7: 1.68 a second
/// and a bucket of as many tokens are left. With `w_max` = 2.401 and K = cbrt(2.401 x 0.3 / 0.4) = 1.217 s the cubic
/// brings 2.401 x 2 + 0.1 x ((2 - K)^4 - K^4) = 4.6 tokens in the next 2 s; with what the bucket held at most 6.3.
#[test]
fn v18_the_adaptive_limiter_holds_first_attempts_back() {
    let facts = |retry: &str| {
        Facts::of(&format!(
            "duration: 20s
functions: {{ f: {{ duration: 1ms }} }}
faults: [{{ function: f, status: 429, from: 10s, until: 10410ms }}]
callers:
  c:
    target: f
    arrivals: {{ constant: 10/s }}
    client: {{ retry: {{ preset: {retry}, max_attempts: 1 }}, timeout: unlimited }}"
        ))
    };
    let sent = |facts: &Facts, from: f64, until: f64| {
        facts.attempt_times(0).iter().filter(|at| (from..until).contains(*at)).count()
    };
    let (adaptive, standard) = (facts("adaptive"), facts("standard_2026"));
    // Before the first throttle nothing is held back.
    assert_eq!(sent(&adaptive, 0.0, 10_410.0), 105);
    let held = sent(&adaptive, 10_410.0, 12_410.0);
    assert!((4..=6).contains(&held), "{held}");
    assert_eq!(sent(&standard, 10_410.0, 12_410.0), 20);
    // Nobody is forgotten, and calls are sent in the order of their submission.
    let order: Vec<u64> = adaptive.attempts(0).iter().map(|attempt| attempt.0).collect();
    assert_eq!(order, (1..=200).collect::<Vec<_>>());
    assert_eq!(adaptive.finishes(0).len(), 200);
}

/// Jitter: each kind's range and mean, over 4,000 calls whose first attempt is refused. Wait k = 0 of base 1 s is 1 s.
#[test]
fn jitter_stays_in_its_range() {
    // jitter, low, high: the contract's definitions; the mean is in the middle of all of them.
    for (jitter, low, high) in [
        ("none", 1_000.0, 1_000.0),
        ("full", 0.0, 1_000.0),
        ("equal", 500.0, 1_000.0),
        ("decorrelated", 1_000.0, 3_000.0),
        ("50%", 1_000.0, 1_500.0),
        ("100%", 1_000.0, 2_000.0),
    ] {
        let facts = Facts::of(&format!(
            "duration: 4000s
functions: {{ f: {{ duration: 1ms }} }}
faults: [{{ function: f, status: 500 }}]
callers:
  c: {{ target: f, arrivals: {{ constant: 1/s }}, client: {{ retry: {{ max_attempts: 2, base: 1s, jitter: {jitter} }} }} }}"
        ));
        let waits: Vec<f64> = facts.pick(|now, fact| match fact {
            Fact::RetryScheduled { due, .. } => Some(crate::common::ms(*due) - now),
            _ => None,
        });
        assert_eq!(waits.len(), 4_000);
        let (least, most) =
            waits.iter().fold((f64::MAX, 0.0_f64), |(least, most), wait| (least.min(*wait), most.max(*wait)));
        assert!(least >= low - 1e-3 && most <= high + 1e-3, "{jitter}: {least}..{most}");
        // A uniform range is filled: 4,000 draws leave less than 0.5 % free at either end (probability 2e-9 each).
        let slack = (high - low) * 0.005;
        assert!(least <= low + slack && most >= high - slack, "{jitter}: {least}..{most}");
        let mean = waits.iter().sum::<f64>() / 4_000.0;
        // Standard error: width / sqrt(12 x 4,000); five of them.
        near(jitter, mean, f64::midpoint(low, high), (high - low) / 219.0 * 5.0 + 1e-6);
    }
}

/// Decorrelated jitter: each wait is at most three times the last, and at most the cap.
#[test]
fn decorrelated_jitter_grows_from_the_last_wait() {
    let facts = Facts::of(
        "duration: 100s
functions: { f: { duration: 1ms } }
faults: [{ function: f, status: 500 }]
callers:
  c: { target: f, arrivals: { constant: 1/s }, client: { retry: { max_attempts: 6, base: 1s, cap: 10s, jitter: decorrelated } } }",
    );
    let waits = facts.pick(|now, fact| match fact {
        Fact::RetryScheduled { origin, attempt, due } => {
            Some((origin.submission, *attempt, crate::common::ms(*due) - now))
        }
        _ => None,
    });
    let mut capped = 0;
    for &(submission, attempt, wait) in &waits {
        let last = waits.iter().find(|other| other.0 == submission && other.1 + 1 == attempt).map_or(1_000.0, |w| w.2);
        assert!(wait >= 999.999 && wait <= f64::min(10_000.0, 3.0 * last) + 1e-3, "{wait} after {last}");
        capped += usize::from(same(wait, 10_000.0));
    }
    assert!(capped > 0);
}

/// Y3: the client gives up, the run goes on, keeps its concurrency and is billed; the retry is a second run.
#[test]
fn y03_a_client_timeout_leaves_the_run_going() {
    let yaml = "duration: 10m
functions: { f: { duration: 90s, timeout: 2m } }
callers:
  c: { target: f, arrivals: { at: [0s] }, client: { retry: { max_attempts: 3, base: 0s, jitter: none }, timeout: 60s } }";
    check_run(
        "90 s run, 60 s patience",
        yaml,
        &[
            ("callers.c.attempts", 3.0),
            ("callers.c.client_timeouts", 3.0),
            ("callers.c.outcomes.timeout", 1.0),
            ("callers.c.latency_ms.max", 180_000.0),
            ("callers.c.runs_per_call.max", 3.0),
            ("functions.f.invocations", 3.0),
            ("functions.f.errors", 0.0),
            ("functions.f.abandoned_runs", 3.0),
            ("functions.f.abandoned_ms", 90_000.0),
            ("functions.f.billed_ms", 270_000.0),
            ("functions.f.concurrent_executions.max", 2.0),
        ],
    );
    // With reserved concurrency 1 the second attempt meets the first run.
    let limited = yaml.replace("timeout: 2m", "timeout: 2m, reserved_concurrency: 1");
    check_run(
        "the run holds its concurrency",
        &limited,
        &[("functions.f.invocations", 1.0), ("functions.f.throttles", 2.0), ("callers.c.outcomes.throttled", 1.0)],
    );
}

/// A reply at exactly the client's time-out wins (contract, section 5); one later does not.
#[test]
fn client_timeout_at_its_limit() {
    for (timeout, succeeded) in [("999999999ns", 0.0), ("1s", 1.0), ("1000000001ns", 1.0)] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 600ms, init: 400ms }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none, timeout: {timeout} }} }} }}"
        );
        check_run(
            timeout,
            &yaml,
            &[("callers.c.succeeded", succeeded), ("functions.f.abandoned_runs", 1.0 - succeeded)],
        );
    }
}

/// `total_timeout` ends the call, while it waits for an answer and while it waits to try again.
#[test]
fn total_timeout_ends_the_call() {
    // duration of a run, total; attempts, latency, success
    for (case, settings, client, [attempts, latency, succeeded]) in [
        ("in the second attempt", "duration: 2s", "timeout: 1s, total_timeout: 1500ms", [2.0, 1_500.0, 0.0]),
        ("at the end of an attempt", "duration: 1s", "timeout: 5s, total_timeout: 5s", [1.0, 1_000.0, 1.0]),
        ("at the reply", "duration: 1s", "timeout: unlimited, total_timeout: 1s", [1.0, 1_000.0, 1.0]),
        ("just before the reply", "duration: 1s", "timeout: unlimited, total_timeout: 999ms", [1.0, 999.0, 0.0]),
        (
            "in a wait",
            "duration: 1s, reserved_concurrency: 0",
            "total_timeout: 2500ms, timeout: 1s",
            [2.0, 2_500.0, 0.0],
        ),
    ] {
        let base = if case == "in a wait" { "1s" } else { "0s" };
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ {settings} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ {client}, retry: {{ max_attempts: 5, base: {base}, jitter: none }} }} }} }}"
        );
        check_run(
            case,
            &yaml,
            &[
                ("callers.c.attempts", attempts),
                ("callers.c.latency_ms.max", latency),
                ("callers.c.succeeded", succeeded),
                ("callers.c.outcomes.timeout", 1.0 - succeeded),
            ],
        );
    }
}

/// T5: the service answers 5xx or 429 without running the function: nothing is invoked and nothing billed.
#[test]
fn t05_faults_of_the_service() {
    for (status, outcome) in
        [(429, "throttled"), (500, "service_error"), (503, "service_error"), (599, "service_error")]
    {
        check_run(
            &format!("{status}"),
            &format!(
                "duration: 1m
functions: {{ f: {{ duration: 1s }} }}
faults: [{{ function: f, status: {status}, from: 10s, until: 20s }}]
callers: {{ c: {{ target: f, arrivals: {{ at: [9999ms, 10s, 15s, 19999ms, 20s] }}, client: {{ retry: none }} }} }}"
            ),
            &[
                (&format!("callers.c.status_codes.{status}"), 3.0),
                ("callers.c.status_codes.200", 2.0),
                (&format!("callers.c.outcomes.{outcome}"), 3.0),
                ("functions.f.invocations", 2.0),
                ("functions.f.billed_ms", 2_000.0),
                ("cost.functions.f.requests_usd", 0.4e-6),
            ],
        );
    }
}

/// A fault with a probability is judged for each attempt. 10,000 calls of one attempt at 25 %: standard deviation 43.
#[test]
fn t05_faults_are_judged_for_each_attempt() {
    let run = |attempts: u32| {
        simulate(&format!(
            "duration: 10000s
functions: {{ f: {{ duration: 1ms }} }}
faults: [{{ function: f, status: 500, probability: 25% }}]
callers: {{ c: {{ target: f, arrivals: {{ constant: 1/s }}, client: {{ retry: {{ max_attempts: {attempts}, base: 0s }} }} }} }}"
        ))
    };
    near("one attempt", number(&run(1), "callers.c.failed"), 2_500.0, 216.0);
    // Two attempts fail together with 1/16: 625, standard deviation 24.
    near("two attempts", number(&run(2), "callers.c.failed"), 625.0, 121.0);
}

/// `retry_on` names what is tried again.
#[test]
fn retry_on_names_the_causes() {
    let function_error = "functions: { f: { duration: 1s, failures: [{ probability: 100% }] } }";
    let throttle = "functions: { f: { duration: 1s, reserved_concurrency: 0 } }";
    let service_error = "functions: { f: { duration: 1s } }\nfaults: [{ function: f, status: 502 }]";
    let timeout = "functions: { f: { duration: 1s } }";
    for (retry_on, retried) in [
        ("[]", [1.0, 1.0, 1.0, 1.0]),
        ("[throttle, service_error, timeout]", [1.0, 3.0, 3.0, 3.0]),
        ("[function_error]", [3.0, 1.0, 1.0, 1.0]),
        ("[throttle]", [1.0, 3.0, 1.0, 1.0]),
        ("[service_error]", [1.0, 1.0, 3.0, 1.0]),
        ("[timeout]", [1.0, 1.0, 1.0, 3.0]),
        ("[any]", [3.0, 3.0, 3.0, 3.0]),
    ] {
        let systems = [(function_error, "60s"), (throttle, "60s"), (service_error, "60s"), (timeout, "100ms")];
        for ((system, patience), attempts) in systems.into_iter().zip(retried) {
            let yaml = format!(
                "duration: 1m\n{system}\n\
                 callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ timeout: {patience}, retry_on: {retry_on} }} }} }}"
            );
            check_run(&format!("{retry_on}: {system}"), &yaml, &[("callers.c.attempts", attempts)]);
        }
    }
}

/// Y2: a request above 6 MB is refused with 413 and not tried again; at the limit it passes. The answer's limit makes
/// an error of the function.
#[test]
fn y02_payloads() {
    for (payload, status) in [("6291556B", "200"), ("6291557B", "413")] {
        let summary = simulate(&format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }}, payload: {payload}, client: {{ retry_on: [any] }} }} }}"
        ));
        let refused = if status == "413" { 1.0 } else { 0.0 };
        check(
            payload,
            &summary,
            &[
                (&format!("callers.c.status_codes.{status}"), 1.0),
                ("callers.c.attempts", 1.0),
                ("callers.c.outcomes.rejected", refused),
                ("functions.f.invocations", 1.0 - refused),
            ],
        );
    }
    for (response, errors) in [("6291556B", 0.0), ("6291557B", 1.0)] {
        let yaml = format!(
            "duration: 1m\nfunctions: {{ f: {{ duration: 1s, response: {response} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ at: [0s] }} }} }}"
        );
        check_run(response, &yaml, &[("functions.f.errors", errors), ("callers.c.outcomes.function_error", errors)]);
    }
}

/// Attempts of a client with a circuit breaker while everything fails until 20 s: one call each second.
#[test]
fn circuit_breaker_opens_probes_and_closes() {
    // minimum_calls 5: the first five attempts fail at 0..4 s and open it for 5 s. At 9, 14 and 19 s a probe fails; the
    // one at 24 s succeeds, and it is closed.
    let facts = Facts::of(
        "duration: 30s
functions: { f: { duration: 0s } }
faults: [{ function: f, status: 500, until: 20s }]
callers:
  c:
    target: f
    arrivals: { constant: 1/s }
    client:
      retry: none
      circuit_breaker: { window: 10s, failures: 50%, minimum_calls: 5, open: 5s, probes: 1 }",
    );
    let sent: Vec<_> = facts.attempt_times(0).into_iter().map(|at| at / 1_000.0).collect();
    let expected = [0.0, 1.0, 2.0, 3.0, 4.0, 9.0, 14.0, 19.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0];
    assert_eq!(sent, expected);
    let rejected = facts.finishes(0).iter().filter(|(_, _, outcome)| *outcome == Outcome::Rejected).count();
    assert_eq!(rejected, 30 - expected.len());
}

/// The breaker opens at its share of failures and not below it: every second, or every third, call fails.
#[test]
fn circuit_breaker_share_of_failures() {
    for (failures, fails, opens) in [("50%", 2, true), ("51%", 2, false), ("33%", 3, true), ("34%", 3, false)] {
        let failing: Vec<String> = (1..=40).filter(|n| n % fails == 0).map(|n: u32| n.to_string()).collect();
        let summary = simulate(&format!(
            "duration: 40s
functions: {{ f: {{ duration: 0s, failures: [{{ events: [{}] }}] }} }}
callers:
  c:
    target: f
    arrivals: {{ constant: 1/s }}
    client:
      retry: none
      retry_on: [any]
      circuit_breaker: {{ window: 1h, failures: {failures}, minimum_calls: 6, open: 1h }}",
            failing.join(", ")
        ));
        assert_eq!(number(&summary, "callers.c.circuit_open") > 0.0, opens, "{failures}, each {fails}th fails");
        if opens {
            // Six attempts, then nobody: the sixth is a failure in both rows.
            check(failures, &summary, &[("callers.c.attempts", 6.0), ("callers.c.outcomes.rejected", 34.0)]);
        }
    }
}

/// Failures leave the window: three of them open the breaker if they lie within ten seconds, and not otherwise.
#[test]
fn circuit_breaker_forgets_what_left_its_window() {
    for (third, fourth, sent) in [("8s", "9s", 3), ("30s", "31s", 4), ("12s", "13s", 4)] {
        let facts = Facts::of(&format!(
            "duration: 1m
functions: {{ f: {{ duration: 0s }} }}
faults: [{{ function: f, status: 500 }}]
callers:
  c:
    target: f
    arrivals: {{ at: [0s, 1s, {third}, {fourth}] }}
    client: {{ retry: none, circuit_breaker: {{ window: 10s, failures: 60%, minimum_calls: 3, open: 1m }} }}"
        ));
        assert_eq!(facts.attempt_times(0).len(), sent, "{third}");
    }
}

/// INV-3.4: the adaptive rate never grows beyond twice what is measured. At a steady ten a second, long after a throttle,
/// the bucket holds 20; a burst of 100 is sent 20 at once and then at 20 a second, until half a second's more is measured.
#[test]
fn adaptive_rate_is_at_most_twice_the_measured() {
    let mut moments: Vec<String> = (0..900).map(|n| format!("{}ms", n * 100)).collect();
    moments.extend(std::iter::repeat_n("60050ms".to_owned(), 100));
    let facts = Facts::of(&format!(
        "duration: 100s
functions: {{ f: {{ duration: 1ms }} }}
faults: [{{ function: f, status: 429, from: 10s, until: 10010ms }}]
callers: {{ c: {{ target: f, arrivals: {{ at: [{}] }}, client: {{ retry: {{ preset: adaptive, max_attempts: 1 }}, timeout: unlimited }} }} }}",
        moments.join(", ")
    ));
    let sent = |from: f64, until: f64| facts.attempt_times(0).iter().filter(|at| (from..until).contains(*at)).count();
    let (at_once, soon) = (sent(60_049.0, 60_051.0), sent(60_049.0, 60_449.0));
    assert!((19..=20).contains(&at_once) && (26..=29).contains(&soon), "{at_once}, {soon}");
    assert_eq!(facts.finishes(0).len(), 1_000);
}

/// An attempt from before the breaker opened is no probe: its end decides nothing while the breaker is half open.
#[test]
fn circuit_breaker_ignores_old_attempts_when_half_open() {
    // `slow` (the first call) runs from 0 to 6.5 s and succeeds. Calls 2 and 3 are refused at 1 s and open the breaker
    // until 6 s. The probe of 6 s runs until 16 s and fails; the slow one's answer at 6.5 s must not close the breaker.
    let facts = Facts::of(
        "duration: 12s
functions:
  f: { duration: 10s, timeout: 30s, failures: [{ events: [4] }, { events: [1], after: 65% }] }
faults: [{ function: f, status: 500, from: 1s, until: 2s }]
callers:
  c:
    target: f
    arrivals: { at: [0s, 1s, 1s, 6s, 7s, 8s] }
    client:
      retry: none
      retry_on: [throttle, service_error, timeout]
      circuit_breaker: { window: 10s, failures: 50%, minimum_calls: 2, open: 5s, probes: 1 }",
    );
    // Attempts at 0, 1, 1 and the probe at 6; 7 and 8 s come before the probe's answer.
    assert_eq!(facts.attempt_times(0), [0.0, 1_000.0, 1_000.0, 6_000.0]);
}

/// A breaker that a change brings knows nothing of attempts that were sent before it.
///
/// The old one opens at 0 s and closes again at 1 s; an attempt of 2 s takes until 22 s. The new one, from 3 s on, opens
/// at 4 s, lets a probe fail at 5 s, and is open when the old attempt is answered.
#[test]
fn circuit_breaker_of_a_change_ignores_older_attempts() {
    let facts = Facts::of(
        "duration: 30s
functions: { f: { duration: 0s, timeout: 1m } }
faults: [{ function: f, status: 500, until: 500ms }, { function: f, status: 500, from: 4s, until: 6s }]
callers:
  c:
    target: f
    arrivals: { at: [0s, 1s, 2s, 4s, 5s, 23s] }
    client: { retry: none, circuit_breaker: { minimum_calls: 1, open: 1s } }
changes:
  - { at: 1500ms, set: { functions.f.duration: 20s } }
  - { at: 2500ms, set: { functions.f.duration: 0s } }
  - { at: 3s, set: { callers.c.client.circuit_breaker: { minimum_calls: 1, open: 1s, window: 20s } } }",
    );
    assert_eq!(facts.attempt_times(0), [0.0, 1_000.0, 2_000.0, 4_000.0, 5_000.0, 23_000.0]);
}

/// A budget as a share of first attempts: `burst` retries at once, then one for each ten calls.
#[test]
fn ratio_budget() {
    check_run(
        "10 % and 5",
        "duration: 1000s
functions: { f: { duration: 0s, reserved_concurrency: 0 } }
callers:
  c:
    target: f
    arrivals: { constant: 1/s }
    client: { retry: { max_attempts: 2, base: 0s, budget: { ratio: 10%, burst: 5 } } }",
        // The bucket holds 5 and is full, so the first call adds nothing; then 999 x 0.1 come: 99 whole ones.
        &[("callers.c.retries", 104.0), ("callers.c.retry_quota_exhausted", 896.0)],
    );
}

/// Client settings change while it runs; what is under way keeps the attempts that it has made.
#[test]
fn client_settings_change_while_it_runs() {
    check_run(
        "no retries from 30 s on",
        "duration: 60s
functions: { f: { duration: 0s, reserved_concurrency: 0 } }
callers:
  c: { target: f, arrivals: { constant: 1/s }, client: { retry: { max_attempts: 3, base: 1ms } } }
changes: [{ at: 30s, set: { callers.c.client.retry: none } }]",
        &[("callers.c.attempts", 30.0 * 3.0 + 30.0)],
    );
}

/// A closed loop: each user waits for the answer before thinking again, and `max_events` stops it.
#[test]
fn users_wait_for_their_answers() {
    for (start, first) in [("think", 2_000.0), ("at_once", 0.0)] {
        let facts = Facts::of(&format!(
            "duration: 20s\nfunctions: {{ f: {{ duration: 3s, timeout: 10s }} }}\n\
             callers: {{ c: {{ target: f, users: {{ count: 1, think: 2s, start: {start} }} }} }}"
        ));
        let expected: Vec<f64> =
            (0..4).map(|n| first + 5_000.0 * f64::from(n)).take_while(|at| *at < 20_000.0).collect();
        assert_eq!(facts.attempt_times(0)[..expected.len()], expected, "{start}");
    }
    check_run(
        "max_events",
        "duration: 1m
functions: { f: { duration: 1s } }
callers: { c: { target: f, users: { count: 5, think: 1s }, max_events: 12 } }",
        &[("callers.c.submitted", 12.0), ("callers.c.succeeded", 12.0)],
    );
}
