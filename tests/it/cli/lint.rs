//! `lambdasim lint`.

use super::*;

/// Three findings: a client that leaves first, few receives, a dead-letter queue that keeps nothing longer.
const JOBS: &str = "\
name: jobs
duration: 1m
functions:
  work: { duration: 1s, timeout: 10s }
queues:
  jobs: { visibility_timeout: 1m, redrive: { dead_letter_queue: lost, max_receive_count: 3 } }
  lost: {}
event_source_mappings:
  worker: { source: jobs, function: work }
callers:
  users: { target: work, arrivals: { poisson: 1/s }, client: { timeout: 5s } }
";

fn room() -> Room {
    Room::new().with("jobs.yaml", JOBS)
}

#[test]
fn findings_are_told_with_place_reason_source_and_change() {
    let room = room();
    let done = room.lambdasim("lint jobs.yaml").exits(0).complains_of_nothing();
    insta::assert_snapshot!("lint", done.stdout());
    assert!(room.names().is_empty(), "{:?}", room.names());
    room.lambdasim("lint shop.yaml").exits(0).complains_of_nothing().prints("shop.yaml: no findings");
}

#[test]
fn what_is_proposed_can_be_pasted() {
    let room = room();
    let sets = "--set queues.jobs.redrive.max_receive_count=5 --set queues.lost.message_retention=14d \
                --set callers.users.client.timeout=11s";
    room.lambdasim(&format!("lint jobs.yaml --deny {sets}")).exits(0).prints("jobs.yaml: no findings");
    let one = "--set queues.lost.message_retention=3d";
    room.lambdasim(&format!("lint jobs.yaml {one}"))
        .exits(0)
        .prints("--> --set #1:1:")
        .prints("keeps dead letters for 3d");
}

#[test]
fn deny_makes_findings_fail() {
    let room = room();
    room.lambdasim("lint jobs.yaml --deny").exits(1).prints("jobs.yaml: 3 findings").complains_of_nothing();
    room.lambdasim("lint shop.yaml --deny").exits(0);
    room.lambdasim("lint shop.yaml jobs.yaml --deny --quiet")
        .exits(1)
        .prints("shop.yaml: no findings\njobs.yaml: 3 findings");
    room.lambdasim("lint jobs.yaml --deny --format json").exits(1);
}

#[test]
fn bad_input_and_files_that_cannot_be_read() {
    let room = room().with("bad.yaml", "name: bad\n");
    room.lambdasim("lint bad.yaml jobs.yaml").exits(2).prints_nothing().complains("bad.yaml");
    room.lambdasim("lint nothing.yaml bad.yaml").exits(3).prints_nothing().complains("cannot read nothing.yaml");
    room.lambdasim("lint jobs.yaml --set queues.jobs.visibility_timeout=5s")
        .exits(2)
        .prints_nothing()
        .complains("a run may take 10s, but its messages are hidden for 5s");
    room.lambdasim("lint jobs.yaml --set expect=[nothing]").exits(2).prints_nothing();
    room.lambdasim("lint").exits(2);
    room.lambdasim("lint jobs.yaml --format xml").exits(2).complains("text, json, csv");
}

#[test]
fn findings_have_three_formats() {
    let room = room();
    let json = room.lambdasim("lint jobs.yaml --format json").exits(0).json();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["check"], "few-receives");
    assert_eq!(rows[0]["line"], 6);
    assert_eq!(rows[0]["set"][0], "queues.jobs.redrive.max_receive_count=5");
    assert_eq!(rows[0]["changes"][0]["value"], "5");
    assert_eq!(json["scenario"]["name"], "jobs");
    let both = room.lambdasim("lint jobs.yaml shop.yaml --format json").exits(0).json();
    assert_eq!(both[1]["rows"].as_array().unwrap().len(), 0);
    let csv = room.lambdasim("lint jobs.yaml shop.yaml jobs.yaml --format csv").exits(0).stdout();
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(table.headers().unwrap().len(), 13);
    assert_eq!(table.records().flatten().count(), 6);
}

#[test]
fn findings_are_coloured_where_that_is_wanted() {
    let room = room();
    assert!(!room.lambdasim("lint jobs.yaml").stdout().contains('\u{1b}'));
    assert!(room.lambdasim("lint jobs.yaml --color always").stdout().contains('\u{1b}'));
    assert!(!room.lambdasim("lint jobs.yaml --color always --format json").stdout().contains('\u{1b}'));
}

/// `run` tells them too, in a line each, and its summary is as it was.
#[test]
fn a_run_tells_the_same() {
    let room = room();
    room.lambdasim("run jobs.yaml")
        .exits(0)
        .prints("Advice on these settings")
        .prints("\n  ESM-1.1.12  3 receives")
        .prints("\n  INV-Y3");
    assert!(room.summary("results/jobs").get("advice").is_none());
}
