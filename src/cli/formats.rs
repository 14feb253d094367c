//! What a command prints for its scenarios, one after the other: a JSON array, or one table.

use super::exit::Failure;
use super::terminal::Output;

/// JSON values: one by itself, several as an array.
#[derive(Debug)]
pub(super) struct JsonItems {
    many: bool,
    printed: usize,
}

impl JsonItems {
    /// For so many scenarios.
    pub(super) const fn new(scenarios: usize) -> Self {
        Self { many: scenarios > 1, printed: 0 }
    }

    /// The next scenario's value as text; `None` for a run that was stopped. It keeps its place in the array, as null.
    pub(super) fn item(&mut self, output: &mut Output, value: Option<&str>) -> Result<(), Failure> {
        self.printed += 1;
        if !self.many {
            return value.map_or(Ok(()), |value| output.text(value));
        }
        let indented = value.unwrap_or("null").trim_end().replace('\n', "\n  ");
        let before = if self.printed == 1 { "[\n  " } else { ",\n  " };
        output.text(&format!("{before}{indented}"))
    }

    /// After the last.
    pub(super) fn end(&self, output: &mut Output) -> Result<(), Failure> {
        if self.many { output.text("\n]\n") } else { Ok(()) }
    }
}

/// Tables of one kind, below one header.
#[derive(Debug, Default)]
pub(super) struct CsvTables {
    has_header: bool,
}

impl CsvTables {
    /// The next scenario's table, its header included.
    pub(super) fn table(&mut self, output: &mut Output, table: &str) -> Result<(), Failure> {
        let (header, rows) = table.split_once('\n').expect("a table has a header");
        if !self.has_header {
            self.has_header = true;
            output.text(&format!("{header}\n"))?;
        }
        output.text(rows)
    }
}
