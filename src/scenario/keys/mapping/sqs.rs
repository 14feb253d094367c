//! The table of mappings of SQS queues.

use super::{
    BATCH_SIZE, BODY_FACTOR, ENABLE_DELAY, ENABLED, FILTER, FUNCTION, INVOKE_OVERHEAD, PAYLOAD_LIMIT, RECORD_OVERHEAD,
    REPORT, SOURCE, SPURIOUS_DUPLICATES, THROTTLE_RETRY, UPDATE_PAUSE, WINDOW, WINDOW_OPENS,
};
use crate::scenario::keys::common::{
    ANY_DURATION, ANY_RATIO, COUNT_FROM_0, COUNT_FROM_1, RATE, SECOND, SOME_DURATION, SOME_RATIO, SWITCH, word,
};
use crate::scenario::keys::{Block, Key, Shape};

pub(super) static SQS: Block = Block {
    name: "SQS mapping",
    doc: "polls a queue and invokes a function with batches of its messages",
    case: None,
    keys: &[
        SOURCE,
        FUNCTION,
        ENABLED,
        BATCH_SIZE.is("10").says("most messages of a batch; of a FIFO queue at most 10"),
        WINDOW.is("0s").says("longest wait for a full batch, in whole seconds; standard queues only"),
        FILTER.says("share of the messages that match the filter; the others are deleted").rule("ESM-1.12"),
        REPORT.says("the function says which messages of a batch failed").rule("ESM-1.4"),
        ENABLE_DELAY.timing("0s", "30s"),
        UPDATE_PAUSE.is("0s"),
        INVOKE_OVERHEAD,
        WINDOW_OPENS,
        PAYLOAD_LIMIT,
        RECORD_OVERHEAD,
        BODY_FACTOR.is("1.0"),
        SPURIOUS_DUPLICATES,
        Key::new("throttle_retry", &Shape::Block(&THROTTLE_RETRY), "waits between attempts that are throttled")
            .keys()
            .rule("ESM-S7"),
        Key::new("maximum_concurrency", &Shape::Whole(2, 1000), "batches in work above which nothing is received")
            .rule("ESM-1.8"),
        Key::new("pollers", &Shape::Block(&POLLERS), "how the default mode scales").keys().rule("ESM-1.2"),
        Key::new(
            "provisioned_pollers",
            &Shape::Block(&PROVISIONED_POLLERS),
            "the provisioned mode, in the place of the default mode",
        )
        .rule("ESM-1.9"),
        Key::new("long_poll", &Shape::Duration(1, 20 * SECOND), "how long a receive waits for a message")
            .is("20s")
            .rule("ESM-1.2"),
        Key::new(
            "low_traffic_wait",
            &ANY_DURATION,
            "a shorter batching window is looked at only when a long poll of this length returns",
        )
        .is("20s")
        .rule("ESM-S11"),
        Key::new("fifo_single_group_batches", &SWITCH, "a batch of a FIFO queue has messages of one group only")
            .is("off")
            .rule("ESM-1.10"),
    ],
};

static POLLERS: Block = Block {
    name: "pollers",
    doc: "how the default mode scales",
    case: None,
    keys: &[
        Key::new("initial", &COUNT_FROM_1, "pollers at the start").is("5").rule("ESM-1.2"),
        Key::new("per_minute", &COUNT_FROM_0, "pollers added a minute while messages wait and none is idle; once 60")
            .is("300")
            .rule("ESM-1.2"),
        Key::new("maximum", &COUNT_FROM_1, "most pollers; once 1000").is("1250").rule("ESM-1.2"),
        Key::new("growth", &GROWTH, "how they are added").is("linear").rule("ESM-S1"),
        Key::new("floor", &COUNT_FROM_1, "pollers that stay when it is quiet").is("5").rule("ESM-S4"),
        Key::new("floor_after", &ANY_DURATION, "how long it must be quiet before only the floor stays")
            .is("5m")
            .rule("ESM-S4"),
        Key::new("retire_after", &COUNT_FROM_1, "empty long polls after which a poller above the floor retires")
            .is("1")
            .rule("ESM-S3"),
        Key::new("error_backoff", &SOME_RATIO, "what is left of the pollers after a failed invocation")
            .is("0.95")
            .rule("ESM-S5"),
        Key::new("throttle_backoff", &SOME_RATIO, "what is left of the pollers after a throttled batch")
            .is("0.95")
            .rule("ESM-S6"),
    ],
};

static GROWTH: Shape =
    Shape::Words(&[word("linear", "a sixtieth each whole second"), word("step", "all at once each whole minute")]);

static PROVISIONED_POLLERS: Block = Block {
    name: "provisioned pollers",
    doc: "pollers that are set aside for this mapping",
    case: None,
    keys: &[
        Key::new("minimum", &Shape::Whole(2, 200), "fewest pollers").is("2").rule("ESM-1.9"),
        Key::new("maximum", &Shape::Whole(2, CEILING), "most pollers, at most `ceiling`").is("200").rule("ESM-1.9"),
        Key::new("ceiling", &Shape::Whole(2, CEILING), "the account's limit on `maximum`").is("2000").rule("ESM-1.1"),
        Key::new("invocations", &COUNT_FROM_1, "batches in work of one poller").is("10").rule("ESM-1.9"),
        Key::new("receives", &RATE, "receives of one poller").is("10/s").rule("ESM-S26"),
        Key::new("throughput", &Shape::Throughput, "what one poller takes in").is("1MB/s").rule("ESM-1.9"),
        Key::new("per_minute", &COUNT_FROM_0, "pollers added a minute while all are full").is("100").rule("ESM-1.9"),
        Key::new("every", &SOME_DURATION, "how often it is looked whether there are enough").is("1s").rule("ESM-S25"),
        Key::new("down_below", &ANY_RATIO, "use below which pollers are given back").is("50%").rule("ESM-S25"),
        Key::new("down_after", &ANY_DURATION, "how long it must be below that").is("60s").rule("ESM-S25"),
        Key::new("down_every", &SOME_DURATION, "a poller is given back once in each such time")
            .is("6s")
            .rule("ESM-S25"),
    ],
};

/// ESM-1.1: the API admits more than the guide says.
const CEILING: u64 = 10_000;
