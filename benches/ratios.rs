//! Runs works (a), (b), (c), (e), (m) and (r) through the scenario language with all statistics on, in turn with a
//! yardstick, and prints the time per invocation and the ratio; (e), asynchronous events, (m), messages in batches of
//! ten, and (r), records of a stream in batches of a hundred, are compared with the yardstick's (b). Absolute times differ from machine to machine and from minute to
//! minute; ratios of one run are what speed is judged by. Work (s) is (r) over 1, 100 and 1,000 shards, 100 records a
//! second and shard, compared with one shard.
//!
//! ```text
//! cargo run --release --example ratios                                   against the textbook loop of `common/textbook.rs`
//! cargo run --release --example ratios -- --yardstick ../yardstick       against a yardstick package as well
//! cargo run --release --example ratios -- --n 2000000 --reps 3 --fns 1000 --work c
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

#[path = "common/clock.rs"]
mod clock;
#[path = "common/textbook.rs"]
mod textbook;
#[path = "common/works.rs"]
mod works;

use std::path::{Path, PathBuf};
use std::process::Command;

use lambdasim::run;
use lambdasim::scenario;

/// What the command line says.
struct Options {
    invocations: u64,
    repetitions: usize,
    functions: u64,
    works: Vec<char>,
    yardstick: Option<PathBuf>,
}

fn main() {
    let options = options();
    let yardstick = options.yardstick.as_deref().map(build_yardstick);
    println!("{:<22} {:>12} {:>12} {:>8}", "work", "ours ns", "theirs ns", "ratio");
    for work in &options.works {
        if *work == 's' {
            compare_shards(&options);
            continue;
        }
        let text = match work {
            'a' => works::a(options.invocations),
            'b' => works::b(options.invocations),
            'e' => works::events(options.invocations),
            'm' => works::messages(options.invocations),
            'r' => works::records(options.invocations),
            _ => works::c(options.invocations, options.functions),
        };
        if let Some(program) = &yardstick {
            compare(
                &format!("{work}, yardstick"),
                &options,
                || ours(&text),
                || theirs(program, if matches!(work, 'e' | 'm' | 'r') { 'b' } else { *work }, &options),
            );
        }
        if *work == 'b' {
            compare("b, textbook", &options, || ours(&text), || textbook_loop(&options));
        }
    }
}

fn options() -> Options {
    let words: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let position = words.iter().position(|word| word == name)?;
        Some(words.get(position + 1).unwrap_or_else(|| panic!("{name} takes a value")).as_str())
    };
    let number = |name: &str, default: u64| {
        value(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} takes a whole number")))
    };
    Options {
        invocations: number("--n", 20_000_000),
        repetitions: usize::try_from(number("--reps", 5)).expect("few repetitions"),
        functions: number("--fns", 100),
        works: value("--work").unwrap_or("abcemrs").chars().collect(),
        yardstick: value("--yardstick").map(PathBuf::from),
    }
}

/// Records of many shards, beside as many of one.
fn compare_shards(options: &Options) {
    let one = works::records_of(options.invocations, 1, 100);
    for shards in [1, 100, 1_000] {
        let many = works::records_of(options.invocations, shards, 100);
        compare(&format!("s, {shards} shards, 1 shard"), options, || ours(&many), || ours(&one));
    }
}

/// Takes both in turn, so that what else the machine does strikes both, and prints the medians.
fn compare(name: &str, options: &Options, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) {
    let (mut mine, mut other): (Vec<f64>, Vec<f64>) = (0..options.repetitions).map(|_| (ours(), theirs())).unzip();
    mine.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let (mine, other) = (mine[mine.len() / 2], other[other.len() / 2]);
    println!("{name:<22} {mine:>12.2} {other:>12.2} {:>8.2}", mine / other);
}

/// Nanoseconds per invocation of a scenario, from its text to its summary.
fn ours(text: &str) -> f64 {
    let (summary, elapsed) = clock::timed(|| {
        let loaded = scenario::parse("work.yaml", text.as_bytes(), Path::new("."), &[])
            .unwrap_or_else(|error| panic!("{error}"));
        run::run(&loaded.scenario).expect("the works end")
    });
    let submitted: u64 = summary.callers.rows().map(|caller| caller.submitted).sum();
    elapsed as f64 / submitted as f64
}

fn textbook_loop(options: &Options) -> f64 {
    let (counts, elapsed) = clock::timed(|| textbook::work_b(options.invocations, 1));
    elapsed as f64 / (counts.served + counts.throttled) as f64
}

/// Builds the yardstick outside of its own folder, which may be read-only.
fn build_yardstick(package: &Path) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("yardstick");
    let copy = target.join("package");
    copy_folder(package, &copy);
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(copy.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the yardstick does not build");
    target.join("release").join("yardstick")
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder for the yardstick");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a file of the yardstick");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            let content = std::fs::read(entry.path()).expect("a file of the yardstick");
            std::fs::write(target, content).expect("a copy of it");
        }
    }
}

/// Nanoseconds per invocation that the yardstick prints for itself.
fn theirs(program: &Path, work: char, options: &Options) -> f64 {
    let output = Command::new(program)
        .args(["--work", &work.to_string(), "--kernel", "fast", "--reps", "1"])
        .args(["--n", &options.invocations.to_string(), "--fns", &options.functions.to_string()])
        .output()
        .expect("the yardstick runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let words: Vec<&str> = text.split_whitespace().collect();
    let unit = words.iter().position(|word| *word == "ns/inv").expect("the yardstick prints its time");
    words[unit - 1].parse().expect("a number before its unit")
}
