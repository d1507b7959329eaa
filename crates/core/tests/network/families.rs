//! Names with addresses of both families: a moment later the second one is tried, too (RFC 8305).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::{HttpTransport, Resolve, Transport};
use vouchsafe_core::{BoxFuture, ConnectPhase, ErrorKind};

use super::{get, loopback};

const SIX: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long only the first family is tried.
const HEAD_START: Duration = Duration::from_millis(300);

/// Every name has these addresses.
#[derive(Debug)]
struct At(Vec<IpAddr>);

impl Resolve for At {
    fn resolve(&self, _: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

fn network(addresses: &[IpAddr], limit: Duration) -> HttpTransport {
    let resolver = Arc::new(At(addresses.to_vec()));
    let network = HttpTransport::builder().resolver(resolver);
    network.connect_timeout(limit).build().unwrap()
}

/// Listens where nothing is accepted: once the few places are taken, the system drops what arrives.
struct Swallowing {
    _listener: TcpListener,
    _places: Vec<TcpStream>,
}

async fn swallowing(address: SocketAddr) -> Swallowing {
    let socket = match address.is_ipv6() {
        true => TcpSocket::new_v6(),
        false => TcpSocket::new_v4(),
    };
    let socket = socket.unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(1).unwrap();
    let mut places = Vec::new();
    loop {
        let connecting = TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(100), connecting).await {
            Ok(place) => places.push(place.unwrap()),
            Err(_) => break,
        }
    }
    Swallowing {
        _listener: listener,
        _places: places,
    }
}

/// Returns whether the machine has both families.
fn has_both() -> bool {
    std::net::TcpListener::bind((SIX, 0)).is_ok()
}

async fn server() -> (ScriptedServer, String) {
    let script = Script::new().read_request().answer("{}").repeat();
    let server = ScriptedServer::start([script]).await.unwrap();
    let url = format!("http://both.example:{}/", server.address().port());
    (server, url)
}

#[tokio::test]
async fn the_second_family_is_tried_at_once_if_the_first_refuses() {
    if !has_both() {
        return;
    }
    let (server, url) = server().await;
    let begun = Instant::now();
    let transport = network(&[SIX, FOUR], Duration::from_secs(60));
    assert_eq!(transport.send(get(&url)).await.unwrap().body, "{}");
    assert_eq!(server.connections(), 1);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_second_family_is_tried_in_time_if_the_first_is_silent() {
    if !has_both() {
        return;
    }
    let (server, url) = server().await;
    let _silent = swallowing((SIX, server.address().port()).into()).await;
    let begun = Instant::now();
    let transport = network(&[SIX, FOUR], Duration::from_secs(60));
    assert_eq!(transport.send(get(&url)).await.unwrap().body, "{}");
    let took = begun.elapsed();
    assert!(
        took >= HEAD_START && took < Duration::from_secs(30),
        "{took:?}"
    );
    // Where the first answers, the second is not waited for.
    let transport = network(&[FOUR, SIX], Duration::from_secs(60));
    assert_eq!(transport.send(get(&url)).await.unwrap().body, "{}");
    assert_eq!(server.connections(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_a_connection_the_error_is_that_of_the_first_family() {
    if !has_both() {
        return;
    }
    let free = TcpListener::bind(loopback()).await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let url = format!("http://both.example:{port}/");
    let error = async |addresses: &[IpAddr]| {
        let transport = network(addresses, Duration::from_millis(600));
        transport.send(get(&url)).await.unwrap_err()
    };
    let refused = ErrorKind::Connect(ConnectPhase::Tcp);
    assert_eq!(error(&[SIX, FOUR]).await.kind(), refused);
    // What is silent has no error before the limit.
    let _silent = swallowing((SIX, port).into()).await;
    for addresses in [[SIX, FOUR], [FOUR, SIX]] {
        let error = error(&addresses).await;
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
    }
}
