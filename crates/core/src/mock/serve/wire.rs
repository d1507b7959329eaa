//! A server connection that faults can damage: a library reads and writes it, and a fault may take
//! over and write what no HTTP server would.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::server::TlsStream;

use crate::sync::lock;

/// One connection; clones share it.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Both>>);

struct Both {
    socket: Socket,
    /// What was looked at ahead of its reader.
    #[cfg(feature = "http2")]
    seen: bytes::Bytes,
}

pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Self {
        Self(Arc::new(Mutex::new(Both {
            socket,
            #[cfg(feature = "http2")]
            seen: bytes::Bytes::new(),
        })))
    }

    /// Waits until enough has arrived to see whether the connection begins with these bytes, which
    /// can still be read afterwards.
    #[cfg(feature = "http2")]
    pub(super) async fn begins_with(&self, expected: &[u8]) -> io::Result<bool> {
        let mut first = Vec::with_capacity(expected.len());
        while first.len() < expected.len() && expected.starts_with(&first) {
            let mut space = [0; 32];
            let wanted = expected.len() - first.len();
            let mut buffer = ReadBuf::new(&mut space[..wanted.min(32)]);
            poll_fn(|cx| self.with(|io| io.poll_read(cx, &mut buffer))).await?;
            if buffer.filled().is_empty() {
                break;
            }
            first.extend_from_slice(buffer.filled());
        }
        let does = first == expected;
        lock(&self.0).seen = first.into();
        Ok(does)
    }

    /// Writes bytes past the library, which must not be writing at the same time.
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

    /// Makes the connection end with a reset when it is dropped, if it is one that knows resets.
    pub(super) fn reset_on_drop(&self) -> io::Result<()> {
        match &lock(&self.0).socket {
            Socket::Tcp(tcp) => tcp.set_zero_linger(),
            #[cfg(unix)]
            Socket::Unix(_) => Ok(()),
            Socket::Tls(tls) => tls.get_ref().0.set_zero_linger(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(Pin<&mut dyn Duplex>) -> T) -> T {
        match &mut lock(&self.0).socket {
            Socket::Tcp(tcp) => act(Pin::new(tcp)),
            #[cfg(unix)]
            Socket::Unix(unix) => act(Pin::new(unix)),
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
        #[cfg(feature = "http2")]
        {
            let seen = &mut lock(&self.0).seen;
            if !seen.is_empty() {
                let next = seen.split_to(seen.len().min(buf.remaining()));
                buf.put_slice(&next);
                return Poll::Ready(Ok(()));
            }
        }
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
