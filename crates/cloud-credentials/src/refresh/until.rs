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
