//! The state of the service, and the parts that every rule needs: time, identity, tenancy, access.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

use super::data::{Data, Group, Policy, Tenant, Token, User};
use super::directory::Directory;
use super::password::Hash;
use super::refusal::{Outcome, Refusal};
use super::settings::Settings;
use super::validate;
use crate::acl::Acl;

/// The service in memory.
#[derive(Clone)]
pub(super) struct State {
    pub(super) data: Data,
    pub(super) settings: Settings,
    pub(super) random: fastrand::Rng,
    pub(super) directories: Vec<Directory>,
    pub(super) is_database_down: bool,
    /// A component has failed.
    pub(super) is_failing: bool,
    pub(super) is_starting: bool,
    pub(super) debug: bool,
    pub(super) profiling: bool,
    /// When ended sessions were last removed, in seconds.
    pub(super) cleaned: i64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("tenants", &self.data.tenants.len())
            .field("users", &self.data.users.len())
            .finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn new(data: Data, settings: Settings, random: fastrand::Rng) -> Self {
        Self {
            data,
            settings,
            random,
            directories: Vec::new(),
            is_database_down: false,
            is_failing: false,
            is_starting: false,
            debug: false,
            profiling: false,
            cleaned: 0,
        }
    }

    /// Creates a random UUID.
    pub(super) fn uuid(&mut self) -> String {
        let bits = self.random.u128(..);
        let bits = bits & !(0xf << 76) | (4 << 76);
        let bits = bits & !(0x3 << 62) | (2 << 62);
        let hex = format!("{bits:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32),
        ]
        .join("-")
    }

    pub(super) fn hash(&mut self, password: &str) -> Hash {
        Hash::new(
            password,
            self.random.u128(..).to_be_bytes(),
            self.settings.hash_cost,
        )
    }

    /// Creates a slug with this number of letters or digits.
    pub(super) fn random_slug(&mut self, length: usize) -> String {
        let mut letter = || {
            let at = self.random.usize(..36);
            char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[at])
        };
        (0..length).map(|_| letter()).collect()
    }

    // Tenancy, protocol section 7.

    /// Returns the tenant at the root of the tree.
    pub(super) fn top(&self) -> &str {
        let is_top = |tenant: &&Tenant| tenant.uuid == tenant.parent;
        self.data
            .tenants
            .values()
            .find(is_top)
            .map_or("", |top| &top.uuid)
    }

    /// Returns whether one tenant is the same as another or below it.
    pub(super) fn is_within(&self, tenant: &str, root: &str) -> bool {
        let mut at = tenant;
        loop {
            if at == root {
                return self.data.tenants.contains_key(at);
            }
            match self.data.tenants.get(at) {
                Some(found) if found.parent != at => at = &found.parent,
                _ => return false,
            }
        }
    }

    /// Returns a tenant and those below it.
    pub(super) fn subtree(&self, root: &str) -> BTreeSet<String> {
        let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for tenant in self.data.tenants.values() {
            below.entry(&tenant.parent).or_default().push(&tenant.uuid);
        }
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> = match self.data.tenants.contains_key(root) {
            true => vec![root],
            false => vec![],
        };
        while let Some(tenant) = next.pop() {
            if found.insert(tenant.to_owned()) {
                next.extend(below.remove(tenant).unwrap_or_default());
            }
        }
        found
    }

    /// Returns the tenants that a list shows: the acting one, and those below if it recurses.
    pub(super) fn scope(&self, acting: &str, recurse: bool) -> BTreeSet<String> {
        match recurse {
            true => self.subtree(acting),
            false => BTreeSet::from([acting.to_owned()]),
        }
    }

    /// Returns whether one tenant is above another.
    pub(super) fn is_above(&self, ancestor: &str, tenant: &str) -> bool {
        ancestor != tenant && self.is_within(tenant, ancestor)
    }

    // Look-ups from the view of a tenant.

    /// Returns a user of any tenant.
    pub(super) fn user(&self, uuid: &str) -> Outcome<&User> {
        let user = self.data.users.get(uuid);
        user.ok_or_else(|| Refusal::unknown("user", uuid))
    }

    /// Returns a user below a tenant.
    pub(super) fn visible_user(&self, uuid: &str, from: &str) -> Outcome<&User> {
        let user = self.user(uuid)?;
        if self.is_within(&user.tenant, from) {
            Ok(user)
        } else {
            Err(Refusal::unknown("user", uuid))
        }
    }

    pub(super) fn visible_group(&self, uuid: &str, from: &str) -> Outcome<&Group> {
        let group = self.data.groups.get(uuid);
        group
            .filter(|group| self.is_within(&group.tenant, from))
            .ok_or_else(|| Refusal::unknown("group", uuid))
    }

    pub(super) fn visible_tenant(&self, uuid: &str, from: &str) -> Outcome<&Tenant> {
        let tenant = self.data.tenants.get(uuid);
        tenant
            .filter(|tenant| self.is_within(&tenant.uuid, from))
            .ok_or_else(|| Refusal::unknown("tenant", uuid))
    }

    /// Returns a policy by its UUID or its slug.
    pub(super) fn visible_policy(&self, id: &str, from: &str) -> Outcome<&Policy> {
        if let Some(uuid) = validate::uuid(id) {
            let policy = self.data.policies.get(&uuid);
            let is_visible = |policy: &&Policy| {
                self.is_within(&policy.tenant, from) || self.is_lent(policy, from)
            };
            let unknown = || Refusal::reasons(404, format!("No such policy {{'uuid': '{uuid}'}}"));
            return policy.filter(is_visible).ok_or_else(unknown);
        }
        let mut policies = self.data.policies.values();
        let found = policies.find(|policy| {
            policy.slug.eq_ignore_ascii_case(id)
                && (policy.tenant == from || self.is_lent(policy, from))
        });
        found.ok_or_else(|| Refusal::reasons(404, format!("No such policy {{'slug': '{id}'}}")))
    }

    /// Returns whether a tenant sees a policy of another, read only.
    pub(super) fn is_lent(&self, policy: &Policy, to: &str) -> bool {
        policy.is_configured || policy.is_shared && self.is_above(&policy.tenant, to)
    }

    /// Writes a policy as a tenant sees it.
    pub(super) fn policy_json(
        &self,
        policy: &Policy,
        listed: &BTreeSet<String>,
        asker: &str,
    ) -> Value {
        let is_lent = policy.is_configured || policy.is_shared && !listed.contains(&policy.tenant);
        let tenant = if is_lent { asker } else { &policy.tenant };
        let mut json = json!({
            "uuid": policy.uuid,
            "tenant_uuid": tenant,
            "name": policy.name,
            "slug": policy.slug,
            "description": policy.description,
            "acl": policy.acl,
            "read_only": is_lent,
            "shared": policy.is_shared && !is_lent,
        });
        if self.settings.legacy {
            json["acl_templates"] = json["acl"].clone();
        }
        json
    }

    // Tokens.

    /// Returns a token that has not expired.
    pub(super) fn token(&self, token: &str, now: i64) -> Option<&Token> {
        let found = self.data.tokens.get(token)?;
        (now <= found.expires()).then_some(found)
    }

    /// Returns the compiled access list of a token.
    pub(super) fn acl(&self, token: &Token) -> Acl {
        let patterns = token.acl.iter().map(String::as_str);
        Acl::builder()
            .rules(self.settings.acl_rules)
            .auth_id(token.auth_id.as_str())
            .session_uuid(token.session.as_str())
            .build(patterns)
    }

    /// Removes expired sessions when that is due.
    pub(super) fn clean_up(&mut self, now: i64) {
        if now - self.cleaned >= self.settings.cleanup_interval {
            self.cleaned = now;
            self.data.tokens.retain(|_, token| now <= token.expires());
        }
    }

    /// Ends all sessions of a user.
    pub(super) fn end_sessions(&mut self, user: &str) {
        let tokens = &mut self.data.tokens;
        tokens.retain(|_, token| token.user.as_deref() != Some(user));
    }

    /// Returns the method by which a user logs in.
    pub(super) fn method_of<'s>(&'s self, user: &'s User) -> &'s str {
        match user.method.as_str() {
            "default" => {
                let tenant = self.data.tenants.get(&user.tenant);
                tenant.map_or("native", |tenant| &tenant.method)
            }
            own => own,
        }
    }

    /// Returns whether another system has the user's password.
    pub(super) fn is_managed_externally(&self, user: &User) -> bool {
        !["native", "default"].contains(&self.method_of(user))
    }
}
