//! The tables of callers and their arrivals.

use super::client::{CLIENT, PLAIN_CLIENT};
use super::common::{
    ANY_DURATION, COUNT_FROM_1, FILE, RATE, SECOND, SOME_DURATION, TEXT, WHOLE_FROM_0, WHOLE_FROM_1, tag, word,
};
use super::distribution::{BYTES, TIME, TIME_UNIT};
use super::message::{DEDUPLICATION, KEYS};
use super::via::{ASYNCHRONOUS, FRONTED, VIA};
use super::{Block, Key, ResourceKind, Shape, Union};

pub(super) static CALLER: Block = Block {
    name: "caller",
    doc: "a source of calls with its client; it has either `arrivals` or `users`",
    case: None,
    keys: &[
        Key::new(
            "target",
            &TARGET,
            "the function that it calls, the queue, stream, broker, topic, event bus or bucket that it sends to, or the state \
             machine that it starts",
        )
        .required(),
        Key::new("via", &VIA, "the source that calls").is("sdk"),
        Key::new("invocation", &INVOCATION, "how it calls a function, or starts a state machine")
            .with_any(("via", &ASYNCHRONOUS), "async", "sync")
            .rule("INV-Q1"),
        Key::new("arrivals", &Shape::Tagged(&ARRIVALS), "open loop: when it calls, whatever the answers"),
        Key::new("users", &Shape::Block(&USERS), "closed loop: users who call, wait for the answer and think"),
        Key::new("max_events", &WHOLE_FROM_0, "stops it after so many submissions"),
        Key::new("client", &CLIENT_BY_VIA, "who retries, and how long it waits").keys(),
        Key::new("payload", &BYTES, "size of the request").is("1KB").rule("INV-Y2"),
        Key::new("keys", &KEYS, "partition keys of records, message groups of a FIFO queue, tenants of a standard one")
            .is("even")
            .rule("ESM-2.1"),
        Key::new("delay", &TIME, "delay of each message, in the place of the queue's; at most 15m; queues only")
            .rule("ESM-1.1"),
        Key::new("deduplication", &DEDUPLICATION, "deduplication ids of messages to a FIFO queue")
            .is("none")
            .rule("ESM-1.10"),
        Key::new(
            "messages_per_call",
            &Shape::Whole(1, 500),
            "messages or records of one call, each a submission: to a queue, topic or event bus at most 10, to a DynamoDB \
             table 25, to other streams 500",
        )
        .is("1")
        .rule("ESM-2.1"),
    ],
};

static CLIENT_BY_VIA: Shape = Shape::When(("via", &FRONTED), &Shape::Block(&PLAIN_CLIENT), &Shape::Block(&CLIENT));

static TARGET: Shape = Shape::Target(&[
    ResourceKind::Function,
    ResourceKind::Queue,
    ResourceKind::Stream,
    ResourceKind::Broker,
    ResourceKind::StateMachine,
    ResourceKind::Topic,
    ResourceKind::EventBus,
    ResourceKind::Bucket,
]);
static INVOCATION: Shape = Shape::Words(&[
    word("sync", "RequestResponse: waits for the answer; of a state machine for the end of the execution"),
    word("async", "Event: waits until the event is accepted, or the execution has begun"),
]);

static USERS: Block = Block {
    name: "users",
    doc: "a closed loop",
    case: None,
    keys: &[
        Key::new("count", &COUNT_FROM_1, "how many users").is("1"),
        Key::new("think", &TIME, "pause before each call").is("0s"),
        Key::new("start", &USER_START, "how each user begins").is("think"),
    ],
};

static USER_START: Shape =
    Shape::Words(&[word("think", "with a pause"), word("at_once", "with a call at the start of the run")]);

static ARRIVALS: Union = Union {
    name: "arrivals",
    doc: "when an open loop submits",
    tags: &[
        tag("poisson", &RATE, "memoryless, at this rate"),
        tag("constant", &RATE, "evenly spaced at this rate, the first at 0"),
        tag("at", &Shape::List(&ANY_DURATION), "at these moments"),
        tag("burst", &Shape::Block(&BURST), "many at once"),
        tag("profile", &Shape::Block(&PROFILE), "a rate that changes"),
        tag("daily", &Shape::Block(&DAILY), "a rate that swings with the time of day"),
        tag("on_off", &Shape::Block(&ON_OFF), "busy and quiet phases of random length"),
        tag("trace", &Shape::Block(&TRACE), "one row of a CSV file per arrival"),
        tag("counts", &Shape::Block(&COUNTS), "one row of a CSV file per interval, with the number of arrivals"),
    ],
};

static BURST: Block = Block {
    name: "burst",
    doc: "many arrivals at once",
    case: None,
    keys: &[
        Key::new("size", &WHOLE_FROM_1, "how many at once").required(),
        Key::new("at", &ANY_DURATION, "the first burst").is("0s"),
        Key::new("every", &SOME_DURATION, "from one burst to the next; needed for more than one"),
        Key::new("times", &WHOLE_FROM_1, "how many bursts").is("1"),
    ],
};

static PROFILE: Block = Block {
    name: "profile",
    doc: "a rate that changes",
    case: None,
    keys: &[
        Key::new("points", &Shape::List(&Shape::Block(&PROFILE_POINT)), "the rate at given moments, in order of time")
            .required(),
        Key::new("shape", &PROFILE_SHAPE, "the rate between the points").is("linear"),
        Key::new("process", &REGULARITY, "how regular the arrivals are").is("poisson"),
    ],
};

static PROFILE_POINT: Block = Block {
    name: "profile point",
    doc: "a rate at a moment",
    case: None,
    keys: &[Key::new("at", &ANY_DURATION, "when").required(), Key::new("rate", &RATE, "the rate then").required()],
};

static PROFILE_SHAPE: Shape =
    Shape::Words(&[word("linear", "straight lines between the points"), word("step", "the rate of the last point")]);

static REGULARITY: Shape =
    Shape::Words(&[word("poisson", "memoryless"), word("constant", "evenly spaced at the rate of the moment")]);

static DAILY: Block = Block {
    name: "daily",
    doc: "a sine with a period of 24 hours",
    case: None,
    keys: &[
        Key::new("mean", &RATE, "mean over the day").required(),
        Key::new("peak", &RATE, "the largest rate, at most twice the mean").required(),
        Key::new("peak_at", &Shape::Duration(0, 24 * 3600 * SECOND), "time of the peak, from the start of the run")
            .required(),
        Key::new("process", &REGULARITY, "how regular the arrivals are").is("poisson"),
    ],
};

static ON_OFF: Block = Block {
    name: "on_off",
    doc: "busy and quiet phases of random length",
    case: None,
    keys: &[
        Key::new("on", &TIME, "length of a busy phase").required(),
        Key::new("off", &TIME, "length of a quiet phase").required(),
        Key::new("rate", &RATE, "rate of arrivals in a busy phase").required(),
    ],
};

static TRACE: Block = Block {
    name: "trace",
    doc: "arrivals from a CSV file with a header line, one row each; rows need not be in order",
    case: None,
    keys: &[
        Key::new("file", &FILE, "a CSV file beside the scenario").required(),
        Key::new("column", &TEXT, "the column with the moments; may be left out where there is only one"),
        Key::new("unit", &TIME_UNIT, "the unit of the moments").is("s"),
        Key::new("scale", &Shape::Scale, "multiplies the moments: 0.5 is twice as fast").is("1"),
        Key::new("duration_column", &TEXT, "the column with the duration of each run, in the place of the function's"),
        Key::new("duration_unit", &TIME_UNIT, "the unit of the durations").is("ms"),
    ],
};

static COUNTS: Block = Block {
    name: "counts",
    doc: "numbers of arrivals from a CSV file with a header line, one row per interval",
    case: None,
    keys: &[
        Key::new("file", &FILE, "a CSV file beside the scenario").required(),
        Key::new("column", &TEXT, "the column with the numbers; may be left out where there is only one"),
        Key::new("every", &SOME_DURATION, "the interval").is("1m"),
    ],
};
