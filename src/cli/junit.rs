//! `check --junit`: what was judged as `JUnit` XML, which CI systems show: a suite for each scenario, a case for each
//! expectation and for the baseline. It holds no times of a clock: the same check gives the same file.

use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::cases::{Case, Outcome, Suite};
use super::exit::Failure;
use super::replace;

/// Writes the file.
pub(super) fn write(path: &Path, suites: &[Suite]) -> Result<(), Failure> {
    let mut report = Report::new("lambdasim check");
    report.add_test_suites(suites.iter().map(suite));
    let text = report.to_string().map_err(|error| Failure::write(path, &std::io::Error::other(error)))?;
    replace::write(path, &text)
}

fn suite(suite: &Suite) -> TestSuite {
    let mut element = TestSuite::new(suite.name.as_str());
    for (name, value) in &suite.properties {
        element.add_property((*name, value.as_str()));
    }
    element.add_test_cases(suite.cases.iter().map(|one| case(suite, one)));
    element
}

fn case(suite: &Suite, case: &Case) -> TestCase {
    let status = match &case.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed(message, text) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(message.as_str()).set_description(text.as_str());
            status
        }
        Outcome::Broken(message) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(message.as_str());
            status
        }
    };
    let mut element = TestCase::new(case.name.as_str(), status);
    element.set_classname(suite.name.as_str());
    // GitLab links a case to its file.
    element.extra.insert("file".into(), suite.file.display().to_string().into());
    element
}
