//! Failures that are shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};
use vouchsafe_cloud_credentials::{ClientAuthentication, Credentials, CredentialsBuilder};
use vouchsafe_core::store::Store;
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Error, ErrorKind as Kind, Result, Sent};

use crate::server::{record, seeded};

/// A server that fails: it answers with a status, or refuses connections.
#[derive(Debug, Default)]
struct Failing {
    status: Option<StatusCode>,
    /// When to try again, if it says so.
    wait: Option<u64>,
    requests: AtomicU64,
    /// How many are under way, and how many were at most.
    now: AtomicU64,
    most: AtomicU64,
}

impl Failing {
    fn with(status: Option<StatusCode>, wait: Option<u64>) -> Arc<Self> {
        let failing = Self::default();
        Arc::new(Self {
            status,
            wait,
            ..failing
        })
    }

    fn builder(self: &Arc<Self>, store: &Arc<dyn Store>) -> CredentialsBuilder {
        let builder = Credentials::builder().store(Arc::clone(store));
        builder.transport(Arc::clone(self) as _)
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Transport for Failing {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(now, Ordering::Relaxed);
            sleep(Duration::from_millis(10)).await;
            self.now.fetch_sub(1, Ordering::Relaxed);
            let refused = || {
                let error = Error::new(Kind::Transport, "connection refused");
                error.with_sent(Sent::No)
            };
            let mut response = self.status.map(Response::new).ok_or_else(refused)?;
            if let Some(wait) = self.wait {
                response
                    .headers
                    .insert(RETRY_AFTER, HeaderValue::from(wait));
            }
            Ok(response)
        })
    }
}

const OBJECTS: u64 = 5;

#[tokio::test(start_paused = true)]
async fn an_answer_is_shared_by_all_of_a_process_and_a_failure_without_one_by_clones() {
    let failed = Some(StatusCode::INTERNAL_SERVER_ERROR);
    for (status, requests) in [(failed, 1), (None, OBJECTS)] {
        let server = Failing::with(status, None);
        let store = seeded("rt-0").await;
        let before = record(&*store).await;
        let mut tasks = JoinSet::new();
        for _ in 0..OBJECTS {
            let credentials = server.builder(&store).build().unwrap();
            for _ in 0..10 {
                let credentials = credentials.clone();
                tasks.spawn(async move { credentials.refresh().await.unwrap_err() });
            }
        }
        for error in tasks.join_all().await {
            assert_eq!(error.status(), status, "{error}");
        }
        assert_eq!(server.requests(), requests);
        assert_eq!(server.most.load(Ordering::Relaxed), 1);
        assert_eq!(record(&*store).await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_shared_for_as_long_as_the_server_asks() {
    for (wait, kept) in [(None, 1), (Some(10), 10), (Some(3600), 60)] {
        let server = Failing::with(Some(StatusCode::SERVICE_UNAVAILABLE), wait);
        let store = seeded("rt-0").await;
        // Failures are kept as long as there are credentials.
        let _first = server.builder(&store).build().unwrap();
        let fail = async || {
            let credentials = server.builder(&store).build().unwrap();
            credentials.refresh().await.unwrap_err()
        };
        let first = fail().await;
        assert_eq!(first.retry_after(), wait.map(Duration::from_secs));
        let half = Duration::from_millis(kept * 500);
        advance(half).await;
        // What is left of it.
        assert_eq!(fail().await.retry_after(), wait.map(|_| half));
        assert_eq!(server.requests(), 1);
        advance(half).await;
        fail().await;
        assert_eq!(server.requests(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_not_that_of_another_store_profile_server_client_or_login() {
    let server = Failing::with(Some(StatusCode::BAD_REQUEST), None);
    let store = seeded("rt-0").await;
    let builder = || server.builder(&store);
    let given = || builder().client_id("c").client_secret("s");
    let elsewhere = seeded("rt-0").await;
    let all = [
        builder(),
        server.builder(&elsewhere),
        given().refresh_token("rt-0").profile("other"),
        builder().token_url("https://other.example.com"),
        builder().client_authentication(ClientAuthentication::Basic),
        given().client_id("d").refresh_token("rt-0"),
        given().client_secret("t").refresh_token("rt-0"),
        given().refresh_token("rt-1"),
    ];
    // Failures are kept as long as there are credentials.
    let mut kept = Vec::new();
    for (number, builder) in (1..).zip(all) {
        let same = builder.clone();
        for credentials in [builder, same].map(|builder| builder.build().unwrap()) {
            credentials.refresh().await.unwrap_err();
            assert_eq!(server.requests(), number);
            kept.push(credentials);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_keeps_nothing_alive() {
    let server = Failing::with(Some(StatusCode::SERVICE_UNAVAILABLE), Some(60));
    let store = seeded("rt-0").await;
    let credentials = server.builder(&store).build().unwrap();
    credentials.refresh().await.unwrap_err();
    let (of_store, of_server) = (Arc::downgrade(&store), Arc::downgrade(&server));
    drop((credentials, store, server));
    tokio::task::yield_now().await;
    assert_eq!((of_store.strong_count(), of_server.strong_count()), (0, 0));
}
