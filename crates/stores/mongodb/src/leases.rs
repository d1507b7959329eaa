//! Leases that the server ends by its own clock.

use std::time::Duration;

use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::options::ReturnDocument;
use vouchsafe_core::store::{Acquired, Key, Lease, Leases, Scope, Version};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result};

use crate::MongoStore;
use crate::server::{Records, is_duplicate};
use crate::store::{binary, name};

/// The server adds it to its clock, which must not overflow.
fn millis(time: Duration) -> i64 {
    const LONGEST: i64 = 1000 * 60 * 60 * 24 * 365 * 100;
    i64::try_from(time.as_millis()).map_or(LONGEST, |millis| millis.clamp(1, LONGEST))
}

/// Replaces a lease that has ended, was never made, or is of this owner, and leaves another as it is.
/// All times are of the server's clock. The first number is the time, so that numbers grow even if the
/// document is removed.
fn take(owner: &[u8], time: Duration) -> Vec<Document> {
    let first = doc! { "$toLong": ["$$NOW"] };
    let is_own = doc! { "$eq": ["$owner", binary(owner)] };
    let was_released = doc! { "$lte": [{ "$ifNull": ["$until", RELEASED] }, RELEASED] };
    let is_after_lapse = doc! { "$cond": [was_released, false, true] };
    let lease = doc! {
        "_id": "$_id",
        "owner": binary(owner),
        "fence": { "$add": [{ "$ifNull": ["$fence", first] }, 1_i64] },
        "until": { "$add": ["$$NOW", millis(time)] },
        "is_after_lapse": { "$cond": [is_own.clone(), "$is_after_lapse", is_after_lapse] },
    };
    let has_ended = doc! { "$lte": [{ "$ifNull": ["$until", "$$NOW"] }, "$$NOW"] };
    let is_free = doc! { "$cond": [is_own, true, has_ended] };
    vec![doc! { "$replaceWith": { "$cond": [is_free, lease, "$$ROOT"] } }]
}

/// The end of a lease that was released.
const RELEASED: DateTime = DateTime::from_millis(0);

/// The lease of a holder, while it lasts.
fn held(lease: &Lease) -> Document {
    doc! {
        "_id": name(&lease.key().lease()),
        "owner": binary(lease.version().as_bytes()),
        "$expr": { "$gt": ["$until", "$$NOW"] },
    }
}

impl MongoStore {
    async fn change(&self, what: &str, lease: &Lease, change: Vec<Document>) -> Result<bool> {
        let held = held(lease);
        let work = |records: Records| async move { records.update_one(held, change).await };
        let done = self.server().call(what, work).await?;
        Ok(done.matched_count > 0)
    }
}

impl Leases for MongoStore {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let claim = self.claims().begin(key);
            let (what, owner) = ("take a lease", *claim.owner());
            let name = doc! { "_id": name(&key.lease()) };
            let answer = doc! {
                "owner": 1, "fence": 1, "is_after_lapse": 1, "remaining": { "$subtract": ["$until", "$$NOW"] },
            };
            let work = |records: Records| async move {
                loop {
                    let taken = records
                        .find_one_and_update(name.clone(), take(&owner, time))
                        .upsert(true)
                        .return_document(ReturnDocument::After)
                        .projection(answer.clone());
                    match taken.await {
                        // Another holder made it between the look and the insertion.
                        Err(cause) if is_duplicate(&cause) => {}
                        taken => return taken,
                    }
                }
            };
            let there = self.server().call(what, work).await?;
            claim.answered();
            let read = || {
                let there = there?;
                let number = |field| u64::try_from(there.get_i64(field).ok()?.max(0)).ok();
                if there
                    .get_binary_generic("owner")
                    .is_ok_and(|by| *by == owner)
                {
                    let lease = Lease::new(key.clone(), number("fence")?, Version::new(&owner));
                    let is_after_lapse = there.get_bool("is_after_lapse").ok()?;
                    return Some(Acquired::Lease(lease.after_lapse(is_after_lapse)));
                }
                let remaining = Duration::from_millis(number("remaining")?);
                Some(Acquired::Held { remaining })
            };
            read().ok_or_else(|| {
                let place = self.server().link.place();
                let message = format!("cannot {what} at {place}: it is damaged; remove it");
                Error::new(ErrorKind::Store, message)
            })
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        let until = doc! { "$set": { "until": { "$add": ["$$NOW", millis(time)] } } };
        Box::pin(self.change("renew a lease", lease, vec![until]))
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            // The document stays, since the next fencing token must be greater. A lease that ends now is
            // one that lapsed, for the next holder.
            let until = match lease.is_after_lapse() {
                true => Bson::from("$$NOW"),
                false => RELEASED.into(),
            };
            let ended = doc! { "$set": { "until": until } };
            self.change("release a lease", &lease, vec![ended]).await
        })
    }

    fn scope(&self) -> Scope {
        Scope::Network
    }

    fn limit(&self) -> Duration {
        self.server().link.limit()
    }
}
