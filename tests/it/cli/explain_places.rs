//! The stories of what topics, event buses and buckets pass on.

use lambdasim::run;
use lambdasim::story::events::EventsCsv;

use super::*;
use crate::common;

/// An object goes its way over a topic and a queue; Lambda's API fails for the other subscriber in the first 90 s.
const UPLOAD: &str = "\
name: vector
duration: 1s
functions: { resize: { duration: 100ms }, audit: { duration: 10ms } }
buckets: { uploads: { notify: [uploaded], delay: 500ms } }
topics: { uploaded: { subscribers: [jobs, audit] } }
queues: { jobs: {} }
event_source_mappings: { worker: { source: jobs, function: resize, batch_size: 1 } }
callers: { people: { target: uploads, payload: 5MB, arrivals: { at: [0s] } } }
faults: [{ function: audit, status: 500, until: 4s }]
";

/// A rule that gives up, one that has nobody to keep what it loses, and one whose dead-letter queue refuses.
const BUS: &str = "\
name: vector
duration: 1s
functions: { f: { duration: 100ms } }
event_buses:
  main:
    rules:
      - { targets: [f], retry: { maximum_retry_attempts: 1 }, dead_letter_queue: dead }
      - { targets: [small] }
      - { targets: [f], retry: { maximum_event_age: 60s }, dead_letter_queue: broken }
queues: { dead: {}, small: { maximum_message_size: 1KiB }, broken: {} }
callers: { shop: { target: main, payload: 2KB, arrivals: { at: [0s] } } }
faults: [{ function: f, status: 503 }, { queue: broken, status: 500 }]
";

/// What nobody wants, and what is too large for the topic.
const NOBODY: &str = "\
name: vector
duration: 2s
functions: { f: { duration: 100ms } }
topics: { news: { subscribers: [{ to: f, match: 0% }] } }
callers: { shop: { target: news, payload: { uniform: { min: 200KB, max: 300KB } }, arrivals: { constant: 20/s } } }
";

/// Still waiting at the end.
fn waiting() -> String {
    UPLOAD.replace("until: 4s", "until: 1h").replace("duration: 1s\n", "duration: 1s\ndrain: 10s\n")
}

/// A dead letter of Lambda that a topic passes on.
const DEAD: &str = "\
name: vector
duration: 1s
functions:
  f: { duration: 100ms, failures: [{ probability: 100% }], async: { maximum_retry_attempts: 0, dead_letter_queue: failed } }
  repair: { duration: 10ms }
topics: { failed: { subscribers: [repair] } }
callers: { shop: { target: f, invocation: async, arrivals: { at: [0s] } } }
";

#[test]
fn what_is_passed_on_is_told() {
    let stories = [
        ("s3_sns_sqs_lambda", UPLOAD.to_owned(), ""),
        ("bus", BUS.to_owned(), "--first dead-lettered"),
        ("nobody", NOBODY.replace("{ uniform: { min: 200KB, max: 300KB } }", "1KB"), ""),
        ("too_large", NOBODY.to_owned(), "--first failed"),
        ("waiting", waiting(), ""),
        ("dead_letter_to_topic", DEAD.to_owned(), "--first dead-lettered"),
    ];
    for (name, yaml, selection) in stories {
        let room = Room::new().with("vector.yaml", &yaml);
        let done = room.lambdasim(&format!("explain vector.yaml {selection}")).exits(0).complains_of_nothing();
        let story = done.stdout();
        let wide: Vec<_> = story.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name}: {wide:#?}");
        insta::assert_snapshot!(format!("explain_places_{name}"), story);
    }
}

/// What is told of one submission is what the table of all says of it.
#[test]
fn a_story_has_the_rows_of_its_event() {
    for yaml in [UPLOAD.to_owned(), BUS.to_owned(), waiting(), DEAD.to_owned()] {
        let room = Room::new().with("vector.yaml", &yaml);
        let scenario = common::scenario(&yaml);
        let ended = run::simulate(&scenario, EventsCsv::new(&scenario, Vec::new()), |_| true).unwrap();
        let events = String::from_utf8(ended.observer.finish().unwrap()).unwrap();
        let story = room.lambdasim("explain vector.yaml --format csv").exits(0).stdout();
        let mut rows: Vec<_> = events.lines().skip(1).collect();
        let mut told: Vec<_> = story.lines().skip(1).collect();
        rows.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, rows, "{yaml}");
    }
}

#[test]
fn deliveries_with_a_fate_are_found() {
    let slow = UPLOAD.replace("at: [0s]", "at: [0s, 900ms]");
    for (yaml, selection, found) in [
        (BUS.to_owned(), "--first dropped", "shop#1"),
        (BUS.replace(", dead_letter_queue: dead", ""), "--first dead-lettered", "no event was dead-lettered"),
        (slow.clone(), "--first dropped", "no event was dropped"),
        (slow.replace("until: 4s", "from: 800ms, until: 20s"), "--slowest", "people#2"),
    ] {
        let room = Room::new().with("vector.yaml", &yaml);
        let story = room.lambdasim(&format!("explain vector.yaml -q {selection}")).exits(0).stdout();
        assert!(story.starts_with(found), "{selection}: {story}");
    }
}
