//! `lambdasim plan`.

use super::*;

const FIND: &str = "--find functions.checkout.reserved_concurrency=1..40";

fn room() -> Room {
    Room::new().with("lossy.yaml", LOSSY)
}

/// 2 erlangs; the goal is a loss of at most 5 %, which the loss formula promises from 5 environments on.
const LOSSY: &str = "\
name: lossy
duration: 2m
functions:
  checkout: { duration: { exponential: { mean: 100ms } } }
callers:
  buyers: { target: checkout, arrivals: { poisson: 20/s }, client: { retry: none } }
expect:
  - callers.buyers.throttled <= 5% * callers.buyers.submitted
";

#[test]
fn the_smallest_limit_is_found_and_what_binds_is_named() {
    let room = room();
    let done = room.lambdasim(&format!("plan lossy.yaml {FIND}")).exits(0);
    insta::assert_snapshot!(done.stdout());
    assert_eq!(room.names(), [""; 0]);
    let json = room.lambdasim(&format!("plan lossy.yaml {FIND} --format json")).exits(0).json();
    assert_eq!(json["key"], "functions.checkout.reserved_concurrency");
    assert_eq!((&json["met"], &json["value"]), (&true.into(), &5.into()));
    let [low, high] = [0, 1].map(|end: usize| json["interval"][end].as_u64().unwrap());
    assert!(low <= 5 && 5 <= high && json["margin"].as_f64().unwrap() > 0.0, "{json}");
    assert_eq!(json["binding"], "functions.checkout.reserved_concurrency");
    room.lambdasim(&format!("plan lossy.yaml {FIND} --format csv")).exits(0).prints("key,value,with,verdict,runs,");
    room.lambdasim(&format!("plan lossy.yaml {FIND} --quiet --out p"))
        .exits(0)
        .prints("reserved_concurrency = 5 meets");
    assert_eq!(room.names(), ["p/", "p/plan.csv", "p/plan.json"]);
}

#[test]
fn any_number_of_jobs_finds_the_same() {
    let room = room();
    let bytes = ["--jobs 1", "--jobs 3"]
        .map(|jobs| room.lambdasim(&format!("plan lossy.yaml {FIND} --format json {jobs}")).exits(0).output.stdout);
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn the_largest_rate_is_found() {
    let room = room();
    let line = "plan lossy.yaml --largest --set functions.checkout.reserved_concurrency=5 \
                --find callers.buyers.arrivals.poisson=1/s..100/s/1/s --format json";
    let json = room.lambdasim(line).exits(0).json();
    // The loss formula: 5 environments lose 5 % at 2.22 erlangs, which is 22.2/s.
    let [low, high] = [0, 1].map(|end: usize| json["interval"][end].as_str().unwrap().to_owned());
    assert!(low.as_str() >= "22/s" && low.len() == 4 && high.as_str() <= "22/s" && high.len() == 4, "{low} {high}");
}

#[test]
fn what_nothing_meets_exits_with_1() {
    let room = room();
    let line = "plan lossy.yaml --find functions.checkout.reserved_concurrency=1..3";
    let done = room.lambdasim(line).exits(1);
    insta::assert_snapshot!("nothing_meets", done.stdout());
}

#[test]
fn two_keys_give_an_answer_for_several_values_of_the_second() {
    let room = room();
    let line = format!("plan lossy.yaml {FIND} --find callers.buyers.arrivals.poisson=10/s,20/s,40/s");
    insta::assert_snapshot!("two_keys", room.lambdasim(&line).exits(0).stdout());
}

#[test]
fn the_cheapest_value_need_not_be_the_smallest() {
    // Twice the memory takes half the time until one whole processor is used: what is beyond costs without use.
    let room = room();
    let line = "plan lossy.yaml --cost --set functions.checkout.cpu_scaling=on --set functions.checkout.reserved_concurrency=40 \
                --find functions.checkout.memory=512MB,1024MB,1769MB,3008MB --format json";
    let json = room.lambdasim(line).exits(0).json();
    assert_eq!(json["points"].as_array().unwrap().len(), 4);
    let cheapest = json["points"].as_array().unwrap().iter().filter(|point| point["verdict"] == "met");
    let cheapest =
        cheapest.min_by(|a, b| a["cost_usd"].as_f64().partial_cmp(&b["cost_usd"].as_f64()).unwrap()).unwrap();
    assert_eq!(json["value"], cheapest["value"]);
}

#[test]
fn wrong_questions_are_refused() {
    let room = room().with(
        "aimless.yaml",
        &LOSSY.replace("expect:\n  - callers.buyers.throttled <= 5% * callers.buyers.submitted\n", ""),
    );
    for (line, problem) in [
        ("plan lossy.yaml", "--find"),
        ("plan lossy.yaml --find functions.checkout.reserved_concurrency", "="),
        ("plan lossy.yaml --find functions.checkout.reservd_concurrency=1..9", "reserved_concurrency"),
        ("plan lossy.yaml --find a=1..2 --find a=1..3", "twice"),
        ("plan lossy.yaml --find a=1..2 --find b=1..3 --find c=1..3", "for one key"),
        ("plan aimless.yaml --find functions.checkout.reserved_concurrency=1..9", "expects nothing"),
        ("plan lossy.yaml --find functions.checkout.reserved_concurrency=1..9 --confidence 20%", "50%"),
    ] {
        room.lambdasim(line).exits(2).complains(problem);
    }
    room.lambdasim("plan none.yaml --find a=1..2").exits(3);
}
