//! Which part of a sweep this process does: `3/16`, or what the engine that started it says.

use std::str::FromStr;

use super::super::exit::Failure;

/// Part `index` of `of`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) index: u64,
    pub(super) of: u64,
}

impl Shard {
    /// Whether it does a task. Tasks go around, so that dear points are shared out.
    pub(super) const fn does(self, task: u64) -> bool {
        task % self.of == self.index - 1
    }
}

/// How a part is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// `3/16`
    Given(Shard),
    /// `auto`, or `auto/16`: by the variables of the engine.
    Auto(Option<u64>),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let wrong = || "write I/N, such as 3/16 for the third of sixteen parts, `auto`, or `auto/16`".to_owned();
        if text == "auto" {
            return Ok(Self::Auto(None));
        }
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let of = number(of).ok_or_else(wrong)?;
        if index == "auto" {
            return Ok(Self::Auto(Some(of)));
        }
        let index = number(index).filter(|index| *index <= of).ok_or_else(wrong)?;
        Ok(Self::Given(Shard { index, of }))
    }
}

impl Choice {
    /// The part, where `variable` tells what the environment says.
    pub(super) fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, Failure> {
        let of = match self {
            Self::Given(shard) => return Ok(shard),
            Self::Auto(of) => of,
        };
        let number = |name: &str| match variable(name).map(|text| text.trim().parse::<u64>()) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(Failure::usage(format!("--shard auto: {name} is no number"))),
        };
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            let read =
                |name: &str| number(name)?.ok_or_else(|| Failure::usage(format!("--shard auto: {name} is not set")));
            return match of {
                // Ids N in a row, from wherever, are all parts.
                Some(of) => Ok(Shard { index: (id % of + of - 1) % of + 1, of }),
                None => slurm(id, read("SLURM_ARRAY_TASK_MIN")?, read("SLURM_ARRAY_TASK_COUNT")?, number),
            };
        }
        // These count from 0.
        let zero_based = |index: u64, of: Option<u64>, name: &str| {
            let of = of.ok_or_else(|| {
                Failure::usage(format!("--shard auto: {name} says which part, and nothing says of how many"))
                    .with_help("write --shard auto/N")
            })?;
            if index < of {
                return Ok(Shard { index: index + 1, of });
            }
            Err(Failure::usage(format!("--shard auto: {name} is {index}, and there are only {of} parts, from 0")))
        };
        if let Some(index) = number("AWS_BATCH_JOB_ARRAY_INDEX")? {
            let size = number("AWS_BATCH_JOB_ARRAY_SIZE")?;
            return zero_based(index, of.or(size), "AWS_BATCH_JOB_ARRAY_INDEX");
        }
        if let Some(index) = number("JOB_COMPLETION_INDEX")? {
            return zero_based(index, of, "JOB_COMPLETION_INDEX");
        }
        let names = "SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX, JOB_COMPLETION_INDEX";
        Err(Failure::usage(format!("--shard auto: none of {names} is set")).with_help("write --shard I/N"))
    }
}

/// The ids of an array begin anywhere and may have a step; those with other gaps cannot be numbered.
fn slurm(
    id: u64,
    min: u64,
    count: u64,
    number: impl Fn(&str) -> Result<Option<u64>, Failure>,
) -> Result<Shard, Failure> {
    let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    let max = number("SLURM_ARRAY_TASK_MAX")?.unwrap_or(min + (count.max(1) - 1) * step);
    let even = max.checked_sub(min).is_some_and(|length| length / step + 1 == count && length % step == 0);
    match id.checked_sub(min) {
        Some(distance) if even && distance % step == 0 && distance / step < count => {
            Ok(Shard { index: distance / step + 1, of: count })
        }
        Some(_) | None => Err(Failure::usage("--shard auto: the ids of the Slurm array have gaps").with_help(
            "write --shard auto/N: N ids in a row, from wherever, are all parts, and some of them may be repeated",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(choice: &str, variables: &[(&str, &str)], expected: Result<(u64, u64), &str>) {
        let variable = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        let found = choice.parse::<Choice>().map_err(Failure::usage).and_then(|choice| choice.resolve(variable));
        match (found, expected) {
            (Ok(shard), Ok(expected)) => assert_eq!((shard.index, shard.of), expected, "{choice} {variables:?}"),
            (Err(failure), Err(text)) => assert!(failure.message.contains(text), "{choice}: {failure}"),
            (found, _) => panic!("{choice} {variables:?}: {found:?}"),
        }
    }

    fn slurm_of(id: &'static str, [min, max, count, step]: [&'static str; 4]) -> [(&'static str, &'static str); 5] {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_MIN", min),
            ("SLURM_ARRAY_TASK_MAX", max),
            ("SLURM_ARRAY_TASK_COUNT", count),
            ("SLURM_ARRAY_TASK_STEP", step),
        ]
    }

    #[test]
    fn parts_are_given_or_found() {
        check("3/16", &[], Ok((3, 16)));
        for wrong in ["0/3", "4/3", "3", "a/3", "1/0", "auto/0", "auto/x", ""] {
            check(wrong, &[], Err("write I/N"));
        }
        check("auto", &[], Err("none of SLURM_ARRAY_TASK_ID"));
        check("auto", &[("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")], Ok((1, 4)));
        check("auto/8", &[("AWS_BATCH_JOB_ARRAY_INDEX", "7")], Ok((8, 8)));
        check("auto", &[("AWS_BATCH_JOB_ARRAY_INDEX", "7")], Err("of how many"));
        check("auto/4", &[("JOB_COMPLETION_INDEX", "0")], Ok((1, 4)));
        check("auto/4", &[("JOB_COMPLETION_INDEX", "4")], Err("only 4 parts"));
        check("auto", &[("JOB_COMPLETION_INDEX", "4")], Err("of how many"));
        check("auto/4", &[("JOB_COMPLETION_INDEX", "x")], Err("is no number"));
    }

    #[test]
    fn slurms_ids_begin_anywhere_and_have_steps() {
        check("auto", &slurm_of("1", ["1", "16", "16", "1"]), Ok((1, 16)));
        check("auto", &slurm_of("0", ["0", "15", "16", "1"]), Ok((1, 16)));
        check("auto", &slurm_of("30", ["10", "40", "4", "10"]), Ok((3, 4)));
        check("auto", &slurm_of("3", ["3", "7", "2", "1"]), Err("have gaps"));
        check("auto", &slurm_of("3", ["3", "7", "2", "1"])[..2], Err("SLURM_ARRAY_TASK_COUNT is not set"));
        for (id, index) in [("1", 1), ("16", 16), ("0", 16), ("17", 1)] {
            check("auto/16", &slurm_of(id, ["3", "7", "2", "1"]), Ok((index, 16)));
        }
    }

    #[test]
    fn every_task_has_one_part() {
        for of in 1..6 {
            for task in 0..20 {
                let doers = (1..=of).filter(|index| Shard { index: *index, of }.does(task)).count();
                assert_eq!(doers, 1);
            }
        }
    }
}
