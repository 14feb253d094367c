//! Types of sources: which table of keys an event source mapping has follows from what its `source` names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::{Block, SourceType};
use super::resolve::{At, Resolved, Resolver};
use super::tree::{Kind, Node};

/// The types of all sources by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(BTreeMap<Arc<str>, SourceType>);

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
        Self(types)
    }
}

impl Resolver<'_> {
    /// The block for the type of the source; where there is none of that name, the block that fits best.
    pub(super) fn by_source(
        &mut self,
        node: &Node,
        blocks: &'static [(SourceType, &'static Block)],
        at: &At,
    ) -> Resolved {
        let named = node.get("source").and_then(|entry| entry.value.text());
        let source = named.and_then(|name| self.sources.0.get(name)).copied();
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
