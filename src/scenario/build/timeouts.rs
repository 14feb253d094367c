//! Whether a function's time-out fits its mappings. AWS looks at this when the mapping or the function changes, and
//! not when the source does.

use super::Builder;
use super::checks::Blocks;
use super::mapping::source_type;
use super::names::Resource;
use crate::aws::ids::{FunctionId, Id, QueueId};
use crate::kernel::time::SimDuration;
use crate::scenario::keys::SourceType;
use crate::scenario::resolve::{Resolved, a};

/// ESM-4.1: the longest time-out for Kafka, MQ and `DocumentDB`.
const LONGEST: SimDuration = SimDuration::from_secs(14 * 60);

/// What bounds the runs for a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// ESM-1.1: the visibility time-out of this queue.
    Visibility(QueueId),
    /// ESM-4.1.
    Fixed,
}

impl Bound {
    /// How long it is now.
    pub(super) fn longest(self, blocks: &Blocks) -> Option<SimDuration> {
        match self {
            Self::Visibility(queue) => blocks.queues[queue.index()].field("visibility_timeout").duration(),
            Self::Fixed => Some(LONGEST),
        }
    }
}

impl Builder<'_> {
    /// What a mapping invokes, and what bounds its runs; `None` where nothing does.
    pub(super) fn bound(&self, mapping: &Resolved) -> Option<(FunctionId, Bound)> {
        let source = source_type(mapping)?;
        let function = self.names.named(mapping.field("function")).and_then(Resource::function)?;
        let bound = match source {
            SourceType::Sqs => Bound::Visibility(self.names.named(mapping.field("source")).and_then(Resource::queue)?),
            SourceType::Kafka | SourceType::Mq | SourceType::DocumentDb => Bound::Fixed,
            SourceType::Kinesis | SourceType::DynamoDb => return None,
        };
        Some((function, bound))
    }

    /// Checks the time-out of a mapping's function. `at` is what gets the blame.
    pub(super) fn timeout_fits(&mut self, mapping: &Resolved, at: &Resolved, blocks: &Blocks) {
        let Some((function, bound)) = self.bound(mapping) else { return };
        let timeout = blocks.functions[function.index()].field("timeout");
        let (Some(run), Some(longest)) = (timeout.duration(), bound.longest(blocks)) else { return };
        if run <= longest {
            return;
        }
        let function = Some((timeout, "the function's time-out"));
        match bound {
            Bound::Visibility(queue) => {
                let visibility = blocks.queues[queue.index()].field("visibility_timeout");
                let places = [function, Some((visibility, "the queue's visibility time-out"))];
                let message = format!("a run may take {run}, but its messages are hidden for {longest}");
                let expected = "a `timeout` of at most the queue's `visibility_timeout` (ESM-1.1)";
                let help = "AWS checks this when a mapping or its function changes, and advises six times the time-out";
                self.runs_too_long(at, (message, expected, Some(help)), places);
            }
            Bound::Fixed => {
                let service = source_type(mapping).map_or("", SourceType::service);
                let message =
                    format!("a run may take {run}, but for {} at most {longest}", a(&format!("{service} mapping")));
                self.runs_too_long(at, (message, "a `timeout` of at most 14m (ESM-4.1)", None), [function, None]);
            }
        }
    }

    fn runs_too_long(
        &mut self,
        at: &Resolved,
        (message, expected, help): (String, &str, Option<&str>),
        places: [Option<(&Resolved, &str)>; 2],
    ) {
        self.contradiction(at, message, |problem| {
            let places = places.into_iter().flatten();
            let written = places.filter(|(field, _)| field.is_written() && field.place != at.place);
            let problem = written.fold(problem, |problem, (field, what)| problem.with_related(field.place, what));
            problem.with_expected(expected).with_help_if(help.map(str::to_owned))
        });
    }
}
