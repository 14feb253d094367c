//! One caller: when it submits, and its draws. Passive.

use std::collections::VecDeque;
use std::sync::Arc;

use super::call::{Call, CallState, Calls};
use super::client::Client;
use super::config::{self, Invocation, Load, Target};
use super::event::{Class, Context, Event};
use super::fact::{Answer, Observer, Origin};
use super::front_door::Door;
use super::ids::{CallId, CallerId, FunctionId, QueueId};
use super::keys::Keys;
use super::limits;
use super::put_calls::PutCalls;
use super::request::Reply;
use super::sqs::{Message, Together};
use super::streams::NewRecord;
use crate::kernel::arrival::Arrivals;
use crate::kernel::dist::Distribution;
use crate::kernel::rng::{RandomStreams, StreamKey};
use crate::kernel::time::{SimDuration, SimTime};

/// A caller while it runs.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) order: u32,
    pub(crate) target: Target,
    pub(crate) client: Client,
    pub(crate) invocation: Invocation,
    pub(crate) passage: Passage,
    pub(crate) first_attempt: FirstAttempt,
    /// How long the answer to that is waited for.
    pub(crate) patience: SimDuration,
    /// Submissions so far.
    submitted: u64,
    max_events: u64,
    source: Source,
    payload_bytes: Distribution,
    /// Messages of one call of a queue, each a submission of its own; 1 for other targets.
    pub(crate) messages_per_call: u32,
    messages: Box<Messages>,
    put_calls: Option<Box<PutCalls>>,
    durations: Option<Arc<[SimDuration]>>,
    key: StreamKey,
    /// Calls that wait for the adaptive limiter, in order; those that gave up meanwhile are passed over.
    limited: VecDeque<(CallId, u64)>,
    /// When the limiter is asked next.
    pub(crate) limiter_due: Option<SimTime>,
}

/// What stands between a caller and its function.
#[derive(Debug)]
pub(crate) enum Passage {
    /// Nothing.
    Direct,
    /// A service that answers with statuses of its own.
    Door(Box<Door>),
    /// A service that delivers events; the caller's client is that service.
    Event(Box<config::EventService>),
    /// Firehose.
    Firehose,
}

/// What only messages have.
#[derive(Debug)]
struct Messages {
    delay: Option<Distribution>,
    groups: Keys,
    deduplication: Keys,
}

/// What an open loop does first with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstAttempt {
    /// It invokes the function, always and at once.
    Invokes(FunctionId),
    /// It sends an event, always and at once.
    SendsEvent(FunctionId),
    /// It sends a message, always and at once.
    SendsMessage(QueueId),
    /// It puts a record into a stream or a broker's queue, always and at once.
    PutsRecord(Target),
    /// It puts a record into a buffer of Firehose.
    Buffers,
    /// Something may hold it back.
    MayWait,
}

#[derive(Debug)]
enum Source {
    Open(Box<Arrivals>),
    Closed { think: Distribution, key: StreamKey },
}

/// Purposes of a caller's own draws.
const PAYLOAD: u64 = 0;
const BACKOFF: u64 = 1;
const THINK: u64 = 2;
const DELAY: u64 = 3;
const FAULT: u64 = 4;
const GROUP: u64 = 5;
const DEDUPLICATION: u64 = 6;
const EVENT_DELAY: u64 = 7;

impl Caller {
    /// The caller at the start.
    pub(crate) fn new(config: &config::Caller, streams: &RandomStreams) -> Self {
        let key = streams.key(&["caller", &config.name]);
        let source = match &config.load {
            Load::Open(process) => {
                let stream = streams.stream(&["caller", &config.name, "arrivals"]);
                Source::Open(Box::new(Arrivals::new(process.clone(), stream)))
            }
            Load::Closed { think, .. } => Source::Closed { think: think.clone(), key: key.child(THINK) },
        };
        let mut caller = Self {
            name: config.name.clone(),
            order: config.order,
            target: config.target,
            client: Client::new(&config.client),
            invocation: config.invocation,
            passage: match &config.via.passage {
                config::Passage::Direct => Passage::Direct,
                config::Passage::Door(door) => Passage::Door(Box::new(Door::new(door))),
                config::Passage::Event(service) => Passage::Event(Box::new(service.clone())),
                config::Passage::Firehose(_) => Passage::Firehose,
            },
            first_attempt: FirstAttempt::MayWait,
            patience: SimDuration::MAX,
            submitted: 0,
            max_events: config.max_events.unwrap_or(u64::MAX),
            source,
            payload_bytes: config.payload_bytes.clone(),
            messages_per_call: config.messages_per_call.max(1),
            messages: Box::new(Messages {
                delay: config.delay.clone(),
                groups: match config.target {
                    Target::Stream(_) => Keys::of_records(&config.keys, key.child(GROUP)),
                    Target::Queue(_)
                    | Target::Topic(_)
                    | Target::EventBus(_)
                    | Target::Bucket(_)
                    | Target::Function(_)
                    | Target::Broker(_)
                    | Target::StateMachine(_) => Keys::new(&config.keys, key.child(GROUP)),
                },
                deduplication: Keys::of_deduplication(&config.deduplication, key.child(DEDUPLICATION)),
            }),
            put_calls: PutCalls::of(config),
            durations: config.durations.clone(),
            key,
            limited: VecDeque::new(),
            limiter_due: None,
        };
        caller.refresh();
        caller
    }

    /// Other settings of the client.
    pub(crate) fn reconfigure(&mut self, config: &config::Client) {
        self.client.reconfigure(config);
        self.refresh();
    }

    fn refresh(&mut self) {
        self.patience = self.client.patience();
        let fits = self.payload_bytes.max().is_some_and(|bytes| bytes <= self.payload_limit());
        let passes = match &self.passage {
            Passage::Direct => true,
            Passage::Event(service) => service.delay.is_none() && service.callback_timeout.is_none(),
            Passage::Door(_) | Passage::Firehose => false,
        };
        let at_once = fits && passes && self.client.is_unprotected() && self.limited.is_empty();
        self.first_attempt = match (self.target, self.invocation) {
            _ if matches!(self.passage, Passage::Firehose) && fits => FirstAttempt::Buffers,
            _ if !at_once => FirstAttempt::MayWait,
            (Target::Function(id), Invocation::Sync) => FirstAttempt::Invokes(id),
            (Target::Function(id), Invocation::Async) => FirstAttempt::SendsEvent(id),
            (Target::Queue(id), _) => FirstAttempt::SendsMessage(id),
            (to @ (Target::Stream(_) | Target::Broker(_)), _) => FirstAttempt::PutsRecord(to),
            (Target::Topic(_) | Target::EventBus(_) | Target::Bucket(_) | Target::StateMachine(_), _) => {
                FirstAttempt::MayWait
            }
        };
    }

    /// INV-Y2, Q2: the largest request, bytes.
    pub(crate) fn payload_limit(&self) -> u64 {
        let lambda = self.payload_limit_of_target();
        match &self.passage {
            Passage::Door(door) => lambda.min(door.request_bytes()),
            Passage::Firehose => limits::FIREHOSE_RECORD_BYTES,
            Passage::Direct | Passage::Event(_) => lambda,
        }
    }

    /// The answer to a request that is too large.
    pub(crate) fn too_large(&self) -> Reply {
        match &self.passage {
            Passage::Door(door) => door.too_large(),
            Passage::Direct | Passage::Event(_) | Passage::Firehose => Reply { answer: Answer::Rejected, status: 413 },
        }
    }

    /// The service's wait before the first attempt of an event.
    pub(crate) fn event_delay(&self, submission: u64) -> Option<SimDuration> {
        let Passage::Event(service) = &self.passage else { return None };
        let delay = service.delay.as_ref()?;
        let word = || self.key.child(EVENT_DELAY).word(submission - 1);
        Some(SimDuration::from_nanos(delay.is_constant().unwrap_or_else(|| delay.sample(word()))))
    }

    /// INV-6: when the age of what is delivered begins: when a service first tries, after its own wait.
    pub(crate) fn age_counts_from(&self, origin: &Origin) -> SimTime {
        self.event_delay(origin.submission).map_or(origin.submitted, |delay| origin.submitted.plus(delay))
    }

    fn payload_limit_of_target(&self) -> u64 {
        match (self.target, self.invocation) {
            (Target::Function(_), Invocation::Sync) => limits::SYNCHRONOUS_PAYLOAD_BYTES,
            (Target::Function(_), Invocation::Async) => limits::ASYNCHRONOUS_PAYLOAD_BYTES,
            // The target's own service says what it takes.
            (
                Target::Queue(_)
                | Target::Topic(_)
                | Target::EventBus(_)
                | Target::Bucket(_)
                | Target::Stream(_)
                | Target::Broker(_)
                | Target::StateMachine(_),
                _,
            ) => u64::MAX,
        }
    }

    /// When an open loop submits next, if it does.
    #[inline]
    pub(crate) fn next_arrival(&mut self) -> Option<SimTime> {
        match &mut self.source {
            Source::Open(arrivals) if self.submitted < self.max_events => arrivals.next(),
            Source::Open(_) | Source::Closed { .. } => None,
        }
    }

    /// The pause of a user before its `cycle`-th call.
    pub(crate) fn think(&self, user: u32, cycle: u64) -> SimDuration {
        let Source::Closed { think, key } = &self.source else { unreachable!("an open loop has no users") };
        let think = think.is_constant().unwrap_or_else(|| think.sample(key.child(u64::from(user)).word(cycle)));
        SimDuration::from_nanos(think)
    }

    /// Numbers the next submission, 1 = first; `None` when the caller has stopped.
    #[inline]
    pub(crate) fn submit(&mut self) -> Option<u64> {
        if self.submitted >= self.max_events {
            return None;
        }
        self.submitted += 1;
        Some(self.submitted)
    }

    /// Size of a submission's request, bytes.
    #[inline]
    pub(crate) fn payload(&self, submission: u64) -> u64 {
        match self.payload_bytes.is_constant() {
            Some(bytes) => bytes,
            None => self.payload_bytes.sample(self.key.child(PAYLOAD).word(submission - 1)),
        }
    }

    /// A submission as a message.
    #[inline]
    pub(crate) fn message(&self, origin: Origin) -> Message {
        let delay = self.messages.delay.as_ref().map(|delay| {
            let delay = match delay.is_constant() {
                Some(delay) => delay,
                None => delay.sample(self.key.child(DELAY).word(origin.submission - 1)),
            };
            SimDuration::from_nanos(delay)
        });
        let bytes = self.payload(origin.submission);
        let call = match self.messages_per_call {
            1 => Together { messages: 1, bytes },
            messages => self.together(origin.submission, messages),
        };
        Message {
            origin,
            bytes,
            delay,
            group: self.messages.groups.hash(origin.submission),
            deduplication: self.messages.deduplication.hash(origin.submission),
            call,
        }
    }

    /// A submission as a record of a stream, or as a message of a broker.
    #[inline]
    pub(crate) fn record(&mut self, origin: Origin) -> NewRecord {
        let key = self.messages.groups.of_record(origin.submission);
        let bytes = self.payload(origin.submission);
        let call_bytes = if self.put_calls.is_some() { self.put_together(origin.submission) } else { bytes };
        NewRecord { origin, key, bytes, call_bytes }
    }

    /// What the call puts that a record is put with, keys counted.
    #[cold]
    fn put_together(&mut self, submission: u64) -> u64 {
        let mut calls = self.put_calls.take().expect("calls that may be large");
        let of_record = |record| self.payload(record).saturating_add(self.messages.groups.of_record(record).bytes());
        let bytes = calls.bytes(submission, self.max_events, of_record);
        self.put_calls = Some(calls);
        bytes
    }

    /// What the call sends that a message is sent with.
    #[cold]
    fn together(&self, submission: u64, messages: u32) -> Together {
        let first = (submission - 1) / u64::from(messages) * u64::from(messages) + 1;
        let last = (first + u64::from(messages) - 1).min(self.max_events);
        let bytes = (first..=last).fold(0, |sum: u64, submission| sum.saturating_add(self.payload(submission)));
        Together { messages, bytes }
    }

    /// Key of the faults that strike what it sends.
    #[inline]
    pub(crate) fn fault_key(&self) -> StreamKey {
        self.key.child(FAULT)
    }

    /// Key of the waits between attempts.
    #[inline]
    pub(crate) fn backoff_key(&self) -> StreamKey {
        self.key.child(BACKOFF)
    }

    /// The adaptive limiter is asked again after `wait`.
    pub(crate) fn ask_limiter<O: Observer>(&mut self, id: CallerId, wait: SimDuration, context: &mut Context<'_, O>) {
        let at = context.now.plus(wait);
        self.limiter_due = Some(at);
        context.schedule(at, Class::Arrival, self.order, Event::LimiterDue(id));
    }

    /// Whether calls wait for the adaptive limiter.
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        !self.limited.is_empty()
    }

    /// A call waits for the adaptive limiter.
    pub(crate) fn wait_for_limiter(&mut self, id: CallId, call: &Call) {
        self.limited.push_back((id, call.origin.submission));
    }

    /// The call that has waited longest for the limiter.
    pub(crate) fn first_limited(&mut self, calls: &Calls) -> Option<CallId> {
        while let Some(&(id, submission)) = self.limited.front() {
            let call = &calls[id];
            if call.state == CallState::Limited && call.origin.submission == submission {
                return Some(id);
            }
            self.limited.pop_front();
        }
        None
    }

    /// The call that waited longest goes on.
    pub(crate) fn pop_limited(&mut self) {
        self.limited.pop_front();
    }

    /// The handler's time that a trace gives for a submission.
    #[inline]
    pub(crate) fn duration(&self, submission: u64) -> Option<SimDuration> {
        let durations = self.durations.as_ref()?;
        usize::try_from(submission - 1).ok().and_then(|index| durations.get(index)).copied()
    }
}
