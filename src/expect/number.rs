//! Numbers with their units: `800ms`, `1h30m`, `6MB`, `5%`, `1e6`.

use super::Unit;

/// Units of time in milliseconds (as a multiplier and a divisor, so that both are whole), of size in bytes, and shares.
const UNITS: [(&str, f64, f64); 18] = [
    ("ns", 1.0, 1e6),
    ("us", 1.0, 1e3),
    ("ms", 1.0, 1.0),
    ("s", 1e3, 1.0),
    ("m", 60e3, 1.0),
    ("h", 3_600e3, 1.0),
    ("d", 86_400e3, 1.0),
    ("B", 1.0, 1.0),
    ("KB", 1e3, 1.0),
    ("MB", 1e6, 1.0),
    ("GB", 1e9, 1.0),
    ("TB", 1e12, 1.0),
    ("KiB", 1_024.0, 1.0),
    ("MiB", 1_048_576.0, 1.0),
    ("GiB", 1_073_741_824.0, 1.0),
    ("TiB", 1_099_511_627_776.0, 1.0),
    ("kB", 1e3, 1.0),
    ("%", 1.0, 100.0),
];

/// How many units, from the start of [`UNITS`], are times and may follow each other.
const TIMES: usize = 7;

/// Why a word is not a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotANumber {
    pub(super) message: String,
    pub(super) help: String,
}

/// The value of a word that starts with a digit, and what it measures.
pub(super) fn parse(word: &str) -> Result<(f64, Unit), NotANumber> {
    let mut rest = word;
    let mut sum = 0.0;
    let mut parts = 0;
    let mut measure = Unit::None;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(digits(rest));
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let Ok(number) = digits.parse::<f64>() else { return Err(unreadable(word)) };
        if !number.is_finite() {
            return Err(unreadable(word));
        }
        rest = after;
        parts += 1;
        if unit.is_empty() {
            return if parts == 1 { Ok((number, Unit::None)) } else { Err(unreadable(word)) };
        }
        let Some(place) = UNITS.iter().position(|(name, ..)| *name == unit) else { return Err(unknown_unit(unit)) };
        let (_, times, over) = UNITS[place];
        sum += number * times / over;
        measure = match unit {
            "%" => Unit::Share,
            _ if place < TIMES => Unit::Milliseconds,
            _ => Unit::Bytes,
        };
        if (parts > 1 || !rest.is_empty()) && place >= TIMES {
            return Err(unreadable(word));
        }
    }
    Ok((sum, measure))
}

/// Bytes of the digits, point and exponent at the start of `text`.
fn digits(text: &str) -> usize {
    let bytes = text.as_bytes();
    let plain = bytes.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let Some(b'e' | b'E') = bytes.get(plain) else { return plain };
    let sign = usize::from(matches!(bytes.get(plain + 1), Some(b'+' | b'-')));
    let exponent = bytes[(plain + 1 + sign).min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if exponent == 0 { plain } else { plain + 1 + sign + exponent }
}

fn unreadable(word: &str) -> NotANumber {
    NotANumber {
        message: format!("`{word}` is not a number"),
        help: "write numbers as 12, 0.5 or 1e6, durations as 800ms or 1h30m, sizes as 6MB, shares as 5%".to_owned(),
    }
}

fn unknown_unit(unit: &str) -> NotANumber {
    let names = UNITS.map(|(name, ..)| name).join(", ");
    NotANumber { message: format!("unknown unit `{unit}`"), help: format!("the units are {names}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_their_units() {
        for (word, value) in [
            ("0", 0.0),
            ("12", 12.0),
            ("0.005", 0.005),
            ("1e6", 1e6),
            ("1e-3", 0.001),
            ("1.5E+2", 150.0),
            ("800ms", 800.0),
            ("250us", 0.25),
            ("1ns", 1e-6),
            ("1.5s", 1_500.0),
            ("1h30m", 5_400_000.0),
            ("4d", 345_600_000.0),
            ("1e3ms", 1_000.0),
            ("6MB", 6e6),
            ("1MiB", 1_048_576.0),
            ("512B", 512.0),
            ("5%", 0.05),
            ("0.5%", 0.005),
        ] {
            let (parsed, _) = parse(word).unwrap_or_else(|problem| panic!("{word}: {problem:?}"));
            assert!((parsed - value).abs() < 1e-12 * value.abs().max(1e-12), "{word}: {parsed}");
        }
    }

    #[test]
    fn what_is_not_a_number() {
        for (word, part) in [
            ("1.2.3", "not a number"),
            ("1e999", "not a number"),
            ("5x", "unknown unit `x`"),
            ("5MS", "unknown unit `MS`"),
            ("5%3", "not a number"),
            ("1h30", "not a number"),
            ("1MB5B", "not a number"),
            ("1e", "unknown unit `e`"),
            ("1_000", "unknown unit `_`"),
        ] {
            let problem = parse(word).expect_err(word);
            assert!(problem.message.contains(part), "{word}: {}", problem.message);
        }
    }
}
