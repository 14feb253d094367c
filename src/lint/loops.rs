//! What comes back to the function that sent it (INV-5.7).

use std::collections::{BTreeMap, BTreeSet};

use super::clients::calls;
use super::{Check, Context, Finding, Setting};
use crate::aws::config::{CallTarget, EventSourceMapping, RecursiveLoop, Route, Source, StateKind, System, Target};
use crate::aws::ids::{FunctionId, Id};

/// What is at each place, by kind and row, and where it goes on to.
struct Map<'a> {
    system: &'a System,
    readers: BTreeMap<(u8, usize), Vec<&'a EventSourceMapping>>,
}

/// A place as a number: its kind and its row.
fn number(place: Target) -> (u8, usize) {
    match place {
        Target::Queue(id) => (0, id.index()),
        Target::Topic(id) => (1, id.index()),
        Target::EventBus(id) => (2, id.index()),
        Target::Bucket(id) => (3, id.index()),
        Target::Function(id) => (4, id.index()),
        Target::Stream(id) => (5, id.index()),
        Target::Broker(id) => (6, id.index()),
        Target::StateMachine(id) => (7, id.index()),
    }
}

/// A way from one place to the next, and the setting that cuts it where one alone does.
struct Way {
    to: Target,
    key: String,
    cut: Option<Setting>,
}

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut map = Map { system: context.system, readers: BTreeMap::new() };
    for mapping in context.mappings() {
        let place = match mapping.source {
            Source::Queue(id) => Target::Queue(id),
            Source::Stream(id) => Target::Stream(id),
            Source::Broker(id) => Target::Broker(id),
        };
        map.readers.entry(number(place)).or_default().push(mapping);
    }
    let circular = circular(&map);
    let mut known = BTreeSet::new();
    for (id, function, _) in context.functions() {
        if !known.contains(&id)
            && circular.contains(&number(Target::Function(id)))
            && let Some(path) = way_back(&map, Target::Function(id), id)
        {
            known.extend(path.iter().filter_map(|way| function_of(way.to)));
            findings.push(loop_of(context.system, id, path));
        }
        let events = &function.asynchronous;
        for (failed, name) in [(events.dead_letter_queue, "dead_letter_queue"), (events.on_failure, "on_failure")] {
            let Some(failed) = failed.filter(|_| circular.contains(&number(Target::Function(id)))) else { continue };
            if failed == Target::Function(id) || way_back(&map, failed, id).is_some() {
                let key = format!("functions.{}.async.{name}", function.name);
                let place = name_of(context.system, failed);
                let message = format!("an event that `{}` fails comes back to it through `{place}`", function.name);
                let finding = Finding::new(Check::DeadLettersComeBack, key.clone(), message);
                findings.push(finding.set(key, "none"));
            }
        }
    }
}

fn function_of(target: Target) -> Option<FunctionId> {
    if let Target::Function(id) = target { Some(id) } else { None }
}

/// The places from which a way leads on for ever, of what fails too: all others are taken away, last ones first.
fn circular(map: &Map<'_>) -> BTreeSet<(u8, usize)> {
    let system = map.system;
    let mut left = BTreeMap::new();
    let mut before: BTreeMap<(u8, usize), Vec<(u8, usize)>> = BTreeMap::new();
    let mut open: Vec<Target> = system.functions.ids().map(Target::Function).collect();
    while let Some(place) = open.pop() {
        if left.contains_key(&number(place)) {
            continue;
        }
        let mut ways = ways(map, place);
        if let Some(id) = function_of(place) {
            let events = &system.functions[id].asynchronous;
            let failed = [events.dead_letter_queue, events.on_failure].into_iter().flatten();
            ways.extend(failed.map(|to| Way { to, key: String::new(), cut: None }));
        }
        left.insert(number(place), ways.len());
        for way in ways {
            before.entry(number(way.to)).or_default().push(number(place));
            open.push(way.to);
        }
    }
    let mut ends: Vec<_> = left.iter().filter(|(_, ways)| **ways == 0).map(|(place, _)| *place).collect();
    while let Some(end) = ends.pop() {
        left.remove(&end);
        for place in before.get(&end).into_iter().flatten() {
            if let Some(ways) = left.get_mut(place) {
                *ways = ways.saturating_sub(1);
                if *ways == 0 {
                    ends.push(*place);
                }
            }
        }
    }
    left.into_keys().collect()
}

/// The shortest way from a place to a function, where there is one.
fn way_back(map: &Map<'_>, from: Target, to: FunctionId) -> Option<Vec<Way>> {
    let mut seen = BTreeSet::from([number(from)]);
    // Each place with the way to it and the place before.
    let mut found: Vec<(Way, Option<usize>)> = Vec::new();
    let mut next = 0;
    let mut place = (from, None);
    loop {
        for way in ways(map, place.0) {
            let ends = way.to == Target::Function(to);
            if seen.insert(number(way.to)) || ends {
                found.push((way, place.1));
            }
            if ends {
                return Some(retrace(found));
            }
        }
        let (way, _) = found.get(next)?;
        place = (way.to, Some(next));
        next += 1;
    }
}

/// The ways that lead to the last one that was found.
fn retrace(mut found: Vec<(Way, Option<usize>)>) -> Vec<Way> {
    let mut path = Vec::new();
    while let Some((way, before)) = found.pop() {
        path.push(way);
        let Some(before) = before else { break };
        found.truncate(before + 1);
    }
    path.reverse();
    path
}

/// Where what is at a place goes on to, while nothing fails.
fn ways(map: &Map<'_>, place: Target) -> Vec<Way> {
    let system = map.system;
    match place {
        Target::Function(id) => return from_function(system, id),
        Target::Topic(id) => {
            return routes(&system.topics[id].routes, "topics", &system.topics[id].name, "subscribers");
        }
        Target::EventBus(id) => {
            return routes(&system.event_buses[id].routes, "event_buses", &system.event_buses[id].name, "rules");
        }
        Target::Bucket(id) => return routes(&system.buckets[id].routes, "buckets", &system.buckets[id].name, "notify"),
        Target::StateMachine(id) => {
            let machine = &system.state_machines[id];
            let tasks = machine.states.rows().iter().filter_map(|state| match state.kind {
                StateKind::Task(function) => Some(function),
                StateKind::Parallel(_)
                | StateKind::Map { .. }
                | StateKind::Wait(_)
                | StateKind::Choice { .. }
                | StateKind::Pass
                | StateKind::Succeed
                | StateKind::Fail(_) => None,
            });
            let key = format!("state_machines.{}", machine.name);
            return tasks.map(|id| Way { to: Target::Function(id), key: key.clone(), cut: None }).collect();
        }
        Target::Queue(_) | Target::Stream(_) | Target::Broker(_) => {}
    }
    let way = |mapping: &&EventSourceMapping| {
        let key = format!("event_source_mappings.{}", mapping.name);
        let cut = Some(Setting::new(format!("{key}.enabled"), false));
        Way { to: Target::Function(mapping.function), key, cut }
    };
    map.readers.get(&number(place)).into_iter().flatten().map(way).collect()
}

fn from_function(system: &System, id: FunctionId) -> Vec<Way> {
    let function = &system.functions[id];
    let mut ways = Vec::new();
    for (call, key) in calls(function) {
        let to = match call.to {
            CallTarget::Dependency(_) => continue,
            CallTarget::Function(callee, _) => Target::Function(callee),
            CallTarget::Send(to) => to,
        };
        ways.push(Way { to, key, cut: None });
    }
    if let Some(to) = function.asynchronous.on_success {
        let key = format!("functions.{}.async.on_success", function.name);
        ways.push(Way { to, cut: Some(Setting::new(key.clone(), "none")), key });
    }
    ways
}

fn routes(routes: &[Route], group: &str, name: &str, list: &str) -> Vec<Way> {
    let key = format!("{group}.{name}.{list}");
    let cut = || Some(Setting::new(key.clone(), "[]"));
    routes.iter().map(|route| Way { to: route.to, key: key.clone(), cut: cut() }).collect()
}

fn loop_of(system: &System, id: FunctionId, path: Vec<Way>) -> Finding {
    let function = &system.functions[id];
    let names: Vec<_> = path.iter().map(|way| format!("`{}`", name_of(system, way.to))).collect();
    let way = format!("`{}` -> {}", function.name, names.join(" -> "));
    // Lambda follows a chain through SQS, SNS and S3.
    let followed = path
        .iter()
        .all(|way| matches!(way.to, Target::Function(_) | Target::Queue(_) | Target::Topic(_) | Target::Bucket(_)));
    let stops = path.iter().filter_map(|way| function_of(way.to));
    let stops = stops.into_iter().any(|id| system.functions[id].recursive_loop == RecursiveLoop::Terminate);
    let end = if followed && stops { "stopped after about 16 runs" } else { "nothing stops it" };
    let message = format!("what `{}` sends comes back to it, {end}: {way}", function.name);
    let key = path.first().map(|way| way.key.clone()).unwrap_or_default();
    let cut = path.into_iter().filter_map(|way| way.cut).min_by_key(|cut| usize::from(!cut.key.ends_with("enabled")));
    Finding::new(Check::Loop, key, message).with(cut.into_iter().collect())
}

/// The name of a place.
pub(super) fn name_of(system: &System, target: Target) -> &str {
    match target {
        Target::Queue(id) => &system.queues[id].name,
        Target::Topic(id) => &system.topics[id].name,
        Target::EventBus(id) => &system.event_buses[id].name,
        Target::Bucket(id) => &system.buckets[id].name,
        Target::Function(id) => &system.functions[id].name,
        Target::Stream(id) => &system.streams[id].name,
        Target::Broker(id) => &system.brokers[id].name,
        Target::StateMachine(id) => &system.state_machines[id].name,
    }
}
