//! Looks for commissions that appear late because their answer was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::Keeper;

use super::CommissionId;
use super::busy::Busy;
use super::journal::Journal;
use super::pace::until;
use super::resolver::{close, resolve_in_halves};
use super::search::Search;
use crate::{Client, Result, Serial};

/// When to look after a commission is put under watch. [`reconcile`](super::Issuer::reconcile)
/// handles commissions that arrive after the last time.
const LOOKS: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(2),
    Duration::from_secs(20),
];

/// Rejects late duplicates; dropping it ends that.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
    keeper: Keeper,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    journal: Arc<dyn Journal>,
    search: Arc<Search>,
    watched: Mutex<BTreeMap<CommissionId, Watched>>,
    changed: Notify,
    /// The number of watched commissions that no other task handles.
    orphans: watch::Sender<usize>,
}

#[derive(Debug)]
struct Watched {
    /// The commission that is kept; any other one with this id is a duplicate.
    keep: Option<Serial>,
    /// Set if no other task handles the commission: it is closed after the last look.
    orphan: Option<Orphan>,
    looks: usize,
    due: Instant,
}

/// Dropped in this order: no longer in progress, then no longer counted.
#[derive(Debug)]
struct Orphan(Busy, Counted);

/// Part of a count; dropping it decreases the count.
#[derive(Debug)]
struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Watch {
    pub(super) fn new(client: &Client, journal: Arc<dyn Journal>, search: Arc<Search>) -> Self {
        let shared = Arc::new(Shared {
            client: client.clone(),
            journal,
            search,
            watched: Mutex::default(),
            changed: Notify::new(),
            orphans: watch::Sender::new(0),
        });
        let watching = Arc::clone(&shared);
        let work = move || run(Arc::clone(&watching));
        Self {
            shared,
            keeper: Keeper::new("looking for late commissions", work),
        }
    }

    /// Watches for duplicates of a commission that was issued or adopted.
    pub(super) fn duplicates(&self, id: CommissionId, keep: Serial, runtime: &Handle) {
        self.add(id, Some(keep), None, runtime);
    }

    /// Watches a commission whose outcome is unknown.
    pub(super) fn orphan(&self, busy: Busy, runtime: &Handle) {
        let counted = Counted::new(&self.shared.orphans);
        self.add(busy.id(), None, Some(Orphan(busy, counted)), runtime);
    }

    fn add(
        &self,
        id: CommissionId,
        keep: Option<Serial>,
        orphan: Option<Orphan>,
        runtime: &Handle,
    ) {
        let watched = Watched {
            keep,
            orphan,
            looks: 0,
            due: until(LOOKS[0]),
        };
        lock(&self.shared.watched).insert(id, watched);
        self.shared.changed.notify_one();
        self.keeper.ensure_on(runtime);
    }

    /// Continues in this runtime if the previous one is gone.
    pub(super) fn resume(&self, runtime: &Handle) {
        if !lock(&self.shared.watched).is_empty() {
            self.keeper.ensure_on(runtime);
        }
    }

    /// Returns the number of issued commissions that may still have a late duplicate.
    pub(super) fn count_of_duplicates(&self) -> usize {
        let watched = lock(&self.shared.watched);
        watched
            .values()
            .filter(|entry| entry.orphan.is_none())
            .count()
    }

    /// Waits until the outcome of every watched commission is known, or the worker has been given
    /// up.
    pub(super) async fn no_orphans(&self) {
        if *self.shared.orphans.borrow() > 0 {
            let mut orphans = self.shared.orphans.subscribe();
            // The remaining ones are counted as open.
            let _ = self
                .keeper
                .wait(orphans.wait_for(|&count| count == 0))
                .await;
        }
    }
}

async fn run(shared: Arc<Shared>) {
    loop {
        let due = lock(&shared.watched)
            .values()
            .map(|watched| watched.due)
            .min();
        let changed = shared.changed.notified();
        match due {
            None => changed.await,
            Some(due) => {
                tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => shared.look().await,
                }
            }
        }
    }
}

impl Shared {
    async fn look(&self) {
        let now = Instant::now();
        let due: BTreeMap<CommissionId, Option<Serial>> = lock(&self.watched)
            .iter()
            .filter(|(_, watched)| watched.due <= now)
            .map(|(&id, watched)| (id, watched.keep))
            .collect();
        let rejected = self.reject(&due).await;
        if let Err(error) = &rejected {
            tracing::debug!(%error, "looking for late commissions failed");
        }
        let mut done = Vec::new();
        {
            let mut watched = lock(&self.watched);
            for id in due.keys() {
                let Some(entry) = watched.get_mut(id) else {
                    continue;
                };
                entry.looks += 1;
                match LOOKS.get(entry.looks) {
                    Some(wait) => entry.due = until(*wait),
                    None => done.extend(watched.remove(id)),
                }
            }
        }
        for entry in done {
            let Some(Orphan(busy, _counted)) = entry.orphan else {
                continue;
            };
            match &rejected {
                Ok(left) if !left.contains(&busy.id()) => {
                    close(&*self.journal, busy.id()).await;
                    drop(busy);
                }
                // It is pending, or that is unknown.
                _ => busy.leave(),
            }
        }
    }

    /// Rejects late commissions, and returns those of which the server does not say what became: it
    /// may have refused a part of the call.
    async fn reject(
        &self,
        due: &BTreeMap<CommissionId, Option<Serial>>,
    ) -> Result<BTreeSet<CommissionId>> {
        let pending = self.search.pending().await?;
        let mut late: BTreeMap<Serial, CommissionId> = pending
            .iter()
            .filter(|(serial, id)| due.get(id).is_some_and(|keep| *keep != Some(*serial)))
            .copied()
            .collect();
        if !late.is_empty() {
            let serials: Vec<Serial> = late.keys().copied().collect();
            let resolution = resolve_in_halves(&self.client, &[], &serials).await?;
            let count = resolution.rejected.len();
            tracing::info!(count, "late commissions were rejected");
            late.retain(|serial, _| !resolution.tells_of(*serial));
        }
        Ok(late.into_values().collect())
    }
}
