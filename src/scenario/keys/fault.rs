//! The tables of faults: one for each sort of resource that they strike.

use super::common::{ANY_DURATION, ANY_RATIO, FUNCTION_NAME, word};
use super::{Block, Key, ResourceKind, Shape};

pub(super) static FAULT: Shape = Shape::Either(&[
    Shape::Block(&FUNCTION_FAULT),
    Shape::Block(&QUEUE_FAULT),
    Shape::Block(&STREAM_FAULT),
    Shape::Block(&BROKER_FAULT),
    Shape::Block(&TOPIC_FAULT),
    Shape::Block(&EVENT_BUS_FAULT),
    Shape::Block(&BUCKET_FAULT),
]);

const STATUS: Key =
    Key::new("status", &Shape::Either(&[Shape::Whole(429, 429), Shape::Whole(500, 599)]), "429, or 500 to 599")
        .required()
        .rule("INV-T5");
const PROBABILITY: Key = Key::new("probability", &ANY_RATIO, "judged for each request").is("100%");
const FROM: Key = Key::new("from", &ANY_DURATION, "from this moment on");
const UNTIL: Key = Key::new("until", &ANY_DURATION, "before this moment");

static FUNCTION_FAULT: Block = Block {
    name: "fault",
    doc: "the service answers without running the function",
    case: Some(("function", "")),
    keys: &[
        Key::new("function", &FUNCTION_NAME, "requests to run this function").required(),
        Key::new("stage", &STAGE, "where it strikes").is("invoke").rule("INV-T5"),
        STATUS,
        PROBABILITY,
        FROM,
        UNTIL,
    ],
};

static STAGE: Shape = Shape::Words(&[
    word("invoke", "every call of the Invoke API"),
    word("dispatch", "the internal queue's own attempts"),
]);

/// A fault of a place: what is sent there is refused.
macro_rules! place_fault {
    ($table:ident, $name:literal, $key:literal, $kind:ident) => {
        static $table: Block = Block {
            name: $name,
            doc: "what is sent or delivered there is refused",
            case: Some(($key, "")),
            keys: &[
                Key::new($key, &Shape::Target(&[ResourceKind::$kind]), "what is sent or delivered here").required(),
                STATUS,
                PROBABILITY,
                FROM,
                UNTIL,
            ],
        };
    };
}

place_fault!(QUEUE_FAULT, "queue fault", "queue", Queue);
place_fault!(STREAM_FAULT, "stream fault", "stream", Stream);
place_fault!(BROKER_FAULT, "broker fault", "broker", Broker);
place_fault!(TOPIC_FAULT, "topic fault", "topic", Topic);
place_fault!(EVENT_BUS_FAULT, "event bus fault", "event_bus", EventBus);
place_fault!(BUCKET_FAULT, "bucket fault", "bucket", Bucket);
