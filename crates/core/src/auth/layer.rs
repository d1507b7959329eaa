//! The layer that puts tokens on the requests of other clients.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;

use super::{Authorize, Bearer, BearerChallenge, Token, TokenSource};
use crate::transport::Forwarded;
use crate::url::is_loopback_address;
use crate::{BoxFuture, Error, ErrorKind, Result};

/// Puts a token on the requests of a client that is a tower service, such as hyper-util's or
/// reqwest's, and replaces refused tokens.
///
/// Only requests to hosts set by [`only_to`](Self::only_to) get a token. All others pass unchanged,
/// and so do requests that already have a header `Authorization`.
///
/// A request that is answered with 401 is sent once more if its source then has a newer token: that
/// status means that the request was not applied (RFC 9110, 15.5.2), so nothing happens twice. If
/// there is no newer one, the refusal is the answer. If the source fails, the result is its error.
/// After a challenge with `insufficient_scope` the token is not replaced.
///
/// The client behind the layer limits the time of a request, and the source that of a token.
///
/// **Redirects.** A client that follows redirects inside of this layer may copy the header to
/// another host. Put the layer inside of the part that follows redirects, so that it checks each
/// request.
///
/// ```
/// use std::sync::Arc;
///
/// use tower_layer::Layer as _;
/// use vouchsafe_core::auth::{AuthorizeLayer, TokenSource};
///
/// fn with_tokens<C>(client: C, tokens: Arc<dyn TokenSource>) -> impl Sized {
///     AuthorizeLayer::new(tokens)
///         .only_to("api.example.org")
///         .layer(client)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizeLayer {
    source: Arc<dyn TokenSource>,
    scheme: Arc<dyn Authorize>,
    hosts: Vec<Arc<str>>,
    allows_plain_http: bool,
    resends: bool,
}

impl AuthorizeLayer {
    /// Creates a layer over a source of tokens. No request gets one until
    /// [`only_to`](Self::only_to) sets a host.
    pub fn new(source: Arc<dyn TokenSource>) -> Self {
        Self {
            source,
            scheme: Arc::new(Bearer),
            hosts: Vec::new(),
            allows_plain_http: false,
            resends: true,
        }
    }

    /// Adds a host whose requests get a token: a name or an address without port; case is ignored.
    pub fn only_to(mut self, host: impl Into<Arc<str>>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Sets how a token is put on a request. Default: [`Bearer`].
    pub fn scheme(mut self, scheme: Arc<dyn Authorize>) -> Self {
        self.scheme = scheme;
        self
    }

    /// Sets whether a request whose token was refused is sent once more with a newer one. If not,
    /// the token is still replaced, and the refusal is the answer. Default: `true`.
    pub fn resend_refused(mut self, resends: bool) -> Self {
        self.resends = resends;
        self
    }

    /// Allows tokens over plain `http` to other machines. Default: only to loopback addresses; the
    /// name `localhost` is not enough, since the layer does not see the address that the client
    /// connects to.
    pub fn allow_plain_http(mut self) -> Self {
        self.allows_plain_http = true;
        self
    }

    /// Puts a token on a request, and returns it for [`renew`](Self::renew). `None` if the request
    /// is for another host, or has a credential. For requests whose body cannot be sent again, and
    /// clients that are not tower services.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the token would go over plain http to another machine; those of the
    /// source. The request must not be sent then.
    pub async fn authorize<B>(&self, request: &mut Request<B>) -> Result<Option<Token>> {
        let (uri, headers) = (request.uri(), request.headers());
        if !self.is_for(uri) || headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        self.refuse_plain_http(uri)?;
        let headers = request.headers_mut();
        let token = self.source.token().await?;
        self.scheme.authorize(&token, headers)?;
        Ok(Some(token))
    }

    /// Handles an answer to a request with this token. Returns a newer one if the token was
    /// refused and there is one.
    ///
    /// # Errors
    ///
    /// Those of the source, if it fails to replace a refused token.
    pub fn renew<'a, B>(
        &'a self,
        token: &'a Token,
        answer: &Response<B>,
    ) -> impl Future<Output = Result<Option<Token>>> + Send + use<'a, B> {
        // Checked before, so that the body need not be shared between threads.
        let is_refused = answer.status() == StatusCode::UNAUTHORIZED
            && !BearerChallenge::of(answer.headers())
                .is_some_and(|challenge| challenge.is_insufficient_scope());
        async move {
            if !is_refused {
                return Ok(None);
            }
            self.source.forget(token.generation());
            let newer = self.source.token().await?;
            let is_newer = newer.generation() != token.generation();
            Ok(is_newer.then_some(newer))
        }
    }

    fn is_for(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or_default();
        let mut hosts = self.hosts.iter();
        hosts.any(|known| known.eq_ignore_ascii_case(host))
    }

    fn refuse_plain_http(&self, uri: &Uri) -> Result<()> {
        let host = uri.host().unwrap_or_default();
        let is_safe = uri.scheme_str() == Some("https") || is_loopback_address(host);
        if is_safe || self.allows_plain_http {
            return Ok(());
        }
        let what = format!(
            "plain http to {host} is refused: it would carry a token; use https, or allow plain http"
        );
        Err(Error::new(ErrorKind::Config, what))
    }
}

impl<S> Layer<S> for AuthorizeLayer {
    type Service = AuthorizeService<S>;

    fn layer(&self, inner: S) -> AuthorizeService<S> {
        AuthorizeService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A client behind an [`AuthorizeLayer`].
#[derive(Clone, Debug)]
pub struct AuthorizeService<S> {
    inner: S,
    layer: AuthorizeLayer,
}

/// Any error, as is usual for tower services with several causes.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, B, R> Service<Request<B>> for AuthorizeService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Clone + Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<R>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready is used; its clone need not be.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            let Some(token) = layer.authorize(&mut request).await? else {
                return inner.call(request).await.map_err(Into::into);
            };
            let again = layer.resends.then(|| {
                let mut again = request.clone();
                Forwarded::spare(&mut again);
                again
            });
            let answer = inner.call(request).await.map_err(Into::into)?;
            let newer = layer.renew(&token, &answer).await?;
            let (Some(newer), Some(mut again)) = (newer, again) else {
                return Ok(answer);
            };
            drop(answer);
            layer.scheme.authorize(&newer, again.headers_mut())?;
            std::future::poll_fn(|context| inner.poll_ready(context))
                .await
                .map_err(Into::into)?;
            inner.call(again).await.map_err(Into::into)
        })
    }
}

#[cfg(test)]
mod tests;
