//! Which functions a chain of requests has passed, and how often (INV-5.7). Passive.
//!
//! A chain is described as AWS's lineage header does it: each function with the number of its runs. The numbers stop
//! one above the limit, so there are few descriptions, and events with the same description share it.

use std::collections::BTreeMap;

use super::ids::{FunctionId, Id, LineageId, Table};
use super::limits::RECURSION_RUNS;

/// All chains that have occurred.
#[derive(Clone, Debug)]
pub(crate) struct Lineages {
    rows: Table<LineageId, Lineage>,
    ids: BTreeMap<Lineage, LineageId>,
}

/// A chain up to a request for `function`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lineage {
    function: FunctionId,
    /// Runs of that function, the requested one included.
    runs: u8,
    /// Runs of all functions, in order of their ids.
    passed: Vec<(FunctionId, u8)>,
}

impl Lineages {
    /// The chains that begin with each of so many functions.
    pub(crate) fn new(functions: usize) -> Self {
        let mut lineages = Self { rows: Table::new(), ids: BTreeMap::new() };
        for function in (0..functions).map(FunctionId::from_index) {
            lineages.id(Lineage { function, runs: 1, passed: vec![(function, 1)] });
        }
        lineages
    }

    /// A chain that begins with `function`.
    pub(crate) fn first(function: FunctionId) -> LineageId {
        LineageId::from_index(function.index())
    }

    /// The chain goes on with a request for `function`.
    pub(crate) fn next(&mut self, id: LineageId, function: FunctionId) -> LineageId {
        let mut passed = self.rows[id].passed.clone();
        let runs = match passed.binary_search_by_key(&function, |(function, _)| *function) {
            Ok(place) => {
                passed[place].1 = (passed[place].1 + 1).min(RECURSION_RUNS + 1);
                passed[place].1
            }
            Err(place) => {
                passed.insert(place, (function, 1));
                1
            }
        };
        self.id(Lineage { function, runs, passed })
    }

    /// The function that is requested.
    #[inline]
    pub(crate) fn function(&self, id: LineageId) -> FunctionId {
        self.rows[id].function
    }

    /// Whether the request is one too many for its function.
    #[inline]
    pub(crate) fn is_loop(&self, id: LineageId) -> bool {
        self.rows[id].runs > RECURSION_RUNS
    }

    fn id(&mut self, lineage: Lineage) -> LineageId {
        if let Some(id) = self.ids.get(&lineage) {
            return *id;
        }
        let id = self.rows.push(lineage.clone());
        self.ids.insert(lineage, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(index: usize) -> FunctionId {
        FunctionId::from_index(index)
    }

    /// INV-5.7: 16 runs, the 17th is one too many.
    #[test]
    fn inv_5_7_a_function_may_be_passed_sixteen_times() {
        let mut lineages = Lineages::new(2);
        let mut chain = Lineages::first(function(0));
        for run in 1..=16 {
            assert!(!lineages.is_loop(chain), "run {run}");
            chain = lineages.next(chain, function(0));
        }
        assert!(lineages.is_loop(chain));
        // Another function in the same chain is counted by itself.
        let other = lineages.next(chain, function(1));
        assert!(!lineages.is_loop(other));
        assert_eq!(lineages.function(other), function(1));
        let back = lineages.next(other, function(0));
        assert!(lineages.is_loop(back));
    }

    /// Two functions that call each other are each counted.
    #[test]
    fn inv_5_7_a_loop_over_two_functions_counts_each() {
        let mut lineages = Lineages::new(2);
        let mut chain = Lineages::first(function(0));
        for request in 2..=32 {
            chain = lineages.next(chain, function((request - 1) % 2));
            assert!(!lineages.is_loop(chain), "request {request}");
        }
        chain = lineages.next(chain, function(0));
        assert!(lineages.is_loop(chain));
    }

    /// However long a loop that is allowed goes on, it needs no more room.
    #[test]
    fn chains_are_bounded() {
        let mut lineages = Lineages::new(2);
        let mut chain = Lineages::first(function(0));
        for request in 0..10_000 {
            chain = lineages.next(chain, function(request % 2));
        }
        assert!(lineages.rows.len() < 100, "{}", lineages.rows.len());
    }
}
