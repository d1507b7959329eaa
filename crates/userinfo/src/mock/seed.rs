//! Parses a world: directory, rules, tokens and discovery document, in a JSON format that other
//! implementations of the emulator also read.

use std::collections::{BTreeMap, BTreeSet};

use http::uri::Authority;
use serde::de::{IgnoredAny, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use vouchsafe_core::mock::strict;
use vouchsafe_core::{ErrorKind, Secret};

use super::directory::{Directory, DirectoryGroup, Group, PrivateGroups, UserData};
use super::state::{BOOTSTRAP_USER, DirectoryAccess, Repertoire, State};
use super::tokens::{Record, TOKEN_LIFETIME, TokenKind, Tokens};
use super::{datetime, repertoire, requests};
use crate::{Error, QuotaConfig, Result, Token};

/// The initial state of a server.
///
/// `Debug` does not show the secrets of tokens.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(super) state: State,
    /// The tokens by their names in the world.
    pub(super) named: BTreeMap<String, Token>,
}

impl Seed {
    /// Parses one configuration of a world; `None` selects its only one.
    ///
    /// A configuration is for Gafaelfawr or for Repertoire. One for Gafaelfawr is served together
    /// with the first discovery document of the world that leads to a Gafaelfawr.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the text is not a world, has an unknown key, or has no such
    /// configuration.
    /// configuration.
    pub fn parse<'c>(text: &str, config: impl Into<Option<&'c str>>) -> Result<Self> {
        let world: World = strict::read(text)
            .map_err(|fault| wrong(format!("not a world: {}", fault.message())))?;
        let name = match config.into() {
            Some(name) => name,
            None => world.only_config()?,
        };
        let (owner, config) = world.config(name)?;
        let mut state = world.state(&config)?;
        check_host(&state.hostname)?;
        check_prefix(&state.repertoire.prefix)?;
        let mut named = BTreeMap::new();
        for seed in &world.tokens {
            let token = seed.token.clone();
            if seed.username == BOOTSTRAP_USER {
                state.bootstrap = Some(token.clone());
            } else if seed.config != "*" && !owner.contains(seed.config.as_str()) {
                continue;
            } else if seed.is_revoked() {
                // Tests know it by its name, but it is unknown to the server.
            } else {
                state.tokens.insert(seed.record());
            }
            named.insert(seed.name.clone(), token);
        }
        Ok(Self { state, named })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    /// A description of the file for people.
    #[serde(default, rename = "about")]
    _about: IgnoredAny,
    base_hostname: String,
    #[serde(default = "default_lifetime")]
    token_lifetime_seconds: i64,
    /// A fact about the server, which cannot be changed.
    #[serde(default, rename = "minimum_lifetime_seconds")]
    _minimum_lifetime_seconds: IgnoredAny,
    configs: BTreeMap<String, ConfigSeed>,
    #[serde(default)]
    directory: DirectorySeed,
    #[serde(default)]
    tokens: Vec<TokenSeed>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DirectorySeed {
    #[serde(rename = "note")]
    _note: IgnoredAny,
    users: Vec<UserSeed>,
    groups: Vec<GroupSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserSeed {
    username: String,
    name: Option<String>,
    email: Option<String>,
    uid: Option<i64>,
    gid: Option<i64>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DataSeed {
    name: Option<String>,
    email: Option<String>,
    uid: Option<i64>,
    gid: Option<i64>,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupSeed {
    name: String,
    gid: i64,
    #[serde(default)]
    members: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenSeed {
    name: String,
    config: String,
    #[serde(deserialize_with = "token")]
    token: Token,
    username: String,
    #[serde(deserialize_with = "kind")]
    token_type: TokenKind,
    #[serde(default)]
    scopes: BTreeSet<String>,
    token_name: Option<String>,
    service: Option<String>,
    #[serde(default, deserialize_with = "time")]
    expires: Option<i64>,
    #[serde(default)]
    overrides: DataSeed,
    #[serde(default)]
    special: String,
}

/// A configuration. Missing fields come from the one named by `same_as`, or have default values.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigSeed {
    same_as: Option<String>,
    shares_tokens_with: Option<String>,
    directory: Option<DirectoryKind>,
    add_user_group: Option<bool>,
    system_groups: Option<BTreeSet<String>>,
    known_scopes: Option<BTreeSet<String>>,
    /// Null differs from a missing field: it means that there are no rules.
    #[serde(deserialize_with = "rules")]
    quota: Option<Option<QuotaConfig>>,
    #[serde(deserialize_with = "present")]
    document: Option<Option<Map<String, Value>>>,
    path_prefix: Option<String>,
    influxdb_passwords: Option<BTreeMap<String, (String, Secret)>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum DirectoryKind {
    Is(bool),
    Other(DirectoryName),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DirectoryName {
    Unreachable,
}

fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl World {
    fn only_config(&self) -> Result<&str> {
        let mut names = self.configs.keys();
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(name),
            _ => Err(wrong(format!(
                "name one of its configurations: {}",
                self.names()
            ))),
        }
    }

    /// Returns a configuration completed from others, and the names of its known tokens.
    fn config(&self, name: &str) -> Result<(BTreeSet<&str>, ConfigSeed)> {
        let mut merged = ConfigSeed::default();
        let mut owners = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let Some((name, config)) = self.configs.get_key_value(name) else {
                let names = self.names();
                return Err(wrong(format!("no configuration {name:?}, but {names}")));
            };
            if seen.is_empty() {
                owners.insert(name.as_str());
                owners.extend(config.shares_tokens_with.as_deref());
            }
            if !seen.insert(name) {
                let what = format!("same_as of configuration {name:?} leads back to it");
                return Err(wrong(what));
            }
            // The configuration nearest to the requested one takes precedence.
            merged = merged.or(config);
            next = config.same_as.as_deref();
        }
        Ok((owners, merged))
    }

    fn state(&self, config: &ConfigSeed) -> Result<State> {
        let directory = match config.directory {
            Some(DirectoryKind::Is(true)) => DirectoryAccess::Up,
            None | Some(DirectoryKind::Is(false)) => DirectoryAccess::Absent,
            Some(DirectoryKind::Other(DirectoryName::Unreachable)) => DirectoryAccess::Down,
        };
        let private_groups = if config.add_user_group.unwrap_or_default() {
            PrivateGroups::Added
        } else {
            PrivateGroups::None
        };
        Ok(State {
            hostname: self.base_hostname.clone(),
            access: directory,
            directory: self.directory.read(),
            private_groups,
            tokens: Tokens::new(self.token_lifetime_seconds),
            repertoire: self.repertoire(config),
            system_groups: config.system_groups.clone().unwrap_or_default(),
            known_scopes: config.known_scopes.clone().unwrap_or_default(),
            quota: config.quota.clone().flatten(),
            ..State::default()
        })
    }

    /// Returns the configuration's own discovery document, or the one that leads to it.
    fn repertoire(&self, config: &ConfigSeed) -> Repertoire {
        if let Some(Some(document)) = &config.document {
            return config.repertoire(Value::Object(document.clone()));
        }
        let gafaelfawr = |document: &Map<String, Value>| {
            let internal = document.get("services")?.get("internal")?;
            internal.get("gafaelfawr").map(drop)
        };
        let leading = self.configs.values().find_map(|other| {
            let document = other.document.as_ref()?.as_ref()?;
            gafaelfawr(document).map(|()| (other, document))
        });
        match leading {
            Some((other, document)) => other.repertoire(Value::Object(document.clone())),
            None => config.repertoire(repertoire::document(&self.base_hostname)),
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.configs.keys().map(String::as_str).collect();
        names.join(", ")
    }
}

impl ConfigSeed {
    /// Fills in missing fields from another configuration.
    fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            same_as: self.same_as.or(other.same_as),
            shares_tokens_with: self.shares_tokens_with.or(other.shares_tokens_with),
            directory: self.directory.or(other.directory),
            add_user_group: self.add_user_group.or(other.add_user_group),
            system_groups: self.system_groups.or(other.system_groups),
            known_scopes: self.known_scopes.or(other.known_scopes),
            quota: self.quota.or(other.quota),
            document: self.document.or(other.document),
            path_prefix: self.path_prefix.or(other.path_prefix),
            influxdb_passwords: self.influxdb_passwords.or(other.influxdb_passwords),
        }
    }

    fn repertoire(&self, document: Value) -> Repertoire {
        let prefix = self.path_prefix.clone();
        Repertoire {
            prefix: prefix.unwrap_or_else(|| "/repertoire".to_owned()),
            document,
            logins: self.influxdb_passwords.clone().unwrap_or_default(),
        }
    }
}

impl DirectorySeed {
    fn read(&self) -> Directory {
        let users = self.users.iter();
        let groups = self.groups.iter();
        Directory {
            users: users
                .map(|user| (user.username.clone(), user.read()))
                .collect(),
            groups: groups
                .map(|seed| DirectoryGroup {
                    group: Group {
                        name: seed.name.clone(),
                        id: seed.gid,
                    },
                    members: seed.members.clone(),
                })
                .collect(),
        }
    }
}

impl UserSeed {
    fn read(&self) -> UserData {
        UserData {
            name: self.name.clone(),
            email: self.email.clone(),
            uid: self.uid,
            gid: self.gid,
            groups: self.groups.clone(),
        }
    }
}

impl DataSeed {
    fn read(&self) -> UserData {
        let Self {
            name,
            email,
            uid,
            gid,
            groups,
        } = self.clone();
        UserData {
            name,
            email,
            uid,
            gid,
            groups,
        }
    }
}

impl TokenSeed {
    fn is_revoked(&self) -> bool {
        self.special.starts_with("revoked")
    }

    fn record(&self) -> Record {
        Record {
            token: self.token.clone(),
            kind: self.token_type,
            username: self.username.clone(),
            scopes: self.scopes.clone(),
            created: 0,
            expires: self.expires,
            token_name: self.token_name.clone(),
            service: self.service.clone(),
            parent: None,
            data: self.overrides.read(),
        }
    }
}

fn token<'de, D: Deserializer<'de>>(value: D) -> std::result::Result<Token, D::Error> {
    let text = Secret::deserialize(value)?;
    let form = "a token: gt-, 22 characters, a dot, 22 characters";
    Token::parse(text.expose()).map_err(|_| odd(&form))
}

fn kind<'de, D: Deserializer<'de>>(value: D) -> std::result::Result<TokenKind, D::Error> {
    let text = String::deserialize(value)?;
    let kinds = TokenKind::ALL.map(|kind| kind.to_string()).join(", ");
    TokenKind::of(&text).ok_or_else(|| odd(&&*format!("one of {kinds}")))
}

fn time<'de, D: Deserializer<'de>>(value: D) -> std::result::Result<Option<i64>, D::Error> {
    let time = match Value::deserialize(value)? {
        Value::Null => return Ok(None),
        Value::String(text) => datetime::parse(&text).ok(),
        other => other.as_i64(),
    };
    let time = time.ok_or_else(|| odd(&"a date and time, seconds since 1970, or null"))?;
    Ok(Some(time))
}

/// A quota configuration. The client's type for it does not check the keys.
fn rules<'de, D: Deserializer<'de>>(
    value: D,
) -> std::result::Result<Option<Option<QuotaConfig>>, D::Error> {
    let value = Value::deserialize(value)?;
    if value.is_null() {
        return Ok(Some(None));
    }
    let read = requests::quota_config(&value).map_err(|problems| {
        let place = problems
            .first()
            .map(|problem| problem.place())
            .unwrap_or_default();
        odd(&&*format!("rules of quotas, but {place} has another form"))
    });
    read.map(|rules| Some(Some(rules)))
}

/// A fault that names what was expected, but not what was found, since that may be a secret.
fn odd<E: serde::de::Error>(expected: &dyn serde::de::Expected) -> E {
    E::invalid_value(Unexpected::Other("something else"), expected)
}

fn check_host(host: &str) -> Result<()> {
    let is_host = host.parse::<Authority>().is_ok() && !host.contains('@');
    is_host
        .then_some(())
        .ok_or_else(|| wrong(format!("no host: {host:?}")))
}

fn check_prefix(prefix: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_prefix = prefix.len() > 1 && !prefix.ends_with('/') && prefix.bytes().all(is_plain);
    (is_prefix && prefix.starts_with('/'))
        .then_some(())
        .ok_or_else(|| wrong(format!("no prefix of paths: {prefix:?}")))
}

fn wrong(message: String) -> Error {
    Error::from(vouchsafe_core::Error::new(ErrorKind::Config, message))
}

const fn default_lifetime() -> i64 {
    TOKEN_LIFETIME
}

#[cfg(test)]
mod tests;
