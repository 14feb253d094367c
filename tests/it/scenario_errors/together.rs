//! Values that do not go together, changes, and files that the scenario names.

use lambdasim::scenario::{LoadError, load};

use super::*;

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn contradictions() {
    let kind = Kind::Contradiction;
    check(&[
        (END, "warmup: «1h", kind, "warmup", &["not shorter than `duration`"]),
        (
            RUN,
            "    duration: 1s\n    reserved_concurrency: «901",
            kind,
            "functions.f.reserved_concurrency",
            &["at most 900 in all: 100 must stay unreserved (INV-C4)", "raise `account.concurrency_limit` to 1001"],
        ),
        (
            RUN,
            "    duration: 1s\n    reserved_concurrency: 500\n  g: {duration: 1s, reserved_concurrency: «401}",
            kind,
            "functions.g.reserved_concurrency",
            &["901 units of concurrency are set aside in all, of 1000"],
        ),
        (
            RUN,
            "    duration: 1s\n    provisioned_concurrency: «901",
            kind,
            "functions.f.provisioned_concurrency.initial",
            &["INV-C8"],
        ),
        (
            RUN,
            "    duration: 1s\n    reserved_concurrency: 10\n    provisioned_concurrency: {initial: 5, schedule: [{at: 1m, to: «11}]}",
            kind,
            "functions.f.provisioned_concurrency.schedule[0].to",
            &["11 units of provisioned concurrency exceed the reserved 10", "INV-C7", "reserved here"],
        ),
        (
            RUN,
            "    duration: 1s\n    snapstart: {restore: 1s}\n    provisioned_concurrency: «1",
            kind,
            "functions.f.provisioned_concurrency.initial",
            &["SnapStart and provisioned concurrency exclude each other"],
        ),
        (
            RUN,
            "    duration: 1s\n    snapstart: {restore: 1s}\n    ephemeral_storage: «513MB",
            kind,
            "functions.f.ephemeral_storage",
            &["at most 512MB"],
        ),
        (
            RUN,
            "    duration: 1s\n    provisioned_concurrency: {min: «9, max: 2, target_utilization: 50%}",
            kind,
            "functions.f.provisioned_concurrency.min",
            &["`min` is larger than `max`"],
        ),
        (
            RUN,
            "    duration: 1s\n    failures: [{from: 5m, until: «5m}]",
            kind,
            "functions.f.failures[0].until",
            &["`until` is not later than `from`"],
        ),
        (
            ARRIVALS,
            "    arrivals: {poisson: 5/s}\n    «users: {count: 5}",
            kind,
            "callers.c.users",
            &["exclude each other"],
        ),
        (
            ARRIVALS,
            "    arrivals: {poisson: 5/s, «constant: 5/s}",
            kind,
            "callers.c.arrivals.constant",
            &["exclude each other"],
        ),
        (
            ARRIVALS,
            "    arrivals: {daily: {mean: 50/s, peak: «101/s, peak_at: 14h}}",
            kind,
            "callers.c.arrivals.daily.peak",
            &["more than twice `mean`", "the mean"],
        ),
        (
            ARRIVALS,
            "    arrivals: {daily: {mean: 50/s, peak: «2999/min, peak_at: 14h}}",
            kind,
            "callers.c.arrivals.daily.peak",
            &["less than `mean`"],
        ),
        (
            ARRIVALS,
            "    arrivals: {profile: {points: [{at: 5m, rate: 1/s}, {at: «1m, rate: 2/s}]}}",
            kind,
            "callers.c.arrivals.profile.points[1].at",
            &["not later than the one before"],
        ),
        (
            RUN,
            "    duration: {quantiles: {p0: 1s, p50: «500ms, p100: 2s}}",
            kind,
            "functions.f.duration.quantiles.p50",
            &["below a smaller one"],
        ),
        (
            RUN,
            "    duration: {mixture: «[{weight: 50%, of: 1s}, {weight: 40%, of: 2s}]}",
            kind,
            "functions.f.duration.mixture",
            &["the weights add up to 90%"],
        ),
    ]);
}

#[test]
fn changes() {
    check(&[
        (
            END,
            "changes: [{at: 1s, set: {«seed: 5}}]",
            Kind::InvalidValue,
            "changes[0].set.seed",
            &["cannot change while it runs"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«callers.c.arrivals.poisson: 5/s}}]",
            Kind::InvalidValue,
            "changes[0].set.callers.c.arrivals.poisson",
            &["cannot change while it runs", "callers.NAME.client"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«function.f.memory: 1GB}}]",
            Kind::UnknownKey,
            "changes[0].set.function.f.memory",
            &["did you mean `functions`?"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.«memry: 1GB}}]",
            Kind::UnknownKey,
            "changes[0].set.functions.f.memry",
            &["did you mean `memory`?"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.memory: «1MB}}]",
            Kind::OutOfRange,
            "changes[0].set.functions.f.memory",
            &["too small"],
        ),
        (END, "changes: [{at: «5, deploy: f}]", Kind::InvalidValue, "changes[0].at", &["`5` has no unit"]),
        (END, "changes: [{at: «-1s, deploy: f}]", Kind::OutOfRange, "changes[0].at", &["is negative"]),
        (
            END,
            "changes: [{at: 1s, set: {functions.f.reserved_concurrency: «950}}]",
            Kind::Contradiction,
            "changes[0].set.functions.f.reserved_concurrency",
            &["100 must stay unreserved"],
        ),
        // The first entry in time makes room for the second, and not the other way round.
        (
            END,
            "changes:\n  - {at: 2s, set: {account.concurrency_limit: 2000}}\n  - {at: 1s, set: {functions.f.reserved_concurrency: «950}}",
            Kind::Contradiction,
            "changes[1].set.functions.f.reserved_concurrency",
            &["100 must stay unreserved"],
        ),
        (
            END,
            "changes: [{at: 1s, set: {«'functions.f.failures[3].kind': crash}}]",
            Kind::Override,
            "changes[0].set.functions.f.failures[3].kind",
            &["the list is empty"],
        ),
    ]);
    let room = format!(
        "{GOOD}changes:\n  - {{at: 2s, set: {{functions.f.reserved_concurrency: 950}}}}\n  - {{at: 1s, set: {{account.concurrency_limit: 2000}}}}\n"
    );
    assert!(parse("x.yaml", room.as_bytes(), data(), &[]).is_ok());
}

#[test]
fn files() {
    let kind = Kind::File;
    let trace = "callers.c.arrivals.trace.file";
    check(&[
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «missing.csv}}",
            kind,
            trace,
            &["cannot read `missing.csv`", "beside the scenario"],
        ),
        (ARRIVALS, "    arrivals: {trace: {file: «.}}", kind, trace, &["not a file"]),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «trace.csv}}",
            kind,
            trace,
            &["has 2 columns", "`arrival_s`, `duration_ms`"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: trace.csv, column: «arrivals}}",
            kind,
            "callers.c.arrivals.trace.column",
            &["no column `arrivals`", "did you mean `arrival_s`?"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «nan.csv, column: arrival_s}}",
            kind,
            trace,
            &["nan.csv:3: `NaN`", "finite"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «negative.csv, column: arrival_s}}",
            kind,
            trace,
            &["negative.csv:3: `-2` is negative"],
        ),
        (ARRIVALS, "    arrivals: {trace: {file: «ragged.csv, column: arrival_s}}", kind, trace, &["ragged.csv:3"]),
        (ARRIVALS, "    arrivals: {trace: {file: «empty.csv, column: arrival_s}}", kind, trace, &["has no rows"]),
        (
            ARRIVALS,
            "    arrivals: {counts: {file: «fraction.csv}}",
            kind,
            "callers.c.arrivals.counts.file",
            &["fraction.csv:2: `1.5` is not a whole number"],
        ),
        (
            ARRIVALS,
            "    arrivals: {trace: {file: «trace.csv, column: arrival_s, scale: 1e30}}",
            kind,
            trace,
            &["too large"],
        ),
        (
            RUN,
            "    duration: {empirical: {file: «none.csv, column: a, unit: ms}}",
            kind,
            "functions.f.duration.empirical.file",
            &["cannot read"],
        ),
    ]);
    let error = load(&data().join("missing.yaml"), &[]).unwrap_err();
    assert!(matches!(&error, LoadError::Io { .. }) && error.to_string().contains("missing.yaml"), "{error}");
}
