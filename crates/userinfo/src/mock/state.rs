//! The state of both services, and the rules of the API. Pure: time is an argument, and nothing
//! here depends on HTTP. The ingress check is in `ingress.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vouchsafe_core::Secret;

use super::directory::{Directory, Group, PrivateGroups, UserData, UserInfo};
use super::quota::effective_quota;
use super::rate::Windows;
use super::refusal::Refusal;
use super::requests::{AdminTokenRequest, TokenChange, UserTokenRequest};
use super::rules::is_bot_username;
use super::tokens::{MINIMUM_LIFETIME, Record, TOKEN_LIFETIME, TokenKind, Tokens};
use crate::{Quota, QuotaConfig, Token};

/// The state of an installation.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// The host in the realm and in the URLs of the discovery document.
    pub(super) hostname: String,
    pub(super) access: DirectoryAccess,
    pub(super) directory: Directory,
    pub(super) private_groups: PrivateGroups,
    pub(super) system_groups: BTreeSet<String>,
    pub(super) known_scopes: BTreeSet<String>,
    pub(super) quota: Option<QuotaConfig>,
    pub(super) overrides: Option<QuotaConfig>,
    /// From the server's configuration; not stored as a token.
    pub(super) bootstrap: Option<Token>,
    pub(super) tokens: Tokens,
    pub(super) windows: Windows,
    pub(super) failing: BTreeMap<String, BTreeSet<Action>>,
    pub(super) repertoire: Repertoire,
    /// Tokens that handles have created and return again.
    pub(super) kept: BTreeMap<String, Token>,
}

/// Whether the server has a user directory, and can reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DirectoryAccess {
    Up,
    Down,
    /// No directory is configured, as with GitHub.
    Absent,
}

/// Actions that can be made to fail for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Action {
    /// Creating tokens as an administrator.
    CreateToken,
    /// Listing groups.
    ListGroups,
    /// Listing users.
    ListUsers,
    /// Reading user information, by token or by name.
    UserInfo,
}

/// The data that Repertoire serves.
#[derive(Clone, Debug)]
pub(super) struct Repertoire {
    /// The path prefix of its routes, such as `/repertoire`.
    pub(super) prefix: String,
    pub(super) document: Value,
    /// User name and password by database.
    pub(super) logins: BTreeMap<String, (String, Secret)>,
}

impl Default for State {
    /// An installation without directory, rules and tokens.
    fn default() -> Self {
        Self {
            hostname: "mock.example.com".to_owned(),
            access: DirectoryAccess::Absent,
            directory: Directory::default(),
            private_groups: PrivateGroups::Added,
            system_groups: BTreeSet::new(),
            known_scopes: BTreeSet::new(),
            quota: None,
            overrides: None,
            bootstrap: None,
            tokens: Tokens::new(TOKEN_LIFETIME),
            windows: Windows::default(),
            failing: BTreeMap::new(),
            repertoire: Repertoire {
                prefix: "/repertoire".to_owned(),
                document: json!({}),
                logins: BTreeMap::new(),
            },
            kept: BTreeMap::new(),
        }
    }
}

impl State {
    /// Returns the owner of a token. The bootstrap token is valid only where it is allowed, and
    /// acts as a user that cannot be in a directory.
    pub(super) fn caller(
        &self,
        token: &str,
        bootstrap: Bootstrap,
        now: i64,
    ) -> Result<Record, Refusal> {
        super::rules::token_parts(token)
            .map_err(|fault| Refusal::InvalidToken(fault.to_string()))?;
        if let (Bootstrap::Allowed, Some(own)) = (bootstrap, &self.bootstrap)
            && *own.secret() == Secret::from(token)
        {
            return Ok(Record {
                token: own.clone(),
                kind: TokenKind::Service,
                username: BOOTSTRAP_USER.to_owned(),
                scopes: ["admin:oidc", "admin:token"].map(str::to_owned).into(),
                created: now,
                expires: None,
                token_name: None,
                service: None,
                parent: None,
                data: UserData::default(),
            });
        }
        let found = self.tokens.find(token, now).cloned();
        found.ok_or_else(Refusal::not_valid)
    }

    /// Crashes if a test requested that for this user.
    pub(super) fn fail_for(&self, username: &str, action: Action) -> Result<(), Refusal> {
        let told = self.failing.get(username);
        if told.is_some_and(|actions| actions.contains(&action)) {
            return Err(Refusal::Crash);
        }
        Ok(())
    }

    /// Returns information about the user of a token.
    pub(super) fn own_info(&self, caller: &Record) -> Result<UserInfo, Refusal> {
        let data = match self.access {
            DirectoryAccess::Up => {
                let directory = &self.directory;
                directory.user(&caller.username, &caller.data, self.private_groups)
            }
            DirectoryAccess::Down => return Err(Refusal::UserInfoFailed),
            DirectoryAccess::Absent => self.private_groups.without_directory(&caller.data),
        };
        Ok(self.with_quota(&caller.username, data))
    }

    /// Returns the directory's information about a user; only the name and a quota if the user is
    /// not in the directory.
    pub(super) fn info_of(&self, caller: &Record, username: &str) -> Result<UserInfo, Refusal> {
        self.need_directory()?;
        if username != caller.username {
            need_userinfo_scope(caller, username)?;
        }
        let directory = self.reachable()?;
        let data = directory.user(username, &UserData::default(), self.private_groups);
        Ok(self.with_quota(username, data))
    }

    /// Returns all users, by name, without quota.
    pub(super) fn users(&self, caller: &Record) -> Result<Vec<UserInfo>, Refusal> {
        self.need_directory()?;
        need_userinfo_scope(caller, "None")?;
        let directory = self.reachable()?;
        let info = |username: &String| UserInfo {
            username: username.clone(),
            data: directory.user(username, &UserData::default(), self.private_groups),
            quota: Quota::NoRules,
        };
        Ok(directory.users.keys().map(info).collect())
    }

    /// Returns the groups of users and those of the system, in the order of the directory.
    pub(super) fn groups(&self, caller: &Record) -> Result<[Vec<Group>; 2], Refusal> {
        self.need_directory()?;
        need_userinfo_scope(caller, "None")?;
        let groups = self.reachable()?.valid_groups();
        let groups = groups.map(|entry| entry.group.clone());
        let (system, user) = groups.partition(|group| self.system_groups.contains(&group.name));
        Ok([user, system])
    }

    /// Creates a token for another user. The caller's scope has already been checked.
    pub(super) fn create_token(
        &mut self,
        request: AdminTokenRequest,
        now: i64,
    ) -> Result<Token, Refusal> {
        let username = request.username;
        if request.kind == TokenKind::Service && !is_bot_username(&username) {
            let msg = format!("Username \"{username}\" must start with \"bot-\"");
            return Err(Refusal::PermissionDenied(msg));
        }
        self.check_scopes(&request.scopes)?;
        check_expires(request.expires, now)?;
        self.store(Record {
            token: Token::random(),
            kind: request.kind,
            username,
            scopes: request.scopes,
            created: now,
            expires: request.expires,
            token_name: request.token_name,
            service: None,
            parent: None,
            data: request.data,
        })
    }

    /// Creates a token for the caller, with at most the caller's scopes. It stores the same user
    /// data as the caller's token.
    pub(super) fn create_user_token(
        &mut self,
        caller: &Record,
        username: &str,
        request: UserTokenRequest,
        now: i64,
    ) -> Result<Token, Refusal> {
        need_own_tokens(caller, username)?;
        if !request.scopes.is_subset(&caller.scopes) {
            let msg = "Requested scopes are broader than your current scopes";
            return Err(invalid_scopes(msg));
        }
        self.check_scopes(&request.scopes)?;
        check_expires(request.expires, now)?;
        self.store(Record {
            token: Token::random(),
            kind: TokenKind::User,
            username: username.to_owned(),
            scopes: request.scopes,
            created: now,
            expires: request.expires,
            token_name: Some(request.token_name),
            service: None,
            parent: None,
            data: caller.data.clone(),
        })
    }

    /// Returns a user's tokens, newest first.
    pub(super) fn tokens_of(
        &self,
        caller: &Record,
        username: &str,
        now: i64,
    ) -> Result<Vec<&Record>, Refusal> {
        need_view(caller, username)?;
        Ok(self.tokens.of_user(username, now))
    }

    /// Returns one token of a user. A missing token is reported before missing permission.
    pub(super) fn token_of(
        &self,
        caller: &Record,
        username: &str,
        key: &str,
        now: i64,
    ) -> Result<&Record, Refusal> {
        let record = self.owned(username, key, now)?;
        need_view(caller, username)?;
        Ok(record)
    }

    /// Changes one token of a user and returns it; only for administrators. Tokens delegated from
    /// it then expire no later than it does.
    pub(super) fn modify(
        &mut self,
        caller: &Record,
        username: &str,
        key: &str,
        change: TokenChange,
        now: i64,
    ) -> Result<Record, Refusal> {
        need_view(caller, username)?;
        if !caller.has_scope("admin:token") {
            let msg = "Missing required admin:token scope".to_owned();
            return Err(Refusal::PermissionDenied(msg));
        }
        let mut record = self.owned(username, key, now)?.clone();
        if record.kind != TokenKind::User {
            let msg = "Only user tokens can be modified".to_owned();
            return Err(Refusal::PermissionDenied(msg));
        }
        if let Some(scopes) = change.scopes {
            self.check_scopes(&scopes)?;
            record.scopes = scopes;
        }
        if let Some(expires) = change.expires {
            check_expires(expires, now)?;
            record.expires = expires;
        }
        if let Some(name) = change.token_name
            && record.token_name.as_ref() != Some(&name)
        {
            if self.tokens.is_named(username, &name, now) {
                return Err(duplicate(&name));
            }
            record.token_name = Some(name);
        }
        self.tokens.insert(record.clone());
        if let Some(end) = record.expires {
            self.tokens.end_children(key, end);
        }
        Ok(record)
    }

    /// Revokes one token of a user and the tokens delegated from it.
    pub(super) fn revoke_of(
        &mut self,
        caller: &Record,
        username: &str,
        key: &str,
        now: i64,
    ) -> Result<(), Refusal> {
        need_view(caller, username)?;
        self.owned(username, key, now)?;
        self.tokens.revoke(key);
        Ok(())
    }

    pub(super) fn quota_overrides(&self) -> Result<&QuotaConfig, Refusal> {
        self.overrides.as_ref().ok_or_else(no_overrides)
    }

    pub(super) fn delete_quota_overrides(&mut self) -> Result<(), Refusal> {
        self.overrides.take().map(drop).ok_or_else(no_overrides)
    }

    fn with_quota(&self, username: &str, data: UserData) -> UserInfo {
        let groups: Vec<_> = data
            .groups
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        let quota = effective_quota(self.quota.as_ref(), self.overrides.as_ref(), &groups);
        UserInfo {
            username: username.to_owned(),
            data,
            quota,
        }
    }

    fn need_directory(&self) -> Result<(), Refusal> {
        if self.access == DirectoryAccess::Absent {
            let msg = "No external user information source configured";
            return Err(Refusal::rule(404, "not_supported", msg, None));
        }
        Ok(())
    }

    fn reachable(&self) -> Result<&Directory, Refusal> {
        match self.access {
            DirectoryAccess::Up => Ok(&self.directory),
            _ => Err(Refusal::Crash),
        }
    }

    fn check_scopes(&self, scopes: &BTreeSet<String>) -> Result<(), Refusal> {
        if scopes.is_subset(&self.known_scopes) {
            return Ok(());
        }
        Err(invalid_scopes("Unknown scopes requested"))
    }

    fn store(&mut self, record: Record) -> Result<Token, Refusal> {
        if let Some(name) = &record.token_name
            && self.tokens.is_named(&record.username, name, record.created)
        {
            return Err(duplicate(name));
        }
        let token = record.token.clone();
        self.tokens.insert(record);
        Ok(token)
    }

    fn owned(&self, username: &str, key: &str, now: i64) -> Result<&Record, Refusal> {
        let found = self.tokens.alive(key, now);
        found
            .filter(|record| record.username == username)
            .ok_or_else(|| {
                let loc = Some(["path", "key"]);
                Refusal::rule(404, "not_found", "Token not found", loc)
            })
    }
}

/// Whether a route accepts the bootstrap token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bootstrap {
    Allowed,
    Unknown,
}

pub(super) fn need_admin(caller: &Record) -> Result<(), Refusal> {
    if caller.has_scope("admin:token") {
        return Ok(());
    }
    let msg = "Token does not have required scope admin:token".to_owned();
    Err(Refusal::PermissionDenied(msg))
}

fn need_userinfo_scope(caller: &Record, username: &str) -> Result<(), Refusal> {
    if caller.has_scope("admin:userinfo") {
        return Ok(());
    }
    let msg = format!("Cannot get information for user {username}");
    Err(Refusal::PermissionDenied(msg))
}

/// Administrators may read and revoke the tokens of others.
fn need_view(caller: &Record, username: &str) -> Result<(), Refusal> {
    if caller.has_scope("admin:token") {
        return Ok(());
    }
    need_own_tokens(caller, username)
}

fn need_own_tokens(caller: &Record, username: &str) -> Result<(), Refusal> {
    let msg = if caller.username != username {
        format!("Cannot act on tokens for user {username}")
    } else if !caller.has_scope("user:token") {
        "Missing required user:token scope".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::PermissionDenied(msg))
}

fn check_expires(expires: Option<i64>, now: i64) -> Result<(), Refusal> {
    if expires.is_none_or(|end| end.saturating_sub(now) >= MINIMUM_LIFETIME) {
        return Ok(());
    }
    let msg = "Token must be valid for at least five minutes";
    let loc = Some(["body", "expires"]);
    Err(Refusal::rule(422, "invalid_expires", msg, loc))
}

fn invalid_scopes(msg: &str) -> Refusal {
    Refusal::rule(422, "invalid_scopes", msg, Some(["body", "scopes"]))
}

fn duplicate(name: &str) -> Refusal {
    let msg = format!("Token name {name} already used");
    let loc = Some(["body", "token_name"]);
    Refusal::rule(409, "duplicate_token_name", msg, loc)
}

fn no_overrides() -> Refusal {
    Refusal::rule(404, "not_found", "No quota overrides set", None)
}

pub(super) const BOOTSTRAP_USER: &str = "<bootstrap>";
