//! What is found in the environment and in the file of credentials. A test must not change its own
//! environment, so each case is a run of this program that does one thing.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

use serde_json::{Value, json};
use vouchsafe_cloud_credentials::mock::{Seed, Server};
use vouchsafe_cloud_credentials::{Client, ClientBuilder, Credentials, Result};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result as CoreResult};

/// Sends every request to the emulator, whichever server it is for.
#[derive(Debug)]
struct Emulated {
    url: String,
    network: HttpTransport,
}

impl Transport for Emulated {
    fn send(&self, mut request: Request) -> BoxFuture<'_, CoreResult<Response>> {
        let path = request.uri.path_and_query().unwrap();
        request.uri = format!("{}{path}", self.url).parse().unwrap();
        self.network.send(request)
    }
}

/// Does what the case says, and says what came of it.
#[tokio::test]
#[ignore = "run by others, in an environment of theirs"]
async fn doing() {
    let url = env::var("TEST_URL").unwrap_or_default();
    let done = done(&env::var("TEST_CASE").unwrap(), url).await;
    match done {
        Ok(done) => println!("done: {done}."),
        Err(error) => println!("{:?}: {error}.", error.kind()),
    }
}

async fn done(case: &str, url: String) -> Result<String> {
    let emulated = Arc::new(Emulated {
        url,
        network: HttpTransport::builder().build()?,
    });
    let client = match case {
        "credentials" => {
            let credentials = Credentials::from_env()?;
            let values = credentials.values().await?;
            let (source, profile) = (credentials.source().await?, credentials.profile());
            return Ok(format!("{source}, {profile}, {:?}", values.client_id));
        }
        "client" => Client::from_env()?,
        "builder of the environment" => ClientBuilder::from_env()?.transport(emulated).build()?,
        "builder" => Client::builder().transport(emulated).build()?,
        other => panic!("{other}"),
    };
    client.directory().domains().await?;
    Ok("served".to_owned())
}

fn run(case: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "doing"]);
    command.env_clear().env("TEST_CASE", case);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("planted"), "{said}");
    said
}

fn profile(name: &str, client_id: &str, access_token: Option<&str>) -> Value {
    json!({
        "access_token": access_token, "client_id": client_id, "client_secret": "planted-secret",
        "profile": name, "refresh_token": "planted-refresh",
    })
}

fn write(path: &Path, profiles: &[Value]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let numbered = profiles.iter().enumerate();
    let numbered = numbered.map(|(at, profile)| ((at + 1).to_string(), profile.clone()));
    let file = json!({"profiles": Value::Object(numbered.collect())});
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn values_come_from_the_variables_or_else_from_the_file_that_is_named_or_else_in_the_home() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let other = folder.path().join("other.json");
    write(
        &folder.path().join(".config/pancloud/credentials.json"),
        &[
            profile("default", "home", None),
            profile("dev", "dev", None),
        ],
    );
    write(&other, &[profile("default", "named", None)]);
    let home = ("HOME", home);
    let named = ("PAN_CREDENTIALS_DBFILE", other.to_str().unwrap());
    let unprefixed = [
        ("CLIENT_ID", "unprefixed"),
        ("CLIENT_SECRET", "planted"),
        ("REFRESH_TOKEN", "planted"),
    ];
    for (variables, told) in [
        (&[home][..], "the store, default, Some(\"home\")"),
        (&[home, named], "the store, default, Some(\"named\")"),
        (&[named], "the store, default, Some(\"named\")"),
        (
            &[home, ("PAN_CREDENTIALS_DBFILE", "")],
            "the store, default, Some(\"home\")",
        ),
        (
            &[home, ("PAN_PROFILE", "dev")],
            "the store, dev, Some(\"dev\")",
        ),
        (&[home, ("PAN_PROFILE", "none")], "nowhere, none, None"),
        (
            &[home, named, ("PAN_CLIENT_ID", "variable")],
            "PAN_ variables, default, Some(\"variable\")",
        ),
        (
            &[home, unprefixed[0], unprefixed[1]],
            "the store, default, Some(\"home\")",
        ),
        (
            &[home, unprefixed[0], unprefixed[1], unprefixed[2]],
            "the variables CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, default, Some(\"unprefixed\")",
        ),
    ] {
        let said = run("credentials", variables);
        assert!(said.contains(&format!("done: {told}.")), "{said}");
    }
    // Nothing but the file is read, and nothing is written beside it.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn where_nothing_says_where_the_file_is_only_what_needs_a_token_fails() {
    for case in [
        "credentials",
        "client",
        "builder of the environment",
        "builder",
    ] {
        let said = run(case, &[("CLIENT_ID", "planted")]);
        let told = "neither PAN_CREDENTIALS_DBFILE nor HOME is set in the environment";
        let is_told = said.contains("Core(Config): ") && said.contains(told);
        assert!(is_told, "{case}: {said}");
    }
    let empty = tempfile::tempdir().unwrap();
    let said = run("builder", &[("HOME", empty.path().to_str().unwrap())]);
    assert!(
        said.contains("PartialCredentials: ") && said.contains("client_id"),
        "{said}"
    );
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_given_no_credentials_uses_those_of_the_environment_or_the_file() {
    let seed = r#"{
        "clients": [{"client_id": "app", "client_secret": "planted-secret"}],
        "tokens": [{"client_id": "app", "refresh_token": "planted-refresh"}]
    }"#;
    let server = Server::builder().seed(Seed::parse(seed).unwrap()).start();
    let serving = server.serve(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let serving = serving.unwrap();
    let url = serving.url().to_string();
    let url = url.as_str();
    let token = server.token();
    let good = token.expose();
    let folder = tempfile::tempdir().unwrap();
    let home = ("HOME", folder.path().to_str().unwrap());
    let path = folder.path().join(".config/pancloud/credentials.json");
    let where_ = [home, ("TEST_URL", url), ("CLOUD_CREDENTIALS_URL", url)];
    let ask = |case: &str, more: &[(&str, &str)]| run(case, &[&where_[..], more].concat());

    for case in ["client", "builder of the environment", "builder"] {
        write(&path, &[profile("default", "app", Some(good))]);
        let said = ask(case, &[]);
        assert!(said.contains("done: served."), "{case}: {said}");
        write(
            &path,
            &[
                profile("default", "app", Some("planted-bad")),
                profile("dev", "app", Some(good)),
            ],
        );
        for variable in [("PAN_PROFILE", "dev"), ("PAN_ACCESS_TOKEN", good)] {
            let said = ask(case, &[variable]);
            assert!(
                said.contains("done: served."),
                "{case}, {variable:?}: {said}"
            );
        }
    }
    assert_eq!(server.counts().refreshes(), 0);

    let own = ("CLOUD_CREDENTIALS_TOKEN", good);
    for case in ["client", "builder of the environment"] {
        let said = ask(case, &[own, ("PAN_ACCESS_TOKEN", "planted-bad")]);
        assert!(said.contains("done: served."), "{case}: {said}");
    }
    // Only `from_env` reads what is not of `pancloud`.
    let said = ask("builder", &[own, ("PAN_ACCESS_TOKEN", "planted-bad")]);
    assert!(said.contains("HTTP 401"), "{said}");

    // Token requests are sent as the client's requests are, and what is issued is kept.
    for (at, case) in ["builder of the environment", "builder"]
        .into_iter()
        .enumerate()
    {
        write(&path, &[profile("default", "app", None)]);
        let said = ask(case, &[]);
        assert!(said.contains("done: served."), "{case}: {said}");
        assert_eq!(server.counts().refreshes(), at as u64 + 1);
        let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(file["profiles"]["1"]["access_token"].is_string(), "{case}");
    }
}
