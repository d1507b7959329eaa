//! Services whose operations can be called by their names, with the examples of their descriptions.

use std::sync::Arc;

use vouchsafe::core::auth::TokenSource;
use vouchsafe::core::call::described::Described;
use vouchsafe::core::call::{CallOptions, Operation};
use vouchsafe::core::service::Service as _;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{self, BoxFuture};

use super::shown::{Caller, Failure};
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

        /// Returns these services by the prefixes of their operations.
        pub(super) fn services() -> Vec<(&'static str, &'static [Described])> {
            let services = [$(vouchsafe::$module::OPERATIONS),*];
            let named = services.into_iter().map(|all| {
                let (prefix, _) = all[0].operation.id().split_once('.').unwrap();
                (prefix, all)
            });
            named.collect()
        }

        /// Returns what calls an operation, and reads its answer as methods do that cannot use it.
        pub(super) fn caller(
            described: &'static Described,
            network: Arc<dyn Transport>,
            source: Option<Arc<dyn TokenSource>>,
        ) -> Caller {
            $(if is_among(vouchsafe::$module::OPERATIONS, described) {
                // One call at a time, so that a permit that is not given back is missed.
                let client = vouchsafe::$module::Client::builder()
                    .base_url("https://service.example.com")
                    .transport(network)
                    .max_in_flight(1)
                    .token(TOKEN)
                    .build()
                    .unwrap();
                let client = match source {
                    Some(source) => client.with_token_source(source),
                    None => client,
                };
                return Box::new(move || {
                    let client = client.clone();
                    Box::pin(async move {
                        let call = described.call(&described.examples()).unwrap();
                        let answer = client.call(call, &(), &CallOptions::new()).await;
                        let answer = answer.map_err(|error| {
                            Failure::new(error.core(), &format!("{error}{error:?}"))
                        })?;
                        let read = answer.json::<std::collections::BTreeMap<String, bool>>();
                        read.map(drop).map_err(|error| Failure::new(&error, ""))
                    })
                });
            })*
            panic!("no service has {}", described.name)
        }
    };
}

// One line for each service, in the order of the names.
described! {
    service cloud_credentials;
}

/// Calls an operation once.
pub(super) async fn call(
    described: &'static Described,
    network: Arc<dyn Transport>,
) -> Result<(), Failure> {
    caller(described, network, None)().await
}

/// Returns an operation with its name.
pub(super) fn of(operation: &Operation) -> &'static Described {
    let described = all().find(|described| described.operation.id() == operation.id());
    described.unwrap_or_else(|| panic!("{} has no name", operation.id()))
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
    let described = of(operation);
    let network = Network::new(nowhere(), move |_| then());
    let made = call(described, network.clone()).await;
    assert!(made.is_err(), "{}", operation.id());
    network
}

/// Returns a network for calls of which no request is passed on.
pub(super) fn nowhere() -> Arc<dyn Transport> {
    Arc::new(Nowhere)
}

#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, request: Request) -> BoxFuture<'_, core::Result<Response>> {
        panic!("{} was passed on", request.uri)
    }
}
