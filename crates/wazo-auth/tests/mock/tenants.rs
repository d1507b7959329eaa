//! What goes with a tenant, a user or a domain that is deleted (protocol section 10).

use serde_json::json;
use vouchsafe_wazo_auth::mock::Server;
use vouchsafe_wazo_auth::{
    Client, Error, ErrorKind, LdapEdit, Mobile, NewGroup, NewPolicy, NewTenant, NewUser, Result,
    SamlForm, Secret, Tenant, TenantEdit, User, core,
};

/// A tenant with one of everything in it.
struct Furnished {
    server: Server,
    admin: Client,
    inside: Client,
    tenant: Tenant,
    user: User,
    token: Secret,
}

async fn furnished() -> Furnished {
    let server = Server::new();
    let admin = server.client_as("admin");
    let new = NewTenant::new()
        .name("Example")
        .slug("example")
        .domain_names(["a.example.com", "b.example.com"]);
    let tenant = admin.tenants().create(&new).await.unwrap();
    let inside = admin.with_tenant(&tenant.uuid);
    let new = NewUser::new().username("alice").password("pw");
    let user = inside.users().create(&new).await.unwrap();
    let policy = NewPolicy::new("readers").acl(["a.b"]);
    let policy = inside.policies().create(&policy).await.unwrap();
    let group = inside
        .groups()
        .create(&NewGroup::new("staff"))
        .await
        .unwrap();
    let groups = inside.groups();
    groups.add_user(&group.uuid, &user.uuid).await.unwrap();
    groups.add_policy(&group.uuid, &policy.uuid).await.unwrap();
    let users = inside.users();
    users.add_policy(&user.uuid, &policy.uuid).await.unwrap();
    let login = server.client().token().create().credentials("alice", "pw");
    let token = login.offline("app").send().await.unwrap().token.token;
    let external = inside.external();
    let mobile = Mobile::new().token("push");
    external.create_mobile(&user.uuid, &mobile).await.unwrap();
    let config = json!({"fcm_sender_id": "1"}).into();
    external.create_config("mobile", &config).await.unwrap();
    let ldap = LdapEdit::new("ldap.example.com", 636, "dc=example", "uid", "mail");
    inside.ldap_config().update(&ldap).await.unwrap();
    let domains = inside.tenants().get_domains(&tenant.uuid).await.unwrap();
    let domain = domains.iter().find(|domain| domain.name == "a.example.com");
    let form = SamlForm::new()
        .domain_uuid(&domain.unwrap().uuid)
        .entity_id("wazo")
        .acs_url("https://wazo.example.com")
        .metadata("<EntityDescriptor/>");
    inside.saml_config().create(&form).await.unwrap();
    Furnished {
        server,
        admin,
        inside,
        tenant,
        user,
        token,
    }
}

/// Returns the snapshot as text, without the time.
fn state(server: &Server) -> String {
    let mut state = server.snapshot();
    state["now"] = 0.into();
    // The administrator may have more sessions.
    state["sessions"] = 0.into();
    state.to_string()
}

#[tokio::test]
async fn a_tenant_takes_all_that_is_in_it_along() {
    let before = state(&Server::new());
    let Furnished {
        server,
        admin,
        tenant,
        user,
        token,
        ..
    } = furnished().await;
    let is_valid = async || server.client().token().is_valid(&token).await.unwrap();
    assert!(is_valid().await);
    admin.tenants().delete(&tenant.uuid).await.unwrap();
    assert!(!is_valid().await, "sessions in it end");
    assert_eq!(state(&server), before);
    assert!(
        admin
            .users()
            .get(&user.uuid)
            .await
            .unwrap_err()
            .is_not_found()
    );

    // Names that had to be unique are free again.
    let again = NewTenant::new()
        .uuid(&tenant.uuid)
        .slug("example")
        .domain_names(["a.example.com"]);
    admin.tenants().create(&again).await.unwrap();
    let inside = admin.with_tenant(&tenant.uuid);
    let new = NewUser::new().username("alice").uuid(&user.uuid);
    inside.users().create(&new).await.unwrap();
    inside
        .policies()
        .create(&NewPolicy::new("readers"))
        .await
        .unwrap();
    assert!(inside.saml_config().get().await.unwrap_err().is_not_found());
    assert_eq!(inside.ldap_config().get().await.unwrap().host, None);
    let config = inside.external().get_config("mobile").await.unwrap_err();
    assert!(config.is_not_found());
}

fn refused<T>(answer: Result<T>, status: u16) -> Error {
    let error = answer.map(|_| ()).unwrap_err();
    let got = error.status().map(|status| status.as_u16());
    assert_eq!(got, Some(status), "{error}");
    error
}

#[tokio::test]
async fn a_tenant_with_children_ones_own_and_one_that_is_hidden_stay() {
    let Furnished {
        server,
        admin,
        inside,
        tenant,
        ..
    } = furnished().await;
    let below = inside
        .tenants()
        .create(&NewTenant::new().name("below"))
        .await
        .unwrap();
    let beside = admin
        .tenants()
        .create(&NewTenant::new().name("beside"))
        .await
        .unwrap();
    let before = server.snapshot();

    let children = refused(admin.tenants().delete(&tenant.uuid).await, 400);
    assert_eq!(children.body().details, json!({"uuid": tenant.uuid}));
    assert_eq!(children.body().resource.as_deref(), Some("tenants"));
    let own = refused(inside.tenants().delete(&tenant.uuid).await, 403);
    assert_eq!(own.code(), Some("deleting-own-tenant-forbidden"));
    let hidden = refused(inside.tenants().delete(&beside.uuid).await, 404);
    assert_eq!(hidden.kind(), ErrorKind::Core(core::ErrorKind::NotFound));
    let after = server.snapshot();
    assert_eq!(after["tenants"], before["tenants"]);
    assert_eq!(after["users"], before["users"]);

    inside.tenants().delete(&below.uuid).await.unwrap();
    admin.tenants().delete(&tenant.uuid).await.unwrap();
}

#[tokio::test]
async fn a_user_takes_what_is_the_users_along_but_no_session() {
    let Furnished {
        server,
        admin,
        inside,
        tenant,
        user,
        token,
    } = furnished().await;
    let mut edit = TenantEdit::from(&tenant);
    edit.contact = Some(user.uuid.clone());
    admin.tenants().edit(&tenant.uuid, &edit).await.unwrap();
    inside.users().delete(&user.uuid).await.unwrap();
    let tenant = admin.tenants().get(&tenant.uuid).await.unwrap();
    assert_eq!(tenant.contact, None);
    let state = server.snapshot();
    for of in [
        "users",
        "refresh_tokens",
        "user_policies",
        "members",
        "external",
    ] {
        assert!(!state[of].to_string().contains(user.uuid.as_str()), "{of}");
    }
    assert!(server.client().token().is_valid(&token).await.unwrap());
}

#[tokio::test]
async fn a_domain_takes_the_logins_through_it_along() {
    let Furnished { inside, tenant, .. } = furnished().await;
    let edit = TenantEdit::from(&tenant).name("Other");
    inside.tenants().edit(&tenant.uuid, &edit).await.unwrap();
    inside.saml_config().get().await.unwrap();
    let edit = edit.domain_names(["b.example.com"]);
    inside.tenants().edit(&tenant.uuid, &edit).await.unwrap();
    assert!(inside.saml_config().get().await.unwrap_err().is_not_found());
}
