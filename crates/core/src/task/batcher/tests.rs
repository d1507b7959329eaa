use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout};

use super::*;

/// The queries that were sent.
type Seen = Arc<Mutex<Vec<Vec<u32>>>>;

/// Answers a key with ten times the key. Zero makes the server refuse the whole query, one and
/// higher odd numbers are unknown, 100 hangs, 200 panics.
fn batcher() -> (Batcher<u32, u32>, Seen) {
    let seen = Seen::default();
    let to_see = Arc::clone(&seen);
    let builder = Batcher::builder("looking up").max_keys(4);
    let batcher = builder
        .split_on(|error: &Error| error.kind() == ErrorKind::Status)
        .build(move |keys: Vec<u32>| {
            lock(&to_see).push(keys.clone());
            async move {
                if keys.contains(&100) {
                    std::future::pending::<()>().await;
                }
                assert!(!keys.contains(&200), "planted");
                if keys.contains(&0) {
                    return Err(Error::new(ErrorKind::Status, "refused"));
                }
                let known = keys.into_iter().filter(|key| key % 2 == 0);
                Ok(known.map(|key| (key, key * 10)).collect())
            }
        });
    (batcher, seen)
}

fn paused() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_moment_are_asked_for_once_and_together() {
    let (batcher, seen) = batcher();
    let (a, b, c) = tokio::join!(batcher.get(4), batcher.get(3), batcher.get(4));
    assert_eq!(
        (a.unwrap(), b.unwrap(), c.unwrap()),
        (Some(40), None, Some(40))
    );
    assert_eq!(*lock(&seen), [[3, 4]]);
    assert_eq!(batcher.get(4).await.unwrap(), Some(40));
    assert_eq!(lock(&seen).len(), 2, "the next moment has its own query");
}

#[tokio::test(start_paused = true)]
async fn more_keys_than_a_query_may_have_are_several_queries() {
    let (batcher, seen) = batcher();
    let mut all: Vec<_> = (1..=9).map(|key| Box::pin(batcher.get(key * 2))).collect();
    for (get, key) in all.iter_mut().zip(1..) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(get.as_mut().poll(&mut context).is_pending(), "{key}");
    }
    for (get, key) in all.into_iter().zip(1..) {
        assert_eq!(get.await.unwrap(), Some(key * 20));
    }
    let sizes: Vec<_> = lock(&seen).iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 4, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_key_fails_alone() {
    let (batcher, _) = batcher();
    let (bad, two, four, six) = tokio::join!(
        batcher.get(0),
        batcher.get(2),
        batcher.get(4),
        batcher.get(6)
    );
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::Status);
    assert_eq!([two, four, six].map(Result::unwrap), [20, 40, 60].map(Some));
}

#[tokio::test(start_paused = true)]
async fn a_query_that_hangs_delays_no_other_and_one_that_panics_fails_alone() {
    let (batcher, _) = batcher();
    let hangs = batcher.get(100);
    let others = async {
        sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        let panics = batcher.get(200).await.unwrap_err();
        assert!(panics.kind() == ErrorKind::Transport && panics.is_retryable());
        assert_eq!(batcher.get(2).await.unwrap(), Some(20));
        assert!(begun.elapsed() < Duration::from_millis(100));
    };
    tokio::select! {
        _ = hangs => panic!("it hangs"),
        () = others => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_affects_no_other_and_its_key_is_not_asked_for() {
    let (batcher, seen) = batcher();
    let mut left = Box::pin(batcher.get(2));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(left.as_mut().poll(&mut context), Poll::Pending));
    drop(left);
    assert_eq!(batcher.get(4).await.unwrap(), Some(40));
    assert_eq!(*lock(&seen), [[4]]);
}

#[test]
fn what_a_runtime_left_undone_is_asked_for_from_the_next() {
    // One runtime that is dropped, and one that exists and is not driven.
    for is_dropped in [true, false] {
        let (batcher, seen) = batcher();
        let batcher = Arc::new(batcher);
        let first = paused();
        let of_first = Arc::clone(&batcher);
        let mut waiting = Box::pin(async move { of_first.get(2).await });
        first.block_on(async {
            let step = timeout(Duration::from_millis(1), &mut waiting);
            assert!(step.await.is_err(), "within the window");
        });
        let mut first = Some(first);
        if is_dropped {
            drop(first.take());
        }
        let second = paused();
        let found =
            second.block_on(async { timeout(Duration::from_secs(60), batcher.get(4)).await });
        assert_eq!(found.unwrap().unwrap(), Some(40));
        let keys: Vec<u32> = lock(&seen).concat();
        assert_eq!(keys, [2, 4], "whoever still waits is served too");
        drop(first);
    }
}

#[test]
fn a_query_that_a_runtime_took_with_it_is_sent_again() {
    for is_dropped in [true, false] {
        let queries = Arc::new(AtomicUsize::new(0));
        let to_count = Arc::clone(&queries);
        let batcher = Arc::new(
            Batcher::builder("hanging once").build(move |keys: Vec<u32>| {
                let is_first = to_count.fetch_add(1, Ordering::SeqCst) == 0;
                async move {
                    if is_first {
                        std::future::pending::<()>().await;
                    }
                    Ok::<_, Error>(keys.into_iter().map(|key| (key, ())).collect())
                }
            }),
        );
        let first = paused();
        let of_first = Arc::clone(&batcher);
        let mut waiting = Box::pin(async move { of_first.get(2).await });
        let hangs = first.block_on(async { timeout(Duration::from_secs(1), &mut waiting).await });
        assert!(hangs.is_err() && queries.load(Ordering::SeqCst) == 1);
        let mut first = Some(first);
        if is_dropped {
            drop(first.take());
        }
        paused().block_on(async {
            let found = timeout(Duration::from_secs(60), batcher.get(4)).await;
            assert_eq!(found.unwrap().unwrap(), Some(()));
            let mut context = Context::from_waker(Waker::noop());
            let first = waiting.as_mut().poll(&mut context);
            assert!(matches!(first, Poll::Ready(Ok(Some(())))), "{first:?}");
        });
        assert_eq!(queries.load(Ordering::SeqCst), 2);
        drop(first);
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_batcher_ends_its_queries() {
    struct Ends(Arc<AtomicUsize>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let ended = Arc::new(AtomicUsize::new(0));
    let to_end = Arc::clone(&ended);
    let batcher: Batcher<u32, u32> = Batcher::builder("hanging").build(move |_| {
        let ends = Ends(Arc::clone(&to_end));
        async move {
            let _ends = ends;
            std::future::pending().await
        }
    });
    let hangs = timeout(Duration::from_secs(1), batcher.get(1)).await;
    assert!(hangs.is_err() && ended.load(Ordering::SeqCst) == 0);
    drop(batcher);
    tokio::task::yield_now().await;
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}
