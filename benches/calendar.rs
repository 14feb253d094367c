//! The event list in the hold model: a fixed number of events is pending, and each round takes the earliest and adds
//! one again. One iteration is 1000 rounds, so a figure in microseconds reads as nanoseconds for each pair of calls.
//!
//! `calendar` and `binary_heap` do the same; `no_list` is the part of both that is not the list.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use divan::Bencher;
use lambdasim::kernel::calendar::Calendar;
use lambdasim::kernel::time::{SimDuration, SimTime};

fn main() {
    divan::main();
}

const PENDING: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
const ROUNDS: usize = 1000;
/// Rounds before the clock starts, for each pending event, and at least so many.
const WARM_UP: usize = 4;
const WARM_UP_MIN: usize = 200_000;
const MEAN_NANOS: f64 = 1e9;

/// What the list carries: a kind and the number of an entity.
type Event = (u32, u32);

/// How far ahead events are set.
trait Delay {
    fn draw(table: &Table, word: u64) -> u64;
}

/// Exponential with a mean of a second.
struct Exponential;
/// The same in whole milliseconds, so that ties come in masses.
struct Grid;
/// A few long delays among many short ones.
struct TailHeavy;
/// From nanoseconds to days, every order of magnitude alike.
struct Wide;

impl Delay for Exponential {
    fn draw(table: &Table, word: u64) -> u64 {
        table.exponential(word)
    }
}

impl Delay for Grid {
    fn draw(table: &Table, word: u64) -> u64 {
        table.exponential(word).next_multiple_of(1_000_000)
    }
}

impl Delay for TailHeavy {
    fn draw(table: &Table, word: u64) -> u64 {
        let delay = table.exponential(word);
        if word.is_multiple_of(8) { delay * 20 } else { delay / 4 }
    }
}

impl Delay for Wide {
    fn draw(_: &Table, word: u64) -> u64 {
        (word >> 16) >> (word % 48)
    }
}

/// Quantiles of the exponential distribution: a draw is then much cheaper than what is measured.
struct Table([u64; 1025]);

impl Table {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds, in nanoseconds")]
    fn new() -> Self {
        Self(std::array::from_fn(|cell| {
            let above = (1024.5 - cell as f64).max(0.5) / 1024.5;
            (-libm::log(above) * MEAN_NANOS) as u64
        }))
    }

    fn exponential(&self, word: u64) -> u64 {
        let cell = (word >> 54) as usize;
        let (low, high) = (self.0[cell], self.0[cell + 1]);
        low + (((high - low) * (word >> 32 & 0xffff)) >> 16)
    }
}

/// `SplitMix64`.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What is compared.
trait List {
    fn push(&mut self, at: SimTime, event: Event);
    fn pop(&mut self) -> (SimTime, Event);
}

impl List for Calendar<Event> {
    fn push(&mut self, at: SimTime, event: Event) {
        Calendar::push(self, at, 0, event);
    }

    fn pop(&mut self) -> (SimTime, Event) {
        Calendar::pop(self).expect("the number of pending events is held")
    }
}

/// The standard library's heap with the same order.
#[derive(Default)]
struct Heap {
    pushed: u64,
    heap: BinaryHeap<Reverse<(SimTime, u32, u64, Event)>>,
}

impl List for Heap {
    fn push(&mut self, at: SimTime, event: Event) {
        self.heap.push(Reverse((at, 0, self.pushed, event)));
        self.pushed += 1;
    }

    fn pop(&mut self) -> (SimTime, Event) {
        let Reverse((at, _, _, event)) = self.heap.pop().expect("the number of pending events is held");
        (at, event)
    }
}

/// Gives back what was pushed last.
#[derive(Default)]
struct Nothing(Option<(SimTime, Event)>);

impl List for Nothing {
    fn push(&mut self, at: SimTime, event: Event) {
        self.0 = Some(black_box((at, event)));
    }

    fn pop(&mut self) -> (SimTime, Event) {
        self.0.expect("something was pushed")
    }
}

fn hold<L: List + Default, D: Delay>(bencher: Bencher<'_, '_>, pending: usize) {
    let table = Table::new();
    let mut words = Words(1);
    let mut list = L::default();
    for entity in 0..pending {
        let delay = D::draw(&table, words.next());
        list.push(SimTime::from_nanos(delay), (0, u32::try_from(entity).expect("few entities")));
    }
    let mut rounds = |count: usize| {
        for _ in 0..count {
            let (now, event) = list.pop();
            let delay = D::draw(&table, words.next());
            list.push(now.plus(SimDuration::from_nanos(delay)), event);
        }
    };
    rounds((pending * WARM_UP).max(WARM_UP_MIN));
    bencher.bench_local(|| rounds(ROUNDS));
}

#[divan::bench(types = [Exponential, Grid, TailHeavy, Wide], args = PENDING)]
fn calendar<D: Delay>(bencher: Bencher<'_, '_>, pending: usize) {
    hold::<Calendar<Event>, D>(bencher, pending);
}

#[divan::bench(types = [Exponential, Grid, TailHeavy, Wide], args = PENDING)]
fn binary_heap<D: Delay>(bencher: Bencher<'_, '_>, pending: usize) {
    hold::<Heap, D>(bencher, pending);
}

#[divan::bench(types = [Exponential, Grid, TailHeavy, Wide])]
fn no_list<D: Delay>(bencher: Bencher<'_, '_>) {
    hold::<Nothing, D>(bencher, 1);
}
