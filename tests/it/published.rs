//! Simulations that others published, reproduced point by point.

use serde_json::Value;

use crate::common::near;
use crate::theory::replicate;

/// Failure rate of the service, requests that it sees a call, share of calls that succeed.
type Point = (f64, f64, f64);

/// Clients, what they do, and what M. Brooker's simulation says.
struct Curve {
    name: &'static str,
    clients: u32,
    client: &'static str,
    published: [Point; 7],
    /// The largest standard errors of the published means: of the requests, and of the success.
    errors: (f64, f64),
}

const NO_RETRIES: &str = "{ retry: none, timeout: unlimited }";
const THREE_RETRIES: &str =
    "{ retry: { max_attempts: 4, base: 0s, jitter: none }, retry_on: [any], timeout: unlimited }";
/// A bucket of five retries, full at the start; each call adds a tenth of one.
const TOKEN_BUCKET: &str = "{ retry: { max_attempts: 1000, base: 0s, jitter: none, budget: { ratio: 10%, burst: 5 } }, \
                            retry_on: [any], timeout: unlimited }";

/// M. Brooker, "Fixing retries with token buckets and circuit breakers" (2022): the curves of its graphs, as the mean of
/// 20 runs of the model in `retry_sim` of `mbrooker/simulator_example` at 7e5a117.
const CURVES: [Curve; 5] = [
    Curve {
        name: "no retries",
        clients: 100,
        client: NO_RETRIES,
        published: [
            (0.01, 1.0, 0.9900),
            (0.05, 1.0, 0.9499),
            (0.1, 1.0, 0.9007),
            (0.2, 1.0, 0.7985),
            (0.3, 1.0, 0.6987),
            (0.5, 1.0, 0.4996),
            (0.75, 1.0, 0.2503),
        ],
        errors: (0.0, 0.0012),
    },
    Curve {
        name: "three retries",
        clients: 100,
        client: THREE_RETRIES,
        published: [
            (0.01, 1.0101, 1.0),
            (0.05, 1.0527, 1.0),
            (0.1, 1.1101, 0.9999),
            (0.2, 1.2497, 0.9986),
            (0.3, 1.4153, 0.9920),
            (0.5, 1.8754, 0.9369),
            (0.75, 2.7359, 0.6834),
        ],
        errors: (0.0028, 0.0009),
    },
    Curve {
        name: "token bucket, 10 clients",
        clients: 10,
        client: TOKEN_BUCKET,
        published: [
            (0.01, 1.0098, 1.0),
            (0.05, 1.0522, 0.9998),
            (0.1, 1.0938, 0.9851),
            (0.2, 1.1035, 0.8839),
            (0.3, 1.1039, 0.7760),
            (0.5, 1.1042, 0.5532),
            (0.75, 1.1043, 0.2783),
        ],
        errors: (0.0007, 0.0011),
    },
    Curve {
        name: "token bucket, 100 clients",
        clients: 100,
        client: TOKEN_BUCKET,
        published: [
            (0.01, 1.0102, 1.0),
            (0.05, 1.0524, 0.9999),
            (0.1, 1.1022, 0.9919),
            (0.2, 1.1342, 0.9070),
            (0.3, 1.1387, 0.7968),
            (0.5, 1.1417, 0.5687),
            (0.75, 1.1429, 0.2863),
        ],
        errors: (0.0005, 0.0010),
    },
    Curve {
        name: "token bucket, 1,000 clients",
        clients: 1_000,
        client: TOKEN_BUCKET,
        published: [
            (0.01, 1.0098, 1.0),
            (0.05, 1.0528, 1.0),
            (0.1, 1.1116, 0.9996),
            (0.2, 1.2361, 0.9891),
            (0.3, 1.3473, 0.9415),
            (0.5, 1.4583, 0.7293),
            (0.75, 1.4874, 0.3700),
        ],
        errors: (0.0010, 0.0015),
    },
];

/// A thousand calls a second in all, for ten seconds, of a service of 20 ms that fails some. In the published model each
/// client begins with a call, so it makes one more than its rate says.
fn scenario(clients: u32, client: &str, failure_rate: f64) -> String {
    let rate = 1_000 / clients;
    let duration_ms = 10_000 + 1_000 / rate;
    let callers: String = (1..=clients)
        .map(|n| format!("  c{n}: {{ target: service, arrivals: {{ poisson: {rate}/s }}, client: {client} }}\n"))
        .collect();
    format!(
        "duration: {duration_ms}ms
account: {{ concurrency_limit: 100000, request_rate_limit: off, scaling: off }}
functions:
  service: {{ duration: {{ exponential: {{ mean: 20ms }} }}, failures: [{{ probability: {failure_rate} }}] }}
callers:
{callers}"
    )
}

/// A figure of all callers together.
fn total(summary: &Value, figure: &str) -> f64 {
    let callers = summary["callers"].as_object().expect("callers");
    callers.values().map(|caller| caller[figure].as_f64().expect("a number")).sum()
}

/// The published client keeps more than one token where ours spends the last whole one: that is a tenth of a token for
/// each client, `0.1 x clients / calls` requests a call.
#[test]
fn retries_with_token_buckets() {
    for curve in &CURVES {
        let clients = f64::from(curve.clients);
        let last_token = if curve.client == TOKEN_BUCKET { 0.1 * clients / (10_000.0 + clients) } else { 0.0 };
        for (failure_rate, load, success) in curve.published {
            let yaml = scenario(curve.clients, curve.client, failure_rate);
            let [(seen_load, load_error), (seen_success, success_error)] = replicate(&yaml, |summary| {
                let calls = total(summary, "submitted");
                [total(summary, "attempts") / calls, total(summary, "succeeded") / calls]
            });
            let case = format!("{}, {failure_rate}", curve.name);
            assert!(load_error <= 0.006 && success_error <= 0.003, "{case}: {load_error}, {success_error}");
            println!("{case}: requests {load} {seen_load:.4}, success {success} {seen_success:.4}");
            near(
                &format!("{case}: requests"),
                seen_load,
                load,
                5.0 * libm::hypot(load_error, curve.errors.0) + last_token,
            );
            near(
                &format!("{case}: success"),
                seen_success,
                success,
                5.0 * libm::hypot(success_error, curve.errors.1) + last_token,
            );
        }
    }
}
