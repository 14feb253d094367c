//! What is known to go wrong with settings like these, and what AWS advises instead. It reads a scenario; it knows no
//! run and simulates nothing.
//!
//! Reading order: `checks` (what is looked for, and why), `load` (what mean rates and times come to), then one file
//! for each family of checks: `limits`, `clients`, `queues`, `streams`, `asynchronous`, `loops`, `provisioned`,
//! `state_machines`.

mod asynchronous;
mod checks;
mod clients;
mod limits;
mod load;
mod loops;
mod provisioned;
mod queues;
mod reference;
mod settings;
mod state_machines;
mod streams;

use std::fmt;

pub use self::checks::{Basis, Check};
pub use self::reference::reference_markdown;

use self::load::Load;
use crate::aws::config::{EventSourceMapping, Function, System};
use crate::aws::ids::FunctionId;
use crate::scenario::Scenario;

/// Something about a scenario's settings that is known to go wrong, or that AWS advises against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check has found it: why it matters, and how that is known.
    pub check: Check,
    /// The key that it is about, as a dotted path.
    pub key: String,
    /// What is wrong, with the scenario's numbers.
    pub message: String,
    /// Settings that end it; empty where no setting alone does.
    pub changes: Vec<Setting>,
}

/// A value for a key. It prints as `--set` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, as a dotted path.
    pub key: String,
    /// The value, as a scenario writes it.
    pub value: String,
}

impl Setting {
    fn new(key: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { key: key.into(), value: value.to_string() }
    }

    /// With what a shell needs to take it as one word.
    pub fn for_shell(&self) -> String {
        let text = self.to_string();
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._=-/%".contains(letter);
        if text.chars().all(is_plain) { text } else { format!("'{text}'") }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl Finding {
    fn new(check: Check, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { check, key: key.into(), message: message.into(), changes: Vec::new() }
    }

    /// Adds a setting that helps.
    fn set(mut self, key: impl Into<String>, value: impl fmt::Display) -> Self {
        self.changes.push(Setting::new(key, value));
        self
    }

    /// Adds settings that help.
    fn with(mut self, changes: Vec<Setting>) -> Self {
        self.changes.extend(changes);
        self
    }

    /// `--set a=b --set c=d`, quoted for a shell; empty where there is nothing to set.
    pub fn command(&self) -> String {
        let flags: Vec<_> = self.changes.iter().map(|change| format!("--set {}", change.for_shell())).collect();
        flags.join(" ")
    }
}

/// What is to be said of a scenario: of its settings at the start, and of what [`Check::VisibilityBelowTimeout`] finds
/// in its changes. In the order of the families of checks, and of the file in each.
///
/// ```
/// use lambdasim::lint::{self, Check};
/// use lambdasim::scenario;
///
/// let yaml = "
/// name: shop
/// duration: 1m
/// functions: { work: { duration: 1s, timeout: 10s } }
/// queues: { orders: { visibility_timeout: 60s } }
/// event_source_mappings: { worker: { source: orders, function: work } }
/// ";
/// let loaded = scenario::parse("shop.yaml", yaml.as_bytes(), "".as_ref(), &[]).unwrap();
/// let findings = lint::lint(&loaded.scenario);
/// assert_eq!(findings[0].check, Check::NoDeadLetterQueue);
/// assert_eq!(findings[0].key, "queues.orders.redrive");
/// ```
pub fn lint(scenario: &Scenario) -> Vec<Finding> {
    let context = Context { scenario, system: &scenario.system, load: Load::of(scenario) };
    let mut findings = Vec::new();
    limits::inspect(&context, &mut findings);
    clients::inspect(&context, &mut findings);
    queues::inspect(&context, &mut findings);
    streams::inspect(&context, &mut findings);
    asynchronous::inspect(&context, &mut findings);
    loops::inspect(&context, &mut findings);
    provisioned::inspect(&context, &mut findings);
    state_machines::inspect(&context, &mut findings);
    findings
}

/// What checks look at.
struct Context<'a> {
    scenario: &'a Scenario,
    system: &'a System,
    load: Load,
}

impl<'a> Context<'a> {
    /// The mappings that poll at the start.
    fn mappings(&self) -> impl Iterator<Item = &'a EventSourceMapping> + use<'a> {
        self.system.event_source_mappings.rows().iter().filter(|mapping| mapping.enabled)
    }

    /// Those of them that invoke a function.
    fn mappings_of(&self, function: FunctionId) -> impl Iterator<Item = &'a EventSourceMapping> + use<'a> {
        self.mappings().filter(move |mapping| mapping.function == function)
    }

    /// Functions with their key.
    fn functions(&self) -> impl Iterator<Item = (FunctionId, &'a Function, String)> + use<'a> {
        self.system.functions.iter().map(|(id, function)| (id, function, format!("functions.{}", function.name)))
    }
}
