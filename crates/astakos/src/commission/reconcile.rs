//! Brings journal and server into agreement after a crash.

use std::collections::{BTreeMap, BTreeSet};

use super::resolver::{close, resolve_in_halves};
use super::{CommissionId, Issuer};
use crate::{Result, Serial};

/// The result of [`Issuer::reconcile`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Accepted, as had been decided.
    pub accepted: Vec<Serial>,
    /// Rejected, because they had not been decided, were unknown, or were duplicates.
    pub rejected: Vec<Serial>,
    /// No longer pending when they were to be resolved: another caller was faster, or an attempt
    /// with a lost answer did it.
    pub gone: Vec<Serial>,
    /// The number of open journal entries that are not pending: they were never issued, or have
    /// already been resolved.
    pub settled: usize,
    /// The number of this owner's pending commissions in progress, which were left alone.
    pub in_hand: usize,
}

/// The maximum number of commissions resolved in one call.
const CHUNK: usize = 1000;

impl Issuer {
    /// Compares the journal with the commissions pending at the server, and resolves the
    /// differences: those that were decided are accepted, all others of this owner are rejected,
    /// except for those that this issuer is working on. Commissions of others are not touched.
    ///
    /// Call it when a service starts, before it issues commissions, and from time to time. It can
    /// be cancelled at any point and called again.
    ///
    /// # Errors
    ///
    /// If the server or the journal fails; the rest is done next time.
    pub async fn reconcile(&self) -> Result<Reconciliation> {
        let _turn = self.turn_to_reconcile().await;
        self.resume();
        // The order matters: a commission that is recorded and not in progress before the request
        // to the server was either issued before or never will be. One that is not in progress
        // after the request does not change any more, so the journal has its final state.
        let begun: BTreeSet<CommissionId> = self
            .journal()
            .open()
            .await?
            .into_iter()
            .map(|open| open.id)
            .collect();
        let in_hand = self.in_hand().snapshot();
        let old: BTreeSet<CommissionId> = begun.difference(&in_hand).copied().collect();
        let pending = self.search().pending().await?;
        let in_hand = self.in_hand().snapshot();
        let open: BTreeMap<CommissionId, Option<Serial>> = self
            .journal()
            .open()
            .await?
            .into_iter()
            .map(|open| (open.id, open.committing))
            .collect();

        let mut report = Reconciliation::default();
        let (mut accept, mut reject) = (Vec::new(), Vec::new());
        for &(serial, id) in pending.iter() {
            if in_hand.contains(&id) {
                report.in_hand += 1;
            } else if open.get(&id) == Some(&Some(serial)) {
                accept.push(serial);
            } else {
                reject.push(serial);
            }
        }
        for chunk in accept.chunks(CHUNK) {
            let resolution = resolve_in_halves(self.client(), chunk, &[]).await?;
            report.accepted.extend(resolution.accepted);
            report.gone.extend(resolution.earlier);
            report
                .gone
                .extend(resolution.failed.iter().map(|failed| failed.0));
        }
        for chunk in reject.chunks(CHUNK) {
            let resolution = resolve_in_halves(self.client(), &[], chunk).await?;
            report.rejected.extend(resolution.rejected);
            report.gone.extend(resolution.earlier);
            report
                .gone
                .extend(resolution.failed.iter().map(|failed| failed.0));
        }
        let told = [&report.accepted, &report.rejected, &report.gone];
        let told: BTreeSet<Serial> = told.into_iter().flatten().copied().collect();
        let mut serials: BTreeMap<CommissionId, Vec<Serial>> = BTreeMap::new();
        for &(serial, id) in pending.iter() {
            serials.entry(id).or_default().push(serial);
        }
        let mut closed = Vec::new();
        for &id in open.keys().filter(|id| !in_hand.contains(id)) {
            match serials.get(&id) {
                // Commissions missing in the server's answer are tried again next time.
                Some(serials) if serials.iter().all(|serial| told.contains(serial)) => {
                    closed.push(id);
                }
                None if old.contains(&id) => {
                    report.settled += 1;
                    closed.push(id);
                }
                // It may have been issued after the request to the server.
                Some(_) | None => {}
            }
        }
        for id in closed {
            close(self.journal(), id).await;
            self.in_hand().is_done(id);
        }
        Ok(report)
    }
}
