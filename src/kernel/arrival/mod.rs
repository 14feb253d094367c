//! Arrival processes: when an open loop submits.
//!
//! Moments are whole nanoseconds and sums of exact integers, so nothing drifts in a run of months. Random processes take
//! one random word for each arrival: under another rate the same arrivals come, closer together or further apart.
//! Arrivals are computed 64 at a time.

mod cumulative;
mod simple;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::cumulative::Cumulative;
use self::simple::{Burst, Constant, Counts, Moments, Poisson};

use super::dist::{Distribution, ParameterError};
use super::quantity::Rate;
use super::rng::{BLOCK, Stream};
use super::time::{SimDuration, SimTime};

/// When an open loop submits.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalProcess {
    /// Independent arrivals at a steady rate.
    Poisson {
        /// How many on average.
        rate: Rate,
    },
    /// Evenly spaced arrivals: the n-th, counted from 0, at floor(n x per / events).
    Constant {
        /// How many.
        rate: Rate,
    },
    /// At these moments, in order; a moment may repeat. Traces too.
    At(Arc<[SimTime]>),
    /// Many at once.
    Burst {
        /// Arrivals of one burst.
        size: u64,
        /// The first burst.
        at: SimTime,
        /// From burst to burst.
        every: SimDuration,
        /// How many bursts.
        times: u64,
    },
    /// A rate that changes over time.
    ///
    /// The first and the last rate hold outside the points.
    Profile {
        /// The rate at some moments, in order.
        points: Arc<[RatePoint]>,
        /// The rate between the points.
        shape: ProfileShape,
        /// Random or even.
        process: Regularity,
    },
    /// A rate that swings as a cosine with the time of day; a run starts at midnight.
    ///
    /// The rate is mean + (peak - mean) x cos(2 pi (t - `peak_at`) / 24 h).
    Daily {
        /// The mean over a day.
        mean: Rate,
        /// The highest rate: from `mean` to twice that.
        peak: Rate,
        /// The time of day with the highest rate.
        peak_at: SimDuration,
        /// Random or even.
        process: Regularity,
    },
    /// Periods with arrivals and periods without, in turn, starting with arrivals.
    OnOff {
        /// How long arrivals last.
        on: Distribution,
        /// How long the pauses last.
        off: Distribution,
        /// The rate of the Poisson process in the periods with arrivals.
        rate: Rate,
    },
    /// So many arrivals in each interval, at independent uniform moments inside it.
    Counts {
        /// Arrivals of each interval.
        counts: Arc<[u64]>,
        /// The length of an interval.
        every: SimDuration,
    },
}

/// The rate of a profile at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePoint {
    /// The moment.
    pub at: SimTime,
    /// The rate there.
    pub rate: Rate,
}

/// What a profile does between its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileShape {
    /// The rate moves in a straight line to the next point.
    Linear,
    /// The rate stays until the next point.
    Step,
}

/// How arrivals follow a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regularity {
    /// A Poisson process: independent arrivals.
    Poisson,
    /// Evenly: the n-th arrival, counted from 0, is where the cumulative rate passes n.
    Constant,
}

impl ArrivalProcess {
    /// Whether the parameters are legal.
    ///
    /// # Errors
    /// The first parameter that is not:
    /// - `at`, `points`: not in order, or a profile without points;
    /// - `peak`: not from the mean to twice the mean;
    /// - `on`: so short that it has less than one arrival in a million periods;
    /// - `every`: zero, for counts.
    pub fn check(&self) -> Result<(), ParameterError> {
        match self {
            Self::At(moments) if !moments.is_sorted() => refuse("at", "moments in order"),
            Self::Profile { points, .. } if points.is_empty() => refuse("points", "at least one point"),
            Self::Profile { points, .. } if !points.is_sorted_by_key(|point| point.at) => {
                refuse("points", "moments in order")
            }
            Self::Daily { mean, peak, .. } if !is_swing(*mean, *peak) => refuse("peak", "from mean to twice the mean"),
            Self::OnOff { on, rate, .. } if rate.events > 0 && on.mean() * rate.per_second_f64() < 1e3 => {
                refuse("on", "periods long enough for arrivals at this rate")
            }
            Self::Counts { every, .. } if every.is_zero() => refuse("every", "more than 0s"),
            Self::Poisson { .. }
            | Self::Constant { .. }
            | Self::At(_)
            | Self::Burst { .. }
            | Self::Profile { .. }
            | Self::Daily { .. }
            | Self::OnOff { .. }
            | Self::Counts { .. } => Ok(()),
        }
    }
}

fn refuse(parameter: &'static str, expected: &str) -> Result<(), ParameterError> {
    Err(ParameterError { parameter, expected: expected.to_owned() })
}

/// Whether mean <= peak <= 2 x mean.
fn is_swing(mean: Rate, peak: Rate) -> bool {
    let product = |events: u64, per: SimDuration| u128::from(events) * u128::from(per.as_nanos());
    let (low, high) = (product(mean.events, peak.per), product(peak.events, mean.per));
    low <= high && high <= low.saturating_mul(2)
}

/// The arrivals of a process, one after the other.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// The moments computed ahead; `filled` of them are valid, and `used` of those are gone.
    ahead: [u64; BLOCK],
    filled: usize,
    used: usize,
    source: Source,
}

/// What computes the next moments.
///
/// Each has `fill`, which writes the next moments and says how many; fewer than a block are the last.
#[derive(Clone, Debug)]
enum Source {
    Poisson(Poisson),
    Constant(Constant),
    Moments(Moments),
    Burst(Burst),
    Cumulative(Cumulative),
    Counts(Counts),
    Ended,
}

impl Arrivals {
    /// The arrivals of `process`, with random numbers from `stream`.
    ///
    /// # Panics
    /// When [`ArrivalProcess::check`] refuses the process.
    pub fn new(process: ArrivalProcess, stream: Stream) -> Self {
        if let Err(error) = process.check() {
            panic!("arrivals of an illegal process: {error}");
        }
        Self { ahead: [0; BLOCK], filled: 0, used: 0, source: Source::new(process, stream) }
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) -> Option<SimTime> {
        self.filled = self.source.fill(&mut self.ahead);
        self.used = 0;
        if self.filled < BLOCK {
            self.source = Source::Ended;
        }
        if self.filled == 0 { None } else { self.next() }
    }
}

/// The moments never fall. After `None` there is nothing more, ever.
impl Iterator for Arrivals {
    type Item = SimTime;

    #[inline]
    fn next(&mut self) -> Option<SimTime> {
        if self.used >= self.filled {
            return self.refill();
        }
        let moment = self.ahead[self.used % BLOCK];
        self.used += 1;
        Some(SimTime::from_nanos(moment))
    }
}

impl Source {
    fn new(process: ArrivalProcess, stream: Stream) -> Self {
        match process {
            ArrivalProcess::Poisson { rate } if rate.events > 0 => Self::Poisson(Poisson::new(rate, stream)),
            ArrivalProcess::Constant { rate } if rate.events > 0 => Self::Constant(Constant::new(rate)),
            ArrivalProcess::At(moments) => Self::Moments(Moments::new(moments)),
            ArrivalProcess::Burst { size, at, every, times } if size > 0 => {
                Self::Burst(Burst::new(size, at, every, times))
            }
            ArrivalProcess::Profile { points, shape, process } => {
                Self::Cumulative(Cumulative::profile(&points, shape, process, stream))
            }
            ArrivalProcess::Daily { mean, peak, peak_at, process } if mean.events > 0 => {
                Self::Cumulative(Cumulative::daily(mean, peak, peak_at, process, stream))
            }
            ArrivalProcess::OnOff { on, off, rate } if rate.events > 0 => {
                Self::Cumulative(Cumulative::on_off(on, off, rate, stream))
            }
            ArrivalProcess::Counts { counts, every } => Self::Counts(Counts::new(counts, every, stream)),
            ArrivalProcess::Poisson { .. }
            | ArrivalProcess::Constant { .. }
            | ArrivalProcess::Burst { .. }
            | ArrivalProcess::Daily { .. }
            | ArrivalProcess::OnOff { .. } => Self::Ended,
        }
    }

    fn fill(&mut self, moments: &mut [u64; BLOCK]) -> usize {
        match self {
            Self::Poisson(source) => source.fill(moments),
            Self::Constant(source) => source.fill(moments),
            Self::Moments(source) => source.fill(moments),
            Self::Burst(source) => source.fill(moments),
            Self::Cumulative(source) => source.fill(moments),
            Self::Counts(source) => source.fill(moments),
            Self::Ended => 0,
        }
    }
}
