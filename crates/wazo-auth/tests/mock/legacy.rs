//! Servers before 21.05, asked by a client for them and by one for today's.

use vouchsafe_wazo_auth::mock::{Seed, Server};
use vouchsafe_wazo_auth::{
    Client, ErrorKind, FirstUser, NewPolicy, NewTenant, PolicyEdit, PolicyId, Secret, core,
};

const KEY: &str = "a key of 20 letters.";

/// A server as `vouchsafe serve` starts it from a seed.
fn old_server() -> Server {
    let seed = r##"{
        "tenants": [{"uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55", "slug": "master"}],
        "users": [{
            "uuid": "d082e3a1-6283-4987-892e-027fadbfdf39", "username": "admin",
            "tenant_uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55", "policies": ["all"]
        }],
        "policies": [{
            "uuid": "304f4289-b1b8-4d3e-8262-4154cdc40782", "name": "all", "slug": "all",
            "acl": ["#"], "tenant_uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55"
        }],
        "legacy": true, "acl_rules": "old", "init_key": "a key of 20 letters."
    }"##;
    Server::from_seed(&Seed::parse(seed).unwrap())
}

/// A client for old servers.
fn old_client(server: &Server) -> Client {
    let builder = Client::builder().host("wazo.example.com").legacy();
    builder
        .transport(server.host().transport())
        .build()
        .unwrap()
}

fn admin(server: &Server) -> Client {
    old_client(server).with_token(server.issue_token("admin"))
}

async fn accesses(client: &Client, policy: &PolicyId) -> Vec<String> {
    client.policies().get(policy).await.unwrap().acl
}

#[tokio::test]
async fn an_old_server_and_its_client_call_accesses_templates() {
    let server = old_server();
    let client = admin(&server);
    let new = NewPolicy::new("readers").acl(["a.b", "c.#"]);
    let policy = client.policies().create(&new).await.unwrap();
    assert_eq!(policy.acl, ["a.b", "c.#"]);
    let id = &policy.uuid;
    client.policies().add_access(id, "d.*/e").await.unwrap_err();
    client.policies().add_access(id, "d.*").await.unwrap();
    client.policies().remove_access(id, "a.b").await.unwrap();
    assert_eq!(accesses(&client, id).await, ["c.#", "d.*"]);
    let again = client.policies().add_access(id, "d.*").await.unwrap_err();
    assert!(again.is_conflict());
    let edit = PolicyEdit::new("readers").acl(["e"]);
    client.policies().edit(id, &edit).await.unwrap();
    assert_eq!(accesses(&client, id).await, ["e"]);

    let journal = server.journal();
    let counts = [
        "addAclTemplate",
        "removeAclTemplate",
        "addAccess",
        "removeAccess",
    ];
    let counts = counts.map(|operation| journal.count(&format!("wazo-auth.{operation}")));
    assert_eq!(counts, [2, 1, 0, 0]);
}

#[tokio::test]
async fn a_server_of_today_does_not_know_what_old_ones_had() {
    let server = Server::new();
    let client = admin(&server);
    // A member that is not known is dropped, so the policy has no access.
    let new = NewPolicy::new("readers").acl(["a.b"]);
    let policy = client.policies().create(&new).await.unwrap();
    assert!(policy.acl.is_empty());
    let id = &policy.uuid;
    let missing = client.policies().add_access(id, "a.b").await.unwrap_err();
    assert!(missing.is_not_found());
    let first = FirstUser::new("root", "pw", KEY);
    let missing = client.init().run(&first).await.unwrap_err();
    assert!(missing.is_not_found());
}

#[tokio::test]
async fn tokens_of_an_old_server_cover_what_its_rules_say() {
    let server = old_server();
    let client = old_client(&server);
    // An exclamation mark was a letter like any other, and `edit` no other word for `update`.
    let token = server.issue_token_with("admin", ["a.#", "!a.b", "c.edit"]);
    let found = client.token().get(token.clone()).send().await.unwrap();
    assert_eq!(found.acl, ["a.#", "!a.b", "c.edit"]);
    for (access, is_covered) in [("a.b", true), ("!a.b", true), ("c.update", false)] {
        let check = client.token().check(token.clone());
        let check = check.required_access(access);
        assert_eq!(check.is_valid().await.unwrap(), is_covered, "{access}");
    }
}

#[tokio::test]
async fn an_installation_takes_its_first_user_once() {
    let server = old_server();
    let client = old_client(&server);
    let run = async |password: &str, key: &str| {
        let first = FirstUser::new("root", password, key);
        client.init().run(&first).await
    };
    for key in ["a key of 20 letters!", "A KEY OF 20 LETTERS."] {
        let refused = run("pw", key).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::LoginFailed, "{key}");
    }
    let short = run("pw", "too short").await.unwrap_err();
    assert_eq!(short.kind(), ErrorKind::Core(core::ErrorKind::Invalid));
    let user = run("pw", KEY).await.unwrap();
    assert_eq!(user.username.as_deref(), Some("root"));
    let login = client.token().create().credentials("root", "pw");
    let token: Secret = login.send().await.unwrap().token.token;
    assert!(client.token().is_valid(&token).await.unwrap());

    let again = run("other", KEY).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::LoginFailed, "the key is gone");
}

#[tokio::test]
async fn the_first_user_may_set_an_installation_up() {
    let seed = Seed::sample().settings(|settings| {
        settings.legacy = true;
        settings.init_key = Some(KEY.into());
    });
    let server = Server::from_seed(&seed);
    let client = old_client(&server);
    let first = FirstUser::new("root", "pw", KEY);
    let root = client.init().run(&first).await.unwrap();
    let root = client.with_token(server.issue_token(&root.username.unwrap()));
    let tenant = NewTenant::new().name("Lab");
    root.tenants().create(&tenant).await.unwrap();
}
