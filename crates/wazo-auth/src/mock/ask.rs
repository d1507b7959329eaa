//! A request that is being answered: its content and its caller (protocol section 3.1).

use serde_json::{Value, json};
use vouchsafe_core::mock::form::{Fields, header};
use vouchsafe_core::transport::Request;

use super::data::Token;
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Wrong};
use crate::acl::Acl;

/// A request to one operation.
#[derive(Debug)]
pub(super) struct Ask<'r> {
    pub(super) request: &'r Request,
    pub(super) query: Fields,
    /// The path parameters, in the order of the path. UUIDs are in lower case.
    pub(super) params: Vec<String>,
    /// In microseconds since 1970.
    pub(super) micros: i64,
    /// The token of the request and its accesses; `None` if no token is needed.
    pub(super) caller: Option<Caller>,
}

#[derive(Debug)]
pub(super) struct Caller {
    pub(super) token: Token,
    pub(super) acl: Acl,
}

impl Ask<'_> {
    /// Returns the time in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    pub(super) fn param(&self, at: usize) -> &str {
        self.params.get(at).map(String::as_str).unwrap_or_default()
    }

    /// Returns the text of the token header; empty if it is missing.
    pub(super) fn token(&self) -> &str {
        header(self.request, "x-auth-token").unwrap_or_default()
    }

    /// Checks the token of the request, or a given one, against an access.
    pub(super) fn authenticate(
        &mut self,
        state: &State,
        access: &str,
        token: Option<&str>,
    ) -> Outcome<()> {
        let given = token.unwrap_or_else(|| self.token());
        let refuse = |reason: &str| json!({"invalid_token": given, "reason": reason, "required_access": access});
        let Some(token) = state.token(given, self.now()) else {
            return Err(Refusal::unauthorized(refuse("not_found_or_expired")));
        };
        let acl = state.acl(token);
        if !acl.allows(access) {
            let mut details = refuse("missing_permission_or_invalid_tenant");
            details["tenant_uuid"] = header(self.request, "wazo-tenant").into();
            return Err(Refusal::unauthorized(details));
        }
        let token = token.clone();
        self.caller = Some(Caller { token, acl });
        Ok(())
    }

    pub(super) fn caller(&self) -> Outcome<&Caller> {
        self.caller.as_ref().ok_or_else(Refusal::broken)
    }

    /// Returns the tenant that the request acts in, protocol section 7.
    pub(super) fn tenant(&self, state: &State) -> Outcome<String> {
        let caller = &self.caller()?.token;
        let own = match &caller.user {
            Some(user) => state.user(user)?.tenant.clone(),
            // A token of the service itself acts for every tenant.
            None if caller.auth_id == SERVICE => state.top().to_owned(),
            None => return Err(Refusal::unknown("user", &caller.auth_id)),
        };
        match header(self.request, "wazo-tenant") {
            None | Some("") => Ok(own),
            Some(other) if other == own => Ok(own),
            Some(other) if state.is_within(other, &own) => Ok(other.to_owned()),
            Some(other) => Err(Refusal::hidden_tenant(other)),
        }
    }

    /// Reads the body, and refuses faults in it as the resource does.
    pub(super) fn body(&self, resource: &str) -> Outcome<Body> {
        let body = Body::read(self.request)?;
        body.map_err(|wrong| Refusal::invalid(resource, "_schema", &wrong))
    }

    /// Returns the refusal for an access that the caller may not grant or revoke.
    fn not_covered(&self, access: &str) -> Refusal {
        let details = json!({"invalid_token": self.token(), "required_access": access});
        Refusal::unauthorized(details)
    }

    /// Checks that the caller may grant accesses (protocol section 6.4).
    pub(super) fn may_give<'a>(
        &self,
        accesses: impl IntoIterator<Item = &'a String>,
    ) -> Outcome<()> {
        let acl = &self.caller()?.acl;
        let refused = accesses.into_iter().find(|access| !acl.may_add(access));
        refused.map_or(Ok(()), |access| Err(self.not_covered(access)))
    }

    /// Checks that the caller may revoke accesses (protocol section 6.4).
    pub(super) fn may_take<'a>(
        &self,
        accesses: impl IntoIterator<Item = &'a String>,
    ) -> Outcome<()> {
        let acl = &self.caller()?.acl;
        let refused = accesses.into_iter().find(|access| !acl.may_remove(access));
        refused.map_or(Ok(()), |access| Err(self.not_covered(access)))
    }
}

/// The `auth_id` of the tokens that the service creates for itself.
pub(super) const SERVICE: &str = "wazo-auth";

/// Refuses a body with its first fault, as a resource does.
pub(super) fn refuse<'r>(resource: &'r str) -> impl Fn((String, Wrong)) -> Refusal + 'r {
    move |(member, wrong)| Refusal::invalid(resource, &member, &wrong)
}

/// Returns a list with its counts.
pub(super) fn listed(total: usize, filtered: usize, items: Vec<Value>) -> Value {
    json!({"total": total, "filtered": filtered, "items": items})
}
