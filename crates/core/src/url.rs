//! Base URLs, and the encoding of paths and queries. Nothing here sends requests.
//!
//! A value is either encoded or refused: it cannot escape its path segment, add a query, or end the
//! URL early.

mod absolute;
mod given;
mod socket;
mod target;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

pub use self::absolute::{Absolute, Fault};
pub use self::given::Given;
#[cfg(all(feature = "client", unix))]
pub(crate) use self::socket::file as socket_file;
pub use self::target::Target;
use crate::{Error, ErrorKind, Result};

/// Returns host and port, the port also where the URL leaves it to the scheme; or the socket file.
pub(crate) fn place(uri: &Uri) -> String {
    if let Some(file) = socket::file(uri) {
        return format!("unix:{file}");
    }
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(usual);
    format!("{}:{port}", uri.host().unwrap_or_default())
}

/// Removes a port that is the scheme's default: the two fields of a request of HTTP/2 that name the
/// server must not differ (RFC 9113, 8.3.1), and the header `Host` is without it.
#[cfg(feature = "client")]
pub(crate) fn drop_usual_port(uri: &mut Uri) {
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
    if uri.port_u16() != Some(usual) {
        return;
    }
    let mut parts = uri.clone().into_parts();
    parts.authority = uri.host().and_then(|host| host.parse().ok());
    if let Ok(shorter) = Uri::from_parts(parts) {
        *uri = shorter;
    }
}

/// Returns a URL with another path and without user information and query, for errors.
pub(crate) fn printable(uri: &Uri, path: &str) -> String {
    if let Some(file) = socket::file(uri) {
        return format!("unix:{file}:{path}");
    }
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map_or("", |a| a.as_str());
    let authority = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{authority}{path}")
}

/// The location of a service: scheme, host, port and a path to which every target is appended. Or a
/// socket file of this machine, on Unix: `unix:/run/agent.sock`, or with a path on the server
/// `unix:/run/agent.sock:/v1`.
///
/// ```
/// use vouchsafe_core::url::BaseUrl;
///
/// let base: BaseUrl = "https://data.example.com/auth/api/v1/".parse()?;
/// assert_eq!(base.to_string(), "https://data.example.com/auth/api/v1");
/// # Ok::<(), vouchsafe_core::Error>(())
/// ```
///
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Arc<Parts>);

#[derive(PartialEq, Eq)]
struct Parts {
    scheme: Scheme,
    authority: Authority,
    /// Without a trailing slash; empty for the root.
    path: String,
    /// Stored, since every call with a credential needs it and it never changes.
    is_loopback: bool,
    /// The value of the header `Host`, stored for the same reason.
    host_header: HeaderValue,
    /// The socket file, of which the authority is a code.
    socket: Option<String>,
}

impl BaseUrl {
    /// Parses an absolute `http` or `https` URL, or one of a socket file. Trailing slashes are
    /// removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the text is not such a URL, or has user information, a query or a
    /// fragment. The message does not include the URL, which may contain a password.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| Error::new(ErrorKind::Config, format!("base URL {why}"));
        if text.contains('#') {
            return Err(refuse("must not have a fragment"));
        }
        if let Some(rest) = text.strip_prefix("unix:") {
            return socket::parse(rest);
        }
        let uri: Uri = text
            .parse()
            .map_err(|cause| refuse("is not a URL").with_source(cause))?;
        if uri.query().is_some() {
            return Err(refuse("must not have a query"));
        }
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(refuse("must be absolute: http://… or https://…"));
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(refuse("must be http or https"));
        }
        if authority.as_str().contains('@') {
            return Err(refuse(
                "must not have user information; give the credential by itself",
            ));
        }
        let host = authority.host();
        if bare(host).is_empty() {
            return Err(refuse("must name a host"));
        }
        if !is_host(host) {
            return Err(refuse("has a host that is neither a name nor an address"));
        }
        // After the host there may only be a port. The parser accepts more, and code that cannot
        // read the port would use the scheme's default port: another server than the intended one.
        let rest = &authority.as_str()[host.len()..];
        let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && port(text).is_some();
        if !rest.is_empty() && !rest.strip_prefix(':').is_some_and(is_port) {
            return Err(refuse("has an invalid port"));
        }
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        Ok(Self(Arc::new(Parts {
            is_loopback: is_loopback(authority.host()),
            host_header: host_header(&scheme, &authority),
            scheme,
            authority,
            path: path.trim_end_matches('/').to_owned(),
            socket: None,
        })))
    }

    /// Returns the same server with another path, which is encoded and begins with a slash.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it is not such a path.
    pub fn with_path(&self, path: &str) -> Result<Self> {
        let colon = if self.0.socket.is_some() { ":" } else { "" };
        match path.starts_with('/') {
            true => Self::parse(&format!("{}{colon}{path}", self.origin())),
            false => Err(Error::new(
                ErrorKind::Config,
                "the path of a base URL must begin with a slash",
            )),
        }
    }

    /// Returns the URL without its path.
    fn origin(&self) -> String {
        match &self.0.socket {
            Some(file) => format!("{}:{file}", socket::SCHEME),
            None => format!("{}://{}", self.0.scheme, self.0.authority),
        }
    }

    /// Returns the host, without brackets around an IPv6 address; or the path of the socket file.
    #[must_use]
    pub fn host(&self) -> &str {
        match &self.0.socket {
            Some(file) => file,
            None => bare(self.0.authority.host()),
        }
    }

    /// Returns host and port as written; for a socket file, a code of its path.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Returns the value of the header `Host`: the authority, without a port that is the default
    /// (RFC 9110, 4.2.3).
    pub(crate) fn host_header(&self) -> &HeaderValue {
        &self.0.host_header
    }

    /// Returns the path, without a trailing slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme == Scheme::HTTPS
    }

    /// Returns whether the host is a loopback address or `localhost`, which the socket transport
    /// connects to loopback addresses only, or the server listens on a socket file.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.0.is_loopback
    }

    /// Appends a [`Target`] to the base.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the result is too long for a URL (64 KiB).
    pub fn join(&self, target: &Target) -> Result<Uri> {
        let mut whole = String::with_capacity(self.0.path.len() + target.0.len() + 1);
        whole.push_str(&self.0.path);
        whole.push_str(&target.0);
        if whole.is_empty() {
            whole.push('/');
        }
        let path_and_query = PathAndQuery::from_maybe_shared(bytes::Bytes::from(whole))
            .map_err(|cause| Error::new(ErrorKind::Invalid, "URL too long").with_source(cause))?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.0.scheme.clone());
        parts.authority = Some(self.0.authority.clone());
        parts.path_and_query = Some(path_and_query);
        Uri::from_parts(parts)
            .map_err(|cause| Error::new(ErrorKind::Invalid, "URL too long").with_source(cause))
    }
}

/// Returns the value of the header `Host` for a server.
pub(crate) fn host_header(scheme: &Scheme, authority: &Authority) -> HeaderValue {
    if scheme.as_str() == socket::SCHEME {
        return socket::host_header();
    }
    let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let text = match authority.port_u16() {
        Some(port) if port != default => format!("{}:{port}", authority.host()),
        _ => authority.host().to_owned(),
    };
    HeaderValue::try_from(text).expect("what is in an authority may be in a header")
}

impl FromStr for BaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())?;
        if self.0.socket.is_some() && !self.0.path.is_empty() {
            f.write_str(":")?;
        }
        f.write_str(&self.0.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

/// Returns a host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Returns a host in the form that a URL needs: an IPv6 address is put in brackets.
///
/// ```
/// use vouchsafe_core::url::host;
///
/// assert_eq!(host("::1")?, "[::1]");
/// assert_eq!(host("tvm.example.org")?, "tvm.example.org");
/// assert!(host("http://tvm.example.org").is_err());
/// # Ok::<(), vouchsafe_core::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Config`] if the text is neither a host name nor an address. The message does not
/// include the text.
pub fn host(text: &str) -> Result<String> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok(format!("[{text}]"));
    }
    match is_host(text) {
        true => Ok(text.to_owned()),
        false => Err(Error::new(
            ErrorKind::Config,
            "a host is a name or an address alone, without scheme, port and path",
        )),
    }
}

/// Returns whether a text is a host name, an IPv4 address, or an IPv6 address in brackets.
pub(crate) fn is_host(text: &str) -> bool {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    // A name may end with the dot of the root.
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| matches!(label.len(), 1..=63) && label.bytes().all(is_inner);
    // Some parsers treat any name that ends with a number as an address, also a hexadecimal one.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = match last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    name.len() <= 253
        && name.split('.').all(is_label)
        && (!is_number || text.parse::<Ipv4Addr>().is_ok())
}

/// Returns whether a host is a loopback address or `localhost`. A server that listens there does
/// not need TLS to prove its identity. An IPv6 address may be in brackets.
///
/// The name refers to this machine only if the connection is made to a loopback address, as the
/// socket transport does whatever a resolver answers.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || is_loopback_address(host)
}

/// Returns whether a host is a loopback address, with or without brackets. This is the right check
/// where other code resolves names and makes the connection.
#[must_use]
pub fn is_loopback_address(host: &str) -> bool {
    bare(host)
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(value: &str) -> Uri {
        let base: BaseUrl = "https://h.example/auth".parse().unwrap();
        base.join(&Target::new("/users/").segment("username", value).unwrap())
            .unwrap()
    }

    #[test]
    fn a_value_cannot_leave_its_segment() {
        for (value, path) in [
            ("a/b", "/auth/users/a%2Fb"),
            ("../user-info", "/auth/users/..%2Fuser-info"),
            ("a?b=c", "/auth/users/a%3Fb%3Dc"),
            ("a#b", "/auth/users/a%23b"),
            ("a\r\nX: y", "/auth/users/a%0D%0AX%3A%20y"),
            ("é%", "/auth/users/%C3%A9%25"),
        ] {
            assert_eq!(uri(value).path(), path);
            assert_eq!(uri(value).query(), None);
        }
    }

    #[test]
    fn values_that_no_encoding_keeps_in_place_are_refused() {
        for value in ["", ".", ".."] {
            let error = Target::new("/users/")
                .segment("username", value)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().starts_with("username must not be"));
        }
    }

    #[test]
    fn a_ready_target_cannot_leave_its_path() {
        assert_eq!(
            Target::encoded("/a/b?c=d,e/..").unwrap().as_str(),
            "/a/b?c=d,e/.."
        );
        for bad in [
            "",
            "a",
            "//h/a",
            "/a/../b",
            "/a/.",
            "/a/%2E.",
            "/a/%2e/b",
            "/a\\..\\b",
            "/a#b",
            "/a b",
            "/a?b\r\n",
            "/ä",
        ] {
            let error = Target::encoded(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad:?}");
        }
    }

    #[test]
    fn query_values_are_encoded() {
        let target = Target::new("/u")
            .query("q", "a&b=c")
            .query_opt("r", None)
            .query("s", "ü");
        assert_eq!(target.as_str(), "/u?q=a%26b%3Dc&s=%C3%BC");
    }

    #[test]
    fn base_urls_that_hide_something_are_refused_without_repeating_it() {
        for text in [
            "",
            "/x",
            "data.example.com",
            "ftp://e.org",
            "https://",
            "https://u:planted@e.org/",
            "https://e.org/?q=planted",
            "https://e.org/#planted",
            "not a url",
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(!error.to_string().contains("planted"));
        }
    }

    #[test]
    fn an_invalid_port_is_refused_rather_than_replaced() {
        for rest in [
            ":",
            ":0",
            ":80a",
            ":+80",
            ":65536",
            ":99999999999999",
            ":8:0",
        ] {
            for host in ["e.org", "[::1]"] {
                let error = BaseUrl::parse(&format!("https://{host}{rest}/")).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config, "{host}{rest}");
            }
        }
        for text in [
            "https://[::1]e.org/",
            "https://[]/",
            "https://[::1]8/",
            "http://127.0.0.1\\@e.org/",
            "http://127.0.0.1%2ee.org/",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
        assert!(BaseUrl::parse("https://[::1]:65535/x").is_ok());
        assert!(BaseUrl::parse("https://e.org:1").is_ok());
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_else() {
        for (text, expected) in [
            ("localhost", "localhost"),
            ("tvm-1.example.org.", "tvm-1.example.org."),
            ("a_b", "a_b"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[fe80::1]", "[fe80::1]"),
        ] {
            assert_eq!(host(text).unwrap(), expected);
            assert!(
                BaseUrl::parse(&format!("http://{expected}:1/")).is_ok(),
                "{text}"
            );
        }
        let long = ["a".repeat(63).as_str(); 4].join(".");
        for text in [
            "",
            " ",
            ".",
            "..",
            "a..b",
            "a b",
            "localhost ",
            "localhost:80",
            "http://localhost",
            "a/b",
            "a@b",
            "256.0.0.1",
            "127.1",
            "0x7f.1",
            "127.0.0.0X1",
            "0x7f000001.",
            "0x",
            "1",
            "[127.0.0.1]",
            "[::1",
            "::g",
            "ü.example",
            "h$st",
            "a,b",
            &long,
        ] {
            let error = host(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text:?}");
            assert!(
                BaseUrl::parse(&format!("http://{text}/x")).is_err()
                    || text.contains(['/', ':', '@']),
                "{text:?}"
            );
        }
    }

    #[cfg(feature = "http2")]
    #[test]
    fn only_the_usual_port_is_dropped() {
        for (url, expected) in [
            ("https://h:443/x?q=1", "https://h/x?q=1"),
            ("http://[::1]:80/", "http://[::1]/"),
            ("https://h:80/x", "https://h:80/x"),
            ("http://h:443/", "http://h:443/"),
            ("https://h/x", "https://h/x"),
        ] {
            let mut uri = url.parse().unwrap();
            drop_usual_port(&mut uri);
            assert_eq!(uri, expected);
        }
    }

    #[test]
    fn loopback_is_recognised() {
        for (text, yes) in [
            ("http://127.0.0.1:80", true),
            ("http://localhost", true),
            ("http://[::1]:8", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://[::ffff:10.0.0.1]", false),
            ("http://127.0.0.1.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().is_loopback(), yes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_value_comes_back_from_its_segment(value in "\\PC{1,40}") {
            prop_assume!(!matches!(value.as_str(), "." | ".."));
            let uri = uri(&value);
            let segments: Vec<&str> = uri.path().split('/').collect();
            prop_assert_eq!(segments.len(), 4);
            let decoded = percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap();
            prop_assert_eq!(decoded, value);
        }
    }
}
