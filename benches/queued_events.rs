//! Events that wait: a function that is throttled for hours while its internal queue fills, then drained.
//!
//! `cargo bench --bench queued_events`
//!
//! The counter is dispatches (throttled ones and runs), so the figure to read is dispatches a second; it should not
//! fall with the number of events that wait. The peak of the allocations, over the number of waiting events, is the
//! memory of each.

#[path = "common/works.rs"]
mod works;

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use lambdasim::aws::fact::{Fact, Observer};
use lambdasim::kernel::time::SimTime;
use lambdasim::run;
use lambdasim::scenario::{self, Scenario};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Counts dispatches.
struct Dispatches(u64);

impl Observer for Dispatches {
    #[inline(always)]
    fn observe(&mut self, _: SimTime, fact: &Fact) {
        self.0 += u64::from(matches!(fact, Fact::EventDispatched { .. }));
    }
}

fn scenario(events: u64) -> Scenario {
    let text = works::queued(events);
    scenario::parse("queued", text.as_bytes(), Path::new("."), &[]).unwrap_or_else(|error| panic!("{error}")).scenario
}

fn dispatches(scenario: &Scenario) -> u64 {
    run::simulate(scenario, Dispatches(0), |_| true).expect("the scenario ends").observer.0
}

#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 3)]
fn throttled(bencher: Bencher<'_, '_>, events: u64) {
    let scenario = scenario(events);
    let items = dispatches(&scenario);
    bencher.counter(ItemsCount::new(items)).bench(|| dispatches(&scenario));
}

#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 3)]
fn throttled_with_statistics(bencher: Bencher<'_, '_>, events: u64) {
    let scenario = scenario(events);
    let items = dispatches(&scenario);
    bencher.counter(ItemsCount::new(items)).bench(|| run::run(&scenario).expect("the scenario ends"));
}
