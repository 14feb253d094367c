//! The rules that steps cite: one sentence each, and how it is known. The whole story is in `docs/semantics/`.

/// A rule of the simulation.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `INV-Q1`, `ESM-1.4.2`, as in `docs/semantics/`.
    pub id: &'static str,
    /// What it says.
    pub text: &'static str,
    /// Where it says so.
    pub source: &'static str,
    /// How it is known.
    pub mark: Mark,
}

/// How a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// AWS says so.
    Documented,
    /// Others measured it, or read it in the source of an SDK.
    Observed,
    /// Nothing is known; a choice of ours.
    Assumption,
    /// Two pages of AWS disagree; we took one.
    Conflict,
}

impl Mark {
    /// For people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Assumption => "our assumption",
            Self::Conflict => "two pages disagree",
        }
    }
}

macro_rules! rules {
    ($($name:ident = $id:literal, $mark:ident, $source:expr, $text:literal;)*) => {
        $(pub(super) static $name: Rule = Rule { id: $id, text: $text, source: $source, mark: Mark::$mark };)*

        /// Every rule that a step can cite.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

const ERROR_HANDLING: &str = "AWS Lambda developer guide, invocation-async-error-handling";
const CONFIGURING: &str = "AWS Lambda developer guide, invocation-async-configuring";
const RETAIN_RECORDS: &str = "AWS Lambda developer guide, invocation-async-retain-records";
const RUNTIME: &str = "AWS Lambda developer guide, lambda-runtime-environment";
const CONCURRENCY: &str = "AWS Lambda developer guide, lambda-concurrency";
const MEASURED: &str = "measurements of others (localstack, stackd)";
const SDKS: &str = "AWS SDKs and tools reference guide, feature-retry-behavior";
const NONE: &str = "AWS does not say";
const SQS_ERRORS: &str = "AWS Lambda developer guide, services-sqs-errorhandling";
const SQS_SOURCE: &str = "AWS Lambda developer guide, with-sqs";
const MAPPINGS: &str = "AWS Lambda developer guide, invocation-eventsourcemapping";
const VISIBILITY: &str = "Amazon SQS developer guide, sqs-visibility-timeout";
const DEAD_LETTER_QUEUES: &str = "Amazon SQS developer guide, sqs-dead-letter-queues";
const QUEUE_QUOTAS: &str = "Amazon SQS developer guide, quotas-queues";

rules! {
    ASYNC_ACCEPTANCE = "INV-Q1", Documented, "AWS Lambda developer guide, invocation-async",
        "Lambda stores the event, answers 202 and runs the function later, whatever its concurrency.";
    ASYNC_PAYLOAD = "INV-Q2", Documented, "AWS Lambda developer guide, gettingstarted-limits",
        "An event may have 1 MB; a larger one is refused with 413.";
    DISPATCH = "INV-Q4", Assumption, NONE,
        "The internal queue asks for a run of a new event at once, or after `async.dispatch_latency`.";
    DUPLICATES = "INV-Q6", Documented, ERROR_HANDLING,
        "An event is delivered at least once: it may run twice although nothing failed.";
    RETRY_ATTEMPTS = "INV-Q7", Documented, CONFIGURING,
        "After a function error the event is tried again `maximum_retry_attempts` times, at most and by default twice.";
    RETRY_DELAYS = "INV-Q8", Documented, ERROR_HANDLING,
        "Lambda waits one minute before the second attempt and two minutes before the third.";
    BACKOFF = "INV-Q9", Documented, ERROR_HANDLING,
        "After a throttle or an error of the service the event waits 1 s, then longer each time, at most 5 min. It uses up no retry.";
    EVENT_AGE = "INV-Q11", Documented, CONFIGURING,
        "An event may wait `maximum_event_age` from its acceptance, at most and by default 6 h.";
    LOOKAHEAD = "INV-Q12", Observed, MEASURED,
        "An event that would be too old at its next attempt ends at once.";
    AGE_LIMITS_WAITING = "INV-Q14", Observed, MEASURED,
        "The age limits waiting only: a run that has started may end later.";
    DESTINATIONS = "INV-O1", Documented, RETAIN_RECORDS,
        "A destination receives a record of the event and of what came of it.";
    DEAD_LETTERS = "INV-O2", Documented, RETAIN_RECORDS,
        "A dead-letter queue receives the event as it was sent.";
    DELIVERY_FAILURE = "INV-O4", Documented, RETAIN_RECORDS,
        "What cannot be delivered is gone, and counted.";
    FUNCTION_DESTINATION = "INV-O6", Observed, MEASURED,
        "A function as destination is invoked asynchronously: a new event with its own retries.";
    ZERO_RESERVED = "INV-5.6", Documented, RETAIN_RECORDS,
        "With a reserved concurrency of 0 an event is accepted, and ends without a run or a retry.";
    RECURSION = "INV-5.7", Documented, "AWS Lambda developer guide, invocation-recursion",
        "A chain of requests that has run a function about 16 times is stopped.";
    DELIVERY = "INV-D24", Assumption, NONE,
        "How often and how fast Lambda tries a delivery: once and at once, or as `async.delivery` says.";
    COLD_START = "INV-E1", Documented, RUNTIME,
        "Without an idle environment a new one is created and initialised first.";
    TIMEOUT = "INV-E5", Documented, RUNTIME,
        "A run is cut at the function's time-out.";
    RESET = "INV-E6", Documented, RUNTIME,
        "A time-out or a crash resets the environment; its next run pays for a new Init.";
    PROVISIONED = "INV-C10", Documented, CONCURRENCY,
        "Provisioned concurrency serves first; what it cannot serve spills over to concurrency on demand.";
    ACCOUNT_LIMIT = "INV-C1", Documented, CONCURRENCY,
        "All functions of an account share its concurrency limit.";
    RESERVED_LIMIT = "INV-C3", Documented, "AWS Lambda developer guide, configuration-concurrency",
        "Reserved concurrency is set aside for a function, and is the most it can have.";
    RESERVED_ZERO = "INV-C5", Documented, "AWS Lambda developer guide, configuration-concurrency",
        "A reserved concurrency of 0 refuses every call.";
    ACCOUNT_RATE = "INV-R1", Documented, CONCURRENCY,
        "An account may make ten synchronous requests a second for each unit of its concurrency.";
    RESERVED_RATE = "INV-R2", Documented, CONCURRENCY,
        "A function may have ten requests a second for each unit of its reserved concurrency.";
    CALLER_RATE = "INV-D36", Assumption, NONE,
        "All callers together may not be faster than `account.caller_rate_limit`.";
    THROTTLE = "INV-T1", Observed, MEASURED,
        "A throttle is answered with 429 and a reason; the function does not run.";
    SERVICE_ERROR = "INV-T5", Documented, "AWS Lambda API reference, Invoke",
        "The service itself may refuse a request with 5xx or another status; the function does not run.";
    FUNCTION_ERROR = "INV-T6", Documented, "AWS Lambda developer guide, invocation-sync",
        "A failure of the function is answered with status 200 and a mark; SDKs do not try it again.";
    SYNC_PAYLOAD = "INV-Y2", Documented, "AWS Lambda developer guide, gettingstarted-limits",
        "A synchronous request may have 6 MB; a larger one is refused with 413.";
    CLIENT_LEAVES = "INV-Y3", Observed, MEASURED,
        "A client that stops waiting does not stop the run.";
    CLIENT_RETRIES = "INV-N4", Documented, SDKS,
        "Of a synchronous call the client alone decides: is this failure tried again, are attempts left, can its budget pay? Then it waits and sends again.";
    RETRY_QUOTA = "INV-N3", Documented, SDKS,
        "A client's retries are paid from a quota of tokens, which successes fill again.";
    MESSAGE_DELAY = "ESM-1.1.8", Documented, "Amazon SQS developer guide, sqs-delay-queues",
        "A new message is hidden for the delay of its queue, or for its own.";
    RETENTION = "ESM-1.1.9", Documented, QUEUE_QUOTAS,
        "A queue keeps a message for its retention, 4 days by default, and then drops it without a word.";
    MESSAGE_SIZE = "ESM-1.1.10", Documented, "Amazon SQS developer guide, quotas-messages",
        "A message may have 1 MiB, or the maximum message size of its queue; a larger one is refused.";
    BATCH_COMPLETE = "ESM-1.3.1", Documented, MAPPINGS,
        "A batch is invoked when it is full, when its window is over, or when one more record would pass 6 MB.";
    NO_WINDOW = "ESM-1.3.4", Assumption, NONE,
        "Without a batching window a batch is what one receive gave: up to ten messages.";
    LOW_TRAFFIC = "ESM-1.3.5", Documented, SQS_SOURCE,
        "At low traffic Lambda may wait up to 20 s for a batch, although its window is shorter.";
    VISIBILITY_CLOCK = "ESM-1.3.9", Documented, VISIBILITY,
        "A received message is hidden for the visibility time-out, which runs from the receive: time in a batch counts.";
    BATCH_SUCCEEDED = "ESM-1.4.1", Documented, SQS_SOURCE,
        "When the run of a batch succeeds, Lambda deletes all its messages.";
    BATCH_FAILED = "ESM-1.4.2", Documented, SQS_ERRORS,
        "When the run of a batch fails, nothing is deleted: its messages are visible again when their visibility time-out ends, not before.";
    RUN_GOES_ON = "ESM-1.4.4", Documented, VISIBILITY,
        "When the visibility time-out ends during a run, the message is received again, and the run goes on beside the next.";
    PARTIAL_FAILURE = "ESM-1.4.6", Documented, SQS_ERRORS,
        "With ReportBatchItemFailures only the messages that the function names stay; the others are deleted.";
    ALL_FAILED = "ESM-1.4.8", Documented, SQS_ERRORS,
        "An answer that cannot be read, or that names an unknown message, fails the whole batch.";
    REDRIVE = "ESM-1.5.1", Documented, DEAD_LETTER_QUEUES,
        "The receive that would be one more than maxReceiveCount moves the message to the dead-letter queue instead.";
    REDRIVE_TASK = "ESM-1.5.10", Documented, "Amazon SQS developer guide, sqs-configure-dead-letter-queue-redrive",
        "A redrive task moves messages to another queue, at most 500 a second; each is a new message there.";
    THROTTLED_BATCH = "ESM-1.6.2", Documented, SQS_ERRORS,
        "Lambda tries a throttled batch again until its visibility time-out, then drops its copy. The receive counts all the same.";
    NEVER_RAN = "ESM-1.7.3", Observed, "experiments of Zac Charles (sqs-overpull-reproduction) and an AWS sample",
        "Pollers receive before they ask for concurrency. Throttled batches use up receives, and a message can reach the dead-letter queue without a run.";
    FIFO_BATCH = "ESM-1.10.5", Conflict, "AWS Lambda developer guide, services-sqs-scaling",
        "A batch of a FIFO queue may hold several message groups, each in order; an older text says one group.";
    DEDUPLICATION = "ESM-1.10.9", Documented, "Amazon SQS developer guide, FIFO-queues-understanding-logic",
        "A FIFO queue accepts a message with a deduplication id of the last 5 minutes, and drops it.";
    FIFO_RATE = "ESM-1.10.12", Documented, "Amazon SQS developer guide, quotas-fifo",
        "A FIFO queue takes a limited number of calls a second.";
    FILTER = "ESM-1.12.1", Documented, "AWS Lambda developer guide, invocation-eventfiltering",
        "Lambda deletes a message that does not match the filter; it reaches neither the function nor a dead-letter queue.";
    BATCH_INVOKED = "ESM-6.2.1", Documented, MAPPINGS,
        "A mapping invokes once for each batch and waits for the result; the internal queue of asynchronous invocation is not used.";
    THROTTLED_BATCH_WAITS = "ESM-S7", Assumption, NONE,
        "A throttled batch is held and asked for again after 1 s, 2 s, 4 s and so on, at most 20 s, as `throttle_retry` says.";
    STALE_DELETE = "ESM-S17", Assumption, NONE,
        "A delete after the visibility time-out works if nobody has received the message again; if somebody has, `stale_delete` decides.";
    EXPIRED_IN_FLIGHT = "ESM-S18", Assumption, NONE,
        "Retention also ends while a message is in flight; a run that has it goes on, and its delete does nothing.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_sentences_and_ids_are_unique() {
        for (place, rule) in ALL.iter().enumerate() {
            assert!(rule.text.ends_with(['.', '?']), "{rule:?}");
            assert!(!rule.source.is_empty(), "{rule:?}");
            assert!(["INV-", "ESM-"].iter().any(|sheet| rule.id.starts_with(sheet)), "{rule:?}");
            assert!(ALL[..place].iter().all(|other| other.id != rule.id), "{} is there twice", rule.id);
        }
    }
}
