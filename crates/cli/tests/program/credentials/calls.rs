//! Calls of the services with the credentials of a profile.

use std::process::Command;

use super::World;
use crate::support::{program, run};

/// Creates a command with the world's file of credentials, but without a token.
fn call(world: &World, more: &[&str]) -> Command {
    let domains = ["cloud-credentials", "get-directory-domains", "--json"];
    let servers = ["--url", world.url(), "--token-url", world.url()];
    let mut command = program(&[&domains[..], &servers, more].concat());
    let file = world.path("store/credentials.json");
    command.env("PAN_CREDENTIALS_DBFILE", file);
    command
}

#[test]
fn a_call_without_a_token_uses_the_profile_and_keeps_what_was_issued_for_it() {
    let world = World::logged_in();
    let refreshes = || world.counts()["token_requests"]["refresh_token"].clone();
    for _ in 0..2 {
        run(&mut call(&world, &[])).good();
        assert_eq!(refreshes(), 1);
    }
    let token = world.ask(&["token"]).good().out;
    assert_eq!(
        world.stored()["profiles"]["1"]["access_token"],
        token.trim()
    );
    assert_eq!(refreshes(), 1);

    world.ask(&["rename", "default", "dev"]).good();
    run(&mut call(&world, &["--profile", "dev"])).good();
    run(call(&world, &[]).env("PAN_PROFILE", "dev")).good();
    let file = world.path("store/credentials.json");
    let mut elsewhere = call(
        &world,
        &["--profile", "dev", "--file", file.to_str().unwrap()],
    );
    run(elsewhere.env("PAN_CREDENTIALS_DBFILE", "/no/such")).good();
    run(call(&world, &[]).env("PAN_ACCESS_TOKEN", token.trim())).good();
    assert_eq!(refreshes(), 1);
}

#[test]
fn a_given_token_comes_before_the_profile_and_without_either_one_is_asked_for() {
    let world = World::logged_in();
    let refused = run(call(&world, &[]).env("CLOUD_CREDENTIALS_TOKEN", "planted")).bad(1);
    assert!(refused.err.contains("401"), "{refused:?}");
    assert!(!refused.err.contains("planted"), "{refused:?}");
    assert_eq!(world.counts()["token_requests"], serde_json::json!({}));

    let missing = "CLOUD_CREDENTIALS_TOKEN is not set in the environment";
    let mut nowhere = call(&world, &["--profile", "none"]);
    let nowhere = run(&mut nowhere).bad(2);
    assert!(nowhere.err.contains(missing), "{nowhere:?}");
    let mut homeless = call(&world, &[]);
    let homeless = run(homeless.env_remove("PAN_CREDENTIALS_DBFILE")).bad(2);
    assert!(homeless.err.contains(missing), "{homeless:?}");

    let mut partial = call(&world, &[]);
    let partial = run(partial.env("PAN_CLIENT_ID", "app"));
    assert_eq!(
        partial.error()["kind"],
        "partial_credentials",
        "{partial:?}"
    );
    world.manage("revoke", r#"{"client_id": "app"}"#);
    let dead = run(&mut call(&world, &[]));
    assert_eq!(dead.error()["kind"], "reauthorization_needed", "{dead:?}");
}

#[test]
#[cfg(unix)]
fn a_call_that_loses_a_login_is_answered_and_says_so() {
    let world = World::logged_in();
    let large = serde_json::json!({"client_id": "app", "client_secret": "x".repeat(10_000)});
    let large = world.file("large.json", &large.to_string());
    world
        .ask(&["init", "--from", &large, "--profile", "large", "--write"])
        .good();
    world.manage("settings", r#"{"rotation": "revokes"}"#);
    let lost = run(&mut super::on_a_full_disk(&call(&world, &[])));
    assert_eq!(lost.code, 1, "{lost:?}");
    assert!(lost.json().is_object(), "{lost:?}");
    assert!(lost.err.contains("log in again"), "{lost:?}");
}

#[test]
fn an_answer_with_tokens_is_waited_for_whatever_a_call_may_take() {
    let world = World::logged_in();
    world.manage("settings", r#"{"rotation": "revokes"}"#);
    let late = r#"{"operation": "oauth.requestToken", "delay_ms": 1500}"#;
    world.manage("faults", late);
    let timeout = ["--timeout", "0.5"];
    world.ask(&[&["refresh"][..], &timeout].concat()).good();
    run(&mut call(&world, &timeout)).good();
    assert_eq!(world.counts()["token_requests"]["refresh_token"], 1);
}

#[test]
fn the_token_endpoint_of_any_server_is_asked_as_it_is() {
    let world = World::logged_in();
    let refresh = |path: &str| {
        let endpoint = format!("{}{path}", world.url());
        let mut command = program(&["credentials", "refresh", "--token-endpoint", &endpoint]);
        let file = world.path("store/credentials.json");
        run(command.env("PAN_CREDENTIALS_DBFILE", file))
    };
    let elsewhere = refresh("/oauth/token").bad(1);
    assert!(elsewhere.err.contains("404"), "{elsewhere:?}");
    refresh("/api/oauth2/RequestToken").good();
    assert_eq!(world.counts()["token_requests"]["refresh_token"], 1);
}
