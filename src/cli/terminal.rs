//! Standard output and standard error: colours where they are wanted, and readers that leave early.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use clap::builder::styling::{AnsiColor, Style};
use clap::{ColorChoice, ValueEnum};

use super::exit::{Exit, Failure};

/// For what holds.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// For what does not.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// For what deserves a look.
pub(super) const NOTABLE: Style = AnsiColor::Yellow.on_default().bold();
/// For a hint.
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// A text in a style.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The value of `--color`, for messages about command lines that cannot be parsed.
pub(super) fn color_of(arguments: &[OsString]) -> ColorChoice {
    let mut texts = arguments.iter().filter_map(|text| text.to_str()).take_while(|text| *text != "--");
    let mut color = ColorChoice::Auto;
    while let Some(text) = texts.next() {
        let value = if text == "--color" { texts.next() } else { text.strip_prefix("--color=") };
        if let Some(choice) = value.and_then(|value| ColorChoice::from_str(value, false).ok()) {
            color = choice;
        }
    }
    color
}

/// From here on, text is coloured as the user said.
pub(super) fn set_color(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Columns of standard output, where it is a terminal.
pub(super) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Standard output. What is written after its reader has left (`| head`) goes nowhere, and is no error.
#[derive(Debug)]
pub(super) struct Output(Option<BufWriter<anstream::Stdout>>);

impl Output {
    /// The output of this process.
    pub(super) fn stdout() -> Self {
        Self(Some(BufWriter::new(anstream::stdout())))
    }

    /// Writes a text; its colours appear where they are wanted.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.attempt(|stream| stream.write_all(text.as_bytes()))
    }

    /// Shows everything that has been written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.attempt(Write::flush)
    }

    /// The last flush.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.flush()
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut BufWriter<anstream::Stdout>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Some(stream) = &mut self.0 else { return Ok(()) };
        match write(stream) {
            Ok(()) => Ok(()),
            Err(error) => {
                // What is still in the buffer must not be tried again when it is dropped.
                let _ = self.0.take().map(BufWriter::into_parts);
                printed(Err(error))
            }
        }
    }
}

/// What an attempt to print means: a reader that has left is no failure.
pub(super) fn printed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("cannot write to standard output: {error}");
            Err(Failure { exit: Exit::Unreachable, message, help: None })
        }
        _ => Ok(()),
    }
}

/// Writes lines to standard error. When that is gone too, there is nobody left to tell.
pub(super) fn tell(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes an error to standard error.
pub(super) fn error(message: impl Display) {
    tell(format_args!("{} {message}", styled(BAD, "error:")));
}

/// Writes a failure to standard error and says what the program exits with.
pub(super) fn fail(failure: &Failure) -> Exit {
    error(failure);
    if let Some(help) = &failure.help {
        tell(format_args!("{} {help}", styled(HINT, "help:")));
    }
    failure.exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_known_before_the_rest_is_parsed() {
        let check = |line: &str, expected| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(color_of(&arguments), expected, "{line}");
        };
        check("lambdasim run", ColorChoice::Auto);
        check("lambdasim --color never runn", ColorChoice::Never);
        check("lambdasim runn --color=always", ColorChoice::Always);
        check("lambdasim runn --color sometimes", ColorChoice::Auto);
        check("lambdasim run -- --color=always", ColorChoice::Auto);
    }

    #[test]
    fn a_reader_that_has_left_is_no_failure() {
        assert_eq!(printed(Err(io::ErrorKind::BrokenPipe.into())), Ok(()));
        assert_eq!(printed(Err(io::ErrorKind::StorageFull.into())).unwrap_err().exit, Exit::Unreachable);
    }
}
