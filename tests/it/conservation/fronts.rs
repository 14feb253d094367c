//! Random callers of all services before a function: what must hold of each of their calls, read from the facts alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lambdasim::aws::config::{Passage, Service};
use lambdasim::aws::fact::{Answer, Capacity, Fact, FrontFact, MessageFact, Outcome};
use lambdasim::aws::ids::Id;
use lambdasim::kernel::time::SimTime;
use lambdasim::run;
use lambdasim::scenario::Scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::common::{Facts, number, same, scenario};

/// A scenario's text; printed as it is when a case fails.
#[derive(Clone)]
struct Yaml(String);

impl fmt::Debug for Yaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.0)
    }
}

/// Every service of the catalogue, most of them with settings too.
const VIA: [&str; 33] = [
    "sdk",
    "api_gateway_rest",
    "{ api_gateway_rest: { timeout: 1s } }",
    "{ api_gateway_rest: { rate: 5/s, burst: 3, integration: custom } }",
    "api_gateway_http",
    "{ api_gateway_http: { timeout: 700ms, refusal_status: 429 } }",
    "{ api_gateway_websocket: { timeout: 2s } }",
    "alb",
    "{ alb: { idle_timeout: 1500ms } }",
    "function_url",
    "cognito",
    "{ cognito: { timeout: 800ms, attempts: 2, pause: 300ms, retry_function_errors: on } }",
    "lex",
    "{ alexa: { timeout: 1s } }",
    "cloudfront",
    "{ cloudfront: { event: origin, concurrency_limit: 2, rate: 8/s } }",
    "{ firehose: { buffer_size: 200KB, buffer_interval: 2s } }",
    "{ firehose: { buffer_size: 200KB, buffer_interval: 0s, attempts: 2, pause: 0s, parallel: 1, timeout: 900ms } }",
    "{ firehose: { buffer_interval: 1s, parallel: 2, retry_function_errors: on } }",
    "step_functions",
    "{ step_functions: { retry: sfn_studio } }",
    "s3",
    "{ s3: { delay: { exponential: { mean: 2s } }, retry: { maximum_event_age: 20s, jitter: full } } }",
    "{ sns: { dead_letter_queue: q, retry: { backoff: { times: 3 }, post_backoff: { times: 1 } } } }",
    "{ eventbridge: { dead_letter_queue: q, retry: { maximum_retry_attempts: 3, jitter: full } } }",
    "{ scheduler: { flexible_window: 5s, maximum_event_age: 60s, dead_letter_queue: q } }",
    "ses",
    "cloudformation",
    "{ cloudformation: { callback_timeout: 3s } }",
    "{ cloudwatch_logs: { retry: { maximum_event_age: 9s } } }",
    "{ cloudwatch_events: { retry: { maximum_retry_attempts: 1 }, dead_letter_queue: q } }",
    "codecommit",
    "{ iot: { error_action: q } }",
];

fn yaml() -> impl Strategy<Value = Yaml> {
    let one_of = |texts: &'static [&'static str]| prop::sample::select(texts);
    let function = (
        one_of(&["50ms", "1s", "{ exponential: { mean: 1s } }", "{ uniform: { min: 0s, max: 4s } }"]),
        one_of(&["", ", init: 400ms", ", extension_tail: 200ms", ", response: 50KB"]),
        one_of(&[
            "",
            ", failures: [{ probability: 30% }]",
            ", failures: [{ first_attempts: 2 }]",
            ", failures: [{ probability: 20%, kind: crash }]",
        ]),
    );
    let function = function
        .prop_map(|(duration, more, failures)| format!("{{ duration: {duration}, timeout: 3s{more}{failures} }}"));
    let load = one_of(&[
        "arrivals: { poisson: 4/s }",
        "arrivals: { burst: { size: 6, every: 3s, times: 3 } }",
        "users: { count: 3, think: { uniform: { min: 1ms, max: 1s } } }",
    ]);
    let client = one_of(&[
        "",
        "",
        ", client: { retry: { max_attempts: 3, base: 200ms }, timeout: 2s }",
        ", client: { total_timeout: 4s, retry: standard_2026 }",
    ]);
    let payload = one_of(&["", ", payload: 90KB", ", payload: { uniform: { min: 1KB, max: 900KB } }"]);
    let caller = (0..2_usize, prop::sample::select(&VIA[..]), load, client, payload, one_of(&["", ", max_events: 5"]));
    let caller = caller.prop_map(|(function, via, load, client, payload, max)| {
        let key = via.trim_start_matches("{ ").split([':', ' ']).next().unwrap_or(via);
        let is_door =
            ["sdk", "api_gateway", "alb", "function_url", "cloudfront"].iter().any(|door| key.starts_with(door));
        let client = if is_door { client } else { "" };
        format!("{{ target: f{function}, via: {via}, {load}{client}{payload}{max} }}")
    });
    let faults = one_of(&[
        "",
        "{ function: f0, status: 429, probability: 40% }",
        "{ function: f0, status: 500, from: 2s, until: 6s }, { function: f1, status: 503, probability: 20% }",
        "{ function: f0, status: 500, probability: 60% }, { queue: q, status: 500, probability: 50% }",
    ]);
    let account = one_of(&["10", "200", "1000"]);
    let changes = one_of(&[
        "",
        "{ at: 4s, deploy: f0 }",
        "{ at: 3s, set: { functions.f0.duration: 2s } }",
        "{ at: 5s, set: { account.concurrency_limit: 5 } }",
    ]);
    let rest = one_of(&["", "drain: 0s\n", "drain: 2s\n", "warmup: 3s\n"]);
    (prop::collection::vec(function, 2), prop::collection::vec(caller, 1..=5), faults, account, changes, rest, 0..1_000_u32).prop_map(
        |(functions, callers, faults, account, changes, rest, seed)| {
            let named = |letter: char, blocks: Vec<String>| -> String {
                blocks.into_iter().enumerate().map(|(index, text)| format!("  {letter}{index}: {text}\n")).collect()
            };
            Yaml(format!(
                "name: random\nduration: 10s\nseed: {seed}\n{rest}account: {{ concurrency_limit: {account} }}\nfunctions:\n{}queues: {{ q: {{}} }}\ncallers:\n{}faults: [{faults}]\nchanges: [{changes}]\n",
                named('f', functions),
                named('c', callers),
            ))
        },
    )
}

#[test]
fn calls_through_services_keep_their_promises() {
    let config = Config {
        cases: Config::default().cases.max(300),
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seen = RefCell::new(BTreeSet::new());
    let result = runner.run(&yaml(), |Yaml(text)| {
        seen.borrow_mut().extend(check_scenario(&text));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let missing: Vec<_> = WORDS.iter().filter(|word| !seen.borrow().contains(**word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// What happens in some of the random scenarios: a generator that no longer reaches it is found out.
const WORDS: [&str; 11] = [
    "limited by rate",
    "limited by concurrency",
    "timed out",
    "translated",
    "delayed",
    "called back",
    "call back timed out",
    "dead letter",
    "dead letter refused",
    "buffer",
    "processing failed",
];

fn word(fact: &FrontFact) -> Option<&'static str> {
    Some(match fact {
        FrontFact::Limited { concurrency: false, .. } => "limited by rate",
        FrontFact::Limited { concurrency: true, .. } => "limited by concurrency",
        FrontFact::TimedOut { .. } => "timed out",
        FrontFact::Translated { .. } => "translated",
        FrontFact::Delayed { .. } => "delayed",
        FrontFact::CalledBack { .. } => "called back",
        FrontFact::CallbackTimedOut { .. } => "call back timed out",
        FrontFact::DeadLettered { refused: None, .. } => "dead letter",
        FrontFact::DeadLettered { .. } => "dead letter refused",
        FrontFact::BufferClosed { .. } => "buffer",
        FrontFact::ProcessingFailed { .. } => "processing failed",
        FrontFact::CallbackAwaited { .. } => return None,
    })
}

/// A call, as its facts tell it.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Call {
    attempts: u32,
    /// The attempt has no end yet.
    open: bool,
    /// What a door said of the last attempt.
    door: Option<FrontFact>,
    last: Option<Answer>,
    accepted: u32,
    waits_for_callback: bool,
    dead_letter: bool,
    finished: bool,
}

fn check_scenario(text: &str) -> BTreeSet<&'static str> {
    let scenario = scenario(text);
    let first = run::run(&scenario).unwrap_or_else(|stopped| panic!("{stopped:?}")).to_json();
    let second = run::run(&scenario).unwrap_or_else(|stopped| panic!("{stopped:?}")).to_json();
    assert_eq!(first.to_string(), second.to_string(), "two runs differ");
    assert_eq!(first["conservation"]["holds"], true, "{}", first["conservation"]);
    let facts = Facts::of_scenario(&scenario);
    let mut checker = Checker {
        scenario: &scenario,
        calls: BTreeMap::new(),
        regions: BTreeMap::new(),
        words: BTreeSet::new(),
        collecting: BTreeMap::new(),
        dead_letters: 0,
        sent: 0,
    };
    for (now, fact) in &facts.list {
        checker.fact(*now, fact);
    }
    if text.contains("warmup") {
        return checker.words;
    }
    assert!(same(number(&first, "queues.q.sent"), checker.sent as f64));
    let dead: f64 = scenario
        .system
        .callers
        .rows()
        .iter()
        .map(|caller| number(&first, &format!("callers.{}.dead_letters", caller.name)))
        .sum();
    assert!(same(dead, checker.dead_letters as f64), "{dead}");
    assert_eq!(checker.sent, checker.dead_letters, "each dead letter is a message");
    checker.words
}

struct Checker<'a> {
    scenario: &'a Scenario,
    calls: BTreeMap<(usize, u64), Call>,
    /// Runs under way in the Region of each caller at the edge.
    regions: BTreeMap<usize, u32>,
    words: BTreeSet<&'static str>,
    /// Records of each delivery stream that are in no buffer.
    collecting: BTreeMap<usize, u32>,
    dead_letters: u64,
    sent: u64,
}

impl Checker<'_> {
    #[allow(clippy::too_many_lines, reason = "one arm for each fact")]
    fn fact(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::CallSubmitted { origin } => {
                let id = origin.caller.index();
                let call = Call::default();
                assert!(self.calls.insert((id, origin.submission), call).is_none(), "submitted twice: {origin:?}");
                if self.passage(id).1 == Service::Firehose {
                    *self.collecting.entry(id).or_default() += 1;
                }
            }
            Fact::AttemptSent { origin, attempt } => {
                let call = self.call(&origin);
                assert!(!call.open && !call.finished && attempt == call.attempts + 1, "{call:?} {fact:?}");
                (call.attempts, call.open, call.door) = (attempt, true, None);
            }
            Fact::AttemptAnswered { origin, attempt, answer, status } => {
                let (_, service) = self.passage(origin.caller.index());
                let call = self.call(&origin);
                assert!(call.open && attempt == call.attempts, "{call:?} {fact:?}");
                (call.open, call.last) = (false, Some(answer));
                check_answer(service, call, answer, status);
            }
            Fact::AttemptTimedOut { origin, .. } => {
                let call = self.call(&origin);
                assert!(std::mem::take(&mut call.open), "{call:?}");
                call.last = None;
            }
            Fact::EventAccepted { origin, parent: None, .. } => self.call(&origin).accepted += 1,
            Fact::RunStarted { origin, capacity, .. } => {
                let id = origin.caller.index();
                let at_edge = self.passage(id).1 == Service::Cloudfront;
                assert_eq!(capacity == Capacity::Edge, at_edge, "{fact:?}");
                if let (Passage::Door(door), true) = (self.passage(id).0, at_edge) {
                    let limit = door.concurrency_limit.unwrap();
                    let running = self.regions.entry(id).or_default();
                    *running += 1;
                    assert!(*running <= limit, "{running} of {limit}");
                }
            }
            Fact::RunEnded { origin, capacity: Capacity::Edge, .. } => {
                *self.regions.get_mut(&origin.caller.index()).unwrap() -= 1;
            }
            Fact::Message(MessageFact::Sent { .. }) => self.sent += 1,
            Fact::CallFinished { origin, outcome, attempts, .. } => {
                let (_, service) = self.passage(origin.caller.index());
                let call = self.call(&origin);
                assert!(!call.finished && !call.open && attempts == call.attempts, "{call:?} {fact:?}");
                call.finished = true;
                check_end(service, call, outcome);
            }
            Fact::Front(ref front) => self.front(now, front),
            _ => {}
        }
    }

    fn front(&mut self, now: SimTime, fact: &FrontFact) {
        self.words.extend(word(fact));
        match *fact {
            FrontFact::Limited { ref origin, .. }
            | FrontFact::TimedOut { ref origin, .. }
            | FrontFact::Translated { ref origin, .. } => {
                let call = self.call(origin);
                assert!(call.open && call.door.is_none(), "{call:?} {fact:?}");
                call.door = Some(*fact);
            }
            FrontFact::Delayed { ref origin, until } => {
                assert!(until > now && self.call(origin).attempts == 0, "{fact:?}");
            }
            FrontFact::CallbackAwaited { ref origin, .. } => self.call(origin).waits_for_callback = true,
            FrontFact::CalledBack { ref origin } | FrontFact::CallbackTimedOut { ref origin } => {
                assert!(std::mem::take(&mut self.call(origin).waits_for_callback), "{fact:?}");
            }
            FrontFact::DeadLettered { ref origin, refused, .. } => {
                self.dead_letters += u64::from(refused.is_none());
                let call = self.call(origin);
                assert!(!std::mem::replace(&mut call.dead_letter, true), "{call:?}");
            }
            FrontFact::BufferClosed { caller, records, bytes, full, .. } => {
                let Passage::Firehose(stream) = *self.passage(caller.index()).0 else { panic!("{fact:?}") };
                assert_eq!(full, bytes >= stream.buffer_size, "{fact:?}");
                let collecting = self.collecting.insert(caller.index(), 0);
                assert_eq!(collecting, Some(records), "all that was there is in the buffer");
            }
            FrontFact::ProcessingFailed { .. } => {}
        }
    }

    fn call(&mut self, origin: &lambdasim::aws::fact::Origin) -> &mut Call {
        self.calls.get_mut(&(origin.caller.index(), origin.submission)).expect("it was submitted")
    }

    fn passage(&self, caller: usize) -> (&Passage, Service) {
        let via = &self.scenario.system.callers.rows()[caller].via;
        (&via.passage, via.service)
    }
}

/// What a caller gets follows from what the door did.
fn check_answer(service: Service, call: &Call, answer: Answer, status: u16) {
    match (service, call.door) {
        (Service::Cloudfront, Some(FrontFact::Limited { .. }))
        | (Service::ApiGatewayHttp | Service::Cloudfront, Some(FrontFact::TimedOut { .. })) => assert_eq!(status, 503),
        (_, Some(FrontFact::Limited { .. })) => assert_eq!(status, 429),
        (_, Some(FrontFact::TimedOut { .. })) => assert_eq!(status, 504),
        (_, Some(FrontFact::Translated { status: said, .. })) => assert_eq!(status, said),
        _ => {}
    }
    // INV-T6: only who calls Lambda itself sees a failure of the function with status 200.
    let is_door = call.door.is_some();
    assert!(!is_door || answer != Answer::FunctionError, "{call:?}");
}

/// How a call ends follows from its last attempt.
fn check_end(service: Service, call: &Call, outcome: Outcome) {
    let expected = match call.last {
        _ if outcome == Outcome::Timeout => return,
        Some(Answer::Accepted) if service == Service::Cloudformation => Outcome::Success,
        Some(Answer::Accepted) => Outcome::Accepted,
        Some(Answer::Success) => Outcome::Success,
        Some(Answer::FunctionError) => Outcome::FunctionError,
        Some(Answer::Throttled) => Outcome::Throttled,
        Some(Answer::ServiceError) => Outcome::ServiceError,
        Some(Answer::Rejected) | None => Outcome::Rejected,
    };
    assert_eq!(outcome, expected, "{call:?}");
    let accepted = matches!(call.last, Some(Answer::Accepted));
    assert_eq!(call.accepted, u32::from(accepted), "an event exists if Lambda said so: {call:?}");
    assert!(!call.dead_letter || !accepted, "{call:?}");
}
