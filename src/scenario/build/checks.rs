//! What AWS refuses because settings do not go together.

use super::Builder;
use crate::aws::ids::{Id, QueueId};
use crate::aws::limits;
use crate::kernel::quantity::Rate;
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Resolved, Value};

/// INV-C4: units of concurrency that must stay unreserved.
pub(crate) const UNRESERVED: u64 = limits::UNRESERVED_MINIMUM as u64;
/// INV-E18: the most ephemeral storage that `SnapStart` allows, in MB.
const SNAPSTART_STORAGE: u64 = 512;

/// The settings of resources at one moment, by their ids.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) functions: Vec<Resolved>,
    pub(super) queues: Vec<Resolved>,
    pub(super) streams: Vec<Resolved>,
    pub(super) mappings: Vec<Resolved>,
    pub(super) state_machines: Vec<Resolved>,
    pub(super) topics: Vec<Resolved>,
}

impl Blocks {
    /// The settings at the start.
    pub(super) fn of(root: &Resolved) -> Self {
        let blocks = |kind: ResourceKind| root.field(kind.group()).named().iter().map(|named| named.block.clone());
        Self {
            functions: blocks(ResourceKind::Function).collect(),
            queues: blocks(ResourceKind::Queue).collect(),
            streams: blocks(ResourceKind::Stream).collect(),
            mappings: blocks(ResourceKind::Mapping).collect(),
            state_machines: blocks(ResourceKind::StateMachine).collect(),
            topics: blocks(ResourceKind::Topic).collect(),
        }
    }
}

impl Builder<'_> {
    /// Checks one function by itself.
    pub(crate) fn function_combinations(&mut self, block: &Resolved) {
        self.provisioned_fits_reserved(block);
        self.snapstart_allowed(block);
    }

    /// INV-C3, C4, C8: what is set aside leaves 100 units to the others.
    pub(crate) fn concurrency_adds_up(&mut self, account: &Resolved, blocks: &[Resolved]) {
        let Some(limit) = account.field("concurrency_limit").whole() else { return };
        let room = limit.saturating_sub(UNRESERVED);
        let mut claimed = 0;
        let mut first: Option<&Resolved> = None;
        for block in blocks {
            let reserved = block.field("reserved_concurrency");
            let (field, units) = claim(block);
            claimed += units;
            if units == 0 || claimed <= room {
                first = first.or(Some(field).filter(|_| units > 0));
                continue;
            }
            let key = account.field("concurrency_limit");
            let (what, rule) =
                if reserved.whole().is_some() { ("reserved", "INV-C4") } else { ("provisioned", "INV-C8") };
            let message = if first.is_some() {
                format!("{claimed} units of concurrency are set aside in all, of {limit}")
            } else {
                format!("{units} units of {what} concurrency are more than an account of {limit} can set aside")
            };
            self.contradiction(field, message, |problem| {
                let problem = problem
                    .with_expected(format!("at most {room} in all: 100 must stay unreserved ({rule})"))
                    .with_help(format!(
                        "raise `account.concurrency_limit` to {} or set less aside",
                        claimed + UNRESERVED
                    ));
                if key.is_written() { problem.with_related(key.place, "the account's limit") } else { problem }
            });
            return;
        }
    }

    /// INV-C7.
    fn provisioned_fits_reserved(&mut self, block: &Resolved) {
        let reserved = block.field("reserved_concurrency");
        let (field, provisioned) = most_provisioned(block);
        if let Some(units) = reserved.whole()
            && provisioned > units
        {
            let message = format!("{provisioned} units of provisioned concurrency exceed the reserved {units}");
            let place = reserved.place;
            self.contradiction(field, message, |problem| {
                problem.with_expected("at most `reserved_concurrency` (INV-C7)").with_related(place, "reserved here")
            });
        }
    }

    /// INV-E18.
    fn snapstart_allowed(&mut self, block: &Resolved) {
        let snapstart = block.field("snapstart");
        if snapstart.is_without() || snapstart.is_bad() {
            return;
        }
        let place = snapstart.place;
        let (field, provisioned) = most_provisioned(block);
        if provisioned > 0 {
            self.contradiction(field, "SnapStart and provisioned concurrency exclude each other", |problem| {
                problem.with_expected("one of the two (INV-E18)").with_related(place, "SnapStart is on")
            });
        }
        let storage = block.field("ephemeral_storage");
        if storage.whole().is_some_and(|megabytes| megabytes > SNAPSTART_STORAGE) {
            self.contradiction(storage, "SnapStart takes at most 512MB of ephemeral storage", |problem| {
                problem.with_expected("at most 512MB (INV-E18)").with_related(place, "SnapStart is on")
            });
        }
    }
}

/// INV-C9: what a function sets aside, and the key that says so; of both kinds the reserved concurrency counts.
pub(crate) fn claim(block: &Resolved) -> (&Resolved, u64) {
    let reserved = block.field("reserved_concurrency");
    reserved.whole().map_or_else(|| most_provisioned(block), |units| (reserved, units))
}

/// The most environments that a function may ask for, and the key that says so.
pub(super) fn most_provisioned(block: &Resolved) -> (&Resolved, u64) {
    let provisioned = block.field("provisioned_concurrency");
    let Value::Block(..) = &provisioned.value else { return (provisioned, 0) };
    let steps = provisioned.field("schedule").list().iter().map(|step| step.field("to"));
    let fields = [provisioned.field("initial"), provisioned.field("max")].into_iter().chain(steps);
    let numbers = fields.filter_map(|field| field.whole().map(|units| (field, units)));
    numbers.fold((provisioned, 0), |most, next| if next.1 > most.1 { next } else { most })
}

/// Whether a queue is a FIFO queue; `None` where its type cannot be read.
pub(super) fn is_fifo(queues: &[Resolved], id: QueueId) -> Option<bool> {
    queues[id.index()].field("type").word().map(|kind| kind == "fifo")
}

/// Compares exactly.
pub(super) fn less(a: Rate, b: Rate) -> bool {
    u128::from(a.events) * u128::from(b.per.as_nanos()) < u128::from(b.events) * u128::from(a.per.as_nanos())
}
