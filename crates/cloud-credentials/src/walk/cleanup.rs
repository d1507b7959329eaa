//! Clean-up calls of dropped walks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use vouchsafe_core::call::{Call, CallOptions};
use vouchsafe_core::service::Session;
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::Keeper;

/// Sends the clean-up calls of dropped walks, one after the other, as long as a clone of the client
/// lives.
#[derive(Clone, Debug)]
pub(crate) struct Cleanup(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Arc<Queue>,
    keeper: Keeper,
}

#[derive(Debug, Default)]
struct Queue {
    left: Mutex<VecDeque<(Session, Call)>>,
    arrived: Notify,
}

impl Cleanup {
    pub(crate) fn new() -> Self {
        let queue = Arc::new(Queue::default());
        let of_work = Arc::clone(&queue);
        let work = move || Arc::clone(&of_work).work();
        let keeper = Keeper::new("cleaning up after walks", work);
        Self(Arc::new(Inner { queue, keeper }))
    }

    pub(crate) fn add(&self, session: Session, call: Call) {
        let queue = &self.0.queue;
        {
            let mut left = lock(&queue.left);
            if left.len() == MOST {
                // A service that is down must not cost memory; jobs expire by themselves. The first one may
                // be under way.
                let dropped = left.remove(1);
                let operation = dropped.map(|(_, call)| call.operation().id());
                tracing::warn!(
                    operation,
                    "a walk is not cleaned up after, since {MOST} others wait for that"
                );
            }
            left.push_back((session, call));
        }
        queue.arrived.notify_one();
        self.0.keeper.ensure();
    }
}

impl Queue {
    async fn work(self: Arc<Self>) {
        loop {
            let next = lock(&self.left).front().cloned();
            let Some((session, call)) = next else {
                self.arrived.notified().await;
                continue;
            };
            let operation = call.operation().id();
            let options = CallOptions::new().deadline(LIMIT);
            if let Err(error) = session.send(call, &options).await {
                tracing::warn!(operation, %error, "a walk was not cleaned up after");
            }
            // Removed only now, so that it is sent again if this runtime ends in the meantime.
            lock(&self.left).pop_front();
        }
    }
}

const MOST: usize = 1024;
const LIMIT: Duration = Duration::from_secs(10);
