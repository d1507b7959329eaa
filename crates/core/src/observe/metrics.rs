//! Events as metrics of the facade crate `metrics`. The guide `watch-clients.md` has the table of
//! names; a test compares it with what is recorded here.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use ::metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use http::StatusCode;

use super::{AttemptEvent, BudgetEvent, CacheEvent, CacheOutcome, CallEvent, Observer, RetryEvent};
use crate::sync::ManyReaders;
use crate::{Error, ErrorKind};

/// Records what clients do with the recorder of the crate `metrics`, such as an exporter for
/// Prometheus. One may be the observer of any number of clients.
///
/// Install the recorder first: a series is registered with the one that is installed at its first
/// event, and a series from before is lost.
///
/// Labels are names of services, operations, caches and kinds of outcomes: their number is bounded,
/// and none holds a secret, a user or a host.
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn example() -> vouchsafe_core::Result<()> {
/// use std::sync::Arc;
///
/// use vouchsafe_core::CoreClient;
/// use vouchsafe_core::observe::Metrics;
///
/// let metrics = Arc::new(Metrics::new());
/// let client = CoreClient::builder().observer(metrics).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
pub struct Metrics {
    operations: Known<&'static str, OfOperation>,
    caches: Known<(&'static str, CacheOutcome), Counter>,
}

const CALLS: &str = "vouchsafe_calls_total";
const CALL_DURATION: &str = "vouchsafe_call_duration_seconds";
const ATTEMPTS: &str = "vouchsafe_attempts_total";
const ATTEMPT_DURATION: &str = "vouchsafe_attempt_duration_seconds";
const RETRIES: &str = "vouchsafe_retries_total";
const BUDGET: &str = "vouchsafe_retry_budget_tokens";
const BUDGET_EMPTY: &str = "vouchsafe_retry_budget_empty_total";
const REFUSED_TOKENS: &str = "vouchsafe_refused_tokens_total";
const IN_FLIGHT: &str = "vouchsafe_requests_in_flight";
const OPENED: &str = "vouchsafe_connections_opened_total";
const CLOSED: &str = "vouchsafe_connections_closed_total";
const OPEN: &str = "vouchsafe_connections_open";
const LOOKUPS: &str = "vouchsafe_cache_lookups_total";
const ENTRIES: &str = "vouchsafe_cache_entries";

impl Metrics {
    /// Creates an observer, and describes its metrics to the installed recorder.
    #[must_use]
    pub fn new() -> Self {
        describe();
        Self {
            operations: Known::default(),
            caches: Known::default(),
        }
    }

    fn of(&self, operation: &'static str) -> Arc<OfOperation> {
        self.operations
            .get(operation, || OfOperation::new(operation))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn describe() {
    let calls = "Calls that have ended, by outcome";
    describe_counter!(CALLS, Unit::Count, calls);
    let duration = "How long calls took, including waits and retries";
    describe_histogram!(CALL_DURATION, Unit::Seconds, duration);
    let attempts = "Requests that were answered, failed or ran out of time, by outcome";
    describe_counter!(ATTEMPTS, Unit::Count, attempts);
    let duration = "How long requests took";
    describe_histogram!(ATTEMPT_DURATION, Unit::Seconds, duration);
    let retries = "Requests that were sent again, by what had failed";
    describe_counter!(RETRIES, Unit::Count, retries);
    let left = "Tokens left in the retry budget that changed last";
    describe_gauge!(BUDGET, Unit::Count, left);
    let empty = "Retries that were not made, because the budget was empty";
    describe_counter!(BUDGET_EMPTY, Unit::Count, empty);
    let refused = "Tokens that servers refused, and that their source was asked to replace";
    describe_counter!(REFUSED_TOKENS, Unit::Count, refused);
    let in_flight = "Requests that are being sent, or whose answers are being read";
    describe_gauge!(IN_FLIGHT, Unit::Count, in_flight);
    describe_counter!(OPENED, Unit::Count, "Connections that were made");
    describe_counter!(CLOSED, Unit::Count, "Connections that were closed");
    describe_gauge!(OPEN, Unit::Count, "Connections that are open, idle or not");
    describe_counter!(LOOKUPS, Unit::Count, "Look-ups in caches, by outcome");
    let entries = "Values and errors in caches";
    describe_gauge!(ENTRIES, Unit::Count, entries);
}

/// The series of the usual events of an operation, so that each is looked up once.
struct OfOperation {
    service: &'static str,
    calls: Counter,
    call_duration: Histogram,
    /// Of attempts with a status of 2xx.
    attempts: Counter,
    attempt_duration: Histogram,
    in_flight: Gauge,
}

impl OfOperation {
    fn new(operation: &'static str) -> Self {
        let service = operation.split_once('.').map_or("", |(service, _)| service);
        Self {
            service,
            calls: outcomes(CALLS, service, operation, OK),
            call_duration: histogram!(CALL_DURATION, "service" => service, "operation" => operation),
            attempts: outcomes(ATTEMPTS, service, operation, class(StatusCode::OK)),
            attempt_duration: histogram!(
                ATTEMPT_DURATION, "service" => service, "operation" => operation
            ),
            in_flight: gauge!(IN_FLIGHT, "service" => service),
        }
    }
}

fn outcomes(
    name: &'static str,
    service: &'static str,
    operation: &'static str,
    outcome: &'static str,
) -> Counter {
    counter!(name, "service" => service, "operation" => operation, "outcome" => outcome)
}

/// Values that are made at their first use.
struct Known<K, V>(ManyReaders<HashMap<K, Arc<V>>>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self(ManyReaders::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V> Known<K, V> {
    fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(found) = self.0.read().get(&key) {
            return Arc::clone(found);
        }
        // A recorder is foreign code, which is not called under the lock.
        let made = Arc::new(make());
        Arc::clone(self.0.write().entry(key).or_insert(made))
    }
}

impl Observer for Metrics {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let of = self.of(event.operation);
        match (event.status, event.error) {
            (Some(status), _) if status.is_success() => of.attempts.increment(1),
            (Some(status), _) => {
                outcomes(ATTEMPTS, of.service, event.operation, class(status)).increment(1);
            }
            (None, error) => {
                let outcome = error.map_or(OK, reason);
                outcomes(ATTEMPTS, of.service, event.operation, outcome).increment(1);
            }
        }
        of.attempt_duration.record(event.elapsed);
    }

    fn call(&self, event: &CallEvent<'_>) {
        let of = self.of(event.operation);
        match event.error {
            None => of.calls.increment(1),
            Some(error) => {
                outcomes(CALLS, of.service, event.operation, reason(error)).increment(1);
            }
        }
        of.call_duration.record(event.elapsed);
    }

    fn retry(&self, event: &RetryEvent<'_>) {
        let (service, reason) = (self.of(event.operation).service, reason(event.error));
        counter!(RETRIES, "service" => service, "operation" => event.operation, "reason" => reason)
            .increment(1);
    }

    fn budget(&self, event: &BudgetEvent) {
        let service = self.of(event.operation).service;
        gauge!(BUDGET, "service" => service).set(event.left);
    }

    fn budget_empty(&self, operation: &'static str) {
        let service = self.of(operation).service;
        counter!(BUDGET_EMPTY, "service" => service, "operation" => operation).increment(1);
    }

    fn token_refused(&self, operation: &'static str) {
        let service = self.of(operation).service;
        counter!(REFUSED_TOKENS, "service" => service, "operation" => operation).increment(1);
    }

    fn request_began(&self, operation: &'static str) {
        self.of(operation).in_flight.increment(1);
    }

    fn request_ended(&self, operation: &'static str) {
        self.of(operation).in_flight.decrement(1);
    }

    fn connection_opened(&self) {
        counter!(OPENED).increment(1);
        gauge!(OPEN).increment(1);
    }

    fn connection_closed(&self) {
        counter!(CLOSED).increment(1);
        gauge!(OPEN).decrement(1);
    }

    fn cache_entries(&self, name: &'static str, change: isize) {
        gauge!(ENTRIES, "cache" => name).increment(change as f64);
    }

    fn cache(&self, event: &CacheEvent) {
        let CacheEvent { name, outcome } = *event;
        let lookups = self.caches.get((name, outcome), || {
            let outcome = match outcome {
                CacheOutcome::Hit => "hit",
                CacheOutcome::Miss => "miss",
                CacheOutcome::Joined => "joined",
                CacheOutcome::Refresh => "refresh",
                CacheOutcome::Stale => "stale",
                CacheOutcome::Error => "error",
            };
            counter!(LOOKUPS, "cache" => name, "outcome" => outcome)
        });
        lookups.increment(1);
    }
}

const OK: &str = "ok";

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Config => "config",
        ErrorKind::Connect(_) => "connect",
        ErrorKind::Timeout(_) => "timeout",
        ErrorKind::Transport => "transport",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Credential => "credential",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Invalid => "invalid",
        ErrorKind::Status => "status",
        ErrorKind::Decode => "decode",
        ErrorKind::Store => "store",
    }
}
