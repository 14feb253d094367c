//! YAML text as a tree of mappings, lists and scalars, each with its place.
//!
//! The parser of serde-saphyr gives events with their places; this file puts them together. It resolves anchors,
//! aliases and merge keys, reports keys that are written twice, and bounds what a hostile file can cost.
#![allow(clippy::wildcard_enum_match_arm, reason = "the events of the parser are another crate's, and open")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle,
};

use super::error::{Place, Problem, ProblemKind, Problems, did_you_mean, quote};

/// Largest scenario file, in bytes.
pub(crate) const BYTES_MAX: usize = 16 << 20;
/// Deepest nesting, aliases included.
const DEPTH_MAX: usize = 48;
/// Most values, aliases included.
const NODES_MAX: usize = 1_000_000;
/// Most text, aliases included, in bytes.
const TEXT_MAX: usize = 2 * BYTES_MAX;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where it is written; of a block collection, where it begins.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Nothing at all, `~` or `null`.
    Null,
    /// A text, as written but for quotes and escapes.
    Scalar(Arc<str>),
    /// A list.
    List(Vec<Node>),
    /// A mapping in file order, each key once.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) name: Arc<str>,
    /// Where the key is written.
    pub(crate) place: Place,
    /// Its value.
    pub(crate) value: Node,
}

impl Node {
    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| &*entry.name == name),
            Kind::Null | Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Whether it is this word, or a mapping with this key.
    pub(crate) fn names(&self, word: &str) -> bool {
        match &self.kind {
            Kind::Scalar(text) => **text == *word,
            Kind::Map(entries) => entries.iter().any(|entry| &*entry.name == word),
            Kind::Null | Kind::List(_) => false,
        }
    }

    /// What it is, for messages.
    pub(crate) fn what(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Scalar(text) => quote(text),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The same value as if it were written at `place`.
    pub(crate) fn moved_to(mut self, place: Place) -> Self {
        self.place = place;
        self.kind = match self.kind {
            Kind::List(items) => Kind::List(items.into_iter().map(|item| item.moved_to(place)).collect()),
            Kind::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|entry| Entry { name: entry.name, place, value: entry.value.moved_to(place) })
                    .collect(),
            ),
            kind @ (Kind::Null | Kind::Scalar(_)) => kind,
        };
        self
    }
}

/// Reads one document. Problems that leave a usable tree go to `problems`; others are the error.
///
/// `offset` is where `text` begins in the source that places refer to.
pub(crate) fn read(text: &str, source: u32, offset: usize, problems: &mut Problems) -> Result<Node, Problem> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    options.emit_anchor_events = true;
    options.flow_nesting_limit = DEPTH_MAX;
    options.block_nesting_limit = DEPTH_MAX;
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        ahead: None,
        text,
        source,
        offset,
        anchors: BTreeMap::new(),
        names: Vec::new(),
        nodes: 0,
        text_bytes: 0,
        trail: Vec::new(),
        problems,
    };
    reader.document()
}

/// A node that aliases repeat.
struct Anchor {
    node: Node,
    nodes: usize,
    text: usize,
    depth: usize,
}

struct Reader<'a, 'p> {
    parser: Parser<'a, StrInput<'a>>,
    ahead: Option<(Event<'a>, Span)>,
    text: &'a str,
    source: u32,
    offset: usize,
    /// Finished anchored nodes; an alias inside its own anchor finds none.
    anchors: BTreeMap<usize, Anchor>,
    /// Names of all anchors so far.
    names: Vec<String>,
    nodes: usize,
    text_bytes: usize,
    /// Keys and indexes down to the node that is being read.
    trail: Vec<Step>,
    problems: &'p mut Problems,
}

enum Step {
    Key(Arc<str>),
    Index(usize),
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Result<Node, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(self
                        .problem(ProblemKind::Syntax, &span, "a second document begins here")
                        .with_expected("one document, the scenario")
                        .with_help("put each scenario in a file of its own"));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, &span, 0)?.0);
                }
                _ => break,
            }
        }
        let nothing = Node { place: Place::new(self.source, self.offset, self.offset), kind: Kind::Null };
        Ok(root.unwrap_or(nothing))
    }

    /// The next event that is not about an anchor's name.
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        if let Some(event) = self.ahead.take() {
            return Ok(event);
        }
        loop {
            match self.parser.next_event() {
                None => return Ok((Event::StreamEnd, Span::default())),
                Some(Ok((Event::Anchor(_, name), _))) => self.names.push(name.into_owned()),
                Some(Ok(event)) => return Ok(event),
                Some(Err(error)) => return Err(self.syntax(&error)),
            }
        }
    }

    /// A value and its depth: 1 for a scalar.
    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<(Node, usize), Problem> {
        let before = (self.nodes, self.text_bytes);
        self.count(1, event.scalar().map_or(0, |(text, _)| text.len()), span)?;
        if let Some(tag) = event.tag().filter(|tag| !tag.is_yaml_core_schema()) {
            let message = format!("the tag {} means nothing here", quote(&tag.original()));
            self.problems.push(self.problem(ProblemKind::Syntax, span, &message).with_help("leave it out"));
        }
        let anchor = event.anchor_id();
        let place = self.place(span);
        let (node, height) = match event {
            Event::Scalar(text, style, ..) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let kind = if null { Kind::Null } else { Kind::Scalar(text.into()) };
                (Node { place, kind }, 1)
            }
            Event::SequenceStart(style, ..) => self.list(place, style, depth)?,
            Event::MappingStart(style, ..) => self.map(place, style, depth)?,
            Event::Alias(id) => self.alias(id, span, depth)?,
            Event::UnresolvedAlias(name) => {
                let message = format!("no anchor {} comes before this alias", quote(&format!("&{name}")));
                let help = did_you_mean(&name, self.names.iter().map(String::as_str));
                return Err(self.problem(ProblemKind::Syntax, span, &message).with_help_if(help));
            }
            _ => return Err(self.problem(ProblemKind::Syntax, span, "a value is missing here")),
        };
        if let Some(id) = anchor {
            let (nodes, text) = (self.nodes - before.0, self.text_bytes - before.1);
            let anchor = Anchor { node: node.clone(), nodes, text, depth: height };
            self.anchors.insert(id, anchor);
        }
        Ok((node, height))
    }

    fn list(&mut self, place: Place, style: StructureStyle, depth: usize) -> Result<(Node, usize), Problem> {
        let mut items = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let first = items.first().map(|item: &Node| item.place);
                let place = self.extent(place, style, &span, first);
                return Ok((Node { place, kind: Kind::List(items) }, height + 1));
            }
            self.trail.push(Step::Index(items.len()));
            let (item, below) = self.node(event, &span, depth + 1)?;
            self.trail.pop();
            height = height.max(below);
            items.push(item);
        }
    }

    fn map(&mut self, place: Place, style: StructureStyle, depth: usize) -> Result<(Node, usize), Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<Arc<str>, Place> = BTreeMap::new();
        let mut merges = Vec::new();
        let mut height = 0;
        let mut first = None;
        let end = loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break span;
            }
            let (key, plain) = self.key(event, &span)?;
            let key_place = self.place(&span);
            first = first.or(Some(key_place));
            let (event, span) = self.next()?;
            self.trail.push(Step::Key(key.clone()));
            let (value, below) = self.node(event, &span, depth + 1)?;
            self.trail.pop();
            height = height.max(below);
            if let Some(earlier) = seen.get(&key) {
                self.problems.push(
                    Problem::new(
                        ProblemKind::Duplicate,
                        key_place,
                        format!("the key {} is written twice", quote(&key)),
                    )
                    .at_key(self.path(&key))
                    .with_expected("each key once")
                    .with_related(*earlier, "first written here"),
                );
                continue;
            }
            seen.insert(key.clone(), key_place);
            if plain && &*key == "<<" {
                merges.push(value);
            } else {
                entries.push(Entry { name: key, place: key_place, value });
            }
        };
        for merge in merges {
            self.merge(merge, &mut entries, &mut seen);
        }
        let place = self.extent(place, style, &end, first);
        Ok((Node { place, kind: Kind::Map(entries) }, height + 1))
    }

    /// The path of a key of the mapping that is being read.
    fn path(&self, key: &str) -> String {
        let mut path = String::new();
        for step in &self.trail {
            match step {
                Step::Key(name) => path.extend([&**name, "."]),
                Step::Index(index) => {
                    path.truncate(path.strip_suffix('.').map_or(0, str::len));
                    let _ = write!(path, "[{index}].");
                }
            }
        }
        path + key
    }

    /// A key: a scalar, or an alias of one.
    fn key(&mut self, event: Event<'a>, span: &Span) -> Result<(Arc<str>, bool), Problem> {
        if let Event::Scalar(text, style, ..) = &event {
            let plain = *style == ScalarStyle::Plain;
            let text: Arc<str> = (&**text).into();
            self.node(event, span, 0)?;
            return Ok((text, plain));
        }
        if let Event::Alias(_) = &event
            && let (Node { kind: Kind::Scalar(text), .. }, _) = self.node(event, span, 0)?
        {
            return Ok((text, false));
        }
        Err(self
            .problem(ProblemKind::WrongType, span, "a key is a plain text, not a list or a mapping")
            .with_help("quote what holds braces: `\"{a}\"`"))
    }

    /// The keys of a merged mapping that are not written already.
    fn merge(&mut self, value: Node, entries: &mut Vec<Entry>, seen: &mut BTreeMap<Arc<str>, Place>) {
        match value.kind {
            Kind::Map(merged) => {
                for entry in merged {
                    if !seen.contains_key(&entry.name) {
                        seen.insert(entry.name.clone(), entry.place);
                        entries.push(entry);
                    }
                }
            }
            Kind::List(items) => {
                for item in items {
                    self.merge(item, entries, seen);
                }
            }
            Kind::Null | Kind::Scalar(_) => {
                let message = format!("a merge key takes mappings, not {}", value.what());
                let problem = Problem::new(ProblemKind::WrongType, value.place, message);
                self.problems.push(problem.with_expected("an alias such as `*base`, or a list of them"));
            }
        }
    }

    fn alias(&mut self, id: usize, span: &Span, depth: usize) -> Result<(Node, usize), Problem> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(self.problem(ProblemKind::Syntax, span, "this alias stands inside its own anchor"));
        };
        if depth + anchor.depth > DEPTH_MAX {
            return Err(self.too_deep(self.place(span)));
        }
        let (node, nodes, text, height) = (anchor.node.clone(), anchor.nodes, anchor.text, anchor.depth);
        self.count(nodes, text, span)?;
        Ok((node, height))
    }

    fn count(&mut self, nodes: usize, text: usize, span: &Span) -> Result<(), Problem> {
        self.nodes += nodes;
        self.text_bytes += text;
        let message = if self.nodes > NODES_MAX {
            format!("the file holds more than {NODES_MAX} values")
        } else if self.text_bytes > TEXT_MAX {
            format!("the values of the file hold more than {} MiB of text", TEXT_MAX >> 20)
        } else {
            return Ok(());
        };
        Err(self
            .problem(ProblemKind::Limit, span, &message)
            .with_expected("less, aliases counted each time they are used")
            .with_help("long lists of moments or durations can come from a CSV file: `trace`, `counts`, `empirical`"))
    }

    fn too_deep(&self, place: Place) -> Problem {
        let _ = self;
        Problem::new(ProblemKind::Limit, place, format!("the file is nested more than {DEPTH_MAX} levels deep"))
    }

    fn problem(&self, kind: ProblemKind, span: &Span, message: &str) -> Problem {
        Problem::new(kind, self.place(span), message)
    }

    fn place(&self, span: &Span) -> Place {
        let range = span.byte_range().unwrap_or(0..0);
        Place::new(self.source, range.start + self.offset, range.end + self.offset)
    }

    /// From the opening bracket to the closing one; of a block collection, its first element.
    fn extent(&self, place: Place, style: StructureStyle, end: &Span, first: Option<Place>) -> Place {
        match (style, first) {
            (StructureStyle::Block, Some(first)) => first,
            _ => Place { end: place.end.max(self.place(end).end), ..place },
        }
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let marker = error.marker();
        let at = marker.byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let place = Place::new(self.source, at + self.offset, at + self.offset + 1);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return self.too_deep(place);
        }
        let start = self.text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        // A scalar that a tab ends is refused where it begins: the tab is on a line further down.
        let lines = if error.info().contains("tab") { usize::MAX } else { 1 };
        if let Some(tab) = self.text.get(start..).and_then(|rest| indenting_tab(rest, lines)) {
            let at = self.offset + start + tab;
            let message = "this is not YAML: a tab indents this line";
            return Problem::new(ProblemKind::Syntax, Place::new(self.source, at, at + 1), message)
                .with_help("indent with spaces; YAML does not allow tabs");
        }
        let bracket = self.text[at..].starts_with('[') && error.info().contains("flow mapping");
        let quotes = "inside `{..}` a key path with `[` stands in quotes: `{\"functions.resize.calls[0].times\": 3}`";
        Problem::new(ProblemKind::Syntax, place, format!("this is not YAML: {}", error.info()))
            .with_help_if(bracket.then(|| quotes.to_owned()))
    }
}

/// The first tab in the indentation of one of the first lines.
fn indenting_tab(text: &str, lines: usize) -> Option<usize> {
    let mut begin = 0;
    for line in text.split_inclusive('\n').take(lines) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t').filter(|_| !line.trim().is_empty()) {
            return Some(begin + tab);
        }
        begin += line.len();
    }
    None
}
