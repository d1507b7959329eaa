//! A server connection that faults can damage: hyper reads and writes it, and a fault may take over
//! and write what no HTTP server would.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::sync::lock;

/// One connection; clones share it.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Socket>>);

pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Self {
        Self(Arc::new(Mutex::new(socket)))
    }

    /// Writes bytes past hyper, which must not be writing at the same time.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = poll_fn(|cx| self.with(|io| io.poll_write(cx, bytes))).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
        }
        poll_fn(|cx| self.with(|io| io.poll_flush(cx))).await
    }

    /// Shuts down the sending direction.
    pub(super) async fn close(&self) -> io::Result<()> {
        poll_fn(|cx| self.with(|io| io.poll_shutdown(cx))).await
    }

    /// Makes the connection end with a reset when it is dropped.
    pub(super) fn reset_on_drop(&self) -> io::Result<()> {
        match &*self.socket() {
            Socket::Plain(tcp) => tcp.set_zero_linger(),
            Socket::Tls(tls) => tls.get_ref().0.set_zero_linger(),
        }
    }

    fn socket(&self) -> MutexGuard<'_, Socket> {
        lock(&self.0)
    }

    fn with<T>(&self, act: impl FnOnce(Pin<&mut dyn Duplex>) -> T) -> T {
        match &mut *self.socket() {
            Socket::Plain(tcp) => act(Pin::new(tcp)),
            Socket::Tls(tls) => act(Pin::new(tls)),
        }
    }
}

/// Both directions of any underlying connection.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_read(cx, buf))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|io| io.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_shutdown(cx))
    }
}
