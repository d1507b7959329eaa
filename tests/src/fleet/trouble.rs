//! What can happen to a process in the middle of a refresh.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
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
    /// The saves that were tried since then.
    saves: AtomicU32,
    crashed: Notify,
    /// From the moment on at which it crashes.
    still: Standstill,
    /// Told when the process is suspended; gone when it ends.
    suspended: Mutex<Option<Sender<()>>>,
    resume: Sender<()>,
    resumed: Mutex<Receiver<()>>,
}

impl Trouble {
    pub(super) fn new(
        kind: Kind,
        moment: Moment,
        clock: Arc<ManualClock>,
        suspended: Sender<()>,
    ) -> Self {
        let (resume, resumed) = channel();
        Self {
            kind,
            moment,
            clock,
            has_struck: Arc::default(),
            is_over: Arc::default(),
            saves: AtomicU32::default(),
            crashed: Notify::new(),
            still: Standstill::default(),
            suspended: Mutex::new(Some(suspended)),
            resume,
            resumed: Mutex::new(resumed),
        }
    }

    pub(super) fn has_struck(&self) -> bool {
        self.has_struck.load(Ordering::SeqCst)
    }

    /// Ends what lasts.
    pub(super) fn heal(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Returns how many saves were tried since then.
    pub(super) fn saves(&self) -> u32 {
        self.saves.load(Ordering::SeqCst)
    }

    pub(super) async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// Lets the process go on when it is suspended, or will be.
    pub(super) fn resume(&self) {
        // The receiver is there for as long as this is.
        let _ = self.resume.send(());
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
                let told = lock(&self.suspended).as_ref().map(|told| told.send(()));
                if told.is_some_and(|told| told.is_ok()) {
                    // The only thread of the process: no limit that it set itself is noticed meanwhile.
                    let _ = lock(&self.resumed).recv();
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
                if (moment.step, moment.side) == (Step::Save, Side::Before) {
                    self.saves.fetch_add(1, Ordering::SeqCst);
                }
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
    use std::thread;

    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::*;

    fn at(step: Step) -> Moment {
        let side = Side::Before;
        Moment { step, side }
    }

    fn trouble(kind: Kind) -> (Arc<Trouble>, Receiver<()>) {
        let (told, suspended) = channel();
        let clock = Arc::new(ManualClock::running());
        let trouble = Trouble::new(kind, at(Step::Look), clock, told);
        (Arc::new(trouble), suspended)
    }

    #[tokio::test]
    async fn a_process_that_crashed_takes_no_step() {
        let (trouble, _suspended) = trouble(Kind::Crash);
        trouble.at(at(Step::Acquire)).await.unwrap();
        // Each is polled once.
        for step in [Step::Look, Step::Acquire, Step::Request] {
            let polled = timeout(Duration::ZERO, trouble.at(at(step))).await;
            assert!(polled.is_err(), "{step:?}");
        }
        trouble.crashed().await;
    }

    #[test]
    fn a_process_that_is_suspended_does_nothing_and_its_timers_are_late() {
        let (trouble, suspended) = trouble(Kind::Pause);
        let hook = Arc::clone(&trouble);
        let process = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_time().build();
            runtime.unwrap().block_on(async {
                hook.at(at(Step::Acquire)).await.unwrap();
                // The limit has passed when it goes on, and is not noticed before.
                timeout(Duration::ZERO, hook.at(at(Step::Look))).await
            })
        });
        suspended.recv().unwrap();
        assert!(!process.is_finished());
        trouble.resume();
        process.join().unwrap().unwrap().unwrap();
    }

    #[tokio::test]
    async fn saves_count_once_the_trouble_is_over() {
        let (trouble, _suspended) = trouble(Kind::Down);
        trouble.at(at(Step::Save)).await.unwrap();
        trouble.at(at(Step::Look)).await.unwrap_err();
        trouble.at(at(Step::Save)).await.unwrap_err();
        trouble.heal();
        trouble.at(at(Step::Look)).await.unwrap();
        assert_eq!(trouble.saves(), 0);
        trouble.at(at(Step::Save)).await.unwrap();
        assert_eq!(trouble.saves(), 1);
    }
}
