//! The story of one event, and the files that hold the steps of all.

use super::*;

/// A scenario around one function `resize` and one event for it.
fn one_event(resize: &str, more: &str) -> String {
    format!(
        "name: vector
duration: 1s
functions:
  resize: {{ timeout: 15m, {resize} }}
callers:
  uploads: {{ target: resize, invocation: async, arrivals: {{ at: [0s] }} }}
{more}"
    )
}

const FAILS: &str = "failures: [{ probability: 100% }]";

/// As [`one_event`], with another caller that holds the only unit of concurrency from before.
fn held(held_for: &str, asynchronous: &str) -> String {
    format!(
        "name: vector
duration: 1s
functions:
  resize: {{ timeout: 15m, duration: {held_for}, reserved_concurrency: 1, async: {{ {asynchronous} }} }}
callers:
  holder: {{ target: resize, arrivals: {{ at: [0s] }}, client: {{ timeout: unlimited }} }}
  uploads: {{ target: resize, invocation: async, arrivals: {{ at: [0s] }} }}
"
    )
}

#[test]
fn the_vectors_are_told() {
    let kill_switch = "duration: 0s, reserved_concurrency: 0, async: { dead_letter_queue: dead, on_failure: failed }";
    let stories: [(&str, String, &str); 12] = [
        ("v19", one_event(&format!("duration: 0s, {FAILS}"), ""), ""),
        ("v20", one_event(&format!("duration: 2s, {FAILS}"), ""), ""),
        ("v22", one_event(&format!("duration: 0s, {FAILS}, async: {{ maximum_event_age: 60s }}"), ""), ""),
        ("v23", one_event(&format!("duration: 1s, {FAILS}, async: {{ maximum_event_age: 90s }}"), ""), ""),
        ("v24_lookahead", held("15m", "maximum_event_age: 60s"), "--event uploads#1"),
        ("v24_at_deadline", held("15m", "maximum_event_age: 60s, expiry: at_deadline"), "--event uploads#1"),
        ("v26", held("20s", ""), "--event uploads#1"),
        ("v27", one_event(kill_switch, "queues: { dead: {}, failed: {} }\n"), "--first dead-lettered"),
        ("v28", one_event("duration: 110s, async: { maximum_event_age: 60s }", ""), ""),
        ("synchronous", RETRIES.to_owned(), "--first failed"),
        ("chain", chain(), "--slowest"),
        ("duplicated", one_event("duration: 2s, async: { duplicate_probability: 1 }", ""), "--first duplicated"),
    ];
    for (name, yaml, selection) in stories {
        let room = Room::new().with("vector.yaml", &yaml);
        let done = room.lambdasim(&format!("explain vector.yaml {selection}")).exits(0).complains_of_nothing();
        let story = done.stdout();
        let wide: Vec<_> = story.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name}: {wide:#?}");
        insta::assert_snapshot!(format!("explain_{name}"), story);
    }
}

/// A queue `orders` with its dead-letter queue `dead`, read by a mapping.
fn messages(queue: &str, function: &str, mapping: &str, arrivals: &str, more: &str) -> String {
    format!(
        "name: vector
duration: 1s
functions: {{ worker: {{ {function} }} }}
queues: {{ orders: {{ {queue} }}, dead: {{}} }}
event_source_mappings: {{ orders-worker: {{ source: orders, function: worker, {mapping} }} }}
callers: {{ shop: {{ target: orders, arrivals: {{ {arrivals} }} }} }}
{more}"
    )
}

/// ESM-A31: more is received than can run.
fn over_pulling() -> String {
    messages(
        "visibility_timeout: 30s, redrive: { dead_letter_queue: dead, max_receive_count: 1 }",
        "duration: 5s, timeout: 10s, reserved_concurrency: 1",
        "batch_size: 1, pollers: { maximum: 5 }",
        "burst: { size: 10 }",
        "",
    )
}

/// ESM-A41: the function names those that failed.
fn partial_failures(batch: u32) -> String {
    messages(
        "visibility_timeout: 60s",
        "duration: 4s, timeout: 10s, failures: [{ events: [3, 7], first_attempts: 1 }]",
        "report_batch_item_failures: true",
        &format!("burst: {{ size: {batch} }}"),
        "",
    )
}

/// ESM-A34: the run is longer than the visibility time-out.
fn short_visibility() -> String {
    messages(
        "visibility_timeout: 60s, redrive: { dead_letter_queue: dead, max_receive_count: 2 }",
        "duration: 45s, timeout: 60s",
        "",
        "at: [0s]",
        "changes: [{ at: 0s, set: { queues.orders.visibility_timeout: 30s } }]",
    )
}

/// An event whose dead letter is received by a mapping.
fn dead_letter_received() -> String {
    let dead = "async: { maximum_retry_attempts: 0, dead_letter_queue: dead }";
    one_event(&format!("duration: 2s, {FAILS}, {dead}"), "queues: { dead: {} }\n").replace(
        "callers:",
        "  repair: { duration: 1s }\nevent_source_mappings: { fix: { source: dead, function: repair } }\ncallers:",
    )
}

/// ESM-A10, A31, A34, A41, A47, C9.
#[test]
fn messages_are_told() {
    let fails = messages(
        "visibility_timeout: 30s, redrive: { dead_letter_queue: dead, max_receive_count: 3 }",
        "duration: 1s, failures: [{ probability: 100% }]",
        "",
        "at: [0s]",
        "",
    );
    let window = "batch_size: 100, maximum_batching_window: 5s, filter: 50%";
    let alone = messages("delivery_delay: 5s", "duration: 1s", window, "burst: { size: 4 }", "");
    let stories = [
        ("a10", fails, "--first failed"),
        ("a31", over_pulling(), "--first dead-lettered"),
        ("a34", short_visibility(), "--first duplicated"),
        ("a41_failed", partial_failures(10), "--event shop#7"),
        ("a41_deleted", partial_failures(10), "--event shop#8"),
        ("a47_alone", alone, "--slowest"),
        (
            "c9_twice",
            partial_failures(2).replace("report", "spurious_duplicate_probability: 1, report"),
            "--event shop#2",
        ),
        ("dead_letter_received", dead_letter_received(), ""),
    ];
    for (name, yaml, selection) in stories {
        let room = Room::new().with("vector.yaml", &yaml);
        let done = room.lambdasim(&format!("explain vector.yaml {selection}")).exits(0).complains_of_nothing();
        let story = done.stdout();
        assert!(story.lines().all(|line| line.chars().count() <= 80), "{name}: {story}");
        insta::assert_snapshot!(format!("explain_{name}"), story);
    }
    let room = Room::new().with("vector.yaml", &partial_failures(3));
    room.lambdasim("run vector.yaml --format json --no-files --events events.csv").exits(0);
    let events = String::from_utf8(room.files()["events.csv"].clone()).unwrap();
    insta::assert_snapshot!("events_a41", events);
}

/// What is told of one message of a batch is what the table of all says of it.
#[test]
fn a_message_in_a_batch_has_the_steps_of_its_batch() {
    let room = Room::new().with("vector.yaml", &partial_failures(10));
    room.lambdasim("run vector.yaml --format json --no-files --events events.csv").exits(0);
    let events = String::from_utf8(room.files()["events.csv"].clone()).unwrap();
    for message in ["shop#1,", "shop#3,", "shop#7,", "shop#10,"] {
        let (name, _) = message.split_once(',').unwrap();
        let story = room.lambdasim(&format!("explain vector.yaml --format csv --event {name}")).exits(0).stdout();
        let rows: Vec<_> = events.lines().filter(|row| row.contains(message)).collect();
        assert_eq!(story.lines().skip(1).collect::<Vec<_>>(), rows, "{name}");
    }
}

/// A call that meets a fault of the service, its client's time-out, and the end of its attempts.
const RETRIES: &str = "\
name: vector
duration: 1s
functions:
  pay: { duration: 3s, timeout: 10s, init: 500ms, failures: [{ first_attempts: 1, kind: timeout }] }
faults:
  - { function: pay, status: 503, until: 10ms }
callers:
  shop:
    target: pay
    arrivals: { at: [0s] }
    client: { timeout: 2s, retry: { max_attempts: 3, base: 50ms, jitter: none } }
";

/// A failure whose record goes to another function, and its record to a queue.
fn chain() -> String {
    let yaml = one_event(
        "duration: 2s, failures: [{ probability: 100%, error: BadImage }],
    async: { maximum_retry_attempts: 1, dead_letter_queue: dead, on_failure: repair }",
        "queues: { dead: {}, done: {} }\n",
    );
    yaml.replace("callers:", "  repair: { duration: 100ms, async: { on_success: done } }\ncallers:")
}

#[test]
fn every_step_and_every_record_can_be_written() {
    let kill_switch = "duration: 0s, reserved_concurrency: 0, async: { dead_letter_queue: dead, on_failure: failed }";
    let never = "maximum_event_age: 60s, on_failure: failed";
    let timeout = "duration: 0s, failures: [{ probability: 100%, kind: timeout }], async: { on_failure: failed }";
    let queues = "queues: { dead: {}, failed: {} }\n";
    let stories = [
        ("v19", one_event(&format!("duration: 0s, {FAILS}, async: {{ on_failure: failed }}"), queues)),
        ("v24", held("15m", never) + queues),
        ("v27", one_event(kill_switch, queues)),
        ("chain", chain()),
        ("timeout", one_event(timeout, queues).replace("timeout: 15m", "timeout: 3s")),
    ];
    for (name, yaml) in stories {
        let room = Room::new().with("vector.yaml", &yaml);
        room.lambdasim("run vector.yaml --format json --no-files --events events.csv --records records.jsonl")
            .exits(0)
            .complains("events.csv written")
            .complains("records.jsonl written");
        let files = room.files();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["events.csv", "records.jsonl"]);
        let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
        insta::assert_snapshot!(format!("events_{name}"), text("events.csv"));
        insta::assert_snapshot!(format!("records_{name}"), text("records.jsonl"));
    }
}

#[test]
fn a_story_that_nobody_asks_for_changes_nothing() {
    let line = "run shop.yaml --format json --no-files";
    let room = Room::new();
    let plain = room.lambdasim(line).exits(0);
    let told = room.lambdasim(&format!("{line} --events events.csv --records records.jsonl")).exits(0);
    assert_eq!(plain.output.stdout, told.output.stdout);
    let files = room.files();
    let submitted = plain.json()["callers"]["buyers"]["submitted"].as_u64().unwrap();
    let lines = String::from_utf8(files["events.csv"].clone()).unwrap();
    assert_eq!(lines.matches(",submitted,").count() as u64, submitted);
    assert!(files["records.jsonl"].is_empty());
    let again = Room::new();
    again.lambdasim(&format!("{line} --events events.csv")).exits(0);
    assert!(again.files()["events.csv"] == files["events.csv"]);
}

#[test]
fn the_story_of_a_run_is_in_its_events() {
    let room = Room::new().with("vector.yaml", &chain());
    let table = room.lambdasim("explain vector.yaml --format csv").exits(0).stdout();
    room.lambdasim("run vector.yaml --format json --no-files --events events.csv").exits(0);
    assert_eq!(table.as_bytes(), room.files()["events.csv"]);
    let story = room.lambdasim("explain vector.yaml --format json --event uploads#1/1").exits(0).json();
    assert_eq!(story["event"], "uploads#1");
    let steps = story["steps"].as_array().unwrap();
    assert_eq!(steps.len(), table.lines().count() - 1);
    let keys: Vec<_> = steps[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["time_ms", "event", "run", "actor", "step", "rule", "detail"]);
    for step in steps.iter().filter(|step| !step["rule"].is_null()) {
        let rules = story["rules"].as_array().unwrap();
        assert_eq!(rules.iter().filter(|rule| rule["id"] == step["rule"]).count(), 1, "{step}");
    }
}

#[test]
fn an_event_is_chosen() {
    let room = Room::new().with("vector.yaml", &chain());
    let headline = |flags: &str| room.lambdasim(&format!("explain {flags} -q")).exits(0).stdout();
    assert!(headline("shop.yaml").starts_with("buyers#1 was a call of checkout."));
    assert!(headline("shop.yaml --event buyers#7").starts_with("buyers#7 "));
    assert!(headline("shop.yaml --seed 2 --slowest") != headline("shop.yaml --seed 3 --slowest"));
    assert!(headline("shop.yaml --set functions.checkout.reserved_concurrency=1 --first throttled").contains('#'));
    for fate in ["dead-lettered", "dropped", "failed"] {
        assert!(headline(&format!("vector.yaml --first {fate}")).starts_with("uploads#1 "), "{fate}");
    }
    for (fate, sentence) in [
        ("dead-lettered", "no event was dead-lettered\n"),
        ("dropped", "no event was dropped\n"),
        ("throttled", "nothing was throttled\n"),
        ("failed", "no call and no event failed\n"),
        ("duplicated", "no event was duplicated\n"),
    ] {
        let done = room.lambdasim(&format!("explain shop.yaml --first {fate}")).exits(0).complains_of_nothing();
        assert_eq!(done.stdout(), sentence);
    }
    let twice = "--set functions.resize.async.duplicate_probability=1 --first duplicated";
    assert!(headline(&format!("vector.yaml {twice}")).starts_with("uploads#1 "));
    room.lambdasim("explain shop.yaml").exits(0).prints("--event CALLER#N");
    assert_eq!(room.names(), [""; 0]);
}

#[test]
fn what_names_no_event_is_bad_usage() {
    let room = Room::new();
    for (flags, complaint) in [
        ("--event buyer#1", "did you mean `buyers`?"),
        ("--event nobody#1", "its callers: buyers"),
        ("--event buyers#0", "has the number 1"),
        ("--event buyers#x", "`x` is no number"),
        ("--event buyers", "write CALLER#N"),
        ("--event buyers#1000000", "buyers#1000000 never came: buyers submitted 2"),
        ("--event buyers#1 --slowest", "cannot be used with"),
        ("--first late", "dead-lettered, dropped, throttled, failed, duplicated"),
        ("--set memory=1", "--set #1"),
        ("shop.yaml", "unexpected argument"),
    ] {
        room.lambdasim(&format!("explain shop.yaml {flags}")).exits(2).prints_nothing().complains(complaint);
    }
    room.lambdasim("explain missing.yaml").exits(3).prints_nothing().complains("cannot read missing.yaml");
    room.lambdasim("explain shop.yaml --slowest --set model.event_budget=100").exits(1).complains("event budget");
}

#[test]
fn files_of_steps_are_for_one_scenario_and_appear_whole() {
    let room = Room::new().with_shop("kiosk", "").with("file", "");
    room.lambdasim("run shop.yaml kiosk.yaml --events a.csv").exits(2).complains("--events is for one scenario");
    room.lambdasim("run shop.yaml kiosk.yaml --records a").exits(2).complains("--records is for one scenario");
    room.lambdasim("run shop.yaml --events a --records a").exits(2).complains("the same file");
    room.lambdasim("run shop.yaml --events shop.yaml").exits(2).complains("shop.yaml is the scenario itself");
    for path in ["no/a.csv", "file/a.csv", "."] {
        let line = format!("run shop.yaml --no-files --events {path}");
        room.lambdasim(&line).exits(3).prints_nothing().complains(&format!("cannot write {path}: "));
    }
    let budget = "--set model.event_budget=1000";
    room.lambdasim(&format!("run shop.yaml --no-files --events a.csv {budget}")).exits(1);
    assert_eq!(room.names(), ["file"]);
    room.lambdasim("run shop.yaml --events results/shop/events.csv -q").exits(0).complains_of_nothing();
    assert!(room.names().contains(&"results/shop/events.csv".to_owned()));
}

/// A device is written, never replaced.
#[cfg(target_os = "linux")]
#[test]
fn a_place_without_room_is_an_error() {
    let room = Room::new();
    room.lambdasim("run shop.yaml --no-files --events /dev/full")
        .exits(3)
        .complains("cannot write /dev/full: No space");
    room.lambdasim("run shop.yaml --no-files --events /dev/null").exits(0);
    assert!(!Path::new("/dev/null").is_file() && !Path::new("/dev/full").is_file());
}
