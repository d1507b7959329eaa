//! Rules of the service that a test of a user's own program depends on.

use serde_json::json;
use vouchsafe_wazo_auth::ScopeCheck;
use vouchsafe_wazo_auth::acl::Rules;
use vouchsafe_wazo_auth::mock::{Seed, Server};

#[tokio::test]
async fn an_old_server_reads_accesses_by_its_own_rules() {
    let patterns = ["#", "!a.b", "c.*", "d.edit"];
    for (rules, allowed) in [
        (Rules::Current, ["a.b.c", "c.x"].as_slice()),
        (Rules::Old, &["a.b.c", "c.x", "a.b"]),
    ] {
        let seed = Seed::sample().settings(|settings| settings.acl_rules = rules);
        let server = Server::from_seed(&seed);
        let token = server.issue_token_with("admin", patterns);
        let client = server.client();
        let asked = ["a.b", "a.b.c", "c.x"];
        let scopes = ScopeCheck::new(asked);
        let covered = client.token().check_scopes(&token, &scopes).await.unwrap();
        for access in asked {
            assert_eq!(
                covered[access],
                allowed.contains(&access),
                "{rules:?} {access}"
            );
            let check = client.token().check(token.clone()).required_access(access);
            let is_valid = check.is_valid().await.unwrap();
            assert_eq!(is_valid, allowed.contains(&access), "{rules:?} {access}");
        }
        // What the token must cover for the server's own routes.
        let token = server.issue_token_with("admin", ["auth.users.*", "!auth.users.read"]);
        let users = server.client().with_token(token);
        let is_allowed = users.users().list().send().await.is_ok();
        assert_eq!(is_allowed, rules == Rules::Old);
    }
}

#[tokio::test]
async fn a_tree_of_any_depth_is_searched_and_listed() {
    const DEPTH: usize = 3_000;
    let uuid = |number: usize| format!("00000001-0000-4000-8000-{number:012}");
    let tenants = (0..DEPTH).map(|number| {
        json!({
            "uuid": uuid(number), "parent_uuid": uuid(number.saturating_sub(1)),
            "name": format!("{number}"), "slug": format!("{number}"),
        })
    });
    let users = [json!({"uuid": uuid(0), "username": "root", "tenant_uuid": uuid(0)})];
    let seed = json!({"tenants": tenants.collect::<Vec<_>>(), "users": users});
    let server = Server::from_seed(&Seed::parse(&seed.to_string()).unwrap());
    let token = server.issue_token_with("root", ["#"]);
    let client = server.client().with_token(token);
    let page = client.tenants().list().limit(1).send().await.unwrap();
    assert_eq!(page.total, 3_000);
    let last = uuid(DEPTH - 1).parse().unwrap();
    let below = client.with_tenant(&last);
    assert_eq!(below.tenants().list().send().await.unwrap().total, 1);
    let users = client.users().list().recurse(true).send().await.unwrap();
    assert_eq!(users.total, 1);
    client.tenants().get(&last).await.unwrap();
    client.tenants().delete(&last).await.unwrap();
}
