//! Tenants, identity providers, external services, and mistakes.

use std::fs;

use serde_json::{Value, json};

use super::World;
use crate::support::{Played, program, run};

#[test]
fn tenants_are_made_moved_and_acted_in() {
    let world = World::new();
    world.user("carol", "open sesame");
    let create = [
        "tenants",
        "create",
        "Lab",
        "--slug",
        "lab",
        "--domain",
        "lab.example.org",
    ];
    let lab = world.line(&[&create[..], &["--contact", "carol", "--city", "Oslo"]].concat());
    let shown = world.json(&[
        "tenants",
        "edit",
        "lab",
        "--phone",
        "555",
        "--country",
        "Norway",
    ]);
    assert_eq!(
        shown["address"],
        json!({"city": "Oslo", "country": "Norway"})
    );
    assert_eq!(shown["domain_names"], json!(["lab.example.org"]));
    let people = world.ask(&["tenants", "show", "Lab"]).good().out;
    assert!(people.contains("Oslo, Norway"), "{people}");
    let domains = world.ask(&["tenants", "domains", "lab"]).good().out;
    assert!(domains.contains("lab.example.org"), "{domains}");

    let below = world.line(&[
        "tenants", "create", "Bench", "--slug", "bench", "--tenant", "lab",
    ]);
    assert_eq!(
        world.json(&["tenants", "show", &below])["parent_uuid"],
        lab.as_str()
    );
    world.ask(&["tenants", "move", "bench", "master"]).good();
    world.ask(&["tenants", "move", "bench", "lab"]).good();
    let mut create = world.open(&["users", "create", "dana", "--no-password"]);
    let create = create.env("WAZO_AUTH_TENANT", "bench");
    run(create.env("WAZO_AUTH_TOKEN", world.token())).good();
    let found = |tenant: &str, more: &[&str]| {
        let words = ["users", "list", "--search", "dana", "--tenant", tenant];
        world.json(&[&words, more].concat())["filtered"].clone()
    };
    assert_eq!(found("bench", &[]), 1);
    assert_eq!(found("lab", &[]), 0);
    assert_eq!(found("lab", &["--recurse"]), 1);
    let listed = world.json(&["tenants", "list", "--domain", "lab.example.org"]);
    assert_eq!(listed["items"][0]["slug"], "lab");
    let full = world.ask(&["tenants", "delete", "lab"]);
    assert_eq!(full.code, 1, "{full:?}");
    for tenant in ["bench", "lab"] {
        world.ask(&["tenants", "delete", tenant]).good();
    }
    let hidden = [
        "users",
        "list",
        "--tenant",
        "00000000-0000-4000-8000-000000000000",
    ];
    let hidden = world.ask(&[&hidden[..], &["--json"]].concat()).bad(1);
    assert_eq!(hidden.error()["kind"], "hidden_tenant");
}

#[test]
fn a_name_that_is_not_unique_is_not_guessed() {
    let world = World::new();
    world
        .ask(&["tenants", "create", "Lab", "--slug", "lab"])
        .good();
    let one = world.line(&["groups", "create", "staff"]);
    let other = world.line(&["groups", "create", "staff", "--tenant", "lab"]);
    let several = world.ask(&["groups", "show", "staff"]).bad(1);
    for uuid in [&one, &other] {
        assert!(several.err.contains(uuid.as_str()), "{several:?}");
        world.ask(&["groups", "show", uuid]).good();
    }
}

#[test]
fn an_old_server_is_served_from_a_seed_and_reached_by_an_option() {
    let seed = run(&mut program(&["serve", "--print-seed", "wazo-auth"]));
    let old = r#"{"legacy": true, "acl_rules": "old", "init_key": "key of an installer.","#;
    let seed = seed.good().out.replacen('{', old, 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seed.json");
    fs::write(&file, seed).unwrap();
    let serve = ["serve", "--service", "wazo-auth=0", "--seed"];
    let serve = [
        &serve[..],
        &[file.to_str().unwrap(), "--until-stdin-closes"],
    ]
    .concat();
    let played = Played::start(&mut program(&serve));
    let world = World { played, folder };
    let token = world.manage("POST", "tokens", r##"{"username": "admin", "acl": ["#"]}"##);
    let token = token["token"].as_str().unwrap();
    let ask = |arguments: &[&str]| world.ask_as(token, &[arguments, &["--legacy"]].concat());
    ask(&["policies", "create", "reader", "--access", "a.b"]).good();
    ask(&["policies", "add-access", "reader", "c.#"]).good();
    let shown = ask(&["policies", "show", "reader", "--json"]).good().json();
    assert_eq!(shown["acl"], json!(["a.b", "c.#"]));
    let journal = world.manage("GET", "journal", "").to_string();
    assert!(journal.contains("wazo-auth.addAclTemplate"), "{journal}");

    // By the old rules, an exclamation mark is a letter.
    let body = r##"{"username": "admin", "acl": ["#", "!a.b"]}"##;
    let made = world.manage("POST", "tokens", body);
    let check = ["token", "check", "--access", "a.b"];
    world.ask_as(made["token"].as_str().unwrap(), &check).good();
}

#[test]
fn logins_through_saml_are_configured_changed_and_removed() {
    let world = World::new();
    let tenant = ["tenants", "create", "Lab", "--slug", "lab"];
    let domains = ["--domain", "sso.example.com", "--domain", "b.example.com"];
    let tenant = world.line(&[&tenant[..], &domains].concat());
    let saml = |arguments: &[&str]| {
        let place = ["--tenant", "lab"];
        world.ask(&[&["idp", "saml"], arguments, &place].concat())
    };
    let metadata = world.file("idp.xml", "<EntityDescriptor/>");
    let whole = [
        "--domain",
        "sso.example.com",
        "--entity-id",
        "wazo",
        "--acs-url",
        "https://wazo.example.com/acs",
        "--metadata",
        &metadata,
    ];
    let incomplete = saml(&[&["create"], &whole[..6]].concat());
    assert_eq!(incomplete.code, 2, "{incomplete:?}");
    assert!(incomplete.err.contains("--metadata"), "{incomplete:?}");
    saml(&[&["update"][..], &whole].concat()).bad(1);
    saml(&["show"]).bad(1);

    let made = saml(&[&["create", "--json"][..], &whole].concat()).good();
    let made = made.json();
    let listed = world.json(&["tenants", "domains", "lab"]);
    let named = |name: &str| {
        let mut all = listed.as_array().unwrap().iter();
        all.find(|domain| domain["name"] == name).unwrap()["uuid"].clone()
    };
    assert_eq!(made["domain_uuid"], named("sso.example.com"));
    assert_eq!(made["tenant_uuid"], tenant.as_str());
    saml(&[&["create"][..], &whole].concat()).bad(1);

    // What is not named stays, and naming nothing is a mistake.
    assert_eq!(saml(&["update"]).code, 2);
    let other = saml(&["update", "--domain", "b.example.com", "--json"]);
    let other = other.good().json();
    assert_eq!(other["domain_uuid"], named("b.example.com"));
    assert_eq!(other["entity_id"], "wazo");
    assert!(
        saml(&["show"])
            .good()
            .out
            .contains("https://wazo.example.com/acs")
    );
    let hidden = saml(&["update", "--domain", "nowhere.example.com"]).bad(1);
    assert!(
        hidden.err.contains("the token sees no domain"),
        "{hidden:?}"
    );
    let malformed = world.file("idp.xml", "<Nothing/>");
    saml(&["update", "--metadata", &malformed]).bad(1);

    for _ in 0..2 {
        saml(&["delete"]).good();
    }
    saml(&["show"]).bad(1);
}

#[test]
fn identity_providers_and_external_services() {
    let world = World::new();
    world.user("alice", "open sesame");
    assert!(world.line(&["idp", "list"]).contains("ldap"));
    assert!(world.line(&["idp", "backends"]).contains("wazo_user"));
    world.ask(&["idp", "add-users", "ldap", "alice"]).good();
    let method = || world.json(&["users", "show", "alice"])["authentication_method"].clone();
    assert_eq!(method(), "ldap");
    world.ask(&["idp", "remove-users", "ldap", "alice"]).good();
    assert_eq!(method(), "default");

    let data = world.file("data", r#"{"token": "planted"}"#);
    let create = ["external", "create", "mobile", "alice", "--data", &data];
    world.ask(&create).good();
    world
        .ask(&["external", "update", "mobile", "alice", "--data", &data])
        .good();
    let listed = world.ask(&["external", "list", "alice"]).good().out;
    assert!(
        listed.contains("mobile") && !listed.contains("planted"),
        "{listed}"
    );
    assert_eq!(world.json(&["external", "users", "mobile"])["total"], 1);
    let out = world.path("shown");
    let show = [
        "external",
        "show",
        "mobile",
        "alice",
        "--out",
        out.to_str().unwrap(),
    ];
    let shown = world.ask(&show).good().out;
    assert!(!shown.contains("planted"), "{shown}");
    assert!(fs::read_to_string(&out).unwrap().contains("planted"));
    world.ask(&["external", "delete", "mobile", "alice"]).good();

    let config = world.file(
        "config",
        r#"{"client_id": "i", "client_secret": "planted"}"#,
    );
    world
        .ask(&["external", "config", "create", "google", "--data", &config])
        .good();
    world
        .ask(&["external", "config", "update", "google", "--data", &config])
        .good();
    let out = world.path("shown-config");
    let show = [
        "external",
        "config",
        "show",
        "google",
        "--out",
        out.to_str().unwrap(),
    ];
    assert!(!world.ask(&show).good().out.contains("planted"));
    assert!(fs::read_to_string(&out).unwrap().contains("planted"));
    world
        .ask(&["external", "config", "delete", "google"])
        .good();
    let broken = world.file("broken", "{planted");
    let broken = ["external", "config", "create", "google", "--data", &broken];
    let broken = world.ask(&broken).bad(2);
    assert!(!broken.err.contains("planted"), "{broken:?}");
}

#[test]
fn a_missing_or_wrong_argument_is_an_error_with_a_remedy() {
    let world = World::new();
    let none = run(&mut world.open(&["users", "list"])).bad(2);
    assert!(none.err.contains("WAZO_AUTH_TOKEN is not set"), "{none:?}");
    let nowhere = run(program(&["wazo", "users", "list"]).env("WAZO_AUTH_TOKEN", "t")).bad(2);
    assert!(nowhere.err.contains("give --url"), "{nowhere:?}");
    let unknown = world
        .ask_as("00000000-0000-4000-8000-000000000000", &["users", "list"])
        .bad(1);
    assert!(
        unknown.err.contains("run vouchsafe wazo token create"),
        "{unknown:?}"
    );
    let made = world.manage("POST", "tokens", r#"{"username": "admin", "acl": []}"#);
    let made = made["token"].as_str().unwrap();
    let poor = world.ask_as(made, &["users", "list"]).bad(1);
    assert!(poor.err.contains("must cover auth.users.read"), "{poor:?}");
    // Behind a proxy, with the version, and for servers of old.
    let with_version = format!("{}/0.1/", world.url());
    world.ask(&["users", "list", "--url", &with_version]).good();
    world.ask(&["users", "list", "--legacy"]).good();
    let nobody = ["users", "list", "--url", "http://[::1]:9", "--retries", "0"];
    let nobody = world.ask(&nobody).bad(1);
    assert!(nobody.err.contains("[::1]:9"), "{nobody:?}");
    let proxied = format!("{}/api/auth", world.url());
    let proxied = world.ask(&["users", "list", "--url", &proxied]).bad(1);
    assert!(proxied.err.contains("HTTP 404"), "{proxied:?}");
}

#[test]
fn what_has_no_command_of_its_own_is_called_by_name() {
    let world = World::new();
    let carol = world.user("carol", "open sesame");
    run(&mut world.open(&["call", "check-status"])).good();
    let ldap = json!({
        "host": "ldap.example.com", "port": 636, "user_base_dn": "dc=example",
        "user_login_attribute": "uid", "user_email_attribute": "mail", "bind_password": "planted",
    });
    let ldap = world.file("ldap", &ldap.to_string());
    let lab = world.line(&["tenants", "create", "Lab", "--slug", "lab"]);
    let words = [
        "call",
        "update-ldap-config",
        "--body",
        &ldap,
        "--tenant",
        "lab",
    ];
    let set = world.ask(&words).good().out;
    assert!(!set.contains("planted"), "{set}");
    // In this tenant, and in no other.
    let host = |more: &[&str]| {
        let words = [&["call", "get-ldap-config"], more].concat();
        world.json(&words)["host"].clone()
    };
    assert_eq!(host(&["--tenant", &lab]), "ldap.example.com");
    assert_eq!(host(&[]), json!(null));

    let out = world.path("config");
    world.ask(&["config", "set", "debug", "true"]).good();
    let config = ["config", "show", "--out", out.to_str().unwrap()];
    world.ask(&config).good();
    let config: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(config["debug"], true);
    let sender = world.ask(&["call", "get-mobile-sender", &carol]);
    assert_ne!(sender.code, 2, "{sender:?}");
    // One way is enough.
    let taken = run(&mut program(&["wazo", "call", "list-users"]));
    assert_eq!(taken.code, 2, "{taken:?}");
}
