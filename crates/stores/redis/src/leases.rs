//! Leases that the server ends by its own clock.

use std::time::Duration;

use redis::Value;
use vouchsafe_core::store::{Acquired, Key, Lease, Leases, Scope, Version, unique};
use vouchsafe_core::{BoxFuture, Result};

use crate::RedisStore;
use crate::store::{is_one, name, script};

/// KEYS: holder, last fencing token. ARGV: the new holder, milliseconds.
const ACQUIRE: &str = "
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {1, redis.call('INCR', KEYS[2])}
end
return {0, redis.call('PTTL', KEYS[1])}";

/// KEYS: holder. ARGV: the expected holder, milliseconds.
const RENEW: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

/// KEYS: holder. ARGV: the expected holder.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])";

fn holder(key: &Key) -> String {
    format!("{}:holder", name(key))
}

/// The server adds it to its clock, which must not overflow.
fn millis(time: Duration) -> i64 {
    const LONGEST: i64 = 1000 * 60 * 60 * 24 * 365 * 100;
    i64::try_from(time.as_millis()).map_or(LONGEST, |millis| millis.clamp(1, LONGEST))
}

impl Leases for RedisStore {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let owner = unique();
            let fence = format!("{}:fence", name(key));
            let mut command = script(ACQUIRE, &[&holder(key), &fence]);
            command.arg(&owner).arg(millis(time));
            let read = |answer| {
                let Value::Array(parts) = answer else {
                    return None;
                };
                let [Value::Int(is_taken), Value::Int(number)] = parts[..] else {
                    return None;
                };
                let number = u64::try_from(number).unwrap_or_default();
                Some(if is_taken == 1 {
                    let owner = Version::new(&owner);
                    Acquired::Lease(Lease::new(key.clone(), number, owner))
                } else {
                    let remaining = Duration::from_millis(number);
                    Acquired::Held { remaining }
                })
            };
            self.server().answer("take a lease", command, read).await
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
            let mut command = script(RELEASE, &[&holder(lease.key())]);
            command.arg(lease.version().as_bytes());
            self.server()
                .answer("release a lease", command, is_one)
                .await
        })
    }

    fn scope(&self) -> Scope {
        Scope::Network
    }
}
