//! `check` beside stored baselines, and for CI.

use super::*;

/// A shop whose function is too small, so that clients try again.
const BUSY: &str = "\
name: busy
duration: 1m
functions:
  checkout: { duration: { exponential: { mean: 400ms } }, reserved_concurrency: 9 }
callers:
  buyers:
    target: checkout
    arrivals: { poisson: 20/s }
    client: { retry: { max_attempts: 2, base: 100ms, jitter: none } }
expect:
  - callers.buyers.submitted > 1000
  - functions.checkout.errors == 0
";

fn busy() -> Room {
    Room::new().with("busy.yaml", BUSY)
}

impl Room {
    /// Replaces a text of a file.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }
}

#[test]
fn the_first_event_that_differs_is_named() {
    let room = busy();
    room.lambdasim("check busy.yaml --baseline base/busy.json --update-baseline")
        .exits(0)
        .prints("the baseline is made");
    assert_eq!(room.names(), ["base/", "base/busy.json", "base/busy.scenario.yaml"]);
    room.lambdasim("check busy.yaml --baseline base/busy.json").exits(0).prints(" numbers as in the baseline\n");
    // One setting of the retries.
    room.edit("busy.yaml", "base: 100ms", "base: 250ms");
    let done = room.lambdasim("check busy.yaml --baseline base/busy.json").exits(1).complains_of_nothing();
    insta::assert_snapshot!(done.stdout());
    let told = done.stdout();
    let (_, command) = told.split_once("lambdasim explain ").unwrap();
    // The story goes on from there.
    let (before, after) = ("waits 100 ms, attempt 2", "waits 250 ms, attempt 2");
    assert!(told.contains(before) && told.contains(after), "{told}");
    room.lambdasim(&format!("explain {}", command.trim())).exits(0).prints("waits 250 ms");
    room.lambdasim(&format!("explain base/busy.scenario.yaml {}", command.trim().trim_start_matches("busy.yaml")))
        .exits(0)
        .prints("waits 100 ms");
}

#[test]
fn a_baseline_is_found_by_its_file_or_its_folder() {
    let room = Room::new();
    room.lambdasim("run shop.yaml").exits(0);
    for place in ["results/shop/summary.json", "results/shop", "results"] {
        room.lambdasim(&format!("check shop.yaml --baseline {place}")).exits(0).prints("as in the baseline");
    }
    let room = room.with_shop("kiosk", "");
    room.lambdasim("check shop.yaml kiosk.yaml --baseline results").exits(3).prints_nothing().complains("kiosk");
    room.lambdasim("check shop.yaml kiosk.yaml --baseline results --update-baseline").exits(0);
    room.lambdasim("check shop.yaml kiosk.yaml --baseline results").exits(0).prints("PASS  kiosk").prints("PASS  shop");
    room.lambdasim("check shop.yaml kiosk.yaml --baseline results/shop/summary.json")
        .exits(2)
        .complains("names one file");
    room.lambdasim("check shop.yaml shop.yaml --baseline results").exits(2).complains("would share a baseline");
}

#[test]
fn what_is_no_baseline_is_said_before_anything_runs() {
    let room = Room::new().with("text.json", "no").with("other.json", "{\"a\": 1}").with("many.json", "[]");
    let missing = room.lambdasim("check shop.yaml --baseline missing.json").exits(3).prints_nothing();
    missing.complains("cannot read the baseline missing.json: ").complains("--update-baseline makes one");
    for (file, words) in [("text", "expected"), ("other", "it is not the summary.json of a run"), ("many", "array")] {
        for more in ["", " --update-baseline"] {
            let done =
                room.lambdasim(&format!("check shop.yaml --baseline {file}.json{more}")).exits(2).prints_nothing();
            done.complains(&format!("{file}.json is no baseline: ")).complains(words);
        }
    }
    room.lambdasim("run shop.yaml --replicas 3 --out three").exits(0);
    room.lambdasim("check shop.yaml --baseline three").exits(2).complains("one of several runs");
    room.lambdasim("check shop.yaml --update-baseline").exits(2).complains("--baseline");
    room.lambdasim("check shop.yaml --tolerance *=1%").exits(2).complains("--baseline");
}

#[test]
fn tolerances_say_how_far_numbers_may_be() {
    let room = busy();
    let check = |line: &str| room.lambdasim(&format!("check busy.yaml --baseline busy.json {line}"));
    check("--update-baseline").exits(0);
    let seed = "--seed 2 --set expect=[]";
    check(seed).exits(1).prints("note: the baseline has seed 1, and this has 2");
    check(&format!("{seed} --tolerance *=200%")).exits(0).prints("numbers differ from the baseline, as they may");
    check(&format!("{seed} --tolerance *=200% --tolerance callers.*.latency_ms.p99=1us"))
        .exits(1)
        .prints("1 difference from the baseline")
        .prints("callers.buyers.latency_ms.p99");
    for (tolerance, words) in [
        ("callers.sellers=1%", "there is no such number"),
        ("callers.buyers.latency_ms.p99=3", "there is no such number"),
        ("callers.buyers", "METRIC=SHARE"),
        ("callers.buyers=much", "not a number"),
    ] {
        check(&format!("--tolerance {tolerance}")).exits(2).prints_nothing().complains(words);
    }
}

#[test]
fn a_baseline_is_made_new_on_request_and_not_else() {
    let room = busy();
    room.lambdasim("check busy.yaml --baseline base --update-baseline").exits(0);
    let first = room.files();
    room.edit("busy.yaml", "base: 100ms", "base: 250ms");
    room.lambdasim("check busy.yaml --baseline base").exits(1);
    assert!(room.files() == first);
    // It says what changed, and does not fail for it; what is expected still counts.
    room.edit("busy.yaml", "errors == 0", "errors > 0");
    room.lambdasim("check busy.yaml --baseline base --update-baseline")
        .exits(1)
        .prints("FAIL  busy (seed 1): 1 of 2 expectations hold; ")
        .prints("differences from the baseline, which is made new\n")
        .prints("the first event that differs: buyers#");
    room.edit("busy.yaml", "errors > 0", "errors == 0");
    room.lambdasim("check busy.yaml --baseline base").exits(0);
    // Results do not replace it in passing.
    room.lambdasim("check busy.yaml --baseline base --out base/busy").exits(2).complains("would replace the baseline");
    // Nor does a run that does not end.
    let second = room.files();
    room.lambdasim("check busy.yaml --baseline base --update-baseline --set model.event_budget=100").exits(1);
    assert!(room.files() == second);
}

#[test]
fn the_scenario_is_not_replaced_by_a_baseline() {
    let room = Room::new().with("own/scenario.yaml", SHOP);
    room.lambdasim("check own/scenario.yaml --baseline own/summary.json --update-baseline")
        .exits(2)
        .complains("own/scenario.yaml is the scenario itself");
    room.lambdasim("check shop.yaml --junit shop.yaml").exits(2).complains("shop.yaml is the scenario itself");
    assert_eq!(room.text("shop.yaml"), SHOP);
}

#[test]
fn without_its_scenario_only_the_numbers_of_a_baseline_are_compared() {
    let room = busy();
    let check = || room.lambdasim("check busy.yaml --baseline base --set callers.buyers.client.retry=none");
    room.lambdasim("check busy.yaml --baseline base --update-baseline").exits(0);
    check().exits(1).prints("the first event that differs: buyers#");
    let scenario = "base/busy/scenario.yaml";
    room.edit(scenario, "seed: 1", "seed: 3");
    check().exits(1).prints("is not known: base/busy/scenario.yaml is not the scenario of the baseline");
    room.edit("base/busy/summary.json", "\"lambdasim\": \"", "\"lambdasim\": \"0.0.");
    check().exits(1).prints("gives other events in this version of lambdasim than in 0.0.");
    room.edit(scenario, "name: busy", "nome: busy");
    check().exits(1).prints("cannot be read by this version");
    fs::remove_file(room.path().join(scenario)).unwrap();
    check().exits(1).prints("there is no base/busy/scenario.yaml to compare events with");
}

#[test]
fn differences_are_data() {
    let room = busy();
    room.lambdasim("check busy.yaml --baseline base --update-baseline").exits(0);
    let line = "check busy.yaml --baseline base --set functions.checkout.reserved_concurrency=10 --format";
    let done = room.lambdasim(&format!("{line} json")).exits(1).complains("differences from the baseline");
    let baseline = &done.json()["baseline"];
    assert_eq!(done.json()["pass"], false);
    assert_eq!(
        (&baseline["file"], &baseline["pass"], &baseline["updated"]),
        (&"base/busy/summary.json".into(), &false.into(), &false.into())
    );
    let differences = baseline["differences"].as_array().unwrap();
    assert!(differences.len() > 20);
    let throttles = differences.iter().find(|one| one["metric"] == "functions.checkout.throttles").unwrap();
    assert!(throttles["baseline"].as_u64() > throttles["now"].as_u64());
    let first = &baseline["first_event"];
    assert_eq!((&first["was"]["step"], &first["is"]["step"]), (&"throttled".into(), &"run_started".into()));
    assert!(first["event"].as_str().unwrap().starts_with("buyers#"), "{first}");
    let table = room.lambdasim(&format!("{line} csv")).exits(1).stdout();
    assert_eq!(table.lines().filter(|row| row.ends_with(",false")).count(), differences.len() + 1);
    assert!(table.contains("\nbusy,functions.checkout.throttles == "), "{table}");
    // The same keys without one.
    assert!(room.lambdasim("check busy.yaml --format json").exits(0).json()["baseline"].is_null());
}

#[test]
fn junit_has_a_suite_for_each_scenario() {
    let room = busy().with_shop("poor", "  - callers.buyers.latency_ms.max < 1ms\n");
    room.lambdasim("check busy.yaml --baseline base --update-baseline").exits(0);
    let line = "--baseline base --junit check.xml --set functions.checkout.reserved_concurrency=10";
    room.lambdasim(&format!("check busy.yaml {line}")).exits(1);
    let first = room.text("check.xml");
    insta::assert_snapshot!(first);
    room.lambdasim(&format!("check busy.yaml {line}")).exits(1);
    assert_eq!(room.text("check.xml"), first);
    room.lambdasim("check poor.yaml shop.yaml --junit check.xml --set model.event_budget=1e9").exits(1);
    let both = room.text("check.xml");
    assert!(both.contains("tests=\"5\" skipped=\"0\" failures=\"1\" errors=\"0\""), "{both}");
    room.lambdasim("check poor.yaml shop.yaml --junit check.xml --set model.event_budget=10").exits(1);
    assert!(room.text("check.xml").contains("errors=\"2\""), "{}", room.text("check.xml"));
    for place in [".", "there/check.xml"] {
        room.lambdasim(&format!("check shop.yaml --junit {place}")).exits(3).prints_nothing().complains("cannot write");
    }
    assert!(room.names().iter().all(|name| !name.contains(".lambdasim")), "{:?}", room.names());
}

#[test]
fn github_shows_errors_at_their_lines() {
    let room = Room::new().with_shop("poor", "  - callers.buyers.latency_ms.max within 5% of 1ms\n");
    let github = |line: &str| {
        let output = room.command(line).env("GITHUB_STEP_SUMMARY", "summary.md").output().unwrap();
        Done { line: line.to_owned(), output }
    };
    let expected = "::error file=poor.yaml,line=10,col=5,title=lambdasim%3A poor::callers.buyers.latency_ms.max within 5%25 of 1ms: actual ";
    let done = github("check shop.yaml poor.yaml --github").exits(1).complains_of_nothing();
    let stdout = done.stdout();
    assert!(stdout.lines().last().unwrap().starts_with(expected), "{stdout}");
    assert_eq!(stdout.matches("::error").count(), 1);
    let summary = room.text("summary.md");
    assert!(summary.contains("| ✅ | shop | 2 | 2 |\n| ❌ | poor | 2 | 3 |\n"), "{summary}");
    // It is added to what other steps have written; data stays data.
    let done = github("check poor.yaml --github --format json").exits(1).complains(expected);
    assert_eq!(done.json()["pass"], false);
    assert!(room.text("summary.md").starts_with(&summary) && room.text("summary.md") != summary);
    // An expectation of the command line has no place in the file.
    let output = room.command("check shop.yaml --github --set").arg("expect=[1 > 2]").output().unwrap();
    let done = Done { line: "an expectation of the command line".to_owned(), output }.exits(1);
    done.prints("::error file=shop.yaml,title=lambdasim%3A shop::1 > 2: actual 1\n");
    let size = room.text("summary.md").len();
    github("check poor.yaml").exits(1);
    assert_eq!(room.text("summary.md").len(), size);
}

/// What the page about CI shows can be used as it is.
#[test]
fn the_page_about_ci_is_true() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ci.md")).unwrap();
    let room = Room::new().with("scenarios/shop.yaml", SHOP);
    let commands: Vec<String> = page
        .lines()
        .filter_map(|line| line.split_once("lambdasim check ").filter(|(before, _)| !before.contains('`')))
        .map(|(_, rest)| rest.trim_end_matches('\\').replace('\'', "").replace("*.yaml", "shop.yaml"))
        .collect();
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        room.lambdasim(&format!("check {command}")).exits(0);
    }
    let mut fences = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    assert!(fences.by_ref().count() >= 2);
    for fence in page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        let _: serde_yaml::Value = serde_yaml::from_str(fence).unwrap_or_else(|error| panic!("{error}\n{fence}"));
    }
}
