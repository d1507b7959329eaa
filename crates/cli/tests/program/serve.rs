//! Playing services.

use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::json;
use vouchsafe::astakos::Client;
use vouchsafe::core::transport::{HttpTransport, HttpTransportBuilder};

use crate::support::{Played, http, program, run};

#[test]
fn the_ready_line_says_where_everything_is() {
    let mut played = Played::new();
    let url = played.url().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let ready = &played.ready;
    assert_eq!(ready["ready"], true);
    assert_eq!(
        ready["services"]["userinfo"]["repertoire"],
        format!("{url}/repertoire")
    );
    assert_eq!(
        ready["services"]["userinfo"]["gafaelfawr"],
        format!("{url}/auth/api/v1")
    );
    let management = ready["management"].as_str().unwrap();
    assert!(management.starts_with("http://127.0.0.1:") && management.ends_with("/_mock"));
    let own = &ready["services"]["userinfo"]["management"];
    assert_eq!(*own, format!("{management}/userinfo"));
    assert_eq!(ready["ca"], json!(null));

    // It is the one line on standard output.
    played.stdin = None;
    assert_eq!(played.ended(), (Some(0), String::new()));
    assert!(played.line.ends_with('\n'));
}

#[test]
fn its_discovery_points_at_its_own_address() {
    let played = Played::new();
    let (status, document) = played.http("GET", "/repertoire/discovery", "");
    assert_eq!(status, 200);
    let gafaelfawr = &document["services"]["internal"]["gafaelfawr"]["versions"]["v1"]["url"];
    assert_eq!(
        *gafaelfawr,
        played.ready["services"]["userinfo"]["gafaelfawr"]
    );
    assert!(!document.to_string().contains("example.com"), "{document}");
}

#[cfg(unix)]
#[test]
fn signals_end_it_well() {
    for signal in ["-TERM", "-INT"] {
        let mut played = Played::start(&mut program(&["serve", "--service", "userinfo=0"]));
        let pid = played.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
        assert_eq!(played.ended().0, Some(0), "{signal}");
    }
}

#[test]
fn wrong_arguments_are_reported_and_nothing_is_served() {
    let unknown = run(&mut program(&["serve", "--service", "nonesuch=0"]));
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("there is: userinfo"), "{unknown:?}");

    for arguments in [
        &["serve"][..],
        &["serve", "--service", "userinfo=http"],
        &["serve", "--service", "userinfo=0", "--ca-out", "x"],
        &["serve", "--service", "userinfo=0", "--config", "x"],
        &[
            "serve",
            "--service",
            "userinfo=0",
            "--service",
            "userinfo=0",
        ],
        &[
            "serve",
            "--service",
            "userinfo=0",
            "--seed",
            "/no/such/file",
        ],
        &["serve", "--service", "userinfo=0", "--seed", "Cargo.toml"],
    ] {
        let run = run(&mut program(arguments));
        assert_eq!(
            (run.code, run.out.as_str()),
            (2, ""),
            "{arguments:?} {run:?}"
        );
    }
}

#[test]
fn a_port_in_use_is_reported() {
    let played = Played::new();
    let port = played.url().rsplit_once(':').unwrap().1;
    let second = run(&mut program(&[
        "serve",
        "--service",
        &format!("userinfo={port}"),
    ]))
    .bad(2);
    assert!(
        second.err.contains(port) && second.err.contains("in use"),
        "{second:?}"
    );
}

#[test]
fn management_makes_faults_and_resets() {
    let played = Played::new();
    let ask = || run(&mut played.ask("alice", &["userinfo", "whoami", "--retries", "0"]));
    ask().good();
    assert_eq!(played.requests(), 2);

    let fault = json!({"operation": "gafaelfawr.getOwnUserInfo", "status": 503}).to_string();
    played.manage("POST", "faults", &fault);
    let failed = ask().bad(1);
    assert!(failed.err.contains("HTTP 503"), "{failed:?}");

    played.manage("POST", "reset", "");
    assert_eq!(played.requests(), 0);
    ask().good();
}

#[test]
fn a_seed_and_one_of_its_configurations_make_the_world() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.json");
    let token = "gt-0123456789012345678901.abcdefghijklmnopqrstuv";
    let seed = json!({
        "base_hostname": "data.example.com",
        "configs": {
            "a": {"directory": true, "known_scopes": [], "quota": null},
            "b": {"directory": false, "known_scopes": [], "quota": null},
        },
        "directory": {"users": [{"username": "eve", "name": "E\u{1b}[31mve", "uid": 7, "gid": 7}], "groups": []},
        "tokens": [{"name": "t", "config": "*", "token": token, "username": "eve",
                    "token_type": "user", "token_name": "t", "scopes": []}],
    });
    std::fs::write(&path, seed.to_string()).unwrap();
    let path = path.to_str().unwrap();
    let (with_other, with_config) = (format!("{path}#a"), format!("{path}#b"));
    for (arguments, name) in [
        (&["--seed", &with_other][..], json!("E\u{1b}[31mve")),
        (&["--seed", &with_config], json!(null)),
    ] {
        let played = Played::with(arguments);
        let mut ask = played.ask_without_token(&["userinfo", "whoami", "--json"]);
        let answer = run(ask.env("GAFAELFAWR_TOKEN", token)).good();
        assert_eq!(answer.json()["username"], "eve");
        assert_eq!(answer.json()["name"], name);
        // A terminal must not see what steers it, in neither form.
        let mut ask = played.ask_without_token(&["userinfo", "whoami"]);
        let human = run(ask.env("GAFAELFAWR_TOKEN", token)).good();
        assert!(
            !human.out.contains('\u{1b}') && !answer.out.contains('\u{1b}'),
            "{human:?}"
        );
    }
    let wrong = run(&mut program(&[
        "serve",
        "--service",
        "userinfo=0",
        "--seed",
        &format!("{path}#nonesuch"),
    ]));
    assert!(wrong.bad(2).err.contains("nonesuch"));
}

#[test]
fn tls_is_trusted_by_the_authority_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let path = path.to_str().unwrap();
    let played = Played::with(&["--tls", "--ca-out", path]);
    assert!(played.url().starts_with("https://127.0.0.1:"));
    assert_eq!(played.ready["ca"], std::fs::read_to_string(path).unwrap());

    let trusting = run(&mut played.ask("alice", &["userinfo", "whoami", "--ca-file", path]));
    assert!(trusting.good().out.contains("Alice Example"));

    let other = run(&mut played.ask("alice", &["userinfo", "whoami"])).bad(1);
    assert!(other.err.contains("--ca-file"), "{other:?}");
}

fn astakos(base: &str, token: &str, transport: HttpTransportBuilder) -> Client {
    let client = Client::builder().base_url(base).token(token);
    let transport = Arc::new(transport.build().unwrap());
    client.transport(transport).build().unwrap()
}

#[tokio::test]
async fn http2_is_spoken_to_clients_that_ask_for_it() {
    let played = Played::start(&mut program(&[
        "serve",
        "--service",
        "astakos",
        "--until-stdin-closes",
    ]));
    let base = played.ready["services"]["astakos"]["base"]
        .as_str()
        .unwrap();
    let token = played.ready["tokens"]["astakos"]["alice"].as_str().unwrap();
    let by_http2 = HttpTransport::builder().http2_prior_knowledge();
    let client = astakos(base, token, by_http2);
    client.authenticate(None).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_file_is_served_to_our_clients_by_both_versions_and_removed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.sock");
    let service = format!("astakos=unix:{}", file.display());
    let arguments = ["serve", "--service", &service, "--until-stdin-closes"];
    let mut played = Played::start(&mut program(&arguments));
    let place = &played.ready["services"]["astakos"];
    assert_eq!(place["url"], format!("unix:{}", file.display()));
    let base = place["base"].as_str().unwrap();
    let token = played.ready["tokens"]["astakos"]["alice"].as_str().unwrap();
    for transport in [
        HttpTransport::builder(),
        HttpTransport::builder().http2_prior_knowledge(),
    ] {
        let access = astakos(base, token, transport).authenticate(None).await;
        assert!(access.unwrap().user.is_some());
    }

    let second = run(&mut program(&arguments)).bad(2);
    assert!(second.err.contains(file.to_str().unwrap()), "{second:?}");
    played.stdin = None;
    assert_eq!(played.ended().0, Some(0));
    assert!(!file.exists());
}

#[cfg(unix)]
#[test]
fn options_of_ports_are_refused_for_socket_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let service = format!("tvmtool=unix:{folder}/a.sock");
    for more in [&["--tls"][..], &["--tvmtool-files", folder]] {
        let mut command = program(&["serve", "--service", &service]);
        let refused = run(command.args(more)).bad(2);
        assert!(refused.err.contains(more[0]), "{refused:?}");
        assert!(refused.err.contains("socket file"), "{refused:?}");
    }
}

#[test]
fn latency_slows_every_answer() {
    let played = Played::with(&["--latency", "5000"]);
    let arguments = [
        "userinfo",
        "whoami",
        "--timeout",
        "100ms",
        "--retries",
        "0",
        "--json",
    ];
    let late = run(&mut played.ask("alice", &arguments)).bad(1);
    // Discovery has the same limit as the call that waits for it; either may end first.
    let kind = late.error()["kind"].as_str().unwrap().to_owned();
    assert!(["discovery", "timeout"].contains(&&*kind), "{late:?}");
    assert!(
        late.error()["hint"].as_str().unwrap().contains("--timeout"),
        "{late:?}"
    );
}

#[test]
fn a_reader_that_closes_early_is_not_a_failure() {
    let played = Played::new();
    let mut child = played
        .ask("alice", &["discovery", "document"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

/// What the description shows is what the actions of each service take and answer.
#[test]
fn every_action_of_the_management_takes_and_answers_its_example() {
    let services = ["userinfo=0", "ticket=0", "astakos=0", "wazo-auth=0"];
    let mut command = program(&["serve", "--until-stdin-closes"]);
    for service in services {
        command.args(["--service", service]);
    }
    let played = Played::start(&mut command);
    let url = played.ready["management"].as_str().unwrap();
    let origin = url.strip_suffix("/_mock").unwrap();
    let (status, description) = http(origin, "GET", "/_mock", "");
    assert_eq!(status, 200);
    let standard = ["journal", "operations", "faults", "clock", "reset"];
    let mut done = 0;
    // Users come before what is for them.
    let paths = description["paths"].as_object().unwrap();
    let mut paths: Vec<_> = paths.iter().collect();
    paths.sort_by_key(|(path, _)| (!path.ends_with("/users"), path.to_owned()));
    for (path, methods) in paths {
        let described = &methods["post"];
        let what = path.rsplit('/').next().unwrap();
        if described.is_null() || standard.contains(&what) {
            continue;
        }
        let content = |place: &serde_json::Value| place["content"]["application/json"].clone();
        let body = content(&described["requestBody"])["example"].clone();
        let (status, answer) = http(origin, "POST", path, &body.to_string());
        assert_eq!(status, 200, "{path}: {answer}");
        let expected = content(&described["responses"]["200"])["example"].clone();
        let keys = |value: &serde_json::Value| {
            let fields = value.as_object().unwrap();
            fields.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&answer), keys(&expected), "{path}");

        let mut misspelled = body;
        misspelled["misspelled"] = 1.into();
        let (status, refused) = http(origin, "POST", path, &misspelled.to_string());
        let why = refused["error"].as_str().unwrap();
        assert_eq!(status, 400, "{path}: {refused}");
        assert!(why.contains("misspelled: unknown field"), "{path}: {why}");
        let schema = content(&described["requestBody"])["schema"].clone();
        for field in schema["properties"].as_object().unwrap().keys() {
            assert!(
                why.contains(field.as_str()) || why.len() >= 190,
                "{path}: {field}: {why}"
            );
        }
        done += 1;
    }
    assert!(done > 15, "{done}");
}

#[test]
fn a_user_added_through_the_management_can_make_requests() {
    let played = Played::new();
    played.manage(
        "POST",
        "users",
        r#"{"username": "dana", "name": "Dana", "uid": 7}"#,
    );
    let made = played.manage(
        "POST",
        "tokens",
        r#"{"username": "dana", "expires_in_s": 600}"#,
    );
    let whoami = || {
        let mut command = played.ask_without_token(&["userinfo", "whoami", "--json"]);
        run(command.env("GAFAELFAWR_TOKEN", made["token"].as_str().unwrap()))
    };
    assert_eq!(whoami().good().json()["name"], "Dana");
    // By the server's clock, the token ends.
    played.manage("POST", "clock", r#"{"advance_ms": 601000}"#);
    assert!(whoami().bad(1).err.contains("HTTP 401"));
    // A reset sets the clock back, and the user is gone.
    played.manage("POST", "reset", "");
    assert_eq!(whoami().code, 1);
    assert!(
        !played
            .manage("GET", "snapshot", "")
            .to_string()
            .contains("dana")
    );
}

/// Each printed seed is accepted; a mistake in it is reported with file, line and key.
#[test]
fn a_printed_seed_can_be_served_and_errors_in_it_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    for (name, option, more) in [
        ("userinfo", "--seed", "#sample"),
        ("astakos", "--seed", ""),
        ("wazo-auth", "--seed", ""),
        ("tvmtool", "--config", ""),
    ] {
        let seed = run(&mut program(&["serve", "--print-seed", name]))
            .good()
            .out;
        assert!(!seed.contains("RANDOM"), "{seed}");
        let path = folder.path().join(format!("{name}.json"));
        std::fs::write(&path, &seed).unwrap();
        let given = format!("{}{more}", path.display());
        let service = format!("{name}=0");
        let arguments = ["serve", "--service", &service, option, &given];
        let mut command = program(&arguments);
        drop(Played::start(command.arg("--until-stdin-closes")));

        std::fs::write(&path, seed.replacen("{", "{\n  \"misspelled\": 1,", 1)).unwrap();
        let refused = run(&mut program(&arguments)).bad(2);
        for part in [path.to_str().unwrap(), "line 2", "misspelled"] {
            assert!(refused.err.contains(part), "{refused:?}");
        }
    }
}

#[test]
fn a_fault_for_an_operation_that_does_not_exist_is_refused_with_the_nearest() {
    let played = Played::new();
    let url = played.ready["management"].as_str().unwrap();
    let origin = url.strip_suffix("/_mock").unwrap();
    let fault = json!({"operation": "getOwnUserinfo", "status": 503}).to_string();
    let (status, answer) = http(origin, "POST", "/_mock/userinfo/faults", &fault);
    assert_eq!(status, 400);
    let why = answer["error"].as_str().unwrap();
    assert!(
        why.contains("the nearest are: gafaelfawr.getOwnUserInfo"),
        "{why}"
    );
}
