//! An emulator on a socket, from where it can be taken away and put back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use vouchsafe::core::call::Operation;
use vouchsafe::core::mock::{Fault, Host, Serving};
use vouchsafe::core::transport::{HttpTransport, Transport};

use super::account::{Account, Balance};
use super::ledger::{Counted, Ledger};

/// One service: its emulator, and the account and the ledger of its clients.
pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) host: Host,
    pub(super) account: Arc<Account>,
    ledger: Arc<Ledger>,
    operations: Vec<&'static Operation>,
    address: SocketAddr,
    serving: Mutex<Option<Serving>>,
}

impl Place {
    pub(super) async fn open(
        name: &'static str,
        host: Host,
        operations: impl Iterator<Item = &'static Operation>,
    ) -> Result<Self, String> {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let serving = host.serve(any).await.map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            host,
            account: Arc::default(),
            ledger: Arc::default(),
            operations: operations.collect(),
            address: serving.address(),
            serving: Mutex::new(Some(serving)),
        })
    }

    /// Returns sockets for a client, whose requests are in the ledger.
    pub(super) fn network(&self) -> Result<Arc<dyn Transport>, String> {
        let network = HttpTransport::builder().build();
        Ok(Arc::new(Counted {
            network: network.map_err(|error| error.to_string())?,
            ledger: Arc::clone(&self.ledger),
        }))
    }

    /// Compares what clients saw so far with what arrived.
    pub(super) fn settle(&self) {
        self.ledger.settle(self.host.journal());
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Injects faults into one request of twenty.
    pub(super) fn add_faults(&self, seed: u64) {
        let any = Fault::on_any;
        let half_a_second = Duration::from_millis(500);
        let faults = [
            any().status(500),
            any().status(502),
            any().status(503),
            any().status(429),
            any().reset_before_head(),
            any().reset_in_head(),
            any().reset_after_head(),
            any().cut_body(),
            any().wrong_length(1 << 15),
            any().not_http(),
            any().no_answer(),
            any().drip(16, half_a_second),
            any().delay(half_a_second),
            any().close_when_idle(),
            any().garbage(),
            any().skewed_date(86_400),
        ];
        let share = 0.05 / faults.len() as f64;
        for (number, fault) in (0..).zip(faults) {
            let fault = fault.probability(share, seed.wrapping_add(number));
            self.host.faults().add(fault);
        }
    }

    /// Ends all connections and refuses others for a moment.
    pub(super) async fn restart(&self) -> Result<(), String> {
        let mut serving = self.serving.lock().await;
        *serving = None;
        sleep(Duration::from_millis(100)).await;
        let again = async {
            // The old listener ends with its task, which may take a moment.
            loop {
                match self.host.serve(self.address).await {
                    Ok(again) => return again,
                    Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let again = timeout(Duration::from_secs(60), again).await;
        *serving = Some(again.map_err(|_| format!("{} cannot be served again", self.name))?);
        Ok(())
    }

    /// Ends the server, after which nothing arrives, and waits until no request is under way.
    pub(super) async fn end(&self) {
        *self.serving.lock().await = None;
        for _ in 0..6_000 {
            if self.ledger.is_over() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Compares what its clients say with what arrived, after all of them have ended.
    pub(super) fn balance(&self) -> Balance {
        let closed = self.ledger.close(self.host.journal());
        self.account
            .compare(self.host.journal(), &self.operations, closed)
    }
}
