//! The generation of the server, as far as known.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::Dialect;

/// The generation that a client assumes.
#[derive(Clone, Debug)]
pub(super) struct Generation(Arc<AtomicU8>);

/// Set if the caller did not set the generation.
const ASSUMED: u8 = 1 << 7;

impl Generation {
    /// The generation that was set, or else the usual one.
    pub(super) fn new(named: Option<Dialect>, usual: Dialect) -> Self {
        let value = named.map_or(usual as u8 | ASSUMED, |dialect| dialect as u8);
        Self(Arc::new(AtomicU8::new(value)))
    }

    pub(super) fn get(&self) -> Dialect {
        Dialect::ALL[usize::from(self.0.load(Ordering::Relaxed) & !ASSUMED)]
    }

    pub(super) fn is_assumed(&self) -> bool {
        self.0.load(Ordering::Relaxed) & ASSUMED != 0
    }

    pub(super) fn learn(&self, dialect: Dialect) {
        self.0.store(dialect as u8, Ordering::Relaxed);
    }
}
