//! What the summary says about the scenario.

use super::summary::{Limit, Limits, ScenarioInfo};
use crate::aws::config::ChangeAction;
use crate::aws::ids::Id;
use crate::kernel::time::SimTime;
use crate::lint::{self, Finding};
use crate::scenario::Scenario;

/// What the summary says about the scenario.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) scenario: ScenarioInfo,
    pub(super) seed: u64,
    pub(super) duration: SimTime,
    pub(super) concurrency_limit: Limit,
    pub(super) callers: Vec<String>,
    pub(super) functions: Vec<(String, Limits)>,
    pub(super) mappings: usize,
    pub(super) advice: Vec<Finding>,
}

impl Context {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let system = &scenario.system;
        let mut concurrency_limit = Limit::fixed(system.account.concurrency_limit);
        let mut functions: Vec<_> = system
            .functions
            .rows()
            .iter()
            .map(|function| {
                let reserved_concurrency = function.reserved_concurrency.map(Limit::fixed);
                (function.name.clone(), Limits { reserved_concurrency })
            })
            .collect();
        for change in &system.changes {
            match &change.action {
                ChangeAction::Account(account) => concurrency_limit = concurrency_limit.and(account.concurrency_limit),
                ChangeAction::Function(id, function) => {
                    let limit = &mut functions[id.index()].1.reserved_concurrency;
                    *limit = limit.zip(function.reserved_concurrency).map(|(known, new)| known.and(new));
                }
                ChangeAction::Client(..)
                | ChangeAction::Dependency(..)
                | ChangeAction::Deploy(_)
                | ChangeAction::Queue(..)
                | ChangeAction::Mapping(..)
                | ChangeAction::Stream(..)
                | ChangeAction::StateMachine(..)
                | ChangeAction::Redrive { .. } => {}
            }
        }
        Self {
            scenario: ScenarioInfo {
                name: scenario.name.clone(),
                sha256: scenario.sha256.clone(),
                overrides: scenario.overrides.clone(),
                description: scenario.description.clone(),
            },
            seed: scenario.seed,
            duration: scenario.duration,
            concurrency_limit,
            callers: system.callers.rows().iter().map(|caller| caller.name.clone()).collect(),
            functions,
            mappings: system.event_source_mappings.len(),
            advice: lint::lint(scenario),
        }
    }
}
