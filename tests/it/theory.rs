//! Results of queueing theory that a simulator must reproduce.
//!
//! Where chance is left, a test runs several seeds and compares their mean with the theory: it must lie within five
//! standard errors of the mean over the seeds. With ten seeds (nine degrees of freedom) a right simulator misses that
//! once in 1,400 tests; seeds are fixed, so a test that passes goes on passing. Each test also bounds the standard
//! error, so that it would notice a wrong simulator.

use lambdasim::aws::fact::Fact;
use serde_json::Value;

use crate::common::{Facts, ms, near, number, same, scenario_in, simulate, summary};

const SEEDS: u32 = 10;

/// Mean and standard error of what `measure` reads from a scenario's summaries over the seeds.
pub(crate) fn replicate<const N: usize>(yaml: &str, measure: impl Fn(&Value) -> [f64; N]) -> [(f64, f64); N] {
    let runs: Vec<[f64; N]> = (1..=SEEDS)
        .map(|seed| {
            let overrides = [format!("seed={seed}")];
            measure(&summary(&scenario_in(std::path::Path::new("."), yaml, &overrides)))
        })
        .collect();
    let count = f64::from(SEEDS);
    std::array::from_fn(|index| {
        let mean = runs.iter().map(|run| run[index]).sum::<f64>() / count;
        let variance = runs.iter().map(|run| (run[index] - mean) * (run[index] - mean)).sum::<f64>() / (count - 1.0);
        (mean, (variance / count).sqrt())
    })
}

/// Asserts that a mean over seeds agrees with the theory, and that it is known well enough to say so.
#[track_caller]
fn agrees(what: &str, (mean, error): (f64, f64), theory: f64, largest_error: f64) {
    assert!(error <= largest_error, "{what}: standard error {error} is above {largest_error}");
    near(what, mean, theory, 5.0 * error);
}

/// Erlang's loss formula: the share of calls that find `servers` busy under a load of `erlangs`.
pub(crate) fn erlang_b(servers: u32, erlangs: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, server| erlangs * blocked / (f64::from(server) + erlangs * blocked))
}

#[test]
fn the_loss_formula_itself() {
    // Published values: B(1, 1) = 1/2, B(2, 1) = 1/5, B(10, 8) = 0.1217 (Erlang's tables).
    assert!(same(erlang_b(1, 1.0), 0.5) && same(erlang_b(2, 1.0), 0.2));
    near("B(10, 8)", erlang_b(10, 8.0), 0.1217, 0.000_05);
}

/// M/G/c/c: Poisson calls, `reserved_concurrency` servers and no queue lose Erlang's share, whatever the law of the
/// durations (insensitivity). 8 erlangs on 10.
#[test]
pub(crate) fn erlang_b_blocking_for_any_duration() {
    for duration in [
        "{ exponential: { mean: 100ms } }",
        "100ms",
        "{ lognormal: { mean: 100ms, cv: 2 } }",
        "{ mixture: [{ weight: 90%, of: 50ms }, { weight: 10%, of: 550ms }] }",
    ] {
        let yaml = format!(
            "duration: 1000s\nwarmup: 5s\naccount: {{ request_rate_limit: off }}\n\
             functions: {{ f: {{ duration: {duration}, timeout: 15m, reserved_concurrency: 10 }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ poisson: 80/s }}, client: {{ retry: none, timeout: unlimited }} }} }}"
        );
        let [blocked, carried] = replicate(&yaml, |run| {
            let share = number(run, "functions.f.throttles") / number(run, "callers.c.submitted");
            [share, number(run, "functions.f.concurrent_executions.mean")]
        });
        let theory = erlang_b(10, 8.0);
        agrees(&format!("blocking with {duration}"), blocked, theory, 0.0015);
        agrees(&format!("carried load with {duration}"), carried, 8.0 * (1.0 - theory), 0.03);
    }
}

/// The units of provisioned concurrency are the first ten servers: what they cannot take spills over, Erlang's share;
/// their load is the rest, and their utilization counts the time in which at least one is busy.
#[test]
fn provisioned_units_are_a_loss_system_that_spills_over() {
    let (units, erlangs) = (10, 8.0);
    let yaml = "duration: 1000s
warmup: 5s
account: { request_rate_limit: off }
functions: { f: { duration: { gamma: { mean: 100ms, cv: 0.7 } }, timeout: 15m, provisioned_concurrency: 10 } }
callers: { c: { target: f, arrivals: { poisson: 80/s }, client: { retry: none } } }";
    let [spilled, busy, utilization] = replicate(yaml, |run| {
        let spilled = number(run, "functions.f.provisioned_concurrency_spillover_invocations");
        [
            spilled / number(run, "functions.f.invocations"),
            number(run, "functions.f.provisioned_concurrent_executions.mean"),
            number(run, "functions.f.provisioned_concurrency_utilization.mean"),
        ]
    });
    let blocked = erlang_b(units, erlangs);
    let carried = erlangs * (1.0 - blocked);
    // The share of time in which none is busy: a^0/0! over the sum of a^k/k!.
    let terms: Vec<f64> = (1..=units)
        .scan(1.0, |term, k| {
            *term *= erlangs / f64::from(k);
            Some(*term)
        })
        .collect();
    let none_busy = 1.0 / (1.0 + terms.iter().sum::<f64>());
    agrees("spill-over", spilled, blocked, 0.0015);
    agrees("busy units", busy, carried, 0.03);
    agrees("utilization", utilization, carried / f64::from(units) / (1.0 - none_busy), 0.003);
}

/// M/G/infinity: without a limit the number in flight is Poisson with the offered load as its mean. 40 erlangs;
/// quantiles are those of the Poisson distribution, give or take one.
#[test]
fn concurrency_without_limits_is_poisson() {
    let erlangs = 40.0;
    let mut term = libm::exp(-erlangs);
    let mut below = term;
    let mut quantiles = [0.0, 0.0];
    for k in 1..200 {
        term *= erlangs / f64::from(k);
        for (share, quantile) in [0.95, 0.99].into_iter().zip(&mut quantiles) {
            if below < share && below + term >= share {
                *quantile = f64::from(k);
            }
        }
        below += term;
    }
    for duration in ["200ms", "{ exponential: { mean: 200ms } }", "{ weibull: { scale: 100ms, shape: 0.5 } }"] {
        // The Weibull's mean is scale x Gamma(1 + 1/0.5) = 2 x scale.
        let yaml = format!(
            "duration: 200s\nwarmup: 10s\ndrain: 0s\n\
             functions: {{ f: {{ duration: {duration}, timeout: 15m }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ poisson: 200/s }} }} }}"
        );
        let [mean, p95, p99] = replicate(&yaml, |run| {
            ["mean", "p95", "p99"].map(|figure| number(run, &format!("functions.f.concurrent_executions.{figure}")))
        });
        agrees(&format!("mean, {duration}"), mean, erlangs, 0.4);
        near(&format!("p95, {duration}"), p95.0, quantiles[0], 1.0);
        near(&format!("p99, {duration}"), p99.0, quantiles[1], 1.0);
    }
}

/// Little's law holds in every single run that begins and ends empty: the mean number in flight x the length of the run
/// is the sum of the times in flight. No chance is left, whatever happens to the calls.
#[test]
fn littles_law_is_exact() {
    let yaml = "duration: 5m
functions:
  f:
    duration: { lognormal: { median: 200ms, p99: 3s } }
    timeout: 2s
    init: { gamma: { mean: 400ms, cv: 1 } }
    platform_start: 100ms
    extension_tail: 20ms
    idle_timeout: 20s
    reserved_concurrency: 15
    failures: [{ probability: 3%, kind: crash, after: 50% }]
callers:
  c: { target: f, arrivals: { poisson: 40/s }, client: { timeout: 1s } }";
    let summary = simulate(yaml);
    let facts = Facts::of(yaml);
    let mut busy = 0.0;
    for (now, fact) in &facts.list {
        match fact {
            Fact::RunStarted { .. } => busy -= ms(*now),
            Fact::RunEnded { .. } => busy += ms(*now),
            _ => {}
        }
    }
    let gauge = number(&summary, "functions.f.concurrent_executions.mean") * number(&summary, "window.ended_ms");
    assert!(((gauge - busy) / busy).abs() < 1e-9, "{gauge} is not {busy}");
    // And of the calls: by their latencies.
    let mut open = 0.0;
    for (now, fact) in &facts.list {
        match fact {
            Fact::CallSubmitted { .. } => open -= ms(*now),
            Fact::CallFinished { .. } => open += ms(*now),
            _ => {}
        }
    }
    let latencies = number(&summary, "callers.c.latency_ms.mean") * number(&summary, "callers.c.latency_ms.count");
    assert!(((latencies - open) / open).abs() < 1e-9, "{latencies} is not {open}");
    let durations: f64 = facts.runs().iter().map(|run| run.ended().duration).sum();
    let shown = number(&summary, "functions.f.duration_ms.mean") * number(&summary, "functions.f.duration_ms.count");
    assert!(((durations - shown) / shown).abs() < 1e-9, "{shown} is not {durations}");
}

/// The law of the closed loop: N users who think Z and wait R make X = N / (R + Z) calls a second, whatever the system
/// does to them. Here five servers and a patient client that comes back until it is served.
#[test]
fn closed_loop_law() {
    for reserved in ["none", "5"] {
        let yaml = format!(
            "duration: 600s
warmup: 20s
functions: {{ f: {{ duration: {{ exponential: {{ mean: 300ms }} }}, timeout: 15m, reserved_concurrency: {reserved} }} }}
callers:
  c:
    target: f
    users: {{ count: 20, think: {{ exponential: {{ mean: 1s }} }} }}
    client: {{ timeout: unlimited, retry: {{ max_attempts: 10000, base: 50ms, factor: 1, jitter: full }} }}"
        );
        let [users, attempts] = replicate(&yaml, |run| {
            let rate = number(run, "callers.c.submitted") / 580.0;
            let response = number(run, "callers.c.latency_ms.mean") / 1_000.0;
            [rate * (response + 1.0), number(run, "callers.c.attempts") / number(run, "callers.c.submitted")]
        });
        agrees(&format!("users with {reserved}"), users, 20.0, 0.1);
        assert_eq!(attempts.0 > 1.5, reserved == "5", "{attempts:?}");
    }
}

/// A closed loop without limits: each user is busy R / (R + Z) of the time, so N R / (R + Z) are in flight; for an
/// exponential law of both the number is binomial, with that mean and variance N p (1 - p) behind its 95 % quantile.
#[test]
fn closed_loop_occupation_is_binomial() {
    let (users, share) = (20, 0.25);
    let yaml = "duration: 600s
warmup: 20s
drain: 0s
functions: { f: { duration: { exponential: { mean: 300ms } }, timeout: 15m } }
callers: { c: { target: f, users: { count: 20, think: { exponential: { mean: 900ms } } }, client: { timeout: unlimited } } }";
    let [mean, p95] = replicate(yaml, |run| {
        ["mean", "p95"].map(|figure| number(run, &format!("functions.f.concurrent_executions.{figure}")))
    });
    agrees("mean", mean, f64::from(users) * share, 0.05);
    // The smallest k with P(X <= k) >= 0.95.
    let mut term = (0..users).fold(1.0, |product, _| product * (1.0 - share));
    let (mut below, mut quantile) = (term, 0);
    while below < 0.95 {
        term *= f64::from(users - quantile) / f64::from(quantile + 1) * share / (1.0 - share);
        quantile += 1;
        below += term;
    }
    near("p95", p95.0, f64::from(quantile), 0.5);
}

/// A single environment goes cold when a gap of the Poisson process is longer than its idle limit: with probability
/// exp(-rate x limit). Runs take no time, so gaps are those between arrivals and each is judged by itself.
#[test]
fn a_lone_environment_is_cold_with_exp_of_minus_rate_times_limit() {
    for (limit, exponent) in [("50s", 0.5), ("100s", 1.0), ("300s", 3.0)] {
        let yaml = format!(
            "duration: 400000s\nfunctions: {{ f: {{ duration: 0s, init: 0s, idle_timeout: {limit} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ poisson: 0.01/s }} }} }}"
        );
        let [cold] = replicate(&yaml, |run| {
            [(number(run, "functions.f.cold_starts") - 1.0) / (number(run, "functions.f.invocations") - 1.0)]
        });
        let theory = libm::exp(-exponent);
        agrees(&format!("idle limit {limit}"), cold, theory, 0.005);
        // The spread must be that of independent gaps too: p (1 - p) / n with 4,000 gaps, ten times; a sample of ten
        // variances stays within a factor of 5 (chi square, 1e-4 on either side).
        let independent = theory * (1.0 - theory) / 40_000.0;
        let ratio = cold.1 * cold.1 / independent;
        assert!((0.2..5.0).contains(&ratio), "{limit}: variance is {ratio} times that of independent gaps");
    }
}

/// An exponential idle limit of mean m races against exponential gaps of mean g: cold with probability g / (g + m).
#[test]
fn drawn_idle_limits_race_against_the_gaps() {
    for selection in ["mru", "lru", "fifo", "random"] {
        let yaml = format!(
            "duration: 400000s\n\
             functions: {{ f: {{ duration: 0s, idle_timeout: {{ exponential: {{ mean: 300s }} }}, warm_selection: {selection} }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ poisson: 0.01/s }} }} }}"
        );
        let [cold] = replicate(&yaml, |run| {
            [(number(run, "functions.f.cold_starts") - 1.0) / (number(run, "functions.f.invocations") - 1.0)]
        });
        agrees(selection, cold, 0.25, 0.005);
    }
}

/// Attempts that fail with p each, three of them: 1 + p + p^2 attempts a call, and p^3 of the calls fail.
#[test]
fn retries_are_a_geometric_series() {
    for p in [0.1, 0.5, 0.9] {
        let yaml = format!(
            "duration: 100s
functions: {{ f: {{ duration: 1ms }} }}
faults: [{{ function: f, status: 500, probability: {p} }}]
callers: {{ c: {{ target: f, arrivals: {{ poisson: 50/s }}, client: {{ retry: {{ max_attempts: 3, base: 10ms }} }} }} }}"
        );
        let [attempts, failed] = replicate(&yaml, |run| {
            let submitted = number(run, "callers.c.submitted");
            [number(run, "callers.c.attempts") / submitted, number(run, "callers.c.failed") / submitted]
        });
        agrees(&format!("attempts at {p}"), attempts, 1.0 + p + p * p, 0.008);
        agrees(&format!("failed at {p}"), failed, p * p * p, 0.004);
    }
}

/// Arrivals of the random processes come at the rates that they state.
#[test]
fn arrival_rates() {
    for (arrivals, expected) in [
        ("{ poisson: 20/s }", 20.0),
        ("{ constant: 20/s }", 20.0),
        // Straight line from 10 to 30.
        ("{ profile: { points: [{ at: 0s, rate: 10/s }, { at: 500s, rate: 30/s }] } }", 20.0),
        ("{ profile: { shape: step, points: [{ at: 0s, rate: 10/s }, { at: 250s, rate: 30/s }] } }", 20.0),
        // On for 1 s and off for 1 s on average.
        ("{ on_off: { on: { exponential: { mean: 1s } }, off: { exponential: { mean: 1s } }, rate: 40/s } }", 20.0),
    ] {
        let yaml = format!(
            "duration: 500s\nfunctions: {{ f: {{ duration: 1ms }} }}\ncallers: {{ c: {{ target: f, arrivals: {arrivals} }} }}"
        );
        let [rate] = replicate(&yaml, |run| [number(run, "callers.c.submitted") / 500.0]);
        agrees(arrivals, (rate.0, rate.1.max(0.002)), expected, 0.6);
    }
}

/// Service times come with the moments that their laws state: the mean of the durations shown.
#[test]
fn mean_durations() {
    for (duration, mean_ms) in [
        ("{ exponential: { mean: 100ms } }", 100.0),
        ("{ uniform: { min: 50ms, max: 150ms } }", 100.0),
        ("{ gamma: { mean: 100ms, cv: 1.5 } }", 100.0),
        ("{ lognormal: { mean: 100ms, cv: 1.5 } }", 100.0),
        ("{ pareto: { min: 50ms, alpha: 4 } }", 50.0 * 4.0 / 3.0),
        // Straight lines between the quantiles: the mean of each part's middle, by its weight.
        (
            "{ quantiles: { p0: 5ms, p50: 40ms, p90: 90ms, p99: 400ms, p100: 2s } }",
            0.5 * 22.5 + 0.4 * 65.0 + 0.09 * 245.0 + 0.01 * 1_200.0,
        ),
    ] {
        let yaml = format!(
            "duration: 100s\nfunctions: {{ f: {{ duration: {duration}, timeout: 15m }} }}\n\
             callers: {{ c: {{ target: f, arrivals: {{ constant: 100/s }} }} }}"
        );
        let [mean] = replicate(&yaml, |run| [number(run, "functions.f.duration_ms.mean")]);
        agrees(duration, mean, mean_ms, 1.0);
    }
}

/// The share of requests that wait in an M/M/c queue (Erlang C), from Erlang's loss formula.
fn erlang_c(servers: u32, erlangs: f64) -> f64 {
    let (blocked, load) = (erlang_b(servers, erlangs), erlangs / f64::from(servers));
    blocked / (1.0 - load * (1.0 - blocked))
}

/// Poisson calls of a function that takes no time ask a dependency; nothing else limits.
fn asking(rate: u32, dependency: &str) -> String {
    format!(
        "duration: 2000s\nwarmup: 100s\naccount: {{ concurrency_limit: 100000, request_rate_limit: off, scaling: off }}\n\
         dependencies: {{ d: {{ {dependency} }} }}\n\
         functions: {{ f: {{ duration: 0s, timeout: 15m, calls: [{{ dependency: d }}] }} }}\n\
         callers: {{ c: {{ target: f, arrivals: {{ poisson: {rate}/s }}, client: {{ retry: none, timeout: unlimited }} }} }}"
    )
}

/// M/M/c: the mean wait is C(c, a) / (c mu - lambda). 8 erlangs on 10 servers of 100 ms, and 0.7 on one.
#[test]
fn erlang_c_waiting() {
    for (rate, servers, largest) in [(80, 10, 0.6), (7, 1, 6.0)] {
        let yaml = asking(rate, &format!("concurrency: {servers}, service_time: {{ exponential: {{ mean: 100ms }} }}"));
        let [wait, busy] = replicate(&yaml, |run| {
            ["wait_ms.mean", "in_service.mean"].map(|figure| number(run, &format!("dependencies.d.{figure}")))
        });
        let erlangs = f64::from(rate) / 10.0;
        let theory = erlang_c(servers, erlangs) / (10.0 * f64::from(servers) - f64::from(rate)) * 1e3;
        agrees(&format!("wait, {servers} servers"), wait, theory, largest);
        agrees(&format!("busy, {servers} servers"), busy, erlangs, 0.1);
    }
}

/// M/G/1: the mean wait is lambda E[S^2] / (2 (1 - rho)) (Pollaczek and Khinchine). 7 requests a second of 100 ms.
#[test]
fn pollaczek_khinchine_waiting() {
    for (law, cv2, largest) in [
        ("100ms", 0.0, 3.0),
        ("{ gamma: { mean: 100ms, cv: 0.5 } }", 0.25, 4.0),
        ("{ lognormal: { mean: 100ms, cv: 1.5 } }", 2.25, 14.0),
    ] {
        let yaml = asking(7, &format!("concurrency: 1, service_time: {law}"));
        let [wait] = replicate(&yaml, |run| [number(run, "dependencies.d.wait_ms.mean")]);
        let theory = 7.0 * 0.01 * (1.0 + cv2) / (2.0 * (1.0 - 0.7)) * 1e3;
        agrees(law, wait, theory, largest);
    }
}

/// The machine-repair model: N users think for 1/lambda and share one server of 1/mu; the busy share of the server is
/// 1 - p0 with p0 = 1 / sum over k of N!/(N-k)! (lambda/mu)^k.
#[test]
fn machine_repair() {
    let (users, ratio) = (10_u32, 0.1);
    let yaml = "duration: 2000s
warmup: 100s
dependencies: { d: { concurrency: 1, service_time: { exponential: { mean: 100ms } } } }
functions: { f: { duration: 0s, timeout: 15m, calls: [{ dependency: d }] } }
callers: { c: { target: f, users: { count: 10, think: { exponential: { mean: 1s } } }, client: { retry: none, timeout: unlimited } } }";
    let [busy, rate, response] = replicate(yaml, |run| {
        let measured = 1_900.0;
        [
            number(run, "dependencies.d.in_service.mean"),
            number(run, "callers.c.succeeded") / measured,
            number(run, "callers.c.latency_ms.mean") / 1e3,
        ]
    });
    let terms = (1..=users).scan(1.0, |term, k| {
        *term *= f64::from(users - k + 1) * ratio;
        Some(*term)
    });
    let idle = 1.0 / (1.0 + terms.sum::<f64>());
    agrees("busy", busy, 1.0 - idle, 0.005);
    // The interactive law: N = X (R + Z).
    agrees("throughput", rate, (1.0 - idle) * 10.0, 0.05);
    agrees("response", response, f64::from(users) / ((1.0 - idle) * 10.0) - 1.0, 0.01);
}

/// N retries of what fails with probability p succeed with 1 - p^(N+1) and ask (1 - p^(N+1)) / (1 - p) times.
#[test]
fn retries_against_a_failing_dependency() {
    for (p, retries) in [(0.1, 2), (0.5, 2), (0.5, 4), (0.9, 3)] {
        let yaml = format!(
            "duration: 400s
account: {{ request_rate_limit: off }}
dependencies: {{ d: {{ service_time: 1ms, failures: [{{ probability: {p} }}] }} }}
functions:
  f:
    duration: 0s
    calls: [{{ dependency: d, client: {{ retry: {{ max_attempts: {}, base: 1ms, jitter: none }} }} }}]
callers: {{ c: {{ target: f, arrivals: {{ poisson: 50/s }}, client: {{ retry: none }} }} }}",
            retries + 1
        );
        let [load, succeeded] = replicate(&yaml, |run| {
            let share = number(run, "callers.c.succeeded") / number(run, "callers.c.submitted");
            [number(run, "dependencies.d.load_factor"), share]
        });
        let failed = libm::pow(p, f64::from(retries) + 1.0);
        agrees(&format!("load, p = {p}, {retries} retries"), load, (1.0 - failed) / (1.0 - p), 0.01);
        agrees(&format!("success, p = {p}, {retries} retries"), succeeded, 1.0 - failed, 0.005);
    }
}
