//! A textbook event loop, for comparison: one binary heap for every event, floating-point time, samples from a
//! library, idle environments that expire by events of their own. What one writes in an afternoon.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp, LogNormal};

const IDLE_LIMIT_S: f64 = 600.0;
/// Quantile of the standard normal distribution at 0.99.
const Z99: f64 = 2.326_347_874_040_840_8;

enum What {
    Arrival,
    Done(usize),
    Expired(usize, u32),
}

struct Due {
    at: f64,
    sequence: u64,
    what: What,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at).then(other.sequence.cmp(&self.sequence))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

struct Heap {
    due: BinaryHeap<Due>,
    sequence: u64,
}

impl Heap {
    fn push(&mut self, at: f64, what: What) {
        self.sequence += 1;
        self.due.push(Due { at, sequence: self.sequence, what });
    }
}

#[derive(Default)]
struct Environment {
    generation: u32,
    started: f64,
}

/// What the loop counts.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Calls that ran to their end.
    pub(crate) served: u64,
    /// Calls refused.
    pub(crate) throttled: u64,
    /// New environments.
    pub(crate) cold: u64,
    /// Sum of the times of all runs, seconds.
    pub(crate) busy_s: f64,
}

/// Work (b): one function, 1,000 calls a second, at most 200 at once.
pub(crate) fn work_b(invocations: u64, seed: u64) -> Counts {
    let lognormal = |median_ms: f64, p99_ms: f64| {
        let sigma = (libm::log(p99_ms) - libm::log(median_ms)) / Z99;
        LogNormal::new(libm::log(median_ms / 1e3), sigma).expect("a lognormal distribution")
    };
    let (gap, service, init) = (Exp::new(1_000.0).expect("a rate"), lognormal(50.0, 400.0), lognormal(250.0, 900.0));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut heap = Heap { due: BinaryHeap::new(), sequence: 0 };
    let (mut environments, mut idle): (Vec<Environment>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut counts, mut busy, mut arrivals) = (Counts::default(), 0, 0);
    heap.push(gap.sample(&mut random), What::Arrival);
    while let Some(Due { at, what, .. }) = heap.due.pop() {
        match what {
            What::Arrival => {
                arrivals += 1;
                if arrivals < invocations {
                    heap.push(at + gap.sample(&mut random), What::Arrival);
                }
                if busy >= 200 {
                    counts.throttled += 1;
                    continue;
                }
                busy += 1;
                let mut length = service.sample(&mut random);
                let environment = idle.pop().unwrap_or_else(|| {
                    counts.cold += 1;
                    length += init.sample(&mut random);
                    environments.push(Environment::default());
                    environments.len() - 1
                });
                environments[environment].generation += 1;
                environments[environment].started = at;
                heap.push(at + length, What::Done(environment));
            }
            What::Done(environment) => {
                busy -= 1;
                counts.served += 1;
                counts.busy_s += at - environments[environment].started;
                idle.push(environment);
                heap.push(at + IDLE_LIMIT_S, What::Expired(environment, environments[environment].generation));
            }
            What::Expired(environment, generation) => {
                if environments[environment].generation == generation {
                    idle.retain(|other| *other != environment);
                }
            }
        }
        if arrivals >= invocations && busy == 0 {
            break;
        }
    }
    counts
}
