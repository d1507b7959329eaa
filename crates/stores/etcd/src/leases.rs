//! Leases that the server ends by its own clock.

use std::time::Duration;

use vouchsafe_core::store::{Acquired, Base64, Key, Lease, Leases, Scope, Version};
use vouchsafe_core::{BoxFuture, Result};

use crate::EtcdStore;
use crate::api::{GRANT, LASTING, RANGE, TXN};
use crate::store::{holder, revision, version};
use crate::wire::{
    Compare, Done, Found, Grant, Granted, Lasting, Name, Number, Pair, Put, Range, Request, Txn,
};

impl EtcdStore {
    /// Attaches the key of a holder to a lease of etcd, which removes the key when it ends.
    async fn hold(&self, name: &[u8], only_if: Compare, time: Duration) -> Result<Done> {
        let seconds = i64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        let grant = Grant {
            seconds: Number(seconds.clamp(1, LONGEST)),
        };
        let lasting: Lasting = self.api().ask(&GRANT, &grant).await?;
        let put = Put {
            key: Name(name.to_owned()),
            value: Base64::default(),
            lease: lasting.id,
        };
        let txn = Txn {
            compare: vec![only_if],
            success: vec![Request::Put(put)],
            failure: vec![Request::Range(Range::one(name))],
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

/// The longest lease that etcd grants, in seconds.
const LONGEST: i64 = 9_000_000_000;

impl Leases for EtcdStore {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let name = holder(key);
            let found: Found = self.api().ask(&RANGE, &Range::one(&name)).await?;
            let mut there = found.kvs.into_iter().next();
            loop {
                if let Some(pair) = &there
                    && let Some(remaining) = self.remaining(pair).await?
                {
                    return Ok(Acquired::Held { remaining });
                }
                let done = self.hold(&name, Compare::is_absent(&name), time).await?;
                if done.succeeded {
                    let number = done.header.revision.0;
                    let lease = Lease::new(key.clone(), number.unsigned_abs(), version(number));
                    return Ok(Acquired::Lease(lease));
                }
                there = done.found();
            }
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let name = holder(lease.key());
            let held = is_held(&name, lease.version());
            Ok(self.hold(&name, held, time).await?.succeeded)
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let name = holder(lease.key());
            let txn = Txn {
                compare: vec![is_held(&name, lease.version())],
                success: vec![Request::DeleteRange(Range::one(&name))],
                failure: Vec::new(),
            };
            let done: Done = self.api().ask(&TXN, &txn).await?;
            Ok(done.succeeded)
        })
    }

    fn scope(&self) -> Scope {
        Scope::Network
    }
}

/// The key keeps the revision in which its holder created it, however often it is renewed.
fn is_held(name: &[u8], version: &Version) -> Compare {
    Compare::was_created_at(name, revision(version))
}
