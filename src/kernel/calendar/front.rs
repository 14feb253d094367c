//! The events of a crowded bucket, in order, and what is pushed into its time meanwhile.
//!
//! To insert into a long vector would move all that is after it, so a long front sends new events to a heap beside it.

use std::collections::BinaryHeap;

use super::{Limit, Node};

/// A front of this length takes new events into the heap.
const INSERTED_MAX: usize = 32;

pub(super) struct Front<E> {
    /// The earliest is the last.
    sorted: Vec<Node<E>>,
    /// Pushed while `sorted` was long.
    late: BinaryHeap<Node<E>>,
}

impl<E: Copy> Front<E> {
    pub(super) const fn new() -> Self {
        Self { sorted: Vec::new(), late: BinaryHeap::new() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.sorted.is_empty() && self.late.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len() + self.late.len()
    }

    /// Puts all that `fill` adds into an empty front. Returns the earliest and the latest of their times.
    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut Vec<Node<E>>)) -> Option<(u64, u64)> {
        debug_assert!(self.is_empty(), "a front is filled when it has run empty");
        fill(&mut self.sorted);
        self.sorted.sort_unstable();
        Some((self.sorted.last()?.time, self.sorted.first()?.time))
    }

    /// Puts in one event. Returns whether the heap had to take it.
    pub(super) fn push(&mut self, node: Node<E>) -> bool {
        if self.sorted.len() >= INSERTED_MAX {
            self.late.push(node);
            return true;
        }
        let place = self.sorted.iter().rposition(|other| *other < node).map_or(0, |before| before + 1);
        self.sorted.insert(place, node);
        false
    }

    /// Takes the earliest event if it is before `limit`.
    pub(super) fn take(&mut self, limit: Limit) -> Option<Node<E>> {
        if self.late.peek() > self.sorted.last() {
            self.late.peek().filter(|node| limit.is_after(node.time, node.rank))?;
            self.late.pop()
        } else {
            self.sorted.pop_if(|node| limit.is_after(node.time, node.rank))
        }
    }

    /// Takes everything, in no order.
    pub(super) fn take_all(&mut self) -> Vec<Node<E>> {
        let mut all = std::mem::take(&mut self.sorted);
        all.extend(self.late.drain());
        all
    }
}
