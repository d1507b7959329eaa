//! The faults, and what is true of each.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde_json::json;
use vouchsafe::core::mock::script::{Script, ScriptedServer};
use vouchsafe::core::mock::{CertificateAuthority, Fault, Handler, Host};
use vouchsafe::core::transport::{HttpTransport, Request, Resolve, Response, Transport, Written};
use vouchsafe::core::{BoxFuture, Error, ErrorKind, Result};

/// A fault: what a request comes to.
pub(super) struct Case {
    pub(super) name: String,
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
    let case = |name: &str, effect, network| Case {
        name: name.to_owned(),
        effect,
        in_body: false,
        network,
    };
    let in_body = |name: &str, effect, fault| Case {
        in_body: true,
        ..case(name, effect, harmed(fault))
    };
    let any = Fault::on_any;
    let (page, json) = (
        "<html>Bad gateway</html>",
        HeaderValue::from_static("application/json"),
    );
    let mut all = vec![
        unsent("host name not found", name_not_found().await, true),
        unsent("connection refused", refused().await, true),
        unsent("TLS: handshake cut off", handshake_cut_off().await, true),
        unsent(
            "TLS: certificate refused",
            certificate_refused().await,
            false,
        ),
        case(
            "no connection in time",
            Effect::Unconnected,
            Arc::new(Silence),
        ),
        case("no answer", Effect::Unanswered, harmed(any().no_answer())),
        case(
            "reset before the head",
            Effect::Broken(true),
            harmed(any().reset_before_head()),
        ),
        case(
            "reset within the head",
            Effect::Broken(true),
            harmed(any().reset_in_head()),
        ),
        in_body(
            "reset after the head",
            Effect::Broken(true),
            any().reset_after_head(),
        ),
        in_body("half a body", Effect::Broken(true), any().cut_body()),
        in_body(
            "a length too long",
            Effect::Broken(true),
            any().wrong_length(1 << 15),
        ),
        in_body(
            "a length too short",
            Effect::Unreadable,
            any().wrong_length(5),
        ),
        in_body(
            "a slow drip",
            Effect::Unanswered,
            any().drip(1, Duration::from_secs(1)),
        ),
        case("not HTTP", Effect::Broken(false), harmed(any().not_http())),
        in_body("a huge body", Effect::TooLarge, any().huge_body(1 << 40)),
        in_body("not UTF-8", Effect::Unreadable, any().garbage()),
        in_body(
            "half of a JSON text",
            Effect::Unreadable,
            any().header(CONTENT_TYPE, json).body("{\"a\": [1,"),
        ),
        in_body(
            "a page instead of JSON",
            Effect::Unreadable,
            any().body(page),
        ),
    ];
    for status in STATUSES {
        let name = format!("{status}");
        all.push(case(&name, Effect::Refused(status), saying(status, &[])));
    }
    for status in [429, 503] {
        let name = format!("{status}, `Retry-After` of a second");
        let network = saying(status, &[(RETRY_AFTER, "1")]);
        all.push(case(&name, Effect::Refused(status), network));
        let name = format!("{status}, `Retry-After` of an hour");
        let network = saying(status, &[(RETRY_AFTER, "3600")]);
        all.push(case(&name, Effect::PutOff(status), network));
    }
    // By the client's clock, the server asks to wait for years.
    let dates = [
        (DATE, "Fri, 01 Jan 2100 00:00:00 GMT"),
        (RETRY_AFTER, "Fri, 01 Jan 2100 00:00:01 GMT"),
    ];
    let name = "503, `Retry-After` as a date, and a clock that jumped";
    all.push(case(name, Effect::Refused(503), saying(503, &dates)));
    all
}

/// A whole answer, so that a call goes through.
pub(super) fn fine() -> Arc<dyn Transport> {
    saying(200, &[])
}

fn harmed(fault: Fault) -> Arc<dyn Transport> {
    host(200, &[], Some(fault))
}

pub(super) fn saying(status: u16, headers: &[(HeaderName, &'static str)]) -> Arc<dyn Transport> {
    host(status, headers, None)
}

fn host(
    status: u16,
    headers: &[(HeaderName, &'static str)],
    fault: Option<Fault>,
) -> Arc<dyn Transport> {
    let value = |(name, value): &(HeaderName, &'static str)| {
        (name.clone(), HeaderValue::from_static(value))
    };
    let host = Host::new(Arc::new(Quoting {
        status: StatusCode::from_u16(status).unwrap(),
        headers: headers.iter().map(value).collect(),
    }));
    if let Some(fault) = fault {
        host.faults().add(fault);
    }
    host.transport()
}

/// A server that quotes the whole request. `secrets` has all places where it might.
#[derive(Debug)]
struct Quoting {
    status: StatusCode,
    headers: HeaderMap,
}

impl Handler for Quoting {
    fn handle(&self, request: &Request) -> Response {
        let values = request.headers.values();
        let mut text: String = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned() + " ")
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
    Case {
        name: name.to_owned(),
        effect: Effect::Unsent(error.kind(), may_help),
        in_body: false,
        network: Arc::new(Failing(error)),
    }
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

async fn handshake_cut_off() -> Error {
    let server = ScriptedServer::start([Script::new().reset()])
        .await
        .unwrap();
    let url = format!("https://{}/", server.address());
    error_of(trusting(&CertificateAuthority::new().unwrap()), &url).await
}

async fn certificate_refused() -> Error {
    let host = Host::new(Arc::new(Quoting {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
    }));
    let authority = CertificateAuthority::new().unwrap();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let serving = host.serve_tls(address, &authority).await.unwrap();
    let other = CertificateAuthority::new().unwrap();
    error_of(trusting(&other), &serving.url()).await
}

fn trusting(authority: &CertificateAuthority) -> HttpTransport {
    let transport = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
    transport.unwrap().only_roots().build().unwrap()
}
