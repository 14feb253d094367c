//! `lambdasim completions`: completions for a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::exit::{Exit, Failure};
use super::terminal::Output;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  lambdasim completions bash > ~/.local/share/bash-completion/completions/lambdasim
  lambdasim completions zsh > \"${fpath[1]}/_lambdasim\"
  lambdasim completions fish > ~/.config/fish/completions/lambdasim.fish";

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
pub(super) fn completions(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    output.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
