//! What is known of a request that went through a stack, and whether it may still be sent.

use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use http_body_util::Limited;
use vouchsafe_core::auth::{Token, TokenSource};
use vouchsafe_core::call::Timeouts;
use vouchsafe_core::transport::{self, Written};
use vouchsafe_core::{BoxFuture, Error};

use super::*;

/// What a transport does with a request, and reports as one over sockets would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Refused,
    Connecting,
    Broken,
    Silent,
}

/// Does one after the other with its requests, and counts those that it began.
#[derive(Clone, Debug)]
struct Wire {
    then: Arc<Mutex<Vec<Then>>>,
    begun: Arc<AtomicUsize>,
}

impl Wire {
    fn new(then: &[Then]) -> Self {
        Self {
            then: Arc::new(Mutex::new(then.iter().rev().copied().collect())),
            begun: Arc::default(),
        }
    }

    fn service(&self) -> TransportService {
        let service = TransportService::new(Arc::new(self.clone()));
        service.attempt_timeout(Duration::from_secs(3600))
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

impl Transport for Wire {
    fn send(&self, request: transport::Request) -> BoxFuture<'_, Result<transport::Response>> {
        struct GivenUp(Written);
        impl Drop for GivenUp {
            fn drop(&mut self) {
                self.0.given_up();
            }
        }
        let written = GivenUp(request.written);
        let then = self.then.lock().unwrap().pop();
        Box::pin(async move {
            match then {
                Some(Then::Refused) => return Err(refused()),
                Some(Then::Connecting) => pending().await,
                _ => {}
            }
            written.0.may_begin()?;
            self.begun.fetch_add(1, Ordering::SeqCst);
            match then {
                Some(Then::Broken) => Err(Error::new(ErrorKind::Transport, "broken")
                    .with_sent(Sent::Maybe)
                    .with_retryable(true)),
                Some(_) => pending().await,
                None => Ok(transport::Response::new(StatusCode::OK)),
            }
        })
    }
}

fn refused() -> Error {
    let kind = ErrorKind::Connect(ConnectPhase::Tcp);
    Error::new(kind, "refused").with_retryable(true)
}

type Sending = Request<Full<Bytes>>;
type Answered = Result<Response<TransportBody>, BoxError>;

/// Sends what must not be doubled through a service that is one function.
async fn write_through<F>(service: impl Fn(Sending) -> F + Clone + Send + 'static) -> Result<Bytes>
where
    F: Future<Output = Answered> + Send + 'static,
{
    let service = service_fn(service);
    send(&client(ServiceTransport::new(service)), write()).await
}

/// A copy by hand, without extensions.
fn by_hand(request: &Sending) -> Sending {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_ends_below_a_stack_leaves_the_request_unsent_only_before_it_was_begun() {
    for (then, expected) in [
        (Then::Connecting, (Sent::No, 3)),
        (Then::Silent, (Sent::Maybe, 1)),
    ] {
        for inner_limit in [Duration::from_secs(1), Duration::from_secs(3600)] {
            let wire = Wire::new(&[then; 3]);
            let service = wire.service().attempt_timeout(inner_limit);
            let tokens = Arc::new(StaticToken::new("let-me-in".into()));
            let stack = ServiceBuilder::new()
                .layer(AuthorizeLayer::new(tokens).only_to("site.test"))
                .concurrency_limit(1)
                .service(service);
            let client = client(ServiceTransport::<_, Full<Bytes>>::new(stack));
            let base = BaseUrl::parse("https://site.test").unwrap();
            // Without a credential, which the layer would leave alone.
            let options = CallOptions::new();
            let error = client.send(&base, write(), None, &options).await;
            let error = error.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            assert_eq!((error.sent(), error.attempts()), expected, "{error}");
        }
    }
}

#[tokio::test]
async fn over_sockets_too_a_limit_that_ends_while_connecting_leaves_the_request_unsent() {
    // The TCP connection comes about, and the TLS handshake gets no answer.
    let silent = || Script::new().wait_for_close();
    let server = ScriptedServer::start([silent(), silent(), silent()])
        .await
        .unwrap();
    let transport = HttpTransport::builder().build().unwrap();
    let transport = ServiceTransport::<_, Full<Bytes>>::new(stack(transport));
    let client = CoreClient::builder()
        .transport(Arc::new(transport))
        .timeouts(Timeouts::default().attempt(Duration::from_millis(200)))
        .build()
        .unwrap();
    let base = BaseUrl::parse(&server.url().replace("http://", "https://")).unwrap();
    let sent = client.send(&base, write(), None, &CallOptions::new()).await;
    let error = sent.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 3), "{error}");
}

#[tokio::test]
async fn nothing_is_sent_once_the_condition_ends_within_a_stack() {
    let script = Script::new().read_request().answer("{}").repeat();
    let server = ScriptedServer::start([script]).await.unwrap();
    let base = BaseUrl::parse(&server.url()).unwrap();
    let holds = Arc::new(AtomicBool::new(true));
    let ends = Arc::new(AtomicBool::new(false));
    let below = TransportService::new(Arc::new(HttpTransport::builder().build().unwrap()));
    let service = {
        let (holds, ends) = (Arc::clone(&holds), Arc::clone(&ends));
        service_fn(move |request: Sending| {
            // The request is within the stack already.
            holds.store(!ends.load(Ordering::SeqCst), Ordering::SeqCst);
            below.clone().oneshot(request)
        })
    };
    let client = client(ServiceTransport::new(service));
    let options = CallOptions::new().send_while(move || holds.load(Ordering::SeqCst));
    let send = || client.send(&base, write(), None, &options);
    send().await.unwrap();
    ends.store(true, Ordering::SeqCst);
    let error = send().await.unwrap_err();
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 1), "{error}");
    assert!(error.to_string().contains("too late"), "{error}");
    server.until_ended(1).await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_limit_nor_is_a_service_called_against_the_condition() {
    let wire = Wire::new(&[]);
    let service = wire.service();
    let error = write_through(move |request| {
        let service = service.clone();
        async move {
            // As if the process were suspended within the stack.
            tokio::time::advance(Duration::from_secs(60)).await;
            Ok(service.oneshot(request).await?)
        }
    });
    let error = error.await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((error.sent(), wire.begun()), (Sent::No, 0), "{error}");

    // Nor is another client, which could not ask.
    let service = service_fn(
        async |_: Sending| -> Result<Response<Full<Bytes>>, BoxError> {
            unreachable!("it is not called")
        },
    );
    let base = BaseUrl::parse("https://site.test").unwrap();
    let options = CallOptions::new().send_while(|| false);
    let client = client(ServiceTransport::new(service));
    let error = client.send(&base, write(), None, &options);
    let error = error.await.unwrap_err();
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 1), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_error_about_another_request_does_not_make_a_write_unsent() {
    // By a call of another client of ours, by a transport of ours, and by a layer's own token source.
    let of_call = refused().with_operation("other.call");
    let of_source = Error::new(ErrorKind::Credential, "log in again")
        .with_operation("oauth.requestToken")
        .with_status(StatusCode::UNAUTHORIZED);
    for other in [of_call, refused(), of_source] {
        let forwarded = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&forwarded);
        let thrown = other.clone();
        let error = write_through(move |request| {
            // A client that is not ours sends it.
            drop(request);
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err(thrown.clone().into()))
        });
        let error = error.await.unwrap_err();
        assert_eq!(
            (error.sent(), error.attempts()),
            (Sent::Maybe, 1),
            "{error}"
        );
        assert_eq!(forwarded.load(Ordering::SeqCst), 1, "{error}");
        assert_eq!(error.status(), None, "{error}");
    }
}

#[tokio::test]
async fn a_refusal_of_a_layers_own_token_does_not_refuse_that_of_the_call() {
    #[derive(Debug, Default)]
    struct Source(AtomicUsize);
    impl TokenSource for Source {
        fn token(&self) -> BoxFuture<'_, Result<Token>> {
            Box::pin(std::future::ready(Ok(Token::new("let-me-in".into()))))
        }
        fn forget(&self, _: u64) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let service = service_fn(async |_: Sending| -> Answered {
        let kind = ErrorKind::Credential;
        let error = Error::new(kind, "log in again").with_operation("oauth.requestToken");
        Err(error.with_status(StatusCode::UNAUTHORIZED).into())
    });
    let client = client(ServiceTransport::new(service));
    let base = BaseUrl::parse("https://site.test").unwrap();
    let source = Source::default();
    let (credentials, options) = (Credentials::bearer(&source), CallOptions::new());
    let sent = client.send(&base, read("/read"), Some(credentials), &options);
    let error = sent.await.unwrap_err();
    assert_eq!(source.0.load(Ordering::SeqCst), 0);
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("log in again"), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_sends_again_was_sent_nothing_only_if_all_of_it_was_refused() {
    for (first, second, expected) in [
        (Then::Refused, Then::Refused, (Sent::No, 3)),
        (Then::Broken, Then::Refused, (Sent::Maybe, 1)),
        (Then::Refused, Then::Broken, (Sent::Maybe, 1)),
        (Then::Refused, Then::Silent, (Sent::Maybe, 1)),
    ] {
        for copy in [Sending::clone, by_hand as fn(&Sending) -> Sending] {
            let wire = Wire::new(&[first, second].repeat(3));
            let service = wire.service();
            let error = write_through(move |request| {
                let service = service.clone();
                async move {
                    let again = copy(&request);
                    match service.clone().oneshot(request).await {
                        Ok(answer) => Ok(answer),
                        Err(_) => Ok(service.oneshot(again).await?),
                    }
                }
            });
            let error = error.await.unwrap_err();
            let known = (error.sent(), error.attempts());
            assert_eq!(known, expected, "{first:?}, {second:?}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_another_client_may_have_sent_counts() {
    let wire = Wire::new(&[Then::Refused; 3]);
    let service = wire.service();
    let error = write_through(move |request| {
        let service = service.clone();
        async move {
            // A client that is not ours sends it, and fails.
            drop(request.clone());
            Ok(service.oneshot(request).await?)
        }
    });
    let error = error.await.unwrap_err();
    assert_eq!(
        (error.sent(), error.attempts()),
        (Sent::Maybe, 1),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_below_a_layer_of_tokens_leaves_a_write_unsent() {
    let wire = Wire::new(&[Then::Refused; 2]);
    let tokens = Arc::new(StaticToken::new("let-me-in".into()));
    let service = AuthorizeLayer::new(tokens)
        .only_to("site.test")
        .layer(wire.service());
    let transport = ServiceTransport::<_, Full<Bytes>>::new(service);
    // Without a credential, which the layer would leave alone.
    let base = BaseUrl::parse("https://site.test").unwrap();
    let options = CallOptions::new();
    let client = client(transport);
    client.send(&base, write(), None, &options).await.unwrap();
    assert_eq!(wire.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_or_is_too_long_was_not_sent() {
    let wire = Wire::new(&[]);
    let service = wire.service().attempt_timeout(Duration::from_secs(5));
    let url = "https://site.test/";
    let silent = StreamBody::new(stream::pending::<io::Result<Frame<Bytes>>>());
    let request = Request::post(url).body(silent).unwrap();
    let error = service.clone().oneshot(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Attempt));
    let text = "site.test:443: the request's body did not come within 5 s";
    assert_eq!(
        (error.sent(), error.to_string()),
        (Sent::No, text.to_owned())
    );

    let long = Limited::new(Full::<Bytes>::from("abcdef"), 5);
    let request = Request::post(url).body(long).unwrap();
    let error = service.oneshot(request).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Invalid, Sent::No));
    assert_eq!(wire.begun(), 0);
}
