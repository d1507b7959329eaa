//! What an observer learns of a cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use crate::observe::Observer;

/// The observer of a cache, for which the cache is empty when it is dropped.
pub(super) struct Watched {
    pub(super) name: &'static str,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) entries: AtomicIsize,
}

impl Watched {
    pub(super) fn changed(&self, change: isize) {
        self.entries.fetch_add(change, Ordering::Relaxed);
        self.observer.cache_entries(self.name, change);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let entries = *self.entries.get_mut();
        if entries != 0 {
            self.observer.cache_entries(self.name, -entries);
        }
    }
}
