//! Deadlines on tokio's clock that saturate, so that `Duration::MAX` means no limit.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the moment `wait` after `from`, at most thirty years later.
///
/// Limits come from users and may be [`Duration::MAX`], which `Instant` cannot add.
#[must_use]
pub fn after(from: Instant, wait: Duration) -> Instant {
    let far = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    from.checked_add(wait.min(far)).unwrap_or(from)
}

/// Formats a limit for people: `15 s`, `2.5 s`, `300 ms`. The rest of a deadline is rounded to a
/// value that a user may have set.
pub(crate) fn in_words(limit: Duration) -> String {
    let millis = (limit.as_micros() + 500) / 1_000;
    if millis < 995 {
        return format!("{millis} ms");
    }
    let tenths = (millis + 50) / 100;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} s", (millis + 500) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_round_numbers() {
        for (limit, words) in [
            (Duration::from_secs(15), "15 s"),
            (Duration::from_nanos(14_999_813_000), "15 s"),
            (Duration::from_nanos(4_999_613_000), "5 s"),
            (Duration::from_millis(2_500), "2.5 s"),
            (Duration::from_millis(300), "300 ms"),
            (Duration::from_nanos(299_999_813), "300 ms"),
            (Duration::ZERO, "0 ms"),
        ] {
            assert_eq!(in_words(limit), words);
        }
        assert!(in_words(Duration::MAX).ends_with(" s"));
    }

    #[test]
    fn for_ever_is_a_moment_too() {
        let now = Instant::now();
        assert!(after(now, Duration::MAX) > now + Duration::from_secs(1 << 29));
        assert_eq!(
            after(now, Duration::from_secs(1)),
            now + Duration::from_secs(1)
        );
    }
}
