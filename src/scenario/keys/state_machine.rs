//! The tables of state machines: one for each sort of state.

use super::common::{ANY, ANY_RATIO, COUNT, COUNT_FROM_1, FUNCTION_NAME, NAME, RATE, SECOND, SWITCH, TEXT, word};
use super::distribution::TIME;
use super::{Block, Key, ResourceKind, Shape};

/// A state machine.
pub(super) static STATE_MACHINE: Block = Block {
    name: "state machine",
    doc: "a state machine of Step Functions, in the States Language's own words",
    case: None,
    keys: &[
        START_AT,
        Key::new("states", &STATES_BY_NAME, "the states, by name").required(),
        Key::new("type", &TYPE, "what it is paid by, and how long it may take").is("standard"),
        Key::new("timeout", &MACHINE_TIMEOUT, "longest execution; it then ends with `TIMED_OUT`")
            .with(("type", "express"), "5m", Some("unlimited"))
            .rule("INV-4.5"),
        Key::new("transitions", &TRANSITIONS, "state transitions a second; those beyond wait")
            .with(("type", "express"), "unlimited", Some("{}"))
            .rule("INV-SF11"),
    ],
};

const START_AT: Key = Key::new("start_at", &NAME, "the first state").required();

static STATES_BY_NAME: Shape = Shape::Named(&STATE);
static CATCHERS: Shape = Shape::List(&Shape::Block(&CATCHER));
static NAMES: Shape = Shape::List(&TEXT);

static TYPE: Shape = Shape::Words(&[
    word("standard", "up to a year; each state transition is paid for"),
    word("express", "up to five minutes; executions and their time are paid for"),
]);

static MACHINE_TIMEOUT: Shape =
    Shape::Either(&[Shape::Without("unlimited", "it may take any time"), Shape::Duration(1, ANY)]);

static TRANSITIONS: Shape = Shape::Either(&[
    Shape::Without("unlimited", "no such limit"),
    Shape::Block(&Block {
        name: "transition limit",
        doc: "a bucket of state transitions; it starts full",
        case: None,
        keys: &[
            Key::new("rate", &RATE, "transitions that come back").is("1500/s").rule("INV-SF11"),
            Key::new("burst", &COUNT_FROM_1, "the most that is saved up").is("5000").rule("INV-SF11"),
        ],
    }),
]);

/// States that follow each other inside a state.
static FLOW: Shape = Shape::Either(&[
    Shape::Target(&[ResourceKind::Function]),
    Shape::Block(&Block {
        name: "flow",
        doc: "what a branch or an item does: states that follow each other",
        case: None,
        keys: &[START_AT, Key::new("states", &STATES_BY_NAME, "the states, by name").required()],
    }),
]);

static STATE: Shape = Shape::Either(&[
    Shape::Block(&TASK),
    Shape::Block(&PARALLEL),
    Shape::Block(&MAP),
    Shape::Block(&WAIT),
    Shape::Block(&CHOICE),
    Shape::Block(&PASS),
    Shape::Block(&SUCCEED),
    Shape::Block(&FAIL),
]);

const NEXT: Key = Key::new("next", &NAME, "the state that follows");
const END: Key = Key::new("end", &SWITCH, "nothing follows: the machine, branch or item has ended well").is("off");
const RETRY: Key =
    Key::new("retry", &RETRIERS, "which errors are tried again, how often and when").is("[]").rule("INV-SF1");
const CATCH: Key =
    Key::new("catch", &CATCHERS, "where it goes on after an error that is not tried again; the first that fits")
        .is("[]")
        .rule("INV-SF1");

static TASK: Block = Block {
    name: "state",
    doc: "a task: invokes a function and waits for its answer",
    case: Some(("task", "")),
    keys: &[
        Key::new("task", &FUNCTION_NAME, "the function").required().rule("INV-SF7"),
        Key::new("timeout", &TASK_TIMEOUT, "longest attempt; the run goes on").is("unlimited").rule("INV-SF8"),
        RETRY,
        CATCH,
        NEXT,
        END,
    ],
};

static PARALLEL: Block = Block {
    name: "parallel state",
    doc: "several flows side by side; if one fails, the others are stopped",
    case: Some(("parallel", "")),
    keys: &[
        Key::new("parallel", &Shape::List(&FLOW), "the branches, each with states of its own or a function")
            .required()
            .rule("INV-SF10"),
        RETRY,
        CATCH,
        NEXT,
        END,
    ],
};

static MAP: Block = Block {
    name: "map state",
    doc: "the same flow for each item; if one fails, the others are stopped",
    case: Some(("map", "")),
    keys: &[Key::new("map", &Shape::Block(&ITEMS), "the items").required().rule("INV-SF9"), RETRY, CATCH, NEXT, END],
};

static ITEMS: Block = Block {
    name: "map",
    doc: "what is done for each of how many items",
    case: None,
    keys: &[
        Key::new("items", &Shape::Whole(0, 100_000_000), "how many items").required(),
        Key::new("item", &FLOW, "what is done with an item: states, or a function").required(),
        Key::new("max_concurrency", &CONCURRENCY, "items at once; 0 is `unlimited`").is("unlimited").rule("INV-SF9"),
        Key::new("mode", &MODE, "where the items run").is("inline").rule("INV-SF9"),
    ],
};

static CONCURRENCY: Shape =
    Shape::Either(&[Shape::Without("unlimited", "as many as the mode allows"), Shape::Whole(0, COUNT)]);

static MODE: Shape = Shape::Words(&[
    word("inline", "in the execution itself, 40 at once at most"),
    word("distributed", "each in an execution of its own, 10,000 at once at most"),
]);

static WAIT: Block = Block {
    name: "wait state",
    doc: "waits",
    case: Some(("wait", "")),
    keys: &[Key::new("wait", &TIME, "how long").required(), NEXT, END],
};

static CHOICE: Block = Block {
    name: "choice state",
    doc: "goes on with one of several states, by chance",
    case: Some(("choice", "")),
    keys: &[
        Key::new("choice", &Shape::List(&Shape::Block(&OPTION)), "the states to choose from").required(),
        Key::new(
            "default",
            &NAME,
            "the state where none is chosen; without it that fails with `States.NoChoiceMatched`",
        ),
    ],
};

static OPTION: Block = Block {
    name: "choice",
    doc: "a state and how often it is chosen",
    case: None,
    keys: &[
        Key::new("probability", &ANY_RATIO, "how often").required(),
        Key::new("next", &NAME, "the state").required(),
    ],
};

static EMPTY: Block = Block { name: "state without settings", doc: "nothing is to be set", case: None, keys: &[] };

static PASS: Block = Block {
    name: "pass state",
    doc: "does nothing",
    case: Some(("pass", "")),
    keys: &[Key::new("pass", &Shape::Block(&EMPTY), "write `pass: {}`").required(), NEXT, END],
};

static SUCCEED: Block = Block {
    name: "succeed state",
    doc: "ends the machine, branch or item well",
    case: Some(("succeed", "")),
    keys: &[Key::new("succeed", &Shape::Block(&EMPTY), "write `succeed: {}`").required()],
};

static FAIL: Block = Block {
    name: "fail state",
    doc: "ends the machine, branch or item with an error",
    case: Some(("fail", "")),
    keys: &[Key::new(
        "fail",
        &Shape::Block(&Block {
            name: "failure",
            doc: "what a fail state says",
            case: None,
            keys: &[Key::new("error", &TEXT, "the name of the error").required()],
        }),
        "the error",
    )
    .required()],
};

/// INV-SF8: the longest time-out.
const TIMEOUT_MAX: u64 = 99_999_999 * SECOND;

static TASK_TIMEOUT: Shape =
    Shape::Either(&[Shape::Without("unlimited", "it waits for ever"), Shape::Duration(1, TIMEOUT_MAX)]);

static RETRIERS: Shape = Shape::Either(&[
    Shape::Words(&[
        word("sfn_studio", "what Workflow Studio writes for a Lambda task (INV-SF5)"),
        word("sfn_classic", "what AWS's best practices and the CDK write: not for throttles (INV-SF6)"),
    ]),
    Shape::List(&Shape::Block(&RETRIER)),
]);

static RETRIER: Block = Block {
    name: "retrier",
    doc: "which errors are tried again: wait k = 1, 2, .. is min(max_delay, interval x backoff_rate^(k-1)). The first \
          that fits an error decides, and counts by itself while the state lasts",
    case: None,
    keys: &[
        ERRORS,
        Key::new("interval", &Shape::Duration(1, TIMEOUT_MAX), "the first wait").is("1s").rule("INV-SF2"),
        Key::new("max_attempts", &Shape::Whole(0, 99_999_999), "retries; the first attempt is not counted")
            .is("3")
            .rule("INV-SF2"),
        Key::new("backoff_rate", &Shape::Real(1.0, 1e6), "growth from wait to wait").is("2").rule("INV-SF2"),
        Key::new("max_delay", &MAX_DELAY, "the longest wait").is("unlimited").rule("INV-SF2"),
        Key::new("jitter", &RETRY_JITTER, "how chance changes a wait").is("none").rule("INV-SF2"),
    ],
};

const ERRORS: Key = Key::new(
    "errors",
    &NAMES,
    "names: of AWS, of `failures` of functions, of fail states; `States.ALL` alone and last, `States.TaskFailed` all but \
     `States.Timeout`",
)
.required()
.rule("INV-SF3");

static MAX_DELAY: Shape = Shape::Either(&[
    Shape::Without("unlimited", "waits grow without end"),
    Shape::Duration(SECOND, 31_622_400 * SECOND),
]);

static RETRY_JITTER: Shape =
    Shape::Words(&[word("none", "the wait itself"), word("full", "uniform between 0 and the wait")]);

static CATCHER: Block = Block {
    name: "catcher",
    doc: "where it goes on after an error",
    case: None,
    keys: &[ERRORS, Key::new("next", &NAME, "the state").required()],
};
