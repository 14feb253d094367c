//! Streams and brokers: their settings, and what AWS refuses of them.

use super::Builder;
use super::checks::{Blocks, is_fifo};
use super::names::Resource;
use crate::aws::config::{Broker, BrokerKind, CapacityMode, Stream, StreamKind};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved};

/// ESM-2.1: a stream is resharded so many times within so long.
const RESHARDINGS: usize = 10;
const RESHARDING_PERIOD: SimDuration = SimDuration::from_secs(24 * 3600);

impl Builder<'_> {
    /// The stream with this index.
    pub(super) fn stream(&mut self, index: usize, named: &Named) -> Option<Stream> {
        let block = &named.block;
        let kind = match block.if_has("type")?.word()? {
            "dynamodb" => StreamKind::DynamoDb,
            "kafka" => StreamKind::Kafka,
            "documentdb" => StreamKind::DocumentDb,
            _ => StreamKind::Kinesis,
        };
        Some(Stream {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Stream)[index].order,
            kind,
            shards: shards(block).map_or(Some(1), Resolved::count)?,
            retention: block.field("retention").optional(Resolved::duration)?,
            capacity_mode: capacity_mode(block)?,
            maximum_record_size: block.field("maximum_record_size").whole()?,
            write_bucket: block.if_has("write_bucket").map_or(Some(SimDuration::from_secs(1)), Resolved::duration)?,
            other_readers: block.if_has("other_readers").map_or(Some(0), Resolved::count)?,
            propagation: block.field("propagation").duration()?,
        })
    }

    /// The broker with this index.
    pub(super) fn broker(&mut self, index: usize, named: &Named) -> Option<Broker> {
        let block = &named.block;
        if block.is_bad() {
            return None;
        }
        let dead_letter_queue = block.field("dead_letter_queue").optional(|field| self.target(field));
        Some(Broker {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Broker)[index].order,
            kind: match block.field("type").word()? {
                "activemq" => BrokerKind::ActiveMq,
                _ => BrokerKind::RabbitMq,
            },
            message_retention: block.field("message_retention").optional(Resolved::duration)?,
            maximum_redeliveries: block.field("maximum_redeliveries").optional(Resolved::count)?,
            dead_letter_queue: dead_letter_queue?,
        })
    }

    /// ESM-2.1: what does not go together in a stream.
    pub(super) fn stream_combinations(&mut self, block: &Resolved) {
        let (Some(mode), Some(growth)) = (block.if_has("capacity_mode"), block.if_has("on_demand")) else { return };
        if mode.word() == Some("provisioned") && !growth.is_without() && !growth.is_bad() {
            self.contradiction(growth, "the stream is not an on-demand stream", |problem| {
                problem.with_expected("`on_demand` only with `capacity_mode: on_demand` (ESM-K16)")
            });
        }
    }

    /// What does not go together in a broker.
    pub(super) fn broker_combinations(&mut self, named: &Named, blocks: &Blocks) {
        let Some(field) = named.block.if_has("dead_letter_queue") else { return };
        match self.names.named(field) {
            Some(found @ Resource::Broker(_)) if self.names.find(&named.name) == Some(found) => {
                self.contradiction(field, "the messages would stay at the same broker", |problem| {
                    problem.with_expected("another broker, or a standard queue")
                });
            }
            Some(Resource::Queue(queue)) if is_fifo(&blocks.queues, queue) == Some(true) => {
                self.contradiction(field, "this is a FIFO queue", |problem| {
                    problem.with_expected("another broker, or a standard queue")
                });
            }
            Some(_) | None => {}
        }
    }

    /// ESM-2.1: whether the shards of a stream can change so; `calls` are the moments of the last changes.
    pub(super) fn reshards(
        &mut self,
        before: &Resolved,
        after: &Resolved,
        at: Option<SimTime>,
        calls: &mut Vec<SimTime>,
    ) {
        let (Some(old), Some(field)) = (shards(before).and_then(Resolved::whole), shards(after)) else { return };
        let Some(new) = field.whole().filter(|new| *new != old) else { return };
        let kind = after.field("type").word();
        if kind == Some("kafka") && new < old {
            self.contradiction(field, format!("a topic of {old} partitions cannot have {new}"), |problem| {
                problem.with_expected(format!("at least {old}: partitions can only be added (ESM-4)"))
            });
        }
        if kind != Some("kinesis") {
            return;
        }
        if after.field("capacity_mode").word() == Some("on_demand") {
            let place = after.field("capacity_mode").place;
            self.contradiction(field, "the shards of an on-demand stream are not set", |problem| {
                problem.with_expected("`capacity_mode: provisioned` (ESM-2.1)").with_related(place, "the mode")
            });
        } else if new > 2 * old || 2 * new < old {
            self.contradiction(field, format!("a stream of {old} shards cannot have {new} at once"), |problem| {
                problem.with_expected(format!("from {} to {} shards (ESM-2.1)", old.div_ceil(2), 2 * old))
            });
        }
        let Some(at) = at else { return };
        calls.retain(|call| at.since(*call) < RESHARDING_PERIOD);
        if calls.len() >= RESHARDINGS {
            self.contradiction(field, "the shards of this stream change too often", |problem| {
                problem.with_expected("at most 10 changes of `shards` within 24h (ESM-2.1)")
            });
        }
        calls.push(at);
    }
}

/// The key that says how many shards there are.
fn shards(block: &Resolved) -> Option<&Resolved> {
    block.if_has("shards").or_else(|| block.if_has("partitions"))
}

fn capacity_mode(block: &Resolved) -> Option<CapacityMode> {
    let Some(mode) = block.if_has("capacity_mode") else { return Some(CapacityMode::Provisioned) };
    if mode.word()? == "provisioned" {
        return Some(CapacityMode::Provisioned);
    }
    let growth = block.field("on_demand");
    Some(CapacityMode::OnDemand {
        factor_parts: growth.field("factor").factor_parts()?,
        after: growth.field("after").duration()?,
    })
}
