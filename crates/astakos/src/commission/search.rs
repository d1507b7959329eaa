//! Finding one's own among the pending commissions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use vouchsafe_core::{Error as CoreError, ErrorKind as CoreKind};

use super::CommissionId;
use crate::{Client, ErrorKind, Result, Serial};

/// How many commissions are asked about at once.
const SIDE_BY_SIDE: usize = 16;

/// Reads the names of pending commissions, each once: a name does not change.
#[derive(Debug, Default)]
pub(super) struct Search {
    known: Mutex<BTreeMap<Serial, Option<CommissionId>>>,
}

impl Search {
    /// Returns the pending commissions that an owner issued, with their ids.
    pub(super) async fn pending(
        &self,
        client: &Client,
        owner: &Arc<str>,
    ) -> Result<Vec<(Serial, CommissionId)>> {
        let pending = client.pending_commissions().await?;
        let pending: BTreeSet<Serial> = pending.into_iter().collect();
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|serial, _| pending.contains(serial));
            for &serial in &pending {
                match known.get(&serial) {
                    Some(Some(id)) => found.push((serial, *id)),
                    Some(None) => {}
                    None => unknown.push(serial),
                }
            }
        }
        let mut asking = JoinSet::new();
        let mut left = unknown.into_iter();
        loop {
            while asking.len() < SIDE_BY_SIDE
                && let Some(serial) = left.next()
            {
                let (client, owner) = (client.clone(), Arc::clone(owner));
                asking.spawn(async move { (serial, id_of(&client, serial, &owner).await) });
            }
            let Some(asked) = asking.join_next().await else {
                break;
            };
            // Without its name nobody knows whose it is: as good as no answer.
            let (serial, result) = asked.map_err(|cause| {
                CoreError::new(CoreKind::Transport, "asking for a commission was cut short")
                    .with_source(cause)
            })?;
            let Looked::At(id) = result? else {
                continue;
            };
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(serial, id);
            found.extend(id.map(|id| (serial, id)));
        }
        found.sort();
        Ok(found)
    }
}

enum Looked {
    At(Option<CommissionId>),
    /// It was resolved meanwhile.
    Gone,
}

async fn id_of(client: &Client, serial: Serial, owner: &str) -> Result<Looked> {
    match client.commission(serial).await {
        Ok(commission) => Ok(Looked::At(CommissionId::of_name(&commission.name, owner))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Looked::Gone),
        Err(error) => Err(error),
    }
}
