//! Asynchronous invocation: the internal queue (INV-5.1, 5.2), the ends of events (INV-5.4 to 5.7), vectors V19 to V29.

use lambdasim::aws::config::Target;
use lambdasim::aws::fact::{Condition, DeliveryError, DeliveryKind, Fact, Response, ReturnCause, RunOutcome};
use lambdasim::aws::ids::{FunctionId, Id};

use crate::common::{Facts, ms, same};

/// What happened to one function's events, in seconds.
#[derive(Debug, Default, PartialEq)]
struct Story {
    dispatches: Vec<f64>,
    runs: Vec<f64>,
    throttles: Vec<f64>,
    /// When, how, and after how many runs.
    ends: Vec<(f64, Condition, u32)>,
}

impl Story {
    fn of(facts: &Facts, index: usize) -> Self {
        let mut story = Self::default();
        let of = FunctionId::from_index(index);
        for (now, fact) in &facts.list {
            let at = ms(*now) / 1e3;
            match *fact {
                Fact::EventDispatched { function, .. } if function == of => story.dispatches.push(at),
                Fact::RunStarted { function, .. } if function == of => story.runs.push(at),
                Fact::Throttled { function, .. } if function == of => story.throttles.push(at),
                Fact::EventEnded { function, condition, runs, .. } if function == of => {
                    story.ends.push((at, condition, runs));
                }
                _ => {}
            }
        }
        story
    }
}

/// One event at 0 for a function with these settings.
fn one_event(function: &str, more: &str) -> Facts {
    Facts::of(&format!(
        "duration: 1s
functions: {{ f: {{ {function} }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ at: [0s] }} }} }}
{more}"
    ))
}

const FAILS: &str = "failures: [{ probability: 100% }]";

/// Another function holds the only unit of concurrency from 0 on; `until` it is released.
fn without_concurrency(settings: &str, changes: &str) -> Facts {
    Facts::of(&format!(
        "duration: 1s
functions:
  f: {{ duration: 0s, timeout: 15m, reserved_concurrency: 1, async: {{ {settings} }} }}
callers:
  # A synchronous call of 15 minutes, again and again, holds the unit.
  holder: {{ target: f, arrivals: {{ at: [0s] }}, client: {{ retry: none, timeout: unlimited }} }}
  c: {{ target: f, invocation: async, arrivals: {{ at: [0s] }} }}
{changes}"
    ))
}

/// The dispatches of an event that is throttled each time, within `age` seconds: 0, 1, 3, 7, .. then every 300 s
/// (INV-Q9: waits of 1 s, doubled up to 300 s).
fn throttled_dispatches(age: u64) -> Vec<f64> {
    let (mut at, mut wait, mut times) = (0, 1, Vec::new());
    while at < age {
        times.push(at as f64);
        at += wait;
        wait = (wait * 2).min(300);
    }
    times
}

/// Name, settings of the function, moments of the dispatches, and the end.
type Row = (&'static str, String, &'static [f64], (f64, Condition, u32));

/// INV-V19 to V23, V28: what follows from how long runs take and how they end.
#[test]
fn v19_to_v23_and_v28_attempts_and_ends() {
    use Condition::{EventAgeExceeded, RetriesExhausted, Success};
    let rows: &[Row] = &[
        ("V19", format!("duration: 0s, {FAILS}"), &[0.0, 60.0, 180.0], (180.0, RetriesExhausted, 3)),
        ("V20", format!("duration: 2s, {FAILS}"), &[0.0, 62.0, 184.0], (186.0, RetriesExhausted, 3)),
        (
            "V21 with 0",
            format!("duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 0 }}"),
            &[0.0],
            (0.0, RetriesExhausted, 1),
        ),
        (
            "V21 with 1",
            format!("duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 1 }}"),
            &[0.0, 60.0],
            (60.0, RetriesExhausted, 2),
        ),
        (
            "V22",
            format!("duration: 0s, {FAILS}, async: {{ maximum_event_age: 60s }}"),
            &[0.0],
            (0.0, EventAgeExceeded, 1),
        ),
        (
            "V22, just above",
            format!("duration: 0s, {FAILS}, async: {{ maximum_event_age: 60001ms }}"),
            &[0.0, 60.0],
            (60.0, EventAgeExceeded, 2),
        ),
        (
            "V23",
            format!("duration: 1s, {FAILS}, async: {{ maximum_event_age: 90s }}"),
            &[0.0, 61.0],
            (62.0, EventAgeExceeded, 2),
        ),
        (
            "V23, at the limit",
            format!("duration: 1s, {FAILS}, async: {{ maximum_event_age: 61s }}"),
            &[0.0],
            (1.0, EventAgeExceeded, 1),
        ),
        ("V28", "duration: 110s, timeout: 2m, async: { maximum_event_age: 60s }".into(), &[0.0], (110.0, Success, 1)),
        // A retry that succeeds: two runs, from Q7.
        ("after one error", "duration: 0s, failures: [{ first_attempts: 1 }]".into(), &[0.0, 60.0], (60.0, Success, 2)),
        // Exhausted goes before age (INV-Q13).
        (
            "Q13",
            format!("duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 0, maximum_event_age: 60s }}"),
            &[0.0],
            (0.0, RetriesExhausted, 1),
        ),
    ];
    for (name, settings, dispatches, end) in rows {
        let story = Story::of(&one_event(settings, ""), 0);
        assert_eq!(story.dispatches, *dispatches, "{name}");
        assert_eq!(story.runs, *dispatches, "{name}");
        assert_eq!(story.ends, [*end], "{name}");
    }
}

/// INV-V24: no concurrency and an age of 60 s: six throttled dispatches, and the end at once or at the deadline.
#[test]
fn v24_an_event_that_never_runs() {
    for (expiry, end) in [("lookahead", 31.0), ("at_deadline", 60.0)] {
        let facts = without_concurrency(
            &format!("maximum_event_age: 60s, expiry: {expiry}"),
            "changes: [{ at: 0s, set: { functions.f.duration: 15m } }]",
        );
        let story = Story::of(&facts, 0);
        assert_eq!(story.dispatches, [0.0, 1.0, 3.0, 7.0, 15.0, 31.0], "{expiry}");
        assert_eq!(story.throttles, story.dispatches, "{expiry}");
        assert_eq!(story.ends, [(end, Condition::EventAgeExceeded, 0)], "{expiry}");
    }
}

/// INV-V25: with AWS's age of six hours there are 80 dispatches. A fault stands for the concurrency that never comes.
#[test]
fn v25_six_hours_of_throttles() {
    let fault = "faults: [{ function: f, stage: dispatch, status: 429 }]";
    let story = Story::of(&one_event("duration: 0s", fault), 0);
    assert_eq!(story.dispatches.len(), 80);
    assert_eq!(story.dispatches, throttled_dispatches(21_600));
    assert_eq!(story.dispatches.last(), Some(&21_511.0));
    assert_eq!(story.ends, [(21_511.0, Condition::EventAgeExceeded, 0)]);
}

/// INV-V26: concurrency is free from 20 s on; the event runs at its next dispatch.
#[test]
fn v26_concurrency_comes_back() {
    let facts = without_concurrency("", "changes: [{ at: 0s, set: { functions.f.duration: 20s } }]");
    let story = Story::of(&facts, 0);
    assert_eq!(story.dispatches, [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]);
    // The first run is the call that holds the unit.
    assert_eq!(story.runs, [0.0, 31.0]);
    assert_eq!(story.ends, [(51.0, Condition::Success, 1)]);
}

/// INV-V27, O3: reserved concurrency 0: accepted, dropped at once, and told to both targets; a synchronous call is
/// throttled.
#[test]
fn v27_reserved_concurrency_zero() {
    let settings = "duration: 0s, reserved_concurrency: 0, async: { dead_letter_queue: dead, on_failure: failed }";
    let facts = one_event(settings, "queues: { dead: {}, failed: {} }");
    let story = Story::of(&facts, 0);
    let end = (0.0, Condition::ZeroReservedConcurrency, 0);
    assert_eq!(story, Story { ends: vec![end], ..Story::default() });
    let deliveries = facts.pick(|_, fact| match *fact {
        Fact::Delivered { record, to } => Some((record.kind, to, record.invoke_count, record.response)),
        _ => None,
    });
    let queue = |index| Target::Queue(Id::from_index(index));
    assert_eq!(
        deliveries,
        [
            (DeliveryKind::DeadLetterQueue, queue(0), 0, Response::None),
            (DeliveryKind::OnFailure, queue(1), 0, Response::None)
        ]
    );
    let sync = Facts::of(
        "duration: 1s
functions: { f: { duration: 0s, reserved_concurrency: 0 } }
callers: { c: { target: f, arrivals: { at: [0s] }, client: { retry: none } } }",
    );
    assert_eq!(Story::of(&sync, 0).throttles, [0.0]);
}

/// INV-D25: events that wait when the reserved concurrency becomes 0 are dropped at their next dispatch; an event that
/// runs then is not tried again (INV-Q13).
#[test]
fn d25_a_kill_switch_meets_waiting_events_at_their_next_dispatch() {
    let switch = "changes: [{ at: 30s, set: { functions.f.reserved_concurrency: 0 } }]";
    let story = Story::of(&one_event(&format!("duration: 0s, {FAILS}"), switch), 0);
    assert_eq!(story.runs, [0.0]);
    assert_eq!(story.ends, [(60.0, Condition::ZeroReservedConcurrency, 1)]);
    let story = Story::of(&one_event(&format!("duration: 40s, timeout: 1m, {FAILS}"), switch), 0);
    assert_eq!(story.ends, [(40.0, Condition::ZeroReservedConcurrency, 1)]);
}

/// INV-V29: a function that is its own destination runs 16 times; the 17th event is dropped. Allowed, it goes on.
#[test]
fn v29_recursion_is_stopped_after_sixteen_runs() {
    let story = Story::of(&one_event("duration: 1s, async: { on_success: f }", ""), 0);
    assert_eq!(story.runs, (0..16).map(f64::from).collect::<Vec<_>>());
    assert_eq!(story.ends.last(), Some(&(16.0, Condition::RecursiveInvocation, 0)));
    assert_eq!(story.ends.len(), 17);
    let more = "drain: 99s";
    let story = Story::of(&one_event("duration: 1s, recursive_loop: allow, async: { on_success: f }", more), 0);
    assert_eq!(story.runs.len(), 100);
}

/// INV-5.7: two functions that are each other's destination run 16 times each; what a loop drops goes to the
/// destination that is not in it.
#[test]
fn inv_5_7_a_loop_over_two_functions() {
    let facts = Facts::of(
        "duration: 1s
functions:
  a: { duration: 1s, async: { on_success: b, on_failure: dead } }
  b: { duration: 1s, async: { on_success: a } }
queues: { dead: {} }
callers: { c: { target: a, invocation: async, arrivals: { at: [0s] } } }",
    );
    let (a, b) = (Story::of(&facts, 0), Story::of(&facts, 1));
    assert_eq!((a.runs.len(), b.runs.len()), (16, 16));
    assert_eq!(a.ends.last(), Some(&(32.0, Condition::RecursiveInvocation, 0)));
    let records = facts.pick(|_, fact| match *fact {
        Fact::Delivered { record, to: Target::Queue(_) } => Some((record.condition, record.response)),
        _ => None,
    });
    assert_eq!(records, [(Condition::RecursiveInvocation, Response::Refused(400))]);
}

/// INV-5.7: what a loop drops may not go on in the loop by way of its own failure destination.
#[test]
fn inv_5_7_a_dropped_event_does_not_go_round() {
    let facts = one_event(&format!("duration: 1s, {FAILS}, async: {{ maximum_retry_attempts: 0, on_failure: f }}"), "");
    let story = Story::of(&facts, 0);
    assert_eq!(story.runs.len(), 16);
    let failed = facts.pick(|at, fact| match *fact {
        Fact::DeliveryFailed { error, .. } => Some((at / 1e3, error)),
        _ => None,
    });
    assert_eq!(failed, [(16.0, DeliveryError::RecursiveInvocation)]);
}

/// INV-Q10, D19: a run of the handler begins the back-off anew. Throttled at 0, 1 and 3, run at 7, failed at 7;
/// tried at 67 against a fault: the next waits are 1 and 2 s again.
#[test]
fn q10_a_run_resets_the_back_off() {
    let faults = "faults:
  - { function: f, stage: dispatch, status: 429, until: 5s }
  - { function: f, stage: dispatch, status: 500, from: 60s, until: 70s }";
    let story = Story::of(&one_event("duration: 0s, failures: [{ first_attempts: 1 }]", faults), 0);
    assert_eq!(story.dispatches, [0.0, 1.0, 3.0, 7.0, 67.0, 68.0, 70.0]);
    assert_eq!(story.runs, [7.0, 70.0]);
    assert_eq!(story.ends, [(70.0, Condition::Success, 2)]);
}

/// INV-Q9: throttles and service errors use up no attempt, whatever the maximum of attempts.
#[test]
fn q9_refusals_use_up_no_attempt() {
    let fault = "faults: [{ function: f, stage: dispatch, status: 503, until: 100s }]";
    for attempts in 0..=2_u32 {
        let settings = format!("duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: {attempts} }}");
        let story = Story::of(&one_event(&settings, fault), 0);
        // 0, 1, 3, 7, 15, 31, 63 are refused; 127 runs, and so do those 60 and 120 s later.
        let runs = [127.0, 187.0, 307.0];
        assert_eq!(story.runs, runs[..=attempts as usize], "{attempts}");
        assert_eq!(story.ends, [(runs[attempts as usize], Condition::RetriesExhausted, attempts + 1)]);
    }
}

/// INV-Q11, Q12: the age of AWS's limits, just below, at and above a dispatch. Refused at 0, 1, 3, .., the dispatches
/// are those of INV-V25; the end comes with the last one whose next would be due at or after the deadline.
#[test]
fn q12_the_boundary_of_the_age() {
    let fault = "faults: [{ function: f, stage: dispatch, status: 429 }]";
    for (age_ms, last) in [
        (60_000, 31.0),
        (62_999, 31.0),
        (63_000, 31.0),
        (63_001, 63.0),
        (21_511_000, 21_211.0),
        (21_511_001, 21_511.0),
        (21_600_000, 21_511.0),
    ] {
        let settings = format!("duration: 0s, async: {{ maximum_event_age: {age_ms}ms }}");
        let story = Story::of(&one_event(&settings, fault), 0);
        assert_eq!(story.dispatches.last(), Some(&last), "{age_ms}");
        assert_eq!(story.ends, [(last, Condition::EventAgeExceeded, 0)], "{age_ms}");
        let settings = format!("duration: 0s, async: {{ maximum_event_age: {age_ms}ms, expiry: at_deadline }}");
        let story = Story::of(&one_event(&settings, fault), 0);
        assert_eq!(story.ends, [(f64::from(age_ms) / 1e3, Condition::EventAgeExceeded, 0)], "{age_ms}");
    }
}

/// INV-D17: the waits count from the end of the run, or from its start; never into the past.
#[test]
fn d17_waits_from_the_end_or_the_start() {
    for (from, duration, runs) in [
        ("end", "10s", [0.0, 70.0, 200.0]),
        ("start", "10s", [0.0, 60.0, 180.0]),
        ("start", "100s", [0.0, 100.0, 220.0]),
    ] {
        let settings = format!("duration: {duration}, timeout: 5m, {FAILS}, async: {{ retry_from: {from} }}");
        assert_eq!(Story::of(&one_event(&settings, ""), 0).runs, runs, "{from} {duration}");
    }
}

/// `retry_delays` and `backoff` replace AWS's waits; the last delay stands for those after it.
#[test]
fn waits_that_the_scenario_sets() {
    let settings = format!("duration: 0s, {FAILS}, async: {{ retry_delays: [5s] }}");
    assert_eq!(Story::of(&one_event(&settings, ""), 0).runs, [0.0, 5.0, 10.0]);
    let fault = "faults: [{ function: f, stage: dispatch, status: 429, until: 10s }]";
    let settings = "duration: 0s, async: { backoff: { base: 2s, factor: 3, cap: 5s } }";
    assert_eq!(Story::of(&one_event(settings, fault), 0).dispatches, [0.0, 2.0, 7.0, 12.0]);
}

/// INV-Q4: the first dispatch comes after the dispatch latency; the age counts from the acceptance.
#[test]
fn q4_dispatch_latency() {
    let facts = one_event("duration: 0s, async: { dispatch_latency: 50ms }", "");
    assert_eq!(Story::of(&facts, 0).dispatches, [0.05]);
    let ages = facts.pick(|now, fact| match *fact {
        Fact::EventDispatched { accepted, .. } => Some(now - ms(accepted)),
        _ => None,
    });
    assert_eq!(ages, [50.0]);
}

/// INV-Q17: with 11 events that wait besides, waits are 1 + 11 / 10 times as long; alone they are what they were.
#[test]
fn q17_back_pressure() {
    let dues = |events: usize| {
        let moments = vec!["0s"; events].join(", ");
        let facts = Facts::of(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 0s, {FAILS}, reserved_concurrency: 1, async: {{ maximum_retry_attempts: 1, backpressure: {{ per: 10 }} }} }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ at: [{moments}] }} }} }}
faults: [{{ function: f, stage: dispatch, status: 429, until: 500ms }}]",
        ));
        facts.pick(|_, fact| match *fact {
            Fact::EventReturned { cause: ReturnCause::Throttled, due, .. } => Some(ms(due)),
            _ => None,
        })
    };
    assert_eq!(dues(1), [1_000.0]);
    // The n-th refusal finds n - 1 others in the queue.
    assert_eq!(dues(12)[..12], (0..12).map(|others| 1_000.0 + f64::from(others) * 100.0).collect::<Vec<_>>());
}

/// Jitter lengthens every wait within its share, differently for each event, and the same in each run of the seed.
#[test]
fn jitter_on_every_wait() {
    let waits = || {
        let facts = Facts::of(&format!(
            "duration: 100s
functions: {{ f: {{ duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 1, retry_jitter: 50%, backoff: {{ jitter: 50% }} }} }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ constant: 1/s }} }} }}
faults: [{{ function: f, stage: dispatch, status: 429, probability: 50% }}]",
        ));
        facts.pick(|now, fact| match *fact {
            Fact::EventReturned { cause, due, .. } => Some((cause, ms(due) - now)),
            _ => None,
        })
    };
    let first = waits();
    let retries: Vec<f64> =
        first.iter().filter(|(cause, _)| *cause == ReturnCause::FunctionError).map(|(_, wait)| *wait).collect();
    assert_eq!(retries.len(), 100);
    assert!(retries.iter().all(|wait| (60_000.0..=90_000.0).contains(wait)));
    // Uniform on 30 s: the mean of 100 has a standard deviation of 0.87 s.
    let mean = retries.iter().sum::<f64>() / 100.0;
    assert!((mean - 75_000.0).abs() < 4_500.0, "{mean}");
    assert!(first.iter().any(|(cause, wait)| *cause == ReturnCause::Throttled && *wait > 1_000.0));
    assert_eq!(first, waits());
}

/// INV-D23: at most so many events of the function run at once; the others wait without being throttled, and go on in
/// the order in which they were accepted.
#[test]
fn d23_maximum_parallel_dispatch() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 10s, timeout: 1m, async: { maximum_parallel_dispatch: 2 } } }
callers: { c: { target: f, invocation: async, arrivals: { at: [0s, 0s, 0s, 0s, 0s] } } }",
    );
    let story = Story::of(&facts, 0);
    assert_eq!(story.runs, [0.0, 0.0, 10.0, 10.0, 20.0]);
    assert!(story.throttles.is_empty());
    let order: Vec<u64> = facts.runs().iter().map(|run| run.submission).collect();
    assert_eq!(order, [1, 2, 3, 4, 5]);
}

/// An event that waits for its turn and becomes too old meanwhile ends when its turn comes (INV-Q11).
#[test]
fn q11_too_old_when_its_turn_comes() {
    let facts = Facts::of(
        "duration: 1s
functions: { f: { duration: 60s, timeout: 2m, async: { maximum_parallel_dispatch: 1, maximum_event_age: 60s } } }
callers: { c: { target: f, invocation: async, arrivals: { at: [0s, 0s] } } }",
    );
    let ends = Story::of(&facts, 0).ends;
    assert_eq!(ends, [(60.0, Condition::Success, 1), (60.0, Condition::EventAgeExceeded, 0)]);
}

/// INV-D20: events that fall due together go in the order of their acceptance, whichever was scheduled first. The one
/// of 0 s is throttled and due at 1, 3, 7 .. s; the one of 2 s fails at once and is due 1 s later. Both are due at 3 s.
#[test]
fn d20_order_among_due_events() {
    let facts = Facts::of(
        "duration: 10s
functions: { f: { duration: 0s, failures: [{ events: [2], first_attempts: 1 }], async: { retry_delays: [1s] } } }
callers: { c: { target: f, invocation: async, arrivals: { at: [0s, 2s] } } }
faults: [{ function: f, stage: dispatch, status: 429, until: 1500ms }]",
    );
    let at_three = facts.pick(|now, fact| match *fact {
        Fact::EventDispatched { origin, .. } if same(now, 3_000.0) => Some(origin.submission),
        _ => None,
    });
    assert_eq!(at_three, [1, 2]);
}

/// INV-Q6: with probability 1 every run happens twice; the second decides nothing.
#[test]
fn q6_duplicates() {
    let facts = one_event(
        &format!("duration: 1s, {FAILS}, async: {{ duplicate_probability: 100%, on_failure: q }}"),
        "queues: { q: {} }",
    );
    let story = Story::of(&facts, 0);
    assert_eq!(story.runs, [0.0, 0.0, 61.0, 61.0, 182.0, 182.0]);
    assert_eq!(story.dispatches, [0.0, 61.0, 182.0]);
    assert_eq!(story.ends, [(183.0, Condition::RetriesExhausted, 3)]);
    let delivered = facts.pick(|_, fact| matches!(fact, Fact::Delivered { .. }).then_some(()));
    assert_eq!(delivered.len(), 1);
}

/// INV-O1, O2, O4, O5: what targets refuse for good, just at and above their limits. The record of a destination takes
/// the event, the response and 512 bytes; a dead-letter queue gets the event alone.
#[test]
fn o4_o5_targets_that_refuse() {
    let failure = |setting: &str, target: &str, payload: u64| {
        let facts = Facts::of(&format!(
            "duration: 1s
functions:
  f: {{ duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 0, {setting}: {target} }} }}
  g: {{ duration: 0s }}
queues: {{ standard: {{}}, small: {{ maximum_message_size: 1KiB }}, fifo: {{ type: fifo }} }}
topics: {{ topic: {{}} }}
event_buses: {{ bus: {{}} }}
buckets: {{ bucket: {{}} }}
callers: {{ c: {{ target: f, invocation: async, payload: {payload}B, arrivals: {{ at: [0s] }} }} }}"
        ));
        facts
            .pick(|_, fact| match *fact {
                Fact::Delivered { .. } => Some(None),
                Fact::DeliveryFailed { error, .. } => Some(Some(error)),
                _ => None,
            })
            .pop()
            .expect("one delivery")
    };
    let too_large = Some(DeliveryError::TooLarge);
    let rows = [
        ("dead_letter_queue", "standard", 1_048_576, None),
        ("dead_letter_queue", "small", 1_024, None),
        ("dead_letter_queue", "small", 1_025, too_large),
        ("dead_letter_queue", "topic", 262_144, None),
        ("dead_letter_queue", "topic", 262_145, too_large),
        ("dead_letter_queue", "fifo", 1, Some(DeliveryError::FifoQueue)),
        ("on_failure", "standard", 1_048_064, None),
        ("on_failure", "standard", 1_048_065, too_large),
        ("on_failure", "topic", 261_632, None),
        ("on_failure", "topic", 261_633, too_large),
        ("on_failure", "fifo", 1, Some(DeliveryError::FifoQueue)),
        ("on_failure", "g", 1_048_064, None),
        ("on_failure", "g", 1_048_065, too_large),
        ("on_failure", "bus", 1_048_064, None),
        ("on_failure", "bus", 1_048_065, too_large),
        ("on_failure", "bucket", 1_048_576, None),
    ];
    for (setting, target, payload, expected) in rows {
        assert_eq!(failure(setting, target, payload), expected, "{setting} {target} {payload}");
    }
}

/// INV-Q2: an event of more than 1 MiB is refused with 413 and never accepted.
#[test]
fn q2_the_largest_event() {
    for (bytes, status, accepted) in [(1_048_576, 202, 1), (1_048_577, 413, 0)] {
        let facts = Facts::of(&format!(
            "duration: 1s
functions: {{ f: {{ duration: 0s }} }}
callers: {{ c: {{ target: f, invocation: async, payload: {bytes}B, arrivals: {{ at: [0s] }} }} }}"
        ));
        let statuses = facts.pick(|_, fact| match *fact {
            Fact::AttemptAnswered { status, .. } => Some(status),
            _ => None,
        });
        assert_eq!(statuses, [status]);
        let events = facts.pick(|_, fact| matches!(fact, Fact::EventAccepted { .. }).then_some(()));
        assert_eq!(events.len(), accepted, "{bytes}");
    }
}

/// INV-T5: an Invoke API that fails refuses the event before it is accepted; the client tries again (INV-V17: 0.05 s
/// and 0.15 s after the first attempt at most).
#[test]
fn faults_before_acceptance_are_the_clients() {
    let facts = Facts::of(
        "duration: 10s
functions: { f: { duration: 0s } }
callers: { c: { target: f, invocation: async, arrivals: { at: [0s] }, client: { retry: { max_attempts: 3, base: 1s, jitter: none } } } }
faults: [{ function: f, status: 500, until: 2s }]",
    );
    assert_eq!(facts.attempt_times(0), [0.0, 1_000.0, 3_000.0]);
    assert_eq!(Story::of(&facts, 0).runs, [3.0]);
}

/// INV-O6: a function as destination is invoked asynchronously, with its own retries; its event is of the same
/// submission, is told apart by its branch, and is measured by the same moment.
#[test]
fn o6_a_function_as_destination() {
    let facts = Facts::of(&format!(
        "duration: 1s
functions:
  f: {{ duration: 1s, async: {{ on_success: g }} }}
  g: {{ duration: 0s, {FAILS} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ at: [0s] }} }} }}"
    ));
    assert_eq!(Story::of(&facts, 1).runs, [1.0, 61.0, 181.0]);
    let accepted = facts.pick(|now, fact| match *fact {
        Fact::EventAccepted { origin, parent, .. } => Some((now, origin.submission, origin.branch == 0, parent)),
        _ => None,
    });
    assert_eq!(accepted, [(0.0, 1, true, None), (1_000.0, 1, false, Some(0))]);
}

/// INV-D24: deliveries take their time and are tried again while a fault lasts; then they are lost.
#[test]
fn d24_deliveries_that_wait_and_try_again() {
    let deliveries = |until: &str| {
        let facts = one_event(
            &format!(
                "duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 0, on_failure: q, delivery: {{ delay: 2s, attempts: 3 }} }}"
            ),
            &format!("queues: {{ q: {{}} }}\nfaults: [{{ queue: q, status: 500, until: {until} }}]"),
        );
        facts.pick(|now, fact| match *fact {
            Fact::Delivered { .. } => Some((now / 1e3, "delivered")),
            Fact::DeliveryRetried { .. } => Some((now / 1e3, "retried")),
            Fact::DeliveryFailed { .. } => Some((now / 1e3, "failed")),
            _ => None,
        })
    };
    assert_eq!(deliveries("1s"), [(2.0, "delivered")]);
    assert_eq!(deliveries("3s"), [(2.0, "retried"), (4.0, "delivered")]);
    assert_eq!(deliveries("1h"), [(2.0, "retried"), (4.0, "retried"), (6.0, "failed")]);
}

/// INV-5.5: what the record says of the last answer.
#[test]
fn inv_5_5_what_records_say() {
    let record = |settings: &str, more: &str| {
        let facts = one_event(
            &format!("{settings}, async: {{ maximum_event_age: 61s, on_failure: q, on_success: q }}"),
            &format!("queues: {{ q: {{}} }}\n{more}"),
        );
        facts
            .pick(|_, fact| match *fact {
                Fact::Delivered { record, .. } => Some((record.condition, record.invoke_count, record.response)),
                _ => None,
            })
            .pop()
            .expect("one delivery")
    };
    let failed = |outcome| Response::FunctionError { outcome, error: None };
    let throttled = "faults: [{ function: f, stage: dispatch, status: 429 }]";
    let errors = "faults: [{ function: f, stage: dispatch, status: 503 }]";
    let rows = [
        ("duration: 0s", "", (Condition::Success, 1, Response::Success(1_000))),
        (
            "duration: 0s, response: 7B, failures: [{ first_attempts: 1 }]",
            "",
            (Condition::Success, 1, Response::Success(7)),
        ),
        (
            "duration: 1s, failures: [{ probability: 100% }]",
            "",
            (Condition::EventAgeExceeded, 1, failed(RunOutcome::Error)),
        ),
        ("duration: 5s", "", (Condition::EventAgeExceeded, 1, failed(RunOutcome::Timeout))),
        ("duration: 0s", throttled, (Condition::EventAgeExceeded, 0, Response::Refused(429))),
        ("duration: 0s", errors, (Condition::EventAgeExceeded, 0, Response::Refused(503))),
    ];
    for (settings, more, expected) in rows {
        assert_eq!(record(settings, more), expected, "{settings} {more}");
    }
}

/// INV-E22: changed settings take effect late; other settings of the function at once.
#[test]
fn e22_settings_propagate_late() {
    for (propagation, end) in [("0s", 60.0), ("59s", 60.0), ("61s", 180.0)] {
        let facts = one_event(
            &format!("duration: 0s, {FAILS}"),
            &format!(
                "account: {{ configuration_propagation: {propagation} }}
changes: [{{ at: 0s, set: {{ functions.f.async.maximum_retry_attempts: 1 }} }}]"
            ),
        );
        let ended = Story::of(&facts, 0).ends[0].0;
        assert!(same(ended, end), "{propagation}: {ended}");
    }
}

/// The draws of an event do not depend on what happens to it: an event's n-th run takes the same time whether it was
/// throttled before or not (contract, section 4).
#[test]
fn an_events_runs_draw_the_same_whatever_happened_before() {
    let durations = |faults: &str| {
        let facts = Facts::of(&format!(
            "duration: 50s
functions: {{ f: {{ duration: {{ exponential: {{ mean: 100ms }} }}, timeout: 1m, {FAILS}, async: {{ on_failure: g }} }}, g: {{ duration: {{ exponential: {{ mean: 100ms }} }}, timeout: 1m }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ constant: 1/s }} }} }}
{faults}"
        ));
        let mut runs: Vec<_> = facts
            .runs()
            .iter()
            .map(|run| (run.function, run.submission, run.run, run.ended().duration.to_bits()))
            .collect();
        runs.sort_unstable();
        runs
    };
    let calm = durations("");
    assert_eq!(calm.len(), 50 * 4);
    assert_eq!(calm, durations("faults: [{ function: f, stage: dispatch, status: 429, probability: 70% }]"));
}

/// Deliveries that wait, and dispatches of the same function, fall due at one moment.
#[test]
fn deliveries_and_dispatches_of_one_moment() {
    let facts = Facts::of(&format!(
        "duration: 100s
functions: {{ f: {{ duration: 0s, {FAILS}, async: {{ maximum_retry_attempts: 1, on_failure: q, delivery: {{ delay: 30s }} }} }} }}
queues: {{ q: {{}} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ at: [0s, 30s, 30s] }} }} }}"
    ));
    let seen = facts.pick(|now, fact| match fact {
        Fact::EventDispatched { origin, .. } => Some((now, 'f', origin.submission)),
        Fact::Delivered { record, .. } => Some((now, 'q', record.origin.submission)),
        _ => None,
    });
    let seconds = |at: f64| at * 1e3;
    let expected = [
        (seconds(0.0), 'f', 1),
        (seconds(30.0), 'f', 2),
        (seconds(30.0), 'f', 3),
        (seconds(60.0), 'f', 1),
        // What ended at 60 s is delivered when the others are tried again.
        (seconds(90.0), 'f', 2),
        (seconds(90.0), 'f', 3),
        (seconds(90.0), 'q', 1),
        (seconds(120.0), 'q', 2),
        (seconds(120.0), 'q', 3),
    ];
    assert_eq!(seen, expected);
}

/// INV-Q13: zero reserved concurrency is looked at after a failure of the service as after one of the function.
#[test]
fn q13_reserved_concurrency_zero_after_a_service_error() {
    let facts = one_event(
        "duration: 0s, snapstart: { restore: 11s }",
        "changes: [{ at: 5s, set: { functions.f.reserved_concurrency: 0 } }]",
    );
    // The restore is cut after 10 s (INV-E18).
    assert_eq!(Story::of(&facts, 0).ends, [(10.0, Condition::ZeroReservedConcurrency, 0)]);
}

/// INV-E22: a change that propagates late does not undo a later one.
#[test]
fn e22_a_late_change_does_not_undo_a_later_one() {
    let facts = Facts::of(&format!(
        "duration: 2m
account: {{ configuration_propagation: 1m }}
functions: {{ f: {{ duration: 0s, {FAILS} }} }}
callers: {{ c: {{ target: f, invocation: async, arrivals: {{ at: [65s] }} }} }}
changes:
  - {{ at: 1s, set: {{ functions.f.async.maximum_retry_attempts: 0 }} }}
  - {{ at: 2s, set: {{ account.configuration_propagation: 0s }} }}
  - {{ at: 3s, set: {{ functions.f.async.maximum_retry_attempts: 1 }} }}"
    ));
    assert_eq!(Story::of(&facts, 0).ends, [(125.0, Condition::RetriesExhausted, 2)]);
}

/// INV-T5: a fault judges each call of the Invoke API by itself, the caller's and the destination's.
#[test]
fn faults_judge_deliveries_to_functions_anew() {
    let facts = Facts::of(
        "duration: 1000s
functions: { f: { duration: 0s, async: { on_success: f } } }
callers: { c: { target: f, invocation: async, arrivals: { constant: 1/s }, client: { retry: none } } }
faults: [{ function: f, status: 500, probability: 50% }]",
    );
    let count = |of: fn(&Fact) -> bool| facts.list.iter().filter(|(_, fact)| of(fact)).count();
    let accepted = count(|fact| matches!(fact, Fact::EventAccepted { parent: None, .. }));
    let went_on = count(|fact| matches!(fact, Fact::Delivered { record, .. } if record.origin.branch == 0));
    // Half of 1,000, and half of those, within five standard deviations.
    assert!(accepted.abs_diff(500) < 80, "{accepted}");
    assert!(went_on.abs_diff(250) < 70, "{went_on}");
}
