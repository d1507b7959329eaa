//! A token that is renewed in the background.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use vouchsafe_core::auth::{Renewals, Token, TokenSource, read_file};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::task::{Keeper, MayHang};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Secret};

use crate::{Client, CreateTokenRequest};

/// A source of tokens that logs in and renews its token in the background.
///
/// The first token is fetched when it is first needed, and each is replaced at 80% of its lifetime,
/// give or take 5%. If that fails, it is tried again after at most 1, 2, 4, ... 32 seconds and at
/// least half of that, and the old token is used until it expires. Calls that find no valid token
/// wait for a login in progress, and otherwise fail with the error of the last one.
///
/// If the service no longer knows the token, such as after its session was ended, the source logs
/// in again immediately, and the call is repeated once. Such logins are at least a second apart, in
/// case the service refuses each token that it issues.
///
/// Cheap to clone; clones share the token. The background work ends when the last clone is dropped,
/// including those in clients.
///
/// ```no_run
/// use std::sync::Arc;
/// use vouchsafe_wazo_auth::{Client, RenewingToken};
///
/// # fn main() -> vouchsafe_wazo_auth::Result<()> {
/// let client = Client::builder().host("wazo.example.com").build()?;
/// let token = RenewingToken::file(&client, "/run/secrets/wazo-auth");
/// let client = client.with_token_source(Arc::new(token));
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RenewingToken(Arc<Owned>);

/// The state shared with the work is separate from its keeper, since the work must not keep itself
/// alive.
struct Owned {
    keeper: Keeper,
    shared: Arc<Shared>,
}

struct Shared {
    request: CreateTokenRequest,
    /// The file that is read for user name and password before each login.
    file: Option<PathBuf>,
    reading: MayHang,
    state: watch::Sender<Renewal>,
    /// The client's, so that its seed determines the times of logins.
    jitter: Jitter,
    renewals: Renewals,
}

/// The state of the renewal.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Renewal {
    /// The newest token, expired or not. Each new one has a newer generation.
    pub token: Option<Token>,
    /// The error of the last login, if it failed.
    pub error: Option<Error>,
    /// The end of the token's use, and the time of its replacement.
    times: Option<(Instant, Instant)>,
    is_refused: bool,
    /// Whether a login is in progress, or will be once the work has started.
    is_settled: bool,
}

impl RenewingToken {
    /// Creates a source that logs in by this request: with credentials, with a refresh token (so
    /// that no password is kept in memory), or in any other way that can be repeated.
    ///
    /// ```no_run
    /// # fn example(client: vouchsafe_wazo_auth::Client, secret: vouchsafe_wazo_auth::Secret) {
    /// use vouchsafe_wazo_auth::RenewingToken;
    ///
    /// let login = client.token().create().refresh_token("my-service", secret);
    /// let token = RenewingToken::new(login);
    /// # let _ = token;
    /// # }
    /// ```
    #[must_use]
    pub fn new(login: CreateTokenRequest) -> Self {
        Self::over(login, None)
    }

    /// Creates a source that logs in with a user name and a password from a file: one line, with a
    /// colon between them. The file is read before each login, so it may be replaced. A reading that takes
    /// longer than five seconds fails.
    #[must_use]
    pub fn file(client: &Client, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        Self::over(client.token().create(), Some(path))
    }

    fn over(request: CreateTokenRequest, file: Option<PathBuf>) -> Self {
        let shared = Arc::new(Shared {
            jitter: request.core().jitter(),
            request,
            file,
            reading: MayHang::new("reading a file of credentials", LONGEST_READING),
            state: watch::Sender::default(),
            renewals: Renewals::new("wazo-auth"),
        });
        let of_work = Arc::clone(&shared);
        let keeper = Keeper::new("renewing a token of wazo-auth", move || {
            let shared = Arc::clone(&of_work);
            async move { shared.work().await }
        });
        Self(Arc::new(Owned { keeper, shared }))
    }

    /// Returns a receiver of every change: a new token, or the error of a failed login.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Renewal> {
        self.0.shared.state.subscribe()
    }

    async fn current(&self) -> Result<Token, Error> {
        let Owned { keeper, shared } = &*self.0;
        if let Some(token) = shared.state.borrow().usable() {
            keeper.ensure();
            return Ok(token);
        }
        let mut states = shared.state.subscribe();
        let settled = async {
            let is_settled = |state: &Renewal| state.usable().is_some() || state.is_settled;
            let state = states.wait_for(is_settled).await;
            // The sender lives as long as this source.
            state.map(|state| state.clone()).unwrap_or_default()
        };
        let state = keeper.wait(settled).await?;
        state.usable().ok_or_else(|| {
            let expired = "the new token has expired already";
            state
                .error
                .unwrap_or_else(|| Error::new(ErrorKind::Credential, expired))
        })
    }
}

impl TokenSource for RenewingToken {
    fn token(&self) -> BoxFuture<'_, Result<Token, Error>> {
        Box::pin(self.current())
    }

    fn forget(&self, generation: u64) {
        self.0.shared.state.send_if_modified(|state| {
            let current = state.token.as_ref().map(Token::generation);
            let is_news = current == Some(generation) && !state.is_refused;
            if is_news {
                state.is_refused = true;
                state.is_settled = false;
            }
            is_news
        });
    }
}

impl fmt::Debug for RenewingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewingToken")
            .field("state", &*self.0.shared.state.borrow())
            .finish_non_exhaustive()
    }
}

impl Renewal {
    /// Returns the token if it seems valid.
    fn usable(&self) -> Option<Token> {
        let (until, _) = self.times?;
        let is_valid = !self.is_refused && Instant::now() < until;
        self.token.clone().filter(|_| is_valid)
    }

    fn is_due(&self) -> bool {
        match self.times {
            Some((_, renew_at)) => self.is_refused || Instant::now() >= renew_at,
            None => true,
        }
    }
}

impl Shared {
    async fn work(&self) {
        let jitter = self.jitter.clone();
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, jitter).at_least_half();
        let mut forced: Option<Instant> = None;
        loop {
            let (renew_at, is_refused) = {
                let state = self.state.borrow();
                let renew_at = state.times.filter(|_| !state.is_due()).map(|(_, at)| at);
                (renew_at, state.is_refused)
            };
            if let Some(at) = renew_at {
                tokio::select! {
                    () = sleep_until(at) => {}
                    () = self.refused() => {}
                }
                continue;
            }
            if is_refused {
                if let Some(last) = forced {
                    sleep_until(last + LEAST_WAIT).await;
                }
                forced = Some(Instant::now());
            }
            self.state.send_if_modified(|state| {
                state.is_settled = false;
                false
            });
            let begun = Instant::now();
            let created = self.log_in().await;
            let core = self.request.core();
            core.token_renewed(&self.renewals, begun, created.as_ref().err());
            match created {
                Ok(created) => {
                    backoff.reset();
                    self.keep(created, begun);
                }
                Err(error) => {
                    let wait = backoff.next_wait();
                    tracing::debug!(%error, ?wait, "logging in to wazo-auth failed");
                    let mut was_refused = false;
                    self.state.send_modify(|state| {
                        was_refused = state.is_refused;
                        state.error = Some(error);
                        state.is_settled = true;
                    });
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = self.refused(), if !was_refused => {}
                    }
                }
            }
        }
    }

    /// Waits until the token is refused.
    async fn refused(&self) {
        let mut states = self.state.subscribe();
        // The sender is this one's own.
        let _ = states.wait_for(|state| state.is_refused).await;
    }

    async fn log_in(&self) -> Result<crate::Token, Error> {
        let request = self.request.clone();
        let request = match &self.file {
            Some(file) => {
                let (username, password) = read(&self.reading, file.clone()).await?;
                request.credentials(username, password)
            }
            None => request,
        };
        let created = request.send().await.map_err(|error| {
            // The failed call is a different one from the call that needs the token, so it becomes
            // the cause.
            Error::new(error.core().kind(), format!("logging in failed: {error}"))
                .with_retryable(error.is_retryable())
                .with_source(error)
        });
        Ok(created?.token)
    }

    fn keep(&self, created: crate::Token, begun: Instant) {
        let lifetime = created
            .lifetime()
            .unwrap_or(USUAL_LIFETIME)
            .min(LONGEST_LIFETIME);
        let share = 0.75 + 0.1 * self.jitter.draw();
        let renew_after = lifetime.mul_f64(share).max(LEAST_WAIT);
        let times = (begun + lifetime, begun + renew_after);
        self.state.send_modify(|state| {
            let generation = state.token.as_ref().map_or(0, Token::generation) + 1;
            let token = Token::new(created.token).of_generation(generation);
            state.token = Some(match created.utc_expires_at {
                Some(at) => token.expires_at(at.to_system_time()),
                None => token,
            });
            state.times = Some(times);
            state.error = None;
            state.is_refused = false;
            state.is_settled = true;
        });
    }
}

/// Reads a user name and a password.
async fn read(reading: &MayHang, file: PathBuf) -> Result<(String, Secret), Error> {
    let read = reading.run(move || {
        let text = read_file("credentials file", &file)?;
        match text.expose().split_once(':') {
            Some((username, password)) if !username.is_empty() && !password.is_empty() => {
                Ok((username.to_owned(), Secret::from(password)))
            }
            _ => {
                let why = "has no line like USER:PASSWORD";
                let origin = format!("credentials file {}", file.display());
                Err(Error::new(ErrorKind::Credential, why).with_origin(origin))
            }
        }
    });
    let read = read.await;
    read.unwrap_or_else(|error| Err(error.with_kind(ErrorKind::Credential)))
}

/// For how long the file is waited for.
const LONGEST_READING: Duration = Duration::from_secs(5);

/// The bounds of the waits after failures.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(32);

/// The lifetime of tokens without a stated one, which is the server's default.
const USUAL_LIFETIME: Duration = Duration::from_secs(7200);

/// The longest lifetime that can be requested.
const LONGEST_LIFETIME: Duration = Duration::from_secs(315_360_000);

/// The minimum time before a token is replaced, and between logins after refusals, since logins
/// open sessions.
const LEAST_WAIT: Duration = Duration::from_secs(1);
