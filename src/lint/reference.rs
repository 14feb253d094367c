//! All checks as a page.

use std::fmt::Write as _;

use super::Check;

const INTRODUCTION: &str = "\
# Lint: what is known about settings before anything runs

<!-- Made from the checks of `lambdasim::lint`. Do not edit: run
     `UPDATE_DOCS=1 cargo test --test it reference` and commit the result. -->

`lambdasim lint shop.yaml` says what AWS's own advice says about a scenario's settings, and which combinations are known
to go wrong. Each finding has the place in the file, the scenario's numbers, the reason, the source, and the change that
it proposes, to be pasted: `lambdasim lint shop.yaml --set queues.orders.visibility_timeout=2m`. `--deny` makes the exit
status 1 where there is a finding, for CI. `lambdasim run` shows the same findings in a line each at the end of its
report.

Nothing is simulated. What is marked *estimate* is computed from mean rates and mean times alone (Little's law: needed
concurrency = rate x duration), for first tries, full batches and steady traffic; it says what is needed at least. A run
says what happens.

What AWS refuses is no finding but an error of every command: a visibility time-out below the function's at the start,
provisioned above reserved concurrency, more set aside than the account's limit minus 100, a tumbling window with a
parallelization factor above 1.
";

/// The page of all checks, `docs/lint.md`.
pub fn reference_markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut family = "";
    for check in Check::ALL {
        if check.family() != family {
            family = check.family();
            let _ = write!(text, "\n## {family}\n\n| check | finds | why | what helps | known | rule, source |\n");
            text += "| --- | --- | --- | --- | --- | --- |\n";
        }
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {}: {} |",
            check.id(),
            check.finds(),
            check.reason(),
            check.advice(),
            check.basis().as_str(),
            check.rule(),
            check.source()
        );
    }
    text
}
