//! The compared clients, each of which makes the same request and parses the same answer.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::{HeaderValue, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use vouchsafe_core::auth::{Credentials, StaticToken};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, Secret};

use crate::measure;

/// The names of all clients, ours first.
pub const NAMES: [&str; 4] = ["vouchsafe", "hyper", "hyper-util", "reqwest"];

static INFO: Operation =
    Operation::new("bench.info", http::Method::GET, "/info").repeat(Repeat::Safe);

const TOKEN: &str = "gt-3d95d84994e5fc724ff893.b597e6acf63d95d84994e5";
const BEARER: &str = "Bearer gt-3d95d84994e5fc724ff893.b597e6acf63d95d84994e5";

/// One client as one task uses it.
#[derive(Clone)]
pub enum Client {
    /// Everything on: deadlines, retry, budget, permits, spans, a token for each attempt.
    Ours {
        core: CoreClient,
        base: BaseUrl,
        token: Arc<StaticToken>,
    },
    /// hyper without a pool: a connection for each task.
    Hyper {
        uri: Uri,
        host: HeaderValue,
        tls: Option<tokio_rustls::TlsConnector>,
        sender: Sender,
    },
    HyperUtil {
        pool: Pool<HttpsConnector<HttpConnector>, Empty<Bytes>>,
        uri: Uri,
    },
    Reqwest {
        client: reqwest::Client,
        url: String,
    },
}

/// A connection that clones do not share.
#[derive(Default)]
pub struct Sender(Option<SendRequest<Empty<Bytes>>>);

impl Clone for Sender {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Client {
    /// Creates a client with default settings, except for the trusted root.
    pub fn new(name: &str, base: &str, ca: Option<&str>) -> Self {
        let pem = ca.map(|file| std::fs::read(file).expect("the authority's file"));
        let uri: Uri = format!("{base}/info").parse().expect("a URL");
        match name {
            "vouchsafe" => {
                let mut transport = HttpTransport::builder().only_roots();
                if let Some(pem) = &pem {
                    transport = transport.add_root_pem(pem).expect("a certificate");
                }
                let transport = transport.build().expect("a transport");
                Self::Ours {
                    core: CoreClient::builder()
                        .transport(Arc::new(transport))
                        .build()
                        .expect("a client"),
                    base: base.parse().expect("a URL"),
                    token: Arc::new(StaticToken::new(Secret::from(TOKEN))),
                }
            }
            "hyper" => Self::Hyper {
                host: HeaderValue::from_str(uri.authority().expect("absolute").as_str())
                    .expect("a host"),
                uri,
                tls: pem.as_deref().map(|pem| Arc::new(tls(pem)).into()),
                sender: Sender::default(),
            },
            "hyper-util" => {
                let mut tcp = HttpConnector::new();
                tcp.set_nodelay(true);
                tcp.enforce_http(false);
                let connector = hyper_rustls::HttpsConnectorBuilder::new()
                    .with_tls_config(tls(pem.as_deref().unwrap_or_default()))
                    .https_or_http()
                    .enable_http1()
                    .wrap_connector(tcp);
                Self::HyperUtil {
                    pool: Pool::builder(TokioExecutor::new()).build(connector),
                    uri,
                }
            }
            "reqwest" => {
                let roots = reqwest::Certificate::from_pem_bundle(&pem.unwrap_or_default());
                Self::Reqwest {
                    client: reqwest::Client::builder()
                        .no_proxy()
                        .tls_certs_only(roots.expect("certificates"))
                        .build()
                        .expect("a client"),
                    url: uri.to_string(),
                }
            }
            other => panic!("no client is called {other}"),
        }
    }

    /// Makes one request and parses its answer.
    pub async fn call(&mut self) {
        let info: Info = match self {
            Self::Ours { core, base, token } => {
                let call = Call::new(&INFO, Target::new(INFO.path()));
                let credentials = Credentials::bearer(&**token);
                core.send(base, call, Some(credentials), &CallOptions::new())
                    .await
                    .expect("an answer")
                    .json()
                    .expect("JSON")
            }
            Self::Hyper {
                uri,
                host,
                tls,
                sender,
            } => {
                let sender = match &mut sender.0 {
                    Some(sender) => sender,
                    empty => empty.insert(connect(uri, tls.as_ref()).await),
                };
                sender.ready().await.expect("a connection");
                let request = http::Request::get(uri.path())
                    .header(HOST, host.clone())
                    .header(ACCEPT, "application/json")
                    .header(AUTHORIZATION, BEARER)
                    .body(Empty::new())
                    .expect("a request");
                parse(sender.send_request(request).await.expect("an answer")).await
            }
            Self::HyperUtil { pool, uri } => {
                let request = http::Request::get(uri.clone())
                    .header(ACCEPT, "application/json")
                    .header(AUTHORIZATION, BEARER)
                    .body(Empty::new())
                    .expect("a request");
                parse(pool.request(request).await.expect("an answer")).await
            }
            Self::Reqwest { client, url } => client
                .get(url.as_str())
                .header(ACCEPT, "application/json")
                .header(AUTHORIZATION, BEARER)
                .send()
                .await
                .expect("an answer")
                .error_for_status()
                .expect("success")
                .json()
                .await
                .expect("JSON"),
        };
        assert_eq!(std::hint::black_box(info).uid, 4123);
    }
}

/// Makes only sequential calls, to be counted from outside.
pub fn run_alone(name: &str, base: &str, ca: Option<&str>, count: usize) {
    measure::runtime().block_on(async {
        let mut client = Client::new(name, base, ca);
        for _ in 0..count {
            client.call().await;
        }
    });
}

pub async fn parse(response: http::Response<hyper::body::Incoming>) -> Info {
    assert!(response.status().is_success());
    let body = response.into_body().collect().await.expect("a body");
    serde_json::from_slice(&body.to_bytes()).expect("JSON")
}

async fn connect(uri: &Uri, tls: Option<&tokio_rustls::TlsConnector>) -> SendRequest<Empty<Bytes>> {
    let (host, port) = (
        uri.host().expect("absolute"),
        uri.port_u16().expect("a port"),
    );
    let tcp = tokio::net::TcpStream::connect((host, port))
        .await
        .expect("a connection");
    tcp.set_nodelay(true).expect("a socket");
    match tls {
        None => {
            let (sender, connection) = handshake(tcp).await;
            tokio::spawn(connection);
            sender
        }
        Some(tls) => {
            let name = host.to_owned().try_into().expect("a name");
            let (sender, connection) = handshake(tls.connect(name, tcp).await.expect("TLS")).await;
            tokio::spawn(connection);
            sender
        }
    }
}

async fn handshake<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    stream: S,
) -> (
    SendRequest<Empty<Bytes>>,
    hyper::client::conn::http1::Connection<TokioIo<S>, Empty<Bytes>>,
) {
    let io = TokioIo::new(stream);
    hyper::client::conn::http1::handshake(io)
        .await
        .expect("a connection")
}

fn tls(pem: &[u8]) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The type of the server's answer, without some of its members.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing them is what is measured")]
pub struct Info {
    username: String,
    uuid: String,
    email: String,
    name: String,
    pub uid: u64,
    gid: u64,
    groups: Vec<Group>,
    expires: u64,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing them is what is measured")]
struct Group {
    name: String,
    id: u64,
}
