//! Whether a failed attempt is followed by another, and after how long.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};

use super::Repeat;
use crate::transport::Response;
use crate::{Clock, Error, ErrorKind, Sent};

/// How often a call is tried, and how long the waits between may be.
///
/// The waits are full jitter: uniform between zero and a bound that doubles with each try, up to
/// five seconds. `Retry-After` of the server comes before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    base: Duration,
    throttled_base: Duration,
    cap: Duration,
}

impl Default for Retry {
    /// Three attempts; waits start below 50 milliseconds, or below 500 when the server throttles.
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(50),
            throttled_base: Duration::from_millis(500),
            cap: Duration::from_secs(5),
        }
    }
}

impl Retry {
    /// Tries once.
    #[must_use]
    pub fn none() -> Self {
        Self::default().attempts(1)
    }

    /// Sets how many attempts a call has in all; zero means one.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the bound of the first wait.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the bound of the first wait after a server asked for less (429, or 503 with
    /// `Retry-After`).
    #[must_use]
    pub fn throttled_base(mut self, base: Duration) -> Self {
        self.throttled_base = base;
        self
    }

    /// Sets the bound that no wait of our own choosing exceeds.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Returns whether there may be another attempt after so many.
    pub(crate) fn has_more(self, attempts: u32) -> bool {
        attempts < self.attempts
    }

    /// Returns how long to wait after the given number of attempts. `random` is in `0.0..1.0`.
    pub(crate) fn wait(self, attempts: u32, error: &Error, random: f64) -> Duration {
        if let Some(asked) = error.retry_after() {
            // All who were told the same must not come back in the same moment.
            return asked.saturating_add(asked.mul_f64(0.1 * random));
        }
        let base = if is_throttled(error) {
            self.throttled_base
        } else {
            self.base
        };
        let bound = base
            .saturating_mul(1 << (attempts - 1).min(16))
            .min(self.cap);
        bound.mul_f64(random)
    }
}

/// Returns whether an operation that failed like this may be sent again.
pub(crate) fn may_repeat(repeat: Repeat, error: &Error) -> bool {
    if !error.is_retryable() {
        return false;
    }
    match error.status().map(|status| status.as_u16()) {
        // The server says that it did nothing.
        Some(429) => true,
        Some(503) if error.retry_after().is_some() => true,
        _ => error.sent() == Sent::No || repeat == Repeat::Safe,
    }
}

/// Returns whether the server asked for fewer requests.
pub(crate) fn is_throttled(error: &Error) -> bool {
    error.kind() == ErrorKind::Throttled || error.retry_after().is_some()
}

/// Returns whether a status may be different in a moment.
pub(crate) fn is_transient(status: http::StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Reads `Retry-After` in both forms (RFC 9110, 10.2.3). A date counts from the answer's own
/// `Date`, since the machines' clocks may differ.
pub(crate) fn retry_after(response: &Response, clock: &dyn Clock) -> Option<Duration> {
    let value = response.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More than a number can hold is still a wish for a long wait.
        let seconds = value.parse::<u32>().unwrap_or(u32::MAX);
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let now: SystemTime = response
        .headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(|| clock.now());
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use proptest::prelude::*;

    use super::*;
    use crate::{SystemClock, TimeoutScope};

    fn refusal(status: u16) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::new(ErrorKind::Status, "x")
            .with_status(status)
            .with_sent(Sent::Maybe)
            .with_retryable(is_transient(status))
    }

    #[test]
    fn what_was_not_sent_may_always_be_repeated() {
        let error = Error::new(ErrorKind::Transport, "x").with_retryable(true);
        assert!(may_repeat(Repeat::OnlyIfUnsent, &error));
    }

    #[test]
    fn what_may_have_arrived_is_repeated_only_if_that_is_safe() {
        let broke = Error::new(ErrorKind::Transport, "x")
            .with_sent(Sent::Maybe)
            .with_retryable(true);
        let slow = broke
            .clone()
            .with_kind(ErrorKind::Timeout(TimeoutScope::Attempt));
        for error in [
            broke,
            slow,
            refusal(500),
            refusal(502),
            refusal(504),
            refusal(503),
        ] {
            assert!(may_repeat(Repeat::Safe, &error));
            assert!(!may_repeat(Repeat::OnlyIfUnsent, &error));
        }
    }

    #[test]
    fn a_server_that_asks_for_patience_did_nothing_yet() {
        assert!(may_repeat(Repeat::OnlyIfUnsent, &refusal(429)));
        let busy = refusal(503).with_retry_after(Some(Duration::from_secs(1)));
        assert!(may_repeat(Repeat::OnlyIfUnsent, &busy));
    }

    #[test]
    fn a_definite_answer_is_not_questioned() {
        for status in [400, 401, 403, 404, 409, 422, 501] {
            assert!(!may_repeat(Repeat::Safe, &refusal(status)), "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_by_the_servers_clock() {
        let mut response = Response::new(StatusCode::SERVICE_UNAVAILABLE);
        for (value, seconds) in [
            ("7", Some(7)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("99999999999999999999999", Some(u32::MAX.into())),
            ("soon", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("Sun, 06 Nov 99999 08:49:47 GMT", None),
        ] {
            response
                .headers
                .insert(RETRY_AFTER, HeaderValue::from_static(value));
            response.headers.insert(
                DATE,
                HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"),
            );
            let read = retry_after(&response, &SystemClock::new());
            assert_eq!(read, seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_wait_for_ever_is_a_wait_too() {
        let error = refusal(503).with_retry_after(Some(Duration::MAX));
        assert_eq!(Retry::default().wait(1, &error, 0.9), Duration::MAX);
        let retry = Retry::default().base(Duration::MAX).cap(Duration::MAX);
        assert!(retry.wait(u32::MAX, &refusal(500), 0.5) > Duration::from_secs(1 << 60));
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bounds(attempts in 1u32..100, random in 0.0f64..1.0) {
            let retry = Retry::default();
            let wait = retry.wait(attempts, &refusal(500), random);
            prop_assert!(wait <= Duration::from_secs(5));
            prop_assert!(wait <= Duration::from_millis(50) * 2u32.saturating_pow(attempts - 1));
            let asked = Duration::from_secs(3);
            let wait = retry.wait(attempts, &refusal(503).with_retry_after(Some(asked)), random);
            prop_assert!(asked <= wait && wait <= asked.mul_f64(1.1));
        }
    }
}
