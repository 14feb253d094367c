//! Rows by name.

use super::{Row, rows};
use crate::scenario::nearest;

/// A name that stands for nothing in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Lower case, without a full stop.
    pub message: String,
    /// What helps.
    pub help: String,
}

/// The rows of these names, in the order of the catalogue; all where there is no name.
///
/// A name stands for all rows that begin with it: `sqs` for both types of queues, `api_gateway` for three kinds of APIs.
///
/// # Errors
/// Where a name stands for nothing.
pub fn select(names: &[String]) -> Result<Vec<Row>, Unknown> {
    let all = rows();
    let folded: Vec<String> = names.iter().map(|name| name.to_lowercase().replace(['-', ' '], "_")).collect();
    if let Some(place) = folded.iter().position(|name| !all.iter().any(|row| is_meant(row, name))) {
        return Err(unknown(&names[place], &all));
    }
    let chosen = |row: &Row| folded.is_empty() || folded.iter().any(|name| is_meant(row, name));
    Ok(all.into_iter().filter(chosen).collect())
}

fn is_meant(row: &Row, name: &str) -> bool {
    let begins = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    !name.is_empty() && (begins(row.source) || row.aliases.iter().any(|alias| begins(alias)))
}

fn unknown(name: &str, rows: &[Row]) -> Unknown {
    let known = || rows.iter().flat_map(|row| std::iter::once(row.source).chain(row.aliases.iter().copied()));
    let help = match nearest(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the sources: {}", rows.iter().map(|row| row.source).collect::<Vec<_>>().join(", ")),
    };
    Unknown { message: format!("there is no source `{name}`"), help }
}
