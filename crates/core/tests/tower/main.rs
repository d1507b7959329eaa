//! Tower services as transports, and transports as tower services, in stacks of tower's own layers.
#![allow(clippy::unwrap_used, reason = "a test")]

mod sent;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::sync::Notify;
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::load_shed::error::Overloaded;
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneService;
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt, service_fn};
use vouchsafe_core::auth::{AuthorizeLayer, Credentials, StaticToken};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::{
    HttpTransport, ServiceTransport, Transport, TransportBody, TransportService,
};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{ConnectPhase, CoreClient, ErrorKind, Result, Sent, TimeoutScope};

static READ: Operation = Operation::new("test.read", Method::GET, "/read")
    .repeat(Repeat::Safe)
    .response_limit(64);
static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");

/// Handlers that count.
#[derive(Clone, Default)]
struct Site(Arc<AtomicUsize>);

impl Site {
    fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn router(&self) -> Router {
        let echo = async |State(site): State<Self>, headers: HeaderMap, body: String| {
            site.0.fetch_add(1, Ordering::SeqCst);
            let token = headers.get(AUTHORIZATION);
            let token = token.map_or("no token", |token| token.to_str().unwrap());
            format!("{token}, {body}")
        };
        Router::new()
            .route("/read", get(echo))
            .route("/write", post(echo))
            .route("/huge", get(async || "a".repeat(65)))
            .with_state(self.clone())
    }
}

fn client(transport: impl Transport) -> CoreClient {
    let transport = Arc::new(transport);
    CoreClient::builder().transport(transport).build().unwrap()
}

async fn send(client: &CoreClient, call: Call) -> Result<Bytes> {
    let base = BaseUrl::parse("https://site.test").unwrap();
    let token = StaticToken::new("let-me-in".into());
    let credentials = Some(Credentials::bearer(&token));
    let options = CallOptions::new();
    let answer = client.send(&base, call, credentials, &options);
    Ok(answer.await?.body().clone())
}

fn read(path: &'static str) -> Call {
    Call::new(&READ, Target::new(path))
}

fn write() -> Call {
    Call::new(&WRITE, Target::new("/write")).body("text/plain", "hello".into())
}

#[tokio::test]
async fn a_router_in_the_same_process_is_a_transport() {
    let client = client(ServiceTransport::<_, Body>::new(Site::default().router()));
    let answer = send(&client, write()).await.unwrap();
    assert_eq!(answer, "Bearer let-me-in, hello");
    let error = send(&client, read("/nothing")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::NotFound, 1));
}

#[tokio::test]
async fn an_answer_is_limited_unless_it_is_read_piece_by_piece() {
    let client = client(ServiceTransport::<_, Body>::new(Site::default().router()));
    let error = send(&client, read("/huge")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let base = BaseUrl::parse("https://site.test").unwrap();
    let options = CallOptions::new();
    let answer = client.stream(&base, read("/huge"), None, &options);
    let mut answer = answer.await.unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap().len(), 65);
    assert_eq!(answer.next().await.unwrap(), None);
}

/// Promises more than memory holds, once it has delivered something.
#[derive(Default)]
struct Boasting(usize);

impl http_body::Body for Boasting {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0 += 1;
        let frame = (self.0 <= 2).then(|| Ok(Frame::data("half".into())));
        std::task::Poll::Ready(frame)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self.0 {
            0 => http_body::SizeHint::default(),
            _ => http_body::SizeHint::with_exact(u64::MAX),
        }
    }
}

#[tokio::test]
async fn no_more_memory_is_taken_for_an_answer_than_its_limit() {
    let service = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, io::Error>(Response::new(Boasting::default()))
    });
    let client = client(ServiceTransport::new(service));
    assert_eq!(send(&client, read("/read")).await.unwrap(), "halfhalf");
}

#[tokio::test(start_paused = true)]
async fn what_a_full_service_did_not_take_in_time_was_not_sent() {
    let site = Site::default();
    let mut service = ConcurrencyLimitLayer::new(1).layer(site.router());
    let client = client(ServiceTransport::<_, Body>::new(service.clone()));
    // It keeps its place.
    let held = ServiceExt::<Request<Body>>::ready(&mut service)
        .await
        .unwrap();
    let error = send(&client, write()).await.unwrap_err();
    assert!(error.is_timeout() && error.attempts() > 1, "{error}");
    assert_eq!((error.sent(), site.asked()), (Sent::No, 0));
    held.call(Request::get("/read").body(Body::empty()).unwrap())
        .await
        .unwrap();
    drop(service);
    send(&client, write()).await.unwrap();
    assert_eq!(site.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_service_is_taken_for_sent_unless_it_is_known_not_to_be() {
    let site = Site::default();
    let mut held = ConcurrencyLimitLayer::new(1).layer(site.router());
    let service = LoadShedLayer::new().layer(held.clone());
    ServiceExt::<Request<Body>>::ready(&mut held).await.unwrap();

    let cautious = client(ServiceTransport::<_, Body>::new(service.clone()));
    let error = send(&cautious, write()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Transport, Sent::Maybe)
    );
    assert_eq!(error.attempts(), 1, "it must not be doubled");
    // Reading twice does no harm.
    assert_eq!(
        send(&cautious, read("/read")).await.unwrap_err().attempts(),
        3
    );

    let knowing =
        ServiceTransport::<_, Body>::new(service).unsent_if(|cause| cause.is::<Overloaded>());
    let error = send(&client(knowing), write()).await.unwrap_err();
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 3));
    assert_eq!(site.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_gets_ready_was_sent_nothing() {
    #[derive(Clone)]
    struct Broken;
    impl Service<Request<Full<Bytes>>> for Broken {
        type Response = Response<Full<Bytes>>;
        type Error = io::Error;
        type Future = std::future::Ready<io::Result<Self::Response>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            std::task::Poll::Ready(Err(io::Error::other("closed")))
        }
        fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
            unreachable!("it is not ready");
        }
    }
    let error = send(&client(ServiceTransport::new(Broken)), write())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Transport, Sent::No)
    );
    assert_eq!(error.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_attempt_ends_a_service_that_does_not_answer() {
    let count = Arc::new(());
    let counted = Arc::clone(&count);
    let service = service_fn(move |_: Request<Full<Bytes>>| {
        let running = Arc::clone(&counted);
        async move {
            let _running = running;
            std::future::pending::<Result<Response<Full<Bytes>>, io::Error>>().await
        }
    });
    let error = send(&client(ServiceTransport::new(service)), write())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Attempt));
    assert_eq!((error.sent(), error.attempts()), (Sent::Maybe, 1));
    assert_eq!(
        Arc::strong_count(&count),
        1,
        "the service's future is dropped with the call"
    );
}

/// A stack of tower's own layers over this crate's connections.
fn stack<B>(
    transport: impl Transport,
) -> BoxCloneService<Request<B>, Response<TransportBody>, BoxError>
where
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let service = ServiceBuilder::new()
        .concurrency_limit(4)
        .layer(TimeoutLayer::new(Duration::from_secs(60)))
        .service(TransportService::new(Arc::new(transport)));
    BoxCloneService::new(service)
}

#[tokio::test]
async fn the_errors_of_a_transport_below_a_stack_keep_what_they_know() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = BaseUrl::parse(&format!("http://{}", socket.local_addr().unwrap())).unwrap();
    drop(socket);
    let transport = HttpTransport::builder().build().unwrap();
    let client = client(ServiceTransport::<_, Full<Bytes>>::new(stack(transport)));
    let error = client
        .send(&base, write(), None, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tcp));
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 3));
}

#[tokio::test]
async fn a_stack_over_a_transport_is_a_client() {
    let router = ServiceTransport::<_, Body>::new(Site::default().router());
    let tokens = Arc::new(StaticToken::new("let-me-in".into()));
    let service = AuthorizeLayer::new(tokens)
        .only_to("site.test")
        .layer(stack(router));
    let request = Request::post("https://site.test/write").body("hello".to_owned());
    let answer = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "Bearer let-me-in, hello");
}

#[tokio::test]
async fn the_answer_of_a_transport_is_passed_on_as_it_arrives() {
    let go_on = Arc::new(Notify::new());
    let script = Script::new()
        .read_request()
        .write("HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 12\r\n\r\nfirst ")
        .wait_for(&go_on)
        .write("second")
        .repeat();
    let server = ScriptedServer::start([script]).await.unwrap();
    let mut service = TransportService::new(Arc::new(HttpTransport::builder().build().unwrap()));
    for _ in 0..2 {
        let request = Request::post(server.url())
            .body(Full::<Bytes>::from("body"))
            .unwrap();
        let answer = service.call(request).await.unwrap();
        assert_eq!(answer.headers()["x-a"], "b");
        let mut body = answer.into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "first ");
        go_on.notify_one();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "second");
    }
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_transport_as_a_service_waits_no_longer_than_it_may() {
    let service = service_fn(async |request: Request<Full<Bytes>>| {
        if request.uri().path() == "/silent" {
            std::future::pending::<()>().await;
        }
        let first = stream::iter([Ok::<_, io::Error>(Frame::data(Bytes::from("first")))]);
        Ok::<_, io::Error>(Response::new(StreamBody::new(
            first.chain(stream::pending()),
        )))
    });
    let mut service = TransportService::new(Arc::new(ServiceTransport::new(service)));
    let request = |url| Request::get(url).body(Full::<Bytes>::default()).unwrap();

    let error = service
        .call(request("https://site.test/silent"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Attempt));
    assert_eq!(error.sent(), Sent::Maybe);
    assert_eq!(error.to_string(), "site.test:443: no answer within 5 s");

    let answer = service.call(request("https://site.test/")).await.unwrap();
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "first");
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Attempt));
    assert!(body.frame().await.is_none() && body.is_end_stream());
}
