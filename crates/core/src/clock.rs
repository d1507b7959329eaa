//! Wall-clock time, injected so that a test can turn it. Waits and lifetimes are not here: they
//! run on `tokio::time`.

use std::fmt;
use std::time::SystemTime;

/// Says what time it is.
///
/// Used for what the wire gives as a date: expiries, `Retry-After`, `Date`. Durations are
/// measured on tokio's clock instead. That one stands still while the machine is suspended, so what
/// is kept for a while ends when either clock says so; this one, turned back, prolongs nothing.
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
