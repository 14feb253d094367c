//! The tables of the file as a whole: the scenario, the account, prices, faults and changes.

use super::caller::CALLER;
use super::calls::DEPENDENCY;
use super::client::{CLIENT, PLAIN_CLIENT};
use super::common::{
    ANY, ANY_DURATION, ANY_RATIO, COUNT_FROM_0, COUNT_FROM_1, FUNCTION_NAME, NAME, QUEUE_NAME, RATE, SOME_DURATION,
    SWITCH, TEXT, WHOLE_FROM_0, WHOLE_FROM_1, word,
};
use super::fault::FAULT;
use super::function::FUNCTION;
use super::mapping::BY_SOURCE;
use super::places::{BUCKET, EVENT_BUS, TOPIC};
use super::queue::QUEUE;
use super::state_machine::STATE_MACHINE;
use super::stream::{BROKER, STREAM};
use super::via::FRONTED;
use super::{Block, Key, Shape};
use crate::scenario::tree::Node;

/// The functions.
pub(crate) static FUNCTIONS: Shape = Shape::Block(&FUNCTION);
/// The event source mappings.
pub(crate) static MAPPINGS: Shape = Shape::BySource(&BY_SOURCE);
static CALLERS: Shape = Shape::Block(&CALLER);
static TOPICS: Shape = Shape::Block(&TOPIC);
static EVENT_BUSES: Shape = Shape::Block(&EVENT_BUS);
static BUCKETS: Shape = Shape::Block(&BUCKET);
/// The state machines.
pub(crate) static STATE_MACHINES: Shape = Shape::Block(&STATE_MACHINE);
/// The dependencies.
pub(crate) static DEPENDENCIES: Shape = Shape::Block(&DEPENDENCY);
static BROKERS: Shape = Shape::Block(&BROKER);

/// A queue of either type.
pub(crate) static QUEUE_SHAPE: &Shape = &QUEUE;
/// A stream of any service.
pub(crate) static STREAM_SHAPE: &Shape = &STREAM;
/// The account.
pub(crate) static ACCOUNT_SHAPE: Shape = Shape::Block(&ACCOUNT);
/// A client of a caller with this `via`.
pub(crate) fn client_shape(via: Option<&Node>) -> &'static Shape {
    static OF_SERVICE: Shape = Shape::Block(&PLAIN_CLIENT);
    static OF_SDK: Shape = Shape::Block(&CLIENT);
    if via.is_some_and(|via| FRONTED.iter().any(|word| via.names(word))) { &OF_SERVICE } else { &OF_SDK }
}

/// The whole file.
pub(crate) static SCENARIO: Block = Block {
    name: "scenario",
    doc: "the whole file",
    case: None,
    keys: &[
        Key::new("name", &NAME, "names the scenario and the folder of its results").required(),
        Key::new("description", &TEXT, "one line for the report"),
        Key::new("seed", &WHOLE_FROM_0, "start of all random streams: same scenario, same seed, same results").is("1"),
        Key::new("duration", &SOME_DURATION, "callers submit during [0, duration)").required(),
        Key::new("warmup", &ANY_DURATION, "what was submitted before this moment is simulated, not measured").is("0s"),
        Key::new("drain", &DRAIN, "how long the run goes on after `duration`").is("settle"),
        Key::new("model", &Shape::Block(&MODEL), "how the simulation itself works").keys(),
        Key::new("account", &Shape::Block(&ACCOUNT), "limits of the account in one Region").keys(),
        Key::new("prices", &Shape::Block(&PRICES), "how the bill is made").keys(),
        Key::new("functions", &Shape::Named(&FUNCTIONS), "the functions, by name").is("{}"),
        Key::new("faults", &Shape::List(&FAULT), "faults of the services themselves").is("[]"),
        Key::new(
            "dependencies",
            &Shape::Named(&DEPENDENCIES),
            "what functions call that has limited capacity, by name",
        )
        .is("{}"),
        Key::new("queues", &Shape::Named(&QUEUE), "the queues, by name").is("{}"),
        Key::new("streams", &Shape::Named(&STREAM), "the streams and Kafka topics, by name").is("{}"),
        Key::new("brokers", &Shape::Named(&BROKERS), "the queues of Amazon MQ brokers, by name").is("{}"),
        Key::new(
            "event_source_mappings",
            &Shape::Named(&MAPPINGS),
            "what polls the queues, streams and brokers for the functions, by name; the type of the source says which \
             of the tables below holds",
        )
        .is("{}"),
        Key::new("topics", &Shape::Named(&TOPICS), "the topics, by name").is("{}"),
        Key::new("event_buses", &Shape::Named(&EVENT_BUSES), "the event buses, by name").is("{}"),
        Key::new("buckets", &Shape::Named(&BUCKETS), "the buckets, by name").is("{}"),
        Key::new("state_machines", &Shape::Named(&STATE_MACHINES), "the state machines, by name").is("{}"),
        Key::new(
            "callers",
            &Shape::Named(&CALLERS),
            "those who call the functions, send to the queues, streams, brokers, topics, event buses and buckets, and start \
             executions of the state machines, by name",
        )
        .is("{}"),
        Key::new("changes", &Shape::List(&Shape::Block(&CHANGE)), "settings that change while it runs").is("[]"),
        Key::new("expect", &Shape::List(&TEXT), "conditions that are checked after the run").is("[]"),
    ],
};

static DRAIN: Shape =
    Shape::Either(&[Shape::Words(&[word("settle", "until every event has its fate")]), Shape::Duration(0, ANY)]);

static MODEL: Block = Block {
    name: "model",
    doc: "how the simulation itself works",
    case: None,
    keys: &[
        Key::new("timing", &TIMING, "the size of the platform's own delays, where a default has two values")
            .is("ideal"),
        Key::new("event_budget", &WHOLE_FROM_1, "a run that handles more events than this stops with an error")
            .is("1e10"),
    ],
};

static TIMING: Shape = Shape::Words(&[
    word("ideal", "the platform's own delays are zero"),
    word("typical", "the platform's own delays have their usual size"),
]);

static ACCOUNT: Block = Block {
    name: "account",
    doc: "limits of the account in one Region",
    case: None,
    keys: &[
        Key::new("concurrency_limit", &COUNT_FROM_1, "in-flight executions over all functions")
            .is("1000")
            .rule("INV-C1"),
        Key::new("scaling", &SCALING, "how fast environments may be added").keys().rule("INV-S1"),
        Key::new("request_rate_limit", &SWITCH, "requests a second are limited to ten times the concurrency")
            .is("on")
            .rule("INV-R1"),
        Key::new("request_rate_bucket", &SOME_DURATION, "depth of the request buckets, as the time they take to fill")
            .is("1s")
            .rule("INV-R7"),
        Key::new("caller_rate_limit", &CALLER_RATE, "rate over all callers above which calls are throttled")
            .is("off")
            .rule("INV-D36"),
        Key::new(
            "configuration_propagation",
            &ANY_DURATION,
            "how late changed `async` settings of functions take effect",
        )
        .is("0s")
        .rule("INV-E22"),
    ],
};

static CALLER_RATE: Shape = Shape::Either(&[Shape::Without("off", "no such limit"), Shape::Rate]);

static SCALING: Shape = Shape::Either(&[
    Shape::Without("off", "no limit on how fast environments are added"),
    Shape::Block(&SCALING_PER_FUNCTION),
    Shape::Block(&SCALING_LEGACY),
]);

static SCALING_MODEL: Shape = Shape::Words(&[
    word("per_function", "since November 2023: each function by itself"),
    word("legacy_burst", "before November 2023: one allowance for the whole account"),
]);

static SCALING_PER_FUNCTION: Block = Block {
    name: "scaling",
    doc: "scaling rate since November 2023",
    case: Some(("model", "per_function")),
    keys: &[
        Key::new("model", &SCALING_MODEL, "which of AWS's rules").is("per_function").rule("INV-S1"),
        Key::new("environments", &COUNT_FROM_1, "new environments in each period, and the most that is saved up")
            .is("1000")
            .rule("INV-S1"),
        Key::new("every", &SOME_DURATION, "the period").is("10s").rule("INV-S1"),
        Key::new("refill", &REFILL, "how the allowance comes back").is("continuous").rule("INV-S2"),
        Key::new("request_rate", &SWITCH, "whether the requests-a-second half of the limit applies too")
            .is("off")
            .rule("INV-S7"),
    ],
};

static REFILL: Shape =
    Shape::Words(&[word("continuous", "evenly over the period"), word("lump", "all at once at the end of the period")]);

static SCALING_LEGACY: Block = Block {
    name: "legacy scaling",
    doc: "scaling rate before November 2023",
    case: Some(("model", "legacy_burst")),
    keys: &[
        Key::new("model", &SCALING_MODEL, "which of AWS's rules").required().rule("INV-S8"),
        Key::new("burst", &COUNT_FROM_1, "the initial burst, by Region: 3000, 1000 or 500").is("3000").rule("INV-S8"),
        Key::new("per_minute", &COUNT_FROM_0, "new environments a minute after the burst").is("500").rule("INV-S8"),
    ],
};

static PRICES: Block = Block {
    name: "prices",
    doc: "how the bill is made",
    case: None,
    keys: &[
        Key::new("free_tier", &SWITCH, "takes the monthly free tier off").is("off").rule("INV-7"),
        Key::new("savings_plan", &ANY_RATIO, "share taken off duration and provisioned concurrency")
            .is("0%")
            .rule("INV-7"),
        Key::new("init", &BILLING, "whether Init is billed; it was free before August 2025")
            .is("billed")
            .rule("INV-E19"),
        Key::new("failed_init", &BILLING, "whether a failed or cut Init is billed").is("billed").rule("INV-D14"),
    ],
};

static BILLING: Shape = Shape::Words(&[word("billed", "it is paid for"), word("free", "it costs nothing")]);

static CHANGE: Block = Block {
    name: "change",
    doc: "what changes at a moment of the run",
    case: None,
    keys: &[
        Key::new("at", &ANY_DURATION, "when; `0s` is before the first event").required(),
        Key::new(
            "set",
            &Shape::Settings,
            "new values of keys by their paths: account, functions, queues, streams, mappings, state machines and the \
             callers' clients",
        ),
        Key::new("deploy", &FUNCTION_NAME, "new code: the idle environments of this function are gone").rule("INV-E15"),
        Key::new("redrive", &Shape::Block(&REDRIVE), "messages of a queue are moved on").rule("ESM-1.5"),
    ],
};

static REDRIVE: Block = Block {
    name: "redrive",
    doc: "a task that moves the messages of a queue to another one",
    case: None,
    keys: &[
        Key::new("queue", &QUEUE_NAME, "from where; a dead-letter queue").required(),
        Key::new("to", &QUEUE_NAME, "where to; a queue of the same type").required(),
        Key::new("rate", &RATE, "how fast, at most 500/s").is("500/s").rule("ESM-1.5"),
    ],
};
