//! The time of a process, set by `faketime`.

use std::process::Command;
use std::sync::OnceLock;

/// A time that processes begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    library: String,
    time: String,
}

impl Clock {
    /// Returns the clock that begins at this second since 1970, if there is `faketime`.
    pub(super) fn at(seconds: f64) -> Option<Self> {
        static LIBRARY: OnceLock<Option<String>> = OnceLock::new();
        let library = LIBRARY.get_or_init(library).clone()?;
        Some(Self {
            library,
            time: format!("@{seconds:.0}"),
        })
    }

    pub(super) fn set(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME", &self.time)
            .env("FAKETIME_FMT", "%s")
            // Waits are those of the machine. By its old name, too.
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
    }
}

/// Returns the library that changes the clock of a process which loads it.
fn library() -> Option<String> {
    let asked = ["-m", "-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""];
    let answer = Command::new("faketime").args(asked).output().ok()?;
    String::from_utf8(answer.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_time_that_was_set() {
        let Some(clock) = Clock::at(1_700_000_000.4) else {
            assert!(vouchsafe_test_servers::may_skip(), "there is no faketime");
            return;
        };
        let mut date = Command::new("date");
        clock.set(date.arg("+%s"));
        let answer = date.output().unwrap();
        let seconds = String::from_utf8(answer.stdout).unwrap();
        let seconds: u64 = seconds.trim().parse().unwrap();
        assert!(
            (1_700_000_000..1_700_000_060).contains(&seconds),
            "{seconds}"
        );
    }
}
