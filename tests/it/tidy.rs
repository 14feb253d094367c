//! The shape of the code: layers, length of files, names of rules.

use std::fs;
use std::path::{Path, PathBuf};

use lambdasim::story::rules;

/// All Rust files below a folder of the package.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// Each layer knows only those below it.
#[test]
fn layers_know_only_those_below() {
    let above: [(&str, &[&str]); 5] = [
        ("src/kernel", &["aws", "scenario", "stats", "story", "expect", "report", "run", "cli"]),
        ("src/aws", &["scenario", "stats", "story", "expect", "report", "run", "cli"]),
        ("src/scenario", &["stats", "story", "expect", "report", "run", "cli"]),
        ("src/stats", &["story", "report", "run", "cli"]),
        ("src/story", &["stats", "expect", "report", "run", "cli"]),
    ];
    let mut wrong = Vec::new();
    for (folder, forbidden) in above {
        for (path, text) in sources(folder) {
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for layer in forbidden {
                    if names_layer(code, layer) {
                        wrong.push(format!("{}:{}: names `crate::{layer}`", path.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a line names `crate::layer`, alone or in a list.
fn names_layer(code: &str, layer: &str) -> bool {
    let end = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let direct = format!("crate::{layer}");
    if code.match_indices(&direct).any(|(at, _)| end(&code[at + direct.len()..])) {
        return true;
    }
    let Some(list) = code.split("crate::{").nth(1) else { return false };
    list.split([',', '{', '}', ':', ' ']).any(|name| name == layer)
}

#[test]
fn a_layer_is_found_where_it_is_named() {
    for (code, named) in [
        ("use crate::stats::Statistics;", true),
        ("use crate::{kernel::time, stats};", true),
        ("crate::stats::finish()", true),
        ("use crate::statistics::Other;", false),
        ("use super::stats;", false),
    ] {
        assert_eq!(names_layer(code, "stats"), named, "{code}");
    }
}

/// Files that may be longer than others, and why.
const LONG: [(&str, &str); 1] = [("src/scenario/keys/tables.rs", "a table: one entry for each key of the language")];

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<_> = sources("src")
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > 500 && !LONG.iter().any(|(allowed, _)| Path::new(allowed) == path))
        .collect();
    assert!(long.is_empty(), "longer than 500 lines: {long:#?}");
    let known: Vec<_> = sources("src").into_iter().map(|(path, _)| path).collect();
    for (allowed, _) in LONG {
        assert!(known.iter().any(|path| path == Path::new(allowed)), "{allowed} is allowed and does not exist");
    }
}

/// The sheets that rules come from.
const SHEETS: [&str; 2] = ["INV-", "ESM-"];

/// Ids of rules are a letter or `$` and a number (`INV-E6`), or a number of a section (`INV-3.2`, `ESM-1.4.2`).
#[test]
fn ids_of_rules_have_their_form() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        for (number, line) in text.lines().enumerate() {
            for (at, mark) in SHEETS.iter().flat_map(|sheet| line.match_indices(sheet)) {
                let id: String = line[at + mark.len()..]
                    .chars()
                    .take_while(|next| next.is_ascii_alphanumeric() || matches!(next, '$' | '.'))
                    .collect();
                // Text about ids, as here, writes none.
                if !id.is_empty() && !is_rule(id.split("..").next().unwrap_or_default().trim_end_matches('.')) {
                    wrong.push(format!("{}:{}: {mark}{id}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn is_rule(id: &str) -> bool {
    let numbered = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let section = id.split('.').all(numbered);
    let rule = id.strip_prefix(|first: char| first.is_ascii_uppercase() || first == '$').is_some_and(numbered);
    section || rule
}

/// What steps cite is a rule of the documentation.
#[test]
fn rules_of_steps_are_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/semantics");
    let pages = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    // The first cell of each row names its rules: `INV-R4, Q3`.
    let documented: Vec<String> =
        pages.flat_map(|page| page.lines().flat_map(rules_of_row).collect::<Vec<_>>()).collect();
    let missing: Vec<_> = rules::ALL.iter().filter(|rule| !documented.iter().any(|id| id == rule.id)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// `| INV-R4, Q3 | ..` names `INV-R4` and `INV-Q3`.
fn rules_of_row(line: &str) -> Vec<String> {
    let cell = line.strip_prefix("| ").and_then(|row| row.split(" |").next()).unwrap_or_default();
    let Some(sheet) = SHEETS.into_iter().find(|sheet| cell.starts_with(sheet)) else { return Vec::new() };
    cell.split(", ").map(|id| format!("{sheet}{}", id.trim_start_matches(sheet))).collect()
}

#[test]
fn forms_of_ids() {
    for (id, accepted) in [
        ("E6", true),
        ("$5", true),
        ("3.2", true),
        ("7", true),
        ("E", false),
        ("e6", false),
        ("EE6", false),
        ("", false),
    ] {
        assert_eq!(is_rule(id), accepted, "{id}");
    }
}
