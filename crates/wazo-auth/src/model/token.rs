//! What a token says of itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Acl, Token};

impl Token {
    /// Returns the lifetime of the token at its creation, independent of this machine's clock.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        let (issued, expires) = (self.utc_issued_at?, self.utc_expires_at?);
        let issued = issued.to_system_time();
        expires.to_system_time().duration_since(issued).ok()
    }

    /// Compiles the token's access list, for decisions without asking the server.
    #[must_use]
    pub fn acl(&self) -> Acl {
        let mut acl = Acl::builder().auth_id(self.auth_id.as_str());
        if let Some(session) = &self.session_uuid {
            acl = acl.session_uuid(session.as_str());
        }
        acl.build(self.acl.iter().map(String::as_str))
    }

    /// Returns whether the token has expired at a time. A token without a known expiry never has.
    #[must_use]
    pub fn is_expired_at(&self, now: SystemTime) -> bool {
        let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).map(|since| since.as_secs());
        match self.utc_expires_at {
            // The service compares whole seconds.
            Some(at) => seconds(now).unwrap_or(0) > seconds(at.to_system_time()).unwrap_or(0),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use vouchsafe_core::timestamp;

    use super::*;

    fn token(issued: &str, expires: &str) -> Token {
        let value = json!({
            "token": "t", "auth_id": "a", "utc_issued_at": issued, "utc_expires_at": expires,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_token_expires_when_its_last_second_is_over() {
        let token = token("2026-01-02T03:04:05.000000", "2026-01-02T03:04:15.000000");
        assert_eq!(token.lifetime(), Some(Duration::from_secs(10)));
        let at = |text: &str| timestamp::parse(text).unwrap();
        assert!(!token.is_expired_at(at("2026-01-02T03:04:15.9")));
        assert!(token.is_expired_at(at("2026-01-02T03:04:16")));
    }
}
