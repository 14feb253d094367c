//! Whole scenarios, from their text to their summary: the shipped ones, and the works that speed is judged by. The
//! counter is calls, so the figure to read is calls a second.
//!
//! `cargo bench --bench end_to_end`

#[path = "common/works.rs"]
mod works;

use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;
use lambdasim::run;
use lambdasim::scenario;
use lambdasim::stats::summary::Summary;

const SHIPPED: [&str; 6] =
    ["first-steps", "throttled-launch", "cold-starts", "client-timeout", "retry-outage", "replay-trace"];

fn main() {
    divan::main();
}

fn simulate(name: &str, text: &[u8], base: &Path) -> Summary {
    let loaded = scenario::parse(name, text, base, &[]).unwrap_or_else(|error| panic!("{error}"));
    run::run(&loaded.scenario).expect("the scenario ends")
}

fn bench(bencher: Bencher<'_, '_>, name: &str, text: &[u8], base: &Path) {
    let submitted: u64 = simulate(name, text, base).callers.rows().map(|caller| caller.submitted).sum();
    bencher.counter(ItemsCount::new(submitted)).bench(|| simulate(name, text, base));
}

#[divan::bench(args = SHIPPED)]
fn shipped(bencher: Bencher<'_, '_>, name: &str) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let text = std::fs::read(base.join(name).with_extension("yaml")).expect("a shipped scenario");
    bench(bencher, name, &text, &base);
}

#[divan::bench(sample_count = 5)]
fn work_a(bencher: Bencher<'_, '_>) {
    bench(bencher, "a", works::a(1_000_000).as_bytes(), Path::new("."));
}

#[divan::bench(sample_count = 5)]
fn work_b(bencher: Bencher<'_, '_>) {
    bench(bencher, "b", works::b(1_000_000).as_bytes(), Path::new("."));
}

#[divan::bench(args = [1, 100, 1_000], sample_count = 5)]
fn work_c(bencher: Bencher<'_, '_>, functions: u64) {
    bench(bencher, "c", works::c(1_000_000, functions).as_bytes(), Path::new("."));
}
