//! Good topics, event buses and buckets: defaults, and every key.

use std::path::Path;

use lambdasim::aws::config::{Backoff, DeliveryPolicy, Jitter, RetryPhase, Route, System, Target};
use lambdasim::aws::ids::{EventBusId, FunctionId, Id, QueueId, StreamId, TopicId};
use lambdasim::kernel::dist::Distribution;
use lambdasim::kernel::quantity::Ratio;
use lambdasim::kernel::time::SimDuration;
use lambdasim::scenario::parse;

/// What is read, and reads the same when it is written out.
#[track_caller]
fn load(text: &str) -> System {
    let read = |text: &str| parse("x.yaml", text.as_bytes(), Path::new("."), &[]);
    let loaded = read(text).unwrap_or_else(|error| panic!("{error}"));
    let again = loaded.source.resolved_yaml();
    let again = read(&again).unwrap_or_else(|error| panic!("{error}\n{again}"));
    let system = loaded.scenario.system;
    assert_eq!(format!("{:?}", again.scenario.system), format!("{system:?}"), "as it is written out");
    system
}

fn seconds(count: u64) -> SimDuration {
    SimDuration::from_secs(count)
}

fn percent(share: u64) -> Ratio {
    Ratio::from_parts(Ratio::PARTS / 100 * share).unwrap()
}

fn function(index: usize) -> Target {
    Target::Function(FunctionId::from_index(index))
}

fn queue(index: usize) -> Target {
    Target::Queue(QueueId::from_index(index))
}

/// To whom, which rule, which share, and to which dead-letter queue.
fn routes(routes: &[Route]) -> Vec<(Target, u32, Ratio, Option<Target>)> {
    routes.iter().map(|route| (route.to, route.rule, route.matches, route.dead_letter_queue)).collect()
}

#[test]
fn every_key_of_a_place() {
    let system = load(include_str!("data/places.yaml"));
    let (all, dead) = (Ratio::ONE, Some(queue(2)));
    let news = &system.topics[TopicId::from_index(0)];
    assert_eq!((news.order, news.maximum_message_size), (6, 1 << 20));
    let expected = [(function(0), 0, all, None), (queue(0), 1, percent(20), dead), (function(1), 2, all, None)];
    assert_eq!(routes(&news.routes), expected);
    let constant = |times, every| RetryPhase::constant(times, seconds(every), Jitter::Full);
    let growing = RetryPhase::geometric(3, seconds(2), seconds(8), Jitter::Full);
    assert_eq!(news.routes[1].policy.phases, [constant(1, 0), constant(0, 2), growing, constant(5, 60)]);
    assert!((growing.backoff.factor - 2.0).abs() < 1e-12, "2, 4, 8 s");

    let main = &system.event_buses.rows()[0];
    let stream = Target::Stream(StreamId::from_index(0));
    let (topic, other) = (Target::Topic(TopicId::from_index(0)), Target::EventBus(EventBusId::from_index(1)));
    let first = [function(0), queue(0), topic, stream, other].map(|to| (to, 0, percent(25), dead));
    assert_eq!(routes(&main.routes)[..5], first);
    assert_eq!(routes(&main.routes)[5..], [(queue(1), 1, all, None)]);
    let jitter = Jitter::Share(percent(25));
    let backoff = Backoff { base: seconds(2), factor: 3.0, cap: None, jitter };
    let policy = DeliveryPolicy {
        phases: vec![RetryPhase { times: u32::MAX, backoff }],
        maximum_retry_attempts: Some(3),
        maximum_event_age: Some(seconds(60)),
    };
    assert_eq!(*main.routes[0].policy, policy);

    let uploads = &system.buckets.rows()[0];
    let plain = Target::Topic(TopicId::from_index(1));
    let bus = Target::EventBus(EventBusId::from_index(0));
    let expected =
        [(function(0), 0, all, None), (queue(0), 1, all, None), (plain, 2, percent(50), None), (bus, 3, all, None)];
    assert_eq!(routes(&uploads.routes), expected);
    assert_eq!(uploads.delay.as_ref().map(Distribution::mean), Some(1e9));
    let backoff = Backoff { base: seconds(2), factor: 1.5, cap: Some(seconds(60)), jitter: Jitter::Equal };
    let policy = &uploads.routes[0].policy;
    assert_eq!((policy.phases[0].backoff, policy.maximum_event_age), (backoff, Some(seconds(7_200))));
    assert!(system.buckets.rows()[1].routes.is_empty());
}

/// AWS's own numbers, and ours where it says none (INV-6, D31 to D33).
#[test]
fn defaults_of_places() {
    let system = load(
        "name: x
duration: 1h
functions: {f: {duration: 1ms}}
topics: {t: {subscribers: [f]}}
event_buses: {e: {rules: [{targets: [f]}]}}
buckets: {b: {notify: [f]}}
",
    );
    let topic = &system.topics.rows()[0];
    assert_eq!(topic.maximum_message_size, 262_144);
    let policy = &topic.routes[0].policy;
    let times: Vec<_> = policy.phases.iter().map(|phase| phase.times).collect();
    assert_eq!(times, [3, 2, 10, 100_000]);
    let bases: Vec<_> = policy.phases.iter().map(|phase| phase.backoff.base).collect();
    assert_eq!(bases, [seconds(0), seconds(1), seconds(1), seconds(20)]);
    assert_eq!(policy.phases[2].backoff.cap, Some(seconds(20)));
    assert_eq!((policy.maximum_retry_attempts, policy.maximum_event_age), (None, None));
    let doubling = |cap| Backoff { base: seconds(1), factor: 2.0, cap: Some(seconds(cap)), jitter: Jitter::None };
    let rule = &system.event_buses.rows()[0].routes[0].policy;
    assert_eq!((rule.phases[0].backoff, rule.maximum_retry_attempts), (doubling(480), Some(185)));
    assert_eq!(rule.maximum_event_age, Some(seconds(86_400)));
    let bucket = &system.buckets.rows()[0];
    assert_eq!(bucket.delay, None);
    let policy = &bucket.routes[0].policy;
    assert_eq!((policy.phases[0].backoff, policy.maximum_retry_attempts), (doubling(300), None));
    assert_eq!(policy.maximum_event_age, Some(seconds(86_400)));
    assert_eq!(routes(&bucket.routes), [(function(0), 0, Ratio::ONE, None)]);
}
