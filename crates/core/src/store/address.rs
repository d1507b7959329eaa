//! Where a server is.

use http::Uri;

use crate::url::{is_host, is_loopback};
use crate::{Error, ErrorKind, Result};

/// The address of a store's server that does not speak HTTP, from a URL such as `nats://host:4222`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    place: String,
    is_tls: bool,
    is_loopback: bool,
}

impl Address {
    /// Parses a URL. Its scheme is `plain` or, for a connection with TLS, `tls`; without a port it
    /// gets the default one.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if it has another scheme, no host, a path, or a user: a
    /// password belongs elsewhere. The error does not repeat the URL.
    pub fn parse(url: &str, [plain, tls]: [&str; 2], port: u16) -> Result<Self> {
        let invalid = || {
            let what =
                format!("the URL of the server must be {plain}://host:port or {tls}://host:port");
            Error::new(ErrorKind::Config, what)
        };
        let url: Uri = url.parse().map_err(|_| invalid())?;
        let is_tls = match url.scheme_str() {
            Some(scheme) if scheme == plain => false,
            Some(scheme) if scheme == tls => true,
            _ => return Err(invalid()),
        };
        let host = url.host().filter(|host| is_host(host));
        let host = host.ok_or_else(invalid)?;
        let has_path = url
            .path_and_query()
            .is_some_and(|path| path.as_str() != "/");
        let has_user = url
            .authority()
            .is_some_and(|all| all.as_str().contains('@'));
        if has_path || has_user {
            return Err(invalid());
        }
        Ok(Self {
            place: format!("{host}:{}", url.port_u16().unwrap_or(port)),
            is_tls,
            is_loopback: is_loopback(host),
        })
    }

    /// Returns host and port.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns whether the URL asks for TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Returns whether the server is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address> {
        Address::parse(url, ["nats", "tls"], 4222)
    }

    #[test]
    fn a_url_says_where_a_server_is() {
        for (url, place, is_tls, is_loopback) in [
            ("nats://nats.example", "nats.example:4222", false, false),
            ("tls://nats.example:1/", "nats.example:1", true, false),
            ("nats://127.0.0.1", "127.0.0.1:4222", false, true),
            ("tls://[::1]:5", "[::1]:5", true, true),
        ] {
            let address = parse(url).unwrap();
            assert_eq!(address.place(), place);
            assert_eq!(
                (address.is_tls(), address.is_loopback()),
                (is_tls, is_loopback)
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_repeated() {
        for bad in [
            "nats.example",
            "redis://nats.example",
            "nats://",
            "nats://user:planted@127.0.0.1",
            "nats://127.0.0.1/planted",
            "nats://127.0.0.1?planted",
            "nats://planted planted",
            "nats://planted[f010::]",
            "nats://a..planted",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(
                error.is_config() && !error.to_string().contains("planted"),
                "{error}"
            );
        }
    }
}
