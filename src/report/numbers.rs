//! Numbers as people read them: separators, units, and no more digits than they mean.

use super::WIDTH;
use crate::expect::{Judgement, Unit};
use crate::stats::summary::Limit;

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    separate(&number.to_string())
}

/// Three digits and the unit that suits: `0.25 ms`, `212 ms`, `1.2 s`, `12.5 min`.
pub(super) fn milliseconds(milliseconds: f64) -> String {
    time(milliseconds, 3)
}

fn time(milliseconds: f64, digits: usize) -> String {
    const UNITS: [(f64, &str); 6] =
        [(86_400e3, "d"), (3_600e3, "h"), (60e3, "min"), (1e3, "s"), (1.0, "ms"), (1e-3, "us")];
    if milliseconds == 0.0 {
        return "0 ms".to_owned();
    }
    // A hundred microseconds still read well as milliseconds, and 120 s as such.
    let fits = |(size, unit): &(f64, &str)| match *unit {
        "ms" => milliseconds.abs() >= 0.1,
        "d" => milliseconds.abs() >= 2.0 * size,
        _ => milliseconds.abs() >= *size,
    };
    let (size, unit) = UNITS.into_iter().find(fits).unwrap_or((1e-3, "us"));
    format!("{} {unit}", significant(milliseconds / size, digits))
}

/// As [`milliseconds`], or `-`.
pub(super) fn some_milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), milliseconds)
}

/// `3.2 %`; never rounded to nothing or to everything.
pub(super) fn share(part: f64, whole: f64) -> String {
    if whole == 0.0 {
        return "-".to_owned();
    }
    let percent = part / whole * 100.0;
    let rest = 100.0 - percent;
    if percent <= 99.0 || rest <= 0.0 {
        return format!("{} %", significant(percent, 2));
    }
    // As many decimals as the rest needs.
    let text = significant(rest, 1);
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals > 4 { "> 99.99 %".to_owned() } else { format!("{percent:.decimals$} %") }
}

/// A share for a narrow column: `0.5 %`, `<0.1 %`, `3.2 %`, `12 %`.
pub(super) fn short_share(part: f64, whole: f64) -> String {
    let percent = part / whole * 100.0;
    if whole == 0.0 {
        "-".to_owned()
    } else if percent > 0.0 && percent < 0.1 {
        "<0.1 %".to_owned()
    } else if percent > 99.0 && percent < 100.0 {
        ">99 %".to_owned()
    } else {
        format!("{} %", significant(percent, if percent < 1.0 { 1 } else { 2 }))
    }
}

/// The actual value of an expectation in its unit: `36.9 %`, `882 ms`, `1.5 MB`, `0.58 USD`, `12,345`; `-` for null.
///
/// With as many digits as it takes to tell it from the value that it is compared with.
pub fn actual(judgement: &Judgement) -> String {
    let Some(actual) = judgement.actual else { return "-".to_owned() };
    let unit = judgement.unit;
    let first = if unit == Unit::None { 4 } else { 3 };
    let differs = |digits: &usize| {
        judgement.bound.is_none_or(|bound| in_unit(actual, unit, *digits) != in_unit(bound, unit, *digits))
    };
    #[allow(clippy::float_cmp, reason = "equal numbers look the same")]
    let equal = judgement.bound == Some(actual);
    let digits = (first..=16).find(differs).filter(|_| !equal).unwrap_or(first);
    in_unit(actual, unit, digits)
}

/// A number in the unit that suits.
pub(super) fn in_unit(number: f64, unit: Unit, digits: usize) -> String {
    const SIZES: [(f64, &str); 5] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")];
    match unit {
        Unit::None if number.fract() == 0.0 => separate(&format!("{number}")),
        Unit::None => significant(number, digits),
        Unit::Milliseconds => time(number, digits),
        Unit::Share => format!("{} %", significant(number * 100.0, digits)),
        Unit::Usd => format!("{} USD", significant(number, digits)),
        Unit::Bytes => {
            let (size, unit) = SIZES.into_iter().find(|(size, _)| number.abs() >= *size).unwrap_or((1.0, "B"));
            format!("{} {unit}", significant(number / size, digits))
        }
    }
}

/// `200`, or `200-400` where it changed.
pub(super) fn limit(limit: Limit) -> String {
    let Limit { lowest, highest } = limit;
    if lowest == highest {
        return count(u64::from(lowest));
    }
    format!("{}-{}", count(u64::from(lowest)), count(u64::from(highest)))
}

/// `1,234.50`, `0.0123`.
pub(super) fn dollars(usd: f64) -> String {
    if usd == 0.0 {
        "0".to_owned()
    } else if usd >= 1.0 {
        separate(&format!("{usd:.2}"))
    } else {
        significant(usd, 3)
    }
}

/// A number with at least `digits` digits, without zeros at the end of its decimals.
pub(super) fn significant(number: f64, digits: usize) -> String {
    let decimals = |number: f64| {
        let mut decimals = digits.saturating_sub(1);
        let mut bound = 10.0;
        while decimals > 0 && number.abs() >= bound {
            bound *= 10.0;
            decimals -= 1;
        }
        let mut bound = 1.0;
        while number != 0.0 && number.abs() < bound && decimals < 20 {
            bound /= 10.0;
            decimals += 1;
        }
        decimals
    };
    let first = format!("{number:.*}", decimals(number));
    // Rounding may have added a digit in front: 9.996 is 10.0, not 10.00.
    let rounded: f64 = first.parse().unwrap_or(number);
    let text = format!("{number:.*}", decimals(rounded));
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    separate(text)
}

/// Commas between thousands.
pub(super) fn separate(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, decimals) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + decimals
}

/// At most `width` characters, the last an ellipsis where some are missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Lines of at most [`WIDTH`] columns, the second and later ones indented by `indent`; ends with a line end. A number
/// and its unit stay together.
pub(super) fn wrap(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    let mut words = text.split(' ').enumerate().peekable();
    while let Some((place, word)) = words.next() {
        let width = word.chars().count();
        let unit = words.peek().filter(|(_, next)| word.ends_with(|last: char| last.is_ascii_digit()) && is_unit(next));
        let needed = width + unit.map_or(0, |(_, unit)| 1 + unit.chars().count());
        if column > indent && column + 1 + needed > WIDTH {
            lines.push('\n');
            lines += &" ".repeat(indent);
            column = indent;
        } else if place > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += width;
    }
    lines.push('\n');
    lines
}

fn is_unit(word: &str) -> bool {
    matches!(word.trim_end_matches([',', '.', ';', ':', ')']), "%" | "ms" | "s" | "min" | "h" | "USD")
}

/// `1 call`, `2 calls`.
pub(super) fn plural(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_units() {
        let filler = "x".repeat(WIDTH - 5);
        for (text, wrapped) in [
            ("(99 % free)", format!("{filler}\n  (99 % free)\n")),
            ("0.5 USD;", format!("{filler}\n  0.5 USD;\n")),
            ("99 calls", format!("{filler} 99\n  calls\n")),
            ("99 %", format!("{filler} 99 %\n")),
        ] {
            assert_eq!(wrap(&format!("{filler} {text}"), 2), wrapped);
        }
    }

    #[test]
    fn thousands_are_separated() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (36_000, "36,000"), (1_234_567_890, "1,234,567,890")]
        {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn times_have_the_unit_that_suits() {
        for (number, text) in [
            (0.0, "0 ms"),
            (0.000_001, "0.001 us"),
            (0.05, "50 us"),
            (0.25, "0.25 ms"),
            (9.996, "10 ms"),
            (20.0, "20 ms"),
            (99.96, "100 ms"),
            (212.4, "212 ms"),
            (999.9, "1,000 ms"),
            (1_000.0, "1 s"),
            (1_234.0, "1.23 s"),
            (61_000.0, "1.02 min"),
            (750_000.0, "12.5 min"),
            (3_600_000.0, "1 h"),
            (86_400_000.0, "24 h"),
            (345_600_000.0, "4 d"),
        ] {
            assert_eq!(milliseconds(number), text);
        }
    }

    #[test]
    fn shares_are_never_rounded_away() {
        for (part, whole, text) in [
            (0.0, 10.0, "0 %"),
            (1_152.0, 36_000.0, "3.2 %"),
            (1.0, 1e6, "0.0001 %"),
            (96.0, 100.0, "96 %"),
            (10.0, 10.0, "100 %"),
            (9_997.0, 10_000.0, "99.97 %"),
            (999_999.0, 1_000_000.0, "99.9999 %"),
            (99_999_999.0, 100_000_000.0, "> 99.99 %"),
            (1.0, 0.0, "-"),
        ] {
            assert_eq!(share(part, whole), text);
        }
    }

    #[test]
    fn narrow_columns_get_short_shares() {
        for (part, text) in [
            (0.0, "0 %"),
            (0.067, "<0.1 %"),
            (0.54, "0.5 %"),
            (3.24, "3.2 %"),
            (96.4, "96 %"),
            (99.9, ">99 %"),
            (100.0, "100 %"),
        ] {
            assert_eq!(short_share(part, 100.0), text);
        }
    }

    #[test]
    fn long_lines_are_wrapped_between_words() {
        assert_eq!(wrap("  a b", 2), "  a b\n");
        let long = ["word"; 20].join(" ");
        let wrapped = wrap(&long, 2);
        assert_eq!(wrapped.lines().map(str::len).collect::<Vec<_>>(), [79, 21]);
        assert_eq!(wrap(&"x".repeat(100), 2), "x".repeat(100) + "\n");
    }

    #[test]
    fn actual_values_have_their_unit() {
        for (actual_value, unit, bound, text) in [
            (Some(0.369_2), Unit::Share, 0.5, "36.9 %"),
            (Some(882.4), Unit::Milliseconds, 2e3, "882 ms"),
            (Some(2_404.0), Unit::Milliseconds, 2e3, "2.4 s"),
            (Some(800.04), Unit::Milliseconds, 800.0, "800.04 ms"),
            (Some(800.0), Unit::Milliseconds, 800.0, "800 ms"),
            (Some(-1_500.0), Unit::Milliseconds, 0.0, "-1.5 s"),
            (Some(1_500_000.0), Unit::Bytes, 6e6, "1.5 MB"),
            (Some(0.580_12), Unit::Usd, 1.0, "0.58 USD"),
            (Some(150_224.0), Unit::None, 0.0, "150,224"),
            (Some(25.933_33), Unit::None, 0.0, "25.93"),
            (Some(0.000_123_456), Unit::None, 0.0, "0.0001235"),
            (None, Unit::None, 0.0, "-"),
        ] {
            let bound = Some(bound);
            let judgement = Judgement { expression: String::new(), actual: actual_value, pass: true, unit, bound };
            assert_eq!(actual(&judgement), text);
        }
    }

    #[test]
    fn money_has_cents_or_three_digits() {
        for (usd, text) in
            [(0.0, "0"), (0.000_012_345, "0.0000123"), (0.2, "0.2"), (3.200_006, "3.20"), (115_000.2, "115,000.20")]
        {
            assert_eq!(dollars(usd), text);
        }
    }

    #[test]
    fn long_names_end_in_an_ellipsis() {
        for (text, cut_text) in [("resize", "resize"), ("image-resize-v2", "image-res…")] {
            assert_eq!(cut(text, 10), cut_text);
        }
    }
}
