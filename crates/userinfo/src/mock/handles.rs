//! Handles for tests: changes that no request can make, or that would take many requests.

use std::collections::BTreeSet;
use std::time::Duration;

use vouchsafe_core::Secret;

use super::directory::{DirectoryGroup, Group, UserData};
use super::state::{Action, DirectoryAccess};
use super::tokens::{Record, TokenKind};
use super::{Server, world};
use crate::{QuotaConfig, Token};

impl Server {
    /// Returns a token with the scope `admin:token`, of `bot-admin`.
    ///
    /// This is the world's token named `admin`, which is created if the world has none. The same is
    /// true for [`service_token`](Self::service_token) (`service`) and
    /// [`user_token`](Self::user_token) (`alice`).
    #[must_use]
    pub fn admin_token(&self) -> Token {
        let new = || self.create_token("bot-admin").scopes(["admin:token"]);
        self.token(world::ADMIN)
            .unwrap_or_else(|| new().keep(world::ADMIN))
    }

    /// Returns a token with the scope `admin:userinfo`, of `bot-service`.
    #[must_use]
    pub fn service_token(&self) -> Token {
        let new = || self.create_token("bot-service").scopes(["admin:userinfo"]);
        self.token(world::SERVICE)
            .unwrap_or_else(|| new().keep(world::SERVICE))
    }

    /// Returns a token of the user `alice`.
    #[must_use]
    pub fn user_token(&self) -> Token {
        let new = || {
            self.create_token("alice")
                .scopes(["read:all", "user:token"])
        };
        self.token(world::USER)
            .unwrap_or_else(|| new().keep(world::USER))
    }

    /// Returns the bootstrap token, if one is configured.
    #[must_use]
    pub fn bootstrap_token(&self) -> Option<Token> {
        self.state().bootstrap.clone()
    }

    /// Returns the world's token with a name.
    #[must_use]
    pub fn token(&self, name: &str) -> Option<Token> {
        let mut named = self.seed.named.get(name).cloned();
        if named.is_none() {
            named = self.state().kept.get(name).cloned();
        }
        named
    }

    /// Adds a user to the directory, replacing one of the same name.
    pub fn add_user(&self, user: User) {
        let mut state = self.state();
        for entry in &mut state.directory.groups {
            if user.groups.contains(&entry.group.name) {
                entry.members.insert(user.username.clone());
            }
        }
        state.directory.users.insert(user.username, user.data);
    }

    /// Removes a user from the directory and from all groups.
    pub fn remove_user(&self, username: &str) {
        let directory = &mut self.state().directory;
        directory.users.remove(username);
        for entry in &mut directory.groups {
            entry.members.remove(username);
        }
    }

    /// Adds a group to the directory, replacing one of the same name.
    pub fn add_group<M: Into<String>>(
        &self,
        name: &str,
        id: i64,
        members: impl IntoIterator<Item = M>,
    ) {
        let entry = DirectoryGroup {
            group: Group {
                name: name.to_owned(),
                id,
            },
            members: members.into_iter().map(Into::into).collect(),
        };
        let groups = &mut self.state().directory.groups;
        match groups.iter_mut().find(|old| old.group.name == name) {
            Some(old) => *old = entry,
            None => groups.push(entry),
        }
    }

    /// Starts building a token for a user. A name that begins with `bot-` gets a service token,
    /// others get a user token.
    pub fn create_token(&self, username: &str) -> NewToken {
        let token = Token::random();
        let kind = if username.starts_with("bot-") {
            TokenKind::Service
        } else {
            TokenKind::User
        };
        NewToken {
            server: self.clone(),
            record: Record {
                // Names of user tokens must differ.
                token_name: (kind == TokenKind::User).then(|| format!("mock {}", token.key())),
                token,
                kind,
                username: username.to_owned(),
                scopes: BTreeSet::new(),
                created: self.now(),
                expires: None,
                service: None,
                parent: None,
                data: UserData::default(),
            },
        }
    }

    /// Revokes a token, if the server knows it, and the tokens delegated from it.
    pub fn revoke(&self, token: &Token) {
        self.state().tokens.revoke(token.key());
    }

    /// Makes actions fail with 500 for a user, instead of those set before. An empty list ends
    /// this.
    ///
    /// The user is the owner of the token, or the one requested by name.
    pub fn fail_on(&self, username: &str, actions: impl IntoIterator<Item = Action>) {
        let actions = actions.into_iter().collect();
        self.state().failing.insert(username.to_owned(), actions);
    }

    /// Makes the directory unreachable.
    pub fn set_directory_down(&self) {
        self.state().access = DirectoryAccess::Down;
    }

    /// Makes the directory reachable, even if none was configured.
    pub fn set_directory_up(&self) {
        self.state().access = DirectoryAccess::Up;
    }

    /// Removes the directory from the configuration, as in an installation whose users come from
    /// GitHub.
    pub fn remove_directory(&self) {
        self.state().access = DirectoryAccess::Absent;
    }

    /// Sets the quota rules of the configuration; `None` removes them.
    pub fn set_quota(&self, rules: impl Into<Option<QuotaConfig>>) {
        self.state().quota = rules.into();
    }

    /// Sets the document that Repertoire serves. URLs of the server's own host in it are rewritten
    /// to the address of the request.
    pub fn set_discovery(&self, document: serde_json::Value) {
        self.state().repertoire.document = document;
    }

    /// Sets the login that Repertoire returns for an InfluxDB database of the document.
    pub fn set_influxdb_login(&self, label: &str, username: &str, password: impl Into<Secret>) {
        let login = (username.to_owned(), password.into());
        self.state()
            .repertoire
            .logins
            .insert(label.to_owned(), login);
    }
}

/// A user for the directory.
#[derive(Clone, Debug)]
#[must_use]
pub struct User {
    username: String,
    data: UserData,
    groups: BTreeSet<String>,
}

impl User {
    /// Starts building a user with only a name.
    pub fn new(username: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            data: UserData::default(),
            groups: BTreeSet::new(),
        }
    }

    /// Sets the full name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.data.name = Some(name.into());
        self
    }

    /// Sets the mail address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.data.email = Some(email.into());
        self
    }

    /// Sets the numeric user id.
    pub fn uid(mut self, id: i64) -> Self {
        self.data.uid = Some(id);
        self
    }

    /// Sets the id of the primary group.
    pub fn gid(mut self, id: i64) -> Self {
        self.data.gid = Some(id);
        self
    }

    /// Makes the user a member of a group, if the directory has it.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.groups.insert(name.into());
        self
    }
}

/// Builds a token.
#[derive(Debug)]
#[must_use]
pub struct NewToken {
    server: Server,
    record: Record,
}

impl NewToken {
    /// Sets the kind.
    pub fn kind(mut self, kind: TokenKind) -> Self {
        self.record.kind = kind;
        self
    }

    /// Sets the scopes.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.record.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the lifetime of the token, by the server's clock.
    pub fn expires_in(mut self, life: Duration) -> Self {
        let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        self.record.expires = Some(self.record.created.saturating_add(life));
        self
    }

    /// Sets the user's name for the token.
    pub fn token_name(mut self, name: impl Into<String>) -> Self {
        self.record.token_name = Some(name.into());
        self
    }

    /// Sets the service that acts for the user, as on internal tokens.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.record.service = Some(name.into());
        self
    }

    /// Stores data of the user with the token, which takes precedence over the directory's. Groups
    /// are set by [`group`](Self::group), not taken from the user.
    pub fn user(mut self, user: User) -> Self {
        let groups = std::mem::take(&mut self.record.data.groups);
        self.record.data = UserData {
            groups,
            ..user.data
        };
        self
    }

    /// Stores a group with the token. The groups of the directory are then ignored.
    pub fn group(mut self, name: impl Into<String>, id: i64) -> Self {
        let name = name.into();
        self.record.data.groups.push(Group { name, id });
        self
    }

    /// Creates the token, regardless of the rules for requests.
    #[must_use]
    pub fn issue(self) -> Token {
        let token = self.record.token.clone();
        self.server.state().tokens.insert(self.record);
        token
    }

    /// Creates the token and stores it under a name.
    fn keep(self, name: &str) -> Token {
        let server = self.server.clone();
        let token = self.issue();
        server.state().kept.insert(name.to_owned(), token.clone());
        token
    }
}
