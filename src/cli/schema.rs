//! `lambdasim schema`: the JSON Schema of scenario files.

use lambdasim::{report, scenario};

use super::exit::{Exit, Failure};
use super::terminal::Output;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim schema > lambdasim.schema.json
      Then put this line on top of a scenario, for completion and hints in editors with YAML support:
      # yaml-language-server: $schema=lambdasim.schema.json";

/// Runs the command.
pub(super) fn schema(output: &mut Output) -> Result<Exit, Failure> {
    output.text(&report::json_text(&scenario::json_schema()))?;
    Ok(Exit::Done)
}
