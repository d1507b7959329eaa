//! Searches the pending commissions for those of an owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use vouchsafe_core::{Error as CoreError, ErrorKind as CoreKind};

use super::CommissionId;
use super::pace::Pace;
use crate::{Client, ErrorKind, Result, Serial};

/// How many commissions are fetched concurrently.
const SIDE_BY_SIDE: usize = 16;

/// Reads the names of the pending commissions of an owner.
/// All waiting callers share one round, and the interval between rounds grows while they fail.
/// Nothing is remembered between rounds: servers on SQLite reuse the serial of a resolved
/// commission (protocol section 8).
#[derive(Debug)]
pub(super) struct Search {
    client: Client,
    owner: Arc<str>,
    pace: Pace,
    /// How many callers have asked so far.
    arrived: AtomicU64,
    last: Mutex<Round>,
}

/// The result of the last round.
#[derive(Debug, Default)]
struct Round {
    /// How many callers had asked when it started; it serves all of them.
    covers: u64,
    result: Option<Result<Pending>>,
}

/// The pending commissions of an owner.
type Pending = Arc<[(Serial, CommissionId)]>;

impl Search {
    pub(super) fn new(client: &Client, owner: Arc<str>, pace: Pace) -> Self {
        Self {
            client: client.clone(),
            owner,
            pace,
            arrived: AtomicU64::new(0),
            last: Mutex::default(),
        }
    }

    /// Returns the owner's pending commissions and their ids, as listed by the server after this
    /// call.
    pub(super) async fn pending(&self) -> Result<Pending> {
        let arrival = self.arrived.fetch_add(1, Ordering::SeqCst) + 1;
        let mut last = self.last.lock().await;
        if let Some(result) = &last.result
            && last.covers >= arrival
        {
            return result.clone();
        }
        self.pace.ready().await;
        let covers = self.arrived.load(Ordering::SeqCst);
        let result = self.ask().await.map(Arc::from);
        match &result {
            Ok(_) => self.pace.succeeded(),
            Err(error) => self.pace.failed(error.retry_after()),
        }
        *last = Round {
            covers,
            result: Some(result.clone()),
        };
        result
    }

    async fn ask(&self) -> Result<Vec<(Serial, CommissionId)>> {
        let pending = self.client.pending_commissions().await?;
        let mut found = Vec::new();
        let mut asking = JoinSet::new();
        let mut left = pending.into_iter();
        loop {
            while asking.len() < SIDE_BY_SIDE
                && let Some(serial) = left.next()
            {
                let (client, owner) = (self.client.clone(), Arc::clone(&self.owner));
                asking.spawn(async move { (serial, id_of(&client, serial, &owner).await) });
            }
            let Some(asked) = asking.join_next().await else {
                break;
            };
            // Without its name the owner is unknown, so this counts as a failure.
            let (serial, id) = asked.map_err(|cause| {
                CoreError::new(CoreKind::Transport, "asking for a commission was cut short")
                    .with_source(cause)
            })?;
            found.extend(id?.map(|id| (serial, id)));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// Returns the id of a commission, if it is the owner's and still pending.
async fn id_of(client: &Client, serial: Serial, owner: &str) -> Result<Option<CommissionId>> {
    match client.commission(serial).await {
        Ok(commission) => Ok(CommissionId::of_name(&commission.name, owner)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
