//! The time of AWS, from the dates of its answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use vouchsafe_core::sync::lock;
use vouchsafe_core::{Clock, SystemClock};

/// A clock that shows the server's time to within a second, whatever this machine's shows: each
/// answer has a date, in seconds.
#[derive(Debug)]
pub(crate) struct ServerClock {
    own: Arc<dyn Clock>,
    /// By how many milliseconds the server's clock may be ahead of this machine's, at least and at
    /// most.
    ahead: Mutex<Option<[i128; 2]>>,
}

impl ServerClock {
    pub(crate) fn new() -> Self {
        Self {
            own: Arc::new(SystemClock::new()),
            ahead: Mutex::default(),
        }
    }

    pub(crate) fn with_own(own: Arc<dyn Clock>) -> Self {
        Self { own, ..Self::new() }
    }

    /// Returns the time of this machine.
    pub(crate) fn own(&self) -> SystemTime {
        self.own.now()
    }

    /// Notes the date of an answer, which was made between two times of this machine.
    pub(crate) fn saw(&self, date: SystemTime, [asked, answered]: [SystemTime; 2]) {
        let date = millis(date);
        let now = [date - millis(answered), date + 1000 - millis(asked)];
        // What was asked for hours ago says nothing if this machine's clock was set meanwhile.
        if now[0] > now[1] {
            return;
        }
        let mut ahead = lock(&self.ahead);
        let before = ahead.unwrap_or(now);
        let both = [before[0].max(now[0]), before[1].min(now[1])];
        // Nothing satisfies both after a clock was set.
        *ahead = Some(if both[0] <= both[1] { both } else { now });
    }
}

impl Clock for ServerClock {
    fn now(&self) -> SystemTime {
        let own = self.own.now();
        let Some([least, most]) = *lock(&self.ahead) else {
            return own;
        };
        let middle = (least + most) / 2;
        let by = Duration::from_millis(u64::try_from(middle.unsigned_abs()).unwrap_or(u64::MAX));
        let shifted = if middle < 0 {
            own.checked_sub(by)
        } else {
            own.checked_add(by)
        };
        shifted.unwrap_or(own)
    }
}

fn millis(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_millis() as i128,
        Err(before) => -(before.duration().as_millis() as i128),
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_core::mock::ManualClock;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn a_clock() -> Arc<ManualClock> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_345);
        Arc::new(ManualClock::new(time))
    }

    fn off(clock: &ServerClock, true_time: SystemTime) -> Duration {
        let shown = clock.now();
        let ahead = shown.duration_since(true_time);
        ahead.unwrap_or_else(|behind| behind.duration())
    }

    /// Cuts to the second, as a date does.
    fn date(time: SystemTime) -> SystemTime {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
    }

    #[test]
    fn a_clock_that_is_wrong_is_right_after_an_answer() {
        for (ahead, minutes) in [(true, 0), (true, 4), (false, 3)] {
            let own = a_clock();
            let skew = Duration::from_secs(60 * minutes);
            let of_server = |own: SystemTime| if ahead { own + skew } else { own - skew };
            let clock = ServerClock::with_own(own.clone());
            let mut worst = Duration::ZERO;
            for step in 0..20 {
                let asked = own.now();
                own.advance(SECOND / 10);
                let made = of_server(own.now());
                own.advance(SECOND / 20);
                clock.saw(date(made), [asked, own.now()]);
                let wrong = off(&clock, of_server(own.now()));
                assert!(wrong <= SECOND, "{wrong:?}");
                if step > 10 {
                    worst = worst.max(wrong);
                }
                own.advance(SECOND / 7);
            }
            // Many dates together say more than each.
            assert!(worst < SECOND / 5, "{worst:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_right_after_the_next_answer() {
        let own = a_clock();
        let clock = ServerClock::with_own(own.clone());
        let server = own.now();
        assert_eq!(clock.now(), server);
        clock.saw(date(server), [own.now(), own.now()]);
        own.advance(Duration::from_secs(3600));
        assert!(off(&clock, server) > SECOND);
        clock.saw(date(server), [own.now(), own.now()]);
        assert!(off(&clock, server) <= SECOND);
        // Asked before, answered after the clock was set back.
        let asked = own.now();
        own.set(server);
        clock.saw(date(server), [asked, own.now()]);
        clock.saw(date(server), [own.now(), own.now()]);
        assert!(off(&clock, server) <= SECOND);
    }
}
