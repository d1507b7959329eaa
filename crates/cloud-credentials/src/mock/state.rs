//! The state of the service.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Uri;
use vouchsafe_core::Secret;

use super::consumers::Consumers;
use super::data::{AccessToken, Client, Code, Counts, Device, Grant, RefreshToken, SCOPES, Window};
use super::settings::{Rotation, Settings};

/// What the server knows.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) settings: Settings,
    /// By id.
    pub(super) clients: BTreeMap<String, Client>,
    /// Authorizations of users; tokens refer to them by number.
    pub(super) grants: Vec<Grant>,
    /// By the token, and so on.
    pub(super) access_tokens: BTreeMap<String, AccessToken>,
    pub(super) refresh_tokens: BTreeMap<String, RefreshToken>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) devices: BTreeMap<String, Device>,
    /// The scopes of what a developer token is redeemed for.
    pub(super) developer_tokens: BTreeMap<String, Vec<String>>,
    pub(super) counts: Counts,
    pub(super) token_window: Window,
    pub(super) api_window: Window,
    pub(super) consumers: Consumers,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("settings", &self.settings)
            .field("clients", &self.clients.keys())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Returns a valid access token.
    pub(super) fn good_access_token(&self, token: &str, now: SystemTime) -> Option<&AccessToken> {
        let found = self.access_tokens.get(token)?;
        let is_young = found.expires.is_none_or(|expires| now < expires);
        let is_revoked = found.grant.is_some_and(|grant| self.is_revoked(grant));
        (is_young && !is_revoked).then_some(found)
    }

    /// Returns a refresh token that has not expired and is of a login that was not revoked. Another
    /// may have taken its place.
    pub(super) fn good_refresh_token(&self, token: &str, now: SystemTime) -> Option<&RefreshToken> {
        let found = self.refresh_tokens.get(token)?;
        let is_over = |end: Option<SystemTime>| end.is_some_and(|end| end <= now);
        let overlap = self.settings.refresh_token_overlap;
        let end = overlap.and_then(|overlap| found.replaced?.checked_add(overlap));
        let is_good = !is_over(found.expires) && !is_over(end) && !self.is_revoked(found.grant);
        is_good.then_some(found)
    }

    /// Ends the refresh tokens that another one makes needless: all whose place it took or shares,
    /// since its use shows that it has arrived, and itself unless it is to overlap with the next.
    pub(super) fn replace_refresh_token(&mut self, token: &str, now: SystemTime) {
        let overlaps = self.settings.rotation == Rotation::Overlaps;
        let Some(used) = self.refresh_tokens.get_mut(token) else {
            return;
        };
        used.is_used |= !overlaps;
        used.replaced.get_or_insert(now);
        let Some(old) = used.replaces.clone() else {
            return;
        };
        for (other, known) in &mut self.refresh_tokens {
            let is_needless = *other == old.expose() || known.replaces.as_ref() == Some(&old);
            known.is_used |= is_needless && other != token;
        }
    }

    /// Adds a token that has every scope and does not expire.
    pub(super) fn know(&mut self, token: &Secret) {
        let known = AccessToken {
            grant: None,
            client: String::new(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            expires: None,
        };
        self.access_tokens.insert(token.expose().to_owned(), known);
    }

    pub(super) fn is_revoked(&self, grant: usize) -> bool {
        self.grants.get(grant).is_none_or(|grant| grant.is_revoked)
    }

    /// Revokes all tokens of a login.
    pub(super) fn revoke_grant(&mut self, grant: usize) {
        if let Some(grant) = self.grants.get_mut(grant) {
            grant.is_revoked = true;
        }
    }

    /// Expires the access tokens of a client, or all that can expire.
    pub(super) fn expire(&mut self, client: Option<&str>) -> u64 {
        let mut ended = 0;
        for token in self.access_tokens.values_mut() {
            if token.expires.is_some() && client.is_none_or(|client| client == token.client) {
                token.expires = Some(UNIX_EPOCH);
                ended += 1;
            }
        }
        ended
    }
}

/// Returns the scheme and authority of a request.
pub(super) fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https");
    let authority = uri
        .authority()
        .map_or("localhost", |authority| authority.as_str());
    format!("{scheme}://{authority}")
}

/// Creates random text for a secret.
pub(super) fn random() -> Secret {
    vouchsafe_core::mock::random_token::<24>()
}
