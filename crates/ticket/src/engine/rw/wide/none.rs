//! In place of `avx512.rs` where there are no vector instructions to use.

use std::convert::Infallible;

/// Never made.
pub(super) struct Wide(Infallible);

impl Wide {
    pub(super) fn new(_: &[u64], _: impl FnMut(&mut [u64], u32)) -> Option<Self> {
        None
    }

    pub(super) fn square(&self, _: &[u64], _: &mut [u64]) -> u64 {
        match self.0 {}
    }
}
