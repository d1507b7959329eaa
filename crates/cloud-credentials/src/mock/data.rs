//! The data of the service, without rules.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use vouchsafe_core::Secret;

use super::settings::Rate;

/// A registered program.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    /// `None`: a public client.
    pub(super) secret: Option<Secret>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) scopes: Vec<String>,
    /// The grants that it may use; `None`: all.
    pub(super) grants: Option<Vec<String>>,
}

/// A user's authorization, and all tokens issued for it.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
    pub(super) is_revoked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    /// `None`: a developer token's, or a client's own.
    pub(super) grant: Option<usize>,
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
    /// `None`: it does not expire.
    pub(super) expires: Option<SystemTime>,
}

#[derive(Clone, Debug)]
pub(super) struct RefreshToken {
    pub(super) grant: usize,
    pub(super) expires: Option<SystemTime>,
    /// The token whose place it took.
    pub(super) replaces: Option<Secret>,
    /// When another first took its place.
    pub(super) replaced: Option<SystemTime>,
    /// Whether it is no longer good for that.
    pub(super) is_used: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client: String,
    /// As in the request; `None` if it was left out there.
    pub(super) redirect_uri: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) expires: SystemTime,
    /// The tokens that it was exchanged for.
    pub(super) grant: Option<usize>,
}

/// A device that waits for its user.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) client: String,
    pub(super) user_code: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires: SystemTime,
    pub(super) interval: Duration,
    pub(super) polled: Option<SystemTime>,
    pub(super) answer: Option<Decision>,
    pub(super) is_used: bool,
}

/// What a user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Decision {
    /// To grant access.
    Allow,
    /// To deny access.
    Deny,
}

/// The number of requests, so that tests can assert it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests to the token endpoint by `grant_type`, such as `refresh_token`, whether successful
    /// or not. Those of developer tokens are under `developer_token`.
    pub token_requests: BTreeMap<String, u64>,
    /// Refusals of the token, revocation and device endpoints by their error code, such as
    /// `invalid_grant`.
    pub refusals: BTreeMap<String, u64>,
    /// Requests to the revocation endpoint.
    pub revocations: u64,
    /// Successful requests to the services.
    pub served: u64,
    /// Requests to the services that were refused with 401.
    pub unauthorized: u64,
}

impl Counts {
    /// Returns the number of requests with a refresh token.
    #[must_use]
    pub fn refreshes(&self) -> u64 {
        self.of("refresh_token")
    }

    /// Returns the number of requests of a grant type.
    #[must_use]
    pub fn of(&self, grant_type: &str) -> u64 {
        self.token_requests
            .get(grant_type)
            .copied()
            .unwrap_or_default()
    }

    /// Returns the total number of refusals.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refusals.values().sum()
    }
}

/// Requests within a time window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    begun: Option<SystemTime>,
    requests: u64,
}

impl Window {
    /// Counts a request. If it exceeds the limit, returns how long to wait.
    pub(super) fn count(&mut self, rate: Option<Rate>, now: SystemTime) -> Option<Duration> {
        let rate = rate?;
        let end = self.begun.and_then(|begun| begun.checked_add(rate.per));
        if end.is_none_or(|end| end <= now) {
            self.begun = Some(now);
            self.requests = 0;
        }
        self.requests += 1;
        let end = self.begun?.checked_add(rate.per)?;
        (self.requests > rate.requests).then(|| end.duration_since(now).unwrap_or_default())
    }
}

/// The known scopes (protocol section 2).
pub(super) const SCOPES: [&str; 4] = [
    "logging-service:read",
    "logging-service:write",
    "event-service:read",
    "directory-sync-service:read",
];
