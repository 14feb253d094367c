//! Settings that change while it runs: each entry is applied to the tree in order of time, and what it touches is
//! read again.

use super::checks::{UNRESERVED, claim};
use super::names::Resource;
use super::{Builder, account};
use crate::aws::config::{Change, ChangeAction};
use crate::aws::ids::{CallerId, FunctionId, Id};
use crate::kernel::time::SimTime;
use crate::scenario::error::{Problem, ProblemKind, did_you_mean, quote};
use crate::scenario::keys::{ResourceKind, tables};
use crate::scenario::resolve::{NAMED_MAX, Named, Path, Resolved, Resolver};
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
    /// What each function sets aside of the account's concurrency.
    claims: Vec<u64>,
}

impl Builder<'_> {
    /// The changes in file order; `tree` and `root` are the settings at the start.
    pub(crate) fn changes(&mut self, tree: &Node, root: &Resolved, typical: bool) -> Option<Vec<Change>> {
        let functions = root.field("functions").named().iter().map(|named| named.block.clone()).collect::<Vec<_>>();
        let claims = functions.iter().map(|block| claim(block).1).collect();
        let account = root.field("account").clone();
        let mut timeline = Timeline { root: tree.clone(), typical, account, functions, claims };
        for block in &timeline.functions {
            self.function_combinations(block);
        }
        self.concurrency_adds_up(&timeline.account, &timeline.functions);
        let entries = root.field("changes").list();
        if entries.len() > NAMED_MAX {
            let changes = root.field("changes");
            let message = format!("there are {} changes", entries.len());
            let problem = Problem::new(ProblemKind::Limit, changes.place, message).at_key(&changes.path);
            self.problems.push(problem.with_expected(format!("at most {NAMED_MAX}")));
            return None;
        }
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
        let mut touched: Vec<Touched> = Vec::new();
        for entry in set.settings() {
            let path = set.path.key(&entry.name);
            let applied = self.touches(timeline, entry).and_then(|resource| {
                set::apply_setting(&mut timeline.root, entry)?;
                Ok(resource)
            });
            match applied {
                Ok(resource) if touched.contains(&resource) => {}
                Ok(resource) => touched.push(resource),
                Err(problem) => self.problems.push(problem.at_key(path)),
            }
        }
        touched.sort_unstable();
        let actions = touched.iter().map(|resource| self.reread(timeline, *resource, &set.path));
        let actions = actions.collect::<Vec<_>>();
        if self.problems.len() == before {
            self.combinations_after(timeline, &touched);
        }
        actions.into_iter().collect()
    }

    /// Checks what a change may have brought into contradiction.
    fn combinations_after(&mut self, timeline: &mut Timeline, touched: &[Touched]) {
        for resource in touched {
            if let Touched::Function(id) = resource {
                let block = &timeline.functions[id.index()];
                timeline.claims[id.index()] = claim(block).1;
                self.function_combinations(block);
            }
        }
        let limit = timeline.account.field("concurrency_limit").whole().unwrap_or(u64::MAX);
        // The full check looks at every function; most changes need it not.
        if timeline.claims.iter().sum::<u64>() > limit.saturating_sub(UNRESERVED) {
            self.concurrency_adds_up(&timeline.account, &timeline.functions);
        }
    }

    /// What a path belongs to, if it can change at all.
    fn touches(&self, timeline: &Timeline, entry: &Entry) -> Result<Touched, Problem> {
        let steps = set::split(&entry.name);
        let problem = |kind, message: String| Problem::new(kind, entry.place, message);
        let missing = |kind: ResourceKind, name: &str| {
            let known = self.names.rows(kind).iter().map(|name| &*name.text);
            problem(ProblemKind::UnknownName, format!("there is no {} {}", kind.noun(), quote(name)))
                .with_expected(format!("the name of a {}", kind.noun()))
                .with_help_if(did_you_mean(name, known))
        };
        match steps.as_slice() {
            ["account", _, ..] => Ok(Touched::Account),
            ["functions", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::function);
                id.map(Touched::Function).ok_or_else(|| missing(ResourceKind::Function, name))
            }
            ["callers", name, "client", ..] => {
                let id = self.names.find(name).and_then(Resource::caller);
                id.map(Touched::Client).ok_or_else(|| missing(ResourceKind::Caller, name))
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
            Touched::Function(id) => vec!["functions", &self.names.name(Resource::Function(id)).text],
            Touched::Client(id) => vec!["callers", &self.names.name(Resource::Caller(id)).text, "client"],
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
        let block = resolver.value(entry?, shape, key);
        match touches {
            Touched::Account => {
                timeline.account = block;
                account(&timeline.account).map(ChangeAction::Account)
            }
            Touched::Function(id) => {
                let name = self.names.name(Resource::Function(id)).text.clone();
                let named = Named { name, place: block.place, block };
                let function = self.function(id.index(), &named);
                timeline.functions[id.index()] = named.block;
                function.map(|function| ChangeAction::Function(id, Box::new(function)))
            }
            Touched::Client(id) => self.client(&block).map(|client| ChangeAction::Client(id, Box::new(client))),
        }
    }
}
