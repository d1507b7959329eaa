//! The waits between attempts.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Retry;
use super::retry::is_throttled;
use crate::Error;
use crate::sync::lock;

/// The random numbers that keep clients from retrying at the same moment.
///
/// Cheap to clone; clones draw from the same sequence. A client's is returned by
/// [`CoreClient::jitter`](crate::CoreClient::jitter), so that
/// [`jitter_seed`](crate::CoreClientBuilder::jitter_seed) decides every wait of the service.
#[derive(Clone)]
pub struct Jitter(Arc<Mutex<fastrand::Rng>>);

impl Jitter {
    /// Creates an unpredictable sequence.
    #[must_use]
    pub fn random() -> Self {
        Self::from(fastrand::Rng::new())
    }

    /// Creates the sequence of a seed, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::from(fastrand::Rng::with_seed(seed))
    }

    /// Draws a number, uniform in `0.0..1.0`.
    #[must_use]
    pub fn draw(&self) -> f64 {
        lock(&self.0).f64()
    }

    fn from(random: fastrand::Rng) -> Self {
        Self(Arc::new(Mutex::new(random)))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jitter").finish_non_exhaustive()
    }
}

/// The waits of a loop that retries, growing with each failure.
///
/// Each wait is random, up to a bound that doubles. Calls wait by themselves; this is for loops
/// around them, which know better what a failure means.
///
/// ```
/// use std::time::Duration;
/// use vouchsafe_core::call::{Backoff, Jitter};
///
/// let (first, longest) = (Duration::from_millis(100), Duration::from_secs(10));
/// let mut backoff = Backoff::new(first, longest, Jitter::random()).at_least_half();
/// let wait = backoff.next_wait(); // between 50 and 100 milliseconds
/// assert!(wait >= first / 2 && wait <= first);
/// assert!(backoff.next_wait() >= first); // between 100 and 200
/// backoff.reset(); // after a success
/// assert!(backoff.next_wait() <= first);
/// ```
///
/// [`Retry::backoff`] drives a caller's own loop by the policy of a call:
///
/// ```
/// # use vouchsafe_core::{Error, ErrorKind};
/// # async fn fetch() -> Result<u32, Error> {
/// #     static TRIES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
/// #     match TRIES.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
/// #         0 => Err(Error::new(ErrorKind::Transport, "reset")),
/// #         _ => Ok(42),
/// #     }
/// # }
/// use vouchsafe_core::call::{Jitter, Retry};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mut backoff = Retry::default().backoff(Jitter::random());
/// let value = loop {
///     match fetch().await {
///         Ok(value) => break value,
///         Err(error) => match backoff.after(&error) {
///             Some(wait) => tokio::time::sleep(wait).await,
///             None => return Err(error),
///         },
///     }
/// };
/// assert_eq!(value, 42);
/// # Ok::<(), Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Backoff {
    retry: Retry,
    jitter: Jitter,
    is_half_kept: bool,
    failures: u32,
}

impl Retry {
    /// Returns the waits of this policy, for a loop around calls that make one attempt each.
    pub fn backoff(self, jitter: Jitter) -> Backoff {
        Backoff {
            retry: self,
            jitter,
            is_half_kept: false,
            failures: 0,
        }
    }
}

impl Backoff {
    /// Creates waits that are uniform between zero and a bound, which is `first` and doubles up to
    /// `longest`. Their number is unlimited.
    pub fn new(first: Duration, longest: Duration, jitter: Jitter) -> Self {
        let retry = Retry::default().attempts(u32::MAX).base(first);
        retry.throttled_base(first).cap(longest).backoff(jitter)
    }

    /// Makes each wait at least half of its bound, for a loop that must not retry at once.
    pub fn at_least_half(mut self) -> Self {
        self.is_half_kept = true;
        self
    }

    /// Starts after this many failures.
    pub(crate) fn after_failures(mut self, count: u32) -> Self {
        self.failures = count;
        self
    }

    /// Returns how long to wait after another failure.
    pub fn next_wait(&mut self) -> Duration {
        let base = self.retry.base;
        self.grown(base)
    }

    /// Returns how long to wait after an attempt that failed with this error, which may say so
    /// itself ([`Error::retry_after`]). `None` if the policy allows no more attempts; whether the
    /// request may be sent again at all is for the caller to know.
    pub fn after(&mut self, error: &Error) -> Option<Duration> {
        if !self.retry.has_more(self.failures.saturating_add(1)) {
            return None;
        }
        if let Some(asked) = error.retry_after() {
            self.failures = self.failures.saturating_add(1);
            // Callers that received the same answer must not all return at the same moment.
            return Some(asked.saturating_add(asked.mul_f64(0.1 * self.jitter.draw())));
        }
        let base = if is_throttled(error) {
            self.retry.throttled_base
        } else {
            self.retry.base
        };
        Some(self.grown(base))
    }

    /// Starts again from the first wait, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    fn grown(&mut self, base: Duration) -> Duration {
        let doubled = base.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let bound = doubled.min(self.retry.cap);
        let kept = if self.is_half_kept {
            bound / 2
        } else {
            Duration::ZERO
        };
        kept + (bound - kept).mul_f64(self.jitter.draw())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    fn broken() -> Error {
        Error::new(ErrorKind::Transport, "reset")
    }

    fn asking(wait: Duration) -> Error {
        Error::new(ErrorKind::Throttled, "slow down").with_retry_after(Some(wait))
    }

    #[test]
    fn the_state_of_the_generator_is_not_shown() {
        assert_eq!(format!("{:?}", Jitter::seeded(1)), "Jitter { .. }");
    }

    #[test]
    fn a_server_that_throttles_is_given_more_time() {
        let retry = Retry::default().base(Duration::ZERO);
        let wait = |error| retry.backoff(Jitter::seeded(1)).after(&error).unwrap();
        assert_eq!(wait(broken()), Duration::ZERO);
        assert!(wait(Error::new(ErrorKind::Throttled, "slow down")) > Duration::ZERO);
    }

    #[test]
    fn a_wait_for_ever_is_a_wait_too() {
        let backoff = |retry: Retry| retry.backoff(Jitter::seeded(1));
        let asked = backoff(Retry::default()).after(&asking(Duration::MAX));
        assert_eq!(asked, Some(Duration::MAX));
        let for_ever = Retry::default().base(Duration::MAX).cap(Duration::MAX);
        for backoff in [backoff(for_ever), backoff(for_ever).at_least_half()] {
            let mut backoff = backoff.after_failures(u32::MAX - 1);
            assert!(backoff.next_wait() > Duration::from_secs(1 << 40));
            assert!(backoff.next_wait() > Duration::from_secs(1 << 40));
        }
    }

    #[test]
    fn a_policy_ends_after_its_attempts_and_starts_again_when_it_is_reset() {
        let mut backoff = Retry::default().attempts(3).backoff(Jitter::random());
        for _ in 0..2 {
            let waits: Vec<_> = std::iter::from_fn(|| backoff.after(&broken())).collect();
            assert_eq!(waits.len(), 2);
            backoff.reset();
        }
        let mut once = Retry::none().backoff(Jitter::random());
        assert_eq!(once.after(&asking(Duration::ZERO)), None);
    }

    #[test]
    fn clones_draw_from_one_sequence_and_a_seed_decides_it() {
        let waits = |seed| {
            let jitter = Jitter::seeded(seed);
            let new = || Backoff::new(Duration::from_secs(1), Duration::MAX, jitter.clone());
            (new().next_wait(), new().next_wait())
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        assert_ne!(waits(7).0, waits(7).1);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(failures in 0u32..100, seed: u64) {
            let new = || Retry::default().attempts(1000).backoff(Jitter::seeded(seed)).after_failures(failures);
            let bound = (Duration::from_millis(50) * 2u32.saturating_pow(failures)).min(Duration::from_secs(5));
            prop_assert!(new().after(&broken()).unwrap() <= bound);
            prop_assert!(new().next_wait() <= bound);
            let half = new().at_least_half().next_wait();
            prop_assert!(bound / 2 <= half && half <= bound);
            let asked = Duration::from_secs(3);
            let wait = new().after(&asking(asked)).unwrap();
            prop_assert!(asked <= wait && wait <= asked.mul_f64(1.1));
        }
    }
}
