//! Bringing journal and server together after a crash.

use std::collections::{BTreeMap, BTreeSet};

use super::resolver::{close, resolve_in_halves};
use super::{CommissionId, Issuer};
use crate::{Result, Serial};

/// What [`Issuer::reconcile`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Accepted: this had been decided.
    pub accepted: Vec<Serial>,
    /// Rejected: it had not been decided, nobody knew of them any more, or they were one too
    /// many.
    pub rejected: Vec<Serial>,
    /// Not pending any more when they were to be resolved: somebody else was faster, or a try
    /// whose answer was lost.
    pub gone: Vec<Serial>,
    /// How many the journal held open that are not pending: they were never issued, or resolved
    /// already.
    pub settled: usize,
    /// How many of this owner are pending and in hand: they were left alone.
    pub in_hand: usize,
}

/// How many are resolved in one call.
const CHUNK: usize = 1000;

impl Issuer {
    /// Compares the journal with the commissions that are pending at the server, and resolves
    /// both sides: what was decided is accepted, everything else of this owner is rejected,
    /// except for what this issuer has in hand. Commissions of others are not touched.
    ///
    /// Call it when a service starts, before it issues, and from time to time. It can be cut
    /// short at any point and called again.
    ///
    /// # Errors
    ///
    /// If the server or the journal fails; what was not done is done next time.
    pub async fn reconcile(&self) -> Result<Reconciliation> {
        let _turn = self.turn_to_reconcile().await;
        self.resume();
        // In this order: what was written down and is not in hand before the server is asked
        // was issued before or never will be. What is not in hand after it was asked will not
        // change any more, and so the journal tells its last state.
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
                // What the server did not answer for is asked about again next time.
                Some(serials) if serials.iter().all(|serial| told.contains(serial)) => {
                    closed.push(id);
                }
                None if old.contains(&id) => {
                    report.settled += 1;
                    closed.push(id);
                }
                // It may have been issued after the server was asked.
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
