//! A clock that a test controls.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::sync::lock;
use crate::{Clock, SystemClock};

/// A wall clock that stands still until a test moves it, or runs from the time it is set to.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use vouchsafe_core::Clock;
/// use vouchsafe_core::mock::ManualClock;
///
/// let clock = ManualClock::at_unix(1_700_000_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(1_700_000_060));
/// ```
#[derive(Debug)]
pub struct ManualClock {
    hands: Mutex<Hands>,
    /// What `reset` returns to; `None` is the machine's time.
    start: Option<SystemTime>,
}

#[derive(Clone, Copy, Debug)]
enum Hands {
    Still(SystemTime),
    /// Showed `shown` when the machine's clock was at `machine`.
    Running {
        shown: SystemTime,
        machine: SystemTime,
    },
}

impl Hands {
    fn with_the_machine() -> Self {
        let machine = SystemClock::new().now();
        let shown = machine;
        Self::Running { shown, machine }
    }
}

impl ManualClock {
    /// Returns a clock that stands still at a time.
    #[must_use]
    pub fn new(time: SystemTime) -> Self {
        let shown = time.clamp(SystemTime::UNIX_EPOCH, last());
        Self {
            hands: Mutex::new(Hands::Still(shown)),
            start: Some(shown),
        }
    }

    /// Returns a clock that stands still at a Unix time in seconds.
    #[must_use]
    pub fn at_unix(seconds: u64) -> Self {
        let since = Duration::from_secs(seconds);
        let time = SystemTime::UNIX_EPOCH.checked_add(since);
        Self::new(time.map_or_else(last, |time| time.min(last())))
    }

    /// Returns a clock that shows the machine's time and continues to run after each change.
    #[must_use]
    pub fn running() -> Self {
        Self {
            hands: Mutex::new(Hands::with_the_machine()),
            start: None,
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        let time = read(*hands).checked_add(by).unwrap_or_else(last);
        turn(&mut hands, time);
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, time: SystemTime) {
        turn(&mut self.hands(), time);
    }

    /// Resets the clock to its initial state: the time it stood at or, if it runs, the machine's.
    pub fn reset(&self) {
        *self.hands() = match self.start {
            Some(start) => Hands::Still(start),
            None => Hands::with_the_machine(),
        };
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        lock(&self.hands)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        read(*self.hands())
    }
}

fn read(hands: Hands) -> SystemTime {
    match hands {
        Hands::Still(time) => time,
        Hands::Running { shown, machine } => {
            let passed = SystemClock::new().now().duration_since(machine);
            let time = shown.checked_add(passed.unwrap_or_default());
            time.map_or_else(last, |time| time.min(last()))
        }
    }
}

fn turn(hands: &mut Hands, time: SystemTime) {
    let shown = time.clamp(SystemTime::UNIX_EPOCH, last());
    *hands = match hands {
        Hands::Still(_) => Hands::Still(shown),
        Hands::Running { .. } => Hands::Running {
            shown,
            machine: SystemClock::new().now(),
        },
    };
}

/// The end of the year 9999; later times do not fit an HTTP date.
fn last() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn it_stands_still_until_it_is_set() {
        let clock = ManualClock::at_unix(100);
        assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(100));
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(105));
        clock.set(UNIX_EPOCH);
        assert_eq!(clock.now(), UNIX_EPOCH);
    }

    #[test]
    fn a_reset_restores_the_initial_state() {
        let still = ManualClock::at_unix(100);
        still.advance(Duration::from_secs(5));
        still.reset();
        assert_eq!(still.now(), UNIX_EPOCH + Duration::from_secs(100));
        let running = ManualClock::running();
        running.set(UNIX_EPOCH);
        running.reset();
        assert!(running.now() > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn it_never_leaves_what_an_http_date_can_say() {
        let clock = ManualClock::at_unix(u64::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(
            httpdate::fmt_http_date(clock.now()),
            "Fri, 31 Dec 9999 23:59:59 GMT"
        );
        clock.set(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(clock.now(), UNIX_EPOCH);
    }

    #[test]
    fn a_running_clock_runs_on_from_where_it_is_set() {
        let clock = ManualClock::running();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        let later = clock.now().duration_since(before).unwrap();
        assert!((3600..3660).contains(&later.as_secs()));
    }
}
