//! What the tests share.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use shuttle::sync::atomic::{AtomicUsize, Ordering};

use crate::Clock;

/// A wall clock that stands still.
#[derive(Debug)]
pub struct Still;

impl Clock for Still {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

/// Lets the other tasks of the runtime run this many times.
pub async fn pause(times: usize) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future this many times, with pauses, and then gives it up.
pub async fn give_up_after<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..times {
        let polled = std::future::poll_fn(|context: &mut Context<'_>| {
            Poll::Ready(Pin::as_mut(&mut future).poll(context))
        });
        if let Poll::Ready(output) = polled.await {
            return Some(output);
        }
        pause(1).await;
    }
    None
}

/// Panics without a message, for panics that are planned.
pub fn fall() -> ! {
    std::panic::resume_unwind(Box::new(Planned))
}

/// What [`fall`] panics with.
pub struct Planned;

/// Counts what exists of something, and how many there were.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<(AtomicUsize, AtomicUsize)>);

impl Counter {
    /// Counts one more, until the returned value is dropped.
    pub fn enter(&self) -> Counted {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        self.0.1.fetch_add(1, Ordering::SeqCst);
        Counted(self.clone())
    }

    /// Like [`enter`](Self::enter), where there must be no other.
    pub fn enter_alone(&self) -> Counted {
        let counted = self.enter();
        assert_eq!(self.present(), 1, "two at the same time");
        counted
    }

    pub fn present(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    pub fn total(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub struct Counted(Counter);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
