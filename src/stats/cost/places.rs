//! What topics, event buses and buckets cost: what is sent to them. Their deliveries are free (INV-7).

use super::{Pico, share};

/// A request to a topic, for each 64 KB; 0.50 USD a million (`D-rec`).
const SNS_REQUEST: Pico = 500_000;

/// Free requests to topics a month (`D-rec`).
const FREE_SNS_REQUESTS: u128 = 1_000_000;

/// An event on a custom bus, for each 64 KB; 1.00 USD a million (INV-7, `D-rec`).
const EVENT: Pico = 1_000_000;

/// A PUT request to a bucket; 0.005 USD a thousand (`D-rec`, standard storage class).
const S3_PUT: Pico = 5_000_000;

/// What places are billed for, by name.
#[derive(Clone, Debug, Default)]
pub(in crate::stats) struct PlaceUsage {
    /// Requests to topics, in pieces of 64 KB.
    pub(in crate::stats) topics: Vec<(String, u64)>,
    /// Events, in pieces of 64 KB.
    pub(in crate::stats) event_buses: Vec<(String, u64)>,
    /// Objects put.
    pub(in crate::stats) buckets: Vec<(String, u64)>,
}

/// What each topic, event bus and bucket costs.
pub(super) fn costs(usage: PlaceUsage, free_tier: bool) -> [Vec<(String, Pico)>; 3] {
    let PlaceUsage { topics, event_buses, buckets } = usage;
    let free = if free_tier { FREE_SNS_REQUESTS } else { 0 };
    [each(topics, SNS_REQUEST, free), each(event_buses, EVENT, 0), each(buckets, S3_PUT, 0)]
}

/// `free` of all together cost nothing.
fn each(usage: Vec<(String, u64)>, price: Pico, free: u128) -> Vec<(String, Pico)> {
    let (names, requests): (Vec<_>, Vec<_>) = usage.into_iter().map(|(name, count)| (name, u128::from(count))).unzip();
    let charged = requests.iter().sum::<u128>().saturating_sub(free);
    names.into_iter().zip(share(charged * price, &requests)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "money comes from integers and is exact")]
    use super::*;
    use crate::stats::cost::dollars;

    /// Prices of the sheet's section 7 and of AWS's pricing pages, a million each.
    #[test]
    fn inv_7_what_is_sent_to_places_has_a_price() {
        let usage = |count| {
            let all = || vec![("p".to_owned(), count)];
            PlaceUsage { topics: all(), event_buses: all(), buckets: all() }
        };
        let usd = |count, free_tier| costs(usage(count), free_tier).map(|costs| dollars(costs[0].1));
        assert_eq!(usd(1_000_000, false), [0.5, 1.0, 5.0]);
        assert_eq!(usd(3_000_000, true), [1.0, 3.0, 15.0]);
        assert_eq!(usd(1_000_000, true)[0], 0.0);
    }
}
