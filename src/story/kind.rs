//! What is done in the steps of a story.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $verb:literal;)*) => {
        /// What is done in a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum StepKind {
            $($(#[$doc])* $name,)*
        }

        impl StepKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word of `events.csv`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What the actor does, before the detail.
            pub const fn verb(self) -> &'static str {
                match self { $(Self::$name => $verb,)* }
            }
        }
    };
}

kinds! {
    /// A caller submitted a call or an event.
    Submitted = "submitted", "submits";
    /// Its client sent an attempt.
    AttemptSent = "attempt_sent", "sends";
    /// The attempt was answered.
    Answered = "answered", "answers";
    /// The client gave up waiting for an answer.
    TimedOut = "timed_out", "gives up";
    /// The client will try again.
    RetryScheduled = "retry_scheduled", "will try again:";
    /// A service before the function lets the attempt not through.
    Limited = "limited", "lets it not through:";
    /// A service before the function has waited long enough.
    DoorTimedOut = "door_timed_out", "waits no longer:";
    /// A service before the function has a status of its own for what Lambda says.
    Translated = "translated", "translates:";
    /// A service calls later.
    Delayed = "delayed", "calls later:";
    /// A service waits for the function to call back.
    CallbackAwaited = "callback_awaited", "waits for a call back:";
    /// It did.
    CalledBack = "called_back", "has its call back:";
    /// It did not.
    CallbackTimedOut = "callback_timed_out", "has no call back:";
    /// Firehose closed a buffer.
    BufferClosed = "buffer_closed", "closes its buffer:";
    /// Firehose gave a buffer up.
    ProcessingFailed = "processing_failed", "skips the records:";
    /// A service gives an event up.
    GivenUp = "given_up", "gives it up:";
    /// A call of a run was answered.
    CallAnswered = "call_answered", "has the answer to";
    /// A dependency took a request.
    RequestTaken = "request_taken", "takes it:";
    /// A dependency refused a request.
    RequestRejected = "request_rejected", "refuses it:";
    /// A request is in service.
    RequestInService = "request_in_service", "serves it";
    /// A request left service.
    RequestServed = "request_served", "has served it:";
    /// Nobody waits for a request any more.
    RequestAbandoned = "request_abandoned", "is not waited for:";
    /// The client's retry budget is empty.
    QuotaExhausted = "quota_exhausted", "does not try again:";
    /// The client's circuit breaker was open.
    CircuitOpen = "circuit_open", "sends nothing:";
    /// The client is done.
    Finished = "finished", "is done:";
    /// Lambda refused to run the function for want of concurrency or rate.
    Throttled = "throttled", "throttles:";
    /// An event was accepted into the internal queue.
    Accepted = "accepted", "accepts the event:";
    /// The internal queue asked for a run.
    Dispatched = "dispatched", "dispatches the event:";
    /// A dispatch was refused by a fault of the service.
    Refused = "refused", "cannot run it:";
    /// A run started.
    RunStarted = "run_started", "starts";
    /// A run ended.
    RunEnded = "run_ended", "ends";
    /// The event is run once more beside its run.
    Duplicated = "duplicated", "duplicates";
    /// The event went back to the internal queue.
    Returned = "returned", "keeps the event:";
    /// The event has its fate.
    Ended = "ended", "ends the event:";
    /// A dead-letter queue or destination received it.
    Delivered = "delivered", "receives";
    /// A delivery was refused and will be tried again.
    DeliveryRetried = "delivery_retried", "refuses";
    /// A delivery was refused for good.
    DeliveryFailed = "delivery_failed", "refuses for good";
    /// A topic, an event bus or a bucket received something.
    PlaceReceived = "place_received", "takes it in:";
    /// It delivered it to a target.
    PassedOn = "passed_on", "delivers it to";
    /// A target refused it, and it will be delivered later.
    PassRetried = "pass_retried", "cannot deliver it to";
    /// It gave the delivery up.
    PassFailed = "pass_failed", "gives up delivering it to";
    /// A queue accepted a message.
    Sent = "sent", "accepts the message:";
    /// A queue accepted a message and dropped it, as it has had it before.
    Deduplicated = "deduplicated", "drops the message:";
    /// The delay of a message ended.
    DelayEnded = "delay_ended", "shows the message:";
    /// A mapping received a message.
    Received = "received", "receives the message:";
    /// A message or record does not match the filter.
    FilteredOut = "filtered_out", "filters it out:";
    /// A message or record is in a batch.
    Batched = "batched", "puts it into";
    /// The batch is complete.
    BatchFormed = "batch_formed", "completes";
    /// The batch runs.
    BatchInvoked = "batch_invoked", "has invoked";
    /// The batch could not run and is tried again.
    BatchRefused = "batch_refused", "keeps";
    /// The batch could not run and is given up.
    BatchDropped = "batch_dropped", "drops";
    /// The run of the batch ended.
    BatchEnded = "batch_ended", "is done with";
    /// The visibility time-out of a message ended.
    VisibleAgain = "visible_again", "shows the message again:";
    /// A message was deleted.
    Deleted = "deleted", "deletes the message:";
    /// A message should have been deleted, and was not.
    DeleteIgnored = "delete_ignored", "keeps the message:";
    /// A message was moved to a dead-letter queue.
    Moved = "moved", "moves the message:";
    /// A redrive task moved it to another queue.
    Redriven = "redriven", "moves the message on:";
    /// The retention of a message or record ended.
    Expired = "expired", "drops it:";
    /// A stream accepted a record.
    Put = "put", "accepts the record:";
    /// A stream refused a record: its shard takes no more at this rate.
    WriteThrottled = "write_throttled", "refuses the record:";
    /// A batch, or a part of one, was sent to the function.
    BatchSent = "batch_sent", "sends";
    /// A batch that failed was split.
    BatchSplit = "batch_split", "splits";
    /// A batch, or a part of one, waits before it is sent again.
    BatchWaits = "batch_waits", "keeps";
    /// A mapping is done with a record.
    RecordDone = "record_done", "is done with it:";
    /// A mapping gave a record up.
    Discarded = "discarded", "gives it up:";
    /// Nobody was told of records that were given up.
    Dropped = "dropped", "drops";
    /// A broker's message was redelivered too often.
    DeadLettered = "dead_lettered", "redelivers it no more:";
    /// The last run of a tumbling window is due.
    WindowEnded = "window_ended", "closes";
    /// An execution of a state machine began.
    ExecutionStarted = "execution_started", "begins";
    /// A state was entered.
    StateEntered = "state_entered", "enters";
    /// A state is tried again.
    StateRetried = "state_retried", "tries again:";
    /// An item of a distributed map began.
    ItemStarted = "item_started", "begins";
    /// A state transition waits for the limit.
    TransitionDelayed = "transition_delayed", "waits";
    /// A task asked for a run of its function.
    TaskSubmitted = "task_submitted", "invokes";
    /// A task has the result of its function.
    TaskSucceeded = "task_succeeded", "is done with";
    /// A task was stopped with its branch or execution.
    TaskStopped = "task_stopped", "stops";
    /// A state failed.
    StateFailed = "state_failed", "fails in";
    /// A catcher took the error.
    Caught = "caught", "catches the error:";
    /// An execution ended.
    ExecutionEnded = "execution_ended", "ends with";
}
