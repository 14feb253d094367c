//! Random streams, topics and brokers: every record has exactly one fate for each group that reads it, none overtakes
//! another of its key, and runs are counted right (ESM-2 to 5).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lambdasim::aws::config::{Source, StreamKind};
use lambdasim::aws::fact::{BrokerFact, Fact, MappingFact, ReaderFact, RecordFate, StreamFact};
use lambdasim::aws::ids::{Id, MappingId};
use lambdasim::scenario::Scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::common::{Facts, summary};

/// How many keys the callers of the generator use, in turn.
const KEYS: u64 = 5;

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

/// A scenario with one source and one or two mappings that read it.
#[allow(clippy::too_many_lines, reason = "a table of choices")]
fn yaml() -> impl Strategy<Value = String> {
    let source = one_of(&[
        "streams: { s: { type: kinesis, shards: 1 } }",
        "streams: { s: { type: kinesis, shards: 3, other_readers: 4 } }",
        "streams: { s: { type: kinesis, shards: 2, write_bucket: 10ms, propagation: 300ms } }",
        "streams: { s: { type: dynamodb, shards: 2 } }",
        "streams: { s: { type: kafka, partitions: 3 } }",
        "streams: { s: { type: kafka, partitions: 4, retention: 1m } }",
        "streams: { s: { type: documentdb } }",
        "brokers: { s: { type: activemq, maximum_redeliveries: 2, dead_letter_queue: dlq } }",
        "brokers: { s: { type: rabbitmq, message_retention: 1m } }",
    ]);
    let mapping = (
        one_of(&["batch_size: 1", "batch_size: 3", "batch_size: 100"]),
        one_of(&[
            "",
            ", maximum_batching_window: 2s",
            ", filter: 50%",
            ", invoke_overhead: 10ms",
            ", enable_delay: 5s",
        ]),
        one_of(&["", ", starting_position: latest, enable_delay: 7s", ", payload_limit: 3000B", ", update_pause: 1s"]),
        one_of(&[
            "",
            ", maximum_retry_attempts: 1",
            ", maximum_retry_attempts: 2, bisect_batch_on_function_error: true",
            ", maximum_record_age: 60s, on_failure: dlq",
            ", report_batch_item_failures: true, maximum_retry_attempts: 3",
            ", report_batch_item_failures: true, bisect_batch_on_function_error: true, maximum_retry_attempts: 1",
            ", provisioned_pollers: { minimum: 1, maximum: 2, every: 5s }",
            ", provisioned_pollers: { minimum: 1 }, maximum_retry_attempts: 1, on_failure: dlq",
        ]),
        one_of(&[
            "",
            ", parallelization_factor: 3",
            ", tumbling_window: 10s",
            ", enhanced_fan_out: true",
            ", consumers: { every: 5s, effective_after: 2s }",
        ]),
        one_of(&["", "", ", two: { source: s, function: g }"]),
    );
    let function = (
        one_of(&["duration: 0s", "duration: 900ms", "duration: { exponential: { mean: 2s } }, timeout: 3s"]),
        one_of(&["", ", reserved_concurrency: 1", ", duration_per_record: 50ms"]),
        one_of(&[
            "",
            ", failures: [{ probability: 20% }]",
            ", failures: [{ poison: 5% }]",
            ", failures: [{ first_attempts: 1 }]",
            ", failures: [{ probability: 30%, kind: bad_batch_response }]",
        ]),
    );
    let caller = (
        one_of(&["poisson: 5/s", "burst: { size: 40, every: 30s, times: 2 }", "constant: 60/s"]),
        one_of(&["", ", keys: { list: [a, b, c, d, e] }"]),
        one_of(&["", ", messages_per_call: 3", ", payload: { exponential: { mean: 2s } }"]),
        0_u32..1_000,
    );
    let changes = one_of(&[
        "",
        "changes: [{ at: 10s, set: { streams.s.shards: 2 } }]",
        "changes: [{ at: 10s, set: { streams.s.shards: 4 } }, { at: 20s, set: { streams.s.shards: 2 } }]",
        "changes: [{ at: 10s, set: { event_source_mappings.m.enabled: false } }, { at: 20s, set: { event_source_mappings.m.enabled: true } }]",
        "changes: [{ at: 10s, set: { event_source_mappings.m.parallelization_factor: 2 } }]",
        "changes: [{ at: 10s, set: { functions.f.reserved_concurrency: 0 } }, { at: 20s, set: { functions.f.reserved_concurrency: 2 } }]",
    ]);
    (source, mapping, function, caller, changes).prop_map(|(source, mapping, function, caller, changes)| {
        let (batch, window, start, retries, special, second) = mapping;
        let (duration, concurrency, failures) = function;
        let (arrivals, keys, calls, seed) = caller;
        // Brokers and change streams have no shards and no retries of the mapping's; a broker has no keys.
        let broker = source.starts_with("brokers");
        let plain = broker || source.contains("documentdb");
        let only = |text: &'static str| if plain { "" } else { text };
        let (start, retries, special) = (only(start), only(retries), only(special));
        let window = if plain && window.contains("filter") { "" } else { window };
        let (keys, calls) = if broker { ("", "") } else { (keys, calls) };
        let changes = if changes.contains("streams.s") || changes.contains("factor") { only(changes) } else { changes };
        format!(
            "duration: 40s
seed: {seed}
model: {{ event_budget: 1e6 }}
functions:
  f: {{ {duration}{concurrency}{failures} }}
  g: {{ duration: 100ms }}
queues: {{ dlq: {{}} }}
{source}
event_source_mappings: {{ m: {{ source: s, function: f, {batch}{window}{start}{retries}{special} }}{second} }}
callers: {{ c: {{ target: s, arrivals: {{ {arrivals} }}{keys}{calls} }} }}
{changes}"
        )
    })
}

#[test]
fn records_are_conserved_and_keep_their_order() {
    let config = Config {
        cases: Config::default().cases.max(300),
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = RefCell::new(BTreeSet::new());
    let result = TestRunner::new_with_rng(config, rng).run(&yaml(), |text| {
        match crate::common::try_scenario(std::path::Path::new("."), &text, &[]) {
            Ok(scenario) => seen.borrow_mut().extend(check(&scenario, text.contains("keys:"))),
            // What AWS refuses, such as retries of a broker.
            Err(_) => return Err(TestCaseError::reject("refused")),
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    let words = [
        "succeeded",
        "filtered",
        "discarded",
        "expired",
        "dead-lettered",
        "split",
        "retried",
        "refused",
        "window",
        "write throttled",
        "read throttled",
        "resharded",
        "skipped",
        "kafka",
        "kinesis",
        "dynamodb",
        "documentdb",
        "broker",
    ];
    let missing: Vec<_> = words.into_iter().filter(|word| !seen.borrow().contains(word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// What a fact is about, in one word.
fn word(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Mapping(MappingFact::FilteredOut { .. }) => Some("filtered"),
        Fact::Mapping(MappingFact::BatchRefused { .. }) => Some("refused"),
        Fact::Stream(StreamFact::WriteThrottled { .. }) => Some("write throttled"),
        Fact::Reader(ReaderFact::RecordEnded { fate, .. }) => Some(match fate {
            RecordFate::Succeeded => "succeeded",
            RecordFate::Discarded(_) => "discarded",
            RecordFate::Expired => "expired",
            RecordFate::Oversized => "oversized",
            RecordFate::DeadLettered => "dead-lettered",
        }),
        Fact::Reader(ReaderFact::Split { .. }) => Some("split"),
        Fact::Reader(ReaderFact::RetryScheduled { .. }) => Some("retried"),
        Fact::Reader(ReaderFact::WindowEnded { .. }) => Some("window"),
        Fact::Reader(ReaderFact::ReadThrottled { .. }) => Some("read throttled"),
        Fact::Reader(ReaderFact::Started { skipped: 1.., .. }) => Some("skipped"),
        _ => None,
    }
}

/// What one group of readers has before it.
#[derive(Debug, Default)]
struct Readers {
    /// Records that have not ended, with their runs; those of a key in the order in which they were written.
    open: BTreeMap<u64, u32>,
    /// Records of each batch that have not ended, in order.
    batches: BTreeMap<u64, Vec<u64>>,
    in_batch: BTreeMap<u64, u64>,
    written: u64,
    skipped: u64,
    read: u64,
    unread: u64,
}

/// Mappings by the group that they read in: all of a broker, or each by itself.
fn group(scenario: &Scenario, mapping: MappingId) -> usize {
    match scenario.system.event_source_mappings[mapping].source {
        Source::Broker(_) => 0,
        Source::Stream(_) | Source::Queue(_) => mapping.index(),
    }
}

#[allow(clippy::too_many_lines, reason = "one arm for each fact")]
fn check(scenario: &Scenario, keyed: bool) -> BTreeSet<&'static str> {
    let system = &scenario.system;
    let facts = Facts::of_scenario(scenario);
    let mut seen: BTreeSet<&'static str> = facts.list.iter().filter_map(|(_, fact)| word(fact)).collect();
    let groups: BTreeSet<usize> = system.event_source_mappings.ids().map(|id| group(scenario, id)).collect();
    let mut readers: BTreeMap<usize, Readers> = groups.iter().map(|group| (*group, Readers::default())).collect();
    let kind = system.streams.rows().first().map(|stream| stream.kind);
    seen.insert(match kind {
        Some(StreamKind::Kinesis) => "kinesis",
        Some(StreamKind::DynamoDb) => "dynamodb",
        Some(StreamKind::Kafka) => "kafka",
        Some(StreamKind::DocumentDb) => "documentdb",
        None => "broker",
    });
    // Records are named by their place in the order in which they were written.
    let mut written: BTreeMap<u64, u64> = BTreeMap::new();
    let mut keys: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, fact) in &facts.list {
        match *fact {
            Fact::Stream(StreamFact::Put { origin, .. }) | Fact::Broker(BrokerFact::Received { origin, .. }) => {
                let record = keys.len() as u64;
                keys.insert(record, if kind.is_some() && keyed { origin.submission % KEYS } else { record });
                assert_eq!(written.insert(origin.submission, record), None, "written twice: {fact:?}");
                for readers in readers.values_mut() {
                    readers.open.insert(record, 0);
                    readers.written += 1;
                }
            }
            Fact::Stream(StreamFact::Shards { .. }) if facts.list[0].1 != *fact => {
                seen.insert("resharded");
            }
            Fact::Reader(ReaderFact::Started { mapping, skipped }) => {
                let readers = readers.get_mut(&group(scenario, mapping)).unwrap();
                // What lies before the start is the oldest that is there.
                let passed: Vec<u64> = readers.open.keys().copied().take(usize::try_from(skipped).unwrap()).collect();
                for record in &passed {
                    assert_eq!(readers.open.remove(record), Some(0));
                }
                readers.skipped += skipped;
            }
            Fact::Mapping(MappingFact::Polled { mapping, messages }) => {
                readers.get_mut(&group(scenario, mapping)).unwrap().read += u64::from(messages);
            }
            Fact::Mapping(MappingFact::Batched { origin, mapping, batch }) => {
                let readers = readers.get_mut(&group(scenario, mapping)).unwrap();
                readers.in_batch.insert(written[&origin.submission], batch);
                let members = readers.batches.entry(batch).or_default();
                members.push(written[&origin.submission]);
                let most = system.event_source_mappings[mapping].batch_size as usize;
                assert!(members.len() <= most, "{fact:?}");
            }
            Fact::Mapping(MappingFact::BatchInvoked { origin, mapping, batch, records, .. }) if records > 0 => {
                let readers = readers.get_mut(&group(scenario, mapping)).unwrap();
                let piece: Vec<u64> = readers.batches[&batch].iter().copied().take(records as usize).collect();
                assert_eq!((piece[0], piece.len()), (written[&origin.submission], records as usize), "{fact:?}");
                let same_key = |a: u64, b: u64| keys[&a] == keys[&b];
                for (place, record) in piece.iter().enumerate() {
                    *readers.open.get_mut(record).unwrap_or_else(|| panic!("{record} has ended: {fact:?}")) += 1;
                    let earlier =
                        readers.open.range(..record).map(|(other, _)| other).filter(|other| same_key(**other, *record));
                    let overtaken: Vec<_> = earlier.filter(|other| !piece[..place].contains(other)).collect();
                    assert!(overtaken.is_empty(), "{record} overtakes {overtaken:?}: {fact:?}");
                }
            }
            Fact::Mapping(MappingFact::FilteredOut { origin, mapping }) => {
                let readers = readers.get_mut(&group(scenario, mapping)).unwrap();
                assert_eq!(readers.open.remove(&written[&origin.submission]), Some(0), "{fact:?}");
            }
            Fact::Reader(ReaderFact::RecordEnded { origin, mapping, runs, fate, .. }) => {
                let readers = readers.get_mut(&group(scenario, mapping)).unwrap();
                assert_eq!(readers.open.remove(&written[&origin.submission]), Some(runs), "{fact:?}");
                let record = written[&origin.submission];
                match readers.in_batch.remove(&record) {
                    Some(batch) => readers.batches.get_mut(&batch).unwrap().retain(|member| *member != record),
                    None if fate == RecordFate::Expired => readers.unread += 1,
                    None => assert_eq!(fate, RecordFate::Oversized, "{fact:?}"),
                }
            }
            _ => {}
        }
    }
    for (group, readers) in &readers {
        let enabled = system.event_source_mappings[MappingId::from_index(*group)].enabled;
        assert!(readers.open.is_empty() || !enabled, "{:?} are left of {group}", readers.open);
        let Readers { written, skipped, read, unread, .. } = readers;
        assert_eq!(read + unread + skipped, *written, "reads of {group}");
    }
    summary(scenario);
    seen
}
