//! Whether what a scenario expects holds, in words.

use std::fmt::Write as _;

use lambdasim::expect::Judgement;
use lambdasim::report;
use lambdasim::stats::summary::Summary;

use super::exit::Exit;
use super::terminal::{BAD, GOOD, styled};

/// Whether everything holds that the scenario expects and that every run promises.
pub(super) fn holds(summary: &Summary) -> bool {
    summary.conservation.holds && summary.expectations.iter().all(|judgement| judgement.pass)
}

/// What the program exits with.
pub(super) fn exit(summary: &Summary) -> Exit {
    if holds(summary) { Exit::Done } else { Exit::Unmet }
}

/// `PASS  image-resize (seed 1): 2 of 2 expectations hold`, and what is said besides.
pub(super) fn line(summary: &Summary, good: bool, more: &str) -> String {
    let mark = if good { styled(GOOD, "PASS") } else { styled(BAD, "FAIL") };
    format!("{mark}  {}{more}\n", sentence(summary))
}

/// `image-resize (seed 1): 2 of 2 expectations hold`.
pub(super) fn sentence(summary: &Summary) -> String {
    let Summary { scenario, seed, expectations, conservation, .. } = summary;
    let passed = expectations.iter().filter(|judgement| judgement.pass).count();
    let mut text = match expectations.len() {
        0 => format!("{} (seed {seed}): no expectations", scenario.name),
        1 => format!("{} (seed {seed}): {passed} of 1 expectation holds", scenario.name),
        count => format!("{} (seed {seed}): {passed} of {count} expectations hold", scenario.name),
    };
    if !conservation.holds {
        text.push_str("; its conservation does not, which is an error of lambdasim: please report it");
    }
    text
}

/// One line for each expectation with its actual value, or only for those that do not hold.
pub(super) fn expectations(summary: &Summary, only_failed: bool) -> String {
    let shown = || summary.expectations.iter().filter(|judgement| !only_failed || !judgement.pass);
    let width = shown().map(|judgement| judgement.expression.chars().count()).max().unwrap_or(0);
    shown().fold(String::new(), |mut text, judgement| {
        let Judgement { expression, pass, .. } = judgement;
        let mark = if *pass { styled(GOOD, "pass") } else { styled(BAD, "FAIL") };
        let _ = writeln!(text, "      {mark}  {expression:width$}   actual {}", actual(judgement));
        text
    })
}

/// The actual value, in words.
pub(super) fn actual(judgement: &Judgement) -> String {
    judgement.actual.map_or_else(|| "null: there is no data".to_owned(), |_| report::actual(judgement))
}
