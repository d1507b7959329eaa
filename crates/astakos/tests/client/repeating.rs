//! What is repeated, and what is not.

use std::collections::HashSet;
use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::StatusCode;
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{Client, CommissionRequest, ErrorKind, Serial};
use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::transport::{Request, Response, Transport, Written};
use vouchsafe_core::{BoxFuture, ConnectPhase, Error, ErrorKind as CoreErrorKind, Result, Secret};

fn service(server: &Server) -> Client {
    server.client(server.service_token("cyclades").unwrap())
}

fn nothing() -> CommissionRequest {
    CommissionRequest::raw([])
}

#[tokio::test(start_paused = true)]
async fn reads_and_resolving_are_repeated() {
    let server = Server::new();
    let client = service(&server);
    for operation in [
        "account.pendingCommissions",
        "account.resolveCommissions",
        "account.serviceUserCatalogs",
    ] {
        server
            .faults()
            .add(Fault::on(operation).times(1).reset_before_head());
        server
            .faults()
            .add(Fault::on(operation).times(1).status(503));
    }
    client.pending_commissions().await.unwrap();
    client.resolve(&[], &[]).await.unwrap();
    client.service_usernames(&["a"]).await.unwrap();
    assert_eq!(server.journal().count("account.pendingCommissions"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_commission_that_may_have_arrived_is_not_sent_again() {
    for fault in [
        Fault::on("account.issueCommission").reset_before_head(),
        Fault::on("account.issueCommission").no_answer(),
        Fault::on("account.issueCommission").status(502),
        Fault::on("account.issueCommission").garbage(),
    ] {
        let server = Server::new();
        server.faults().add(fault);
        service(&server).issue(&nothing()).await.unwrap_err();
        assert_eq!(server.journal().count("account.issueCommission"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_python_way_repeats_what_may_be_doubled_after_all_but_three() {
    for (status, requests) in [
        (500, 3),
        (409, 3),
        (400, 3),
        (301, 3),
        (401, 1),
        (404, 1),
        (413, 1),
    ] {
        let server = Server::new();
        let client = Client::builder()
            .transport(server.host().transport())
            .auth_url(server.auth_url())
            .token(server.service_token("cyclades").unwrap())
            .retry_like_python(2)
            .build()
            .unwrap();
        for operation in ["account.pendingCommissions", "account.issueCommission"] {
            server.faults().add(Fault::on(operation).status(status));
        }
        let before = tokio::time::Instant::now();
        client.pending_commissions().await.unwrap_err();
        assert_eq!(
            server.journal().count("account.pendingCommissions"),
            requests,
            "{status}"
        );
        client.issue(&nothing()).await.unwrap_err();
        let issued = server.journal().count("account.issueCommission");
        assert_eq!(issued, 1, "{status}");
        // At once.
        assert_eq!(before.elapsed(), std::time::Duration::ZERO);
    }
    // Answers that cannot be read count too, and each answer decides for itself.
    let server = Server::new();
    let client = Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token(server.user_token("alice@example.org").unwrap())
        .retry_like_python(5)
        .build()
        .unwrap();
    server.faults().add(
        Fault::on("account.getQuotas")
            .nth(1)
            .status(200)
            .body("no json"),
    );
    server
        .faults()
        .add(Fault::on("account.getQuotas").nth(2).status(401));
    assert_eq!(
        client.quotas().await.unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    assert_eq!(server.journal().count("account.getQuotas"), 2);
}

/// Hands out an expired token until it is refused.
#[derive(Debug)]
struct Renewing {
    good: Secret,
    generation: AtomicU64,
}

impl TokenSource for Renewing {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let generation = self.generation.load(Ordering::SeqCst);
        let secret = match generation {
            0 => Secret::from("ended"),
            _ => self.good.clone(),
        };
        let token = Token::new(secret).of_generation(generation);
        Box::pin(std::future::ready(Ok(token)))
    }

    fn forget(&self, generation: u64) {
        let next = generation + 1;
        let _ =
            self.generation
                .compare_exchange(generation, next, Ordering::SeqCst, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_token_that_ended_is_renewed_in_header_and_body() {
    let server = Server::new();
    let renewing = || {
        let source = Arc::new(Renewing {
            good: server.user_token("alice@example.org").unwrap(),
            generation: AtomicU64::new(0),
        });
        Client::builder()
            .transport(server.host().transport())
            .auth_url(server.auth_url())
            .token_source(source)
            .build()
            .unwrap()
    };
    assert_eq!(
        renewing()
            .authenticate(None)
            .await
            .unwrap()
            .user
            .unwrap()
            .id,
        Server::alice()
    );
    assert!(!renewing().quotas().await.unwrap().is_empty());
    // A source without another one is asked once more, and that is the end.
    let error = server.client("ended").authenticate(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

/// Fails the first request of each operation in a way that leaves the commission as it was.
#[derive(Debug)]
struct FirstFails {
    how: First,
    server: Arc<dyn Transport>,
    met: Mutex<HashSet<String>>,
}

#[derive(Clone, Copy, Debug)]
enum First {
    Refused,
    NotConnected,
    Unauthorized,
}

impl Transport for FirstFails {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let path = request.uri.path();
        if !path.contains("/commissions") || !self.met.lock().unwrap().insert(path.to_owned()) {
            return self.server.send(request);
        }
        match self.how {
            First::Refused => {
                let error = Error::new(CoreErrorKind::Connect(ConnectPhase::Tcp), "refused");
                Box::pin(ready(Err(error.with_retryable(true))))
            }
            First::NotConnected => Box::pin(async move {
                let _given_up = GivenUp(request.written);
                std::future::pending().await
            }),
            First::Unauthorized => Box::pin(ready(Ok(Response::new(StatusCode::UNAUTHORIZED)))),
        }
    }
}

struct GivenUp(Written);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.given_up();
    }
}

#[tokio::test(start_paused = true)]
async fn commissions_that_no_attempt_reached_do_not_count_as_resolved() {
    for how in [First::Refused, First::NotConnected, First::Unauthorized] {
        let server = Server::new();
        let token = server.service_token("cyclades").unwrap();
        let network = FirstFails {
            how,
            server: server.host().transport(),
            met: Mutex::default(),
        };
        let client = Client::builder()
            .transport(Arc::new(network))
            .auth_url(server.auth_url())
            .token_source(Arc::new(Renewing {
                good: token,
                generation: AtomicU64::new(1),
            }))
            .build()
            .unwrap();
        let never = Serial::new(4711).unwrap();
        let error = client.accept(never).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts(), error.has_lost_attempt()),
            (ErrorKind::NotFound, 2, false),
            "{how:?}"
        );
        let resolution = client.resolve(&[never], &[]).await.unwrap();
        assert!(resolution.earlier.is_empty(), "{how:?}");
        assert_eq!(resolution.failed.len(), 1, "{how:?}");
    }
}
