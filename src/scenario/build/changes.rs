//! Settings that change while it runs: each entry is applied to the tree in order of time, and what it touches is
//! read again.

use std::collections::BTreeMap;

use super::checks::{Blocks, UNRESERVED, claim};
use super::names::{Resource, there_are};
use super::passage::own_client;
use super::timeouts::Bound;
use super::{Builder, account};
use crate::aws::config::{Change, ChangeAction};
use crate::aws::ids::{CallerId, DependencyId, FunctionId, Id, MappingId, QueueId, StateMachineId, StreamId};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::error::{Place, Problem, ProblemKind, did_you_mean, quote};
use crate::scenario::keys::{ResourceKind, tables};
use crate::scenario::resolve::{NAMED_MAX, Named, Path, Resolved, Resolver, a};
use crate::scenario::set;
use crate::scenario::sources::Sources;
use crate::scenario::tree::{Entry, Kind, Node};

/// What one setting touches, in the order of the resulting actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Account,
    Function(FunctionId),
    Queue(QueueId),
    Stream(StreamId),
    Mapping(MappingId),
    StateMachine(StateMachineId),
    Dependency(DependencyId),
    Client(CallerId),
}

/// What can change.
const CAN_CHANGE: &str = "a key under `account`, `functions.NAME`, `queues.NAME`, `streams.NAME`, \
     `event_source_mappings.NAME`, `dependencies.NAME`, `state_machines.NAME` or `callers.NAME.client`";
const GROUPS: [&str; 8] =
    ["account", "functions", "queues", "streams", "event_source_mappings", "dependencies", "state_machines", "callers"];

/// The state of the settings while the entries are read in order of time.
struct Timeline {
    root: Node,
    /// The dependencies at the start.
    dependencies: Vec<Resolved>,
    typical: bool,
    sources: Sources,
    account: Resolved,
    blocks: Blocks,
    /// When each stream was resharded, as far back as it matters.
    reshardings: Vec<Vec<SimTime>>,
    /// What each mapping invokes, and what bounds its runs.
    joined: Vec<Option<(FunctionId, Bound)>>,
    /// What each function sets aside of the account's concurrency.
    claims: Vec<u64>,
    /// The functions' time-outs as they were last checked.
    timeouts: Vec<Option<SimDuration>>,
    /// The functions that are called at the edge, by their places, and where that is said.
    at_edge: BTreeMap<usize, Place>,
}

impl Builder<'_> {
    /// The changes in file order; `tree` and `root` are the settings at the start.
    pub(crate) fn changes(
        &mut self,
        tree: &Node,
        root: &Resolved,
        typical: bool,
        sources: Sources,
    ) -> Option<Vec<Change>> {
        let mut timeline = Timeline::new(tree, root, typical, sources);
        timeline.joined = timeline.blocks.mappings.iter().map(|block| self.bound(block)).collect();
        timeline.at_edge = self.called_at_edge(root.field("callers").named());
        self.combinations(root, &timeline);
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
        // A later change may be what ends them.
        self.calls_end(&timeline.blocks.functions, &timeline.account, root.field("drain"));
        let actions = actions.into_iter().collect::<Option<Vec<_>>>()?;
        Some(actions.into_iter().flatten().collect())
    }

    /// Checks what does not go together at the start.
    fn combinations(&mut self, root: &Resolved, timeline: &Timeline) {
        let blocks = &timeline.blocks;
        for block in &blocks.functions {
            self.function_combinations(block);
            self.call_combinations(block, blocks);
        }
        self.concurrency_adds_up(&timeline.account, &blocks.functions);
        for index in 0..blocks.queues.len() {
            self.queue_combinations(QueueId::from_index(index), &blocks.queues);
        }
        for block in &blocks.streams {
            self.stream_combinations(block);
        }
        for named in root.field("brokers").named() {
            self.broker_combinations(named, blocks);
        }
        for named in root.field("topics").named() {
            self.topic_combinations(named, blocks);
        }
        for named in root.field("event_buses").named() {
            self.event_bus_combinations(named, blocks);
        }
        for named in root.field("buckets").named() {
            self.bucket_combinations(named, blocks);
        }
        for block in &blocks.mappings {
            self.mapping_combinations(block, blocks);
            self.timeout_fits(block, block.if_has("source").unwrap_or(block), blocks);
        }
        self.fan_out_readers(blocks);
        self.groups_of_pollers(blocks, None);
        for caller in root.field("callers").named() {
            self.caller_combinations(&caller.block, blocks);
            self.passage_combinations(&caller.block, blocks);
        }
    }

    fn change(&mut self, timeline: &mut Timeline, entry: &Resolved) -> Option<Vec<Change>> {
        let at = entry.field("at").moment();
        let (set, deploy, redrive) = (entry.field("set"), entry.field("deploy"), entry.field("redrive"));
        if set.is_without() && deploy.is_without() && redrive.is_without() {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, entry.place, "this entry changes nothing")
                    .at_key(&entry.path)
                    .with_expected("`set`, `deploy` or `redrive`")
                    .with_help("write for example `set: {functions.resize.reserved_concurrency: 200}`"),
            );
        }
        let deploy = deploy.optional(|function| self.function_id(function).map(ChangeAction::Deploy));
        let redrive = redrive.optional(|task| self.redrive_task(task, &timeline.blocks.queues));
        let mut actions = Vec::new();
        if !set.is_without() {
            actions = self.settings(timeline, set, at)?;
        }
        actions.extend(deploy?);
        actions.extend(redrive?);
        let at: SimTime = at?;
        Some(actions.into_iter().map(|action| Change { at, action }).collect())
    }

    fn settings(&mut self, timeline: &mut Timeline, set: &Resolved, at: Option<SimTime>) -> Option<Vec<ChangeAction>> {
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
        let actions = touched.iter().map(|resource| self.reread(timeline, *resource, &set.path, at));
        let actions = actions.collect::<Vec<_>>();
        if self.problems.len() == before {
            self.combinations_after(timeline, &touched, set);
        }
        actions.into_iter().collect()
    }

    /// Checks what a change may have brought into contradiction.
    fn combinations_after(&mut self, timeline: &mut Timeline, touched: &[Touched], set: &Resolved) {
        for resource in touched {
            match resource {
                Touched::Function(id) => {
                    let block = &timeline.blocks.functions[id.index()];
                    timeline.claims[id.index()] = claim(block).1;
                    self.function_combinations(block);
                    self.call_combinations(block, &timeline.blocks);
                    if let Some(via) = timeline.at_edge.get(&id.index()) {
                        self.edge_function_fits(block, *via);
                    }
                }
                Touched::Queue(id) => self.queue_combinations(*id, &timeline.blocks.queues),
                Touched::Stream(id) => self.stream_combinations(&timeline.blocks.streams[id.index()]),
                Touched::Mapping(id) => {
                    let block = &timeline.blocks.mappings[id.index()];
                    self.mapping_combinations(block, &timeline.blocks);
                    self.groups_of_pollers(&timeline.blocks, Some(block));
                }
                Touched::Account | Touched::Dependency(_) | Touched::StateMachine(_) | Touched::Client(_) => {}
            }
        }
        self.timeouts_after(timeline, touched, set);
        let limit = timeline.account.field("concurrency_limit").whole().unwrap_or(u64::MAX);
        // The full check looks at every function; most changes need it not.
        if timeline.claims.iter().sum::<u64>() > limit.saturating_sub(UNRESERVED) {
            self.concurrency_adds_up(&timeline.account, &timeline.blocks.functions);
        }
    }

    /// Checks the time-outs of the mappings that changed, and of those whose function has another one.
    fn timeouts_after(&mut self, timeline: &mut Timeline, touched: &[Touched], set: &Resolved) {
        let Timeline { blocks, joined, timeouts, .. } = timeline;
        for resource in touched {
            if let Touched::Mapping(id) = resource {
                let block = &blocks.mappings[id.index()];
                let prefix = format!("event_source_mappings.{}.", self.names.name(Resource::Mapping(*id)).text);
                let mut at = block.if_has("source").unwrap_or(block).clone();
                if let Some(entry) = set.settings().iter().find(|entry| entry.name.starts_with(&prefix)) {
                    (at.place, at.path) = (entry.place, set.path.key(&entry.name));
                }
                self.timeout_fits(block, &at, blocks);
            }
        }
        for resource in touched {
            let Touched::Function(id) = resource else { continue };
            let field = blocks.functions[id.index()].field("timeout");
            let before = std::mem::replace(&mut timeouts[id.index()], field.duration());
            if before == field.duration() {
                continue;
            }
            // Where this one fits, all do.
            let its = joined.iter().enumerate();
            let its =
                its.filter_map(|(index, joined)| joined.filter(|(function, _)| function == id).map(|of| (index, of.1)));
            let shortest = its.min_by_key(|(_, bound)| bound.longest(blocks));
            if let Some((index, _)) = shortest
                && !touched.contains(&Touched::Mapping(MappingId::from_index(index)))
            {
                self.timeout_fits(&blocks.mappings[index], field, blocks);
            }
        }
    }

    /// What a path belongs to, if it can change at all.
    fn touches(&self, timeline: &Timeline, entry: &Entry) -> Result<Touched, Problem> {
        let steps = set::split(&entry.name);
        let problem = |kind, message: String| Problem::new(kind, entry.place, message);
        let missing = |kind: ResourceKind, name: &str| {
            let known = self.names.rows(kind).iter().map(|name| &*name.text);
            problem(ProblemKind::UnknownName, format!("there is no {} {}", kind.noun(), quote(name)))
                .with_expected(format!("the name of {}", a(kind.noun())))
                .with_help_if(did_you_mean(name, known.clone()).or_else(|| there_are(known)))
        };
        match steps.as_slice() {
            ["account", _, ..] => Ok(Touched::Account),
            ["functions", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::function);
                id.map(Touched::Function).ok_or_else(|| missing(ResourceKind::Function, name))
            }
            ["queues", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::queue);
                id.map(Touched::Queue).ok_or_else(|| missing(ResourceKind::Queue, name))
            }
            ["streams", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::stream);
                id.map(Touched::Stream).ok_or_else(|| missing(ResourceKind::Stream, name))
            }
            ["event_source_mappings", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::mapping);
                id.map(Touched::Mapping).ok_or_else(|| missing(ResourceKind::Mapping, name))
            }
            ["state_machines", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::state_machine);
                id.map(Touched::StateMachine).ok_or_else(|| missing(ResourceKind::StateMachine, name))
            }
            ["dependencies", name, _, ..] => {
                let id = self.names.find(name).and_then(Resource::dependency);
                id.map(Touched::Dependency).ok_or_else(|| missing(ResourceKind::Dependency, name))
            }
            ["callers", name, "client", ..] => {
                let id = self.names.find(name).and_then(Resource::caller);
                let id = id.ok_or_else(|| missing(ResourceKind::Caller, name))?;
                match via_of(&timeline.root, name).and_then(own_client) {
                    None => Ok(Touched::Client(id)),
                    Some(service) => {
                        let message =
                            format!("`{service}` calls the function by itself: it has no client that changes");
                        Err(problem(ProblemKind::Contradiction, message).with_expected("no such key (INV-4.4)"))
                    }
                }
            }
            [first, ..] => {
                let known = matches!(&timeline.root.kind, Kind::Map(_)) && tables::SCENARIO.key(first).is_some();
                Err(if known {
                    problem(ProblemKind::InvalidValue, format!("{} cannot change while it runs", quote(&entry.name)))
                        .with_expected(CAN_CHANGE)
                } else {
                    problem(ProblemKind::UnknownKey, format!("{} is no key of a scenario", quote(&entry.name)))
                        .with_expected(CAN_CHANGE)
                        .with_help_if(did_you_mean(first, GROUPS))
                })
            }
            [] => Err(problem(ProblemKind::InvalidValue, "the path is empty".to_owned())),
        }
    }

    /// Where the settings of a resource stand.
    fn path_of(&self, touched: Touched) -> Vec<&str> {
        match touched {
            Touched::Account => vec!["account"],
            Touched::Function(id) => vec!["functions", &self.names.name(Resource::Function(id)).text],
            Touched::Queue(id) => vec!["queues", &self.names.name(Resource::Queue(id)).text],
            Touched::Stream(id) => vec!["streams", &self.names.name(Resource::Stream(id)).text],
            Touched::Mapping(id) => vec!["event_source_mappings", &self.names.name(Resource::Mapping(id)).text],
            Touched::Dependency(id) => vec!["dependencies", &self.names.name(Resource::Dependency(id)).text],
            Touched::StateMachine(id) => vec!["state_machines", &self.names.name(Resource::StateMachine(id)).text],
            Touched::Client(id) => vec!["callers", &self.names.name(Resource::Caller(id)).text, "client"],
        }
    }

    /// Reads the settings of a resource again.
    fn reread(
        &mut self,
        timeline: &mut Timeline,
        touches: Touched,
        prefix: &Path,
        at: Option<SimTime>,
    ) -> Option<ChangeAction> {
        let path = self.path_of(touches).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let shape = match touches {
            Touched::Account => &tables::ACCOUNT_SHAPE,
            Touched::Function(_) => &tables::FUNCTIONS,
            Touched::Queue(_) => tables::QUEUE_SHAPE,
            Touched::Stream(_) => tables::STREAM_SHAPE,
            Touched::Mapping(_) => &tables::MAPPINGS,
            Touched::StateMachine(_) => &tables::STATE_MACHINES,
            Touched::Dependency(_) => &tables::DEPENDENCIES,
            Touched::Client(id) => {
                let caller = &self.names.name(Resource::Caller(id)).text;
                tables::client_shape(via_of(&timeline.root, caller))
            }
        };
        let (mut entry, mut key) = (None, prefix.clone());
        let mut node = &timeline.root;
        for step in &path {
            entry = node.get(step);
            key = key.key(step);
            node = &entry?.value;
        }
        let mut resolver =
            Resolver { typical: timeline.typical, sources: &timeline.sources, problems: &mut *self.problems };
        let block = resolver.value(entry?, shape, key);
        match touches {
            Touched::Account => {
                timeline.account = block;
                account(&timeline.account).map(ChangeAction::Account)
            }
            Touched::Function(id) => {
                let named = self.renamed(Resource::Function(id), block);
                let function = self.function(id.index(), &named);
                timeline.blocks.functions[id.index()] = named.block;
                function.map(|function| ChangeAction::Function(id, Box::new(function)))
            }
            Touched::Queue(id) => {
                self.stays(&timeline.blocks.queues[id.index()], &block, "type");
                let named = self.renamed(Resource::Queue(id), block);
                let queue = self.queue(id.index(), &named);
                timeline.blocks.queues[id.index()] = named.block;
                queue.map(|queue| ChangeAction::Queue(id, Box::new(queue)))
            }
            Touched::Stream(id) => {
                let before = &timeline.blocks.streams[id.index()];
                self.stays(before, &block, "type");
                self.stays(before, &block, "capacity_mode");
                self.reshards(before, &block, at, &mut timeline.reshardings[id.index()]);
                let named = self.renamed(Resource::Stream(id), block);
                let stream = self.stream(id.index(), &named);
                timeline.blocks.streams[id.index()] = named.block;
                stream.map(|stream| ChangeAction::Stream(id, Box::new(stream)))
            }
            Touched::Mapping(id) => {
                self.mapping_stays(&timeline.blocks.mappings[id.index()], &block);
                let named = self.renamed(Resource::Mapping(id), block);
                let mapping = self.mapping(id.index(), &named);
                timeline.joined[id.index()] = self.bound(&named.block);
                timeline.blocks.mappings[id.index()] = named.block;
                mapping.map(|mapping| ChangeAction::Mapping(id, Box::new(mapping)))
            }
            Touched::StateMachine(id) => self.reread_machine(timeline, id, block),
            Touched::Dependency(id) => {
                self.stays(&timeline.dependencies[id.index()], &block, "connections_per_environment");
                let named = self.renamed(Resource::Dependency(id), block);
                let dependency = self.dependency(id.index(), &named);
                dependency.map(|dependency| ChangeAction::Dependency(id, Box::new(dependency)))
            }
            Touched::Client(id) => self.client(&block).map(|client| ChangeAction::Client(id, Box::new(client))),
        }
    }

    fn reread_machine(&mut self, timeline: &Timeline, id: StateMachineId, block: Resolved) -> Option<ChangeAction> {
        self.stays(&timeline.blocks.state_machines[id.index()], &block, "type");
        let named = self.renamed(Resource::StateMachine(id), block);
        let machine = self.state_machine(id.index(), &named)?;
        Some(ChangeAction::StateMachine(id, Box::new(machine)))
    }

    /// The block of a resource under its name.
    fn renamed(&self, resource: Resource, block: Resolved) -> Named {
        Named { name: self.names.name(resource).text.clone(), place: block.place, block }
    }

    /// Notes that a key has changed which AWS does not change.
    pub(super) fn stays(&mut self, before: &Resolved, after: &Resolved, key: &str) {
        let (Some(old), Some(new)) = (before.if_has(key), after.if_has(key)) else { return };
        if !new.is_bad() && setting(old) != setting(new) {
            let problem = Problem::new(ProblemKind::InvalidValue, new.place, format!("`{key}` cannot change"));
            self.problems.push(problem.at_key(&new.path).with_expected("the value that it has at the start"));
        }
    }
}

/// The service through which a caller calls, where it is written.
fn via_of<'a>(root: &'a Node, caller: &str) -> Option<&'a Node> {
    let via = root.get("callers")?.value.get(caller)?.value.get("via")?;
    Some(&via.value)
}

/// What a key that cannot change says: a word, a name, a switch or a moment.
type Setting = (Option<&'static str>, Option<String>, Option<bool>, Option<SimTime>, Option<u64>);

fn setting(value: &Resolved) -> Setting {
    (value.word(), value.text(), value.switch(), value.if_has("at").and_then(Resolved::moment), value.whole())
}

impl Timeline {
    fn new(tree: &Node, root: &Resolved, typical: bool, sources: Sources) -> Self {
        let blocks = Blocks::of(root);
        Self {
            root: tree.clone(),
            typical,
            sources,
            account: root.field("account").clone(),
            claims: blocks.functions.iter().map(|block| claim(block).1).collect(),
            timeouts: blocks.functions.iter().map(|block| block.field("timeout").duration()).collect(),
            dependencies: root.field("dependencies").named().iter().map(|named| named.block.clone()).collect(),
            reshardings: vec![Vec::new(); blocks.streams.len()],
            blocks,
            joined: Vec::new(),
            at_edge: BTreeMap::new(),
        }
    }
}
