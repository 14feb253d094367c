//! What stands in the cells of a row.

use crate::catalogue::{Amount, Cause, Limit, Reach, Row, Wait};
use crate::kernel::time::SimDuration;
use crate::report::numbers;
use crate::story::rules::Rule;

/// The cells of a row that are not words already.
#[derive(Debug)]
pub(super) struct Cells {
    pub(super) waits: String,
    /// Who tries again and after what; the next two have as many lines.
    pub(super) who: Vec<String>,
    pub(super) attempts: Vec<String>,
    pub(super) over: Vec<String>,
    pub(super) limits: Vec<String>,
    /// How the rules are known.
    pub(super) evidence: Vec<&'static str>,
    pub(super) rules: Vec<&'static str>,
}

impl Cells {
    /// `whole`: with what holds for all rows of its model.
    pub(super) fn of(row: &Row, whole: bool) -> Self {
        let retries: Vec<_> = row.retries.iter().filter(|retries| whole || !retries.is_queued).collect();
        let rules: Vec<&Rule> =
            row.rules.iter().copied().chain(row.model.rules().into_iter().filter(|_| whole)).collect();
        let mut evidence: Vec<&'static str> = Vec::new();
        for rule in &rules {
            if !evidence.contains(&rule.mark.as_str()) {
                evidence.push(rule.mark.as_str());
            }
        }
        let who = retries.iter().map(|retries| format!("{}: {}", retries.who, causes(&retries.after)));
        let mut cells = Self {
            waits: waits(row.waits),
            who: who.collect(),
            attempts: retries.iter().map(|retries| attempts(retries.reach)).collect(),
            over: retries.iter().map(|retries| over(retries.reach)).collect(),
            limits: row.limits.iter().map(limit).collect(),
            evidence,
            rules: rules.iter().map(|rule| rule.id).collect(),
        };
        if cells.who.is_empty() {
            cells.who.push("nobody".to_owned());
            cells.attempts.push("1".to_owned());
            cells.over.push("-".to_owned());
        }
        cells
    }
}

fn waits(wait: Wait) -> String {
    match wait {
        Wait::No => "no".to_owned(),
        Wait::Run => "for the run".to_owned(),
        Wait::AtMost(timeout) => length(timeout),
        Wait::CallBack(timeout) => format!("{} for a call back", length(timeout)),
    }
}

/// `throttles, time-outs`.
pub(super) fn causes(causes: &[Cause]) -> String {
    let words: Vec<&str> = causes.iter().map(|cause| cause.as_str()).collect();
    words.join(", ")
}

/// `3`, or `no limit`.
pub(super) fn attempts(reach: Reach) -> String {
    reach.attempts().map_or_else(|| "no limit".to_owned(), |attempts| numbers::count(u64::from(attempts)))
}

/// `3 s`, or `no end`.
pub(super) fn over(reach: Reach) -> String {
    reach.over().map_or_else(|| "no end".to_owned(), length)
}

fn length(length: SimDuration) -> String {
    numbers::milliseconds(length.as_nanos() as f64 / 1e6)
}

/// `request 6.29 MB`.
fn limit(limit: &Limit) -> String {
    let amount = match limit.amount {
        Amount::Count(count) => numbers::count(count),
        Amount::Bytes(bytes) => size(bytes),
        Amount::Time(time) => length(time),
        Amount::PerTime(rate) => format!("{}/s", numbers::significant(rate.per_second_f64(), 3)),
        Amount::Unlimited => "no limit".to_owned(),
    };
    format!("{} {amount}", limit.what)
}

/// In the largest unit of which it is a whole number, else in MB.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 6] =
        [(1 << 30, "GiB"), (1_000_000_000, "GB"), (1 << 20, "MiB"), (1_000_000, "MB"), (1 << 10, "KiB"), (1_000, "kB")];
    match UNITS.into_iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", numbers::count(bytes / unit)),
        None => format!("{} MB", numbers::significant(bytes as f64 / 1e6, 3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_where_they_can_be() {
        for (bytes, text) in [
            (1_048_576, "1 MiB"),
            (6_291_556, "6.29 MB"),
            (1_000_000, "1 MB"),
            (5_000_000_000, "5 GB"),
            (131_072, "128 KiB"),
            (1_024_000, "1,000 KiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
