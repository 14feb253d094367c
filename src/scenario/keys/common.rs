//! Shapes that several tables share.

use super::{ResourceKind, Shape, Tag, Word};
use crate::kernel::quantity::Ratio;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const ANY: u64 = u64::MAX;
pub(super) const COUNT: u64 = u32::MAX as u64;
pub(super) const PERCENT: u64 = Ratio::PARTS / 100;

pub(super) static ANY_DURATION: Shape = Shape::Duration(0, ANY);
pub(super) static SOME_DURATION: Shape = Shape::Duration(1, ANY);
pub(super) static ANY_SIZE: Shape = Shape::Size(0, ANY);
pub(super) static ANY_RATIO: Shape = Shape::Ratio(0, Ratio::PARTS);
pub(super) static SOME_RATIO: Shape = Shape::Ratio(1, Ratio::PARTS);
pub(super) static RATE: Shape = Shape::Rate;
pub(super) static SWITCH: Shape = Shape::Switch;
pub(super) static NAME: Shape = Shape::Name;
pub(super) static TEXT: Shape = Shape::Text;
pub(super) static FUNCTION_NAME: Shape = Shape::Target(&[ResourceKind::Function]);
pub(super) static QUEUE_NAME: Shape = Shape::Target(&[ResourceKind::Queue]);
pub(super) static FILE: Shape = Shape::File;
pub(super) static COUNT_FROM_0: Shape = Shape::Whole(0, COUNT);
pub(super) static COUNT_FROM_1: Shape = Shape::Whole(1, COUNT);
pub(super) static WHOLE_FROM_0: Shape = Shape::Whole(0, ANY);
pub(super) static WHOLE_FROM_1: Shape = Shape::Whole(1, ANY);
pub(super) static REAL: Shape = Shape::Real(0.0, f64::MAX);

/// Growth of a back-off.
pub(super) static BACKOFF_FACTOR: Shape = Shape::Real(1.0, 1e6);

/// Largest wait of a back-off.
pub(super) static BACKOFF_CAP: Shape =
    Shape::Either(&[Shape::Without("unlimited", "waits grow without end"), Shape::Duration(1, ANY)]);

/// How chance changes a wait w.
pub(super) static JITTER: Shape = Shape::Either(&[
    Shape::Words(&[
        word("none", "the wait w itself"),
        word("full", "uniform between 0 and w"),
        word("equal", "w/2 and uniform between 0 and w/2"),
        word("decorrelated", "uniform between the base and three times the last wait"),
    ]),
    Shape::Ratio(0, Ratio::PARTS),
]);

pub(super) const fn word(name: &'static str, doc: &'static str) -> Word {
    Word { name, doc }
}

pub(super) const fn tag(name: &'static str, shape: &'static Shape, doc: &'static str) -> Tag {
    Tag { name, shape, doc }
}
