//! Several servers that do the same.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, StatusCode, Uri};
use tokio::time::Instant;

use super::silence::Silence;
use super::{PATIENCE, Request, Response, StreamedResponse, Transport};
use crate::deadline::after;
use crate::sync::lock;
use crate::url::{BaseUrl, Target, place};
use crate::{BoxFuture, Error, ErrorKind, Result, TimeoutScope};

/// A transport that sends the requests for one server to the first of several that has not failed
/// lately.
///
/// A client is built as for the first of them, and repeats requests by its own rules; each attempt
/// goes to the first server in the order that is not set aside. A server is set aside for half a
/// minute, give or take a fifth, if it cannot be reached, breaks off, answers 502, 503 or 504, or if
/// attempts were given up that waited for more than a second in all without any answer. If all are set
/// aside, the one whose time ends first is asked. This is no load balancing: while the first one works,
/// the others are not asked.
///
/// ```
/// use std::sync::Arc;
/// use vouchsafe_core::CoreClient;
/// use vouchsafe_core::transport::Endpoints;
/// # use vouchsafe_core::transport::Transport;
/// # fn example(transport: Arc<dyn Transport>) -> vouchsafe_core::Result<()> {
/// let first = "https://a.example.org".parse()?;
/// let others = ["https://b.example.org".parse()?];
/// let transport = Endpoints::new(transport, &first, &others)?;
/// let client = CoreClient::builder().transport(Arc::new(transport)).build()?;
/// # Ok(()) }
/// ```
pub struct Endpoints {
    inner: Arc<dyn Transport>,
    /// The first is the one that clients are built for.
    all: Box<[Endpoint]>,
}

struct Endpoint {
    /// The root of the server.
    root: Uri,
    host: HeaderValue,
    /// Until when it is not asked.
    aside: Mutex<Option<Instant>>,
    silence: Silence,
}

impl Endpoints {
    /// Creates a transport over another one. Requests to servers other than `first` pass unchanged.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a server has another path than the first, or is less protected: plain
    /// http to another machine where the first one is not that.
    pub fn new(inner: Arc<dyn Transport>, first: &BaseUrl, others: &[BaseUrl]) -> Result<Self> {
        let refuse = |other: &BaseUrl, why: &str| {
            let what = format!("{other} cannot stand in for {first}: {why}");
            Err(Error::new(ErrorKind::Config, what))
        };
        let is_protected = |base: &BaseUrl| base.is_https() || base.is_loopback();
        for other in others {
            if other.path() != first.path() {
                return refuse(other, "its path differs");
            }
            if is_protected(first) && !is_protected(other) {
                return refuse(other, "others on the network could read what is sent");
            }
        }
        let all = std::iter::once(first).chain(others).map(|base| {
            Ok(Endpoint {
                root: base.join(&Target::default())?,
                host: base.host_header().clone(),
                aside: Mutex::new(None),
                silence: Silence::new(),
            })
        });
        Ok(Self {
            inner,
            all: all.collect::<Result<_>>()?,
        })
    }

    /// Returns the server for the next request.
    fn choose(&self) -> &Endpoint {
        let now = Instant::now();
        let until = |endpoint: &&Endpoint| {
            let aside = *lock(&endpoint.aside);
            aside.map_or(now, |until| until.max(now))
        };
        // The first of those that are equal.
        let chosen = self.all.iter().min_by_key(until);
        chosen.expect("there is a first one")
    }

    fn is_ours(&self, uri: &Uri) -> bool {
        let first = &self.all[0].root;
        uri.scheme() == first.scheme() && uri.authority() == first.authority()
    }

    /// Addresses a request to the chosen server; returns it if the request is for one of them.
    fn direct(&self, request: &mut Request) -> Result<Option<&Endpoint>> {
        if !self.is_ours(&request.uri) {
            return Ok(None);
        }
        let chosen = self.choose();
        request.uri = chosen.at(&request.uri)?;
        if request.headers.get(HOST) == Some(&self.all[0].host) {
            request.headers.insert(HOST, chosen.host.clone());
        }
        Ok(Some(chosen))
    }
}

impl Endpoint {
    /// Returns a URL with this server in it.
    fn at(&self, uri: &Uri) -> Result<Uri> {
        let mut parts = uri.clone().into_parts();
        parts.scheme = self.root.scheme().cloned();
        parts.authority = self.root.authority().cloned();
        Uri::from_parts(parts)
            .map_err(|cause| Error::new(ErrorKind::Invalid, "URL too long").with_source(cause))
    }

    fn set_aside(&self) {
        let pause = PAUSE.mul_f64(0.8 + 0.4 * fastrand::f64());
        let until = after(Instant::now(), pause);
        *lock(&self.aside) = Some(until);
        tracing::debug!(server.address = place(&self.root), "server set aside");
    }

    /// Waits for an answer, and notes how it went.
    async fn watch<T>(
        &self,
        sent: BoxFuture<'_, Result<T>>,
        status: impl Fn(&T) -> StatusCode + Send,
    ) -> Result<T> {
        let mut waiting = Waiting {
            endpoint: self,
            since: Instant::now(),
            is_over: false,
        };
        let result = sent.await;
        waiting.is_over = true;
        if result.is_ok() {
            self.silence.end();
        }
        match &result {
            Ok(answer) if matches!(status(answer).as_u16(), 502..=504) => self.set_aside(),
            Ok(_) => *lock(&self.aside) = None,
            Err(error) if is_failure(error) => self.set_aside(),
            Err(_) => {}
        }
        // A client knows only of the first server.
        result.map_err(|error| match place(&self.root) {
            place if error.message().contains(&place) => error,
            place => error.with_origin(place),
        })
    }
}

/// Returns whether an error says that the server is in trouble, rather than the request.
fn is_failure(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Connect(_) | ErrorKind::Timeout(TimeoutScope::Connect) | ErrorKind::Transport
    )
}

/// An attempt whose caller may give up.
struct Waiting<'a> {
    endpoint: &'a Endpoint,
    since: Instant,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let endpoint = self.endpoint;
        if !self.is_over && endpoint.silence.given_up(self.since) > PATIENCE {
            endpoint.set_aside();
        }
    }
}

impl Transport for Endpoints {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Response>> {
        match self.direct(&mut request) {
            Ok(None) => self.inner.send(request),
            Ok(Some(chosen)) => {
                let sent = self.inner.send(request);
                Box::pin(chosen.watch(sent, |answer| answer.status))
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn stream(&self, mut request: Request) -> BoxFuture<'_, Result<StreamedResponse>> {
        match self.direct(&mut request) {
            Ok(None) => self.inner.stream(request),
            Ok(Some(chosen)) => {
                let sent = self.inner.stream(request);
                Box::pin(chosen.watch(sent, |answer| answer.status))
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn warm_up(&self, uri: &Uri) -> BoxFuture<'_, Result<()>> {
        if !self.is_ours(uri) {
            return self.inner.warm_up(uri);
        }
        let chosen = self.choose();
        match chosen.at(uri) {
            Ok(uri) => {
                let warmed = self.inner.warm_up(&uri);
                Box::pin(chosen.watch(warmed, |()| StatusCode::OK))
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn check(&self, uri: &Uri) -> Result<()> {
        if !self.is_ours(uri) {
            return self.inner.check(uri);
        }
        let mut all = self.all.iter();
        all.try_for_each(|endpoint| self.inner.check(&endpoint.root))
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.all.iter().map(|endpoint| place(&endpoint.root));
        f.debug_list().entries(places).finish()
    }
}

/// How long a failed server is not asked.
const PAUSE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use http::Method;
    use tokio::time::advance;

    use super::*;
    use crate::ConnectPhase;

    /// Answers by the host: `down` cannot be reached, `busy` answers 503, `deaf` never, others 200 with
    /// their name.
    #[derive(Debug, Default)]
    struct Hosts {
        down: Mutex<Vec<&'static str>>,
        /// Those that do not answer now.
        mute: Mutex<Vec<&'static str>>,
        asked: Mutex<Vec<String>>,
        warmed: Mutex<Vec<String>>,
    }

    impl Transport for Hosts {
        fn warm_up(&self, uri: &Uri) -> BoxFuture<'_, Result<()>> {
            lock(&self.warmed).push(uri.to_string());
            let host = uri.host().unwrap();
            if lock(&self.down).contains(&host) {
                let phase = ErrorKind::Connect(ConnectPhase::Tcp);
                return Box::pin(ready(Err(Error::new(phase, "no connection"))));
            }
            Box::pin(ready(Ok(())))
        }

        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
            let host = request.uri.host().unwrap().to_owned();
            lock(&self.asked).push(host.clone());
            assert_eq!(request.headers[HOST], host);
            assert_eq!(request.uri.path_and_query().unwrap(), "/v1/x?q=1");
            if lock(&self.down).contains(&&*host) {
                let phase = ErrorKind::Connect(ConnectPhase::Tcp);
                return Box::pin(ready(Err(Error::new(phase, "no connection"))));
            }
            if lock(&self.mute).contains(&&*host) {
                return Box::pin(pending());
            }
            match &*host {
                "busy" => Box::pin(ready(Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE)))),
                "deaf" => Box::pin(pending()),
                _ => {
                    let mut answer = Response::new(StatusCode::OK);
                    answer.body = host.into();
                    Box::pin(ready(Ok(answer)))
                }
            }
        }
    }

    fn over(hosts: &Arc<Hosts>, names: &[&str]) -> Endpoints {
        let base = |name: &&str| format!("https://{name}/v1").parse().unwrap();
        let all: Vec<BaseUrl> = names.iter().map(base).collect();
        let inner: Arc<dyn Transport> = Arc::clone(hosts) as _;
        Endpoints::new(inner, &all[0], &all[1..]).unwrap()
    }

    fn request(host: &'static str) -> Request {
        let url = format!("https://{host}/v1/x?q=1");
        let mut request = Request::new(Method::GET, url.parse().unwrap());
        request.headers.insert(HOST, HeaderValue::from_static(host));
        request
    }

    async fn ask(endpoints: &Endpoints) -> Result<String> {
        let answer = endpoints.send(request("a")).await?;
        Ok(String::from_utf8(answer.body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_server_is_set_aside_for_a_time() {
        let hosts = Arc::new(Hosts::default());
        let endpoints = over(&hosts, &["a", "b"]);
        assert_eq!(ask(&endpoints).await.unwrap(), "a");
        lock(&hosts.down).push("a");
        let error = ask(&endpoints).await.unwrap_err();
        assert_eq!(error.message(), "a:443: no connection");
        lock(&hosts.down).clear();
        advance(Duration::from_secs(23)).await;
        assert_eq!(ask(&endpoints).await.unwrap(), "b");
        advance(Duration::from_secs(14)).await;
        assert_eq!(ask(&endpoints).await.unwrap(), "a");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_pieces_comes_from_the_chosen_server_too() {
        let hosts = Arc::new(Hosts::default());
        let endpoints = over(&hosts, &["a", "b"]);
        lock(&hosts.down).push("a");
        let error = endpoints.stream(request("a")).await.unwrap_err();
        assert_eq!(error.message(), "a:443: no connection");
        let mut body = endpoints.stream(request("a")).await.unwrap().body;
        assert_eq!(body.next().await.unwrap().unwrap(), "b");
        // What is for another server is left alone.
        let mut body = endpoints.stream(request("other")).await.unwrap().body;
        assert_eq!(body.next().await.unwrap().unwrap(), "other");
        assert_eq!(*lock(&hosts.asked), ["a", "b", "other"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_made_ahead_to_the_server_of_the_next_request() {
        let hosts = Arc::new(Hosts::default());
        let endpoints = over(&hosts, &["a", "b"]);
        let uri: Uri = "https://a/v1/".parse().unwrap();
        endpoints.warm_up(&uri).await.unwrap();
        lock(&hosts.down).push("a");
        assert!(endpoints.warm_up(&uri).await.is_err());
        endpoints.warm_up(&uri).await.unwrap();
        assert_eq!(ask(&endpoints).await.unwrap(), "b");
        let other: Uri = "https://other/v1/".parse().unwrap();
        endpoints.warm_up(&other).await.unwrap();
        let warmed = lock(&hosts.warmed).clone();
        let hosts: Vec<_> = warmed
            .iter()
            .map(|uri| uri.parse::<Uri>().unwrap())
            .collect();
        let hosts: Vec<_> = hosts.iter().map(|uri| uri.host().unwrap()).collect();
        assert_eq!(hosts, ["a", "a", "b", "other"]);
    }

    #[tokio::test(start_paused = true)]
    async fn if_all_have_failed_the_one_whose_time_ends_first_is_asked() {
        let hosts = Arc::new(Hosts::default());
        let endpoints = over(&hosts, &["a", "b"]);
        lock(&hosts.down).extend(["a", "b"]);
        ask(&endpoints).await.unwrap_err();
        // The first is set aside for 24 to 36 seconds, so until before the second.
        advance(Duration::from_secs(13)).await;
        ask(&endpoints).await.unwrap_err();
        assert_eq!(*lock(&hosts.asked), ["a", "b"]);
        lock(&hosts.down).clear();
        assert_eq!(ask(&endpoints).await.unwrap(), "a");
        assert_eq!(ask(&endpoints).await.unwrap(), "a", "it is well again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_or_silent_server_is_set_aside_and_a_hasty_caller_says_nothing() {
        let hosts = Arc::new(Hosts::default());
        let endpoints = over(&hosts, &["busy", "deaf", "b"]);
        let send = || endpoints.send(request("busy"));
        assert_eq!(
            send().await.unwrap().status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        // Attempts at the same time wait for the same second.
        for limit in [900, 50, 1100] {
            let limit = Duration::from_millis(limit);
            let both = async { tokio::join!(send(), send()) };
            assert!(tokio::time::timeout(limit, both).await.is_err());
        }
        assert_eq!(send().await.unwrap().body, "b");
        let deaf = ["deaf"; 6];
        assert_eq!(*lock(&hosts.asked), [&["busy"], &deaf[..], &["b"]].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_in_vain_add_up_until_there_is_an_answer() {
        let hosts = Arc::new(Hosts::default());
        let endpoints = over(&hosts, &["fitful", "b"]);
        let give_up = async || {
            lock(&hosts.mute).push("fitful");
            let sent = endpoints.send(request("fitful"));
            let limit = Duration::from_millis(400);
            assert!(tokio::time::timeout(limit, sent).await.is_err());
            lock(&hosts.mute).clear();
        };
        let ask = async || endpoints.send(request("fitful")).await.unwrap().body;
        give_up().await;
        give_up().await;
        assert_eq!(ask().await, "fitful");
        give_up().await;
        // Nothing is asked meanwhile.
        advance(Duration::from_secs(60)).await;
        give_up().await;
        assert_eq!(ask().await, "fitful");
        give_up().await;
        give_up().await;
        give_up().await;
        assert_eq!(ask().await, "b");
    }

    #[tokio::test]
    async fn requests_to_other_servers_pass() {
        let hosts = Arc::new(Hosts::default());
        lock(&hosts.down).push("a");
        let endpoints = over(&hosts, &["a", "b"]);
        ask(&endpoints).await.unwrap_err();
        let other = endpoints.send(request("c")).await.unwrap();
        assert_eq!(other.body, "c");
    }

    #[test]
    fn a_server_that_protects_less_cannot_stand_in() {
        let inner: Arc<dyn Transport> = Arc::new(Hosts::default());
        for (first, other, is_fine) in [
            ("https://a", "https://b", true),
            ("https://a", "http://127.0.0.1:8", true),
            ("https://a", "http://b", false),
            ("http://127.0.0.1:8", "http://b", false),
            ("http://127.0.0.1:8", "https://b", true),
            ("http://a", "http://b", true),
            ("https://a/v1", "https://b/v2", false),
        ] {
            let others = [other.parse().unwrap()];
            let made = Endpoints::new(Arc::clone(&inner), &first.parse().unwrap(), &others);
            assert_eq!(made.is_ok(), is_fine, "{first}, {other}");
            if let Err(error) = made {
                assert_eq!(error.kind(), ErrorKind::Config);
            }
        }
    }
}
