//! A journal in a store, for workers without their own disk.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;
use vouchsafe_core::store::{Expect, Key, Loaded, Store, Swapped, Version};
use vouchsafe_core::sync::lock;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

use super::CommissionId;
use super::journal::{Intent, Journal, Known, OpenCommission, Outcome, check, listed};
use super::lines::{Form, Line, OPEN_BYTES, file_of, replay};

/// A [`Journal`] in a [`Store`]: a database or a server that outlives the machine of the worker.
///
/// One record holds the open commissions: ids and serials, no names. Tasks that write at the same
/// time share one write.
///
/// The journal belongs to the process that opened it last: a worker that was replaced, but still
/// runs or wakes up, can no longer issue or decide anything. The store's compare-and-swap ensures
/// this, not a clock, so a journal can be opened as soon as its worker seems to be gone.
pub struct StoreJournal {
    store: Arc<dyn Store>,
    key: Key,
    /// Distinguishes the records of this journal from those of another.
    opening: CommissionId,
    /// The task that holds it writes for all.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The content of the store, and decisions to reject, which count immediately.
    known: Known,
    version: Version,
    /// The records to write, in order.
    waiting: Vec<Waiting>,
    /// Why writes are refused.
    end: Option<Error>,
}

#[derive(Debug)]
struct Waiting {
    line: Line,
    done: oneshot::Sender<Result<()>>,
}

impl StoreJournal {
    /// Opens a journal, or creates one, and takes it from any process that has it open. The key
    /// must be that of one owner of commissions, such as `Key::new("commissions", "worker-1")`.
    ///
    /// # Errors
    ///
    /// - Of kind [`BadValue`](crate::ErrorKind::BadValue) if records of the store do not survive
    ///   its processes, like those in memory or in Memcached.
    /// - Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if the store fails, or the record is not
    ///   a journal or is damaged. Nothing is changed then, and an operator must decide, since the
    ///   content is lost.
    pub async fn open(store: Arc<dyn Store>, key: Key) -> Result<Self, crate::Error> {
        if !store.capabilities().durable {
            let what = "a journal needs a store whose records survive the end of its processes";
            return Err(Error::new(ErrorKind::Config, what).into());
        }
        let opening = CommissionId::random()?;
        let mut there = store.load(&key).await?;
        loop {
            let (expect, known) = match &there {
                Some(loaded) => (
                    Expect::Version(loaded.version.clone()),
                    read(&key, loaded)?.known,
                ),
                None => (Expect::Absent, Known::new()),
            };
            let record = record_of(opening, &known);
            match store.compare_and_swap(&key, &expect, &record).await? {
                Swapped::Done(version) => {
                    return Ok(Self {
                        store,
                        key,
                        opening,
                        turn: tokio::sync::Mutex::new(()),
                        state: Mutex::new(State {
                            known,
                            version,
                            waiting: Vec::new(),
                            end: None,
                        }),
                    });
                }
                Swapped::Conflict(other) => there = other,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    async fn write(&self, line: Line) -> Result<()> {
        let mut told = {
            let mut state = self.state();
            if let Line::Outcome(id, outcome) = line {
                check(&state.known, id, outcome)?;
                if outcome == Outcome::Rejecting {
                    // Whatever is in the store, this process must not accept it.
                    line.apply(&mut state.known);
                }
            }
            let (done, told) = oneshot::channel();
            state.waiting.push(Waiting { line, done });
            told
        };
        let _turn = self.turn.lock().await;
        if let Ok(result) = told.try_recv() {
            return result;
        }
        self.write_waiting().await;
        told.try_recv().unwrap_or_else(|_| {
            let what = format!("{} was not written", self.name());
            Err(Error::new(ErrorKind::Store, what))
        })
    }

    /// Writes all waiting records. If this is cancelled, the next task writes them.
    async fn write_waiting(&self) {
        let (count, known, mut version, mut results) = {
            let state = self.state();
            let mut known = state.known.clone();
            let mut results = Vec::new();
            for waiting in &state.waiting {
                let result = self.admit(&state, &known, waiting.line);
                if result.is_ok() {
                    waiting.line.apply(&mut known);
                }
                results.push(result);
            }
            (results.len(), known, state.version.clone(), results)
        };
        let written = if results.iter().any(Result::is_ok) {
            self.replace(&known, &mut version).await
        } else {
            Ok(())
        };
        let mut state = self.state();
        state.version = version;
        let waiting: Vec<Waiting> = state.waiting.drain(..count).collect();
        match &written {
            Ok(()) => {
                state.known = known;
                // Others may have decided to reject in the meantime.
                let State { known, waiting, .. } = &mut *state;
                for later in waiting {
                    if let Line::Outcome(_, Outcome::Rejecting) = later.line {
                        later.line.apply(known);
                    }
                }
            }
            Err(error) => {
                for (waiting, result) in waiting.iter().zip(&mut results) {
                    if result.is_ok() {
                        *result = Err(error.clone());
                        // The caller gets an error: the decision was not made.
                        if let Line::Outcome(id, Outcome::Committing(_)) = waiting.line {
                            Line::Outcome(id, Outcome::Rejecting).apply(&mut state.known);
                        }
                    }
                }
            }
        }
        for (waiting, result) in waiting.into_iter().zip(results) {
            // The caller may have given up.
            let _ = waiting.done.send(result);
        }
    }

    /// Refuses records that contradict earlier ones, or leave no room for decisions.
    fn admit(&self, state: &State, known: &Known, line: Line) -> Result<()> {
        if let Some(end) = &state.end {
            return Err(end.clone());
        }
        match line {
            Line::Outcome(id, outcome) => check(known, id, outcome),
            Line::Intent(_) | Line::Synced(_) => {
                let needed = OPEN_BYTES * (2 + known.len() as u64);
                let limit = self.store.capabilities().max_bytes;
                match limit {
                    Some(limit) if needed > limit as u64 => {
                        let (name, count) = (self.name(), known.len());
                        let what = format!(
                            "{name} is full: {count} commissions are open, and a record may have \
                             {limit} bytes"
                        );
                        Err(Error::new(ErrorKind::Store, what).with_retryable(true))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    async fn replace(&self, known: &Known, version: &mut Version) -> Result<()> {
        let record = record_of(self.opening, known);
        loop {
            let expect = Expect::Version(version.clone());
            let there = match self
                .store
                .compare_and_swap(&self.key, &expect, &record)
                .await?
            {
                Swapped::Done(written) => {
                    *version = written;
                    return Ok(());
                }
                Swapped::Conflict(there) => there,
            };
            // It may be an earlier write with a lost answer.
            *version = self.of_this_opening(there.as_ref())?;
        }
    }

    /// Returns the version of a record that this journal wrote, or closes the journal for good.
    fn of_this_opening(&self, there: Option<&Loaded>) -> Result<Version> {
        let why = match there {
            None => "its record was removed",
            Some(loaded) => match read(&self.key, loaded) {
                Ok(found) if found.opening == self.opening => return Ok(loaded.version.clone()),
                _ => "another process has opened it, and owns it now",
            },
        };
        let what = format!("{} is closed: {why}", self.name());
        let error = Error::new(ErrorKind::Store, what);
        self.state().end = Some(error.clone());
        Err(error)
    }

    fn name(&self) -> String {
        name(&self.key)
    }
}

impl Journal for StoreJournal {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.write(Line::Intent(intent.id)))
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.write(Line::Outcome(id, outcome)))
    }

    /// Also reads the store: a worker that lost the journal must not reject its successor's
    /// commissions.
    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        Box::pin(async move {
            let there = self.store.load(&self.key).await?;
            self.of_this_opening(there.as_ref())?;
            Ok(listed(&self.state().known))
        })
    }
}

impl fmt::Debug for StoreJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreJournal")
            .field("store", &self.store)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

fn name(key: &Key) -> String {
    let (namespace, profile) = (key.namespace(), key.profile());
    format!("the journal {namespace}/{profile}")
}

const OPENING: &str = "opened by ";

/// The record: a line that identifies the opener, then the text of a file.
fn record_of(opening: CommissionId, known: &Known) -> SecretBytes {
    let text = format!("{OPENING}{opening}\n{}", file_of(known));
    SecretBytes::from(text.into_bytes())
}

struct Found {
    opening: CommissionId,
    known: Known,
}

fn read(key: &Key, loaded: &Loaded) -> Result<Found> {
    let unusable = |why: &dyn fmt::Display| {
        let what = format!("cannot read {}: {why}", name(key));
        Error::new(ErrorKind::Store, what)
    };
    let foreign = || unusable(&"the record is not a journal of commissions");
    let bytes = loaded.value.expose();
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let (line, text) = bytes.split_at(end.ok_or_else(foreign)? + 1);
    let line = std::str::from_utf8(line).map_err(|_| foreign())?;
    let opening = line.trim_end().strip_prefix(OPENING);
    let opening = opening.and_then(|id| id.parse().ok()).ok_or_else(foreign)?;
    let form = Form::of(text).map_err(|fault| unusable(&fault))?;
    let replayed = replay(text, form).map_err(|fault| unusable(&fault))?;
    // It was written as a whole, which the last line covers.
    let is_whole = replayed.synced.is_some() && replayed.whole == text.len();
    if form != Form::Second || replayed.damaged > 0 || !is_whole {
        return Err(unusable(&"the record is damaged; nothing was changed"));
    }
    let known = replayed.open;
    Ok(Found { opening, known })
}
