//! Playing tvmtool, tvm-api and tirole.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Played, http, http_with, program, run};

const CONFIG: &str = r#"{"BbEnvType":1,"clients":{
    "main":{"self_tvm_id":42,"secret":"bAicxJVa5uVY7MjDlapthw","roles_for_idm_slug":"slug",
            "dsts":{"he":{"dst_id":100500},"me":{"dst_id":42}}},
    "he":{"self_tvm_id":100500,"secret":"e5kL0vM3nP-nPf-388Hi6Q","dsts":{"main":{"dst_id":42}}}}}"#;

/// Makes a command that plays services until this process is done with it.
fn serve(arguments: &[&str]) -> Command {
    let mut command = program(&["serve", "--until-stdin-closes"]);
    command.args(arguments);
    command
}

fn url<'p>(played: &'p Played, name: &str) -> &'p str {
    played.ready["services"][name]["url"].as_str().unwrap()
}

fn token<'p>(played: &'p Played, of: &str, name: &str) -> &'p str {
    played.ready["tokens"][of][name].as_str().unwrap()
}

#[test]
fn tvmtool_is_what_its_configuration_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tvmtool.json");
    std::fs::write(&config, CONFIG).unwrap();
    let played = Played::start(&mut serve(&[
        "--service",
        "tvmtool=0",
        "--config",
        config.to_str().unwrap(),
        "--tvmtool-files",
        folder.path().to_str().unwrap(),
    ]));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let tool = format!("http://127.0.0.1:{}", read("tvmtool.port"));
    assert_eq!(tool, url(&played, "tvmtool"));
    let given = read("tvmtool.authtoken");
    assert_eq!(given, token(&played, "tvmtool", "authtoken"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let path = folder.path().join("tvmtool.authtoken");
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let ask = |path: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("Authorization", given.as_str())];
        all.extend(headers);
        let (status, body) = http_with(&tool, "GET", path, &all, "");
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap_or(body.into()),
        )
    };
    let (status, meta) = ask("/tvm/private_api/__meta__", &[]);
    assert_eq!((status, &meta["bb_env"]), (200, &json!("Test")));
    let (status, tickets) = ask("/tvm/tickets?src=he&dsts=main", &[]);
    assert_eq!(status, 200, "{tickets}");
    let ticket = tickets["main"]["ticket"].as_str().unwrap();
    let (status, checked) = ask("/tvm/checksrv?dst=main", &[("X-Ya-Service-Ticket", ticket)]);
    assert_eq!(
        (status, &checked["src"], &checked["dst"]),
        (200, &json!(100_500), &json!(42))
    );
    let user = token(&played, "tvmtool", "user_ticket");
    let (status, checked) = ask("/tvm/checkusr", &[("X-Ya-User-Ticket", user)]);
    assert_eq!(
        (status, &checked["uids"]),
        (200, &json!([2001, 2002])),
        "{checked}"
    );
    assert_eq!(http(&tool, "GET", "/tvm/keys", "").0, 401);
}

#[test]
fn servers_of_tickets_that_are_served_together_are_of_one_world() {
    let played = Played::start(&mut serve(&[
        "--service",
        "tvmtool=0",
        "--service",
        "tvm-api=0",
        "--service",
        "tirole",
        "--service",
        "userinfo=0",
    ]));
    let urls = ["tvmtool", "tvm-api", "tirole", "userinfo"].map(|name| url(&played, name));
    for (at, one) in urls.iter().enumerate() {
        assert!(!urls[..at].contains(one), "{urls:?}");
    }
    let authorization = [("Authorization", token(&played, "tvmtool", "authtoken"))];
    let of_tool = http_with(urls[0], "GET", "/tvm/keys", &authorization, "");
    let of_api = http_with(urls[1], "GET", "/2/keys?lib_version=x", &[], "");
    assert_eq!(of_tool, of_api);
    assert!(of_api.1.starts_with("1:"), "{of_api:?}");
    assert_eq!(http(urls[2], "GET", "/v1/get_actual_roles", "").0, 401);
    // The built-in world has secrets for clients of tvm-api.
    assert_eq!(token(&played, "tvm-api", "shop").len(), 22);

    let management = played.ready["management"].as_str().unwrap();
    for name in ["tvmtool", "tvm-api", "tirole"] {
        let own = &played.ready["services"][name]["management"];
        assert_eq!(*own, format!("{management}/ticket"));
    }
    let (origin, _) = management.split_once("/_mock").unwrap();
    let (_, journal) = http(origin, "GET", "/_mock/ticket/journal", "");
    assert_eq!(journal["requests"].as_array().unwrap().len(), 3);
}

#[test]
fn the_token_of_tvmtool_and_the_roles_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = path("tvmtool.json", CONFIG);
    let document = r#"{"revision":"r7","born_date":1,"tvm":{},"user":{}}"#;
    let roles = format!("slug={}", path("roles.json", document));
    let arguments = [
        "--service",
        "tvmtool",
        "--config",
        &config,
        "--roles",
        &roles,
    ];
    let mut command = serve(&arguments);
    command.args(["--tvmtool-token-env", "T"]);
    let played = Played::start(command.env("T", "chosen-by-the-test\n"));
    assert_eq!(token(&played, "tvmtool", "authtoken"), "chosen-by-the-test");
    let authorization = [("Authorization", "chosen-by-the-test")];
    let tool = url(&played, "tvmtool");
    let answer = http_with(tool, "GET", "/v2/roles?self=main", &authorization, "");
    assert_eq!(answer, (200, document.to_owned()));

    let file = path("token", "from a file");
    for (more, expected) in [
        (["--tvmtool-token-file", &file], "not valid in a header"),
        (["--tvmtool-token-env", "NOT_SET"], "NOT_SET is not set"),
        (["--tvmtool-files", "/no/such/folder"], "/no/such/folder"),
        (["--roles", "slug=/no/such/file"], "/no/such/file"),
        (["--roles", &format!("slug={config}")], "tvmtool.json"),
    ] {
        let refused = run(serve(&arguments[..4]).args(more)).bad(2);
        assert!(refused.err.contains(expected), "{refused:?}");
        assert!(!refused.err.contains("from a file"), "{refused:?}");
    }
}

#[test]
fn options_of_what_is_not_served_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tvmtool.json");
    std::fs::write(
        &config,
        CONFIG.replace("\"BbEnvType\":1", "\"BbEnvType\":9"),
    )
    .unwrap();
    let config = config.to_str().unwrap();
    for (arguments, expected) in [
        (["userinfo", "--config", config], "--seed FILE#CONFIG"),
        (["tvm-api", "--tvmtool-files", "."], "--tvmtool-files"),
        (["tvmtool", "--seed", config], "--config"),
        (["tvmtool", "--config", "/no/such/file"], "/no/such/file"),
        (["tvmtool", "--config", config], "BbEnvType is 9"),
    ] {
        let refused = run(serve(&["--service"]).args(arguments)).bad(2);
        assert!(refused.err.contains(expected), "{refused:?}");
    }
}
