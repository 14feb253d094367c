//! The tables of mappings of streams, Kafka topics, brokers and `DocumentDB`.

use super::{
    BATCH_SIZE, BODY_FACTOR, ENABLE_DELAY, ENABLED, FILTER, FUNCTION, INVOKE_OVERHEAD, PAYLOAD_LIMIT, RECORD_OVERHEAD,
    REPORT, RETRY, SOURCE, SPURIOUS_DUPLICATES, STREAM_THROTTLE_RETRY, UPDATE_PAUSE, WINDOW, WINDOW_OPENS,
};
use crate::scenario::keys::common::{ANY_DURATION, COUNT_FROM_1, SECOND, SOME_DURATION, SWITCH, TEXT, word};
use crate::scenario::keys::{Block, Key, ResourceKind, Shape};

const DAY: u64 = 24 * 3600 * SECOND;

const STREAM_BATCH_SIZE: Key = BATCH_SIZE.is("100");
const SHORT_WINDOW: Key =
    WINDOW.is("500ms").says("longest wait for a full batch: whole seconds, or the default").rule("ESM-6.3");
const STREAM_PAUSE: Key = UPDATE_PAUSE.timing("0s", "60s");
const THROTTLE: Key = Key::new("throttle_retry", &THROTTLE_WAITS, "waits between attempts that are throttled")
    .as_key("retry")
    .rule("ESM-K2");
const FAILURE_RETRY: Key =
    Key::new("retry", &RETRY_WAITS, "waits after a failed run, from its end").keys().rule("ESM-K1");
const POSITION: Key =
    Key::new("starting_position", &STARTING_POSITION, "where reading begins").is("trim_horizon").rule("ESM-2.2");
const FACTOR: Key = Key::new(
    "parallelization_factor",
    &Shape::Whole(1, 10),
    "batches of one shard at the same time; keys keep their order",
)
.is("1")
.rule("ESM-2.2");
const ATTEMPTS: Key =
    Key::new("maximum_retry_attempts", &RETRY_ATTEMPTS, "further runs of a batch after a function error")
        .is("unlimited")
        .rule("ESM-2.3");
const AGE: Key = Key::new("maximum_record_age", &RECORD_AGE, "age above which a record is discarded, in whole seconds")
    .is("unlimited")
    .rule("ESM-2.3");
const BISECT: Key = Key::new("bisect_batch_on_function_error", &SWITCH, "a batch that failed is split in two")
    .is("off")
    .rule("ESM-2.3");
const BISECT_RESETS: Key =
    Key::new("bisect_resets_retries", &SWITCH, "each half of a split batch has all retries again")
        .is("off")
        .rule("ESM-K5");
const TUMBLING: Key = Key::new(
    "tumbling_window",
    &Shape::Duration(0, 900 * SECOND),
    "length of the windows in which state is carried from run to run, in whole seconds; `0s` is off",
)
.is("0s")
.rule("ESM-2.4");
const GRACE: Key = Key::new(
    "tumbling_window_grace",
    &ANY_DURATION,
    "how long after its end a window is closed without a later record",
)
.is("2m")
.rule("ESM-2.4");
const ON_FAILURE: Key =
    Key::new("on_failure", &DESTINATION, "who is told of discarded batches: a standard queue, a topic or a bucket")
        .rule("ESM-2.3");
const EVERY: Key = Key::new("poll_every", &SOME_DURATION, "time between two reads of an idle shard").rule("ESM-2.2");
const PHASE: Key =
    Key::new("poll_phase", &POLL_PHASE, "when the first of these reads is").timing("0s", "random").rule("ESM-K7");

pub(super) static KINESIS: Block = Block {
    name: "Kinesis mapping",
    doc: "reads a Kinesis stream and invokes a function with batches of its records",
    case: None,
    keys: &[
        SOURCE,
        FUNCTION,
        ENABLED,
        STREAM_BATCH_SIZE,
        WINDOW.is("0s"),
        FILTER,
        REPORT.rule("ESM-2.3"),
        ENABLE_DELAY.timing("0s", "90s"),
        STREAM_PAUSE,
        INVOKE_OVERHEAD,
        WINDOW_OPENS,
        PAYLOAD_LIMIT,
        RECORD_OVERHEAD,
        BODY_FACTOR
            .is("1.333333333333")
            .says("bytes in the event for each byte of a body: 4/3 is base64")
            .rule("ESM-2.2"),
        SPURIOUS_DUPLICATES,
        THROTTLE,
        POSITION,
        FACTOR,
        ATTEMPTS,
        AGE,
        BISECT,
        BISECT_RESETS,
        TUMBLING,
        GRACE,
        ON_FAILURE,
        FAILURE_RETRY,
        Key::new("enhanced_fan_out", &SWITCH, "records are pushed, at a rate that no other reader shares")
            .is("off")
            .rule("ESM-2.1"),
        Key::new("push_delay", &ANY_DURATION, "how long that takes").timing("0s", "70ms").rule("ESM-K11"),
        EVERY.is("1s"),
        PHASE,
    ],
};

pub(super) static DYNAMODB: Block = Block {
    name: "DynamoDB mapping",
    doc: "reads a DynamoDB stream and invokes a function with batches of its records",
    case: None,
    keys: &[
        SOURCE,
        FUNCTION,
        ENABLED,
        STREAM_BATCH_SIZE,
        WINDOW.is("0s"),
        FILTER,
        REPORT.rule("ESM-2.3"),
        ENABLE_DELAY.timing("0s", "90s"),
        STREAM_PAUSE,
        INVOKE_OVERHEAD,
        WINDOW_OPENS,
        PAYLOAD_LIMIT,
        RECORD_OVERHEAD,
        BODY_FACTOR.is("1.0"),
        SPURIOUS_DUPLICATES,
        THROTTLE,
        Key::new("starting_position", &ENDS, "where reading begins").is("trim_horizon").rule("ESM-3"),
        FACTOR,
        ATTEMPTS,
        AGE,
        BISECT,
        BISECT_RESETS,
        TUMBLING,
        GRACE,
        ON_FAILURE,
        FAILURE_RETRY,
        EVERY.is("250ms").rule("ESM-3"),
        PHASE,
    ],
};

pub(super) static KAFKA: Block = Block {
    name: "Kafka mapping",
    doc: "reads a Kafka topic and invokes a function with batches of its records; what only the provisioned mode does \
          needs `provisioned_pollers`",
    case: None,
    keys: &[
        SOURCE,
        FUNCTION,
        ENABLED,
        STREAM_BATCH_SIZE,
        SHORT_WINDOW,
        FILTER,
        REPORT.says("the function says from which record on each partition failed; provisioned mode only").rule("ESM-4.2"),
        ENABLE_DELAY.timing("0s", "180s"),
        STREAM_PAUSE,
        INVOKE_OVERHEAD,
        WINDOW_OPENS,
        PAYLOAD_LIMIT,
        RECORD_OVERHEAD,
        BODY_FACTOR.is("1.0"),
        SPURIOUS_DUPLICATES,
        THROTTLE,
        POSITION.says("where reading begins, if its group has read nothing yet").rule("ESM-4.1"),
        ATTEMPTS.says("further runs of a batch after a function error; provisioned mode only").rule("ESM-4.2"),
        AGE.says("age above which a record is discarded, in whole seconds; provisioned mode only").rule("ESM-4.2"),
        BISECT.says("a batch that failed is split in two; provisioned mode only").rule("ESM-4.2"),
        BISECT_RESETS,
        Key::new(
            "on_failure",
            &KAFKA_DESTINATION,
            "who is told of discarded batches: a standard queue, a topic, a bucket or, in the provisioned mode, another \
             Kafka topic",
        )
        .rule("ESM-4.2"),
        FAILURE_RETRY.rule("ESM-F5"),
        Key::new("consumer_group", &TEXT, "mappings of one group share partitions and offsets").own_name().rule("ESM-4.1"),
        Key::new("consumers", &Shape::Block(&CONSUMERS), "how the default mode scales").keys().rule("ESM-4.1"),
        Key::new(
            "provisioned_pollers",
            &Shape::Block(&KAFKA_POLLERS),
            "the provisioned mode, in the place of the default mode",
        )
        .rule("ESM-4.2"),
    ],
};

pub(super) static MQ: Block = Block {
    name: "MQ mapping",
    doc: "reads a queue of an Amazon MQ broker and invokes a function with batches of its messages",
    case: None,
    keys: &[
        SOURCE,
        FUNCTION,
        ENABLED,
        STREAM_BATCH_SIZE,
        SHORT_WINDOW,
        FILTER,
        ENABLE_DELAY.timing("0s", "180s"),
        STREAM_PAUSE,
        INVOKE_OVERHEAD,
        WINDOW_OPENS,
        PAYLOAD_LIMIT,
        RECORD_OVERHEAD,
        BODY_FACTOR.is("1.0"),
        SPURIOUS_DUPLICATES,
        THROTTLE,
        FAILURE_RETRY.rule("ESM-M1"),
    ],
};

pub(super) static DOCUMENTDB: Block = Block {
    name: "DocumentDB mapping",
    doc: "reads a DocumentDB change stream and invokes a function with batches of its events",
    case: None,
    keys: &[
        SOURCE,
        FUNCTION,
        ENABLED,
        STREAM_BATCH_SIZE,
        SHORT_WINDOW,
        ENABLE_DELAY.timing("0s", "180s"),
        STREAM_PAUSE,
        INVOKE_OVERHEAD,
        WINDOW_OPENS,
        PAYLOAD_LIMIT.says("size at which a batch is full; a larger event is dropped"),
        RECORD_OVERHEAD,
        BODY_FACTOR.is("1.0"),
        SPURIOUS_DUPLICATES,
        THROTTLE,
        POSITION.rule("ESM-5"),
        FAILURE_RETRY,
    ],
};

static THROTTLE_WAITS: Shape = Shape::Block(&STREAM_THROTTLE_RETRY);
static RETRY_WAITS: Shape = Shape::Block(&RETRY);

static ENDS: Shape = Shape::Words(&[
    word("trim_horizon", "with the oldest record that is kept"),
    word("latest", "with the first record after it began to poll"),
]);

static STARTING_POSITION: Shape = Shape::Either(&[
    Shape::Words(&[
        word("trim_horizon", "with the oldest record that is kept"),
        word("latest", "with the first record after it began to poll"),
    ]),
    Shape::Block(&MOMENT),
]);

static MOMENT: Block = Block {
    name: "starting position",
    doc: "reading begins with the first record that was written at a moment or later",
    case: None,
    keys: &[Key::new("at", &ANY_DURATION, "the moment, from the start of the run").required().rule("ESM-2.2")],
};

static RETRY_ATTEMPTS: Shape =
    Shape::Either(&[Shape::Without("unlimited", "until it succeeds or its records expire"), Shape::Whole(0, 10_000)]);

static RECORD_AGE: Shape =
    Shape::Either(&[Shape::Without("unlimited", "any age"), Shape::Duration(60 * SECOND, 7 * DAY)]);

static DESTINATION: Shape = Shape::Target(&[ResourceKind::Queue, ResourceKind::Topic, ResourceKind::Bucket]);
static KAFKA_DESTINATION: Shape =
    Shape::Target(&[ResourceKind::Queue, ResourceKind::Topic, ResourceKind::Bucket, ResourceKind::Stream]);

static POLL_PHASE: Shape =
    Shape::Either(&[Shape::Words(&[word("random", "at a moment of each shard's own")]), Shape::Duration(0, u64::MAX)]);

static CONSUMERS: Block = Block {
    name: "consumers",
    doc: "how the default mode scales, up to one consumer for each partition",
    case: None,
    keys: &[
        Key::new("initial", &COUNT_FROM_1, "consumers at the start").is("1").rule("ESM-F1"),
        Key::new("every", &SOME_DURATION, "how often the lag is looked at").is("1m").rule("ESM-F2"),
        Key::new("factor", &Shape::Real(1.0, 1000.0), "by what the consumers are multiplied when the lag grew")
            .is("2")
            .rule("ESM-F2"),
        Key::new("effective_after", &ANY_DURATION, "how long that takes").is("1m").rule("ESM-F2"),
        Key::new("shrink_after", &COUNT_FROM_1, "looks without lag after which there is one consumer less")
            .is("3")
            .rule("ESM-F2"),
    ],
};

static KAFKA_POLLERS: Block = Block {
    name: "Kafka pollers",
    doc: "pollers that are set aside for this mapping, never more than partitions",
    case: None,
    keys: &[
        Key::new("minimum", &Shape::Whole(1, 200), "fewest pollers").is("1").rule("ESM-4.2"),
        Key::new("maximum", &Shape::Whole(1, 2000), "most pollers; the same as `minimum` is a fixed number")
            .is("200")
            .rule("ESM-4.2"),
        Key::new("invocations", &COUNT_FROM_1, "batches in work of one poller").is("5").rule("ESM-4.2"),
        Key::new("throughput", &Shape::Throughput, "what one poller takes in").is("5MB/s").rule("ESM-4.2"),
        Key::new("every", &SOME_DURATION, "how often it is looked whether there are enough").is("60s").rule("ESM-F4"),
        Key::new("group", &TEXT, "mappings of one group are billed together; at most 100, with 2000 pollers in all")
            .rule("ESM-4.2"),
    ],
};
