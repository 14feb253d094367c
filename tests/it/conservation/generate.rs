//! Random small scenarios over the whole language.

use std::fmt;

use proptest::prelude::*;

/// A scenario's text; printed as it is when a case fails.
#[derive(Clone)]
pub(super) struct Yaml(pub(super) String);

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

fn jitter() -> Text {
    one_of(&["none", "full", "equal", "decorrelated", "25%"])
}

/// Places that always exist, so that each may be a target.
const PLACES: &str = "queues: { q0: {}, q1: { type: fifo }, q2: { maximum_message_size: 1KiB } }
topics: { t0: {} }
event_buses: { e0: {} }
buckets: { b0: {} }
";

/// A target for the ends of events.
fn target(places: &'static [&'static str], functions: usize) -> Text {
    prop_oneof![2 => one_of(places), 1 => (0..functions).prop_map(|index| format!("f{index}"))].boxed()
}

/// The configuration of asynchronous invocation.
fn asynchronous(functions: usize) -> Text {
    let backoff = block(vec![
        always("base", one_of(&["500ms", "1s", "3s"])),
        maybe("factor", one_of(&["1.5", "2", "3"])),
        maybe("cap", one_of(&["20s", "unlimited"])),
        maybe("jitter", jitter()),
    ]);
    let delivery =
        block(vec![always("delay", one_of(&["0s", "1s", "60s"])), always("attempts", one_of(&["1", "2", "4"]))]);
    block(vec![
        maybe("maximum_retry_attempts", one_of(&["0", "1", "2"])),
        prop_oneof![
            4 => always("maximum_event_age", one_of(&["60s", "61s", "90s", "5m"])),
            1 => Just(String::new()),
        ]
        .boxed(),
        maybe("dead_letter_queue", one_of(&["q0", "q1", "q2", "t0"])),
        maybe("on_failure", target(&["q0", "q1", "q2", "t0", "e0", "b0"], functions)),
        maybe("on_success", target(&["q0", "q1", "q2", "t0", "e0"], functions)),
        maybe("dispatch_latency", one_of(&["0s", "30ms", "2s", "70s"])),
        maybe("retry_delays", one_of(&["[1s]", "[0s, 2s]", "[500ms, 1s, 1m]", "[59s, 61s]"])),
        maybe("retry_from", one_of(&["end", "start"])),
        maybe("retry_jitter", jitter()),
        maybe("backoff", backoff),
        maybe("backpressure", one_of(&["none", "{ per: 1 }", "{ per: 7 }"])),
        maybe("expiry", one_of(&["lookahead", "at_deadline"])),
        maybe("duplicate_probability", one_of(&["0%", "10%", "100%"])),
        maybe("maximum_parallel_dispatch", one_of(&["1", "3", "unlimited"])),
        maybe("delivery", delivery),
    ])
}

/// A loop without end may only be cut, and takes time; see [`yaml`].
const ENDLESS: &str = "recursive_loop: allow, async: { dispatch_latency: 700ms, maximum_parallel_dispatch: 5, on_success: f0, \
    on_failure: f0 }";

fn function(functions: usize) -> Text {
    block(vec![
        prop_oneof![
            1 => one_of(&["", "recursive_loop: terminate, "]),
            8 => always("async", asynchronous(functions)),
            1 => Just(format!("{ENDLESS}, ")),
        ]
        .boxed(),
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
        prop_oneof![
            2 => maybe("payload", one_of(&["1KB", "7MB", "{ uniform: { min: 5MB, max: 7MB } }"])),
            3 => one_of(&["invocation: async, ", "invocation: async, payload: 250KB, "]),
            1 => one_of(&["invocation: async, payload: { uniform: { min: 1KB, max: 1100KB } }, "]),
        ]
        .boxed(),
        always("client", client()),
    ])
}

/// A change of what events meet.
fn asynchronous_change(functions: usize) -> Text {
    (
        0..functions,
        one_of(&[
            "reserved_concurrency: 0",
            "recursive_loop: terminate",
            "async.maximum_retry_attempts: 0",
            "async.maximum_event_age: 60s",
            "async.maximum_event_age: 2m",
            "async.dead_letter_queue: q0",
            "async.dead_letter_queue: none",
            "async.on_failure: t0",
            "async.on_failure: none",
            "async.on_success: q1",
            "async.retry_delays: [3s]",
            "async.backoff: { base: 2s, factor: 3, jitter: none }",
            "async.expiry: at_deadline",
            "async.maximum_parallel_dispatch: 2",
            "async.maximum_parallel_dispatch: unlimited",
            "async.delivery: { delay: 2s, attempts: 2 }",
            "async.duplicate_probability: 50%",
        ]),
    )
        .prop_map(|(index, setting)| format!("set: {{ functions.f{index}.{setting} }}"))
        .boxed()
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
            "set: { account.configuration_propagation: 0s }",
            "set: { account.configuration_propagation: 5s }",
        ]),
        (0..functions).prop_map(|index| format!("deploy: f{index}")),
        asynchronous_change(functions),
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
        maybe("configuration_propagation", one_of(&["0s", "2s", "1m"])),
        maybe("caller_rate_limit", one_of(&["off", "15/s", "100/min"])),
    ])
}

fn fault(functions: usize) -> Text {
    let service = (0..functions, one_of(&["", "stage: invoke, ", "stage: dispatch, "]))
        .prop_map(|(index, stage)| format!("function: f{index}, {stage}"));
    let place = one_of(&["queue: q0, ", "queue: q2, ", "topic: t0, ", "event_bus: e0, ", "bucket: b0, "]);
    let what = prop_oneof![service, place];
    let fault = (what, one_of(&["429", "500", "503"]), one_of(&["", ", probability: 30%", ", from: 2s, until: 5s"]));
    fault.prop_map(|(what, status, rest)| format!("{{ {what}status: {status}{rest} }}")).boxed()
}

pub(super) fn yaml() -> impl Strategy<Value = Yaml> {
    (1..=3_usize, 1..=3_usize)
        .prop_flat_map(|(functions, callers)| {
            (
                account(),
                prop::collection::vec(function(functions), functions),
                prop::collection::vec(caller(functions), callers),
                list(fault(functions), 4),
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
            let endless = functions.iter().any(|function| function.contains(ENDLESS));
            let drain = if endless { "drain: 3s\n".to_owned() } else { drain };
            Yaml(format!(
                "name: random\nduration: 15s\nseed: {seed}\n{drain}{warmup}{rest}account: {account}\nfunctions:\n{}callers:\n{}{PLACES}faults: {faults}\nchanges: {changes}\n",
                named('f', functions),
                named('c', callers),
            ))
        })
}
