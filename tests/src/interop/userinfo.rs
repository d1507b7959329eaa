//! The Python clients of Gafaelfawr and Repertoire.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::process::Command;
use vouchsafe::core::{Clock, SystemClock};
use vouchsafe::userinfo::{
    BotUsername, Client, GroupName, NewGroup, NewServiceToken, Scope, Token, Username,
};

use super::server::{self, Server};
use super::{Places, Report, script};
use crate::python;

/// The clients, in the versions that the protocol text was written from.
const PACKAGES: &[&str] = &["rubin-gafaelfawr==16.1.0", "rubin-repertoire==3.1.0"];

/// The calls whose requests are compared with those of our client.
const COMPARED: &[&str] = &[
    "user_info",
    "user_info_for",
    "groups",
    "users",
    "create_service_token",
    "applications",
    "influxdb_credentials",
];

/// Runs the checks of the script, then makes the compared calls with our client.
pub(super) async fn run(places: &Places, report: &mut Report) {
    let script = places.scripts.join("userinfo.py");
    let python = match python::environment(&places.work.join("venv"), PACKAGES).await {
        Ok(python) => python,
        Err(why) => {
            return report.miss("the Python clients of userinfo", why);
        }
    };
    let seed = places.scripts.join("seed.json");
    let servers = async {
        let program = server::program()?;
        let start = async |config: &str| {
            let log = places.work.join(format!("{config}.log"));
            let seed = format!("{}#{config}", seed.display());
            Server::start(&program, "userinfo", &["--seed".to_owned(), seed], &log).await
        };
        let main = start("interop").await?;
        let bare = start("interop-no-directory").await?;
        Ok::<_, String>((main, bare))
    };
    let (main, bare) = match servers.await {
        Ok(servers) => servers,
        Err(why) => return report.fail("vouchsafe serve", why),
    };
    let tokens = match tokens(&seed) {
        Ok(tokens) => tokens,
        Err(why) => return report.fail("the seed", why),
    };
    let given = json!({
        "with_directory": main.place(),
        "without_directory": bare.place(),
        "tokens": tokens,
    });
    let mut command = Command::new(python);
    let seen = match script::run(command.arg(&script), &given, report).await {
        Ok(seen) => seen,
        Err(why) => return report.fail("the script", why),
    };
    for name in COMPARED {
        let what = format!("{name}: our client sends the same requests");
        match compare(name, &seen[name], &main, &tokens).await {
            Ok(()) => report.pass(&what),
            Err(why) => report.fail(&what, why),
        }
    }
}

/// Returns the tokens of the seed by their names.
fn tokens(seed: &std::path::Path) -> Result<Value, String> {
    let text = fs::read_to_string(seed).map_err(|cause| cause.to_string())?;
    let seed: Value = serde_json::from_str(&text).map_err(|cause| cause.to_string())?;
    let tokens = seed["tokens"].as_array().into_iter().flatten();
    Ok(tokens
        .filter_map(|token| Some((token["name"].as_str()?.to_owned(), token["token"].clone())))
        .collect())
}

async fn compare(name: &str, theirs: &Value, main: &Server, tokens: &Value) -> Result<(), String> {
    main.clean().await?;
    call(name, main, tokens).await?;
    let ours = json!(main.requests().await?);
    if ours == *theirs {
        Ok(())
    } else {
        Err(format!("theirs: {theirs}\n    ours:   {ours}"))
    }
}

async fn call(name: &str, main: &Server, tokens: &Value) -> Result<(), String> {
    let client = Client::builder()
        .repertoire_url(main.place()["repertoire"].as_str().unwrap_or_default())
        .build()
        .map_err(|fault| fault.to_string())?;
    let token = |name: &str| {
        let text = tokens[name].as_str().unwrap_or_default();
        Token::parse(text).map_err(|fault| fault.to_string())
    };
    let done = match name {
        "user_info" => client.user_info(&token("rosa")?).await.map(drop),
        "user_info_for" => {
            let user = Username::parse("intern-1").map_err(|fault| fault.to_string())?;
            client
                .user_info_for(token("intern")?, &user)
                .await
                .map(drop)
        }
        "groups" => client.groups(token("reader")?).await.map(drop),
        "users" => client.users(token("reader")?).await.map(drop),
        "create_service_token" => return create(&client, token("maker")?).await,
        "applications" => client.discovery().document().await.map(drop),
        "influxdb_credentials" => client
            .discovery()
            .influxdb_credentials("near_metrics", token("rosa")?)
            .await
            .map(drop),
        other => return Err(format!("no call {other}")),
    };
    done.map_err(|fault| fault.to_string())
}

async fn create(client: &Client, token: Token) -> Result<(), String> {
    let bot = BotUsername::parse("bot-ours").map_err(|fault| fault.to_string())?;
    let scope = Scope::parse("admin:userinfo").map_err(|fault| fault.to_string())?;
    let group = GroupName::parse("bots").map_err(|fault| fault.to_string())?;
    let in_an_hour: SystemTime = SystemClock::new().now() + Duration::from_secs(3600);
    let new = NewServiceToken::new(bot)
        .scopes([scope])
        .expires(in_an_hour)
        .name("Our Bot")
        .uid(4001)
        .gid(4002)
        .groups([NewGroup::new(group, 4003)]);
    client
        .create_service_token(token, &new)
        .await
        .map(drop)
        .map_err(|fault| fault.to_string())
}
