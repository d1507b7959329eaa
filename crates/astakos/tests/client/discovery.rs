//! Where the parts are.

use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{Dialect, ErrorKind, Prefixes};

use super::{ACCOUNT, after_catalog, calls, catalog, json, scripted};

#[tokio::test]
async fn many_at_once_ask_for_the_catalog_once() {
    let server = Server::new();
    let client = server.client(server.user_token("alice@example.org").unwrap());
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.quotas().await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(server.journal().count("identity.authenticate"), 1);
    assert_eq!(server.journal().count("account.getQuotas"), 20);
}

#[tokio::test]
async fn a_failed_search_is_made_again() {
    let (builder, seen) = scripted({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |request| match request.uri.path() {
            path if path.ends_with("/tokens") => {
                match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
                    true => json(403, "{}"),
                    false => catalog(ACCOUNT),
                }
            }
            _ => json(200, "{}"),
        }
    });
    let client = builder.build().unwrap();
    assert_eq!(
        client.quotas().await.unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    assert!(client.quotas().await.unwrap().is_empty());
    assert_eq!(calls(&seen).len(), 1);
}

#[tokio::test]
async fn the_catalog_cannot_lead_elsewhere() {
    let (builder, seen) = after_catalog(|_| json(200, "{}"));
    let client = builder.build().unwrap();
    client.quotas().await.unwrap();
    let call = calls(&seen).remove(0);
    assert_eq!(
        call.uri,
        "https://accounts.example.org/astakos/account/v1.0/quotas"
    );
}

#[tokio::test]
async fn a_part_that_is_not_in_the_catalog_is_missed_when_it_is_needed() {
    let (builder, _) = scripted(|request| match request.uri.path() {
        path if path.ends_with("/tokens") => catalog(
            r#"{"name": "astakos_account", "type": "account", "endpoints": [
                {"versionId": "v1.0", "publicURL": "https://a/account/v1.0", "SNF:uiURL": null}]}"#,
        ),
        _ => json(200, "{}"),
    });
    let client = builder.build().unwrap();
    client.quotas().await.unwrap();
    for error in [
        client.services().await.unwrap_err(),
        client.oauth2_auth_url().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NoEndpoints);
    }
}

#[tokio::test]
async fn addresses_in_the_catalog_are_urls_or_paths_and_each_is_checked_on_its_own() {
    const OTHER: &str = r#"{"name": "astakos_account"}, {"name": "astakos_account", "endpoints": []},
        {"name": "astakos_oauth2", "endpoints": [{"publicURL": "https://a/oauth2"}]}"#;
    for (services, account, oauth2) in [
        (
            r#"{"name": "astakos_account", "endpoints": [
            {"versionId": "v1.0", "publicURL": "/x/account/v1.0"}]}"#,
            true,
            false,
        ),
        (
            r#"{"name": "astakos_account", "endpoints": [
            {"versionId": "v1.0", "publicURL": "http://a:1/x/account/v1.0/"}]},
            {"name": "astakos_oauth2", "endpoints": [{"publicURL": ""}]}"#,
            true,
            false,
        ),
        (OTHER, false, true),
    ] {
        let (builder, seen) = scripted(move |request| match request.uri.path() {
            path if path.ends_with("/tokens") => catalog(services),
            _ => json(200, "{}"),
        });
        let client = builder.build().unwrap();
        let kind = |found: Result<(), vouchsafe_astakos::Error>| found.err().map(|e| e.kind());
        let lacks = |is_there: bool| Some(ErrorKind::NoEndpoints).filter(|_| !is_there);
        let quotas = client.quotas().await.map(drop);
        assert_eq!(kind(quotas), lacks(account), "{services}");
        let address = client.oauth2_auth_url().await.map(drop);
        assert_eq!(kind(address), lacks(oauth2), "{services}");
        for call in calls(&seen) {
            let quotas = "https://accounts.example.org/x/account/v1.0/quotas";
            assert_eq!(call.uri, quotas, "{services}");
        }
    }
    // Where it is for people is as the catalog states it.
    let (builder, _) = scripted(|_| catalog(OTHER));
    let address = builder.build().unwrap().oauth2_auth_url().await;
    assert_eq!(address.unwrap(), "https://a/oauth2/auth");
}

#[tokio::test]
async fn the_error_says_if_a_url_is_not_the_identity_url() {
    let (builder, _) = scripted(|_| catalog(""));
    let client = builder.build().unwrap();
    let error = client.quotas().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoEndpoints);
    assert!(error.to_string().contains("astakos_account"), "{error}");
    for bad in [
        "",
        "accounts.example.org",
        "ftp://accounts.example.org/x",
        "https://a?q",
    ] {
        let error = scripted(|_| catalog(""))
            .0
            .auth_url(bad)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadValue, "{bad}");
    }
}

#[tokio::test]
async fn fixed_paths_need_no_catalog_and_can_be_those_of_before() {
    let (builder, seen) = scripted(|_| json(200, "{}"));
    let builder = builder.base_url("https://accounts.example.org/");
    let client = builder.clone().build().unwrap();
    assert_eq!(client.dialect(), Dialect::V014);
    client.quotas().await.unwrap();
    let old = builder
        .prefixes(Prefixes::all("/astakos/api/"))
        .build()
        .unwrap();
    old.resources().await.unwrap();
    let seen = seen.lock().unwrap();
    let paths: Vec<_> = seen.iter().map(|seen| seen.uri.path()).collect();
    assert_eq!(paths, ["/account/v1.0/quotas", "/astakos/api/resources"]);
    // What needs no token has none in 0.14.
    assert_eq!(seen[1].header("x-auth-token"), None);
}

#[tokio::test]
async fn the_generation_is_found_without_a_token() {
    for dialect in [Dialect::V014, Dialect::V016] {
        let server = Server::builder().dialect(dialect).start().unwrap();
        let client = server.client("unknown");
        assert_eq!(client.discover_dialect().await.unwrap(), dialect);
        assert_eq!(client.dialect(), dialect);
        let entries = server.journal().entries();
        let asked = entries
            .iter()
            .filter(|entry| entry.path.contains("/account/"));
        assert!(asked.clone().count() > 0);
        assert!(asked.clone().all(|entry| entry.credential.is_none()));
    }
    // 0.15 knows neither of the two.
    let (builder, _) = after_catalog(|_| json(400, r#"{"badRequest": {"message": "no"}}"#));
    let client = builder.build().unwrap();
    assert_eq!(client.discover_dialect().await.unwrap(), Dialect::V015);
}

#[tokio::test]
async fn user_information_of_later_servers_comes_from_authenticate() {
    let server = Server::new();
    let client = server.client(server.user_token("alice@example.org").unwrap());
    let info = client.user_info().await.unwrap();
    assert_eq!(info.uuid, Server::alice());
    assert!(info.auth_token_expires.unwrap() > 0);
    assert_eq!((info.id, info.auth_token_created), (None, None));
}
