//! Whether a runtime is driven, learned from signs of life of a task on it.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::sync::atomic::{AtomicU64, Ordering};

/// A task answers probes, by which others learn whether its runtime is driven.
#[derive(Default)]
pub(crate) struct Pulse {
    /// The number of probes sent; the task answers by copying it.
    asked: AtomicU64,
    answered: AtomicU64,
    probed: Notify,
}

impl Pulse {
    /// Answers probes; the task does it beside its work.
    pub(crate) async fn answer_probes(&self) -> Infallible {
        loop {
            self.probed.notified().await;
            let asked = self.asked.load(Ordering::Acquire);
            self.answered.store(asked, Ordering::Release);
        }
    }

    /// Asks for a sign of life, and returns the number of the probe.
    pub(crate) fn probe(&self) -> u64 {
        let count = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.probed.notify_one();
        count
    }

    /// Returns whether there was a sign of life since a probe.
    pub(crate) fn has_answered(&self, probe: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= probe
    }

    /// Waits until a probe has had no answer for one and a half seconds.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers.
    pub(crate) async fn silence(&self) {
        let (mut probe, mut silent) = (None, 0);
        loop {
            sleep(LOOK_EVERY).await;
            match probe {
                Some(asked) if !self.has_answered(asked) => {
                    silent += 1;
                    if silent == SILENT_LOOKS {
                        return;
                    }
                }
                _ => (probe, silent) = (Some(self.probe()), 0),
            }
        }
    }
}

/// How often a waiting caller checks whether the work is alive.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The number of checks without a sign of life, after the probe, before the work counts as not driven.
pub(super) const SILENT_LOOKS: u32 = 3;
