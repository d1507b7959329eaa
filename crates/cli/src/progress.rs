//! The progress of long work, on the last line of a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::Instant;

/// Shows a count that grows, and removes it in the end. Shows nothing unless standard error is a
/// terminal.
pub(crate) struct Progress {
    /// The name of the things counted, in the plural.
    what: &'static str,
    done: u64,
    total: Option<u64>,
    next: Instant,
    is_shown: bool,
    is_terminal: bool,
}

impl Progress {
    /// Starts to count.
    pub(crate) fn new(what: &'static str, total: Option<u64>) -> Self {
        Self {
            what,
            done: 0,
            total,
            // Work that is done quickly shows nothing.
            next: Instant::now() + EVERY,
            is_shown: false,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    /// Counts one more.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.is_terminal && Instant::now() >= self.next {
            self.next = Instant::now() + EVERY;
            self.is_shown = true;
            let _ = write!(io::stderr().lock(), "\r{}\u{1b}[K", self.line());
        }
    }

    fn line(&self) -> String {
        let Self { what, done, .. } = self;
        match self.total {
            Some(total) if total >= *done => {
                let percent = (done * 100).checked_div(total).unwrap_or(100);
                format!("{done} of {total} {what} ({percent}%)")
            }
            _ => format!("{done} {what}"),
        }
    }
}

/// Goes over several things, and shows which one the work is at.
pub(crate) fn counted<'i, T>(what: &'static str, items: &'i [T]) -> impl Iterator<Item = &'i T> {
    let mut progress = Progress::new(what, u64::try_from(items.len()).ok());
    items.iter().inspect(move |_| progress.step())
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

const EVERY: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_total_that_was_too_low_is_not_shown_as_one() {
        let mut progress = Progress::new("users", Some(2));
        assert_eq!(progress.line(), "0 of 2 users (0%)");
        progress.step();
        assert_eq!(progress.line(), "1 of 2 users (50%)");
        progress.step();
        progress.step();
        assert_eq!(progress.line(), "3 users");
    }
}
