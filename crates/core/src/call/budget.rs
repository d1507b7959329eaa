//! A bound on the extra load that retries cause during an outage: about a tenth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A bucket of tokens that retries take from and successes refill.
///
/// Starts full, at 100 tokens. A retry costs 10, a retry after the server throttled costs 5, and a
/// success returns one. While the bucket is empty, calls are still tried once. Clones share the
/// bucket, and several clients may share one.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Bucket>);

#[derive(Debug)]
struct Bucket {
    left: AtomicU32,
    capacity: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(100)
    }
}

impl Budget {
    /// Creates a full bucket with this capacity.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        Self(Arc::new(Bucket {
            left: AtomicU32::new(capacity),
            capacity,
        }))
    }

    /// Returns how many tokens are left.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.0.left.load(Ordering::Relaxed)
    }

    /// Takes the cost of a retry; returns how many tokens that leaves, or `None` if there are too
    /// few.
    pub(crate) fn pay(&self, throttled: bool) -> Option<u32> {
        let cost = if throttled { 5 } else { 10 };
        self.update(|left| left.checked_sub(cost))
    }

    /// Returns one token, if there is room for it; returns how many there are then. For a full
    /// bucket, the usual case, this only reads.
    pub(crate) fn refund(&self) -> Option<u32> {
        let capacity = self.0.capacity;
        self.update(|left| (left < capacity).then(|| left + 1))
    }

    fn update(&self, change: impl Fn(u32) -> Option<u32>) -> Option<u32> {
        let relaxed = Ordering::Relaxed;
        let before = self.0.left.fetch_update(relaxed, relaxed, &change).ok()?;
        change(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_retries_empty_it_and_ten_successes_pay_for_one() {
        let budget = Budget::default();
        assert!((0..10).all(|_| budget.pay(false).is_some()));
        assert_eq!(budget.pay(false), None);
        assert_eq!(budget.pay(true), None);
        for left in 1..=10 {
            assert_eq!(budget.refund(), Some(left));
        }
        assert_eq!(budget.pay(false), Some(0));
        assert_eq!(budget.pay(true), None);
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let budget = Budget::new(20);
        assert_eq!(budget.refund(), None);
        assert_eq!(budget.left(), 20);
        assert_eq!(budget.clone().pay(true), Some(15));
        assert_eq!(budget.left(), 15);
    }
}
