//! Good state machines: defaults, every key, the presets, changes, and how they are written out.

use std::path::Path;

use lambdasim::aws::config::{
    Backoff, Catcher, ErrorMatch, ErrorName, Invocation, Jitter, MapMode, Retrier, StateKind, StateMachineKind, System,
    Target, TransitionLimit,
};
use lambdasim::aws::ids::{FunctionId, Id, StateId, StateMachineId};
use lambdasim::kernel::quantity::{Rate, Ratio};
use lambdasim::kernel::time::SimDuration;
use lambdasim::scenario::{json_schema, parse};

const LARGE: &str = "\
name: large
duration: 1h
functions:
  pay: {duration: 20ms, failures: [{probability: 1%, error: CardDeclined}, {probability: 1%, error: States.Timeout}]}
  label: {duration: 20ms}
state_machines:
  small: {start_at: a, states: {a: {task: label, end: true}}}
  quick: {type: express, start_at: a, states: {a: {succeed: {}}}}
  fulfil:
    type: standard
    timeout: 2h
    transitions: {rate: 500/s, burst: 800}
    start_at: charge
    states:
      charge:
        task: pay
        timeout: 5m
        retry:
          - {errors: [Lambda.TooManyRequestsException, CardDeclined], interval: 3s, max_attempts: 6, backoff_rate: 1.5, max_delay: 1m, jitter: full}
          - {errors: [States.TaskFailed]}
          - {errors: [States.ALL], max_attempts: 0}
        catch:
          - {errors: [CardDeclined, Sandbox.Timedout], next: refund}
          - {errors: [States.ALL], next: lost}
        next: ship
      ship:
        parallel:
          - label
          - start_at: pack
            states:
              pack: {map: {items: 12, max_concurrency: 3, mode: distributed, item: label}, retry: sfn_studio, end: true}
        next: way
      way:
        choice: [{probability: 30%, next: pause}, {probability: 0.5, next: done}]
        default: lost
      pause: {wait: {uniform: {min: 1s, max: 2s}}, next: nothing}
      nothing: {pass: {}, next: way}
      refund: {map: {items: 0, item: {start_at: a, states: {a: {task: pay, retry: sfn_classic, end: true}}}}, end: true}
      lost: {fail: {error: Lost}}
      done: {succeed: {}}
callers:
  c: {target: small, arrivals: {poisson: 1/s}}
  waits: {target: fulfil, invocation: sync, arrivals: {poisson: 1/s}}
  calls: {target: pay, arrivals: {poisson: 1/s}}
changes:
  - {at: 1m, set: {state_machines.fulfil.timeout: unlimited, state_machines.fulfil.states.charge.retry: sfn_classic}}
";

#[track_caller]
fn load(text: &str, overrides: &[&str]) -> System {
    let overrides = overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let loaded = parse("x.yaml", text.as_bytes(), Path::new(""), &overrides).unwrap_or_else(|error| panic!("{error}"));
    let again = loaded.source.resolved_yaml();
    let system = loaded.scenario.system;
    let again =
        parse("x.yaml", again.as_bytes(), Path::new(""), &[]).unwrap_or_else(|error| panic!("{error}\n{again}"));
    assert_eq!(format!("{:?}", again.scenario.system), format!("{system:?}"), "as it is written out");
    system
}

fn seconds(count: u64) -> SimDuration {
    SimDuration::from_secs(count)
}

fn machine(index: usize) -> StateMachineId {
    StateMachineId::from_index(index)
}

#[test]
fn defaults_of_state_machines() {
    let system = load(LARGE, &[]);
    let small = &system.state_machines[machine(0)];
    assert_eq!((&*small.name, small.kind, small.timeout), ("small", StateMachineKind::Standard, None));
    assert_eq!(small.transitions, Some(TransitionLimit { rate: Rate::per_second(1_500), burst: 5_000 }));
    let state = &small.states.rows()[0];
    assert_eq!(state.kind, StateKind::Task(FunctionId::from_index(1)));
    assert!(state.retry.is_empty() && state.catch.is_empty() && state.next.is_none() && state.timeout.is_none());
    let quick = &system.state_machines[machine(1)];
    let expected = (StateMachineKind::Express, Some(seconds(300)), None);
    assert_eq!((quick.kind, quick.timeout, quick.transitions), expected);
    let callers = system.callers.rows().iter().map(|caller| (caller.target, caller.invocation));
    let expected = [
        (Target::StateMachine(machine(0)), Invocation::Async),
        (Target::StateMachine(machine(2)), Invocation::Sync),
        (Target::Function(FunctionId::from_index(0)), Invocation::Sync),
    ];
    assert_eq!(callers.collect::<Vec<_>>(), expected);
}

#[test]
fn settings_of_state_machines() {
    let system = load(LARGE, &[]);
    let fulfil = &system.state_machines[machine(2)];
    assert_eq!((fulfil.timeout, fulfil.order), (Some(seconds(7_200)), 4));
    assert_eq!(fulfil.transitions, Some(TransitionLimit { rate: Rate::per_second(500), burst: 800 }));
    let names: Vec<&str> = fulfil.states.rows().iter().map(|state| &*system.state_names[state.name]).collect();
    let expected = [
        "charge",
        "ship",
        "way",
        "pause",
        "nothing",
        "refund",
        "lost",
        "done",
        "ship/0/label",
        "ship/1/pack",
        "ship/1/pack/item/label",
        "refund/item/a",
    ];
    assert_eq!(names, expected);
    let flows: Vec<usize> = fulfil.flows.rows().iter().map(|state| state.index()).collect();
    assert_eq!(flows, [0, 8, 9, 10, 11]);
    let declined = ErrorName::Custom(system.errors.iter().find(|(_, name)| *name == "CardDeclined").unwrap().0);
    let charge = &fulfil.states.rows()[0];
    let backoff = |base, factor, cap, jitter| Backoff { base: seconds(base), factor, cap, jitter };
    let retrier =
        |errors: &[ErrorMatch], max_attempts, backoff| Retrier { errors: errors.to_vec(), max_attempts, backoff };
    let of = ErrorMatch::Named;
    assert_eq!(
        charge.retry,
        [
            retrier(
                &[of(ErrorName::TooManyRequests), of(declined)],
                6,
                backoff(3, 1.5, Some(seconds(60)), Jitter::Full)
            ),
            retrier(&[ErrorMatch::TaskFailed], 3, backoff(1, 2.0, None, Jitter::None)),
            retrier(&[ErrorMatch::All], 0, backoff(1, 2.0, None, Jitter::None)),
        ]
    );
    let catcher = |errors: &[ErrorMatch], next| Catcher { errors: errors.to_vec(), next: StateId::from_index(next) };
    let first = catcher(&[of(declined), of(ErrorName::SandboxTimedout)], 5);
    assert_eq!(charge.catch, [first, catcher(&[ErrorMatch::All], 6)]);
    assert_eq!((charge.timeout, charge.next), (Some(seconds(300)), Some(StateId::from_index(1))));
    let way = &fulfil.states.rows()[2];
    let half = Ratio::from_parts(Ratio::PARTS / 2).unwrap();
    let third = Ratio::from_parts(Ratio::PARTS * 3 / 10).unwrap();
    let choices = vec![(third, StateId::from_index(3)), (half, StateId::from_index(7))];
    assert_eq!(way.kind, StateKind::Choice { choices, default: Some(StateId::from_index(6)) });
    let StateKind::Map { items, max_concurrency, mode, .. } = fulfil.states.rows()[9].kind else { panic!("no map") };
    assert_eq!((items, max_concurrency, mode), (12, Some(3), MapMode::Distributed));
}

/// INV-SF5, SF6.
#[test]
fn presets_of_retriers() {
    let system = load(LARGE, &[]);
    let of = |name: &str| {
        let states = system.state_machines[machine(2)].states.rows();
        let state = states.iter().find(|state| system.state_names[state.name] == name).unwrap();
        let [retrier] = state.retry.as_slice() else { panic!("one retrier") };
        let errors = retrier.errors.iter().map(|error| match error {
            ErrorMatch::Named(name) => name.own().unwrap(),
            other => panic!("{other:?}"),
        });
        let Backoff { base, factor, cap, jitter } = retrier.backoff;
        (errors.collect::<Vec<_>>(), retrier.max_attempts, (base, factor, cap, jitter))
    };
    let common = ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"];
    let errors = |more| common.into_iter().chain([more]).collect::<Vec<_>>();
    let studio = (errors("Lambda.TooManyRequestsException"), 3, (seconds(1), 2.0, None, Jitter::Full));
    assert_eq!(of("ship/1/pack"), studio);
    let classic = (errors("Lambda.ClientExecutionTimeoutException"), 6, (seconds(2), 2.0, None, Jitter::None));
    assert_eq!(of("refund/item/a"), classic);
}

#[test]
fn changes_and_overrides() {
    let system = load(LARGE, &[]);
    let (id, changed) = system.changes[0].action.state_machine().unwrap();
    assert_eq!((id, changed.timeout, changed.states.rows()[0].retry.len()), (machine(2), None, 1));
    let overrides = [
        "state_machines.fulfil.states.charge.timeout=unlimited",
        "state_machines.fulfil.states.ship.parallel[1].states.pack.map.items=5",
        "state_machines.fulfil.states.pause.wait=1m",
        "state_machines.small.type=express",
        "state_machines.new={start_at: a, states: {a: {pass: {}, next: b}}}",
        "state_machines.new.states.b={fail: {error: New}}",
    ];
    let system = load(LARGE, &overrides);
    let states = system.state_machines[machine(2)].states.rows();
    assert_eq!(states[0].timeout, None);
    assert!(matches!(states[9].kind, StateKind::Map { items: 5, .. }));
    assert_eq!(system.state_machines[machine(0)].timeout, Some(seconds(300)));
    assert_eq!(system.state_machines[machine(3)].states.rows().len(), 2);
}

#[test]
fn the_schema_knows_state_machines() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let valid = |text: &str| {
        let value: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
        validator.is_valid(&serde_json::to_value(value).unwrap())
    };
    assert!(valid(LARGE));
    for (good, bad) in [
        ("type: standard", "type: fast"),
        ("rate: 500/s", "rate: 500"),
        ("jitter: full", "jitter: equal"),
        ("task: pay\n", "task: pay\n        wait: 1s\n"),
        ("nothing: {pass: {}", "nothing: {pass: {x: 1}"),
        ("lost: {fail: {error: Lost}}", "lost: {fail: {}}"),
        ("items: 12", "items: many"),
        ("mode: distributed", "mode: remote"),
        ("retry: sfn_studio", "retry: sfn_other"),
        ("start_at: charge", "startAt: charge"),
        ("interval: 3s", "interval: 3"),
    ] {
        let text = LARGE.replace(good, bad);
        assert!(text != LARGE && !valid(&text), "{bad}");
        assert!(parse("x.yaml", text.as_bytes(), Path::new(""), &[]).is_err(), "{bad}");
    }
}

/// How the resolved scenario shows defaults that depend on others.
#[test]
fn defaults_are_written_out() {
    let loaded = parse("x.yaml", LARGE.as_bytes(), Path::new(""), &[]).unwrap();
    let written = loaded.source.resolved_yaml();
    for line in [
        "    timeout: unlimited  # default, INV-4.5",
        "    timeout: 5m  # default, INV-4.5",
        "    transitions: unlimited  # default, INV-SF11",
        "      rate: 1500/s  # default, INV-SF11",
        "    invocation: async  # default, INV-Q1",
        "    invocation: sync  # default, INV-Q1",
        "        retry: []  # default, INV-SF1",
        "            max_delay: unlimited  # default, INV-SF2",
    ] {
        assert!(written.lines().any(|written| written == line), "{line} in\n{written}");
    }
}
