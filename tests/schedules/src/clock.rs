//! Time that passes only when a runtime has nothing else to do, as tokio's does while it is paused.

use std::time::Duration;

use shuttle::sync::atomic::{AtomicU64, Ordering};

shuttle::lazy_static! {
    /// Nanoseconds since the start of the run.
    static ref NOW: AtomicU64 = AtomicU64::new(0);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        Self(Duration::from_nanos(NOW.load(Ordering::SeqCst)))
    }

    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn after(self, time: Duration) -> Self {
        Self(self.0 + time)
    }

    pub fn elapsed(self) -> Duration {
        Self::now().saturating_duration_since(self)
    }
}

/// Lets time pass until a moment, unless it has already.
pub(crate) fn advance_to(Instant(moment): Instant) {
    let nanos = u64::try_from(moment.as_nanos()).unwrap();
    NOW.fetch_max(nanos, Ordering::SeqCst);
}

/// Lets time pass.
pub fn advance(by: Duration) {
    advance_to(Instant(Instant::now().0 + by));
}
