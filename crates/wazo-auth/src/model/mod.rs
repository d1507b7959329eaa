//! Types for values with an awkward form on the wire, and conversions between generated types.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use vouchsafe_core::timestamp;

use crate::{Acl, Group, GroupEdit, Policy, PolicyEdit, Tenant, TenantEdit, Token, User, UserEdit};

/// A time in UTC. The service writes it without an offset, to the microsecond (protocol section
/// 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(SystemTime);

impl UtcTime {
    /// Returns the time.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        self.0
    }
}

impl From<SystemTime> for UtcTime {
    fn from(at: SystemTime) -> Self {
        Self(at)
    }
}

impl From<UtcTime> for SystemTime {
    fn from(at: UtcTime) -> Self {
        at.0
    }
}

/// As the service writes it: `2026-01-02T03:04:05.000000`.
impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = timestamp::format(self.0);
        match text.trim_end_matches('Z') {
            text if text.contains('.') => f.write_str(text),
            text => write!(f, "{text}.000000"),
        }
    }
}

impl Serialize for UtcTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let malformed = || serde::de::Error::custom("a time that is not of RFC 3339");
        timestamp::parse(&text).map(Self).ok_or_else(malformed)
    }
}

/// A JSON value that may contain secrets, such as the configuration of an external service. `Debug`
/// does not show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(Value);

impl Settings {
    /// Returns the value.
    #[must_use]
    pub fn expose(&self) -> &Value {
        &self.0
    }

    /// Returns the value.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }
}

impl From<Value> for Settings {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(..)")
    }
}

impl Token {
    /// Returns the lifetime of the token at its creation, independent of this machine's clock.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        let (issued, expires) = (self.utc_issued_at?, self.utc_expires_at?);
        expires.0.duration_since(issued.0).ok()
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
            Some(at) => seconds(now).unwrap_or(0) > seconds(at.0).unwrap_or(0),
            None => false,
        }
    }
}

/// The current user, to change parts of it.
impl From<&User> for UserEdit {
    fn from(user: &User) -> Self {
        let mut edit = Self::new();
        edit.username.clone_from(&user.username);
        edit.firstname.clone_from(&user.firstname);
        edit.lastname.clone_from(&user.lastname);
        edit.purpose.clone_from(&user.purpose);
        edit.authentication_method = Some(user.authentication_method.clone());
        edit.enabled = Some(user.enabled);
        edit
    }
}

/// The current policy, to change parts of it.
impl From<&Policy> for PolicyEdit {
    fn from(policy: &Policy) -> Self {
        let mut edit = Self::new(&policy.name).acl(&policy.acl);
        edit.description.clone_from(&policy.description);
        edit
    }
}

/// The current group.
impl From<&Group> for GroupEdit {
    fn from(group: &Group) -> Self {
        Self::new(&group.name)
    }
}

/// The current tenant, to change parts of it.
impl From<&Tenant> for TenantEdit {
    fn from(tenant: &Tenant) -> Self {
        let method = &tenant.default_authentication_method;
        let mut edit = Self::new()
            .default_authentication_method(method)
            .domain_names(&tenant.domain_names)
            .address(tenant.address.clone());
        edit.name.clone_from(&tenant.name);
        edit.phone.clone_from(&tenant.phone);
        edit.contact.clone_from(&tenant.contact);
        edit
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(issued: &str, expires: &str) -> Token {
        let value = json!({
            "token": "t", "auth_id": "a", "utc_issued_at": issued, "utc_expires_at": expires,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn times_are_read_and_written_as_the_service_writes_them() {
        for text in ["2026-01-02T03:04:05.000000", "2026-01-02T03:04:05.678901"] {
            let at: UtcTime = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(serde_json::to_value(at).unwrap(), json!(text));
        }
        let malformed = serde_json::from_value::<UtcTime>(json!("yesterday"));
        assert!(malformed.unwrap_err().to_string().contains("RFC 3339"));
    }

    #[test]
    fn a_token_expires_when_its_last_second_is_over() {
        let token = token("2026-01-02T03:04:05.000000", "2026-01-02T03:04:15.000000");
        assert_eq!(token.lifetime(), Some(Duration::from_secs(10)));
        let at = |text: &str| timestamp::parse(text).unwrap();
        assert!(!token.is_expired_at(at("2026-01-02T03:04:15.9")));
        assert!(token.is_expired_at(at("2026-01-02T03:04:16")));
    }

    #[test]
    fn settings_are_not_shown() {
        let settings = Settings::from(json!({"client_secret": "planted"}));
        assert!(!format!("{settings:?}").contains("planted"));
        assert_eq!(settings.expose()["client_secret"], "planted");
    }

    #[test]
    fn an_edit_of_what_was_read_changes_nothing_of_the_rest() {
        let user: User = serde_json::from_value(json!({
            "uuid": "u", "tenant_uuid": "t", "username": "alice", "firstname": "Alice",
            "purpose": "internal", "enabled": false, "authentication_method": "native",
        }))
        .unwrap();
        let edit = UserEdit::from(&user).lastname("Adams");
        assert_eq!(
            serde_json::to_value(edit).unwrap(),
            json!({
                "username": "alice", "firstname": "Alice", "lastname": "Adams",
                "purpose": "internal", "enabled": false, "authentication_method": "native",
            })
        );
        let tenant: Tenant = serde_json::from_value(json!({
            "uuid": "t", "parent_uuid": "p", "name": "T", "slug": "t", "contact": "u",
            "domain_names": ["a.example"], "address": {"city": "Oslo"},
        }))
        .unwrap();
        assert_eq!(
            serde_json::to_value(TenantEdit::from(&tenant)).unwrap(),
            json!({
                "name": "T", "contact": "u", "default_authentication_method": "native",
                "domain_names": ["a.example"], "address": {"city": "Oslo"},
            })
        );
    }
}
