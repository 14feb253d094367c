//! `check --github`: what does not hold as workflow commands, which GitHub shows at the lines of the scenario, and a
//! summary of the job in Markdown.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::cases::{Case, Outcome, Suite};
use super::exit::Failure;

/// Where GitHub wants the summary of the job; nothing outside of its runners.
pub(super) fn summary_file() -> Option<PathBuf> {
    std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// One line for each case that does not hold.
pub(super) fn annotations(suites: &[Suite]) -> String {
    let mut text = String::new();
    for (suite, case) in suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case))) {
        let Some(message) = failure(case) else { continue };
        let file = property(&suite.file.display().to_string().replace('\\', "/"));
        let place = case.place.map_or_else(String::new, |(line, column)| format!(",line={line},col={column}"));
        let title = property(&format!("lambdasim: {}", suite.name));
        let message = data(&format!("{}: {message}", case.name));
        let _ = writeln!(text, "::error file={file}{place},title={title}::{message}");
    }
    text
}

fn failure(case: &Case) -> Option<&str> {
    match &case.outcome {
        Outcome::Passed => None,
        Outcome::Failed(message, _) | Outcome::Broken(message) => Some(message),
    }
}

/// A message, as a workflow command takes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Adds a table of all scenarios, and what does not hold, to the summary of the job.
pub(super) fn add_summary(path: &Path, suites: &[Suite]) -> Result<(), Failure> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(markdown(suites).as_bytes()));
    written.map_err(|error| Failure::write(path, &error))
}

fn markdown(suites: &[Suite]) -> String {
    let mut text = "### lambdasim check\n\n| | scenario | holds | of |\n| --- | --- | ---: | ---: |\n".to_owned();
    for suite in suites {
        let held = suite.cases.iter().filter(|case| failure(case).is_none()).count();
        let mark = if held == suite.cases.len() { "✅" } else { "❌" };
        let _ = writeln!(text, "| {mark} | {} | {held} | {} |", suite.name, suite.cases.len());
    }
    for suite in suites {
        for case in &suite.cases {
            let long = match &case.outcome {
                Outcome::Passed => continue,
                Outcome::Failed(_, long) => long,
                Outcome::Broken(message) => message,
            };
            let _ = writeln!(text, "\n**{}**: {}\n\n{}", suite.name, code(&case.name), fenced(long));
        }
    }
    text.push('\n');
    text
}

/// A text as code; it has no line ends.
fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n'], " "))
}

/// Lines of code, fenced by more backquotes than they hold.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites() -> Vec<Suite> {
        let failed = |short: &str, long: &str| Outcome::Failed(short.to_owned(), long.to_owned());
        let case = |name: &str, place, outcome| Case { name: name.to_owned(), place, outcome };
        let cases = vec![
            case("a == 1", Some((3, 5)), Outcome::Passed),
            case("b within 5% of 120", Some((4, 5)), failed("actual 7,\nreally", "b\nactual ```7```")),
            case("baseline x", None, failed("2 differences", "metric")),
        ];
        let file = PathBuf::from("a,b:c/shop.yaml");
        vec![Suite { name: "shop".to_owned(), file, properties: Vec::new(), cases }]
    }

    #[test]
    fn commands_are_escaped() {
        let expected = "\
::error file=a%2Cb%3Ac/shop.yaml,line=4,col=5,title=lambdasim%3A shop::b within 5%25 of 120: actual 7,%0Areally
::error file=a%2Cb%3Ac/shop.yaml,title=lambdasim%3A shop::baseline x: 2 differences
";
        assert_eq!(annotations(&suites()), expected);
    }

    #[test]
    fn the_summary_is_markdown() {
        let expected = "\
### lambdasim check

| | scenario | holds | of |
| --- | --- | ---: | ---: |
| ❌ | shop | 1 | 3 |

**shop**: `b within 5% of 120`

````text
b
actual ```7```
````


**shop**: `baseline x`

```text
metric
```


";
        assert_eq!(markdown(&suites()), expected);
    }
}
