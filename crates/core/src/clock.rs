//! The wall clock, injected so that tests can control it. Waits and lifetimes use `tokio::time`
//! instead.

use std::fmt;
use std::time::SystemTime;
#[cfg(any(target_os = "android", target_os = "linux"))]
use std::time::{Duration, UNIX_EPOCH};

#[cfg(any(target_os = "android", target_os = "linux"))]
use rustix::time::{ClockId, clock_gettime};

/// Provides the current time.
///
/// Used for dates in the protocol: expiries, `Retry-After` and `Date`. Durations are measured on
/// tokio's clock instead. That clock stands still while the machine is suspended, so a cached
/// lifetime ends when either clock says so; setting this clock back never extends a lifetime.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;

    /// Returns the current time, up to ten milliseconds late, if that is cheaper to read. Default:
    /// [`now`](Self::now).
    fn coarse(&self) -> SystemTime {
        self.now()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// Returns the machine's clock.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The time of the kernel's last tick, which takes a third of the time to read.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    fn coarse(&self) -> SystemTime {
        let time = clock_gettime(ClockId::RealtimeCoarse);
        let since_1970 = u64::try_from(time.tv_sec)
            .ok()
            .zip(u32::try_from(time.tv_nsec).ok());
        since_1970
            .and_then(|(secs, nanos)| UNIX_EPOCH.checked_add(Duration::new(secs, nanos)))
            .unwrap_or_else(|| self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_time_is_late_but_not_by_much() {
        let clock = SystemClock::new();
        let coarse = clock.coarse();
        let late = clock.now().duration_since(coarse);
        assert!(late.is_ok_and(|late| late < std::time::Duration::from_secs(60)));
    }
}
