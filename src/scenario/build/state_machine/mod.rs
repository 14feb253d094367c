//! State machines: their settings, and their states flow by flow.
//!
//! Each flow's states have numbers in file order; those of branches and items follow after the flow that they are in.

mod flow;
mod retry;

use std::sync::Arc;

use super::Builder;
use crate::aws::config::{
    Catcher, ErrorName, MapMode, State, StateKind, StateMachine, StateMachineKind, TransitionLimit,
};
use crate::aws::ids::{FlowId, Id, StateId, Table};
use crate::aws::limits;
use crate::kernel::quantity::Ratio;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved, Value};

/// Threads of one execution that maps in maps may lead to: far beyond use, but they need memory.
const THREADS_MAX: u64 = 1_000_000;

/// The states of a machine while they are read.
#[derive(Debug, Default)]
struct States {
    flows: Table<FlowId, StateId>,
    /// States that are still to be read have a place already.
    rows: Vec<Option<State>>,
    /// Whether something is wrong with them.
    bad: bool,
}

/// Where a state stands.
#[derive(Clone, Copy, Debug)]
struct Scope<'a> {
    /// The path to its flow, with a slash at its end; empty in the machine's own.
    path: &'a str,
    /// The states of its flow.
    states: &'a [Named],
    /// The number of the first of them.
    first: usize,
    /// Threads that may go through the flow at once.
    threads: u64,
}

impl Builder<'_> {
    /// The state machine with this index.
    pub(crate) fn state_machine(&mut self, index: usize, named: &Named) -> Option<StateMachine> {
        let block = &named.block;
        if block.is_bad() {
            return None;
        }
        let kind = match block.field("type").word()? {
            "express" => StateMachineKind::Express,
            _ => StateMachineKind::Standard,
        };
        self.express_fits(block, kind);
        let transitions = self.transition_limit(block.field("transitions"));
        let mut states = States::default();
        let machine = format!("state machine `{}`", named.name);
        self.flow(block, "", &machine, 1, &mut states);
        let States { flows, rows, bad } = states;
        if bad {
            return None;
        }
        Some(StateMachine {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::StateMachine)[index].order,
            kind,
            timeout: block.field("timeout").optional(Resolved::duration)?,
            transitions: transitions?,
            flows,
            states: rows.into_iter().collect::<Option<_>>()?,
        })
    }

    /// What an express machine does not have.
    fn express_fits(&mut self, block: &Resolved, kind: StateMachineKind) {
        if kind == StateMachineKind::Standard {
            return;
        }
        let place = block.field("type").place;
        let timeout = block.field("timeout");
        let longest = timeout.duration();
        if !timeout.is_bad() && longest.is_none_or(|timeout| timeout > limits::EXPRESS_TIMEOUT) {
            self.contradiction(timeout, "an express execution may take five minutes", |problem| {
                problem.with_expected("at most `5m`").with_related(place, "the machine is express")
            });
        }
        let transitions = block.field("transitions");
        if !transitions.is_without() && !transitions.is_bad() {
            self.contradiction(transitions, "an express machine has no limit on state transitions", |problem| {
                problem
                    .with_expected("`transitions` only with `type: standard` (INV-SF11)")
                    .with_related(place, "the machine is express")
            });
        }
    }

    #[allow(clippy::option_option, reason = "the outer one is for values that cannot be read")]
    fn transition_limit(&mut self, value: &Resolved) -> Option<Option<TransitionLimit>> {
        value.optional(|limit| {
            let rate = limit.field("rate");
            if rate.rate()?.events == 0 {
                self.contradiction(rate, "no state transition would ever come back", |problem| {
                    problem.with_expected("a rate above 0")
                });
                return None;
            }
            Some(TransitionLimit { rate: rate.rate()?, burst: limit.field("burst").count()? })
        })
    }

    /// Reads the states of a flow, and the flows inside them; `who` is what has the flow.
    fn flow(&mut self, block: &Resolved, path: &str, who: &str, threads: u64, states: &mut States) -> Option<FlowId> {
        let named = block.field("states").named();
        let first = states.rows.len();
        if named.is_empty() && !block.field("states").is_bad() {
            let value = block.field("states");
            let problem = Problem::new(ProblemKind::MissingKey, value.place, format!("{who} has no states"));
            self.problems.push(problem.at_key(&value.path).with_expected("at least one state"));
            states.bad = true;
            return None;
        }
        states.rows.extend(named.iter().map(|_| None));
        let scope = Scope { path, states: named, first, threads };
        let start = self.state_named(block.field("start_at"), scope);
        self.can_be_reached(scope, start);
        let flow = start.map(|start| states.flows.push(start));
        states.bad |= flow.is_none();
        for (place, named) in named.iter().enumerate() {
            let state = self.state(named, scope, states);
            states.bad |= state.is_none();
            states.rows[first + place] = state;
        }
        flow
    }

    fn state(&mut self, named: &Named, scope: Scope<'_>, states: &mut States) -> Option<State> {
        let block = &named.block;
        if block.is_bad() {
            return None;
        }
        let name = format!("{}{}", scope.path, named.name);
        let kind = self.kind(block, &name, scope, states);
        let next = self.next(named, scope);
        let retry = block.if_has("retry").map_or(Some(Vec::new()), |value| self.retriers(value));
        let catch = block.if_has("catch").map_or(Some(Vec::new()), |value| self.catchers(value, scope));
        let timeout = block.if_has("timeout").map_or(Some(None), |value| value.optional(Resolved::duration));
        Some(State {
            name: self.states.id(name),
            kind: kind?,
            next: next?,
            retry: retry?,
            catch: catch?,
            timeout: timeout?,
        })
    }

    fn kind(&mut self, block: &Resolved, name: &str, scope: Scope<'_>, states: &mut States) -> Option<StateKind> {
        let Value::Block(table, _) = &block.value else { return None };
        let (key, _) = table.case?;
        let value = block.field(key);
        Some(match key {
            "task" => StateKind::Task(self.function_id(value)?),
            "parallel" => self.parallel(value, name, scope.threads, states)?,
            "map" => self.map(value, name, scope.threads, states)?,
            "wait" => StateKind::Wait(self.distribution(value)?),
            "choice" => self.choice(block, scope)?,
            "pass" => StateKind::Pass,
            "succeed" => StateKind::Succeed,
            "fail" => {
                let error = value.field("error");
                self.check_error_name(error);
                StateKind::Fail(self.errors.id(error.text()?))
            }
            key => unreachable!("the table has no state {key}"),
        })
    }

    fn parallel(&mut self, value: &Resolved, name: &str, threads: u64, states: &mut States) -> Option<StateKind> {
        if value.is_bad() {
            return None;
        }
        if value.list().is_empty() {
            let problem = Problem::new(ProblemKind::MissingKey, value.place, "there are no branches");
            self.problems.push(problem.at_key(&value.path).with_expected("at least one branch"));
            return None;
        }
        let branches = value.list().iter().enumerate();
        let branches = branches.map(|(index, branch)| {
            self.inner_flow(branch, &format!("{name}/{index}/"), "this branch", threads, states)
        });
        let branches = branches.collect::<Vec<_>>();
        Some(StateKind::Parallel(branches.into_iter().collect::<Option<_>>()?))
    }

    fn map(&mut self, block: &Resolved, name: &str, threads: u64, states: &mut States) -> Option<StateKind> {
        let mode = match block.field("mode").word() {
            Some("distributed") => MapMode::Distributed,
            _ => MapMode::Inline,
        };
        let concurrency = block.field("max_concurrency");
        // AWS's 0 is without a limit.
        let max_concurrency = concurrency.optional(Resolved::count)?.filter(|most| *most > 0);
        let items = block.field("items").count();
        let most = u64::from(max_concurrency.unwrap_or(u32::MAX).min(mode.concurrency()).min(items.unwrap_or(0)));
        let threads = threads.saturating_mul(most.max(1));
        if threads > THREADS_MAX {
            self.contradiction(block.field("items"), format!("{threads} items of maps in maps at once"), |problem| {
                problem.with_expected(format!("at most {THREADS_MAX}")).with_help("lower `max_concurrency`")
            });
        }
        let item = self.inner_flow(block.field("item"), &format!("{name}/item/"), "this item", threads, states);
        Some(StateKind::Map { items: items?, max_concurrency, item: item?, mode })
    }

    /// A flow inside a state: with states of its own, or one function.
    fn inner_flow(
        &mut self,
        value: &Resolved,
        path: &str,
        who: &str,
        threads: u64,
        states: &mut States,
    ) -> Option<FlowId> {
        if value.is_bad() {
            return None;
        }
        let Some(function) = value.text() else { return self.flow(value, path, who, threads, states) };
        let kind = StateKind::Task(self.function_id(value)?);
        let name = self.states.id(format!("{path}{function}"));
        let state = StateId::from_index(states.rows.len());
        let (retry, catch) = (Vec::new(), Vec::new());
        states.rows.push(Some(State { name, kind, next: None, retry, catch, timeout: None }));
        Some(states.flows.push(state))
    }

    fn choice(&mut self, block: &Resolved, scope: Scope<'_>) -> Option<StateKind> {
        let (list, default) = (block.field("choice"), block.field("default"));
        if list.is_bad() {
            return None;
        }
        if list.list().is_empty() && default.is_without() {
            let problem = Problem::new(ProblemKind::MissingKey, list.place, "there is nothing to choose from");
            self.problems.push(problem.at_key(&list.path).with_expected("at least one `{probability, next}`"));
            return None;
        }
        let mut choices = Vec::new();
        let mut bad = false;
        for option in list.list() {
            let next = self.state_named(option.field("next"), scope);
            match (option.field("probability").ratio(), next) {
                (Some(probability), Some(next)) => choices.push((probability, next)),
                _ => bad = true,
            }
        }
        let default = default.optional(|name| self.state_named(name, scope));
        let all: u64 = choices.iter().map(|(probability, _)| probability.parts()).fold(0, u64::saturating_add);
        if all > Ratio::PARTS {
            let percent = all as f64 * 100.0 / Ratio::PARTS as f64;
            self.contradiction(list, format!("the probabilities add up to {percent}%"), |problem| {
                problem.with_expected("at most 100% in all").with_help("what is left goes to `default`")
            });
            return None;
        }
        if bad { None } else { Some(StateKind::Choice { choices, default: default? }) }
    }

    fn catchers(&mut self, value: &Resolved, scope: Scope<'_>) -> Option<Vec<Catcher>> {
        self.all_alone_and_last(value);
        let catchers = value.list().iter().map(|entry| {
            let errors = self.error_matches(entry.field("errors"));
            let next = self.state_named(entry.field("next"), scope);
            Some(Catcher { errors: errors?, next: next? })
        });
        let catchers = catchers.collect::<Vec<_>>();
        if value.is_bad() { None } else { catchers.into_iter().collect() }
    }
}

/// AWS's names of errors, for people.
fn own_names() -> impl Iterator<Item = &'static str> {
    ErrorName::OWN.into_iter().filter_map(ErrorName::own)
}

/// The name of a state as messages show it.
fn shown(names: &[Named]) -> Vec<Arc<str>> {
    names.iter().map(|named| named.name.clone()).collect()
}
