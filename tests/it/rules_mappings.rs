//! Event source mappings of queues, rule by rule: pollers, batches, filters, failures, throttles and states (ESM-1.2 to
//! 1.10, 1.12, 6.1 to 6.5).

use lambdasim::aws::fact::{Capacity, Fact, MappingFact, MessageFact, Observer};
use lambdasim::aws::ids::Id;
use lambdasim::kernel::time::SimTime;
use lambdasim::lint::Check;
use lambdasim::run;

use crate::common::{Facts, check, near, number, same, simulate};
use crate::sqs::{Case, Story, burst};

/// Runs at once, second by second.
#[derive(Debug)]
struct Concurrency {
    running: u32,
    since: SimTime,
    /// Runs x nanoseconds, and the highest level, of each second.
    seconds: Vec<(u64, u32)>,
}

const SECOND: u64 = 1_000_000_000;

impl Concurrency {
    fn change(&mut self, now: SimTime, begins: bool) {
        while self.since < now {
            let second = usize::try_from(self.since.as_nanos() / SECOND).unwrap();
            let end = now.min(SimTime::from_nanos((second as u64 + 1) * SECOND));
            self.seconds.resize(self.seconds.len().max(second + 1), (0, 0));
            let (sum, max) = &mut self.seconds[second];
            *sum += u64::from(self.running) * end.since(self.since).as_nanos();
            *max = (*max).max(self.running);
            self.since = end;
        }
        self.running = if begins { self.running + 1 } else { self.running - 1 };
    }

    /// The mean, the highest mean of a second and the highest level of each minute after the first.
    fn minutes(&self) -> Vec<[f64; 3]> {
        let means =
            |minute: &[(u64, u32)]| minute.iter().map(|(sum, _)| *sum as f64 / SECOND as f64).collect::<Vec<_>>();
        let figures = |minute: &[(u64, u32)]| {
            let of_seconds = means(minute);
            let highest = minute.iter().map(|(_, max)| f64::from(*max)).fold(0.0, f64::max);
            [of_seconds.iter().sum::<f64>() / 60.0, of_seconds.iter().copied().fold(0.0, f64::max), highest]
        };
        self.seconds[60..].chunks_exact(60).map(figures).collect()
    }
}

impl Observer for Concurrency {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        match fact {
            Fact::RunStarted { .. } => self.change(now, true),
            Fact::RunEnded { .. } => self.change(now, false),
            _ => {}
        }
    }
}

/// ESM-A50: function errors against growth. With runs of 50 ms each of T slots has 20 runs a second, of which a share p
/// fails and takes 5 % of the slots: 5 = 20 p T x 0.05 T, so T = sqrt(5 / p) = 22, 10, 7.
///
/// The sheet's one-minute maxima are 29, 14 and 9.5, without saying of what. They lie between the highest mean of a
/// second and the highest level of an instant, which is never below ten: five slots are left, and five are added.
///
/// Five seeds, ten minutes each after the first. Over 40 seeds the means were 21.96, 9.63 and 6.88 with standard
/// deviations of 1.2, 0.7 and 0.4 % for one seed; so 5 % of the round figures are nine, four and seventeen standard
/// errors away.
#[test]
fn esm_a50_errors_hold_concurrency_down() {
    for (failing, mean, maximum) in [(1, 22.0, 29.0), (5, 10.0, 14.0), (10, 7.0, 9.5)] {
        let mut minutes = Vec::new();
        for seed in 1..=5 {
            let scenario = crate::common::scenario(&format!(
                "duration: 11m
drain: 0s
seed: {seed}
functions: {{ f: {{ duration: 50ms, failures: [{{ probability: {failing}% }}] }} }}
queues: {{ q: {{}} }}
event_source_mappings: {{ m: {{ source: q, function: f, batch_size: 1, maximum_concurrency: 60 }} }}
callers: {{ c: {{ target: q, arrivals: {{ burst: {{ size: 400000 }} }} }} }}"
            ));
            let observer = Concurrency { running: 0, since: SimTime::ZERO, seconds: Vec::new() };
            minutes.extend(run::simulate(&scenario, observer, |_| true).unwrap().observer.minutes());
        }
        let [means, of_seconds, highest] =
            [0, 1, 2].map(|figure| minutes.iter().map(|minute| minute[figure]).sum::<f64>() / minutes.len() as f64);
        near(&format!("{failing} %"), means, mean, 0.05 * mean);
        assert!(of_seconds < maximum && maximum < highest, "{failing} %: {of_seconds} {highest}");
    }
}

/// ESM-A46: the advised visibility time-out is six times the function's time-out, and the window: 200 s for 30 and 20 s,
/// 5,400 s for 15 min. The report says so if it is a millisecond less.
#[test]
fn esm_a46_advised_visibility_is_told() {
    for (timeout, window, visibility, is_told) in [
        ("30s", "20s", "200s", false),
        ("30s", "20s", "199.999s", true),
        ("900s", "0s", "5400s", false),
        ("900s", "0s", "5399.999s", true),
    ] {
        let scenario = crate::common::scenario(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 1s, timeout: {timeout} }} }}
queues: {{ q: {{ visibility_timeout: {visibility} }} }}
event_source_mappings: {{ m: {{ source: q, function: f, maximum_batching_window: {window} }} }}
callers: {{ c: {{ target: q, arrivals: {{ at: [0s] }} }} }}"
        ));
        let advice = run::run(&scenario).unwrap().advice;
        let told = advice.iter().any(|advice| advice.check == Check::VisibilityBelowSixTimeouts);
        assert_eq!(told, is_told, "{timeout} {window} {visibility}");
    }
}

/// ESM-1.2.9: each mapping grows by itself, also two of one queue: twice 5, 10, 15.
#[test]
fn esm_1_2_9_each_mapping_grows() {
    let story = |queues: &str, second: &str| {
        Story::of(&Facts::of(&format!(
            "duration: 1s
drain: 3s
functions: {{ f: {{ duration: 1m, timeout: 2m }} }}
queues: {{ {queues} }}
event_source_mappings:
  m: {{ source: q, function: f, batch_size: 1 }}
  n: {{ source: {second}, function: f, batch_size: 1 }}
callers:
  a: {{ target: q, arrivals: {{ burst: {{ size: 1000 }} }} }}
  b: {{ target: {second}, arrivals: {{ burst: {{ size: 1000 }} }} }}"
        )))
    };
    let visible = "visibility_timeout: 12h";
    for (queues, second) in
        [(format!("q: {{ {visible} }}, r: {{ {visible} }}"), "r"), (format!("q: {{ {visible} }}"), "q")]
    {
        let reached = story(&queues, second).reached;
        let levels = [(10, 0.0), (20, 1.0), (30, 2.0), (40, 3.0)];
        assert!(levels.iter().all(|(level, at)| reached.get(level) == Some(at)), "{second}: {reached:?}");
    }
}

/// ESM-1.2.10: growth does not depend on how many messages wait. ESM-1.10.6, S23: a FIFO queue is polled as a standard
/// one. ESM-1.2.8: new environments are limited as for any invocation; what is above is throttled.
#[test]
fn esm_1_2_10_growth_does_not_depend_on_the_backlog() {
    let case = |queue, messages, more| Case {
        queue,
        function: "duration: 15m, timeout: 15m",
        mapping: "batch_size: 1",
        arrivals: burst(messages),
        more,
        ..Case::default()
    };
    let levels = [(5, 0.0), (10, 1.0), (15, 2.0), (20, 3.0)];
    for (queue, messages) in [
        ("visibility_timeout: 12h", 40),
        ("visibility_timeout: 12h", 40_000),
        ("type: fifo, visibility_timeout: 12h, fifo_throughput: unlimited", 300),
    ] {
        let story = case(queue, messages, "drain: 3s").story();
        assert!(story.reached.iter().filter(|(level, _)| *level % 5 == 0).map(|(a, b)| (*a, *b)).eq(levels), "{queue}");
        assert_eq!((story.peak, story.throttles), (20, 0));
    }
    let more = "drain: 3s\naccount: { scaling: { environments: 7, every: 1h } }";
    let story = case("visibility_timeout: 12h", 40, more).story();
    assert_eq!((story.peak, story.reached.get(&7)), (7, Some(&1.0)));
    // Three are refused at 1 s. Those are tried again at 2 and 4 s, and lower the number once each.
    assert!(story.throttles > 3, "{}", story.throttles);
}

/// ESM-1.8.3: maximum concurrency sets nothing aside: where others take the account's, the mapping is throttled.
#[test]
fn esm_1_8_3_maximum_concurrency_reserves_nothing() {
    let summary = simulate(
        "duration: 10s
account: { concurrency_limit: 10 }
functions: { f: { duration: 1s }, g: { duration: 1m, timeout: 2m } }
queues: { q: {} }
event_source_mappings: { m: { source: q, function: f, batch_size: 1, maximum_concurrency: 5 } }
callers:
  others: { target: g, arrivals: { burst: { size: 10 } }, client: { timeout: 2m } }
  c: { target: q, arrivals: { at: [1s] } }",
    );
    check(
        "the account is full",
        &summary,
        &[("functions.g.throttles", 0.0), ("event_source_mappings.m.invocations", 1.0)],
    );
    // At 1 s and 1, 3, 7, 15 s later; then the message comes back.
    assert!(number(&summary, "event_source_mappings.m.throttles") > 5.0);
}

/// ESM-1.8.4: the advice that maximum concurrency, over all mappings of a function, is at most what is reserved for it.
#[test]
fn esm_1_8_4_advice_on_maximum_concurrency() {
    let advice = |reserved: &str, limits: [&str; 2]| {
        let [first, second] = limits;
        let scenario = crate::common::scenario(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 1s {reserved} }} }}
queues: {{ q: {{}}, r: {{}} }}
event_source_mappings:
  m: {{ source: q, function: f {first} }}
  n: {{ source: r, function: f {second} }}
callers: {{ c: {{ target: q, arrivals: {{ at: [0s] }} }} }}"
        ));
        let advice = run::run(&scenario).unwrap().advice;
        advice.into_iter().find(|advice| advice.check == Check::MaximumAboveReserved)
    };
    let (fifty, sixty) = (", maximum_concurrency: 50", ", maximum_concurrency: 60");
    for (reserved, limits, sum) in [
        (", reserved_concurrency: 100", [fifty, fifty], None),
        (", reserved_concurrency: 100", [fifty, sixty], Some(110)),
        (", reserved_concurrency: 49", [fifty, ""], Some(50)),
        ("", [fifty, sixty], None),
        (", reserved_concurrency: 10", ["", ""], None),
    ] {
        let found = advice(reserved, limits);
        let said = found.map(|finding| finding.message);
        let expected = sum.map(|maximum| {
            let units = reserved.rsplit(' ').next().unwrap();
            format!(
                "the mappings of `f` may send {maximum} batches at once, and {units} units of concurrency are reserved for it"
            )
        });
        assert_eq!(said, expected, "{reserved} {limits:?}");
    }
}

/// ESM-1.8.5: with a maximum concurrency the step down to two pollers is not taken: 15 empty receives a minute and not 6.
#[test]
fn esm_1_8_5_no_step_to_two_pollers() {
    for (mapping, a_day) in [
        ("pollers: { floor: 2, floor_after: 0s }", 8_640.0),
        ("pollers: { floor: 2, floor_after: 0s }, maximum_concurrency: 50", 21_600.0),
        ("pollers: { floor: 2, floor_after: 0s }, maximum_concurrency: 3", 12_960.0),
    ] {
        let story = Case { mapping, arrivals: "at: []".into(), duration: "1d", ..Case::default() }.story();
        near(mapping, story.empty_polls as f64, a_day, 30.0);
    }
}

/// ESM-S21: a maximum concurrency that is lowered ends nothing, and no batch begins until there are fewer.
#[test]
fn esm_s21_a_lower_maximum_concurrency() {
    let case = Case {
        queue: "visibility_timeout: 1m",
        function: "duration: 10s, timeout: 20s",
        mapping: "batch_size: 1, maximum_concurrency: 20, pollers: { initial: 20 }",
        arrivals: burst(60),
        more: "changes: [{ at: 5s, set: { event_source_mappings.m.maximum_concurrency: 8 } }]",
        ..Case::default()
    };
    let story = case.story();
    let at = |second: f64| story.starts.iter().filter(|(at, _)| same(*at, second)).count();
    assert_eq!([0.0, 10.0, 20.0, 30.0, 40.0, 50.0].map(at), [20, 8, 8, 8, 8, 8]);
    assert_eq!((story.deleted.len(), story.throttles), (60, 0));
}

/// ESM-1.9.1, S26, 1.9.8: a provisioned poller has ten batches in work, makes ten receives a second, and takes 1 MB a
/// second; a second's worth at once. Two of them.
#[test]
fn esm_1_9_1_what_a_provisioned_poller_takes() {
    let run = |batch: &str, function, caller, messages| {
        let mapping = format!("{batch}, provisioned_pollers: {{ minimum: 2, maximum: 2 }}");
        let yaml = format!(
            "duration: 1s
account: {{ scaling: off, request_rate_limit: off }}
functions: {{ f: {{ {function} }} }}
queues: {{ q: {{ visibility_timeout: 5m }} }}
event_source_mappings: {{ m: {{ source: q, function: f, {mapping} }} }}
callers: {{ c: {{ target: q, arrivals: {{ burst: {{ size: {messages} }} }}, {caller} }} }}"
        );
        let summary = simulate(&yaml);
        check(batch, &summary, &[("event_source_mappings.m.pollers.max", 2.0)]);
        (Story::of(&Facts::of(&yaml)), summary)
    };
    let by = |story: &Story, second: f64| story.received.iter().filter(|(at, _)| *at <= second).count();
    // Twenty batches at once, whatever their size.
    let (story, summary) = run("batch_size: 1", "duration: 1m, timeout: 2m", "", 100);
    assert_eq!((story.peak, by(&story, 59.0)), (20, 20));
    check("batches", &summary, &[("event_source_mappings.m.concurrent_invocations.max", 20.0)]);
    // Receives: 20 at once, then 20 a second.
    let (story, _) = run("batch_size: 1", "duration: 1ms", "", 500);
    assert_eq!([0.99, 10.99, 20.0].map(|second| by(&story, second)), [39, 239, 420]);
    // Bytes: 2 MB at once, and what goes beyond by the last receive; then 2 MB/s: 5 messages of 400 kB a second.
    let (story, _) = run("batch_size: 1", "duration: 1ms", "payload: 400KB", 105);
    let at = |second: f64| by(&story, second) as f64;
    near("bytes", (at(15.0) - at(5.0)) / 10.0, 5.0, 0.11);
}

/// ESM-C3: from a complete batch to its invocation no time passes, or so much.
#[test]
fn esm_c3_invoke_overhead() {
    for (mapping, more, start) in
        [("", "", 0.0), ("invoke_overhead: 250ms", "", 0.25), ("enable_delay: 0s", "model: { timing: typical }", 0.01)]
    {
        let story = Case { mapping, more, ..Case::default() }.story();
        assert_eq!(story.received, [(0.0, 1)]);
        // In typical timing an environment has to be started, too; that is part of the run.
        assert_eq!(story.start_times(), [start], "{mapping} {more}");
    }
}

/// ESM-C9: no batch runs twice without a cause, or as many as the scenario says. Nobody waits for the second run: the
/// messages are deleted once.
#[test]
fn esm_c9_duplicates_without_a_cause() {
    for (mapping, runs) in [("", 100), ("spurious_duplicate_probability: 100%", 200)] {
        let case = Case { mapping, arrivals: burst(1_000), ..Case::default() };
        let story = case.story();
        assert_eq!((story.starts.len(), story.deleted.len(), story.received.len()), (runs, 1_000, 1_000), "{mapping}");
    }
}

/// ESM-1.12.4: two mappings of one queue with different filters: what does not match where it was received is deleted,
/// though the other one would want it. ESM-6.4.8: it causes no invocation; its receive and its delete are paid.
#[test]
fn esm_1_12_4_two_filters_on_one_queue() {
    let summary = simulate(
        "duration: 1s
functions: { f: { duration: 1s }, g: { duration: 1s } }
queues: { q: {} }
event_source_mappings:
  m: { source: q, function: f, filter: 50% }
  n: { source: q, function: g, filter: 50% }
callers: { c: { target: q, arrivals: { burst: { size: 10000 } } } }",
    );
    let of = |key: &str| ["m", "n"].map(|m| number(&summary, &format!("event_source_mappings.{m}.{key}")));
    let [invoked, filtered] = ["invoked_events", "filtered_out_events"].map(|key| of(key).iter().sum::<f64>());
    assert!(same(invoked + filtered, 10_000.0) && of("polled_events").iter().all(|polled| *polled > 1_000.0));
    // Half of each is lost for both. Binomial: five standard deviations of 50.
    near("invoked", invoked, 5_000.0, 250.0);
    let receives: f64 = of("polls").iter().sum();
    let deletes = (1..=10).map(|_| 0.0).sum::<f64>();
    assert!(number(&summary, "queues.q.requests") > 10_000.0 + receives + deletes);
    check("all are gone", &summary, &[("queues.q.deleted", 10_000.0), ("conservation.queues.q.left", 0.0)]);
    let nothing = Case { mapping: "filter: 0%", more: "drain: 10s", ..Case::default() }.summary();
    let empty = number(&nothing, "queues.q.empty_receives");
    // One send, one receive, one delete.
    check("0 %", &nothing, &[("functions.f.invocations", 0.0), ("queues.q.requests", 3.0 + empty)]);
}

/// ESM-6.2.1: a batch is a synchronous invocation: what is set for asynchronous ones has no part in it. 6.2.2: nobody
/// waits for extensions.
#[test]
fn esm_6_2_1_batches_are_synchronous_invocations() {
    let summary = simulate(
        "duration: 1s
functions:
  f:
    duration: 1s
    extension_tail: 5s
    failures: [{ first_attempts: 1 }]
    async: { dead_letter_queue: dead, on_failure: records, on_success: records, maximum_retry_attempts: 2 }
queues: { q: { visibility_timeout: 90s }, dead: {}, records: {} }
event_source_mappings: { m: { source: q, function: f } }
callers: { c: { target: q, arrivals: { at: [0s] } } }",
    );
    check(
        "a failure and a success",
        &summary,
        &[
            ("functions.f.async_events_received", 0.0),
            ("functions.f.invocations", 2.0),
            ("functions.f.dead_letters", 0.0),
            ("functions.f.destination_deliveries.on_failure", 0.0),
            ("functions.f.destination_deliveries.on_success", 0.0),
            ("queues.dead.sent", 0.0),
            ("queues.records.sent", 0.0),
            // Again at 90 s by the queue alone, and deleted when the handler has answered, not when extensions end.
            ("queues.q.time_to_delete_ms.max", 91_000.0),
            ("functions.f.concurrent_executions.last", 0.0),
        ],
    );
}

/// ESM-6.2.4, C2: mappings that share concurrency get it as they ask; of polls that return at one instant that of the
/// first queue in the scenario goes first. 6.2.5:
/// provisioned concurrency serves first. 1.4.11: a batch is one unit of concurrency, however large.
#[test]
fn esm_6_2_4_shared_concurrency() {
    let yaml = |f: &str| {
        format!(
            "duration: 1s
functions: {{ f: {{ duration: 10s, timeout: 20s, {f} }} }}
queues: {{ q: {{ visibility_timeout: 2m }}, r: {{ visibility_timeout: 2m }} }}
event_source_mappings:
  m: {{ source: r, function: f }}
  n: {{ source: q, function: f }}
callers:
  first: {{ target: q, arrivals: {{ burst: {{ size: 10 }} }} }}
  second: {{ target: r, arrivals: {{ burst: {{ size: 10 }} }} }}"
        )
    };
    let facts = Facts::of(&yaml("reserved_concurrency: 1"));
    let runs = facts.pick(|now, fact| match fact {
        Fact::Mapping(MappingFact::BatchInvoked { origin, records, .. }) => {
            Some((now / 1e3, format!("{:?}", origin.caller), *records))
        }
        _ => None,
    });
    // The other one asks at 0, 1, 3, 7 and 15 s.
    assert_eq!(runs, [(0.0, "CallerId(1)".to_owned(), 10), (15.0, "CallerId(2)".to_owned(), 10)]);
    assert_eq!(Story::of(&facts).peak, 1);
    let facts = Facts::of(&yaml("provisioned_concurrency: 1"));
    let capacity = facts.pick(|_, fact| match fact {
        Fact::RunStarted { capacity, .. } => Some(*capacity),
        _ => None,
    });
    assert_eq!(capacity, [Capacity::Provisioned, Capacity::Spillover]);
}

/// ESM-1.4.2, 1.4.3, 1.4.8: an error, a time-out, a crash or an answer that cannot be read: nothing is deleted, and all
/// ten messages come back at their visibility time-out. 1.4.7: an empty list of failures is a success.
#[test]
fn esm_1_4_3_what_a_failure_is() {
    for (function, reports, again) in [
        ("duration: 1s, failures: [{ events: [4], first_attempts: 1 }]", false, 10),
        ("duration: 1s, failures: [{ events: [4], first_attempts: 1 }]", true, 1),
        ("duration: 1s, failures: [{ events: [4], first_attempts: 1, kind: timeout }]", true, 10),
        ("duration: 1s, failures: [{ events: [4], first_attempts: 1, kind: crash }]", true, 10),
        ("duration: 1s, failures: [{ events: [4], first_attempts: 1, kind: bad_batch_response }]", true, 10),
        ("duration: 4s", true, 10),
        ("duration: 1s", true, 0),
        ("duration: 1s", false, 0),
    ] {
        let mapping = if reports { "report_batch_item_failures: true" } else { "" };
        let (arrivals, more) = (burst(10), "drain: 32s");
        let story = Case { function, mapping, arrivals, more, ..Case::default() }.story();
        let sizes = if again == 0 { vec![10] } else { vec![10, again] };
        assert_eq!(story.sizes, sizes, "{function} {mapping}");
        assert!(story.starts[1..].iter().all(|(at, _)| same(*at, 30.0)), "{function}");
    }
}

/// ESM-1.10.7, S29: on a FIFO queue a batch that fails as a whole holds all its groups until the visibility time-out;
/// messages that failed come before new ones of their group, here `late1`. 1.10.8: with partial failures the function stops at the
/// first failure and names it and all that follow. Sent: 1 a, 2 b, 3 a, 4 c; the first run of 3 fails.
#[test]
fn esm_1_10_7_failures_on_a_fifo_queue() {
    let report = "report_batch_item_failures: true";
    let single = "report_batch_item_failures: true, fifo_single_group_batches: true";
    for (mapping, deleted) in [
        ("", [(31.0, "c1"), (31.0, "c3"), (31.0, "late1"), (31.0, "c2"), (31.0, "c4")]),
        (report, [(1.0, "c1"), (31.0, "c2"), (31.0, "c3"), (31.0, "late1"), (31.0, "c4")]),
        (single, [(1.0, "c1"), (1.0, "c2"), (1.0, "c4"), (31.0, "c3"), (31.0, "late1")]),
    ] {
        let facts = Facts::of(&format!(
            "duration: 10s
functions: {{ f: {{ duration: 1s, failures: [{{ events: [c#3], first_attempts: 1 }}] }} }}
queues: {{ q: {{ type: fifo }} }}
event_source_mappings: {{ m: {{ source: q, function: f, {mapping} }} }}
callers:
  c: {{ target: q, keys: {{ list: [a, b, a, c] }}, arrivals: {{ burst: {{ size: 4 }} }} }}
  late: {{ target: q, keys: {{ constant: a }}, arrivals: {{ at: [5s] }} }}"
        ));
        let found = facts.pick(|now, fact| match fact {
            Fact::Message(MessageFact::Deleted { origin, .. }) => {
                let caller = ["c", "late"][origin.caller.index()];
                Some((now / 1e3, format!("{caller}{}", origin.submission)))
            }
            _ => None,
        });
        assert!(found.iter().map(|(at, name)| (*at, &**name)).eq(deleted), "{mapping}: {found:?}");
    }
}

/// Pollers after each change, in seconds.
fn pollers(facts: &Facts) -> Vec<(f64, u32)> {
    facts.pick(|now, fact| match fact {
        Fact::Mapping(MappingFact::Pollers { pollers, .. }) => Some((now / 1e3, *pollers)),
        _ => None,
    })
}

/// ESM-1.6.3, S6: a throttled batch lowers the number of pollers by 5 %, once, at its first refusal. 1.6.5: it comes
/// back as it grows.
#[test]
fn esm_1_6_3_throttles_lower_the_pollers() {
    let case = |messages| Case {
        queue: "visibility_timeout: 12h",
        function: "duration: 15m, timeout: 15m, reserved_concurrency: 100",
        mapping: "batch_size: 1, pollers: { initial: 5, maximum: 101 }",
        arrivals: burst(messages),
        more: "drain: 30s",
        ..Case::default()
    };
    // The 101st batch is refused at 20 s, and again at 21, 23 and 27 s.
    let facts = case(101).facts();
    let refused = facts.pick(|now, fact| matches!(fact, Fact::Throttled { .. }).then_some(now / 1e3));
    assert_eq!(refused, [20.0, 21.0, 23.0, 27.0]);
    let numbers: Vec<u32> = pollers(&facts).into_iter().map(|(_, number)| number).collect();
    assert_eq!((numbers.iter().max(), numbers.last()), (Some(&101), Some(&95)));
    // While messages wait and nobody is idle, it grows again.
    let facts = case(200).facts();
    assert!(pollers(&facts).windows(2).any(|pair| pair[0].1 < pair[1].1 && pair[0].0 > 20.0));
}

/// ESM-6.1.3, C1: a mapping polls from the start or later. 6.1.4, C7: an update stops the polling for a time, of SQS by
/// default not at all. 6.1.5, C5: one that is disabled receives nothing more, and its batches end as they would.
#[test]
fn esm_6_1_states_of_a_mapping() {
    let set = |at: &str, key: &str, to: &str| format!("{{ at: {at}, set: {{ event_source_mappings.m.{key}: {to} }} }}");
    let update = set("12s", "batch_size", "5");
    let off_and_on = format!("{}, {}", set("12s", "enabled", "false"), set("40s", "enabled", "true"));
    for (mapping, timing, changes, starts) in [
        ("", "ideal", "", [0.0, 10.0, 20.0, 30.0]),
        ("enable_delay: 15s", "ideal", "", [15.0, 15.0, 20.0, 30.0]),
        ("invoke_overhead: 0s", "typical", "", [30.0, 30.0, 30.0, 30.0]),
        ("", "ideal", &*update, [0.0, 10.0, 20.0, 30.0]),
        ("update_pause: 15s", "ideal", &*update, [0.0, 10.0, 27.0, 30.0]),
        ("", "ideal", &*off_and_on, [0.0, 10.0, 40.0, 40.0]),
        ("enable_delay: 1s", "ideal", &*off_and_on, [1.0, 10.0, 41.0, 41.0]),
    ] {
        let story = Story::of(&Facts::of(&format!(
            "duration: 1m
model: {{ timing: {timing} }}
functions: {{ f: {{ duration: 5s, timeout: 10s }} }}
queues: {{ q: {{}} }}
event_source_mappings: {{ m: {{ source: q, function: f, batch_size: 1, {mapping} }} }}
callers: {{ c: {{ target: q, arrivals: {{ at: [0s, 10s, 20s, 30s] }} }} }}
changes: [{changes}]"
        )));
        assert_eq!(story.start_times(), starts, "{mapping} {timing} {changes}");
        // The run that is under way at 12 s ends at 15 s.
        assert_eq!(story.deleted.len(), 4);
        let mut late = story.deleted.iter().zip(starts).map(|((at, _), start)| at - start - 5.0);
        // In typical timing an environment starts first, which takes 100 ms.
        assert!(late.all(|late| (0.0..0.101).contains(&(late + 1e-9))), "{:?}", story.deleted);
    }
}

/// ESM-6.5.1 to 6.5.4, 6.5.7: what a mapping counts: 20 messages of which one fails once, with and without its report.
#[test]
fn esm_6_5_events_of_a_mapping() {
    for (mapping, failed, failed_events, invoked) in
        [("batch_size: 5", 1.0, 5.0, 25.0), ("batch_size: 5, report_batch_item_failures: true", 0.0, 1.0, 21.0)]
    {
        let case = Case {
            function: "duration: 1s, failures: [{ events: [7], first_attempts: 1 }]",
            mapping,
            arrivals: burst(20),
            ..Case::default()
        };
        check(
            mapping,
            &case.summary(),
            &[
                ("event_source_mappings.m.polled_events", invoked),
                ("event_source_mappings.m.invoked_events", invoked),
                ("event_source_mappings.m.filtered_out_events", 0.0),
                ("event_source_mappings.m.failed_invocations", failed),
                ("event_source_mappings.m.failed_invoke_events", failed_events),
                ("event_source_mappings.m.deleted_events", 20.0),
                ("functions.f.errors", failed),
            ],
        );
    }
}
