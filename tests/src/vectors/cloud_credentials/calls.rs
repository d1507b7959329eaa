//! The calls of this library that steps of Python stand for.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{Claims, Credentials, Error as Fault, Pkce, Secret};

use super::expected::Case;
use super::machine::{Machine, is_of_session, texts};
use super::outcome::Got;

pub(super) async fn documents(machine: &Machine) -> Result<Got, String> {
    let store = FileStore::new(&machine.store_path);
    let documents = store.documents(FileStore::NAMESPACE).await;
    Ok(match documents {
        Ok(documents) => {
            let shown = documents.into_iter().map(|document| {
                let record = document.record;
                json!({
                    "doc_id": document.id,
                    "access_token": secret_value(record.access_token),
                    "client_id": record.client_id,
                    "client_secret": secret_value(record.client_secret),
                    "profile": document.profile,
                    "refresh_token": secret_value(record.refresh_token),
                })
            });
            Got::Value(json!({"profiles_in_file_order": shown.collect::<Vec<_>>()}))
        }
        Err(fault) => Got::Fault(fault),
    })
}

pub(super) async fn exchange(
    credentials: &Credentials,
    args: &Map<String, Value>,
) -> Result<Value, Fault> {
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut exchange = credentials.exchange(text("code").unwrap_or_default());
    if let Some(id) = text("client_id") {
        exchange = exchange.client_id(id);
    }
    if let Some(secret) = text("client_secret") {
        exchange = exchange.client_secret(secret);
    }
    if let Some(uri) = text("redirect_uri") {
        exchange = exchange.redirect_uri(uri);
    }
    let answer = exchange.send().await?;
    let mut shown = json!({"access_token": answer.access_token.expose()});
    if let Some(token) = answer.refresh_token {
        shown["refresh_token"] = token.expose().into();
    }
    for (name, value) in [("token_type", answer.token_type), ("scope", answer.scope)] {
        if let Some(value) = value {
            shown[name] = value.into();
        }
    }
    if let Some(valid) = answer.expires_in {
        shown["expires_in"] = valid.as_secs().into();
    }
    Ok(shown)
}

pub(super) async fn authorization_url(
    credentials: &Credentials,
    args: &Map<String, Value>,
    machine: &mut Machine,
    case: &Case,
) -> Result<Value, Fault> {
    // An empty text counts as absent there.
    let text = |name: &str| {
        let text = args.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut request = credentials.authorize().pkce(Pkce::Off);
    // Recorded with a generator of random numbers that always returns this.
    request = request.state(
        text("state")
            .or_else(|| case.setup.uuid4.clone())
            .unwrap_or_default(),
    );
    if let Some(id) = text("client_id") {
        request = request.client_id(id);
    }
    if let Some(uri) = text("redirect_uri") {
        request = request.redirect_uri(uri);
    }
    if let Some(id) = text("instance_id") {
        request = request.instance_id(id);
    }
    if let Some(region) = text("region") {
        request = request.region(region);
    }
    if let Some(scope) = args.get("scope").filter(|scope| **scope != "") {
        request = request.scopes(texts(scope));
    }
    let login = request.url().await?;
    machine.state = Some(login.state.clone());
    Ok(json!([login.url, login.state]))
}

pub(super) fn is_expired(claims: &Claims, now: SystemTime, leeway: f64) -> Result<bool, Fault> {
    // A negative leeway asks whether the token will have expired then.
    let length = Duration::try_from_secs_f64(leeway.abs()).unwrap_or(Duration::MAX);
    match leeway < 0.0 {
        true => claims.is_expired(now + length, Duration::ZERO),
        false => claims.is_expired(now, length),
    }
}

/// Refuses what a step of credentials is given and its runner does not look at.
pub(super) fn known_to(deed: &str, args: &Map<String, Value>) -> Result<(), String> {
    // Time limits are those of the machine, and which headers are compared is said by the schema.
    let names: &[&str] = match deed {
        "refresh" => &["access_token", "timeout", "headers"],
        "fetch_tokens" => &[
            "code",
            "client_id",
            "client_secret",
            "redirect_uri",
            "timeout",
            "headers",
        ],
        "revoke_access_token" | "revoke_refresh_token" => &["timeout", "headers"],
        "remove_profile" => &["profile"],
        "decode_jwt_payload" => &["access_token"],
        "jwt_is_expired" => &["access_token", "leeway"],
        "get_authorization_url" => &[
            "client_id",
            "instance_id",
            "redirect_uri",
            "region",
            "scope",
            "state",
        ],
        deed if deed.starts_with("set ") => &["value"],
        _ => &[],
    };
    let is_request = matches!(
        deed,
        "refresh" | "fetch_tokens" | "revoke_access_token" | "revoke_refresh_token"
    );
    let mut args = args.clone();
    args.retain(|name, value| !(is_request && (value.is_null() || is_of_session(name, value))));
    known(&args, names)
}

/// Refuses arguments that would change what a step means.
pub(super) fn known(args: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match args.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("no runner for the argument {name}")),
        None => Ok(()),
    }
}

/// Returns the name of the object that `$name` means.
pub(super) fn bound(value: Option<&Value>) -> Option<String> {
    let name = value?.as_str()?.strip_prefix('$')?;
    Some(name.to_owned())
}

pub(super) fn secret_value(secret: Option<Secret>) -> Value {
    secret.map(|secret| secret.expose().to_owned()).into()
}
