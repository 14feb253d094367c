//! Good scenarios: they are read, written out, read again and accepted by the schema.

use std::path::Path;

use lambdasim::aws::config::{
    Asynchronous, Backoff, Budget, ChangeAction, Delivery, Expiry, FaultAt, Function, Invocation, Jitter, Load,
    QueueKind, RecursiveLoop, RetryFrom, Scaling, Target,
};
use lambdasim::aws::ids::{BucketId, EventBusId, FunctionId, Id, QueueId, TopicId};
use lambdasim::kernel::arrival::ArrivalProcess;
use lambdasim::kernel::quantity::{Rate, Ratio};
use lambdasim::kernel::time::{SimDuration, SimTime};
use lambdasim::scenario::{Loaded, Scenario, json_schema, parse};
use serde_json::Value;

/// The smallest scenario that does something.
const SMALL: &str = "\
name: small
duration: 1h
functions:
  f: {duration: 20ms}
callers:
  c: {target: f, arrivals: {poisson: 5/s}}
";

/// Every key, and every form of those that have several.
const LARGE: &str = include_str!("data/large.yaml");

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data"))
}

#[track_caller]
fn load(text: &str, overrides: &[&str]) -> Loaded {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    parse("x.yaml", text.as_bytes(), data(), &overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// All that is simulated, as text.
fn contents(scenario: &Scenario) -> String {
    let scenario = Scenario { sha256: String::new(), overrides: Vec::new(), ..scenario.clone() };
    format!("{scenario:#?}")
}

fn with(key: &str, text: &str) -> String {
    format!("{SMALL}{key}: {text}\n")
}

/// The first function of a scenario with this duration.
#[track_caller]
fn duration(text: &str) -> String {
    let loaded = load(&SMALL.replace("20ms", text), &[]);
    format!("{:?}", loaded.scenario.system.functions.rows()[0].duration)
}

#[track_caller]
fn arrivals(text: &str) -> ArrivalProcess {
    let loaded = load(&SMALL.replace("{poisson: 5/s}", text), &[]);
    match &loaded.scenario.system.callers.rows()[0].load {
        Load::Open(process) => process.clone(),
        Load::Closed { .. } => panic!("an open loop"),
    }
}

#[track_caller]
fn client(text: &str) -> lambdasim::aws::config::Client {
    let loaded = load(&SMALL.replace("target: f,", &format!("target: f, client: {text},")), &[]);
    loaded.scenario.system.callers.rows()[0].client.clone()
}

#[test]
fn written_out_it_reads_back_to_the_same() {
    for text in [SMALL, LARGE] {
        for timing in ["ideal", "typical"] {
            let loaded = load(text, &[&format!("model.timing={timing}"), "functions.new={duration: 1s}"]);
            let written = loaded.source.resolved_yaml();
            let again = load(&written, &[]);
            same(&contents(&again.scenario), &contents(&loaded.scenario), &written);
            let comments =
                |text: &str| text.lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect::<Vec<_>>();
            assert_eq!(comments(&again.source.resolved_yaml()), comments(&written));
        }
    }
}

#[track_caller]
fn same(found: &str, expected: &str, context: &str) {
    let different = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(found == expected, "{different:?} in\n{context}");
}

#[test]
fn the_resolved_scenario_names_its_sources() {
    let written = load(SMALL, &["functions.f.timeout=20s", "model.timing=typical"]).source.resolved_yaml();
    for line in [
        "    memory: 128MB  # default, INV-E16",
        "    timeout: 20s  # --set",
        "    duration: 20ms",
        "    platform_start: 100ms  # default of typical timing, INV-D13",
        "    reserved_concurrency: none  # default, INV-C3",
        "        preset: standard_2026  # default, INV-N1",
    ] {
        assert!(written.lines().any(|written| written == line), "{line} in\n{written}");
    }
}

/// Every scenario that comes with the program.
#[test]
fn shipped_scenarios_are_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let loaded = lambdasim::scenario::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        let written = loaded.source.resolved_yaml();
        let again = parse("x.yaml", written.as_bytes(), &folder, &[]).unwrap_or_else(|error| panic!("{error}"));
        same(&contents(&again.scenario), &contents(&loaded.scenario), &written);
        for text in [&std::fs::read_to_string(&path).unwrap(), &written] {
            let errors = validator.iter_errors(&as_json(text)).map(|error| error.to_string()).collect::<Vec<_>>();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        }
    }
}

/// The scenario as an editor sees it.
fn as_json(text: &str) -> Value {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).expect("YAML");
    value.apply_merge().expect("merge keys");
    serde_json::to_value(value).expect("JSON")
}

#[test]
fn the_schema_accepts_good_scenarios() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let resolved = load(LARGE, &[]).source.resolved_yaml();
    for text in [SMALL, LARGE, &resolved] {
        let errors = validator
            .iter_errors(&as_json(text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect::<Vec<_>>();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    for (good, bad) in [
        ("name: small", "nam: small"),
        ("{duration: 20ms}", "{duration: 20ms, tiemout: 3s}"),
        ("{duration: 20ms}", "{duration: 20}"),
        ("{duration: 20ms}", "{duration: 20ms, memory: 1024}"),
        ("{duration: 20ms}", "{timeout: 3s}"),
        ("{duration: 20ms}", "{duration: {unifrom: {min: 1s, max: 2s}}}"),
        ("{duration: 20ms}", "{duration: {uniform: {min: 1s}}}"),
        ("{duration: 20ms}", "{duration: 20ms, warm_selection: newest}"),
        ("poisson: 5/s", "poisson: 5"),
        ("poisson: 5/s", "poisson: 5/s, constant: 3/s"),
        ("c: {", "c d: {"),
        ("target: f,", "target: f, client: {retry: standard},"),
        ("target: f,", "target: f, invocation: event,"),
        ("{duration: 20ms}", "{duration: 20ms, async: {maximum_retry_attempts: 3}}"),
        ("{duration: 20ms}", "{duration: 20ms, async: {backpressure: 5}}"),
        ("{duration: 20ms}", "{duration: 20ms, async: {on_failure: [q]}}"),
        ("duration: 1h", "duration: 1h\nqueues: {q: {type: express}}"),
        ("duration: 1h", "duration: 1h\ntopics: {t: }"),
        ("duration: 1h", "duration: 1h\nfaults: [{function: f, queue: q, status: 500}]"),
        ("duration: 1h", "duration: 1h\nfaults: [{queue: q, stage: dispatch, status: 500}]"),
        ("duration: 1h", "duration: 1h\nfaults: [{status: 500}]"),
        ("target: f,", "target: f, client: {retry: {preset: none, retries: 3}},"),
    ] {
        let text = SMALL.replace(good, bad);
        assert!(text != SMALL && !validator.is_valid(&as_json(&text)), "{bad}");
        assert!(parse("x.yaml", text.as_bytes(), data(), &[]).is_err(), "{bad}");
    }
}

#[test]
fn odd_spellings_are_accepted() {
    let expected = contents(&load(SMALL, &[]).scenario);
    let merged = "\
name: small
duration: 1h
functions:
  f: &base {duration: 20ms}
callers:
  c: &c
    <<: [{arrivals: {poisson: 5/s}}, {target: g}]
    target: f
";
    let json = r#"{"name": "small", "duration": "1h", "functions": {"f": {"duration": "20ms"}},
        "callers": {"c": {"target": "f", "arrivals": {"poisson": "5/s"}}}}"#;
    for text in [
        SMALL.replace('\n', "\r\n"),
        format!("\u{feff}{SMALL}"),
        format!("%YAML 1.2\n---\n{SMALL}...\n"),
        format!("# a comment\n\n{SMALL}"),
        merged.to_owned(),
        json.to_owned(),
        SMALL.replace("20ms", "0.02s"),
        SMALL.replace("1h", "\"60m\""),
        SMALL.replace("1h", "!!str 1h"),
        SMALL.replace("5/s", "300/min"),
    ] {
        let found = contents(&load(&text, &[]).scenario);
        // A rate keeps the unit that it is written with.
        same(&found.replace("per: 1m", "per: 1s").replace("events: 300", "events: 5"), &expected, &text);
    }
}

#[test]
fn switches_are_read_however_they_are_quoted() {
    for (text, expected) in [
        ("on", true),
        ("'on'", true),
        ("\"true\"", true),
        ("True", true),
        ("off", false),
        ("'off'", false),
        ("false", false),
    ] {
        let scenario = load(&with("account", &format!("{{request_rate_limit: {text}}}")), &[]).scenario;
        assert_eq!(scenario.system.account.request_rate_limit, expected, "{text}");
    }
    for text in ["off", "'off'", "false", "\"false\""] {
        let scenario = load(&with("account", &format!("{{scaling: {text}, caller_rate_limit: {text}}}")), &[]).scenario;
        assert_eq!((scenario.system.account.scaling, scenario.system.account.caller_rate_limit), (Scaling::Off, None));
    }
    let expected = arrivals("{on_off: {on: 1s, off: 2s, rate: 5/s}}");
    for text in ["'on': 1s, 'off': 2s", "true: 1s, false: 2s", "\"on\": 1s, off: 2s"] {
        assert_eq!(arrivals(&format!("{{on_off: {{{text}, rate: 5/s}}}}")), expected, "{text}");
    }
}

#[test]
fn nothing_has_several_names() {
    for text in ["unlimited", "-1", "\"-1\""] {
        let scenario = load(&SMALL.replace("20ms", &format!("20ms, maximum_environment_age: {text}")), &[]).scenario;
        assert_eq!(scenario.system.functions.rows()[0].maximum_environment_age, None);
    }
    let reserved = SMALL.replace("20ms", "20ms, reserved_concurrency: 5");
    let limit = |loaded: &Loaded| loaded.scenario.system.functions.rows()[0].reserved_concurrency;
    assert_eq!(limit(&load(&reserved, &[])), Some(5));
    assert_eq!(limit(&load(&reserved, &["functions.f.reserved_concurrency=none"])), None);
    let change = format!("{reserved}changes: [{{at: 1s, set: {{functions.f.reserved_concurrency: none}}}}]\n");
    let loaded = load(&change, &[]);
    let ChangeAction::Function(_, function) = &loaded.scenario.system.changes[0].action else { panic!("a function") };
    assert_eq!(function.reserved_concurrency, None);
}

#[test]
fn distributions() {
    for text in [
        "{constant: 20ms}",
        "{uniform: {min: 1ms, max: 2ms}}",
        "{exponential: {mean: 1s}}",
        "{lognormal: {median: 120ms, p99: 900ms}}",
        "{lognormal: {mean: 120ms, cv: 1.5}}",
        "{gamma: {mean: 1s, cv: 0.5}}",
        "{weibull: {scale: 1s, shape: 2}}",
        "{pareto: {min: 1s, alpha: 1.5}}",
        "{quantiles: {p0: 5ms, p50: 40ms, p90: 90ms, p99: 400ms, p100: 2s}}",
        "{empirical: {file: trace.csv, column: duration_ms, unit: ms}}",
        "{mixture: [{weight: 90%, of: 20ms}, {weight: 0.1, of: {exponential: {mean: 1s}}}]}",
    ] {
        duration(text);
    }
    assert_eq!(duration("{constant: 20ms}"), duration("20ms"));
}

#[test]
fn arrival_processes() {
    let second = SimDuration::from_secs(1);
    let at = |seconds: u64| SimTime::from_nanos(seconds * 1_000_000_000);
    assert_eq!(arrivals("{poisson: 50/s}"), ArrivalProcess::Poisson { rate: Rate::per_second(50) });
    assert_eq!(
        arrivals("{constant: 0.5/s}"),
        ArrivalProcess::Constant { rate: Rate { events: 1, per: SimDuration::from_secs(2) } }
    );
    assert_eq!(arrivals("{at: [1s, 0s, 1s]}"), ArrivalProcess::At([at(0), at(1), at(1)].into()));
    assert_eq!(
        arrivals("{burst: {size: 1000, at: 0s, every: 1s, times: 3}}"),
        ArrivalProcess::Burst { size: 1000, at: at(0), every: second, times: 3 }
    );
    assert_eq!(
        arrivals("{counts: {file: counts.csv, column: arrivals, every: 1s}}"),
        ArrivalProcess::Counts { counts: [3, 0, 12].into(), every: second }
    );
    arrivals("{profile: {points: [{at: 0s, rate: 10/s}, {at: 5m, rate: 200/s}], shape: step, process: constant}}");
    arrivals("{daily: {mean: 50/s, peak: 100/s, peak_at: 14h}}");
}

#[test]
fn traces_are_sorted_with_their_durations() {
    let text = SMALL.replace(
        "{poisson: 5/s}",
        "{trace: {file: trace.csv, column: arrival_s, scale: 0.5, duration_column: duration_ms}}",
    );
    let loaded = load(&text, &[]);
    let caller = &loaded.scenario.system.callers.rows()[0];
    let Load::Open(ArrivalProcess::At(moments)) = &caller.load else { panic!("moments") };
    // The file holds 2, 0.5, 0.5 seconds with 10, 20 and 30.25 ms.
    assert_eq!(moments.iter().map(|moment| moment.as_nanos() / 1_000_000).collect::<Vec<_>>(), [250, 250, 1000]);
    let durations = caller.durations.as_ref().unwrap().iter().map(|duration| duration.as_nanos() / 1_000);
    assert_eq!(durations.collect::<Vec<_>>(), [20_000, 30_250, 10_000]);
    let other = load(&text, &["callers.c.arrivals.trace.file=short.csv"]);
    let Load::Open(ArrivalProcess::At(moments)) = &other.scenario.system.callers.rows()[0].load else { panic!() };
    assert_eq!(moments.len(), 1);
}

/// INV-3.2, INV-N1..N3, V17.
#[test]
fn retry_presets() {
    let ms = SimDuration::from_millis;
    for (name, attempts, base, throttle, cap, budget) in [
        ("boto3_legacy", 5, 1000, 1000, None, None),
        ("standard_v2", 3, 1000, 1000, Some(20_000), Some((5, 5, 10))),
        ("standard_2026", 3, 50, 1000, Some(20_000), Some((14, 5, 14))),
        ("adaptive", 3, 50, 1000, Some(20_000), Some((14, 5, 14))),
    ] {
        let client = client(&format!("{{retry: {name}}}"));
        assert_eq!((client.max_attempts, client.adaptive), (attempts, name == "adaptive"), "{name}");
        assert_eq!((client.backoff.base, client.throttle_backoff.base), (ms(base), ms(throttle)), "{name}");
        assert_eq!((client.backoff.cap, client.backoff.jitter), (cap.map(ms), Jitter::Full), "{name}");
        let expected = budget.map_or(Budget::None, |(transient, throttle, timeout)| Budget::Tokens {
            tokens: 500,
            transient,
            throttle,
            timeout,
            success: 1,
        });
        assert_eq!(client.budget, expected, "{name}");
        assert_eq!(client.timeout, Some(SimDuration::from_secs(60)));
    }
    assert_eq!(
        client("{}"),
        client("{retry: standard_2026, timeout: 60s, retry_on: [throttle, service_error, timeout]}")
    );
    assert_eq!(client("{retry: none}").max_attempts, 1);
    assert_eq!(client("{retry: {preset: none}}"), client("{retry: none}"));
    let exact = client("{retry: {preset: standard_v2, jitter: none, budget: none}}");
    assert_eq!((exact.backoff.jitter, exact.budget, exact.max_attempts), (Jitter::None, Budget::None, 3));
    let own = client("{retry: {max_attempts: 4, cap: unlimited, budget: {ratio: 20%}}, retry_on: [any]}");
    assert_eq!((own.max_attempts, own.backoff.base, own.backoff.cap), (4, ms(100), None));
    assert!(matches!(own.budget, Budget::Ratio { burst: 10, .. }));
    assert!(own.retry_on.throttle && own.retry_on.service_error && own.retry_on.timeout && own.retry_on.function_error);
}

#[test]
fn typical_timing_changes_defaults_but_not_what_is_written() {
    let function = |text: &str, overrides: &[&str]| load(text, overrides).scenario.system.functions.rows()[0].clone();
    let ideal = function(SMALL, &[]);
    assert_eq!((ideal.platform_start.is_constant(), ideal.maximum_environment_age), (Some(0), None));
    let typical = function(&with("model", "{timing: typical}"), &[]);
    assert_eq!(typical.platform_start.is_constant(), Some(100_000_000));
    assert_eq!(typical.maximum_environment_age, Some(SimDuration::from_secs(7200)));
    let written = function(SMALL, &["model.timing=typical", "functions.f.platform_start=5ms"]);
    assert_eq!(written.platform_start.is_constant(), Some(5_000_000));
}

#[test]
fn changes_build_on_each_other_in_order_of_time() {
    let text = format!(
        "{SMALL}changes:
  - {{at: 20m, set: {{functions.f.timeout: 10s, account.concurrency_limit: 500}}}}
  - {{at: 10m, set: {{functions.f.memory: 1GB, callers.c.client.retry: none}}}}
  - {{at: 20m, deploy: f}}
"
    );
    let changes = load(&text, &[]).scenario.system.changes;
    let minutes = changes.iter().map(|change| change.at.as_nanos() / 60_000_000_000).collect::<Vec<_>>();
    assert_eq!(minutes, [20, 20, 10, 10, 20]);
    let ChangeAction::Account(account) = &changes[0].action else { panic!("the account first") };
    assert_eq!(account.concurrency_limit, 500);
    let ChangeAction::Function(_, function) = &changes[1].action else { panic!("then the function") };
    assert_eq!((function.memory_mb, function.timeout), (1024, SimDuration::from_secs(10)));
    let ChangeAction::Function(_, function) = &changes[2].action else { panic!("a function") };
    assert_eq!((function.memory_mb, function.timeout), (1024, SimDuration::from_secs(3)));
    assert!(matches!(&changes[3].action, ChangeAction::Client(_, client) if client.max_attempts == 1));
    assert!(matches!(changes[4].action, ChangeAction::Deploy(_)));
}

#[test]
fn resources_are_ordered_by_their_place_in_the_file() {
    let order = |text: &str| {
        let system = load(text, &[]).scenario.system;
        let functions = system.functions.rows().iter().map(|row| (row.name.clone(), row.order));
        let callers = system.callers.rows().iter().map(|row| (row.name.clone(), row.order));
        functions.chain(callers).collect::<Vec<_>>()
    };
    let named = |names: [(&str, u32); 2]| names.map(|(name, order)| (name.to_owned(), order)).to_vec();
    assert_eq!(order(SMALL), named([("f", 0), ("c", 1)]));
    let callers_first = "callers: {c: {target: f, arrivals: {poisson: 5/s}}}\nfunctions: {f: {duration: 1s}}\n";
    assert_eq!(order(&format!("name: a\nduration: 1h\n{callers_first}")), named([("f", 1), ("c", 0)]));
}

/// One resource of each kind, and a second function.
const PLACES: &str = "\
queues: {orders: {}, line: {type: fifo, maximum_message_size: 256KiB}}
topics: {news: {}}
event_buses: {main: {}}
buckets: {archive: {}}
";

/// The function `f` with this `async`, beside one resource of each kind.
fn with_async(text: &str) -> String {
    SMALL.replace("{duration: 20ms}", &format!("{{duration: 20ms, async: {text}}}")) + PLACES
}

fn first_function(loaded: &Loaded) -> &Function {
    &loaded.scenario.system.functions.rows()[0]
}

/// INV-Q4 to Q17, O1, O2, D15 to D24: AWS's defaults.
#[test]
fn defaults_of_asynchronous_invocation() {
    let seconds = SimDuration::from_secs;
    let expected = Asynchronous {
        maximum_retry_attempts: 2,
        maximum_event_age: seconds(6 * 3600),
        dead_letter_queue: None,
        on_failure: None,
        on_success: None,
        dispatch_latency: SimDuration::ZERO,
        retry_delays: vec![seconds(60), seconds(120)],
        retry_from: RetryFrom::End,
        retry_jitter: Jitter::None,
        backoff: Backoff { base: seconds(1), factor: 2.0, cap: Some(seconds(300)), jitter: Jitter::None },
        backpressure: None,
        expiry: Expiry::Lookahead,
        duplicate_probability: Ratio::ZERO,
        maximum_parallel_dispatch: None,
        delivery: Delivery { delay: SimDuration::ZERO, attempts: 1 },
    };
    for text in [SMALL, &with_async("{}"), &with_async("{backoff: {}, delivery: {}}")] {
        for timing in ["model.timing=ideal", "model.timing=typical"] {
            let loaded = load(text, &[timing]);
            assert_eq!(first_function(&loaded).asynchronous, expected, "{text}");
            assert_eq!(first_function(&loaded).recursive_loop, RecursiveLoop::Terminate);
            assert_eq!(loaded.scenario.system.account.configuration_propagation, SimDuration::ZERO);
            assert_eq!(loaded.scenario.system.callers.rows()[0].invocation, Invocation::Sync);
        }
    }
    let per = load(&with_async("{backpressure: {}}"), &[]);
    assert_eq!(first_function(&per).asynchronous.backpressure, Some(10_000));
}

#[test]
fn settings_of_asynchronous_invocation() {
    let seconds = SimDuration::from_secs;
    let loaded = load(LARGE, &[]);
    let function = first_function(&loaded);
    let system = &loaded.scenario.system;
    let expected = Asynchronous {
        maximum_retry_attempts: 1,
        maximum_event_age: seconds(90),
        dead_letter_queue: Some(Target::Queue(QueueId::from_index(0))),
        on_failure: Some(Target::Bucket(BucketId::from_index(0))),
        on_success: Some(Target::Function(FunctionId::from_index(1))),
        dispatch_latency: SimDuration::from_millis(20),
        retry_delays: vec![seconds(30), seconds(60), seconds(300)],
        retry_from: RetryFrom::Start,
        retry_jitter: Jitter::Equal,
        backoff: Backoff {
            base: seconds(2),
            factor: 1.5,
            cap: None,
            jitter: Jitter::Share(Ratio::from_parts(Ratio::PARTS / 5).unwrap()),
        },
        backpressure: Some(500),
        expiry: Expiry::AtDeadline,
        duplicate_probability: Ratio::from_parts(Ratio::PARTS / 1000).unwrap(),
        maximum_parallel_dispatch: Some(1000),
        delivery: Delivery { delay: seconds(1), attempts: 3 },
    };
    assert_eq!(function.asynchronous, expected);
    assert_eq!(function.recursive_loop, RecursiveLoop::Allow);
    let snap = &system.functions.rows()[1].asynchronous;
    assert_eq!(snap.dead_letter_queue, Some(Target::Topic(TopicId::from_index(0))));
    assert_eq!(snap.on_failure, Some(Target::EventBus(EventBusId::from_index(0))));
    assert_eq!(system.account.configuration_propagation, seconds(30));
    let events = system.callers.rows().iter().find(|caller| caller.name == "events").unwrap();
    assert_eq!(events.invocation, Invocation::Async);
}

/// Each kind of target, and `none` in the file, in `--set` and in `changes`.
#[test]
fn targets_come_and_go() {
    let target = |loaded: &Loaded| first_function(loaded).asynchronous.on_failure;
    for (name, expected) in [
        ("orders", Target::Queue(QueueId::from_index(0))),
        ("line", Target::Queue(QueueId::from_index(1))),
        ("news", Target::Topic(TopicId::from_index(0))),
        ("main", Target::EventBus(EventBusId::from_index(0))),
        ("archive", Target::Bucket(BucketId::from_index(0))),
        ("f", Target::Function(FunctionId::from_index(0))),
    ] {
        let text = with_async(&format!("{{on_failure: {name}}}"));
        assert_eq!(target(&load(&text, &[])), Some(expected));
        assert_eq!(target(&load(&text, &["functions.f.async.on_failure=none"])), None);
        assert_eq!(
            target(&load(&with_async("{}"), &[&format!("functions.f.async.on_failure={name}")])),
            Some(expected)
        );
    }
    assert_eq!(target(&load(&with_async("{on_failure: none}"), &[])), None);
}

#[test]
fn changes_of_asynchronous_settings() {
    let text = with_async("{on_failure: orders}")
        + "changes:
  - {at: 1m, set: {functions.f.async.on_failure: none, functions.f.async.maximum_event_age: 60s}}
  - {at: 2m, set: {functions.f.async.on_success: f, functions.f.recursive_loop: allow}}
  - {at: 3m, set: {functions.f.async: {}, account.configuration_propagation: 5s}}
";
    let changes = load(&text, &[]).scenario.system.changes;
    let functions = changes.iter().filter_map(|change| match &change.action {
        ChangeAction::Function(_, function) => Some(&**function),
        _ => None,
    });
    let [first, second, third] = functions.collect::<Vec<_>>()[..] else { panic!("three changes of the function") };
    let age = |function: &Function| function.asynchronous.maximum_event_age.as_nanos() / 1_000_000_000;
    assert_eq!((first.asynchronous.on_failure, age(first)), (None, 60));
    assert_eq!(first.recursive_loop, RecursiveLoop::Terminate);
    let own = Some(Target::Function(FunctionId::from_index(0)));
    assert_eq!((second.asynchronous.on_success, age(second)), (own, 60));
    assert_eq!(second.recursive_loop, RecursiveLoop::Allow);
    assert_eq!((third.asynchronous.on_success, age(third)), (None, 6 * 3600));
    let ChangeAction::Account(account) = &changes[2].action else { panic!("the account first") };
    assert_eq!(account.configuration_propagation, SimDuration::from_secs(5));
}

#[test]
fn places_that_receive() {
    let system =
        load(&with_async("{}"), &["buckets.more={}", "queues.orders.maximum_message_size=1KiB"]).scenario.system;
    let queues = system.queues.rows().iter();
    let queues = queues.map(|queue| (&*queue.name, queue.order, queue.kind, queue.maximum_message_size));
    let expected = [("orders", 2, QueueKind::Standard, 1024), ("line", 3, QueueKind::Fifo, 262_144)];
    assert_eq!(queues.collect::<Vec<_>>(), expected);
    let topics = system.topics.rows().iter().map(|topic| (&*topic.name, topic.order)).collect::<Vec<_>>();
    let buses = system.event_buses.rows().iter().map(|bus| (&*bus.name, bus.order)).collect::<Vec<_>>();
    let buckets = system.buckets.rows().iter().map(|bucket| (&*bucket.name, bucket.order)).collect::<Vec<_>>();
    assert_eq!((topics, buses, buckets), (vec![("news", 4)], vec![("main", 5)], vec![("archive", 6), ("more", 7)]));
    let small = load(&with("queues", "{q: {}}"), &[]).scenario.system;
    assert_eq!(small.queues.rows()[0].kind, QueueKind::Standard);
    assert_eq!(small.queues.rows()[0].maximum_message_size, 1_048_576);
}

#[test]
fn faults_of_functions_and_places() {
    let entries =
        "[{function: f, status: 500}, {function: f, stage: invoke, status: 500}, {stage: dispatch, function: f,
  status: 500}, {queue: line, status: 429}, {topic: news, status: 500}, {event_bus: main, status: 500},
  {bucket: archive, status: 599}]";
    let system = load(&format!("{}faults: {entries}\n", with_async("{}")), &[]).scenario.system;
    let function = FunctionId::from_index(0);
    let expected = [
        FaultAt::Invoke(function),
        FaultAt::Invoke(function),
        FaultAt::Dispatch(function),
        FaultAt::Send(Target::Queue(QueueId::from_index(1))),
        FaultAt::Send(Target::Topic(TopicId::from_index(0))),
        FaultAt::Send(Target::EventBus(EventBusId::from_index(0))),
        FaultAt::Send(Target::Bucket(BucketId::from_index(0))),
    ];
    assert_eq!(system.faults.iter().map(|fault| fault.at).collect::<Vec<_>>(), expected);
    assert!(system.faults.iter().all(|fault| fault.probability == Ratio::ONE));
    assert_eq!(system.faults.iter().map(|fault| fault.status).collect::<Vec<_>>(), [500, 500, 500, 429, 500, 500, 599]);
}

#[test]
fn errors_have_one_id_for_each_name() {
    let text = "\
name: small
duration: 1h
functions:
  f: {duration: 1s, failures: [{probability: 1%, error: Declined}, {poison: 1%, error: Late}, {poison: 2%}]}
  g: {duration: 1s, failures: [{probability: 1%, error: Late}], init_failures: [{probability: 1%, error: Disk}]}
changes: [{at: 1s, set: {'functions.f.failures[2].error': New, 'functions.f.failures[0].error': Disk}}]
";
    let system = load(text, &[]).scenario.system;
    assert_eq!(system.errors.rows(), ["Declined", "Late", "Disk", "New"]);
    let names = |function: &Function| {
        let failures = function.failures.iter().chain(&function.init_failures);
        failures.map(|failure| failure.error.map(|id| system.errors[id].clone())).collect::<Vec<_>>()
    };
    let some = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
    assert_eq!(names(&system.functions.rows()[0])[..2], some(&["Declined", "Late"]));
    assert_eq!(names(&system.functions.rows()[0])[2], None);
    assert_eq!(names(&system.functions.rows()[1]), some(&["Late", "Disk"]));
    let ChangeAction::Function(_, function) = &system.changes[0].action else { panic!("a function") };
    assert_eq!(names(function), some(&["Disk", "Late", "New"]));
}

/// A place is written so that it can be read again.
#[test]
fn places_survive_being_written_out() {
    let loaded = load(&with_async("{on_failure: archive}"), &["topics.more={}"]);
    let written = loaded.source.resolved_yaml();
    for line in [
        "  archive:",
        "    notify: []  # default, INV-6",
        "  more:  # --set",
        "    subscribers: []  # default, INV-6",
        "    type: standard  # default, ESM-1.1",
        "      on_failure: archive",
        "      on_success: none  # default, INV-O1",
        "      retry_delays: [1m, 2m]  # default, INV-Q8",
        "        cap: 5m  # default, INV-Q9",
    ] {
        assert!(written.lines().any(|written| written == line), "{line} in\n{written}");
    }
    same(&contents(&load(&written, &[]).scenario), &contents(&loaded.scenario), &written);
}

#[test]
fn later_checks_can_point_into_the_file() {
    use lambdasim::scenario::ProblemKind;
    let loaded = load(&with("expect", "[a < 1, b < 2]"), &[]);
    let problem = loaded.source.problem("expect[1]", ProblemKind::Expectation, "there is no metric `b`");
    let error = loaded.source.error(vec![problem.with_help("did you mean `a`?")]);
    let problem = &error.problems()[0];
    assert_eq!((problem.line(), problem.column(), problem.key()), (7, 17, "expect[1]"));
    let above = loaded.source.problem("functions.f.timeout", ProblemKind::Contradiction, "too short");
    assert_eq!(loaded.source.error(vec![above]).problems()[0].line(), 4);
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    let loaded = load(SMALL, &["seed=5"]);
    assert_eq!(loaded.scenario.sha256.len(), 64);
    assert_eq!(loaded.scenario.sha256, load(SMALL, &[]).scenario.sha256);
    assert_eq!((loaded.scenario.seed, loaded.scenario.overrides), (5, vec!["seed=5".to_owned()]));
}

#[test]
fn any_text_survives_being_written_out() {
    for text in [
        "two\nlines\n",
        "\ttab",
        "quote \" and '",
        "null",
        "~",
        "none of it",
        "# no comment",
        "- item",
        "a: b",
        " spaces ",
        "true",
        "{a}",
        "[b]",
        "*x",
        "&y",
        "!z",
        "%a",
        "@b",
        "1e5",
        "\u{1f980} \u{85} \u{2028} \u{7f} \u{feff}",
        "back\\slash",
        "> |",
    ] {
        let quoted = serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f");
        let loaded = load(&with("expect", &format!("[{quoted}, x]")), &[&format!("description={quoted}")]);
        let again = load(&loaded.source.resolved_yaml(), &[]);
        assert_eq!(again.scenario.description.as_deref(), Some(text));
        assert_eq!(again.scenario.expectations, [text, "x"]);
    }
}
