//! Tokens, sessions, and what tokens cover.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use super::World;
use crate::support::{program, run, run_with_input};

#[test]
fn a_token_from_login_to_revocation() {
    let world = World::new();
    world.user("alice", "open sesame");
    let token = world.log_in("alice", "open sesame", &[]).good().out;
    let token = token.trim();
    assert_eq!(token.len(), 36, "{token}");

    let shown = world.ask_as(token, &["token", "show"]).good().out;
    assert!(
        shown.contains("expires") && shown.contains("confd.users.me.read"),
        "{shown}"
    );
    let shown = world
        .ask_as(token, &["token", "show", "--json"])
        .good()
        .json();
    assert_eq!(shown["metadata"]["purpose"], "user");
    assert!(shown.get("token").is_none(), "{shown}");

    let check = ["token", "check", "--access", "confd.users.me.read"];
    let good = world.ask_as(token, &check).good().out;
    assert!(good.contains("yes"), "{good}");
    let missing = [&check[..], &["--access", "auth.tenants.read", "--json"]].concat();
    let missing = world.ask_as(token, &missing);
    assert_eq!(missing.code, 1, "{missing:?}");
    let accesses = json!({"confd.users.me.read": true, "auth.tenants.read": false});
    assert_eq!(missing.json()["accesses"], accesses);
    let other = [
        "token",
        "check",
        "--tenant",
        "00000000-0000-4000-8000-000000000000",
    ];
    let other = world.ask_as(token, &other);
    assert_eq!((other.code, other.out.trim()), (1, "not for this tenant"));

    world.ask_as(token, &["token", "revoke"]).good();
    let gone = world.ask_as(token, &["token", "check"]);
    assert_eq!((gone.code, gone.out.trim()), (1, "unknown or expired"));
    world.ask_as(token, &["token", "show"]).bad(1);
    // Not being able to ask is never an answer.
    world.manage("POST", "database", r#"{"down": true}"#);
    let away = world.ask(&["token", "check"]).bad(1);
    assert!(away.err.contains("HTTP 500"), "{away:?}");
}

#[test]
fn tokens_and_refresh_tokens_go_to_files_and_serve_in_place_of_a_password() {
    let world = World::new();
    world.user("alice", "open sesame");
    let [token, refresh] = ["token", "refresh"].map(|name| world.path(name));
    let [token, refresh] = [&token, &refresh].map(|path| path.to_str().unwrap());
    let files = ["--out", token, "--refresh-token-out", refresh];
    let offline = ["--offline", "--client-id", "laptop"];
    let made = world.log_in("alice", "open sesame", &[&offline[..], &files].concat());
    let made = made.good().out;
    let [kept, kept_refresh] = [token, refresh].map(|path| fs::read_to_string(path).unwrap());
    assert!(
        !made.contains(kept.trim()) && !made.contains(kept_refresh.trim()),
        "{made}"
    );
    // A file that is there may hold a token in use.
    let again = world
        .log_in("alice", "open sesame", &["--out", token])
        .bad(2);
    assert!(again.err.contains("exists"), "{again:?}");

    let refreshed = [
        "--client-id",
        "laptop",
        "--refresh-token-file",
        refresh,
        "--expires-in",
        "1m",
    ];
    let words = [&["token", "create"], &refreshed[..]].concat();
    let second = run(&mut world.open(&words)).good().out;
    assert_ne!(second, kept);
    world.ask_as(second.trim(), &["token", "check"]).good();
    let words = [
        "token",
        "create",
        "--client-id",
        "laptop",
        "--refresh-token-stdin",
    ];
    let third = run_with_input(&mut world.open(&words), &kept_refresh)
        .good()
        .out;
    world.ask_as(third.trim(), &["token", "check"]).good();
    let wrong = [
        "token",
        "create",
        "--client-id",
        "phone",
        "--refresh-token-file",
        refresh,
    ];
    let wrong = run(&mut world.open(&wrong)).bad(1);
    assert!(wrong.err.contains("does not say why"), "{wrong:?}");

    let listed = world.json(&["refresh-tokens", "list"]);
    assert_eq!(listed["items"][0]["client_id"], "laptop");
    let of_alice = world
        .ask(&["refresh-tokens", "list", "--user", "alice"])
        .good()
        .out;
    assert!(of_alice.contains("laptop"), "{of_alice}");
    world
        .ask(&["refresh-tokens", "delete", "laptop", "--user", "alice"])
        .good();
    assert_eq!(world.json(&["refresh-tokens", "list"])["total"], 0);
    assert_eq!(
        world.json(&["refresh-tokens", "list", "--user", "me"])["total"],
        0
    );
}

#[test]
fn a_password_comes_from_a_file_the_environment_or_standard_input_as_it_is() {
    let world = World::new();
    let password = " with blanks\u{e9} ";
    world.user("alice", &format!("{password}\n"));
    let words = ["token", "create", "--username", "alice"];
    let file = world.file("other", &format!("{password}\r\n"));
    run(&mut world.open(&[&words[..], &["--password-file", &file]].concat())).good();
    let mut piped = world.open(&[&words[..], &["--password-stdin"]].concat());
    run_with_input(&mut piped, password).good();
    // Around a value of the environment, blanks do not count.
    world.user("bob", "open sesame");
    world.log_in("bob", " open sesame\n", &[]).good();
    let named = [
        "token",
        "create",
        "--username",
        "bob",
        "--password-env",
        "SECRET",
    ];
    run(world.open(&named).env("SECRET", "open sesame")).good();
    let both = [&words[..], &["--password-stdin", "--password-file", &file]].concat();
    let both = run(&mut world.open(&both)).bad(2);
    assert!(both.err.contains("one password is enough"), "{both:?}");
    let none = run(&mut world.open(&words)).bad(2);
    assert!(
        none.err.contains("WAZO_AUTH_PASSWORD is not set"),
        "{none:?}"
    );
    let wrong = world.log_in("alice", "planted", &["--json"]).bad(1);
    assert_eq!(wrong.error()["kind"], "login");
    assert!(!wrong.err.contains("planted"), "{wrong:?}");
}

#[test]
fn a_watched_token_is_renewed_into_its_file() {
    let world = World::new();
    world.user("alice", "open sesame");
    let out = world.path("token");
    let words = [
        "token",
        "watch",
        "--username",
        "alice",
        "--expires-in",
        "2",
        "--json",
    ];
    let more = ["--tokens", "2", "--out", out.to_str().unwrap()];
    let mut command = world.open(&[&words[..], &more].concat());
    let mut child = command
        .env("WAZO_AUTH_PASSWORD", "open sesame")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["event"], "new token");
        tokens.push(fs::read_to_string(&out).unwrap());
    }
    assert_ne!(tokens[0], tokens[1]);
    assert!(child.wait().unwrap().success());
    let wrong = run(world.open(&words).env("WAZO_AUTH_PASSWORD", "planted")).bad(1);
    assert!(wrong.err.contains("does not say why"), "{wrong:?}");
}

#[test]
fn sessions_are_listed_and_ended() {
    let world = World::new();
    world.user("alice", "open sesame");
    let tokens: Vec<_> = (0..3)
        .map(|_| world.log_in("alice", "open sesame", &[]).good().out)
        .collect();
    let sessions = world.json(&["sessions", "list", "--user", "alice"]);
    let first = sessions["items"][0]["uuid"].as_str().unwrap();
    assert!(world.ask(&["sessions", "list"]).good().out.contains(first));
    world.ask(&["sessions", "delete", first]).good();
    assert_eq!(
        world.json(&["sessions", "list", "--user", "alice"])["total"],
        2
    );
    world.ask(&["sessions", "delete", "--user", "alice"]).good();
    for token in tokens {
        world.ask_as(token.trim(), &["token", "check"]).bad_check();
    }
}

#[test]
fn patterns_are_matched_without_asking_and_those_of_a_token_with_one_question() {
    let patterns = [
        "--pattern",
        "confd.users.me.#",
        "--pattern",
        "!confd.*.me.secret",
    ];
    let words = ["wazo", "acl", "match", "confd.users.7.read", "--me", "7"];
    let good = run(&mut program(&[&words[..], &patterns].concat()))
        .good()
        .out;
    assert!(good.contains("confd.users.me.#"), "{good}");
    let two = [&words[..], &["confd.users.me.secret", "--json"], &patterns].concat();
    let two = run(&mut program(&two));
    assert_eq!(two.code, 1, "{two:?}");
    assert_eq!(two.json()[0]["covered"], true);
    assert_eq!(two.json()[1]["pattern"], "!confd.*.me.secret");

    let world = World::new();
    let file = world.file("acl.json", r##"["confd.#"]"##);
    let by_file = [
        "wazo",
        "acl",
        "match",
        "confd.#",
        "--pattern-file",
        &file,
        "--old-rules",
    ];
    run(&mut program(&by_file)).good();
    let made = world.manage(
        "POST",
        "tokens",
        r#"{"username": "admin", "acl": ["a.me.b"]}"#,
    );
    let token = made["token"].as_str().unwrap();
    let shown = world
        .ask_as(token, &["token", "show", "--json"])
        .good()
        .json();
    let own = format!("a.{}.b", shown["auth_id"].as_str().unwrap());
    world.ask_as(token, &["acl", "match", &own]).good();
    world.ask_as(token, &["acl", "match", "a.b.b"]).bad_check();
}

#[test]
fn neither_output_nor_log_holds_secrets() {
    let world = World::new();
    world.user("alice", "planted-password");
    let log_in = world.log_in("alice", "planted-password", &["-vvv", "--out"]);
    assert_ne!(log_in.code, 0);
    let made = world.log_in("alice", "planted-password", &["-vvv"]);
    assert!(
        !made.err.is_empty() && !made.err.contains("planted"),
        "{made:?}"
    );
    let token = made.out.trim().to_owned();
    assert!(!made.err.contains(&token), "{made:?}");
    for words in [
        &["token", "show"][..],
        &["token", "check", "--access", "a.b"],
        &["users", "list"],
        &["token", "revoke"],
    ] {
        // `ask_as` looks for the token.
        let logged = world.ask_as(&token, &[words, &["-vvv"]].concat());
        assert!(!logged.err.is_empty(), "{logged:?}");
    }
    let journal = world.manage("GET", "journal", "").to_string();
    assert!(
        !journal.contains(&token) && !journal.contains("planted"),
        "{journal}"
    );
    let refused = world
        .ask(&["token", "create", "--password", "planted"])
        .bad(2);
    assert!(!refused.err.contains("planted"), "{refused:?}");
}

#[test]
fn the_help_says_where_secrets_come_from() {
    let help = run(&mut program(&["wazo", "token", "create", "--help"]))
        .good()
        .out;
    for part in [
        "--password-file",
        "WAZO_AUTH_PASSWORD",
        "WAZO_AUTH_URL",
        "--refresh-token-file",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let all = run(&mut program(&["wazo", "--help"])).good().out;
    for part in [
        "token", "users", "groups", "policies", "tenants", "sessions", "acl", "idp",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
}
