//! The story of single events: every step with who took it, what was decided, and by which rule.
//!
//! Observers like the statistics, and like them they read facts and settings alone. Nothing here is part of a run
//! that nobody asks for a story.
//!
//! Reading order: [`rules`] (what steps cite), `words` (times and settings in words), `families` (which events belong
//! together), `batches` and `buffers` (which messages and records run together), `lines` (what a record waited for), [`step`] with
//! `kind`, `client`, `front`, `runs`, `internal`, `delivery`, `place`, `message`, `record`, `batch` and `reader` (a fact becomes a step),
//! `outline` and `fates` (what the first sentences need), then what is made of steps: [`events`] (a table of all),
//! [`records`] with `discards` (what destinations receive), [`select`] (which event), [`explain`] (its story), [`single`]
//! (one step of it).

mod batch;
mod batches;
mod buffers;
mod calls;
mod client;
mod delivery;
mod discards;
pub mod events;
mod execution;
pub mod explain;
mod families;
mod fates;
mod front;
mod internal;
mod kind;
mod lines;
mod message;
mod outline;
mod place;
mod reader;
mod record;
pub mod records;
pub mod rules;
mod runs;
pub mod select;
pub mod single;
pub mod step;
#[cfg(test)]
mod tests;
mod words;

use crate::aws::fact::{Fact, Observer};
use crate::kernel::time::SimTime;

pub(crate) use families::{Key, key, origin};
pub(crate) use message::happened;
pub use words::{milliseconds, moment};

/// An observer that is there or not, by what the user asked for.
impl<O: Observer> Observer for Option<O> {
    #[inline]
    fn observe(&mut self, now: SimTime, fact: &Fact) {
        if let Some(observer) = self {
            observer.observe(now, fact);
        }
    }
}
