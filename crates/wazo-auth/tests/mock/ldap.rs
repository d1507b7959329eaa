//! Logins through LDAP, in directories of the initial state.

use serde_json::{Value, json};
use vouchsafe_wazo_auth::mock::{Seed, Server};
use vouchsafe_wazo_auth::{
    Client, CreateTokenRequest, ErrorKind, LdapEdit, LdapSecurity, Result, TenantEdit, TenantUuid,
    UserEdit, UserUuid,
};

const TOP: &str = "00000001-0000-4000-8000-000000000001";
const LAB: &str = "00000001-0000-4000-8000-000000000002";
const ALICE: &str = "00000002-0000-4000-8000-000000000001";

fn email(number: u32, address: &str, confirmed: bool) -> Value {
    json!([{
        "uuid": format!("00000003-0000-4000-8000-{number:012}"), "address": address,
        "main": true, "confirmed": confirmed,
    }])
}

/// A tenant with users in a directory.
fn seed() -> Value {
    json!({
        "tenants": [
            {"uuid": TOP, "slug": "master"},
            {
                "uuid": LAB, "slug": "lab", "domain_names": ["lab.example.com"],
                "default_authentication_method": "ldap",
            },
        ],
        "policies": [{
            "uuid": "00000004-0000-4000-8000-000000000001", "tenant_uuid": TOP, "name": "all",
            "slug": "all", "acl": ["#"],
        }],
        "users": [
            {
                "uuid": "00000002-0000-4000-8000-000000000009", "username": "admin",
                "tenant_uuid": TOP, "authentication_method": "native", "policies": ["all"],
            },
            // She has no name here, only in the directory.
            {"uuid": ALICE, "tenant_uuid": LAB, "emails": email(1, "Alice@lab.example.com", true)},
            {
                "uuid": "00000002-0000-4000-8000-000000000002", "username": "bob",
                "tenant_uuid": LAB, "authentication_method": "native",
                "emails": email(2, "bob@lab.example.com", true),
            },
            {
                "uuid": "00000002-0000-4000-8000-000000000003", "username": "carol",
                "tenant_uuid": LAB, "emails": email(3, "carol@lab.example.com", false),
            },
            {
                "uuid": "00000002-0000-4000-8000-000000000004", "username": "dave",
                "tenant_uuid": TOP, "authentication_method": "ldap",
                "emails": email(4, "dave@lab.example.com", true),
            },
        ],
        "credentials": {"bob": {"username": "bob", "password": "native"}},
        "directories": [
            {
                "host": "ldap.example.com", "port": 636, "protocol_security": "ldaps",
                "entries": [
                    person("alice", "alice@lab.example.com", "staff"),
                    person("bob", "bob@lab.example.com", "staff"),
                    person("carol", "carol@lab.example.com", "staff"),
                    person("dave", "dave@lab.example.com", "staff"),
                    person("erin", "erin@lab.example.com", "staff"),
                    {"dn": "uid=frank,ou=people,dc=example", "attributes": {"uid": "frank"}},
                    {"dn": "cn=service,dc=example", "password": "of the service"},
                    {
                        "dn": "uid=alice,ou=guests,dc=example", "password": "guest",
                        "attributes": {"uid": "alice", "mail": "guest@lab.example.com"},
                    },
                ],
            },
            {"host": "ldap.example.com", "port": 389},
        ],
    })
}

fn person(name: &str, address: &str, group: &str) -> Value {
    json!({
        "dn": format!("uid={name},ou=people,dc=example"), "password": format!("of {name}"),
        "attributes": {"uid": name, "mail": [address, "other@example.com"], "group": group},
    })
}

fn server() -> Server {
    Server::from_seed(&Seed::parse(&seed().to_string()).unwrap())
}

fn lab() -> TenantUuid {
    LAB.parse().unwrap()
}

fn config() -> LdapEdit {
    let edit = LdapEdit::new(
        "ldap.example.com",
        636,
        "ou=people, DC=example",
        "uid",
        "mail",
    );
    edit.protocol_security(LdapSecurity::Ldaps)
}

/// An administrator of the tenant, which has a configuration.
async fn configured(server: &Server, edit: &LdapEdit) -> Client {
    let admin = server.client_as("admin").with_tenant(&lab());
    admin.ldap_config().update(edit).await.unwrap();
    admin
}

fn login(server: &Server, name: &str, password: &str) -> CreateTokenRequest {
    let login = server.client().token().create();
    login
        .credentials(name, password)
        .domain_name("lab.example.com")
}

/// Returns who logged in.
async fn who(login: CreateTokenRequest) -> Option<String> {
    match login.send().await {
        Ok(created) => Some(created.token.auth_id),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::LoginFailed, "{error}");
            assert_eq!(
                error.body().reason.as_deref(),
                Some("Authentication Failed")
            );
            None
        }
    }
}

#[tokio::test]
async fn a_user_of_a_directory_logs_in_by_the_domain_or_the_tenant() {
    let server = server();
    let alice = Some(ALICE.to_owned());
    assert_eq!(who(login(&server, "alice", "of alice")).await, None);
    configured(&server, &config()).await;
    assert_eq!(who(login(&server, "alice", "of alice")).await, alice);
    assert_eq!(who(login(&server, "ALICE", "of alice")).await, alice);
    let by = || {
        server
            .client()
            .token()
            .create()
            .credentials("alice", "of alice")
    };
    assert_eq!(who(by().tenant_id(LAB)).await, alice);
    // Neither the directory of another tenant, nor none.
    assert_eq!(who(by().tenant_id(TOP)).await, None);
    assert_eq!(who(by().domain_name("other.example.com")).await, None);
    assert_eq!(who(by()).await, None);
    for (name, password) in [
        ("alice", "of bob"),
        ("alice", "guest"),
        ("alice@lab.example.com", "of alice"),
        ("alice,ou=people", "of alice"),
        ("frank", "of frank"),
        ("nobody", "of nobody"),
    ] {
        assert_eq!(who(login(&server, name, password)).await, None, "{name}");
    }
}

#[tokio::test]
async fn a_directory_only_admits_users_of_its_tenant_with_that_method() {
    let server = server();
    let admin = configured(&server, &config()).await;
    // Bob's method is another, Carol's address is not confirmed, Dave is in another tenant, and
    // Erin is no user here.
    for name in ["bob", "carol", "dave", "erin"] {
        let password = format!("of {name}");
        assert_eq!(who(login(&server, name, &password)).await, None, "{name}");
    }
    let bob = || {
        server
            .client()
            .token()
            .create()
            .credentials("bob", "native")
    };
    assert!(who(bob()).await.is_some());
    assert_eq!(who(bob().domain_name("lab.example.com")).await, None);

    // The method of the tenant counts where the user has none.
    let alice: UserUuid = ALICE.parse().unwrap();
    let method = async |method: &str| {
        let tenant = admin.tenants().get(&lab()).await.unwrap();
        let edit = TenantEdit::from(&tenant).default_authentication_method(method);
        admin.tenants().edit(&lab(), &edit).await.unwrap();
    };
    method("native").await;
    assert_eq!(who(login(&server, "alice", "of alice")).await, None);
    admin.idp().add_user("ldap", &alice).await.unwrap();
    assert!(who(login(&server, "alice", "of alice")).await.is_some());
    let user = admin.users().get(&alice).await.unwrap();
    let edit = UserEdit::from(&user).enabled(false);
    admin.users().edit(&alice, &edit).await.unwrap();
    assert_eq!(who(login(&server, "alice", "of alice")).await, None);
}

#[tokio::test]
async fn each_part_of_the_configuration_counts() {
    let server = server();
    let base = |base: &str| {
        let edit = LdapEdit::new("ldap.example.com", 636, base, "uid", "mail");
        edit.protocol_security(LdapSecurity::Ldaps)
    };
    let searching = |edit: LdapEdit| edit.bind_dn("cn=service,dc=example");
    let bound = |edit: LdapEdit| searching(edit).bind_password("of the service");
    let people = "ou=people,dc=example";
    for (edit, is_admitted) in [
        (config(), true),
        (base("ou=guests,dc=example"), false),
        (base("dc=example"), false),
        // There are two of her name.
        (bound(base("dc=example")), false),
        (
            bound(base("dc=example")).search_filters("(group=staff)"),
            true,
        ),
        (
            bound(base("dc=example")).search_filters("group=guests"),
            false,
        ),
        (
            bound(base("dc=example")).search_filters("(group=st*)"),
            false,
        ),
        (bound(base(people)), true),
        (
            bound(base(people)).search_filters("(!(group=staff))"),
            false,
        ),
        (searching(base(people)), false),
        (searching(base(people)).bind_password("wrong"), false),
        (bound(base(people)).bind_dn("cn=nobody,dc=example"), false),
        (bound(base(people)).bind_dn(""), true),
        (
            LdapEdit::new("ldap.example.com", 636, people, "cn", "mail")
                .protocol_security(LdapSecurity::Ldaps),
            false,
        ),
        (
            LdapEdit::new("ldap.example.com", 636, people, "uid", "group")
                .protocol_security(LdapSecurity::Ldaps),
            false,
        ),
        // Not the directory's address or security.
        (config().protocol_security(LdapSecurity::Tls), false),
        (
            LdapEdit::new("ldap.example.com", 636, people, "uid", "mail"),
            false,
        ),
        (
            LdapEdit::new("ldap.example.com", 389, people, "uid", "mail"),
            false,
        ),
        (
            LdapEdit::new("elsewhere.example.com", 636, people, "uid", "mail")
                .protocol_security(LdapSecurity::Ldaps),
            false,
        ),
    ] {
        let admin = configured(&server, &edit).await;
        let found = who(login(&server, "alice", "of alice")).await;
        assert_eq!(found.is_some(), is_admitted, "{edit:?}");
        admin.ldap_config().delete().await.unwrap();
        assert_eq!(who(login(&server, "alice", "of alice")).await, None);
    }
}

#[tokio::test]
async fn a_refresh_token_of_a_directory_user_needs_no_directory() {
    let server = server();
    let admin = configured(&server, &config()).await;
    let created = login(&server, "alice", "of alice")
        .offline("app")
        .send()
        .await;
    let secret = created.unwrap().token.refresh_token.unwrap();
    admin.ldap_config().delete().await.unwrap();
    let again = server.client().token().create();
    let again: Result<_> = again.refresh_token("app", secret).send().await;
    assert_eq!(again.unwrap().token.auth_id, ALICE);
}

#[tokio::test]
async fn without_the_plugin_no_directory_is_asked() {
    let mut seed = seed();
    seed["server_config"] = json!({"enabled_backend_plugins": {"ldap_user": false}});
    let server = Server::from_seed(&Seed::parse(&seed.to_string()).unwrap());
    configured(&server, &config()).await;
    assert_eq!(who(login(&server, "alice", "of alice")).await, None);
}

#[test]
fn a_directory_that_is_misspelled_is_refused_without_its_passwords() {
    for (member, value) in [
        ("port", json!(70_000)),
        ("protocol_security", json!("starttls")),
        ("entries", json!([{"dn": "a", "passwords": "planted"}])),
        ("entries", json!([{"password": "planted"}])),
        (
            "entries",
            json!([{"dn": "a", "attributes": {"mail": [7]}, "password": "planted"}]),
        ),
    ] {
        let mut seed = seed();
        seed["directories"][1][member] = value;
        let error = Seed::parse(&seed.to_string()).unwrap_err().to_string();
        assert!(error.contains("directories[1]"), "{error}");
        assert!(!error.contains("planted"), "{error}");
    }
}
