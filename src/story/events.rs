//! `events.csv`: every step of every event, as it happens.

use std::io::{self, Write};

use super::step::{Narrator, Step};
use super::words::milliseconds;
use crate::aws::fact::{Fact, Observer};
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

/// The columns.
pub const COLUMNS: [&str; 7] = ["time_ms", "event", "run", "actor", "step", "rule", "detail"];

/// Writes every step.
#[derive(Debug)]
pub struct EventsCsv<'a, W: Write> {
    narrator: Narrator<'a>,
    /// Nothing after an error.
    table: Result<csv::Writer<W>, io::Error>,
}

impl<'a, W: Write> EventsCsv<'a, W> {
    /// The table of a run of `scenario`. It buffers what it writes.
    pub fn new(scenario: &'a Scenario, writer: W) -> Self {
        let mut table = csv::Writer::from_writer(writer);
        let begun = table.write_record(COLUMNS).map_err(plain);
        Self { narrator: Narrator::new(scenario), table: begun.map(|()| table) }
    }

    /// After the last fact.
    ///
    /// # Errors
    /// The first that a write came to; nothing was written after it.
    pub fn finish(self) -> io::Result<W> {
        self.table?.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

impl<W: Write> Observer for EventsCsv<'_, W> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if self.table.is_err() {
            return;
        }
        let Self { narrator, table } = self;
        narrator.steps(now, fact, |_, step| {
            if let Ok(writer) = table
                && let Err(error) = write(writer, &step)
            {
                *table = Err(error);
            }
        });
    }
}

fn write<W: Write>(table: &mut csv::Writer<W>, step: &Step) -> io::Result<()> {
    table.write_record(cells(step)).map_err(plain)
}

/// The error below, which says what is wrong in the system's words.
fn plain(error: csv::Error) -> io::Error {
    let text = error.to_string();
    if let csv::ErrorKind::Io(error) = error.into_kind() { error } else { io::Error::other(text) }
}

/// The cells of a step, in the order of [`COLUMNS`].
pub fn cells(step: &Step) -> [String; 7] {
    let Step { at, event, part: _, run, actor, kind, rule, detail } = step;
    let run = run.map_or_else(String::new, |run| run.to_string());
    let rule = rule.map_or_else(String::new, |rule| rule.id.to_owned());
    [milliseconds(*at), event.clone(), run, actor.clone(), kind.as_str().to_owned(), rule, detail.clone()]
}
