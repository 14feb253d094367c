//! Streams, Kafka topics, brokers and change streams: vectors of the sheet on event source mappings.

use lambdasim::aws::fact::{DiscardCondition, Fact, MappingFact, Notice, ReaderFact, RecordFate, StreamFact};

use crate::common::{Facts, check_run, ms, near};

/// What happened, in seconds. Records are named by their submission.
#[derive(Debug, Default)]
struct Story {
    /// What was sent to the function: when, the first record, and how many.
    sent: Vec<(f64, u64, u32)>,
    /// Starts of runs, and the end of the last.
    starts: Vec<f64>,
    last_end: f64,
    /// Ages of the last record, ms.
    ages: Vec<f64>,
    /// Ends of records.
    ended: Vec<(f64, u64, RecordFate, u32)>,
    discarded: Vec<(f64, u32, DiscardCondition, u32, Notice)>,
    /// Windows that ended: when, their beginning, their records.
    windows: Vec<(f64, f64, u64)>,
    /// Shards of records that were accepted, and of those that were not.
    put: Vec<u32>,
    refused: Vec<u32>,
    /// Records of each read.
    reads: Vec<(f64, usize, u32)>,
    throttles: usize,
    empty_polls: u64,
    peak: u32,
    pollers: Vec<(f64, u32)>,
}

impl Story {
    fn of(yaml: &str) -> Self {
        use lambdasim::aws::ids::Id;
        let (mut story, mut running) = (Self::default(), 0_u32);
        for (now, fact) in &Facts::of(yaml).list {
            let at = ms(*now) / 1e3;
            match *fact {
                Fact::RunStarted { .. } => {
                    story.starts.push(at);
                    running += 1;
                    story.peak = story.peak.max(running);
                }
                Fact::RunEnded { .. } => (running, story.last_end) = (running - 1, at),
                Fact::Throttled { .. } => story.throttles += 1,
                Fact::Mapping(MappingFact::Polled { mapping, messages }) => {
                    story.reads.push((at, mapping.index(), messages));
                }
                Fact::Mapping(MappingFact::PolledEmpty { receives, .. }) => story.empty_polls += receives,
                Fact::Mapping(MappingFact::Pollers { pollers, .. }) => story.pollers.push((at, pollers)),
                Fact::Stream(StreamFact::Put { shard, .. }) => story.put.push(shard),
                Fact::Stream(StreamFact::WriteThrottled { shard, .. }) => story.refused.push(shard),
                Fact::Reader(ReaderFact::Sent { origin, records, last_arrived, .. }) => {
                    story.sent.push((at, origin.submission, records));
                    story.ages.push(ms(*now) - ms(last_arrived));
                }
                Fact::Reader(ReaderFact::RecordEnded { origin, fate, runs, .. }) => {
                    story.ended.push((at, origin.submission, fate, runs));
                }
                Fact::Reader(ReaderFact::Discarded { records, condition, invoke_count, notice, .. }) => {
                    story.discarded.push((at, records, condition, invoke_count, notice));
                }
                Fact::Reader(ReaderFact::WindowEnded { began, records, .. }) => {
                    story.windows.push((at, ms(began) / 1e3, records));
                }
                _ => {}
            }
        }
        story
    }

    /// First record and size of what was sent, in order.
    fn batches(&self) -> Vec<(u64, u32)> {
        self.sent.iter().map(|(_, first, records)| (*first, *records)).collect()
    }

    fn sent_at(&self) -> Vec<f64> {
        self.sent.iter().map(|(at, ..)| *at).collect()
    }

    fn fates(&self, fate: RecordFate) -> usize {
        self.ended.iter().filter(|(_, _, seen, _)| *seen == fate).count()
    }
}

/// A scenario with one stream `s`, one function `f` and one mapping `m`.
struct Case<'a> {
    stream: &'a str,
    function: &'a str,
    mapping: &'a str,
    caller: &'a str,
    more: &'a str,
    duration: &'a str,
}

const CASE: Case<'_> = Case {
    stream: "type: kinesis",
    function: "duration: 0s",
    mapping: "batch_size: 100",
    caller: "arrivals: {at: [0s]}",
    more: "",
    duration: "1s",
};

impl Case<'_> {
    fn yaml(&self) -> String {
        let Self { stream, function, mapping, caller, more, duration } = self;
        format!(
            "duration: {duration}\nstreams: {{s: {{{stream}}}}}\nfunctions: {{f: {{timeout: 800s, {function}}}}}\n\
             event_source_mappings: {{m: {{source: s, function: f, {mapping}}}}}\n\
             callers: {{c: {{target: s, {caller}}}}}\n{more}"
        )
    }

    fn story(&self) -> Story {
        Story::of(&self.yaml())
    }
}

/// ESM-A17: shards x factor batches at the same time.
#[test]
fn esm_a17_concurrency_is_bounded_by_shards_and_factor() {
    for (stream, factor, expected) in [
        ("type: kinesis, shards: 100", 2, 200),
        ("type: dynamodb, shards: 10", 10, 100),
        ("type: kinesis, shards: 3", 1, 3),
    ] {
        let mapping = format!("batch_size: 1, parallelization_factor: {factor}");
        let caller = "arrivals: {burst: {size: 1000, at: 0s}}";
        let case = Case { stream, mapping: &mapping, caller, function: "duration: 60s", ..CASE };
        assert_eq!(case.story().peak, expected, "{stream}, factor {factor}");
    }
}

/// ESM-A18: the first run and R retries, then the batch is discarded.
#[test]
fn esm_a18_retries_are_in_addition_to_the_first_run() {
    for retries in [0, 3, 10_000] {
        let mapping = format!("maximum_retry_attempts: {retries}");
        let function = "duration: 0s, failures: [{probability: 100%}]";
        let story = Case { stream: "type: kinesis, retention: 365d", mapping: &mapping, function, ..CASE }.story();
        assert_eq!(story.starts.len(), retries + 1);
        let runs = u32::try_from(retries).unwrap() + 1;
        let [(_, records, condition, invoke_count, notice)] = story.discarded[..] else { panic!("{story:?}") };
        let exhausted = DiscardCondition::RetryAttemptsExhausted;
        assert_eq!((records, condition, invoke_count, notice), (1, exhausted, runs, Notice::None));
    }
}

const EIGHT: &str = "arrivals: {at: [0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s]}";

/// ESM-A19: a split uses no retry, the left half goes first.
#[test]
fn esm_a19_a_poison_record_is_found_by_splits() {
    let function = "duration: 0s, failures: [{events: [6]}]";
    let mapping = "maximum_retry_attempts: 2, bisect_batch_on_function_error: true";
    let story = Case { function, mapping, caller: EIGHT, ..CASE }.story();
    let expected = [(1, 8), (1, 4), (5, 4), (5, 2), (5, 1), (6, 1), (6, 1), (6, 1), (7, 2)];
    assert_eq!(story.batches(), expected);
    assert_eq!(story.fates(RecordFate::Succeeded), 7);
    let discarded = RecordFate::Discarded(DiscardCondition::RetryAttemptsExhausted);
    assert_eq!(story.fates(discarded), 1);
    let whole = Case { function, mapping: "maximum_retry_attempts: 2", caller: EIGHT, ..CASE }.story();
    assert_eq!(whole.batches(), [(1, 8), (1, 8), (1, 8)]);
    assert_eq!(whole.fates(discarded), 8);
}

/// ESM-K5: halves start at the count of their parent; with the option each has all retries again. The first failure
/// uses the only retry, since splits are switched on after it.
#[test]
fn esm_k5_retries_after_a_split() {
    let function = "duration: 0s, failures: [{probability: 100%}]";
    let more = "changes: [{at: 100ms, set: {event_source_mappings.m.bisect_batch_on_function_error: true}}]";
    let caller = "arrivals: {at: [0s, 0s]}";
    for (resets, expected) in [
        ("false", vec![(1, 2), (1, 2), (1, 1), (2, 1)]),
        ("true", vec![(1, 2), (1, 2), (1, 1), (1, 1), (2, 1), (2, 1)]),
    ] {
        let mapping = format!("update_pause: 0s, maximum_retry_attempts: 1, bisect_resets_retries: {resets}");
        let story = Case { function, mapping: &mapping, caller, more, ..CASE }.story();
        assert_eq!(story.batches(), expected, "{resets}");
    }
}

/// ESM-A20: the lowest record that is reported is the checkpoint.
#[test]
fn esm_a20_partial_failures_set_the_checkpoint() {
    let caller = "arrivals: {at: [0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s]}";
    for events in ["[5]", "[7, 5]"] {
        let function = format!("duration: 0s, failures: [{{events: {events}, first_attempts: 1}}]");
        let mapping = "report_batch_item_failures: true";
        let story = Case { function: &function, mapping, caller, ..CASE }.story();
        // Record 7 has had its first attempt with the others, so the second run is the last.
        assert_eq!(story.batches(), [(1, 9), (5, 5)], "{events}");
        assert_eq!(story.fates(RecordFate::Succeeded), 9);
    }
}

/// ESM-2.3: a partial failure uses a retry (recorded on AWS: three retries, four runs).
#[test]
fn esm_2_3_4_partial_failures_use_retries() {
    let mapping = "report_batch_item_failures: true, maximum_retry_attempts: 3";
    let story = Case { function: "duration: 0s, failures: [{events: [6]}]", mapping, caller: EIGHT, ..CASE }.story();
    assert_eq!(story.batches(), [(1, 8), (6, 3), (6, 3), (6, 3)]);
}

/// ESM-2.3: with both, the batch is split at the record that is reported, and only the rest is tried again.
#[test]
fn esm_2_3_9_partial_failures_with_bisect() {
    let mapping = "report_batch_item_failures: true, bisect_batch_on_function_error: true, maximum_retry_attempts: 1";
    let story = Case { function: "duration: 0s, failures: [{events: [6]}]", mapping, caller: EIGHT, ..CASE }.story();
    // The split at 6 uses no retry; then 6 is the first of what is left, and its half is split off.
    assert_eq!(story.batches()[..2], [(1, 8), (6, 3)]);
    assert_eq!(story.fates(RecordFate::Succeeded), 7);
}

/// ESM-A22, second part: one key never leaves its shard; 1,000 a second are accepted after the full bucket.
#[test]
fn esm_a22_a_hot_key_stays_on_its_shard() {
    let caller = "keys: {constant: hot}, client: {retry: none}, arrivals: {constant: 1500/s}, payload: 100B";
    let story = Case { stream: "type: kinesis, shards: 10", caller, duration: "20s", ..CASE }.story();
    assert!(story.put.iter().chain(&story.refused).all(|shard| *shard == 1), "ESM-A23: hot is on shard 1 of ten");
    // 1,000 at once, and 1,000 a second.
    near("accepted", story.put.len() as f64, 21_000.0, 2.0);
    assert_eq!(story.put.len() + story.refused.len(), 30_000);
}

/// ESM-A24: a poll a second and shard (Kinesis), four (`DynamoDB`).
#[test]
fn esm_a24_idle_streams_are_polled() {
    for (stream, expected) in [("type: kinesis, shards: 4", 240), ("type: dynamodb, shards: 4", 960)] {
        let caller = "arrivals: {at: [0s]}, max_events: 0";
        let caller = if caller.contains("max_events: 0") { "arrivals: {at: [1h]}" } else { caller };
        let story = Case { stream, caller, duration: "60s", ..CASE }.story();
        assert_eq!(story.empty_polls, expected, "{stream}");
    }
}

/// ESM-A26: without a limit but with a destination, Kafka's provisioned mode tries ten times again.
#[test]
fn esm_a26_kafka_gives_up_after_ten_retries() {
    let function = "duration: 0s, failures: [{probability: 100%}]";
    let mapping = "provisioned_pollers: {minimum: 1}, on_failure: dlq";
    let case = Case { stream: "type: kafka, partitions: 1", function, mapping, more: "queues: {dlq: {}}", ..CASE };
    let story = case.story();
    assert_eq!(story.starts.len(), 11);
    let [(_, 1, condition, 11, Notice::Delivered(_))] = story.discarded[..] else { panic!("{:?}", story.discarded) };
    assert_eq!(condition.as_str(), "RetriesExhausted");
}

/// ESM-A27: five, one and one batches at the same time.
#[test]
fn esm_a27_brokers_and_change_streams_have_fixed_concurrency() {
    for (block, expected) in [
        ("brokers: {s: {type: activemq}}", 20.0),
        ("brokers: {s: {type: rabbitmq}}", 100.0),
        ("streams: {s: {type: documentdb}}", 100.0),
    ] {
        let yaml = format!(
            "duration: 1s\n{block}\nfunctions: {{f: {{timeout: 60s, duration: 10s}}}}\n\
             event_source_mappings: {{m: {{source: s, function: f}}}}\n\
             callers: {{c: {{target: s, arrivals: {{burst: {{size: 1000, at: 0s}}}}}}}}"
        );
        let story = Story::of(&yaml);
        near(block, story.last_end, expected, 1e-9);
        assert!(story.sent.iter().all(|(_, _, records)| *records == 100), "{block}: {:?}", story.sent);
        assert_eq!(story.fates(RecordFate::Succeeded), 1_000);
    }
}

/// ESM-A29: 25 records are discarded, and the destination refuses the notice.
#[test]
fn esm_a29_a_destination_that_refuses() {
    let function = "duration: 0s, failures: [{probability: 100%}]";
    let mapping = "maximum_retry_attempts: 0, on_failure: dlq";
    let more = "queues: {dlq: {}}\nfaults: [{queue: dlq, status: 500, probability: 100%}]";
    let caller = "arrivals: {burst: {size: 25, at: 0s}}";
    let story = Case { function, mapping, caller, more, ..CASE }.story();
    let [(_, 25, _, 1, Notice::Failed(..))] = story.discarded[..] else { panic!("{:?}", story.discarded) };
}

/// ESM-A33: eight tries in 60 s of age, whatever the age at the first; fewer with longer waits.
#[test]
fn esm_a33_records_that_are_too_old_are_discarded() {
    let function = "duration: 0s, failures: [{probability: 100%}]";
    for (retry, age, runs) in [("", 0, 8), ("", 28, 8), (", retry: {base: 500ms}", 0, 7), (", retry: {base: 1s}", 0, 6)]
    {
        let mapping = format!("batch_size: 1, maximum_record_age: 60s, enable_delay: {age}s{retry}");
        let story = Case { function, mapping: &mapping, ..CASE }.story();
        assert_eq!(story.starts.len(), runs, "read at an age of {age} s{retry}");
        let [(_, 1, DiscardCondition::RecordAgeExceeded, count, _)] = story.discarded[..] else { panic!("{story:?}") };
        assert_eq!(count as usize, runs);
    }
}

/// ESM-2.3: too old before the first run, which counts one.
#[test]
fn esm_2_3_15_too_old_before_the_first_run() {
    let story = Case { mapping: "maximum_record_age: 60s, enable_delay: 61s", ..CASE }.story();
    let [(61.0, 1, DiscardCondition::RecordAgeExceeded, 1, _)] = story.discarded[..] else { panic!("{story:?}") };
    assert_eq!(story.starts.len(), 0);
    // At the limit it is not above it.
    let story = Case { mapping: "maximum_record_age: 60s, enable_delay: 60s", ..CASE }.story();
    assert_eq!(story.fates(RecordFate::Succeeded), 1);
}

/// ESM-A35: throttles use no retry.
#[test]
fn esm_a35_throttles_use_no_retry() {
    let function = "duration: 1s, reserved_concurrency: 0";
    let more = "changes: [{at: 100s, set: {functions.f.reserved_concurrency: 10}}]";
    let story = Case { function, mapping: "maximum_retry_attempts: 1", more, duration: "101s", ..CASE }.story();
    assert!(story.throttles > 5, "{}", story.throttles);
    assert_eq!((story.starts.len(), story.discarded.len()), (1, 0));
    assert_eq!(story.fates(RecordFate::Succeeded), 1);
}

/// ESM-A36: the age of the last record of the batch.
#[test]
fn esm_a36_iterator_age_is_the_age_of_the_last_record() {
    let caller = "arrivals: {at: [10s, 11s, 12s, 13s, 14s]}";
    let story =
        Case { mapping: "enhanced_fan_out: true, enable_delay: 15.5s", caller, duration: "20s", ..CASE }.story();
    assert_eq!((story.batches(), story.ages), (vec![(1, 5)], vec![1_500.0]));
}

/// ESM-A37: [0, 60) has the records of 10 s and 50 s and is closed by a last run; 70 s belongs to [60, 120).
#[test]
fn esm_a37_tumbling_windows() {
    let caller = "arrivals: {at: [10s, 50s, 70s]}";
    let story = Case { mapping: "tumbling_window: 60s", caller, duration: "80s", ..CASE }.story();
    assert_eq!(story.windows, [(70.0, 0.0, 2), (240.0, 60.0, 1)], "the second ends 120 s after its end");
    assert_eq!(story.batches(), [(1, 1), (2, 1), (2, 0), (3, 1), (3, 0)]);
}

/// ESM-2.4: a last run that fails holds up the shard until it succeeds.
#[test]
fn esm_2_4_4_a_last_run_that_fails_is_tried_again() {
    let caller = "arrivals: {at: [10s, 70s]}";
    // Runs of record 1: its batch, then the last run of the window.
    let function = "duration: 0s, failures: [{events: [1], attempts: [1]}, {probability: 100%, from: 70s, until: 71s}]";
    let story = Case { mapping: "tumbling_window: 60s", function, caller, duration: "80s", ..CASE }.story();
    let closing: Vec<f64> = story.sent.iter().filter(|(_, _, records)| *records == 0).map(|(at, ..)| *at).collect();
    assert_eq!(closing[..3], [70.0, 70.25, 70.75], "ESM-K1");
    assert_eq!(story.windows.len(), 2);
}

/// ESM-A40: on the grid of polls, or when it is pushed.
#[test]
fn esm_a40_when_a_record_reaches_the_function() {
    for (stream, mapping, model, expected) in [
        ("type: kinesis", "batch_size: 100", "", 3.0),
        ("type: dynamodb", "batch_size: 100", "", 2.5),
        ("type: kinesis", "enhanced_fan_out: true", "", 2.3),
        ("type: kinesis", "enhanced_fan_out: true, push_delay: 70ms", "", 2.37),
    ] {
        let case = Case { stream, mapping, caller: "arrivals: {at: [2.3s]}", more: model, duration: "3s", ..CASE };
        assert_eq!(case.story().starts, [expected], "{stream}, {mapping}");
    }
}

/// ESM-A42: three readers of one shard need 3 MiB of 2 MiB a second; with enhanced fan-out each has its own.
#[test]
fn esm_a42_readers_share_a_shard() {
    // A turn is up to 10 MiB, so one of them may be 10 of 120 ahead when the run is cut.
    for (fan_out, share, tolerance) in [("false", 2.0 / 3.0, 0.06), ("true", 1.0, 0.02)] {
        let mapping =
            |name: &str| format!("{name}: {{source: s, function: f, batch_size: 10000, enhanced_fan_out: {fan_out}}}");
        let (one, two, three) = (mapping("one"), mapping("two"), mapping("three"));
        let yaml = format!(
            "duration: 120s\ndrain: 0s\nstreams: {{s: {{type: kinesis}}}}\nfunctions: {{f: {{duration: 0s}}}}\n\
             event_source_mappings: {{{one}, {two}, {three}}}\n\
             callers: {{c: {{target: s, payload: 10240B, arrivals: {{constant: 102.4/s}}}}}}"
        );
        let story = Story::of(&yaml);
        let all: u32 = story.reads.iter().map(|(.., records)| records).sum();
        near(&format!("of the shard, {fan_out}"), f64::from(all) / 12_288.0, 3.0 * share, 0.06);
        for mapping in 0..3 {
            let read: u32 = story.reads.iter().filter(|(_, by, _)| *by == mapping).map(|(.., records)| records).sum();
            near(&format!("share of reader {mapping}, {fan_out}"), f64::from(read) / 12_288.0, share, tolerance);
        }
    }
}

/// ESM-A44: shards x factor x batch / duration.
#[test]
fn esm_a44_capacity_of_a_stream() {
    let caller = "payload: 100B, arrivals: {constant: 8000/s}";
    let case = Case {
        stream: "type: kinesis, shards: 10",
        function: "duration: 200ms",
        mapping: "batch_size: 100",
        caller,
        duration: "20s",
        more: "drain: 0s",
    };
    let done = case.story().fates(RecordFate::Succeeded);
    assert!(done <= 5_000 * 20, "{done}");
    near("records", done as f64, 100_000.0, 6_000.0);
}

/// ESM-2.5: without retries the age of a stream that gets lambda and can do mu grows by 1 - mu / lambda a second.
#[test]
fn the_iterator_age_grows_by_what_is_missing() {
    // 200 a second come, 100 are done: half a second each second.
    let case = Case {
        function: "duration: 1s",
        caller: "payload: 100B, arrivals: {constant: 200/s}",
        duration: "400s",
        more: "drain: 0s",
        ..CASE
    };
    let story = case.story();
    let age = |at: f64| story.sent.iter().position(|(sent, ..)| *sent >= at).map(|place| story.ages[place]).unwrap();
    near("growth a second", (age(390.0) - age(90.0)) / 300_000.0, 0.5, 0.01);
}

/// Fluid limit: after an outage of T the lag is gone T rho / (1 - rho) after its end.
#[test]
fn a_stream_catches_up() {
    // rho = 60 of 100 a second; an outage of 100 s is made up for in 150 s.
    let case = Case {
        function: "duration: 1s, failures: [{probability: 100%, from: 100s, until: 200s}]",
        mapping: "batch_size: 100, retry: {base: 1s, factor: 1}",
        caller: "payload: 100B, arrivals: {constant: 60/s}",
        duration: "500s",
        ..CASE
    };
    let story = case.story();
    let behind = story.sent.iter().zip(&story.ages).filter(|(_, age)| **age > 2_500.0).map(|((at, ..), _)| *at);
    let last = behind.fold(0.0, f64::max);
    near("caught up at", last, 350.0, 12.0);
}

/// ESM-2.2: where a mapping begins.
#[test]
fn esm_2_2_9_starting_positions() {
    let caller = "arrivals: {at: [0s, 5s, 10s, 15s]}";
    for (position, expected) in [("trim_horizon", 4), ("latest", 1), ("{at: 5s}", 3)] {
        let mapping = format!("starting_position: {position}, enable_delay: 12s");
        let story = Case { mapping: &mapping, caller, duration: "20s", ..CASE }.story();
        assert_eq!(story.fates(RecordFate::Succeeded), expected, "{position}");
    }
}

/// ESM-K10: a new shard is read when those before it have been read, and worked off, to their end.
#[test]
fn esm_k10_parents_come_first() {
    // Ten batches of a second each are waiting in shard 0 when it is closed at 1.5 s.
    let case = Case {
        function: "duration: 1s",
        mapping: "batch_size: 10",
        caller: "keys: {constant: user-1}, arrivals: {at: [0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 2s]}",
        more: "changes: [{at: 1.5s, set: {streams.s.shards: 2}}]",
        duration: "3s",
        ..CASE
    };
    let story = case.story();
    assert_eq!(story.batches(), [(1, 10), (11, 2), (13, 1)]);
    assert_eq!(story.sent_at(), [0.0, 1.0, 2.0], "the record of 2 s waits for the end of the second batch");
    assert_eq!(story.put[12], 2, "ESM-A23: user-1 is on the second of two shards");
}

/// ESM-K17: another factor takes effect when the lanes are empty; nothing is lost, and each key keeps its order.
#[test]
fn esm_k17_another_factor() {
    let case = Case {
        function: "duration: 1s",
        mapping: "batch_size: 10, parallelization_factor: 1, update_pause: 0s",
        caller: "keys: {uniform: 100}, arrivals: {constant: 50/s}",
        more: "changes: [{at: 10s, set: {event_source_mappings.m.parallelization_factor: 10}}]",
        duration: "20s",
        ..CASE
    };
    let story = case.story();
    assert_eq!(story.fates(RecordFate::Succeeded), 1_000);
    assert!(story.peak > 5, "{}", story.peak);
}

/// ESM-2.2: records that the filter takes out cause no run, and the position passes them.
#[test]
fn esm_2_2_11_filters() {
    let caller = "arrivals: {burst: {size: 1000, at: 0s}}";
    let story = Case { mapping: "filter: 50%", caller, ..CASE }.story();
    let sent: u32 = story.sent.iter().map(|(.., records)| records).sum();
    assert_eq!(story.fates(RecordFate::Succeeded), sent as usize);
    // Binomial: five standard deviations of 15.8.
    near("records", f64::from(sent), 500.0, 79.0);
}

/// ESM-4.1, F2: consumers double while the lag grows, up to the partitions.
#[test]
fn esm_f2_consumers_of_a_topic() {
    let case = Case {
        stream: "type: kafka, partitions: 8",
        function: "duration: 1s",
        mapping: "batch_size: 10",
        caller: "arrivals: {constant: 60/s}, keys: {uniform: 1000}",
        duration: "600s",
        ..CASE
    };
    let story = case.story();
    let seen: Vec<_> = story.pollers.iter().filter(|(at, _)| *at <= 600.0).copied().collect();
    // Looked at each minute, effective a minute later.
    assert_eq!(seen[..4], [(0.0, 1), (120.0, 2), (180.0, 4), (240.0, 8)]);
    assert_eq!(story.peak, 8);
    assert_eq!(story.fates(RecordFate::Succeeded), 36_000);
}

/// ESM-2.1: a stream on demand grows to twice its highest minute, 15 minutes later.
#[test]
fn esm_k16_on_demand() {
    let case = Case {
        stream: "type: kinesis, capacity_mode: on_demand",
        caller: "keys: {uniform: 1000}, payload: 102400B, client: {retry: none}, arrivals: {constant: 30/s}",
        mapping: "batch_size: 10000",
        duration: "20m",
        ..CASE
    };
    let facts = Facts::of(&case.yaml());
    let shards: Vec<_> = facts
        .list
        .iter()
        .filter_map(|(now, fact)| match fact {
            Fact::Stream(StreamFact::Shards { open, .. }) => Some((ms(*now) / 60_000.0, *open)),
            _ => None,
        })
        .collect();
    // 2.93 MiB a second ask for as many shards; twice that are 6.
    assert_eq!(shards[0], (0.0, 4));
    let (at, open) = shards[1];
    assert_eq!((open, shards.len()), (6, 2));
    near("minutes", at, 16.0, 0.01);
}

/// ESM-6.3: with a window of 2 s and runs of 2 s, a record that comes during a run. Kinesis and Kafka's default mode open
/// the window when the run ends (at 4 s), the provisioned mode when the last batch was formed (at 2 s), and a change stream
/// with the record (at 3 s).
#[test]
fn esm_6_3_1_to_4_when_windows_open() {
    for (stream, mapping, expected) in [
        ("type: kinesis", "enhanced_fan_out: true", [2.0, 6.0]),
        ("type: kafka, partitions: 1", "enabled: true", [2.0, 6.0]),
        ("type: kafka, partitions: 1", "provisioned_pollers: {minimum: 1}", [2.0, 4.0]),
        ("type: documentdb", "enabled: true", [2.0, 5.0]),
    ] {
        let mapping = format!("{mapping}, maximum_batching_window: 2s");
        let caller = "arrivals: {at: [0s, 3s]}";
        let story =
            Case { stream, mapping: &mapping, caller, function: "duration: 2s", duration: "4s", ..CASE }.story();
        assert_eq!(story.starts, expected, "{stream}, {mapping}");
    }
}

/// ESM-2.4.6: the end of a shard ends its window; those after it begin with windows of their own.
#[test]
fn esm_2_4_6_a_window_ends_with_its_shard() {
    let more = "changes: [{at: 30s, set: {streams.s.shards: 2}}]";
    let caller = "arrivals: {at: [10s, 40s]}";
    let story = Case { mapping: "tumbling_window: 60s", caller, more, duration: "41s", ..CASE }.story();
    assert_eq!(story.windows, [(30.0, 0.0, 1), (180.0, 0.0, 1)]);
}

/// ESM-4.2.1: never more pollers than partitions, from the start on.
#[test]
fn esm_4_2_1_pollers_are_bounded_by_partitions() {
    let mapping = "provisioned_pollers: {minimum: 5}";
    let story = Case { stream: "type: kafka, partitions: 2", mapping, ..CASE }.story();
    assert_eq!(story.pollers, [(0.0, 2)]);
}

/// ESM-K6: a record that no event can hold fails without a run, and is discarded by the rules of retries.
#[test]
fn esm_k6_a_record_that_is_too_large() {
    let mapping = "payload_limit: 2000B, maximum_retry_attempts: 1";
    let caller = "payload: 5KB, arrivals: {at: [0s]}";
    let story = Case { mapping, caller, ..CASE }.story();
    assert_eq!((story.sent.len(), story.starts.len()), (2, 0));
    assert_eq!(story.fates(RecordFate::Discarded(DiscardCondition::RetryAttemptsExhausted)), 1);
    // ESM-5.13: a change stream drops it at once.
    let story = Case { stream: "type: documentdb", mapping: "payload_limit: 2000B", caller, ..CASE }.story();
    assert_eq!((story.sent.len(), story.fates(RecordFate::Oversized)), (0, 1));
}

/// ESM-4.1.11: a group that has offsets goes on there, whatever its next mapping says.
#[test]
fn esm_4_1_11_a_group_keeps_its_offsets() {
    let yaml = "duration: 20s
streams: {s: {type: kafka, partitions: 2}}
functions: {f: {duration: 0s}}
event_source_mappings:
  one: {source: s, function: f, consumer_group: g, starting_position: latest, enable_delay: 5s}
  two: {source: s, function: f, consumer_group: g, starting_position: trim_horizon, enable_delay: 10s}
callers: {c: {target: s, arrivals: {at: [0s, 1s, 6s, 12s]}}}";
    let story = Story::of(yaml);
    let read: Vec<u64> = story.ended.iter().map(|(_, record, ..)| *record).collect();
    assert_eq!(read, [3, 4]);
}

/// A backlog that is too old is worked off in one go, however long it is.
#[test]
fn a_long_backlog_expires() {
    for (stream, mapping) in [
        ("type: kafka, partitions: 1, retention: 1h", "batch_size: 1"),
        ("type: kinesis", "batch_size: 1, maximum_record_age: 60s"),
    ] {
        let function = "duration: 0s, failures: [{events: [1], probability: 100%}]";
        let caller = "arrivals: {burst: {size: 20000, at: 0s}}, keys: {constant: a}, client: {retry: none}";
        let story = Case { stream, mapping, function, caller, duration: "3h", ..CASE }.story();
        assert_eq!(story.ended.len(), story.put.len(), "{stream}");
    }
}

/// ESM-K10: a shard that was closed without a record does not let its children go before its parents.
#[test]
fn esm_k10_two_reshardings() {
    let case = Case {
        function: "duration: 0s, failures: [{events: [1], probability: 100%, until: 40s}]",
        mapping: "batch_size: 1",
        caller: "keys: {constant: a}, arrivals: {at: [0s, 20s]}",
        more: "changes: [{at: 5s, set: {streams.s.shards: 2}}, {at: 6s, set: {streams.s.shards: 4}}]",
        duration: "60s",
        ..CASE
    };
    let story = case.story();
    let ended: Vec<u64> = story.ended.iter().map(|(_, record, ..)| *record).collect();
    assert_eq!(ended, [1, 2]);
}

/// ESM-4: partitions, and messages of a broker, go to those mappings of a group that read.
#[test]
fn esm_4_1_groups_share_among_those_that_read() {
    for (source, more) in [
        ("streams: {s: {type: kafka, partitions: 4}}", ", consumer_group: g"),
        ("streams: {s: {type: kafka, partitions: 4}}", ", consumer_group: g, provisioned_pollers: {minimum: 1}"),
        ("brokers: {s: {type: rabbitmq}}", ""),
    ] {
        for second in ["enabled: false", "enable_delay: 5m"] {
            let yaml = format!(
                "duration: 60s\n{source}\nfunctions: {{f: {{duration: 10ms}}}}\n\
                 event_source_mappings:\n  one: {{source: s, function: f{more}}}\n  two: {{source: s, function: f, {second}{more}}}\n\
                 callers: {{c: {{target: s, arrivals: {{constant: 10/s}}}}}}"
            );
            let story = Story::of(&yaml);
            assert_eq!(story.fates(RecordFate::Succeeded), 600, "{source}, {second}");
            assert!(story.last_end < 70.0, "{source}, {second}: {}", story.last_end);
        }
    }
}

/// A mapping that is disabled while its batch waits gives it to the others of its group, and the run ends.
#[test]
fn what_a_disabled_consumer_holds_goes_to_others() {
    let yaml = "duration: 10s
brokers: {s: {type: rabbitmq}}
functions: {f: {duration: 10ms, failures: [{events: [1], probability: 100%}]}, g: {duration: 10ms}}
event_source_mappings:
  one: {source: s, function: f}
  two: {source: s, function: g, enable_delay: 5s}
callers: {c: {target: s, arrivals: {at: [0s]}}}
changes: [{at: 2s, set: {event_source_mappings.one.enabled: false}}]";
    let story = Story::of(yaml);
    assert_eq!(story.fates(RecordFate::Succeeded), 1);
    assert!(story.last_end < 6.0, "{}", story.last_end);
}

/// ESM-C1, C7: a change during a pause begins it anew.
#[test]
fn esm_c7_pauses_begin_anew() {
    let more = "changes: [{at: 10s, set: {event_source_mappings.m.batch_size: 10}}, \
                {at: 50s, set: {event_source_mappings.m.batch_size: 20}}]";
    let caller = "arrivals: {at: [11s]}";
    let story = Case { mapping: "update_pause: 60s", more, caller, duration: "60s", ..CASE }.story();
    assert_eq!(story.starts, [110.0]);
}

/// ESM-A24: polls before a pause are counted.
#[test]
fn polls_before_a_pause_are_counted() {
    let more = "changes: [{at: 20s, set: {event_source_mappings.m.enabled: false}}]";
    let story = Case { more, caller: "arrivals: {at: [1h]}", duration: "60s", ..CASE }.story();
    assert_eq!(story.empty_polls, 20);
}

/// ESM-F7: one provisioned poller reads 5 MB a second, of a backlog too.
#[test]
fn esm_f7_throughput_of_provisioned_pollers() {
    let case = Case {
        stream: "type: kafka, partitions: 1",
        mapping: "batch_size: 1, provisioned_pollers: {minimum: 1, maximum: 1}",
        caller: "payload: 1MB, arrivals: {burst: {size: 100, at: 0s}}",
        function: "duration: 10ms",
        ..CASE
    };
    near("seconds", case.story().last_end, 20.0, 1.1);
}

/// ESM-3.4: at most 1,000 records a read.
#[test]
fn esm_3_4_reads_of_dynamodb() {
    let case = Case {
        stream: "type: dynamodb",
        mapping: "batch_size: 10000",
        caller: "payload: 100B, arrivals: {burst: {size: 2500, at: 0s}}",
        ..CASE
    };
    let reads: Vec<u32> = case.story().reads.iter().map(|(.., records)| *records).collect();
    assert_eq!(reads, [1_000, 1_000, 500]);
}

/// ESM-4.1: a read of a partition is that of the mapping whose consumer has it, also in what its pollers are paid for.
#[test]
fn esm_4_1_reads_are_those_of_the_partitions_mapping() {
    for settings in ["", "provisioned_pollers: {}, "] {
        let mapping = format!("{{source: s, function: f, {settings}consumer_group: g}}");
        let yaml = format!(
            "duration: 1s\nstreams: {{s: {{type: kafka, partitions: 3}}}}\nfunctions: {{f: {{duration: 0s}}}}\n\
             event_source_mappings: {{m: {mapping}, n: {mapping}, o: {mapping}}}\n\
             callers: {{c: {{target: s, arrivals: {{burst: {{size: 30}}}}}}}}\n"
        );
        let polled = |name| (format!("event_source_mappings.{name}.polled_events"), 10.0);
        let expected = ["m", "n", "o"].map(polled);
        check_run(settings, &yaml, &expected.each_ref().map(|(path, number)| (path.as_str(), *number)));
    }
}

/// ESM-2.1.4: all records of a call to a Kinesis stream have 10 MiB at most, their keys counted; what is larger is refused
/// with 400 and not tried again. A burst of one is a call. Other services have no such limit.
#[test]
fn esm_2_1_4_bytes_of_a_call() {
    // 10 MiB are 10,485,760 bytes: 16 x 655,360.
    for (stream, caller, calls, rejected) in [
        ("type: kinesis", "payload: 655360B, messages_per_call: 16", 2, 0),
        ("type: kinesis", "payload: 655361B, messages_per_call: 16", 2, 32),
        ("type: kinesis", "payload: 655360B, messages_per_call: 16, keys: {constant: a}", 2, 32),
        ("type: kinesis", "payload: 655359B, messages_per_call: 16, keys: {constant: a}", 2, 0),
        // The second call has only four records.
        ("type: kinesis", "payload: 700000B, messages_per_call: 16, max_events: 20", 2, 16),
        ("type: kinesis", "payload: {uniform: {min: 655361B, max: 655400B}}, messages_per_call: 16", 2, 32),
        ("type: kafka", "payload: 655361B, messages_per_call: 16", 2, 0),
    ] {
        let caller = format!("{caller}, client: {{retry: none}}, arrivals: {{burst: {{size: {calls}}}}}");
        // A bucket of a minute takes all of it.
        let bucket = if stream.contains("kinesis") { ", write_bucket: 60s" } else { "" };
        let stream = format!("{stream}{bucket}");
        let yaml = Case { stream: &stream, caller: &caller, ..CASE }.yaml();
        check_run(&yaml, &yaml, &[("callers.c.outcomes.rejected", f64::from(rejected))]);
    }
}

/// ESM-2.4.4: the last run of a window that is given up ends the window, and nobody is told of it: it has no records.
#[test]
fn esm_2_4_4_a_last_run_that_is_given_up() {
    let case = Case {
        function: "duration: 0s, failures: [{probability: 100%, from: 60s}]",
        mapping: "tumbling_window: 60s, maximum_retry_attempts: 1, on_failure: q",
        caller: "arrivals: {at: [10s]}",
        more: "queues: {q: {}}",
        duration: "61s",
        ..CASE
    };
    let story = case.story();
    let [(_, 0, DiscardCondition::RetryAttemptsExhausted, _, notice)] = story.discarded[..] else {
        panic!("{story:?}")
    };
    assert_eq!((notice, story.starts.len()), (Notice::None, 3));
    let told = [("queues.q.sent", 0.0), ("event_source_mappings.m.on_failure_deliveries", 0.0)];
    check_run("nobody is told", &case.yaml(), &told);
}
