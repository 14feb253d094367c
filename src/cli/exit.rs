//! What a command can come to.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The exit status. Where several apply, the highest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything is done.
    Done = 0,
    /// An expectation or a baseline does not hold, a run used up its event budget, or what is denied was found.
    Unmet = 1,
    /// A scenario or the usage is wrong.
    BadInput = 2,
    /// Something cannot be read or written.
    Unreachable = 3,
    /// The user, or the system, said stop.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The exit status it leads to.
    pub(super) exit: Exit,
    /// Lower case, without a full stop.
    pub(super) message: String,
    /// What the user can do.
    pub(super) help: Option<String>,
}

impl Failure {
    /// A mistake in the usage.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, message: message.into(), help: None }
    }

    /// A file that cannot be written.
    pub(super) fn write(path: &Path, error: &io::Error) -> Self {
        let message = format!("cannot write {}: {error}", path.display());
        Self { exit: Exit::Unreachable, message, help: None }
    }

    /// Adds what the user can do.
    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
