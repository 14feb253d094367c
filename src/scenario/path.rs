//! Key paths: `callers.shoppers.arrivals[0]`.

use std::fmt;
use std::sync::Arc;

/// The key path of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path(Option<Arc<Step>>);

#[derive(Debug, PartialEq)]
struct Step {
    parent: Path,
    segment: Segment,
}

#[derive(Debug, PartialEq)]
enum Segment {
    Name(Arc<str>),
    Index(usize),
}

impl Path {
    /// The file as a whole.
    pub(crate) const ROOT: Self = Self(None);

    /// The path of a key of this value.
    pub(crate) fn key(&self, name: &str) -> Self {
        Self(Some(Arc::new(Step { parent: self.clone(), segment: Segment::Name(name.into()) })))
    }

    /// The path of an item of this list, 0 = first.
    pub(crate) fn index(&self, index: usize) -> Self {
        Self(Some(Arc::new(Step { parent: self.clone(), segment: Segment::Index(index) })))
    }

    /// The last key; `None` of a list's item and of the file as a whole.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.0.as_ref()?.segment {
            Segment::Name(name) => Some(name),
            Segment::Index(_) => None,
        }
    }

    /// The key that this one is in.
    pub(super) fn parent_name(&self) -> Option<&str> {
        self.0.as_ref()?.parent.name()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(step) = &self.0 else { return Ok(()) };
        step.parent.fmt(f)?;
        match &step.segment {
            Segment::Name(name) if step.parent.0.is_none() => f.write_str(name),
            Segment::Name(name) => write!(f, ".{name}"),
            Segment::Index(index) => write!(f, "[{index}]"),
        }
    }
}
