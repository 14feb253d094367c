//! Resources that invoke functions of their own accord: topics, event buses, buckets, state machines, and destinations.

use super::defaults::{system, try_system};
use super::{Amount, Cause, Model, Reach, Retries, Row, Wait, events, retries, services};
use crate::aws::config::{ErrorMatch, ErrorName, Jitter, MapMode, Retrier, RetryPhase, Route, StateMachine};
use crate::aws::limits;
use crate::story::rules;

/// One row of each kind of resource.
pub(super) fn rows() -> Vec<Row> {
    vec![function(), state_machine(), topic(), event_bus(), bucket(), destination()]
}

fn topic() -> Row {
    let system = system("topics: { t: { subscribers: [f] } }");
    let topic = &system.topics.rows()[0];
    let mut row = Row::new("topic", "an SNS topic with its subscribers", "topics", Model::Asynchronous);
    let keeps = try_system("topics: { t: { subscribers: [{ to: f, dead_letter_queue: q }] } }").is_some();
    passes_on(&mut row, "SNS", &topic.routes[0], keeps);
    row.limit("message", Amount::Bytes(topic.maximum_message_size));
    row.rules = vec![&rules::TOPIC_RETRIES, &rules::TOPIC_CURVE, &rules::PLACE_REFUSED];
    row
}

fn event_bus() -> Row {
    let system = system("event_buses: { b: { rules: [{ targets: [f] }] } }");
    let bus = &system.event_buses.rows()[0];
    let mut row = Row::new("event_bus", "an EventBridge event bus with its rules", "event_buses", Model::Asynchronous);
    let keeps = try_system("event_buses: { b: { rules: [{ targets: [f], dead_letter_queue: q }] } }").is_some();
    passes_on(&mut row, "EventBridge", &bus.routes[0], keeps);
    row.limit("entry", Amount::Bytes(limits::EVENT_BUS_ENTRY_BYTES));
    row.limit("targets of a rule", Amount::Count(limits::RULE_TARGETS as u64));
    row.rules = vec![&rules::BUS_RETRIES, &rules::BUS_CURVE, &rules::PLACE_REFUSED];
    row
}

fn bucket() -> Row {
    let system = system("buckets: { b: { notify: [f] } }");
    let bucket = &system.buckets.rows()[0];
    let mut row = Row::new("bucket", "an S3 bucket with its notifications", "buckets", Model::Asynchronous);
    passes_on(&mut row, "S3", &bucket.routes[0], false);
    row.limit("object of one request", Amount::Bytes(limits::OBJECT_BYTES));
    row.limit("notification", Amount::Bytes(limits::NOTIFICATION_BYTES));
    row.rules = vec![&rules::NOTIFICATION_DELAY, &rules::BUCKET_RETRIES];
    row
}

/// What a place does for each of those to whom it passes on what it receives.
fn passes_on(row: &mut Row, who: &str, route: &Route, keeps: bool) {
    row.waits = Wait::No;
    row.retries = retries::of_policy(who, &route.policy);
    row.failures = if keeps { "its dead-letter queue, or lost" } else { "lost" }.into();
    events::accepted(row);
}

/// INV-O1, O6.
fn destination() -> Row {
    let settings = services::asynchronous();
    let what = "a function that another one has as `on_success` or `on_failure`";
    let mut row = Row::new("destination", what, "functions.N.async", Model::Asynchronous);
    row.waits = Wait::No;
    let (delay, attempts) = (settings.delivery.delay, settings.delivery.attempts);
    if attempts > 1 {
        let backoff = RetryPhase::constant(attempts, delay, Jitter::None).backoff;
        let reach = Reach::Attempts(backoff.extent(attempts));
        row.retries = vec![retries::polled(retries::LAMBDA, &[Cause::Throttle, Cause::ServiceError], reach)];
    }
    row.failures = "lost at the first refusal".into();
    events::accepted(&mut row);
    row.limit("runs in one chain of requests", Amount::Count(u64::from(limits::RECURSION_RUNS)));
    row.rules = vec![&rules::FUNCTION_DESTINATION, &rules::DELIVERY, &rules::DELIVERY_FAILURE, &rules::RECURSION];
    row
}

/// A function that another one invokes and waits for; without waiting it is a client that sends events.
fn function() -> Row {
    let system = system("functions: { f: { duration: 0s }, g: { duration: 0s, calls: [{ function: f }] } }");
    let caller = system.functions.rows().iter().find(|function| !function.calls.is_empty());
    let client = &caller.expect("one of them calls").calls[0].calls[0].client;
    let what = "a function that another one calls while it runs";
    let mut row = Row::new("function", what, "functions.N.calls", Model::Synchronous);
    services::waits_for_answers(&mut row, "the caller's SDK", client);
    row.failures = "the run that called fails, or goes on".into();
    row.limit("runs in one chain of requests", Amount::Count(u64::from(limits::RECURSION_RUNS)));
    row.rules = vec![
        &rules::CLIENT_RETRIES,
        &rules::RETRY_QUOTA,
        &rules::THROTTLE,
        &rules::FUNCTION_ERROR,
        &rules::SYNC_PAYLOAD,
        &rules::RECURSION,
    ];
    row
}

/// INV-4.5.
fn state_machine() -> Row {
    let machine = machine("");
    let (_, task) = machine.states.iter().next().expect("it has a state");
    let what = "a task of a Step Functions state machine";
    let mut row = Row::new("state_machine", what, "state_machines", Model::Synchronous);
    row.aliases = &["sfn"];
    row.waits = task.timeout.map_or(Wait::Run, Wait::AtMost);
    row.throttle = format!("an error that `retry` may name, {}", again(task.retry.is_empty()));
    row.error = row.throttle.clone();
    row.retries = of_retriers("the task", &task.retry);
    for preset in ["sfn_studio", "sfn_classic"] {
        let machine = machine_with(preset);
        let (_, task) = machine.states.iter().next().expect("it has a state");
        row.retries.extend(of_retriers(&format!("`retry: {preset}`"), &task.retry));
    }
    row.failures = "`catch`, or the execution fails".into();
    limits_of_machines(&mut row, &machine);
    row.rules = vec![
        &rules::CATCHERS,
        &rules::RETRIERS,
        &rules::ERROR_NAMES,
        &rules::TASK_TIMEOUT,
        &rules::MAPS,
        &rules::TRANSITION_LIMIT,
    ];
    row
}

const fn again(is_not: bool) -> &'static str {
    if is_not { "not tried again" } else { "tried again" }
}

fn machine_with(preset: &str) -> StateMachine {
    machine(&format!(", retry: {preset}"))
}

fn machine(settings: &str) -> StateMachine {
    let task = format!("{{ task: f, end: true{settings} }}");
    system(&format!("state_machines: {{ m: {{ start_at: s, states: {{ s: {task} }} }} }}")).state_machines.rows()[0]
        .clone()
}

fn of_retriers(who: &str, retriers: &[Retrier]) -> Vec<Retries> {
    let again = |retrier: &Retrier| {
        let reach = Reach::Attempts(retrier.backoff.extent(retrier.max_attempts + 1));
        retries::polled(who, &causes(&retrier.errors), reach)
    };
    retriers.iter().map(again).collect()
}

/// What the names of errors mean.
fn causes(errors: &[ErrorMatch]) -> Vec<Cause> {
    let has = |names: &[ErrorName]| errors.iter().any(|error| names.iter().any(|name| error.matches(*name)));
    let all = [
        (Cause::Throttle, has(&[ErrorName::TooManyRequests])),
        (Cause::ServiceError, has(&[ErrorName::ServiceException, ErrorName::AwsLambdaException])),
        (Cause::Timeout, has(&[ErrorName::StatesTimeout])),
        (Cause::FunctionError, has(&[ErrorName::Unnamed])),
    ];
    all.into_iter().filter(|(_, is_meant)| *is_meant).map(|(cause, _)| cause).collect()
}

fn limits_of_machines(row: &mut Row, machine: &StateMachine) {
    if let Some(limit) = machine.transitions {
        row.limit("state transitions", Amount::PerTime(limit.rate));
        row.limit("of them at once", Amount::Count(u64::from(limit.burst)));
    }
    row.limit("items of a map at once", Amount::Count(u64::from(MapMode::Inline.concurrency())));
    row.limit("of a distributed map", Amount::Count(u64::from(MapMode::Distributed.concurrency())));
    row.limit("express execution", Amount::Time(limits::EXPRESS_TIMEOUT));
}
