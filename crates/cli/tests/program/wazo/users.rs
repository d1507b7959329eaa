//! Users, groups and policies.

use serde_json::json;

use super::World;
use crate::support::run;

#[test]
fn a_user_from_creation_to_deletion() {
    let world = World::new();
    let alice = world.user("alice", "open sesame");
    let edit = [
        "users",
        "edit",
        "alice",
        "--firstname",
        "Alice",
        "--lastname",
        "Adams",
    ];
    world.ask(&edit).good();
    // What is not named stays.
    let shown = world.json(&["users", "edit", "alice", "--lastname", ""]);
    assert_eq!(
        (&shown["firstname"], &shown["lastname"]),
        (&json!("Alice"), &json!(null))
    );
    assert_eq!(shown["username"], "alice");
    world
        .ask(&[
            "users",
            "set-emails",
            "alice",
            "a@example.com",
            "b@example.com",
        ])
        .good();
    let by_address = world.json(&["users", "show", "a@example.com"]);
    assert_eq!(by_address["uuid"], alice.as_str());
    let people = world.ask(&["users", "show", &alice]).good().out;
    assert!(
        people.contains("a@example.com (main, not confirmed)"),
        "{people}"
    );

    world
        .ask(&["policies", "create", "reader", "--access", "dird.me.#"])
        .good();
    world
        .ask(&["users", "add-policy", "alice", "reader"])
        .good();
    let policies = world.ask(&["users", "policies", "alice"]).good().out;
    assert!(policies.contains("reader"), "{policies}");
    assert_eq!(
        world.json(&["users", "list", "--policy", "reader"])["filtered"],
        1
    );
    world
        .ask(&["users", "remove-policy", "alice", "reader"])
        .good();
    assert_eq!(world.json(&["users", "policies", "alice"])["filtered"], 0);
    let groups = world.ask(&["users", "groups", "alice"]).good().out;
    assert!(groups.contains("wazo-all-users-tenant"), "{groups}");

    let token = world.log_in("alice", "open sesame", &[]).good().out;
    let sessions = world.json(&["users", "sessions", "alice"]);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
    let new = world.file("new", "second");
    world
        .ask(&["users", "set-password", "alice", "--password-file", &new])
        .good();
    world.ask_as(token.trim(), &["token", "check"]).bad_check();
    let mut change = world.open(&["users", "change-password", "alice", "--password-file", &new]);
    change.env("WAZO_AUTH_OLD_PASSWORD", "second");
    run(change.env("WAZO_AUTH_TOKEN", world.token())).good();
    world.log_in("alice", "second", &[]).good();
    world
        .ask(&["users", "set-password", "alice", "--remove"])
        .good();
    world.log_in("alice", "second", &[]).bad(1);

    world
        .ask(&["users", "edit", "alice", "--enabled", "false"])
        .good();
    assert_eq!(world.json(&["users", "show", "alice"])["enabled"], false);
    world.ask(&["users", "delete", "alice"]).good();
    let gone = world.ask(&["users", "show", "alice"]).bad(1);
    assert!(
        gone.err.contains("the token sees no user alice"),
        "{gone:?}"
    );
}

#[test]
fn a_long_list_is_shown_in_part_or_walked_to_its_end() {
    let world = World::new();
    let users: Vec<_> = (0..230)
        .map(|n| json!({"username": format!("walker-{n:03}")}))
        .collect();
    let file = world.file("users.json", &json!(users).to_string());
    let imported = world.ask(&["users", "import", &file]).good().out;
    assert_eq!(imported.trim(), "230 created, 0 skipped, 0 failed");
    let page = world
        .ask(&["users", "list", "--search", "walker"])
        .good()
        .out;
    assert!(
        page.ends_with("1 to 100 of 230; --all shows all\n"),
        "{page}"
    );
    let part = [
        "users",
        "list",
        "--search",
        "walker",
        "--limit",
        "2",
        "--offset",
        "3",
        "--descending",
    ];
    let part = world.json(&part);
    assert_eq!(part["items"][0]["username"], "walker-226");
    let all = world.json(&["users", "list", "--search", "walker", "--all"]);
    assert_eq!(
        (&all["total"], &all["filtered"]),
        (&json!(231), &json!(230))
    );
    assert_eq!(all["items"].as_array().unwrap().len(), 230);
    let wrong = world.ask(&["users", "list", "--order", "colour"]).bad(1);
    assert!(wrong.err.contains("order"), "{wrong:?}");
}

#[test]
fn an_import_tells_what_failed_and_can_be_run_again() {
    let world = World::new();
    world.user("taken", "open sesame");
    world.ask(&["groups", "create", "staff"]).good();
    world.ask(&["policies", "create", "reader"]).good();
    let users = json!([
        {"username": "alice", "password": "planted", "groups": ["staff"], "policies": ["reader"]},
        {"username": "taken"},
        {"username": "bob", "email_address": "bob@example.com"},
    ]);
    let file = world.file("users.json", &users.to_string());
    let dry = world.line(&["users", "import", &file, "--dry-run"]);
    assert_eq!(dry, "3 users could be created");
    assert_eq!(
        world.json(&["users", "list", "--search", "bob"])["filtered"],
        0
    );

    let first = world.ask(&["users", "import", &file, "--json"]);
    assert_eq!(first.code, 1, "{first:?}");
    assert_eq!(first.error()["message"], "2 created, 0 skipped, 1 failed");
    let told = first.json();
    assert_eq!(told["failed"][0]["name"], "taken");
    assert_eq!(told["failed"][0]["place"], 2);
    world.log_in("alice", "planted", &[]).good();
    assert_eq!(world.json(&["groups", "users", "staff"])["filtered"], 1);
    assert_eq!(world.json(&["users", "policies", "alice"])["filtered"], 1);
    // What an earlier import did not come to is done by the next.
    world
        .ask(&["groups", "remove-users", "staff", "alice"])
        .good();
    let second = world.line(&["users", "import", &file, "--skip-existing"]);
    assert_eq!(world.json(&["groups", "users", "staff"])["filtered"], 1);
    assert_eq!(second, "0 created, 3 skipped, 0 failed");

    for (text, why) in [
        (
            r#"[{"username": "x"}, {"user": "planted"}]"#,
            "[1].user: unknown field",
        ),
        (r#"[{"username": "x"}, {"password": "planted"}]"#, "user 2"),
        (
            r#"[{"username": "new"}, {"username": "y", "groups": ["nonesuch"]}]"#,
            "no group nonesuch",
        ),
        (r#"[{"username": "new", "uuid": "1"}]"#, "user 1"),
        (
            r#"[{"username": "new"}, {"username": "New"}]"#,
            "New is also used by user 1",
        ),
    ] {
        let file = world.file("wrong.json", text);
        let wrong = world.ask(&["users", "import", &file]);
        assert_ne!(wrong.code, 0, "{wrong:?}");
        assert!(
            wrong.err.contains(why) && !wrong.err.contains("planted"),
            "{wrong:?}"
        );
    }
    // Nothing of a file with a mistake is done.
    assert_eq!(
        world.json(&["users", "list", "--search", "new"])["filtered"],
        0
    );
}

#[test]
fn a_group_from_creation_to_deletion() {
    let world = World::new();
    let (alice, _) = (world.user("alice", "a"), world.user("bob", "b"));
    let staff = world.line(&["groups", "create", "staff", "--slug", "people"]);
    world
        .ask(&["groups", "add-users", "people", "alice", "bob"])
        .good();
    let users = world.ask(&["groups", "users", "staff"]).good().out;
    assert!(users.contains("alice") && users.contains("bob"), "{users}");
    let found = world.json(&["users", "list", "--group", "staff", "--purpose", "user"]);
    assert_eq!(found["filtered"], 2);
    world
        .ask(&["groups", "remove-users", &staff, &alice])
        .good();
    assert_eq!(world.json(&["groups", "users", "staff"])["filtered"], 1);
    world.ask(&["policies", "create", "reader"]).good();
    world
        .ask(&["groups", "add-policy", "staff", "reader"])
        .good();
    let policies = world.ask(&["groups", "policies", "staff"]).good().out;
    assert!(policies.contains("reader"), "{policies}");
    world
        .ask(&["groups", "remove-policy", "staff", "reader"])
        .good();
    let shown = world.json(&["groups", "rename", "staff", "crew"]);
    assert_eq!(
        (&shown["name"], &shown["slug"]),
        (&json!("crew"), &json!("people"))
    );
    assert!(
        world
            .ask(&["groups", "show", "crew"])
            .good()
            .out
            .contains(&staff)
    );
    assert_eq!(
        world.json(&["groups", "list", "--search", "crew"])["filtered"],
        1
    );
    world.ask(&["groups", "delete", "crew"]).good();
    world.ask(&["groups", "show", "crew"]).bad(1);
}

#[test]
fn a_policy_from_creation_to_deletion() {
    let world = World::new();
    let file = world.file("acl", "# what readers may\ndird.me.#\n\n#\n");
    world
        .ask(&[
            "policies",
            "create",
            "reader",
            "--access-file",
            &file,
            "--shared",
        ])
        .good();
    let shown = world.json(&["policies", "show", "reader"]);
    assert_eq!(shown["shared"], true);
    assert_eq!(shown["acl"].as_array().unwrap().len(), 2);
    world
        .ask(&["policies", "remove-access", "reader", "#"])
        .good();
    world
        .ask(&["policies", "add-access", "reader", "!dird.me.secrets"])
        .good();
    let edited = world.json(&["policies", "edit", "reader", "--description", "reads"]);
    assert_eq!(edited["description"], "reads");
    assert_eq!(edited["acl"].as_array().unwrap().len(), 2, "{edited}");
    let edited = world.json(&[
        "policies", "edit", "reader", "--name", "readers", "--access", "a.b",
    ]);
    assert_eq!(
        (&edited["name"], &edited["acl"]),
        (&json!("readers"), &json!(["a.b"]))
    );
    assert_eq!(edited["description"], "reads");
    let listed = world.ask(&[
        "policies",
        "list",
        "--read-only",
        "false",
        "--search",
        "readers",
    ]);
    assert!(listed.good().out.contains("readers"));
    let kept = world
        .ask(&["policies", "delete", "wazo-all-users-policy"])
        .bad(1);
    assert!(kept.err.contains("Forbidden policy deletion"), "{kept:?}");
    world.ask(&["policies", "delete", "reader"]).good();
    world.ask(&["policies", "show", "reader"]).bad(1);
}
