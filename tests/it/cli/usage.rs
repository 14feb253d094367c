//! How the program is used, and streams that do not work.

use std::io;

use super::*;

#[test]
fn a_reader_that_leaves_is_no_error() {
    let room = Room::new();
    for line in
        ["run shop.yaml", "run shop.yaml --format json", "check shop.yaml", "sources", "schema", "man", "--help"]
    {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = room.command(line).stdout(writer).output().unwrap();
        Done { line: line.to_owned(), output }.exits(0);
    }
    assert_eq!(room.names(), RESULTS);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let room = Room::new();
    for line in ["run shop.yaml", "check shop.yaml", "sources", "schema", "--help"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = room.command(line).stdout(full).output().unwrap();
        Done { line: line.to_owned(), output }.exits(3).complains("cannot write to standard output");
    }
}

#[test]
fn usage_is_explained() {
    let room = Room::new();
    room.lambdasim("").exits(2).prints_nothing().complains("Usage: lambdasim").complains("check");
    room.lambdasim("--help").exits(0).prints("Exit status:").complains_of_nothing();
    room.lambdasim("--version").exits(0).prints(concat!("lambdasim ", env!("CARGO_PKG_VERSION")));
    room.lambdasim("rum shop.yaml").exits(2).complains("a similar subcommand exists: 'run'");
    room.lambdasim("run shop.yaml --sed 3").exits(2).complains("'--seed'");
    room.lambdasim("run").exits(2).complains("<SCENARIO>...");
    room.lambdasim("run shop.yaml --jobs 0").exits(2).complains("--jobs");
    room.lambdasim("run shop.yaml --format xml").exits(2).complains("text, json, csv");
    for command in
        ["run", "check", "compare", "sweep", "plan", "explain", "lint", "sources", "schema", "completions", "man"]
    {
        room.lambdasim(&format!("{command} --help")).exits(0).prints("Examples:").complains_of_nothing();
    }
}

#[test]
fn colour_is_asked_for_or_left_out() {
    let room = Room::new();
    let is_coloured = |line: &str| {
        let done = room.lambdasim(line);
        (done.stdout() + &done.stderr()).contains('\u{1b}')
    };
    for line in ["check shop.yaml", "run missing.yaml", "rum", "--help"] {
        assert!(!is_coloured(line), "{line}");
        assert!(!is_coloured(&format!("{line} --color=never")), "{line}");
        assert!(is_coloured(&format!("{line} --color=always")), "{line}");
    }
    assert!(!is_coloured("run shop.yaml --no-files --format json --color always"));
}

#[test]
fn schema_completions_and_manual_pages_are_printed() {
    let room = Room::new();
    let schema = room.lambdasim("schema").exits(0).json();
    jsonschema::validator_for(&schema).unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        room.lambdasim(&format!("completions {shell}")).exits(0).prints("lambdasim").prints("no-files");
    }
    room.lambdasim("completions tcsh").exits(2).complains("bash");
    room.lambdasim("man").exits(0).prints(".TH lambdasim 1").prints("completions");
    room.lambdasim("man run").exits(0).prints(".TH lambdasim-run 1").prints("no\\-files");
    room.lambdasim("man rum").exits(2).complains("run");
}

#[test]
fn help_reads_well() {
    let room = Room::new();
    for command in ["lambdasim", "run", "check", "compare", "sweep", "plan", "explain", "lint", "sources"] {
        let line = if command == "lambdasim" { "--help".to_owned() } else { format!("{command} --help") };
        insta::assert_snapshot!(format!("help_{command}"), room.lambdasim(&line).exits(0).stdout());
    }
}
