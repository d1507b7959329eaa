//! Connections that were made before they are needed.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};

use super::wire::Stream;
use crate::sync::lock;
use crate::task::Task;

/// At most one connection for each server, for a limited time.
#[derive(Default)]
pub(super) struct Parking(Arc<Mutex<Vec<Parked>>>);

struct Parked {
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    stream: Stream,
    /// Closes the connection when its time is over.
    _end: Task,
}

impl Parked {
    fn is_for(&self, uri: &Uri) -> bool {
        self.scheme.as_ref() == uri.scheme() && self.authority.as_ref() == uri.authority()
    }
}

impl Parking {
    /// Keeps a connection, in place of one that was kept for the same server.
    pub(super) fn put(&self, uri: &Uri, stream: Stream, limit: Duration) {
        let all = Arc::downgrade(&self.0);
        let of = uri.clone();
        let end = Task::spawn(async move {
            tokio::time::sleep(limit).await;
            if let Some(all) = all.upgrade() {
                lock(&all).retain(|parked| !parked.is_for(&of));
            }
        });
        let mut all = lock(&self.0);
        all.retain(|parked| !parked.is_for(uri));
        all.push(Parked {
            scheme: uri.scheme().cloned(),
            authority: uri.authority().cloned(),
            stream,
            _end: end,
        });
    }

    /// Returns the connection that was kept for a server, if it is still good.
    pub(super) async fn take(&self, uri: &Uri) -> Option<Stream> {
        let mut stream = {
            let mut all = lock(&self.0);
            let at = all.iter().position(|parked| parked.is_for(uri))?;
            all.swap_remove(at).stream
        };
        // The runtime looks for news of sockets only between tasks.
        tokio::task::yield_now().await;
        let is_fresh = poll_fn(|cx| Poll::Ready(stream.is_fresh(cx))).await;
        is_fresh.then_some(stream)
    }
}
