//! State machines: tasks that give up too early (INV-SF1, SF8).

use std::fmt::Write as _;

use super::settings::{SECOND, rounded};
use super::{Check, Context, Finding};
use crate::aws::config::{ErrorName, State, StateKind, StateMachine};
use crate::aws::ids::FunctionId;

/// INV-SF5: what Workflow Studio puts in.
const PRESET: &str = "sfn_studio";

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for machine in context.system.state_machines.rows() {
        for state in machine.states.rows() {
            if let StateKind::Task(function) = state.kind {
                let task = Task::new(context, machine, state, function);
                findings.extend(without_retry(context, &task));
                findings.extend(leaves_first(context, &task));
            }
        }
    }
}

/// A state that invokes a function.
struct Task<'a> {
    machine: &'a StateMachine,
    state: &'a State,
    function: FunctionId,
    /// With the path to it: `ship/0/label`.
    name: &'a str,
    /// The key of what holds it, and its own, where it has one: a branch may be the name of a function alone.
    keys: (String, Option<String>),
}

impl<'a> Task<'a> {
    fn new(context: &Context<'a>, machine: &'a StateMachine, state: &'a State, function: FunctionId) -> Self {
        let name = context.system.state_names[state.name].as_str();
        let (around, last) = name.rsplit_once('/').map_or((None, name), |(around, last)| (Some(around), last));
        let flow = around.map_or_else(|| format!("state_machines.{}", machine.name), |path| flow_key(machine, path));
        // The same as a branch that is written in full and has nothing but its task.
        let is_bare =
            state.retry.is_empty() && state.catch.is_empty() && state.timeout.is_none() && state.next.is_none();
        let is_function = around.is_some() && is_bare && last == context.system.functions[function].name;
        let own = (!is_function).then(|| format!("{flow}.states.{last}"));
        Self { machine, state, function, name, keys: (flow, own) }
    }

    /// A finding about a key of the state, with the value that helps.
    fn finding(&self, check: Check, key: &str, message: String, value: &str) -> Finding {
        match &self.keys {
            (_, Some(own)) => {
                let key = format!("{own}.{key}");
                Finding::new(check, key.clone(), message).set(key, value)
            }
            (flow, None) => {
                let name = self.name.rsplit('/').next().unwrap_or_default();
                let state = format!("{{task: {name}, {key}: {value}, end: true}}");
                let whole = format!("{{start_at: {name}, states: {{{name}: {state}}}}}");
                Finding::new(check, flow.clone(), message).set(flow.clone(), whole)
            }
        }
    }

    /// Whether a state above it that has it as a part of a branch or item goes on after an error.
    fn is_caught_above(&self, context: &Context<'_>) -> bool {
        let goes_on = |state: &State| {
            handles(state, ErrorName::BranchFailed) || handles(state, ErrorName::ToleratedFailuresExceeded)
        };
        let above = self.machine.states.rows().iter().filter(|state| {
            let rest = self.name.strip_prefix(context.system.state_names[state.name].as_str());
            rest.is_some_and(|rest| rest.starts_with('/'))
        });
        above.into_iter().any(goes_on)
    }
}

/// `ship/0` is the first branch of `ship`, `ship/item` its item.
fn flow_key(machine: &StateMachine, path: &str) -> String {
    let mut key = format!("state_machines.{}", machine.name);
    let mut steps = path.split('/');
    while let Some((state, part)) = steps.next().zip(steps.next()) {
        let inner = if part == "item" { "map.item".to_owned() } else { format!("parallel[{part}]") };
        let _ = write!(key, ".states.{state}.{inner}");
    }
    key
}

/// Whether a state tries again or goes on after an error.
fn handles(state: &State, error: ErrorName) -> bool {
    let retried = state.retry.iter().filter(|retrier| retrier.max_attempts > 0).flat_map(|retrier| &retrier.errors);
    let caught = state.catch.iter().flat_map(|catcher| &catcher.errors);
    retried.chain(caught).any(|named| named.matches(error))
}

/// INV-SF1, SF6: neither tried again nor caught.
fn without_retry(context: &Context<'_>, task: &Task<'_>) -> Option<Finding> {
    if handles(task.state, ErrorName::TooManyRequests) || task.is_caught_above(context) {
        return None;
    }
    let message = format!(
        "one throttle of `{}` in `{}` fails an execution of `{}`",
        context.system.functions[task.function].name, task.name, task.machine.name
    );
    Some(task.finding(Check::TaskWithoutRetry, "retry", message, PRESET))
}

/// INV-SF8.
fn leaves_first(context: &Context<'_>, task: &Task<'_>) -> Option<Finding> {
    let function = &context.system.functions[task.function];
    let timeout = task.state.timeout.filter(|timeout| *timeout < function.timeout)?;
    let message =
        format!("`{}` waits {timeout} for `{}`, which may run for {}", task.name, function.name, function.timeout);
    let longer = rounded(function.timeout.plus(SECOND)).to_string();
    Some(task.finding(Check::TaskLeavesFirst, "timeout", message, &longer))
}
