//! A tower service that checks requests first, and may wait for a server to do so.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::BoxFuture;

/// Checks a request before it reaches the service behind the layer. The check may wait, for example
/// for the answer of a server; if it only reads memory, implement [`Check`](super::Check).
pub trait AsyncCheck: Send + Sync + 'static {
    /// Adds the findings to the request.
    ///
    /// # Errors
    ///
    /// The answer to a refused request, which the service never sees.
    fn check<A: Send, B: From<Bytes>>(
        &self,
        request: &mut Request<A>,
    ) -> impl Future<Output = Result<(), Response<B>>> + Send;
}

/// A service behind an [`AsyncCheck`].
#[derive(Clone, Debug)]
pub struct AsyncCheckService<S, C> {
    inner: S,
    check: Arc<C>,
}

impl<S, C> AsyncCheckService<S, C> {
    /// Puts a check in front of a service.
    #[must_use]
    pub fn new(inner: S, check: Arc<C>) -> Self {
        Self { inner, check }
    }
}

impl<S, C, A, B> Service<Request<A>> for AsyncCheckService<S, C>
where
    S: Service<Request<A>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    C: AsyncCheck,
    A: Send + 'static,
    B: From<Bytes> + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        // The future gets the clone that was polled ready; the fresh clone stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let check = Arc::clone(&self.check);
        Box::pin(async move {
            if let Err(response) = check.check(&mut request).await {
                return Ok(response);
            }
            inner.call(request).await
        })
    }
}
