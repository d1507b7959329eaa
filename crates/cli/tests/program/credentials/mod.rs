//! `vouchsafe credentials` against a served emulator.

mod calls;
mod file;
mod login;
mod options;
mod shown;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Played, Run, program, run, run_with_input};

struct World {
    played: Played,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let service = [
            "serve",
            "--service",
            "cloud-credentials=0",
            "--until-stdin-closes",
        ];
        Self {
            played: Played::start(&mut program(&service)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn url(&self) -> &str {
        self.played.ready["services"]["cloud-credentials"]["url"]
            .as_str()
            .unwrap()
    }

    /// Returns a secret of the built-in world.
    fn secret(&self, name: &str) -> &str {
        self.played.ready["tokens"]["cloud-credentials"][name]
            .as_str()
            .unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Creates a command with its own file of credentials.
    fn command(&self, arguments: &[&str]) -> Command {
        let url = ["--token-url", self.url()];
        let mut command = program(&[&["credentials"], arguments, &url].concat());
        command.env(
            "PAN_CREDENTIALS_DBFILE",
            self.path("store/credentials.json"),
        );
        command
    }

    /// Runs a command, and makes sure that no secret is shown.
    fn ask(&self, arguments: &[&str]) -> Run {
        let run = run(&mut self.command(arguments));
        let shown = format!("{}{}", run.out, run.err);
        for name in ["client_secret", "refresh_token"] {
            assert!(!shown.contains(self.secret(name)), "{shown}");
        }
        run
    }

    fn stored(&self) -> Value {
        let text = fs::read_to_string(self.path("store/credentials.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Writes the built-in login into the default profile.
    fn logged_in() -> Self {
        let world = Self::new();
        let from = world.file("cred-init.json", &world.init());
        world.ask(&["init", "--from", &from, "--write"]).good();
        world
    }

    fn init(&self) -> String {
        let values = json!({
            "client_id": "app",
            "client_secret": self.secret("client_secret"),
            "refresh_token": self.secret("refresh_token"),
        });
        values.to_string()
    }

    fn counts(&self) -> Value {
        self.played
            .manage_of("cloud-credentials", "GET", "snapshot", "")
    }

    fn manage(&self, action: &str, body: &str) -> Value {
        self.played
            .manage_of("cloud-credentials", "POST", action, body)
    }
}

#[test]
fn the_command_line_of_the_older_tool_writes_the_same_file() {
    let world = World::new();
    let from = world.file(
        "cred-init.json",
        r#"{"client_id": "cid", "client_secret": "csecret", "refresh_token": "rt-1"}"#,
    );
    let wrote = world.ask(&["-C", "--R0", &from, "--write"]);
    assert_eq!(
        (wrote.code, &*wrote.out, &*wrote.err),
        (0, "", "Credentials.write_credentials\n")
    );
    let text = fs::read_to_string(world.path("store/credentials.json")).unwrap();
    let document = [
        "{",
        "    \"profiles\": {",
        "        \"1\": {",
        "            \"access_token\": null,",
        "            \"client_id\": \"cid\",",
        "            \"client_secret\": \"csecret\",",
        "            \"profile\": \"default\",",
        "            \"refresh_token\": \"rt-1\"",
        "        }",
        "    }",
        "}",
    ];
    assert_eq!(text, document.join("\n"));
    let dev = [
        "-C",
        "--R0",
        &from,
        "--R0",
        r#"{"profile":"dev"}"#,
        "--write",
        "-j",
    ];
    assert_eq!(world.ask(&dev).out, "[\n  2\n]\n");
    assert_eq!(world.stored()["profiles"]["2"]["profile"], "dev");
    // Arguments of requests change nothing.
    let more = r#"{"profile":"dev","timeout":5,"verify":false,"headers":{"X-Note":"1"}}"#;
    let also = world.ask(&["-C", "--R0", &from, "--R0", more, "--write", "-j"]);
    assert_eq!((also.code, &*also.out), (0, "[\n  2\n]\n"), "{also:?}");
    // From standard input, too.
    let mut piped = world.command(&["-C", "--R0", "-", "--write"]);
    let piped = run_with_input(&mut piped, r#"{"client_id": "other"}"#);
    assert_eq!(piped.code, 0, "{piped:?}");
    assert_eq!(world.stored()["profiles"]["1"]["client_id"], "other");
    // Without arguments, the values of the environment are written.
    let mut bare = world.command(&["-C", "--R0", r#"{"profile":"dev"}"#, "--write"]);
    let bare = run(bare.env("PAN_CLIENT_ID", "of-environment"));
    assert_eq!((bare.code, &*bare.out), (0, ""), "{bare:?}");
    let document = &world.stored()["profiles"]["2"];
    assert_eq!(document["client_id"], "of-environment");
    assert_eq!(document["client_secret"], "csecret");
    // Or those of the file, which changes nothing.
    let before = world.stored();
    let same = world.ask(&["-C", "--write", "-j"]);
    assert_eq!((same.code, &*same.out), (0, "[\n  1\n]\n"), "{same:?}");
    assert_eq!(world.stored(), before);
}

#[test]
fn a_secret_is_no_argument_and_half_an_old_command_line_is_no_command() {
    let world = World::new();
    let inline = ["-C", "--R0", r#"{"client_secret": "planted"}"#, "--write"];
    for (arguments, told) in [
        (&inline[..], "client_secret cannot be an argument"),
        (&["-C"], "no command is given"),
        (&[], "no command is given"),
        (&["--write", "list"], "without a command"),
        (
            &["-C", "--R0", "{\"frob\": 1}", "--write"],
            "unexpected member frob",
        ),
        (
            &["-C", "--R0", "{'client_secret': 'planted'}", "--write"],
            "looks like JSON cannot be read",
        ),
        (
            &["init", "--from", r#"{"client_secret": "planted"}"#],
            "looks like JSON cannot be read",
        ),
        (&["-C", "--R0", "[1]", "--write"], "not a JSON object"),
        (&["-C", "--write"], "there are no credentials to write"),
        (&["-C", "--R0", "/no/such", "--write"], "cannot be read"),
    ] {
        let refused = world.ask(arguments).bad(2);
        assert!(refused.err.contains(told), "{refused:?}");
        assert!(!refused.err.contains("planted"), "{refused:?}");
    }
    let refused = run(&mut program(&[
        "credentials",
        "init",
        "--client-secret=planted",
    ]))
    .bad(2);
    assert!(refused.err.contains("--client-secret-file"), "{refused:?}");
    assert!(!refused.err.contains("planted"), "{refused:?}");
    assert!(!world.path("store").exists());
}

#[test]
fn init_shows_before_it_writes_and_reads_files_and_variables() {
    let world = World::new();
    let secret = world.file("secret", "s3cr3t\n");
    let arguments = [
        "init",
        "--client-id",
        "app",
        "--client-secret-file",
        &secret,
    ];
    let ask = |more: &[&str]| {
        let mut command = world.command(&[&arguments, more].concat());
        run(command.env("PAN_REFRESH_TOKEN", "fr0m-env"))
    };
    let shown = ask(&["--json"]).good().json();
    assert_eq!(
        (&shown["written"], &shown["client_secret"]),
        (&json!(false), &json!("******"))
    );
    assert!(!world.path("store").exists());
    ask(&["--write", "--profile", "dev"]).good();
    let document = &world.stored()["profiles"]["1"];
    assert_eq!(
        (
            &document["profile"],
            &document["client_secret"],
            &document["refresh_token"]
        ),
        (&json!("dev"), &json!("s3cr3t"), &json!("fr0m-env"))
    );
    let without = world.ask(&["init", "--write"]).bad(2);
    assert!(
        without.err.contains("PAN_CLIENT_ID is not set"),
        "{without:?}"
    );
    let bad = world.file("bad.json", "{\n \"client_secret\": planted}");
    let refused = world.ask(&["init", "--from", &bad]).bad(2);
    assert!(refused.err.contains("not JSON at line 2"), "{refused:?}");
    assert!(!refused.err.contains("planted"), "{refused:?}");
}

#[test]
fn a_profile_is_shown_with_its_secrets_masked_renamed_and_removed() {
    let world = World::logged_in();
    let shown = world.ask(&["get", "--json"]).good().json();
    assert_eq!(
        (
            &shown["source"],
            &shown["client_id"],
            &shown["refresh_token"]
        ),
        (&json!("the store"), &json!("app"), &json!("******"))
    );
    assert_eq!(shown["access_token"], Value::Null);
    let open = run(&mut world.command(&["get", "--show", "--json"]))
        .good()
        .json();
    assert_eq!(open["refresh_token"], world.secret("refresh_token"));
    let table = world.ask(&["list"]).good().out;
    assert!(
        table.contains("default  app     no access token yet"),
        "{table}"
    );

    world.ask(&["rename", "default", "dev"]).good();
    let listed = world.ask(&["list", "--json"]).good().json();
    assert_eq!(listed[0]["profile"], "dev");
    let gone = world.ask(&["get"]).bad(1);
    assert!(
        gone.err.contains("no credentials in the profile default"),
        "{gone:?}"
    );
    world.ask(&["get", "--profile", "dev"]).good();
    let asked = world.ask(&["remove", "dev"]).bad(2);
    assert!(asked.err.contains("give --yes"), "{asked:?}");
    world.ask(&["remove", "dev", "--yes"]).good();
    let missing = world.ask(&["remove", "dev", "--yes"]).bad(1);
    assert!(missing.err.contains("no profile dev"), "{missing:?}");
    assert_eq!(world.ask(&["list"]).good().out, "there are no profiles\n");
}

#[test]
fn a_token_is_had_once_kept_refreshed_and_revoked() {
    let world = World::logged_in();
    let token = || world.ask(&["token"]).good().out;
    let first = token();
    assert_eq!(first.split('.').count(), 3, "{first}");
    assert_eq!(token(), first);
    assert_eq!(world.counts()["token_requests"]["refresh_token"], 1);
    let refreshed = world.ask(&["refresh"]).good().out;
    assert!(refreshed.contains("expires at 20"), "{refreshed}");
    assert_ne!(token(), first);
    world.ask(&["revoke", "access"]).good();
    assert_eq!(
        world.counts()["good_access_tokens"],
        3,
        "{}",
        world.counts()
    );
    world.ask(&["revoke", "refresh"]).good();
    assert_eq!(world.counts()["logins"][0]["revoked"], true);
    let refused = world.ask(&["token", "--json"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_eq!(refused.error()["kind"], "partial_credentials");
}

/// Creates a command that can write short files only, as on a disk that is full.
#[cfg(unix)]
fn on_a_full_disk(command: &Command) -> Command {
    // Writes fail if the signal is ignored.
    let script = r#"trap "" XFSZ; ulimit -f 4; exec "$0" "$@""#;
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", script]).arg(command.get_program());
    limited.args(command.get_args()).env_clear();
    let variables = command.get_envs();
    limited.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(Stdio::null());
    limited
}

#[test]
#[cfg(unix)]
fn a_token_that_cannot_be_saved_is_printed_and_fails_if_that_loses_the_login() {
    let world = World::logged_in();
    let large = json!({"client_id": "app", "client_secret": "x".repeat(10_000)});
    let large = world.file("large.json", &large.to_string());
    world
        .ask(&["init", "--from", &large, "--profile", "large", "--write"])
        .good();
    let ask = |arguments: &[&str]| run(&mut on_a_full_disk(&world.command(arguments)));
    let count = || world.counts()["token_requests"]["refresh_token"].clone();

    // The refresh token is still good, so the next command gets another token.
    let kept = ask(&["token"]);
    assert_eq!(kept.code, 0, "{kept:?}");
    assert_eq!(kept.out.trim().split('.').count(), 3, "{kept:?}");
    assert!(
        kept.err.contains("the access token was not saved"),
        "{kept:?}"
    );
    assert_eq!(count(), 1);

    world.manage("settings", r#"{"rotation": "revokes"}"#);
    let before = world.stored();
    let lost = ask(&["token", "--json"]);
    assert_eq!(lost.code, 1, "{lost:?}");
    assert!(lost.json()["access_token"].is_string(), "{lost:?}");
    let error: Value = serde_json::from_str(lost.err.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "store", "{lost:?}");
    let message = error["error"].to_string();
    assert!(message.contains("File too large"), "{lost:?}");
    assert!(message.contains("log in again"), "{lost:?}");
    let shown = format!("{}{}", lost.out, lost.err);
    for name in ["client_secret", "refresh_token"] {
        assert!(!shown.contains(world.secret(name)), "{shown}");
    }
    assert_eq!(world.stored(), before);
    assert_eq!(count(), 2);
    // It said the truth.
    let next = world.ask(&["token"]).bad(1);
    assert!(next.err.contains("vouchsafe credentials login"), "{next:?}");
}

#[test]
#[cfg(unix)]
fn a_token_that_cannot_be_saved_at_once_is_saved_before_the_program_ends() {
    let world = World::logged_in();
    world.manage("settings", r#"{"rotation": "revokes"}"#);
    let before = world.stored();
    let slow = r#"{"operation": "oauth.requestToken", "delay_ms": 3000}"#;
    world
        .played
        .manage_of("cloud-credentials", "POST", "faults", slow);
    let mut command = world.command(&["token"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while world.counts()["token_requests"]["refresh_token"] != 1 {
        std::thread::yield_now();
    }
    // The answer is on its way, and another process has the file.
    let lock = fs::File::open(world.path("store/credentials.json.lock")).unwrap();
    lock.lock().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("not saved"), "{line}");
    assert_eq!(world.stored(), before);
    drop(lock);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        world.stored()["profiles"]["1"]["access_token"],
        printed.trim()
    );
    assert_eq!(world.ask(&["token"]).good().out, printed);
    assert_eq!(world.counts()["token_requests"]["refresh_token"], 1);
}

#[test]
fn a_refused_refresh_token_asks_for_a_login() {
    let world = World::logged_in();
    world.manage("revoke", r#"{"client_id": "app"}"#);
    for _ in 0..2 {
        let refused = world.ask(&["refresh"]).bad(1);
        assert!(
            refused.err.contains("vouchsafe credentials login"),
            "{refused:?}"
        );
    }
    // It is known by then.
    assert_eq!(world.counts()["refusals"]["invalid_grant"], 1);
    let report = world.ask(&["doctor"]);
    assert_eq!(report.code, 1);
    assert!(report.out.contains("refresh token  BAD"), "{}", report.out);
}

#[test]
fn the_doctor_does_not_blame_other_credentials_for_a_refused_profile() {
    let world = World::logged_in();
    world.manage("revoke", r#"{"client_id": "app"}"#);
    world.ask(&["refresh"]).bad(1);
    assert_eq!(world.ask(&["doctor"]).code, 1);
    let mut doctor = world.command(&["doctor"]);
    doctor
        .env("PAN_CLIENT_ID", "other")
        .env("PAN_CLIENT_SECRET", "planted")
        .env("PAN_REFRESH_TOKEN", "planted");
    let good = run(&mut doctor).good();
    assert!(good.out.contains("PAN_ variables"), "{good:?}");
    assert!(!good.out.contains("refresh token"), "{good:?}");
}

#[test]
fn the_environment_comes_before_the_file() {
    let world = World::logged_in();
    let mut get = world.command(&["get", "--json"]);
    get.env("PAN_CLIENT_ID", "other")
        .env("PAN_REFRESH_TOKEN", "planted");
    let shown = run(&mut get).good();
    assert!(!shown.out.contains("planted"));
    assert_eq!(
        (&shown.json()["source"], &shown.json()["client_id"]),
        (&json!("PAN_ variables"), &json!("other"))
    );
    let mut token = world.command(&["token"]);
    token.env("PAN_CLIENT_ID", "other");
    let refused = run(&mut token).bad(2);
    assert!(
        refused.err.contains("missing client_secret, refresh_token"),
        "{refused:?}"
    );
}

#[test]
#[cfg(unix)]
fn the_doctor_finds_what_is_wrong() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new();
    let empty = world.ask(&["doctor"]);
    assert_eq!(empty.code, 1, "{empty:?}");
    assert!(
        empty.out.contains("nowhere, for the profile default"),
        "{empty:?}"
    );
    // With a developer token nothing else is needed.
    let mut developer = world.command(&["doctor"]);
    let developer = run(developer.env("PAN_DEVELOPER_TOKEN", "planted")).good();
    let lines = [
        "source           ok      the developer token",
        "developer token  ok      redeemed at https://app.apiexplorer.rocks/request_token",
        "renewal          ok      the developer token gets another",
    ];
    for line in lines {
        assert!(developer.out.contains(line), "{developer:?}");
    }
    assert!(!developer.out.contains("planted"), "{developer:?}");
    let mut provider = world.command(&["doctor"]);
    let provider = provider.env("PAN_DEVELOPER_TOKEN", "planted").env(
        "PAN_DEVELOPER_TOKEN_PROVIDER",
        "https://tokens.example.com/redeem?key=planted",
    );
    let provider = run(provider).good();
    let told = "redeemed at https://tokens.example.com/redeem";
    assert!(provider.out.contains(told), "{provider:?}");
    assert!(!provider.out.contains("planted"), "{provider:?}");
    let world = World::logged_in();
    let good = world.ask(&["doctor"]).good();
    assert!(good.out.contains("answers (HTTP 404)"), "{good:?}");
    let path = world.path("store/credentials.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let report = world.ask(&["doctor", "--json"]);
    assert_eq!(report.code, 1);
    let bad: Vec<_> = report.json().as_array().unwrap().clone();
    let bad = bad.iter().filter(|check| check["ok"] == false);
    assert_eq!(
        bad.map(|check| &check["check"]).collect::<Vec<_>>(),
        ["file"]
    );
    fs::write(&path, "{\"profiles\": [").unwrap();
    let report = world.ask(&["doctor"]);
    assert!(report.out.contains("repair or remove it"), "{}", report.out);
    let away = program(&["credentials", "doctor", "--token-url", "http://127.0.0.1:1"]);
    let mut away = away;
    let away = run(away.env("PAN_CREDENTIALS_DBFILE", &path));
    assert!(away.out.contains("server"), "{away:?}");
    assert_eq!(away.code, 1);
}

#[test]
#[cfg(unix)]
fn generate_asks_for_three_values_that_are_not_shown_and_remove_asks_again() {
    use crate::prompt::AtTerminal;

    let world = World::new();
    let generate = |profile: &str, named: &str, decision: &str| {
        let mut terminal = AtTerminal::start(&mut world.command(&["generate"]));
        terminal.answers("CLIENT_ID: ", "an-id");
        terminal.answers("CLIENT_SECRET: ", "s3cr3t");
        terminal.answers("REFRESH_TOKEN: ", "r3fr3sh");
        terminal.answers("PROFILE [default]: ", profile);
        terminal.asked(&format!("Write credentials to PROFILE '{named}' [Y/N]? "));
        terminal.types(&format!("{decision}\n"))
    };
    let (code, out, _, shown) = generate("", "default", "n");
    assert_eq!((code, out.contains("aborted")), (Some(0), true), "{out}");
    for value in ["an-id", "s3cr3t", "r3fr3sh"] {
        assert!(!shown.contains(value), "{shown}");
    }
    assert!(!world.path("store").exists());
    let (code, out, ..) = generate("dev", "dev", "perhaps\nY");
    assert_eq!((code, &*out), (Some(0), "Done!\n"));
    let document = &world.stored()["profiles"]["1"];
    assert_eq!(
        (
            &document["profile"],
            &document["client_id"],
            &document["client_secret"],
            &document["refresh_token"]
        ),
        (
            &json!("dev"),
            &json!("an-id"),
            &json!("s3cr3t"),
            &json!("r3fr3sh")
        )
    );

    let remove = |decision: &str| {
        let mut terminal = AtTerminal::start(&mut world.command(&["remove"]));
        terminal.answers("PROFILE to remove: ", "dev");
        terminal.asked("Delete PROFILE 'dev' [Y/N]? ");
        terminal.types(&format!("{decision}\n"))
    };
    let mut unknown = AtTerminal::start(&mut world.command(&["remove"]));
    unknown.answers("PROFILE to remove: ", "absent");
    unknown.asked("Delete PROFILE 'absent' [Y/N]? ");
    let (code, out, ..) = unknown.types("y\n");
    assert_eq!((code, &*out), (Some(0), "PROFILE 'absent' not found.\n"));
    let mut unnamed = AtTerminal::start(&mut world.command(&["remove"]));
    unnamed.asked("PROFILE to remove: ");
    let (code, out, ..) = unnamed.types("\n");
    assert_eq!(
        (code, &*out),
        (Some(0), "Must specify a PROFILE to remove.\n")
    );
    assert_eq!(remove("n").0, Some(0));
    assert_eq!(world.stored()["profiles"]["1"]["profile"], "dev");
    assert_eq!(remove("y").0, Some(0));
    assert_eq!(world.stored()["profiles"], json!({}));

    let mut given_up = AtTerminal::start(&mut world.command(&["generate"]));
    given_up.asked("CLIENT_ID: ");
    let (code, _, err, _) = given_up.types("half\x03");
    assert_eq!(code, Some(2), "{err}");
    let piped = world.ask(&["generate"]).bad(2);
    assert!(piped.err.contains("no terminal"), "{piped:?}");
}
