//! Buckets of distributions: which one a value falls into. Values below `2^bits` have one each; each octave above has
//! `2^(bits - 1)`.

use multiversion::multiversion;

/// What some values come to, and the bucket of each.
pub(super) struct Seen<const LENGTH: usize> {
    pub(super) sum: u128,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) buckets: [u64; LENGTH],
}

/// Looks at a batch of values. The halves of the sum are added apart, which takes no more than vectors have.
#[multiversion(targets("x86_64+avx2+avx512cd+avx512dq+avx512f+avx512vl", "x86_64+avx2+lzcnt"))]
pub(super) fn look_at<const LENGTH: usize>(values: &[u64; LENGTH], bits: u32) -> Seen<LENGTH> {
    let (mut low, mut high, mut min, mut max) = (0, 0, u64::MAX, 0);
    let mut buckets = [0; LENGTH];
    for (bucket, &value) in buckets.iter_mut().zip(values) {
        low += value & 0xffff_ffff;
        high += value >> 32;
        min = min.min(value);
        max = max.max(value);
        *bucket = self::bucket(value, bits);
    }
    Seen { sum: u128::from(low) + (u128::from(high) << 32), min, max, buckets }
}

/// The bucket of a value.
#[inline(always)]
pub(super) const fn bucket(value: u64, bits: u32) -> u64 {
    let shift = 64 - bits - (value | ((1 << bits) - 1)).leading_zeros();
    ((shift as u64) << (bits - 1)) + (value >> shift)
}

/// The lowest value of a bucket.
#[inline(always)]
pub(super) const fn lowest(bucket: usize, bits: u32) -> u64 {
    let shift = (bucket >> (bits - 1)).saturating_sub(1);
    ((bucket - (shift << (bits - 1))) as u64) << shift
}

/// The middle of a bucket, rounded up.
#[inline(always)]
pub(super) const fn middle(bucket: usize, bits: u32) -> u64 {
    let shift = (bucket >> (bits - 1)).saturating_sub(1);
    lowest(bucket, bits) + (1 << shift >> 1)
}
