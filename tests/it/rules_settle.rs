//! When a run with `drain: settle` is over: what it waits for, and what it does not.

use lambdasim::aws::fact::{Fact, MappingFact, ReaderFact, RecordFate};
use lambdasim::report::Verdict;
use lambdasim::run;

use crate::common::{Facts, ms, scenario};

/// When the run was over in ms, how many batches ran, how many records had a fate, and which was the last.
fn outcome(yaml: &str) -> (f64, usize, usize, Option<RecordFate>) {
    let facts = Facts::of(yaml);
    let runs = facts.list.iter().filter(|(_, fact)| matches!(fact, Fact::Mapping(MappingFact::BatchInvoked { .. })));
    let fates = facts.list.iter().filter_map(|(_, fact)| match fact {
        Fact::Reader(ReaderFact::RecordEnded { fate, .. }) => Some(*fate),
        _ => None,
    });
    let fates: Vec<_> = fates.collect();
    (ms(facts.ended), runs.count(), fates.len(), fates.last().copied())
}

/// A broker that keeps its messages for ever, with one message of a function with these failures.
fn broker(failures: &str, more: &str) -> String {
    format!(
        "duration: 1s\nbrokers: {{b: {{}}}}\nfunctions: {{f: {{duration: 0s, failures: [{failures}]}}}}\n\
         event_source_mappings: {{m: {{source: b, function: f, batch_size: 1, maximum_batching_window: 0s}}}}\n\
         callers: {{c: {{target: b, arrivals: {{at: [0s, 100ms]}}}}}}\n{more}"
    )
}

/// Contract 1.5: nothing ends a message that always fails, where it is kept and redelivered without limit. 1,000 tries
/// are made. Waits of 0.25 s, 0.5 s and so on up to 32 s are 63.75 s in all, and 991 of 60 s follow (ESM-K1).
#[test]
fn what_nothing_ends_is_left() {
    let (ended, runs, fates, _) = outcome(&broker("{events: [1], probability: 100%}", ""));
    assert_eq!((ended, runs, fates), (63_750.0 + 991.0 * 60_000.0, 1_000, 0));
    let summary = run::run(&scenario(&broker("{events: [1], probability: 100%}", ""))).unwrap();
    let verdict = Verdict::of(&summary);
    assert_eq!(verdict.text, "2 records were still to be handled at the end.");
    let words = "By m: what is left failed so often in a row that nothing would end it";
    assert!(verdict.details.contains(words), "{}", verdict.details);
}

/// As many throttles in a row end nothing either.
#[test]
fn throttles_without_an_end() {
    let yaml = broker("", "").replace("duration: 0s", "duration: 0s, reserved_concurrency: 0");
    let (ended, runs, fates, _) = outcome(&yaml);
    assert_eq!((ended, runs, fates), (63_750.0 + 991.0 * 60_000.0, 0, 0));
}

/// An outage, a change and a number of attempts that the scenario names are waited for, however late they are.
#[test]
fn what_the_scenario_names_is_waited_for() {
    for (failures, more) in [
        ("{probability: 100%, until: 100h}", ""),
        ("{events: [1], first_attempts: 1500}", ""),
        ("{probability: 100%}", "changes: [{at: 100h, set: {functions.f.failures: []}}]"),
    ] {
        let (.., fates, last) = outcome(&broker(failures, more));
        assert_eq!((fates, last), (2, Some(RecordFate::Succeeded)), "{failures} {more}");
    }
}

/// Retention ends it, where there is one.
#[test]
fn retention_is_waited_for() {
    let yaml = broker("{probability: 100%}", "").replace("b: {}", "b: {message_retention: 240h}");
    let (ended, runs, fates, last) = outcome(&yaml);
    assert_eq!((fates, last), (2, Some(RecordFate::Expired)));
    assert!(ended >= 240.0 * 3_600e3 && runs > 10_000, "{ended} {runs}");
}

/// Dead letters that come back: 1,000 rounds, and ten for each record that goes round.
#[test]
fn cycles_of_dead_letters_are_left() {
    let mappings = "function: f, batch_size: 1, maximum_batching_window: 0s";
    let brokers = format!(
        "brokers: {{a: {{maximum_redeliveries: 0, dead_letter_queue: b}}, b: {{maximum_redeliveries: 0, dead_letter_queue: a}}}}\n\
         event_source_mappings: {{m: {{source: a, {mappings}}}, n: {{source: b, {mappings}}}}}\n"
    );
    let settings = "provisioned_pollers: {}, maximum_retry_attempts: 0";
    let topics = format!(
        "streams: {{a: {{type: kafka}}, b: {{type: kafka}}}}\nevent_source_mappings: {{m: {{source: a, {mappings}, {settings}, \
         on_failure: b}}, n: {{source: b, {mappings}, {settings}, on_failure: a}}}}\n"
    );
    for logs in [brokers, topics] {
        for (failures, expected, last) in [
            // Nobody handles them.
            ("{probability: 100%}", 1_000 + 10 * 2, None),
            // The second fails nine times, each time in another batch, and is handled then.
            ("{events: [1], probability: 100%}", 1_000 + 10, None),
            // Both of them find their end.
            ("{probability: 100%, until: 1h}", 0, Some(RecordFate::Succeeded)),
        ] {
            let yaml = format!(
                "duration: 1s\n{logs}functions: {{f: {{duration: 1s, failures: [{failures}]}}}}\n\
                 callers: {{c: {{target: a, arrivals: {{at: [0s, 100ms]}}}}}}\n"
            );
            let (_, runs, _, fate) = outcome(&yaml);
            match last {
                Some(last) => assert_eq!(fate, Some(last), "{yaml}"),
                None => assert!((expected..expected + 30).contains(&runs), "{runs} of {expected}: {yaml}"),
            }
        }
    }
}

/// The same of FIFO queues, where a move begins a new retention (ESM-1.5.6); of standard ones the retention is the end.
#[test]
fn cycles_of_queues_are_left() {
    for (kind, moves) in [("fifo", 1_000 + 10), ("standard", 2 * 24 * 60 / 2 - 1)] {
        let queue = |other: &str| {
            format!(
                "{{type: {kind}, visibility_timeout: 60s, message_retention: 24h, \
                 redrive: {{dead_letter_queue: {other}, max_receive_count: 1}}}}"
            )
        };
        let yaml = format!(
            "duration: 1s\nqueues: {{a: {}, b: {}}}\nfunctions: {{f: {{duration: 0s, failures: [{{probability: 100%}}]}}}}\n\
             event_source_mappings: {{m: {{source: a, function: f}}, n: {{source: b, function: f}}}}\n\
             callers: {{c: {{target: a, arrivals: {{at: [0s]}}}}}}\n",
            queue("b"),
            queue("a")
        );
        let facts = Facts::of(&yaml);
        let moved = facts
            .list
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::Message(lambdasim::aws::fact::MessageFact::Moved { .. })))
            .count();
        assert_eq!(moved, moves, "{kind}");
    }
}

/// A change after `duration` that lets something go on is waited for, and one that lets nothing go on is not.
#[test]
fn changes_that_let_something_go_on_are_waited_for() {
    let enabled = "changes: [{at: 20m, set: {event_source_mappings.m.enabled: true}}]";
    let redrive = "changes: [{at: 20m, redrive: {queue: s, to: t, rate: 500/s}}]";
    let other = "changes: [{at: 20m, set: {functions.f.memory: 1024MB}}, {at: 40m, set: {event_source_mappings.m.batch_size: 5}}]";
    let (stream, queue) = ("streams: {s: {type: kinesis}}", "queues: {s: {}, t: {}}");
    let (broker, topic) = ("brokers: {s: {}}", "streams: {s: {type: kafka}}");
    for (source, change, arrivals, ended, runs) in [
        (stream, enabled, 2, 1_200e3, 1),
        (queue, enabled, 2, 1_200e3, 1),
        (broker, enabled, 2, 1_200e3, 1),
        (topic, enabled, 2, 1_200e3 + 500.0, 1),
        (queue, redrive, 2, 1_200e3 + 4.0, 0),
        // Nothing is there.
        (stream, enabled, 0, 600e3, 0),
        (queue, enabled, 0, 600e3, 0),
        (queue, redrive, 0, 600e3, 0),
        // Nobody reads it afterwards either.
        (stream, other, 2, 600e3, 0),
        (queue, other, 2, 600e3, 0),
    ] {
        let at = if arrivals == 0 { "1h" } else { "0s" };
        let yaml = format!(
            "duration: 10m\n{source}\nfunctions: {{f: {{duration: 0s}}}}\n\
             event_source_mappings: {{m: {{source: s, function: f, enabled: false}}}}\n\
             callers: {{c: {{target: s, arrivals: {{at: [{at}, {at}]}}}}}}\n{change}\n"
        );
        let (over, batches, ..) = outcome(&yaml);
        assert!(((over - ended).abs() < 1.0), "{over}, not {ended}: {yaml}");
        assert_eq!(batches, runs, "{yaml}");
        // A drain that is over before the change does not see it.
        let (over, batches, ..) = outcome(&format!("{yaml}drain: 5m\n"));
        assert_eq!((over, batches), (600e3, 0), "{yaml}");
    }
}
