//! Calls without `async`: for scripts, programs without a runtime, and functions that cannot await.
//!
//! [`Wait::wait`] is `await` for code that is not async, and [`each`] iterates over a walk. Both
//! work with every future, so every method of every client has its blocking form, with the same
//! arguments, time limits and errors:
//!
//! ```
//! # #[cfg(all(feature = "client", feature = "mock"))]
//! # fn main() -> vouchsafe_core::Result<()> {
//! # use http::Method;
//! # use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
//! # use vouchsafe_core::mock::script::{Script, ScriptedServer};
//! # use vouchsafe_core::url::{BaseUrl, Target};
//! # use vouchsafe_core::CoreClient;
//! # static GET_USER: Operation =
//! #     Operation::new("users.getUser", Method::GET, "/users/ada").repeat(Repeat::Safe);
//! # let script = Script::new().read_request().answer(r#"{"name": "ada"}"#).repeat();
//! # let server = ScriptedServer::start([script]).wait()?;
//! # let base = BaseUrl::parse(&server.url())?;
//! # let client = CoreClient::builder().build()?;
//! # let call = Call::new(&GET_USER, Target::new("/users/ada"));
//! # let options = CallOptions::new();
//! use vouchsafe_core::blocking::Wait as _;
//!
//! let answer = client.send(&base, call, None, &options).wait()?;
//! # assert_eq!(answer.json::<serde_json::Value>()?["name"], "ada");
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "client", feature = "mock")))]
//! # fn main() {}
//! ```
//!
//! The first wait starts a thread with a runtime, which the whole process shares: it drives
//! connections, timers and background work, and sleeps while there are none. The future itself runs
//! on the thread that waits, so it may borrow, and need not be `Send`.
//!
//! **In async code.** Waiting works there too, and blocks the thread that it is called on. Prefer
//! `await`; where that is impossible, use a client that is only ever waited for. The connections and
//! fetches of a client that is also awaited may belong to the runtime whose thread is blocked. A wait
//! for such a connection ends by its time limit, and so does one for a token. Data that may be read twice
//! are fetched again after two seconds, by the call that waits for them.
//!
//! **After a fork** the child does not have the thread, and a wait for a socket or a timer does not
//! end: fork before the first wait, or start another program.

use std::cell::Cell;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle};

use crate::sync::lock;

/// Waits for a future on the calling thread.
pub trait Wait: Future + Sized {
    /// Runs the future to its end and returns its result. Inside of async code this blocks the
    /// thread; see the [module](self).
    ///
    /// # Panics
    ///
    /// If the future does, and at the first wait if the system has no thread or file descriptor
    /// left.
    fn wait(self) -> Self::Output {
        // Dropped last: the future ends within the runtime.
        let runtime = runtime();
        let _entered = runtime.enter();
        let alarm = Arc::new(Alarm {
            thread: thread::current(),
            has_rung: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&alarm));
        let mut context = Context::from_waker(&waker);
        // Inside of a task, tokio would make this future yield for the task's sake, which cannot
        // proceed before it.
        let mut future = pin!(tokio::task::unconstrained(self));
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => alarm.wait(),
            }
        }
    }
}

impl<F: Future> Wait for F {}

/// Iterates over a walk: calls a method such as `next` until it returns `None` or an error, which is
/// the last item.
///
/// ```
/// # struct Users(u8);
/// # impl Users {
/// #     async fn next(&mut self) -> Result<Option<u8>, std::io::Error> {
/// #         self.0 += 1;
/// #         Ok(Some(self.0).filter(|number| *number < 4))
/// #     }
/// # }
/// # let mut users = Users(0);
/// use vouchsafe_core::blocking::each;
///
/// let mut names = Vec::new();
/// for user in each(async || users.next().await) {
///     names.push(user?);
/// }
/// # assert_eq!(names, [1, 2, 3]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn each<T, E>(
    mut next: impl AsyncFnMut() -> Result<Option<T>, E>,
) -> impl Iterator<Item = Result<T, E>> {
    let mut has_ended = false;
    std::iter::from_fn(move || {
        if has_ended {
            return None;
        }
        let item = next().wait().transpose();
        has_ended = !matches!(item, Some(Ok(_)));
        item
    })
}

/// Wakes the thread that waits.
struct Alarm {
    thread: Thread,
    /// A wait within this one, on the same thread, may take the thread's own mark.
    has_rung: AtomicBool,
}

impl Alarm {
    fn wait(&self) {
        while !self.has_rung.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

thread_local! {
    /// How many runtimes the thread must not wait on: that which it drives, and those whose threads
    /// wait for it.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Returns the runtime for waits on this thread: the process's only one, unless a task of that one
/// waits in turn, which would otherwise wait for itself.
#[expect(clippy::expect_used, reason = "documented")]
fn runtime() -> Handle {
    static STARTED: Mutex<Vec<Handle>> = Mutex::new(Vec::new());
    let depth = DEPTH.get();
    let mut started = lock(&STARTED);
    if let Some(handle) = started.get(depth) {
        return handle.clone();
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime for blocking calls");
    let handle = runtime.handle().clone();
    let drive = move || {
        DEPTH.set(depth + 1);
        runtime.block_on(std::future::pending::<()>());
    };
    let thread = thread::Builder::new().name("vouchsafe-blocking".to_owned());
    thread.spawn(drive).expect("a thread for blocking calls");
    started.push(handle.clone());
    handle
}
