//! The stories of calls that go through a service before the function.

use lambdasim::run;
use lambdasim::story::events::EventsCsv;

use super::*;
use crate::common;

/// Calls of `resize` through a service.
fn through(via: &str, function: &str, caller: &str, more: &str) -> String {
    format!(
        "name: vector
duration: 1s
queues: {{ dead: {{}} }}
functions:
  resize: {{ {function} }}
callers:
  users: {{ target: resize, via: {via}, {caller} }}
{more}"
    )
}

const ONCE: &str = "arrivals: { at: [0s] }";
const FAILS: &str = "duration: 1s, failures: [{ probability: 100% }]";

/// One of each: what a service does by itself.
fn stories() -> [(&'static str, String); 14] {
    let slow = "duration: 40s, timeout: 1m";
    let refuses = "faults: [{ function: resize, status: 500 }]\n";
    let retry = "client: { retry: { max_attempts: 2, base: 1s, jitter: none } }, arrivals: { at: [0s] }";
    let records = "payload: 100KB, arrivals: { at: [0s, 100ms, 200ms] }";
    let topic = "{ sns: { dead_letter_queue: dead, retry: { backoff: { times: 0 }, post_backoff: { times: 0 } } } }";
    [
        ("door_timeout", through("api_gateway_rest", slow, ONCE, "")),
        ("door_retry", through("api_gateway_http", slow, retry, "")),
        ("door_error", through("api_gateway_rest", FAILS, ONCE, "")),
        ("door_custom", through("{ api_gateway_rest: { integration: custom } }", FAILS, ONCE, "")),
        ("door_throttle", through("alb", "duration: 1s, reserved_concurrency: 0", ONCE, "")),
        (
            "door_bucket",
            through("{ api_gateway_rest: { burst: 1, rate: 1/s } }", "duration: 1s", "arrivals: { at: [0s, 0s] }", ""),
        ),
        ("door_size", through("alb", "duration: 1s", &format!("payload: 2MB, {ONCE}"), "")),
        ("edge", through("{ cloudfront: { concurrency_limit: 1 } }", "duration: 1s", "arrivals: { at: [0s, 0s] }", "")),
        ("cognito", through("cognito", "duration: 6s, timeout: 10s", ONCE, "")),
        ("topic", through(topic, "duration: 1s", ONCE, refuses)),
        (
            "schedule",
            through("{ scheduler: { flexible_window: 5m, maximum_retry_attempts: 1 } }", "duration: 1s", ONCE, refuses),
        ),
        ("call_back", through("{ cloudformation: { callback_timeout: 5m } }", FAILS, ONCE, "")),
        ("buffer", through("{ firehose: { buffer_interval: 1s } }", "duration: 1s", records, "")),
        (
            "buffer_skipped",
            through("{ firehose: { buffer_interval: 1s, attempts: 2, timeout: 10s } }", slow, records, ""),
        ),
    ]
}

#[test]
fn services_are_told() {
    for (name, yaml) in stories() {
        let room = Room::new().with("vector.yaml", &yaml);
        let submission = if matches!(name, "door_bucket" | "edge" | "buffer" | "buffer_skipped") { 2 } else { 1 };
        let done = room.lambdasim(&format!("explain vector.yaml --event users#{submission}"));
        let story = done.exits(0).complains_of_nothing().stdout();
        let wide: Vec<_> = story.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name}: {wide:#?}");
        insta::assert_snapshot!(format!("explain_{name}"), story);
    }
}

/// What is told of one record of a buffer is what the table of all says of it.
#[test]
fn a_record_in_a_buffer_has_the_steps_of_its_buffer() {
    for (name, yaml) in stories() {
        let room = Room::new().with("vector.yaml", &yaml);
        let scenario = common::scenario(&yaml);
        let ended = run::simulate(&scenario, EventsCsv::new(&scenario, Vec::new()), |_| true).unwrap();
        let events = String::from_utf8(ended.observer.finish().unwrap()).unwrap();
        let count = events.lines().filter(|row| row.contains(",submitted,")).count();
        for number in 1..=count {
            let event = format!("users#{number}");
            let story = room.lambdasim(&format!("explain vector.yaml --format csv --event {event}")).exits(0).stdout();
            let is_of_it = |row: &&str| {
                let found = row.split(',').nth(1).unwrap_or_default();
                found == event || found.starts_with(&format!("{event}/"))
            };
            let rows: Vec<_> = events.lines().filter(is_of_it).collect();
            assert_eq!(story.lines().skip(1).collect::<Vec<_>>(), rows, "{name}, {event}");
        }
    }
}

#[test]
fn events_with_a_fate_are_found() {
    for (name, selection, found) in [
        ("topic", "--first dead-lettered", "users#1"),
        ("schedule", "--first dead-lettered", "no event was dead-lettered"),
        ("door_bucket", "--first throttled", "users#2"),
        ("edge", "--first throttled", "users#2"),
        ("door_timeout", "--first failed", "users#1"),
        ("buffer_skipped", "--slowest", "users#1"),
    ] {
        let yaml = stories().into_iter().find(|story| story.0 == name).unwrap().1;
        let room = Room::new().with("vector.yaml", &yaml);
        let story = room.lambdasim(&format!("explain vector.yaml -q {selection}")).exits(0).stdout();
        assert!(story.starts_with(found), "{name}, {selection}: {story}");
    }
}

/// A caller's line names its service, and the statuses that are not plain.
#[test]
fn the_report_names_the_service() {
    for (name, line) in [
        ("door_timeout", "users: via api_gateway_rest; 1 failed in the service; 1 attempt: 1 answered 504"),
        ("door_custom", "users: via api_gateway_rest"),
        ("topic", "users: via sns; 1 failed in the service; 1 sent to its dead-letter queue; 6"),
        ("call_back", "users: via cloudformation; 1 timed out"),
    ] {
        let yaml = stories().into_iter().find(|story| story.0 == name).unwrap().1;
        let room = Room::new().with("vector.yaml", &yaml);
        let report = room.lambdasim("run vector.yaml --no-files").exits(0).stdout();
        let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(report.contains(line), "{name}: no {line:?} in\n{report}");
    }
}
