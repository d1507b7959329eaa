//! Looks up tokens at wazo-auth once, and caches them for a while.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use vouchsafe_core::cache::{Cache, Digest, Fetched};
use vouchsafe_core::{Clock, Secret};

use super::{Introspect, Refusal};
use crate::{Acl, Error, ErrorKind, Token, Validity};

/// A cache of tokens. Each token is looked up once, however many requests wait for the answer, and
/// cached until it expires, but not for longer than [`max_age`](TokensBuilder::max_age).
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
    /// Creates a cache over this source, usually a [`Client`](crate::Client), with the defaults
    /// that the setters of [`builder`](Self::builder) document.
    #[must_use]
    pub fn new(source: impl Introspect) -> Self {
        Self::builder(source).build()
    }

    /// Returns a builder.
    pub fn builder(source: impl Introspect) -> TokensBuilder {
        TokensBuilder {
            clock: source.clock(),
            source: Arc::new(source),
            max_age: Duration::from_secs(60),
            capacity: 10_000,
        }
    }

    /// Removes a token from the cache, for a service that is notified of its revocation. The next
    /// request with it looks it up again. Returns whether it was cached.
    #[expect(clippy::must_use_candidate, reason = "seldom of interest")]
    pub fn forget(&self, token: &Secret) -> bool {
        // The answers for one token cannot be distinguished from those for others, and are quickly
        // fetched again.
        self.0.answers.clear();
        self.0.known.forget(&Digest::of(token.expose()))
    }

    /// Clears the cache.
    pub fn clear(&self) {
        self.0.answers.clear();
        self.0.known.clear();
    }

    /// Returns a token's data, or `None` if the server does not know it.
    pub(super) async fn find(&self, token: &Secret) -> Result<Option<Arc<Known>>, Refusal> {
        // The server compares this header literally, so other texts are never valid. They end here
        // and take no space in the cache.
        if !is_uuid(token.expose()) {
            return Ok(None);
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
        match known.get_or_fetch(&Digest::of(token.expose()), fetch).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_unknown(&error) => Ok(None),
            Err(error) => Err(Refusal::unavailable(error, self.now())),
        }
    }

    /// Returns whether a token may act for a tenant.
    pub(super) async fn may_act(
        &self,
        token: &Secret,
        known: &Known,
        tenant: &str,
    ) -> Result<Validity, Refusal> {
        let own = known.info.metadata.tenant_uuid.as_ref();
        if own.is_some_and(|own| own.as_str() == tenant) {
            return Ok(Validity::Valid);
        }
        if !is_uuid(tenant) {
            return Ok(Validity::NotAllowed);
        }
        self.ask(token, None, Some(tenant)).await
    }

    /// Returns whether a token covers an access according to the server.
    pub(super) async fn covers(&self, token: &Secret, access: &str) -> Result<Validity, Refusal> {
        self.ask(token, Some(access), None).await
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
        let answer = answer.map_err(|error| Refusal::unavailable(error, self.now()))?;
        if answer == Validity::NotValid {
            self.0.known.forget(&Digest::of(token.expose()));
        }
        Ok(answer)
    }

    /// Returns the time, for the body of a refusal.
    pub(super) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }
}

/// Builds [`Tokens`].
#[derive(Debug)]
#[must_use]
pub struct TokensBuilder {
    source: Arc<dyn Introspect>,
    max_age: Duration,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

impl TokensBuilder {
    /// Sets how long a token is cached at most: a revoked token is accepted for that long. With
    /// zero, each request looks it up. Default: one minute. Unknown tokens are cached for 30
    /// seconds, independent of this setting.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets how many tokens are cached. Default: 10,000.
    pub fn capacity(mut self, tokens: usize) -> Self {
        self.capacity = tokens;
        self
    }

    /// Sets the wall clock for expiries and for the dates of refusals. Default: that of the source,
    /// which a client has from its own builder.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the cache. Does not need a runtime.
    #[must_use]
    pub fn build(self) -> Tokens {
        let known = Cache::builder()
            .ttl(self.max_age)
            .capacity(self.capacity)
            .clock(Arc::clone(&self.clock))
            .fetch_again(true)
            .definite(is_unknown)
            .error_ttl_by(|error| is_unknown(error).then_some(UNKNOWN_FOR));
        let answers = Cache::builder()
            .ttl(self.max_age)
            .capacity(self.capacity)
            .clock(Arc::clone(&self.clock))
            .fetch_again(true);
        Tokens(Arc::new(Shared {
            source: self.source,
            known: known.build(),
            answers: answers.build(),
            max_age: self.max_age,
            clock: self.clock,
        }))
    }
}

/// How long a token is cached as unknown. Servers create random tokens, so an unknown one does not
/// become known.
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
