//! Every emulator has the same face, and it does the same behind it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Uri};
use vouchsafe::core::Clock as _;
use vouchsafe::core::mock::{
    CertificateAuthority, Fault, Faults, Host, Journal, ManualClock, Serving,
};
use vouchsafe::core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe::ticket::TvmId;
use vouchsafe::userinfo::Token;

/// What every `mock::Server` has.
trait Face: Clone + Default + fmt::Debug + Send + Sync {
    const SERVICE: &str;

    /// Makes a client of the server, and uses it where that needs no more than a line.
    async fn use_client(&self);
    fn host(&self) -> &Host;
    fn journal(&self) -> &Journal;
    fn faults(&self) -> &Faults;
    fn clock(&self) -> &Arc<ManualClock>;
    fn handle(&self, request: &Request) -> Response;
    fn snapshot(&self) -> serde_json::Value;
    fn reset(&self);
    async fn serve(&self, address: SocketAddr) -> Serving;
    async fn serve_tls(&self, address: SocketAddr, authority: &CertificateAuthority) -> Serving;
}

macro_rules! faces {
    ($(service $service:literal: $server:ty, $use_client:expr;)*) => {
        $(impl Face for $server {
            const SERVICE: &str = $service;

            async fn use_client(&self) {
                let use_client: fn(Self) -> _ = $use_client;
                use_client(self.clone()).await;
            }
            fn host(&self) -> &Host {
                <$server>::host(self)
            }
            fn journal(&self) -> &Journal {
                <$server>::journal(self)
            }
            fn faults(&self) -> &Faults {
                <$server>::faults(self)
            }
            fn clock(&self) -> &Arc<ManualClock> {
                <$server>::clock(self)
            }
            fn handle(&self, request: &Request) -> Response {
                <$server>::handle(self, request)
            }
            fn snapshot(&self) -> serde_json::Value {
                <$server>::snapshot(self)
            }
            fn reset(&self) {
                <$server>::reset(self);
            }
            async fn serve(&self, address: SocketAddr) -> Serving {
                <$server>::serve(self, address).await.unwrap()
            }
            async fn serve_tls(&self, address: SocketAddr, ca: &CertificateAuthority) -> Serving {
                <$server>::serve_tls(self, address, ca).await.unwrap()
            }
        })*

        const SERVICES: &[&str] = &[$($service),*];

        #[tokio::test]
        async fn a_reset_puts_everything_back_to_the_start() {
            $(reset::<$server>().await;)*
        }

        #[tokio::test]
        async fn it_is_the_same_server_in_process_over_tcp_and_over_tls() {
            $(served::<$server>().await;)*
        }
    };
}

// One line for each service, in the order of the names.
faces! {
    service "astakos": vouchsafe::astakos::mock::Server, |server| async move { server.client("no-such-token").quotas().await.unwrap_err(); };
    service "cloud-credentials": vouchsafe::cloud_credentials::mock::Server, |server| async move { server.client().unwrap(); };
    service "ticket": vouchsafe::ticket::mock::Server, |server| async move { server.add_service(TvmId::new(42), "shop"); server.client("shop").await.unwrap(); };
    service "userinfo": vouchsafe::userinfo::mock::Server, |server| async move { server.client().user_info(&Token::random()).await.unwrap_err(); };
    service "wazo-auth": vouchsafe::wazo_auth::mock::Server, |server| async move { drop(server.client()); };
}

fn request(base: &str) -> Request {
    let uri: Uri = format!("{base}/no-such-path").parse().unwrap();
    Request::new(Method::GET, uri)
}

/// The visible state of the server, without the time, which advances.
fn state(server: &impl Face) -> serde_json::Value {
    let mut shown = server.snapshot();
    if let Some(shown) = shown.as_object_mut() {
        shown.remove("now");
    }
    shown
}

async fn reset<S: Face>() {
    let server = S::default();
    let (start, begun) = (server.clock().now(), state(&server));
    let transport = server.host().transport();
    let answer = transport.send(request("http://h")).await.unwrap();
    server.use_client().await;
    assert!(!server.journal().is_empty(), "{}", S::SERVICE);
    server.faults().add(Fault::on_any().status(599));
    let hour = Duration::from_secs(3600);
    server.clock().advance(hour);
    assert!(server.clock().now() >= start + hour);
    let clone = server.clone();
    clone.reset();
    assert_eq!(state(&server), begun, "{}", S::SERVICE);
    assert!(server.clock().now() < start + hour, "{}", S::SERVICE);
    assert!(server.journal().is_empty(), "{}", S::SERVICE);
    let same = transport.send(request("http://h")).await.unwrap();
    assert_eq!(
        same.status,
        answer.status,
        "{}: the fault is gone",
        S::SERVICE
    );
    assert_eq!(server.journal().len(), 1, "{}", S::SERVICE);
    let same = server.handle(&request("http://h"));
    assert_eq!(same.status, answer.status, "{}", S::SERVICE);
    assert_eq!(
        server.journal().len(),
        1,
        "{}: handle is past the journal",
        S::SERVICE
    );
}

async fn served<S: Face>() {
    let server = S::default();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let authority = CertificateAuthority::new().unwrap();
    let plain = server.serve(address).await;
    let tls = server.serve_tls(address, &authority).await;
    let over_sockets = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())
        .unwrap()
        .only_roots()
        .build()
        .unwrap();
    let in_process = server.host().transport();
    let here = in_process.send(request("http://h")).await.unwrap();
    for url in [plain.url(), tls.url()] {
        let there = over_sockets.send(request(&url)).await.unwrap();
        let (here, there) = ((here.status, &here.body), (there.status, &there.body));
        assert_eq!(here, there, "{} at {url}", S::SERVICE);
    }
    assert_eq!(server.journal().len(), 3, "{}", S::SERVICE);
}

#[test]
fn every_service_with_an_emulator_is_here() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut emulated: Vec<String> = std::fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("src/mock/mod.rs").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "core")
        .collect();
    emulated.sort();
    assert_eq!(emulated, SERVICES, "add the service's line to `faces!`");
}
