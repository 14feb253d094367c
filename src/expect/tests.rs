use std::fmt::Write as _;

use serde_json::json;

use super::*;

fn summary() -> Value {
    json!({
        "seed": 1,
        "digest": "00ff",
        "callers": { "web-shop_2": {
            "submitted": 400,
            "latency_ms": { "count": 400, "p50": 80.5, "p99": 212.0 },
            "status_codes": { "200": 390, "502": 10 },
            "goodput_per_s": 48.0,
        } },
        "functions": { "resize": {
            "errors": 10,
            "throttles": 0,
            "throttles_by_reason": {},
            "init_ms": { "count": 0, "p50": null, "p99": null },
            "async_events_dropped_by_condition": { "RetriesExhausted": 3 },
        } },
        "streams": { "clicks": { "shards": [{ "records": 7 }, { "records": 9 }] } },
        "expectations": [],
        "conservation": { "holds": true },
    })
}

fn judge(text: &str) -> (Option<f64>, bool) {
    let expectation = Expectation::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    assert_eq!(expectation.check_paths(&summary()), [], "{text}");
    let Judgement { actual, pass, .. } = expectation.judge(&summary());
    (actual, pass)
}

#[test]
fn the_unit_is_that_of_the_sides() {
    for (text, unit) in [
        ("callers.web-shop_2.latency_ms.p99 < 800", Unit::Milliseconds),
        ("callers.web-shop_2.latency_ms.count > 5", Unit::None),
        ("callers.web-shop_2.latency_ms.p99 / callers.web-shop_2.latency_ms.p50 < 5", Unit::None),
        ("functions.resize.errors / callers.web-shop_2.submitted < 5%", Unit::Share),
        ("functions.resize.errors < 5% * callers.web-shop_2.submitted", Unit::None),
        ("2 * callers.web-shop_2.latency_ms.p50 > -1s", Unit::Milliseconds),
        ("seed < 6MB", Unit::Bytes),
        ("seed == 1", Unit::None),
    ] {
        assert_eq!(Expectation::parse(text).unwrap().judge(&summary()).unit, unit, "{text}");
    }
}

#[test]
fn expectations_that_hold_and_that_do_not() {
    for (text, actual, pass) in [
        ("callers.web-shop_2.latency_ms.p99 < 800ms", Some(212.0), true),
        ("callers.web-shop_2.latency_ms.p99 < 0.2s", Some(212.0), false),
        ("callers.web-shop_2.latency_ms.p99 <= 212ms", Some(212.0), true),
        ("callers.web-shop_2.latency_ms.p99 >= 212", Some(212.0), true),
        ("callers.web-shop_2.latency_ms.p99 > 212", Some(212.0), false),
        ("functions.resize.throttles == 0", Some(0.0), true),
        ("functions.resize.errors != 10", Some(10.0), false),
        ("functions.resize.errors / callers.web-shop_2.submitted < 5%", Some(0.025), true),
        ("functions.resize.errors + functions.resize.throttles - 3 == 7", Some(7.0), true),
        ("2 * (functions.resize.errors - 4) == 12", Some(12.0), true),
        ("1 + 2 * 3 - 4 / 2 == 5", Some(5.0), true),
        ("-functions.resize.errors == -(4 + 6)", Some(-10.0), true),
        ("- 4 == -4", Some(-4.0), true),
        ("callers.web-shop_2.status_codes.502 == 10", Some(10.0), true),
        ("callers.web-shop_2.status_codes.\"502\" == 10", Some(10.0), true),
        ("callers.web-shop_2.status_codes.503 == 0", Some(0.0), true),
        ("functions.resize.throttles_by_reason.CallerRateLimitExceeded == 0", Some(0.0), true),
        ("functions.resize.async_events_dropped_by_condition.RetriesExhausted == 3", Some(3.0), true),
        ("functions.resize.async_events_dropped_by_condition.EventAgeExceeded == 0", Some(0.0), true),
        ("streams.clicks.shards[1].records == 9", Some(9.0), true),
        ("callers.web-shop_2.goodput_per_s within 5% of 50", Some(48.0), true),
        ("callers.web-shop_2.goodput_per_s within 3% of 50", Some(48.0), false),
        ("-48 within 0.05 of -50", Some(-48.0), true),
        ("functions.resize.init_ms.p99 < 1s", None, false),
        ("functions.resize.init_ms.p99 != 3", None, false),
        ("1 / functions.resize.throttles > 0", None, false),
        ("functions.resize.throttles / functions.resize.throttles == 1", None, false),
        ("  seed==1 ", Some(1.0), true),
        ("6MB > 1MiB", Some(6e6), true),
    ] {
        assert_eq!(judge(text), (actual, pass), "{text}");
    }
}

/// The offending part, the message and the help of each.
#[test]
fn what_is_wrong_is_shown_with_its_place() {
    let mut shown = String::new();
    for text in [
        "",
        "callers.x",
        "1 <",
        "1 = 1",
        "1 ! 1",
        "1 < 2 < 3",
        "a < 1 and b < 2",
        "a < 1 && b < 2",
        "(1 + 2 < 3",
        "1 + 2) < 3",
        "a+ b < 3",
        "a /b < 3",
        "goodput > 50/s",
        "a -b < 3",
        "a b < 3",
        "a within 300",
        "a within b of 3",
        "5 parsecs < 3",
        "5parsecs < 3",
        "1.2.3 < 3",
        "a. < 3",
        "a.\"b < 3",
        "shards[x] < 3",
        "shards[1 < 3",
        "\u{e9} < 3",
        "99999999999999999999999999[0] < 1",
        "a[99999999999999999999999999] < 1",
    ] {
        let problem = Expectation::parse(text).expect_err(text);
        show(&mut shown, text, &problem);
    }
    let message = |text: String| Expectation::parse(&text).unwrap_err().message;
    let deep = |depth| "(".repeat(depth) + "1" + &")".repeat(depth) + " == 1";
    assert!(Expectation::parse(&deep(60)).is_ok());
    assert_eq!(message(deep(100)), "too many parentheses inside each other");
    assert_eq!(message("-".repeat(100) + "1 == 1"), "too many parentheses inside each other");
    assert_eq!(message(deep(100_000)), "too long");
    assert_eq!(message("1".to_owned() + &" + 1".repeat(100_000) + " == 1"), "too long");
    insta::assert_snapshot!(shown);
}

#[test]
fn paths_that_lead_nowhere_are_bad_input() {
    let mut shown = String::new();
    for text in [
        "caller.web-shop_2.submitted > 0",
        "callers.web-shop.submitted > 0",
        "callers.web-shop_2.latency.p99 > 0",
        "callers.web-shop_2.latency_ms > 0",
        "callers.web-shop_2.latency_ms.p98 > 0",
        "callers.web-shop_2.latency_ms.p99.x > 0",
        "callers.web-shop_2.status_codes > 0",
        "callers.web-shop_2.status_codes.500.x > 0",
        "callers.web-shop_2.status_codes.50 == 0",
        "callers.web-shop_2.status_codes.5xx == 0",
        "functions.resize.throttles_by_reason.Foo == 0",
        "functions.resize.throttles_by_reason.CallerRateLimit == 0",
        "functions.resize.async_events_dropped_by_condition.Success == 0",
        "functions.resize.async_events_dropped_by_condition.EventAge == 0",
        "resize.errors > 0",
        "functions.resize.zzzzzz > 0",
        "functions > 0",
        "streams.clicks.shards > 0",
        "streams.clicks.shards.records > 0",
        "streams.clicks.shards[2].records > 0",
        "streams.clicks[0].records > 0",
        "digest == 0",
        "conservation.holds == 1",
        "expectations == 0",
        "0 == functions.resize.error + seeds",
    ] {
        let expectation = Expectation::parse(text).unwrap();
        let problems = expectation.check_paths(&summary());
        assert!(!problems.is_empty(), "{text}");
        for problem in problems {
            show(&mut shown, text, &problem);
        }
    }
    insta::assert_snapshot!(shown);
}

fn show(shown: &mut String, text: &str, problem: &Problem) {
    let Problem { offset, length, message, help } = problem;
    let part = &text[*offset..offset + length];
    let _ = write!(shown, "{text}\n  at {offset} `{part}`: {message}; {}\n", help.as_deref().unwrap_or("-"));
}

#[test]
fn an_expression_stands_alone() {
    let expression = Expression::parse("functions.resize.errors * 2").unwrap();
    assert_eq!(expression.check_paths(&summary()), []);
    assert_eq!(expression.value(&summary()), Some(20.0));
    assert!(Expression::parse("1 < 2").is_err());
}

#[test]
fn whole_numbers_print_as_integers() {
    let judgement =
        |actual| Judgement { expression: "x == 1".to_owned(), actual, pass: false, unit: Unit::None, bound: None };
    for (actual, text) in
        [(Some(12.0), "12"), (Some(-3.0), "-3"), (Some(0.5), "0.5"), (None, "null"), (Some(1e300), "1e300")]
    {
        let json = serde_json::to_value(judgement(actual)).unwrap();
        assert_eq!(json["actual"].to_string().replace("1e+300", "1e300"), text);
    }
}
