//! Asking a person for a secret, without showing what is typed.

use std::io;

use vouchsafe::core::Secret;

/// Returns whether there is a terminal to ask a person.
pub(crate) fn is_possible() -> bool {
    cfg!(unix) && io::IsTerminal::is_terminal(&io::stdin())
}

/// Asks for a secret of this name on standard error, and reads a line of at most `limit` bytes from
/// the terminal.
///
/// # Errors
///
/// If it cannot be read or is longer, or the person pressed Ctrl-C.
#[cfg(unix)]
pub(crate) fn ask(what: &str, limit: usize) -> io::Result<Secret> {
    use std::io::Write as _;

    let quiet = terminal::Quiet::begin()?;
    let mut out = io::stderr().lock();
    let _ = write!(out, "{}: ", crate::terminal::sentence(what));
    let _ = out.flush();
    let line = Secret::read(terminal::Line::default(), limit);
    drop(quiet);
    // The end of the line was not shown either.
    let _ = writeln!(out);
    line
}

/// Asks for a secret, which is not possible on this system.
#[cfg(not(unix))]
pub(crate) fn ask(_: &str, _: usize) -> io::Result<Secret> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Asks a question on standard error, and reads a line of at most `limit` bytes from the terminal,
/// which shows what is typed.
///
/// # Errors
///
/// As [`ask`].
#[cfg(unix)]
pub(crate) fn line(question: &str, limit: usize) -> io::Result<String> {
    use std::io::Write as _;

    let mut out = io::stderr().lock();
    let _ = write!(out, "{question}");
    let _ = out.flush();
    let line = Secret::read(terminal::Line::default(), limit)?;
    match line.is_empty() {
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok(line.expose().trim().to_owned()),
    }
}

/// Asks a question, which is not possible on this system.
#[cfg(not(unix))]
pub(crate) fn line(_: &str, _: usize) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
mod terminal {
    use std::io::{self, Read};

    use rustix::stdio::stdin;
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };

    /// A terminal that does not show what is typed, until this is dropped.
    pub(super) struct Quiet {
        before: Termios,
    }

    impl Quiet {
        pub(super) fn begin() -> io::Result<Self> {
            let before = tcgetattr(stdin())?;
            let mut modes = before.clone();
            modes.local_modes.remove(LocalModes::ECHO);
            // Ctrl-C must not leave the terminal as it is now: it ends the line instead.
            modes.local_modes.remove(LocalModes::ISIG);
            modes.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
            // Discards input typed before the question.
            tcsetattr(stdin(), OptionalActions::Flush, &modes)?;
            Ok(Self { before })
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.before);
        }
    }

    /// One line, read without a buffer that would keep a copy.
    #[derive(Default)]
    pub(super) struct Line {
        is_ended: bool,
    }

    impl Read for Line {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.is_ended {
                return Ok(0);
            }
            let count = rustix::io::read(stdin(), &mut *buffer)?;
            let last = buffer[..count].last().copied();
            if last == Some(CTRL_C) {
                return Err(io::Error::other("given up"));
            }
            self.is_ended = last == Some(b'\n');
            Ok(count)
        }
    }

    const CTRL_C: u8 = 3;
}
