//! No user sees, changes or counts data outside of their own tenant and those below it (protocol
//! section 7).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use vouchsafe_wazo_auth::core::BoxFuture;
use vouchsafe_wazo_auth::core::call::{Call, CallOptions, Operation};
use vouchsafe_wazo_auth::core::service::Service as _;
use vouchsafe_wazo_auth::core::transport::{Request, Response, Transport};
use vouchsafe_wazo_auth::mock::operations;
use vouchsafe_wazo_auth::{
    Client, ConnectedUser, ErrorKind, Group, Policy, RefreshToken, Secret, Session, Tenant, User,
};

use super::world::{
    ADMIN, GROUP, LAST, POLICY, SHARED, State, TENANT, USER, World, ldap, mark, tenant, uuid,
};

/// Operations that the service binds to no tenant, by protocol sections 3.1 and 7: those without a
/// token, those on the installation, and those on passwords, addresses, the policies of a user, the
/// users of a group, the domains of a tenant, and accounts at external services.
const UNBOUND: &[&str] = &[
    "createToken",
    "getToken",
    "checkToken",
    "revokeToken",
    "checkScopes",
    "listBackends",
    "checkStatus",
    "registerUser",
    "initialize",
    "requestPasswordReset",
    "resetPassword",
    "startSaml",
    "finishSaml",
    "endSaml",
    "getAcsTemplate",
    "getConfig",
    "patchConfig",
    "changePassword",
    "updateEmails",
    "updateEmailsAsAdmin",
    "requestConfirmation",
    "confirmEmail",
    "confirmEmailByLink",
    "listUserPolicies",
    "addUserPolicy",
    "removeUserPolicy",
    "listGroupUsers",
    "listTenantDomains",
    "listExternal",
    "createMobile",
    "getMobile",
    "updateMobile",
    "deleteMobile",
    "getMobileSender",
    "createGoogle",
    "getGoogle",
    "deleteGoogle",
    "createMicrosoft",
    "getMicrosoft",
    "deleteMicrosoft",
    "createExternal",
    "getExternal",
    "updateExternal",
    "deleteExternal",
];

/// What users may do.
const ACCESSES: &[&str] = &[
    "#",
    "auth.#",
    "auth.users.#",
    "auth.*.read",
    "auth.tenants.*.edit",
];

fn bound() -> Vec<&'static Operation> {
    let is_bound = |operation: &&Operation| !UNBOUND.contains(&name(operation));
    operations().filter(is_bound).collect()
}

fn name(operation: &Operation) -> &'static str {
    operation.id().split_once('.').unwrap().1
}

/// A transport that keeps the last answer.
struct Watched {
    inner: Arc<dyn Transport>,
    last: Mutex<String>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Transport for Watched {
    fn send(&self, request: Request) -> BoxFuture<'_, vouchsafe_wazo_auth::core::Result<Response>> {
        Box::pin(async move {
            let response = self.inner.send(request).await?;
            let body = String::from_utf8_lossy(&response.body);
            *self.last.lock().unwrap() = format!("{:?} {body}", response.headers);
            Ok(response)
        })
    }
}

/// Returns a client with a token, and its transport.
fn client(world: &World, token: Secret, acting: usize) -> (Client, Arc<Watched>) {
    let watched = Arc::new(Watched {
        inner: world.server.host().transport(),
        last: Mutex::default(),
    });
    let client = Client::builder()
        .host("wazo.example.com")
        .prefix("")
        .transport(Arc::clone(&watched) as Arc<dyn Transport>)
        .token(token)
        .tenant(&tenant(acting))
        .build()
        .unwrap();
    (client, watched)
}

/// One request, by what is drawn from the world for it.
#[derive(Clone, Debug)]
struct Asked {
    operation: Index,
    picks: [Index; 4],
    /// The parameters of a list.
    query: u8,
}

fn asked() -> impl Strategy<Value = Asked> {
    (any::<Index>(), any::<[Index; 4]>(), any::<u8>()).prop_map(|(operation, picks, query)| Asked {
        operation,
        picks,
        query,
    })
}

impl Asked {
    fn operation(&self) -> &'static Operation {
        bound()[self.operation.index(bound().len())]
    }

    /// Returns path and query.
    fn target(&self, world: &World, sessions: &[String]) -> String {
        let operation = self.operation();
        let mut picks = self.picks.iter();
        let mut pick = || picks.next().unwrap();
        let mut fill = |part: &str| {
            if !part.starts_with('{') {
                return part.to_owned();
            }
            let number = pick().index(world.tenants);
            match part {
                "{user_uuid}" => uuid(if number % 2 == 0 { USER } else { ADMIN }, number),
                "{group_uuid}" => uuid(GROUP, number),
                "{tenant_uuid}" | "{parent_uuid}" => uuid(TENANT, number),
                "{session_uuid}" => pick().get(sessions).clone(),
                "{policy_id}" => match pick().index(3) {
                    0 => format!("policy-{}", mark(number)),
                    1 => uuid(POLICY, number),
                    _ => uuid(SHARED, number),
                },
                "{client_id}" => format!("app-{}", mark(number)),
                "{access}" => "confd.new".to_owned(),
                "{auth_type}" => "mobile".to_owned(),
                "{idp_type}" => "ldap".to_owned(),
                part => panic!("tell here what {part} is"),
            }
        };
        let path: Vec<String> = operation.path().split('/').map(&mut fill).collect();
        let mut query = vec![];
        if name(operation).starts_with("list") {
            let number = self.picks[3].index(world.tenants);
            let all = [
                "recurse=true".to_owned(),
                format!("search={}", mark(number)),
                "search=a%20e".to_owned(),
                "direction=desc".to_owned(),
                "limit=3".to_owned(),
                "offset=1".to_owned(),
                format!("user_uuid={}", uuid(USER, number)),
                format!("policy_uuid={}", uuid(POLICY, number)),
            ];
            let chosen = all.into_iter().enumerate();
            let chosen = chosen.filter(|(bit, _)| self.query >> bit & 1 == 1);
            query.extend(chosen.map(|(_, part)| part));
        }
        format!("{}?{}", path.join("/"), query.join("&"))
    }

    fn body(&self, world: &World, number: usize) -> Option<Value> {
        let new = format!("new{number}");
        let somebody = uuid(USER, self.picks[2].index(world.tenants));
        let other = uuid(ADMIN, self.picks[3].index(world.tenants));
        Some(match name(self.operation()) {
            "createPolicy" => {
                json!({"name": new, "acl": ["confd.1"], "shared": self.query.is_multiple_of(2)})
            }
            "editPolicy" => json!({"name": new, "acl": ["confd.2"]}),
            "createUser" => json!({"username": new, "uuid": uuid(20, number)}),
            "editUser" => json!({"username": new, "enabled": self.query.is_multiple_of(2)}),
            "createGroup" | "editGroup" => json!({"name": new}),
            "createTenant" | "editTenant" => {
                json!({"name": new, "domain_names": [format!("{new}.example.com")]})
            }
            "createExternalConfig" | "updateExternalConfig" => json!({"client_id": new}),
            "addIdpUsers" => json!({"users": [{"uuid": somebody}, {"uuid": other}]}),
            "updateLdapConfig" => ldap(&new),
            _ => return None,
        })
    }

    fn call(&self, world: &World, target: &str, number: usize) -> Call {
        let call = Call::encoded(self.operation(), target).unwrap();
        match (name(self.operation()), self.body(world, number)) {
            ("createSamlConfig" | "updateSamlConfig", _) => {
                let field = |name: &str, value: &str| {
                    format!(
                        "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                    )
                };
                let file = "--b\r\nContent-Disposition: form-data; name=\"metadata\"; \
                            filename=\"m.xml\"\r\n\r\n<x/>\r\n--b--";
                let domain = self.picks[0].get(&world.domains);
                let form = field("domain_uuid", domain) + &field("entity_id", "e");
                let form = form + &field("acs_url", "https://acs.example.com") + file;
                call.content("multipart/form-data; boundary=b", form)
                    .unwrap()
            }
            (_, Some(body)) => call.json(&body).unwrap(),
            (_, None) => call,
        }
    }
}

fn run<F: Future<Output = ()>>(test: F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_out_of_sight_is_shown_or_changed_by_any_request(
        parents in prop::collection::vec(any::<Index>(), 1..7),
        actor in any::<Index>(),
        acting in prop::option::of(any::<Index>()),
        // The tenant's administrator, or a user with these accesses.
        accesses in prop::option::of(prop::collection::vec(prop::sample::select(ACCESSES), 1..4)),
        requests in prop::collection::vec(asked(), 1..60),
    ) {
        run(async {
            let world = World::new(&parents).await;
            let actor = actor.index(world.tenants);
            let acting = acting.map_or(actor, |acting| acting.index(world.tenants));
            let token = match accesses {
                None => world.token(actor),
                Some(accesses) => world.token_of_user(actor, &accesses),
            };
            let (client, watched) = client(&world, token, acting);
            let start = world.state();
            let own = uuid(TENANT, actor);
            let root = uuid(TENANT, acting);
            let may_act = start.is_within(&root, &own);
            let hidden = match may_act {
                true => start.seen(&root, false),
                false => start.seen("", false),
            };
            // What is lent from above is seen.
            let is_lent = |number: usize| may_act && start.is_within(&root, &uuid(TENANT, number));
            let mut marks: BTreeSet<String> = start.uuids("sessions", &hidden);
            for number in 0..world.tenants {
                let tenant = uuid(TENANT, number);
                if !hidden.contains(&tenant) {
                    continue;
                }
                for what in ["admin", "user", "policy", "group", "tenant", "ldap", "sender", "app"] {
                    marks.insert(format!("{what}-{}", mark(number)));
                }
                let uuids = (TENANT..=LAST).filter(|kind| *kind != SHARED).map(|kind| uuid(kind, number));
                marks.extend(uuids);
                if !is_lent(number) {
                    marks.insert(uuid(SHARED, number));
                    marks.insert(format!("shared-{}", mark(number)));
                }
            }
            // The response may mention the caller and the parent of the caller's tenant.
            marks.remove(&uuid(ADMIN, actor));
            marks.remove(&uuid(USER, actor));
            if may_act {
                marks.remove(start.parent(&root));
            }
            let before = world.contents(&hidden).await;
            let sessions: Vec<String> = start.uuids("sessions", &start.seen(&uuid(TENANT, 0), true))
                .into_iter().collect();

            for (number, asked) in requests.iter().enumerate() {
                let target = asked.target(&world, &sessions);
                let call = asked.call(&world, &target, number);
                let told = format!("{root} {target} {:?}", asked.body(&world, number));
                let answer = client.call(call, &(), &CallOptions::new()).await;
                assert!(may_act || answer.is_err() || asked.operation().is_open(), "{target}");
                let shown = std::mem::take(&mut *watched.last.lock().unwrap());
                for mark in &marks {
                    let is_shown = shown.contains(mark.as_str()) && !told.contains(mark.as_str());
                    assert!(!is_shown, "{target} shows {mark}: {shown}");
                }
            }

            if may_act {
                assert_eq!(world.state().seen(&root, false), hidden, "a tenant got out of sight");
            }
            let mut after = world.contents(&hidden).await;
            forgive(&before, &mut after);
            for (tenant, before) in before.as_object().unwrap() {
                for (what, before) in before.as_object().unwrap() {
                    assert_eq!(before, &after[tenant][what], "{what} of {tenant} changed");
                }
            }
        });
    }
}

/// Takes back the accesses added to and removed from policies that are lent, which the service
/// does not prevent (protocol section 9.4).
fn forgive(before: &Value, after: &mut Value) {
    for (tenant, contents) in after.as_object_mut().unwrap() {
        for policy in contents["policies"].as_array_mut().into_iter().flatten() {
            let old = before[tenant]["policies"].as_array().unwrap();
            let old = old.iter().find(|old| old["uuid"] == policy["uuid"]);
            if let Some(old) = old.filter(|old| old["shared"] == true || old["read_only"] == true) {
                policy["acl"].clone_from(&old["acl"]);
            }
        }
    }
}

/// Asks for a list as a page and as a walk, and returns its total.
macro_rules! total {
    ($list:expr, $expected:expr, $id:expr) => {{
        let (list, expected, id) = ($list, $expected, $id);
        let page = list.clone().send().await.unwrap();
        let walked = list.limit(3).items().collect().await.unwrap();
        for items in [page.items, walked] {
            let found: Vec<String> = items.iter().map(id).collect();
            let unique: BTreeSet<String> = found.iter().cloned().collect();
            assert_eq!((found.len(), &unique), (expected.len(), &expected));
        }
        usize::try_from(page.total).unwrap()
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_list_shows_and_counts_what_its_tenant_sees_and_nothing_else(
        parents in prop::collection::vec(any::<Index>(), 1..7),
    ) {
        run(async {
            let world = World::new(&parents).await;
            for (actor, acting) in (0..world.tenants).flat_map(|actor| {
                (0..world.tenants).map(move |acting| (actor, acting))
            }) {
                let (client, _) = client(&world, world.token(actor), acting);
                let state = world.state();
                let (own, acting) = (uuid(TENANT, actor), uuid(TENANT, acting));
                if !state.is_within(&acting, &own) {
                    let refused = client.users().list().recurse(true).send().await.unwrap_err();
                    assert_eq!(refused.kind(), ErrorKind::HiddenTenant);
                    continue;
                }
                for recurse in [false, true] {
                    Box::pin(lists(&state, &client, &acting, recurse)).await;
                }
            }
        });
    }
}

/// Asks a list for each thing by its id, and checks that it knows those that are seen.
macro_rules! by_uuid {
    ($list:expr, $all:expr, $seen:expr) => {{
        let (list, seen) = ($list, $seen);
        for id in $all {
            let list = list.clone().uuid(&id.parse().unwrap());
            let page = list.send().await.unwrap();
            assert_eq!(page.items.len(), usize::from(seen.contains(&id)), "{id}");
            assert_eq!(page.total, i64::try_from(seen.len()).unwrap());
            let page = json!(page);
            let filtered = page.get("filtered").and_then(Value::as_u64);
            assert!(
                filtered.is_none_or(|count| count == u64::from(seen.contains(&id))),
                "{id}"
            );
        }
    }};
}

/// Requests every list of data in tenants.
async fn lists(state: &State, client: &Client, acting: &str, recurse: bool) {
    let below = state.seen(acting, true);
    let scope = match recurse {
        true => below.clone(),
        false => BTreeSet::from([acting.to_owned()]),
    };
    let of = |what| state.uuids(what, &scope);

    let users = client.users().list().recurse(recurse);
    let total = total!(users.clone(), of("users"), |user: &User| user
        .uuid
        .to_string());
    assert_eq!(total, of("users").len());
    let groups = client.groups().list().recurse(recurse);
    let total = total!(groups.clone(), of("groups"), |group: &Group| group
        .uuid
        .to_string());
    assert_eq!(total, of("groups").len());
    // All tenants below are always listed.
    let tenants = client.tenants().list().recurse(recurse);
    let total = total!(tenants.clone(), below.clone(), |tenant: &Tenant| tenant
        .uuid
        .to_string());
    assert_eq!(total, below.len());
    let sessions = client.sessions().list().recurse(recurse);
    let total = total!(sessions, of("sessions"), |session: &Session| session
        .uuid
        .to_string());
    assert_eq!(total, of("sessions").len());
    let tokens = client.refresh_tokens().list().recurse(recurse);
    let id = |token: &RefreshToken| format!("{} {}", token.user_uuid, token.client_id);
    assert_eq!(
        total!(tokens, of("refresh_tokens"), id),
        of("refresh_tokens").len()
    );
    let connected = client
        .external()
        .list_connected_users("mobile")
        .recurse(recurse);
    let id = |user: &ConnectedUser| user.uuid.to_string();
    assert_eq!(total!(connected, of("external"), id), of("external").len());
    let mut lent = state.lent(acting);
    lent.extend(of("policies"));
    let policies = client.policies().list().recurse(recurse);
    let total = total!(policies.clone(), lent.clone(), |policy: &Policy| policy
        .uuid
        .to_string());
    assert_eq!(total, lent.len());

    // A filter finds nothing out of sight, and does not change what is counted before it.
    let all = state.seen(&uuid(TENANT, 0), true);
    let others = |what| state.uuids(what, &all);
    by_uuid!(users, others("users"), of("users"));
    by_uuid!(groups, others("groups"), of("groups"));
    by_uuid!(tenants, others("tenants"), below);
    by_uuid!(policies, others("policies"), lent);
}
