//! A refresh whose caller gives up, at each of its awaits.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use vouchsafe_core::mock::cancel::{at_each_await, cut};
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, MemoryStore, Store, Swapped};
use vouchsafe_core::{BoxFuture, Result, SecretBytes};

use crate::fleet::{had, sharing};
use crate::login::Begun;
use crate::server::{TokenServer, secret, seed, token};

const TAKES: Duration = Duration::from_millis(10);

/// A store that takes its time, before and after it does something.
#[derive(Debug, Default)]
struct Slow(MemoryStore);

async fn slowly<T>(work: impl Future<Output = T>) -> T {
    tokio::time::sleep(TAKES).await;
    let done = work.await;
    tokio::time::sleep(TAKES).await;
    done
}

impl Store for Slow {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(slowly(self.0.load(key)))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(slowly(self.0.compare_and_swap(key, expect, value)))
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(slowly(self.0.remove(key, expect)))
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_is_given_up_leaves_no_lease_and_no_task_and_loses_no_token() {
    for rotates in [false, true] {
        let before = tasks();
        let polls = at_each_await(async |polls| {
            let server = TokenServer::new(rotates);
            server.server.host().set_latency(TAKES);
            let store: Arc<dyn Store> = Arc::new(Slow::default());
            seed(&*store, "rt-0").await;
            let credentials = sharing(&server, &store);
            let cut = cut(polls, credentials.refresh()).await;
            // Another process needs a token at this moment, and does not wait for a lease to end.
            let started = Instant::now();
            let new = had(&sharing(&server, &store)).await;
            assert!(started.elapsed() < Duration::from_secs(5), "{polls}");
            assert_ne!(new, secret("at-0"));
            assert_eq!(token(&*store, "access_token").await, new);
            // The first one has it as well, and nothing was asked for twice.
            assert_eq!(had(&credentials).await, new);
            assert_eq!((server.requests(), server.refused()), (1, 0), "{polls}");
            credentials.refresh().await.unwrap();
            assert_eq!((server.requests(), server.refused()), (2, 0), "{polls}");
            drop(credentials);
            tokio::time::sleep(Duration::from_secs(120)).await;
            assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
            cut.output().is_some()
        });
        assert!(polls.await >= 2);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_dropped_within_a_refresh_leave_no_lease_and_lose_no_token() {
    for rotates in [false, true] {
        let before = tasks();
        for step in 0..40 {
            let server = TokenServer::new(rotates);
            server.server.host().set_latency(TAKES);
            let store: Arc<dyn Store> = Arc::new(Slow::default());
            seed(&*store, "rt-0").await;
            let credentials = sharing(&server, &store);
            // Two steps for each wait.
            let refresh = tokio::time::timeout(TAKES / 2 * step, credentials.refresh());
            let is_done = refresh.await.is_ok();
            assert!(step > 0 || !is_done);
            drop(credentials);
            let started = Instant::now();
            let new = had(&sharing(&server, &store)).await;
            assert!(started.elapsed() < Duration::from_secs(5), "{step}");
            assert_eq!(token(&*store, "access_token").await, new);
            assert_eq!((server.requests(), server.refused()), (1, 0), "{step}");
            tokio::time::sleep(Duration::from_secs(120)).await;
            assert_eq!(tasks(), before, "{step}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_is_given_up_is_made_once_and_leaves_no_task() {
    let before = tasks();
    let polls = at_each_await(async |polls| {
        let begun = Begun::new().await;
        begun.server.server.host().set_latency(TAKES);
        let store: Arc<dyn Store> = Arc::new(Slow::default());
        let credentials = begun.server.builder().store(Arc::clone(&store));
        let credentials = credentials.build().unwrap();
        let cut = cut(polls, begun.exchange(&credentials).send()).await;
        let answer = begun.exchange(&credentials).send().await.unwrap();
        assert_eq!(begun.exchanges(), 1, "{polls}");
        let saved = token(&*store, "refresh_token").await;
        assert_eq!(Some(saved), answer.refresh_token, "{polls}");
        credentials.refresh().await.unwrap();
        drop(credentials);
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!((tasks(), cut.wakers()), (before, 0), "{polls}");
        cut.output().is_some()
    });
    assert!(polls.await >= 2);
}
