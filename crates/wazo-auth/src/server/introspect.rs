//! How a service looks up tokens at wazo-auth.

use std::fmt;
use std::sync::Arc;

use vouchsafe_core::{BoxFuture, Clock, Secret, SystemClock};

use crate::api::judged;
use crate::{Client, Result, Token, Validity};

/// Looks up tokens: the crate's `Client`, or a double in tests.
pub trait Introspect: fmt::Debug + Send + Sync + 'static {
    /// Returns a token. An unknown or expired one is an error of kind `NotFound`.
    fn token<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Token>>;

    /// Checks whether a token covers an access and may act for a tenant, if they are given.
    fn check<'a>(
        &'a self,
        token: &'a Secret,
        access: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>>;

    /// Returns the wall clock by which tokens expire. Default: the machine's clock; a client has
    /// its own.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::new())
    }
}

/// A refusal that does not come from wazo-auth, but from a proxy or from another service at its URL,
/// says nothing about a token: it is neither `NotFound` nor `Forbidden`, and
/// [`TokenLayer`](super::TokenLayer) answers 503.
impl Introspect for Client {
    fn token<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move { self.token().get(token.clone()).send().await.map_err(judged) })
    }

    fn check<'a>(
        &'a self,
        token: &'a Secret,
        access: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>> {
        Box::pin(async move {
            let mut check = self.token().check(token.clone());
            if let Some(access) = access {
                check = check.required_access(access);
            }
            if let Some(tenant) = tenant {
                check = check.tenant(tenant);
            }
            check.validity().await
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.core().clock())
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

    fn clock(&self) -> Arc<dyn Clock> {
        (**self).clock()
    }
}
