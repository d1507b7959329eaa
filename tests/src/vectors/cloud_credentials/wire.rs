//! Connections, for cases that are about them: through a proxy, and with certificates.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::uri::Authority;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vouchsafe::core::mock::{CertificateAuthority, Host, Serving};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{HttpTransport, Proxy, Transport};

use super::expected::Case;
use super::network::{Network, is_of_proxy};

/// The arguments that say how to connect.
const ARGUMENTS: [&str; 3] = ["cert", "proxies", "verify"];

/// A server with a certificate for the names of a case, behind a proxy on the same port.
pub(super) struct Wire {
    pub(super) port: u16,
    folder: PathBuf,
    asked: Arc<Mutex<BTreeSet<String>>>,
    _server: Serving,
    /// Dropping it ends the proxy.
    _proxy: JoinSet<()>,
}

impl Wire {
    /// Starts the server and writes the certificates, if a case is about connections.
    pub(super) async fn start(
        case: &Case,
        network: &Network,
        folder: &Path,
    ) -> Result<Option<Self>, String> {
        let has = |name: &&str| {
            case.steps
                .iter()
                .any(|step| given(&step.args, name).is_some())
        };
        if !ARGUMENTS.iter().any(has) || !is_secure(case) {
            return Ok(None);
        }
        let mut authority = CertificateAuthority::new().map_err(|error| error.to_string())?;
        for exchange in case.steps.iter().flat_map(|step| &step.exchanges) {
            if let Some(place) = &exchange.request.via_tunnel {
                let place: Authority = place.parse().map_err(|_| format!("no place: {place}"))?;
                authority = authority.also_for(place.host());
            }
        }
        let folder = folder.join("tls");
        write_certificates(&authority, &folder)?;
        let host = Host::new(Arc::new(network.clone()));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = match has(&"cert") {
            true => host.serve_tls_to(any, &authority, &authority).await,
            false => host.serve_tls(any, &authority).await,
        };
        let server = server.map_err(|error| error.to_string())?;
        let listener = TcpListener::bind(any).await.map_err(text)?;
        let port = listener.local_addr().map_err(text)?.port();
        let asked = Arc::default();
        let mut proxy = JoinSet::new();
        proxy.spawn(forward(listener, server.address(), Arc::clone(&asked)));
        Ok(Some(Self {
            port,
            folder,
            asked,
            _server: server,
            _proxy: proxy,
        }))
    }

    /// Returns the places that the proxy was asked for.
    pub(super) fn asked(&self) -> BTreeSet<String> {
        lock(&self.asked).clone()
    }

    /// Makes connections as the arguments of an object say. `None` if they say nothing of it.
    pub(super) fn transport(
        &self,
        args: &Map<String, Value>,
    ) -> Result<Option<Arc<dyn Transport>>, String> {
        if !ARGUMENTS.iter().any(|name| args.contains_key(*name)) {
            return Ok(None);
        }
        let mut builder = HttpTransport::builder();
        builder = match given(args, "verify") {
            None | Some(Value::Bool(true)) => builder,
            Some(Value::Bool(false)) => builder.dangerously_accept_any_certificate(),
            Some(path) => builder
                .add_root_pem(&self.read(path)?)
                .map_err(|error| error.to_string())?
                .only_roots(),
        };
        let cert = given(args, "cert");
        let pair = cert.map(|cert| match cert.as_array().map(Vec::as_slice) {
            Some([chain, key]) => (chain, key),
            _ => (cert, cert),
        });
        if let Some((chain, key)) = pair {
            builder = builder
                .client_certificate_pem(&self.read(chain)?, &self.read(key)?)
                .map_err(|error| error.to_string())?;
        }
        match given(args, "proxies").map(|proxies| (proxies, &proxies["https"])) {
            None => {}
            Some((Value::Object(none), _)) if none.is_empty() => {}
            Some((Value::Object(_), Value::String(url))) => {
                let url = url.replace("$PORT", &self.port.to_string());
                builder = builder.proxy(Proxy::new(&url).map_err(|error| error.to_string())?);
            }
            Some((other, _)) => return Err(format!("no runner for proxies {other}")),
        }
        let built = builder.build().map_err(|error| error.to_string())?;
        Ok(Some(Arc::new(built)))
    }

    fn read(&self, path: &Value) -> Result<Vec<u8>, String> {
        let name = path.as_str().and_then(|path| path.strip_prefix("$TLS/"));
        let name = name.ok_or_else(|| format!("not a file of the case: {path}"))?;
        fs::read(self.folder.join(name)).map_err(text)
    }
}

/// Returns an argument that is not `None`.
fn given<'a>(args: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    args.get(name).filter(|value| !value.is_null())
}

/// Returns whether connections of a case are secured; what is said of others changes nothing.
fn is_secure(case: &Case) -> bool {
    let mut exchanges = case.steps.iter().flat_map(|step| &step.exchanges);
    let mut urls = case
        .steps
        .iter()
        .flat_map(|step| step.args.values())
        .filter_map(Value::as_str);
    exchanges.any(|exchange| is_of_proxy(exchange) || exchange.request.via_tunnel.is_some())
        || urls.any(|url| url.starts_with("https://"))
}

/// Returns the places that a proxy was asked for in a recording.
pub(super) fn recorded_places(case: &Case) -> BTreeSet<String> {
    let exchanges = case.steps.iter().flat_map(|step| &step.exchanges);
    let exchanges = exchanges.filter(|exchange| is_of_proxy(exchange));
    exchanges
        .map(|exchange| exchange.request.target.clone())
        .collect()
}

fn write_certificates(authority: &CertificateAuthority, folder: &Path) -> Result<(), String> {
    let client = authority.client_certificate("client-1");
    let (chain, key) = client.map_err(|error| error.to_string())?;
    let both = format!("{chain}{}", key.expose());
    fs::create_dir_all(folder).map_err(text)?;
    let files = [
        ("ca.pem", authority.pem()),
        ("cli.pem", &chain),
        ("cli.key", key.expose()),
        ("cli-both.pem", &both),
    ];
    files
        .into_iter()
        .try_for_each(|(name, pem)| fs::write(folder.join(name), pem).map_err(text))
}

/// Passes connections on to the server, after the request for a tunnel if there is one.
async fn forward(listener: TcpListener, server: SocketAddr, asked: Arc<Mutex<BTreeSet<String>>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(pass_on(client, server, Arc::clone(&asked)));
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: SocketAddr,
    asked: Arc<Mutex<BTreeSet<String>>>,
) -> std::io::Result<()> {
    let mut first = [0];
    client.peek(&mut first).await?;
    if first == *b"C" {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        let place = head.split(' ').nth(1).unwrap_or_default();
        lock(&asked).insert(place.to_owned());
        let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
        client.write_all(answer).await?;
    }
    let mut server = TcpStream::connect(server).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn text(cause: std::io::Error) -> String {
    cause.to_string()
}
