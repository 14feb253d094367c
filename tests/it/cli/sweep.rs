//! Sweeps: the table, mistakes, and that it makes no difference how, where and in how many pieces the work is done.

use std::collections::BTreeMap;
use std::process::Child;

use super::*;

/// A shop with one setting that matters, and runs of some milliseconds each.
const STAND: &str = "\
name: stand
description: A stand at a fair
duration: 1m
functions:
  serve: { duration: { exponential: { mean: 100ms } }, init: 300ms }
callers:
  guests: { target: serve, arrivals: { poisson: 20/s }, client: { retry: none } }
expect:
  - callers.guests.failed / callers.guests.submitted < 5%
";

/// 18 runs.
const GRID: &str = "sweep stand.yaml --vary functions.serve.reserved_concurrency=2..6/2 --vary functions.serve.memory=128MB,1GB --replicas 3";

const FILES: [&str; 2] = ["results/stand/sweep.csv", "results/stand/sweep.json"];
const JOURNAL: &str = "results/stand/sweep/journal.jsonl";

fn room() -> Room {
    Room::new().with("stand.yaml", STAND)
}

fn tables(room: &Room) -> [Vec<u8>; 2] {
    FILES.map(|name| fs::read(room.path().join(name)).unwrap())
}

/// What a sweep that nobody disturbs comes to.
fn undisturbed(line: &str) -> [Vec<u8>; 2] {
    let room = room();
    room.lambdasim(line).exits(0);
    tables(&room)
}

#[track_caller]
fn same(found: &[Vec<u8>; 2], expected: &[Vec<u8>; 2]) {
    // Not `assert_eq`: nobody reads two tables as bytes.
    assert!(found == expected, "{}", String::from_utf8_lossy(&found[0]));
}

#[test]
fn a_sweep_prints_a_table_and_writes_tidy_ones() {
    let room = room();
    let done = room.lambdasim(GRID).exits(0).complains("sweep.csv and sweep.json written to results/stand");
    insta::assert_snapshot!("sweep", done.stdout());
    assert_eq!(room.names(), ["results/", "results/stand/", FILES[0], FILES[1], "results/stand/sweep/", JOURNAL]);
    let [csv, json] = tables(&room).map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(
        csv.lines().next().unwrap(),
        "point,functions.serve.reserved_concurrency,functions.serve.memory,metric,mean,low,high,standard_deviation,min,max,runs"
    );
    assert!(csv.lines().any(|line| line.starts_with("4,4,1GB,callers.guests.failed,")), "{csv}");
    let value: Value = serde_json::from_str(&json).unwrap();
    let row = value["rows"].as_array().unwrap().iter().find(|row| row["metric"] == "callers.guests.failed").unwrap();
    assert_eq!((&row["point"], &row["functions.serve.reserved_concurrency"]), (&1.into(), &2.into()));
    assert_eq!((&row["functions.serve.memory"], &row["runs"]), (&"128MB".into(), &3.into()));
    assert_eq!(value["rows"].as_array().unwrap().len(), csv.lines().count() - 1);
    assert_eq!(value["points"][5]["pass"], true);
    for (format, expected) in [("csv", &csv), ("json", &json)] {
        let done = room.lambdasim(&format!("{GRID} --format {format}")).exits(0).complains("18 of 18 runs were done");
        assert_eq!(done.stdout(), *expected);
    }
}

/// The numbers of a point are those of `run --replicas` with its settings.
#[test]
fn a_point_says_what_its_runs_say() {
    let room = room();
    room.lambdasim(GRID).exits(0);
    let sets = "--set functions.serve.reserved_concurrency=4 --set functions.serve.memory=1GB";
    let run = room.lambdasim(&format!("run stand.yaml {sets} --replicas 3 --format json --no-files")).exits(1).json();
    let intervals = &run["replicas"]["intervals"];
    let table: Value = serde_json::from_slice(&tables(&room)[1]).unwrap();
    let mut compared = 0;
    for row in table["rows"].as_array().unwrap().iter().filter(|row| row["point"] == 4) {
        let Some(expected) = intervals.get(row["metric"].as_str().unwrap()) else { continue };
        for key in ["mean", "low", "high", "standard_deviation", "min", "max", "runs"] {
            assert_eq!(row[key].as_f64(), expected[key].as_f64(), "{row}");
        }
        compared += 1;
    }
    assert_eq!(compared, intervals.as_object().unwrap().len());
}

#[test]
fn the_table_is_narrow_or_holds_what_is_asked_for() {
    let room = room();
    let sweep = "sweep stand.yaml --vary functions.serve.reserved_concurrency=1,9 --no-files";
    let done = room.lambdasim(&format!("{sweep} --metrics *.latency_ms.p9* --metrics cost.total_usd")).exits(0);
    insta::assert_snapshot!("sweep_metrics", done.stdout());
    let longer = sweep.replace("1,9", "1..8");
    let done = room.lambdasim(&format!("{longer} --set expect=[]")).exits(0);
    insta::assert_snapshot!("sweep_without_expectations", done.stdout());
    room.lambdasim(&format!("{sweep} --quiet"))
        .exits(0)
        .complains_of_nothing()
        .prints("stand: 1 of 2 points meets the expectation; the first: functions.serve.reserved_concurrency=9.\n");
    room.lambdasim(&format!("{sweep} --metrics *.p98")).exits(0).complains("no number matches `*.p98`");
    assert_eq!(room.names(), [""; 0]);
}

#[test]
fn a_sweep_without_a_good_point_is_no_answer() {
    let room = room();
    room.lambdasim("sweep stand.yaml --vary functions.serve.reserved_concurrency=1,2 --format csv")
        .exits(1)
        .prints("expectations[0].pass,0,")
        .complains("None of 2 points meets the expectation.");
}

#[test]
fn a_used_up_budget_marks_its_point_and_others_go_on() {
    let room = room();
    let line = "sweep stand.yaml --vary model.event_budget=1000,1000000 --replicas 2 --seed 5";
    let first = room.lambdasim(line).exits(1).complains("error: point 1, seed 5: the event budget is used up");
    insta::assert_snapshot!("sweep_event_budget", first.stdout());
    let [csv, _] = tables(&room);
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("1,1000,event_budget_exhausted,1,,,,1,1,2\n2,1000000,window"), "{csv}");
    room.lambdasim(line).exits(1).complains("4 of 4 runs were done before").complains("point 1, seed 6");
}

#[test]
fn what_cannot_be_simulated_is_said_before_anything_is() {
    let room = room().with("results/stand/notes.txt", "mine");
    let sweep = |flags: &str| room.lambdasim(&format!("sweep stand.yaml {flags}")).exits(2).prints_nothing();
    let wrong = sweep("--vary functions.serve.memory=128MB,64MB --vary functions.serve.timeout=1s,2s");
    insta::assert_snapshot!("sweep_bad_points", wrong.stderr());
    sweep("--vary functions.server.memory=128MB").complains("no function `server`").complains("point 1 of 1");
    sweep("--vary functions.serve.memory=128MB..1GB/128MB").complains("mixes units");
    sweep("--vary functions.serve.timeout=1s..5s").complains("has no step");
    sweep("--vary functions.serve.memory").complains("write for example");
    sweep("--vary seed=1..5").complains("--replicas");
    sweep("--vary duration=1m --vary duration=2m").complains("`duration` is varied twice");
    sweep("--vary duration=1m,2m --replicas 600000").complains("more than 1000000 runs");
    sweep("--vary expect[0]=a.b<1 --set foo=1").complains("foo");
    sweep("").complains("--vary");
    sweep("--vary duration=1m --replicas 0").complains("--replicas");
    sweep("--vary duration=1m --out a --no-files").complains("--no-files");
    sweep("--vary duration=1m --shard 3/2").complains("write I/N");
    sweep("--vary duration=1m --shard auto").complains("SLURM_ARRAY_TASK_ID");
    room.lambdasim("sweep --vary duration=1m").exits(2).complains("<SCENARIO>");
    room.lambdasim("sweep missing.yaml --vary duration=1m").exits(3).complains("cannot read missing.yaml: ");
    assert_eq!(room.names(), ["results/", "results/stand/", "results/stand/notes.txt"]);
}

#[test]
fn the_number_of_jobs_makes_no_difference() {
    let expected = undisturbed(&format!("{GRID} --jobs 1"));
    same(&undisturbed(&format!("{GRID} --jobs 3")), &expected);
}

/// Wherever a journal ends, also in the middle of a line or of its head, the sweep goes on.
#[test]
fn a_journal_may_end_anywhere() {
    let room = room();
    room.lambdasim(GRID).exits(0);
    let expected = tables(&room);
    let journal = fs::read(room.path().join(JOURNAL)).unwrap();
    let mut word = 7_usize;
    let mut lengths = vec![0, 1, journal.len() - 1];
    for _ in 0..10 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        lengths.push((word >> 20) % journal.len());
    }
    for length in lengths {
        fs::write(room.path().join(JOURNAL), &journal[..length]).unwrap();
        for name in FILES {
            fs::remove_file(room.path().join(name)).unwrap();
        }
        room.lambdasim(GRID).exits(0);
        same(&tables(&room), &expected);
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

/// Lets a sweep work until its journal has so many bytes.
fn work_until(mut child: Child, journal: &Path, bytes: u64) -> Option<Child> {
    while length(journal) < bytes {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::yield_now();
    }
    Some(child)
}

/// `kill -9` at ten random moments of one sweep: it loses nothing, and its tables are those of an undisturbed one.
#[test]
fn a_killed_sweep_goes_on_where_it_was() {
    let line = "sweep stand.yaml --vary functions.serve.reserved_concurrency=20..60/10 \
        --set duration=20m --set callers.guests.arrivals.poisson=200/s --replicas 6 --jobs 2";
    let undisturbed = room();
    undisturbed.lambdasim(line).exits(0);
    let whole = length(&undisturbed.path().join(JOURNAL));
    let room = room();
    let journal = room.path().join(JOURNAL);
    let (mut word, mut killed, mut kept) = (11_u64, 0, Vec::new());
    for part in 1..=10 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let target = whole * part / 12 + (word >> 33) % (whole / 12);
        let child = room.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let Some(mut child) = work_until(child, &journal, target) else { continue };
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        let mut whole_lines = fs::read(&journal).unwrap();
        whole_lines.truncate(whole_lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        assert!(whole_lines.starts_with(&kept), "records were lost");
        kept = whole_lines;
    }
    assert!(killed >= 5, "{killed} times only it was still at work");
    room.lambdasim(line).exits(0).complains(" of 30 runs were done before");
    assert!(fs::read(&journal).unwrap().starts_with(&kept), "records were lost");
    same(&tables(&room), &tables(&undisturbed));
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_says_how_to_go_on() {
    let room = room();
    let line = "sweep stand.yaml --vary functions.serve.reserved_concurrency=20..60/10 \
        --set duration=50m --set callers.guests.arrivals.poisson=400/s --replicas 8 --jobs 2";
    let child = room.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let Some(child) = work_until(child, &room.path().join(JOURNAL), 5_000) else { panic!("it was over too soon") };
    let killed = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    Done { line: line.to_owned(), output: child.wait_with_output().unwrap() }
        .exits(130)
        .prints_nothing()
        .complains("interrupted: ")
        .complains("the same command goes on from results/stand/sweep/journal.jsonl");
    assert_eq!(room.names(), ["results/", "results/stand/", "results/stand/sweep/", JOURNAL]);
}

#[test]
fn parts_are_merged_to_the_same_bytes() {
    let expected = undisturbed(GRID);
    let room = room();
    room.lambdasim("sweep merge results/stand").exits(3).complains("no journal of a sweep");
    for part in [4, 2, 1] {
        room.lambdasim(&format!("{GRID} --shard {part}/4"))
            .exits(0)
            .prints_nothing()
            .complains(&format!("part {part} of 4 is done"))
            .complains("lambdasim sweep merge results/stand");
    }
    room.lambdasim("sweep merge results/stand")
        .exits(1)
        .prints_nothing()
        .complains("4 of 18 runs of stand are missing: task 3, task 7, task 11, task 15\n");
    assert!(!room.path().join(FILES[0]).exists());
    room.lambdasim(&format!("{GRID} --shard 3/4 --quiet")).exits(0).complains_of_nothing();
    let merged = room.lambdasim("sweep merge results/stand --format csv").exits(0);
    same(&tables(&room), &expected);
    assert_eq!(merged.output.stdout, expected[0]);
    room.lambdasim("sweep merge results/stand/sweep --out elsewhere").exits(0).prints("2 of 6 points meet");
    assert_eq!(fs::read(room.path().join("elsewhere/sweep.csv")).unwrap(), expected[0]);
    // Whatever parts have done, the whole sweep does not do again.
    room.lambdasim(GRID).exits(0).complains("18 of 18 runs were done before");
    same(&tables(&room), &expected);
}

#[test]
fn parts_of_different_numbers_and_folders_go_together() {
    let expected = undisturbed(GRID);
    let room = room();
    room.lambdasim(&format!("{GRID} --shard 1/3 --out one")).exits(0);
    room.lambdasim(&format!("{GRID} --shard 2/2 --out two")).exits(0);
    room.lambdasim(&format!("{GRID} --shard 1/2 --out two")).exits(0);
    room.lambdasim("sweep merge one two --out results/stand").exits(0);
    same(&tables(&room), &expected);
}

#[test]
fn engines_say_which_part_it_is() {
    let expected = undisturbed(GRID);
    let engines: [(&str, [(&str, &str); 2]); 3] = [
        ("auto", [("AWS_BATCH_JOB_ARRAY_INDEX", "#0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "2")]),
        ("auto/2", [("JOB_COMPLETION_INDEX", "#0"), ("HOME", "/")]),
        ("auto/2", [("SLURM_ARRAY_TASK_ID", "#7"), ("SLURM_ARRAY_TASK_COUNT", "1")]),
    ];
    for (choice, variables) in engines {
        let room = room();
        for part in 0..2 {
            let value = |text: &str| {
                text.strip_prefix('#')
                    .map_or(text.to_owned(), |first| (first.parse::<u64>().unwrap() + part).to_string())
            };
            let variables: BTreeMap<_, _> = variables.iter().map(|(name, text)| (*name, value(text))).collect();
            let line = format!("{GRID} --shard {choice}");
            let output = room.command(&line).envs(variables).output().unwrap();
            Done { line, output }.exits(0);
        }
        room.lambdasim("sweep merge results/stand --quiet").exits(0);
        same(&tables(&room), &expected);
    }
}

/// Every line of the plan is a command that does one run; together they are the sweep.
#[cfg(unix)]
#[test]
fn a_plan_is_one_command_a_line() {
    let expected = undisturbed(GRID);
    let room = room();
    room.lambdasim(&format!("{GRID} --plan-out plan.jsonl")).exits(0).prints_nothing().complains("18 runs written");
    assert_eq!(room.names(), ["plan.jsonl"]);
    let plan = fs::read_to_string(room.path().join("plan.jsonl")).unwrap();
    insta::assert_snapshot!("sweep_plan", plan.lines().take(4).collect::<Vec<_>>().join("\n"));
    for line in plan.lines() {
        let task: Value = serde_json::from_str(line).unwrap();
        let command = task["command"].as_str().unwrap().replacen("lambdasim", env!("CARGO_BIN_EXE_lambdasim"), 1);
        let done = Command::new("sh").args(["-c", &command]).current_dir(room.path()).output().unwrap();
        assert!(done.status.success(), "{command}");
    }
    room.lambdasim("sweep merge results/stand").exits(0);
    same(&tables(&room), &expected);
    room.lambdasim(&format!("{GRID} --plan-out stand.yaml")).exits(2).complains("is the scenario itself");
}

#[test]
fn different_sweeps_are_not_mixed() {
    let room = room().with("times.csv", "at\n1\n2\n");
    let trace = STAND.replace("{ poisson: 20/s }", "{ trace: { file: times.csv, unit: s } }");
    let room = room.with("trace.yaml", &trace.replace("name: stand", "name: trace"));
    let line = "sweep stand.yaml --vary functions.serve.memory=128MB,256MB";
    room.lambdasim(line).exits(0);
    let before = room.files();
    let check = |line: &str, what: &str| {
        let text = format!("journal.jsonl is of another sweep: {what} differs");
        room.lambdasim(line).exits(2).prints_nothing().complains(&text).complains("--fresh");
        assert_eq!(room.files(), before);
    };
    check(&format!("{line} --replicas 2"), "--replicas");
    check(&format!("{line} --seed 2 --set functions.serve.init=1s"), "--set and the seed");
    check(&format!("{line},512MB --shard 1/2"), "--vary");
    fs::write(room.path().join("stand.yaml"), STAND.replace("100ms", "90ms")).unwrap();
    check(line, "the scenario file");
    room.lambdasim(&format!("{line} --fresh"))
        .exits(0)
        .complains("the earlier journal is now results/stand/sweep/journal.jsonl.old-1");
    room.lambdasim(&format!("{line} --fresh")).exits(0).complains("journal.jsonl.old-2");
    assert_eq!(room.files()["results/stand/sweep/journal.jsonl.old-1"], before[JOURNAL]);
    // A file that the scenario names belongs to it.
    let line = "sweep trace.yaml --vary functions.serve.memory=128MB,256MB";
    room.lambdasim(line).exits(0);
    let room = room.with("times.csv", "at\n1\n3\n");
    room.lambdasim(line).exits(2).complains("a file that the scenario names differs");
    let room = room.with("results/stand/sweep/other.jsonl", "{}\n");
    room.lambdasim("sweep merge results/stand").exits(2).complains("other.jsonl is not the journal of a sweep");
}

#[test]
fn nobody_else_writes_a_journal_that_is_being_written() {
    let room = room();
    room.lambdasim(GRID).exits(0);
    let held = fs::File::open(room.path().join(JOURNAL)).unwrap();
    held.lock().unwrap();
    for line in [GRID.to_owned(), format!("{GRID} --fresh")] {
        room.lambdasim(&line).exits(3).complains("journal.jsonl is being written by another process");
    }
    drop(held);
    room.lambdasim(GRID).exits(0);
}

#[test]
fn places_that_cannot_be_written_are_named() {
    let room = room().with("file", "").with("taken/sweep.csv/x", "");
    room.lambdasim(&format!("{GRID} --out file")).exits(3).prints_nothing().complains("cannot write file");
    room.lambdasim(&format!("{GRID} --out taken")).exits(3).prints_nothing().complains("cannot write taken/sweep.csv");
    room.lambdasim(&format!("{GRID} --plan-out file/plan")).exits(3).complains("cannot write file/plan");
}
