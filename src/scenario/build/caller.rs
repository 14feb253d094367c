//! Callers: what they call, and when.

use std::sync::Arc;

use super::Builder;
use super::checks::less;
use super::table::Unit;
use super::via::{Passed, via_key};
use crate::aws::config::{Caller, Invocation, Load, UserStart};
use crate::kernel::arrival::{ArrivalProcess, ProfileShape, RatePoint, Regularity};
use crate::kernel::time::{SimDuration, SimTime};
use crate::scenario::error::{Problem, ProblemKind};
use crate::scenario::keys::ResourceKind;
use crate::scenario::resolve::{Named, Resolved, Value};
use crate::scenario::scalar::Leaf;

/// When a caller calls, and how long its runs take where a trace says so.
type Arrivals = (Load, Option<Arc<[SimDuration]>>);

impl Builder<'_> {
    /// The caller with this index.
    pub(crate) fn caller(&mut self, index: usize, named: &Named) -> Option<Caller> {
        let block = &named.block;
        if block.is_bad() {
            return None;
        }
        let target = self.target(block.field("target"));
        let load = self.load(block, named);
        let invocation = match block.field("invocation").word()? {
            "async" => Invocation::Async,
            _ => Invocation::Sync,
        };
        let client = self.client(block.field("client"));
        let passed = self.via(block.field("via"), invocation);
        let payload_bytes = self.distribution(block.field("payload"));
        let keys = self.keys(block.field("keys"));
        let delay = block.field("delay").optional(|delay| self.delay(delay));
        let deduplication = self.deduplication(block.field("deduplication"));
        let (load, durations) = load?;
        let Passed { via, client: by_service } = passed?;
        Some(Caller {
            name: named.name.to_string(),
            order: self.names.rows(ResourceKind::Caller)[index].order,
            target: target?,
            via,
            invocation,
            load,
            max_events: block.field("max_events").optional(Resolved::whole)?,
            client: by_service.or(client)?,
            payload_bytes: payload_bytes?,
            keys: keys?,
            delay: delay?,
            deduplication: deduplication?,
            messages_per_call: block.field("messages_per_call").count()?,
            durations,
        })
    }

    fn load(&mut self, block: &Resolved, named: &Named) -> Option<Arrivals> {
        let (arrivals, users) = (block.field("arrivals"), block.field("users"));
        match (arrivals.is_without(), users.is_without()) {
            (false, true) => self.arrivals(arrivals),
            (true, false) => {
                let think = self.distribution(users.field("think"));
                let (via, invocation) = (block.field("via"), block.field("invocation"));
                // Firehose has a record at once as well.
                let accepted_at_once = invocation.word() == Some("async") || via_key(via) == Some("firehose");
                if accepted_at_once && think.as_ref().is_some_and(|think| think.max() == Some(0)) {
                    let place = if via.is_written() { via.place } else { invocation.place };
                    self.contradiction(users.field("think"), "these users never stop calling", |problem| {
                        problem
                            .with_expected("a pause between calls")
                            .with_related(place, "nobody waits for an event to run")
                            .with_help("write for example `think: 1s`")
                    });
                }
                let start = match users.field("start").word()? {
                    "at_once" => UserStart::AtOnce,
                    _ => UserStart::Think,
                };
                Some((Load::Closed { count: users.field("count").count()?, think: think?, start }, None))
            }
            (false, false) => {
                let place = arrivals.place;
                self.contradiction(users, "`arrivals` and `users` exclude each other", |problem| {
                    problem
                        .with_expected("an open loop (`arrivals`) or a closed one (`users`)")
                        .with_related(place, "the open loop")
                });
                None
            }
            (true, true) if self.problems.misspelt(&block.path.to_string()) => None,
            (true, true) => {
                self.problems.push(
                    Problem::new(ProblemKind::MissingKey, named.place, "this caller never calls")
                        .at_key(&block.path)
                        .with_expected("`arrivals` (an open loop) or `users` (a closed one)")
                        .with_help("write for example `arrivals: {poisson: 50/s}`"),
                );
                None
            }
        }
    }

    fn arrivals(&mut self, value: &Resolved) -> Option<Arrivals> {
        let Value::Tagged(name, inner) = &value.value else { return None };
        let process = match *name {
            "poisson" => ArrivalProcess::Poisson { rate: inner.rate()? },
            "constant" => ArrivalProcess::Constant { rate: inner.rate()? },
            "at" => {
                let moments = inner.list().iter().map(Resolved::moment).collect::<Option<Vec<_>>>();
                let mut moments = moments.filter(|_| !inner.is_bad())?;
                moments.sort_unstable();
                ArrivalProcess::At(moments.into())
            }
            "burst" => self.burst(inner)?,
            "profile" => self.profile(inner)?,
            "daily" => self.daily(inner)?,
            "on_off" => {
                let (on, off) = (self.distribution(inner.field("on")), self.distribution(inner.field("off")));
                if on.as_ref().zip(off.as_ref()).is_some_and(|(on, off)| on.max() == Some(0) && off.max() == Some(0)) {
                    self.contradiction(inner, "both phases have no length", |problem| problem);
                    return None;
                }
                ArrivalProcess::OnOff { on: on?, off: off?, rate: inner.field("rate").rate()? }
            }
            "trace" => return self.trace(inner),
            "counts" => {
                let every = inner.field("every").duration();
                let counts = self.column(inner, "column", Unit::Count, None);
                ArrivalProcess::Counts { counts: counts?.into(), every: every? }
            }
            name => unreachable!("the table has no arrivals {name}"),
        };
        Some((Load::Open(process), None))
    }

    fn burst(&mut self, block: &Resolved) -> Option<ArrivalProcess> {
        let every = block.field("every").optional(Resolved::duration)?;
        let times = block.field("times").whole()?;
        if times > 1 && every.is_none() {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, block.field("times").place, "the time between bursts is missing")
                    .at_key(&block.path)
                    .with_expected("`every` where `times` is more than 1"),
            );
            return None;
        }
        Some(ArrivalProcess::Burst {
            size: block.field("size").whole()?,
            at: block.field("at").moment()?,
            every: every.unwrap_or(SimDuration::ZERO),
            times,
        })
    }

    fn profile(&mut self, block: &Resolved) -> Option<ArrivalProcess> {
        let list = block.field("points");
        let points = list.list().iter();
        let points = points.map(|point| {
            let at = point.field("at").moment()?;
            Some(RatePoint { at, rate: point.field("rate").rate()? })
        });
        let points = points.collect::<Option<Vec<_>>>()?;
        if list.is_bad() {
            return None;
        }
        if points.is_empty() {
            self.problems.push(
                Problem::new(ProblemKind::MissingKey, list.place, "the profile has no points")
                    .at_key(&list.path)
                    .with_expected("at least one `{at: .., rate: ..}`"),
            );
            return None;
        }
        if let Some(index) = points.windows(2).position(|pair| pair[0].at >= pair[1].at) {
            let (earlier, late) = (&list.list()[index], list.list()[index + 1].field("at"));
            let related = earlier.field("at").place;
            self.contradiction(late, "this point is not later than the one before it", |problem| {
                problem.with_expected("points in order of time").with_related(related, "the point before")
            });
            return None;
        }
        Some(ArrivalProcess::Profile {
            points: points.into(),
            shape: if block.field("shape").word()? == "step" { ProfileShape::Step } else { ProfileShape::Linear },
            process: regularity(block.field("process"))?,
        })
    }

    fn daily(&mut self, block: &Resolved) -> Option<ArrivalProcess> {
        let (mean, peak) = (block.field("mean").rate()?, block.field("peak").rate()?);
        let mean_place = block.field("mean").place;
        let wrong = if less(peak, mean) {
            Some("`peak` is less than `mean`")
        } else if less(mean.times(2), peak) {
            Some("`peak` is more than twice `mean`")
        } else {
            None
        };
        if let Some(message) = wrong {
            self.contradiction(block.field("peak"), message, |problem| {
                problem
                    .with_expected("a rate between `mean` and twice `mean`")
                    .with_related(mean_place, "the mean")
                    .with_help("the rate is a sine: beyond twice the mean it would fall below zero")
            });
            return None;
        }
        Some(ArrivalProcess::Daily {
            mean,
            peak,
            peak_at: block.field("peak_at").duration()?,
            process: regularity(block.field("process"))?,
        })
    }

    fn trace(&mut self, block: &Resolved) -> Option<Arrivals> {
        let Value::Leaf(Leaf::Scale(scale), _) = block.field("scale").value else { return None };
        let unit = Unit::named(block.field("unit").word()?)?;
        let times = self.column(block, "column", unit, Some(scale));
        let durations = if block.field("duration_column").is_without() {
            Some(None)
        } else {
            let unit = Unit::named(block.field("duration_unit").word()?)?;
            self.column(block, "duration_column", unit, None).map(Some)
        };
        let (times, durations) = (times?, durations?);
        // Rows keep their durations; equal moments keep their order.
        let mut rows = (0..times.len()).collect::<Vec<_>>();
        rows.sort_by_key(|row| times[*row]);
        let moments = rows.iter().map(|row| SimTime::from_nanos(times[*row])).collect();
        let durations =
            durations.map(|durations| rows.iter().map(|row| SimDuration::from_nanos(durations[*row])).collect());
        Some((Load::Open(ArrivalProcess::At(moments)), durations))
    }
}

fn regularity(value: &Resolved) -> Option<Regularity> {
    Some(if value.word()? == "constant" { Regularity::Constant } else { Regularity::Poisson })
}
