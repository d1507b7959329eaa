//! The moment after which a request is not sent any more.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use vouchsafe_core::{Clock, deadline};

use crate::jwt::since_1970;

/// A moment by two clocks: one stops while the machine is suspended, the other can be set.
#[derive(Clone, Debug)]
pub(crate) struct Until {
    by_timer: Instant,
    by_clock: SystemTime,
    clock: Arc<dyn Clock>,
}

impl Until {
    /// Returns the moment after a duration that starts now.
    pub(super) fn after(lasts: Duration, clock: &Arc<dyn Clock>) -> Self {
        let by_timer = deadline::after(Instant::now(), lasts);
        Self {
            by_timer,
            by_clock: clock
                .now()
                .checked_add(lasts)
                .unwrap_or_else(|| since_1970(u64::MAX)),
            clock: Arc::clone(clock),
        }
    }

    /// Returns the earlier of two moments, by each clock.
    pub(super) fn or_before(self, other: &Self) -> Self {
        Self {
            by_timer: self.by_timer.min(other.by_timer),
            by_clock: self.by_clock.min(other.by_clock),
            ..self
        }
    }

    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.by_timer <= other.by_timer && self.by_clock <= other.by_clock
    }

    /// Returns whether the moment has passed by either clock.
    pub(crate) fn is_over(&self) -> bool {
        self.by_timer <= Instant::now() || self.by_clock <= self.clock.now()
    }

    /// Returns whether it has passed for so long that the process was suspended, or that a clock was
    /// set: a limit that ends by itself is noticed sooner.
    pub(crate) fn is_long_over(&self) -> bool {
        let (timer, clock) = (Instant::now(), self.clock.now());
        let by_clock = clock.duration_since(self.by_clock).unwrap_or_default();
        timer.saturating_duration_since(self.by_timer).max(by_clock) >= LATE
    }

    /// Returns the time that is left.
    pub(crate) fn left(&self) -> Duration {
        self.by_timer.saturating_duration_since(Instant::now())
    }
}

/// How late a limit is noticed only after the process was suspended.
const LATE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use vouchsafe_core::mock::ManualClock;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Returns moments after some seconds by each clock, and the clock that can be set.
    fn moments<const N: usize>(all: [(u32, u32); N]) -> ([Until; N], Arc<ManualClock>) {
        let manual = Arc::new(ManualClock::at_unix(1_000));
        let clock = Arc::clone(&manual) as Arc<dyn Clock>;
        let moment = |(by_timer, by_clock)| Until {
            by_timer: Instant::now() + SECOND * by_timer,
            by_clock: clock.now() + SECOND * by_clock,
            clock: Arc::clone(&clock),
        };
        (all.map(moment), manual)
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_of_two_moments_is_the_earlier_one_by_each_clock() {
        let ([first, second, both], _) = moments([(1, 4), (2, 3), (1, 3)]);
        for earlier in [first.clone().or_before(&second), second.or_before(&first)] {
            assert_eq!(earlier.by_timer, both.by_timer);
            assert_eq!(earlier.by_clock, both.by_clock);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_is_before_another_one_if_both_clocks_say_so() {
        let ([moment, same, timer, clock], _) = moments([(2, 2), (2, 2), (1, 3), (3, 1)]);
        assert!(moment.is_before(&same));
        for other in [timer, clock] {
            assert!(!moment.is_before(&other) && !other.is_before(&moment));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn either_clock_ends_the_time_and_shows_that_the_process_was_suspended() {
        for is_timer in [true, false] {
            let ([until], manual) = moments([(5, 5)]);
            let pass = async |time| match is_timer {
                true => tokio::time::advance(time).await,
                false => manual.advance(time),
            };
            let nearly = Duration::from_millis(1);
            pass(5 * SECOND - nearly).await;
            assert!(!until.is_over());
            pass(nearly).await;
            assert!(until.is_over() && !until.is_long_over());
            pass(SECOND - nearly).await;
            assert!(!until.is_long_over());
            pass(nearly).await;
            assert!(until.is_long_over());
        }
    }
}
