//! Gafaelfawr's users, groups and tokens in a convenient form. The wire format is in `generated`.

use std::time::SystemTime;

use serde::Serialize;
use vouchsafe_core::timestamp;

use super::quota::Quota;
use crate::generated::gafaelfawr::wire;
pub use crate::generated::gafaelfawr::wire::{
    AllGroups, Group, NewGroup, NewServiceToken, NewUserToken, TokenChange, TokenType,
};

/// Information about a user (protocol section 4.4).
///
/// Values are as the server sent them. For a name that is not in the directory there is little more
/// than `username`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UserInfo {
    /// The user name.
    pub username: String,
    /// The full name.
    pub name: Option<String>,
    /// The mail address; its form is not checked.
    pub email: Option<String>,
    /// The numeric user id.
    pub uid: Option<i64>,
    /// The id of the primary group.
    pub gid: Option<i64>,
    /// The groups in the server's order: sorted by name.
    pub groups: Vec<Group>,
    /// The quotas of the user.
    pub quota: Quota,
}

impl UserInfo {
    /// Creates information that consists of the name only; set the other fields directly. For tests
    /// and doubles.
    #[must_use]
    pub fn new(username: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            name: None,
            email: None,
            uid: None,
            gid: None,
            groups: Vec::new(),
            quota: Quota::NoRules,
        }
    }

    /// Returns whether the user is in a group with this name.
    #[must_use]
    pub fn is_in_group(&self, name: &str) -> bool {
        self.groups.iter().any(|group| group.name == name)
    }

    /// Returns the ids of the groups in order, including duplicates.
    #[must_use]
    pub fn supplemental_groups(&self) -> Vec<i64> {
        self.groups.iter().map(|group| group.id).collect()
    }
}

impl Group {
    /// Creates a group, for tests and doubles.
    #[must_use]
    pub fn new(name: impl Into<String>, id: i64) -> Self {
        Self {
            name: name.into(),
            id,
        }
    }
}

impl From<wire::UserInfo> for UserInfo {
    fn from(wire: wire::UserInfo) -> Self {
        Self {
            username: wire.username,
            name: wire.name,
            email: wire.email,
            uid: wire.uid,
            gid: wire.gid,
            groups: wire.groups,
            quota: wire.quota.into(),
        }
    }
}

/// Information about a token (protocol section 4.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// The user of the token.
    pub username: String,
    /// The type: how the token was created and for what.
    pub token_type: TokenType,
    /// For internal tokens: the service that the token was created for.
    pub service: Option<String>,
    /// The scopes, sorted.
    pub scopes: Vec<String>,
    /// When it was created, in whole seconds.
    #[serde(serialize_with = "seconds")]
    pub created: SystemTime,
    /// When it expires, if ever.
    #[serde(serialize_with = "optional_seconds")]
    pub expires: Option<SystemTime>,
    /// The key: the public part of the token.
    pub token: String,
    /// The name that the user gave it.
    pub token_name: Option<String>,
    /// When it was last used.
    #[serde(serialize_with = "optional_seconds")]
    pub last_used: Option<SystemTime>,
    /// The key of the token that it was created from.
    pub parent: Option<String>,
}

impl TryFrom<wire::TokenInfo> for TokenInfo {
    type Error = &'static str;

    fn try_from(wire: wire::TokenInfo) -> Result<Self, Self::Error> {
        let optional = |at: Option<i64>| at.map(time).transpose();
        Ok(Self {
            username: wire.username,
            token_type: wire.token_type,
            service: wire.service,
            scopes: wire.scopes,
            created: time(wire.created)?,
            expires: optional(wire.expires)?,
            token: wire.token,
            token_name: wire.token_name,
            last_used: optional(wire.last_used)?,
            parent: wire.parent,
        })
    }
}

/// Fails for a time that this machine cannot represent.
fn time(seconds: i64) -> Result<SystemTime, &'static str> {
    timestamp::from_unix_seconds(seconds).ok_or("the answer holds a time out of range")
}

fn seconds<S: serde::Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(timestamp::unix_seconds(*at))
}

fn optional_seconds<S: serde::Serializer>(
    at: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    at.map(timestamp::unix_seconds).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> UserInfo {
        serde_json::from_str::<wire::UserInfo>(text).unwrap().into()
    }

    #[test]
    fn groups_are_looked_up_by_name_and_listed_by_id() {
        let info = read(
            r#"{"username":"u","groups":[{"name":"x","id":3},{"name":"y","id":1},{"name":"z","id":3}]}"#,
        );
        assert_eq!(info.supplemental_groups(), [3, 1, 3]);
        assert!(info.is_in_group("y"));
        assert!(!info.is_in_group("Y"));
    }

    #[test]
    fn a_user_info_is_written_with_every_field() {
        let written = serde_json::to_value(read(r#"{"username":"u"}"#)).unwrap();
        assert_eq!(
            written,
            serde_json::json!({
                "username": "u", "name": null, "email": null, "uid": null, "gid": null,
                "groups": [], "quota": null,
            })
        );
    }

    #[test]
    fn times_are_seconds_on_the_wire() {
        let text = |created: i64| {
            format!(
                r#"{{"username":"u","token_type":"oidc","scopes":[],"created":{created},"token":"k"}}"#
            )
        };
        let wire = |created| serde_json::from_str::<wire::TokenInfo>(&text(created)).unwrap();
        let info = TokenInfo::try_from(wire(1_700_000_000)).unwrap();
        assert_eq!(
            serde_json::to_value(&info).unwrap()["created"],
            1_700_000_000
        );
        assert_eq!(info.expires, None);
    }
}
