//! Typed ids and the table they index.
//!
//! An id is a row's number from 1 on, so that "no id" takes no room of its own.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

/// An id that indexes a [`Table`].
pub trait Id: Copy + fmt::Debug {
    /// The id of the row `index`.
    fn from_index(index: usize) -> Self;
    /// The row of this id.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(NonZeroU32);

        impl Id for $name {
            fn from_index(index: usize) -> Self {
                let number = u32::try_from(index).ok().and_then(|index| NonZeroU32::MIN.checked_add(index));
                Self(number.expect("fewer than 2^32 - 1 rows"))
            }

            #[inline(always)]
            fn index(self) -> usize {
                (self.0.get() - 1) as usize
            }
        }
    )*};
}

ids! {
    /// A function, by its place in the scenario.
    FunctionId;
    /// A caller, by its place in the scenario.
    CallerId;
    /// An execution environment's record while it lives; reused after its end.
    EnvironmentId;
    /// A user of a closed loop, over all callers.
    UserId;
    /// A call's record until it finishes; reused afterwards.
    CallId;
    /// An event's record in the internal queue until it ends; reused afterwards.
    EventId;
    /// A delivery's record while it waits; reused afterwards.
    DeliveryId;
    /// The functions that a chain of requests has passed.
    LineageId;
    /// A queue, by its place in the scenario.
    QueueId;
    /// An event source mapping, by its place in the scenario.
    MappingId;
    /// A message's record while it has one; reused afterwards.
    MessageId;
    /// A message group with messages; reused afterwards.
    GroupId;
    /// A stream, by its place in the scenario.
    StreamId;
    /// A queue of a message broker, by its place in the scenario.
    BrokerId;
    /// The records of a stream or of a broker, over all of both.
    LogId;
    /// Those who read a log together, each record once.
    ReaderGroupId;
    /// What reads one shard for a group.
    ReaderId;
    /// What works on batches of a stream's records, one at a time.
    WorkerId;
    /// A batch of a mapping until it ends; reused afterwards.
    BatchId;
    /// A topic, by its place in the scenario.
    TopicId;
    /// An event bus, by its place in the scenario.
    EventBusId;
    /// A bucket, by its place in the scenario.
    BucketId;
    /// A delivery of a topic, an event bus or a bucket until its end; reused afterwards.
    RelayId;
    /// A state machine, by its place in the scenario.
    StateMachineId;
    /// A state of a state machine.
    StateId;
    /// The name of a state, over all state machines.
    StateNameId;
    /// States of a state machine that follow each other: its own, of a branch, or of a map's items.
    FlowId;
    /// An execution of a state machine until its end; reused afterwards.
    ExecutionId;
    /// What goes through the states of one flow, until its end; reused afterwards.
    ThreadId;
    /// A closed buffer of Firehose until its end; reused afterwards.
    BufferId;
    /// A dependency, by its place in the scenario.
    DependencyId;
    /// A request at a dependency until it is gone; reused afterwards.
    RequestId;
    /// The calls of a run until they have ended; reused afterwards.
    ChainId;
    /// A call of a run until it has ended; reused afterwards.
    OutgoingId;
    /// The name of an error.
    ErrorId;
}

/// Rows of one kind, found by their typed id.
#[derive(Clone, PartialEq, Eq)]
pub struct Table<I, T> {
    rows: Vec<T>,
    id: PhantomData<fn() -> I>,
}

impl<I: Id, T> Table<I, T> {
    /// A table without rows.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), id: PhantomData }
    }

    /// Adds a row and returns its id.
    pub fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::from_index(self.rows.len() - 1)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows in the order of their ids.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Ids and rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (I, &T)> {
        self.rows.iter().enumerate().map(|(index, row)| (I::from_index(index), row))
    }

    /// Ids and rows in order, for changing them.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (I, &mut T)> {
        self.rows.iter_mut().enumerate().map(|(index, row)| (I::from_index(index), row))
    }

    /// All ids in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = I> + use<I, T> {
        (0..self.rows.len()).map(I::from_index)
    }
}

/// Records that come and go, found by typed ids; the id of one that is gone is used again.
#[derive(Clone, Debug)]
pub struct Slots<I, T> {
    rows: Vec<T>,
    free: Vec<I>,
}

impl<I: Id, T> Slots<I, T> {
    /// A place for `row`.
    #[inline]
    pub fn insert(&mut self, row: T) -> I {
        if let Some(id) = self.free.pop() {
            self.rows[id.index()] = row;
            return id;
        }
        self.rows.push(row);
        I::from_index(self.rows.len() - 1)
    }

    /// The record is gone: its id may be used again.
    #[inline]
    pub fn remove(&mut self, id: I) -> T
    where
        T: Copy,
    {
        self.free.push(id);
        self.rows[id.index()]
    }

    /// The record is gone, whatever it was.
    pub fn discard(&mut self, id: I) {
        self.free.push(id);
    }

    /// The records, in order of their ids. Takes as long as there ever were records at once.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let mut gone = vec![false; self.rows.len()];
        self.free.iter().for_each(|id| gone[id.index()] = true);
        self.rows.iter().zip(gone).filter(|(_, gone)| !gone).map(|(row, _)| row)
    }

    /// How many records there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<I, T> Default for Slots<I, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<I: Id, T> Index<I> for Slots<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        &self.rows[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Slots<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.index()]
    }
}

/// Rows for some of the ids of a table.
#[derive(Clone, Debug)]
pub struct Sparse<I, T> {
    rows: Table<I, Option<T>>,
}

impl<I: Id, T> Sparse<I, T> {
    /// The row of an id, where it has one.
    pub fn get(&self, id: I) -> Option<&T> {
        self.rows[id].as_ref()
    }

    /// Ids and rows in order.
    pub fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.rows.iter().filter_map(|(id, row)| row.as_ref().map(|row| (id, row)))
    }

    /// Ids and rows in order, for changing them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (I, &mut T)> {
        self.rows.iter_mut().filter_map(|(id, row)| row.as_mut().map(|row| (id, row)))
    }
}

impl<I: Id, T> FromIterator<Option<T>> for Sparse<I, T> {
    fn from_iter<R: IntoIterator<Item = Option<T>>>(rows: R) -> Self {
        Self { rows: rows.into_iter().collect() }
    }
}

impl<I: Id, T> Index<I> for Sparse<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        self.rows[id].as_ref().expect("an id with a row")
    }
}

impl<I: Id, T> IndexMut<I> for Sparse<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        self.rows[id].as_mut().expect("an id with a row")
    }
}

impl<I: Id, T> Default for Table<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Id, T> FromIterator<T> for Table<I, T> {
    fn from_iter<R: IntoIterator<Item = T>>(rows: R) -> Self {
        Self { rows: rows.into_iter().collect(), id: PhantomData }
    }
}

impl<I: Id, T> Index<I> for Table<I, T> {
    type Output = T;

    #[inline]
    fn index(&self, id: I) -> &T {
        &self.rows[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Table<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.index()]
    }
}

impl<I, T: fmt::Debug> fmt::Debug for Table<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}
