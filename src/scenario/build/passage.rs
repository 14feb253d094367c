//! Whether a caller's keys go together with the service through which it calls.

use std::collections::BTreeMap;

use super::Builder;
use super::checks::{Blocks, is_fifo, most_provisioned};
use super::names::Resource;
use super::via::{DEAD_LETTER_KEYS, via_block, via_key};
use crate::aws::ids::Id;
use crate::aws::limits;
use crate::scenario::error::Place;
use crate::scenario::keys::ASYNCHRONOUS;
use crate::scenario::resolve::{Named, Resolved};
use crate::scenario::tree::Node;

/// The services that are the clients of Lambda themselves, beside those that deliver events.
const CLIENTS: [&str; 5] = ["cognito", "lex", "alexa", "step_functions", "firehose"];

impl Builder<'_> {
    /// Whether `via` fits the target, the invocation and the client of a caller.
    pub(super) fn passage_combinations(&mut self, block: &Resolved, blocks: &Blocks) {
        let via = block.field("via");
        let Some(key) = via_key(via).filter(|key| *key != "sdk") else { return };
        let target = block.field("target");
        if self.names.named(target).is_some_and(|resource| !matches!(resource, Resource::Function(_))) {
            return self.contradiction(via, format!("`{key}` calls functions"), |problem| {
                problem.with_expected("a function as the `target`").with_related(target.place, "the target")
            });
        }
        self.invocation_fits(key, block);
        if ASYNCHRONOUS.contains(&key) || CLIENTS.contains(&key) {
            self.has_no_client(key, block);
        }
        match key {
            "firehose" => self.record_fits(block),
            "cloudfront" => {
                if let Some(Resource::Function(id)) = self.names.named(target) {
                    self.edge_function_fits(&blocks.functions[id.index()], via.place);
                }
            }
            "sns" => self.phase_grows(via),
            _ => {}
        }
        self.takes_failures(via, blocks);
    }

    fn invocation_fits(&mut self, key: &str, block: &Resolved) {
        let (via, invocation) = (block.field("via").place, block.field("invocation"));
        let asynchronous = ASYNCHRONOUS.contains(&key);
        let (fits, expected) = match invocation.word() {
            // INV-A12: a header asks for it.
            Some("async") => (asynchronous || key == "api_gateway_rest", "`invocation: sync`, or no such key"),
            Some(_) => (!asynchronous || key == "ses", "`invocation: async`, or no such key"),
            None => return,
        };
        // What is not written follows the service.
        if !fits && invocation.is_written() {
            let how = if asynchronous { "asynchronously" } else { "synchronously" };
            self.contradiction(invocation, format!("`{key}` invokes {how} (INV-4.4)"), |problem| {
                problem.with_expected(expected).with_related(via, "the service")
            });
        }
    }

    /// A service that calls Lambda by itself has no client beside it that could try again or give up.
    fn has_no_client(&mut self, key: &str, block: &Resolved) {
        let (via, client) = (block.field("via").place, block.field("client"));
        let retry = client.field("retry");
        let tries_again = match retry.if_has("preset") {
            Some(preset) => preset.word() != Some("none"),
            None => retry.if_has("max_attempts").is_some_and(|attempts| attempts.whole() != Some(1)),
        };
        let gives_up =
            ["timeout", "total_timeout", "circuit_breaker"].iter().any(|key| !client.field(key).is_without());
        if client.is_written() && (tries_again || gives_up) {
            self.contradiction(
                client,
                format!("`{key}` calls the function by itself: no client tries again or gives up"),
                |problem| {
                    problem
                        .with_expected("no `client` (INV-4.4)")
                        .with_related(via, "the service")
                        .with_help("its retries and time-outs are keys of `via`")
                },
            );
        }
    }

    /// The largest record of a delivery stream.
    fn record_fits(&mut self, block: &Resolved) {
        let payload = block.field("payload");
        let Some(largest) = self.distribution(payload).map(|bytes| bytes.max()) else { return };
        if largest.is_none_or(|bytes| bytes > limits::FIREHOSE_RECORD_BYTES) {
            self.contradiction(payload, "a record may be larger than a delivery stream takes", |problem| {
                problem.with_expected("at most 1000KiB (INV-4.4)")
            });
        }
    }

    /// INV-D31: waits grow from the first to the last.
    fn phase_grows(&mut self, via: &Resolved) {
        let Some(growing) = via_block(via).map(|block| block.field("retry").field("backoff")) else { return };
        let (from, to) = (growing.field("from"), growing.field("to"));
        if from.duration().zip(to.duration()).is_some_and(|(from, to)| to < from) {
            let place = from.place;
            self.contradiction(to, "the last wait is shorter than the first", |problem| {
                problem.with_expected("at least `from` (INV-D31)").with_related(place, "the first")
            });
        }
    }

    /// INV-6: what could not be delivered goes to a standard queue.
    fn takes_failures(&mut self, via: &Resolved, blocks: &Blocks) {
        let Some(block) = via_block(via) else { return };
        let Some(queue) = DEAD_LETTER_KEYS.iter().find_map(|key| block.if_has(key)) else { return };
        if let Some(Resource::Queue(id)) = self.names.named(queue)
            && is_fifo(&blocks.queues, id) == Some(true)
        {
            self.contradiction(queue, "a FIFO queue takes no undelivered events", |problem| {
                problem.with_expected("a standard queue (INV-6)")
            });
        }
    }

    /// Functions that are called at the edge, by their places, and where that is said.
    pub(super) fn called_at_edge(&self, callers: &[Named]) -> BTreeMap<usize, Place> {
        let of_caller = |caller: &Named| {
            let via = caller.block.has("via").then(|| caller.block.field("via"))?;
            let Resource::Function(id) = self.names.named(caller.block.field("target"))? else { return None };
            (via_key(via) == Some("cloudfront")).then_some((id.index(), via.place))
        };
        callers.iter().filter(|caller| !caller.block.is_bad()).filter_map(of_caller).collect()
    }

    /// INV-4.4: functions of Lambda@Edge have no reserved and no provisioned concurrency.
    pub(super) fn edge_function_fits(&mut self, function: &Resolved, via: Place) {
        let (reserved, provisioned) = (function.field("reserved_concurrency"), most_provisioned(function));
        let set = [reserved].into_iter().find(|field| field.whole().is_some());
        let Some(field) = set.or(Some(provisioned.0).filter(|_| provisioned.1 > 0)) else { return };
        self.contradiction(field, "a function of Lambda@Edge has no concurrency of its own", |problem| {
            problem.with_expected("no such key (INV-4.4)").with_related(via, "it is called at the edge")
        });
    }
}

/// The service that is Lambda's client itself, where `via` names one.
pub(super) fn own_client(via: &Node) -> Option<&'static str> {
    ASYNCHRONOUS.into_iter().chain(CLIENTS).find(|service| via.names(service))
}
