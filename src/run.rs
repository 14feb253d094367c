//! Puts a run together: scenario in, summary out. The only place that knows the scenario, the world and the statistics.

use std::cell::RefCell;

use crate::aws::event::Event;
use crate::aws::fact::Observer;
use crate::aws::world::World;
use crate::expect::{self, Expectation};
use crate::kernel::engine::{Engine, Status};
use crate::kernel::time::SimTime;
use crate::scenario::{Drain, Loaded, ProblemKind, Scenario, ScenarioError};
use crate::stats::Statistics;
use crate::stats::digest::DigestObserver;
use crate::stats::series::{Interval, TimeSeries};
use crate::stats::summary::Summary;
use crate::story::explain::{Collector, Explained};
use crate::story::select::{Finder, Selection, Shared};

/// Events between two calls of the progress hook: some milliseconds of work.
const SLICE: u64 = 1 << 18;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The virtual moment.
    pub now: SimTime,
    /// The moment up to which callers submit.
    pub duration: SimTime,
    /// Events handled.
    pub events: u64,
}

/// Why a run has no summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The progress hook said so.
    Interrupted,
    /// `model.event_budget` was used up.
    BudgetExhausted {
        /// Events handled.
        events: u64,
        /// The virtual moment.
        at: SimTime,
        /// Who still had something under way, and how much, most first.
        busy: Vec<(String, u64)>,
    },
}

/// Runs a scenario to its end.
///
/// # Errors
/// When its event budget is used up.
pub fn run(scenario: &Scenario) -> Result<Summary, Stopped> {
    run_with(scenario, |_| true)
}

/// Runs a scenario to its end; `progress` is told from time to time and stops the run by returning `false`.
///
/// # Errors
/// When its event budget is used up, or `progress` stops it.
pub fn run_with(scenario: &Scenario, progress: impl FnMut(Progress) -> bool) -> Result<Summary, Stopped> {
    run_watched(scenario, (), progress).map(|(summary, ())| summary)
}

/// Runs a scenario to its end, with one more observer.
///
/// # Errors
/// When its event budget is used up, or `progress` stops it.
pub fn run_watched<O: Observer>(
    scenario: &Scenario,
    observer: O,
    progress: impl FnMut(Progress) -> bool,
) -> Result<(Summary, O), Stopped> {
    let (summary, _, observer) = run_counted(scenario, Statistics::new(scenario), observer, progress)?;
    Ok((summary, observer))
}

/// Runs a scenario to its end, with one more observer; what it comes to in each interval too.
///
/// The summary is that of a run without intervals.
///
/// # Errors
/// When its event budget is used up, or `progress` stops it.
pub fn run_over_time<O: Observer>(
    scenario: &Scenario,
    interval: Interval,
    observer: O,
    progress: impl FnMut(Progress) -> bool,
) -> Result<(Summary, TimeSeries, O), Stopped> {
    let statistics = Statistics::over_time(scenario, interval);
    let (summary, series, observer) = run_counted(scenario, statistics, observer, progress)?;
    Ok((summary, series.unwrap_or_default(), observer))
}

fn run_counted<O: Observer>(
    scenario: &Scenario,
    statistics: Statistics,
    observer: O,
    progress: impl FnMut(Progress) -> bool,
) -> Result<(Summary, Option<TimeSeries>, O), Stopped> {
    let observer = ((DigestObserver::default(), statistics), observer);
    let Ended { observer: ((digest, statistics), observer), ended, events } = simulate(scenario, observer, progress)?;
    let (mut summary, series) = statistics.finish_over_time(ended);
    summary.events = events;
    summary.digest = digest.digest().to_string();
    judge(scenario, &mut summary);
    Ok((summary, series, observer))
}

/// Tells the story of one event: a first run finds it where it must be found, another one collects its steps.
///
/// # Errors
/// When its event budget is used up, or `progress` stops it.
pub fn explain(
    scenario: &Scenario,
    selection: Selection,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<Explained, Stopped> {
    if scenario.system.callers.is_empty() {
        return Ok(Explained::Nothing("the scenario has no caller".to_owned()));
    }
    let key = match Finder::new(selection) {
        Err(key) => key,
        Ok(finder) => {
            let (finder, _) = simulate_until(scenario, finder, Finder::is_certain, &mut progress)?;
            match finder.found() {
                Some(key) => key,
                None => return Ok(Explained::Nothing(selection.nothing().to_owned())),
            }
        }
    };
    let collector = Collector::new(scenario, key);
    let (collector, ended) = simulate_until(scenario, collector, Collector::is_over, &mut progress)?;
    Ok(match (collector.finish(ended), selection) {
        (Explained::Story(story), Selection::Default) => {
            Explained::Story(Box::new(crate::story::explain::Story { by_default: true, ..*story }))
        }
        (Explained::NeverCame { .. }, Selection::Default) => {
            let name = &scenario.system.callers[key.0].name;
            Explained::Nothing(format!("{name} submitted nothing"))
        }
        (explained, _) => explained,
    })
}

/// Simulates a scenario, to its end or until the observer needs no more; gives the moment.
pub(crate) fn simulate_until<O: Observer>(
    scenario: &Scenario,
    observer: O,
    has_enough: impl Fn(&O) -> bool,
    progress: &mut impl FnMut(Progress) -> bool,
) -> Result<(O, SimTime), Stopped> {
    let observer = RefCell::new(observer);
    let mut at = SimTime::ZERO;
    let outcome = simulate(scenario, Shared(&observer), |now| {
        at = now.now;
        !has_enough(&observer.borrow()) && progress(now)
    });
    let ended = match outcome {
        Ok(ended) => ended.ended,
        Err(Stopped::Interrupted) if has_enough(&observer.borrow()) => at,
        Err(stopped) => return Err(stopped),
    };
    Ok((observer.into_inner(), ended))
}

/// The summary of a run in which nothing happened: it has every path that `expect` may name.
pub fn skeleton(scenario: &Scenario) -> Summary {
    Statistics::new(scenario).finish(scenario.duration)
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Ended<O> {
    /// Who listened.
    pub observer: O,
    /// The larger of the scenario's duration and the last fate, or the end of its drain.
    pub ended: SimTime,
    /// Events handled.
    pub events: u64,
}

/// Simulates a scenario for any observer.
///
/// # Errors
/// When its event budget is used up, or `progress` stops it.
pub fn simulate<O: Observer>(
    scenario: &Scenario,
    observer: O,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<Ended<O>, Stopped> {
    let mut running = Running::new(scenario, observer);
    loop {
        if let Some(ended) = running.advance(SLICE)? {
            return Ok(running.finish(ended));
        }
        if !progress(running.progress()) {
            return Err(Stopped::Interrupted);
        }
    }
}

/// A run under way: some events at a time, for whoever looks at several runs at once.
#[derive(Debug)]
pub struct Running<O> {
    world: World<O>,
    engine: Engine<Event>,
    duration: SimTime,
    /// No event at or after this moment is handled.
    end: SimTime,
}

impl<O: Observer> Running<O> {
    /// Everything is ready and nothing has happened.
    pub fn new(scenario: &Scenario, observer: O) -> Self {
        let duration = scenario.duration;
        let end = match scenario.drain {
            Drain::Settle => SimTime::MAX,
            Drain::AtMost(drain) => duration.plus(drain),
        };
        let mut world = World::new(&scenario.system, duration, scenario.seed, observer);
        let mut engine = Engine::new(scenario.system.callers.len(), duration, end, scenario.event_budget);
        world.start(&scenario.system, &mut engine.agenda);
        Self { world, engine, duration, end }
    }

    /// Handles up to `events` events; gives the moment of the end when it is reached.
    ///
    /// # Errors
    /// When the event budget is used up.
    pub fn advance(&mut self, events: u64) -> Result<Option<SimTime>, Stopped> {
        let Self { world, engine, duration, end } = self;
        let pause = world.observer().pauses_at();
        Ok(match engine.advance(world, events, pause) {
            Status::Running => None,
            Status::Paused => {
                world.observer().pause();
                None
            }
            Status::Settled(last) => Some(last.max(*duration)),
            // Nothing is due any more, whatever is still held.
            Status::CutOff if *end == SimTime::MAX => Some(engine.now().max(*duration)),
            Status::CutOff => Some(*end),
            Status::BudgetExhausted => {
                let (events, at) = (engine.processed(), engine.now());
                return Err(Stopped::BudgetExhausted { events, at, busy: world.busy() });
            }
        })
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress { now: self.engine.now(), duration: self.duration, events: self.engine.processed() }
    }

    /// Who listens.
    pub const fn observer(&mut self) -> &mut O {
        self.world.observer()
    }

    /// Ends it at `ended`, which [`advance`](Self::advance) has given.
    pub fn finish(mut self, ended: SimTime) -> Ended<O> {
        let observer = self.world.finish(ended, &mut self.engine.agenda);
        Ended { observer, ended, events: self.engine.processed() }
    }
}

/// Checks what the scenario expects: an expectation that cannot be read, or is about something that no run of this
/// scenario has, is a mistake in the scenario.
///
/// # Errors
/// With every such expectation at its place in the file.
pub fn check_expectations(loaded: &Loaded) -> Result<(), ScenarioError> {
    let Loaded { scenario, source } = loaded;
    if scenario.expectations.is_empty() {
        return Ok(());
    }
    let skeleton = skeleton(scenario).to_json();
    let mut problems = Vec::new();
    for (index, text) in scenario.expectations.iter().enumerate() {
        let found = match Expectation::parse(text) {
            Ok(expectation) => expectation.check_paths(&skeleton),
            Err(problem) => vec![problem],
        };
        problems.extend(found.into_iter().map(|expect::Problem { offset, length, message, help }| {
            let key = format!("expect[{index}]");
            let problem = source.problem_within(&key, offset, length, ProblemKind::Expectation, message);
            match help {
                Some(help) => problem.with_help(help),
                None => problem,
            }
        }));
    }
    if problems.is_empty() { Ok(()) } else { Err(source.error(problems)) }
}

/// Judges what the scenario expects.
///
/// # Panics
/// When an expectation cannot be read, which [`check_expectations`] finds.
fn judge(scenario: &Scenario, summary: &mut Summary) {
    if scenario.expectations.is_empty() {
        return;
    }
    let value = summary.to_json();
    let judge = |text: &String| Expectation::parse(text).expect("a checked expectation").judge(&value);
    summary.expectations = scenario.expectations.iter().map(judge).collect();
}
