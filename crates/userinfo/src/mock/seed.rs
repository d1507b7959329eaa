//! Reading a world: directory, rules, tokens and discovery document, as a JSON text that other
//! implementations of the emulator read too.

use std::collections::{BTreeMap, BTreeSet};

use http::uri::Authority;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use vouchsafe_core::{ErrorKind, Secret};

use super::datetime;
use super::directory::{Directory, DirectoryGroup, Group, PrivateGroups, UserData};
use super::state::{BOOTSTRAP_USER, DirectoryAccess, Repertoire, State};
use super::tokens::{Record, TOKEN_LIFETIME, TokenKind, Tokens};
use super::world;
use crate::{Error, QuotaConfig, Result, Token};

/// What a server knows at its start.
///
/// `Debug` shows no secret of a token.
#[derive(Clone, Debug)]
pub struct Seed {
    pub(super) state: State,
    /// The tokens by the names that the world gives them.
    pub(super) named: BTreeMap<String, Token>,
}

impl Seed {
    /// Reads one configuration of a world; `None` takes the only one that it has.
    ///
    /// A configuration is that of a Gafaelfawr or of a Repertoire. The former is served together
    /// with the first discovery document of the world that leads to a Gafaelfawr.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the text is no world or has no such configuration.
    pub fn parse<'c>(text: &str, config: impl Into<Option<&'c str>>) -> Result<Self> {
        let world: World = serde_json::from_str(text).map_err(|fault| {
            wrong(format!(
                "not a world: {} at line {}, column {}",
                without_values(&fault),
                fault.line(),
                fault.column()
            ))
        })?;
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
            let token = seed.token()?;
            if seed.username == BOOTSTRAP_USER {
                state.bootstrap = Some(token.clone());
            } else if seed.config != "*" && !owner.contains(seed.config.as_str()) {
                continue;
            } else if seed.is_revoked() {
                // Known to tests by its name, and to the server no more.
            } else {
                state.tokens.insert(seed.record(token.clone())?);
            }
            named.insert(seed.name.clone(), token);
        }
        Ok(Self { state, named })
    }
}

#[derive(Deserialize)]
struct World {
    base_hostname: String,
    #[serde(default = "default_lifetime")]
    token_lifetime_seconds: i64,
    configs: BTreeMap<String, Value>,
    #[serde(default)]
    directory: DirectorySeed,
    #[serde(default)]
    tokens: Vec<TokenSeed>,
}

#[derive(Default, Deserialize)]
struct DirectorySeed {
    #[serde(default)]
    users: Vec<UserSeed>,
    #[serde(default)]
    groups: Vec<GroupSeed>,
}

#[derive(Deserialize)]
struct UserSeed {
    username: String,
    #[serde(flatten)]
    data: DataSeed,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct DataSeed {
    name: Option<String>,
    email: Option<String>,
    uid: Option<i64>,
    gid: Option<i64>,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct GroupSeed {
    name: String,
    gid: i64,
    #[serde(default)]
    members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct TokenSeed {
    name: String,
    config: String,
    token: Secret,
    username: String,
    token_type: String,
    #[serde(default)]
    scopes: BTreeSet<String>,
    token_name: Option<String>,
    service: Option<String>,
    expires: Option<Value>,
    #[serde(default)]
    overrides: DataSeed,
    #[serde(default)]
    special: String,
}

#[derive(Deserialize)]
#[serde(default)]
struct ConfigSeed {
    directory: Value,
    add_user_group: bool,
    system_groups: BTreeSet<String>,
    known_scopes: BTreeSet<String>,
    quota: Option<QuotaConfig>,
    document: Option<Value>,
    path_prefix: String,
    influxdb_passwords: BTreeMap<String, (String, Secret)>,
}

impl Default for ConfigSeed {
    fn default() -> Self {
        Self {
            directory: json!(false),
            add_user_group: false,
            system_groups: BTreeSet::new(),
            known_scopes: BTreeSet::new(),
            quota: None,
            document: None,
            path_prefix: "/repertoire".to_owned(),
            influxdb_passwords: BTreeMap::new(),
        }
    }
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

    /// Returns a configuration with what it takes from others, and the names whose tokens it
    /// knows.
    fn config(&self, name: &str) -> Result<(BTreeSet<&str>, Map<String, Value>)> {
        let mut fields = Map::new();
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
                owners.extend(config["shares_tokens_with"].as_str());
            }
            if !seen.insert(name) {
                return Err(wrong(format!(
                    "configuration {name:?} is the same as itself"
                )));
            }
            let Value::Object(config_fields) = config else {
                return Err(wrong(format!("configuration {name:?} is no object")));
            };
            for (key, value) in config_fields {
                // What is said first, nearest to the one asked for, counts.
                fields.entry(key).or_insert_with(|| value.clone());
            }
            next = config["same_as"].as_str();
        }
        Ok((owners, fields))
    }

    fn state(&self, config: &Map<String, Value>) -> Result<State> {
        let config = ConfigSeed::read(config)?;
        let directory = match &config.directory {
            Value::Bool(true) => DirectoryAccess::Up,
            Value::Bool(false) => DirectoryAccess::Absent,
            Value::String(text) if text == "unreachable" => DirectoryAccess::Down,
            other => return Err(wrong(format!("no kind of directory: {other}"))),
        };
        let private_groups = if config.add_user_group {
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
            repertoire: self.repertoire(&config)?,
            system_groups: config.system_groups,
            known_scopes: config.known_scopes,
            quota: config.quota,
            ..State::default()
        })
    }

    /// Returns the configuration's own discovery document, or the one that leads to it.
    fn repertoire(&self, config: &ConfigSeed) -> Result<Repertoire> {
        if let Some(document) = &config.document {
            return Ok(config.repertoire(document.clone()));
        }
        let gafaelfawr = "/document/services/internal/gafaelfawr";
        let leads_here = |other: &&Value| other.pointer(gafaelfawr).is_some();
        let Some(Value::Object(other)) = self.configs.values().find(leads_here) else {
            return Ok(config.repertoire(world::document(&self.base_hostname)));
        };
        let other = ConfigSeed::read(other)?;
        Ok(other.repertoire(other.document.clone().unwrap_or_default()))
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.configs.keys().map(String::as_str).collect();
        names.join(", ")
    }
}

impl ConfigSeed {
    fn read(fields: &Map<String, Value>) -> Result<Self> {
        let read = |fields| serde_json::from_value::<Self>(Value::Object(fields));
        let config = read(fields.clone()).map_err(|fault| {
            // All fields have defaults, so one alone shows whether it is at fault.
            let is_at_fault = |(key, value): &(&String, &Value)| {
                read(Map::from_iter([((*key).clone(), (*value).clone())])).is_err()
            };
            let field = fields.iter().find(is_at_fault).map(|(key, _)| key.as_str());
            let field = field.unwrap_or("some field");
            wrong(format!(
                "in a configuration, {field}: {}",
                without_values(&fault)
            ))
        })?;
        if config
            .document
            .as_ref()
            .is_some_and(|document| !document.is_object())
        {
            return Err(wrong("in a configuration, document: no object".to_owned()));
        }
        Ok(config)
    }

    fn repertoire(&self, document: Value) -> Repertoire {
        Repertoire {
            prefix: self.path_prefix.clone(),
            document,
            logins: self.influxdb_passwords.clone(),
        }
    }
}

impl DirectorySeed {
    fn read(&self) -> Directory {
        let users = self.users.iter();
        let groups = self.groups.iter();
        Directory {
            users: users
                .map(|user| (user.username.clone(), user.data.read()))
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
    fn token(&self) -> Result<Token> {
        Token::parse(self.token.expose())
            .map_err(|fault| wrong(format!("token {:?}: {fault}", self.name)))
    }

    fn is_revoked(&self) -> bool {
        self.special.starts_with("revoked")
    }

    fn record(&self, token: Token) -> Result<Record> {
        let wrong = |what: &str| wrong(format!("token {:?}: {what}", self.name));
        let expires = match &self.expires {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                Some(datetime::parse(text).map_err(|_| wrong("not a time"))?)
            }
            Some(value) => Some(value.as_i64().ok_or_else(|| wrong("not a time"))?),
        };
        Ok(Record {
            token,
            kind: TokenKind::of(&self.token_type).ok_or_else(|| wrong("no such type"))?,
            username: self.username.clone(),
            scopes: self.scopes.clone(),
            created: 0,
            expires,
            token_name: self.token_name.clone(),
            service: self.service.clone(),
            parent: None,
            data: self.overrides.read(),
        })
    }
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

/// Returns what a parser expected, without what it found: that may be a token or password.
fn without_values(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    if !fault.is_data() {
        let place = format!(" at line {} column {}", fault.line(), fault.column());
        return text.replace(&place, "");
    }
    if let Some(rest) = text.strip_prefix("missing field `")
        && let Some((field, _)) = rest.split_once('`')
    {
        return format!("missing field {field}");
    }
    let expected = text.rsplit_once(", expected ").map(|(_, rest)| rest);
    let expected = expected.and_then(|rest| rest.split(" at line ").next());
    expected.map_or_else(
        || "a value of the wrong form".to_owned(),
        |expected| format!("expected {expected}"),
    )
}

fn wrong(message: String) -> Error {
    Error::from(vouchsafe_core::Error::new(ErrorKind::Config, message))
}

const fn default_lifetime() -> i64 {
    TOKEN_LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> Value {
        let token = |name: &str, config: &str, more: Value| {
            let mut token = json!({
                "name": name, "config": config, "username": "kim", "token_type": "user",
                "token": Token::random().secret().expose()
            });
            for (key, value) in more.as_object().unwrap() {
                token[key] = value.clone();
            }
            token
        };
        json!({
            "base_hostname": "h.example.org",
            "configs": {
                "one": {"directory": true, "known_scopes": ["a"], "quota": {"bypass": ["g"]}},
                "down": {"same_as": "one", "directory": "unreachable", "shares_tokens_with": "one"},
                "bare": {"same_as": "one", "quota": null},
                "loop": {"same_as": "loop"},
                "odd": {"directory": "elsewhere"},
                "rep": {
                    "document": {"services": {"internal": {"gafaelfawr": {"url": "u"}}}},
                    "path_prefix": "/r", "influxdb_passwords": {"db": ["user", "planted-password"]}
                }
            },
            "directory": {
                "users": [{"username": "kim", "uid": 5}],
                "groups": [{"name": "g", "gid": 9, "members": ["kim"]}]
            },
            "tokens": [
                token("own", "one", json!({"expires": "2050-01-01T00:00:00Z"})),
                token("gone", "one", json!({"special": "revoked long ago"})),
                token("other", "bare", json!({})),
                token("root", "*", json!({"username": "<bootstrap>"}))
            ]
        })
    }

    fn seed(config: &str) -> Seed {
        Seed::parse(&world().to_string(), config).unwrap()
    }

    #[test]
    fn configurations_take_from_others_and_share_tokens_only_if_they_say_so() {
        let down = seed("down");
        assert_eq!(down.state.access, DirectoryAccess::Down);
        assert!(down.state.quota.is_some() && down.state.bootstrap.is_some());
        assert!(down.named.contains_key("own") && !down.named.contains_key("other"));
        let bare = seed("bare");
        assert_eq!(bare.state.quota, None);
        assert!(bare.state.known_scopes.contains("a"));
        assert!(!bare.named.contains_key("own"));
    }

    #[test]
    fn a_revoked_token_has_a_name_and_no_life() {
        let one = seed("one");
        let is_alive = |name: &str| one.state.tokens.alive(one.named[name].key(), 0).is_some();
        assert!(is_alive("own") && !is_alive("gone"));
    }

    #[test]
    fn a_gafaelfawr_is_served_with_a_document_that_leads_to_it() {
        let one = seed("one").state.repertoire;
        assert_eq!(one.prefix, "/r");
        let mut world = world();
        world["configs"].as_object_mut().unwrap().remove("rep");
        let made = Seed::parse(&world.to_string(), "one")
            .unwrap()
            .state
            .repertoire;
        let url = &made.document["services"]["internal"]["gafaelfawr"]["versions"]["v1"]["url"];
        assert_eq!(url, "https://h.example.org/auth/api/v1");
    }

    #[test]
    fn what_makes_no_url_is_refused() {
        for (pointer, bad) in [
            ("/base_hostname", "user@host"),
            ("/base_hostname", "a b"),
            ("/configs/rep/path_prefix", "r"),
            ("/configs/rep/path_prefix", "/"),
            ("/configs/rep/path_prefix", "/r?q"),
        ] {
            let mut world = world();
            *world.pointer_mut(pointer).unwrap() = json!(bad);
            assert!(Seed::parse(&world.to_string(), "one").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        for (text, told) in [
            ("", "not a world: EOF while parsing a value at line 1"),
            ("{}", "missing field base_hostname"),
            (r#"{"base_hostname": 5}"#, "expected a string at line 1"),
            (
                r#"{"base_hostname": "h", "configs": {"a": 5}}"#,
                "\"a\" is no object",
            ),
            (
                r#"{"base_hostname": "h", "configs": {"a": {"known_scopes": "x"}}}"#,
                "known_scopes: expected a sequence",
            ),
            (
                r#"{"base_hostname": "h", "configs": {"a": {"document": 5}}}"#,
                "document: no object",
            ),
        ] {
            let error = Seed::parse(text, None).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn faults_are_told_without_secrets() {
        let text = world().to_string();
        for config in [Some("none"), Some("loop"), Some("odd"), None] {
            let error = Seed::parse(&text, config).unwrap_err().to_string();
            assert!(!error.contains("gt-"), "{error}");
        }
        let broken = text.replace("\"config\":\"one\"", "\"config\":7");
        let error = Seed::parse(&broken, "one").unwrap_err();
        assert!(!error.to_string().contains("gt-"), "{error}");
        let planted = text.replace("\"uid\":5", "\"uid\":\"gt-planted, expected `gt-x`\"");
        let error = Seed::parse(&planted, "one").unwrap_err();
        assert!(!error.to_string().contains("gt-"), "{error}");
        let printed = format!("{:?}", seed("one"));
        assert!(!printed.contains("planted-password"));
    }
}
