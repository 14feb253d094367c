//! Names: what each stands for, and the values that refer to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Builder;
use super::called::called_as;
use crate::aws::config::{Source, Target};
use crate::aws::ids::{
    BrokerId, BucketId, CallerId, DependencyId, ErrorId, EventBusId, FunctionId, Id, MappingId, QueueId,
    StateMachineId, StateNameId, StreamId, Table, TopicId,
};
use crate::scenario::error::{Place, Problem, ProblemKind, Problems, did_you_mean, quote};
use crate::scenario::keys::ResourceKind;
use crate::scenario::refuse;
use crate::scenario::resolve::{Resolved, Value, a};
use crate::scenario::scalar::{self, Leaf};

/// The names that other values refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    functions: Vec<Name>,
    queues: Vec<Name>,
    streams: Vec<Name>,
    brokers: Vec<Name>,
    mappings: Vec<Name>,
    topics: Vec<Name>,
    event_buses: Vec<Name>,
    buckets: Vec<Name>,
    state_machines: Vec<Name>,
    dependencies: Vec<Name>,
    callers: Vec<Name>,
    /// What each name stands for.
    resources: BTreeMap<Arc<str>, Resource>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Function(FunctionId),
    Queue(QueueId),
    Stream(StreamId),
    Broker(BrokerId),
    Mapping(MappingId),
    Topic(TopicId),
    EventBus(EventBusId),
    Bucket(BucketId),
    StateMachine(StateMachineId),
    Dependency(DependencyId),
    Caller(CallerId),
}

/// A resource's name.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(super) text: Arc<str>,
    place: Place,
    pub(super) order: u32,
}

/// Names, each once, in order of appearance.
#[derive(Clone, Debug)]
pub(crate) struct Labels<I> {
    names: Table<I, String>,
    ids: BTreeMap<String, I>,
}

/// Names of errors.
pub(crate) type ErrorNames = Labels<ErrorId>;
/// Names of states.
pub(crate) type StateNames = Labels<StateNameId>;

impl<I: Id> Default for Labels<I> {
    fn default() -> Self {
        Self { names: Table::new(), ids: BTreeMap::new() }
    }
}

impl<I: Id> Labels<I> {
    /// The id of a name.
    pub(super) fn id(&mut self, name: String) -> I {
        let names = &mut self.names;
        *self.ids.entry(name).or_insert_with_key(|name| names.push(name.clone()))
    }

    /// The names by id.
    pub(crate) fn into_table(self) -> Table<I, String> {
        self.names
    }
}

impl Resource {
    fn new(kind: ResourceKind, index: usize) -> Self {
        match kind {
            ResourceKind::Function => Self::Function(FunctionId::from_index(index)),
            ResourceKind::Queue => Self::Queue(QueueId::from_index(index)),
            ResourceKind::Stream => Self::Stream(StreamId::from_index(index)),
            ResourceKind::Broker => Self::Broker(BrokerId::from_index(index)),
            ResourceKind::Mapping => Self::Mapping(MappingId::from_index(index)),
            ResourceKind::Topic => Self::Topic(TopicId::from_index(index)),
            ResourceKind::EventBus => Self::EventBus(EventBusId::from_index(index)),
            ResourceKind::Bucket => Self::Bucket(BucketId::from_index(index)),
            ResourceKind::StateMachine => Self::StateMachine(StateMachineId::from_index(index)),
            ResourceKind::Dependency => Self::Dependency(DependencyId::from_index(index)),
            ResourceKind::Caller => Self::Caller(CallerId::from_index(index)),
        }
    }

    fn kind(self) -> ResourceKind {
        match self {
            Self::Function(_) => ResourceKind::Function,
            Self::Queue(_) => ResourceKind::Queue,
            Self::Stream(_) => ResourceKind::Stream,
            Self::Broker(_) => ResourceKind::Broker,
            Self::Mapping(_) => ResourceKind::Mapping,
            Self::Topic(_) => ResourceKind::Topic,
            Self::EventBus(_) => ResourceKind::EventBus,
            Self::Bucket(_) => ResourceKind::Bucket,
            Self::StateMachine(_) => ResourceKind::StateMachine,
            Self::Dependency(_) => ResourceKind::Dependency,
            Self::Caller(_) => ResourceKind::Caller,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Function(id) => id.index(),
            Self::Queue(id) => id.index(),
            Self::Stream(id) => id.index(),
            Self::Broker(id) => id.index(),
            Self::Mapping(id) => id.index(),
            Self::Topic(id) => id.index(),
            Self::EventBus(id) => id.index(),
            Self::Bucket(id) => id.index(),
            Self::StateMachine(id) => id.index(),
            Self::Dependency(id) => id.index(),
            Self::Caller(id) => id.index(),
        }
    }

    /// As a function.
    pub(super) fn function(self) -> Option<FunctionId> {
        if let Self::Function(id) = self { Some(id) } else { None }
    }

    /// As a queue.
    pub(super) fn queue(self) -> Option<QueueId> {
        if let Self::Queue(id) = self { Some(id) } else { None }
    }

    /// As a stream.
    pub(super) fn stream(self) -> Option<StreamId> {
        if let Self::Stream(id) = self { Some(id) } else { None }
    }

    /// As a dependency.
    pub(super) fn dependency(self) -> Option<DependencyId> {
        if let Self::Dependency(id) = self { Some(id) } else { None }
    }

    /// As what a mapping polls.
    pub(super) fn source(self) -> Option<Source> {
        match self {
            Self::Queue(id) => Some(Source::Queue(id)),
            Self::Stream(id) => Some(Source::Stream(id)),
            Self::Broker(id) => Some(Source::Broker(id)),
            Self::Function(_)
            | Self::Mapping(_)
            | Self::Topic(_)
            | Self::EventBus(_)
            | Self::Bucket(_)
            | Self::StateMachine(_)
            | Self::Dependency(_)
            | Self::Caller(_) => None,
        }
    }

    /// As an event source mapping.
    pub(super) fn mapping(self) -> Option<MappingId> {
        if let Self::Mapping(id) = self { Some(id) } else { None }
    }

    /// As a state machine.
    pub(super) fn state_machine(self) -> Option<StateMachineId> {
        if let Self::StateMachine(id) = self { Some(id) } else { None }
    }

    /// As a caller.
    pub(super) fn caller(self) -> Option<CallerId> {
        if let Self::Caller(id) = self { Some(id) } else { None }
    }

    /// As something that receives.
    fn target(self) -> Option<Target> {
        match self {
            Self::Function(id) => Some(Target::Function(id)),
            Self::Queue(id) => Some(Target::Queue(id)),
            Self::Stream(id) => Some(Target::Stream(id)),
            Self::Broker(id) => Some(Target::Broker(id)),
            Self::Topic(id) => Some(Target::Topic(id)),
            Self::EventBus(id) => Some(Target::EventBus(id)),
            Self::Bucket(id) => Some(Target::Bucket(id)),
            Self::StateMachine(id) => Some(Target::StateMachine(id)),
            Self::Mapping(_) | Self::Caller(_) | Self::Dependency(_) => None,
        }
    }
}

impl Names {
    /// The names of a resolved file; a name that is used twice is a problem.
    pub(crate) fn of(root: &Resolved, problems: &mut Problems) -> Self {
        let mut names = Self::default();
        let mut order = 0;
        for (kind, group) in groups(root) {
            for named in group.named() {
                if let Some(first) = names.resources.get(&named.name).copied() {
                    let message = format!("{} names two things", quote(&named.name));
                    problems.push(
                        Problem::new(ProblemKind::Duplicate, named.place, message)
                            .at_key(&named.block.path)
                            .with_expected("a name that nothing else has")
                            .with_related(names.name(first).place, format!("also in `{}`", first.kind().group()))
                            .with_help("targets are plain names, so each name stands for one thing"),
                    );
                }
                let rows = names.rows_mut(kind);
                let resource = Resource::new(kind, rows.len());
                rows.push(Name { text: named.name.clone(), place: named.place, order });
                order += 1;
                names.resources.entry(named.name.clone()).or_insert(resource);
            }
        }
        names
    }

    /// The names of one kind by id, in file order.
    pub(super) fn rows(&self, kind: ResourceKind) -> &[Name] {
        match kind {
            ResourceKind::Function => &self.functions,
            ResourceKind::Queue => &self.queues,
            ResourceKind::Stream => &self.streams,
            ResourceKind::Broker => &self.brokers,
            ResourceKind::Mapping => &self.mappings,
            ResourceKind::Topic => &self.topics,
            ResourceKind::EventBus => &self.event_buses,
            ResourceKind::Bucket => &self.buckets,
            ResourceKind::StateMachine => &self.state_machines,
            ResourceKind::Dependency => &self.dependencies,
            ResourceKind::Caller => &self.callers,
        }
    }

    fn rows_mut(&mut self, kind: ResourceKind) -> &mut Vec<Name> {
        match kind {
            ResourceKind::Function => &mut self.functions,
            ResourceKind::Queue => &mut self.queues,
            ResourceKind::Stream => &mut self.streams,
            ResourceKind::Broker => &mut self.brokers,
            ResourceKind::Mapping => &mut self.mappings,
            ResourceKind::Topic => &mut self.topics,
            ResourceKind::EventBus => &mut self.event_buses,
            ResourceKind::Bucket => &mut self.buckets,
            ResourceKind::StateMachine => &mut self.state_machines,
            ResourceKind::Dependency => &mut self.dependencies,
            ResourceKind::Caller => &mut self.callers,
        }
    }

    /// The name of a resource.
    pub(super) fn name(&self, resource: Resource) -> &Name {
        &self.rows(resource.kind())[resource.index()]
    }

    /// What a name stands for.
    pub(super) fn find(&self, name: &str) -> Option<Resource> {
        self.resources.get(name).copied()
    }

    /// What a value names, if it is of the kinds that its key takes; nothing is noted.
    pub(super) fn named(&self, value: &Resolved) -> Option<Resource> {
        let Value::Leaf(Leaf::Target(kinds), text) = &value.value else { return None };
        self.find(text).filter(|found| kinds.contains(&found.kind()))
    }

    /// All names of these kinds.
    fn candidates<'n>(&'n self, kinds: &'n [ResourceKind]) -> impl Iterator<Item = &'n str> + Clone {
        kinds.iter().flat_map(|kind| self.rows(*kind)).map(|name| &*name.text)
    }
}

/// The names that could be meant, where there are any.
pub(super) fn there_are<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let known = names.take(10).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    (!known.is_empty()).then(|| format!("there are {}", known.join(", ")))
}

/// The groups of resources, in file order; at the end those that are not written, which have no resource.
pub(crate) fn groups(root: &Resolved) -> Vec<(ResourceKind, &Resolved)> {
    let mut groups = ResourceKind::ALL.map(|kind| (kind, root.field(kind.group()))).to_vec();
    groups.sort_by_key(|(_, group)| (!group.is_written(), group.place.source, group.place.start));
    groups
}

impl Builder<'_> {
    /// What a value names, of the kinds that its key takes.
    fn resource(&mut self, value: &Resolved) -> Option<Resource> {
        let Value::Leaf(Leaf::Target(kinds), text) = &value.value else { return None };
        let names = &self.names;
        if let Some(found) = names.named(value) {
            return Some(found);
        }
        if names.candidates(kinds).any(|name| name == &**text) {
            return None; // The name stands for two things, and that has been noted.
        }
        let found = names.find(text);
        let nouns = scalar::nouns(kinds);
        let mut problem =
            Problem::new(ProblemKind::UnknownName, value.place, format!("there is no {nouns} {}", quote(text)))
                .at_key(&value.path)
                .with_expected(format!("the name of {}", a(&nouns)));
        if let Some(found) = found {
            problem = problem.with_related(names.name(found).place, format!("this is {}", a(found.kind().noun())));
            problem = problem.with_help_if(called_as(value, found.kind(), text));
        }
        let near = did_you_mean(text, names.candidates(kinds));
        problem = match (near.or_else(|| there_are(names.candidates(kinds))), found) {
            (Some(known), _) => problem.with_help(known),
            (None, None) => {
                let kind = if kinds.contains(&ResourceKind::Queue) { ResourceKind::Queue } else { kinds[0] };
                let (group, block) = (kind.group(), kind.example());
                problem.with_help(format!("the scenario has none: add for example `{group}: {{{text}: {block}}}`"))
            }
            (None, Some(_)) => problem.with_help("the scenario has none"),
        };
        if value.path.name() == Some("source") {
            problem = problem.with_help(refuse::WHAT_IS_POLLED);
        }
        self.problems.push(problem);
        None
    }

    /// The function that a value names.
    pub(super) fn function_id(&mut self, value: &Resolved) -> Option<FunctionId> {
        self.resource(value)?.function()
    }

    /// The dependency that a value names.
    pub(super) fn dependency_id(&mut self, value: &Resolved) -> Option<DependencyId> {
        self.resource(value).and_then(Resource::dependency)
    }

    /// The queue that a value names.
    pub(super) fn queue_id(&mut self, value: &Resolved) -> Option<QueueId> {
        self.resource(value)?.queue()
    }

    /// What a mapping polls.
    pub(super) fn source(&mut self, value: &Resolved) -> Option<Source> {
        self.resource(value)?.source()
    }

    /// Where something is sent.
    pub(super) fn target(&mut self, value: &Resolved) -> Option<Target> {
        self.resource(value)?.target()
    }

    /// The caller of this name.
    pub(super) fn caller_id(&mut self, value: &Resolved, text: &str) -> Option<CallerId> {
        let found = self.names.find(text).and_then(Resource::caller);
        if found.is_some() {
            return found;
        }
        let help = did_you_mean(text, self.names.candidates(&[ResourceKind::Caller]));
        self.problems.push(
            Problem::new(ProblemKind::UnknownName, value.place, format!("there is no caller {}", quote(text)))
                .at_key(&value.path)
                .with_expected("the name of a caller before the `#`")
                .with_help_if(help),
        );
        None
    }
}
