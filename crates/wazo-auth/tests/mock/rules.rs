//! Rules of the service that a test of a user's own program depends on.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use vouchsafe_wazo_auth::acl::Rules;
use vouchsafe_wazo_auth::mock::{Seed, Server};
use vouchsafe_wazo_auth::{ErrorKind, NewGroup, NewPolicy, NewUser, PolicyEdit, ScopeCheck, core};

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

#[tokio::test(flavor = "multi_thread")]
async fn of_requests_that_delete_the_same_thing_at_once_one_succeeds() {
    const TASKS: usize = 32;
    let server = Server::new();
    let admin = server.client_as("admin");
    let group = admin
        .groups()
        .create(&NewGroup::new("staff"))
        .await
        .unwrap();
    let policy = NewPolicy::new("readers");
    let policy = admin.policies().create(&policy).await.unwrap();
    let mut users = Vec::new();
    for number in 0..TASKS {
        let new = NewUser::new().username(format!("user-{number}"));
        let user = admin.users().create(&new).await.unwrap().uuid;
        admin.groups().add_user(&group.uuid, &user).await.unwrap();
        users.push(user);
    }
    let together = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for own in users.clone() {
        let (admin, together) = (admin.clone(), Arc::clone(&together));
        let (first, group, policy) = (users[0].clone(), group.clone(), policy.clone());
        tasks.spawn(async move {
            together.wait().await;
            let own = admin.users().delete(&own).await;
            [
                admin.users().delete(&first).await,
                admin.groups().delete(&group.uuid).await,
                admin.policies().delete(&policy.uuid).await,
                own,
            ]
        });
    }
    let mut done = [0; 3];
    let mut is_first_gone = 0;
    for [first, group, policy, own] in tasks.join_all().await {
        for (count, answer) in done.iter_mut().zip([first, group, policy]) {
            match answer {
                Ok(()) => *count += 1,
                Err(error) => assert!(error.is_not_found(), "{error}"),
            }
        }
        // The first caller deletes the first user.
        is_first_gone += usize::from(own.is_err());
    }
    assert_eq!(done[1..], [1, 1]);
    assert_eq!(done[0] + 1 - is_first_gone, 1);
    let (left, new) = (server.snapshot(), Server::new().snapshot());
    for of in ["users", "groups", "policies", "members", "group_policies"] {
        assert_eq!(left[of], new[of], "{of}");
    }
}

#[tokio::test]
async fn odd_patterns_are_kept_and_decide_as_the_evaluator_here_does() {
    let server = Server::new();
    let admin = server.client_as("admin");
    let odd = [
        "a b",
        "é.ü",
        "!",
        "!!a",
        "#",
        "*",
        "##",
        "**",
        "*#",
        "a*b",
        "a#b",
        "a.",
        ".a",
        ".",
        "..",
        "a..b",
        "%",
        "%2F",
        "a%20b",
        "a+b",
        "a?b=c&d",
        "a\"b",
        "a\\b",
        "(a|b)",
        "[a]",
        "a$",
        "^a",
        "me",
        "me.me",
        "my_session",
        "edit",
        "x.edit",
        "a\tb",
        "\u{1f511}",
        "A",
        "a;b",
    ];
    let policy = NewPolicy::new("odd").acl(odd);
    let policy = admin.policies().create(&policy).await.unwrap();
    assert_eq!(policy.acl, odd);
    // Even `#` does not match a line end, so no one may grant an access with one.
    let lines = NewPolicy::new("lines").acl(["a\nb"]);
    let refused = admin.policies().create(&lines).await.unwrap_err();
    assert_eq!(refused.body().required_access(), Some("a\nb"));
    let long = "x.".repeat(10_000);
    let edit = PolicyEdit::new("odd").acl([&long, "", &long]);
    let edited = admin.policies().edit(&policy.uuid, &edit).await.unwrap();
    assert_eq!(edited.acl, [&long, ""], "the same text is kept once");

    // One by one, as segments of a path.
    for access in odd {
        let added = admin.policies().add_access(&policy.uuid, access).await;
        // Nothing on the way could be trusted to leave these as they are.
        if [".", ".."].contains(&access) {
            let invalid = ErrorKind::Core(core::ErrorKind::Invalid);
            assert_eq!(added.unwrap_err().kind(), invalid, "{access}");
            continue;
        }
        added.unwrap();
        let found = admin.policies().get(&policy.uuid).await.unwrap();
        assert!(found.acl.iter().any(|known| known == access), "{access:?}");
        let policies = admin.policies();
        policies.remove_access(&policy.uuid, access).await.unwrap();
    }
    let found = admin.policies().get(&policy.uuid).await.unwrap();
    assert_eq!(found.acl, [&long, ""]);

    // What would cover or forbid everything is left out.
    let some = odd.into_iter().filter(|pattern| {
        let is_letter = |c: char| !"#*".contains(c);
        *pattern != "!" && pattern.contains(is_letter)
    });
    let token = server.issue_token_with("admin", some);
    let client = server.client();
    let info = client.token().get(token.clone()).send().await.unwrap();
    let acl = info.acl();
    let more = [&*long, "", "x.update", "!a", "a1b", "a.1b"];
    let asked: Vec<&str> = odd.into_iter().chain(more).collect();
    let check = ScopeCheck::new(asked.iter().copied());
    let covered = client.token().check_scopes(&token, &check).await.unwrap();
    let mut count = 0;
    for access in asked {
        assert_eq!(covered[access], acl.allows(access), "{access:?}");
        count += usize::from(covered[access]);
    }
    assert!((25..35).contains(&count), "{count} are covered");
}
