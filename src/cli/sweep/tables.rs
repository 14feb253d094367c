//! What a sweep came to: read from its journals, written to `sweep.csv` and `sweep.json`, and printed.

use std::fs;
use std::io;
use std::path::Path;

use lambdasim::kernel::time::SimTime;
use lambdasim::report::{self, Style};
use lambdasim::study::estimate::Confidence;
use lambdasim::study::sweep::record::{Outcome, Record};
use lambdasim::study::sweep::table::{Runs, Sweep};

use super::super::args::Format;
use super::super::exit::{Exit, Failure};
use super::super::terminal::{self, Output};
use super::super::{batch, results};
use super::Show;
use super::journal::Journals;
use super::plan::Plan;

/// The JSON comes last: when it is new, the CSV is.
const FILES: [&str; 2] = ["sweep.csv", "sweep.json"];
/// Runs that used up their event budget and are named, at most.
const EXHAUSTED_SHOWN: usize = 5;

/// Where the tables go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// They are printed only.
    Nowhere,
    /// To this folder.
    Folder(&'a Path),
}

/// Makes the tables of a sweep of which everything has been done.
pub(super) fn conclude(
    journals: &mut Journals,
    plan: &Plan,
    target: Target<'_>,
    show: &Show,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let sweep = gather(journals, plan)?;
    let all: Vec<u64> = (0..sweep.grid.tasks()).collect();
    if sweep.points.iter().any(|point| point.failed_runs > 0) {
        tell_exhausted(journals, &all)?;
    }
    for pattern in show.metrics.iter().filter(|pattern| sweep.matching(pattern).is_empty()) {
        terminal::tell(format_args!("no number matches `{pattern}`: see the column `metric` of --format csv"));
    }
    let render = |format, style| report::render_sweep(format, &sweep, &show.metrics, style);
    if let Target::Folder(folder) = target {
        let [csv, json] = [report::Format::Csv, report::Format::Json].map(|format| render(format, Style::Plain));
        results::write_together(folder, &[(FILES[0], csv), (FILES[1], json)])?;
    }
    match show.printing.format {
        Format::Json => output.text(&render(report::Format::Json, Style::Plain))?,
        Format::Csv => output.text(&render(report::Format::Csv, Style::Plain))?,
        Format::Text if show.printing.quiet => {
            output.text(&format!("{}: {}\n", sweep.name, report::sweep_sentence(&sweep)))?;
        }
        Format::Text => output.text(&render(report::Format::Text, Style::Ansi))?,
    }
    output.flush()?;
    if let Target::Folder(folder) = target.filter(!show.printing.quiet) {
        terminal::tell(format_args!("sweep.csv and sweep.json written to {}", folder.display()));
    }
    let exit = exit(&sweep);
    if exit != Exit::Done && show.printing.format != Format::Text {
        terminal::error(format_args!("{}: {}", sweep.name, report::sweep_sentence(&sweep)));
    }
    Ok(exit)
}

impl Target<'_> {
    fn filter(self, wanted: bool) -> Self {
        if wanted { self } else { Self::Nowhere }
    }
}

/// A sweep answers where expectations hold, so it is no failure that they do not hold everywhere.
fn exit(sweep: &Sweep) -> Exit {
    let sound = sweep.points.iter().all(|point| point.failed_runs == 0 && point.conserved);
    let met = sweep.expectations.is_empty() || sweep.first_that_meets().is_some();
    if sound && met { Exit::Done } else { Exit::Unmet }
}

/// All records, point by point in the order of the seeds: the table is that of a sweep that was never stopped.
fn gather(journals: &mut Journals, plan: &Plan) -> Result<Sweep, Failure> {
    let grid = plan.grid()?;
    let mut points = Vec::new();
    for point in 0..grid.points() {
        let mut runs = Runs::default();
        for replica in 0..grid.replicas() {
            if let Some(record) = journals.record(point * grid.replicas() + replica)? {
                runs.add(&record);
            }
        }
        points.push(runs.finish(Confidence::USUAL));
    }
    Ok(Sweep {
        version: plan.lambdasim.clone(),
        name: plan.name.clone(),
        description: plan.description.clone(),
        sha256: plan.sha256.clone(),
        overrides: plan.overrides.clone(),
        seed: plan.seed,
        grid,
        expectations: plan.expectations.clone(),
        confidence: Confidence::USUAL,
        points,
    })
}

/// Names runs that used up their event budget.
pub(super) fn tell_exhausted(journals: &mut Journals, tasks: &[u64]) -> Result<(), Failure> {
    let mut found = 0;
    for task in tasks {
        let Some(Record { point, seed, outcome, .. }) = journals.record(*task)? else { continue };
        let Outcome::BudgetExhausted { events, at_ns, busy } = outcome else { continue };
        found += 1;
        if found <= EXHAUSTED_SHOWN {
            let name = format!("point {point}, seed {seed}");
            terminal::error(batch::budget_used_up(&name, events, SimTime::from_nanos(at_ns), &busy));
        }
    }
    if found > EXHAUSTED_SHOWN {
        terminal::error(format_args!("{} more runs used up their event budget", found - EXHAUSTED_SHOWN));
    }
    Ok(())
}

/// Makes the folder of the tables, so that one that cannot be written is known before anything is simulated.
pub(super) fn check_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::write(folder, &error))?;
    for place in FILES.map(|name| folder.join(name)) {
        if place.is_dir() {
            return Err(Failure::write(&place, &io::ErrorKind::IsADirectory.into()));
        }
    }
    Ok(())
}
