//! Decides whether a failed attempt is followed by another, and how long to wait before it.

use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};

use super::{Operation, Repeat};
use crate::transport::Response;
use crate::{Clock, Error, ErrorKind, Sent};

/// How often a call is tried, and how long to wait between attempts.
///
/// The waits use full jitter: they are uniform between zero and a bound that doubles with each
/// attempt, up to five seconds. A server's `Retry-After` takes precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    pub(super) base: Duration,
    pub(super) throttled_base: Duration,
    pub(super) cap: Duration,
}

impl Default for Retry {
    /// Three attempts; the first wait is below 50 milliseconds, or below 500 if the server
    /// throttles.
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
    /// The longest wait that background work accepts from a server's `Retry-After`: five minutes. A
    /// call needs no such bound, since no wait outlives its deadline.
    pub const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);

    /// A single attempt, without retries.
    #[must_use]
    pub fn none() -> Self {
        Self::default().attempts(1)
    }

    /// Sets the total number of attempts; zero means one.
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

    /// Sets the bound of the first wait after the server throttled (429, or 503 with
    /// `Retry-After`).
    #[must_use]
    pub fn throttled_base(mut self, base: Duration) -> Self {
        self.throttled_base = base;
        self
    }

    /// Sets the maximum of the bounds; a server's `Retry-After` may exceed it.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Returns whether another attempt is allowed after this many.
    pub(crate) fn has_more(self, attempts: u32) -> bool {
        attempts < self.attempts
    }
}

/// Returns whether an operation that failed like this may be sent again.
///
/// No status guarantees that nothing was done: a 429 or 503 may come from a gateway that has
/// already forwarded the request.
pub(crate) fn may_repeat(operation: &Operation, error: &Error) -> bool {
    if !error.is_retryable() {
        return false;
    }
    match error.status() {
        _ if error.sent() == Sent::No => true,
        _ if operation.repeatable() == Repeat::OnlyIfUnsent => false,
        Some(status) if !operation.is_answer(status) => {
            operation.is_repeated_after(status, error.code())
        }
        _ => true,
    }
}

/// Returns whether the server asked for fewer requests.
pub(crate) fn is_throttled(error: &Error) -> bool {
    error.kind() == ErrorKind::Throttled || error.retry_after().is_some()
}

/// Returns whether a status is likely to be different in a moment.
pub(crate) fn is_transient(status: http::StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Reads `Retry-After` in both forms (RFC 9110, 10.2.3). A date is relative to the answer's own
/// `Date`, since the clocks of the machines may differ.
///
/// Real servers send more than the standard allows: fractions are rounded up, and of several
/// values, in one or more headers, the longest wait counts. It is better to return too late than
/// too early.
pub(crate) fn retry_after(response: &Response, clock: &dyn Clock) -> Option<Duration> {
    let date = response.headers.get(DATE);
    let now = || {
        date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
            .unwrap_or_else(|| clock.now())
    };
    let lines = response.headers.get_all(RETRY_AFTER).iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    texts
        .flat_map(values)
        .filter_map(|value| wait(value, now))
        .max()
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Splits a list at its commas, except for the comma after the weekday of a date.
fn values(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let text = rest?.trim_start();
        let mut commas = text.match_indices(',').map(|(at, _)| at);
        let is_date = WEEKDAYS.iter().any(|day| text.starts_with(day));
        let end = commas.nth(usize::from(is_date));
        rest = end.map(|at| &text[at + 1..]);
        Some(text[..end.unwrap_or(text.len())].trim_end())
    })
}

/// Reads one value: whole seconds, rounded up, or a date.
fn wait(value: &str, now: impl Fn() -> SystemTime) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number(whole) && is_number(fraction) {
        // A number that is too large still asks for a long wait.
        let seconds = whole.parse::<u32>().unwrap_or(u32::MAX);
        let is_more = fraction.bytes().any(|digit| digit != b'0');
        return Some(Duration::from_secs(u64::from(seconds) + u64::from(is_more)));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, StatusCode};
    use proptest::prelude::*;

    use super::super::RepeatRule;
    use super::*;
    use crate::{SystemClock, TimeoutScope};

    static ONCE: Operation = Operation::new("t.once", Method::POST, "/o");
    static SAFE: Operation = Operation::new("t.safe", Method::GET, "/o").repeat(Repeat::Safe);

    fn refusal(status: u16) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::new(ErrorKind::Status, "x")
            .with_status(status)
            .with_sent(Sent::Maybe)
            .with_retryable(is_transient(status))
    }

    #[test]
    fn the_policy_is_what_was_set_and_else_as_documented() {
        let (ms, set) = (Duration::from_millis, Retry::default());
        assert_eq!((set.base, set.throttled_base), (ms(50), ms(500)));
        assert_eq!((set.cap, Retry::LONGEST_ASKED), (ms(5_000), ms(300_000)));
        assert!(set.has_more(2) && !set.has_more(3));
        let set = set.base(ms(1)).throttled_base(ms(2)).cap(ms(3));
        assert_eq!(
            (set.base, set.throttled_base, set.cap),
            (ms(1), ms(2), ms(3))
        );
        let set = set.attempts(0);
        assert!(set.has_more(0) && !set.has_more(1));
    }

    #[test]
    fn what_was_not_sent_may_always_be_repeated() {
        let error = Error::new(ErrorKind::Transport, "x").with_retryable(true);
        assert!(may_repeat(&ONCE, &error));
    }

    #[test]
    fn what_may_have_arrived_is_repeated_only_if_that_is_safe() {
        let broke = Error::new(ErrorKind::Transport, "x")
            .with_sent(Sent::Maybe)
            .with_retryable(true);
        let slow = broke
            .clone()
            .with_kind(ErrorKind::Timeout(TimeoutScope::Attempt));
        let mut errors = vec![broke, slow];
        errors.extend([408, 429, 502, 503, 504].map(refusal));
        for error in errors {
            assert!(may_repeat(&SAFE, &error));
            assert!(!may_repeat(&ONCE, &error));
        }
    }

    #[test]
    fn a_server_that_asks_to_wait_may_still_have_applied_the_request() {
        let second = Some(Duration::from_secs(1));
        for error in [429, 503].map(|status| refusal(status).with_retry_after(second)) {
            assert!(may_repeat(&SAFE, &error));
            assert!(!may_repeat(&ONCE, &error));
            assert!(may_repeat(&ONCE, &error.with_sent(Sent::No)));
        }
    }

    #[test]
    fn a_server_throttles_by_its_status_or_by_asking_to_wait() {
        let throttled = Error::new(ErrorKind::Throttled, "x");
        assert!(is_throttled(&throttled));
        let waiting = refusal(503).with_retry_after(Some(Duration::ZERO));
        assert!(is_throttled(&waiting));
        assert!(!is_throttled(&refusal(503)));
    }

    #[test]
    fn a_plain_500_is_repeated_only_where_the_service_says_so() {
        static ALSO_500: &[RepeatRule] = &[
            RepeatRule::new(500, Some("user_info_failed")),
            RepeatRule::new(503, None),
        ];
        static TOLD: Operation = Operation::new("t.told", Method::GET, "/o")
            .repeat(Repeat::Safe)
            .repeat_rules(ALSO_500);
        assert!(!may_repeat(&SAFE, &refusal(500)));
        assert!(!may_repeat(&TOLD, &refusal(500)));
        assert!(may_repeat(
            &TOLD,
            &refusal(500).with_code("user_info_failed")
        ));
        assert!(may_repeat(&TOLD, &refusal(503).with_code("any")));
        assert!(
            !may_repeat(&TOLD, &refusal(502)),
            "the rules are all there is"
        );
        assert!(
            refusal(500).is_retryable(),
            "it may work later all the same"
        );
    }

    #[test]
    fn an_answer_that_broke_off_is_not_judged_by_its_status() {
        let cut = refusal(200).with_retryable(true);
        assert!(may_repeat(&SAFE, &cut) && !may_repeat(&ONCE, &cut));
    }

    #[test]
    fn a_definite_answer_is_not_questioned() {
        for status in [400, 401, 403, 404, 409, 422, 501] {
            assert!(!may_repeat(&SAFE, &refusal(status)), "{status}");
            assert!(!refusal(status).is_retryable(), "{status}");
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
            ("1.5", Some(2)),
            ("2.0", Some(2)),
            ("0.001", Some(1)),
            ("99999999999999999999999.5", Some(1 << 32)),
            (".5", None),
            ("1.", None),
            ("1.5.2", None),
            ("1e3", None),
            ("120, 60", Some(120)),
            ("soon, 3 ,,1.5", Some(3)),
            ("7, Sun, 06 Nov 1994 08:49:47 GMT, 9", Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT,1", Some(10)),
            ("Sun Nov  6 08:49:47 1994", Some(10)),
            ("Sunday, Monday, 4", Some(4)),
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
    fn of_several_headers_the_longest_wait_counts() {
        let mut response = Response::new(StatusCode::SERVICE_UNAVAILABLE);
        for value in ["2", "x", "30", "4"] {
            let value = HeaderValue::from_static(value);
            response.headers.append(RETRY_AFTER, value);
        }
        let read = retry_after(&response, &SystemClock::new());
        assert_eq!(read, Some(Duration::from_secs(30)));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_left(text in "\\PC{0,40}|[0-9., A-Za-z:-]{0,40}") {
            let mut response = Response::new(StatusCode::SERVICE_UNAVAILABLE);
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers.insert(RETRY_AFTER, value);
            }
            let _ = retry_after(&response, &SystemClock::new());
        }
    }
}
