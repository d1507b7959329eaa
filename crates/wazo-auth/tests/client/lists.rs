//! Methods and lists, as a user writes them.

use std::time::Duration;

use vouchsafe_wazo_auth::{Direction, NewPolicy, Result, UserEdit, UserOrder};

use super::*;

fn users(total: usize, filtered: usize, names: &[&str]) -> Then {
    let items: Vec<_> = names
        .iter()
        .map(|name| {
            let uuid = format!("6f9619ff-8b86-d011-b42d-00cf4fc96{:03}", name.len());
            json!({"uuid": uuid, "tenant_uuid": TENANT, "username": name})
        })
        .collect();
    answer(
        200,
        &json!({"total": total, "filtered": filtered, "items": items}),
    )
}

#[tokio::test]
async fn what_the_guide_shows_works_as_it_is_written() -> Result<()> {
    let policy =
        json!({"uuid": ALICE, "tenant_uuid": TENANT, "name": "user", "acl": ["dird.me.#"]});
    let told = Told::new([
        answer(200, &user("alice")),
        answer(200, &policy),
        users(7, 2, &["f", "fo"]),
        users(2, 2, &["f", "fo"]),
        users(0, 0, &[]),
    ]);
    let alice_uuid = alice();
    let tenant = tenant();
    let client = told.client();

    let alice = client.users().get(&alice_uuid).await?;
    assert_eq!(alice.username.as_deref(), Some("alice"));
    let policy = client
        .policies()
        .create(&NewPolicy::new("user").acl(["dird.me.#"]))
        .await?;
    assert_eq!(policy.acl, ["dird.me.#"]);
    let page = client.users().list().search("foo").limit(50).send().await?;
    assert_eq!(
        (page.total, page.filtered, page.items.len()),
        (7, Some(2), 2)
    );
    let mut users = client.users().list().search("foo").recurse(true).items();
    let mut names = Vec::new();
    while let Some(user) = users.next().await? {
        names.extend(user.username);
    }
    assert_eq!(names, ["f", "fo"]);
    client
        .users()
        .list()
        .tenant(&tenant)
        .deadline(Duration::from_secs(2))
        .send()
        .await?;

    assert_eq!(told.line(0), format!("GET /api/auth/0.1/users/{ALICE}"));
    assert_eq!(told.json(1), json!({"name": "user", "acl": ["dird.me.#"]}));
    assert_eq!(told.line(2), "GET /api/auth/0.1/users?search=foo&limit=50");
    assert_eq!(
        told.line(3),
        "GET /api/auth/0.1/users?search=foo&limit=100&offset=0&recurse=true"
    );
    assert_eq!(told.header(4, "wazo-tenant").as_deref(), Some(TENANT));
    Ok(())
}

#[tokio::test]
async fn a_walk_takes_the_next_page_where_the_last_one_ended() {
    let told = Told::new([users(3, 3, &["a", "bb"]), users(3, 3, &["bb", "ccc"])]);
    let list = told
        .client()
        .users()
        .list()
        .limit(2)
        .order(UserOrder::Lastname);
    let all = list
        .direction(Direction::Desc)
        .items()
        .collect()
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    let query = |at| told.line(at).split_once('?').unwrap().1.to_owned();
    assert_eq!(query(0), "direction=desc&limit=2&offset=0&order=lastname");
    assert_eq!(query(1), "direction=desc&limit=3&offset=1&order=lastname");
}

#[tokio::test]
async fn policies_are_walked_by_their_items_since_their_total_knows_no_filter() {
    let policy = |uuid: &str| json!({"uuid": uuid, "tenant_uuid": TENANT, "name": "p"});
    let page = |items: &[Value]| answer(200, &json!({"total": 9, "items": items}));
    let told = Told::new([page(&[policy("a"), policy("b")]), page(&[policy("b")])]);
    let list = told.client().policies().list().search("p").limit(2);
    assert_eq!(list.items().collect().await.unwrap().len(), 2);
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn an_edit_sends_what_stays_too() {
    let told = Told::new([answer(200, &user("alice")), answer(200, &user("alice"))]);
    let client = told.client();
    let found = client.users().get(&alice()).await.unwrap();
    let edit = UserEdit::from(&found).firstname("Alice");
    client.users().edit(&alice(), &edit).await.unwrap();
    assert_eq!(
        told.json(1),
        json!({
            "username": "alice", "firstname": "Alice",
            "authentication_method": "default", "enabled": true,
        })
    );
}

#[tokio::test]
async fn a_value_that_the_service_would_refuse_is_not_sent() {
    let told = Told::new([]);
    let client = told.client();
    let long = "x".repeat(81);
    assert!(
        client
            .policies()
            .create(&NewPolicy::new(long))
            .await
            .is_err()
    );
    assert!("not-a-uuid".parse::<UserUuid>().is_err());
    assert!(client.users().list().limit(-1).send().await.is_err());
    assert_eq!(told.count(), 0);
}
