//! Questions to service discovery.

use serde_json::json;

use crate::support::{Played, program, run, run_with_input};

#[test]
fn every_question_of_the_discovery_client_can_be_asked() {
    let played = Played::new();
    let url = played.url();
    let ask = |words: &str| {
        let words: Vec<_> = words.split(' ').collect();
        run(&mut played.ask_without_token(&[&["discovery", "--json"], &words[..]].concat()))
            .good()
            .json()
    };
    assert_eq!(
        ask("applications"),
        json!(["gafaelfawr", "nublado", "portal", "sasquatch"])
    );
    assert_eq!(ask("datasets"), json!(["sky1"]));
    assert_eq!(ask("environment")["label"], "Demo");
    assert_eq!(ask("environment --name"), "demo");
    assert_eq!(ask("butler sky1"), format!("{url}/butler/sky1.yaml"));
    assert_eq!(
        ask("butler"),
        json!({"sky1": format!("{url}/butler/sky1.yaml")})
    );
    assert_eq!(ask("obscore sky1"), format!("{url}/obscore/sky1.yaml"));
    assert_eq!(ask("url data tap sky1"), format!("{url}/api/tap"));
    assert_eq!(
        ask("url data tap sky1 --api-version v1"),
        format!("{url}/api/tap/v1")
    );
    assert_eq!(
        ask("url internal gafaelfawr --api-version v1"),
        format!("{url}/auth/api/v1")
    );
    assert_eq!(ask("url ui portal"), format!("{url}/portal"));
    assert_eq!(ask("versions data tap sky1"), json!(["v1"]));
    assert_eq!(ask("versions internal gafaelfawr"), json!(["v1"]));
    assert_eq!(ask("influxdb list"), json!(["metrics"]));
    assert_eq!(ask("influxdb list --location remote"), json!([]));
    assert_eq!(ask("influxdb info metrics")["database"], "metrics");
    assert_eq!(
        ask("nublado")["services"]["internal"]["gafaelfawr"]["url"],
        format!("{url}/auth/api")
    );
    assert_eq!(ask("document")["environment"]["name"], "demo");
}

/// On Linux the address that stands for all of them leads to this machine, and is no loopback
/// address.
#[cfg(target_os = "linux")]
#[test]
fn a_document_from_elsewhere_over_plain_http_needs_permission() {
    let played = Played::new();
    let elsewhere = played.repertoire().replace("127.0.0.1", "0.0.0.0");
    let ask = ["discovery", "applications", "--repertoire-url", &elsewhere];
    let refused = run(&mut program(&ask)).bad(2);
    assert!(refused.err.contains("--allow-plain-http"), "{refused:?}");
    assert_eq!(played.requests(), 0);
    run(program(&ask).arg("--allow-plain-http")).good();
}

#[test]
fn every_command_that_can_be_refused_plain_http_can_be_allowed_it() {
    let elsewhere = "http://auth.invalid";
    for command in [
        &["userinfo", "groups", "--repertoire-url", elsewhere][..],
        &["discovery", "applications", "--repertoire-url", elsewhere],
        &["astakos", "login-info", "--auth-url", elsewhere],
        &["ticket", "check", "--tvm-api", elsewhere, "--self", "1"],
    ] {
        let mut refused = program(command);
        let mut allowed = program(command);
        for command in [&mut refused, &mut allowed] {
            command.env("ASTAKOS_TOKEN", "t");
            command.env("GAFAELFAWR_TOKEN", format!("gt-{0}.{0}", "a".repeat(22)));
        }
        allowed.args(["--allow-plain-http", "--retries", "0", "--timeout", "1"]);
        let refused = run_with_input(&mut refused, "3:serv:x").err;
        assert!(refused.contains("plain http"), "{command:?}: {refused}");
        let allowed = run_with_input(&mut allowed, "3:serv:x").err;
        // Now it fails because there is no such host.
        assert!(!allowed.contains("plain http"), "{command:?}: {allowed}");
        assert!(allowed.contains("auth.invalid"), "{command:?}: {allowed}");
    }
}

#[test]
fn people_get_what_they_asked_for_and_no_more() {
    let played = Played::new();
    let ask = |words: &[&str]| run(&mut played.ask_without_token(words)).good().out;
    let portal = ask(&["discovery", "url", "ui", "portal"]);
    assert_eq!(portal, format!("{}/portal\n", played.url()));
    let environment = ask(&["discovery", "environment"]);
    assert!(environment.contains("Demo environment"), "{environment}");
    let document = ask(&["discovery", "document"]);
    assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok());
}

#[test]
fn what_discovery_does_not_know_is_a_failure() {
    let played = Played::new();
    for words in [
        &["url", "ui", "nonesuch"][..],
        &["url", "internal", "gafaelfawr", "--api-version", "v9"],
        &["url", "data", "tap", "nonesuch"],
        &["versions", "internal", "nonesuch"],
        &["butler", "nonesuch"],
        &["obscore", "nonesuch"],
        &["influxdb", "info", "nonesuch"],
    ] {
        let arguments = [&["discovery"], words].concat();
        let unknown = run(&mut played.ask_without_token(&arguments)).bad(1);
        assert!(
            unknown.err.contains("service discovery has no"),
            "{unknown:?}"
        );
        let unknown = run(&mut played.ask_without_token(&[&arguments[..], &["--json"]].concat()));
        assert_eq!(unknown.bad(1).error()["kind"], "not_found");
    }
}

#[test]
fn credentials_of_a_database_need_a_token_and_can_go_to_a_file() {
    let played = Played::new();
    let arguments = ["discovery", "influxdb", "credentials", "metrics", "--json"];
    let found = run(&mut played.ask("alice", &arguments)).good().json();
    assert_eq!(
        (&found["username"], &found["password"]),
        (&json!("reader"), &json!("throw-away"))
    );
    run(&mut played.ask_without_token(&arguments)).bad(2);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let more = ["--out", file.to_str().unwrap()];
    let arguments = [&arguments[..], &more].concat();
    let found = run(&mut played.ask("alice", &arguments)).good();
    assert!(!found.out.contains("throw-away"), "{found:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "throw-away\n");

    // What is there is not overwritten, and nothing is asked for.
    std::fs::write(&file, "of another").unwrap();
    let before = played.requests();
    let again = run(&mut played.ask("alice", &arguments)).bad(2).error();
    assert!(
        again["message"].as_str().unwrap().contains("exists"),
        "{again}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "of another");
    assert_eq!(played.requests(), before);
}
