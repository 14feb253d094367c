//! Reports of whole runs with queues, as snapshots.

use std::path::Path;

use crate::report::{Format, Style, Verdict, render};
use crate::stats::summary::Summary;
use crate::{run, scenario};

/// One queue `orders` with its dead-letter queue, which `worker` feeds on.
fn simulate(queue: &str, function: &str, mapping: &str, arrivals: &str, more: &str) -> Summary {
    let yaml = format!(
        "name: orders
functions: {{ worker: {{ {function} }} }}
queues: {{ orders: {{ {queue} }}, orders-dlq: {{ message_retention: 14d }} }}
event_source_mappings: {{ orders-worker: {{ source: orders, function: worker, {mapping} }} }}
callers: {{ shop: {{ target: orders, arrivals: {{ {arrivals} }} }} }}
{more}"
    );
    let loaded = scenario::parse("test.yaml", yaml.as_bytes(), Path::new("."), &[]).expect("a valid scenario");
    let mut summary = run::run(&loaded.scenario).expect("a run that ends");
    summary.lambdasim = "VERSION".to_owned();
    summary.digest = "00c0ffee00c0ffee".to_owned();
    summary.scenario.sha256 = "0".repeat(64);
    summary
}

fn text(summary: &Summary) -> String {
    let text = render(Format::Text, std::slice::from_ref(summary), Style::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

const GOOD: &str = "visibility_timeout: 60s, redrive: { dead_letter_queue: orders-dlq, max_receive_count: 5 }";

fn over_pull() -> Summary {
    simulate(
        "redrive: { dead_letter_queue: orders-dlq, max_receive_count: 1 }",
        "duration: 5s, timeout: 10s, reserved_concurrency: 1",
        "batch_size: 1",
        "burst: { size: 100 }",
        "duration: 1m",
    )
}

fn all_well() -> Summary {
    simulate(GOOD, "duration: 200ms", "", "poisson: 20/s", "duration: 10m")
}

#[test]
fn messages_that_never_ran() {
    insta::assert_snapshot!(text(&over_pull()));
}

#[test]
fn messages_that_all_ran() {
    insta::assert_snapshot!(text(&all_well()));
}

/// A poison message without a dead-letter queue, provisioned pollers, a filter and a change to a bad state.
#[test]
fn everything_about_queues() {
    let summary = simulate(
        "visibility_timeout: 30s",
        "duration: 200ms, failures: [{ events: [7], probability: 100% }]",
        "provisioned_pollers: { minimum: 2, maximum: 200 }, maximum_batching_window: 20s, filter: 90%",
        "constant: 1/s",
        "duration: 10m\ndrain: 0s\nchanges: [{ at: 5m, set: { queues.orders.visibility_timeout: 2s } }]",
    );
    insta::assert_snapshot!(text(&summary));
}

#[test]
fn verdicts_on_messages() {
    let error = "duration: 1s, failures: [{ poison: 5% }]";
    let slow = "duration: 45s, timeout: 60s";
    let no_letters = "visibility_timeout: 60s";
    let shorter = "duration: 1m\nchanges: [{ at: 0s, set: { queues.orders.visibility_timeout: 30s } }]";
    let busy = "duration: 1s, reserved_concurrency: 2";
    let shown: Vec<String> = [
        over_pull(),
        simulate(GOOD, error, "batch_size: 1", "constant: 1/s", "duration: 1m"),
        simulate("message_retention: 60s", "duration: 1s", "enabled: false", "constant: 1/s", "duration: 5m"),
        simulate(no_letters, error, "batch_size: 1", "constant: 1/s", "duration: 1m\ndrain: 0s"),
        simulate(no_letters, slow, "batch_size: 1", "at: [0s]", shorter),
        simulate(GOOD, busy, "batch_size: 1", "constant: 1/s", "duration: 1m"),
        simulate(GOOD, busy, "batch_size: 1", "burst: { size: 20 }", "duration: 1m"),
        all_well(),
    ]
    .iter()
    .map(|summary| {
        let Verdict { mood, text, details } = Verdict::of(summary);
        format!("{mood:?}: {text} | {details}")
    })
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}
