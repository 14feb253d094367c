//! The stories of records in streams and topics, and of messages at brokers.

use lambdasim::run;
use lambdasim::story::events::EventsCsv;
use lambdasim::story::records::RecordsJsonl;

use super::*;
use crate::common;

/// A stream that one mapping reads for `worker`, with a queue `lost` and a bucket `archive`.
fn stream(stream: &str, function: &str, mapping: &str, caller: &str) -> String {
    format!(
        "name: vector
duration: 1s
functions: {{ worker: {{ {function} }}, other: {{ duration: 10ms }} }}
streams: {{ clicks: {{ {stream} }}, failed: {{ type: kafka }} }}
queues: {{ lost: {{}} }}
buckets: {{ archive: {{}} }}
event_source_mappings:
  reader: {{ source: clicks, function: worker, {mapping} }}
callers: {{ shop: {{ target: clicks, {caller} }} }}
"
    )
}

/// A broker whose messages always fail.
const BROKER: &str = "\
name: vector
duration: 1s
functions: { worker: { duration: 100ms, failures: [{ probability: 100% }] } }
brokers: { orders: { type: activemq, maximum_redeliveries: 1, dead_letter_queue: dead } }
queues: { dead: {} }
event_source_mappings: { reader: { source: orders, function: worker } }
callers: { shop: { target: orders, arrivals: { burst: { size: 2 } } } }
";

const BURST: &str = "arrivals: { burst: { size: 8 } }";

/// ESM-A19: the sixth of eight records fails every batch that it is in.
fn poison() -> String {
    let mapping = "maximum_retry_attempts: 2, bisect_batch_on_function_error: on, on_failure: lost";
    stream("shards: 1", "duration: 0s, failures: [{ events: [6] }]", mapping, BURST)
}

/// The first record fails and holds up the second and third; another mapping of the stream is not held up.
fn blocked() -> String {
    let failures = "duration: 100ms, failures: [{ events: [1] }]";
    let mapping = "batch_size: 1, maximum_retry_attempts: 3";
    let caller = "arrivals: { at: [0s, 500ms, 900ms] }";
    let other = "  second: { source: clicks, function: other, filter: 50% }\ncallers:";
    stream("shards: 1", failures, mapping, caller).replace("callers:", other)
}

/// Records of a topic that are given up, and go to another topic.
fn topic(to: &str) -> String {
    let mapping = format!("provisioned_pollers: {{}}, maximum_retry_attempts: 1, on_failure: {to}");
    let failures = "duration: 100ms, failures: [{ probability: 100%, kind: timeout }], timeout: 1s";
    stream("type: kafka, partitions: 2", failures, &mapping, "arrivals: { burst: { size: 3 } }")
}

/// ESM-A37: a window of 60 s with records at 10 s and 50 s, and the next one with one at 70 s.
fn window() -> String {
    let caller = "arrivals: { at: [10s, 50s, 70s] }";
    stream("shards: 1", "duration: 100ms", "tumbling_window: 60s", caller).replace("duration: 1s", "duration: 100s")
}

/// ESM-A20: the function names the fifth record.
fn report() -> String {
    let mapping = "report_batch_item_failures: on, maximum_retry_attempts: 1, on_failure: archive";
    stream("type: dynamodb, shards: 1", "duration: 1s, failures: [{ events: [5] }]", mapping, BURST)
}

/// Nothing can run, and the records become too old.
fn throttled() -> String {
    let mapping = "maximum_record_age: 60s, on_failure: lost";
    stream("shards: 1", "duration: 1s, reserved_concurrency: 0", mapping, "arrivals: { at: [0s] }")
}

/// ESM-2.2.9: reading begins behind the first record.
fn skipped() -> String {
    let mapping = "starting_position: latest, enable_delay: 500ms";
    stream("shards: 1", "duration: 0s", mapping, "arrivals: { at: [100ms, 700ms] }")
}

/// ESM-2.3.11: the answer that should name the failed records cannot be read. ESM-6.3.1: the batch is full.
fn unreadable() -> String {
    let failures = "duration: 0s, failures: [{ events: [1], first_attempts: 1, kind: bad_batch_response }]";
    let mapping = "report_batch_item_failures: on, batch_size: 2, maximum_batching_window: 1s";
    stream("shards: 1", failures, mapping, "arrivals: { at: [0s, 0s, 500ms] }")
}

/// ESM-2.4.4, 2.4.6: the last run of a window, at the end of its shard, is given up.
fn given_up() -> String {
    let failures = "duration: 0s, failures: [{ probability: 100%, from: 20s }]";
    let mapping = "tumbling_window: 60s, maximum_retry_attempts: 1, on_failure: lost";
    let caller = "arrivals: { at: [10s] }";
    let yaml = stream("shards: 1", failures, mapping, caller).replace("duration: 1s", "duration: 100s");
    yaml + "changes: [{ at: 30s, set: { streams.clicks.shards: 2 } }]\n"
}

/// ESM-2.1.1: two records of 600 KB do not fit into one second of a shard.
fn refused() -> String {
    let caller = "arrivals: { burst: { size: 2 } }, payload: 600KB, keys: { constant: a }";
    stream("shards: 2", "duration: 1s", "", caller)
}

#[test]
fn records_are_told() {
    let stories = [
        ("stream_poison", poison(), "--first dead-lettered"),
        ("stream_poison_beside", poison(), "--event shop#8"),
        ("stream_blocked", blocked(), "--event shop#2"),
        ("stream_dropped", blocked(), "--first dropped"),
        ("stream_kafka", topic("failed"), "--first failed"),
        ("stream_window", window(), "--event shop#2"),
        ("stream_window_last", window(), "--event shop#3"),
        ("stream_report", report(), "--event shop#4"),
        ("stream_report_failed", report(), "--event shop#6"),
        ("stream_throttled", throttled(), "--first throttled"),
        ("stream_refused", refused(), "--first throttled"),
        ("stream_skipped", skipped(), "--event shop#1"),
        ("stream_unreadable", unreadable(), "--event shop#1"),
        ("stream_last_run_given_up", given_up(), "--event shop#1"),
        ("broker", BROKER.to_owned(), "--first dead-lettered"),
    ];
    for (name, yaml, selection) in stories {
        let room = Room::new().with("vector.yaml", &yaml);
        let done = room.lambdasim(&format!("explain vector.yaml {selection}")).exits(0).complains_of_nothing();
        let story = done.stdout();
        let wide: Vec<_> = story.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name}: {wide:#?}");
        insta::assert_snapshot!(format!("explain_{name}"), story);
    }
}

/// What is told of one record of a batch, of a half of it and of what is left of it is what the table of all says of it.
#[test]
fn a_record_in_a_batch_has_the_steps_of_its_batch() {
    let others = [skipped(), unreadable(), given_up(), BROKER.to_owned()];
    for yaml in
        [poison(), blocked(), topic("lost"), window(), report(), throttled(), refused()].into_iter().chain(others)
    {
        let room = Room::new().with("vector.yaml", &yaml);
        let scenario = common::scenario(&yaml);
        let observer = EventsCsv::new(&scenario, Vec::new());
        let ended = run::simulate(&scenario, observer, |_| true).unwrap();
        let events = String::from_utf8(ended.observer.finish().unwrap()).unwrap();
        let count = events.lines().filter(|row| row.contains(",submitted,")).count();
        for number in 1..=count {
            let name = format!("shop#{number}");
            let story = room.lambdasim(&format!("explain vector.yaml --format csv --event {name}")).exits(0).stdout();
            let is_of_it = |row: &&str| {
                let event = row.split(',').nth(1).unwrap_or_default();
                event == name || event.starts_with(&format!("{name}/"))
            };
            let rows: Vec<_> = events.lines().filter(is_of_it).collect();
            assert_eq!(story.lines().skip(1).collect::<Vec<_>>(), rows, "{name}: {yaml}");
        }
    }
}

#[test]
fn records_with_a_fate_are_found() {
    for (yaml, selection, found) in [
        (poison(), "--first dead-lettered", "shop#6"),
        (poison(), "--first dropped", "shop#6"),
        (poison(), "--first failed", "shop#6"),
        (poison(), "--slowest", "shop#6"),
        (blocked(), "--first dropped", "shop#1"),
        (blocked(), "--first dead-lettered", "no event was dead-lettered"),
        (blocked(), "--first duplicated", "no event was duplicated"),
        (poison().replace("max", "spurious_duplicate_probability: 1, max"), "--first duplicated", "shop#1"),
        (window(), "--first duplicated", "no event was duplicated"),
        (refused(), "--first throttled", "shop#2"),
        (BROKER.replace(", dead_letter_queue: dead", ""), "--first dropped", "shop#1"),
        (BROKER.replace(", dead_letter_queue: dead", ""), "--first dead-lettered", "no event was dead-lettered"),
    ] {
        let room = Room::new().with("vector.yaml", &yaml);
        let story = room.lambdasim(&format!("explain vector.yaml -q {selection}")).exits(0).stdout();
        assert!(story.starts_with(found), "{selection}: {story}");
    }
}

/// ESM-2.3.14 to 2.3.16, 4.2.10: what on-failure destinations receive.
#[test]
fn records_of_discarded_batches_can_be_written() {
    let stories = [
        ("exception", poison()),
        ("report", report()),
        ("never_ran", throttled()),
        ("kafka_queue", topic("lost")),
        ("kafka_topic", topic("failed")),
    ];
    for (name, yaml) in stories {
        let scenario = common::scenario(&yaml);
        let observer = RecordsJsonl::new(&scenario, Vec::new());
        let ended = run::simulate(&scenario, observer, |_| true).unwrap();
        let text = String::from_utf8(ended.observer.finish().unwrap()).unwrap();
        let values = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let pretty: Vec<_> = values.map(|value| serde_json::to_string_pretty(&value).unwrap()).collect();
        insta::assert_snapshot!(format!("discards_{name}"), pretty.join("\n"));
    }
}
