//! Colour, where it is wanted.

/// Whether text is marked with terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Style {
    /// Plain text.
    #[default]
    Plain,
    /// Text with ANSI escapes.
    Ansi,
}

const RESET: &str = "\u{1b}[0m";

impl Style {
    /// A heading.
    pub(super) fn heading(self, text: &str) -> String {
        self.paint("\u{1b}[1m", text)
    }

    /// What is as it should be.
    pub(super) fn good(self, text: &str) -> String {
        self.paint("\u{1b}[1;32m", text)
    }

    /// What deserves a look.
    pub(super) fn warning(self, text: &str) -> String {
        self.paint("\u{1b}[1;33m", text)
    }

    /// What is not as it should be.
    pub(super) fn bad(self, text: &str) -> String {
        self.paint("\u{1b}[1;31m", text)
    }

    /// What is less important.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint("\u{1b}[2m", text)
    }

    fn paint(self, escape: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("{escape}{text}{RESET}"),
        }
    }
}
