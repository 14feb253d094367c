//! The steps of a message: its queue, the mapping that receives it, and its batch.

use super::batch::complete_words;
use super::rules::{self, Rule};
use super::step::{StepKind, Told, by_lambda};
use super::words::{Settings, length, moment, plural};
use crate::aws::config::{QueueKind, Source};
use crate::aws::fact::{
    BrokerFact, Complete, Fact, MappingFact, MessageFact, MessageState, Origin, RunOutcome, StreamFact,
};
use crate::aws::ids::QueueId;
use crate::kernel::time::SimTime;

/// What is remembered of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Runs that had it in their batch.
    pub(super) runs: u32,
    /// When it was received last, and until when it is hidden.
    received: Option<(SimTime, SimTime)>,
    /// The batch that it was put into last; what others come to is old.
    batch: u64,
    holding: Holding,
    is_filtered: bool,
}

/// What became of the last receive.
#[derive(Clone, Copy, Debug, Default)]
enum Holding {
    /// Nothing was received, or it waits for its batch.
    #[default]
    Waiting,
    /// A run has it.
    Running,
    /// The batch was given up.
    Dropped,
    /// The run ended at this moment.
    Ended(SimTime, Failure),
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    None,
    /// The function named those that failed.
    Some,
    All,
}

impl Progress {
    /// Whether a batch began this run of it before.
    pub(super) fn has_begun(&self, run: u32) -> bool {
        self.batch > 0 && run <= self.runs
    }

    /// A fact about it.
    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts tell how far it is")]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::Message(MessageFact::Sent { .. }) => *self = Self::default(),
            Fact::Message(MessageFact::Received { visible_at, .. }) => {
                (self.received, self.holding) = (Some((now, visible_at)), Holding::Waiting);
            }
            Fact::Mapping(MappingFact::FilteredOut { .. }) => self.is_filtered = true,
            Fact::RunStarted { run, .. } => self.runs = self.runs.max(run),
            Fact::Mapping(MappingFact::Batched { batch, .. }) => self.batch = batch,
            Fact::Mapping(MappingFact::BatchInvoked { batch, .. }) if batch == self.batch => {
                self.holding = Holding::Running;
            }
            Fact::Mapping(MappingFact::BatchRefused { batch, due, .. }) if batch == self.batch => {
                self.holding = if due.is_some() { Holding::Waiting } else { Holding::Dropped };
            }
            Fact::Mapping(MappingFact::BatchEnded { batch, records, failed, .. }) if batch == self.batch => {
                let failure = match failed {
                    0 => Failure::None,
                    _ if failed == records => Failure::All,
                    _ => Failure::Some,
                };
                self.holding = Holding::Ended(now, failure);
            }
            _ => {}
        }
    }
}

/// The message that a fact is about.
pub(super) fn message_origin(fact: &MessageFact) -> Option<&Origin> {
    match fact {
        MessageFact::Sent { origin, .. }
        | MessageFact::Deduplicated { origin, .. }
        | MessageFact::DelayEnded { origin, .. }
        | MessageFact::Received { origin, .. }
        | MessageFact::Returned { origin, .. }
        | MessageFact::Deleted { origin, .. }
        | MessageFact::DeleteIgnored { origin, .. }
        | MessageFact::Moved { origin, .. }
        | MessageFact::Redriven { origin, .. }
        | MessageFact::Expired { origin, .. } => Some(origin),
        MessageFact::GroupsInFlight { .. }
        | MessageFact::GroupNoisy { .. }
        | MessageFact::GroupQuiet { .. }
        | MessageFact::QuietGroups { .. }
        | MessageFact::OldestChanged { .. } => None,
    }
}

/// When it happened, for a fact that is noticed later.
#[allow(clippy::wildcard_enum_match_arm, reason = "few facts are noticed late")]
pub(crate) fn happened(fact: &Fact) -> Option<SimTime> {
    match *fact {
        Fact::Message(
            MessageFact::DelayEnded { at, .. } | MessageFact::Returned { at, .. } | MessageFact::Expired { at, .. },
        )
        | Fact::Stream(StreamFact::Expired { at, .. })
        | Fact::Broker(BrokerFact::Expired { at, .. }) => Some(at),
        _ => None,
    }
}

/// What happens to a message in its queue.
pub(super) fn tell<'a>(
    settings: Settings<'a>,
    now: SimTime,
    progress: &Progress,
    fact: &MessageFact,
) -> Option<Told<'a>> {
    let by = |queue, kind, rule, detail| Told { actor: settings.queue(queue), kind, run: None, rule, detail };
    Some(match *fact {
        MessageFact::Sent { queue, visible_at, bytes, .. } => {
            let is_delayed = visible_at > now;
            let rule = is_delayed.then_some(&rules::MESSAGE_DELAY);
            let until =
                if is_delayed { format!("delayed until {}", moment(visible_at)) } else { "visible at once".to_owned() };
            by(queue, StepKind::Sent, rule, format!("{bytes} bytes, {until}"))
        }
        MessageFact::Deduplicated { queue, .. } => {
            let window = length(settings.queue_at(queue, now).deduplication_window);
            let detail = format!("one with its deduplication id came within {window}");
            by(queue, StepKind::Deduplicated, Some(&rules::DEDUPLICATION), detail)
        }
        MessageFact::DelayEnded { queue, .. } => {
            by(queue, StepKind::DelayEnded, Some(&rules::MESSAGE_DELAY), "its delay is over".to_owned())
        }
        MessageFact::Received { queue, mapping, receives, visible_at, from_noisy, .. } => {
            let mut detail = received(settings, now, queue, receives, visible_at);
            let rule = if from_noisy { &rules::NOISY_GROUP } else { &rules::VISIBILITY_CLOCK };
            if from_noisy {
                detail += "; its message group is noisy, so it waited until no message of a quiet one was there";
            }
            let (kind, rule) = (StepKind::Received, Some(rule));
            Told { actor: settings.mapping(mapping), kind, run: None, rule, detail }
        }
        MessageFact::Returned { queue, at, .. } => {
            let (rule, why) = why_visible(at, progress);
            by(queue, StepKind::VisibleAgain, Some(rule), format!("its visibility time-out is over; {why}"))
        }
        MessageFact::Deleted { queue, enqueued, receives, runs, visible, .. } => {
            let age = length(now.saturating_since(enqueued));
            let receives = plural(receives, "receive");
            let runs = if runs == 0 { "no run".to_owned() } else { plural(runs, "run") };
            let after = format!("{age} after it was enqueued and after {receives} and {runs}");
            deleted(progress, visible, format!("from {}, {after}", settings.queue(queue)))
        }
        MessageFact::DeleteIgnored { queue, .. } => {
            let detail = "the delete came with an old receipt handle, as the message was received again".to_owned();
            by(queue, StepKind::DeleteIgnored, Some(&rules::STALE_DELETE), detail)
        }
        MessageFact::Moved { queue, to, receives, runs, .. } => {
            let (rule, detail) = moved(settings.queue(to), receives, runs);
            by(queue, StepKind::Moved, Some(rule), detail)
        }
        MessageFact::Redriven { queue, to, .. } => {
            let detail = format!("to {}, by a redrive task; its receives count from 0 again", settings.queue(to));
            by(queue, StepKind::Redriven, Some(&rules::REDRIVE_TASK), detail)
        }
        MessageFact::Expired { queue, at, state, .. } => {
            let (rule, detail) = expired(settings, at, queue, state);
            by(queue, StepKind::Expired, Some(rule), detail)
        }
        MessageFact::GroupsInFlight { .. }
        | MessageFact::GroupNoisy { .. }
        | MessageFact::GroupQuiet { .. }
        | MessageFact::QuietGroups { .. }
        | MessageFact::OldestChanged { .. } => return None,
    })
}

fn received(settings: Settings<'_>, now: SimTime, queue: QueueId, receives: u32, visible_at: SimTime) -> String {
    let queue = settings.queue_at(queue, now);
    let most = queue.redrive.map_or_else(String::new, |redrive| format!(" of at most {}", redrive.max_receive_count));
    let until = if visible_at > now {
        format!("hidden from others until {}", moment(visible_at))
    } else {
        "not hidden, as the visibility time-out is 0".to_owned()
    };
    format!("receive {receives}{most} from {}; {until}", queue.name)
}

/// Why the visibility time-out of a message ended before somebody deleted it.
fn why_visible(at: SimTime, progress: &Progress) -> (&'static Rule, String) {
    let running = || (&rules::RUN_GOES_ON, "its run still goes on, and now it can be run once more".to_owned());
    match progress.holding {
        Holding::Running => running(),
        // Noticed late: the run was under way at that moment.
        Holding::Ended(ended, _) if ended > at => running(),
        Holding::Ended(_, Failure::All) => (&rules::BATCH_FAILED, "its run failed".to_owned()),
        Holding::Ended(_, Failure::Some) => {
            (&rules::PARTIAL_FAILURE, "the function named it among those that failed".to_owned())
        }
        Holding::Ended(_, Failure::None) => (&rules::STALE_DELETE, "it was not deleted in time".to_owned()),
        Holding::Dropped => {
            (&rules::THROTTLED_BATCH, "its batch was throttled until then, and this receive led to no run".to_owned())
        }
        Holding::Waiting => {
            (&rules::VISIBILITY_CLOCK, "its batch still waits, and now it can be received once more".to_owned())
        }
    }
}

fn deleted(progress: &Progress, visible: bool, mut detail: String) -> Told<'static> {
    let rule = if progress.is_filtered {
        &rules::FILTER
    } else if visible {
        detail += "; its visibility time-out had ended, but nobody had received it again";
        &rules::STALE_DELETE
    } else if matches!(progress.holding, Holding::Ended(_, Failure::Some)) {
        detail += "; the function did not name it among those that failed";
        &rules::PARTIAL_FAILURE
    } else {
        &rules::BATCH_SUCCEEDED
    };
    by_lambda(StepKind::Deleted, Some(rule), detail)
}

fn moved(to: &str, receives: u32, runs: u32) -> (&'static Rule, String) {
    let words = format!("to the dead-letter queue {to}, after {}", plural(receives, "receive"));
    match runs {
        0 => (&rules::NEVER_RAN, format!("{words} and no run: it never ran")),
        _ => (&rules::REDRIVE, format!("{words} and {}", plural(runs, "run"))),
    }
}

fn expired(settings: Settings<'_>, at: SimTime, queue: QueueId, state: MessageState) -> (&'static Rule, String) {
    let retention = length(settings.queue_at(queue, at).message_retention);
    let words = format!("its retention of {retention} is over");
    match state {
        MessageState::Delayed => (&rules::RETENTION, format!("{words}, and it was still delayed")),
        MessageState::Visible => (&rules::RETENTION, format!("{words}, and nobody had received it in time")),
        MessageState::InFlight => (&rules::EXPIRED_IN_FLIGHT, format!("{words}, while it was in flight")),
    }
}

/// What a mapping does with a message, and with the batch that it is in.
pub(super) fn tell_mapping<'a>(
    settings: Settings<'a>,
    now: SimTime,
    progress: &Progress,
    fact: &MappingFact,
) -> Option<Told<'a>> {
    let by = |mapping, kind, rule, detail| Told { actor: settings.mapping(mapping), kind, run: None, rule, detail };
    Some(match *fact {
        MappingFact::FilteredOut { mapping, .. } => {
            let detail = "it does not match the filter, and no function gets it".to_owned();
            by(mapping, StepKind::FilteredOut, Some(&rules::FILTER), detail)
        }
        MappingFact::Batched { mapping, batch, .. } => by(mapping, StepKind::Batched, None, format!("batch {batch}")),
        MappingFact::BatchFormed { mapping, batch, records, complete, .. } => {
            let mapping_now = settings.mapping_at(mapping, now);
            let is_fifo = match mapping_now.source {
                Source::Queue(queue) => settings.queue_at(queue, now).kind == QueueKind::Fifo,
                Source::Stream(_) | Source::Broker(_) => false,
            };
            let window = mapping_now.maximum_batching_window;
            let late = progress.received.is_some_and(|(received, _)| received.plus(window) < now);
            let (rule, why) = match complete {
                Complete::AtOnce if is_fifo && records > 1 => (&rules::FIFO_BATCH, "what one receive gave".to_owned()),
                Complete::AtOnce => (&rules::NO_WINDOW, "what one receive gave, as there is no window".to_owned()),
                Complete::Window if late => (&rules::LOW_TRAFFIC, complete_words(complete, window)),
                Complete::Full | Complete::Payload | Complete::Window | Complete::LaterWindow => {
                    (&rules::BATCH_COMPLETE, complete_words(complete, window))
                }
            };
            let detail = format!("{}: {why}", batch_of(batch, records));
            by(mapping, StepKind::BatchFormed, Some(rule), detail)
        }
        MappingFact::BatchInvoked { mapping, batch, records, .. } => {
            let function = settings.function(settings.mapping_at(mapping, now).function);
            let detail = format!("{function} with {}", batch_of(batch, records));
            by(mapping, StepKind::BatchInvoked, Some(&rules::BATCH_INVOKED), detail)
        }
        MappingFact::BatchRefused { mapping, batch, status, due, .. } => {
            let (kind, rule, detail) = refused(now, progress, batch, status, due);
            by(mapping, kind, Some(rule), detail)
        }
        MappingFact::BatchEnded { mapping, batch, records, failed, outcome, unreadable, .. } => {
            let (rule, detail) = batch_ended(records, failed, outcome, unreadable);
            by(mapping, StepKind::BatchEnded, Some(rule), format!("{}: {detail}", batch_of(batch, records)))
        }
        MappingFact::Polled { .. } | MappingFact::PolledEmpty { .. } | MappingFact::Pollers { .. } => return None,
    })
}

/// `batch 7 of 10 records`.
fn batch_of(batch: u64, records: u32) -> String {
    format!("batch {batch} of {}", plural(records, "record"))
}

fn refused(
    now: SimTime,
    progress: &Progress,
    batch: u64,
    status: u16,
    due: Option<SimTime>,
) -> (StepKind, &'static Rule, String) {
    let why = if status == 429 { "throttled (429)".to_owned() } else { format!("the service failed ({status})") };
    let hidden = progress.received.map_or(now, |(_, visible_at)| visible_at);
    let Some(due) = due else {
        let held = format!("the message is visible again at {}, one receive older", moment(hidden));
        let detail = format!("batch {batch}: {why}, and the next try would come after the visibility time-out; {held}");
        return (StepKind::BatchDropped, &rules::THROTTLED_BATCH, detail);
    };
    let (wait, due) = (length(due.saturating_since(now)), moment(due));
    let held = format!("the message stays hidden until {}", moment(hidden));
    let detail = format!("batch {batch}: {why}; waits {wait}, asks again at {due}; {held}");
    (StepKind::BatchRefused, &rules::THROTTLED_BATCH_WAITS, detail)
}

fn batch_ended(records: u32, failed: u32, outcome: RunOutcome, unreadable: bool) -> (&'static Rule, String) {
    let all = match records {
        1 => "its record stays in the queue until its visibility time-out".to_owned(),
        _ => format!("all {records} stay in the queue until their visibility time-out"),
    };
    match outcome {
        RunOutcome::Success if failed == 0 => {
            let words = if records == 1 { "its record is to be deleted" } else { "all are to be deleted" };
            (&rules::BATCH_SUCCEEDED, format!("success, {words}"))
        }
        RunOutcome::Success if failed < records => {
            let words = format!("the function names {failed} of {records} as failed; those stay");
            (&rules::PARTIAL_FAILURE, format!("{words}, the others are to be deleted"))
        }
        RunOutcome::Success if unreadable => {
            (&rules::ALL_FAILED, format!("the function's answer cannot be read, so all of it failed; {all}"))
        }
        RunOutcome::Success => (&rules::PARTIAL_FAILURE, format!("the function names all of it as failed; {all}")),
        RunOutcome::Error | RunOutcome::Timeout | RunOutcome::Crash => {
            (&rules::BATCH_FAILED, format!("the run failed; {all}"))
        }
    }
}
