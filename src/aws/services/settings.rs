//! Settings that change while it runs: who is told of them.

use super::Services;
use crate::aws::config::{self, ChangeAction, Source};
use crate::aws::event::{self, Context, Event};
use crate::aws::fact::Observer;
use crate::aws::ids::{FunctionId, QueueId};
use crate::kernel::time::{SimDuration, SimTime};

impl Services {
    /// Whether a change, once it is made, lets something go on that rests in a queue, a stream or at a broker.
    pub(crate) fn resumes(&self, action: &ChangeAction) -> bool {
        match action {
            ChangeAction::Mapping(id, mapping) if mapping.enabled => match mapping.source {
                Source::Queue(queue) => self.sqs.rests(queue),
                Source::Stream(_) | Source::Broker(_) => self.readers.rests(*id, &self.streams),
            },
            ChangeAction::Redrive { queue, .. } => self.sqs.rests(*queue),
            ChangeAction::Mapping(..)
            | ChangeAction::Account(_)
            | ChangeAction::Function(..)
            | ChangeAction::Deploy(_)
            | ChangeAction::Queue(..)
            | ChangeAction::Stream(..)
            | ChangeAction::StateMachine(..)
            | ChangeAction::Dependency(..)
            | ChangeAction::Client(..) => false,
        }
    }

    /// A settings change of the service, by its place among the changes.
    #[inline(never)]
    pub(crate) fn change<O: Observer>(&mut self, index: u32, action: &ChangeAction, context: &mut Context<'_, O>) {
        match action {
            ChangeAction::Account(account) => {
                self.frontend.change_account(account, context);
                self.propagation = account.configuration_propagation;
            }
            ChangeAction::Function(id, function) => {
                self.frontend.change_function(*id, function, context);
                self.queue.set_recursive_loop(*id, function.recursive_loop);
                self.calls.reconfigure(*id, function);
                if self.propagation.is_zero() {
                    self.propagate(*id, function, (context.now, index), context);
                } else {
                    propagate_later(index, self.propagation, context);
                }
            }
            ChangeAction::Deploy(id) => self.frontend.deploy(*id, context),
            ChangeAction::Queue(id, queue) => {
                // ESM-S28.
                let late = self.sqs.config(*id).attribute_propagation;
                if late.is_zero() {
                    self.sqs.reconfigure(*id, queue, context);
                } else {
                    propagate_later(index, late, context);
                }
            }
            ChangeAction::Mapping(id, mapping) if !matches!(mapping.source, Source::Queue(_)) => {
                let (readers, mut around) = self.readers();
                readers.reconfigure(*id, mapping, &mut around, context);
            }
            ChangeAction::Mapping(id, mapping) => {
                let (mappings, mut around) = self.mappings();
                mappings.reconfigure(*id, mapping, &mut around, context);
            }
            ChangeAction::Stream(id, stream) => {
                if self.streams.reconfigure(*id, stream, context) {
                    let (readers, mut around) = self.readers();
                    readers.on_resharded(*id, &mut around, context);
                }
            }
            ChangeAction::StateMachine(id, machine) => self.state_machines.reconfigure(*id, machine, context.now),
            ChangeAction::Redrive { queue, to, rate } => self.sqs.start_redrive(*queue, *to, *rate, context),
            ChangeAction::Dependency(id, dependency) => self.dependencies.reconfigure(*id, dependency, context),
            ChangeAction::Client(..) => unreachable!("the client is not the services'"),
        }
    }

    /// INV-E22: changed settings of asynchronous invocation take effect, unless those of a later change did before.
    pub(crate) fn propagate<O: Observer>(
        &mut self,
        id: FunctionId,
        function: &config::Function,
        change: (SimTime, u32),
        context: &mut Context<'_, O>,
    ) {
        self.queue.reconfigure(id, &function.asynchronous, change, &mut self.frontend, context);
        self.report_ends(context);
    }

    /// ESM-S28: changed settings of a queue take effect.
    pub(crate) fn propagate_queue<O: Observer>(
        &mut self,
        id: QueueId,
        queue: &config::Queue,
        context: &mut Context<'_, O>,
    ) {
        self.sqs.reconfigure(id, queue, context);
    }
}

/// The settings of a change take effect `late`.
fn propagate_later<O: Observer>(index: u32, late: SimDuration, context: &mut Context<'_, O>) {
    context.schedule(context.now.plus(late), event::Class::Change, 0, Event::Propagated(index));
}
