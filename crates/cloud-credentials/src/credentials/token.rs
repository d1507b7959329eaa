//! The current access token, and how it is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use thread_local::ThreadLocal;
use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::cache::Fetched;
use vouchsafe_core::{BoxFuture, Secret};

use super::Credentials;
use super::values::{LoggedIn, Resolved};
use crate::Result;
use crate::record::digest;
use crate::refresh::{Failure, Given, Refreshed, Stale, Wanted};
use crate::validity::Validity;

/// The cached token.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) token: Token,
    /// The token once more for each thread that was given it. Clones count their owners, and threads
    /// that count together wait for each other.
    copies: ThreadLocal<Token>,
    /// When to replace it.
    due: Option<SystemTime>,
    is_refused: AtomicBool,
}

impl Credentials {
    /// Replaces the current access token, and returns the new one. If another task or process
    /// replaces it in the meantime, returns that one and makes no request.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PartialCredentials`](crate::ErrorKind::PartialCredentials) if a value is
    ///   missing; nothing is sent.
    /// - [`ErrorKind::TokenEndpoint`](crate::ErrorKind::TokenEndpoint) if the server refuses. If
    ///   [`is_reauthorization_needed`](crate::Error::is_reauthorization_needed), the refresh token
    ///   is not sent again until it changes.
    /// - [`ErrorKind::InvalidResponse`](crate::ErrorKind::InvalidResponse);
    ///   [`RefreshTimeout`](crate::ErrorKind::RefreshTimeout) if another process holds the lease
    ///   for too long; [`StoreCorrupt`](crate::ErrorKind::StoreCorrupt) or of kind `Store` if the
    ///   store cannot be read.
    ///
    /// An error is kept for a second, or as long as the server asks, but for a minute at most, for all
    /// clones of these credentials. If the server answered, it is kept for others of this process, too,
    /// which were built with the same store object and would send the same to the same endpoint.
    pub async fn refresh(&self) -> Result<Secret> {
        let resolved = self.resolve().await?;
        let stale = resolved.values.access_token.clone();
        let stale = stale.map_or(Stale::Current, Stale::Token);
        Ok(self.replace(stale, resolved).await?.secret().clone())
    }

    /// Returns an access token other than the given one, which proved bad: the current one if it
    /// differs, or else one from [`refresh`](Self::refresh).
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh).
    pub async fn refresh_stale(&self, stale: &Secret) -> Result<Secret> {
        let resolved = self.resolve().await?;
        let other = resolved
            .values
            .access_token
            .clone()
            .filter(|token| token != stale);
        if let Some(token) = other
            && !self.is_due(&token, &resolved)
        {
            return Ok(token);
        }
        Ok(self
            .replace(Stale::Token(stale.clone()), resolved)
            .await?
            .secret()
            .clone())
    }

    /// Saves the tokens that could not be saved when they were issued, if there are any: those of a
    /// login, and those of a refresh. Call it before a program ends, also after a login that failed to
    /// save them: the code was used, and a user would have to log in again. With a refresh token that
    /// the server replaced, the store has only the old one, which is refused from then on.
    ///
    /// Failures that may pass are tried again for as long as
    /// [`wait_time`](super::CredentialsBuilder::wait_time). Dropping the future loses nothing while
    /// these credentials live. The tokens of a login are written as by [`write`](Self::write), unless
    /// the program has set another client or refresh token since. Those of a refresh are not saved if the record has those of another login by now, or was
    /// removed; that is no error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) or of kind `Store`, and for a login
    /// those of [`write`](Self::write): they are not saved, and are still kept. Of kind `Conflict` if the
    /// record got another login after one could not be saved, or was removed: `write` puts that there.
    pub async fn flush(&self) -> Result<()> {
        let coordinator = &self.inner.coordinator;
        let login = coordinator.patiently(|| self.save_login()).await;
        let refreshed = coordinator.flush().await;
        login.and(refreshed)
    }

    /// Returns whether the server issued a refresh token that is not saved yet, by a login or since it
    /// replaced the last one. If the program ends now, the store has at most an old one, and a user may
    /// have to log in again.
    #[must_use]
    pub fn has_unsaved_refresh_token(&self) -> bool {
        let has_token = |login: &LoggedIn| login.values.refresh_token.is_some();
        let is_of_login = self.memory().unsaved_login().is_some_and(has_token);
        is_of_login || self.inner.coordinator.has_unsaved_refresh_token()
    }

    /// Returns the cached token, unless it is due to be replaced.
    fn at_hand(&self) -> Option<Token> {
        let held = self.inner.held.load();
        let held = held.as_ref()?;
        let now = || self.inner.coordinator.coarse();
        let is_good =
            !held.is_refused.load(Ordering::Relaxed) && held.due.is_none_or(|due| now() < due);
        let copy = || {
            let token = new_token(held.token.secret().expose().into(), held.token.expiry());
            token.of_generation(held.token.generation())
        };
        is_good.then(|| held.copies.get_or(copy).clone())
    }

    async fn current(&self) -> Result<Token> {
        loop {
            let seen = self.inner.held.load_full();
            if let Some(token) = self.look(seen).await? {
                return Ok(token);
            }
            if let Some(token) = self.at_hand() {
                return Ok(token);
            }
        }
    }

    /// Reads the sources, and refreshes if necessary. Returns `None` if the cached token is no
    /// longer the one that was `seen`: then what was read may be older than what is cached now.
    async fn look(&self, seen: Option<Arc<Held>>) -> Result<Option<Token>> {
        let resolved = self.resolve().await?;
        let Some(token) = resolved.values.access_token.clone() else {
            return match self.refreshes {
                true => self.replace(Stale::Nothing, resolved).await.map(Some),
                false => Err(resolved.missing(vec!["access_token"])),
            };
        };
        let is_same = |held: &&Arc<Held>| *held.token.secret() == token;
        let refused = seen
            .as_ref()
            .filter(is_same)
            .filter(|held| held.is_refused.load(Ordering::Relaxed));
        let keep = || match refused {
            // The same token, so that the refusal stands.
            Some(held) => Some(held.token.clone()),
            None => self.hold_if_unchanged(&seen, token.clone(), &resolved),
        };
        let is_usable = refused.is_none() && !self.is_due(&token, &resolved);
        if is_usable || !self.refreshes {
            return Ok(keep());
        }
        if !self.can_refresh(&resolved).await? {
            let validity = resolved.validity(&token, self.now());
            let is_over = validity.expires_at.is_some_and(|at| at < self.now());
            return match refused.is_some() || !is_over {
                true => Ok(keep()),
                false => Err(resolved.missing_to_refresh(self.lacking(&resolved).await?)),
            };
        }
        self.replace(Stale::Token(token), resolved).await.map(Some)
    }

    /// Gets a token other than the stale one, by one refresh for all callers.
    async fn replace(&self, stale: Stale<Secret>, resolved: Resolved) -> Result<Token> {
        let flight = match &stale {
            Stale::Nothing => String::new(),
            Stale::Current => "current".to_owned(),
            Stale::Token(token) => digest(token),
        };
        // Owns all it needs, so that a started refresh completes even if all callers are cancelled.
        let credentials = self.clone();
        let fly = || async move {
            let token = credentials.fly(stale, resolved).await?;
            // Callers that noticed late.
            Ok(Fetched::new(token).ttl(Duration::from_secs(1)))
        };
        self.inner.flights.get_or_fetch(&flight, fly).await
    }

    async fn fly(&self, stale: Stale<Secret>, resolved: Resolved) -> Result<Token> {
        if let Some((source, provider)) = self.developer()? {
            return self.redeem(&*source, &provider, stale, resolved).await;
        }
        let inner = &self.inner;
        let lacking = self.lacking(&resolved).await?;
        if !lacking.is_empty() {
            return Err(resolved.missing_to_refresh(lacking));
        }
        let given = self.given(&resolved);
        let is_given = given.is_some() && !resolved.is_token_of_store;
        let wanted = Wanted {
            stale,
            given,
            is_token_cached: inner.is_token_cached,
            is_secret_kept: inner.is_secret_kept,
            guard: inner.guard,
        };
        let refreshed = inner.coordinator.refresh(wanted, &inner.endpoints).await;
        let Refreshed {
            record,
            is_in_store,
            scope,
        } = refreshed.map_err(|failure| match failure {
            Failure::Error(error) => error,
            Failure::NothingToRefresh => resolved.missing_to_refresh(vec!["refresh_token"]),
        })?;
        let Some(token) = record.access_token.clone() else {
            return Err(resolved.missing(vec!["access_token"]));
        };
        // Where the record has the token, it is read there, as others may renew it.
        let is_elsewhere = is_given || !inner.is_token_cached || !is_in_store;
        let mut memory = self.memory();
        let is_current = memory.epoch == resolved.epoch;
        // What replaced a token that was sent counts whatever was set in the meantime.
        if let (true, Some(first), Some(now)) = (is_given, &resolved.first, &record.refresh_token)
            && (is_current || memory.rotated.is_none())
        {
            memory.rotated = (first != now).then(|| (digest(first), now.clone()));
        }
        if !is_current {
            // Another token may be known by now.
            let validity = Validity::of(&token, record.expires_at, self.now());
            return Ok(self.to_hold(token, validity).token.clone());
        }
        // The record is read again, and that in the file does not say when it expires.
        let known = memory.learn(&token, record.expires_at, self.now());
        known.scope = scope.or(known.scope.take());
        known.is_kept = true;
        let validity = known.validity;
        memory.set.access_token = is_elsewhere.then(|| token.clone());
        Ok(self.hold(token, validity))
    }

    /// Returns the credentials that were given elsewhere than in the record.
    pub(super) fn given(&self, resolved: &Resolved) -> Option<Given> {
        let values = &resolved.values;
        let is_given = !resolved.is_token_of_store;
        (!resolved.are_in_store()).then(|| Given {
            client_id: values.client_id.clone(),
            is_client_of_record: !is_given && resolved.set.client_id.is_none(),
            client_secret: values.client_secret.clone(),
            refresh_token: resolved.first.clone().filter(|_| is_given),
            rotated: values.refresh_token.clone().filter(|_| is_given),
        })
    }

    async fn can_refresh(&self, resolved: &Resolved) -> Result<bool> {
        Ok(self.developer()?.is_some() || self.lacking(resolved).await?.is_empty())
    }

    /// Returns the values that a refresh needs and that are missing.
    async fn lacking(&self, resolved: &Resolved) -> Result<Vec<&'static str>> {
        let values = &resolved.values;
        let endpoints = &self.inner.endpoints;
        let has_secret = values.client_secret.is_some() || !endpoints.needs_secret();
        let values = [
            ("client_id", values.client_id.is_some()),
            ("client_secret", has_secret),
            ("refresh_token", values.refresh_token.is_some()),
        ];
        let lacking = values.into_iter().filter(|(_, is_there)| !is_there);
        let lacking: Vec<_> = lacking.map(|(name, _)| name).collect();
        // The server is asked only if it matters.
        if lacking == ["client_secret"] && endpoints.takes_public_clients().await? {
            return Ok(Vec::new());
        }
        Ok(lacking)
    }

    /// Caches a token, while the memory is locked. If it is cached already, it keeps its generation.
    pub(super) fn hold(&self, token: Secret, validity: Validity) -> Token {
        if let Some(token) = cached(self.inner.held.load().as_ref(), &token) {
            return token;
        }
        let held = self.to_hold(token, validity);
        self.inner.held.store(Some(Arc::clone(&held)));
        held.token.clone()
    }

    /// Caches a token that was read, unless the cached one has changed since it was `seen`, or the
    /// token that was read may have been revoked or replaced since.
    fn hold_if_unchanged(
        &self,
        seen: &Option<Arc<Held>>,
        token: Secret,
        resolved: &Resolved,
    ) -> Option<Token> {
        let mut memory = self.memory();
        if memory.epoch != resolved.epoch {
            return None;
        }
        if let Some(token) = cached(seen.as_ref(), &token) {
            return Some(token);
        }
        let current = self.inner.held.load();
        if current.as_ref().map(Arc::as_ptr) != seen.as_ref().map(Arc::as_ptr) {
            return None;
        }
        let known = memory.learn(&token, resolved.expires_at, self.now());
        Some(self.hold(token, known.validity))
    }

    pub(super) fn to_hold(&self, token: Secret, validity: Validity) -> Arc<Held> {
        let inner = &self.inner;
        let generation = inner.generations.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Held {
            token: new_token(token, validity.expires_at).of_generation(generation),
            copies: ThreadLocal::new(),
            due: validity.due(inner.guard),
            is_refused: AtomicBool::new(false),
        })
    }

    fn is_due(&self, token: &Secret, resolved: &Resolved) -> bool {
        let now = self.now();
        resolved.validity(token, now).is_due(now, self.inner.guard)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.inner.coordinator.now()
    }
}

fn new_token(secret: Secret, expires_at: Option<SystemTime>) -> Token {
    let token = Token::new(secret);
    match expires_at {
        Some(at) => token.expires_at(at),
        None => token,
    }
}

/// Returns the cached token if it is this one and was not refused.
fn cached(held: Option<&Arc<Held>>, token: &Secret) -> Option<Token> {
    let held = held.filter(|held| {
        *held.token.secret() == *token && !held.is_refused.load(Ordering::Relaxed)
    })?;
    Some(held.token.clone())
}

impl TokenSource for Credentials {
    fn token(&self) -> BoxFuture<'_, vouchsafe_core::Result<Token>> {
        if let Some(token) = self.at_hand() {
            return Box::pin(std::future::ready(Ok(token)));
        }
        Box::pin(async { self.current().await.map_err(|error| error.core().clone()) })
    }

    fn forget(&self, generation: u64) {
        if let Some(held) = &*self.inner.held.load()
            && held.token.generation() == generation
        {
            held.is_refused.store(true, Ordering::Relaxed);
        }
    }
}
