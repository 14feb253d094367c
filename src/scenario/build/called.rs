//! Whether what runs call takes what is said of the calls, and whether they come to an end.

use std::collections::BTreeSet;

use super::Builder;
use super::checks::Blocks;
use super::message::is_said;
use super::names::Resource;
use crate::aws::ids::{FunctionId, Id};
use crate::aws::limits;
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Resolved, Value};

/// What is called, by its key: what goes there, and whether that has a key.
const CALLED: [(&str, &str, bool); 9] = [
    ("dependency", "a request to a dependency", false),
    ("function", "an invocation", false),
    ("queue", "a message of a queue", true),
    ("stream", "a record of a stream", true),
    ("broker", "a message at a broker", false),
    ("topic", "a message to a topic", false),
    ("event_bus", "an event for a bus", false),
    ("bucket", "an object for a bucket", false),
    ("state_machine", "an execution", false),
];

/// The key of a call under which a resource is called.
fn key_of(kind: ResourceKind) -> Option<&'static str> {
    Some(match kind {
        ResourceKind::Dependency => "dependency",
        ResourceKind::Function => "function",
        ResourceKind::Queue => "queue",
        ResourceKind::Stream => "stream",
        ResourceKind::Broker => "broker",
        ResourceKind::Topic => "topic",
        ResourceKind::EventBus => "event_bus",
        ResourceKind::Bucket => "bucket",
        ResourceKind::StateMachine => "state_machine",
        ResourceKind::Mapping | ResourceKind::Caller => return None,
    })
}

/// What helps where a call names a resource of another kind than its key takes.
pub(super) fn called_as(value: &Resolved, found: ResourceKind, name: &str) -> Option<String> {
    let path = value.path.to_string();
    let is_call = path.rsplit_once('.').is_some_and(|(call, _)| call.contains(".calls["));
    key_of(found).filter(|_| is_call).map(|key| format!("write `{key}: {name}`"))
}

impl Builder<'_> {
    /// Whether what a function's runs call takes what is said of it.
    pub(super) fn call_combinations(&mut self, function: &Resolved, blocks: &Blocks) {
        for call in calls_of(function) {
            self.call_has_keys(call, blocks);
            self.call_is_parallel(call);
            self.call_fits(call, blocks);
        }
    }

    /// ESM-2.1: records have partition keys, and messages of queues may have a message group.
    fn call_has_keys(&mut self, call: &Resolved, blocks: &Blocks) {
        let keys = call.field("keys");
        let called = CALLED.iter().find_map(|(key, what, has_keys)| Some((call.if_has(key)?, what, *has_keys)));
        let Some((target, what, has_keys)) = called.filter(|_| is_said(keys)) else { return };
        if !has_keys {
            let expected = "a queue or a stream as what is called";
            return self.not_taken_by(keys, (target, "what is called"), &format!("{what} has no key"), expected);
        }
        if let Value::Tagged("hash", inner) = &keys.value
            && let Some(Resource::Stream(stream)) = self.names.named(target)
            && blocks.streams[stream.index()].if_has("type").and_then(Resolved::word) != Some("kinesis")
        {
            let expected = "a Kinesis stream as what is called (ESM-2.1)";
            self.not_taken_by(inner, (target, "what is called"), "only Kinesis takes explicit hash keys", expected);
        }
    }

    /// Not more calls are under way at once than there are.
    fn call_is_parallel(&mut self, call: &Resolved) {
        let (times, parallel) = (call.field("times"), call.field("parallel"));
        let Some((all, at_once)) = times.whole().zip(parallel.whole()).filter(|(all, at_once)| at_once > all) else {
            return;
        };
        let message = format!("{at_once} calls at once are more than `times` makes: {all}");
        self.contradiction(parallel, message, |problem| {
            let problem = problem.with_expected("at most `times`");
            if times.is_written() {
                problem.with_related(times.place, "made in all")
            } else {
                problem.with_help(format!("write `times: {at_once}, parallel: {at_once}` for so many calls at once"))
            }
        });
    }

    /// What is too large at its smallest would never be taken.
    fn call_fits(&mut self, call: &Resolved, blocks: &Blocks) {
        let Some(payload) = call.if_has("payload").filter(|payload| !payload.is_bad()) else { return };
        let Some(target) = CALLED.iter().find_map(|(key, ..)| call.if_has(key)) else { return };
        let Some((what, largest, rule)) = self.largest(call, target, blocks) else { return };
        let Some(smallest) = self.distribution(payload).map(|bytes| bytes.min()) else { return };
        if smallest > largest {
            let message = format!("each of these calls is larger than {what} takes");
            let problem = Problem::new(ProblemKind::OutOfRange, payload.place, message).at_key(&payload.path);
            let problem = problem.with_expected(format!("at most {largest}B ({rule})"));
            self.problems.push(problem.with_related(target.place, "what is called"));
        }
    }

    /// The most bytes that what is called takes, where it has a limit, and the rule that says so.
    fn largest(
        &self,
        call: &Resolved,
        target: &Resolved,
        blocks: &Blocks,
    ) -> Option<(&'static str, u64, &'static str)> {
        let at_most = |block: &Resolved, key: &str| block.if_has(key).and_then(Resolved::whole);
        Some(match self.names.named(target)? {
            Resource::Function(_) if call.field("invocation").word() == Some("async") => {
                ("an asynchronous invocation", limits::ASYNCHRONOUS_PAYLOAD_BYTES, "INV-Q2")
            }
            Resource::Function(_) => ("a synchronous invocation", limits::SYNCHRONOUS_PAYLOAD_BYTES, "INV-Y2"),
            Resource::Queue(id) => {
                ("this queue", at_most(&blocks.queues[id.index()], "maximum_message_size")?, "ESM-1.1")
            }
            Resource::Stream(id) => {
                ("this stream", at_most(&blocks.streams[id.index()], "maximum_record_size")?, "ESM-2.1")
            }
            Resource::Topic(id) => {
                ("this topic", at_most(&blocks.topics[id.index()], "maximum_message_size")?, "INV-6")
            }
            Resource::EventBus(_) => ("an event bus", limits::EVENT_BUS_ENTRY_BYTES, "INV-6"),
            Resource::Bucket(_) => ("a bucket", limits::OBJECT_BYTES, "INV-6"),
            Resource::Broker(_)
            | Resource::StateMachine(_)
            | Resource::Dependency(_)
            | Resource::Mapping(_)
            | Resource::Caller(_) => return None,
        })
    }

    /// INV-5.7: functions that call each other for ever, where nothing stops the chain and `drain` waits for its end.
    pub(super) fn calls_end(&mut self, functions: &[Resolved], account: &Resolved, drain: &Resolved) {
        if drain.word() != Some("settle") {
            return;
        }
        let invoked = |function| if goes_on(function) { self.invoked(function) } else { Vec::new() };
        let next: Vec<Vec<Invoked<'_>>> = functions.iter().map(invoked).collect();
        let mut ended = BTreeSet::new();
        for start in 0..functions.len() {
            while let Some(chain) = way_back(start, &next, &mut ended) {
                let fills = self.at_once(&chain, functions).zip(account.field("concurrency_limit").whole());
                if fills.is_some_and(|(runs, limit)| runs < limit) {
                    self.never_ends(&chain);
                }
                ended.extend(chain.iter().map(|(function, _)| function.index()));
            }
        }
    }

    /// The functions that the runs of one call.
    fn invoked<'r>(&self, function: &'r Resolved) -> Vec<Invoked<'r>> {
        let target = |call: &'r Resolved| self.names.named(call.if_has("function")?)?.function();
        calls_of(function).filter_map(|call| target(call).map(|of| (of, call))).collect()
    }

    /// The most runs of a chain at once: those that began within the longest time-out, where each waits for the next.
    /// Where they fill the account, a throttle ends the chain.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and a number beyond 64 bits is cut to the largest"
    )]
    fn at_once(&mut self, chain: &[Invoked<'_>], functions: &[Resolved]) -> Option<u64> {
        if chain.iter().any(|(_, call)| call.field("invocation").word() == Some("async")) {
            return Some(1);
        }
        let (mut longest, mut round) = (0, 0.0);
        for (id, _) in chain {
            let function = &functions[id.index()];
            longest = longest.max(function.field("timeout").duration()?.as_nanos());
            round += self.distribution(function.field("duration"))?.mean();
        }
        Some((longest as f64 * chain.len() as f64 / round.max(1.0)) as u64)
    }

    fn never_ends(&mut self, chain: &[Invoked<'_>]) {
        let Some((_, last)) = chain.last() else { return };
        let name = |id: FunctionId| format!("`{}`", self.names.name(Resource::Function(id)).text);
        let names: Vec<String> = chain.iter().map(|(id, _)| name(*id)).collect();
        let (message, of) = match names.as_slice() {
            [one] => (format!("{one} calls itself for ever"), ""),
            _ => (format!("{} call each other for ever", names.join(", ")), " of one of them"),
        };
        self.contradiction(last.field("function"), message, |problem| {
            problem.with_expected(format!("`recursive_loop: terminate`{of}, or `drain: 0s` (INV-5.7)")).with_help(
                "`drain: settle` waits for the end of these calls, and `recursive_loop: allow` lets them go on",
            )
        });
    }
}

/// A function that a run calls, and the call.
type Invoked<'r> = (FunctionId, &'r Resolved);

/// The calls of a function's runs, of all steps.
fn calls_of(function: &Resolved) -> impl Iterator<Item = &Resolved> {
    let steps = function.field("calls").list().iter().filter(|step| !step.is_bad());
    let calls = steps
        .flat_map(|step| if step.has("times") { std::slice::from_ref(step) } else { step.field("parallel").list() });
    calls.filter(|call| !call.is_bad())
}

/// Whether a chain of requests that comes back to a function goes on, and no failure or limit of its own ends it.
fn goes_on(function: &Resolved) -> bool {
    !function.is_bad()
        && function.field("recursive_loop").word() == Some("allow")
        && function.field("reserved_concurrency").is_without()
        && function.field("failures").list().is_empty()
}

/// The functions of a circle that is reached from one, each with its call of the next; functions that need no second look
/// are noted.
fn way_back<'r>(start: usize, next: &[Vec<Invoked<'r>>], ended: &mut BTreeSet<usize>) -> Option<Vec<Invoked<'r>>> {
    // The functions on the way, each with how many of its calls have been followed.
    let mut way: Vec<(usize, usize)> = Vec::new();
    if !ended.contains(&start) {
        way.push((start, 0));
    }
    while let Some((at, followed)) = way.last_mut() {
        let (from, call) = (*at, next[*at].get(*followed));
        *followed += 1;
        let Some((to, _)) = call else {
            ended.insert(from);
            way.pop();
            continue;
        };
        if let Some(first) = way.iter().position(|(function, _)| *function == to.index()) {
            let call = |(function, followed): &(usize, usize)| {
                let (_, call) = next[*function][followed - 1];
                (FunctionId::from_index(*function), call)
            };
            return Some(way[first..].iter().map(call).collect());
        }
        if !ended.contains(&to.index()) {
            way.push((to.index(), 0));
        }
    }
    None
}
