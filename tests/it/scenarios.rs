//! Every shipped scenario loads, runs, and keeps what it expects of itself.

use std::path::Path;

use serde_json::Value;

use crate::common::summary;
use crate::determinism::{load, shipped};

#[test]
fn shipped_scenarios_keep_their_expectations() {
    for file in shipped() {
        let name = file.file_name().unwrap().to_string_lossy();
        let scenario = load(&file);
        assert_eq!(format!("{}.yaml", scenario.name), name, "a scenario is named after its file");
        assert!(scenario.description.is_some(), "{name} says in a line what it is about");
        let summary = summary(&scenario);
        let judged = summary["expectations"].as_array().unwrap();
        assert_eq!(judged.len(), scenario.expectations.len(), "{name}: every expectation is judged");
        assert!(!judged.is_empty(), "{name} expects nothing");
        let failed: Vec<&Value> = judged.iter().filter(|judgement| judgement["pass"] != true).collect();
        assert!(failed.is_empty(), "{name}: {failed:#?}");
    }
}

/// They teach something at other seeds too: what they expect is no accident of seed 1.
#[test]
fn expectations_do_not_hang_on_the_seed() {
    for file in shipped() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for seed in [2, 3] {
            let mut scenario = load(&file);
            scenario.seed = seed;
            let summary = summary(&scenario);
            let judged = summary["expectations"].as_array().unwrap();
            let failed: Vec<&Value> = judged.iter().filter(|judgement| judgement["pass"] != true).collect();
            assert!(failed.is_empty(), "{name} with seed {seed}: {failed:#?}");
        }
    }
}

/// What is kept in `results/` to be read without running anything is what a run says today.
#[test]
fn kept_results_are_current() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    if !results.is_dir() {
        println!("skipped: a packaged crate has no kept results");
        return;
    }
    let table = std::fs::read_to_string(results.join("README.md")).unwrap();
    for file in shipped() {
        let scenario = load(&file);
        let row = format!("| [{0}]({0}/summary.json) | ", scenario.name);
        assert!(table.contains(&row), "results/README.md: {} is missing", scenario.name);
        let kept = results.join(&scenario.name).join("summary.json");
        let text = std::fs::read_to_string(&kept).unwrap_or_else(|error| panic!("{}: {error}", kept.display()));
        let kept: Value = serde_json::from_str(&text).unwrap();
        let fresh = summary(&scenario);
        for key in ["lambdasim", "seed", "digest"] {
            assert_eq!(kept[key], fresh[key], "{}, {key}: run `lambdasim run scenarios/*.yaml`", scenario.name);
        }
    }
}
