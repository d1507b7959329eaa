//! Connections for protocols other than HTTP.

use http::Uri;

use super::connect::Connector;
use super::wire::Connection;
use crate::Result;

/// Opens connections with the name look-up, the TLS settings, the time limit and the errors of an
/// [`HttpTransport`](super::HttpTransport), for protocols other than HTTP. Created by
/// [`HttpTransportBuilder::dialer`](super::HttpTransportBuilder::dialer).
#[derive(Clone)]
pub struct Dialer(Connector);

impl Dialer {
    pub(super) fn new(connector: Connector) -> Self {
        Self(connector)
    }

    /// Connects to host and port of a URL, with TLS if it begins with `https`, and without TLS if
    /// it begins with `http`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect),
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), or
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if TLS is impossible in this build.
    pub async fn dial(&self, url: Uri) -> Result<Connection> {
        self.0.connect(&url).await
    }

    /// Upgrades a plain connection to TLS, for protocols that begin without it. `url` has the host
    /// name that the certificate must be for.
    ///
    /// # Errors
    ///
    /// As [`dial`](Self::dial).
    pub async fn secure(&self, url: &Uri, connection: Connection) -> Result<Connection> {
        let Connection { wire, .. } = connection;
        let wire = self.0.secure(url, wire).await?;
        Ok(Connection { wire, ..connection })
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}
