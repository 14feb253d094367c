//! Simulates several scenarios or seeds side by side and hands on what they came to in their order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic;
use std::sync::{Once, mpsc};

use lambdasim::aws::fact::Observer;
use lambdasim::kernel::time::SimTime;
use lambdasim::run::{self, Progress, Stopped};
use lambdasim::scenario::Scenario;
use lambdasim::stats::series::{Interval, TimeSeries};
use lambdasim::stats::summary::Summary;
use rayon::ThreadPoolBuilder;

use super::exit::{Exit, Failure};
use super::progress::Watch;
use super::terminal;

/// What a run came to, and what it came to in each interval where somebody wants to know.
pub(super) type Outcome = Result<(Summary, Option<TimeSeries>), Stopped>;

thread_local! {
    /// What this thread simulates, for the message of a panic.
    static CURRENT: RefCell<Option<(String, u64, Progress)>> = const { RefCell::new(None) };
}

/// Does so many tasks, at most `jobs` at the same time, and gives what each came to to `each`, in their order, as soon as
/// it and those before it are known.
pub(super) fn side_by_side<T: Send>(
    tasks: usize,
    jobs: NonZero<usize>,
    run: impl Fn(usize) -> T + Sync,
    mut each: impl FnMut(usize, T),
) -> Result<(), Failure> {
    name_the_run_of_a_panic();
    let run = &run;
    let threads = jobs.get().min(tasks);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        let message = format!("cannot start {threads} threads: {error}");
        Failure { exit: Exit::Unreachable, message, help: None }
    })?;
    let (done, outcomes) = mpsc::channel();
    pool.in_place_scope_fifo(|scope| {
        for index in 0..tasks {
            let done = done.clone();
            scope.spawn_fifo(move |_| {
                // Nobody listens any more when the other side has panicked.
                let _ = done.send((index, run(index)));
            });
        }
        drop(done);
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (index, outcome) in outcomes {
            early.insert(index, outcome);
            while let Some(outcome) = early.remove(&next) {
                each(next, outcome);
                next += 1;
            }
        }
    });
    Ok(())
}

/// Simulates a scenario, with figures over time where there is an interval.
pub(super) fn run<O: Observer>(
    scenario: &Scenario,
    interval: Option<Interval>,
    observer: O,
    progress: impl FnMut(Progress) -> bool,
) -> Result<((Summary, Option<TimeSeries>), O), Stopped> {
    let Some(interval) = interval else {
        let (summary, observer) = run::run_watched(scenario, observer, progress)?;
        return Ok(((summary, None), observer));
    };
    let (summary, series, observer) = run::run_over_time(scenario, interval, observer, progress)?;
    Ok(((summary, Some(series)), observer))
}

/// Simulates a scenario by `run`, which is given where it reports its progress.
pub(super) fn watched<T>(
    scenario: &Scenario,
    watch: &Watch,
    run: impl FnOnce(&mut dyn FnMut(Progress) -> bool) -> Result<T, Stopped>,
) -> Result<T, Stopped> {
    if watch.is_interrupted() {
        return Err(Stopped::Interrupted);
    }
    let mut line = watch.line(scenario);
    let start = Progress { now: SimTime::ZERO, duration: scenario.duration, events: 0 };
    CURRENT.set(Some((scenario.name.clone(), scenario.seed, start)));
    let outcome = run(&mut |progress| {
        CURRENT.with_borrow_mut(|current| current.iter_mut().for_each(|current| current.2 = progress));
        line.report(progress)
    });
    CURRENT.set(None);
    outcome
}

/// A panic is an error of this program: its message says which run to repeat.
fn name_the_run_of_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(set_panic_hook);
}

fn set_panic_hook() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        usual(panic);
        if let Some((name, seed, Progress { now, events, .. })) = CURRENT.take() {
            terminal::error(format_args!(
                "lambdasim {} broke while it simulated `{name}` with seed {seed}, after {now:?} and event {events}; \
                 this is not your mistake: please report it with the scenario",
                env!("CARGO_PKG_VERSION"),
            ));
        }
    }));
}
