//! Why a command line is not a command.

use std::fmt;

use crate::config::Problem;

/// Exit code of a wrong command line or configuration, as sysexits.h has it.
pub const EX_USAGE: u8 = 64;

/// Why there is no command.
#[derive(Debug)]
pub enum Error {
    /// Nothing is wrong: help or the version was asked for. The text goes to standard output.
    Help(clap::Error),
    /// clap does not understand the arguments.
    Arguments(clap::Error),
    /// A flag without a command before it.
    NoVerb,
    /// Arguments that do not go together.
    Usage(String),
    /// Settings are wrong: all that was found.
    Settings(Vec<Problem>),
}

// === impl Error ===

impl Error {
    /// 0 for help, otherwise [`EX_USAGE`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Help(_) => 0,
            _ => EX_USAGE,
        }
    }

    /// Prints it where it belongs: help to standard output, the rest to standard error.
    ///
    /// # Errors
    ///
    /// When the stream cannot be written to.
    pub fn print(&self) -> std::io::Result<()> {
        match self {
            Self::Help(error) | Self::Arguments(error) => error.print(),
            error => {
                use std::io::Write;
                writeln!(std::io::stderr(), "{error}")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help(error) | Self::Arguments(error) => write!(f, "{error}"),
            Self::NoVerb => f.write_str(
                "error: name the command first: pointsman run FLAGS…\n\nFor more information, try 'pointsman --help'.",
            ),
            Self::Usage(message) => write!(f, "error: {message}"),
            Self::Settings(problems) => {
                match problems.len() {
                    1 => f.write_str("error: a setting is wrong")?,
                    count => write!(f, "error: {count} settings are wrong")?,
                }
                for problem in problems {
                    write!(f, "\n  {problem}")?;
                }
                f.write_str("\n\nFor more information, try 'pointsman run --help'.")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<clap::Error> for Error {
    fn from(error: clap::Error) -> Self {
        if error.use_stderr() {
            Self::Arguments(error)
        } else {
            Self::Help(error)
        }
    }
}
