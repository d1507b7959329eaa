//! Any tower service as a transport, and any transport as a tower service.

use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use super::Forwarded;
use super::ledger::Ledger;
use super::received::{Arriving, read};
use super::{BodyStream, Request, Response, StreamedResponse, Transport, Written};
use crate::deadline::{after, in_words};
use crate::sync::lock;
use crate::url::place;
use crate::{BoxFuture, Error, ErrorKind, Result, Sent, TimeoutScope};

type Cause = Box<dyn StdError + Send + Sync>;

/// A transport over a tower service: another HTTP client, a stack of middleware, or a router in the
/// same process.
///
/// `B` is the body that the service takes, made from [`Bytes`]: `http_body_util::Full<Bytes>`,
/// axum's, reqwest's. It needs to be named only for services that take several.
///
/// Each request is sent by a clone of the service, when the service is ready. Time limits and the
/// limit on the size of an answer are the client's, as with any transport. The request has an
/// absolute URL and no `Host`, which HTTP clients add.
///
/// **Repetition.** A request that the service was never ready for, or not before its caller gave up,
/// was not sent. After that it may have been sent, unless a [`TransportService`] below the service
/// was given each copy of it and wrote nothing, or [`unsent_if`](Self::unsent_if) knows the error.
/// For this, layers that copy a request must keep its extensions. An error of a call that a layer
/// made, such as for a token, says nothing about the request itself. A service that itself repeats
/// requests may send what must not be doubled twice.
///
/// **Conditions.** A [`TransportService`] below the service asks
/// [`CallOptions::send_while`](crate::call::CallOptions::send_while) last thing before it writes, and
/// begins nothing after the limit of the attempt. With other clients, both are only checked before
/// the service is called.
///
/// **Secrets.** Requests carry credentials. The service's error becomes the
/// [`source`](StdError::source) of ours, and must not show them.
///
/// ```
/// use std::convert::Infallible;
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use tower_service::Service;
/// use vouchsafe_core::transport::ServiceTransport;
/// use vouchsafe_core::{CoreClient, Result};
///
/// fn client<S>(service: S) -> Result<CoreClient>
/// where
///     S: Service<http::Request<Full<Bytes>>, Response = http::Response<Full<Bytes>>>,
///     S: Service<http::Request<Full<Bytes>>, Error = Infallible, Future: Send>,
///     S: Clone + Send + 'static,
/// {
///     let transport = ServiceTransport::<_, Full<Bytes>>::new(service);
///     CoreClient::builder().transport(Arc::new(transport)).build()
/// }
/// ```
pub struct ServiceTransport<S, B> {
    service: Mutex<S>,
    is_unsent: Box<Judge>,
    body: PhantomData<fn() -> B>,
}

type Judge = dyn Fn(&(dyn StdError + 'static)) -> bool + Send + Sync;

impl<S, B> ServiceTransport<S, B> {
    /// Creates a transport over a service.
    #[must_use]
    pub fn new(service: S) -> Self {
        Self {
            service: Mutex::new(service),
            is_unsent: Box::new(|_| false),
            body: PhantomData,
        }
    }

    /// Sets which errors of the service mean that no byte of the request was sent, so that even a
    /// request that must not be doubled is sent again. The function is called with the error and
    /// with each of its causes, until one is true. Default: none.
    #[must_use]
    pub fn unsent_if(
        mut self,
        is_unsent: impl Fn(&(dyn StdError + 'static)) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.is_unsent = Box::new(is_unsent);
        self
    }

    fn failed(&self, cause: Cause, ledger: &Ledger) -> Error {
        let first: &(dyn StdError + 'static) = &*cause;
        let causes = || std::iter::successors(Some(first), |&cause| cause.source());
        let own = causes().find_map(|cause| cause.downcast_ref::<Error>());
        // A call has an operation, a transport's error has none.
        let of_transport = own.filter(|own| own.operation().is_none());
        let is_unsent = !ledger.may_have_begun()
            && match ledger.open() {
                0 if of_transport.is_some_and(|own| own.sent() == Sent::No) => true,
                0 | 1 => causes().any(|cause| (self.is_unsent)(cause)),
                _ => false,
            };
        let sent = if is_unsent { Sent::No } else { Sent::Maybe };
        if let Some(own) = of_transport {
            return own.clone().with_sent(sent);
        }
        let what = match sent {
            Sent::No => "the service did not take the request",
            Sent::Maybe => "the service failed",
        };
        Error::new(ErrorKind::Transport, what)
            .with_sent(sent)
            .with_retryable(own.is_none_or(Error::is_retryable))
            .with_retry_after(own.and_then(Error::retry_after))
            .with_source(cause)
    }
}

impl<S, B, R> ServiceTransport<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<R>, Error: Into<Cause>, Future: Send>,
    S: Clone + Send,
    B: From<Bytes>,
{
    fn ask(&self, request: Request) -> impl Future<Output = Result<http::Response<R>>> + Send
    where
        R: Send,
        B: Send,
    {
        let mut service = lock(&self.service).clone();
        let mut verdict = Verdict {
            written: request.written.clone(),
            ledger: Arc::default(),
            is_known: false,
        };
        async move {
            // Dropped last.
            let verdict = &mut verdict;
            std::future::poll_fn(|context| service.poll_ready(context))
                .await
                .map_err(|cause| never_ready(cause.into()))?;
            verdict.written.still_may_begin()?;
            let forwarded = Forwarded::new(verdict.written.clone(), Arc::clone(&verdict.ledger));
            let mut answer = pin!(service.call(into_http(request, forwarded)));
            let result = {
                // Dropped first.
                let _leaving = Leaving(&verdict.ledger);
                answer.as_mut().await
            };
            let result = result.map_err(|cause| self.failed(cause.into(), &verdict.ledger));
            verdict.tell(result.as_ref().map_or_else(Error::sent, |_| Sent::Maybe));
            result
        }
    }
}

fn never_ready(cause: Cause) -> Error {
    let what = "the service did not take the request";
    let error = Error::new(ErrorKind::Transport, what).with_retryable(true);
    error.with_sent(Sent::No).with_source(cause)
}

/// Reports whether anything was written, at the latest when it is dropped after the service's future.
struct Verdict {
    written: Written,
    ledger: Arc<Ledger>,
    is_known: bool,
}

impl Verdict {
    fn tell(&mut self, sent: Sent) {
        self.is_known = true;
        match sent {
            Sent::No => self.written.given_up(),
            Sent::Maybe => self.written.may_have_begun(),
        }
    }
}

impl Drop for Verdict {
    fn drop(&mut self) {
        if !self.is_known {
            match self.ledger.was_dropped_unsent() {
                true => self.tell(Sent::No),
                false => self.tell(Sent::Maybe),
            }
        }
    }
}

/// Tells the ledger that the service's future is about to be dropped.
struct Leaving<'a>(&'a Ledger);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

fn into_http<B: From<Bytes>>(request: Request, forwarded: Forwarded) -> http::Request<B> {
    let mut converted = http::Request::new(request.body.into());
    *converted.method_mut() = request.method;
    *converted.uri_mut() = request.uri;
    *converted.headers_mut() = request.headers;
    converted.extensions_mut().insert(forwarded);
    converted
}

impl<S, B, R> Transport for ServiceTransport<S, B>
where
    S: Service<http::Request<B>, Response = http::Response<R>, Error: Into<Cause>, Future: Send>,
    S: Clone + Send + 'static,
    B: From<Bytes> + Send + 'static,
    R: Body<Data: Send, Error: Into<Cause>> + Send + 'static,
{
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let limit = request.response_limit;
        let answer = self.ask(request);
        Box::pin(async move {
            let (head, body) = answer.await?.into_parts();
            Ok(Response {
                status: head.status,
                headers: head.headers,
                body: read(pin!(body), head.status, limit).await?,
            })
        })
    }

    fn stream(&self, request: Request) -> BoxFuture<'_, Result<StreamedResponse>> {
        let answer = self.ask(request);
        Box::pin(async move {
            let (head, body) = answer.await?.into_parts();
            Ok(StreamedResponse {
                status: head.status,
                headers: head.headers,
                body: Box::new(Arriving {
                    body: Box::pin(body),
                    status: head.status,
                }),
            })
        })
    }
}

impl<S, B> fmt::Debug for ServiceTransport<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTransport").finish_non_exhaustive()
    }
}

/// A tower service over a transport, for clients and middleware made of tower services: they get
/// this crate's connections, and its errors, which say whether anything was sent.
///
/// It sends each request once, with the headers that it has. The body of a request is read whole
/// first, whatever its size: `http_body_util::Limited` sets a limit. That of the answer is passed on as
/// it arrives, without a limit on its size. The URL must be absolute.
///
/// ```
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use tower_service::Service as _;
/// use vouchsafe_core::transport::{Transport, TransportService};
///
/// # async fn get(transport: Arc<dyn Transport>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut service = TransportService::new(transport);
/// let request = http::Request::get("https://example.org/").body(Full::<Bytes>::default())?;
/// let answer = service.call(request).await?;
/// # let _ = answer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TransportService {
    transport: Arc<dyn Transport>,
    attempt_timeout: Duration,
}

impl TransportService {
    /// Creates a service over a transport.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            attempt_timeout: Duration::from_secs(5),
        }
    }

    /// Sets how long a request may take, from its body until the head of the answer has arrived, and
    /// how long each piece of the answer's body may take. Default: 5 seconds.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }
}

impl<B> Service<http::Request<B>> for TransportService
where
    B: Body<Data: Send, Error: Into<Cause>> + Send + 'static,
{
    type Response = http::Response<TransportBody>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let Self {
            transport,
            attempt_timeout: limit,
        } = self.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let at = place(&head.uri);
            let until = after(Instant::now(), limit);
            let forwarded = head.extensions.remove::<Forwarded>();
            let written = forwarded.map_or_else(Written::heard, Forwarded::take);
            let answer = async {
                let mut unsent = Unsent(Some(written.clone()));
                let body = timeout_at(until, whole(body)).await.unwrap_or_else(|_| {
                    Err(late("the request's body did not come", limit, Sent::No))
                })?;
                unsent.0 = None;
                let request = Request {
                    headers: head.headers,
                    body,
                    written: written.clone(),
                    ..Request::new(head.method, head.uri)
                };
                let answer = timeout_at(until, transport.stream(request)).await;
                // The attempt has been dropped, so what it said is final.
                answer.unwrap_or_else(|_| {
                    let sent = match written.is_nothing() {
                        true => Sent::No,
                        false => Sent::Maybe,
                    };
                    Err(late("no answer", limit, sent))
                })
            };
            let answer = answer.await.map_err(|error| {
                // Not every transport says so by itself.
                if error.sent() == Sent::No {
                    written.given_up();
                }
                error.with_place(at)
            })?;
            let mut converted = http::Response::new(TransportBody {
                reading: Reading::Idle(answer.body),
                limit,
            });
            *converted.status_mut() = answer.status;
            *converted.headers_mut() = answer.headers;
            Ok(converted)
        })
    }
}

/// Reports when dropped that nothing was written, until the request is handed on.
struct Unsent(Option<Written>);

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(written) = &self.0 {
            written.given_up();
        }
    }
}

async fn whole<B: Body<Error: Into<Cause>>>(body: B) -> Result<Bytes> {
    let body = body.collect().await.map_err(|cause| {
        Error::new(ErrorKind::Invalid, "the request's body cannot be read").with_source(cause)
    })?;
    Ok(body.to_bytes())
}

fn late(what: &str, limit: Duration, sent: Sent) -> Error {
    let message = format!("{what} within {}", in_words(limit));
    Error::new(ErrorKind::Timeout(TimeoutScope::Attempt), message)
        .with_sent(sent)
        .with_retryable(true)
}

/// The body of an answer of a [`TransportService`]. Dropping it before the end abandons the rest
/// and closes the connection.
pub struct TransportBody {
    reading: Reading,
    limit: Duration,
}

/// A future borrows the stream that it reads from: here it owns it.
enum Reading {
    Idle(Box<dyn BodyStream>),
    Waiting(BoxFuture<'static, Read>),
    Ended,
}

type Read = (Result<Option<Bytes>>, Box<dyn BodyStream>);

impl Body for TransportBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let limit = self.limit;
        let mut next = match std::mem::replace(&mut self.reading, Reading::Ended) {
            Reading::Idle(mut stream) => Box::pin(async move {
                let piece = tokio::time::timeout(limit, stream.next()).await;
                let piece = piece.unwrap_or_else(|_| {
                    let what = "the rest of the answer did not come";
                    Err(late(what, limit, Sent::Maybe))
                });
                (piece, stream)
            }),
            Reading::Waiting(next) => next,
            Reading::Ended => return Poll::Ready(None),
        };
        match next.as_mut().poll(context) {
            Poll::Pending => {
                self.reading = Reading::Waiting(next);
                Poll::Pending
            }
            Poll::Ready((Ok(Some(piece)), stream)) => {
                self.reading = Reading::Idle(stream);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready((Ok(None), _)) => Poll::Ready(None),
            Poll::Ready((Err(error), _)) => Poll::Ready(Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.reading, Reading::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match self.reading {
            Reading::Ended => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

impl fmt::Debug for TransportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBody").finish_non_exhaustive()
    }
}
