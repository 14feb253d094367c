//! What names stand for, where keys depend on it: which table of keys an event source mapping has follows from what its
//! `source` names, and a default of a caller from its `target`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::keys::{Block, SourceType};
use super::resolve::{At, Resolved, Resolver};
use super::tree::{Entry, Kind, Node};

/// The types of all sources by their names, and the names of the state machines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    types: BTreeMap<Arc<str>, SourceType>,
    state_machines: BTreeSet<Arc<str>>,
}

impl Sources {
    /// The sources of a file. Those of a type that there is not are left out.
    pub(super) fn of(tree: &Node) -> Self {
        let mut types = BTreeMap::new();
        for group in ["queues", "streams", "brokers"] {
            let Some(Kind::Map(entries)) = tree.get(group).map(|entry| &entry.value.kind) else { continue };
            for entry in entries {
                let written = entry.value.get("type").map(|entry| entry.value.text().unwrap_or_default());
                let source = match (group, written) {
                    ("queues", _) => SourceType::Sqs,
                    ("brokers", _) => SourceType::Mq,
                    (_, None | Some("kinesis")) => SourceType::Kinesis,
                    (_, Some("dynamodb")) => SourceType::DynamoDb,
                    (_, Some("kafka")) => SourceType::Kafka,
                    (_, Some("documentdb")) => SourceType::DocumentDb,
                    (_, Some(_)) => continue,
                };
                types.entry(entry.name.clone()).or_insert(source);
            }
        }
        let state_machines = match tree.get("state_machines").map(|entry| &entry.value.kind) {
            Some(Kind::Map(entries)) => entries.iter().map(|entry| entry.name.clone()).collect(),
            _ => BTreeSet::new(),
        };
        Self { types, state_machines }
    }

    /// Whether a name is a state machine's.
    fn is_state_machine(&self, name: &str) -> bool {
        self.state_machines.contains(name)
    }
}

impl Resolver<'_> {
    /// Whether the `target` of a resource is a state machine.
    pub(super) fn targets_machine(&self, entries: &[Entry]) -> bool {
        let target = entries.iter().find(|entry| &*entry.name == "target").and_then(|entry| entry.value.text());
        target.is_some_and(|name| self.sources.is_state_machine(name))
    }

    /// The block for the type of the source; where there is none of that name, the block that fits best.
    pub(super) fn by_source(
        &mut self,
        node: &Node,
        blocks: &'static [(SourceType, &'static Block)],
        at: &At,
    ) -> Resolved {
        let named = node.get("source").and_then(|entry| entry.value.text());
        let source = named.and_then(|name| self.sources.types.get(name)).copied();
        let chosen = match source {
            Some(source) => blocks.iter().find(|(of, _)| *of == source),
            None => blocks.iter().rev().max_by_key(|(_, block)| known_keys(node, block)),
        };
        let (_, block) = chosen.unwrap_or(&blocks[0]);
        self.block(node, block, at)
    }
}

/// How many of the written keys a block has.
fn known_keys(node: &Node, block: &Block) -> usize {
    let Kind::Map(entries) = &node.kind else { return 0 };
    entries.iter().filter(|entry| block.key(&entry.name).is_some()).count()
}
