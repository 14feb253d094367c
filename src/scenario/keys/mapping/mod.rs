//! The tables of event source mappings: one for each type of source, because each has keys that others have not.

mod sqs;
mod stream;

use super::common::{
    ANY_DURATION, ANY_RATIO, ANY_SIZE, BACKOFF_CAP, BACKOFF_FACTOR, FUNCTION_NAME, JITTER, SECOND, SOME_DURATION,
    SWITCH, word,
};
use super::{Block, Key, ResourceKind, Shape, SourceType};

/// The tables by the type of the source.
pub(crate) static BY_SOURCE: [(SourceType, &Block); 6] = [
    (SourceType::Sqs, &sqs::SQS),
    (SourceType::Kinesis, &stream::KINESIS),
    (SourceType::DynamoDb, &stream::DYNAMODB),
    (SourceType::Kafka, &stream::KAFKA),
    (SourceType::Mq, &stream::MQ),
    (SourceType::DocumentDb, &stream::DOCUMENTDB),
];

const SOURCE: Key = Key::new("source", &SOURCE_NAME, "the queue, stream, topic or broker that is polled").required();
const FUNCTION: Key = Key::new("function", &FUNCTION_NAME, "the function that is invoked").required();
const ENABLED: Key = Key::new("enabled", &SWITCH, "whether it polls").is("on");
const BATCH_SIZE: Key = Key::new("batch_size", &Shape::Whole(1, 10_000), "most records of a batch").rule("ESM-1.1");
const WINDOW: Key = Key::new(
    "maximum_batching_window",
    &Shape::Duration(0, 300 * SECOND),
    "longest wait for a full batch, in whole seconds",
)
.rule("ESM-1.1");
const FILTER: Key =
    Key::new("filter", &ANY_RATIO, "share of the records that match the filter; the others are skipped")
        .is("100%")
        .rule("ESM-6.4");
const REPORT: Key =
    Key::new("report_batch_item_failures", &SWITCH, "the function says from which record on a batch failed").is("off");
const ENABLE_DELAY: Key =
    Key::new("enable_delay", &ANY_DURATION, "from the start, or from being enabled, to the first poll").rule("ESM-C1");
const UPDATE_PAUSE: Key = Key::new("update_pause", &ANY_DURATION, "how long an update stops polling").rule("ESM-C7");
const INVOKE_OVERHEAD: Key =
    Key::new("invoke_overhead", &ANY_DURATION, "from a batch to its invocation").timing("0s", "10ms").rule("ESM-C3");
const WINDOW_OPENS: Key = Key::new("window_opens", &WINDOW_OPENING, "when the batching window of an idle poller opens")
    .is("first_record")
    .rule("ESM-S10");
const PAYLOAD_LIMIT: Key =
    Key::new("payload_limit", &PAYLOAD, "size at which a batch is full").is("6291556B").rule("ESM-1.3");
const RECORD_OVERHEAD: Key =
    Key::new("record_overhead", &ANY_SIZE, "size of a record in the event, beside its body").is("600B").rule("ESM-S12");
const BODY_FACTOR: Key =
    Key::new("body_factor", &Shape::Real(0.0, 1000.0), "bytes in the event for each byte of a body").rule("ESM-1.3");
const SPURIOUS_DUPLICATES: Key =
    Key::new("spurious_duplicate_probability", &ANY_RATIO, "a batch is invoked once more without a cause")
        .is("0%")
        .rule("ESM-C9");

static SOURCE_NAME: Shape = Shape::Target(&[ResourceKind::Queue, ResourceKind::Stream, ResourceKind::Broker]);

/// INV-Y2: what Invoke takes.
static PAYLOAD: Shape = Shape::Size(1, 6_291_556);

static WINDOW_OPENING: Shape =
    Shape::Words(&[word("first_record", "with the first record"), word("rolling", "at once after the last window")]);

/// Waits between attempts. Waits of zero would try again for ever in one instant.
macro_rules! waits {
    ($table:ident, $name:literal, $base:literal, $cap:literal, $rule:literal) => {
        static $table: Block = Block {
            name: $name,
            doc: "wait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter",
            case: None,
            keys: &[
                Key::new("base", &SOME_DURATION, "the first wait").is($base).rule($rule),
                Key::new("factor", &BACKOFF_FACTOR, "growth from wait to wait").is("2").rule($rule),
                Key::new("cap", &BACKOFF_CAP, "the longest wait before jitter").is($cap).rule($rule),
                Key::new("jitter", &JITTER, "how chance changes a wait").is("none").rule($rule),
            ],
        };
    };
}

waits!(THROTTLE_RETRY, "throttle retry", "1s", "20s", "ESM-S7");
waits!(STREAM_THROTTLE_RETRY, "stream throttle retry", "250ms", "60s", "ESM-K2");
waits!(RETRY, "retry", "250ms", "60s", "ESM-K1");
