//! A fact becomes a step of an event's story: who, what, by which rule, in plain words.

use std::fmt::Write as _;

use super::batches::Batches;
use super::buffers::Buffers;
use super::families::{Event, Families, Key, key, origin};
use super::internal::{Parent, Tries};
pub use super::kind::StepKind;
use super::lines::Lines;
use super::message::Progress;
use super::record::Reading;
use super::rules::Rule;
use super::words::Settings;
use super::{batch, calls, client, delivery, execution, front, internal, message, place, reader, record, runs};
use crate::aws::config::Source;
use crate::aws::fact::{Fact, MappingFact, Origin, ReaderFact};
use crate::aws::ids::CallerId;
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

/// One step of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// `caller#17`; `caller#17/1` for the first event that came of it, in order of acceptance.
    pub event: String,
    /// 0 for the submission itself, else the number behind the `/`.
    pub part: u32,
    /// The run that it is about, 1 = first.
    pub run: Option<u32>,
    /// Who took it: the name of a caller, function, queue or other place, or `Lambda`.
    pub actor: String,
    /// What was done.
    pub kind: StepKind,
    /// The rule that decided it, where there is one.
    pub rule: Option<&'static Rule>,
    /// The step in plain words.
    pub detail: String,
}

/// What a fact says, before it has a name and a moment.
pub(super) struct Told<'a> {
    pub(super) actor: &'a str,
    pub(super) kind: StepKind,
    pub(super) run: Option<u32>,
    pub(super) rule: Option<&'static Rule>,
    pub(super) detail: String,
}

/// What happened to an event before.
#[derive(Clone, Copy)]
struct Before {
    message: Progress,
    reading: Reading,
    tries: Tries,
    is_duplicated: bool,
}

pub(super) const LAMBDA: &str = "Lambda";

/// Tells the steps of all events.
#[derive(Clone, Debug)]
pub struct Narrator<'a> {
    settings: Settings<'a>,
    families: Families<'a, ()>,
    batches: Batches,
    buffers: Buffers,
    lines: Lines,
}

impl<'a> Narrator<'a> {
    /// Before the first fact.
    pub fn new(scenario: &'a Scenario) -> Self {
        Self::of(scenario, Batches::all())
    }

    /// Before the first fact; tells of one submission alone.
    pub(super) fn for_one(scenario: &'a Scenario, key: Key) -> Self {
        Self::of(scenario, Batches::with(key))
    }

    fn of(scenario: &'a Scenario, batches: Batches) -> Self {
        let settings = Settings(&scenario.system);
        Self {
            settings,
            families: Families::of(settings),
            batches,
            buffers: Buffers::default(),
            lines: Lines::default(),
        }
    }

    /// The steps that a fact is, each with the fact as it is about that event: a fact about a batch is a step of all
    /// its records.
    pub(crate) fn steps(&mut self, now: SimTime, fact: &Fact, mut take: impl FnMut(&Fact, Step)) {
        let Some(origin) = origin(fact) else { return };
        self.lines.note(now, fact);
        if self.batches.concern(origin)
            && let Some(step) = self.step(now, fact)
        {
            take(fact, step);
        }
        let Self { batches, families, .. } = self;
        let mut others = batches.others(fact, |origin| {
            families.event(key(origin), origin.branch).map_or(1, |event| event.message.runs + 1)
        });
        let of_buffer = self.buffers.others(self.settings, fact).into_iter();
        others.extend(of_buffer.filter(|fact| self::origin(fact).is_some_and(|origin| self.batches.concern(origin))));
        for fact in others {
            if let Some(step) = self.step(now, &fact) {
                take(&fact, step);
            }
        }
    }

    /// The step that a fact is for the event that it names; nothing for facts that are about no event.
    pub fn step(&mut self, now: SimTime, fact: &Fact) -> Option<Step> {
        let origin = origin(fact)?;
        let event = self.families.note(now, origin, fact);
        let &mut Event { number: part, dispatches, retries, is_duplicated, message, .. } = event;
        let (reading, tries) = (event.written.reading(fact), Tries { dispatches, retries });
        let before = Before { message, reading, tries, is_duplicated };
        let Told { actor, kind, run, rule, detail } = self.tell(now, origin, before, fact)?;
        let event = self.name(origin, part);
        let at = message::happened(fact).unwrap_or(now);
        Some(Step { at, event, part, run, actor: actor.to_owned(), kind, rule, detail })
    }

    /// Forgets what is over by `now`.
    pub(super) fn forget(&mut self, now: SimTime) {
        self.families.forget(now);
    }

    /// Whether something of the submission may still come.
    pub(super) fn is_open(&self, key: Key) -> bool {
        self.families.is_open(key)
    }

    /// `caller#17`, `caller#17/1`.
    fn name(&self, origin: &Origin, part: u32) -> String {
        let mut name = format!("{}#{}", self.settings.caller(origin.caller), origin.submission);
        if part > 0 {
            let _ = write!(name, "/{part}");
        }
        name
    }

    fn tell(&mut self, now: SimTime, origin: &Origin, before: Before, fact: &Fact) -> Option<Told<'a>> {
        let settings = self.settings;
        match fact {
            Fact::CallSubmitted { .. }
            | Fact::AttemptSent { .. }
            | Fact::AttemptAnswered { .. }
            | Fact::AttemptTimedOut { .. }
            | Fact::RetryScheduled { .. }
            | Fact::RetryQuotaExhausted { .. }
            | Fact::CircuitOpen { .. }
            | Fact::CallFinished { .. } => client::tell(settings, now, origin, fact),
            Fact::Throttled { .. } | Fact::RunStarted { .. } | Fact::RunEnded { .. } => {
                runs::tell(settings, now, before.is_duplicated, fact)
            }
            Fact::EventAccepted { .. }
            | Fact::EventDispatched { .. }
            | Fact::DispatchRefused { .. }
            | Fact::EventDuplicated { .. }
            | Fact::EventReturned { .. }
            | Fact::EventEnded { .. } => {
                let parent = self.parent(origin, fact);
                internal::tell(settings, now, before.tries, parent, fact)
            }
            Fact::Delivered { record, to } => Some(delivery::delivered(settings.target(*to), record)),
            Fact::DeliveryRetried { record, to, error, due } => {
                Some(delivery::retried(settings.target(*to), now, record, *error, *due))
            }
            Fact::DeliveryFailed { record, to, error } => Some(delivery::failed(settings.target(*to), record, *error)),
            Fact::Place(fact) => Some(place::tell(settings, now, fact)),
            Fact::Message(fact) => message::tell(settings, now, &before.message, fact),
            Fact::Mapping(_) | Fact::Stream(_) | Fact::Broker(_) | Fact::Reader(_) => {
                self.tell_of_sources(now, origin, &before, fact)
            }
            Fact::Front(fact) => Some(front::tell(settings, now, origin, fact)),
            Fact::Execution(fact) => Some(execution::tell(settings, now, fact)),
            Fact::Outgoing(fact) => Some(calls::tell_outgoing(settings, now, fact)),
            Fact::Dependency(fact) => calls::tell_dependency(settings, now, fact),
            Fact::EnvironmentCreated { .. }
            | Fact::EnvironmentEnded { .. }
            | Fact::EnvironmentReset { .. }
            | Fact::ProvisionedRequested { .. }
            | Fact::ProvisionedAllocated { .. }
            | Fact::ProvisionedInitialized { .. }
            | Fact::ProvisionedFailed { .. }
            | Fact::AccountAllocated { .. } => None,
        }
    }

    /// What mappings and their sources do, other than queues.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the other facts are told elsewhere")]
    fn tell_of_sources(&self, now: SimTime, origin: &Origin, before: &Before, fact: &Fact) -> Option<Told<'a>> {
        let settings = self.settings;
        match fact {
            Fact::Mapping(about) => match settings.source_of(about) {
                Source::Queue(_) => message::tell_mapping(settings, now, &before.message, about),
                Source::Stream(_) | Source::Broker(_) => {
                    let reading = &before.reading;
                    let line = match *about {
                        MappingFact::Batched { mapping, batch, .. } => {
                            self.lines.before(mapping, reading.shard, batch, reading.written)
                        }
                        _ => None,
                    };
                    batch::tell(settings, now, reading, line, about)
                }
            },
            Fact::Stream(about) => record::tell(settings, about),
            Fact::Broker(about) => Some(record::tell_broker(settings, about)),
            Fact::Reader(about) => {
                let place = match about {
                    ReaderFact::Split { mapping, .. } => self.batches.place(*mapping, origin),
                    _ => None,
                };
                reader::tell(settings, now, &before.reading, place, about)
            }
            _ => None,
        }
    }

    /// What an event comes from that no caller sent.
    fn parent(&mut self, origin: &Origin, fact: &Fact) -> Option<Parent> {
        let Fact::EventAccepted { parent: Some(branch), .. } = fact else { return None };
        let event = self.families.event(key(origin), *branch);
        let (part, place) = event.map_or((0, None), |event| (event.number, event.place));
        Some(match place {
            Some(place) => Parent::Place(self.settings.target(place).to_owned()),
            None => Parent::Record(self.name(origin, part)),
        })
    }
}

pub(super) fn by_lambda(kind: StepKind, rule: Option<&'static Rule>, detail: String) -> Told<'static> {
    Told { actor: LAMBDA, kind, run: None, rule, detail }
}

/// The caller of a name.
pub(super) fn caller_named(scenario: &Scenario, name: &str) -> Option<CallerId> {
    scenario.system.callers.iter().find(|(_, caller)| caller.name == name).map(|(id, _)| id)
}
