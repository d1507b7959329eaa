//! The faults, and what is true of each.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use serde_json::json;
use vouchsafe::core::mock::script::{Script, ScriptedServer};
use vouchsafe::core::mock::{CertificateAuthority, Fault, Handler, Host};
use vouchsafe::core::transport::{
    HttpTransport, Proxy, Request, Resolve, Response, Transport, Written,
};
use vouchsafe::core::{BoxFuture, Error, ErrorKind, Result};

/// A fault.
pub(super) struct Case {
    pub(super) name: String,
    http1: Option<Met>,
    http2: Option<Met>,
    /// The server that has it, if a socket can be in between.
    pub(super) host: Option<Host>,
}

impl Case {
    /// Returns what requests come to by a version of HTTP. `None` by HTTP/1.1 is a fault of streams;
    /// by HTTP/2, one to which the version makes no difference.
    pub(super) fn by(&self, version: Version) -> Option<&Met> {
        match version {
            Version::HTTP_2 => self.http2.as_ref(),
            _ => self.http1.as_ref(),
        }
    }
}

/// What requests come to that meet a fault.
pub(super) struct Met {
    pub(super) effect: Effect,
    /// Whether it is in the body of an answer, so that an answer without one is whole.
    pub(super) in_body: bool,
    pub(super) network: Arc<dyn Transport>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Effect {
    /// No connection is made. The flag says whether another attempt may help.
    Unsent(ErrorKind, bool),
    /// There is still no connection when the attempt's time is over.
    Unconnected,
    /// There is still no whole answer when the attempt's time is over.
    Unanswered,
    /// The connection ends, or something else than HTTP comes. The flag is as above.
    Broken(bool),
    /// The answer is whole and means nothing.
    Unreadable,
    TooLarge,
    Refused(u16),
    /// The same, and the server asks to wait longer than a call may take.
    PutOff(u16),
}

impl Effect {
    /// Returns whether a part of the request may leave the machine.
    pub(super) fn leaves(self) -> bool {
        !matches!(self, Self::Unsent(..) | Self::Unconnected)
    }
}

/// The statuses of refusals.
const STATUSES: [u16; 12] = [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504];

/// Returns all faults. Those of connections are the errors of real ones.
pub(super) async fn all() -> Vec<Case> {
    let mut all = vec![
        unsent("host name not found", name_not_found().await, true),
        unsent("connection refused", refused().await, true),
        unsent("no such socket file", no_socket_file().await, true),
        unsent("proxy: not allowed", of_proxy("403 Forbidden").await, false),
        unsent("proxy: no way", of_proxy("502 Bad Gateway").await, true),
        unsent("TLS: handshake cut off", handshake_cut_off().await, true),
        unsent(
            "TLS: certificate refused",
            certificate_refused().await,
            false,
        ),
        either(
            "no connection in time",
            Effect::Unconnected,
            Arc::new(Silence),
        ),
    ];
    all.extend(in_answers());
    for status in STATUSES {
        let name = format!("{status}");
        all.push(either(&name, Effect::Refused(status), saying(status, &[])));
    }
    for status in [429, 503] {
        let name = format!("{status}, `Retry-After` of a second");
        let network = saying(status, &[(RETRY_AFTER, "1")]);
        all.push(either(&name, Effect::Refused(status), network));
        let name = format!("{status}, `Retry-After` of an hour");
        let network = saying(status, &[(RETRY_AFTER, "3600")]);
        all.push(either(&name, Effect::PutOff(status), network));
    }
    // By the client's clock, the server asks to wait for years.
    let dates = [
        (DATE, "Fri, 01 Jan 2100 00:00:00 GMT"),
        (RETRY_AFTER, "Fri, 01 Jan 2100 00:00:01 GMT"),
    ];
    let name = "503, `Retry-After` as a date, and a clock that jumped";
    all.push(either(name, Effect::Refused(503), saying(503, &dates)));
    all
}

/// Of RFC 9113, section 7.
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;

/// Returns the faults of servers that do not send a whole answer, or none that can be read.
fn in_answers() -> Vec<Case> {
    use Effect::{Broken, TooLarge, Unanswered, Unreadable};

    let any = Fault::on_any;
    let json = HeaderValue::from_static("application/json");
    let drip = any().drip(1, Duration::from_secs(1));
    let half = any().header(CONTENT_TYPE, json).body("{\"a\": [1,");
    let page = any().body("<html>Bad gateway</html>");
    let both = |effect| [Some(effect); 2];
    let broken = both(Broken(true));
    // By HTTP/2, both lengths of an answer must agree.
    let too_short = [Some(Unreadable), Some(Broken(true))];
    let of_stream = [None, Some(Broken(true))];
    let unreadable = [Some(Unreadable), None];
    let head = |name, effects, fault| harmed(name, effects, false, fault);
    let body = |name, effects, fault| harmed(name, effects, true, fault);
    vec![
        head("no answer", both(Unanswered), any().no_answer()),
        head("closed before the head", broken, any().go_away(NO_ERROR)),
        head("reset before the head", broken, any().reset_before_head()),
        head("reset within the head", broken, any().reset_in_head()),
        head("stream refused", of_stream, any().refuse_stream()),
        head(
            "stream reset",
            of_stream,
            any().reset_stream(INTERNAL_ERROR),
        ),
        head("not HTTP", both(Broken(false)), any().not_http()),
        body("reset after the head", broken, any().reset_after_head()),
        body("half a body", broken, any().cut_body()),
        body("a length too long", broken, any().wrong_length(1 << 15)),
        body("a length too short", too_short, any().wrong_length(5)),
        body("a slow drip", both(Unanswered), drip),
        body("a huge body", both(TooLarge), any().huge_body(1 << 40)),
        body("not UTF-8", unreadable, any().garbage()),
        body("half of a JSON text", unreadable, half),
        body("a page instead of JSON", unreadable, page),
    ]
}

/// A fault of a server, with its effects by HTTP/1.1 and by HTTP/2.
fn harmed(name: &str, effects: [Option<Effect>; 2], in_body: bool, fault: Fault) -> Case {
    let host = host(200, &[]);
    host.faults().add(fault);
    let [http1, http2] = effects;
    let met = |effect, network| Met {
        effect,
        in_body,
        network,
    };
    Case {
        name: name.to_owned(),
        http1: http1.map(|effect| met(effect, host.transport())),
        http2: http2.map(|effect| met(effect, host.transport_http2())),
        host: Some(host),
    }
}

/// A fault to which the version of HTTP makes no difference.
fn either(name: &str, effect: Effect, network: Arc<dyn Transport>) -> Case {
    let met = Met {
        effect,
        in_body: false,
        network,
    };
    Case {
        name: name.to_owned(),
        http1: Some(met),
        http2: None,
        host: None,
    }
}

/// A whole answer, so that a call goes through.
pub(super) fn fine() -> Arc<dyn Transport> {
    Arc::new(Fine)
}

#[derive(Debug)]
struct Fine;

impl Transport for Fine {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        let mut response = Response::new(StatusCode::OK);
        response.body = "{}".into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

pub(super) fn saying(status: u16, headers: &[(HeaderName, &'static str)]) -> Arc<dyn Transport> {
    host(status, headers).transport()
}

fn host(status: u16, headers: &[(HeaderName, &'static str)]) -> Host {
    let value = |(name, value): &(HeaderName, &'static str)| {
        (name.clone(), HeaderValue::from_static(value))
    };
    Host::new(Arc::new(Quoting {
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers.iter().map(value).collect(),
    }))
}

/// A server that quotes all of a request that a secret can be in. `secrets` has all places where it might.
#[derive(Debug)]
struct Quoting {
    status: StatusCode,
    headers: HeaderMap,
}

impl Handler for Quoting {
    fn handle(&self, request: &Request) -> Response {
        // The rest would only take long to search: it is the same in all requests.
        let is_own =
            |name: &HeaderName| ![ACCEPT, ACCEPT_ENCODING, HOST, USER_AGENT].contains(name);
        let own = request.headers.iter().filter(|(name, _)| is_own(name));
        let mut text: String = own
            .map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned() + " ")
            .collect();
        text += request.uri.path();
        text += &String::from_utf8_lossy(&request.body);
        let body = json!({"message": text, "detail": [{"msg": text, "type": "odd"}]});
        let mut response = Response::new(self.status);
        response.headers = self.headers.clone();
        response.body = body.to_string().into();
        response
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        Some("any")
    }
}

/// A network in which no connection is made, and no error comes.
#[derive(Debug)]
struct Silence;

impl Transport for Silence {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let given_up = GivenUp(request.written);
        Box::pin(async move {
            let _given_up = given_up;
            std::future::pending().await
        })
    }
}

/// Reports that a request was dropped before anything of it was written.
struct GivenUp(Written);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.given_up();
    }
}

/// A network in which each request has the same error.
#[derive(Debug)]
struct Failing(Error);

impl Transport for Failing {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        let error = self.0.clone();
        Box::pin(std::future::ready(Err(error)))
    }
}

fn unsent(name: &str, error: Error, may_help: bool) -> Case {
    let effect = Effect::Unsent(error.kind(), may_help);
    either(name, effect, Arc::new(Failing(error)))
}

/// Sends a request over sockets, and returns its error.
async fn error_of(transport: HttpTransport, url: &str) -> Error {
    let request = Request::new(Method::GET, url.parse().unwrap());
    transport.send(request).await.unwrap_err()
}

async fn name_not_found() -> Error {
    #[derive(Debug)]
    struct Unknown;

    impl Resolve for Unknown {
        fn resolve(&self, _: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
            let why = io::Error::other("no such name");
            Box::pin(std::future::ready(Err(why)))
        }
    }

    let transport = HttpTransport::builder().resolver(Arc::new(Unknown));
    error_of(transport.build().unwrap(), "http://service.example/").await
}

async fn refused() -> Error {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    error_of(HttpTransport::builder().build().unwrap(), &url).await
}

async fn no_socket_file() -> Error {
    let folder = tempfile::tempdir().unwrap();
    let uri = uri_of_file(&folder.path().join("s").display().to_string());
    error_of(HttpTransport::builder().build().unwrap(), &uri.to_string()).await
}

/// Names a socket file as requests do.
pub(super) fn uri_of_file(path: &str) -> Uri {
    let code: String = path.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("unix://{code}/").parse().unwrap()
}

async fn of_proxy(refusal: &str) -> Error {
    let refusal = format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n");
    let script = Script::new().read_request().write(refusal).wait_for_close();
    let server = ScriptedServer::start([script]).await.unwrap();
    let proxy = Proxy::new(&server.url()).unwrap();
    let transport = HttpTransport::builder().proxy(proxy).build().unwrap();
    error_of(transport, "https://service.example/").await
}

async fn handshake_cut_off() -> Error {
    let server = ScriptedServer::start([Script::new().reset()])
        .await
        .unwrap();
    let url = format!("https://{}/", server.address());
    error_of(trusting(&CertificateAuthority::new().unwrap()), &url).await
}

async fn certificate_refused() -> Error {
    let authority = CertificateAuthority::new().unwrap();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let serving = host(200, &[]).serve_tls(address, &authority).await.unwrap();
    let other = CertificateAuthority::new().unwrap();
    error_of(trusting(&other), &serving.url()).await
}

fn trusting(authority: &CertificateAuthority) -> HttpTransport {
    let transport = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
    transport.unwrap().only_roots().build().unwrap()
}
