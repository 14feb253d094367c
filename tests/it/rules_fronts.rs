//! Services before a function: what each of them waits for, answers, and tries again (INV-4, INV-6, vectors V31..V34,
//! V37, V38).

use lambdasim::aws::fact::{Fact, FrontFact, Outcome};
use serde_json::Value;

use crate::common::{Facts, at, check, check_run, near, number, scenario, simulate, summary};

/// One call at 0 of a function with these settings, through this service; `more` are lines at the top.
fn one_call(via: &str, function: &str, more: &str) -> String {
    format!(
        "duration: 1s\n{more}\nfunctions: {{ f: {{ {function} }} }}\n\
         callers: {{ c: {{ target: f, via: {via}, arrivals: {{ at: [0s] }} }} }}"
    )
}

/// The services that wait for the function's answer.
const SYNCHRONOUS: [&str; 12] = [
    "sdk",
    "api_gateway_rest",
    "api_gateway_http",
    "api_gateway_websocket",
    "alb",
    "function_url",
    "cognito",
    "lex",
    "alexa",
    "cloudfront",
    "firehose",
    "step_functions",
];

/// Those that hand over an event.
const ASYNCHRONOUS: [&str; 12] = [
    "s3",
    "sns",
    "eventbridge",
    "scheduler",
    "ses",
    "cloudformation",
    "cloudwatch_logs",
    "cloudwatch_events",
    "codecommit",
    "config",
    "iot",
    "iot_button",
];

/// How the only call ended: its outcome, its statuses with their numbers, attempts, and latency in seconds.
fn ended(summary: &Value) -> (String, Vec<(String, u64)>, f64, f64) {
    let caller = at(summary, "callers.c");
    let outcomes = caller["outcomes"].as_object().unwrap();
    let outcome = outcomes.iter().find(|(_, number)| number.as_u64() == Some(1)).map(|(name, _)| name.clone());
    let codes = caller["status_codes"].as_object().unwrap();
    let codes = codes.iter().map(|(code, number)| (code.clone(), number.as_u64().unwrap())).collect();
    let latency = number(summary, "callers.c.latency_ms.max") / 1e3;
    (outcome.unwrap_or_default(), codes, number(summary, "callers.c.attempts"), latency)
}

/// Simulates one call and compares how it ended.
#[track_caller]
fn check_end(yaml: &str, case: &str, outcome: &str, codes: &[(&str, u64)], attempts: f64, latency_s: f64) {
    let found = ended(&simulate(yaml));
    let codes: Vec<(String, u64)> = codes.iter().map(|(code, number)| ((*code).to_owned(), *number)).collect();
    assert_eq!(found, (outcome.to_owned(), codes, attempts, latency_s), "{case}");
}

/// INV-A4..A6, B1, 4.4: how long each service waits, and what the caller gets then. One millisecond less, and the same,
/// are in time. The run goes on: its concurrency is busy until its own end.
#[test]
fn a04_a05_a06_b01_4_4_each_service_and_its_timeout() {
    // Service, its time-out, how a call ends that takes longer, its statuses, its attempts.
    type Row = (&'static str, u64, &'static str, &'static [(&'static str, u64)], f64);
    let rows: [Row; 13] = [
        ("api_gateway_rest", 29_000, "service_error", &[("504", 1)], 1.0),
        ("{ api_gateway_rest: 300s }", 300_000, "service_error", &[("504", 1)], 1.0),
        ("{ api_gateway_rest: { timeout: 50ms, timeout_status: 599 } }", 50, "service_error", &[("599", 1)], 1.0),
        ("api_gateway_http", 30_000, "service_error", &[("503", 1)], 1.0),
        ("api_gateway_websocket", 29_000, "service_error", &[("504", 1)], 1.0),
        ("alb", 60_000, "service_error", &[("504", 1)], 1.0),
        ("{ alb: { idle_timeout: 90s } }", 90_000, "service_error", &[("504", 1)], 1.0),
        ("cloudfront", 5_000, "service_error", &[("503", 1)], 1.0),
        ("{ cloudfront: { event: origin } }", 30_000, "service_error", &[("503", 1)], 1.0),
        ("lex", 30_000, "timeout", &[], 1.0),
        ("alexa", 8_000, "timeout", &[], 1.0),
        ("cognito", 5_000, "timeout", &[], 3.0),
        ("{ firehose: { buffer_interval: 0s } }", 300_000, "timeout", &[], 4.0),
    ];
    for (via, limit, outcome, codes, attempts) in rows {
        let yaml = |duration: u64| one_call(via, &format!("duration: {duration}ms, timeout: 15m"), "");
        for in_time in [limit - 1, limit] {
            let latency = in_time as f64 / 1e3;
            check_end(&yaml(in_time), via, "success", &[("200", 1)], 1.0, latency);
        }
        let late = yaml(limit + 1);
        let pauses = if via.contains("firehose") { 3.0 } else { 0.0 };
        check_end(&late, via, outcome, codes, attempts, limit as f64 / 1e3 * attempts + pauses);
        let runs = Facts::of(&late).runs();
        near(via, runs.len() as f64, attempts, 0.0);
        for run in runs {
            near(via, run.ended().at - run.start, limit as f64 + 1.0, 1e-9);
            near(via, run.ended().abandoned.unwrap() - run.start, limit as f64, 1e-9);
        }
    }
}

/// INV-F3, SF8: these wait as long as the function may take; `alb` too where its connection does.
#[test]
fn f03_services_without_a_timeout() {
    for via in ["function_url", "step_functions", "{ alb: { idle_timeout: unlimited } }"] {
        let yaml = one_call(via, "duration: 15m, timeout: 15m", "");
        check_end(&yaml, via, "success", &[("200", 1)], 1.0, 900.0);
    }
    // INV-6: a receipt rule that waits does so for 30 s.
    for (duration, outcome, latency) in [(30_000, "success", 30.0), (30_001, "timeout", 30.0)] {
        let yaml = one_call("ses", &format!("duration: {duration}ms, timeout: 1m"), "");
        let yaml = yaml.replace("via: ses", "via: ses, invocation: sync");
        let codes: &[(&str, u64)] = if outcome == "success" { &[("200", 1)] } else { &[] };
        check_end(&yaml, "ses", outcome, codes, 1.0, latency);
    }
}

/// INV-A7, B2, F1, 4.4, SF5, SF6: what a throttle becomes. Lambda throttles, as there is no concurrency; at the edge
/// and before an event is accepted, a fault of the Invoke API does.
#[test]
fn a07_b02_f01_4_4_answers_to_a_throttle() {
    type Row = (&'static str, &'static str, &'static [(&'static str, u64)], f64, f64);
    let rows: [Row; 20] = [
        ("sdk", "throttled", &[("429", 3)], 3.0, 3.0),
        ("api_gateway_rest", "service_error", &[("500", 1)], 1.0, 0.0),
        ("{ api_gateway_rest: { refusal_status: 504 } }", "service_error", &[("504", 1)], 1.0, 0.0),
        ("{ api_gateway_rest: { refusal_status: 429 } }", "throttled", &[("429", 1)], 1.0, 0.0),
        ("api_gateway_http", "service_error", &[("500", 1)], 1.0, 0.0),
        ("api_gateway_websocket", "service_error", &[("500", 1)], 1.0, 0.0),
        ("alb", "service_error", &[("502", 1)], 1.0, 0.0),
        ("function_url", "throttled", &[("429", 1)], 1.0, 0.0),
        ("cognito", "throttled", &[("429", 3)], 3.0, 0.0),
        ("{ cognito: { attempts: 2, pause: 1s } }", "throttled", &[("429", 2)], 2.0, 1.0),
        ("lex", "throttled", &[("429", 1)], 1.0, 0.0),
        ("alexa", "throttled", &[("429", 1)], 1.0, 0.0),
        ("cloudfront", "service_error", &[("503", 1)], 1.0, 0.0),
        ("{ firehose: { buffer_interval: 0s } }", "throttled", &[("429", 4)], 4.0, 3.0),
        ("{ firehose: { buffer_interval: 0s, attempts: 1 } }", "throttled", &[("429", 1)], 1.0, 0.0),
        ("step_functions", "throttled", &[("429", 1)], 1.0, 0.0),
        ("{ step_functions: { retry: sfn_classic } }", "throttled", &[("429", 1)], 1.0, 0.0),
        ("codecommit", "accepted", &[("202", 1)], 1.0, 0.0),
        ("sns", "accepted", &[("202", 1)], 1.0, 0.0),
        ("s3", "accepted", &[("202", 1)], 1.0, 0.0),
    ];
    for (via, outcome, codes, attempts, latency) in rows {
        let refuses = "faults: [{ function: f, status: 429 }]";
        let yaml = if via == "cloudfront" {
            one_call(via, "duration: 0s", refuses)
        } else {
            one_call(via, "duration: 0s, reserved_concurrency: 0", "")
        };
        // The SDK's own jitter would be a chance.
        let yaml = yaml.replace("via: sdk", "client: { retry: { preset: standard_2026, jitter: none } }");
        check_end(&yaml, via, outcome, codes, attempts, latency);
    }
    // INV-SF5: three retries, after at most 1 s, 2 s and 4 s.
    let yaml = one_call("{ step_functions: { retry: sfn_studio } }", "duration: 0s, reserved_concurrency: 0", "");
    let (outcome, codes, attempts, latency) = ended(&simulate(&yaml));
    assert_eq!((&*outcome, codes, attempts), ("throttled", vec![("429".to_owned(), 4)], 4.0));
    assert!((0.0..7.0).contains(&latency), "{latency}");
}

/// INV-A7, B2, 4.4: what a failure of the Invoke API becomes.
#[test]
fn a07_answers_to_a_failure_of_lambda() {
    for (via, outcome, code, attempts) in [
        ("api_gateway_rest", "service_error", "500", 1.0),
        ("api_gateway_http", "service_error", "500", 1.0),
        ("api_gateway_websocket", "service_error", "500", 1.0),
        ("alb", "service_error", "502", 1.0),
        ("function_url", "service_error", "502", 1.0),
        ("cloudfront", "service_error", "503", 1.0),
        ("cognito", "service_error", "503", 3.0),
        ("lex", "service_error", "503", 1.0),
        ("alexa", "service_error", "503", 1.0),
        ("{ firehose: { buffer_interval: 0s } }", "service_error", "503", 4.0),
        ("{ step_functions: { retry: sfn_classic } }", "service_error", "503", 7.0),
    ] {
        let summary = simulate(&one_call(via, "duration: 0s", "faults: [{ function: f, status: 503 }]"));
        let (found, codes, sent, _) = ended(&summary);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few attempts")]
        let expected = vec![(code.to_owned(), attempts as u64)];
        assert_eq!((&*found, codes, sent), (outcome, expected, attempts), "{via}");
    }
}

/// INV-A8, A9, B2, F2, D29, D30, 4.4: what an error of the function becomes. No service tries it again, unless told to.
#[test]
fn a08_a09_b02_f02_4_4_answers_to_a_function_error() {
    for (via, outcome, code, runs) in [
        ("sdk", "function_error", "200", 1),
        ("api_gateway_rest", "service_error", "502", 1),
        ("{ api_gateway_rest: { integration: custom } }", "success", "200", 1),
        ("{ api_gateway_rest: { error_status: 400 } }", "rejected", "400", 1),
        ("api_gateway_http", "service_error", "502", 1),
        ("api_gateway_websocket", "service_error", "502", 1),
        ("alb", "service_error", "502", 1),
        ("function_url", "service_error", "502", 1),
        ("cognito", "function_error", "200", 1),
        ("{ cognito: { retry_function_errors: on } }", "function_error", "200", 3),
        ("lex", "function_error", "200", 1),
        ("alexa", "function_error", "200", 1),
        ("cloudfront", "service_error", "500", 1),
        ("{ firehose: { buffer_interval: 0s } }", "function_error", "200", 1),
        ("{ firehose: { buffer_interval: 0s, retry_function_errors: on } }", "function_error", "200", 4),
        ("step_functions", "function_error", "200", 1),
        ("{ step_functions: { retry: sfn_studio } }", "function_error", "200", 1),
    ] {
        let summary = simulate(&one_call(via, "duration: 1s, failures: [{ probability: 100% }]", ""));
        let (found, codes, ..) = ended(&summary);
        assert_eq!((&*found, codes), (outcome, vec![(code.to_owned(), runs)]), "{via}");
        check(via, &summary, &[("functions.f.invocations", runs as f64), ("functions.f.errors", runs as f64)]);
    }
}

/// INV-A8, D26, 4.4: the function's own time-out cuts it.
#[test]
fn a08_d26_answers_to_a_function_that_is_cut() {
    for (via, outcome, code) in [
        ("api_gateway_rest", "service_error", "502"),
        ("api_gateway_http", "service_error", "502"),
        ("alb", "service_error", "502"),
        ("function_url", "service_error", "502"),
        ("{ function_url: { timeout_status: 504 } }", "service_error", "504"),
        ("cloudfront", "service_error", "503"),
        ("lex", "function_error", "200"),
    ] {
        let yaml = one_call(via, "duration: 4s, timeout: 3s", "");
        check_end(&yaml, via, outcome, &[(code, 1)], 1.0, 3.0);
    }
}

/// INV-6, Q7: an event that was accepted is Lambda's: three runs, after 60 s and 120 s, whatever the service. It never
/// waits for the function, but for `CloudFormation`.
#[test]
fn inv_6_events_of_each_service_are_retried_by_lambda() {
    for via in ASYNCHRONOUS {
        let facts = Facts::of(&one_call(via, "duration: 1s, failures: [{ probability: 100% }]", ""));
        let starts: Vec<f64> = facts.runs().iter().map(|run| run.start).collect();
        assert_eq!(starts, [0.0, 61_000.0, 182_000.0], "{via}");
        let expected = match via {
            "cloudformation" => (1, 3_600_000.0, Outcome::Timeout),
            _ => (1, 0.0, Outcome::Accepted),
        };
        assert_eq!(facts.finishes(0), [expected], "{via}");
    }
    // A service that is asked to wait does so.
    let asynchronous = simulate(&one_call("sdk, invocation: async", "duration: 1s", ""));
    check("sdk", &asynchronous, &[("callers.c.outcomes.accepted", 1.0), ("functions.f.invocations", 1.0)]);
}

/// INV-6, V37, D31..D33: how often each service tries when the Invoke API refuses for ever, and when the last of the
/// attempts is made (seconds). What is tried once is given up at once.
#[test]
fn inv_6_d31_d32_d33_retries_before_lambda_accepts() {
    let rows: [(&str, f64, f64); 18] = [
        // V37: 1 + 3 at 0, 1 s, 2 s, ten more until 70.107 s, then 100,000 times 20 s.
        ("sns", 100_016.0, 2_000_070.107),
        (
            "{ sns: { retry: { immediate: 0, pre_backoff: { times: 0 }, backoff: { times: 2 }, post_backoff: { times: 0 } } } }",
            3.0,
            21.0,
        ),
        // D32: 185 retries after min(2^i, 480) s.
        ("eventbridge", 186.0, 84_991.0),
        ("cloudwatch_events", 186.0, 84_991.0),
        ("scheduler", 186.0, 84_991.0),
        ("{ scheduler: { maximum_retry_attempts: 0 } }", 1.0, 0.0),
        ("{ scheduler: { maximum_retry_attempts: 1 } }", 2.0, 1.0),
        // The seventh attempt would be made at 63 s, which is too old for an age of 63 s and not for one of 64 s.
        ("{ scheduler: { maximum_event_age: 60s } }", 6.0, 31.0),
        ("{ eventbridge: { retry: { maximum_event_age: 63s } } }", 6.0, 31.0),
        ("{ eventbridge: { retry: { maximum_event_age: 64s } } }", 7.0, 63.0),
        // D33: 1 s x 2 up to 300 s within a day: 511 s for the first nine, then 286 of 300 s.
        ("s3", 296.0, 86_311.0),
        ("cloudwatch_logs", 296.0, 86_311.0),
        ("{ cloudwatch_logs: { retry: { maximum_event_age: 2s } } }", 2.0, 1.0),
        ("ses", 1.0, 0.0),
        ("cloudformation", 1.0, 0.0),
        ("codecommit", 1.0, 0.0),
        ("config", 1.0, 0.0),
        ("iot", 1.0, 0.0),
    ];
    for (via, attempts, last_s) in rows {
        for (status, outcome) in [(429, Outcome::Throttled), (500, Outcome::ServiceError)] {
            let yaml = one_call(via, "duration: 0s", &format!("faults: [{{ function: f, status: {status} }}]"));
            let facts = Facts::of(&yaml);
            let times = facts.attempt_times(0);
            near(via, times.len() as f64, attempts, 0.0);
            near(via, *times.last().unwrap() / 1e3, last_s, 5e-4);
            let finishes = facts.finishes(0);
            assert_eq!((finishes.len(), finishes[0].2), (1, outcome), "{via}");
            assert!(facts.runs().is_empty(), "{via}");
        }
    }
    check_end(
        &one_call("iot_button", "duration: 0s", "faults: [{ function: f, status: 500 }]"),
        "iot_button",
        "service_error",
        &[("500", 1)],
        1.0,
        0.0,
    );
}

/// An outage that ends is survived: the event is accepted at the first attempt after it, and runs.
#[test]
fn inv_6_a_service_outlives_an_outage() {
    // SNS: the sixth wait that grows ends at 3 + 1.395 + 1.946 + 2.714 + 3.786 + 5.282 s (D31).
    for (via, accepted_at) in [("sns", 18_123.0), ("eventbridge", 15_000.0), ("scheduler", 15_000.0), ("s3", 15_000.0)]
    {
        let faults = "faults: [{ function: f, status: 500, until: 15s }]";
        let facts = Facts::of(&one_call(via, "duration: 1s", faults));
        let starts: Vec<f64> = facts.runs().iter().map(|run| run.start).collect();
        assert_eq!(starts.len(), 1, "{via}");
        near(via, starts[0], accepted_at, 1.0);
        assert_eq!(facts.finishes(0)[0].2, Outcome::Accepted, "{via}");
    }
}

/// Each service of the catalogue is named in a report of its calls, and none is like the SDK in everything.
#[test]
fn each_service_of_the_catalogue_runs() {
    for via in SYNCHRONOUS.into_iter().chain(ASYNCHRONOUS) {
        let summary = simulate(&one_call(via, "duration: 1s", ""));
        let success = if ASYNCHRONOUS.contains(&via) && via != "cloudformation" { "accepted" } else { "success" };
        assert_eq!(ended(&summary).0, success, "{via}");
        check(via, &summary, &[("functions.f.invocations", 1.0)]);
    }
}

/// V31: API Gateway in front of a function without concurrency, of one that raises, and of one that takes 40 s.
#[test]
fn v31_api_gateway() {
    check_end(
        &one_call("api_gateway_rest", "duration: 0s, reserved_concurrency: 0", ""),
        "reserved concurrency is full",
        "service_error",
        &[("500", 1)],
        1.0,
        0.0,
    );
    check_end(
        &one_call("api_gateway_rest", "duration: 0s, failures: [{ probability: 100% }]", ""),
        "the handler raises",
        "service_error",
        &[("502", 1)],
        1.0,
        0.0,
    );
    for (via, code, at) in [("api_gateway_rest", "504", 29.0), ("api_gateway_http", "503", 30.0)] {
        let yaml = one_call(via, "duration: 40s, timeout: 60s", "");
        check_end(&yaml, via, "service_error", &[(code, 1)], 1.0, at);
        check_run(
            via,
            &yaml,
            &[
                ("window.ended_ms", 40_000.0),
                ("functions.f.abandoned_runs", 1.0),
                ("functions.f.abandoned_ms", 40_000.0 - at * 1e3),
                ("functions.f.billed_ms", 40_000.0),
            ],
        );
    }
}

/// V32: a load balancer in front.
#[test]
fn v32_load_balancer() {
    let rows = [
        ("duration: 0s, reserved_concurrency: 0", "service_error", "502", 0.0),
        ("duration: 0s, failures: [{ probability: 100% }]", "service_error", "502", 0.0),
        ("duration: 40s, timeout: 60s", "success", "200", 40.0),
    ];
    for (function, outcome, code, latency) in rows {
        check_end(&one_call("alb", function, ""), function, outcome, &[(code, 1)], 1.0, latency);
    }
    // INV-B1: the client may leave before, and the run goes on.
    let yaml =
        one_call("alb", "duration: 40s, timeout: 60s", "").replace("via: alb", "via: alb, client: { timeout: 10s }");
    check_end(&yaml, "the client leaves", "timeout", &[], 1.0, 10.0);
    check_run("the client leaves", &yaml, &[("functions.f.abandoned_ms", 30_000.0)]);
}

/// V33, INV-A2: 8,000 requests at once of which 5,000 pass; 3,000 more at 0.3 s all pass. One less and one more at the
/// edge of the bucket.
#[test]
fn v33_the_bucket_of_the_account() {
    let yaml = |second: u32| {
        format!(
            "duration: 1s\naccount: {{ concurrency_limit: 20000, scaling: off }}\nfunctions: {{ f: {{ duration: 0s }} }}\n\
             callers:\n  a: {{ target: f, via: api_gateway_rest, arrivals: {{ burst: {{ size: 8000 }} }} }}\n  \
             b: {{ target: f, via: api_gateway_rest, arrivals: {{ burst: {{ size: {second}, at: 300ms }} }} }}"
        )
    };
    for (second, limited) in [(2_999, 0.0), (3_000, 0.0), (3_001, 1.0)] {
        check_run(
            "v33",
            &yaml(second),
            &[
                ("callers.a.outcomes.success", 5_000.0),
                ("callers.a.outcomes.throttled", 3_000.0),
                ("callers.a.throttled", 3_000.0),
                ("callers.a.status_codes.429", 3_000.0),
                ("callers.b.outcomes.throttled", limited),
                ("functions.f.throttles", 0.0),
                ("functions.f.invocations", 5_000.0 + f64::from(second) - limited),
            ],
        );
    }
}

/// INV-A2: all kinds of APIs share the account's bucket, in the order in which they come, also where its numbers are
/// written; a caller with another rate or burst has a bucket of its own. Other doors have none.
#[test]
fn a02_one_bucket_for_all_apis() {
    let summary = simulate(
        "duration: 1s
account: { concurrency_limit: 20000, scaling: off }
functions: { f: { duration: 1s } }
callers:
  rest: { target: f, via: api_gateway_rest, arrivals: { burst: { size: 2000 } } }
  http: { target: f, via: { api_gateway_http: { timeout: 20s, rate: 600000/min, burst: 5000 } }, arrivals: { burst: { size: 2000 } } }
  socket: { target: f, via: api_gateway_websocket, arrivals: { burst: { size: 2000 } } }
  own: { target: f, via: { api_gateway_rest: { burst: 100 } }, arrivals: { burst: { size: 101 } } }
  slow: { target: f, via: { api_gateway_http: { rate: 10/s, burst: 1 } }, arrivals: { at: [0s, 99ms, 100ms, 150ms, 200ms] } }
  alb: { target: f, via: alb, arrivals: { burst: { size: 2000 } } }",
    );
    check(
        "shared",
        &summary,
        &[
            ("callers.rest.outcomes.success", 2_000.0),
            ("callers.http.outcomes.success", 2_000.0),
            ("callers.socket.outcomes.success", 1_000.0),
            ("callers.own.outcomes.success", 100.0),
            // A token at 0, at 100 ms and at 200 ms.
            ("callers.slow.outcomes.success", 3.0),
            ("callers.slow.outcomes.throttled", 2.0),
            ("callers.alb.outcomes.success", 2_000.0),
            // INV-7: what was refused for its rate costs nothing.
            ("cost.callers.rest.total_usd", 0.007),
            ("cost.callers.http.total_usd", 0.002),
            ("cost.callers.socket.total_usd", 0.001),
            ("cost.callers.alb.total_usd", 0.0),
        ],
    );
}

/// INV-A1, B6: no door tries again; a client behind it may, and starts a second run beside the first.
#[test]
fn a01_a_retry_behind_a_door_is_a_second_run() {
    let yaml = one_call("api_gateway_rest", "duration: 40s, timeout: 60s", "");
    check_run("alone", &yaml, &[("callers.c.attempts", 1.0), ("functions.f.invocations", 1.0)]);
    let yaml = yaml.replace("via:", "client: { retry: { max_attempts: 2, base: 1s, jitter: none } }, via:");
    let facts = Facts::of(&yaml);
    assert_eq!(facts.attempt_times(0), [0.0, 30_000.0]);
    let ends: Vec<f64> = facts.runs().iter().map(|run| run.ended().at).collect();
    assert_eq!(ends, [40_000.0, 70_000.0]);
    check_run("again", &yaml, &[("callers.c.runs_per_call.max", 2.0), ("callers.c.latency_ms.max", 59_000.0)]);
}

/// INV-A12: a REST API that invokes asynchronously answers 202 at once, and Lambda retries the event.
#[test]
fn a12_a_rest_api_that_does_not_wait() {
    let function = "duration: 40s, timeout: 60s, failures: [{ first_attempts: 1 }]";
    let yaml = one_call("api_gateway_rest", function, "");
    let yaml = yaml.replace("via:", "invocation: async, via:");
    check_end(&yaml, "async", "accepted", &[("202", 1)], 1.0, 0.0);
    check_run("async", &yaml, &[("functions.f.invocations", 2.0), ("functions.f.async_events_succeeded", 1.0)]);
    let refused = yaml.replace("functions:", "faults: [{ function: f, status: 429 }]\nfunctions:");
    check_end(&refused, "refused", "service_error", &[("500", 1)], 1.0, 0.0);
}

/// INV-A6, A11, B3, B4, Y2, Q2, 4.4: the largest request of each door; one byte more gets 413.
#[test]
fn a11_b04_the_largest_request() {
    for (via, largest) in [
        ("api_gateway_rest", 6_291_556),
        ("api_gateway_rest, invocation: async", 1_048_576),
        ("api_gateway_http", 6_291_556),
        ("api_gateway_websocket", 131_072),
        ("alb", 1_048_576),
        ("function_url", 6_291_556),
        ("cloudfront", 6_291_556),
    ] {
        for (bytes, code) in [(largest - 1, None), (largest, None), (largest + 1, Some("413"))] {
            let yaml = one_call(via, "duration: 0s", "").replace("arrivals:", &format!("payload: {bytes}B, arrivals:"));
            let (outcome, codes, ..) = ended(&simulate(&yaml));
            assert_eq!(outcome == "rejected", code.is_some(), "{via}, {bytes}");
            assert!(code.is_none_or(|code| codes == [(code.to_owned(), 1)]), "{via}, {bytes}: {codes:?}");
        }
    }
}

/// INV-A6, B2, B4, 4.4: the largest answer of each door; one byte more is an error of the door.
#[test]
fn b02_b04_4_4_the_largest_answer() {
    for (via, largest, code) in [
        ("api_gateway_rest", 6_291_556, "502"),
        ("api_gateway_websocket", 131_072, "502"),
        ("alb", 1_048_576, "502"),
        ("function_url", 6_291_556, "502"),
        ("cloudfront", 40_960, "502"),
        ("{ cloudfront: { event: origin } }", 1_048_576, "502"),
    ] {
        for (bytes, expected) in [(largest - 1, "200"), (largest, "200"), (largest + 1, code)] {
            let yaml = one_call(via, &format!("duration: 0s, response: {bytes}B"), "");
            let (_, codes, ..) = ended(&simulate(&yaml));
            // Beyond what Lambda itself takes, it is an error of the function: 500 at the edge.
            assert_eq!(codes, [(expected.to_owned(), 1)], "{via}, {bytes}");
        }
    }
}

/// V34: Cognito waits 5 s, three times; each run is billed to its own end.
#[test]
fn v34_cognito() {
    let yaml = one_call("cognito", "duration: 6s, timeout: 10s", "");
    let facts = Facts::of(&yaml);
    assert_eq!(facts.attempt_times(0), [0.0, 5_000.0, 10_000.0]);
    assert_eq!(facts.finishes(0), [(1, 15_000.0, Outcome::Timeout)]);
    let ends: Vec<f64> = facts.runs().iter().map(|run| run.ended().at).collect();
    assert_eq!(ends, [6_000.0, 11_000.0, 16_000.0]);
    check_run("v34", &yaml, &[("functions.f.billed_ms", 18_000.0), ("callers.c.client_timeouts", 3.0)]);
    // INV-4.4: a cold start is part of the 5 s.
    let cold = one_call("cognito", "duration: 3s, init: 3s", "");
    let facts = Facts::of(&cold);
    // The second attempt comes while the first environment starts, and has a cold start of its own; the third has none.
    assert_eq!(facts.attempt_times(0), [0.0, 5_000.0, 10_000.0]);
    assert_eq!(facts.finishes(0), [(1, 13_000.0, Outcome::Success)]);
}

/// INV-4.4: Lambda@Edge. Each caller is a Region: its runs meet its own limit, wait for no other's environments, and are
/// in no pool of the account.
#[test]
fn edge_4_4_each_region_has_a_pool_of_its_own() {
    let yaml = |limit: u32, size: u32| {
        format!(
            "duration: 10s
account: {{ concurrency_limit: 2 }}
functions:
  edge: {{ duration: 1s, init: 500ms }}
  home: {{ duration: 1s }}
callers:
  a: {{ target: edge, via: {{ cloudfront: {{ concurrency_limit: {limit} }} }}, arrivals: {{ burst: {{ size: {size} }} }} }}
  b: {{ target: edge, via: cloudfront, arrivals: {{ at: [5s] }} }}
  c: {{ target: home, arrivals: {{ burst: {{ size: 2 }} }} }}"
        )
    };
    for (limit, size, refused) in [(10, 9, 0.0), (10, 10, 0.0), (10, 11, 1.0)] {
        let summary = simulate(&yaml(limit, size));
        check(
            "region",
            &summary,
            &[
                ("callers.a.outcomes.service_error", refused),
                ("callers.b.outcomes.success", 1.0),
                ("callers.c.outcomes.success", 2.0),
                ("functions.edge.throttles", 0.0),
                ("functions.edge.concurrent_executions.max", f64::from(size) - refused),
                // Environments of the other Region are idle, and of no use.
                ("functions.edge.cold_starts", f64::from(size) - refused + 1.0),
                ("functions.edge.environments.created", f64::from(size) - refused + 1.0),
                ("account.concurrent_executions.max", 2.0),
                ("account.unreserved_concurrent_executions.max", 2.0),
                ("account.throttles", 0.0),
            ],
        );
    }
}

/// INV-4.4: the rate of a Region; and a function that is also called at home keeps both apart.
#[test]
fn edge_4_4_rate_and_mixed_callers() {
    check_run(
        "rate",
        "duration: 1s\nfunctions: { f: { duration: 0s } }\n\
         callers: { c: { target: f, via: { cloudfront: { rate: 100/s } }, arrivals: { burst: { size: 101 } } } }",
        &[("callers.c.status_codes.503", 1.0), ("callers.c.outcomes.success", 100.0)],
    );
    let summary = simulate(
        "duration: 10s
account: { concurrency_limit: 3 }
functions: { f: { duration: 1s } }
callers:
  edge: { target: f, via: { cloudfront: { concurrency_limit: 2 } }, arrivals: { burst: { size: 3 } } }
  home: { target: f, client: { retry: none }, arrivals: { burst: { size: 4 } } }",
    );
    check(
        "mixed",
        &summary,
        &[
            ("callers.edge.outcomes.success", 2.0),
            ("callers.edge.status_codes.503", 1.0),
            ("callers.home.outcomes.success", 3.0),
            ("callers.home.outcomes.throttled", 1.0),
            ("functions.f.concurrent_executions.max", 5.0),
            ("account.concurrent_executions.max", 3.0),
            // INV-7: 2 of the 5 runs at 0.60 USD a million, the others at 0.20 USD.
            ("cost.functions.f.requests_usd", 2.0 * 6e-7 + 3.0 * 2e-7),
        ],
    );
}

/// INV-4.4: a deployment reaches the replicas of all Regions.
#[test]
fn edge_4_4_a_deployment_reaches_all_regions() {
    let yaml = |changes: &str| {
        format!(
            "duration: 10s\nfunctions: {{ f: {{ duration: 1s }} }}\ncallers:\n  \
             a: {{ target: f, via: cloudfront, arrivals: {{ at: [0s, 5s] }} }}\n  \
             b: {{ target: f, via: cloudfront, arrivals: {{ at: [0s, 5s] }} }}\nchanges: [{changes}]"
        )
    };
    check_run("none", &yaml(""), &[("functions.f.cold_starts", 2.0)]);
    check_run("deployed", &yaml("{ at: 3s, deploy: f }"), &[("functions.f.cold_starts", 4.0)]);
    let slower = yaml("{ at: 3s, set: { functions.f.duration: 2s } }");
    check_run("changed", &slower, &[("callers.a.latency_ms.max", 2_000.0), ("callers.b.latency_ms.max", 2_000.0)]);
}

/// A buffer of Firehose that was closed: when, how many records, bytes, whether it was full.
fn buffers(facts: &Facts) -> Vec<(f64, u32, u64, bool)> {
    facts.pick(|now, fact| match *fact {
        Fact::Front(FrontFact::BufferClosed { records, bytes, full, .. }) => Some((now, records, bytes, full)),
        _ => None,
    })
}

/// A delivery stream with these settings and records of 100,000 bytes at these moments.
fn delivery_stream(settings: &str, arrivals: &str, function: &str) -> String {
    format!(
        "duration: 10m\nfunctions: {{ f: {{ {function} }} }}\ncallers:\n  \
         c: {{ target: f, via: {{ firehose: {{ {settings} }} }}, payload: 100000B, arrivals: {{ {arrivals} }} }}"
    )
}

/// INV-4.4: a buffer is closed when it is full, or when its first record has waited for the interval.
#[test]
fn firehose_4_4_size_and_interval() {
    type Row = (&'static str, &'static str, &'static [(f64, u32, u64, bool)]);
    let rows: [Row; 6] = [
        // 1 MB and 60 s by default: nine records wait, the tenth fills it.
        ("", "at: [0s, 1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s]", &[(60_000.0, 9, 900_000, false)]),
        ("", "at: [0s, 1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s, 9s]", &[(9_000.0, 10, 1_000_000, true)]),
        (
            "",
            "at: [0s, 1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s, 9s, 10s]",
            &[(9_000.0, 10, 1_000_000, true), (70_000.0, 1, 100_000, false)],
        ),
        ("buffer_size: 200KB", "at: [0s, 1s, 2s]", &[(1_000.0, 2, 200_000, true), (62_000.0, 1, 100_000, false)]),
        // What comes at the end of the interval is still in.
        ("buffer_interval: 5s", "at: [0s, 5s, 6s]", &[(5_000.0, 2, 200_000, false), (11_000.0, 1, 100_000, false)]),
        ("buffer_interval: 0s", "at: [0s, 0s, 1s]", &[(0.0, 2, 200_000, false), (1_000.0, 1, 100_000, false)]),
    ];
    for (settings, arrivals, expected) in rows {
        let facts = Facts::of(&delivery_stream(settings, arrivals, "duration: 1s"));
        assert_eq!(buffers(&facts), expected, "{settings}, {arrivals}");
        assert_eq!(facts.runs().len(), expected.len(), "one run for a buffer: {settings}, {arrivals}");
    }
}

/// INV-4.4: so many buffers are in work at once; a buffer that waits for its next try is one of them.
#[test]
fn firehose_4_4_parallel_invocations() {
    for (parallel, starts) in [(1, [0.0, 10_000.0, 20_000.0]), (2, [0.0, 0.0, 10_000.0]), (3, [0.0, 0.0, 0.0])] {
        let settings = format!("buffer_size: 200KB, parallel: {parallel}");
        let yaml = delivery_stream(&settings, "burst: { size: 6 }", "duration: 10s, timeout: 1m");
        let found: Vec<f64> = Facts::of(&yaml).runs().iter().map(|run| run.start).collect();
        assert_eq!(found, starts, "{parallel}");
    }
    let yaml = delivery_stream("buffer_size: 200KB, parallel: 1", "burst: { size: 4 }", "duration: 0s");
    let facts = Facts::of(&yaml.replace("functions:", "faults: [{ function: f, status: 429, until: 2s }]\nfunctions:"));
    let starts: Vec<f64> = facts.runs().iter().map(|run| run.start).collect();
    assert_eq!(starts, [2_000.0, 2_000.0], "the second buffer waits for the first");
}

/// V38: a transformation that is always throttled: 1 + 3 attempts, then all records of the buffer are skipped.
#[test]
fn v38_firehose_throttled_always() {
    let yaml = delivery_stream("buffer_interval: 10s", "at: [0s, 1s, 2s]", "duration: 0s, reserved_concurrency: 0");
    let facts = Facts::of(&yaml);
    for submission in 1..=3 {
        let times: Vec<f64> = facts.attempts(0).iter().filter(|it| it.0 == submission).map(|it| it.2).collect();
        // The pause is a second (INV-D30).
        assert_eq!(times, [10_000.0, 11_000.0, 12_000.0, 13_000.0], "{submission}");
    }
    let failed = facts.pick(|now, fact| match *fact {
        Fact::Front(FrontFact::ProcessingFailed { records, attempts, .. }) => Some((now, records, attempts)),
        _ => None,
    });
    assert_eq!(failed, [(13_000.0, 3, 4)]);
    check_run(
        "v38",
        &yaml,
        &[
            ("callers.c.outcomes.throttled", 3.0),
            ("callers.c.status_codes.429", 12.0),
            ("functions.f.throttles", 4.0),
            ("functions.f.invocations", 0.0),
        ],
    );
}

/// INV-4.4, D30: the second attempt may succeed; a pause of its own.
#[test]
fn firehose_4_4_d30_a_second_attempt() {
    let faults = "faults: [{ function: f, status: 429, until: 10500ms }]\nfunctions:";
    for (pause, start) in [("", 11_000.0), (", pause: 5s", 15_000.0), (", pause: 0s", f64::NAN)] {
        let settings = format!("buffer_interval: 10s{pause}");
        let yaml = delivery_stream(&settings, "at: [0s]", "duration: 1s").replace("functions:", faults);
        let facts = Facts::of(&yaml);
        let starts: Vec<f64> = facts.runs().iter().map(|run| run.start).collect();
        if start.is_nan() {
            assert!(starts.is_empty(), "four attempts in no time");
        } else {
            assert_eq!(starts, [start], "{pause}");
            assert_eq!(facts.finishes(0), [(1, start + 1_000.0, Outcome::Success)], "{pause}");
        }
    }
}

/// INV-6: `CloudFormation` waits for the call back: until the run that succeeds, or an hour. At the same instant the call
/// back is in time.
#[test]
fn cloudformation_inv_6_call_back() {
    let rows = [
        ("cloudformation", "duration: 5s, timeout: 10s", Outcome::Success, 5_000.0),
        (
            "cloudformation",
            "duration: 5s, timeout: 10s, failures: [{ first_attempts: 2 }]",
            Outcome::Success,
            195_000.0,
        ),
        (
            "cloudformation",
            "duration: 5s, timeout: 10s, failures: [{ first_attempts: 3 }]",
            Outcome::Timeout,
            3_600_000.0,
        ),
        ("{ cloudformation: { callback_timeout: 5s } }", "duration: 4999ms, timeout: 10s", Outcome::Success, 4_999.0),
        ("{ cloudformation: { callback_timeout: 5s } }", "duration: 5s, timeout: 10s", Outcome::Success, 5_000.0),
        ("{ cloudformation: { callback_timeout: 5s } }", "duration: 5001ms, timeout: 10s", Outcome::Timeout, 5_000.0),
    ];
    for (via, function, outcome, at) in rows {
        let facts = Facts::of(&one_call(via, function, ""));
        assert_eq!(facts.finishes(0), [(1, at, outcome)], "{via}, {function}");
    }
}

/// A request that nobody answers leaves the others alone, although its event is long over.
#[test]
fn cloudformation_inv_6_requests_do_not_disturb_each_other() {
    let facts = Facts::of(
        "duration: 1m
functions: { f: { duration: 6s, timeout: 10s, failures: [{ events: [1], probability: 100% }], async: { maximum_retry_attempts: 0 } } }
callers: { c: { target: f, via: { cloudformation: { callback_timeout: 10s } }, arrivals: { at: [0s, 7s] } } }",
    );
    assert_eq!(facts.finishes(0), [(1, 10_000.0, Outcome::Timeout), (2, 13_000.0, Outcome::Success)]);
}

/// INV-6: a flexible window moves each call to a moment within it; the age counts from there.
#[test]
fn scheduler_inv_6_flexible_window() {
    let yaml = |settings: &str, more: &str| {
        format!(
            "duration: 1s\n{more}\nfunctions: {{ f: {{ duration: 0s }} }}\ncallers:\n  \
             c: {{ target: f, via: {{ scheduler: {{ {settings} }} }}, arrivals: {{ burst: {{ size: 2000 }} }} }}"
        )
    };
    let times = Facts::of(&yaml("flexible_window: 10m", "")).attempt_times(0);
    assert_eq!(times.len(), 2_000);
    assert!(times.iter().all(|at| (0.0..600_000.0).contains(at)));
    // Uniform: the mean of 2,000 has a standard deviation of 3.9 s; five of them.
    near("mean", times.iter().sum::<f64>() / 2_000.0, 300_000.0, 19_400.0);
    assert!(Facts::of(&yaml("", "")).attempt_times(0).iter().all(|at| *at == 0.0));
    let refused = yaml("flexible_window: 10m, maximum_event_age: 60s", "faults: [{ function: f, status: 500 }]");
    assert_eq!(Facts::of(&refused).attempt_times(0).len(), 12_000, "six attempts each, whenever the first is");
}

/// INV-6: a notification of S3 comes later; by default at once.
#[test]
fn s3_inv_6_delay() {
    for (via, start) in [("s3", 0.0), ("{ s3: { delay: 90s } }", 90_000.0)] {
        let facts = Facts::of(&one_call(via, "duration: 1s", ""));
        assert_eq!(facts.attempt_times(0), [start], "{via}");
        assert_eq!(facts.finishes(0), [(1, start, Outcome::Accepted)], "{via}");
    }
}

/// INV-6: what a service cannot deliver goes to its dead-letter queue, once, at the last attempt; or it is lost.
#[test]
fn dead_letters_inv_6_of_each_service() {
    let few = "maximum_retry_attempts: 1";
    let rows = [
        ("sns: { retry: { immediate: 1, pre_backoff: { times: 0 }, backoff: { times: 0 }, post_backoff: { times: 0 } }, dead_letter_queue: q }".to_owned(), 2.0, 0.0),
        (format!("eventbridge: {{ retry: {{ {few} }}, dead_letter_queue: q }}"), 2.0, 1_000.0),
        (format!("cloudwatch_events: {{ retry: {{ {few} }}, dead_letter_queue: q }}"), 2.0, 1_000.0),
        (format!("scheduler: {{ {few}, dead_letter_queue: q }}"), 2.0, 1_000.0),
        ("iot: { error_action: q }".to_owned(), 1.0, 0.0),
    ];
    for (via, attempts, sent_at) in rows {
        let yaml = |faults: &str| {
            one_call(&format!("{{ {via} }}"), "duration: 0s", &format!("queues: {{ q: {{}} }}\nfaults: [{faults}]"))
        };
        for status in [429, 500] {
            let refused = yaml(&format!("{{ function: f, status: {status} }}"));
            let summary = simulate(&refused);
            check(
                &via,
                &summary,
                &[
                    ("callers.c.attempts", attempts),
                    ("callers.c.failed", 1.0),
                    ("callers.c.dead_letters", 1.0),
                    ("callers.c.latency_ms.max", sent_at),
                    ("queues.q.sent", 1.0),
                    ("conservation.queues.q.left", 1.0),
                ],
            );
        }
        let lost = simulate(&yaml("{ function: f, status: 500 }, { queue: q, status: 500 }"));
        check(&via, &lost, &[("callers.c.dead_letters", 0.0), ("queues.q.sent", 0.0), ("callers.c.failed", 1.0)]);
        let accepted = simulate(&yaml(""));
        check(&via, &accepted, &[("callers.c.dead_letters", 0.0), ("callers.c.outcomes.accepted", 1.0)]);
    }
}

/// INV-6.2: what Lambda refuses for good is not tried again, and goes to the dead-letter queue at once.
#[test]
fn inv_6_2_what_can_never_be_delivered() {
    let yaml =
        one_call("{ sns: { dead_letter_queue: q } }", "duration: 0s", "queues: { q: { maximum_message_size: 1MiB } }");
    let yaml = yaml.replace("via:", "payload: 1048577B, via:");
    let facts = Facts::of(&yaml);
    assert_eq!(facts.attempt_times(0), [0.0]);
    assert_eq!(facts.finishes(0), [(1, 0.0, Outcome::Rejected)]);
    let refused = facts.pick(|_, fact| match *fact {
        Fact::Front(FrontFact::DeadLettered { refused, .. }) => Some(refused),
        _ => None,
    });
    // It is too large for the queue as well.
    assert_eq!(refused, [Some(400)]);
}

/// A message in a dead-letter queue is an event of its own: what reads it fails and runs by itself.
#[test]
fn a_dead_letter_is_read_by_a_mapping() {
    let summary = simulate(
        "duration: 1m
functions: { f: { duration: 0s }, repair: { duration: 1s } }
queues: { q: {} }
event_source_mappings: { m: { source: q, function: repair } }
callers: { c: { target: f, via: { iot: { error_action: q } }, arrivals: { constant: 1/s } } }
faults: [{ function: f, status: 500, from: 10s, until: 20s }]",
    );
    check(
        "repaired",
        &summary,
        &[
            ("callers.c.outcomes.accepted", 50.0),
            ("callers.c.dead_letters", 10.0),
            ("queues.q.deleted", 10.0),
            ("functions.f.invocations", 50.0),
        ],
    );
}

/// Outcomes follow from the status that the client sees.
#[test]
fn the_outcome_follows_from_the_status() {
    for (status, outcome) in [
        (200, "success"),
        (204, "success"),
        (302, "success"),
        (400, "rejected"),
        (404, "rejected"),
        (429, "throttled"),
        (499, "rejected"),
        (500, "service_error"),
        (599, "service_error"),
    ] {
        let via = format!("{{ api_gateway_rest: {{ error_status: {status} }} }}");
        let (found, codes, ..) =
            ended(&simulate(&one_call(&via, "duration: 0s, failures: [{ probability: 100% }]", "")));
        assert_eq!((&*found, codes), (outcome, vec![(status.to_string(), 1)]));
    }
}

/// Users behind a door wait for its answer; those of a delivery stream or of an event do not wait for the run.
#[test]
fn users_behind_services() {
    let users = |via: &str| {
        let yaml = one_call(via, "duration: 40s, timeout: 60s", "");
        yaml.replace("arrivals: { at: [0s] }", "users: { count: 1, think: 1s, start: at_once }")
            .replace("1s\n\n", "61s\n\n")
    };
    for (via, submitted) in
        [("api_gateway_rest", 3.0), ("alb", 2.0), ("sns", 61.0), ("firehose", 61.0), ("cloudformation", 2.0)]
    {
        check_run(via, &users(via), &[("callers.c.submitted", submitted)]);
    }
}

/// The client of a caller behind a door changes while it runs; the door stays.
#[test]
fn clients_behind_doors_change() {
    let yaml = "duration: 2m
functions: { f: { duration: 40s, timeout: 60s } }
callers: { c: { target: f, via: api_gateway_rest, arrivals: { at: [0s, 60s] } } }
changes: [{ at: 50s, set: { callers.c.client.timeout: 10s } }]";
    let finishes = Facts::of(yaml).finishes(0);
    assert_eq!(finishes, [(1, 29_000.0, Outcome::ServiceError), (2, 70_000.0, Outcome::Timeout)]);
}

/// `--set` puts another service before a function; its defaults come with it.
#[test]
fn another_service_by_override() {
    let yaml = "name: x\nduration: 1s\nfunctions: { f: { duration: 61s, timeout: 2m } }\ncallers: { c: { target: f, via: api_gateway_rest, arrivals: { at: [0s] } } }";
    for (set, code) in [("callers.c.via=alb", "504"), ("callers.c.via={api_gateway_http: {timeout: 10s}}", "503")] {
        let scenario = crate::common::scenario_in(std::path::Path::new("."), yaml, &[set.to_owned()]);
        assert_eq!(ended(&summary(&scenario)).1, [(code.to_owned(), 1)], "{set}");
    }
    assert_eq!(ended(&summary(&scenario(yaml))).1, [("504".to_owned(), 1)]);
}
