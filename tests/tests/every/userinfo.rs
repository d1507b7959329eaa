//! Every operation of Gafaelfawr and Repertoire by its id.

use std::sync::Arc;

use vouchsafe::core::call::Operation;
use vouchsafe::core::transport::Transport;
use vouchsafe::userinfo::mock::Server;
use vouchsafe::userinfo::{
    BotUsername, Client, NewServiceToken, NewUserToken, QuotaConfig, Result, Token, TokenChange,
    Username,
};

use super::{Network, Then, is_of};

/// Only the emulator knows them: the ingress asks, and no client.
pub(super) const NOT_ASKED: [&str; 3] = [
    "gafaelfawr.ingressAuth",
    "gafaelfawr.ingressAnonymous",
    "gafaelfawr.modifyToken",
];

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
    let client = client(&server, network.clone());
    let made = call(&client, operation.id(), &server.user_token()).await;
    made.expect_err(operation.id());
    network
}

/// An installation with a database.
pub(super) fn server() -> Server {
    let server = Server::new();
    let (base, path) = ("https://data.example.com", server.repertoire_path());
    let document = serde_json::json!({
        "influxdb_databases": {"metrics": {
            "url": "https://influx.example.com/",
            "database": "m",
            "schema_registry": "https://schemas.example.com/",
            "credentials_url": format!("{base}{path}/discovery/influxdb/metrics"),
        }},
        "services": {"internal": {"gafaelfawr": {
            "url": format!("{base}/auth/api"),
            "versions": {"v1": {"url": format!("{base}/auth/api/v1")}},
        }}},
    });
    server.set_discovery(document);
    server
}

pub(super) fn client(server: &Server, transport: Arc<dyn Transport>) -> Client {
    let url = format!("https://data.example.com{}", server.repertoire_path());
    let client = Client::builder().transport(transport).repertoire_url(url);
    client.build().unwrap()
}

/// Calls one operation.
pub(super) async fn call(client: &Client, id: &str, token: &Token) -> Result<()> {
    let alice: Username = "alice".parse().unwrap();
    let bot: BotUsername = "bot-ledger".parse().unwrap();
    let discovery = client.discovery();
    match id {
        "gafaelfawr.getOwnUserInfo" => client.user_info(token).await.map(drop),
        "gafaelfawr.listUsers" => client.users(token).await.map(drop),
        "gafaelfawr.getUserInfo" => client.user_info_for(token, &alice).await.map(drop),
        "gafaelfawr.listGroups" => client.groups(token).await.map(drop),
        "gafaelfawr.createToken" => {
            let new = NewServiceToken::new(bot);
            client.create_service_token(token, &new).await.map(drop)
        }
        "gafaelfawr.getTokenInfo" => client.token_info(token).await.map(drop),
        "gafaelfawr.listTokens" => client.tokens(token, &alice).await.map(drop),
        "gafaelfawr.createUserToken" => {
            let new = NewUserToken::new("laptop");
            let call = client.create_user_token(token, &alice, &new);
            call.await.map(drop)
        }
        "gafaelfawr.getToken" => {
            let call = client.token_info_by_key(token, &alice, token.key());
            call.await.map(drop)
        }
        "gafaelfawr.modifyToken" => {
            let change = TokenChange::new();
            let call = client.modify_token(token, &alice, token.key(), &change);
            call.await.map(drop)
        }
        "gafaelfawr.revokeToken" => {
            let call = client.revoke_token(token, &alice, token.key());
            call.await.map(drop)
        }
        "gafaelfawr.getQuotaOverrides" => client.quota_overrides(token).await.map(drop),
        "gafaelfawr.putQuotaOverrides" => {
            let overrides = QuotaConfig::default();
            client
                .set_quota_overrides(token, &overrides)
                .await
                .map(drop)
        }
        "gafaelfawr.deleteQuotaOverrides" => client.remove_quota_overrides(token).await.map(drop),
        "repertoire.getDiscovery" => discovery.document().await.map(drop),
        "repertoire.listInfluxdb" => discovery.all_influxdb_credentials(token).await.map(drop),
        "repertoire.getInfluxdb" => discovery
            .influxdb_credentials("metrics", token)
            .await
            .map(drop),
        _ => panic!("tell here how {id} is called"),
    }
}
