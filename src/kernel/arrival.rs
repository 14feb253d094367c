//! Arrival processes: when an open loop submits.

/// When an open loop submits.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalProcess {
    /// Never.
    Never,
}
