//! `lambdasim compare`.

use super::*;

/// Calls that wait for a free environment behind a limit of 3 are tried again.
const TIGHT: &str = "functions.checkout.reserved_concurrency=3";

#[test]
fn a_change_for_the_worse_is_seen() {
    let room = Room::new();
    let done = room.lambdasim(&format!("compare shop.yaml --set-b {TIGHT} --replicas 5")).exits(0);
    insta::assert_snapshot!(done.stdout());
    assert_eq!(room.names(), [""; 0]);
    let done = room.lambdasim(&format!("compare shop.yaml --set-b {TIGHT} --replicas 5 --format markdown")).exits(0);
    insta::assert_snapshot!("markdown", done.stdout());
}

#[test]
fn two_files_are_compared_under_the_same_seeds() {
    // The second file has another seed of its own, which says nothing here.
    let room = Room::new().with_shop("kiosk", "seed: 77\n");
    let done = room.lambdasim("compare shop.yaml kiosk.yaml --replicas 3 --format json").exits(0).json();
    assert_eq!(done["seeds"], serde_json::json!([1, 2, 3]));
    for row in done["rows"].as_array().unwrap() {
        assert_eq!(row["verdict"], "same", "{row}");
    }
}

#[test]
fn any_number_of_jobs_gives_the_same() {
    let room = Room::new();
    let line = format!("compare shop.yaml --set-a {TIGHT} --replicas 4 --format csv");
    let bytes =
        ["--jobs 1", "--jobs 3", ""].map(|jobs| room.lambdasim(&format!("{line} {jobs}")).exits(0).output.stdout);
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
    let text = String::from_utf8_lossy(&bytes[0]).into_owned();
    assert!(text.starts_with("metric,a,b,difference,low,high,runs,verdict\n"), "{text}");
    assert!(text.contains("callers.buyers.throttled,") && text.contains(",better\n"), "{text}");
}

#[test]
fn what_only_one_variant_has_is_said() {
    let room = Room::new().with_shop("kiosk", "queues: { orders: {} }\n");
    let rows = room.lambdasim("compare shop.yaml kiosk.yaml --replicas 2 --format json").exits(0).json();
    let row = rows["rows"].as_array().unwrap().iter().find(|row| row["metric"] == "queues.orders.sent").unwrap();
    assert_eq!((&row["verdict"], &row["a"], &row["b"]), (&"only_in_b".into(), &Value::Null, &0.0.into()));
}

#[test]
fn files_are_written_where_one_says() {
    let room = Room::new();
    room.lambdasim(&format!("compare shop.yaml --set-b {TIGHT} --replicas 2 --out both --quiet")).exits(0);
    assert_eq!(room.names(), ["both/", "both/comparison.csv", "both/comparison.json", "both/comparison.md"]);
}

#[test]
fn there_must_be_something_to_compare() {
    let room = Room::new();
    room.lambdasim("compare shop.yaml").exits(2).complains("nothing to compare").complains("--set-b");
    room.lambdasim("compare shop.yaml --set-b functions.checkout.timeot=3s").exits(2).complains("timeout");
    room.lambdasim("compare shop.yaml none.yaml").exits(3).complains("none.yaml");
}
