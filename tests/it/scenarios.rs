//! Every shipped scenario loads, runs, and keeps what it expects of itself.

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
