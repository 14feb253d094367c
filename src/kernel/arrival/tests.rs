use proptest::prelude::*;

use super::*;
use crate::kernel::rng::RandomStreams;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

fn stream() -> Stream {
    RandomStreams::new(1).stream(&["arrivals"])
}

fn arrivals(process: ArrivalProcess) -> impl Iterator<Item = u64> {
    Arrivals::new(process, stream()).map(SimTime::as_nanos)
}

fn before(process: ArrivalProcess, end: u64) -> Vec<u64> {
    arrivals(process).take_while(|moment| *moment < end).collect()
}

fn rate(events: u64, per: u64) -> Rate {
    Rate { events, per: SimDuration::from_nanos(per) }
}

fn profile(points: &[(u64, u64)], shape: ProfileShape, process: Regularity) -> ArrivalProcess {
    let point = |&(at, events)| RatePoint { at: SimTime::from_nanos(at), rate: Rate::per_second(events) };
    ArrivalProcess::Profile { points: points.iter().map(point).collect(), shape, process }
}

/// Whether a count could come from a Poisson distribution: within five deviations.
fn is_near(count: usize, expected: f64) -> bool {
    (count as f64 - expected).abs() <= 5.0 * expected.sqrt() + 1.0
}

fn count(moments: &[u64], from: u64, until: u64) -> usize {
    moments.partition_point(|moment| *moment < until) - moments.partition_point(|moment| *moment < from)
}

/// The largest distance of sorted shares from those of a uniform distribution, in units of 1 / sqrt(count).
fn distance_from_uniform(mut shares: Vec<f64>) -> f64 {
    shares.sort_by(f64::total_cmp);
    let count = shares.len() as f64;
    let distances = shares.iter().enumerate().map(|(place, share)| (share - (place as f64 + 0.5) / count).abs());
    distances.fold(0.0, f64::max) * count.sqrt()
}

#[test]
fn first_moments_stay_the_same() {
    // A change here changes results of old seeds.
    let (steady, process) = (Rate::per_second(50), Regularity::Poisson);
    let length = Distribution::exponential(SECOND).unwrap();
    let cases = [
        ArrivalProcess::Poisson { rate: steady },
        profile(&[(0, 10), (300 * SECOND, 200)], ProfileShape::Linear, process),
        ArrivalProcess::Daily { mean: steady, peak: steady.times(2), peak_at: SimDuration::from_secs(50_400), process },
        ArrivalProcess::OnOff { on: length.clone(), off: length, rate: steady },
        ArrivalProcess::Counts { counts: [3, 50].into(), every: SimDuration::from_secs(60) },
    ];
    let found: Vec<Vec<u64>> = cases.into_iter().map(|case| arrivals(case).take(3).collect()).collect();
    assert_eq!(
        found,
        [
            [11_711_233, 38_196_187, 52_718_282],
            [58_447_987, 189_839_698, 261_427_178],
            [87_414_871, 285_111_254, 393_515_628],
            [26_484_954, 41_007_049, 68_579_712],
            [10_639_162_606, 34_541_912_116, 47_683_636_400],
        ]
    );
}

#[test]
fn poisson_arrivals_have_exponential_gaps() {
    const COUNT: usize = 300_000;
    // Fast (a gap is a third of a nanosecond), usual, and slow ones.
    for (events, per) in [(3, 1), (7, SECOND), (10_000, SECOND), (1, 8 * HOUR)] {
        let mean = per as f64 / events as f64;
        let moments: Vec<u64> = arrivals(ArrivalProcess::Poisson { rate: rate(events, per) }).take(COUNT).collect();
        let end = *moments.last().unwrap() as f64;
        let error = 5.0 * (COUNT as f64).sqrt() * mean;
        assert!((end - COUNT as f64 * mean).abs() < error, "{events} in {per}: {end}");
        if mean > 1e6 {
            let gaps = moments.windows(2).map(|pair| 1.0 - libm::exp(-((pair[1] - pair[0]) as f64) / mean)).collect();
            let distance = distance_from_uniform(gaps);
            assert!(distance < 2.2, "{events} in {per}: {distance}");
        }
    }
}

#[test]
fn poisson_counts_vary_as_much_as_their_mean() {
    let moments = before(ArrivalProcess::Poisson { rate: rate(100, SECOND) }, 10_000 * SECOND);
    let mut squares = 0.0;
    for second in 0..10_000 {
        let count = count(&moments, second * SECOND, (second + 1) * SECOND);
        assert!((40..=165).contains(&count), "{count}");
        squares += (count as f64 - 100.0) * (count as f64 - 100.0);
    }
    let variance = squares / 10_000.0;
    assert!((variance - 100.0).abs() < 7.5, "{variance}");
}

#[test]
fn constant_arrivals_are_where_the_division_says() {
    for (events, per) in
        [(50, SECOND), (7, 3 * SECOND), (1_000_000, DAY), (3, 1), (1, 1), (u64::MAX, 3), (SECOND - 63, SECOND)]
    {
        let moments = arrivals(ArrivalProcess::Constant { rate: rate(events, per) });
        for (n, moment) in (0_u128..300_000).zip(moments) {
            assert_eq!(u128::from(moment), n * u128::from(per) / u128::from(events), "{n} at {events} in {per}");
        }
    }
}

#[test]
fn a_rate_of_zero_has_no_arrivals() {
    let (zero, process) = (Rate::per_second(0), Regularity::Constant);
    let on = Distribution::constant(SECOND);
    for process in [
        ArrivalProcess::Poisson { rate: zero },
        ArrivalProcess::Constant { rate: zero },
        ArrivalProcess::Daily { mean: zero, peak: zero, peak_at: SimDuration::ZERO, process },
        ArrivalProcess::OnOff { on: on.clone(), off: on, rate: zero },
        profile(&[(0, 0), (SECOND, 0)], ProfileShape::Linear, process),
        ArrivalProcess::Burst { size: 0, at: SimTime::ZERO, every: SimDuration::ZERO, times: u64::MAX },
        ArrivalProcess::Burst { size: 1, at: SimTime::ZERO, every: SimDuration::ZERO, times: 0 },
        ArrivalProcess::At([].into()),
        ArrivalProcess::Counts { counts: [0, 0].into(), every: SimDuration::from_secs(1) },
    ] {
        let mut arrivals = Arrivals::new(process.clone(), stream());
        assert_eq!((arrivals.next(), arrivals.next()), (None, None), "{process:?}");
    }
}

#[test]
fn nothing_comes_after_the_end_of_time() {
    let rate = rate(1, 1 << 62);
    for (process, count) in [
        (ArrivalProcess::Constant { rate }, 4),
        (ArrivalProcess::Burst { size: 2, at: SimTime::ZERO, every: SimDuration::from_nanos(1 << 63), times: 9 }, 4),
        (ArrivalProcess::At([SimTime::ZERO, SimTime::MAX, SimTime::MAX].into()), 1),
    ] {
        assert_eq!(arrivals(process.clone()).count(), count, "{process:?}");
    }
    for process in [
        ArrivalProcess::Poisson { rate },
        ArrivalProcess::Profile {
            points: [RatePoint { at: SimTime::ZERO, rate }].into(),
            shape: ProfileShape::Step,
            process: Regularity::Poisson,
        },
    ] {
        let mut arrivals = Arrivals::new(process.clone(), stream());
        assert!(arrivals.by_ref().count() < 40, "{process:?}");
        assert_eq!(arrivals.next(), None);
    }
}

#[test]
fn listed_moments_and_bursts_are_kept() {
    let listed = [0, 1, 1, 5].map(SimTime::from_nanos);
    assert_eq!(arrivals(ArrivalProcess::At(listed.into())).collect::<Vec<_>>(), [0, 1, 1, 5]);
    let burst =
        ArrivalProcess::Burst { size: 100, at: SimTime::from_nanos(5), every: SimDuration::from_secs(60), times: 3 };
    let moments: Vec<u64> = arrivals(burst).collect();
    let expected: Vec<u64> = (0..3).flat_map(|burst| [5 + burst * 60 * SECOND; 100]).collect();
    assert_eq!(moments, expected);
}

#[test]
fn a_poisson_profile_has_the_expected_counts() {
    let points = [(10, 100), (20, 100), (30, 1000), (40, 0), (50, 0), (60, 500)];
    let points = points.map(|(at, rate)| (at * SECOND, rate));
    // Arrivals in each ten seconds, from 0.
    for (shape, expected) in [
        (ProfileShape::Linear, [1000.0, 1000.0, 5500.0, 5000.0, 0.0, 2500.0, 5000.0, 5000.0]),
        (ProfileShape::Step, [1000.0, 1000.0, 1000.0, 10_000.0, 0.0, 0.0, 5000.0, 5000.0]),
    ] {
        let moments = before(profile(&points, shape, Regularity::Poisson), 80 * SECOND);
        for (ten, expected) in (0..).zip(expected) {
            let count = count(&moments, ten * 10 * SECOND, (ten + 1) * 10 * SECOND);
            assert!(is_near(count, expected), "{shape:?} {ten}: {count} for {expected}");
        }
    }
    // Inside the rise from 100 to 1000, the cumulative rate is 100 t + 45 t^2 from its start.
    let moments = before(profile(&points, ProfileShape::Linear, Regularity::Poisson), 30 * SECOND);
    let rise =
        moments.iter().filter(|moment| **moment >= 20 * SECOND).map(|moment| (moment - 20 * SECOND) as f64 / 1e9);
    let distance = distance_from_uniform(rise.map(|t| (100.0 * t + 45.0 * t * t) / 5500.0).collect());
    assert!(distance < 2.2, "{distance}");
}

#[test]
fn an_even_profile_is_where_the_cumulative_rate_passes_whole_numbers() {
    // Flat, as the constant process, to the nanosecond.
    let moments = before(profile(&[(0, 10)], ProfileShape::Step, Regularity::Constant), DAY);
    assert!(moments.iter().zip(0..).all(|(moment, n)| *moment == n * 100_000_000));
    assert_eq!(moments.len(), 864_000);
    // From 0 to 200 a second in 100 s: the n-th at sqrt(n) seconds.
    let ramp = profile(&[(0, 0), (100 * SECOND, 200)], ProfileShape::Linear, Regularity::Constant);
    for (moment, n) in before(ramp, 100 * SECOND).iter().zip(0_u32..) {
        assert!((*moment as f64 - f64::from(n).sqrt() * 1e9).abs() <= 0.6, "{n}: {moment}");
    }
    // Pauses shift what follows: every period starts with an arrival.
    let points = [(0, 0), (5 * SECOND, 10), (6 * SECOND, 0), (60 * SECOND, 10)];
    let moments = before(profile(&points, ProfileShape::Step, Regularity::Constant), 61 * SECOND);
    let expected = |n: u64| if n < 10 { 5 * SECOND + n * SECOND / 10 } else { 60 * SECOND + (n - 10) * SECOND / 10 };
    assert_eq!(moments, (0..20).map(expected).collect::<Vec<_>>());
}

#[test]
fn a_day_has_its_mean_and_its_peak() {
    let (mean, peak) = (rate(10, SECOND), rate(18, SECOND));
    let process = Regularity::Constant;
    let daily = |process| ArrivalProcess::Daily { mean, peak, peak_at: SimDuration::from_secs(14 * 3600), process };
    // The cumulative rate over an hour is known by its formula.
    let cumulative = |hour: f64| {
        let swing = 8.0 * 86_400.0 / std::f64::consts::TAU;
        let turn = |hour: f64| libm::sin(std::f64::consts::TAU * (hour - 14.0) / 24.0);
        10.0 * 3600.0 * hour + swing * (turn(hour) - turn(0.0))
    };
    let moments = before(daily(process), 2 * DAY);
    assert_eq!(moments.len(), 2 * 864_000);
    for (n, moment) in moments.iter().enumerate().step_by(101).take(8000) {
        assert!((cumulative(*moment as f64 / HOUR as f64) - n as f64).abs() < 1e-6, "{n}: {moment}");
    }
    let moments = before(daily(Regularity::Poisson), 2 * DAY);
    for hour in 0..48_u32 {
        let hour_start = u64::from(hour) * HOUR;
        let expected = cumulative(f64::from(hour) + 1.0) - cumulative(f64::from(hour));
        let count = count(&moments, hour_start, hour_start + HOUR);
        assert!(is_near(count, expected), "{hour}: {count} for {expected}");
    }
}

#[test]
fn a_day_may_swing_to_zero_and_may_not_swing() {
    let process = Regularity::Constant;
    let mean = rate(2, SECOND);
    let peak_at = SimDuration::from_secs(3600);
    let still = before(ArrivalProcess::Daily { mean, peak: mean, peak_at, process }, DAY);
    assert!(still.iter().zip(0..).all(|(moment, n)| *moment == n * SECOND / 2));
    let deep = before(ArrivalProcess::Daily { mean, peak: mean.times(2), peak_at, process }, 3 * DAY);
    assert_eq!(deep.len(), 3 * 172_800);
    assert!(deep.is_sorted());
    // At the trough, 13 hours in, the gaps are the longest.
    let longest = deep.windows(2).max_by_key(|pair| pair[1] - pair[0]).unwrap();
    assert!(longest[0] % DAY < 13 * HOUR + 600 * SECOND && longest[1] % DAY > 13 * HOUR - 600 * SECOND);
}

#[test]
fn on_and_off_alternate() {
    let (on, off) = (Distribution::constant(2 * SECOND), Distribution::constant(3 * SECOND));
    let process = ArrivalProcess::OnOff { on, off, rate: rate(500, SECOND) };
    let moments = before(process, 5000 * SECOND);
    assert!(moments.iter().all(|moment| moment % (5 * SECOND) < 2 * SECOND));
    assert!(is_near(moments.len(), 1_000_000.0), "{}", moments.len());
}

#[test]
fn random_periods_have_the_mean_rate() {
    let length = |mean: u64| Distribution::exponential(mean * SECOND).unwrap();
    let periods = |events| ArrivalProcess::OnOff { on: length(1), off: length(4), rate: rate(events, SECOND) };
    let moments = before(periods(50), 50_000 * SECOND);
    // A share of 1/5 of the time, which itself varies: a variance of 2 x 0.2 x 0.8 x 0.8 s x 50,000 s.
    let deviation = 50.0 * (2.0 * 0.16 * 0.8 * 50_000.0_f64).sqrt();
    assert!((moments.len() as f64 - 500_000.0).abs() < 5.0 * deviation, "{}", moments.len());
    // The periods are the same under another rate.
    let ends = |moments: &[u64]| {
        moments
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > 2 * SECOND)
            .map(|pair| pair[0] / SECOND)
            .collect::<Vec<_>>()
    };
    let dense = before(periods(5000), 500 * SECOND);
    let sparse = before(periods(2500), 500 * SECOND);
    assert_eq!(ends(&dense), ends(&sparse));
}

#[test]
fn counts_are_exact_and_moments_inside_uniform() {
    let counts = [0, 5, 100_000, 0, 0, 1, 30_000, 0];
    let every = 60 * SECOND;
    let process = ArrivalProcess::Counts { counts: counts.into(), every: SimDuration::from_nanos(every) };
    let moments: Vec<u64> = arrivals(process).collect();
    assert!(moments.is_sorted());
    assert_eq!(moments.len() as u64, counts.iter().sum::<u64>());
    for (interval, expected) in (0..).zip(counts) {
        let (from, until) = (interval * every, (interval + 1) * every);
        assert_eq!(count(&moments, from, until) as u64, expected);
        if expected > 1000 {
            let inside = moments.iter().filter(|moment| (from..until).contains(moment));
            let distance = distance_from_uniform(inside.map(|moment| (moment - from) as f64 / every as f64).collect());
            assert!(distance < 2.2, "{distance}");
        }
    }
}

#[test]
fn illegal_processes_are_refused() {
    let (slow, process) = (Rate::per_second(10), Regularity::Poisson);
    let daily = |peak| ArrivalProcess::Daily { mean: slow, peak, peak_at: SimDuration::ZERO, process };
    let on_off =
        |on| ArrivalProcess::OnOff { on: Distribution::constant(on), off: Distribution::constant(SECOND), rate: slow };
    for (process, parameter) in [
        (ArrivalProcess::At([2, 1].map(SimTime::from_nanos).into()), Some("at")),
        (ArrivalProcess::At([1, 1].map(SimTime::from_nanos).into()), None),
        (profile(&[], ProfileShape::Step, process), Some("points")),
        (profile(&[(2, 1), (1, 1)], ProfileShape::Step, process), Some("points")),
        (profile(&[(1, 1), (1, 2)], ProfileShape::Linear, process), None),
        (daily(Rate::per_second(9)), Some("peak")),
        (daily(Rate::per_second(10)), None),
        (daily(rate(1200, 60 * SECOND)), None),
        (daily(rate(1201, 60 * SECOND)), Some("peak")),
        (on_off(0), Some("on")),
        (on_off(1000), None),
        (ArrivalProcess::Counts { counts: [1].into(), every: SimDuration::ZERO }, Some("every")),
    ] {
        let found = process.check().err().map(|error| error.parameter);
        assert_eq!(found, parameter, "{process:?}");
    }
}

#[test]
#[should_panic(expected = "arrivals of an illegal process: at: expected moments in order")]
fn an_illegal_process_has_no_arrivals() {
    let _ = Arrivals::new(ArrivalProcess::At([2, 1].map(SimTime::from_nanos).into()), stream());
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (prop_oneof![0..1000_u64, any::<u64>()], prop_oneof![Just(SECOND), 1..u64::MAX])
        .prop_map(|(events, per)| rate(events, per))
}

fn any_process() -> impl Strategy<Value = ArrivalProcess> {
    let regularity = || prop_oneof![Just(Regularity::Poisson), Just(Regularity::Constant)];
    let shape = prop_oneof![Just(ProfileShape::Linear), Just(ProfileShape::Step)];
    let moment = prop_oneof![any::<u64>(), 0..HOUR];
    let points = proptest::collection::vec((moment, any_rate()), 1..6).prop_map(|mut points| {
        points.sort_by_key(|(at, _)| *at);
        points.into_iter().map(|(at, rate)| RatePoint { at: SimTime::from_nanos(at), rate }).collect()
    });
    prop_oneof![
        any_rate().prop_map(|rate| ArrivalProcess::Poisson { rate }),
        any_rate().prop_map(|rate| ArrivalProcess::Constant { rate }),
        (points, shape, regularity()).prop_map(|(points, shape, process)| ArrivalProcess::Profile {
            points,
            shape,
            process
        }),
        (any_rate(), any::<u64>(), regularity()).prop_map(|(mean, peak_at, process)| ArrivalProcess::Daily {
            mean,
            peak: Rate { events: mean.events.saturating_add(mean.events / 3), ..mean },
            peak_at: SimDuration::from_nanos(peak_at),
            process,
        }),
        (proptest::collection::vec(0..9_u64, 0..9), 1..u64::MAX).prop_map(|(counts, every)| ArrivalProcess::Counts {
            counts: counts.into(),
            every: SimDuration::from_nanos(every),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moments_never_fall(process in any_process()) {
        let moments: Vec<u64> = arrivals(process).take(1000).collect();
        prop_assert!(moments.is_sorted());
        prop_assert!(moments.last().is_none_or(|last| *last < u64::MAX));
    }
}
