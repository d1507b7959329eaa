//! Every operation of Gafaelfawr and Repertoire by its id.

use std::sync::Arc;

use super::calls::userinfo::discovery;
pub(super) use super::calls::userinfo::{NOT_ASKED, call};
use vouchsafe::core::call::Operation;
use vouchsafe::core::transport::Transport;
use vouchsafe::userinfo::Client;
use vouchsafe::userinfo::mock::Server;

use super::{Network, Then, is_of};

/// Makes one call of an operation, over a network that treats its requests as told and passes on
/// what comes before them.
pub(super) async fn ask(
    operation: &'static Operation,
    then: impl Fn() -> Then + Send + Sync + 'static,
) -> Arc<Network> {
    let server = Server::new();
    let network = Network::new(server.host().transport(), move |request| {
        match is_of(operation, request) {
            true => then(),
            false => Then::Pass,
        }
    });
    let client = client(&server.repertoire_path(), network.clone());
    let made = call(&client, operation.id(), &server.user_token()).await;
    made.expect_err(operation.id());
    network
}

/// An installation with a database.
pub(super) fn server() -> Server {
    let server = Server::new();
    server.set_discovery(discovery("https://data.example.com", &server));
    server
}

/// A client that makes one call at a time, so that a permit that is not given back is missed.
pub(super) fn client(path: &str, transport: Arc<dyn Transport>) -> Client {
    let url = format!("https://data.example.com{path}");
    let client = Client::builder().transport(transport).max_in_flight(1);
    client.repertoire_url(url).build().unwrap()
}
