//! Random queues and mappings: no message is in two places, received while it is hidden, or lost (ESM-1.3 to 1.10).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lambdasim::aws::config::QueueKind;
use lambdasim::aws::fact::{Fact, MappingFact, MessageFact};
use lambdasim::aws::ids::{Id, QueueId};
use lambdasim::kernel::time::SimTime;
use lambdasim::scenario::Scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::common::{Facts, number, scenario, summary};

/// A message that is in a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Inside {
    queue: QueueId,
    hidden_until: SimTime,
    receives: u32,
    runs: u32,
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

/// A scenario of one polled queue with a dead-letter queue that may be polled as well.
#[allow(clippy::too_many_lines, reason = "a table of choices")]
fn yaml() -> impl Strategy<Value = String> {
    let queue = (
        one_of(&["", "type: fifo,", "type: fifo, deduplication_window: 20s,"]),
        one_of(&["0s", "1s", "7s", "30s", "2m"]),
        one_of(&["0s", "0s", "3s", "40s"]),
        one_of(&["60s", "5m", "4d"]),
        one_of(&[
            "",
            "redrive: { dead_letter_queue: dlq, max_receive_count: 1 },",
            "redrive: { dead_letter_queue: dlq, max_receive_count: 3 },",
        ]),
        one_of(&[
            "",
            "",
            "maximum_in_flight: 7,",
            "delete_latency: 500ms,",
            "wakeup: 20ms,",
            "oldest_age_skips_after: 2 receives,",
            "fair: { in_flight: 2, share: 0%, quiet_after: 5s },",
        ]),
    );
    let mapping = (
        one_of(&["batch_size: 1", "batch_size: 3", "batch_size: 10"]),
        one_of(&[
            "",
            ", filter: 50%",
            ", report_batch_item_failures: true",
            ", maximum_concurrency: 2",
            ", provisioned_pollers: { minimum: 2, maximum: 3 }",
        ]),
        one_of(&[
            "",
            ", pollers: { initial: 2, floor: 1, floor_after: 10s }",
            ", invoke_overhead: 10ms",
            ", enable_delay: 5s",
            ", throttle_retry: { jitter: full }",
        ]),
        one_of(&["", "s: { source: dlq, function: g }"]),
    );
    let function = (
        one_of(&["duration: 0s", "duration: 900ms", "duration: { exponential: { mean: 2s } }, timeout: 3s"]),
        one_of(&[
            "",
            ", reserved_concurrency: 0",
            ", reserved_concurrency: 1",
            ", reserved_concurrency: 3",
            ", duration_per_record: 50ms",
        ]),
        one_of(&[
            "",
            ", failures: [{ probability: 20% }]",
            ", failures: [{ poison: 10% }]",
            ", failures: [{ first_attempts: 1 }]",
            ", failures: [{ poison: 20%, kind: timeout }]",
            ", failures: [{ probability: 30%, kind: bad_batch_response }]",
        ]),
    );
    let caller = (
        one_of(&["poisson: 5/s", "burst: { size: 40, every: 30s, times: 2 }", "at: [0s, 0s, 1s, 20s, 20s]"]),
        one_of(&["", ", keys: { uniform: 3 }", ", keys: { constant: a }"]),
        one_of(&["", ", messages_per_call: 3", ", deduplication: { uniform: 9 }"]),
        one_of(&["0s", "10m"]),
        0_u32..1_000,
    );
    let changes = one_of(&[
        "",
        "changes: [{ at: 10s, set: { queues.q.visibility_timeout: 3s } }]",
        "changes: [{ at: 10s, set: { event_source_mappings.m.enabled: false } }, { at: 20s, set: { event_source_mappings.m.enabled: true } }]",
        "changes: [{ at: 15s, set: { queues.q.delivery_delay: 5s } }]",
        "changes: [{ at: 20s, redrive: { queue: dlq, to: q, rate: 3/s } }]",
    ]);
    (queue, mapping, function, caller, changes).prop_map(|(queue, mapping, function, caller, changes)| {
        let (kind, visibility, delay, retention, redrive, more) = queue;
        let dead = if kind.is_empty() { "" } else { "type: fifo" };
        let (batch, polling, pollers, second) = mapping;
        let (duration, concurrency, failures) = function;
        let (arrivals, keys, calls, drain, seed) = caller;
        format!(
            "duration: 40s
drain: {drain}
seed: {seed}
functions:
  f: {{ {duration}{concurrency}{failures} }}
  g: {{ duration: 100ms }}
queues:
  q: {{ {kind} {redrive} {more} visibility_timeout: {visibility}, delivery_delay: {delay}, message_retention: {retention} }}
  dlq: {{ {dead} }}
event_source_mappings:
  m: {{ source: q, function: f, {batch}{polling}{pollers} }}
  {second}
callers: {{ c: {{ target: q, arrivals: {{ {arrivals} }}{keys}{calls} }} }}
{changes}"
        )
    })
}

#[test]
fn messages_are_conserved() {
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
            Ok(scenario) => seen.borrow_mut().extend(check(&scenario)),
            // What AWS refuses, such as a time-out above the visibility time-out.
            Err(_) => return Err(TestCaseError::reject("refused")),
        }
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
    // A generator that no longer comes to these would prove little.
    let words = [
        "deleted",
        "delete ignored",
        "expired",
        "filtered",
        "moved",
        "redriven",
        "refused",
        "repeated",
        "deduplicated",
    ];
    let missing: Vec<_> = words.into_iter().filter(|word| !seen.borrow().contains(word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// What a fact is about, in one word.
fn word(fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Message(MessageFact::Deleted { .. }) => Some("deleted"),
        Fact::Message(MessageFact::DeleteIgnored { .. }) => Some("delete ignored"),
        Fact::Message(MessageFact::Expired { .. }) => Some("expired"),
        Fact::Message(MessageFact::Moved { .. }) => Some("moved"),
        Fact::Message(MessageFact::Redriven { .. }) => Some("redriven"),
        Fact::Message(MessageFact::Deduplicated { .. }) => Some("deduplicated"),
        Fact::Mapping(MappingFact::FilteredOut { .. }) => Some("filtered"),
        Fact::Mapping(MappingFact::BatchRefused { .. }) => Some("refused"),
        Fact::Mapping(MappingFact::BatchInvoked { repeated: 1.., .. }) => Some("repeated"),
        _ => None,
    }
}

fn check(scenario: &Scenario) -> BTreeSet<&'static str> {
    let facts = Facts::of_scenario(scenario);
    let mut inside: BTreeMap<u64, Inside> = BTreeMap::new();
    let mut in_batch: BTreeMap<u64, u64> = BTreeMap::new();
    for (now, fact) in &facts.list {
        match *fact {
            Fact::Message(MessageFact::Sent { origin, queue, visible_at, .. }) => {
                let message = Inside { queue, hidden_until: visible_at, receives: 0, runs: 0 };
                assert_eq!(inside.insert(origin.submission, message), None, "sent twice: {fact:?}");
            }
            Fact::Message(MessageFact::DelayEnded { origin, at, .. }) => {
                // A FIFO queue's messages have the delay of the queue, also when it changes.
                inside.get_mut(&origin.submission).expect("a message that is somewhere").hidden_until = at;
            }
            Fact::Message(MessageFact::Received { origin, queue, receives, visible_at, .. }) => {
                let message = inside.get_mut(&origin.submission).expect("a message that is somewhere");
                assert_eq!((message.queue, message.receives + 1), (queue, receives), "{fact:?}");
                assert!(message.hidden_until <= *now, "received while hidden: {fact:?}");
                if let Some(redrive) = scenario.system.queues[queue].redrive {
                    assert!(receives <= redrive.max_receive_count, "{fact:?}");
                }
                (message.receives, message.hidden_until) = (receives, visible_at);
            }
            Fact::Message(MessageFact::Deleted { origin, queue, .. } | MessageFact::Expired { origin, queue, .. }) => {
                let message = inside.remove(&origin.submission).expect("a message that is somewhere");
                assert_eq!(message.queue, queue, "{fact:?}");
            }
            Fact::Message(MessageFact::Moved { origin, queue, to, receives, runs, .. }) => {
                let message = inside.get_mut(&origin.submission).expect("a message that is somewhere");
                assert_eq!((message.queue, message.receives, message.runs), (queue, receives, runs), "{fact:?}");
                (message.queue, message.receives, message.hidden_until) = (to, 0, *now);
            }
            Fact::Message(MessageFact::Redriven { origin, queue, to, .. }) => {
                let message = inside.get_mut(&origin.submission).expect("a message that is somewhere");
                assert_eq!(message.queue, queue, "{fact:?}");
                (message.queue, message.receives, message.hidden_until) = (to, 0, *now);
            }
            Fact::Mapping(MappingFact::Batched { origin, batch, .. }) => {
                in_batch.insert(origin.submission, batch);
            }
            Fact::Mapping(MappingFact::BatchInvoked { batch, records, .. }) => {
                let members: Vec<_> =
                    in_batch.iter().filter(|(_, of)| **of == batch).map(|(member, _)| *member).collect();
                assert!(members.len() <= records as usize, "{fact:?}");
                for member in members {
                    if let Some(message) = inside.get_mut(&member) {
                        message.runs += 1;
                    }
                }
            }
            _ => {}
        }
    }
    // The balances of the summary hold, and agree with what is left by the facts.
    let summary = summary(scenario);
    for (index, name) in ["q", "dlq"].into_iter().enumerate() {
        let left = inside.values().filter(|message| message.queue == QueueId::from_index(index)).count();
        let counted = number(&summary, &format!("conservation.queues.{name}.left"));
        assert!((counted - left as f64).abs() < 0.5, "{name}: {counted} and not {left}");
    }
    facts.list.iter().filter_map(|(_, fact)| word(fact)).collect()
}

/// Within a message group no message overtakes another: each is received for the first time after the one before it
/// was deleted or moved (ESM-1.10).
#[test]
fn groups_keep_their_order() {
    for failures in ["", ", failures: [{ probability: 20% }]", ", failures: [{ poison: 5% }]"] {
        for keys in ["{ uniform: 3 }", "{ constant: a }"] {
            let scenario = scenario(&format!(
                "duration: 5m
functions: {{ f: {{ duration: {{ exponential: {{ mean: 300ms }} }}, timeout: 20s{failures} }} }}
queues: {{ q: {{ type: fifo, visibility_timeout: 20s, redrive: {{ dead_letter_queue: dlq, max_receive_count: 3 }} }}, dlq: {{ type: fifo }} }}
event_source_mappings: {{ m: {{ source: q, function: f, batch_size: 1 }} }}
callers: {{ c: {{ target: q, keys: {keys}, arrivals: {{ poisson: 2/s }} }} }}"
            ));
            assert_eq!(scenario.system.queues[QueueId::from_index(0)].kind, QueueKind::Fifo);
            let (mut first, mut gone) = (Vec::new(), BTreeMap::new());
            for (now, fact) in &Facts::of_scenario(&scenario).list {
                match fact {
                    Fact::Message(MessageFact::Received { origin, receives: 1, .. }) => {
                        first.push((*now, origin.submission));
                    }
                    Fact::Message(MessageFact::Deleted { origin, .. } | MessageFact::Moved { origin, .. }) => {
                        gone.insert(origin.submission, *now);
                    }
                    _ => {}
                }
            }
            assert!(first.len() > 300, "{}", first.len());
            if keys == "{ constant: a }" {
                assert!(first.is_sorted_by_key(|(_, submission)| *submission), "{failures}");
                for pair in first.windows(2) {
                    let before = gone.get(&pair[0].1).copied().unwrap_or(SimTime::MAX);
                    assert!(before <= pair[1].0, "{pair:?} {failures}");
                }
            }
        }
    }
}
