//! Calls that are dropped at each of their awaits leave nothing behind: no task, no waker, no
//! permit, no flight, no exchange with the server and no request that an observer counts as in flight.
//! Time is paused.
#![allow(clippy::future_not_send, clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode, Uri};
use serde_json::json;
use tokio::runtime::Handle;
use vouchsafe_core::auth::oauth::ClientCredentials;
use vouchsafe_core::auth::{Credentials, FnToken, TokenSource};
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::page::{Items, List, Page, Position, Style};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_core::mock::cancel::{at_each_await, cut};
use vouchsafe_core::mock::{Fault, Handler, Host, respond};
use vouchsafe_core::observe::Observer;
use vouchsafe_core::transport::{BodyStream, Request, Response, StreamedResponse, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{BoxFuture, CoreClient, Error, Result, Secret};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);
static ONCE: Operation =
    Operation::new("test.once", Method::POST, "/once").repeat(Repeat::OnlyIfUnsent);

/// A token endpoint whose first token is refused, and a service.
#[derive(Debug, Default)]
struct Service {
    issued: AtomicU64,
}

impl Handler for Service {
    fn handle(&self, request: &Request) -> Response {
        if request.uri.path() == "/token" {
            let count = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
            let token = format!("token-{count}");
            return respond::json(200, &json!({"access_token": token, "token_type": "bearer"}));
        }
        match request.headers.get(AUTHORIZATION) {
            Some(token) if token == "Bearer token-1" => respond::empty(401),
            _ => respond::json(200, &json!({})),
        }
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        Some(match uri.path() {
            "/token" => "test.token",
            "/once" => "test.once",
            _ => "test.read",
        })
    }
}

/// Counts the exchanges that have begun and not ended, and delivers streamed answers in pieces.
#[derive(Debug)]
struct Counted {
    inner: Arc<dyn Transport>,
    open: Arc<AtomicUsize>,
}

struct Open(Arc<AtomicUsize>);

impl Open {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Transport for Counted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let open = Open::begin(&self.open);
        Box::pin(async move {
            let answer = self.inner.send(request).await;
            drop(open);
            answer
        })
    }

    fn stream(&self, request: Request) -> BoxFuture<'_, Result<StreamedResponse>> {
        let open = Open::begin(&self.open);
        Box::pin(async move {
            let Response { status, body, .. } = self.inner.send(request).await?;
            let body = Box::new(Pieces { body, _open: open });
            Ok(StreamedResponse::new(status, body))
        })
    }
}

/// A body that arrives byte by byte.
struct Pieces {
    body: Bytes,
    _open: Open,
}

impl BodyStream for Pieces {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let is_left = !self.body.is_empty();
            Ok(is_left.then(|| self.body.split_to(1)))
        })
    }
}

/// How many requests are in flight, as an observer sees it.
#[derive(Debug, Default)]
struct InFlight(AtomicI64);

impl Observer for InFlight {
    fn request_began(&self, _: &'static str) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn request_ended(&self, _: &'static str) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A client that may have one request in flight, and its server.
struct World {
    host: Host,
    client: CoreClient,
    open: Arc<AtomicUsize>,
    in_flight: Arc<InFlight>,
}

const BASE: &str = "http://127.0.0.1:1";

impl World {
    fn new() -> Self {
        let host = Host::new(Arc::new(Service::default()));
        host.set_latency(Duration::from_millis(50));
        let open = Arc::default();
        let in_flight = Arc::<InFlight>::default();
        let transport = Counted {
            inner: host.transport(),
            open: Arc::clone(&open),
        };
        let client = CoreClient::builder()
            .transport(Arc::new(transport))
            .observer(Arc::clone(&in_flight) as _)
            .max_in_flight(1)
            .jitter_seed(7);
        Self {
            host,
            client: client.build().unwrap(),
            open,
            in_flight,
        }
    }

    /// As `new`, with a server that is not available at first.
    fn unavailable() -> Self {
        let world = Self::new();
        let fault = Fault::on_any().times(1).status(503);
        world.host.faults().add(fault);
        world
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Counted {
            inner: self.host.transport(),
            open: Arc::clone(&self.open),
        })
    }

    async fn call(
        &self,
        operation: &'static Operation,
        source: Option<&dyn TokenSource>,
    ) -> Result<Bytes> {
        let base = BASE.parse()?;
        let call = Call::new(operation, Target::new(operation.path()));
        let credentials = source.map(Credentials::bearer);
        let options = CallOptions::new();
        let answer = self.client.send(&base, call, credentials, &options).await?;
        Ok(answer.body().clone())
    }

    fn assert_idle(&self, at: &str) {
        assert_eq!(self.open.load(Ordering::SeqCst), 0, "exchanges {at}");
        let in_flight = self.in_flight.0.load(Ordering::SeqCst);
        assert_eq!(in_flight, 0, "in flight {at}");
    }
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Long enough for everything that was begun to end.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(60)).await;
}

/// Drops a call at each of its awaits, checks that it leaves nothing behind, and that the next one
/// succeeds. Returns at how many awaits.
async fn nothing_is_left(
    world: impl Fn() -> World,
    call: impl AsyncFn(&World) -> Result<()>,
) -> usize {
    let before = tasks();
    at_each_await(async |polls| {
        let world = world();
        let cut = cut(polls, call(&world)).await;
        settle().await;
        let at = format!("after {polls} polls");
        world.assert_idle(&at);
        assert_eq!(tasks(), before, "tasks {at}");
        assert_eq!(cut.wakers(), 0, "wakers {at}");
        let is_done = cut.output().map(|done| done.clone().unwrap()).is_some();
        // It needs the one permit, and what the first call may have begun.
        call(&world).await.unwrap();
        settle().await;
        world.assert_idle(&at);
        drop(world);
        assert_eq!(tasks(), before, "tasks {at} and another call");
        is_done
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_plain_call_with_a_retry() {
    let polls = nothing_is_left(World::unavailable, async |world| {
        world.call(&READ, None).await.map(drop)
    });
    assert!(polls.await >= 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_permit() {
    let polls = nothing_is_left(World::new, async |world| {
        let mut holder = Box::pin(world.call(&READ, None));
        assert!((&mut holder).now_or_never().is_none());
        let (first, second) = tokio::join!(holder, world.call(&READ, None));
        first.and(second).map(drop)
    });
    assert!(polls.await >= 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_must_not_be_doubled() {
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let world = World::new();
        let cut = cut(polls, world.call(&ONCE, None)).await;
        settle().await;
        world.assert_idle("after a call");
        assert_eq!((tasks(), cut.wakers()), (before, 0));
        // Sent once at most, however it ended.
        let sent = world.host.journal().count("test.once");
        assert_eq!(sent, u64::from(polls > 0));
        world.call(&ONCE, None).await.unwrap();
        cut.output().is_some()
    });
    assert!(polls.await >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_token_is_fetched_refused_and_fetched_again() {
    fn source(world: &World) -> ClientCredentials {
        let url = format!("{BASE}/token");
        let source = ClientCredentials::builder(url, "reports", Secret::from("hunter2"));
        source.transport(world.transport()).build().unwrap()
    }
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let world = World::new();
        let source = source(&world);
        let cut = cut(polls, world.call(&READ, Some(&source))).await;
        settle().await;
        world.assert_idle("after a call");
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        world.call(&READ, Some(&source)).await.unwrap();
        // A fetch that was begun is not lost with its caller.
        assert_eq!(world.host.journal().count("test.token"), 2, "{polls}");
        cut.output().is_some()
    });
    assert!(polls.await >= 5);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_token_comes_from_a_function() {
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let world = World::new();
        let count = Arc::new(AtomicU64::new(0));
        let source = FnToken::new(move || {
            let count = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(Secret::from(format!("token-{count}")))
            }
        });
        let cut = cut(polls, world.call(&READ, Some(&source))).await;
        settle().await;
        world.assert_idle("after a call");
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        world.call(&READ, Some(&source)).await.unwrap();
        cut.output().is_some()
    });
    assert!(polls.await >= 5);
}

type Words = Cache<&'static str, Bytes, Error>;

async fn look_up(world: &World, cache: &Words) -> Result<Bytes> {
    let fetch = || {
        let client = world.client.clone();
        async move {
            let call = Call::new(&READ, Target::new("/read"));
            let base = BASE.parse()?;
            let options = CallOptions::new();
            let answer = client.send(&base, call, None, &options).await?;
            Ok(Fetched::new(answer.body().clone()))
        }
    };
    cache.get_or_fetch(&"key", fetch).await
}

#[tokio::test(start_paused = true)]
async fn the_first_caller_of_a_look_up() {
    a_look_up(true).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_caller_of_a_look_up() {
    a_look_up(false).await;
}

/// Drops one of two callers that wait for the same fetch. The other is not concerned.
async fn a_look_up(first_is_cut: bool) {
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let world = World::unavailable();
        let cache: Words = world.client.cache("words").build();
        let cut_off = cut(polls, look_up(&world, &cache));
        let other = look_up(&world, &cache);
        // The one that is polled first makes the fetch.
        let (cut, other) = if first_is_cut {
            tokio::join!(biased; cut_off, other)
        } else {
            let (other, cut) = tokio::join!(biased; other, cut_off);
            (cut, other)
        };
        assert_eq!(other.unwrap(), "{}");
        settle().await;
        world.assert_idle("after a look-up");
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        assert_eq!(world.host.journal().count("test.read"), 2, "{polls}");
        // The value is there, and no flight is in its way.
        look_up(&world, &cache).await.unwrap();
        cache.forget(&"key");
        look_up(&world, &cache).await.unwrap();
        assert_eq!(world.host.journal().count("test.read"), 3, "{polls}");
        cut.output().is_some()
    });
    assert!(polls.await >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_dropped_under_a_look_up() {
    let before = tasks();
    at_each_await(async |polls| {
        let world = World::unavailable();
        let cache: Words = world.client.cache("words").build();
        let cut = cut(polls, look_up(&world, &cache)).await;
        drop(cache);
        // Not after the end of the fetch: at once.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        world.assert_idle("without a cache");
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        cut.output().is_some()
    })
    .await;
}

/// Three pages of two numbers.
struct Numbers<'w>(&'w World);

impl List for Numbers<'_> {
    type Item = u64;
    type Error = Error;

    fn style(&self) -> Style {
        Style::Token
    }

    async fn page(&self, at: Position) -> Result<Page<u64>> {
        self.0.call(&READ, None).await?;
        let Position::Token(token) = at else {
            unreachable!()
        };
        let first: u64 = token.map_or(0, |token| token.parse().unwrap());
        let next = (first < 4).then(|| (first + 2).to_string());
        Ok(Page::new(vec![first, first + 1]).next(next))
    }

    fn key(item: &u64) -> String {
        item.to_string()
    }
}

#[tokio::test(start_paused = true)]
async fn a_walk_goes_on_after_a_call_that_was_dropped() {
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let world = World::unavailable();
        let mut items = Items::new(Numbers(&world));
        let mut all = Vec::new();
        let cut = cut(polls, async {
            while let Some(item) = items.next().await? {
                all.push(item);
            }
            Ok::<_, Error>(())
        });
        let cut = cut.await;
        settle().await;
        world.assert_idle("after a walk");
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        while let Some(item) = items.next().await.unwrap() {
            all.push(item);
        }
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        cut.output().is_some()
    });
    assert!(polls.await >= 6);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_piece_by_piece() {
    let polls = nothing_is_left(World::unavailable, async |world| {
        let base = BASE.parse()?;
        let call = Call::new(&READ, Target::new("/read"));
        let options = CallOptions::new();
        let mut answer = world.client.stream(&base, call, None, &options).await?;
        assert_eq!(answer.status(), StatusCode::OK);
        while answer.next().await?.is_some() {}
        Ok(())
    });
    assert!(polls.await >= 6);
}
