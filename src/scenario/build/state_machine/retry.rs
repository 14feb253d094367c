//! Retriers, their presets, and the names of errors.

use super::own_names;
use crate::aws::config::{Backoff, ErrorMatch, ErrorName, Jitter, Retrier};
use crate::kernel::time::SimDuration;
use crate::scenario::build::Builder;
use crate::scenario::error::{Problem, ProblemKind, nearest, quote};
use crate::scenario::resolve::Resolved;

/// Every error.
const ALL: &str = "States.ALL";
/// Every error but time-outs.
const TASK_FAILED: &str = "States.TaskFailed";

/// Errors of AWS that never happen here, or not by these names. Others that begin with `States.` there are not.
const OTHERS: [&str; 11] = [
    "States.DataLimitExceeded",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
];

/// INV-SF5, SF6: retriers by name.
fn preset(name: &str) -> Vec<Retrier> {
    let lambda = [ErrorName::ServiceException, ErrorName::AwsLambdaException, ErrorName::SdkClientException];
    let backoff = |base, jitter| Backoff { base: SimDuration::from_secs(base), factor: 2.0, cap: None, jitter };
    let (more, max_attempts, backoff) = match name {
        "sfn_studio" => (ErrorName::TooManyRequests, 3, backoff(1, Jitter::Full)),
        _ => (ErrorName::ClientExecutionTimeout, 6, backoff(2, Jitter::None)),
    };
    let errors = lambda.into_iter().chain([more]).map(ErrorMatch::Named).collect();
    vec![Retrier { errors, max_attempts, backoff }]
}

impl Builder<'_> {
    /// The retriers of a state.
    pub(super) fn retriers(&mut self, value: &Resolved) -> Option<Vec<Retrier>> {
        if let Some(name) = value.word() {
            return Some(preset(name));
        }
        self.all_alone_and_last(value);
        let retriers = value.list().iter().map(|entry| self.retrier(entry)).collect::<Vec<_>>();
        if value.is_bad() { None } else { retriers.into_iter().collect() }
    }

    fn retrier(&mut self, block: &Resolved) -> Option<Retrier> {
        let errors = self.error_matches(block.field("errors"));
        let backoff = Backoff {
            base: block.field("interval").duration()?,
            factor: block.field("backoff_rate").real()?,
            cap: block.field("max_delay").optional(Resolved::duration)?,
            jitter: if block.field("jitter").word()? == "full" { Jitter::Full } else { Jitter::None },
        };
        Some(Retrier { errors: errors?, max_attempts: block.field("max_attempts").count()?, backoff })
    }

    /// The errors that a retrier or catcher means.
    pub(super) fn error_matches(&mut self, list: &Resolved) -> Option<Vec<ErrorMatch>> {
        if list.is_bad() {
            return None;
        }
        if list.list().is_empty() {
            let problem = Problem::new(ProblemKind::MissingKey, list.place, "no errors are named");
            self.problems.push(
                problem
                    .at_key(&list.path)
                    .with_expected("at least one name")
                    .with_help("`States.ALL` means every error"),
            );
            return None;
        }
        list.list().iter().map(|name| self.error_match(name)).collect()
    }

    fn error_match(&mut self, value: &Resolved) -> Option<ErrorMatch> {
        let text = value.text()?;
        Some(match text.as_str() {
            ALL => ErrorMatch::All,
            TASK_FAILED => ErrorMatch::TaskFailed,
            _ => {
                self.check_error_name(value);
                let own = ErrorName::OWN.into_iter().find(|own| own.own() == Some(&text));
                ErrorMatch::Named(own.unwrap_or_else(|| ErrorName::Custom(self.errors.id(text))))
            }
        })
    }

    /// Any name may be somebody's error; notes those that are nearly AWS's.
    pub(super) fn check_error_name(&mut self, value: &Resolved) {
        let Some(text) = value.text() else { return };
        let known = || own_names().chain([ALL, TASK_FAILED]).chain(OTHERS);
        if known().any(|name| name == text) {
            return;
        }
        let reserved = text.starts_with("States.");
        let near = nearest(&text, known()).filter(|near| reserved || strsim::damerau_levenshtein(&text, near) <= 3);
        if near.is_none() && !reserved {
            return;
        }
        let message = format!("AWS has no error {}", quote(&text));
        let problem = Problem::new(ProblemKind::InvalidValue, value.place, message).at_key(&value.path);
        let problem = problem.with_expected("a name of AWS, or one that is not nearly one of them");
        let names = own_names().chain([ALL, TASK_FAILED]).map(|name| format!("`{name}`")).collect::<Vec<_>>();
        self.problems.push(match near {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem.with_help(format!("names with `States.` are AWS's own: {}", names.join(", "))),
        });
    }

    /// INV-SF3: `States.ALL` is alone in its entry, which is the last.
    pub(super) fn all_alone_and_last(&mut self, list: &Resolved) {
        let entries = list.list();
        for (index, entry) in entries.iter().enumerate() {
            let errors = entry.field("errors").list();
            let Some(all) = errors.iter().find(|error| error.text().as_deref() == Some(ALL)) else { continue };
            let (message, unasked) = match (errors.len(), entries.len() - 1 - index) {
                (1, 0) => continue,
                (1, _) => ("`States.ALL` is not in the last entry", entries.last()),
                _ => ("`States.ALL` is not alone", None),
            };
            self.contradiction(all, message, |problem| {
                let problem = problem
                    .with_expected("`errors: [States.ALL]` in the last entry (INV-SF3)")
                    .with_help("the first entry that fits an error decides, and this one fits all");
                match unasked {
                    Some(entry) => problem.with_related(entry.place, "this one would never be asked"),
                    None => problem,
                }
            });
        }
    }
}
