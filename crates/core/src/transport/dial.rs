//! Connections for protocols other than HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connect::Connector;
use super::wire::{Open, Stream, Wire};
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
        self.0.connect(&url).await.map(Connection::new)
    }

    /// Upgrades a plain connection to TLS, for protocols that begin without it. `url` has the host
    /// name that the certificate must be for.
    ///
    /// # Errors
    ///
    /// As [`dial`](Self::dial).
    pub async fn secure(&self, url: &Uri, connection: Connection) -> Result<Connection> {
        let Connection { wire, open } = connection;
        let wire = self.0.secure(url, wire).await?;
        Ok(Connection { wire, open })
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

/// A connection made by a [`Dialer`].
pub struct Connection {
    wire: Wire,
    open: Open,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            wire: stream.wire,
            open: stream.open,
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().wire).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().wire).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().wire).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().wire).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().wire).poll_write_vectored(cx, slices)
    }
}
