//! `lambdasim sources`.

use super::*;

#[test]
fn the_catalogue_is_a_table() {
    let table = Room::new().lambdasim("sources").exits(0).complains_of_nothing().stdout();
    assert!(table.lines().all(|line| line.chars().count() <= 170 && line.trim_end() == line), "{table}");
    insta::assert_snapshot!("sources", table);
}

#[test]
fn sources_are_told_with_their_rules() {
    let room = Room::new();
    room.lambdasim("sources sqs").exits(0).prints("\nsqs_fifo ").prints("\nRules\n").prints("\nESM-1.5.1 ");
    room.lambdasim("sources kinesys").exits(2).prints_nothing().complains("did you mean `kinesis`?");
    room.lambdasim("sources sqs nothing").exits(2).prints_nothing().complains("the sources: sdk, api_gateway_rest");
    room.lambdasim("sources --format xml").exits(2).complains("text, json, csv, markdown");
}

#[test]
fn the_catalogue_has_four_formats() {
    let room = Room::new();
    let json = room.lambdasim("sources alb sns --format json").exits(0).json();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["waits"]["timeout_ms"], 60_000);
    assert_eq!(rows[1]["retries"][0]["attempts"], 100_016);
    assert_eq!(rows[1]["rules"][0]["evidence"], "documented");
    let csv = room.lambdasim("sources --format csv").exits(0).stdout();
    let mut table = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(table.headers().unwrap().len(), 14);
    let sources: Vec<String> = table.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(
        sources.len(),
        room.lambdasim("sources --format json").exits(0).json()["rows"].as_array().unwrap().len()
    );
    room.lambdasim("sources --format markdown")
        .exits(0)
        .prints("# Sources")
        .prints("\n| `rabbitmq`<br>")
        .prints("\n| ESM-5.5 |");
}

#[test]
fn the_catalogue_is_coloured_where_that_is_wanted() {
    let room = Room::new();
    assert!(!room.lambdasim("sources").stdout().contains('\u{1b}'));
    assert!(room.lambdasim("sources --color always").stdout().contains('\u{1b}'));
    for format in ["json", "csv", "markdown"] {
        assert!(!room.lambdasim(&format!("sources --color always --format {format}")).stdout().contains('\u{1b}'));
    }
}
