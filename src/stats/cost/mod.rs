//! The bill (INV-7): usage of all functions and a price table become money, in whole millionths of a millionth of a dollar.
//!
//! A run counts as one month: tiers and the free tier apply once, over all functions of the account. What tiers make
//! of the whole is shared among the functions by their use.

mod doors;
mod executions;
mod places;
mod streams;

use serde::Serialize;

pub(super) use doors::DoorUsage;
pub(super) use executions::MachineUsage;
pub(super) use places::PlaceUsage;
pub(super) use streams::{StreamUsage, UnitUsage};

use super::bill::Usage;
use super::summary::Named;
use crate::kernel::quantity::Ratio;
use crate::scenario::PriceOptions;

/// Money in millionths of a millionth of a US dollar.
type Pico = u128;

/// Prices of one architecture, us-east-1, list price of September 2026 (AWS Price List API of 2026-09-19; observed).
struct Prices {
    /// Duration tiers a month: GB-seconds in the tier (the last has no end), price of one.
    tiers: [(u128, Pico); 3],
    /// Duration on provisioned units, a GB-second.
    provisioned: Pico,
    /// A provisioned unit's memory, used or not, a GB-second.
    standing: Pico,
}

/// x86 and arm64, in the order of [`crate::aws::config::Architecture`].
const PRICES: [Prices; 2] = [
    Prices {
        tiers: [(6_000_000_000, 16_666_700), (9_000_000_000, 15_000_000), (u128::MAX, 13_333_400)],
        provisioned: 9_722_200,
        standing: 4_166_700,
    },
    Prices {
        tiers: [(7_500_000_000, 13_333_400), (11_250_000_000, 12_000_100), (u128::MAX, 10_666_700)],
        provisioned: 7_777_800,
        standing: 3_333_400,
    },
];

/// One run, failed or not (0.20 USD a million; same source).
const REQUEST: Pico = 200_000;

/// A GB-second of ephemeral storage above 512 MB (same source).
const STORAGE: Pico = 30_900;

/// A million requests to a standard SQS queue, and to a FIFO one, are 0.40 and 0.50 USD: AWS's list price of the first
/// tier (`D-rec`).
const SQS_REQUEST: [Pico; 2] = [400_000, 500_000];

/// Lambda@Edge (INV-4.4): a million runs are 0.60 USD, a GB-second is 0.00005001 USD, without a free tier: AWS's list
/// price (observed).
const EDGE_REQUEST: Pico = 600_000;
const EDGE_GB_SECOND: Pico = 50_010_000;

/// Free requests to SQS a month (`D-rec`).
const FREE_SQS_REQUESTS: u128 = 1_000_000;

/// ESM-1.9: an hour of an event poller unit, which is one provisioned poller of SQS.
const POLLER_HOUR: Pico = 9_250_000_000;

/// Free runs a month (INV-7).
const FREE_REQUESTS: u128 = 1_000_000;

/// Free GB-seconds a month on demand (INV-7).
const FREE_GB_SECONDS: u128 = 400_000;

/// MB x ms of a GB-second (INV-$2: a GB is 1,024 MB).
const MB_MS: u128 = 1_024_000;

/// MB x ns of a GB-second.
const MB_NS: u128 = MB_MS * 1_000_000;

/// Money by function and over all (contract, `cost`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostSummary {
    /// By caller: the requests that API Gateway let through.
    pub callers: Named<TotalCost>,
    /// By function.
    pub functions: Named<FunctionCost>,
    /// By queue: its requests.
    pub queues: Named<TotalCost>,
    /// By stream: shards, records written, and enhanced fan-out (Kinesis).
    pub streams: Named<TotalCost>,
    /// By event source mapping: its provisioned pollers.
    pub event_source_mappings: Named<TotalCost>,
    /// By state machine: its transitions, or its executions and their time.
    pub state_machines: Named<TotalCost>,
    /// By topic: what was published.
    pub topics: Named<TotalCost>,
    /// By event bus: what was sent to it.
    pub event_buses: Named<TotalCost>,
    /// By bucket: what was put into it; not its storage.
    pub buckets: Named<TotalCost>,
    /// Everything.
    pub total_usd: f64,
}

/// What one function costs, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionCost {
    /// Runs, repeated and failed ones included (INV-$6).
    pub requests_usd: f64,
    /// Billed milliseconds, on demand and on provisioned units, and ephemeral storage above 512 MB.
    pub duration_usd: f64,
    /// Provisioned units, used or not.
    pub provisioned_usd: f64,
    /// All of it.
    pub total_usd: f64,
}

/// What something costs that has one price, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TotalCost {
    /// All of it.
    pub total_usd: f64,
}

/// What is billed, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Usages {
    pub(super) callers: Vec<(String, DoorUsage)>,
    pub(super) functions: Vec<(String, Usage)>,
    pub(super) queues: Vec<(String, QueueUsage)>,
    pub(super) streams: Vec<(String, StreamUsage)>,
    /// Seconds of provisioned pollers of each mapping of a queue.
    pub(super) poller_seconds: Vec<(String, u128)>,
    /// Event poller units of Kafka's mappings.
    pub(super) units: Vec<UnitUsage>,
    pub(super) state_machines: Vec<(String, MachineUsage)>,
    pub(super) places: PlaceUsage,
}

/// What a queue is billed for.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueUsage {
    pub(super) requests: u64,
    pub(super) fifo: bool,
}

/// The bill.
pub(super) fn bill(usages: Usages, options: PriceOptions) -> CostSummary {
    let Usages { callers, functions, queues, streams, poller_seconds, units, state_machines, places } = usages;
    let callers = callers.into_iter().map(|(name, usage)| (name, doors::requests(usage))).collect();
    let requests = sqs_requests(&queues, options);
    let queues: Vec<_> = queues.into_iter().map(|(name, _)| name).zip(requests).collect();
    let streams = streams.into_iter().map(|(name, usage)| (name, streams::stream(&usage))).collect();
    let (mappings, seconds): (Vec<_>, Vec<_>) = poller_seconds.into_iter().unzip();
    let mut of_mappings: Vec<Pico> = seconds.into_iter().map(pollers).collect();
    for usage in &units {
        streams::units(usage, &mut of_mappings);
    }
    let machines = executions::machines(&state_machines, options);
    let machines = state_machines.into_iter().map(|(name, _)| name).zip(machines).collect();
    let [topics, event_buses, buckets] = places::costs(places, options.free_tier);
    let mappings = mappings.into_iter().zip(of_mappings).collect();
    let others = [callers, queues, streams, mappings, machines, topics, event_buses, buckets];
    let rest: Pico = others.iter().flatten().map(|(_, cost)| cost).sum();
    let [callers, queues, streams, event_source_mappings, state_machines, topics, event_buses, buckets] =
        others.map(totals);
    let (functions, cost) = bill_functions(functions, options);
    CostSummary {
        callers,
        functions,
        queues,
        streams,
        event_source_mappings,
        topics,
        event_buses,
        buckets,
        state_machines,
        total_usd: dollars(cost + rest),
    }
}

fn totals(costs: Vec<(String, Pico)>) -> Named<TotalCost> {
    costs.into_iter().map(|(name, cost)| (name, TotalCost { total_usd: dollars(cost) })).collect()
}

/// What requests to SQS cost; those to FIFO queues, which are dearer, are free first.
fn sqs_requests(queues: &[(String, QueueUsage)], options: PriceOptions) -> Vec<Pico> {
    let mut free = if options.free_tier { FREE_SQS_REQUESTS } else { 0 };
    let mut costs = vec![0; queues.len()];
    for fifo in [true, false] {
        let of_kind = |usage: &QueueUsage| if usage.fifo == fifo { u128::from(usage.requests) } else { 0 };
        let requests: Vec<u128> = queues.iter().map(|(_, usage)| of_kind(usage)).collect();
        let all: u128 = requests.iter().sum();
        let charged = all.saturating_sub(free);
        free -= all - charged;
        let parts = share(charged * SQS_REQUEST[usize::from(fifo)], &requests);
        costs.iter_mut().zip(parts).for_each(|(cost, part)| *cost += part);
    }
    costs
}

fn pollers(seconds: u128) -> Pico {
    multiply_divide(seconds, POLLER_HOUR, 3_600)
}

/// The bill over functions by name, and its sum.
fn bill_functions(functions: Vec<(String, Usage)>, options: PriceOptions) -> (Named<FunctionCost>, Pico) {
    let usages: Vec<&Usage> = functions.iter().map(|(_, usage)| usage).collect();
    let requests = requests(&usages, options);
    let duration = duration(&usages, options);
    let standing: Vec<Pico> = usages.iter().map(|usage| discounted(standing(usage), options)).collect();
    let mut total = 0;
    let mut costs = Vec::with_capacity(functions.len());
    for (place, (name, _)) in functions.into_iter().enumerate() {
        let all = requests[place] + duration[place] + standing[place];
        total += all;
        let cost = FunctionCost {
            requests_usd: dollars(requests[place]),
            duration_usd: dollars(duration[place]),
            provisioned_usd: dollars(standing[place]),
            total_usd: dollars(all),
        };
        costs.push((name, cost));
    }
    (Named(costs), total)
}

fn requests(usages: &[&Usage], options: PriceOptions) -> Vec<Pico> {
    let runs: Vec<u128> = usages.iter().map(|usage| u128::from(usage.requests - usage.edge_requests)).collect();
    let free = if options.free_tier { FREE_REQUESTS } else { 0 };
    let mut costs = share(runs.iter().sum::<u128>().saturating_sub(free) * REQUEST, &runs);
    for (cost, usage) in costs.iter_mut().zip(usages) {
        *cost += u128::from(usage.edge_requests) * EDGE_REQUEST;
    }
    costs
}

fn duration(usages: &[&Usage], options: PriceOptions) -> Vec<Pico> {
    let beside = |usage: &&Usage| per_gb_second(usage.storage, STORAGE) + per_gb_second(usage.edge, EDGE_GB_SECOND);
    let mut costs: Vec<Pico> = usages.iter().map(beside).collect();
    let mut free = if options.free_tier { FREE_GB_SECONDS * MB_MS } else { 0 };
    for (architecture, prices) in PRICES.iter().enumerate() {
        let used: Vec<u128> = usages.iter().map(|usage| usage.on_demand[architecture]).collect();
        let all: u128 = used.iter().sum();
        // The free GB-seconds are shared by the architectures; x86, the dearer, is served first.
        let charged = all.saturating_sub(free);
        free -= all - charged;
        let on_demand = share(discounted(tiered(charged, prices), options), &used);
        for ((cost, on_demand), usage) in costs.iter_mut().zip(on_demand).zip(usages) {
            let provisioned = per_gb_second(usage.provisioned[architecture], prices.provisioned);
            *cost += on_demand + discounted(provisioned, options);
        }
    }
    costs
}

/// The price of `mb_ms` on demand in one month.
fn tiered(mb_ms: u128, prices: &Prices) -> Pico {
    let mut left = mb_ms;
    let mut cost = 0;
    for (size, price) in prices.tiers {
        let part = left.min(size.saturating_mul(MB_MS));
        cost += per_gb_second(part, price);
        left -= part;
    }
    cost
}

fn per_gb_second(mb_ms: u128, price: Pico) -> Pico {
    multiply_divide(mb_ms, price, MB_MS)
}

fn standing(usage: &Usage) -> Pico {
    let each = PRICES.iter().zip(usage.standing);
    each.map(|(prices, mb_ns)| multiply_divide(mb_ns, prices.standing, MB_NS)).sum()
}

/// INV-7: a Savings Plan takes its share off duration and provisioned concurrency.
fn discounted(cost: Pico, options: PriceOptions) -> Pico {
    let parts = u128::from(Ratio::PARTS);
    multiply_divide(cost, parts - u128::from(options.savings_plan.parts()), parts)
}

/// Splits `cost` by `weights`; the parts add up to it.
fn share(cost: Pico, weights: &[u128]) -> Vec<Pico> {
    let all: u128 = weights.iter().sum();
    let mut cumulative = 0;
    let mut given = 0;
    let part = |weight: &u128| {
        cumulative += weight;
        let until = if all == 0 { 0 } else { multiply_divide(cost, cumulative, all).max(given) };
        let part = until - given;
        given = until;
        part
    };
    weights.iter().map(part).collect()
}

/// a x b / c, rounded to the nearest; where the product does not fit, after both b and c lost low bits.
fn multiply_divide(a: u128, mut b: u128, mut c: u128) -> u128 {
    loop {
        if let Some(product) = a.checked_mul(b).and_then(|product| product.checked_add(c / 2)) {
            return product / c;
        }
        if c < 1 << 20 {
            return a / c * b;
        }
        b >>= 1;
        c >>= 1;
    }
}

/// Dollars, the nearest there is.
fn dollars(pico: Pico) -> f64 {
    pico as f64 / 1e12
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "money comes from integers and is exact")]
    use super::*;

    const LIST: PriceOptions =
        PriceOptions { free_tier: false, savings_plan: Ratio::ZERO, init_billed: true, failed_init_billed: true };

    fn of(usage: Usage, options: PriceOptions) -> FunctionCost {
        let (Named(mut functions), _) = bill_functions(vec![("f".to_owned(), usage)], options);
        functions.pop().unwrap().1
    }

    fn gb_seconds(gb_seconds: u128) -> u128 {
        gb_seconds * MB_MS
    }

    #[test]
    fn the_free_tier_is_shared_by_both_architectures() {
        let usage =
            Usage { requests: 1_500_000, on_demand: [gb_seconds(300_000), gb_seconds(200_000)], ..Usage::default() };
        let cost = of(usage, PriceOptions { free_tier: true, ..LIST });
        assert_eq!((cost.requests_usd, cost.duration_usd), (0.1, 1.333_34));
    }

    #[test]
    fn the_free_tier_does_not_cover_provisioned_concurrency() {
        let usage = Usage { provisioned: [gb_seconds(1_000), 0], standing: [1_000 * MB_NS, 0], ..Usage::default() };
        let cost = of(usage, PriceOptions { free_tier: true, ..LIST });
        assert_eq!((cost.duration_usd, cost.provisioned_usd), (0.009_722_2, 0.004_166_7));
    }

    /// INV-4.4: runs at the edge have prices of their own, and no free tier.
    #[test]
    fn the_edge_has_prices_of_its_own() {
        let usage = Usage {
            requests: 3_000_000,
            edge_requests: 2_000_000,
            edge: gb_seconds(1_000),
            on_demand: [gb_seconds(1_000), 0],
            ..Usage::default()
        };
        let cost = of(usage, PriceOptions { free_tier: true, ..LIST });
        assert_eq!((cost.requests_usd, cost.duration_usd), (1.2, 0.050_01));
    }

    #[test]
    fn a_savings_plan_leaves_requests_and_storage_alone() {
        let usage = Usage {
            requests: 1_000_000,
            on_demand: [gb_seconds(1_000_000), 0],
            storage: gb_seconds(1_000_000),
            ..Usage::default()
        };
        let tenth = Ratio::from_parts(Ratio::PARTS / 10).unwrap();
        let cost = of(usage, PriceOptions { savings_plan: tenth, ..LIST });
        assert_eq!((cost.requests_usd, cost.duration_usd), (0.2, 15.030_93));
    }

    #[test]
    fn shares_add_up_to_the_whole() {
        let weights = [1, 1, 1, 0, 5];
        let parts = share(1_000, &weights);
        assert_eq!(parts.iter().sum::<u128>(), 1_000);
        assert_eq!(parts, [125, 125, 125, 0, 625]);
        assert_eq!(share(10, &[1, 1, 1]).iter().sum::<u128>(), 10);
        assert_eq!(share(0, &[0, 0]), [0, 0]);
    }

    #[test]
    fn tiers_are_shared_by_use() {
        let usage = |gb| Usage { on_demand: [gb_seconds(gb), 0], ..Usage::default() };
        let functions = vec![("a".to_owned(), usage(1_000_000_000)), ("b".to_owned(), usage(6_000_000_000))];
        let summary = bill(Usages { functions, ..Usages::default() }, LIST);
        assert_eq!(summary.total_usd, 115_000.2);
        let a = &summary.functions.0[0].1;
        assert!((a.total_usd - 115_000.2 / 7.0).abs() < 1e-6);
    }

    /// ESM-A8.
    #[test]
    fn esm_a8_provisioned_pollers() {
        let hour = 3_600;
        for (seconds, usd) in [(8_000 * hour, 74.0), (2 * 720 * hour, 13.32), (60, 0.000_154_166_667)] {
            assert_eq!(dollars(pollers(seconds)), usd);
        }
    }

    #[test]
    fn requests_to_sqs_have_two_prices_and_one_free_tier() {
        let queue = |name: &str, requests, fifo| (name.to_owned(), QueueUsage { requests, fifo });
        let queues = vec![queue("a", 3_000_000, false), queue("b", 1_000_000, false), queue("c", 400_000, true)];
        let cost = |options| {
            let usages = Usages { queues: queues.clone(), ..Usages::default() };
            let summary = bill(usages, options);
            (summary.queues.rows().map(|cost| cost.total_usd).collect::<Vec<_>>(), summary.total_usd)
        };
        assert_eq!(cost(LIST), (vec![1.2, 0.4, 0.2], 1.8));
        assert_eq!(cost(PriceOptions { free_tier: true, ..LIST }), (vec![1.02, 0.34, 0.0], 1.36));
    }

    #[test]
    fn huge_products_keep_their_leading_digits() {
        assert_eq!(multiply_divide(10, 10, 3), 33);
        let huge = u128::MAX / 4;
        let halved = multiply_divide(huge, 1 << 90, 1 << 91);
        assert!(halved.abs_diff(huge / 2) <= huge >> 19, "{halved}");
    }
}
