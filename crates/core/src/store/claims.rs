//! Acquisitions of leases whose answers never arrived.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use super::record::{Key, unique};
use crate::sync::lock;

/// The acquisitions of leases that were not answered: the caller was cancelled, or the connection
/// broke. The lease may have been taken in spite of that, and would hold up everyone, its taker
/// included, until it ends. So the owner that was written then is kept, and the next acquisition by the
/// same [`Leases`](super::Leases) uses it again and takes what it finds under that name for its own.
///
/// An owner is in the hands of one acquisition at a time, and is given up once a caller has the lease.
#[derive(Debug, Default)]
pub struct Claims {
    unanswered: Mutex<BTreeMap<Key, Vec<Unanswered>>>,
}

/// An acquisition in progress; [`Claims`] remembers it if this is dropped.
#[must_use = "it is remembered as unanswered when it is dropped"]
pub struct Claim<'a> {
    claims: &'a Claims,
    key: &'a Key,
    /// `None` once it was answered.
    kept: Option<Unanswered>,
    owner: Owner,
}

type Owner = [u8; 16];

#[derive(Clone, Copy, Debug)]
struct Unanswered {
    owner: Owner,
    is_after_lapse: bool,
}

impl Claims {
    /// Begins an acquisition, with the owner of one that was not answered if there is any.
    pub fn begin<'a>(&'a self, key: &'a Key) -> Claim<'a> {
        let mut unanswered = lock(&self.unanswered);
        let last = unanswered.get_mut(key).and_then(Vec::pop);
        if unanswered.get(key).is_some_and(Vec::is_empty) {
            unanswered.remove(key);
        }
        let kept = last.unwrap_or_else(|| Unanswered {
            owner: unique(),
            is_after_lapse: false,
        });
        Claim {
            claims: self,
            key,
            kept: Some(kept),
            owner: kept.owner,
        }
    }
}

impl Claim<'_> {
    /// Returns the owner to write: random bytes that no other acquisition has.
    #[must_use]
    pub fn owner(&self) -> &[u8; 16] {
        &self.owner
    }

    /// Notes that the lease that is about to be taken has lapsed. It is remembered for the case that the
    /// answer is lost.
    pub fn note_lapse(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.is_after_lapse = true;
        }
    }

    /// Returns whether a lapse was noted, in this acquisition or an unanswered one before it.
    #[must_use]
    pub fn is_after_lapse(&self) -> bool {
        self.kept.is_some_and(|kept| kept.is_after_lapse)
    }

    /// Ends the acquisition, whose answer has arrived.
    pub fn answered(mut self) {
        self.kept = None;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            let mut unanswered = lock(&self.claims.unanswered);
            unanswered.entry(self.key.clone()).or_default().push(kept);
        }
    }
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("key", self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_used_again_by_one_caller_until_it_is_answered() {
        let (claims, key, other) = (Claims::default(), Key::new("a", "1"), Key::new("a", "2"));
        let mut first = claims.begin(&key);
        let owner = *first.owner();
        assert_eq!(
            format!("{first:?}"),
            format!("Claim {{ key: {key:?}, .. }}")
        );
        first.note_lapse();
        assert_ne!(*claims.begin(&key).owner(), owner, "it is in use");
        drop(first);
        assert_ne!(*claims.begin(&other).owner(), owner);
        let again = claims.begin(&key);
        assert_eq!(*again.owner(), owner);
        assert!(again.is_after_lapse());
        again.answered();
        let last = claims.begin(&key);
        assert_ne!(*last.owner(), owner);
        assert!(!last.is_after_lapse());
    }

    #[test]
    fn acquisitions_one_after_the_other_leave_one_owner() {
        let (claims, key) = (Claims::default(), Key::new("a", "1"));
        for _ in 0..100 {
            drop(claims.begin(&key));
        }
        assert_eq!(lock(&claims.unanswered)[&key].len(), 1);
        claims.begin(&key).answered();
        assert!(lock(&claims.unanswered).is_empty());
    }
}
