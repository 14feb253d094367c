//! Random calls of runs and dependencies behind them: every call has one end, before that of its run; every request is
//! served, refused, given up or still there; no limit is passed, no place stays empty while somebody waits for it.

mod generate;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lambdasim::aws::config::{AbandonedCalls, CallTarget, ChangeAction, Dependency, Discipline, Service, Target};
use lambdasim::aws::fact::{DependencyFact, Fact, Origin, Outcome, OutgoingFact, Rejection, RunOutcome};
use lambdasim::aws::ids::{DependencyId, FunctionId, Id};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::scenario::{Drain, Scenario};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::common::{Facts, number, same, summary, try_scenario};
use generate::yaml;

/// What happens in some of the random scenarios: a generator that no longer reaches it is found out.
const WORDS: [&str; 18] = [
    "abandoned in service",
    "abandoned in the line",
    "abandoned in silence",
    "call cut by its run",
    "changed while calls were under way",
    "circuit open",
    "connection limit",
    "fails the run",
    "goes on for nobody",
    "left in the line",
    "nested call",
    "queue full",
    "quota exhausted",
    "rate limit",
    "retried",
    "served late",
    "time-out of a client",
    "time-out of a run",
];

#[test]
fn every_call_has_one_end() {
    let cases = Config::default().cases.max(200);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        max_global_rejects: u32::MAX,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let seen = RefCell::new(BTreeSet::new());
    let result = runner.run(&yaml(), |text| {
        let scenario = match try_scenario(Path::new("."), &text, &[]) {
            // What AWS refuses is somebody else's business.
            Err(problems) if problems.contains("INV-") || problems.contains(" larger than ") => {
                return Err(TestCaseError::reject("refused"));
            }
            read => read.unwrap_or_else(|problems| panic!("{problems}")),
        };
        let first = summary(&scenario);
        assert_eq!(first.to_string(), summary(&scenario).to_string(), "two runs differ");
        let facts = Facts::of_scenario(&scenario);
        let mut checker = Checker::new(&scenario);
        for (index, (now, fact)) in facts.list.iter().enumerate() {
            checker.fact(*now, fact, facts.list.get(index + 1).map(|(_, fact)| fact));
        }
        checker.ended(&facts, &first);
        seen.borrow_mut().append(&mut checker.words);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let missing: Vec<_> = WORDS.iter().filter(|word| !seen.borrow().contains(**word)).collect();
    assert!(missing.is_empty(), "no scenario came to {missing:?}");
}

/// An event of a caller, or a call: which submission, and which branch of it.
type Key = (usize, u64, u32);

fn key(origin: &Origin) -> Key {
    (origin.caller.index(), origin.submission, origin.branch)
}

/// A run: function, event, which run of it. Two copies of an event may have runs of one name at a time.
type RunKey = (usize, Key, u32);

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct Made {
    run: RunKey,
    to: CallTarget,
    submitted: SimTime,
    attempts: u32,
    /// An attempt is out.
    open: bool,
    due: Option<SimTime>,
}

/// What is known of runs of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Runs {
    under_way: u32,
    calls: u32,
    failed: bool,
    twins: bool,
    /// Calls so far.
    made: u32,
}

/// The most that runs of a function may do.
#[derive(Clone, Copy, Debug, Default)]
struct Allowed {
    /// Calls of one run at once, and in all.
    at_once: u32,
    in_all: u32,
    /// Attempts of one call.
    attempts: u32,
}

/// The longest that a call may take; none: any time.
type Longest = Option<SimDuration>;

/// A request at a dependency.
#[derive(Clone, Copy, Debug)]
struct Asked {
    call: Key,
    attempt: u32,
    arrived: SimTime,
    stage: Stage,
    /// Whether its client waits for it.
    awaited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    InService,
    Silent,
}

#[derive(Default)]
struct Line {
    requests: Vec<Asked>,
    /// Moments at which the rate limit let a request through.
    passed: Vec<SimTime>,
    connections: u32,
    /// Two requests of one name were there, sent by runs of two copies of an event: no fact tells them apart from then on.
    twins: bool,
    calls: u64,
    served: u64,
    rejected: u64,
    timed_out: u64,
    abandoned: u64,
}

impl Line {
    fn count(&self, stage: Stage) -> u32 {
        u32::try_from(self.requests.iter().filter(|request| request.stage == stage).count()).unwrap()
    }

    fn count_fate(&mut self, fact: &DependencyFact) {
        match *fact {
            DependencyFact::Arrived { call, attempt, .. } => {
                self.calls += 1;
                self.twins |= self.requests.iter().any(|it| it.call == key(&call) && it.attempt == attempt);
            }
            DependencyFact::Rejected { .. } => (self.calls, self.rejected) = (self.calls + 1, self.rejected + 1),
            DependencyFact::Served { answered, .. } => self.served += u64::from(answered),
            DependencyFact::Abandoned { timed_out: true, .. } => self.timed_out += 1,
            DependencyFact::Abandoned { .. } => self.abandoned += 1,
            DependencyFact::ServiceStarted { .. } | DependencyFact::Connections { .. } => {}
        }
    }

    /// The oldest request of this name in this stage.
    fn find(&self, call: &Origin, attempt: u32, is: impl Fn(&Asked) -> bool) -> usize {
        let known = |request: &Asked| request.call == key(call) && request.attempt == attempt && is(request);
        self.requests.iter().position(known).unwrap_or_else(|| panic!("no request {attempt} of {call:?}"))
    }
}

struct Checker<'a> {
    scenario: &'a Scenario,
    now: SimTime,
    calls: BTreeMap<(usize, Key), Vec<Made>>,
    /// Calls of which two were under way at a time: a fact does not say which of them it is about.
    twins: BTreeSet<(usize, Key)>,
    runs: BTreeMap<RunKey, Runs>,
    in_flight: BTreeMap<usize, u32>,
    lines: Vec<Line>,
    /// Attempts of calls that went to each dependency, unless that is not certain.
    sent: Vec<u64>,
    uncertain: bool,
    environments: u32,
    words: BTreeSet<&'static str>,
}

impl<'a> Checker<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let dependencies = scenario.system.dependencies.len();
        Self {
            scenario,
            now: SimTime::ZERO,
            calls: BTreeMap::new(),
            twins: BTreeSet::new(),
            runs: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            lines: (0..dependencies).map(|_| Line::default()).collect(),
            sent: vec![0; dependencies],
            uncertain: false,
            environments: 0,
            words: BTreeSet::new(),
        }
    }

    fn note(&mut self, happened: bool, word: &'static str) {
        if happened {
            self.words.insert(word);
        }
    }

    /// Changes that have been made, the last one first: one applies before anything else of its instant.
    fn changed(&self) -> impl Iterator<Item = &'a ChangeAction> {
        let mut changes: Vec<_> = self.scenario.system.changes.iter().filter(|change| change.at <= self.now).collect();
        changes.sort_by_key(|change| change.at);
        changes.into_iter().rev().map(|change| &change.action)
    }

    fn settings(&self, id: DependencyId) -> &'a Dependency {
        let mut changed = self.changed().filter_map(ChangeAction::dependency);
        changed.find(|(of, _)| *of == id).map_or(&self.scenario.system.dependencies[id], |it| it.1)
    }

    fn reserved(&self, id: FunctionId) -> Option<u32> {
        let mut changed = self.changed().filter_map(ChangeAction::function);
        let last = changed.find(|(of, _)| *of == id);
        last.map_or(&self.scenario.system.functions[id], |it| it.1).reserved_concurrency
    }

    fn fact(&mut self, now: SimTime, fact: &Fact, next: Option<&Fact>) {
        assert!(now >= self.now, "time ran back from {:?} to {now:?}", self.now);
        if now > self.now {
            self.nobody_waits_in_vain();
        }
        self.now = now;
        match fact {
            Fact::RunStarted { origin, function, run, .. } => {
                let runs = self.runs.entry((function.index(), key(origin), *run)).or_default();
                runs.under_way += 1;
                runs.twins |= runs.under_way > 1;
                let in_flight = self.in_flight.entry(function.index()).or_default();
                *in_flight += 1;
                let (in_flight, at_edge) = (*in_flight, self.at_edge(*function));
                let reserved = self.reserved(*function).filter(|_| !at_edge);
                assert!(reserved.is_none_or(|reserved| in_flight <= reserved), "{fact:?} beyond {reserved:?}");
            }
            Fact::RunEnded { origin, function, run, outcome, .. } => {
                *self.in_flight.get_mut(&function.index()).unwrap() -= 1;
                let name = (function.index(), key(origin), *run);
                let runs = self.runs.get_mut(&name).expect("it has begun");
                runs.under_way -= 1;
                let Runs { under_way, calls, failed, twins, .. } = *runs;
                assert!(twins || calls == 0, "{fact:?} with {calls} calls under way");
                assert!(twins || !failed || *outcome == RunOutcome::Error, "{fact:?}");
                if under_way == 0 {
                    *runs = Runs { calls, twins: calls > 0, ..Runs::default() };
                }
                self.note(calls == 0 && *outcome == RunOutcome::Timeout, "time-out of a run");
            }
            Fact::EnvironmentCreated { .. } => self.environments += 1,
            Fact::EnvironmentEnded { .. } => self.environments -= 1,
            Fact::Outgoing(fact) => self.outgoing(fact),
            Fact::Dependency(fact) => self.dependency(fact, next),
            _ => {}
        }
    }

    /// Whether a function has replicas, which have no reserved concurrency.
    fn at_edge(&self, function: FunctionId) -> bool {
        let callers = self.scenario.system.callers.rows();
        callers
            .iter()
            .any(|caller| caller.via.service == Service::Cloudfront && caller.target == Target::Function(function))
    }

    /// What its calls at any time allow the runs of a function.
    fn allowed(&self, id: FunctionId) -> Allowed {
        let system = &self.scenario.system;
        let changed = system.changes.iter().filter_map(|change| change.action.function());
        let lists = changed.filter(|(of, _)| *of == id).map(|it| it.1).chain([&system.functions[id]]);
        let mut allowed = Allowed::default();
        for steps in lists.map(|function| &function.calls) {
            let at_once = steps.iter().map(|step| step.calls.iter().map(|call| call.times.min(call.parallel)).sum());
            allowed.at_once = allowed.at_once.max(at_once.max().unwrap_or(0));
            let calls = || steps.iter().flat_map(|step| &step.calls);
            allowed.in_all = allowed.in_all.max(calls().map(|call| call.times).sum());
            allowed.attempts = allowed.attempts.max(calls().map(|call| call.client.max_attempts).max().unwrap_or(0));
        }
        allowed
    }

    /// The longest total time-out of the calls of a function that go there.
    fn longest(&self, id: usize, to: CallTarget) -> Longest {
        let system = &self.scenario.system;
        let id = FunctionId::from_index(id);
        let changed = system.changes.iter().filter_map(|change| change.action.function());
        let lists = changed.filter(|(of, _)| *of == id).map(|it| it.1).chain([&system.functions[id]]);
        let calls = lists.flat_map(|function| function.calls.iter()).flat_map(|step| &step.calls);
        let longest: Option<Vec<_>> =
            calls.filter(|call| call.to == to).map(|call| call.client.total_timeout).collect();
        longest?.into_iter().max()
    }

    /// While somebody waits, every server of a dependency is busy; and connections are those of environments.
    fn nobody_waits_in_vain(&self) {
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.twins) {
            let config = self.settings(DependencyId::from_index(index));
            let (open, held, servers) = (line.connections, config.connections_per_environment, config.concurrency);
            let fit = open.is_multiple_of(held) && open <= held * self.environments;
            assert!(held == 0 || fit, "{open} connections at {:?}", self.now);
            let free = servers.is_none_or(|servers| line.count(Stage::InService) < servers);
            assert!(
                !free || line.count(Stage::Waiting) == 0,
                "a server of dependency {index} is free at {:?}",
                self.now
            );
        }
    }

    /// The call that this is about; one that it fits, unless it has had a twin.
    fn call(&mut self, function: FunctionId, call: &Origin, fits: impl Fn(&Made) -> bool) -> &mut Made {
        let name = (function.index(), key(call));
        let is_twin = self.twins.contains(&name);
        let calls = self.calls.get_mut(&name).unwrap_or_else(|| panic!("{call:?} was not made"));
        let place = calls.iter().position(|made| is_twin || fits(made));
        let place = place.unwrap_or_else(|| panic!("{call:?}: {calls:?}"));
        &mut calls[place]
    }

    fn outgoing(&mut self, fact: &OutgoingFact) {
        let now = self.now;
        match *fact {
            OutgoingFact::Submitted { .. } => self.submitted(fact),
            OutgoingFact::AttemptSent { function, call, attempt } => {
                let most = self.allowed(function).attempts;
                let fits =
                    |made: &Made| !made.open && made.attempts + 1 == attempt && made.due.is_none_or(|due| due <= now);
                let made = self.call(function, &call, fits);
                (made.open, made.attempts, made.due) = (true, attempt, None);
                assert!(attempt <= most, "{fact:?}");
                if let CallTarget::Dependency(to) = made.to {
                    self.sent[to.index()] += 1;
                }
            }
            OutgoingFact::AttemptAnswered { function, call, attempt, .. }
            | OutgoingFact::AttemptTimedOut { function, call, attempt } => {
                let made = self.call(function, &call, |made| made.open && made.attempts == attempt);
                made.open = false;
                self.note(matches!(fact, OutgoingFact::AttemptTimedOut { .. }), "time-out of a client");
            }
            OutgoingFact::RetryScheduled { function, call, attempt, due } => {
                let fits = |made: &Made| !made.open && made.due.is_none() && made.attempts + 1 == attempt;
                let made = self.call(function, &call, fits);
                assert!(due >= now);
                made.due = Some(due);
                self.note(true, "retried");
            }
            OutgoingFact::RetryQuotaExhausted { function, call } => {
                self.call(function, &call, |made| !made.open && made.attempts > 0);
                self.note(true, "quota exhausted");
            }
            OutgoingFact::CircuitOpen { function, call } => {
                self.call(function, &call, |made| !made.open);
                self.note(true, "circuit open");
            }
            OutgoingFact::Finished { .. } => self.finished(fact),
        }
    }

    fn submitted(&mut self, fact: &OutgoingFact) {
        let OutgoingFact::Submitted { function, origin, run, call, to } = *fact else { return };
        let now = self.now;
        let run = (function.index(), key(&origin), run);
        let runs = self.runs.get_mut(&run).filter(|runs| runs.under_way > 0);
        let runs = runs.expect("a run under way makes the call");
        (runs.calls, runs.made) = (runs.calls + 1, runs.made + 1);
        let Runs { calls, made, twins, .. } = *runs;
        let allowed = self.allowed(function);
        assert!(twins || calls <= allowed.at_once && made <= allowed.in_all, "{fact:?}: {calls} of {made}");
        assert!((call.caller, call.submission) == (origin.caller, origin.submission) && call.branch > 0);
        let made = Made { run, to, submitted: now, attempts: 0, open: false, due: None };
        let name = (function.index(), key(&call));
        let calls = self.calls.entry(name).or_default();
        calls.push(made);
        if calls.len() > 1 {
            self.twins.insert(name);
            self.uncertain |= calls.iter().any(|other| other.to != to);
        }
        self.note(origin.branch > 0, "nested call");
        let changed = self.scenario.system.changes.iter().any(|change| {
            change.at < now && change.action.function().is_some_and(|(of, it)| of == function && !it.calls.is_empty())
        });
        self.note(changed, "changed while calls were under way");
    }

    fn finished(&mut self, fact: &OutgoingFact) {
        let OutgoingFact::Finished { function, call, outcome, attempts, fails_run, submitted } = *fact else { return };
        let now = self.now;
        let name = (function.index(), key(&call));
        let is_twin = self.twins.contains(&name);
        let fits = |made: &Made| {
            made.submitted == submitted && (is_twin || made.attempts == attempts && (outcome.is_none() || !made.open))
        };
        let calls = self.calls.get_mut(&name).unwrap();
        let place = calls.iter().position(&fits).unwrap_or_else(|| panic!("{fact:?}: {calls:?}"));
        // The runs of two copies of an event may make it at the same moment.
        let runs: BTreeSet<_> = calls.iter().filter(|made| fits(made)).map(|made| made.run).collect();
        let made = calls.remove(place);
        let longest = self.longest(made.run.0, made.to);
        assert!(longest.is_none_or(|longest| now <= submitted.plus(longest)), "{fact:?} at {now:?}");
        for run in runs.iter().filter(|_| runs.len() > 1) {
            self.runs.get_mut(run).unwrap().twins = true;
        }
        let runs = self.runs.get_mut(&made.run).unwrap();
        runs.calls -= 1;
        runs.failed |= fails_run;
        assert!(!(fails_run && matches!(outcome, Some(Outcome::Success | Outcome::Accepted) | None)), "{fact:?}");
        self.note(outcome.is_none(), "call cut by its run");
        self.note(fails_run, "fails the run");
    }

    #[allow(clippy::too_many_lines, reason = "a row for each fact")]
    fn dependency(&mut self, fact: &DependencyFact, next: Option<&Fact>) {
        let now = self.now;
        let (DependencyFact::Arrived { dependency: id, .. }
        | DependencyFact::Rejected { dependency: id, .. }
        | DependencyFact::ServiceStarted { dependency: id, .. }
        | DependencyFact::Served { dependency: id, .. }
        | DependencyFact::Abandoned { dependency: id, .. }
        | DependencyFact::Connections { dependency: id, .. }) = *fact;
        let config = self.settings(id);
        let mut line = std::mem::take(&mut self.lines[id.index()]);
        line.count_fate(fact);
        if line.twins {
            self.lines[id.index()] = line;
            return;
        }
        let [waiting, in_service] = [Stage::Waiting, Stage::InService].map(|stage| line.count(stage));
        let full = config.concurrency.is_some_and(|servers| in_service >= servers);
        match *fact {
            DependencyFact::Arrived { call, attempt, queued, .. } => {
                line.passed.push(now);
                self.rate_holds(id, &line.passed);
                assert_eq!(queued, waiting + u32::from(full), "{fact:?}");
                assert!(!full || config.queue.is_none_or(|places| queued <= places), "{fact:?}");
                let starts = matches!(next, Some(Fact::Dependency(DependencyFact::ServiceStarted { call: of, .. })) if *of == call);
                assert!(full || starts, "{fact:?}, then {next:?}");
                let stage = Stage::Waiting;
                line.requests.push(Asked { call: key(&call), attempt, arrived: now, stage, awaited: true });
            }
            DependencyFact::Rejected { reason, .. } => {
                let (fits, word) = match reason {
                    Rejection::QueueFull => {
                        (full && config.queue.is_some_and(|places| waiting >= places), "queue full")
                    }
                    Rejection::RateLimit => (config.rate_limit.is_some(), "rate limit"),
                    Rejection::ConnectionLimit => {
                        let wanted = config.connections_per_environment.max(1);
                        let left = |limit: u32| limit.saturating_sub(line.connections);
                        (config.connection_limit.is_some_and(|limit| left(limit) < wanted), "connection limit")
                    }
                };
                assert!(fits, "{fact:?}: {waiting} wait, {in_service} in service, {} connections", line.connections);
                self.note(true, word);
            }
            DependencyFact::ServiceStarted { call, attempt, waited, in_service: busy, queued, .. } => {
                let mut places = (0..line.requests.len()).filter(|place| line.requests[*place].stage == Stage::Waiting);
                let place = match config.discipline {
                    Discipline::Fifo => places.next(),
                    Discipline::Lifo => places.next_back(),
                };
                let request = &mut line.requests[place.expect("somebody waits")];
                assert_eq!((request.call, request.attempt), (key(&call), attempt), "{fact:?}: not its turn");
                assert_eq!(request.arrived.plus(waited), now, "{fact:?}");
                request.stage = Stage::InService;
                assert_eq!((busy, queued), (in_service + 1, waiting - 1), "{fact:?}");
                assert!(!full, "{fact:?} beyond {:?}", config.concurrency);
            }
            DependencyFact::Served { call, attempt, arrived, answered, in_service: busy, .. } => {
                let is = |request: &Asked| request.stage == Stage::InService && request.arrived == arrived;
                let place = line.find(&call, attempt, |request| is(request) && (request.awaited || !answered));
                assert_eq!(busy, in_service - 1, "{fact:?}");
                let request = &mut line.requests[place];
                self.note(!request.awaited, "goes on for nobody");
                self.note(answered && arrived < now && waiting > 0, "served late");
                if request.awaited && !answered {
                    request.stage = Stage::Silent;
                } else {
                    line.requests.remove(place);
                }
            }
            DependencyFact::Abandoned { call, attempt, gone, silent, in_service: busy, queued, .. } => {
                let wait = if silent { Some(Stage::Silent) } else { None };
                let is = |request: &Asked| {
                    let counts = match request.stage {
                        Stage::Waiting if gone => (in_service, waiting - 1),
                        Stage::InService if gone => (in_service - 1, waiting),
                        _ => (in_service, waiting),
                    };
                    request.awaited && wait.is_none_or(|stage| stage == request.stage) && counts == (busy, queued)
                };
                let place = line.find(&call, attempt, is);
                let request = &mut line.requests[place];
                request.awaited = false;
                assert_eq!(gone, silent || config.abandoned_calls == AbandonedCalls::Stop, "{fact:?}");
                self.note(request.stage == Stage::Waiting, "abandoned in the line");
                self.note(request.stage == Stage::InService, "abandoned in service");
                self.note(silent, "abandoned in silence");
                if gone {
                    line.requests.remove(place);
                }
            }
            DependencyFact::Connections { open, .. } => {
                let beyond = open > line.connections && config.connection_limit.is_some_and(|limit| open > limit);
                assert!(!beyond, "{fact:?} beyond {:?}", config.connection_limit);
                line.connections = open;
            }
        }
        self.lines[id.index()] = line;
    }

    /// The rate limit held in every stretch of time that ends now, where it does not change.
    fn rate_holds(&self, id: DependencyId, passed: &[SimTime]) {
        let always = &self.scenario.system.dependencies[id];
        let rate = always.rate_limit;
        let mut later = self.scenario.system.changes.iter().filter_map(|change| change.action.dependency());
        let stays = later.all(|(of, it)| of != id || it.rate_limit == rate);
        let Some(rate) = rate.filter(|_| stays) else { return };
        let per = u128::from(rate.per.as_nanos());
        let depth = (u128::from(rate.events) * 1_000_000_000 / per).max(1);
        for (index, from) in passed.iter().enumerate() {
            let came = (passed.len() - index) as u128;
            let allowed = depth * per + u128::from(rate.events) * u128::from(self.now.since(*from).as_nanos());
            assert!(came * per <= allowed, "{came} requests since {from:?} at {:?}", self.now);
        }
    }

    fn ended(&mut self, facts: &Facts, summary: &Value) {
        self.now = facts.ended;
        let settles = self.scenario.drain == Drain::Settle;
        let open: usize = self.calls.values().map(Vec::len).sum();
        let running: u32 = self.runs.values().map(|runs| runs.under_way).sum();
        let made: u32 = self.runs.values().map(|runs| runs.calls).sum();
        assert_eq!(open, made as usize);
        assert!(!settles || open == 0 && running == 0, "{open} calls and {running} runs never ended");
        for (index, (id, dependency)) in self.scenario.system.dependencies.iter().enumerate() {
            let line = &self.lines[index];
            assert!(
                self.uncertain || line.calls == self.sent[index],
                "{} requests, {} attempts",
                line.calls,
                self.sent[index]
            );
            self.summary_fits(index, summary);
            if line.twins {
                continue;
            }
            let inside = line.requests.len() as u64;
            let awaited = line.requests.iter().filter(|request| request.awaited).count() as u64;
            let fates = line.served + line.rejected + line.timed_out + line.abandoned;
            assert_eq!(line.calls, fates + awaited, "each request has one fate");
            assert!(!settles || inside == 0, "{inside} requests never left {}", dependency.name);
            let get = |field: &str| number(summary, &format!("dependencies.{}.{field}", dependency.name));
            let last = [get("in_service.last"), get("queued.last"), get("connections.last")];
            let expected = [line.count(Stage::InService), line.count(Stage::Waiting), line.connections].map(f64::from);
            assert!(
                last.into_iter().zip(expected).all(|(a, b)| same(a, b)),
                "{}: {last:?}, {expected:?}",
                dependency.name
            );
            self.connections_fit(id, inside);
            let left = inside > 0;
            self.note(left, "left in the line");
        }
    }

    fn summary_fits(&self, index: usize, summary: &Value) {
        let name = &self.scenario.system.dependencies[DependencyId::from_index(index)].name;
        let line = &self.lines[index];
        for (field, count) in [
            ("calls", line.calls),
            ("served", line.served),
            ("rejected", line.rejected),
            ("timed_out", line.timed_out),
            ("abandoned", line.abandoned),
        ] {
            let found = number(summary, &format!("dependencies.{name}.{field}"));
            assert!(same(found, count as f64), "{name}.{field}: {found} is not {count}");
        }
    }

    /// Where each request has a connection of its own, they are those of the requests there.
    fn connections_fit(&self, id: DependencyId, inside: u64) {
        let own = self.scenario.system.dependencies[id].connections_per_environment == 0;
        let connections = u64::from(self.lines[id.index()].connections);
        assert!(!own || connections == inside, "{connections} connections of {inside}");
    }
}
