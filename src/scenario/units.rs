//! Values with units: durations, rates, sizes, shares and numbers, read exactly.

use super::decimal::{Decimal, Product, split_number};
use super::error::quote;
use crate::kernel::quantity::{Rate, Ratio};
use crate::kernel::time::SimDuration;

/// Why a text is not the value that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnitError {
    /// What is wrong.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) help: Option<String>,
    /// The text is a value of the right sort, but too large or too small to hold.
    pub(crate) out_of_range: bool,
}

impl UnitError {
    fn new(message: String) -> Self {
        Self { message, help: None, out_of_range: false }
    }

    fn range(message: String) -> Self {
        Self { message, help: None, out_of_range: true }
    }

    fn help(mut self, help: String) -> Self {
        self.help = Some(help);
        self
    }
}

/// Reads the number at the front; says why where there is none.
fn number<'a>(whole: &str, text: &'a str, what: &str) -> Result<(Decimal, &'a str), UnitError> {
    let (digits, rest) = split_number(text);
    if !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(not_a_number(whole, what));
    }
    match Decimal::read(digits) {
        Some(value) => Ok((value, rest)),
        None if digits.bytes().filter(|byte| *byte == b'.').count() > 1 => {
            Err(UnitError::new(format!("{} is not {what}: {} is not a number", quote(whole), quote(digits))))
        }
        None => Err(UnitError::range(format!("{} has more digits than can be held", quote(whole)))),
    }
}

fn not_a_number(text: &str, what: &str) -> UnitError {
    let trimmed = text.trim();
    let lower = if trimmed.len() < 16 { trimmed.to_lowercase() } else { String::new() };
    if trimmed.is_empty() {
        UnitError::new(format!("an empty text is not {what}"))
    } else if matches!(lower.trim_start_matches(['+', '-', '.']), "nan" | "inf" | "infinity") {
        UnitError::new(format!("{} is not {what}: it must be finite", quote(text)))
    } else if trimmed.starts_with('-') && trimmed[1..].starts_with(|first: char| first.is_ascii_digit() || first == '.')
    {
        UnitError::range(format!("{} is negative", quote(text)))
    } else {
        UnitError::new(format!("{} is not {what}", quote(text)))
    }
}

/// A unit: its name, its size in the base unit.
type Unit = (&'static str, u128);

/// Units of time in nanoseconds, largest first.
const TIME: [Unit; 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// What people write in the place of a unit of time.
const TIME_WORDS: [(&str, &[&str]); 7] = [
    ("d", &["day", "days", "D"]),
    ("h", &["hr", "hrs", "hour", "hours", "H"]),
    ("m", &["min", "mins", "minute", "minutes", "M"]),
    ("s", &["sec", "secs", "second", "seconds", "S"]),
    ("ms", &["msec", "millis", "millisecond", "milliseconds", "MS", "Ms", "mS"]),
    ("us", &["µs", "μs", "usec", "micros", "microsecond", "microseconds", "US"]),
    ("ns", &["nsec", "nanos", "nanosecond", "nanoseconds", "NS"]),
];

/// Units of size in bytes.
const SIZE: [Unit; 11] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("kiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Units of memory in megabytes as Lambda counts them: 2^20 bytes.
const MEMORY: [Unit; 4] = [("MB", 1), ("MiB", 1), ("GB", 1024), ("GiB", 1024)];

/// The unit of time with this name, in nanoseconds.
pub(crate) fn time_unit(name: &str) -> Option<u64> {
    TIME.iter().find(|(unit, _)| *unit == name).and_then(|(_, size)| u64::try_from(*size).ok())
}

/// The unit of size with this name, in bytes.
pub(crate) fn size_unit(name: &str) -> Option<u64> {
    SIZE.iter().find(|(unit, _)| *unit == name).and_then(|(_, size)| u64::try_from(*size).ok())
}

/// Splits the unit off the front: letters, and the micro signs.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '/' | '%' | '-' | '+' | ' '));
    text.split_at(end.unwrap_or(text.len()))
}

/// Says that a word is no unit of time, and which one may be meant.
fn not_a_time_unit(whole: &str, written: &str, unit: &str) -> UnitError {
    let error = UnitError::new(format!("{} is not a duration: {} is not a unit of time", quote(whole), quote(unit)));
    if let Some((right, _)) = TIME_WORDS.iter().find(|(_, words)| words.contains(&unit)) {
        let size = if unit == "M" { ", `MB` is a size" } else { "" };
        return error.help(format!("write `{written}{right}` for {}{size}", time_word(right)));
    }
    if matches!(unit, "w" | "week" | "weeks") {
        return error.help("the largest unit is the day: a week is `7d`".to_owned());
    }
    error.help("the units are `d`, `h`, `m`, `s`, `ms`, `us` and `ns`".to_owned())
}

fn time_word(unit: &str) -> &'static str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "m" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        _ => "nanoseconds",
    }
}

/// `250us`, `1.5s`, `1h30m`; zero is `0s`.
pub(crate) fn duration(text: &str) -> Result<SimDuration, UnitError> {
    const WHAT: &str = "a duration";
    let mut rest = text;
    let mut total: u128 = 0;
    let mut smallest = u128::MAX;
    loop {
        let (value, after) = number(text, rest, WHAT)?;
        let written = &rest[..rest.len() - after.len()];
        if after.is_empty() && smallest == u128::MAX {
            return Err(bare_duration(text, value));
        }
        if let Some(spaced) = after.strip_prefix(' ') {
            return Err(UnitError::new(format!("{} has a space in it", quote(text)))
                .help(format!("write {}", quote(&format!("{written}{}", spaced.trim().replace(' ', ""))))));
        }
        let (unit, next) = split_unit(after);
        let Some((_, size)) = TIME.iter().find(|(name, _)| *name == unit) else {
            return Err(not_a_time_unit(text, written, unit));
        };
        if *size >= smallest {
            return Err(UnitError::new(format!("{} does not go from large units to small ones", quote(text)))
                .help("write for example `1h30m`".to_owned()));
        }
        smallest = *size;
        let too_long = || UnitError::range(format!("{} is longer than 584 years", quote(text)));
        match value.times(*size) {
            Product::Whole(part) => total = total.checked_add(part).ok_or_else(too_long)?,
            Product::TooLarge => return Err(too_long()),
            Product::Fraction => {
                return Err(UnitError::new(format!("{} is not a whole number of nanoseconds", quote(text))));
            }
        }
        let length = u64::try_from(total).map_err(|_| too_long())?;
        if next.is_empty() {
            return Ok(SimDuration::from_nanos(length));
        }
        rest = next;
    }
}

fn bare_duration(text: &str, value: Decimal) -> UnitError {
    let error = UnitError::new(format!("{} has no unit", quote(text)));
    if value.is_zero() {
        error.help("write `0s`".to_owned())
    } else {
        error.help(format!("write `{text}s` for seconds or `{text}ms` for milliseconds"))
    }
}

/// `50/s`, `3000/min`, `1e6/day`.
pub(crate) fn rate(text: &str) -> Result<Rate, UnitError> {
    const WHAT: &str = "a rate";
    let (value, rest) = number(text, text, WHAT)?;
    if rest.is_empty() {
        return Err(UnitError::new(format!("{} has no unit", quote(text)))
            .help(format!("write `{text}/s` for so many a second, or `/min`, `/h`, `/day`")));
    }
    let unit = rest.trim_start_matches(' ').strip_prefix('/').map(|unit| unit.trim_start_matches(' '));
    let per = match unit {
        Some("ns" | "us" | "ms" | "s" | "m" | "h" | "d") => unit.and_then(time_unit),
        Some("sec" | "second") => time_unit("s"),
        Some("min" | "minute") => time_unit("m"),
        Some("hour") => time_unit("h"),
        Some("day") => time_unit("d"),
        _ => None,
    };
    let (Some(per), false) = (per, rest.contains(' ')) else {
        let error = UnitError::new(format!("{} is not {WHAT}: {} is not a unit of it", quote(text), quote(rest)));
        let written = &text[..text.len() - rest.len()];
        return Err(error.help(match rest.trim().to_lowercase().as_str() {
            "rps" | "tps" | "qps" | "hz" | "ps" | "/ s" | "per second" | "s" => format!("write `{written}/s`"),
            "rpm" | "/mins" | "/minutes" => format!("write `{written}/min`"),
            _ => "the units are `/s`, `/min`, `/h`, `/day` and `/ms`".to_owned(),
        }));
    };
    exact_rate(value, per).ok_or_else(|| UnitError::range(format!("{} cannot be held exactly", quote(text))))
}

/// A decimal number of events in `per` nanoseconds as a ratio of integers.
fn exact_rate(value: Decimal, per: u64) -> Option<Rate> {
    let (mut events, mut length) = (value.mantissa, u128::from(per));
    if value.exponent >= 0 {
        events = events.checked_mul(10u128.checked_pow(value.exponent.unsigned_abs())?)?;
    } else {
        let mut divisor = 10u128.checked_pow(value.exponent.unsigned_abs())?;
        let common = gcd(events, divisor);
        events /= common;
        divisor /= common;
        length = length.checked_mul(divisor)?;
    }
    if events == 0 {
        length = u128::from(per);
    }
    Some(Rate { events: u64::try_from(events).ok()?, per: SimDuration::from_nanos(u64::try_from(length).ok()?) })
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// `512B`, `6MB` (10^6), `1MiB` (2^20).
pub(crate) fn size(text: &str) -> Result<u64, UnitError> {
    with_unit(text, "a size", &SIZE, "512B", "2KB")
}

/// `1MB/s`: a size in each second.
pub(crate) fn throughput(text: &str) -> Result<u64, UnitError> {
    let Some(amount) = ["/s", "/sec", "/second"].into_iter().find_map(|per| text.strip_suffix(per)) else {
        let help =
            if size(text).is_ok() { format!("write `{text}/s`") } else { "write for example `1MB/s`".to_owned() };
        return Err(UnitError::new(format!("{} is not a number of bytes a second", quote(text))).help(help));
    };
    size(amount)
}

/// `1024MB` as Lambda counts it: 2^20 bytes.
pub(crate) fn memory(text: &str) -> Result<u64, UnitError> {
    with_unit(text, "an amount of memory", &MEMORY, "512MB", "1024MB")
}

fn with_unit(text: &str, what: &str, units: &[Unit], one: &str, two: &str) -> Result<u64, UnitError> {
    let (value, rest) = number(text, text, what)?;
    let written = &text[..text.len() - rest.len()];
    let unit = rest.trim_start_matches(' ');
    let known = units.iter().find(|(name, _)| *name == unit);
    let (Some((_, size)), false) = (known, rest.starts_with(' ')) else {
        let error = if rest.is_empty() {
            UnitError::new(format!("{} has no unit", quote(text)))
        } else {
            UnitError::new(format!("{} is not {what}: {} is not a unit of it", quote(text), quote(rest)))
        };
        let near = known.or_else(|| units.iter().find(|(name, _)| same_unit(name, unit))).map(|(name, _)| *name);
        return Err(error.help(match near {
            Some(name) => format!("write `{written}{name}`"),
            None => format!("write for example `{one}` or `{two}`"),
        }));
    };
    match value.times(*size) {
        Product::Whole(whole) => {
            u64::try_from(whole).map_err(|_| UnitError::range(format!("{} is too large", quote(text))))
        }
        Product::TooLarge => Err(UnitError::range(format!("{} is too large", quote(text)))),
        Product::Fraction => Err(UnitError::new(format!("{} is not a whole number of {}", quote(text), units[0].0))),
    }
}

/// `mb`, `M`, `Mb`, `megabytes`: what people write for `MB`.
fn same_unit(name: &str, written: &str) -> bool {
    let lower = written.to_lowercase();
    let short = name.to_lowercase();
    let long = match name {
        "B" => "byte",
        "KB" => "kilobyte",
        "MB" => "megabyte",
        "GB" => "gigabyte",
        _ => return lower == short,
    };
    lower == short || lower == short.trim_end_matches('b') || lower == long || lower == format!("{long}s")
}

/// `0.5%` or `0.005`: a share between 0 and 1.
pub(crate) fn ratio(text: &str) -> Result<Ratio, UnitError> {
    const WHAT: &str = "a share";
    let (value, rest) = number(text, text, WHAT)?;
    let percent = match rest {
        "" => false,
        "%" => true,
        _ => {
            return Err(UnitError::new(format!("{} is not {WHAT}: {} is not a unit of it", quote(text), quote(rest)))
                .help("write for example `0.5%` or `0.005`".to_owned()));
        }
    };
    let whole = u128::from(Ratio::PARTS) / if percent { 100 } else { 1 };
    let parts = value.times_rounded(whole).and_then(|parts| u64::try_from(parts).ok()).and_then(Ratio::from_parts);
    parts.ok_or_else(|| {
        let error = UnitError::range(format!("{} is more than 100%", quote(text)));
        let meant = value.times_rounded(1).filter(|whole| !percent && *whole <= 100);
        if meant.is_some() { error.help(format!("write `{text}%` for percent")) } else { error }
    })
}

/// `12`, `1_000`, `1e10`: a whole number.
pub(crate) fn whole(text: &str) -> Result<u64, UnitError> {
    const WHAT: &str = "a whole number";
    let (value, rest) = number(text, text, WHAT)?;
    if !rest.is_empty() {
        let error = UnitError::new(format!("{} is not {WHAT}", quote(text)));
        return Err(if split_unit(rest).1.is_empty() {
            error.help(format!("it takes no unit: write `{}`", &text[..text.len() - rest.len()]))
        } else {
            error
        });
    }
    match value.times(1) {
        Product::Whole(whole) => {
            u64::try_from(whole).map_err(|_| UnitError::range(format!("{} is too large", quote(text))))
        }
        Product::TooLarge => Err(UnitError::range(format!("{} is too large", quote(text)))),
        Product::Fraction => Err(UnitError::new(format!("{} is not {WHAT}", quote(text)))),
    }
}

/// `3 receives`, `1 receive`, `3`: a whole number, and what it counts.
pub(crate) fn counted(text: &str, noun: &str) -> Result<u64, UnitError> {
    let what = format!("a number of {noun}s");
    let (_, rest) = number(text, text, &what)?;
    match rest.trim() {
        "" => whole(text.trim_end()),
        unit if unit.strip_suffix('s').unwrap_or(unit) == noun => whole(&text[..text.len() - rest.len()]),
        _ => {
            let error = UnitError::new(format!("{} is not {what}", quote(text)));
            Err(error.help(format!("write `{} {noun}s`", &text[..text.len() - rest.len()])))
        }
    }
}

/// `1.5`, `2`, `1e3`: a finite number of at least zero.
pub(crate) fn real(text: &str) -> Result<f64, UnitError> {
    const WHAT: &str = "a number";
    let (_, rest) = number(text, text, WHAT)?;
    if !rest.is_empty() {
        return Err(UnitError::new(format!("{} is not {WHAT}", quote(text))));
    }
    match text.replace('_', "").parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(UnitError::range(format!("{} is too large", quote(text)))),
        Err(_) => Err(UnitError::new(format!("{} is not {WHAT}", quote(text)))),
    }
}

/// `on`, `off`, `true`, `false`, however a YAML writer spells them.
pub(crate) fn switch(text: &str) -> Result<bool, UnitError> {
    match text {
        "on" | "On" | "ON" | "true" | "True" | "TRUE" => Ok(true),
        "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => Ok(false),
        _ => {
            let error = UnitError::new(format!("{} is neither on nor off", quote(text)));
            Err(match text.len() {
                1..=8 => match text.to_lowercase().as_str() {
                    "yes" | "y" | "1" | "enabled" => error.help("write `on`".to_owned()),
                    "no" | "n" | "0" | "none" | "disabled" => error.help("write `off`".to_owned()),
                    _ => error,
                },
                _ => error,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, nanoseconds) in [
            ("0s", 0),
            ("1ns", 1),
            ("250us", 250_000),
            ("1.5s", 1_500_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1h0.5m", 3_630_000_000_000),
            ("4d", 345_600_000_000_000),
            ("1e3ms", 1_000_000_000),
            ("0.000001ms", 1),
            ("18446744073709551615ns", u64::MAX),
        ] {
            assert_eq!(duration(text), Ok(SimDuration::from_nanos(nanoseconds)), "{text}");
        }
        for text in ["", "5", "s", "5x", "1m1h", "1s1s", "0.5ns", "18446744073709551616ns", "1s ", " 1s", "1,5s", "+1s"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    /// What prints as a duration reads back.
    #[test]
    fn durations_read_what_they_print() {
        for nanoseconds in (0..64).map(|shift| u64::MAX >> shift) {
            let length = SimDuration::from_nanos(nanoseconds);
            assert_eq!(duration(&length.to_string()), Ok(length));
        }
    }

    #[test]
    fn rates() {
        let per = |events, nanoseconds| Ok(Rate { events, per: SimDuration::from_nanos(nanoseconds) });
        let second = 1_000_000_000;
        assert_eq!(rate("50/s"), per(50, second));
        assert_eq!(rate("3000/min"), per(3000, 60 * second));
        assert_eq!(rate("1e6/day"), per(1_000_000, 86_400 * second));
        assert_eq!(rate("0.5/s"), per(1, 2 * second));
        assert_eq!(rate("33.3/s"), per(333, 10 * second));
        assert_eq!(rate("0/h"), per(0, 3600 * second));
        assert_eq!(rate("2/ms"), per(2, 1_000_000));
        for text in ["", "5", "5/", "/s", "5/fortnight", "1e30/s", "1e-30/s", "-1/s", "5 / s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_and_memory() {
        for (text, bytes) in [("512B", 512), ("6MB", 6_000_000), ("1MiB", 1 << 20), ("1.5kB", 1500), ("2KiB", 2048)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, megabytes) in [("1024MB", 1024), ("1GB", 1024), ("0.5GB", 512), ("128MiB", 128)] {
            assert_eq!(memory(text), Ok(megabytes), "{text}");
        }
        assert!(size("1.5B").is_err() && size("5").is_err() && memory("1TB").is_err() && memory("0.5MB").is_err());
    }

    #[test]
    fn throughputs() {
        for (text, bytes) in [("1MB/s", 1_000_000), ("512B/sec", 512), ("1KiB/second", 1024)] {
            assert_eq!(throughput(text), Ok(bytes), "{text}");
        }
        for text in ["1MB", "1MB/min", "10/s", "MB/s", "-1B/s", ""] {
            assert!(throughput(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares() {
        for (text, parts) in
            [("0.5%", 5_000_000_000), ("0.005", 5_000_000_000), ("100%", Ratio::PARTS), ("1", Ratio::PARTS), ("0", 0)]
        {
            assert_eq!(ratio(text).map(Ratio::parts), Ok(parts), "{text}");
        }
        assert_eq!(ratio("0.3333333333333333333").map(Ratio::parts), Ok(333_333_333_333));
        assert!(ratio("101%").is_err() && ratio("1.5").is_err() && ratio("-1%").is_err() && ratio("1%%").is_err());
    }
}
