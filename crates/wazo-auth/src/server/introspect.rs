//! How a service looks up tokens at wazo-auth.

use std::fmt;
use std::sync::Arc;

use vouchsafe_core::{BoxFuture, Clock, ErrorKind, Secret, SystemClock};

use crate::{Client, Error, Result, Token, Validity};

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

/// A 404 that does not come from wazo-auth, but from a proxy or from another service at its URL,
/// says nothing about a token: it is not `NotFound`, and [`TokenLayer`](super::TokenLayer) answers
/// 503. A check has no body, so the two look the same; a check that is answered with 404 is
/// therefore repeated as a request whose answer has a body.
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
            let mut get = self.token().get(token.clone());
            if let Some(access) = access {
                check = check.required_access(access);
                get = get.required_access(access);
            }
            if let Some(tenant) = tenant {
                check = check.tenant(tenant);
                get = get.tenant(tenant);
            }
            match check.validity().await {
                Ok(Validity::NotValid) => {}
                known => return known,
            }
            match get.send().await.map_err(judged) {
                Ok(_) => Ok(Validity::Valid),
                Err(error) => match error.core().kind() {
                    ErrorKind::NotFound => Ok(Validity::NotValid),
                    ErrorKind::Forbidden => Ok(Validity::NotAllowed),
                    _ => Err(error),
                },
            }
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(self.core().clock())
    }
}

/// Gives a 404 without the service's own body another kind (protocol sections
/// 4.1 and 5.3).
fn judged(error: Error) -> Error {
    let body = error.body();
    let is_own = body.reason.as_deref() == Some("No such token")
        || body.error_id.as_deref() == Some("unknown-user");
    if is_own || !error.is_not_found() {
        return error;
    }
    let core = error.core().clone().with_kind(ErrorKind::Decode);
    let why = "this 404 is not from wazo-auth (is the URL right?)";
    core.with_origin(why).into()
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
