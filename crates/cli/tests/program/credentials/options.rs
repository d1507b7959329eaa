//! Options that change what is sent, and where secrets come from, as a server sees them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::World;
use crate::support::{Run, program, run, run_with_input};

/// A server that answers some requests, each with one document, and keeps them.
struct Server {
    url: String,
    requests: JoinHandle<Vec<Request>>,
}

/// A request as it came.
struct Request {
    /// The head in lower case but for the first line and the values.
    head: String,
    body: String,
}

impl Server {
    fn answering(documents: impl IntoIterator<Item = Value> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = move || {
            let documents = documents.into_iter();
            documents
                .map(|document| answer(&listener, &document))
                .collect()
        };
        Self {
            url,
            requests: std::thread::spawn(serve),
        }
    }

    /// Returns the requests, all of which must have come.
    fn requests(self) -> Vec<Request> {
        self.requests.join().unwrap()
    }
}

fn answer(listener: &TcpListener, document: &Value) -> Request {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let text = document.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).unwrap();
    Request {
        head,
        body: String::from_utf8(body).unwrap(),
    }
}

fn tokens() -> Value {
    json!({"access_token": "at-2", "token_type": "bearer", "expires_in": 900})
}

/// Writes a profile with the values of the file, and returns a command for it.
fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = program(&[&["credentials"], arguments].concat());
    let file = world.path("store/credentials.json");
    command.env("PAN_CREDENTIALS_DBFILE", file);
    command
}

fn with_profile() -> World {
    let world = World::new();
    let values = json!({"client_id": "c 1", "client_secret": "s:1", "refresh_token": "rt-1"});
    let from = world.file("cred-init.json", &values.to_string());
    let init = ["init", "--from", &from, "--write"];
    let _: Run = run(&mut command(&world, &init)).good();
    world
}

#[test]
fn requests_for_tokens_have_the_form_and_the_proof_that_options_ask_for() {
    let ways: [(&[&str], &str, &str); 3] = [
        (&[], "application/json", ""),
        (&["--form"], "application/x-www-form-urlencoded", ""),
        (
            &["--client-authentication", "basic"],
            "application/json",
            // Each is escaped as in a form, and then encoded (RFC 6749, 2.3.1): c+1:s%3A1.
            "Basic YysxOnMlM0Ex",
        ),
    ];
    for (way, format, proof) in ways {
        let world = with_profile();
        let server = Server::answering([tokens()]);
        let own = ["refresh", "--token-url", &server.url];
        run(&mut command(&world, &[&own[..], way].concat())).good();
        let [request] = &*server.requests() else {
            panic!("one request");
        };
        let head = &request.head;
        assert!(head.contains(&format!("content-type: {format}")), "{head}");
        assert_eq!(
            request.body.starts_with('{'),
            format.ends_with("json"),
            "{}",
            request.body
        );
        let is_in_body = request.body.contains("client_secret");
        assert_eq!(is_in_body, proof.is_empty(), "{}", request.body);
        assert_eq!(head.contains("authorization: "), !is_in_body, "{head}");
        assert!(head.contains(proof), "{head}");
        assert_eq!(world.stored()["profiles"]["1"]["access_token"], "at-2");
    }
}

#[test]
fn tokens_are_revoked_at_the_url_of_the_option() {
    let world = with_profile();
    let server = Server::answering([json!({})]);
    let url = format!("{}/elsewhere/revoke", server.url);
    let revoke = ["revoke", "refresh", "--revocation-url", &url];
    run(&mut command(&world, &revoke)).good();
    let [request] = &*server.requests() else {
        panic!("one request");
    };
    assert!(
        request.head.starts_with("POST /elsewhere/revoke "),
        "{}",
        request.head
    );
    assert!(request.body.contains("rt-1"), "{}", request.body);
    assert_eq!(
        world.stored()["profiles"]["1"]["refresh_token"],
        json!(null)
    );
}

#[test]
fn a_login_on_another_device_begins_at_the_url_of_the_option() {
    let world = World::new();
    let begun = json!({
        "device_code": "dc", "user_code": "WDJB-MJHT", "expires_in": 60, "interval": 1,
        "verification_uri": "http://127.0.0.1/device",
    });
    let server = Server::answering([begun, tokens()]);
    let url = format!("{}/elsewhere/device", server.url);
    let own = [
        "login",
        "--device",
        "--client-id",
        "cli",
        "--client-authentication",
        "none",
    ];
    let at = [
        "--device-authorization-url",
        &url,
        "--token-url",
        &server.url,
    ];
    let done = run(&mut command(&world, &[&own[..], &at].concat()));
    assert_eq!(done.code, 0, "{done:?}");
    let [begun, polled] = &*server.requests() else {
        panic!("two requests");
    };
    assert!(
        begun.head.starts_with("POST /elsewhere/device "),
        "{}",
        begun.head
    );
    assert!(polled.body.contains("device_code=dc"), "{}", polled.body);
    assert_eq!(world.stored()["profiles"]["1"]["access_token"], "at-2");
}

#[test]
fn secrets_come_from_standard_input_and_from_variables_of_any_name() {
    let world = World::new();
    let own = ["init", "--client-id", "c", "--write"];
    let from = ["--client-secret-stdin", "--refresh-token-env", "MY_TOKEN"];
    let mut init = command(&world, &[&own[..], &from].concat());
    init.env("MY_TOKEN", "rt-mine");
    init.env("PAN_REFRESH_TOKEN", "rt-other")
        .env("PAN_CLIENT_SECRET", "s-other");
    let done = run_with_input(&mut init, "s-mine\n").good();
    let profile = &world.stored()["profiles"]["1"];
    assert_eq!(profile["client_secret"], "s-mine");
    assert_eq!(profile["refresh_token"], "rt-mine");
    assert!(!done.out.contains("mine"), "{done:?}");
    let from = ["--client-secret-env", "MY_SECRET", "--refresh-token-stdin"];
    let mut init = command(&world, &[&own[..], &from].concat());
    init.env("MY_SECRET", "s-2")
        .env("PAN_CLIENT_SECRET", "s-other");
    run_with_input(&mut init, "rt-2\n").good();
    let profile = &world.stored()["profiles"]["1"];
    assert_eq!(profile["client_secret"], "s-2");
    assert_eq!(profile["refresh_token"], "rt-2");
}
