use serde_json::json;

use super::*;

fn world() -> Value {
    let token = |name: &str, config: &str, more: Value| {
        let mut token = json!({
            "name": name, "config": config, "username": "kim", "token_type": "user",
            "token": Token::random().secret().expose()
        });
        for (key, value) in more.as_object().unwrap() {
            token[key] = value.clone();
        }
        token
    };
    json!({
        "base_hostname": "h.example.org",
        "configs": {
            "one": {"directory": true, "known_scopes": ["a"], "quota": {"bypass": ["g"]}},
            "down": {"same_as": "one", "directory": "unreachable", "shares_tokens_with": "one"},
            "bare": {"same_as": "one", "quota": null},
            "loop": {"same_as": "loop"},
            "rep": {
                "document": {"services": {"internal": {"gafaelfawr": {"url": "u"}}}},
                "path_prefix": "/r", "influxdb_passwords": {"db": ["user", "planted-password"]}
            }
        },
        "directory": {
            "users": [{"username": "kim", "uid": 5}],
            "groups": [{"name": "g", "gid": 9, "members": ["kim"]}]
        },
        "tokens": [
            token("own", "one", json!({"expires": "2050-01-01T00:00:00Z"})),
            token("gone", "one", json!({"special": "revoked long ago"})),
            token("other", "bare", json!({})),
            token("root", "*", json!({"username": "<bootstrap>"}))
        ]
    })
}

fn seed(config: &str) -> Seed {
    Seed::parse(&world().to_string(), config).unwrap()
}

#[test]
fn configurations_take_from_others_and_share_tokens_only_if_they_say_so() {
    let down = seed("down");
    assert_eq!(down.state.access, DirectoryAccess::Down);
    assert!(down.state.quota.is_some() && down.state.bootstrap.is_some());
    assert!(down.named.contains_key("own") && !down.named.contains_key("other"));
    let bare = seed("bare");
    assert_eq!(bare.state.quota, None);
    assert!(bare.state.known_scopes.contains("a"));
    assert!(!bare.named.contains_key("own"));
}

#[test]
fn a_revoked_token_has_a_name_and_no_life() {
    let one = seed("one");
    let is_alive = |name: &str| one.state.tokens.alive(one.named[name].key(), 0).is_some();
    assert!(is_alive("own") && !is_alive("gone"));
}

#[test]
fn a_gafaelfawr_is_served_with_a_document_that_leads_to_it() {
    let one = seed("one").state.repertoire;
    assert_eq!(one.prefix, "/r");
    let mut world = world();
    world["configs"].as_object_mut().unwrap().remove("rep");
    let made = Seed::parse(&world.to_string(), "one")
        .unwrap()
        .state
        .repertoire;
    let url = &made.document["services"]["internal"]["gafaelfawr"]["versions"]["v1"]["url"];
    assert_eq!(url, "https://h.example.org/auth/api/v1");
}

#[test]
fn what_makes_no_url_is_refused() {
    for (pointer, bad) in [
        ("/base_hostname", "user@host"),
        ("/base_hostname", "a b"),
        ("/configs/rep/path_prefix", "r"),
        ("/configs/rep/path_prefix", "/"),
        ("/configs/rep/path_prefix", "/r?q"),
    ] {
        let mut world = world();
        *world.pointer_mut(pointer).unwrap() = json!(bad);
        assert!(Seed::parse(&world.to_string(), "one").is_err(), "{bad}");
    }
}

#[test]
fn an_error_names_its_position() {
    for (text, told) in [
        (
            "",
            "not a world: line 1, column 0: not JSON: EOF while parsing a value",
        ),
        ("{}", "missing field base_hostname"),
        (
            r#"{"base_hostname": 5}"#,
            "base_hostname: expected a string",
        ),
        (
            r#"{"base_hostname": "h", "configs": {"a": 5}}"#,
            "configs.a: expected",
        ),
        (
            r#"{"base_hostname": "h", "configs": {"a": {"known_scopes": "x"}}}"#,
            "line 1, column 60: configs.a.known_scopes: expected a sequence",
        ),
        (
            r#"{"base_hostname": "h", "configs": {"a": {"document": 5}}}"#,
            "configs.a.document: expected a map",
        ),
        (
            r#"{"base_hostname": "h", "configs": {"a": {"directory": "elsewhere"}}}"#,
            "configs.a.directory: a value of the wrong form",
        ),
        (
            r#"{"base_hostname": "h", "configs": {"a": {"quotas": {}}}}"#,
            "configs.a.quotas: unknown field; there is: same_as",
        ),
        (
            r#"{"base_hostname": "h", "configs": {}, "directory": {"users": [{"nmae": "planted"}]}}"#,
            "directory.users[0].nmae: unknown field; there is: username, name",
        ),
    ] {
        let error = Seed::parse(text, None).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn errors_about_tokens_kinds_times_and_rules_name_key_and_line() {
    for (pointer, key, value) in [
        ("/tokens/0", "token_type", json!("admin")),
        ("/tokens/0", "expires", json!("soon")),
        ("/tokens/0", "token", json!("gt-planted")),
        ("/configs/one", "quota", json!({"defaults": {}})),
        (
            "/configs/one",
            "quota",
            json!({"default": {"notebook": {"cpu": 1}}}),
        ),
    ] {
        let mut world = world();
        world.pointer_mut(pointer).unwrap()[key] = value;
        let text = serde_json::to_string_pretty(&world).unwrap();
        let error = Seed::parse(&text, "one").unwrap_err().to_string();
        assert!(error.contains("line ") && error.contains(key), "{error}");
        assert!(
            !error.contains("line 1,") && !error.contains("planted"),
            "{error}"
        );
    }
}

#[test]
fn the_example_of_the_documentation_is_a_world() {
    let page = include_str!("../../../../../docs/userinfo.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    for config in ["main", "outage"] {
        let seed = Seed::parse(example, config).unwrap();
        assert!(seed.named.contains_key("dana"), "{config}");
    }
}

#[test]
fn errors_about_seeds_hold_no_secrets() {
    let text = world().to_string();
    for config in [Some("none"), Some("loop"), None] {
        let error = Seed::parse(&text, config).unwrap_err().to_string();
        assert!(!error.contains("gt-"), "{error}");
    }
    let broken = text.replace("\"config\":\"one\"", "\"config\":7");
    let error = Seed::parse(&broken, "one").unwrap_err();
    assert!(!error.to_string().contains("gt-"), "{error}");
    let planted = text.replace("\"uid\":5", "\"uid\":\"gt-planted, expected `gt-x`\"");
    let error = Seed::parse(&planted, "one").unwrap_err();
    assert!(!error.to_string().contains("gt-"), "{error}");
    let printed = format!("{:?}", seed("one"));
    assert!(!printed.contains("planted-password"));
}
