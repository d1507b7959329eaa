//! The requests of callers of a running client.

use std::sync::Mutex;

use tokio::sync::{Notify, oneshot};
use vouchsafe_core::sync::lock;

use crate::engine::ids::TvmId;
use crate::error::Error;

#[derive(Debug, Default)]
pub(crate) struct Wishes {
    destinations: Mutex<Vec<Asked>>,
    refreshes: Mutex<Vec<oneshot::Sender<()>>>,
    arrived: Notify,
}

/// Destinations that a caller waits for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ids: Vec<TvmId>,
    pub(crate) answer: oneshot::Sender<Vec<(TvmId, Result<(), Error>)>>,
}

impl Wishes {
    pub(crate) fn add_destinations(&self, asked: Asked) {
        lock(&self.destinations).push(asked);
        self.arrived.notify_one();
    }

    pub(crate) fn add_refresh(&self, done: oneshot::Sender<()>) {
        lock(&self.refreshes).push(done);
        self.arrived.notify_one();
    }

    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(crate) fn take_destinations(&self) -> Vec<Asked> {
        std::mem::take(&mut *lock(&self.destinations))
    }

    pub(crate) fn take_refreshes(&self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut *lock(&self.refreshes))
    }

    /// Drops all requests, so that their callers stop waiting.
    pub(crate) fn forget(&self) {
        drop(self.take_destinations());
        drop(self.take_refreshes());
    }
}
