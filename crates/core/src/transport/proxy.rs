//! Proxies: which request goes through which, and the tunnels of `https`.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::uri::Scheme;
use http::{HeaderValue, Method, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;

use super::broken;
use super::wire::{Via, Wire};
use crate::auth::Basic;
use crate::url::{BaseUrl, is_loopback, place};
use crate::{ConnectPhase, Error, ErrorKind, Result, Secret, env, url};

/// A proxy for requests to other machines, and the exceptions.
///
/// Requests of `https` go through a tunnel, so that the proxy sees neither them nor their
/// credentials, only the name of the server. Those of plain `http` are sent to the proxy as they
/// are. Requests to loopback addresses and `localhost` never go through a proxy.
///
/// ```
/// use vouchsafe_core::Secret;
/// use vouchsafe_core::transport::{HttpTransport, Proxy};
///
/// let proxy = Proxy::new("http://proxy.example.org:3128")?
///     .credentials("worker", &Secret::from("hunter2"))?
///     .except("corp.example.org")?
///     .except("10.0.0.0/8")?;
/// let transport = HttpTransport::builder().proxy(proxy).build()?;
/// # Ok::<(), vouchsafe_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Proxy {
    http: Option<Hop>,
    https: Option<Hop>,
    except: String,
}

/// Where a proxy is, and what it asks for.
#[derive(Clone)]
pub(super) struct Hop {
    url: Uri,
    place: Arc<str>,
    credentials: Option<HeaderValue>,
}

impl Proxy {
    /// Sends all requests to other machines through a proxy. `url` is `http://host:port`, or
    /// `https://host:port` for a proxy that speaks TLS; without a scheme it is `http`. It may have
    /// a user name and a password, percent-encoded, as in `http://user:password@host:port`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it is not such a URL. The message does not quote it.
    pub fn new(url: &str) -> Result<Self> {
        let hop = Hop::parse(url)?;
        Ok(Self {
            http: Some(hop.clone()),
            https: Some(hop),
            except: String::new(),
        })
    }

    /// Reads the usual variables of the environment: `HTTPS_PROXY` for requests of `https`,
    /// `HTTP_PROXY` for those of `http`, `ALL_PROXY` for those whose variable is not set, and the
    /// exceptions in `NO_PROXY`, separated by commas, each as for [`except`](Self::except). Names in lower
    /// case are read too, and are preferred, as by curl and Python. An empty variable counts as unset.
    ///
    /// `HTTP_PROXY` in upper case is ignored in a CGI program (`REQUEST_METHOD` is set), where whoever
    /// sends a request could set it with a header `Proxy`, as Go, Python and reqwest do. curl never reads
    /// it.
    ///
    /// Exceptions that [`except`](Self::except) would refuse, such as a name with a port, are ignored.
    ///
    /// Without any of them there is no proxy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming the variable, if one holds anything but the URL of an `http` or
    /// `https` proxy. The message does not quote it.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(env::secret)
    }

    fn from_variables(read: impl Fn(&str) -> Result<Option<Secret>>) -> Result<Self> {
        let first = |names: &[&'static str]| -> Result<Option<(&'static str, Secret)>> {
            for name in names {
                if let Some(value) = read(name)? {
                    return Ok(Some((name, value)));
                }
            }
            Ok(None)
        };
        let hop = |names: &[&'static str]| match first(names)? {
            Some((name, url)) => Hop::parse(url.expose())
                .map(Some)
                .map_err(|fault| fault.with_origin(env::origin(name))),
            None => Ok(None),
        };
        let http: &[_] = match read("REQUEST_METHOD")? {
            Some(_) => &["http_proxy"],
            None => &["http_proxy", "HTTP_PROXY"],
        };
        let all = hop(&["all_proxy", "ALL_PROXY"])?;
        let except = first(&["no_proxy", "NO_PROXY"])?;
        Ok(Self {
            http: hop(http)?.or_else(|| all.clone()),
            https: hop(&["https_proxy", "HTTPS_PROXY"])?.or(all),
            except: except.map_or_else(String::new, |(_, list)| {
                let applying = list.expose().split(',').filter_map(exception);
                applying.collect::<Vec<_>>().join(",")
            }),
        })
    }

    /// Sets the name and the password that the proxy asks for, as basic credentials. They are sent
    /// to the proxy alone; unless its URL is `https`, others on the way to it can read them.
    /// Default: those in the URL, if any.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the name contains a colon, or either a control character.
    pub fn credentials(mut self, user: &str, password: &Secret) -> Result<Self> {
        let credentials = basic(user, password)?;
        for hop in [&mut self.http, &mut self.https].into_iter().flatten() {
            hop.credentials = Some(credentials.clone());
        }
        Ok(self)
    }

    /// Adds servers that are asked without the proxy: a host name, which includes all names below
    /// it, an address, a network such as `10.0.0.0/8`, or `*` for all. Names are not resolved to
    /// compare them with addresses. Default: only this machine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it has another form, such as a name with a port.
    pub fn except(mut self, servers: &str) -> Result<Self> {
        let servers = exception(servers).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "an exception from a proxy is a host name, an address, a network such as \
                 10.0.0.0/8, or *",
            )
        })?;
        if !self.except.is_empty() {
            self.except.push(',');
        }
        self.except.push_str(servers);
        Ok(self)
    }

    /// Returns whether one of the proxies is asked over TLS.
    pub(super) fn speaks_tls(&self) -> bool {
        [&self.http, &self.https]
            .into_iter()
            .flatten()
            .any(Hop::is_https)
    }

    /// Returns the rules in the form that decides quickly, unless nothing goes through a proxy.
    pub(super) fn routes(&self) -> Option<Routes> {
        // The matcher applies it to names alone.
        let is_never_used = self.except.split(',').any(|servers| servers == "*");
        if is_never_used || (self.http.is_none() && self.https.is_none()) {
            return None;
        }
        let url = |hop: &Option<Hop>| hop.as_ref().map_or_else(String::new, |h| h.url.to_string());
        Some(Routes {
            matcher: Matcher::builder()
                .http(url(&self.http))
                .https(url(&self.https))
                .no(&self.except)
                .build(),
            proxy: self.clone(),
        })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("http", &self.http)
            .field("https", &self.https)
            .field("except", &self.except)
            .finish()
    }
}

/// Decides which requests go through a proxy.
pub(super) struct Routes {
    matcher: Matcher,
    proxy: Proxy,
}

impl Routes {
    /// Returns the proxy of a request, or `None` if it goes to its server directly.
    pub(super) fn hop(&self, uri: &Uri) -> Option<&Hop> {
        if is_loopback(uri.host()?) {
            return None;
        }
        self.matcher.intercept(uri)?;
        match uri.scheme() == Some(&Scheme::HTTPS) {
            true => self.proxy.https.as_ref(),
            false => self.proxy.http.as_ref(),
        }
    }
}

impl Hop {
    fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| Error::new(ErrorKind::Config, format!("the proxy {why}"));
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (user, at) = match rest.rsplit_once('@') {
            Some((user, at)) => (Some(user), at),
            None => (None, rest),
        };
        if !matches!(scheme, "http" | "https") {
            return Err(refuse("is not one that speaks http or https"));
        }
        let base = BaseUrl::parse(&format!("{scheme}://{at}"))
            .map_err(|fault| refuse(&format!("cannot be used: its {}", fault.message())))?;
        if !base.path().is_empty() {
            return Err(refuse("has a path, where only host and port are of use"));
        }
        let credentials = match user {
            None => None,
            Some(user) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                let decoded = |text| percent_decode_str(text).decode_utf8().ok();
                let (name, password) = decoded(name)
                    .zip(decoded(password))
                    .ok_or_else(|| refuse("has credentials that are not UTF-8"))?;
                let password = Secret::from(password.into_owned());
                let header = basic(&name, &password);
                let unusable = |fault: Error| refuse(&format!("cannot be used: {fault}"));
                Some(header.map_err(unusable)?)
            }
        };
        let url: Uri = base
            .to_string()
            .parse()
            .map_err(|_| refuse("cannot be used"))?;
        Ok(Self {
            place: place(&url).into(),
            url,
            credentials,
        })
    }

    /// Returns what errors need.
    pub(super) fn via(&self) -> Via {
        Via {
            place: Arc::clone(&self.place),
            has_credentials: self.credentials.is_some(),
        }
    }

    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == Some(&Scheme::HTTPS)
    }

    /// Returns the value of `Proxy-Authorization`.
    pub(super) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }

    /// Says in an error of connecting to the proxy that it is about the proxy.
    pub(super) fn unreachable(&self, error: Error) -> Error {
        let error = error.with_origin(format!("proxy {}", self.place));
        error.with_kind(ErrorKind::Connect(ConnectPhase::Proxy))
    }

    /// Asks the proxy, over a connection to it, for a tunnel to the server of a request.
    pub(super) async fn tunnel(&self, wire: Wire, target: &Uri) -> Result<Wire> {
        let server = place(target);
        let fail = |why: &str| {
            let what = format!("the proxy {} {why}", self.place);
            Error::new(ErrorKind::Connect(ConnectPhase::Proxy), what)
        };
        let lost = |cause: hyper::Error| {
            let error = match cause.is_parse() {
                true => fail("does not answer as one: is it a port for something else?"),
                false => fail("closed the connection").with_retryable(true),
            };
            error.with_source(cause)
        };
        let mut request = http::Request::builder()
            .method(Method::CONNECT)
            .uri(&server)
            .header(HOST, &server)
            .body(Empty::<Bytes>::new())
            .map_err(|cause| fail("cannot be asked").with_source(cause))?;
        if let Some(credentials) = &self.credentials {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(lost)?;
        let exchange = async {
            let mut answer = sender.send_request(request).await.map_err(lost)?;
            match answer.status() {
                status if status.is_success() => {
                    hyper::upgrade::on(&mut answer).await.map_err(lost)
                }
                status => Err(broken::by_proxy(&self.via(), status)),
            }
        };
        // The connection makes both progress; its end shows in the exchange.
        let driven = async {
            let _ = connection.with_upgrades().await;
            std::future::pending().await
        };
        let upgraded = tokio::select! {
            upgraded = exchange => upgraded?,
            never = driven => never,
        };
        match upgraded.downcast::<TokioIo<Wire>>() {
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            // A server speaks TLS only when it is spoken to.
            _ => Err(fail("sent something that was not asked for")),
        }
    }
}

fn basic(user: &str, password: &Secret) -> Result<HeaderValue> {
    let header = Basic::new(user)?.header(password)?;
    let mut header = HeaderValue::from_str(header.expose()).map_err(|_| {
        Error::new(
            ErrorKind::Invalid,
            "the credentials are not valid in a header",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Returns an exception as it is compared with hosts, or `None` if it could never apply.
fn exception(text: &str) -> Option<&str> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let bare = bare.unwrap_or(text);
    if text == "*" || is_network(bare) {
        return Some(bare);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    url::host(name.strip_prefix('.').unwrap_or(name)).ok()?;
    Some(name)
}

fn is_network(text: &str) -> bool {
    use std::net::IpAddr;

    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| {
        let length = bits.parse::<u8>();
        // Signs and zeros in front would keep it from being understood.
        length.is_ok_and(|length| length <= most && length.to_string() == bits)
    })
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop")
            .field("url", &self.url)
            .field("has_credentials", &self.credentials.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(proxy: &Proxy, url: &str) -> Option<String> {
        let routes = proxy.routes()?;
        let hop = routes.hop(&url.parse().unwrap())?;
        Some(hop.place.to_string())
    }

    fn from(variables: &[(&str, &str)]) -> Result<Proxy> {
        Proxy::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            Ok(found.map(|(_, value)| Secret::from(*value)))
        })
    }

    #[test]
    fn this_machine_and_the_exceptions_are_asked_directly() {
        let mut proxy = Proxy::new("http://proxy.example:3128").unwrap();
        for servers in [
            "corp.example",
            ".dot.example",
            "10.0.0.0/8",
            "2001:db8::/32",
            "192.0.2.7",
            "[2001:db9::1]",
            "root.example.",
        ] {
            proxy = proxy.except(servers).unwrap();
        }
        for (url, is_direct) in [
            ("http://127.0.0.1:80/", true),
            ("https://localhost/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("https://[2001:db9::1]/", true),
            ("https://[2001:db9::2]/", false),
            ("https://root.example/", true),
            ("https://corp.example/", true),
            ("https://a.Corp.example/", true),
            ("https://a.dot.example/", true),
            ("http://10.1.2.3/", true),
            ("http://192.0.2.7/", true),
            ("https://[2001:db8::7]/", true),
            ("https://notcorp.example/", false),
            ("https://corp.example.org/", false),
            ("http://192.0.2.8/", false),
            ("http://11.0.0.1/", false),
        ] {
            let expected = (!is_direct).then(|| "proxy.example:3128".to_owned());
            assert_eq!(hop(&proxy, url), expected, "{url}");
        }
        let none = proxy.except("*").unwrap();
        let list = [("ALL_PROXY", "all:1"), ("NO_PROXY", "a.example, * ")];
        for none in [none, from(&list).unwrap()] {
            for url in ["https://auth.example/", "http://11.0.0.1/"] {
                assert_eq!(hop(&none, url), None, "{url}");
            }
        }
    }

    #[test]
    fn an_exception_that_would_never_apply_is_refused() {
        for servers in [
            "",
            "corp.example:443",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "https://a.example",
            "*.a.example",
        ] {
            let error = Proxy::new("p").unwrap().except(servers).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{servers:?}");
        }
    }

    #[test]
    fn the_environment_is_read_as_by_curl() {
        let (http, https) = ("http://auth.example/", "https://auth.example/");
        let none = from(&[]).unwrap();
        assert!(none.routes().is_none());
        let all = from(&[
            ("ALL_PROXY", "all:1"),
            ("HTTPS_PROXY", "https://tls.example"),
        ])
        .unwrap();
        assert_eq!(hop(&all, http).as_deref(), Some("all:1"));
        assert_eq!(hop(&all, https).as_deref(), Some("tls.example:443"));
        let only = from(&[("http_proxy", "one:1"), ("HTTP_PROXY", "two:2")]).unwrap();
        assert_eq!(hop(&only, http).as_deref(), Some("one:1"));
        assert_eq!(hop(&only, https), None);
        let list = [
            ("ALL_PROXY", "all:1"),
            ("NO_PROXY", "a:80,, .svc, auth.example."),
        ];
        assert_eq!(hop(&from(&list).unwrap(), http), None);
        for (lower, upper, url) in [
            ("http_proxy", "HTTP_PROXY", http),
            ("https_proxy", "HTTPS_PROXY", https),
            ("all_proxy", "ALL_PROXY", http),
            ("all_proxy", "ALL_PROXY", https),
        ] {
            let both = [(upper, "two:2"), (lower, "one:1")];
            let cgi = [(upper, "two:2"), ("REQUEST_METHOD", "GET")];
            let for_cgi = (upper != "HTTP_PROXY").then_some("two:2");
            for (variables, expected) in [
                (&both[..1], Some("two:2")),
                (&both[1..], Some("one:1")),
                (&both, Some("one:1")),
                (&cgi, for_cgi),
                (
                    &[(lower, "one:1"), ("REQUEST_METHOD", "GET")],
                    Some("one:1"),
                ),
                (&[both[0], ("no_proxy", "*")], None),
                (&[both[0], ("NO_PROXY", "*")], None),
                (
                    &[both[0], ("NO_PROXY", "*"), ("no_proxy", "other.example")],
                    Some("two:2"),
                ),
            ] {
                let proxy = from(variables).unwrap();
                assert_eq!(hop(&proxy, url).as_deref(), expected, "{variables:?}");
            }
        }
    }

    #[test]
    fn a_url_that_is_no_proxy_is_refused_without_being_quoted() {
        for url in [
            "",
            "socks5://planted@proxy.example:1080",
            "http://",
            "http://planted:planted@",
            "http://planted:a@proxy.example:0",
            "http://proxy.example/planted",
            "http://planted%FF@proxy.example",
            "http://planted%0A@proxy.example",
            "planted planted",
        ] {
            for error in [
                Proxy::new(url).unwrap_err(),
                from(&[("https_proxy", url)]).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Config, "{url}");
                assert!(
                    !format!("{error} {error:?}").contains("planted"),
                    "{error:?}"
                );
            }
        }
        let error = from(&[("HTTPS_PROXY", "ftp://a")]).unwrap_err();
        assert!(
            error.message().starts_with("HTTPS_PROXY in the env"),
            "{error}"
        );
    }

    #[test]
    fn credentials_are_decoded_and_not_shown() {
        let url = "http://user:p%40ss%2Fplanted@proxy.example:3128";
        let given = Proxy::new("proxy.example:3128").unwrap();
        let given = given
            .credentials("user", &Secret::from("p@ss/planted"))
            .unwrap();
        let mut headers = Vec::new();
        for proxy in [Proxy::new(url).unwrap(), given] {
            assert!(!format!("{proxy:?}").contains("planted"));
            let hop = proxy.https.unwrap();
            let header = hop.credentials().unwrap();
            assert!(header.is_sensitive());
            headers.push(header.clone());
        }
        assert_eq!(headers[0], "Basic dXNlcjpwQHNzL3BsYW50ZWQ=");
        assert_eq!(headers[0], headers[1]);
    }
}
