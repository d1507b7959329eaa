//! What errors tell.

use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{CommissionRequest, ErrorKind, Holder, Limit};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::{ErrorKind as CoreKind, Sent};

use super::{after_catalog, json};

#[tokio::test]
async fn each_status_has_its_kind_and_the_bodys_own_words() {
    for (status, kind) in [
        (400, ErrorKind::BadRequest),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict),
        (413, ErrorKind::Core(CoreKind::Status)),
        (405, ErrorKind::Core(CoreKind::Status)),
        (301, ErrorKind::Core(CoreKind::Status)),
        (500, ErrorKind::Core(CoreKind::Status)),
        (429, ErrorKind::Core(CoreKind::Throttled)),
    ] {
        let body = r#"{"someFault": {"code": 1, "message": "of its own", "details": "d"}}"#;
        let (builder, _) = after_catalog(move |_| json(status, body));
        let error = builder.build().unwrap().quotas().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.code(), Some("someFault"));
        assert_eq!(error.body().unwrap(), body.as_bytes());
        let fault = error.fault().unwrap();
        assert_eq!(
            (fault.message.as_str(), fault.details.as_deref()),
            ("of its own", Some("d"))
        );
        assert!(error.to_string().contains("of its own"), "{error}");
    }
}

#[tokio::test]
async fn answers_that_cannot_be_understood_are_kept_and_not_shown() {
    for body in [
        "<html>planted</html>",
        "[1]",
        r#"{"p": {"r": {"usage": 1.5}}}"#,
        "7",
    ] {
        let (builder, _) = after_catalog(move |_| json(200, body));
        let error = builder.build().unwrap().quotas().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
        assert_eq!(error.body().unwrap(), body.as_bytes());
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
    let (builder, _) = after_catalog(|_| json(204, ""));
    let client = builder.build().unwrap();
    assert!(client.quotas().await.unwrap().is_empty());
    assert!(client.resources().await.unwrap().is_empty());
    assert!(client.pending_commissions().await.unwrap().is_empty());
    // One thing was asked for, and nothing came.
    let error = client.project("p").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
}

#[tokio::test]
async fn over_quota_tells_the_numbers_and_a_missing_holding_which() {
    let server = Server::new();
    let service = server.client(server.service_token("cyclades").unwrap());
    let alice = Server::alice();
    let much = CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 50)]);
    let error = service.issue(&much).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaLimit);
    let limit = error.quota_limit().unwrap();
    assert_eq!(
        (limit.limit, limit.usage, limit.requested()),
        (Limit::Finite(2), 0, 50)
    );
    assert_eq!(limit.available(), Limit::Finite(2));
    assert_eq!(error.missing_holding(), None);
    let nowhere = CommissionRequest::one(&alice, [("nowhere", "cyclades.vm", 1)]);
    let error = service.issue(&nowhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let missing = error.missing_holding().unwrap();
    assert!([Holder::user(&alice), Holder::project("nowhere")].contains(&missing.holder));
    assert_eq!(error.quota_limit(), None);
}

#[tokio::test]
async fn a_dry_run_says_what_the_server_would_say() {
    let server = Server::new();
    let user = server.client(server.user_token("alice@example.org").unwrap());
    let service = server.client(server.service_token("cyclades").unwrap());
    let (alice, lab) = (Server::alice(), Server::project());
    let used = CommissionRequest::one(&alice, [(&lab, "cyclades.vm", 2)]).auto_accept(true);
    service.issue(&used).await.unwrap();
    let quotas = user.quotas().await.unwrap();
    for quantity in -4..6 {
        for project in [&alice, &lab] {
            let request = CommissionRequest::one(&alice, [(project, "cyclades.vm", quantity)]);
            let dry = quotas.check(&alice, &request.provisions);
            let wet = service.issue(&request).await;
            assert_eq!(dry.is_ok(), wet.is_ok(), "{quantity} of {project}: {dry:?}");
            match wet {
                Ok(serial) => drop(service.reject(serial).await.unwrap()),
                Err(error) => {
                    let (dry, wet) = (dry.unwrap_err(), error.quota_limit().unwrap());
                    assert_eq!((dry.name, dry.limit), (wet.name, wet.limit));
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_counts_as_no_connection() {
    let server = Server::new();
    let client = server.client(server.user_token("alice@example.org").unwrap());
    server
        .faults()
        .add(Fault::on("account.getQuotas").no_answer());
    let error = client.quotas().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.is_timeout());
    assert_eq!(error.core().sent(), Sent::Maybe);
}

#[tokio::test]
async fn tokens_are_sent_over_plain_http_to_this_machine_only() {
    let client = vouchsafe_astakos::Client::builder()
        .auth_url("http://accounts.example.org/identity/v2.0")
        .token("t")
        .build()
        .unwrap();
    let error = client.authenticate(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
    assert_eq!(error.attempts(), 0);
}
