//! Values that replace others by their key path: `--set path=value`, and `set` of a change.

use std::sync::Arc;

use super::error::{Place, Problem, ProblemKind, Problems, quote};
use super::tree::{self, Entry, Kind, Node};

/// One step of a key path, with its place in the text of the path.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    text: Arc<str>,
    /// In brackets: an index, never a key.
    bracket: bool,
    place: Place,
}

/// Applies the `--set` overrides in order; the n-th has the source n.
pub(crate) fn apply(root: &mut Node, overrides: &[String], problems: &mut Problems) {
    for (index, text) in overrides.iter().enumerate() {
        let source = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if let Err(problem) = override_with(root, text, source, problems) {
            problems.push(problem);
        }
    }
}

fn override_with(root: &mut Node, text: &str, source: u32, problems: &mut Problems) -> Result<(), Problem> {
    let problem = |start: usize, end: usize, message: &str| {
        Problem::new(ProblemKind::Override, Place::new(source, start, end), message)
            .with_help("write for example `--set functions.resize.memory=512MB`")
    };
    let Some(equals) = text.find('=') else {
        return Err(problem(0, text.len(), "there is no `=`").with_expected("`path=value`"));
    };
    let (path, value) = (&text[..equals], &text[equals + 1..]);
    if text.len() > tree::BYTES_MAX || value.trim().is_empty() {
        return Err(problem(equals, equals + 1, "there is no value").with_expected("a value after the `=`"));
    }
    let steps = steps(path, Place::new(source, 0, equals), true)?;
    let value = tree::read(value, source, equals + 1, problems)?;
    set(root, path, &steps, value)
}

/// Applies one setting of a change.
pub(crate) fn apply_setting(root: &mut Node, entry: &Entry) -> Result<(), Problem> {
    // The steps have places of their own where the key is written without quotes and escapes.
    let exact = (entry.place.end - entry.place.start) as usize == entry.name.len();
    let steps = steps(&entry.name, entry.place, exact)?;
    set(root, &entry.name, &steps, entry.value.clone())
}

/// The first steps of a path.
pub(crate) fn split(path: &str) -> Vec<&str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect()
}

/// Takes a path apart: `functions.resize.failures[0].probability`.
fn steps(path: &str, whole: Place, exact: bool) -> Result<Vec<Step>, Problem> {
    let mut steps = Vec::new();
    let bytes = path.as_bytes();
    let mut at = 0;
    loop {
        let bracket = bytes.get(at) == Some(&b'[');
        let start = at + usize::from(bracket);
        let length = path[start..].find(|letter: char| matches!(letter, '.' | '[' | ']'));
        let end = length.map_or(path.len(), |length| start + length);
        let place = |from: usize, to: usize| {
            if exact { Place::new(whole.source, whole.start as usize + from, whole.start as usize + to) } else { whole }
        };
        let text = &path[start..end];
        let closed = !bracket || bytes.get(end) == Some(&b']');
        if text.is_empty() || !closed || (bracket && text.parse::<usize>().is_err()) {
            let message = format!("{} is not a key path", quote(path));
            return Err(Problem::new(ProblemKind::Override, place(at, end.max(at + 1)), message)
                .with_expected("keys with dots between them, list items as `[0]`"));
        }
        steps.push(Step { text: text.into(), bracket, place: place(start, end) });
        at = end + usize::from(bracket);
        match bytes.get(at) {
            None => return Ok(steps),
            Some(b'.') => at += 1,
            Some(b'[') => {}
            Some(_) => {
                let message = format!("{} is not a key path", quote(path));
                return Err(Problem::new(ProblemKind::Override, place(at, at + 1), message));
            }
        }
    }
}

/// Puts `value` at the end of the path; mappings on the way that do not exist are made.
fn set(root: &mut Node, path: &str, steps: &[Step], value: Node) -> Result<(), Problem> {
    let mut node = root;
    for (depth, step) in steps.iter().enumerate() {
        node = descend(node, step, &path[..prefix(path, depth)])
            .map_err(|problem| if problem.key().is_empty() { problem.at_key(path) } else { problem })?;
    }
    *node = value;
    Ok(())
}

/// One step down; `so_far` is the path of `node`.
fn descend<'n>(node: &'n mut Node, step: &Step, so_far: &str) -> Result<&'n mut Node, Problem> {
    let place = step.place;
    let problem = |message: String| Problem::new(ProblemKind::Override, place, message);
    if matches!(node.kind, Kind::Null) {
        node.kind = if step.bracket { Kind::List(Vec::new()) } else { Kind::Map(Vec::new()) };
    }
    match &mut node.kind {
        Kind::List(items) => {
            let length = items.len();
            let Some(index) = step.text.parse::<usize>().ok().filter(|index| *index <= length) else {
                let message = format!("{} has no item {}", quote(so_far), quote(&step.text));
                return Err(problem(message).with_expected(match length {
                    0 => "`0`: the list is empty".to_owned(),
                    length => format!("an index from 0 to {}, or {length} for a new item", length - 1),
                }));
            };
            if index == length {
                items.push(Node { place, kind: Kind::Null });
            }
            Ok(&mut items[index])
        }
        Kind::Map(_) if step.bracket => Err(problem(format!("{} is not a list", quote(so_far)))),
        Kind::Map(entries) => {
            let found = entries.iter().position(|entry| entry.name == step.text);
            let index = found.unwrap_or_else(|| {
                let value = Node { place, kind: Kind::Null };
                entries.push(Entry { name: step.text.clone(), place, value });
                entries.len() - 1
            });
            Ok(&mut entries[index].value)
        }
        Kind::Scalar(text) => Err(problem(format!("{} is {}, which has no keys", quote(so_far), quote(text)))
            .with_help(format!("replace it as a whole: `{so_far}={{..}}`"))),
        Kind::Null => unreachable!("it has just been made a collection"),
    }
}

/// Length of the first `steps` steps of a path.
fn prefix(path: &str, steps: usize) -> usize {
    let starts = path.char_indices().filter(|(_, letter)| matches!(letter, '.' | '['));
    if steps == 0 {
        return 0;
    }
    starts.map(|(at, _)| at).nth(steps - 1).unwrap_or(path.len())
}
