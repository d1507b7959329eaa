//! Questions about users and tokens.

use serde_json::json;
use vouchsafe::userinfo::mock;

use crate::support::{Played, holds_a_token, program, run, run_with_input};

#[test]
fn a_token_comes_from_a_file_the_environment_or_standard_input() {
    let played = Played::new();
    let alice = played.token("alice").to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{alice}\n")).unwrap();
    let file = file.to_str().unwrap();

    let by_default = run(&mut played.ask("alice", &["userinfo", "whoami"])).good();
    let ask = |arguments: &[&str]| {
        played.ask_without_token(&[&["userinfo", "whoami"], arguments].concat())
    };
    let by_file = run(&mut ask(&["--token-file", file])).good();
    let by_name = run(ask(&["--token-env", "OTHER"]).env("OTHER", &alice)).good();
    let by_input = run_with_input(&mut ask(&["--token-stdin"]), &alice).good();
    for run in [&by_file, &by_name, &by_input] {
        assert_eq!(run.out, by_default.out);
    }
    for part in [
        "alice",
        "Alice Example",
        "1001",
        "g_heavy (2002)",
        "100 requests per minute",
        "10 GiB",
    ] {
        assert!(by_default.out.contains(part), "{part}: {by_default:?}");
    }
}

#[test]
fn json_holds_what_gafaelfawr_says() {
    let played = Played::new();
    let me = run(&mut played.ask("alice", &["userinfo", "whoami", "--json"]))
        .good()
        .json();
    assert_eq!(me["username"], "alice");
    assert_eq!(me["uid"], 1001);
    assert_eq!(me["quota"]["api"], json!({"search": 100, "upload": 0}));

    let users = run(&mut played.ask("service", &["userinfo", "users", "--json"]))
        .good()
        .json();
    let names: Vec<_> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["username"])
        .collect();
    assert_eq!(names, ["alice", "bob", "carol"]);

    let groups = run(&mut played.ask("service", &["userinfo", "groups", "--json"]))
        .good()
        .json();
    assert_eq!(groups["system"], json!([{"name": "admins", "id": 2003}]));

    let user = run(&mut played.ask("service", &["--json", "userinfo", "user", "carol"])).good();
    assert_eq!(user.json()["name"], "Carol Example");

    let info = run(&mut played.ask("alice", &["userinfo", "token-info", "--json"]))
        .good()
        .json();
    assert_eq!(info["token_type"], "user");
    assert_eq!(info["scopes"], json!(["read:all", "user:token"]));
}

#[test]
fn the_built_in_people_are_those_of_tests_in_process() {
    let (played, server) = (Played::new(), mock::Server::new());
    let (client, token) = (server.client(), server.service_token());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let users = runtime.block_on(client.users(&token)).unwrap();
    let groups = runtime.block_on(client.groups(&token)).unwrap();
    let ask = |what: &str| {
        let mut ask = played.ask("service", &["userinfo", what, "--json"]);
        run(&mut ask).good().json()
    };
    assert_eq!(ask("users"), json!(users));
    assert_eq!(ask("groups"), json!(groups));
    for whose in ["alice", "bob", "service", "admin", "bootstrap"] {
        assert!(holds_a_token(played.token(whose)), "{whose}");
        assert!(server.token(whose).is_some(), "{whose}");
    }
}

#[test]
fn people_get_tables() {
    let played = Played::new();
    let users = run(&mut played.ask("service", &["userinfo", "users"]))
        .good()
        .out;
    assert!(
        users.lines().next().unwrap().contains("USER NAME"),
        "{users}"
    );
    assert!(users.contains("Bob 林"), "{users}");
    let groups = run(&mut played.ask("service", &["userinfo", "groups"]))
        .good()
        .out;
    assert!(
        groups.contains("admins") && groups.contains("system"),
        "{groups}"
    );
    let info = run(&mut played.ask("service", &["userinfo", "token-info"]))
        .good()
        .out;
    assert!(
        info.contains("admin:userinfo") && info.contains("never"),
        "{info}"
    );
    let user = run(&mut played.ask("service", &["userinfo", "user", "carol"]))
        .good()
        .out;
    assert!(user.contains("exempt"), "{user}");
}

#[test]
fn a_refusal_is_one_line_with_what_to_do_or_json() {
    let played = Played::new();
    let ask = |arguments: &[&str]| run(&mut played.ask("bob", arguments));
    let forbidden = ask(&["userinfo", "user", "alice"]).bad(1);
    assert!(
        forbidden.err.contains("HTTP 403, permission_denied"),
        "{forbidden:?}"
    );
    assert!(forbidden.err.contains("admin:userinfo"), "{forbidden:?}");

    let forbidden = ask(&["userinfo", "user", "alice", "--json"]).bad(1).error();
    assert_eq!(forbidden["kind"], "forbidden");
    assert_eq!(forbidden["status"], 403);
    assert_eq!(forbidden["operation"], "gafaelfawr.getUserInfo");

    let unknown = "gt-0123456789012345678901.abcdefghijklmnopqrstuv";
    let mut ask = played.ask_without_token(&["userinfo", "whoami", "--json"]);
    let unknown = run(ask.env("GAFAELFAWR_TOKEN", unknown)).bad(1).error();
    assert_eq!(unknown["kind"], "credential");
    assert_eq!(unknown["status"], 401);
}

#[test]
fn wrong_input_is_refused_before_anything_is_sent() {
    let played = Played::new();
    for arguments in [
        &["userinfo", "user", "../user-info"][..],
        &["userinfo", "user", ""],
        &["userinfo", "create-token", "alice"],
        &["userinfo", "create-token", "bot-x", "--scope", "a b"],
        &["userinfo", "create-token", "bot-x", "--expires", "tomorrow"],
        &["userinfo", "create-token", "bot-x", "--group", "g"],
        &["userinfo", "create-token", "bot-x", "--uid", "0"],
        &[
            "userinfo",
            "create-token",
            "bot-x",
            "--out",
            "/no/such/folder/file",
        ],
        &["userinfo", "whoami", "--token-file", "/no/such/file"],
        &["userinfo", "whoami", "--token-file", "/dev/null"],
        &["userinfo", "whoami", "--token-env", "UNSET"],
        &[
            "userinfo",
            "whoami",
            "--token-env",
            "UNSET",
            "--token-stdin",
        ],
        &["userinfo", "whoami", "--timeout", "0"],
        &["userinfo", "whoami", "--ca-file", "/dev/null"],
        &["userinfo", "whoami", "--repertoire-url", "ftp://127.0.0.1/"],
        &["userinfo", "whoami", "--repertoire-url", "no url"],
        &["userinfo"],
        &["nonesuch"],
    ] {
        let people = run(&mut played.ask("admin", arguments));
        assert_eq!(
            (people.code, people.out.as_str()),
            (2, ""),
            "{arguments:?} {people:?}"
        );
        assert!(!people.err.is_empty());
        let json = run(&mut played.ask("admin", &[arguments, &["--json"]].concat())).bad(2);
        assert!(json.error()["message"].is_string(), "{json:?}");
    }
    let nowhere =
        run(program(&["userinfo", "whoami"]).env("GAFAELFAWR_TOKEN", played.token("alice")));
    assert!(nowhere.bad(2).err.contains("REPERTOIRE_BASE_URL"));
    let nobody = run(&mut played.ask_without_token(&["userinfo", "whoami"])).bad(2);
    assert!(nobody.err.contains("GAFAELFAWR_TOKEN"), "{nobody:?}");
    assert_eq!(played.requests(), 0);
}

#[test]
fn an_unreachable_service_is_a_failure_that_names_it() {
    let mut played = Played::new();
    let url = played.repertoire().to_owned();
    let token = played.token("alice").to_owned();
    played.stdin = None;
    assert_eq!(played.ended().0, Some(0));
    let mut ask = program(&["userinfo", "whoami", "--repertoire-url", &url]);
    let gone = run(ask.env("GAFAELFAWR_TOKEN", token)).bad(1);
    assert!(gone.err.contains("refused"), "{gone:?}");
}

#[test]
fn a_made_token_is_printed_alone_and_works() {
    let played = Played::new();
    let made = run(&mut played.ask(
        "admin",
        &[
            "userinfo",
            "create-token",
            "bot-new",
            "--scope",
            "read:all",
            "--scope",
            "read:image",
            "--expires",
            "30d",
            "--name",
            "New Bot",
            "--uid",
            "900",
            "--gid",
            "901",
            "--group",
            "g_bots:902",
        ],
    ))
    .good();
    let token = made.out.trim();
    assert_eq!(token.len(), 48);
    let ask = |arguments: &[&str]| {
        run(played
            .ask_without_token(arguments)
            .env("GAFAELFAWR_TOKEN", token))
        .good()
        .json()
    };
    let info = ask(&["userinfo", "token-info", "--json"]);
    assert_eq!(info["username"], "bot-new");
    assert_eq!(info["scopes"], json!(["read:all", "read:image"]));
    let life = info["expires"].as_i64().unwrap() - info["created"].as_i64().unwrap();
    assert!((life - 30 * 86_400).abs() <= 5, "{info}");
    let me = ask(&["userinfo", "whoami", "--json"]);
    assert_eq!(
        (&me["name"], &me["uid"], &me["gid"]),
        (&json!("New Bot"), &json!(900), &json!(901))
    );
    assert_eq!(me["groups"], json!([{"name": "g_bots", "id": 902}]));
}

#[cfg(unix)]
#[test]
fn a_created_token_can_be_written_to_a_private_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let played = Played::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let path = file.to_str().unwrap();
    let arguments = [
        "userinfo",
        "create-token",
        "bot-new",
        "--out",
        path,
        "--json",
    ];
    let made = run(&mut played.ask("admin", &arguments)).good().json();
    assert!(made.get("token").is_none(), "{made}");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let info = run(&mut played.ask_without_token(&[
        "userinfo",
        "token-info",
        "--json",
        "--token-file",
        path,
    ]));
    assert_eq!(info.good().json()["token"], made["key"]);

    // What is there is not overwritten, and no token is made for nothing.
    let before = std::fs::read(&file).unwrap();
    let again = run(&mut played.ask("admin", &arguments)).bad(2);
    assert!(again.err.contains("exists"), "{again:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    // Without the scope nothing is made, and no file is left.
    let other = folder.path().join("other");
    let mut arguments = arguments;
    arguments[4] = other.to_str().unwrap();
    run(&mut played.ask("bob", &arguments)).bad(1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_log_says_more_the_more_it_is_asked() {
    let played = Played::new();
    let log = |more: &[&str], variable: Option<&str>| {
        let mut command = played.ask("alice", &[&["userinfo", "whoami"], more].concat());
        if let Some(text) = variable {
            command.env("RUST_LOG", text);
        }
        let run = run(&mut command);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!run.err.contains('\u{1b}'), "{run:?}");
        run.err
    };
    assert_eq!(log(&[], None), "");
    let once = log(&["-v"], None);
    assert!(once.contains("gafaelfawr.getOwnUserInfo"), "{once}");
    assert!(once.contains("status_code=200"), "{once}");
    let twice = log(&["-vv"], None);
    assert!(twice.lines().count() > once.lines().count(), "{twice}");
    let told = log(&[], Some("vouchsafe=debug"));
    assert_eq!(told.lines().count(), once.lines().count(), "{told}");
    assert_eq!(log(&[], Some("off")), "");

    let mut command = played.ask("alice", &["userinfo", "whoami"]);
    let refused = run(command.env("RUST_LOG", "vouchsafe=loud")).bad(2);
    assert!(refused.err.contains("RUST_LOG"), "{refused:?}");
}
