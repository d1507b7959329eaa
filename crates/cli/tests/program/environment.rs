//! The environment of the program, and errors about unusable values.

use crate::support::{Played, program, run};

#[test]
fn blanks_and_line_ends_around_a_value_do_no_harm() {
    let played = Played::new();
    let ask = |url: String, token: String| {
        let mut command = program(&["userinfo", "whoami", "--json"]);
        command.env("REPERTOIRE_BASE_URL", url);
        run(command.env("GAFAELFAWR_TOKEN", token)).good().json()
    };
    let (url, token) = (played.repertoire(), played.token("alice"));
    let plain = ask(url.to_owned(), token.to_owned());
    for (before, after) in [(" ", "\r\n"), ("\u{feff}", "\n"), ("\t", " ")] {
        let around = |text: &str| format!("{before}{text}{after}");
        assert_eq!(ask(around(url), around(token)), plain);
    }
}

#[test]
fn an_error_about_an_unusable_value_names_its_variable() {
    let token = format!("gt-{0}.{0}", "a".repeat(22));
    for (command, variable, values) in [
        (
            &["userinfo", "whoami"][..],
            "REPERTOIRE_BASE_URL",
            &[
                "\"https://planted.example\"",
                "'https://planted.example",
                "planted",
                "https://planted.example:x",
            ][..],
        ),
        (
            &["discovery", "applications"],
            "REPERTOIRE_BASE_URL",
            &["planted"],
        ),
        (
            &["astakos", "login-info"],
            "ASTAKOS_AUTH_URL",
            &["\"https://planted.example\"", "planted"],
        ),
        (
            &["astakos", "login-info"],
            "ASTAKOS_TOKEN",
            &["\"planted\""],
        ),
        (
            &["wazo", "users", "list"],
            "WAZO_AUTH_URL",
            &["\"https://planted.example\"", "planted"],
        ),
        (
            &["wazo", "users", "list"],
            "WAZO_AUTH_TOKEN",
            &["\"planted\""],
        ),
        (
            &["userinfo", "whoami"],
            "GAFAELFAWR_TOKEN",
            &["\"planted\"", "planted"],
        ),
    ] {
        for value in values {
            let mut command = program(command);
            command
                .env("REPERTOIRE_BASE_URL", "https://repertoire.invalid")
                .env("ASTAKOS_AUTH_URL", "https://astakos.invalid")
                .env("GAFAELFAWR_TOKEN", &token)
                .env("ASTAKOS_TOKEN", "t")
                .env("WAZO_AUTH_URL", "https://wazo.invalid")
                .env("WAZO_AUTH_TOKEN", "t")
                .env(variable, value);
            let refused = run(&mut command).bad(2).err;
            assert!(refused.contains(variable), "{variable}={value}: {refused}");
            assert!(!refused.contains("planted"), "{refused}");
        }
    }
}

#[test]
fn an_error_about_an_unusable_url_names_its_option() {
    for (command, option) in [
        (&["userinfo", "whoami"][..], "--repertoire-url"),
        (&["discovery", "applications"], "--repertoire-url"),
        (&["astakos", "login-info"], "--auth-url"),
        (&["astakos", "login-info"], "--base-url"),
        (&["wazo", "users", "list"], "--url"),
    ] {
        let mut command = program(command);
        command
            .env("GAFAELFAWR_TOKEN", format!("gt-{0}.{0}", "a".repeat(22)))
            .env("ASTAKOS_TOKEN", "t")
            .env("WAZO_AUTH_TOKEN", "t")
            .args([option, "planted.example"]);
        let refused = run(&mut command).bad(2).err;
        assert!(refused.contains(option), "{option}: {refused}");
    }
}
