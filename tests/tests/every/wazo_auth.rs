//! Every operation of wazo-auth by its id: those that send a secret or are written by hand through
//! their methods, the others by their paths.

use std::sync::Arc;

use super::calls::wazo_auth::SECRETS as SENT;
pub(super) use super::calls::wazo_auth::call;
use vouchsafe::core::call::Operation;
use vouchsafe::core::transport::Transport;
use vouchsafe::wazo_auth::mock::Server;
use vouchsafe::wazo_auth::{Client, Result};

use super::{Network, Then};

const TOKEN: &str = "planted-token-of-the-caller";
const REFRESH: &str = "planted-refresh+of/somebody";

/// All that must not be shown.
pub(super) const SECRETS: [&str; 11] = [
    TOKEN, REFRESH, SENT[0], SENT[1], SENT[2], SENT[3], SENT[4], SENT[5], SENT[6], SENT[7], SENT[8],
];

/// Makes one call of an operation, over a network that treats all requests as told.
pub(super) async fn ask(
    operation: &'static Operation,
    then: impl Fn() -> Then + Send + Sync + 'static,
) -> Arc<Network> {
    let server = Server::new();
    let network = Network::new(server.host().transport(), move |_| then());
    let client = client(network.clone());
    call(&client, operation).await.expect_err(operation.id());
    network
}

/// A client that makes one call at a time, so that a permit that is not given back is missed.
pub(super) fn client(transport: Arc<dyn Transport>) -> Client {
    Client::builder()
        .transport(transport)
        .max_in_flight(1)
        .host("wazo.example.org")
        .token(TOKEN)
        .build()
        .unwrap()
}

/// Logs in without a password.
pub(super) async fn refresh(client: &Client) -> Result<()> {
    let login = client.token().create().refresh_token("app", REFRESH);
    login.send().await.map(drop)
}
