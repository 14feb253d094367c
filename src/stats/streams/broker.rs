//! What went through one broker (contract, `brokers.N`).

use super::position::{Position, Records};
use crate::aws::config::{Broker, BrokerKind};
use crate::stats::series::Recorder;
use crate::stats::summary::{BrokerSummary, Flow, SourceKind};

/// Counts of one broker, of messages of the measured time.
#[derive(Clone, Debug)]
pub(super) struct BrokerStats {
    pub(super) name: String,
    pub(super) kind: SourceKind,
    /// Everything that was accepted.
    pub(super) records: Records,
    /// Where its readers are.
    pub(super) place: usize,
    pub(super) is_read: bool,
    pub(super) received: u64,
    pub(super) delivered: u64,
    pub(super) retries: u64,
    pub(super) failed: u64,
    pub(super) dead_letters: u64,
}

impl BrokerStats {
    /// Of a broker whose readers have this place.
    pub(super) fn new(broker: &Broker, place: usize) -> Self {
        Self {
            name: broker.name.clone(),
            kind: match broker.kind {
                BrokerKind::ActiveMq => SourceKind::ActiveMq,
                BrokerKind::RabbitMq => SourceKind::RabbitMq,
            },
            records: Records::default(),
            place,
            is_read: false,
            received: 0,
            delivered: 0,
            retries: 0,
            failed: 0,
            dead_letters: 0,
        }
    }

    pub(super) const fn summary(&self) -> BrokerSummary {
        BrokerSummary {
            received: self.received,
            delivered: self.delivered,
            retries: self.retries,
            failed: self.failed,
            dead_letters: self.dead_letters,
            is_read: self.is_read,
        }
    }

    /// What a time series says.
    pub(super) fn series(&self, to: &mut Recorder) {
        to.of("brokers", &self.name);
        for (key, total) in [
            ("received", self.received),
            ("delivered", self.delivered),
            ("retries", self.retries),
            ("failed", self.failed),
            ("dead_letters", self.dead_letters),
        ] {
            to.count(key, total);
        }
    }

    /// Everything that was accepted, and what ended: taken by a run or the filter, expired, or a dead letter.
    pub(super) fn flow(&self, positions: &[Position]) -> Flow {
        positions[self.place].flow(&self.records)
    }
}
