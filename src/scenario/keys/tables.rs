//! The tables themselves, block by block in the order of the file.

use super::{Block, Key, Shape, Tag, Union, Word};
use crate::kernel::quantity::Ratio;

const SECOND: u64 = 1_000_000_000;
const ANY: u64 = u64::MAX;
const COUNT: u64 = u32::MAX as u64;
const PERCENT: u64 = Ratio::PARTS / 100;

static ANY_DURATION: Shape = Shape::Duration(0, ANY);
static SOME_DURATION: Shape = Shape::Duration(1, ANY);
static ANY_SIZE: Shape = Shape::Size(0, ANY);
static ANY_RATIO: Shape = Shape::Ratio(0, Ratio::PARTS);
static SOME_RATIO: Shape = Shape::Ratio(1, Ratio::PARTS);
static RATE: Shape = Shape::Rate;
static SWITCH: Shape = Shape::Switch;
static NAME: Shape = Shape::Name;
static TEXT: Shape = Shape::Text;
static FUNCTION_NAME: Shape = Shape::Function;
static FILE: Shape = Shape::File;
static COUNT_FROM_0: Shape = Shape::Whole(0, COUNT);
static COUNT_FROM_1: Shape = Shape::Whole(1, COUNT);
static WHOLE_FROM_0: Shape = Shape::Whole(0, ANY);
static WHOLE_FROM_1: Shape = Shape::Whole(1, ANY);
static REAL: Shape = Shape::Real(0.0, f64::MAX);

const fn word(name: &'static str, doc: &'static str) -> Word {
    Word { name, doc }
}

const fn tag(name: &'static str, shape: &'static Shape, doc: &'static str) -> Tag {
    Tag { name, shape, doc }
}

/// The functions.
pub(crate) static FUNCTIONS: Shape = Shape::Block(&FUNCTION);
/// The callers.
pub(crate) static CALLERS: Shape = Shape::Block(&CALLER);

/// The account.
pub(crate) static ACCOUNT_SHAPE: Shape = Shape::Block(&ACCOUNT);
/// A client.
pub(crate) static CLIENT_SHAPE: Shape = Shape::Block(&CLIENT);

/// The whole file.
pub(crate) static SCENARIO: Block = Block {
    name: "scenario",
    doc: "the whole file",
    case: None,
    keys: &[
        Key::new("name", &NAME, "names the scenario and the folder of its results").required(),
        Key::new("description", &TEXT, "one line for the report"),
        Key::new("seed", &WHOLE_FROM_0, "start of all random streams: same scenario, same seed, same results").is("1"),
        Key::new("duration", &SOME_DURATION, "callers submit during [0, duration)").required(),
        Key::new("warmup", &ANY_DURATION, "what was submitted before this moment is simulated, not measured").is("0s"),
        Key::new("drain", &DRAIN, "how long the run goes on after `duration`").is("settle"),
        Key::new("model", &Shape::Block(&MODEL), "how the simulation itself works").keys(),
        Key::new("account", &Shape::Block(&ACCOUNT), "limits of the account in one Region").keys(),
        Key::new("prices", &Shape::Block(&PRICES), "how the bill is made").keys(),
        Key::new("functions", &Shape::Named(&FUNCTIONS), "the functions, by name").is("{}"),
        Key::new("faults", &Shape::List(&Shape::Block(&FAULT)), "faults of the Lambda service itself").is("[]"),
        Key::new("callers", &Shape::Named(&CALLERS), "those who call the functions, by name").is("{}"),
        Key::new("changes", &Shape::List(&Shape::Block(&CHANGE)), "settings that change while it runs").is("[]"),
        Key::new("expect", &Shape::List(&TEXT), "conditions that are checked after the run").is("[]"),
    ],
};

static DRAIN: Shape =
    Shape::Either(&[Shape::Words(&[word("settle", "until every event has its fate")]), Shape::Duration(0, ANY)]);

static MODEL: Block = Block {
    name: "model",
    doc: "how the simulation itself works",
    case: None,
    keys: &[
        Key::new("timing", &TIMING, "the size of the platform's own delays, where a default has two values")
            .is("ideal"),
        Key::new("event_budget", &WHOLE_FROM_1, "a run that handles more events than this stops with an error")
            .is("1e10"),
    ],
};

static TIMING: Shape = Shape::Words(&[
    word("ideal", "the platform's own delays are zero"),
    word("typical", "the platform's own delays have their usual size"),
]);

static ACCOUNT: Block = Block {
    name: "account",
    doc: "limits of the account in one Region",
    case: None,
    keys: &[
        Key::new("concurrency_limit", &COUNT_FROM_1, "in-flight executions over all functions")
            .is("1000")
            .rule("INV-C1"),
        Key::new("scaling", &SCALING, "how fast environments may be added").keys().rule("INV-S1"),
        Key::new("request_rate_limit", &SWITCH, "requests a second are limited to ten times the concurrency")
            .is("on")
            .rule("INV-R1"),
        Key::new("request_rate_bucket", &SOME_DURATION, "depth of the request buckets, as the time they take to fill")
            .is("1s")
            .rule("INV-R7"),
        Key::new("caller_rate_limit", &CALLER_RATE, "rate over all callers above which calls are throttled")
            .is("off")
            .rule("INV-D36"),
    ],
};

static CALLER_RATE: Shape = Shape::Either(&[Shape::Without("off", "no such limit"), Shape::Rate]);

static SCALING: Shape = Shape::Either(&[
    Shape::Without("off", "no limit on how fast environments are added"),
    Shape::Block(&SCALING_PER_FUNCTION),
    Shape::Block(&SCALING_LEGACY),
]);

static SCALING_MODEL: Shape = Shape::Words(&[
    word("per_function", "since November 2023: each function by itself"),
    word("legacy_burst", "before November 2023: one allowance for the whole account"),
]);

static SCALING_PER_FUNCTION: Block = Block {
    name: "scaling",
    doc: "scaling rate since November 2023",
    case: Some(("model", "per_function")),
    keys: &[
        Key::new("model", &SCALING_MODEL, "which of AWS's rules").is("per_function").rule("INV-S1"),
        Key::new("environments", &COUNT_FROM_1, "new environments in each period, and the most that is saved up")
            .is("1000")
            .rule("INV-S1"),
        Key::new("every", &SOME_DURATION, "the period").is("10s").rule("INV-S1"),
        Key::new("refill", &REFILL, "how the allowance comes back").is("continuous").rule("INV-S2"),
        Key::new("request_rate", &SWITCH, "whether the requests-a-second half of the limit applies too")
            .is("off")
            .rule("INV-S7"),
    ],
};

static REFILL: Shape =
    Shape::Words(&[word("continuous", "evenly over the period"), word("lump", "all at once at the end of the period")]);

static SCALING_LEGACY: Block = Block {
    name: "legacy scaling",
    doc: "scaling rate before November 2023",
    case: Some(("model", "legacy_burst")),
    keys: &[
        Key::new("model", &SCALING_MODEL, "which of AWS's rules").required().rule("INV-S8"),
        Key::new("burst", &COUNT_FROM_1, "the initial burst, by Region: 3000, 1000 or 500").is("3000").rule("INV-S8"),
        Key::new("per_minute", &COUNT_FROM_0, "new environments a minute after the burst").is("500").rule("INV-S8"),
    ],
};

static PRICES: Block = Block {
    name: "prices",
    doc: "how the bill is made",
    case: None,
    keys: &[
        Key::new("free_tier", &SWITCH, "takes the monthly free tier off").is("off").rule("INV-7"),
        Key::new("savings_plan", &ANY_RATIO, "share taken off duration and provisioned concurrency")
            .is("0%")
            .rule("INV-7"),
        Key::new("init", &BILLING, "whether Init is billed; it was free before August 2025")
            .is("billed")
            .rule("INV-E19"),
        Key::new("failed_init", &BILLING, "whether a failed or cut Init is billed").is("billed").rule("INV-D14"),
    ],
};

static BILLING: Shape = Shape::Words(&[word("billed", "it is paid for"), word("free", "it costs nothing")]);

static FUNCTION: Block = Block {
    name: "function",
    doc: "a function and its execution environments",
    case: None,
    keys: &[
        Key::new("memory", &Shape::Memory(128, 10_240), "memory, which also sets the price")
            .is("128MB")
            .rule("INV-E16"),
        Key::new("architecture", &ARCHITECTURE, "instruction set; changes the price only").is("x86_64").rule("INV-7"),
        Key::new("timeout", &Shape::Duration(SECOND, 900 * SECOND), "longest run of the handler")
            .is("3s")
            .rule("INV-E5"),
        Key::new("duration", &TIME, "time of one run of the handler").required(),
        Key::new("init", &TIME, "time of the Init phase of a new environment").is("0s").rule("INV-E1"),
        Key::new("idle_timeout", &TIME, "how long an idle environment is kept").is("10m").rule("INV-E12"),
        Key::new(
            "reserved_concurrency",
            &COUNT_FROM_0,
            "concurrency that is set aside for this function, and its ceiling",
        )
        .rule("INV-C3"),
        Key::new("provisioned_concurrency", &PROVISIONED, "environments that are kept ready").is("0").rule("INV-P1"),
        Key::new("failures", &FAILURES, "independent causes of failed runs").is("[]"),
        Key::new("platform_start", &TIME, "the platform's part of a cold start, before Init; not billed")
            .timing("0s", "100ms")
            .rule("INV-D13"),
        Key::new("init_limit", &SOME_DURATION, "longest Init of an on-demand environment").is("10s").rule("INV-E2"),
        Key::new("init_failures", &FAILURES, "independent causes of failed Inits").is("[]").rule("INV-E4"),
        Key::new("maximum_environment_age", &MAXIMUM_AGE, "age at which an environment is retired when next idle")
            .timing("unlimited", "2h")
            .rule("INV-E13"),
        Key::new("warm_selection", &WARM_SELECTION, "which idle environment serves next").is("mru").rule("INV-E11"),
        Key::new("extension_tail", &ANY_DURATION, "extensions hold the environment so long after the reply")
            .is("0s")
            .rule("INV-E9"),
        Key::new("snapstart", &SNAPSTART, "starts environments from a snapshot").is("off").rule("INV-E18"),
        Key::new("cpu_scaling", &SWITCH, "`duration` is meant for 1769MB and grows with less memory")
            .is("off")
            .rule("INV-E16"),
        Key::new("ephemeral_storage", &Shape::Memory(512, 10_240), "size of /tmp; changes the price only")
            .is("512MB")
            .rule("INV-E20"),
        Key::new("response", &BYTES, "size of the answer").is("1KB").rule("INV-Y2"),
    ],
};

static ARCHITECTURE: Shape = Shape::Words(&[word("x86_64", "64-bit x86"), word("arm64", "64-bit Arm (Graviton)")]);

static MAXIMUM_AGE: Shape =
    Shape::Either(&[Shape::Without("unlimited", "environments do not age"), Shape::Duration(1, ANY)]);

static WARM_SELECTION: Shape = Shape::Words(&[
    word("mru", "the most recently used"),
    word("lru", "the least recently used"),
    word("fifo", "the oldest environment"),
    word("random", "any"),
]);

static SNAPSTART: Shape = Shape::Either(&[
    Shape::Without("off", "no snapshot"),
    Shape::Block(&Block {
        name: "snapstart",
        doc: "start from a snapshot",
        case: None,
        keys: &[Key::new("restore", &TIME, "time to restore the snapshot, in the place of `init`")
            .required()
            .rule("INV-E18")],
    }),
]);

static PROVISIONED: Shape = Shape::Short("initial", &COUNT_FROM_0, &PROVISIONED_CONCURRENCY);

static PROVISIONED_CONCURRENCY: Block = Block {
    name: "provisioned concurrency",
    doc: "environments that are kept ready, on a schedule or by target tracking",
    case: None,
    keys: &[
        Key::new("initial", &COUNT_FROM_0, "environments ready at the start").is("0").rule("INV-P1"),
        Key::new("schedule", &Shape::List(&Shape::Block(&PROVISIONED_STEP)), "requested numbers at given moments")
            .is("[]")
            .rule("INV-P13"),
        Key::new("min", &COUNT_FROM_0, "target tracking: fewest environments").rule("INV-P7"),
        Key::new("max", &COUNT_FROM_0, "target tracking: most environments").rule("INV-P7"),
        Key::new(
            "target_utilization",
            &Shape::Ratio(10 * PERCENT, 90 * PERCENT),
            "target tracking: utilization aimed at",
        )
        .rule("INV-P7"),
        Key::new("preparation", &ANY_DURATION, "time before the first of the requested environments is allocated")
            .is("60s")
            .rule("INV-P1"),
        Key::new("per_minute", &COUNT_FROM_1, "environments allocated a minute").is("6000").rule("INV-P2"),
        Key::new("scale_out_datapoints", &COUNT_FROM_1, "minutes above the target before scaling out")
            .is("3")
            .rule("INV-P8"),
        Key::new("scale_in_datapoints", &COUNT_FROM_1, "minutes below nine tenths of the target before scaling in")
            .is("15")
            .rule("INV-P9"),
        Key::new("scale_in_step", &SOME_RATIO, "largest share of the environments given back at once")
            .is("10%")
            .rule("INV-P11"),
    ],
};

static PROVISIONED_STEP: Block = Block {
    name: "provisioned concurrency step",
    doc: "a request for more or fewer environments",
    case: None,
    keys: &[Key::new("at", &ANY_DURATION, "when").required(), Key::new("to", &COUNT_FROM_0, "how many").required()],
};

static FAILURES: Shape = Shape::List(&Shape::Block(&FAILURE));

/// A cause of failure; at least one of its conditions must be written.
static FAILURE: Block = Block {
    name: "failure",
    doc: "one independent cause of failure; all of its conditions must hold",
    case: None,
    keys: &[
        Key::new("probability", &ANY_RATIO, "judged once a run"),
        Key::new("poison", &ANY_RATIO, "a property of the event: it fails at every attempt"),
        Key::new("first_attempts", &COUNT_FROM_1, "the event's first so many attempts"),
        Key::new("attempts", &Shape::List(&COUNT_FROM_1), "these attempts of the event; 1 is the first").is("[]"),
        Key::new("events", &Shape::List(&Shape::Event), "these submissions: `4` of each caller, `shoppers#4` of one")
            .is("[]"),
        Key::new("from", &ANY_DURATION, "runs that start at or after this moment"),
        Key::new("until", &ANY_DURATION, "runs that start before this moment"),
        Key::new(
            "above_concurrency",
            &COUNT_FROM_0,
            "runs that start while more than so many executions are in flight",
        ),
        Key::new("kind", &FAILURE_KIND, "how the run fails").is("error").rule("INV-E6"),
        Key::new("error", &TEXT, "the error's name, for those who retry by name"),
        Key::new("after", &ANY_RATIO, "share of `duration` that is used up when an error or a crash strikes")
            .is("100%"),
    ],
};

static FAILURE_KIND: Shape = Shape::Words(&[
    word("error", "the handler raises; the environment stays warm"),
    word("timeout", "the run hangs until the function's time-out; the environment is reset"),
    word("crash", "the process dies; the environment is reset"),
]);

static FAULT: Block = Block {
    name: "fault",
    doc: "the service answers without running the function",
    case: None,
    keys: &[
        Key::new("function", &FUNCTION_NAME, "calls of this function").required(),
        Key::new("stage", &FAULT_STAGE, "where it strikes").is("invoke").rule("INV-T5"),
        Key::new("status", &FAULT_STATUS, "429, or 500 to 599").required().rule("INV-T5"),
        Key::new("probability", &ANY_RATIO, "judged for each attempt to invoke").is("100%"),
        Key::new("from", &ANY_DURATION, "from this moment on"),
        Key::new("until", &ANY_DURATION, "before this moment"),
    ],
};

static FAULT_STAGE: Shape = Shape::Words(&[word("invoke", "every call of the Invoke API")]);
static FAULT_STATUS: Shape = Shape::Either(&[Shape::Whole(429, 429), Shape::Whole(500, 599)]);

static CALLER: Block = Block {
    name: "caller",
    doc: "a source of calls with its client; it has either `arrivals` or `users`",
    case: None,
    keys: &[
        Key::new("target", &FUNCTION_NAME, "the function it calls").required(),
        Key::new("via", &VIA, "the source that calls the function").is("sdk"),
        Key::new("invocation", &INVOCATION, "how it calls").is("sync"),
        Key::new("arrivals", &Shape::Tagged(&ARRIVALS), "open loop: when it calls, whatever the answers"),
        Key::new("users", &Shape::Block(&USERS), "closed loop: users who call, wait for the answer and think"),
        Key::new("max_events", &WHOLE_FROM_0, "stops it after so many submissions"),
        Key::new("client", &Shape::Block(&CLIENT), "who retries, and how long it waits").keys(),
        Key::new("payload", &BYTES, "size of the request").is("1KB").rule("INV-Y2"),
    ],
};

static VIA: Shape = Shape::Words(&[word("sdk", "an AWS SDK or the CLI")]);
static INVOCATION: Shape = Shape::Words(&[word("sync", "RequestResponse: waits for the answer")]);

static USERS: Block = Block {
    name: "users",
    doc: "a closed loop",
    case: None,
    keys: &[
        Key::new("count", &COUNT_FROM_1, "how many users").is("1"),
        Key::new("think", &TIME, "pause before each call").is("0s"),
        Key::new("start", &USER_START, "how each user begins").is("think"),
    ],
};

static USER_START: Shape =
    Shape::Words(&[word("think", "with a pause"), word("at_once", "with a call at the start of the run")]);

static CLIENT: Block = Block {
    name: "client",
    doc: "a client's retries, time-outs and protections",
    case: None,
    keys: &[
        Key::new("retry", &RETRY, "when and how often it tries again").is("standard_2026").rule("INV-N1"),
        Key::new("retry_on", &Shape::List(&RETRY_ON), "what is tried again")
            .is("[throttle, service_error, timeout]")
            .rule("INV-3.2"),
        Key::new("timeout", &CLIENT_TIMEOUT, "longest wait for the answer to one attempt").is("60s").rule("INV-3.5"),
        Key::new("total_timeout", &CLIENT_TIMEOUT, "longest time for the whole call, retries included").is("unlimited"),
        Key::new("circuit_breaker", &CIRCUIT_BREAKER, "stops calling while most calls fail").is("none"),
    ],
};

static CLIENT_TIMEOUT: Shape =
    Shape::Either(&[Shape::Without("unlimited", "it waits for ever"), Shape::Duration(1, ANY)]);

static RETRY: Shape = Shape::Either(&[Shape::Short("preset", &PRESETS, &PRESET), Shape::Block(&OWN_RETRY)]);

static PRESETS: Shape = Shape::Words(&[
    word("none", "no retry"),
    word("boto3_legacy", "boto3 and CLI v1, legacy mode"),
    word("standard_v2", "the SDKs' standard mode before November 2026"),
    word("standard_2026", "the SDKs' standard mode since November 2026"),
    word("adaptive", "standard_2026 and a client-side rate limiter"),
]);

/// A preset with some of its values replaced.
static PRESET: Block = Block {
    name: "retry preset",
    doc: "a retry mode of the SDKs; what is written beside `preset` replaces its values",
    case: Some(("preset", "")),
    keys: &[
        Key::new("preset", &PRESETS, "the mode").required().rule("INV-N1"),
        Key::new("max_attempts", &COUNT_FROM_1, "attempts of one call, the first included"),
        Key::new("base", &ANY_DURATION, "the first wait, after service errors and throttles alike"),
        Key::new("factor", &FACTOR, "growth from wait to wait"),
        Key::new("cap", &CAP, "the longest wait before jitter"),
        Key::new("jitter", &JITTER, "how chance changes a wait"),
        Key::new("budget", &BUDGET, "what retries may cost in all"),
    ],
};

/// A policy of the user's own.
static OWN_RETRY: Block = Block {
    name: "retry policy",
    doc: "a policy of your own: wait k = 0, 1, .. is min(cap, base x factor^k), changed by the jitter",
    case: None,
    keys: &[
        Key::new("max_attempts", &COUNT_FROM_1, "attempts of one call, the first included").is("3"),
        Key::new("base", &ANY_DURATION, "the first wait").is("100ms"),
        Key::new("factor", &FACTOR, "growth from wait to wait").is("2"),
        Key::new("cap", &CAP, "the longest wait before jitter").is("20s"),
        Key::new("jitter", &JITTER, "how chance changes a wait").is("full"),
        Key::new("budget", &BUDGET, "what retries may cost in all").is("none"),
    ],
};

static FACTOR: Shape = Shape::Real(1.0, 1e6);
static CAP: Shape = Shape::Either(&[Shape::Without("unlimited", "waits grow without end"), Shape::Duration(0, ANY)]);

static JITTER: Shape = Shape::Either(&[
    Shape::Words(&[
        word("none", "the wait w itself"),
        word("full", "uniform between 0 and w"),
        word("equal", "w/2 and uniform between 0 and w/2"),
        word("decorrelated", "uniform between the base and three times the last wait"),
    ]),
    Shape::Ratio(0, Ratio::PARTS),
]);

static BUDGET: Shape = Shape::Either(&[
    Shape::Without("none", "retries cost nothing"),
    Shape::Block(&Block {
        name: "token budget",
        doc: "the SDKs' retry quota: a bucket of tokens",
        case: None,
        keys: &[
            Key::new("tokens", &COUNT_FROM_0, "size of the bucket; it starts full").is("500").rule("INV-N3"),
            Key::new("transient", &COUNT_FROM_0, "cost of a retry after a service error").is("14").rule("INV-N3"),
            Key::new("throttle", &COUNT_FROM_0, "cost of a retry after a throttle").is("5").rule("INV-N3"),
            Key::new("timeout", &COUNT_FROM_0, "cost of a retry after a client time-out").is("14").rule("INV-N3"),
            Key::new("success", &COUNT_FROM_0, "given back by a success at the first attempt").is("1").rule("INV-N3"),
        ],
    }),
    Shape::Block(&Block {
        name: "ratio budget",
        doc: "retries as a share of first attempts",
        case: None,
        keys: &[
            Key::new("ratio", &ANY_RATIO, "retries earned by each first attempt").is("10%"),
            Key::new("burst", &COUNT_FROM_0, "the most that is saved up; it starts full").is("10"),
        ],
    }),
]);

static RETRY_ON: Shape = Shape::Words(&[
    word("throttle", "429"),
    word("service_error", "5xx of the service"),
    word("timeout", "its own time-out"),
    word("function_error", "an error of the function, which the SDKs do not retry"),
    word("any", "all of these"),
]);

static CIRCUIT_BREAKER: Shape = Shape::Either(&[
    Shape::Without("none", "no circuit breaker"),
    Shape::Block(&Block {
        name: "circuit breaker",
        doc: "stops calling while most calls fail",
        case: None,
        keys: &[
            Key::new("window", &SOME_DURATION, "how far it looks back").is("10s"),
            Key::new("failures", &SOME_RATIO, "share of failures that opens it").is("50%"),
            Key::new("minimum_calls", &COUNT_FROM_1, "attempts in the window before it judges").is("20"),
            Key::new("open", &SOME_DURATION, "how long it stays open").is("5s"),
            Key::new("probes", &COUNT_FROM_1, "attempts let through to find out whether it may close").is("1"),
        ],
    }),
]);

static ARRIVALS: Union = Union {
    name: "arrivals",
    doc: "when an open loop submits",
    tags: &[
        tag("poisson", &RATE, "memoryless, at this rate"),
        tag("constant", &RATE, "evenly spaced at this rate, the first at 0"),
        tag("at", &Shape::List(&ANY_DURATION), "at these moments"),
        tag("burst", &Shape::Block(&BURST), "many at once"),
        tag("profile", &Shape::Block(&PROFILE), "a rate that changes"),
        tag("daily", &Shape::Block(&DAILY), "a rate that swings with the time of day"),
        tag("on_off", &Shape::Block(&ON_OFF), "busy and quiet phases of random length"),
        tag("trace", &Shape::Block(&TRACE), "one row of a CSV file per arrival"),
        tag("counts", &Shape::Block(&COUNTS), "one row of a CSV file per interval, with the number of arrivals"),
    ],
};

static BURST: Block = Block {
    name: "burst",
    doc: "many arrivals at once",
    case: None,
    keys: &[
        Key::new("size", &WHOLE_FROM_1, "how many at once").required(),
        Key::new("at", &ANY_DURATION, "the first burst").is("0s"),
        Key::new("every", &SOME_DURATION, "from one burst to the next; needed for more than one"),
        Key::new("times", &WHOLE_FROM_1, "how many bursts").is("1"),
    ],
};

static PROFILE: Block = Block {
    name: "profile",
    doc: "a rate that changes",
    case: None,
    keys: &[
        Key::new("points", &Shape::List(&Shape::Block(&PROFILE_POINT)), "the rate at given moments, in order of time")
            .required(),
        Key::new("shape", &PROFILE_SHAPE, "the rate between the points").is("linear"),
        Key::new("process", &REGULARITY, "how regular the arrivals are").is("poisson"),
    ],
};

static PROFILE_POINT: Block = Block {
    name: "profile point",
    doc: "a rate at a moment",
    case: None,
    keys: &[Key::new("at", &ANY_DURATION, "when").required(), Key::new("rate", &RATE, "the rate then").required()],
};

static PROFILE_SHAPE: Shape =
    Shape::Words(&[word("linear", "straight lines between the points"), word("step", "the rate of the last point")]);

static REGULARITY: Shape =
    Shape::Words(&[word("poisson", "memoryless"), word("constant", "evenly spaced at the rate of the moment")]);

static DAILY: Block = Block {
    name: "daily",
    doc: "a sine with a period of 24 hours",
    case: None,
    keys: &[
        Key::new("mean", &RATE, "mean over the day").required(),
        Key::new("peak", &RATE, "the largest rate, at most twice the mean").required(),
        Key::new("peak_at", &Shape::Duration(0, 24 * 3600 * SECOND), "time of the peak, from the start of the run")
            .required(),
        Key::new("process", &REGULARITY, "how regular the arrivals are").is("poisson"),
    ],
};

static ON_OFF: Block = Block {
    name: "on_off",
    doc: "busy and quiet phases of random length",
    case: None,
    keys: &[
        Key::new("on", &TIME, "length of a busy phase").required(),
        Key::new("off", &TIME, "length of a quiet phase").required(),
        Key::new("rate", &RATE, "rate of arrivals in a busy phase").required(),
    ],
};

static TRACE: Block = Block {
    name: "trace",
    doc: "arrivals from a CSV file with a header line, one row each; rows need not be in order",
    case: None,
    keys: &[
        Key::new("file", &FILE, "a CSV file beside the scenario").required(),
        Key::new("column", &TEXT, "the column with the moments; may be left out where there is only one"),
        Key::new("unit", &TIME_UNIT, "the unit of the moments").is("s"),
        Key::new("scale", &Shape::Scale, "multiplies the moments: 0.5 is twice as fast").is("1"),
        Key::new("duration_column", &TEXT, "the column with the duration of each run, in the place of the function's"),
        Key::new("duration_unit", &TIME_UNIT, "the unit of the durations").is("ms"),
    ],
};

static COUNTS: Block = Block {
    name: "counts",
    doc: "numbers of arrivals from a CSV file with a header line, one row per interval",
    case: None,
    keys: &[
        Key::new("file", &FILE, "a CSV file beside the scenario").required(),
        Key::new("column", &TEXT, "the column with the numbers; may be left out where there is only one"),
        Key::new("every", &SOME_DURATION, "the interval").is("1m"),
    ],
};

/// Units of the numbers in a file.
static TIME_UNIT: Shape = Shape::Words(&[
    word("ns", "nanoseconds"),
    word("us", "microseconds"),
    word("ms", "milliseconds"),
    word("s", "seconds"),
    word("m", "minutes"),
    word("h", "hours"),
    word("d", "days"),
]);

static SIZE_UNIT: Shape = Shape::Words(&[
    word("B", "bytes"),
    word("KB", "1,000 bytes"),
    word("MB", "1,000,000 bytes"),
    word("KiB", "1,024 bytes"),
    word("MiB", "1,048,576 bytes"),
]);

static CHANGE: Block = Block {
    name: "change",
    doc: "what changes at a moment of the run",
    case: None,
    keys: &[
        Key::new("at", &ANY_DURATION, "when; `0s` is before the first event").required(),
        Key::new(
            "set",
            &Shape::Settings,
            "new values of keys by their paths: account, functions and the callers' clients",
        ),
        Key::new("deploy", &FUNCTION_NAME, "new code: the idle environments of this function are gone").rule("INV-E15"),
    ],
};

/// The distributions of one sort of value: their shape, and the blocks of their parameters.
macro_rules! distributions {
    ($name:ident, $label:literal, $doc:literal, $value:ident, $bare:expr, $unit:ident, $unit_default:ident $(($unit_text:literal))?) => {
        pub(crate) static $name: Shape = Shape::Either(&[
            $bare,
            Shape::Tagged(&Union {
                name: $label,
                doc: $doc,
                tags: &[
                    tag("constant", &$value, "always the same"),
                    tag(
                        "uniform",
                        &Shape::Block(&Block {
                            name: "uniform",
                            doc: "evenly between two bounds",
                            case: None,
                            keys: &[
                                Key::new("min", &$value, "least").required(),
                                Key::new("max", &$value, "largest").required(),
                            ],
                        }),
                        "evenly between two bounds",
                    ),
                    tag(
                        "exponential",
                        &Shape::Block(&Block {
                            name: "exponential",
                            doc: "memoryless",
                            case: None,
                            keys: &[Key::new("mean", &$value, "mean").required()],
                        }),
                        "memoryless",
                    ),
                    tag(
                        "lognormal",
                        &Shape::Either(&[
                            Shape::Block(&Block {
                                name: "lognormal",
                                doc: "by two quantiles",
                                case: None,
                                keys: &[
                                    Key::new("median", &$value, "half is below").required(),
                                    Key::new("p99", &$value, "99 of 100 are below").required(),
                                ],
                            }),
                            Shape::Block(&Block {
                                name: "lognormal by mean",
                                doc: "by mean and coefficient of variation",
                                case: None,
                                keys: &[
                                    Key::new("mean", &$value, "mean").required(),
                                    Key::new("cv", &REAL, "standard deviation / mean").required(),
                                ],
                            }),
                        ]),
                        "skewed: `{median, p99}` or `{mean, cv}`",
                    ),
                    tag(
                        "gamma",
                        &Shape::Block(&Block {
                            name: "gamma",
                            doc: "by mean and coefficient of variation",
                            case: None,
                            keys: &[
                                Key::new("mean", &$value, "mean").required(),
                                Key::new("cv", &REAL, "standard deviation / mean").required(),
                            ],
                        }),
                        "skewed, with a light tail",
                    ),
                    tag(
                        "weibull",
                        &Shape::Block(&Block {
                            name: "weibull",
                            doc: "by scale and shape",
                            case: None,
                            keys: &[
                                Key::new("scale", &$value, "63.2% are below").required(),
                                Key::new("shape", &REAL, "below 1 a heavier tail than exponential").required(),
                            ],
                        }),
                        "heavier or lighter tail than exponential",
                    ),
                    tag(
                        "pareto",
                        &Shape::Block(&Block {
                            name: "pareto",
                            doc: "a power law",
                            case: None,
                            keys: &[
                                Key::new("min", &$value, "least").required(),
                                Key::new("alpha", &REAL, "exponent of the tail; small is heavy").required(),
                            ],
                        }),
                        "a heavy tail",
                    ),
                    tag("quantiles", &Shape::Quantiles(&$value), "straight lines between quantiles: `{p0: .., p50: .., p100: ..}`"),
                    tag(
                        "empirical",
                        &Shape::Block(&Block {
                            name: "empirical",
                            doc: "values drawn from a column of a CSV file",
                            case: None,
                            keys: &[
                                Key::new("file", &FILE, "a CSV file beside the scenario").required(),
                                Key::new("column", &TEXT, "the column; may be left out where there is only one"),
                                Key::new("unit", &$unit, "the unit of its numbers").$unit_default($($unit_text)?),
                            ],
                        }),
                        "values drawn from a column of a CSV file",
                    ),
                    tag(
                        "mixture",
                        &Shape::List(&Shape::Block(&Block {
                            name: "mixture part",
                            doc: "a distribution and its weight",
                            case: None,
                            keys: &[
                                Key::new("weight", &SOME_RATIO, "share of the draws").required(),
                                Key::new("of", &$name, "the distribution").required(),
                            ],
                        })),
                        "one of several distributions, by weight",
                    ),
                ],
            }),
        ]);
    };
}

distributions!(
    TIME,
    "distribution of time",
    "how long something takes, drawn anew each time",
    ANY_DURATION,
    Shape::Duration(0, ANY),
    TIME_UNIT,
    required
);
distributions!(
    BYTES,
    "distribution of sizes",
    "how large something is, drawn anew each time",
    ANY_SIZE,
    Shape::Size(0, ANY),
    SIZE_UNIT,
    is("B")
);
