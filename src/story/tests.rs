//! Steps and records of facts that are fed by hand.

use super::events::{COLUMNS, EventsCsv};
use super::explain::{Collector, Explained};
use super::families::Families;
use super::records::RecordsJsonl;
use super::rules;
use super::select::{Fate, Finder, Selection, event_named};
use super::step::{Narrator, StepKind};
use crate::aws::config::Target;
use crate::aws::fact::{
    Answer, Capacity, Condition, DeliveryError, DeliveryKind, Fact, Observer, Origin, Outcome, Record, Response,
    ReturnCause, RunOutcome,
};
use crate::aws::ids::{CallerId, FunctionId, Id, QueueId};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::{self, Scenario};

/// `f` sends records to `g`, `g` to the queue `q`; two callers call `f`.
fn system() -> Scenario {
    let yaml = "\
name: s
duration: 1s
functions:
  f: { duration: 1s, failures: [{ probability: 1%, error: Broken }], async: { on_failure: g, dead_letter_queue: q } }
  g: { duration: 1s, async: { on_success: q } }
queues: { q: {} }
callers:
  buyers: { target: f, arrivals: { at: [0s] } }
  uploads: { target: f, invocation: async, arrivals: { at: [0s] } }
";
    let loaded = scenario::parse("s.yaml", yaml.as_bytes(), std::path::Path::new("."), &[]);
    loaded.unwrap_or_else(|error| panic!("{error}")).scenario
}

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO.plus(SimDuration::from_secs(seconds))
}

/// An event of the submission `submission` of `uploads`.
fn origin(submission: u64, branch: u32) -> Origin {
    Origin { caller: CallerId::from_index(1), branch, submission, submitted: SimTime::ZERO }
}

fn f() -> FunctionId {
    FunctionId::from_index(0)
}

fn g() -> FunctionId {
    FunctionId::from_index(1)
}

fn accepted(origin: Origin, function: FunctionId, parent: Option<u32>) -> Fact {
    Fact::EventAccepted { origin, function, parent, payload_bytes: 1_000 }
}

fn ended(origin: Origin, function: FunctionId, condition: Condition, runs: u32) -> Fact {
    Fact::EventEnded { origin, function, accepted: SimTime::ZERO, condition, runs }
}

fn run_ended(origin: Origin, function: FunctionId, run: u32, outcome: RunOutcome, seconds: u64) -> Fact {
    Fact::RunEnded {
        origin,
        function,
        run,
        environment: 1,
        started: SimTime::ZERO,
        duration: SimDuration::from_secs(seconds),
        init: None,
        suppressed_init: None,
        outcome,
        error: None,
        capacity: Capacity::Unreserved,
        abandoned: None,
    }
}

fn run_started(origin: Origin, function: FunctionId, run: u32) -> Fact {
    Fact::RunStarted { origin, function, run, environment: 1, cold: false, capacity: Capacity::Unreserved }
}

fn record(origin: Origin, condition: Condition, response: Response) -> Record {
    let kind = if condition == Condition::Success { DeliveryKind::OnSuccess } else { DeliveryKind::OnFailure };
    Record { origin, function: f(), kind, ended: at(3), condition, invoke_count: 1, response, payload_bytes: 1_000 }
}

fn queue() -> Target {
    Target::Queue(QueueId::from_index(0))
}

/// The records of these facts, as values.
fn records(scenario: &Scenario, facts: &[Fact]) -> Vec<serde_json::Value> {
    let mut observer = RecordsJsonl::new(scenario, Vec::new());
    for fact in facts {
        observer.observe(at(3), fact);
    }
    let text = String::from_utf8(observer.finish().unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn events_that_follow_are_numbered_in_order_of_acceptance() {
    let scenario = system();
    let mut narrator = Narrator::new(&scenario);
    let mut name = |fact| {
        let step = narrator.step(at(1), &fact).unwrap();
        (step.event, step.part)
    };
    let named = |event: &str, part| (event.to_owned(), part);
    assert_eq!(name(Fact::CallSubmitted { origin: origin(17, 0) }), named("uploads#17", 0));
    assert_eq!(name(accepted(origin(17, 0), f(), None)), named("uploads#17", 0));
    assert_eq!(name(accepted(origin(17, 900), g(), Some(0))), named("uploads#17/1", 1));
    assert_eq!(name(accepted(origin(17, 5), g(), Some(900))), named("uploads#17/2", 2));
    assert_eq!(name(accepted(origin(18, 900), g(), Some(0))), named("uploads#18/1", 1));
    assert_eq!(name(ended(origin(17, 900), g(), Condition::Success, 1)), named("uploads#17/1", 1));
}

/// A fact, and the actor, the rule and the begin of the detail of its step.
type Row = (Fact, &'static str, &'static str, &'static str);

#[track_caller]
fn check_steps(rows: &[Row]) {
    let scenario = system();
    let mut narrator = Narrator::new(&scenario);
    for (fact, actor, rule, detail) in rows {
        let step = narrator.step(at(2), fact).unwrap();
        let found = (step.actor.as_str(), step.rule.map_or("", |rule| rule.id));
        assert_eq!(found, (*actor, *rule), "{fact:?}");
        assert!(step.detail.starts_with(detail), "{:?}: {fact:?}", step.detail);
    }
    let other = Fact::EnvironmentReset { function: f(), environment: 1 };
    assert_eq!(narrator.step(at(2), &other), None);
}

#[test]
fn steps_of_a_client() {
    let one = origin(1, 0);
    let answered = |answer, status| Fact::AttemptAnswered { origin: one, attempt: 1, answer, status };
    check_steps(&[
        (answered(Answer::Rejected, 413), "Lambda", "INV-Q2", "attempt 1 with 413: the event is too large"),
        (answered(Answer::ServiceError, 503), "Lambda", "INV-T5", "attempt 1 with 503: the service failed"),
        (Fact::AttemptTimedOut { origin: one, attempt: 2 }, "uploads", "INV-Y3", "waiting for the answer to attempt 2"),
        (Fact::RetryQuotaExhausted { origin: one }, "uploads", "INV-N3", "its retry budget cannot pay"),
        (Fact::CircuitOpen { origin: one }, "uploads", "", "its circuit breaker is open"),
    ]);
}

#[test]
fn steps_of_the_service_and_of_deliveries() {
    let one = origin(1, 0);
    let back = |cause, due| Fact::EventReturned { origin: one, function: f(), cause, due: at(due) };
    let retried = Fact::DeliveryRetried {
        record: record(one, Condition::RetriesExhausted, Response::None),
        to: queue(),
        error: DeliveryError::Refused(500),
        due: at(5),
    };
    let failed = Fact::DeliveryFailed {
        record: record(one, Condition::RetriesExhausted, Response::None),
        to: queue(),
        error: DeliveryError::FifoQueue,
    };
    check_steps(&[
        (
            back(ReturnCause::FunctionError, 62),
            "Lambda",
            "INV-Q8",
            "function error; waits 60 s, retry 1 of 2 is due at 62 s",
        ),
        (
            back(ReturnCause::FunctionError, 122),
            "Lambda",
            "INV-Q8",
            "function error; waits 120 s, retry 2 of 2 is due at 122 s",
        ),
        (back(ReturnCause::Throttled, 3), "Lambda", "INV-Q9", "throttled; waits 1 s, the next dispatch is due at 3 s"),
        (back(ReturnCause::ServiceError, 4), "Lambda", "INV-Q9", "the service failed; waits 2 s"),
        (
            Fact::DispatchRefused { origin: one, function: f(), status: 500 },
            "Lambda",
            "INV-T5",
            "status 500, a failure of the service",
        ),
        (Fact::EventDuplicated { origin: one, function: f(), run: 1 }, "Lambda", "INV-Q6", "run 1: it is started"),
        (
            run_ended(one, f(), 1, RunOutcome::Timeout, 2),
            "f",
            "INV-E5",
            "run 1 in environment 1 after 2 s: cut at the function's",
        ),
        (
            run_ended(one, f(), 1, RunOutcome::Crash, 2),
            "f",
            "INV-E6",
            "run 1 in environment 1 after 2 s: the process died",
        ),
        (
            retried,
            "q",
            "INV-D24",
            "the record on_failure: RetriesExhausted, invoke count 1: status 500; waits 3 s, the",
        ),
        (failed, "q", "INV-O4", "the record on_failure: RetriesExhausted, invoke count 1: a FIFO queue takes nothing"),
        (
            ended(one, f(), Condition::ZeroReservedConcurrency, 0),
            "Lambda",
            "INV-5.6",
            "ZeroReservedConcurrency without a run; the reserved concurrency of f is 0",
        ),
        (ended(one, f(), Condition::RecursiveInvocation, 0), "Lambda", "INV-5.7", "RecursiveInvocation without a run"),
    ]);
}

#[test]
fn words_of_steps_and_verbs_are_unique() {
    for (place, kind) in StepKind::ALL.iter().enumerate() {
        let word = kind.as_str();
        assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
        assert!(!kind.verb().is_empty());
        assert!(StepKind::ALL[..place].iter().all(|other| other.as_str() != word), "{word}");
    }
    assert!(!rules::ALL.is_empty());
}

#[test]
fn what_is_over_is_forgotten() {
    let mut families = Families::<()>::new(SimDuration::from_secs(10));
    let one = origin(1, 0);
    let mut note = |seconds, fact: Fact| {
        families.note(at(seconds), &one, &fact);
        families.len()
    };
    note(0, Fact::CallSubmitted { origin: one });
    note(0, accepted(one, f(), None));
    note(0, Fact::CallFinished { origin: one, outcome: Outcome::Accepted, attempts: 1, runs: 0 });
    note(0, run_started(one, f(), 1));
    note(2, run_ended(one, f(), 1, RunOutcome::Success, 2));
    note(2, ended(one, f(), Condition::Success, 1));
    // A delivery that comes late keeps it once more.
    let delivered = Fact::Delivered { record: record(one, Condition::Success, Response::Success(1)), to: queue() };
    assert_eq!(note(12, delivered), 1);
    families.forget(at(22));
    assert_eq!(families.len(), 1);
    families.forget(at(23));
    assert_eq!(families.len(), 0);
}

#[test]
fn a_table_has_its_columns() {
    let scenario = system();
    let mut observer = EventsCsv::new(&scenario, Vec::new());
    observer.observe(SimTime::from_nanos(1_500_001), &Fact::CallSubmitted { origin: origin(1, 0) });
    let text = String::from_utf8(observer.finish().unwrap()).unwrap();
    let row = "1.500001,uploads#1,,uploads,submitted,,\"an event for f, and does not wait for its result\"";
    assert_eq!(text, format!("{}\n{row}\n", COLUMNS.join(",")));
}

/// A writer that is full.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_write_that_fails_is_told_at_the_end() {
    let scenario = system();
    let delivered = |to| Fact::Delivered { record: record(origin(1, 0), Condition::Success, Response::Success(1)), to };
    let mut observer = RecordsJsonl::new(&scenario, Full);
    observer.observe(at(3), &delivered(queue()));
    observer.observe(at(3), &delivered(queue()));
    assert_eq!(observer.finish().err().unwrap().kind(), std::io::ErrorKind::StorageFull);
    let mut observer = EventsCsv::new(&scenario, Full);
    for _ in 0..1_000 {
        observer.observe(at(3), &delivered(queue()));
    }
    assert_eq!(observer.finish().err().unwrap().kind(), std::io::ErrorKind::StorageFull);
}

/// INV-5.5: what a record says of the last answer.
#[test]
fn inv_5_5_responses() {
    let mut scenario = system();
    let broken = Some(scenario.system.errors.push("Broken".to_owned()));
    let error = |outcome, error| Response::FunctionError { outcome, error };
    let unhandled = r#"{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}"#;
    let rows = [
        (
            Condition::Success,
            Response::Success(7),
            r#"{"statusCode":200,"executedVersion":"$LATEST"}"#,
            r#"{"bytes":7}"#,
        ),
        (Condition::EventAgeExceeded, Response::Refused(429), r#"{"statusCode":429}"#, "null"),
        (Condition::ZeroReservedConcurrency, Response::None, "null", "null"),
        (Condition::EventAgeExceeded, Response::None, "null", "null"),
        (
            Condition::RetriesExhausted,
            error(RunOutcome::Error, broken),
            unhandled,
            r#"{"errorType":"Broken","errorMessage":"the handler raised an error"}"#,
        ),
        (
            Condition::RetriesExhausted,
            error(RunOutcome::Timeout, broken),
            unhandled,
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 3.00 seconds"}"#,
        ),
        (
            Condition::RetriesExhausted,
            error(RunOutcome::Crash, None),
            unhandled,
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 1"}"#,
        ),
    ];
    for (condition, response, context, payload) in rows {
        let one = origin(1, 0);
        let facts = [
            run_ended(one, f(), 1, RunOutcome::Timeout, 3),
            Fact::Delivered { record: record(one, condition, response), to: queue() },
        ];
        let found = &records(&scenario, &facts)[0];
        let id = found["requestContext"]["requestId"].as_str().unwrap();
        assert_eq!(found["responseContext"].to_string(), context, "{response:?}");
        assert_eq!(found["responsePayload"].to_string().replace(id, "ID"), payload, "{response:?}");
        assert_eq!(found.get("responseContext").is_none(), context == "null", "absent, not null");
        assert_eq!(found["timestamp"], "1970-01-01T00:00:03.000Z");
        assert_eq!(found["requestPayload"].to_string(), r#"{"caller":"uploads","submission":1,"bytes":1000}"#);
    }
}

#[test]
fn a_record_that_was_sent_on_is_the_payload_of_what_it_became() {
    let scenario = system();
    let (one, two) = (origin(1, 0), origin(1, 900));
    let first = record(one, Condition::RetriesExhausted, Response::None);
    let dead_letter = Record { kind: DeliveryKind::DeadLetterQueue, ..first };
    let second = Record { function: g(), ..record(two, Condition::Success, Response::Success(1)) };
    let facts = [
        accepted(one, f(), None),
        Fact::Delivered { record: dead_letter, to: queue() },
        Fact::Delivered { record: first, to: Target::Function(g()) },
        accepted(two, g(), Some(0)),
        Fact::Delivered { record: second, to: queue() },
    ];
    let found = records(&scenario, &facts);
    assert_eq!(found.len(), 2, "the dead-letter queue receives no record");
    assert_eq!(found[1]["requestPayload"], found[0]);
    let ids = [0, 1].map(|index: usize| found[index]["requestContext"]["requestId"].as_str().unwrap().to_owned());
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let parts: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "4", "{id}");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
    }
}

#[test]
fn names_of_events() {
    let scenario = system();
    let uploads = CallerId::from_index(1);
    for (text, selection) in [
        ("uploads#17", Some(Selection::Event(uploads, 17))),
        ("uploads#17/2", Some(Selection::Event(uploads, 17))),
        ("buyers#1", Some(Selection::Event(CallerId::from_index(0), 1))),
        ("uploads#0", None),
        ("uploads#+1", None),
        ("uploads#1/x", None),
        ("uploads#99999999999999999999", None),
        ("uploads#", None),
        ("uploads", None),
        ("upload#1", None),
        ("#1", None),
    ] {
        assert_eq!(event_named(&scenario, text).ok(), selection, "{text}");
    }
    assert_eq!(event_named(&scenario, "upload#1").unwrap_err().help.unwrap(), "did you mean `uploads`?");
}

#[test]
fn the_event_with_a_fate_is_found() {
    let finished = |submission, outcome| {
        let origin = origin(submission, 0);
        Fact::CallFinished { origin, outcome, attempts: 1, runs: 1 }
    };
    let facts = [
        (1, finished(1, Outcome::Accepted)),
        (2, ended(origin(1, 0), f(), Condition::Success, 1)),
        (3, Fact::EventDuplicated { origin: origin(2, 0), function: f(), run: 1 }),
        (4, finished(3, Outcome::Timeout)),
        (5, ended(origin(4, 0), f(), Condition::EventAgeExceeded, 1)),
        (9, ended(origin(5, 900), g(), Condition::Success, 1)),
        (9, finished(6, Outcome::Success)),
    ];
    for (selection, expected) in [
        (Selection::First(Fate::Duplicated), Some(2)),
        (Selection::First(Fate::Failed), Some(3)),
        (Selection::First(Fate::Dropped), Some(4)),
        (Selection::First(Fate::DeadLettered), None),
        (Selection::Slowest, Some(5)),
    ] {
        let mut finder = Finder::new(selection).unwrap();
        for (seconds, fact) in &facts {
            finder.observe(at(*seconds), fact);
        }
        assert_eq!(finder.found().map(|(_, submission)| submission), expected, "{selection:?}");
    }
}

#[test]
fn a_story_that_has_not_ended_says_so() {
    let scenario = system();
    let key = (CallerId::from_index(1), 1);
    let mut collector = Collector::new(&scenario, key);
    collector.observe(at(0), &Fact::CallSubmitted { origin: origin(1, 0) });
    collector.observe(at(0), &accepted(origin(1, 0), f(), None));
    let Explained::Story(story) = collector.clone().finish(at(9)) else { panic!("there is a story") };
    let sentence = "uploads#1 was an event for f. It had no end when the simulation ended at 9 s.";
    assert_eq!((story.headline.join(" ").as_str(), story.good), (sentence, None));
    let mut other = Collector::new(&scenario, (key.0, 2));
    other.observe(at(0), &Fact::CallSubmitted { origin: origin(1, 0) });
    let never = other.finish(at(9));
    assert!(matches!(never, Explained::NeverCame { submissions: 1, .. }), "{never:?}");
}
