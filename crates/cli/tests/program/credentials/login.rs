//! Logins: in a browser on this machine, and on another device.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::json;

use super::World;
use crate::support::{Run, http_with, program, run};

/// A login that waits for its user.
struct Login {
    child: std::process::Child,
    stderr: BufReader<std::process::ChildStderr>,
    page: String,
}

impl Login {
    fn begin(world: &World, arguments: &[&str]) -> Self {
        Self::begin_with_path(world, arguments, "")
    }

    /// Begins a login of a program that finds other programs in this folder.
    fn begin_with_path(world: &World, arguments: &[&str], path: &str) -> Self {
        let own = ["login", "--issuer", world.url()];
        let mut command = world.command(&[&own, arguments].concat());
        command.env("PATH", path);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .stdin(Stdio::piped())
            .env("PAN_CLIENT_SECRET", world.secret("client_secret"))
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut told) = (String::new(), String::new());
        while !line.starts_with("http") {
            told += &line;
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "{told}");
        }
        Self {
            child,
            stderr,
            page: line.trim().to_owned(),
        }
    }

    /// Visits the page as a browser, and returns where it sends the user.
    fn visit(&self, world: &World) -> String {
        visit(world, &self.page)
    }

    fn ended(mut self) -> Run {
        let status = self.child.wait().unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        self.stderr.read_to_string(&mut err).unwrap();
        Run {
            code: status.code().unwrap_or(-1),
            out,
            err,
        }
    }
}

/// Visits a page as a browser, and returns where it sends the user.
fn visit(world: &World, page: &str) -> String {
    let target = page.strip_prefix(world.url()).unwrap();
    let client = reply(world.url(), target);
    let location = client
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    location.unwrap_or_else(|| panic!("{client}")).to_owned()
}

/// A program that is started in place of a browser, and says with which page.
struct Browser {
    program: String,
    pages: std::path::PathBuf,
}

impl Browser {
    fn new(world: &World, name: &str) -> Self {
        let pages = world.path(&format!("pages-of-{name}"));
        let made = Command::new("mkfifo").arg(&pages).status().unwrap();
        assert!(made.success());
        let text = "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$1\" >";
        let program = world.file(name, &format!("{text}'{}'\n", pages.display()));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        Self { program, pages }
    }

    /// Waits until it is started with a page and nothing else, and returns that.
    fn page(&self) -> String {
        // Opened once the other end is.
        let given = fs::read_to_string(&self.pages).unwrap();
        let page = given
            .strip_prefix("1\n")
            .unwrap_or_else(|| panic!("{given}"));
        page.trim_end().to_owned()
    }
}

/// Asks, and returns the whole answer.
fn reply(url: &str, target: &str) -> String {
    let authority = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    let head = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn back(location: &str) -> (String, String) {
    let rest = location.strip_prefix("http://").unwrap();
    let (authority, target) = rest.split_once('/').unwrap();
    (format!("http://{authority}"), format!("/{target}"))
}

#[test]
fn a_login_that_cannot_be_saved_is_saved_once_that_is_possible() {
    for profile in ["new", "default"] {
        let world = World::logged_in();
        let before = world.stored();
        let mut login = Login::begin(&world, &["--profile", profile, "--client-id", "app"]);
        let (folder, away) = (world.path("store"), world.path("away"));
        fs::rename(&folder, &away).unwrap();
        fs::write(&folder, "").unwrap();
        let (own, target) = back(&login.visit(&world));
        reply(&own, &target);
        let mut line = String::new();
        while !line.starts_with("The tokens cannot be saved") {
            line.clear();
            assert!(login.stderr.read_line(&mut line).unwrap() > 0, "no warning");
        }
        // Another process has refreshed the login that was there.
        let mut refreshed = before.clone();
        refreshed["profiles"]["1"]["refresh_token"] = "another".into();
        fs::write(away.join("credentials.json"), refreshed.to_string()).unwrap();
        fs::remove_file(&folder).unwrap();
        fs::rename(&away, &folder).unwrap();
        let done = login.ended();
        assert_eq!((done.code, &*done.err), (0, ""), "{done:?}");
        let after = world.stored();
        let number = match profile {
            "new" => "2",
            _ => "1",
        };
        let saved = &after["profiles"][number];
        assert_eq!(saved["profile"], profile);
        let token = saved["refresh_token"].as_str().unwrap();
        assert!(
            token != "another"
                && saved["refresh_token"] != before["profiles"]["1"]["refresh_token"]
        );
        if profile == "new" {
            assert_eq!(after["profiles"]["1"], refreshed["profiles"]["1"]);
        }
        world.ask(&["refresh", "--profile", profile]).good();
    }
}

#[test]
fn no_user_is_asked_while_the_file_cannot_be_written() {
    let world = World::new();
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listening.local_addr().unwrap());
    let ask = |way: &[&str]| {
        let own = ["login", "--client-id", "app", "--token-url", &server];
        let mut command = program(&[&["credentials"], &own[..], way].concat());
        let file = world.path("store/credentials.json");
        command.env("PAN_CREDENTIALS_DBFILE", file);
        run(&mut command)
    };
    let device = format!("{server}/device");
    let ways: [&[&str]; 2] = [
        &["--wait", "1s"],
        &["--device", "--device-authorization-url", &device],
    ];
    for way in ways {
        fs::write(world.path("store"), "").unwrap();
        let refused = ask(way).bad(2);
        assert!(refused.err.contains("cannot be written"), "{refused:?}");
        fs::remove_file(world.path("store")).unwrap();
        fs::create_dir(world.path("store")).unwrap();
        world.file("store/credentials.json", "{\"profiles\": ");
        let refused = ask(way);
        assert_eq!((refused.code, &*refused.out), (1, ""), "{refused:?}");
        assert!(refused.err.contains("credentials repair"), "{refused:?}");
        fs::remove_dir_all(world.path("store")).unwrap();
    }
    listening.set_nonblocking(true).unwrap();
    assert!(listening.accept().is_err());
}

#[test]
fn a_login_uses_the_redirect_uri_that_the_server_knows() {
    let world = World::new();
    // The last one has a port, which a server may compare.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let fixed = format!("http://127.0.0.1:{port}/callback");
    for uri in ["http://127.0.0.1/callback", &fixed] {
        let login = Login::begin(&world, &["--client-id", "app", "--redirect-uri", uri]);
        let location = login.visit(&world);
        let (origin, target) = back(&location);
        assert!(
            !uri.contains(&port.to_string()) || location.starts_with(uri),
            "{location}"
        );
        let (status, _) = http_with(&origin, "GET", "/elsewhere", &[], "");
        assert_eq!(status, 404);
        let answer = reply(&origin, &target);
        assert!(answer.contains("Return to the terminal"), "{answer}");
        let done = login.ended();
        assert_eq!((done.code, &*done.err), (0, ""), "{done:?}");
    }
    let login = Login::begin(&world, &["--client-id", "app", "--port", &port]);
    assert!(login.visit(&world).starts_with(&fixed));
    reply(&back(&fixed).0, "/callback?state=x");
    let mut child = login.child;
    child.kill().unwrap();
    child.wait().unwrap();

    let both = [
        "login",
        "--client-id",
        "app",
        "--port",
        "1",
        "--redirect-uri",
        &fixed,
    ];
    assert_eq!(world.ask(&both).code, 2);
    for (bad, told) in [
        ("/back", "no scheme"),
        ("https://app.example.com/back#x", "fragment"),
        ("http://127.0.0.1:1:2/", "not a URI"),
    ] {
        let refused = world.ask(&["login", "--client-id", "app", "--redirect-uri", bad]);
        assert!(refused.bad(2).err.contains(told), "{bad}");
    }
}

#[test]
fn the_address_of_a_page_elsewhere_is_copied_to_the_program() {
    let world = World::new();
    let elsewhere = "https://app.example.com/back";
    let arguments = ["--client-id", "app", "--redirect-uri", elsewhere];
    for case in ["good", "another login", "refused", "the end"] {
        if case == "refused" {
            world.manage("settings", r#"{"consent": "denies"}"#);
        }
        let mut login = Login::begin(&world, &arguments);
        let location = match case {
            "good" | "refused" => login.visit(&world),
            "another login" => format!("{elsewhere}?code=planted&state=x"),
            _ => String::new(),
        };
        let mut input = login.child.stdin.take().unwrap();
        if !location.is_empty() {
            assert!(location.starts_with(elsewhere), "{location}");
            writeln!(input, "{location}").unwrap();
        }
        drop(input);
        let done = login.ended();
        let told = match case {
            "good" => "",
            "another login" => "belongs to another login",
            "refused" => "access_denied",
            _ => "cannot be read",
        };
        assert_eq!(done.code == 0, case == "good", "{done:?}");
        assert!(
            done.err.contains(told) && !done.err.contains("planted"),
            "{done:?}"
        );
        assert!(world.path("store").exists(), "{case}");
    }
    world.ask(&["refresh"]).good();
    let secret = ["--client-secret-stdin"];
    let refused = world
        .ask(&[&["login"], &arguments[..], &secret].concat())
        .bad(2);
    assert!(refused.err.contains("--client-secret-file"), "{refused:?}");
}

#[test]
fn a_login_comes_back_to_this_machine_and_is_kept() {
    let world = World::new();
    world.manage("settings", r#"{"is_pkce_required": true}"#);
    let login = Login::begin(
        &world,
        &["--client-id", "app", "--scope", "event-service:read"],
    );
    let location = login.visit(&world);
    let (origin, target) = back(&location);
    // Another page on this machine cannot end it, nor plant a code.
    let (status, _) = http_with(&origin, "GET", "/callback?code=planted&state=x", &[], "");
    assert_eq!(status, 400);
    let answer = reply(&origin, &target);
    assert!(answer.contains("Return to the terminal"), "{answer}");
    let done = login.ended();
    assert_eq!((done.code, &*done.err), (0, ""), "{done:?}");
    let document = &world.stored()["profiles"]["1"];
    assert_eq!(document["client_id"], "app");
    assert!(
        !done
            .out
            .contains(document["refresh_token"].as_str().unwrap())
    );
    world.ask(&["refresh"]).good();
}

#[test]
fn a_login_opens_the_printed_page_in_a_browser_and_comes_back_from_there() {
    let world = World::new();
    world.manage("settings", r#"{"is_pkce_required": true}"#);
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    // The named program, and the one that is found without a name.
    let folder = world.folder.path().to_str().unwrap();
    for (name, option, path) in [
        ("a browser; exit", "--browser=", ""),
        (opener, "--browser", folder),
    ] {
        let browser = Browser::new(&world, name);
        let option = match option.ends_with('=') {
            true => format!("{option}{}", browser.program),
            false => option.to_owned(),
        };
        let arguments = ["--client-id", "app", &option];
        let login = Login::begin_with_path(&world, &arguments, path);
        let page = browser.page();
        assert_eq!(page, login.page);
        assert!(page.contains("code_challenge_method=S256"), "{page}");
        let location = visit(&world, &page);
        let (origin, target) = back(&location);
        assert!(origin.starts_with("http://127.0.0.1:"), "{origin}");
        let answer = reply(&origin, &target);
        assert!(answer.contains("Return to the terminal"), "{answer}");
        let done = login.ended();
        assert_eq!((done.code, &*done.err), (0, ""), "{done:?}");
        let document = &world.stored()["profiles"]["1"];
        let token = document["refresh_token"].as_str().unwrap();
        assert!(!done.out.contains(token) && !page.contains(token));
        world.ask(&["refresh"]).good();
    }
    let requests = &world.counts()["token_requests"];
    assert_eq!(requests["authorization_code"], 2, "{requests}");
    assert_eq!(requests["refresh_token"], 2, "{requests}");
}

#[test]
fn a_login_whose_browser_cannot_be_started_says_what_to_do() {
    let world = World::new();
    let arguments = ["--client-id", "app", "--browser=/nowhere/browser"];
    let ended = Login::begin(&world, &arguments).ended();
    assert_eq!(ended.code, 2, "{ended:?}");
    for told in ["/nowhere/browser", "without --browser"] {
        assert!(ended.err.contains(told), "{ended:?}");
    }
    assert!(!world.path("store").exists());
}

#[test]
fn a_refused_login_and_one_that_takes_too_long_end_with_an_error() {
    let world = World::new();
    world.manage("settings", r#"{"consent": "denies"}"#);
    let login = Login::begin(&world, &["--client-id", "app"]);
    let location = login.visit(&world);
    let (origin, target) = back(&location);
    reply(&origin, &target);
    let refused = login.ended();
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("access_denied"), "{refused:?}");
    let late = Login::begin(&world, &["--client-id", "app", "--wait", "50ms"]).ended();
    assert_eq!(late.code, 1);
    assert!(late.err.contains("--wait allows more"), "{late:?}");
    assert!(!world.path("store").exists());
    let none = world.ask(&["login"]).bad(2);
    assert!(none.err.contains("missing client_id"), "{none:?}");
}

#[test]
fn a_login_on_another_device_waits_for_the_code_to_be_entered() {
    let world = World::new();
    world.manage("settings", r#"{"device_interval_s": 1}"#);
    let own = ["login", "--device", "--issuer", world.url()];
    let proofs: [&[&str]; 3] = [
        // The metadata says that there are clients without a secret.
        &[],
        &["--client-authentication", "none"],
        &["--client-authentication", "body"],
    ];
    for proof in proofs {
        let client = ["--client-id", "cli"];
        let mut command = world.command(&[&own[..], &client, proof].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        stderr.read_line(&mut told).unwrap();
        assert!(
            told.contains("/as/user_authz.oauth2 on any device"),
            "{told}"
        );
        let code = told.trim().rsplit(' ').next().unwrap();
        let body = json!({"decision": "allow", "user_code": code}).to_string();
        assert_eq!(world.manage("devices", &body), json!({"decided": 1}));
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(world.stored()["profiles"]["1"]["client_id"], "cli");
        // A client without a secret that says that it has one cannot renew what it got.
        let is_warned = rest.contains("--client-authentication none");
        assert_eq!(is_warned, proof.contains(&"body"), "{rest}");
        let refresh = ["refresh", "--issuer", world.url()];
        let refresh = world.ask(&[&refresh[..], proof].concat());
        assert_eq!(refresh.code == 0, !is_warned, "{refresh:?}");
        let doctor = ["doctor", "--issuer", world.url()];
        let doctor = world.ask(&[&doctor[..], proof].concat());
        assert_eq!(doctor.code == 0, !is_warned, "{doctor:?}");
    }

    let own = ["login", "--device", "--client-id", "cli"];
    let nowhere = world.ask(&own).bad(2);
    assert!(nowhere.err.contains("device"), "{nowhere:?}");
}
