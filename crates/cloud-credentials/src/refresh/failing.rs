//! Failures to save tokens, and how long saving is tried.

use std::time::Duration;

use tokio::time::Instant;

use crate::Error;

/// Failures to save tokens, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failing {
    /// When one was reported last, and how long none is reported after that.
    reported: Option<(Instant, Duration)>,
    /// Since when they have been of a kind that does not pass by itself.
    lasting: Option<Instant>,
}

impl Failing {
    /// Adds one, and returns whether to report it.
    pub(crate) fn add(&mut self, error: &Error) -> bool {
        let now = Instant::now();
        self.lasting = match error.is_retryable() {
            true => None,
            false => self.lasting.or(Some(now)),
        };
        let quiet = match self.reported {
            Some((at, quiet)) if now.duration_since(at) < quiet => return false,
            Some((_, quiet)) => LONGEST_SAVE.min(quiet * 2),
            None => FIRST_SAVE,
        };
        self.reported = Some((now, quiet));
        true
    }

    /// Returns whether others have waited long enough for a save that will hardly succeed.
    pub(super) fn is_for_good(&self) -> bool {
        self.lasting
            .is_some_and(|since| since.elapsed() >= LONGEST_HOLD)
    }
}

pub(super) const FIRST_SAVE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_SAVE: Duration = Duration::from_secs(32);
/// How long the lease is kept while saving fails in a way that does not pass by itself, such as a
/// full disk or a damaged record. Others cannot refresh during that time. Also, how long tokens are
/// tried to be saved whose record has become that of another login: a program that still knows the old
/// one may write it back.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(300);
