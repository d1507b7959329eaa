//! What a connection runs over: TCP, a socket file, or TLS on top of another connection.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::deadline::after;
use crate::observe::Observer;

/// For how long after an exchange a connection is trusted to be open.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// Bytes in both directions.
pub(super) enum Wire {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// To a server, through another connection: that to the server itself, or a tunnel.
    Tls(Box<TlsStream<Self>>),
}

#[cfg(feature = "http2")]
impl Wire {
    /// Returns whether the peer chose HTTP/2 in the TLS handshake.
    fn has_chosen_http2(&self) -> bool {
        match self {
            Self::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(HTTP2),
            _ => false,
        }
    }
}

/// The name of HTTP/2 in TLS handshakes (RFC 9113, 3.2).
#[cfg(feature = "http2")]
pub(super) const HTTP2: &[u8] = b"h2";

/// Calls a method of whatever the wire runs over.
macro_rules! delegate {
    ($wire:expr, $inner:ident => $call:expr) => {
        match $wire {
            Wire::Tcp($inner) => $call,
            #[cfg(unix)]
            Wire::Unix($inner) => $call,
            Wire::Tls($inner) => $call,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        delegate!(self, inner => inner.is_write_vectored())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), inner => Pin::new(inner).poll_write_vectored(cx, slices))
    }
}

/// A connection made by a [`Dialer`](super::Dialer).
pub struct Connection {
    pub(super) wire: Wire,
    pub(super) open: Open,
    /// When to remove it from the pool, so that DNS changes and rotated back ends are followed.
    pub(super) retire_at: Instant,
    /// The proxy that requests are sent to, rather than to their server.
    pub(super) proxy: Option<Via>,
    /// Whether it is of HTTP/2, so that requests share it.
    #[cfg(feature = "http2")]
    pub(super) is_shared: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// Tells an observer about a connection and, when dropped, about its end.
pub(super) struct Open(Occupancy);

/// Tells an observer when a connection is idle. Clones are of the same connection.
#[derive(Clone, Default)]
pub(super) struct Occupancy(Option<Arc<Watched>>);

struct Watched {
    observer: Arc<dyn Observer>,
    state: AtomicU8,
}

const BUSY: u8 = 0;
const IDLE: u8 = 1;
const ENDED: u8 = 2;

impl Open {
    pub(super) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        let watched = observer.map(|observer| {
            observer.connection_opened();
            let state = AtomicU8::new(BUSY);
            Arc::new(Watched { observer, state })
        });
        Self(Occupancy(watched))
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        self.0.clone()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(watched) = &self.0.0 {
            if watched.state.swap(ENDED, Ordering::SeqCst) == IDLE {
                watched.observer.connections_idle(-1);
            }
            watched.observer.connection_closed();
        }
    }
}

impl Occupancy {
    /// Reports that the connection is idle, or that it is not. Has no effect after its end.
    pub(super) fn set_idle(&self, is_idle: bool) {
        let Some(watched) = &self.0 else { return };
        let (from, to, change) = match is_idle {
            true => (BUSY, IDLE, 1),
            false => (IDLE, BUSY, -1),
        };
        let changed = watched
            .state
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        if changed.is_ok() {
            watched.observer.connections_idle(change);
        }
    }
}

/// A proxy, as errors name it.
#[derive(Clone)]
pub(super) struct Via {
    /// Host and port.
    pub(super) place: Arc<str>,
    pub(super) has_credentials: bool,
}

/// The maximum of ages, since a jittered age must not overflow.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Connection {
    /// `protocols` are those that are spoken: if HTTP/2 alone, then without having been chosen.
    pub(super) fn new(
        wire: Wire,
        #[cfg_attr(
            not(feature = "http2"),
            expect(unused_variables, reason = "HTTP/1.1 alone")
        )]
        protocols: &[&[u8]],
        max_age: Duration,
        proxy: Option<Via>,
        open: Open,
    ) -> Self {
        #[cfg(feature = "http2")]
        let is_shared = protocols == [HTTP2] || wire.has_chosen_http2();
        // Connections that were made together must not all end together.
        let age = max_age.min(LONGEST).mul_f64(0.8 + 0.4 * fastrand::f64());
        Self {
            wire,
            open,
            retire_at: after(Instant::now(), age),
            proxy,
            #[cfg(feature = "http2")]
            is_shared,
        }
    }
}
