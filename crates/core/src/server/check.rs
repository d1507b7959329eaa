//! A tower service that looks at requests first. Waiting for somebody's answer is not here: a
//! check reads memory only.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

/// Looks at a request before the service behind the layer does.
pub trait Check {
    /// Marks the request with what was found out.
    ///
    /// # Errors
    ///
    /// The answer to a request that may not pass; the service never sees it.
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
    type Future = CheckFuture<S::Future, Response<B>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        match self.check.check(&mut request) {
            Ok(()) => CheckFuture::passed(self.inner.call(request)),
            Err(response) => CheckFuture::refused(response),
        }
    }
}

pin_project! {
    /// The answer of a service behind a check: the service's own, or the outcome that was clear
    /// before it was asked.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct CheckFuture<F, R> {
        #[pin]
        state: State<F, R>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum State<F, R> {
        Passed { #[pin] answer: F },
        Refused { outcome: Option<R> },
    }
}

impl<F, R> CheckFuture<F, R> {
    /// Waits for the service's answer.
    pub fn passed(answer: F) -> Self {
        let state = State::Passed { answer };
        Self { state }
    }

    /// Has the answer already.
    pub fn refused(outcome: R) -> Self {
        let outcome = Some(outcome);
        Self {
            state: State::Refused { outcome },
        }
    }
}

impl<F, R, E> Future for CheckFuture<F, R>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Passed { answer } => answer.poll(context),
            // As other futures, it must not be polled again after its answer.
            Projected::Refused { outcome } => outcome
                .take()
                .map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer))),
        }
    }
}
