//! Event source mappings: what those of all sources have. [`sqs`] and [`stream`] hold what only some have, and what
//! AWS refuses of it.

mod sqs;
mod stream;

use super::Builder;
use super::asynchronous::backoff;
use super::checks::Blocks;
use crate::aws::config::{EventSourceMapping, SqsPolling, StreamPolling, WindowOpens};
use crate::kernel::quantity::Ratio;
use crate::kernel::time::SimDuration;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::{BY_SOURCE, ResourceKind, SourceType};
use crate::scenario::resolve::{Named, Resolved, Value};

const SECOND: SimDuration = SimDuration::from_secs(1);
/// ESM-6.3: the default window of Kafka, MQ and `DocumentDB`, the only one that is not of whole seconds.
const SHORT_WINDOW: SimDuration = SimDuration::from_millis(500);

impl Builder<'_> {
    /// The mapping with this index.
    pub(super) fn mapping(&mut self, index: usize, named: &Named) -> Option<EventSourceMapping> {
        let block = &named.block;
        let source_type = source_type(block)?;
        let source = self.source(block.field("source"));
        let function = self.function_id(block.field("function"));
        let polling = match source_type {
            SourceType::Sqs => sqs::polling(block).map(|sqs| (sqs, StreamPolling::default())),
            SourceType::Kinesis
            | SourceType::DynamoDb
            | SourceType::Kafka
            | SourceType::Mq
            | SourceType::DocumentDb => self.stream_polling(block).map(|stream| (SqsPolling::default(), stream)),
        };
        let (sqs, stream) = polling?;
        Some(EventSourceMapping {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Mapping)[index].order,
            source: source?,
            function: function?,
            enabled: block.field("enabled").switch()?,
            batch_size: block.field("batch_size").count()?,
            maximum_batching_window: block.field("maximum_batching_window").duration()?,
            filter: block.if_has("filter").map_or(Some(Ratio::ONE), Resolved::ratio)?,
            report_batch_item_failures: switch(block, "report_batch_item_failures")?,
            enable_delay: block.field("enable_delay").duration()?,
            update_pause: block.field("update_pause").duration()?,
            invoke_overhead: block.field("invoke_overhead").duration()?,
            window_opens: match block.field("window_opens").word()? {
                "rolling" => WindowOpens::Rolling,
                _ => WindowOpens::FirstRecord,
            },
            payload_limit: block.field("payload_limit").whole()?,
            record_overhead: block.field("record_overhead").whole()?,
            body_factor_parts: block.field("body_factor").factor_parts()?,
            spurious_duplicate_probability: block.field("spurious_duplicate_probability").ratio()?,
            throttle_retry: backoff(block.field("throttle_retry"))?,
            sqs,
            stream,
        })
    }

    /// ESM-1.1, 2 to 5: what AWS refuses when a mapping is made or updated, but for the time-outs.
    pub(super) fn mapping_combinations(&mut self, block: &Resolved, blocks: &Blocks) {
        match source_type(block) {
            Some(SourceType::Sqs) => self.sqs_combinations(block, blocks),
            Some(source) => self.reader_combinations(block, source, blocks),
            None => {}
        }
    }

    /// What AWS does not change of a mapping that there is.
    pub(super) fn mapping_stays(&mut self, before: &Resolved, after: &Resolved) {
        for key in ["source", "starting_position", "consumer_group", "enhanced_fan_out"] {
            self.stays(before, after, key);
        }
        // ESM-4.1: AWS's word for this length is to say nothing, which an update cannot.
        let window = |block: &Resolved| block.if_has("maximum_batching_window").and_then(Resolved::duration);
        if window(after) == Some(SHORT_WINDOW) && window(before).is_some_and(|before| before != SHORT_WINDOW) {
            let field = after.field("maximum_batching_window");
            self.contradiction(field, "the default window of 500ms cannot be set again", |problem| {
                problem.with_expected("whole seconds, at most 5m (ESM-4.1)")
            });
        }
    }

    /// A length that AWS counts in seconds.
    fn whole_seconds(&mut self, field: &Resolved, expected: &str) {
        if field.duration().is_some_and(|length| length.as_nanos() % SECOND.as_nanos() != 0) {
            let problem = Problem::new(ProblemKind::InvalidValue, field.place, "this is not a whole number of seconds");
            self.problems.push(problem.at_key(&field.path).with_expected(expected));
        }
    }

    /// One number of a block is not larger than another one.
    fn at_most(&mut self, block: &Resolved, small: &str, large: &str) {
        if block.is_bad() {
            return;
        }
        let (field, limit) = (block.field(small), block.field(large));
        if field.whole().zip(limit.whole()).is_some_and(|(number, limit)| number > limit) {
            self.contradiction(field, format!("`{small}` is larger than `{large}`"), |problem| {
                let problem = problem.with_expected(format!("at most `{large}`"));
                if limit.is_written() { problem.with_related(limit.place, format!("`{large}`")) } else { problem }
            });
        }
    }
}

/// The type of a mapping's source, by the table that it was read by; `None` where it could not be read.
pub(super) fn source_type(mapping: &Resolved) -> Option<SourceType> {
    let Value::Block(block, _) = &mapping.value else { return None };
    BY_SOURCE.iter().find(|(_, known)| known == block).map(|(source, _)| *source)
}

/// A switch that is off where the block has no such key.
fn switch(block: &Resolved, key: &str) -> Option<bool> {
    block.if_has(key).map_or(Some(false), Resolved::switch)
}
