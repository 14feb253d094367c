//! The tables of streams, one for each service, and of brokers.

use super::common::{ANY_DURATION, COUNT_FROM_0, SECOND, SOME_DURATION, word};
use super::{Block, Key, ResourceKind, Shape};

const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;
const MIB: u64 = 1 << 20;
/// A file cannot make the simulation hold more shards than this in one stream.
const SHARDS_MAX: u64 = 100_000;

/// A stream of any service.
pub(super) static STREAM: Shape =
    Shape::Either(&[Shape::Block(&KINESIS), Shape::Block(&DYNAMODB), Shape::Block(&KAFKA), Shape::Block(&DOCUMENTDB)]);

static STREAM_TYPE: Shape = Shape::Words(&[
    word("kinesis", "Kinesis Data Streams"),
    word("dynamodb", "DynamoDB Streams"),
    word("kafka", "a topic of Amazon MSK or a self-managed Apache Kafka"),
    word("documentdb", "a change stream of Amazon DocumentDB"),
]);

const TYPE: Key = Key::new("type", &STREAM_TYPE, "its service").required();
const RETENTION: Key = Key::new("retention", &Shape::Duration(DAY, 365 * DAY), "how long a record is kept").is("24h");
const RECORD_SIZE: Key = Key::new("maximum_record_size", &Shape::Size(1, MIB), "a larger record is refused").is("1MiB");
const OTHER_READERS: Key = Key::new(
    "other_readers",
    &COUNT_FROM_0,
    "readers outside the scenario, each with an equal share of a shard's reads",
)
.is("0")
.rule("ESM-K9");
const PROPAGATION: Key =
    Key::new("propagation", &ANY_DURATION, "from a write to the moment at which the record can be read").is("0s");

static KINESIS: Block = Block {
    name: "stream",
    doc: "a Kinesis data stream",
    case: Some(("type", "kinesis")),
    keys: &[
        TYPE.is("kinesis"),
        Key::new(
            "shards",
            &Shape::Whole(1, 10_000),
            "open shards; a change makes at most twice and at least half as many, 10 times in 24h",
        )
        .with(("capacity_mode", "on_demand"), "4", Some("1"))
        .rule("ESM-2.1"),
        RETENTION.rule("ESM-2.1"),
        Key::new("capacity_mode", &CAPACITY_MODE, "how its write limits are set").is("provisioned").rule("ESM-2.1"),
        Key::new("on_demand", &Shape::Block(&ON_DEMAND), "how an on-demand stream grows")
            .with(("capacity_mode", "on_demand"), "{}", None)
            .rule("ESM-K16"),
        RECORD_SIZE.takes(&Shape::Size(MIB, 10 * MIB)).rule("ESM-2.1"),
        Key::new("write_bucket", &SOME_DURATION, "depth of a shard's write limits, as the time they take to fill")
            .is("1s")
            .rule("ESM-K15"),
        OTHER_READERS,
        PROPAGATION.rule("ESM-2.1"),
    ],
};

static DYNAMODB: Block = Block {
    name: "DynamoDB stream",
    doc: "the stream of a DynamoDB table",
    case: Some(("type", "dynamodb")),
    keys: &[
        TYPE,
        Key::new("shards", &Shape::Whole(1, SHARDS_MAX), "open shards, one for each partition of the table")
            .is("1")
            .rule("ESM-D1"),
        RETENTION.takes(&Shape::Duration(DAY, DAY)).rule("ESM-3"),
        RECORD_SIZE.rule("ESM-3"),
        OTHER_READERS,
        PROPAGATION.timing("0s", "100ms").rule("ESM-D2"),
    ],
};

static KAFKA: Block = Block {
    name: "Kafka topic",
    doc: "a topic of Amazon MSK or a self-managed Apache Kafka",
    case: Some(("type", "kafka")),
    keys: &[
        TYPE,
        Key::new("partitions", &Shape::Whole(1, SHARDS_MAX), "its partitions; a change can only add some")
            .is("1")
            .rule("ESM-4"),
        RETENTION.takes(&KEPT).is("7d").rule("ESM-4"),
        RECORD_SIZE.takes(&Shape::Size(1, i32::MAX as u64)).rule("ESM-4"),
        PROPAGATION.rule("ESM-4"),
    ],
};

static DOCUMENTDB: Block = Block {
    name: "DocumentDB change stream",
    doc: "a change stream of Amazon DocumentDB; it has no shards",
    case: Some(("type", "documentdb")),
    keys: &[
        TYPE,
        RETENTION.takes(&Shape::Duration(HOUR, 7 * DAY)).rule("ESM-5"),
        RECORD_SIZE.takes(&Shape::Size(1, 16 * MIB)).is("16MiB").rule("ESM-5"),
        PROPAGATION.rule("ESM-M3"),
    ],
};

static CAPACITY_MODE: Shape =
    Shape::Words(&[word("provisioned", "by the number of shards"), word("on_demand", "by what was written before")]);

static ON_DEMAND: Block = Block {
    name: "on-demand capacity",
    doc: "the capacity of an on-demand stream",
    case: None,
    keys: &[
        Key::new("factor", &Shape::Real(1.0, 1000.0), "capacity for each byte of the highest rate so far")
            .is("2")
            .rule("ESM-K16"),
        Key::new("after", &ANY_DURATION, "how long after a new highest rate").is("15m").rule("ESM-K16"),
    ],
};

static KEPT: Shape = Shape::Either(&[Shape::Without("unlimited", "for ever"), SOME_TIME]);
const SOME_TIME: Shape = Shape::Duration(1, u64::MAX);

pub(super) static BROKER: Block = Block {
    name: "broker",
    doc: "a queue of an Amazon MQ broker",
    case: None,
    keys: &[
        Key::new("type", &BROKER_TYPE, "its engine").is("rabbitmq").rule("ESM-5"),
        Key::new("message_retention", &KEPT, "how long a message is kept").is("unlimited").rule("ESM-5"),
        Key::new("maximum_redeliveries", &REDELIVERIES, "redeliveries of a message before it is a dead letter")
            .is("unlimited")
            .rule("ESM-5"),
        Key::new(
            "dead_letter_queue",
            &DEAD_LETTERS,
            "where dead letters go: another broker, or a queue; else they are gone",
        )
        .rule("ESM-5"),
    ],
};

static BROKER_TYPE: Shape = Shape::Words(&[
    word("rabbitmq", "RabbitMQ: one batch at a time"),
    word("activemq", "Apache ActiveMQ: five batches at a time"),
]);

static REDELIVERIES: Shape =
    Shape::Either(&[Shape::Without("unlimited", "again and again"), Shape::Whole(0, u32::MAX as u64)]);

static DEAD_LETTERS: Shape = Shape::Target(&[ResourceKind::Broker, ResourceKind::Queue]);
