use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

/// The same order by a heap, as the oracle.
#[derive(Default)]
struct Oracle {
    heap: BinaryHeap<Reverse<(u64, u32, u64)>>,
    pushed: u64,
}

/// Both lists, and the time they have reached. Events are their numbers.
#[derive(Default)]
struct Pair {
    calendar: Calendar<u64>,
    oracle: Oracle,
    now: u64,
}

impl Pair {
    fn push(&mut self, time: u64, rank: u32) {
        self.calendar.push(SimTime::from_nanos(time), rank, self.oracle.pushed);
        self.oracle.heap.push(Reverse((time, rank, self.oracle.pushed)));
        self.oracle.pushed += 1;
    }

    fn push_after(&mut self, delay: u64, rank: u32) {
        self.push(self.now.saturating_add(delay), rank);
    }

    fn pop(&mut self) {
        let expected = self.oracle.heap.pop().map(|Reverse((time, _, event))| (SimTime::from_nanos(time), event));
        self.check(self.oracle_time(expected), expected, Calendar::pop);
    }

    fn pop_before(&mut self, limit: u64) {
        let due = self.oracle.heap.peek().is_some_and(|Reverse((time, ..))| *time < limit);
        let taken = if due { self.oracle.heap.pop() } else { None };
        let expected = taken.map(|Reverse((time, _, event))| (SimTime::from_nanos(time), event));
        self.check(self.oracle_time(expected), expected, |calendar| calendar.pop_before(SimTime::from_nanos(limit)));
    }

    /// As an arrival at `limit` would: where nothing goes before it, time moves on to it.
    fn pop_before_rank(&mut self, limit: u64, rank: u32) {
        let due = self.oracle.heap.peek().is_some_and(|&Reverse((time, other, _))| (time, other) < (limit, rank));
        let taken = if due { self.oracle.heap.pop() } else { None };
        let expected = taken.map(|Reverse((time, _, event))| (SimTime::from_nanos(time), event));
        let now = expected.map_or(limit, |(time, _)| time.as_nanos());
        self.check(now, expected, |calendar| calendar.pop_before_rank(SimTime::from_nanos(limit), rank));
    }

    fn oracle_time(&self, taken: Option<(SimTime, u64)>) -> u64 {
        taken.map_or(self.now, |(time, _)| time.as_nanos())
    }

    fn check(
        &mut self,
        now: u64,
        expected: Option<(SimTime, u64)>,
        take: impl FnOnce(&mut Calendar<u64>) -> Option<(SimTime, u64)>,
    ) {
        assert_eq!(take(&mut self.calendar), expected);
        assert_eq!(self.calendar.len(), self.oracle.heap.len());
        self.now = now;
        self.check_bounds();
    }

    /// What the calendar relies on between calls.
    fn check_bounds(&self) {
        let Calendar { next, front, ring, far, front_last, half_last, window_last, .. } = &self.calendar;
        assert!(front_last <= window_last && (half_last <= window_last || *half_last == u64::MAX));
        assert!(far.earliest().is_none_or(|earliest| earliest > *window_last && far.base() <= *window_last));
        let first = self.oracle.heap.peek().map(|Reverse((time, rank, _))| (*time, *rank));
        if next.bucket == NONE {
            assert_eq!((next.time, next.bucket_last), (0, 0), "what is not known bounds nothing");
        } else {
            assert_eq!(first, Some((next.time, next.rank)), "what was looked up is the earliest");
            assert!(front.is_empty() && ring.len() > 0);
        }
    }

    fn drain(&mut self) {
        while !self.oracle.heap.is_empty() {
            self.pop();
        }
        self.pop();
        assert!(self.calendar.is_empty());
    }
}

/// How far ahead events are set in one run.
#[derive(Clone, Copy, Debug)]
enum Delays {
    Tied,
    Grid,
    Near,
    Even,
    EveryScale,
    EndOfTime,
}

impl Delays {
    const ALL: [Self; 6] = [Self::Tied, Self::Grid, Self::Near, Self::Even, Self::EveryScale, Self::EndOfTime];

    /// A delay by a random word.
    fn of(self, word: u64) -> u64 {
        match self {
            Self::Tied => word % 50 / 49,
            Self::Grid => word % 8 * 1_000_000,
            Self::Near => word % 300,
            Self::Even => word % 2_000_000_000,
            Self::EveryScale => (word >> 10) >> (word % 54),
            Self::EndOfTime => [u64::MAX, u64::MAX - word % 70_000, u64::MAX >> (word % 64), 0][(word % 4) as usize],
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push {
        word: u64,
        rank: u32,
    },
    Burst {
        word: u64,
        count: u16,
        rank: u32,
    },
    Pop {
        count: u16,
    },
    /// With a limit so much ahead, and a push below it where that finds nothing.
    PopBefore {
        word: u64,
    },
    /// Everything that goes before something kept elsewhere, so much ahead, and a push at its moment.
    Arrive {
        word: u64,
        rank: u32,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rank = prop_oneof![4 => Just(7_u32), 1 => any::<u32>(), 2 => 0..4_u32];
    let step = prop_oneof![
        6 => (any::<u64>(), rank.clone()).prop_map(|(word, rank)| Step::Push { word, rank }),
        2 => (any::<u64>(), rank.clone()).prop_map(|(word, rank)| Step::Arrive { word, rank }),
        1 => (any::<u64>(), 1..200_u16, rank).prop_map(|(word, count, rank)| Step::Burst { word, count, rank }),
        3 => (1..40_u16).prop_map(|count| Step::Pop { count }),
        4 => any::<u64>().prop_map(|word| Step::PopBefore { word }),
    ];
    proptest::collection::vec(step, 1..200)
}

fn run(pair: &mut Pair, delays: Delays, step: &Step) {
    match *step {
        Step::Push { word, rank } => pair.push_after(delays.of(word), rank),
        Step::Burst { word, count, rank } => {
            let mut words = Words(word);
            for _ in 0..count {
                pair.push_after(delays.of(words.next()), rank);
            }
        }
        Step::Pop { count } => (0..count).for_each(|_| pair.pop()),
        Step::PopBefore { word } => {
            let limit = pair.now.saturating_add(delays.of(word));
            pair.pop_before(limit);
            let between = pair.now + word % (limit - pair.now.min(limit)).max(1);
            pair.push(between, 1);
        }
        Step::Arrive { word, rank } => {
            let at = pair.now.saturating_add(delays.of(word) / 4);
            for _ in 0..40 {
                pair.pop_before_rank(at, rank);
                if pair.now == at {
                    break;
                }
            }
            pair.push_after(delays.of(word.rotate_left(20)), rank);
        }
    }
}

struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_order_is_that_of_a_heap(
        phases in proptest::collection::vec((proptest::sample::select(&Delays::ALL[..]), steps()), 1..4)
    ) {
        let mut pair = Pair::default();
        for (delays, steps) in phases {
            for step in &steps {
                run(&mut pair, delays, step);
            }
        }
        pair.drain();
    }
}

/// Long enough for the window to find its length, with every number of pending events.
#[test]
fn the_order_holds_while_the_window_adapts() {
    for delays in [Delays::Tied, Delays::Grid, Delays::Near, Delays::Even, Delays::EveryScale] {
        for pending in [1, 10, 1_000, 20_000] {
            let mut pair = Pair::default();
            let mut words = Words(pending);
            for round in 0..60_000 + pending {
                let word = words.next();
                pair.push_after(delays.of(word), (word >> 60) as u32 / 8);
                if round >= pending {
                    pair.pop();
                }
            }
            pair.drain();
        }
    }
}

/// A load whose delays are longer than the window, so that events come from piles while others go into the ring.
#[test]
fn a_window_of_a_steady_load_moves_on_by_halves() {
    let mut pair = Pair::default();
    let mut words = Words(5);
    let (mut moved, mut opened) = (0, 0);
    for round in 0..200_000 {
        pair.push_after(words.next() % 4_000_000_000, 0);
        if round < 1_000 {
            continue;
        }
        let before = pair.calendar.half_last;
        pair.pop();
        let Calendar { half_last, window_last, half_bits, .. } = pair.calendar;
        if half_last != before && half_last != u64::MAX {
            let half = 1 << half_bits;
            assert_eq!(window_last - half_last, half);
            assert!(pair.now <= half_last && half_last - pair.now < half);
            *if half_last == before.saturating_add(half) { &mut moved } else { &mut opened } += 1;
        }
    }
    assert!(moved > 50 && opened < 30, "moved on {moved} times, opened {opened} times");
    pair.drain();
}

/// Each event is the only one of its window, and the next falls into the same buckets of a later one.
#[test]
fn windows_that_hold_one_event_each() {
    for delay in [1 << 20, 1 << 24, (1 << 24) - 1, (1 << 36) + 1, 1 << 50] {
        let mut pair = Pair::default();
        for round in 0..2_000 {
            pair.push_after(delay, 0);
            pair.push_after(delay - round % 3, 0);
            pair.pop();
            pair.pop();
        }
    }
}

/// A window that is closed before its end leaves times to the far piles that are before their base, which goes back.
#[test]
fn the_base_of_the_far_piles_goes_back() {
    let mut words = Words(9);
    for bits in [0, 5, 6, 7, 24, 30, 36, 42, 60] {
        for _ in 0..50 {
            let mut times = Vec::new();
            let mut far = Far::new();
            let mut push = |far: &mut Far<()>, time| {
                times.push(time);
                far.push(Node { time, sequence: times.len() as u64, rank: 0, next: NONE, event: () });
            };
            let high = (1 << bits) + words.next() % (1 << bits);
            let low = high - words.next() % (1 << bits);
            far.raise_base(high);
            (0..100).for_each(|_| push(&mut far, high.saturating_add(words.next() >> (words.next() % 64))));
            far.lower_base(low);
            (0..100).for_each(|_| push(&mut far, low.saturating_add(words.next() >> (words.next() % 64))));
            times.sort_unstable();
            assert_eq!(taken_in_order(far), times);
        }
    }
}

/// Opens windows of a nanosecond until nothing is left.
fn taken_in_order(mut far: Far<()>) -> Vec<u64> {
    let mut taken = Vec::new();
    while let Some(earliest) = far.earliest() {
        far.raise_base(earliest);
        while let Some(mut pile) = far.take_pile(earliest, earliest) {
            while let Some(node) = far.take_from(&mut pile) {
                if node.time == earliest { taken.push(node.time) } else { far.push(node) }
            }
        }
    }
    taken
}

/// The load becomes a billion times denser inside of a window, and sparse again.
#[test]
fn a_window_that_is_far_too_long_is_given_up() {
    let mut pair = Pair::default();
    let mut words = Words(3);
    for delay in [1_000_000_000_000, 1_000, 1_000_000_000_000, 1_000_000] {
        for round in 0..40_000 {
            pair.push_after(words.next() % delay, 0);
            if round >= 5_000 {
                pair.pop();
            }
        }
        for _ in 0..5_000 {
            pair.pop();
        }
    }
    pair.drain();
}

/// The front is given up by pushes at the time reached, while others of that time are in it.
#[test]
fn a_front_that_is_given_up_keeps_its_order() {
    let mut pair = Pair::default();
    for event in 0..1_000 {
        pair.push(1_000 + event % 3 * 1_000, 9);
    }
    pair.pop();
    assert!(pair.calendar.front_last > 3_000, "the bucket is sorted");
    pair.pop_before(1_000);
    for _ in 0..10_000 {
        pair.push(1_000, 5);
        pair.pop();
    }
    assert!(pair.calendar.front_last < 2_000, "a shorter window has replaced it");
    pair.push(1_000, 9);
    pair.push(1_000, 0);
    pair.drain();
}

/// The first window, opened at time 0, turns out too long before anything is taken.
#[test]
fn time_zero_goes_first() {
    let mut pair = Pair::default();
    pair.push(0, 9);
    for event in 0..50_000 {
        pair.push(1 + event % 3_000, 0);
    }
    pair.push(0, 9);
    pair.pop();
    pair.push(0, 5);
    pair.pop();
    pair.pop();
    pair.push(0, 0);
    pair.drain();
}

#[test]
fn equal_times_come_by_rank_and_then_as_inserted() {
    let mut calendar = Calendar::new();
    let at = SimTime::from_nanos(1_000_000);
    for event in 0..200_000_u32 {
        calendar.push(at, event % 3, event);
    }
    for rank in 0..3 {
        for event in (rank..200_000).step_by(3) {
            assert_eq!(calendar.pop(), Some((at, event)));
        }
    }
    assert_eq!(calendar.pop(), None);
}

#[test]
fn consequences_without_delay_come_after_their_equals_and_by_rank() {
    let mut pair = Pair::default();
    for _ in 0..20_000 {
        pair.push(9, 2);
    }
    for round in 0..60_000 {
        pair.pop();
        pair.push_after(0, if round % 4 == 0 { 1 } else { 2 });
        if round % 5 == 0 {
            pair.pop();
        }
    }
    pair.drain();
}

#[test]
fn a_smaller_rank_at_the_time_reached_comes_next() {
    let mut pair = Pair::default();
    pair.push(5, 3);
    pair.push(5, 4);
    pair.pop();
    pair.push(5, 0);
    pair.push(5, 9);
    pair.drain();
}

#[test]
fn below_a_limit_that_gave_nothing_events_may_be_added() {
    let mut pair = Pair::default();
    for (event, limit, below) in [(1_000, 1_000, 10), (1 << 40, 1 << 40, 1 << 20), (u64::MAX, u64::MAX, 1 << 50)] {
        pair.push(event, 0);
        pair.pop_before(limit);
        pair.push(below, 0);
        pair.push(below, 0);
        pair.pop_before(below);
        pair.pop_before(below + 1);
    }
    pair.drain();
}

#[test]
fn the_end_of_time_is_a_time() {
    let mut pair = Pair::default();
    for event in 0..100 {
        pair.push(u64::MAX, 100 - event);
        pair.push(u64::MAX - 1, event);
    }
    for _ in 0..100 {
        pair.pop_before(u64::MAX);
    }
    pair.pop_before(u64::MAX);
    for rank in 0..100 {
        pair.push(u64::MAX, rank);
        pair.pop();
    }
    pair.drain();
}

#[test]
#[should_panic(expected = "an event at 4 ns was pushed when time had reached 5 ns")]
fn nothing_is_pushed_into_the_past() {
    let mut calendar = Calendar::new();
    calendar.push(SimTime::from_nanos(5), 0, ());
    calendar.push(SimTime::from_nanos(6), 0, ());
    calendar.pop();
    calendar.push(SimTime::from_nanos(4), 0, ());
}

#[test]
fn memory_is_used_again() {
    const PENDING: usize = 5_000;
    let mut pair = Pair::default();
    let mut words = Words(11);
    for round in 0..300_000 {
        pair.push_after(Delays::EveryScale.of(words.next()), 0);
        if round >= PENDING {
            pair.pop();
        }
    }
    assert!(pair.calendar.ring.nodes_made() <= PENDING + 1);
    assert!(pair.calendar.far.nodes_made() <= PENDING + 1 + Far::<u64>::SLACK_MAX);
}
