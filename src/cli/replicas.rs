//! `lambdasim run --replicas`: several seeds of each scenario side by side, put together in their order.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use lambdasim::report::{self, Style};
use lambdasim::run::Stopped;
use lambdasim::scenario::{self, Scenario};
use lambdasim::stats::series::{Interval, TimeSeries};
use lambdasim::study::estimate::Confidence;
use lambdasim::study::precision::{LEAST_RUNS, Precision};
use lambdasim::study::replicas::{Joined, Replicas};
use lambdasim::study::seed;

use super::args::{Format, Printing};
use super::batch;
use super::exit::{Exit, Failure};
use super::formats::{CsvTables, JsonItems};
use super::load::Ready;
use super::progress::Watch;
use super::results::Results;
use super::simulate::{self, Outcome};
use super::terminal::{self, Output};

/// Most runs of a scenario where only a precision is asked for.
const MOST_RUNS: NonZero<u32> = NonZero::new(1_000).expect("not zero");

/// How often each scenario is simulated.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct Replication {
    /// Simulate each scenario with N seeds, and put the runs together: means with intervals [default: 1]
    ///
    /// The seeds are the scenario's and those that follow it. Intervals hold the true mean with a confidence of 95 %.
    #[arg(long, value_name = "N")]
    replicas: Option<NonZero<u32>>,

    /// Simulate more and more seeds until the numbers are known to this share, such as 2%
    ///
    /// Half of an interval's width is then at most this share of its mean. The numbers are those that the scenario
    /// expects something of, or else means and p99 of latencies and ages. At most as many seeds as --replicas says, or
    /// 1,000.
    #[arg(long, value_name = "SHARE", value_parser = scenario::share)]
    until_precision: Option<f64>,
}

impl Replication {
    /// Whether one run of each scenario is all that is asked for.
    pub(super) fn is_single(self) -> bool {
        self.until_precision.is_none() && self.most().get() == 1
    }

    fn most(self) -> NonZero<u32> {
        let otherwise = if self.until_precision.is_some() { MOST_RUNS } else { NonZero::<u32>::MIN };
        self.replicas.unwrap_or(otherwise)
    }

    fn precision(self, scenario: &Scenario) -> Option<Precision> {
        self.until_precision.map(|share| Precision::new(share, Confidence::USUAL, scenario))
    }

    /// Simulates, writes and prints.
    pub(super) fn run(
        self,
        ready: &[Ready],
        jobs: NonZero<usize>,
        interval: Option<Interval>,
        work: Work<'_>,
    ) -> Result<Exit, Failure> {
        let most = self.most().get() as usize;
        if self.until_precision.is_some() && u64::from(self.most().get()) < LEAST_RUNS {
            let message = format!("--until-precision needs at least {LEAST_RUNS} replicas to judge by");
            return Err(Failure::usage(message));
        }
        let over: Vec<AtomicBool> = ready.iter().map(|_| AtomicBool::new(false)).collect();
        let mut collector = Collector {
            replication: self,
            ready,
            over: &over,
            present: None,
            json: JsonItems::new(ready.len()),
            csv: CsvTables::default(),
            printed: 0,
            exit: Exit::Done,
            finished: 0,
            work,
        };
        let watch = collector.work.watch;
        let run = |index: usize| {
            let (of, replica) = (index / most, index % most);
            if over[of].load(Ordering::Relaxed) {
                return None;
            }
            let first = &ready[of].scenario;
            let scenario = Scenario { seed: seed(first.seed, replica as u64), ..first.clone() };
            let run = |progress: &mut dyn FnMut(_) -> bool| simulate::run(&scenario, interval, (), progress);
            Some(simulate::watched(&scenario, watch, run).map(|(outcome, ())| outcome))
        };
        simulate::side_by_side(ready.len() * most, jobs, run, |index, outcome| {
            // A scenario that is over needs no more runs, also of those that were under way.
            if let Some(outcome) = outcome.filter(|_| !over[index / most].load(Ordering::Relaxed)) {
                watch.aside(|| collector.take(index / most, index % most + 1 == most, &outcome));
            }
        })?;
        Ok(collector.end())
    }
}

/// What is done with what the runs come to.
pub(super) struct Work<'a> {
    pub(super) printing: Printing,
    pub(super) watch: &'a Watch,
    pub(super) results: Option<Results>,
    pub(super) output: &'a mut Output,
}

struct Collector<'a> {
    replication: Replication,
    ready: &'a [Ready],
    over: &'a [AtomicBool],
    /// Runs of the present scenario.
    present: Option<(Replicas, Option<Precision>)>,
    json: JsonItems,
    csv: CsvTables,
    printed: usize,
    exit: Exit,
    finished: usize,
    work: Work<'a>,
}

impl Collector<'_> {
    /// The next run of a scenario, in the order of seeds.
    fn take(&mut self, of: usize, last: bool, outcome: &Outcome) {
        let ready = &self.ready[of];
        let (summary, series) = match outcome {
            Ok(done) => done,
            Err(stopped) => return self.stop(of, stopped),
        };
        let replication = self.replication;
        let (replicas, precision) =
            self.present.get_or_insert_with(|| (Replicas::new(), replication.precision(&ready.scenario)));
        replicas.add(summary, series.as_ref());
        let lacks = precision.as_ref().map(|precision| precision.lacks(replicas.metrics()));
        if last || lacks == Some(None) {
            self.over[of].store(true, Ordering::Relaxed);
            if let Some(Some((path, width))) = lacks {
                terminal::tell(format_args!(
                    "{}: `{path}` is known to {:.1} % only after so many runs",
                    ready.scenario.name,
                    width * 100.0
                ));
            }
            let joined = self.present.take().and_then(|(replicas, _)| replicas.finish(Confidence::USUAL));
            if let Some(joined) = joined {
                self.finish(of, &joined);
            }
        }
    }

    fn stop(&mut self, of: usize, stopped: &Stopped) {
        self.present = None;
        match stopped {
            Stopped::Interrupted => {
                self.exit = Exit::Interrupted;
                self.over.iter().for_each(|over| over.store(true, Ordering::Relaxed));
            }
            Stopped::BudgetExhausted { events, at, busy } => {
                terminal::error(batch::exhausted(&self.ready[of], *events, *at, busy));
                self.exit = self.exit.max(Exit::Unmet);
                self.over[of].store(true, Ordering::Relaxed);
            }
        }
        let printed = match self.work.printing.format {
            Format::Json => self.json.item(self.work.output, None),
            Format::Text | Format::Csv => Ok(()),
        };
        self.note(printed);
    }

    fn finish(&mut self, of: usize, joined: &Joined) {
        self.finished += 1;
        if !joined.holds() {
            self.exit = self.exit.max(Exit::Unmet);
            if self.work.printing.format != Format::Text {
                let sentence = report::replicas_sentence(joined);
                terminal::error(format_args!("{}: {sentence}", joined.scenario.name));
            }
        }
        let written = self.write(of, joined);
        let printed = self.print(joined).and_then(|()| self.work.output.flush());
        self.note(printed);
        for line in written.iter().filter(|_| !self.work.printing.quiet) {
            terminal::tell(line);
        }
    }

    fn print(&mut self, joined: &Joined) -> Result<(), Failure> {
        let Self { json, csv, work: Work { output, printing, .. }, .. } = self;
        match printing.format {
            Format::Json => {
                json.item(output, Some(&report::render_replicas(report::Format::Json, joined, Style::Plain)))
            }
            Format::Csv => csv.table(output, &report::render_replicas(report::Format::Csv, joined, Style::Plain)),
            Format::Text if printing.quiet => {
                let style = if joined.holds() { terminal::GOOD } else { terminal::BAD };
                let sentence = terminal::styled(style, report::replicas_sentence(joined));
                output.text(&format!("{}: {sentence}\n", joined.scenario.name))
            }
            Format::Text => {
                if self.printed > 0 {
                    output.text("\n")?;
                }
                self.printed += 1;
                output.text(&report::render_replicas(report::Format::Text, joined, Style::Ansi))
            }
        }
    }

    /// Writes the files; says which folder they are in.
    fn write(&mut self, of: usize, joined: &Joined) -> Option<String> {
        let results = self.work.results.as_mut()?;
        let json = report::render_replicas(report::Format::Json, joined, Style::Plain);
        let series: &TimeSeries = &joined.series;
        let contents = [
            self.ready[of].resolved.clone(),
            report::timeseries_csv(series),
            report::replicas_latency_csv(joined),
            json,
        ];
        match results.write(of, &contents) {
            Ok(folder) => Some(format!("results written to {}", folder.display())),
            Err(failure) => {
                self.exit = self.exit.max(terminal::fail(&failure));
                None
            }
        }
    }

    fn end(mut self) -> Exit {
        let printed = match self.work.printing.format {
            Format::Json => self.json.end(self.work.output),
            Format::Text | Format::Csv => Ok(()),
        };
        self.note(printed);
        if self.exit == Exit::Interrupted {
            let (finished, all) = (self.finished, self.ready.len());
            terminal::error(format_args!("interrupted: {finished} of {all} scenarios finished"));
        }
        self.exit
    }

    fn note(&mut self, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.exit = self.exit.max(terminal::fail(&failure));
        }
    }
}
