//! Delivery streams of Data Firehose that transform records with a function (INV-4.4).
//!
//! ```text
//! records -> buffer: full, or its interval over -> waits for one of the parallel invocations -> attempt
//!   attempt -> transformed
//!   attempt -> throttled, failure of the service, time-out -> pause -> attempt ..
//!                                      no attempts are left -> error prefix `processing-failed`
//! ```
//! A record's call ends with the fate of its buffer.

use std::collections::VecDeque;

use super::client::AttemptEnd;
use super::config::{self, Passage, System, Target};
use super::environment::Waiter;
use super::event::{Class, Context, Event, ServiceEvent};
use super::fact::{Answer, Fact, FrontFact, Observer, Origin, Outcome};
use super::frontend::Frontend;
use super::ids::{BufferId, CallerId, EnvironmentId, FunctionId, Slots, Sparse};
use super::request::{BatchRequest, Invoked, Recorded, Reply};
use crate::kernel::time::SimTime;

/// All delivery streams: one for each caller that goes through Firehose.
#[derive(Debug)]
pub(crate) struct Firehoses {
    streams: Sparse<CallerId, Stream>,
    buffers: Slots<BufferId, Buffer>,
    /// Records that have no fate yet.
    open: usize,
    /// Which records the function reports; of no meaning here.
    failed: Vec<bool>,
}

/// One delivery stream.
#[derive(Debug)]
struct Stream {
    config: config::Firehose,
    function: FunctionId,
    order: u32,
    collecting: Vec<Collected>,
    bytes: u64,
    /// When its first record came.
    since: SimTime,
    /// Closed buffers that wait for their turn.
    waiting: VecDeque<BufferId>,
    /// Buffers that have it.
    in_work: u32,
    /// Emptied buffers.
    spare: Vec<Vec<Collected>>,
}

/// A record.
#[derive(Clone, Copy, Debug)]
struct Collected {
    origin: Origin,
    runs: u32,
}

impl Recorded for Collected {
    fn origin(&self) -> Origin {
        self.origin
    }

    fn runs(&self) -> u32 {
        self.runs
    }
}

/// A closed buffer.
#[derive(Debug)]
struct Buffer {
    caller: CallerId,
    records: Vec<Collected>,
    attempts: u32,
    runs: u32,
    /// The run that it waits for, and when it gives up.
    running: Option<(EnvironmentId, SimTime)>,
}

impl Firehoses {
    /// All of them, empty.
    pub(crate) fn new(system: &System) -> Self {
        let stream = |caller: &config::Caller| match (&caller.via.passage, caller.target) {
            (Passage::Firehose(config), Target::Function(function)) => Some(Stream {
                config: *config,
                function,
                order: caller.order,
                collecting: Vec::new(),
                bytes: 0,
                since: SimTime::ZERO,
                waiting: VecDeque::new(),
                in_work: 0,
                spare: Vec::new(),
            }),
            _ => None,
        };
        Self {
            streams: system.callers.rows().iter().map(stream).collect(),
            buffers: Slots::default(),
            open: 0,
            failed: Vec::new(),
        }
    }

    /// Records that have no fate yet.
    #[inline]
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// A record comes into the buffer.
    pub(crate) fn put<O: Observer>(
        &mut self,
        origin: Origin,
        bytes: u64,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        self.open += 1;
        let stream = &mut self.streams[origin.caller];
        if stream.collecting.is_empty() {
            stream.since = context.now;
            let due = context.now.plus(stream.config.buffer_interval);
            let event = Event::Service(ServiceEvent::BufferIntervalOver(origin.caller));
            context.schedule(due, Class::Timer, stream.order, event);
        }
        stream.collecting.push(Collected { origin, runs: 0 });
        stream.bytes += bytes;
        if stream.bytes >= stream.config.buffer_size {
            self.close(origin.caller, true, frontend, context);
        }
    }

    /// The interval of a buffer is over, if it was not closed before.
    pub(crate) fn on_interval_over<O: Observer>(
        &mut self,
        caller: CallerId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let stream = &self.streams[caller];
        if !stream.collecting.is_empty() && stream.since.plus(stream.config.buffer_interval) == context.now {
            self.close(caller, false, frontend, context);
        }
    }

    fn close<O: Observer>(
        &mut self,
        caller: CallerId,
        full: bool,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let stream = &mut self.streams[caller];
        let records = std::mem::replace(&mut stream.collecting, stream.spare.pop().unwrap_or_default());
        let bytes = std::mem::take(&mut stream.bytes);
        context.state(&Fact::Front(FrontFact::BufferClosed {
            caller,
            origin: records[0].origin,
            records: count(&records),
            bytes,
            full,
        }));
        let buffer = Buffer { caller, records, attempts: 0, runs: 0, running: None };
        stream.waiting.push_back(self.buffers.insert(buffer));
        self.begin_waiting(caller, frontend, context);
    }

    /// Closed buffers have their turn, as many at once as the stream allows.
    fn begin_waiting<O: Observer>(&mut self, caller: CallerId, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        loop {
            let stream = &mut self.streams[caller];
            if stream.in_work >= stream.config.parallel {
                return;
            }
            let Some(id) = stream.waiting.pop_front() else { return };
            stream.in_work += 1;
            self.attempt(id, frontend, context);
        }
    }

    /// The pause after a failed attempt is over.
    pub(crate) fn on_pause_over<O: Observer>(
        &mut self,
        id: BufferId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        self.attempt(id, frontend, context);
        self.begin_waiting(self.buffers[id].caller, frontend, context);
    }

    fn attempt<O: Observer>(&mut self, id: BufferId, frontend: &mut Frontend, context: &mut Context<'_, O>) {
        let buffer = &mut self.buffers[id];
        buffer.attempts += 1;
        let stream = &self.streams[buffer.caller];
        for record in &buffer.records {
            context.state(&Fact::AttemptSent { origin: record.origin, attempt: buffer.attempts });
        }
        let request = BatchRequest {
            function: stream.function,
            origin: buffer.records[0].origin,
            run: buffer.runs + 1,
            records: &buffer.records,
            waiter: Waiter::Buffer(id),
            attempt: buffer.attempts,
            reports_failures: false,
            in_order: false,
        };
        match frontend.invoke_batch(&request, &mut self.failed, &mut false, context) {
            Invoked::Refused(reply) => self.ended(id, AttemptEnd::Answered(reply.answer), reply.status, context),
            Invoked::Started { environment, reply_at } => {
                buffer.runs += 1;
                buffer.records.iter_mut().for_each(|record| record.runs += 1);
                let gives_up = context.now.plus(stream.config.timeout);
                buffer.running = Some((environment, gives_up));
                if reply_at > gives_up {
                    let event = Event::Service(ServiceEvent::BufferTimedOut(id));
                    context.schedule(gives_up, Class::Timer, stream.order, event);
                }
            }
        }
    }

    /// The function answered.
    pub(crate) fn on_answered<O: Observer>(
        &mut self,
        id: BufferId,
        reply: Reply,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let caller = self.buffers[id].caller;
        self.ended(id, AttemptEnd::Answered(reply.answer), reply.status, context);
        self.begin_waiting(caller, frontend, context);
    }

    /// The function took too long; it runs on.
    pub(crate) fn on_timed_out<O: Observer>(
        &mut self,
        id: BufferId,
        frontend: &mut Frontend,
        context: &mut Context<'_, O>,
    ) {
        let Buffer { caller, running, .. } = self.buffers[id];
        let Some((environment, _)) = running.filter(|(_, gives_up)| *gives_up == context.now) else { return };
        frontend.abandon(environment, context.now);
        self.ended(id, AttemptEnd::TimedOut, 0, context);
        self.begin_waiting(caller, frontend, context);
    }

    /// What follows from the end of an attempt.
    fn ended<O: Observer>(&mut self, id: BufferId, end: AttemptEnd, status: u16, context: &mut Context<'_, O>) {
        let buffer = &mut self.buffers[id];
        buffer.running = None;
        let attempt = buffer.attempts;
        for record in &buffer.records {
            let origin = record.origin;
            context.state(&match end {
                AttemptEnd::Answered(answer) => Fact::AttemptAnswered { origin, attempt, answer, status },
                AttemptEnd::TimedOut => Fact::AttemptTimedOut { origin, attempt },
            });
        }
        let stream = &self.streams[buffer.caller];
        if is_tried_again(&stream.config, end) && attempt < stream.config.attempts {
            let due = context.now.plus(stream.config.pause);
            for record in &buffer.records {
                context.state(&Fact::RetryScheduled { origin: record.origin, attempt: attempt + 1, due });
            }
            let event = Event::Service(ServiceEvent::BufferPauseOver(id));
            return context.schedule(due, Class::Arrival, stream.order, event);
        }
        self.finish(id, end.outcome(), context);
    }

    /// All records of a buffer have their fate.
    fn finish<O: Observer>(&mut self, id: BufferId, outcome: Outcome, context: &mut Context<'_, O>) {
        let buffer = &mut self.buffers[id];
        let Buffer { caller, attempts, runs, .. } = *buffer;
        let mut records = std::mem::take(&mut buffer.records);
        if outcome != Outcome::Success {
            let (origin, records) = (records[0].origin, count(&records));
            context.state(&Fact::Front(FrontFact::ProcessingFailed { caller, origin, records, attempts }));
        }
        self.open -= records.len();
        for Collected { origin, .. } in records.drain(..) {
            context.state(&Fact::CallFinished { origin, outcome, attempts, runs });
        }
        self.buffers.discard(id);
        let stream = &mut self.streams[caller];
        stream.in_work -= 1;
        stream.spare.push(records);
    }
}

/// INV-4.4: throttles and time-outs are tried again; an error of the function only if asked for (INV-D30).
fn is_tried_again(config: &config::Firehose, end: AttemptEnd) -> bool {
    match end {
        AttemptEnd::TimedOut | AttemptEnd::Answered(Answer::Throttled | Answer::ServiceError) => true,
        AttemptEnd::Answered(Answer::FunctionError) => config.retry_function_errors,
        AttemptEnd::Answered(Answer::Success | Answer::Accepted | Answer::Rejected) => false,
    }
}

fn count(records: &[Collected]) -> u32 {
    u32::try_from(records.len()).unwrap_or(u32::MAX)
}
