//! Bad scenarios: what the messages say, and where they point.

mod asynchronous;
mod calls;
mod expectations;
mod fronts;
mod keys;
mod mappings;
mod messages;
mod places;
mod queues;
mod readers;
mod state_machines;
mod streams;
mod text;
mod together;
mod values;

use std::path::Path;

use lambdasim::scenario::{ProblemKind as Kind, ScenarioError, parse};

/// A good scenario; cases replace its lines or add some.
const GOOD: &str = "\
name: small
duration: 1h
functions:
  f:
    duration: 20ms
callers:
  c:
    target: f
    arrivals: {poisson: 5/s}
";
const NAME: &str = "name: small";
const LENGTH: &str = "duration: 1h";
const GOOD_START: &str = "name: small\nduration: 1h";
const RUN: &str = "    duration: 20ms";
const TARGET: &str = "    target: f";
const ARRIVALS: &str = "    arrivals: {poisson: 5/s}";
/// Nothing is replaced: the line comes at the end.
const END: &str = "";

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data"))
}

#[track_caller]
fn refuse(bytes: &[u8], overrides: &[&str]) -> ScenarioError {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    match parse("x.yaml", bytes, data(), &overrides) {
        Ok(_) => panic!("accepted: {} {overrides:?}", String::from_utf8_lossy(bytes)),
        Err(error) => error,
    }
}

/// The line that is replaced, its replacement with `«` before the place of the only problem, the kind of the problem,
/// its key, and what the message says.
type Case = (&'static str, &'static str, Kind, &'static str, &'static [&'static str]);

#[track_caller]
fn check(cases: &[Case]) {
    let wrong = cases.iter().filter_map(|case| std::panic::catch_unwind(|| check_one(case)).err());
    assert_eq!(wrong.count(), 0, "cases are wrong");
}

fn check_one((line, replacement, kind, key, says): &Case) {
    let marked = if line.is_empty() { format!("{GOOD}{replacement}\n") } else { GOOD.replacen(line, replacement, 1) };
    let mark = marked.find('«').expect("a mark");
    let before = &marked[..mark];
    let place = (before.lines().count().max(1), before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
    let place = if before.ends_with('\n') { (place.0 + 1, 1) } else { place };
    let error = refuse(marked.replacen('«', "", 1).as_bytes(), &[]);
    assert_eq!(error.problems().len(), 1, "{replacement}:\n{error}");
    let problem = &error.problems()[0];
    let found = ((problem.line(), problem.column()), problem.kind(), problem.key());
    assert_eq!(found, (place, *kind, *key), "{replacement}:\n{error}");
    let text = error.to_string();
    for says in *says {
        assert!(text.contains(says), "{replacement}: no {says:?} in\n{error}");
    }
    let place = format!("x.yaml:{}:{}\n", place.0, place.1);
    assert!(text.contains(&place) && text.ends_with("1 problem in x.yaml"), "{error}");
}

#[test]
fn many_problems_come_in_the_order_of_the_text() {
    let text = "name: a b\nduration: 5\nwarmup: 5M\nfunctions:\n  f: {memory: 1MB, duration: 1s}\n  g: {}\ncallers:\n  c: {target: h, users: {}}\n";
    let error = refuse(text.as_bytes(), &["functions.f.timeout=5", "seed=x"]);
    let found =
        error.problems().iter().map(|problem| (problem.file(), problem.line(), problem.key())).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            ("x.yaml", 1, "name"),
            ("x.yaml", 2, "duration"),
            ("x.yaml", 3, "warmup"),
            ("x.yaml", 5, "functions.f.memory"),
            ("x.yaml", 6, "functions.g.duration"),
            ("x.yaml", 8, "callers.c.target"),
            ("--set #1", 1, "functions.f.timeout"),
            ("--set #2", 1, "seed"),
        ]
    );
    assert!(error.to_string().ends_with("8 problems in x.yaml"));
}

#[test]
fn not_more_than_a_screenful_is_printed() {
    let text = (0..70).fold(GOOD.to_owned(), |text, number| text + &format!("k{number}: 1\n"));
    let error = refuse(text.as_bytes(), &[]);
    assert_eq!(error.problems().len(), 70);
    let text = error.to_string();
    assert_eq!(text.matches("error: ").count(), 50);
    assert!(text.ends_with("and 20 more\n\n70 problems in x.yaml"), "{text}");
}

#[test]
fn overrides() {
    for (flag, column, kind, says) in [
        ("seed", 1, Kind::Override, "there is no `=`"),
        ("seed=", 5, Kind::Override, "there is no value"),
        ("=5", 1, Kind::Override, "is not a key path"),
        ("functions..memory=1GB", 11, Kind::Override, "is not a key path"),
        ("functions.f.failures[x]=1", 21, Kind::Override, "is not a key path"),
        ("functions.f.failures[0=1", 21, Kind::Override, "is not a key path"),
        ("functions.f.failures[2].kind=crash", 22, Kind::Override, "the list is empty"),
        ("functions.f.duration.mean=1s", 22, Kind::Override, "is `20ms`, which has no keys"),
        ("functions[0].memory=1GB", 11, Kind::Override, "`functions` is not a list"),
        ("functions.f.memory={a: [}", 24, Kind::Syntax, "this is not YAML"),
        ("functions.f.memory=64MB", 20, Kind::OutOfRange, "too small"),
        ("functions.f.memry=1GB", 13, Kind::UnknownKey, "did you mean `memory`?"),
        ("functions.g.memory=1GB", 11, Kind::UnknownName, "the scenario has no function `g`"),
        ("functions.f.timeout=[]", 13, Kind::WrongType, "a list does not fit here"),
        ("nmae=x", 1, Kind::UnknownKey, "did you mean `name`?"),
        ("callers.c.arrivals.trace.file=x.csv", 20, Kind::Contradiction, "exclude each other"),
    ] {
        let error = refuse(GOOD.as_bytes(), &["seed=1", flag]);
        let problem = &error.problems()[0];
        let found = (problem.file(), problem.line(), problem.column(), problem.kind());
        assert_eq!(found, ("--set #2", 1, column, kind), "{flag}:\n{error}");
        assert!(error.to_string().contains(says), "{flag}: no {says:?} in\n{error}");
        assert!(error.to_string().contains(flag), "{error}");
    }
}

#[test]
fn the_look_of_a_message() {
    let error = refuse(GOOD.replace("    duration: 20ms", "    duration: 20\n    timout: 3s").as_bytes(), &[]);
    insta::assert_snapshot!(error, @r#"
    error: `20` has no unit
     --> x.yaml:5:15
      |
    5 |     duration: 20
      |               ^^ expected a duration such as `250ms`, `30s` or `1h30m` or a time distribution such as `{uniform: ..}`
      |
      = key: functions.f.duration
      = help: write `20s` for seconds or `20ms` for milliseconds

    error: unknown key `timout`
     --> x.yaml:6:5
      |
    6 |     timout: 3s
      |     ^^^^^^ expected a key of a function
      |
      = key: functions.f.timout
      = help: did you mean `timeout`?

    2 problems in x.yaml
    "#);
    let error = refuse(format!("{GOOD}name: b\n").as_bytes(), &["functions.f.memory=1TB"]);
    insta::assert_snapshot!(error, @r#"
    error: the key `name` is written twice
      --> x.yaml:10:1
       |
     1 | name: small
       | ---- first written here
    ...
    10 | name: b
       | ^^^^ expected each key once
       |
       = key: name

    error: `1TB` is not an amount of memory: `TB` is not a unit of it
     --> --set #1:1:20
      |
    1 | functions.f.memory=1TB
      |                    ^^^ expected memory from 128MB to 10240MB
      |
      = key: functions.f.memory
      = help: write for example `512MB` or `1024MB`

    2 problems in x.yaml
    "#);
    let text = GOOD.replace("20ms", "20ms\n    snapstart: {restore: 1s}\n    ephemeral_storage: 1GB");
    insta::assert_snapshot!(refuse(text.as_bytes(), &[]), @r#"
    error: SnapStart takes at most 512MB of ephemeral storage
     --> x.yaml:7:24
      |
    6 |     snapstart: {restore: 1s}
      |     --------- SnapStart is on
    7 |     ephemeral_storage: 1GB
      |                        ^^^ expected at most 512MB (INV-E18)
      |
      = key: functions.f.ephemeral_storage

    1 problem in x.yaml
    "#);
}

#[test]
fn colours_are_added_on_request_only() {
    let error = refuse(b"nmae: x", &[]);
    assert!(!error.render(false).contains('\u{1b}'));
    assert!(error.render(true).contains('\u{1b}'));
    assert_eq!(error.to_string(), error.render(false));
}
