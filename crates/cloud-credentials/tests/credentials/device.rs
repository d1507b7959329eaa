//! Logins on another device, by the standard's rules for asking. Time is paused.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use vouchsafe_cloud_credentials::core::auth::oauth::ErrorCode;
use vouchsafe_cloud_credentials::{Credentials, CredentialsBuilder, DeviceLogin, ErrorKind};
use vouchsafe_core::store::MemoryStore;
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Error, ErrorKind as Kind, Result, Sent};

use crate::server::{Fragile, memory, put, record};

/// Answers polls as told, and notes when and with what it was asked.
#[derive(Debug)]
struct Server {
    started: Instant,
    polls: Mutex<VecDeque<Option<(u16, Value)>>>,
    seen: Mutex<Vec<(u64, String)>>,
    takes: Duration,
    /// How long the user has, in seconds.
    lasts: u64,
}

impl Server {
    /// `None` is a connection that breaks.
    fn new(polls: impl IntoIterator<Item = Option<(u16, Value)>>, takes: u64) -> Arc<Self> {
        Self::lasting(60, polls, takes)
    }

    fn lasting(
        lasts: u64,
        polls: impl IntoIterator<Item = Option<(u16, Value)>>,
        takes: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            polls: Mutex::new(polls.into_iter().collect()),
            seen: Mutex::default(),
            takes: Duration::from_millis(takes),
            lasts,
        })
    }

    fn answer(&self, request: &Request) -> Result<Response> {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let at = self.started.elapsed().as_secs();
        self.seen.lock().unwrap().push((at, body));
        let (status, body) = match request.uri.path() {
            "/device" => (200, begun(self.lasts)),
            _ => self
                .polls
                .lock()
                .unwrap()
                .pop_front()
                .unwrap()
                .ok_or_else(broken)?,
        };
        let mut response = Response::new(StatusCode::from_u16(status).unwrap());
        response.body = body.to_string().into();
        Ok(response)
    }

    /// Returns when tokens were asked for.
    fn polled(&self) -> Vec<u64> {
        let seen = self.seen.lock().unwrap();
        seen[1..].iter().map(|(at, _)| *at).collect()
    }
}

impl Transport for Server {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            let answer = self.answer(&request);
            tokio::time::sleep(self.takes).await;
            answer
        })
    }
}

fn begun(lasts: u64) -> Value {
    json!({
        "device_code": "planted", "user_code": "WDJB-MJHT",
        "verification_uri": "https://login.example.com/device",
        "verification_uri_complete": "https://login.example.com/device?c=1",
        "expires_in": lasts, "interval": 5,
    })
}

fn broken() -> Error {
    let error = Error::new(Kind::Transport, "broke").with_sent(Sent::Maybe);
    error.with_retryable(true)
}

fn refused(code: &str) -> Option<(u16, Value)> {
    Some((400, json!({"error": code})))
}

fn granted() -> Option<(u16, Value)> {
    let tokens = json!({"access_token": "at", "refresh_token": "rt", "token_type": "bearer"});
    Some((200, tokens))
}

fn builder(server: &Arc<Server>) -> CredentialsBuilder {
    Credentials::builder()
        .token_url("https://login.example.com")
        .device_authorization_url("https://login.example.com/device")
        .transport(Arc::clone(server) as Arc<dyn Transport>)
}

async fn begin(server: &Arc<Server>) -> DeviceLogin {
    let credentials = builder(server).build().unwrap();
    let request = credentials.device_login().client_id("c").client_secret("s");
    request.scopes(["a", "b"]).send().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_login_is_waited_for_as_the_server_says_and_its_tokens_are_written() {
    let pending = || refused("authorization_pending");
    let server = Server::new([pending(), refused("slow_down"), pending(), granted()], 0);
    let store = Arc::new(MemoryStore::new());
    let credentials = builder(&server).store(store.clone()).build().unwrap();
    let request = credentials.device_login().client_id("c").client_secret("s");
    let mut login = request.scopes(["a", "b"]).send().await.unwrap();
    assert_eq!(login.user_code(), "WDJB-MJHT");
    assert_eq!(login.verification_uri(), "https://login.example.com/device");
    assert!(login.verification_uri_complete().is_some());
    assert_eq!(login.time_left(), Duration::from_secs(60));
    assert!(!format!("{login:?}").contains("planted"));
    let answer = login.wait().await.unwrap();
    assert_eq!(answer.access_token.expose(), "at");
    assert_eq!(server.polled(), [5, 10, 20, 30]);
    let seen = server.seen.lock().unwrap().clone();
    assert_eq!(seen[0].1, "client_id=c&client_secret=s&scope=a+b");
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let poll = format!("grant_type={grant}&client_id=c&client_secret=s&device_code=planted");
    assert_eq!(seen[1].1, poll);
    let record = record(&*store).await;
    assert_eq!(
        (&record["access_token"], &record["refresh_token"]),
        (&json!("at"), &json!("rt"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_loses_neither_the_tokens_nor_its_turn() {
    let server = Server::new([refused("authorization_pending"), granted()], 1000);
    let mut login = begin(&server).await;
    // Once while waiting, once while the answer with the tokens is on its way.
    for _ in 0..8 {
        let given_up = timeout(Duration::from_millis(1500), login.wait()).await;
        assert!(given_up.is_err());
    }
    let answer = login.wait().await.unwrap();
    assert_eq!(answer.access_token.expose(), "at");
    assert_eq!(server.polled().len(), 2);
    // It is still available to the next caller.
    assert!(login.wait().await.is_ok());
    assert_eq!(server.polled().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_with_a_limit_ends_with_the_poll_that_is_in_progress() {
    let pending = || refused("authorization_pending");
    for (limit, polled, is_granted, waited) in [
        (4, vec![], false, 4),
        // The answers take two seconds.
        (6, vec![5], false, 7),
        (13, vec![5, 12], true, 14),
        (600, vec![5, 12], true, 14),
    ] {
        let server = Server::new([pending(), granted()], 2000);
        let mut login = begin(&server).await;
        let begun = Instant::now();
        let answer = login.wait_for(Duration::from_secs(limit)).await.unwrap();
        assert_eq!(answer.is_some(), is_granted, "{limit}");
        assert_eq!(begun.elapsed(), Duration::from_secs(waited), "{limit}");
        // The request that began the login took as long.
        let polled: Vec<u64> = polled.into_iter().map(|at| at + 2).collect();
        assert_eq!(server.polled(), polled, "{limit}");
    }
    let server = Server::lasting(8, [pending(), pending()], 0);
    let expired = begin(&server).await.wait_for(Duration::from_secs(9)).await;
    assert_eq!(
        expired.unwrap_err().oauth_code(),
        Some(ErrorCode::ExpiredToken)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_asked_less_often() {
    let busy = || Some((503, json!({})));
    let server = Server::new([None, busy(), granted()], 0);
    begin(&server).await.wait().await.unwrap();
    assert_eq!(server.polled(), [5, 15, 35]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_for_long_is_still_asked_every_five_minutes() {
    let polls = std::iter::repeat_with(|| None).take(99);
    let server = Server::lasting(86_400, polls.chain([granted()]), 0);
    begin(&server).await.wait().await.unwrap();
    let polled = server.polled();
    assert_eq!(polled.len(), 100);
    assert_eq!(polled[99] - polled[98], 300);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_refuses_or_comes_too_late_ends_the_login() {
    let server = Server::new([refused("access_denied")], 0);
    let error = begin(&server).await.wait().await.unwrap_err();
    assert_eq!(error.oauth_code(), Some(ErrorCode::AccessDenied));
    assert!(!error.is_retryable());

    let late = std::iter::repeat_with(|| refused("authorization_pending")).take(20);
    let server = Server::new(late, 0);
    let error = begin(&server).await.wait().await.unwrap_err();
    assert_eq!(error.oauth_code(), Some(ErrorCode::ExpiredToken));
    assert!(error.is_reauthorization_needed());
    assert_eq!(server.polled().last(), Some(&55));

    let server = Server::new([refused("expired_token")], 0);
    let error = begin(&server).await.wait().await.unwrap_err();
    assert_eq!(error.oauth_code(), Some(ErrorCode::ExpiredToken));
}

#[tokio::test(start_paused = true)]
async fn without_an_endpoint_or_a_client_nothing_is_sent() {
    let server = Server::new([], 0);
    let credentials = builder(&server).build().unwrap();
    let error = credentials.device_login().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCredentials);
    let none = Credentials::builder().transport(server.clone()).build();
    let request = none.unwrap().device_login().client_id("c");
    let error = request.send().await.unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("device"),
        "{error}"
    );
    assert!(server.seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_secret_of_one_client_is_not_sent_or_stored_for_another_that_logs_in() {
    let stored = json!({"client_id": "c", "client_secret": "secret of c", "refresh_token": "rt-c"});
    for (is_given, is_on_device) in [(false, false), (false, true), (true, false), (true, true)] {
        let revoked = Some((200, json!({})));
        let server = Server::new([granted(), granted(), revoked], 0);
        let store = memory();
        let mut builder = builder(&server).store(Arc::clone(&store));
        if is_given {
            builder = builder.client_id("c").client_secret("secret of c");
        } else {
            put(&*store, &stored).await;
        }
        let credentials = builder.build().unwrap();
        for code in ["first", "second"] {
            if is_on_device {
                let login = credentials.device_login().client_id("d").send().await;
                login.unwrap().wait().await.unwrap();
            } else {
                let exchange = credentials.exchange(code).client_id("d");
                exchange.send().await.unwrap();
            }
        }
        let now = record(&*store).await;
        assert_eq!(
            (&now["client_id"], &now["client_secret"]),
            (&json!("d"), &json!(null))
        );
        let error = credentials.refresh().await.unwrap_err();
        assert_eq!(error.missing().unwrap().values(), ["client_secret"]);
        credentials.revoke_access_token().await.unwrap();
        let seen = server.seen.lock().unwrap().clone();
        assert_eq!(seen.len(), if is_on_device { 5 } else { 3 });
        for (_, body) in seen {
            assert!(
                !body.contains("secret of c") && !body.contains("secret+of+c"),
                "{body}"
            );
        }
        // What is set counts again.
        credentials.set_client_id(Some("c".to_owned()));
        let secret = credentials.values().await.unwrap().client_secret;
        assert_eq!(secret.is_some(), is_given);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_saved_is_kept_until_it_is() {
    let server = Server::new([granted()], 0);
    let store = Arc::new(Fragile::default());
    store.is_full.store(true, Ordering::Relaxed);
    let credentials = builder(&server).store(store.clone()).build().unwrap();
    let request = credentials.device_login().client_id("c").client_secret("s");
    let mut login = request.send().await.unwrap();
    login.wait().await.unwrap_err();
    drop(login);
    assert!(credentials.has_unsaved_refresh_token());
    store.is_full.store(false, Ordering::Relaxed);
    credentials.flush().await.unwrap();
    assert!(!credentials.has_unsaved_refresh_token());
    assert_eq!(record(&*store).await["refresh_token"], "rt");
}
