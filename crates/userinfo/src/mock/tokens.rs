//! The server's tokens: creating, finding, delegating and revoking them (protocol section 2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};

use super::directory::UserData;
use crate::Token;
use crate::model::token::parts;

/// The maximum lifetime of tokens delegated by the ingress: 30 days.
pub(super) const TOKEN_LIFETIME: i64 = 30 * 24 * 3600;
/// The minimum lifetime of a new or delegated token.
pub(super) const MINIMUM_LIFETIME: i64 = 300;

/// The tokens of a server by their keys. Times are seconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    by_key: BTreeMap<String, Record>,
    pub(super) lifetime: i64,
}

/// A token and the data stored with it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) token: Token,
    pub(super) kind: TokenKind,
    pub(super) username: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    pub(super) token_name: Option<String>,
    /// For internal tokens: the service that acts for the user.
    pub(super) service: Option<String>,
    /// The key of the token that this one was delegated from.
    pub(super) parent: Option<String>,
    pub(super) data: UserData,
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// Created by a login in a browser.
    Session,
    /// Created by the user, or by an administrator for the user.
    User,
    /// Delegated to JupyterLab.
    Notebook,
    /// Delegated to a service that acts for the user.
    Internal,
    /// For a service itself; its user is a bot.
    Service,
    /// Created by an OpenID Connect login.
    Oidc,
}

/// The purpose of a delegated token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Delegation {
    Notebook,
    Internal {
        service: String,
        scopes: BTreeSet<String>,
    },
}

impl Tokens {
    pub(super) const fn new(lifetime: i64) -> Self {
        Self {
            by_key: BTreeMap::new(),
            lifetime,
        }
    }

    /// Finds the live token with this text. Only the correct secret finds it, and the comparison
    /// takes the same time for every wrong one.
    pub(super) fn find(&self, text: &str, now: i64) -> Option<&Record> {
        let (key, _) = parts(text).ok()?;
        let given = vouchsafe_core::Secret::from(text);
        self.alive(key, now)
            .filter(|record| *record.token.secret() == given)
    }

    /// Finds a live token by its key.
    pub(super) fn alive(&self, key: &str, now: i64) -> Option<&Record> {
        self.by_key.get(key).filter(|record| record.is_alive(now))
    }

    /// Returns a user's live tokens, newest first.
    pub(super) fn of_user(&self, username: &str, now: i64) -> Vec<&Record> {
        let records = self.by_key.values();
        let mut own: Vec<_> = records
            .filter(|record| record.username == username && record.is_alive(now))
            .collect();
        own.sort_by_key(|record| std::cmp::Reverse(record.created));
        own
    }

    /// Returns all tokens, including expired ones.
    pub(super) fn all(&self) -> impl Iterator<Item = &Record> {
        self.by_key.values()
    }

    /// Returns whether the user has a live token with this name.
    pub(super) fn is_named(&self, username: &str, name: &str, now: i64) -> bool {
        let own = self.of_user(username, now);
        own.iter()
            .any(|record| record.token_name.as_deref() == Some(name))
    }

    /// Sets the creation time of all tokens.
    pub(super) fn date(&mut self, created: i64) {
        for record in self.by_key.values_mut() {
            record.created = created;
        }
    }

    pub(super) fn insert(&mut self, record: Record) {
        self.by_key.insert(record.token.key().to_owned(), record);
    }

    /// Limits the lifetime of tokens delegated from a token to `end`.
    pub(super) fn end_children(&mut self, key: &str, end: i64) {
        let mut shortened = Vec::new();
        for record in self.by_key.values_mut() {
            let is_child = record.parent.as_deref() == Some(key);
            if is_child && record.expires.is_none_or(|own| own > end) {
                record.expires = Some(end);
                shortened.push(record.token.key().to_owned());
            }
        }
        for child in shortened {
            self.end_children(&child, end);
        }
    }

    /// Revokes a token and the tokens delegated from it; `false` if it does not exist.
    pub(super) fn revoke(&mut self, key: &str) -> bool {
        if self.by_key.remove(key).is_none() {
            return false;
        }
        let records = self.by_key.values();
        let children: Vec<String> = records
            .filter(|record| record.parent.as_deref() == Some(key))
            .map(|record| record.token.key().to_owned())
            .collect();
        for child in children {
            self.revoke(&child);
        }
        true
    }

    /// Returns a token delegated from another. The last one is returned again while it has the
    /// requested lifetime, or as much as its parent allows.
    pub(super) fn delegate(
        &mut self,
        parent: &Record,
        purpose: &Delegation,
        minimum: i64,
        now: i64,
    ) -> Token {
        let (kind, service, scopes) = match purpose {
            Delegation::Notebook => (TokenKind::Notebook, None, parent.scopes.clone()),
            Delegation::Internal { service, scopes } => {
                let held = scopes.intersection(&parent.scopes).cloned().collect();
                (TokenKind::Internal, Some(service.clone()), held)
            }
        };
        let bounded = |end: i64| parent.expires.map_or(end, |limit| limit.min(end));
        let needed = bounded(now.saturating_add(minimum));
        let fits = |record: &&Record| {
            record.parent.as_deref() == Some(parent.token.key())
                && record.kind == kind
                && record.service == service
                && record.scopes == scopes
                && record.is_alive(now)
                && record.expires.is_none_or(|end| end >= needed)
        };
        if let Some(old) = self.by_key.values().find(fits) {
            return old.token.clone();
        }
        let token = Token::random();
        self.insert(Record {
            token: token.clone(),
            kind,
            username: parent.username.clone(),
            scopes,
            created: now,
            expires: Some(bounded(now.saturating_add(self.lifetime))),
            token_name: None,
            service,
            parent: Some(parent.token.key().to_owned()),
            data: parent.data.clone(),
        });
        token
    }
}

impl Record {
    pub(super) fn is_alive(&self, now: i64) -> bool {
        self.expires.is_none_or(|end| end > now)
    }

    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }

    /// The form in the token routes, without the secret.
    pub(super) fn info(&self) -> Value {
        let mut fields = Map::new();
        for (key, value) in [
            ("username", Some(json!(self.username))),
            ("token_type", Some(json!(self.kind.to_string()))),
            ("scopes", Some(json!(self.scopes))),
            ("created", Some(json!(self.created))),
            ("token", Some(json!(self.token.key()))),
            ("expires", self.expires.map(|end| json!(end))),
            ("token_name", self.token_name.as_ref().map(|n| json!(n))),
            ("service", self.service.as_ref().map(|n| json!(n))),
            ("parent", self.parent.as_ref().map(|key| json!(key))),
        ] {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value);
            }
        }
        fields.into()
    }
}

impl TokenKind {
    pub(super) const ALL: [Self; 6] = [
        Self::Session,
        Self::User,
        Self::Notebook,
        Self::Internal,
        Self::Service,
        Self::Oidc,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Notebook => "notebook",
            Self::Internal => "internal",
            Self::Service => "service",
            Self::Oidc => "oidc",
        }
    }

    pub(super) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(username: &str, expires: Option<i64>) -> Record {
        Record {
            token: Token::random(),
            kind: TokenKind::User,
            username: username.to_owned(),
            scopes: ["a", "b"].map(str::to_owned).into(),
            created: 0,
            expires,
            token_name: Some("laptop".to_owned()),
            service: None,
            parent: None,
            data: UserData {
                uid: Some(7),
                ..UserData::default()
            },
        }
    }

    fn internal(scopes: &[&str]) -> Delegation {
        Delegation::Internal {
            service: "app".to_owned(),
            scopes: scopes.iter().map(|&s| s.to_owned()).collect(),
        }
    }

    #[test]
    fn a_token_is_found_by_its_whole_text_while_it_lives() {
        let mut tokens = Tokens::new(TOKEN_LIFETIME);
        let record = record("kim", Some(100));
        let text = record.token.secret().expose().to_owned();
        let wrong = format!(
            "{}{}",
            &text[..47],
            if text.ends_with('A') { 'B' } else { 'A' }
        );
        tokens.insert(record);
        assert!(tokens.find(&text, 99).is_some());
        assert!(tokens.find(&text, 100).is_none());
        assert!(tokens.find(&wrong, 0).is_none());
        assert!(tokens.find("gt-", 0).is_none());
    }

    #[test]
    fn a_delegated_token_is_given_again_for_the_same_purpose() {
        let mut tokens = Tokens::new(1000);
        let parent = record("kim", None);
        tokens.insert(parent.clone());
        let first = tokens.delegate(&parent, &internal(&["a", "x"]), 300, 0);
        let child = tokens.alive(first.key(), 0).unwrap().clone();
        assert_eq!(child.info()["scopes"], json!(["a"]));
        assert_eq!((child.expires, child.data.uid), (Some(1000), Some(7)));
        assert_eq!(tokens.delegate(&parent, &internal(&["a"]), 300, 700), first);
        assert_ne!(tokens.delegate(&parent, &internal(&["a"]), 300, 701), first);
        assert_ne!(tokens.delegate(&parent, &internal(&["b"]), 300, 0), first);
        let notebook = tokens.delegate(&parent, &Delegation::Notebook, 300, 0);
        assert_eq!(
            tokens.alive(notebook.key(), 0).unwrap().scopes,
            parent.scopes
        );
    }

    #[test]
    fn a_delegated_token_ends_with_its_parent_at_the_latest() {
        let mut tokens = Tokens::new(1000);
        let parent = record("kim", Some(400));
        tokens.insert(parent.clone());
        let child = tokens.delegate(&parent, &Delegation::Notebook, 300, 0);
        assert_eq!(tokens.alive(child.key(), 0).unwrap().expires, Some(400));
        // A longer lifetime is impossible: the same token is returned again.
        let again = tokens.delegate(&parent, &Delegation::Notebook, 300, 350);
        assert_eq!(again, child);
    }

    #[test]
    fn revoking_takes_the_whole_family() {
        let mut tokens = Tokens::new(1000);
        let parent = record("kim", None);
        tokens.insert(parent.clone());
        let child = tokens.delegate(&parent, &internal(&["a"]), 300, 0);
        let child_record = tokens.alive(child.key(), 0).unwrap().clone();
        let grandchild = tokens.delegate(&child_record, &internal(&["a"]), 300, 0);
        let other = record("lee", None);
        tokens.insert(other.clone());
        assert!(tokens.revoke(parent.token.key()));
        assert!(!tokens.revoke(parent.token.key()));
        assert!(tokens.alive(child.key(), 0).is_none());
        assert!(tokens.alive(grandchild.key(), 0).is_none());
        assert!(tokens.alive(other.token.key(), 0).is_some());
    }

    #[test]
    fn a_name_is_taken_while_its_token_lives() {
        let mut tokens = Tokens::new(1000);
        tokens.insert(record("kim", Some(10)));
        assert!(tokens.is_named("kim", "laptop", 9));
        assert!(!tokens.is_named("kim", "laptop", 10));
        assert!(!tokens.is_named("lee", "laptop", 0));
    }

    #[test]
    fn nothing_printed_holds_a_secret() {
        let mut tokens = Tokens::new(1000);
        let record = record("kim", None);
        let secret = record.token.secret().expose()[26..].to_owned();
        tokens.insert(record.clone());
        for text in [
            format!("{tokens:?}"),
            format!("{record:#?}"),
            record.info().to_string(),
        ] {
            assert!(!text.contains(&secret), "{text}");
        }
    }
}
