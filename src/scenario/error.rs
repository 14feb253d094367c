//! What is wrong with a scenario: problems with their places, and how they print.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use annotate_snippets::{Level, Renderer};

use super::excerpt::{self, excerpt};

/// How many problems are printed in full.
const PRINTED: usize = 50;
/// How many problems are kept; a file with more is hardly a scenario.
const KEPT: usize = 1_000;
/// Longest piece of the user's text that a message repeats, in characters.
const QUOTED: usize = 60;

/// A stretch of one of the texts that a scenario is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Which text: 0 is the file, n the n-th `--set`.
    pub(crate) source: u32,
    /// First byte.
    pub(crate) start: u32,
    /// Byte after the last.
    pub(crate) end: u32,
}

impl Place {
    /// The file, where a file has no better place.
    pub(crate) const FILE: Self = Self { source: 0, start: 0, end: 0 };

    /// A stretch of bytes.
    pub(crate) fn new(source: u32, start: usize, end: usize) -> Self {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { source, start: clamp(start), end: clamp(end) }
    }

    /// Whether it lies in the scenario file rather than on the command line.
    pub(crate) fn in_file(self) -> bool {
        self.source == 0
    }
}

/// A text with its name: the scenario file, or a `--set`.
#[derive(Clone, Debug)]
pub(crate) struct SourceText {
    /// `image.yaml`, or `--set #1`.
    pub(crate) name: String,
    /// The text that places point into.
    pub(crate) text: Arc<str>,
}

/// What sort of mistake a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text is not YAML, or not text.
    Syntax,
    /// The file is too large, too deep, or expands to too much.
    Limit,
    /// No such key.
    UnknownKey,
    /// The same key or name twice.
    Duplicate,
    /// A required key is not there.
    MissingKey,
    /// A list where a mapping is due, and the like.
    WrongType,
    /// A value that cannot be read: a missing unit, an unknown word.
    InvalidValue,
    /// A value beyond its limits.
    OutOfRange,
    /// A name that nothing in the scenario has.
    UnknownName,
    /// Values that do not go together.
    Contradiction,
    /// A file that the scenario names.
    File,
    /// A `--set` that cannot be applied.
    Override,
    /// An expectation that cannot be judged.
    Expectation,
}

/// One mistake in a scenario: what, where, what was expected, and what helps.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem(Box<Details>);

#[derive(Clone, Debug, PartialEq)]
struct Details {
    kind: ProblemKind,
    place: Place,
    key: String,
    message: String,
    expected: Option<String>,
    help: Vec<String>,
    related: Option<(Place, String)>,
    file: String,
    line: usize,
    column: usize,
}

impl Problem {
    /// A problem at a place; `message` says what was found.
    pub(crate) fn new(kind: ProblemKind, place: Place, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            place,
            key: String::new(),
            message: message.into(),
            expected: None,
            help: Vec::new(),
            related: None,
            file: String::new(),
            line: 0,
            column: 0,
        }))
    }

    /// Names the key it is about.
    #[must_use]
    pub(crate) fn at_key(mut self, key: impl fmt::Display) -> Self {
        self.0.key = key.to_string();
        self
    }

    /// Says what was expected instead.
    #[must_use]
    pub fn with_expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help.push(help.into());
        self
    }

    /// Adds a hint where there is one.
    #[must_use]
    pub(crate) fn with_help_if(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.with_help(help),
            None => self,
        }
    }

    /// Shows a second place that belongs to the mistake.
    #[must_use]
    pub(crate) fn with_related(mut self, place: Place, label: impl Into<String>) -> Self {
        self.0.related = Some((place, label.into()));
        self
    }

    /// What sort of mistake it is.
    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    /// The key, as a dotted path; empty for the file as a whole.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// What was found.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What was expected.
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// Hints, most useful first.
    pub fn help(&self) -> &[String] {
        &self.0.help
    }

    /// The file or flag it is in.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// Its line, 1 = first.
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// Its column in characters, 1 = first.
    pub fn column(&self) -> usize {
        self.0.column
    }

    /// Finds its line and column; `lines` are the places where the lines of each source begin.
    fn locate(&mut self, sources: &[SourceText], lines: &[Vec<usize>]) {
        let index = self.0.place.source as usize;
        let source = &sources[index];
        self.0.file.clone_from(&source.name);
        (self.0.line, self.0.column) = excerpt::position(&source.text, &lines[index], self.0.place);
    }

    fn render(&self, sources: &[SourceText], renderer: &Renderer) -> String {
        let label = self.0.expected.as_ref().map(|expected| format!("expected {expected}"));
        let excerpts = [excerpt(sources, self.0.place, label.as_deref(), self.0.related.as_ref())];
        let mut group = Level::ERROR.primary_title(self.0.message.as_str()).elements(excerpts);
        if let Some((place, label)) = self.0.related.as_ref().filter(|(place, _)| place.source != self.0.place.source) {
            group = group.element(excerpt(sources, *place, Some(label), None));
        }
        if !self.0.key.is_empty() {
            group = group.element(Level::NOTE.with_name("key").message(self.0.key.as_str()));
        }
        for help in &self.0.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// Everything that is wrong with a scenario, in the order of the text.
#[derive(Clone, Debug)]
pub struct ScenarioError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    sources: Arc<[SourceText]>,
    problems: Vec<Problem>,
}

impl ScenarioError {
    /// Sorts the problems by place, each once.
    pub(crate) fn new(sources: Arc<[SourceText]>, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.0.place.source, problem.0.place.start, problem.0.place.end));
        problems.dedup();
        let lines = sources.iter().map(|source| excerpt::lines(&source.text)).collect::<Vec<_>>();
        for problem in &mut problems {
            problem.locate(&sources, &lines);
        }
        Self(Box::new(Inner { sources, problems }))
    }

    /// The problems, sorted by place: first the file, then the overrides.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// The full text; `color` adds terminal colours.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let inner = &*self.0;
        let mut text = String::new();
        for problem in inner.problems.iter().take(PRINTED) {
            text.push_str(&problem.render(&inner.sources, &renderer));
            text.push_str("\n\n");
        }
        if let Some(more) = inner.problems.len().checked_sub(PRINTED).filter(|more| *more > 0) {
            let _ = write!(text, "and {more} more\n\n");
        }
        let count = inner.problems.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        let more = if count >= KEPT { " or more" } else { "" };
        let _ = write!(text, "{count}{more} {plural} in {}", inner.sources[0].name);
        text
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ScenarioError {}

/// Problems while they are collected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one. The same mistake reached by two ways (an alias, a change) is reported once.
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.is_full() {
            return;
        }
        let same = |other: &Problem| other.0.place == problem.0.place && other.0.message == problem.0.message;
        if !self.0.iter().any(same) {
            self.0.push(problem);
        }
    }

    /// Whether a key under this path is unknown: what is missing there may be misspelt.
    pub(crate) fn misspelt(&self, path: &str) -> bool {
        let under = |key: &str| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.0.iter().any(|problem| problem.0.kind == ProblemKind::UnknownKey && under(&problem.0.key))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no more are kept, so that looking for them is in vain.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= KEPT
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// The user's text in a message: between backquotes, short, without control characters.
pub(crate) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).flat_map(printable).collect();
    if text.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Escapes what would disturb a terminal, and nothing else.
fn printable(character: char) -> Vec<char> {
    if matches!(character, '\'' | '"' | '\\') { vec![character] } else { character.escape_debug().collect() }
}

/// The candidate nearest to what was written, where one is near enough.
pub(crate) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    let folded = text.to_lowercase().replace(['-', ' '], "_");
    let mut best: Option<((usize, bool), &str)> = None;
    for candidate in candidates {
        let name = candidate.to_lowercase().replace('-', "_");
        let begun = folded.len() >= 3 && name.starts_with(&folded);
        let distance = if begun { 1 } else { strsim::damerau_levenshtein(&folded, &name) };
        let allowed = (candidate.chars().count().max(3)) / 3;
        // Of two that are as near, the one with the same first letter.
        let rank = (distance, candidate.chars().next() != folded.chars().next());
        let alike = distance < folded.chars().count().max(name.chars().count());
        if alike && distance <= allowed && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "did you mean", where something is near.
pub(crate) fn did_you_mean<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(text, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either_of(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
