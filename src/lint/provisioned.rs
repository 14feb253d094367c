//! Provisioned concurrency: too little, too much, or nothing beside it (INV-C10, R3, P6, P7).

use super::limits::{claimed, most_provisioned, reserve};
use super::load::peak_over_mean;
use super::settings::{about, whole};
use super::{Check, Context, Finding};
use crate::aws::config::{Caller, Function, Load as Traffic, Target};
use crate::aws::ids::FunctionId;
use crate::aws::limits::{REQUESTS_PER_SECOND_PER_UNIT, UNRESERVED_MINIMUM};

/// The peak over the mean from which on one number cannot fit both.
const UNEVEN: f64 = 2.0;

pub(super) fn inspect(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (id, function, key) in context.functions() {
        let most = most_provisioned(function);
        if most == 0 {
            continue;
        }
        if function.reserved_concurrency == Some(most) {
            let message = format!(
                "all {most} units that are reserved for `{}` are provisioned: call {} at the same time is throttled",
                function.name,
                most.saturating_add(1)
            );
            let finding = Finding::new(Check::NoRoomToSpill, format!("{key}.reserved_concurrency"), message);
            findings.push(reserve(context, function, &key, most.saturating_add(most.div_ceil(10)), finding));
        }
        findings.extend(below_need(context, id, function, &key, most));
        findings.extend(fixed(context, id, function, &key));
    }
}

/// INV-C2, R3, P6.
fn below_need(context: &Context<'_>, id: FunctionId, function: &Function, key: &str, most: u32) -> Option<Finding> {
    let load = context.load.function(id);
    let by_rate = load.requests / REQUESTS_PER_SECOND_PER_UNIT as f64;
    let needed = load.concurrency.max(by_rate);
    if needed <= f64::from(most) {
        return None;
    }
    let why = if by_rate > load.concurrency {
        format!("for {} requests a second, ten for each unit", about(load.requests))
    } else {
        "on average".to_owned()
    };
    let message = format!(
        "`{}` needs about {} units of concurrency {why}, and {most} are provisioned (an estimate)",
        function.name,
        about(needed)
    );
    let key = format!("{key}.provisioned_concurrency");
    let finding = Finding::new(Check::ProvisionedBelowNeed, key.clone(), message);
    let advised = whole(needed * 1.1);
    let others = claimed(context).saturating_sub(most).saturating_add(UNRESERVED_MINIMUM);
    let account = context.system.account.concurrency_limit.saturating_sub(others);
    let room = function.reserved_concurrency.unwrap_or(account);
    Some(if advised <= room { finding.set(key, advised) } else { finding })
}

/// INV-P7, P13.
fn fixed(context: &Context<'_>, id: FunctionId, function: &Function, key: &str) -> Option<Finding> {
    let provisioned = &function.provisioned_concurrency;
    if !provisioned.schedule.is_empty() || provisioned.tracking.is_some() {
        return None;
    }
    let uneven = |caller: &Caller| {
        let Traffic::Open(process) = &caller.load else { return None };
        let over = peak_over_mean(process, context.scenario.duration)?;
        (caller.target == Target::Function(id) && over >= UNEVEN).then_some(over)
    };
    let over = context.system.callers.rows().iter().find_map(uneven)?;
    let units = provisioned.initial;
    let message = format!(
        "{units} units are provisioned for `{}` all the time, and its traffic's peak is {} times its mean",
        function.name,
        about(over)
    );
    let key = format!("{key}.provisioned_concurrency");
    let tracking = format!("{{initial: {units}, min: 1, max: {units}, target_utilization: 70%}}");
    Some(Finding::new(Check::FixedForVariable, key.clone(), message).set(key, tracking))
}
