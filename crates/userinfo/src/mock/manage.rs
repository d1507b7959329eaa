//! Management actions besides faults and time: users, groups, tokens and quotas.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use vouchsafe_core::ErrorKind;
use vouchsafe_core::mock::{self, strict};

use super::directory::{DirectoryGroup, Group, UserData};
use super::state::{Action, DirectoryAccess, State};
use super::tokens::{Record, TokenKind};
use crate::{QuotaConfig, Token};

pub(super) static ACTIONS: &[mock::Action] = &[
    mock::Action::new("users", "Adds a user to the directory, replacing one of the same name.")
        .body(r#"{"username": "dana", "name": "Dana Example", "email": "dana@example.com", "uid": 1004, "gid": 1004, "groups": []}"#)
        .field("username", "the name")
        .optional("name", "the full name")
        .optional("email", "the mail address")
        .optional("uid", "the numeric user id")
        .optional("gid", "the id of the primary group")
        .optional("groups", "groups of the directory that the user becomes a member of"),
    mock::Action::new("remove_user", "Removes a user from the directory and all groups.")
        .body(r#"{"username": "dana"}"#)
        .field("username", "the name"),
    mock::Action::new("groups", "Adds a group to the directory, replacing one of the same name.")
        .body(r#"{"name": "g_new", "id": 2100, "members": ["alice"]}"#)
        .field("name", "the name")
        .field("id", "the numeric id")
        .optional("members", "the names of its members"),
    mock::Action::new("tokens", "Creates a token, regardless of the rules for requests.")
        .body(r#"{"username": "alice", "scopes": ["read:all"], "kind": "user", "token_name": "laptop", "service": null, "expires_in_s": 3600}"#)
        .answer(r#"{"token": "gt-...", "expires": 1700003600}"#)
        .field("username", "the user it belongs to")
        .optional("scopes", "its scopes")
        .optional("kind", "session, user, notebook, internal, service or oidc; default: service for bot-..., else user")
        .optional("token_name", "the user's name for it")
        .optional("service", "for internal tokens: the service that acts for the user")
        .optional("expires_in_s", "lifetime in seconds by the server's clock; negative: expired"),
    mock::Action::new("revoke", "Revokes a token and the tokens delegated from it.")
        .body(r#"{"key": "0123456789012345678901"}"#)
        .answer(r#"{"revoked": false}"#)
        .field("key", "the key: the part of the token before its dot, without gt-"),
    mock::Action::new("quota", "Sets the quota rules of the configuration.")
        .body(r#"{"rules": {"default": {"api": {"search": 60}}, "bypass": ["admins"]}}"#)
        .field("rules", "the rules; null removes them"),
    mock::Action::new("fail", "Makes actions fail with 500 for a user, and no others.")
        .body(r#"{"username": "bob", "actions": ["user_info"]}"#)
        .field("username", "the owner of the token, or the user requested by name")
        .field("actions", "any of create_token, list_groups, list_users and user_info"),
    mock::Action::new("directory", "Sets whether the user directory can be reached.")
        .body(r#"{"access": "up"}"#)
        .field("access", "up, down, or absent as in installations with GitHub"),
    mock::Action::new("discovery", "Sets the document that Repertoire serves.")
        .body(r#"{"document": {"applications": []}}"#)
        .field("document", "the document; the server's own host becomes that of each request"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    username: String,
    name: Option<String>,
    email: Option<String>,
    uid: Option<i64>,
    gid: Option<i64>,
    #[serde(default)]
    groups: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Username {
    username: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    name: String,
    id: i64,
    #[serde(default)]
    members: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    username: String,
    #[serde(default)]
    scopes: BTreeSet<String>,
    kind: Option<String>,
    token_name: Option<String>,
    service: Option<String>,
    expires_in_s: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    rules: Option<QuotaConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failing {
    username: String,
    actions: Vec<Failure>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Failure {
    CreateToken,
    ListGroups,
    ListUsers,
    UserInfo,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Directory {
    access: Access,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Access {
    Up,
    Down,
    Absent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Discovery {
    document: serde_json::Map<String, Value>,
}

impl State {
    /// Runs one of the [`ACTIONS`].
    pub(super) fn act(
        &mut self,
        action: &str,
        body: &[u8],
        now: i64,
    ) -> vouchsafe_core::Result<Value> {
        match action {
            "users" => self.put_user(strict::read(body)?)?,
            "remove_user" => {
                let Username { username } = strict::read(body)?;
                if self.directory.users.remove(&username).is_none() {
                    return Err(no_such("user"));
                }
                for entry in &mut self.directory.groups {
                    entry.members.remove(&username);
                }
            }
            "groups" => self.put_group(strict::read(body)?),
            "tokens" => return self.put_token(strict::read(body)?, now),
            "revoke" => {
                let Key { key } = strict::read(body)?;
                let is_known = self.tokens.all().any(|record| record.token.key() == key);
                self.tokens.revoke(&key);
                return Ok(json!({ "revoked": is_known }));
            }
            "quota" => self.quota = strict::read::<Rules>(body)?.rules,
            "fail" => {
                let Failing { username, actions } = strict::read(body)?;
                let actions = actions.into_iter().map(|action| match action {
                    Failure::CreateToken => Action::CreateToken,
                    Failure::ListGroups => Action::ListGroups,
                    Failure::ListUsers => Action::ListUsers,
                    Failure::UserInfo => Action::UserInfo,
                });
                self.failing.insert(username, actions.collect());
            }
            "directory" => {
                self.access = match strict::read::<Directory>(body)?.access {
                    Access::Up => DirectoryAccess::Up,
                    Access::Down => DirectoryAccess::Down,
                    Access::Absent => DirectoryAccess::Absent,
                };
            }
            "discovery" => {
                let Discovery { document } = strict::read(body)?;
                self.repertoire.document = Value::Object(document);
            }
            _ => return Err(no_such("action")),
        }
        Ok(json!({}))
    }

    fn put_user(&mut self, user: NewUser) -> vouchsafe_core::Result<()> {
        let groups = &mut self.directory.groups;
        let is_known = |name: &String| groups.iter().any(|entry| entry.group.name == *name);
        if !user.groups.iter().all(is_known) {
            return Err(no_such("group in the directory"));
        }
        for entry in groups {
            if user.groups.contains(&entry.group.name) {
                entry.members.insert(user.username.clone());
            }
        }
        let data = UserData {
            name: user.name,
            email: user.email,
            uid: user.uid,
            gid: user.gid,
            groups: Vec::new(),
        };
        self.directory.users.insert(user.username, data);
        Ok(())
    }

    fn put_group(&mut self, group: NewGroup) {
        let NewGroup { name, id, members } = group;
        let groups = &mut self.directory.groups;
        groups.retain(|entry| entry.group.name != name);
        let group = Group { name, id };
        groups.push(DirectoryGroup { group, members });
    }

    fn put_token(&mut self, wanted: NewToken, now: i64) -> vouchsafe_core::Result<Value> {
        let kind = match wanted.kind.as_deref() {
            Some(kind) => TokenKind::of(kind).ok_or_else(|| no_such("kind of token"))?,
            None if wanted.username.starts_with("bot-") => TokenKind::Service,
            None => TokenKind::User,
        };
        let token = Token::random();
        let expires = wanted.expires_in_s.map(|life| now.saturating_add(life));
        let name = || (kind == TokenKind::User).then(|| format!("mock {}", token.key()));
        self.tokens.insert(Record {
            token_name: wanted.token_name.or_else(name),
            kind,
            username: wanted.username,
            scopes: wanted.scopes,
            created: now,
            expires,
            service: wanted.service,
            parent: None,
            data: UserData::default(),
            token: token.clone(),
        });
        Ok(json!({"token": token.secret().expose(), "expires": expires}))
    }
}

fn no_such(what: &str) -> vouchsafe_core::Error {
    vouchsafe_core::Error::new(ErrorKind::NotFound, format!("there is no such {what}"))
}
