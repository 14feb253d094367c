//! Services before a function: what goes together, and what does not.

use super::*;

/// A caller of the small scenario with these keys.
fn with(caller: &str) -> String {
    format!(
        "name: small\nduration: 1h\nqueues: {{q: {{}}, ordered: {{type: fifo}}}}\ntopics: {{news: {{}}}}\n\
         functions:\n  f: {{duration: 20ms}}\n  apart: {{duration: 20ms, reserved_concurrency: 5}}\n  \
         ready: {{duration: 20ms, provisioned_concurrency: 5}}\ncallers:\n  c: {{arrivals: {{poisson: 5/s}}, {caller}}}\n"
    )
}

/// Each of these is refused with one problem, at this key, and says so.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn what_does_not_go_together() {
    let (value, contradiction, range) = (Kind::InvalidValue, Kind::Contradiction, Kind::OutOfRange);
    let unknown = Kind::UnknownKey;
    for (caller, kind, key, says) in [
        ("target: f, via: albs", value, "via", "did you mean `alb`?"),
        ("target: f, via: api_gateway", value, "via", "did you mean `api_gateway_rest`?"),
        ("target: f, via: {alb: {timeout: 3s}}", unknown, "via.alb.timeout", "the keys are `idle_timeout`"),
        ("target: f, via: {sdk: {timeout: 3s}}", unknown, "via.sdk.timeout", "it takes no keys"),
        ("target: f, via: {alb: {}, sns: {}}", contradiction, "via.sns", "exclude each other"),
        ("target: f, via: {cloudfront: {event: origins}}", value, "via.cloudfront.event", "did you mean `origin`?"),
        // A queue is sent to by an SDK.
        ("target: q, via: alb", contradiction, "via", "`alb` calls functions"),
        ("target: q, via: sns", contradiction, "via", "`sns` calls functions"),
        // How a service invokes is its own.
        ("target: f, via: alb, invocation: async", contradiction, "invocation", "`alb` invokes synchronously"),
        ("target: f, via: api_gateway_http, invocation: async", contradiction, "invocation", "synchronously"),
        ("target: f, via: sns, invocation: sync", contradiction, "invocation", "`sns` invokes asynchronously"),
        // A service that is the client has none beside it.
        ("target: f, via: cognito, client: {timeout: 3s}", contradiction, "client", "calls the function by itself"),
        ("target: f, via: lex, client: {retry: standard_2026}", contradiction, "client", "no client tries again"),
        ("target: f, via: firehose, client: {retry: {max_attempts: 2}}", contradiction, "client", "keys of `via`"),
        ("target: f, via: sns, client: {circuit_breaker: {failures: 10%}}", contradiction, "client", "keys of `via`"),
        ("target: f, via: step_functions, client: {total_timeout: 3s}", contradiction, "client", "keys of `via`"),
        // Dead letters.
        (
            "target: f, via: {sns: {dead_letter_queue: ordered}}",
            contradiction,
            "via.sns.dead_letter_queue",
            "a FIFO queue takes no undelivered events",
        ),
        ("target: f, via: {iot: {error_action: ordered}}", contradiction, "via.iot.error_action", "a standard queue"),
        (
            "target: f, via: {scheduler: {dead_letter_queue: nowhere}}",
            Kind::UnknownName,
            "via.scheduler.dead_letter_queue",
            "there is no queue `nowhere`",
        ),
        (
            "target: f, via: {eventbridge: {dead_letter_queue: news}}",
            Kind::UnknownName,
            "via.eventbridge.dead_letter_queue",
            "this is a topic",
        ),
        ("target: f, via: {s3: {dead_letter_queue: q}}", unknown, "via.s3.dead_letter_queue", "S3 notification"),
        // Sizes and limits.
        ("target: f, via: firehose, payload: 1025KB", contradiction, "payload", "larger than a delivery stream takes"),
        ("target: f, via: firehose, payload: {exponential: {mean: 1KB}}", contradiction, "payload", "at most 1000KiB"),
        ("target: f, via: {api_gateway_rest: {timeout: 49ms}}", range, "via.api_gateway_rest.timeout", "from 50ms"),
        ("target: f, via: {api_gateway_rest: 301s}", range, "via.api_gateway_rest", "to 5m"),
        ("target: f, via: {api_gateway_http: {timeout: 31s}}", range, "via.api_gateway_http.timeout", "to 30s"),
        (
            "target: f, via: {scheduler: {maximum_retry_attempts: 186}}",
            range,
            "via.scheduler.maximum_retry_attempts",
            "from 0 to 185",
        ),
        ("target: f, via: {scheduler: {maximum_event_age: 59s}}", range, "via.scheduler.maximum_event_age", "from 1m"),
        (
            "target: f, via: {cloudformation: {callback_timeout: 3601s}}",
            range,
            "via.cloudformation.callback_timeout",
            "to 1h",
        ),
        ("target: f, via: {firehose: {buffer_size: 4MB}}", range, "via.firehose.buffer_size", "too large"),
        ("target: f, via: {firehose: {timeout: 301s}}", range, "via.firehose.timeout", "to 5m"),
        ("target: f, via: {firehose: {attempts: 0}}", range, "via.firehose.attempts", "at least 1"),
        (
            "target: f, via: {sns: {retry: {backoff: {from: 20s, to: 1s}}}}",
            contradiction,
            "via.sns.retry.backoff.to",
            "shorter than the first",
        ),
        ("target: f, via: {alb: {idle_timeout: 0s}}", range, "via.alb.idle_timeout", "above `0s`"),
    ] {
        let error = refuse(with(caller).as_bytes(), &[]);
        let found: Vec<_> = error.problems().iter().map(|problem| (problem.kind(), problem.key())).collect();
        let key = format!("callers.c.{key}");
        assert_eq!(found, [(kind, &*key)], "{caller}:\n{error}");
        assert!(error.to_string().contains(says), "{caller}: no {says:?} in\n{error}");
    }
}

/// INV-4.4: a function of Lambda@Edge has no reserved and no provisioned concurrency.
#[test]
fn no_concurrency_of_its_own_at_the_edge() {
    for (caller, key) in [
        ("target: apart, via: cloudfront", "functions.apart.reserved_concurrency"),
        ("target: ready, via: cloudfront", "functions.ready.provisioned_concurrency.initial"),
    ] {
        let error = refuse(with(caller).as_bytes(), &[]);
        let problem = &error.problems()[0];
        assert_eq!((problem.kind(), problem.key()), (Kind::Contradiction, key), "{error}");
        assert!(error.to_string().contains("it is called at the edge"), "{error}");
    }
}

/// Users of a service that does not let them wait need a pause.
#[test]
fn users_who_never_stop() {
    for via in ["sns", "firehose"] {
        let text = with(&format!("target: f, via: {via}"));
        let text = text.replace("arrivals: {poisson: 5/s}", "users: {count: 1, think: 0s}");
        let error = refuse(text.as_bytes(), &[]);
        assert!(error.to_string().contains("these users never stop calling"), "{via}:\n{error}");
    }
}

/// What goes together: names alone, short forms, settings, and a client behind a door.
#[test]
fn what_goes_together() {
    for caller in [
        "target: f, via: {api_gateway_rest: 300s}",
        "target: f, via: api_gateway_rest, invocation: async",
        "target: f, via: ses, invocation: sync",
        "target: f, via: cognito, client: {retry: none}",
        "target: f, via: alb, client: {retry: standard_2026, timeout: 3s}",
        "target: f, via: {alb: {idle_timeout: unlimited}}",
        "target: f, via: {sns: {dead_letter_queue: none}}",
        "target: f, via: {sns: {retry: {backoff: {times: 1, from: 20s, to: 20s}}}}",
        "target: f, via: {scheduler: {flexible_window: 24h}}",
        "target: f, via: sdk",
        "target: q, via: sdk",
    ] {
        if let Err(error) = parse("x.yaml", with(caller).as_bytes(), data(), &[]) {
            panic!("{caller}:\n{error}");
        }
    }
}

/// Settings of the client are changed by the rules of the service before it.
#[test]
fn changes_of_such_clients() {
    let change = |caller: &str, set: &str| format!("{}changes: [{{at: 1m, set: {{{set}}}}}]\n", with(caller));
    let good = change("target: f, via: alb", "callers.c.client.timeout: 5s");
    if let Err(error) = parse("x.yaml", good.as_bytes(), data(), &[]) {
        panic!("{error}");
    }
    for (caller, set, says) in [
        ("target: f, via: cognito", "callers.c.client.timeout: 5s", "calls the function by itself"),
        ("target: f, via: {sns: {}}", "callers.c.client.retry: none", "calls the function by itself"),
        ("target: f, via: cloudfront", "functions.f.reserved_concurrency: 5", "no concurrency of its own"),
        ("target: f, via: cloudfront", "functions.f.provisioned_concurrency: 5", "no concurrency of its own"),
    ] {
        let error = refuse(change(caller, set).as_bytes(), &[]);
        assert!(error.to_string().contains(says), "{caller}, {set}:\n{error}");
        assert_eq!(error.problems().len(), 1, "{error}");
    }
}
