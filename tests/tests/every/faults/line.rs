//! The line between a client and its servers, on which the faults are.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Result};

/// What becomes of one request.
#[derive(Clone)]
pub(super) struct Act {
    network: Arc<dyn Transport>,
    leaves: bool,
}

impl Act {
    pub(super) fn new(network: &Arc<dyn Transport>, leaves: bool) -> Self {
        Self {
            network: Arc::clone(network),
            leaves,
        }
    }
}

/// The acts for some of the requests, in order. The last one is for all further requests.
pub(super) struct Route {
    is_for: Box<dyn Fn(&Request) -> bool + Send + Sync>,
    acts: Mutex<VecDeque<Act>>,
    begun: AtomicUsize,
    left: AtomicUsize,
}

impl Route {
    pub(super) fn new(
        is_for: impl Fn(&Request) -> bool + Send + Sync + 'static,
        acts: impl IntoIterator<Item = Act>,
    ) -> Self {
        Self {
            is_for: Box::new(is_for),
            acts: Mutex::new(acts.into_iter().collect()),
            begun: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
        }
    }

    /// Replaces all acts by one.
    pub(super) fn now(&self, act: Act) {
        *self.acts.lock().unwrap() = [act].into();
    }

    /// Returns how many requests there were.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(SeqCst)
    }

    /// Returns of how many requests a part may have left the machine.
    pub(super) fn left(&self) -> usize {
        self.left.load(SeqCst)
    }

    fn next(&self) -> Act {
        let mut acts = self.acts.lock().unwrap();
        let act = match acts.len() {
            0 | 1 => acts.front().cloned(),
            _ => acts.pop_front(),
        };
        let act = act.unwrap();
        self.begun.fetch_add(1, SeqCst);
        self.left.fetch_add(usize::from(act.leaves), SeqCst);
        act
    }
}

/// A network that takes each request by its first route, or to the emulator.
pub(super) struct Line {
    pub(super) routes: Vec<Route>,
    emulator: Arc<dyn Transport>,
    in_flight: AtomicUsize,
}

impl Line {
    pub(super) fn new(routes: Vec<Route>, emulator: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self {
            routes,
            emulator,
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Returns how many requests are neither answered nor given up.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(SeqCst)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Transport for Line {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let route = self.routes.iter().find(|route| (route.is_for)(&request));
        let act = route.map(Route::next);
        Box::pin(async move {
            let network = act.as_ref().map_or(&self.emulator, |act| &act.network);
            let _flight = Flight::start(&self.in_flight);
            network.send(request).await
        })
    }
}

/// Counts a request until it is answered or dropped.
struct Flight<'a>(&'a AtomicUsize);

impl<'a> Flight<'a> {
    fn start(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
