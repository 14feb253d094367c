//! What Lambda polls, by the type of the source: event source mappings.

use super::defaults::{system, try_system};
use super::retries::{LAMBDA, polled, within};
use super::{Amount, Cause, Model, Reach, Row};
use crate::aws::config::{Broker, EventSourceMapping, Growth, Queue, QueueKind, Stream, StreamKind};
use crate::kernel::time::SimDuration;
use crate::story::rules::{self, Rule};

/// One row of each type of source.
pub(super) fn rows() -> Vec<Row> {
    vec![
        queue("sqs", "an SQS standard queue", "standard"),
        queue("sqs_fifo", "an SQS FIFO queue", "fifo"),
        stream("kinesis", "a Kinesis data stream", "kinesis", &[]),
        stream("dynamodb", "the stream of a DynamoDB table", "dynamodb", &["dynamodb_streams"]),
        stream("kafka", "a topic of Amazon MSK or self-managed Kafka", "kafka", &["msk", "self_managed_kafka"]),
        broker("activemq", "a queue of Amazon MQ for ActiveMQ", "activemq"),
        broker("rabbitmq", "a queue of Amazon MQ for RabbitMQ", "rabbitmq"),
        stream("documentdb", "the change stream of a DocumentDB cluster", "documentdb", &["docdb"]),
    ]
}

const MAPPING: &str = "event_source_mappings";

/// What every row of a mapping has.
fn row(source: &'static str, what: &'static str, key: String, mapping: &EventSourceMapping) -> Row {
    let mut row = Row::new(source, what, key, Model::Polled);
    row.limit("batch", Amount::Count(u64::from(mapping.batch_size)));
    row.limit("event", Amount::Bytes(mapping.payload_limit));
    if !mapping.maximum_batching_window.is_zero() {
        row.limit("batching window", Amount::Time(mapping.maximum_batching_window));
    }
    row
}

fn queue(source: &'static str, what: &'static str, kind: &str) -> Row {
    let queues = format!("queues: {{ q: {{ type: {kind} }} }}");
    let system = system(&format!("{queues}\n{MAPPING}: {{ m: {{ source: q, function: f }} }}"));
    let (queue, mapping) = (&system.queues.rows()[0], &system.event_source_mappings.rows()[0]);
    let mut row = row(source, what, format!("queues, type: {kind}"), mapping);
    row.aliases = if queue.kind == QueueKind::Standard { &["sqs_standard"] } else { &[] };
    row.throttle = "the batch waits, then its messages come back; the receive counts".into();
    row.error = "the messages come back when their visibility time-out ends".into();
    row.retries = vec![
        polled(
            LAMBDA,
            &[Cause::Throttle, Cause::ServiceError],
            within(mapping.throttle_retry, Some(queue.visibility_timeout)),
        ),
        polled("the queue", &[Cause::FunctionError, Cause::Throttle], Reach::Until(Some(queue.message_retention))),
    ];
    row.failures = match queue.redrive {
        Some(_) => "its dead-letter queue",
        None => "gone with their retention; with `redrive` a dead-letter queue, also without any run",
    }
    .into();
    limits_of_queue(&mut row, queue, mapping);
    row.rules = rules_of_queue(queue.kind);
    row
}

fn limits_of_queue(row: &mut Row, queue: &Queue, mapping: &EventSourceMapping) {
    let pollers = &mapping.sqs.pollers;
    row.limit("visibility time-out", Amount::Time(queue.visibility_timeout));
    row.limit("batches at first", Amount::Count(u64::from(pollers.initial)));
    let growth = match pollers.growth {
        Growth::Linear => "more in a minute",
        Growth::Step => "more each minute",
    };
    row.limit(growth, Amount::Count(u64::from(pollers.per_minute)));
    row.limit("batches at once", Amount::Count(u64::from(pollers.maximum)));
    if let Some(rate) = queue.fifo_throughput.filter(|_| queue.kind == QueueKind::Fifo) {
        row.limit("calls of each action", Amount::PerTime(rate));
    }
    row.limit("messages in flight", Amount::Count(u64::from(queue.maximum_in_flight)));
    row.limit("message", Amount::Bytes(queue.maximum_message_size));
}

fn rules_of_queue(kind: QueueKind) -> Vec<&'static Rule> {
    let mut all: Vec<&'static Rule> = vec![
        &rules::BATCH_FAILED,
        &rules::VISIBILITY_CLOCK,
        &rules::THROTTLED_BATCH,
        &rules::THROTTLED_BATCH_WAITS,
        &rules::NEVER_RAN,
        &rules::REDRIVE,
        &rules::RETENTION,
    ];
    if kind == QueueKind::Fifo {
        all.extend([&rules::FIFO_BATCH, &rules::FIFO_RATE]);
    }
    all
}

fn stream(source: &'static str, what: &'static str, kind: &str, aliases: &'static [&'static str]) -> Row {
    let lines = |more: &str| {
        format!("streams: {{ s: {{ type: {kind} }} }}\n{MAPPING}: {{ m: {{ source: s, function: f{more} }} }}")
    };
    let system = system(&lines(""));
    let (stream, mapping) = (&system.streams.rows()[0], &system.event_source_mappings.rows()[0]);
    let mut row = row(source, what, format!("streams, type: {kind}"), mapping);
    row.aliases = aliases;
    row.throttle = format!("the {} waits until the batch runs", shard(stream.kind));
    row.error = format!("the {} waits until the batch succeeds or is given up", shard(stream.kind));
    row.retries = of_records(mapping, stream.retention);
    let tells = |more: &str| try_system(&lines(&format!(", maximum_retry_attempts: 3, on_failure: q{more}"))).is_some();
    row.failures = if tells("") {
        "gone with their retention; with limits on retries or age `on_failure` is told"
    } else if tells(", provisioned_pollers: { minimum: 1 }") {
        "gone with their retention; in the provisioned mode, with limits, `on_failure` is told"
    } else {
        "gone with their retention"
    }
    .into();
    limits_of_stream(&mut row, stream, mapping);
    row.rules = rules_of_stream(stream.kind);
    row
}

/// What of a stream stands still when a batch fails.
const fn shard(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Kinesis | StreamKind::DynamoDb => "shard",
        StreamKind::Kafka => "partition",
        StreamKind::DocumentDb => "change stream",
    }
}

/// ESM-2.3: function errors by their own limits, all else until the records are gone.
fn of_records(mapping: &EventSourceMapping, retention: Option<SimDuration>) -> Vec<super::Retries> {
    let limits = &mapping.stream;
    let age = match (limits.maximum_record_age, retention) {
        (Some(age), Some(retention)) => Some(age.min(retention)),
        (age, retention) => age.or(retention),
    };
    let errors = match limits.maximum_retry_attempts {
        Some(retries) => Reach::Attempts(limits.retry.extent(retries + 1)),
        None => Reach::Until(age),
    };
    vec![
        polled(LAMBDA, &[Cause::FunctionError], errors),
        polled(LAMBDA, &[Cause::Throttle, Cause::ServiceError], Reach::Until(age)),
    ]
}

fn limits_of_stream(row: &mut Row, stream: &Stream, mapping: &EventSourceMapping) {
    let limits = &mapping.stream;
    match stream.kind {
        StreamKind::Kinesis | StreamKind::DynamoDb => {
            row.limit("batches of a shard at once", Amount::Count(u64::from(limits.parallelization_factor)));
            row.limit("between polls of an idle shard", Amount::Time(limits.poll_every));
        }
        StreamKind::Kafka => {
            row.limit("consumers at first", Amount::Count(u64::from(limits.consumers.initial)));
            row.limit("between looks at the lag", Amount::Time(limits.consumers.every));
        }
        StreamKind::DocumentDb => row.limit("batches at once", Amount::Count(1)),
    }
    row.limit("longest wait between tries", limits.retry.cap.map_or(Amount::Unlimited, Amount::Time));
    row.limit("record", Amount::Bytes(stream.maximum_record_size));
}

fn rules_of_stream(kind: StreamKind) -> Vec<&'static Rule> {
    match kind {
        StreamKind::Kinesis => vec![
            &rules::POLL_RATE,
            &rules::ONE_BATCH,
            &rules::SHARD_BLOCKED,
            &rules::STREAM_RETRIES,
            &rules::RETRIES_OF_ERRORS,
            &rules::RECORD_AGE,
            &rules::DISCARD,
            &rules::STREAM_RETENTION,
            &rules::STREAM_RETRY_WAIT,
            &rules::STREAM_THROTTLE_WAIT,
        ],
        StreamKind::DynamoDb => vec![
            &rules::POLL_RATE_OF_TABLE,
            &rules::ONE_BATCH,
            &rules::SHARD_BLOCKED,
            &rules::STREAM_RETRIES,
            &rules::RETRIES_OF_ERRORS,
            &rules::RECORD_AGE,
            &rules::DISCARD,
            &rules::STREAM_RETRY_WAIT,
            &rules::STREAM_THROTTLE_WAIT,
        ],
        StreamKind::Kafka => vec![
            &rules::KAFKA_FAILED,
            &rules::OFFSETS_COMMITTED,
            &rules::KAFKA_RETRIES,
            &rules::KAFKA_TEN_RETRIES,
            &rules::KAFKA_RETRY_WAIT,
            &rules::STREAM_THROTTLE_WAIT,
        ],
        StreamKind::DocumentDb => {
            vec![&rules::DOCUMENTS_IN_ORDER, &rules::DOCUMENT_TOO_LARGE, &rules::STREAM_RETRY_WAIT]
        }
    }
}

fn broker(source: &'static str, what: &'static str, kind: &str) -> Row {
    let mappings = format!("{MAPPING}: {{ m: {{ source: b, function: f }} }}");
    let lines = |more: &str| format!("brokers: {{ b: {{ type: {kind}{more} }} }}\n{mappings}");
    let system = system(&lines(""));
    let (broker, mapping) = (&system.brokers.rows()[0], &system.event_source_mappings.rows()[0]);
    let mut row = row(source, what, format!("brokers, type: {kind}"), mapping);
    row.aliases = &["mq"];
    row.throttle = "the consumer waits until the batch runs".into();
    row.error = "the broker delivers the batch again".into();
    row.retries = of_messages(broker, mapping);
    row.failures = if try_system(&lines(", maximum_redeliveries: 3, dead_letter_queue: q")).is_some() {
        "delivered for ever; with `maximum_redeliveries` the broker's dead-letter queue"
    } else {
        "delivered for ever"
    }
    .into();
    row.limit("batches at once", Amount::Count(u64::from(broker.kind.consumers())));
    row.limit("longest wait between tries", mapping.stream.retry.cap.map_or(Amount::Unlimited, Amount::Time));
    row.rules = vec![
        &rules::BROKER_ERRORS,
        &rules::BROKER_ACKNOWLEDGED,
        &rules::BROKER_DEAD_LETTERS,
        &rules::BROKER_RETRY_WAIT,
        &rules::STREAM_THROTTLE_WAIT,
    ];
    row
}

/// ESM-5.5, 5.6.
fn of_messages(broker: &Broker, mapping: &EventSourceMapping) -> Vec<super::Retries> {
    let errors = match broker.maximum_redeliveries {
        Some(redeliveries) => Reach::Attempts(mapping.stream.retry.extent(redeliveries + 1)),
        None => Reach::Until(broker.message_retention),
    };
    vec![
        polled("the broker", &[Cause::FunctionError], errors),
        polled(LAMBDA, &[Cause::Throttle, Cause::ServiceError], Reach::Until(broker.message_retention)),
    ]
}
