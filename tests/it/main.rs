//! The one integration-test binary: through the front door, a scenario in and its summary out; and the facts of a run
//! where a moment matters.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks the facts that it looks at")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "scenarios are put together as text")]

mod cli;
mod common;
mod conservation;
mod determinism;
mod lint;
mod over_time;
mod plan;
mod published;
mod reference;
mod replicas;
mod rules_asynchronous;
mod rules_billing;
mod rules_calls;
mod rules_calls_memory;
mod rules_client;
mod rules_concurrency;
mod rules_environment;
mod rules_failures;
mod rules_fair;
mod rules_fronts;
mod rules_mappings;
mod rules_measuring;
mod rules_measuring_sqs;
mod rules_places;
mod rules_provisioned;
mod rules_queues;
mod rules_settle;
mod rules_sqs;
mod rules_state_machines;
mod rules_streams;
mod scenario_calls;
mod scenario_errors;
mod scenario_good;
mod scenario_places;
mod scenario_queues;
mod scenario_state_machines;
mod scenario_streams;
mod scenarios;
mod sources;
mod sqs;
mod theory;
mod tidy;
mod validation;
