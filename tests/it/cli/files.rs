//! What is written, and what is left alone.

use super::*;

#[test]
fn run_prints_a_report_and_writes_the_results() {
    let room = Room::new();
    room.lambdasim("run shop.yaml").exits(0).prints("shop").complains("results/shop");
    assert_eq!(room.names(), RESULTS);
    assert_eq!(room.summary("results/shop")["scenario"]["name"], "shop");
}

#[test]
fn the_results_can_go_elsewhere_or_nowhere() {
    let room = Room::new();
    room.lambdasim("run shop.yaml --no-files").exits(0).prints("shop").complains_of_nothing();
    room.lambdasim("check shop.yaml").exits(0);
    assert_eq!(room.names(), [""; 0]);
    room.lambdasim("run shop.yaml --out a/b").exits(0);
    room.lambdasim("check shop.yaml --out a/c").exits(0);
    let mut expected = ["a/", "a/b/", "a/c/"].map(str::to_owned).to_vec();
    for folder in ["a/b", "a/c"] {
        expected.extend(RESULTS[2..].iter().map(|name| name.replace("results/shop", folder)));
    }
    expected.sort();
    assert_eq!(room.names(), expected);
    room.lambdasim("run shop.yaml --out a --no-files").exits(2).complains("--no-files");
}

#[test]
fn json_is_the_summary() {
    let room = Room::new();
    let done = room.lambdasim("run shop.yaml --format json").exits(0);
    assert_eq!(done.json(), room.summary("results/shop"));
    assert_eq!(done.output.stdout, room.files()["results/shop/summary.json"]);
}

#[test]
fn several_scenarios_are_an_array_and_a_folder_each() {
    let room = Room::new().with_shop("kiosk", "").with_shop("stall", "");
    let done = room.lambdasim("run stall.yaml shop.yaml kiosk.yaml --format json --out all --jobs 3").exits(0);
    let names = |value: &Value| value["scenario"]["name"].as_str().unwrap().to_owned();
    let all = done.json();
    assert_eq!(all.as_array().unwrap().iter().map(names).collect::<Vec<_>>(), ["stall", "shop", "kiosk"]);
    for (index, name) in ["stall", "shop", "kiosk"].iter().enumerate() {
        assert_eq!(all[index], room.summary(&format!("all/{name}")));
    }
}

#[test]
fn the_same_command_gives_the_same_bytes_with_any_number_of_jobs() {
    let lines = ["--jobs 1", "--jobs 4", "--jobs 4", ""];
    let outcomes = lines.map(|jobs| {
        let room = Room::new().with_shop("kiosk", "").with_shop("stall", "seed: 3\n").with_shop("booth", "seed: 4\n");
        let done = room.lambdasim(&format!("run stall.yaml shop.yaml booth.yaml kiosk.yaml {jobs}")).exits(0);
        (done.output.stdout, room.files())
    });
    for other in &outcomes[1..] {
        assert!(*other == outcomes[0]);
    }
}

#[test]
fn the_resolved_scenario_runs_to_the_same_results() {
    let room = Room::new();
    let line = "--seed 5 --set functions.checkout.memory=512MB --format json";
    let first = room.lambdasim(&format!("run shop.yaml {line}")).exits(0).json();
    let second = room.lambdasim("run results/shop/scenario.yaml --format json --no-files").exits(0).json();
    assert_eq!(first["digest"], second["digest"]);
    assert_eq!(first["callers"], second["callers"]);
}

#[test]
fn bad_input_is_shown_whole_and_nothing_happens() {
    let room = Room::new()
        .with_shop("typo", "foo: 1\n")
        .with_shop("path", "  - callers.sellers.submitted > 0\n")
        .with_shop("text", "  - callers.buyers.submitted plenty\n");
    room.lambdasim("run shop.yaml typo.yaml path.yaml text.yaml")
        .exits(2)
        .prints_nothing()
        .complains("foo")
        .complains("typo.yaml:")
        .complains("`callers` has no `sellers`")
        .complains("path.yaml:10:")
        .complains("text.yaml:10:");
    room.lambdasim("check shop.yaml --set functions.checkout.memori=1GB").exits(2).complains("--set #1");
    room.lambdasim("check shop.yaml --set memory").exits(2).complains("--set #1");
    assert_eq!(room.names(), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let room = Room::new();
    room.lambdasim("run shop.yaml missing.yaml").exits(3).prints_nothing().complains("cannot read missing.yaml: ");
    room.lambdasim("run missing.yaml shop.yaml --set foo=1").exits(3).complains("missing.yaml").complains("`foo`");
    room.lambdasim("check .").exits(3).prints_nothing().complains("cannot read .: ");
    assert_eq!(room.names(), [""; 0]);
}

#[test]
fn two_scenarios_of_one_name_would_share_their_results() {
    let room = Room::new().with("copy.yaml", SHOP);
    room.lambdasim("run shop.yaml copy.yaml").exits(2).prints_nothing().complains("both named `shop`");
    for again in ["shop.yaml", "./shop.yaml"] {
        let run = room.lambdasim(&format!("run shop.yaml {again}")).exits(2).prints_nothing();
        run.complains(&format!("{again} is given twice")).complains("--no-files");
        room.lambdasim(&format!("check shop.yaml {again} --out there")).exits(2).complains("is given twice");
    }
    assert_eq!(room.names(), [""; 0]);
    room.lambdasim("run shop.yaml shop.yaml --no-files").exits(0);
    room.lambdasim("run shop.yaml copy.yaml --no-files").exits(0);
    room.lambdasim("check shop.yaml shop.yaml").exits(0);
}

#[test]
fn a_used_up_budget_says_who_was_busy_and_keeps_earlier_results() {
    let room = Room::new().with_shop("kiosk", "").with("results/shop/notes.txt", "mine");
    room.lambdasim("run shop.yaml").exits(0);
    let before = room.files();
    room.lambdasim("run shop.yaml --set model.event_budget=1000 --set functions.checkout.duration=10s")
        .exits(1)
        .prints_nothing()
        .complains("event budget")
        .complains("caller buyers (")
        .complains("function checkout (");
    assert_eq!(room.files(), before);
    assert_eq!(before["results/shop/notes.txt"], b"mine");
    let done = room.lambdasim("run shop.yaml kiosk.yaml --format json --set model.event_budget=1000").exits(1);
    assert_eq!(done.json(), serde_json::json!([null, null]));
    assert_eq!(room.files(), before);
}

#[test]
fn places_that_cannot_be_written_are_named_before_anything_is_simulated() {
    let room = Room::new().with("file", "");
    room.lambdasim("run shop.yaml --out file").exits(3).prints_nothing().complains("cannot write file: ");
    room.lambdasim("run shop.yaml --out file/a").exits(3).prints_nothing().complains("cannot write file/a: ");
    let closed = room.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let mut permissions = fs::metadata(&closed).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&closed, permissions).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("not checked: this user may write to a read-only folder");
        return;
    }
    room.lambdasim("run shop.yaml --out closed").exits(3).prints_nothing().complains("cannot write closed: ");
    room.lambdasim("run shop.yaml --out closed/a").exits(3).prints_nothing().complains("cannot write closed/a: ");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_and_destroys_nothing() {
    let room = Room::new().with("results/shop/summary.json", "earlier");
    let before = room.files();
    let line = "run shop.yaml --set duration=3650d --set callers.buyers.arrivals.poisson=1000/s --out results/shop";
    let mut child = room.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The run listens before it makes its temporary folder.
    while room.files() == before {
        assert_eq!(child.try_wait().unwrap(), None);
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    Done { line: line.to_owned(), output }.exits(130).prints_nothing().complains("interrupted");
    assert_eq!(room.files(), before);
}

#[test]
fn results_never_replace_their_own_scenario() {
    let room = Room::new().with("mine/scenario.yaml", SHOP);
    let line = "run mine/scenario.yaml --out mine";
    room.lambdasim(line).exits(2).prints_nothing().complains("would overwrite mine/scenario.yaml");
    assert_eq!(room.files()["mine/scenario.yaml"], SHOP.as_bytes());
    room.lambdasim("run mine/scenario.yaml --out mine/results").exits(0);
}

#[test]
fn figures_over_time_have_the_intervals_that_one_asks_for() {
    let room = Room::new();
    room.lambdasim("run shop.yaml --out usual").exits(0);
    room.lambdasim("run shop.yaml --out long --interval 7s").exits(0);
    let files = room.files();
    assert_eq!(files["usual/summary.json"], files["long/summary.json"]);
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let submitted = |name: &str| {
        let table = text(name);
        let rows = table.lines().filter_map(|line| line.split_once(",callers.buyers.submitted,"));
        rows.map(|(interval, count)| (interval.to_owned(), count.parse::<u64>().unwrap())).collect::<Vec<_>>()
    };
    assert!(text("long/timeseries.csv").starts_with("start_ms,end_ms,metric,value\n0,7000,"));
    let (usual, long) = (submitted("usual/timeseries.csv"), submitted("long/timeseries.csv"));
    assert!(usual.len() > long.len() && usual.len() < 200, "{} {}", usual.len(), long.len());
    let all = room.summary("long")["callers"]["buyers"]["submitted"].as_u64().unwrap();
    for rows in [usual, long] {
        assert_eq!(rows.iter().map(|(_, count)| count).sum::<u64>(), all);
    }
}

#[test]
fn an_interval_is_a_length_of_which_there_are_not_too_many() {
    let room = Room::new();
    for (length, problem) in [("0s", "--interval"), ("7", "unit"), ("1us", "100000 intervals")] {
        room.lambdasim(&format!("run shop.yaml --interval {length}")).exits(2).complains(problem);
    }
    assert_eq!(room.names(), [""; 0]);
}

#[test]
fn replicas_are_means_with_intervals_and_any_number_of_jobs_gives_the_same() {
    let outcomes = ["--jobs 1", "--jobs 3"].map(|jobs| {
        let room = Room::new();
        let done = room.lambdasim(&format!("run shop.yaml --replicas 6 {jobs}")).exits(0);
        assert_eq!(room.names(), RESULTS);
        (done.output.stdout, room.files())
    });
    assert!(outcomes[0] == outcomes[1]);
    insta::assert_snapshot!(String::from_utf8_lossy(&outcomes[0].0));
    let room = Room::new();
    let summary = room.lambdasim("run shop.yaml --replicas 6 --format json --no-files").exits(0).json();
    assert_eq!(summary["replicas"]["seeds"], serde_json::json!([1, 2, 3, 4, 5, 6]));
    let interval = &summary["replicas"]["intervals"]["callers.buyers.submitted"];
    assert!(
        interval["low"].as_f64() < interval["mean"].as_f64() && interval["mean"].as_f64() < interval["high"].as_f64()
    );
    room.lambdasim("run shop.yaml --replicas 3 --format csv --no-files")
        .exits(0)
        .prints("shop,callers.buyers.submitted,");
    room.lambdasim("run shop.yaml --replicas 3 --events e.csv").exits(2).complains("--events is for one run");
    room.lambdasim("run shop.yaml --replicas 0").exits(2);
}

#[test]
fn there_are_as_many_replicas_as_a_precision_takes() {
    let room = Room::new();
    let runs = |flags: &str| {
        let done = room.lambdasim(&format!("run shop.yaml --no-files --format json {flags}")).exits(0);
        (done.json()["replicas"]["runs"].as_u64().unwrap(), done.stderr())
    };
    let coarse = runs("--until-precision 5% --jobs 1").0;
    let (fine, _) = runs("--until-precision 1% --jobs 1");
    assert!(coarse >= 5 && fine > coarse, "{coarse} {fine}");
    assert_eq!(runs("--until-precision 1% --jobs 4").0, fine);
    let (capped, said) = runs("--until-precision 0.01% --replicas 7");
    assert_eq!(capped, 7);
    assert!(said.contains("callers.buyers.submitted"), "{said}");
    room.lambdasim("run shop.yaml --until-precision 0%").exits(2);
    room.lambdasim("run shop.yaml --until-precision 2% --replicas 3").exits(2).complains("at least 5");
}
