//! How far the runs have come, on standard error while it is a terminal; and whether they shall stop.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::run::Progress;
use lambdasim::scenario::Scenario;

use super::exit::{Exit, Failure};

/// Redrawings a second.
const REFRESH: u8 = 10;

/// Watches over all runs of a command.
#[derive(Debug)]
pub(super) struct Watch {
    interrupted: Arc<AtomicBool>,
    bars: MultiProgress,
}

/// The line of one run; it is shown from the first report of progress until it is dropped.
#[derive(Debug)]
pub(super) struct Line<'a> {
    watch: &'a Watch,
    bar: ProgressBar,
    is_shown: bool,
}

impl Watch {
    /// Shows progress unless `quiet`, and listens for Ctrl-C.
    pub(super) fn new(quiet: bool) -> Result<Self, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        ctrlc::set_handler(move || on_interrupt(&flag)).map_err(|error| {
            let message = format!("cannot listen for Ctrl-C: {error}");
            Failure { exit: Exit::Unreachable, message, help: None }
        })?;
        let target = if !quiet && io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(REFRESH)
        } else {
            ProgressDrawTarget::hidden()
        };
        Ok(Self { interrupted, bars: MultiProgress::with_draw_target(target) })
    }

    /// Whether the user said stop.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The line of a run.
    pub(super) fn line(&self, scenario: &Scenario) -> Line<'_> {
        let style = ProgressStyle::with_template("{prefix}  [{bar:20}] {percent:>3}%  {msg}, {eta} left")
            .expect("the template is a constant")
            .progress_chars("=> ");
        let bar = ProgressBar::hidden().with_style(style).with_prefix(scenario.name.clone());
        bar.set_length(scenario.duration.as_nanos());
        Line { watch: self, bar, is_shown: false }
    }

    /// A line that counts runs; those of the runs themselves stand below it.
    pub(super) fn count(&self, name: &str, done: u64, all: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{prefix}  [{bar:20}] {pos} of {len} runs, {eta} left")
            .expect("the template is a constant")
            .progress_chars("=> ");
        let bar = ProgressBar::hidden().with_style(style).with_prefix(name.to_owned());
        bar.set_length(all);
        bar.set_position(done);
        bar.reset_eta();
        if self.bars.is_hidden() { bar } else { self.bars.add(bar) }
    }

    /// Prints while no line of progress is in the way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }
}

/// The first Ctrl-C stops the runs at their next report; a second one does not wait for it.
fn on_interrupt(interrupted: &AtomicBool) {
    if interrupted.swap(true, Ordering::Relaxed) {
        #[expect(clippy::exit, reason = "the user asked twice, and the threads do not answer")]
        std::process::exit(i32::from(Exit::Interrupted as u8));
    }
}

impl Line<'_> {
    /// Shows how far the run has come; whether it may go on.
    pub(super) fn report(&mut self, progress: Progress) -> bool {
        if !self.watch.bars.is_hidden() {
            self.bar.set_position(progress.now.min(progress.duration).as_nanos());
            self.bar.set_message(message(progress, self.bar.elapsed().as_secs_f64()));
            if !self.is_shown {
                self.bar = self.watch.bars.add(self.bar.clone());
                self.is_shown = true;
            }
        }
        !self.watch.is_interrupted()
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.is_shown {
            self.bar.finish_and_clear();
            self.watch.bars.remove(&self.bar);
        }
    }
}

/// `12m30s of 1h, 3.1M events, 4.0M events/s`.
fn message(progress: Progress, elapsed_s: f64) -> String {
    let Progress { now, duration, events } = progress;
    let doing = if now > duration { "draining at" } else { "at" };
    let rate = if elapsed_s > 0.0 { events as f64 / elapsed_s } else { 0.0 };
    let (now, duration) = (whole_seconds(now), whole_seconds(duration));
    format!("{doing} {now} of {duration}, {} events, {} events/s", short(events as f64), short(rate))
}

/// The moment in whole seconds, or as it is where it is less than one.
pub(super) fn whole_seconds(time: SimTime) -> SimDuration {
    const SECOND: u64 = 1_000_000_000;
    let nanoseconds = time.as_nanos();
    SimDuration::from_nanos(if nanoseconds < SECOND { nanoseconds } else { nanoseconds - nanoseconds % SECOND })
}

/// A number in at most four digits.
fn short(number: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{:.1}{unit}", number / size),
        None => format!("{number:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_like_a_sentence() {
        let at = |seconds| SimTime::ZERO.plus(SimDuration::from_secs(seconds));
        let progress = |now, events| Progress { now, duration: at(3600), events };
        let now = at(750).plus(SimDuration::from_nanos(5));
        assert_eq!(message(progress(now, 3_100_000), 0.5), "at 12m30s of 1h, 3.1M events, 6.2M events/s");
        assert_eq!(message(progress(at(3601), 999), 0.0), "draining at 1h1s of 1h, 999 events, 0 events/s");
    }
}
