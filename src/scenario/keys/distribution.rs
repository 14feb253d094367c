//! The tables of distributions, of time and of size.

use super::common::{ANY, ANY_DURATION, ANY_SIZE, FILE, REAL, SOME_RATIO, TEXT, tag, word};
use super::{Block, Key, Shape, Union};

/// Units of the numbers in a file.
pub(super) static TIME_UNIT: Shape = Shape::Words(&[
    word("ns", "nanoseconds"),
    word("us", "microseconds"),
    word("ms", "milliseconds"),
    word("s", "seconds"),
    word("m", "minutes"),
    word("h", "hours"),
    word("d", "days"),
]);

static SIZE_UNIT: Shape = Shape::Words(&[
    word("B", "bytes"),
    word("KB", "1,000 bytes"),
    word("MB", "1,000,000 bytes"),
    word("KiB", "1,024 bytes"),
    word("MiB", "1,048,576 bytes"),
]);

/// The distributions of one sort of value: their shape, and the blocks of their parameters.
macro_rules! distributions {
    ($name:ident, $label:literal, $doc:literal, $value:ident, $bare:expr, $unit:ident, $unit_default:ident $(($unit_text:literal))?) => {
        pub(crate) static $name: Shape = Shape::Either(&[
            $bare,
            Shape::Tagged(&Union {
                name: $label,
                doc: $doc,
                tags: &[
                    tag("constant", &$value, "always the same"),
                    tag(
                        "uniform",
                        &Shape::Block(&Block {
                            name: "uniform",
                            doc: "evenly between two bounds",
                            case: None,
                            keys: &[
                                Key::new("min", &$value, "least").required(),
                                Key::new("max", &$value, "largest").required(),
                            ],
                        }),
                        "evenly between two bounds",
                    ),
                    tag(
                        "exponential",
                        &Shape::Block(&Block {
                            name: "exponential",
                            doc: "memoryless",
                            case: None,
                            keys: &[Key::new("mean", &$value, "mean").required()],
                        }),
                        "memoryless",
                    ),
                    tag(
                        "lognormal",
                        &Shape::Either(&[
                            Shape::Block(&Block {
                                name: "lognormal",
                                doc: "by two quantiles",
                                case: None,
                                keys: &[
                                    Key::new("median", &$value, "half is below").required(),
                                    Key::new("p99", &$value, "99 of 100 are below").required(),
                                ],
                            }),
                            Shape::Block(&Block {
                                name: "lognormal by mean",
                                doc: "by mean and coefficient of variation",
                                case: None,
                                keys: &[
                                    Key::new("mean", &$value, "mean").required(),
                                    Key::new("cv", &REAL, "standard deviation / mean").required(),
                                ],
                            }),
                        ]),
                        "skewed: `{median, p99}` or `{mean, cv}`",
                    ),
                    tag(
                        "gamma",
                        &Shape::Block(&Block {
                            name: "gamma",
                            doc: "by mean and coefficient of variation",
                            case: None,
                            keys: &[
                                Key::new("mean", &$value, "mean").required(),
                                Key::new("cv", &REAL, "standard deviation / mean").required(),
                            ],
                        }),
                        "skewed, with a light tail",
                    ),
                    tag(
                        "weibull",
                        &Shape::Block(&Block {
                            name: "weibull",
                            doc: "by scale and shape",
                            case: None,
                            keys: &[
                                Key::new("scale", &$value, "63.2% are below").required(),
                                Key::new("shape", &REAL, "below 1 a heavier tail than exponential").required(),
                            ],
                        }),
                        "heavier or lighter tail than exponential",
                    ),
                    tag(
                        "pareto",
                        &Shape::Block(&Block {
                            name: "pareto",
                            doc: "a power law",
                            case: None,
                            keys: &[
                                Key::new("min", &$value, "least").required(),
                                Key::new("alpha", &REAL, "exponent of the tail; small is heavy").required(),
                            ],
                        }),
                        "a heavy tail",
                    ),
                    tag("quantiles", &Shape::Quantiles(&$value), "straight lines between quantiles: `{p0: .., p50: .., p100: ..}`"),
                    tag(
                        "empirical",
                        &Shape::Block(&Block {
                            name: "empirical",
                            doc: "values drawn from a column of a CSV file",
                            case: None,
                            keys: &[
                                Key::new("file", &FILE, "a CSV file beside the scenario").required(),
                                Key::new("column", &TEXT, "the column; may be left out where there is only one"),
                                Key::new("unit", &$unit, "the unit of its numbers").$unit_default($($unit_text)?),
                            ],
                        }),
                        "values drawn from a column of a CSV file",
                    ),
                    tag(
                        "mixture",
                        &Shape::List(&Shape::Block(&Block {
                            name: "mixture part",
                            doc: "a distribution and its weight",
                            case: None,
                            keys: &[
                                Key::new("weight", &SOME_RATIO, "share of the draws").required(),
                                Key::new("of", &$name, "the distribution").required(),
                            ],
                        })),
                        "one of several distributions, by weight",
                    ),
                ],
            }),
        ]);
    };
}

distributions!(
    TIME,
    "time distribution",
    "how long something takes, drawn anew each time",
    ANY_DURATION,
    Shape::Duration(0, ANY),
    TIME_UNIT,
    required
);
distributions!(
    BYTES,
    "size distribution",
    "how large something is, drawn anew each time",
    ANY_SIZE,
    Shape::Size(0, ANY),
    SIZE_UNIT,
    is("B")
);
