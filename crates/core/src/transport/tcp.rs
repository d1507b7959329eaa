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
/// packets leaves time for the next.
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
            Err(_) => return others.await,
        },
        () = sleep(HEAD_START) => {}
    }
    tokio::select! {
        connected = &mut preferred => match connected {
            Ok(tcp) => Ok(tcp),
            Err(_) => others.await,
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
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        last = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(cause)) => cause,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
    }
    Err(last)
}

/// Has small writes sent at once, and the system notice that the peer is gone.
pub(super) fn configure(
    tcp: &TcpStream,
    keepalive: Option<Duration>,
    #[cfg_attr(
        not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")),
        expect(unused_variables, reason = "other systems do not have it")
    )]
    user_timeout: Option<Duration>,
) -> io::Result<()> {
    let socket = SockRef::from(tcp);
    socket.set_tcp_nodelay(true)?;
    if let Some(interval) = keepalive {
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
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(user_timeout)?;
    Ok(())
}
