//! When an access token is replaced.

use std::time::{Duration, SystemTime};

use vouchsafe_core::Secret;

use crate::Record;
use crate::jwt::Claims;

/// When a token expires and when it is replaced, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) expires_at: Option<SystemTime>,
    /// When it was issued or first seen.
    pub(crate) since: SystemTime,
}

impl Validity {
    /// Reads the validity of a token that is first seen at this time. Its own claims come first;
    /// `expires_at` is for tokens without.
    ///
    /// A token that does not say when it was issued lives from when it was first seen. For the process
    /// that got it, this is its whole life. Another process knows only that it lived as long at least:
    /// it replaces the token as early as the guard says, unless less than twice that time was left.
    pub(crate) fn of(token: &Secret, expires_at: Option<SystemTime>, seen: SystemTime) -> Self {
        let claims = Claims::of(token).ok();
        let claimed = claims.as_ref().and_then(|claims| claims.expiry().ok());
        let issued = claims.and_then(|claims| claims.issued_at());
        Self {
            expires_at: claimed.or(expires_at),
            since: issued.unwrap_or(seen),
        }
    }

    /// Returns when to replace the token: before it expires by the guard time, but not in the first
    /// half of its life.
    pub(crate) fn due(&self, guard: Duration) -> Option<SystemTime> {
        let expires_at = self.expires_at?;
        let life = expires_at.duration_since(self.since).unwrap_or_default();
        expires_at.checked_sub(guard.min(life / 2))
    }

    pub(crate) fn is_due(&self, now: SystemTime, guard: Duration) -> bool {
        self.due(guard).is_some_and(|due| due <= now)
    }
}

/// Returns whether the access token of a record, which is first seen now, is to be replaced.
pub(crate) fn is_due(record: &Record, now: SystemTime, guard: Duration) -> bool {
    let Some(token) = &record.access_token else {
        return true;
    };
    Validity::of(token, record.expires_at, now).is_due(now, guard)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_is_replaced_before_it_expires_but_not_in_the_first_half_of_its_life() {
        let due = |seen, expires, guard| {
            let validity = Validity::of(&Secret::from("opaque"), Some(at(expires)), at(seen));
            validity.due(Duration::from_secs(guard))
        };
        assert_eq!(due(0, 3600, 60), Some(at(3540)));
        assert_eq!(due(0, 30, 60), Some(at(15)));
        assert_eq!(due(100, 30, 60), Some(at(30)));
        let unknown = Validity::of(&Secret::from("opaque"), None, at(0));
        assert_eq!(unknown.due(Duration::ZERO), None);
    }

    #[test]
    fn the_claims_of_a_token_count_before_what_a_record_says() {
        // {"iat":1000,"exp":2000}
        let token = Secret::from("e30.eyJpYXQiOjEwMDAsImV4cCI6MjAwMH0.c2ln");
        let validity = Validity::of(&token, Some(at(5000)), at(1900));
        assert_eq!(validity.due(Duration::from_secs(600)), Some(at(1500)));
    }
}
