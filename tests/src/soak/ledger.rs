//! The ledger of requests: each has a number, by which what its client saw is compared with what the
//! emulator received.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderName, HeaderValue, Uri};
use vouchsafe::core::mock::Journal;
use vouchsafe::core::transport::{HttpTransport, Request, Response, StreamedResponse, Transport};
use vouchsafe::core::{BoxFuture, Result, Sent};

static NUMBER: HeaderName = HeaderName::from_static("x-request-id");

/// The requests to one emulator.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    last: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that are not settled.
    open: HashMap<u64, Entry>,
    sums: Sums,
    /// How far the journal was read.
    read: u64,
    wrong: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    end: Option<End>,
    arrived: bool,
}

/// How a request ended for its client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answered,
    /// With an error that says that it perhaps arrived.
    Lost,
    /// With an error that says that it did not.
    Unsent,
    /// Its caller gave up.
    Dropped,
}

/// How many requests there were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) arrived: u64,
    pub(super) answered: u64,
    pub(super) unsent: u64,
    /// Those that arrived, and those that did not.
    pub(super) lost: [u64; 2],
    pub(super) dropped: [u64; 2],
}

impl Ledger {
    fn begin(self: &Arc<Self>, request: &mut Request) -> Open {
        let number = self.last.fetch_add(1, Relaxed) + 1;
        self.state().open.insert(number, Entry::default());
        let headers = &mut request.headers;
        headers.insert(NUMBER.clone(), HeaderValue::from(number));
        Open {
            ledger: Arc::clone(self),
            number,
            end: End::Dropped,
        }
    }

    /// Compares all requests that have ended with those that arrived. The journal keeps the last ten
    /// thousand: this is to be called before there are as many new ones.
    pub(super) fn settle(&self, journal: &Journal) {
        // What was answered before the journal is read is in it.
        let ended: Vec<u64> = {
            let state = self.state();
            let open = state.open.iter().filter(|(_, entry)| entry.end.is_some());
            open.map(|(number, _)| *number).collect()
        };
        let entries = journal.entries();
        let mut guard = self.state();
        let state = &mut *guard;
        let read = state.read;
        for entry in entries.iter().filter(|entry| entry.number > read) {
            let number = entry.request_id.as_ref().and_then(|id| id.parse().ok());
            let open = number.and_then(|number: u64| state.open.get_mut(&number));
            let why = match open {
                Some(open) if !open.arrived => {
                    open.arrived = true;
                    continue;
                }
                Some(_) => "arrived twice",
                None => "arrived, and no client sent it, or it did not leave",
            };
            state
                .wrong
                .push(format!("request {number:?} {why}: {entry:?}"));
        }
        let newest = entries.last().map_or(0, |entry| entry.number);
        let oldest = entries.first().map_or(0, |entry| entry.number);
        if oldest > state.read + 1 {
            let why = format!("the journal was read too late, at {oldest}");
            state.wrong.push(why);
        }
        state.sums.arrived += newest.saturating_sub(state.read);
        state.read = state.read.max(newest);
        for number in ended {
            let Some(entry) = state.open.get(&number).copied() else {
                continue;
            };
            let sums = &mut state.sums;
            match (entry.end, entry.arrived) {
                (Some(End::Answered), true) => sums.answered += 1,
                (Some(End::Unsent), false) => sums.unsent += 1,
                (Some(End::Lost), true) => sums.lost[0] += 1,
                (Some(End::Dropped), true) => sums.dropped[0] += 1,
                // It may be on its way.
                (Some(End::Lost | End::Dropped) | None, _) => continue,
                (Some(end), arrived) => {
                    let why = format!("request {number}: {end:?}, arrived: {arrived}");
                    state.wrong.push(why);
                }
            }
            state.open.remove(&number);
        }
    }

    /// Returns whether no request is under way.
    pub(super) fn is_over(&self) -> bool {
        let state = self.state();
        state.open.values().all(|entry| entry.end.is_some())
    }

    /// Returns the sums after everything has ended, and what was wrong.
    pub(super) fn close(&self, journal: &Journal) -> (Sums, Vec<String>) {
        self.settle(journal);
        let mut guard = self.state();
        let state = &mut *guard;
        let open = std::mem::take(&mut state.open);
        for (number, entry) in open {
            match entry.end {
                Some(End::Lost) => state.sums.lost[1] += 1,
                Some(End::Dropped) => state.sums.dropped[1] += 1,
                end => {
                    let why = format!("request {number}: {end:?}, and neither settled nor lost");
                    state.wrong.push(why);
                }
            }
        }
        (state.sums, std::mem::take(&mut state.wrong))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
struct Open {
    ledger: Arc<Ledger>,
    number: u64,
    end: End,
}

impl Open {
    fn ended<T>(mut self, result: Result<T>) -> Result<T> {
        self.end = match &result {
            Ok(_) => End::Answered,
            Err(error) if error.sent() == Sent::No => End::Unsent,
            Err(_) => End::Lost,
        };
        result
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(entry) = self.ledger.state().open.get_mut(&self.number) {
            entry.end = Some(self.end);
        }
    }
}

/// Sockets whose requests are in a ledger.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) network: HttpTransport,
    pub(super) ledger: Arc<Ledger>,
}

impl Transport for Counted {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Response>> {
        let open = self.ledger.begin(&mut request);
        let sent = self.network.send(request);
        Box::pin(async move { open.ended(sent.await) })
    }

    fn stream(&self, mut request: Request) -> BoxFuture<'_, Result<StreamedResponse>> {
        let open = self.ledger.begin(&mut request);
        let sent = self.network.stream(request);
        Box::pin(async move { open.ended(sent.await) })
    }

    fn warm_up(&self, uri: &Uri) -> BoxFuture<'_, Result<()>> {
        self.network.warm_up(uri)
    }
}
