//! The options that all stores on servers have.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use super::record::LIMIT;
use crate::call::Timeouts;
use crate::transport::{Dialer, HttpTransport, HttpTransportBuilder, Transport};
use crate::url::BaseUrl;
use crate::{CoreClient, CoreClientBuilder, Error, ErrorKind, Result};

/// How a store reaches its server: the options that the builder of each store on a server has, by
/// [`reach_options!`](crate::reach_options), and what follows from them.
#[derive(Clone, Debug)]
pub struct Reach {
    limit: Duration,
    network: HttpTransportBuilder,
    transport: Option<Arc<dyn Transport>>,
    allow_plain: bool,
}

impl Default for Reach {
    /// Ten seconds, the default network, and TLS to other machines.
    fn default() -> Self {
        Self {
            limit: LIMIT,
            network: HttpTransport::builder(),
            transport: None,
            allow_plain: false,
        }
    }
}

impl Reach {
    /// Sets how long a call may take.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets how connections are made.
    #[must_use]
    pub fn with_network(mut self, network: HttpTransportBuilder) -> Self {
        self.network = network;
        self
    }

    /// Sets the transport of a [`client`](Self::client), which then makes no connections itself.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Permits connections without TLS to other machines.
    #[must_use]
    pub fn with_plain(mut self) -> Self {
        self.allow_plain = true;
        self
    }

    /// Returns how long a call may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns the TLS settings of the network, for clients that make their own connections.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if TLS is impossible in this build.
    pub fn tls_config(&self) -> Result<Arc<rustls::ClientConfig>> {
        self.network.tls_config()
    }

    /// Returns whether a connection may be without TLS; `is_loopback` says that it stays on this
    /// machine.
    #[must_use]
    pub fn allows_plain(&self, is_loopback: bool) -> bool {
        self.allow_plain || is_loopback
    }

    /// Refuses a connection without TLS unless it is allowed. `place` is the server's host and port,
    /// and `remedy` says how to get TLS, as in "use rediss://".
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config).
    pub fn require_allowed(&self, place: &str, is_loopback: bool, remedy: &str) -> Result<()> {
        if self.allows_plain(is_loopback) {
            return Ok(());
        }
        let what =
            format!("{place} would receive records in the clear; {remedy}, or allow_plain()");
        Err(Error::new(ErrorKind::Config, what))
    }

    /// Creates a dialer, whose connections take at most half of the limit.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if TLS is needed and impossible in this build.
    pub fn dialer(&self, is_tls: bool) -> Result<Dialer> {
        let network = self.network.clone().connect_timeout(self.limit / 2);
        if is_tls {
            network.require_https().dialer()
        } else {
            network.dialer()
        }
    }

    /// Starts a client for servers that speak HTTP, one call of which takes at most the limit, and one
    /// attempt at most `attempt`.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if a URL is plain http and that is not allowed.
    pub fn client(&self, urls: &[BaseUrl], attempt: Duration) -> Result<CoreClientBuilder> {
        let mut client = CoreClient::builder().network(self.network.clone());
        if let Some(transport) = &self.transport {
            client = client.transport(Arc::clone(transport));
        }
        for url in urls.iter().filter(|url| !url.is_https()) {
            let place = url.authority().as_str();
            self.require_allowed(place, url.is_loopback(), "use https")?;
            client = client.allow_plain_http();
        }
        let timeouts = Timeouts::default().attempt(attempt).call(self.limit);
        Ok(client.timeouts(timeouts))
    }

    /// Returns the URL that a [`Dialer`] takes for host and port.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the host is not valid.
    pub fn target(place: &str, is_tls: bool) -> Result<Uri> {
        let scheme = if is_tls { "https" } else { "http" };
        let target = format!("{scheme}://{place}").parse::<Uri>();
        target.map_err(|cause| {
            let what = "the URL of the server has no valid host";
            Error::new(ErrorKind::Config, what).with_source(cause)
        })
    }
}

/// Adds the options that the stores on servers share to a builder, over a field that holds a
/// [`Reach`](crate::store::Reach).
///
/// Use it as `vouchsafe_core::reach_options!(reach);` inside the builder's `impl`; as
/// `reach_options!(reach, http);` for a store whose server speaks HTTP, and as
/// `reach_options!(reach, without network);` for one whose client makes its own connections.
#[macro_export]
macro_rules! reach_options {
    ($field:ident, http) => {
        $crate::reach_options!($field);

        /// Sets the transport, instead of connections made as [`network`](Self::network) says.
        pub fn transport(
            mut self,
            transport: ::std::sync::Arc<dyn $crate::transport::Transport>,
        ) -> Self {
            self.$field = self.$field.with_transport(transport);
            self
        }
    };
    ($field:ident) => {
        $crate::reach_options!($field, without network);

        /// Sets how connections are made, such as which roots are trusted. Default: that of
        /// [`HttpTransport::builder`]($crate::transport::HttpTransport::builder).
        pub fn network(mut self, network: $crate::transport::HttpTransportBuilder) -> Self {
            self.$field = self.$field.with_network(network);
            self
        }
    };
    ($field:ident, without network) => {
        /// Sets how long a call may take, over all its requests and with connecting. Default: 10
        /// seconds.
        pub fn limit(mut self, limit: ::std::time::Duration) -> Self {
            self.$field = self.$field.with_limit(limit);
            self
        }

        /// Permits connections without TLS to other machines, where records and logins can be read in
        /// transit. Default: to this machine only.
        pub fn allow_plain(mut self) -> Self {
            self.$field = self.$field.with_plain();
            self
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn records_go_in_the_clear_to_this_machine_only_unless_that_is_allowed() {
        let reach = Reach::default();
        reach.require_allowed("localhost:1", true, "").unwrap();
        let refused = reach.require_allowed("far:1", false, "use tls://");
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.message(),
            "far:1 would receive records in the clear; use tls://, or allow_plain()"
        );
        let allowed = reach.with_plain();
        allowed.require_allowed("far:1", false, "").unwrap();
    }

    #[test]
    fn an_option_leaves_the_others_as_they_were() {
        assert_eq!(Reach::default().limit(), Duration::from_secs(10));
        let reach = Reach::default().with_plain().with_limit(SECOND);
        let reach = reach.with_network(HttpTransport::builder());
        assert!(reach.allows_plain(false));
        assert_eq!(reach.limit(), SECOND);
    }

    #[test]
    fn a_client_is_for_https_or_for_this_machine() {
        let client = |url| Reach::default().client(&[BaseUrl::parse(url).unwrap()], SECOND);
        assert!(client("https://far.example").is_ok());
        assert!(client("http://127.0.0.1:1").is_ok());
        assert!(client("http://far.example").is_err());
    }

    #[test]
    fn a_host_that_is_no_host_has_no_url() {
        for (is_tls, url) in [(true, "https://host:1/"), (false, "http://host:1/")] {
            assert_eq!(Reach::target("host:1", is_tls).unwrap(), url);
        }
        let error = Reach::target("no host", true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
