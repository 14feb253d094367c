//! Several values in one text, for what tries them one after the other: `1,2,5`, `30s..5m/30s`, `10..1000*2`.
//!
//! A range has two ends, both within it, and a step after `/` or a factor after `*`. A `/` before a letter belongs to
//! a unit (`10/s`), one before a digit begins the step: `10/s..100/s/10/s`.

use super::decimal::{Decimal, split_number};
use super::error::quote;
use super::units;
use crate::kernel::time::SimDuration;

/// Most values of one text.
const MOST: usize = 10_000;

/// What the numbers of a range count.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind<'a> {
    /// Nanoseconds, so that units of time may differ.
    Time,
    /// Whatever this unit says; the same in the whole range.
    Unit(&'a str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Quantity<'a> {
    amount: Decimal,
    kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step<'a> {
    None,
    By(&'a str),
    Times(&'a str),
}

/// All values of a text: items with commas between them, each a value as a scenario writes it or a range. A comma
/// within brackets or quotes belongs to its value.
///
/// # Errors
/// With what is wrong with the text, and what would be right.
pub fn values(text: &str) -> Result<Vec<String>, String> {
    let mut values: Vec<String> = Vec::new();
    for item in items(text) {
        if item.is_empty() {
            return Err(format!("{} has an empty item", quote(text)));
        }
        match item.split_once("..").filter(|(from, _)| from.starts_with(|first: char| first.is_ascii_digit())) {
            Some((from, rest)) => values.extend(range(item, from, rest)?),
            None => values.push(item.to_owned()),
        }
        if values.len() > MOST {
            return Err(too_many(text));
        }
    }
    let mut sorted: Vec<&String> = values.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("{} has {} twice", quote(text), quote(pair[0]))),
        None => Ok(values),
    }
}

fn too_many(text: &str) -> String {
    format!("{} has more than {MOST} values", quote(text))
}

/// The texts between the commas that stand in no bracket and no quotes.
fn items(text: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let mut quoted = None;
    for (at, letter) in text.char_indices() {
        match (quoted, letter) {
            (Some(quote), _) if quote == letter => quoted = None,
            // A quote within a value is a letter, as in YAML.
            (None, '"' | '\'') if depth > 0 || text[start..at].trim().is_empty() => quoted = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            (Some(_) | None, _) => {}
        }
    }
    items.push(text[start..].trim());
    items
}

fn range(whole: &str, from: &str, rest: &str) -> Result<Vec<String>, String> {
    let (to, step) = split_step(rest);
    let (from, to) = (quantity(whole, from)?, quantity(whole, to)?);
    if from.kind != to.kind {
        return Err(mixed(whole));
    }
    match step {
        Step::Times(factor) => geometric(whole, from, to, factor),
        Step::By(step) => {
            let mut by = quantity(whole, step)?;
            if by.kind == Kind::Unit("") && from.kind != Kind::Time {
                by.kind = from.kind;
            }
            if by.kind != from.kind {
                return Err(mixed(whole));
            }
            arithmetic(whole, from, to, by.amount)
        }
        Step::None if from.kind == Kind::Unit("") && from.amount.exponent >= 0 && to.amount.exponent >= 0 => {
            arithmetic(whole, from, to, Decimal { mantissa: 1, exponent: 0 })
        }
        Step::None => Err(format!("{} has no step: write one after a `/`, or a factor after a `*`", quote(whole))),
    }
}

fn mixed(whole: &str) -> String {
    format!("{} mixes units: write both ends and the step with the same one", quote(whole))
}

/// The end of a range, and what follows it.
fn split_step(rest: &str) -> (&str, Step<'_>) {
    let is_digit = |at: usize| rest[at..].starts_with(|next: char| next.is_ascii_digit() || next == '.');
    let found = rest.char_indices().find(|(at, letter)| *letter == '*' || *letter == '/' && is_digit(at + 1));
    match found {
        Some((at, '*')) => (&rest[..at], Step::Times(&rest[at + 1..])),
        Some((at, _)) => (&rest[..at], Step::By(&rest[at + 1..])),
        None => (rest, Step::None),
    }
}

fn quantity<'a>(whole: &str, text: &'a str) -> Result<Quantity<'a>, String> {
    let (number, unit) = split_number(text);
    let not = || format!("{} is not a range: {} is no number with a unit", quote(whole), quote(text));
    let letters = unit.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(unit.len());
    if units::time_unit(&unit[..letters]).is_some() {
        let length = units::duration(text).map_err(|error| error.message)?;
        return Ok(Quantity {
            amount: Decimal { mantissa: u128::from(length.as_nanos()), exponent: 0 },
            kind: Kind::Time,
        });
    }
    if letters < unit.len() {
        return Err(not());
    }
    let amount = Decimal::read(number).filter(|_| !number.is_empty()).ok_or_else(not)?;
    Ok(Quantity { amount, kind: Kind::Unit(unit) })
}

/// From one end to the other, up or down, by a step.
fn arithmetic(whole: &str, from: Quantity<'_>, to: Quantity<'_>, by: Decimal) -> Result<Vec<String>, String> {
    let exponent = from.amount.exponent.min(to.amount.exponent).min(by.exponent);
    let scaled = |amount: Decimal| {
        let power = 10_u128.checked_pow(amount.exponent.abs_diff(exponent))?;
        amount.mantissa.checked_mul(power)
    };
    let too_large = || format!("{} has more digits than can be held", quote(whole));
    let start = scaled(from.amount).ok_or_else(too_large)?;
    let (end, step) = (scaled(to.amount).ok_or_else(too_large)?, scaled(by).ok_or_else(too_large)?);
    if step == 0 {
        return Err(format!("{} has a step of nothing", quote(whole)));
    }
    let steps = start.abs_diff(end) / step;
    if steps >= MOST as u128 {
        return Err(too_many(whole));
    }
    let value = |index: u128| if start <= end { start + index * step } else { start - index * step };
    (0..=steps).map(|index| written(value(index), exponent, from.kind).ok_or_else(too_large)).collect()
}

/// From the smaller end up by a factor; values have as many decimals as the ends.
fn geometric(whole: &str, from: Quantity<'_>, to: Quantity<'_>, factor: &str) -> Result<Vec<String>, String> {
    let float =
        |amount: Decimal| amount.mantissa as f64 * tens(amount.exponent.max(0)) / tens((-amount.exponent).max(0));
    let factor = Decimal::parse(factor).map(float).filter(|factor| *factor > 1.0);
    let factor = factor.ok_or_else(|| format!("{} needs a factor above 1 after the `*`", quote(whole)))?;
    let (mut value, end) = (float(from.amount), float(to.amount));
    if value <= 0.0 || end < value {
        return Err(format!("{} does not go up from more than nothing", quote(whole)));
    }
    let exponent = from.amount.exponent.min(to.amount.exponent).min(0);
    let mut values: Vec<String> = Vec::new();
    // A little more than the end: 0.1 x 10 x 10 is 10 for people.
    while value <= end * (1.0 + 1e-12) {
        if values.len() == MOST {
            return Err(too_many(whole));
        }
        let rounded = (value * tens(-exponent)).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and `as` saturates")]
        let text = written(rounded as u128, exponent, from.kind);
        let text = text.ok_or_else(|| format!("{} has more digits than can be held", quote(whole)))?;
        if values.last() != Some(&text) {
            values.push(text);
        }
        value *= factor;
    }
    Ok(values)
}

fn tens(exponent: i32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * 10.0)
}

/// A value as a scenario writes it.
fn written(mantissa: u128, exponent: i32, kind: Kind<'_>) -> Option<String> {
    let Kind::Unit(unit) = kind else {
        return Some(SimDuration::from_nanos(u64::try_from(mantissa).ok()?).to_string());
    };
    let places = exponent.unsigned_abs();
    if exponent >= 0 {
        return Some(format!("{}{unit}", mantissa.checked_mul(10_u128.checked_pow(places)?)?));
    }
    let digits = format!("{mantissa:0>width$}", width = places as usize + 1);
    let (number, decimals) = digits.split_at(digits.len() - places as usize);
    let decimals = decimals.trim_end_matches('0');
    Some(if decimals.is_empty() { format!("{number}{unit}") } else { format!("{number}.{decimals}{unit}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_values() {
        for (text, expected) in [
            ("7", "7"),
            ("1,2,5", "1; 2; 5"),
            ("128MB, 256MB", "128MB; 256MB"),
            ("1..4", "1; 2; 3; 4"),
            ("4..1", "4; 3; 2; 1"),
            ("10..100/40", "10; 50; 90"),
            ("100..10/40", "100; 60; 20"),
            ("5,10..30/10,100", "5; 10; 20; 30; 100"),
            ("30s..2m/30s", "30s; 1m; 1m30s; 2m"),
            ("1h30m..2h/15m", "1h30m; 1h45m; 2h"),
            ("100ms..10s*10", "100ms; 1s; 10s"),
            ("1%..2%/0.5%", "1%; 1.5%; 2%"),
            ("0.1..0.3/0.1", "0.1; 0.2; 0.3"),
            ("10/s..30/s/10/s", "10/s; 20/s; 30/s"),
            ("10/s..30/s/10", "10/s; 20/s; 30/s"),
            ("1MB/s..3MB/s/1MB/s", "1MB/s; 2MB/s; 3MB/s"),
            ("60/min..90/min/30/min", "60/min; 90/min"),
            ("128MB..512MB*2", "128MB; 256MB; 512MB"),
            ("10..80*2", "10; 20; 40; 80"),
            ("10..40*1.5", "10; 15; 23; 34"),
            ("0.1..10*10", "0.1; 1; 10"),
            ("1e3..3e3/1e3", "1000; 2000; 3000"),
            ("1..3*1.1", "1; 2; 3"),
            ("none,{ preset: standard_v2, jitter: none }", "none; { preset: standard_v2, jitter: none }"),
            ("it's,5", "it's; 5"),
            ("'a,b',[1, 2]", "'a,b'; [1, 2]"),
            ("traces/a..b.csv", "traces/a..b.csv"),
        ] {
            assert_eq!(values(text).unwrap().join("; "), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (text, why) in [
            ("", "empty item"),
            ("1,,2", "empty item"),
            ("1,2,1", "has `1` twice"),
            ("1..5/0", "a step of nothing"),
            ("30s..5m", "has no step"),
            ("0.5..2", "has no step"),
            ("1%..5%", "has no step"),
            ("30s..5m/30", "mixes units"),
            ("128MB..1GB/128MB", "mixes units"),
            ("10..100/10s", "mixes units"),
            ("10..100/ten", "mixes units"),
            ("10..", "is no number with a unit"),
            ("10..x", "is no number with a unit"),
            ("1..10*1", "a factor above 1"),
            ("1..10*x", "a factor above 1"),
            ("10..1*2", "does not go up"),
            ("0..10*2", "does not go up"),
            ("1..1000000", "more than 10000 values"),
            ("1..1e30/1", "more than 10000 values"),
            ("1..1e60/1", "more digits"),
        ] {
            let error = values(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
