//! The story of one submission and everything that came of it.

use std::collections::BTreeMap;

use super::client::{a, outcome_words, through, written_word};
use super::families::{Key, key, origin};
use super::fates::Records;
use super::front::Fronts;
use super::outline::Messages;
use super::place::Deliveries;
use super::rules::Rule;
use super::step::{Narrator, Step};
use super::words::{Settings, length, listed, moment, plural};
use crate::aws::config::{ErrorName, Invocation, Service, Target};
use crate::aws::fact::{Condition, DeliveryKind, ExecutionFact, ExecutionStatus, Fact, Observer, Outcome, ReaderFact};
use crate::aws::ids::{FunctionId, StateMachineId};
use crate::kernel::time::SimTime;
use crate::scenario::Scenario;

/// Steps that are kept at most; a chain that is never stopped has no end.
const STEPS: usize = 10_000;

/// Events that came of the submission and are told in the first sentences, at most.
const TOLD: usize = 3;

/// What a question for a story comes to.
#[derive(Clone, Debug)]
pub enum Explained {
    /// The story.
    Story(Box<Story>),
    /// There is none; the sentence says so.
    Nothing(String),
    /// The caller did not submit that often.
    NeverCame {
        /// The event that was asked for.
        event: String,
        /// How often it submitted.
        submissions: u64,
    },
}

/// The story of one submission.
#[derive(Clone, Debug)]
pub struct Story {
    /// `caller#17`.
    pub event: String,
    /// What it was and how it ended, in sentences; the first is what matters most.
    pub headline: Vec<String>,
    /// Whether it ended as it should; nothing while it is under way.
    pub good: Option<bool>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// How many further steps are left out.
    pub more: u64,
    /// Whether events came of it.
    pub has_parts: bool,
    /// Whether nobody asked for this event in particular.
    pub by_default: bool,
}

impl Story {
    /// The rules that its steps cite, each once, in order.
    pub fn rules(&self) -> Vec<&'static Rule> {
        let mut rules: Vec<&'static Rule> = Vec::new();
        for rule in self.steps.iter().filter_map(|step| step.rule) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        rules
    }
}

/// Collects the story of one submission.
#[derive(Clone, Debug)]
pub struct Collector<'a> {
    settings: Settings<'a>,
    narrator: Narrator<'a>,
    key: Key,
    steps: Vec<Step>,
    more: u64,
    outline: Outline,
    /// Submissions of its caller.
    submissions: u64,
    over: bool,
}

/// What the first sentences need.
#[derive(Clone, Debug, Default)]
struct Outline {
    submitted: Option<SimTime>,
    call: Option<(SimTime, Outcome, u32, u32)>,
    /// The end of the last run.
    last_run: Option<SimTime>,
    /// Events in internal queues, by branch.
    events: BTreeMap<u32, Event>,
    /// Executions of state machines, in order of their start.
    executions: Vec<Execution>,
    /// Runs that began.
    runs: u32,
    /// Messages in queues.
    messages: Messages,
    /// Records in streams, and messages at brokers.
    records: Records,
    /// Services before a function.
    fronts: Fronts,
    /// Deliveries of topics, event buses and buckets.
    deliveries: Deliveries,
}

#[derive(Clone, Debug)]
struct Event {
    name: String,
    function: FunctionId,
    end: Option<(SimTime, Condition, u32)>,
    dead_letter: Option<String>,
    record: Option<String>,
    lost: Vec<String>,
}

#[derive(Clone, Debug)]
struct Execution {
    name: String,
    branch: u32,
    machine: StateMachineId,
    end: Option<(SimTime, ExecutionStatus, Option<ErrorName>)>,
}

impl<'a> Collector<'a> {
    /// For a submission.
    pub fn new(scenario: &'a Scenario, key: Key) -> Self {
        Self {
            settings: Settings(&scenario.system),
            narrator: Narrator::for_one(scenario, key),
            key,
            steps: Vec::new(),
            more: 0,
            outline: Outline::default(),
            submissions: 0,
            over: false,
        }
    }

    /// Whether nothing more can come.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The story of a run that came to `ended`.
    pub fn finish(self, ended: SimTime) -> Explained {
        let (caller, submission) = self.key;
        let event = format!("{}#{submission}", self.settings.caller(caller));
        if self.outline.submitted.is_none() {
            return Explained::NeverCame { event, submissions: self.submissions };
        }
        let (headline, good) = self.headline(&event, ended);
        let has_parts = self.steps.iter().any(|step| step.part > 0);
        let Self { steps, more, .. } = self;
        Explained::Story(Box::new(Story { event, headline, good, steps, more, has_parts, by_default: false }))
    }

    /// What it was and how it ended, and whether that is good.
    fn headline(&self, event: &str, ended: SimTime) -> (Vec<String>, Option<bool>) {
        let caller = &self.settings.0.callers[self.key.0];
        let service = caller.via.service;
        let thing = match (self.written(), caller.invocation) {
            (Some(written), _) => format!("{} for", a(written)),
            (None, _) if service == Service::Firehose => "a record for".to_owned(),
            (None, _) if matches!(caller.target, Target::StateMachine(_)) => "an execution of".to_owned(),
            (None, Invocation::Sync) => "a call of".to_owned(),
            (None, Invocation::Async) => "an event for".to_owned(),
        };
        let begin = format!("{event} was {thing} {}{}", self.settings.target(caller.target), through(service));
        let Outline { call, events, messages, records, .. } = &self.outline;
        let submitted = self.outline.submitted.unwrap_or(SimTime::ZERO);
        let ended = moment(ended);
        if self.is_passed_on() {
            return self.passed_on(&begin, submitted, &ended);
        }
        if let Some((words, good)) = records.own(self.settings, submitted, &ended) {
            let mut sentences = vec![format!("{begin}. {words}")];
            sentences.extend(messages.sent_on(self.settings, submitted, &ended));
            sentences.extend(records.sent_on(self.settings, submitted, &ended));
            return (sentences, good);
        }
        if self.written().is_some()
            && let Some((words, good)) = messages.own(self.settings, submitted, &ended)
        {
            return (vec![format!("{begin}. {words}")], good);
        }
        let (mut sentences, good) = match (events.get(&0), call) {
            _ if self.outline.executions.first().is_some_and(|execution| execution.branch == 0) => {
                self.own_executions(&begin, &ended)
            }
            (Some(own), _) => {
                let good = own.end.map(|(_, condition, _)| condition == Condition::Success);
                let waited = call.filter(|(_, outcome, ..)| *outcome != Outcome::Accepted);
                let good = waited.map(|(_, outcome, ..)| outcome == Outcome::Success).or(good);
                let end =
                    self.event_end(own).unwrap_or_else(|| format!("had no end when the simulation ended at {ended}"));
                let mut sentences = vec![format!("{begin}. It {end}.")];
                sentences.extend(deliveries(own, "it"));
                (sentences, good)
            }
            (None, Some((_, outcome, ..))) => (self.call_end(&begin), Some(*outcome == Outcome::Success)),
            (None, None) => (vec![format!("{begin}. It had no answer when the simulation ended at {ended}.")], None),
        };
        sentences.extend(self.outline.fronts.end(self.settings, submitted, service));
        sentences.extend(self.children());
        if self.outline.executions.first().is_some_and(|execution| execution.branch > 0) {
            sentences.extend(self.other_executions(&ended));
        }
        sentences.extend(messages.sent_on(self.settings, submitted, &ended));
        sentences.extend(records.sent_on(self.settings, submitted, &ended));
        (sentences, good)
    }

    /// Whether the submission reached a topic, an event bus or a bucket.
    fn is_passed_on(&self) -> bool {
        let target = self.settings.0.callers[self.key.0].target;
        matches!(target, Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_)) && self.outline.deliveries.any()
    }

    /// What came of something that was passed on.
    fn passed_on(&self, begin: &str, submitted: SimTime, ended: &str) -> (Vec<String>, Option<bool>) {
        let Outline { events, messages, records, deliveries, .. } = &self.outline;
        let mut sentences = vec![format!("{begin}.")];
        sentences.extend(deliveries.told(self.settings, submitted, ended));
        sentences.extend(self.children());
        sentences.extend(messages.sent_on(self.settings, submitted, ended));
        sentences.extend(records.sent_on(self.settings, submitted, ended));
        let of_events = events.values().map(|event| event.end.map(|(_, condition, _)| condition == Condition::Success));
        let of_messages = messages.good(self.settings, submitted, ended);
        let parts = of_events.chain(of_messages).chain(records.good(self.settings, submitted, ended));
        let mut good = deliveries.good();
        for part in parts {
            good = match (good, part) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
                (Some(true), Some(true)) => Some(true),
            };
        }
        if let [first, second, ..] = &sentences[..] {
            let joined = format!("{first} {second}");
            sentences.splice(..2, [joined]);
        }
        (sentences, good)
    }

    /// What the caller writes, if it does not call a function.
    fn written(&self) -> Option<&'static str> {
        written_word(self.settings.0.callers[self.key.0].target)
    }

    /// `186 s after it was submitted`.
    fn after(&self, at: SimTime) -> String {
        let submitted = self.outline.submitted.unwrap_or(SimTime::ZERO);
        format!("{} after it was submitted", length(at.since(submitted)))
    }

    /// How an event in an internal queue ended.
    fn event_end(&self, event: &Event) -> Option<String> {
        let (at, condition, runs) = event.end?;
        Some(format!("ended with {} {}, {}", condition.as_str(), self.after(at), after_runs(runs)))
    }

    /// How a call ended that became no event.
    fn call_end(&self, begin: &str) -> Vec<String> {
        let Some((at, outcome, attempts, runs)) = self.outline.call else { return Vec::new() };
        let caller = &self.settings.0.callers[self.key.0];
        let runs = match caller.invocation {
            _ if self.written().is_some() => {
                format!(", and {} never accepted it", self.settings.target(caller.target))
            }
            Invocation::Sync => format!(" and {}", plural(runs, "run")),
            Invocation::Async => ", and Lambda never accepted it".to_owned(),
        };
        let fronts = &self.outline.fronts;
        let words =
            fronts.door(self.settings, self.key.0, outcome).unwrap_or_else(|| outcome_words(outcome).to_owned());
        let attempts = plural(attempts, "attempt");
        let mut sentences = vec![format!("{begin}. It ended {}: {words}, after {attempts}{runs}.", self.after(at))];
        if let Some(last) = self.outline.last_run.filter(|last| *last > at) {
            let late = length(last.since(at));
            sentences.push(if fronts.door_timed_out() {
                format!("Its last run went on for {late}.")
            } else {
                format!("Its last run went on for {late} after its client had left.")
            });
        }
        sentences
    }

    /// How the executions ended that the caller started, one with each attempt, and whether that is good.
    fn own_executions(&self, begin: &str, ended: &str) -> (Vec<String>, Option<bool>) {
        let Outline { executions, call, runs, .. } = &self.outline;
        let mut sentences = Vec::new();
        for (place, execution) in executions.iter().enumerate() {
            let end = self.execution_end(execution, ended);
            match place {
                0 if executions.len() == 1 => {
                    sentences.push(format!("{begin}. It {end}, {}.", after_runs(*runs)));
                }
                0 => sentences.push(format!("{begin}. Its first execution {end}.")),
                _ => {
                    let machine = self.settings.state_machine(execution.machine);
                    sentences.push(format!("{}, another execution of {machine}, {end}.", execution.name));
                }
            }
        }
        let gave_up = call.filter(|(_, outcome, ..)| *outcome == Outcome::Timeout);
        if let Some((at, ..)) = gave_up {
            sentences.push(format!("Its client gave up {}.", self.after(at)));
        }
        let last = executions.last().and_then(|execution| execution.end);
        let good = last.map(|(_, status, _)| status == ExecutionStatus::Succeeded && gave_up.is_none());
        (sentences, good)
    }

    /// How an execution ended.
    fn execution_end(&self, execution: &Execution, ended: &str) -> String {
        let Some((at, status, error)) = execution.end else {
            return format!("had no end when the simulation ended at {ended}");
        };
        let error = error.filter(|_| status == ExecutionStatus::Failed);
        let error = error.map(|error| format!(" ({})", error.shown(&self.settings.0.errors)));
        format!("ended with {}{} {}", status.as_str(), error.unwrap_or_default(), self.after(at))
    }

    /// The executions that something else than the caller started.
    fn other_executions(&self, ended: &str) -> Vec<String> {
        let others = self.outline.executions.iter().take(TOLD).map(|execution| {
            let machine = self.settings.state_machine(execution.machine);
            format!(
                "Of it came {}, an execution of {machine}, which {}.",
                execution.name,
                self.execution_end(execution, ended)
            )
        });
        others.collect()
    }

    /// What came of the submission.
    fn children(&self) -> Vec<String> {
        let mut children: Vec<&Event> =
            self.outline.events.iter().filter(|(branch, _)| **branch > 0).map(|(_, event)| event).collect();
        children.sort_by_key(|event| event.name.rsplit('/').next().and_then(|number| number.parse::<u32>().ok()));
        if children.len() > TOLD {
            let failed = |event: &&&Event| event.end.is_some_and(|(_, end, _)| end != Condition::Success);
            let failed = children.iter().filter(failed).count();
            return vec![format!("{} events came of it; {failed} of them ended without success.", children.len())];
        }
        let mut sentences = Vec::new();
        for child in children {
            let function = self.settings.function(child.function);
            let end = self.event_end(child).unwrap_or_else(|| "had not ended then".to_owned());
            sentences.push(format!("Of it came {} for {function}, which {end}.", child.name));
            sentences.extend(deliveries(child, &child.name));
        }
        sentences
    }

    /// Puts a step into its place: what time alone does is noticed late.
    fn keep(&mut self, step: Step) {
        if self.steps.len() < STEPS {
            let place = self.steps.iter().rposition(|other| other.at <= step.at).map_or(0, |place| place + 1);
            self.steps.insert(place, step);
        } else {
            self.more += 1;
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "a few facts are enough for an outline")]
    fn note(&mut self, now: SimTime, fact: &Fact, name: &str) {
        let outline = &mut self.outline;
        outline.messages.note(now, fact);
        outline.records.note(self.settings, now, fact);
        outline.fronts.note(now, fact);
        if let Fact::Place(fact) = fact {
            outline.deliveries.note(now, fact);
        }
        match *fact {
            Fact::CallSubmitted { .. } => outline.submitted = Some(now),
            Fact::CallFinished { outcome, attempts, runs, .. } => {
                outline.call = Some((now, outcome, attempts, runs));
            }
            Fact::RunStarted { .. } => outline.runs += 1,
            Fact::RunEnded { .. } => outline.last_run = Some(now),
            Fact::Execution(ExecutionFact::Started { machine, origin, .. }) => {
                outline.executions.push(Execution { name: name.to_owned(), branch: origin.branch, machine, end: None });
            }
            Fact::Execution(ExecutionFact::Ended { origin, status, error, .. }) => {
                let mut executions = outline.executions.iter_mut();
                if let Some(execution) = executions.find(|execution| execution.branch == origin.branch) {
                    execution.end = Some((now, status, error));
                }
            }
            Fact::EventAccepted { origin, function, .. } => {
                let name = name.to_owned();
                let event = Event { name, function, end: None, dead_letter: None, record: None, lost: Vec::new() };
                outline.events.insert(origin.branch, event);
            }
            Fact::EventEnded { origin, condition, runs, .. } => {
                if let Some(event) = outline.events.get_mut(&origin.branch) {
                    event.end = Some((now, condition, runs));
                }
            }
            Fact::Delivered { record, to } => {
                if let Some(event) = outline.events.get_mut(&record.origin.branch) {
                    let to = self.settings.target(to).to_owned();
                    match record.kind {
                        DeliveryKind::DeadLetterQueue => event.dead_letter = Some(to),
                        DeliveryKind::OnFailure | DeliveryKind::OnSuccess => event.record = Some(to),
                    }
                }
            }
            Fact::DeliveryFailed { record, to, .. } => {
                if let Some(event) = outline.events.get_mut(&record.origin.branch) {
                    event.lost.push(self.settings.target(to).to_owned());
                }
            }
            _ => {}
        }
    }
}

fn after_runs(runs: u32) -> String {
    if runs == 0 { "without a run".to_owned() } else { format!("after {}", plural(runs, "run")) }
}

/// Who received what of an event.
fn deliveries(event: &Event, it: &str) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(queue) = &event.dead_letter {
        parts.push(format!("{queue} received {it} as dead letter"));
    }
    if let Some(target) = &event.record {
        let record = if it == "it" { "its record".to_owned() } else { format!("the record of {it}") };
        parts.push(format!("{target} received {record}"));
    }
    if !event.lost.is_empty() {
        parts.push(format!("nothing reached {}", listed(&event.lost)));
    }
    (!parts.is_empty()).then(|| format!("Then {}.", listed(&parts)))
}

impl Observer for Collector<'_> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if self.over {
            return;
        }
        if matches!(fact, Fact::Reader(ReaderFact::Started { .. })) {
            self.outline.records.note(self.settings, now, fact);
        }
        let Some(origin) = origin(fact) else { return };
        if let Fact::CallSubmitted { origin } = fact {
            self.submissions += u64::from(origin.caller == self.key.0);
        }
        if key(origin) != self.key && self.outline.submitted.is_some() {
            self.narrator.forget(now);
            self.over = !self.narrator.is_open(self.key);
        }
        let mut told = Vec::new();
        self.narrator.steps(now, fact, |fact, step| told.push((*fact, step)));
        for (fact, step) in told {
            self.note(now, &fact, &step.event);
            self.keep(step);
        }
    }
}
