//! `unix:` URLs: servers that listen on a socket file.
//!
//! Inside of requests, the file is the authority, in hexadecimal: connections are kept by it.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use super::{BaseUrl, Parts};
use crate::text::hex;
use crate::{Error, ErrorKind, Result};

/// Parses what follows `unix:`.
pub(super) fn parse(rest: &str) -> Result<BaseUrl> {
    let refuse = |why: &str| Error::new(ErrorKind::Config, format!("base URL {why}"));
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (file, path) = rest.split_once(':').unwrap_or((rest, ""));
    if !file.starts_with('/') || file.contains(['?', '%']) || file.contains(char::is_control) {
        return Err(refuse(
            "must name a socket by its absolute path, as in unix:/run/agent.sock or, with a path \
             on the server, unix:/run/agent.sock:/v1",
        ));
    }
    if !path.is_empty() && !path.starts_with('/') {
        return Err(refuse(
            "has a path on the server that does not begin with a slash",
        ));
    }
    let path = match path {
        "" => "",
        path => {
            let parsed: PathAndQuery = path
                .parse()
                .map_err(|_| refuse("has a path on the server that is not one"))?;
            if parsed.query().is_some() {
                return Err(refuse("must not have a query"));
            }
            path.trim_end_matches('/')
        }
    };
    check(file).map_err(|cause| {
        refuse("names a socket that this system cannot have").with_source(cause)
    })?;
    let fail = |_| refuse("cannot be used");
    Ok(BaseUrl(Arc::new(Parts {
        scheme: SCHEME.parse::<Scheme>().map_err(fail)?,
        authority: hex(file.as_bytes()).parse::<Authority>().map_err(fail)?,
        path: path.to_owned(),
        is_loopback: true,
        host_header: host_header(),
        socket: Some(file.to_owned()),
    })))
}

/// Checks the length, which systems limit to about a hundred bytes.
#[cfg(unix)]
fn check(file: &str) -> std::io::Result<()> {
    std::os::unix::net::SocketAddr::from_pathname(file).map(|_| ())
}

#[cfg(not(unix))]
fn check(_file: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Returns the socket file of a request, unless its server is elsewhere.
pub(crate) fn file(uri: &Uri) -> Option<String> {
    if uri.scheme_str() != Some(SCHEME) {
        return None;
    }
    let digits = uri.authority()?.as_str().as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16);
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(value(*high)? << 4 | value(*low)?).ok(),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

/// The value of the header `Host`: there is no name.
pub(super) fn host_header() -> HeaderValue {
    HeaderValue::from_static("localhost")
}

pub(super) const SCHEME: &str = "unix";

#[cfg(all(test, unix))]
mod tests {
    use super::super::{Target, place};
    use super::*;

    #[test]
    fn a_socket_is_named_by_its_path() {
        for (text, file, shown) in [
            ("unix:/run/a.sock", "/run/a.sock", "unix:/run/a.sock"),
            ("unix:///run/a.sock:/", "/run/a.sock", "unix:/run/a.sock"),
            ("unix:/run/ä b:/v1/", "/run/ä b", "unix:/run/ä b:/v1"),
        ] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.to_string().as_str(), base.host()), (shown, file));
            assert!(base.is_loopback() && !base.is_https());
            assert_eq!(BaseUrl::parse(shown).unwrap(), base);
            let uri = base.join(&Target::new("/x").query("q", "1")).unwrap();
            assert_eq!(super::file(&uri).as_deref(), Some(file));
            assert_eq!(uri.path(), format!("{}/x", base.path()));
            assert_eq!(place(&uri), format!("unix:{file}"));
        }
    }

    #[test]
    fn what_names_no_socket_is_refused() {
        let long = format!("unix:/{}", "a".repeat(200));
        for text in [
            "unix:",
            "unix:run/a.sock",
            "unix:/run/a.sock:v1",
            "unix:/run/a.sock?q=planted",
            "unix:/run/a.sock:/v1?q=planted",
            "unix:/run/a.sock#planted",
            "unix:/run/a%20b",
            "unix:/run/a\n",
            "unix:/a:/b c",
            &long,
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(!error.to_string().contains("planted"));
        }
    }

    #[test]
    fn a_foreign_authority_is_no_socket() {
        for uri in [
            "http://2f61/",
            "unix://2f6/",
            "unix://example/",
            "unix://ff/",
        ] {
            assert_eq!(super::file(&uri.parse().unwrap()), None, "{uri}");
        }
    }
}
