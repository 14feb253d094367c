//! CSV files that a scenario names: traces, counts and measured values.

use super::Builder;
use crate::scenario::decimal::Decimal;
use crate::scenario::error::{Problem, ProblemKind, did_you_mean, quote};
use crate::scenario::resolve::Resolved;
use crate::scenario::units;

/// Largest CSV file, in bytes.
const BYTES_MAX: u64 = 1 << 30;

/// The unit of a column's numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Whole numbers of things.
    Count,
    /// So many nanoseconds or bytes.
    Of(u64),
}

impl Unit {
    /// A unit of time or of size.
    pub(crate) fn named(name: &str) -> Option<Self> {
        units::time_unit(name).or_else(|| units::size_unit(name)).map(Self::Of)
    }
}

impl Builder<'_> {
    /// The numbers of the column that `block` names under `key`, in the base unit, times `scale`.
    pub(crate) fn column(
        &mut self,
        block: &Resolved,
        key: &'static str,
        unit: Unit,
        scale: Option<Decimal>,
    ) -> Option<Vec<u64>> {
        let file = block.field("file");
        let name = file.text()?;
        let column = block.field(key).optional(Resolved::text)?;
        let path = self.base.join(&name);
        let opened = std::fs::File::open(&path).and_then(|opened| {
            let about = opened.metadata()?;
            let problem = |text: String| std::io::Error::other(text);
            if !about.is_file() {
                return Err(problem("it is not a file".to_owned()));
            }
            if about.len() > BYTES_MAX {
                return Err(problem(format!("it has more than {BYTES_MAX} bytes")));
            }
            Ok(opened)
        });
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.file_problem(file, format!("cannot read {}: {error}", quote(&name)), |problem| {
                    problem.with_expected("a CSV file").with_help("files are looked up beside the scenario")
                });
                return None;
            }
        };
        self.files.insert(name.clone());
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(opened);
        let index = self.index_of(&mut reader, file, block.field(key), &name, column.as_deref())?;
        self.cells(&mut reader, file, &name, index, unit, scale)
    }

    /// Which column it is.
    fn index_of(
        &mut self,
        reader: &mut csv::Reader<std::fs::File>,
        file: &Resolved,
        key: &Resolved,
        name: &str,
        column: Option<&str>,
    ) -> Option<usize> {
        let headers = match reader.headers() {
            Ok(headers) => headers.clone(),
            Err(error) => {
                self.file_problem(file, format!("{} is not CSV: {error}", quote(name)), |problem| problem);
                return None;
            }
        };
        let clean = |header: &str| header.trim_start_matches('\u{feff}').to_owned();
        let headers = headers.iter().map(clean).collect::<Vec<_>>();
        let list = headers.iter().take(20).map(|header| quote(header)).collect::<Vec<_>>().join(", ");
        match column {
            None if headers.len() == 1 => Some(0),
            None => {
                self.file_problem(file, format!("{} has {} columns", quote(name), headers.len()), |problem| {
                    problem.with_expected("one column, or a `column` key").with_help(format!("the columns are {list}"))
                });
                None
            }
            Some(column) => headers.iter().position(|header| header == column).or_else(|| {
                let near = did_you_mean(column, headers.iter().map(String::as_str));
                self.file_problem(key, format!("{} has no column {}", quote(name), quote(column)), |problem| {
                    problem.with_help_if(near).with_help(format!("the columns are {list}"))
                });
                None
            }),
        }
    }

    fn cells(
        &mut self,
        reader: &mut csv::Reader<std::fs::File>,
        file: &Resolved,
        name: &str,
        index: usize,
        unit: Unit,
        scale: Option<Decimal>,
    ) -> Option<Vec<u64>> {
        let mut values = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            let (line, message) = match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    match cell(record.get(index).unwrap_or(""), unit, scale) {
                        Ok(value) => {
                            values.push(value);
                            continue;
                        }
                        Err(message) => (line, message),
                    }
                }
                Err(error) => (error.position().map_or(0, csv::Position::line), error.to_string()),
            };
            self.file_problem(file, format!("{name}:{line}: {message}"), |problem| {
                problem.with_expected("finite numbers of at least 0 in this column")
            });
            return None;
        }
        if values.is_empty() {
            self.file_problem(file, format!("{} has no rows", quote(name)), |problem| {
                problem.with_expected("a header line and at least one row")
            });
            return None;
        }
        Some(values)
    }

    fn file_problem(&mut self, at: &Resolved, message: String, more: impl FnOnce(Problem) -> Problem) {
        let problem = Problem::new(ProblemKind::File, at.place, message).at_key(&at.path);
        self.problems.push(more(problem));
    }
}

/// A cell in the base unit, to the nearest whole number.
fn cell(text: &str, unit: Unit, scale: Option<Decimal>) -> Result<u64, String> {
    let factor = match unit {
        Unit::Count => return units::whole(text).map_err(|error| error.message),
        Unit::Of(factor) => factor,
    };
    units::real(text).map_err(|error| error.message)?;
    let number = Decimal::parse(text).ok_or_else(|| format!("{} has more digits than can be held", quote(text)))?;
    let scaled = scale.map_or(Some(number), |scale| number.multiply(scale));
    let value = scaled.and_then(|number| number.times_rounded(u128::from(factor)));
    value.and_then(|value| u64::try_from(value).ok()).ok_or_else(|| format!("{} is too large", quote(text)))
}
