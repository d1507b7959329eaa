//! Leases that the server ends by its own clock.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vouchsafe_core::store::{Acquired, Base64, Key, Lease, Leases, Scope, Version};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes, deadline};

use crate::EtcdStore;
use crate::api::{GRANT, LASTING, TXN};
use crate::store::{holder, revision, taken, version};
use crate::wire::{
    Compare, Done, Grant, Granted, Lasting, Name, Number, Pair, Put, Range, Request, Txn,
};

/// Who has a lease, and whether it was released.
struct There {
    holder: Option<Pair>,
    taken: Option<Pair>,
}

impl There {
    fn read(found: Done) -> Self {
        let mut found = found.all_found();
        let mut next = || found.next().flatten();
        Self {
            holder: next(),
            taken: next(),
        }
    }
}

fn ranges(key: &Key) -> Vec<Request> {
    let names = [holder(key), taken(key)];
    names.map(|name| Request::Range(Range::one(&name))).into()
}

impl EtcdStore {
    /// Attaches the key of a holder to a lease of etcd, which removes the key when it ends.
    async fn hold(
        &self,
        key: &Key,
        only_if: Vec<Compare>,
        owner: &[u8],
        time: Duration,
    ) -> Result<Done> {
        let seconds = i64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        let grant = Grant {
            seconds: Number(seconds.clamp(1, LONGEST)),
        };
        let lasting: Lasting = self.api().ask(&GRANT, &grant).await?;
        let put = |name, lease| {
            let value = Base64::new(SecretBytes::from(owner.to_vec()));
            let key = Name(name);
            Request::Put(Put { key, value, lease })
        };
        let txn = Txn {
            compare: only_if,
            success: vec![put(holder(key), lasting.id), put(taken(key), Number(0))],
            failure: ranges(key),
        };
        self.api().ask(&TXN, &txn).await
    }

    /// Returns how long the lease of a holder lasts, or `None` if it has just ended.
    async fn remaining(&self, there: &Pair) -> Result<Option<Duration>> {
        let lasting: Lasting = self
            .api()
            .ask(&LASTING, &Granted { id: there.lease })
            .await?;
        Ok(u64::try_from(lasting.seconds.0)
            .ok()
            .map(Duration::from_secs))
    }
}

/// Time for the server to remove the key of a lease that has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest lease that etcd grants, in seconds.
const LONGEST: i64 = 9_000_000_000;

impl Leases for EtcdStore {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let mut claim = self.claims().begin(key);
            let owner = *claim.owner();
            let late = deadline::after(Instant::now(), Leases::limit(self));
            let look = Txn {
                compare: Vec::new(),
                success: ranges(key),
                failure: Vec::new(),
            };
            let mut there = There::read(self.api().ask(&TXN, &look).await?);
            loop {
                let own = there.holder.as_ref().filter(|pair| pair.is(&owner));
                let own = own.map(|own| own.create_revision.0);
                if own.is_none()
                    && let Some(other) = &there.holder
                    && let Some(remaining) = self.remaining(other).await?
                {
                    claim.answered();
                    return Ok(Acquired::Held { remaining });
                }
                let only_if = match (own, &there.taken) {
                    (Some(own), _) => vec![Compare::was_created_at(&holder(key), own)],
                    (None, last) => {
                        if last.as_ref().is_some_and(|last| !last.is(&owner)) {
                            claim.note_lapse();
                        }
                        let last = last.as_ref().map_or(0, |last| last.mod_revision.0);
                        vec![
                            Compare::is_absent(&holder(key)),
                            Compare::is_of_revision(&taken(key), last),
                        ]
                    }
                };
                let done = self.hold(key, only_if, &owner, time).await?;
                if done.succeeded {
                    let number = own.unwrap_or(done.header.revision.0);
                    let lease = Lease::new(key.clone(), number.unsigned_abs(), version(number));
                    let lease = lease.after_lapse(claim.is_after_lapse());
                    claim.answered();
                    return Ok(Acquired::Lease(lease));
                }
                // The key may have a lease that has just ended.
                if Instant::now() >= late {
                    return Err(not_removed(&holder(key)));
                }
                there = There::read(done);
                sleep(PAUSE).await;
            }
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let key = lease.key();
            // No acquisition looks for the owner any more.
            let only_if = vec![is_held(key, lease.version())];
            Ok(self.hold(key, only_if, &[], time).await?.succeeded)
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let key = lease.key();
            // The other one is what the next holder sees a lapse by.
            let names = match lease.is_after_lapse() {
                true => vec![holder(key)],
                false => vec![holder(key), taken(key)],
            };
            let txn = Txn {
                compare: vec![is_held(key, lease.version())],
                success: (names.iter())
                    .map(|name| Request::DeleteRange(Range::one(name)))
                    .collect(),
                failure: Vec::new(),
            };
            let done: Done = self.api().ask(&TXN, &txn).await?;
            Ok(done.succeeded)
        })
    }

    fn scope(&self) -> Scope {
        Scope::Network
    }

    /// An acquisition has three requests.
    fn limit(&self) -> Duration {
        self.api().limit().saturating_mul(3)
    }
}

/// The key keeps the revision in which its holder created it, however often it is renewed.
fn is_held(key: &Key, version: &Version) -> Compare {
    Compare::was_created_at(&holder(key), revision(version))
}

/// The error for a key that is there without a lease that will end.
fn not_removed(name: &[u8]) -> Error {
    let name = String::from_utf8_lossy(name);
    let what = format!(
        "etcd keeps the key {name}, which has no lease or one that has ended; if it stays, remove it"
    );
    Error::new(ErrorKind::Store, what)
}
