//! `vouchsafe ticket`: from a key to a checked ticket, and what none of it may show.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vouchsafe::core::mock::Serving;
use vouchsafe::ticket::protocol::Blob;
use vouchsafe::ticket::protocol::blob::join_roles;
use vouchsafe::ticket::{BlackboxEnv, TvmId, Uid, mock};

use crate::support::{Run, program, run, run_with_input};

/// A folder with a key for service tickets and tickets of `Test`, and its container.
struct Workshop {
    folder: TempDir,
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workshop = Self { folder };
        let (key, keys) = (workshop.path("key"), workshop.path("keys"));
        let arguments = ["--bits", "1024", "--id", "7", "--service", "--env", "test"];
        let made = workshop.ticket(
            &[
                &["keygen", "--out", &key, "--container", &keys],
                &arguments[..],
            ]
            .concat(),
        );
        assert!(made.good().out.contains("key 7 in "));
        workshop
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    fn ticket(&self, arguments: &[&str]) -> Run {
        run(&mut program(&[&["ticket"], arguments].concat()))
    }

    fn mint(&self, arguments: &[&str]) -> String {
        let key = self.path("key");
        let made = self.ticket(&[&["mint"], arguments, &["--key", &key]].concat());
        made.good().out.trim_end().to_owned()
    }

    fn check(&self, ticket: &str, arguments: &[&str]) -> (i32, Value) {
        let keys = self.path("keys");
        let words = ["check", ticket, "--keys", &keys, "--json"];
        let done = self.ticket(&[&words, arguments].concat());
        assert_eq!(done.err, "", "{done:?}");
        (done.code, done.json())
    }
}

fn signature(ticket: &str) -> &str {
    let signature = ticket.rsplit(':').next().unwrap();
    assert!(signature.len() > 100, "{ticket}");
    &signature[..20]
}

#[test]
fn a_minted_ticket_is_good_for_its_destination_and_says_so_by_the_exit_code() {
    let shop = Workshop::new();
    let ticket = shop.mint(&["service", "-s", "41", "-d", "42", "--expires-in", "1h"]);
    for (arguments, code, status, why) in [
        (&["--dst", "42"][..], 0, "Ok", "signed with key 7"),
        (&[], 0, "Ok", "any destination"),
        (
            &["--dst", "43"],
            1,
            "InvalidDst",
            "it is for 42, not for 43",
        ),
        (&["--now", "2100-01-01"], 2, "", ""),
        (&["--now", "2100-01-01T00:00:00Z"], 1, "Expired", "EXPIRED"),
    ] {
        if code == 2 {
            let keys = shop.path("keys");
            let words = ["check", &ticket, "--keys", &keys];
            assert_eq!(shop.ticket(&[&words, arguments].concat()).code, 2);
            continue;
        }
        let (got, value) = shop.check(&ticket, arguments);
        assert_eq!(
            (got, value["status"].as_str()),
            (code, Some(status)),
            "{value}"
        );
        assert!(value["why"].as_str().unwrap().contains(why), "{value}");
        assert_eq!(value["ok"], json!(code == 0));
        assert_eq!(value["says"]["src"], 41);
    }
    let changed = ticket.replacen("serv:C", "serv:D", 1);
    assert_ne!(changed, ticket);
    assert_eq!(shop.check(&changed, &[]).0, 1);
}

#[test]
fn a_user_ticket_is_judged_in_its_environment_unless_another_is_wanted() {
    let shop = Workshop::new();
    let ticket = shop.mint(&[
        "user",
        "-d",
        "5",
        "--uid",
        "5",
        "--uid",
        "6",
        "--scope",
        "a",
        "--login-id",
        "l",
        "--location",
        "3",
        "--device-type",
        "4",
    ]);
    let (code, value) = shop.check(&ticket, &[]);
    assert_eq!((code, &value["status"]), (0, &json!("Ok")));
    let says = &value["says"];
    assert_eq!(says["expires"], json!(null), "for ever is no date");
    assert_eq!(says["entry_point"], 1_234_567_890);
    assert_eq!(says["users"][1]["uid"], 6);
    assert_eq!(
        (&says["location"], &says["device_type"]),
        (&json!(3), &json!(4))
    );
    assert_eq!(says["login_id"], "l");

    // The container has no key for that environment, so nothing can be said of the ticket.
    let keys = shop.path("keys");
    let other = ["check", &ticket, "--keys", &keys, "--env", "prod"];
    assert!(shop.ticket(&other).bad(1).err.contains("Empty TVM keys"));

    let key = shop.path("other");
    let more = [
        "keygen",
        "--out",
        &key,
        "--container",
        &keys,
        "--env",
        "prod",
        "--bits",
        "1024",
    ];
    shop.ticket(&more).good();
    let (code, value) = shop.check(&ticket, &["--env", "prod"]);
    assert_eq!(
        (code, &value["why"]),
        (1, &json!("it is of Test, not of Prod"))
    );
}

#[test]
fn a_ticket_in_a_file_takes_the_place_of_none() {
    let shop = Workshop::new();
    let (key, ticket) = (shop.path("key"), shop.path("ticket"));
    let mint = [
        "mint", "service", "-s", "1", "-d", "2", "--key", &key, "--out", &ticket,
    ];
    shop.ticket(&mint).good();
    let before = std::fs::read_to_string(&ticket).unwrap();
    assert_eq!(shop.check(before.trim(), &[]).0, 0);

    let again = shop.ticket(&mint).bad(2);
    assert!(again.err.contains("exists"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&ticket).unwrap(), before);
}

#[test]
fn a_key_joins_a_container_unless_its_number_is_taken() {
    let shop = Workshop::new();
    let (keys, key) = (shop.path("keys"), shop.path("second"));
    let before = std::fs::read_to_string(&keys).unwrap();
    let second = [
        "keygen",
        "--out",
        &key,
        "--container",
        &keys,
        "--bits",
        "1024",
    ];
    let refused = shop.ticket(&[&second[..], &["--id", "7"]].concat()).bad(2);
    assert!(refused.err.contains("key 7 for service"), "{refused:?}");
    assert!(!Path::new(&key).exists());
    assert_eq!(std::fs::read_to_string(&keys).unwrap(), before);

    shop.ticket(&[&second[..], &["--id", "8"]].concat()).good();
    let old = shop.mint(&["service", "-s", "1", "-d", "2"]);
    let made = shop
        .ticket(&["mint", "service", "-s", "1", "-d", "2", "--key", &key])
        .good();
    for ticket in [&old, made.out.trim()] {
        assert_eq!(shop.check(ticket, &[]).0, 0);
    }
    let renamed = shop.mint(&["service", "-s", "1", "-d", "2", "--key-id", "9"]);
    let why = shop.check(&renamed, &[]).1["why"].clone();
    assert_eq!(why, "it names key 9; the available keys are 7, 8");

    let again = shop.ticket(&["keygen", "--out", &key]).bad(2);
    assert!(again.err.contains("exists"), "{again:?}");
}

#[cfg(unix)]
#[test]
fn a_private_key_is_its_owners_alone_and_never_printed() {
    use std::os::unix::fs::PermissionsExt as _;

    let shop = Workshop::new();
    let key = shop.path("printed");
    let made = shop
        .ticket(&["keygen", "--out", &key, "--bits", "1024"])
        .good();
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(made.out.starts_with("1:"), "the container is: {made:?}");
    let text = std::fs::read_to_string(&key).unwrap();
    let secret = &text[text.len() - 60..text.len() - 20];
    assert!(!made.out.contains(secret));
    let wrong = shop.ticket(&[
        "mint",
        "service",
        "-s",
        "1",
        "-d",
        "2",
        "--key",
        &shop.path("keys"),
    ]);
    assert!(wrong.bad(2).err.contains("not a key file"));
}

#[test]
fn inspect_reads_a_ticket_from_anywhere_and_shows_no_signature() {
    let shop = Workshop::new();
    let ticket = shop.mint(&["service", "-s", "41", "-d", "42", "--scope", "s\u{1b}[2J"]);
    let file = shop.path("ticket");
    std::fs::write(&file, format!("  {ticket}\n")).unwrap();
    let from_argument = shop.ticket(&["inspect", &ticket]).good();
    let from_file = shop.ticket(&["inspect", "--ticket-file", &file]).good();
    let as_older_tools = shop.ticket(&["parse_ticket", "-t", &ticket]).good();
    for arguments in [&["ticket", "inspect", "-"][..], &["ticket", "inspect"]] {
        let from_input = run_with_input(&mut program(arguments), &format!("{ticket}\n")).good();
        assert_eq!(from_input.out, from_argument.out);
    }
    assert_eq!(from_file.out, from_argument.out);
    assert_eq!(as_older_tools.out, from_argument.out);
    for part in [
        "service",
        "41",
        "42",
        "never",
        "128 bytes, not shown",
        "ticket_type=serv;",
    ] {
        assert!(
            from_argument.out.contains(part),
            "{part}: {from_argument:?}"
        );
    }
    let json = shop.ticket(&["inspect", &ticket, "--json"]).good();
    assert_eq!(json.json()["key_id"], 7);
    for shown in [from_argument, json] {
        assert!(!shown.out.contains(signature(&ticket)), "{shown:?}");
        assert!(!shown.out.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn inspect_explains_what_is_wrong_with_a_ticket() {
    let shop = Workshop::new();
    let ticket = shop.mint(&["service", "-s", "41", "-d", "42"]);
    let redacted = &ticket[..=ticket.rfind(':').unwrap()];
    for (text, fault) in [
        (redacted, "there is no signature"),
        (&ticket[..15], "breaks off"),
        ("3:serv", "there is no payload"),
        ("hello", "a ticket begins with 3:"),
    ] {
        let seen = shop.ticket(&["inspect", text]).good();
        assert!(seen.out.contains(fault), "{text}: {seen:?}");
    }
    let seen = shop.ticket(&["inspect", redacted, "--json"]).good().json();
    assert_eq!(
        (&seen["src"], &seen["form"]),
        (&json!(41), &json!("Malformed"))
    );
}

#[test]
fn no_message_repeats_the_signature_of_a_ticket_in_the_arguments() {
    let shop = Workshop::new();
    let ticket = shop.mint(&["service", "-s", "41", "-d", "42"]);
    let glued = format!("--now={ticket}");
    for arguments in [
        &["inspect", "x", &ticket][..],
        &["inspect", "x", &glued],
        &["check", &ticket],
        &["check", "x", "--keys", &ticket],
        &["nonesuch", &ticket],
        &[&ticket],
    ] {
        for more in [&[][..], &["--json"], &["-vv"]] {
            let run = shop.ticket(&[arguments, more].concat());
            assert_eq!((run.code, run.out.as_str()), (2, ""), "{run:?}");
            assert!(
                !run.err.is_empty() && !run.err.contains(signature(&ticket)),
                "{run:?}"
            );
        }
    }
}

const ROLES: &str = r#"{"revision":"r1","born_date":86400,"tvm":{"42":{"/write/":[{"a":"b","c":"d"},{}],
    "/read/":[{"kind":"x"}]},"43":{}},"user":{"7":{"/admin/":[{}]}}}"#;

#[test]
fn roles_are_shown_from_a_document_and_from_a_disk_cache() {
    let shop = Workshop::new();
    let (document, cached) = (shop.path("roles.json"), shop.path("roles"));
    std::fs::write(&document, ROLES).unwrap();
    std::fs::write(
        &cached,
        &*Blob::pack(5, join_roles(ROLES, "our system").as_bytes()),
    )
    .unwrap();
    let plain = shop
        .ticket(&["roles", "show", &document, "--json"])
        .good()
        .json();
    let of_cache = shop
        .ticket(&["roles", "show", &cached, "--json"])
        .good()
        .json();
    assert_eq!(plain["subjects"], of_cache["subjects"]);
    assert_eq!(
        (&plain["system"], &of_cache["system"]),
        (&json!(null), &json!("our system"))
    );
    assert_eq!(plain["born"], "1970-01-02T00:00:00Z");
    assert_eq!(
        plain["subjects"][0]["roles"]["/write/"][0],
        json!({"a": "b", "c": "d"})
    );
    assert_eq!(
        plain["subjects"][2],
        json!({"type": "user", "id": 7, "roles": {"/admin/": [{}]}})
    );

    let table = shop
        .ticket(&["roles", "show", &document, "--service", "42"])
        .good()
        .out;
    assert!(
        table.contains("a=b, c=d") && !table.contains("/admin/"),
        "{table}"
    );

    std::fs::write(&cached, b"no cache").unwrap();
    let broken = shop.ticket(&["roles", "show", &cached]).bad(2);
    assert!(broken.err.contains("neither a document nor"), "{broken:?}");
}

#[test]
fn a_role_is_checked_by_the_exit_code_and_explained() {
    let shop = Workshop::new();
    let document = shop.path("roles.json");
    std::fs::write(&document, ROLES).unwrap();
    let check = |who: &[&str], more: &[&str]| {
        shop.ticket(&[&["roles", "check", &document], who, more].concat())
    };
    let service = ["--service", "42", "--role"];
    for (who, more, code, why) in [
        (&service[..], &["/write/"][..], 0, "has /write/"),
        (
            &service,
            &["/write/", "--attr", "c=d", "--attr", "a=b"],
            0,
            "a=b, c=d",
        ),
        (
            &service,
            &["/write/", "--attr", "a=b"],
            1,
            "but only with a=b, c=d",
        ),
        (&service, &["/admin/"], 1, "does not have /admin/"),
        (
            &["--uid", "7", "--role"],
            &["/admin/"],
            0,
            "user 7 has /admin/",
        ),
        (
            &["--uid", "8", "--role"],
            &["/admin/"],
            1,
            "not in the document",
        ),
    ] {
        let run = check(who, more);
        assert_eq!((run.code, run.err.as_str()), (code, ""), "{run:?}");
        assert!(run.out.contains(why), "{run:?}");
        let json = check(who, &[more, &["--json"]].concat()).json();
        assert_eq!(json["allowed"], json!(code == 0));
    }
    assert_eq!(check(&["--role", "/x/"], &[]).code, 2);
}

/// An authority over a socket.
struct Played {
    server: mock::Server,
    serving: Serving,
    _runtime: Runtime,
}

impl Played {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = mock::Server::new();
        server.add_service(TvmId::new(42), "me");
        let serving = server.host().serve(([127, 0, 0, 1], 0).into());
        let serving = runtime.block_on(serving).unwrap();
        Self {
            server,
            serving,
            _runtime: runtime,
        }
    }
}

#[test]
fn tickets_are_checked_with_the_keys_of_tvm_api() {
    let played = Played::new();
    let url = played.serving.url();
    let service = played
        .server
        .mint_service(TvmId::new(41), TvmId::new(42))
        .unwrap();
    let user = played
        .server
        .mint_user(BlackboxEnv::Prod, &[Uid::new(5)])
        .unwrap();
    let check = |ticket: &str, more: &[&str]| {
        let words = ["ticket", "check", "--tvm-api", &url, "--json", "-"];
        run_with_input(&mut program(&[&words, more].concat()), ticket)
    };
    let good = check(service.expose(), &["--self", "42"]).good();
    assert_eq!(good.json()["says"]["src"], 41);
    check(user.expose(), &["--self", "42"]).good();
    let other = check(service.expose(), &["--dst", "43"]);
    assert_eq!(
        (other.code, &other.json()["status"]),
        (1, &json!("InvalidDst"))
    );
    let env = check(user.expose(), &["--self", "42", "--env", "test"]);
    assert_eq!(
        (env.code, &env.json()["why"]),
        (1, &json!("it is of Prod, not of Test"))
    );
    let late = check(
        service.expose(),
        &["--self", "42", "--now", "2100-01-01T00:00:00Z"],
    );
    assert_eq!((late.code, &late.json()["status"]), (1, &json!("Expired")));
    assert_eq!(check(service.expose(), &[]).code, 2);
    for shown in [good, other, late] {
        assert!(
            !shown.out.contains(signature(service.expose())),
            "{shown:?}"
        );
    }
}

#[test]
fn tickets_are_checked_with_what_tvmtool_knows_and_its_token_stays_secret() {
    let played = Played::new();
    let url = played.serving.url();
    let ticket = played
        .server
        .mint_service(TvmId::new(41), TvmId::new(42))
        .unwrap();
    let token = played.server.tool_token();
    let words = [
        "ticket",
        "check",
        ticket.expose(),
        "--tvmtool",
        &url,
        "--self",
        "me",
        "-vv",
    ];
    let good = run(program(&words).env("TVMTOOL_LOCAL_AUTHTOKEN", token.expose()));
    assert_eq!(good.code, 0, "{good:?}");
    assert!(good.out.contains("for the right destination"), "{good:?}");
    let refused = run(program(&words).env("TVMTOOL_LOCAL_AUTHTOKEN", "wrong"));
    assert_eq!(refused.code, 1, "{refused:?}");
    let unset = run(&mut program(&words));
    assert_eq!(unset.code, 2, "{unset:?}");
    assert!(unset.err.contains("--token-file"), "{unset:?}");
    for shown in [good, refused, unset] {
        for secret in [token.expose(), signature(ticket.expose())] {
            assert!(
                !shown.err.contains(secret) && !shown.out.contains(secret),
                "{shown:?}"
            );
        }
    }
}
