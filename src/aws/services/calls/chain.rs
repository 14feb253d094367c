//! The calls of one run: step by step, until the run ends.

use super::{Branch, Chain, ChainId, Outgoing, OutgoingId, OutgoingState};
use crate::aws::client::Attempts;
use crate::aws::config::Call;
use crate::aws::environment::Waiter;
use crate::aws::event::{Class, Context, Event, ServiceEvent};
use crate::aws::fact::{Fact, Observer, Origin, Outcome, OutgoingFact, RunOutcome};
use crate::aws::frontend::Calling;
use crate::aws::ids::LineageId;
use crate::aws::lineage::Lineages;
use crate::aws::request::Answered;
use crate::aws::services::Services;
use crate::kernel::rng::StreamKey;
use crate::kernel::time::SimTime;

impl Services {
    /// The handler of a run is done, and the run makes its calls.
    #[inline(never)]
    pub(in crate::aws) fn begin_calls<O: Observer>(&mut self, calling: Calling, context: &mut Context<'_, O>) {
        let Calling { environment, function, origin, run, waiter, order, to_make } = calling;
        let lineage = self.lineage_of(waiter, Lineages::first(function));
        let chain = Chain {
            environment,
            function,
            origin,
            run,
            lineage,
            to_make,
            steps: self.calls.clients.steps(function, to_make.version),
            step: 0,
            branches: Vec::new(),
            open: Vec::new(),
            order,
            is_open: true,
        };
        let id = self.calls.chains.insert(chain);
        context.schedule(to_make.deadline, Class::Timer, order, Event::Service(ServiceEvent::CallsTimedOut(id)));
        self.begin_step(id, context);
    }

    /// The chain of requests that a run belongs to.
    fn lineage_of(&self, waiter: Waiter, first: LineageId) -> LineageId {
        match waiter {
            Waiter::Event(event) => self.queue.lineage(event),
            Waiter::Outgoing(call) => self.calls.outgoing_lineage(call),
            Waiter::Nobody
            | Waiter::FirstAttempt
            | Waiter::Call(_)
            | Waiter::Batch(_)
            | Waiter::Worker(_)
            | Waiter::Buffer(_)
            | Waiter::Thread(_) => first,
        }
    }

    /// The calls of the next step that has any; the run ends where there is none.
    fn begin_step<O: Observer>(&mut self, id: ChainId, context: &mut Context<'_, O>) {
        let chain = &mut self.calls.chains[id];
        let Some(step) = chain.steps.get(chain.step) else {
            return self.end_run(id, RunOutcome::Success, context);
        };
        chain.branches.clear();
        chain.branches.resize(step.calls.len(), Branch::default());
        for branch in 0..chain.branches.len() {
            self.make_calls(id, branch, context);
        }
    }

    /// A call of the step is made, as often at once as it may be.
    fn make_calls<O: Observer>(&mut self, id: ChainId, branch: usize, context: &mut Context<'_, O>) {
        loop {
            let chain = &mut self.calls.chains[id];
            let step = chain.step;
            let Call { times, parallel, to, .. } = chain.steps[step].calls[branch];
            let state = &mut chain.branches[branch];
            if state.made >= times || state.under_way >= parallel {
                return;
            }
            let call = chain.origin.called(step, branch, state.made);
            state.made += 1;
            state.under_way += 1;
            let (function, origin, run, lineage) = (chain.function, chain.origin, chain.run, chain.lineage);
            self.calls.made += 1;
            context.state(&Fact::Outgoing(OutgoingFact::Submitted { function, origin, run, call, to }));
            let outgoing = Outgoing {
                chain: id,
                number: self.calls.made,
                branch,
                call,
                submitted: context.now,
                attempts: Attempts::default(),
                lineage,
                runs: 0,
                state: OutgoingState::Deciding,
                due: SimTime::MAX,
            };
            let outgoing = self.calls.under_way.insert(outgoing);
            self.calls.chains[id].open.push(outgoing);
            self.try_attempt(outgoing, context);
        }
    }

    /// A call is over.
    pub(super) fn call_over<O: Observer>(&mut self, id: OutgoingId, outcome: Outcome, context: &mut Context<'_, O>) {
        let Outgoing { chain: of, branch, .. } = self.calls.under_way[id];
        let chain = &mut self.calls.chains[of];
        let succeeded = matches!(outcome, Outcome::Success | Outcome::Accepted);
        let fails_run = !succeeded && chain.steps[chain.step].calls[branch].fails_run;
        chain.open.retain(|open| *open != id);
        chain.branches[branch].under_way -= 1;
        self.finished(id, Some(outcome), fails_run, context);
        if fails_run {
            return self.end_run(of, RunOutcome::Error, context);
        }
        self.make_calls(of, branch, context);
        let chain = &mut self.calls.chains[of];
        if chain.open.is_empty() {
            chain.step += 1;
            self.begin_step(of, context);
        }
    }

    /// The record of a call is free.
    fn finished<O: Observer>(
        &mut self,
        id: OutgoingId,
        outcome: Option<Outcome>,
        fails_run: bool,
        context: &mut Context<'_, O>,
    ) {
        let Outgoing { chain, call, submitted, attempts, .. } = self.calls.under_way[id];
        let function = self.calls.chains[chain].function;
        let attempts = attempts.sent;
        context.state(&Fact::Outgoing(OutgoingFact::Finished {
            function,
            call,
            outcome,
            attempts,
            fails_run,
            submitted,
        }));
        let outgoing = &mut self.calls.under_way[id];
        (outgoing.state, outgoing.due) = (OutgoingState::Finished, SimTime::MAX);
        self.calls.under_way.discard(id);
    }

    /// The function's time-out ends a run that waits for its calls.
    pub(in crate::aws) fn on_calls_timed_out<O: Observer>(&mut self, id: ChainId, context: &mut Context<'_, O>) {
        let chain = &self.calls.chains[id];
        if chain.is_open && chain.to_make.deadline == context.now {
            self.end_run(id, RunOutcome::Timeout, context);
        }
    }

    /// The run ends; calls that are under way are abandoned.
    fn end_run<O: Observer>(&mut self, id: ChainId, outcome: RunOutcome, context: &mut Context<'_, O>) {
        let chain = &mut self.calls.chains[id];
        chain.is_open = false;
        let (environment, to_make, mut open) = (chain.environment, chain.to_make, std::mem::take(&mut chain.open));
        for call in open.drain(..) {
            self.abandon_attempt(call, false, context);
            self.calls.drop_attempt(call);
            self.finished(call, None, false, context);
        }
        self.calls.chains.discard(id);
        let answered = self.frontend.end_calls(environment, outcome, to_make, context);
        self.pass_answer(answered, context);
    }

    /// The answer of a run that made calls goes to who waits for it.
    fn pass_answer<O: Observer>(&mut self, answered: Option<Answered>, context: &mut Context<'_, O>) {
        if let Some(answered) = answered.and_then(|answered| self.for_client(answered, context)) {
            self.replies.push_back(answered);
        }
    }
}

impl Origin {
    /// The call that an event's run makes in a step: the same in every run of the event.
    fn called(self, step: usize, branch: usize, number: u32) -> Self {
        const CALLED: u64 = 0xca11;
        let key = StreamKey::from_word(u64::from(self.branch)).child(CALLED).child(step as u64).child(branch as u64);
        Self { branch: key.half_word(u64::from(number)).max(1), ..self }
    }
}
