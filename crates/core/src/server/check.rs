//! A tower service that checks requests first. A check only reads memory and never waits.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

/// Checks a request before it reaches the service behind the layer.
pub trait Check {
    /// Adds the findings to the request.
    ///
    /// # Errors
    ///
    /// The answer to a refused request, which the service never sees.
    fn check<A, B: From<Bytes>>(&self, request: &mut Request<A>) -> Result<(), Response<B>>;
}

/// A service behind a [`Check`].
#[derive(Clone, Debug)]
pub struct CheckService<S, C> {
    inner: S,
    check: Arc<C>,
}

impl<S, C> CheckService<S, C> {
    /// Puts a check in front of a service.
    #[must_use]
    pub fn new(inner: S, check: Arc<C>) -> Self {
        Self { inner, check }
    }
}

impl<S, C, A, B> Service<Request<A>> for CheckService<S, C>
where
    S: Service<Request<A>, Response = Response<B>>,
    C: Check,
    B: From<Bytes>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = CheckFuture<S::Future, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        match self.check.check(&mut request) {
            Ok(()) => CheckFuture::waiting(self.inner.call(request)),
            Err(response) => CheckFuture::known(Ok(response)),
        }
    }
}

pin_project! {
    /// The outcome of a call to the service, or one that was known before it.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct CheckFuture<F, O> {
        #[pin]
        state: State<F, O>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum State<F, O> {
        Waiting { #[pin] answer: F },
        Known { outcome: Option<O> },
    }
}

impl<F, O> CheckFuture<F, O> {
    /// Waits for the service.
    pub fn waiting(answer: F) -> Self {
        let state = State::Waiting { answer };
        Self { state }
    }

    /// Holds an outcome that is already known.
    pub fn known(outcome: O) -> Self {
        let outcome = Some(outcome);
        Self {
            state: State::Known { outcome },
        }
    }
}

impl<F, R, E, W> Future for CheckFuture<F, Result<R, W>>
where
    F: Future<Output = Result<R, E>>,
    E: Into<W>,
{
    type Output = Result<R, W>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Waiting { answer } => answer.poll(context).map_err(Into::into),
            // Like other futures, this must not be polled again after its outcome.
            Projected::Known { outcome } => outcome.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
