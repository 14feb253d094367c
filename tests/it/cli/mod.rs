//! The command line: what is printed, what is written, and the exit status.
#![cfg(feature = "cli")]

mod check;
mod compare;
mod explain;
mod explain_fronts;
mod explain_places;
mod explain_streams;
mod files;
mod lint;
mod output;
mod plan;
mod sources;
mod sweep;
mod usage;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SHOP: &str = "\
name: shop
duration: 2m
functions:
  checkout: { duration: { exponential: { mean: 100ms } }, init: 300ms }
callers:
  buyers: { target: checkout, arrivals: { poisson: 20/s } }
expect:
  - callers.buyers.submitted > 1000
  - functions.checkout.throttles == 0
";

/// What a run of the shop leaves.
const RESULTS: [&str; 6] = [
    "results/",
    "results/shop/",
    "results/shop/latency.csv",
    "results/shop/scenario.yaml",
    "results/shop/summary.json",
    "results/shop/timeseries.csv",
];

/// A folder to work in, with scenarios.
struct Room(TempDir);

/// What came of a command.
struct Done {
    line: String,
    output: Output,
}

impl Room {
    /// With `shop.yaml`.
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap()).with("shop.yaml", SHOP)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// With a copy of the shop that has another name, and other lines at its end.
    fn with_shop(self, name: &str, end: &str) -> Self {
        let text = SHOP.replace("name: shop", &format!("name: {name}")) + end;
        self.with(&format!("{name}.yaml"), &text)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lambdasim"));
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(variable);
        }
        command
    }

    fn lambdasim(&self, line: &str) -> Done {
        Done { line: line.to_owned(), output: self.command(line).output().unwrap() }
    }

    /// All files with what is in them, but the scenarios.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = entry.strip_prefix(self.path()).unwrap().to_str().unwrap().replace('\\', "/");
                if entry.is_dir() {
                    files.insert(format!("{name}/"), Vec::new());
                    folders.push(entry);
                } else if name.contains('/') || entry.extension().is_none_or(|extension| extension != "yaml") {
                    files.insert(name, fs::read(entry).unwrap());
                }
            }
        }
        files
    }

    fn names(&self) -> Vec<String> {
        self.files().into_keys().collect()
    }

    fn summary(&self, folder: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path().join(folder).join("summary.json")).unwrap()).unwrap()
    }
}

impl Done {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}: {}{}", self.line, self.stdout(), self.stderr());
        self
    }

    #[track_caller]
    fn prints(self, text: &str) -> Self {
        assert!(self.stdout().contains(text), "{}: no `{text}` in {}", self.line, self.stdout());
        self
    }

    #[track_caller]
    fn complains(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "{}: no `{text}` in {}", self.line, self.stderr());
        self
    }

    #[track_caller]
    fn prints_nothing(self) -> Self {
        assert_eq!(self.stdout(), "", "{}", self.line);
        self
    }

    #[track_caller]
    fn complains_of_nothing(self) -> Self {
        assert_eq!(self.stderr(), "", "{}", self.line);
        self
    }

    fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout).unwrap_or_else(|error| panic!("{}: {error}", self.line))
    }
}
