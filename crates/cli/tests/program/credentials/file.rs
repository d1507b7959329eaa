//! The file of credentials: which one, who can read it, and its repair.

use std::fs;

use serde_json::json;

use super::World;
use crate::support::run;

#[test]
fn an_option_comes_before_what_the_document_of_init_says() {
    let world = World::new();
    let named = world.path("store/named.json");
    let document = json!({
        "client_id": "app", "client_secret": "s", "refresh_token": "r",
        "profile": "of-document", "storage_params": {"dbfile": named},
    });
    let from = world.file("cred-init.json", &document.to_string());
    let given = world.path("store/given.json");
    let (file, profile) = (["--file", given.to_str().unwrap()], ["--profile", "given"]);
    let first = ["init", "--from", &from, "--write", "--json"];
    for (options, place, name) in [
        (&[][..], &named, "of-document"),
        (&file, &given, "of-document"),
        (&profile, &named, "given"),
        (&[file, profile].concat(), &given, "given"),
        (&["--profile", ""], &named, "of-document"),
    ] {
        let _ = fs::remove_dir_all(world.path("store"));
        // As in `pancloud`, variables come last.
        let mut command = world.command(&[&first[..], options].concat());
        let wrote = run(command.env("PAN_PROFILE", "of-environment"));
        let wrote = wrote.good().json();
        assert_eq!(
            (&wrote["file"], &wrote["profile"]),
            (&json!(place), &json!(name)),
            "{options:?}"
        );
        let text = fs::read_to_string(place).unwrap();
        assert!(text.contains(&format!("\"profile\": \"{name}\"")), "{text}");
    }
    let mut old = world.command(&["-C", "--R0", &from, "--write", "--profile", "given"]);
    assert_eq!(run(&mut old).code, 0);
    let text = fs::read_to_string(&named).unwrap();
    assert!(text.contains("\"profile\": \"given\""), "{text}");

    for (params, told) in [
        (json!({"dbfile": 5}), "dbfile of storage_params is not text"),
        (json!("named.json"), "storage_params is not an object"),
        (json!([]), "storage_params is not an object"),
    ] {
        let odd = json!({"client_id": "app", "storage_params": params});
        let odd = world.file("odd.json", &odd.to_string());
        let refused = world.ask(&["init", "--from", &odd, "--write"]).bad(2);
        assert!(refused.err.contains(told), "{refused:?}");
    }
    // An empty path counts as missing.
    let mut empty = json!({"client_id": "app", "client_secret": "s", "refresh_token": "r"});
    empty["storage_params"] = json!({"dbfile": ""});
    let empty = world.file("empty.json", &empty.to_string());
    let wrote = world.ask(&["init", "--from", &empty, "--write", "--json"]);
    let path = world.path("store/credentials.json");
    assert_eq!(wrote.good().json()["file"], json!(path));
    assert!(path.exists());
}

#[test]
#[cfg(unix)]
fn a_file_that_others_can_read_is_warned_about_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::logged_in();
    let path = world.path("store/credentials.json");
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    world.ask(&["get"]).good();
    for mode in [0o644, 0o640, 0o604] {
        set(mode);
        // It reads the file twice.
        let warned = world.ask(&["get"]);
        assert_eq!(warned.code, 0, "{warned:?}");
        let lines: Vec<_> = warned.err.lines().collect();
        let [line] = lines[..] else {
            panic!("{warned:?}");
        };
        let told = "other users can read the credentials; run chmod go-r";
        assert!(line.contains("WARN") && line.contains(told), "{line}");
        assert!(line.contains(&format!("{mode:04o}")), "{line}");
    }
    set(0o600);
    world.ask(&["get"]).good();
}

#[test]
fn a_damaged_file_is_repaired_with_what_was_last_read() {
    let empty = World::new();
    let nothing = empty.ask(&["repair"]).good();
    assert!(nothing.out.contains("is not damaged"), "{nothing:?}");
    assert!(!empty.path("store").exists());

    let world = World::logged_in();
    let path = world.path("store/credentials.json");
    let before = fs::read_to_string(&path).unwrap();
    let sound = world.ask(&["repair", "--json"]).good().json();
    assert_eq!(sound["repaired"], false);
    // As `pancloud` rotates the token, in place, and adds a profile.
    let rotated = before
        .replace(world.secret("refresh_token"), "r0tated")
        .replace(
            "\"profiles\": {",
            "\"profiles\": {\"9\": {\"profile\": \"theirs\", \"refresh_token\": \"t\"},",
        );
    fs::write(&path, &rotated).unwrap();
    world.ask(&["list"]).good();
    fs::write(&path, &rotated[..rotated.len() / 2]).unwrap();
    let refused = world.ask(&["list", "--json"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let error = refused.error();
    assert_eq!(error["kind"], "store_corrupt");
    assert!(
        error.to_string().contains("vouchsafe credentials repair"),
        "{error}"
    );
    let repaired = world.ask(&["repair"]).good();
    assert!(
        repaired.out.contains("has its last good content again"),
        "{repaired:?}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), rotated);
    let kept = fs::read_to_string(world.path("store/credentials.json.damaged")).unwrap();
    assert_eq!(kept, rotated[..rotated.len() / 2]);

    fs::remove_file(world.path("store/credentials.json.bak")).unwrap();
    fs::write(&path, "{").unwrap();
    let lost = world.ask(&["repair"]).bad(1);
    assert!(lost.err.contains("there is no good content in"), "{lost:?}");
    assert!(!lost.err.contains("credentials repair"), "{lost:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    // A single value of the wrong type is not for a repair, which would bring back old tokens.
    fs::write(&path, before.replace("\"app\"", "5")).unwrap();
    let left = world.ask(&["repair"]).bad(1);
    assert!(
        left.err.contains("client_id of document 1 is not text"),
        "{left:?}"
    );
    assert!(!left.err.contains("repair"), "{left:?}");
    for command in ["list", "get", "token", "refresh"] {
        let refused = world.ask(&[command, "--json"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert_eq!(refused.error()["kind"], "store_corrupt");
        assert!(!refused.err.contains("repair"), "{refused:?}");
        assert!(
            refused.err.contains("correct the file by hand"),
            "{refused:?}"
        );
    }
    let report = world.ask(&["doctor"]);
    assert!(!report.out.contains("repair"), "{}", report.out);
}

#[test]
fn a_file_without_profiles_is_not_called_good_beside_a_copy_that_has_some() {
    let world = World::logged_in();
    let path = world.path("store/credentials.json");
    let good = fs::read_to_string(&path).unwrap();
    for (there, told) in [
        (Some(""), "is empty"),
        (Some("{\"profiles\": {}}"), "has no profiles"),
        (None, "is missing"),
    ] {
        match there {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let repaired = world.ask(&["repair"]).good();
        let copy = "credentials.json.bak has profiles";
        assert!(
            repaired.out.contains(told) && repaired.out.contains(copy),
            "{repaired:?}"
        );
        let repaired = world.ask(&["repair", "--json"]).good().json();
        assert_eq!(
            (&repaired["repaired"], &repaired["has_lost_profiles"]),
            (&json!(false), &json!(true))
        );
        let kept = fs::read_to_string(world.path("store/credentials.json.bak")).unwrap();
        assert_eq!(kept, good);
    }
}
