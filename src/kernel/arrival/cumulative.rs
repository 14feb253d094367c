//! Processes with a changing rate, by inversion of the cumulative rate.
//!
//! Arrivals of a process with any rate are those of a process with rate one, seen through the cumulative rate: the next
//! arrival is where the cumulative rate has risen by one step, which is 1 for an even process and a unit exponential for
//! Poisson. Time is cut into segments. Inside a segment the cumulative rate is inverted in floating point, from the
//! segment's start, to the nearest nanosecond (above 2^53 ns, 104 days, of one segment to a few); the cumulative rate
//! itself is an exact sum of steps, so nothing drifts.

use std::f64::consts::TAU;

use super::{ProfileShape, RatePoint, Regularity};
use crate::kernel::dist::Distribution;
use crate::kernel::quantity::Rate;
use crate::kernel::rng::{BLOCK, Stream, StreamKey};
use crate::kernel::time::SimDuration;

/// Cumulative rates are kept in units of 2^-56 of an arrival.
const FRACTION_BITS: u32 = 56;
const UNIT: u64 = 1 << FRACTION_BITS;
const DAY: u64 = 86_400_000_000_000;

/// A process with a changing rate.
#[derive(Clone, Debug)]
pub(super) struct Cumulative {
    segments: Segments,
    current: Option<Segment>,
    steps: Steps,
    /// The cumulative rate from the start of the current segment to the last arrival.
    passed: u128,
    /// The last arrival; a rounding must not let time run back.
    last: u64,
}

/// Where the cumulative rate goes from arrival to arrival.
#[derive(Clone, Debug)]
enum Steps {
    /// Unit exponentials.
    Random { stream: Box<Stream>, unit: Distribution },
    /// Ones, but for the first, which is zero.
    Even { started: bool },
}

/// What comes after the current segment.
#[derive(Clone, Debug)]
enum Segments {
    /// The rest of a profile.
    Listed(std::vec::IntoIter<Segment>),
    /// The next day, by its start.
    Days { next: Option<u64>, area: u128, day: Day },
    /// The next period with arrivals, by its start and number.
    OnOff { next: Option<u64>, number: u64, periods: Box<OnOff> },
}

/// The periods of an on-off process; their lengths do not depend on the rate.
#[derive(Clone, Debug)]
struct OnOff {
    on: Distribution,
    off: Distribution,
    rate: Rate,
    key: StreamKey,
}

/// A length of time with one formula for its rate.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: u64,
    length: u64,
    /// The cumulative rate over the whole segment, in units.
    area: u128,
    curve: Curve,
}

/// The rate inside a segment, in arrivals a nanosecond.
#[derive(Clone, Copy, Debug)]
enum Curve {
    /// Nanoseconds from arrival to arrival.
    Flat {
        gap: f64,
    },
    /// From `start`, changing by `slope` each nanosecond.
    Line {
        start: f64,
        slope: f64,
    },
    Day(Day),
}

/// The rate over a day: mean + swing x cos(2 pi (t - peak) / day).
#[derive(Clone, Copy, Debug)]
struct Day {
    mean: f64,
    swing: f64,
    /// In nanoseconds after midnight.
    peak: f64,
    /// The sine at midnight, with its sign changed.
    sine: f64,
    /// The last solution: nanoseconds after midnight, and the cumulative rate there.
    solved: (f64, f64),
}

impl Cumulative {
    /// With points in order, and at least one.
    pub(super) fn profile(points: &[RatePoint], shape: ProfileShape, process: Regularity, stream: Stream) -> Self {
        let mut segments = Vec::with_capacity(points.len() + 1);
        let mut before: Option<RatePoint> = None;
        for &point in points {
            let from = before.map_or(0, |before| before.at.as_nanos());
            let length = point.at.as_nanos() - from;
            segments.push(match (before, shape) {
                (None, _) => Segment::flat(from, length, point.rate),
                (Some(before), ProfileShape::Step) => Segment::flat(from, length, before.rate),
                (Some(before), ProfileShape::Linear) => Segment::line(from, length, before.rate, point.rate),
            });
            before = Some(point);
        }
        if let Some(last) = before {
            let from = last.at.as_nanos();
            segments.push(Segment::flat(from, u64::MAX - from, last.rate));
        }
        Self::new(Segments::Listed(segments.into_iter()), Steps::new(process, stream))
    }

    /// With a mean above 0, and mean <= peak <= 2 x mean.
    pub(super) fn daily(mean: Rate, peak: Rate, peak_at: SimDuration, process: Regularity, stream: Stream) -> Self {
        let peak_at = (peak_at.as_nanos() % DAY) as f64;
        let day = Day {
            mean: per_nanosecond(mean),
            swing: (per_nanosecond(peak) - per_nanosecond(mean)).max(0.0),
            peak: peak_at,
            sine: libm::sin(TAU * (peak_at / DAY as f64)),
            solved: (0.0, 0.0),
        };
        Self::new(Segments::Days { next: Some(0), area: area(mean, DAY), day }, Steps::new(process, stream))
    }

    pub(super) fn on_off(on: Distribution, off: Distribution, rate: Rate, mut stream: Stream) -> Self {
        let key = StreamKey::from_word(stream.word());
        let periods = Box::new(OnOff { on, off, rate, key });
        let steps = Steps::new(Regularity::Poisson, stream);
        Self::new(Segments::OnOff { next: Some(0), number: 0, periods }, steps)
    }

    fn new(mut segments: Segments, steps: Steps) -> Self {
        let current = segments.next();
        Self { segments, current, steps, passed: 0, last: 0 }
    }

    pub(super) fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        let mut steps = [0; BLOCK];
        self.steps.fill(&mut steps);
        for (place, (moment, step)) in moments.iter_mut().zip(&steps).enumerate() {
            match self.advance(*step) {
                Some(next) => *moment = next,
                None => return place,
            }
        }
        BLOCK
    }

    /// The arrival one step further; `None` when the end of time comes before.
    fn advance(&mut self, step: u64) -> Option<u64> {
        self.passed += u128::from(step);
        let mut segment = self.current.as_mut()?;
        while self.passed >= segment.area {
            self.passed -= segment.area;
            self.current = self.segments.next();
            segment = self.current.as_mut()?;
        }
        let moment = segment.start.checked_add(segment.offset(self.passed))?;
        self.last = self.last.max(moment);
        (self.last < u64::MAX).then_some(self.last)
    }
}

impl Steps {
    fn new(process: Regularity, stream: Stream) -> Self {
        match process {
            Regularity::Poisson => Self::Random {
                stream: Box::new(stream),
                unit: Distribution::exponential(UNIT).expect("every mean is legal"),
            },
            Regularity::Constant => Self::Even { started: false },
        }
    }

    fn fill(&mut self, steps: &mut [u64; BLOCK]) {
        match self {
            Self::Random { stream, unit } => {
                let mut words = [0; BLOCK];
                stream.fill(&mut words);
                unit.sample_block(&words, steps);
            }
            Self::Even { started } => {
                steps.fill(UNIT);
                if !*started {
                    steps[0] = 0;
                    *started = true;
                }
            }
        }
    }
}

impl Segments {
    fn next(&mut self) -> Option<Segment> {
        match self {
            Self::Listed(list) => list.next(),
            Self::Days { next, area, day } => {
                let start = (*next)?;
                *next = start.checked_add(DAY);
                Some(Segment { start, length: DAY, area: *area, curve: Curve::Day(*day) })
            }
            Self::OnOff { next, number, periods } => {
                let start = (*next)?;
                let OnOff { on, off, rate, key } = &**periods;
                let on = on.sample(key.word(*number));
                let off = off.sample(key.word(*number + 1));
                *number += 2;
                // Both are at most 2^62.
                *next = start.checked_add(on + off);
                Some(Segment::flat(start, on, *rate))
            }
        }
    }
}

impl Segment {
    fn flat(start: u64, length: u64, rate: Rate) -> Self {
        let gap = rate.per.as_nanos() as f64 / rate.events as f64;
        Self { start, length, area: area(rate, length), curve: Curve::Flat { gap } }
    }

    fn line(start: u64, length: u64, from: Rate, to: Rate) -> Self {
        let area = u128::midpoint(area(from, length), area(to, length));
        let (from, to) = (per_nanosecond(from), per_nanosecond(to));
        Self { start, length, area, curve: Curve::Line { start: from, slope: (to - from) / length as f64 } }
    }

    /// How far into the segment the cumulative rate reaches `passed`, in nanoseconds.
    fn offset(&mut self, passed: u128) -> u64 {
        let passed = passed as f64 / UNIT as f64;
        let offset = match &mut self.curve {
            Curve::Flat { gap } => passed * *gap,
            Curve::Line { .. } | Curve::Day(_) if passed <= 0.0 => 0.0,
            // The root of start x t + slope / 2 x t^2 = passed, without the cancellation of the schoolbook form.
            Curve::Line { start, slope } => {
                2.0 * passed / (*start + (*start * *start + 2.0 * *slope * passed).max(0.0).sqrt())
            }
            Curve::Day(day) => day.solve(passed),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; the cast saturates")]
        let offset = (offset + 0.5) as u64;
        offset.min(self.length)
    }
}

impl Day {
    /// When the cumulative rate from midnight reaches `passed`: Newton's method, bisection where that leaves the bracket.
    fn solve(&mut self, passed: f64) -> f64 {
        const CLOSE: f64 = 0.1;
        let day = DAY as f64;
        let (mut low, mut high) = (self.solved.0, day);
        let mut moment = low + (passed - self.solved.1) / self.rate(low).max(f64::MIN_POSITIVE);
        // A bisection of a day to a tenth of a nanosecond takes 50 halvings.
        for _ in 0..100 {
            if !(low..=high).contains(&moment) {
                moment = f64::midpoint(low, high);
            }
            let excess = self.cumulative(moment) - passed;
            if excess > 0.0 {
                high = moment;
            } else {
                low = moment;
            }
            let step = excess / self.rate(moment).max(f64::MIN_POSITIVE);
            if step.abs() < CLOSE || high - low < CLOSE {
                break;
            }
            moment -= step;
        }
        self.solved = (moment, passed);
        moment
    }

    fn rate(&self, moment: f64) -> f64 {
        self.mean + self.swing * libm::cos(TAU * ((moment - self.peak) / DAY as f64))
    }

    fn cumulative(&self, moment: f64) -> f64 {
        let day = DAY as f64;
        let swing = self.swing * day / TAU;
        self.mean * moment + swing * (libm::sin(TAU * ((moment - self.peak) / day)) + self.sine)
    }
}

/// How many arrivals a rate gives in a length, in units, rounded down.
fn area(rate: Rate, length: u64) -> u128 {
    /// More arrivals than any run could have.
    const LIMIT: u128 = 1 << 70;
    let per = u128::from(rate.per.as_nanos());
    let product = u128::from(rate.events) * u128::from(length);
    let (whole, rest) = (product / per, product % per);
    (whole.min(LIMIT) << FRACTION_BITS) + ((rest << FRACTION_BITS) / per)
}

/// A rate as arrivals a nanosecond.
fn per_nanosecond(rate: Rate) -> f64 {
    rate.events as f64 / rate.per.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: u64 = 365 * DAY;

    /// How far the cumulative rate at a moment is from what was to be reached, as time at that rate.
    fn error(segment: &mut Segment, arrivals: u128, rate: Rate) -> i128 {
        let offset = i128::from(segment.offset(arrivals << FRACTION_BITS));
        let exact = arrivals * u128::from(rate.per.as_nanos()) / u128::from(rate.events);
        offset - i128::try_from(exact).unwrap()
    }

    #[test]
    fn a_year_at_10_000_a_second_is_precise() {
        let rate = Rate::per_second(10_000);
        let mut flat = Segment::flat(0, YEAR, rate);
        let mut level = Segment::line(0, YEAR, rate, rate);
        for arrivals in [1, 9_999, 10_001, 864_000_001, 100_000_000_003, 315_359_999_999] {
            assert!(error(&mut flat, arrivals, rate).abs() <= 4, "{arrivals}");
            assert!(error(&mut level, arrivals, rate).abs() <= 8, "{arrivals}");
        }
        assert_eq!(flat.area, 315_360_000_000 << FRACTION_BITS);
        assert_eq!(level.area, flat.area);
        let rising = Segment::line(0, YEAR, rate, rate.times(3));
        assert_eq!(rising.area, 630_720_000_000 << FRACTION_BITS);
    }

    #[test]
    fn a_falling_line_ends_where_its_rate_is_zero() {
        let mut segment = Segment::line(0, 1_000_000_000, Rate::per_second(2_000), Rate::per_second(0));
        let mut last = 0;
        for arrivals in 0..1000 {
            let offset = segment.offset(arrivals << FRACTION_BITS);
            // The cumulative rate is 1000 (1 - (1 - t)^2).
            let left = 1.0 - offset as f64 / 1e9;
            assert!((1000.0 * (1.0 - left * left) - arrivals as f64).abs() < 2e-6, "{arrivals}: {offset}");
            assert!(offset >= last);
            last = offset;
        }
        assert_eq!(segment.offset(1000 << FRACTION_BITS), 1_000_000_000);
    }

    #[test]
    fn an_area_may_be_larger_than_any_run() {
        let rate = Rate { events: u64::MAX, per: SimDuration::from_nanos(1) };
        let segment = Segment::line(0, u64::MAX, rate, rate);
        assert_eq!(segment.area >> FRACTION_BITS, 1 << 70);
    }
}
