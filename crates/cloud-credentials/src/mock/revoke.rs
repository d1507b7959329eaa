//! Revocation (protocol section 3.2, RFC 7009).

use serde_json::json;
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::Request;

use super::params::Params;
use super::refusal::{Outcome, Refusal, uncached};
use super::state::State;

impl State {
    /// Revokes a token. An unknown one counts as revoked.
    pub(super) fn revoke(&mut self, request: &Request) -> Outcome {
        self.counts.revocations += 1;
        let params = Params::of_body(request)?;
        let client = self.authenticate(request, &params)?;
        let token = params.need("token", "there is no token")?;
        // The token itself decides, whatever the hint says (RFC 7009, 2.1).
        if let Some(found) = self.refresh_tokens.get(token) {
            let grant = found.grant;
            let owner = self.grants.get(grant).map(|grant| grant.client.as_str());
            if owner != Some(&*client) {
                return Err(another());
            }
            self.revoke_grant(grant);
        } else if let Some(found) = self.access_tokens.get(token) {
            if found.client != client {
                return Err(another());
            }
            if !self.settings.revokes_access_tokens {
                return Err(Refusal::new(
                    "unsupported_token_type",
                    "access tokens cannot be revoked",
                ));
            }
            self.access_tokens.remove(token);
        }
        Ok(uncached(respond::json(200, &json!({"issuccess": "true"}))))
    }
}

fn another() -> Refusal {
    Refusal::new("unauthorized_client", "the token is another client's")
}
