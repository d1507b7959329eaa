//! The wall clock, injected so that tests can control it. Waits and lifetimes use `tokio::time`
//! instead.

use std::fmt;
use std::time::SystemTime;

/// Provides the current time.
///
/// Used for dates in the protocol: expiries, `Retry-After` and `Date`. Durations are measured on
/// tokio's clock instead. That clock stands still while the machine is suspended, so a cached
/// lifetime ends when either clock says so; setting this clock back never extends a lifetime.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;
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
}
