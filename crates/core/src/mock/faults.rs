//! The faults of a host, and when they occur.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;

use crate::call::Operation;
use crate::sync::lock;
use crate::transport::Response;
use crate::{Error, ErrorKind, Result};

/// The faults that a host injects. Clones share them.
///
/// If several faults match a request, the one that was added first applies; the others only count
/// the request. At most 1,000 faults with 16 MiB of answers are kept; faults that can no longer
/// apply make room for new ones.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    armed: Vec<Armed>,
    known: Known,
}

/// The operations that a fault may name.
#[derive(Debug, Default)]
enum Known {
    /// No host has registered its operations.
    #[default]
    Unsaid,
    /// These, in the order of the services' tables.
    These(Vec<&'static str>),
    /// A host does not know its operations.
    Any,
}

impl Faults {
    /// Adds a fault. Its counting and its time window begin now.
    ///
    /// # Panics
    ///
    /// If [`try_add`](Self::try_add) returns an error: a test that runs without its fault proves
    /// nothing.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a test that is set up wrongly should stop there"
    )]
    pub fn add(&self, fault: Fault) {
        if let Err(error) = self.try_add(fault) {
            panic!("{}", error.message());
        }
    }

    /// Adds a fault. Its counting and its time window begin now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the fault names an operation that the host's service does not have
    /// (the error names the most similar ones), or if there are too many faults.
    pub fn try_add(&self, fault: Fault) -> Result<()> {
        let wrong = |message| Err(Error::new(ErrorKind::Config, message));
        let mut table = self.table();
        if let Some(why) = fault
            .operation()
            .and_then(|operation| unknown(&table.known, operation))
        {
            return wrong(why);
        }
        let armed = &mut table.armed;
        let is_full = |armed: &[Armed]| {
            let bytes = armed.iter().map(|armed| armed.fault.size()).sum::<usize>();
            armed.len() >= MAX_FAULTS || bytes.saturating_add(fault.size()) > MAX_BYTES
        };
        if is_full(armed) {
            armed.retain(|armed| !armed.is_spent());
        }
        if is_full(armed) {
            let message = "there are too many faults: remove some first";
            return wrong(message.to_owned());
        }
        let rng = fastrand::Rng::with_seed(fault.seed);
        armed.push(Armed {
            fault,
            added: Instant::now(),
            met: 0,
            struck: 0,
            rng,
        });
        Ok(())
    }

    /// Registers a host's operations, which faults may then name. An empty list means that the host
    /// does not know its operations.
    pub(super) fn know(&self, operations: &[&'static Operation]) {
        let known = &mut self.table().known;
        let ids = operations.iter().map(|operation| operation.id());
        match known {
            _ if operations.is_empty() => *known = Known::Any,
            Known::Any => {}
            Known::These(names) => names.extend(ids),
            Known::Unsaid => *known = Known::These(ids.collect()),
        }
    }

    /// Returns a description of each fault, for the management API.
    pub(super) fn told(&self) -> Vec<serde_json::Value> {
        let table = self.table();
        let armed = table.armed.iter();
        armed
            .map(|armed| {
                serde_json::json!({
                    "operation": armed.fault.operation,
                    "does": armed.fault.name(),
                    "met": armed.met,
                    "struck": armed.struck,
                })
            })
            .collect()
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.table().armed.clear();
    }

    /// Returns the number of faults, including those that can no longer apply.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().armed.len()
    }

    /// Returns whether there is no fault.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table().armed.is_empty()
    }

    /// Returns the fault that applies to a request of an operation.
    pub(super) fn strike(&self, operation: Option<&str>) -> Option<Fault> {
        let mut chosen = None;
        for armed in self.table().armed.iter_mut() {
            if armed.meets(operation) && chosen.is_none() {
                armed.struck += 1;
                chosen = Some(armed.fault.clone());
            }
        }
        chosen
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.0)
    }
}

/// Returns why an operation cannot be named, if so.
fn unknown(known: &Known, operation: &str) -> Option<String> {
    let Known::These(known) = known else {
        return None;
    };
    if known.contains(&operation) {
        return None;
    }
    Some(no_such_operation(known, operation))
}

/// Formats the message for an unknown operation, with the most similar known ones.
pub(super) fn no_such_operation(known: &[&str], operation: &str) -> String {
    let near = nearest(known, operation).join(", ");
    format!(
        "there is no operation {}; the nearest are: {near}",
        printable(operation)
    )
}

/// Returns the known names that are most similar to a given one, the best first.
fn nearest<'n>(known: &[&'n str], given: &str) -> Vec<&'n str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let given: String = plain(given).chars().take(MAX_NAME).collect();
    let mut ranked: Vec<_> = known
        .iter()
        .map(|&name| {
            let full = plain(name);
            // Often only the service prefix is missing or wrong.
            let short = full.rsplit('.').next().unwrap_or(&full);
            let asked = given.rsplit('.').next().unwrap_or(&given);
            let likeness =
                strsim::jaro_winkler(&full, &given).max(strsim::jaro_winkler(short, asked));
            (likeness, name)
        })
        .collect();
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    ranked.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Returns a name in a form that may be shown.
fn printable(name: &str) -> String {
    let short: String = name.chars().take(MAX_NAME).collect();
    format!("{short:?}")
}

const MAX_FAULTS: usize = 1_000;
const MAX_BYTES: usize = 16 << 20;
const MAX_NAME: usize = 100;

/// One fault: its conditions, all of which must hold, and its effect.
///
/// A fault with its own answer ([`status`](Self::status), [`body`](Self::body),
/// [`garbage`](Self::garbage), [`huge_body`](Self::huge_body)), and one that says that nothing was
/// done ([`refuse_stream`](Self::refuse_stream), [`go_away`](Self::go_away)), keeps the request from
/// the service. Any other lets the service process the request and damages the answer, like an outage of a
/// server that has already acted.
///
/// ```
/// use std::time::Duration;
/// use vouchsafe_core::mock::{Fault, Faults};
///
/// let faults = Faults::default();
/// // The second request gets 503 and `Retry-After: 2`.
/// faults.add(Fault::on("s.read").nth(2).status(503).retry_after(Duration::from_secs(2)));
/// // The first three listings are cut off within their body.
/// faults.add(Fault::on("s.list").times(3).cut_body());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a fault does nothing until it is added"]
pub struct Fault {
    operation: Option<String>,
    nth: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    seed: u64,
    window: Option<(Duration, Duration)>,
    pub(super) delay: Duration,
    pub(super) date_skew: i64,
    pub(super) harm: Option<Harm>,
    own: Option<Own>,
}

impl Fault {
    /// Creates a fault for the requests of one operation.
    pub fn on(operation: impl Into<String>) -> Self {
        Self {
            operation: Some(operation.into()),
            ..Self::on_any()
        }
    }

    /// Creates a fault for every request, including those to unknown routes.
    pub fn on_any() -> Self {
        Self {
            operation: None,
            nth: None,
            times: None,
            probability: None,
            seed: 0,
            window: None,
            delay: Duration::ZERO,
            date_skew: 0,
            harm: None,
            own: None,
        }
    }

    /// Applies only to the `n`th matching request, counted from 1 since the fault was added.
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = Some(n);
        self
    }

    /// Applies at most `limit` times.
    pub fn times(mut self, limit: u64) -> Self {
        self.times = Some(limit);
        self
    }

    /// Applies with a probability between 0 and 1, drawn from a generator with this seed.
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = Some(probability);
        self.seed = seed;
        self
    }

    /// Applies only between two moments on tokio's clock, relative to when the fault was added. The
    /// end is exclusive.
    pub fn between(mut self, from: Duration, to: Duration) -> Self {
        self.window = Some((from, to));
        self
    }

    /// Answers with a status; an invalid status becomes 500.
    pub fn status(mut self, status: u16) -> Self {
        self.own().status =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self
    }

    /// Answers with a plain text body, and 200 unless a status is set.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let own = self.own();
        own.body = body.into();
        own.headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
        self
    }

    /// Answers with a JSON body, and 200 unless a status is set.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.to_string())
    }

    /// Answers with a header, and 200 unless a status is set.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.own().headers.insert(name, value);
        self
    }

    /// Answers with `Retry-After` in seconds, and 503 unless a status was set before.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        if self.own.is_none() {
            self = self.status(503);
        }
        self.header(RETRY_AFTER, HeaderValue::from(wait.as_secs()))
    }

    /// Answers with bytes that claim to be JSON but are not even UTF-8.
    pub fn garbage(self) -> Self {
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Bytes::from_static(b"{\"\xff\xfe\": [nul"))
    }

    /// Answers with a body of this many bytes, without declaring its length.
    pub fn huge_body(mut self, bytes: u64) -> Self {
        self.own();
        self.harm(Harm::HugeBody(bytes))
    }

    /// Delays the answer; can be combined with any other fault.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends no answer and keeps the connection open.
    pub fn no_answer(self) -> Self {
        self.harm(Harm::NoAnswer)
    }

    /// Resets the connection before the answer's first byte.
    pub fn reset_before_head(self) -> Self {
        self.harm(Harm::ResetBeforeHead)
    }

    /// Resets the connection within the answer's head.
    pub fn reset_in_head(self) -> Self {
        self.harm(Harm::ResetInHead)
    }

    /// Resets the connection between the answer's head and its body.
    pub fn reset_after_head(self) -> Self {
        self.harm(Harm::ResetAfterHead)
    }

    /// Closes the connection in the middle of the answer's body.
    pub fn cut_body(self) -> Self {
        self.harm(Harm::CutBody)
    }

    /// Sends the body of the answer in pieces of `bytes` bytes, with a wait before each.
    pub fn drip(self, bytes: usize, wait: Duration) -> Self {
        self.harm(Harm::Drip {
            bytes: bytes.max(1),
            wait,
        })
    }

    /// Declares a wrong length. If it is shorter than the body, the whole body is sent
    /// nevertheless; if it is longer, the connection closes after the body.
    pub fn wrong_length(self, declared: u64) -> Self {
        self.harm(Harm::WrongLength(declared))
    }

    /// Sends something that is not HTTP.
    pub fn not_http(self) -> Self {
        self.harm(Harm::NotHttp)
    }

    /// Answers as if the connection would be kept open, and then closes it. Does nothing in
    /// process, where there is no connection.
    pub fn close_when_idle(self) -> Self {
        self.harm(Harm::CloseWhenIdle)
    }

    /// Refuses the request's stream without looking at the request (HTTP/2, `REFUSED_STREAM`). Over
    /// HTTP/1.1, which has no streams, the connection is reset.
    pub fn refuse_stream(mut self) -> Self {
        self.own();
        self.harm(Harm::ResetStream(REFUSED_STREAM))
    }

    /// Resets the request's stream with an error code (HTTP/2; RFC 9113, section 7), before the
    /// answer's head. Over HTTP/1.1, which has no streams, the connection is reset.
    pub fn reset_stream(self, code: u32) -> Self {
        self.harm(Harm::ResetStream(code))
    }

    /// Goes away without looking at the request, with an error code (HTTP/2; RFC 9113, sections 6.8
    /// and 7), and closes the connection. Over HTTP/1.1 the connection is closed without an answer.
    pub fn go_away(mut self, code: u32) -> Self {
        self.own();
        self.harm(Harm::GoAway(code))
    }

    /// Sends a `Date` this many seconds ahead of the host's clock, or behind it if negative; can be
    /// combined with any other fault.
    pub fn skewed_date(mut self, seconds: i64) -> Self {
        self.date_skew = seconds;
        self
    }

    /// Returns the operation that the fault applies to; `None` for all.
    pub(super) fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Returns the name of the effect, for the journal.
    pub(super) fn name(&self) -> &'static str {
        match (&self.harm, &self.own) {
            (Some(harm), _) => harm.name(),
            (None, Some(_)) => "answer",
            (None, None) if self.date_skew != 0 => "skewed_date",
            (None, None) => "delay",
        }
    }

    /// Returns whether the fault has conditions but no effect.
    pub(super) fn does_nothing(&self) -> bool {
        let is_late = !self.delay.is_zero() || self.date_skew != 0;
        self.own.is_none() && self.harm.is_none() && !is_late
    }

    /// Returns how many bytes the fault keeps in memory.
    fn size(&self) -> usize {
        let headers = |own: &Own| {
            let headers = own.headers.iter();
            headers
                .map(|(name, value)| name.as_str().len() + value.len())
                .sum::<usize>()
        };
        let own = self.own.as_ref();
        own.map_or(0, |own| own.body.len() + headers(own))
    }

    /// Returns the answer that replaces the service's.
    pub(super) fn own_answer(&self) -> Option<Response> {
        self.own.as_ref().map(|own| {
            let mut response = Response::new(own.status);
            response.headers = own.headers.clone();
            response.body = own.body.clone();
            response
        })
    }

    fn own(&mut self) -> &mut Own {
        self.own.get_or_insert_with(|| Own {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        })
    }

    fn harm(mut self, harm: Harm) -> Self {
        self.harm = Some(harm);
        self
    }
}

/// The effect of a fault on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    NoAnswer,
    ResetBeforeHead,
    ResetInHead,
    ResetAfterHead,
    CutBody,
    Drip { bytes: usize, wait: Duration },
    WrongLength(u64),
    NotHttp,
    HugeBody(u64),
    CloseWhenIdle,
    ResetStream(u32),
    GoAway(u32),
}

impl Harm {
    /// Returns whether the head of the answer is whole, so that nothing is missing from an answer
    /// without a body (RFC 9112, 6.3).
    pub(super) fn is_in_body(self) -> bool {
        match self {
            Self::ResetAfterHead
            | Self::CutBody
            | Self::Drip { .. }
            | Self::WrongLength(_)
            | Self::HugeBody(_) => true,
            Self::NoAnswer
            | Self::ResetBeforeHead
            | Self::ResetInHead
            | Self::NotHttp
            | Self::CloseWhenIdle
            | Self::ResetStream(_)
            | Self::GoAway(_) => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::ResetBeforeHead => "reset_before_head",
            Self::ResetInHead => "reset_in_head",
            Self::ResetAfterHead => "reset_after_head",
            Self::CutBody => "cut_body",
            Self::Drip { .. } => "drip",
            Self::WrongLength(_) => "wrong_length",
            Self::NotHttp => "not_http",
            Self::HugeBody(_) => "huge_body",
            Self::CloseWhenIdle => "close_when_idle",
            Self::ResetStream(REFUSED_STREAM) => "refuse_stream",
            Self::ResetStream(_) => "reset_stream",
            Self::GoAway(_) => "go_away",
        }
    }
}

/// Of RFC 9113, section 7.
const REFUSED_STREAM: u32 = 7;

#[derive(Clone, Debug)]
struct Own {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    added: Instant,
    /// The number of requests of the operation.
    met: u64,
    /// The number of times the fault applied.
    struck: u64,
    rng: fastrand::Rng,
}

impl Armed {
    /// Returns whether the fault can no longer apply.
    fn is_spent(&self) -> bool {
        let fault = &self.fault;
        fault.nth.is_some_and(|n| self.met >= n)
            || fault.times.is_some_and(|limit| self.struck >= limit)
            || fault
                .window
                .is_some_and(|(_, to)| self.added.elapsed() >= to)
    }

    /// Counts a request if it is for the operation, and returns whether the conditions hold.
    fn meets(&mut self, operation: Option<&str>) -> bool {
        let fault = &self.fault;
        if fault.operation.is_some() && fault.operation.as_deref() != operation {
            return false;
        }
        self.met += 1;
        // Drawn for every request, so that other conditions do not shift the sequence.
        let is_drawn = fault.probability.is_none_or(|p| self.rng.f64() < p);
        let passed = self.added.elapsed();
        is_drawn
            && fault.nth.is_none_or(|n| n == self.met)
            && fault.times.is_none_or(|limit| self.struck < limit)
            && fault
                .window
                .is_none_or(|(from, to)| from <= passed && passed < to)
    }
}

#[cfg(test)]
mod tests;
