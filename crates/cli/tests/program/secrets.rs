//! Tokens stay where they belong.

use crate::support::{Played, holds_a_token, program, run};

#[test]
fn a_token_as_an_argument_is_refused_and_not_repeated() {
    let played = Played::new();
    let token = played.token("alice").to_owned();
    let glued = format!("--token={token}");
    let cut = &token[..40];
    let in_url = format!("http://127.0.0.1/?token={token}");
    for arguments in [
        &["userinfo", "whoami", &token][..],
        &["userinfo", "whoami", "--token", &token],
        &["userinfo", "whoami", &glued],
        &["userinfo", "whoami", "--token-env", &token],
        &["userinfo", "whoami", "--token-file", &token],
        &["userinfo", "user", cut],
        &["userinfo", "whoami", "--repertoire-url", &in_url],
        &["serve", "--service", &token],
        &[&token],
    ] {
        let people = run(&mut played.ask_without_token(arguments)).bad(2);
        assert!(people.err.contains("--token-file"), "{people:?}");
        let json = run(&mut played.ask_without_token(&[arguments, &["--json"]].concat())).bad(2);
        for run in [people, json] {
            assert!(!run.err.contains(&token[3..20]), "{run:?}");
        }
    }
    assert_eq!(played.requests(), 0);
}

#[test]
fn a_password_as_an_argument_is_refused_and_not_repeated() {
    for arguments in [
        &["userinfo", "--password", "planted"][..],
        &["userinfo", "--password=planted"],
    ] {
        let refused = run(&mut program(arguments)).bad(2).err;
        assert!(refused.contains("--password-file"), "{refused}");
        assert!(!refused.contains("planted"), "{refused}");
    }
}

#[test]
fn neither_output_nor_log_holds_the_token_that_asks() {
    let played = Played::new();
    for words in [
        &["userinfo", "whoami"][..],
        &["userinfo", "token-info"],
        &["userinfo", "users"],
        &["userinfo", "user", "alice"],
        &["userinfo", "create-token", "bot-x", "--scope", "nonesuch"],
        &["discovery", "influxdb", "credentials", "metrics"],
    ] {
        for more in [&["-vvv"][..], &["-vvv", "--json"]] {
            let run = run(&mut played.ask("bob", &[words, more].concat()));
            assert!(!run.err.is_empty(), "it logs nothing: {run:?}");
            assert!(
                !holds_a_token(&run.out) && !holds_a_token(&run.err),
                "{run:?}"
            );
            let secret = played.token("bob").split_once('.').unwrap().1;
            assert!(
                !run.out.contains(secret) && !run.err.contains(secret),
                "{run:?}"
            );
        }
    }
    let journal = played.manage("GET", "journal", "");
    assert!(!holds_a_token(&journal.to_string()), "{journal}");
}

#[test]
fn a_made_token_goes_to_standard_output_only() {
    let played = Played::new();
    let made = run(&mut played.ask("admin", &["userinfo", "create-token", "bot-x", "-vvv"]));
    assert_eq!(made.code, 0, "{made:?}");
    assert!(
        holds_a_token(&made.out) && !holds_a_token(&made.err),
        "{made:?}"
    );
}

#[test]
fn a_malformed_token_is_not_repeated() {
    for more in [&[][..], &["--json"]] {
        let mut ask = program(
            &[
                &[
                    "userinfo",
                    "whoami",
                    "--repertoire-url",
                    "http://127.0.0.1:9",
                ],
                more,
            ]
            .concat(),
        );
        let run = run(ask.env("GAFAELFAWR_TOKEN", "gt-planted.planted")).bad(2);
        assert!(!run.err.contains("planted"), "{run:?}");
    }
}

#[test]
fn help_tells_the_exit_codes_and_where_tokens_come_from() {
    let help = run(&mut program(&["--help"])).good();
    assert!(help.out.contains("Exit codes"), "{help:?}");
    let help =
        run(program(&["userinfo", "whoami", "--help"]).env("GAFAELFAWR_TOKEN", "planted")).good();
    assert!(
        help.out.contains("--token-file") && !help.out.contains("planted"),
        "{help:?}"
    );
}
