//! Figures over time: what every counter, level and distribution came to in each interval of a run.
//!
//! Statistics are shown to a `Recorder` before the run, at the end of each interval and after the run, always in the
//! same order. Counters are compared with what they were; levels close their intervals themselves, as they know best
//! what they stood at. So a run with a time series costs what the looks cost, and changes nothing else.

mod laps;
mod lengths;
mod schedule;

pub(super) use laps::{Lap, Laps};
pub(crate) use schedule::Schedule;
pub use schedule::{AUTOMATIC, Interval, MOST};

use lengths::{Lengths, Seen};

use super::gauge::Gauge;
use super::histogram::Distribution;
use crate::kernel::time::SimTime;

/// Every figure of a run, interval by interval.
///
/// Names are those of `summary.json`. Counts are those of the interval, and add up to the summary's; a level has its
/// time-weighted mean, its highest and its last; a distribution what the interval added to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimeSeries {
    /// Start and end of each interval, from the end of the warm-up to the end of the run.
    pub intervals: Vec<(SimTime, SimTime)>,
    /// Figures that ever are something else than 0.
    pub metrics: Vec<Metric>,
}

/// One figure over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its path, as `expect` spells it.
    pub name: String,
    /// What it is where nothing happens: 0 for counts and levels, nothing for means and quantiles of what ended.
    pub absent: Option<f64>,
    /// One value for each interval; `None` where there is none, such as a mean of nothing.
    pub values: Vec<Option<f64>>,
}

/// Looks at the statistics of a run, again and again.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    schedule: Schedule,
    look: Look,
    /// `callers.shoppers.` while that caller is looked at.
    prefix: String,
    columns: Vec<Column>,
    /// The column that is next in this look.
    next: usize,
    /// Intervals that are over.
    over: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Before,
    During,
    After(SimTime),
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// What it was at the last look, and another number that it is divided by.
    last: (u64, u64),
    /// The same at the look before that.
    before: (u64, u64),
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    /// Without the zeros at the end.
    Counts(Vec<u64>),
    /// The same, to be divided by the interval's seconds.
    Rates(Vec<u64>),
    Numbers(Vec<u64>),
    Ratios(Vec<Option<f64>>),
    Levels(Vec<Lap>),
    Lengths(Seen, Vec<(usize, Lengths)>),
}

impl Recorder {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule, look: Look::Before, prefix: String::new(), columns: Vec::new(), next: 0, over: 0 }
    }

    /// When the present interval ends.
    pub(super) fn ends(&self) -> SimTime {
        SimTime::from_nanos(self.schedule.end_of(self.over as u64))
    }

    /// Before the run: how the levels are to keep their intervals.
    pub(super) fn schedule(&self) -> Option<Schedule> {
        (self.look == Look::Before).then_some(self.schedule)
    }

    /// What is looked at now belongs to `prefix`, such as `callers.shoppers`.
    pub(super) fn of(&mut self, kind: &str, name: &str) {
        if self.look == Look::Before {
            self.prefix = if name.is_empty() { format!("{kind}.") } else { format!("{kind}.{name}.") };
        }
    }

    fn column(&mut self, key: &str, values: impl FnOnce() -> Values) -> &mut Column {
        if self.look == Look::Before {
            let name = format!("{}{key}", self.prefix);
            self.columns.push(Column { name, last: (0, 0), before: (0, 0), values: values() });
        }
        self.next += 1;
        &mut self.columns[self.next - 1]
    }

    /// A number that only rises, up to now.
    pub(super) fn count(&mut self, key: &str, total: u64) {
        let over = self.over;
        self.column(key, || Values::Counts(Vec::new())).add(total, over);
    }

    /// Several of them, such as one for each reason.
    pub(super) fn counts<'a>(&mut self, key: &str, totals: impl IntoIterator<Item = (&'a str, u64)>) {
        for (of, total) in totals {
            if self.look == Look::Before {
                self.count(&format!("{key}.{of}"), total);
            } else {
                self.count("", total);
            }
        }
    }

    /// A number that only rises, up to now; told a second.
    pub(super) fn rate(&mut self, key: &str, total: u64) {
        let over = self.over;
        self.column(key, || Values::Rates(Vec::new())).add(total, over);
    }

    /// A number as it is now.
    pub(super) fn number(&mut self, key: &str, now: u64) {
        let looks = self.look != Look::Before;
        let over = self.over;
        let Values::Numbers(values) = &mut self.column(key, || Values::Numbers(Vec::new())).values else { return };
        if looks {
            values.truncate(over);
            values.push(now);
        }
    }

    /// What came in the interval of one number that only rises, divided by what came of another.
    pub(super) fn ratio(&mut self, key: &str, now: (u64, u64)) {
        let looks = self.look != Look::Before;
        let over = self.over;
        let column = self.column(key, || Values::Ratios(Vec::new()));
        let last = column.look(now, over);
        let Values::Ratios(values) = &mut column.values else { return };
        if looks {
            values.truncate(over);
            let (part, of) = (now.0 - last.0, now.1 - last.1);
            values.push((of > 0).then(|| part as f64 / of as f64));
        }
    }

    /// A level over time.
    pub(super) fn gauge(&mut self, key: &str, gauge: &mut Gauge) {
        match self.look {
            Look::Before => gauge.keep_laps(self.schedule),
            Look::During => {}
            Look::After(ended) => return self.laps(key, gauge.finish_laps(ended)),
        }
        self.laps(key, Vec::new());
    }

    /// A level over time that is kept elsewhere; after the run, its intervals.
    pub(super) fn laps(&mut self, key: &str, laps: Vec<Lap>) {
        self.column(key, || Values::Levels(Vec::new())).values = Values::Levels(laps);
    }

    /// After the run: a number at the end of each interval that is kept elsewhere.
    pub(super) fn numbers(&mut self, key: &str, numbers: Vec<Option<f64>>) {
        self.column(key, || Values::Ratios(Vec::new())).values = Values::Ratios(numbers);
    }

    /// After the run: when it ended.
    pub(super) const fn ended(&self) -> Option<SimTime> {
        match self.look {
            Look::After(ended) => Some(ended),
            Look::Before | Look::During => None,
        }
    }

    /// Intervals that are over.
    pub(super) const fn over(&self) -> usize {
        self.over
    }

    /// A distribution, once there is one.
    pub(super) fn lengths<const BITS: u32>(&mut self, key: &str, lengths: Option<&mut Distribution<BITS>>) {
        let over = self.over;
        let column = self.column(key, || Values::Lengths(Seen::default(), Vec::new()));
        let Values::Lengths(seen, values) = &mut column.values else { return };
        if values.last().is_some_and(|(of, _)| *of == over) {
            values.pop();
        }
        if let Some(lap) = lengths.and_then(|lengths| seen.lap(lengths, over)) {
            values.push((over, lap));
        }
    }

    /// A look is over; that before the run is not the end of an interval.
    pub(super) const fn looked(&mut self) {
        if !matches!(self.look, Look::Before) {
            self.over += 1;
        }
        (self.look, self.next) = (Look::During, 0);
    }

    /// The next look is the last. What happened at the very end of an interval, and nothing after it, belongs to that
    /// interval, which is then looked at once more.
    pub(super) fn end(&mut self, ended: SimTime) {
        self.look = Look::After(ended);
        if self.over > 0 && self.schedule.end_of(self.over as u64 - 1) >= ended.as_nanos() {
            self.over -= 1;
        }
    }

    /// Everything, after the last look.
    pub(super) fn finish(self, ended: SimTime) -> TimeSeries {
        let mut intervals = Vec::with_capacity(self.over);
        let mut start = self.schedule.start();
        for number in 0..self.over as u64 {
            let end = self.schedule.end_of(number).min(ended.as_nanos());
            intervals.push((SimTime::from_nanos(start), SimTime::from_nanos(end)));
            start = end;
        }
        let mut metrics = Vec::new();
        for Column { name, values, .. } in self.columns {
            let absent = values.absent();
            values.tell(&name, &intervals, |name, values| {
                if values.iter().flatten().any(|value| *value != 0.0) {
                    metrics.push(Metric { name, absent, values });
                }
            });
        }
        TimeSeries { intervals, metrics }
    }
}

impl Column {
    fn add(&mut self, total: u64, over: usize) {
        // What is taken back again, such as records of the warm-up, has not been counted yet when it is.
        let new = total.saturating_sub(self.last.0);
        self.last.0 += new;
        let (Values::Counts(values) | Values::Rates(values)) = &mut self.values else { return };
        if new > 0 {
            values.resize(over + 1, 0);
            values[over] += new;
        }
    }

    /// Numbers that only rise are now `now`: what they were when the interval after `over` others began.
    fn look(&mut self, now: (u64, u64), over: usize) -> (u64, u64) {
        let again = matches!(&self.values, Values::Ratios(values) if values.len() > over);
        if !again {
            self.before = self.last;
        }
        self.last = now;
        self.before
    }
}

impl Values {
    const fn absent(&self) -> Option<f64> {
        match self {
            Self::Counts(_) | Self::Rates(_) | Self::Numbers(_) | Self::Levels(_) => Some(0.0),
            Self::Ratios(_) | Self::Lengths(..) => None,
        }
    }

    fn tell(self, name: &str, intervals: &[(SimTime, SimTime)], mut tell: impl FnMut(String, Vec<Option<f64>>)) {
        let count = intervals.len();
        match self {
            Self::Counts(counts) => tell(name.to_owned(), filled(counts, count)),
            Self::Rates(counts) => {
                let seconds = intervals.iter().map(|(start, end)| end.since(*start).as_nanos() as f64 / 1e9);
                let counts = filled(counts, count).into_iter().flatten();
                let rates = counts.zip(seconds).map(|(count, seconds)| (seconds > 0.0).then(|| count / seconds));
                tell(name.to_owned(), rates.collect());
            }
            Self::Numbers(numbers) => tell(name.to_owned(), numbers.into_iter().map(|n| Some(n as f64)).collect()),
            Self::Ratios(ratios) => tell(name.to_owned(), ratios),
            Self::Levels(laps) => {
                for (figure, value) in LEVEL {
                    let mut values: Vec<_> = laps.iter().map(|lap| Some(value(lap))).collect();
                    values.resize(count, None);
                    tell(format!("{name}.{figure}"), values);
                }
            }
            Self::Lengths(_, laps) => {
                for (figure, value) in LENGTHS {
                    let mut values = vec![None; count];
                    for (at, lap) in &laps {
                        values[*at] = Some(value(lap));
                    }
                    tell(format!("{name}.{figure}"), values);
                }
            }
        }
    }
}

/// A figure of what an interval came to, and its name.
type Figure<T> = (&'static str, fn(&T) -> f64);

/// Figures of a level.
const LEVEL: [Figure<Lap>; 3] =
    [("mean", |lap| lap.mean), ("max", |lap| lap.max as f64), ("last", |lap| lap.last as f64)];

/// Figures of a distribution.
const LENGTHS: [Figure<Lengths>; 6] = [
    ("count", |lap| lap.count as f64),
    ("mean", |lap| lap.mean),
    ("p50", |lap| lap.p50),
    ("p90", |lap| lap.p90),
    ("p99", |lap| lap.p99),
    ("max", |lap| lap.max),
];

fn filled(mut counts: Vec<u64>, length: usize) -> Vec<Option<f64>> {
    counts.resize(length, 0);
    counts.into_iter().map(|count| Some(count as f64)).collect()
}
