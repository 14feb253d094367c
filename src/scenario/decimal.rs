//! Decimal numbers as they are written, without rounding.

/// A decimal number, exactly as written: mantissa x 10^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) mantissa: u128,
    pub(crate) exponent: i32,
}

/// What came of a multiplication that must be exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// This.
    Whole(u128),
    /// Not a whole number.
    Fraction,
    /// More than 128 bits hold.
    TooLarge,
}

impl Decimal {
    /// Reads `12`, `1.5`, `1e6`, `1_000`; the whole text must be the number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, rest) = split_number(text);
        if rest.is_empty() { Self::read(number) } else { None }
    }

    /// Reads what [`split_number`] has split off.
    pub(crate) fn read(number: &str) -> Option<Self> {
        let (digits, exponent) = match number.find(['e', 'E']) {
            Some(at) => (&number[..at], number[at + 1..].parse::<i32>().ok()?),
            None => (number, 0),
        };
        let mut mantissa: u128 = 0;
        let mut places: i32 = 0;
        let mut fraction = false;
        let mut any = false;
        for byte in digits.bytes() {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    mantissa = mantissa.checked_mul(10)?.checked_add(u128::from(byte - b'0'))?;
                    places += i32::from(fraction);
                }
                b'.' if !fraction => fraction = true,
                b'_' => {}
                _ => return None,
            }
        }
        any.then_some(Self { mantissa, exponent: exponent.checked_sub(places)? })
    }

    /// The number times `factor`.
    pub(crate) fn times(self, factor: u128) -> Product {
        if self.mantissa == 0 {
            return Product::Whole(0);
        }
        let (mut mantissa, mut factor, mut exponent) = (self.mantissa, factor, self.exponent);
        while exponent < 0 && (mantissa % 10 == 0 || factor % 10 == 0) {
            if mantissa % 10 == 0 {
                mantissa /= 10;
            } else {
                factor /= 10;
            }
            exponent += 1;
        }
        let Some(product) = mantissa.checked_mul(factor) else { return Product::TooLarge };
        let Some(power) = 10u128.checked_pow(exponent.unsigned_abs()) else {
            return if exponent < 0 { Product::Fraction } else { Product::TooLarge };
        };
        if exponent >= 0 {
            product.checked_mul(power).map_or(Product::TooLarge, Product::Whole)
        } else if product % power == 0 {
            Product::Whole(product / power)
        } else {
            Product::Fraction
        }
    }

    /// The number times `factor`, to the nearest whole number; `None` where that is too large.
    pub(crate) fn times_rounded(self, factor: u128) -> Option<u128> {
        match self.times(factor) {
            Product::Whole(whole) => Some(whole),
            Product::TooLarge => None,
            Product::Fraction => {
                let product = self.mantissa.checked_mul(factor)?;
                let Some(power) = 10u128.checked_pow(self.exponent.unsigned_abs()) else { return Some(0) };
                Some(product / power + u128::from(product % power >= power.div_ceil(2)))
            }
        }
    }

    /// The product of two numbers, for a scale.
    pub(crate) fn multiply(self, other: Self) -> Option<Self> {
        Some(Self {
            mantissa: self.mantissa.checked_mul(other.mantissa)?,
            exponent: self.exponent.checked_add(other.exponent)?,
        })
    }

    /// Whether it is zero.
    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0
    }
}

/// Splits the number off the front.
pub(crate) fn split_number(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && (bytes[at].is_ascii_digit() || bytes[at] == b'.' || (bytes[at] == b'_' && at > 0)) {
        at += 1;
    }
    if at > 0 && at < bytes.len() && matches!(bytes[at], b'e' | b'E') {
        let sign = usize::from(bytes.get(at + 1).is_some_and(|byte| matches!(byte, b'+' | b'-')));
        let digits = bytes[at + 1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            at += 1 + sign + digits;
        }
    }
    text.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_split_from_their_units() {
        for (text, number, rest) in [
            ("1.5s", "1.5", "s"),
            ("1e6/day", "1e6", "/day"),
            ("1e-3ms", "1e-3", "ms"),
            ("5e", "5", "e"),
            ("1_000", "1_000", ""),
            ("_5", "", "_5"),
            ("s", "", "s"),
            ("", "", ""),
        ] {
            assert_eq!(split_number(text), (number, rest), "{text}");
        }
    }

    #[test]
    fn products_are_exact() {
        for (text, factor, product) in [
            ("1.5", 10, Product::Whole(15)),
            ("0.1", 3, Product::Fraction),
            ("1e3", 5, Product::Whole(5_000)),
            ("2.50", 2, Product::Whole(5)),
            ("0", u128::MAX, Product::Whole(0)),
            ("1e-40", 1, Product::Fraction),
            ("1e40", 1, Product::TooLarge),
            ("0.000000001", 1_000_000_000, Product::Whole(1)),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().times(factor), product, "{text} x {factor}");
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest() {
        for (text, factor, product) in
            [("0.25", 2, 1), ("0.24", 2, 0), ("0.333", 1_000, 333), ("1e-50", 1, 0), ("2.4", 1, 2)]
        {
            assert_eq!(Decimal::parse(text).unwrap().times_rounded(factor), Some(product), "{text} x {factor}");
        }
    }
}
