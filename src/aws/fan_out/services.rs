//! Places among the other services: when they pass on what they received.

use super::{Around, Arriving, Chain};
use crate::aws::config::Target;
use crate::aws::event::Context;
use crate::aws::fact::{Observer, Origin};
use crate::aws::ids::RelayId;
use crate::aws::request::Reply;
use crate::aws::services::Services;
use crate::kernel::rng::StreamKey;

impl Services {
    /// Places pass on what they received.
    #[inline(never)]
    pub(in crate::aws) fn pass_on<O: Observer>(&mut self, context: &mut Context<'_, O>) {
        while let Some(relay) = self.fan_out.next() {
            self.relay(relay, context);
        }
    }

    /// The next attempt of a delivery of a place.
    pub(in crate::aws) fn relay<O: Observer>(&mut self, relay: RelayId, context: &mut Context<'_, O>) {
        let Self { fan_out, frontend, queue, sqs, streams, readers, state_machines, .. } = self;
        let mut around = Around { frontend, queue, sqs, streams, readers, state_machines };
        fan_out.deliver(relay, &mut around, context);
    }

    /// A caller sends something to a topic, an event bus or a bucket; the answer of the service.
    pub(crate) fn publish<O: Observer>(
        &mut self,
        to: Target,
        (origin, bytes): (Origin, u64),
        (key, attempt): (StreamKey, u32),
        context: &mut Context<'_, O>,
    ) -> Reply {
        let arriving = Arriving { origin, parent: None, bytes, chain: Chain::NEW };
        self.fan_out.send(to, arriving, (key, attempt), context)
    }

    /// Names of topics, event buses and buckets, and how many of their deliveries wait.
    pub(crate) fn passing_on(&self) -> impl Iterator<Item = (&str, u64)> {
        self.fan_out.busy()
    }
}
