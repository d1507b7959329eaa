//! The initial state of the service.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use vouchsafe_core::mock::strict;
use vouchsafe_core::{Error, ErrorKind, Result, Secret};

use super::data::{ADDRESS, Data, Domain, Email, Group, Policy, Tenant, User};
use super::directory::{Directory, Entry, Name};
use super::registration::INIT_KEY;
use super::settings::Settings;
use super::state::State;
use crate::acl::Rules;

/// The initial world of a [`Server`](super::Server): tenants, users, groups and policies, and the
/// service's configuration.
///
/// It is read from JSON, with objects in the service's own form. Users and groups also list their
/// policies by slug, groups list their users, and `credentials` has the passwords. `directories` are
/// those of LDAP: each has `host`, `port` and `entries` with `dn`, `password` and `attributes`, and
/// is asked by logins of a tenant that is configured for it. `server_config` is the service's own configuration; three more members make an older server of it, as
/// [`Settings`] explains: `"legacy": true`, `"acl_rules": "old"`, and `init_key`.
///
/// ```
/// use vouchsafe_wazo_auth::mock::Seed;
///
/// let seed = Seed::parse(r##"{
///     "tenants": [{"uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55", "name": "master", "slug": "master"}],
///     "users": [{
///         "uuid": "d082e3a1-6283-4987-892e-027fadbfdf39", "username": "root",
///         "tenant_uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55", "policies": ["all"]
///     }],
///     "policies": [{
///         "uuid": "304f4289-b1b8-4d3e-8262-4154cdc40782", "name": "all", "slug": "all", "acl": ["#"],
///         "tenant_uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55", "read_only": true
///     }],
///     "credentials": {"root": {"username": "root", "password": "s3cr3t"}},
///     "server_config": {"default_token_lifetime": 600}
/// }"##)?;
/// # let _ = seed;
/// # Ok::<(), vouchsafe_wazo_auth::core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Seed {
    pub(super) state: State,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tenants: Vec<TenantEntry>,
    #[serde(default)]
    users: Vec<UserEntry>,
    #[serde(default)]
    policies: Vec<PolicyEntry>,
    #[serde(default)]
    groups: Vec<GroupEntry>,
    #[serde(default)]
    credentials: BTreeMap<String, Credentials>,
    #[serde(default)]
    directories: Vec<DirectoryEntry>,
    xivo_uuid: Option<String>,
    #[serde(default)]
    server_config: Map<String, Value>,
    #[serde(default)]
    legacy: bool,
    #[serde(default)]
    acl_rules: RulesEntry,
    init_key: Option<Secret>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RulesEntry {
    #[default]
    Current,
    Old,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantEntry {
    uuid: String,
    parent_uuid: Option<String>,
    name: Option<String>,
    slug: String,
    contact: Option<String>,
    phone: Option<String>,
    default_authentication_method: Option<String>,
    #[serde(default)]
    domain_names: Vec<String>,
    #[serde(default)]
    address: BTreeMap<String, Option<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    uuid: String,
    username: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    purpose: Option<String>,
    enabled: Option<bool>,
    authentication_method: Option<String>,
    tenant_uuid: String,
    #[serde(default)]
    emails: Vec<EmailEntry>,
    #[serde(default)]
    policies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailEntry {
    uuid: String,
    address: String,
    #[serde(default)]
    main: bool,
    #[serde(default)]
    confirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyEntry {
    uuid: String,
    tenant_uuid: String,
    name: String,
    slug: String,
    description: Option<String>,
    #[serde(default)]
    acl: Vec<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    shared: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    uuid: String,
    tenant_uuid: String,
    name: String,
    slug: String,
    #[serde(default)]
    system_managed: bool,
    /// The service writes the same value under both names.
    #[serde(default, rename = "read_only")]
    _read_only: IgnoredAny,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    users: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectoryEntry {
    host: String,
    port: u16,
    protocol_security: Option<SecurityEntry>,
    #[serde(default)]
    entries: Vec<PersonEntry>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SecurityEntry {
    Ldaps,
    Tls,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonEntry {
    dn: String,
    password: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, Values>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum Values {
    One(String),
    Many(Vec<String>),
}

fn wrong(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Config, why.to_string())
}

impl Seed {
    /// Returns a small world, which `vouchsafe serve` uses too: the tenant `master` with the user
    /// `admin`, who may do everything, and the policies and groups of every installation.
    ///
    /// # Panics
    ///
    /// Never: a test reads it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test shows that it does not happen")]
    pub fn sample() -> Self {
        Self::parse(include_str!("sample.json")).expect("the sample is a good seed")
    }

    /// Reads a world.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it is not JSON of this form, with the place and the key of the
    /// fault; if its tenants do not form a tree, it refers to something that is missing, or it
    /// configures something that the emulator does not know. Values are not quoted, since they may
    /// be passwords.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = strict::read(text)?;
        let mut settings = Settings {
            xivo_uuid: file.xivo_uuid.clone(),
            legacy: file.legacy,
            acl_rules: match file.acl_rules {
                RulesEntry::Current => Rules::Current,
                RulesEntry::Old => Rules::Old,
            },
            init_key: file.init_key.clone(),
            ..Settings::default()
        };
        if let Some(key) = &settings.init_key {
            if !settings.legacy {
                return Err(wrong(
                    "init_key: a server without legacy has no route for it",
                ));
            }
            if u64::try_from(key.expose().chars().count()) != Ok(INIT_KEY) {
                return Err(wrong(format!("init_key: a key has {INIT_KEY} characters")));
            }
        }
        settings.apply(&file.server_config)?;
        let mut state = State::new(Data::default(), settings, fastrand::Rng::new());
        file.fill(&mut state)?;
        Ok(Self { state })
    }

    /// Changes the configuration.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.state.settings);
        self
    }

    /// Changes the configuration by the service's own keys, as in `server_config`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the emulator does not know a key, or a value has the wrong type.
    pub fn configure(mut self, config: &Map<String, Value>) -> Result<Self> {
        self.state.settings.apply(config)?;
        Ok(self)
    }

    /// Makes random values the same in every run.
    #[must_use]
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.state.random = fastrand::Rng::with_seed(seed);
        self
    }
}

impl File {
    fn fill(self, state: &mut State) -> Result<()> {
        let top = self
            .tenants
            .first()
            .ok_or_else(|| wrong("it has no tenant"))?
            .uuid
            .clone();
        for entry in self.tenants {
            let uuid = entry.uuid.clone();
            let tenant = entry.tenant(state, &top);
            state.data.tenants.insert(uuid, tenant);
        }
        if state.top().is_empty() {
            return Err(wrong("no tenant is its own parent"));
        }
        let below = state.subtree(state.top());
        if let Some(other) = state
            .data
            .tenants
            .keys()
            .find(|uuid| !below.contains(*uuid))
        {
            let top = state.top();
            return Err(wrong(format!(
                "tenant {other} is not below {top}, the root of the tree"
            )));
        }
        let known = |state: &State, tenant: &str| match state.data.tenants.contains_key(tenant) {
            true => Ok(()),
            false => Err(wrong(format!("there is no tenant {tenant}"))),
        };
        for entry in self.policies {
            known(state, &entry.tenant_uuid)?;
            let policy = entry.policy();
            state.data.policies.insert(policy.uuid.clone(), policy);
        }
        for entry in self.users {
            known(state, &entry.tenant_uuid)?;
            for slug in &entry.policies {
                let policy = policy_of(state, slug)?;
                state.data.user_policies.add(&entry.uuid, &policy);
            }
            let user = entry.user();
            state.data.users.insert(user.uuid.clone(), user);
        }
        for entry in self.groups {
            known(state, &entry.tenant_uuid)?;
            entry.add(state)?;
        }
        for Credentials { username, password } in self.credentials.into_values() {
            let user = user_of(state, &username)?;
            let hash = state.hash(&password);
            if let Some(user) = state.data.users.get_mut(&user) {
                user.password = Some(hash);
            }
        }
        for entry in self.directories {
            let directory = entry.directory(state);
            state.directories.push(directory);
        }
        Ok(())
    }
}

impl DirectoryEntry {
    fn directory(self, state: &mut State) -> Directory {
        let security = self.protocol_security.map(|security| match security {
            SecurityEntry::Ldaps => "ldaps".to_owned(),
            SecurityEntry::Tls => "tls".to_owned(),
        });
        let mut entries = Vec::new();
        for PersonEntry {
            dn,
            password,
            attributes,
        } in self.entries
        {
            let of = |(name, values): (String, Values)| {
                let values = match values {
                    Values::One(value) => vec![value],
                    Values::Many(values) => values,
                };
                values.into_iter().map(move |value| (name.clone(), value))
            };
            entries.push(Entry {
                name: Name::parse(&dn),
                password: password.map(|password| state.hash(&password)),
                attributes: attributes.into_iter().flat_map(of).collect(),
            });
        }
        Directory {
            host: self.host,
            port: self.port.into(),
            security,
            entries,
        }
    }
}

fn policy_of(state: &State, slug: &str) -> Result<String> {
    let mut policies = state.data.policies.values();
    let found = policies.find(|policy| policy.slug == slug);
    let found = found.ok_or_else(|| wrong(format!("there is no policy {slug}")))?;
    Ok(found.uuid.clone())
}

fn user_of(state: &State, name: &str) -> Result<String> {
    let mut users = state.data.users.values();
    let found = users.find(|user| user.username.as_deref() == Some(name));
    let found = found.ok_or_else(|| wrong(format!("there is no user {name}")))?;
    Ok(found.uuid.clone())
}

impl TenantEntry {
    fn tenant(self, state: &mut State, top: &str) -> Tenant {
        let domains = self.domain_names.into_iter().map(|name| Domain {
            uuid: state.uuid(),
            name,
        });
        let line =
            |(name, _): (&'static str, u64)| (name, self.address.get(name).cloned().flatten());
        Tenant {
            parent: self.parent_uuid.unwrap_or_else(|| top.to_owned()),
            uuid: self.uuid,
            name: self.name,
            slug: self.slug,
            contact: self.contact,
            phone: self.phone,
            method: self
                .default_authentication_method
                .unwrap_or_else(|| "native".to_owned()),
            domains: domains.collect(),
            address: ADDRESS.into_iter().map(line).collect(),
        }
    }
}

impl PolicyEntry {
    fn policy(self) -> Policy {
        Policy {
            uuid: self.uuid,
            name: self.name,
            slug: self.slug,
            tenant: self.tenant_uuid,
            description: self.description,
            acl: self.acl,
            is_shared: self.shared,
            is_configured: self.read_only,
        }
    }
}

impl UserEntry {
    fn user(self) -> User {
        let emails = self.emails.into_iter().map(|email| Email {
            uuid: email.uuid,
            address: email.address,
            main: email.main,
            confirmed: email.confirmed,
        });
        User {
            uuid: self.uuid,
            username: self.username,
            firstname: self.firstname,
            lastname: self.lastname,
            purpose: self.purpose.unwrap_or_else(|| "user".to_owned()),
            enabled: self.enabled.unwrap_or(true),
            method: self
                .authentication_method
                .unwrap_or_else(|| "default".to_owned()),
            tenant: self.tenant_uuid,
            password: None,
            emails: emails.collect(),
        }
    }
}

impl GroupEntry {
    fn add(self, state: &mut State) -> Result<()> {
        for slug in &self.policies {
            let policy = policy_of(state, slug)?;
            state.data.group_policies.add(&self.uuid, &policy);
        }
        for name in &self.users {
            let user = user_of(state, name)?;
            state.data.members.add(&self.uuid, &user);
        }
        let group = Group {
            uuid: self.uuid,
            name: self.name,
            slug: self.slug,
            tenant: self.tenant_uuid,
            is_system: self.system_managed,
        };
        state.data.groups.insert(group.uuid.clone(), group);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_read() {
        assert_eq!(Seed::sample().state.data.users.len(), 1);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let cases = [
            ("{", "EOF"),
            (
                "{\n\"misspelled\": 1}",
                "line 2, column 12: misspelled: unknown field",
            ),
            (r#"{"tenants": []}"#, "no tenant"),
            (
                r#"{"tenants": [{"uuid": "a", "parent_uuid": "b", "slug": "s"}]}"#,
                "its own parent",
            ),
            (
                r#"{"tenants": [
                    {"uuid": "a", "slug": "s"},
                    {"uuid": "b", "parent_uuid": "c", "slug": "t"},
                    {"uuid": "c", "parent_uuid": "b", "slug": "u"}
                ]}"#,
                "tenant b is not below a",
            ),
            (
                r#"{"tenants": [{"uuid": "a", "slug": "s"}], "users": [{"uuid": "u", "tenant_uuid": "b"}]}"#,
                "no tenant b",
            ),
            (
                r#"{"tenants": [{"uuid": "a", "slug": "s"}], "credentials": {"x": {"username": "x", "password": "p"}}}"#,
                "no user x",
            ),
            (
                r#"{"tenants": [{"uuid": "a", "slug": "s"}], "server_config": {"colour": 1}}"#,
                "colour",
            ),
            (r#"{"tenants": [], "acl_rules": "new"}"#, "acl_rules"),
            (
                r#"{"tenants": [], "init_key": "planted-key-20-chars"}"#,
                "without legacy",
            ),
            (
                r#"{"tenants": [], "legacy": true, "init_key": "planted"}"#,
                "20 characters",
            ),
        ];
        for (text, why) in cases {
            let error = Seed::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains("planted"), "{error}");
        }
    }
}
