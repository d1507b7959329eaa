//! The time limits of all clients of this crate.

use std::time::Duration;

use vouchsafe_core::call::Timeouts;
use vouchsafe_core::{CoreClient, CoreClientBuilder};

/// Creates a builder with the limits: a minute for a call, as a page of results may be waited for on
/// the server, and half of it for an attempt, so that there can be a second one.
pub(crate) fn core() -> CoreClientBuilder {
    let timeouts = Timeouts::default()
        .attempt(Duration::from_secs(30))
        .call(Duration::from_secs(60));
    connecting(CoreClient::builder().timeouts(timeouts))
}

#[cfg(feature = "client")]
fn connecting(core: CoreClientBuilder) -> CoreClientBuilder {
    use vouchsafe_core::transport::HttpTransport;

    core.network(HttpTransport::builder().connect_timeout(Duration::from_secs(10)))
}

#[cfg(not(feature = "client"))]
fn connecting(core: CoreClientBuilder) -> CoreClientBuilder {
    core
}
