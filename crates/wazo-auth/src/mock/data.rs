//! The data of the service, without rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::message::Message;
use super::password::Hash;

#[derive(Clone, Debug)]
pub(super) struct Tenant {
    pub(super) uuid: String,
    pub(super) parent: String,
    pub(super) name: Option<String>,
    pub(super) slug: String,
    pub(super) contact: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) method: String,
    pub(super) domains: Vec<Domain>,
    pub(super) address: BTreeMap<&'static str, Option<String>>,
}

#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub(super) uuid: String,
    pub(super) name: String,
}

/// The members of an address and the maximum length of each.
pub(super) const ADDRESS: [(&str, u64); 6] = [
    ("line_1", 256),
    ("line_2", 256),
    ("city", 128),
    ("state", 128),
    ("country", 128),
    ("zip_code", 16),
];

impl Tenant {
    pub(super) fn json(&self) -> Value {
        let address = ADDRESS.iter().map(|&(member, _)| {
            let value = self.address.get(member).cloned().flatten();
            (member.to_owned(), value.into())
        });
        json!({
            "uuid": self.uuid,
            "parent_uuid": self.parent,
            "name": self.name,
            "slug": self.slug,
            "contact": self.contact,
            "phone": self.phone,
            "default_authentication_method": self.method,
            "domain_names": self.domains.iter().map(|domain| &domain.name).collect::<Vec<_>>(),
            "address": address.collect::<Map<_, _>>(),
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) uuid: String,
    pub(super) username: Option<String>,
    pub(super) firstname: Option<String>,
    pub(super) lastname: Option<String>,
    pub(super) purpose: String,
    pub(super) enabled: bool,
    pub(super) method: String,
    pub(super) tenant: String,
    pub(super) password: Option<Hash>,
    pub(super) emails: Vec<Email>,
}

#[derive(Clone, Debug)]
pub(super) struct Email {
    pub(super) uuid: String,
    pub(super) address: String,
    pub(super) main: bool,
    pub(super) confirmed: bool,
}

impl User {
    pub(super) fn json(&self) -> Value {
        json!({
            "uuid": self.uuid,
            "username": self.username,
            "firstname": self.firstname,
            "lastname": self.lastname,
            "purpose": self.purpose,
            "enabled": self.enabled,
            "authentication_method": self.method,
            "tenant_uuid": self.tenant,
            "emails": self.emails.iter().map(Email::json).collect::<Vec<_>>(),
        })
    }

    /// Returns whether the user can log in with this text as name.
    pub(super) fn is_login(&self, login: &str) -> bool {
        let name = self.username.as_ref();
        name.is_some_and(|name| name.to_lowercase() == login.to_lowercase())
            || self.has_address(login)
    }

    /// Returns whether an address is one of the user's and confirmed.
    pub(super) fn has_address(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let is_it = |email: &Email| email.confirmed && email.address.to_lowercase() == address;
        self.emails.iter().any(is_it)
    }
}

impl Email {
    pub(super) fn json(&self) -> Value {
        json!({
            "uuid": self.uuid,
            "address": self.address,
            "main": self.main,
            "confirmed": self.confirmed,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) tenant: String,
    /// Created and managed by the service itself.
    pub(super) is_system: bool,
}

impl Group {
    pub(super) fn json(&self) -> Value {
        json!({
            "uuid": self.uuid,
            "name": self.name,
            "slug": self.slug,
            "tenant_uuid": self.tenant,
            "system_managed": self.is_system,
            "read_only": self.is_system,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) tenant: String,
    pub(super) description: Option<String>,
    pub(super) acl: Vec<String>,
    pub(super) is_shared: bool,
    /// Comes from the service's configuration.
    pub(super) is_configured: bool,
}

/// A token and its session.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) token: String,
    pub(super) auth_id: String,
    /// The user; `None` for tokens that the service creates for itself.
    pub(super) user: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) purpose: String,
    pub(super) acl: Vec<String>,
    pub(super) metadata: Value,
    pub(super) session: String,
    /// In microseconds since 1970; the service stores only the seconds.
    pub(super) issued: i64,
    pub(super) lifetime: i64,
    pub(super) user_agent: String,
    pub(super) remote_addr: String,
    pub(super) mobile: bool,
    /// The refresh token that it was created with.
    pub(super) refresh: Option<String>,
    /// Whether it comes from a login through SAML.
    pub(super) saml: bool,
}

impl Token {
    /// Returns when it expires, in seconds since 1970.
    pub(super) fn expires(&self) -> i64 {
        let issued = self.issued.div_euclid(1_000_000);
        issued.saturating_add(self.lifetime)
    }

    pub(super) fn session_json(&self) -> Value {
        json!({
            "uuid": self.session,
            "mobile": self.mobile,
            "tenant_uuid": self.tenant,
            "user_uuid": self.user,
        })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) secret: String,
    pub(super) client_id: String,
    pub(super) user: String,
    /// The name that was given at the login.
    pub(super) login: String,
    /// In microseconds since 1970.
    pub(super) created: i64,
    pub(super) mobile: bool,
}

/// A login through SAML that is in progress.
#[derive(Clone, Debug)]
pub(super) struct SamlLogin {
    pub(super) redirect_url: String,
    pub(super) relay_state: String,
    /// The user who logged in, once known.
    pub(super) login: Option<String>,
}

/// Associated pairs, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Adds a pair, unless it is there already.
    pub(super) fn add(&mut self, left: &str, right: &str) {
        if !self.has(left, right) {
            self.0.push((left.to_owned(), right.to_owned()));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    pub(super) fn remove(&mut self, left: &str, right: &str) {
        self.0.retain(|pair| (&*pair.0, &*pair.1) != (left, right));
    }

    pub(super) fn has(&self, left: &str, right: &str) -> bool {
        self.0
            .iter()
            .any(|pair| (&*pair.0, &*pair.1) == (left, right))
    }

    /// Returns all partners of a left value.
    pub(super) fn of<'p>(&'p self, left: &'p str) -> impl Iterator<Item = &'p str> {
        let of = move |pair: &'p (String, String)| (pair.0 == left).then_some(&*pair.1);
        self.0.iter().filter_map(of)
    }

    /// Returns all partners of a right value.
    pub(super) fn with<'p>(&'p self, right: &'p str) -> impl Iterator<Item = &'p str> {
        let with = move |pair: &'p (String, String)| (pair.1 == right).then_some(&*pair.0);
        self.0.iter().filter_map(with)
    }

    /// Removes every pair with this value on either side.
    pub(super) fn forget(&mut self, either: &str) {
        self.0
            .retain(|(left, right)| left != either && right != either);
    }
}

/// All data of the service. Keys are UUIDs unless stated otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    pub(super) tenants: BTreeMap<String, Tenant>,
    pub(super) users: BTreeMap<String, User>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) policies: BTreeMap<String, Policy>,
    /// User and policy.
    pub(super) user_policies: Pairs,
    /// Group and policy.
    pub(super) group_policies: Pairs,
    /// Group and user.
    pub(super) members: Pairs,
    /// By the token.
    pub(super) tokens: BTreeMap<String, Token>,
    /// By the secret.
    pub(super) refresh: BTreeMap<String, Refresh>,
    /// By user and type.
    pub(super) external: BTreeMap<(String, String), Value>,
    /// By tenant and type.
    pub(super) external_config: BTreeMap<(String, String), Value>,
    pub(super) external_types: BTreeSet<String>,
    /// By tenant.
    pub(super) ldap: BTreeMap<String, Map<String, Value>>,
    /// By tenant.
    pub(super) saml: BTreeMap<String, SamlConfig>,
    /// By the id of the session.
    pub(super) saml_logins: BTreeMap<String, SamlLogin>,
    pub(super) outbox: Vec<Message>,
}

#[derive(Clone, Debug)]
pub(super) struct SamlConfig {
    pub(super) domain: String,
    pub(super) entity_id: String,
    pub(super) acs_url: String,
    pub(super) metadata: Vec<u8>,
}
