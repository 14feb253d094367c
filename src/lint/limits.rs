//! Limits of concurrency and of requests (INV-C2, C5, C9, R1, R2, E5).

use super::load::seconds;
use super::settings::{about, length, longer_timeout, time, whole};
use super::{Check, Context, Finding};
use crate::aws::config::Function;
use crate::aws::limits::{REQUESTS_PER_SECOND_PER_UNIT, UNRESERVED_MINIMUM};

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (id, function, key) in context.functions() {
        let load = context.load.function(id);
        match function.reserved_concurrency {
            Some(0) => findings.push(nothing_runs(function, &key)),
            Some(reserved) => {
                let needed = load.concurrency;
                if needed > f64::from(reserved) {
                    findings.push(reserved_below_need(context, function, &key, (load.rate, needed), reserved));
                }
                findings.extend(requests_above_rate(context, function, &key, load.requests, reserved));
            }
            None => {}
        }
        let wanted = context.load.wanted_seconds(id, function, 0.0);
        if wanted > seconds(function.timeout) {
            let message = format!(
                "a run of `{}` takes {} on average, and is cut at {}",
                function.name,
                time(wanted),
                function.timeout
            );
            let changes = longer_timeout(context, id, length(wanted * 2.0));
            let finding = Finding::new(Check::RunsBeyondTimeout, format!("{key}.timeout"), message);
            findings.push(finding.with(changes.unwrap_or_default()));
        }
    }
    findings.extend(account_below_need(context));
    findings.extend(account_above_rate(context));
}

fn nothing_runs(function: &Function, key: &str) -> Finding {
    let message = format!("a reserved concurrency of 0 lets `{}` never run", function.name);
    let key = format!("{key}.reserved_concurrency");
    Finding::new(Check::NothingRuns, key.clone(), message).set(key, "none")
}

fn reserved_below_need(
    context: &Context<'_>,
    function: &Function,
    key: &str,
    (rate, needed): (f64, f64),
    reserved: u32,
) -> Finding {
    let message = format!(
        "`{}` needs about {} concurrent executions on average ({}/s x {}), and {reserved} are reserved for it (an estimate)",
        function.name,
        about(needed),
        about(rate),
        time(needed / rate)
    );
    reserve(
        context,
        function,
        key,
        whole(needed + 1.0),
        Finding::new(Check::ReservedBelowNeed, reserved_key(key), message),
    )
}

fn reserved_key(key: &str) -> String {
    format!("{key}.reserved_concurrency")
}

/// INV-R2.
fn requests_above_rate(
    context: &Context<'_>,
    function: &Function,
    key: &str,
    requests: f64,
    reserved: u32,
) -> Option<Finding> {
    let most = u64::from(reserved) * REQUESTS_PER_SECOND_PER_UNIT;
    if !context.system.account.request_rate_limit || requests <= most as f64 {
        return None;
    }
    let message = format!(
        "`{}` has {} requests a second on average, and its reserved concurrency of {reserved} admits {most}",
        function.name,
        about(requests)
    );
    let finding = Finding::new(Check::RequestsAboveRate, reserved_key(key), message);
    Some(reserve(context, function, key, whole(requests / REQUESTS_PER_SECOND_PER_UNIT as f64), finding))
}

/// Reserves more, and raises the account's limit where that is needed (INV-C4).
pub(super) fn reserve(context: &Context<'_>, function: &Function, key: &str, units: u32, finding: Finding) -> Finding {
    let finding = finding.set(reserved_key(key), units);
    let others = claimed(context).saturating_sub(claim(function));
    let limit = others.saturating_add(units).saturating_add(UNRESERVED_MINIMUM);
    if limit > context.system.account.concurrency_limit {
        return finding.set("account.concurrency_limit", limit);
    }
    finding
}

/// INV-C9: what functions set aside at the start, at most.
pub(super) fn claimed(context: &Context<'_>) -> u32 {
    context.system.functions.rows().iter().map(claim).fold(0, u32::saturating_add)
}

fn claim(function: &Function) -> u32 {
    function.reserved_concurrency.unwrap_or_else(|| most_provisioned(function))
}

/// The most units that a function provisions.
pub(super) fn most_provisioned(function: &Function) -> u32 {
    let provisioned = &function.provisioned_concurrency;
    let later = provisioned.schedule.iter().map(|(_, units)| *units).max().unwrap_or(0);
    provisioned.initial.max(later).max(provisioned.tracking.map_or(0, |tracking| tracking.max))
}

/// INV-C9: functions without reserved concurrency share what is left; provisioned units come on top of that.
fn account_below_need(context: &Context<'_>) -> Option<Finding> {
    let (mut needed, mut rate, mut names) = (0.0, 0.0, Vec::new());
    for (id, function, _) in context.functions().filter(|(_, function, _)| function.reserved_concurrency.is_none()) {
        let load = context.load.function(id);
        let on_demand = load.concurrency - f64::from(most_provisioned(function));
        if on_demand > 0.0 {
            needed += on_demand;
            rate += load.rate;
            names.push(format!("`{}`", function.name));
        }
    }
    let (limit, claimed) = (context.system.account.concurrency_limit, claimed(context));
    let left = limit.saturating_sub(claimed);
    if needed <= f64::from(left) {
        return None;
    }
    let who = match names.as_slice() {
        [one] => format!("{one} needs"),
        _ => format!("{} need", names.join(", ")),
    };
    let taken = if claimed > 0 { format!(" of {limit}, {claimed} being set aside") } else { String::new() };
    let message = format!(
        "{who} about {} concurrent executions on average ({}/s), and the account has {left} for them{taken} (an estimate)",
        about(needed),
        about(rate)
    );
    let enough = whole(needed + 1.0).saturating_add(claimed);
    let key = "account.concurrency_limit";
    Some(Finding::new(Check::AccountBelowNeed, key, message).set(key, enough))
}

/// INV-R1.
fn account_above_rate(context: &Context<'_>) -> Option<Finding> {
    let account = &context.system.account;
    let requests: f64 = context.system.functions.ids().map(|id| context.load.function(id).requests).sum();
    let most = u64::from(account.concurrency_limit) * REQUESTS_PER_SECOND_PER_UNIT;
    if !account.request_rate_limit || requests <= most as f64 {
        return None;
    }
    let message = format!(
        "the functions have {} requests a second on average, and an account with a limit of {} admits {most}",
        about(requests),
        account.concurrency_limit
    );
    let key = "account.concurrency_limit";
    let enough = whole(requests / REQUESTS_PER_SECOND_PER_UNIT as f64);
    Some(Finding::new(Check::RequestsAboveRate, key, message).set(key, enough))
}
