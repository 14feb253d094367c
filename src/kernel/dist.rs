//! Distributions of time and size.

/// A distribution of whole numbers: nanoseconds, or bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(u64),
}
