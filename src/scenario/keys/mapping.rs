//! The tables of event source mappings.

use super::common::{
    ANY_DURATION, ANY_RATIO, ANY_SIZE, BACKOFF_CAP, BACKOFF_FACTOR, COUNT_FROM_0, COUNT_FROM_1, FUNCTION_NAME, JITTER,
    QUEUE_NAME, RATE, SECOND, SOME_DURATION, SOME_RATIO, SWITCH, word,
};
use super::{Block, Key, Shape};

pub(super) static MAPPING: Block = Block {
    name: "event source mapping",
    doc: "polls a queue and invokes a function with batches of its messages",
    case: None,
    keys: &[
        Key::new("source", &QUEUE_NAME, "the queue that is polled").required(),
        Key::new("function", &FUNCTION_NAME, "the function that is invoked").required(),
        Key::new("enabled", &SWITCH, "whether it polls").is("on"),
        Key::new("batch_size", &Shape::Whole(1, 10_000), "most messages of a batch; of a FIFO queue at most 10")
            .is("10")
            .rule("ESM-1.1"),
        Key::new(
            "maximum_batching_window",
            &Shape::Duration(0, 300 * SECOND),
            "longest wait for a full batch, in whole seconds; standard queues only",
        )
        .is("0s")
        .rule("ESM-1.1"),
        Key::new("filter", &ANY_RATIO, "share of the messages that match the filter; the others are deleted")
            .is("100%")
            .rule("ESM-1.12"),
        Key::new("report_batch_item_failures", &SWITCH, "the function says which messages of a batch failed")
            .is("off")
            .rule("ESM-1.4"),
        Key::new("enable_delay", &ANY_DURATION, "from the start, or from being enabled, to the first poll")
            .timing("0s", "30s")
            .rule("ESM-C1"),
        Key::new("update_pause", &ANY_DURATION, "how long an update stops polling").is("0s").rule("ESM-C7"),
        Key::new("invoke_overhead", &ANY_DURATION, "from a batch to its invocation")
            .timing("0s", "10ms")
            .rule("ESM-C3"),
        Key::new("window_opens", &WINDOW_OPENS, "when the batching window of an idle poller opens")
            .is("first_record")
            .rule("ESM-S10"),
        Key::new("payload_limit", &PAYLOAD_LIMIT, "size at which a batch is full").is("6291556B").rule("ESM-1.3"),
        Key::new("record_overhead", &ANY_SIZE, "size of a record in the event, beside its body")
            .is("600B")
            .rule("ESM-S12"),
        Key::new("body_factor", &Shape::Real(0.0, 1000.0), "bytes in the event for each byte of a body")
            .is("1.0")
            .rule("ESM-1.3"),
        Key::new("spurious_duplicate_probability", &ANY_RATIO, "a batch is invoked once more without a cause")
            .is("0%")
            .rule("ESM-C9"),
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

/// INV-Y2: what Invoke takes.
static PAYLOAD_LIMIT: Shape = Shape::Size(1, 6_291_556);

static WINDOW_OPENS: Shape =
    Shape::Words(&[word("first_record", "with the first message"), word("rolling", "at once after the last window")]);

/// Waits of zero would try again for ever in one instant.
static THROTTLE_RETRY: Block = Block {
    name: "throttle retry",
    doc: "wait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter",
    case: None,
    keys: &[
        Key::new("base", &SOME_DURATION, "the first wait").is("1s").rule("ESM-S7"),
        Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait").is("2").rule("ESM-S7"),
        Key::new("cap", &BACKOFF_CAP, "the longest wait before jitter").is("20s").rule("ESM-S7"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("none").rule("ESM-S7"),
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
