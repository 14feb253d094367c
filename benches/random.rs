//! Random numbers: 1000 draws in each iteration, so that microseconds read as nanoseconds per draw.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark has no users")]

use divan::{Bencher, black_box};
use lambdasim::kernel::arrival::{ArrivalProcess, Arrivals, Regularity};
use lambdasim::kernel::dist::Distribution;
use lambdasim::kernel::quantity::{Rate, Ratio};
use lambdasim::kernel::rng::{IndexedDraws, RandomStreams};
use lambdasim::kernel::time::{SimDuration, SimTime};

const DRAWS: u64 = 1000;

fn main() {
    divan::main();
}

fn streams() -> RandomStreams {
    RandomStreams::new(1)
}

#[divan::bench]
fn word_of_key(bencher: Bencher) {
    let key = streams().key(&["bench"]);
    let mut next = 0;
    bencher.bench_local(|| {
        next += DRAWS;
        (next..next + DRAWS).fold(0, |sum: u64, index| sum.wrapping_add(black_box(key).word(index)))
    });
}

#[divan::bench]
fn word_of_stream(bencher: Bencher) {
    let mut stream = streams().stream(&["bench"]);
    bencher.bench_local(|| (0..DRAWS).fold(0, |sum: u64, _| sum.wrapping_add(stream.word())));
}

#[divan::bench]
fn fill_of_stream(bencher: Bencher) {
    let mut stream = streams().stream(&["bench"]);
    let mut words = [0; 64];
    bencher.bench_local(|| {
        for _ in 0..DRAWS / 50 {
            stream.fill(black_box(&mut words[..50]));
        }
    });
}

fn kinds() -> [(&'static str, Distribution); 9] {
    let mean = 50_000_000;
    let exponential = Distribution::exponential(mean).unwrap();
    let parts = vec![
        (Ratio::from_parts(Ratio::PARTS / 10).unwrap(), Distribution::constant(mean)),
        (Ratio::from_parts(Ratio::PARTS / 10 * 9).unwrap(), exponential.clone()),
    ];
    [
        ("constant", Distribution::constant(mean)),
        ("uniform", Distribution::uniform(mean, 2 * mean).unwrap()),
        ("exponential", exponential),
        ("lognormal", Distribution::lognormal_from_median_p99(mean, 8 * mean).unwrap()),
        ("gamma", Distribution::gamma(mean, 0.7).unwrap()),
        ("weibull", Distribution::weibull(mean, 0.7).unwrap()),
        ("pareto", Distribution::pareto(mean, 2.5).unwrap()),
        ("quantiles", Distribution::quantiles(&[(0.0, 1), (50.0, mean), (99.0, 8 * mean), (100.0, 9 * mean)]).unwrap()),
        ("mixture", Distribution::mixture(parts).unwrap()),
    ]
}

fn names() -> impl Iterator<Item = &'static str> {
    kinds().into_iter().map(|(name, _)| name)
}

fn draws(name: &str) -> IndexedDraws {
    let (_, distribution) = kinds().into_iter().find(|(known, _)| *known == name).unwrap();
    IndexedDraws::new(streams().key(&["bench"]), distribution)
}

#[divan::bench(args = names())]
fn in_order(bencher: Bencher, name: &str) {
    let mut draws = draws(name);
    let mut next = 0;
    bencher.bench_local(|| {
        next += DRAWS;
        (next - DRAWS..next).fold(0, |sum: u64, index| sum.wrapping_add(draws.at(index)))
    });
}

#[divan::bench(args = names())]
fn out_of_order(bencher: Bencher, name: &str) {
    let mut draws = draws(name);
    let mut next: u64 = 0;
    bencher.bench_local(|| {
        next += DRAWS;
        (next - DRAWS..next)
            .fold(0, |sum: u64, index| sum.wrapping_add(draws.at(index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)))
    });
}

#[divan::bench(args = ["exponential", "lognormal"])]
fn second_runs(bencher: Bencher, name: &str) {
    let mut draws = draws(name);
    let mut next = 0;
    bencher.bench_local(|| {
        next += DRAWS;
        (next - DRAWS..next).fold(0, |sum: u64, index| sum.wrapping_add(draws.at_run(index, 2)))
    });
}

fn process(name: &str) -> ArrivalProcess {
    let (rate, process) = (Rate::per_second(1000), Regularity::Poisson);
    let length = Distribution::exponential(1_000_000_000).unwrap();
    match name {
        "poisson" => ArrivalProcess::Poisson { rate },
        "constant" => ArrivalProcess::Constant { rate },
        "daily" => {
            ArrivalProcess::Daily { mean: rate, peak: rate.times(2), peak_at: SimDuration::from_secs(3600), process }
        }
        "on_off" => ArrivalProcess::OnOff { on: length.clone(), off: length, rate },
        _ => ArrivalProcess::Counts { counts: vec![1_000_000; 100_000].into(), every: SimDuration::from_secs(60) },
    }
}

#[divan::bench(args = ["poisson", "constant", "daily", "on_off", "counts"])]
fn arrivals(bencher: Bencher, name: &str) {
    let mut arrivals = Arrivals::new(process(name), streams().stream(&["bench"]));
    bencher.bench_local(|| {
        (0..DRAWS).fold(0, |sum: u64, _| sum.wrapping_add(arrivals.next().map_or(0, SimTime::as_nanos)))
    });
}
