//! The clock of an authorization server, estimated from its answers (protocol section 8).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use vouchsafe_core::{Clock, Secret};

use crate::jwt::Claims;

/// This machine's clock, corrected by the server's. Expiries are times of the server.
#[derive(Clone)]
pub(crate) struct ServerClock {
    own: Arc<dyn Clock>,
    /// How many seconds the server's clock is ahead.
    ahead: Arc<AtomicI64>,
    learns: bool,
}

impl ServerClock {
    pub(crate) fn new(own: Arc<dyn Clock>, learns: bool) -> Self {
        Self {
            own,
            ahead: Arc::default(),
            learns,
        }
    }

    /// Updates the estimate from an answer that was just received: from its `Date`, or else from
    /// its token, which cannot have been issued in the future.
    pub(crate) fn learn(&self, date: Option<&str>, token: &Secret) {
        if !self.learns {
            return;
        }
        let own = self.own.now();
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let issued = || {
            let claims = Claims::of(token).ok()?;
            claims.issued_at().filter(|issued| *issued > own)
        };
        let Some(server) = date.or_else(issued) else {
            return;
        };
        let apart = |one: SystemTime, other: SystemTime| {
            let seconds = one.duration_since(other).map_or(0, |apart| apart.as_secs());
            i64::try_from(seconds).unwrap_or(i64::MAX)
        };
        let ahead = apart(server, own) - apart(own, server);
        let apart = ahead.unsigned_abs();
        if apart <= UNNOTICED {
            self.ahead.store(0, Ordering::Relaxed);
        } else if apart <= MOST {
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    fn corrected(&self, own: SystemTime) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let apart = Duration::from_secs(ahead.unsigned_abs());
        let corrected = match ahead < 0 {
            true => own.checked_sub(apart),
            false => own.checked_add(apart),
        };
        corrected.unwrap_or(own)
    }
}

impl Clock for ServerClock {
    fn now(&self) -> SystemTime {
        self.corrected(self.own.now())
    }

    fn coarse(&self) -> SystemTime {
        self.corrected(self.own.coarse())
    }
}

impl fmt::Debug for ServerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerClock")
            .field("ahead", &self.ahead)
            .finish_non_exhaustive()
    }
}

/// The date is in whole seconds, and the answer took time.
const UNNOTICED: u64 = 5;

/// No clock is that wrong: a date beyond this comes from an intermediary.
const MOST: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[derive(Debug)]
    struct Fixed(u64);

    impl Clock for Fixed {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.0)
        }
    }

    fn learned(own: u64, date: Option<u64>, token: &str, learns: bool) -> u64 {
        let clock = ServerClock::new(Arc::new(Fixed(own)), learns);
        let date = date.map(|at| UNIX_EPOCH + Duration::from_secs(at));
        let date = date.map(httpdate::fmt_http_date);
        clock.learn(date.as_deref(), &Secret::from(token));
        assert_eq!(clock.coarse(), clock.now());
        clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    #[test]
    fn the_servers_clock_is_followed_unless_it_is_about_the_same_or_absurd() {
        for (own, server, now) in [
            (100_000, 100_004, 100_000),
            (100_000, 99_995, 100_000),
            (100_000, 100_300, 100_300),
            (100_000, 99_700, 99_700),
            (100_000, 900_000, 100_000),
        ] {
            assert_eq!(learned(own, Some(server), "t", true), now, "{server}");
            assert_eq!(learned(own, Some(server), "t", false), own, "{server}");
        }
    }

    #[test]
    fn a_token_of_the_future_says_that_this_clock_is_slow_and_one_of_the_past_says_nothing() {
        // {"iat":1000}
        let token = "e30.eyJpYXQiOjEwMDB9.c2ln";
        assert_eq!(learned(700, None, token, true), 1000);
        assert_eq!(learned(2000, None, token, true), 2000);
        assert_eq!(learned(700, None, "opaque", true), 700);
        // The date is more precise.
        assert_eq!(learned(700, Some(701), token, true), 700);
    }
}
