//! The tables of what runs call, and of the dependencies behind them.

use super::client::{CLIENT, CLIENT_TIMEOUT, PLAIN_CLIENT};
use super::common::{ANY_DURATION, ANY_RATIO, COUNT, COUNT_FROM_0, COUNT_FROM_1, SOME_RATIO, TEXT, word};
use super::distribution::{BYTES, TIME};
use super::message::KEYS;
use super::{Block, Key, ResourceKind, Shape};

pub(super) static DEPENDENCY: Block = Block {
    name: "dependency",
    doc: "anything with limited capacity behind a function: a database, a partner's API",
    case: None,
    keys: &[
        Key::new("concurrency", &CONCURRENCY, "requests in service at once").is("unlimited"),
        Key::new("service_time", &TIME, "time of one request in service").required(),
        Key::new("queue", &PLACES, "requests that may wait, `0`: none; the next is refused with 503").is("unlimited"),
        Key::new("discipline", &DISCIPLINE, "which of those that wait is next").is("fifo"),
        Key::new("rate_limit", &RATE_LIMIT, "requests a second; the next is refused with 429").is("unlimited"),
        Key::new("connection_limit", &CONNECTIONS, "connections; a request beyond is refused with 503").is("unlimited"),
        Key::new(
            "connections_per_environment",
            &COUNT_FROM_0,
            "connections that an environment holds from its first request until it ends; 0: each request has one while \
             it lasts",
        )
        .is("0"),
        Key::new("slowdown", &SLOWDOWN, "service time that grows with the requests in service").is("none"),
        Key::new("abandoned_calls", &ABANDONED, "what becomes of a request that its client has given up")
            .is("continue"),
        Key::new("failures", &REQUEST_FAILURES, "independent causes of failed requests").is("[]"),
    ],
};

static REQUEST_FAILURES: Shape = Shape::List(&Shape::Block(&REQUEST_FAILURE));

/// The keys of a function's failures, said of requests.
static REQUEST_FAILURE: Block = Block {
    name: "request failure",
    doc: "one independent cause of failed requests; all of its conditions must hold. Attempts of a call are counted over \
          all runs of its event",
    case: None,
    keys: &[
        Key::new("probability", &ANY_RATIO, "judged once a request"),
        Key::new("poison", &ANY_RATIO, "a property of the call: it fails at every attempt"),
        Key::new("first_attempts", &COUNT_FROM_1, "the call's first so many attempts"),
        Key::new("attempts", &Shape::List(&COUNT_FROM_1), "these attempts of the call; 1 is the first").is("[]"),
        Key::new(
            "events",
            &Shape::List(&Shape::Event),
            "calls that follow from these submissions: `4` of each caller, `shoppers#4` of one",
        )
        .is("[]"),
        Key::new("from", &ANY_DURATION, "requests whose service begins at or after this moment"),
        Key::new("until", &ANY_DURATION, "requests whose service begins before this moment"),
        Key::new("above_concurrency", &COUNT_FROM_0, "requests while more than so many are in service, this one too"),
        Key::new("kind", &REQUEST_FAILURE_KIND, "how the request fails").is("error"),
        Key::new("error", &TEXT, "a name for it, for who reads the file: no client asks for it"),
        Key::new("after", &ANY_RATIO, "share of the service time that is used up when it fails").is("100%"),
    ],
};

static REQUEST_FAILURE_KIND: Shape = Shape::Words(&[
    word("error", "it is answered with 500"),
    word("timeout", "it is never answered, and leaves its server after its service time"),
    word("crash", "the same as `error`: it is answered with 500"),
]);

static CONCURRENCY: Shape = Shape::Either(&[Shape::Without("unlimited", "any number"), Shape::Whole(1, COUNT)]);
static PLACES: Shape = Shape::Either(&[Shape::Without("unlimited", "any number may wait"), Shape::Whole(0, COUNT)]);
static CONNECTIONS: Shape = Shape::Either(&[Shape::Without("unlimited", "any number"), Shape::Whole(1, COUNT)]);
static RATE_LIMIT: Shape = Shape::Either(&[Shape::Without("unlimited", "any number"), Shape::Rate]);
static DISCIPLINE: Shape = Shape::Words(&[word("fifo", "who has waited longest"), word("lifo", "who came last")]);
static ABANDONED: Shape =
    Shape::Words(&[word("continue", "it waits and is served, for nobody"), word("stop", "it is gone at once")]);
static SLOWDOWN: Shape = Shape::Either(&[
    Shape::Without("none", "it does not depend on the load"),
    Shape::Block(&Block {
        name: "slowdown",
        doc: "service time x (1 + `per_call` x requests in service above `above`)",
        case: None,
        keys: &[
            Key::new("above", &COUNT_FROM_0, "requests in service that slow nothing down").is("0"),
            Key::new("per_call", &SOME_RATIO, "share of the service time that each request above `above` adds")
                .required(),
        ],
    }),
]);

/// What a run calls: steps in order.
pub(super) static CALLS: Shape = Shape::List(&Shape::Either(&[
    Shape::Block(&TO_DEPENDENCY),
    Shape::Block(&TO_FUNCTION),
    Shape::Block(&TO_QUEUE),
    Shape::Block(&TO_STREAM),
    Shape::Block(&TO_BROKER),
    Shape::Block(&TO_TOPIC),
    Shape::Block(&TO_EVENT_BUS),
    Shape::Block(&TO_BUCKET),
    Shape::Block(&TO_STATE_MACHINE),
    Shape::Block(&SIDE_BY_SIDE),
]));

static SIDE_BY_SIDE: Block = Block {
    name: "parallel calls",
    doc: "calls side by side; the run goes on when all of them have ended",
    case: Some(("parallel", "")),
    keys: &[Key::new("parallel", &CALLS_IN_PARALLEL, "the calls").required()],
};

static CALLS_IN_PARALLEL: Shape = Shape::List(&Shape::Either(&[
    Shape::Block(&TO_DEPENDENCY),
    Shape::Block(&TO_FUNCTION),
    Shape::Block(&TO_QUEUE),
    Shape::Block(&TO_STREAM),
    Shape::Block(&TO_BROKER),
    Shape::Block(&TO_TOPIC),
    Shape::Block(&TO_EVENT_BUS),
    Shape::Block(&TO_BUCKET),
    Shape::Block(&TO_STATE_MACHINE),
]));

const TIMES: Key = Key::new("times", &Shape::Whole(1, 10_000), "how often").is("1");
const PARALLEL: Key = Key::new("parallel", &COUNT_FROM_1, "how many of them at once").is("1");
const ON_FAILURE: Key = Key::new("on_failure", &ON_CALL_FAILURE, "what a call that fails does to the run").is("fail");
const TIMEOUT: Key =
    Key::new("timeout", &CLIENT_TIMEOUT, "longest wait for the answer to one attempt, in the place of the client's");
/// Each call may say `even`; what has no keys takes nothing else.
const KEYS_OF_CALL: Key =
    Key::new("keys", &KEYS, "partition keys of records, message groups of a queue").is("even").rule("ESM-2.1");
const PAYLOAD: Key = Key::new("payload", &BYTES, "size of what is sent").is("1KB").rule("INV-Y2");
static SDK_CLIENT: Shape = Shape::Block(&CLIENT);
static OWN_CLIENT: Shape = Shape::Block(&PLAIN_CLIENT);
const SDK: Key = Key::new("client", &SDK_CLIENT, "who retries, and how long it waits").keys();
const PLAIN: Key = Key::new("client", &OWN_CLIENT, "who retries, and how long it waits").keys();

static ON_CALL_FAILURE: Shape = Shape::Words(&[word("fail", "the run fails"), word("ignore", "the run goes on")]);

/// The first: it lends its name to a call of which nobody knows yet what it calls.
static TO_DEPENDENCY: Block = Block {
    name: "call",
    doc: "a request to a dependency, and the wait for its answer",
    case: Some(("dependency", "")),
    keys: &[
        Key::new("dependency", &Shape::Target(&[ResourceKind::Dependency]), "what is asked").required(),
        TIMES,
        PARALLEL,
        TIMEOUT,
        PLAIN,
        ON_FAILURE,
        PAYLOAD,
        KEYS_OF_CALL,
    ],
};

static TO_FUNCTION: Block = Block {
    name: "call of a function",
    doc: "an invocation of another function",
    case: Some(("function", "")),
    keys: &[
        Key::new("function", &Shape::Target(&[ResourceKind::Function]), "what is invoked").required(),
        Key::new("invocation", &INVOCATION, "how").is("sync").rule("INV-Q1"),
        TIMES,
        PARALLEL,
        TIMEOUT,
        SDK,
        ON_FAILURE,
        PAYLOAD,
        KEYS_OF_CALL,
    ],
};

static INVOCATION: Shape = Shape::Words(&[
    word("sync", "RequestResponse: waits for the answer"),
    word("async", "Event: waits until the event is accepted"),
]);

/// A call that sends something to a service of AWS.
macro_rules! sends {
    ($table:ident, $name:literal, $key:literal, $kind:ident) => {
        static $table: Block = Block {
            name: $name,
            doc: "something is sent, and the service's answer waited for",
            case: Some(($key, "")),
            keys: &[
                Key::new($key, &Shape::Target(&[ResourceKind::$kind]), "where to").required(),
                TIMES,
                PARALLEL,
                TIMEOUT,
                SDK,
                ON_FAILURE,
                PAYLOAD,
                KEYS_OF_CALL,
            ],
        };
    };
}

sends!(TO_QUEUE, "message to a queue", "queue", Queue);
sends!(TO_STREAM, "record to a stream", "stream", Stream);
sends!(TO_BROKER, "message to a broker", "broker", Broker);
sends!(TO_TOPIC, "message to a topic", "topic", Topic);
sends!(TO_EVENT_BUS, "event to an event bus", "event_bus", EventBus);
sends!(TO_BUCKET, "object to a bucket", "bucket", Bucket);

static TO_STATE_MACHINE: Block = Block {
    name: "start of an execution",
    doc: "an execution of a state machine is started, and not waited for",
    case: Some(("state_machine", "")),
    keys: &[
        Key::new("state_machine", &Shape::Target(&[ResourceKind::StateMachine]), "what is started").required(),
        TIMES,
        PARALLEL,
        TIMEOUT,
        SDK,
        ON_FAILURE,
        PAYLOAD,
        KEYS_OF_CALL,
    ],
};
