//! Tokens that are refused and replaced, and what goes over HTTPS only.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt as _;
use vouchsafe_core::Clock as _;
use vouchsafe_core::auth::{Cached, Token, TokenSource};
use vouchsafe_core::call::{Form, StatusRule};
use vouchsafe_core::mock::ManualClock;

use super::*;

/// Hands out a new token after each refusal.
#[derive(Debug, Default)]
pub(super) struct Renewing(pub(super) AtomicU64);

impl TokenSource for Renewing {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let generation = self.0.load(Ordering::Relaxed);
        let token = Token::new(Secret::from(format!("t{generation}"))).of_generation(generation);
        Box::pin(std::future::ready(Ok(token)))
    }

    fn forget(&self, generation: u64) {
        self.0.store(generation + 1, Ordering::Relaxed);
    }
}

async fn with_token(told: &Arc<Told>, source: &dyn TokenSource, base: &str) -> Result<()> {
    with_options(told, source, base, &CallOptions::new()).await
}

async fn with_options(
    told: &Arc<Told>,
    source: &dyn TokenSource,
    base: &str,
    options: &CallOptions,
) -> Result<()> {
    let client = builder(told).build().unwrap();
    let call = Call::new(&WRITE, Target::new("/write"));
    let base = base.parse().unwrap();
    let credentials = Some(Credentials::bearer(source));
    let sent = client.send(&base, call, credentials, options);
    sent.await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once() {
    let told = Told::new([status(401)]);
    with_token(&told, &Renewing::default(), "https://service.example")
        .await
        .unwrap();
    assert_eq!(told.header(0, AUTHORIZATION), "Bearer t0");
    assert_eq!(told.header(1, AUTHORIZATION), "Bearer t1");

    let told = Told::new([status(401), status(401), status(401)]);
    let error = with_token(&told, &Renewing::default(), "https://service.example")
        .await
        .unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::Credential, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_that_has_no_successor_is_not_sent_again() {
    let told = Told::new([status(401)]);
    let source = StaticToken::new(Secret::from("t"));
    let error = with_token(&told, &source, "https://service.example")
        .await
        .unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::Credential, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_to_be_resent_still_has_its_token_replaced() {
    let told = Told::new([status(401)]);
    let source = Renewing::default();
    let options = CallOptions::new().resend_refused(false);
    let sent = with_options(&told, &source, "https://service.example", &options).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Credential);
    assert_eq!((told.count(), source.0.into_inner()), (1, 1));
}

/// Has one token, and cannot get another.
#[derive(Debug, Default)]
pub(super) struct Spent {
    has_ended: AtomicU64,
    is_down: bool,
}

impl TokenSource for Spent {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let log_in_again = || Error::new(ErrorKind::Credential, "log in again");
        Box::pin(std::future::ready(
            match self.has_ended.load(Ordering::Relaxed) {
                0 => Ok(Token::new(Secret::from("t"))),
                _ => Err(log_in_again().with_retryable(self.is_down)),
            },
        ))
    }

    fn forget(&self, _: u64) {
        self.has_ended.store(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn why_there_is_no_newer_token_is_the_cause_of_a_refusal() {
    let told = Told::new([status(401)]);
    let sent = with_token(&told, &Spent::default(), "https://service.example").await;
    let error = sent.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), "log in again");
    assert!(!error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_may_be_tried_again_if_a_newer_token_may_be_had_later() {
    let told = Told::new([status(401)]);
    let source = Spent {
        is_down: true,
        ..Spent::default()
    };
    let sent = with_token(&told, &source, "https://service.example").await;
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::Credential, 1));
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_suffice_is_not_replaced() {
    static RULES: &[StatusRule] = &[StatusRule::new(
        401,
        Some("no access"),
        ErrorKind::Forbidden,
    )];
    static GUARDED: Operation =
        Operation::new("test.guarded", Method::GET, "/guarded").status_rules(RULES);
    let mut response = Response::new(StatusCode::UNAUTHORIZED);
    response.body = Bytes::from_static(b"no access");
    let told = Told::new([Then::Answer(response)]);
    let read = |response: &Response| {
        let code = std::str::from_utf8(&response.body).unwrap();
        Fault::new(Some(code.to_owned()), None)
    };
    let client = builder(&told).read_fault(read).build().unwrap();
    let source = Renewing::default();
    let credentials = Some(Credentials::bearer(&source));
    let call = Call::new(&GUARDED, Target::new("/guarded"));
    let (base, options) = (base(), CallOptions::new());
    let sent = client.send(&base, call, credentials, &options).await;
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!((told.count(), source.0.into_inner()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_path_with_a_secret_does_not_go_over_plain_http() {
    let told = Told::new([]);
    let client = builder(&told).build().unwrap();
    let secret = Secret::from("planted");
    let call = || {
        let target = Target::new("/token/").segment("token", secret.expose());
        Call::new(&HIDDEN, target.unwrap()).hide(&secret)
    };
    for (base, sent) in [("http://service.example", 0), ("http://127.0.0.1:1", 1)] {
        let base = base.parse().unwrap();
        let _ = client.send(&base, call(), None, &CallOptions::new()).await;
        assert_eq!(told.count(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_in_the_body_is_replaced_and_hidden_like_one_in_a_header() {
    let mut quoting = body("planted");
    quoting.status = StatusCode::FORBIDDEN;
    let told = Told::new([status(401), Then::Answer(body("{}")), Then::Answer(quoting)]);
    let client = builder(&told).build().unwrap();
    let call = Call::new(&WRITE, Target::new("/write"));
    let call = call.body_with_token(|call, token| call.json(token.expose()));
    let source = Renewing::default();
    let send = async |source: &dyn TokenSource, call: &Call| {
        let credentials = Some(Credentials::bearer(source));
        let options = CallOptions::new();
        client
            .send(&base(), call.clone(), credentials, &options)
            .await
    };
    send(&source, &call).await.unwrap();
    assert_eq!(told.body(0), "\"t0\"");
    assert_eq!(told.body(1), "\"t1\"");
    assert_eq!(told.header(1, AUTHORIZATION), "Bearer t1");

    // A server that quotes what it refuses.
    let source = StaticToken::new(Secret::from("planted"));
    let error = send(&source, &call).await.unwrap_err();
    assert_eq!(error.body().unwrap(), "[secret]");

    // Without credentials there is no token to put anywhere.
    let answer = client.send(&base(), call, None, &CallOptions::new()).await;
    answer.unwrap();
    assert_eq!(told.body(3), "");
}

#[tokio::test(start_paused = true)]
async fn a_credential_does_not_go_over_plain_http_to_another_machine() {
    let source = StaticToken::new(Secret::from("t"));
    let told = Told::new([]);
    let error = with_token(&told, &source, "http://service.example")
        .await
        .unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::Config, 0));
    with_token(&told, &source, "http://127.0.0.1:1")
        .await
        .unwrap();
    assert_eq!(told.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_or_header_with_a_secret_does_not_go_over_plain_http_either() {
    let told = Told::new([]);
    let client = builder(&told).build().unwrap();
    let send = async |url: &str, call: Call| {
        let base: BaseUrl = url.parse().unwrap();
        client.send(&base, call, None, &CallOptions::new()).await
    };
    let secret = Secret::from("planted");
    let new = || Call::new(&WRITE, Target::new("/write"));
    for call in [
        new().form(Form::new().secret("a", &secret)),
        new().secret_form(&secret, &[]),
        new().secret_json(&["planted"]).unwrap(),
        new().secret_header(AUTHORIZATION, &secret).unwrap(),
    ] {
        let error = send("http://service.example", call.clone())
            .await
            .unwrap_err();
        assert_eq!((error.kind(), told.count()), (ErrorKind::Config, 0));
        assert!(!format!("{error:?}").contains("planted"));
        send("http://127.0.0.1:1", call).await.unwrap();
        assert!(!format!("{:?}", told.seen.lock().unwrap()).contains("planted"));
        told.seen.lock().unwrap().clear();
    }
    let plain = new().form(Form::new().field("a", "b"));
    send("http://service.example", plain).await.unwrap();
}

/// Fetches its token through a client, as a login does.
#[derive(Debug)]
struct LoggedIn(CoreClient, &'static str);

impl TokenSource for LoggedIn {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(async move {
            let call = Call::new(&WRITE, Target::new("/write"));
            let base = self.1.parse()?;
            let answer = self.0.send(&base, call, None, &CallOptions::new()).await?;
            Ok(Token::new(Secret::from(answer.text()?)))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_source_may_call_through_the_same_client_whatever_the_limit() {
    let told = Told::new([Then::Answer(body("the-token"))]);
    let client = builder(&told).max_in_flight(1).build().unwrap();
    let source = LoggedIn(client.clone(), "https://service.example");
    let call = Call::new(&READ, Target::new("/read"));
    let credentials = Some(Credentials::bearer(&source));
    client
        .send(&base(), call, credentials, &CallOptions::new())
        .await
        .unwrap();
    assert_eq!(told.header(1, AUTHORIZATION), "Bearer the-token");
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_call_by_a_token_source_names_that_call() {
    let login = Told::new([status(403)]);
    let source = LoggedIn(builder(&login).build().unwrap(), "https://login.example");
    let told = Told::new([]);
    let client = builder(&told).build().unwrap();
    let call = Call::new(&READ, Target::new("/read"));
    let credentials = Some(Credentials::bearer(&source));
    let error = client
        .send(&base(), call, credentials, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::Forbidden, 0));
    assert_eq!(error.operation(), Some("test.write"));
    assert_eq!(error.url(), Some("https://login.example/write"));
    assert_eq!(error.attempts(), 1);
    let text = error.to_string();
    assert!(
        text.starts_with("test.write at login.example:443: "),
        "{text}"
    );
}

/// Fails without a call, like a file that is missing.
#[derive(Debug)]
struct Missing;

impl TokenSource for Missing {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let error = Error::new(ErrorKind::Credential, "the token file is missing");
        Box::pin(std::future::ready(Err(error)))
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_token_source_without_a_call_names_the_call_that_needed_the_token() {
    let error = with_token(&Told::new([]), &Missing, "https://service.example")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.write at service.example:443: the token file is missing"
    );
}

/// Fetches a token that lives for 100 seconds each time it is asked, unless it is down.
#[derive(Debug)]
struct Fetching {
    clock: Arc<ManualClock>,
    fetches: AtomicU64,
    is_down: AtomicBool,
    forgotten: Mutex<Vec<u64>>,
}

impl Fetching {
    fn cached() -> Cached<Self> {
        let clock = Arc::new(ManualClock::at_unix(1_700_000_000));
        let source = Self {
            clock: Arc::clone(&clock),
            fetches: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            forgotten: Mutex::default(),
        };
        Cached::with_clock(source, clock)
    }
}

impl TokenSource for Fetching {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(async {
            let count = self.fetches.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
            if self.is_down.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Transport, "down"));
            }
            let expiry = self.clock.now() + Duration::from_secs(100);
            let token = Token::new(Secret::from(format!("t{count}"))).expires_at(expiry);
            Ok(token.of_generation(100 + count))
        })
    }

    fn forget(&self, generation: u64) {
        self.forgotten.lock().unwrap().push(generation);
    }
}

async fn pass(source: &Cached<Fetching>, seconds: u64) {
    let time = Duration::from_secs(seconds);
    tokio::time::advance(time).await;
    source.source().clock.advance(time);
}

fn fetches(source: &Cached<Fetching>) -> u64 {
    source.source().fetches.load(Ordering::Relaxed)
}

async fn text(source: &Cached<Fetching>) -> String {
    source.token().await.unwrap().secret().expose().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_source_of_ones_own_is_asked_once_for_each_lifetime_of_its_tokens() {
    let source = Fetching::cached();
    let same = source.clone();
    let given_up = tokio::time::timeout(Duration::ZERO, source.token()).await;
    assert!(given_up.is_err());
    let (one, two) = tokio::join!(text(&source), text(&same));
    assert_eq!((one.as_str(), two.as_str()), ("t1", "t1"));
    pass(&source, 71).await;
    assert_eq!((text(&source).await.as_str(), fetches(&source)), ("t1", 1));
    // In its last fifth a new one is fetched while the old one is used, and ten seconds before the end
    // it is not used any more.
    pass(&source, 20).await;
    assert_eq!((text(&source).await.as_str(), fetches(&source)), ("t2", 2));
    // It is not due before the last fifth, whenever in that it is.
    pass(&source, 70).await;
    assert_eq!((text(&source).await.as_str(), fetches(&source)), ("t2", 2));
    pass(&source, 21).await;
    assert_eq!((text(&source).await.as_str(), fetches(&source)), ("t3", 3));
}

#[tokio::test(start_paused = true)]
async fn a_source_of_ones_own_learns_of_refusals_by_its_own_generations() {
    let source = Fetching::cached();
    let first = source.token().await.unwrap();
    source.forget(first.generation());
    let second = source.token().await.unwrap();
    assert_eq!((first.generation(), second.generation()), (1, 2));
    assert_eq!(second.secret().expose(), "t2");
    // A late one is not of the newer token.
    source.forget(first.generation());
    assert_eq!(text(&source).await, "t2");
    assert_eq!(*source.source().forgotten.lock().unwrap(), [101]);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_source_of_ones_own_is_kept_for_a_second() {
    let source = Fetching::cached();
    source.source().is_down.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let error = source.token().await.unwrap_err();
        assert_eq!((error.message(), fetches(&source)), ("down", 1));
    }
    source.source().is_down.store(false, Ordering::Relaxed);
    pass(&source, 1).await;
    assert_eq!(text(&source).await, "t2");
}

/// Never answers the first request for a token.
#[derive(Debug, Default)]
struct FirstHangs(AtomicU64);

impl TokenSource for FirstHangs {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if count == 0 {
                std::future::pending::<()>().await;
            }
            Ok(Token::new(Secret::from("t2")))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_of_ones_own_that_never_answers_is_asked_again_after_two_minutes() {
    let source = Cached::new(FirstHangs::default());
    let url = "https://service.example";
    // Each call ends by its own limit.
    let error = with_token(&Told::new([]), &source, url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Call));
    tokio::time::sleep(Duration::from_secs(104)).await;
    with_token(&Told::new([]), &source, url).await.unwrap_err();
    assert_eq!(source.source().0.load(Ordering::Relaxed), 1);
    // An error is kept for a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    with_token(&Told::new([]), &source, url).await.unwrap();
}

/// Needs three minutes for a token.
#[derive(Debug)]
struct Slow;

impl TokenSource for Slow {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(180)).await;
            Ok(Token::new(Secret::from("late")))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_of_ones_own_has_the_time_that_it_needs() {
    let error = Cached::new(Slow).token().await.unwrap_err();
    assert_eq!(error.message(), "the source returned no token within 120 s");
    assert!(error.is_retryable());
    for limit in [Duration::from_secs(181), Duration::MAX] {
        let source = Cached::new(Slow).with_limit(limit).clone();
        assert_eq!(source.token().await.unwrap().secret().expose(), "late");
    }
    // Twice the limit of a call.
    let timeouts = Timeouts::default().call(Duration::from_secs(100));
    let client = builder(&Told::new([])).timeouts(timeouts).build().unwrap();
    let source = client.cached("slow", Slow);
    assert_eq!(source.token().await.unwrap().secret().expose(), "late");
}

#[test]
fn a_source_of_ones_own_is_asked_outside_of_a_runtime_too() {
    let source = Cached::new(StaticToken::new(Secret::from("planted")));
    let token = source.token().now_or_never().expect("it waits for nothing");
    assert_eq!(token.unwrap().secret().expose(), "planted");
}
