//! What can happen to a process in the middle of a refresh.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::store::Disk;
use vouchsafe::core::sync::lock;
use vouchsafe::core::{BoxFuture, Clock as _, Error, ErrorKind, Result, Sent};

use super::steps::{Hook, Moment, Side, Standstill, Step};

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The process ends.
    Crash,
    /// The store fails from then on.
    Down,
    /// Nothing can be written from then on.
    Full,
    /// A step is not done, or its answer is lost.
    Lost,
    /// The process is suspended until its lease is over, and another process takes its turn.
    Pause,
    /// Its clock is put forward by an hour.
    Forward,
    /// Its clock is put back by an hour.
    Back,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Crash,
        Self::Down,
        Self::Full,
        Self::Lost,
        Self::Pause,
        Self::Forward,
        Self::Back,
    ];
}

/// One trouble at one moment, once.
#[derive(Debug)]
pub(super) struct Trouble {
    kind: Kind,
    moment: Moment,
    clock: Arc<ManualClock>,
    has_struck: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    crashed: Notify,
    /// From the moment on at which it crashes, or while it is suspended.
    still: Standstill,
    /// Told when the process is suspended; gone when it ends.
    suspended: Mutex<Option<Sender<()>>>,
}

impl Trouble {
    pub(super) fn new(
        kind: Kind,
        moment: Moment,
        clock: Arc<ManualClock>,
        suspended: Sender<()>,
    ) -> Self {
        Self {
            kind,
            moment,
            clock,
            has_struck: Arc::default(),
            is_over: Arc::default(),
            crashed: Notify::new(),
            still: Standstill::default(),
            suspended: Mutex::new(Some(suspended)),
        }
    }

    pub(super) fn has_struck(&self) -> bool {
        self.has_struck.load(Ordering::SeqCst)
    }

    /// Ends what lasts.
    pub(super) fn heal(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    pub(super) async fn crashed(&self) {
        self.crashed.notified().await;
    }

    pub(super) fn resume(&self) {
        self.still.end();
    }

    /// Says that the process has ended.
    pub(super) fn end(&self) {
        lock(&self.suspended).take();
    }

    /// Returns a disk that is full while this lasts.
    pub(super) fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(FullDisk {
            has_struck: Arc::clone(&self.has_struck),
            is_over: Arc::clone(&self.is_over),
        })
    }

    fn strike(&self, moment: Moment) -> Result<()> {
        match self.kind {
            Kind::Crash => {
                self.still.begin();
                self.crashed.notify_one();
                Ok(())
            }
            Kind::Pause => {
                self.still.begin();
                let told = lock(&self.suspended).as_ref().map(|told| told.send(()));
                if told.is_none_or(|told| told.is_err()) {
                    self.still.end();
                }
                Ok(())
            }
            Kind::Forward => {
                self.clock.advance(HOUR);
                Ok(())
            }
            Kind::Back => {
                self.clock.set(self.clock.now() - HOUR);
                Ok(())
            }
            Kind::Lost => Err(failure(moment)),
            Kind::Down | Kind::Full => self.last(moment),
        }
    }

    /// What a lasting trouble does to a later step.
    fn last(&self, moment: Moment) -> Result<()> {
        match self.kind {
            Kind::Down if moment.step != Step::Request => Err(failure(moment)),
            Kind::Full if (moment.step, moment.side) == (Step::Save, Side::Before) => {
                Err(Error::new(ErrorKind::Store, "no space is left"))
            }
            _ => Ok(()),
        }
    }
}

fn failure(moment: Moment) -> Error {
    let error = match moment.step {
        Step::Request => Error::new(ErrorKind::Transport, "the connection broke"),
        _ => Error::new(ErrorKind::Store, "the store is down"),
    };
    error.with_retryable(true).with_sent(match moment.side {
        Side::Before => Sent::No,
        Side::After => Sent::Maybe,
    })
}

impl Hook for Trouble {
    fn at(&self, moment: Moment) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.is_over.load(Ordering::SeqCst) {
                return Ok(());
            }
            let done = if moment == self.moment && !self.has_struck.swap(true, Ordering::SeqCst) {
                self.strike(moment)
            } else if self.has_struck() {
                self.last(moment)
            } else {
                Ok(())
            };
            self.still.over().await;
            done
        })
    }
}

/// A disk on which half of what is written has room.
#[derive(Debug)]
struct FullDisk {
    has_struck: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
}

impl Disk for FullDisk {
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let mut file = file;
        if self.has_struck.load(Ordering::SeqCst) && !self.is_over.load(Ordering::SeqCst) {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all(bytes)
    }
}

const HOUR: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_process_that_crashed_or_is_suspended_takes_no_step() {
        let at = |step| Moment {
            step,
            side: Side::Before,
        };
        for kind in [Kind::Crash, Kind::Pause] {
            let (told, suspended) = mpsc::channel();
            let clock = Arc::new(ManualClock::running());
            let trouble = Trouble::new(kind, at(Step::Look), clock, told);
            trouble.at(at(Step::Acquire)).await.unwrap();
            // Each is polled once.
            for step in [Step::Look, Step::Acquire, Step::Request] {
                let polled = timeout(Duration::ZERO, trouble.at(at(step))).await;
                assert!(polled.is_err(), "{kind:?} {step:?}");
            }
            match kind {
                Kind::Crash => trouble.crashed().await,
                _ => suspended.try_recv().unwrap(),
            }
            trouble.resume();
            trouble.at(at(Step::Request)).await.unwrap();
        }
    }
}
