//! What is printed about runs.

use super::*;

#[test]
fn csv_is_one_table_with_one_header() {
    let room = Room::new().with_shop("kiosk", "");
    let table = |line: &str| room.lambdasim(&format!("run {line} --format csv --no-files")).exits(0).stdout();
    let (shop, kiosk) = (table("shop.yaml"), table("kiosk.yaml"));
    let (header, kiosk_rows) = kiosk.split_once('\n').unwrap();
    assert_eq!(header, "scenario,metric,value");
    assert!(shop.contains("\nshop,functions.checkout.throttles,0\n"), "{shop}");
    assert_eq!(table("shop.yaml kiosk.yaml"), shop + kiosk_rows);
}

#[test]
fn check_shows_each_expectation_with_its_actual_value() {
    let room = Room::new().with_shop("poor", "  - callers.buyers.latency_ms.max < 1ms\n");
    room.lambdasim("check shop.yaml")
        .exits(0)
        .prints("PASS  shop (seed 1): 2 of 2 expectations hold\n")
        .prints("      pass  functions.checkout.throttles == 0   actual 0\n")
        .complains_of_nothing();
    room.lambdasim("check poor.yaml shop.yaml")
        .exits(1)
        .prints("FAIL  poor (seed 1): 2 of 3 expectations hold\n")
        .prints("      FAIL  callers.buyers.latency_ms.max < 1ms   actual ")
        .prints("PASS  shop");
    let quiet = room.lambdasim("check poor.yaml shop.yaml --quiet").exits(1).stdout();
    assert_eq!(quiet.lines().count(), 3, "{quiet}");
}

#[test]
fn check_speaks_json_and_csv() {
    let room = Room::new().with_shop("poor", "  - callers.buyers.latency_ms.max < 1ms\n");
    let one = room.lambdasim("check shop.yaml --format json").exits(0).json();
    assert_eq!(one["pass"], true);
    let done = room.lambdasim("check poor.yaml shop.yaml --format json").exits(1).complains("2 of 3 expectations hold");
    assert_eq!(done.json()[0]["pass"], false);
    assert_eq!(done.json()[0]["expectations"][2]["pass"], false);
    assert_eq!(done.json()[1], one);
    room.lambdasim("check poor.yaml shop.yaml --format csv")
        .exits(1)
        .prints("scenario,expression,actual,pass\npoor,callers.buyers.submitted > 1000,")
        .prints("\nshop,functions.checkout.throttles == 0,0,true\n");
}

#[test]
fn an_expectation_that_does_not_hold_fails_a_run_too() {
    let room = Room::new().with_shop("poor", "  - callers.buyers.latency_ms.max < 1ms\n");
    room.lambdasim("run poor.yaml").exits(1).prints("callers.buyers.latency_ms.max < 1ms");
    assert_eq!(room.summary("results/poor")["expectations"][2]["pass"], false);
    room.lambdasim("run poor.yaml --quiet")
        .exits(1)
        .prints("poor: 1 of 3 expectations fails: callers.buyers.latency_ms.max < 1ms, but it is ")
        .complains_of_nothing();
}

#[test]
fn quiet_keeps_the_verdict() {
    let done = Room::new().lambdasim("run shop.yaml --quiet").exits(0).complains_of_nothing();
    assert!(done.stdout().starts_with("shop: All 2 expectations hold; "), "{}", done.stdout());
    assert_eq!(done.stdout().lines().count(), 1);
}

#[test]
fn the_seed_changes_the_draws() {
    let room = Room::new();
    let digest = |line: &str| room.lambdasim(&format!("run shop.yaml --format json --no-files {line}")).json();
    let (one, two) = (digest("--seed 1"), digest("--seed 2"));
    assert_eq!(one, digest(""));
    assert_ne!(one["digest"], two["digest"]);
    assert_eq!(two["seed"], 2);
    assert_eq!(two["scenario"]["overrides"], serde_json::json!([]));
    assert_eq!(digest("--set seed=3 --seed 2")["seed"], 2);
}

#[test]
fn settings_can_be_replaced() {
    let room = Room::new();
    let done = room
        .lambdasim("run shop.yaml --set functions.checkout.reserved_concurrency=1 --set expect=[] --format json")
        .exits(0);
    assert!(done.json()["functions"]["checkout"]["throttles"].as_u64().unwrap() > 0);
    let overrides = serde_json::json!(["functions.checkout.reserved_concurrency=1", "expect=[]"]);
    assert_eq!(done.json()["scenario"]["overrides"], overrides);
    let resolved = String::from_utf8(room.files()["results/shop/scenario.yaml"].clone()).unwrap();
    assert!(resolved.contains("reserved_concurrency: 1"), "{resolved}");
}
