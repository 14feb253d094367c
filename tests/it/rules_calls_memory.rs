//! What runs and environments keep of their calls when settings change: contract, `calls`, `dependencies` and `changes`.

use crate::common::{near, number, simulate};

/// A change makes a function call: its environments hold connections from then on, which close when they end.
#[test]
fn a_change_brings_calls() {
    let yaml = "duration: 1h
dependencies: { d: { service_time: 100ms, connections_per_environment: 1 } }
functions: { f: { duration: 10ms, idle_timeout: 10m } }
callers: { c: { target: f, arrivals: { at: [20s] } } }
changes: [{ at: 10s, set: { functions.f.calls: [{ dependency: d }] } }]";
    let summary = simulate(yaml);
    near("latency", number(&summary, "callers.c.latency_ms.max"), 110.0, 0.0);
    near("mean", number(&summary, "dependencies.d.connections.mean"), 600.1 / 3_600.0, 1e-9);
}
