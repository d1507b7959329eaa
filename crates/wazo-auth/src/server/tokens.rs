//! What tokens are: asked of wazo-auth once, and remembered for a while.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::cache::{Cache, Digest, Fetched};
use vouchsafe_core::{BoxFuture, Clock, Secret, SystemClock};

use super::Refusal;
use crate::{Acl, Client, Error, ErrorKind, Result, Token, Validity};

/// Asks what a token is: the crate's `Client`, or a double in tests.
pub trait Introspect: fmt::Debug + Send + Sync + 'static {
    /// Returns a token. An unknown or expired one is an error of kind `NotFound`.
    fn token<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Token>>;

    /// Asks whether a token covers an access and may act for a tenant, as far as they are given.
    fn check<'a>(
        &'a self,
        token: &'a Secret,
        access: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>>;
}

impl Introspect for Client {
    fn token<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move { self.token().get(token.clone()).send().await })
    }

    fn check<'a>(
        &'a self,
        token: &'a Secret,
        access: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>> {
        let mut request = self.token().check(token.clone());
        if let Some(access) = access {
            request = request.required_access(access);
        }
        if let Some(tenant) = tenant {
            request = request.tenant(tenant);
        }
        Box::pin(async move { request.validity().await })
    }
}

impl<I: Introspect + ?Sized> Introspect for Arc<I> {
    fn token<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Token>> {
        (**self).token(token)
    }

    fn check<'a>(
        &'a self,
        token: &'a Secret,
        access: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>> {
        (**self).check(token, access, tenant)
    }
}

/// Knows what tokens are. Each token is asked for once, however many requests wait for the answer,
/// and remembered until it expires, but not for longer than [`max_age`](TokensBuilder::max_age).
///
/// Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Arc<dyn Introspect>,
    known: Cache<Digest, Arc<Known>, Error>,
    answers: Cache<Digest, Validity, Error>,
    max_age: Duration,
    clock: Arc<dyn Clock>,
}

/// A token, with its list compiled.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) info: Token,
    pub(super) acl: Acl,
}

impl Tokens {
    /// Asks this source, usually a [`Client`], with the defaults that the setters of
    /// [`builder`](Self::builder) document.
    #[must_use]
    pub fn new(source: impl Introspect) -> Self {
        Self::builder(source).build()
    }

    /// Returns a builder.
    pub fn builder(source: impl Introspect) -> TokensBuilder {
        TokensBuilder {
            source: Arc::new(source),
            max_age: Duration::from_secs(60),
            capacity: 10_000,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Forgets what is known of a token, for a service that hears of its revocation. The next
    /// request with it asks again. Returns whether anything was known.
    #[expect(clippy::must_use_candidate, reason = "seldom of interest")]
    pub fn forget(&self, token: &Secret) -> bool {
        // The answers of one token cannot be told from those of others, and are soon had again.
        self.0.answers.clear();
        self.0.known.forget(&Digest::of(token.expose()))
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.answers.clear();
        self.0.known.clear();
    }

    /// Returns what a token is.
    pub(super) async fn find(&self, token: &Secret) -> Result<Arc<Known>, Refusal> {
        // The server compares this header literally; other texts are in no use, and end here, so
        // that they take no room.
        if !is_uuid(token.expose()) {
            return Err(Refusal::unknown_token());
        }
        let Shared {
            source,
            known,
            max_age,
            clock,
            ..
        } = &*self.0;
        let fetch = || {
            let (source, clock) = (Arc::clone(source), Arc::clone(clock));
            let (token, max_age) = (token.clone(), *max_age);
            async move {
                let info = source.token(&token).await?;
                let expiry = info.utc_expires_at.map(|at| at.to_system_time());
                let left = expiry.map(|at| at.duration_since(clock.now()).unwrap_or_default());
                let ttl = left.map_or(max_age, |left| left.min(max_age));
                let acl = info.acl();
                Ok(Fetched::new(Arc::new(Known { info, acl })).ttl(ttl))
            }
        };
        let found = known.get_or_fetch(&Digest::of(token.expose()), fetch).await;
        found.map_err(|error| match error.kind() {
            ErrorKind::Core(vouchsafe_core::ErrorKind::NotFound) => Refusal::unknown_token(),
            _ => Refusal::unavailable(error),
        })
    }

    /// Refuses a tenant that a token may not act for.
    pub(super) async fn check_tenant(
        &self,
        token: &Secret,
        known: &Known,
        tenant: &str,
    ) -> Result<(), Refusal> {
        let own = known.info.metadata.tenant_uuid.as_ref();
        if own.is_some_and(|own| own.as_str() == tenant) {
            return Ok(());
        }
        if !is_uuid(tenant) {
            return Err(Refusal::hidden_tenant(tenant));
        }
        match self.ask(token, None, Some(tenant)).await? {
            Validity::Valid => Ok(()),
            Validity::NotAllowed => Err(Refusal::hidden_tenant(tenant)),
            Validity::NotValid => Err(self.unknown(token)),
        }
    }

    /// Returns whether a token covers an access, as the server says.
    pub(super) async fn covers(&self, token: &Secret, access: &str) -> Result<bool, Refusal> {
        match self.ask(token, Some(access), None).await? {
            Validity::Valid => Ok(true),
            Validity::NotAllowed => Ok(false),
            Validity::NotValid => Err(self.unknown(token)),
        }
    }

    async fn ask(
        &self,
        token: &Secret,
        access: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Validity, Refusal> {
        let mut key = Digest::of(token.expose());
        for part in [access, tenant] {
            let part = part.map_or_else(String::new, |part| format!("={part}"));
            key = key.and(part);
        }
        let fetch = || {
            let (source, token) = (Arc::clone(&self.0.source), token.clone());
            let (access, tenant) = (access.map(str::to_owned), tenant.map(str::to_owned));
            async move {
                let answer = source.check(&token, access.as_deref(), tenant.as_deref());
                Ok(Fetched::new(answer.await?))
            }
        };
        let answer = self.0.answers.get_or_fetch(&key, fetch).await;
        answer.map_err(Refusal::unavailable)
    }

    /// Refuses a token that has turned out to be unknown meanwhile.
    fn unknown(&self, token: &Secret) -> Refusal {
        self.0.known.forget(&Digest::of(token.expose()));
        Refusal::unknown_token()
    }
}

/// Makes [`Tokens`].
#[derive(Debug)]
#[must_use]
pub struct TokensBuilder {
    source: Arc<dyn Introspect>,
    max_age: Duration,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

impl TokensBuilder {
    /// Sets for how long a token is remembered at most: a revoked token passes for that long. With
    /// zero, each request asks. Default: one minute.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets how many tokens are remembered. Default: 10,000.
    pub fn capacity(mut self, tokens: usize) -> Self {
        self.capacity = tokens;
        self
    }

    /// Sets the wall clock, by which tokens expire. Default: the machine's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds it. Does not need a runtime.
    #[must_use]
    pub fn build(self) -> Tokens {
        let known = Cache::builder()
            .ttl(self.max_age)
            .capacity(self.capacity)
            .clock(Arc::clone(&self.clock))
            .definite(is_unknown)
            .error_ttl_by(|error| is_unknown(error).then_some(UNKNOWN_FOR));
        let answers = Cache::builder()
            .ttl(self.max_age)
            .capacity(self.capacity)
            .clock(Arc::clone(&self.clock));
        Tokens(Arc::new(Shared {
            source: self.source,
            known: known.build(),
            answers: answers.build(),
            max_age: self.max_age,
            clock: self.clock,
        }))
    }
}

/// For how long a token is remembered as unknown. Servers make up their tokens, so that one that
/// was unknown does not become known.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);

fn is_unknown(error: &Error) -> bool {
    error.kind() == ErrorKind::Core(vouchsafe_core::ErrorKind::NotFound)
}

/// Returns whether a text is a UUID as the server writes them, in lower case.
fn is_uuid(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_right)
}
