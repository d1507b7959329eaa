//! Waiting for calls: outside of async code, inside of it, and inside of what is waited for.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use vouchsafe_core::auth::{Credentials, Token, TokenSource};
use vouchsafe_core::blocking::{Wait as _, each};
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat, Timeouts};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::task::Task;
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{BoxFuture, CoreClient, Error, ErrorKind, Result};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);

struct Site {
    server: ScriptedServer,
    client: CoreClient,
}

impl Site {
    fn new() -> Self {
        let script = Script::new().read_request().answer("{}").repeat();
        Self {
            server: ScriptedServer::start([script]).wait().unwrap(),
            client: CoreClient::builder().build().unwrap(),
        }
    }

    fn read(&self, token: Option<&dyn TokenSource>) -> Result<()> {
        let base = BaseUrl::parse(&self.server.url())?;
        let call = Call::new(&READ, Target::new("/read"));
        let credentials = token.map(Credentials::bearer);
        let options = CallOptions::new();
        let answer = self.client.send(&base, call, credentials, &options).wait();
        answer.map(drop)
    }
}

#[test]
fn threads_without_a_runtime_share_a_client() {
    let site = Site::new();
    site.read(None).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| site.read(None).unwrap());
    });
    assert_eq!(site.server.requests(), 2);
}

#[test]
fn async_code_of_each_kind_of_runtime_may_wait() {
    let site = Arc::new(Site::new());
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        // It has neither timers nor sockets.
        let runtime = builder.build().unwrap();
        let (inside, spawned) = (Arc::clone(&site), Arc::clone(&site));
        runtime.block_on(async move {
            inside.read(None).unwrap();
            let (done, wait) = oneshot::channel();
            let _task = Task::spawn(async move {
                spawned.read(None).unwrap();
                done.send(()).unwrap();
            });
            wait.await.unwrap();
        });
    }
    assert_eq!(site.server.requests(), 4);
}

/// Runs a test on a thread of its own, so that it fails rather than waits for itself for ever.
fn within_a_minute(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn a_task_that_uses_up_its_turn_may_wait() {
    within_a_minute(a_task_uses_up_its_turn);
}

fn a_task_uses_up_its_turn() {
    // tokio lets a task do so much before it must yield; what is waited for is not part of that.
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..10_000 {
            sender.send(number).unwrap();
        }
        drop(sender);
        let numbers = each(async || Ok::<_, Error>(receiver.recv().await));
        assert_eq!(numbers.count(), 10_000);
    });
}

/// Waits where a source must not await.
#[derive(Debug)]
struct Waiting;

impl TokenSource for Waiting {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let second = async { tokio::time::sleep(Duration::from_millis(1)).await };
        second.wait();
        Box::pin(std::future::ready(Ok(Token::new("token".into()))))
    }
}

#[test]
fn what_is_waited_for_may_wait_too() {
    within_a_minute(what_is_waited_for_waits);
}

fn what_is_waited_for_waits() {
    Site::new().read(Some(&Waiting)).unwrap();

    // A fetch runs in a task on the thread that all others wait for.
    let cache: Cache<u8, u8> = Cache::builder().build();
    let fetch = || async {
        let inner = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            1
        };
        Ok(Fetched::new(inner.wait()))
    };
    assert_eq!(cache.get_or_fetch(&1, fetch).wait().unwrap(), 1);
}

#[test]
fn what_the_blocked_thread_was_fetching_is_fetched_again() {
    within_a_minute(a_blocked_thread_was_fetching);
}

fn a_blocked_thread_was_fetching() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let cache: Cache<u8, u8> = Cache::builder().fetch_again(true).build();
    runtime.block_on(async {
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel();
        let (done, answer) = oneshot::channel();
        let first = cache.clone();
        let _task = Task::spawn(async move {
            let fetch = || async move {
                begun.send(()).unwrap();
                Ok(Fetched::new(may_go_on.await.unwrap()))
            };
            done.send(first.get_or_fetch(&1, fetch).await).unwrap();
        });
        has_begun.await.unwrap();
        let second = cache.get_or_fetch(&1, || async { Ok(Fetched::new(2)) });
        assert_eq!(second.wait().unwrap(), 2);
        // The first caller gets its own.
        go_on.send(1).unwrap();
        assert_eq!(answer.await.unwrap().unwrap(), 1);
        assert_eq!(cache.get(&1), Some(2));
    });
}

#[test]
fn the_time_limits_of_calls_hold() {
    let script = Script::new().read_request().wait_for_close();
    let server = ScriptedServer::start([script]).wait().unwrap();
    let timeouts = Timeouts::default().call(Duration::from_millis(50));
    let client = CoreClient::builder().timeouts(timeouts).build().unwrap();
    let site = Site { server, client };
    let error = site.read(None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
}

#[test]
fn an_error_is_the_last_item_of_a_walk() {
    let mut answers = [Ok(Some(1)), Err("broken"), Ok(Some(2))].into_iter();
    let mut walk = each(async || answers.next().unwrap());
    assert_eq!(walk.next(), Some(Ok(1)));
    assert_eq!(walk.next(), Some(Err("broken")));
    assert_eq!(walk.next(), None);
    let mut walk = each(async || Ok::<Option<u8>, ()>(None));
    assert_eq!((walk.next(), walk.next()), (None, None));
}
