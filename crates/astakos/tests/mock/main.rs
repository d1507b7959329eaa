//! What users rely on of the emulator, asked as its clients do.

#![expect(clippy::unwrap_used, reason = "a test that finds no token has failed")]
mod ask;
mod memberships;
mod projects;
mod raw;
mod requests;

use std::time::Duration;

use http::Method;
use vouchsafe_astakos::mock::{CommissionState, Seed, Server};
use vouchsafe_astakos::{Client, CommissionRequest, Dialect, ErrorKind, Holder, Limit, Provision};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::transport::Request;

const VM: &str = "cyclades.vm";

fn cyclades(server: &Server) -> Client {
    server.client(server.service_token("cyclades").unwrap())
}

fn user(server: &Server, name: &str) -> Client {
    let name = format!("{name}@example.org");
    server.client(server.user_token(&name).unwrap())
}

#[tokio::test]
async fn a_commission_reserves_at_once_and_counts_when_accepted() {
    let server = Server::new();
    let alice = Server::alice();
    let own = Holder::User(alice.clone());
    let project = Holder::Project(alice.clone());
    let client = cyclades(&server);
    let request = CommissionRequest::raw([
        provision(&own, Some(&project), 2),
        provision(&project, None, 2),
    ]);
    let serial = client.issue(&request).await.unwrap();
    let held = || server.holding(&own, Some(&project), VM).unwrap();
    assert_eq!((held().usage(), held().pending()), (2, 2));
    assert_eq!(server.pending_commissions().len(), 1);

    let more = client.issue(&request).await.unwrap_err();
    assert_eq!(more.kind(), ErrorKind::QuotaLimit);
    assert_eq!(more.quota_limit().unwrap().available(), Limit::Finite(0));

    client.accept(serial).await.unwrap();
    assert_eq!((held().usage(), held().pending()), (2, 0));
    assert!(server.pending_commissions().is_empty());
    let [commission] = server.commissions().try_into().unwrap();
    assert_eq!(commission.state, CommissionState::Accepted);
    assert_eq!(commission.provisions.len(), 2);

    server.reset();
    assert_eq!(held().usage(), 0);
    assert!(server.commissions().is_empty());
}

#[tokio::test]
async fn an_old_server_holds_from_system_and_has_no_projects() {
    let server = Server::builder().dialect(Dialect::V014).start().unwrap();
    let client = user(&server, "alice");
    let info = client.user_info().await.unwrap();
    assert_eq!(info.uuid, Server::alice());
    // Newer servers have another call with the same answer.
    let newer = Server::new();
    let told = user(&newer, "alice").user_info().await.unwrap();
    assert_eq!((told.username, told.name), (info.username, info.name));
    let quotas = client.quotas().await.unwrap();
    assert_eq!(quotas.get("system", VM).unwrap().limit, Limit::Finite(2));

    let holder = Holder::Bare(Server::alice());
    let source = Holder::Bare("system".to_owned());
    let request = CommissionRequest::raw([provision(&holder, Some(&source), 1)]);
    cyclades(&server).issue(&request).await.unwrap();
    assert_eq!(
        server.holding(&holder, Some(&source), VM).unwrap().usage(),
        1
    );
    assert!(client.projects().send().await.is_err());
}

#[tokio::test]
async fn tokens_end_by_the_servers_clock() {
    let server = Server::new();
    let client = user(&server, "bob");
    client.quotas().await.unwrap();
    server
        .clock()
        .advance(Duration::from_secs(1000 * 366 * 86_400));
    let refused = client.quotas().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthorized);
}

#[test]
fn nothing_that_is_printed_holds_a_token() {
    let seed = Seed::sample();
    let server = Server::builder().seed(seed.clone()).start().unwrap();
    let shown = format!("{seed:?} {server:?} {}", server.snapshot());
    for whose in ["astakos", "cyclades", "pithos"] {
        assert!(!shown.contains(server.service_token(whose).unwrap().expose()));
    }
    for whose in ["alice", "bob", "carol"] {
        let token = server.user_token(&format!("{whose}@example.org")).unwrap();
        assert!(!shown.contains(token.expose()));
    }
}

#[test]
fn a_seed_says_where_it_is_wrong_and_shows_none_of_it() {
    let text = r#"{"users": [{"uuid": "u", "username": "n", "token": 5, "name": "planted"}]}"#;
    let fault = Seed::parse(text).unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::BadValue);
    assert!(fault.to_string().contains("line 1"), "{fault}");
    assert!(!format!("{fault} {fault:?}").contains("planted"));
    let misspelled = "{\"settings\":\n{\"base_paht\": \"/a\"}}";
    let fault = Seed::parse(misspelled).unwrap_err();
    let told = "line 2, column 12: settings.base_paht: unknown field; there is: base_path";
    assert!(fault.to_string().contains(told), "{fault}");
    let unknown = r#"{"projects": [{"uuid": "p", "name": "n", "state": "odd"}]}"#;
    let seed = Seed::parse(unknown).unwrap();
    assert!(Server::builder().seed(seed).start().is_err());
}

fn provision(holder: &Holder, source: Option<&Holder>, quantity: i64) -> Provision {
    Provision {
        holder: holder.clone(),
        source: source.cloned(),
        resource: VM.to_owned(),
        quantity,
    }
}

#[tokio::test]
async fn over_tcp_it_is_the_same_server_with_the_same_journal_and_faults() {
    let server = Server::new();
    let served = server.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let client = Client::builder()
        .auth_url(format!("{}{}", served.url(), server.identity_path()))
        .token(server.service_token("cyclades").unwrap())
        .build()
        .unwrap();
    let serial = client.issue(&CommissionRequest::raw([])).await.unwrap();
    assert_eq!(server.pending_commissions()[0].serial, serial);
    let operations: Vec<_> = server
        .journal()
        .entries()
        .iter()
        .map(|entry| entry.operation)
        .collect();
    assert_eq!(operations.len(), 2, "{operations:?}");
    assert!(operations.iter().all(Option::is_some), "{operations:?}");

    let issue = operations[1].unwrap();
    server.faults().add(Fault::on(issue).reset_in_head());
    let lost = client.issue(&CommissionRequest::raw([])).await;
    assert!(lost.is_err());
    assert_eq!(
        server.pending_commissions().len(),
        2,
        "done, though not told"
    );
}

/// Also where the route is not found: by a method that it does not have, or with more behind it.
#[tokio::test]
async fn the_journal_shows_no_token_of_a_path() {
    let server = Server::new();
    let token = server.user_token("alice@example.org").unwrap();
    let digest = vouchsafe_core::mock::digest(token.expose());
    let tokens = format!("{}/tokens", server.identity_path());
    for (method, path) in [
        (Method::GET, format!("{tokens}/{}", token.expose())),
        (Method::PUT, format!("{tokens}/{}", token.expose())),
        (
            Method::GET,
            format!("{tokens}/{}/endpoints", token.expose()),
        ),
    ] {
        let uri = format!("https://h{path}").parse().unwrap();
        let transport = server.host().transport();
        transport.send(Request::new(method, uri)).await.unwrap();
        let entry = server.journal().entries().pop().unwrap();
        assert!(
            entry.path.starts_with(&format!("{tokens}/{digest}")),
            "{entry:?}"
        );
    }
    let kept = format!(
        "{:?} {:?}",
        server.journal().entries(),
        server.journal().surprises()
    );
    assert!(!kept.contains(token.expose()), "{kept}");
}

#[tokio::test]
async fn the_journal_tells_whose_token_asked() {
    let server = Server::new();
    let token = server.user_token("alice@example.org").unwrap();
    user(&server, "alice").quotas().await.unwrap();
    let entry = server.journal().last("account.getQuotas").unwrap();
    let digest = vouchsafe_core::mock::digest(token.expose());
    assert_eq!(entry.credential, Some(digest));
}
