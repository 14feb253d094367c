//! Expectations that cannot be judged: the part that is wrong is underlined.

use lambdasim::run::check_expectations;

use super::*;

/// `expect` as it is written, the line and the column of the only problem, what is underlined, what the message says.
type Expected = (&'static str, (usize, usize), usize, &'static [&'static str]);

#[test]
fn the_wrong_part_is_shown() {
    let paths: &[&str] = &["`functions.f` has no `error`", "did you mean `functions.f.errors`?"];
    let cases: &[Expected] = &[
        ("expect: [functions.f.error == 0]", (10, 22), 5, paths),
        ("expect:\n  - 0 == functions.f.error", (11, 22), 5, paths),
        ("expect:\n  - \"0 == functions.f.error\"", (11, 23), 5, paths),
        ("expect:\n  - '0 == functions.f.error'", (11, 23), 5, paths),
        ("expect:\n  - functions.f.throttles ==", (11, 29), 1, &[]),
        // Where the text is not in the file as it is, all of it is shown.
        ("expect:\n  - \"0 == \\x66unctions.f.error\"", (11, 5), 27, paths),
        ("expect:\n  - 0 ==\n    functions.f.error", (11, 5), 4, paths),
        (
            "expect:\n  - functions.f.throttles_by_reason.Foo == 0",
            (11, 37),
            3,
            &["no reason `Foo` for a throttle", "the reasons are ConcurrentInvocationLimitExceeded,"],
        ),
        (
            "expect:\n  - functions.f.throttles_by_reason.CallerRateLimit == 0",
            (11, 37),
            15,
            &["did you mean `functions.f.throttles_by_reason.CallerRateLimitExceeded`?"],
        ),
        (
            "expect:\n  - callers.c.status_codes.50 == 0",
            (11, 28),
            2,
            &["`50` is not a status code", "`callers.c.status_codes.500`"],
        ),
    ];
    for (text, place, underlined, says) in cases {
        let loaded = parse("x.yaml", format!("{GOOD}{text}\n").as_bytes(), data(), &[]).expect(text);
        let error = check_expectations(&loaded).expect_err(text);
        let [problem] = error.problems() else { panic!("{text}:\n{error}") };
        assert_eq!(((problem.line(), problem.column()), problem.kind()), (*place, Kind::Expectation), "{error}");
        assert!(problem.key() == "expect[0]", "{error}");
        let error = error.to_string();
        let longest = error.split(|letter| letter != '^').map(str::len).max();
        assert_eq!(longest, Some(*underlined), "{error}");
        for says in *says {
            assert!(error.contains(says), "{text}: no {says:?} in\n{error}");
        }
    }
}

#[test]
fn what_did_not_happen_is_zero() {
    let text =
        "expect: [functions.f.throttles_by_reason.CallerRateLimitExceeded == 0, callers.c.status_codes.503 == 0]";
    let loaded = parse("x.yaml", format!("{GOOD}{text}\n").as_bytes(), data(), &[]).unwrap();
    assert!(check_expectations(&loaded).is_ok());
}

#[test]
fn an_override_is_shown_too() {
    let expect = ["expect=[functions.f.error == 0]".to_owned()];
    let loaded = parse("x.yaml", GOOD.as_bytes(), data(), &expect).unwrap();
    let error = check_expectations(&loaded).unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!((problem.file(), problem.line(), problem.column()), ("--set #1", 1, 21));
}
