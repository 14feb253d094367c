//! Replays of published measurements, where they are at hand.
//!
//! The traces are those of N. Mahmoudi and H. Khazaei, "Performance Modeling of Serverless Computing Platforms" (IEEE
//! TCC 2020), as `lambda-2020-05-26.csv` and `lambda-2020-06-13.csv` with the columns `arrival_s`, `duration_ms` and
//! `is_cold`. They are looked for in the folder that `LAMBDASIM_TRACES` names, or in a folder `data` of a folder
//! beside this repository.

use std::fs;
use std::path::{Path, PathBuf};

use lambdasim::run;
use lambdasim::scenario;

/// A trace, the cold starts that it says were measured, and how many we may differ.
const TRACES: [(&str, u64, u64); 2] = [("lambda-2020-05-26.csv", 29, 5), ("lambda-2020-06-13.csv", 28, 8)];

fn traces() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods, reason = "where the traces are decides no result")]
    if let Ok(folder) = std::env::var("LAMBDASIM_TRACES") {
        return Some(PathBuf::from(folder));
    }
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folders = fs::read_dir(parent).ok()?.filter_map(Result::ok).map(|entry| entry.path().join("data"));
    folders.into_iter().find(|folder| folder.join(TRACES[0].0).is_file())
}

fn cold_starts(trace: &Path, warm_selection: &str) -> u64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/replay-trace.yaml");
    let overrides = [
        format!("callers.recorded.arrivals.trace.file={}", trace.display()),
        format!("functions.service.warm_selection={warm_selection}"),
        "functions.service.idle_timeout=640s".to_owned(),
    ];
    let loaded = scenario::load(&path, &overrides).unwrap_or_else(|error| panic!("{error}"));
    let summary = run::run(&loaded.scenario).expect("a replay ends");
    summary.functions.get("service").expect("the function of the scenario").cold_starts
}

/// An idle environment lived about 640 s then. Newest-first choice comes out near the measured cold starts; oldest-first
/// keeps every environment warm in the busier trace and misses nearly all of them.
#[test]
fn published_traces_of_2020() {
    let Some(folder) = traces() else {
        println!("skipped: no folder with the traces; name one in LAMBDASIM_TRACES");
        return;
    };
    println!("{:<24} {:>9} {:>6} {:>6} {:>6} {:>7}", "trace", "measured", "mru", "fifo", "random", "lru");
    for (name, measured, tolerance) in TRACES {
        let trace = folder.join(name);
        let text = fs::read_to_string(&trace).expect("a trace");
        assert_eq!(text.lines().filter(|line| line.ends_with("True")).count() as u64, measured, "{name}");
        let [mru, fifo, random, lru] = ["mru", "fifo", "random", "lru"].map(|rule| cold_starts(&trace, rule));
        println!("{name:<24} {measured:>9} {mru:>6} {fifo:>6} {random:>6} {lru:>7}");
        assert!(mru.abs_diff(measured) <= tolerance, "{name}: {mru} of {measured}");
    }
    assert!(cold_starts(&folder.join(TRACES[0].0), "lru") < 10, "oldest-first is far off");
}
