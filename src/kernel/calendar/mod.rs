//! The list of pending events, in the exact order of time, rank and insertion.
//!
//! A run takes the earliest event and adds others some hundred million times, so this is its innermost loop. A heap
//! compares its way down a tree for every event; here nearly every event is found by its place instead:
//!
//! ```text
//!   now              window of two halves                 time ->
//!    |front| bucket | bucket | ... | bucket |  pile  |   pile   |        pile        | ...
//!          `------------ Ring -------------'`------------------ Far ------------------'
//! ```
//!
//! - `Ring`: the window, 2^13 buckets of 2^s nanoseconds in two aligned halves. Most buckets hold one event or none, and
//!   the earliest event is in the first bucket whose bit is set. When time has passed the first half, its buckets become
//!   those of the half after the second, so most events are near enough to go into the ring at once.
//! - `Far`: what is after the window, in piles by the highest digit in which a time differs from the end of the window.
//!   When that end moves on, it takes in the piles of the new half. A pile that is longer is spread over lower piles, so
//!   an event is moved a few times at most, however distant it was. Piles are written and read in sequence, which makes
//!   an event among a million cost little more than one among a thousand.
//! - `Front`: a bucket that holds many events, sorted, and a heap for what is pushed into its time meanwhile. So masses
//!   of ties cost what they would in a heap, and never the square of their number.
//!
//! The window is made longer or shorter by what it held (see `adapt` and `narrow`). It then runs empty, and another one
//! opens at the earliest far event. The order of events never depends on its length, so this changes no result.
//!
//! What always holds, and the traps beside it:
//!
//! - Times up to `front_last` are in the front, later ones up to `window_last` in the ring, later ones in the far piles.
//!   So the front goes first, then the ring. Both bounds are inclusive: one past the end of time would not be a number.
//!   For the same reason time 0 always belongs to the front, as nothing is before it.
//! - Outside of a call that takes an event, the start of the window is not after `now`. Therefore a window is opened or
//!   moved on only by a call that then takes an event, or after which nothing before its first event may be added.
//!   Otherwise a [`Calendar::pop_before`] that finds nothing would leave the times below its limit without a place.
//! - The base of the far piles is not after `window_last`. Where the window is closed before its end, it goes back.
//! - The bound of the front follows `now` at a distance of 1 ns: a push at the time of the last event taken goes to the
//!   ring, where others of that time may be.
//! - No list is kept in order of insertion. Each event has its number, by which equal times and ranks are told apart.

mod far;
mod front;
mod node;
mod ring;

use std::fmt;

use self::far::Far;
use self::front::Front;
use self::node::{Limit, Node};
use self::ring::{HALF_BITS, Ring};
use super::time::SimTime;

/// No node, no chunk.
const NONE: u32 = u32::MAX;
/// Length of half the first window in nanoseconds, as a power of two.
const HALF_BITS_START: u32 = 24;
/// Half of the longest window: 36 years.
const HALF_BITS_MAX: u32 = 60;
/// A window whose half gave fewer events is followed by one of twice the length.
const EVENTS_FEW: u64 = 512;
/// A window whose half gave more events is followed by one of half the length. More than twice [`EVENTS_FEW`], or it
/// would swing. Half an event in a bucket: fuller buckets are shared more often, emptier ones move more events twice.
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
    /// Up to here reaches the first half of the window: a later event moves it on. The end of time where it shall not move.
    half_last: u64,
    /// How many events were ever pushed.
    pushed: u64,
    next: Next,
    front: Front<E>,
    ring: Ring<E>,
    far: Far<E>,
    /// Length of half a window in nanoseconds, as a power of two.
    half_bits: u32,
    /// How many events had been taken when the window opened or was last moved on.
    taken_before: u64,
    /// Events since then that had to be sorted, and would not have to be in a shorter window.
    crowded: u64,
}

/// The earliest event, where it was looked up.
#[derive(Clone, Copy)]
struct Next {
    /// No event is before this time and rank.
    time: u64,
    rank: u32,
    /// The bucket with the event at the head of its list; [`NONE`] where it was not looked up.
    bucket: u32,
    /// The last time of the bucket: events after it leave this as it is.
    bucket_last: u64,
}

impl Next {
    const UNKNOWN: Self = Self { time: 0, rank: 0, bucket: NONE, bucket_last: 0 };
}

impl<E: Copy> Calendar<E> {
    /// No events, at the start of time.
    pub fn new() -> Self {
        Self {
            now: 0,
            front_last: 0,
            window_last: 0,
            half_last: u64::MAX,
            pushed: 0,
            next: Next::UNKNOWN,
            front: Front::new(),
            ring: Ring::new(),
            far: Far::new(),
            half_bits: HALF_BITS_START,
            taken_before: 0,
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
            let (bucket, alone) = self.ring.push(node);
            if node.time <= self.next.bucket_last {
                self.next = if alone { self.next_in(bucket, node.time, node.rank) } else { Next::UNKNOWN };
            }
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

    /// Looks up the earliest event before it is asked for, unless that takes long.
    ///
    /// To be called before something lengthy, such as what follows from an event: whether the next one is before the
    /// limit of the next call is then known at once, and what the processor guessed wrong is soon found out.
    #[inline(always)]
    pub fn look_ahead(&mut self) {
        self.next = self.look_up();
    }

    /// Takes the earliest event if it is before `limit`.
    #[inline(always)]
    fn take(&mut self, limit: Limit) -> Option<(SimTime, E)> {
        if self.next.bucket == NONE {
            self.next = self.look_up();
            if self.next.bucket == NONE {
                return self.take_slowly(limit);
            }
        }
        self.take_next(limit)
    }

    /// Takes the event that was looked up, if it is before `limit`. It is after `front_last`, so not at 0.
    #[inline(always)]
    fn take_next(&mut self, limit: Limit) -> Option<(SimTime, E)> {
        let Next { time, rank, bucket, .. } = self.next;
        if !limit.is_after(time, rank) {
            return None;
        }
        let event = self.ring.take_head(bucket as usize);
        self.next = Next::UNKNOWN;
        self.now = time;
        self.front_last = time - 1;
        if time > self.half_last {
            self.slide();
        }
        Some((SimTime::from_nanos(time), event))
    }

    /// The earliest event, if it is in the ring, and there in a bucket that is not crowded.
    #[inline(always)]
    fn look_up(&mut self) -> Next {
        if !self.front.is_empty() {
            return Next::UNKNOWN;
        }
        let Some(bucket) = self.ring.first() else { return Next::UNKNOWN };
        let Some(&Node { time, rank, .. }) = self.ring.earliest(bucket) else { return Next::UNKNOWN };
        self.next_in(bucket, time, rank)
    }

    #[inline(always)]
    fn next_in(&self, bucket: usize, time: u64, rank: u32) -> Next {
        Next { time, rank, bucket: index(bucket), bucket_last: self.ring.last_beside(time) }
    }

    /// Takes the earliest event, which is not easily looked up, if it is before `limit`.
    #[cold]
    #[inline(never)]
    fn take_slowly(&mut self, limit: Limit) -> Option<(SimTime, E)> {
        while self.next.bucket == NONE {
            if !self.front.is_empty() {
                return self.take_front(limit);
            }
            match self.ring.first() {
                Some(bucket) => self.sort_bucket(bucket),
                None => self.open_window(limit)?,
            }
            self.next = self.look_up();
        }
        self.take_next(limit)
    }

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
        self.next = Next::UNKNOWN;
        let heaped = self.front.push(node);
        if heaped && self.front_last > self.now {
            self.crowd(1);
        }
    }

    /// Makes a bucket of many events the front, which is empty.
    #[cold]
    #[inline(never)]
    fn sort_bucket(&mut self, bucket: usize) {
        let Some((earliest, latest)) = self.front.fill(|nodes| self.ring.drain(bucket, nodes)) else { return };
        self.front_last = self.ring.last_beside(latest);
        if earliest != latest {
            self.crowd(self.front.len() as u64);
        }
    }

    /// Opens the next window, at the earliest far event, unless no event of that time is before `limit`.
    #[cold]
    #[inline(never)]
    fn open_window(&mut self, limit: Limit) -> Option<()> {
        let earliest = self.far.earliest().filter(|&earliest| (earliest, 0) < (limit.time, limit.rank))?;
        if self.half_last < u64::MAX {
            self.adapt();
        }
        self.ring.set_half_bits(self.half_bits);
        self.window_last = earliest | self.half_mask();
        self.take_in(earliest & !self.half_mask());
        self.move_on();
        Some(())
    }

    /// The first half of the window has passed: moves it on, or lets it run empty where the next has another length.
    #[cold]
    #[inline(never)]
    fn slide(&mut self) {
        let bits = self.half_bits;
        self.adapt();
        if self.half_bits == bits {
            self.move_on();
        } else {
            self.half_last = u64::MAX;
        }
    }

    /// Makes the half of the window that ends at `window_last` the first, and takes in the one after it.
    fn move_on(&mut self) {
        self.half_last = self.window_last;
        self.ring.begin_with_half_of(self.half_last);
        if let Some(first) = self.half_last.checked_add(1) {
            self.window_last = first | self.half_mask();
            self.take_in(first);
        }
        self.taken_before = self.taken();
        self.crowded = 0;
    }

    /// Moves far events into the ring: those of the half of the window from `first` to `window_last`.
    fn take_in(&mut self, first: u64) {
        self.far.raise_base(self.window_last);
        while let Some(mut pile) = self.far.take_pile(first, self.window_last) {
            while let Some(node) = self.far.take_from(&mut pile) {
                if node.time > self.window_last {
                    self.far.push(node);
                } else {
                    self.ring.push(node);
                }
            }
        }
    }

    /// The bits that times of half a window do not share.
    fn half_mask(&self) -> u64 {
        (1 << self.half_bits) - 1
    }

    /// Sets the length of the next window by what the last half gave.
    fn adapt(&mut self) {
        let events = self.taken() - self.taken_before;
        if events > EVENTS_MANY || self.crowded * 4 > events {
            self.half_bits = (self.half_bits - 1).max(HALF_BITS);
        } else if events < EVENTS_FEW {
            self.half_bits = (self.half_bits + 1).min(HALF_BITS_MAX);
        }
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
    /// Nothing of time 0 is moved out of the front, as the first event taken through a window is after it.
    #[cold]
    #[inline(never)]
    fn narrow(&mut self) {
        self.half_bits = self.half_bits.saturating_sub(NARROWED_BITS).max(HALF_BITS);
        self.front_last = self.now.saturating_sub(1);
        self.window_last = self.front_last;
        self.half_last = u64::MAX;
        self.next = Next::UNKNOWN;
        let mut nodes = self.front.take_all();
        while let Some(bucket) = self.ring.first() {
            self.ring.drain(bucket, &mut nodes);
        }
        self.far.lower_base(self.window_last);
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

/// A position as lists and piles keep it.
fn index(position: usize) -> u32 {
    u32::try_from(position).ok().filter(|&position| position != NONE).expect("fewer than 2^32 events are pending")
}

#[cfg(test)]
mod tests;
