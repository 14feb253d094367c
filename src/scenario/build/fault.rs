//! Faults of the services themselves.

use super::Builder;
use crate::aws::config::{Fault, FaultAt};
use crate::scenario::resolve::Resolved;

/// The places that faults strike, by their keys.
const PLACES: [&str; 6] = ["queue", "stream", "broker", "topic", "event_bus", "bucket"];

impl Builder<'_> {
    /// The fault that an entry describes.
    pub(super) fn fault(&mut self, entry: &Resolved) -> Option<Fault> {
        let at = self.struck(entry);
        let (from, until) = self.window(entry)?;
        Some(Fault {
            at: at?,
            status: u16::try_from(entry.field("status").whole()?).ok()?,
            probability: entry.field("probability").ratio()?,
            from,
            until,
        })
    }

    /// Which requests it strikes.
    fn struck(&mut self, entry: &Resolved) -> Option<FaultAt> {
        if let Some(place) = PLACES.into_iter().find(|place| entry.has(place)) {
            return self.target(entry.field(place)).map(FaultAt::Send);
        }
        let function = self.function_id(entry.field("function"))?;
        Some(match entry.field("stage").word()? {
            "dispatch" => FaultAt::Dispatch(function),
            _ => FaultAt::Invoke(function),
        })
    }
}
