//! Leases that the server ends by its own clock.

use std::time::Duration;

use redis::Value;
use vouchsafe_core::store::{Acquired, Key, Lease, Leases, Scope, Version};
use vouchsafe_core::{BoxFuture, Result};

use crate::RedisStore;
use crate::store::{is_one, name, script};

/// KEYS: holder, last fencing token, whether the lease was taken after a lapse. ARGV: the new holder,
/// milliseconds.
///
/// The third key is there until the lease is released for good. A server that forgets the last number
/// begins with the time.
const ACQUIRE: &str = "
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return {0, redis.call('PTTL', KEYS[1]), 0}
end
if not holder then
  redis.call('SET', KEYS[3], redis.call('EXISTS', KEYS[3]))
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('SET', KEYS[2], redis.call('TIME')[1] .. '000')
end
return {1, redis.call('INCR', KEYS[2]), tonumber(redis.call('GET', KEYS[3]))}";

/// KEYS: holder. ARGV: the expected holder, milliseconds.
const RENEW: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

/// KEYS: holder, whether the lease was taken after a lapse. ARGV: the expected holder, whether the next
/// one is to see a lapse.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[2])
end
return redis.call('DEL', KEYS[1])";

fn holder(key: &Key) -> String {
    format!("{}:holder", name(key))
}

fn taken(key: &Key) -> String {
    format!("{}:taken", name(key))
}

/// The server adds it to its clock, which must not overflow.
fn millis(time: Duration) -> i64 {
    const LONGEST: i64 = 1000 * 60 * 60 * 24 * 365 * 100;
    i64::try_from(time.as_millis()).map_or(LONGEST, |millis| millis.clamp(1, LONGEST))
}

impl Leases for RedisStore {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let claim = self.claims().begin(key);
            let owner = *claim.owner();
            let fence = format!("{}:fence", name(key));
            let mut command = script(ACQUIRE, &[&holder(key), &fence, &taken(key)]);
            command.arg(&owner).arg(millis(time));
            let read = |answer| {
                let Value::Array(parts) = answer else {
                    return None;
                };
                let [Value::Int(is_taken), Value::Int(number), Value::Int(lapse)] = parts[..]
                else {
                    return None;
                };
                let number = u64::try_from(number).unwrap_or_default();
                Some(if is_taken == 1 {
                    let owner = Version::new(&owner);
                    let lease = Lease::new(key.clone(), number, owner);
                    Acquired::Lease(lease.after_lapse(lapse == 1))
                } else {
                    let remaining = Duration::from_millis(number);
                    Acquired::Held { remaining }
                })
            };
            let acquired = self.server().answer("take a lease", command, read).await?;
            claim.answered();
            Ok(acquired)
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let mut command = script(RENEW, &[&holder(lease.key())]);
            command.arg(lease.version().as_bytes()).arg(millis(time));
            self.server().answer("renew a lease", command, is_one).await
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let key = lease.key();
            let mut command = script(RELEASE, &[&holder(key), &taken(key)]);
            let is_after_lapse = u8::from(lease.is_after_lapse());
            command.arg(lease.version().as_bytes()).arg(is_after_lapse);
            self.server()
                .answer("release a lease", command, is_one)
                .await
        })
    }

    fn scope(&self) -> Scope {
        Scope::Network
    }

    fn limit(&self) -> Duration {
        self.server().link.limit()
    }
}
