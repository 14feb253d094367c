//! The two types of queues, and what both do, each in its way.

use super::fifo::FifoQueue;
use super::inbox::{Inbox, Message, Moved, Receipt};
use super::standard::StandardQueue;
use crate::aws::config::{self, QueueKind};
use crate::aws::event::Context;
use crate::aws::fact::Observer;
use crate::aws::ids::{MappingId, QueueId};
use crate::kernel::time::SimTime;

/// A queue of either type.
#[derive(Debug)]
pub(super) enum Kind {
    Standard(StandardQueue),
    Fifo(FifoQueue),
}

impl Kind {
    pub(super) fn new(id: QueueId, config: &config::Queue) -> Self {
        match config.kind {
            QueueKind::Standard => Self::Standard(StandardQueue::new(id, config)),
            QueueKind::Fifo => Self::Fifo(FifoQueue::new(id)),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Standard(queue) => queue.len(),
            Self::Fifo(queue) => queue.len(),
        }
    }

    pub(super) fn visible(&self) -> u64 {
        match self {
            Self::Standard(queue) => queue.visible(),
            Self::Fifo(queue) => queue.visible(),
        }
    }

    #[inline]
    pub(super) fn is_receivable(&self, config: &config::Queue, now: SimTime) -> bool {
        match self {
            Self::Standard(queue) => queue.is_receivable(config, now),
            Self::Fifo(queue) => queue.is_receivable(config, now),
        }
    }

    #[inline]
    pub(super) fn next_receivable_at(&self, config: &config::Queue, now: SimTime) -> Option<SimTime> {
        match self {
            Self::Standard(queue) => queue.next_receivable_at(config, now),
            Self::Fifo(queue) => queue.next_receivable_at(config, now),
        }
    }

    #[inline]
    pub(super) fn send<O: Observer>(&mut self, message: Message, config: &config::Queue, context: &mut Context<'_, O>) {
        match self {
            Self::Standard(queue) => queue.send(message, config, context),
            Self::Fifo(queue) => queue.send(message, config, context),
        }
    }

    pub(super) fn take_in<O: Observer>(&mut self, moved: Moved, config: &config::Queue, context: &mut Context<'_, O>) {
        match self {
            Self::Standard(queue) => queue.take_in(moved, config, context),
            Self::Fifo(queue) => queue.take_in(moved, config, context),
        }
    }

    #[inline]
    pub(super) fn receive<O: Observer>(
        &mut self,
        max: u32,
        mapping: MappingId,
        config: &config::Queue,
        out: &mut Inbox,
        context: &mut Context<'_, O>,
    ) {
        match self {
            Self::Standard(queue) => queue.receive(max, mapping, config, out, context),
            Self::Fifo(queue) => queue.receive(max, mapping, config, out, context),
        }
    }

    #[inline]
    pub(super) fn delete<O: Observer>(
        &mut self,
        receipt: &Receipt,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        match self {
            Self::Standard(queue) => queue.delete(receipt, config, context),
            Self::Fifo(queue) => queue.delete(receipt, config, context),
        }
    }

    pub(super) fn take<O: Observer>(
        &mut self,
        to: QueueId,
        config: &config::Queue,
        context: &mut Context<'_, O>,
    ) -> Option<Moved> {
        match self {
            Self::Standard(queue) => queue.take(to, config, context),
            Self::Fifo(queue) => queue.take(to, config, context),
        }
    }

    pub(super) fn count_run(&mut self, receipt: &Receipt) -> bool {
        match self {
            Self::Standard(queue) => queue.count_run(receipt),
            Self::Fifo(queue) => queue.count_run(receipt),
        }
    }

    #[inline]
    pub(super) fn look<O: Observer>(&mut self, config: &config::Queue, context: &mut Context<'_, O>) {
        match self {
            Self::Standard(queue) => queue.look(config, context),
            Self::Fifo(queue) => queue.look(config, context),
        }
    }

    /// Settings change that concern messages already there.
    pub(super) fn reconfigure<O: Observer>(
        &mut self,
        old: &config::Queue,
        new: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        match self {
            Self::Standard(queue) => queue.reconfigure(old, new, context),
            Self::Fifo(queue) if old.delivery_delay != new.delivery_delay => {
                queue.set_delay(new.delivery_delay, context.now);
            }
            Self::Fifo(_) => {}
        }
    }
}
