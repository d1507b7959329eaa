//! Calls to the members of a cluster.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use http::header::AUTHORIZATION;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use vouchsafe_core::auth::{Authorize, Cached, Credentials, HeaderToken, Token, TokenSource};
use vouchsafe_core::call::{AnswerStream, Call, CallOptions, Fault, Operation, Repeat};
use vouchsafe_core::transport::Response;
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{BoxFuture, CoreClient, Error, ErrorKind, Result, Secret, Sent, deadline};

use crate::wire::{Authenticate, Authenticated};

/// An answer may contain a record, which base64 makes a third longer.
const LARGEST_ANSWER: usize = 2 << 20;
pub(crate) const LARGEST_LIST: usize = 64 << 20;

const fn operation(id: &'static str, path: &'static str) -> Operation {
    Operation::new(id, Method::POST, path).response_limit(LARGEST_ANSWER)
}

pub(crate) static RANGE: Operation = operation("etcd.range", "/v3/kv/range").repeat(Repeat::Safe);
pub(crate) static LIST: Operation = operation("etcd.range", "/v3/kv/range")
    .repeat(Repeat::Safe)
    .response_limit(LARGEST_LIST);
pub(crate) static TXN: Operation = operation("etcd.txn", "/v3/kv/txn");
/// A grant that was lost ends by itself.
pub(crate) static GRANT: Operation =
    operation("etcd.leaseGrant", "/v3/lease/grant").repeat(Repeat::Safe);
pub(crate) static LASTING: Operation =
    operation("etcd.leaseTimeToLive", "/v3/lease/timetolive").repeat(Repeat::Safe);
static WATCH: Operation = operation("etcd.watch", "/v3/watch").repeat(Repeat::Safe);
static AUTHENTICATE: Operation = operation("etcd.authenticate", "/v3/auth/authenticate")
    .repeat(Repeat::Safe)
    .open();

/// How long a token counts as valid; it is replaced somewhat earlier. A server drops one that was not used for
/// five minutes.
const TOKEN_LIFE: Duration = Duration::from_secs(240);
/// How long a listener waits without news before it checks that the server is still there.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// The members of a cluster. One is used until it fails.
#[derive(Debug)]
pub(crate) struct Api {
    members: Arc<Members>,
    login: Option<Login>,
}

#[derive(Debug)]
struct Members {
    core: CoreClient,
    urls: Vec<BaseUrl>,
    current: AtomicUsize,
    limit: Duration,
}

impl Api {
    pub(crate) fn new(
        core: CoreClient,
        urls: Vec<BaseUrl>,
        limit: Duration,
        login: Option<(String, Secret)>,
    ) -> Self {
        let members = Arc::new(Members {
            core,
            urls,
            current: AtomicUsize::new(0),
            limit,
        });
        let login = login.map(|(name, password)| {
            let account = Account {
                members: Arc::clone(&members),
                name,
                password,
            };
            members.core.cached("etcd", account)
        });
        Self { members, login }
    }

    /// Returns how long a request may take.
    pub(crate) fn limit(&self) -> Duration {
        self.members.limit
    }

    /// Sends a body without secrets.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static Operation,
        body: &(impl Serialize + Sync),
    ) -> Result<T> {
        let call = Call::new(operation, Target::new(operation.path())).json(body)?;
        self.members
            .ask(call, self.login.as_ref())
            .await
            .map_err(of_store)
    }

    /// Sends a record.
    pub(crate) async fn write<T: DeserializeOwned>(
        &self,
        body: &(impl Serialize + Sync),
    ) -> Result<T> {
        let call = Call::new(&TXN, Target::new(TXN.path())).secret_json(body)?;
        self.members
            .ask(call, self.login.as_ref())
            .await
            .map_err(of_store)
    }

    pub(crate) async fn watch(&self, body: &(impl Serialize + Sync)) -> Result<AnswerStream> {
        let call = Call::new(&WATCH, Target::new(WATCH.path())).json(body)?;
        let (_, url) = self.members.next(0);
        let options = CallOptions::new().attempt_timeout(LONGEST_SILENCE);
        let credentials = self.login.as_ref().map(credentials);
        let stream = self
            .members
            .core
            .stream(url, call, credentials, &options)
            .await;
        stream
            .inspect_err(|_| self.members.turn())
            .map_err(of_store)
    }
}

impl Members {
    /// Returns the member that is `later` places behind the current one, and its place.
    fn next(&self, later: usize) -> (usize, &BaseUrl) {
        let place = (self.current.load(Ordering::Relaxed) + later) % self.urls.len();
        (place, &self.urls[place])
    }

    fn turn(&self) {
        self.current.store(self.next(1).0, Ordering::Relaxed);
    }

    async fn ask<T: DeserializeOwned>(&self, call: Call, login: Option<&Login>) -> Result<T> {
        let late = deadline::after(Instant::now(), self.limit);
        let is_safe = call.operation().repeatable() == Repeat::Safe;
        let mut failed = None;
        for later in 0..self.urls.len() {
            let (place, url) = self.next(later);
            let left = late.saturating_duration_since(Instant::now());
            if left.is_zero() && failed.is_some() {
                break;
            }
            // The remaining time is shared among the remaining members.
            let share = left / u32::try_from(self.urls.len() - later).unwrap_or(u32::MAX);
            let options = CallOptions::new().deadline(share);
            let sent = self
                .core
                .send(url, call.clone(), login.map(credentials), &options);
            let error = match sent.await {
                Ok(answer) => {
                    self.current.store(place, Ordering::Relaxed);
                    return answer.json();
                }
                Err(error) => error,
            };
            let may_go_on = error.is_retryable() && (is_safe || error.sent() == Sent::No);
            failed = Some(error);
            if !may_go_on {
                break;
            }
        }
        if failed.as_ref().is_some_and(Error::is_retryable) {
            self.turn();
        }
        Err(failed.unwrap_or_else(|| {
            Error::new(ErrorKind::Config, "no member of the cluster is configured")
        }))
    }
}

/// Issues tokens of etcd for a name and a password.
struct Account {
    members: Arc<Members>,
    name: String,
    password: Secret,
}

type Login = Cached<Account>;

fn credentials(login: &Login) -> Credentials<'_> {
    Credentials::new(login, login.source())
}

impl TokenSource for Account {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(async {
            let body = Authenticate {
                name: &self.name,
                password: &self.password,
            };
            let call = Call::new(&AUTHENTICATE, Target::new(AUTHENTICATE.path()));
            let call = call.secret_json(&body)?;
            let answer: Authenticated = self.members.ask(call, None).await?;
            let expiry = self.members.core.clock().now() + TOKEN_LIFE;
            Ok(Token::new(answer.token).expires_at(expiry))
        })
    }
}

impl Authorize for Account {
    fn authorize(&self, token: &Token, headers: &mut http::HeaderMap) -> Result<()> {
        HeaderToken::new(AUTHORIZATION).authorize(token, headers)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Reads a refusal: `{"error": "...", "code": 7, "message": "..."}`.
pub(crate) fn read_fault(response: &Response) -> Fault {
    #[derive(serde::Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = serde_json::from_slice::<Refusal>(&response.body);
    Fault::new(None, refusal.ok().map(|refusal| refusal.error))
}

/// Errors of a store have one kind, whatever their cause.
pub(crate) fn of_store(error: Error) -> Error {
    error.with_kind(ErrorKind::Store)
}
