//! How far a number may be from its baseline: `callers.*.latency_ms.p99=5%`.

use crate::expect::{self, Unit};

/// What a tolerance looks like, for messages.
const FORM: &str =
    "write METRIC=SHARE or METRIC=AMOUNT: `*=1%`, `callers.*.latency_ms.p99=5ms`, `functions.resize.throttles=3`";

/// A tolerance, and the numbers that it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    text: String,
    /// Steps of the paths, `*` for any one; the beginning of a path stands for all below it.
    pattern: Vec<String>,
    allowed: Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Allowed {
    /// This part of the baseline.
    Share(f64),
    /// So much, for numbers of this unit.
    Amount(f64, Unit),
}

impl Tolerance {
    /// Reads `METRIC=2%`, `=0.02`, `=5ms`, `=3`, `=0.01usd`: a bare number below 1 is a share, another one an amount.
    ///
    /// # Errors
    /// With what is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((path, value)) = text.rsplit_once('=') else { return Err(FORM.to_owned()) };
        let (path, value) = (path.trim(), value.trim());
        let pattern = split(path).ok_or_else(|| format!("`{path}` is no path of a number; {FORM}"))?;
        Ok(Self { text: text.to_owned(), pattern, allowed: allowed(value)? })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is allowed, as it was written.
    pub fn allowed(&self) -> &str {
        self.text.rsplit_once('=').map_or(self.text.as_str(), |(_, value)| value.trim())
    }

    /// Whether it is for the number at a path, by its name and what it measures.
    pub fn is_for(&self, path: &[&str]) -> bool {
        let measures = match self.allowed {
            Allowed::Share(_) => true,
            Allowed::Amount(_, unit) => unit == Unit::of_keys(path.iter().copied()),
        };
        measures && self.pattern.len() <= path.len() && self.begins(path)
    }

    /// Whether it is for something at or below a path, or above it.
    pub(super) fn begins(&self, path: &[&str]) -> bool {
        self.pattern.iter().zip(path).all(|(pattern, step)| {
            let any = matches!(pattern.as_str(), "*" | "[*]") || *step == "[*]" && pattern.starts_with('[');
            any || pattern == step
        })
    }

    /// Whether a number may be so far from its baseline.
    pub fn allows(&self, was: f64, is: f64) -> bool {
        let most = match self.allowed {
            Allowed::Share(share) => share * was.abs(),
            Allowed::Amount(amount, _) => amount,
        };
        (is - was).abs() <= most
    }
}

fn allowed(value: &str) -> Result<Allowed, String> {
    let dollars = value.strip_suffix("usd").or_else(|| value.strip_suffix("USD"));
    if let Some(dollars) = dollars {
        return match expect::amount(dollars.trim_end())? {
            (number, Unit::None) => Ok(Allowed::Amount(number, Unit::Usd)),
            _ => Err(format!("`{value}` is not a number of dollars")),
        };
    }
    Ok(match expect::amount(value)? {
        (share, Unit::Share) => Allowed::Share(share),
        (share, Unit::None) if share < 1.0 => Allowed::Share(share),
        (amount, unit) => Allowed::Amount(amount, unit),
    })
}

/// The steps of a path: `streams.s.shards[0]` has four.
fn split(path: &str) -> Option<Vec<String>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == ']') {
            return None;
        }
        steps.push(name.to_owned());
        for index in indices.split_inclusive(']') {
            let number = index.strip_prefix('[')?.strip_suffix(']')?;
            if number != "*" && number.parse::<usize>().is_err() {
                return None;
            }
            steps.push(index.to_owned());
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Tolerance {
        Tolerance::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    #[test]
    fn shares_and_amounts() {
        for (text, allowed) in [
            ("*=2%", Allowed::Share(0.02)),
            ("*=0.02", Allowed::Share(0.02)),
            ("*=0", Allowed::Share(0.0)),
            ("*=3", Allowed::Amount(3.0, Unit::None)),
            ("*=5ms", Allowed::Amount(5.0, Unit::Milliseconds)),
            ("*=1.5s", Allowed::Amount(1500.0, Unit::Milliseconds)),
            ("*=0.01usd", Allowed::Amount(0.01, Unit::Usd)),
        ] {
            assert_eq!(parsed(text).allowed, allowed, "{text}");
        }
        assert_eq!(parsed("callers . x=2%".replace(' ', "").as_str()).allowed(), "2%");
    }

    #[test]
    fn what_is_no_tolerance() {
        for (text, part) in [
            ("2%", "METRIC=SHARE"),
            ("=2%", "no path"),
            ("a..b=2%", "no path"),
            ("a[x]=2%", "no path"),
            ("a[0=2%", "no path"),
            ("a=", "not a number"),
            ("a=-2%", "not a number"),
            ("a=2x", "unknown unit"),
            ("a=5msusd", "dollars"),
        ] {
            let problem = Tolerance::parse(text).expect_err(text);
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }

    #[test]
    fn a_pattern_stands_for_all_below_it() {
        for (text, path, is_for) in [
            ("*=2%", "callers.buyers.submitted", true),
            ("callers=2%", "callers.buyers.submitted", true),
            ("callers=2%", "functions.f.errors", false),
            ("callers.*.submitted=2%", "callers.buyers.submitted", true),
            ("callers.buyers.submitted.more=2%", "callers.buyers.submitted", false),
            ("streams.s.shards[*].records=1", "streams.s.shards[3].records", true),
            ("streams.s.shards[3]=1", "streams.s.shards[3].records", true),
            ("streams.s.shards[2]=1", "streams.s.shards[3].records", false),
            ("callers=5ms", "callers.c.latency_ms.p99", true),
            ("callers=5ms", "callers.c.latency_ms.count", false),
            ("callers=5", "callers.c.latency_ms.count", true),
            ("cost=0.1usd", "cost.total_usd", true),
        ] {
            let path = split(path).unwrap();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            assert_eq!(parsed(text).is_for(&path), is_for, "{text}");
        }
    }

    #[test]
    fn how_far_is_allowed() {
        for (text, was, is, allows) in [
            ("a=5%", 100.0, 105.0, true),
            ("a=5%", 100.0, 94.9, false),
            ("a=5%", -100.0, -95.0, true),
            ("a=5%", 0.0, 0.1, false),
            ("a=3", 0.0, 3.0, true),
            ("a=3", 1.0, 4.1, false),
        ] {
            assert_eq!(parsed(text).allows(was, is), allows, "{text} {was} {is}");
        }
    }
}
