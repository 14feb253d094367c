//! Fair queues: message groups of a standard queue (ESM-1.11, S24, vector A-13).

use lambdasim::aws::fact::{Fact, MessageFact};
use lambdasim::aws::ids::{CallerId, Id};

use crate::common::{Facts, at, check, ms, number, same, simulate};

/// A queue `q` and a function that takes ten seconds; `slots` batches of one at a time.
fn yaml(slots: u32, fair: &str, callers: &str) -> String {
    format!(
        "duration: 10m
account: {{ scaling: off }}
functions: {{ f: {{ duration: 10s, timeout: 15s }} }}
queues: {{ q: {{ visibility_timeout: 1m, {fair} }} }}
event_source_mappings: {{ m: {{ source: q, function: f, batch_size: 1, pollers: {{ initial: {slots}, maximum: {slots} }} }} }}
callers:
{callers}"
    )
}

/// When messages of each caller were received, in seconds.
fn received(facts: &Facts) -> Vec<(f64, usize)> {
    facts.pick(|now, fact| match fact {
        Fact::Message(MessageFact::Received { origin, .. }) => Some((now / 1e3, origin.caller.index())),
        _ => None,
    })
}

/// When a group became noisy, or quiet again, in seconds.
fn changes(facts: &Facts) -> Vec<(f64, &'static str)> {
    facts.pick(|now, fact| match *fact {
        Fact::Message(MessageFact::GroupNoisy { .. }) => Some((now / 1e3, "noisy")),
        Fact::Message(MessageFact::GroupQuiet { at, .. }) => Some((ms(at) / 1e3, "quiet")),
        _ => None,
    })
}

/// How many messages of a caller were received at this second.
fn count(received: &[(f64, usize)], second: f64, caller: usize) -> usize {
    received.iter().filter(|(at, of)| same(*at, second) && *of == caller).count()
}

/// ESM-A13, rule 1: more than 10 % of all messages in flight, and 30 or more. Those of the group are received after the
/// others, and the last message makes a receive that looks at it.
#[test]
fn esm_a13_noisy_groups() {
    for (of_group, others, fair, noisy) in [
        (30, 269, "", 1.0),
        (30, 270, "", 0.0),
        (29, 71, "", 0.0),
        (29, 71, "fair: { in_flight: 29 }", 1.0),
        (30, 270, "fair: { share: 9.99% }", 1.0),
        (30, 269, "fair: { share: 11% }", 0.0),
        (30, 269, "fair: off", 0.0),
    ] {
        let callers = format!(
            "  others: {{ target: q, arrivals: {{ burst: {{ size: {others} }} }} }}
  x: {{ target: q, keys: {{ constant: x }}, arrivals: {{ burst: {{ size: {of_group} }} }} }}
  last: {{ target: q, arrivals: {{ at: [1s] }} }}"
        );
        let summary = simulate(&yaml(400, fair, &callers));
        let case = format!("{of_group} of {} {fair}", of_group + others);
        check(
            &case,
            &summary,
            &[
                ("queues.q.noisy_groups", noisy),
                ("queues.q.approximate_number_of_noisy_groups.max", noisy),
                // All are deleted at 11 s.
                ("queues.q.approximate_number_of_noisy_groups.last", 0.0),
                ("queues.q.deleted", f64::from(of_group + others + 1)),
            ],
        );
    }
}

/// ESM-1.11.1: groups of a standard queue have no order and no lock: one group runs on all pollers at once. A message
/// without a group is a tenant of its own, and never noisy.
#[test]
fn esm_1_11_1_a_group_is_a_tenant() {
    let callers = "  x: { target: q, keys: { constant: x }, arrivals: { burst: { size: 40 } } }";
    let facts = Facts::of(&yaml(40, "", callers));
    assert_eq!(count(&received(&facts), 0.0, 0), 40);
    let callers = "  x: { target: q, arrivals: { burst: { size: 400 } } }";
    let facts = Facts::of(&yaml(40, "fair: { in_flight: 1, share: 0%, processing_share: 0% }", callers));
    assert_eq!(changes(&facts), []);
    assert_eq!(received(&facts).len(), 400);
    // With keys by chance each of the texts is a group: 40 slots, four groups of some ten each.
    let callers = "  x: { target: q, keys: { uniform: 4 }, arrivals: { burst: { size: 400 } } }";
    let summary = simulate(&yaml(40, "fair: { in_flight: 3 }", callers));
    assert!(same(number(&summary, "queues.q.noisy_groups"), 4.0));
}

/// 200 messages of one group, and three of others that come while 40 of it run.
const ONE_NOISY: &str = "  x: { target: q, keys: { constant: x }, arrivals: { burst: { size: 200 } } }
  y: { target: q, keys: { constant: y }, arrivals: { at: [1s, 2s] } }
  z: { target: q, arrivals: { at: [3s] } }";

/// ESM-1.11.4: messages of quiet groups, and those without a group, are received first when a poller is free; nothing
/// is dropped, and no poller waits: 203 messages take six rounds of 40, fair or not.
#[test]
fn esm_1_11_4_quiet_groups_go_first() {
    for (fair, y, z) in [("", 10.0, 10.0), ("fair: off", 50.0, 50.0), ("fair: { in_flight: 41 }", 50.0, 50.0)] {
        let facts = Facts::of(&yaml(40, fair, ONE_NOISY));
        let received = received(&facts);
        assert_eq!((count(&received, y, 1), count(&received, z, 2)), (2, 1), "{fair}");
        assert_eq!((received.len(), received.last().map(|(at, _)| *at)), (203, Some(50.0)), "{fair}");
        // At each end of a round all pollers have work.
        let full = [0.0, 10.0, 20.0, 30.0, 40.0].map(|at| (0..3).map(|of| count(&received, at, of)).sum::<usize>());
        assert_eq!(full, [40; 5], "{fair}");
    }
    // In order of their visibility, and each says whether it was behind others.
    let facts = Facts::of(&yaml(40, "", ONE_NOISY));
    let at_10 = facts.pick(|now, fact| match *fact {
        Fact::Message(MessageFact::Received { origin, from_noisy, .. }) if same(now, 10_000.0) => {
            Some((origin.caller, from_noisy))
        }
        _ => None,
    });
    let of = CallerId::from_index;
    assert_eq!(at_10[..4], [(of(1), false), (of(1), false), (of(2), false), (of(0), true)]);
}

/// ESM-1.11.5: of several noisy groups the one with the fewest messages in flight goes first. The second group gets
/// pollers as they are free, first because it is quiet, then because it has fewer, until both have 40 of the 80.
#[test]
fn esm_1_11_5_fewest_in_flight_first() {
    let callers = "  x: { target: q, keys: { constant: x }, arrivals: { burst: { size: 300 } } }
  y: { target: q, keys: { constant: y }, arrivals: { burst: { size: 300, at: 5s } } }";
    let facts = Facts::of(&yaml(80, "", callers));
    let received = received(&facts);
    for second in [10.0, 20.0, 30.0] {
        assert_eq!((count(&received, second, 0), count(&received, second, 1)), (40, 40), "{second}");
    }
    assert_eq!(changes(&facts)[..2], [(0.0, "noisy"), (10.0, "noisy")]);
}

/// ESM-1.11.6: a group is quiet again when its backlog is consumed and its share is small: 100 messages on 40 pollers
/// are all received at 20 s, and less than 30 are in flight at the end of that round.
#[test]
fn esm_1_11_6_quiet_when_the_backlog_is_consumed() {
    let callers = "  x: { target: q, keys: { constant: x }, arrivals: { burst: { size: 100 } } }";
    let facts = Facts::of(&yaml(40, "", callers));
    assert_eq!(changes(&facts), [(0.0, "noisy"), (20.0, "quiet")]);
    // With a low share it stays noisy until the last is deleted.
    let facts = Facts::of(&yaml(40, "fair: { in_flight: 1 }", callers));
    assert_eq!(changes(&facts), [(0.0, "noisy"), (30.0, "quiet")]);
}

/// ESM-1.11.6: or after five minutes without a message in flight. Others take all 40 pollers from 10 s on, so that
/// nothing of it runs until then; at 310 s it is quiet, its old messages go first, and 30 of them make it noisy again.
#[test]
fn esm_1_11_6_quiet_after_five_minutes() {
    let callers = "  x: { target: q, keys: { constant: x }, arrivals: { burst: { size: 100 } } }
  others: { target: q, arrivals: { constant: 8/s } }";
    for (fair, quiet) in [("", 310.0), ("fair: { quiet_after: 100s }", 110.0)] {
        let facts = Facts::of(&yaml(40, fair, callers));
        assert_eq!(changes(&facts)[..3], [(0.0, "noisy"), (quiet, "quiet"), (quiet, "noisy")], "{fair}");
        let received = received(&facts);
        let between = received.iter().filter(|(at, of)| *of == 0 && *at > 0.0 && *at < quiet).count();
        assert_eq!((between, count(&received, quiet, 0), count(&received, quiet, 1)), (0, 30, 10), "{fair}");
    }
}

/// ESM-1.11.3, S24: a group that took more than its share of the processing time of the last five minutes. Four pollers
/// run four messages of `x` up to 10 s: all of the time. With two of `x` and two of others it is half of it, not more.
#[test]
fn esm_s24_processing_time() {
    let late = "  y: { target: q, keys: { constant: y }, arrivals: { at: [5s, 5s] } }";
    let alone = format!("  x: {{ target: q, keys: {{ constant: x }}, arrivals: {{ burst: {{ size: 8 }} }} }}\n{late}");
    let half = format!(
        "  x: {{ target: q, keys: {{ constant: x }}, arrivals: {{ at: [0s, 0s, 1s, 1s, 1s, 1s] }} }}
{late}
  z: {{ target: q, keys: {{ list: [a, b] }}, arrivals: {{ at: [0s, 0s] }} }}"
    );
    for (callers, fair, at_10, at_20) in [
        (&alone, "", (4, 0), (0, 2)),
        (&alone, "fair: { processing_share: 50% }", (2, 2), (2, 0)),
        (&half, "fair: { processing_share: 50% }", (4, 0), (0, 2)),
        (&half, "fair: { processing_share: 49.9% }", (2, 2), (2, 0)),
    ] {
        let received = received(&Facts::of(&yaml(4, fair, callers)));
        let found = [10.0, 20.0].map(|second| (count(&received, second, 0), count(&received, second, 1)));
        assert_eq!(found, [at_10, at_20], "{fair}");
    }
    // What is longer ago than five minutes does not count: the run from 0 to 10 s is forgotten at 310 s.
    for (second, noisy) in [(305, 1.0), (311, 0.0)] {
        let callers = format!(
            "  x: {{ target: q, keys: {{ constant: x }}, arrivals: {{ at: [0s, {second}s] }} }}
  y: {{ target: q, arrivals: {{ constant: 1/s }} }}"
        );
        let fair = "fair: { processing_share: 0%, quiet_after: 1h }";
        let summary = simulate(&(yaml(40, fair, &callers) + "\nwarmup: 301s"));
        check("window", &summary, &[("queues.q.approximate_number_of_noisy_groups.max", noisy)]);
    }
}

/// ESM-1.11.7: without message groups nothing is different, whatever the settings; with them, but without a noisy one,
/// neither.
#[test]
fn esm_1_11_nothing_changes_without_a_noisy_group() {
    let digest = |fair: &str, keys: &str| {
        let callers = format!(
            "  x: {{ target: q{keys}, arrivals: {{ poisson: 3/s }} }}\n  y: {{ target: q, arrivals: {{ poisson: 2/s }} }}"
        );
        let summary = simulate(&yaml(20, fair, &callers));
        at(&summary, "digest").clone()
    };
    let plain = digest("fair: off", "");
    assert_eq!(digest("", ""), plain);
    assert_eq!(digest("fair: { in_flight: 1, share: 0%, processing_share: 0% }", ""), plain);
    assert_eq!(digest("", ", keys: { uniform: 100 }"), plain);
    assert_eq!(digest("fair: off", ", keys: { constant: x }"), plain);
}

/// ESM-1.13.10: what is in the quiet groups: all of it until the first is noisy, then without what that one has. `x` is
/// noisy from the start; of the others one message waits from 1 s on and two from 2 s on, until 10 s.
#[test]
fn esm_1_13_metrics_of_quiet_groups() {
    let summary = simulate(&yaml(40, "", ONE_NOISY));
    let quiet = |what: &str| format!("queues.q.approximate_number_of_messages_{what}_in_quiet_groups");
    let checks: [(&str, f64); 6] = [
        // 1 s of one, 1 s of two and 7 s of three, in ten minutes; then all of `x` for 10 s after its backlog is gone:
        // nothing of it waits.
        (&format!("{}.mean", quiet("visible")), (1.0 + 2.0 + 7.0 * 3.0) / 600.0),
        (&format!("{}.last", quiet("visible")), 0.0),
        // Before it is noisy, `x` is in: at most 30 of it, then nothing but the three others from 10 to 20 s.
        (&format!("{}.max", quiet("not_visible")), 30.0),
        (&format!("{}.last", quiet("not_visible")), 0.0),
        (&format!("{}.max", quiet("delayed")), 0.0),
        // At 60 s the last three of `x` are in flight, which is quiet again since 50 s.
        ("queues.q.approximate_age_of_oldest_message_in_quiet_groups_ms.max", 60_000.0),
    ];
    check("quiet", &summary, &checks);
    // A noisy group whose backlog lasts. The others wait from second 51 of a minute to the end of a round.
    let callers = "  x: { target: q, keys: { constant: x }, arrivals: { burst: { size: 1000 } } }
  y: { target: q, arrivals: { burst: { size: 1, at: 51s, every: 1m, times: 5 } } }";
    let summary = simulate(&(yaml(4, "fair: { in_flight: 3 }", callers) + "\ndrain: 0s"));
    let age = "queues.q.approximate_age_of_oldest_message";
    let ages: [(&str, f64); 2] =
        [(&format!("{age}_ms.max"), 600_000.0), (&format!("{age}_in_quiet_groups_ms.max"), 9_000.0)];
    check("age", &summary, &ages);
}
