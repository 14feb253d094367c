//! Logarithm, exponential and the quantile of the normal distribution, the same bits on every platform.
//!
//! The algorithms of [`ln`] and [`exp`] are those of FreeBSD's msun (`e_log.c`, `e_exp.c`; Sun Microsystems, freely
//! distributable), which `libm` and musl carry too. Here they have no branches, so that a loop over a block of values
//! is compiled to vector instructions; every lane does the same operations in the same order, so the width of the
//! vectors cannot change a bit. [`normal_quantile`] is Wichura's algorithm AS 241 (PPND16, 1988).
//!
//! Only `+ - * /` and the square root are used, which IEEE 754 defines to the last bit.
#![allow(clippy::inline_always, reason = "a call inside a loop over a block would keep it from being vectorised")]

/// 2^52: added to a number below 2^51, it leaves the number's nearest integer in the low bits.
const TWO_52: f64 = 4_503_599_627_370_496.0;
/// 1.5 x 2^52: the same for numbers of either sign.
const MAGIC: f64 = 6_755_399_441_055_744.0;
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// The high word of the square root of one half: mantissas are taken between it and the square root of two.
const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
const ONE: u64 = 0x3ff0_0000_0000_0000;
const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;

/// The natural logarithm of a positive normal number, within 1 ulp: the bits of `libm::log`.
///
/// For zero, negative, subnormal and infinite numbers and NaN the result is a meaningless number; there is no panic.
#[inline(always)]
#[allow(clippy::many_single_char_names, reason = "the names of the algorithm")]
pub(crate) fn ln(x: f64) -> f64 {
    const C1: f64 = 6.666_666_666_666_735e-1;
    const C2: f64 = 3.999_999_999_940_942e-1;
    const C3: f64 = 2.857_142_874_366_239e-1;
    const C4: f64 = 2.222_219_843_214_978_4e-1;
    const C5: f64 = 1.818_357_216_161_805e-1;
    const C6: f64 = 1.531_383_769_920_937_3e-1;
    const C7: f64 = 1.479_819_860_511_658_6e-1;
    // x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
    let shifted = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let k = f64::from_bits(TWO_52.to_bits() | (shifted >> 52)) - (TWO_52 + 1023.0);
    let f = f64::from_bits((shifted & MANTISSA) + SQRT_HALF) - 1.0;
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (C2 + w * (C4 + w * C6));
    let odd = z * (C1 + w * (C3 + w * (C5 + w * C7)));
    let r = odd + even;
    s * (half_square + r) + k * LN2_LOW - half_square + f + k * LN2_HIGH
}

/// e to the power of `x` for |x| < 700, within 1 ulp; also within 1 ulp of `libm::exp`, and nearly always its bits.
///
/// Beyond that range the result is a meaningless number; there is no panic.
#[inline(always)]
#[allow(clippy::many_single_char_names, reason = "the names of the algorithm")]
pub(crate) fn exp(x: f64) -> f64 {
    const P1: f64 = 1.666_666_666_666_660_2e-1;
    const P2: f64 = -2.777_777_777_701_559_3e-3;
    const P3: f64 = 6.613_756_321_437_934e-5;
    const P4: f64 = -1.653_390_220_546_525_2e-6;
    const P5: f64 = 4.138_136_797_057_238_5e-8;
    // x = k ln 2 + r with |r| at most ln 2 / 2.
    let rounded = x * std::f64::consts::LOG2_E + MAGIC;
    let k = rounded - MAGIC;
    let high = x - k * LN2_HIGH;
    let low = k * LN2_LOW;
    let r = high - low;
    let square = r * r;
    let c = r - square * (P1 + square * (P2 + square * (P3 + square * (P4 + square * P5))));
    let y = 1.0 + (r * c / (2.0 - c) - low + high);
    // The low bits of `rounded` are k in two's complement.
    y * f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

/// The distance from the middle of the unit interval within which [`normal_quantile_central`] holds.
pub(crate) const CENTRAL: f64 = 0.425;

/// The value that a standard normal variable stays below with probability `p`, for 0 < p < 1.
///
/// Its relative error is about 1e-15. `p` may be as small as 1e-300; near 1, use the symmetry with `1 - p`.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= CENTRAL {
        normal_quantile_central(q)
    } else if q < 0.0 {
        -normal_quantile_tail(p)
    } else {
        normal_quantile_tail(1.0 - p)
    }
}

/// The normal quantile of `0.5 + q` for |q| at most [`CENTRAL`]; any number beyond.
#[inline(always)]
pub(crate) fn normal_quantile_central(q: f64) -> f64 {
    const NUMERATOR: [f64; 8] = [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ];
    const DENOMINATOR: [f64; 8] = [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ];
    let r = 0.180_625 - q * q;
    q * polynomial(&NUMERATOR, r) / polynomial(&DENOMINATOR, r)
}

/// How far the standard normal variable is from zero where `p` (at most 0.075) remains beyond: positive.
#[inline]
pub(crate) fn normal_quantile_tail(p: f64) -> f64 {
    let r = tail_argument(p);
    if r <= 5.0 { normal_quantile_near_tail(r) } else { normal_quantile_far_tail(r) }
}

/// What the two rational functions of the tail are functions of.
#[inline(always)]
pub(crate) fn tail_argument(p: f64) -> f64 {
    (-ln(p)).sqrt()
}

/// The tail for [`tail_argument`] at most 5: p down to 1.4e-11.
#[inline(always)]
pub(crate) fn normal_quantile_near_tail(r: f64) -> f64 {
    const NUMERATOR: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ];
    const DENOMINATOR: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ];
    let r = r - 1.6;
    polynomial(&NUMERATOR, r) / polynomial(&DENOMINATOR, r)
}

/// The tail for [`tail_argument`] above 5.
#[cold]
pub(crate) fn normal_quantile_far_tail(r: f64) -> f64 {
    const NUMERATOR: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const DENOMINATOR: [f64; 8] = [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        0.000_786_869_131_145_613_3,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_7e-15,
    ];
    let r = r - 5.0;
    polynomial(&NUMERATOR, r) / polynomial(&DENOMINATOR, r)
}

/// By Horner's rule; the constant comes first.
#[inline(always)]
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    let [rest @ .., highest] = coefficients;
    rest.iter().rev().fold(*highest, |sum, coefficient| sum * x + coefficient)
}

/// 2^62: the largest value that is sampled; 146 years in nanoseconds.
pub(crate) const WHOLE_MAX: u64 = 1 << 62;

/// The nearest whole number (halves to even) of a number of at least 0; at most [`WHOLE_MAX`], which NaN gives too.
#[inline(always)]
pub(crate) fn to_whole(x: f64) -> u64 {
    const TWO_32: f64 = 4_294_967_296.0;
    const LIMIT: f64 = 4_611_686_018_427_387_904.0;
    // Not `min`, whose treatment of NaN takes more instructions.
    let x = if x < LIMIT { x } else { LIMIT };
    // Two halves of 32 bits, each by the addition of a number that pushes the fraction out; all steps but the last
    // rounding are exact.
    let high = x * (1.0 / TWO_32) + TWO_52;
    let low = (x - (high - TWO_52) * TWO_32) + MAGIC;
    (high.to_bits() << 32).wrapping_add(low.to_bits().wrapping_sub(MAGIC.to_bits()))
}

/// A number strictly between 0 and 1 from a uniform random word: the middle of one of 2^52 equal cells.
///
/// With 53 bits the middle of the last cell would round to 1. The complement `1 - uniform(word)` is exact.
#[inline(always)]
pub(crate) fn uniform(word: u64) -> f64 {
    const HALF_CELL: f64 = 1.0 / 9_007_199_254_740_992.0;
    f64::from_bits(ONE | (word >> 12)) - (1.0 - HALF_CELL)
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "numbers chosen so that nothing is lost"
)]
mod tests {
    use super::*;
    use crate::kernel::rng::StreamKey;

    /// How many floating-point numbers apart two numbers of equal sign are.
    fn ulps(left: f64, right: f64) -> u64 {
        assert!(left == right || left.is_sign_positive() == right.is_sign_positive(), "{left} {right}");
        left.to_bits().abs_diff(right.to_bits())
    }

    #[test]
    fn logarithm_is_that_of_libm() {
        let key = StreamKey::from_word(1);
        for index in 0..400_000 {
            // All positive normal numbers, the unit interval, and the neighbourhood of 1.
            let word = key.word(index);
            let normal = f64::from_bits((word >> 2).clamp(f64::MIN_POSITIVE.to_bits(), f64::MAX.to_bits()));
            let unit = uniform(word);
            for x in [normal, unit, 1.0 + (unit - 0.5) * 1e-3, 1.0 + index as f64 * f64::EPSILON] {
                assert_eq!(ln(x).to_bits(), libm::log(x).to_bits(), "ln {x:e}");
            }
        }
        for x in [1.0, 2.0, 0.5, f64::MIN_POSITIVE, f64::MAX, 1.0 - f64::EPSILON / 2.0] {
            assert_eq!(ln(x).to_bits(), libm::log(x).to_bits(), "ln {x:e}");
        }
    }

    #[test]
    fn exponential_is_that_of_libm_to_1_ulp() {
        let key = StreamKey::from_word(2);
        let mut different = 0;
        for index in 0..400_000 {
            let unit = uniform(key.word(index)) * 2.0 - 1.0;
            for x in [unit * 699.9, unit * 40.0, unit, unit * 1e-6, unit * 1e-12] {
                let distance = ulps(exp(x), libm::exp(x));
                assert!(distance <= 1, "exp {x:e}: {distance} ulp");
                different += distance;
            }
        }
        // Where x / ln 2 is half-way between two powers, the reductions may choose different ones.
        assert!(different < 50, "{different} of 2,000,000 differ in the last bit");
        assert_eq!(exp(0.0).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn normal_quantile_has_known_values() {
        // From tables to 20 digits: p and the quantile.
        for (p, quantile) in [
            (0.5, 0.0),
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
            (0.95, 1.644_853_626_951_472_7),
        ] {
            let found = normal_quantile(p);
            assert!((found - quantile).abs() <= 4e-15 * quantile.abs(), "{p}: {found}");
        }
    }

    #[test]
    fn normal_quantile_inverts_the_normal_distribution() {
        // The share below x is erfc(-x / sqrt 2) / 2; an error in x shows as its density times as much in the share.
        let check = |p: f64| {
            let x = normal_quantile(p);
            let share = 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
            let slope = (1.0 + x.abs()) * x.abs().max(1.0);
            assert!((share - p).abs() <= 1e-15 * slope * p, "{p:e}: {x} is at {share:e}");
        };
        let key = StreamKey::from_word(3);
        for index in 0..100_000 {
            check(uniform(key.word(index)) / 2.0);
            check(exp(-300.0 * uniform(key.word(index))) / 2.0);
        }
    }

    #[test]
    fn normal_quantile_is_antisymmetric_and_continuous_at_its_seams() {
        for word in [0, 1 << 12, 1 << 40, 1 << 60, u64::MAX / 3] {
            let p = uniform(word);
            assert_eq!(normal_quantile(p).to_bits(), (-normal_quantile(1.0 - p)).to_bits());
        }
        for seam in [0.075, 1.388_794_386_496_402_3e-11] {
            let (below, above) = (seam * (1.0 - 1e-15), seam * (1.0 + 1e-15));
            assert!((normal_quantile(above) - normal_quantile(below)).abs() < 1e-14);
        }
    }

    #[test]
    fn whole_numbers_are_the_nearest() {
        let limit = WHOLE_MAX as f64;
        for (x, whole) in [
            (0.0, 0),
            (0.5, 0),
            (0.500_000_1, 1),
            (1.5, 2),
            (2.5, 2),
            (4_294_967_295.5, 4_294_967_296),
            (2_147_483_648.5, 2_147_483_648),
            (9_007_199_254_740_991.0, 9_007_199_254_740_991),
            (4_611_686_018_427_387_392.0, 4_611_686_018_427_387_392),
            (limit, WHOLE_MAX),
            (1e300, WHOLE_MAX),
            (f64::INFINITY, WHOLE_MAX),
            (f64::NAN, WHOLE_MAX),
        ] {
            assert_eq!(to_whole(x), whole, "{x}");
        }
        let key = StreamKey::from_word(4);
        for index in 0..100_000 {
            let x = (key.word(index) >> (key.word(index + 1) % 64)) as f64 / 16.0;
            assert_eq!(to_whole(x), (x.round_ties_even() as u64).min(WHOLE_MAX), "{x}");
        }
    }

    #[test]
    fn uniform_numbers_are_inside_the_unit_interval_and_symmetric() {
        for word in [0, 1, 0xfff, 0x1000, u64::MAX / 2, u64::MAX] {
            let u = uniform(word);
            assert!(u > 0.0 && u < 1.0, "{word:x}");
            assert_eq!((1.0 - u).to_bits(), uniform(!word).to_bits(), "{word:x}");
        }
        assert_eq!(uniform(0).to_bits(), (1.0 / 9_007_199_254_740_992.0_f64).to_bits());
    }
}
