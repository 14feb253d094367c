//! What on-failure destinations of mappings receive, in AWS's shape (ESM-2.3.14, 4.2.10).

use serde_json::{Map, Value, json};

use super::batch::Kind;
use super::record::Place;
use super::records::{timestamp, uuid};
use super::words::Settings;
use crate::aws::config::{Source, Target};
use crate::aws::fact::{DiscardCondition, Origin, RunOutcome};
use crate::aws::ids::MappingId;
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimTime;

/// Records that were given up together.
#[derive(Clone, Debug)]
pub(super) struct Discard {
    pub(super) mapping: MappingId,
    pub(super) condition: DiscardCondition,
    pub(super) invoke_count: u32,
    pub(super) to: Target,
    /// How their last run ended, if they ran.
    pub(super) outcome: Option<RunOutcome>,
    /// In order.
    pub(super) rows: Vec<(Origin, Place)>,
}

/// What the destination receives: one record, or for a topic one for each of those that were given up.
pub(super) fn records(settings: Settings<'_>, now: SimTime, discard: &Discard) -> Vec<Value> {
    let (Some((first, _)), source) = (discard.rows.first(), source(settings, discard.mapping)) else {
        return Vec::new();
    };
    let mut value = Map::new();
    value.insert("version".to_owned(), "1.0".into());
    value.insert("timestamp".to_owned(), timestamp(now).into());
    value.insert("requestContext".to_owned(), request(settings, discard, first));
    if let Some(outcome) = discard.outcome {
        // ESM-2.3.16: an answer that reports failed records is no error of the function.
        let error = if outcome == RunOutcome::Success { Value::Null } else { "Unhandled".into() };
        let response = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": error });
        value.insert("responseContext".to_owned(), response);
    }
    match Kind::of(settings, discard.mapping) {
        Kind::Kafka => kafka(settings, discard, source, &value),
        kind @ (Kind::Kinesis | Kind::DynamoDb | Kind::DocumentDb | Kind::Broker) => {
            let (name, info) = stream_info(kind, source, &discard.rows);
            value.insert(name.to_owned(), info);
            if matches!(discard.to, Target::Bucket(_)) {
                value.insert("payload".to_owned(), payload(settings, &discard.rows));
            }
            vec![Value::Object(value)]
        }
    }
}

fn source(settings: Settings<'_>, mapping: MappingId) -> &str {
    match settings.0.event_source_mappings[mapping].source {
        Source::Queue(id) => settings.queue(id),
        Source::Stream(id) => &settings.0.streams[id].name,
        Source::Broker(id) => &settings.broker(id).name,
    }
}

fn request(settings: Settings<'_>, discard: &Discard, first: &Origin) -> Value {
    let Discard { mapping, condition, invoke_count, .. } = *discard;
    let function = settings.function(settings.0.event_source_mappings[mapping].function);
    let (mapping, caller) = (settings.mapping(mapping), settings.caller(first.caller));
    let id = uuid(&format!("{mapping}/{caller}#{}/{}/{invoke_count}", first.submission, first.branch));
    json!({
        "requestId": id,
        "functionArn": format!("arn:aws:lambda:us-east-1:123456789012:function:{function}"),
        "condition": condition.as_str(),
        "approximateInvokeCount": invoke_count,
    })
}

/// Where the records are in their shard.
fn stream_info(kind: Kind, stream: &str, rows: &[(Origin, Place)]) -> (&'static str, Value) {
    let place = |row: Option<&(Origin, Place)>| row.map(|(_, place)| *place);
    let (first, last) = (place(rows.first()), place(rows.last()));
    let sequence = |place: Option<Place>| place.map(|place| place.sequence.to_string());
    let arrival = |place: Option<Place>| place.map(|place| timestamp(place.at));
    let shard = first.map_or(0, |first| first.shard);
    let (name, shard, arn) = if kind == Kind::DynamoDb {
        let arn = format!("arn:aws:dynamodb:us-east-1:123456789012:table/{stream}/stream/1970-01-01T00:00:00.000");
        ("DDBStreamBatchInfo", format!("shardId-{shard:020}-{shard:08x}"), arn)
    } else {
        let arn = format!("arn:aws:kinesis:us-east-1:123456789012:stream/{stream}");
        ("KinesisBatchInfo", format!("shardId-{shard:012}"), arn)
    };
    let info = json!({
        "shardId": shard,
        "startSequenceNumber": sequence(first),
        "endSequenceNumber": sequence(last),
        "approximateArrivalOfFirstRecord": arrival(first),
        "approximateArrivalOfLastRecord": arrival(last),
        "batchSize": rows.len(),
        "streamArn": arn,
    });
    (name, info)
}

/// The record of a Kafka batch; for a topic one for each of its records, with the record itself.
fn kafka(settings: Settings<'_>, discard: &Discard, topic: &str, head: &Map<String, Value>) -> Vec<Value> {
    let rows = &discard.rows;
    let config = &settings.0.event_source_mappings[discard.mapping];
    let size = |rows: &[(Origin, Place)]| -> u64 {
        let body = |place: &Place| u128::from(place.bytes) * u128::from(config.body_factor_parts);
        let bytes = |place: &Place| u64::try_from(body(place) / u128::from(Ratio::PARTS)).unwrap_or(u64::MAX);
        rows.iter().map(|(_, place)| bytes(place).saturating_add(config.record_overhead)).sum()
    };
    let info = |rows: &[(Origin, Place)], name: &str, info: Value| {
        json!({
            "batchSize": rows.len(),
            "eventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/lambdasim/00000000-0000-4000-8000-000000000000-1",
            "payloadSize": size(rows),
            name: info,
        })
    };
    let with = |info: Value, payload: Option<Value>| {
        let mut value = head.clone();
        value.insert("KafkaBatchInfo".to_owned(), info);
        value.extend(payload.map(|payload| ("payload".to_owned(), payload)));
        Value::Object(value)
    };
    if matches!(discard.to, Target::Stream(_)) {
        let one = |row: &(Origin, Place)| {
            let row = std::slice::from_ref(row);
            let (_, place) = row[0];
            let of = json!({ "offset": place.sequence.to_string(), "timestamp": timestamp(place.at) });
            with(info(row, "recordInfo", of), Some(payload(settings, row)))
        };
        return rows.iter().map(one).collect();
    }
    let mut partitions = Map::new();
    for (_, place) in rows {
        let (offset, at) = (place.sequence.to_string(), timestamp(place.at));
        let partition = partitions.entry(format!("{topic}-{}", place.shard)).or_insert_with(|| {
            json!({
                "firstRecordOffset": offset,
                "lastRecordOffset": offset,
                "firstRecordTimestamp": at,
                "lastRecordTimestamp": at,
            })
        });
        partition["lastRecordOffset"] = offset.into();
        partition["lastRecordTimestamp"] = at.into();
    }
    let is_bucket = matches!(discard.to, Target::Bucket(_));
    vec![with(info(rows, "recordsInfo", partitions.into()), is_bucket.then(|| payload(settings, rows)))]
}

/// The records themselves.
fn payload(settings: Settings<'_>, rows: &[(Origin, Place)]) -> Value {
    let record = |(origin, place): &(Origin, Place)| {
        let caller = settings.caller(origin.caller);
        json!({ "caller": caller, "submission": origin.submission, "bytes": place.bytes })
    };
    rows.iter().map(record).collect()
}
