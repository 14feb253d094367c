//! Which event a story is told of.

use std::cell::RefCell;

use super::families::{Key, key};
use super::step::caller_named;
use crate::aws::fact::{Condition, DeliveryKind, Fact, Observer, Outcome};
use crate::aws::ids::{CallerId, Id as _};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::Scenario;

/// What picks an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The first event of the first caller.
    Default,
    /// A submission of a caller, 1 = first.
    Event(CallerId, u64),
    /// The first with this fate.
    First(Fate),
    /// The longest from its submission to its last fate.
    Slowest,
}

impl Selection {
    /// What is said when there is no such event.
    pub const fn nothing(self) -> &'static str {
        match self {
            Self::First(fate) => fate.nothing(),
            Self::Slowest => "no call and no event came to an end",
            Self::Default | Self::Event(..) => "there is no such event",
        }
    }
}

/// What can happen to an event, or to one that came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A dead-letter queue received it.
    DeadLettered,
    /// It was accepted and ended without success.
    Dropped,
    /// It was refused for want of concurrency or rate.
    Throttled,
    /// It ended without success: a call, or an event.
    Failed,
    /// It was run once more beside its run.
    Duplicated,
}

impl Fate {
    /// What is said when nothing had this fate.
    const fn nothing(self) -> &'static str {
        match self {
            Self::DeadLettered => "no event was dead-lettered",
            Self::Dropped => "no event was dropped",
            Self::Throttled => "nothing was throttled",
            Self::Failed => "no call and no event failed",
            Self::Duplicated => "no event was duplicated",
        }
    }

    /// Whether a fact gives an event this fate.
    #[allow(clippy::wildcard_enum_match_arm, reason = "each fate is met by few facts")]
    fn is_met(self, fact: &Fact) -> bool {
        match (self, fact) {
            (Self::DeadLettered, Fact::Delivered { record, .. }) => record.kind == DeliveryKind::DeadLetterQueue,
            (Self::Dropped | Self::Failed, Fact::EventEnded { condition, .. }) => *condition != Condition::Success,
            (Self::Failed, Fact::CallFinished { outcome, .. }) => {
                !matches!(outcome, Outcome::Success | Outcome::Accepted)
            }
            (Self::Throttled, Fact::Throttled { .. }) | (Self::Duplicated, Fact::EventDuplicated { .. }) => true,
            _ => false,
        }
    }
}

/// Why a name names no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Lower case, without a full stop.
    pub message: String,
    /// What helps.
    pub help: Option<String>,
}

/// Reads `CALLER#N`, also with the `/K` of an event that came of it.
///
/// # Errors
/// Where it has another form, or the scenario has no such caller.
pub fn event_named(scenario: &Scenario, text: &str) -> Result<Selection, Unknown> {
    let form = |message: String| Unknown { message, help: Some("write CALLER#N, for example buyers#1".to_owned()) };
    let Some((name, number)) = text.rsplit_once('#') else {
        return Err(form(format!("`{text}` names no event")));
    };
    let Some(caller) = caller_named(scenario, name) else {
        let names = || scenario.system.callers.rows().iter().map(|caller| caller.name.as_str());
        let near = names().min_by_key(|known| strsim::damerau_levenshtein(known, name));
        let near = near.filter(|known| strsim::damerau_levenshtein(known, name) <= (known.len().max(3)) / 3);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its callers: {}", names().take(10).collect::<Vec<_>>().join(", ")),
        };
        return Err(Unknown { message: format!("there is no caller `{name}`"), help: Some(help) });
    };
    let (submission, part) = number.split_once('/').unwrap_or((number, "1"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match submission.parse() {
        Ok(0) => Err(form(format!("`{text}`: a caller's first event has the number 1"))),
        Ok(submission) if is_number(number.split('/').next().unwrap_or_default()) && is_number(part) => {
            Ok(Selection::Event(caller, submission))
        }
        _ => Err(form(format!("`{text}`: `{number}` is no number of an event"))),
    }
}

/// Finds the event that a selection picks.
#[derive(Clone, Debug)]
pub struct Finder {
    fate: Option<Fate>,
    found: Option<Key>,
    longest: Option<SimDuration>,
}

impl Finder {
    /// For a selection that needs a run to be known; the event itself where it does not.
    ///
    /// # Errors
    /// Never; the event stands in the place of the error.
    pub fn new(selection: Selection) -> Result<Self, Key> {
        let finder = |fate| Self { fate, found: None, longest: None };
        match selection {
            Selection::Default => Err((CallerId::from_index(0), 1)),
            Selection::Event(caller, submission) => Err((caller, submission)),
            Selection::First(fate) => Ok(finder(Some(fate))),
            Selection::Slowest => Ok(finder(None)),
        }
    }

    /// The event that was found so far.
    pub fn found(&self) -> Option<Key> {
        self.found
    }

    /// Whether nothing to come can change what was found.
    pub fn is_certain(&self) -> bool {
        self.fate.is_some() && self.found.is_some()
    }
}

impl Observer for Finder {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if let Some(fate) = self.fate {
            if self.found.is_none() && fate.is_met(fact) {
                self.found = super::families::origin(fact).map(key);
            }
            return;
        }
        let (Fact::CallFinished { origin, .. } | Fact::EventEnded { origin, .. }) = fact else { return };
        let took = now.since(origin.submitted);
        if self.longest.is_none_or(|longest| took > longest) {
            (self.longest, self.found) = (Some(took), Some(key(origin)));
        }
    }
}

/// An observer that can be looked at while it listens.
#[derive(Debug)]
pub struct Shared<'a, O>(pub &'a RefCell<O>);

impl<O: Observer> Observer for Shared<'_, O> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        self.0.borrow_mut().observe(now, fact);
    }
}
