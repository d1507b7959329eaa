//! Futures that are dropped at each of their awaits.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use crate::sync::lock;

/// Makes a call again and again, and drops it one await later each time, until it completes.
/// Returns how often it was polled then.
///
/// `trial` makes the call by [`cut`] with the given number of polls, checks what is left of it, and
/// returns whether it completed. What it makes the call with should be new each time, and time be
/// paused, so that the awaits are the same ones.
///
/// ```
/// use std::time::Duration;
///
/// use tokio::time::sleep;
/// use vouchsafe_core::mock::cancel::{at_each_await, cut};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
/// let polls = at_each_await(async |polls| {
///     let call = async {
///         sleep(Duration::from_millis(1)).await;
///         sleep(Duration::from_millis(1)).await;
///     };
///     let cut = cut(polls, call).await;
///     assert_eq!(cut.wakers(), 0);
///     cut.output().is_some()
/// })
/// .await;
/// assert_eq!(polls, 3);
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
///
/// If the call does not complete within 1,000 polls.
pub async fn at_each_await(mut trial: impl AsyncFnMut(usize) -> bool) -> usize {
    for polls in 0..MOST {
        if trial(polls).await {
            return polls;
        }
    }
    unreachable!("the call does not complete within {MOST} polls")
}

const MOST: usize = 1_000;

/// Polls a future each time that it has been woken, at most this often, and drops it.
pub async fn cut<F: Future>(polls: usize, future: F) -> Cut<F::Output> {
    let outer = Arc::new(Outer::default());
    let waker = Waker::from(Arc::clone(&outer));
    let output = {
        let mut future = pin!(future);
        let mut left = polls;
        std::future::poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            *lock(&outer.0) = Some(cx.waker().clone());
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    };
    *lock(&outer.0) = None;
    Cut { output, outer }
}

/// What is left of a future that [`cut`] has dropped.
pub struct Cut<T> {
    output: Option<T>,
    outer: Arc<Outer>,
}

impl<T> Cut<T> {
    /// Returns the output; `None` if the future was dropped before it completed.
    #[must_use]
    pub fn output(&self) -> Option<&T> {
        self.output.as_ref()
    }

    /// Returns how many wakers of the future are still held: by a timer, a channel or a task in which
    /// it waited. None should be, once tasks that it had started have ended.
    #[must_use]
    pub fn wakers(&self) -> usize {
        Arc::strong_count(&self.outer) - 1
    }
}

impl<T> fmt::Debug for Cut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cut")
            .field("completed", &self.output.is_some())
            .field("wakers", &self.wakers())
            .finish()
    }
}

/// Who is woken for the future while it is polled.
#[derive(Default)]
struct Outer(Mutex<Option<Waker>>);

impl Wake for Outer {
    fn wake(self: Arc<Self>) {
        let waker = lock(&self.0).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
