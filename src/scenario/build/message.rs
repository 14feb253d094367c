//! What a caller says of its messages and records, and whether its target takes it.

use super::Builder;
use super::checks::{Blocks, is_fifo};
use super::names::Resource;
use crate::aws::config::{Deduplication, Keys};
use crate::aws::ids::Id;
use crate::kernel::dist::Distribution;
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind, quote};
use crate::scenario::resolve::{Resolved, Value};

/// ESM-1.1: the longest delay of a message.
const DELAY_MAX: SimDuration = SimDuration::from_secs(900);

impl Builder<'_> {
    /// The partition keys and message groups.
    pub(super) fn keys(&mut self, value: &Resolved) -> Option<Keys> {
        if value.word().is_some() {
            return Some(Keys::Even);
        }
        let Value::Tagged(name, inner) = &value.value else { return None };
        match *name {
            "uniform" => inner.whole().map(Keys::Uniform),
            "zipf" => {
                Some(Keys::Zipf { count: inner.field("count").whole()?, exponent: inner.field("exponent").real()? })
            }
            "constant" => inner.text().map(|text| Keys::List(vec![text])),
            "list" => self.in_turn(inner)?.iter().map(Resolved::text).collect::<Option<_>>().map(Keys::List),
            "hash" => {
                let keys = self.in_turn(inner)?.iter().map(|key| self.hash_key(key)).collect::<Vec<_>>();
                keys.into_iter().collect::<Option<_>>().map(Keys::Hash)
            }
            name => unreachable!("the table has no keys {name}"),
        }
    }

    /// The items of a list that cannot be empty.
    fn in_turn<'r>(&mut self, list: &'r Resolved) -> Option<&'r [Resolved]> {
        if list.is_bad() {
            return None;
        }
        if list.list().is_empty() {
            let problem = Problem::new(ProblemKind::MissingKey, list.place, "the list of keys is empty");
            self.problems.push(problem.at_key(&list.path).with_expected("at least one key"));
            return None;
        }
        Some(list.list())
    }

    fn hash_key(&mut self, value: &Resolved) -> Option<u128> {
        let text = value.text()?;
        let number = text.parse().ok();
        if number.is_none() {
            let message = format!("{} is not a hash key", quote(&text));
            let problem = Problem::new(ProblemKind::InvalidValue, value.place, message).at_key(&value.path);
            self.problems.push(problem.with_expected("a whole number from 0 to 2^128 - 1"));
        }
        number
    }

    /// The deduplication ids.
    #[allow(clippy::unused_self, reason = "reads like the other parts of a caller")]
    pub(super) fn deduplication(&self, value: &Resolved) -> Option<Deduplication> {
        if value.is_without() {
            return Some(Deduplication::None);
        }
        let Value::Tagged(name, inner) = &value.value else { return None };
        match *name {
            "constant" => inner.text().map(Deduplication::Constant),
            _ => inner.whole().map(Deduplication::Uniform),
        }
    }

    /// ESM-1.1: the delays of messages.
    pub(super) fn delay(&mut self, value: &Resolved) -> Option<Distribution> {
        let delay = self.distribution(value)?;
        if delay.max().is_some_and(|longest| longest <= DELAY_MAX.as_nanos()) {
            return Some(delay);
        }
        let problem = Problem::new(ProblemKind::OutOfRange, value.place, "a message may be delayed by more than 15m");
        let problem = problem.at_key(&value.path).with_expected("at most 15m (ESM-1.1)");
        self.problems.push(if delay.max().is_none() {
            problem.with_help("this distribution has no largest value; `uniform` and `quantiles` have one")
        } else {
            problem
        });
        None
    }

    /// Whether the target of a caller takes what its other keys say.
    pub(super) fn caller_combinations(&mut self, block: &Resolved, blocks: &Blocks) {
        let target = block.field("target");
        let Some(resource) = self.names.named(target) else { return };
        let invocation = block.field("invocation");
        let invoked = matches!(resource, Resource::Function(_) | Resource::StateMachine(_));
        if !invoked && invocation.word() == Some("async") && invocation.is_written() {
            let expected = "`invocation: async` only with a function or state machine as the `target`";
            self.not_taken(invocation, target, "a message is sent, not invoked", expected);
        }
        match resource {
            Resource::Function(_) => self.sent_to(block, "a function is not sent messages"),
            Resource::StateMachine(_) => self.sent_to(block, "a state machine is not sent messages"),
            Resource::Queue(queue) => self.sent_to_a_queue(block, is_fifo(&blocks.queues, queue)),
            Resource::Stream(stream) => {
                let kind = blocks.streams[stream.index()].if_has("type").and_then(Resolved::word);
                self.sent_to_a_stream(block, kind);
            }
            Resource::Broker(_) => self.sent_to_a_broker(block),
            Resource::Topic(_) => self.sent_to_a_place(block, "a message to a topic", 10),
            Resource::EventBus(_) => self.sent_to_a_place(block, "an event for a bus", 10),
            Resource::Bucket(_) => self.sent_to_a_place(block, "an object for a bucket", 1),
            Resource::Mapping(_) | Resource::Caller(_) | Resource::Dependency(_) => {}
        }
    }

    /// `most` is how many a call holds at most.
    fn sent_to_a_place(&mut self, block: &Resolved, what: &str, most: u64) {
        self.not_a_queue(block, what);
        let (keys, target) = (block.field("keys"), block.field("target"));
        if is_said(keys) {
            self.not_taken(keys, target, &format!("{what} has no key"), "a queue or a stream as the `target`");
        }
        self.fit_in_a_call(block, most, &format!("at most {most} to this target"));
        self.users_pause(block);
    }

    fn sent_to(&mut self, block: &Resolved, why: &str) {
        for field in MESSAGE_KEYS.map(|name| block.field(name)).into_iter().filter(|field| is_said(field)) {
            let expected = "a queue, stream or broker as the `target`";
            self.not_taken(field, block.field("target"), why, expected);
        }
    }

    fn sent_to_a_queue(&mut self, block: &Resolved, fifo: Option<bool>) {
        let target = block.field("target");
        let (delay, deduplication) = (block.field("delay"), block.field("deduplication"));
        match fifo {
            Some(true) if is_said(delay) => {
                let expected = "the queue's `delivery_delay` (ESM-1.1)";
                self.not_taken(delay, target, "messages of a FIFO queue have no delay of their own", expected);
            }
            Some(false) if is_said(deduplication) => {
                let expected = "a FIFO queue as the `target` (ESM-1.10)";
                self.not_taken(deduplication, target, "a standard queue does not deduplicate", expected);
            }
            Some(_) | None => {}
        }
        self.fit_in_a_call(block, 10, "at most 10 to a queue (ESM-1.1)");
        if fifo == Some(false) {
            self.users_pause(block);
        }
    }

    fn sent_to_a_stream(&mut self, block: &Resolved, kind: Option<&str>) {
        let target = block.field("target");
        self.not_a_queue(block, "a record of a stream");
        let keys = block.field("keys");
        if let Value::Tagged("hash", inner) = &keys.value
            && kind.is_some_and(|kind| kind != "kinesis")
        {
            let expected = "a Kinesis stream as the `target` (ESM-2.1)";
            self.not_taken(inner, target, "only Kinesis takes explicit hash keys", expected);
        }
        let (most, expected) = match kind {
            Some("dynamodb") => (25, "at most 25 to a DynamoDB table"),
            _ => (500, "at most 500 to a stream (ESM-2.1)"),
        };
        self.fit_in_a_call(block, most, expected);
        if kind.is_some_and(|kind| kind != "kinesis") {
            self.users_pause(block);
        }
    }

    fn sent_to_a_broker(&mut self, block: &Resolved) {
        self.not_a_queue(block, "a message at a broker");
        let (keys, messages) = (block.field("keys"), block.field("messages_per_call"));
        let target = block.field("target");
        if is_said(keys) {
            self.not_taken(keys, target, "a message at a broker has no key", "`keys: even` with a broker (ESM-5)");
        }
        if is_said(messages) {
            let expected = "`1` with a broker (ESM-5)";
            self.not_taken(messages, target, "a broker takes one message at a time", expected);
        }
        self.users_pause(block);
    }

    /// What only messages of queues have.
    fn not_a_queue(&mut self, block: &Resolved, what: &str) {
        let target = block.field("target");
        for (key, has) in [("delay", "no delay of its own"), ("deduplication", "no deduplication id")] {
            let field = block.field(key);
            if is_said(field) {
                self.not_taken(field, target, &format!("{what} has {has}"), "a queue as the `target`");
            }
        }
    }

    fn fit_in_a_call(&mut self, block: &Resolved, most: u64, expected: &str) {
        let field = block.field("messages_per_call");
        let Some(messages) = field.whole().filter(|messages| *messages > most) else { return };
        let message = format!("`{messages}` is too large for one call");
        let problem = Problem::new(ProblemKind::OutOfRange, field.place, message).at_key(&field.path);
        self.problems.push(problem.with_expected(expected).with_related(block.field("target").place, "the target"));
    }

    /// What takes all that is sent in no time must not be sent to in no time again.
    fn users_pause(&mut self, block: &Resolved) {
        let users = block.field("users");
        if users.is_without() || users.is_bad() {
            return;
        }
        let think = users.field("think");
        let pause =
            if let Value::Tagged("constant", inner) = &think.value { inner.duration() } else { think.duration() };
        if pause == Some(SimDuration::ZERO) {
            let place = block.field("target").place;
            self.contradiction(think, "these users never stop sending", |problem| {
                problem
                    .with_expected("a pause between calls")
                    .with_related(place, "it accepts each call at once")
                    .with_help("write for example `think: 1s`")
            });
        }
    }

    fn not_taken(&mut self, field: &Resolved, target: &Resolved, message: &str, expected: &str) {
        self.not_taken_by(field, (target, "the target"), message, expected);
    }

    /// Notes that what is called, or sent to, has no such setting.
    pub(super) fn not_taken_by(&mut self, field: &Resolved, by: (&Resolved, &str), message: &str, expected: &str) {
        let (target, what) = by;
        self.contradiction(field, message, |problem| problem.with_expected(expected).with_related(target.place, what));
    }
}

/// What a caller says of its messages.
const MESSAGE_KEYS: [&str; 4] = ["keys", "delay", "deduplication", "messages_per_call"];

/// Whether one of these keys says something: a default may be written too.
pub(super) fn is_said(field: &Resolved) -> bool {
    let nothing = matches!(field.value, Value::Word(_) | Value::Without(_) | Value::Bad);
    !nothing && field.whole() != Some(1)
}
