//! The tables of what a caller says of its messages and records: their keys and their deduplication ids.

use super::common::{TEXT, WHOLE_FROM_1, tag, word};
use super::{Block, Key, Shape, Union};

pub(super) static KEYS: Shape = Shape::Either(&[
    Shape::Words(&[word("even", "each message its own; records go to the shards in turn")]),
    Shape::Tagged(&Union {
        name: "message keys",
        doc: "what partition key a record has, or what message group a message belongs to",
        tags: &[
            tag("uniform", &WHOLE_FROM_1, "one of the texts `1`, `2`, .. up to this number, with equal probability"),
            tag("zipf", &Shape::Block(&ZIPF), "one of such texts, the first ones more often"),
            tag("constant", &TEXT, "always this text"),
            tag("list", &Shape::List(&TEXT), "these texts in turn"),
            tag(
                "hash",
                &Shape::List(&TEXT),
                "these explicit hash keys in turn, whole numbers below 2^128, in the place of the hash of a key",
            ),
        ],
    }),
]);

static ZIPF: Block = Block {
    name: "zipf",
    doc: "the n-th of the texts `1`, `2`, .. has a weight of 1 / n^exponent",
    case: None,
    keys: &[
        Key::new("count", &WHOLE_FROM_1, "how many texts").required(),
        Key::new("exponent", &Shape::Real(0.0, 100.0), "0 is even; more gives more to the first").required(),
    ],
};

pub(super) static DEDUPLICATION: Shape = Shape::Either(&[
    Shape::Without("none", "each message is new"),
    Shape::Tagged(&Union {
        name: "deduplication ids",
        doc: "what a FIFO queue knows a message by that is sent twice",
        tags: &[
            tag("constant", &TEXT, "all have this one"),
            tag("uniform", &WHOLE_FROM_1, "one of so many, with equal probability"),
        ],
    }),
]);
