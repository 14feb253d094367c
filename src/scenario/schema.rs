//! The JSON Schema of a scenario, made from the key tables.
//!
//! Draft 7, because that is what the YAML language servers of editors know best. It checks keys, words, units and
//! ranges of numbers; what depends on several values is left to the reader of scenarios.
#![allow(clippy::wildcard_enum_match_arm, reason = "shapes that are not named are scalars, or have nothing inside")]

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::keys::{Block, Default, Key, Shape, Union, tables};
use super::tree::{self, Kind, Node};

/// A decimal number as units take it.
const NUMBER: &str = "([0-9][0-9_]*(\\.[0-9_]*)?|\\.[0-9][0-9_]*)([eE][+-]?[0-9]+)?";
/// A name.
const NAME: &str = "^[A-Za-z0-9_-]{1,64}$";

/// The JSON Schema of a scenario file.
pub fn json_schema() -> Value {
    let mut writer = Writer { blocks: Vec::new(), unions: Vec::new(), definitions: Map::new() };
    let root = writer.block(&tables::SCENARIO);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    schema.insert("title".to_owned(), "lambdasim scenario".into());
    if let Value::Object(root) = root {
        schema.extend(root);
    }
    schema.insert("definitions".to_owned(), Value::Object(writer.definitions));
    Value::Object(schema)
}

struct Writer {
    /// Blocks that have a definition, and its name.
    blocks: Vec<(&'static Block, String)>,
    unions: Vec<(&'static Union, String)>,
    definitions: Map<String, Value>,
}

impl Writer {
    fn shape(&mut self, shape: &'static Shape) -> Value {
        match shape {
            Shape::Either(shapes) => {
                json!({ "anyOf": shapes.iter().map(|shape| self.shape(shape)).collect::<Vec<_>>() })
            }
            Shape::When(_, then, otherwise) => json!({ "anyOf": [self.shape(otherwise), self.shape(then)] }),
            Shape::Short(_, of, block) => json!({ "anyOf": [self.shape(of), self.block_ref(block)] }),
            Shape::List(of) => json!({ "type": "array", "items": self.shape(of) }),
            Shape::Block(block) => self.block_ref(block),
            Shape::Named(of) => {
                json!({ "type": "object", "propertyNames": { "pattern": NAME }, "additionalProperties": self.shape(of) })
            }
            Shape::BySource(blocks) => {
                json!({ "anyOf": blocks.iter().map(|(_, block)| self.block_ref(block)).collect::<Vec<_>>() })
            }
            Shape::Tagged(union) => self.union_ref(union),
            Shape::Variant(union) => {
                let names = union.tags.iter().map(|tag| tag.name).collect::<Vec<_>>();
                json!({ "anyOf": [{ "enum": names }, self.union_ref(union)] })
            }
            Shape::Quantiles(of) => json!({
                "type": "object",
                "patternProperties": { "^p[0-9]+(\\.[0-9]+)?$": self.shape(of) },
                "additionalProperties": false,
                "minProperties": 2,
            }),
            Shape::Settings => json!({
                "type": "object",
                "propertyNames": { "pattern": "^(account\\..+|(functions|queues|streams|event_source_mappings|state_machines|dependencies)\\.[^.]+\\..+|callers\\.[^.]+\\.client(\\..+)?)$" },
                "minProperties": 1,
            }),
            _ => scalar(shape),
        }
    }

    fn block_ref(&mut self, block: &'static Block) -> Value {
        let known = self.blocks.iter().find(|(known, _)| *known == block).map(|(_, name)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name = self.fresh(block.name);
            self.blocks.push((block, name.clone()));
            let schema = self.block(block);
            self.definitions.insert(name.clone(), schema);
            name
        });
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    fn union_ref(&mut self, union: &'static Union) -> Value {
        let known = self.unions.iter().find(|(known, _)| std::ptr::eq(*known, union)).map(|(_, name)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name = self.fresh(union.name);
            self.unions.push((union, name.clone()));
            let mut properties = Map::new();
            for tag in union.tags {
                properties.insert(tag.name.to_owned(), describe(self.shape(tag.shape), tag.doc.to_owned()));
            }
            let schema = json!({
                "type": "object",
                "description": union.doc,
                "properties": properties,
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            });
            self.definitions.insert(name.clone(), schema);
            name
        });
        json!({ "$ref": format!("#/definitions/{name}") })
    }

    /// A name that no definition has.
    fn fresh(&self, name: &str) -> String {
        let base = name.replace(' ', "_");
        let taken = |name: &str| {
            self.blocks.iter().any(|(_, known)| known == name) || self.unions.iter().any(|(_, known)| known == name)
        };
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        std::iter::once(base.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(base)
    }

    fn block(&mut self, block: &'static Block) -> Value {
        let mut properties = Map::new();
        for key in block.keys {
            let mut schema = self.key(key);
            // The word that chooses this block among others.
            if let Some((case, word)) = block.case
                && case == key.name
                && !word.is_empty()
            {
                schema["const"] = word.into();
            }
            properties.insert(key.name.to_owned(), schema);
        }
        let required = block.keys.iter().filter(|key| key.default == Default::Required).map(|key| key.name);
        let required = required.collect::<Vec<_>>();
        let mut schema = json!({
            "type": "object",
            "description": block.doc,
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    fn key(&mut self, key: &'static Key) -> Value {
        let mut schema = self.shape(key.shape);
        if key.removable() {
            schema = json!({ "anyOf": [schema, { "const": "none" }] });
        }
        let mut text = key.doc.to_owned();
        if let Default::Timing(ideal, typical) = key.default {
            let _ = write!(text, "; default {ideal}, with typical timing {typical}");
        }
        match key.default {
            Default::With((other, word), then, Some(otherwise)) => {
                let _ = write!(text, "; default {otherwise}, with `{other}: {word}` {then}");
            }
            Default::As(other) => {
                let _ = write!(text, "; default: as `{other}`");
            }
            Default::OwnName => text.push_str("; default: its own name"),
            _ => {}
        }
        if !key.rule.is_empty() {
            let _ = write!(text, " ({})", key.rule);
        }
        let mut schema = describe(schema, text);
        if let Default::Is(default) | Default::Timing(default, _) = key.default {
            schema["default"] = value_of(default);
        }
        schema
    }
}

/// Adds a description. Beside `$ref` draft 7 ignores other keys, so a reference is wrapped.
fn describe(schema: Value, text: String) -> Value {
    let mut schema = if schema.get("$ref").is_some() { json!({ "allOf": [schema] }) } else { schema };
    schema["description"] = text.into();
    schema
}

fn pattern(pattern: &str, example: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{pattern}$"), "examples": [example] })
}

/// A number, or a text that holds one.
fn number(kind: &str, min: &Value, max: Option<Value>, text: &str) -> Value {
    let mut bounded = json!({ "type": kind, "minimum": min });
    if let Some(max) = max {
        bounded["maximum"] = max;
    }
    json!({ "anyOf": [bounded, { "type": "string", "pattern": format!("^{text}$") }] })
}

fn scalar(shape: &'static Shape) -> Value {
    match shape {
        Shape::Duration(..) => pattern(&format!("({NUMBER}(d|h|m|s|ms|us|ns))+"), "250ms"),
        Shape::Rate => pattern(&format!("{NUMBER}/(ns|us|ms|s|sec|second|m|min|minute|h|hour|d|day)"), "50/s"),
        Shape::Size(..) => pattern(&format!("{NUMBER}([kKMGT]?B|[kKMGT]iB)"), "2KB"),
        Shape::Throughput => pattern(&format!("{NUMBER}([kKMGT]?B|[kKMGT]iB)/(s|sec|second)"), "1MB/s"),
        Shape::Memory(..) => pattern(&format!("{NUMBER}(MB|MiB|GB|GiB)"), "1024MB"),
        Shape::Ratio(..) => number("number", &json!(0), Some(json!(1)), &format!("{NUMBER}%?")),
        Shape::Whole(min, max) => {
            let max = u32::try_from(*max).ok().map(|max| json!(max));
            number("integer", &json!(min), max, NUMBER)
        }
        Shape::Counted(min, max, noun) => {
            let max = u32::try_from(*max).ok().map(|max| json!(max));
            number("integer", &json!(min), max, &format!("{NUMBER}( *{noun}s?)?"))
        }
        Shape::Real(min, max) => {
            let max = (*max < f64::MAX).then(|| json!(max));
            number("number", &json!(min), max, NUMBER)
        }
        Shape::Scale => number("number", &json!(0), None, NUMBER),
        Shape::Switch => json!({ "enum": ["on", "off", true, false, "true", "false"] }),
        Shape::Name | Shape::Target(_) => json!({ "type": ["string", "integer"], "pattern": NAME }),
        Shape::Event => json!({
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "pattern": format!("^([A-Za-z0-9_-]+#)?{NUMBER}$") },
            ]
        }),
        Shape::Words(words) => {
            let word = |name: &str, doc: &str| json!({ "const": name, "description": doc });
            json!({ "anyOf": words.iter().map(|one| word(one.name, one.doc)).collect::<Vec<_>>() })
        }
        Shape::Without("off", doc) => json!({ "enum": ["off", false, "false"], "description": doc }),
        Shape::Without("unlimited", doc) => json!({ "enum": ["unlimited", -1, "-1"], "description": doc }),
        Shape::Without(word, doc) => json!({ "const": word, "description": doc }),
        _ => json!({ "type": ["string", "number", "boolean"] }),
    }
}

/// A default of the tables as JSON.
fn value_of(text: &str) -> Value {
    let node = tree::read(text, 0, 0, &mut super::error::Problems::default());
    node.map_or(Value::Null, |node| json_of(&node))
}

fn json_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Scalar(text) => match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
            Ok(_) | Err(_) => Value::from(&**text),
        },
        Kind::List(items) => items.iter().map(json_of).collect(),
        Kind::Map(entries) => {
            entries.iter().map(|entry| (entry.name.to_string(), json_of(&entry.value))).collect::<Map<_, _>>().into()
        }
    }
}
