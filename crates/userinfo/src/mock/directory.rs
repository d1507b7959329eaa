//! The user directory, as Gafaelfawr reads it from LDAP (protocol section 4.4).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::quota;
use super::rules::is_group_name;
use crate::Quota;

/// The users and groups of a directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    pub(super) users: BTreeMap<String, UserData>,
    /// In the order of the directory, which is not by name.
    pub(super) groups: Vec<DirectoryGroup>,
}

/// A group with its members.
#[derive(Clone, Debug)]
pub(super) struct DirectoryGroup {
    pub(super) group: Group,
    pub(super) members: BTreeSet<String>,
}

/// A group as it appears in answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) id: i64,
}

/// Data about a user, from the directory or from a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UserData {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) uid: Option<i64>,
    pub(super) gid: Option<i64>,
    /// Stored with tokens only; an empty list counts as missing.
    pub(super) groups: Vec<Group>,
}

/// A user as it appears in answers.
#[derive(Clone, Debug)]
pub(super) struct UserInfo {
    pub(super) username: String,
    pub(super) data: UserData,
    pub(super) quota: Quota,
}

impl Directory {
    /// Combines the data about a user. Fields that are stored with a token (`kept`) take
    /// precedence.
    pub(super) fn user(&self, username: &str, kept: &UserData, private: PrivateGroups) -> UserData {
        let mut data = kept.clone();
        if let Some(known) = self.users.get(username) {
            data.name = data.name.or_else(|| known.name.clone());
            data.email = data.email.or_else(|| known.email.clone());
            data.uid = data.uid.or(known.uid);
            data.gid = data.gid.or(known.gid);
        }
        private.complete(&mut data);
        if data.groups.is_empty() {
            data.groups = self.groups_of(username, &data, private);
        }
        data.sorted()
    }

    /// Returns the groups with valid names, in the order of the directory.
    pub(super) fn valid_groups(&self) -> impl Iterator<Item = &DirectoryGroup> {
        self.groups
            .iter()
            .filter(|entry| is_group_name(&entry.group.name))
    }

    fn groups_of(&self, username: &str, data: &UserData, private: PrivateGroups) -> Vec<Group> {
        let mut groups: Vec<Group> = self
            .valid_groups()
            .filter(|entry| entry.members.contains(username))
            .map(|entry| entry.group.clone())
            .collect();
        if let (PrivateGroups::Added, Some(id)) = (private, data.uid)
            && groups.iter().all(|group| group.name != username)
        {
            groups.push(Group {
                name: username.to_owned(),
                id,
            });
        }
        if let Some(gid) = data.gid
            && groups.iter().all(|group| group.id != gid)
        {
            let primary = self.valid_groups().find(|entry| entry.group.id == gid);
            groups.extend(primary.map(|entry| entry.group.clone()));
        }
        groups
    }
}

/// Whether each user has a private group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrivateGroups {
    Added,
    None,
}

impl PrivateGroups {
    /// Completes the data stored with a token if there is no directory.
    pub(super) fn without_directory(self, kept: &UserData) -> UserData {
        let mut data = kept.clone();
        self.complete(&mut data);
        data.sorted()
    }

    fn complete(self, data: &mut UserData) {
        if self == Self::Added {
            data.gid = data.gid.or(data.uid);
        }
    }
}

impl UserData {
    /// Groups are sorted by code point: upper case first.
    fn sorted(mut self) -> Self {
        self.groups.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }
}

impl UserInfo {
    /// The form in `/user-info`: only nulls are left out.
    pub(super) fn without_nulls(&self) -> Value {
        let mut fields = self.scalars();
        fields.insert("groups".to_owned(), json!(self.data.groups));
        let quota = quota::without_nulls(&self.quota);
        fields.extend(quota.map(|quota| ("quota".to_owned(), quota)));
        fields.into()
    }

    /// The form in the routes by name: all default values are left out.
    pub(super) fn without_defaults(&self) -> Value {
        let mut fields = self.scalars();
        if !self.data.groups.is_empty() {
            fields.insert("groups".to_owned(), json!(self.data.groups));
        }
        let quota = quota::without_defaults(&self.quota);
        fields.extend(quota.map(|quota| ("quota".to_owned(), quota)));
        fields.into()
    }

    fn scalars(&self) -> Map<String, Value> {
        let data = &self.data;
        let mut fields = Map::new();
        fields.insert("username".to_owned(), json!(self.username));
        for (key, value) in [
            ("name", data.name.as_ref().map(|text| json!(text))),
            ("email", data.email.as_ref().map(|text| json!(text))),
            ("uid", data.uid.map(|id| json!(id))),
            ("gid", data.gid.map(|id| json!(id))),
        ] {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value);
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let mut directory = Directory::default();
        let mut add = |name: &str, uid: Option<i64>, gid: Option<i64>| {
            let name = name.to_owned();
            let data = UserData {
                email: Some(format!("{name}@example.org")),
                uid,
                gid,
                ..UserData::default()
            };
            directory.users.insert(name, data);
        };
        add("kim", Some(10), None);
        add("lee", Some(11), Some(50));
        add("plain", None, None);
        for (name, id, members) in [
            ("staff", 50, &["kim"][..]),
            ("Zoo", 51, &["kim", "visitor"]),
            ("bad name", 52, &["kim"]),
        ] {
            directory.groups.push(DirectoryGroup {
                group: group(name, id),
                members: members.iter().map(|&m| m.to_owned()).collect(),
            });
        }
        directory
    }

    fn group(name: &str, id: i64) -> Group {
        Group {
            name: name.to_owned(),
            id,
        }
    }

    fn groups(directory: &Directory, username: &str, kept: &UserData) -> Vec<(String, i64)> {
        let data = directory.user(username, kept, PrivateGroups::Added);
        data.groups.into_iter().map(|g| (g.name, g.id)).collect()
    }

    fn pairs(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
        expected
            .iter()
            .map(|(n, id)| ((*n).to_owned(), *id))
            .collect()
    }

    #[test]
    fn groups_come_sorted_with_the_private_one_and_without_bad_names() {
        let directory = directory();
        let found = groups(&directory, "kim", &UserData::default());
        assert_eq!(found, pairs(&[("Zoo", 51), ("kim", 10), ("staff", 50)]));
        let found = groups(&directory, "visitor", &UserData::default());
        assert_eq!(found, pairs(&[("Zoo", 51)]));
    }

    #[test]
    fn the_primary_group_is_added_to_groups_of_the_directory_only() {
        let directory = directory();
        let found = groups(&directory, "lee", &UserData::default());
        assert_eq!(found, pairs(&[("lee", 11), ("staff", 50)]));
        let kept = UserData {
            groups: vec![group("own", 1)],
            ..UserData::default()
        };
        assert_eq!(groups(&directory, "lee", &kept), pairs(&[("own", 1)]));
    }

    #[test]
    fn what_a_token_keeps_wins_field_by_field() {
        let kept = UserData {
            name: Some("Other".to_owned()),
            gid: Some(51),
            ..UserData::default()
        };
        let data = directory().user("lee", &kept, PrivateGroups::Added);
        assert_eq!(data.name.as_deref(), Some("Other"));
        assert_eq!(data.email.as_deref(), Some("lee@example.org"));
        assert_eq!((data.uid, data.gid), (Some(11), Some(51)));
        assert!(data.groups.contains(&group("Zoo", 51)));
    }

    #[test]
    fn a_private_group_gives_way_to_one_of_that_name() {
        let mut directory = directory();
        directory.groups.push(DirectoryGroup {
            group: group("kim", 99),
            members: ["kim".to_owned()].into(),
        });
        let found = groups(&directory, "kim", &UserData::default());
        // GID = UID = 10 is no longer in any group, and no directory group has that id.
        assert_eq!(found, pairs(&[("Zoo", 51), ("kim", 99), ("staff", 50)]));
    }

    #[test]
    fn without_private_groups_nothing_is_made_of_the_uid() {
        let data = directory().user("kim", &UserData::default(), PrivateGroups::None);
        assert_eq!(data.gid, None);
        assert!(data.groups.iter().all(|group| group.name != "kim"));
    }

    #[test]
    fn the_two_ways_to_send_differ_in_what_they_leave_out() {
        let unknown = UserInfo {
            username: "unknown".to_owned(),
            data: UserData::default(),
            quota: Quota::Bypass,
        };
        assert_eq!(
            unknown.without_defaults(),
            json!({"username": "unknown", "quota": {}})
        );
        assert_eq!(
            unknown.without_nulls(),
            json!({
                "username": "unknown", "groups": [],
                "quota": {"api": {}, "disk": {}, "tap": {}}
            })
        );
    }
}
