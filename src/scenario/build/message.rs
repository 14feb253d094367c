//! What a caller says of its messages, and whether its target takes it.

use super::Builder;
use super::checks::is_fifo;
use crate::aws::config::{Deduplication, Keys};
use crate::kernel::dist::Distribution;
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind, quote};
use crate::scenario::resolve::{Resolved, Value};

/// ESM-1.1: the longest delay of a message.
const DELAY_MAX: SimDuration = SimDuration::from_secs(900);

impl Builder<'_> {
    /// The message groups.
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
    pub(super) fn caller_combinations(&mut self, block: &Resolved, queues: &[Resolved]) {
        let target = block.field("target");
        let Some(resource) = self.names.named(target) else { return };
        let message_keys = ["keys", "delay", "deduplication", "messages_per_call"].map(|name| block.field(name));
        let written = |field: &&Resolved| {
            let nothing = matches!(field.value, Value::Word(_) | Value::Without(_) | Value::Bad);
            !nothing && field.whole() != Some(1)
        };
        let Some(queue) = resource.queue() else {
            for field in message_keys.into_iter().filter(written) {
                self.not_taken(field, target, "a function is not sent messages", "a queue as the `target`");
            }
            return;
        };
        let invocation = block.field("invocation");
        if invocation.word() == Some("async") {
            let expected = "`invocation: async` only with a function as the `target`";
            self.not_taken(invocation, target, "a message is sent, not invoked", expected);
        }
        let [_, delay, deduplication, _] = message_keys;
        match is_fifo(queues, queue) {
            Some(true) if written(&delay) => {
                let expected = "the queue's `delivery_delay` (ESM-1.1)";
                self.not_taken(delay, target, "messages of a FIFO queue have no delay of their own", expected);
            }
            Some(false) if written(&deduplication) => {
                let expected = "a FIFO queue as the `target` (ESM-1.10)";
                self.not_taken(deduplication, target, "a standard queue does not deduplicate", expected);
            }
            Some(_) | None => {}
        }
    }

    fn not_taken(&mut self, field: &Resolved, target: &Resolved, message: &str, expected: &str) {
        let place = target.place;
        self.contradiction(field, message, |problem| problem.with_expected(expected).with_related(place, "the target"));
    }
}
