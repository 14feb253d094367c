//! Random scenarios in which runs call runs, services and dependencies.

use proptest::prelude::*;

type Text = BoxedStrategy<String>;

fn one_of(texts: &'static [&'static str]) -> Text {
    proptest::sample::select(texts).prop_map(str::to_owned).boxed()
}

/// `, key: value` or, half of the time, nothing.
fn maybe(key: &'static str, value: Text) -> Text {
    proptest::option::of(value)
        .prop_map(move |value| value.map_or(String::new(), |it| format!(", {key}: {it}")))
        .boxed()
}

/// A block that begins with `first`, and of these further keys those that are there.
fn block(first: Text, rest: Vec<Text>) -> Text {
    (first, rest).prop_map(|(first, rest)| format!("{{ {first}{} }}", rest.concat())).boxed()
}

fn concurrency() -> Text {
    one_of(&["1", "2", "5"])
}

fn failures() -> Text {
    one_of(&[
        "[{ probability: 30% }]",
        "[{ probability: 100%, from: 1s, until: 3s }]",
        "[{ probability: 30%, kind: timeout }, { poison: 20%, after: 30% }]",
        "[{ probability: 40%, above_concurrency: 1 }, { first_attempts: 1 }]",
        "[{ probability: 100%, kind: timeout, from: 2s }]",
        "[{ probability: 20%, kind: crash, after: 0% }]",
    ])
}

/// The keys of a dependency that may change while it runs, with their values.
fn settings() -> Vec<(&'static str, Text)> {
    vec![
        ("concurrency", concurrency()),
        ("queue", one_of(&["0", "1", "4", "unlimited"])),
        ("discipline", one_of(&["fifo", "lifo"])),
        ("rate_limit", one_of(&["1/s", "3/s", "20/s", "40/min", "unlimited"])),
        ("connection_limit", one_of(&["2", "3", "8", "unlimited"])),
        ("slowdown", one_of(&["{ per_call: 50% }", "{ above: 2, per_call: 100% }", "none"])),
        ("abandoned_calls", one_of(&["continue", "stop"])),
        ("failures", failures()),
    ]
}

fn service_time() -> Text {
    one_of(&["0s", "20ms", "150ms", "800ms", "{ exponential: { mean: 60ms } }", "{ uniform: { min: 0s, max: 400ms } }"])
}

fn dependency() -> Text {
    let held = ("connections_per_environment", one_of(&["0", "1", "2"]));
    let rest = settings().into_iter().chain([held]).map(|(key, value)| maybe(key, value)).collect();
    block(service_time().prop_map(|time| format!("service_time: {time}")).boxed(), rest)
}

fn client() -> Text {
    let retry = one_of(&[
        "none",
        "boto3_legacy",
        "standard_v2",
        "standard_2026",
        "adaptive",
        "{ preset: standard_2026, jitter: none, base: 10ms }",
        "{ preset: adaptive, base: 0s, max_attempts: 2 }",
        "{ max_attempts: 3, base: 0s, jitter: none }",
        "{ max_attempts: 3, base: 100ms, jitter: decorrelated }",
        "{ max_attempts: 2, base: 2s, jitter: equal, budget: { tokens: 20 } }",
        "{ max_attempts: 4, base: 30ms, budget: { ratio: 20%, burst: 1 } }",
        "{ base: 10ms, budget: { tokens: 0 } }",
    ]);
    let rest = vec![
        maybe("retry_on", one_of(&["[]", "[any]", "[throttle]", "[function_error, timeout]"])),
        maybe("timeout", one_of(&["40ms", "150ms", "1s", "unlimited"])),
        maybe("total_timeout", one_of(&["100ms", "1s", "2500ms"])),
        maybe(
            "circuit_breaker",
            one_of(&[
                "{ minimum_calls: 1, open: 500ms }",
                "{ window: 2s, failures: 30%, minimum_calls: 2, open: 1s, probes: 2 }",
                "none",
            ]),
        ),
    ];
    block(retry.prop_map(|retry| format!("retry: {retry}")).boxed(), rest)
}

/// A call of a function of this layer: of those below it, of a service, or of a dependency.
fn call(layer: usize) -> Text {
    let function = (layer + 1..=LAYERS, one_of(&["", "", ", invocation: async"]))
        .prop_map(|(index, invocation)| format!("function: f{index}{invocation}"));
    let service = one_of(&[
        "queue: q",
        "queue: fifo",
        "queue: fifo, keys: { constant: a }",
        "queue: small",
        "stream: s",
        "stream: s, keys: { uniform: 3 }",
        "broker: r",
        "topic: t",
        "event_bus: e",
        "bucket: b",
        "state_machine: m",
    ]);
    let dependency = one_of(&["dependency: d0", "dependency: d1"]);
    let what =
        if layer < LAYERS { prop_oneof![4 => dependency, 3 => function, 1 => service].boxed() } else { dependency };
    block(
        what,
        vec![
            one_of(&["", "", ", times: 2", ", times: 3", ", times: 2, parallel: 2", ", times: 3, parallel: 2"]),
            maybe("timeout", one_of(&["30ms", "200ms", "1s"])),
            maybe("client", client()),
            maybe("on_failure", one_of(&["fail", "ignore", "ignore"])),
            maybe("payload", one_of(&["1KB", "300KB", "7MB", "{ uniform: { min: 1KB, max: 2MB } }"])),
        ],
    )
}

fn calls(layer: usize) -> Text {
    let side_by_side = proptest::collection::vec(call(layer), 1..=3)
        .prop_map(|calls| format!("{{ parallel: [{}] }}", calls.join(", ")));
    let step = prop_oneof![2 => call(layer), 1 => side_by_side];
    proptest::collection::vec(step, 0..=3).prop_map(|steps| format!("[{}]", steps.join(", "))).boxed()
}

/// The functions `f0` .. call those of higher numbers; the last is behind all services, and calls dependencies alone.
const LAYERS: usize = 3;

fn function(layer: usize) -> Text {
    let calls = if layer == 0 {
        prop_oneof![8 => calls(layer), 1 => Just("[{ function: f0, client: { retry: none }, on_failure: ignore }]".to_owned())]
            .boxed()
    } else {
        calls(layer)
    };
    let asynchronous = one_of(&[
        "{ maximum_retry_attempts: 0 }",
        "{ maximum_retry_attempts: 1, retry_delays: [1s], maximum_event_age: 60s, on_failure: dead }",
        "{ maximum_event_age: 60s, duplicate_probability: 10%, retry_delays: [0s, 500ms], dead_letter_queue: dead }",
        "{ maximum_retry_attempts: 0, maximum_event_age: 60s, on_success: dead, dispatch_latency: 30ms }",
    ]);
    let duration = one_of(&["0s", "10ms", "300ms", "{ exponential: { mean: 50ms } }"]);
    block(
        (duration, calls, asynchronous)
            .prop_map(|(duration, calls, asynchronous)| {
                format!("duration: {duration}, calls: {calls}, async: {asynchronous}")
            })
            .boxed(),
        vec![
            maybe("timeout", one_of(&["1s", "1500ms", "5s"])),
            maybe("init", one_of(&["0s", "200ms", "11s"])),
            maybe("idle_timeout", one_of(&["50ms", "1s", "{ exponential: { mean: 400ms } }"])),
            one_of(&[
                "",
                "",
                ", reserved_concurrency: 0",
                ", reserved_concurrency: 1",
                ", reserved_concurrency: 3",
                ", snapstart: { restore: 100ms }",
                ", provisioned_concurrency: 2",
                ", provisioned_concurrency: { initial: 1, preparation: 500ms, schedule: [{ at: 1s, to: 3 }, { at: 3s, to: 1 }] }",
            ]),
            maybe("extension_tail", one_of(&["20ms", "2s"])),
            maybe(
                "failures",
                one_of(&[
                    "[{ probability: 20% }]",
                    "[{ probability: 30%, kind: timeout }, { poison: 10%, kind: crash }]",
                ]),
            ),
            maybe("warm_selection", one_of(&["lru", "random"])),
            maybe("maximum_environment_age", one_of(&["800ms", "3s"])),
        ],
    )
}

fn caller() -> Text {
    let to_function = (
        one_of(&[
            "f0",
            "f0, invocation: async",
            "f0, via: api_gateway_rest",
            "f0, via: cloudfront",
            "f0, via: s3",
            "f0, via: sns",
            "f0, via: { alb: { idle_timeout: 1s } }",
            "f0, via: cognito",
            "f0, via: firehose",
            "f1",
            "f2, via: eventbridge",
            "f1, via: cloudfront",
            "f1, via: step_functions",
            "f3, via: function_url",
        ]),
        Just(String::new()),
    );
    let client = one_of(&[
        "",
        ", client: { retry: { max_attempts: 2, base: 50ms }, timeout: 300ms }",
        ", client: { retry: none, timeout: 100ms }",
    ]);
    let direct = (one_of(&["f0", "f1", "f2", "f0, invocation: async"]), client);
    let place = (one_of(&["q", "s", "t", "e", "b", "m", "r"]), Just(String::new()));
    let arrivals = one_of(&[
        "arrivals: { poisson: 3/s }",
        "arrivals: { poisson: 8/s }",
        "arrivals: { burst: { size: 8, every: 2s, times: 2 } }",
        "arrivals: { at: [0s, 0s, 1s, 1s, 2s, 4s] }",
        "users: { count: 3, think: 200ms }",
    ]);
    let open = one_of(&["arrivals: { poisson: 3/s }", "arrivals: { burst: { size: 6, every: 2s, times: 2 } }"]);
    let text = |((target, client), when): ((String, String), String)| format!("{{ target: {target}{client}, {when} }}");
    prop_oneof![
        3 => (to_function, open.clone()).prop_map(text),
        3 => (direct, arrivals).prop_map(text),
        1 => (place, open).prop_map(text),
    ]
    .boxed()
}

fn change() -> Text {
    let of_dependency = settings().into_iter().map(|(key, value)| {
        (0..2_usize, value)
            .prop_map(move |(index, value)| format!("set: {{ dependencies.d{index}.{key}: {value} }}"))
            .boxed()
    });
    let of_calls = (0..=LAYERS).map(|layer| {
        calls(layer).prop_map(move |calls| format!("set: {{ functions.f{layer}.calls: {calls} }}")).boxed()
    });
    let of_function = (
        0..=LAYERS,
        one_of(&[
            "timeout: 1s",
            "timeout: 4s",
            "reserved_concurrency: 0",
            "reserved_concurrency: 4",
            "extension_tail: 1s",
            "duration: 40ms",
        ]),
    )
        .prop_map(|(layer, setting)| format!("set: {{ functions.f{layer}.{setting} }}"));
    let time = (0..2_usize, service_time())
        .prop_map(|(index, time)| format!("set: {{ dependencies.d{index}.service_time: {time} }}"));
    let what = prop_oneof![
        4 => proptest::strategy::Union::new(of_dependency),
        3 => proptest::strategy::Union::new(of_calls),
        2 => of_function,
        1 => time,
        1 => (0..=LAYERS).prop_map(|layer| format!("deploy: f{layer}")),
    ];
    (one_of(&["0s", "500ms", "1s", "2100ms", "4s", "6s"]), what)
        .prop_map(|(at, what)| format!("{{ at: {at}, {what} }}"))
        .boxed()
}

/// A scenario in which runs call runs and dependencies.
pub(super) fn yaml() -> impl Strategy<Value = String> {
    let fault = one_of(&[
        "{ function: f1, status: 500, probability: 30% }",
        "{ function: f2, status: 429, from: 1s, until: 2s }",
        "{ queue: q, status: 500, probability: 50% }",
        "{ stream: s, status: 500, probability: 50% }",
        "{ topic: t, status: 429, probability: 50% }",
    ]);
    let functions: Vec<_> = (0..=LAYERS).map(function).collect();
    (
        proptest::collection::vec(dependency(), 2),
        functions,
        proptest::collection::vec(caller(), 1..=2),
        proptest::collection::vec(change(), 0..=4),
        proptest::collection::vec(fault, 0..=2),
        (
            one_of(&["settle", "settle", "settle", "0s", "1s"]),
            one_of(&["", "", "model: { timing: typical }", "account: { concurrency_limit: 110, scaling: { environments: 2, every: 1s } }"]),
        ),
        0..1_000_u32,
    )
        .prop_map(|(dependencies, functions, callers, changes, faults, (drain, more), seed)| {
            let named = |letter: char, blocks: Vec<String>| -> String {
                blocks.into_iter().enumerate().map(|(index, text)| format!("  {letter}{index}: {text}\n")).collect()
            };
            format!(
                "name: random\nduration: 5s\nseed: {seed}\ndrain: {drain}\n{more}\ndependencies:\n{}functions:\n{}callers:\n{}\
queues: {{ q: {{ visibility_timeout: 5s, redrive: {{ dead_letter_queue: dead, max_receive_count: 2 }} }}, dead: {{}}, fifo: {{ type: fifo }}, \
small: {{ maximum_message_size: 2KiB }} }}
streams: {{ s: {{ type: kinesis, shards: 2 }} }}
brokers: {{ r: {{ type: rabbitmq }} }}
topics: {{ t: {{ subscribers: [f3, q] }} }}
event_buses: {{ e: {{ rules: [{{ targets: [f3] }}] }} }}
buckets: {{ b: {{ notify: [f3] }} }}
state_machines: {{ m: {{ start_at: a, states: {{ a: {{ task: f3, timeout: 2s, end: true }} }} }} }}
event_source_mappings:
  mq: {{ source: q, function: f3, batch_size: 2 }}
  ms: {{ source: s, function: f3, batch_size: 3, maximum_retry_attempts: 1, on_failure: dead }}
  mr: {{ source: r, function: f3 }}
faults: [{}]\nchanges: [{}]\n",
                named('d', dependencies),
                named('f', functions),
                named('c', callers),
                faults.join(", "),
                changes.join(", "),
            )
        })
}
