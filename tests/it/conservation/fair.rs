//! Random fair queues against a slow model that knows each message (ESM-1.11).

use std::collections::BTreeMap;

use lambdasim::aws::config::Fairness;
use lambdasim::aws::fact::{Fact, Levels, MessageFact, MessageState, Origin};
use lambdasim::aws::ids::{Id, QueueId};
use lambdasim::kernel::quantity::Ratio;
use lambdasim::kernel::time::SimTime;
use lambdasim::scenario::Scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::common::{Facts, number, summary};

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

/// A queue with four tenants, and one caller whose messages have no group.
fn yaml() -> impl Strategy<Value = String> {
    let queue = (
        one_of(&["5s", "30s", "2m"]),
        one_of(&["", "", "delivery_delay: 3s,", "message_retention: 60s,", "maximum_in_flight: 12,"]),
        one_of(&["", "redrive: { dead_letter_queue: dlq, max_receive_count: 2 },"]),
        one_of(&["1", "2", "5"]),
        one_of(&["0%", "10%", "30%", "60%"]),
        one_of(&["", "", "processing_share: 25%,", "processing_share: 0%,"]),
        one_of(&["2s", "20s", "5m"]),
    );
    let worker = (
        one_of(&["duration: 200ms", "duration: 3s", "duration: { exponential: { mean: 2s } }"]),
        one_of(&["", ", failures: [{ probability: 30% }]", ", failures: [{ poison: 20% }]"]),
        one_of(&["", ", maximum_concurrency: 4", ", maximum_concurrency: 20", ", filter: 60%"]),
        one_of(&["1", "1", "3", "10"]),
    );
    let callers = (
        one_of(&["burst: { size: 60 }", "burst: { size: 30, every: 15s, times: 2 }", "poisson: 8/s"]),
        one_of(&["poisson: 2/s", "burst: { size: 25, at: 5s }"]),
        one_of(&["poisson: 1/s", "at: [0s, 0s, 2s]"]),
        one_of(&["", "", ", delay: { uniform: { min: 0s, max: 10s } }"]),
        0_u32..1_000,
    );
    let changes = one_of(&[
        "",
        "",
        "changes: [{ at: 10s, set: { queues.q.fair: off } }]",
        "changes: [{ at: 10s, set: { queues.q.fair.in_flight: 3, queues.q.fair.processing_share: 20% } }]",
        "changes: [{ at: 8s, set: { queues.q.fair: off } }, { at: 16s, set: { queues.q.fair: { in_flight: 2 } } }]",
        "changes: [{ at: 12s, set: { queues.q.delivery_delay: 5s } }]",
        "changes: [{ at: 20s, redrive: { queue: dlq, to: q, rate: 3/s } }]",
    ]);
    (queue, worker, callers, changes).prop_map(|(queue, worker, callers, changes)| {
        let (visibility, more, redrive, in_flight, share, processing, quiet_after) = queue;
        let (duration, failures, polling, batch) = worker;
        let (first, second, third, delay, seed) = callers;
        format!(
            "duration: 40s
drain: 10m
seed: {seed}
functions: {{ f: {{ {duration}, timeout: 5s{failures} }} }}
queues:
  q:
    {{ {redrive} {more} visibility_timeout: {visibility},
       fair: {{ {processing} in_flight: {in_flight}, share: {share}, quiet_after: {quiet_after} }} }}
  dlq: {{}}
event_source_mappings: {{ m: {{ source: q, function: f, batch_size: {batch}{polling} }} }}
callers:
  a: {{ target: q, keys: {{ constant: a }}, arrivals: {{ {first} }} }}
  b: {{ target: q, keys: {{ constant: b }}, arrivals: {{ {second} }}{delay} }}
  c: {{ target: q, keys: {{ constant: c }}, arrivals: {{ {third} }} }}
  d: {{ target: q, keys: {{ constant: c }}, arrivals: {{ poisson: 1/s }} }}
  alone: {{ target: q, arrivals: {{ {second} }} }}
{changes}"
        )
    })
}

/// The groups of the callers.
const GROUPS: [Option<&str>; 5] = [Some("a"), Some("b"), Some("c"), Some("c"), None];

/// FNV-1a, which is what groups are known by.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A message in the queue.
#[derive(Clone, Copy, Debug)]
struct Inside {
    group: Option<u64>,
    state: MessageState,
    visible_at: SimTime,
    arrived: SimTime,
}

/// Everything about one queue, as the facts tell it.
struct Model {
    /// Not known where it changes.
    fair: Option<Fairness>,
    /// Whether each receive gives one message.
    one_at_a_time: bool,
    messages: BTreeMap<(usize, u64), Inside>,
    /// Noisy groups.
    noisy: Vec<u64>,
    /// From when to when a message was in flight.
    processed: Vec<(Option<u64>, SimTime, SimTime)>,
    idle_since: BTreeMap<u64, SimTime>,
    quiet: Option<(Levels, Option<SimTime>)>,
    /// A message that a redrive task brings. What time alone did before is noticed after that is said.
    arriving: Option<(Origin, SimTime)>,
    words: Vec<&'static str>,
}

impl Model {
    fn let_in(&mut self) {
        if let Some((origin, at)) = self.arriving.take() {
            self.enter(&origin, MessageState::Visible, at, at);
        }
    }

    /// Only what time alone did is said before a message that a redrive task brings is in.
    fn look(&mut self, fact: &MessageFact) {
        let is_noticed_late = matches!(
            fact,
            MessageFact::DelayEnded { .. }
                | MessageFact::Returned { .. }
                | MessageFact::Expired { .. }
                | MessageFact::GroupQuiet { .. }
                | MessageFact::OldestChanged { .. }
                | MessageFact::QuietGroups { .. }
        );
        if !is_noticed_late {
            self.let_in();
        }
    }

    /// A message of the queue enters it, leaves it, or changes its state.
    fn message(&mut self, now: SimTime, fact: &MessageFact) {
        match *fact {
            MessageFact::Sent { origin, queue, visible_at, .. } if is_ours(queue) => {
                let state = if visible_at > now { MessageState::Delayed } else { MessageState::Visible };
                self.enter(&origin, state, visible_at, now);
            }
            MessageFact::DelayEnded { origin, queue, .. } if is_ours(queue) => self.show(&origin),
            MessageFact::Received { origin, queue, visible_at, from_noisy, .. } if is_ours(queue) => {
                if self.one_at_a_time {
                    self.judged(now);
                }
                self.received(now, &origin, visible_at, from_noisy);
                self.words.extend(from_noisy.then_some("a noisy message"));
            }
            MessageFact::Returned { origin, queue, at } if is_ours(queue) => {
                self.lands(&origin, at);
                self.show(&origin);
            }
            MessageFact::Deleted { origin, queue, .. } | MessageFact::Moved { origin, queue, .. } if is_ours(queue) => {
                self.leave(&origin, now);
            }
            MessageFact::Expired { origin, queue, at, .. } if is_ours(queue) => self.leave(&origin, at),
            MessageFact::Redriven { origin, to, .. } if is_ours(to) => self.arriving = Some((origin, now)),
            _ => {}
        }
    }

    /// A message group changes.
    fn group(&mut self, now: SimTime, fact: &MessageFact) {
        match *fact {
            MessageFact::GroupNoisy { group, in_flight, all_in_flight, .. } => {
                let found = (self.count(group, MessageState::InFlight), self.all(MessageState::InFlight, |_| true));
                assert_eq!((in_flight, all_in_flight), found);
                if let Some(fair) = &self.fair {
                    let too_much = self.has_too_much(group, fair);
                    assert!(too_much || self.took_too_long(group, now, fair), "noisy without a reason");
                    self.words.push(if too_much { "too much in flight" } else { "took too long" });
                }
                assert!(!self.noisy.contains(&group), "noisy twice");
                self.noisy.push(group);
            }
            MessageFact::GroupQuiet { group, at, .. } => {
                self.words.push(if self.count(group, MessageState::Visible) > 0 { "forgiven" } else { "consumed" });
                self.became_quiet(group, at);
            }
            MessageFact::QuietGroups { levels, oldest, .. } => {
                if (levels, oldest) != self.quiet_groups() {
                    self.let_in();
                }
                assert_eq!((levels, oldest), self.quiet_groups());
                self.quiet = Some((levels, oldest));
            }
            _ => {}
        }
    }

    fn show(&mut self, origin: &Origin) {
        self.messages.get_mut(&key(origin)).expect("a message of the queue").state = MessageState::Visible;
    }

    fn count(&self, group: u64, state: MessageState) -> u64 {
        self.all(state, |other| other == Some(group))
    }

    fn all(&self, state: MessageState, of: impl Fn(Option<u64>) -> bool) -> u64 {
        self.messages.values().filter(|message| message.state == state && of(message.group)).count() as u64
    }

    fn is_noisy(&self, group: Option<u64>) -> bool {
        group.is_some_and(|group| self.noisy.contains(&group))
    }

    /// ESM-1.11.2.
    fn has_too_much(&self, group: u64, fair: &Fairness) -> bool {
        let own = self.count(group, MessageState::InFlight);
        let all = self.all(MessageState::InFlight, |_| true);
        own >= u64::from(fair.in_flight) && own * Ratio::PARTS > all * fair.share.parts()
    }

    /// ESM-1.11.3: time in flight of the last five minutes, looked at message by message.
    fn took_too_long(&self, group: u64, now: SimTime, fair: &Fairness) -> bool {
        let Some(share) = fair.processing_share else { return false };
        let from = SimTime::from_nanos(now.as_nanos().saturating_sub(300_000_000_000));
        let time = |of: &dyn Fn(Option<u64>) -> bool| -> u128 {
            let spans = self.processed.iter().filter(|(group, ..)| of(*group));
            spans
                .map(|(_, begin, end)| u128::from((*end).min(now).saturating_since((*begin).max(from)).as_nanos()))
                .sum()
        };
        time(&|other| other == Some(group)) * u128::from(Ratio::PARTS) > time(&|_| true) * u128::from(share.parts())
    }

    fn enter(&mut self, origin: &Origin, state: MessageState, visible_at: SimTime, now: SimTime) {
        let group = GROUPS[origin.caller.index()].map(hash);
        let message = Inside { group, state, visible_at, arrived: now };
        assert!(self.messages.insert(key(origin), message).is_none(), "{origin:?} is there twice");
    }

    fn leave(&mut self, origin: &Origin, at: SimTime) {
        self.lands(origin, at);
        self.messages.remove(&key(origin)).expect("a message of the queue");
    }

    /// A message is not in flight any more, if it was.
    fn lands(&mut self, origin: &Origin, at: SimTime) {
        let message = self.messages[&key(origin)];
        if message.state != MessageState::InFlight {
            return;
        }
        let mut open = self.processed.iter_mut();
        let span = open.find(|(group, _, end)| *group == message.group && *end == SimTime::MAX).expect("in flight");
        span.2 = at;
        if let Some(group) = message.group {
            self.idle_since.insert(group, at);
        }
    }

    fn received(&mut self, now: SimTime, origin: &Origin, visible_at: SimTime, from_noisy: bool) {
        let message = self.messages[&key(origin)];
        assert_eq!(message.state, MessageState::Visible, "{origin:?}");
        assert_eq!(self.is_noisy(message.group), from_noisy, "{origin:?}");
        let waiting = || self.messages.values().filter(|other| other.state == MessageState::Visible);
        let first = waiting().filter(|other| !self.is_noisy(other.group)).map(|other| other.visible_at).min();
        if let (true, Some(group)) = (from_noisy, message.group) {
            assert_eq!(first, None, "a message of a quiet group waits");
            let fewest = self.noisy.iter().filter(|group| self.count(**group, MessageState::Visible) > 0);
            let fewest = fewest.map(|group| self.count(*group, MessageState::InFlight)).min();
            assert_eq!(fewest, Some(self.count(group, MessageState::InFlight)), "another one has fewer in flight");
        } else {
            assert_eq!(first, Some(message.visible_at), "another one was visible before {origin:?}");
        }
        let message = self.messages.get_mut(&key(origin)).expect("looked at above");
        (message.state, message.visible_at) = (MessageState::InFlight, visible_at);
        self.processed.push((message.group, now, SimTime::MAX));
    }

    /// What must hold when a message is received by itself: no group is quiet that should not be, nor noisy for ever.
    fn judged(&self, now: SimTime) {
        let Some(fair) = &self.fair else { return };
        for group in ["a", "b", "c"].map(hash) {
            if self.has_too_much(group, fair) {
                assert!(self.noisy.contains(&group), "a group with too much in flight is quiet");
            }
            if self.noisy.contains(&group) && self.count(group, MessageState::InFlight) == 0 {
                let since = self.idle_since.get(&group).copied().unwrap_or(SimTime::ZERO);
                assert!(now < since.plus(fair.quiet_after), "noisy with nothing in flight since {since:?}");
            }
        }
    }

    fn became_quiet(&mut self, group: u64, at: SimTime) {
        if let Some(fair) = &self.fair {
            let consumed = self.count(group, MessageState::Visible) == 0;
            let small = !self.has_too_much(group, fair) && !self.took_too_long(group, at, fair);
            let idle = self.count(group, MessageState::InFlight) == 0
                && self.idle_since.get(&group).is_some_and(|since| since.plus(fair.quiet_after) == at);
            assert!(idle || consumed && small, "quiet without a reason");
        }
        self.noisy.retain(|other| *other != group);
    }

    fn quiet_groups(&self) -> (Levels, Option<SimTime>) {
        let level = |state| self.all(state, |group| !self.is_noisy(group));
        let levels = Levels {
            delayed: level(MessageState::Delayed),
            visible: level(MessageState::Visible),
            in_flight: level(MessageState::InFlight),
        };
        let quiet = self.messages.values().filter(|message| !self.is_noisy(message.group));
        (levels, quiet.map(|message| message.arrived).min())
    }
}

fn key(origin: &Origin) -> (usize, u64) {
    (origin.caller.index(), origin.submission)
}

/// Where the queue is in the file.
fn is_ours(queue: QueueId) -> bool {
    queue == QueueId::from_index(0)
}

/// What a case came to, in words.
fn check(scenario: &Scenario, text: &str) -> Vec<&'static str> {
    let changes = text.contains("fair: off") || text.contains("fair.in_flight");
    let mut model = Model {
        fair: scenario.system.queues.rows()[0].fair.filter(|_| !changes),
        one_at_a_time: text.contains("batch_size: 1,") || text.contains("batch_size: 1 }"),
        messages: BTreeMap::new(),
        noisy: Vec::new(),
        processed: Vec::new(),
        idle_since: BTreeMap::new(),
        quiet: None,
        arriving: None,
        words: Vec::new(),
    };
    for (now, fact) in &Facts::of_scenario(scenario).list {
        if let Fact::Message(fact) = fact {
            model.look(fact);
            model.message(*now, fact);
            model.group(*now, fact);
        }
    }
    model.let_in();
    if let Some(said) = model.quiet {
        assert_eq!(said, model.quiet_groups(), "what was said last holds at the end");
    }
    let left = number(&summary(scenario), "conservation.queues.q.left");
    assert!((left - model.messages.len() as f64).abs() < 0.5, "{left} and not {}", model.messages.len());
    model.words
}

#[test]
fn fair_queues_keep_their_rules() {
    let config = Config { cases: Config::default().cases.max(300), failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = std::cell::RefCell::new(BTreeMap::new());
    let result = TestRunner::new_with_rng(config, rng).run(&yaml(), |text| {
        let scenario = crate::common::try_scenario(std::path::Path::new("."), &text, &[]);
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
        for word in check(&scenario, &text) {
            *seen.borrow_mut().entry(word).or_insert(0) += 1;
        }
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    let words = ["a noisy message", "too much in flight", "took too long", "forgiven", "consumed"];
    let missing: Vec<_> = words.into_iter().filter(|word| !seen.borrow().contains_key(word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}
