//! What the first sentences of a story need of its messages.

use super::words::{Settings, length, plural};
use crate::aws::fact::{Fact, MappingFact, MessageFact};
use crate::aws::ids::QueueId;
use crate::kernel::time::SimTime;

/// The messages of one submission.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages(Vec<Message>);

/// A message and what became of it.
#[derive(Clone, Debug)]
struct Message {
    branch: u32,
    /// Where it was sent to.
    sent_to: QueueId,
    /// Where it is, or was last.
    queue: QueueId,
    receives: u32,
    runs: u32,
    is_filtered: bool,
    /// When it went to a dead-letter queue, and after how many receives and runs.
    moved: Option<(SimTime, u32, u32)>,
    end: Option<(SimTime, End)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Deleted,
    Expired,
    Deduplicated,
}

impl Messages {
    /// A fact about one of them.
    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts are enough for an outline")]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact) {
        match *fact {
            Fact::Message(MessageFact::Sent { origin, queue, .. }) => self.add(origin.branch, queue, None),
            Fact::Message(MessageFact::Deduplicated { origin, queue }) => {
                self.add(origin.branch, queue, Some((now, End::Deduplicated)));
            }
            Fact::RunStarted { origin, .. } => self.with(origin.branch, |message| message.runs += 1),
            Fact::Message(MessageFact::Received { origin, .. }) => {
                self.with(origin.branch, |message| message.receives += 1);
            }
            Fact::Mapping(MappingFact::FilteredOut { origin, .. }) => {
                self.with(origin.branch, |message| message.is_filtered = true);
            }
            Fact::Message(MessageFact::Moved { origin, to, receives, runs, .. }) => {
                let moved = Some((now, receives, runs));
                self.with(origin.branch, |message| (message.queue, message.moved) = (to, moved));
            }
            Fact::Message(MessageFact::Redriven { origin, to, .. }) => {
                self.with(origin.branch, |message| (message.queue, message.moved) = (to, None));
            }
            Fact::Message(MessageFact::Deleted { origin, .. }) => {
                self.with(origin.branch, |message| message.end = Some((now, End::Deleted)));
            }
            Fact::Message(MessageFact::Expired { origin, at, .. }) => {
                self.with(origin.branch, |message| message.end = Some((at, End::Expired)));
            }
            _ => {}
        }
    }

    fn add(&mut self, branch: u32, queue: QueueId, end: Option<(SimTime, End)>) {
        let (receives, runs, is_filtered, moved) = (0, 0, false, None);
        self.0.push(Message { branch, sent_to: queue, queue, receives, runs, is_filtered, moved, end });
    }

    /// The last message of this branch.
    fn with<T>(&mut self, branch: u32, change: impl FnOnce(&mut Message) -> T) {
        if let Some(message) = self.0.iter_mut().rev().find(|message| message.branch == branch) {
            change(message);
        }
    }

    /// What became of the message that the submission was, and whether that is good.
    pub(super) fn own(
        &self,
        settings: Settings<'_>,
        submitted: SimTime,
        ended: &str,
    ) -> Option<(String, Option<bool>)> {
        self.0.first().map(|message| message.told(settings, submitted, ended))
    }

    /// Whether each of those ended well that somebody received.
    pub(super) fn good(
        &self,
        settings: Settings<'_>,
        submitted: SimTime,
        ended: &str,
    ) -> impl Iterator<Item = Option<bool>> {
        let read = self.0.iter().filter(|message| message.receives > 0);
        read.map(move |message| message.told(settings, submitted, ended).1)
    }

    /// What became of messages that a dead-letter queue or destination received, where somebody received them again.
    pub(super) fn sent_on(&self, settings: Settings<'_>, submitted: SimTime, ended: &str) -> Vec<String> {
        let read = self.0.iter().filter(|message| message.receives > 0);
        let told = |message: &Message| {
            let (words, _) = message.told(settings, submitted, ended);
            let queue = settings.queue(message.sent_to);
            words.strip_prefix("It").map_or(words.clone(), |rest| format!("The message in {queue}{rest}"))
        };
        read.map(told).collect()
    }
}

impl Message {
    fn told(&self, settings: Settings<'_>, submitted: SimTime, ended: &str) -> (String, Option<bool>) {
        let after = |at: SimTime| format!("{} after it was submitted", length(at.since(submitted)));
        let counts = counts_of(self.receives, self.runs);
        let end = |(at, end): (SimTime, End)| match end {
            End::Deleted if self.is_filtered => format!("did not match the filter and was deleted {}", after(at)),
            End::Deleted => format!("was deleted {}", after(at)),
            End::Expired => format!("was lost {}, when its retention was over", after(at)),
            End::Deduplicated => "was dropped, as the queue has had it before".to_owned(),
        };
        match (self.moved, self.end) {
            (Some((at, receives, runs)), then) => {
                let queue = settings.queue(self.queue);
                let counts = match runs {
                    0 => format!("after {}. It never ran", plural(receives, "receive")),
                    _ => counts_of(receives, runs),
                };
                let words = format!("It went to the dead-letter queue {queue} {}, {counts}.", after(at));
                let then = then.map_or_else(String::new, |then| format!(" There it {}.", end(then)));
                (words + &then, Some(false))
            }
            (None, Some(last)) => (format!("It {}, {counts}.", end(last)), Some(last.1 != End::Expired)),
            (None, None) => {
                let queue = settings.queue(self.queue);
                (format!("It was still in {queue} when the simulation ended at {ended}, {counts}."), None)
            }
        }
    }
}

/// `after 2 receives and 1 run`.
fn counts_of(receives: u32, runs: u32) -> String {
    let times = plural(receives, "receive");
    match (receives, runs) {
        (0, 0) => "without a receive".to_owned(),
        (_, 0) => format!("after {times} and without a run"),
        (_, runs) => format!("after {times} and {}", plural(runs, "run")),
    }
}
