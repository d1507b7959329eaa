//! Every operation of Gafaelfawr and Repertoire by its id.

use serde_json::{Value, json};
use vouchsafe::userinfo::mock::Server;
use vouchsafe::userinfo::{
    BotUsername, Client, NewServiceToken, NewUserToken, QuotaConfig, Result, Token, TokenChange,
    Username,
};

/// Only the emulator knows them: the ingress asks, and no client.
pub const NOT_ASKED: [&str; 3] = [
    "gafaelfawr.ingressAuth",
    "gafaelfawr.ingressAnonymous",
    "gafaelfawr.modifyToken",
];

/// Returns the discovery document of an installation at a URL, with a database.
#[must_use]
pub fn discovery(base: &str, server: &Server) -> Value {
    let path = server.repertoire_path();
    json!({
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
    })
}

/// Calls one operation.
///
/// # Errors
///
/// Those of the call.
///
/// # Panics
///
/// If it is not known how the operation is called.
pub async fn call(client: &Client, id: &str, token: &Token) -> Result<()> {
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
