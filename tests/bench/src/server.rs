//! The server: hyper with one thread, in a separate process that ends with its standard input.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::measure;
use crate::process::{self, Process};
use crate::wazo_auth::answer;

/// The answer to everything except discovery and tokens: 303 bytes with the data of a user.
pub const INFO: &str = r#"{"username":"alice","uuid":"73917abc-abcd-477e-a1f1-1763abcdefab","email":"alice@example.com","name":"Alice Example","uid":4123,"gid":4123,"groups":[{"name":"g_users","id":1031},{"name":"g_special","id":1341}],"quota":{"api":{"datalinker":500},"notebook":{"cpu":9.0,"memory":27.0}},"expires":1893456000}"#;

/// A running server; dropping this ends it.
pub struct Server {
    _process: Process,
    pub http: String,
    pub https: String,
    /// The authority's certificate, PEM in a file.
    pub ca: String,
}

impl Server {
    pub fn start() -> Self {
        let mut process = Process::start(&["as-server"]);
        let mut line = || process.line();
        let (http, https, ca) = (line(), line(), line());
        Self {
            _process: process,
            http,
            https,
            ca,
        }
    }

    pub fn base(&self, scheme: &str) -> &str {
        if scheme == "https" {
            &self.https
        } else {
            &self.http
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca);
    }
}

pub fn run() -> ExitCode {
    measure::pin(1);
    let (ca, tls) = certificate();
    let ca_file = std::env::temp_dir().join(format!("vouchsafe-bench-{}.pem", std::process::id()));
    std::fs::write(&ca_file, ca).expect("a temporary file");
    let runtime = measure::runtime();
    runtime.block_on(async move {
        let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let secure = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!(
            "http://localhost:{}",
            plain.local_addr().expect("bound").port()
        );
        println!(
            "https://localhost:{}",
            secure.local_addr().expect("bound").port()
        );
        println!("{}", ca_file.display());
        let mut end = std::pin::pin!(process::ends());
        loop {
            tokio::select! {
                Ok((socket, _)) = plain.accept() => {
                    socket.set_nodelay(true).expect("a socket");
                    tokio::spawn(serve(socket));
                }
                Ok((socket, _)) = secure.accept() => {
                    socket.set_nodelay(true).expect("a socket");
                    let tls = tls.clone();
                    tokio::spawn(async move {
                        if let Ok(stream) = tls.accept(socket).await {
                            serve(stream).await;
                        }
                    });
                }
                () = &mut end => return,
            }
        }
    });
    ExitCode::SUCCESS
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
    // A client that disconnects is not an error.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

/// Says that the user service is on the same server.
pub fn discovery(base: &str) -> String {
    let service = format!(r#"{{"url":"{base}/api","versions":{{"v1":{{"url":"{base}/api"}}}}}}"#);
    format!(r#"{{"services":{{"internal":{{"gafaelfawr":{service}}}}}}}"#)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    static TOKEN: LazyLock<Bytes> = LazyLock::new(|| answer::of_token().into());
    let path = request.uri().path();
    let is_check = request.method() == Method::HEAD;
    let body = if is_check {
        Bytes::new()
    } else if path.contains("/token/") {
        TOKEN.clone()
    } else if path.ends_with("/discovery") {
        let host = request.headers().get(http::header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        Bytes::from(discovery(&format!("http://{host}")))
    } else {
        Bytes::from_static(INFO.as_bytes())
    };
    let mut response = Response::new(Full::new(body));
    if is_check {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// Makes an authority and a server that speaks for `localhost`.
fn certificate() -> (String, tokio_rustls::TlsAcceptor) {
    let ca_key = KeyPair::generate().expect("a key");
    let mut ca = CertificateParams::default();
    ca.distinguished_name
        .push(DnType::CommonName, "benchmark authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).expect("a certificate").pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("a key");
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    leaf.distinguished_name
        .push(DnType::CommonName, "localhost");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .expect("a certificate and its key");
    (pem, Arc::new(config).into())
}
