//! A host takes requests to an emulator, from sockets and from in-process clients alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use http::header::DATE;

use super::faults::{Fault, Harm};
use super::journal::{self, Arrival};
use super::{Faults, Handler, Journal, ManualClock};
use crate::Clock;
use crate::call::Operation;
use crate::transport::{Request, Response};

/// Makes an emulator available in process, over TCP, over TLS and on socket files, all with the same
/// state, journal and faults.
///
/// Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handler: Arc<dyn Handler>,
    clock: Arc<ManualClock>,
    journal: Journal,
    faults: Faults,
    operations: Vec<&'static Operation>,
    /// In nanoseconds.
    latency: AtomicU64,
}

impl Host {
    /// Creates a host with a clock that runs with the machine's.
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>) -> Self {
        Self::builder(handler).build()
    }

    /// Creates a builder for a host that shares parts with its emulator.
    pub fn builder(handler: Arc<dyn Handler>) -> HostBuilder {
        HostBuilder {
            handler,
            clock: None,
            journal: Journal::default(),
            faults: Faults::default(),
        }
    }

    /// Returns the journal of received requests.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Returns the faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Returns the clock that sets the date of answers.
    #[must_use]
    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.0.clock
    }

    /// Returns the emulator.
    #[must_use]
    pub fn handler(&self) -> &Arc<dyn Handler> {
        &self.0.handler
    }

    /// Delays every answer from now on, in addition to what faults do.
    pub fn set_latency(&self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.latency.store(nanos, Ordering::Relaxed);
    }

    /// Returns the operations of the emulator; empty if they are not known.
    #[must_use]
    pub fn operations(&self) -> &[&'static Operation] {
        &self.0.operations
    }

    /// Resets the emulator and the clock to their initial state, and clears journal and faults. The
    /// latency stays.
    pub fn reset(&self) {
        self.0.clock.reset();
        self.0.handler.reset();
        self.0.journal.clear();
        self.0.faults.clear();
    }

    /// Passes one request to the emulator, or to the fault that replaces it.
    pub(super) fn exchange(&self, request: &Request) -> Exchange {
        let operation = self.0.handler.operation(&request.method, &request.uri);
        let fault = self.0.faults.strike(operation);
        let name = fault.as_ref().map(Fault::name);
        let own_headers = self.0.handler.credential_headers();
        let number = self.0.journal.arrived(Arrival {
            operation,
            request,
            path: journal::shown_path(&self.0.operations, request.uri.path()),
            credential: journal::credential(&request.headers, own_headers),
            fault: name,
        });
        let own = fault.as_ref().and_then(Fault::own_answer);
        let mut response = own.unwrap_or_else(|| self.0.handler.handle(request));
        let skew = fault.as_ref().map_or(0, |fault| fault.date_skew);
        if skew != 0 || !response.headers.contains_key(DATE) {
            response
                .headers
                .insert(DATE, date(self.0.clock.now(), skew));
        }
        let harm = fault.as_ref().and_then(|fault| fault.harm);
        let is_answered = !matches!(
            harm,
            Some(
                Harm::NoAnswer
                    | Harm::ResetBeforeHead
                    | Harm::ResetInHead
                    | Harm::NotHttp
                    | Harm::ResetStream(_)
                    | Harm::GoAway(_)
            )
        );
        if is_answered {
            self.0.journal.answered(number, response.status);
        }
        let latency = Duration::from_nanos(self.0.latency.load(Ordering::Relaxed));
        Exchange {
            response,
            delay: fault
                .map_or(Duration::ZERO, |fault| fault.delay)
                .saturating_add(latency),
            harm,
        }
    }
}

/// Builds a [`Host`].
#[derive(Clone, Debug)]
#[must_use]
pub struct HostBuilder {
    handler: Arc<dyn Handler>,
    clock: Option<Arc<ManualClock>>,
    journal: Journal,
    faults: Faults,
}

impl HostBuilder {
    /// Sets the clock, to share it with the emulator. Default: [`ManualClock::running`].
    pub fn clock(mut self, clock: Arc<ManualClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets the journal, so that the emulator can record surprises, or several hosts can share it.
    /// Default: a new one.
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = journal;
        self
    }

    /// Sets the faults, to share them. Default: none.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Builds the host.
    #[must_use]
    pub fn build(self) -> Host {
        let operations = self.handler.operations();
        self.faults.know(&operations);
        Host(Arc::new(Inner {
            operations,
            handler: self.handler,
            clock: self
                .clock
                .unwrap_or_else(|| Arc::new(ManualClock::running())),
            journal: self.journal,
            faults: self.faults,
            latency: AtomicU64::new(0),
        }))
    }
}

/// The response to send and the fault to apply.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) response: Response,
    pub(super) delay: Duration,
    pub(super) harm: Option<Harm>,
}

fn date(now: SystemTime, skew: i64) -> HeaderValue {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let skewed = seconds.saturating_add_signed(skew);
    let shown = ManualClock::at_unix(skewed).now();
    HeaderValue::try_from(httpdate::fmt_http_date(shown))
        .unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode, Uri};
    use tokio::time::Instant;

    use super::*;

    #[derive(Debug)]
    struct Fine;

    impl Handler for Fine {
        fn handle(&self, _: &Request) -> Response {
            Response::new(StatusCode::OK)
        }

        fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
            Some("t.fine")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn latency_adds_to_the_delays_of_faults_and_outlives_a_reset() {
        let host = Host::new(Arc::new(Fine));
        let ask = async || {
            let asked = Instant::now();
            let request = Request::new(Method::GET, Uri::from_static("http://h/"));
            host.transport().send(request).await.unwrap();
            asked.elapsed().as_millis()
        };
        assert_eq!(ask().await, 0);
        host.set_latency(Duration::from_millis(20));
        host.faults()
            .add(Fault::on_any().delay(Duration::from_millis(100)));
        assert_eq!(ask().await, 120);
        host.reset();
        assert_eq!(ask().await, 20);
    }
}
