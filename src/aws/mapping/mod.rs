//! Event source mappings of SQS queues: pollers, batches and their invocations (ESM-1.2 to 1.9, 1.14).
//!
//! ```text
//! poller: idle (long poll) -> fills a batch -> invokes -> runs -> idle
//!           |                    ^      |        |  ^
//!           +-> retires          +------+        +--+ throttled: tried again until the visibility time-out
//!                                window
//! ```
//! Pollers are counted, not kept: those at work have a batch, those that are idle wait at the queue. Idle long polls
//! are not played one by one; how many came back empty is worked out when a poller stops being idle.

mod batch;
mod batching;
mod pace;
mod pollers;
mod polling;

use batch::Batches;
use polling::Mapping;

use super::config::{EventSourceMapping, Source, System};
use super::event::Context;
use super::fact::Observer;
use super::frontend::Frontend;
use super::function::Names;
use super::ids::{CallerId, MappingId, QueueId, Sparse, Table};
use super::sqs::{Poll, Receipt, Sqs};
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::SimTime;

/// All mappings.
#[derive(Debug)]
pub(crate) struct Mappings {
    table: Sparse<MappingId, Mapping>,
    batches: Batches,
    /// Keys of draws by mapping and caller.
    keys: Table<MappingId, Table<CallerId, StreamKey>>,
    received: Vec<Receipt>,
}

/// What mappings act on.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) frontend: &'a mut Frontend,
    pub(crate) sqs: &'a mut Sqs,
}

impl Mappings {
    /// The mappings before the run.
    pub(crate) fn new(system: &System, callers: &Names, streams: &RandomStreams) -> Self {
        let keys = |mapping: &EventSourceMapping| {
            callers.rows().iter().map(|caller| streams.key(&["mapping", caller, &mapping.name])).collect()
        };
        let mapping = |(id, config): (MappingId, &EventSourceMapping)| match config.source {
            Source::Queue(queue) => Some(Mapping::new(id, config, queue)),
            Source::Stream(_) | Source::Broker(_) => None,
        };
        Self {
            table: system.event_source_mappings.iter().map(mapping).collect(),
            batches: Batches::default(),
            keys: system.event_source_mappings.rows().iter().map(keys).collect(),
            received: Vec::new(),
        }
    }

    /// Batches under way.
    pub(crate) fn open(&self) -> usize {
        self.batches.open()
    }

    /// Enabled mappings begin to poll (ESM-C1).
    pub(crate) fn start<O: Observer>(&mut self, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        for (_, mapping) in self.table.iter_mut() {
            if mapping.config.enabled {
                around.sqs.set_reader(mapping.queue, true);
                mapping.begin_after(mapping.config.enable_delay, context);
            }
        }
    }

    /// A mapping begins to poll.
    pub(crate) fn on_enabled<O: Observer>(
        &mut self,
        id: MappingId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let mapping = &mut self.table[id];
        if mapping.begins != Some(context.now) {
            return; // It was put off.
        }
        (mapping.polls, mapping.begins) = (true, None);
        mapping.say_pollers(context);
        self.fill(id, around, context);
    }

    /// Pollers that are missing begin.
    fn fill<O: Observer>(&mut self, id: MappingId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        // All of them, even if the first ones are throttled and lower the number again.
        for _ in 0..self.table[id].room() {
            self.poll(id, around, context);
        }
    }

    /// A poller that is free receives, or waits.
    fn poll<O: Observer>(&mut self, id: MappingId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let mapping = &mut self.table[id];
        if around.sqs.visible(mapping.queue, context) > 0 {
            if mapping.holds_back(context) {
                return;
            }
            let batch = self.batches.begin(id, context.now);
            mapping.working += 1;
            if self.receive(batch, around, context) {
                return self.consider(batch, around, context);
            }
            self.table[id].working -= 1;
            self.batches.end(batch);
        }
        self.wait(id, around, context);
    }

    /// A poller is idle.
    fn wait<O: Observer>(&mut self, id: MappingId, around: &mut Surroundings<'_>, context: &mut Context<'_, O>) {
        let mapping = &mut self.table[id];
        mapping.idle.push_back(context.now);
        let poll = Poll { mapping: id, batch: None };
        around.sqs.wait(mapping.queue, poll, context);
        mapping.watch_idle(context);
    }

    /// Waiting polls of a queue have messages.
    pub(crate) fn on_messages_ready<O: Observer>(
        &mut self,
        queue: QueueId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        if !around.sqs.on_ready(queue, context) {
            return; // Looked at before.
        }
        while let Some(poll) = around.sqs.next_served(queue, context) {
            let mapping = &mut self.table[poll.mapping];
            // A batch that is being filled goes before pollers of the same mapping that have nothing.
            if let Some(batch) = mapping.buffering.pop_front() {
                if poll.batch.is_none() {
                    around.sqs.wait_again(queue, poll);
                }
                self.batches[batch].timer = SimTime::MAX;
                self.receive(batch, around, context);
                self.consider(batch, around, context);
            } else if poll.batch.is_none() && mapping.stop_waiting(context) {
                mapping.pollers.wake();
                self.poll(poll.mapping, around, context);
            }
        }
        around.sqs.keep_waiting(queue, context);
    }

    /// The number of pollers is looked at (ESM-1.2, 1.9).
    pub(crate) fn on_scaling_due<O: Observer>(
        &mut self,
        id: MappingId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let mapping = &mut self.table[id];
        mapping.scales_at = None;
        let visible = around.sqs.visible(mapping.queue, context);
        let mut again = mapping.working > 0;
        if visible > 0 && mapping.idle.is_empty() && mapping.polls {
            mapping.pollers.grow();
        } else {
            again |= mapping.pollers.shrink(context.now, mapping.working);
        }
        mapping.retire_surplus(context);
        if again {
            mapping.watch_growth(context);
        }
        self.fill(id, around, context);
    }

    /// Pollers that were held back may receive (ESM-1.9).
    pub(crate) fn on_pace_due<O: Observer>(
        &mut self,
        id: MappingId,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let mapping = &mut self.table[id];
        (mapping.paced_at, mapping.held) = (None, 0);
        self.fill(id, around, context);
    }

    /// Idle pollers are looked at (ESM-S3, S4).
    pub(crate) fn on_idle_due<O: Observer>(&mut self, id: MappingId, context: &mut Context<'_, O>) {
        let mapping = &mut self.table[id];
        if mapping.retires_at != Some(context.now) {
            return;
        }
        mapping.retires_at = None;
        let patience = mapping.patience();
        while mapping.idle.front().is_some_and(|since| since.plus(patience) <= context.now) {
            let floor_after = mapping.config.sqs.pollers.floor_after;
            let quiet = mapping.working == 0 && mapping.active.plus(floor_after) <= context.now;
            if !mapping.pollers.retire(quiet) {
                break;
            }
            mapping.stop_waiting(context);
            mapping.say_pollers(context);
        }
        mapping.watch_idle(context);
    }

    /// Other settings of a mapping; batches under way go on as they are (ESM-C5, S21).
    pub(crate) fn reconfigure<O: Observer>(
        &mut self,
        id: MappingId,
        config: &EventSourceMapping,
        around: &mut Surroundings<'_>,
        context: &mut Context<'_, O>,
    ) {
        let mapping = &mut self.table[id];
        let was_enabled = mapping.config.enabled;
        mapping.config = config.clone();
        mapping.pollers.reconfigure(&config.sqs);
        if was_enabled != config.enabled {
            around.sqs.set_reader(mapping.queue, config.enabled);
        }
        let pause = if was_enabled { config.update_pause } else { config.enable_delay };
        if !config.enabled || !pause.is_zero() {
            (mapping.polls, mapping.begins) = (false, None);
        }
        mapping.retire_surplus(context);
        if config.enabled && !mapping.polls {
            mapping.begin_after(pause, context);
        }
        if mapping.polls {
            self.fill(id, around, context);
        }
    }

    /// The end of the run: idle pollers have polled in vain until now.
    pub(crate) fn finish<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        for (_, mapping) in self.table.iter_mut() {
            while let Some(since) = mapping.idle.pop_front() {
                mapping.say_empty(since, context.now.since(since).as_nanos(), context);
            }
        }
    }
}
