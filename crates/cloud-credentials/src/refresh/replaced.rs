//! Which refresh token replaced which, as far as this process has seen it.

use std::collections::{BTreeSet, VecDeque};

use vouchsafe_core::Secret;

use crate::record::digest;

/// The digests of refresh tokens, and of those that replaced them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Replaced(VecDeque<(String, String)>);

impl Replaced {
    pub(super) fn add(&mut self, before: &Secret, after: &Secret) {
        if before == after {
            return;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((digest(before), digest(after)));
    }

    /// Returns whether one of the two is the other, or took its place, at once or in steps.
    pub(super) fn is_same_login(&self, one: &Secret, other: &Secret) -> bool {
        one == other || self.leads(one, other) || self.leads(other, one)
    }

    fn leads(&self, from: &Secret, to: &Secret) -> bool {
        let mut reached = BTreeSet::from([digest(from)]);
        for (before, after) in &self.0 {
            if reached.contains(before) {
                reached.insert(after.clone());
            }
        }
        reached.contains(&digest(to))
    }
}

/// More than a login that is not saved yet can see in any time for which a store may be away: an access
/// token mostly lasts for an hour.
const MOST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_known_by_any_of_its_refresh_tokens() {
        let mut replaced = Replaced::default();
        let token = |number: usize| Secret::from(format!("rt-{number}"));
        for (before, after) in [(0, 1), (7, 8), (1, 2), (1, 3)] {
            replaced.add(&token(before), &token(after));
        }
        for (one, other, expected) in [
            (0, 0, true),
            (9, 9, true),
            (0, 3, true),
            (2, 0, true),
            (0, 8, false),
            (8, 1, false),
            (9, 0, false),
        ] {
            let found = replaced.is_same_login(&token(one), &token(other));
            assert_eq!(found, expected, "{one} {other}");
        }
        for number in 0..2 * MOST {
            replaced.add(&token(number), &token(number + 1));
        }
        assert_eq!(replaced.0.len(), MOST);
    }
}
