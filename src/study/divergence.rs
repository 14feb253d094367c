//! The first event that differs between two runs.
//!
//! Both runs go side by side, some events of the one and then some of the other, and what they say is compared fact by
//! fact. What is not compared yet is all that is kept. Only facts about events count: environments and settings have no
//! story. Of one instant the order does not count, and the number of an environment is no more than a label.
//!
//! Scenarios with the same resources are compared by their facts. Others are compared by the steps of their stories
//! without the details, because an id of the one means something else in the other: slower, and less fine.

use std::collections::{BTreeMap, VecDeque};

use crate::aws::config::System;
use crate::aws::fact::{Capacity, Fact, Observer};
use crate::aws::ids::{CallerId, Id as _};
use crate::kernel::time::SimTime;
use crate::run::{Progress, Running, Stopped, simulate_until};
use crate::scenario::Scenario;
use crate::story::single::Single;
use crate::story::step::{Narrator, Step, StepKind};
use crate::story::{self, Key};

/// Events that a run goes on by before the other one does.
const SLICE: u64 = 1 << 12;

/// Facts of one instant that are compared without their order.
const INSTANT: usize = 1 << 16;

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The event: `caller#17`, or `caller#17/1` for the first that came of it.
    pub event: String,
    /// What happens to it in the first run; nothing where nothing more does.
    pub was: Option<Step>,
    /// The same in the second run.
    pub is: Option<Step>,
}

impl Divergence {
    /// When the two runs part.
    pub fn at(&self) -> SimTime {
        let moments = self.was.iter().chain(&self.is).map(|step| step.at);
        moments.min().unwrap_or(SimTime::ZERO)
    }

    /// `shoppers#17 at 12.3 s: was throttled, is run started`.
    pub fn sentence(&self) -> String {
        let Self { event, was, is } = self;
        let at = story::moment(self.at());
        match (was, is) {
            (Some(was), Some(is)) if was.at != is.at => {
                format!("{event}: was {} at {}, is {} at {}", word(was), exact(was, is), word(is), exact(is, was))
            }
            (Some(was), Some(is)) if was.kind == is.kind => {
                format!("{event} at {at}: was {}, is {} otherwise", word(was), word(is))
            }
            (Some(was), Some(is)) => format!("{event} at {at}: was {}, is {}", word(was), word(is)),
            (Some(was), None) => format!("{event} at {at}: was {}, and nothing more happens to it", word(was)),
            (None, Some(is)) => format!("{event} at {at}: nothing more happened to it, is {}", word(is)),
            (None, None) => format!("{event} at {at}"),
        }
    }
}

/// `run started`.
fn word(step: &Step) -> String {
    step.kind.as_str().replace('_', " ")
}

/// The moment of a step, with as many digits as tell it from that of the other one.
fn exact(step: &Step, other: &Step) -> String {
    let moment = story::moment(step.at);
    if moment == story::moment(other.at) { format!("{} ms", story::milliseconds(step.at)) } else { moment }
}

/// Finds the first event that differs; nothing where none does.
///
/// # Errors
/// When one of the runs uses up its event budget, or `progress` stops it.
pub fn divergence(
    first: &Scenario,
    second: &Scenario,
    mut progress: impl FnMut(Progress) -> bool,
) -> Result<Option<Divergence>, Stopped> {
    let by_facts = has_same_names(&first.system, &second.system);
    let names = &first.system;
    let mut first = Side::new(first, by_facts, names);
    let mut second = Side::new(second, by_facts, names);
    let Some((event, was, is)) = part(&mut first, &mut second, &mut progress)? else { return Ok(None) };
    let was = was.map(|number| first.step(event, number, &mut progress)).transpose()?.flatten();
    let is = is.map(|number| second.step(event, number, &mut progress)).transpose()?.flatten();
    let name = was.as_ref().or(is.as_ref()).map_or_else(String::new, |step| step.event.clone());
    Ok(Some(Divergence { event: name, was, is }))
}

/// The event, and for each run the number of the first fact about it from the difference on.
type Parting = (Key, Option<u64>, Option<u64>);

fn part(
    first: &mut Side<'_>,
    second: &mut Side<'_>,
    progress: &mut impl FnMut(Progress) -> bool,
) -> Result<Option<Parting>, Stopped> {
    loop {
        let at = match (first.peek(progress)?, second.peek(progress)?) {
            (None, None) => return Ok(None),
            (Some(a), Some(b)) if a.is_same(b) => {
                first.skip();
                second.skip();
                continue;
            }
            (Some(a), Some(b)) => a.at.min(b.at),
            (Some(only), None) | (None, Some(only)) => only.at,
        };
        let (mut a, mut b) = (first.instant(at, progress)?, second.instant(at, progress)?);
        cancel(&mut a, &mut b);
        let earliest = a.iter().chain(&b).min_by_key(|said| said.number);
        let Some(event) = earliest.map(|said| said.event) else { continue };
        let of_event = |rest: &[Said]| rest.iter().find(|said| said.event == event).map(|said| said.number);
        let was = of_event(&a).map_or_else(|| first.next_of(event, progress), |number| Ok(Some(number)))?;
        let is = of_event(&b).map_or_else(|| second.next_of(event, progress), |number| Ok(Some(number)))?;
        return Ok(Some((event, was, is)));
    }
}

/// Takes out of both what both say.
fn cancel(a: &mut Vec<Said>, b: &mut Vec<Said>) {
    let mut known: BTreeMap<Key, Vec<Said>> = BTreeMap::new();
    for said in b.drain(..) {
        known.entry(said.event).or_default().push(said);
    }
    a.retain(|said| {
        let Some(others) = known.get_mut(&said.event) else { return true };
        let Some(place) = others.iter().position(|other| other.is_same(said)) else { return true };
        others.remove(place);
        false
    });
    b.extend(known.into_values().flatten());
    b.sort_by_key(|said| said.number);
}

/// What a fact says about an event.
#[derive(Clone, Debug)]
struct Said {
    /// When it was said.
    at: SimTime,
    /// The event, by the ids of the first scenario.
    event: Key,
    /// How many facts about events came before it in its run.
    number: u64,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Fact(SimTime, Fact),
    Step { at: SimTime, event: String, run: Option<u32>, actor: String, kind: StepKind },
}

impl Said {
    fn is_same(&self, other: &Self) -> bool {
        self.what == other.what
    }
}

/// Keeps what a run says until it is compared.
#[derive(Debug)]
struct Tape<'a> {
    /// Where steps are compared.
    narrator: Option<Narrator<'a>>,
    /// By caller the id that it has in the first scenario.
    callers: Vec<CallerId>,
    said: VecDeque<Said>,
    facts: u64,
}

impl Observer for Tape<'_> {
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        let Some(origin) = story::origin(fact) else { return };
        let number = self.facts;
        self.facts += 1;
        let Self { narrator, callers, said, .. } = self;
        let event = |fact: &Fact| story::origin(fact).map(story::key);
        let mut say = |(id, submission): Key, what| {
            said.push_back(Said { at: now, event: (callers[id.index()], submission), number, what });
        };
        let Some(narrator) = narrator else {
            say(story::key(origin), What::Fact(story::happened(fact).unwrap_or(now), plain(*fact)));
            return;
        };
        narrator.steps(now, fact, |fact, Step { at, event: name, run, actor, kind, .. }| {
            if let Some(event) = event(fact) {
                say(event, What::Step { at, event: name, run, actor, kind });
            }
        });
    }
}

/// The fact without labels that say nothing.
#[allow(clippy::wildcard_enum_match_arm, reason = "few facts name an environment")]
fn plain(mut fact: Fact) -> Fact {
    match &mut fact {
        // From which pool the concurrency is does not change what happens to the event.
        Fact::RunStarted { environment, capacity, .. } | Fact::RunEnded { environment, capacity, .. } => {
            (*environment, *capacity) = (0, Capacity::Unreserved);
        }
        _ => {}
    }
    fact
}

/// One of the two runs.
struct Side<'a> {
    scenario: &'a Scenario,
    /// Nothing after its end.
    running: Option<Running<Tape<'a>>>,
    /// By caller the id that it has in the first scenario.
    callers: Vec<CallerId>,
    said: VecDeque<Said>,
}

impl<'a> Side<'a> {
    fn new(scenario: &'a Scenario, by_facts: bool, first: &System) -> Self {
        let narrator = (!by_facts).then(|| Narrator::new(scenario));
        let callers = translation(first, &scenario.system);
        let tape = Tape { narrator, callers: callers.clone(), said: VecDeque::new(), facts: 0 };
        Self { scenario, running: Some(Running::new(scenario, tape)), callers, said: VecDeque::new() }
    }

    /// What it says next; nothing at its end.
    fn peek(&mut self, progress: &mut impl FnMut(Progress) -> bool) -> Result<Option<&Said>, Stopped> {
        while self.said.is_empty() {
            let Some(mut running) = self.running.take() else { break };
            if let Some(ended) = running.advance(SLICE)? {
                self.said = running.finish(ended).observer.said;
                break;
            }
            std::mem::swap(&mut self.said, &mut running.observer().said);
            let now = running.progress();
            self.running = Some(running);
            if !progress(now) {
                return Err(Stopped::Interrupted);
            }
        }
        Ok(self.said.front())
    }

    fn skip(&mut self) {
        self.said.pop_front();
    }

    /// Takes what it says up to and at a moment, and no more than is compared at once.
    fn instant(&mut self, at: SimTime, progress: &mut impl FnMut(Progress) -> bool) -> Result<Vec<Said>, Stopped> {
        let mut taken = Vec::new();
        while taken.len() < INSTANT
            && let Some(said) = self.peek(progress)?
            && said.at <= at
        {
            taken.push(said.clone());
            self.skip();
        }
        Ok(taken)
    }

    /// The number of the next fact about an event; nothing where none comes.
    fn next_of(&mut self, event: Key, progress: &mut impl FnMut(Progress) -> bool) -> Result<Option<u64>, Stopped> {
        while let Some(said) = self.peek(progress)? {
            if said.event == event {
                return Ok(Some(said.number));
            }
            self.skip();
        }
        Ok(None)
    }

    /// The step that a fact is for an event, or the next one.
    fn step(
        &self,
        event: Key,
        number: u64,
        progress: &mut impl FnMut(Progress) -> bool,
    ) -> Result<Option<Step>, Stopped> {
        let Some(caller) = self.callers.iter().position(|known| *known == event.0) else { return Ok(None) };
        let single = Single::new(self.scenario, (CallerId::from_index(caller), event.1), number);
        let (single, _) = simulate_until(self.scenario, single, Single::is_found, progress)?;
        Ok(single.step())
    }
}

/// Whether an id means the same in both.
fn has_same_names(a: &System, b: &System) -> bool {
    fn names(system: &System) -> [Vec<&str>; 13] {
        macro_rules! named {
            ($table:ident) => {
                system.$table.rows().iter().map(|row| row.name.as_str()).collect()
            };
        }
        [
            named!(functions),
            named!(callers),
            named!(queues),
            named!(streams),
            named!(brokers),
            named!(event_source_mappings),
            named!(topics),
            named!(event_buses),
            named!(buckets),
            named!(dependencies),
            named!(state_machines),
            system.errors.rows().iter().map(String::as_str).collect(),
            system.state_names.rows().iter().map(String::as_str).collect(),
        ]
    }
    names(a) == names(b)
}

/// For each caller of `b` the id that it has in `a`; one that `a` does not have has an id after those of `a`.
fn translation(a: &System, b: &System) -> Vec<CallerId> {
    let known = |name: &str| a.callers.iter().find(|(_, caller)| caller.name == name).map(|(id, _)| id);
    let rows = b.callers.rows().iter().enumerate();
    rows.map(|(place, caller)| {
        known(&caller.name).unwrap_or_else(|| CallerId::from_index(a.callers.len().saturating_add(place)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario;

    const SHOP: &str = "
name: shop
duration: 2m
functions:
  checkout: { duration: { exponential: { mean: 400ms } }, reserved_concurrency: 9 }
callers:
  buyers: { target: checkout, arrivals: { poisson: 20/s }, client: { retry: { max_attempts: 2, base: 100ms, jitter: none } } }
";

    fn load(text: &str, overrides: &[&str]) -> Scenario {
        let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
        scenario::parse("shop.yaml", text.as_bytes(), Path::new("."), &overrides).unwrap().scenario
    }

    fn found(a: &Scenario, b: &Scenario) -> Option<Divergence> {
        divergence(a, b, |_| true).unwrap()
    }

    fn sentence(overrides: &[&str]) -> Option<String> {
        found(&load(SHOP, &[]), &load(SHOP, overrides)).map(|found| found.sentence())
    }

    #[test]
    fn equal_runs_do_not_part() {
        assert_eq!(sentence(&[]), None);
        // A limit that nobody reaches, and another price.
        assert_eq!(sentence(&["account.concurrency_limit=900"]), None);
        assert_eq!(sentence(&["prices.free_tier=on"]), None);
    }

    #[test]
    fn the_first_event_that_differs_is_named() {
        insta::assert_snapshot!(
            [
                "callers.buyers.client.retry={ max_attempts: 2, base: 200ms, jitter: none }",
                "callers.buyers.client.retry=none",
                "functions.checkout.reserved_concurrency=10",
                "functions.checkout.duration=300ms",
                "callers.buyers.arrivals={ poisson: 21/s }",
                "callers.buyers.max_events=3",
                "seed=2",
            ]
            .map(|setting| format!("{setting}\n  {}\n", sentence(&[setting]).unwrap()))
            .concat()
        );
    }

    #[test]
    fn other_resources_are_compared_by_name() {
        let more = SHOP.replace("functions:\n", "functions:\n  audit: { duration: 10ms }\n")
            + "  auditors: { target: audit, arrivals: { at: [50s] } }\n";
        let (shop, more) = (load(SHOP, &[]), load(&more, &[]));
        let one = found(&shop, &more).unwrap();
        assert_eq!(one.sentence(), "auditors#1 at 50 s: nothing more happened to it, is submitted");
        let other = found(&more, &shop).unwrap();
        assert_eq!(other.sentence(), "auditors#1 at 50 s: was submitted, and nothing more happens to it");
        // A function that nobody calls.
        let unused = SHOP.replace("functions:\n", "functions:\n  audit: { duration: 10ms }\n");
        assert_eq!(found(&shop, &load(&unused, &[])), None);
    }

    #[test]
    fn the_order_within_an_instant_does_not_count() {
        let two = "
name: two
duration: 1s
functions:
  f: { duration: 10ms }
callers:
  a: { target: f, arrivals: { at: [0s, 500ms] } }
  b: { target: f, arrivals: { at: [0s, 500ms] } }
";
        let (a, b) = (
            "  a: { target: f, arrivals: { at: [0s, 500ms] } }\n",
            "  b: { target: f, arrivals: { at: [0s, 500ms] } }\n",
        );
        let swapped = two.replace(&format!("{a}{b}"), &format!("{b}{a}"));
        assert_ne!(two, swapped);
        assert_eq!(found(&load(two, &[]), &load(&swapped, &[])), None);
    }

    #[test]
    fn it_stops_when_told() {
        let shop = load(SHOP, &[]);
        assert_eq!(divergence(&shop, &shop, |_| false), Err(Stopped::Interrupted));
    }
}
