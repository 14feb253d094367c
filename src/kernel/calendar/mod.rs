//! The list of pending events, in the exact order of time, rank and insertion.

mod far;
mod front;
mod ring;

use std::cmp::Ordering;
use std::fmt;

use self::far::Far;
use self::front::Front;
use self::ring::{Earliest, RING_BITS, Ring};
use super::time::SimTime;

/// No node, no chunk.
const NONE: u32 = u32::MAX;
/// Length of the first window, and of the longest, as powers of two of nanoseconds.
const WINDOW_BITS_START: u32 = 24;
const WINDOW_BITS_MAX: u32 = 60;
/// Events of a window: below the first figure the next one is longer, above the second it is shorter.
const EVENTS_FEW: u64 = 512;
const EVENTS_MANY: u64 = 2048;

/// A pending event.
#[derive(Clone, Copy)]
struct Node<E> {
    time: u64,
    /// How many were pushed before it.
    sequence: u64,
    rank: u32,
    /// The next in the list of a bucket; without meaning elsewhere.
    next: u32,
    event: E,
}

/// The pending events of a run.
pub struct Calendar<E> {
    now: u64,
    front_last: u64,
    window_last: u64,
    pushed: u64,
    ring: Ring<E>,
    front: Front<E>,
    far: Far<E>,
    window_bits: u32,
    /// Events that had been taken when the window opened.
    taken_at_open: u64,
    /// Events of this window that were sorted, but would not have to be in a shorter one.
    crowded: u64,
}

impl<E: Copy> Calendar<E> {
    /// An empty list, at the start of time.
    pub fn new() -> Self {
        Self {
            now: 0,
            front_last: 0,
            window_last: 0,
            pushed: 0,
            ring: Ring::new(),
            front: Front::new(),
            far: Far::new(),
            window_bits: WINDOW_BITS_START,
            taken_at_open: 0,
            crowded: 0,
        }
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.ring.len() + self.front.len() + self.far.len()
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event.
    #[inline]
    pub fn push(&mut self, at: SimTime, rank: u32, event: E) {
        let node = Node { time: at.as_nanos(), sequence: self.pushed, rank, next: NONE, event };
        self.pushed += 1;
        if node.time > self.window_last {
            self.far.push(node);
        } else if node.time > self.front_last {
            self.ring.push(node);
        } else {
            self.push_front(node);
        }
    }

    /// Takes the earliest event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.take(u64::MAX)
    }

    /// Takes the earliest event if it is before `limit`.
    #[inline]
    pub fn pop_before(&mut self, limit: SimTime) -> Option<(SimTime, E)> {
        self.take(limit.as_nanos().checked_sub(1)?)
    }

    #[inline]
    fn take(&mut self, last: u64) -> Option<(SimTime, E)> {
        loop {
            if !self.front.is_empty() {
                return self.take_front(last);
            }
            let Some(bucket) = self.ring.first() else {
                self.open_window(last)?;
                continue;
            };
            let Some(&node) = self.ring.only(bucket) else {
                match self.ring.take_earliest(bucket, last) {
                    Earliest::Taken(node) => return Some(self.reach(node)),
                    Earliest::TooLate => return None,
                    Earliest::Crowded => self.sort_bucket(bucket),
                }
                continue;
            };
            if node.time > last {
                return None;
            }
            self.ring.remove_only(bucket);
            return Some(self.reach(node));
        }
    }

    /// Moves time to an event of the window.
    #[inline]
    fn reach(&mut self, node: Node<E>) -> (SimTime, E) {
        self.now = node.time;
        self.front_last = node.time - 1;
        (SimTime::from_nanos(node.time), node.event)
    }

    #[cold]
    #[inline(never)]
    fn take_front(&mut self, last: u64) -> Option<(SimTime, E)> {
        let node = self.front.take(last)?;
        self.now = node.time;
        Some((SimTime::from_nanos(node.time), node.event))
    }

    #[cold]
    #[inline(never)]
    fn push_front(&mut self, node: Node<E>) {
        assert!(node.time >= self.now, "an event at {} ns was pushed into the past of {} ns", node.time, self.now);
        let heaped = self.front.push(node);
        if heaped && self.front_last > self.now {
            self.crowded += 1;
            self.narrow_if_crowded();
        }
    }

    #[cold]
    #[inline(never)]
    fn sort_bucket(&mut self, bucket: usize) {
        let ring = &mut self.ring;
        let before = ring.len();
        let low = (1 << ring.shift) - 1;
        let mut last = 0;
        let differ = self.front.fill(|sorted| {
            ring.drain(bucket, |node| {
                last = node.time | low;
                sorted.push(node);
            });
        });
        self.front_last = last;
        if differ {
            self.crowded += (before - self.ring.len()) as u64;
            self.narrow_if_crowded();
        }
    }

    fn narrow_if_crowded(&mut self) {
        if self.crowded < EVENTS_MANY + (self.ring.len() + self.front.len()) as u64 {
            return;
        }
        self.window_bits = self.window_bits.saturating_sub(4).max(RING_BITS);
        self.taken_at_open = self.pushed - self.len() as u64;
        self.crowded = 0;
        self.front_last = self.now.saturating_sub(1);
        self.window_last = self.front_last;
        for node in self.front.take_all() {
            self.place(node);
        }
        while let Some(bucket) = self.ring.first() {
            let far = &mut self.far;
            self.ring.drain(bucket, |node| far.push(node));
        }
    }

    /// Opens the window at the earliest far event, unless that is after `last`.
    #[cold]
    #[inline(never)]
    fn open_window(&mut self, last: u64) -> Option<()> {
        let earliest = self.far.earliest().filter(|&earliest| earliest <= last)?;
        self.adapt();
        let low = (1 << self.window_bits) - 1;
        self.ring.shift = self.window_bits - RING_BITS;
        self.window_last = earliest | low;
        self.far.rebase(earliest);
        while let Some(mut pile) = self.far.take_pile(earliest & !low, self.window_last) {
            while let Some(node) = self.far.take_from(&mut pile) {
                self.place(node);
            }
        }
        Some(())
    }

    #[inline]
    fn place(&mut self, node: Node<E>) {
        if node.time > self.window_last {
            self.far.push(node);
        } else if node.time > self.front_last {
            self.ring.push(node);
        } else {
            self.front.push(node);
        }
    }

    fn adapt(&mut self) {
        let taken = self.pushed - self.len() as u64;
        let events = taken - self.taken_at_open;
        if events > EVENTS_MANY || self.crowded * 4 > events {
            self.window_bits = (self.window_bits - 1).max(RING_BITS);
        } else if events < EVENTS_FEW {
            self.window_bits = (self.window_bits + 1).min(WINDOW_BITS_MAX);
        }
        self.taken_at_open = taken;
        self.crowded = 0;
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Copy> fmt::Debug for Calendar<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("now", &SimTime::from_nanos(self.now))
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<E> Node<E> {
    /// What orders events.
    #[inline]
    fn key(&self) -> (u64, u32, u64) {
        (self.time, self.rank, self.sequence)
    }
}

/// The earlier is the greater, as a heap has its greatest on top and a vector gives up its last.
impl<E> Ord for Node<E> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> PartialOrd for Node<E> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Node<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Node<E> {}

#[cfg(test)]
mod tests;
