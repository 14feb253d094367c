//! Mappings of streams, Kafka topics, brokers and `DocumentDB`: how they read, and what AWS refuses of them.

use std::collections::BTreeMap;

use super::{SHORT_WINDOW, source_type, switch};
use crate::aws::config::{Consumers, KafkaPollers, PollPhase, StartingPosition, StreamPolling};
use crate::aws::ids::Id;
use crate::kernel::time::SimDuration;
use crate::scenario::build::Builder;
use crate::scenario::build::asynchronous::backoff;
use crate::scenario::build::checks::{Blocks, is_fifo};
use crate::scenario::build::names::Resource;
use crate::scenario::keys::SourceType;
use crate::scenario::resolve::{Resolved, Value};

/// ESM-4.2: the most mappings of one group of pollers, and the most pollers of all of them.
const GROUP_MAPPINGS: u64 = 100;
const GROUP_POLLERS: u64 = 2000;
/// ESM-2.1: the most readers of one stream with enhanced fan-out.
const FAN_OUT_READERS: usize = 20;

impl Builder<'_> {
    /// How records are read and tried again. What the type of the source has no key for has no effect.
    pub(super) fn stream_polling(&mut self, block: &Resolved) -> Option<StreamPolling> {
        let nothing = StreamPolling::default();
        let on_failure = match block.if_has("on_failure") {
            Some(field) => field.optional(|value| self.target(value))?,
            None => None,
        };
        Some(StreamPolling {
            starting_position: match block.if_has("starting_position") {
                Some(field) => starting_position(field)?,
                None => nothing.starting_position,
            },
            parallelization_factor: match block.if_has("parallelization_factor") {
                Some(field) => field.count()?,
                None => nothing.parallelization_factor,
            },
            maximum_retry_attempts: match block.if_has("maximum_retry_attempts") {
                Some(field) => field.optional(Resolved::count)?,
                None => None,
            },
            maximum_record_age: match block.if_has("maximum_record_age") {
                Some(field) => field.optional(Resolved::duration)?,
                None => None,
            },
            bisect_batch_on_function_error: switch(block, "bisect_batch_on_function_error")?,
            bisect_resets_retries: switch(block, "bisect_resets_retries")?,
            tumbling_window: duration(block, "tumbling_window", nothing.tumbling_window)?,
            tumbling_window_grace: duration(block, "tumbling_window_grace", nothing.tumbling_window_grace)?,
            on_failure,
            retry: backoff(block.field("retry"))?,
            enhanced_fan_out: switch(block, "enhanced_fan_out")?,
            push_delay: duration(block, "push_delay", nothing.push_delay)?,
            poll_every: duration(block, "poll_every", nothing.poll_every)?,
            poll_phase: match block.if_has("poll_phase") {
                Some(field) if field.word().is_some() => PollPhase::Random,
                Some(field) => PollPhase::Fixed(field.duration()?),
                None => nothing.poll_phase,
            },
            consumer_group: match block.if_has("consumer_group") {
                Some(field) => field.text()?,
                None => nothing.consumer_group,
            },
            consumers: match block.if_has("consumers") {
                Some(field) => consumers(field)?,
                None => nothing.consumers,
            },
            provisioned: match block.if_has("provisioned_pollers") {
                Some(field) => field.optional(kafka_pollers)?,
                None => None,
            },
        })
    }

    /// ESM-2 to 5: what AWS refuses of a mapping that does not read a queue.
    pub(super) fn reader_combinations(&mut self, block: &Resolved, source: SourceType, blocks: &Blocks) {
        let window = block.field("maximum_batching_window");
        match source {
            SourceType::Sqs => {}
            SourceType::Kinesis | SourceType::DynamoDb => {
                self.whole_seconds(window, "whole seconds, at most 5m (ESM-1.1)");
                self.whole_seconds(block.field("tumbling_window"), "whole seconds, at most 15m (ESM-2.4)");
                self.one_batch_of_a_window(block);
                self.phase_within_period(block);
            }
            SourceType::Kafka | SourceType::Mq | SourceType::DocumentDb => {
                if window.duration() != Some(SHORT_WINDOW) {
                    self.whole_seconds(window, "whole seconds, at most 5m, or the default of 500ms (ESM-6.3)");
                }
            }
        }
        if let Some(age) = block.if_has("maximum_record_age") {
            self.whole_seconds(age, "`unlimited`, or whole seconds from 60s to 7d (ESM-2.3)");
        }
        if let Some(field) = block.if_has("on_failure") {
            self.destination(field, block, blocks);
        }
        if source == SourceType::Kafka {
            self.modes_of_kafka(block);
        }
    }

    /// ESM-2.4: state is carried from run to run of a shard.
    fn one_batch_of_a_window(&mut self, block: &Resolved) {
        let (window, factor) = (block.field("tumbling_window"), block.field("parallelization_factor"));
        if window.duration().is_some_and(|length| length > SimDuration::ZERO)
            && factor.whole().is_some_and(|factor| factor > 1)
        {
            let place = window.place;
            self.contradiction(factor, "a tumbling window has one batch of a shard at a time", |problem| {
                problem
                    .with_expected("a parallelization factor of 1 with a tumbling window (ESM-2.4)")
                    .with_related(place, "the window")
            });
        }
    }

    /// ESM-K7.
    fn phase_within_period(&mut self, block: &Resolved) {
        let (phase, every) = (block.field("poll_phase"), block.field("poll_every"));
        if phase.duration().zip(every.duration()).is_some_and(|(phase, every)| phase >= every) {
            self.contradiction(phase, "`poll_phase` is not shorter than `poll_every`", |problem| {
                problem.with_expected("less than the time between two reads (ESM-K7)")
            });
        }
    }

    /// ESM-2.3, 4.2: where discarded batches are told of.
    fn destination(&mut self, field: &Resolved, block: &Resolved, blocks: &Blocks) {
        let source = block.field("source");
        match self.names.named(field) {
            Some(Resource::Queue(queue)) if is_fifo(&blocks.queues, queue) == Some(true) => {
                self.contradiction(field, "this is a FIFO queue", |problem| {
                    problem.with_expected("a standard queue (ESM-2.3)")
                });
            }
            Some(Resource::Stream(stream)) => {
                let place = source.place;
                let kind = blocks.streams[stream.index()].if_has("type").and_then(Resolved::word);
                if kind.is_some_and(|kind| kind != "kafka") {
                    self.contradiction(field, "this is not a Kafka topic", |problem| {
                        problem.with_expected("a queue, topic, bucket or Kafka topic (ESM-4.2)")
                    });
                } else if self.names.named(source) == Some(Resource::Stream(stream)) {
                    self.contradiction(field, "the records would come back to the same topic", |problem| {
                        problem.with_expected("another topic (ESM-4.2)").with_related(place, "the source")
                    });
                } else if block.if_has("provisioned_pollers").is_some_and(Resolved::is_without) {
                    self.only_provisioned(field, "a Kafka topic as the destination");
                }
            }
            Some(_) | None => {}
        }
    }

    /// ESM-4.1, 4.2: what only the provisioned mode of Kafka has, and its numbers.
    fn modes_of_kafka(&mut self, block: &Resolved) {
        let provisioned = block.field("provisioned_pollers");
        if !provisioned.is_without() {
            self.at_most(provisioned, "minimum", "maximum");
            return;
        }
        for (key, what) in [
            ("report_batch_item_failures", "the list of failed records"),
            ("maximum_retry_attempts", "a limit on retries"),
            ("maximum_record_age", "a limit on the age of records"),
            ("bisect_batch_on_function_error", "the splitting of batches"),
        ] {
            let field = block.field(key);
            if !field.is_without() && !field.is_bad() && field.switch() != Some(false) {
                self.only_provisioned(field, what);
            }
        }
    }

    fn only_provisioned(&mut self, field: &Resolved, what: &str) {
        self.contradiction(field, format!("{what} needs the provisioned mode of Kafka"), |problem| {
            problem.with_expected("`provisioned_pollers` beside it (ESM-4.2)")
        });
    }

    /// ESM-4.2: mappings that share their pollers' units. The mapping that changed gets the blame, if there is one.
    pub(in crate::scenario::build) fn groups_of_pollers(&mut self, blocks: &Blocks, changed: Option<&Resolved>) {
        if changed.is_some_and(|block| group_of(block).is_none()) {
            return;
        }
        let mut groups: BTreeMap<String, (u64, u64, bool)> = BTreeMap::new();
        for block in &blocks.mappings {
            let Some(group) = group_of(block) else { continue };
            let (mappings, pollers, noted) = groups.entry(group).or_insert((0, 0, false));
            *mappings += 1;
            *pollers += block.field("provisioned_pollers").field("maximum").whole().unwrap_or(0);
            if *noted || (*mappings <= GROUP_MAPPINGS && *pollers <= GROUP_POLLERS) {
                continue;
            }
            *noted = true;
            let message = if *mappings > GROUP_MAPPINGS {
                format!("{mappings} mappings are in this group")
            } else {
                format!("the mappings of this group have {pollers} pollers in all")
            };
            let field = changed.unwrap_or(block).field("provisioned_pollers").field("group");
            self.contradiction(field, message, |problem| {
                problem.with_expected("at most 100 mappings, with a `maximum` of 2000 in all (ESM-4.2)")
            });
        }
    }

    /// ESM-2.1: a stream has so many readers with enhanced fan-out, and no more.
    pub(in crate::scenario::build) fn fan_out_readers(&mut self, blocks: &Blocks) {
        let mut readers = BTreeMap::new();
        for block in &blocks.mappings {
            let Some(fan_out) = block.if_has("enhanced_fan_out").filter(|field| field.switch() == Some(true)) else {
                continue;
            };
            let source = block.field("source").text();
            let count = readers.entry(source).or_insert(0);
            *count += 1;
            if *count == FAN_OUT_READERS + 1 {
                self.contradiction(fan_out, "the stream has more readers of this kind than it can", |problem| {
                    problem.with_expected("at most 20 readers with enhanced fan-out (ESM-2.1)")
                });
            }
        }
    }
}

/// The group that a Kafka mapping shares its pollers' units with.
fn group_of(mapping: &Resolved) -> Option<String> {
    let kafka = source_type(mapping) == Some(SourceType::Kafka);
    let pollers = mapping.if_has("provisioned_pollers").filter(|_| kafka)?;
    pollers.if_has("group")?.text()
}

/// A length, or this one where the block has no such key.
fn duration(block: &Resolved, key: &str, otherwise: SimDuration) -> Option<SimDuration> {
    block.if_has(key).map_or(Some(otherwise), Resolved::duration)
}

fn starting_position(field: &Resolved) -> Option<StartingPosition> {
    match (&field.value, field.word()) {
        (Value::Block(..), _) => field.field("at").moment().map(StartingPosition::At),
        (_, Some("latest")) => Some(StartingPosition::Latest),
        (_, Some(_)) => Some(StartingPosition::TrimHorizon),
        _ => None,
    }
}

fn consumers(block: &Resolved) -> Option<Consumers> {
    Some(Consumers {
        initial: block.field("initial").count()?,
        every: block.field("every").duration()?,
        factor_parts: block.field("factor").factor_parts()?,
        effective_after: block.field("effective_after").duration()?,
        shrink_after: block.field("shrink_after").count()?,
    })
}

fn kafka_pollers(block: &Resolved) -> Option<KafkaPollers> {
    Some(KafkaPollers {
        minimum: block.field("minimum").count()?,
        maximum: block.field("maximum").count()?,
        invocations: block.field("invocations").count()?,
        throughput: block.field("throughput").whole()?,
        every: block.field("every").duration()?,
        group: block.field("group").optional(Resolved::text)?,
    })
}
