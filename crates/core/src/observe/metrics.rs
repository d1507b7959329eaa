//! Events as metrics of the facade crate `metrics`. The guide `watch-clients.md` has the table of
//! names; a test compares it with what is recorded here.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::metrics::{
    Counter, Key, Label, Metadata, Unit, counter, describe_counter, describe_gauge,
    describe_histogram, gauge, histogram, with_recorder,
};
use foldhash::fast::RandomState;
use http::StatusCode;

use super::{
    AttemptEvent, BudgetEvent, CacheEvent, CacheOutcome, CallEvent, Observer, RetryEvent,
    TokenEvent,
};
use crate::sync::ManyReaders;
use crate::{Error, ErrorKind};

/// Records what clients do with the recorder of the crate `metrics`, such as an exporter for
/// Prometheus. One may be the observer of any number of clients; two would overwrite each other's
/// gauges.
///
/// Install the recorder first: events from before are lost. Counters of look-ups in caches stay with
/// the recorder that is installed at their first event. If an exporter drops counters that are idle,
/// later look-ups in that cache are lost; all other series appear again with their next event.
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
    /// Keys of series, by their names, operations and last labels: making one takes longer than all
    /// else here.
    keys: Known<(&'static str, &'static str, &'static str), Key>,
    in_flight: Known<&'static str, Level>,
    connections: Level,
    idle: Level,
    entries: Known<&'static str, Level>,
    /// The only event that may have no request or fetch beside it, to which looking up a series is
    /// nothing, is a hit of a cache.
    lookups: Known<(&'static str, CacheOutcome), Counter>,
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
const IDLE: &str = "vouchsafe_connections_idle";
const RENEWALS: &str = "vouchsafe_token_renewals_total";
const RENEWAL_DURATION: &str = "vouchsafe_token_renewal_duration_seconds";
const LOOKUPS: &str = "vouchsafe_cache_lookups_total";
const ENTRIES: &str = "vouchsafe_cache_entries";

impl Metrics {
    /// Creates an observer, and describes its metrics to the installed recorder.
    #[must_use]
    pub fn new() -> Self {
        describe();
        Self {
            keys: Known::default(),
            in_flight: Known::default(),
            connections: Level::of(Key::from_static_name(OPEN)),
            idle: Level::of(Key::from_static_name(IDLE)),
            entries: Known::default(),
            lookups: Known::default(),
        }
    }

    fn change_in_flight(&self, operation: &'static str, change: i64) {
        let service = service_of(operation);
        let level = self.in_flight.get(service, || {
            Level::of(Key::from_parts(IN_FLIGHT, vec![label("service", service)]))
        });
        level.change(change);
    }

    /// Returns the key of a series of an operation, which may have one more label.
    fn key(
        &self,
        name: &'static str,
        operation: &'static str,
        last: Option<(&'static str, &'static str)>,
    ) -> Arc<Key> {
        let value = last.map_or("", |(_, value)| value);
        self.keys.get((name, operation, value), || {
            let service = label("service", service_of(operation));
            let mut labels = vec![service, label("operation", operation)];
            labels.extend(last.map(|(name, value)| label(name, value)));
            Key::from_parts(name, labels)
        })
    }

    fn count(&self, name: &'static str, operation: &'static str, outcome: &'static str) {
        let key = self.key(name, operation, Some(("outcome", outcome)));
        with_recorder(|recorder| recorder.register_counter(&key, &METADATA)).increment(1);
    }

    fn time(&self, name: &'static str, operation: &'static str, elapsed: Duration) {
        let key = self.key(name, operation, None);
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)).record(elapsed);
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
    let retries = "Requests that were about to be sent again, by what had failed";
    describe_counter!(RETRIES, Unit::Count, retries);
    let left = "About how many tokens are left in the retry budget that changed last";
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
    describe_gauge!(
        IDLE,
        Unit::Count,
        "Connections that are open and carry no request"
    );
    let renewals = "Attempts of sources to get a token, the first or another, by outcome";
    describe_counter!(RENEWALS, Unit::Count, renewals);
    let duration = "How long sources took to get a token, or to fail";
    describe_histogram!(RENEWAL_DURATION, Unit::Seconds, duration);
    describe_counter!(LOOKUPS, Unit::Count, "Look-ups in caches, by outcome");
    let entries = "Values and errors in caches";
    describe_gauge!(ENTRIES, Unit::Count, entries);
}

fn service_of(operation: &'static str) -> &'static str {
    operation.split_once('.').map_or("", |(service, _)| service)
}

fn label(name: &'static str, value: &'static str) -> Label {
    Label::from_static_parts(name, value)
}

/// A level that is kept here, since increments of a gauge are lost with its series.
struct Level {
    value: AtomicI64,
    gauge: Key,
}

impl Level {
    fn of(gauge: Key) -> Self {
        Self {
            value: AtomicI64::new(0),
            gauge,
        }
    }

    fn change(&self, by: i64) {
        self.value.fetch_add(by, Ordering::SeqCst);
        let gauge = with_recorder(|recorder| recorder.register_gauge(&self.gauge, &METADATA));
        // Until no other thread has changed it meanwhile, which may have set the gauge before.
        loop {
            let level = self.value.load(Ordering::SeqCst);
            gauge.set(level as f64);
            if self.value.load(Ordering::SeqCst) == level {
                return;
            }
        }
    }
}

/// Where recorders are told that series come from, as the macros of the crate do.
static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), ::metrics::Level::INFO, Some(module_path!()));

/// Values that are made at their first use.
struct Known<K, V>(ManyReaders<HashMap<K, Arc<V>, RandomState>>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self(ManyReaders::default())
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
        let outcome = match event.status {
            Some(status) => class(status),
            None => event.error.map_or(OK, reason),
        };
        self.count(ATTEMPTS, event.operation, outcome);
        self.time(ATTEMPT_DURATION, event.operation, event.elapsed);
    }

    fn call(&self, event: &CallEvent<'_>) {
        self.count(CALLS, event.operation, event.error.map_or(OK, reason));
        self.time(CALL_DURATION, event.operation, event.elapsed);
    }

    fn retry(&self, event: &RetryEvent<'_>) {
        let (service, reason) = (service_of(event.operation), reason(event.error));
        counter!(RETRIES, "service" => service, "operation" => event.operation, "reason" => reason)
            .increment(1);
    }

    fn budget(&self, event: &BudgetEvent) {
        let service = service_of(event.operation);
        gauge!(BUDGET, "service" => service).set(event.left);
    }

    fn budget_empty(&self, operation: &'static str) {
        let service = service_of(operation);
        counter!(BUDGET_EMPTY, "service" => service, "operation" => operation).increment(1);
    }

    fn token_refused(&self, operation: &'static str) {
        let service = service_of(operation);
        counter!(REFUSED_TOKENS, "service" => service, "operation" => operation).increment(1);
    }

    fn request_began(&self, operation: &'static str) {
        self.change_in_flight(operation, 1);
    }

    fn request_ended(&self, operation: &'static str) {
        self.change_in_flight(operation, -1);
    }

    fn connection_opened(&self) {
        counter!(OPENED).increment(1);
        self.connections.change(1);
    }

    fn connection_closed(&self) {
        counter!(CLOSED).increment(1);
        self.connections.change(-1);
    }

    fn connections_idle(&self, change: isize) {
        self.idle.change(change as i64);
    }

    fn token_renewed(&self, event: &TokenEvent<'_>) {
        let (source, outcome) = (event.source, event.error.map_or(OK, reason));
        counter!(RENEWALS, "source" => source, "outcome" => outcome).increment(1);
        histogram!(RENEWAL_DURATION, "source" => source).record(event.elapsed);
    }

    fn cache_entries(&self, name: &'static str, change: isize) {
        let level = self.entries.get(name, || {
            Level::of(Key::from_parts(ENTRIES, vec![label("cache", name)]))
        });
        level.change(change as i64);
    }

    fn cache(&self, event: &CacheEvent) {
        let CacheEvent { name, outcome } = *event;
        let lookups = self.lookups.get((name, outcome), || {
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
