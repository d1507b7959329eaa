//! Failures that all who use a record in this process share, although they were built separately.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use vouchsafe_core::Secret;
use vouchsafe_core::store::{Key, Store};
use vouchsafe_core::sync::lock;

use crate::{Error, Record};

/// The latest failures to refresh one record. They end with the last that uses it, and nothing runs for
/// them.
pub(super) struct Failures {
    /// Kept, so that its address is that of no other store.
    store: Arc<dyn Store>,
    key: Key,
    recent: Mutex<Vec<Failure>>,
}

struct Failure {
    /// The digest of the server and of what it was sent.
    of: Digest,
    error: Error,
    until: Instant,
}

/// Those of all records that are in use, by the address of the store.
static ALL: Mutex<BTreeMap<(usize, Key), Weak<Failures>>> = Mutex::new(BTreeMap::new());

fn name(store: &Arc<dyn Store>, key: &Key) -> (usize, Key) {
    (Arc::as_ptr(store).addr(), key.clone())
}

impl Failures {
    /// Returns those of a record.
    pub(super) fn of(store: &Arc<dyn Store>, key: &Key) -> Arc<Self> {
        let mut all = lock(&ALL);
        let there = all.entry(name(store, key)).or_default();
        if let Some(there) = there.upgrade() {
            return there;
        }
        let new = Arc::new(Self {
            store: Arc::clone(store),
            key: key.clone(),
            recent: Mutex::default(),
        });
        *there = Arc::downgrade(&new);
        new
    }

    /// Remembers what a server answered. Without an answer, it may be the network, and that of others is
    /// another one.
    pub(super) fn add(&self, server: &str, sent: &Record, error: &Error) {
        let wait = error.retry_after().unwrap_or(KEPT).min(LONGEST_ASKED);
        if error.status().is_none() || wait.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut recent = lock(&self.recent);
        recent.retain(|failure| failure.until > now);
        recent.push(Failure {
            of: of(server, sent),
            error: error.clone(),
            until: now + wait,
        });
    }

    /// Returns the failure of the same request to the same server a moment ago.
    pub(super) fn recent(&self, server: &str, sent: &Record) -> Option<Error> {
        let now = Instant::now();
        let mut recent = lock(&self.recent);
        recent.retain(|failure| failure.until > now);
        if recent.is_empty() {
            return None;
        }
        let of = of(server, sent);
        let found = recent.iter().find(|failure| failure.of == of)?;
        let error = found.error.core().clone();
        let wait = error.retry_after().map(|_| found.until - now);
        Some(error.with_retry_after(wait).into())
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        let mut all = lock(&ALL);
        let name = name(&self.store, &self.key);
        // There may be others by now.
        if all
            .get(&name)
            .is_some_and(|there| there.strong_count() == 0)
        {
            all.remove(&name);
        }
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").finish_non_exhaustive()
    }
}

/// Returns the digest of a request.
fn of(server: &str, sent: &Record) -> Digest {
    let mut hash = Sha256::new();
    for part in [
        Some(server),
        sent.client_id.as_deref(),
        sent.client_secret.as_ref().map(Secret::expose),
        sent.refresh_token.as_ref().map(Secret::expose),
    ] {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hash.update(length.to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.finalize().into()
}

type Digest = [u8; 32];

/// How long a failure is shared if the server does not say.
const KEPT: Duration = Duration::from_secs(1);
/// The longest wait that a server can ask for before the next refresh.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use vouchsafe_core::store::MemoryStore;

    use super::*;

    #[test]
    fn nothing_is_left_of_a_record_that_is_not_in_use_and_others_go_on() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let key = Key::new("n", "p");
        let there = || lock(&ALL).contains_key(&name(&store, &key));
        let first = Failures::of(&store, &key);
        assert!(Arc::ptr_eq(&first, &Failures::of(&store, &key)));
        // As if it were the last one before these.
        drop(Failures {
            store: Arc::clone(&store),
            key: key.clone(),
            recent: Mutex::default(),
        });
        assert!(there());
        drop(first);
        assert!(!there());
    }

    #[test]
    fn debug_shows_no_failure() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let failures = Failures::of(&store, &Key::new("n", "p"));
        assert_eq!(format!("{failures:?}"), "Failures { .. }");
    }
}
