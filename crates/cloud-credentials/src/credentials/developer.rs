//! Access tokens for a developer token: one request for all who share the record.

use std::sync::Arc;

use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::{Secret, Sent};

use super::Credentials;
use super::values::Resolved;
use crate::refresh::{Exclusive, Given, Issued, Login, Stale, Turn};
use crate::url::Url;
use crate::validity::{Validity, is_due};
use crate::{Record, Result};

impl Credentials {
    /// Returns the source of developer tokens and the URL where they are redeemed, if they apply: the
    /// program gave no credentials, and the environment has no access token.
    pub(super) fn developer(&self) -> Result<Option<(Arc<dyn TokenSource>, Url)>> {
        let inner = &self.inner;
        if !inner.builder.is_empty() {
            return Ok(None);
        }
        if let Some(environment) = &inner.environment
            && environment.secret("PAN_ACCESS_TOKEN")?.is_some()
        {
            return Ok(None);
        }
        match self.developer_source()? {
            Some(source) => Ok(Some((source, self.developer_provider()?))),
            None => Ok(None),
        }
    }

    /// Redeems a developer token, unless another process has done so and the record has its token. That
    /// is waited for as for a refresh; but where the lease cannot be had, the token is redeemed
    /// nevertheless, since it can be more than once. Nothing is waited for where the tokens of the record are
    /// not used.
    pub(super) async fn redeem(
        &self,
        source: &dyn TokenSource,
        provider: &Url,
        stale: Stale<Secret>,
        resolved: Resolved,
    ) -> Result<Token> {
        let coordinator = &self.inner.coordinator;
        let given = self.given(&resolved);
        let given = given.filter(|_| !resolved.is_token_of_store);
        let stale = match stale {
            Stale::Current => self
                .token_of_record()
                .await
                .map_or(Stale::Nothing, Stale::Token),
            stale => stale,
        };
        let is_shared = self.inner.is_token_cached && self.is_shared(given.as_ref()).await;
        let is_adopted = |there: &Record| self.is_adopted(there, &stale, given.as_ref());
        let (mut exclusive, before) = match is_shared {
            // There is no token to wait for.
            false => (None, self.record().await),
            true => match coordinator.exclusive_unless(is_adopted).await {
                Ok(Turn::Found(record)) => return self.adopt(record, given.is_some(), &resolved),
                Ok(Turn::Ours(exclusive, before)) => (Some(exclusive), Ok(before)),
                Err(error) => (None, Err(error)),
            },
        };
        let issued = self
            .redeem_while(source, provider, exclusive.as_mut())
            .await;
        let token = match issued {
            Ok(issued) => self.keep_redeemed(issued, before, resolved.epoch).await,
            Err(error) => Err(error),
        };
        if let Some(exclusive) = exclusive {
            exclusive.release().await;
        }
        token
    }

    /// Reads the record.
    async fn record(&self) -> Result<Option<Record>> {
        let coordinator = &self.inner.coordinator;
        let read = coordinator.load(coordinator.key()).await?;
        Ok(read.map(|(record, _)| record))
    }

    /// Returns the access token of the record, if it can be read.
    async fn token_of_record(&self) -> Option<Secret> {
        self.record().await.ok()??.access_token
    }

    /// Returns whether redeemed tokens are saved in the record of the profile, rather than in a separate one
    /// for the credentials that were given.
    async fn is_shared(&self, given: Option<&Given>) -> bool {
        let coordinator = &self.inner.coordinator;
        let Some((given, lineage)) = given.and_then(|given| Some((given, given.lineage()?))) else {
            return true;
        };
        let own = coordinator.load_own(given, &lineage).await;
        own.is_ok_and(|own| own.is_none())
    }

    /// Returns whether the access token of a record is used rather than another one requested.
    fn is_adopted(&self, there: &Record, stale: &Stale<Secret>, given: Option<&Given>) -> bool {
        let inner = &self.inner;
        let is_stale = |token: &Secret| matches!(stale, Stale::Token(stale) if stale == token);
        let is_of_another = |given: &Given| given.login_of(there) == Login::Other;
        (there.access_token.as_ref()).is_some_and(|token| !is_stale(token))
            && !given.is_some_and(is_of_another)
            && !is_due(there, self.now(), inner.guard)
    }

    /// Uses the token of a record.
    fn adopt(&self, there: Record, is_given: bool, resolved: &Resolved) -> Result<Token> {
        let Some(token) = there.access_token else {
            return Err(resolved.missing(vec!["access_token"]));
        };
        let mut memory = self.memory();
        if memory.epoch != resolved.epoch {
            let validity = Validity::of(&token, there.expires_at, self.now());
            return Ok(self.to_hold(token, validity).token.clone());
        }
        let known = memory.learn(&token, there.expires_at, self.now());
        known.is_kept = true;
        // By another, as the program gave no access token.
        known.is_redeemed = is_given;
        let validity = known.validity;
        // Otherwise it is read in the record, where others may renew it.
        memory.set.access_token = is_given.then(|| token.clone());
        Ok(self.hold(token, validity))
    }

    /// Redeems a token while the lease lasts, if there is one.
    async fn redeem_while(
        &self,
        source: &dyn TokenSource,
        provider: &Url,
        exclusive: Option<&mut Exclusive<'_>>,
    ) -> Result<Issued> {
        let endpoints = &self.inner.endpoints;
        let until = match exclusive {
            Some(exclusive) => exclusive.keep_for_request().await.ok().flatten(),
            None => None,
        };
        let issued = endpoints.redeem(provider, source, until.as_ref()).await;
        match issued {
            // The process was suspended, and has lost the lease. A second token does no harm.
            Err(error)
                if error.sent() == Sent::No && until.is_some_and(|until| until.is_long_over()) =>
            {
                endpoints.redeem(provider, source, None).await
            }
            issued => issued,
        }
    }

    /// Keeps a redeemed token in memory, and in the record as it was `before`, if that could be read.
    async fn keep_redeemed(
        &self,
        issued: Issued,
        before: Result<Option<Record>>,
        epoch: u64,
    ) -> Result<Token> {
        let (token, expires_at) = (issued.access_token, issued.expires_at);
        let token = {
            let mut memory = self.memory();
            if memory.epoch != epoch {
                let validity = Validity::of(&token, expires_at, self.now());
                return Ok(self.to_hold(token, validity).token.clone());
            }
            let known = memory.learn(&token, expires_at, self.now());
            known.is_redeemed = true;
            known.scope = issued.scope;
            let validity = known.validity;
            memory.set.access_token = Some(token.clone());
            if issued.refresh_token.is_some() {
                memory.set.refresh_token = issued.refresh_token;
            }
            self.hold(token, validity)
        };
        // What is written over it meanwhile counts.
        let written = match before {
            Ok(before) => self.write_redeemed(epoch, before.as_ref()).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => self.memory().keep(token.secret()),
            // It can be used nevertheless, and redeemed again.
            Err(error) => self.inner.coordinator.report_unsaved(&error),
        }
        Ok(token)
    }
}
