//! Places that pass on what they receive: topics, event buses and buckets.

use std::sync::Arc;

use super::Builder;
use super::checks::{Blocks, is_fifo};
use super::names::Resource;
use super::retry::{notification_retry, rule_retry, topic_retry};
use crate::aws::config::{Bucket, EventBus, Route, Target, Topic};
use crate::aws::ids::Id as _;
use crate::aws::limits;
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved};

impl Builder<'_> {
    /// The topic with this index.
    pub(super) fn topic(&mut self, index: usize, named: &Named) -> Option<Topic> {
        let block = &named.block;
        let policy = self.growing(block.field("retry")).and_then(topic_retry).map(Arc::new);
        let subscribers = block.field("subscribers");
        let routes = (0..).zip(subscribers.list()).map(|(rule, entry)| {
            let (to, queue) = (self.target(entry.field("to")), self.keeper(entry));
            let (policy, matches) = (policy.clone()?, entry.field("match").ratio()?);
            Some(Route { to: to?, rule, matches, policy, dead_letter_queue: queue? })
        });
        let routes = routes.collect::<Vec<_>>();
        Some(Topic {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Topic)[index].order,
            maximum_message_size: block.field("maximum_message_size").whole()?,
            routes: routes.into_iter().collect::<Option<_>>().filter(|_| policy.is_some())?,
        })
    }

    /// The event bus with this index.
    pub(super) fn event_bus(&mut self, index: usize, named: &Named) -> Option<EventBus> {
        let mut routes = Vec::new();
        for (number, rule) in (0..).zip(named.block.field("rules").list()) {
            let policy = rule_retry(rule.field("retry")).map(Arc::new);
            let queue = self.keeper(rule);
            for target in rule.field("targets").list() {
                let to = self.target(target);
                routes.push(match (to, &policy, rule.field("match").ratio(), queue) {
                    (Some(to), Some(policy), Some(matches), Some(dead_letter_queue)) => {
                        Some(Route { to, rule: number, matches, policy: policy.clone(), dead_letter_queue })
                    }
                    _ => None,
                });
            }
        }
        Some(EventBus {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::EventBus)[index].order,
            routes: routes.into_iter().collect::<Option<_>>()?,
        })
    }

    /// The bucket with this index.
    pub(super) fn bucket(&mut self, index: usize, named: &Named) -> Option<Bucket> {
        let block = &named.block;
        let delay = self.distribution(block.field("delay"));
        let policy = notification_retry(block.field("retry")).map(Arc::new);
        let routes = (0..).zip(block.field("notify").list()).map(|(rule, entry)| {
            let to = self.target(entry.field("to"));
            let (policy, matches) = (policy.clone()?, entry.field("match").ratio()?);
            Some(Route { to: to?, rule, matches, policy, dead_letter_queue: None })
        });
        let routes = routes.collect::<Vec<_>>();
        Some(Bucket {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Bucket)[index].order,
            delay: delay.map(|delay| Some(delay).filter(|delay| delay.max() != Some(0)))?,
            routes: routes.into_iter().collect::<Option<_>>().filter(|_| policy.is_some())?,
        })
    }

    /// The dead-letter queue of a subscription or a rule.
    #[allow(clippy::option_option, reason = "the outer one is for values that cannot be read")]
    fn keeper(&mut self, entry: &Resolved) -> Option<Option<Target>> {
        entry.field("dead_letter_queue").optional(|value| self.target(value))
    }

    /// INV-D31: the waits of the back-off phase do not become shorter.
    fn growing<'r>(&mut self, retry: &'r Resolved) -> Option<&'r Resolved> {
        let phase = retry.field("backoff");
        let (from, to) = (phase.field("from"), phase.field("to"));
        let shrinks = |from: SimDuration, to: SimDuration| to < from;
        if !from.duration().zip(to.duration()).is_some_and(|(from, to)| shrinks(from, to)) {
            return Some(retry);
        }
        let place = from.place;
        self.contradiction(to, "`to` is less than `from`", |problem| {
            problem.with_expected("a last wait at least as long as the first").with_related(place, "the first wait")
        });
        None
    }

    /// What AWS refuses of a topic.
    pub(super) fn topic_combinations(&mut self, named: &Named, blocks: &Blocks) {
        let mut earlier = Vec::new();
        for entry in named.block.field("subscribers").list() {
            self.listed_once(entry.field("to"), &mut earlier);
            self.standard_queue(
                entry.field("to"),
                blocks,
                "a function or a standard queue: the topic is a standard one",
            );
            self.standard_queue(entry.field("dead_letter_queue"), blocks, "a standard queue (INV-6)");
        }
    }

    /// What AWS refuses of an event bus.
    pub(super) fn event_bus_combinations(&mut self, named: &Named, blocks: &Blocks) {
        let own = self.names.find(&named.name);
        for rule in named.block.field("rules").list() {
            let targets = rule.field("targets");
            let mut earlier = Vec::new();
            for target in targets.list() {
                self.listed_once(target, &mut earlier);
                match self.names.named(target) {
                    Some(found) if Some(found) == own => {
                        self.contradiction(target, "this is the same event bus", |problem| {
                            problem.with_expected("another event bus: its events would come back for ever")
                        });
                    }
                    Some(Resource::Stream(stream)) => self.kinesis(target, &blocks.streams[stream.index()]),
                    Some(_) | None => {}
                }
            }
            let count = targets.list().len();
            if count > limits::RULE_TARGETS {
                let message = format!("the rule has {count} targets");
                let problem = Problem::new(ProblemKind::Limit, targets.place, message).at_key(&targets.path);
                self.problems.push(
                    problem
                        .with_expected(format!("at most {} (INV-6)", limits::RULE_TARGETS))
                        .with_help("write a second rule, or send to a topic"),
                );
            }
            self.standard_queue(rule.field("dead_letter_queue"), blocks, "a standard queue (INV-6)");
        }
    }

    /// What AWS refuses of a bucket.
    pub(super) fn bucket_combinations(&mut self, named: &Named, blocks: &Blocks) {
        let mut earlier = Vec::new();
        for entry in named.block.field("notify").list() {
            self.listed_once(entry.field("to"), &mut earlier);
            let expected = "a function, a standard queue, a topic or an event bus: S3 does not notify FIFO queues";
            self.standard_queue(entry.field("to"), blocks, expected);
        }
    }

    /// Notes a target that was listed before: AWS has one subscription, target or notification for each.
    fn listed_once<'r>(&mut self, target: &'r Resolved, earlier: &mut Vec<(Resource, &'r Resolved)>) {
        let Some(found) = self.names.named(target) else { return };
        match earlier.iter().find(|(other, _)| *other == found) {
            Some((_, first)) => {
                let place = first.place;
                self.contradiction(target, "this is listed twice", |problem| {
                    problem.with_expected("each target once").with_related(place, "the first time")
                });
            }
            None => earlier.push((found, target)),
        }
    }

    /// Notes a FIFO queue where AWS takes none.
    fn standard_queue(&mut self, field: &Resolved, blocks: &Blocks, expected: &str) {
        if let Some(queue) = self.names.named(field).and_then(Resource::queue)
            && is_fifo(&blocks.queues, queue) == Some(true)
        {
            self.contradiction(field, "this is a FIFO queue", |problem| problem.with_expected(expected));
        }
    }

    /// Rules write to Kinesis streams.
    fn kinesis(&mut self, target: &Resolved, stream: &Resolved) {
        let Some(kind) = stream.if_has("type") else { return };
        if kind.word().is_some_and(|word| word != "kinesis") {
            let place = kind.place;
            self.contradiction(target, "rules do not write to this type of stream", |problem| {
                problem.with_expected("a Kinesis stream").with_related(place, "its type")
            });
        }
    }
}
