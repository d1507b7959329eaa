use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use tokio::sync::oneshot;

use super::*;
use crate::Secret;
use crate::auth::StaticToken;
use crate::mock::{Handler, Host};
use crate::task::Task;
use crate::transport::{Request, Response};
use crate::url::Target;

static READ: Operation = Operation::new("t.read", Method::GET, "/read");
static OPEN: Operation = Operation::new("t.open", Method::GET, "/open").open();

#[derive(Debug)]
struct Echo;

impl Handler for Echo {
    fn handle(&self, request: &Request) -> Response {
        let mut response = Response::new(StatusCode::OK);
        let token = request.headers.get("authorization");
        let token = token.map_or("", |token| token.to_str().expect("text"));
        let notes = request.headers.iter();
        let notes = notes.filter(|(name, _)| name.as_str().starts_with("x-note"));
        let notes = notes.map(|(_, note)| note.to_str().expect("text"));
        let mut notes: Vec<_> = notes.collect();
        notes.sort_unstable();
        let notes = notes.concat();
        response.body = format!("{} {token}{notes}", request.uri.path()).into();
        response
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        None
    }
}

fn session(base: Base) -> Session {
    let host = Host::builder(Arc::new(Echo)).build();
    let core = CoreClient::builder().transport(host.transport());
    Session::new(core.build().expect("a transport is given"), base)
}

fn here() -> BaseUrl {
    BaseUrl::parse("https://here.example.com/api").expect("a URL")
}

async fn told(session: &Session, operation: &'static Operation) -> Result<String> {
    let call = Call::new(operation, Target::new(operation.path()));
    let answer = session.send(call, &CallOptions::new()).await?;
    Ok(answer.text()?.to_owned())
}

fn token(text: &'static str) -> StaticToken {
    StaticToken::new(Secret::from(text))
}

#[tokio::test]
async fn options_that_are_not_set_again_stay_as_they_were() {
    let note = |name, value| CallOptions::new().header(name, value).unwrap();
    let session = session(Base::fixed(here())).with_options(note("x-note-1", "a"));
    let session = session.with_options(note("x-note-2", "b"));
    assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open ab");
    let session = session.with_options(note("x-note-1", "c"));
    assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open bc");
}

#[tokio::test]
async fn an_answer_of_another_server_is_read_in_pieces_with_the_sessions_credential() {
    let session = session(Base::fixed(here())).with_token(Arc::new(token("t")));
    let there = BaseUrl::parse("https://there.example.com/other").expect("a URL");
    let call = Call::new(&READ, Target::new("/read"));
    let token = session.token_for(&READ).unwrap();
    let (there, options) = (Base::fixed(there), CallOptions::new());
    let answer = session.stream_as(&there, call, Some(token), &options);
    let mut answer = answer.await.unwrap();
    let mut text = Vec::new();
    while let Some(piece) = answer.next().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    assert_eq!(text, b"/other/read Bearer t");
}

/// A catalog that takes a second to answer, and fails while the test says so.
#[derive(Clone, Default)]
struct Catalog {
    fetched: Arc<AtomicUsize>,
    is_down: Arc<std::sync::atomic::AtomicBool>,
}

impl Catalog {
    fn base(&self, lifetime: Duration, error_lifetime: Duration) -> Base {
        let cache = Cache::builder().capacity(1).refresh_ahead(0.0);
        let cache = cache.ttl(lifetime).error_ttl(error_lifetime).build();
        let catalog = self.clone();
        let fetch = move || {
            let catalog = catalog.clone();
            async move {
                catalog.fetched.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                match catalog.is_down.load(Ordering::Relaxed) {
                    true => Err(Error::new(ErrorKind::Transport, "the catalog is down")),
                    false => Ok(Fetched::new(Arc::new(vec![here()]))),
                }
            }
        };
        Base::found(cache, fetch, |urls: &Vec<BaseUrl>| Ok(urls[0].clone()))
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_credential_is_sent_only_with_operations_that_need_it() {
    let bare = session(Base::fixed(here()));
    let error = told(&bare, &READ).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(told(&bare, &OPEN).await.unwrap(), "/api/open ");
    let session = bare.with_token(Arc::new(token("t")));
    assert_eq!(told(&session, &READ).await.unwrap(), "/api/read Bearer t");
    assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open ");
}

#[tokio::test]
async fn a_credential_of_the_call_replaces_that_of_the_session() {
    let session = session(Base::fixed(here())).with_token(Arc::new(token("own")));
    let call = || Call::new(&READ, Target::new("/read"));
    let other = token("other");
    let options = CallOptions::new();
    let answer = session.send_as(call(), Some(&other), &options).await;
    assert_eq!(answer.unwrap().text().unwrap(), "/api/read Bearer other");
    let answer = session.send_as(call(), None, &options).await;
    assert_eq!(answer.unwrap().text().unwrap(), "/api/read ");
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_share_one_look_up() {
    let catalog = Catalog::default();
    let session = session(catalog.base(MINUTE, Duration::ZERO));
    let (one, two) = tokio::join!(told(&session, &OPEN), told(&session, &OPEN));
    assert_eq!(one.unwrap(), "/api/open ");
    assert_eq!(two.unwrap(), "/api/open ");
    told(&session, &OPEN).await.unwrap();
    assert_eq!(catalog.fetched(), 1);
    tokio::time::advance(2 * MINUTE).await;
    told(&session, &OPEN).await.unwrap();
    assert_eq!(catalog.fetched(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_does_not_stop_the_look_up() {
    let catalog = Catalog::default();
    let session = session(catalog.base(MINUTE, Duration::ZERO));
    let moment = Duration::from_millis(100);
    let given_up = tokio::time::timeout(moment, told(&session, &OPEN)).await;
    assert!(given_up.is_err());
    assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open ");
    assert_eq!(catalog.fetched(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_up_is_kept_for_the_lifetime_of_errors() {
    let catalog = Catalog::default();
    catalog.set_down(true);
    let session = session(catalog.base(MINUTE, Duration::from_secs(10)));
    for _ in 0..2 {
        let error = told(&session, &OPEN).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
    }
    assert_eq!(catalog.fetched(), 1);
    catalog.set_down(false);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open ");
    assert_eq!(catalog.fetched(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_up_that_is_not_kept_is_repeated_by_the_next_call() {
    let catalog = Catalog::default();
    catalog.set_down(true);
    let session = session(catalog.base(MINUTE, Duration::ZERO));
    assert!(told(&session, &OPEN).await.is_err());
    catalog.set_down(false);
    assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open ");
    assert_eq!(catalog.fetched(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_look_up_is_part_of_the_calls() {
    let catalog = Catalog::default();
    let base = catalog.base(MINUTE, Duration::ZERO);
    let options = |millis| CallOptions::new().deadline(Duration::from_millis(millis));
    let session = session(base.clone());
    let (_, left) = base
        .locate(&session.0.core, &OPEN, options(1500))
        .await
        .unwrap();
    assert_eq!(left.get().deadline, Some(Duration::from_millis(500)));

    // The second limit is that of the look-up too, which fails just then.
    for limit in [500, 1000] {
        let catalog = Catalog::default();
        catalog.set_down(true);
        let base = catalog.base(MINUTE, Duration::ZERO);
        let patient = Session::new(session.0.core.clone(), base);
        let hurried = patient.with_options(options(limit));
        let begun = Instant::now();
        // The look-up is woken first, as it is the first to wait, and both are tasks.
        let _patient = Task::spawn(async move { drop(told(&patient, &OPEN).await) });
        tokio::task::yield_now().await;
        let (tell, told_error) = oneshot::channel();
        let _hurried = Task::spawn(async move {
            let _ = tell.send(told(&hurried, &OPEN).await.unwrap_err());
        });
        let error = told_error.await.unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Call));
        assert_eq!(error.operation(), Some("t.open"));
        assert!(error.is_retryable());
        assert_eq!(begun.elapsed(), Duration::from_millis(limit));
    }
}
