//! TCP connections to one of several addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Connects to the first address that accepts. Those of the second family are tried at the same time
/// from a moment later on (RFC 8305). Each family shares the limit, so that an address that drops all
/// packets leaves time for the next. If none accepts, the error is that of the first.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    limit: Duration,
) -> io::Result<TcpStream> {
    let family = addresses.first().map(IpAddr::is_ipv4);
    let next = addresses.iter().position(|ip| Some(ip.is_ipv4()) != family);
    let (preferred, others) = addresses.split_at(next.unwrap_or(addresses.len()));
    if others.is_empty() {
        return in_turn(preferred, port, limit).await;
    }
    let mut preferred = pin!(in_turn(preferred, port, limit));
    let mut others = pin!(in_turn(others, port, limit));
    tokio::select! {
        connected = &mut preferred => match connected {
            Ok(tcp) => return Ok(tcp),
            Err(first) => return others.await.map_err(|_| first),
        },
        () = sleep(HEAD_START) => {}
    }
    tokio::select! {
        connected = &mut preferred => match connected {
            Ok(tcp) => Ok(tcp),
            Err(first) => others.await.map_err(|_| first),
        },
        connected = &mut others => match connected {
            Ok(tcp) => Ok(tcp),
            Err(_) => preferred.await,
        },
    }
}

/// How long only the preferred family is tried.
const HEAD_START: Duration = Duration::from_millis(300);

async fn in_turn(addresses: &[IpAddr], port: u16, limit: Duration) -> io::Result<TcpStream> {
    let share = limit / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut first = None;
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        let cause = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(cause)) => cause,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        first.get_or_insert(cause);
    }
    Err(first.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

/// Has small writes sent at once, and the system notice that the peer is gone. A connection works
/// without what the system refuses.
pub(super) fn configure(
    tcp: &TcpStream,
    keepalive: Option<Duration>,
    #[cfg_attr(
        not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")),
        expect(unused_variables, reason = "other systems do not have it")
    )]
    user_timeout: Option<Duration>,
) {
    let socket = SockRef::from(tcp);
    tried("TCP_NODELAY", socket.set_tcp_nodelay(true));
    if let Some(interval) = keepalive {
        let interval = interval.clamp(Duration::from_secs(1), LONGEST_KEEPALIVE);
        let keepalive = TcpKeepalive::new().with_time(interval);
        // The others have no such settings.
        #[cfg(any(
            target_os = "android",
            target_os = "dragonfly",
            target_os = "freebsd",
            target_os = "fuchsia",
            target_os = "illumos",
            target_os = "linux",
            target_os = "netbsd",
            target_vendor = "apple",
            windows,
        ))]
        let keepalive = keepalive.with_interval(interval).with_retries(3);
        tried("SO_KEEPALIVE", socket.set_tcp_keepalive(&keepalive));
    }
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    if let Some(limit) = user_timeout {
        let limit = limit.clamp(Duration::from_millis(1), LONGEST_USER_TIMEOUT);
        tried("TCP_USER_TIMEOUT", socket.set_tcp_user_timeout(Some(limit)));
    }
}

/// The maximum that Linux takes.
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(32_767);

/// The maximum that Linux takes: it counts milliseconds.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const LONGEST_USER_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

fn tried(option: &'static str, outcome: io::Result<()>) {
    if let Err(cause) = outcome {
        tracing::debug!(option, %cause, "the system refuses a socket option");
    }
}
