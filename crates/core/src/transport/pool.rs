//! The pool: a request gets a connection that is kept, or a new one.

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use foldhash::fast::RandomState;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::runtime::{Handle, Id};

use super::body::Outgoing;
use super::broken;
use super::connect::{Connector, NO_SCHEME};
use super::host::{Host, Keeping, Lease, Made, Sender};
#[cfg(feature = "http2")]
use super::shared::{Sharing, Turn};
use crate::sync::lock;
use crate::task::spawn_driver;
use crate::url::host_header;
use crate::{Error, ErrorKind, Result, Sent};

/// Connections to all servers. Clones share them.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    connector: Connector,
    protocols: Protocols,
    keeping: Keeping,
    /// The hash is quick rather than safe from chosen collisions: servers that are not connected to are
    /// forgotten.
    hosts: Mutex<HashMap<Origin, Arc<Host>, RandomState>>,
}

/// What is spoken over connections.
#[derive(Clone)]
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    #[cfg(feature = "http2")]
    pub(super) http2: hyper::client::conn::http2::Builder<hyper_util::rt::TokioExecutor>,
    /// Whether HTTP/2 is spoken without asking.
    #[cfg(feature = "http2")]
    pub(super) is_http2_known: bool,
}

/// A server, as seen from a runtime: a connection makes progress only while the runtime that it was
/// made on is driven.
struct Origin {
    runtime: Option<Id>,
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    /// Texts are hashed and compared as a whole, which the types of `http` do not do: they ignore
    /// case, byte by byte, for a twentieth of the cost of a call.
    fn key(&self) -> (Option<Id>, &str, &str) {
        (self.runtime, self.scheme.as_str(), self.authority.as_str())
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Pool {
    pub(super) fn new(connector: Connector, protocols: Protocols, keeping: Keeping) -> Self {
        Self(Arc::new(Inner {
            connector,
            protocols,
            keeping,
            hosts: Mutex::default(),
        }))
    }

    /// Sends a request with an absolute URL, and waits for the head of the answer.
    pub(super) async fn send(&self, mut request: Request<Outgoing>) -> Result<Response<Body>> {
        let (host, path) = self.host(std::mem::take(request.uri_mut()))?;
        loop {
            let mut lease = match host.take().filter(Lease::is_ready) {
                Some(lease) => lease,
                None => Box::pin(self.connection(&host)).await?,
            };
            if lease.is_doubtful {
                // The runtime looks for news of sockets only between tasks.
                tokio::task::yield_now().await;
            }
            let mut failure = match lease.send(&path, request).await {
                Ok(answer) => return with_lease(answer, lease),
                Err(failure) => failure,
            };
            match failure.take_message() {
                // Nothing of it was written: the connection had ended.
                Some(unsent) if lease.is_kept => request = unsent,
                _ => {
                    let is_stale = lease.has_answered() && !lease.is_shared();
                    return Err(broken::by_hyper(failure.into_error(), is_stale));
                }
            }
        }
    }

    /// Connects to the server of a URL, unless there is a connection.
    pub(super) async fn warm_up(&self, uri: Uri) -> Result<()> {
        let (host, _) = self.host(uri)?;
        let lease = self.connection(&host).await?;
        drop(lease.ready().await);
        Ok(())
    }

    /// Returns why a URL can never be connected to, as far as that is known.
    pub(super) fn check(&self, uri: &Uri) -> Result<()> {
        self.0.connector.check(uri)
    }

    /// Returns the server of a URL, and the rest of the URL.
    fn host(&self, uri: Uri) -> Result<(Arc<Host>, PathAndQuery)> {
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(Error::new(ErrorKind::Config, NO_SCHEME));
        };
        let path = parts
            .path_and_query
            .unwrap_or_else(|| PathAndQuery::from_static("/"));
        let origin = Origin {
            runtime: Handle::try_current().ok().map(|runtime| runtime.id()),
            scheme,
            authority,
        };
        let mut hosts = lock(&self.0.hosts);
        if let Some(host) = hosts.get(&origin) {
            return Ok((Arc::clone(host), path));
        }
        hosts.retain(|_, host| !host.is_unused());
        let host = self.new_host(&origin)?;
        hosts.insert(origin, Arc::clone(&host));
        Ok((host, path))
    }

    fn new_host(&self, origin: &Origin) -> Result<Arc<Host>> {
        let uri = Uri::builder()
            .scheme(origin.scheme.clone())
            .authority(origin.authority.clone())
            .path_and_query("/")
            .build()
            .map_err(|cause| Error::new(ErrorKind::Config, NO_SCHEME).with_source(cause))?;
        #[cfg(feature = "http2")]
        let sharing = {
            let connector = &self.0.connector;
            let is_offered = origin.scheme == Scheme::HTTPS && connector.offers_http2();
            Sharing::new(is_offered || self.0.protocols.is_http2_known)
        };
        Ok(Host::new(
            uri,
            origin.runtime,
            host_header(&origin.scheme, &origin.authority),
            self.0.keeping,
            #[cfg(feature = "http2")]
            sharing,
        ))
    }

    /// Returns a connection as soon as there is one.
    async fn connection(&self, host: &Arc<Host>) -> Result<Lease> {
        #[cfg(feature = "http2")]
        while host.sharing.is_possible() {
            if let Some(lease) = host.take().filter(Lease::is_ready) {
                return Ok(lease);
            }
            let turn = host.sharing.turn().await?;
            // Another request may have been first.
            if host.is_shared() || !host.sharing.is_possible() {
                continue;
            }
            let mut making = self.making(host);
            making.turn = Some(turn);
            return poll_fn(|cx| making.poll(cx)).await;
        }
        match host.take() {
            Some(lease) if lease.is_ready() => Ok(lease),
            busy => self.race(host, busy).await,
        }
    }

    /// Waits for a connection that another request gives back, and makes one meanwhile.
    async fn race(&self, host: &Arc<Host>, busy: Option<Lease>) -> Result<Lease> {
        // Dropped after what waits, which then no longer counts.
        let mut making = self.making(host);
        let given = async {
            let mut next = busy;
            loop {
                if let Some(lease) = next
                    && let Some(ready) = lease.ready().await
                {
                    return ready;
                }
                next = Some(host.given_back().await);
            }
        };
        let mut given = pin!(given);
        poll_fn(|cx| match given.as_mut().poll(cx) {
            Poll::Ready(lease) => {
                making.is_spare = true;
                Poll::Ready(Ok(lease))
            }
            Poll::Pending => making.poll(cx),
        })
        .await
    }

    fn making<'h>(&self, host: &'h Arc<Host>) -> Making<'h> {
        Making {
            host,
            future: Some(Box::pin(self.make(host))),
            is_begun: false,
            is_spare: false,
            #[cfg(feature = "http2")]
            turn: None,
        }
    }

    /// Makes a connection. What drives it runs on the current runtime.
    fn make(&self, host: &Host) -> impl Future<Output = Result<Made>> + Send + use<> {
        let connector = self.0.connector.clone();
        let protocols = self.0.protocols.clone();
        let uri = host.uri.clone();
        async move {
            let mut connection = connector.connect(&uri).await?;
            let retire_at = connection.retire_at;
            let proxy = connection.proxy.take();
            let occupancy = connection.open.occupancy();
            #[cfg(feature = "http2")]
            let is_shared = connection.is_shared;
            let io = TokioIo::new(connection);
            let lost = |cause| broken::by_hyper(cause, false).with_sent(Sent::No);
            #[cfg(feature = "http2")]
            if is_shared {
                let (sender, connection) = protocols.http2.handshake(io).await.map_err(lost)?;
                spawn_driver(connection);
                return Ok(Made {
                    sender: Sender::Shared(sender),
                    retire_at,
                    proxy,
                    occupancy,
                });
            }
            let (sender, connection) = protocols.http1.handshake(io).await.map_err(lost)?;
            Ok(Made {
                sender: Sender::Own(sender, spawn_driver(connection)),
                retire_at,
                proxy,
                occupancy,
            })
        }
    }
}

/// A connection that a request makes. If the request no longer needs it, it is finished for others.
struct Making<'h> {
    host: &'h Arc<Host>,
    /// `None` once it has ended.
    future: Option<Pin<Box<dyn Future<Output = Result<Made>> + Send>>>,
    is_begun: bool,
    /// Whether its request has got another one.
    is_spare: bool,
    /// Held while others wait for what comes of it.
    #[cfg(feature = "http2")]
    turn: Option<Turn>,
}

impl Making<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Lease>> {
        let Some(future) = &mut self.future else {
            unreachable!("it has ended");
        };
        self.is_begun = true;
        let made = ready!(future.as_mut().poll(cx));
        self.future = None;
        Poll::Ready(match made {
            Ok(made) => Ok(self.host.lend(made)),
            #[cfg(feature = "http2")]
            Err(error) => Err(match self.turn.take() {
                Some(turn) => turn.failed(error),
                None => error,
            }),
            #[cfg(not(feature = "http2"))]
            Err(error) => Err(error),
        })
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        let Some(future) = self.future.take() else {
            return;
        };
        // A request that is given up would take its time with it: if each had less than a connection
        // takes, none would ever be made.
        let is_of_use = self.is_spare || self.host.is_awaited();
        if !self.is_begun || !is_of_use || !self.host.is_of_this_runtime() {
            return;
        }
        let weak = Arc::downgrade(self.host);
        #[cfg(feature = "http2")]
        let turn = self.turn.take();
        self.host.make_spare(async move {
            let made = future.await;
            let Some(host) = weak.upgrade() else { return };
            match made {
                Ok(made) => {
                    let lease = host.lend(made);
                    #[cfg(feature = "http2")]
                    drop(turn);
                    drop(lease.ready().await);
                }
                #[cfg(feature = "http2")]
                Err(error) => drop(turn.map(|turn| turn.failed(error))),
                #[cfg(not(feature = "http2"))]
                Err(_) => {}
            }
        });
    }
}

fn with_lease(answer: Response<Incoming>, lease: Lease) -> Result<Response<Body>> {
    if let Some(via) = lease.proxy()
        && answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
    {
        return Err(broken::by_proxy(via, answer.status()).with_sent(Sent::Maybe));
    }
    let mut lease = Some(lease);
    if hyper::body::Body::is_end_stream(answer.body())
        && let Some(lease) = lease.take()
    {
        lease.give_back();
    }
    Ok(answer.map(|incoming| Body { incoming, lease }))
}

/// The body of an answer. It gives its connection back when it has been read to the end.
pub(super) struct Body {
    incoming: Incoming,
    lease: Option<Lease>,
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if let Some(lease) = &mut self.lease {
            match polled {
                Poll::Pending => lease.wait(),
                Poll::Ready(_) => lease.hear(),
            }
        }
        let frame = ready!(polled);
        let is_end = match &frame {
            None => true,
            Some(frame) => frame.is_ok() && self.incoming.is_end_stream(),
        };
        if is_end && let Some(lease) = self.lease.take() {
            lease.give_back();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
