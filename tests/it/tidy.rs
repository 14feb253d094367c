//! The shape of the code: layers, length of files, names of rules.

use std::fs;
use std::path::{Path, PathBuf};

use lambdasim::lint::Check;
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
    let above: [(&str, &[&str]); 8] = [
        (
            "src/kernel",
            &["aws", "scenario", "lint", "stats", "story", "catalogue", "expect", "report", "run", "study", "cli"],
        ),
        ("src/aws", &["scenario", "lint", "stats", "story", "catalogue", "expect", "report", "run", "study", "cli"]),
        ("src/scenario", &["lint", "stats", "story", "catalogue", "expect", "report", "run", "study", "cli"]),
        ("src/lint", &["stats", "story", "catalogue", "expect", "report", "run", "study", "cli"]),
        ("src/stats", &["story", "catalogue", "report", "run", "study", "cli"]),
        ("src/story", &["stats", "catalogue", "expect", "report", "run", "study", "cli"]),
        ("src/catalogue", &["stats", "expect", "report", "run", "study", "cli"]),
        ("src/study", &["report", "cli"]),
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

/// Ids of rules are a letter, `$` or `SF` and a number (`INV-E6`), or a number of a section (`INV-3.2`, `ESM-1.4.2`).
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
    let letter = |first: char| first.is_ascii_uppercase() || first == '$';
    // Step Functions has two letters.
    let rule = id.strip_prefix("SF").or_else(|| id.strip_prefix(letter)).is_some_and(numbered);
    section || rule
}

/// What steps and checks cite is a rule of the documentation.
#[test]
fn rules_of_steps_and_checks_are_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/semantics");
    let pages = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    // The first cell of each row names its rules: `INV-R4, Q3`.
    let documented: Vec<String> =
        pages.flat_map(|page| page.lines().flat_map(rules_of_row).collect::<Vec<_>>()).collect();
    let cited = rules::ALL.iter().map(|rule| rule.id).chain(Check::ALL.iter().map(|check| check.rule()));
    let missing: Vec<_> = cited.filter(|rule| !documented.iter().any(|id| id == rule)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// `| INV-R4, Q3 | ..` names `INV-R4` and `INV-Q3`.
fn rules_of_row(line: &str) -> Vec<String> {
    let cell = line.strip_prefix("| ").and_then(|row| row.split(" |").next()).unwrap_or_default();
    let Some(sheet) = SHEETS.into_iter().find(|sheet| cell.starts_with(sheet)) else { return Vec::new() };
    cell.split(", ").map(|id| format!("{sheet}{}", id.trim_start_matches(sheet))).collect()
}

/// Rules that no test can show, and why.
const UNTESTED: [(&str, &str); 3] = [
    ("INV-C6", "a function has one version here"),
    ("INV-P10", "it says that something does not exist"),
    ("INV-S4", "it says which of two pages is taken"),
];

/// Tests by the names of their files and of themselves; a file `mod.rs` or `tests.rs` is called as its folder.
fn tests_of(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let parent = path.parent().and_then(Path::file_name).and_then(|parent| parent.to_str()).unwrap_or_default();
        let module = if matches!(stem, "mod" | "tests") { parent } else { stem };
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            is_test |= line == "#[test]";
            if let Some(name) = line.strip_prefix("fn ").filter(|_| std::mem::take(&mut is_test)) {
                let name = name.split('(').next().unwrap_or_default();
                found.push((module.to_owned(), name.to_owned()));
            }
        }
    }
    found
}

/// Cells of a row. A stroke within a cell is written `\\|`.
fn cells(line: &str) -> Vec<String> {
    let row = line.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
    let plain = row.map(|row| row.replace("\\|", "/"));
    plain.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default()
}

/// The first cell and the cell of tests of each row that has one.
fn rows_with_tests(page: &str) -> Vec<(String, String)> {
    let (mut column, mut rows) = (None, Vec::new());
    for line in page.lines() {
        let cells = cells(line);
        if cells.is_empty() {
            column = None;
        } else if column.is_none() {
            column = cells.iter().position(|cell| cell == "test");
        } else if let Some(tests) = column.and_then(|column| cells.get(column))
            && !cells[0].starts_with("---")
        {
            rows.push((cells[0].clone(), tests.clone()));
        }
    }
    rows
}

/// Each rule and each vector names its tests, and they exist: in `tests/it`, or beside the code with their module.
#[test]
fn tests_of_rules_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let semantics = fs::read_dir(root.join("semantics")).unwrap().map(|entry| entry.unwrap().path());
    let (beside, outside) = (tests_of("src"), tests_of("tests/it"));
    let exists = |name: &str| match name.split_once("::") {
        Some((module, name)) => beside.iter().chain(&outside).any(|(of, test)| (&**of, &**test) == (module, name)),
        None => outside.iter().any(|(_, test)| test == name),
    };
    let (mut wrong, mut named) = (Vec::new(), 0);
    for path in semantics.chain([root.join("vectors.md")]) {
        for (id, tests) in rows_with_tests(&fs::read_to_string(&path).unwrap()) {
            let cited: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
            named += cited.len();
            let is_rule = SHEETS.iter().any(|sheet| id.starts_with(sheet)) || id.starts_with('V');
            if cited.is_empty() && is_rule && !UNTESTED.iter().any(|(untested, _)| *untested == id) {
                wrong.push(format!("{}: {id} has no test", path.display()));
            }
            let missing = cited.iter().filter(|name| !exists(name));
            wrong.extend(missing.map(|name| format!("{}: {id}: there is no test {name}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(named > 300, "{named} names were found: the tables are read wrongly");
}

#[test]
fn forms_of_ids() {
    for (id, accepted) in [
        ("E6", true),
        ("$5", true),
        ("SF2", true),
        ("SF11", true),
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
