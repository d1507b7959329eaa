//! Services whose operations can be called by their names, with the examples of their descriptions.

use std::sync::Arc;

use vouchsafe::core::call::described::Described;
use vouchsafe::core::call::{CallOptions, Operation};
use vouchsafe::core::service::Service as _;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Error, Result};

use super::{Network, Then};

/// The token of all calls, which must not be shown.
pub(super) const TOKEN: &str = "planted-token+of/somebody==";

macro_rules! described {
    ($(service $module:ident;)*) => {
        /// Returns every operation of these services.
        pub(super) fn all() -> impl Iterator<Item = &'static Described> {
            let services = [$(vouchsafe::$module::OPERATIONS),*];
            services.into_iter().flatten()
        }

        /// Calls an operation, and reads its answer as methods do that cannot use it.
        pub(super) async fn call(described: &Described, network: Arc<dyn Transport>) -> Result<()> {
            let call = described.call(&described.examples())?;
            $(if is_among(vouchsafe::$module::OPERATIONS, described) {
                let client = vouchsafe::$module::Client::builder()
                    .base_url("https://service.example.com")
                    .transport(network)
                    .token(TOKEN)
                    .build();
                let client = client.map_err(|error| error.core().clone())?;
                let answer = client.call(call, &(), &CallOptions::new()).await;
                let answer = answer.map_err(|error| error.core().clone())?;
                return answer.json::<std::collections::BTreeMap<String, bool>>().map(drop);
            })*
            panic!("no service has {}", described.name)
        }
    };
}

// One line for each service, in the order of the names.
described! {
    service cloud_credentials;
}

fn is_among(all: &[Described], one: &Described) -> bool {
    all.iter()
        .any(|other| other.operation.id() == one.operation.id())
}

/// Makes one call of an operation, over a network that treats all requests as told.
pub(super) async fn ask(
    operation: &'static Operation,
    then: impl Fn() -> Then + Send + Sync + 'static,
) -> Arc<Network> {
    let described = all().find(|described| described.operation.id() == operation.id());
    let described = described.unwrap_or_else(|| panic!("{} has no name", operation.id()));
    let network = Network::new(nowhere(), move |_| then());
    let made: Result<(), Error> = call(described, network.clone()).await;
    made.expect_err(operation.id());
    network
}

/// Returns a network for calls of which no request is passed on.
pub(super) fn nowhere() -> Arc<dyn Transport> {
    Arc::new(Nowhere)
}

#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        panic!("{} was passed on", request.uri)
    }
}
