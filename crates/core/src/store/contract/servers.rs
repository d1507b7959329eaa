//! Tests of stores on a server that is killed, restarted, or does not answer.

use std::time::Duration;

use super::{LIMIT, Place, Suite, TIME, block_on, bytes, held, key, read, text, write};
use crate::store::{Acquired, Expect, Version};
use crate::{ErrorKind, Result};

/// A server that a test has started. Dropping this stops it.
pub trait Server: Send {
    /// Kills the server without warning, and returns when it is dead. What it has reported as
    /// durable is kept.
    fn kill(&mut self);

    /// Starts the server again at the same address with the same data, and returns when it answers.
    fn start(&mut self);

    /// Suspends the server; its connections stay open.
    fn pause(&mut self);

    /// Resumes a suspended server.
    fn resume(&mut self);
}

impl Suite {
    fn run_with_server<F: Future<Output = ()>>(
        &self,
        test: impl FnOnce(Place, Box<dyn Server>) -> F,
    ) {
        let Some(start) = self.start else {
            println!("nothing to do: there is no server");
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        if let Some(server) = start(folder.path()) {
            block_on(test(self.open(folder.path()), server));
        }
    }

    /// After the server was killed, the same client reads what it wrote, and the old version is
    /// still valid. On a server that forgets, nothing is left and the old version is never valid again.
    pub fn a_server_that_restarts_keeps_what_was_written(&self) {
        self.run_with_server(|Place { store, .. }, mut server| async move {
            let mut version = write(&*store, Expect::Absent, "0").await.unwrap();
            let mut watch = store.watch(&key());
            for round in ["1", "2"] {
                server.kill();
                let error = store.load(&key()).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Store);
                assert!(error.is_retryable(), "{error}");
                server.start();
                let there = patiently(async || store.load(&key()).await).await;
                let old = Expect::Version(version);
                if store.capabilities().durable {
                    assert_eq!(Expect::Version(there.unwrap().version), old);
                    version = write(&*store, old, round).await.unwrap();
                } else {
                    assert!(there.is_none(), "the server is durable after all");
                    assert!(write(&*store, old.clone(), "x").await.is_none());
                    version = write(&*store, Expect::Absent, round).await.unwrap();
                    assert!(write(&*store, old, "x").await.is_none());
                }
                if let Some(watch) = &mut watch {
                    let hint = tokio::time::timeout(TIME, watch.changed()).await;
                    assert!(hint.is_ok(), "no hint after a restart");
                }
            }
            assert_eq!(text(&read(&*store).await.unwrap()), "2");
        });
    }

    /// If the server hangs, each caller waits for its deadline and no longer.
    pub fn a_server_that_does_not_answer_ends_no_call_without_an_error(&self) {
        LIMIT.set(Duration::from_secs(4));
        self.run_with_server(|Place { store, .. }, mut server| async move {
            let version = write(&*store, Expect::Absent, "one").await.unwrap();
            server.pause();
            let expect = Expect::Version(version);
            let unknown = Expect::Version(Version::new(b"unknown"));
            let value = bytes("two");
            let (key, namespace) = (key(), key());
            let (loaded, swapped, removed, listed) = tokio::join!(
                store.load(&key),
                store.compare_and_swap(&key, &expect, &value),
                store.remove(&key, &unknown),
                store.list(namespace.namespace()),
            );
            let mut errors = vec![
                loaded.unwrap_err(),
                swapped.unwrap_err(),
                removed.unwrap_err(),
            ];
            // A store that cannot list knows that without the server.
            errors.extend(match listed {
                Ok(None) => None,
                listed => Some(listed.unwrap_err()),
            });
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::Store);
                assert!(error.is_retryable(), "{error}");
            }
            server.resume();
            let there = patiently(async || store.load(&key).await).await.unwrap();
            // The write may have been in progress.
            assert!(["one", "two"].contains(&text(&there)));
        });
    }

    /// Whether or not a lease survives the server, no later holder has a lower number.
    pub fn a_server_that_restarts_never_grants_a_lower_fence(&self) {
        self.run_with_server(|place, mut server| async move {
            let first = held(place.acquire_for(place.short()).await);
            server.kill();
            server.start();
            let again = async || place.leases.acquire(&key(), TIME).await;
            let second = patiently(again).await;
            let second = match second {
                Acquired::Lease(lease) => lease,
                Acquired::Held { .. } => place.acquire_after(place.short()).await,
            };
            assert!(second.fence() > first.fence());
            assert!(!place.leases.release(first).await.unwrap());
            assert!(place.leases.release(second).await.unwrap());
        });
    }
}

/// Repeats a call until the store has recovered. Any other error is a fault.
async fn patiently<T>(call: impl AsyncFn() -> Result<T>) -> T {
    loop {
        match call().await {
            Ok(value) => return value,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
