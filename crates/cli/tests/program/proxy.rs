//! Requests through a proxy. Those to this machine never go through one, so the tests ask a server
//! whose name does not exist.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread::{self, JoinHandle};

use crate::support::{Played, program, run};

const TOKEN: &str = "gt-0123456789012345678901.plantedplantedplanted0";

/// Asks the server that does not exist.
fn ask(scheme: &str, token: &str, more: &[&str]) -> Command {
    let url = format!("{scheme}://data.invalid/repertoire");
    let own = ["userinfo", "whoami", "--repertoire-url", &url];
    let own = [&own[..], &["--retries", "0", "--allow-plain-http"], more].concat();
    let mut command = program(&own);
    command.env("GAFAELFAWR_TOKEN", token);
    command
}

/// A proxy that refuses the first request, and returns what it was sent.
fn refusing() -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let seen = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let lines = lines.map(Result::unwrap);
        let lines = lines.take_while(|line| !line.is_empty()).collect();
        let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(refusal.as_bytes()).unwrap();
        lines
    });
    (place, seen)
}

#[test]
fn requests_to_other_machines_go_through_the_proxy_of_the_option() {
    // What a proxy is sent for plain http, a server understands too.
    let played = Played::new();
    let token = played.token("alice");
    let answer = run(&mut ask("http", token, &["--proxy", played.url()])).good();
    assert!(answer.out.contains("Alice Example"), "{answer:?}");
}

#[test]
fn the_environment_names_a_proxy_only_where_that_is_asked_for() {
    let played = Played::new();
    let token = played.token("alice");
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let mut asked = ask("http", token, &["--proxy-from-env"]);
        run(asked.env(variable, played.url())).good();
    }
    let before = played.requests();
    let mut excepted = ask("http", token, &["--proxy-from-env", "--timeout", "2"]);
    excepted.env("NO_PROXY", "data.invalid");
    let mut unasked = ask("http", token, &["--timeout", "2"]);
    for command in [&mut excepted, &mut unasked] {
        run(command.env("HTTP_PROXY", played.url())).bad(1);
    }
    assert_eq!(played.requests(), before);
}

#[test]
fn a_proxy_that_refuses_is_named_and_its_password_is_not_shown() {
    let (place, seen) = refusing();
    let mut asked = ask("https", TOKEN, &["--proxy-from-env"]);
    let url = format!("http://worker:planted-password@{place}");
    let refused = run(asked.env("HTTPS_PROXY", url)).bad(1);
    assert!(
        refused.err.contains(&place) && refused.err.contains("403"),
        "{refused:?}"
    );
    assert!(!refused.err.contains("planted"), "{refused:?}");
    let seen = seen.join().unwrap();
    assert_eq!(seen[0], "CONNECT data.invalid:443 HTTP/1.1");
    let credentials = "Basic d29ya2VyOnBsYW50ZWQtcGFzc3dvcmQ=";
    let is_sent = |line: &String| {
        let name = "proxy-authorization: ";
        line.to_ascii_lowercase().starts_with(name) && line.ends_with(credentials)
    };
    assert!(seen.iter().any(is_sent), "{seen:?}");
    assert!(!seen.concat().contains(TOKEN), "{seen:?}");
}

#[test]
fn what_is_no_proxy_is_refused_before_anything_is_sent() {
    for (arguments, message) in [
        (&["--proxy", "ftp://proxy.invalid"][..], "--proxy"),
        (&["--proxy", "http://proxy.invalid/path"], "--proxy"),
        (
            &["--proxy", "http://worker:planted-password@proxy.invalid"],
            "--proxy-from-env",
        ),
        (
            &["--proxy", "http://proxy.invalid", "--proxy-from-env"],
            "one proxy is enough",
        ),
    ] {
        let refused = run(&mut ask("http", TOKEN, arguments)).bad(2);
        assert!(refused.err.contains(message), "{refused:?}");
        assert!(!refused.err.contains("planted"), "{refused:?}");
    }
    let mut asked = ask("http", TOKEN, &["--proxy-from-env"]);
    let wrong = run(asked.env("HTTPS_PROXY", "socks5://planted@proxy.invalid")).bad(2);
    assert!(
        wrong.err.contains("HTTPS_PROXY") && !wrong.err.contains("planted"),
        "{wrong:?}"
    );
}
