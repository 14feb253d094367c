//! What is said of settings: each check just below, at and above its threshold, and with what it proposes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use lambdasim::lint::{self, Check, Finding};
use lambdasim::scenario;

use crate::common::scenario_in;
use crate::determinism::shipped;

/// A check, a scenario, and what `--set` makes of it: whether the check has something to say.
type Row = (Check, &'static str, &'static [(&'static [&'static str], bool)]);

/// One function, a second a run, that nobody calls.
const ALONE: &str = "functions: { f: { duration: 1s } }";

/// A function that a caller calls once a second.
const CALLED: &str = "functions: { f: { duration: 1s } }
callers: { c: { target: f, arrivals: { constant: 1/s } } }";

/// A queue as it should be.
const QUEUE: &str = "functions: { f: { duration: 1s, timeout: 10s } }
queues: { q: { visibility_timeout: 1m, redrive: { dead_letter_queue: d, max_receive_count: 5 } }, d: { message_retention: 14d } }
event_source_mappings: { m: { source: q, function: f } }
callers: { c: { target: q, arrivals: { constant: 1/s } } }";

/// A stream as it should be.
const STREAM: &str = "functions: { f: { duration: 1s } }
queues: { lost: {} }
streams: { s: { type: kinesis } }
event_source_mappings: { m: { source: s, function: f, maximum_retry_attempts: 3, on_failure: lost } }
callers: { c: { target: s, arrivals: { constant: 1/s } } }";

const TABLE_STREAM: &str = "functions: { f: { duration: 1s } }
queues: { lost: {} }
streams: { s: { type: dynamodb } }
event_source_mappings: { m: { source: s, function: f, maximum_retry_attempts: 3, on_failure: lost } }";

/// A function that calls another one, and a dependency.
const LAYERS: &str = "functions:
  f: { duration: 1s, timeout: 30s, calls: [{ function: g, timeout: 20s }, { dependency: d, timeout: 5s }] }
  g: { duration: 1s, timeout: 10s }
dependencies: { d: { service_time: 100ms, concurrency: 10, queue: 10 } }
callers: { c: { target: f, arrivals: { constant: 1/s } } }";

const EVENTS: &str = "functions: { f: { duration: 1s, async: { on_failure: lost } } }
queues: { lost: {} }
callers: { c: { target: f, invocation: async, arrivals: { constant: 1/s } } }";

const MACHINE: &str = "functions: { f: { duration: 1s, timeout: 10s } }
state_machines: { s: { start_at: a, states: { a: { task: f, retry: sfn_studio, end: true } } } }
callers: { c: { target: s, arrivals: { constant: 1/s } } }";

const NESTED: &str = "functions: { f: { duration: 1s } }
state_machines:
  s:
    start_at: both
    states:
      both: { parallel: [f, { start_at: a, states: { a: { task: f, retry: sfn_studio, next: b }, b: { map: { items: 2, item: f }, end: true } } }], end: true }
callers: { c: { target: s, arrivals: { constant: 1/s } } }";

const ROWS: &[Row] = &[
    (
        Check::ReservedBelowNeed,
        CALLED,
        &[
            (&["functions.f.reserved_concurrency=9", "callers.c.arrivals={constant: 9/s}"], false),
            (&["functions.f.reserved_concurrency=9", "callers.c.arrivals={constant: 9.1/s}"], true),
            (&["functions.f.reserved_concurrency=9", "callers.c.arrivals={poisson: 10/s}"], true),
            (&["functions.f.reserved_concurrency=9", "callers.c.arrivals={burst: {size: 1000, at: 0s}}"], false),
            (&["functions.f.reserved_concurrency=9", "callers.c={target: f, users: {count: 18, think: 1s}}"], false),
            (&["functions.f.reserved_concurrency=9", "callers.c={target: f, users: {count: 19, think: 1s}}"], true),
        ],
    ),
    (
        Check::AccountBelowNeed,
        CALLED,
        &[
            (&["callers.c.arrivals={constant: 1000/s}"], false),
            (&["callers.c.arrivals={constant: 1001/s}"], true),
            (&["callers.c.arrivals={constant: 801/s}", "functions.g={duration: 1s, reserved_concurrency: 200}"], true),
        ],
    ),
    (
        Check::RequestsAboveRate,
        CALLED,
        &[
            (&["functions.f={duration: 10ms, reserved_concurrency: 5}", "callers.c.arrivals={constant: 50/s}"], false),
            (&["functions.f={duration: 10ms, reserved_concurrency: 5}", "callers.c.arrivals={constant: 51/s}"], true),
            (&["functions.f.duration=10ms", "callers.c.arrivals={constant: 10000/s}"], false),
            (&["functions.f.duration=10ms", "callers.c.arrivals={constant: 10001/s}"], true),
        ],
    ),
    (
        Check::NothingRuns,
        ALONE,
        &[(&["functions.f.reserved_concurrency=1"], false), (&["functions.f.reserved_concurrency=0"], true)],
    ),
    (
        Check::RunsBeyondTimeout,
        ALONE,
        &[
            (&["functions.f.timeout=1s"], false),
            (&["functions.f.timeout=1s", "functions.f.duration=1001ms"], true),
            (&["functions.f.timeout=2s", "functions.g={duration: 1s}", "functions.f.calls=[{function: g}]"], false),
            (&["functions.f.timeout=2s", "functions.g={duration: 1s1ms}", "functions.f.calls=[{function: g}]"], true),
        ],
    ),
    (
        Check::ClientLeavesFirst,
        CALLED,
        &[
            (&["functions.f.timeout=60s"], false),
            (&["functions.f.timeout=61s"], true),
            (&["callers.c.client.timeout=3s"], false),
            (&["callers.c.client.timeout=2999ms"], true),
        ],
    ),
    (
        Check::ClientLeavesFirst,
        LAYERS,
        &[(&["functions.g.timeout=20s"], false), (&["functions.g.timeout=21s"], true), (&["functions.g.timeout=15m"], true)],
    ),
    (
        Check::DoorLeavesFirst,
        CALLED,
        &[
            (&["callers.c.via=api_gateway_rest", "functions.f.timeout=29s"], false),
            (&["callers.c.via=api_gateway_rest", "functions.f.timeout=30s"], true),
            (&["callers.c.via={api_gateway_rest: {timeout: 2m}}", "functions.f.timeout=30s"], false),
            (&["callers.c.via=api_gateway_http", "functions.f.timeout=30s"], false),
            (&["callers.c.via=api_gateway_http", "functions.f.timeout=31s"], true),
            (&["callers.c.via=cognito", "functions.f.timeout=6s"], true),
            (&["callers.c.via=alexa", "functions.f.timeout=8s"], false),
            (&["callers.c.via=firehose", "functions.f.timeout=5m"], false),
            (&["callers.c.via=firehose", "functions.f.timeout=6m"], true),
            (&["callers.c.via=function_url", "functions.f.timeout=15m"], false),
            (&["callers.c.via={api_gateway_rest: {timeout: 1500ms}}"], true),
        ],
    ),
    (
        Check::CallOutlastsRun,
        LAYERS,
        &[
            (&["functions.f.calls[0].timeout=29s"], false),
            (&["functions.f.calls[0].timeout=30s"], true),
            (&["functions.f.calls[1].timeout=29999ms"], false),
            (&["functions.f.calls[1].timeout=30s"], true),
            (&["functions.f.calls[1].timeout=unlimited"], true),
            (&["functions.f.calls[1].timeout=unlimited", "dependencies.d={service_time: 100ms}"], false),
            (&["functions.f.timeout=10s", "functions.g.timeout=15m", "functions.f.calls[0].timeout=unlimited"], true),
        ],
    ),
    (
        Check::CallGivesUpInQueue,
        LAYERS,
        &[
            (&["functions.f.calls[1].timeout=200ms"], false),
            (&["functions.f.calls[1].timeout=199ms"], true),
            (&["functions.f.calls[1].timeout=50ms", "dependencies.d.abandoned_calls=stop"], false),
        ],
    ),
    (
        Check::RetriesMultiply,
        LAYERS,
        &[
            (&["functions.f.calls[1].client.retry={max_attempts: 2}"], false),
            (&["callers.c.client.retry_on=[any]", "functions.f.calls[0].client.retry=none"], false),
            (&["callers.c.client.retry_on=[any]", "functions.f.calls[0].client.retry={max_attempts: 2}"], true),
            (&["callers.c.client.timeout=29s", "functions.f.calls[0].client.retry={max_attempts: 2}"], true),
            (&["callers.c.client.timeout=30s", "functions.f.calls[0].client.retry={max_attempts: 2}"], false),
        ],
    ),
    (
        Check::NoJitter,
        CALLED,
        &[
            (&["callers.c.client.retry={max_attempts: 2, jitter: full}"], false),
            (&["callers.c.client.retry={max_attempts: 1, jitter: none}"], false),
            (&["callers.c.client.retry={max_attempts: 2, jitter: none}"], true),
            (&["callers.c.client.retry={preset: standard_v2, jitter: none}"], true),
            (&["callers.c.client.retry={max_attempts: 2, jitter: none, base: 0s}"], false),
        ],
    ),
    (
        Check::NoBudget,
        LAYERS,
        &[
            (&["functions.f.calls[1].client.retry={max_attempts: 1}"], false),
            (&["functions.f.calls[1].client.retry={max_attempts: 2}"], true),
            (&["functions.f.calls[1].client.retry={max_attempts: 2, budget: {ratio: 10%}}"], false),
            (&["functions.f.calls[1].client={retry: {max_attempts: 2}, circuit_breaker: {open: 5s}}"], false),
        ],
    ),
    (
        Check::DependencyBelowNeed,
        LAYERS,
        &[
            (&["callers.c.arrivals={constant: 100/s}"], false),
            (&["callers.c.arrivals={constant: 101/s}"], true),
            (&["dependencies.d.rate_limit=1/s"], false),
            (&["dependencies.d.rate_limit=1/s", "functions.f.calls[1].times=2"], true),
        ],
    ),
    (
        Check::VisibilityBelowTimeout,
        QUEUE,
        &[
            (&["changes=[{at: 1s, set: {queues.q.visibility_timeout: 10s}}]"], false),
            (&["changes=[{at: 1s, set: {queues.q.visibility_timeout: 9s}}]"], true),
        ],
    ),
    (
        Check::VisibilityBelowSixTimeouts,
        QUEUE,
        &[
            (&["queues.q.visibility_timeout=60s"], false),
            (&["queues.q.visibility_timeout=59s"], true),
            (&["event_source_mappings.m.maximum_batching_window=1s"], true),
            (&["event_source_mappings.m.maximum_batching_window=1s", "queues.q.visibility_timeout=61s"], false),
            (&["functions.f.timeout=15m", "queues.q.visibility_timeout=90m"], false),
            (&["functions.f.timeout=15m", "queues.q.visibility_timeout=5399s"], true),
        ],
    ),
    (
        Check::ReservedBelowPollers,
        QUEUE,
        &[
            (&["functions.f.reserved_concurrency=5"], false),
            (&["functions.f.reserved_concurrency=4"], true),
            (&["functions.f.reserved_concurrency=1"], true),
            (&["functions.f.reserved_concurrency=4", "event_source_mappings.m.maximum_concurrency=4"], false),
            (&["functions.f.reserved_concurrency=4", "event_source_mappings.m.maximum_concurrency=5"], true),
            (&["functions.f.reserved_concurrency=4", "event_source_mappings.m.enabled=false"], false),
        ],
    ),
    (
        Check::MaximumAboveReserved,
        QUEUE,
        &[
            (&["functions.f.reserved_concurrency=10", "event_source_mappings.m.maximum_concurrency=10"], false),
            (&["functions.f.reserved_concurrency=10", "event_source_mappings.m.maximum_concurrency=11"], true),
            (&["functions.f.reserved_concurrency=900", "event_source_mappings.m.maximum_concurrency=1000"], true),
        ],
    ),
    (
        Check::MaximumBelowNeed,
        QUEUE,
        &[
            (&["callers.c.arrivals={constant: 20/s}", "event_source_mappings.m.maximum_concurrency=2"], false),
            (&["callers.c.arrivals={constant: 21/s}", "event_source_mappings.m.maximum_concurrency=2"], true),
            (&["callers.c.arrivals={constant: 10001/s}", "event_source_mappings.m.maximum_concurrency=1000"], true),
        ],
    ),
    (
        Check::StreamBelowNeed,
        "functions: { f: { duration: 1s } }
streams: { s: { type: kafka, partitions: 3 } }
event_source_mappings: { m: { source: s, function: f } }
callers: { c: { target: s, arrivals: { constant: 300/s } } }",
        &[(&[], false), (&["callers.c.arrivals={constant: 301/s}"], true)],
    ),
    (
        Check::PollersAboveLimit,
        QUEUE,
        &[
            (&["event_source_mappings.m.provisioned_pollers={maximum: 100}"], false),
            (&["event_source_mappings.m.provisioned_pollers={maximum: 101}"], true),
            (
                &[
                    "event_source_mappings.m.provisioned_pollers={minimum: 2, maximum: 3}",
                    "functions.f.reserved_concurrency=30",
                ],
                false,
            ),
            (
                &[
                    "event_source_mappings.m.provisioned_pollers={minimum: 2, maximum: 3}",
                    "functions.f.reserved_concurrency=29",
                ],
                true,
            ),
            (
                &[
                    "event_source_mappings.m.provisioned_pollers={minimum: 3, maximum: 3}",
                    "functions.f.reserved_concurrency=29",
                ],
                true,
            ),
        ],
    ),
    (
        Check::SingleReceive,
        QUEUE,
        &[(&["queues.q.redrive.max_receive_count=2"], false), (&["queues.q.redrive.max_receive_count=1"], true)],
    ),
    (
        Check::FewReceives,
        QUEUE,
        &[
            (&["queues.q.redrive.max_receive_count=5"], false),
            (&["queues.q.redrive.max_receive_count=4"], true),
            (&["queues.q.redrive.max_receive_count=2"], true),
            (&["queues.q.redrive.max_receive_count=1"], false),
        ],
    ),
    (
        Check::NoDeadLetterQueue,
        QUEUE,
        &[
            (&["queues.q.redrive=none"], true),
            (&["queues.q={type: fifo, visibility_timeout: 1m}"], true),
            (&["queues.q.redrive=none", "queues.q-dlq={}"], true),
            (&["queues.q.redrive=none", "event_source_mappings.m.enabled=false"], false),
        ],
    ),
    (
        Check::DeadLettersExpire,
        QUEUE,
        &[
            (&["queues.d.message_retention=4d1s"], false),
            (&["queues.d.message_retention=4d"], true),
            (&["queues.q.message_retention=14d"], true),
        ],
    ),
    (
        Check::ExpiresBeforeDeadLetter,
        QUEUE,
        &[
            (&["queues.q.message_retention=301s"], false),
            (&["queues.q.message_retention=5m"], true),
            (&["queues.q.visibility_timeout=12h", "queues.q.redrive.max_receive_count=8"], true),
            (&["queues.q.visibility_timeout=12h", "queues.q.redrive.max_receive_count=7"], false),
            (&["queues.q.visibility_timeout=12h", "queues.q.redrive.max_receive_count=100"], true),
        ],
    ),
    (
        Check::DeadLettersComeBack,
        QUEUE,
        &[
            (&["event_source_mappings.n={source: d, function: f}"], true),
            (&["functions.g={duration: 1s}", "event_source_mappings.n={source: d, function: g}"], false),
            (&["functions.f.async={on_failure: q}"], true),
            (&["functions.f.async={dead_letter_queue: d}"], false),
        ],
    ),
    (
        Check::FilteredForOthers,
        QUEUE,
        &[
            (&["event_source_mappings.m.filter=50%"], false),
            (&["event_source_mappings.n={source: q, function: f}"], false),
            (&["event_source_mappings.n={source: q, function: f, filter: 99%}"], true),
        ],
    ),
    (
        Check::FewGroups,
        "functions: { f: { duration: 10s, timeout: 1m } }
queues: { q: { type: fifo, visibility_timeout: 6m, redrive: { dead_letter_queue: d, max_receive_count: 5 } }, d: { type: fifo } }
event_source_mappings: { m: { source: q, function: f, batch_size: 1 } }
callers: { c: { target: q, arrivals: { constant: 1/s }, keys: { uniform: 10 } } }",
        &[
            (&[], false),
            (&["callers.c.keys={uniform: 9}"], true),
            (&["callers.c.keys={constant: all}"], true),
            (&["callers.c.keys=even"], false),
            (&["callers.c.keys={uniform: 1}", "event_source_mappings.m.batch_size=10"], false),
        ],
    ),
    (
        Check::WholeBatchFails,
        QUEUE,
        &[
            (&["functions.f.failures=[{poison: 1%}]"], true),
            (&["functions.f.failures=[{poison: 1%}]", "event_source_mappings.m.batch_size=1"], false),
            (&["functions.f.failures=[{poison: 1%}]", "event_source_mappings.m.report_batch_item_failures=true"], false),
            (&["functions.f.failures=[{probability: 1%}]"], false),
            (&["functions.f.failures=[{poison: 100%}]"], false),
        ],
    ),
    (
        Check::BatchBeyondTimeout,
        QUEUE,
        &[
            (&["functions.f.duration_per_record=900ms"], false),
            (&["functions.f.duration_per_record=901ms"], true),
            (&["functions.f.duration_per_record=10s"], true),
        ],
    ),
    (
        Check::BatchBeyondPayload,
        QUEUE,
        &[
            (&["event_source_mappings.m.payload_limit=26000B", "callers.c.payload=2000B"], false),
            (&["event_source_mappings.m.payload_limit=25999B", "callers.c.payload=2000B"], true),
            (&["callers.c.payload=700KB"], true),
        ],
    ),
    (
        Check::UnlimitedRetries,
        STREAM,
        &[
            (&["event_source_mappings.m.maximum_retry_attempts=10000"], false),
            (&["event_source_mappings.m.maximum_retry_attempts=unlimited"], true),
            (
                &[
                    "event_source_mappings.m.maximum_retry_attempts=unlimited",
                    "event_source_mappings.m.maximum_record_age=1h",
                ],
                false,
            ),
            (&["event_source_mappings.n={source: s, function: f}"], true),
        ],
    ),
    (
        Check::NoStreamDestination,
        STREAM,
        &[(&[], false), (&["event_source_mappings.m.on_failure=none"], true)],
    ),
    (
        Check::NoBisect,
        STREAM,
        &[
            (&["functions.f.failures=[{poison: 1%}]"], true),
            (&["functions.f.failures=[{poison: 1%}]", "event_source_mappings.m.batch_size=1"], false),
            (
                &["functions.f.failures=[{poison: 1%}]", "event_source_mappings.m.bisect_batch_on_function_error=true"],
                false,
            ),
            (&["functions.f.failures=[{poison: 1%}]", "event_source_mappings.m.report_batch_item_failures=true"], false),
        ],
    ),
    (
        Check::AgeBeyondRetention,
        TABLE_STREAM,
        &[
            (&["event_source_mappings.m.maximum_record_age=24h"], false),
            (&["event_source_mappings.m.maximum_record_age=86401s"], true),
        ],
    ),
    (
        Check::StartsLate,
        STREAM,
        &[
            (&["event_source_mappings.m.starting_position=trim_horizon"], false),
            (&["event_source_mappings.m.starting_position=latest"], true),
        ],
    ),
    (
        Check::ManyReaders,
        TABLE_STREAM,
        &[
            (&[], false),
            (&["streams.s.other_readers=1"], true),
            (&["event_source_mappings.n={source: s, function: f}"], true),
            (&["event_source_mappings.n={source: s, function: f}", "streams.s.other_readers=3"], true),
        ],
    ),
    (
        Check::ReadersShareShard,
        STREAM,
        &[
            (&["streams.s.other_readers=4"], false),
            (&["streams.s.other_readers=5"], true),
            (&["streams.s.other_readers=5", "event_source_mappings.m.enhanced_fan_out=true"], false),
            (&["callers.c.payload=1MiB", "streams.s.other_readers=1"], false),
            (&["callers.c.payload=1MiB", "streams.s.other_readers=2"], true),
        ],
    ),
    (
        Check::StreamBelowNeed,
        STREAM,
        &[
            (&["callers.c.arrivals={constant: 100/s}"], false),
            (&["callers.c.arrivals={constant: 101/s}"], true),
            (&["callers.c.arrivals={constant: 500/s}", "event_source_mappings.m.tumbling_window=1m"], true),
            (&["callers.c.arrivals={constant: 999/s}", "event_source_mappings.m.batch_size=10"], true),
        ],
    ),
    (
        Check::ShardsBelowWrites,
        STREAM,
        &[
            (&["callers.c.arrivals={constant: 1000/s}", "callers.c.payload=1KiB"], false),
            (&["callers.c.arrivals={constant: 1001/s}", "callers.c.payload=1B"], true),
            (&["callers.c.arrivals={constant: 2/s}", "callers.c.payload=512KiB"], false),
            (&["callers.c.arrivals={constant: 2/s}", "callers.c.payload=513KiB"], true),
        ],
    ),
    (
        Check::NoDestination,
        EVENTS,
        &[
            (&[], false),
            (&["functions.f.async={}"], true),
            (&["functions.f.async={dead_letter_queue: lost}"], false),
            (&["functions.f.async={}", "callers.c.invocation=sync"], false),
            (&["functions.f.async={}", "topics.t={subscribers: [f]}", "callers={}"], true),
        ],
    ),
    (
        Check::AgeBelowRetries,
        EVENTS,
        &[
            (&["functions.f.async.maximum_event_age=181s"], false),
            (&["functions.f.async.maximum_event_age=180s"], true),
            (&["functions.f.async.maximum_event_age=60s"], true),
            (&["functions.f.async.maximum_event_age=61s", "functions.f.async.maximum_retry_attempts=1"], false),
            (&["functions.f.async.maximum_event_age=60s", "functions.f.async.maximum_retry_attempts=0"], false),
        ],
    ),
    (
        Check::Loop,
        QUEUE,
        &[
            (&[], false),
            (&["functions.f.calls=[{queue: d}]"], false),
            (&["functions.f.calls=[{queue: q}]"], true),
            (&["functions.f.async={on_success: q, on_failure: d}"], true),
            (&["functions.f.calls=[{topic: t}]", "topics.t={subscribers: [f]}"], true),
            (&["functions.f.calls=[{event_bus: t}]", "event_buses.t={rules: [{targets: [f]}]}"], true),
            (&["functions.f.calls=[{bucket: t}]", "buckets.t={notify: [q]}"], true),
        ],
    ),
    (
        Check::NoRoomToSpill,
        ALONE,
        &[
            (&["functions.f.provisioned_concurrency=9", "functions.f.reserved_concurrency=10"], false),
            (&["functions.f.provisioned_concurrency=10", "functions.f.reserved_concurrency=10"], true),
            (&["functions.f.provisioned_concurrency=900", "functions.f.reserved_concurrency=900"], true),
        ],
    ),
    (
        Check::ProvisionedBelowNeed,
        CALLED,
        &[
            (&["functions.f.provisioned_concurrency=10", "callers.c.arrivals={constant: 10/s}"], false),
            (&["functions.f.provisioned_concurrency=10", "callers.c.arrivals={constant: 11/s}"], true),
            (
                &[
                    "functions.f={provisioned_concurrency: 10, duration: 50ms}",
                    "callers.c.arrivals={constant: 100/s}",
                ],
                false,
            ),
            (
                &[
                    "functions.f={provisioned_concurrency: 10, duration: 50ms}",
                    "callers.c.arrivals={constant: 101/s}",
                ],
                true,
            ),
        ],
    ),
    (
        Check::FixedForVariable,
        CALLED,
        &[
            (&["functions.f.provisioned_concurrency=5", "callers.c.arrivals={daily: {mean: 1/s, peak: 1.99/s, peak_at: 14h}}"], false),
            (&["functions.f.provisioned_concurrency=5", "callers.c.arrivals={daily: {mean: 1/s, peak: 2/s, peak_at: 14h}}"], true),
            (
                &[
                    "functions.f.provisioned_concurrency={initial: 5, schedule: [{at: 30s, to: 9}]}",
                    "callers.c.arrivals={daily: {mean: 1/s, peak: 2/s, peak_at: 14h}}",
                ],
                false,
            ),
        ],
    ),
    (
        Check::TaskWithoutRetry,
        MACHINE,
        &[
            (&[], false),
            (&["state_machines.s.states.a.retry=[]"], true),
            (&["state_machines.s.states.a.retry=sfn_classic"], true),
            (&["state_machines.s.states.a={task: f, catch: [{errors: [States.ALL], next: b}], next: b}", "state_machines.s.states.b={succeed: {}}"], false),
        ],
    ),
    (
        Check::TaskWithoutRetry,
        NESTED,
        &[(&[], true), (&["state_machines.s.states.both.retry=[{errors: [States.ALL]}]"], false)],
    ),
    (
        Check::TaskLeavesFirst,
        MACHINE,
        &[(&["state_machines.s.states.a.timeout=10s"], false), (&["state_machines.s.states.a.timeout=9s"], true)],
    ),
];

fn try_found(yaml: &str, overrides: &[String]) -> Result<Vec<Finding>, String> {
    let text = format!("name: test\nduration: 1h\n{yaml}\n");
    let loaded = scenario::parse("test.yaml", text.as_bytes(), Path::new("."), overrides);
    loaded.map(|loaded| lint::lint(&loaded.scenario)).map_err(|error| format!("{overrides:?}: {error}\n"))
}

fn found(yaml: &str, overrides: &[String]) -> Vec<Finding> {
    try_found(yaml, overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// With what helps in each case: it loads, and the finding is gone.
#[test]
fn each_check_at_its_threshold() {
    let (mut wrong, mut seen) = (String::new(), BTreeSet::new());
    for (check, yaml, cases) in ROWS {
        for (sets, expected) in *cases {
            let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
            let findings = match try_found(yaml, &sets) {
                Ok(findings) => findings.into_iter().filter(|finding| finding.check == *check).collect::<Vec<_>>(),
                Err(error) => {
                    wrong += &error;
                    continue;
                }
            };
            if findings.is_empty() == *expected {
                let _ = writeln!(wrong, "{} with {sets:?}: expected {expected}", check.id());
            }
            for finding in findings {
                seen.insert(*check);
                let helped = [sets.clone(), finding.changes.iter().map(ToString::to_string).collect()].concat();
                let same = |other: &Finding| (other.check, &other.key) == (finding.check, &finding.key);
                match try_found(yaml, &helped) {
                    Ok(left) if left.iter().any(same) && !finding.changes.is_empty() => {
                        let _ = writeln!(wrong, "{} with {helped:?} is still found", check.id());
                    }
                    Ok(_) => {}
                    Err(error) => wrong += &error,
                }
                if finding.changes.is_empty() && *check != Check::CallOutlastsRun {
                    let _ = writeln!(wrong, "{} with {sets:?} proposes nothing", check.id());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let missing: Vec<_> = Check::ALL.iter().filter(|check| !seen.contains(check)).collect();
    assert!(missing.is_empty(), "no row finds {missing:?}");
}

/// Scenarios as they should be.
#[test]
fn a_well_set_scenario_has_no_findings() {
    for yaml in [ALONE, CALLED, QUEUE, STREAM, TABLE_STREAM, LAYERS, EVENTS, MACHINE] {
        assert_eq!(found(yaml, &[]), [], "{yaml}");
    }
    let first_steps = shipped().into_iter().find(|file| file.ends_with("first-steps.yaml")).unwrap();
    let loaded = scenario::load(&first_steps, &[]).unwrap();
    assert_eq!(lint::lint(&loaded.scenario), []);
}

/// What is proposed for the shipped scenarios, one finding after the other, ends them all.
#[test]
fn what_is_proposed_for_shipped_scenarios_helps() {
    for file in shipped() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let mut sets: Vec<String> = Vec::new();
        for _ in 0..60 {
            let findings = lint::lint(&scenario_in(file.parent().unwrap(), &text, &sets));
            let Some(finding) = findings.first() else { break };
            assert!(!finding.changes.is_empty(), "{name}: {} proposes nothing", finding.check.id());
            sets.extend(finding.changes.iter().map(ToString::to_string));
        }
        let left = lint::lint(&scenario_in(file.parent().unwrap(), &text, &sets));
        assert_eq!(left, [], "{name} with {sets:#?}");
    }
}

/// What is said of the shipped scenarios.
#[test]
fn findings_in_shipped_scenarios() {
    let mut text = String::new();
    for file in shipped() {
        let loaded = scenario::load(&file, &[]).unwrap();
        for finding in lint::lint(&loaded.scenario) {
            let (name, id) = (&loaded.scenario.name, finding.check.id());
            let _ = writeln!(text, "{name}: {id}\n    {}\n    {}", finding.message, finding.command());
        }
    }
    insta::assert_snapshot!("lint_of_shipped_scenarios", text);
}

/// Loops that cannot be followed, and those that are allowed, go on; others are stopped.
#[test]
fn inv_5_7_what_ends_a_loop() {
    for (sets, end) in [
        (vec!["functions.f.calls=[{queue: q}]"], "stopped after about 16 runs: `f` -> `q` -> `f`"),
        (vec!["functions.f.calls=[{queue: q}]", "functions.f.recursive_loop=allow"], "nothing stops it"),
        (vec!["functions.f.calls=[{event_bus: e}]", "event_buses.e={rules: [{targets: [f]}]}"], "nothing stops it"),
    ] {
        let sets: Vec<String> = sets.into_iter().map(str::to_owned).collect();
        let finding = found(QUEUE, &sets).into_iter().find(|finding| finding.check == Check::Loop).unwrap();
        assert!(finding.message.contains(end), "{}", finding.message);
    }
}

/// Checks have names in lower case with hyphens, each its own, and sentences that end.
#[test]
fn checks_have_names_and_sentences() {
    let names: BTreeSet<_> = Check::ALL.iter().map(|check| check.id()).collect();
    assert_eq!(names.len(), Check::ALL.len());
    for check in Check::ALL {
        assert!(check.id().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", check.id());
        for sentence in [check.finds(), check.reason(), check.advice()] {
            assert!(sentence.ends_with('.'), "{}: {sentence}", check.id());
        }
    }
}

/// What stands in a shell is one word.
#[test]
fn settings_are_quoted_for_a_shell() {
    let findings = found(QUEUE, &["queues.q.redrive=none".to_owned()]);
    let finding = findings.iter().find(|finding| finding.check == Check::NoDeadLetterQueue).unwrap();
    assert_eq!(
        finding.command(),
        "--set 'queues.q-dlq={message_retention: 14d}' \
         --set 'queues.q.redrive={dead_letter_queue: q-dlq, max_receive_count: 5}'"
    );
}
