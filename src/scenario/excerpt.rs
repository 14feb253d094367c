//! Places in texts: their lines and columns, and how they are shown; and what is said of a value beside mistakes.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Source;
use super::error::{Place, SourceText};

/// Something to be said of a key of a scenario that is no mistake. It prints as a mistake does, but as a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What sort of remark it is, for programs: `few-receives`.
    pub id: String,
    /// What there is to say.
    pub message: String,
    /// The key that it is about, as a dotted path.
    pub key: String,
    /// What is added, each with its name: a reason, a source.
    pub notes: Vec<(&'static str, String)>,
    /// What can be done.
    pub help: Vec<String>,
}

/// Where a key is written, or the nearest key above that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file, or the `--set`.
    pub file: String,
    /// Its line, 1 = first.
    pub line: usize,
    /// Its column in characters, 1 = first.
    pub column: usize,
}

impl Source {
    /// Where a key is written, or the nearest key above that is; of what is not written at all the start of the file.
    pub fn position(&self, key: &str) -> Position {
        let place = self.find(key).0;
        let source = &self.texts[place.source as usize];
        let (line, column) = position(&source.text, &lines(&source.text), place);
        Position { file: source.name.clone(), line, column }
    }

    /// A remark with the lines around its key; `color` adds terminal colours.
    pub fn render(&self, remark: &Remark, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let title = Level::WARNING.primary_title(remark.message.as_str()).id(remark.id.as_str());
        let mut group = title.element(excerpt(&self.texts, self.find(&remark.key).0, None, None));
        group = group.element(Level::NOTE.with_name("key").message(remark.key.as_str()));
        for (name, note) in &remark.notes {
            group = group.element(Level::NOTE.with_name(*name).message(note.as_str()));
        }
        for help in &remark.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// Where the lines of a text begin.
pub(super) fn lines(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// Line and column of the start of a place, from 1 on; `lines` are the places where the lines begin.
pub(super) fn position(text: &str, lines: &[usize], place: Place) -> (usize, usize) {
    let start = boundary(text, place.start as usize);
    let line = lines.partition_point(|begin| *begin <= start);
    let begin = lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
    (line.max(1), text[begin..start].chars().count() + 1)
}

/// The lines around a place, with the place underlined.
pub(super) fn excerpt<'a>(
    sources: &'a [SourceText],
    place: Place,
    label: Option<&'a str>,
    related: Option<&'a (Place, String)>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = &sources[place.source as usize];
    let text: &str = &source.text;
    let related = related.filter(|(other, _)| other.source == place.source);
    let first = related.map_or(place.start, |(other, _)| other.start.min(place.start)) as usize;
    let last = related.map_or(place.start, |(other, _)| other.start.max(place.start)) as usize;
    let (from, to) = (line_start(text, boundary(text, first)), line_end(text, boundary(text, last)));
    let line = text[..from].bytes().filter(|byte| *byte == b'\n').count() + 1;
    let span = |place: Place| {
        let start = boundary(text, place.start as usize);
        let end = boundary(text, place.end as usize).clamp(start, line_end(text, start));
        start - from..end - from
    };
    let mut snippet = Snippet::source(&text[from..to]).line_start(line).path(source.name.as_str()).fold(true);
    snippet = snippet.annotation(AnnotationKind::Primary.span(span(place)).label(label));
    if let Some((other, label)) = related {
        snippet = snippet.annotation(AnnotationKind::Context.span(span(*other)).label(label.as_str()));
    }
    snippet
}

/// The nearest place at or before `at` where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    if end > at && text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
}
