//! The connections to one server, and how they are lent to requests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::body::Outgoing;
#[cfg(feature = "http2")]
use super::shared::{Shared, Sharing, Stream};
use super::wire::{FRESH, Occupancy, Via};
use crate::deadline::after;
use crate::sync::lock;
use crate::task::Task;

/// The connections to one server.
///
/// Timers refer to it weakly, and a connection ends when its sender is dropped: so all of them end with
/// the pool.
pub(super) struct Host {
    /// The server, with `/` as path.
    pub(super) uri: Uri,
    /// The runtime that its connections are driven on.
    runtime: Option<Id>,
    /// Its name in the header `Host`.
    header: HeaderValue,
    keeping: Keeping,
    state: Mutex<State>,
    numbers: AtomicU64,
    #[cfg(feature = "http2")]
    pub(super) sharing: Sharing,
}

/// How many idle connections to a server are kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    pub(super) max_idle: usize,
    pub(super) idle_timeout: Duration,
}

#[derive(Default)]
struct State {
    /// Those that were ready when they were given back, the latest last; before them those that were
    /// still busy with the end of their exchange.
    idle: VecDeque<Box<Own>>,
    waiting: VecDeque<oneshot::Sender<Lease>>,
    /// What makes connections whose requests have got another one.
    spare: Vec<Task>,
    #[cfg(feature = "http2")]
    shared: Option<Arc<Shared>>,
}

/// A connection that was just made.
pub(super) struct Made {
    pub(super) sender: Sender,
    pub(super) retire_at: Instant,
    pub(super) proxy: Option<Via>,
    pub(super) occupancy: Occupancy,
}

/// Where requests enter a connection.
pub(super) enum Sender {
    /// Of HTTP/1.1, and what drives it.
    Own(http1::SendRequest<Outgoing>, AbortHandle),
    #[cfg(feature = "http2")]
    Shared(hyper::client::conn::http2::SendRequest<Outgoing>),
}

/// A connection of HTTP/1.1, which serves one request at a time. Dropping it closes it.
struct Own {
    sender: http1::SendRequest<Outgoing>,
    driver: AbortHandle,
    _expiry: Task,
    number: u64,
    retire_at: Instant,
    /// When it was made, or the last answer was read to its end.
    used_at: Instant,
    proxy: Option<Via>,
    occupancy: Occupancy,
    has_answered: bool,
}

impl Own {
    /// Returns whether a request may use it, now or when it is ready.
    fn is_good(&self, now: Instant, timeout: Duration) -> bool {
        !self.sender.is_closed() && after(self.used_at, timeout) > now && self.retire_at > now
    }

    /// Returns whether it may have ended unnoticed.
    fn is_doubtful(&self, now: Instant) -> bool {
        !self.has_answered || now > after(self.used_at, FRESH)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It would wait until the peer has taken the rest of a request that was answered early.
        if !self.sender.is_ready() {
            self.driver.abort();
        }
    }
}

impl Host {
    pub(super) fn new(
        uri: Uri,
        runtime: Option<Id>,
        header: HeaderValue,
        keeping: Keeping,
        #[cfg(feature = "http2")] sharing: Sharing,
    ) -> Arc<Self> {
        Arc::new(Self {
            uri,
            runtime,
            header,
            keeping,
            state: Mutex::default(),
            numbers: AtomicU64::default(),
            #[cfg(feature = "http2")]
            sharing,
        })
    }

    /// Returns whether what is spawned now runs where its connections do.
    pub(super) fn is_of_this_runtime(&self) -> bool {
        Handle::try_current().is_ok_and(|runtime| Some(runtime.id()) == self.runtime)
    }

    /// Returns whether there is neither a connection nor a request.
    pub(super) fn is_unused(self: &Arc<Self>) -> bool {
        if Arc::strong_count(self) > 1 {
            return false;
        }
        let mut state = lock(&self.state);
        state.idle.retain(|own| !own.sender.is_closed());
        #[cfg(feature = "http2")]
        if state
            .shared
            .as_ref()
            .is_some_and(|shared| !shared.is_closed())
        {
            return false;
        }
        state.idle.is_empty()
    }

    /// Returns whether the authority of the URL is a host, and not a code for a socket file.
    fn is_named_by_url(&self) -> bool {
        let scheme = self.uri.scheme();
        scheme == Some(&Scheme::HTTP) || scheme == Some(&Scheme::HTTPS)
    }

    /// Returns the URL of a request to the server.
    fn absolute(&self, path: &PathAndQuery) -> Uri {
        let mut parts = self.uri.clone().into_parts();
        if !self.is_named_by_url() {
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Authority::try_from(self.header.as_bytes()).ok();
        }
        parts.path_and_query = Some(path.clone());
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// Lends a connection that is there. It may still be busy.
    pub(super) fn take(self: &Arc<Self>) -> Option<Lease> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        #[cfg(feature = "http2")]
        if let Some(shared) = &state.shared {
            if shared.is_good(now, self.keeping.idle_timeout) {
                let is_doubtful = shared.is_doubtful(now);
                let lent = Lent::Stream(shared.stream());
                return Some(Lease::kept(self, lent, is_doubtful));
            }
            state.shared = None;
        }
        while let Some(own) = state.idle.pop_back() {
            if own.is_good(now, self.keeping.idle_timeout) {
                return Some(Lease::kept_own(self, own, now));
            }
        }
        None
    }

    /// Returns whether there is a connection that requests share.
    #[cfg(feature = "http2")]
    pub(super) fn is_shared(&self) -> bool {
        lock(&self.state).shared.is_some()
    }

    /// Waits for a connection that another request gives back.
    pub(super) async fn given_back(self: &Arc<Self>) -> Lease {
        let (sender, receiver) = oneshot::channel();
        {
            let now = Instant::now();
            let mut state = lock(&self.state);
            // One may have come back since the request looked for it.
            let place = state.idle.iter().rposition(|own| {
                own.sender.is_ready() && own.is_good(now, self.keeping.idle_timeout)
            });
            if let Some(own) = place.and_then(|place| state.idle.remove(place)) {
                return Lease::kept_own(self, own, now);
            }
            let waiting = &mut state.waiting;
            // Requests that have got another connection, or were dropped.
            while waiting.front().is_some_and(oneshot::Sender::is_closed) {
                waiting.pop_front();
            }
            waiting.push_back(sender);
        }
        match receiver.await {
            Ok(lease) => lease,
            Err(_) => unreachable!("only the host drops it"),
        }
    }

    /// Lends a new connection.
    pub(super) fn lend(self: &Arc<Self>, made: Made) -> Lease {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let timeout = self.keeping.idle_timeout;
        let expiry = Task::spawn(expire(Arc::downgrade(self), number, timeout));
        match made.sender {
            Sender::Own(sender, driver) => {
                #[cfg(feature = "http2")]
                self.sharing.learn(false);
                let own = Own {
                    sender,
                    driver,
                    _expiry: expiry,
                    number,
                    retire_at: made.retire_at,
                    used_at: Instant::now(),
                    proxy: made.proxy,
                    occupancy: made.occupancy,
                    has_answered: false,
                };
                Lease::new(self, Lent::Own(Box::new(own)))
            }
            #[cfg(feature = "http2")]
            Sender::Shared(sender) => {
                self.sharing.learn(true);
                let (retire_at, proxy) = (made.retire_at, made.proxy);
                let shared = Shared::new(sender, expiry, number, retire_at, proxy, made.occupancy);
                let shared = Arc::new(shared);
                let now = Instant::now();
                let mut state = lock(&self.state);
                let other = state.shared.as_ref();
                if !other.is_some_and(|other| other.is_good(now, timeout)) {
                    state.shared = Some(Arc::clone(&shared));
                }
                Lease::new(self, Lent::Stream(shared.stream()))
            }
        }
    }

    /// Lends a connection to no other request. It ends with those that share it.
    #[cfg(feature = "http2")]
    fn let_go(&self, lost: &Arc<Shared>) {
        let mut state = lock(&self.state);
        let current = state.shared.as_ref();
        if current.is_some_and(|current| Arc::ptr_eq(current, lost)) {
            state.shared = None;
        }
    }

    /// Returns whether requests wait for a connection.
    pub(super) fn is_awaited(&self) -> bool {
        #[cfg(feature = "http2")]
        if self.sharing.is_awaited() {
            return true;
        }
        let state = lock(&self.state);
        state.waiting.iter().any(|waiting| !waiting.is_closed())
    }

    /// Lets a connection be made whose request needs it no longer, unless as many are being made as are
    /// kept.
    pub(super) fn make_spare(&self, making: impl Future<Output = ()> + Send + 'static) {
        let spare = &mut lock(&self.state).spare;
        spare.retain(|task| !task.is_finished());
        if spare.len() < self.keeping.max_idle {
            spare.push(Task::spawn(making));
        }
    }

    /// Gives a connection to a request that waits for one, or keeps it for the next.
    fn keep(self: &Arc<Self>, mut own: Box<Own>) {
        let now = Instant::now();
        if own.sender.is_closed() || own.retire_at <= now {
            return;
        }
        let mut state = lock(&self.state);
        while let Some(waiting) = state.waiting.pop_front() {
            let refused = waiting.send(Lease::kept_own(self, own, now));
            match refused.map_err(|mut lease| lease.lent.take()) {
                Err(Some(Lent::Own(again))) => own = again,
                _ => return,
            }
        }
        if state.idle.len() < self.keeping.max_idle {
            own.occupancy.set_idle(true);
            match own.sender.is_ready() {
                true => state.idle.push_back(own),
                false => state.idle.push_front(own),
            }
        }
    }

    /// Closes a connection that has been idle for too long, or returns when to look again.
    fn expire(&self, number: u64) -> Option<Instant> {
        let now = Instant::now();
        let timeout = self.keeping.idle_timeout;
        let mut state = lock(&self.state);
        if let Some(place) = state.idle.iter().position(|own| own.number == number) {
            let expires_at = after(state.idle[place].used_at, timeout);
            if expires_at > now {
                return Some(expires_at);
            }
            state.idle.remove(place);
            return None;
        }
        #[cfg(feature = "http2")]
        if let Some(shared) = &state.shared
            && shared.number == number
            && let Some(expires_at) = shared.expires_at(timeout)
        {
            if expires_at > now {
                return Some(expires_at);
            }
            state.shared = None;
            return None;
        }
        // It is in use.
        Some(after(now, timeout.max(TICK)))
    }
}

/// How often a connection in use is looked at, at most.
const TICK: Duration = Duration::from_millis(10);

async fn expire(host: Weak<Host>, number: u64, timeout: Duration) {
    let mut next = Some(after(Instant::now(), timeout));
    while let Some(look_at) = next {
        sleep_until(look_at).await;
        next = host.upgrade().and_then(|host| host.expire(number));
    }
}

/// A connection that is lent to a request. When this is dropped, its host gets the connection back,
/// unless it is in the middle of an exchange: then it is closed at once.
pub(super) struct Lease {
    host: Arc<Host>,
    lent: Option<Lent>,
    /// Whether the connection was there before the request.
    pub(super) is_kept: bool,
    /// Whether the connection may have ended unnoticed.
    pub(super) is_doubtful: bool,
    is_in_step: bool,
}

enum Lent {
    Own(Box<Own>),
    #[cfg(feature = "http2")]
    Stream(Stream),
}

impl Lease {
    fn new(host: &Arc<Host>, lent: Lent) -> Self {
        Self {
            host: Arc::clone(host),
            lent: Some(lent),
            is_kept: false,
            is_doubtful: false,
            is_in_step: true,
        }
    }

    fn kept(host: &Arc<Host>, lent: Lent, is_doubtful: bool) -> Self {
        let mut lease = Self::new(host, lent);
        lease.is_kept = true;
        lease.is_doubtful = is_doubtful;
        lease
    }

    fn kept_own(host: &Arc<Host>, own: Box<Own>, now: Instant) -> Self {
        own.occupancy.set_idle(false);
        let is_doubtful = own.is_doubtful(now);
        Self::kept(host, Lent::Own(own), is_doubtful)
    }

    fn lent(&self) -> &Lent {
        self.lent.as_ref().expect("only dropping takes it")
    }

    /// Returns whether a request can be sent at once.
    pub(super) fn is_ready(&self) -> bool {
        match self.lent() {
            Lent::Own(own) => own.sender.is_ready(),
            #[cfg(feature = "http2")]
            Lent::Stream(_) => true,
        }
    }

    /// Waits until a request can be sent. Returns `None` if that is not to be.
    pub(super) async fn ready(mut self) -> Option<Self> {
        let is_ready = match &mut self.lent {
            Some(Lent::Own(own)) => own.sender.ready().await.is_ok(),
            _ => true,
        };
        is_ready.then_some(self)
    }

    /// Returns whether the connection has delivered an answer.
    pub(super) fn has_answered(&self) -> bool {
        match self.lent() {
            Lent::Own(own) => own.has_answered,
            #[cfg(feature = "http2")]
            Lent::Stream(stream) => stream.shared.has_answered(),
        }
    }

    /// Returns whether other requests use the connection at the same time.
    pub(super) fn is_shared(&self) -> bool {
        match self.lent() {
            Lent::Own(_) => false,
            #[cfg(feature = "http2")]
            Lent::Stream(_) => true,
        }
    }

    /// Returns the proxy that the request is sent to, rather than to its server.
    pub(super) fn proxy(&self) -> Option<&Via> {
        match self.lent() {
            Lent::Own(own) => own.proxy.as_ref(),
            #[cfg(feature = "http2")]
            Lent::Stream(stream) => stream.shared.proxy.as_ref(),
        }
    }

    /// Sends a request whose URL is this path of the server.
    pub(super) async fn send(
        &mut self,
        path: &PathAndQuery,
        mut request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Outgoing>>> {
        self.is_in_step = false;
        let host = &*self.host;
        *request.uri_mut() = match path.as_str() {
            _ if self.is_shared() || self.proxy().is_some() => host.absolute(path),
            "/" => Uri::default(),
            _ => Uri::from(path.clone()),
        };
        let headers = request.headers_mut();
        let given = headers.get(HOST);
        if !self.is_shared() {
            if given.is_none() {
                headers.insert(HOST, host.header.clone());
            }
        } else if given == Some(&host.header) {
            // `:authority` is in its place (RFC 9113, 8.3.1), and some servers, nginx 1.22 among them,
            // answer 400 to a request with both.
            headers.remove(HOST);
        }
        match self.lent.as_mut().expect("only dropping takes it") {
            Lent::Own(own) => own.sender.try_send_request(request).await,
            #[cfg(feature = "http2")]
            Lent::Stream(stream) => {
                stream.wait();
                request.body_mut().tell(&stream.shared.silence);
                let answer = stream.shared.sender().try_send_request(request).await;
                stream.hear();
                answer
            }
        }
    }

    /// Records that the request waits for more of the answer, after its head.
    pub(super) fn wait(&mut self) {
        #[cfg(feature = "http2")]
        if let Some(Lent::Stream(stream)) = &mut self.lent {
            stream.wait();
        }
    }

    /// Records that something of the answer came, after its head.
    pub(super) fn hear(&mut self) {
        #[cfg(feature = "http2")]
        if let Some(Lent::Stream(stream)) = &mut self.lent {
            stream.hear();
        }
    }

    /// Gives the connection back, after the answer was read to its end.
    pub(super) fn give_back(mut self) {
        self.is_in_step = true;
        match &mut self.lent {
            Some(Lent::Own(own)) => {
                own.has_answered = true;
                own.used_at = Instant::now();
            }
            #[cfg(feature = "http2")]
            Some(Lent::Stream(stream)) => stream.shared.touch(),
            None => {}
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.lent.take() {
            Some(Lent::Own(own)) if self.is_in_step => self.host.keep(own),
            Some(Lent::Own(own)) => own.driver.abort(),
            #[cfg(feature = "http2")]
            Some(Lent::Stream(mut stream)) if !self.is_in_step => {
                stream.shared.touch();
                if stream.given_up() {
                    self.host.let_go(&stream.shared);
                }
            }
            _ => {}
        }
    }
}

#[cfg(all(test, feature = "http2"))]
mod tests {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::DuplexStream;

    use super::*;

    /// A connection of HTTP/2, whose other end is returned.
    async fn made() -> (Made, DuplexStream) {
        let (own, other) = tokio::io::duplex(1 << 16);
        let http2 = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = http2
            .handshake(TokioIo::new(own))
            .await
            .expect("both ends are in memory");
        crate::task::spawn_driver(connection);
        let made = Made {
            sender: Sender::Shared(sender),
            retire_at: after(Instant::now(), Duration::from_secs(60)),
            proxy: None,
            occupancy: Occupancy::default(),
        };
        (made, other)
    }

    fn number(lease: &Lease) -> u64 {
        match lease.lent() {
            Lent::Stream(stream) => stream.shared.number,
            Lent::Own(own) => own.number,
        }
    }

    #[tokio::test]
    async fn a_good_shared_connection_is_not_replaced_by_a_second_one() {
        let keeping = Keeping {
            max_idle: 1,
            idle_timeout: Duration::from_secs(60),
        };
        let uri = Uri::from_static("http://service.example/");
        let header = HeaderValue::from_static("service.example");
        let host = Host::new(uri, None, header, keeping, Sharing::new(true));
        let ((first, other), (second, _second)) = (made().await, made().await);
        let (first, second) = (host.lend(first), host.lend(second));
        let (kept, replaced) = (number(&first), number(&second));
        assert_eq!(host.take().as_ref().map(number), Some(kept));
        // Once it has ended, it is.
        drop((first, second, other));
        while host.take().is_some() {
            tokio::task::yield_now().await;
        }
        let (third, _third) = made().await;
        let third = number(&host.lend(third));
        assert_eq!(host.take().as_ref().map(number), Some(third));
        assert_ne!(third, replaced);
    }
}
