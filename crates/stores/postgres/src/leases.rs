//! Leases that the server ends by its own clock.

use std::time::Duration;

use tokio_postgres::types::Type;
use vouchsafe_core::store::{Acquired, Key, Lease, Leases, Scope, Version};
use vouchsafe_core::{BoxFuture, Result};

use crate::PostgresStore;
use crate::server::Parameter;

/// The first number is the time, so that numbers grow even if the row is removed.
const ACQUIRE: &str = "
INSERT INTO vouchsafe_leases AS there (namespace, profile, owner, fence, until, is_after_lapse)
VALUES ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    clock_timestamp() + $4 * interval '1 millisecond', FALSE)
ON CONFLICT (namespace, profile)
DO UPDATE SET owner = excluded.owner, fence = there.fence + 1, until = excluded.until,
    is_after_lapse = CASE WHEN there.owner = excluded.owner THEN there.is_after_lapse
        ELSE there.until > '-infinity' END
WHERE there.until <= clock_timestamp() OR there.owner = excluded.owner
RETURNING fence, is_after_lapse";
const REMAINING: &str = "
SELECT (extract(epoch FROM until - clock_timestamp()) * 1000)::float8 FROM vouchsafe_leases
WHERE namespace = $1 AND profile = $2 AND until > clock_timestamp()";
const RENEW: &str = "
UPDATE vouchsafe_leases SET until = clock_timestamp() + $4 * interval '1 millisecond'
WHERE namespace = $1 AND profile = $2 AND owner = $3 AND until > clock_timestamp()
RETURNING fence";
/// The row stays, since the next fencing token must be greater. A lease that ends now is one that lapsed,
/// for the next holder.
const RELEASE: &str = "
UPDATE vouchsafe_leases SET until = CASE WHEN $4 THEN clock_timestamp() ELSE '-infinity' END
WHERE namespace = $1 AND profile = $2 AND owner = $3 AND until > clock_timestamp()
RETURNING fence";

/// The server adds it to its clock, which must not overflow.
fn millis(time: Duration) -> f64 {
    const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 100);
    time.min(LONGEST).as_secs_f64() * 1000.0
}

impl PostgresStore {
    /// Changes the lease of its holder, and returns whether it was still the holder.
    async fn change(
        &self,
        what: &str,
        statement: &str,
        lease: &Lease,
        with: Parameter<'_>,
    ) -> Result<bool> {
        let (namespace, profile) = names(lease.key());
        let owner = lease.version().as_bytes();
        let parameters: &[Parameter<'_>] = &[
            (&namespace, Type::BYTEA),
            (&profile, Type::BYTEA),
            (&owner, Type::BYTEA),
            with,
        ];
        let rows = self.server().query(what, statement, parameters).await?;
        Ok(!rows.is_empty())
    }
}

fn names(key: &Key) -> (&[u8], &[u8]) {
    (key.namespace().as_bytes(), key.profile().as_bytes())
}

impl Leases for PostgresStore {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let (namespace, profile) = names(key);
            let claim = self.claims().begin(key);
            let owner = claim.owner().to_vec();
            let time = millis(time);
            let parameters: &[Parameter<'_>] = &[
                (&namespace, Type::BYTEA),
                (&profile, Type::BYTEA),
                (&owner, Type::BYTEA),
                (&time, Type::FLOAT8),
            ];
            loop {
                let rows = self
                    .server()
                    .query("take a lease", ACQUIRE, parameters)
                    .await?;
                let taken = rows.first().and_then(|row| {
                    let fence = row.try_get::<_, i64>(0).ok()?;
                    Some((fence.unsigned_abs(), row.try_get::<_, bool>(1).ok()?))
                });
                if let Some((fence, is_after_lapse)) = taken {
                    claim.answered();
                    let lease = Lease::new(key.clone(), fence, Version::new(&owner));
                    return Ok(Acquired::Lease(lease.after_lapse(is_after_lapse)));
                }
                let rows = self
                    .server()
                    .query("read a lease", REMAINING, &parameters[..2])
                    .await?;
                let left = rows.first().and_then(|row| row.try_get::<_, f64>(0).ok());
                // If the row is missing, the lease has just ended.
                if let Some(left) = left {
                    claim.answered();
                    let remaining = Duration::from_secs_f64(left.max(0.0) / 1000.0);
                    return Ok(Acquired::Held { remaining });
                }
            }
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let with: Parameter<'_> = (&millis(time), Type::FLOAT8);
            self.change("renew a lease", RENEW, lease, with).await
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let with: Parameter<'_> = (&lease.is_after_lapse(), Type::BOOL);
            self.change("release a lease", RELEASE, &lease, with).await
        })
    }

    fn scope(&self) -> Scope {
        Scope::Network
    }

    /// An acquisition has two statements.
    fn limit(&self) -> Duration {
        self.server().link.limit().saturating_mul(2)
    }
}
