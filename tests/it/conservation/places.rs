//! Random fan-outs: every delivery of a topic, an event bus or a bucket has exactly one end, its attempts come when they
//! are due and within their limits, and what was delivered is at its target (INV-6).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lambdasim::aws::config::{Route, Target};
use lambdasim::aws::fact::{
    Fact, MessageFact, Origin, PlaceDelivery, PlaceFact, PlaceFailure, StreamFact, Undelivered,
};
use lambdasim::aws::ids::Id;
use lambdasim::kernel::time::SimTime;
use lambdasim::scenario::{Drain, Scenario};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::common::{Facts, number, same, scenario, summary};

/// What happens in some of the random scenarios: a generator that no longer reaches it is found out.
const WORDS: [&str; 11] = [
    "delivered",
    "retried",
    "retries used up",
    "too old",
    "too large",
    "loop",
    "lost",
    "dead-lettered",
    "dead letter refused",
    "for nobody",
    "left",
];

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

/// A scenario in which everything passes on to nearly everything, but for loops without end.
#[allow(clippy::too_many_lines, reason = "a table of choices")]
fn yaml() -> impl Strategy<Value = String> {
    let subscriber = || {
        one_of(&[
            "f",
            "q",
            "{ to: g, match: 30% }",
            "{ to: small, dead_letter_queue: dead }",
            "{ to: f, dead_letter_queue: dead }",
            "{ to: g, dead_letter_queue: small }",
        ])
    };
    let topic = (
        proptest::option::of(subscriber()),
        one_of(&[
            "",
            ", retry: { immediate: 1, pre_backoff: { times: 1 }, backoff: { times: 2 }, post_backoff: { times: 3 }, jitter: 50% }",
            ", retry: { post_backoff: { times: 1, every: 5s }, jitter: full }",
            ", maximum_message_size: 2KiB",
        ]),
    );
    let rule = (
        one_of(&["", "match: 0%, ", "match: 40%, ", "match: 100%, "]),
        one_of(&["f, t", "q, s", "fifo, other", "t, other", "g, small", "f, g, q, s, t"]),
        one_of(&[
            "",
            ", retry: { maximum_retry_attempts: 0 }",
            ", retry: { maximum_event_age: 60s, jitter: full }",
            ", retry: { maximum_retry_attempts: 3, base: 100ms, factor: 3, jitter: decorrelated }",
        ]),
        one_of(&["", ", dead_letter_queue: dead", ", dead_letter_queue: small"]),
    );
    let rules = proptest::collection::vec(rule, 0..=3);
    let bucket = (
        one_of(&["f", "q, t", "e, { to: g, match: 20% }", "{ to: other }", "t, e, f, q", ""]),
        one_of(&["", ", delay: 1s", ", delay: { exponential: { mean: 3s } }"]),
        one_of(&["", ", retry: { maximum_event_age: 5s }", ", retry: { jitter: equal, cap: 4s }"]),
    );
    let function = one_of(&[
        "",
        ", async: { on_success: t }",
        // Few failures, as each may come back several times over the bus, which does not notice loops.
        ", failures: [{ probability: 5% }], async: { maximum_retry_attempts: 0, on_failure: b, dead_letter_queue: t }",
        ", reserved_concurrency: 0, async: { on_failure: t }",
    ]);
    let fault = (
        one_of(&[
            "function: f",
            "function: g",
            "queue: q",
            "queue: dead",
            "queue: small",
            "topic: t",
            "event_bus: e",
            "stream: s",
        ]),
        one_of(&["429", "500"]),
        one_of(&["", ", probability: 40%", ", from: 3s, until: 9s"]),
    );
    let caller = (
        one_of(&["t", "e", "b"]),
        one_of(&["", ", payload: { uniform: { min: 1KB, max: 6KB } }", ", payload: 200KB"]),
        one_of(&["poisson: 3/s", "burst: { size: 15, every: 4s, times: 2 }", "at: [0s, 0s, 5s]"]),
    );
    let callers = proptest::collection::vec(caller, 1..=2);
    let faults = proptest::collection::vec(fault, 0..=3);
    let rest = (one_of(&["settle", "settle", "0s", "7s"]), 0..1_000_u32);
    (topic, rules, bucket, function, faults, callers, rest).prop_map(
        |(topic, rules, bucket, function, faults, callers, (drain, seed))| {
            let (subscriber, retry) = topic;
            let rules: Vec<_> = rules
                .into_iter()
                .map(|(matches, targets, retry, dead)| format!("{{ {matches}targets: [{targets}]{retry}{dead} }}"))
                .collect();
            let (notify, delay, again) = bucket;
            let faults: Vec<_> = faults
                .into_iter()
                .map(|(what, status, when)| format!("{{ {what}, status: {status}{when} }}"))
                .collect();
            let callers: String = callers
                .into_iter()
                .enumerate()
                .map(|(index, (target, payload, when))| {
                    format!("  c{index}: {{ target: {target}{payload}, arrivals: {{ {when} }} }}\n")
                })
                .collect();
            format!(
                "name: random\nduration: 10s\nseed: {seed}\ndrain: {drain}
functions:\n  f: {{ duration: 100ms{function} }}\n  g: {{ duration: 2s, timeout: 5s }}
queues: {{ q: {{}}, dead: {{}}, small: {{ maximum_message_size: 3KiB }}, fifo: {{ type: fifo }} }}
streams: {{ s: {{ type: kinesis, shards: 1 }} }}
event_source_mappings: {{ m: {{ source: q, function: g, batch_size: 2 }} }}
topics: {{ t: {{ subscribers: [{}]{retry} }} }}
event_buses: {{ e: {{ rules: [{}] }}, other: {{ rules: [{{ match: 50%, targets: [q] }}] }} }}
buckets: {{ b: {{ notify: [{notify}]{delay}{again} }} }}
callers:\n{callers}faults: [{}]\n",
                subscriber.unwrap_or_default(),
                rules.join(", "),
                faults.join(", ")
            )
        },
    )
}

#[test]
fn every_delivery_has_one_end() {
    let cases = Config::default().cases.max(300);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let seen = RefCell::new(BTreeSet::new());
    let result = runner.run(&yaml(), |text| {
        let scenario = scenario(&text);
        let first = summary(&scenario);
        assert_eq!(first.to_string(), summary(&scenario).to_string(), "two runs differ");
        let facts = Facts::of_scenario(&scenario);
        let mut checker = Checker::new(&scenario);
        for (index, (now, fact)) in facts.list.iter().enumerate() {
            checker.fact(*now, fact, facts.list.get(index + 1).map(|(_, fact)| fact));
        }
        checker.ended(&first);
        seen.borrow_mut().append(&mut checker.words);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let missing: Vec<_> = WORDS.iter().filter(|word| !seen.borrow().contains(**word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// A submission and a branch.
type Key = (usize, u64, u32);

fn key(origin: &Origin, branch: u32) -> Key {
    (origin.caller.index(), origin.submission, branch)
}

/// A delivery under way.
struct Open {
    delivery: PlaceDelivery,
    attempts: u32,
    /// When the next attempt is due, after one was refused.
    due: Option<SimTime>,
}

struct Checker<'a> {
    scenario: &'a Scenario,
    /// What places received and has deliveries to come: how many.
    expected: BTreeMap<(Key, usize), u32>,
    open: BTreeMap<Key, Open>,
    ended: BTreeSet<Key>,
    counts: BTreeMap<(&'static str, usize), [u64; 5]>,
    words: BTreeSet<&'static str>,
}

/// The group and the place in it.
fn place(target: Target) -> (&'static str, usize) {
    match target {
        Target::Topic(id) => ("topics", id.index()),
        Target::EventBus(id) => ("event_buses", id.index()),
        Target::Bucket(id) => ("buckets", id.index()),
        other => panic!("{other:?} is no place"),
    }
}

/// A number for each place.
fn number_of(target: Target) -> usize {
    let (group, index) = place(target);
    10 * index + group.len()
}

impl<'a> Checker<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            expected: BTreeMap::new(),
            open: BTreeMap::new(),
            ended: BTreeSet::new(),
            counts: BTreeMap::new(),
            words: BTreeSet::new(),
        }
    }

    fn routes(&self, target: Target) -> &'a [Route] {
        let system = &self.scenario.system;
        match target {
            Target::Topic(id) => &system.topics[id].routes,
            Target::EventBus(id) => &system.event_buses[id].routes,
            Target::Bucket(id) => &system.buckets[id].routes,
            other => panic!("{other:?} is no place"),
        }
    }

    fn count(&mut self, of: Target, which: usize) {
        self.counts.entry(place(of)).or_default()[which] += 1;
    }

    fn fact(&mut self, now: SimTime, fact: &Fact, next: Option<&Fact>) {
        let Fact::Place(fact) = fact else { return };
        match *fact {
            PlaceFact::Received { place, origin, deliveries, .. } => {
                self.count(place, 0);
                assert!(deliveries as usize <= self.routes(place).len());
                let new = self.expected.insert((key(&origin, origin.branch), number_of(place)), deliveries);
                assert_eq!(new, None, "{place:?} received {origin:?} twice");
                self.note(deliveries == 0, "for nobody");
            }
            PlaceFact::Delivered { delivery, attempt } => {
                self.attempted(now, &delivery, attempt);
                self.count(delivery.place, 1);
                self.over(&delivery);
                arrived(&delivery, next.expect("it is at its target"));
                self.note(true, "delivered");
            }
            PlaceFact::DeliveryRetried { delivery, attempt, status, due } => {
                let open = self.attempted(now, &delivery, attempt);
                open.due = Some(due);
                assert!(due >= now);
                assert!(status == 429 || status >= 500 || matches!(delivery.to, Target::Stream(_)), "{status}");
                self.count(delivery.place, 2);
                let policy = &self.routes(delivery.place)[delivery.route as usize].policy;
                assert!(policy.maximum_retry_attempts.is_none_or(|most| attempt <= most));
                assert!(policy.maximum_event_age.is_none_or(|age| due < delivery.received.plus(age)));
                self.note(true, "retried");
            }
            PlaceFact::DeliveryFailed { delivery, attempts, cause, fate } => {
                self.attempted(now, &delivery, attempts);
                self.count(delivery.place, 3);
                self.over(&delivery);
                self.failed(&delivery, attempts, cause, fate, next);
            }
        }
    }

    fn note(&mut self, happened: bool, word: &'static str) {
        if happened {
            self.words.insert(word);
        }
    }

    /// An attempt was made: it was due, and it is the next.
    fn attempted(&mut self, now: SimTime, delivery: &PlaceDelivery, attempt: u32) -> &mut Open {
        let known = key(&delivery.origin, delivery.branch);
        assert!(!self.ended.contains(&known), "{delivery:?} goes on after its end");
        let route = &self.routes(delivery.place)[delivery.route as usize];
        assert_eq!(route.to, delivery.to);
        let open = self.open.entry(known).or_insert_with(|| Open { delivery: *delivery, attempts: 0, due: None });
        assert_eq!(open.delivery, *delivery, "two deliveries have one branch");
        open.attempts += 1;
        assert_eq!(open.attempts, attempt);
        assert!(open.due.is_none_or(|due| due == now), "{delivery:?} was due at {:?}", open.due);
        open
    }

    fn over(&mut self, delivery: &PlaceDelivery) {
        let known = key(&delivery.origin, delivery.branch);
        self.open.remove(&known);
        self.ended.insert(known);
        let received = (key(&delivery.origin, delivery.origin.branch), number_of(delivery.place));
        let left = self.expected.get_mut(&received).expect("the place received it");
        *left = left.checked_sub(1).expect("no more deliveries than were said");
    }

    fn failed(
        &mut self,
        delivery: &PlaceDelivery,
        attempts: u32,
        cause: PlaceFailure,
        fate: Undelivered,
        next: Option<&Fact>,
    ) {
        let route = &self.routes(delivery.place)[delivery.route as usize];
        let most: u32 = route.policy.phases.iter().fold(0, |sum, phase| sum.saturating_add(phase.times));
        let most = route.policy.maximum_retry_attempts.map_or(most, |limit| limit.min(most));
        match cause {
            PlaceFailure::MaximumRetryAttempts(_) => assert_eq!(attempts - 1, most),
            PlaceFailure::MaximumEventAge(_) => assert!(route.policy.maximum_event_age.is_some()),
            PlaceFailure::TooLarge | PlaceFailure::RecursiveInvocation => {}
        }
        self.note(matches!(cause, PlaceFailure::MaximumRetryAttempts(_)), "retries used up");
        self.note(matches!(cause, PlaceFailure::MaximumEventAge(_)), "too old");
        self.note(cause == PlaceFailure::TooLarge, "too large");
        self.note(cause == PlaceFailure::RecursiveInvocation, "loop");
        match (fate, route.dead_letter_queue) {
            (Undelivered::Lost, None) => self.note(true, "lost"),
            (Undelivered::DeadLettered(to), Some(queue)) => {
                assert_eq!(to, queue);
                self.count(delivery.place, 4);
                let sent =
                    matches!(next, Some(Fact::Message(MessageFact::Sent { queue, .. })) if Target::Queue(*queue) == to);
                assert!(sent, "{next:?}");
                self.note(true, "dead-lettered");
            }
            (Undelivered::Refused(to, _), Some(queue)) => {
                assert_eq!(to, queue);
                self.note(true, "dead letter refused");
            }
            (fate, queue) => panic!("{fate:?} with {queue:?}"),
        }
    }

    fn ended(&mut self, summary: &Value) {
        let left: u32 = self.expected.values().sum();
        assert!(self.scenario.drain != Drain::Settle || left == 0, "{left} deliveries never ended");
        self.note(left > 0, "left");
        let system = &self.scenario.system;
        let topics = system.topics.rows().iter().map(|place| ("topics", place.name.as_str()));
        let buses = system.event_buses.rows().iter().map(|place| ("event_buses", place.name.as_str()));
        let buckets = system.buckets.rows().iter().map(|place| ("buckets", place.name.as_str()));
        let mut index = BTreeMap::new();
        for (group, name) in topics.chain(buses).chain(buckets) {
            let place = index.entry(group).or_insert(0);
            let counts = self.counts.get(&(group, *place)).copied().unwrap_or_default();
            let fields = ["received", "delivered", "retries", "failed", "dead_letters"];
            for (field, count) in fields.into_iter().zip(counts) {
                let path = format!("{group}.{name}.{field}");
                assert!(same(number(summary, &path), count as f64), "{path}");
            }
            *place += 1;
        }
    }
}

/// What follows is that the target has it.
fn arrived(delivery: &PlaceDelivery, next: &Fact) {
    let (origin, to) = match *next {
        Fact::EventAccepted { origin, function, parent, .. } => {
            assert_eq!(parent, Some(delivery.origin.branch));
            (origin, Target::Function(function))
        }
        Fact::Message(MessageFact::Sent { origin, queue, .. }) => (origin, Target::Queue(queue)),
        Fact::Stream(StreamFact::Put { origin, stream, .. }) => (origin, Target::Stream(stream)),
        Fact::Place(PlaceFact::Received { origin, place, parent, .. }) => {
            assert_eq!(parent, Some(delivery.origin.branch));
            (origin, place)
        }
        other => panic!("{other:?} follows {delivery:?}"),
    };
    assert_eq!((to, origin), (delivery.to, Origin { branch: delivery.branch, ..delivery.origin }));
}
