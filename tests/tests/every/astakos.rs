//! Every operation of Astakos by its id.

use std::sync::Arc;

use super::calls::astakos::{ACCESS, CODE, SECRET};
pub(super) use super::calls::astakos::{NOT_ASKED, call};
use vouchsafe::astakos::mock::Server;
use vouchsafe::astakos::{Client, Dialect};
use vouchsafe::core::call::Operation;
use vouchsafe::core::transport::Transport;

use super::{Network, Then};

const TOKEN: &str = "planted-token/of+somebody==";
const OPTION: &str = "planted-option/of+somebody";

/// All that must not be shown.
pub(super) const SECRETS: [&str; 5] = [TOKEN, ACCESS, CODE, SECRET, OPTION];

/// Makes one call of an operation, over a network that treats all requests as told.
pub(super) async fn ask(
    operation: &'static Operation,
    then: impl Fn() -> Then + Send + Sync + 'static,
) -> Arc<Network> {
    let server = Server::new();
    let network = Network::new(server.host().transport(), move |_| then());
    let id = operation.id();
    let client = client(id, network.clone());
    call(&client, id).await.expect_err(id);
    network
}

/// A client of servers that have an operation. It makes one call at a time, so that a permit that is
/// not given back is missed.
pub(super) fn client(id: &str, transport: Arc<dyn Transport>) -> Client {
    let is_old = id.starts_with("account.legacy");
    Client::builder()
        .transport(transport)
        .max_in_flight(1)
        .base_url("https://accounts.example.org/astakos")
        .dialect(match is_old {
            true => Dialect::V015,
            false => Dialect::V016,
        })
        .token(TOKEN)
        .header("x-own", OPTION)
        .build()
        .unwrap()
}
