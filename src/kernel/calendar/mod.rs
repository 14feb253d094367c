//! The list of pending events, in the exact order of time, rank and insertion.
//!
//! A run takes the earliest event and adds others some hundred million times, so this is its innermost loop. A heap
//! compares its way down a tree for every event; here nearly every event is found by its place instead:
//!
//! ```text
//!   now                    window                         time ->
//!    |front| bucket | bucket | ... | bucket |  pile  |   pile   |        pile        | ...
//!          `------------ Ring -------------'`------------------ Far ------------------'
//! ```
//!
//! - `Ring`: the window, an aligned block of 2^12 buckets of 2^s nanoseconds. Most buckets hold one event or none, and
//!   the earliest event is in the first bucket whose bit is set.
//! - `Far`: what is after the window, in piles by the highest digit in which a time differs from the start of the
//!   window. When the window has run empty, the next one opens at the earliest far event and takes in its piles. A pile
//!   that is longer than the window is spread over lower piles, so an event is moved a few times at most, however
//!   distant it was. Piles are written and read in sequence, which makes an event among a million cost about twice one
//!   among a thousand.
//! - `Front`: a bucket that holds many events, sorted, and a heap for what is pushed into its time meanwhile. So masses
//!   of ties cost what they would in a heap, and never the square of their number.
//!
//! The window is made longer or shorter by what it held (see `adapt` and `narrow`). The order of
//! events never depends on its length, so this changes no result.
//!
//! What always holds, and the traps beside it:
//!
//! - Times up to `front_last` are in the front, later ones up to `window_last` in the ring, later ones in the far piles.
//!   So the front goes first, then the ring. Both bounds are inclusive: one past the end of time would not be a number.
//!   For the same reason time 0 always belongs to the front, as nothing is before it.
//! - Outside of a call that takes an event, the base of the far piles and the start of the window are not after `now`.
//!   Therefore a window is opened only by a call that then takes its first event, or after which nothing before that
//!   event may be added. Otherwise a [`Calendar::pop_before`] that finds nothing would leave the times below its limit
//!   without a place.
//! - The bound of the front follows `now` at a distance of 1 ns: a push at the time of the last event taken goes to the
//!   ring, where others of that time may be.
//! - No list is kept in order of insertion. Each event has its number, by which equal times and ranks are told apart.

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
/// Length of the first window in nanoseconds, as a power of two.
const WINDOW_BITS_START: u32 = 24;
/// The longest window: 36 years.
const WINDOW_BITS_MAX: u32 = 60;
/// A window that gave fewer events is followed by one of twice the length.
const EVENTS_FEW: u64 = 512;
/// A window that gave more events is followed by one of half the length. More than twice [`EVENTS_FEW`], or it would
/// swing. Half an event in a bucket: fuller buckets are shared more often, emptier ones move more events twice.
const EVENTS_MANY: u64 = 2048;
/// By how much a window is shortened while it is open, as a power of two.
const NARROWED_BITS: u32 = 4;

/// The pending events of a run, ordered by time, then rank, then insertion.
///
/// The rank is for events of one moment only; the lower goes first. Memory grows to what the largest number of pending
/// events needs (32 bytes each for an event of 8 bytes), and is then used again: a steady number of events allocates
/// nothing.
///
/// ```
/// use lambdasim::kernel::calendar::Calendar;
/// use lambdasim::kernel::time::SimTime;
///
/// let mut calendar = Calendar::new();
/// calendar.push(SimTime::from_nanos(7), 0, "later");
/// calendar.push(SimTime::from_nanos(5), 1, "second");
/// calendar.push(SimTime::from_nanos(5), 0, "first");
///
/// assert_eq!(calendar.pop_before(SimTime::from_nanos(5)), None);
/// assert_eq!(calendar.pop(), Some((SimTime::from_nanos(5), "first")));
/// assert_eq!(calendar.pop(), Some((SimTime::from_nanos(5), "second")));
/// assert_eq!(calendar.len(), 1);
/// ```
pub struct Calendar<E> {
    /// Time of the last event taken, in nanoseconds like all times here.
    now: u64,
    /// Up to here events are in the front.
    front_last: u64,
    /// Up to here the others are in the ring. Equal to `front_last` while no window is open.
    window_last: u64,
    /// How many events were ever pushed.
    pushed: u64,
    front: Front<E>,
    ring: Ring<E>,
    far: Far<E>,
    /// Length of the window, as a power of two.
    window_bits: u32,
    /// How many events had been taken when the window opened.
    taken_at_open: u64,
    /// Events of this window that had to be sorted, and would not have to be in a shorter one.
    crowded: u64,
}

/// Events before this moment are taken, and those at it whose rank is lower.
#[derive(Clone, Copy)]
struct Limit {
    time: u64,
    rank: u64,
}

impl Limit {
    /// After every event.
    const END: Self = Self { time: u64::MAX, rank: u64::MAX };

    #[inline]
    fn is_after<E>(self, node: &Node<E>) -> bool {
        node.time < self.time || (node.time == self.time && u64::from(node.rank) < self.rank)
    }
}

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

impl<E: Copy> Calendar<E> {
    /// No events, at the start of time.
    pub fn new() -> Self {
        Self {
            now: 0,
            front_last: 0,
            window_last: 0,
            pushed: 0,
            front: Front::new(),
            ring: Ring::new(),
            far: Far::new(),
            window_bits: WINDOW_BITS_START,
            taken_at_open: 0,
            crowded: 0,
        }
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.front.len() + self.ring.len() + self.far.len()
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event. It goes after those of the same time and rank.
    ///
    /// # Panics
    /// When `at` is before the last event taken: time would run back.
    #[inline(always)]
    #[track_caller]
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
        self.take(Limit::END)
    }

    /// Takes the earliest event if it is before `limit`.
    ///
    /// Where it is not, nothing changes: events may still be added from the time of the last event taken on.
    #[inline]
    pub fn pop_before(&mut self, limit: SimTime) -> Option<(SimTime, E)> {
        self.take(Limit { time: limit.as_nanos(), rank: 0 })
    }

    /// Takes the earliest event if it goes before something of the given moment and rank that is kept elsewhere.
    ///
    /// Where it does not, that other thing happens next: no event may be added before its moment any more.
    #[inline(always)]
    pub fn pop_before_rank(&mut self, at: SimTime, rank: u32) -> Option<(SimTime, E)> {
        self.take(Limit { time: at.as_nanos(), rank: u64::from(rank) })
    }

    /// Takes the earliest event if it is before `limit`.
    #[inline(always)]
    fn take(&mut self, limit: Limit) -> Option<(SimTime, E)> {
        loop {
            if !self.front.is_empty() {
                return self.take_front(limit);
            }
            let Some(bucket) = self.ring.first() else {
                self.open_window(limit)?;
                continue;
            };
            let Some(&node) = self.ring.only(bucket) else {
                match self.ring.take_earliest(bucket, limit) {
                    Earliest::Taken(node) => return Some(self.reach(node)),
                    Earliest::TooLate => return None,
                    Earliest::Crowded => self.sort_bucket(bucket),
                }
                continue;
            };
            if !limit.is_after(&node) {
                return None;
            }
            self.ring.remove_only(bucket);
            return Some(self.reach(node));
        }
    }

    /// Moves time on to an event of the ring. It is after `front_last`, so not at 0.
    #[inline]
    fn reach(&mut self, node: Node<E>) -> (SimTime, E) {
        self.now = node.time;
        self.front_last = node.time - 1;
        (SimTime::from_nanos(node.time), node.event)
    }

    #[cold]
    #[inline(never)]
    fn take_front(&mut self, limit: Limit) -> Option<(SimTime, E)> {
        let node = self.front.take(limit)?;
        self.now = node.time;
        Some((SimTime::from_nanos(node.time), node.event))
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn push_front(&mut self, node: Node<E>) {
        assert!(node.time >= self.now, "an event at {} ns was pushed when time had reached {} ns", node.time, self.now);
        let heaped = self.front.push(node);
        if heaped && self.front_last > self.now {
            self.crowd(1);
        }
    }

    /// Makes a bucket of many events the front, which is empty.
    #[cold]
    #[inline(never)]
    fn sort_bucket(&mut self, bucket: usize) {
        let last = self.ring.last_time(bucket);
        let times_differ = self.front.fill(|nodes| self.ring.drain(bucket, nodes));
        self.front_last = last;
        if times_differ {
            self.crowd(self.front.len() as u64);
        }
    }

    /// Opens the next window, at the earliest far event, unless no event of that time is before `limit`.
    #[cold]
    #[inline(never)]
    fn open_window(&mut self, limit: Limit) -> Option<()> {
        let earliest = self.far.earliest().filter(|&earliest| (earliest, 0) < (limit.time, limit.rank))?;
        self.adapt();
        let low_bits = (1 << self.window_bits) - 1;
        self.window_last = earliest | low_bits;
        self.ring.set_window_bits(self.window_bits);
        self.far.rebase(earliest);
        while let Some(mut pile) = self.far.take_pile(earliest & !low_bits, self.window_last) {
            while let Some(node) = self.far.take_from(&mut pile) {
                if node.time > self.window_last {
                    self.far.push(node);
                } else {
                    self.ring.push(node);
                }
            }
        }
        Some(())
    }

    /// Sets the length of the next window by what the last one gave.
    fn adapt(&mut self) {
        let taken = self.taken();
        let events = taken - self.taken_at_open;
        if events > EVENTS_MANY || self.crowded * 4 > events {
            self.window_bits = (self.window_bits - 1).max(RING_BITS);
        } else if events < EVENTS_FEW {
            self.window_bits = (self.window_bits + 1).min(WINDOW_BITS_MAX);
        }
        self.taken_at_open = taken;
        self.crowded = 0;
    }

    /// Notes that `events` had to be sorted. A window with more of them than it still holds does not pay.
    fn crowd(&mut self, events: u64) {
        self.crowded += events;
        if self.crowded > EVENTS_MANY + (self.front.len() + self.ring.len()) as u64 {
            self.narrow();
        }
    }

    /// Closes the window before its end, so that a much shorter one opens.
    ///
    /// The base of the far piles stays: no event is before it, and it shares with `now` every digit above the window.
    /// Nothing of time 0 is moved out of the front, as the first event taken through a window is after it.
    #[cold]
    #[inline(never)]
    fn narrow(&mut self) {
        self.window_bits = self.window_bits.saturating_sub(NARROWED_BITS).max(RING_BITS);
        self.taken_at_open = self.taken();
        self.crowded = 0;
        self.front_last = self.now.saturating_sub(1);
        self.window_last = self.front_last;
        let mut nodes = self.front.take_all();
        while let Some(bucket) = self.ring.first() {
            self.ring.drain(bucket, &mut nodes);
        }
        for node in nodes {
            self.far.push(node);
        }
    }

    /// How many events were ever taken.
    fn taken(&self) -> u64 {
        self.pushed - self.len() as u64
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
    /// What orders events. No two have the same.
    #[inline]
    fn key(&self) -> (u64, u32, u64) {
        (self.time, self.rank, self.sequence)
    }
}

/// The earlier is the greater: a heap has its greatest on top, and a sorted vector gives up its last.
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

/// A position as lists and piles keep it.
fn index(position: usize) -> u32 {
    u32::try_from(position).ok().filter(|&position| position != NONE).expect("fewer than 2^32 events are pending")
}

#[cfg(test)]
mod tests;
