//! How states follow each other.

use super::{Scope, shown};
use crate::aws::ids::{Id, StateId};
use crate::scenario::build::Builder;
use crate::scenario::error::{Problem, ProblemKind, did_you_mean, quote};
use crate::scenario::resolve::{Named, Resolved};

impl Builder<'_> {
    /// The state of the same flow that a value names.
    pub(super) fn state_named(&mut self, value: &Resolved, scope: Scope<'_>) -> Option<StateId> {
        let text = value.text()?;
        if let Some(place) = place_of(&text, scope) {
            return Some(StateId::from_index(scope.first + place));
        }
        let names = shown(scope.states);
        let known = names.iter().take(10).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let near = did_you_mean(&text, names.iter().map(|name| &**name));
        let help = near.or_else(|| (!known.is_empty()).then(|| format!("there are {known}")));
        self.problems.push(
            Problem::new(ProblemKind::UnknownName, value.place, format!("there is no state {}", quote(&text)))
                .at_key(&value.path)
                .with_expected("the name of a state of the same `states`")
                .with_help_if(help),
        );
        None
    }

    /// What follows a state; nothing at the end of the flow.
    #[allow(clippy::option_option, reason = "the outer one is for values that cannot be read")]
    pub(super) fn next(&mut self, named: &Named, scope: Scope<'_>) -> Option<Option<StateId>> {
        let block = &named.block;
        let Some(next) = block.if_has("next") else { return Some(None) };
        let end = block.field("end");
        match (next.is_without(), end.switch()) {
            (_, None) => None,
            (false, Some(false)) => self.state_named(next, scope).map(Some),
            (true, Some(true)) => Some(None),
            (false, Some(true)) => {
                let place = next.place;
                self.contradiction(end, "`next` and `end` exclude each other", |problem| {
                    problem.with_expected("one of the two").with_related(place, "this state follows")
                });
                None
            }
            (true, Some(false)) => {
                if !next.is_bad() && !self.problems.misspelt(&block.path.to_string()) {
                    let message = format!("nothing says what follows {}", quote(&named.name));
                    self.problems.push(
                        Problem::new(ProblemKind::MissingKey, named.place, message)
                            .at_key(&block.path)
                            .with_expected("`next`, or `end: true`"),
                    );
                }
                None
            }
        }
    }

    /// Notes states to which no way leads.
    pub(super) fn can_be_reached(&mut self, scope: Scope<'_>, start: Option<StateId>) {
        let Some(start) = start else { return };
        let mut reached = vec![false; scope.states.len()];
        let mut open = vec![start.index() - scope.first];
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut reached[place], true) {
                continue;
            }
            let block = &scope.states[place].block;
            if block.is_bad() {
                return; // Nobody knows where it leads to.
            }
            open.extend(follows(block).iter().filter_map(|name| place_of(name, scope)));
        }
        for (named, _) in scope.states.iter().zip(reached).filter(|(_, reached)| !reached) {
            let message = format!("no way leads to the state {}", quote(&named.name));
            let problem = Problem::new(ProblemKind::Contradiction, named.place, message).at_key(&named.block.path);
            self.problems.push(problem.with_expected("a state that another one names, or that `start_at` names"));
        }
    }
}

/// The states that may follow.
fn follows(block: &Resolved) -> Vec<String> {
    let of = |list: &str| {
        let list = block.if_has(list).map(Resolved::list).unwrap_or_default();
        list.iter().filter_map(|entry| entry.field("next").text()).collect::<Vec<_>>()
    };
    let single = ["next", "default"].into_iter().filter_map(|key| block.if_has(key)?.text());
    single.chain(of("choice")).chain(of("catch")).collect()
}

fn place_of(name: &str, scope: Scope<'_>) -> Option<usize> {
    scope.states.iter().position(|state| &*state.name == name)
}
