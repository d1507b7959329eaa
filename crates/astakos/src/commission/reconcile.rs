//! Bringing journal and server together after a crash.

use std::collections::BTreeMap;

use super::resolver::close;
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
    /// Not pending any more when they were to be resolved: somebody else was faster.
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
        // In this order: what is not in hand after the server was asked will not change any
        // more, and so the journal tells its last state.
        let pending = self.search().pending(self.client(), self.owner()).await?;
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
        for &(serial, id) in &pending {
            if in_hand.contains(&id) {
                report.in_hand += 1;
            } else if open.get(&id) == Some(&Some(serial)) {
                accept.push(serial);
            } else {
                reject.push(serial);
            }
        }
        for chunk in accept.chunks(CHUNK) {
            let resolution = self.client().resolve(chunk, &[]).await?;
            report.accepted.extend(resolution.accepted);
            report
                .gone
                .extend(resolution.failed.iter().map(|failed| failed.0));
        }
        for chunk in reject.chunks(CHUNK) {
            let resolution = self.client().resolve(&[], chunk).await?;
            report.rejected.extend(resolution.rejected);
            report
                .gone
                .extend(resolution.failed.iter().map(|failed| failed.0));
        }
        let told = [&report.accepted, &report.rejected, &report.gone];
        let is_told = |serial| told.iter().any(|list| list.contains(serial));
        let (mut closed, mut settled) = (Vec::new(), 0);
        for &id in open.keys().filter(|id| !in_hand.contains(id)) {
            let mut of_this = pending.iter().filter(|(_, of)| *of == id).peekable();
            settled += usize::from(of_this.peek().is_none());
            // What the server did not answer for is asked about again next time.
            if of_this.all(|(serial, _)| is_told(serial)) {
                closed.push(id);
            }
        }
        report.settled = settled;
        for id in closed {
            close(self.journal(), id).await;
        }
        Ok(report)
    }
}
