//! One scenario with many settings: a grid of them, the same seeds at each of its points.
//!
//! [`Grid`] says which points there are. The work is made of tasks, one for each point and seed. [`record`] is what a
//! task comes to, and [`table`] what the tasks of each point come to together. Where tasks run, and in which order, is
//! nobody's business here: the table depends on their records alone.

pub mod record;
pub mod table;

use serde::{Deserialize, Serialize};

use crate::scenario;

/// Most tasks of a sweep.
pub const MOST_TASKS: u64 = 1_000_000;

/// A setting and the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// The key path, as `--set` takes it.
    pub path: String,
    /// Its values, as a scenario writes them.
    pub values: Vec<String>,
}

impl Axis {
    /// Reads `functions.f.reserved_concurrency=10..100/10`.
    ///
    /// # Errors
    /// With what is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((path, values)) = text.split_once('=').filter(|(path, _)| !path.trim().is_empty()) else {
            return Err("write for example `functions.resize.reserved_concurrency=10..100/10`".to_owned());
        };
        if path.trim() == "seed" {
            return Err("the seed is no setting: `--replicas N` simulates N seeds at each point".to_owned());
        }
        Ok(Self { path: path.trim().to_owned(), values: scenario::values(values)? })
    }
}

/// All combinations of the values of several axes, each with the same seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    axes: Vec<Axis>,
    replicas: u64,
}

impl Grid {
    /// The points of the axes, with so many seeds at each.
    ///
    /// # Errors
    /// When two axes have one path, or there are more than [`MOST_TASKS`] tasks.
    pub fn new(axes: Vec<Axis>, replicas: u32) -> Result<Self, String> {
        for (place, axis) in axes.iter().enumerate() {
            if axes[..place].iter().any(|other| other.path == axis.path) {
                return Err(format!("`{}` is varied twice", axis.path));
            }
        }
        let replicas = u64::from(replicas);
        let points = axes.iter().try_fold(1_u64, |points, axis| points.checked_mul(axis.values.len() as u64));
        match points.and_then(|points| points.checked_mul(replicas)) {
            Some(tasks) if tasks <= MOST_TASKS => Ok(Self { axes, replicas }),
            Some(_) | None => Err(format!("the grid has more than {MOST_TASKS} runs")),
        }
    }

    /// The axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Seeds at each point.
    pub const fn replicas(&self) -> u64 {
        self.replicas
    }

    /// How many points there are.
    pub fn points(&self) -> u64 {
        self.axes.iter().map(|axis| axis.values.len() as u64).product()
    }

    /// How many tasks there are: those of the first point come first, in the order of their seeds.
    pub fn tasks(&self) -> u64 {
        self.points() * self.replicas
    }

    /// Point and replica of a task, all counted from 0.
    pub const fn place(&self, task: u64) -> (u64, u64) {
        (task / self.replicas, task % self.replicas)
    }

    /// The values of a point, one for each axis; the last axis changes fastest.
    pub fn values(&self, point: u64) -> Vec<&str> {
        let mut rest = point;
        let mut values: Vec<&str> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let count = axis.values.len() as u64;
            values.push(axis.values.get(usize::try_from(rest % count).unwrap_or(usize::MAX)).map_or("", |value| value));
            rest /= count;
        }
        values.reverse();
        values
    }

    /// What `--set` would be told for a point.
    pub fn overrides(&self, point: u64) -> Vec<String> {
        let values = self.values(point);
        self.axes.iter().zip(values).map(|(axis, value)| format!("{}={value}", axis.path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(axes: &[&str], replicas: u32) -> Result<Grid, String> {
        Grid::new(axes.iter().map(|text| Axis::parse(text).unwrap()).collect(), replicas)
    }

    #[test]
    fn the_last_axis_changes_fastest_and_seeds_faster_still() {
        let grid = grid(&["a.b=1..2", "c=x,y,z"], 5).unwrap();
        assert_eq!((grid.points(), grid.tasks()), (6, 30));
        let points: Vec<String> = (0..6).map(|point| grid.overrides(point).join(" ")).collect();
        assert_eq!(points, ["a.b=1 c=x", "a.b=1 c=y", "a.b=1 c=z", "a.b=2 c=x", "a.b=2 c=y", "a.b=2 c=z"]);
        assert_eq!([0, 4, 5, 29].map(|task| grid.place(task)), [(0, 0), (0, 4), (1, 0), (5, 4)]);
    }

    #[test]
    fn an_axis_may_have_brackets_and_further_equal_signs() {
        let axis = Axis::parse("functions.f.failures[0].probability=1%,2%").unwrap();
        assert_eq!(axis.path, "functions.f.failures[0].probability");
        assert_eq!(Axis::parse("description=a=b").unwrap().values, ["a=b"]);
        for text in ["a", "=1", "a="] {
            assert!(Axis::parse(text).is_err(), "{text}");
        }
        assert!(Axis::parse("seed=1..5").unwrap_err().contains("--replicas"));
    }

    #[test]
    fn grids_that_are_none_are_refused() {
        assert!(grid(&["a=1..2", "a=3..4"], 1).unwrap_err().contains("twice"));
        assert!(grid(&["a=1..1000", "b=1..1000"], 1).is_ok());
        assert!(grid(&["a=1..1000", "b=1..1000"], 2).unwrap_err().contains("more than 1000000 runs"));
        assert!(grid(&["a=1..10000"; 1], u32::MAX).is_err());
    }
}
