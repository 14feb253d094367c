//! Settings that change while it runs: each entry is applied to the tree in order of time, and what it touches is
//! read again.

use super::{Builder, account};
use crate::aws::config::{Change, ChangeAction};
use crate::aws::ids::{CallerId, FunctionId, Id};
use crate::kernel::time::SimTime;
use crate::scenario::error::{Place, Problem, ProblemKind, did_you_mean, quote};
use crate::scenario::keys::tables;
use crate::scenario::resolve::{Path, Resolved, Resolver};
use crate::scenario::set;
use crate::scenario::tree::{Entry, Kind, Node};

/// What one setting touches, in the order of the resulting actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Account,
    Function(FunctionId),
    Client(CallerId),
}

/// The state of the settings while the entries are read in order of time.
struct Timeline {
    root: Node,
    typical: bool,
    account: Resolved,
    functions: Vec<Resolved>,
}

impl Builder<'_> {
    /// The changes in file order; `tree` and `root` are the settings at the start.
    pub(crate) fn changes(&mut self, tree: &Node, root: &Resolved, typical: bool) -> Option<Vec<Change>> {
        let functions = root.field("functions").named().iter().map(|named| named.block.clone()).collect::<Vec<_>>();
        let mut timeline = Timeline { root: tree.clone(), typical, account: root.field("account").clone(), functions };
        let blocks = timeline.functions.iter().collect::<Vec<_>>();
        self.combinations(&timeline.account, &blocks);
        let entries = root.field("changes").list();
        let mut order = (0..entries.len()).collect::<Vec<_>>();
        order.sort_by_key(|index| entries[*index].field("at").moment());
        let mut actions: Vec<Option<Vec<Change>>> = entries.iter().map(|_| None).collect();
        for index in order {
            actions[index] = self.change(&mut timeline, &entries[index]);
        }
        let actions = actions.into_iter().collect::<Option<Vec<_>>>()?;
        Some(actions.into_iter().flatten().collect())
    }

    fn change(&mut self, timeline: &mut Timeline, entry: &Resolved) -> Option<Vec<Change>> {
        let at = entry.field("at").moment();
        let (set, deploy) = (entry.field("set"), entry.field("deploy"));
        if set.is_without() && deploy.is_without() {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, entry.place, "this entry changes nothing")
                    .at_key(&entry.path)
                    .with_expected("`set` or `deploy`")
                    .with_help("write for example `set: {functions.resize.reserved_concurrency: 200}`"),
            );
        }
        let deploy = deploy.optional(|function| self.function_id(function).map(ChangeAction::Deploy));
        let mut actions = Vec::new();
        if !set.is_without() {
            actions = self.settings(timeline, set)?;
        }
        actions.extend(deploy?);
        let at: SimTime = at?;
        Some(actions.into_iter().map(|action| Change { at, action }).collect())
    }

    fn settings(&mut self, timeline: &mut Timeline, set: &Resolved) -> Option<Vec<ChangeAction>> {
        let before = self.problems.len();
        let mut touched: Vec<(Touched, Place)> = Vec::new();
        for entry in set.settings() {
            let path = set.path.key(&entry.name);
            let applied = self.touches(timeline, entry).and_then(|touches| {
                set::apply_setting(&mut timeline.root, entry)?;
                Ok(touches)
            });
            match applied {
                Ok(touches) if touched.iter().any(|(other, _)| *other == touches) => {}
                Ok(touches) => touched.push((touches, entry.place)),
                Err(problem) => self.problems.push(problem.at_key(path)),
            }
        }
        touched.sort_by_key(|(touches, _)| *touches);
        let actions = touched.into_iter().map(|(touches, _)| self.reread(timeline, touches, &set.path));
        let actions = actions.collect::<Vec<_>>();
        if self.problems.len() == before {
            let blocks = timeline.functions.iter().collect::<Vec<_>>();
            self.combinations(&timeline.account, &blocks);
        }
        actions.into_iter().collect()
    }

    /// What a path belongs to, if it can change at all.
    fn touches(&self, timeline: &Timeline, entry: &Entry) -> Result<Touched, Problem> {
        let steps = set::split(&entry.name);
        let problem = |kind, message: String| Problem::new(kind, entry.place, message);
        let missing = |what: &str, name: &str, known: Vec<&str>| {
            problem(ProblemKind::UnknownName, format!("there is no {what} {}", quote(name)))
                .with_expected(format!("the name of a {what}"))
                .with_help_if(did_you_mean(name, known))
        };
        match steps.as_slice() {
            ["account", _, ..] => Ok(Touched::Account),
            ["functions", name, _, ..] => {
                let known = self.names.functions.iter().map(|name| &*name.text).collect::<Vec<_>>();
                let index = known.iter().position(|known| known == name);
                index
                    .map(|index| Touched::Function(FunctionId::from_index(index)))
                    .ok_or_else(|| missing("function", name, known))
            }
            ["callers", name, "client", ..] => {
                let known = self.names.callers.iter().map(|name| &*name.text).collect::<Vec<_>>();
                let index = known.iter().position(|known| known == name);
                index
                    .map(|index| Touched::Client(CallerId::from_index(index)))
                    .ok_or_else(|| missing("caller", name, known))
            }
            [first, ..] => {
                let known = matches!(&timeline.root.kind, Kind::Map(_)) && tables::SCENARIO.key(first).is_some();
                Err(if known {
                    problem(ProblemKind::InvalidValue, format!("{} cannot change while it runs", quote(&entry.name)))
                        .with_expected("a key under `account`, `functions.NAME` or `callers.NAME.client`")
                } else {
                    problem(ProblemKind::UnknownKey, format!("{} is no key of a scenario", quote(&entry.name)))
                        .with_expected("a key under `account`, `functions.NAME` or `callers.NAME.client`")
                        .with_help_if(did_you_mean(first, ["account", "functions", "callers"]))
                })
            }
            [] => Err(problem(ProblemKind::InvalidValue, "the path is empty".to_owned())),
        }
    }

    /// Reads the settings of a resource again.
    fn reread(&mut self, timeline: &mut Timeline, touches: Touched, prefix: &Path) -> Option<ChangeAction> {
        let path = match touches {
            Touched::Account => vec!["account"],
            Touched::Function(id) => vec!["functions", &self.names.functions[id.index()].text],
            Touched::Client(id) => vec!["callers", &self.names.callers[id.index()].text, "client"],
        };
        let shape = match touches {
            Touched::Account => &tables::ACCOUNT_SHAPE,
            Touched::Function(_) => &tables::FUNCTIONS,
            Touched::Client(_) => &tables::CLIENT_SHAPE,
        };
        let (mut entry, mut key) = (None, prefix.clone());
        let mut node = &timeline.root;
        for step in &path {
            entry = node.get(step);
            key = key.key(step);
            node = &entry?.value;
        }
        let mut resolver = Resolver { typical: timeline.typical, problems: &mut *self.problems };
        let resolved = resolver.value(entry?, shape, key);
        match touches {
            Touched::Account => {
                timeline.account = resolved;
                account(&timeline.account).map(ChangeAction::Account)
            }
            Touched::Function(id) => {
                let named = crate::scenario::resolve::Named {
                    name: self.names.functions[id.index()].text.clone(),
                    place: resolved.place,
                    block: resolved,
                };
                let function = self.function(id.index(), &named);
                timeline.functions[id.index()] = named.block;
                function.map(|function| ChangeAction::Function(id, Box::new(function)))
            }
            Touched::Client(id) => self.client(&resolved).map(|client| ChangeAction::Client(id, Box::new(client))),
        }
    }
}
