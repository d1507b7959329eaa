//! The state as JSON, for people and for tests in other languages. Tokens are shown by their keys.

use serde_json::{Map, Value, json};

use super::directory::UserInfo;
use super::quota::rules_without_nulls;
use super::state::{DirectoryAccess, State};
use crate::Quota;

impl State {
    /// Returns the state of the server, without secrets.
    pub(super) fn snapshot(&self, now: i64) -> Value {
        let users = self.directory.users.iter();
        let users: Vec<_> = users
            .map(|(username, data)| {
                let info = UserInfo {
                    username: username.clone(),
                    data: data.clone(),
                    quota: Quota::NoRules,
                };
                info.without_defaults()
            })
            .collect();
        let groups = self.directory.groups.iter();
        let groups: Vec<_> = groups
            .map(|entry| {
                let group = &entry.group;
                json!({"name": group.name, "id": group.id, "members": entry.members})
            })
            .collect();
        let failing = self.failing.iter();
        let failing: Map<_, _> = failing
            .map(|(username, actions)| {
                let actions = actions.iter().map(|action| format!("{action:?}"));
                (username.clone(), actions.collect())
            })
            .collect();
        let access = match self.access {
            DirectoryAccess::Up => "up",
            DirectoryAccess::Down => "down",
            DirectoryAccess::Absent => "absent",
        };
        let tokens = self.tokens.all();
        json!({
            "hostname": self.hostname,
            "now": now,
            "directory": {"access": access, "users": users, "groups": groups},
            "known_scopes": self.known_scopes,
            "quota": self.quota.as_ref().map(rules_without_nulls),
            "quota_overrides": self.overrides.as_ref().map(rules_without_nulls),
            "tokens": tokens.map(|record| record.info()).collect::<Vec<_>>(),
            "failing": failing,
            "discovery": self.repertoire.document,
        })
    }
}
