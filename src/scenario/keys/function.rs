//! The tables of functions.

use super::asynchronous::{ASYNCHRONOUS, RECURSIVE_LOOP};
use super::calls::CALLS;
use super::common::{
    ANY, ANY_DURATION, ANY_RATIO, COUNT_FROM_0, COUNT_FROM_1, PERCENT, SECOND, SOME_DURATION, SOME_RATIO, SWITCH, TEXT,
    word,
};
use super::distribution::{BYTES, TIME};
use super::{Block, Key, Shape};

pub(super) static FUNCTION: Block = Block {
    name: "function",
    doc: "a function and its execution environments",
    case: None,
    keys: &[
        Key::new("memory", &Shape::Memory(128, 10_240), "memory, which also sets the price")
            .is("128MB")
            .rule("INV-E16"),
        Key::new("architecture", &ARCHITECTURE, "instruction set; changes the price only").is("x86_64").rule("INV-7"),
        Key::new("timeout", &Shape::Duration(SECOND, 900 * SECOND), "longest run of the handler")
            .is("3s")
            .rule("INV-E5"),
        Key::new("duration", &TIME, "time of one run of the handler").required(),
        Key::new("duration_per_record", &TIME, "time added for each record of a batch").is("0s").rule("ESM-1.4"),
        Key::new("init", &TIME, "time of the Init phase of a new environment").is("0s").rule("INV-E1"),
        Key::new("idle_timeout", &TIME, "how long an idle environment is kept").is("10m").rule("INV-E12"),
        Key::new(
            "reserved_concurrency",
            &COUNT_FROM_0,
            "concurrency that is set aside for this function, and its ceiling",
        )
        .rule("INV-C3"),
        Key::new("provisioned_concurrency", &PROVISIONED, "environments that are kept ready").is("0").rule("INV-P1"),
        Key::new("failures", &FAILURES, "independent causes of failed runs").is("[]"),
        Key::new("calls", &CALLS, "what a run calls after its own `duration`, step by step; that time is added")
            .is("[]"),
        Key::new("platform_start", &TIME, "the platform's part of a cold start, before Init; not billed")
            .timing("0s", "100ms")
            .rule("INV-D13"),
        Key::new("init_limit", &SOME_DURATION, "longest Init of an on-demand environment").is("10s").rule("INV-E2"),
        Key::new("init_failures", &FAILURES, "independent causes of failed Inits").is("[]").rule("INV-E4"),
        Key::new("maximum_environment_age", &MAXIMUM_AGE, "age at which an environment is retired when next idle")
            .timing("unlimited", "2h")
            .rule("INV-E13"),
        Key::new("warm_selection", &WARM_SELECTION, "which idle environment serves next").is("mru").rule("INV-E11"),
        Key::new("extension_tail", &ANY_DURATION, "extensions hold the environment so long after the reply")
            .is("0s")
            .rule("INV-E9"),
        Key::new("snapstart", &SNAPSTART, "starts environments from a snapshot").is("off").rule("INV-E18"),
        Key::new("cpu_scaling", &SWITCH, "`duration` is meant for 1769MB and grows with less memory")
            .is("off")
            .rule("INV-E16"),
        Key::new("ephemeral_storage", &Shape::Memory(512, 10_240), "size of /tmp; changes the price only")
            .is("512MB")
            .rule("INV-E20"),
        Key::new("response", &BYTES, "size of the answer").is("1KB").rule("INV-Y2"),
        Key::new("async", &Shape::Block(&ASYNCHRONOUS), "asynchronous invocation").keys().rule("INV-Q1"),
        Key::new("recursive_loop", &RECURSIVE_LOOP, "what happens to a chain of requests that comes back to it")
            .is("terminate")
            .rule("INV-5.7"),
    ],
};

static ARCHITECTURE: Shape = Shape::Words(&[word("x86_64", "64-bit x86"), word("arm64", "64-bit Arm (Graviton)")]);

static MAXIMUM_AGE: Shape =
    Shape::Either(&[Shape::Without("unlimited", "environments do not age"), Shape::Duration(1, ANY)]);

static WARM_SELECTION: Shape = Shape::Words(&[
    word("mru", "the most recently used"),
    word("lru", "the least recently used"),
    word("fifo", "the oldest environment"),
    word("random", "any"),
]);

static SNAPSTART: Shape = Shape::Either(&[
    Shape::Without("off", "no snapshot"),
    Shape::Block(&Block {
        name: "snapstart",
        doc: "start from a snapshot",
        case: None,
        keys: &[Key::new("restore", &TIME, "time to restore the snapshot, in the place of `init`")
            .required()
            .rule("INV-E18")],
    }),
]);

static PROVISIONED: Shape = Shape::Short("initial", &COUNT_FROM_0, &PROVISIONED_CONCURRENCY);

static PROVISIONED_CONCURRENCY: Block = Block {
    name: "provisioned concurrency",
    doc: "environments that are kept ready, on a schedule or by target tracking",
    case: None,
    keys: &[
        Key::new("initial", &COUNT_FROM_0, "environments ready at the start").is("0").rule("INV-P1"),
        Key::new("schedule", &Shape::List(&Shape::Block(&PROVISIONED_STEP)), "requested numbers at given moments")
            .is("[]")
            .rule("INV-P13"),
        Key::new("min", &COUNT_FROM_0, "target tracking: fewest environments").rule("INV-P7"),
        Key::new("max", &COUNT_FROM_0, "target tracking: most environments").rule("INV-P7"),
        Key::new(
            "target_utilization",
            &Shape::Ratio(10 * PERCENT, 90 * PERCENT),
            "target tracking: utilization aimed at",
        )
        .rule("INV-P7"),
        Key::new("preparation", &ANY_DURATION, "time before the first of the requested environments is allocated")
            .is("60s")
            .rule("INV-P1"),
        Key::new("per_minute", &COUNT_FROM_1, "environments allocated a minute").is("6000").rule("INV-P2"),
        Key::new("scale_out_datapoints", &COUNT_FROM_1, "minutes above the target before scaling out")
            .is("3")
            .rule("INV-P8"),
        Key::new("scale_in_datapoints", &COUNT_FROM_1, "minutes below nine tenths of the target before scaling in")
            .is("15")
            .rule("INV-P9"),
        Key::new("scale_in_step", &SOME_RATIO, "largest share of the environments given back at once")
            .is("10%")
            .rule("INV-P11"),
    ],
};

static PROVISIONED_STEP: Block = Block {
    name: "provisioned concurrency step",
    doc: "a request for more or fewer environments",
    case: None,
    keys: &[Key::new("at", &ANY_DURATION, "when").required(), Key::new("to", &COUNT_FROM_0, "how many").required()],
};

pub(super) static FAILURES: Shape = Shape::List(&Shape::Block(&FAILURE));

/// A cause of failure; at least one of its conditions must be written.
static FAILURE: Block = Block {
    name: "failure",
    doc: "one independent cause of failure; all of its conditions must hold",
    case: None,
    keys: &[
        Key::new("probability", &ANY_RATIO, "judged once a run"),
        Key::new("poison", &ANY_RATIO, "a property of the event: it fails at every attempt"),
        Key::new("first_attempts", &COUNT_FROM_1, "the event's first so many attempts"),
        Key::new("attempts", &Shape::List(&COUNT_FROM_1), "these attempts of the event; 1 is the first").is("[]"),
        Key::new("events", &Shape::List(&Shape::Event), "these submissions: `4` of each caller, `shoppers#4` of one")
            .is("[]"),
        Key::new("from", &ANY_DURATION, "runs that start at or after this moment"),
        Key::new("until", &ANY_DURATION, "runs that start before this moment"),
        Key::new(
            "above_concurrency",
            &COUNT_FROM_0,
            "runs that start while more than so many executions are in flight",
        ),
        Key::new("kind", &FAILURE_KIND, "how the run fails").is("error").rule("INV-E6"),
        Key::new("error", &TEXT, "the error's name, for those who retry by name"),
        Key::new("after", &ANY_RATIO, "share of `duration` that is used up when an error or a crash strikes")
            .is("100%"),
    ],
};

static FAILURE_KIND: Shape = Shape::Words(&[
    word("error", "the handler raises; the environment stays warm"),
    word("timeout", "the run hangs until the function's time-out; the environment is reset"),
    word("crash", "the process dies; the environment is reset"),
    word("bad_batch_response", "an answer to a batch that cannot be read, which fails all of it"),
]);
