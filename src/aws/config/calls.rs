//! What a run calls downstream (contract, `calls`).

use super::{Client, Invocation, Keys, Target};
use crate::aws::ids::{DependencyId, FunctionId};
use crate::kernel::dist::Distribution;

/// One step of a run's calls: these side by side. The run goes on when all of them have ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CallStep {
    /// What is called.
    pub calls: Vec<Call>,
}

/// A call that a run makes, once or several times.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub to: CallTarget,
    /// How often.
    pub times: u32,
    /// How many of them at once.
    pub parallel: u32,
    /// Who retries, and how long it waits. Its state (budget, breaker, limiter) is one for each environment.
    pub client: Client,
    /// Whether a call that fails fails the run.
    pub fails_run: bool,
    /// Size of what is sent, bytes.
    pub payload_bytes: Distribution,
    /// Partition keys and message groups.
    pub keys: Keys,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTarget {
    /// A dependency; the answer is waited for.
    Dependency(DependencyId),
    /// A function.
    Function(FunctionId, Invocation),
    /// A queue, stream, broker, topic, event bus, bucket or state machine, which takes what is sent.
    Send(Target),
}
