//! The checks: what each finds, why that matters, what helps, and how it is known.

/// How it is known that a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// AWS advises otherwise.
    Advice,
    /// It follows from rules that AWS documents.
    Rule,
    /// Others measured it or ran into it.
    Observed,
    /// From mean rates and mean times alone: an estimate, no simulation.
    Estimate,
}

impl Basis {
    /// For people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advice => "advice of AWS",
            Self::Rule => "follows from documented rules",
            Self::Observed => "observed",
            Self::Estimate => "estimate",
        }
    }
}

macro_rules! checks {
    ($($family:literal { $($name:ident = $id:literal, $rule:literal, $basis:ident, $source:expr,
        $finds:literal, $reason:literal, $advice:literal;)* })*) => {
        /// What is looked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(clippy::doc_markdown, reason = "the texts are read by people too")]
        pub enum Check {
            $($(#[doc = $finds] $name,)*)*
        }

        impl Check {
            /// All checks, family by family.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)*];

            /// Its name, which never changes: `few-receives`.
            pub const fn id(self) -> &'static str {
                match self { $($(Self::$name => $id,)*)* }
            }

            /// What it is about.
            pub const fn family(self) -> &'static str {
                match self { $($(Self::$name => $family,)*)* }
            }

            /// The rule that it rests on, as in `docs/semantics/`.
            pub const fn rule(self) -> &'static str {
                match self { $($(Self::$name => $rule,)*)* }
            }

            /// How it is known.
            pub const fn basis(self) -> Basis {
                match self { $($(Self::$name => Basis::$basis,)*)* }
            }

            /// Where that is written.
            pub const fn source(self) -> &'static str {
                match self { $($(Self::$name => $source,)*)* }
            }

            /// When it has something to say.
            pub const fn finds(self) -> &'static str {
                match self { $($(Self::$name => $finds,)*)* }
            }

            /// What goes wrong.
            pub const fn reason(self) -> &'static str {
                match self { $($(Self::$name => $reason,)*)* }
            }

            /// What helps.
            pub const fn advice(self) -> &'static str {
                match self { $($(Self::$name => $advice,)*)* }
            }
        }
    };
}

const CONCURRENCY: &str = "AWS Lambda developer guide, lambda-concurrency";
const RESERVED: &str = "AWS Lambda developer guide, configuration-concurrency";
const PROVISIONED: &str = "AWS Lambda developer guide, provisioned-concurrency";
const RETAIN_RECORDS: &str = "AWS Lambda developer guide, invocation-async-retain-records";
const ASYNC_ERRORS: &str = "AWS Lambda developer guide, invocation-async-error-handling";
const SYNCHRONOUS: &str = "AWS Lambda developer guide, invocation-sync";
const RUNTIME: &str = "AWS Lambda developer guide, lambda-runtime-environment";
const RECURSION: &str = "AWS Lambda developer guide, invocation-recursion";
const MAPPINGS: &str = "AWS Lambda developer guide, invocation-eventsourcemapping";
const SQS_CONFIGURE: &str = "AWS Lambda developer guide, services-sqs-configure";
const SQS_SCALING: &str = "AWS Lambda developer guide, services-sqs-scaling";
const SQS_ERRORS: &str = "AWS Lambda developer guide, services-sqs-errorhandling";
const FILTERING: &str = "AWS Lambda developer guide, invocation-eventfiltering";
const DEAD_LETTERS: &str = "Amazon SQS developer guide, sqs-dead-letter-queues";
const DEAD_LETTER_RETENTION: &str = "Amazon SQS developer guide, setting-up-dead-letter-queue-retention";
const SINGLE_RECEIVE: &str = "Amazon SQS developer guide, avoiding-inconsistent-message-processing";
const KINESIS: &str = "AWS Lambda developer guide, with-kinesis";
const KINESIS_CREATE: &str = "AWS Lambda developer guide, services-kinesis-create";
const DISCARDED: &str = "AWS Lambda developer guide, kinesis-on-failure-destination";
const STREAM_QUOTAS: &str = "Amazon Kinesis Data Streams developer guide, service-sizes-and-limits";
const STREAM_SIZING: &str = "Amazon Kinesis Data Streams developer guide, how-do-i-size-a-stream";
const TABLE_STREAMS: &str = "Amazon DynamoDB developer guide, Streams";
const SDKS: &str = "AWS SDKs and tools reference guide, feature-retry-behavior";
const BUILDERS: &str = "Amazon Builders' Library, timeouts-retries-and-backoff-with-jitter";
const DOOR_LIMITS: &str = "the developer guides of these services (for API Gateway: limits)";
const STATES_ERRORS: &str = "AWS Step Functions developer guide, concepts-error-handling";

checks! {
    "Limits of concurrency and of requests" {
        ReservedBelowNeed = "reserved-below-need", "INV-C2", Estimate, CONCURRENCY,
            "A function needs more concurrent executions on average than are reserved for it.",
            "Concurrency is rate x duration. What comes beyond the reserved concurrency is throttled, although others may be idle.",
            "Reserve more than is needed on average; the more random the traffic, the more of it.";
        AccountBelowNeed = "account-below-need", "INV-C2", Estimate, CONCURRENCY,
            "The functions without reserved concurrency need more on average than the account leaves to them.",
            "They share what is neither reserved nor provisioned; beyond it any of them is throttled, whoever filled it.",
            "Ask for a higher limit, or set less aside.";
        RequestsAboveRate = "requests-above-rate", "INV-R2", Estimate, CONCURRENCY,
            "More requests a second than ten times the concurrency that they may have.",
            "Requests a second are limited to ten times the concurrency: below 100ms a run, this limit is reached first.",
            "Raise the concurrency to a tenth of the requests a second, though fewer run at once.";
        NothingRuns = "nothing-runs", "INV-C5", Rule, RESERVED,
            "A function has a reserved concurrency of 0.",
            "Calls are throttled, and asynchronous events are dropped at once: none waits for a better time.",
            "Take the limit away, where it is no kill switch that was meant.";
        RunsBeyondTimeout = "runs-beyond-timeout", "INV-E5", Estimate, RUNTIME,
            "The mean run takes longer than the function's time-out.",
            "A run is cut at the time-out, is billed in full, and has failed.",
            "Raise the time-out above the longest run that is worth waiting for.";
    }
    "Clients and who waits for whom" {
        ClientLeavesFirst = "client-timeout-below-function-timeout", "INV-Y3", Advice, SYNCHRONOUS,
            "A client gives up before the function's time-out.",
            "A client that leaves does not stop the run. It holds its concurrency and is billed, and a retry is a second run beside it.",
            "Let the client wait longer than the function may run.";
        DoorLeavesFirst = "service-timeout-below-function-timeout", "INV-A4", Rule, DOOR_LIMITS,
            "The service before a function gives up before the function's time-out.",
            "The client gets an error while the run goes on: API Gateway waits 29s, HTTP APIs 30s, Cognito 5s. The run holds its concurrency and is billed.",
            "A time-out of the function that is no longer than that of the service; longer work is asynchronous.";
        CallOutlastsRun = "call-timeout-above-function-timeout", "INV-E5", Rule, RUNTIME,
            "A run may wait for a call as long as it may last, or longer.",
            "The run is cut before the call gives up: it cannot handle the error, and all of the time is billed.",
            "Time-outs that grow from the inside out: the call's below the function's, the function's below its caller's.";
        CallGivesUpInQueue = "call-timeout-below-queueing", "INV-Y3", Rule, BUILDERS,
            "The waiting line of a dependency is longer than its callers wait.",
            "Under load it serves requests that nobody waits for any more, while their clients try again: an overload that stays.",
            "A line so short that its last request is served before its client gives up.";
        RetriesMultiply = "retries-multiply", "INV-3.2", Advice, BUILDERS,
            "A run tries its calls again, and who called it tries the run again.",
            "Tries multiply from layer to layer: three tries in each of three layers are 27 calls at the bottom for one at the top.",
            "Try again in one layer only.";
        NoJitter = "retries-without-jitter", "INV-N2", Advice, SDKS,
            "A client waits without chance before it tries again.",
            "Clients that failed together try again together, and fail together again.",
            "Full jitter, as in the SDKs.";
        NoBudget = "retries-without-budget", "INV-N3", Advice, BUILDERS,
            "A run tries calls to a dependency again, without a retry budget or a circuit breaker.",
            "In an outage each call becomes as many as there are tries, just when the dependency can do the least.",
            "A budget of retries, as the token bucket of the SDKs.";
        DependencyBelowNeed = "dependency-below-need", "INV-C2", Estimate, CONCURRENCY,
            "A dependency has more to do on average than it can.",
            "Its waiting line grows without end: runs wait until they are cut, and each holds concurrency meanwhile.",
            "More capacity, or fewer calls: a cache, a limit of the function's concurrency.";
    }
    "Queues" {
        VisibilityBelowTimeout = "visibility-below-timeout", "ESM-1.1.5", Rule, SQS_CONFIGURE,
            "A function may run longer than messages are hidden. AWS refuses that of a mapping, but a queue may be changed later.",
            "A message is received again while its run goes on: it runs twice at the same time, and its receives are used up.",
            "A visibility time-out of six times the function's time-out.";
        VisibilityBelowSixTimeouts = "visibility-below-six-timeouts", "ESM-1.1.6", Advice, SQS_CONFIGURE,
            "A visibility time-out below six times the function's, and the batching window.",
            "A batch that was throttled is tried again while its messages are hidden; the time left must still hold a run.",
            "Six times the function's time-out, and the batching window.";
        ReservedBelowPollers = "reserved-below-pollers", "ESM-1.7.2", Advice, SQS_CONFIGURE,
            "Reserved concurrency below 5, and a mapping that may send more.",
            "Five batches are received at once, whatever may run. The others are throttled, use up receives, and end in the dead-letter queue without a run.",
            "At least 5, or a `maximum_concurrency` of no more than is reserved.";
        MaximumAboveReserved = "maximum-concurrency-above-reserved", "ESM-1.8.4", Advice, SQS_SCALING,
            "The mappings of a function may send more batches at once than are reserved for it.",
            "What is beyond the reserved concurrency is received all the same, and throttled.",
            "Reserve at least the sum of `maximum_concurrency` over the function's mappings.";
        MaximumBelowNeed = "maximum-concurrency-below-need", "ESM-1.8.2", Estimate, SQS_SCALING,
            "A mapping needs more batches at once on average than `maximum_concurrency`.",
            "Nothing is received while so many batches are in work: the queue grows without end, until messages expire.",
            "A higher maximum, larger batches, or shorter runs.";
        PollersAboveLimit = "provisioned-pollers-above-limit", "ESM-1.9.3", Rule, SQS_SCALING,
            "Provisioned pollers may send more batches at once than the function may run.",
            "Each poller has up to 10 batches in work. Pollers do not look at the limit: what is beyond is received, and throttled.",
            "At most a tenth as many pollers as the function may run at once, or a higher limit.";
        SingleReceive = "single-receive", "ESM-1.7.3", Advice, SINGLE_RECEIVE,
            "`max_receive_count` is 1.",
            "One receive counts, also when no run follows: one throttle is enough for the dead-letter queue.",
            "At least 5.";
        FewReceives = "few-receives", "ESM-1.1.12", Advice, SQS_CONFIGURE,
            "`max_receive_count` is 2 to 4.",
            "A throttled receive counts like any other, so a short overload sends good messages to the dead-letter queue.",
            "At least 5.";
        NoDeadLetterQueue = "queue-without-dead-letter-queue", "ESM-1.5.12", Advice, SQS_ERRORS,
            "A queue that a function reads has no dead-letter queue.",
            "A message that always fails comes back until it expires, takes part in every batch, and is then deleted silently.",
            "A dead-letter queue, and 5 receives or more.";
        DeadLettersExpire = "dead-letters-expire-early", "ESM-1.5.5", Advice, DEAD_LETTER_RETENTION,
            "A dead-letter queue keeps messages no longer than the queue that they come from.",
            "A dead letter keeps its first enqueue timestamp, so what waited long before is gone soon after it was moved.",
            "A longer retention than that of the queue.";
        ExpiresBeforeDeadLetter = "retention-below-receives", "ESM-1.5.12", Rule, DEAD_LETTERS,
            "Messages expire before they were received `max_receive_count` times.",
            "A message that fails is received once in each visibility time-out. It expires before the last of them: deleted silently, and never a dead letter.",
            "A retention above `max_receive_count` x the visibility time-out.";
        DeadLettersComeBack = "dead-letters-come-back", "ESM-1.5.1", Rule, DEAD_LETTERS,
            "What a function failed to do is sent to the same function again, through its own dead-letter queue or failure destination.",
            "What always fails goes round: nothing of it is kept to be looked at, and each round is paid for.",
            "Read a dead-letter queue with another function, or by hand.";
        FilteredForOthers = "filter-on-shared-queue", "ESM-1.12.4", Rule, FILTERING,
            "Several mappings read one queue, and one of them filters.",
            "What does not match a filter is deleted. The other mappings never see it.",
            "A queue for each filter, behind one topic.";
        FewGroups = "few-message-groups", "ESM-1.10.4", Estimate, SQS_SCALING,
            "A FIFO queue has fewer message groups than batches are needed at once on average.",
            "Only one batch of a group is in work at a time, however many may run: the queue grows without end.",
            "More message groups: an order's id in the place of a constant.";
        WholeBatchFails = "batch-without-item-failures", "ESM-1.4.6", Advice, SQS_ERRORS,
            "Some messages fail, and the function does not say which.",
            "One failed message brings the whole batch back: what was done is done again, and good messages use up receives.",
            "Report batch item failures.";
        BatchBeyondTimeout = "batch-beyond-timeout", "INV-E5", Estimate, RUNTIME,
            "A full batch takes longer on average than the function's time-out.",
            "The run is cut, and all of the batch comes back: the fuller the queue, the less gets done.",
            "A smaller batch, or a longer time-out.";
        BatchBeyondPayload = "batch-beyond-payload", "ESM-1.3.1", Estimate, MAPPINGS,
            "A full batch would be larger than the event may be.",
            "A batch is sent before it passes 6 MB, so it never has `batch_size` records; more runs are needed than that number promises.",
            "The batch size that fits.";
    }
    "Streams" {
        UnlimitedRetries = "stream-retries-unlimited", "ESM-2.3.1", Advice, KINESIS,
            "A mapping of a stream limits neither retries nor the age of records.",
            "A batch that always fails is tried again until its records expire. Nothing of its shard passes it.",
            "Limits, and an on-failure destination.";
        NoStreamDestination = "stream-without-destination", "ESM-2.3.12", Advice, DISCARDED,
            "A mapping discards records and has no on-failure destination.",
            "Nobody learns which records were given up.",
            "An on-failure destination.";
        NoBisect = "stream-without-bisect", "ESM-2.3.6", Advice, KINESIS_CREATE,
            "Some records fail, and a batch is neither split nor does the function say which.",
            "The good records of the batch run again with the bad one each time, and are given up with it.",
            "Split batches on errors, or report batch item failures.";
        AgeBeyondRetention = "record-age-above-retention", "ESM-3.2", Rule, TABLE_STREAMS,
            "A maximum age of records above the stream's retention.",
            "Records are gone before they are too old: they are skipped, and the destination is not told.",
            "A maximum age below the retention.";
        StartsLate = "stream-starts-latest", "ESM-2.2.9", Advice, KINESIS_CREATE,
            "A mapping starts with the latest record.",
            "A mapping that is created or updated takes minutes to begin, and misses what is written meanwhile.",
            "Start at the trim horizon, where nothing may be missed.";
        ManyReaders = "table-stream-readers", "ESM-3.3", Advice, TABLE_STREAMS,
            "A DynamoDB stream has two readers or more.",
            "A shard serves two at most; more are throttled. Where the table is a global one, it should be one.",
            "One function that hands on to others, or Kinesis in the place of the stream.";
        ReadersShareShard = "stream-readers-share", "ESM-2.1.2", Estimate, STREAM_QUOTAS,
            "The standard readers of a Kinesis stream want more than a shard gives all of them: 2 MiB and five reads a second.",
            "They share it, so that each falls behind.",
            "Enhanced fan-out.";
        StreamBelowNeed = "stream-concurrency-below-need", "ESM-2.2.4", Estimate, KINESIS,
            "A stream needs more batches at once on average than shards x parallelization factor, or a Kafka topic than partitions.",
            "The mapping falls behind further and further, until records expire unread.",
            "A higher parallelization factor (up to 10), then more shards or partitions.";
        ShardsBelowWrites = "shards-below-writes", "ESM-2.1.1", Estimate, STREAM_SIZING,
            "More is written to a Kinesis stream on average than its shards take: 1,000 records and 1 MiB a second each.",
            "What is beyond is refused, and its producer has to try again.",
            "More shards.";
    }
    "Asynchronous invocation" {
        NoDestination = "events-without-destination", "INV-O1", Advice, RETAIN_RECORDS,
            "A function that is invoked asynchronously has neither a dead-letter queue nor an on-failure destination.",
            "An event that fails three times, or waits too long, is gone, and nobody learns which it was.",
            "An on-failure destination.";
        AgeBelowRetries = "event-age-below-retries", "INV-Q12", Rule, ASYNC_ERRORS,
            "Events are too old before their last retry is due.",
            "An event that would be too old at its next attempt ends at once: retries that are set never happen.",
            "A maximum age above the sum of the retry delays (3 minutes), and the time of the runs.";
        Loop = "loop", "INV-5.7", Rule, RECURSION,
            "What a function sends comes back to it.",
            "Each run makes another. Lambda stops such a chain after about 16 runs where it can follow it: not through event buses and streams.",
            "Send to another place than the one that invokes the function.";
    }
    "Provisioned concurrency" {
        NoRoomToSpill = "provisioned-fills-reserved", "INV-C10", Rule, CONCURRENCY,
            "All of a function's reserved concurrency is provisioned.",
            "There is nothing to spill over to: one call more than is provisioned is throttled, not started cold.",
            "More reserved than provisioned concurrency.";
        ProvisionedBelowNeed = "provisioned-below-need", "INV-P6", Estimate, PROVISIONED,
            "Less is provisioned than is needed on average, or a tenth of the requests a second.",
            "The rest runs on demand, with cold starts: provisioned units are never idle, and latency is as it was.",
            "The highest concurrency that was seen, and 10 % more.";
        FixedForVariable = "provisioned-without-schedule", "INV-P7", Advice, PROVISIONED,
            "Provisioned concurrency is fixed, and the traffic's peak is twice its mean or more.",
            "Provisioned units are paid for whether used or not: most of the day they idle, and at the peak they are too few.",
            "A schedule, or target tracking.";
    }
    "State machines" {
        TaskWithoutRetry = "task-without-retry", "INV-SF1", Advice, STATES_ERRORS,
            "A task does not try again what Lambda refuses or fails to do.",
            "Nothing is tried again unless `retry` says so: one throttle fails the execution.",
            "The retries that Workflow Studio puts in.";
        TaskLeavesFirst = "task-timeout-below-function-timeout", "INV-SF8", Rule, STATES_ERRORS,
            "A task gives up before the function's time-out.",
            "The time-out of a task does not stop the run: it goes on, and a retry is a second run beside it.",
            "A time-out of the task above the function's.";
    }
}
