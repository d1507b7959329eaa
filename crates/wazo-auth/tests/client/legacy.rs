//! Servers before 21.05.

use vouchsafe_wazo_auth::{FirstUser, NewPolicy, PolicyEdit};

use super::*;

fn policy() -> Value {
    json!({
        "uuid": ALICE, "tenant_uuid": TENANT, "name": "user", "description": null,
        "acl_templates": ["dird.me.#"],
    })
}

#[tokio::test]
async fn accesses_are_called_as_an_old_server_calls_them() {
    let told = Told::new([answer(200, &policy()), answer(200, &policy())]);
    let client = told.builder().legacy().allow_plain_http().build().unwrap();
    let new = NewPolicy::new("user").acl(["dird.me.#"]);
    let made = client.policies().create(&new).await.unwrap();
    assert_eq!(made.acl, ["dird.me.#"]);
    let templates = json!({"name": "user", "acl_templates": ["dird.me.#"]});
    assert_eq!(told.json(0), templates);
    let edit = PolicyEdit::from(&made);
    client.policies().edit(&made.uuid, &edit).await.unwrap();
    assert_eq!(told.json(1), templates);

    client
        .policies()
        .add_access(&made.uuid, "a.#")
        .await
        .unwrap();
    client
        .policies()
        .remove_access(&made.uuid, "a.#")
        .await
        .unwrap();
    let path = format!("/0.1/policies/{ALICE}/acl_templates/a.%23");
    assert_eq!(
        [told.line(2), told.line(3)],
        [format!("PUT {path}"), format!("DELETE {path}")]
    );
    // The rest is as ever.
    client.users().delete(&alice()).await.unwrap();
    assert_eq!(told.line(4), format!("DELETE /0.1/users/{ALICE}"));
    assert_eq!(told.header(4, "x-auth-token").as_deref(), Some(TOKEN));
}

#[tokio::test]
async fn an_old_server_is_found_where_it_listens_and_keeps_a_tenant() {
    let told = Told::new([]);
    let client = told.builder().legacy().tenant(&tenant()).build().unwrap();
    let policy = "p".parse().unwrap();
    client.policies().remove_access(&policy, "a").await.unwrap();
    let asked = told.last();
    let url = "https://wazo.example.com:9497/0.1/policies/p/acl_templates/a";
    assert_eq!(asked.uri.to_string(), url);
    assert_eq!(told.header(0, "wazo-tenant").as_deref(), Some(TENANT));
}

#[tokio::test]
async fn tokens_of_old_servers_are_read_without_a_dialect() {
    let old = json!({"data": {
        "token": "t", "auth_id": ALICE, "acls": ["auth.#"], "session_uuid": ALICE,
        "metadata": {}, "issued_at": "2018-01-02T03:04:05", "expires_at": "2018-01-02T05:04:05",
        "utc_issued_at": "2018-01-02T03:04:05", "utc_expires_at": "2018-01-02T05:04:05",
        "xivo_user_uuid": null, "xivo_uuid": null,
    }});
    let told = Told::new([answer(200, &old)]);
    let token = told.client().token().get(TOKEN).send().await.unwrap();
    assert_eq!(token.acl, ["auth.#"]);
    assert_eq!(token.lifetime().unwrap().as_secs(), 7200);
}

#[tokio::test]
async fn the_first_user_is_made_with_the_key_of_the_installation() {
    let told = Told::new([answer(200, &user("root"))]);
    let client = told.builder().legacy().build().unwrap();
    let first = FirstUser::new("root", "planted-pw", "planted-key-of-twenty".split_at(20).0);
    client.init().run(&first).await.unwrap();
    assert_eq!(told.line(0), "POST /0.1/init");
    assert_eq!(told.json(0)["key"], "planted-key-of-twent");
    assert_eq!(told.header(0, "x-auth-token"), None);
    assert!(!format!("{first:?}").contains("planted"));
}
