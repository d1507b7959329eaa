//! The authorization page.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use vouchsafe_cloud_credentials::mock::{Consent, Seed, Server};

use crate::ask::{
    AUTHORIZE, BACK, BASE, TOKEN, encoded, form, get, post, redirect, refused, secret, visit,
};

const WANTED: [(&str, &str); 4] = [
    ("client_id", "app"),
    ("response_type", "code"),
    ("redirect_uri", BACK),
    ("state", "a b&c"),
];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let names: Vec<_> = more.iter().map(|(name, _)| *name).collect();
    let kept = WANTED.into_iter().filter(|(name, _)| !names.contains(name));
    kept.chain(more.iter().copied()).collect()
}

#[test]
fn a_user_is_sent_nowhere_but_to_the_clients_own_addresses() {
    let server = Server::new();
    for (name, value) in [
        ("client_id", "other"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.example.com/back"),
        ("redirect_uri", "https://app.example.com/back/"),
        ("redirect_uri", "https://app.example.com/back?x=1"),
        ("redirect_uri", "http://127.0.0.1:80/other"),
        ("redirect_uri", "http://localhost/callback"),
        ("redirect_uri", "https://127.0.0.1/callback"),
        // It has two, so that one must be chosen.
        ("redirect_uri", ""),
    ] {
        let target = format!("{AUTHORIZE}?{}", encoded(&with(&[(name, value)])));
        let answer = get(&server, &target);
        assert_eq!(answer.status, 400, "{name}={value}");
        assert!(!answer.headers.contains_key("location"));
    }
    let twice = format!("{AUTHORIZE}?{}&client_id=app", encoded(&WANTED));
    assert_eq!(get(&server, &twice).status, 400);
    let loopback = with(&[("redirect_uri", "http://127.0.0.1:43210/callback")]);
    let answer = get(&server, &format!("{AUTHORIZE}?{}", encoded(&loopback)));
    assert_eq!(redirect(&answer).0, "http://127.0.0.1:43210/callback");
}

#[test]
fn a_request_that_cannot_be_granted_comes_back_with_state_and_issuer() {
    let server = Server::new();
    for (more, error) in [
        (
            &[("response_type", "token")][..],
            "unsupported_response_type",
        ),
        (&[("scope", "logging-service:read all")], "invalid_scope"),
        (&[("code_challenge", "x")], "invalid_request"),
        (
            &[("code_challenge", "x"), ("code_challenge_method", "plain")],
            "invalid_request",
        ),
    ] {
        let answer = visit(&server, &with(more));
        assert_eq!(answer["error"], error);
        assert_eq!((&*answer["state"], &*answer["iss"]), ("a b&c", BASE));
    }
    server.configure(|settings| settings.is_pkce_required = true);
    assert_eq!(visit(&server, &WANTED)["error"], "invalid_request");
    server.configure(|settings| {
        settings.is_pkce_required = false;
        settings.sends_issuer = false;
        settings.consent = Consent::Denies;
    });
    let answer = visit(&server, &WANTED);
    assert_eq!(answer["error"], "access_denied");
    assert!(!answer.contains_key("iss"));
}

#[test]
fn a_page_asks_the_user_and_takes_the_decision() {
    let server = Server::new();
    server.configure(|settings| settings.consent = Consent::Asks);
    // A link cannot decide for the user.
    let target = format!("{AUTHORIZE}?{}&decision=allow", encoded(&WANTED));
    let page = get(&server, &target);
    assert_eq!(page.status, 200);
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(
        text.contains("name=\"state\" value=\"a b&amp;c\""),
        "{text}"
    );
    for (decision, name) in [("allow", "code"), ("deny", "error")] {
        let body = encoded(&with(&[("decision", decision)]));
        let answer = post(
            &server,
            AUTHORIZE,
            "application/x-www-form-urlencoded",
            body,
        );
        assert!(redirect(&answer).1.contains_key(name));
    }
}

#[test]
fn a_code_is_for_one_exchange_by_its_client_to_its_address_with_its_verifier() {
    let server = Server::new();
    let verifier = "v".repeat(43);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let secret = secret(&server);
    let bound = with(&[
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let code = visit(&server, &bound)["code"].clone();
    let exchange = |code: &str, more: &[(&str, &str)]| {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("client_secret", &secret),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", &verifier),
        ];
        for (name, value) in more {
            fields.retain(|(other, _)| other != name);
            fields.push((*name, *value));
        }
        form(&server, TOKEN, &fields)
    };
    for wrong in [
        &[("code", "unknown")][..],
        &[("redirect_uri", "")],
        &[("redirect_uri", "http://127.0.0.1/callback")],
        &[("code_verifier", "")],
        &[("code_verifier", "other")],
        &[("client_id", "cli"), ("client_secret", "")],
    ] {
        let answer = refused(exchange(&code, wrong));
        assert_eq!(answer, (400, "invalid_grant".to_owned()), "{wrong:?}");
    }
    let (status, tokens) = exchange(&code, &[]);
    assert_eq!(status, 200);
    // Whoever uses it again may be a thief: what came of it ends.
    assert_eq!(refused(exchange(&code, &[])).1, "invalid_grant");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("client_secret", &secret),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(refused(form(&server, TOKEN, &refresh)).1, "invalid_grant");

    let unbound = visit(&server, &WANTED)["code"].clone();
    let answer = refused(exchange(&unbound, &[]));
    assert_eq!(answer.1, "invalid_grant", "a verifier without a challenge");
    server.clock().advance(Duration::from_secs(60));
    let answer = refused(exchange(&unbound, &[("code_verifier", "")]));
    assert_eq!(answer.1, "invalid_grant", "it is too old");
}

#[test]
fn the_only_address_of_a_client_need_not_be_named() {
    let seed = Seed::parse(r#"{"clients": [{"client_id": "app", "redirect_uris": ["x:/y?z=1"]}]}"#);
    let server = Server::from_seed(&seed.unwrap());
    let wanted = with(&[("redirect_uri", "")]);
    let answer = get(&server, &format!("{AUTHORIZE}?{}", encoded(&wanted)));
    let (_, said) = redirect(&answer);
    assert_eq!(said["z"], "1");
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", &said["code"]),
    ];
    assert_eq!(form(&server, TOKEN, &fields).0, 200);
}
