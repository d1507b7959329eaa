//! A tree of tenants, and a second opinion on who sees what of it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::sample::Index;
use serde_json::{Value, json};
use vouchsafe_wazo_auth::core::call::{Call, CallOptions, Operation};
use vouchsafe_wazo_auth::core::service::Service as _;
use vouchsafe_wazo_auth::mock::{Seed, Server, operations};
use vouchsafe_wazo_auth::{Client, Secret, TenantUuid};

pub(super) fn uuid(kind: u32, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

/// A tree of tenants, each with the same things in it, and policies for all.
pub(super) struct World {
    pub(super) server: Server,
    /// May do everything everywhere.
    pub(super) god: Client,
    pub(super) tenants: usize,
    /// The id of each tenant's domain.
    pub(super) domains: Vec<String>,
}

pub(super) const TENANT: u32 = 1;
pub(super) const ADMIN: u32 = 2;
pub(super) const USER: u32 = 3;
pub(super) const GROUP: u32 = 4;
pub(super) const POLICY: u32 = 5;
pub(super) const SHARED: u32 = 6;
pub(super) const EMAIL: u32 = 7;
pub(super) const LAST: u32 = EMAIL + USER;

impl World {
    /// Makes a tree in which each tenant but the first has a parent before it.
    pub(super) async fn new(parents: &[Index]) -> Self {
        let tenants = parents.len() + 1;
        let parent = |number: usize| match number {
            0 => 0,
            number => parents[number - 1].index(number),
        };
        let mut all = vec![json!({
            "uuid": uuid(LAST + 1, 0), "tenant_uuid": uuid(TENANT, 0),
            "name": "all", "slug": "all", "acl": ["#"], "read_only": true,
        })];
        let (mut users, mut groups, mut credentials) = (vec![], vec![], json!({}));
        for number in 0..tenants {
            let (owner, mark) = (uuid(TENANT, number), mark(number));
            for (kind, what) in [(ADMIN, "admin"), (USER, "user")] {
                let name = format!("{what}-{mark}");
                let emails = json!([{
                    "uuid": uuid(EMAIL + kind, number),
                    "address": format!("{name}@example.com"), "main": true, "confirmed": true,
                }]);
                users.push(json!({
                    "uuid": uuid(kind, number), "username": name, "tenant_uuid": owner,
                    "authentication_method": "native", "policies": ["all"], "emails": emails,
                }));
                credentials[&name] = json!({"username": name, "password": "pw"});
            }
            for (kind, what, shared) in [(POLICY, "policy", false), (SHARED, "shared", true)] {
                let name = format!("{what}-{mark}");
                all.push(json!({
                    "uuid": uuid(kind, number), "tenant_uuid": owner, "shared": shared,
                    "name": name, "slug": name, "acl": [format!("confd.{number}")],
                }));
            }
            let name = format!("group-{mark}");
            groups.push(json!({
                "uuid": uuid(GROUP, number), "tenant_uuid": owner, "name": name, "slug": name,
                "users": [format!("user-{mark}")], "policies": [format!("policy-{mark}")],
            }));
        }
        let tree: Vec<Value> = (0..tenants)
            .map(|number| {
                json!({
                    "uuid": uuid(TENANT, number), "parent_uuid": uuid(TENANT, parent(number)),
                    "name": format!("tenant-{}", mark(number)), "slug": mark(number),
                    "domain_names": [format!("{}.example.com", mark(number))],
                })
            })
            .collect();
        let seed = json!({
            "tenants": tree, "users": users, "groups": groups, "policies": all,
            "credentials": credentials,
        });
        let seed = Seed::parse(&seed.to_string()).unwrap().random_seed(7);
        let server = Server::from_seed(&seed);
        let god = server.client_as(&format!("admin-{}", mark(0)));
        let mut world = Self {
            server,
            god,
            tenants,
            domains: vec![],
        };
        for number in 0..tenants {
            world.furnish(number).await;
            let domains = world
                .god
                .tenants()
                .get_domains(&tenant(number))
                .await
                .unwrap();
            let domain = &domains[0].uuid;
            world.domains.push(domain.to_string());
        }
        world
    }

    /// Adds what a seed cannot hold: refresh tokens, sessions, and configurations.
    pub(super) async fn furnish(&self, number: usize) {
        let mark = mark(number);
        for who in ["admin", "user"] {
            let login = self.server.client().token().create();
            let login = login.credentials(format!("{who}-{mark}"), "pw");
            login.offline(format!("app-{mark}")).send().await.unwrap();
        }
        let ask = async |id: &str, path: String, body: Value| {
            let call = Call::encoded(operation(id), &path)
                .unwrap()
                .json(&body)
                .unwrap();
            let client = self.god.with_tenant(&tenant(number));
            client.call(call, &(), &CallOptions::new()).await.unwrap();
        };
        let config = json!({"fcm_sender_id": format!("sender-{mark}"), "client_id": "c"});
        ask(
            "wazo-auth.createExternalConfig",
            "/external/mobile/config".to_owned(),
            config,
        )
        .await;
        ask(
            "wazo-auth.updateLdapConfig",
            "/backends/ldap".to_owned(),
            ldap(&mark),
        )
        .await;
        for kind in [ADMIN, USER] {
            let path = format!("/users/{}/external/mobile", uuid(kind, number));
            ask(
                "wazo-auth.createMobile",
                path,
                json!({"token": format!("push-{mark}")}),
            )
            .await;
        }
    }

    pub(super) fn token(&self, actor: usize) -> Secret {
        self.server.issue_token(&format!("admin-{}", mark(actor)))
    }

    pub(super) fn token_of_user(&self, actor: usize, accesses: &[&'static str]) -> Secret {
        let name = format!("user-{}", mark(actor));
        self.server
            .issue_token_with(&name, accesses.iter().copied())
    }

    pub(super) fn state(&self) -> State {
        State(self.server.snapshot())
    }

    /// Returns all that is kept in some tenants, also what the snapshot leaves out.
    pub(super) async fn contents(&self, tenants: &BTreeSet<String>) -> Value {
        let mut contents = self.state().within(tenants);
        for owner in tenants {
            let client = self.god.with_tenant(&owner.parse().unwrap());
            for (id, path) in [
                ("wazo-auth.getExternalConfig", "/external/mobile/config"),
                ("wazo-auth.getLdapConfig", "/backends/ldap"),
                ("wazo-auth.getSamlConfig", "/backends/saml"),
            ] {
                let call = Call::encoded(operation(id), path).unwrap();
                let answer = client.call(call, &(), &CallOptions::new()).await;
                let text = answer.map(|answer| answer.text().unwrap().to_owned());
                contents[owner][id] = text.unwrap_or_default().into();
            }
        }
        contents
    }
}

/// What marks everything in a tenant, and no UUID contains.
pub(super) fn mark(number: usize) -> String {
    format!("t{number}z")
}

pub(super) fn tenant(number: usize) -> TenantUuid {
    uuid(TENANT, number).parse().unwrap()
}

pub(super) fn ldap(mark: &str) -> Value {
    json!({
        "host": format!("ldap-{mark}"), "port": 636, "user_base_dn": "dc=example",
        "user_login_attribute": "uid", "user_email_attribute": "mail",
    })
}

fn operation(id: &str) -> &'static Operation {
    operations().find(|operation| operation.id() == id).unwrap()
}

/// What the emulator shows of itself, in which this test looks for itself who sees what.
pub(super) struct State(pub(super) Value);

/// The members of the snapshot with the member that names the owner of each item.
pub(super) const KEPT: [(&str, &str); 11] = [
    ("tenants", "uuid"),
    ("users", "tenant_uuid"),
    ("groups", "tenant_uuid"),
    ("policies", "tenant_uuid"),
    ("sessions", "tenant_uuid"),
    ("refresh_tokens", "user_uuid"),
    ("user_policies", "user_uuid"),
    ("group_policies", "group_uuid"),
    ("members", "group_uuid"),
    ("external", "user_uuid"),
    ("external_config", "tenant_uuid"),
];

impl State {
    pub(super) fn items(&self, of: &str) -> &[Value] {
        self.0[of].as_array().unwrap_or_else(|| panic!("{of}"))
    }

    pub(super) fn parent(&self, tenant: &str) -> &str {
        let mut tenants = self.items("tenants").iter();
        let found = tenants.find(|item| item["uuid"] == tenant).unwrap();
        found["parent_uuid"].as_str().unwrap()
    }

    /// Returns whether a tenant is another or below it.
    pub(super) fn is_within(&self, tenant: &str, root: &str) -> bool {
        let parent = self.parent(tenant);
        tenant == root || parent != tenant && self.is_within(parent, root)
    }

    /// Returns the tenants that one of them sees, or does not see.
    pub(super) fn seen(&self, from: &str, is_seen: bool) -> BTreeSet<String> {
        let tenants = self.items("tenants").iter();
        let tenants = tenants.map(|item| item["uuid"].as_str().unwrap());
        tenants
            .filter(|tenant| self.is_within(tenant, from) == is_seen)
            .map(str::to_owned)
            .collect()
    }

    /// Returns the tenant of an item.
    pub(super) fn owner<'s>(&'s self, item: &'s Value, by: &str) -> &'s str {
        let owner = item[by].as_str().unwrap();
        let of = match by {
            "user_uuid" => "users",
            "group_uuid" => "groups",
            _ => return owner,
        };
        let found = self.items(of).iter().find(|item| item["uuid"] == owner);
        found.unwrap()["tenant_uuid"].as_str().unwrap()
    }

    /// Returns what is in these tenants.
    pub(super) fn within(&self, tenants: &BTreeSet<String>) -> Value {
        let mut found: BTreeMap<&str, BTreeMap<&str, Vec<&Value>>> = BTreeMap::new();
        for (of, by) in KEPT {
            for item in self.items(of) {
                let owner = self.owner(item, by);
                if tenants.contains(owner) {
                    let kept = found.entry(owner).or_default().entry(of).or_default();
                    kept.push(item);
                }
            }
        }
        json!(found)
    }

    /// Returns the policies of others that a tenant sees.
    pub(super) fn lent(&self, to: &str) -> BTreeSet<String> {
        let is_lent = |policy: &&Value| {
            let owner = policy["tenant_uuid"].as_str().unwrap();
            policy["read_only"] == true || policy["shared"] == true && self.is_within(to, owner)
        };
        let policies = self.items("policies").iter().filter(is_lent);
        let uuids = policies.map(|policy| policy["uuid"].as_str().unwrap().to_owned());
        uuids.collect()
    }

    pub(super) fn uuids(&self, of: &str, tenants: &BTreeSet<String>) -> BTreeSet<String> {
        let (_, by) = KEPT.into_iter().find(|(name, _)| *name == of).unwrap();
        let items = self.items(of).iter();
        let items = items.filter(|item| tenants.contains(self.owner(item, by)));
        let id = |item: &Value| {
            let text = |member: &str| item[member].as_str().unwrap();
            match of {
                "refresh_tokens" => format!("{} {}", text("user_uuid"), text("client_id")),
                "external" => text("user_uuid").to_owned(),
                _ => text("uuid").to_owned(),
            }
        };
        items.map(id).collect()
    }
}
