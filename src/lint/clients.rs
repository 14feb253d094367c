//! Clients: who waits for whom, and who tries again (INV-3, INV-4; J10 and J12 of what users ask).

use super::load::{mean_seconds, seconds};
use super::settings::{SECOND, about, longer_timeout, new_retry, rounded, shorter_timeout, time, whole};
use super::{Check, Context, Finding, Setting};
use crate::aws::config::{
    AbandonedCalls, Budget, Call, CallTarget, Caller, Client, Dependency, Function, Invocation, Jitter, Passage,
    Service, Target,
};
use crate::aws::ids::{DependencyId, FunctionId, Id};
use crate::kernel::time::SimDuration;

/// How deep layers are followed.
const LAYERS: usize = 8;

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for caller in context.system.callers.rows() {
        let key = format!("callers.{}", caller.name);
        if let (Target::Function(id), Invocation::Sync) = (caller.target, caller.invocation) {
            findings.extend(caller_leaves_first(context, caller, &key, id));
        }
        if caller.max_events != Some(1) && has_client(caller) {
            findings.extend(no_jitter(&caller.client, &key, &format!("`{}`", caller.name)));
        }
    }
    let above = tries_above(context);
    for (id, function, _) in context.functions() {
        for (call, key) in calls(function) {
            inspect_call(context, findings, (id, function), call, &key);
            findings.extend(retries_multiply(context, function, call, &key, above[id.index()]));
        }
    }
    for (id, dependency) in context.system.dependencies.iter() {
        findings.extend(dependency_below_need(context, id, dependency));
    }
}

/// The calls of a function's runs with their keys.
pub(super) fn calls(function: &Function) -> impl Iterator<Item = (&Call, String)> {
    function.calls.iter().enumerate().flat_map(move |(at, step)| {
        let key = format!("functions.{}.calls[{at}]", function.name);
        let alone = step.calls.len() == 1;
        let place = move |within: usize| if alone { key.clone() } else { format!("{key}.parallel[{within}]") };
        step.calls.iter().enumerate().map(move |(within, call)| (call, place(within)))
    })
}

fn inspect_call(
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
    (id, function): (FunctionId, &Function),
    call: &Call,
    key: &str,
) {
    match call.to {
        CallTarget::Function(callee, Invocation::Sync) => {
            let callee = (callee, &context.system.functions[callee]);
            findings.extend(call_leaves_first(context, (id, function), call, key, callee));
            findings.extend(call_outlasts_run(context, (id, function), call, key, Some(callee)));
        }
        CallTarget::Dependency(dependency) => {
            let dependency = &context.system.dependencies[dependency];
            if may_hang(dependency) || call.client.timeout.is_some() {
                findings.extend(call_outlasts_run(context, (id, function), call, key, None));
            }
            findings.extend(gives_up_in_queue(call, key, dependency));
            findings.extend(no_budget(call, key, &function.name, dependency));
        }
        CallTarget::Function(_, Invocation::Async) | CallTarget::Send(_) => {}
    }
    findings.extend(no_jitter(&call.client, key, &format!("a run of `{}`", function.name)));
}

/// Whether its requests can take longer than they are served.
fn may_hang(dependency: &Dependency) -> bool {
    dependency.concurrency.is_some() || dependency.slowdown.is_some() || !dependency.failures.is_empty()
}

/// The services whose client is no client of the user's.
fn has_client(caller: &Caller) -> bool {
    let own = matches!(caller.via.passage, Passage::Event(_) | Passage::Firehose(_));
    let service =
        matches!(caller.via.service, Service::Cognito | Service::Lex | Service::Alexa | Service::StepFunctions);
    !own && !service && caller.client.policy.is_none()
}

/// How long the service before a function waits for it.
fn service_timeout(caller: &Caller) -> Option<SimDuration> {
    match &caller.via.passage {
        Passage::Door(door) => door.timeout,
        Passage::Firehose(firehose) => Some(firehose.timeout),
        Passage::Direct if !has_client(caller) => caller.client.timeout,
        Passage::Direct | Passage::Event(_) => None,
    }
}

/// INV-Y3, 3.5 and INV-A4, A5, 4.4: the client, or the service before the function.
fn caller_leaves_first(context: &Context<'_>, caller: &Caller, key: &str, id: FunctionId) -> Option<Finding> {
    let function = &context.system.functions[id];
    if let Some(service) = service_timeout(caller).filter(|service| *service < function.timeout) {
        let message = format!(
            "{} waits {service} for `{}`, which may run for {}",
            caller.via.service.name(),
            function.name,
            function.timeout
        );
        let finding = Finding::new(Check::DoorLeavesFirst, format!("{key}.via"), message);
        let others = context.system.callers.rows().iter().filter(|other| other.target == caller.target);
        let shortest = others.filter_map(service_timeout).min().unwrap_or(service);
        return Some(finding.with(shorter_timeout(&function.name, shortest).into_iter().collect()));
    }
    let client = caller.client.timeout.filter(|timeout| has_client(caller) && *timeout < function.timeout)?;
    let follows = if tries_timeouts(&caller.client) { "tries again beside it" } else { "gives up" };
    let message = format!(
        "`{}` waits {client} for `{}`, which may run for {}, and then {follows}",
        caller.name, function.name, function.timeout
    );
    let key = format!("{key}.client.timeout");
    Some(Finding::new(Check::ClientLeavesFirst, key.clone(), message).set(key, longer(function)))
}

fn longer(function: &Function) -> SimDuration {
    rounded(function.timeout.plus(SECOND))
}

fn tries_timeouts(client: &Client) -> bool {
    client.max_attempts > 1 && client.retry_on.timeout
}

fn call_leaves_first(
    context: &Context<'_>,
    (id, function): (FunctionId, &Function),
    call: &Call,
    key: &str,
    (_, callee): (FunctionId, &Function),
) -> Option<Finding> {
    let timeout = call.client.timeout.filter(|timeout| *timeout < callee.timeout)?;
    let follows = if tries_timeouts(&call.client) { "tries again beside it" } else { "gives up" };
    let message = format!(
        "a run of `{}` waits {timeout} for `{}`, which may run for {}, and then {follows}",
        function.name, callee.name, callee.timeout
    );
    let finding = Finding::new(Check::ClientLeavesFirst, format!("{key}.timeout"), message);
    Some(finding.with(inside_out(context, (id, function), key, callee)))
}

/// The call above the callee, and the function above the call.
fn inside_out(
    context: &Context<'_>,
    (id, function): (FunctionId, &Function),
    key: &str,
    callee: &Function,
) -> Vec<Setting> {
    let call = longer(callee);
    let mut changes = vec![Setting::new(format!("{key}.timeout"), call)];
    if function.timeout <= call {
        if let Some(longer) = longer_timeout(context, id, call.plus(SECOND)) {
            changes.extend(longer);
        } else {
            // Both cannot be had: then the callee is the one that gives way.
            let shorter = SimDuration::from_secs((function.timeout.as_nanos() / 3_000_000_000).max(1));
            changes = vec![
                Setting::new(format!("functions.{}.timeout", callee.name), shorter),
                Setting::new(format!("{key}.timeout"), shorter.plus(SECOND)),
            ];
        }
    }
    changes
}

/// The time-out of a call at or above that of its function; none is above all.
fn call_outlasts_run(
    context: &Context<'_>,
    (id, function): (FunctionId, &Function),
    call: &Call,
    key: &str,
    callee: Option<(FunctionId, &Function)>,
) -> Option<Finding> {
    let bounds = [call.client.timeout, call.client.total_timeout];
    let longest = bounds.into_iter().flatten().min();
    if longest.is_some_and(|longest| longest < function.timeout) {
        return None;
    }
    let name = called(context, call);
    let waits = longest.map_or_else(|| "without limit".to_owned(), |longest| longest.to_string());
    let message =
        format!("a run of `{}` waits {waits} for `{name}`, and is cut at {}", function.name, function.timeout);
    let finding = Finding::new(Check::CallOutlastsRun, format!("{key}.timeout"), message);
    Some(match callee {
        Some((_, callee)) => finding.with(inside_out(context, (id, function), key, callee)),
        None => finding.set(format!("{key}.timeout"), SimDuration::from_nanos(function.timeout.as_nanos() / 2)),
    })
}

fn called<'a>(context: &Context<'a>, call: &Call) -> &'a str {
    let system = context.system;
    match call.to {
        CallTarget::Dependency(id) => &system.dependencies[id].name,
        CallTarget::Function(id, _) => &system.functions[id].name,
        CallTarget::Send(to) => super::loops::name_of(system, to),
    }
}

/// The last of a full waiting line is served after its client left.
fn gives_up_in_queue(call: &Call, key: &str, dependency: &Dependency) -> Option<Finding> {
    let (timeout, line, at_once) = (call.client.timeout?, dependency.queue?, dependency.concurrency?);
    let service = mean_seconds(&dependency.service_time);
    let wait = service * (f64::from(line) / f64::from(at_once.max(1)) + 1.0);
    if line == 0 || dependency.abandoned_calls == AbandonedCalls::Stop || wait <= seconds(timeout) {
        return None;
    }
    let message = format!(
        "the last of {line} that wait for `{}` has its answer after about {}, and its client waits {timeout}",
        dependency.name,
        time(wait)
    );
    let room = ((seconds(timeout) / service - 1.0) * f64::from(at_once)).max(0.0);
    let shorter = whole(room.floor());
    let finding = Finding::new(Check::CallGivesUpInQueue, format!("{key}.timeout"), message);
    Some(finding.set(format!("dependencies.{}.queue", dependency.name), shorter))
}

/// INV-N2: chance spreads retries.
fn no_jitter(client: &Client, key: &str, who: &str) -> Option<Finding> {
    let waits = [&client.backoff, &client.throttle_backoff];
    let fixed = waits.iter().any(|waits| waits.jitter == Jitter::None && !waits.base.is_zero());
    if client.max_attempts < 2 || client.policy.is_some() || !fixed {
        return None;
    }
    let message = format!("{who} waits without jitter before each of {} retries", client.max_attempts - 1);
    let key = format!("{key}.client.retry");
    Some(Finding::new(Check::NoJitter, key.clone(), message).set(key, new_retry(client, client.budget)))
}

fn no_budget(call: &Call, key: &str, function: &str, dependency: &Dependency) -> Option<Finding> {
    let client = &call.client;
    if client.max_attempts < 2 || client.budget != Budget::None || client.circuit_breaker.is_some() {
        return None;
    }
    let message = format!(
        "each call of a run of `{function}` to `{}` becomes up to {} in an outage: nothing limits its retries",
        dependency.name, client.max_attempts
    );
    let budget = Budget::Tokens { tokens: 500, transient: 14, throttle: 5, timeout: 14, success: 1 };
    let key = format!("{key}.client.retry");
    Some(Finding::new(Check::NoBudget, key.clone(), message).set(key, new_retry(client, budget)))
}

/// How often a run of each function is tried by all layers above it where it fails, and by whom it is tried next.
fn tries_above<'a>(context: &Context<'a>) -> Vec<Option<(u64, &'a str)>> {
    let system = context.system;
    let again = |client: &Client, id: FunctionId| {
        let leaves = client.timeout.is_some_and(|timeout| timeout < system.functions[id].timeout);
        client.max_attempts > 1 && (client.retry_on.function_error || client.retry_on.timeout && leaves)
    };
    // Of several the first that makes the most.
    let raise = |known: &mut Option<(u64, &'a str)>, tries: u64, who: &'a str| {
        if known.is_none_or(|(most, _)| tries > most) {
            *known = Some((tries, who));
        }
    };
    let mut outside = vec![None; system.functions.len()];
    for caller in system.callers.rows() {
        if let (Target::Function(id), Invocation::Sync) = (caller.target, caller.invocation)
            && again(&caller.client, id)
        {
            raise(&mut outside[id.index()], u64::from(caller.client.max_attempts), &caller.name);
        }
    }
    let mut tries = outside.clone();
    for _ in 0..LAYERS {
        let mut next = outside.clone();
        for (caller, function) in system.functions.iter() {
            for call in function.calls.iter().flat_map(|step| &step.calls) {
                if let CallTarget::Function(id, Invocation::Sync) = call.to
                    && again(&call.client, id)
                {
                    let before = tries[caller.index()].map_or(1, |(tries, _)| tries);
                    let all = u64::from(call.client.max_attempts).saturating_mul(before);
                    raise(&mut next[id.index()], all, &function.name);
                }
            }
        }
        tries = next;
    }
    tries
}

fn retries_multiply(
    context: &Context<'_>,
    function: &Function,
    call: &Call,
    key: &str,
    above: Option<(u64, &str)>,
) -> Option<Finding> {
    let waits = !matches!(call.to, CallTarget::Function(_, Invocation::Async) | CallTarget::Send(_));
    let tries = call.client.max_attempts;
    if tries < 2 || !waits || !call.fails_run {
        return None;
    }
    let (above, who) = above?;
    let message = format!(
        "a run of `{}` tries its call to `{}` {tries} times, and is itself tried {above} times by `{who}` and what is \
         above it: {} in all",
        function.name,
        called(context, call),
        u64::from(tries).saturating_mul(above)
    );
    let key = format!("{key}.client.retry");
    Some(Finding::new(Check::RetriesMultiply, key.clone(), message).set(key, "none"))
}

/// Little's law for what stands behind functions.
fn dependency_below_need(context: &Context<'_>, id: DependencyId, dependency: &Dependency) -> Option<Finding> {
    let (rate, service) = (context.load.dependency(id), mean_seconds(&dependency.service_time));
    let key = format!("dependencies.{}", dependency.name);
    let needed = rate * service;
    if let Some(most) = dependency.concurrency.filter(|most| needed > f64::from(*most)) {
        let message = format!(
            "`{}` has about {} requests in service on average ({}/s x {}), and serves {most} at once (an estimate)",
            dependency.name,
            about(needed),
            about(rate),
            time(service)
        );
        let key = format!("{key}.concurrency");
        return Some(Finding::new(Check::DependencyBelowNeed, key.clone(), message).set(key, whole(needed + 1.0)));
    }
    let most = dependency.rate_limit.filter(|most| rate > most.per_second_f64())?;
    let message = format!(
        "`{}` has about {} requests a second on average, and takes {} (an estimate)",
        dependency.name,
        about(rate),
        about(most.per_second_f64())
    );
    let key = format!("{key}.rate_limit");
    let finding = Finding::new(Check::DependencyBelowNeed, key.clone(), message);
    Some(finding.set(key, format_args!("{}/s", whole(rate + 1.0))))
}
