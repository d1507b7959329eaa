//! Moments ahead on tokio's clock. Limits come from users, and "for ever" is a fair wish.

use std::time::Duration;

use tokio::time::Instant;

/// Returns the moment a while after another; thirty years stand for what no clock can tell.
pub(crate) fn after(from: Instant, wait: Duration) -> Instant {
    let far = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    from.checked_add(wait.min(far)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

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
