//! What a client makes of answers: catalogs that lack something, refusals with numbers, and what an
//! earlier try has done.

use vouchsafe_astakos::commission::Committed;
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{Client, CommissionRequest, EndpointFilter, ErrorKind, TokenGrant};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::Fault;

use super::{catalog, json, scripted};

const OAUTH2: &str = r#"{"name": "astakos_oauth2", "endpoints": [{"publicURL": "https://a/o"}]}"#;

#[tokio::test]
async fn a_catalog_that_lacks_something_stops_only_what_needs_it() {
    for (services, account, ui, oauth2) in [
        ("", false, false, false),
        (r#"{"name": "astakos_account"}"#, false, false, false),
        (
            r#"{"name": "astakos_account", "endpoints": []}"#,
            false,
            false,
            false,
        ),
        (
            r#"{"name": "astakos_account", "endpoints": null}"#,
            false,
            false,
            false,
        ),
        (
            r#"{"name": "astakos_account", "endpoints": [{"versionId": "v1.0"}]}"#,
            false,
            false,
            false,
        ),
        (OAUTH2, false, false, true),
        (
            r#"{"name": "astakos_account", "endpoints": [
                {"versionId": "v1.0", "publicURL": "https://a/account", "SNF:uiURL": null}]}"#,
            true,
            false,
            false,
        ),
        (
            r#"{"name": "astakos_account", "endpoints": [
                {"versionId": "v1.0", "publicURL": "", "SNF:uiURL": "https://a/ui"}]}"#,
            false,
            true,
            false,
        ),
    ] {
        let (builder, _) = scripted(move |request| match request.uri.path() {
            path if path.ends_with("/identity/v2.0/tokens") => catalog(services),
            path if path.ends_with("get_services") => json(200, "[]"),
            path if path.ends_with("token") => json(200, r#"{"access_token": "t"}"#),
            _ => json(200, "{}"),
        });
        let client = builder.build().unwrap();
        let grant = TokenGrant::authorization_code("c");
        let secret = Secret::from("s");
        for (what, is_there, error) in [
            ("astakos_account", account, client.quotas().await.err()),
            ("SNF:uiURL", ui, client.services().await.err()),
            (
                "astakos_oauth2",
                oauth2,
                client.oauth2_token("app", &secret, &grant).await.err(),
            ),
        ] {
            let error = error.map(|error| (error.kind(), error.to_string()));
            assert_eq!(error.is_none(), is_there, "{services}: {error:?}");
            if let Some((kind, text)) = error {
                assert_eq!(kind, ErrorKind::NoEndpoints, "{services}");
                assert!(text.contains(what), "{text}");
            }
        }
    }
    // No catalog at all.
    for document in [
        r#"{"access": {}}"#,
        r#"{"access": {"serviceCatalog": null}}"#,
    ] {
        let (builder, _) = scripted(move |_| json(200, document));
        let error = builder.build().unwrap().quotas().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoEndpoints);
        assert!(error.to_string().contains("astakos_account"), "{error}");
    }
    // A search says what it was for.
    let filter = EndpointFilter::new()
        .service_type("compute")
        .region("north");
    let error = vouchsafe_astakos::Catalog::default()
        .endpoint(&filter)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("service of type `compute` in region `north`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_without_a_token_can_do_what_needs_none() {
    let server = Server::new();
    let client = Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .build()
        .unwrap();
    client.services().await.unwrap();
    client.resources().await.unwrap();
    client.endpoints().await.unwrap();
    client.discover_dialect().await.unwrap();
    let (id, address) = ("app", "https://app.example.org/cb");
    let code = server.authorize(id, "s", address, &Server::alice());
    let grant = TokenGrant::authorization_code(code).redirect_uri(address);
    let token = client
        .oauth2_token(id, &Secret::from("s"), &grant)
        .await
        .unwrap();
    client
        .validate_token(&token.access_token)
        .send()
        .await
        .unwrap();
    let sent = server.journal().entries().len();
    let error = client.quotas().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
    assert_eq!(server.journal().entries().len(), sent, "nothing was sent");
}

#[tokio::test]
async fn the_error_of_a_refused_commission_names_holder_resource_and_amounts() {
    let server = Server::new();
    let client = server.client(server.service_token("cyclades").unwrap());
    let alice = Server::alice();
    let request = CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 7)]);
    let text = client.issue(&request).await.unwrap_err().to_string();
    // Of two that do not fit, the server blames either.
    for part in [
        "Virtual Machine",
        &alice,
        "limit",
        "is 2",
        "0 are used",
        "7 were asked for",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let request = CommissionRequest::one("unknown", [(&alice, "cyclades.vm", 1)]);
    let text = client.issue(&request).await.unwrap_err().to_string();
    assert!(
        text.contains(&format!(
            "user:unknown holds no cyclades.vm from project:{alice}"
        )),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn commissions_resolved_by_a_lost_attempt_count_as_resolved() {
    let server = Server::new();
    let client = server.client(server.service_token("cyclades").unwrap());
    let nothing = CommissionRequest::raw([]);
    let lose = |operation: &str| {
        server.faults().clear();
        server
            .faults()
            .add(Fault::on(operation).times(1).reset_before_head());
    };
    let serial = client.issue(&nothing).await.unwrap();
    lose("account.commissionAction");
    assert_eq!(client.accept(serial).await.unwrap(), Committed::Earlier);
    // Without a lost try it is not pending, and another client resolved it.
    let error = client.accept(serial).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let other = client.issue(&nothing).await.unwrap();
    assert_eq!(client.reject(other).await.unwrap(), Committed::Now);

    let (one, two) = (
        client.issue(&nothing).await.unwrap(),
        client.issue(&nothing).await.unwrap(),
    );
    lose("account.resolveCommissions");
    let resolution = client.resolve(&[one], &[two]).await.unwrap();
    assert_eq!(resolution.earlier, [one, two]);
    assert!(resolution.failed.is_empty() && resolution.accepted.is_empty());
    let again = client.resolve(&[one], &[two]).await.unwrap();
    assert_eq!((again.earlier.len(), again.failed.len()), (0, 2));
}
