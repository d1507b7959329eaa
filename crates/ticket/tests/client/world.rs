//! A world of three services, and waiting for what a client does in it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use vouchsafe_core::Clock;
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::sync::lock;
use vouchsafe_ticket::mock::Server;
use vouchsafe_ticket::{
    BlackboxEnv, Client, ServiceSecret, StatusCode, TvmApiBuilder, TvmId, TvmToolBuilder,
};

pub(super) const OWN: TvmId = TvmId::new(42);
pub(super) const PEER: TvmId = TvmId::new(43);
pub(super) const OTHER: TvmId = TvmId::new(44);
pub(super) const SLUG: &str = "shop";
pub(super) const ROLES: &str =
    r#"{"revision":"r1","born_date":1,"tvm":{"43":{"/role/read/":[{}]}}}"#;
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct World {
    pub(super) server: Server,
    pub(super) secret: ServiceSecret,
    clock: Arc<Seen>,
}

/// The server's clock, which tells when a client has read it. The worker reads it whenever it wakes,
/// to find out what is due.
#[derive(Debug)]
struct Seen {
    clock: Arc<ManualClock>,
    /// The moments of the paused time at which it was read.
    moments: Mutex<BTreeSet<Instant>>,
}

impl Clock for Seen {
    fn now(&self) -> SystemTime {
        lock(&self.moments).insert(Instant::now());
        self.clock.now()
    }
}

impl World {
    pub(super) fn new() -> Self {
        // It stands still, so that no test depends on how fast it runs.
        let clock = Arc::new(ManualClock::at_unix(1_767_225_600));
        let server = Server::builder().clock(clock).start();
        let secret = server.add_service(OWN, "shop");
        let _ = server.add_service(PEER, "peer");
        let _ = server.add_service(OTHER, "other");
        let clock = Arc::new(Seen {
            clock: Arc::clone(server.clock()),
            moments: Mutex::default(),
        });
        Self {
            server,
            secret,
            clock,
        }
    }

    pub(super) fn api(&self) -> TvmApiBuilder {
        Client::tvm_api(OWN)
            .tvm_url("https://tvm.example")
            .tirole_url("https://tirole.example")
            .transport(self.server.host().transport())
            .clock(Arc::<Seen>::clone(&self.clock))
    }

    pub(super) fn fetching(&self) -> TvmApiBuilder {
        self.api().secret(self.secret.clone()).alias("peer", PEER)
    }

    pub(super) fn full(&self) -> TvmApiBuilder {
        self.fetching()
            .check_service_tickets()
            .check_user_tickets(BlackboxEnv::Test)
    }

    pub(super) fn tool(&self) -> TvmToolBuilder {
        Client::tvmtool("shop")
            .auth_token(self.server.tool_token())
            .port(1)
            .transport(self.server.host().transport())
            .clock(Arc::<Seen>::clone(&self.clock))
    }

    pub(super) fn count(&self, operation: &str) -> u64 {
        self.server.journal().count(operation)
    }

    /// Advances the wall clock.
    pub(super) fn advance(&self, time: Duration) {
        self.server.clock().advance(time);
    }

    /// Waits until something has come about, which ends the test after an hour of its paused time.
    pub(super) async fn until(&self, has_come: impl Fn() -> bool + Send + Sync) {
        let come = async {
            while !has_come() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::time::timeout(HOUR, come).await.unwrap();
    }

    /// Waits until the worker has looked for what is due and done it, or found nothing: until it
    /// has read the clock at two moments, the second of which is when it sends a request, or wakes
    /// again.
    pub(super) async fn looked(&self) {
        let seen = || lock(&self.clock.moments).len();
        let before = seen();
        self.until(|| seen() >= before + 2).await;
    }

    /// Waits until there has been another request.
    pub(super) async fn asked(&self) {
        let before = self.server.journal().len();
        self.until(|| self.server.journal().len() > before).await;
    }
}

pub(super) fn status(client: &Client) -> StatusCode {
    client.status().unwrap().code()
}

pub(super) fn last_error(client: &Client) -> String {
    client.status().unwrap().last_error().to_owned()
}
